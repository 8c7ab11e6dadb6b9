/* One account's way to the cloud: what may go now, what waits, what is tried again, what fails.
 *
 *      cf_channel_send()
 *            v            bucket, breaker, hold
 *         lanes[] ------------------------------> running --> done --> callback
 *            ^                                       |
 *            +------------ resting <-----------------+  (to be tried again)
 */
#include <string.h>

#include "http/channel-private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define DEFAULT_MAX_BODY (64 * 1024 * 1024)
#define DEFAULT_CONNECT_TIMEOUT_US (10 * G_USEC_PER_SEC)
static const CfChannelTimes default_times = {
    .first_backoff_us = G_USEC_PER_SEC / 4,
    .max_backoff_us = 8 * G_USEC_PER_SEC,
    .breaker = {.failures = 5, .first_rest_us = G_USEC_PER_SEC, .max_rest_us = 10 * G_USEC_PER_SEC},
};

/* --- calls and queues ------------------------------------------------------------------------ */

static void
count_moves(CfChannel *channel)
{
    guint queued = channel->resting.length, i;

    for (i = 0; i < CF_LANE_N; i++)
        queued += channel->lanes[i].length;
    g_mutex_lock(&channel->lock);
    channel->stats.in_flight = channel->running.length;
    channel->stats.queued = queued;
    g_mutex_unlock(&channel->lock);
}

void
cf_call_move(CfCall *call, GQueue *to)
{
    if (call->home)
        g_queue_unlink(call->home, &call->link);
    call->home = to;
    if (to)
        g_queue_push_tail_link(to, &call->link);
    count_moves(call->channel);
}

/* Back to its lane, ahead of those that have not been tried. */
static void
move_to_head(CfCall *call, GQueue *to)
{
    g_queue_unlink(call->home, &call->link);
    call->home = to;
    g_queue_push_head_link(to, &call->link);
    count_moves(call->channel);
}

static void
call_free(CfCall *call)
{
    cf_http_request_free(call->request);
    g_clear_error(&call->error);
    cf_http_reply_free(call->reply);
    g_free(call->request_id);
    g_free(call->host);
    g_free(call);
}

void
cf_call_forget_result(CfCall *call)
{
    g_clear_error(&call->error);
    g_clear_pointer(&call->reply, cf_http_reply_free);
}

void
cf_call_fail(CfCall *call, GError *error)
{
    cf_call_forget_result(call);
    call->error = error;
    cf_call_move(call, &call->channel->done);
}

const char *
cf_call_where(const CfCall *call)
{
    return call->host ? call->host : "no host";
}

/* Nearly all URLs of a channel begin alike, so that what comes of it is kept.
 * Returns: (transfer full) (nullable): as cf_http_host_of_url(). */
static char *
host_of(CfChannel *channel, const char *url, GError **error)
{
    gsize len = channel->origin ? strlen(channel->origin) : 0;
    const char *authority;

    if (len > 0 && strncmp(url, channel->origin, len) == 0 && url[len] == '/')
        return g_strdup(channel->host);
    g_clear_pointer(&channel->origin, g_free);
    g_free(channel->host);
    channel->host = cf_http_host_of_url(url, error);
    authority = strstr(url, "://");
    if (channel->host && authority)
        channel->origin =
            g_strndup(url, (gsize) (authority - url) + 3 + strcspn(authority + 3, "/?#\\"));
    return g_strdup(channel->host);
}

static CfLane
lane_of(const CfHttpRequest *request)
{
    if (request->cls == CF_HTTP_CHANGE)
        return CF_LANE_CHANGE;
    if (request->cls == CF_HTTP_AUTH)
        return CF_LANE_AUTH;
    return request->user_waits ? CF_LANE_WAITED : CF_LANE_BACKGROUND;
}

/* --- state ----------------------------------------------------------------------------------- */

static const CfBreaker *
find_open_breaker(CfChannel *channel)
{
    GHashTableIter iter;
    gpointer breaker;

    g_hash_table_iter_init(&iter, channel->breakers);
    while (g_hash_table_iter_next(&iter, NULL, &breaker)) {
        if (((CfBreaker *) breaker)->kind != CF_BREAKER_CLOSED)
            return breaker;
    }
    return NULL;
}

