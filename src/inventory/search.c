/* The cloud's own search: one flight a text, kept for the ttl. Contract section 2, search/<text>/.
 *
 * What is kept of an answer is which resources it named. One that the snapshot does not have yet is
 * newer than it: the flight ends with a refresh then, so that whatever is found is there. */
#include <string.h>

#include "inventory/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define SEARCHES_MAX 1024
#define HANDLES_MAX (4 * 1024 * 1024) /* of all that was found */
#define LISTINGS_MAX 2                /* of one search, when its pages do not agree */
#define STRANGERS_MAX 4096
#define FAILURE_US G_USEC_PER_SEC  /* how long a failure is the answer */
#define LIFE_MIN_US G_USEC_PER_SEC /* no more than one search a second is made anyway */

typedef struct {
    CfDoneCallback callback;
    gpointer data;
} Waiting;

typedef struct {
    CfInventory *inventory;
    struct _CfSearch *search;
    GPtrArray *waiting; /* (element-type Waiting) */
    gint64 began_us, deadline_us;
    guint listing, page; /* counted from 1 */
    char *marker;        /* (nullable) */
    guint skipped;       /* of this listing: records that could not be read */
    GHashTable *listed;  /* ids of this listing */
    GHashTable *ids;     /* of all: a list that moves while it is paged hides one at a time */
} Flight;

/* What is known of one text. */
struct _CfSearch {
    CfCollection collection;
    char *text;
    /* Behind inventory->lock. */
    CfFindings *findings; /* (nullable) */
    GError *failure;      /* (nullable) of the last flight */
    gint64 failed_us, used_us;
    gboolean under_way;
    guint askers; /* whose question is on its way to the engine */
    /* The engine's thread only. */
    Flight *flight; /* (nullable) */
};
typedef struct _CfSearch CfSearch;

/* ---- findings ---- */

CfFindings *
cf_findings_ref(CfFindings *findings)
{
    g_atomic_ref_count_inc(&findings->refs);
    return findings;
}

void
cf_findings_unref(CfFindings *findings)
{
    if (findings && g_atomic_ref_count_dec(&findings->refs))
        g_free(findings);
}

static int
compare_slots(gconstpointer a, gconstpointer b)
{
    guint32 left = CF_HANDLE_SLOT(*(const guint32 *) a);
    guint32 right = CF_HANDLE_SLOT(*(const guint32 *) b);

    return left < right ? -1 : left > right;
}

gboolean
cf_findings_have(const CfFindings *findings, guint32 handle)
{
    const guint32 *found =
        bsearch(&handle, findings->handles, findings->n, sizeof handle, compare_slots);

    return found && *found == handle;
}

gint64
cf_inventory_get_findings_rest_us(CfInventory *inventory, const CfFindings *findings)
{
    gint64 life_us = MAX(inventory->options.ttl_us, LIFE_MIN_US);

    return MAX(findings->come_us + life_us - cf_clock_mono_us(), 0);
}

/* ---- the table of texts; inventory->lock is held ---- */

static void
search_free(gpointer data)
{
    CfSearch *search = data;

    cf_findings_unref(search->findings);
    g_clear_error(&search->failure);
    g_free(search->text);
    g_free(search);
}

static char *
key_of(CfCollection collection, const char *text)
{
    return g_strdup_printf("%d/%s", (int) collection, text);
}

/* Forgets what was used least recently, but for keep and what is under way. */
static void
trim(CfInventory *inventory, const CfSearch *keep)
{
    for (;;) {
        GHashTableIter iter;
        gpointer key, value, oldest = NULL;
        gint64 used_us = G_MAXINT64;
        guint64 handles = 0;

        g_hash_table_iter_init(&iter, inventory->searches);
        while (g_hash_table_iter_next(&iter, &key, &value)) {
            CfSearch *search = value;

            handles += search->findings ? search->findings->n : 0;
            if (search != keep && !search->under_way && !search->askers &&
                search->used_us < used_us) {
                used_us = search->used_us;
                oldest = key;
            }
        }
        if (!oldest ||
            (g_hash_table_size(inventory->searches) <= SEARCHES_MAX && handles <= HANDLES_MAX))
            return;
        g_hash_table_remove(inventory->searches, oldest);
    }
}

static CfSearch *
get_search(CfInventory *inventory, CfCollection collection, const char *text)
{
    g_autofree char *key = key_of(collection, text);
    CfSearch *search;

    if (!inventory->searches)
        inventory->searches = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, search_free);
    search = g_hash_table_lookup(inventory->searches, key);
    if (search)
        return search;
    search = g_new0(CfSearch, 1);
    search->collection = collection;
    search->text = g_strdup(text);
    search->used_us = cf_clock_mono_us();
    g_hash_table_insert(inventory->searches, g_steal_pointer(&key), search);
    trim(inventory, search);
    return search;
}

/* ---- the end of a flight ---- */

static void
flight_free(Flight *flight)
{
    g_hash_table_unref(flight->listed);
    g_hash_table_unref(flight->ids);
    g_ptr_array_unref(flight->waiting);
    g_free(flight->marker);
    g_free(flight);
}

