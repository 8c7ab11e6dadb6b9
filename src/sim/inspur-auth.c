/* Who may: bearer tokens, the calls that give them, and signed requests. */
#include <stdlib.h>
#include <string.h>

#include "sim/inspur.h"

#define SKEW_MAX_MS (15 * 60 * 1000)

char *
cf_sim_inspur_sign(const char *algorithm, const char *method, const char *uri, const char *body,
                   const char *time, const char *random_text, const char *secret)
{
    static const struct {
        const char *name;
        GChecksumType type;
    } algorithms[] = {
        {"md5", G_CHECKSUM_MD5},
        {"sha1", G_CHECKSUM_SHA1},
        {"sha256", G_CHECKSUM_SHA256},
    };
    g_autoptr(GString) full = g_string_new(NULL);

    g_string_append_printf(full, "%s\n%s%s%s\n%s", method, time, random_text, secret, uri);
    if (body) {
        g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_MD5, body, -1);

        g_string_append_printf(full, "\n%s", digest);
    }
    for (guint i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        if (algorithm && g_ascii_strcasecmp(algorithms[i].name, algorithm) == 0) {
            g_autofree char *hex =
                g_compute_checksum_for_string(algorithms[i].type, full->str, (gssize) full->len);

            return g_base64_encode((const guchar *) hex, strlen(hex));
        }
    }
    return NULL;
}

typedef struct {
    const char *name, *value;
} Pair;

static gint
compare_pairs(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(((const Pair *) a)->name, ((const Pair *) b)->name);
}

/* Returns: (transfer full): the path and the decoded parameters, sorted by name. */
static char *
uri_to_sign(const CfSimCall *call, const char *path, gboolean with_form)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    g_autofree Pair *pairs = NULL;
    GString *uri = g_string_new(path);
    guint n;

    if (call->query)
        cf_sim_form_parse(call->query, parts);
    if (with_form)
        cf_sim_form_parse(call->body->str, parts);
    n = parts->len / 2;
    pairs = g_new0(Pair, n + 1);
    for (guint i = 0; i < n; i++) {
        pairs[i].name = g_ptr_array_index(parts, 2 * i);
        pairs[i].value = g_ptr_array_index(parts, 2 * i + 1);
    }
    g_qsort_with_data(pairs, (gint) n, sizeof *pairs, compare_pairs, NULL);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(uri, "%c%s=%s", i ? '&' : '?', pairs[i].name, pairs[i].value);
    return g_string_free(uri, FALSE);
}

/* Whether the signature is that of one form of the request. */
static gboolean
signature_is(CfSim *sim, const CfSimCall *call, const char *uri, const char *body)
{
    g_autofree char *wanted =
        cf_sim_inspur_sign(cf_sim_call_header(call, "x-sign-algorithm"), call->method, uri, body,
                           cf_sim_call_header(call, "x-time"), cf_sim_call_header(call, "x-random"),
                           sim->options.secret_key ? sim->options.secret_key : "");

    return wanted && g_strcmp0(wanted, cf_sim_call_header(call, "x-sign")) == 0;
}

static gboolean
signature_good(CfSim *sim, const CfSimCall *call)
{
    g_autofree char *decoded = cf_sim_decode(call->path, -1, FALSE);
    const char *paths[] = {call->path, decoded};
    CfSimEmptyBody rule = sim->settings.sign_empty_body;
    gboolean form = cf_sim_call_is_form(call);

    for (guint i = 0; i < 2 * G_N_ELEMENTS(paths); i++) {
        g_autofree char *uri = uri_to_sign(call, paths[i / 2], form && i % 2);
        gboolean empty = call->body->len == 0;

        if ((!empty || rule != CF_SIM_EMPTY_BODY_LEFT_OUT) &&
            signature_is(sim, call, uri, call->body->str))
            return TRUE;
        if (empty && rule != CF_SIM_EMPTY_BODY_SIGNED && signature_is(sim, call, uri, NULL))
            return TRUE;
    }
    return FALSE;
}

