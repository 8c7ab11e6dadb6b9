/* The records that a listing found, by the resources that are known. A resource can go, and its
 * slot be another's, while the listing is under way (an image was deleted): hence the handle
 * beside. */
#include "inventory/refresh-private.h"

static void
found_free(gpointer data)
{
    CfFound *found = data;

    cf_record_unref(found->record);
    g_free(found);
}

static void
place_clear(gpointer place)
{
    cf_record_unref(((CfPlace *) place)->record);
}

static void
page_free(gpointer page)
{
    if (page)
        g_array_unref(page);
}

static void
run_clear(gpointer run)
{
    cf_snapshot_unref(((CfRun *) run)->snapshot);
}

void
cf_found_begin(CfRefresh *refresh)
{
    CfSnapshot *current = refresh->state->current;

    cf_found_clear(refresh);
    refresh->n_slots = current ? current->n_slots : 0;
    refresh->same = FALSE;
    refresh->runs = g_array_new(FALSE, FALSE, sizeof(CfRun));
    g_array_set_clear_func(refresh->runs, run_clear);
    refresh->fresh = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, found_free);
    refresh->page_orders = g_ptr_array_new_with_free_func(page_free);
}

void
cf_found_clear(CfRefresh *refresh)
{
    for (guint i = 0; refresh->known && i < refresh->n_slots; i++)
        cf_record_unref(refresh->known[i].record);
    g_clear_pointer(&refresh->known, g_free);
    g_clear_pointer(&refresh->runs, g_array_unref);
    refresh->n_slots = refresh->n_known = 0;
    g_clear_pointer(&refresh->fresh, g_hash_table_unref);
    g_clear_pointer(&refresh->page_orders, g_ptr_array_unref);
}

static GArray *
get_page(CfRefresh *refresh, guint page)
{
    GArray *places;

    if (refresh->page_orders->len < page)
        g_ptr_array_set_size(refresh->page_orders, (gint) page);
    if (refresh->page_orders->pdata[page - 1])
        return refresh->page_orders->pdata[page - 1];
    places = g_array_sized_new(FALSE, FALSE, sizeof(CfPlace), refresh->page_size);
    g_array_set_clear_func(places, place_clear);
    refresh->page_orders->pdata[page - 1] = places;
    return places;
}

guint
cf_found_on_page(CfRefresh *refresh, guint page)
{
    return get_page(refresh, page)->len;
}

/* The list moved while it was paged, or says a thing twice: the newer answer wins. */
static gboolean
is_newer(const CfFound *found, const CfRecord *record, gint64 requested_us)
{
    return requested_us >= found->requested_us && found->record != record;
}

static gboolean
add_known(CfRefresh *refresh, CfFound *found, const CfResource *resource, CfRecord *record,
          gint64 requested_us)
{
    gboolean again = found->record != NULL;

    if (again && !is_newer(found, record, requested_us))
        return FALSE;
    cf_record_unref(found->record);
    *found = (CfFound){cf_record_ref(record), requested_us, resource->handle};
    refresh->n_known += !again;
    return !again;
}

static gboolean
add_fresh(CfRefresh *refresh, CfRecord *record, gint64 requested_us)
{
    CfFound *found = g_hash_table_lookup(refresh->fresh, cf_record_get_id(record));

    if (!found) {
        found = g_new0(CfFound, 1);
        found->record = cf_record_ref(record);
        found->requested_us = requested_us;
        g_hash_table_insert(refresh->fresh, (gpointer) cf_record_get_id(record), found);
        return TRUE;
    }
    if (is_newer(found, record, requested_us)) {
        CfRecord *former = found->record;

        found->record = cf_record_ref(record);
        found->requested_us = requested_us;
        g_hash_table_steal(refresh->fresh, cf_record_get_id(former));
        g_hash_table_insert(refresh->fresh, (gpointer) cf_record_get_id(record), found);
        cf_record_unref(former);
    }
    return FALSE;
}

