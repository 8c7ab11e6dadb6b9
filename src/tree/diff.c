/* From two versions to what the kernel must be told. The new version's indexes are made before it
 * is published; what was looked at is asked, and told, after (internals.md section 1, invalidation
 * rules). */
#include <string.h>

#include "tree/diff.h"
#include "util/clock.h"
#include "util/text.h"

typedef struct {
    enum { TELL_INODE, TELL_ENTRY, TELL_DELETED } kind;
    CfIno ino, child;
    gint64 offset;
    char *name;
} Tell;

static void
tell_clear(gpointer data)
{
    g_free(((Tell *) data)->name);
}

CfIno
cf_diff_ino(const CfDiff *diff, CfKind kind, guint32 handle, guint32 sub)
{
    return cf_node_pack((CfNode){.kind = kind,
                                 .collection = diff->collection,
                                 .profile = diff->profile->index,
                                 .handle = handle,
                                 .sub = sub});
}

void
cf_diff_tell_inode(CfDiff *diff, CfIno ino, gint64 offset)
{
    Tell tell = {.kind = TELL_INODE, .ino = ino, .offset = offset};

    g_array_append_val(diff->tells, tell);
}

void
cf_diff_tell_entry(CfDiff *diff, CfIno parent, const char *name)
{
    Tell tell = {.kind = TELL_ENTRY, .ino = parent, .name = g_strdup(name)};

    g_array_append_val(diff->tells, tell);
}

static void
tell_deleted(CfDiff *diff, CfIno parent, CfIno child, const char *name)
{
    Tell tell = {.kind = TELL_DELETED, .ino = parent, .child = child, .name = g_strdup(name)};

    g_array_append_val(diff->tells, tell);
}

static guint8
seen(const CfDiff *diff, guint slot)
{
    GByteArray *bits = diff->profile->collections[diff->collection].seen;
    guint8 value;

    g_mutex_lock(&diff->profile->tree->lock);
    value = slot < bits->len ? bits->data[slot] : 0;
    g_mutex_unlock(&diff->profile->tree->lock);
    return value;
}

CfSubject
cf_diff_subject(const CfDiff *diff, const CfResource *resource)
{
    return (CfSubject){diff->profile->inventory, diff->collection, resource};
}

/* ---- files ---- */

static void
diff_files(CfDiff *diff, const CfChange *change)
{
    CfSubject before = cf_diff_subject(diff, change->before);
    CfSubject after = cf_diff_subject(diff, change->after);
    CfIno dir = cf_diff_ino(diff, CF_KIND_RESOURCE, change->after->handle, 0);
    guint8 bits = seen(diff, change->slot);
    gboolean members = FALSE;
    guint n;
    const CfAttribute *rows = cf_attributes_get(diff->collection, &n);

    if (!bits || !change->diff)
        return;
    for (guint i = 0; i < n; i++) {
        CfIno ino = cf_diff_ino(diff, CF_KIND_RESOURCE, change->after->handle, i + 1);
        gboolean was = cf_attribute_is_visible(&rows[i], &before);
        gboolean is = cf_attribute_is_visible(&rows[i], &after);

        if (was != is) {
            cf_diff_tell_entry(diff, dir, rows[i].name);
            members = TRUE;
        }
        if (was && !S_ISDIR(rows[i].mode) &&
            ((rows[i].aspects & change->diff) || !is ||
             cf_attribute_get_mode(&rows[i], &before) != cf_attribute_get_mode(&rows[i], &after)))
            cf_diff_tell_inode(diff, ino, cf_tree_is_control(ino) ? -1 : 0);
    }
    /* The directory's own time is the resource's; its list is dropped when files came or went. */
    cf_diff_tell_inode(diff, dir, members ? 0 : -1);
    if ((bits & CF_SEEN_META) &&
        (change->diff & (CF_ASPECT(CF_SERVER_METADATA) | CF_ASPECT(CF_ASPECT_CAN))))
        cf_diff_metadata(diff, change->before, change->after);
    if ((bits & CF_SEEN_RAW) && (change->diff & CF_ASPECT(CF_ASPECT_RAW)))
        cf_diff_raw(diff, change);
}

