/* cirrusfs wait: until files show a value. It polls (contract section 7), and never believes what
 * was fetched before it began. With epoll: poll(2) would ask the daemon after every file each time
 * that one has changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/mounts.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

enum { EXIT_ERROR = 3, EXIT_GONE = 4, EXIT_TIMEOUT = 124 };

/* The daemon remembers 16,384 open files that are polled (fuse/polls.h); a target has up to two. */
#define WINDOW 8000
#define OTHER_FILES 32 /* that are open beside those */
#define VALUE_MAX 4096
#define RETRY_US G_USEC_PER_SEC
#define SHOWN_MAX 10
/* What is stuck in a system call then is ended from outside. */
#define GRACE_US (500 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    const char *path; /* as it was given */
    char *real;       /* (nullable) */
    int fd;           /* -1: not open */
    int state_fd;     /* of `state` beside it; -1: it is that, or not open */
    char *value;      /* (nullable) last read */
    CfExit result;
    gboolean over;
} Target;

typedef struct {
    GArray *targets; /* (element-type Target) */
    char **values;   /* (array zero-terminated=1) (borrowed) */
    gint64 begin_us;
    gint64 deadline_us; /* monotonic; G_MAXINT64: none */
    gboolean terminal;
    gboolean line; /* a progress line stands on the terminal */
    guint left;
} Wait;

static void
target_close(Target *target)
{
    if (target->fd >= 0)
        close(target->fd);
    if (target->state_fd >= 0)
        close(target->state_fd);
    target->fd = target->state_fd = -1;
}

static void
target_clear(gpointer data)
{
    Target *target = data;

    target_close(target);
    g_free(target->real);
    g_free(target->value);
}

/* --- what is said ----------------------------------------------------------------------------- */

static void
end_line(Wait *wait)
{
    if (wait->line)
        fputs("\r\033[K", stderr);
    wait->line = FALSE;
}

static void
show_progress(Wait *wait)
{
    const Target *first = NULL;
    g_autofree char *safe = NULL;

    for (guint i = 0; i < wait->targets->len && !first; i++)
        if (!g_array_index(wait->targets, Target, i).over)
            first = &g_array_index(wait->targets, Target, i);
    if (!wait->terminal || !first)
        return;
    safe = cf_text_one_line(first->path);
    fprintf(stderr, "\r\033[K%u of %u, %d s; %s: %s", wait->targets->len - wait->left,
            wait->targets->len, (int) ((cf_clock_mono_us() - wait->begin_us) / G_USEC_PER_SEC),
            safe, first->value ? first->value : "?");
    wait->line = TRUE;
}

static void
finish(Wait *wait, Target *target, CfExit result, const char *why)
{
    target_close(target);
    target->over = TRUE;
    target->result = result;
    wait->left--;
    if (result != CF_EXIT_OK) {
        end_line(wait);
        cf_say("%s: %s", target->path, why);
    }
}

static CfExit
say_timeout(Wait *wait)
{
    guint shown = 0;

    end_line(wait);
    for (guint i = 0; i < wait->targets->len; i++) {
        const Target *target = &g_array_index(wait->targets, Target, i);

        if (!target->over && shown++ < SHOWN_MAX)
            cf_say("%s is still %s", target->path, target->value ? target->value : "not read");
    }
    if (shown > SHOWN_MAX)
        cf_say("and %u more", shown - SHOWN_MAX);
    return (CfExit) EXIT_TIMEOUT;
}

/* --- the command line ------------------------------------------------------------------------- */

/* The first word is a path; what follows is one when it has a slash, which no value has. */
static gboolean
take_words(Wait *wait, char **words, GError **error)
{
    guint n = 0;

    do {
        Target target = {.path = words[n], .fd = -1, .state_fd = -1};

        g_array_append_val(wait->targets, target);
        n++;
    } while (words[n] && strchr(words[n], '/'));
    wait->values = words + n;
    wait->left = wait->targets->len;
    for (; words[n]; n++)
        if (strchr(words[n], '/')) {
            g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "wait: the path %s follows a value",
                        words[n]);
            return FALSE;
        }
    if (!wait->values[0])
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "wait: a value to wait for is missing: wait PATH... VALUE...");
    return wait->values[0] != NULL;
}

