/* The attempts of a channel's calls: begun, counted, and what follows from how they end. */
#include "http/channel-private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

/* How long one answer may hold up the whole account, however long it asks for. */
#define HOLD_MAX_US (60 * G_USEC_PER_SEC)

/* --- trying again ---------------------------------------------------------------------------- */

static void
begin_hold(CfCall *call, gint64 until_us)
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
rest(CfCall *call, CfOutcome *outcome, gint64 until_us)
{
    cf_call_forget_result(call);
    call->error = g_steal_pointer(&outcome->error);
    if (!call->error)
        call->reply = g_steal_pointer(&outcome->reply);
    call->wake_us = until_us;
    g_mutex_lock(&call->channel->lock);
    call->channel->stats.retries++;
    g_mutex_unlock(&call->channel->lock);
    cf_call_move(call, &call->channel->resting);
}

static GError *
asks_to_wait_error(const CfCall *call, const CfHttpReply *reply, gint64 until_us)
{
    CfCloudWords words = {.http_status = reply->status, .request_id = reply->request_id};
    GError *error = NULL;

    cf_error_set_cloud(&error, CF_ERROR_THROTTLED, &words,
                       "%s: too many requests (HTTP %d); the cloud asks to wait %.1f s",
                       cf_call_where(call), reply->status,
                       (double) (until_us - cf_clock_mono_us()) / 1e6);
    return error;
}

/* The attempt has ended and the breaker knows: again, or that was it. */
static void
conclude(CfCall *call, CfOutcome *outcome)
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
        cf_call_fail(call, g_steal_pointer(&outcome->error));
    } else {
        cf_call_forget_result(call);
        call->reply = g_steal_pointer(&outcome->reply);
        cf_call_move(call, &call->channel->done);
    }
    if (throttled)
        cf_channel_drop_hopeless(call->channel);
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
log_attempt(const CfCall *call, const CfOutcome *outcome)
{
    const CfHttpRequest *request = call->request;
    gboolean told = request->label && g_str_has_prefix(request->label, request->method);
    g_autofree char *what = g_strdup_printf("%s%s%s", told ? "" : request->method, told ? "" : " ",
                                            request->label ? request->label : cf_call_where(call));

    if (outcome->reply)
        cf_debug("http: %s: %d in %u ms (attempt %u, request %s)", what, outcome->reply->status,
                 outcome->ms, call->attempts, outcome->reply->request_id);
    else
        cf_debug("http: %s: %s after %u ms (attempt %u, request %s)", what, outcome->error->message,
                 outcome->ms, call->attempts, call->request_id);
}

static GError *
gateway_error(const CfCall *call, const CfHttpReply *reply)
{
    CfCloudWords words = {.http_status = reply->status, .request_id = reply->request_id};
    GError *error = NULL;

    cf_error_set_cloud(&error, CF_ERROR_REMOTE, &words, "%s: no service: HTTP %d",
                       cf_call_where(call), reply->status);
    return error;
}

/* Whether the host is well, ill, or nothing was learnt. */
static void
tell_breaker(CfCall *call, const CfOutcome *outcome)
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
        cf_channel_drop_hopeless(call->channel);
}

void
cf_call_settle(CfCall *call, CfOutcome *outcome)
{
    call->attempt = NULL;
    cf_bucket_done(&call->channel->bucket, call->lane);
    count_attempt(call->channel, outcome);
    log_attempt(call, outcome);
    tell_breaker(call, outcome);
    call->probe = FALSE;
}

static void
judge(const CfCall *call, CfOutcome *outcome)
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
    CfCall *call = data;
    CfChannel *channel = call->channel;

    judge(call, outcome);
    cf_call_settle(call, outcome);
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

void
cf_call_attempt(CfCall *call)
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
            error = g_error_new(CF_ERROR, CF_ERROR_INTERNAL, "%s: not signed", cf_call_where(call));
        cf_call_fail(call, g_steal_pointer(&error));
        return;
    }
    call->attempts++;
    g_mutex_lock(&channel->lock);
    channel->stats.calls[call->request->cls]++;
    g_mutex_unlock(&channel->lock);
    cf_call_move(call, &channel->running);
}