static void
diff_gone(CfDiff *diff, const CfChange *change)
{
    CfIno by_id = cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_BY_ID);
    guint32 handle = change->before->handle;
    g_autofree char *name = cf_id_encode(cf_record_get_id(change->before->record));
    guint n;

    cf_attributes_get(diff->collection, &n);
    if (!seen(diff, change->slot))
        return;
    for (guint i = 0; i <= n; i++) {
        CfIno ino = cf_diff_ino(diff, CF_KIND_RESOURCE, handle, i);

        cf_diff_tell_inode(diff, ino, cf_tree_is_control(ino) ? -1 : 0);
    }
    if (seen(diff, change->slot) & CF_SEEN_META)
        cf_diff_metadata(diff, change->before, NULL);
    tell_deleted(diff, by_id, cf_diff_ino(diff, CF_KIND_RESOURCE, handle, 0), name);
}

/* ---- links ---- */

static void
value_changed(CfDiff *diff, guint view, const char *value, const char *link)
{
    CfTreeCollection *collection = &diff->profile->collections[diff->collection];
    guint number;

    if (cf_view_is_flat(view)) {
        cf_diff_tell_entry(diff, cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_VIEW + view), link);
        return;
    }
    g_mutex_lock(&diff->profile->tree->lock);
    number = cf_intern(&collection->values[view], value, FALSE);
    if (number)
        g_array_index(collection->values[view].times, gint64, number - 1) = diff->now_ns;
    g_mutex_unlock(&diff->profile->tree->lock);
    if (number) {
        CfIno dir = cf_diff_ino(diff, CF_KIND_VALUE, number, view);

        cf_diff_tell_entry(diff, dir, link);
        cf_diff_tell_inode(diff, dir, 0);
    }
    /* It may be the first member or the last one: then the directory itself came or went. */
    cf_diff_tell_entry(diff, cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_VIEW + view), value);
}

static gboolean
has_text(const GPtrArray *texts, const char *text)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *) texts, text, g_str_equal, NULL);
}

/* Whether a value has members in a version. */
static gboolean
value_lives(CfDiff *diff, CfSnapshot *snapshot, guint view, const char *value)
{
    CfTreeCollection *collection = &diff->profile->collections[diff->collection];
    guint number;

    cf_view_index(diff->profile, snapshot, view); /* gives the values numbers */
    g_mutex_lock(&diff->profile->tree->lock);
    number = cf_intern(&collection->values[view], value, FALSE);
    g_mutex_unlock(&diff->profile->tree->lock);
    return cf_view_has_value(diff->profile, snapshot, diff->collection, view, number);
}

/* One resource in one view: links that go, links that come. */
static void
diff_links(CfDiff *diff, guint view, CfResource *before, CfResource *after)
{
    g_autoptr(GPtrArray) old = before ? cf_view_values(view, before) : g_ptr_array_new();
    g_autoptr(GPtrArray) new = after ? cf_view_values(view, after) : g_ptr_array_new();
    const char *old_link =
        before ? cf_names_of(diff->names_before, CF_HANDLE_SLOT(before->handle)) : NULL;
    const char *new_link =
        after ? cf_names_of(diff->names_after, CF_HANDLE_SLOT(after->handle)) : NULL;
    gboolean renamed = g_strcmp0(old_link, new_link) != 0;

    if (cf_view_is_flat(view)) {
        gboolean was = before && !cf_resource_is_deleted(before);
        gboolean is = after && !cf_resource_is_deleted(after);

        if (was && (renamed || !is))
            value_changed(diff, view, NULL, old_link);
        if (is && (renamed || !was))
            value_changed(diff, view, NULL, new_link);
        return;
    }
    for (guint i = 0; i < old->len; i++)
        if (renamed || !has_text(new, old->pdata[i]))
            value_changed(diff, view, old->pdata[i], old_link);
    for (guint i = 0; i < new->len; i++)
        if (renamed || !has_text(old, new->pdata[i]))
            value_changed(diff, view, new->pdata[i], new_link);
}

/* entry invalidations of value directories that have members before and after are taken back: they
 * are populated, and dropping them costs far more than it is worth. */