static gboolean
take_timeout(Wait *wait, const char *text, GError **error)
{
    gint64 us;

    wait->begin_us = cf_clock_mono_us();
    wait->deadline_us = G_MAXINT64;
    if (!text)
        return TRUE;
    if (!cf_text_parse_duration(text, &us, error)) {
        g_prefix_error(error, "--timeout: ");
        return FALSE;
    }
    wait->deadline_us = wait->begin_us + us;
    return TRUE;
}

/* --- opening ---------------------------------------------------------------------------------- */

static gboolean
is_gone(int number)
{
    return number == ENOENT || number == ENODEV || number == ESTALE;
}

/* Returns: FALSE: it cannot be waited for; error is set. */
static gboolean
check_kind(Wait *wait, Target *target, const char *mounts, GError **error)
{
    g_autofree char *name = g_path_get_basename(target->real);
    struct stat st;

    if (fstat(target->fd, &st) < 0 || !cf_mounts_have_device(mounts, st.st_dev))
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "%s is not in a mount of cirrusfs",
                    target->path);
    else if (!g_strv_contains((const char *const[]){"status", "state", "power", NULL}, name))
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "%s: only status, state and power can be waited for", target->path);
    else
        return TRUE;
    return FALSE;
}

/* Opens it and the state beside it; one that is gone is over. */
static gboolean
open_target(Wait *wait, Target *target, const char *mounts, GError **error)
{
    g_autofree char *directory = NULL;
    g_autofree char *state = NULL;

    target->real = realpath(target->path, NULL);
    target->fd = target->real ? open(target->real, O_RDONLY | O_CLOEXEC) : -1;
    if (target->fd < 0 && is_gone(errno)) {
        finish(wait, target, (CfExit) EXIT_GONE, "there is no such resource");
        return TRUE;
    }
    if (target->fd < 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_NOT_FOUND, "%s: %s", target->path, g_strerror(errno));
        return FALSE;
    }
    if (!check_kind(wait, target, mounts, error))
        return FALSE;
    if (g_str_has_suffix(target->real, "/state"))
        return TRUE;
    directory = g_path_get_dirname(target->real);
    state = g_build_filename(directory, "state", NULL);
    target->state_fd = open(state, O_RDONLY | O_CLOEXEC);
    return TRUE;
}

