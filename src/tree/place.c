/* A node and all that it stands on: the snapshot, the resource, its attributes. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

/* ---- what belongs to a collection, and how fresh it is ---- */

gboolean
cf_node_is_of_collection(const CfNode *node)
{
    switch (node->kind) {
    case CF_KIND_STATIC:
        return node->sub >= CF_STATIC_COLLECTION;
    case CF_KIND_RESOURCE:
    case CF_KIND_RAW:
    case CF_KIND_META:
    case CF_KIND_VALUE:
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
    case CF_KIND_SEARCH:
        return TRUE;
    case CF_KIND_VERSION:
    case CF_KIND_APPEND:
    case CF_KIND_SCRATCH:
    case CF_KIND_N:
        break;
    }
    return FALSE;
}

void
cf_tree_mark_seen(CfTreeProfile *profile, CfCollection which, guint32 handle, guint8 bits)
{
    GByteArray *seen = profile->collections[which].seen;
    guint slot = CF_HANDLE_SLOT(handle);

    g_mutex_lock(&profile->tree->lock);
    if (seen->len <= slot) {
        guint old = seen->len;

        g_byte_array_set_size(seen, (slot + 1) * 5 / 4 + 16);
        memset(seen->data + old, 0, seen->len - old);
    }
    seen->data[slot] |= bits;
    g_mutex_unlock(&profile->tree->lock);
}

/* ---- a node and all that it stands on ---- */

void
cf_place_clear(CfPlace *place)
{
    cf_snapshot_unref(place->snapshot);
}

static gboolean
has_resource(const CfNode *node)
{
    return node->kind == CF_KIND_RESOURCE || node->kind == CF_KIND_RAW ||
           node->kind == CF_KIND_META || node->kind == CF_KIND_LINK || node->kind == CF_KIND_SHORT;
}

static gboolean
is_file_of_resource(const CfNode *node)
{
    return (node->kind == CF_KIND_RESOURCE || node->kind == CF_KIND_RAW ||
            node->kind == CF_KIND_META) &&
           node->sub > 0;
}

void
cf_place_set_resource(CfPlace *place, CfResource *resource)
{
    place->resource = resource;
    place->subject = (CfSubject){place->profile->inventory, place->node.collection, resource, NULL};
    if (place->node.kind == CF_KIND_META)
        place->subject.key = cf_meta_key(place->tree, place->node.sub);
}

void
cf_place_set_node(CfPlace *place, CfNode node)
{
    place->node = node;
    place->subject.key = node.kind == CF_KIND_META ? cf_meta_key(place->tree, node.sub) : NULL;
}

const CfAttribute *
cf_place_row(const CfPlace *place)
{
    const CfNode *node = &place->node;
    guint n;
    const CfAttribute *rows = cf_attributes_get(node->collection, &n);

    if (node->kind == CF_KIND_META && node->sub == 0)
        return &rows[cf_attributes_find(CF_SERVERS, "metadata")];
    if (node->kind == CF_KIND_META)
        return place->subject.key ? cf_attribute_of_key() : NULL;
    return node->kind == CF_KIND_RESOURCE && node->sub > 0 && node->sub <= n ? &rows[node->sub - 1]
                                                                             : NULL;
}

static gboolean
has_view(guint view, CfCollection collection)
{
    return view < cf_views_count() && cf_view_has(view, collection);
}

/* Whether there can be such a node. An NFS client's file handle holds whatever number the client,
 * or a program of another version, has written into it; the kernel asks what it is. */
static gboolean
is_possible(const CfNode *node)
{
    guint n, view = node->sub & 31;

    switch (node->kind) {
    case CF_KIND_STATIC:
        if ((node->sub < CF_STATIC_PROFILE) != (node->profile == 0))
            return FALSE;
        return node->sub != CF_STATIC_NONE &&
               (node->sub < CF_STATIC_VIEW ||
                has_view(node->sub - CF_STATIC_VIEW, node->collection));
    case CF_KIND_RESOURCE:
        cf_attributes_get(node->collection, &n);
        return node->profile && node->sub <= n;
    case CF_KIND_VALUE:
        return node->profile && has_view(node->sub, node->collection);
    case CF_KIND_LINK:
        return node->profile && (view == CF_VIEW_SEARCH || has_view(view, node->collection));
    case CF_KIND_META:
        return node->profile && node->collection == CF_SERVERS;
    case CF_KIND_VERSION:
        return node->profile && node->sub <= CF_VERSION_JSONL;
    case CF_KIND_APPEND:
        return node->profile && node->sub <= 1;
    case CF_KIND_RAW:
    case CF_KIND_SHORT:
    case CF_KIND_SCRATCH:
    case CF_KIND_SEARCH:
        return node->profile != 0;
    case CF_KIND_N:
        break;
    }
    return FALSE;
}