static void
update_state(CfChannel *channel)
{
    const CfBreaker *open = find_open_breaker(channel);
    CfChannelState state = CF_CHANNEL_OK;
    const char *why = "";

    if (open) {
        state = CF_CHANNEL_UNREACHABLE;
        why = open->last->message;
    } else if (channel->hold_us > cf_clock_mono_us()) {
        state = CF_CHANNEL_THROTTLED;
        why = channel->hold_why;
    }
    if (state == channel->state && strcmp(why, channel->why) == 0)
        return;
    g_mutex_lock(&channel->lock);
    channel->state = state;
    g_mutex_unlock(&channel->lock);
    g_free(channel->why);
    channel->why = g_strdup(why);
    if (channel->observer.state)
        channel->observer.state(state, channel->why, channel->observer.data);
}

static CfBreaker *
get_breaker(CfChannel *channel, const char *host)
{
    CfBreaker *breaker = g_hash_table_lookup(channel->breakers, host);

    if (!breaker) {
        breaker = cf_breaker_new(&channel->times.breaker);
        g_hash_table_insert(channel->breakers, g_strdup(host), breaker);
    }
    return breaker;
}

/* --- what fails without being sent ----------------------------------------------------------- */

static gboolean
is_held(const CfCall *call)
{
    return call->lane != CF_LANE_AUTH && call->channel->hold_us > cf_clock_mono_us();
}

static GError *
held_error(const CfCall *call)
{
    double seconds = (double) (call->channel->hold_us - cf_clock_mono_us()) / 1e6;

    return g_error_new(CF_ERROR, CF_ERROR_THROTTLED,
                       "%s: too many requests; the cloud asks to wait %.1f s more",
                       cf_call_where(call), seconds);
}

/* Before the first attempt and before each further one: TRUE when there is no use in waiting. */
static gboolean
is_hopeless(CfCall *call)
{
    if (!cf_breaker_allows(call->breaker, cf_clock_mono_us())) {
        cf_call_fail(call, g_error_copy(call->breaker->last));
        return TRUE;
    }
    if (is_held(call) && call->channel->hold_us >= call->request->deadline_us) {
        if (call->reply && call->again[CF_AGAIN_THROTTLED] > 0)
            cf_call_move(call, &call->channel->done); /* says the same, in the cloud's words */
        else
            cf_call_fail(call, held_error(call));
        return TRUE;
    }
    return FALSE;
}

static void
drop_hopeless_of(GQueue *queue)
{
    GList *item, *next;

    for (item = queue->head; item; item = next) {
        next = item->next;
        is_hopeless(item->data);
    }
}

void
cf_channel_drop_hopeless(CfChannel *channel)
{
    guint i;

    for (i = 0; i < CF_LANE_N; i++)
        drop_hopeless_of(&channel->lanes[i]);
    drop_hopeless_of(&channel->resting);
}

/* --- the round ------------------------------------------------------------------------------- */

static const char *
what_it_waited_for(const CfCall *call)
{
    const CfChannel *channel = call->channel;

    if (is_held(call))
        return "the cloud asked to wait";
    if (call->lane != CF_LANE_AUTH && channel->bucket.running >= channel->bucket.connections)
        return "all connections were busy";
    return "the rate limit left no room";
}

static void
expire(CfCall *call)
{
    CfChannel *channel = call->channel;

    if (call->home == &channel->running) {
        CfOutcome outcome = {.kind = CF_OUTCOME_TIMEOUT};

        outcome.ms = (guint) ((cf_clock_mono_us() - call->attempt_us) / 1000);
        outcome.error = cf_attempt_time_out(call->attempt);
        cf_call_settle(call, &outcome);
        cf_call_fail(call, outcome.error);
    } else if (call->error || call->reply) {
        cf_call_move(call, &channel->done); /* says more than that time is over */
    } else {
        cf_call_fail(call,
                     g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "%s: not sent before the deadline: %s",
                                 cf_call_where(call), what_it_waited_for(call)));
    }
}

static void
expire_of(CfChannel *channel, GQueue *queue, gint64 now)
{
    GList *item, *next;

    for (item = queue->head; item; item = next) {
        CfCall *call = item->data;

        next = item->next;
        if (call->request->deadline_us <= now)
            expire(call);
        else
            channel->next_expiry_us = MIN(channel->next_expiry_us, call->request->deadline_us);
    }
}

