#include "inventory/snapshot.h"

#include <string.h>

#include "util/text.h"

static void
local_free(CfLocal *local)
{
    if (!local)
        return;
    g_free(local->last_error);
    g_free(local->captured);
    cf_text_wipe(local->console_url);
    g_free(local->console_type);
    cf_text_wipe(local->console_log);
    g_free(local->tags);
    g_free(local);
}

static CfLocal *
local_copy(const CfLocal *local)
{
    CfLocal *copy;

    if (!local)
        return NULL;
    copy = g_memdup2(local, sizeof *local);
    copy->last_error = g_strdup(local->last_error);
    copy->captured = g_strdup(local->captured);
    copy->console_url = g_strdup(local->console_url);
    copy->console_type = g_strdup(local->console_type);
    copy->console_log = g_strdup(local->console_log);
    copy->tags = g_strdup(local->tags);
    return copy;
}

CfResource *
cf_resource_ref(CfResource *resource)
{
    g_atomic_ref_count_inc(&resource->refs);
    return resource;
}

void
cf_resource_unref(CfResource *resource)
{
    if (!resource || !g_atomic_ref_count_dec(&resource->refs))
        return;
    cf_record_unref(resource->record);
    cf_record_unref(resource->base);
    cf_record_unref(resource->listed);
    local_free(resource->local);
    g_free(resource->changed);
    g_free(resource->name);
    g_free(resource);
}

CfResource *
cf_resource_new(guint32 handle, CfRecord *record, gint64 base_ns)
{
    CfResource *resource = g_new0(CfResource, 1);

    g_atomic_ref_count_init(&resource->refs);
    resource->handle = handle;
    resource->base = cf_record_ref(record);
    resource->base_ns = base_ns;
    cf_resource_set_record(resource, record);
    return resource;
}

CfResource *
cf_resource_copy(const CfResource *resource)
{
    CfResource *copy = g_memdup2(resource, sizeof *resource);

    g_atomic_ref_count_init(&copy->refs);
    cf_record_ref(copy->record);
    cf_record_ref(copy->base);
    if (copy->listed)
        cf_record_ref(copy->listed);
    copy->local = local_copy(resource->local);
    copy->changed =
        resource->changed ? g_memdup2(resource->changed, sizeof(gint64) * CF_ASPECT_N) : NULL;
    copy->name = g_strdup(resource->name);
    memset(copy->line_len, 0, sizeof copy->line_len);
    return copy;
}

void
cf_resource_set_record(CfResource *resource, CfRecord *record)
{
    CfRecord *former = resource->record;

    resource->record = cf_record_ref(record);
    if (!former || !resource->name ||
        strcmp(cf_record_get_name(former), cf_record_get_name(record)) != 0) {
        g_free(resource->name);
        resource->name = cf_name_encode(cf_record_get_name(record));
    }
    cf_record_unref(former);
}

CfLocal *
cf_resource_edit_local(CfResource *resource)
{
    if (!resource->local)
        resource->local = g_new0(CfLocal, 1);
    return resource->local;
}

void
cf_resource_touch(CfResource *resource, CfAspects aspects, gint64 now_ns)
{
    if (!aspects)
        return;
    if (!resource->changed) {
        resource->changed = g_new(gint64, CF_ASPECT_N);
        for (guint i = 0; i < CF_ASPECT_N; i++)
            resource->changed[i] = resource->base_ns;
    }
    for (guint i = 0; i < CF_ASPECT_N; i++)
        if (aspects & CF_ASPECT(i))
            resource->changed[i] = MAX(now_ns, resource->changed[i] + 1);
}

gint64
cf_resource_get_mtime_ns(const CfResource *resource, CfAspects aspects)
{
    gint64 newest = resource->base_ns;

    if (resource->changed)
        for (guint i = 0; i < CF_ASPECT_N; i++)
            if ((aspects & CF_ASPECT(i)) && resource->changed[i] > newest)
                newest = resource->changed[i];
    return newest;
}

static const char *
local_text(const CfResource *resource, guint aspect)
{
    const CfLocal *local = resource->local;

    if (!local)
        return NULL;
    switch (aspect) {
    case CF_ASPECT_LAST_ERROR:
        return local->last_error;
    case CF_ASPECT_CAPTURED:
        return local->captured;
    case CF_ASPECT_CONSOLE_URL:
        return local->console_url;
    case CF_ASPECT_CONSOLE_LOG:
        return local->console_log;
    default:
        return NULL;
    }
}

