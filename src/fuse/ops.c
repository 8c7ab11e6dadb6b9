/* One short function per request: decode, ask the tree, answer once, as the last thing. None of
 * them blocks; what must wait is kept (wait.c) and answered by another thread.
 *
 * What is not in the table at the end is answered ENOSYS by libfuse, and the kernel remembers that:
 * access, xattr, lseek, fallocate, ioctl, locks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "fuse/errno-table.h"
#include "fuse/private.h"
#include "util/clock.h"
#include "util/log.h"

/* More than a batch may have, so that a longer one is refused and not cut. */
#define MAX_WRITE (256 * 1024)
#define BLOCK_SIZE 4096

static CfSession *
session_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

void
cf_reply_error(fuse_req_t req, const char *op, CfIno ino, const GError *error)
{
    int number = cf_errno_from_error(error);

    cf_debug("%s %" G_GUINT64_FORMAT ": %s (%s)", op, ino, error->message, g_strerror(number));
    fuse_reply_err(req, number);
}

/* --- from the tree's words to the kernel's ---------------------------------------------------- */

static double
seconds(gint64 us)
{
    return us > 0 ? (double) us / G_USEC_PER_SEC : 0;
}

static struct stat
stat_from_attr(const CfSession *session, const CfAttr *attr)
{
    struct timespec time = {.tv_sec = attr->mtime_ns / 1000000000,
                            .tv_nsec = attr->mtime_ns % 1000000000};

    return (struct stat){
        .st_ino = attr->ino,
        .st_mode = attr->mode,
        .st_nlink = attr->nlink,
        .st_uid = session->uid,
        .st_gid = session->gid,
        .st_size = attr->size,
        .st_blksize = BLOCK_SIZE,
        .st_blocks = (attr->size + 511) / 512,
        .st_atim = time,
        .st_mtim = time,
        .st_ctim = time,
    };
}

struct fuse_entry_param
cf_param_from_entry(const CfSession *session, const CfEntry *entry)
{
    CfAttr attr = entry->attr;

    cf_freezer_apply(session->freezer, &attr);
    /* Inode numbers begin anew with each mount: by the generation the kernel knows a file handle of
     * a former one, and does not take it for whatever has its number now (ESTALE). The root's inode
     * comes with generation 0. */
    return (struct fuse_entry_param){
        .ino = attr.ino,
        .generation = attr.ino == FUSE_ROOT_ID ? 0 : session->generation,
        .attr = stat_from_attr(session, &attr),
        .attr_timeout = seconds(attr.attr_timeout_us),
        .entry_timeout = seconds(entry->entry_timeout_us),
    };
}

static void
reply_attr(fuse_req_t req, const CfAttr *attr)
{
    struct stat st = stat_from_attr(session_of(req), attr);

    fuse_reply_attr(req, &st, seconds(attr->attr_timeout_us));
}

void
cf_reply_attr(fuse_req_t req, const CfAttr *attr)
{
    CfAttr told = *attr;

    cf_freezer_apply(session_of(req)->freezer, &told);
    reply_attr(req, &told);
}

/* --- init ------------------------------------------------------------------------------------- */

static void
op_init(void *userdata, struct fuse_conn_info *conn)
{
    /* ATOMIC_O_TRUNC hides `: > file`; AUTO makes ls -l ask for every file; with WRITEBACK errors
     * come too late; with ASYNC_DIO the kernel does not tell that an O_DIRECT reader is killed. */
    const unsigned unwanted = FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_READDIRPLUS_AUTO |
                              FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ASYNC_DIO | FUSE_CAP_SPLICE_READ |
                              FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;
    const unsigned wanted = FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS |
                            FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_READDIRPLUS |
                            FUSE_CAP_PARALLEL_DIROPS;
    CfSession *session = userdata;

    conn->want &= ~unwanted;
    conn->want |= wanted & conn->capable;
    conn->max_write = MAX_WRITE;

    session->force_parallel_dirops = (conn->capable & FUSE_CAP_PARALLEL_DIROPS) != 0;
    session->no_open = !session->kernel_open && (conn->capable & FUSE_CAP_NO_OPEN_SUPPORT);
    session->no_opendir = !session->kernel_open && (conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT);
    session->init = CF_INIT_ANSWERING;
}

