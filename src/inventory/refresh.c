/* One refresh of one collection: pages side by side, records of unchanged text reused, those of a
 * first listing read by threads, a second look before anything counts as gone, one version
 * published at the end. internals.md section 2. */
#include <string.h>

#include "inventory/compose.h"
#include "inventory/refresh-private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define SIDE_BY_SIDE 8
#define UNREAD_MAX 32 /* pages that wait to be looked into, or are under way */
#define INDEX_FROM 64 /* one in so many records has to be missed before all texts are indexed */
#define CHANGES_MARGIN_US (60 * G_USEC_PER_SEC)
#define CHANGES_FOLLOWS_MAX 8
#define BACKOFF_MIN_US (G_USEC_PER_SEC / 2)
#define BACKOFF_MAX_US (5 * G_USEC_PER_SEC)
#define BACKOFF_AUTH_US (30 * G_USEC_PER_SEC)

/* A page that came. The next one is asked for before this one is looked into: the cloud is not to
 * wait for us. */
typedef struct {
    GBytes *body;
    GArray *records; /* (element-type CfJsonSpan) */
    gint64 requested_us;
    guint number;
    CfKnownPage *known; /* owned */
    CfReading *reading; /* (nullable) a thread has it; free only with the readers, or when done */
} Unread;

static void
unread_free(gpointer data)
{
    Unread *unread = data;

    g_bytes_unref(unread->body);
    g_array_unref(unread->records);
    cf_known_free(unread->known);
    cf_reading_free(unread->reading);
    g_free(unread);
}

/* Nothing that came is looked into any more. */
static void
drop_unread(CfRefresh *refresh)
{
    cf_timer_clear(&refresh->reader);
    g_clear_pointer(&refresh->readers, cf_readers_free);
    g_queue_clear_full(&refresh->unread, unread_free);
}

static void
listing_clear(CfRefresh *refresh)
{
    drop_unread(refresh);
    cf_found_clear(refresh);
    g_clear_pointer(&refresh->walk, cf_walk_free);
}

static void
by_text_free(gpointer list)
{
    g_slist_free(list);
}

CfRefresh *
cf_refresh_ref(CfRefresh *refresh)
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

void
cf_refresh_unref(CfRefresh *refresh)
{
    g_rc_box_release_full(refresh, refresh_clear);
}

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

void
cf_refresh_end(CfRefresh *refresh, const GError *error)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    gint64 now_us = cf_clock_mono_us();

    refresh->state = NULL;
    state->refresh = NULL;
    drop_unread(refresh);
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
    cf_compose_review(inventory);
    cf_waiters_wake(state, refresh->began_us, error);
    cf_refresh_unref(refresh);
}

void
cf_refresh_cancel(CfCollectionState *state)
{
    g_autoptr(GError) error =
        g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

    if (state->refresh)
        cf_refresh_end(state->refresh, error);
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

    if (!resource->listed || cf_record_is_partial(resource->listed))
        return FALSE; /* of a partial one the text is not what the cloud said */
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

        if (!resource || !resource->listed || cf_record_is_partial(resource->listed))
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
    ++*cursor;
    /* To index all texts costs more than to parse a few, which shows as well what they are. */
    if (!refresh->by_text && refresh->misses++ < order->len / INDEX_FROM)
        return NULL;
    if (!refresh->by_text)
        index_texts(refresh);
    list = g_hash_table_lookup(refresh->by_text, GUINT_TO_POINTER(text_hash(span.text, span.len)));
    for (; list; list = list->next)
        if (same_text(list->data, span))
            break;
    return list ? list->data : NULL;
}

/* What else was known of it stays. */
static void
complete(CfCollectionState *state, CfRecord **record)
{
    const CfResource *resource = cf_state_find(state, cf_record_get_id(*record));
    CfRecord *whole;

    if (!resource)
        return;
    whole = cf_record_with_partial(resource->listed ? resource->listed : resource->base, *record);
    cf_record_unref(*record);
    *record = whole;
}

/* known: (nullable). Returns: (nullable): the resource whose listed record this is. */
static CfResource *
find_unchanged(CfRefresh *refresh, CfKnownPage *known, CfJsonSpan span, guint *cursor)
{
    gboolean changed = FALSE;
    CfResource *resource = known ? cf_known_find(known, span, &changed) : NULL;

    if (resource)
        ++*cursor;
    if (resource)
        return changed ? NULL : resource;
    return find_same(refresh, span, cursor);
}

