/* The signature of QingCloud's API: an HMAC over method, path and sorted parameters. Pure: the time
 * stamp is among the parameters. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Both decoded, UTF-8. */
typedef struct {
    const char *name;
    const char *value;
} CfQingcloudParameter;

typedef struct {
    const char *method; /* "GET" or "POST" */
    const char *path;   /* exactly as it is sent, with or without a slash at its end */
    const CfQingcloudParameter *parameters; /* all but signature, in any order */
    gsize n_parameters;
    const char *secret_key;
    GChecksumType digest; /* G_CHECKSUM_SHA256 or _SHA1 */
} CfQingcloudSignInput;

/* Returns: (transfer full): the query of a GET, the form of a POST: all parameters sorted and
 * percent-encoded, and the signature behind them. */
char *cf_qingcloud_sign(const CfQingcloudSignInput *input);

/* "HmacSHA256", "HmacSHA1". Returns: FALSE for another word. */
gboolean cf_qingcloud_sign_method(const char *text, GChecksumType *ret_digest);

G_END_DECLS
