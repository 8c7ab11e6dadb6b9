/* One refresh of one collection: pages side by side, records of unchanged text reused, a second
 * look before anything counts as gone, one version published at the end. internals.md section 2. */
#include <string.h>

#include "inventory/private.h"
#include "inventory/walk.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define SIDE_BY_SIDE 8
#define SHOWS_MAX 20   /* more missing resources than this are confirmed by another listing */
#define LISTINGS_MAX 4 /* listings that one refresh may cost when they disagree */
#define BACKOFF_MIN_US (G_USEC_PER_SEC / 2)
#define BACKOFF_MAX_US (5 * G_USEC_PER_SEC)
#define BACKOFF_AUTH_US (30 * G_USEC_PER_SEC)

/* A record of this listing. */
typedef struct {
    CfRecord *record;
    gint64 requested_us;
} Found;

enum { VERDICT_NONE, VERDICT_GONE, VERDICT_THERE };

struct _CfRefresh {
    CfCollectionState *state; /* NULL once cancelled */
    gint64 began_us, began_real_us;
    CfDoneCallback first; /* told when the first call was answered */
    gpointer first_data;

    /* of the present listing */
    guint listing;          /* counts from 1 */
    guint asked;            /* pages asked for */
    guint answered;         /* pages that came */
    guint page_size;        /* as the cloud's first page shows it */
    guint pages;            /* how many there should be; 0: not known yet */
    gint64 total;           /* -1: not told */
    guint collected;        /* records, duplicates included */
    gboolean ended;         /* an empty page came */
    CfWalk *walk;           /* (nullable) the cloud pages by marker */
    gboolean lost;          /* a marker was unknown: the next listing begins at the front only */
    gint64 short_by;        /* of the listing before: total less collected; -1: none */
    GHashTable *found;      /* id (borrowed) → Found */
    GPtrArray *page_orders; /* (element-type GPtrArray of CfRecord (owned)) by page, from 0 */
    guint parsed, reused, skipped;

    /* for finding unchanged records */
    GHashTable
        *by_text; /* sampled hash of the text → (element-type CfResource) chained in GSList */

    GHashTable *unseen;   /* ids that the listing before lacked; NULL at first */
    guint shows;          /* confirming calls under way */
    gboolean sampling;    /* they are samples of a great disappearance */
    GHashTable *verdicts; /* id → VERDICT_… */
};

typedef struct {
    CfRefresh *refresh; /* holds a reference count of its own: refresh->callbacks */
    guint page;         /* from 1; by marker: number of the stretch + 1 */
    guint listing;
    char *id;
} Call;

static void
found_free(gpointer data)
{
    Found *found = data;

    cf_record_unref(found->record);
    g_free(found);
}

static void
listing_clear(CfRefresh *refresh)
{
    g_clear_pointer(&refresh->found, g_hash_table_unref);
    g_clear_pointer(&refresh->page_orders, g_ptr_array_unref);
    g_clear_pointer(&refresh->walk, cf_walk_free);
}

static void
by_text_free(gpointer list)
{
    g_slist_free(list);
}

static CfRefresh *
refresh_ref(CfRefresh *refresh)
{
    return g_rc_box_acquire(refresh);
}

static void
refresh_clear(gpointer data)
{
    CfRefresh *refresh = data;

    listing_clear(refresh);
    g_clear_pointer(&refresh->by_text, g_hash_table_unref);
    g_clear_pointer(&refresh->unseen, g_hash_table_unref);
    g_clear_pointer(&refresh->verdicts, g_hash_table_unref);
}

static void
refresh_unref(CfRefresh *refresh)
{
    g_rc_box_release_full(refresh, refresh_clear);
}

static void
order_free(gpointer data)
{
    if (data)
        g_ptr_array_unref(data);
}

static void
record_unref(gpointer data)
{
    cf_record_unref(data);
}

static void refresh_finish(CfRefresh *refresh);
static void refresh_fill(CfRefresh *refresh);

/* ---- the end ---- */

static void
tell_first(CfRefresh *refresh, const GError *error)
{
    CfDoneCallback first = refresh->first;

    refresh->first = NULL;
    if (first)
        first(error, refresh->first_data);
}