static void
prune_value_entries(CfDiff *diff, guint view, guint from)
{
    CfIno root = cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_VIEW + view);
    guint kept = from;
    gboolean moved = FALSE;

    for (guint i = from; i < diff->tells->len; i++) {
        Tell *tell = &g_array_index(diff->tells, Tell, i);
        gboolean drop = FALSE;

        if (tell->kind == TELL_ENTRY && tell->ino == root && !cf_view_is_flat(view)) {
            drop = value_lives(diff, diff->before, view, tell->name) ==
                   value_lives(diff, diff->after, view, tell->name);
            moved |= !drop;
        }
        if (drop) {
            g_clear_pointer(&tell->name, g_free);
            continue;
        }
        if (kept != i) {
            g_array_index(diff->tells, Tell, kept) = *tell;
            tell->name = NULL;
        }
        kept++;
    }
    if (kept < diff->tells->len)
        g_array_set_size(diff->tells, kept);
    if (moved || (cf_view_is_flat(view) && kept > from)) {
        g_mutex_lock(&diff->profile->tree->lock);
        diff->profile->collections[diff->collection].view_times[view] = diff->now_ns;
        g_mutex_unlock(&diff->profile->tree->lock);
        cf_diff_tell_inode(diff, root, 0);
    }
}

/* In and out of being deleted counts: such a resource stands in hardly any view. */
static gboolean
came_or_went(const CfChange *change)
{
    return !change->before || !change->after ||
           cf_resource_is_deleted(change->before) != cf_resource_is_deleted(change->after);
}

static void
diff_view(CfDiff *diff, guint view, GHashTable *renamed)
{
    CfAspects aspects = cf_view_aspects(view, diff->collection) | CF_ASPECT(CF_FIELD_NAME);
    guint from = diff->tells->len;
    GHashTableIter iter;
    gpointer slot;

    for (guint i = 0; i < diff->n; i++) {
        const CfChange *change = &diff->changes[i];

        if (came_or_went(change) || (change->diff & aspects) ||
            g_hash_table_contains(renamed, GUINT_TO_POINTER(change->slot)))
            diff_links(diff, view, change->before, change->after);
    }
    /* Not changed themselves, but a name began or ceased to be shared. */
    g_hash_table_iter_init(&iter, renamed);
    while (g_hash_table_iter_next(&iter, &slot, NULL)) {
        guint index = GPOINTER_TO_UINT(slot);

        if (diff->before->slots[index] == diff->after->slots[index])
            diff_links(diff, view, diff->before->slots[index], diff->after->slots[index]);
    }
    prune_value_entries(diff, view, from);
}

/* Slots whose links have another name now. */
static GHashTable *
renamed_slots(CfDiff *diff)
{
    GHashTable *renamed = g_hash_table_new(NULL, NULL);

    if (diff->names_before == diff->names_after)
        return renamed;
    for (guint i = 0; i < diff->before->n_slots; i++)
        if (diff->before->slots[i] && i < diff->after->n_slots && diff->after->slots[i] &&
            diff->before->slots[i]->handle == diff->after->slots[i]->handle &&
            g_strcmp0(cf_names_of(diff->names_before, i), cf_names_of(diff->names_after, i)) != 0)
            g_hash_table_add(renamed, GUINT_TO_POINTER(i));
    return renamed;
}

static void
diff_shorthand(CfDiff *diff, guint slot)
{
    CfIno dir = cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_COLLECTION);
    const char *old =
        cf_names_is_unique(diff->names_before, slot) ? cf_names_of(diff->names_before, slot) : NULL;
    const char *new =
        cf_names_is_unique(diff->names_after, slot) ? cf_names_of(diff->names_after, slot) : NULL;

    if (g_strcmp0(old, new) == 0)
        return;
    if (old)
        cf_diff_tell_entry(diff, dir, old);
    if (new)
        cf_diff_tell_entry(diff, dir, new);
}

/* ---- search/ ---- */

static gboolean
is_found(const CfFindings *findings, const CfResource *resource)
{
    return resource && !cf_resource_is_deleted(resource) &&
           cf_findings_have(findings, resource->handle);
}

