/* Who we are. The token is fetched by one flight, whoever needs it: the calls that come meanwhile
 * stand in a queue. A flight tries the refresh token first, then the credentials.
 *
 *     no token, or nearly spent ──▶ refresh grant ──refused──▶ password, client or login call
 *                                        │                               │
 *                                     new token ◀────────────────────────┘──refused──▶ error
 */
#include "providers/inspur/private.h"

#include "auth/inspur-sign.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"

#include <string.h>
#include <sys/random.h>

#define HOLD_US (2 * G_USEC_PER_SEC) /* identity services lock an account after quick failures */
#define REFUSED_HOLD_US (30 * G_USEC_PER_SEC) /* while the token at hand is still good */
#define CLOCK_TOLERANCE_US (60 * G_USEC_PER_SEC)

static gboolean
is_renewable(const CfInspur *inspur)
{
    return inspur->auth == CF_INSPUR_AUTH_KEYCLOAK || inspur->auth == CF_INSPUR_AUTH_IAM;
}

/* --- one flight ------------------------------------------------------------------------------- */

typedef struct {
    CfInspur *inspur; /* a reference */
    gboolean refresh; /* the refresh grant; else the credentials themselves */
} Flight;

static void start_flight(CfInspur *inspur, gboolean refresh);

static void
free_flight(Flight *flight)
{
    cf_inspur_unref(flight->inspur);
    g_free(flight);
}

/* error: (nullable). */
static void
end_flight(CfInspur *inspur, const GError *error)
{
    GQueue waiting = inspur->waiting;

    inspur->fetching = FALSE;
    g_queue_init(&inspur->waiting);
    for (CfInspurCall *call = g_queue_pop_head(&waiting); call; call = g_queue_pop_head(&waiting)) {
        if (error)
            cf_inspur_call_end(call, NULL, error);
        else
            cf_inspur_call_go(call);
    }
}

static void
take_token(CfInspur *inspur, CfToken *token)
{
    cf_token_clear(&inspur->token);
    inspur->token = *token;
    memset(token, 0, sizeof *token);
    inspur->generation++;
    inspur->token_proved = FALSE;
    inspur->renew_not_before = 0;
    g_clear_error(&inspur->refusal);
    cf_log_add_secret(inspur->token.access_token);
    if (inspur->token.refresh_token)
        cf_log_add_secret(inspur->token.refresh_token);
    end_flight(inspur, NULL);
}

static void
fail_flight(CfInspur *inspur, const GError *error)
{
    gint64 now = cf_clock_mono_us();

    if (inspur->token.access_token && now < inspur->token.expires_us) {
        cf_debug("%s: token not renewed, the old one is used on: %s", inspur->profile,
                 error->message);
        inspur->renew_not_before =
            now + (error->code == CF_ERROR_UNAUTHORIZED ? REFUSED_HOLD_US : HOLD_US);
        end_flight(inspur, NULL);
        return;
    }
    if (error->code == CF_ERROR_UNAUTHORIZED) {
        g_clear_error(&inspur->refusal);
        inspur->refusal = g_error_copy(error);
        inspur->refusal_until_us = now + HOLD_US;
    }
    end_flight(inspur, error);
}

static void
on_token(const CfHttpReply *reply, const GError *error, gpointer data)
{
    Flight *flight = data;
    CfInspur *inspur = flight->inspur;
    g_auto(CfToken) token = {0};
    g_autoptr(GError) refusal = NULL;
    gconstpointer text;
    gsize len;

    if (inspur->closed) {
        free_flight(flight);
        return;
    }
    if (error) {
        fail_flight(inspur, error);
    } else {
        text = g_bytes_get_data(reply->body, &len);
        /* Counted from when the call began: the answer may have been long on its way. */
        if (cf_token_parse(reply->status, text, len, reply->sent_us, &token, &refusal)) {
            take_token(inspur, &token);
        } else if (flight->refresh) {
            g_clear_pointer(&inspur->token.refresh_token, cf_text_wipe);
            start_flight(inspur, FALSE);
        } else {
            fail_flight(inspur, refusal);
        }
    }
    free_flight(flight);
}

static void
wipe_body(gpointer data)
{
    cf_text_wipe(data);
}

/* Returns: (transfer full): the body; a form, but for IAM. */
static char *
flight_body(const CfInspur *inspur, gboolean refresh)
{
    if (refresh)
        return cf_token_form_refresh(inspur->client_id, inspur->client_secret,
                                     inspur->token.refresh_token);
    if (inspur->auth == CF_INSPUR_AUTH_IAM)
        return cf_token_json_login(inspur->username, inspur->password);
    if (!inspur->username)
        return cf_token_form_client(inspur->client_id, inspur->client_secret);
    return cf_token_form_password(inspur->client_id, inspur->client_secret, inspur->username,
                                  inspur->password);
}

