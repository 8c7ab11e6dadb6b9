#include "cli/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/error.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define TYPE "fuse.cirrusfs"

char *
cf_mounts_resolve(const char *path, GError **error)
{
    g_autofree char *whole = realpath(path, NULL);
    g_autofree char *plain = NULL;
    g_autofree char *parent = NULL;
    g_autofree char *parent_path = NULL;
    g_autofree char *name = NULL;

    if (whole)
        return g_steal_pointer(&whole);
    if (errno != ENOTCONN && errno != EACCES) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    plain = g_canonicalize_filename(path, NULL);
    parent = g_path_get_dirname(plain);
    parent_path = realpath(parent, NULL);
    if (!parent_path) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "%s: %s", parent, g_strerror(errno));
        return NULL;
    }
    name = g_path_get_basename(plain);
    return g_build_filename(parent_path, name, NULL);
}

/* --- mountinfo ------------------------------------------------------------------------------- */

/* Returns: (transfer full): "\040" and the like as the characters that they stand for. */
static char *
unescape(const char *field)
{
    GString *out = g_string_new(NULL);

    while (*field) {
        if (field[0] == '\\' && g_ascii_isdigit(field[1]) && g_ascii_isdigit(field[2]) &&
            g_ascii_isdigit(field[3])) {
            g_string_append_c(
                out, (char) ((field[1] - '0') << 6 | (field[2] - '0') << 3 | (field[3] - '0')));
            field += 4;
        } else {
            g_string_append_c(out, *field++);
        }
    }
    return g_string_free(out, FALSE);
}

/* "36 35 98:0 /root /mnt rw shared:1 - type source options".
 * Returns: (transfer full) (nullable): the mount point, when the line is of one of ours. */
static char *
take_mount_point(const char *line)
{
    const char *type = strstr(line, " - ");
    g_auto(GStrv) fields = NULL;

    if (!type || !g_str_has_prefix(type + 3, TYPE " "))
        return NULL;
    fields = g_strsplit(line, " ", 6);
    return g_strv_length(fields) == 6 ? unescape(fields[4]) : NULL;
}

guint
cf_mounts_count(const char *text, const char *path)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint count = 0;

    for (char **line = lines; *line; line++) {
        g_autofree char *found = take_mount_point(*line);

        count += g_strcmp0(found, path) == 0;
    }
    return count;
}

char *
cf_mounts_list(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        g_autofree char *found = take_mount_point(*line);

        if (found)
            g_string_append_printf(out, "%s\n", found);
    }
    return g_string_free(out, FALSE);
}

gboolean
cf_mounts_have_device(const char *text, dev_t device)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_autofree char *found = take_mount_point(*line);
        unsigned major_number, minor_number;

        if (found && sscanf(*line, "%*u %*u %u:%u", &major_number, &minor_number) == 2 &&
            makedev(major_number, minor_number) == device)
            return TRUE;
    }
    return FALSE;
}

char *
cf_mounts_read(void)
{
    char *text = NULL;

    return g_file_get_contents(MOUNTINFO, &text, NULL, NULL) ? text : g_strdup("");
}

gboolean
cf_mounts_wait(const char *path, guint count, gint64 timeout_us)
{
    gint64 end_us = cf_clock_mono_us() + timeout_us;
    struct pollfd changed = {.fd = open(MOUNTINFO, O_RDONLY | O_CLOEXEC), .events = POLLPRI};
    gboolean gone;

    for (;;) {
        g_autofree char *text = cf_mounts_read();
        gint64 left_ms = (end_us - cf_clock_mono_us() + 999) / 1000;

        gone = cf_mounts_count(text, path) <= count;
        if (gone || left_ms <= 0)
            break;
        /* The kernel tells of changes; the limit is for kernels that do not. */
        poll(&changed, 1, (int) MIN(left_ms, 500));
    }
    if (changed.fd >= 0)
        close(changed.fd);
    return gone;
}