gboolean
cf_place_init_node(CfPlace *place, CfTree *tree, CfNode node, GError **error)
{
    *place = (CfPlace){.tree = tree, .node = node};
    place->profile = cf_tree_profile(tree, node.profile);
    if (node.profile && !place->profile)
        return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such profile");
    if (!is_possible(&node))
        return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such inode");
    if (place->profile && cf_node_is_of_collection(&node))
        place->snapshot = cf_inventory_ref_snapshot(place->profile->inventory, node.collection);
    if (!has_resource(&node))
        return TRUE;
    if (place->snapshot) {
        CfResource *resource = cf_snapshot_get(place->snapshot, node.handle);

        if (resource) {
            cf_place_set_resource(place, resource);
            return TRUE;
        }
    }
    /* Then nothing is proven. */
    if (!place->snapshot)
        return cf_tree_fail(error, CF_ERROR_TIMEOUT, "nothing was fetched yet");
    return cf_tree_fail(error, is_file_of_resource(&node) ? CF_ERROR_GONE : CF_ERROR_NOT_FOUND,
                        "the resource is no more");
}

gboolean
cf_place_init(CfPlace *place, CfTree *tree, CfIno ino, GError **error)
{
    CfNode node;

    *place = (CfPlace){.tree = tree};
    if (!cf_node_unpack(ino, &node))
        return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such inode");
    return cf_place_init_node(place, tree, node, error);
}

/* Whether the kernel will be told of whatever changes in what place shows, as far as it was marked
 * as looked at. */
static gboolean
is_current(const CfPlace *place)
{
    return !place->profile || !cf_node_is_of_collection(&place->node) ||
           cf_inventory_is_current(place->profile->inventory, place->node.collection,
                                   place->snapshot);
}

void
cf_place_renew(CfPlace *place)
{
    g_clear_pointer(&place->snapshot, cf_snapshot_unref);
    place->snapshot = cf_inventory_ref_snapshot(place->profile->inventory, place->node.collection);
}

void
cf_place_doubt(const CfPlace *place, CfEntry *entry)
{
    if (!is_current(place))
        entry->entry_timeout_us = entry->attr.attr_timeout_us = 0;
}

/* ---- attributes of nodes ---- */

gint64
cf_place_rest_us(const CfPlace *place)
{
    return cf_inventory_get_rest_us(place->profile->inventory, place->node.collection);
}

static mode_t
static_mode(guint sub)
{
    const CfStaticRow *row = cf_static_row(sub);

    return row ? row->mode : S_IFDIR | 0555;
}

/* Of a link. */
static gboolean
is_in_flat_view(const CfNode *node)
{
    guint view = node->sub & 31;

    return view < cf_views_count() && cf_view_is_flat(view);
}

char *
cf_place_target(const CfPlace *place)
{
    g_autofree char *id =
        place->resource ? cf_id_encode(cf_record_get_id(place->resource->record)) : NULL;

    switch (place->node.kind) {
    case CF_KIND_SHORT:
        return g_strconcat("by-id/", id, NULL);
    case CF_KIND_LINK:
        return g_strconcat(is_in_flat_view(&place->node) ? "../by-id/" : "../../by-id/", id, NULL);
    case CF_KIND_STATIC:
        if (!place->snapshot)
            return NULL;
        cf_version_tell(place->profile, place->snapshot);
        return g_strdup_printf(".snapshots/%010" G_GUINT64_FORMAT "/%s", place->snapshot->number,
                               place->node.sub == CF_STATIC_LIST_TSV ? "list.tsv" : "list.jsonl");
    case CF_KIND_RESOURCE:
    case CF_KIND_RAW:
    case CF_KIND_META:
    case CF_KIND_VALUE:
    case CF_KIND_VERSION:
    case CF_KIND_APPEND:
    case CF_KIND_SCRATCH:
    case CF_KIND_SEARCH:
    case CF_KIND_N:
        break;
    }
    return NULL;
}

