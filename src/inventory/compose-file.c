#include "inventory/compose-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"
#include "util/text.h"

#define HEADER " Written by cirrusfs: actions of several calls that are not over. See cirrusfs(5)."
#define STEM_MAX 200

struct _CfComposeFile {
    char *dir, *path, *temporary, *lock_path;
    char *endpoint, *region;
    int lock_fd;  /* -1: not open yet */
    gint64 owner; /* the byte of the lock file that is ours; 0: none yet */
};

static const char *const step_names[CF_STEP_N] = {
    [CF_STEP_STOP] = "stop", [CF_STEP_WAIT] = "wait", [CF_STEP_START] = "start",
    [CF_STEP_UP] = "up",     [CF_STEP_LEFT] = "left",
};

/* --- entries ---------------------------------------------------------------------------------- */

CfComposeEntry *
cf_compose_entry_copy(const CfComposeEntry *entry)
{
    CfComposeEntry *copy = g_memdup2(entry, sizeof *entry);

    copy->id = g_strdup(entry->id);
    copy->actor.command = g_strdup(entry->actor.command);
    copy->actor.path = g_strdup(entry->actor.path);
    copy->error = g_strdup(entry->error);
    return copy;
}

void
cf_compose_entry_free(gpointer data)
{
    CfComposeEntry *entry = data;

    if (!entry)
        return;
    g_free(entry->id);
    g_free(entry->actor.command);
    g_free(entry->actor.path);
    g_free(entry->error);
    g_free(entry);
}

/* Texts as names, so that whatever bytes they hold stand in a key file. */
static void
put_text(GKeyFile *keys, const char *group, const char *key, const char *text)
{
    g_autofree char *safe = text ? cf_name_encode(text) : NULL;

    if (safe)
        g_key_file_set_string(keys, group, key, safe);
}

/* Returns: (transfer full) (nullable). */
static char *
get_text(GKeyFile *keys, const char *group, const char *key)
{
    g_autofree char *safe = g_key_file_get_string(keys, group, key, NULL);

    return safe ? cf_name_decode(safe) : NULL;
}

static void
put_entry(CfComposeFile *file, GKeyFile *keys, const char *group, const CfComposeEntry *entry)
{
    g_key_file_set_int64(keys, group, "owner", file->owner);
    put_text(keys, group, "endpoint", file->endpoint);
    put_text(keys, group, "region", file->region);
    put_text(keys, group, "server", entry->id);
    g_key_file_set_string(keys, group, "action", "reboot hard");
    g_key_file_set_string(keys, group, "step", step_names[entry->step]);
    g_key_file_set_int64(keys, group, "since_us", entry->step_us);
    g_key_file_set_int64(keys, group, "uid", entry->actor.uid);
    g_key_file_set_int64(keys, group, "pid", entry->actor.pid);
    put_text(keys, group, "command", entry->actor.command);
    put_text(keys, group, "path", entry->actor.path);
    put_text(keys, group, "error", entry->error);
}

/* Returns: (transfer full) (nullable): NULL when it makes no sense. */
static CfComposeEntry *
get_entry(GKeyFile *keys, const char *group)
{
    CfComposeEntry *entry = g_new0(CfComposeEntry, 1);
    g_autofree char *step = g_key_file_get_string(keys, group, "step", NULL);

    entry->id = get_text(keys, group, "server");
    entry->step = CF_STEP_N;
    for (guint i = 0; step && i < CF_STEP_N; i++)
        if (strcmp(step, step_names[i]) == 0)
            entry->step = i;
    entry->step_us = g_key_file_get_int64(keys, group, "since_us", NULL);
    entry->actor.uid = (guint) g_key_file_get_int64(keys, group, "uid", NULL);
    entry->actor.pid = (gint) g_key_file_get_int64(keys, group, "pid", NULL);
    entry->actor.command = get_text(keys, group, "command");
    entry->actor.path = get_text(keys, group, "path");
    entry->error = get_text(keys, group, "error");
    if (!entry->id || !*entry->id || entry->step == CF_STEP_N)
        g_clear_pointer(&entry, cf_compose_entry_free);
    return entry;
}

static gboolean
is_of_account(CfComposeFile *file, GKeyFile *keys, const char *group)
{
    g_autofree char *endpoint = get_text(keys, group, "endpoint");
    g_autofree char *region = get_text(keys, group, "region");

    return g_strcmp0(endpoint, file->endpoint) == 0 && g_strcmp0(region, file->region) == 0;
}

/* --- locks ------------------------------------------------------------------------------------ */

static gboolean
fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "%s %s: %s", what, path, g_strerror(errno));
    return FALSE;
}

