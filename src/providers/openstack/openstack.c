/* OpenStack: Nova's servers and Glance's images, found and authenticated by Keystone v3. */
#include "providers/openstack/private.h"

#include "providers/keys.h"

#include <string.h>

#define DEADLINE_US (30 * G_USEC_PER_SEC)

extern const CfProviderOps cf_provider_openstack;

/* --- configuration ---------------------------------------------------------------------------- */

static const CfProviderKey keys[] = {
    {"auth_url", FALSE, FALSE, NULL, "Keystone: all before or with /v3, https://cloud:5000/v3."},
    {"username", FALSE, FALSE, NULL, "Name of the user."},
    {"user_id", FALSE, FALSE, NULL, "Id of the user, instead of the name."},
    {"password", TRUE, FALSE, NULL, "Password of the user."},
    {"user_domain_name", FALSE, FALSE, NULL, "Name of the user's domain."},
    {"user_domain_id", FALSE, FALSE, NULL, "Id of the user's domain; default without both."},
    {"project_name", FALSE, FALSE, NULL, "Name of the project."},
    {"project_id", FALSE, FALSE, NULL, "Id of the project, instead of the name."},
    {"project_domain_name", FALSE, FALSE, NULL, "Name of the project's domain."},
    {"project_domain_id", FALSE, FALSE, NULL, "Id of the project's domain; default without both."},
    {"application_credential_id", FALSE, FALSE, NULL,
     "Id of an application credential, instead of user and project."},
    {"application_credential_name", FALSE, FALSE, NULL,
     "Name of an application credential; with the user's keys, instead of its id."},
    {"application_credential_secret", TRUE, FALSE, NULL, "Secret of the application credential."},
    {"token", TRUE, FALSE, NULL, "A token to begin with, instead of a password."},
    {"region", FALSE, FALSE, NULL, "Region, where the catalogue has several."},
    {"interface", FALSE, FALSE, "public", "Which addresses to use: public, internal or admin."},
    {"compute_endpoint_override", FALSE, FALSE, NULL,
     "Address of the compute service, instead of the catalogue's."},
    {"image_endpoint_override", FALSE, FALSE, NULL,
     "Address of the image service, instead of the catalogue's."},
    {NULL},
};

/* ret_url: (transfer full): without slashes at its end; untouched when the key is not given. */
static gboolean
read_url(const CfProviderEnv *env, const char *key, char **ret_url, GError **error)
{
    const char *text = cf_keys_get(env, key);
    g_autofree char *url = g_strdup(text);

    if (!text)
        return TRUE;
    if (!cf_keys_check_url(env, key, text, error))
        return FALSE;
    for (gsize len = strlen(url); len > 0 && url[len - 1] == '/'; len--)
        url[len - 1] = '\0';
    *ret_url = g_steal_pointer(&url);
    return TRUE;
}

static gboolean
read_auth_url(CfOs *os, const CfProviderEnv *env, GError **error)
{
    if (!read_url(env, "auth_url", &os->auth_url, error))
        return FALSE;
    if (!os->auth_url)
        return cf_keys_wrong(env, error,
                             "‘auth_url’ is missing: where Keystone answers, such as "
                             "https://cloud.example.com:5000/v3");
    if (g_str_has_suffix(os->auth_url, "/v2.0"))
        return cf_keys_wrong(env, error,
                             "auth_url: version 2.0 of the identity service is of the past; end it "
                             "in /v3");
    if (g_str_has_suffix(os->auth_url, "/v3"))
        os->auth_url[strlen(os->auth_url) - 3] = '\0';
    return TRUE;
}

static gboolean
need(const CfProviderEnv *env, const char *what, const char *first, const char *second,
     GError **error)
{
    if (cf_keys_get(env, first) || cf_keys_get(env, second))
        return TRUE;
    return cf_keys_wrong(env, error, "‘%s’ (or ‘%s’) is missing: %s needs it", first, second, what);
}

static gboolean
check_login(const CfProviderEnv *env, GError **error)
{
    gboolean application = cf_keys_get(env, "application_credential_secret") ||
                           cf_keys_get(env, "application_credential_id") ||
                           cf_keys_get(env, "application_credential_name");

    if (application && !cf_keys_get(env, "application_credential_secret"))
        return cf_keys_wrong(env, error, "‘application_credential_secret’ is missing");
    if (application && cf_keys_get(env, "application_credential_id"))
        return TRUE;
    if (application)
        return need(env, "an application credential", "application_credential_id",
                    "application_credential_name", error) &&
               need(env, "an application credential's name", "username", "user_id", error);
    if (cf_keys_get(env, "token"))
        return TRUE;
    if (!cf_keys_get(env, "password") && !cf_keys_get(env, "username") &&
        !cf_keys_get(env, "user_id"))
        return cf_keys_wrong(env, error,
                             "no credentials; give username and password, or "
                             "application_credential_id and application_credential_secret");
    if (!cf_keys_get(env, "password"))
        return cf_keys_wrong(env, error, "‘password’ is missing");
    return need(env, "a password", "username", "user_id", error) &&
           need(env, "a password", "project_name", "project_id", error);
}

