#include "tree/tree.h"

#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

/* ---- life ---- */

static void
raw_path_free(gpointer data)
{
    CfRawPath *path = data;

    g_free(path->name);
    g_free(path);
}

CfTree *
cf_tree_new(const CfTreeOptions *options)
{
    CfTree *tree = g_new0(CfTree, 1);

    tree->options = *options;
    tree->version = g_strdup(options->version);
    tree->config = g_strdup(options->config ? options->config : "");
    tree->options.version = NULL;
    tree->options.config = NULL;
    tree->profiles = g_ptr_array_new();
    tree->born_ns = cf_clock_real_ns();
    g_mutex_init(&tree->lock);
    tree->raw_numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tree->raw_paths = g_ptr_array_new_with_free_func(raw_path_free);
    tree->writes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, cf_last_write_free);
    tree->scratches = cf_scratches_new();
    tree->made = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    tree->aways = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return tree;
}

static void
collection_clear(CfTreeCollection *collection)
{
    g_byte_array_unref(collection->seen);
    g_ptr_array_unref(collection->versions);
    cf_search_texts_free(collection->searches);
    for (guint i = 0; i < CF_VIEWS_MAX; i++)
        if (collection->values[i].numbers) {
            g_hash_table_unref(collection->values[i].numbers);
            g_ptr_array_unref(collection->values[i].texts);
            g_array_unref(collection->values[i].times);
        }
}

void
cf_tree_free(CfTree *tree)
{
    if (!tree)
        return;
    for (guint i = 0; i < tree->profiles->len; i++) {
        CfTreeProfile *profile = tree->profiles->pdata[i];

        for (guint c = 0; c < CF_COLLECTION_N; c++)
            collection_clear(&profile->collections[c]);
        g_free(profile->health.text);
        g_free(profile->plan);
        g_free(profile->name);
        g_free(profile);
    }
    g_ptr_array_unref(tree->profiles);
    g_hash_table_unref(tree->raw_numbers);
    g_ptr_array_unref(tree->raw_paths);
    g_hash_table_unref(tree->writes);
    if (tree->keys.numbers) {
        g_hash_table_unref(tree->keys.numbers);
        g_ptr_array_unref(tree->keys.texts);
        g_array_unref(tree->keys.times);
    }
    cf_scratches_free(tree->scratches);
    g_hash_table_unref(tree->made);
    g_hash_table_unref(tree->aways);
    g_free(tree->stats.text);
    g_free(tree->log.text);
    g_free(tree->version);
    g_free(tree->config);
    g_mutex_clear(&tree->lock);
    g_free(tree);
}

void
cf_tree_add_profile(CfTree *tree, CfInventory *inventory)
{
    CfTreeProfile *profile = g_new0(CfTreeProfile, 1);

    profile->tree = tree;
    profile->inventory = inventory;
    profile->name = cf_name_encode(cf_inventory_get_profile(inventory));
    for (guint c = 0; c < CF_COLLECTION_N; c++) {
        profile->collections[c].seen = g_byte_array_new();
        profile->collections[c].versions = g_ptr_array_new_with_free_func(cf_version_free);
    }
    g_ptr_array_add(tree->profiles, profile);
    profile->index = tree->profiles->len;
    cf_tree_hook(profile);
}

void
cf_tree_set_sink(CfTree *tree, const CfTreeSink *sink)
{
    /* The engine may publish already. */
    g_mutex_lock(&tree->lock);
    tree->sink = *sink;
    g_mutex_unlock(&tree->lock);
}

void
cf_tree_set_stats(CfTree *tree, void (*append)(GString *out, gpointer data), gpointer data)
{
    tree->append_stats = append;
    tree->stats_data = data;
}

CfTreeSink
cf_tree_sink(CfTree *tree)
{
    CfTreeSink sink;

    g_mutex_lock(&tree->lock);
    sink = tree->sink;
    g_mutex_unlock(&tree->lock);
    return sink;
}

