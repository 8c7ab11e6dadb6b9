/* Listings. An entry's offset is its place in an order that does not move while the directory
 * changes: slots, numbers of values, rows of tables. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define FIRST 3 /* offsets 1 and 2 stand behind "." and ".." */
/* An offset in by-id that was given while a first listing was under way is good for the listing
 * that followed, and not when it failed. Programs of 32 bits have no room above. */
#define ROUND_SHIFT 24
#define ROUND_MAX 127
#define COMING_AT_ONCE 64

typedef struct {
    CfPlace *place;
    CfDirFill fill;
    gpointer data;
    guint64 from;   /* the first entry that is asked for, counted from 0 */
    guint64 round;  /* added to offsets: see ROUND_SHIFT */
    gboolean stat;  /* entries of files are given whole */
    gboolean full;  /* no more room */
    gint64 most_us; /* the longest that the kernel may believe in an entry */
} Listing;

/* One entry; directories are always given whole, since they are about to be entered. */
static gboolean
give(Listing *listing, guint64 index, const char *name, CfPlace *there, CfNode node, mode_t type)
{
    CfEntry entry = {.attr.ino = cf_node_pack(node), .attr.mode = type};
    gboolean whole = S_ISDIR(type) || listing->stat;
    /* The dentries of collections and versions are for LOOKUP alone: it is the demand, or counted.
     */
    gboolean never = (node.kind == CF_KIND_STATIC && node.sub == CF_STATIC_COLLECTION) ||
                     node.kind == CF_KIND_VERSION || node.kind == CF_KIND_APPEND ||
                     node.kind == CF_KIND_SCRATCH;

    if (index < listing->from)
        return TRUE;
    if (whole && !never) {
        g_autoptr(GError) error = NULL;

        if (there->resource)
            cf_tree_mark_seen(there->profile, node.collection, there->resource->handle,
                              node.kind == CF_KIND_RAW    ? CF_SEEN_FILES | CF_SEEN_RAW
                              : node.kind == CF_KIND_META ? CF_SEEN_FILES | CF_SEEN_META
                                                          : CF_SEEN_FILES);
        if (cf_place_entry(there, node, &entry, &error) != CF_DONE)
            whole = FALSE;
        entry.entry_timeout_us = MIN(entry.entry_timeout_us, listing->most_us);
        cf_place_doubt(there, &entry);
    }
    if (!listing->fill(name, &entry, whole && !never, index + FIRST + listing->round,
                       listing->data)) {
        listing->full = TRUE;
        return FALSE;
    }
    return TRUE;
}

/* A place like the listing's, for one of its entries. The snapshot is lent. */
static CfPlace
beside(const Listing *listing, CfResource *resource)
{
    CfPlace there = *listing->place;

    if (resource)
        cf_place_set_resource(&there, resource);
    return there;
}

static guint
list_rows(Listing *listing, guint parent, guint index)
{
    guint n;
    const CfStaticRow *rows = cf_static_table(&n);

    for (guint i = 0; i < n; i++) {
        CfNode node = cf_place_node(listing->place, CF_KIND_STATIC, 0, rows[i].sub);
        CfPlace there = beside(listing, NULL);

        if (rows[i].parent != parent || rows[i].sub == CF_STATIC_SNAPSHOTS)
            continue;
        if (!cf_static_has(there.profile, node.collection, rows[i].sub)) {
            index++;
            continue;
        }
        if (S_ISREG(rows[i].mode) && parent >= CF_STATIC_PROFILE) {
            gint64 mtime_ns;
            g_autofree char *text = cf_static_text(listing->place->tree, &node, FALSE, &mtime_ns);

            if (!text) {
                index++;
                continue;
            }
        }
        if (!give(listing, index++, rows[i].name, &there, node, rows[i].mode))
            break;
    }
    return index;
}

static void
list_root(Listing *listing)
{
    CfTree *tree = listing->place->tree;
    guint index = list_rows(listing, CF_STATIC_ROOT, 0);

    for (guint i = 0; !listing->full && i < tree->profiles->len; i++) {
        CfTreeProfile *profile = tree->profiles->pdata[i];
        CfNode node = {.kind = CF_KIND_STATIC, .profile = profile->index, .sub = CF_STATIC_PROFILE};
        CfPlace there = beside(listing, NULL);

        there.profile = profile;
        if (!give(listing, index + i, profile->name, &there, node, S_IFDIR))
            return;
    }
}

