#include "fuse/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fuse/private.h"
#include "util/clock.h"
#include "util/log.h"

/* SIGTERM is to return within a second. */
#define LEAVE_MS 250

/* The tree and the engine may outlive the session, and call while it is being freed: what they hold
 * is this door. */
static struct {
    GMutex lock;        /* before the locks of the notifier and of the waiters */
    CfSession *session; /* (nullable) */
} door;

/* --- the tree's sink and stats ---------------------------------------------------------------- */

static void
sink_inval_inode(CfIno ino, gint64 offset, gint64 length, gpointer data)
{
    g_mutex_lock(&door.lock);
    if (door.session)
        cf_notifier_inval_inode(door.session->notifier, ino, offset, length);
    g_mutex_unlock(&door.lock);
}

static void
sink_inval_entry(CfIno parent, const char *name, gpointer data)
{
    g_mutex_lock(&door.lock);
    if (door.session)
        cf_notifier_inval_entry(door.session->notifier, parent, name);
    g_mutex_unlock(&door.lock);
}

static void
sink_deleted(CfIno parent, CfIno child, const char *name, gpointer data)
{
    g_mutex_lock(&door.lock);
    if (door.session && child)
        cf_notifier_deleted(door.session->notifier, parent, child, name);
    else if (door.session)
        cf_notifier_inval_entry(door.session->notifier, parent, name);
    g_mutex_unlock(&door.lock);
}

static void
append_stats(GString *out, gpointer data)
{
    g_mutex_lock(&door.lock);
    if (door.session)
        cf_session_append_stats(door.session, out);
    g_mutex_unlock(&door.lock);
}

static void
open_door(CfSession *session)
{
    static const CfTreeSink sink = {
        .inval_inode = sink_inval_inode,
        .inval_entry = sink_inval_entry,
        .deleted = sink_deleted,
    };

    g_mutex_lock(&door.lock);
    door.session = session;
    g_mutex_unlock(&door.lock);
    cf_tree_set_sink(session->tree, &sink);
    cf_tree_set_stats(session->tree, append_stats, NULL);
}

static void
close_door(CfSession *session)
{
    g_mutex_lock(&door.lock);
    if (door.session == session)
        door.session = NULL;
    g_mutex_unlock(&door.lock);
}

/* --- the kernel, for the notifier ------------------------------------------------------------- */

static int
kernel_inval_inode(gpointer kernel, CfIno ino, gint64 offset, gint64 length)
{
    CfSession *session = kernel;
    int result = fuse_lowlevel_notify_inval_inode(session->fuse, ino, offset, length);

    /* Whoever is woken reads what is new. */
    cf_polls_changed(session->polls, ino);
    return result;
}

static int
kernel_inval_entry(gpointer kernel, CfIno parent, const char *name)
{
    CfSession *session = kernel;

    return fuse_lowlevel_notify_inval_entry(session->fuse, parent, name, strlen(name));
}

static int
kernel_deleted(gpointer kernel, CfIno parent, CfIno child, const char *name)
{
    CfSession *session = kernel;

    return fuse_lowlevel_notify_delete(session->fuse, parent, child, name, strlen(name));
}

static gboolean
kernel_is_answering(gpointer kernel)
{
    CfSession *session = kernel;

    return cf_clock_mono_us() - atomic_load(&session->answering_us) < G_TIME_SPAN_SECOND;
}

static const CfNotifyOps kernel_ops = {
    .inval_inode = kernel_inval_inode,
    .inval_entry = kernel_inval_entry,
    .deleted = kernel_deleted,
    .is_control = cf_tree_is_control,
    .is_answering = kernel_is_answering,
};

static void
wake_poll(gpointer handle)
{
    fuse_lowlevel_notify_poll(handle);
}

static void
free_poll(gpointer handle)
{
    fuse_pollhandle_destroy(handle);
}

static const CfPollOps poll_ops = {.wake = wake_poll, .free = free_poll};

/* --- mounting --------------------------------------------------------------------------------- */

static void on_fuse_log(enum fuse_log_level level, const char *format, va_list args)
    G_GNUC_PRINTF(2, 0);

static char *last_words; /* of libfuse, while we mount; main thread */

static void
on_fuse_log(enum fuse_log_level level, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);

    g_strchomp(text);
    cf_debug("%s", text);
    if (level <= FUSE_LOG_ERR && *text) {
        g_free(last_words);
        last_words = g_steal_pointer(&text);
    }
}

/* As libfuse splits options at commas. */
static void
append_escaped(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ',' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
}

static char *
make_mount_options(const CfSessionOptions *options)
{
    /* default_permissions: what is in the page cache is read without asking us. */
    GString *out = g_string_new("default_permissions,nodev,nosuid,subtype=cirrusfs,fsname=");

    append_escaped(out, options->fsname && *options->fsname ? options->fsname : "cirrusfs");
    if (options->ro)
        g_string_append(out, ",ro");
    if (options->allow_other)
        g_string_append(out, ",allow_other");
    return g_string_free(out, FALSE);
}