/* The cloud answers again: what failed of the other collections is tried again, so that health does
 * not stay bad until somebody looks there. */
static void
retry_others(CfCollectionState *state)
{
    for (guint i = 0; i < CF_COLLECTION_N; i++) {
        CfCollectionState *other = &state->inventory->collections[i];

        if (other != state && other->failure && !other->refresh &&
            cf_clock_mono_us() >= other->retry_us)
            cf_refresh_start(other, NULL, NULL);
    }
}

/* Takes the refresh off its state and wakes those who wait. error: (nullable). */
static void
refresh_end(CfRefresh *refresh, const GError *error)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    gint64 now_us = cf_clock_mono_us();

    refresh->state = NULL;
    state->refresh = NULL;
    g_clear_error(&state->failure);
    g_mutex_lock(&inventory->lock);
    state->failing = error != NULL;
    state->demand_us = 0;
    inventory->stats.refreshes[state->which]++;
    inventory->stats.failed[state->which] += error != NULL;
    inventory->stats.parsed[state->which] += refresh->parsed;
    inventory->stats.reused[state->which] += refresh->reused;
    inventory->stats.last_refresh_us[state->which] = now_us - refresh->began_us;
    g_mutex_unlock(&inventory->lock);
    if (error) {
        gboolean auth = g_error_matches(error, CF_ERROR, CF_ERROR_UNAUTHORIZED) ||
                        g_error_matches(error, CF_ERROR, CF_ERROR_EXPIRED);

        state->failure = g_error_copy(error);
        state->backoff_us = CLAMP(state->backoff_us * 2, BACKOFF_MIN_US, BACKOFF_MAX_US);
        state->retry_us = now_us + (auth ? BACKOFF_AUTH_US : state->backoff_us);
        cf_debug("%s: refresh of %s failed: %s", inventory->profile,
                 cf_collection_name(state->which), error->message);
    } else {
        state->backoff_us = 0;
        state->retry_us = 0;
    }
    tell_first(refresh, error);
    if (!error)
        retry_others(state);
    cf_inventory_update_health(inventory);
    cf_waiters_wake(state, refresh->began_us, error);
    refresh_unref(refresh);
}

void
cf_refresh_cancel(CfCollectionState *state)
{
    g_autoptr(GError) error =
        g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

    if (state->refresh)
        refresh_end(state->refresh, error);
    else
        cf_waiters_wake(state, G_MAXINT64, error);
}

/* ---- records ---- */

/* A hash of a few places of the text: the whole would cost more than the comparison it saves. */
static guint
text_hash(const char *text, gsize len)
{
    guint64 hash = len * 0x9E3779B97F4A7C15ull;

    for (gsize i = 0; i < 16 && len >= 8; i++) {
        guint64 word;

        memcpy(&word, text + (len - 8) * i / 15, sizeof word);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDull;
        hash ^= hash >> 33;
    }
    return (guint) hash;
}

static gboolean
same_text(const CfResource *resource, CfJsonSpan span)
{
    gsize len;
    const char *raw;

    if (!resource->listed)
        return FALSE;
    raw = cf_record_get_raw(resource->listed, &len);
    return len == span.len && memcmp(raw, span.text, len) == 0;
}

static void
index_texts(CfRefresh *refresh)
{
    CfSnapshot *current = refresh->state->current;

    refresh->by_text = g_hash_table_new_full(NULL, NULL, NULL, by_text_free);
    for (guint i = 0; current && i < current->n_slots; i++) {
        CfResource *resource = current->slots[i];
        gsize len;
        const char *raw;
        gpointer key, list;

        if (!resource || !resource->listed)
            continue;
        raw = cf_record_get_raw(resource->listed, &len);
        key = GUINT_TO_POINTER(text_hash(raw, len));
        list = NULL;
        g_hash_table_steal_extended(refresh->by_text, key, NULL, &list);
        g_hash_table_insert(refresh->by_text, key, g_slist_prepend(list, resource));
    }
}

