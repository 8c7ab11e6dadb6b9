/* The circuit breaker of one host. No clock, lock or dice of its own: the caller brings them.
 * Private to http/ and its test. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint failures;       /* in a row, until it opens */
    gint64 first_rest_us; /* doubled with each probe that fails */
    gint64 max_rest_us;
} CfBreakerTimes;

typedef struct {
    enum { CF_BREAKER_CLOSED, CF_BREAKER_OPEN, CF_BREAKER_PROBING } kind;
    CfBreakerTimes times;
    guint failures;
    gint64 rest_us;
    gint64 until_us; /* open: from then on one request may probe */
    GError *last;    /* (nullable): why */
} CfBreaker;

/* times: copied. */
CfBreaker *cf_breaker_new(const CfBreakerTimes *times);
void cf_breaker_free(CfBreaker *breaker); /* (nullable) */

/* Whether a request that came now would go out. */
gboolean cf_breaker_allows(const CfBreaker *breaker, gint64 now_us);

/* Lets a request out, which then owes one of the three verdicts below.
 * Returns: TRUE when it is the probe. */
gboolean cf_breaker_enter(CfBreaker *breaker);

void cf_breaker_success(CfBreaker *breaker);
/* error: copied. dice: from 0 up to 1. Returns: TRUE when it opened now, or stays open. */
gboolean cf_breaker_failure(CfBreaker *breaker, gboolean probe, const GError *error, gint64 now_us,
                            double dice);
/* Nothing was learnt. */
void cf_breaker_abandon(CfBreaker *breaker, gboolean probe);

G_END_DECLS
