/* Who may: requests signed with an account's key pair, or with that of a role. */
#include <string.h>

#include "sim/qingcloud.h"

#define VALID_S 60
#define RATE_WINDOW_US ((gint64) 3600 * G_USEC_PER_SEC)

typedef struct {
    const char *name, *value;
} Pair;

static gint
compare_pairs(gconstpointer a, gconstpointer b, gpointer data)
{
    const Pair *first = a, *second = b;
    int order = strcmp(first->name, second->name);

    return order ? order : strcmp(first->value, second->value);
}

/* Appends the text as RFC 3986 has it: all but unreserved characters as %XX. */
static void
append_encoded(GString *out, const char *text)
{
    for (const guchar *p = (const guchar *) text; *p; p++) {
        if (g_ascii_isalnum(*p) || strchr("-_.~", *p))
            g_string_append_c(out, (char) *p);
        else
            g_string_append_printf(out, "%%%02X", *p);
    }
}

/* Appends name=value&…, sorted, without the signature. */
static void
append_query(GString *out, const GPtrArray *params)
{
    g_autofree Pair *pairs = g_new0(Pair, params->len / 2 + 1);
    guint n = 0;

    for (guint i = 0; i + 1 < params->len; i += 2) {
        const Pair pair = {g_ptr_array_index(params, i), g_ptr_array_index(params, i + 1)};

        if (strcmp(pair.name, "signature") != 0)
            pairs[n++] = pair;
    }
    g_qsort_with_data(pairs, (gint) n, sizeof *pairs, compare_pairs, NULL);
    for (guint i = 0; i < n; i++) {
        if (i)
            g_string_append_c(out, '&');
        append_encoded(out, pairs[i].name);
        g_string_append_c(out, '=');
        append_encoded(out, pairs[i].value);
    }
}

char *
cf_sim_qingcloud_sign(const char *signature_method, const char *method, const char *path,
                      const GPtrArray *params, const char *secret)
{
    gboolean sha256 = g_strcmp0(signature_method, "HmacSHA256") == 0;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GHmac) hmac = NULL;
    guint8 digest[64];
    gsize len = sizeof digest;

    if (!sha256 && g_strcmp0(signature_method, "HmacSHA1") != 0)
        return NULL;
    g_string_append_printf(text, "%s\n%s\n", method, path);
    append_query(text, params);
    hmac = g_hmac_new(sha256 ? G_CHECKSUM_SHA256 : G_CHECKSUM_SHA1, (const guchar *) secret,
                      strlen(secret));
    g_hmac_update(hmac, (const guchar *) text->str, (gssize) text->len);
    g_hmac_get_digest(hmac, digest, &len);
    return g_base64_encode(digest, len);
}

/* The keys of a role follow from its token. Returns: (transfer full) */
static char *
role_key(const char *kind, const char *token)
{
    g_autofree char *text = g_strdup_printf("%s %s", kind, token);
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, text, -1);

    return g_strdup_printf("FAKE%s%.20s", kind, digest);
}

void
cf_sim_qingcloud_role(CfSim *sim, CfSimCall *call)
{
    const char *token = cf_sim_tokens_make(sim, sim->options.token_life_s);
    g_autofree char *access = role_key("ACCESS", token);
    g_autofree char *secret = role_key("SECRET", token);
    g_autofree char *inner = g_strdup_printf(
        "{\"ret_code\":\"0\",\"jti\":\"%016" G_GINT64_MODIFIER "x\",\"id_token\":\"%s\","
        "\"access_key\":\"%s\",\"secret_key\":\"%s\",\"expiration\":%" G_GINT64_FORMAT "}",
        cf_sim_mix(sim->options.seed, call->number), token, access, secret,
        cf_sim_server_date_us(sim) / G_USEC_PER_SEC + sim->options.token_life_s);

    cf_sim_answer(call, 200, "");
    cf_sim_raw_quote(call->answer, inner);
}

static gboolean
is_role_path(const CfSimCall *call)
{
    return g_str_has_suffix(call->path, "/iam") || g_str_has_suffix(call->path, "/iam/");
}

/* Finds the key pair that the request must be signed with. Returns: FALSE: refused. */
static gboolean
find_keys(CfSim *sim, CfSimCall *call, char **ret_access, char **ret_secret)
{
    const char *token = cf_sim_call_peek_param(call, "token");

    if (!token && !is_role_path(call)) {
        *ret_access = g_strdup(sim->options.access_key);
        *ret_secret = g_strdup(sim->options.secret_key ? sim->options.secret_key : "");
        return TRUE;
    }
    if (!token)
        return cf_sim_qingcloud_refuse_missing(call, "token");
    if (!is_role_path(call))
        return cf_sim_qingcloud_refuse(call, 1200, "AuthFailure, token is not accepted here");
    if (g_strcmp0(token, sim->options.token) == 0) {
        *ret_access = g_strdup(sim->options.access_key);
        *ret_secret = g_strdup(sim->options.secret_key ? sim->options.secret_key : "");
        return TRUE;
    }
    if (!cf_sim_tokens_valid(sim, token))
        return cf_sim_qingcloud_refuse(call, 2000, "SessionExpired, token is not valid any more");
    *ret_access = role_key("ACCESS", token);
    *ret_secret = role_key("SECRET", token);
    return TRUE;
}

