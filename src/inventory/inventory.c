#include "inventory/inventory.h"

#include <string.h>

#include "inventory/compose.h"
#include "inventory/jobs.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define APPEND_MAX (8 * 1024 * 1024) /* contract section 7 */

/* ---- timers ---- */

GSource *
cf_inventory_timer(CfInventory *inventory, gint64 delay_us, GSourceFunc function, gpointer data)
{
    GSource *timer = g_timeout_source_new((guint) ((MAX(delay_us, 0) + 999) / 1000));

    g_source_set_callback(timer, function, data, NULL);
    g_source_attach(timer, cf_http_get_context(inventory->http));
    return timer;
}

void
cf_timer_clear(GSource **timer)
{
    if (!*timer)
        return;
    g_source_destroy(*timer);
    g_source_unref(*timer);
    *timer = NULL;
}

static void
timer_free(gpointer timer)
{
    g_source_destroy(timer);
    g_source_unref(timer);
}

/* ---- what the channel tells ---- */

static void
channel_call(const CfHttpRequest *request, const CfHttpReply *reply, const GError *error,
             gpointer data)
{
    cf_journal_call(data, request, reply, error);
}

static void
channel_state(CfChannelState state, const char *why, gpointer data)
{
    CfInventory *inventory = data;

    inventory->throttled = state == CF_CHANNEL_THROTTLED;
    g_free(inventory->channel_why);
    inventory->channel_why = g_strdup(why);
    cf_inventory_update_health(inventory);
}

/* ---- life ---- */

static void
state_init(CfInventory *inventory, CfCollection which)
{
    CfCollectionState *state = &inventory->collections[which];

    state->inventory = inventory;
    state->which = which;
    state->waiters = g_ptr_array_new();
    state->slot_by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    state->free_slots = g_array_new(FALSE, FALSE, sizeof(guint32));
    state->generations = g_byte_array_new();
    state->follows = g_hash_table_new_full(NULL, NULL, NULL, cf_follow_free);
}

static gboolean
is_watched(CfInventory *inventory, CfCollection collection)
{
    gboolean watched;

    if (inventory->options.watch)
        return TRUE;
    g_mutex_lock(&inventory->lock);
    watched = cf_clock_mono_us() < inventory->collections[collection].watched_until_us;
    g_mutex_unlock(&inventory->lock);
    return watched;
}

