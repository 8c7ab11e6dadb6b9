/* Between the files of a channel. All of it belongs to the engine's thread, but for what has a
 * lock. */
#pragma once

#include "http/bucket.h"
#include "http/private.h"
#include "http/retry.h"

G_BEGIN_DECLS

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
} CfCall;

struct _CfChannel {
    CfHttp *http; /* (nullable): NULL once it is shut */
    CfChannelOptions options;
    CfChannelObserver observer;
    CfChannelTimes times;
    CfBucket bucket;
    GHashTable *breakers; /* host → CfBreaker */
    char *origin, *host;  /* (nullable): of the last URL, "scheme://authority", and its host */
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

/* --- channel.c ------------------------------------------------------------------------------- */

/* Into the queue; NULL: into none. */
void cf_call_move(CfCall *call, GQueue *to);
void cf_call_forget_result(CfCall *call);
/* error: (transfer full). */
void cf_call_fail(CfCall *call, GError *error);
/* For the words of errors. */
const char *cf_call_where(const CfCall *call);
/* A breaker opened or a hold began: those that wait learn it now, not at their deadline. */
void cf_channel_drop_hopeless(CfChannel *channel);

/* --- channel-attempt.c ----------------------------------------------------------------------- */

void cf_call_attempt(CfCall *call);
/* The attempt is over, by its end or by the deadline. */
void cf_call_settle(CfCall *call, CfOutcome *outcome);

G_END_DECLS