static gboolean
check_signature(CfSim *sim, CfSimCall *call)
{
    const char *given = cf_sim_call_peek_param(call, "signature");
    const char *method = cf_sim_call_peek_param(call, "signature_method");
    const char *key_id = cf_sim_call_peek_param(call, "access_key_id");
    g_autofree char *access = NULL;
    g_autofree char *secret = NULL;
    g_autofree char *wanted = NULL;

    if (!find_keys(sim, call, &access, &secret))
        return FALSE;
    if (g_strcmp0(access, key_id) != 0)
        return cf_sim_qingcloud_refuse(call, 1200, "AuthFailure, access key [%s] does not exist",
                                       key_id);
    wanted = cf_sim_qingcloud_sign(method, call->method, call->path, call->params, secret);
    if (!wanted)
        return cf_sim_qingcloud_refuse(
            call, 1101, "InvalidParameterValue, signature_method [%s] is not supported", method);
    if (strcmp(wanted, given) != 0)
        return cf_sim_qingcloud_refuse(call, 1200, "AuthFailure, signature not matched");
    return TRUE;
}

/* Returns: FALSE: not a time, "2013-08-27T14:30:10Z". */
static gboolean
parse_time(const char *text, gint64 *ret_us)
{
    g_autoptr(GDateTime) date = NULL;

    if (strlen(text) != strlen("2013-08-27T14:30:10Z") || text[10] != 'T' || text[19] != 'Z')
        return FALSE;
    date = g_date_time_new_from_iso8601(text, NULL);
    if (date)
        *ret_us = g_date_time_to_unix(date) * G_USEC_PER_SEC;
    return date != NULL;
}

/* A request is good for a minute, or until it says itself that it expires. One from the future is
 * refused as well, though the manual speaks of old ones only. */
static gboolean
check_time(CfSim *sim, CfSimCall *call)
{
    const char *stamp = cf_sim_call_peek_param(call, "time_stamp");
    const char *expires = cf_sim_call_peek_param(call, "expires");
    gint64 now = cf_sim_server_date_us(sim), made = 0, until;

    if (!parse_time(stamp, &made))
        return cf_sim_qingcloud_refuse(call, 1100, "InvalidParameterFormat, time_stamp [%s]",
                                       stamp);
    until = made + VALID_S * G_USEC_PER_SEC;
    if (expires && !parse_time(expires, &until))
        return cf_sim_qingcloud_refuse(call, 1100, "InvalidParameterFormat, expires [%s]", expires);
    if (now > until || made - now > VALID_S * G_USEC_PER_SEC)
        return cf_sim_qingcloud_refuse(call, 1300, "RequestHasExpired, request is expired");
    return TRUE;
}

/* A word of lower-case letters, digits, and perhaps a last letter: pek3a. */
static gboolean
check_zone(CfSimCall *call)
{
    const char *zone = cf_sim_call_peek_param(call, "zone");

    if (strcmp(call->route->name, "DescribeZones") == 0)
        return TRUE;
    if (!zone || !*zone)
        return cf_sim_qingcloud_refuse_missing(call, "zone");
    if (!g_regex_match_simple("^[a-z]+[0-9]+[a-z]?$", zone, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT))
        return cf_sim_qingcloud_refuse(call, 1400, "PermissionDenied, access denied for zone [%s]",
                                       zone);
    return TRUE;
}

/* Whether everything is there that a signed request has. */
static gboolean
check_common(CfSimCall *call)
{
    static const char *const needed[] = {"access_key_id", "time_stamp", "signature_method",
                                         "signature_version", "signature"};
    const char *version = cf_sim_call_peek_param(call, "version");

    for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
        const char *value = cf_sim_call_peek_param(call, needed[i]);

        if (!value || !*value)
            return cf_sim_qingcloud_refuse_missing(call, needed[i]);
    }
    if (version && strcmp(version, "1") != 0)
        return cf_sim_qingcloud_refuse(call, 1101, "InvalidParameterValue, version [%s]", version);
    version = cf_sim_call_peek_param(call, "signature_version");
    if (strcmp(version, cf_sim_call_peek_param(call, "token") ? "2" : "1") != 0)
        return cf_sim_qingcloud_refuse(call, 1101, "InvalidParameterValue, signature_version [%s]",
                                       version);
    return TRUE;
}

/* Counts calls by the hour of the world's clock. */
static gboolean
check_rate(CfSim *sim, CfSimCall *call)
{
    gint64 now = cf_sim_world_now_us(sim->world);

    if (!sim->settings.rate_limit)
        return TRUE;
    if (!sim->rate_calls || now - sim->rate_since_us >= RATE_WINDOW_US) {
        sim->rate_since_us = now;
        sim->rate_calls = 0;
    }
    if (sim->rate_calls++ < sim->settings.rate_limit)
        return TRUE;
    return cf_sim_qingcloud_refuse(call, 2500, "QuotasExceeded, too many API requests");
}

gboolean
cf_sim_qingcloud_admit(CfSim *sim, CfSimCall *call)
{
    if (!sim->options.no_auth &&
        (!check_common(call) || !check_signature(sim, call) || !check_time(sim, call)))
        return FALSE;
    return check_rate(sim, call) && check_zone(call);
}