static void
expire_all(CfChannel *channel, gint64 now)
{
    guint i;

    if (now < channel->next_expiry_us)
        return;
    channel->next_expiry_us = G_MAXINT64;
    expire_of(channel, &channel->running, now);
    expire_of(channel, &channel->resting, now);
    for (i = 0; i < CF_LANE_N; i++)
        expire_of(channel, &channel->lanes[i], now);
}

/* Returns: when the next one has rested enough. */
static gint64
wake_rested(CfChannel *channel, gint64 now)
{
    gint64 next_us = G_MAXINT64;
    GList *item, *next;

    for (item = channel->resting.head; item; item = next) {
        CfCall *call = item->data;

        next = item->next;
        if (call->wake_us <= now)
            move_to_head(call, &channel->lanes[call->lane]);
        else
            next_us = MIN(next_us, call->wake_us);
    }
    return next_us;
}

/* Starts what may go. Returns: when to look again, apart from ends of attempts. */
static gint64
start_lane(CfChannel *channel, CfLane lane, gint64 now)
{
    gint64 when_us;
    CfCall *call;

    while ((call = g_queue_peek_head(&channel->lanes[lane]))) {
        if (is_hopeless(call))
            continue;
        if (is_held(call))
            return channel->hold_us;
        if (!cf_bucket_take(&channel->bucket, lane, now, &when_us))
            return when_us;
        cf_call_attempt(call);
    }
    return G_MAXINT64;
}

static void
deliver(CfCall *call)
{
    CfChannel *channel = call->channel;

    cf_call_move(call, NULL);
    if (call->reply) {
        call->reply->attempts = call->attempts;
        call->reply->ms = (guint) ((cf_clock_mono_us() - call->begun_us) / 1000);
    }
    if (channel->observer.call)
        channel->observer.call(call->request, call->reply, call->error, channel->observer.data);
    call->callback(call->reply, call->error, call->data);
    call_free(call);
}

static void
channel_unuse(CfChannel *channel)
{
    if (--channel->uses > 0 || !channel->freed)
        return;
    cf_ready_source_free(channel->timer);
    g_hash_table_unref(channel->breakers);
    g_free(channel->origin);
    g_free(channel->host);
    g_free(channel->options.cacert);
    g_free(channel->options.proxy);
    g_free(channel->hold_why);
    g_free(channel->why);
    g_mutex_clear(&channel->lock);
    g_free(channel);
}

static void
deliver_all(CfChannel *channel)
{
    CfCall *call;

    while ((call = g_queue_peek_head(&channel->done)))
        deliver(call);
}

/* Returns: when to look again, apart from ends of attempts. */
static gint64
start_all(CfChannel *channel, gint64 now)
{
    gint64 next_us = G_MAXINT64;
    guint lane;

    for (lane = 0; lane < CF_LANE_N; lane++) {
        gint64 when_us = start_lane(channel, (CfLane) lane, now);

        next_us = MIN(next_us, when_us);
    }
    return next_us;
}

/* Everything that became due. Callbacks come last, when the queues are in order: they may send
 * more, and may free the channel. */
static void
channel_run(CfChannel *channel)
{
    gint64 now = cf_clock_mono_us(), rested_us, next_us;

    if (channel->shut)
        return;
    channel->uses++;
    expire_all(channel, now);
    rested_us = wake_rested(channel, now);
    next_us = start_all(channel, now);
    next_us = MIN(MIN(next_us, rested_us), channel->next_expiry_us);
    if (channel->hold_us > now)
        next_us = MIN(next_us, channel->hold_us);
    g_source_set_ready_time(channel->timer, next_us == G_MAXINT64 ? -1 : next_us);
    update_state(channel);
    deliver_all(channel);
    channel_unuse(channel);
}

static gboolean
timer_fired(gpointer data)
{
    channel_run(data);
    return G_SOURCE_CONTINUE;
}

/* --- dry run --------------------------------------------------------------------------------- */