/* --- lookup, getattr, setattr ----------------------------------------------------------------- */

/* Keeps the request until need is met. waiter: (transfer full). */
static void
wait_for(CfWaiter *waiter, CfNeed *need)
{
    CfTree *tree = waiter->session->tree;

    waiter = cf_waiter_keep(waiter);
    if (waiter)
        cf_tree_wait(tree, need, cf_waiter_done, waiter);
    else
        cf_need_clear(need);
}

static CfVerdict
try_lookup(fuse_req_t req, CfIno parent, const char *name, gboolean waited, CfNeed *ret_need)
{
    CfSession *session = session_of(req);
    g_autoptr(GError) error = NULL;
    CfEntry entry = {0};
    struct fuse_entry_param param;
    CfVerdict verdict =
        cf_tree_lookup(session->tree, parent, name, waited, &entry, ret_need, &error);

    switch (verdict) {
    case CF_DONE:
        param = cf_param_from_entry(session, &entry);
        fuse_reply_entry(req, &param);
        break;
    case CF_FAILED:
        cf_reply_error(req, "lookup", parent, error);
        break;
    case CF_WAIT:
        break;
    }
    return verdict;
}

static CfVerdict
answer_lookup(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    if (!error)
        return try_lookup(waiter->req, waiter->ino, waiter->name, TRUE, ret_need);
    cf_reply_error(waiter->req, "lookup", waiter->ino, error);
    return CF_FAILED;
}

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    CfNeed need = {0};
    CfWaiter *waiter;

    if (try_lookup(req, parent, name, FALSE, &need) != CF_WAIT)
        return;
    waiter = cf_waiter_new(session_of(req), req, "lookup", parent);
    waiter->name = g_strdup(name);
    waiter->held_directories[0] = parent;
    waiter->answer = answer_lookup;
    wait_for(waiter, &need);
}

static CfVerdict
try_getattr(fuse_req_t req, CfIno ino, gboolean waited, CfNeed *ret_need)
{
    g_autoptr(GError) error = NULL;
    CfAttr attr = {0};
    CfVerdict verdict =
        cf_tree_getattr(session_of(req)->tree, ino, waited, &attr, ret_need, &error);

    switch (verdict) {
    case CF_DONE:
        cf_reply_attr(req, &attr);
        break;
    case CF_FAILED:
        cf_reply_error(req, "getattr", ino, error);
        break;
    case CF_WAIT:
        break;
    }
    return verdict;
}

static CfVerdict
answer_getattr(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    if (!error)
        return try_getattr(waiter->req, waiter->ino, TRUE, ret_need);
    cf_reply_error(waiter->req, "getattr", waiter->ino, error);
    return CF_FAILED;
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    CfNeed need = {0};
    CfWaiter *waiter;

    if (try_getattr(req, ino, FALSE, &need) != CF_WAIT)
        return;
    waiter = cf_waiter_new(session_of(req), req, "getattr", ino);
    waiter->answer = answer_getattr;
    wait_for(waiter, &need);
}

/* What is there now; nobody waits for anything newer. */
static gboolean
get_attr_now(CfSession *session, CfIno ino, CfAttr *ret_attr, GError **error)
{
    CfNeed need = {0};

    switch (cf_tree_getattr(session->tree, ino, TRUE, ret_attr, &need, error)) {
    case CF_DONE:
        return TRUE;
    case CF_FAILED:
        return FALSE;
    case CF_WAIT:
        cf_need_clear(&need);
        g_set_error(error, CF_ERROR, CF_ERROR_THROTTLED, "not there yet");
        return FALSE;
    }
    g_assert_not_reached();
}