/* The present resource whose listed text is this one. cursor: where in the last listing's order to
 * look first; it moves on. */
static CfResource *
find_same(CfRefresh *refresh, CfJsonSpan span, guint *cursor)
{
    CfCollectionState *state = refresh->state;
    GPtrArray *order = state->order;
    GSList *list;

    if (!state->current || !order)
        return NULL;
    if (*cursor < order->len) {
        CfResource *resource = cf_state_get(state, GPOINTER_TO_UINT(order->pdata[*cursor]));

        if (resource && same_text(resource, span)) {
            ++*cursor;
            return resource;
        }
    }
    if (!refresh->by_text)
        index_texts(refresh);
    list = g_hash_table_lookup(refresh->by_text, GUINT_TO_POINTER(text_hash(span.text, span.len)));
    for (; list; list = list->next)
        if (same_text(list->data, span))
            break;
    ++*cursor;
    return list ? list->data : NULL;
}

static void
keep_found(CfRefresh *refresh, CfRecord *record, gint64 requested_us, GPtrArray *order)
{
    Found *found = g_hash_table_lookup(refresh->found, cf_record_get_id(record));

    if (found) {
        /* The list moved while it was paged, or says a thing twice: the newer answer wins. */
        if (requested_us >= found->requested_us && found->record != record) {
            CfRecord *former = found->record;

            found->record = cf_record_ref(record);
            found->requested_us = requested_us;
            g_hash_table_steal(refresh->found, cf_record_get_id(former));
            g_hash_table_insert(refresh->found, (gpointer) cf_record_get_id(record), found);
            cf_record_unref(former);
        }
        return;
    }
    found = g_new(Found, 1);
    found->record = cf_record_ref(record);
    found->requested_us = requested_us;
    g_hash_table_insert(refresh->found, (gpointer) cf_record_get_id(record), found);
    g_ptr_array_add(order, cf_record_ref(record));
}

/* The records of a page (of a stretch, which may have several) in their order. */
static GPtrArray *
get_order(CfRefresh *refresh, guint number)
{
    if (refresh->page_orders->len < number)
        g_ptr_array_set_size(refresh->page_orders, (gint) number);
    if (!refresh->page_orders->pdata[number - 1])
        refresh->page_orders->pdata[number - 1] = g_ptr_array_new_with_free_func(record_unref);
    return refresh->page_orders->pdata[number - 1];
}

/* end: (nullable). Returns: whether the resource of that id was on the page. */
static gboolean
read_page(CfRefresh *refresh, const CfPage *page, guint number, const char *end)
{
    CfInventory *inventory = refresh->state->inventory;
    GPtrArray *order = get_order(refresh, number);
    guint cursor = (number - 1) * refresh->page_size + order->len;
    gboolean met = FALSE;

    for (guint i = 0; i < page->records->len; i++) {
        CfJsonSpan span = g_array_index(page->records, CfJsonSpan, i);
        CfResource *same = find_same(refresh, span, &cursor);
        g_autoptr(GError) error = NULL;
        g_autoptr(CfRecord) record = NULL;

        if (same) {
            refresh->reused++;
            keep_found(refresh, same->listed, page->requested_us, order);
            met = met || g_strcmp0(cf_record_get_id(same->listed), end) == 0;
            continue;
        }
        record = inventory->ops->parse(inventory->handle, refresh->state->which, span, &error);
        refresh->parsed++;
        if (record) {
            keep_found(refresh, record, page->requested_us, order);
            met = met || g_strcmp0(cf_record_get_id(record), end) == 0;
        } else {
            refresh->skipped++;
            cf_warning("%s: %s: a record was left out: %s", inventory->profile,
                       cf_collection_name(refresh->state->which), error->message);
        }
    }
    return met;
}

/* ---- pages ---- */

/* Where the stretches of a walk meet: the last resource of each page of the listing before. */
static CfWalk *
plan_walk(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    g_autoptr(GPtrArray) bounds = g_ptr_array_new();

    for (guint i = refresh->page_size; state->order && !refresh->lost && i < state->order->len + 1;
         i += refresh->page_size) {
        CfResource *resource = cf_state_get(state, GPOINTER_TO_UINT(state->order->pdata[i - 1]));

        if (resource)
            g_ptr_array_add(bounds, (gpointer) cf_record_get_id(resource->record));
    }
    return cf_walk_new(bounds);
}

