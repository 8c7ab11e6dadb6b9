/* What passes between libfuse and /dev/fuse: counted by opcode, and one bit put right. */
#include <errno.h>
#include <linux/fuse.h>
#include <unistd.h>

#include "fuse/private.h"
#include "util/clock.h"

static const char *const opcode_names[CF_OPCODE_N] = {
    [0] = "other",
    [FUSE_LOOKUP] = "lookup",
    [FUSE_FORGET] = "forget",
    [FUSE_GETATTR] = "getattr",
    [FUSE_SETATTR] = "setattr",
    [FUSE_READLINK] = "readlink",
    [FUSE_SYMLINK] = "symlink",
    [FUSE_MKNOD] = "mknod",
    [FUSE_MKDIR] = "mkdir",
    [FUSE_UNLINK] = "unlink",
    [FUSE_RMDIR] = "rmdir",
    [FUSE_RENAME] = "rename",
    [FUSE_LINK] = "link",
    [FUSE_OPEN] = "open",
    [FUSE_READ] = "read",
    [FUSE_WRITE] = "write",
    [FUSE_STATFS] = "statfs",
    [FUSE_RELEASE] = "release",
    [FUSE_FSYNC] = "fsync",
    [FUSE_SETXATTR] = "setxattr",
    [FUSE_GETXATTR] = "getxattr",
    [FUSE_LISTXATTR] = "listxattr",
    [FUSE_REMOVEXATTR] = "removexattr",
    [FUSE_FLUSH] = "flush",
    [FUSE_INIT] = "init",
    [FUSE_OPENDIR] = "opendir",
    [FUSE_READDIR] = "readdir",
    [FUSE_RELEASEDIR] = "releasedir",
    [FUSE_FSYNCDIR] = "fsyncdir",
    [FUSE_GETLK] = "getlk",
    [FUSE_SETLK] = "setlk",
    [FUSE_SETLKW] = "setlkw",
    [FUSE_ACCESS] = "access",
    [FUSE_CREATE] = "create",
    [FUSE_INTERRUPT] = "interrupt",
    [FUSE_BMAP] = "bmap",
    [FUSE_DESTROY] = "destroy",
    [FUSE_IOCTL] = "ioctl",
    [FUSE_POLL] = "poll",
    [FUSE_NOTIFY_REPLY] = "notify_reply",
    [FUSE_BATCH_FORGET] = "forget_multi",
    [FUSE_FALLOCATE] = "fallocate",
    [FUSE_READDIRPLUS] = "readdirplus",
    [FUSE_RENAME2] = "rename2",
    [FUSE_LSEEK] = "lseek",
    [FUSE_COPY_FILE_RANGE] = "copy_file_range",
    /* By number: younger than the headers of some systems. */
    [48] = "setupmapping",
    [49] = "removemapping",
    [50] = "syncfs",
    [51] = "tmpfile",
    [52] = "statx",
};

static gboolean
is_answered(guint32 opcode)
{
    return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT &&
           opcode != FUSE_NOTIFY_REPLY;
}

static ssize_t
io_read(int fd, void *buf, size_t size, void *userdata)
{
    CfSession *session = userdata;
    const struct fuse_in_header *header = buf;
    ssize_t n = read(fd, buf, size);
    guint32 opcode;

    if (n < (ssize_t) sizeof *header)
        return n;
    opcode = header->opcode < CF_OPCODE_N && opcode_names[header->opcode] ? header->opcode : 0;
    atomic_fetch_add_explicit(&session->counters.requests[opcode], 1, memory_order_relaxed);
    session->received_us = cf_clock_mono_us();
    atomic_store(&session->answering_us, session->received_us);
    session->kept = !is_answered(opcode);
    if (opcode == FUSE_POLL && n >= (ssize_t) (sizeof *header + sizeof(struct fuse_poll_in)))
        session->poll_kh = ((const struct fuse_poll_in *) (header + 1))->kh;
    return n;
}

/* libfuse before 3.17 wants PARALLEL_DIROPS and forgets to say so; without it the kernel lets only
 * one request at a time into a directory. Nothing else is written before INIT is answered. */
static void
mend_init(CfSession *session, struct iovec *iov, int count)
{
    struct fuse_init_out *out = count > 1 ? iov[1].iov_base : NULL;

    session->init = CF_INIT_DONE;
    if (out && session->force_parallel_dirops &&
        iov[1].iov_len >= G_STRUCT_OFFSET(struct fuse_init_out, flags) + sizeof out->flags)
        out->flags |= FUSE_PARALLEL_DIROPS;
}

static gboolean
is_notice(const struct iovec *iov)
{
    return ((const struct fuse_out_header *) iov[0].iov_base)->unique == 0;
}

static ssize_t
length_of(const struct iovec *iov, int count)
{
    ssize_t sum = 0;

    for (int i = 0; i < count; i++)
        sum += (ssize_t) iov[i].iov_len;
    return sum;
}

/* A directory that is gone while somebody stands in it: the kernel has let go of its entries, and
 * says ENOTEMPTY all the same. That is as good as it gets. */
