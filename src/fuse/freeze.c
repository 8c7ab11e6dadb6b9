/* What the kernel was told of a file while a WRITE to it waits.
 *
 * That WRITE has the file's page locked. Were the kernel told of another time or size meanwhile, it
 * would drop the page, wait for the lock, and so for the cloud: `ls -l` beside a slow action would
 * hang. SETATTR (`echo off > power` truncates first) answers with a time that is a little off, so
 * that the kernel asks again behind the WRITE; until the WRITE is answered that same time is told.
 */
#include "fuse/private.h"

typedef struct {
    CfIno ino; /* the key */
    gint64 mtime_ns;
    guint64 size;
    guint writes; /* that wait */
} Frozen;

struct _CfFreezer {
    GMutex lock; /* protects the table; a leaf */
    GHashTable *files;
    atomic_uint count; /* of it, for those who need not look */
};

CfFreezer *
cf_freezer_new(void)
{
    CfFreezer *freezer = g_new0(CfFreezer, 1);

    g_mutex_init(&freezer->lock);
    freezer->files = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return freezer;
}

void
cf_freezer_free(CfFreezer *freezer)
{
    if (!freezer)
        return;
    g_hash_table_unref(freezer->files);
    g_mutex_clear(&freezer->lock);
    g_free(freezer);
}

/* Under the lock. */
static void
remove_file(CfFreezer *freezer, CfIno ino)
{
    g_hash_table_remove(freezer->files, &ino);
    atomic_store(&freezer->count, g_hash_table_size(freezer->files));
}

void
cf_freezer_told(CfFreezer *freezer, const CfAttr *attr)
{
    Frozen *frozen;

    g_mutex_lock(&freezer->lock);
    frozen = g_hash_table_lookup(freezer->files, &attr->ino);
    if (!frozen) {
        frozen = g_new0(Frozen, 1);
        frozen->ino = attr->ino;
        g_hash_table_insert(freezer->files, &frozen->ino, frozen);
        atomic_store(&freezer->count, g_hash_table_size(freezer->files));
    }
    frozen->mtime_ns = attr->mtime_ns;
    frozen->size = attr->size;
    g_mutex_unlock(&freezer->lock);
}

void
cf_freezer_begin(CfFreezer *freezer, CfIno ino)
{
    Frozen *frozen;

    if (atomic_load(&freezer->count) == 0)
        return;
    g_mutex_lock(&freezer->lock);
    frozen = g_hash_table_lookup(freezer->files, &ino);
    if (frozen)
        frozen->writes++;
    g_mutex_unlock(&freezer->lock);
}

void
cf_freezer_end(CfFreezer *freezer, CfIno ino)
{
    if (atomic_load(&freezer->count) == 0)
        return;
    g_mutex_lock(&freezer->lock);
    remove_file(freezer, ino);
    g_mutex_unlock(&freezer->lock);
}

void
cf_freezer_apply(CfFreezer *freezer, CfAttr *attr)
{
    Frozen *frozen;

    if (atomic_load(&freezer->count) == 0)
        return;
    g_mutex_lock(&freezer->lock);
    frozen = g_hash_table_lookup(freezer->files, &attr->ino);
    if (frozen && frozen->writes > 0) {
        attr->mtime_ns = frozen->mtime_ns;
        attr->size = frozen->size;
        attr->attr_timeout_us = 0;
    } else if (frozen) {
        remove_file(freezer, attr->ino); /* nobody wrote: from here on the kernel knows the truth */
    }
    g_mutex_unlock(&freezer->lock);
}