static gboolean
set_lock(CfComposeFile *file, short type, gint64 byte, gboolean wait)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result;

    do
        result = fcntl(file->lock_fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

static gboolean
is_owned(CfComposeFile *file, gint64 owner)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = owner, .l_len = 1};

    if (owner == file->owner)
        return TRUE;
    return owner > 0 && fcntl(file->lock_fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static gboolean
make_dir(CfComposeFile *file, GError **error)
{
    struct stat status;

    if (g_mkdir_with_parents(file->dir, 0700) < 0 || stat(file->dir, &status) < 0)
        return fail(error, "cannot make", file->dir);
    if (status.st_uid != geteuid() || (status.st_mode & 022)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL,
                    "%s: others can write there, or it is somebody else's", file->dir);
        return FALSE;
    }
    return TRUE;
}

/* A byte that nobody else has; held until the file is closed, however the daemon ends. */
static gboolean
take_byte(CfComposeFile *file, GError **error)
{
    for (guint tries = 0; tries < 100; tries++) {
        guint32 number;

        if (getrandom(&number, sizeof number, 0) != sizeof number)
            break;
        if ((number &= G_MAXINT32) && set_lock(file, F_WRLCK, number, FALSE)) {
            file->owner = number;
            return TRUE;
        }
        if (errno != EAGAIN && errno != EACCES)
            break;
    }
    return fail(error, "cannot lock", file->lock_path);
}

/* Returns: whether byte 0 is locked. */
static gboolean
lock(CfComposeFile *file, GError **error)
{
    if (file->lock_fd < 0) {
        if (!make_dir(file, error))
            return FALSE;
        file->lock_fd = open(file->lock_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_CREAT, 0600);
        if (file->lock_fd < 0)
            return fail(error, "cannot open", file->lock_path);
    }
    if (!set_lock(file, F_WRLCK, 0, TRUE))
        return fail(error, "cannot lock", file->lock_path);
    return TRUE;
}

static void
unlock(CfComposeFile *file)
{
    set_lock(file, F_UNLCK, 0, FALSE);
}

/* --- the file, under the lock ----------------------------------------------------------------- */

static gboolean
sync_dir(CfComposeFile *file)
{
    int fd = open(file->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return good;
}

static gboolean
write_all(int fd, const char *text, gsize size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        text += n;
        size -= (gsize) n;
    }
    return fsync(fd) == 0;
}

