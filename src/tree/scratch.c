#include "tree/scratch.h"

#include <string.h>

#include "tree/node.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define DIR_TIMES_MAX 1024

struct _CfScratches {
    GPtrArray *files; /* (element-type CfScratch) (owned), by number; few */
    guint32 last;     /* the number given last */
    GHashTable *dir_times;
};

static void
scratch_free(gpointer data)
{
    CfScratch *file = data;

    g_byte_array_unref(file->bytes);
    g_free(file->name);
    g_free(file);
}

CfScratches *
cf_scratches_new(void)
{
    CfScratches *all = g_new0(CfScratches, 1);

    all->files = g_ptr_array_new_with_free_func(scratch_free);
    all->dir_times = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return all;
}

void
cf_scratches_free(CfScratches *all)
{
    if (!all)
        return;
    g_ptr_array_unref(all->files);
    g_hash_table_unref(all->dir_times);
    g_free(all);
}

/* ---- finding ---- */

static CfScratch *
find_number(CfScratches *all, guint32 number)
{
    for (guint i = 0; i < all->files->len; i++) {
        CfScratch *file = all->files->pdata[i];

        if (file->number == number)
            return file;
    }
    return NULL;
}

CfScratch *
cf_scratch_get(CfScratches *all, guint32 number, gint64 now_us)
{
    CfScratch *file = find_number(all, number);

    if (file)
        file->used_us = now_us;
    return file;
}

CfScratch *
cf_scratch_find(CfScratches *all, CfIno dir, const char *name, gint64 now_us)
{
    for (guint i = 0; i < all->files->len; i++) {
        CfScratch *file = all->files->pdata[i];

        if (file->dir == dir && file->name && strcmp(file->name, name) == 0) {
            file->used_us = now_us;
            return file;
        }
    }
    return NULL;
}

CfScratch *
cf_scratch_next(CfScratches *all, CfIno dir, guint32 after)
{
    CfScratch *next = NULL;

    for (guint i = 0; i < all->files->len; i++) {
        CfScratch *file = all->files->pdata[i];

        if (file->dir == dir && file->name && file->number > after &&
            (!next || file->number < next->number))
            next = file;
    }
    return next;
}

/* ---- coming and going ---- */

static void
note_dir(CfScratches *all, CfIno dir)
{
    gint64 *time_ns = g_new(gint64, 1);

    /* So that it stays small; what is lost is only the time of directories long ago. */
    if (g_hash_table_size(all->dir_times) >= DIR_TIMES_MAX)
        g_hash_table_remove_all(all->dir_times);
    *time_ns = MAX(cf_clock_real_ns(), cf_scratch_get_dir_time(all, dir) + 1);
    g_hash_table_replace(all->dir_times, g_memdup2(&dir, sizeof dir), time_ns);
}

gint64
cf_scratch_get_dir_time(CfScratches *all, CfIno dir)
{
    const gint64 *time_ns = g_hash_table_lookup(all->dir_times, &dir);

    return time_ns ? *time_ns : 0;
}

static guint32
new_number(CfScratches *all)
{
    do
        all->last = (all->last + 1) & ((1u << CF_HANDLE_BITS) - 1);
    while (all->last == 0 || find_number(all, all->last));
    return all->last;
}

CfScratch *
cf_scratch_add(CfScratches *all, CfIno dir, const char *name, mode_t mode, gint64 now_us,
               GError **error)
{
    CfScratch *file;

    if (strlen(name) > CF_NAME_MAX) {
        g_set_error(error, CF_ERROR, CF_ERROR_NAME_TOO_LONG, "a name has at most %d bytes",
                    CF_NAME_MAX);
        return NULL;
    }
    if (all->files->len >= CF_SCRATCH_FILES_MAX) {
        g_set_error(error, CF_ERROR, CF_ERROR_QUOTA, "there are %d scratch files already",
                    CF_SCRATCH_FILES_MAX);
        return NULL;
    }
    file = g_new0(CfScratch, 1);
    file->number = new_number(all);
    file->dir = dir;
    file->name = g_strdup(name);
    file->bytes = g_byte_array_new();
    file->mode = mode & 0777;
    file->mtime_ns = cf_clock_real_ns();
    file->used_us = now_us;
    g_ptr_array_add(all->files, file);
    note_dir(all, dir);
    return file;
}

void
cf_scratch_rename(CfScratches *all, CfScratch *file, const char *name)
{
    g_free(file->name);
    file->name = g_strdup(name);
    note_dir(all, file->dir);
}

void
cf_scratch_remove(CfScratches *all, CfScratch *file)
{
    if (file->name)
        note_dir(all, file->dir);
    g_ptr_array_remove(all->files, file);
}

void
cf_scratch_unlink(CfScratches *all, CfScratch *file)
{
    if (file->lookups == 0) {
        cf_scratch_remove(all, file);
        return;
    }
    note_dir(all, file->dir);
    g_clear_pointer(&file->name, g_free);
}

void
cf_scratch_forget(CfScratches *all, guint32 number, guint64 n)
{
    CfScratch *file = find_number(all, number);

    if (!file)
        return;
    file->lookups -= MIN(n, file->lookups);
    if (file->lookups == 0 && !file->name)
        cf_scratch_remove(all, file);
}

gint64
cf_scratch_expire(CfScratches *all, gint64 now_us, GArray *ret_dirs)
{
    gint64 rest_us = -1;

    for (guint i = 0; i < all->files->len;) {
        CfScratch *file = all->files->pdata[i];
        gint64 left_us = file->used_us + CF_SCRATCH_IDLE_US - now_us;

        if (left_us <= 0) {
            if (file->name)
                g_array_append_val(ret_dirs, file->dir);
            cf_scratch_remove(all, file);
            continue;
        }
        rest_us = rest_us < 0 ? left_us : MIN(rest_us, left_us);
        i++;
    }
    return rest_us;
}

/* ---- content ---- */

static void
changed(CfScratch *file)
{
    file->mtime_ns = MAX(cf_clock_real_ns(), file->mtime_ns + 1);
    file->stale = FALSE;
}

static gboolean
fits(guint64 size, GError **error)
{
    if (size <= CF_SCRATCH_SIZE_MAX)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_FILE_TOO_BIG, "a scratch file has at most %d bytes",
                CF_SCRATCH_SIZE_MAX);
    return FALSE;
}

static void
set_size(CfScratch *file, guint size)
{
    guint old = file->bytes->len;

    g_byte_array_set_size(file->bytes, size);
    if (size > old)
        memset(file->bytes->data + old, 0, size - old);
}

gboolean
cf_scratch_resize(CfScratch *file, guint64 size, GError **error)
{
    if (!fits(size, error))
        return FALSE;
    set_size(file, (guint) size);
    changed(file);
    return TRUE;
}

gboolean
cf_scratch_write(CfScratch *file, guint64 offset, const char *data, gsize size, GError **error)
{
    if (!fits(offset > CF_SCRATCH_SIZE_MAX ? offset : offset + size, error))
        return FALSE;
    if (file->bytes->len < offset + size)
        set_size(file, (guint) (offset + size));
    if (size > 0)
        memcpy(file->bytes->data + offset, data, size);
    changed(file);
    return TRUE;
}