/* Returns: whether a link came, went or has another name. */
static gboolean
diff_found(CfDiff *diff, const CfSearchLive *live, const CfResource *before,
           const CfResource *after)
{
    CfIno dir = cf_diff_ino(diff, CF_KIND_SEARCH, live->handle, 0);
    const char *old = is_found(live->findings, before)
                          ? cf_names_of(diff->names_before, CF_HANDLE_SLOT(before->handle))
                          : NULL;
    const char *new = is_found(live->findings, after)
                          ? cf_names_of(diff->names_after, CF_HANDLE_SLOT(after->handle))
                          : NULL;

    if (g_strcmp0(old, new) == 0)
        return FALSE;
    if (old)
        cf_diff_tell_entry(diff, dir, old);
    if (new)
        cf_diff_tell_entry(diff, dir, new);
    return TRUE;
}

static void
diff_searches(CfDiff *diff, GHashTable *renamed)
{
    g_autoptr(GArray) all = cf_search_list_live(diff->profile, diff->collection);

    for (guint s = 0; s < all->len; s++) {
        const CfSearchLive *live = &g_array_index(all, CfSearchLive, s);
        gboolean changed = FALSE;
        GHashTableIter iter;
        gpointer slot;

        for (guint i = 0; i < diff->n; i++)
            changed |= diff_found(diff, live, diff->changes[i].before, diff->changes[i].after);
        g_hash_table_iter_init(&iter, renamed);
        while (g_hash_table_iter_next(&iter, &slot, NULL)) {
            guint index = GPOINTER_TO_UINT(slot);

            if (diff->before->slots[index] == diff->after->slots[index])
                changed |=
                    diff_found(diff, live, diff->before->slots[index], diff->after->slots[index]);
        }
        if (changed) {
            cf_diff_tell_inode(diff, cf_diff_ino(diff, CF_KIND_SEARCH, live->handle, 0), 0);
            cf_search_changed(diff->profile, diff->collection, live->handle, diff->now_ns);
        }
    }
}

/* ---- the whole ---- */

static gboolean
names_differ(const CfDiff *diff)
{
    for (guint i = 0; i < diff->n; i++)
        if (came_or_went(&diff->changes[i]) || (diff->changes[i].diff & CF_ASPECT(CF_FIELD_NAME)))
            return TRUE;
    return FALSE;
}

static gboolean
view_differs(const CfDiff *diff, guint view)
{
    CfAspects aspects = cf_view_aspects(view, diff->collection);

    for (guint i = 0; i < diff->n; i++)
        if (came_or_went(&diff->changes[i]) || (diff->changes[i].diff & aspects))
            return TRUE;
    return FALSE;
}

/* What the readers of the new version will need is made before it is theirs. */
static void
prepare_indexes(CfDiff *diff)
{
    if (cf_names_peek(diff->before)) {
        if (!names_differ(diff))
            cf_names_share(diff->before, diff->after);
        cf_names_get(diff->after);
    }
    for (guint view = 0; view < cf_views_count(); view++)
        if (cf_view_has(view, diff->collection) && cf_snapshot_peek_index(diff->before, view)) {
            if (view_differs(diff, view))
                cf_view_update(diff->profile, diff->before, diff->after, view, diff->changes,
                               diff->n);
            else
                cf_view_share(diff->before, diff->after, view);
        }
}