/* As it is before it is signed. */
static GError *
dry_run_error(const CfHttpRequest *request)
{
    const char *host = strstr(request->url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    g_autofree char *call = NULL;
    g_autofree char *text = NULL;

    if (request->parameters) {
        call = g_strdup(request->label);
        text = g_strdup(request->parameters);
    } else {
        gsize size = 0;
        const char *body = request->body ? g_bytes_get_data(request->body, &size) : "";

        call = g_strconcat(request->method, " ", path ? path : "/", NULL);
        text = g_strndup(size ? body : "", size);
    }
    g_strdelimit(text, "\r\n", ' ');
    return g_error_new(CF_ERROR, CF_ERROR_DRY_RUN, "%s\n%s", call, text);
}

/* --- the outside ----------------------------------------------------------------------------- */

CfChannel *
cf_channel_new(CfHttp *http, const CfChannelOptions *options, const CfChannelObserver *observer)
{
    CfChannel *channel = g_new0(CfChannel, 1);
    CfChannelOptions *own = &channel->options;

    channel->http = http;
    *own = *options;
    own->cacert = g_strdup(options->cacert);
    own->proxy = g_strdup(options->proxy);
    if (own->max_body == 0)
        own->max_body = DEFAULT_MAX_BODY;
    if (own->connect_timeout_us == 0)
        own->connect_timeout_us = DEFAULT_CONNECT_TIMEOUT_US;
    if (observer)
        channel->observer = *observer;
    channel->times = default_times;
    cf_bucket_init(&channel->bucket, own->rate, own->burst, own->connections);
    channel->breakers =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) cf_breaker_free);
    channel->next_expiry_us = G_MAXINT64;
    channel->why = g_strdup("");
    g_mutex_init(&channel->lock);
    channel->timer = cf_ready_source_new(cf_http_get_context(http), timer_fired, channel);
    cf_http_watch_channel(http, channel);
    return channel;
}

static void
shut_down_queue(GQueue *queue)
{
    CfCall *call;

    while ((call = g_queue_peek_head(queue))) {
        g_clear_pointer(&call->attempt, cf_attempt_abort);
        cf_call_fail(call, g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "%s: shutting down",
                                       cf_call_where(call)));
    }
}

void
cf_channel_shut_down(CfChannel *channel)
{
    guint i;

    channel->uses++;
    channel->shut = TRUE;
    shut_down_queue(&channel->running);
    shut_down_queue(&channel->resting);
    for (i = 0; i < CF_LANE_N; i++)
        shut_down_queue(&channel->lanes[i]);
    deliver_all(channel);
    channel->http = NULL;
    channel_unuse(channel);
}

void
cf_channel_free(CfChannel *channel)
{
    if (!channel)
        return;
    g_return_if_fail(!channel->freed);
    channel->uses++;
    channel->freed = TRUE;
    if (channel->http)
        cf_http_unwatch_channel(channel->http, channel);
    cf_channel_shut_down(channel);
    channel_unuse(channel);
}

void
cf_channel_set_times(CfChannel *channel, const CfChannelTimes *times)
{
    channel->times = *times;
}

void
cf_channel_send(CfChannel *channel, CfHttpRequest *request, CfHttpCallback callback, gpointer data)
{
    g_autoptr(GError) error = NULL;
    CfCall *call = g_new0(CfCall, 1);

    call->channel = channel;
    call->request = request;
    call->callback = callback;
    call->data = data;
    call->link.data = call;
    call->lane = lane_of(request);
    call->request_id = g_uuid_string_random();
    call->host = host_of(channel, request->url, &error);
    if (channel->shut) {
        cf_call_fail(call, g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "%s: shutting down",
                                       cf_call_where(call)));
        return; /* whoever shuts it down delivers it */
    }
    if (call->host && channel->options.dry_run && request->cls == CF_HTTP_CHANGE) {
        cf_call_fail(call, dry_run_error(request));
    } else if (call->host) {
        call->breaker = get_breaker(channel, call->host);
        if (!is_hopeless(call))
            cf_call_move(call, &channel->lanes[call->lane]);
    } else {
        cf_call_fail(call, g_steal_pointer(&error));
    }
    channel->next_expiry_us = MIN(channel->next_expiry_us, request->deadline_us);
    g_source_set_ready_time(channel->timer, 0);
}

void
cf_channel_get_stats(CfChannel *channel, CfChannelStats *ret_stats)
{
    g_mutex_lock(&channel->lock);
    *ret_stats = channel->stats;
    g_mutex_unlock(&channel->lock);
}

CfChannelState
cf_channel_get_state(CfChannel *channel)
{
    CfChannelState state;

    g_mutex_lock(&channel->lock);
    state = channel->state;
    g_mutex_unlock(&channel->lock);
    return state;
}