static gboolean
changes_owner_or_mode(const CfSession *session, const CfAttr *attr, const struct stat *st,
                      int to_set)
{
    return ((to_set & FUSE_SET_ATTR_MODE) && (st->st_mode & 07777) != (attr->mode & 07777)) ||
           ((to_set & FUSE_SET_ATTR_UID) && st->st_uid != session->uid) ||
           ((to_set & FUSE_SET_ATTR_GID) && st->st_gid != session->gid);
}

/* Editors and copying programs truncate, set times and set the mode that is there: that succeeds
 * and means nothing. */
static void
op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi)
{
    CfSession *session = session_of(req);
    g_autoptr(GError) error = NULL;
    CfAttr attr;

    if (cf_tree_is_scratch(ino)) {
        cf_op_setattr_scratch(req, ino, st, to_set);
    } else if (!get_attr_now(session, ino, &attr, &error)) {
        cf_reply_error(req, "setattr", ino, error);
    } else if (changes_owner_or_mode(session, &attr, st, to_set)) {
        fuse_reply_err(req, EPERM);
    } else {
        /* The kernel takes the time from this answer without a look at the pages, which may hold
         * what was just written: let it find another one when it next asks. */
        if (cf_tree_is_control(ino)) {
            attr.mtime_ns--;
            attr.attr_timeout_us = 0;
            cf_freezer_apply(session->freezer, &attr);
            cf_freezer_told(session->freezer, &attr);
        }
        reply_attr(req, &attr);
    }
}

static void
op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *target = cf_tree_readlink(session_of(req)->tree, ino, &error);

    if (target)
        fuse_reply_readlink(req, target);
    else
        cf_reply_error(req, "readlink", ino, error);
}

static void
op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    const struct statvfs st = {
        .f_bsize = BLOCK_SIZE,
        .f_frsize = BLOCK_SIZE,
        .f_files = cf_tree_count(session_of(req)->tree),
        .f_namemax = NAME_MAX,
    };

    fuse_reply_statfs(req, &st);
}

static void
op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
    cf_tree_forget(session_of(req)->tree, ino, n);
    fuse_reply_none(req);
}

static void
op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
    CfTree *tree = session_of(req)->tree;

    for (size_t i = 0; i < n; i++)
        cf_tree_forget(tree, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

/* --- open and its like: there is no state of an open file ------------------------------------- */

/* ENOSYS: the kernel stops asking, for the whole mount, and keeps pages and lists as below. */
static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (session_of(req)->no_open) {
        fuse_reply_err(req, ENOSYS);
        return;
    }
    fi->keep_cache = 1;
    fi->noflush = 1;
    fuse_reply_open(req, fi);
}

static void
op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (session_of(req)->no_opendir) {
        fuse_reply_err(req, ENOSYS);
        return;
    }
    fi->keep_cache = 1;
    fi->cache_readdir = 1;
    fuse_reply_open(req, fi);
}

static void
op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fuse_reply_err(req, 0);
}

static void
op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fuse_reply_err(req, ENOSYS);
}

static void
op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    fuse_reply_err(req, 0);
}

/* --- directories ------------------------------------------------------------------------------ */

typedef struct {
    fuse_req_t req;
    CfSession *session;
    char *buffer;
    gboolean plus;
    gsize size, used;
} Listing;

static gboolean
is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A CfDirFill. Without full, readdirplus gives node id 0: name, inode number and type, and no inode
 * is made in the kernel for it. "." and ".." never make one. */
static gboolean
listing_add(const char *name, const CfEntry *entry, gboolean full, guint64 next_offset,
            gpointer data)
{
    Listing *listing = data;
    char *at = listing->buffer + listing->used;
    gsize rest = listing->size - listing->used;
    struct fuse_entry_param param = cf_param_from_entry(listing->session, entry);
    gsize n;

    if (listing->plus) {
        if (!full || is_dot(name))
            param.ino = 0;
        n = fuse_add_direntry_plus(listing->req, at, rest, name, &param, next_offset);
    } else {
        n = fuse_add_direntry(listing->req, at, rest, name, &param.attr, next_offset);
    }
    if (n > rest)
        return FALSE;
    listing->used += n;
    return TRUE;
}

