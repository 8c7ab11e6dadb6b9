/* What UCloudStack's answers mean: the envelope around every answer, and the RetCodes of both
 * generations. Pure. */
#pragma once

#include "http/http.h"
#include "util/error.h"
#include "json/scan.h"

G_BEGIN_DECLS

/* The same number means different things in the two generations of the platform. */
typedef enum {
    CF_UCLOUDSTACK_GEN_1 = 1,
    CF_UCLOUDSTACK_GEN_2 = 2,
} CfUcloudstackDialect;

typedef enum {
    CF_UCLOUDSTACK_OF_RESOURCE = 1 << 0, /* the call names a resource: it may be the one missing */
    CF_UCLOUDSTACK_SECRET = 1 << 1,      /* the text is not quoted in errors */
} CfUcloudstackReadFlags;

/* Tells success from failure: HTTP 2xx and RetCode 0.
 * request_id: (nullable): of the request, for errors. ret_whole: the answer's object, a span of
 * text.
 * Returns: FALSE with the error that the answer means, the cloud's words attached; PROTOCOL for an
 * answer without sense. */
gboolean cf_ucloudstack_read_answer(int http_status, const char *text, gsize len,
                                    const char *request_id, CfUcloudstackDialect dialect,
                                    guint flags, CfJsonSpan *ret_whole, GError **error);

/* What a RetCode other than 0 means; CF_ERROR_REMOTE for one that we do not know. */
CfErrorCode cf_ucloudstack_code_meaning(CfUcloudstackDialect dialect, gint64 code, guint flags);

/* "Does not exist, or is in the wrong state": only a look at the resource tells which. */
gboolean cf_ucloudstack_is_ambiguous(CfUcloudstackDialect dialect, const GError *error);
/* For the refusal of a change: where the code leaves open whether it was done, says so, and does
 * not invite to try again (THROTTLED becomes REMOTE). */
void cf_ucloudstack_doubt(CfUcloudstackDialect dialect, GError *error);
/* "The header Referer is missing": the call was not looked at further. */
gboolean cf_ucloudstack_wants_referer(CfUcloudstackDialect dialect, const GError *error);

/* For CfHttpRequest.judge: what an answer means to the channel. */
CfHttpVerdict cf_ucloudstack_judge(CfUcloudstackDialect dialect, const CfHttpReply *reply);

G_END_DECLS
