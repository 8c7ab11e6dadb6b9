/* Signals, and the time of requests that wait: one thread beside the receiving one.
 *
 * A signal handler only sets a flag and wakes this thread. It in turn wakes the receiving thread,
 * with a signal of its own that is sent again until it has left its loop: fuse_session_exit() does
 * not wake a read(), and a signal that comes just before the read() is lost. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fuse/private.h"
#include "util/clock.h"
#include "util/log.h"

#define KICK (SIGRTMIN + 1)
#define KICK_MS 10
#define NOTIFIER_STOP_US (500 * G_TIME_SPAN_MILLISECOND)

enum { SIGNAL_INT, SIGNAL_TERM, SIGNAL_HUP, SIGNAL_KICK, SIGNAL_N };

static atomic_bool got_exit, got_hup; /* lock-free, as a handler needs them */
static atomic_int signal_fd = -1;
static struct sigaction former[SIGNAL_N];

static void
on_signal(int number)
{
    int saved = errno;
    guint64 one = 1;
    ssize_t n;

    if (number == SIGHUP)
        got_hup = 1;
    else
        got_exit = 1;
    n = write(signal_fd, &one, sizeof one);
    (void) n; /* the flag is set, and a full eventfd wakes as well */
    errno = saved;
}

static void
on_kick(int number)
{
}

static int
signal_number(guint i)
{
    const int numbers[SIGNAL_N] = {
        [SIGNAL_INT] = SIGINT,
        [SIGNAL_TERM] = SIGTERM,
        [SIGNAL_HUP] = SIGHUP,
        [SIGNAL_KICK] = KICK,
    };

    return numbers[i];
}

void
cf_watch_install(CfSession *session)
{
    got_exit = got_hup = 0;
    signal_fd = session->wake_fd;
    for (guint i = 0; i < SIGNAL_N; i++) {
        struct sigaction action = {0};

        sigemptyset(&action.sa_mask);
        /* Other threads are not disturbed; only a kick ends a system call. */
        action.sa_handler = i == SIGNAL_KICK ? on_kick : on_signal;
        action.sa_flags = i == SIGNAL_KICK ? 0 : SA_RESTART;
        sigaction(signal_number(i), &action, &former[i]);
    }
}

void
cf_watch_uninstall(CfSession *session)
{
    for (guint i = 0; i < SIGNAL_N; i++)
        sigaction(signal_number(i), &former[i], NULL);
    signal_fd = -1;
}

/* Ends the loop. It still serves while the waiting ones are answered and the notifier ends, because
 * a notification may wait in the kernel for a request that is not yet received. */
static void
end_loop(CfSession *session)
{
    cf_waiters_close(session->waiters);
    if (!cf_notifier_stop(session->notifier, NOTIFIER_STOP_US))
        cf_warning("a notification still waits in the kernel");

    atomic_store(&session->leaving, TRUE);
    while (!atomic_load(&session->loop_ended)) {
        pthread_kill(session->receiver, KICK);
        g_usleep(KICK_MS * G_TIME_SPAN_MILLISECOND);
    }
}

static void
drain(int fd)
{
    guint64 n;

    while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
}

static void
wake_due_polls(gpointer data)
{
    CfSession *session = data;

    cf_polls_wake_due(session->polls, cf_clock_mono_us());
}

/* Returns: milliseconds until it wants to be called again, or -1. */
static int
check_polls(CfSession *session)
{
    gint64 now_us = cf_clock_mono_us();
    gint64 next_us = cf_polls_get_next_us(session->polls);

    if (next_us <= now_us) {
        cf_notifier_call(session->notifier, wake_due_polls, session);
        next_us = now_us + G_USEC_PER_SEC; /* unless it is done before */
    }
    return next_us == G_MAXINT64 ? -1 : (int) ((next_us - now_us) / G_TIME_SPAN_MILLISECOND + 1);
}

/* Scratch files. */
static int
expire_ms(CfTree *tree)
{
    gint64 rest_us = cf_tree_expire(tree);

    return rest_us < 0 ? -1 : (int) MIN(rest_us / G_TIME_SPAN_MILLISECOND + 1, G_MAXINT);
}

/* Of two times for poll(2): -1 is never. */
static int
sooner_ms(int a, int b)
{
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

static gpointer
watcher_main(gpointer data)
{
    CfSession *session = data;
    sigset_t others;

    sigfillset(&others);
    for (guint i = 0; i < SIGNAL_KICK; i++)
        sigdelset(&others, signal_number(i));
    pthread_sigmask(SIG_SETMASK, &others, NULL);

    while (!atomic_load(&session->loop_ended)) {
        struct pollfd pfd = {.fd = session->wake_fd, .events = POLLIN};
        int timeout_ms =
            sooner_ms(sooner_ms(cf_waiters_check(session->waiters), check_polls(session)),
                      expire_ms(session->tree));

        if (poll(&pfd, 1, timeout_ms) > 0)
            drain(session->wake_fd);
        if (got_hup) {
            got_hup = 0;
            cf_tree_refresh_all(session->tree);
        }
        if (got_exit)
            end_loop(session);
    }
    return NULL;
}

void
cf_watch_start(CfSession *session)
{
    sigset_t ours, kick;

    sigemptyset(&ours);
    for (guint i = 0; i < SIGNAL_KICK; i++)
        sigaddset(&ours, signal_number(i));
    sigemptyset(&kick);
    sigaddset(&kick, KICK);
    pthread_sigmask(SIG_BLOCK, &ours, &session->former_mask);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);

    session->receiver = pthread_self();
    session->watcher = g_thread_new("watch", watcher_main, session);
}

void
cf_watch_wake(CfSession *session)
{
    guint64 one = 1;

    if (write(session->wake_fd, &one, sizeof one) < 0)
        cf_debug("eventfd: %s", g_strerror(errno));
}

void
cf_watch_stop(CfSession *session)
{
    atomic_store(&session->loop_ended, TRUE);
    cf_watch_wake(session);
    g_thread_join(g_steal_pointer(&session->watcher));
    pthread_sigmask(SIG_SETMASK, &session->former_mask, NULL);
}
