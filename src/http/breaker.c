#include "http/breaker.h"

CfBreaker *
cf_breaker_new(const CfBreakerTimes *times)
{
    CfBreaker *breaker = g_new0(CfBreaker, 1);

    breaker->times = *times;
    return breaker;
}

void
cf_breaker_free(CfBreaker *breaker)
{
    if (!breaker)
        return;
    g_clear_error(&breaker->last);
    g_free(breaker);
}

gboolean
cf_breaker_allows(const CfBreaker *breaker, gint64 now_us)
{
    return breaker->kind == CF_BREAKER_CLOSED ||
           (breaker->kind == CF_BREAKER_OPEN && now_us >= breaker->until_us);
}

gboolean
cf_breaker_enter(CfBreaker *breaker)
{
    if (breaker->kind != CF_BREAKER_OPEN)
        return FALSE;
    breaker->kind = CF_BREAKER_PROBING;
    return TRUE;
}

void
cf_breaker_success(CfBreaker *breaker)
{
    breaker->kind = CF_BREAKER_CLOSED;
    breaker->failures = 0;
    breaker->rest_us = 0;
    g_clear_error(&breaker->last);
}

/* Half of the rest is certain, half is luck, so that many mounts do not probe in step. */
static void
open_again(CfBreaker *breaker, gint64 now_us, double dice)
{
    breaker->kind = CF_BREAKER_OPEN;
    breaker->rest_us = breaker->rest_us ? MIN(breaker->rest_us * 2, breaker->times.max_rest_us)
                                        : breaker->times.first_rest_us;
    breaker->until_us = now_us + breaker->rest_us / 2 + (gint64) (dice * breaker->rest_us / 2);
}

gboolean
cf_breaker_failure(CfBreaker *breaker, gboolean probe, const GError *error, gint64 now_us,
                   double dice)
{
    g_clear_error(&breaker->last);
    breaker->last = g_error_copy(error);
    if (probe ||
        (breaker->kind == CF_BREAKER_CLOSED && ++breaker->failures >= breaker->times.failures)) {
        open_again(breaker, now_us, dice);
        return TRUE;
    }
    /* A request that was under way when it opened says nothing new. */
    return breaker->kind != CF_BREAKER_CLOSED;
}

void
cf_breaker_abandon(CfBreaker *breaker, gboolean probe)
{
    if (probe && breaker->kind == CF_BREAKER_PROBING)
        breaker->kind = CF_BREAKER_OPEN;
}