static void
list_profile(Listing *listing)
{
    static const char *const names[2][2] = {{"events.jsonl", "events.1.jsonl"},
                                            {"journal.jsonl", "journal.1.jsonl"}};
    CfPlace *place = listing->place;
    guint index = list_rows(listing, CF_STATIC_PROFILE, 0);

    for (guint sub = 0; sub < 2 && !listing->full; sub++) {
        CfPlace there = beside(listing, NULL);
        guint32 number;

        there.node = cf_place_node(place, CF_KIND_APPEND, 0, sub);
        number = cf_append_get_number(cf_place_append(&there));
        for (guint former = 0; former < 2 && !listing->full; former++, index++)
            if (number > former)
                give(listing, index, names[sub][former], &there,
                     cf_place_node(place, CF_KIND_APPEND, number - former, sub), S_IFREG);
    }
    for (guint c = 0; c < CF_COLLECTION_N && !listing->full; c++) {
        CfNode node = {CF_KIND_STATIC, c, place->node.profile, 0, CF_STATIC_COLLECTION};
        CfPlace there = beside(listing, NULL);

        give(listing, index++, cf_collection_name(c), &there, node, S_IFDIR);
    }
}

static void
list_collection(Listing *listing)
{
    guint index = list_rows(listing, CF_STATIC_COLLECTION, 0);

    for (guint view = 0; view < cf_views_count() && !listing->full; view++) {
        CfPlace there = beside(listing, NULL);

        if (cf_view_is_there(view, listing->place->profile, listing->place->node.collection))
            give(listing, index + view, cf_view_name(view), &there,
                 cf_place_node(listing->place, CF_KIND_STATIC, 0, CF_STATIC_VIEW + view), S_IFDIR);
    }
}

/* Which first listing it is, as it stands in offsets. */
static guint64
get_round(const Listing *listing)
{
    const CfPlace *place = listing->place;

    return (guint64) (cf_inventory_get_round(place->profile->inventory, place->node.collection) &
                      ROUND_MAX)
           << ROUND_SHIFT;
}

/* What comes is a directory, whatever it will show: the kernel may keep it, as from a version. */
static void
give_coming(Listing *listing, const CfComing *coming, gint64 rest_us)
{
    g_autoptr(CfResource) resource = cf_coming_to_resource(coming);
    CfPlace there = beside(listing, resource);
    CfNode node = cf_place_node(&there, CF_KIND_RESOURCE, coming->handle, 0);
    g_autofree char *name = cf_id_encode(cf_record_get_id(coming->record));
    guint slot = CF_HANDLE_SLOT(coming->handle);
    CfEntry entry = {0};

    cf_tree_mark_seen(there.profile, node.collection, coming->handle, CF_SEEN_FILES);
    cf_place_entry(&there, node, &entry, NULL);
    entry.attr.attr_timeout_us = rest_us;
    cf_place_doubt(&there, &entry);
    /* Its listing may have failed since it was looked up, and what was seen of it been withdrawn
     * before this was: the round changes first, then the marks are looked at. */
    if (get_round(listing) != listing->round)
        entry.entry_timeout_us = entry.attr.attr_timeout_us = 0;
    listing->full =
        !listing->fill(name, &entry, TRUE, slot + FIRST + listing->round, listing->data);
    if (!listing->full)
        listing->from = slot + 1;
}

/* Returns: whether any have come. */
static gboolean
list_coming(Listing *listing)
{
    const CfPlace *place = listing->place;
    guint64 begin = listing->from;
    guint n;

    do {
        gint64 rest_us;
        g_autoptr(GArray) some =
            cf_inventory_ref_coming(place->profile->inventory, place->node.collection,
                                    (guint) listing->from, COMING_AT_ONCE, &rest_us);

        n = some->len;
        for (guint i = 0; i < n && !listing->full; i++)
            give_coming(listing, &g_array_index(some, CfComing, i), rest_us);
    } while (n > 0 && !listing->full);
    return listing->full || listing->from > begin;
}

static gboolean
list_by_id(Listing *listing, GError **error)
{
    CfSnapshot *snapshot;

    g_mutex_lock(&listing->place->tree->lock);
    listing->place->profile->collections[listing->place->node.collection].by_id_seen = TRUE;
    g_mutex_unlock(&listing->place->tree->lock);
    cf_place_renew(listing->place);
    if (!listing->place->snapshot && list_coming(listing))
        return TRUE;
    /* It may have ended just now. */
    cf_place_renew(listing->place);
    snapshot = listing->place->snapshot;
    if (!snapshot)
        return cf_tree_fail(error, CF_ERROR_TIMEOUT, "nothing was fetched yet");
    for (guint64 i = listing->from; snapshot && i < snapshot->n_slots; i++) {
        CfResource *resource = snapshot->slots[i];
        g_autofree char *name = resource ? cf_id_encode(cf_record_get_id(resource->record)) : NULL;
        CfPlace there = beside(listing, resource);

        if (resource &&
            !give(listing, i, name, &there,
                  cf_place_node(listing->place, CF_KIND_RESOURCE, resource->handle, 0), S_IFDIR))
            break;
    }
    return TRUE;
}