gboolean
cf_place_takes_scratch(const CfPlace *place)
{
    if (place->node.kind == CF_KIND_META && place->node.sub == 0)
        return (cf_attribute_get_mode(cf_place_row(place), &place->subject) & 0200) != 0;
    return place->node.kind == CF_KIND_RESOURCE && place->node.sub == 0 &&
           !cf_inventory_get_options(place->profile->inventory)->ro &&
           !cf_resource_is_deleted(place->resource);
}

static mode_t
scratch_mode(const CfPlace *place)
{
    CfScratch *file;
    mode_t mode;

    g_mutex_lock(&place->tree->lock);
    file = cf_scratch_of(place, NULL);
    mode = S_IFREG | (file ? file->mode : 0);
    g_mutex_unlock(&place->tree->lock);
    return mode;
}

mode_t
cf_place_mode(const CfPlace *place)
{
    const CfNode *node = &place->node;
    gboolean world =
        place->profile && cf_inventory_get_options(place->profile->inventory)->raw_world;
    int view = cf_view_of_node(node);
    guint n;

    if (view >= 0 && cf_view_is_editable((guint) view, place->profile, node->collection))
        return S_IFDIR | 0755;
    switch (node->kind) {
    case CF_KIND_STATIC:
        return static_mode(node->sub);
    case CF_KIND_RESOURCE:
        if (node->sub == 0)
            return S_IFDIR | (cf_place_takes_scratch(place) ? 0755 : 0555);
        return cf_attribute_get_mode(&cf_attributes_get(node->collection, &n)[node->sub - 1],
                                     &place->subject);
    case CF_KIND_META:
        return cf_attribute_get_mode(node->sub ? cf_attribute_of_key() : cf_place_row(place),
                                     &place->subject);
    case CF_KIND_RAW:
        if (node->sub == CF_RAW_REFRESH)
            return S_IFREG | 0200;
        if (node->sub == 0)
            return S_IFDIR | (world ? 0555 : 0500);
        {
            CfRaw raw;

            if (cf_raw_find(place->tree, &place->subject, node->sub, &raw) && cf_raw_is_dir(&raw))
                return S_IFDIR | (world ? 0555 : 0500);
        }
        return S_IFREG | (world ? 0444 : 0400);
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
        return S_IFLNK | 0777;
    case CF_KIND_VERSION:
        if (node->sub == CF_VERSION_DIR)
            return S_IFDIR | 0555;
        return S_IFREG | (node->sub == CF_VERSION_TSV || world ? 0444 : 0400);
    case CF_KIND_APPEND:
        return S_IFREG | 0444;
    case CF_KIND_SCRATCH:
        return scratch_mode(place);
    case CF_KIND_VALUE:
    case CF_KIND_SEARCH:
    case CF_KIND_N:
        break;
    }
    return S_IFDIR | 0555;
}

static gboolean
visible_or_fail(const CfPlace *place, const CfAttribute *row, GError **error)
{
    return (row && cf_attribute_is_visible(row, &place->subject)) ||
           cf_tree_fail(error, CF_ERROR_GONE, "the cloud has no such value now");
}

static gboolean
resource_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    const CfNode *node = &place->node;
    g_autoptr(GString) text = g_string_new(NULL);
    const CfAttribute *row;
    guint n;

    attr->mtime_ns = cf_resource_get_mtime_ns(place->resource, ~0ull);
    if (node->sub == 0) {
        g_mutex_lock(&place->tree->lock);
        attr->mtime_ns =
            MAX(attr->mtime_ns, cf_scratch_get_dir_time(place->tree->scratches, attr->ino));
        g_mutex_unlock(&place->tree->lock);
        return TRUE;
    }
    row = &cf_attributes_get(node->collection, &n)[node->sub - 1];
    if (!cf_attribute_is_visible(row, &place->subject))
        return cf_tree_fail(error, CF_ERROR_GONE, "the cloud has no such value now");
    attr->mtime_ns = cf_resource_get_mtime_ns(place->resource, row->aspects);
    cf_attribute_show(row, &place->subject, text);
    attr->size = text->len;
    return TRUE;
}