/* Of one that was parsed in vain: the resource that says the same already. */
static CfResource *
find_parsed(CfRefresh *refresh, const CfRecord *record)
{
    CfResource *resource = cf_state_find(refresh->state, cf_record_get_id(record));
    CfJsonSpan span;

    span.text = cf_record_get_raw(record, &span.len);
    return resource && !cf_record_is_partial(record) && same_text(resource, span) ? resource : NULL;
}

/* A record that was parsed. record: (transfer full) (nullable): NULL: error says why not.
 * end: (nullable). Returns: whether it is the resource of that id. */
static gboolean
take_record(CfRefresh *refresh, guint number, gint64 requested_us, CfRecord *record,
            const GError *error, const char *end)
{
    CfResource *same;
    gboolean met;

    refresh->parsed++;
    if (!record) {
        refresh->skipped++;
        cf_warning("%s: %s: a record was left out: %s", refresh->state->inventory->profile,
                   cf_collection_name(refresh->state->which), error->message);
        return FALSE;
    }
    if (cf_record_is_partial(record))
        complete(refresh->state, &record);
    same = find_parsed(refresh, record);
    cf_found_add(refresh, number, same, same ? same->listed : record, requested_us);
    met = end && strcmp(cf_record_get_id(record), end) == 0;
    cf_record_unref(record);
    return met;
}

/* known, end: (nullable). Returns: whether the resource of that id was among the records. */
static gboolean
read_records(CfRefresh *refresh, const GArray *records, guint number, gint64 requested_us,
             CfKnownPage *known, const char *end)
{
    CfInventory *inventory = refresh->state->inventory;
    guint cursor = (number - 1) * refresh->page_size + cf_found_on_page(refresh, number);
    gboolean met = FALSE;

    for (guint i = 0; i < records->len; i++) {
        CfJsonSpan span = g_array_index(records, CfJsonSpan, i);
        CfResource *same = find_unchanged(refresh, known, span, &cursor);
        g_autoptr(GError) error = NULL;
        CfRecord *record;

        if (same) {
            refresh->reused++;
            cf_found_add(refresh, number, same, same->listed, requested_us);
            met = met || (end && strcmp(cf_record_get_id(same->listed), end) == 0);
            continue;
        }
        record = inventory->ops->parse(inventory->handle, refresh->state->which, span, &error);
        if (take_record(refresh, number, requested_us, record, error, end))
            met = TRUE;
    }
    return met;
}

/* What a thread has read. */
static void
take_reading(CfRefresh *refresh, const Unread *unread)
{
    for (guint i = 0; i < unread->records->len; i++) {
        g_autoptr(GError) error = NULL;
        CfRecord *record = cf_reading_take(unread->reading, i, &error);

        take_record(refresh, unread->number, unread->requested_us, record, error, NULL);
    }
}

static void
read_oldest(CfRefresh *refresh)
{
    Unread *unread = g_queue_pop_head(&refresh->unread);

    if (unread->reading)
        take_reading(refresh, unread);
    else
        read_records(refresh, unread->records, unread->number, unread->requested_us, unread->known,
                     NULL);
    unread_free(unread);
}

/* Whether the oldest page is with a thread. Pages are taken in the order in which they came, also
 * when the next one was read sooner. */
static gboolean
is_oldest_away(const CfRefresh *refresh)
{
    const Unread *oldest = g_queue_peek_head((GQueue *) &refresh->unread);

    return oldest && oldest->reading && !cf_reading_is_done(oldest->reading);
}

/* A page, then whatever else is to be done: calls, and what people ask. */
static gboolean
on_idle(gpointer data)
{
    CfRefresh *refresh = data;
    gboolean more;

    read_oldest(refresh);
    more = !g_queue_is_empty(&refresh->unread) && !is_oldest_away(refresh);
    if (!more)
        cf_timer_clear(&refresh->reader);
    refresh_fill(refresh); /* there is room for another one, or it was the last */
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
look_into_unread(CfRefresh *refresh)
{
    if (refresh->reader || g_queue_is_empty(&refresh->unread) || is_oldest_away(refresh))
        return;
    refresh->reader = g_idle_source_new();
    g_source_set_priority(refresh->reader, G_PRIORITY_DEFAULT); /* else a busy mount starves it */
    g_source_set_callback(refresh->reader, on_idle, refresh, NULL);
    g_source_attach(refresh->reader, cf_http_get_context(refresh->state->inventory->http));
}

static void
on_readers_ready(gpointer data)
{
    look_into_unread(data);
}

/* Threads are for a listing of which nothing is known, and of several pages.
 * Returns: (nullable). */
static CfReaders *
get_readers(CfRefresh *refresh, gboolean last)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    gboolean one = refresh->answered == 1 && (last || refresh->pages == 1);

    if (!refresh->readers && !refresh->alone && !one && (!state->current || state->current->n == 0))
        refresh->readers =
            cf_readers_new(inventory->ops, inventory->handle, state->which,
                           cf_http_get_context(inventory->http), on_readers_ready, refresh);
    refresh->alone = !refresh->readers;
    return refresh->readers;
}

