/* Names to nodes. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

/* ---- lookup ---- */

static CfVerdict
no_entry(const CfPlace *place, CfEntry *entry)
{
    int view = cf_view_of_node(&place->node);

    *entry = (CfEntry){.entry_timeout_us = CF_TIMEOUT_LONG_US};
    if (place->profile && cf_node_is_of_collection(&place->node))
        entry->entry_timeout_us = cf_place_rest_us(place);
    /* A name that is made there must be seen at once, and may not be the one that was asked for. */
    if (view >= 0 && cf_view_is_editable((guint) view, place->profile, place->node.collection))
        entry->entry_timeout_us = 0;
    return CF_DONE;
}

static CfVerdict
lookup_collection(CfPlace *place, CfCollection collection, gboolean waited, CfEntry *entry,
                  CfNeed *need, GError **error)
{
    CfNode node = {CF_KIND_STATIC, collection, place->node.profile, 0, CF_STATIC_COLLECTION};

    if (cf_tree_must_wait_coming(place->profile, collection, 0, waited, need))
        return CF_WAIT;
    place->node = node;
    cf_place_renew(place);
    if (!place->snapshot && !cf_inventory_has_coming(place->profile->inventory, collection, 0)) {
        cf_tree_fail(error, CF_ERROR_TIMEOUT, "nothing was fetched yet");
        return CF_FAILED;
    }
    return cf_place_entry(place, node, entry, error);
}

static CfVerdict
lookup_append(CfPlace *place, guint sub, gboolean former, CfEntry *entry, GError **error)
{
    CfNode node = cf_place_node(place, CF_KIND_APPEND, 0, sub);
    guint32 number;

    place->node = node;
    number = cf_append_get_number(cf_place_append(place));
    if (former && number < 2) {
        place->node = cf_place_node(place, CF_KIND_STATIC, 0, CF_STATIC_PROFILE);
        return no_entry(place, entry);
    }
    node.handle = former ? number - 1 : number;
    return cf_place_entry(place, node, entry, error);
}

static CfVerdict
lookup_profile(CfPlace *place, const char *name, gboolean waited, CfEntry *entry, CfNeed *need,
               GError **error)
{
    const CfStaticRow *row = cf_static_find(CF_STATIC_PROFILE, name);

    for (guint c = 0; c < CF_COLLECTION_N; c++)
        if (strcmp(name, cf_collection_name(c)) == 0)
            return lookup_collection(place, c, waited, entry, need, error);
    for (guint sub = 0; sub < 2; sub++) {
        const char *stem = sub ? "journal" : "events";

        if (g_str_has_prefix(name, stem) && strcmp(name + strlen(stem), ".jsonl") == 0)
            return lookup_append(place, sub, FALSE, entry, error);
        if (g_str_has_prefix(name, stem) && strcmp(name + strlen(stem), ".1.jsonl") == 0)
            return lookup_append(place, sub, TRUE, entry, error);
    }
    if (row) {
        CfNode node = cf_place_node(place, CF_KIND_STATIC, 0, row->sub);
        gint64 mtime_ns;
        g_autofree char *text = cf_static_text(place->tree, &node, FALSE, &mtime_ns);

        if (text)
            return cf_place_entry(place, node, entry, error);
    }
    return no_entry(place, entry);
}

static gboolean
is_here(const CfPlace *place, const CfStaticRow *row)
{
    CfNode node = cf_place_node(place, CF_KIND_STATIC, 0, row->sub);
    g_autofree char *text = NULL;
    gint64 mtime_ns;

    if (!S_ISREG(row->mode))
        return cf_static_has(place->profile, place->node.collection, row->sub);
    text = cf_static_text(place->tree, &node, FALSE, &mtime_ns);
    return text != NULL;
}

