/* Inspur Cloud ECS: servers and images over "/v1/…", like Nova and Glance behind a gateway. */
#include "providers/inspur/private.h"

#include "auth/inspur-sign.h"
#include "providers/keys.h"
#include "util/text.h"

#include <string.h>

#define IAM_URL "https://iam.inspurcloudapi.com"
#define DEADLINE_US (30 * G_USEC_PER_SEC)

extern const CfProviderOps cf_provider_inspur;

/* --- configuration ---------------------------------------------------------------------------- */

static const CfProviderKey keys[] = {
    {"endpoint", FALSE, TRUE, NULL,
     "Base of the API: all before /v1, https://service.cloud.inspur.com/regionsvc-cn-north-3/ecs."},
    {"auth", FALSE, FALSE, NULL,
     "How to authenticate: token, keycloak, iam or aksk; by default what the other keys imply."},
    {"token", TRUE, FALSE, NULL, "A ready bearer token; it is not renewed."},
    {"auth_url", FALSE, FALSE, NULL,
     "Base of the identity service: all before /auth; iam has " IAM_URL " by default."},
    {"realm", FALSE, FALSE, "picp", "Keycloak realm."},
    {"client_id", FALSE, FALSE, NULL, "Keycloak client."},
    {"client_secret", TRUE, FALSE, NULL,
     "Secret of the Keycloak client, where it has one; alone it is enough for a service account."},
    {"username", FALSE, FALSE, NULL, "User; a sub-user is MAIN.SUB."},
    {"password", TRUE, FALSE, NULL, "Password of the user."},
    {"access_key", FALSE, FALSE, NULL, "Access key (AK), where requests are signed."},
    {"secret_key", TRUE, FALSE, NULL, "Secret key (SK) of the access key."},
    {"sign_algorithm", FALSE, FALSE, "sha256", "Digest of the signature: md5, sha1 or sha256."},
    {"sign_empty_body", FALSE, FALSE, "no",
     "Whether a request without a body has the digest of nothing signed: yes or no."},
    {"region", FALSE, FALSE, NULL, "Name of the region; only shown."},
    {NULL},
};

static const struct {
    const char *name;
    const char *keys[5]; /* that only this way needs */
} ways[CF_INSPUR_AUTH_N] = {
    [CF_INSPUR_AUTH_TOKEN] = {"token", {"token"}},
    [CF_INSPUR_AUTH_KEYCLOAK] = {"keycloak", {"client_id", "client_secret", "auth_url"}},
    [CF_INSPUR_AUTH_IAM] = {"iam", {NULL}},
    [CF_INSPUR_AUTH_AKSK] = {"aksk", {"access_key", "secret_key"}},
};

/* ret_url: (transfer full): without slashes at its end. suffix: what must not stand there. */
static gboolean
read_url(const CfProviderEnv *env, const char *key, const char *text, const char *suffix,
         char **ret_url, GError **error)
{
    g_autofree char *url = g_strdup(text);

    if (!cf_keys_check_url(env, key, text, error))
        return FALSE;
    for (gsize len = strlen(url); len > 0 && url[len - 1] == '/'; len--)
        url[len - 1] = '\0';
    if (g_str_has_suffix(url, suffix))
        return cf_keys_wrong(env, error, "%s: leave out ‘%s’ at its end", key, suffix);
    *ret_url = g_steal_pointer(&url);
    return TRUE;
}

static const char *
given_key(const CfProviderEnv *env, CfInspurAuth way)
{
    for (guint i = 0; i < G_N_ELEMENTS(ways[way].keys) && ways[way].keys[i]; i++)
        if (cf_keys_get(env, ways[way].keys[i]))
            return ways[way].keys[i];
    return NULL;
}

/* What the keys imply; auth_url or a client's keys mean Keycloak, a user without them IAM. */
static gboolean
derive_way(const CfProviderEnv *env, CfInspurAuth *ret_way, GError **error)
{
    const char *first = NULL;

    for (guint way = 0; way < CF_INSPUR_AUTH_N; way++) {
        const char *key = given_key(env, (CfInspurAuth) way);

        if (!key)
            continue;
        if (first)
            return cf_keys_wrong(
                env, error,
                "‘%s’ and ‘%s’ belong to two ways to authenticate; leave one out, or set "
                "auth = token, keycloak, iam or aksk",
                first, key);
        first = key;
        *ret_way = (CfInspurAuth) way;
    }
    if (cf_keys_get(env, "username") || cf_keys_get(env, "password")) {
        if (first && *ret_way != CF_INSPUR_AUTH_KEYCLOAK)
            return cf_keys_wrong(
                env, error,
                "‘%s’ and ‘%s’ belong to two ways to authenticate; leave one out, or set "
                "auth = token, keycloak, iam or aksk",
                first, cf_keys_get(env, "username") ? "username" : "password");
        if (!first)
            *ret_way = CF_INSPUR_AUTH_IAM;
        return TRUE;
    }
    if (!first)
        return cf_keys_wrong(
            env, error,
            "no credentials; give token, or username and password (with auth_url and "
            "client_id for Keycloak), or access_key and secret_key");
    return TRUE;
}

