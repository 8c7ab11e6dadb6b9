/* The views: which directories of links exist is a table; what stands in them is an index that a
 * snapshot builds when somebody first looks. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/text.h"

typedef struct {
    const char *name;
    int fields[CF_COLLECTION_N]; /* whose value names the directory; -1: the view is not there */
    gboolean flat;
    /* NULL: the field's value, or each item of a list. */
    void (*values)(const CfResource *resource, GPtrArray *values);
    CfAspects aspects; /* beyond the field */
    guint edit;        /* CF_CAN() of what changing its names does; 0: they cannot be changed */
    const char *doc;
} View;

static void
add_value(GPtrArray *values, const char *text)
{
    if (text && *text) {
        char *name = cf_id_encode(text);

        if (g_ptr_array_find_with_equal_func(values, name, g_str_equal, NULL))
            g_free(name);
        else
            g_ptr_array_add(values, name);
    }
}

static void
problem_values(const CfResource *resource, GPtrArray *values)
{
    add_value(values, cf_resource_get_problem(resource));
}

static const View views[] = {
    {"by-name",
     {CF_FIELD_NAME, CF_FIELD_NAME},
     .flat = TRUE,
     .edit = CF_CAN(CF_ACTION_RENAME),
     .doc = "a link for each name"},
    {"by-state", {CF_FIELD_STATE, CF_FIELD_STATE}, .doc = "by the portable state"},
    {"by-status", {CF_FIELD_STATUS, CF_FIELD_STATUS}, .doc = "by the cloud's own status"},
    {"by-tag",
     {CF_SERVER_TAGS, CF_IMAGE_TAGS},
     .edit = CF_CAN(CF_ACTION_TAGS),
     .doc = "by each tag"},
    {"by-zone", {CF_SERVER_ZONE, -1}, .doc = "by availability zone"},
    {"by-image", {CF_SERVER_IMAGE, -1}, .doc = "by the id of the image made from"},
    {"by-flavor", {CF_SERVER_FLAVOR, -1}, .doc = "by flavor"},
    {"by-host", {CF_SERVER_HOST, -1}, .doc = "by the host that runs the server"},
    {"by-address", {CF_SERVER_ADDRESSES, -1}, .doc = "by each address"},
    {"by-os", {-1, CF_IMAGE_OS}, .doc = "by operating system"},
    {"by-visibility", {-1, CF_IMAGE_VISIBILITY}, .doc = "by visibility"},
    {"by-owner", {-1, CF_IMAGE_OWNER}, .doc = "by owner"},
    {"by-arch", {-1, CF_IMAGE_ARCH}, .doc = "by processor architecture"},
    {"by-provider", {-1, CF_IMAGE_PROVIDER}, .doc = "by who offers it"},
    {"by-problem",
     {CF_FIELD_STATE, CF_FIELD_STATE},
     .values = problem_values,
     .aspects = CF_ASPECT(CF_ASPECT_PROBLEM),
     .doc = "what needs a look: error, unknown, action (the last action failed)"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(views) <= CF_VIEWS_MAX);

guint
cf_views_count(void)
{
    return G_N_ELEMENTS(views);
}

const char *
cf_view_name(guint view)
{
    return views[view].name;
}

const char *
cf_view_doc(guint view)
{
    return views[view].doc;
}

gboolean
cf_view_is_flat(guint view)
{
    return views[view].flat;
}

gboolean
cf_view_has(guint view, CfCollection collection)
{
    return views[view].fields[collection] >= 0;
}

gboolean
cf_view_is_there(guint view, const CfTreeProfile *profile, CfCollection collection)
{
    const CfProviderOps *ops = cf_inventory_get_ops(profile->inventory);

    return cf_view_has(view, collection) &&
           !(ops->lacks[collection] & CF_FIELD_BIT(views[view].fields[collection]));
}

guint
cf_view_get_edit(guint view)
{
    return views[view].edit;
}

gboolean
cf_view_is_editable(guint view, const CfTreeProfile *profile, CfCollection collection)
{
    const CfInventoryOptions *options = cf_inventory_get_options(profile->inventory);

    return view < G_N_ELEMENTS(views) && options->edit_views && !options->ro &&
           (cf_inventory_get_ops(profile->inventory)->can[collection] & views[view].edit);
}

int
cf_view_of_node(const CfNode *node)
{
    guint view = node->kind == CF_KIND_VALUE ? node->sub : node->sub - CF_STATIC_VIEW;

    if (node->kind != CF_KIND_VALUE && (node->kind != CF_KIND_STATIC || node->sub < CF_STATIC_VIEW))
        return -1;
    return view < G_N_ELEMENTS(views) ? (int) view : -1;
}

int
cf_view_find(CfCollection collection, const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(views); i++)
        if (cf_view_has(i, collection) && strcmp(views[i].name, name) == 0)
            return (int) i;
    return -1;
}