/* A direct read fetches the collection anew. Returns: 0 or an errno. */
static int
read_fresh(const char *path)
{
    g_autofree char *buffer = g_malloc(VALUE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
    int number = 0;

    if (fd < 0)
        return errno;
    if (read(fd, buffer, VALUE_MAX) < 0)
        number = errno;
    close(fd);
    return number;
}

/* Returns: FALSE when the time is over. */
static gboolean
refresh_until_done(Wait *wait, const char *path)
{
    gboolean told = FALSE;
    int number;

    while ((number = read_fresh(path)) != 0 && !is_gone(number)) {
        if (!told) {
            end_line(wait);
            cf_say("%s: %s; trying again", path, g_strerror(number));
        }
        told = TRUE;
        if (cf_clock_mono_us() + RETRY_US >= wait->deadline_us)
            return FALSE;
        g_usleep(RETRY_US);
    }
    return TRUE;
}

/* Once for each collection that one of them is in. Returns: FALSE when the time is over. */
static gboolean
refresh_collections(Wait *wait, guint begin, guint end, GHashTable *done)
{
    for (guint i = begin; i < end; i++) {
        Target *target = &g_array_index(wait->targets, Target, i);
        char *collection;

        if (target->over)
            continue;
        collection = g_strdup(target->real); /* …/servers/by-id/ID/state */
        for (guint up = 0; up < 3 && strchr(collection, '/'); up++)
            *strrchr(collection, '/') = '\0';
        if (g_hash_table_add(done, collection) && !refresh_until_done(wait, target->real))
            return FALSE;
    }
    return TRUE;
}

/* --- looking ---------------------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable) with errno set. */
static char *
read_value(int fd)
{
    char buffer[VALUE_MAX];
    ssize_t n = pread(fd, buffer, sizeof buffer, 0);

    if (n < 0)
        return NULL;
    return g_strchomp(g_strndup(buffer, (gsize) n));
}

static void
look(Wait *wait, Target *target)
{
    g_autofree char *value = read_value(target->fd);
    g_autofree char *state = NULL;

    if (!value) {
        if (is_gone(errno))
            finish(wait, target, (CfExit) EXIT_GONE, "the resource is gone");
        return;
    }
    g_free(target->value);
    target->value = g_strdup(value);
    if (g_strv_contains((const char *const *) wait->values, value)) {
        finish(wait, target, CF_EXIT_OK, NULL);
        return;
    }
    state = target->state_fd >= 0 ? read_value(target->state_fd) : g_steal_pointer(&value);
    if (g_strcmp0(state, "error") == 0)
        finish(wait, target, (CfExit) EXIT_ERROR, "the resource went to error");
    else if (g_strcmp0(state, "deleted") == 0)
        finish(wait, target, (CfExit) EXIT_GONE, "the resource is deleted");
}

static int
poll_ms(const Wait *wait)
{
    gint64 rest_ms = -1;

    if (wait->deadline_us != G_MAXINT64)
        rest_ms = MAX(wait->deadline_us - cf_clock_mono_us(), 0) / G_TIME_SPAN_MILLISECOND + 1;
    if (wait->terminal)
        rest_ms = rest_ms < 0 ? 1000 : MIN(rest_ms, 1000);
    return (int) MIN(rest_ms, G_MAXINT);
}

static gboolean
add_polled(int epoll_fd, guint begin, guint end, Wait *wait, GError **error)
{
    for (guint i = begin; i < end; i++) {
        const Target *target = &g_array_index(wait->targets, Target, i);
        int both[] = {target->fd, target->state_fd};
        struct epoll_event event = {.events = EPOLLPRI, .data.u32 = i};

        for (guint k = 0; k < G_N_ELEMENTS(both); k++)
            if (both[k] >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, both[k], &event) < 0) {
                g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "%s: it cannot be polled: %s",
                            target->path, g_strerror(errno));
                return FALSE;
            }
    }
    return TRUE;
}

static guint
count_left(const Wait *wait, guint begin, guint end)
{
    guint n = 0;

    for (guint i = begin; i < end; i++)
        n += !g_array_index(wait->targets, Target, i).over;
    return n;
}

/* What is over is closed, and so no longer polled. Returns: FALSE when the time is over, or with
 * error set. */
static gboolean
poll_window(Wait *wait, int epoll_fd, guint begin, guint end, GError **error)
{
    struct epoll_event events[256];

    if (!add_polled(epoll_fd, begin, end, wait, error))
        return FALSE;
    while (count_left(wait, begin, end) > 0) {
        int n;

        show_progress(wait);
        n = epoll_wait(epoll_fd, events, G_N_ELEMENTS(events), poll_ms(wait));
        for (int i = 0; i < n; i++) {
            Target *target = &g_array_index(wait->targets, Target, events[i].data.u32);

            if (!target->over)
                look(wait, target);
        }
        if (wait->left > 0 && cf_clock_mono_us() >= wait->deadline_us)
            return FALSE;
    }
    return TRUE;
}

static gboolean
wait_window(Wait *wait, guint begin, guint end, GError **error)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    gboolean done;

    if (epoll_fd < 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "epoll_create1: %s", g_strerror(errno));
        return FALSE;
    }
    done = poll_window(wait, epoll_fd, begin, end, error);
    close(epoll_fd);
    return done;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* A read may wait for a cloud that does not answer, longer than we are to, and no signal gets it
 * out of there: only the end of the process does. */
