/* The token bucket and the circuit breaker, with a clock that the test moves. */
#include "http/bucket.h"

#include "http/breaker.h"
#include "util/error.h"

#define SECOND G_GINT64_CONSTANT(1000000)
#define BEGIN (5000 * SECOND)

static gboolean
take(CfBucket *bucket, CfLane lane, gint64 now_us)
{
    gint64 when_us;
    gboolean taken = cf_bucket_take(bucket, lane, now_us, &when_us);

    if (taken)
        cf_bucket_done(bucket, lane);
    return taken;
}

/* Returns: how many are let through at once. */
static int
take_all(CfBucket *bucket, CfLane lane, gint64 now_us)
{
    int count = 0;

    while (count < 1000 && take(bucket, lane, now_us))
        count++;
    return count;
}

static void
test_rate(void)
{
    CfBucket bucket;
    gint64 when_us = 0;

    cf_bucket_init(&bucket, 10, 20, 8);
    g_assert_cmpint(take_all(&bucket, CF_LANE_BACKGROUND, BEGIN), ==, 18);
    g_assert_false(cf_bucket_take(&bucket, CF_LANE_WAITED, BEGIN, &when_us));
    g_assert_cmpint(when_us, ==, BEGIN + SECOND / 10);
    g_assert_false(take(&bucket, CF_LANE_WAITED, BEGIN + SECOND / 10 - 1000));
    g_assert_true(take(&bucket, CF_LANE_WAITED, when_us));
    g_assert_false(take(&bucket, CF_LANE_WAITED, when_us));
    g_assert_cmpint(take_all(&bucket, CF_LANE_WAITED, when_us + SECOND), ==, 10);
    /* Full is full, however long nobody asks. */
    g_assert_cmpint(take_all(&bucket, CF_LANE_WAITED, when_us + 3600 * SECOND), ==, 18);
}

static void
test_reserve(void)
{
    static const struct {
        guint burst;
        int reads, changes; /* at once, the one after the other */
    } cases[] = {{20, 18, 2}, {4, 2, 2}, {3, 2, 1}, {2, 1, 1}, {1, 1, 0}, {0, 1, 0}};
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        CfBucket bucket;

        cf_bucket_init(&bucket, 1, cases[i].burst, 1);
        g_assert_cmpint(take_all(&bucket, CF_LANE_BACKGROUND, BEGIN), ==, cases[i].reads);
        g_assert_cmpint(take_all(&bucket, CF_LANE_CHANGE, BEGIN), ==, cases[i].changes);
        g_assert_cmpint(take_all(&bucket, CF_LANE_AUTH, BEGIN), ==, 1000);
        /* The next token is a change's; reads wait for the reserve to fill. */
        g_assert_true(take(&bucket, CF_LANE_CHANGE, BEGIN + SECOND));
        g_assert_false(take(&bucket, CF_LANE_WAITED, BEGIN + SECOND));
    }
}

static void
test_no_limit(void)
{
    CfBucket bucket;

    cf_bucket_init(&bucket, 0, 5, 3);
    g_assert_cmpint(take_all(&bucket, CF_LANE_BACKGROUND, BEGIN), ==, 1000);
    cf_bucket_init(&bucket, -1, 5, 3);
    g_assert_cmpint(take_all(&bucket, CF_LANE_BACKGROUND, BEGIN), ==, 1000);
}

static void
test_connections(void)
{
    gint64 when_us = 0;
    CfBucket bucket;

    cf_bucket_init(&bucket, 0, 1, 2);
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_BACKGROUND, BEGIN, &when_us));
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_WAITED, BEGIN, &when_us));
    g_assert_false(cf_bucket_take(&bucket, CF_LANE_WAITED, BEGIN, &when_us));
    g_assert_true(when_us == G_MAXINT64);
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_CHANGE, BEGIN, &when_us));
    g_assert_false(cf_bucket_take(&bucket, CF_LANE_CHANGE, BEGIN, &when_us));
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_AUTH, BEGIN, &when_us));
    cf_bucket_done(&bucket, CF_LANE_AUTH);
    cf_bucket_done(&bucket, CF_LANE_WAITED);
    /* What became free is a change's. */
    g_assert_false(cf_bucket_take(&bucket, CF_LANE_WAITED, BEGIN, &when_us));
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_CHANGE, BEGIN, &when_us));
    cf_bucket_done(&bucket, CF_LANE_CHANGE);
    cf_bucket_done(&bucket, CF_LANE_CHANGE);
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_WAITED, BEGIN, &when_us));
}

/* A token is not spent on one that has no connection. */
static void
test_token_kept(void)
{
    gint64 when_us;
    CfBucket bucket;

    cf_bucket_init(&bucket, 1, 2, 1);
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_CHANGE, BEGIN, &when_us));
    g_assert_false(cf_bucket_take(&bucket, CF_LANE_WAITED, BEGIN, &when_us));
    g_assert_true(cf_bucket_take(&bucket, CF_LANE_CHANGE, BEGIN, &when_us));
}

