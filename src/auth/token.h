/* Bearer tokens as Keycloak gives them (OAuth 2.0, RFC 6749) and Inspur's IAM: the bodies of the
 * calls, and what the answers say. Pure: makes no call, has no clock. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    char *access_token;
    char *refresh_token;       /* (nullable) */
    gint64 expires_us;         /* on the clock that now_us came from; G_MAXINT64: not told */
    gint64 refresh_expires_us; /* the same; G_MAXINT64: not told, or no end */
    gint64 life_us;            /* of the access token, when it came; 0: not told */
} CfToken;

/* Wipes and frees what it holds. */
void cf_token_clear(CfToken *token);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfToken, cf_token_clear)

/* Bodies; (transfer full), to be wiped with cf_text_wipe(). The first three are forms
 * (application/x-www-form-urlencoded), the last is JSON. client_secret: (nullable). */
char *cf_token_form_password(const char *client_id, const char *client_secret, const char *username,
                             const char *password);
char *cf_token_form_refresh(const char *client_id, const char *client_secret,
                            const char *refresh_token);
char *cf_token_form_client(const char *client_id, const char *client_secret);
char *cf_token_json_login(const char *username, const char *password);

/* Where those go. auth_url: all before "/auth". Returns: (transfer full). */
char *cf_token_url_keycloak(const char *auth_url, const char *realm);
char *cf_token_url_iam(const char *auth_url);

/* Reads the answer to one of those calls. now_us: when it came. An envelope with "data" around it
 * is looked into. Errors: UNAUTHORIZED when the credentials were refused (4xx but 408 and 429, or
 * an "error" member), with the answer's words; REMOTE for 5xx, THROTTLED for 429; PROTOCOL for an
 * answer without sense. */
gboolean cf_token_parse(int http_status, const char *text, gsize len, gint64 now_us,
                        CfToken *ret_token, GError **error);

/* When the token ought to be renewed: 120 s before its end, or a fifth of its life before where it
 * lives shorter than ten minutes. G_MAXINT64: never. */
gint64 cf_token_get_renewal_us(const CfToken *token);

/* The "exp" of a JWT (seconds since 1970), by which we only explain a refusal; the signature is not
 * our business. Returns: FALSE when the token is no JWT or has none. */
gboolean cf_token_get_jwt_expiry(const char *token, gint64 *ret_s);

G_END_DECLS