static void
start_flight(CfInspur *inspur, gboolean refresh)
{
    gboolean iam = inspur->auth == CF_INSPUR_AUTH_IAM;
    g_autofree char *url = iam ? cf_token_url_iam(inspur->auth_url)
                               : cf_token_url_keycloak(inspur->auth_url, inspur->realm);
    char *body = flight_body(inspur, refresh);
    CfHttpRequest *request = cf_http_request_new(CF_HTTP_AUTH, "POST", url);
    Flight *flight = g_new0(Flight, 1);

    flight->inspur = cf_inspur_ref(inspur);
    flight->refresh = refresh;
    inspur->fetching = TRUE;

    g_free(request->label);
    request->label = g_strconcat("POST ", url + strlen(inspur->auth_url), NULL);
    request->body = g_bytes_new_with_free_func(body, strlen(body), wipe_body, body);
    g_free(request->content_type);
    request->content_type =
        g_strdup(iam ? "application/json" : "application/x-www-form-urlencoded");
    request->deadline_us = cf_clock_mono_us() + inspur->deadline_us;
    request->user_waits = TRUE;
    request->secret_reply = TRUE;
    cf_http_request_add_header(request, "Accept", "application/json");
    cf_channel_send(inspur->channel, request, on_token, flight);
}

static void
fetch(CfInspur *inspur)
{
    start_flight(inspur, inspur->auth == CF_INSPUR_AUTH_KEYCLOAK && inspur->token.refresh_token &&
                             cf_clock_mono_us() < inspur->token.refresh_expires_us);
}

/* --- waiting for it --------------------------------------------------------------------------- */

static gboolean
on_deadline(gpointer data)
{
    CfInspurCall *call = data;
    g_autoptr(GError) error =
        g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "no token before the deadline");

    g_queue_remove(&call->inspur->waiting, call);
    cf_inspur_call_end(call, NULL, error);
    return G_SOURCE_REMOVE;
}

static void
wait_for_token(CfInspurCall *call)
{
    CfInspur *inspur = call->inspur;
    gint64 left_us = call->deadline_us - cf_clock_mono_us();

    g_queue_push_tail(&inspur->waiting, call);
    call->timer = g_timeout_source_new((guint) CLAMP(left_us / 1000, 0, G_MAXINT));
    g_source_set_callback(call->timer, on_deadline, call, NULL);
    g_source_attach(call->timer, inspur->context);
    if (!inspur->fetching)
        fetch(inspur);
}

/* Ahead of the token's end. Nobody waits for that: what is to be sent goes by the one at hand. */
static void
renew_in_time(CfInspur *inspur)
{
    gint64 now = cf_clock_mono_us();

    if (!inspur->fetching && now >= cf_token_get_renewal_us(&inspur->token) &&
        now >= inspur->renew_not_before)
        fetch(inspur);
}

gboolean
cf_inspur_auth_prepare(CfInspurCall *call)
{
    CfInspur *inspur = call->inspur;
    gint64 now = cf_clock_mono_us();

    if (!is_renewable(inspur))
        return TRUE;
    if (inspur->token.access_token && now < inspur->token.expires_us) {
        renew_in_time(inspur);
        return TRUE;
    }
    /* Who asks for nothing but a token wants to know whether the credentials are good now. */
    if (inspur->refusal && now < inspur->refusal_until_us && call->path->len > 0) {
        cf_inspur_call_refuse(call, g_error_copy(inspur->refusal));
        return FALSE;
    }
    wait_for_token(call);
    return FALSE;
}

gboolean
cf_inspur_auth_renew(CfInspurCall *call)
{
    CfInspur *inspur = call->inspur;

    if (!is_renewable(inspur) || call->renewed)
        return FALSE;
    call->renewed = TRUE;
    /* Of calls side by side, the first one to come back with 401 drops the token; the others find
     * that it is gone, or that there is a new one. */
    if (call->generation == inspur->generation)
        g_clear_pointer(&inspur->token.access_token, cf_text_wipe);
    cf_inspur_call_send(call);
    return TRUE;
}

/* --- each request ----------------------------------------------------------------------------- */