CfAspects
cf_view_aspects(guint view, CfCollection collection)
{
    /* A flat view shows names, which are an index of their own. */
    return views[view].aspects | (views[view].flat ? 0 : CF_ASPECT(views[view].fields[collection]));
}

GPtrArray *
cf_view_values(guint view, const CfResource *resource)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    CfCollection collection = cf_record_get_collection(resource->record);
    int field = views[view].fields[collection];
    const char *text;

    /* Recycled resources are in by-state/deleted only (contract section 2). */
    if (field < 0 ||
        (cf_resource_is_deleted(resource) && strcmp(views[view].name, "by-state") != 0))
        return values;
    if (views[view].values) {
        views[view].values(resource, values);
        return values;
    }
    text = cf_resource_get(resource, (guint) field);
    if (text && cf_schema_get(collection, &(guint){0})[field].type == CF_FIELD_LIST) {
        g_auto(GStrv) items = g_strsplit(text, "\n", -1);

        for (guint i = 0; items[i]; i++)
            add_value(values, items[i]);
    } else if (!views[view].flat) {
        add_value(values, text);
    }
    return values;
}

/* ---- the names of links ---- */

struct _CfNames {
    gatomicrefcount refs;
    guint n_slots;
    char **by_slot;   /* (nullable elements) */
    gboolean *unique; /* by slot */
    guint32 *sorted;  /* slots in the order of their names */
    guint n;
};

static CfNames *
names_ref(CfNames *names)
{
    g_atomic_ref_count_inc(&names->refs);
    return names;
}

static void
names_unref(gpointer data)
{
    CfNames *names = data;

    if (!g_atomic_ref_count_dec(&names->refs))
        return;
    for (guint i = 0; i < names->n_slots; i++)
        g_free(names->by_slot[i]);
    g_free(names->by_slot);
    g_free(names->unique);
    g_free(names->sorted);
    g_free(names);
}

static int
compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    CfResource **slots = data;

    return strcmp(slots[*(const guint32 *) a]->name, slots[*(const guint32 *) b]->name);
}

static int
compare_links(gconstpointer a, gconstpointer b, gpointer data)
{
    char **by_slot = data;

    return strcmp(by_slot[*(const guint32 *) a], by_slot[*(const guint32 *) b]);
}

static char *
name_with_id(const CfResource *resource)
{
    g_autofree char *id = cf_id_encode(cf_record_get_id(resource->record));

    return cf_name_with_id(resource->name, id);
}

/* A name is a resource's own when no other has it; those that share one, and those that are too
 * long, get "~" and the id. Deleted resources never take a name from a living one. */
static gpointer
names_build(CfSnapshot *snapshot, guint which, gpointer data)
{
    CfNames *names = g_new0(CfNames, 1);
    g_autofree guint32 *living = g_new(guint32, MAX(snapshot->n, 1));
    guint n_living = 0;

    g_atomic_ref_count_init(&names->refs);
    names->n_slots = snapshot->n_slots;
    names->by_slot = g_new0(char *, MAX(names->n_slots, 1));
    names->unique = g_new0(gboolean, MAX(names->n_slots, 1));
    names->sorted = g_new(guint32, MAX(snapshot->n, 1));
    for (guint32 i = 0; i < snapshot->n_slots; i++) {
        CfResource *resource = snapshot->slots[i];

        if (!resource)
            continue;
        names->sorted[names->n++] = i;
        if (cf_resource_is_deleted(resource))
            names->by_slot[i] = name_with_id(resource);
        else
            living[n_living++] = i;
    }
    g_qsort_with_data(living, (gint) n_living, sizeof *living, compare_names, snapshot->slots);
    for (guint i = 0; i < n_living; i++) {
        const char *name = snapshot->slots[living[i]]->name;
        gboolean shared =
            (i > 0 && strcmp(name, snapshot->slots[living[i - 1]]->name) == 0) ||
            (i + 1 < n_living && strcmp(name, snapshot->slots[living[i + 1]]->name) == 0);

        names->unique[living[i]] = !shared && strlen(name) <= CF_NAME_MAX;
        names->by_slot[living[i]] =
            names->unique[living[i]] ? g_strdup(name) : name_with_id(snapshot->slots[living[i]]);
    }
    g_qsort_with_data(names->sorted, (gint) names->n, sizeof *names->sorted, compare_links,
                      names->by_slot);
    return names;
}

