#include "auth/token.h"

#include "util/error.h"
#include "util/text.h"
#include "json/fields.h"
#include "json/write.h"

#include <string.h>

#define MARGIN_US (120 * G_USEC_PER_SEC)

void
cf_token_clear(CfToken *token)
{
    cf_text_wipe(token->access_token);
    cf_text_wipe(token->refresh_token);
    memset(token, 0, sizeof *token);
}

/* --- requests --------------------------------------------------------------------------------- */

/* A string that holds secrets must not grow by moving: what it leaves behind is never wiped. */
#define FORM_SIZE 16384

static void
form_add(GString *form, const char *name, const char *value)
{
    char *encoded;

    if (!value)
        return;
    encoded = g_uri_escape_string(value, NULL, FALSE);
    if (form->len > 0)
        g_string_append_c(form, '&');
    g_string_append(form, name);
    g_string_append_c(form, '=');
    g_string_append(form, encoded);
    cf_text_wipe(encoded);
}

static GString *
form_new(const char *grant, const char *client_id, const char *client_secret)
{
    GString *form = g_string_sized_new(FORM_SIZE);

    form_add(form, "grant_type", grant);
    form_add(form, "client_id", client_id);
    form_add(form, "client_secret", client_secret);
    return form;
}

char *
cf_token_form_password(const char *client_id, const char *client_secret, const char *username,
                       const char *password)
{
    GString *form = form_new("password", client_id, client_secret);

    form_add(form, "username", username);
    form_add(form, "password", password);
    return g_string_free(form, FALSE);
}

char *
cf_token_form_refresh(const char *client_id, const char *client_secret, const char *refresh_token)
{
    GString *form = form_new("refresh_token", client_id, client_secret);

    form_add(form, "refresh_token", refresh_token);
    return g_string_free(form, FALSE);
}

char *
cf_token_form_client(const char *client_id, const char *client_secret)
{
    return g_string_free(form_new("client_credentials", client_id, client_secret), FALSE);
}

char *
cf_token_json_login(const char *username, const char *password)
{
    GString *body = g_string_sized_new(FORM_SIZE);
    CfJsonWriter writer;

    cf_json_writer_init(&writer, body);
    cf_json_open(&writer, NULL, '{');
    cf_json_put(&writer, "username", username);
    cf_json_put(&writer, "password", password);
    cf_json_close(&writer, '}');
    return g_string_free(body, FALSE);
}

char *
cf_token_url_keycloak(const char *auth_url, const char *realm)
{
    g_autofree char *encoded = g_uri_escape_string(realm, NULL, FALSE);

    return g_strdup_printf("%s/auth/realms/%s/protocol/openid-connect/token", auth_url, encoded);
}

char *
cf_token_url_iam(const char *auth_url)
{
    return g_strdup_printf("%s/auth/v1/token", auth_url);
}

/* --- answers ---------------------------------------------------------------------------------- */

typedef struct {
    char *access_token, *refresh_token;
    gint64 expires_in, refresh_expires_in;
    char *error, *description; /* OAuth's */
    char *code, *message;      /* an envelope's */
    CfJsonSpan data;
} Answer;

static const CfJsonField answer_fields[] = {
    {"access_token", cf_json_take_text, offsetof(Answer, access_token), CF_JSON_OPTIONAL},
    {"refresh_token", cf_json_take_text, offsetof(Answer, refresh_token), CF_JSON_OPTIONAL},
    {"expires_in", cf_json_take_int, offsetof(Answer, expires_in), CF_JSON_OPTIONAL},
    {"refresh_expires_in", cf_json_take_int, offsetof(Answer, refresh_expires_in),
     CF_JSON_OPTIONAL},
    {"error", cf_json_take_text, offsetof(Answer, error), CF_JSON_OPTIONAL},
    {"error_description", cf_json_take_text, offsetof(Answer, description), CF_JSON_OPTIONAL},
    {"code", cf_json_take_text, offsetof(Answer, code), CF_JSON_ANY_CASE},
    {"message", cf_json_take_text, offsetof(Answer, message), CF_JSON_ANY_CASE},
    {"data", cf_json_take_span, offsetof(Answer, data), CF_JSON_ANY_CASE},
};