/* buffer: (array length=size). */
static CfVerdict
try_listing(fuse_req_t req, CfIno ino, guint64 offset, gboolean waited, Listing *listing,
            CfNeed *ret_need)
{
    CfTree *tree = session_of(req)->tree;
    g_autoptr(GError) error = NULL;
    CfVerdict verdict =
        cf_tree_readdir(tree, ino, offset, waited, listing_add, listing, ret_need, &error);

    switch (verdict) {
    case CF_DONE:
        fuse_reply_buf(req, listing->buffer, listing->used);
        break;
    case CF_FAILED:
        cf_reply_error(req, "readdir", ino, error);
        break;
    case CF_WAIT:
        break;
    }
    return verdict;
}

/* In any thread: the session's buffer is the receiver's. */
static CfVerdict
answer_listing(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    g_autofree char *buffer = NULL;
    Listing listing = {
        .req = waiter->req, .session = waiter->session, .plus = waiter->plus, .size = waiter->size};

    if (error) {
        cf_reply_error(waiter->req, "readdir", waiter->ino, error);
        return CF_FAILED;
    }
    listing.buffer = buffer = g_malloc(waiter->size);
    return try_listing(waiter->req, waiter->ino, waiter->offset, TRUE, &listing, ret_need);
}

static void
reply_listing(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus)
{
    CfSession *session = session_of(req);
    Listing listing = {.req = req, .session = session, .plus = plus, .size = size};
    CfNeed need = {0};
    CfWaiter *waiter;

    if (session->buffer_size < size) {
        session->buffer = g_realloc(session->buffer, size);
        session->buffer_size = size;
    }
    listing.buffer = session->buffer;
    if (try_listing(req, ino, (guint64) offset, FALSE, &listing, &need) != CF_WAIT)
        return;
    waiter = cf_waiter_new(session, req, "readdir", ino);
    waiter->size = size;
    waiter->offset = (guint64) offset;
    waiter->plus = plus;
    waiter->held_directories[0] = ino; /* the kernel has it locked meanwhile */
    waiter->answer = answer_listing;
    wait_for(waiter, &need);
}

static void
op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
    reply_listing(req, ino, size, offset, FALSE);
}

static void
op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
    reply_listing(req, ino, size, offset, TRUE);
}

/* --- read ------------------------------------------------------------------------------------- */