gboolean
cf_tree_fail(GError **error, CfErrorCode code, const char *words)
{
    g_set_error_literal(error, CF_ERROR, (gint) code, words);
    return FALSE;
}

/* ---- reading ---- */

static GBytes *
cut(const char *text, gsize len, guint64 offset, gsize size)
{
    if (offset >= len)
        return g_bytes_new(NULL, 0);
    return g_bytes_new(text + offset, MIN(size, len - (gsize) offset));
}

static GBytes *
read_text(const CfPlace *place, guint64 offset, gsize size, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    CfRaw raw;

    if (place->node.kind == CF_KIND_RAW) {
        if (place->node.sub == CF_RAW_REFRESH)
            return g_bytes_new(NULL, 0);
        if (!cf_raw_find(place->tree, &place->subject, place->node.sub, &raw)) {
            cf_tree_fail(error, CF_ERROR_GONE, "the cloud has no such value now");
            return NULL;
        }
        cf_raw_show(&raw, text);
    } else {
        const CfAttribute *row = place->node.sub ? cf_place_row(place) : NULL;

        if (row && cf_attribute_is_visible(row, &place->subject)) {
            cf_attribute_show(row, &place->subject, text);
        } else if (place->node.kind != CF_KIND_META || !cf_meta_is_unwritten(place)) {
            cf_tree_fail(error, CF_ERROR_GONE, "the cloud has no such value now");
            return NULL;
        }
    }
    return cut(text->str, text->len, offset, size);
}

static GBytes *
read_static(const CfPlace *place, guint64 offset, gsize size, GError **error)
{
    gint64 mtime_ns;
    g_autofree char *text = cf_static_text(place->tree, &place->node, FALSE, &mtime_ns);

    if (!text) {
        cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such file");
        return NULL;
    }
    return cut(text, strlen(text), offset, size);
}

static GBytes *
read_version(const CfPlace *place, guint64 offset, gsize size, GError **error)
{
    GBytes *bytes = NULL;
    CfVersion *version;

    g_mutex_lock(&place->tree->lock);
    version = cf_version_find(place->profile, place->node.collection, place->node.handle);
    if (version)
        bytes = cf_version_read(place->profile, version, place->node.sub, offset, size);
    g_mutex_unlock(&place->tree->lock);
    if (!bytes)
        cf_tree_fail(error, CF_ERROR_CHANGED, "that version is no longer kept");
    return bytes;
}

static GBytes *
read_scratch(const CfPlace *place, guint64 offset, gsize size, GError **error)
{
    GBytes *bytes = NULL;
    CfScratch *file;

    g_mutex_lock(&place->tree->lock);
    file = cf_scratch_of(place, error);
    if (file)
        bytes = cut((const char *) file->bytes->data, file->bytes->len, offset, size);
    g_mutex_unlock(&place->tree->lock);
    return bytes;
}

GBytes *
cf_tree_read(CfTree *tree, CfIno ino, guint64 offset, gsize size, GError **error)
{
    g_auto(CfPlace) place = {0};
    GBytes *bytes;

    if (!cf_place_init(&place, tree, ino, error))
        return NULL;
    /* Who has a scratch file open was let in. */
    if (place.node.kind == CF_KIND_SCRATCH)
        return read_scratch(&place, offset, size, error);
    /* Root passes the kernel's check of mode bits; we do not. */
    if (!(cf_place_mode(&place) & 0444)) {
        cf_tree_fail(error, CF_ERROR_DENIED, "this file is only written");
        return NULL;
    }
    switch (place.node.kind) {
    case CF_KIND_STATIC:
        return read_static(&place, offset, size, error);
    case CF_KIND_RESOURCE:
    case CF_KIND_RAW:
    case CF_KIND_META:
        return read_text(&place, offset, size, error);
    case CF_KIND_VERSION:
        return read_version(&place, offset, size, error);
    case CF_KIND_APPEND:
        bytes = cf_append_read(cf_place_append(&place), place.node.handle, (gsize) offset, size);
        if (!bytes)
            cf_tree_fail(error, CF_ERROR_CHANGED, "that file is no longer kept");
        return bytes;
    case CF_KIND_VALUE:
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
    case CF_KIND_SCRATCH:
    case CF_KIND_SEARCH:
    case CF_KIND_N:
        break;
    }
    cf_tree_fail(error, CF_ERROR_INVALID, "not a file");
    return NULL;
}