static void
start_listing(CfRefresh *refresh)
{
    listing_clear(refresh);
    refresh->found = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, found_free);
    refresh->page_orders = g_ptr_array_new_with_free_func(order_free);
    refresh->listing++;
    refresh->asked = refresh->answered = refresh->pages = refresh->collected = 0;
    refresh->skipped = 0;
    refresh->page_size = refresh->state->inventory->ops->get_page_size(
        refresh->state->inventory->handle, refresh->state->which);
    refresh->total = -1;
    refresh->ended = FALSE;
    if (refresh->state->inventory->ops->list_from)
        refresh->walk = plan_walk(refresh);
    refresh->began_us = cf_clock_mono_us();
    refresh->began_real_us = cf_clock_real_us();
    refresh_fill(refresh);
}

/* The listing is through. Decides whether it is whole. */
static void
listing_done(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    /* One that was seen twice is one: the list moved while it was paged, and hid another. */
    gint64 different = (gint64) g_hash_table_size(refresh->found) + refresh->skipped;
    gint64 short_by = refresh->total >= 0 ? refresh->total - different : 0;

    if (short_by > 0 && short_by != state->short_by && short_by != refresh->short_by) {
        /* Fewer records than the cloud says that there are: look again. A cloud whose total is
         * simply wrong says the same twice, and is believed then. */
        refresh->short_by = short_by;
        if (refresh->listing < LISTINGS_MAX) {
            start_listing(refresh);
        } else {
            g_autoptr(GError) error = NULL;

            g_set_error(&error, CF_ERROR, CF_ERROR_PROTOCOL,
                        "%s: the listing stays incomplete: %u of %" G_GINT64_FORMAT " came",
                        cf_collection_name(state->which), (guint) different, refresh->total);
            refresh_end(refresh, error);
        }
        return;
    }
    state->short_by = MAX(short_by, 0);
    refresh_finish(refresh);
}

static void
count_pages(CfRefresh *refresh, const CfPage *page, guint number)
{
    if (page->total >= 0)
        refresh->total = page->total;
    if (number == 1 && page->records->len > 0 && page->total > page->records->len)
        refresh->page_size = MIN(refresh->page_size, page->records->len);
    if (page->records->len == 0 || (page->last && refresh->total < 0))
        refresh->ended = TRUE;
    if (refresh->total >= 0)
        refresh->pages =
            (guint) MIN((refresh->total + refresh->page_size - 1) / refresh->page_size, G_MAXUINT);
}

/* Returns: whether a page that could not be had is no failure: what its marker named is gone, so
 * there are other markers to go by. */
static gboolean
walk_again(CfRefresh *refresh, const GError *error)
{
    if (!refresh->walk || !g_error_matches(error, CF_ERROR, CF_ERROR_CHANGED) ||
        refresh->listing >= LISTINGS_MAX)
        return FALSE;
    refresh->lost = TRUE;
    start_listing(refresh);
    return TRUE;
}

static void
on_page(const CfPage *page, const GError *error, gpointer data)
{
    g_autofree Call *call = data;
    CfRefresh *refresh = call->refresh;

    if (!refresh->state || refresh->listing != call->listing) {
        refresh_unref(refresh);
        return;
    }
    if (error) {
        if (!walk_again(refresh, error))
            refresh_end(refresh, error);
        refresh_unref(refresh);
        return;
    }
    refresh->answered++;
    refresh->collected += page->records->len;
    if (refresh->walk) {
        const char *end = cf_walk_get_end(refresh->walk, call->page - 1);

        cf_walk_take(refresh->walk, call->page - 1, read_page(refresh, page, call->page, end),
                     page->next);
    } else {
        count_pages(refresh, page, call->page);
        read_page(refresh, page, call->page, NULL);
    }
    tell_first(refresh, NULL);
    if (refresh->state)
        refresh_fill(refresh);
    refresh_unref(refresh);
}

