/* QingCloud (青云): servers and images over one URL, the parameter action saying what is asked. */
#include "providers/qingcloud/private.h"

#include "auth/qingcloud-sign.h"
#include "providers/keys.h"
#include "util/text.h"

#include <string.h>

#define ENDPOINT "https://api.qingcloud.com/iaas/"
#define METHOD "HmacSHA256"
#define DEADLINE_US (30 * G_USEC_PER_SEC)

extern const CfProviderOps cf_provider_qingcloud;

/* --- configuration ---------------------------------------------------------------------------- */

static const CfProviderKey keys[] = {
    {"endpoint", FALSE, FALSE, ENDPOINT,
     "URL of the API; a private cloud has https://api.DOMAIN/iaas/."},
    {"zone", FALSE, FALSE, NULL, "The zone that all calls are about, such as pek3a."},
    {"access_key", FALSE, FALSE, NULL, "Access key (access_key_id)."},
    {"secret_key", TRUE, FALSE, NULL, "Secret key of the access key."},
    {"signature_method", FALSE, FALSE, METHOD, "Digest of the signature: HmacSHA256 or HmacSHA1."},
    {"token", TRUE, FALSE, NULL,
     "Token (id_token) of a role, whose access and secret key are given with it; it is not "
     "renewed."},
    {NULL},
};

static gboolean
need(const CfProviderEnv *env, const char *key, char **ret_value, GError **error)
{
    const char *value = cf_keys_get(env, key);

    if (!value)
        return cf_keys_wrong(env, error, "‘%s’ is missing", key);
    *ret_value = g_strdup(value);
    return TRUE;
}

static gboolean
need_word(const CfProviderEnv *env, const char *key, char **ret_value, GError **error)
{
    if (!need(env, key, ret_value, error))
        return FALSE;
    if (!cf_keys_is_printable(*ret_value))
        return cf_keys_wrong(env, error, "%s: a blank or a line break stands in it", key);
    return TRUE;
}

/* Credentials of a role are for another path beside that of the keys: /iam for /iaas. Whether there
 * is a slash at the end is the user's choice: the path is signed as it is sent. */
static gboolean
read_endpoint(CfQingcloud *cloud, const CfProviderEnv *env, GError **error)
{
    const char *text = cf_keys_get_or(env, "endpoint", ENDPOINT);
    gsize len = strlen(text), slash = g_str_has_suffix(text, "/") ? 1 : 0;

    if (!cf_keys_check_url(env, "endpoint", text, error))
        return FALSE;
    if (cloud->token && len > slash + 5 && strncmp(text + len - slash - 5, "/iaas", 5) == 0)
        cloud->endpoint =
            g_strdup_printf("%.*s/iam%s", (int) (len - slash - 5), text, slash ? "/" : "");
    else
        cloud->endpoint = g_strdup(text);
    cloud->path = strstr(cloud->endpoint, "://") + 3;
    cloud->path += strcspn(cloud->path, "/");
    if (!*cloud->path)
        return cf_keys_wrong(env, error, "endpoint: ‘%s’ lacks its path; most have /iaas/", text);
    return TRUE;
}

static gboolean
read_keys(CfQingcloud *cloud, const CfProviderEnv *env, GError **error)
{
    const char *token = cf_keys_get(env, "token");
    const char *method = cf_keys_get_or(env, "signature_method", METHOD);

    cloud->token = g_strdup(token);
    if (token && !cf_keys_is_printable(token))
        return cf_keys_wrong(env, error, "token: a blank or a line break stands in it");
    if (!cf_qingcloud_sign_method(method, &cloud->digest))
        return cf_keys_wrong(env, error, "signature_method: ‘%s’ is none of HmacSHA256, HmacSHA1",
                             method);
    cloud->signature_method = g_strdup(method);
    return read_endpoint(cloud, env, error) && need_word(env, "zone", &cloud->zone, error) &&
           need_word(env, "access_key", &cloud->access_key, error) &&
           need(env, "secret_key", &cloud->secret_key, error);
}

/* --- life ------------------------------------------------------------------------------------- */

CfQingcloud *
cf_qingcloud_ref(CfQingcloud *cloud)
{
    g_atomic_ref_count_inc(&cloud->refs);
    return cloud;
}

void
cf_qingcloud_unref(CfQingcloud *cloud)
{
    if (!g_atomic_ref_count_dec(&cloud->refs))
        return;
    cf_text_wipe(cloud->secret_key);
    cf_text_wipe(cloud->token);
    g_free(cloud->profile);
    g_free(cloud->endpoint);
    g_free(cloud->zone);
    g_free(cloud->access_key);
    g_free(cloud->signature_method);
    g_main_context_unref(cloud->context);
    g_free(cloud);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfQingcloud, cf_qingcloud_unref)