static gboolean
read_way(const CfProviderEnv *env, CfInspurAuth *ret_way, GError **error)
{
    const char *text = cf_keys_get(env, "auth");

    if (!text)
        return derive_way(env, ret_way, error);
    for (guint way = 0; way < CF_INSPUR_AUTH_N; way++) {
        if (strcmp(ways[way].name, text) == 0) {
            *ret_way = (CfInspurAuth) way;
            return TRUE;
        }
    }
    return cf_keys_wrong(env, error, "auth: ‘%s’ is none of token, keycloak, iam, aksk", text);
}

static gboolean
need(const CfProviderEnv *env, CfInspurAuth way, const char *key, char **ret_value, GError **error)
{
    const char *value = cf_keys_get(env, key);

    if (!value)
        return cf_keys_wrong(env, error, "‘%s’ is missing: auth = %s needs it", key,
                             ways[way].name);
    *ret_value = g_strdup(value);
    return TRUE;
}

static gboolean
read_token(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    if (!need(env, inspur->auth, "token", &inspur->token.access_token, error))
        return FALSE;
    inspur->token.expires_us = G_MAXINT64;
    if (!cf_keys_is_printable(inspur->token.access_token))
        return cf_keys_wrong(env, error,
                             "token: a blank or a line break stands in it; give the bare token");
    return TRUE;
}

static gboolean
read_login(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    return need(env, inspur->auth, "username", &inspur->username, error) &&
           need(env, inspur->auth, "password", &inspur->password, error);
}

static gboolean
read_keycloak(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    g_autofree char *auth_url = NULL;

    if (!need(env, inspur->auth, "auth_url", &auth_url, error) ||
        !read_url(env, "auth_url", auth_url, "/auth", &inspur->auth_url, error) ||
        !need(env, inspur->auth, "client_id", &inspur->client_id, error))
        return FALSE;
    inspur->realm = g_strdup(cf_keys_get_or(env, "realm", "picp"));
    inspur->client_secret = g_strdup(cf_keys_get(env, "client_secret"));
    /* A service account has a secret and no user. */
    if (inspur->client_secret && !cf_keys_get(env, "username") && !cf_keys_get(env, "password"))
        return TRUE;
    return read_login(inspur, env, error);
}

static gboolean
read_iam(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    return read_url(env, "auth_url", cf_keys_get_or(env, "auth_url", IAM_URL), "/auth",
                    &inspur->auth_url, error) &&
           read_login(inspur, env, error);
}

static gboolean
read_yes_no(const CfProviderEnv *env, const char *key, gboolean *ret_yes, GError **error)
{
    static const char *const yes[] = {"yes", "true", "on", "1", NULL};
    static const char *const no[] = {"no", "false", "off", "0", NULL};
    const char *text = cf_keys_get_or(env, key, "no");

    *ret_yes = g_strv_contains(yes, text);
    if (*ret_yes || g_strv_contains(no, text))
        return TRUE;
    return cf_keys_wrong(env, error, "%s: ‘%s’ is neither yes nor no", key, text);
}

static gboolean
read_aksk(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    const char *algorithm = cf_keys_get_or(env, "sign_algorithm", "sha256");

    if (!need(env, inspur->auth, "access_key", &inspur->access_key, error) ||
        !need(env, inspur->auth, "secret_key", &inspur->secret_key, error))
        return FALSE;
    if (!cf_keys_is_printable(inspur->access_key))
        return cf_keys_wrong(env, error, "access_key: a blank or a line break stands in it");
    if (!cf_inspur_sign_algorithm(algorithm, &inspur->sign_algorithm))
        return cf_keys_wrong(env, error, "sign_algorithm: ‘%s’ is none of md5, sha1, sha256",
                             algorithm);
    return read_yes_no(env, "sign_empty_body", &inspur->sign_empty_body, error);
}