/* findings: (transfer full) (nullable). error: (nullable). */
static void
flight_end(Flight *flight, CfFindings *findings, const GError *error)
{
    CfInventory *inventory = flight->inventory;
    CfSearch *search = flight->search;

    g_mutex_lock(&inventory->lock);
    search->flight = NULL;
    search->under_way = FALSE;
    g_clear_error(&search->failure);
    if (error) {
        search->failure = g_error_copy(error);
        search->failed_us = cf_clock_mono_us();
    } else {
        /* Directories show it as their time, and this time plus 1 ns when it is out of date. */
        if (search->findings)
            findings->come_ns = MAX(findings->come_ns, search->findings->come_ns + 2);
        cf_findings_unref(search->findings);
        search->findings = findings;
    }
    inventory->stats.searches++;
    trim(inventory, search);
    g_mutex_unlock(&inventory->lock);
    for (guint i = 0; i < flight->waiting->len; i++) {
        Waiting *one = flight->waiting->pdata[i];

        one->callback(error, one->data);
    }
    flight_free(flight);
}

static void
flight_succeed(Flight *flight)
{
    CfCollectionState *state = &flight->inventory->collections[flight->search->collection];
    guint n = g_hash_table_size(flight->ids);
    CfFindings *findings = g_malloc(sizeof *findings + n * sizeof findings->handles[0]);
    GHashTableIter iter;
    gpointer id;

    g_atomic_ref_count_init(&findings->refs);
    findings->come_us = cf_clock_mono_us();
    findings->come_ns = cf_clock_real_ns();
    findings->n = 0;
    g_hash_table_iter_init(&iter, flight->ids);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        const CfResource *resource = cf_state_find(state, id);

        if (resource)
            findings->handles[findings->n++] = resource->handle;
    }
    qsort(findings->handles, findings->n, sizeof findings->handles[0], compare_slots);
    flight_end(flight, findings, NULL);
}

/* ---- what the snapshot does not have ---- */

/* Ids that a listing did not bring though the search names them (of another project, say): nothing
 * is fetched for their sake again. */
static gboolean
is_stranger(CfInventory *inventory, const char *id)
{
    return inventory->strangers && g_hash_table_contains(inventory->strangers, id);
}

static void
note_strangers(Flight *flight)
{
    CfInventory *inventory = flight->inventory;
    CfCollectionState *state = &inventory->collections[flight->search->collection];
    GHashTableIter iter;
    gpointer id;

    if (!inventory->strangers)
        inventory->strangers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (g_hash_table_size(inventory->strangers) > STRANGERS_MAX)
        g_hash_table_remove_all(inventory->strangers);
    g_hash_table_iter_init(&iter, flight->ids);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (!cf_state_find(state, id))
            g_hash_table_add(inventory->strangers, g_strdup(id));
}

static void
on_refreshed(const GError *error, gpointer data)
{
    Flight *flight = data;

    if (error) {
        flight_end(flight, NULL, error);
        return;
    }
    note_strangers(flight);
    flight_succeed(flight);
}

/* Whether something was found that the snapshot, being older, can not have. */
static gboolean
needs_refresh(Flight *flight)
{
    CfInventory *inventory = flight->inventory;
    CfCollectionState *state = &inventory->collections[flight->search->collection];
    GHashTableIter iter;
    gpointer id;
    gint64 began_us;

    g_mutex_lock(&inventory->lock);
    began_us = state->began_us;
    g_mutex_unlock(&inventory->lock);
    if (began_us >= flight->began_us)
        return FALSE;
    g_hash_table_iter_init(&iter, flight->ids);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (!cf_state_find(state, id) && !is_stranger(inventory, id))
            return TRUE;
    return FALSE;
}

/* ---- pages ---- */

static void ask_page(Flight *flight);

static void
begin_listing(Flight *flight)
{
    flight->listing++;
    flight->page = 0;
    flight->skipped = 0;
    g_clear_pointer(&flight->marker, g_free);
    g_hash_table_remove_all(flight->listed);
    ask_page(flight);
}

static void
listing_done(Flight *flight)
{
    if (needs_refresh(flight))
        cf_inventory_refresh_within(flight->inventory, flight->search->collection,
                                    MAX(flight->deadline_us - cf_clock_mono_us(), 0), on_refreshed,
                                    flight);
    else
        flight_succeed(flight);
}

/* Returns: whether the page had anything that was not on an earlier one. */
static gboolean
read_page(Flight *flight, const CfPage *page)
{
    CfInventory *inventory = flight->inventory;
    gboolean more = FALSE;

    for (guint i = 0; i < page->records->len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CfRecord) record =
            inventory->ops->parse(inventory->handle, flight->search->collection,
                                  g_array_index(page->records, CfJsonSpan, i), &error);

        if (record) {
            more |= g_hash_table_add(flight->listed, g_strdup(cf_record_get_id(record)));
            g_hash_table_add(flight->ids, g_strdup(cf_record_get_id(record)));
        } else {
            flight->skipped++;
            more = TRUE;
            cf_warning("%s: %s: a record was left out of what was found: %s", inventory->profile,
                       cf_collection_name(flight->search->collection), error->message);
        }
    }
    return more;
}