static void
ask_page(CfRefresh *refresh)
{
    CfInventory *inventory = refresh->state->inventory;
    Call *call = g_new0(Call, 1);

    call->refresh = refresh_ref(refresh);
    call->page = ++refresh->asked;
    call->listing = refresh->listing;
    inventory->ops->list(inventory->handle, refresh->state->which, call->page,
                         cf_clock_mono_us() + inventory->options.deadline_us,
                         refresh->state->waiters->len > 0 || refresh->first, on_page, call);
}

/* The same by marker. */
static void
walk_fill(CfRefresh *refresh)
{
    CfInventory *inventory = refresh->state->inventory;
    gint64 deadline_us = cf_clock_mono_us() + inventory->options.deadline_us;
    const char *marker;
    guint stretch;

    while (cf_walk_get_under_way(refresh->walk) < SIDE_BY_SIDE &&
           cf_walk_ask(refresh->walk, &stretch, &marker)) {
        Call *call = g_new0(Call, 1);

        call->refresh = refresh_ref(refresh);
        call->page = stretch + 1;
        call->listing = refresh->listing;
        inventory->ops->list_from(inventory->handle, refresh->state->which, marker, 0, deadline_us,
                                  refresh->state->waiters->len > 0 || refresh->first, on_page,
                                  call);
    }
    if (cf_walk_is_done(refresh->walk))
        listing_done(refresh);
}

/* Asks for what is still to be asked; ends the listing when all came. */
static void
refresh_fill(CfRefresh *refresh)
{
    guint under_way = refresh->asked - refresh->answered;

    if (refresh->walk) {
        walk_fill(refresh);
        return;
    }
    if (refresh->asked == 0) {
        ask_page(refresh);
        return;
    }
    if (refresh->answered == 0)
        return;
    while (!refresh->ended && under_way < SIDE_BY_SIDE) {
        gboolean more = refresh->total >= 0 ? refresh->asked < refresh->pages : under_way == 0;

        /* All pages came, but fewer records than promised: the list grew, or pages were short. */
        if (!more && under_way == 0 && refresh->collected < refresh->total)
            more = TRUE;
        if (!more)
            break;
        ask_page(refresh);
        under_way++;
    }
    if (under_way == 0)
        listing_done(refresh);
}

/* ---- the second look, and publishing ---- */

/* Whether a show call's text says of everything in the listing's the same, and more. */
static gboolean
says_the_same(const CfRecord *shown, const CfRecord *listed)
{
    CfJsonSpan whole, part, key, value, other;
    CfJsonIter iter;

    whole.text = cf_record_get_raw(shown, &whole.len);
    part.text = cf_record_get_raw(listed, &part.len);
    cf_json_iter_init(&iter, part);
    while (cf_json_iter_next(&iter, &key, &value)) {
        g_autofree char *name = cf_json_string(key);

        if (!name || !cf_json_get(whole, name, FALSE, &other) || other.len != value.len ||
            memcmp(other.text, value.text, value.len) != 0)
            return FALSE;
    }
    return TRUE;
}

/* The listing's record of a resource that is there. A text that only a show call gives stays while
 * the listing says the same; an answer to a question older than what we know is no news. */
static void
copy_listed(CfCollectionState *state, CfEdit *edit, CfResource *resource, const Found *found)
{
    g_autoptr(CfResource) copy = cf_resource_copy(resource);
    CfRecord *former = copy->listed;

    copy->missing = 0;
    copy->listed = cf_record_ref(found->record);
    cf_record_unref(former);
    if (found->requested_us >= copy->valid_us) {
        if (copy->base != found->record && !says_the_same(copy->base, found->record)) {
            cf_record_unref(copy->base);
            copy->base = cf_record_ref(found->record);
        }
        cf_follow_apply(state, copy, found->requested_us);
        cf_resource_show_over(state, copy);
    }
    cf_edit_replace(edit, resource, g_steal_pointer(&copy));
}

