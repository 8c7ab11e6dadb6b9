#include "http/bucket.h"

#include <math.h>

void
cf_bucket_init(CfBucket *bucket, double rate, guint burst, guint connections)
{
    *bucket = (CfBucket){
        .rate = rate > 0 ? rate : 0,
        .burst = MAX(burst, 1),
        .reserve = burst >= 4   ? 2
                   : burst >= 2 ? 1
                                : 0,
        .tokens = MAX(burst, 1),
        .connections = MAX(connections, 1),
    };
}

static void
refill(CfBucket *bucket, gint64 now_us)
{
    gint64 passed_us = bucket->at_us ? MAX(now_us - bucket->at_us, 0) : 0;

    bucket->tokens = MIN(bucket->burst, bucket->tokens + (double) passed_us * bucket->rate / 1e6);
    bucket->at_us = now_us;
}

/* The fraction of a microsecond that rounding costs must not make a waiter wait twice. */
#define ALMOST 1e-6

gboolean
cf_bucket_take(CfBucket *bucket, CfLane lane, gint64 now_us, gint64 *ret_when_us)
{
    guint cap = bucket->connections + (lane == CF_LANE_CHANGE ? 1 : 0);
    double needed = 1 + (lane == CF_LANE_CHANGE ? 0 : bucket->reserve);

    if (lane == CF_LANE_AUTH)
        return TRUE;
    if (bucket->running >= cap) {
        *ret_when_us = G_MAXINT64;
        return FALSE;
    }
    if (bucket->rate > 0) {
        refill(bucket, now_us);
        if (bucket->tokens + ALMOST < needed) {
            double wait_us = ceil((needed - bucket->tokens) / bucket->rate * 1e6);

            *ret_when_us = now_us + (gint64) MIN(wait_us, 1e15);
            return FALSE;
        }
        bucket->tokens -= 1;
    }
    bucket->running++;
    return TRUE;
}

void
cf_bucket_done(CfBucket *bucket, CfLane lane)
{
    if (lane == CF_LANE_AUTH)
        return;
    g_return_if_fail(bucket->running > 0);
    bucket->running--;
}

void
cf_bucket_drain(CfBucket *bucket, gint64 now_us)
{
    bucket->tokens = 0;
    bucket->at_us = now_us;
}
