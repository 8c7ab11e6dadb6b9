/* What a file server that exports the mount does: file handles that outlive names.
 *
 *   handles get PATH…             a line each: TYPE HEX
 *   handles try MNT TYPE          the same for handles in HEX, one a line of standard input: prints
 * a line for each, the errno's name or "opened" handles open MNT TYPE HEX     opens the handle,
 * prints what the file holds (of a directory: its inode number); on failure the errno's name, exit
 * status 1
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef union {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} Handle;

static int
fail(void)
{
    puts(strerrorname_np(errno));
    return 1;
}

static int
get(const char *path)
{
    Handle at = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount_id;

    if (name_to_handle_at(AT_FDCWD, path, &at.handle, &mount_id, 0) < 0)
        return fail();
    printf("%d ", at.handle.handle_type);
    for (unsigned i = 0; i < at.handle.handle_bytes; i++)
        printf("%02x", at.handle.f_handle[i]);
    putchar('\n');
    return 0;
}

static int
show(int fd)
{
    struct stat status;
    char text[4096];
    ssize_t n;

    if (fstat(fd, &status) < 0)
        return fail();
    if (S_ISDIR(status.st_mode)) {
        printf("%llu\n", (unsigned long long) status.st_ino);
        return 0;
    }
    while ((n = read(fd, text, sizeof text)) > 0)
        fwrite(text, 1, (size_t) n, stdout);
    return n < 0 ? fail() : 0;
}

static int
open_one(int dir, const char *type, const char *hex)
{
    Handle at = {.handle = {.handle_type = atoi(type)}};

    for (unsigned byte; at.handle.handle_bytes < MAX_HANDLE_SZ && sscanf(hex, "%2x", &byte) == 1;
         hex += 2)
        at.handle.f_handle[at.handle.handle_bytes++] = (unsigned char) byte;
    return open_by_handle_at(dir, &at.handle, O_RDONLY | O_CLOEXEC);
}

static int
open_handle(const char *mnt, const char *type, const char *hex)
{
    int dir = open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : open_one(dir, type, hex);

    return fd < 0 ? fail() : show(fd);
}

static int
try_handles(const char *mnt, const char *type)
{
    int dir = open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char line[2 * MAX_HANDLE_SZ + 2];

    if (dir < 0)
        return fail();
    while (fgets(line, sizeof line, stdin)) {
        int fd = open_one(dir, type, line);

        puts(fd < 0 ? strerrorname_np(errno) : "opened");
        if (fd >= 0)
            close(fd);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    int status = 0;

    if (argc == 5 && strcmp(argv[1], "open") == 0)
        return open_handle(argv[2], argv[3], argv[4]);
    if (argc == 4 && strcmp(argv[1], "try") == 0)
        return try_handles(argv[2], argv[3]);
    if (argc < 3 || strcmp(argv[1], "get") != 0) {
        fprintf(stderr, "handles get PATH… | handles open MNT TYPE HEX | handles try MNT TYPE\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        status |= get(argv[i]);
    return status;
}
