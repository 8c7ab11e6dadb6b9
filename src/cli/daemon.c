#include "cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exit.h"

static int report_fd = -1;              /* of the child; -1: reported, or no daemon */
static volatile sig_atomic_t child_pid; /* of the parent, for its signal handler */

void
cf_daemon_harden(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* --- the parent ------------------------------------------------------------------------------ */

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};

static void
pass_on(int signal)
{
    int saved = errno;

    kill(child_pid, SIGTERM);
    errno = saved;
}

static void
pass_signals_on(void)
{
    struct sigaction action = {.sa_handler = pass_on};

    for (guint i = 0; i < G_N_ELEMENTS(passed_on); i++)
        sigaction(passed_on[i], &action, NULL);
}

/* The child ended without a word. */
static int
tell_end(pid_t pid)
{
    int how = 0;

    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
        return WEXITSTATUS(how);
    if (WIFSIGNALED(how))
        cf_say("the daemon was ended by signal %d before it was ready", WTERMSIG(how));
    else
        cf_say("the daemon ended before it was ready");
    return CF_EXIT_FAILURE;
}

static int
wait_for_report(pid_t pid, int fd)
{
    guint8 status;
    ssize_t n;

    do
        n = read(fd, &status, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        return tell_end(pid);
    if (status != CF_EXIT_OK) /* it has nothing left to do but to end */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return status;
}

/* What the shell that started us had open is nothing to a daemon; a pipe of it would never end. */
static void
close_inherited(void)
{
    if (report_fd > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (guint) report_fd - 1, 0);
    close_range((guint) report_fd + 1, G_MAXUINT, 0);
}

/* --- both ------------------------------------------------------------------------------------ */

gboolean
cf_daemon_start(int *ret_status)
{
    int fds[2];
    sigset_t blocked, before;
    pid_t pid;

    sigemptyset(&blocked);
    for (guint i = 0; i < G_N_ELEMENTS(passed_on); i++)
        sigaddset(&blocked, passed_on[i]);
    if (pipe2(fds, O_CLOEXEC) < 0) {
        cf_say("pipe: %s", g_strerror(errno));
        *ret_status = CF_EXIT_FAILURE;
        return FALSE;
    }
    sigprocmask(SIG_BLOCK, &blocked, &before);
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        report_fd = fds[1];
        close_inherited();
        setsid();
        sigprocmask(SIG_SETMASK, &before, NULL);
        return TRUE;
    }
    close(fds[1]);
    if (pid > 0) {
        child_pid = pid;
        pass_signals_on();
        sigprocmask(SIG_SETMASK, &before, NULL);
        *ret_status = wait_for_report(pid, fds[0]);
    } else {
        sigprocmask(SIG_SETMASK, &before, NULL);
        cf_say("fork: %s", g_strerror(errno));
        *ret_status = CF_EXIT_FAILURE;
    }
    close(fds[0]);
    return FALSE;
}

/* --- the child ------------------------------------------------------------------------------- */

/* Whoever reads what we print shall see its end; and no directory is kept from being unmounted. */
static void
let_go(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = 0; fd >= 0 && i <= STDERR_FILENO; i++)
        dup2(fd, i);
    if (fd > STDERR_FILENO)
        close(fd);
    if (chdir("/") < 0)
        cf_say("/: %s", g_strerror(errno));
}

void
cf_daemon_report(int status)
{
    guint8 byte = (guint8) status;

    if (report_fd < 0)
        return;
    fflush(NULL);
    if (status == CF_EXIT_OK)
        let_go();
    /* A parent that was killed does not hear it; we serve on. */
    while (write(report_fd, &byte, 1) < 0 && errno == EINTR)
        ;
    close(report_fd);
    report_fd = -1;
}