static gboolean
read_login(CfOs *os, const CfProviderEnv *env, GError **error)
{
    const struct {
        const char *key;
        char **value;
    } texts[] = {
        {"token", &os->login.token},
        {"application_credential_id", &os->login.application_credential_id},
        {"application_credential_name", &os->login.application_credential_name},
        {"application_credential_secret", &os->login.application_credential_secret},
        {"user_id", &os->login.user_id},
        {"username", &os->login.username},
        {"user_domain_id", &os->login.user_domain_id},
        {"user_domain_name", &os->login.user_domain_name},
        {"password", &os->login.password},
        {"project_id", &os->login.project_id},
        {"project_name", &os->login.project_name},
        {"project_domain_id", &os->login.project_domain_id},
        {"project_domain_name", &os->login.project_domain_name},
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i].value = g_strdup(cf_keys_get(env, texts[i].key));
    return check_login(env, error);
}

static gboolean
read_interface(CfOs *os, const CfProviderEnv *env, GError **error)
{
    static const char *const names[] = {"public", "internal", "admin", NULL};
    const char *text = cf_keys_get(env, "interface");

    os->interface = g_strdup(text ? text : "public");
    /* "publicURL" is the old name. */
    if (g_str_has_suffix(os->interface, "URL"))
        os->interface[strlen(os->interface) - 3] = '\0';
    if (g_strv_contains(names, os->interface))
        return TRUE;
    return cf_keys_wrong(env, error, "interface: ‘%s’ is none of public, internal, admin", text);
}

static gboolean
read_config(CfOs *os, const CfProviderEnv *env, GError **error)
{
    os->region = g_strdup(cf_keys_get(env, "region"));
    return read_auth_url(os, env, error) && read_login(os, env, error) &&
           read_interface(os, env, error) &&
           read_url(env, "compute_endpoint_override", &os->fixed_base[CF_OS_COMPUTE], error) &&
           read_url(env, "image_endpoint_override", &os->fixed_base[CF_OS_IMAGE], error);
}

/* --- life ------------------------------------------------------------------------------------- */

CfOs *
cf_os_ref(CfOs *os)
{
    g_atomic_ref_count_inc(&os->refs);
    return os;
}

static void
view_clear(gpointer data)
{
    CfOsView *view = data;

    if (view->flavors)
        g_hash_table_unref(view->flavors);
}

/* view: (nullable). */
static void
view_unref(CfOsView *view)
{
    if (view)
        g_atomic_rc_box_release_full(view, view_clear);
}

void
cf_os_unref(CfOs *os)
{
    if (!g_atomic_ref_count_dec(&os->refs))
        return;
    cf_token_clear(&os->token);
    cf_keystone_login_clear(&os->login);
    g_clear_error(&os->refusal);
    for (guint i = 0; i < CF_OS_SERVICE_N; i++) {
        g_free(os->fixed_base[i]);
        g_free(os->base[i]);
        g_clear_error(&os->absent[i]);
    }
    g_free(os->profile);
    g_free(os->auth_url);
    g_free(os->region);
    g_free(os->interface);
    g_free(os->project_id);
    view_unref(os->view);
    g_mutex_clear(&os->view_lock);
    g_main_context_unref(os->context);
    g_free(os);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfOs, cf_os_unref)

static gpointer
os_open(const CfProviderEnv *env, GError **error)
{
    g_autoptr(CfOs) os = g_new0(CfOs, 1);

    g_atomic_ref_count_init(&os->refs);
    g_queue_init(&os->waiting);
    g_queue_init(&os->versionless);
    g_queue_init(&os->flavorless);
    g_queue_init(&os->late);
    os->version = -1;
    g_mutex_init(&os->view_lock);
    os->profile = g_strdup(env->profile);
    os->channel = env->channel;
    os->context = g_main_context_ref(env->context ? env->context : g_main_context_default());
    os->deadline_us = env->deadline_us > 0 ? env->deadline_us : DEADLINE_US;
    os->page_size = env->page_size ? env->page_size : CF_OS_PAGE_SIZE;
    if (!read_config(os, env, error))
        return NULL;
    cf_os_update_view(os);
    return g_steal_pointer(&os);
}

/* Calls that are on their way keep the handle alive until the channel ends them. */
static void
os_close(gpointer handle)
{
    CfOs *os = handle;

    os->closed = TRUE;
    cf_os_session_close(os);
    cf_os_flavors_close(os);
    cf_os_unref(os);
}

static const char *
os_get_endpoint(gpointer handle)
{
    return ((CfOs *) handle)->auth_url;
}

static const char *
os_get_region(gpointer handle)
{
    CfOs *os = handle;

    return os->region ? os->region : g_atomic_pointer_get(&os->found_region);
}

