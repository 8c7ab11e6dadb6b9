/* UCloudStack, UCloud's private cloud: actions posted as a signed form, both generations. */
#include "providers/keys.h"
#include "providers/ucloudstack/private.h"
#include "util/error.h"
#include "util/text.h"

#include <string.h>

#define DEADLINE_US (30 * G_USEC_PER_SEC)

extern const CfProviderOps cf_provider_ucloudstack;

/* --- configuration ---------------------------------------------------------------------------- */

/* None is required by the table: a named profile in ~/.ucloud may bring what is missing; open()
 * looks. */
static const CfProviderKey keys[] = {
    {"endpoint", FALSE, FALSE, NULL,
     "Whole URL of the API, such as https://console.example.com/api."},
    {"region", FALSE, FALSE, NULL, "Region's id, such as cn; every call names it."},
    {"public_key", FALSE, FALSE, NULL, "Public key of the account."},
    {"private_key", TRUE, FALSE, NULL, "Private key; it signs and is never sent."},
    {"project_id", FALSE, FALSE, NULL,
     "Project group: only its servers and images are listed, new images belong to it."},
    {"company_id", FALSE, FALSE, NULL,
     "Tenant's number; means something to the platform's administrators only."},
    {"dialect", FALSE, FALSE, "2", "Generation of the platform, 1 or 2: error codes differ."},
    {NULL},
};

static gboolean
need(const CfProviderEnv *env, const char *key, char **ret_value, GError **error)
{
    const char *value = cf_keys_get(env, key);

    if (!value)
        return cf_keys_wrong(env, error, "‘%s’ is missing: UCloudStack needs it", key);
    *ret_value = g_strdup(value);
    return TRUE;
}

/* Only what stands in a form as it is: a blank comes from a file that was copied badly. */
static gboolean
need_key(const CfProviderEnv *env, const char *key, char **ret_value, GError **error)
{
    if (!need(env, key, ret_value, error))
        return FALSE;
    if (!cf_keys_is_printable(*ret_value))
        return cf_keys_wrong(env, error, "%s: a blank or a line break stands in it", key);
    return TRUE;
}

static gboolean
read_company(CfUcloudstack *cloud, const CfProviderEnv *env, GError **error)
{
    const char *text = cf_keys_get(env, "company_id");

    if (text && strspn(text, "0123456789") != strlen(text))
        return cf_keys_wrong(env, error, "company_id: ‘%s’ is no number", text);
    cloud->company_id = g_strdup(text);
    return TRUE;
}

static gboolean
read_dialect(CfUcloudstack *cloud, const CfProviderEnv *env, GError **error)
{
    const char *text = cf_keys_get_or(env, "dialect", "2");

    if (strcmp(text, "1") != 0 && strcmp(text, "2") != 0)
        return cf_keys_wrong(env, error, "dialect: ‘%s’ is neither 1 nor 2", text);
    cloud->dialect = *text == '1' ? CF_UCLOUDSTACK_GEN_1 : CF_UCLOUDSTACK_GEN_2;
    return TRUE;
}

static gboolean
read_keys(CfUcloudstack *cloud, const CfProviderEnv *env, GError **error)
{
    cloud->project_id = g_strdup(cf_keys_get(env, "project_id"));
    return need(env, "endpoint", &cloud->endpoint, error) &&
           cf_keys_check_url(env, "endpoint", cloud->endpoint, error) &&
           need(env, "region", &cloud->region, error) &&
           need_key(env, "public_key", &cloud->public_key, error) &&
           need_key(env, "private_key", &cloud->private_key, error) &&
           read_company(cloud, env, error) && read_dialect(cloud, env, error);
}

/* --- life ------------------------------------------------------------------------------------- */

CfUcloudstack *
cf_ucloudstack_ref(CfUcloudstack *cloud)
{
    g_atomic_ref_count_inc(&cloud->refs);
    return cloud;
}

void
cf_ucloudstack_unref(CfUcloudstack *cloud)
{
    if (!g_atomic_ref_count_dec(&cloud->refs))
        return;
    cf_text_wipe(cloud->private_key);
    g_free(cloud->endpoint);
    g_free(cloud->region);
    g_free(cloud->public_key);
    g_free(cloud->project_id);
    g_free(cloud->company_id);
    g_main_context_unref(cloud->context);
    g_free(cloud);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfUcloudstack, cf_ucloudstack_unref)