static gpointer
qingcloud_open(const CfProviderEnv *env, GError **error)
{
    g_autoptr(CfQingcloud) cloud = g_new0(CfQingcloud, 1);
    guint size = env->page_size ? env->page_size : CF_QINGCLOUD_PAGE_SIZE;

    g_atomic_ref_count_init(&cloud->refs);
    g_queue_init(&cloud->late);
    cloud->profile = g_strdup(env->profile);
    cloud->channel = env->channel;
    cloud->context = g_main_context_ref(env->context ? env->context : g_main_context_default());
    cloud->deadline_us = env->deadline_us > 0 ? env->deadline_us : DEADLINE_US;
    cloud->page_size = MIN(size, CF_QINGCLOUD_PAGE_SIZE);
    if (!read_keys(cloud, env, error))
        return NULL;
    return g_steal_pointer(&cloud);
}

/* Calls that are on their way keep the handle alive until the channel ends them. */
static void
qingcloud_close(gpointer handle)
{
    CfQingcloud *cloud = handle;
    CfQingcloudCall *call;

    cloud->closed = TRUE;
    while ((call = g_queue_pop_head(&cloud->late)))
        cf_qingcloud_call_free(call);
    cf_qingcloud_unref(cloud);
}

static const char *
qingcloud_get_endpoint(gpointer handle)
{
    return ((CfQingcloud *) handle)->endpoint;
}

/* What they call a zone is what other clouds' regions are: an account has nothing in common there
 * with another one. */
static const char *
qingcloud_get_region(gpointer handle)
{
    return ((CfQingcloud *) handle)->zone;
}

static guint
qingcloud_get_page_size(gpointer handle, CfCollection collection)
{
    return ((CfQingcloud *) handle)->page_size;
}

static CfRecord *
qingcloud_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    return cf_qingcloud_parse(collection, text, ((CfQingcloud *) handle)->zone, error);
}

const CfProviderOps cf_provider_qingcloud = {
    .name = "qingcloud",
    .title = "QingCloud",
    .keys = keys,
    .open = qingcloud_open,
    .close = qingcloud_close,
    .get_endpoint = qingcloud_get_endpoint,
    .get_region = qingcloud_get_region,
    .can = {[CF_SERVERS] = CF_QINGCLOUD_SERVER_CAN, [CF_IMAGES] = CF_QINGCLOUD_IMAGE_CAN},
    .verbs = (1u << CF_VERB_ON) | (1u << CF_VERB_OFF) | (1u << CF_VERB_OFF_HARD) |
             (1u << CF_VERB_REBOOT) | (1u << CF_VERB_REBOOT_HARD),
    .composed = 1u << CF_VERB_REBOOT_HARD,
    .lacks =
        {
            [CF_SERVERS] = CF_FIELD_BIT(CF_SERVER_LOCK) | CF_FIELD_BIT(CF_SERVER_LOCKED_REASON) |
                           CF_FIELD_BIT(CF_SERVER_FAULT) | CF_FIELD_BIT(CF_SERVER_METADATA) |
                           CF_FIELD_BIT(CF_SERVER_REGION) | CF_FIELD_BIT(CF_SERVER_CHARGE_TYPE) |
                           CF_FIELD_BIT(CF_SERVER_EXPIRES),
            [CF_IMAGES] = CF_FIELD_BIT(CF_IMAGE_MIN_DISK_GB) | CF_FIELD_BIT(CF_IMAGE_MIN_RAM_MB) |
                          CF_FIELD_BIT(CF_IMAGE_FORMAT) | CF_FIELD_BIT(CF_IMAGE_CHECKSUM),
        },
    .consoles = cf_qingcloud_consoles,
    .batch_max = CF_QINGCLOUD_BATCH_MAX,
    .batch_delete_max = CF_QINGCLOUD_BATCH_MAX,
    .tag_max = 4 * CF_QINGCLOUD_TAG_MAX, /* bytes; the exact check counts characters */
    .authenticate = cf_qingcloud_authenticate,
    .list = cf_qingcloud_list,
    .get_page_size = qingcloud_get_page_size,
    .parse = qingcloud_parse,
    .show = cf_qingcloud_show,
    .act = cf_qingcloud_act,
    .job = cf_qingcloud_job,
    .search = cf_qingcloud_search,
    .is_secret = cf_qingcloud_is_secret,
};