static guint
os_get_page_size(gpointer handle, CfCollection collection)
{
    return ((CfOs *) handle)->page_size;
}

static gboolean
is_same_flavor(const CfOsFlavor *a, const CfOsFlavor *b)
{
    return g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->vcpus, b->vcpus) == 0 &&
           g_strcmp0(a->ram, b->ram) == 0 && g_strcmp0(a->disk, b->disk) == 0;
}

/* a, b: (nullable). */
static gboolean
are_same_flavors(GHashTable *a, GHashTable *b)
{
    GHashTableIter iter;
    gpointer id, flavor;

    if (a == b)
        return TRUE;
    if (!a || !b || g_hash_table_size(a) != g_hash_table_size(b))
        return FALSE;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &id, &flavor)) {
        const CfOsFlavor *other = g_hash_table_lookup(b, id);

        if (!other || !is_same_flavor(flavor, other))
            return FALSE;
    }
    return TRUE;
}

/* For images, then for servers. The project's name is interned, and so is the region's. */
static gboolean
is_same_account(const CfOsView *former, const CfOsView *view)
{
    return former->project_id == view->project_id && former->may_all == view->may_all &&
           former->region == view->region;
}

static gboolean
is_same_view(const CfOsView *former, const CfOsView *view)
{
    return is_same_account(former, view) && former->version == view->version &&
           are_same_flavors(former->flavors, view->flavors);
}

void
cf_os_update_view(CfOs *os)
{
    CfOsView *view = g_atomic_rc_box_new0(CfOsView), *former;

    view->version = os->version;
    view->project_id = g_intern_string(os->project_id);
    view->may_all = os->may_all;
    view->region = os_get_region(os);
    view->flavors = os->flavors ? g_hash_table_ref(os->flavors) : NULL;

    g_mutex_lock(&os->view_lock);
    former = os->view;
    os->view = view;
    g_mutex_unlock(&os->view_lock);
    os->n_views[CF_IMAGES] += !former || !is_same_account(former, view);
    os->n_views[CF_SERVERS] += !former || !is_same_view(former, view);
    view_unref(former);
}

static guint
os_get_view(gpointer handle, CfCollection collection)
{
    return ((CfOs *) handle)->n_views[collection];
}

CfRecord *
cf_os_parse_with(CfOs *os, CfCollection collection, CfJsonSpan text, GError **error)
{
    CfRecord *record;
    CfOsView *view;

    g_mutex_lock(&os->view_lock);
    view = g_atomic_rc_box_acquire(os->view);
    g_mutex_unlock(&os->view_lock);
    record = cf_os_parse(view, collection, text, error);
    view_unref(view);
    return record;
}

static CfRecord *
os_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    return cf_os_parse_with(handle, collection, text, error);
}

/* Nova's os-stop is graceful first and forced after a while; a hard stop it has not. */
const CfProviderOps cf_provider_openstack = {
    .name = "openstack",
    .title = "OpenStack",
    .keys = keys,
    .open = os_open,
    .close = os_close,
    .get_endpoint = os_get_endpoint,
    .get_region = os_get_region,
    .can =
        {
            [CF_SERVERS] = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) |
                           CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_TAGS) |
                           CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE) |
                           CF_CAN(CF_ACTION_LOCK) | CF_CAN(CF_ACTION_LOCK_REASON) |
                           CF_CAN(CF_ACTION_METADATA) | CF_CAN(CF_ACTION_CONSOLE_LOG),
            [CF_IMAGES] = CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) |
                          CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_DELETE),
        },
    .verbs = (1u << CF_VERB_ON) | (1u << CF_VERB_OFF) | (1u << CF_VERB_REBOOT) |
             (1u << CF_VERB_REBOOT_HARD) | (1u << CF_VERB_PAUSE) | (1u << CF_VERB_UNPAUSE) |
             (1u << CF_VERB_SUSPEND) | (1u << CF_VERB_RESUME) | (1u << CF_VERB_SHELVE) |
             (1u << CF_VERB_UNSHELVE),
    .lacks =
        {
            [CF_SERVERS] = CF_FIELD_BIT(CF_SERVER_CHARGE_TYPE) | CF_FIELD_BIT(CF_SERVER_EXPIRES),
        },
    .consoles = cf_os_consoles,
    .batch_max = 1,
    .batch_delete_max = 1,
    .tag_max = 0,
    .authenticate = cf_os_authenticate,
    .list_from = cf_os_list_from,
    .can_list_changes = {[CF_SERVERS] = TRUE},
    .get_page_size = os_get_page_size,
    .get_view = os_get_view,
    .parse = os_parse,
    .show = cf_os_show,
    .act = cf_os_act,
    .search = cf_os_search,
    .is_secret = cf_os_is_secret,
    .is_metadata_key = cf_os_is_metadata_key,
};
