/* The signature of Inspur's open APIs with an access key (AK) and its secret (SK). Pure: the
 * clock's time and the random text are given. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const char *method; /* "GET" */
    const char *target; /* absolute path with its query, percent-encoded, as it is sent */
    const char *form;   /* (nullable) the body, when it is a form: signed as parameters too */
    const void *body;   /* (nullable) */
    gsize body_len;
    const char *access_key;
    const char *secret_key;
    GChecksumType algorithm;  /* G_CHECKSUM_MD5, _SHA1 or _SHA256 */
    gint64 time_ms;           /* since 1970 */
    const char *random;       /* another one for each request */
    gboolean sign_empty_body; /* with no body: sign the digest of nothing instead of no line */
} CfInspurSignInput;

/* The headers that carry it, in the order of the names below. */
enum {
    CF_INSPUR_SIGN_ID,
    CF_INSPUR_SIGN_ALGORITHM,
    CF_INSPUR_SIGN_TIME,
    CF_INSPUR_SIGN_RANDOM,
    CF_INSPUR_SIGN_SIGN,
    CF_INSPUR_SIGN_N
};
extern const char *const cf_inspur_sign_headers[CF_INSPUR_SIGN_N];

/* ret_values: (transfer full): the headers' values; each is the caller's to g_free(). */
void cf_inspur_sign(const CfInspurSignInput *input, char *ret_values[CF_INSPUR_SIGN_N]);

/* "md5", "sha1", "sha256". Returns: FALSE for another word. */
gboolean cf_inspur_sign_algorithm(const char *text, GChecksumType *ret_algorithm);

G_END_DECLS