static gboolean
give_link(Listing *listing, guint view, guint value, guint slot)
{
    CfSnapshot *snapshot = listing->place->snapshot;
    CfResource *resource = snapshot->slots[slot];
    const char *name = cf_names_of(cf_names_get(snapshot), slot);
    CfPlace there = beside(listing, resource);

    if (!resource || !name)
        return TRUE;
    return give(listing, slot, name, &there, cf_place_link(listing->place, view, resource, value),
                S_IFLNK);
}

static void
list_view(Listing *listing, guint view)
{
    CfSnapshot *snapshot;
    CfTreeProfile *profile = listing->place->profile;
    CfCollection collection = listing->place->node.collection;
    CfIntern *intern = &profile->collections[collection].values[view];
    guint n_values;

    cf_place_view_seen(listing->place, view);
    cf_place_renew(listing->place);
    snapshot = listing->place->snapshot;
    if (!snapshot)
        return;
    if (cf_view_is_flat(view)) {
        for (guint64 i = listing->from; i < snapshot->n_slots; i++)
            if (snapshot->slots[i] && !cf_resource_is_deleted(snapshot->slots[i]) &&
                !give_link(listing, view, 0, (guint) i))
                return;
        return;
    }
    cf_names_get(snapshot);
    cf_view_index(profile, snapshot, view); /* gives the values numbers */
    g_mutex_lock(&listing->place->tree->lock);
    n_values = intern->texts ? intern->texts->len : 0;
    g_mutex_unlock(&listing->place->tree->lock);
    for (guint64 i = listing->from; i < n_values; i++) {
        CfPlace there = beside(listing, NULL);
        const char *text;

        if (!cf_view_has_value(profile, snapshot, collection, view, (guint) i + 1))
            continue;
        g_mutex_lock(&listing->place->tree->lock);
        text = intern->texts->pdata[i];
        g_mutex_unlock(&listing->place->tree->lock);
        if (!give(listing, i, text, &there,
                  cf_place_node(listing->place, CF_KIND_VALUE, (guint32) i + 1, view), S_IFDIR))
            return;
    }
}

static void
list_value(Listing *listing)
{
    CfPlace *place = listing->place;
    GPtrArray *members;
    GArray *slots;

    if (!place->snapshot)
        return;
    members = cf_view_index(place->profile, place->snapshot, place->node.sub);
    slots = place->node.handle > 0 && place->node.handle <= members->len
                ? members->pdata[place->node.handle - 1]
                : NULL;
    for (guint i = 0; slots && i < slots->len; i++) {
        guint slot = g_array_index(slots, guint32, i);

        if (slot >= listing->from && !give_link(listing, place->node.sub, place->node.handle, slot))
            return;
    }
}

/* The links are given whole: they are few, and a lookup of one may be a search. */
static void
list_found(Listing *listing, const CfFindings *findings)
{
    CfPlace *place = listing->place;

    listing->stat = TRUE;
    listing->most_us = cf_search_rest_us(place, findings);
    for (guint i = 0; place->snapshot && i < findings->n; i++) {
        guint slot = CF_HANDLE_SLOT(findings->handles[i]);
        const CfResource *resource = cf_snapshot_get(place->snapshot, findings->handles[i]);

        if (slot >= listing->from && resource && !cf_resource_is_deleted(resource) &&
            !give_link(listing, CF_VIEW_SEARCH, place->node.handle, slot))
            return;
    }
}

/* A key that was made, unless it was written meanwhile. */
static gboolean
give_unwritten(Listing *listing, guint64 index, const char *name)
{
    CfPlace there = *listing->place;
    g_autofree char *known = cf_meta_find(listing->place, name);
    g_autofree char *key = cf_meta_possible(listing->place, name);
    CfNode node;

    if (known || !key)
        return TRUE;
    node = cf_meta_node(listing->place, key);
    return !node.sub || give(listing, index, name, &there, node, S_IFREG);
}