/* Another file takes its place in one step, or it stays as it is. */
static gboolean
replace(CfComposeFile *file, GKeyFile *keys, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(keys, NULL);
    gsize size;
    g_autofree char *text = g_key_file_to_data(keys, &size, NULL);
    gboolean good;
    int fd;

    if (!groups[0]) {
        if (unlink(file->path) < 0 && errno != ENOENT)
            return fail(error, "cannot remove", file->path);
        sync_dir(file);
        return TRUE;
    }
    fd = open(file->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(error, "cannot write", file->temporary);
    good = write_all(fd, text, size);
    close(fd);
    if (!good || rename(file->temporary, file->path) < 0 || !sync_dir(file))
        return fail(error, "cannot write", file->path);
    return TRUE;
}

/* Returns: (transfer full) (nullable). Errors: PROTOCOL when it cannot be understood. */
static GKeyFile *
read_keys(CfComposeFile *file, GError **error)
{
    g_autoptr(GKeyFile) keys = g_key_file_new();
    g_autoptr(GError) wrong = NULL;

    if (!g_key_file_load_from_file(keys, file->path, G_KEY_FILE_KEEP_COMMENTS, &wrong) &&
        !g_error_matches(wrong, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_set_error(error, CF_ERROR,
                    wrong->domain == G_KEY_FILE_ERROR ? CF_ERROR_PROTOCOL : CF_ERROR_INTERNAL,
                    "%s: %s", file->path, wrong->message);
        return NULL;
    }
    return g_steal_pointer(&keys);
}

/* What nobody can read is kept for somebody to look at. */
static GKeyFile *
read_or_set_aside(CfComposeFile *file, GError **error)
{
    g_autofree char *aside = g_strconcat(file->path, ".broken", NULL);
    g_autoptr(GError) wrong = NULL;
    GKeyFile *keys = read_keys(file, &wrong);

    if (wrong && g_error_matches(wrong, CF_ERROR, CF_ERROR_PROTOCOL) &&
        rename(file->path, aside) == 0)
        g_prefix_error(&wrong, "set aside as %s: ", aside);
    if (wrong)
        g_propagate_error(error, g_steal_pointer(&wrong));
    return keys;
}

/* --- the doors -------------------------------------------------------------------------------- */

CfComposeFile *
cf_compose_file_new(const char *dir, const char *profile, const char *endpoint, const char *region)
{
    CfComposeFile *file = g_new0(CfComposeFile, 1);
    g_autofree char *stem = cf_name_encode(profile);

    if (strlen(stem) > STEM_MAX) {
        g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, stem, -1);

        memcpy(stem + STEM_MAX - strlen(sum), sum, strlen(sum));
        stem[STEM_MAX] = '\0';
    }
    file->dir = g_strdup(dir);
    file->path = g_strdup_printf("%s/%s.composed", dir, stem);
    file->temporary = g_strdup_printf("%s/%s.composed.new", dir, stem);
    file->lock_path = g_strdup_printf("%s/%s.lock", dir, stem);
    file->endpoint = g_strdup(endpoint);
    file->region = g_strdup(region);
    file->lock_fd = -1;
    return file;
}

void
cf_compose_file_free(CfComposeFile *file)
{
    if (!file)
        return;
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    g_free(file->dir);
    g_free(file->path);
    g_free(file->temporary);
    g_free(file->lock_path);
    g_free(file->endpoint);
    g_free(file->region);
    g_free(file);
}

const char *
cf_compose_file_get_path(CfComposeFile *file)
{
    return file->path;
}

gboolean
cf_compose_file_save(CfComposeFile *file, const GPtrArray *entries, GError **error)
{
    g_autoptr(GKeyFile) keys = NULL;
    g_auto(GStrv) groups = NULL;
    guint number = 0;
    gboolean good;

    if (!lock(file, error))
        return FALSE;
    good = file->owner || take_byte(file, error);
    keys = good ? read_or_set_aside(file, error) : NULL;
    if (!keys) {
        unlock(file);
        return FALSE;
    }
    groups = g_key_file_get_groups(keys, NULL);
    for (guint i = 0; groups[i]; i++)
        if (g_key_file_get_int64(keys, groups[i], "owner", NULL) == file->owner)
            g_key_file_remove_group(keys, groups[i], NULL);
    g_key_file_set_comment(keys, NULL, NULL, HEADER, NULL);
    for (guint i = 0; i < entries->len; i++) {
        g_autofree char *group = NULL;

        do {
            g_free(group);
            group = g_strdup_printf("composed %u", ++number);
        } while (g_key_file_has_group(keys, group));
        put_entry(file, keys, group, entries->pdata[i]);
    }
    good = replace(file, keys, error);
    unlock(file);
    return good;
}

/* Returns: whether the entry is one that nobody cares for; FALSE and one more of ret_others when
 * somebody does. */
static gboolean
is_orphan(CfComposeFile *file, GKeyFile *keys, const char *group, guint *ret_others)
{
    if (!is_of_account(file, keys, group))
        return FALSE;
    if (!is_owned(file, g_key_file_get_int64(keys, group, "owner", NULL)))
        return TRUE;
    ++*ret_others;
    return FALSE;
}

static GPtrArray *
take_over(CfComposeFile *file, GKeyFile *keys, guint *ret_others, GError **error)
{
    g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(cf_compose_entry_free);
    g_auto(GStrv) groups = g_key_file_get_groups(keys, NULL);

    for (guint i = 0; groups[i]; i++) {
        CfComposeEntry *entry;

        if (!is_orphan(file, keys, groups[i], ret_others))
            continue;
        entry = get_entry(keys, groups[i]);
        if (!entry) {
            g_key_file_remove_group(keys, groups[i], NULL);
            continue;
        }
        g_key_file_set_int64(keys, groups[i], "owner", file->owner);
        g_ptr_array_add(taken, entry);
    }
    if (taken->len > 0 && !replace(file, keys, error))
        return NULL;
    return g_steal_pointer(&taken);
}

GPtrArray *
cf_compose_file_load(CfComposeFile *file, guint *ret_others, GError **error)
{
    g_autoptr(GKeyFile) keys = NULL;
    GPtrArray *taken = NULL;

    *ret_others = 0;
    if (access(file->path, F_OK) < 0 && errno == ENOENT)
        return g_ptr_array_new_with_free_func(cf_compose_entry_free);
    if (!lock(file, error))
        return NULL;
    if (file->owner || take_byte(file, error))
        keys = read_or_set_aside(file, error);
    if (keys)
        taken = take_over(file, keys, ret_others, error);
    unlock(file);
    return taken;
}

guint
cf_compose_file_count(CfComposeFile *file)
{
    g_autoptr(GKeyFile) keys = NULL;
    g_auto(GStrv) groups = NULL;
    guint orphans = 0, others = 0;

    if (access(file->path, F_OK) < 0 || !lock(file, NULL))
        return 0;
    keys = read_keys(file, NULL);
    groups = keys ? g_key_file_get_groups(keys, NULL) : NULL;
    for (guint i = 0; groups && groups[i]; i++)
        orphans += is_orphan(file, keys, groups[i], &others);
    unlock(file);
    return orphans;
}
