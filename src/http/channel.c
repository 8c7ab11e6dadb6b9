/* One account's way to the cloud: what may go now, what waits, what is tried again, what fails.
 *
 *      cf_channel_send()
 *            v            bucket, breaker, hold
 *         lanes[] ------------------------------> running --> done --> callback
 *            ^                                       |
 *            +------------ resting <-----------------+  (to be tried again)
 */
#include <string.h>

#include "http/bucket.h"
#include "http/private.h"
#include "http/retry.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define DEFAULT_MAX_BODY (64 * 1024 * 1024)
#define DEFAULT_CONNECT_TIMEOUT_US (10 * G_USEC_PER_SEC)
/* How long one answer may hold up the whole account, however long it asks for. */
#define HOLD_MAX_US (60 * G_USEC_PER_SEC)
static const CfChannelTimes default_times = {
    .first_backoff_us = G_USEC_PER_SEC / 4,
    .max_backoff_us = 8 * G_USEC_PER_SEC,
    .breaker = {.failures = 5, .first_rest_us = G_USEC_PER_SEC, .max_rest_us = 10 * G_USEC_PER_SEC},
};

typedef struct {
    CfChannel *channel;
    CfHttpRequest *request;
    CfHttpCallback callback;
    gpointer data;
    char *request_id;
    char *host;         /* (nullable): "name:port"; NULL when the URL has none */
    CfBreaker *breaker; /* (nullable): the host's, belongs to the channel */
    CfLane lane;
    GList link;     /* in the one queue where it is */
    GQueue *home;   /* that queue */
    gint64 wake_us; /* resting until then */

    CfAttempt *attempt; /* (nullable): while it runs */
    gint64 attempt_us;
    gboolean probe; /* this attempt tries an open breaker */
    guint attempts;
    guint again[CF_AGAIN_N];
    gint64 begun_us; /* the first attempt; 0 before */

    /* What it ends with: one of them once it is done; before, what the attempt that is being
     * repeated came to. */
    CfHttpReply *reply;
    GError *error;
} Call;

struct _CfChannel {
    CfHttp *http; /* (nullable): NULL once it is shut */
    CfChannelOptions options;
    CfChannelObserver observer;
    CfChannelTimes times;
    CfBucket bucket;
    GHashTable *breakers; /* host → CfBreaker */
    GSource *timer;
    guint uses;    /* functions on the stack that need it; it goes when freed and 0 */
    gboolean shut; /* takes no more */
    gboolean freed;

    GQueue lanes[CF_LANE_N]; /* waiting for bucket and breaker */
    GQueue resting;          /* waiting to be tried again */
    GQueue running;
    GQueue done; /* waiting for their callback */

    gint64 next_expiry_us; /* no deadline comes before it */
    gint64 hold_us;        /* the cloud asked to wait until then */
    char *hold_why;        /* (nullable) */
    CfChannelState state;
    char *why;