/* Behind the attributes, by their numbers, which only grow. */
static void
list_scratch(Listing *listing, guint64 base)
{
    CfPlace *place = listing->place;
    CfIno dir = cf_node_pack(place->node);
    guint32 number = listing->from > base ? (guint32) (listing->from - base) - 1 : 0;

    for (;;) {
        g_autofree char *name = NULL;
        CfPlace there = *place;
        CfScratch *file;
        gboolean key = FALSE;

        g_mutex_lock(&place->tree->lock);
        file = cf_scratch_next(place->tree->scratches, dir, number);
        if (file) {
            number = file->number;
            name = g_strdup(file->name);
            key = file->key;
        }
        g_mutex_unlock(&place->tree->lock);
        if (!file)
            return;
        if (key ? !give_unwritten(listing, base + number, name)
                : !give(listing, base + number, name, &there,
                        cf_place_node(place, CF_KIND_SCRATCH, number, 0), S_IFREG))
            return;
    }
}

static void
list_resource(Listing *listing)
{
    CfPlace *place = listing->place;
    guint n;
    const CfAttribute *rows = cf_attributes_get(place->node.collection, &n);

    for (guint i = (guint) MIN(listing->from, n); i < n; i++) {
        CfPlace there = *place;
        CfNode node = cf_place_node(place, CF_KIND_RESOURCE, place->node.handle, i + 1);

        if (!cf_attribute_is_visible(&rows[i], &place->subject))
            continue;
        if (S_ISDIR(rows[i].mode))
            node = cf_place_node(place, rows[i].dir, place->node.handle, 0);
        if (!give(listing, i, rows[i].name, &there, node, rows[i].mode))
            return;
    }
    list_scratch(listing, n);
}

static gboolean
give_key(const char *name, guint number, gpointer data)
{
    Listing *listing = data;
    CfPlace there = *listing->place;

    return give(listing, number, name, &there,
                cf_place_node(listing->place, CF_KIND_META, there.node.handle, number), S_IFREG);
}

static void
list_metadata(Listing *listing)
{
    if (cf_meta_walk(listing->place, listing->from, give_key, listing))
        list_scratch(listing, CF_NODE_SUB_MAX + 1);
}

static gboolean
give_raw(const char *name, const CfRaw *raw, guint index, gpointer data)
{
    Listing *listing = data;
    CfPlace there = *listing->place;
    guint number = cf_raw_number(there.tree, there.node.sub, name, TRUE);
    CfNode node = cf_place_node(listing->place, CF_KIND_RAW, there.node.handle, number);

    if (!number)
        return TRUE; /* the numbers are used up: LOOKUP says so */
    return give(listing, index + 1, name, &there, node, cf_raw_is_dir(raw) ? S_IFDIR : S_IFREG);
}

static gboolean
list_raw(Listing *listing, GError **error)
{
    CfPlace there = *listing->place;
    CfRaw raw;

    if (!cf_raw_find(there.tree, &there.subject, there.node.sub, &raw))
        return cf_tree_fail(error, CF_ERROR_NOT_FOUND, "the cloud has no such value now");
    if (there.node.sub == 0 && !cf_inventory_get_options(there.profile->inventory)->ro)
        give(listing, 0, "refresh", &there,
             cf_place_node(listing->place, CF_KIND_RAW, there.node.handle, CF_RAW_REFRESH),
             S_IFREG);
    if (!listing->full)
        cf_raw_walk(&listing->place->subject, &raw, give_raw, listing);
    return TRUE;
}

static void
list_version(Listing *listing)
{
    CfPlace there = *listing->place;
    guint32 handle = there.node.handle;

    if (give(listing, 0, "list.tsv", &there,
             cf_place_node(listing->place, CF_KIND_VERSION, handle, CF_VERSION_TSV), S_IFREG))
        give(listing, 1, "list.jsonl", &there,
             cf_place_node(listing->place, CF_KIND_VERSION, handle, CF_VERSION_JSONL), S_IFREG);
}

static gboolean
list_static(Listing *listing, GError **error)
{
    guint sub = listing->place->node.sub;

    switch (sub) {
    case CF_STATIC_ROOT:
        list_root(listing);
        break;
    case CF_STATIC_DOT:
        list_rows(listing, CF_STATIC_DOT, 0);
        break;
    case CF_STATIC_PROFILE:
        list_profile(listing);
        break;
    case CF_STATIC_COLLECTION:
        list_collection(listing);
        break;
    case CF_STATIC_BY_ID:
        return list_by_id(listing, error);
    default:
        if (sub >= CF_STATIC_VIEW && sub < CF_STATIC_VIEW + cf_views_count())
            list_view(listing, sub - CF_STATIC_VIEW);
    }
    return TRUE;
}

/* Files are given whole while somebody looks at their attributes one by one; whether somebody does
 * is seen from the lookups that follow a plain listing. */