static gboolean
read_credentials(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    if (!read_way(env, &inspur->auth, error))
        return FALSE;
    switch (inspur->auth) {
    case CF_INSPUR_AUTH_TOKEN:
        return read_token(inspur, env, error);
    case CF_INSPUR_AUTH_KEYCLOAK:
        return read_keycloak(inspur, env, error);
    case CF_INSPUR_AUTH_IAM:
        return read_iam(inspur, env, error);
    case CF_INSPUR_AUTH_AKSK:
        return read_aksk(inspur, env, error);
    case CF_INSPUR_AUTH_N:
        break;
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
read_endpoint(CfInspur *inspur, const CfProviderEnv *env, GError **error)
{
    const char *text = cf_keys_get(env, "endpoint");

    if (!text)
        return cf_keys_wrong(
            env, error,
            "‘endpoint’ is missing: the URL of the service, all before /v1, such as "
            "https://service.cloud.inspur.com/regionsvc-cn-north-3/ecs");
    if (!read_url(env, "endpoint", text, "/v1", &inspur->endpoint, error))
        return FALSE;
    inspur->prefix = strstr(inspur->endpoint, "://") + 3;
    inspur->prefix += strcspn(inspur->prefix, "/");
    return TRUE;
}

/* --- life ------------------------------------------------------------------------------------- */

CfInspur *
cf_inspur_ref(CfInspur *inspur)
{
    g_atomic_ref_count_inc(&inspur->refs);
    return inspur;
}

void
cf_inspur_unref(CfInspur *inspur)
{
    if (!g_atomic_ref_count_dec(&inspur->refs))
        return;
    cf_token_clear(&inspur->token);
    cf_text_wipe(inspur->client_secret);
    cf_text_wipe(inspur->password);
    cf_text_wipe(inspur->secret_key);
    g_clear_error(&inspur->refusal);
    g_free(inspur->profile);
    g_free(inspur->endpoint);
    g_free(inspur->region);
    g_free(inspur->auth_url);
    g_free(inspur->realm);
    g_free(inspur->client_id);
    g_free(inspur->username);
    g_free(inspur->access_key);
    g_main_context_unref(inspur->context);
    g_free(inspur);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfInspur, cf_inspur_unref)

static gpointer
inspur_open(const CfProviderEnv *env, GError **error)
{
    g_autoptr(CfInspur) inspur = g_new0(CfInspur, 1);

    g_atomic_ref_count_init(&inspur->refs);
    g_queue_init(&inspur->waiting);
    g_queue_init(&inspur->late);
    inspur->profile = g_strdup(env->profile);
    inspur->channel = env->channel;
    inspur->context = g_main_context_ref(env->context ? env->context : g_main_context_default());
    inspur->deadline_us = env->deadline_us > 0 ? env->deadline_us : DEADLINE_US;
    inspur->page_size = env->page_size ? env->page_size : CF_INSPUR_PAGE_SIZE;
    inspur->region = g_strdup(cf_keys_get(env, "region"));
    if (!read_endpoint(inspur, env, error) || !read_credentials(inspur, env, error))
        return NULL;
    return g_steal_pointer(&inspur);
}

/* Calls that are on their way keep the handle alive until the channel ends them. */
static void
inspur_close(gpointer handle)
{
    CfInspur *inspur = handle;
    CfInspurCall *call;

    inspur->closed = TRUE;
    while ((call = g_queue_pop_head(&inspur->waiting)))
        cf_inspur_call_free(call);
    while ((call = g_queue_pop_head(&inspur->late)))
        cf_inspur_call_free(call);
    cf_inspur_unref(inspur);
}

static const char *
inspur_get_endpoint(gpointer handle)
{
    return ((CfInspur *) handle)->endpoint;
}

static const char *
inspur_get_region(gpointer handle)
{
    return ((CfInspur *) handle)->region;
}

static guint
inspur_get_page_size(gpointer handle, CfCollection collection)
{
    return ((CfInspur *) handle)->page_size;
}

static CfRecord *
inspur_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    return cf_inspur_parse(collection, text, error);
}

const CfProviderOps cf_provider_inspur = {
    .name = "inspur",
    .title = "Inspur Cloud ECS",
    .keys = keys,
    .open = inspur_open,
    .close = inspur_close,
    .get_endpoint = inspur_get_endpoint,
    .get_region = inspur_get_region,
    .can =
        {
            [CF_SERVERS] = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_TAGS) |
                           CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE),
            [CF_IMAGES] =
                CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_DELETE),
        },
    .verbs = (1u << CF_VERB_ON) | (1u << CF_VERB_OFF) | (1u << CF_VERB_OFF_HARD) |
             (1u << CF_VERB_REBOOT) | (1u << CF_VERB_REBOOT_HARD),
    .lacks =
        {
            [CF_SERVERS] = CF_FIELD_BIT(CF_SERVER_LOCK) | CF_FIELD_BIT(CF_SERVER_LOCKED_REASON) |
                           CF_FIELD_BIT(CF_SERVER_FAULT) | CF_FIELD_BIT(CF_SERVER_METADATA),
            [CF_IMAGES] = CF_FIELD_BIT(CF_IMAGE_PLATFORM) | CF_FIELD_BIT(CF_IMAGE_PROVIDER),
        },
    .consoles = cf_inspur_consoles,
    .tags_apart = TRUE,
    .batch_max = CF_INSPUR_BATCH_MAX,
    .batch_delete_max = CF_INSPUR_BATCH_MAX,
    .tag_max = 0,
    .authenticate = cf_inspur_authenticate,
    .list = cf_inspur_list,
    .get_page_size = inspur_get_page_size,
    .parse = inspur_parse,
    .show = cf_inspur_show,
    .list_tags = cf_inspur_list_tags,
    .act = cf_inspur_act,
    .search = cf_inspur_search,
    .is_secret = cf_inspur_is_secret,
};