/* A name in servers/: fixed names win, then ids, then unique names (contract section 2). */
static CfVerdict
lookup_in_collection(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    const CfStaticRow *row = cf_static_find(CF_STATIC_COLLECTION, name);
    int view = cf_view_find(place->node.collection, name);
    CfResource *resource;

    if (row && is_here(place, row))
        return cf_place_entry(place, cf_place_node(place, CF_KIND_STATIC, 0, row->sub), entry,
                              error);
    if (view >= 0 && cf_view_is_there((guint) view, place->profile, place->node.collection))
        return cf_place_entry(
            place, cf_place_node(place, CF_KIND_STATIC, 0, CF_STATIC_VIEW + (guint) view), entry,
            error);
    if (!place->snapshot)
        return no_entry(place, entry);
    g_mutex_lock(&place->tree->lock);
    place->profile->collections[place->node.collection].short_seen = TRUE;
    g_mutex_unlock(&place->tree->lock);
    resource = cf_snapshot_find_encoded(place->snapshot, name);
    if (!resource) {
        resource = cf_names_find(place->snapshot, name);
        if (resource &&
            !cf_names_is_unique(cf_names_get(place->snapshot), CF_HANDLE_SLOT(resource->handle)))
            resource = NULL;
    }
    if (!resource)
        return no_entry(place, entry);
    cf_place_set_resource(place, resource);
    return cf_place_entry(place, cf_place_node(place, CF_KIND_SHORT, resource->handle, 0), entry,
                          error);
}

static CfVerdict
lookup_view(CfPlace *place, guint view, const char *name, CfEntry *entry, GError **error)
{
    CfIntern *intern = &place->profile->collections[place->node.collection].values[view];
    guint number;

    cf_place_view_seen(place, view);
    if (!place->snapshot)
        return no_entry(place, entry);
    if (cf_view_is_flat(view)) {
        CfResource *resource = cf_names_find(place->snapshot, name);

        if (!resource || cf_resource_is_deleted(resource))
            return no_entry(place, entry);
        cf_place_set_resource(place, resource);
        return cf_place_entry(place, cf_place_link(place, view, resource, 0), entry, error);
    }
    cf_view_index(place->profile, place->snapshot, view); /* gives the values numbers */
    cf_names_get(place->snapshot);
    g_mutex_lock(&place->tree->lock);
    number = cf_intern(intern, name, FALSE);
    g_mutex_unlock(&place->tree->lock);
    if (!cf_view_has_value(place->profile, place->snapshot, place->node.collection, view, number))
        return no_entry(place, entry);
    return cf_place_entry(place, cf_place_node(place, CF_KIND_VALUE, number, view), entry, error);
}

static CfVerdict
lookup_value(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    guint view = place->node.sub;
    guint number = place->node.handle;
    CfIntern *intern = &place->profile->collections[place->node.collection].values[view];
    CfResource *resource = place->snapshot ? cf_names_find(place->snapshot, name) : NULL;
    g_autoptr(GPtrArray) values = resource ? cf_view_values(view, resource) : NULL;
    const char *text;

    g_mutex_lock(&place->tree->lock);
    text = intern->texts && number <= intern->texts->len ? intern->texts->pdata[number - 1] : NULL;
    g_mutex_unlock(&place->tree->lock);
    if (!values || !text || !g_ptr_array_find_with_equal_func(values, text, g_str_equal, NULL))
        return no_entry(place, entry);
    cf_place_set_resource(place, resource);
    return cf_place_entry(place, cf_place_link(place, view, resource, number), entry, error);
}

/* search/<text>: makes no call. */
static CfVerdict
lookup_text(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    guint32 handle;

    if (!cf_search_find_text(place, name, &handle))
        return no_entry(place, entry);
    return cf_place_entry(place, cf_place_node(place, CF_KIND_SEARCH, handle, 0), entry, error);
}

/* search/<text>/<name>. */
static CfVerdict
lookup_found(CfPlace *place, const char *name, gboolean waited, CfEntry *entry, CfNeed *need,
             GError **error)
{
    g_autoptr(CfFindings) findings = NULL;
    guint32 text = place->node.handle;
    CfResource *resource;
    CfVerdict verdict;

    if (name[0] == '.') /* no link has such a name, and prompts and desktops look for them */
        return no_entry(place, entry);
    verdict = cf_search_get(place, waited, &findings, need, error);
    if (verdict != CF_DONE)
        return verdict;
    resource = place->snapshot ? cf_names_find(place->snapshot, name) : NULL;
    if (!resource || cf_resource_is_deleted(resource) ||
        !cf_findings_have(findings, resource->handle)) {
        *entry = (CfEntry){.entry_timeout_us = cf_search_rest_us(place, findings)};
        return CF_DONE;
    }
    cf_place_set_resource(place, resource);
    verdict =
        cf_place_entry(place, cf_place_link(place, CF_VIEW_SEARCH, resource, text), entry, error);
    entry->entry_timeout_us = cf_search_rest_us(place, findings);
    return verdict;
}