static int
verdict_of(const CfRefresh *refresh, const CfResource *resource)
{
    return refresh->verdicts ? GPOINTER_TO_INT(g_hash_table_lookup(
                                   refresh->verdicts, cf_record_get_id(resource->record)))
                             : VERDICT_NONE;
}

static void
publish(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    CfEdit edit;
    gint64 now_ns = cf_clock_real_ns();
    GHashTableIter iter;
    gpointer id, value;
    GPtrArray *order = g_ptr_array_new();
    gboolean first = !state->current;

    cf_edit_begin(&edit, state);
    for (guint i = 0; state->current && i < state->current->n_slots; i++) {
        CfResource *resource = state->current->slots[i];
        const Found *found;

        if (!resource)
            continue;
        found = g_hash_table_lookup(refresh->found, cf_record_get_id(resource->record));
        if (found) {
            if (found->record != resource->listed || resource->missing ||
                (resource->base != resource->listed && found->requested_us >= resource->valid_us) ||
                g_hash_table_contains(state->follows, GUINT_TO_POINTER(i)))
                copy_listed(state, &edit, resource, found);
        } else if (verdict_of(refresh, resource) == VERDICT_GONE) {
            cf_edit_replace(&edit, resource, NULL);
        } else if (resource->valid_us <= refresh->began_us) {
            gboolean there = verdict_of(refresh, resource) == VERDICT_THERE;

            if (resource->missing != (there ? 0 : 1)) {
                CfResource *copy = cf_resource_copy(resource);

                copy->missing = there ? 0 : 1;
                cf_edit_replace(&edit, resource, copy);
            }
        }
    }
    g_hash_table_iter_init(&iter, refresh->found);
    while (g_hash_table_iter_next(&iter, &id, &value))
        if (!cf_state_find(state, id))
            cf_edit_add(&edit, ((Found *) value)->record, TRUE, now_ns);

    g_mutex_lock(&inventory->lock);
    state->began_us = refresh->began_us;
    state->began_real_us = refresh->began_real_us;
    g_mutex_unlock(&inventory->lock);
    cf_edit_commit(&edit, first);

    for (guint p = 0; p < refresh->page_orders->len; p++) {
        GPtrArray *page = refresh->page_orders->pdata[p];

        for (guint i = 0; page && i < page->len; i++) {
            CfResource *resource = cf_state_find(state, cf_record_get_id(page->pdata[i]));

            if (resource)
                g_ptr_array_add(order, GUINT_TO_POINTER(resource->handle));
        }
    }
    if (state->order)
        g_ptr_array_unref(state->order);
    state->order = order;
    inventory->skipped = refresh->skipped;
    cf_inventory_facts(inventory, state->which == CF_SERVERS ? CF_FACT_FETCHED_SERVERS
                                                             : CF_FACT_FETCHED_IMAGES);
}

static gboolean
is_gone(gpointer id, gpointer verdict, gpointer data)
{
    return GPOINTER_TO_INT(verdict) == VERDICT_GONE;
}

/* Two listings lack a great part of what was there. One of the samples is there all the same: then
 * the listings are wrong, and nothing is gone. */
static void
judge_samples(CfRefresh *refresh)
{
    GHashTableIter iter;
    gpointer verdict;

    g_hash_table_iter_init(&iter, refresh->verdicts);
    while (g_hash_table_iter_next(&iter, NULL, &verdict))
        if (GPOINTER_TO_INT(verdict) == VERDICT_THERE) {
            g_hash_table_foreach_remove(refresh->verdicts, is_gone, NULL);
            cf_info("%s: %s: the listing lacks what a show call finds; nothing was removed",
                    refresh->state->inventory->profile, cf_collection_name(refresh->state->which));
            return;
        }
}

static void
on_confirmed(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    g_autofree Call *call = data;
    g_autofree char *id = call->id;
    CfRefresh *refresh = call->refresh;

    if (refresh->state) {
        gboolean gone = g_error_matches(error, CF_ERROR, CF_ERROR_NOT_FOUND);

        g_hash_table_insert(refresh->verdicts, g_steal_pointer(&id),
                            GINT_TO_POINTER(gone    ? VERDICT_GONE
                                            : error ? VERDICT_NONE
                                                    : VERDICT_THERE));
        if (--refresh->shows == 0) {
            if (refresh->sampling)
                judge_samples(refresh);
            publish(refresh);
            refresh_end(refresh, NULL);
        }
    }
    refresh_unref(refresh);
}

