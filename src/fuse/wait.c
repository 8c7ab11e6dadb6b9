/* A request that waits belongs to whoever claims it first: the engine's callback, the watcher (the
 * program is being killed, or the answer is due), or the end. A callback that comes too late finds
 * it claimed and only drops its reference; by then the session may be gone, the set is not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuse/private.h"
#include "util/clock.h"
#include "util/log.h"

#define INTERRUPT_CHECK_US (100 * G_TIME_SPAN_MILLISECOND)
#define NOTICES_US G_TIME_SPAN_SECOND

struct _CfWaiters {
    int wake_fd; /* wakes the watcher; used only while a waiter is in the set */

    GMutex lock; /* protects all below; before the notifier's lock */
    GCond changed;
    gboolean closed;
    GQueue waiting;  /* (element-type CfWaiter), linked through their link, each with a reference */
    guint answering; /* claimed, the answer is being made */
};

CfWaiters *
cf_waiters_new(int wake_fd)
{
    CfWaiters *set = g_atomic_rc_box_new0(CfWaiters);

    set->wake_fd = wake_fd;
    g_mutex_init(&set->lock);
    g_cond_init(&set->changed);
    g_queue_init(&set->waiting);
    return set;
}

static void
waiters_clear(gpointer data)
{
    CfWaiters *set = data;

    g_mutex_clear(&set->lock);
    g_cond_clear(&set->changed);
}

void
cf_waiters_unref(CfWaiters *set)
{
    if (set)
        g_atomic_rc_box_release_full(set, waiters_clear);
}

guint
cf_waiters_get_length(CfWaiters *set)
{
    guint length;

    g_mutex_lock(&set->lock);
    length = set->waiting.length;
    g_mutex_unlock(&set->lock);
    return length;
}

static void
wake(CfWaiters *set)
{
    guint64 one = 1;

    if (write(set->wake_fd, &one, sizeof one) < 0)
        cf_debug("eventfd: %s", g_strerror(errno));
}

/* --- one waiter ------------------------------------------------------------------------------- */

CfWaiter *
cf_waiter_new(CfSession *session, fuse_req_t req, const char *op, CfIno ino)
{
    CfWaiter *waiter = g_atomic_rc_box_new0(CfWaiter);

    waiter->session = session;
    waiter->req = req;
    waiter->op = op;
    waiter->ino = ino;
    waiter->set = g_atomic_rc_box_acquire(session->waiters);
    waiter->pid = fuse_req_ctx(req)->pid;
    waiter->received_us = session->received_us;
    waiter->link.data = waiter;
    return waiter;
}

static void
waiter_clear(gpointer data)
{
    CfWaiter *waiter = data;

    g_free(waiter->name);
    g_clear_error(&waiter->verdict);
    cf_waiters_unref(waiter->set);
}

static void
waiter_unref(CfWaiter *waiter)
{
    g_atomic_rc_box_release_full(waiter, waiter_clear);
}

static void
waiter_hold(CfWaiter *waiter)
{
    if (waiter->held_inode) {
        cf_notifier_hold_inode(waiter->session->notifier, waiter->held_inode);
        cf_freezer_begin(waiter->session->freezer, waiter->held_inode);
        waiter->frozen = TRUE;
    }
    for (guint i = 0; i < CF_NOTIFY_DIRECTORIES; i++)
        if (waiter->held_directories[i])
            cf_notifier_hold_directory(waiter->session->notifier, waiter->held_directories[i]);
}

void
cf_waiter_thaw(CfWaiter *waiter)
{
    if (waiter->frozen)
        cf_freezer_end(waiter->session->freezer, waiter->held_inode);
    waiter->frozen = FALSE;
}

/* Replies with nothing but an errno. */
static void
reply_errno(CfWaiter *waiter, int number)
{
    cf_waiter_thaw(waiter);
    fuse_reply_err(waiter->req, number);
}

static void
waiter_release(CfWaiter *waiter)
{
    if (waiter->held_inode)
        cf_notifier_release_inode(waiter->session->notifier, waiter->held_inode);
    for (guint i = 0; i < CF_NOTIFY_DIRECTORIES; i++)
        if (waiter->held_directories[i])
            cf_notifier_release_directory(waiter->session->notifier, waiter->held_directories[i]);
}

/* In the receiving thread, with a lock of libfuse's: only notes it. */
static void
on_interrupt(fuse_req_t req, void *data)
{
    CfWaiter *waiter = data;

    atomic_store(&waiter->interrupted, TRUE);
    wake(waiter->set);
}

/* --- answering -------------------------------------------------------------------------------- */

/* Under the lock. */
static void
claim(CfWaiter *waiter)
{
    waiter->claimed = TRUE;
    waiter->deadline_us = 0;
    g_queue_unlink(&waiter->set->waiting, &waiter->link);
    waiter->set->answering++;
}

