/* The token bucket and the cap on connections of one channel. No clock and no lock of its own: the
 * caller says what time it is. Private to http/ and its test. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* In the order in which they are served. */
typedef enum {
    CF_LANE_CHANGE,     /* has tokens and a connection that reads may not take */
    CF_LANE_AUTH,       /* goes beside the bucket */
    CF_LANE_WAITED,     /* a read that somebody waits for */
    CF_LANE_BACKGROUND, /* a read that nobody waits for */
    CF_LANE_N
} CfLane;

typedef struct {
    double rate; /* tokens a second; 0: no limit */
    double burst;
    double reserve; /* what reads leave for changes */
    double tokens;
    gint64 at_us; /* when tokens was right; 0 before the first use */
    guint connections;
    guint running; /* reads and changes that were taken and not done */
} CfBucket;

void cf_bucket_init(CfBucket *bucket, double rate, guint burst, guint connections);

/* Takes a token and a connection.
 * now_us: of a clock that only goes forward.
 * ret_when_us: when to ask again, on FALSE only; G_MAXINT64 when a connection must end first.
 * Returns: FALSE when it has to wait. */
gboolean cf_bucket_take(CfBucket *bucket, CfLane lane, gint64 now_us, gint64 *ret_when_us);

/* Gives the connection back; the token is spent. */
void cf_bucket_done(CfBucket *bucket, CfLane lane);

/* Empties the bucket: the cloud said that it was too much. */
void cf_bucket_drain(CfBucket *bucket, gint64 now_us);

G_END_DECLS
