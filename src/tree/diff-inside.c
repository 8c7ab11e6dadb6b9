/* What changed below raw/ and metadata/ of a resource that was looked into. */
#include <string.h>

#include "model/metadata.h"
#include "tree/diff.h"
#include "util/text.h"

/* ---- raw/ ---- */

typedef struct {
    CfDiff *diff;
    guint32 handle;
    guint parent;
    GHashTable *others; /* name → CfRaw: the members of the version to compare with */
    gboolean gone;      /* whether what we walk is the older version */
} RawDiff;

static gboolean
raw_collect_walk(const char *name, const CfRaw *raw, guint index, gpointer data)
{
    g_hash_table_replace(data, g_strdup(name), g_memdup2(raw, sizeof *raw));
    return TRUE;
}

/* Returns: (transfer full): name → CfRaw; the text stays the record's. */
static GHashTable *
raw_members(const CfSubject *subject, const CfRaw *raw)
{
    GHashTable *members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    cf_raw_walk(subject, raw, raw_collect_walk, members);
    return members;
}

static gboolean
raw_is_same(const CfRaw *a, const CfRaw *b)
{
    return a->span.len == b->span.len && memcmp(a->span.text, b->span.text, a->span.len) == 0;
}

static void
raw_diff_walk(gpointer key, gpointer value, gpointer data)
{
    const char *name = key;
    const CfRaw *raw = value;
    RawDiff *walk = data;
    const CfRaw *there = g_hash_table_lookup(walk->others, name);
    gboolean has = there && cf_raw_is_dir(there) == cf_raw_is_dir(raw);
    guint number = cf_raw_number(walk->diff->profile->tree, walk->parent, name, FALSE);
    CfIno parent = cf_diff_ino(walk->diff, CF_KIND_RAW, walk->handle, walk->parent);

    if (!has)
        cf_diff_tell_entry(walk->diff, parent, name);
    if (!has && !walk->gone)
        cf_diff_tell_inode(walk->diff, parent, 0);
    if (!walk->gone || !number)
        return;
    /* Something was once looked up under that name. */
    if (!has || !raw_is_same(there, raw))
        cf_diff_tell_inode(walk->diff, cf_diff_ino(walk->diff, CF_KIND_RAW, walk->handle, number),
                           0);
}

static void raw_diff(CfDiff *diff, const CfChange *change, guint path, const CfRaw *before,
                     const CfRaw *after);

typedef struct {
    CfDiff *diff;
    const CfChange *change;
    guint path;
    GHashTable *after; /* name → CfRaw */
} RawDeep;

static void
raw_deep_walk(gpointer key, gpointer value, gpointer data)
{
    const char *name = key;
    const CfRaw *raw = value;
    RawDeep *deep = data;
    guint number = cf_raw_number(deep->diff->profile->tree, deep->path, name, FALSE);
    const CfRaw *there = number ? g_hash_table_lookup(deep->after, name) : NULL;

    if (there && !raw_is_same(there, raw) && cf_raw_is_dir(raw) && cf_raw_is_dir(there))
        raw_diff(deep->diff, deep->change, number, raw, there);
}

static void
raw_diff(CfDiff *diff, const CfChange *change, guint path, const CfRaw *before, const CfRaw *after)
{
    CfSubject old = cf_diff_subject(diff, change->before);
    CfSubject new = cf_diff_subject(diff, change->after);
    g_autoptr(GHashTable) olds = raw_members(&old, before);
    g_autoptr(GHashTable) news = raw_members(&new, after);
    RawDiff gone = {diff, change->after->handle, path, news, TRUE};
    RawDiff come = {diff, change->after->handle, path, olds, FALSE};
    RawDeep deep = {diff, change, path, news};

    g_hash_table_foreach(olds, raw_diff_walk, &gone);
    g_hash_table_foreach(news, raw_diff_walk, &come);
    cf_diff_tell_inode(diff, cf_diff_ino(diff, CF_KIND_RAW, change->after->handle, path), 0);
    g_hash_table_foreach(olds, raw_deep_walk, &deep);
}

void
cf_diff_raw(CfDiff *diff, const CfChange *change)
{
    CfRaw old = {.secret = FALSE}, new = {.secret = FALSE};

    old.span.text = cf_record_get_raw(change->before->base, &old.span.len);
    new.span.text = cf_record_get_raw(change->after->base, &new.span.len);
    raw_diff(diff, change, 0, &old, &new);
}

/* ---- metadata/ ---- */

static void
meta_file_changed(CfDiff *diff, guint32 handle, const char *key, gboolean moved)
{
    CfIno dir = cf_diff_ino(diff, CF_KIND_META, handle, 0);
    guint number = cf_meta_number(diff->profile->tree, key, FALSE);

    if (moved) {
        g_autofree char *name = cf_id_encode(key);

        cf_diff_tell_entry(diff, dir, name);
    }
    if (number)
        cf_diff_tell_inode(diff, cf_diff_ino(diff, CF_KIND_META, handle, number), -1);
}

void
cf_diff_metadata(CfDiff *diff, const CfResource *before, const CfResource *after)
{
    const char *old_text = cf_resource_get(before, CF_SERVER_METADATA);
    const char *new_text = after ? cf_resource_get(after, CF_SERVER_METADATA) : NULL;
    g_auto(GStrv) old_keys = cf_metadata_keys(old_text);
    g_auto(GStrv) new_keys = cf_metadata_keys(new_text);
    gboolean members = FALSE;

    for (guint i = 0; old_keys[i]; i++) {
        gboolean gone = !g_strv_contains((const char *const *) new_keys, old_keys[i]);

        meta_file_changed(diff, before->handle, old_keys[i], gone);
        members |= gone;
    }
    for (guint i = 0; new_keys[i]; i++) {
        if (g_strv_contains((const char *const *) old_keys, new_keys[i]))
            continue;
        meta_file_changed(diff, before->handle, new_keys[i], TRUE);
        members = TRUE;
    }
    cf_diff_tell_inode(diff, cf_diff_ino(diff, CF_KIND_META, before->handle, 0), members ? 0 : -1);
}
