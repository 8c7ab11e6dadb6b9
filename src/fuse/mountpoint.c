/* The place where we mount: what may be wrong with it, in words, and leaving it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse/private.h"
#include "util/log.h"

#define FUSE_CONF "/etc/fuse.conf"
#define FUSERMOUNT "fusermount3"

gboolean
cf_mountpoint_is_stale(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 && errno == ENOTCONN;
}

/* --- the mount table -------------------------------------------------------------------------- */

/* One line of mountinfo: "36 35 98:0 /root /mnt/point rw,noatime shared:1 - fuse.cirrusfs name rw".
 * Returns: whether it is a mount of ours on path. */
static gboolean
line_matches(const char *line, const char *path, dev_t *ret_dev)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    const char *tail = strstr(line, " - ");
    g_autofree char *place = NULL;
    unsigned int major_number, minor_number;

    if (!tail || g_strv_length(words) < 7)
        return FALSE;
    place = g_strcompress(words[4]); /* space is \040 */
    if (strcmp(place, path) != 0 || sscanf(words[2], "%u:%u", &major_number, &minor_number) != 2)
        return FALSE;
    *ret_dev =
        g_str_has_prefix(tail, " - fuse.cirrusfs ") ? makedev(major_number, minor_number) : 0;
    return TRUE;
}

dev_t
cf_mountpoint_get_device(const char *path)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    dev_t dev = 0;

    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
        return 0;
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++)
        line_matches(lines[i], path, &dev); /* the last one lies on top */
    return dev;
}

/* --- leaving ---------------------------------------------------------------------------------- */

static gboolean
detach_by_helper(const char *path, GError **error)
{
    const char *argv[] = {FUSERMOUNT, "-u", "-z", "--", path, NULL};
    g_autofree char *words = NULL;
    g_autoptr(GError) local_error = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                      NULL, NULL, NULL, &words, &status, &local_error)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "cannot unmount %s: %s", path,
                    local_error->message);
        return FALSE;
    }
    if (g_spawn_check_wait_status(status, NULL))
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_DENIED, "cannot unmount %s: %s", path,
                words && *g_strstrip(words) ? words : FUSERMOUNT " failed");
    return FALSE;
}

gboolean
cf_mountpoint_detach(const char *path, GError **error)
{
    if (geteuid() != 0)
        return detach_by_helper(path, error);
    if (umount2(path, MNT_DETACH) == 0)
        return TRUE;
    if (errno == EPERM) /* root without the capability, as in a container */
        return detach_by_helper(path, error);
    if (errno == EINVAL)
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "nothing is mounted on %s", path);
    else
        g_set_error(error, CF_ERROR, errno == ENOENT ? CF_ERROR_NOT_FOUND : CF_ERROR_INTERNAL,
                    "cannot unmount %s: %s", path, g_strerror(errno));
    return FALSE;
}

/* Returns: 0 when nothing can be started here. */
static GPid
spawn_umount(const char *path)
{
    const char *argv[] = {"/proc/self/exe", "cirrusfs", "umount", path, NULL};
    GPid pid = 0;

    /* Descriptors that are left open, and a child that is not reaped, are what GLib needs to do
     * without fork(2), which would copy the page tables of all that is mounted. */
    g_spawn_async(NULL, (char **) argv, NULL,
                  G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_LEAVE_DESCRIPTORS_OPEN |
                      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                      G_SPAWN_STDERR_TO_DEV_NULL,
                  NULL, NULL, &pid, NULL);
    return pid;
}

/* Returns: whether it has ended within the time, in ms. */
static gboolean
wait_for_child(GPid pid, int patience_ms)
{
    struct pollfd ended = {.fd = (int) syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int ready;

    if (ended.fd < 0) /* an old kernel */
        return waitpid(pid, NULL, 0) == pid;
    do
        ready = poll(&ended, 1, patience_ms);
    while (ready < 0 && errno == EINTR);
    close(ended.fd);
    return ready > 0 && waitpid(pid, NULL, 0) == pid;
}

void
cf_mountpoint_leave(const char *path, dev_t dev, int patience_ms)
{
    GPid pid = spawn_umount(path);
    gboolean over = pid == 0 || wait_for_child(pid, patience_ms);
    g_autoptr(GError) error = NULL;

    if (cf_mountpoint_get_device(path) != dev)
        return;
    if (!over)
        waitpid(pid, NULL, 0);
    if (cf_mountpoint_get_device(path) == dev && !cf_mountpoint_detach(path, &error))
        cf_error("%s", error->message);
}

/* --- before mounting -------------------------------------------------------------------------- */

static gboolean
check_device(GError **error)
{
    g_autofree char *helper = NULL;

    if (access("/dev/fuse", F_OK) < 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL,
                    "there is no /dev/fuse: load the kernel module (modprobe fuse), or give the "
                    "device to the container (--device /dev/fuse)");
        return FALSE;
    }
    if (geteuid() == 0)
        return TRUE;
    if (access("/dev/fuse", R_OK | W_OK) < 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_DENIED, "/dev/fuse: %s", g_strerror(errno));
        return FALSE;
    }
    helper = g_find_program_in_path(FUSERMOUNT);
    if (!helper) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL,
                    FUSERMOUNT " is not installed (package fuse3): only root can mount without it");
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_allow_other(GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (geteuid() == 0)
        return TRUE;
    if (g_file_get_contents(FUSE_CONF, &text, NULL, NULL)) {
        lines = g_strsplit(text, "\n", -1);
        for (guint i = 0; lines[i]; i++) {
            if (strcmp(g_strstrip(lines[i]), "user_allow_other") == 0)
                return TRUE;
        }
    }
    g_set_error(error, CF_ERROR, CF_ERROR_DENIED,
                "allow_other needs the line user_allow_other in " FUSE_CONF);
    return FALSE;
}

static gboolean
check_directory(const char *path, GError **error)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        CfErrorCode code = errno == ENOENT ? CF_ERROR_NOT_FOUND : CF_ERROR_DENIED;

        g_set_error(error, CF_ERROR, code, "mount point %s: %s", path, g_strerror(errno));
        return FALSE;
    }
    if (!S_ISDIR(st.st_mode)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "mount point %s is not a directory", path);
        return FALSE;
    }
    if (geteuid() != 0 && access(path, W_OK) < 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_DENIED, "mount point %s: you may not write there",
                    path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
detach_stale(const char *path, GError **error)
{
    if (!cf_mountpoint_is_stale(path))
        return TRUE;
    cf_warning("%s: a mount was left there by a daemon that is gone; it is detached", path);
    return cf_mountpoint_detach(path, error);
}

char *
cf_mountpoint_prepare(const char *path, gboolean allow_other, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    char *real;
    g_autofree char *copy = NULL;

    if (!check_device(error) || (allow_other && !check_allow_other(error)) ||
        !detach_stale(absolute, error) || !check_directory(absolute, error))
        return NULL;

    real = realpath(absolute, NULL);
    if (!real) {
        g_set_error(error, CF_ERROR, CF_ERROR_NOT_FOUND, "mount point %s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    copy = g_strdup(real);
    free(real);
    if (cf_mountpoint_get_device(copy)) {
        g_set_error(error, CF_ERROR, CF_ERROR_BUSY, "%s is mounted already", copy);
        return NULL;
    }
    return g_steal_pointer(&copy);
}