void
cf_found_add(CfRefresh *refresh, guint page, CfResource *resource, CfRecord *record,
             gint64 requested_us)
{
    CfPlace place = {.record = NULL};
    gboolean added;
    guint slot;

    if (!resource)
        resource = cf_state_find(refresh->state, cf_record_get_id(record));
    slot = resource ? CF_HANDLE_SLOT(resource->handle) : G_MAXUINT;
    if (!refresh->known)
        refresh->known = g_new0(CfFound, refresh->n_slots);
    /* One that came since the listing began may have been met before it did. */
    if (slot < refresh->n_slots &&
        (!refresh->known[slot].record || refresh->known[slot].handle == resource->handle) &&
        (g_hash_table_size(refresh->fresh) == 0 ||
         !g_hash_table_contains(refresh->fresh, cf_record_get_id(record)))) {
        added = add_known(refresh, &refresh->known[slot], resource, record, requested_us);
        place.handle = resource->handle;
    } else {
        added = add_fresh(refresh, record, requested_us);
        place.record = added ? cf_record_ref(record) : NULL;
    }
    if (added)
        g_array_append_val(get_page(refresh, page), place);
}

/* The order of the last listing is what it was: only the end of a refresh changes it. */
static void
take_apart(CfRefresh *refresh, const CfRun *run)
{
    const GPtrArray *order = refresh->state->order;

    for (guint i = run->place; i < run->place + run->n; i++) {
        CfResource *resource = cf_snapshot_get(run->snapshot, GPOINTER_TO_UINT(order->pdata[i]));

        cf_found_add(refresh, run->page, resource, resource->listed, run->requested_us);
    }
}

/* A stretch has several pages, and one of them has to be looked into: those before it too, so that
 * all are put down in their order. */
static void
mix(CfRefresh *refresh, guint page)
{
    get_page(refresh, page);
    for (guint i = 0; refresh->walk && i < refresh->runs->len;) {
        CfRun *run = &g_array_index(refresh->runs, CfRun, i);

        if (run->page != page) {
            i++;
            continue;
        }
        take_apart(refresh, run);
        g_array_remove_index(refresh->runs, i);
    }
}

static gboolean
is_mixed(const CfRefresh *refresh, guint page)
{
    return page <= refresh->page_orders->len && refresh->page_orders->pdata[page - 1];
}

/* Whether a stretch ends among so many of the last listing: most likely with its own end, without a
 * look at any of them. */
static gboolean
is_end_among(const CfRefresh *refresh, guint stretch, guint place, guint n)
{
    CfCollectionState *state = refresh->state;
    const CfResource *end = cf_state_find(state, cf_walk_get_end(refresh->walk, stretch));

    for (guint i = place + n; end && i-- > place;)
        if (GPOINTER_TO_UINT(state->order->pdata[i]) == end->handle)
            return TRUE;
    for (guint i = place; i < place + n; i++) {
        const CfResource *resource = cf_state_get(state, GPOINTER_TO_UINT(state->order->pdata[i]));

        if (resource && cf_walk_meets(refresh->walk, stretch, cf_record_get_id(resource->record)))
            return TRUE;
    }
    return FALSE;
}

gboolean
cf_found_take_run(CfRefresh *refresh, const CfRefreshCall *call, const CfPage *page,
                  gboolean *ret_met)
{
    CfCollectionState *state = refresh->state;
    CfRun run = {.n = page->records->len, .page = call->page, .requested_us = page->requested_us};

    if (is_mixed(refresh, call->page))
        return FALSE;
    if (!cf_known_is_run(call->known, page->records, &run.place)) {
        mix(refresh, call->page);
        return FALSE;
    }
    run.snapshot = cf_snapshot_ref(state->current);
    g_array_append_val(refresh->runs, run);
    refresh->reused += run.n;
    *ret_met = refresh->walk && cf_walk_get_end(refresh->walk, call->page - 1) &&
               is_end_among(refresh, call->page - 1, run.place, run.n);
    return TRUE;
}

static int
compare_runs(gconstpointer a, gconstpointer b)
{
    guint first = ((const CfRun *) a)->page, second = ((const CfRun *) b)->page;

    return first < second ? -1 : first > second;
}

/* Whether the runs, in their order, are the last listing from its beginning to its end, of the
 * version that is still the present one, and nothing else was found. */
static gboolean
runs_are_all(const CfRefresh *refresh)
{
    const CfCollectionState *state = refresh->state;
    guint next = 0;

    if (!state->current || !state->order || state->order->len != state->current->n ||
        refresh->n_known > 0 || g_hash_table_size(refresh->fresh) > 0)
        return FALSE;
    for (guint i = 0; i < refresh->runs->len; i++) {
        const CfRun *run = &g_array_index(refresh->runs, CfRun, i);

        if (run->snapshot != state->current || run->place != next)
            return FALSE;
        next += run->n;
    }
    return next == state->order->len && next > 0;
}