static ssize_t
io_writev(int fd, struct iovec *iov, int count, void *userdata)
{
    CfSession *session = userdata;

    ssize_t n;

    if (G_UNLIKELY(session->init == CF_INIT_ANSWERING))
        mend_init(session, iov, count);
    n = writev(fd, iov, count);
    /* libfuse would print it on stderr. */
    return n < 0 && errno == ENOTEMPTY && is_notice(iov) ? length_of(iov, count) : n;
}

gboolean
cf_io_install(CfSession *session, GError **error)
{
    static const struct fuse_custom_io io = {.read = io_read, .writev = io_writev};
    int result = fuse_session_custom_io(session->fuse, &io, fuse_session_fd(session->fuse));

    if (result < 0)
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "fuse_session_custom_io: %s",
                    g_strerror(-result));
    return result == 0;
}

void
cf_io_answered(CfSession *session, gint64 received_us)
{
    CfCounters *counters = &session->counters;

    atomic_fetch_add_explicit(&counters->answered, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->answered_us, cf_clock_mono_us() - received_us,
                              memory_order_relaxed);
}

/* --- the stats -------------------------------------------------------------------------------- */

static void
append_counter(GString *out, const char *name, const char *help, guint64 value)
{
    g_string_append_printf(out, "# TYPE %s counter\n# HELP %s %s\n%s_total %" G_GUINT64_FORMAT "\n",
                           name, name, help, name, value);
}

static void
append_gauge(GString *out, const char *name, const char *help, guint value)
{
    g_string_append_printf(out, "# TYPE %s gauge\n# HELP %s %s\n%s %u\n", name, name, help, name,
                           value);
}

static void
append_requests(const CfCounters *counters, GString *out)
{
    g_string_append(out, "# TYPE cirrusfs_fuse_requests counter\n"
                         "# HELP cirrusfs_fuse_requests Requests of the kernel.\n");
    for (guint i = 1; i <= CF_OPCODE_N; i++) {
        guint opcode = i % CF_OPCODE_N; /* "other" comes last */

        if (opcode_names[opcode])
            g_string_append_printf(
                out, "cirrusfs_fuse_requests_total{op=\"%s\"} %llu\n", opcode_names[opcode],
                atomic_load_explicit(&counters->requests[opcode], memory_order_relaxed));
    }
}

static void
append_latency(const CfCounters *counters, GString *out)
{
    unsigned long long us = atomic_load_explicit(&counters->answered_us, memory_order_relaxed);

    g_string_append_printf(out,
                           "# TYPE cirrusfs_fuse_request_seconds summary\n"
                           "# UNIT cirrusfs_fuse_request_seconds seconds\n"
                           "# HELP cirrusfs_fuse_request_seconds From a request to its answer.\n"
                           "cirrusfs_fuse_request_seconds_count %llu\n"
                           "cirrusfs_fuse_request_seconds_sum %llu.%06llu\n",
                           atomic_load_explicit(&counters->answered, memory_order_relaxed),
                           us / G_USEC_PER_SEC, us % G_USEC_PER_SEC);
}

static void
append_notices(const CfNotifierStats *stats, GString *out)
{
    static const char *const kinds[CF_NOTIFY_N] = {
        [CF_NOTIFY_INODE] = "inode",
        [CF_NOTIFY_ATTRIBUTES] = "attributes",
        [CF_NOTIFY_ENTRY] = "entry",
        [CF_NOTIFY_DELETE] = "delete",
    };

    g_string_append(out, "# TYPE cirrusfs_notify_sent counter\n"
                         "# HELP cirrusfs_notify_sent Invalidations sent to the kernel.\n");
    for (guint i = 0; i < CF_NOTIFY_N; i++)
        g_string_append_printf(out,
                               "cirrusfs_notify_sent_total{kind=\"%s\"} %" G_GUINT64_FORMAT "\n",
                               kinds[i], stats->sent[i]);
    append_counter(out, "cirrusfs_notify_unknown", "Of these, what the kernel did not know.",
                   stats->unknown);
    append_counter(out, "cirrusfs_notify_failed", "Of these, other errors.", stats->failed);
    append_counter(out, "cirrusfs_notify_again",
                   "Sent again, because the kernel may have been about to know it.", stats->again);
    append_counter(out, "cirrusfs_notify_merged", "Left out, equal to the one before.",
                   stats->merged);
    append_counter(out, "cirrusfs_notify_set_aside", "Put aside until a directory was free.",
                   stats->set_aside);
    append_gauge(out, "cirrusfs_notify_queue_length", "Invalidations not yet sent.", stats->queued);
}

void
cf_session_append_stats(CfSession *session, GString *out)
{
    CfNotifierStats stats;

    cf_notifier_get_stats(session->notifier, &stats);
    append_requests(&session->counters, out);
    append_latency(&session->counters, out);
    append_gauge(out, "cirrusfs_fuse_waiting_requests", "Requests that wait for the cloud.",
                 cf_waiters_get_length(session->waiters));
    append_gauge(out, "cirrusfs_poll_waiters", "Open files that somebody polls.",
                 cf_polls_get_length(session->polls));
    append_notices(&stats, out);
}