static gboolean
meta_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    const CfAttribute *row = cf_place_row(place);
    g_autoptr(GString) text = g_string_new(NULL);

    attr->mtime_ns = cf_resource_get_mtime_ns(place->resource, CF_ASPECT(CF_SERVER_METADATA));
    if (place->node.sub == 0) {
        g_mutex_lock(&place->tree->lock);
        attr->mtime_ns =
            MAX(attr->mtime_ns, cf_scratch_get_dir_time(place->tree->scratches, attr->ino));
        g_mutex_unlock(&place->tree->lock);
        return visible_or_fail(place, row, error);
    }
    if (row && !cf_attribute_is_visible(row, &place->subject) && cf_meta_is_unwritten(place))
        return TRUE;
    if (!visible_or_fail(place, row, error))
        return FALSE;
    cf_attribute_show(row, &place->subject, text);
    attr->size = text->len;
    return TRUE;
}

static gboolean
raw_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    CfRaw raw;

    attr->mtime_ns = cf_resource_get_mtime_ns(place->resource, CF_ASPECT(CF_ASPECT_RAW));
    if (place->node.sub == CF_RAW_REFRESH)
        return TRUE;
    if (!cf_raw_find(place->tree, &place->subject, place->node.sub, &raw))
        return cf_tree_fail(error, CF_ERROR_GONE, "the cloud has no such value now");
    if (!cf_raw_is_dir(&raw)) {
        cf_raw_show(&raw, text);
        attr->size = text->len;
    }
    return TRUE;
}

static gboolean
version_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    CfVersion *version;
    gboolean ok;

    g_mutex_lock(&place->tree->lock);
    version = cf_version_find(place->profile, place->node.collection, place->node.handle);
    ok = version != NULL;
    if (ok) {
        attr->mtime_ns = version->snapshot->changed_ns;
        if (place->node.sub != CF_VERSION_DIR)
            attr->size = cf_version_size(place->profile, version, place->node.sub);
    }
    g_mutex_unlock(&place->tree->lock);
    return ok || cf_tree_fail(error, CF_ERROR_CHANGED, "that version is no longer kept");
}

CfAppend *
cf_place_append(const CfPlace *place)
{
    return place->node.sub ? cf_inventory_get_journal(place->profile->inventory)
                           : cf_inventory_get_events(place->profile->inventory);
}

static gboolean
static_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    gint64 mtime_ns = place->tree->born_ns;

    if (S_ISREG(attr->mode)) {
        g_autofree char *text = cf_static_text(place->tree, &place->node, TRUE, &mtime_ns);

        if (!text)
            return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such file");
        attr->size = strlen(text);
    } else if (place->snapshot) {
        guint view = place->node.sub - CF_STATIC_VIEW;

        mtime_ns = place->snapshot->members_ns;
        if (S_ISLNK(attr->mode))
            mtime_ns = place->snapshot->changed_ns;
        if (place->node.sub >= CF_STATIC_VIEW) {
            g_mutex_lock(&place->tree->lock);
            mtime_ns =
                MAX(place->profile->collections[place->node.collection].view_times[view], mtime_ns);
            g_mutex_unlock(&place->tree->lock);
        }
    } else if (place->profile && cf_node_is_of_collection(&place->node)) {
        gint64 coming_ns =
            cf_inventory_get_coming_ns(place->profile->inventory, place->node.collection);

        mtime_ns = coming_ns ? coming_ns : mtime_ns;
    }
    attr->mtime_ns = mtime_ns;
    return TRUE;
}

static gboolean
value_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    CfTreeCollection *collection = &place->profile->collections[place->node.collection];
    CfIntern *intern = &collection->values[place->node.sub];
    guint number = place->node.handle;

    if (!place->snapshot)
        return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such view");
    if (!cf_view_has_value(place->profile, place->snapshot, place->node.collection, place->node.sub,
                           number))
        return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "nothing is there any more");
    g_mutex_lock(&place->tree->lock);
    attr->mtime_ns = g_array_index(intern->times, gint64, number - 1);
    g_mutex_unlock(&place->tree->lock);
    attr->mtime_ns = MAX(attr->mtime_ns, place->tree->born_ns);
    return TRUE;
}