gboolean
cf_found_settle(CfRefresh *refresh)
{
    g_array_sort(refresh->runs, compare_runs); /* it is stable: those of a stretch came in turn */
    refresh->same = !refresh->since_us && g_hash_table_size(refresh->state->follows) == 0 &&
                    runs_are_all(refresh);
    for (guint i = 0; !refresh->same && i < refresh->runs->len; i++)
        take_apart(refresh, &g_array_index(refresh->runs, CfRun, i));
    if (!refresh->same)
        g_array_set_size(refresh->runs, 0);
    return refresh->same;
}

const CfFound *
cf_found_get(const CfRefresh *refresh, const CfResource *resource)
{
    guint slot = CF_HANDLE_SLOT(resource->handle);

    if (refresh->known && slot < refresh->n_slots && refresh->known[slot].record &&
        refresh->known[slot].handle == resource->handle)
        return &refresh->known[slot];
    return g_hash_table_size(refresh->fresh) > 0
               ? g_hash_table_lookup(refresh->fresh, cf_record_get_id(resource->record))
               : NULL;
}

guint
cf_found_count(const CfRefresh *refresh)
{
    if (refresh->same)
        return refresh->state->order->len;
    return refresh->n_known + g_hash_table_size(refresh->fresh);
}

void
cf_found_each(CfRefresh *refresh, CfFoundWalk walk, gpointer data)
{
    GHashTableIter iter;
    gpointer found;

    for (guint i = 0; refresh->known && i < refresh->n_slots; i++)
        if (refresh->known[i].record)
            walk(refresh, &refresh->known[i], data);
    g_hash_table_iter_init(&iter, refresh->fresh);
    while (g_hash_table_iter_next(&iter, NULL, &found))
        walk(refresh, found, data);
}

static const CfPlace *
get_place(const CfRefresh *refresh, guint page, guint i)
{
    const GArray *places = refresh->page_orders->pdata[page];

    return places && i < places->len ? &g_array_index(places, CfPlace, i) : NULL;
}

CfRecord *
cf_found_get_fresh(const CfRefresh *refresh, guint page, guint i)
{
    const CfPlace *place =
        page <= refresh->page_orders->len ? get_place(refresh, page - 1, i) : NULL;

    return place ? place->record : NULL;
}

/* Known when it was found, and gone since: the listing says that it is there. */
static const CfFound *
find_lost(CfRefresh *refresh, guint32 handle)
{
    const CfFound *found = &refresh->known[CF_HANDLE_SLOT(handle)];

    if (cf_state_get(refresh->state, handle) ||
        g_hash_table_contains(refresh->fresh, cf_record_get_id(found->record)))
        return NULL;
    return found;
}

void
cf_found_each_fresh(CfRefresh *refresh, CfFoundWalk walk, gpointer data)
{
    const CfPlace *place;

    for (guint page = 0; page < refresh->page_orders->len; page++)
        for (guint i = 0; (place = get_place(refresh, page, i)); i++) {
            const CfFound *found =
                place->record ? g_hash_table_lookup(refresh->fresh, cf_record_get_id(place->record))
                              : find_lost(refresh, place->handle);

            if (found)
                walk(refresh, found, data);
        }
}

GPtrArray *
cf_found_order(const CfRefresh *refresh, const GPtrArray *former)
{
    CfCollectionState *state = refresh->state;
    GPtrArray *order = g_ptr_array_new();
    g_autofree guint8 *seen = g_new0(guint8, state->current->n_slots);
    const CfPlace *place;

    for (guint i = 0; former && i < former->len; i++)
        if (cf_state_get(state, GPOINTER_TO_UINT(former->pdata[i]))) {
            g_ptr_array_add(order, former->pdata[i]);
            seen[CF_HANDLE_SLOT(GPOINTER_TO_UINT(former->pdata[i]))] = 1;
        }
    for (guint page = 0; page < refresh->page_orders->len; page++)
        for (guint i = 0; (place = get_place(refresh, page, i)); i++) {
            CfResource *resource = place->record
                                       ? cf_state_find(state, cf_record_get_id(place->record))
                                       : cf_state_get(state, place->handle);
            guint slot = resource ? CF_HANDLE_SLOT(resource->handle) : 0;

            if (resource && !seen[slot]) {
                g_ptr_array_add(order, GUINT_TO_POINTER(resource->handle));
                seen[slot] = 1;
            }
        }
    return order;
}