    GMutex lock; /* protects stats and state for readers in other threads; innermost */
    CfChannelStats stats;
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

static void
move(Call *call, GQueue *to)
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
move_to_head(Call *call, GQueue *to)
{
    g_queue_unlink(call->home, &call->link);
    call->home = to;
    g_queue_push_head_link(to, &call->link);
    count_moves(call->channel);
}

static void
call_free(Call *call)
{
    cf_http_request_free(call->request);
    g_clear_error(&call->error);
    cf_http_reply_free(call->reply);
    g_free(call->request_id);
    g_free(call->host);
    g_free(call);
}

static void
forget_result(Call *call)
{
    g_clear_error(&call->error);
    g_clear_pointer(&call->reply, cf_http_reply_free);
}

/* error: (transfer full). */
static void
finish_with_error(Call *call, GError *error)
{
    forget_result(call);
    call->error = error;
    move(call, &call->channel->done);
}

static const char *
where(const Call *call)
{
    return call->host ? call->host : "no host";
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
is_held(const Call *call)
{
    return call->lane != CF_LANE_AUTH && call->channel->hold_us > cf_clock_mono_us();
}

static GError *
held_error(const Call *call)
{
    double seconds = (double) (call->channel->hold_us - cf_clock_mono_us()) / 1e6;

    return g_error_new(CF_ERROR, CF_ERROR_THROTTLED,
                       "%s: too many requests; the cloud asks to wait %.1f s more", where(call),
                       seconds);
}

/* Before the first attempt and before each further one: TRUE when there is no use in waiting. */
static gboolean
is_hopeless(Call *call)
{
    if (!cf_breaker_allows(call->breaker, cf_clock_mono_us())) {
        finish_with_error(call, g_error_copy(call->breaker->last));
        return TRUE;
    }
    if (is_held(call) && call->channel->hold_us >= call->request->deadline_us) {
        if (call->reply && call->again[CF_AGAIN_THROTTLED] > 0)
            move(call, &call->channel->done); /* says the same, in the cloud's words */
        else
            finish_with_error(call, held_error(call));
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

/* A breaker opened or a hold began: those that wait learn it now, not at their deadline. */
static void
drop_hopeless(CfChannel *channel)
{
    guint i;

    for (i = 0; i < CF_LANE_N; i++)
        drop_hopeless_of(&channel->lanes[i]);
    drop_hopeless_of(&channel->resting);
}

/* --- trying again ---------------------------------------------------------------------------- */

static void
begin_hold(Call *call, gint64 until_us)
{
    CfChannel *channel = call->channel;
    gint64 now = cf_clock_mono_us();
    g_autofree char *until = NULL;

    g_mutex_lock(&channel->lock);
    channel->stats.throttled++;
    g_mutex_unlock(&channel->lock);
    until_us = MIN(until_us, now + HOLD_MAX_US);
    if (call->lane == CF_LANE_AUTH || until_us <= channel->hold_us)
        return;
    channel->hold_us = until_us;
    until = cf_text_time(cf_clock_real_us() + (until_us - now));
    g_free(channel->hold_why);
    channel->hold_why = g_strdup_printf("the cloud asked to wait until %s", until);
    cf_bucket_drain(&channel->bucket, now);
}

/* Keeps what the attempt came to, should no other one come to anything. */
static void
rest(Call *call, CfOutcome *outcome, gint64 until_us)
{
    forget_result(call);
    call->error = g_steal_pointer(&outcome->error);
    if (!call->error)
        call->reply = g_steal_pointer(&outcome->reply);
    call->wake_us = until_us;
    g_mutex_lock(&call->channel->lock);
    call->channel->stats.retries++;
    g_mutex_unlock(&call->channel->lock);
    move(call, &call->channel->resting);
}

static GError *
asks_to_wait_error(const Call *call, const CfHttpReply *reply, gint64 until_us)
{
    CfCloudWords words = {.http_status = reply->status, .request_id = reply->request_id};
    GError *error = NULL;

    cf_error_set_cloud(&error, CF_ERROR_THROTTLED, &words,
                       "%s: too many requests (HTTP %d); the cloud asks to wait %.1f s",
                       where(call), reply->status, (double) (until_us - cf_clock_mono_us()) / 1e6);
    return error;
}

/* The attempt has ended and the breaker knows: again, or that was it. */
static void
conclude(Call *call, CfOutcome *outcome)
{
    CfRetryInput input = {.request = call->request,
                          .outcome = outcome,
                          .begun_us = call->begun_us,
                          .now_us = cf_clock_mono_us(),
                          .now_real_us = cf_clock_real_us(),
                          .dice = g_random_double(),
                          .times = &call->channel->times};
    CfAgain why = cf_retry_why(&input);
    gint64 until_us = cf_retry_when(&input, why, call->again[why]++);
    gboolean throttled = why == CF_AGAIN_THROTTLED;

    if (throttled) {
        begin_hold(call, until_us);
        /* The words of a judged answer stand in its body. */
        if (outcome->verdict != CF_HTTP_THROTTLED)
            outcome->error = asks_to_wait_error(call, outcome->reply, until_us);
    }
    if (until_us < call->request->deadline_us && cf_breaker_allows(call->breaker, input.now_us)) {
        rest(call, outcome, until_us);
    } else if (outcome->error) {
        finish_with_error(call, g_steal_pointer(&outcome->error));
    } else {
        forget_result(call);
        call->reply = g_steal_pointer(&outcome->reply);
        move(call, &call->channel->done);
    }
    if (throttled)
        drop_hopeless(call->channel);
}

/* --- attempts -------------------------------------------------------------------------------- */

static void
count_attempt(CfChannel *channel, const CfOutcome *outcome)
{
    g_mutex_lock(&channel->lock);
    if (!outcome->reply || outcome->reply->status >= 500)
        channel->stats.failures++;
    channel->stats.bytes_in += outcome->bytes_in;
    channel->stats.ms_sum += outcome->ms;
    g_mutex_unlock(&channel->lock);
}

static void
log_attempt(const Call *call, const CfOutcome *outcome)
{
    const CfHttpRequest *request = call->request;
    gboolean told = request->label && g_str_has_prefix(request->label, request->method);
    g_autofree char *what = g_strdup_printf("%s%s%s", told ? "" : request->method, told ? "" : " ",
                                            request->label ? request->label : where(call));

    if (outcome->reply)
        cf_debug("http: %s: %d in %u ms (attempt %u, request %s)", what, outcome->reply->status,
                 outcome->ms, call->attempts, outcome->reply->request_id);
    else
        cf_debug("http: %s: %s after %u ms (attempt %u, request %s)", what, outcome->error->message,
                 outcome->ms, call->attempts, call->request_id);
}

static GError *
gateway_error(const Call *call, const CfHttpReply *reply)
{
    CfCloudWords words = {.http_status = reply->status, .request_id = reply->request_id};
    GError *error = NULL;

    cf_error_set_cloud(&error, CF_ERROR_REMOTE, &words, "%s: no service: HTTP %d", where(call),
                       reply->status);
    return error;
}

/* Whether the host is well, ill, or nothing was learnt. */
static void
tell_breaker(Call *call, const CfOutcome *outcome)
{
    gint64 now = cf_clock_mono_us();
    g_autoptr(GError) gateway = NULL;
    const GError *error = outcome->error;

    if (outcome->reply) {
        int status = outcome->reply->status;

        if ((status != 502 && status != 503 && status != 504) ||
            cf_retry_is_throttle(call->request, outcome->reply, cf_clock_real_us())) {
            cf_breaker_success(call->breaker);
            return;
        }
        error = gateway = gateway_error(call, outcome->reply);
    } else if (outcome->kind == CF_OUTCOME_FATAL || outcome->kind == CF_OUTCOME_CUT) {
        cf_breaker_abandon(call->breaker, call->probe);
        return;
    }
    if (cf_breaker_failure(call->breaker, call->probe, error, now, g_random_double()))
        drop_hopeless(call->channel);
}

/* The attempt is over, by its end or by the deadline. */
static void
settle_attempt(Call *call, CfOutcome *outcome)
{
    call->attempt = NULL;
    cf_bucket_done(&call->channel->bucket, call->lane);
    count_attempt(call->channel, outcome);
    log_attempt(call, outcome);
    tell_breaker(call, outcome);
    call->probe = FALSE;
}

static void
judge(const Call *call, CfOutcome *outcome)
{
    const CfHttpRequest *request = call->request;

    outcome->retry_after_us = -1;
    if (!outcome->reply || !request->judge ||
        cf_retry_is_throttle(request, outcome->reply, cf_clock_real_us()))
        return;
    outcome->verdict = request->judge(request, outcome->reply, &outcome->retry_after_us);
}

static void
attempt_done(CfOutcome *outcome, gpointer data)
{
    Call *call = data;
    CfChannel *channel = call->channel;

    judge(call, outcome);
    settle_attempt(call, outcome);
    conclude(call, outcome);
    g_source_set_ready_time(channel->timer, 0); /* the next round */
}

/* Returns: FALSE with an error when the request cannot be signed. */
static gboolean
sign(CfHttpRequest *request, GError **error)
{
    g_clear_pointer(&request->signed_headers, g_ptr_array_unref);
    request->signed_headers = g_ptr_array_new_with_free_func((GDestroyNotify) cf_text_wipe);
    return !request->sign || request->sign(request, request->sign_data, error);
}

static void
begin_attempt(Call *call)
{
    CfChannel *channel = call->channel;
    CfAttemptInput input = {.request = call->request,
                            .options = &channel->options,
                            .host = call->host,
                            .request_id = call->request_id};
    g_autoptr(GError) error = NULL;

    call->probe = cf_breaker_enter(call->breaker);
    call->attempt_us = cf_clock_mono_us();
    if (!call->begun_us)
        call->begun_us = call->attempt_us;
    if (sign(call->request, &error))
        call->attempt = cf_attempt_new(channel->http, &input, attempt_done, call, &error);
    g_clear_pointer(&call->request->signed_headers, g_ptr_array_unref);
    if (!call->attempt) {
        cf_breaker_abandon(call->breaker, call->probe);
        cf_bucket_done(&channel->bucket, call->lane);
        if (!error)
            error = g_error_new(CF_ERROR, CF_ERROR_INTERNAL, "%s: not signed", where(call));
        finish_with_error(call, g_steal_pointer(&error));
        return;
    }
    call->attempts++;
    g_mutex_lock(&channel->lock);
    channel->stats.calls[call->request->cls]++;
    g_mutex_unlock(&channel->lock);
    move(call, &channel->running);
}

/* --- the round ------------------------------------------------------------------------------- */

static const char *
what_it_waited_for(const Call *call)
{
    const CfChannel *channel = call->channel;

    if (is_held(call))
        return "the cloud asked to wait";
    if (call->lane != CF_LANE_AUTH && channel->bucket.running >= channel->bucket.connections)
        return "all connections were busy";
    return "the rate limit left no room";
}

static void
expire(Call *call)
{
    CfChannel *channel = call->channel;

    if (call->home == &channel->running) {
        CfOutcome outcome = {.kind = CF_OUTCOME_TIMEOUT};

        outcome.ms = (guint) ((cf_clock_mono_us() - call->attempt_us) / 1000);
        outcome.error = cf_attempt_time_out(call->attempt);
        settle_attempt(call, &outcome);
        finish_with_error(call, outcome.error);
    } else if (call->error || call->reply) {
        move(call, &channel->done); /* says more than that time is over */
    } else {
        finish_with_error(call, g_error_new(CF_ERROR, CF_ERROR_TIMEOUT,
                                            "%s: not sent before the deadline: %s", where(call),
                                            what_it_waited_for(call)));
    }
}

static void
expire_of(CfChannel *channel, GQueue *queue, gint64 now)
{
    GList *item, *next;

    for (item = queue->head; item; item = next) {
        Call *call = item->data;

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
        Call *call = item->data;

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
    Call *call;

    while ((call = g_queue_peek_head(&channel->lanes[lane]))) {
        if (is_hopeless(call))
            continue;
        if (is_held(call))
            return channel->hold_us;
        if (!cf_bucket_take(&channel->bucket, lane, now, &when_us))
            return when_us;
        begin_attempt(call);
    }
    return G_MAXINT64;
}

static void
deliver(Call *call)
{
    CfChannel *channel = call->channel;

    move(call, NULL);
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
    Call *call;

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
    Call *call;

    while ((call = g_queue_peek_head(queue))) {
        g_clear_pointer(&call->attempt, cf_attempt_abort);
        finish_with_error(
            call, g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "%s: shutting down", where(call)));
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
    Call *call = g_new0(Call, 1);

    call->channel = channel;
    call->request = request;
    call->callback = callback;
    call->data = data;
    call->link.data = call;
    call->lane = lane_of(request);
    call->request_id = g_uuid_string_random();
    call->host = cf_http_host_of_url(request->url, &error);
    if (channel->shut) {
        finish_with_error(
            call, g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "%s: shutting down", where(call)));
        return; /* whoever shuts it down delivers it */
    }
    if (call->host) {
        call->breaker = get_breaker(channel, call->host);
        if (!is_hopeless(call))
            move(call, &channel->lanes[call->lane]);
    } else {
        finish_with_error(call, g_steal_pointer(&error));
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