CfAspects
cf_resource_diff(const CfResource *before, const CfResource *after)
{
    CfAspects diff = 0;
    guint n;

    if (before == after)
        return 0;
    cf_schema_get(cf_record_get_collection(after->record), &n);
    if (before->record != after->record) {
        gsize len_before, len_after;
        const char *raw_before = cf_record_get_raw(before->record, &len_before);
        const char *raw_after = cf_record_get_raw(after->record, &len_after);

        for (guint i = 0; i < n; i++)
            if (g_strcmp0(cf_resource_get(before, i), cf_resource_get(after, i)) != 0)
                diff |= CF_ASPECT(i);
        if (len_before != len_after || memcmp(raw_before, raw_after, len_after) != 0)
            diff |= CF_ASPECT(CF_ASPECT_RAW);
        if (cf_record_get_can(before->record) != cf_record_get_can(after->record) ||
            cf_record_get_verbs(before->record) != cf_record_get_verbs(after->record))
            diff |= CF_ASPECT(CF_ASPECT_CAN);
    }
    for (guint i = CF_FIELD_MAX; i < CF_ASPECT_N; i++) {
        if (g_strcmp0(local_text(before, i), local_text(after, i)) != 0)
            diff |= CF_ASPECT(i);
        /* A control file that was written: only its time tells. */
        if (after->changed && after->changed[i] != cf_resource_get_mtime_ns(before, CF_ASPECT(i)))
            diff |= CF_ASPECT(i);
    }
    for (guint i = 0; i < n; i++)
        if (after->changed && after->changed[i] != cf_resource_get_mtime_ns(before, CF_ASPECT(i)))
            diff |= CF_ASPECT(i);
    if (g_strcmp0(cf_resource_get_problem(before), cf_resource_get_problem(after)) != 0)
        diff |= CF_ASPECT(CF_ASPECT_PROBLEM);
    return diff;
}

gboolean
cf_resource_is_deleted(const CfResource *resource)
{
    return cf_record_get_state(resource->record) == CF_STATE_DELETED;
}

const char *
cf_resource_get_problem(const CfResource *resource)
{
    switch ((int) cf_record_get_state(resource->record)) {
    case CF_STATE_ERROR:
        return "error";
    case CF_STATE_UNKNOWN:
        return "unknown";
    case CF_STATE_DELETED:
        return NULL;
    default:
        return resource->local && resource->local->last_error ? "action" : NULL;
    }
}

CfSnapshot *
cf_snapshot_ref(CfSnapshot *snapshot)
{
    g_atomic_ref_count_inc(&snapshot->refs);
    return snapshot;
}

/* Versions that were left, in a list that a leak checker can follow. */
static struct {
    GMutex lock;
    gint begun; /* atomic */
    GSList *snapshots;
} leavings;

void
cf_snapshots_leave(void)
{
    g_atomic_int_set(&leavings.begun, TRUE);
}

static gboolean
leave(CfSnapshot *snapshot)
{
    if (!g_atomic_int_get(&leavings.begun))
        return FALSE;
    g_mutex_lock(&leavings.lock);
    leavings.snapshots = g_slist_prepend(leavings.snapshots, snapshot);
    g_mutex_unlock(&leavings.lock);
    return TRUE;
}

void
cf_snapshot_unref(CfSnapshot *snapshot)
{
    if (!snapshot || !g_atomic_ref_count_dec(&snapshot->refs) || leave(snapshot))
        return;
    for (guint i = 0; i < CF_SNAPSHOT_INDEXES; i++)
        if (snapshot->indexes[i].data)
            snapshot->indexes[i].free(snapshot->indexes[i].data);
    for (guint i = 0; i < snapshot->n_slots; i++)
        cf_resource_unref(snapshot->slots[i]);
    g_free(snapshot->slots);
    if (g_atomic_ref_count_dec(snapshot->by_id_refs)) {
        g_free(snapshot->by_id);
        g_free(snapshot->by_id_refs);
    }
    g_mutex_clear(&snapshot->lock);
    g_free(snapshot);
}

/* What ids are sorted by: to go to the records for every comparison costs far more. */
typedef struct {
    guint64 head; /* eight bytes behind what all ids begin with, the first one highest */
    guint32 slot;
} SortKey;

static int
compare_ids(gconstpointer a, gconstpointer b, gpointer data)
{
    const SortKey *left = a, *right = b;
    CfResource **slots = data;

    if (left->head != right->head)
        return left->head < right->head ? -1 : 1;
    return strcmp(cf_record_get_id(slots[left->slot]->record),
                  cf_record_get_id(slots[right->slot]->record));
}

/* How many bytes all ids have in common. */
static gsize
common_prefix(const CfSnapshot *snapshot)
{
    const char *first = NULL;
    gsize common = 0;

    for (guint i = 0; i < snapshot->n_slots; i++) {
        const char *id = snapshot->slots[i] ? cf_record_get_id(snapshot->slots[i]->record) : NULL;

        if (id && !first) {
            first = id;
            common = strlen(id);
        } else if (id) {
            gsize same = 0;

            while (same < common && id[same] == first[same])
                same++;
            common = same;
        }
    }
    return common;
}