CfNames *
cf_names_get(CfSnapshot *snapshot)
{
    return cf_snapshot_get_index(snapshot, CF_INDEX_NAMES, names_build, NULL, names_unref);
}

CfNames *
cf_names_peek(CfSnapshot *snapshot)
{
    return cf_snapshot_peek_index(snapshot, CF_INDEX_NAMES);
}

void
cf_names_share(CfSnapshot *from, CfSnapshot *to)
{
    CfNames *names = cf_names_peek(from);

    if (names)
        cf_snapshot_set_index(to, CF_INDEX_NAMES, names_ref(names), names_unref);
}

const char *
cf_names_of(const CfNames *names, guint slot)
{
    return slot < names->n_slots ? names->by_slot[slot] : NULL;
}

gboolean
cf_names_is_unique(const CfNames *names, guint slot)
{
    return slot < names->n_slots && names->unique[slot];
}

CfResource *
cf_names_find(CfSnapshot *snapshot, const char *link)
{
    const CfNames *names = cf_names_get(snapshot);
    guint low = 0;
    guint high = names->n;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        int order = strcmp(link, names->by_slot[names->sorted[middle]]);

        if (order == 0)
            return snapshot->slots[names->sorted[middle]];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- the members of values ---- */

guint
cf_intern(CfIntern *intern, const char *text, gboolean add)
{
    guint number;
    gint64 zero = 0;
    char *copy;

    if (!intern->numbers) {
        if (!add)
            return 0;
        intern->numbers = g_hash_table_new(g_str_hash, g_str_equal);
        intern->texts = g_ptr_array_new_with_free_func(g_free);
        intern->times = g_array_new(FALSE, TRUE, sizeof(gint64));
    }
    number = GPOINTER_TO_UINT(g_hash_table_lookup(intern->numbers, text));
    if (number || !add)
        return number;
    copy = g_strdup(text);
    g_ptr_array_add(intern->texts, copy);
    g_array_append_val(intern->times, zero);
    g_hash_table_insert(intern->numbers, copy, GUINT_TO_POINTER(intern->texts->len));
    return intern->texts->len;
}

typedef struct {
    gatomicrefcount refs;
    GPtrArray *members;
} ViewIndex;

static void
index_unref(gpointer data)
{
    ViewIndex *index = data;

    if (!g_atomic_ref_count_dec(&index->refs))
        return;
    g_ptr_array_unref(index->members);
    g_free(index);
}

static void
slots_free(gpointer slots)
{
    if (slots)
        g_array_unref(slots);
}

/* The tree's lock is not held here: the snapshot's is, and it comes first. */
static gpointer
index_build(CfSnapshot *snapshot, guint view, gpointer data)
{
    CfTreeProfile *profile = data;
    CfIntern *intern = &profile->collections[snapshot->collection].values[view];
    ViewIndex *index = g_new0(ViewIndex, 1);

    g_atomic_ref_count_init(&index->refs);
    index->members = g_ptr_array_new_with_free_func(slots_free);
    for (guint32 i = 0; i < snapshot->n_slots; i++) {
        g_autoptr(GPtrArray) values = NULL;

        if (!snapshot->slots[i])
            continue;
        values = cf_view_values(view, snapshot->slots[i]);
        for (guint v = 0; v < values->len; v++) {
            guint number;

            g_mutex_lock(&profile->tree->lock);
            number = cf_intern(intern, values->pdata[v], TRUE);
            g_mutex_unlock(&profile->tree->lock);
            if (index->members->len < number)
                g_ptr_array_set_size(index->members, (gint) number);
            if (!index->members->pdata[number - 1])
                index->members->pdata[number - 1] = g_array_new(FALSE, FALSE, sizeof(guint32));
            g_array_append_val((GArray *) index->members->pdata[number - 1], i);
        }
    }
    return index;
}

GPtrArray *
cf_view_index(CfTreeProfile *profile, CfSnapshot *snapshot, guint view)
{
    ViewIndex *index = cf_snapshot_get_index(snapshot, view, index_build, profile, index_unref);

    return index->members;
}

gboolean
cf_view_has_value(CfTreeProfile *profile, CfSnapshot *snapshot, CfCollection collection, guint view,
                  guint number)
{
    CfNode node = {CF_KIND_VALUE, collection, profile->index, number, view};
    GPtrArray *members = snapshot ? cf_view_index(profile, snapshot, view) : NULL;

    if (members && number && number <= members->len && members->pdata[number - 1])
        return TRUE;
    return number && cf_made_has(profile->tree, cf_node_pack(node));
}

char *
cf_view_dup_value(CfTreeProfile *profile, CfCollection collection, guint view, guint number)
{
    CfIntern *intern = &profile->collections[collection].values[view];
    char *text = NULL;

    g_mutex_lock(&profile->tree->lock);
    if (intern->texts && number && number <= intern->texts->len)
        text = g_strdup(intern->texts->pdata[number - 1]);
    g_mutex_unlock(&profile->tree->lock);
    return text;
}

void
cf_view_touch(CfTreeProfile *profile, CfCollection collection, guint view, guint number)
{
    CfTreeCollection *all = &profile->collections[collection];
    gint64 now_ns = cf_clock_real_ns();

    g_mutex_lock(&profile->tree->lock);
    all->view_times[view] = MAX(now_ns, all->view_times[view] + 1);
    g_array_index(all->values[view].times, gint64, number - 1) = now_ns;
    g_mutex_unlock(&profile->tree->lock);
}

void
cf_view_share(CfSnapshot *from, CfSnapshot *to, guint view)
{
    ViewIndex *index = cf_snapshot_peek_index(from, view);

    if (index) {
        g_atomic_ref_count_inc(&index->refs);
        cf_snapshot_set_index(to, view, index, index_unref);
    }
}

/* ---- from version to version ---- */

/* The first place in a sorted array that is not below slot. */
static guint
place_of(const GArray *slots, guint32 slot)
{
    guint low = 0, high = slots->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(slots, guint32, middle) < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The members of a value as an array that only this index has. own: values that were copied
 * already. */
static GArray *
own_members(ViewIndex *index, GHashTable *own, guint number)
{
    GArray *slots;

    if (index->members->len < number)
        g_ptr_array_set_size(index->members, (gint) number);
    slots = index->members->pdata[number - 1];
    if (g_hash_table_add(own, GUINT_TO_POINTER(number)) || !slots) {
        GArray *copy = slots ? g_array_copy(slots) : g_array_new(FALSE, FALSE, sizeof(guint32));

        slots_free(slots);
        index->members->pdata[number - 1] = slots = copy;
    }
    return slots;
}

static void
move_member(CfTreeProfile *profile, CfCollection collection, guint view, ViewIndex *index,
            GHashTable *own, const char *value, guint32 slot, gboolean add)
{
    guint number;
    GArray *slots;
    guint place;

    g_mutex_lock(&profile->tree->lock);
    number = cf_intern(&profile->collections[collection].values[view], value, TRUE);
    g_mutex_unlock(&profile->tree->lock);
    slots = own_members(index, own, number);
    place = place_of(slots, slot);
    if (add)
        g_array_insert_val(slots, place, slot);
    else if (place < slots->len && g_array_index(slots, guint32, place) == slot)
        g_array_remove_index(slots, place);
    if (slots->len == 0) {
        g_array_unref(slots);
        index->members->pdata[number - 1] = NULL;
    }
}

void
cf_view_update(CfTreeProfile *profile, CfSnapshot *from, CfSnapshot *to, guint view,
               const CfChange *changes, guint n)
{
    const ViewIndex *before = cf_snapshot_peek_index(from, view);
    ViewIndex *index = g_new0(ViewIndex, 1);
    g_autoptr(GHashTable) own = g_hash_table_new(NULL, NULL);

    g_atomic_ref_count_init(&index->refs);
    index->members = g_ptr_array_new_with_free_func(slots_free);
    for (guint i = 0; i < before->members->len; i++) {
        GArray *slots = before->members->pdata[i];

        g_ptr_array_add(index->members, slots ? g_array_ref(slots) : NULL);
    }
    for (guint i = 0; i < n; i++) {
        const CfResource *parts[] = {changes[i].before, changes[i].after};

        for (guint add = 0; add < 2; add++) {
            g_autoptr(GPtrArray) values = parts[add] ? cf_view_values(view, parts[add]) : NULL;

            for (guint v = 0; values && v < values->len; v++)
                move_member(profile, from->collection, view, index, own, values->pdata[v],
                            changes[i].slot, add);
        }
    }
    cf_snapshot_set_index(to, view, index, index_unref);
}
