/* The timing loops of tests/bench: what a shell would measure of itself. Prints nanoseconds.
 *
 *   loop stat PATH N          N times lstat(2): ns each, the median of 20 parts
 *   loop cat PATH N           N times open, read to the end, close: the same
 *   loop ls DIR N             N times opendir, readdir to the end, closedir: the same
 *   loop names DIR            opendir until the first name, and until the last: ns; how many
 *   loop cats PASSES          files by name on stdin, NUL-terminated, each read once a pass: ns of
 *                             each pass, a line each
 *   loop read PATH            one read to the end in pieces of 128 KiB: ns and bytes
 *   loop write PATH TEXT N    N times open, write(2) TEXT, close; ns of each, a line each
 *   loop poll PATH            waits until poll(2) reports a change: CLOCK_REALTIME in ns; says
 *                             "ready" before
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PARTS 20
#define PIECE (128 * 1024)

static char piece[PIECE];

static void
die(const char *what)
{
    fprintf(stderr, "loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t
now_ns(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Returns: bytes. */
static int64_t
read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t bytes = 0;
    ssize_t n;

    if (fd < 0)
        die(path);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        bytes += n;
    if (n < 0)
        die(path);
    close(fd);
    return bytes;
}

static void
stat_file(const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        die(path);
}

static void
cat_file(const char *path)
{
    read_file(path);
}

static void
list_dir(const char *path)
{
    DIR *dir = opendir(path);

    if (!dir)
        die(path);
    while (readdir(dir))
        ;
    closedir(dir);
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;

    return (left > right) - (left < right);
}

static void
repeat(void (*step)(const char *), const char *path, long n)
{
    double parts[PARTS];
    long each = n / PARTS > 0 ? n / PARTS : 1;

    for (int part = 0; part < PARTS; part++) {
        int64_t begin = now_ns(CLOCK_MONOTONIC);

        for (long i = 0; i < each; i++)
            step(path);
        parts[part] = (double) (now_ns(CLOCK_MONOTONIC) - begin) / (double) each;
    }
    qsort(parts, PARTS, sizeof parts[0], compare);
    printf("%.1f\n", (parts[PARTS / 2 - 1] + parts[PARTS / 2]) / 2);
}

static void
names(const char *path)
{
    int64_t begin = now_ns(CLOCK_MONOTONIC), first = 0;
    DIR *dir = opendir(path);
    struct dirent *entry;
    long n = 0;

    if (!dir)
        die(path);
    while (errno = 0, (entry = readdir(dir))) {
        if (entry->d_name[0] != '.' && n++ == 0)
            first = now_ns(CLOCK_MONOTONIC) - begin;
    }
    if (errno)
        die(path);
    printf("%lld %lld %ld\n", (long long) first, (long long) (now_ns(CLOCK_MONOTONIC) - begin), n);
    closedir(dir);
}

static void
cat_all(int passes)
{
    char **paths = NULL, *path = NULL;
    size_t n = 0, size = 0;

    while (getdelim(&path, &size, '\0', stdin) > 0) {
        paths = realloc(paths, (n + 1) * sizeof *paths);
        if (!paths)
            die("memory");
        paths[n++] = path;
        path = NULL;
        size = 0;
    }
    for (int pass = 0; pass < passes; pass++) {
        int64_t begin = now_ns(CLOCK_MONOTONIC);

        for (size_t i = 0; i < n; i++)
            read_file(paths[i]);
        printf("%lld\n", (long long) (now_ns(CLOCK_MONOTONIC) - begin));
    }
}

static void
write_all(const char *path, const char *text, long n)
{
    for (long i = 0; i < n; i++) {
        int64_t begin = now_ns(CLOCK_MONOTONIC);
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
            die(path);
        close(fd);
        printf("%lld\n", (long long) (now_ns(CLOCK_MONOTONIC) - begin));
    }
}

/* The first report comes at once, as in sysfs; what is waited for is another content. */
static void
wait_for_change(const char *path)
{
    struct pollfd waiter = {.fd = open(path, O_RDONLY | O_CLOEXEC), .events = POLLPRI | POLLERR};
    char before[4096], after[4096];
    ssize_t had, has;
    int told = 0;

    if (waiter.fd < 0)
        die(path);
    had = pread(waiter.fd, before, sizeof before, 0);
    for (;;) {
        if (poll(&waiter, 1, told ? -1 : 1000) < 0)
            die("poll");
        if (!told) {
            puts("ready");
            fflush(stdout);
            told = 1;
        }
        has = pread(waiter.fd, after, sizeof after, 0);
        if (has < 0)
            die(path);
        if (has != had || memcmp(before, after, (size_t) has) != 0)
            break;
    }
    printf("%lld\n", (long long) now_ns(CLOCK_REALTIME));
}

int
main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";

    if (argc == 4 && strcmp(verb, "stat") == 0)
        repeat(stat_file, argv[2], atol(argv[3]));
    else if (argc == 4 && strcmp(verb, "cat") == 0)
        repeat(cat_file, argv[2], atol(argv[3]));
    else if (argc == 4 && strcmp(verb, "ls") == 0)
        repeat(list_dir, argv[2], atol(argv[3]));
    else if (argc == 3 && strcmp(verb, "names") == 0)
        names(argv[2]);
    else if (argc == 3 && strcmp(verb, "cats") == 0)
        cat_all(atoi(argv[2]));
    else if (argc == 3 && strcmp(verb, "read") == 0) {
        int64_t begin = now_ns(CLOCK_MONOTONIC);
        int64_t bytes = read_file(argv[2]);

        printf("%lld %lld\n", (long long) (now_ns(CLOCK_MONOTONIC) - begin), (long long) bytes);
    } else if (argc == 5 && strcmp(verb, "write") == 0)
        write_all(argv[2], argv[3], atol(argv[4]));
    else if (argc == 3 && strcmp(verb, "poll") == 0)
        wait_for_change(argv[2]);
    else {
        fprintf(stderr, "loop stat|cat|ls PATH N, names DIR, cats PASSES, read PATH, "
                        "write PATH TEXT N, poll PATH\n");
        return 2;
    }
    return 0;
}