static gboolean
want_whole(CfTree *tree, CfIno ino, guint64 offset)
{
    gboolean whole;

    g_mutex_lock(&tree->lock);
    whole = cf_clock_mono_us() < tree->stat_until_us;
    if (!whole && offset == 0 && tree->stat_dir != ino) {
        tree->stat_dir = ino;
        tree->stat_count = 0;
    }
    g_mutex_unlock(&tree->lock);
    return whole;
}

static gboolean
give_dots(Listing *listing, guint64 offset)
{
    CfNode up = cf_tree_parent_of(listing->place);
    CfEntry here = {.attr.ino = cf_node_pack(listing->place->node), .attr.mode = S_IFDIR};
    CfEntry there = {.attr.ino = cf_node_pack(up), .attr.mode = S_IFDIR};

    if (offset < 1 && !listing->fill(".", &here, FALSE, 1, listing->data))
        return FALSE;
    return offset >= 2 || listing->fill("..", &there, FALSE, 2, listing->data);
}

static gboolean
list(Listing *listing, const CfFindings *findings, GError **error)
{
    switch (listing->place->node.kind) {
    case CF_KIND_STATIC:
        return list_static(listing, error);
    case CF_KIND_RESOURCE:
        list_resource(listing);
        return TRUE;
    case CF_KIND_RAW:
        return list_raw(listing, error);
    case CF_KIND_META:
        list_metadata(listing);
        return listing->place->node.sub == 0 ||
               cf_tree_fail(error, CF_ERROR_INVALID, "not a directory");
    case CF_KIND_VALUE:
        list_value(listing);
        return TRUE;
    case CF_KIND_VERSION:
        list_version(listing);
        return TRUE;
    case CF_KIND_SEARCH:
        list_found(listing, findings);
        return TRUE;
    case CF_KIND_LINK:
    case CF_KIND_SHORT:
    case CF_KIND_APPEND:
    case CF_KIND_SCRATCH:
    case CF_KIND_N:
        break;
    }
    return cf_tree_fail(error, CF_ERROR_INVALID, "not a directory");
}

static gboolean
is_by_id(const CfNode *node)
{
    return node->kind == CF_KIND_STATIC && node->sub == CF_STATIC_BY_ID;
}

/* offset: (inout): without the round. */
static CfVerdict
prepare_by_id(Listing *listing, guint64 *offset, CfNeed *need, GError **error)
{
    CfPlace *place = listing->place;
    guint64 number = *offset & ((1u << ROUND_SHIFT) - 1);
    guint from = number >= FIRST ? (guint) number - FIRST + 1 : 0;

    listing->round = get_round(listing);
    if (number >= FIRST && *offset - number != listing->round) {
        cf_tree_fail(error, CF_ERROR_CHANGED, "the listing that was being read has failed");
        return CF_FAILED;
    }
    *offset = number;
    /* Those that have come may all have been read: then it is waited again, for more. */
    if (!place->snapshot &&
        cf_tree_must_wait_coming(place->profile, place->node.collection, from, FALSE, need))
        return CF_WAIT;
    return CF_DONE;
}

CfVerdict
cf_tree_readdir(CfTree *tree, CfIno ino, guint64 offset, gboolean waited, CfDirFill fill,
                gpointer data, CfNeed *ret_need, GError **error)
{
    g_auto(CfPlace) place = {0};
    g_autoptr(CfFindings) findings = NULL;
    Listing listing = {.place = &place, .fill = fill, .data = data, .most_us = CF_TIMEOUT_LONG_US};
    CfNode node;

    if (!(cf_node_unpack(ino, &node) && is_by_id(&node)) &&
        cf_tree_must_wait_whole(tree, ino, waited, ret_need))
        return CF_WAIT;
    if (!cf_place_init(&place, tree, ino, error))
        return CF_FAILED;
    if (is_by_id(&place.node)) {
        CfVerdict verdict = prepare_by_id(&listing, &offset, ret_need, error);

        if (verdict != CF_DONE)
            return verdict;
    }
    /* Root passes the kernel's check of mode bits; raw/ is its own owner's then. */
    if (place.node.kind == CF_KIND_SEARCH) {
        CfVerdict verdict = cf_search_get(&place, waited || offset > 0, &findings, ret_need, error);

        if (verdict != CF_DONE)
            return verdict;
    }
    listing.from = offset >= FIRST ? offset - FIRST + 1 : 0;
    listing.stat = want_whole(tree, ino, offset);
    if (!give_dots(&listing, offset))
        return CF_DONE;
    return list(&listing, findings, error) ? CF_DONE : CF_FAILED;
}