static void
answer_clear(Answer *answer)
{
    cf_text_wipe(answer->access_token);
    cf_text_wipe(answer->refresh_token);
    g_free(answer->error);
    g_free(answer->description);
    g_free(answer->code);
    g_free(answer->message);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

/* Words that a stranger sent, as one short line. Returns: (transfer full) (nullable). */
static char *
short_line(const char *text)
{
    g_autofree char *valid = NULL;
    char *line;

    if (!text || !*text)
        return NULL;
    valid = g_utf8_make_valid(text, -1);
    line = cf_text_one_line(valid);
    if (g_utf8_strlen(line, -1) > 300)
        *g_utf8_offset_to_pointer(line, 300) = '\0';
    return line;
}

static CfErrorCode
refusal_code(int http_status)
{
    if (http_status >= 500)
        return CF_ERROR_REMOTE;
    if (http_status == 429)
        return CF_ERROR_THROTTLED;
    if (http_status == 408)
        return CF_ERROR_TIMEOUT;
    if (http_status >= 300 && http_status < 400)
        return CF_ERROR_PROTOCOL;
    return CF_ERROR_UNAUTHORIZED;
}

static void
set_refusal(int http_status, const Answer *answer, GError **error)
{
    g_autofree char *code = short_line(answer->error ? answer->error : answer->code);
    g_autofree char *message =
        short_line(answer->description ? answer->description : answer->message);
    CfCloudWords words = {.http_status = http_status, .code = code, .message = message};

    if (message || code)
        cf_error_set_cloud(error, refusal_code(http_status), &words, "no token: %s%s%s%s",
                           message ? message : code, message && code ? " (" : "",
                           message && code ? code : "", message && code ? ")" : "");
    else if (http_status == 404 || http_status == 405)
        cf_error_set_cloud(error, CF_ERROR_REMOTE, &words,
                           "no token: HTTP status %d; does auth_url lead to the identity service?",
                           http_status);
    else
        cf_error_set_cloud(error, refusal_code(http_status), &words, "no token: HTTP status %d",
                           http_status);
}

static gint64
end_of(gint64 now_us, gint64 seconds)
{
    /* Keycloak says 0 for a refresh token without end. */
    if (seconds <= 0 || seconds > G_MAXINT32)
        return G_MAXINT64;
    return now_us + seconds * G_USEC_PER_SEC;
}

/* An Authorization header is made of it: a stray line feed would begin another header. */
static gboolean
is_token_text(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p <= 0x20 || (guchar) *p >= 0x7f)
            return FALSE;
    return *text != '\0';
}

static void
read_answer(const char *text, gsize len, Answer *answer)
{
    CfJsonSpan whole;

    if (!cf_json_check(text, len, &whole, NULL) ||
        !cf_json_read(whole, answer_fields, G_N_ELEMENTS(answer_fields), answer, NULL))
        return;
    if (!answer->access_token && cf_json_kind(answer->data) == CF_JSON_OBJECT)
        cf_json_read(answer->data, answer_fields, G_N_ELEMENTS(answer_fields), answer, NULL);
}

gboolean
cf_token_parse(int http_status, const char *text, gsize len, gint64 now_us, CfToken *ret_token,
               GError **error)
{
    g_auto(Answer) answer = {0};

    read_answer(text, len, &answer);
    if (http_status < 200 || http_status >= 300 || answer.error) {
        set_refusal(http_status, &answer, error);
        return FALSE;
    }
    if (!answer.access_token && answer.code && strcmp(answer.code, "200") != 0) {
        set_refusal(http_status, &answer, error);
        return FALSE;
    }
    if (!answer.access_token || !is_token_text(answer.access_token)) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                    "access_token: missing from the answer to the token call");
        return FALSE;
    }

    *ret_token = (CfToken){
        .access_token = g_steal_pointer(&answer.access_token),
        .refresh_token = g_steal_pointer(&answer.refresh_token),
        .expires_us = end_of(now_us, answer.expires_in),
        .refresh_expires_us = end_of(now_us, answer.refresh_expires_in),
    };
    if (ret_token->expires_us != G_MAXINT64)
        ret_token->life_us = ret_token->expires_us - now_us;
    return TRUE;
}

gint64
cf_token_get_renewal_us(const CfToken *token)
{
    if (token->expires_us == G_MAXINT64)
        return G_MAXINT64;
    return token->expires_us - MIN(MARGIN_US, token->life_us / 5);
}

gboolean
cf_token_get_jwt_expiry(const char *token, gint64 *ret_s)
{
    static const char *const padding[4] = {"", "===", "==", "="};
    g_auto(GStrv) parts = g_strsplit(token, ".", 4);
    g_autofree guchar *claims = NULL;
    g_autofree char *padded = NULL;
    CfJsonSpan whole, exp;
    gsize len;

    if (g_strv_length(parts) != 3)
        return FALSE;
    g_strdelimit(parts[1], "-", '+');
    g_strdelimit(parts[1], "_", '/');
    padded = g_strconcat(parts[1], padding[strlen(parts[1]) % 4], NULL);
    claims = g_base64_decode(padded, &len);
    return cf_json_check((const char *) claims, len, &whole, NULL) &&
           cf_json_get(whole, "exp", FALSE, &exp) && cf_json_int(exp, ret_s);
}