/* Those of the present version that this listing lacks and that need a second look. */
static GPtrArray *
collect_missing(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    GPtrArray *missing = g_ptr_array_new();

    for (guint i = 0; state->current && i < state->current->n_slots; i++) {
        CfResource *resource = state->current->slots[i];
        const char *id = resource ? cf_record_get_id(resource->record) : NULL;

        if (!resource || g_hash_table_contains(refresh->found, id))
            continue;
        if (resource->valid_us > refresh->began_us)
            continue; /* younger than the listing */
        /* A listing that is shorter than its own total proves nothing. */
        if (state->short_by == 0 &&
            (resource->missing > 0 ||
             (refresh->unseen && g_hash_table_contains(refresh->unseen, id))))
            g_hash_table_insert(refresh->verdicts, g_strdup(id), GINT_TO_POINTER(VERDICT_GONE));
        else
            g_ptr_array_add(missing, (gpointer) id);
    }
    return missing;
}

#define SAMPLES 5

/* A few of those that two listings lack, spread over all of them. */
static void
add_samples(CfRefresh *refresh, GPtrArray *ids)
{
    guint step = g_hash_table_size(refresh->verdicts) / SAMPLES;
    GHashTableIter iter;
    gpointer id;
    guint i = 0;

    g_hash_table_iter_init(&iter, refresh->verdicts);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (i++ % step == 0 && ids->len < SAMPLES)
            g_ptr_array_add(ids, id);
}

/* A show call for each of the ids. */
static void
ask_for(CfRefresh *refresh, const GPtrArray *ids)
{
    CfInventory *inventory = refresh->state->inventory;
    CfCollection which = refresh->state->which;
    gint64 wait_us = MIN(inventory->options.deadline_us, 5 * G_USEC_PER_SEC);

    refresh->shows = ids->len;
    for (guint i = 0; i < ids->len; i++) {
        Call *call = g_new0(Call, 1);

        call->refresh = refresh_ref(refresh);
        call->id = g_strdup(ids->pdata[i]);
        inventory->ops->show(inventory->handle, which, call->id, cf_clock_mono_us() + wait_us,
                             on_confirmed, call);
    }
}

static void
refresh_finish(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    g_autoptr(GPtrArray) missing = NULL;

    if (!refresh->verdicts)
        refresh->verdicts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    missing = collect_missing(refresh);
    if (missing->len > SHOWS_MAX && refresh->listing < LISTINGS_MAX && state->short_by == 0) {
        if (!refresh->unseen)
            refresh->unseen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (guint i = 0; i < missing->len; i++)
            g_hash_table_add(refresh->unseen, g_strdup(missing->pdata[i]));
        start_listing(refresh);
        return;
    }
    if (g_hash_table_size(refresh->verdicts) > SHOWS_MAX &&
        g_hash_table_size(refresh->verdicts) > state->current->n / 2) {
        refresh->sampling = TRUE;
        add_samples(refresh, missing);
    }
    if (missing->len > 0 && missing->len <= SHOWS_MAX) {
        ask_for(refresh, missing);
        return;
    }
    publish(refresh);
    refresh_end(refresh, NULL);
}

void
cf_refresh_start(CfCollectionState *state, CfDoneCallback first, gpointer data)
{
    CfRefresh *refresh;

    if (state->refresh) {
        /* One flight: the caller's question is answered by the one under way. */
        if (first) {
            CfRefresh *running = state->refresh;

            running->first = first;
            running->first_data = data;
        }
        return;
    }
    refresh = g_rc_box_new0(CfRefresh);
    refresh->state = state;
    refresh->first = first;
    refresh->first_data = data;
    refresh->short_by = -1;
    state->refresh = refresh;
    if (!state->current)
        cf_inventory_update_health(state->inventory);
    start_listing(refresh);
}