/* known: (transfer full). */
static void
put_off(CfRefresh *refresh, const CfPage *page, guint number, CfKnownPage *known)
{
    Unread *unread = g_new0(Unread, 1);
    CfReaders *readers = get_readers(refresh, page->last);

    unread->body = g_bytes_ref(page->body);
    unread->records = g_array_ref(page->records);
    unread->requested_us = page->requested_us;
    unread->number = number;
    unread->known = known;
    if (readers)
        unread->reading = cf_readers_read(readers, page->body, page->records);
    g_queue_push_tail(&refresh->unread, unread);
    look_into_unread(refresh);
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

static gboolean
is_forced(const CfCollectionState *state)
{
    for (guint i = 0; i < state->waiters->len; i++)
        if (((const CfWaiter *) state->waiters->pdata[i])->strict)
            return TRUE;
    return FALSE;
}

/* Since when changes are enough, where the cloud can list them; 0: everything is to be listed. Not
 * everything that changes is a change to the cloud (Nova's tags are none): hence a whole listing
 * now and then, where somebody forces one, and where much is followed. Going by the cloud's own
 * times needs no common clock: the time at which it answered the last listing, else the newest
 * change that it told of, which repeats all that changed shortly before that one for ever. The
 * margin is for clocks inside the cloud. */
static gint64
choose_since(const CfRefresh *refresh)
{
    const CfCollectionState *state = refresh->state;
    const CfInventory *inventory = state->inventory;
    gint64 known_us = state->listed_us ? state->listed_us : state->newest_us;

    if (!inventory->ops->list_from || !inventory->ops->can_list_changes[state->which] ||
        !state->current || known_us <= CHANGES_MARGIN_US || refresh->listing > 1 ||
        state->failure || is_forced(state) ||
        g_hash_table_size(state->follows) > CHANGES_FOLLOWS_MAX ||
        cf_clock_mono_us() - state->whole_us >= inventory->options.max_stale_us)
        return 0;
    return known_us - CHANGES_MARGIN_US;
}

void
cf_refresh_list(CfRefresh *refresh)
{
    listing_clear(refresh);
    cf_found_begin(refresh);
    refresh->listing++;
    refresh->asked = refresh->answered = refresh->pages = refresh->collected = 0;
    refresh->skipped = refresh->misses = 0;
    refresh->drift = 0;
    refresh->page_size = refresh->state->inventory->ops->get_page_size(
        refresh->state->inventory->handle, refresh->state->which);
    refresh->total = -1;
    refresh->ended = refresh->alone = FALSE;
    refresh->since_us = choose_since(refresh);
    if (refresh->state->inventory->ops->list_from)
        refresh->walk = refresh->since_us ? cf_walk_new(NULL) : plan_walk(refresh);
    refresh->began_us = cf_clock_mono_us();
    refresh->began_real_us = cf_clock_real_us();
    refresh_fill(refresh);
}

/* The listing is through. Decides whether it is whole. */
static void
listing_done(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    gint64 different, short_by;

    g_clear_pointer(&refresh->readers, cf_readers_free);
    cf_found_settle(refresh);
    /* One that was seen twice is one: the list moved while it was paged, and hid another. */
    different = (gint64) cf_found_count(refresh) + refresh->skipped;
    short_by = refresh->total >= 0 ? refresh->total - different : 0;
    if (short_by > 0 && short_by != state->short_by && short_by != refresh->short_by) {
        /* Fewer records than the cloud says that there are: look again. A cloud whose total is
         * simply wrong says the same twice, and is believed then. */
        refresh->short_by = short_by;
        if (refresh->listing < CF_LISTINGS_MAX) {
            cf_refresh_list(refresh);
        } else {
            g_autoptr(GError) error = NULL;

            g_set_error(&error, CF_ERROR, CF_ERROR_PROTOCOL,
                        "%s: the listing stays incomplete: %u of %" G_GINT64_FORMAT " came",
                        cf_collection_name(state->which), (guint) different, refresh->total);
            cf_refresh_end(refresh, error);
        }
        return;
    }
    state->short_by = MAX(short_by, 0);
    cf_refresh_publish(refresh);
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
        refresh->listing >= CF_LISTINGS_MAX)
        return FALSE;
    refresh->lost = TRUE;
    cf_refresh_list(refresh);
    return TRUE;
}