static void
on_page(const CfPage *page, const GError *error, gpointer data)
{
    Flight *flight = data;
    gboolean again = flight->listing < LISTINGS_MAX;
    gboolean more, is_short;

    /* A marker that is gone is one of a list that moved. */
    if (error && (!again || !g_error_matches(error, CF_ERROR, CF_ERROR_CHANGED))) {
        flight_end(flight, NULL, error);
        return;
    }
    if (error) {
        begin_listing(flight);
        return;
    }
    more = read_page(flight, page);
    is_short = page->total > (gint64) g_hash_table_size(flight->listed) + flight->skipped;
    if (more && (page->total >= 0 ? is_short : !page->last)) {
        g_free(flight->marker);
        flight->marker = g_strdup(page->next);
        ask_page(flight);
    } else if (is_short && again) {
        begin_listing(flight);
    } else {
        listing_done(flight);
    }
}

static void
ask_page(Flight *flight)
{
    CfInventory *inventory = flight->inventory;

    flight->page++;
    inventory->ops->search(inventory->handle, flight->search->collection, flight->search->text,
                           flight->page, flight->marker, flight->deadline_us, TRUE, on_page,
                           flight);
}

/* ---- who asks ---- */

typedef struct {
    CfInventory *inventory;
    CfSearch *search;
    gboolean begin;
    Waiting one;
} Asking;

static void
begin_flight(CfInventory *inventory, CfSearch *search, const Waiting *one)
{
    Flight *flight = g_new0(Flight, 1);

    flight->inventory = inventory;
    flight->search = search;
    flight->waiting = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(flight->waiting, g_memdup2(one, sizeof *one));
    flight->began_us = cf_clock_mono_us();
    flight->deadline_us = flight->began_us + inventory->options.deadline_us;
    flight->listed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    flight->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    search->flight = flight;
    begin_listing(flight);
}

/* What a flight that ended between the question and now has come to. */
static void
answer_late(const Asking *asking)
{
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&asking->inventory->lock);
    if (asking->search->failure)
        error = g_error_copy(asking->search->failure);
    g_mutex_unlock(&asking->inventory->lock);
    asking->one.callback(error, asking->one.data);
}

static gboolean
on_ask(gpointer data)
{
    g_autofree Asking *asking = data;
    CfInventory *inventory = asking->inventory;
    CfSearch *search = asking->search;

    if (inventory->closing) {
        g_autoptr(GError) error =
            g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

        asking->one.callback(error, asking->one.data);
    } else if (search->flight) {
        g_ptr_array_add(search->flight->waiting, g_memdup2(&asking->one, sizeof asking->one));
    } else if (asking->begin) {
        begin_flight(inventory, search, &asking->one);
    } else {
        answer_late(asking);
    }
    g_mutex_lock(&inventory->lock);
    search->askers--;
    g_mutex_unlock(&inventory->lock);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_search(CfInventory *inventory, CfCollection collection, const char *text,
                    gboolean begin, CfDoneCallback callback, gpointer data)
{
    Asking *asking = g_new(Asking, 1);

    *asking = (Asking){inventory, NULL, begin, {callback, data}};
    g_mutex_lock(&inventory->lock);
    asking->search = get_search(inventory, collection, text);
    asking->search->askers++;
    if (begin)
        asking->search->under_way = TRUE;
    g_mutex_unlock(&inventory->lock);
    cf_http_invoke(inventory->http, on_ask, asking);
}

CfSearchState
cf_inventory_look_search(CfInventory *inventory, CfCollection collection, const char *text,
                         CfFindings **ret_findings, GError **error)
{
    g_autofree char *key = key_of(collection, text);
    CfSearchState state = CF_SEARCH_NONE;
    gint64 now_us = cf_clock_mono_us();
    CfSearch *search;

    *ret_findings = NULL;
    g_mutex_lock(&inventory->lock);
    search = inventory->searches ? g_hash_table_lookup(inventory->searches, key) : NULL;
    if (search) {
        search->used_us = now_us;
        if (search->findings)
            *ret_findings = cf_findings_ref(search->findings);
        if (search->findings && cf_inventory_get_findings_rest_us(inventory, search->findings) > 0)
            state = CF_SEARCH_FOUND;
        else if (search->under_way)
            state = CF_SEARCH_UNDER_WAY;
        else if (search->failure && now_us - search->failed_us < FAILURE_US)
            state = CF_SEARCH_FAILED;
        if (state == CF_SEARCH_FAILED && error)
            *error = g_error_copy(search->failure);
    }
    g_mutex_unlock(&inventory->lock);
    return state;
}

gboolean
cf_inventory_can_search(CfInventory *inventory, CfCollection collection)
{
    const CfProviderOps *ops = inventory->ops;

    return ops->search && (!ops->can_search || ops->can_search(inventory->handle, collection));
}

void
cf_searches_free(CfInventory *inventory)
{
    g_clear_pointer(&inventory->searches, g_hash_table_unref);
    g_clear_pointer(&inventory->strangers, g_hash_table_unref);
}