static gboolean
new_fuse_session(CfSession *session, const CfSessionOptions *options, GError **error)
{
    g_autofree char *mount_options = make_mount_options(options);
    const char *argv[] = {"cirrusfs", "-o", mount_options, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, (char **) argv);

    session->fuse = fuse_session_new(&args, &cf_ops, sizeof cf_ops, session);
    fuse_opt_free_args(&args);
    if (!session->fuse)
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "libfuse: %s",
                    last_words ? last_words : "cannot make a session");
    return session->fuse != NULL;
}

static gboolean
mount_fuse_session(CfSession *session, GError **error)
{
    if (fuse_session_mount(session->fuse, session->mountpoint) != 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "cannot mount on %s: %s",
                    session->mountpoint, last_words ? last_words : "fusermount3 refused");
        return FALSE;
    }
    session->mounted = TRUE;
    session->dev = cf_mountpoint_get_device(session->mountpoint);
    return cf_io_install(session, error);
}

CfSession *
cf_session_new(CfTree *tree, const CfSessionOptions *options, GError **error)
{
    g_autofree char *mountpoint =
        cf_mountpoint_prepare(options->mountpoint, options->allow_other, error);
    CfSession *session;

    if (!mountpoint)
        return NULL;
    fuse_set_log_func(on_fuse_log);

    session = g_new0(CfSession, 1);
    session->tree = tree;
    session->mountpoint = g_steal_pointer(&mountpoint);
    session->uid = options->uid;
    session->gid = options->gid;
    session->generation = (guint32) g_random_int_range(1, G_MAXINT32);
    session->kernel_open = options->kernel_open;
    session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    session->waiters = cf_waiters_new(session->wake_fd);
    session->polls = cf_polls_new(&poll_ops);
    session->freezer = cf_freezer_new();
    cf_watch_install(session);
    if (!new_fuse_session(session, options, error) || !mount_fuse_session(session, error)) {
        cf_session_free(session);
        return NULL;
    }
    session->notifier = cf_notifier_new(&kernel_ops, session);
    open_door(session);
    return session;
}

/* --- serving ---------------------------------------------------------------------------------- */

/* Returns: 0 when it was unmounted or is to end, else a negated errno. */
static int
serve(CfSession *session, void (*on_ready)(gpointer data), gpointer data)
{
    struct fuse_buf buf = {0};
    gboolean ready = FALSE;
    int result = 0;

    while (!atomic_load(&session->leaving)) {
        result = fuse_session_receive_buf(session->fuse, &buf);
        if (result == -EINTR || result == -EAGAIN)
            continue;
        if (result <= 0)
            break;
        fuse_session_process_buf(session->fuse, &buf);
        if (!session->kept)
            cf_io_answered(session, session->received_us);
        if (G_UNLIKELY(!ready && session->init == CF_INIT_DONE)) {
            ready = TRUE;
            cf_notifier_start(session->notifier);
            if (on_ready)
                on_ready(data);
        }
    }
    free(buf.mem);
    return atomic_load(&session->leaving) ? 0 : result;
}

/* Makes /dev/fuse look as after an unmount, which ends the connection as well. */
static void
sever(CfSession *session)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    close(ends[0]); /* a pipe without a reader polls POLLERR */
    dup3(ends[1], fuse_session_fd(session->fuse), O_CLOEXEC);
    close(ends[1]);
}

static void
unmount(CfSession *session)
{
    if (!session->mounted)
        return;
    session->mounted = FALSE;
    if (session->dev) {
        /* After umount -l another mount may lie there, which libfuse would take for ours. */
        gboolean ours = cf_mountpoint_get_device(session->mountpoint) == session->dev;

        sever(session);
        if (ours)
            cf_mountpoint_leave(session->mountpoint, session->dev, LEAVE_MS);
    }
    fuse_session_unmount(session->fuse);
}

int
cf_session_run(CfSession *session, void (*on_ready)(gpointer data), gpointer data)
{
    int result;

    cf_watch_start(session);
    result = serve(session, on_ready, data);
    cf_watch_stop(session);

    cf_waiters_close(session->waiters);
    cf_notifier_stop(session->notifier, G_TIME_SPAN_SECOND);
    unmount(session);
    if (result < 0)
        cf_error("/dev/fuse: %s", g_strerror(-result));
    return result < 0 ? 1 : 0;
}

void
cf_session_free(CfSession *session)
{
    if (!session)
        return;
    close_door(session);
    cf_waiters_close(session->waiters);
    cf_notifier_free(session->notifier);
    unmount(session);
    if (session->fuse)
        fuse_session_destroy(session->fuse);
    cf_watch_uninstall(session);
    cf_waiters_unref(session->waiters);
    cf_polls_free(session->polls);
    cf_freezer_free(session->freezer);
    close(session->wake_fd);
    g_free(session->mountpoint);
    g_free(session->buffer);
    g_free(session);
    g_clear_pointer(&last_words, g_free);
}
