/* A page of a collection: filtered, sorted, cut. Filtered or sorted listings are kept until the
 * collection changes, so that going through the pages sorts once. */
#include <string.h>

#include "sim/private.h"

#define LISTINGS_MAX 16

typedef struct {
    guint64 generation;
    GPtrArray *records; /* borrows */
} Listing;

typedef struct {
    CfSimRecord *record;
    char *key;
} Sorted;

void
cf_sim_listing_forget(gpointer listing)
{
    g_ptr_array_unref(((Listing *) listing)->records);
    g_free(listing);
}

static gint
compare_sorted(gconstpointer a, gconstpointer b, gpointer descending)
{
    gint order = g_strcmp0(((const Sorted *) a)->key, ((const Sorted *) b)->key);

    return GPOINTER_TO_INT(descending) ? -order : order;
}

/* Returns: (transfer container): the records that the query names, each once. */
static GPtrArray *
find_ids(CfSim *sim, const CfSimQuery *query)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    GPtrArray *some = g_ptr_array_new();

    for (guint i = 0; i < query->ids->len; i++) {
        CfSimRecord *record =
            cf_sim_world_find(sim->world, query->kind, g_ptr_array_index(query->ids, i));

        if (record && g_hash_table_add(seen, record))
            g_ptr_array_add(some, record);
    }
    return some;
}

static gboolean
fits(CfSimRecord *record, const CfSimQuery *query)
{
    return query->picks ? query->picks(record, query->filter)
                        : query->matches(cf_sim_record_span(record), query->filter);
}

/* Returns: (transfer container): in the world's order. */
static GPtrArray *
filter(CfSim *sim, const CfSimQuery *query)
{
    g_autoptr(GPtrArray) named = query->ids ? find_ids(sim, query) : NULL;
    const GPtrArray *all = named ? named : cf_sim_world_list(sim->world, query->kind);
    GPtrArray *some = g_ptr_array_new();

    for (guint i = 0; i < all->len; i++) {
        CfSimRecord *record = g_ptr_array_index(all, i);

        if (!query->filter_id || fits(record, query))
            g_ptr_array_add(some, record);
    }
    return some;
}

typedef struct {
    CfSimRecord *record;
    guint place; /* before it was sorted */
    const CfSimQuery *query;
} Compared;

static gint
compare_records(gconstpointer a, gconstpointer b, gpointer data)
{
    const Compared *first = a, *second = b;
    const CfSimQuery *query = first->query;
    gint order = query->compare(first->record, second->record, query->sort);

    if (order == 0)
        order = (first->place > second->place) - (first->place < second->place);
    return query->descending ? -order : order;
}

static void
sort_by_records(GPtrArray *records, const CfSimQuery *query)
{
    g_autofree Compared *compared = g_new0(Compared, records->len);
    gboolean sorted = TRUE;

    for (guint i = 0; i < records->len; i++) {
        compared[i] = (Compared){g_ptr_array_index(records, i), i, query};
        sorted = sorted && (i == 0 || compare_records(&compared[i - 1], &compared[i], NULL) <= 0);
    }
    if (sorted)
        return;
    g_qsort_with_data(compared, (gint) records->len, sizeof *compared, compare_records, NULL);
    for (guint i = 0; i < records->len; i++)
        records->pdata[i] = compared[i].record;
}

static void
sort(GPtrArray *records, const CfSimQuery *query)
{
    g_autofree Sorted *sorted = NULL;

    if (query->compare) {
        sort_by_records(records, query);
        return;
    }
    sorted = g_new0(Sorted, records->len);
    for (guint i = 0; i < records->len; i++) {
        sorted[i].record = g_ptr_array_index(records, i);
        sorted[i].key = query->sort_key(cf_sim_record_span(sorted[i].record), query->sort);
    }
    g_qsort_with_data(sorted, (gint) records->len, sizeof *sorted, compare_sorted,
                      GINT_TO_POINTER(query->descending));
    for (guint i = 0; i < records->len; i++) {
        records->pdata[i] = sorted[i].record;
        g_free(sorted[i].key);
    }
}

/* Returns: (transfer full): under which a listing is kept; those of named records, which cost
 * little, take turns. */
static char *
listing_key(const CfSimQuery *query)
{
    if (query->ids)
        return g_strdup("ids");
    return g_strdup_printf("%d\n%s\n%d\n%d\n%s", query->kind, query->sort ? query->sort : "",
                           query->descending, query->filter_id != NULL,
                           query->filter_id ? query->filter_id : "");
}

static const GPtrArray *
find_listing(CfSim *sim, const CfSimQuery *query)
{
    g_autofree char *key = NULL;
    guint64 generation = cf_sim_world_generation(sim->world, query->kind);
    gboolean sorts = query->sort && *query->sort;
    Listing *listing;

    if (!query->filter_id && !sorts && !query->ids)
        return cf_sim_world_list(sim->world, query->kind);
    key = listing_key(query);
    listing = g_hash_table_lookup(sim->listings, key);
    if (listing && listing->generation == generation && !query->ids)
        return listing->records;
    if (g_hash_table_size(sim->listings) >= LISTINGS_MAX)
        g_hash_table_remove_all(sim->listings);
    listing = g_new0(Listing, 1);
    listing->generation = generation;
    listing->records = filter(sim, query);
    if (sorts)
        sort(listing->records, query);
    g_hash_table_insert(sim->listings, g_steal_pointer(&key), listing);
    return listing->records;
}

guint
cf_sim_listing_total(CfSim *sim, const CfSimQuery *query, CfSimTwist twist)
{
    return twist == CF_SIM_TWIST_EMPTY ? 0 : find_listing(sim, query)->len;
}

gboolean
cf_sim_listing_find(CfSim *sim, const CfSimQuery *query, const char *id, guint64 *ret_place)
{
    const CfSimRecord *record = cf_sim_world_find(sim->world, query->kind, id);
    const GPtrArray *records = find_listing(sim, query);
    guint place;

    if (!record || !g_ptr_array_find((GPtrArray *) records, record, &place))
        return FALSE;
    *ret_place = place;
    return TRUE;
}

guint
cf_sim_listing(CfSim *sim, const CfSimQuery *query, CfSimTwist twist, GString *out)
{
    const GPtrArray *records = find_listing(sim, query);
    guint64 size = query->size ? query->size : records->len;
    guint64 start = MIN(query->start, records->len);
    guint64 end = start + MIN(size, records->len - start);
    gsize before = out->len;

    if (twist == CF_SIM_TWIST_EMPTY)
        return 0;
    if (twist == CF_SIM_TWIST_PARTIAL && end == records->len)
        end = start; /* the last page is not there */
    for (guint64 i = start; i < end; i++) {
        /* Since the first page was read, the last item has moved to the front. */
        guint64 at = twist == CF_SIM_TWIST_SHIFT && start > 0 ? i - 1 : i;

        if (out->len > before)
            g_string_append_c(out, ',');
        query->render(sim, g_ptr_array_index(records, at), out);
    }
    return (guint) (end - start);
}

const CfSimRecord *
cf_sim_listing_last(CfSim *sim, const CfSimQuery *query, CfSimTwist twist, guint n)
{
    guint64 at = query->start + n - 1;

    return g_ptr_array_index(find_listing(sim, query),
                             twist == CF_SIM_TWIST_SHIFT && query->start > 0 ? at - 1 : at);
}