static gboolean
scratch_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    CfScratch *file;

    g_mutex_lock(&place->tree->lock);
    file = cf_scratch_of(place, error);
    if (file) {
        attr->size = file->bytes->len;
        attr->mtime_ns = file->mtime_ns;
        attr->nlink = file->name ? 1 : 0;
    }
    g_mutex_unlock(&place->tree->lock);
    attr->attr_timeout_us = 0;
    return file != NULL;
}

gboolean
cf_place_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    const CfNode *node = &place->node;
    gboolean ok = TRUE;
    gsize size;

    *attr = (CfAttr){.ino = cf_node_pack(*node), .mode = cf_place_mode(place), .nlink = 1};
    attr->attr_timeout_us = CF_TIMEOUT_LONG_US;
    switch (node->kind) {
    case CF_KIND_STATIC:
        ok = static_attr(place, attr, error);
        if (node->sub == CF_STATIC_STATS || node->sub == CF_STATIC_LOG ||
            node->sub == CF_STATIC_HEALTH)
            attr->attr_timeout_us = 0;
        break;
    case CF_KIND_RESOURCE:
        ok = resource_attr(place, attr, error);
        break;
    case CF_KIND_RAW:
        ok = raw_attr(place, attr, error);
        break;
    case CF_KIND_META:
        ok = meta_attr(place, attr, error);
        break;
    case CF_KIND_VALUE:
        ok = value_attr(place, attr, error);
        break;
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
        attr->mtime_ns = cf_resource_get_mtime_ns(place->resource, CF_ASPECT(CF_FIELD_NAME));
        break;
    case CF_KIND_VERSION:
        ok = version_attr(place, attr, error);
        break;
    case CF_KIND_APPEND:
        ok = cf_append_stat(cf_place_append(place), node->handle, &size, &attr->mtime_ns) ||
             cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such file");
        attr->size = ok ? size : 0;
        attr->attr_timeout_us = node->sub ? 0 : G_USEC_PER_SEC;
        if (!attr->mtime_ns)
            attr->mtime_ns = place->tree->born_ns;
        break;
    case CF_KIND_SCRATCH:
        ok = scratch_attr(place, attr, error);
        break;
    case CF_KIND_SEARCH:
        ok = cf_search_attr(place, attr, error);
        break;
    case CF_KIND_N:
        break;
    }
    if (ok && cf_node_is_of_collection(node) && node->kind != CF_KIND_SEARCH)
        attr->attr_timeout_us = cf_place_rest_us(place);
    if (ok && S_ISLNK(attr->mode)) {
        g_autofree char *target = cf_tree_readlink(place->tree, attr->ino, error);

        attr->size = target ? strlen(target) : 0;
        ok = target != NULL;
    }
    attr->mode &= S_ISLNK(attr->mode) ? ~(mode_t) 0 : ~(place->tree->options.umask & 0777);
    return ok;
}

CfVerdict
cf_tree_getattr(CfTree *tree, CfIno ino, gboolean waited, CfAttr *ret_attr, CfNeed *ret_need,
                GError **error)
{
    g_auto(CfPlace) place = {0};
    CfNode node;

    if (cf_node_unpack(ino, &node) && cf_tree_profile(tree, node.profile)) {
        CfTreeProfile *profile = cf_tree_profile(tree, node.profile);

        gboolean of_names = node.kind == CF_KIND_STATIC &&
                            (node.sub == CF_STATIC_COLLECTION || node.sub == CF_STATIC_BY_ID);

        if (of_names && cf_tree_must_wait_coming(profile, node.collection, 0, waited, ret_need))
            return CF_WAIT;
        if (!of_names && cf_node_is_of_collection(&node) &&
            cf_tree_must_wait(profile, node.collection, waited, ret_need))
            return CF_WAIT;
        if (node.kind == CF_KIND_STATIC && node.sub == CF_STATIC_HEALTH)
            cf_inventory_look_at_health(profile->inventory);
        /* Who follows the events wants them to come, but is not kept waiting. */
        if (node.kind == CF_KIND_APPEND && node.sub == 0)
            for (guint c = 0; c < CF_COLLECTION_N; c++)
                cf_inventory_look(profile->inventory, c);
    }
    if (!cf_place_init(&place, tree, ino, error) || !cf_place_attr(&place, ret_attr, error))
        return CF_FAILED;
    return CF_DONE;
}