/* Ends what claim() began. */
static void
leave(CfWaiters *set)
{
    g_mutex_lock(&set->lock);
    if (--set->answering == 0)
        g_cond_broadcast(&set->changed);
    g_mutex_unlock(&set->lock);
}

/* Lets the claimed waiter wait again, for need. Returns: FALSE when it is too late for that. */
static gboolean
wait_again(CfWaiter *waiter, CfNeed *need)
{
    CfWaiters *set = waiter->set;
    CfSession *session = waiter->session;
    gboolean closed;

    fuse_req_interrupt_func(waiter->req, on_interrupt, waiter);
    g_mutex_lock(&set->lock);
    closed = set->closed;
    if (!closed) {
        waiter->claimed = FALSE;
        g_queue_push_tail_link(&set->waiting, &waiter->link);
        g_atomic_rc_box_acquire(waiter); /* the callback's */
    }
    g_mutex_unlock(&set->lock);

    if (closed)
        fuse_req_interrupt_func(waiter->req, NULL, NULL);
    else /* the session stays, leave() was not called yet */
        cf_tree_wait(session->tree, need, cf_waiter_done, waiter);
    return !closed;
}

static void
finish(CfWaiter *waiter)
{
    waiter_release(waiter);
    cf_io_answered(waiter->session, waiter->received_us);
    waiter_unref(waiter);
}

/* waiter: claimed. */
static void
answer(CfWaiter *waiter, const GError *error)
{
    CfWaiters *set = g_atomic_rc_box_acquire(waiter->set);
    CfNeed need = {0};

    /* Waits until on_interrupt() is over; after this it is not called again. */
    fuse_req_interrupt_func(waiter->req, NULL, NULL);

    atomic_store(&waiter->session->answering_us, cf_clock_mono_us());
    if (waiter->answer(waiter, error, &need) != CF_WAIT) {
        finish(waiter);
    } else if (!wait_again(waiter, &need)) {
        cf_need_clear(&need);
        reply_errno(waiter, ENOTCONN);
        finish(waiter);
    }
    leave(set);
    cf_waiters_unref(set);
}

static void
answer_errno(CfWaiter *waiter, int number)
{
    CfWaiters *set = g_atomic_rc_box_acquire(waiter->set);

    fuse_req_interrupt_func(waiter->req, NULL, NULL);
    reply_errno(waiter, number);
    finish(waiter);
    leave(set);
    cf_waiters_unref(set);
}

CfWaiter *
cf_waiter_keep(CfWaiter *waiter)
{
    CfWaiters *set = waiter->set;
    gboolean closed;

    waiter_hold(waiter);
    fuse_req_interrupt_func(waiter->req, on_interrupt, waiter);
    waiter->session->kept = TRUE;

    g_mutex_lock(&set->lock);
    closed = set->closed;
    if (!closed) {
        g_queue_push_tail_link(&set->waiting, &waiter->link);
        g_atomic_rc_box_acquire(waiter); /* the callback's */
    }
    g_mutex_unlock(&set->lock);
    if (!closed)
        return waiter;

    fuse_req_interrupt_func(waiter->req, NULL, NULL);
    reply_errno(waiter, ENOTCONN);
    finish(waiter);
    return NULL;
}

static gboolean
try_claim(CfWaiter *waiter)
{
    gboolean mine;

    g_mutex_lock(&waiter->set->lock);
    mine = !waiter->claimed;
    if (mine)
        claim(waiter);
    g_mutex_unlock(&waiter->set->lock);
    return mine;
}

/* In the notifier's thread. data: (transfer full). */
static void
on_notices_delivered(gpointer data)
{
    CfWaiter *waiter = data;

    if (try_claim(waiter))
        answer(waiter, waiter->verdict);
    waiter_unref(waiter);
}

/* Under the lock. Returns: TRUE when the answer is to be made now: it is claimed for that. */
static gboolean
take_verdict(CfWaiter *waiter, const GError *error, gboolean *ret_barrier)
{
    waiter->verdict = error ? g_error_copy(error) : NULL;
    if (waiter->drop_pages)
        cf_notifier_drop_pages(waiter->session->notifier, waiter->ino);
    *ret_barrier = cf_notifier_barrier(waiter->session->notifier, waiter->held_directories,
                                       on_notices_delivered, waiter);
    if (!*ret_barrier) {
        claim(waiter);
        return TRUE;
    }
    waiter->deadline_us = cf_clock_mono_us() + NOTICES_US;
    wake(waiter->set);
    return FALSE;
}

