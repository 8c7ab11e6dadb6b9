#include "config/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define SECRET_MAX_BYTES (64 * 1024)
#define QUOTED_MAX_BYTES 400

gint64 cf_secret_command_limit_us = 30 * G_USEC_PER_SEC;

static const char *const suffixes[CF_SECRET_SOURCE_N] = {
    [CF_SECRET_FILE] = "_file",
    [CF_SECRET_ENV] = "_env",
    [CF_SECRET_COMMAND] = "_command",
};

const char *
cf_secret_suffix(CfSecretSource source)
{
    return suffixes[source];
}

static gpointer G_GNUC_PRINTF(2, 3) fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(error, g_error_new_valist(CF_ERROR, CF_ERROR_CONFIG, format, args));
    va_end(args);
    return NULL;
}

/* Takes the bytes over: one line, without its newline. */
static char *
take_line(char *text, gsize size, GError **error)
{
    const char *wrong = NULL;

    if (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    if (size > 0 && text[size - 1] == '\r')
        text[--size] = '\0';

    if (size == 0)
        wrong = "holds nothing";
    else if (memchr(text, '\0', size))
        wrong = "holds a NUL byte";
    else if (strpbrk(text, "\r\n"))
        wrong = "holds more than one line";
    if (!wrong)
        return text;
    explicit_bzero(text, size);
    g_free(text);
    return fail(error, "%s", wrong);
}

/* --- files ----------------------------------------------------------------------------------- */

/* Returns: whether nobody but us and root can read the open file. */
static gboolean
check_private(int fd, const char *path, GError **error)
{
    g_autofree char *quoted = g_shell_quote(path);
    struct stat st;

    if (fstat(fd, &st) < 0) {
        fail(error, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
        fail(error, "%s is not a file", path);
        return FALSE;
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        fail(error, "%s belongs to another user (uid %u); mend it with: chown %u %s", path,
             (guint) st.st_uid, (guint) geteuid(), quoted);
        return FALSE;
    }
    if (st.st_mode & 077) {
        fail(error, "%s can be read or written by others (mode %04o); mend it with: chmod 600 %s",
             path, (guint) st.st_mode & 07777, quoted);
        return FALSE;
    }
    return TRUE;
}

static char *
read_fd(int fd, const char *path, gsize max, gsize *ret_size, GError **error)
{
    char *data = g_malloc(max + 2); /* a byte to see that there is more, and the NUL */
    gsize size = 0;

    while (size <= max) {
        ssize_t n = read(fd, data + size, max + 1 - size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail(error, "%s: %s", path, g_strerror(errno));
        if (n <= 0)
            break;
        size += (gsize) n;
    }
    if (size > max)
        fail(error, "%s is larger than %" G_GSIZE_FORMAT " bytes", path, max);
    if (error && *error) {
        explicit_bzero(data, size);
        g_free(data);
        return NULL;
    }
    data[size] = '\0';
    *ret_size = size;
    return data;
}

static char *
read_file(const char *path, gboolean private, gsize max, gsize *ret_size, GError **error)
{
    g_autoptr(GError) own_error = NULL;
    /* O_NONBLOCK: a pipe that nobody writes to shall not hang us here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *data = NULL;

    if (fd < 0)
        return fail(error, "%s: %s", path, g_strerror(errno));
    if (!private || check_private(fd, path, &own_error)) {
        fcntl(fd, F_SETFL, 0);
        data = read_fd(fd, path, max, ret_size, &own_error);
    }
    close(fd);
    if (own_error)
        g_propagate_error(error, g_steal_pointer(&own_error));
    return data;
}

char *
cf_secret_read_private_file(const char *path, gsize max, gsize *ret_size, GError **error)
{
    return read_file(path, TRUE, max, ret_size, error);
}

static char *
read_secret_file(const char *path, gboolean private, GError **error)
{
    gsize size;
    char *data = read_file(path, private, SECRET_MAX_BYTES, &size, error);
    char *secret = data ? take_line(data, size, error) : NULL;

    if (data && !secret)
        g_prefix_error(error, "%s ", path);
    return secret;
}

char *
cf_secret_read_credential(const char *path, GError **error)
{
    return read_secret_file(path, FALSE, error);
}

static char *
read_env(const char *name, GError **error)
{
    const char *value = g_getenv(name);

    if (!value)
        return fail(error, "the environment has no variable ‘%s’", name);
    return *value ? g_strdup(value) : fail(error, "the variable ‘%s’ is empty", name);
}

/* --- commands -------------------------------------------------------------------------------- */

typedef struct {
    GPid pid;
    int pidfd;
    int lifeline[2]; /* its guard reads the one, we hold the other */
    int fds[2];      /* its stdout and stderr; -1 after their end */
    char *texts[2];  /* SECRET_MAX_BYTES + 1 each */
    gsize sizes[2];
} Command;

static void
close_all_but_stdin(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 1u, ~0u, 0u) == 0)
        return;
#endif
    for (long i = 1, n = sysconf(_SC_OPEN_MAX); i < n; i++)
        close((int) i);
}

/* In a process of its own: ends the whole group when we die while it is under way. Not done with
 * PR_SET_PDEATHSIG, which the command's own children do not inherit. Here, between fork and exec,
 * nothing may be called that takes a lock. */
static void
guard(int lifeline)
{
    char byte;
    ssize_t n;

    dup2(lifeline, STDIN_FILENO);
    close_all_but_stdin(); /* above all the pipes whose end others wait for */
    while ((n = read(STDIN_FILENO, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n == 0)
        kill(0, SIGKILL);
    _exit(0);
}

static void
enter_own_session(gpointer data)
{
    const Command *command = data;

    /* Its own process group, so that all of it can be killed; and no terminal to hang on. */
    setsid();
    if (fork() == 0)
        guard(command->lifeline[0]);
}

/* Takes what is there. What is beyond the limit is dropped; the size then says so. */
static void
command_drain(Command *command, int i)
{
    char rest[4096];
    gsize room = SECRET_MAX_BYTES + 1 - command->sizes[i];
    ssize_t n;

    if (command->fds[i] < 0)
        return;
    n = read(command->fds[i], room ? command->texts[i] + command->sizes[i] : rest,
             room ? room : sizeof rest);
    if (n > 0 && room)
        command->sizes[i] += (gsize) n;
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        close(command->fds[i]);
        command->fds[i] = -1;
    }
    explicit_bzero(rest, sizeof rest);
}

/* Until the command has ended; what it left running in the background may keep the pipes.
 * Returns: FALSE when the time is over. */
static gboolean
command_wait(Command *command)
{
    gint64 deadline_us = cf_clock_mono_us() + cf_secret_command_limit_us;

    for (;;) {
        struct pollfd polls[3] = {
            {.fd = command->fds[0], .events = POLLIN},
            {.fd = command->fds[1], .events = POLLIN},
            {.fd = command->pidfd, .events = POLLIN},
        };
        gint64 left_ms = (deadline_us - cf_clock_mono_us() + 999) / 1000;

        if (left_ms <= 0)
            return FALSE;
        if (poll(polls, 3, (int) left_ms) < 0 && errno != EINTR)
            return FALSE;
        for (int i = 0; i < 2; i++)
            if (polls[i].revents)
                command_drain(command, i);
        if (polls[2].revents && !polls[0].revents && !polls[1].revents)
            return TRUE;
        if (command->pidfd < 0 && command->fds[0] < 0 && command->fds[1] < 0)
            return TRUE; /* a kernel without pidfd: the end of what it writes must do */
    }
}

/* Returns: (transfer full): what it complained about, for people. */
static char *
command_get_complaint(Command *command)
{
    g_autofree char *safe = NULL;
    g_autofree char *line = NULL;

    command->texts[1][MIN(command->sizes[1], SECRET_MAX_BYTES)] = '\0';
    safe = cf_log_redact(command->texts[1]);
    line = g_strstrip(cf_text_one_line(safe));
    if (strlen(line) > QUOTED_MAX_BYTES)
        *g_utf8_find_prev_char(line, line + QUOTED_MAX_BYTES) = '\0';
    return *line ? g_strconcat(": ", line, NULL) : g_strdup("");
}

/* It has ended: what it left running in the background stays. */
static void
dismiss_guard(Command *command)
{
    ssize_t n;

    do /* not by write(): it may be gone, with the group */
        n = send(command->lifeline[1], "", 1, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    close(command->lifeline[1]);
}

/* Returns: whether it ended well. */
static gboolean
command_check(Command *command, gboolean ended, int status, GError **error)
{
    g_autofree char *said = g_strndup(command->texts[0], command->sizes[0]);
    g_autofree char *complaint = NULL;

    cf_log_add_secret(g_strchomp(said)); /* it may complain with the secret in the words */
    explicit_bzero(said, strlen(said));
    complaint = command_get_complaint(command);
    if (!ended)
        fail(error, "the command did not end within %g s%s",
             (double) cf_secret_command_limit_us / 1e6, complaint);
    else if (WIFSIGNALED(status))
        fail(error, "the command was killed by signal %d%s", WTERMSIG(status), complaint);
    else if (WEXITSTATUS(status) != 0)
        fail(error, "the command failed with status %d%s", WEXITSTATUS(status), complaint);
    else if (command->sizes[0] > SECRET_MAX_BYTES)
        fail(error, "the command wrote more than %d bytes", SECRET_MAX_BYTES);
    else
        return TRUE;
    return FALSE;
}

static gboolean
command_start(Command *command, const char *line, GError **error)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    g_autoptr(GError) spawn_error = NULL;
    gboolean started;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, command->lifeline) < 0) {
        fail(error, "the command cannot be started: %s", g_strerror(errno));
        return FALSE;
    }
    started = g_spawn_async_with_pipes(NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                       enter_own_session, command, &command->pid, NULL,
                                       &command->fds[0], &command->fds[1], &spawn_error);
    close(command->lifeline[0]);
    if (!started) {
        close(command->lifeline[1]);
        fail(error, "the command cannot be started: %s", spawn_error->message);
        return FALSE;
    }
    command->pidfd = (int) syscall(SYS_pidfd_open, command->pid, 0);
    for (int i = 0; i < 2; i++)
        command->texts[i] = g_malloc(SECRET_MAX_BYTES + 2);
    return TRUE;
}

static void
command_clear(Command *command)
{
    for (int i = 0; i < 2; i++) {
        if (command->fds[i] >= 0)
            close(command->fds[i]);
        explicit_bzero(command->texts[i], SECRET_MAX_BYTES + 2);
        g_free(command->texts[i]);
    }
    if (command->pidfd >= 0)
        close(command->pidfd);
}

static char *
read_command(const char *line, GError **error)
{
    Command command = {0};
    gboolean ended;
    int status = 0;
    char *secret = NULL;

    if (!command_start(&command, line, error))
        return NULL;
    ended = command_wait(&command);
    if (!ended)
        kill(-command.pid, SIGKILL);
    while (waitpid(command.pid, &status, 0) < 0 && errno == EINTR)
        ;
    dismiss_guard(&command);
    if (command_check(&command, ended, status, error)) {
        gsize size = command.sizes[0];
        char *copy = g_malloc(size + 1);

        memcpy(copy, command.texts[0], size);
        copy[size] = '\0';
        secret = take_line(copy, size, error);
        if (!secret)
            g_prefix_error(error, "what the command wrote ");
    }
    command_clear(&command);
    return secret;
}

char *
cf_secret_read(CfSecretSource source, const char *from, GError **error)
{
    switch (source) {
    case CF_SECRET_FILE:
        return read_secret_file(from, TRUE, error);
    case CF_SECRET_ENV:
        return read_env(from, error);
    case CF_SECRET_COMMAND:
        return read_command(from, error);
    case CF_SECRET_SOURCE_N:
        break;
    }
    g_assert_not_reached();
}
