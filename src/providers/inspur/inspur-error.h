/* What Inspur's answers mean: the envelope around every answer, and its error codes. Pure. */
#pragma once

#include "util/error.h"
#include "json/scan.h"

G_BEGIN_DECLS

/* An answer that says success. Spans point into the text that was read. */
typedef struct {
    CfJsonSpan data;   /* null when data is missing, null or "" */
    gboolean has_data; /* the answer has a member data at all */
    char *message;     /* (nullable) */
    char *request_id;  /* (nullable) the cloud's own */
} CfInspurAnswer;

void cf_inspur_answer_clear(CfInspurAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfInspurAnswer, cf_inspur_answer_clear)

typedef enum {
    CF_INSPUR_OF_RESOURCE = 1 << 0, /* the path names a resource: HTTP 404 means that it is gone */
    CF_INSPUR_SECRET = 1 << 1,      /* the text is not quoted in errors */
} CfInspurReadFlags;

/* Tells success from failure: HTTP 2xx, and code 200, 201, 202, 204 or none.
 * request_id: (nullable): of the request, for errors.
 * Returns: FALSE with the error that the answer means, the cloud's words attached; PROTOCOL for an
 * answer without sense. HTTP 401 is CF_ERROR_UNAUTHORIZED. */
gboolean cf_inspur_read_answer(int http_status, const char *text, gsize len, const char *request_id,
                               guint flags, CfInspurAnswer *ret_answer, GError **error);

/* An error code as the cloud wrote it (a number loses zeros at both ends), in full: "101.001012".
 * Three digits from 100 to 599 stay: they are HTTP's. Returns: (transfer full). */
char *cf_inspur_code_normalise(const char *text, gboolean is_number);

/* What a code in full and the HTTP status mean. code: (nullable). */
CfErrorCode cf_inspur_code_meaning(const char *code, int http_status, guint flags);

/* "The list is empty": an error only by its form. */
gboolean cf_inspur_is_empty_list(const GError *error);

G_END_DECLS