void
cf_waiter_done(const GError *error, gpointer data)
{
    CfWaiter *waiter = data;
    CfWaiters *set = waiter->set;
    gboolean now = FALSE;
    gboolean barrier = FALSE;

    g_mutex_lock(&set->lock);
    if (!waiter->claimed)
        now = take_verdict(waiter, error, &barrier);
    g_mutex_unlock(&set->lock);

    if (now)
        answer(waiter, waiter->verdict);
    if (!barrier) /* else it keeps our reference */
        waiter_unref(waiter);
}

/* --- the watcher's part ----------------------------------------------------------------------- */

#define BIT(number) (G_GUINT64_CONSTANT(1) << ((number) -1))

/* Those whose default action does not end a program. */
static const guint64 harmless_bits = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH) |
                                     BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);

/* What /proc says of a thread's signals. */
typedef struct {
    guint64 pending;
    guint64 kept; /* blocked, ignored or handled */
} Signals;

static void
take_line(Signals *signals, const char *line)
{
    static const struct {
        const char *key;
        gboolean pending;
    } rows[] = {
        {"SigPnd:", TRUE}, {"ShdPnd:", TRUE}, {"SigBlk:"}, {"SigIgn:"}, {"SigCgt:"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_str_has_prefix(line, rows[i].key)) {
            guint64 bits = g_ascii_strtoull(line + strlen(rows[i].key), NULL, 16);

            *(rows[i].pending ? &signals->pending : &signals->kept) |= bits;
        }
    }
}

/* Whether the thread ends as soon as its request is answered. Signals that a program handles
 * (timers of git, Go's preemption) interrupt too, and must not make its system calls fail.
 *
 * The kernel marks a fatal signal by a pending SIGKILL; but not when another signal is pending
 * already, so one that is fatal by itself counts as well. */
static gboolean
is_being_killed(pid_t pid)
{
    char path[64];
    char line[256];
    Signals signals = {0};
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    file = fopen(path, "re");
    if (!file)
        return FALSE;
    while (fgets(line, sizeof line, file))
        take_line(&signals, line);
    fclose(file);
    return (signals.pending & BIT(SIGKILL)) ||
           (signals.pending & ~signals.kept & ~harmless_bits) != 0;
}

/* Returns: (transfer full) (element-type CfWaiter): those that are to be looked at now. */
static GPtrArray *
list_watched(CfWaiters *set)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) waiter_unref);

    g_mutex_lock(&set->lock);
    for (GList *l = set->waiting.head; l; l = l->next) {
        CfWaiter *waiter = l->data;

        if (waiter->deadline_us || atomic_load(&waiter->interrupted))
            g_ptr_array_add(list, g_atomic_rc_box_acquire(waiter));
    }
    g_mutex_unlock(&set->lock);
    return list;
}

/* Returns: the time when it wants to be looked at again, or G_MAXINT64. */
static gint64
check(CfWaiter *waiter, gint64 now_us)
{
    gboolean interrupted = atomic_load(&waiter->interrupted);
    gint64 deadline_us;

    g_mutex_lock(&waiter->set->lock);
    deadline_us = waiter->deadline_us;
    g_mutex_unlock(&waiter->set->lock);

    if (deadline_us && deadline_us <= now_us) {
        if (try_claim(waiter)) {
            cf_warning("%s: the kernel is slow in taking notice, answered before it did",
                       waiter->op);
            answer(waiter, waiter->verdict);
        }
        return G_MAXINT64;
    }
    if (interrupted && is_being_killed(waiter->pid)) {
        if (try_claim(waiter))
            answer_errno(waiter, EINTR);
        return G_MAXINT64;
    }
    /* The kernel tells of an interrupt once only; a fatal signal may follow a harmless one. */
    return MIN(deadline_us ? deadline_us : G_MAXINT64,
               interrupted ? now_us + INTERRUPT_CHECK_US : G_MAXINT64);
}

int
cf_waiters_check(CfWaiters *set)
{
    g_autoptr(GPtrArray) list = list_watched(set);
    gint64 next_us = G_MAXINT64;
    gint64 rest_us;

    for (guint i = 0; i < list->len; i++)
        next_us = MIN(next_us, check(list->pdata[i], cf_clock_mono_us()));
    if (next_us == G_MAXINT64)
        return -1;
    rest_us = MAX(next_us - cf_clock_mono_us(), 0);
    return rest_us / G_TIME_SPAN_MILLISECOND + 1;
}

void
cf_waiters_close(CfWaiters *set)
{
    CfWaiter *waiter;

    g_mutex_lock(&set->lock);
    set->closed = TRUE;
    while ((waiter = g_queue_peek_head(&set->waiting))) {
        claim(waiter);
        g_mutex_unlock(&set->lock);
        answer_errno(waiter, ENOTCONN);
        g_mutex_lock(&set->lock);
    }
    while (set->answering > 0)
        g_cond_wait(&set->changed, &set->lock);
    g_mutex_unlock(&set->lock);
}
