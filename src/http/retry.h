/* Whether and when a request is tried again. Pure: clock and dice are brought. Private to http/ and
 * its test. */
#pragma once

#include <glib.h>

#include "http/private.h"

G_BEGIN_DECLS

/* Each reason has its own limit. */
typedef enum {
    CF_AGAIN_NEVER,
    CF_AGAIN_UNCONNECTED,
    CF_AGAIN_BROKEN,
    CF_AGAIN_CUT,
    CF_AGAIN_GATEWAY,
    CF_AGAIN_THROTTLED,
    CF_AGAIN_N
} CfAgain;

typedef struct {
    const CfHttpRequest *request;
    const CfOutcome *outcome;
    gint64 begun_us; /* the first attempt */
    gint64 now_us, now_real_us;
    double dice; /* from 0 up to 1 */
    const CfChannelTimes *times;
} CfRetryInput;

/* The rule that nothing is sent twice is in here. */
CfAgain cf_retry_why(const CfRetryInput *input);

/* former: retries for this reason so far. Returns: monotonic; G_MAXINT64 for never. */
gint64 cf_retry_when(const CfRetryInput *input, CfAgain why, guint former);

/* Whether the answer says that it was too much: 429, or 503 with Retry-After (not to a change, of
 * which a part may have been done by then). */
gboolean cf_retry_is_throttle(const CfHttpRequest *request, const CfHttpReply *reply,
                              gint64 now_real_us);

/* The wait that an answer asks for (Retry-After: seconds, or a date, which is compared with the
 * answer's own Date). Returns: microseconds; -1 when it asks for none. */
gint64 cf_retry_after_us(const CfHttpReply *reply, gint64 now_real_us);

G_END_DECLS