static void
reply_read(fuse_req_t req, CfIno ino, guint64 offset, gsize size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = cf_tree_read(session_of(req)->tree, ino, offset, size, &error);

    if (bytes)
        fuse_reply_buf(req, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    else
        cf_reply_error(req, "read", ino, error);
}

static CfVerdict
answer_read(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    if (error)
        cf_reply_error(waiter->req, "read", waiter->ino, error);
    else
        reply_read(waiter->req, waiter->ino, waiter->offset, waiter->size);
    return CF_DONE;
}

/* O_DIRECT asks for fresh data. The first read of a file does it; those that go on with it are to
 * see the same version, and the one that finds the end shall not fetch everything again. After a
 * short direct read the kernel looks for more through the page cache, with the same flag but
 * without an owner: that one has a page locked, and must not wait. */
static gboolean
wants_refresh(CfSession *session, CfIno ino, off_t offset, const struct fuse_file_info *fi)
{
    CfAttr attr;

    return (fi->flags & O_DIRECT) && fi->lock_owner != 0 && offset == 0 &&
           get_attr_now(session, ino, &attr, NULL) && attr.size > 0;
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
    CfSession *session = session_of(req);
    CfWaiter *waiter;

    if (!wants_refresh(session, ino, offset, fi)) {
        reply_read(req, ino, offset, size);
        return;
    }
    /* A direct read locks no page, so the inode is not held: pages and size go before the answer,
     * also those of a control file, and what the kernel then reads on is of the same version. */
    waiter = cf_waiter_new(session, req, "read", ino);
    waiter->offset = offset;
    waiter->size = size;
    waiter->drop_pages = TRUE;
    waiter->answer = answer_read;
    waiter = cf_waiter_keep(waiter);
    if (waiter)
        cf_tree_refresh(session->tree, ino, cf_waiter_done, waiter);
}

/* --- write ------------------------------------------------------------------------------------ */

/* A store through MAP_SHARED, long after the program went on: there is nobody to tell the verdict.
 */
static void
refuse_page(fuse_req_t req, CfIno ino)
{
    CfSession *session = session_of(req);

    cf_tree_touch(session->tree, ino);
    fuse_reply_err(req, EIO);
    cf_notifier_drop_pages(session->notifier, ino);
}

static CfVerdict
answer_write(CfWaiter *waiter, const GError *error, CfNeed *ret_need)
{
    cf_waiter_thaw(waiter);
    if (error)
        cf_reply_error(waiter->req, "write", waiter->ino, error);
    else
        fuse_reply_write(waiter->req, waiter->size);
    return CF_DONE;
}

static void
op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
         struct fuse_file_info *fi)
{
    CfSession *session = session_of(req);
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    const CfWrite order = {
        .data = data,
        .size = size,
        .offset = offset,
        .append = (fi->flags & O_APPEND) != 0,
        .uid = ctx->uid,
        .pid = ctx->pid,
    };
    CfWaiter *waiter;

    if (fi->writepage && !cf_tree_is_scratch(ino)) {
        refuse_page(req, ino);
        return;
    }
    waiter = cf_waiter_new(session, req, "write", ino);
    waiter->size = size;
    waiter->held_inode = ino;
    waiter->answer = answer_write;
    waiter = cf_waiter_keep(waiter);
    if (waiter)
        cf_tree_write(session->tree, ino, &order, cf_waiter_done, waiter);
}

/* --- poll ------------------------------------------------------------------------------------- */

/* By the system call that the asking thread is in; needs the right to trace it. */
static CfPollTaker
poll_taker(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/syscall", (int) pid);
    g_autofree char *text = NULL;

    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL) || !g_ascii_isdigit(text[0]))
        return CF_POLL_EITHER;
    return g_ascii_strtoll(text, NULL, 10) == SYS_epoll_ctl ? CF_POLL_KEEPS : CF_POLL_TAKES;
}

static void
op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *handle)
{
    CfSession *session = session_of(req);
    unsigned events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM; /* as of any regular file */
    gint64 now_us = cf_clock_mono_us();
    gboolean first = FALSE;

    if (!cf_tree_can_poll(ino)) {
        if (handle)
            fuse_pollhandle_destroy(handle);
        fuse_reply_poll(req, events);
        return;
    }
    /* While somebody waits the collection is refreshed. */
    if (handle)
        cf_tree_watch(session->tree, ino, now_us + CF_POLL_REARM_US);
    if (cf_polls_ask(session->polls, session->poll_kh, ino, poll_taker(fuse_req_ctx(req)->pid),
                     handle, now_us, &first))
        events |= POLLPRI | POLLERR;
    if (first)
        cf_watch_wake(session);
    fuse_reply_poll(req, events);
}

const struct fuse_lowlevel_ops cf_ops = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readlink = op_readlink,
    .statfs = op_statfs,
    .open = op_open,
    .opendir = op_opendir,
    .release = op_release,
    .releasedir = op_release,
    .flush = op_flush,
    .fsync = op_fsync,
    .fsyncdir = op_fsync,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .read = op_read,
    .write = op_write,
    .poll = op_poll,
    .create = cf_op_create,
    .mknod = cf_op_mknod,
    .mkdir = cf_op_mkdir,
    .symlink = cf_op_symlink,
    .link = cf_op_link,
    .unlink = cf_op_unlink,
    .rmdir = cf_op_rmdir,
    .rename = cf_op_rename,
};