static CfVerdict
lookup_by_id(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    CfResource *resource = place->snapshot ? cf_snapshot_find_encoded(place->snapshot, name) : NULL;

    g_mutex_lock(&place->tree->lock);
    place->profile->collections[place->node.collection].by_id_seen = TRUE;
    g_mutex_unlock(&place->tree->lock);
    if (!resource)
        return no_entry(place, entry);
    cf_place_set_resource(place, resource);
    cf_tree_mark_seen(place->profile, place->node.collection, resource->handle, CF_SEEN_FILES);
    return cf_place_entry(place, cf_place_node(place, CF_KIND_RESOURCE, resource->handle, 0), entry,
                          error);
}

/* .snapshots/<n>: ten digits, and one of the versions that are kept. */
static CfVerdict
lookup_version(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    guint64 number;
    CfVersion *version = NULL;
    CfNode node;
    CfVerdict verdict;

    if (strlen(name) != 10 || strspn(name, "0123456789") != 10)
        return no_entry(place, entry);
    number = g_ascii_strtoull(name, NULL, 10);
    node = cf_place_node(place, CF_KIND_VERSION, CF_VERSION_HANDLE(number), CF_VERSION_DIR);
    g_mutex_lock(&place->tree->lock);
    version = cf_version_find(place->profile, place->node.collection, node.handle);
    if (version && !version->off_tree && version->snapshot->number == number)
        version->lookups++;
    else
        version = NULL;
    g_mutex_unlock(&place->tree->lock);
    if (!version) {
        *entry = (CfEntry){0}; /* it may come */
        return CF_DONE;
    }
    verdict = cf_place_entry(place, node, entry, error);
    /* When it leaves the tree nobody is told: let the name be asked for again now and then. */
    entry->entry_timeout_us = 10 * G_USEC_PER_SEC;
    return verdict;
}

static CfVerdict
lookup_in_version(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    guint sub = strcmp(name, "list.tsv") == 0     ? CF_VERSION_TSV
                : strcmp(name, "list.jsonl") == 0 ? CF_VERSION_JSONL
                                                  : CF_VERSION_DIR;
    CfNode node = cf_place_node(place, CF_KIND_VERSION, place->node.handle, sub);
    CfVersion *version;
    CfVerdict verdict;

    if (sub == CF_VERSION_DIR)
        return no_entry(place, entry);
    verdict = cf_place_entry(place, node, entry, error);
    if (verdict != CF_DONE)
        return verdict;
    g_mutex_lock(&place->tree->lock);
    version = cf_version_find(place->profile, node.collection, node.handle);
    if (version)
        version->lookups++;
    g_mutex_unlock(&place->tree->lock);
    return CF_DONE;
}

static CfVerdict
lookup_scratch(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    CfNode node = cf_place_node(place, CF_KIND_SCRATCH, 0, 0);
    CfScratch *file;

    g_mutex_lock(&place->tree->lock);
    file = cf_scratch_find(place->tree->scratches, cf_node_pack(place->node), name,
                           cf_clock_mono_us());
    if (file) {
        node.handle = file->number;
        file->lookups++;
    }
    g_mutex_unlock(&place->tree->lock);
    return file ? cf_place_entry(place, node, entry, error) : no_entry(place, entry);
}

static CfVerdict
lookup_attribute(CfPlace *place, const char *name, gboolean waited, CfEntry *entry, CfNeed *need,
                 GError **error)
{
    CfInventory *inventory = place->profile->inventory;
    int index = cf_attributes_find(place->node.collection, name);
    const CfAttribute *row;
    guint n;

    if (index < 0)
        return lookup_scratch(place, name, entry, error);
    row = &cf_attributes_get(place->node.collection, &n)[index];
    if (place->node.collection == CF_SERVERS && row->field == CF_SERVER_TAGS &&
        cf_inventory_get_ops(inventory)->tags_apart &&
        !cf_inventory_has_tags(inventory, place->resource, NULL) && !waited) {
        *need = (CfNeed){.kind = CF_NEED_TAGS,
                         .inventory = inventory,
                         .collection = CF_SERVERS,
                         .id = g_strdup(cf_record_get_id(place->resource->record))};
        return CF_WAIT;
    }
    if (!cf_attribute_is_visible(row, &place->subject))
        return no_entry(place, entry);
    cf_tree_mark_seen(place->profile, place->node.collection, place->resource->handle,
                      CF_SEEN_FILES);
    if (S_ISDIR(row->mode)) {
        cf_tree_mark_seen(place->profile, place->node.collection, place->resource->handle,
                          row->dir == CF_KIND_RAW ? CF_SEEN_RAW : CF_SEEN_META);
        return cf_place_entry(place, cf_place_node(place, row->dir, place->node.handle, 0), entry,
                              error);
    }
    return cf_place_entry(
        place, cf_place_node(place, CF_KIND_RESOURCE, place->node.handle, (guint32) index + 1),
        entry, error);
}