/* text: behind the common prefix. NUL bytes stand for what a shorter id has not. */
static guint64
sort_head(const char *text)
{
    guint64 head = 0;

    for (guint i = 0; i < 8; i++) {
        head = head << 8 | (guchar) *text;
        text += *text != '\0';
    }
    return head;
}

static void
snapshot_sort_ids(CfSnapshot *snapshot)
{
    gsize common = common_prefix(snapshot);
    g_autofree SortKey *keys = g_new(SortKey, MAX(snapshot->n, 1));
    guint n = 0;

    for (guint i = 0; i < snapshot->n_slots; i++)
        if (snapshot->slots[i]) {
            const char *id = cf_record_get_id(snapshot->slots[i]->record);

            keys[n++] = (SortKey){sort_head(id + common), i};
            if (strlen(id) > CF_NAME_MAX / 3)
                snapshot->long_ids = TRUE;
        }
    g_qsort_with_data(keys, (gint) n, sizeof *keys, compare_ids, snapshot->slots);
    snapshot->by_id = g_new(guint32, MAX(snapshot->n, 1));
    for (guint i = 0; i < n; i++)
        snapshot->by_id[i] = keys[i].slot;
    snapshot->by_id_refs = g_new(gatomicrefcount, 1);
    g_atomic_ref_count_init(snapshot->by_id_refs);
}

CfSnapshot *
cf_snapshot_new(CfCollection collection, guint64 number, CfResource **slots, guint n_slots,
                CfSnapshot *before, gboolean same_members)
{
    CfSnapshot *snapshot = g_new0(CfSnapshot, 1);

    g_atomic_ref_count_init(&snapshot->refs);
    g_mutex_init(&snapshot->lock);
    snapshot->collection = collection;
    snapshot->number = number;
    snapshot->slots = slots;
    snapshot->n_slots = n_slots;
    if (before && same_members) {
        snapshot->n = before->n;
        snapshot->by_id = before->by_id;
        snapshot->by_id_refs = before->by_id_refs;
        snapshot->long_ids = before->long_ids;
        g_atomic_ref_count_inc(snapshot->by_id_refs);
        return snapshot;
    }
    for (guint i = 0; i < n_slots; i++)
        snapshot->n += slots[i] != NULL;
    snapshot_sort_ids(snapshot);
    return snapshot;
}

CfResource *
cf_snapshot_find(const CfSnapshot *snapshot, const char *id)
{
    guint low = 0;
    guint high = snapshot->n;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        CfResource *resource = snapshot->slots[snapshot->by_id[middle]];
        int order = strcmp(id, cf_record_get_id(resource->record));

        if (order == 0)
            return resource;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

CfResource *
cf_snapshot_find_encoded(const CfSnapshot *snapshot, const char *encoded)
{
    g_autofree char *id = cf_name_decode(encoded);

    if (id) {
        CfResource *resource = cf_snapshot_find(snapshot, id);
        g_autofree char *again = resource ? cf_id_encode(id) : NULL;

        return resource && strcmp(again, encoded) == 0 ? resource : NULL;
    }
    if (!snapshot->long_ids || !strchr(encoded, '~'))
        return NULL;
    for (guint i = 0; i < snapshot->n; i++) {
        CfResource *resource = snapshot->slots[snapshot->by_id[i]];
        g_autofree char *name = cf_id_encode(cf_record_get_id(resource->record));

        if (strcmp(name, encoded) == 0)
            return resource;
    }
    return NULL;
}

CfResource *
cf_snapshot_get(const CfSnapshot *snapshot, guint32 handle)
{
    guint slot = CF_HANDLE_SLOT(handle);
    CfResource *resource = slot < snapshot->n_slots ? snapshot->slots[slot] : NULL;

    return resource && resource->handle == handle ? resource : NULL;
}

gpointer
cf_snapshot_get_index(CfSnapshot *snapshot, guint which, CfIndexBuild build, gpointer data,
                      GDestroyNotify destroy)
{
    gpointer index;

    g_mutex_lock(&snapshot->lock);
    if (!snapshot->indexes[which].data) {
        snapshot->indexes[which].data = build(snapshot, which, data);
        snapshot->indexes[which].free = destroy;
    }
    index = snapshot->indexes[which].data;
    g_mutex_unlock(&snapshot->lock);
    return index;
}

gpointer
cf_snapshot_peek_index(CfSnapshot *snapshot, guint which)
{
    gpointer index;

    g_mutex_lock(&snapshot->lock);
    index = snapshot->indexes[which].data;
    g_mutex_unlock(&snapshot->lock);
    return index;
}

void
cf_snapshot_set_index(CfSnapshot *snapshot, guint which, gpointer index, GDestroyNotify destroy)
{
    snapshot->indexes[which].data = index;
    snapshot->indexes[which].free = destroy;
}