char *
cf_tree_readlink(CfTree *tree, CfIno ino, GError **error)
{
    g_auto(CfPlace) place = {0};
    char *target;

    if (!cf_place_init(&place, tree, ino, error))
        return NULL;
    if (place.node.kind == CF_KIND_RESOURCE) {
        GString *out = g_string_new(NULL);
        guint n;
        const CfAttribute *rows = cf_attributes_get(place.node.collection, &n);

        if (place.node.sub > 0 && place.node.sub <= n && S_ISLNK(rows[place.node.sub - 1].mode) &&
            cf_attribute_is_visible(&rows[place.node.sub - 1], &place.subject))
            cf_attribute_show(&rows[place.node.sub - 1], &place.subject, out);
        target = g_string_free(out, out->len == 0);
    } else {
        target = cf_place_target(&place);
    }
    if (!target)
        cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such link");
    return target;
}

/* The kernel moves the entry of a link together with its inode, from one tag to another: it must
 * ask what the link there is. In by-name it is the same one, unless nothing was changed (dry_run).
 */
static gboolean
is_moved_by_rename(const CfPlace *place)
{
    guint view = place->node.sub & 31;

    return place->node.kind == CF_KIND_LINK &&
           cf_view_is_editable(view, place->profile, place->node.collection) &&
           (!cf_view_is_flat(view) || cf_inventory_get_options(place->profile->inventory)->dry_run);
}

/* The entry of a node below place: place becomes the node's. */
CfVerdict
cf_place_entry(CfPlace *place, CfNode node, CfEntry *entry, GError **error)
{
    cf_place_set_node(place, node);
    if (!cf_place_attr(place, &entry->attr, error))
        return CF_FAILED;
    entry->entry_timeout_us = CF_TIMEOUT_LONG_US;
    if (node.kind == CF_KIND_STATIC && node.sub == CF_STATIC_COLLECTION)
        entry->entry_timeout_us = cf_place_rest_us(place);
    if (node.kind == CF_KIND_SCRATCH || is_moved_by_rename(place))
        entry->entry_timeout_us = 0;
    if (node.kind == CF_KIND_SEARCH) /* another text may need its number */
        entry->entry_timeout_us = entry->attr.attr_timeout_us;
    if (node.kind == CF_KIND_RESOURCE && node.sub > 0 && node.collection == CF_SERVERS &&
        cf_inventory_get_ops(place->profile->inventory)->tags_apart &&
        (int) node.sub - 1 == cf_attributes_find(CF_SERVERS, "tags"))
        cf_inventory_has_tags(place->profile->inventory, place->resource, &entry->entry_timeout_us);
    if (node.kind == CF_KIND_META && node.sub > 0 &&
        !cf_attribute_is_visible(cf_attribute_of_key(), &place->subject))
        entry->entry_timeout_us = entry->attr.attr_timeout_us = 0; /* it was made, not written */
    if ((node.kind == CF_KIND_RESOURCE || node.kind == CF_KIND_META) && node.sub > 0 &&
        cf_tree_is_going_away(place->tree, entry->attr.ino))
        entry->entry_timeout_us = 0;
    return CF_DONE;
}

CfNode
cf_place_node(const CfPlace *place, CfKind kind, guint32 handle, guint32 sub)
{
    return (CfNode){kind, place->node.collection, place->node.profile, handle, sub};
}

CfNode
cf_place_link(const CfPlace *place, guint view, const CfResource *resource, guint value)
{
    return cf_place_node(place, CF_KIND_LINK, resource->handle,
                         view | (value * 2654435761u >> 18) % (1u << 14) << 5);
}

void
cf_place_view_seen(const CfPlace *place, guint view)
{
    g_mutex_lock(&place->tree->lock);
    place->profile->collections[place->node.collection].views_seen |= 1u << view;
    g_mutex_unlock(&place->tree->lock);
}
