/* Between the files of http/ (and its test). All of it belongs to the engine's thread. */
#pragma once

#include <curl/curl.h>
#include <glib.h>

#include "http/breaker.h"
#include "http/http.h"

G_BEGIN_DECLS

/* --- http.c: the engine ---------------------------------------------------------------------- */

typedef struct _CfAttempt CfAttempt;

/* Returns: (transfer full): a handle from the pool, with nothing set. */
CURL *cf_http_take_easy(CfHttp *http);
void cf_http_put_easy(CfHttp *http, CURL *easy);
/* A Date header as wall time in µs; 0 when it makes no sense. Many answers of one second say the
 * same, so that the last one is kept. */
gint64 cf_http_read_date(CfHttp *http, const char *date);
/* Hands the transfer to curl; its CURLOPT_PRIVATE is the CfAttempt that is told of the end. */
gboolean cf_http_begin(CfHttp *http, CURL *easy);
void cf_http_end(CfHttp *http, CURL *easy);
/* A source that calls back when its ready time has come. Attached; one reference. Thread: any. */
GSource *cf_ready_source_new(GMainContext *context, GSourceFunc callback, gpointer data);
void cf_ready_source_free(GSource *source);
/* Channels that are there when the engine ends are told so. */
void cf_http_watch_channel(CfHttp *http, CfChannel *channel);
void cf_http_unwatch_channel(CfHttp *http, CfChannel *channel);

/* --- attempt.c: one transfer ----------------------------------------------------------------- */

typedef enum {
    CF_OUTCOME_REPLY,       /* any HTTP answer */
    CF_OUTCOME_UNCONNECTED, /* nothing was sent, trying again is harmless */
    CF_OUTCOME_BROKEN,      /* the connection broke before an answer */
    CF_OUTCOME_CUT,         /* the answer came in part */
    CF_OUTCOME_TIMEOUT,
    CF_OUTCOME_TLS,
    CF_OUTCOME_FATAL, /* trying again would not help */
} CfOutcomeKind;

typedef struct {
    CfOutcomeKind kind;
    CfHttpReply *reply;    /* (nullable): of CF_OUTCOME_REPLY */
    CfHttpVerdict verdict; /* the request's judge's */
    gint64 retry_after_us; /* with a verdict; -1: not told */
    GError *error;         /* (nullable): of all others */
    guint64 bytes_in;
    guint ms;
} CfOutcome;

typedef void (*CfAttemptDone)(CfOutcome *outcome, gpointer data);

typedef struct {
    CfHttpRequest *request;          /* signed */
    const CfChannelOptions *options; /* with its defaults filled in */
    const char *host;                /* "name:port", for the words of errors */
    const char *request_id;
} CfAttemptInput;

/* input and what it points to: borrowed until the end.
 * done: called once, not before this returns, unless aborted; what is in the outcome is taken from
 * there with g_steal_pointer() or freed after it.
 * Returns: (nullable): NULL with an error when it cannot even begin. */
CfAttempt *cf_attempt_new(CfHttp *http, const CfAttemptInput *input, CfAttemptDone done,
                          gpointer data, GError **error);
/* From the engine: curl is done with it. */
void cf_attempt_finish(CfAttempt *attempt, CURLcode code);
/* Stops it, without a call of done, because the deadline has passed.
 * Returns: (transfer full) (nullable): the words for it. */
GError *cf_attempt_time_out(CfAttempt *attempt);
/* The same without words. */
void cf_attempt_abort(CfAttempt *attempt);

void cf_http_reply_free(CfHttpReply *reply); /* (nullable) */

/* "name:port" of a URL. Returns: (transfer full) (nullable): NULL with CF_ERROR_INVALID. */
char *cf_http_host_of_url(const char *url, GError **error);

/* --- channel.c ------------------------------------------------------------------------------- */

/* Tests shorten them. */
typedef struct {
    gint64 first_backoff_us; /* of retries; doubled, then multiplied by chance */
    gint64 max_backoff_us;
    CfBreakerTimes breaker;
} CfChannelTimes;

/* times: copied. For requests and hosts that come later. */
void cf_channel_set_times(CfChannel *channel, const CfChannelTimes *times);

/* The engine ends: answers all that is under way. */
void cf_channel_shut_down(CfChannel *channel);

G_END_DECLS