static CfVerdict
lookup_key(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    CfVerdict verdict = cf_meta_lookup(place, name, entry, error);

    return verdict == CF_WAIT ? lookup_scratch(place, name, entry, error) : verdict;
}

static CfVerdict
lookup_raw(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    CfRaw raw, member;
    guint number;

    if (place->node.sub == 0 && strcmp(name, "refresh") == 0 &&
        !cf_inventory_get_options(place->profile->inventory)->ro)
        return cf_place_entry(place,
                              cf_place_node(place, CF_KIND_RAW, place->node.handle, CF_RAW_REFRESH),
                              entry, error);
    if (!cf_raw_find(place->tree, &place->subject, place->node.sub, &raw) ||
        !cf_raw_member(&place->subject, &raw, name, &member))
        return no_entry(place, entry);
    number = cf_raw_number(place->tree, place->node.sub, name, TRUE);
    if (!number) {
        cf_tree_fail(error, CF_ERROR_INTERNAL, "too many different names below raw/");
        return CF_FAILED;
    }
    return cf_place_entry(place, cf_place_node(place, CF_KIND_RAW, place->node.handle, number),
                          entry, error);
}

static CfVerdict
lookup_root(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    const CfStaticRow *row = cf_static_find(CF_STATIC_ROOT, name);

    if (row)
        return cf_place_entry(place, cf_place_node(place, CF_KIND_STATIC, 0, row->sub), entry,
                              error);
    for (guint i = 0; i < place->tree->profiles->len; i++) {
        CfTreeProfile *profile = place->tree->profiles->pdata[i];

        if (strcmp(profile->name, name) == 0) {
            place->profile = profile;
            return cf_place_entry(place,
                                  (CfNode){.kind = CF_KIND_STATIC,
                                           .profile = profile->index,
                                           .sub = CF_STATIC_PROFILE},
                                  entry, error);
        }
    }
    return no_entry(place, entry);
}

/* Below a collection that is not whole yet there is by-id, and nothing else is known. */
static gboolean
must_wait(CfTree *tree, CfIno parent, const char *name, gboolean waited, CfNeed *need)
{
    CfNode node;

    if (cf_node_unpack(parent, &node) && node.kind == CF_KIND_STATIC &&
        node.sub == CF_STATIC_COLLECTION && strcmp(name, "by-id") == 0)
        return FALSE;
    return cf_tree_must_wait_whole(tree, parent, waited, need);
}

static CfVerdict
lookup_static(CfPlace *place, const char *name, gboolean waited, CfEntry *entry, CfNeed *need,
              GError **error)
{
    const CfStaticRow *row;

    switch (place->node.sub) {
    case CF_STATIC_ROOT:
        return lookup_root(place, name, entry, error);
    case CF_STATIC_DOT:
        row = cf_static_find(CF_STATIC_DOT, name);
        return row ? cf_place_entry(place, cf_place_node(place, CF_KIND_STATIC, 0, row->sub), entry,
                                    error)
                   : no_entry(place, entry);
    case CF_STATIC_PROFILE:
        return lookup_profile(place, name, waited, entry, need, error);
    case CF_STATIC_COLLECTION:
        return lookup_in_collection(place, name, entry, error);
    case CF_STATIC_BY_ID:
        return lookup_by_id(place, name, entry, error);
    case CF_STATIC_SNAPSHOTS:
        return lookup_version(place, name, entry, error);
    case CF_STATIC_SEARCH:
        return lookup_text(place, name, entry, error);
    default:
        if (place->node.sub >= CF_STATIC_VIEW &&
            place->node.sub < CF_STATIC_VIEW + cf_views_count())
            return lookup_view(place, place->node.sub - CF_STATIC_VIEW, name, entry, error);
        return no_entry(place, entry);
    }
}