/* Returns: (nullable): why the signed request is refused; NULL: it is good. */
static const char *
check_signed(CfSim *sim, const CfSimCall *call)
{
    const char *time = cf_sim_call_header(call, "x-time");
    const char *random_text = cf_sim_call_header(call, "x-random");
    gint64 skew_ms;

    if (!sim->options.access_key ||
        g_strcmp0(cf_sim_call_header(call, "x-secret-id"), sim->options.access_key) != 0)
        return "unknown access key";
    if (!time || strlen(time) != 13 || !random_text || !*random_text)
        return "x-time or x-random missing";
    skew_ms = g_ascii_strtoll(time, NULL, 10) - cf_sim_server_date_us(sim) / 1000;
    if (skew_ms > SKEW_MAX_MS || skew_ms < -SKEW_MAX_MS)
        return "x-time too far from now";
    if (!signature_good(sim, call))
        return "signature does not match";
    if (!cf_sim_tokens_fresh(sim->tokens, random_text))
        return "x-random was used before";
    return NULL;
}

gboolean
cf_sim_inspur_admit(CfSim *sim, CfSimCall *call)
{
    const char *why = "Unauthorized";

    if (sim->options.no_auth || cf_sim_tokens_good(sim, call))
        return TRUE;
    if (cf_sim_call_header(call, "x-sign"))
        why = check_signed(sim, call);
    if (why)
        cf_sim_inspur_refuse(sim, call, 401, NULL, why);
    return !why;
}

static gboolean
same(const char *wanted, const char *given)
{
    return wanted && g_strcmp0(wanted, given) == 0;
}

static gboolean
user_good(CfSim *sim, const char *username, const char *password)
{
    return sim->options.no_auth ||
           (same(sim->options.username, username) && same(sim->options.password, password));
}

static void
refuse_grant(CfSimCall *call, const char *error, const char *description)
{
    cf_sim_answer_printf(call, 401, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error,
                         description);
}

void
cf_sim_inspur_iam_token(CfSim *sim, CfSimCall *call)
{
    g_autofree char *username = cf_sim_raw_get_string(cf_sim_span(call->body->str), "username");
    g_autofree char *password = cf_sim_raw_get_string(cf_sim_span(call->body->str), "password");

    if (user_good(sim, username, password))
        cf_sim_tokens_issue(sim, call);
    else
        refuse_grant(call, "invalid_grant", "Invalid user credentials");
}

/* secret_needed: a client without a secret of its own does not do. */
static gboolean
client_good(CfSim *sim, const CfSimCall *call, gboolean secret_needed)
{
    g_autofree char *id = cf_sim_call_param(call, "client_id");
    g_autofree char *secret = cf_sim_call_param(call, "client_secret");

    if (sim->options.no_auth)
        return TRUE;
    if (sim->options.client_id && !same(sim->options.client_id, id))
        return FALSE;
    if (sim->options.client_secret)
        return same(sim->options.client_secret, secret);
    return !secret_needed;
}

/* Returns: (nullable): why there is no token. */
static const char *
check_grant(CfSim *sim, const CfSimCall *call)
{
    g_autofree char *grant = cf_sim_call_param(call, "grant_type");

    if (g_strcmp0(grant, "password") == 0) {
        g_autofree char *username = cf_sim_call_param(call, "username");
        g_autofree char *password = cf_sim_call_param(call, "password");

        return user_good(sim, username, password) ? NULL : "Invalid user credentials";
    }
    if (g_strcmp0(grant, "refresh_token") == 0) {
        g_autofree char *token = cf_sim_call_param(call, "refresh_token");

        return token && cf_sim_tokens_may_refresh(sim, token) ? NULL : "Token is not active";
    }
    if (g_strcmp0(grant, "urn:ietf:params:oauth:grant-type:token-exchange") == 0) {
        g_autofree char *subject = cf_sim_call_param(call, "requested_subject");

        return subject && *subject ? NULL : "requested_subject missing";
    }
    return g_strcmp0(grant, "client_credentials") == 0 ? NULL : "Unsupported grant_type";
}

void
cf_sim_inspur_keycloak_token(CfSim *sim, CfSimCall *call)
{
    g_autofree char *grant = cf_sim_call_param(call, "grant_type");
    gboolean by_user = g_strcmp0(grant, "password") == 0 || g_strcmp0(grant, "refresh_token") == 0;
    const char *why;

    if (!client_good(sim, call, !by_user)) {
        refuse_grant(call, "invalid_client", "Invalid client credentials");
        return;
    }
    why = check_grant(sim, call);
    if (why)
        refuse_grant(call, "invalid_grant", why);
    else
        cf_sim_tokens_issue(sim, call);
}