static void
diff_collection(CfDiff *diff)
{
    CfIno by_id = cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_BY_ID);
    CfIno dir = cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_COLLECTION);
    gboolean members = FALSE;

    for (guint i = 0; i < diff->n; i++) {
        const CfChange *change = &diff->changes[i];

        if (change->before && change->after) {
            diff_files(diff, change);
            continue;
        }
        members = TRUE;
        if (change->before)
            diff_gone(diff, change);
        if (diff->by_id_seen || diff->short_seen) {
            const CfResource *resource = change->after ? change->after : change->before;
            g_autofree char *name = cf_id_encode(cf_record_get_id(resource->record));

            if (change->after && diff->by_id_seen)
                cf_diff_tell_entry(diff, by_id, name);
            if (diff->short_seen)
                cf_diff_tell_entry(diff, dir, name);
        }
    }
    if (members && diff->by_id_seen)
        cf_diff_tell_inode(diff, by_id, 0);
    if (diff->names_before) {
        g_autoptr(GHashTable) all = renamed_slots(diff);

        if (diff->short_seen) {
            GHashTableIter iter;
            gpointer slot;

            for (guint i = 0; i < diff->n; i++)
                diff_shorthand(diff, diff->changes[i].slot);
            g_hash_table_iter_init(&iter, all);
            while (g_hash_table_iter_next(&iter, &slot, NULL))
                diff_shorthand(diff, GPOINTER_TO_UINT(slot));
        }
        for (guint view = 0; view < cf_views_count(); view++)
            if (diff->views_seen & 1u << view)
                diff_view(diff, view, all);
        diff_searches(diff, all);
    }
    cf_diff_tell_inode(diff, cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_LIST_TSV), 0);
    cf_diff_tell_inode(diff, cf_diff_ino(diff, CF_KIND_STATIC, 0, CF_STATIC_LIST_JSONL), 0);
}

/* Bits of slots that are free again say nothing of their next resource. A slot whose bit is set is
 * used again only with another generation, so no number of the kernel's can mean two things. */
static void
forget_seen(CfDiff *diff)
{
    GByteArray *bits = diff->profile->collections[diff->collection].seen;

    g_mutex_lock(&diff->profile->tree->lock);
    for (guint i = 0; i < diff->n; i++)
        if (diff->changes[i].before && !diff->changes[i].after && diff->changes[i].slot < bits->len)
            bits->data[diff->changes[i].slot] = 0;
    g_mutex_unlock(&diff->profile->tree->lock);
}

static gpointer
on_prepare(CfInventory *inventory, CfSnapshot *before, CfSnapshot *after, const CfChange *changes,
           guint n, gpointer data)
{
    CfDiff *diff = g_new0(CfDiff, 1);

    *diff = (CfDiff){.profile = data,
                     .collection = after->collection,
                     .before = before,
                     .after = after,
                     .changes = changes,
                     .n = n};
    cf_version_publish(diff->profile, after);
    if (before)
        prepare_indexes(diff);
    return diff;
}

/* What was looked at is asked only now: until the new version was there, others may have begun to
 * look at the old one. And the times of directories change after their members, so that nobody is
 * given the new time with the old members. */
static void
work_out(CfDiff *diff)
{
    const CfTreeCollection *collection = &diff->profile->collections[diff->collection];

    diff->now_ns = cf_clock_real_ns();
    g_mutex_lock(&diff->profile->tree->lock);
    diff->views_seen = collection->views_seen;
    diff->by_id_seen = collection->by_id_seen;
    diff->short_seen = collection->short_seen;
    g_mutex_unlock(&diff->profile->tree->lock);
    diff->names_before = cf_names_peek(diff->before);
    diff->names_after = diff->names_before ? cf_names_get(diff->after) : NULL;
    diff_collection(diff);
    forget_seen(diff);
}

static void
on_commit(CfInventory *inventory, CfCollection collection, gpointer prepared, gpointer data)
{
    g_autofree CfDiff *diff = prepared;
    CfTreeSink sink = cf_tree_sink(diff->profile->tree);
    g_autoptr(GArray) tells = g_array_new(FALSE, FALSE, sizeof(Tell));

    g_array_set_clear_func(tells, tell_clear);
    diff->tells = tells;
    if (diff->before)
        work_out(diff);
    for (guint i = 0; sink.inval_inode && i < tells->len; i++) {
        const Tell *tell = &g_array_index(tells, Tell, i);

        switch (tell->kind) {
        case TELL_INODE:
            sink.inval_inode(tell->ino, tell->offset, 0, sink.data);
            break;
        case TELL_ENTRY:
            sink.inval_entry(tell->ino, tell->name, sink.data);
            break;
        case TELL_DELETED:
            sink.deleted(tell->ino, tell->child, tell->name, sink.data);
            break;
        }
    }
}

/* ---- facts of the profile ---- */