static gpointer
ucloudstack_open(const CfProviderEnv *env, GError **error)
{
    g_autoptr(CfUcloudstack) cloud = g_new0(CfUcloudstack, 1);

    g_atomic_ref_count_init(&cloud->refs);
    g_queue_init(&cloud->late);
    cloud->channel = env->channel;
    cloud->context = g_main_context_ref(env->context ? env->context : g_main_context_default());
    cloud->deadline_us = env->deadline_us > 0 ? env->deadline_us : DEADLINE_US;
    cloud->page_size =
        env->page_size ? MIN(env->page_size, CF_UCLOUDSTACK_PAGE_MAX) : CF_UCLOUDSTACK_PAGE_MAX;
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        cloud->limits[i] = cloud->page_size;
    if (!read_keys(cloud, env, error))
        return NULL;
    return g_steal_pointer(&cloud);
}

/* Calls that are on their way keep the handle alive until the channel ends them. */
static void
ucloudstack_close(gpointer handle)
{
    CfUcloudstack *cloud = handle;
    CfUcloudstackCall *call;

    cloud->closed = TRUE;
    while ((call = g_queue_pop_head(&cloud->late)))
        cf_ucloudstack_call_free(call);
    cf_ucloudstack_unref(cloud);
}

static const char *
ucloudstack_get_endpoint(gpointer handle)
{
    return ((CfUcloudstack *) handle)->endpoint;
}

static const char *
ucloudstack_get_region(gpointer handle)
{
    return ((CfUcloudstack *) handle)->region;
}

static guint
ucloudstack_get_page_size(gpointer handle, CfCollection collection)
{
    return ((CfUcloudstack *) handle)->page_size;
}

static CfRecord *
ucloudstack_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    return cf_ucloudstack_parse(collection, text, error);
}

/* There is no tag call in either generation, no batch call, and no reboot of the hard kind. */
/* Generation 1 does not know the parameter. */
static gboolean
ucloudstack_can_search(gpointer handle, CfCollection collection)
{
    return ((CfUcloudstack *) handle)->dialect != CF_UCLOUDSTACK_GEN_1;
}

const CfProviderOps cf_provider_ucloudstack = {
    .name = "ucloudstack",
    .title = "UCloudStack",
    .keys = keys,
    .open = ucloudstack_open,
    .close = ucloudstack_close,
    .get_endpoint = ucloudstack_get_endpoint,
    .get_region = ucloudstack_get_region,
    .can =
        {
            [CF_SERVERS] = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) |
                           CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_CONSOLE) |
                           CF_CAN(CF_ACTION_CAPTURE),
            [CF_IMAGES] =
                CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_DELETE),
        },
    /* VMType is the kind of cluster that a server runs on, not its size. */
    .lacks =
        {
            [CF_SERVERS] = CF_FIELD_BIT(CF_SERVER_LOCK) | CF_FIELD_BIT(CF_SERVER_LOCKED_REASON) |
                           CF_FIELD_BIT(CF_SERVER_FAULT) | CF_FIELD_BIT(CF_SERVER_METADATA) |
                           CF_FIELD_BIT(CF_SERVER_TASK) | CF_FIELD_BIT(CF_SERVER_KEY_NAME) |
                           CF_FIELD_BIT(CF_SERVER_FLAVOR) | CF_FIELD_BIT(CF_SERVER_TAGS),
            [CF_IMAGES] = CF_FIELD_BIT(CF_IMAGE_TAGS) | CF_FIELD_BIT(CF_IMAGE_MIN_DISK_GB) |
                          CF_FIELD_BIT(CF_IMAGE_MIN_RAM_MB) | CF_FIELD_BIT(CF_IMAGE_FORMAT) |
                          CF_FIELD_BIT(CF_IMAGE_CHECKSUM),
        },
    .verbs = (1u << CF_VERB_ON) | (1u << CF_VERB_OFF) | (1u << CF_VERB_OFF_HARD) |
             (1u << CF_VERB_REBOOT) | (1u << CF_VERB_REBOOT_HARD),
    .composed = 1u << CF_VERB_REBOOT_HARD,
    .consoles = cf_ucloudstack_consoles,
    .tags_apart = FALSE,
    .batch_max = 1,
    .batch_delete_max = 1,
    .tag_max = 0,
    .authenticate = cf_ucloudstack_authenticate,
    .list = cf_ucloudstack_list,
    .get_page_size = ucloudstack_get_page_size,
    .parse = ucloudstack_parse,
    .show = cf_ucloudstack_show,
    .act = cf_ucloudstack_act,
    .search = cf_ucloudstack_search,
    .can_search = ucloudstack_can_search,
    .is_secret = cf_ucloudstack_is_secret,
};
