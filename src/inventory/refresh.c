/* One refresh of one collection: pages side by side, records of unchanged text reused, those of a
 * first listing read by threads, a second look before anything counts as gone, one version
 * published at the end. internals.md section 2. */
#include <malloc.h>

#include "inventory/compose.h"
#include "inventory/stream.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define CHANGES_MARGIN_US (60 * G_USEC_PER_SEC)
#define CHANGES_FOLLOWS_MAX 8
#define BACKOFF_MIN_US (G_USEC_PER_SEC / 2)
#define BACKOFF_MAX_US (5 * G_USEC_PER_SEC)
#define BACKOFF_AUTH_US (30 * G_USEC_PER_SEC)

static void
listing_clear(CfRefresh *refresh)
{
    cf_read_drop(refresh);
    cf_found_clear(refresh);
    g_clear_pointer(&refresh->walk, cf_walk_free);
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

static gboolean
trim_heaps(gpointer data)
{
    malloc_trim(0);
    return G_SOURCE_REMOVE;
}

/* Pages that waited side by side, and room in the heaps of threads: when nothing else is to be
 * done, for whoever reads the last page still holds it. */
static void
trim_later(CfInventory *inventory)
{
    GSource *source = g_idle_source_new();

    g_source_set_callback(source, trim_heaps, NULL, NULL);
    g_source_attach(source, cf_http_get_context(inventory->http));
    g_source_unref(source);
}

void
cf_refresh_end(CfRefresh *refresh, const GError *error)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    gint64 now_us = cf_clock_mono_us();
    gboolean trim = refresh->parallel;

    refresh->state = NULL;
    state->refresh = NULL;
    cf_read_drop(refresh);
    cf_stream_end(state);
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
    if (trim)
        trim_later(inventory);
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

static guint
get_view(const CfCollectionState *state)
{
    const CfInventory *inventory = state->inventory;

    return inventory->ops->get_view ? inventory->ops->get_view(inventory->handle, state->which) : 0;
}

gboolean
cf_refresh_may_reuse(CfRefresh *refresh)
{
    guint view = get_view(refresh->state);

    if (!refresh->looked)
        refresh->view = view;
    refresh->looked = TRUE;
    refresh->reread |= view != refresh->state->view;
    return view == refresh->state->view;
}

/* Since when changes are enough, where the cloud can list them; 0: everything is to be listed. Not
 * everything that changes is a change to the cloud (Nova's tags are none): hence a whole listing
 * now and then, where somebody forces one, where much is followed, and where the same texts are to
 * be read in another way. Going by the cloud's own
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
        state->failure || is_forced(state) || get_view(state) != state->view ||
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
    cf_stream_begin(refresh, refresh->listing > 1);
    refresh->asked = refresh->answered = refresh->pages = refresh->collected = 0;
    refresh->skipped = refresh->misses = 0;
    refresh->drift = 0;
    refresh->page_size = refresh->state->inventory->ops->get_page_size(
        refresh->state->inventory->handle, refresh->state->which);
    refresh->total = -1;
    refresh->ended = refresh->alone = refresh->looked = refresh->reread = FALSE;
    refresh->since_us = choose_since(refresh);
    if (refresh->state->inventory->ops->list_from)
        refresh->walk = refresh->since_us ? cf_walk_new(NULL) : plan_walk(refresh);
    refresh->began_us = cf_clock_mono_us();
    refresh->began_real_us = cf_clock_real_us();
    cf_refresh_fill(refresh);
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

static gboolean
take_page(CfRefresh *refresh, CfRefreshCall *call, const CfPage *page, GError **error)
{
    gboolean ends = refresh->walk && cf_walk_get_end(refresh->walk, call->page - 1), met = FALSE;
    gboolean taken = cf_refresh_may_reuse(refresh) && cf_found_take_run(refresh, call, page, &met);

    if (refresh->answered == 0 || page->cloud_us < refresh->cloud_us)
        refresh->cloud_us = page->cloud_us;
    refresh->answered++;
    refresh->collected += page->records->len;
    if (!refresh->walk)
        count_pages(refresh, page, call->page);
    /* Only where stretches meet is the page itself needed to go on. */
    if (!taken && ends)
        met = cf_read_now(refresh, page->records, call->page, page->requested_us, call->known);
    else if (!taken)
        cf_read_later(refresh, page, call->page, g_steal_pointer(&call->known));
    if (!refresh->walk || cf_walk_take(refresh->walk, call->page - 1, met, page->next))
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                "%s: the page behind ‘%s’ leads back to where the listing was before",
                cf_collection_name(refresh->state->which), page->next);
    return FALSE;
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
    g_autoptr(GError) wrong = NULL;

    if (refresh->state && refresh->listing == call->listing) {
        if (error && !walk_again(refresh, error)) {
            cf_refresh_end(refresh, error);
        } else if (!error && !take_page(refresh, call, page, &wrong)) {
            cf_refresh_end(refresh, wrong);
        } else if (!error) {
            tell_first(refresh, NULL);
            if (refresh->state)
                cf_refresh_fill(refresh);
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

/* The same by marker. */
static void
walk_fill(CfRefresh *refresh)
{
    CfInventory *inventory = refresh->state->inventory;
    gint64 deadline_us = cf_clock_mono_us() + inventory->options.deadline_us;
    const char *marker;
    guint stretch;

    while (cf_read_has_room(refresh, cf_walk_get_under_way(refresh->walk)) &&
           cf_walk_ask(refresh->walk, &stretch, &marker)) {
        CfRefreshCall *call = page_call_new(refresh, stretch + 1);

        inventory->ops->list_from(inventory->handle, refresh->state->which, marker,
                                  refresh->since_us, deadline_us,
                                  refresh->state->waiters->len > 0 || refresh->first,
                                  cf_known_get(call->known), on_page, call);
    }
    if (cf_walk_is_done(refresh->walk) && g_queue_is_empty(&refresh->unread))
        listing_done(refresh);
    else
        cf_stream_feed(refresh);
}

/* Asks for what is still to be asked; ends the listing when all came. */
void
cf_refresh_fill(CfRefresh *refresh)
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
    while (!refresh->ended && cf_read_has_room(refresh, under_way)) {
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
    else
        cf_stream_feed(refresh);
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