/* ---- the rest ---- */

void
cf_tree_forget(CfTree *tree, CfIno ino, guint64 n)
{
    CfNode node;
    CfTreeProfile *profile;
    CfVersion *version;

    if (!cf_node_unpack(ino, &node))
        return;
    if (node.kind == CF_KIND_SCRATCH) {
        g_mutex_lock(&tree->lock);
        cf_scratch_forget(tree->scratches, node.handle, n);
        g_mutex_unlock(&tree->lock);
    }
    if (node.kind != CF_KIND_VERSION)
        return;
    profile = cf_tree_profile(tree, node.profile);
    if (!profile)
        return;
    g_mutex_lock(&tree->lock);
    version = cf_version_find(profile, node.collection, node.handle);
    if (version) {
        version->lookups -= MIN(n, version->lookups);
        if (version->lookups == 0 && version->off_tree)
            g_ptr_array_remove(profile->collections[node.collection].versions, version);
    }
    g_mutex_unlock(&tree->lock);
}

guint64
cf_tree_count(CfTree *tree)
{
    guint64 count = 0;

    for (guint i = 0; i < tree->profiles->len; i++)
        for (guint c = 0; c < CF_COLLECTION_N; c++) {
            CfTreeProfile *profile = tree->profiles->pdata[i];
            g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(profile->inventory, c);

            count += snapshot ? snapshot->n : 0;
        }
    return count;
}

static void
on_refreshed(const GError *error, gpointer data)
{
}

void
cf_tree_refresh(CfTree *tree, CfIno ino, CfDoneCallback callback, gpointer data)
{
    CfNode node;
    CfTreeProfile *profile = NULL;

    if (cf_node_unpack(ino, &node))
        profile = cf_tree_profile(tree, node.profile);
    if (profile && cf_node_is_of_collection(&node))
        cf_inventory_refresh(profile->inventory, node.collection, callback, data);
    else
        callback(NULL, data);
}

gboolean
cf_tree_can_poll(CfIno ino)
{
    CfNode node;
    guint n;
    const CfAttribute *rows;

    if (!cf_node_unpack(ino, &node) || node.kind != CF_KIND_RESOURCE)
        return FALSE;
    rows = cf_attributes_get(node.collection, &n);
    return node.sub > 0 && node.sub <= n && rows[node.sub - 1].poll;
}

void
cf_tree_watch(CfTree *tree, CfIno ino, gint64 until_us)
{
    CfNode node;
    CfTreeProfile *profile = NULL;

    if (cf_node_unpack(ino, &node))
        profile = cf_tree_profile(tree, node.profile);
    if (profile && cf_node_is_of_collection(&node))
        cf_inventory_watch(profile->inventory, node.collection, until_us);
}

void
cf_tree_refresh_all(CfTree *tree)
{
    for (guint i = 0; i < tree->profiles->len; i++)
        for (guint c = 0; c < CF_COLLECTION_N; c++) {
            CfTreeProfile *profile = tree->profiles->pdata[i];
            g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(profile->inventory, c);

            if (snapshot)
                cf_inventory_refresh(profile->inventory, c, on_refreshed, NULL);
        }
}

gboolean
cf_tree_is_view(CfIno ino)
{
    CfNode node;

    if (!cf_node_unpack(ino, &node))
        return FALSE;
    return node.kind == CF_KIND_VALUE || node.kind == CF_KIND_SEARCH ||
           (node.kind == CF_KIND_STATIC && node.sub >= CF_STATIC_SEARCH);
}