static gboolean
on_watch(gpointer data)
{
    CfInventory *inventory = data;
    gboolean any = FALSE;

    for (guint i = 0; i < CF_COLLECTION_N; i++)
        if (is_watched(inventory, i)) {
            any = TRUE;
            cf_inventory_look(inventory, i);
        }
    if (!any)
        cf_timer_clear(&inventory->watch_timer);
    return any ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
start_watch(gpointer data)
{
    CfInventory *inventory = data;

    if (!inventory->watch_timer && !inventory->closing)
        inventory->watch_timer = cf_inventory_timer(
            inventory, CLAMP(inventory->options.ttl_us / 10, 20000, G_USEC_PER_SEC), on_watch,
            inventory);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_watch(CfInventory *inventory, CfCollection collection, gint64 until_us)
{
    CfCollectionState *state = &inventory->collections[collection];
    gboolean began;

    g_mutex_lock(&inventory->lock);
    began = state->watched_until_us <= cf_clock_mono_us();
    state->watched_until_us = MAX(state->watched_until_us, until_us);
    g_mutex_unlock(&inventory->lock);
    if (began)
        cf_http_invoke(inventory->http, start_watch, inventory);
}

static gboolean
on_sweep(gpointer data)
{
    cf_tags_sweep(data);
    return G_SOURCE_CONTINUE;
}

static gboolean
start_timers(gpointer data)
{
    CfInventory *inventory = data;

    if (inventory->options.watch)
        start_watch(inventory);
    if (inventory->options.tags_sweep && inventory->ops->tags_apart)
        inventory->sweep_timer =
            cf_inventory_timer(inventory, G_USEC_PER_SEC / 10, on_sweep, inventory);
    return G_SOURCE_REMOVE;
}

typedef struct {
    CfInventory *inventory;
    const CfChannelOptions *options;
    guint page_size;
    const char *(*get)(gpointer config, const char *key);
    gpointer config;
    GError **error;
} Opening;

static gboolean
open_in_engine(gpointer data)
{
    Opening *opening = data;
    CfInventory *inventory = opening->inventory;
    CfChannelObserver observer = {channel_call, channel_state, inventory};
    CfProviderEnv env = {0};

    inventory->channel = cf_channel_new(inventory->http, opening->options, &observer);
    env.profile = inventory->profile;
    env.channel = inventory->channel;
    env.context = cf_http_get_context(inventory->http);
    env.deadline_us = inventory->options.deadline_us;
    env.page_size = opening->page_size;
    env.get = opening->get;
    env.config = opening->config;
    inventory->handle = inventory->ops->open(&env, opening->error);
    return G_SOURCE_REMOVE;
}

CfInventory *
cf_inventory_new(const char *profile, const CfProviderOps *ops, CfHttp *http,
                 const CfChannelOptions *channel, const CfInventoryOptions *options,
                 guint page_size, const char *(*get)(gpointer config, const char *key),
                 gpointer config, GError **error)
{
    CfInventory *inventory = g_new0(CfInventory, 1);
    Opening opening;

    g_mutex_init(&inventory->lock);
    inventory->profile = g_strdup(profile);
    inventory->ops = ops;
    inventory->http = http;
    inventory->options = *options;
    inventory->events = cf_append_new(APPEND_MAX);
    inventory->journal = cf_append_new(APPEND_MAX);
    inventory->health_word = "loading";
    inventory->health_since_us = cf_clock_real_us();
    inventory->tag_flights =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
    g_queue_init(&inventory->action_times);
    inventory->jobs = g_ptr_array_new_with_free_func(cf_job_free);
    inventory->console_timers = g_ptr_array_new_with_free_func(timer_free);
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        state_init(inventory, i);

    opening = (Opening){inventory, channel, page_size, get, config, error};
    cf_http_invoke_wait(http, open_in_engine, &opening);
    if (!inventory->handle) {
        cf_inventory_free(inventory);
        return NULL;
    }
    inventory->composer = cf_composer_new(inventory, options->state_dir);
    inventory->options.state_dir = NULL;
    return inventory;
}

void
cf_inventory_set_hooks(CfInventory *inventory, const CfInventoryHooks *hooks)
{
    inventory->hooks = *hooks;
    cf_http_invoke(inventory->http, start_timers, inventory);
}

static gboolean
close_in_engine(gpointer data)
{
    CfInventory *inventory = data;

    inventory->closing = TRUE;
    inventory->hooks = (CfInventoryHooks){0};
    cf_timer_clear(&inventory->follow_timer);
    cf_timer_clear(&inventory->watch_timer);
    cf_timer_clear(&inventory->sweep_timer);
    cf_timer_clear(&inventory->job_timer);
    g_ptr_array_set_size(inventory->console_timers, 0);
    cf_composer_stop(inventory->composer);
    /* Answers every call under way with an error, which in turn answers those who wait. */
    cf_channel_free(inventory->channel);
    inventory->channel = NULL;
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        cf_refresh_cancel(&inventory->collections[i]);
    cf_tags_close(inventory);
    return G_SOURCE_REMOVE;
}

static gboolean
free_in_engine(gpointer data)
{
    CfInventory *inventory = data;

    if (inventory->handle)
        inventory->ops->close(inventory->handle);
    return G_SOURCE_REMOVE;
}

static gboolean
nothing(gpointer data)
{
    return G_SOURCE_REMOVE;
}

void
cf_inventory_close(CfInventory *inventory)
{
    if (inventory->closed)
        return;
    inventory->closed = TRUE;
    cf_http_invoke_wait(inventory->http, close_in_engine, inventory);
    cf_composer_end(inventory->composer);
    /* What the state file's thread has called back was put behind one another. */
    cf_http_invoke_wait(inventory->http, nothing, inventory);
}

static void
state_clear(CfCollectionState *state)
{
    g_hash_table_unref(state->follows);
    g_clear_error(&state->failure);
    g_free(state->batch_error);
    g_ptr_array_unref(state->waiters);
    g_hash_table_unref(state->slot_by_id);
    g_array_unref(state->free_slots);
    g_byte_array_unref(state->generations);
    if (state->order)
        g_ptr_array_unref(state->order);
    cf_snapshot_unref(state->current);
}

void
cf_inventory_free(CfInventory *inventory)
{
    if (!inventory)
        return;
    cf_inventory_close(inventory);
    cf_http_invoke_wait(inventory->http, free_in_engine, inventory);
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        state_clear(&inventory->collections[i]);
    g_hash_table_unref(inventory->tag_flights);
    cf_searches_free(inventory);
    g_ptr_array_unref(inventory->jobs);
    g_ptr_array_unref(inventory->console_timers);
    cf_composer_free(inventory->composer);
    g_queue_clear_full(&inventory->action_times, g_free);
    cf_append_free(inventory->events);
    cf_append_free(inventory->journal);
    g_free(inventory->health_why);
    g_free(inventory->channel_why);
    g_free(inventory->profile);
    g_mutex_clear(&inventory->lock);
    g_free(inventory);
}

/* ---- reading ---- */

const char *
cf_inventory_get_profile(CfInventory *inventory)
{
    return inventory->profile;
}

const CfProviderOps *
cf_inventory_get_ops(CfInventory *inventory)
{
    return inventory->ops;
}

gpointer
cf_inventory_get_handle(CfInventory *inventory)
{
    return inventory->handle;
}

const CfInventoryOptions *
cf_inventory_get_options(CfInventory *inventory)
{
    return &inventory->options;
}

CfAppend *
cf_inventory_get_events(CfInventory *inventory)
{
    return inventory->events;
}

CfAppend *
cf_inventory_get_journal(CfInventory *inventory)
{
    return inventory->journal;
}

CfSnapshot *
cf_inventory_ref_snapshot(CfInventory *inventory, CfCollection collection)
{
    CfSnapshot *snapshot;

    g_mutex_lock(&inventory->lock);
    snapshot = inventory->collections[collection].current;
    if (snapshot)
        cf_snapshot_ref(snapshot);
    g_mutex_unlock(&inventory->lock);
    return snapshot;
}

gboolean
cf_inventory_is_current(CfInventory *inventory, CfCollection collection, const CfSnapshot *snapshot)
{
    gboolean is;

    g_mutex_lock(&inventory->lock);
    is = inventory->collections[collection].current == snapshot;
    g_mutex_unlock(&inventory->lock);
    return is;
}

gint64
cf_inventory_get_rest_us(CfInventory *inventory, CfCollection collection)
{
    CfCollectionState *state = &inventory->collections[collection];
    gint64 rest;

    g_mutex_lock(&inventory->lock);
    rest = state->began_us ? state->began_us + inventory->options.ttl_us - cf_clock_mono_us() : 0;
    g_mutex_unlock(&inventory->lock);
    return MAX(rest, 0);
}

gint64
cf_inventory_get_fetched_us(CfInventory *inventory, CfCollection collection)
{
    gint64 fetched;

    g_mutex_lock(&inventory->lock);
    fetched = inventory->collections[collection].began_real_us;
    g_mutex_unlock(&inventory->lock);
    return fetched;
}

void
cf_inventory_get_stats(CfInventory *inventory, CfInventoryStats *ret_stats)
{
    g_mutex_lock(&inventory->lock);
    *ret_stats = inventory->stats;
    g_mutex_unlock(&inventory->lock);
    cf_channel_get_stats(inventory->channel, &ret_stats->channel);
}

/* ---- demand ---- */

/* Engine's thread. */
static gboolean
is_young(const CfCollectionState *state, gint64 now_us)
{
    return state->current && now_us - state->began_us <= state->inventory->options.ttl_us;
}

static gboolean
on_kick(gpointer data)
{
    CfCollectionState *state = data;
    gint64 now_us = cf_clock_mono_us();

    g_mutex_lock(&state->inventory->lock);
    state->kicked = FALSE;
    g_mutex_unlock(&state->inventory->lock);
    /* A refresh may have ended between the look and now: one is enough. */
    if (!state->inventory->closing && !state->refresh && now_us >= state->retry_us &&
        !is_young(state, now_us))
        cf_refresh_start(state, NULL, NULL);
    return G_SOURCE_REMOVE;
}

CfLook
cf_inventory_look(CfInventory *inventory, CfCollection collection)
{
    CfCollectionState *state = &inventory->collections[collection];
    gint64 now_us = cf_clock_mono_us();
    gboolean kick = FALSE;
    CfLook look = CF_LOOK_SERVE;
    gint64 age_us;

    g_mutex_lock(&inventory->lock);
    age_us = state->began_us ? now_us - state->began_us : G_MAXINT64;
    if (age_us > inventory->options.ttl_us) {
        kick = !state->kicked;
        state->kicked = TRUE;
        if (!state->demand_us)
            state->demand_us = now_us;
        if (!state->current)
            look = CF_LOOK_WAIT;
        else if (!state->failing)
            look = age_us > inventory->options.max_stale_us ||
                           now_us - state->demand_us < inventory->options.patience_us
                       ? CF_LOOK_WAIT
                       : CF_LOOK_SERVE;
    }
    g_mutex_unlock(&inventory->lock);
    if (kick)
        cf_http_invoke(inventory->http, on_kick, state);
    return look;
}

void
cf_inventory_look_at_health(CfInventory *inventory)
{
    for (guint i = 0; i < CF_COLLECTION_N; i++) {
        gboolean failing;

        g_mutex_lock(&inventory->lock);
        failing = inventory->collections[i].failing;
        g_mutex_unlock(&inventory->lock);
        if (failing)
            cf_inventory_look(inventory, i);
    }
}

static void
waiter_answer(CfWaiter *waiter, const GError *error)
{
    CfCollectionState *state = waiter->collection;

    if (waiter->timer) {
        GSource *timer = g_main_context_find_source_by_id(
            cf_http_get_context(state->inventory->http), waiter->timer);

        if (timer)
            g_source_destroy(timer);
    }
    waiter->callback(error && (waiter->strict || !state->current) ? error : NULL, waiter->data);
    g_free(waiter);
}

static gboolean
on_waiter_timer(gpointer data)
{
    CfWaiter *waiter = data;
    CfCollectionState *state = waiter->collection;
    g_autoptr(GError) error = NULL;

    waiter->timer = 0;
    g_ptr_array_remove(state->waiters, waiter);
    g_set_error(&error, CF_ERROR, CF_ERROR_TIMEOUT, "%s: the listing was not done in time",
                cf_collection_name(state->which));
    waiter_answer(waiter, error);
    return G_SOURCE_REMOVE;
}

void
cf_waiters_wake(CfCollectionState *state, gint64 began_us, const GError *error)
{
    g_autoptr(GPtrArray) ready = g_ptr_array_new();
    gboolean more = FALSE;

    for (guint i = 0; i < state->waiters->len;) {
        CfWaiter *waiter = state->waiters->pdata[i];

        if (waiter->after_us <= began_us || state->inventory->closing) {
            g_ptr_array_add(ready, waiter);
            g_ptr_array_remove_index_fast(state->waiters, i);
        } else {
            more = TRUE;
            i++;
        }
    }
    for (guint i = 0; i < ready->len; i++)
        waiter_answer(ready->pdata[i], error);
    if (more && !state->inventory->closing && !state->refresh)
        cf_refresh_start(state, NULL, NULL);
}

void
cf_waiters_wake_coming(CfCollectionState *state)
{
    g_autoptr(GPtrArray) ready = g_ptr_array_new();

    for (guint i = 0; i < state->waiters->len;) {
        CfWaiter *waiter = state->waiters->pdata[i];

        if (waiter->coming >= 0 &&
            cf_inventory_has_coming(state->inventory, state->which, (guint) waiter->coming)) {
            g_ptr_array_add(ready, waiter);
            g_ptr_array_remove_index_fast(state->waiters, i);
        } else {
            i++;
        }
    }
    for (guint i = 0; i < ready->len; i++)
        waiter_answer(ready->pdata[i], NULL);
}

typedef struct {
    CfWaiter *waiter;
    gint64 limit_us;
    gboolean force;
} WaitStart;

static gboolean
on_wait(gpointer data)
{
    g_autofree WaitStart *start = data;
    CfWaiter *waiter = start->waiter;
    CfCollectionState *state = waiter->collection;
    gint64 now_us = cf_clock_mono_us();
    GSource *timer;

    if (state->inventory->closing) {
        g_autoptr(GError) error =
            g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

        waiter_answer(waiter, error);
        return G_SOURCE_REMOVE;
    }
    if (waiter->coming >= 0 &&
        cf_inventory_has_coming(state->inventory, state->which, (guint) waiter->coming)) {
        waiter_answer(waiter, NULL);
        return G_SOURCE_REMOVE;
    }
    /* A refresh may have ended between the look and now; or must not be tried again so soon. */
    if (!start->force && !state->refresh) {
        if (is_young(state, now_us)) {
            waiter_answer(waiter, NULL);
            return G_SOURCE_REMOVE;
        }
        if (now_us < state->retry_us && state->failure) {
            waiter_answer(waiter, state->failure);
            return G_SOURCE_REMOVE;
        }
    }
    g_ptr_array_add(state->waiters, waiter);
    timer = cf_inventory_timer(state->inventory, start->limit_us, on_waiter_timer, waiter);
    waiter->timer = g_source_get_id(timer);
    g_source_unref(timer);
    if (!state->refresh)
        cf_refresh_start(state, NULL, NULL);
    return G_SOURCE_REMOVE;
}

static void
wait_start(CfInventory *inventory, CfCollection collection, gboolean force, gint64 coming,
           gint64 limit_us, CfDoneCallback callback, gpointer data)
{
    CfWaiter *waiter = g_new0(CfWaiter, 1);
    WaitStart *start = g_new0(WaitStart, 1);

    waiter->callback = callback;
    waiter->data = data;
    waiter->collection = &inventory->collections[collection];
    waiter->after_us = force ? cf_clock_mono_us() : 0;
    waiter->strict = force;
    waiter->coming = coming;
    start->waiter = waiter;
    start->limit_us = limit_us;
    start->force = force;
    cf_http_invoke(inventory->http, on_wait, start);
}

void
cf_inventory_wait(CfInventory *inventory, CfCollection collection, CfDoneCallback callback,
                  gpointer data)
{
    CfCollectionState *state = &inventory->collections[collection];
    gint64 limit_us = inventory->options.deadline_us;

    g_mutex_lock(&inventory->lock);
    if (state->current && cf_clock_mono_us() - state->began_us <= inventory->options.max_stale_us)
        limit_us =
            MIN(limit_us, inventory->options.patience_us -
                              (state->demand_us ? cf_clock_mono_us() - state->demand_us : 0));
    g_mutex_unlock(&inventory->lock);
    wait_start(inventory, collection, FALSE, -1, limit_us, callback, data);
}

void
cf_inventory_wait_coming(CfInventory *inventory, CfCollection collection, guint from,
                         CfDoneCallback callback, gpointer data)
{
    wait_start(inventory, collection, FALSE, from, inventory->options.deadline_us, callback, data);
}

void
cf_inventory_refresh_within(CfInventory *inventory, CfCollection collection, gint64 limit_us,
                            CfDoneCallback callback, gpointer data)
{
    wait_start(inventory, collection, TRUE, -1, limit_us, callback, data);
}

void
cf_inventory_refresh(CfInventory *inventory, CfCollection collection, CfDoneCallback callback,
                     gpointer data)
{
    wait_start(inventory, collection, TRUE, -1, inventory->options.deadline_us, callback, data);
}

typedef struct {
    CfInventory *inventory;
    CfDoneCallback callback;
    gpointer data;
} Start;

static gboolean
on_start(gpointer data)
{
    g_autofree Start *start = data;

    cf_refresh_start(&start->inventory->collections[CF_SERVERS], start->callback, start->data);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_start(CfInventory *inventory, CfDoneCallback callback, gpointer data)
{
    Start *start = g_new(Start, 1);

    *start = (Start){inventory, callback, data};
    cf_http_invoke(inventory->http, on_start, start);
}