static void
test_drain(void)
{
    CfBucket bucket;

    cf_bucket_init(&bucket, 10, 20, 8);
    cf_bucket_drain(&bucket, BEGIN);
    g_assert_false(take(&bucket, CF_LANE_CHANGE, BEGIN));
    g_assert_true(take(&bucket, CF_LANE_CHANGE, BEGIN + SECOND / 10));
    g_assert_cmpint(take_all(&bucket, CF_LANE_WAITED, BEGIN + SECOND), ==, 7);
}

/* A waiter that comes back when it was told to is served: rounding does not send it away. */
static void
test_when_is_right(void)
{
    static const double rates[] = {0.3, 3, 7, 9.7, 333, 12345};
    gsize i;
    int n;

    for (i = 0; i < G_N_ELEMENTS(rates); i++) {
        gint64 now_us = BEGIN;
        CfBucket bucket;

        cf_bucket_init(&bucket, rates[i], 2, 8);
        for (n = 0; n < 200; n++) {
            gint64 when_us = now_us;

            if (!cf_bucket_take(&bucket, CF_LANE_WAITED, now_us, &when_us)) {
                g_assert_cmpint(when_us, >, now_us);
                now_us = when_us;
                g_assert_true(cf_bucket_take(&bucket, CF_LANE_WAITED, now_us, &when_us));
            }
            cf_bucket_done(&bucket, CF_LANE_WAITED);
        }
    }
}

static const CfBreakerTimes times = {
    .failures = 5, .first_rest_us = SECOND, .max_rest_us = 10 * SECOND};

static void
test_breaker_opens(void)
{
    g_autoptr(GError) error = g_error_new(CF_ERROR, CF_ERROR_NO_CONNECT, "down");
    CfBreaker *breaker = cf_breaker_new(&times);
    int i;

    for (i = 0; i < 4; i++)
        g_assert_false(cf_breaker_failure(breaker, FALSE, error, BEGIN, 0));
    cf_breaker_success(breaker); /* only failures in a row count */
    for (i = 0; i < 4; i++)
        g_assert_false(cf_breaker_failure(breaker, FALSE, error, BEGIN, 0));
    g_assert_true(cf_breaker_allows(breaker, BEGIN));
    g_assert_true(cf_breaker_failure(breaker, FALSE, error, BEGIN, 0.5));
    g_assert_false(cf_breaker_allows(breaker, BEGIN));
    g_assert_error(breaker->last, CF_ERROR, CF_ERROR_NO_CONNECT);
    g_assert_cmpstr(breaker->last->message, ==, "down");
    /* Half of a second, and half of the other half. */
    g_assert_false(cf_breaker_allows(breaker, BEGIN + 749999));
    g_assert_true(cf_breaker_allows(breaker, BEGIN + 750000));
    cf_breaker_free(breaker);
    cf_breaker_free(NULL);
}

static void
test_breaker_probes(void)
{
    static const gint64 rests[] = {2 * SECOND, 4 * SECOND, 8 * SECOND, 10 * SECOND, 10 * SECOND};
    g_autoptr(GError) error = g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "slow");
    CfBreaker *breaker = cf_breaker_new(&times);
    gint64 now_us = BEGIN;
    gsize i;

    g_assert_false(cf_breaker_enter(breaker));
    for (i = 0; i < 5; i++)
        cf_breaker_failure(breaker, FALSE, error, now_us, 0);
    now_us += SECOND / 2;
    for (i = 0; i < G_N_ELEMENTS(rests); i++) {
        g_assert_true(cf_breaker_allows(breaker, now_us));
        g_assert_true(cf_breaker_enter(breaker));
        g_assert_false(cf_breaker_allows(breaker, now_us)); /* one probe at a time */
        /* One that was under way before is no verdict on the probe. */
        g_assert_true(cf_breaker_failure(breaker, FALSE, error, now_us, 0));
        g_assert_true(cf_breaker_failure(breaker, TRUE, error, now_us, 0));
        g_assert_false(cf_breaker_allows(breaker, now_us + rests[i] / 2 - 1));
        now_us += rests[i] / 2;
    }
    g_assert_true(cf_breaker_enter(breaker));
    cf_breaker_abandon(breaker, TRUE);
    g_assert_true(cf_breaker_allows(breaker, now_us));
    g_assert_true(cf_breaker_enter(breaker));
    cf_breaker_success(breaker);
    g_assert_true(cf_breaker_allows(breaker, now_us));
    g_assert_null(breaker->last);
    /* From the beginning again. */
    for (i = 0; i < 4; i++)
        g_assert_false(cf_breaker_failure(breaker, FALSE, error, now_us, 0));
    g_assert_true(cf_breaker_failure(breaker, FALSE, error, now_us, 0));
    g_assert_true(cf_breaker_allows(breaker, now_us + SECOND / 2));
    cf_breaker_free(breaker);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bucket/rate", test_rate);
    g_test_add_func("/bucket/reserve", test_reserve);
    g_test_add_func("/bucket/no-limit", test_no_limit);
    g_test_add_func("/bucket/connections", test_connections);
    g_test_add_func("/bucket/token-is-kept", test_token_kept);
    g_test_add_func("/bucket/drain", test_drain);
    g_test_add_func("/bucket/when-is-right", test_when_is_right);
    g_test_add_func("/breaker/opens", test_breaker_opens);
    g_test_add_func("/breaker/probes", test_breaker_probes);
    return g_test_run();
}
