#include "http/retry.h"

/* Where somebody waits, a host that cannot be reached is tried again within this time only. */
#define WAITED_PATIENCE_US G_USEC_PER_SEC
#define WAITED_LIMIT 2

static const guint limits[CF_AGAIN_N] = {
    [CF_AGAIN_UNCONNECTED] = 5,
    [CF_AGAIN_BROKEN] = 3,
    [CF_AGAIN_CUT] = 2,
    [CF_AGAIN_GATEWAY] = 3,
    [CF_AGAIN_THROTTLED] = G_MAXUINT, /* the deadline limits it */
};

gint64
cf_retry_after_us(const CfHttpReply *reply, gint64 now_real_us)
{
    const char *text = g_hash_table_lookup(reply->headers, "retry-after");
    char *end;
    guint64 seconds;
    time_t date;

    if (!text || !*text)
        return -1;
    if (g_ascii_isdigit(*text)) {
        seconds = MIN(g_ascii_strtoull(text, &end, 10), 366 * 24 * 3600);
        if (*end == '\0' || *end == '.')
            return (gint64) (seconds + (*end == '.' ? 1 : 0)) * G_USEC_PER_SEC;
    }
    date = curl_getdate(text, NULL);
    if (date < 0)
        return -1;
    /* Its clock against its clock: ours may be wrong. */
    return MAX((gint64) date * G_USEC_PER_SEC - (reply->date_us ? reply->date_us : now_real_us), 0);
}

gboolean
cf_retry_is_throttle(const CfHttpRequest *request, const CfHttpReply *reply, gint64 now_real_us)
{
    return reply->status == 429 || (reply->status == 503 && request->cls != CF_HTTP_CHANGE &&
                                    cf_retry_after_us(reply, now_real_us) >= 0);
}

static gboolean
looks_like_json(const CfHttpReply *reply)
{
    gsize size, i = 0;
    const char *text = g_bytes_get_data(reply->body, &size);

    while (i < size && g_ascii_isspace(text[i]))
        i++;
    return i < size && (text[i] == '{' || text[i] == '[');
}

/* 502, 503 and 504 are words of something before the cloud; 500 is too, unless it carries the
 * cloud's own answer (some clouds send every refusal as 500 and JSON). */
static gboolean
is_gateway_answer(const CfHttpReply *reply)
{
    return reply->status == 502 || reply->status == 503 || reply->status == 504 ||
           (reply->status == 500 && !looks_like_json(reply));
}

/* A change may go again only when it certainly was not done: not sent, or answered with 429 or what
 * the request's judge takes for the same. */
CfAgain
cf_retry_why(const CfRetryInput *input)
{
    gboolean harmless = input->request->cls != CF_HTTP_CHANGE;
    const CfHttpReply *reply = input->outcome->reply;

    switch (input->outcome->kind) {
    case CF_OUTCOME_UNCONNECTED:
        return CF_AGAIN_UNCONNECTED;
    case CF_OUTCOME_BROKEN:
        return harmless ? CF_AGAIN_BROKEN : CF_AGAIN_NEVER;
    case CF_OUTCOME_CUT:
        return harmless ? CF_AGAIN_CUT : CF_AGAIN_NEVER;
    case CF_OUTCOME_REPLY:
        if (cf_retry_is_throttle(input->request, reply, input->now_real_us))
            return CF_AGAIN_THROTTLED;
        if (input->outcome->verdict == CF_HTTP_THROTTLED)
            return CF_AGAIN_THROTTLED;
        return harmless && (input->outcome->verdict == CF_HTTP_BUSY || is_gateway_answer(reply))
                   ? CF_AGAIN_GATEWAY
                   : CF_AGAIN_NEVER;
    case CF_OUTCOME_TIMEOUT:
    case CF_OUTCOME_TLS:
    case CF_OUTCOME_FATAL:
        break;
    }
    return CF_AGAIN_NEVER;
}

static gint64
backoff_us(const CfRetryInput *input, guint former)
{
    gint64 top = input->times->first_backoff_us;

    while (former-- > 0 && top < input->times->max_backoff_us)
        top *= 2;
    /* Full jitter: those that failed together do not come back together. */
    return (gint64) (input->dice * (double) MIN(top, input->times->max_backoff_us));
}

gint64
cf_retry_when(const CfRetryInput *input, CfAgain why, guint former)
{
    gint64 wait_us = backoff_us(input, former), asked_us;
    guint limit = limits[why];

    if (why == CF_AGAIN_UNCONNECTED && input->request->user_waits) {
        limit = input->now_us - input->begun_us < WAITED_PATIENCE_US ? WAITED_LIMIT : 0;
        wait_us = MIN(wait_us, WAITED_PATIENCE_US / 2);
    }
    if (why == CF_AGAIN_THROTTLED) {
        asked_us = cf_retry_after_us(input->outcome->reply, input->now_real_us);
        if (asked_us < 0 && input->outcome->verdict == CF_HTTP_THROTTLED)
            asked_us = input->outcome->retry_after_us;
        wait_us = asked_us > 0 ? asked_us : wait_us + 4 * input->times->first_backoff_us;
    }
    return former < limit ? input->now_us + wait_us : G_MAXINT64;
}