static char *
new_random(void)
{
    guint8 bytes[16];
    GString *text = g_string_sized_new(33);

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        for (guint i = 0; i < sizeof bytes; i++)
            bytes[i] = (guint8) g_random_int();
    for (guint i = 0; i < sizeof bytes; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

static void
sign_aksk(CfInspurCall *call, CfHttpRequest *request)
{
    const CfInspur *inspur = call->inspur;
    g_autofree char *target = g_strconcat(inspur->prefix, call->path->str, NULL);
    g_autofree char *random = new_random();
    CfInspurSignInput input = {
        .method = call->method,
        .target = target,
        .form = call->form && call->body ? call->body->str : NULL,
        .body = call->body ? call->body->str : NULL,
        .body_len = call->body ? call->body->len : 0,
        .access_key = inspur->access_key,
        .secret_key = inspur->secret_key,
        .algorithm = inspur->sign_algorithm,
        .time_ms = cf_clock_real_us() / 1000,
        .random = random,
        .sign_empty_body = inspur->sign_empty_body,
    };
    char *values[CF_INSPUR_SIGN_N];

    cf_inspur_sign(&input, values);
    for (guint i = 0; i < CF_INSPUR_SIGN_N; i++) {
        cf_http_request_add_header(request, cf_inspur_sign_headers[i], values[i]);
        g_free(values[i]);
    }
}

gboolean
cf_inspur_auth_sign(CfInspurCall *call, CfHttpRequest *request, GError **error)
{
    CfInspur *inspur = call->inspur;
    char *value;

    if (inspur->auth == CF_INSPUR_AUTH_AKSK) {
        sign_aksk(call, request);
        return TRUE;
    }
    call->generation = inspur->generation;
    if (!inspur->token.access_token) {
        /* Another call brought 401 home while this one stood in a queue. */
        call->token_lost = TRUE;
        g_set_error(error, CF_ERROR, CF_ERROR_UNAUTHORIZED, "the token was refused meanwhile");
        return FALSE;
    }
    value = g_strconcat("Bearer ", inspur->token.access_token, NULL);
    cf_http_request_add_header(request, "Authorization", value);
    cf_text_wipe(value);
    return TRUE;
}

/* --- a refusal in the end --------------------------------------------------------------------- */

static gboolean
says_expired(const CfHttpReply *reply, const CfCloudWords *words)
{
    const char *challenge = g_hash_table_lookup(reply->headers, "www-authenticate");
    const char *message = words ? words->message : NULL;

    return (message && (strcasestr(message, "expire") || strstr(message, "过期"))) ||
           (challenge && strcasestr(challenge, "expire"));
}

/* Whether a ready token was good once. */
static gboolean
is_expired(const CfInspur *inspur, const CfHttpReply *reply, const CfCloudWords *words)
{
    gint64 end_s;

    if (inspur->token_proved || says_expired(reply, words))
        return TRUE;
    return cf_token_get_jwt_expiry(inspur->token.access_token, &end_s) &&
           end_s <= cf_clock_real_us() / G_USEC_PER_SEC;
}

static void
set_unsigned(const CfInspur *inspur, const CfHttpReply *reply, const GError *error,
             const CfCloudWords *words, GError **ret_error)
{
    gint64 ahead_us = reply->date_us ? cf_clock_real_us() - reply->date_us : 0;

    if (ABS(ahead_us) > CLOCK_TOLERANCE_US)
        cf_error_set_cloud(ret_error, CF_ERROR_UNAUTHORIZED, words,
                           "credentials refused: %s; this machine's clock is %" G_GINT64_FORMAT
                           " s %s the cloud's",
                           error->message, ABS(ahead_us) / G_USEC_PER_SEC,
                           ahead_us > 0 ? "ahead of" : "behind");
    else
        cf_error_set_cloud(ret_error, CF_ERROR_UNAUTHORIZED, words, "credentials refused: %s",
                           error->message);
}

GError *
cf_inspur_auth_explain(CfInspurCall *call, const CfHttpReply *reply, const GError *error)
{
    const CfInspur *inspur = call->inspur;
    const CfCloudWords *words = cf_error_get_cloud(error);
    GError *final = NULL;

    if (inspur->auth == CF_INSPUR_AUTH_AKSK)
        set_unsigned(inspur, reply, error, words, &final);
    else if (inspur->auth == CF_INSPUR_AUTH_TOKEN && is_expired(inspur, reply, words))
        cf_error_set_cloud(&final, CF_ERROR_EXPIRED, words,
                           "the token of the configuration has expired: %s", error->message);
    else
        cf_error_set_cloud(&final, CF_ERROR_UNAUTHORIZED, words, "credentials refused: %s",
                           error->message);
    return final;
}