/* The directory in which a directory stands; for "..", which only a file server asks for. */
CfNode
cf_tree_parent_of(const CfPlace *place)
{
    const CfNode *node = &place->node;
    CfNode up = {.kind = CF_KIND_STATIC, .collection = node->collection, .profile = node->profile};
    const CfRawPath *path = NULL;

    switch (node->kind) {
    case CF_KIND_RESOURCE:
        up.sub = CF_STATIC_BY_ID;
        break;
    case CF_KIND_RAW:
        up.kind = node->sub ? CF_KIND_RAW : CF_KIND_RESOURCE;
        up.handle = node->handle;
        g_mutex_lock(&place->tree->lock);
        if (node->sub && node->sub <= place->tree->raw_paths->len)
            path = place->tree->raw_paths->pdata[node->sub - 1];
        g_mutex_unlock(&place->tree->lock);
        up.sub = path ? path->parent : 0;
        break;
    case CF_KIND_META:
        up.kind = CF_KIND_RESOURCE;
        up.handle = node->handle;
        break;
    case CF_KIND_VALUE:
        up.sub = CF_STATIC_VIEW + node->sub;
        break;
    case CF_KIND_VERSION:
        up.sub = CF_STATIC_SNAPSHOTS;
        break;
    case CF_KIND_SEARCH:
        up.sub = CF_STATIC_SEARCH;
        break;
    case CF_KIND_STATIC:
        up.sub = node->sub > CF_STATIC_COLLECTION    ? CF_STATIC_COLLECTION
                 : node->sub == CF_STATIC_COLLECTION ? CF_STATIC_PROFILE
                                                     : CF_STATIC_ROOT;
        if (up.sub <= CF_STATIC_PROFILE)
            up.collection = CF_SERVERS;
        if (up.sub == CF_STATIC_ROOT)
            up.profile = 0;
        break;
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
    case CF_KIND_APPEND:
    case CF_KIND_SCRATCH:
    case CF_KIND_N:
        break;
    }
    return up;
}

static CfVerdict
lookup_dots(CfPlace *place, const char *name, CfEntry *entry, GError **error)
{
    CfNode node = place->node;
    g_auto(CfPlace) there = {0};

    if (strcmp(name, "..") == 0)
        node = cf_tree_parent_of(place);
    if (!cf_place_init_node(&there, place->tree, node, error))
        return CF_FAILED;
    return cf_place_entry(&there, node, entry, error);
}

/* Whether somebody looks at files one by one after a listing without attributes (ls -l, find
 * -size). */
static void
note_lookup(CfTree *tree, CfIno parent)
{
    g_mutex_lock(&tree->lock);
    if (tree->stat_dir == parent && ++tree->stat_count >= 4)
        tree->stat_until_us = cf_clock_mono_us() + G_USEC_PER_SEC;
    g_mutex_unlock(&tree->lock);
}

static CfVerdict
lookup(CfPlace *place, const char *name, gboolean waited, CfEntry *entry, CfNeed *need,
       GError **error)
{
    switch (place->node.kind) {
    case CF_KIND_STATIC:
        return lookup_static(place, name, waited, entry, need, error);
    case CF_KIND_RESOURCE:
        return lookup_attribute(place, name, waited, entry, need, error);
    case CF_KIND_RAW:
        return lookup_raw(place, name, entry, error);
    case CF_KIND_META:
        return lookup_key(place, name, entry, error);
    case CF_KIND_VALUE:
        return lookup_value(place, name, entry, error);
    case CF_KIND_VERSION:
        return lookup_in_version(place, name, entry, error);
    case CF_KIND_SEARCH:
        return lookup_found(place, name, waited, entry, need, error);
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
    case CF_KIND_APPEND:
    case CF_KIND_SCRATCH:
    case CF_KIND_N:
        break;
    }
    return no_entry(place, entry);
}

CfVerdict
cf_tree_lookup(CfTree *tree, CfIno parent, const char *name, gboolean waited, CfEntry *ret_entry,
               CfNeed *ret_need, GError **error)
{
    g_auto(CfPlace) place = {0};
    CfVerdict verdict;

    *ret_entry = (CfEntry){0};
    if (must_wait(tree, parent, name, waited, ret_need))
        return CF_WAIT;
    if (!cf_place_init(&place, tree, parent, error))
        return CF_FAILED;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return lookup_dots(&place, name, ret_entry, error);
    note_lookup(tree, parent);
    verdict = lookup(&place, name, waited, ret_entry, ret_need, error);
    if (verdict == CF_DONE)
        cf_place_doubt(&place, ret_entry);
    return verdict;
}
