/* HTTP towards the clouds. CfHttp is the engine: one thread, one GMainContext, one curl_multi for
 * all accounts. A CfChannel is one account's way through it: token bucket, connections, retries of
 * reads, circuit breaker, counters. internals.md section 3.
 *
 * Everything here but cf_http_new/free/invoke/get_context is called in the engine's thread, and
 * every callback is made there. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CfHttp CfHttp;
typedef struct _CfChannel CfChannel;

/* Starts the engine's thread. Thread: main. Returns: (transfer full) (nullable). */
CfHttp *cf_http_new(GError **error);
/* Ends the thread; what is under way is answered with CF_ERROR_TIMEOUT ("shutting down") first.
 * Thread: main, after all channels are freed. http: (nullable). */
void cf_http_free(CfHttp *http);
/* The engine's context: timers and posted calls of other layers run in it. Thread: any. */
GMainContext *cf_http_get_context(CfHttp *http);
/* Runs function(data) soon in the engine's thread, in the order of the calls. Thread: any. */
void cf_http_invoke(CfHttp *http, GSourceFunc function, gpointer data);
/* Runs function(data) in the engine's thread and waits for its end. Thread: any other. */
void cf_http_invoke_wait(CfHttp *http, GSourceFunc function, gpointer data);

typedef enum {
    CF_HTTP_READ,   /* may be repeated within the deadline */
    CF_HTTP_CHANGE, /* is sent at most once, unless it certainly did not reach the cloud */
    CF_HTTP_AUTH,   /* a token call: not counted against the bucket, repeated like a read */
    CF_HTTP_CLASS_N
} CfHttpClass;

typedef struct _CfHttpRequest CfHttpRequest;
typedef struct _CfHttpReply CfHttpReply;

/* What an answer means to the channel, for clouds that say in the body what others say by status.
 */
typedef enum {
    CF_HTTP_FINAL,     /* nothing: it goes to the caller */
    CF_HTTP_BUSY,      /* like 503: a read is tried again a few times, a change is not */
    CF_HTTP_THROTTLED, /* like 429: certainly nothing was done; the account is held up, and the
                        * request, also a change, goes again within its deadline */
} CfHttpVerdict;

struct _CfHttpRequest {
    CfHttpClass cls;
    char *method;          /* "GET" */
    char *url;             /* absolute, percent-encoded */
    char *label;           /* for journal and log: "GET /v1/servers/1/100"; no query, no secret */
    GBytes *body;          /* (nullable) */
    char *content_type;    /* (nullable) */
    char *parameters;      /* (nullable): for a dry run: what the query or the form has that says
                            * what is to be done, where key and signature stand beside it */
    gint64 deadline_us;    /* monotonic; the callback is made by then, come what may */
    gboolean user_waits;   /* goes ahead of background reads in the bucket */
    gboolean secret_reply; /* the answer holds a secret: never logged nor quoted in errors */

    /* (nullable): called before each attempt, to add what is signed afresh (a token, x-time,
     * x-sign) with cf_http_request_add_header(); headers of the former attempt are gone by then.
     * Where the signature stands in the query or in a form, it may replace url (the host stays) and
     * body.
     * Returns: FALSE with an error that ends the request. */
    gboolean (*sign)(CfHttpRequest *request, gpointer sign_data, GError **error);
    gpointer sign_data;

    /* (nullable): asked about each answer whose status alone does not send the request again; pure
     * and quick, pages of listings pass here. An answer that it had repeated until the end is
     * delivered as it is, so that the cloud's words are not lost.
     * ret_retry_after_us: -1 at first: as long as the channel likes; the wait that a throttled
     * answer asks for (its header Retry-After is read without that). */
    CfHttpVerdict (*judge)(const CfHttpRequest *request, const CfHttpReply *reply,
                           gint64 *ret_retry_after_us);

    /* private to http/ */
    GPtrArray *headers;        /* (element-type utf8) "Name: value", set once */
    GPtrArray *signed_headers; /* of this attempt */
};

