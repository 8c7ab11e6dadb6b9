/* What QingCloud's answers mean: the envelope around every answer, and its error codes. Pure. */
#pragma once

#include "util/error.h"
#include "json/scan.h"

G_BEGIN_DECLS

/* An answer that says success. Spans point into the text that was read. */
typedef struct {
    CfJsonSpan whole; /* the object */
    char *request_id; /* (nullable): the cloud's own, else the request's */
} CfQingcloudAnswer;

void cf_qingcloud_answer_clear(CfQingcloudAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfQingcloudAnswer, cf_qingcloud_answer_clear)

typedef enum {
    CF_QINGCLOUD_OF_RESOURCE = 1 << 0, /* the call names a resource: 2100 means that it is gone */
    CF_QINGCLOUD_SECRET = 1 << 1,      /* the text is not quoted in errors */
    CF_QINGCLOUD_CHANGE = 1 << 2,      /* the call may have done something although it failed */
} CfQingcloudReadFlags;

/* Tells success from failure: HTTP 2xx and ret_code 0.
 * request_id: (nullable): of the request.
 * Returns: FALSE with the error that the answer means, the cloud's words attached; PROTOCOL for an
 * answer without sense. */
gboolean cf_qingcloud_read_answer(int http_status, const char *text, gsize len,
                                  const char *request_id, guint flags,
                                  CfQingcloudAnswer *ret_answer, GError **error);

/* What a ret_code means. message: (nullable): tells the cases of 1101, 1400 and 2500 apart. */
CfErrorCode cf_qingcloud_code_meaning(gint64 code, const char *message, guint flags);

#define CF_QINGCLOUD_EXPIRED 1300 /* time_stamp is too old, or too new */

/* The ret_code of an error; -1 when it has none. */
gint64 cf_qingcloud_error_code(const GError *error);

typedef enum {
    CF_QINGCLOUD_ORDINARY,
    CF_QINGCLOUD_TOO_OFTEN, /* the rate of requests is used up; nothing was done */
    CF_QINGCLOUD_TOO_BUSY,  /* an internal fault that may pass */
} CfQingcloudMood;

/* Whether an answer asks to be asked for again. Quick: looks at no text that is longer than a
 * refusal. */
CfQingcloudMood cf_qingcloud_mood(const char *text, gsize len);

G_END_DECLS