static void
take_page(CfRefresh *refresh, CfRefreshCall *call, const CfPage *page)
{
    const char *end = refresh->walk ? cf_walk_get_end(refresh->walk, call->page - 1) : NULL;
    gboolean met = FALSE, taken = cf_found_take_run(refresh, call, page, end, &met);

    if (refresh->answered == 0 || page->cloud_us < refresh->cloud_us)
        refresh->cloud_us = page->cloud_us;
    refresh->answered++;
    refresh->collected += page->records->len;
    if (!refresh->walk)
        count_pages(refresh, page, call->page);
    /* Only where stretches meet is the page itself needed to go on. */
    if (!taken && end)
        met =
            read_records(refresh, page->records, call->page, page->requested_us, call->known, end);
    else if (!taken)
        put_off(refresh, page, call->page, g_steal_pointer(&call->known));
    if (refresh->walk)
        cf_walk_take(refresh->walk, call->page - 1, met, page->next);
}

static CfRefreshCall *
page_call_new(CfRefresh *refresh, guint page)
{
    CfRefreshCall *call = g_new0(CfRefreshCall, 1);

    call->refresh = cf_refresh_ref(refresh);
    call->page = page;
    call->listing = refresh->listing;
    call->known = cf_known_new(refresh, page);
    return call;
}

static void
page_call_free(CfRefreshCall *call)
{
    cf_known_free(call->known);
    cf_refresh_unref(call->refresh);
    g_free(call);
}

static void
on_page(const CfPage *page, const GError *error, gpointer data)
{
    CfRefreshCall *call = data;
    CfRefresh *refresh = call->refresh;

    if (refresh->state && refresh->listing == call->listing) {
        if (error && !walk_again(refresh, error)) {
            cf_refresh_end(refresh, error);
        } else if (!error) {
            take_page(refresh, call, page);
            tell_first(refresh, NULL);
            if (refresh->state)
                refresh_fill(refresh);
        }
    }
    page_call_free(call);
}

static void
ask_page(CfRefresh *refresh)
{
    CfInventory *inventory = refresh->state->inventory;
    CfRefreshCall *call = page_call_new(refresh, ++refresh->asked);

    inventory->ops->list(inventory->handle, refresh->state->which, call->page,
                         cf_clock_mono_us() + inventory->options.deadline_us,
                         refresh->state->waiters->len > 0 || refresh->first,
                         cf_known_get(call->known), on_page, call);
}

static gboolean
may_ask(const CfRefresh *refresh, guint under_way)
{
    return under_way < SIDE_BY_SIDE &&
           g_queue_get_length((GQueue *) &refresh->unread) + under_way < UNREAD_MAX;
}

/* The same by marker. */
static void
walk_fill(CfRefresh *refresh)
{
    CfInventory *inventory = refresh->state->inventory;
    gint64 deadline_us = cf_clock_mono_us() + inventory->options.deadline_us;
    const char *marker;
    guint stretch;

    while (may_ask(refresh, cf_walk_get_under_way(refresh->walk)) &&
           cf_walk_ask(refresh->walk, &stretch, &marker)) {
        CfRefreshCall *call = page_call_new(refresh, stretch + 1);

        inventory->ops->list_from(inventory->handle, refresh->state->which, marker,
                                  refresh->since_us, deadline_us,
                                  refresh->state->waiters->len > 0 || refresh->first,
                                  cf_known_get(call->known), on_page, call);
    }
    if (cf_walk_is_done(refresh->walk) && g_queue_is_empty(&refresh->unread))
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
    while (!refresh->ended && may_ask(refresh, under_way)) {
        gboolean more = refresh->total >= 0 ? refresh->asked < refresh->pages : under_way == 0;

        /* All pages came, but fewer records than promised: the list grew, or pages were short. */
        if (!more && under_way == 0 && refresh->collected < refresh->total)
            more = TRUE;
        if (!more)
            break;
        ask_page(refresh);
        under_way++;
    }
    if (under_way == 0 && g_queue_is_empty(&refresh->unread))
        listing_done(refresh);
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
    cf_refresh_list(refresh);
}