struct _CfHttpReply {
    int status;
    GBytes *body;        /* (not nullable); at most 64 MiB; a NUL follows the data */
    GHashTable *headers; /* name in lower case → value */
    gint64 sent_us;      /* monotonic: when this attempt began */
    gint64 date_us;      /* wall time of the Date header; 0 when there is none */
    guint ms;            /* from the first attempt to the answer */
    guint attempts;
    char *request_id; /* ours (X-Request-Id sent), or the cloud's where it answers with one */
};

/* Any HTTP answer is a reply, also 401, 404 and 500; error is set when none came: UNREACHABLE,
 * NO_CONNECT, TIMEOUT, PROTOCOL (TLS, cut-off or oversized answer), THROTTLED (429 or 503 with
 * Retry-After until the deadline), REMOTE (the breaker is open since the host answered 502, 503 or
 * 504 only), INVALID (the URL), or what sign() said. The message of a change that may have been
 * done nevertheless ends in "; the outcome is unknown". Both are borrowed for the call. Exactly one
 * of them is NULL. */
typedef void (*CfHttpCallback)(const CfHttpReply *reply, const GError *error, gpointer data);

/* The deadline is 30 s from now until it is set. */
CfHttpRequest *cf_http_request_new(CfHttpClass cls, const char *method, const char *url);
void cf_http_request_free(CfHttpRequest *request); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfHttpRequest, cf_http_request_free)
/* In sign(): lasts for this attempt; elsewhere: for all. value must hold no newline. */
void cf_http_request_add_header(CfHttpRequest *request, const char *name, const char *value);

typedef struct {
    double rate;               /* requests a second; 0: no limit */
    guint burst;               /* size of the bucket */
    guint connections;         /* side by side; one more is kept free for changes */
    char *cacert;              /* (nullable) path */
    gboolean insecure;         /* TLS certificates are not checked */
    char *proxy;               /* (nullable): NULL or "": as the environment says */
    gint64 connect_timeout_us; /* default 10 s when 0 */
    gsize max_body;            /* default 64 MiB when 0 */
    gboolean dry_run;          /* requests of the class CHANGE are answered with CF_ERROR_DRY_RUN:
                                * two lines, the call and its parameters or body */
} CfChannelOptions;

typedef enum {
    CF_CHANNEL_OK,
    CF_CHANNEL_THROTTLED,   /* the cloud asked to wait (429, Retry-After) */
    CF_CHANNEL_UNREACHABLE, /* the breaker of a host is open: requests to it fail at once, one in a
                             * while probes */
    CF_CHANNEL_STATE_N
} CfChannelState;

/* Told in the engine's thread. */
typedef struct {
    /* One call ended. error: (nullable), reply: (nullable). For journal, stats, health. */
    void (*call)(const CfHttpRequest *request, const CfHttpReply *reply, const GError *error,
                 gpointer data);
    /* The state changed; why: words for people, "" when OK. */
    void (*state)(CfChannelState state, const char *why, gpointer data);
    gpointer data;
} CfChannelObserver;

/* options, observer: copied. Returns: (transfer full). */
CfChannel *cf_channel_new(CfHttp *http, const CfChannelOptions *options,
                          const CfChannelObserver *observer);
/* Requests under way are answered with CF_ERROR_TIMEOUT first. */
void cf_channel_free(CfChannel *channel); /* (nullable) */

/* request: (transfer full). The callback is made exactly once, never before this returns. */
void cf_channel_send(CfChannel *channel, CfHttpRequest *request, CfHttpCallback callback,
                     gpointer data);

typedef struct {
    guint64 calls[CF_HTTP_CLASS_N]; /* attempts that were begun */
    guint64 failures;               /* attempts without an answer, and 5xx */
    guint64 retries;
    guint64 throttled;
    guint64 bytes_in;
    guint64 ms_sum; /* time of all attempts */
    guint in_flight, queued;
} CfChannelStats;

/* Thread: any. */
void cf_channel_get_stats(CfChannel *channel, CfChannelStats *ret_stats);

CfChannelState cf_channel_get_state(CfChannel *channel);

G_END_DECLS