typedef struct {
    gint64 end_us;
    GMutex lock;
    GCond changed;
    gboolean over;
    GThread *thread; /* (nullable) */
} Watchdog;

static gpointer
watchdog_main(gpointer data)
{
    Watchdog *watchdog = data;

    g_mutex_lock(&watchdog->lock);
    while (!watchdog->over &&
           g_cond_wait_until(&watchdog->changed, &watchdog->lock, watchdog->end_us))
        ;
    if (!watchdog->over) {
        cf_say("the time is over, and the mount does not answer");
        _exit(EXIT_TIMEOUT);
    }
    g_mutex_unlock(&watchdog->lock);
    return NULL;
}

static void
watchdog_start(Watchdog *watchdog, const Wait *wait)
{
    g_mutex_init(&watchdog->lock);
    g_cond_init(&watchdog->changed);
    if (wait->deadline_us == G_MAXINT64)
        return;
    watchdog->end_us = wait->deadline_us + GRACE_US;
    watchdog->thread = g_thread_new("watchdog", watchdog_main, watchdog);
}

/* Nothing runs any more while the process ends. */
static void
watchdog_stop(Watchdog *watchdog)
{
    g_mutex_lock(&watchdog->lock);
    watchdog->over = TRUE;
    g_cond_signal(&watchdog->changed);
    g_mutex_unlock(&watchdog->lock);
    if (watchdog->thread)
        g_thread_join(watchdog->thread);
    g_cond_clear(&watchdog->changed);
    g_mutex_clear(&watchdog->lock);
}

/* How many targets are looked at together: all, unless there are more than files may be open. */
static guint
window_size(void)
{
    struct rlimit limit;
    rlim_t files;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return WINDOW;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    files = limit.rlim_cur > OTHER_FILES ? limit.rlim_cur - OTHER_FILES : 0;
    return (guint) CLAMP(files / 2, 1, WINDOW);
}

/* Returns: FALSE when the time is over, or with error set. */
static gboolean
wait_all(Wait *wait, GError **error)
{
    g_autofree char *mounts = cf_mounts_read();
    g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint window = window_size();

    for (guint begin = 0; begin < wait->targets->len; begin += window) {
        guint end = MIN(begin + window, wait->targets->len);

        for (guint i = begin; i < end; i++)
            if (!open_target(wait, &g_array_index(wait->targets, Target, i), mounts, error))
                return FALSE;
        if (!refresh_collections(wait, begin, end, done) || !wait_window(wait, begin, end, error))
            return FALSE;
    }
    return TRUE;
}

static CfExit
verdict(const Wait *wait)
{
    CfExit result = CF_EXIT_OK;

    for (guint i = 0; i < wait->targets->len; i++) {
        CfExit one = g_array_index(wait->targets, Target, i).result;

        if (one != CF_EXIT_OK && (result == CF_EXIT_OK || one < result))
            result = one;
    }
    return result;
}

CfExit
cf_command_wait(const CfArgs *args)
{
    g_autoptr(GArray) targets = g_array_new(FALSE, FALSE, sizeof(Target));
    g_autoptr(GError) error = NULL;
    Wait wait = {.targets = targets, .terminal = isatty(STDERR_FILENO)};
    Watchdog watchdog = {.over = FALSE};
    gboolean done;

    g_array_set_clear_func(targets, target_clear);
    if (!take_words(&wait, args->words, &error) || !take_timeout(&wait, args->timeout, &error)) {
        cf_say("%s", error->message);
        return CF_EXIT_USAGE;
    }
    watchdog_start(&watchdog, &wait);
    done = wait_all(&wait, &error);
    watchdog_stop(&watchdog);
    end_line(&wait);
    if (error) {
        cf_say("%s", error->message);
        return g_error_matches(error, CF_ERROR, CF_ERROR_INVALID) ? CF_EXIT_USAGE : CF_EXIT_FAILURE;
    }
    return done ? verdict(&wait) : say_timeout(&wait);
}