static void
fact(CfTreeProfile *profile, CfKind kind, CfCollection collection, guint32 handle, guint32 sub,
     gint64 offset)
{
    CfTreeSink sink = cf_tree_sink(profile->tree);
    CfNode node = {kind, collection, profile->index, handle, sub};

    if (sink.inval_inode)
        sink.inval_inode(cf_node_pack(node), offset, 0, sink.data);
}

static void
append_fact(CfTreeProfile *profile, CfAppend *append, guint32 sub, gboolean rotated)
{
    CfTreeSink sink = cf_tree_sink(profile->tree);
    guint32 number = cf_append_get_number(append);
    CfNode dir = {.kind = CF_KIND_STATIC, .profile = profile->index, .sub = CF_STATIC_PROFILE};
    gsize size = 0;
    gint64 mtime_ns;

    cf_append_stat(append, number, &size, &mtime_ns);
    fact(profile, CF_KIND_APPEND, CF_SERVERS, number, sub,
         (gint64) (size > 0 ? size - 1 : 0) & ~4095);
    if (rotated && sink.inval_entry) {
        sink.inval_entry(cf_node_pack(dir), sub ? "journal.jsonl" : "events.jsonl", sink.data);
        sink.inval_entry(cf_node_pack(dir), sub ? "journal.1.jsonl" : "events.1.jsonl", sink.data);
        sink.inval_inode(cf_node_pack(dir), 0, 0, sink.data);
    }
}

static void
on_facts(CfInventory *inventory, guint facts, gpointer data)
{
    CfTreeProfile *profile = data;

    if (facts & CF_FACT_HEALTH)
        fact(profile, CF_KIND_STATIC, CF_SERVERS, 0, CF_STATIC_HEALTH, 0);
    if (facts & CF_FACT_FETCHED_SERVERS)
        fact(profile, CF_KIND_STATIC, CF_SERVERS, 0, CF_STATIC_FETCHED, 0);
    if (facts & CF_FACT_FETCHED_IMAGES)
        fact(profile, CF_KIND_STATIC, CF_IMAGES, 0, CF_STATIC_FETCHED, 0);
    if (facts & CF_FACT_BATCH_SERVERS)
        fact(profile, CF_KIND_STATIC, CF_SERVERS, 0, CF_STATIC_LAST_ERROR, 0);
    if (facts & CF_FACT_BATCH_IMAGES)
        fact(profile, CF_KIND_STATIC, CF_IMAGES, 0, CF_STATIC_LAST_ERROR, 0);
    if (facts & CF_FACT_EVENTS)
        append_fact(profile, cf_inventory_get_events(inventory), 0, (facts & CF_FACT_ROTATED) != 0);
    if (facts & CF_FACT_JOURNAL)
        append_fact(profile, cf_inventory_get_journal(inventory), 1,
                    (facts & CF_FACT_ROTATED) != 0);
}

static void
on_withdrawn(CfInventory *inventory, CfCollection which, const GArray *gone, gpointer data)
{
    CfTreeProfile *profile = data;
    CfTreeSink sink = cf_tree_sink(profile->tree);
    GByteArray *seen = profile->collections[which].seen;
    CfNode by_id = {CF_KIND_STATIC, which, profile->index, 0, CF_STATIC_BY_ID};

    for (guint i = 0; i < gone->len; i++) {
        const CfComing *coming = &g_array_index(gone, CfComing, i);
        g_autofree char *name = cf_id_encode(cf_record_get_id(coming->record));
        guint slot = CF_HANDLE_SLOT(coming->handle);
        gboolean told = FALSE;

        g_mutex_lock(&profile->tree->lock);
        if (slot < seen->len) {
            told = seen->data[slot] != 0;
            seen->data[slot] = 0;
        }
        g_mutex_unlock(&profile->tree->lock);
        if (told && sink.inval_entry)
            sink.inval_entry(cf_node_pack(by_id), name, sink.data);
    }
}

void
cf_tree_hook(CfTreeProfile *profile)
{
    CfInventoryHooks hooks = {on_prepare, on_commit, on_facts, on_withdrawn, profile};

    cf_inventory_set_hooks(profile->inventory, &hooks);
}
