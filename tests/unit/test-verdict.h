/* Somebody who waits for the inventory's answer. */
#pragma once

#include <glib.h>

#include "util/error.h"

typedef struct {
    GMutex lock;
    GCond cond;
    gboolean done;
    int code; /* CfErrorCode, or -1 */
} Verdict;

/* A CfDoneCallback. data: a Verdict. */
static inline void
on_done(const GError *error, gpointer data)
{
    Verdict *verdict = data;

    g_mutex_lock(&verdict->lock);
    verdict->done = TRUE;
    verdict->code = error ? (int) cf_error_code(error) : -1;
    g_cond_signal(&verdict->cond);
    g_mutex_unlock(&verdict->lock);
}

/* Returns: the error's code, or -1. It can be waited for again. */
static inline int
await(Verdict *verdict)
{
    gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    int code;

    g_mutex_lock(&verdict->lock);
    while (!verdict->done)
        g_assert_true(g_cond_wait_until(&verdict->cond, &verdict->lock, until));
    code = verdict->code;
    g_mutex_unlock(&verdict->lock);
    *verdict = (Verdict){0};
    return code;
}
