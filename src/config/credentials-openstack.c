/* OpenStack's clouds.yaml with secure.yaml over it, and the variables OS_*, as the openstack
 * command understands them. A profile that says neither ‘cloud’ nor ‘auth_url’ takes what the
 * environment names. */
#include <string.h>
#include <unistd.h>

#include "config/private.h"
#include "util/error.h"
#include "util/text.h"

#define CLOUD "cloud"

static const CfCredentialsKey keys[] = {
    {CLOUD, "A cloud of clouds.yaml, as the openstack command has it, that gives what the profile "
            "lacks."},
    {0},
};

/* --- the files ------------------------------------------------------------------------------- */

typedef struct {
    char *path;
    CfYaml *yaml;            /* (nullable): there is no such file */
    const CfYamlNode *cloud; /* (nullable) of the wanted name */
} File;

static void
file_clear(File *file)
{
    g_free(file->path);
    cf_yaml_free(file->yaml);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(File, file_clear)

/* Returns: (transfer full) (nullable): the first of the standard places that has such a file. */
static char *
find_file(const char *variable, const char *base)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    g_autofree char *own = g_build_filename(g_get_user_config_dir(), "openstack", NULL);
    /* Also when XDG_CONFIG_HOME names another place. */
    g_autofree char *usual = g_build_filename(g_get_home_dir(), ".config", "openstack", NULL);
    const char *const directories[] = {".", own, usual, "/etc/openstack"};
    const char *named = g_getenv(variable);

    if (named && *named && access(named, F_OK) == 0)
        return g_strdup(named);
    for (guint d = 0; d < G_N_ELEMENTS(directories); d++) {
        for (guint e = 0; e < G_N_ELEMENTS(endings); e++) {
            g_autofree char *name = g_strconcat(base, endings[e], NULL);
            g_autofree char *path = g_build_filename(directories[d], name, NULL);

            if (access(path, F_OK) == 0)
                return g_canonicalize_filename(path, NULL);
        }
    }
    return NULL;
}

/* JSON is YAML. */
static gboolean
file_read(File *file, const char *variable, const char *base, const char *cloud, GError **error)
{
    const CfYamlNode *clouds;

    *file = (File){.path = find_file(variable, base)};
    if (!file->path)
        return TRUE;
    file->yaml = cf_credentials_read_yaml(file->path, error);
    if (!file->yaml)
        return FALSE;
    clouds = cf_yaml_get(file->yaml, cf_yaml_get_root(file->yaml), "clouds");
    file->cloud = cf_yaml_get(file->yaml, clouds, cloud);
    return TRUE;
}

/* ret_text: (nullable) where it says nothing. section: (nullable). */
static gboolean
get_text(const File *file, const char *section, const char *key, const char **ret_text,
         GError **error)
{
    const CfYamlNode *mapping = file->cloud, *node;

    *ret_text = NULL;
    if (section)
        mapping = cf_yaml_get(file->yaml, mapping, section);
    node = mapping ? cf_yaml_get(file->yaml, mapping, key) : NULL;
    if (node && cf_yaml_get_kind(node) != CF_YAML_SCALAR)
        return cf_yaml_fail(file->yaml, node, error, "‘%s’ takes one value", key);
    *ret_text = cf_yaml_get_text(node);
    if (*ret_text && !**ret_text)
        *ret_text = NULL;
    return TRUE;
}

/* --- what they give -------------------------------------------------------------------------- */

static const struct {
    const char *theirs, *ours;
} of_auth[] = {
    {"auth_url", "auth_url"},
    {"username", "username"},
    {"user_id", "user_id"},
    {"user_domain_name", "user_domain_name"},
    {"user_domain_id", "user_domain_id"},
    {"project_name", "project_name"},
    {"project_id", "project_id"},
    {"tenant_name", "project_name"},
    {"tenant_id", "project_id"},
    {"project_domain_name", "project_domain_name"},
    {"project_domain_id", "project_domain_id"},
    {"application_credential_id", "application_credential_id"},
    {"application_credential_name", "application_credential_name"},
};

/* Two ways to say the same: who says it in one of them does not get the other. */
static const struct {
    const char *id, *name;
} pairs[] = {
    {"user_id", "username"},
    {"user_domain_id", "user_domain_name"},
    {"project_id", "project_name"},
    {"project_domain_id", "project_domain_name"},
    {"application_credential_id", "application_credential_name"},
};

static const struct {
    const char *theirs, *ours;
} of_cloud[] = {
    {"region_name", "region"},
    {"interface", "interface"},
    {"endpoint_type", "interface"},
    {"compute_endpoint_override", "compute_endpoint_override"},
    {"image_endpoint_override", "image_endpoint_override"},
};

/* The ways to authenticate, and the secret that each needs; others than these we have not. */
static const struct {
    const char *type, *secret;
} ways[] = {
    {"password", "password"},
    {"v3password", "password"},
    {"v3applicationcredential", "application_credential_secret"},
    {"token", "token"},
    {"v3token", "token"},
};

/* What says which of these ways the profile has chosen, the first one counts. A way's other keys
 * are not taken from elsewhere: they would make somebody else of the user. */
typedef enum { WAY_ANY, WAY_CREDENTIAL, WAY_TOKEN, WAY_PASSWORD } Way;

static const struct {
    const char *key;
    Way way;
    gboolean alone; /* only that way has it */
} ways_of_keys[] = {
    {"application_credential_id", WAY_CREDENTIAL, TRUE},
    {"application_credential_name", WAY_CREDENTIAL, TRUE},
    {"application_credential_secret", WAY_CREDENTIAL, TRUE},
    {"token", WAY_TOKEN, TRUE},
    {"password", WAY_PASSWORD, TRUE},
    {"username", WAY_PASSWORD, FALSE},
    {"user_id", WAY_PASSWORD, FALSE},
};

/* What stands in a cloud and cannot be done here. */
static const struct {
    const char *section, *key, *why;
} refused[] = {
    {NULL, "profile",
     "a vendor's profile is not known here: write out what it stands for, above "
     "all auth_url"},
    {NULL, "cert", "client certificates are not supported"},
    {NULL, "key", "client certificates are not supported"},
    {"auth", "system_scope", "servers and images belong to projects: give project_name"},
    {"auth", "trust_id", "trusts are not supported"},
};

static gboolean
is_true(const char *text)
{
    static const char *const words[] = {"true", "yes", "on", "1", NULL};
    g_autofree char *lower = text ? g_ascii_strdown(text, -1) : NULL;

    return lower && g_strv_contains(words, lower);
}

static gboolean
is_false(const char *text)
{
    static const char *const words[] = {"false", "no", "off", "0", NULL};
    g_autofree char *lower = text ? g_ascii_strdown(text, -1) : NULL;

    return lower && g_strv_contains(words, lower);
}

/* type: (nullable). secret: whether it belongs to that way to authenticate. */
static gboolean
is_secret_of(const char *type, const char *secret)
{
    if (!type)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++)
        if (strcmp(ways[i].type, type) == 0)
            return strcmp(ways[i].secret, secret) == 0;
    return FALSE;
}

static gboolean
is_known_type(const char *type)
{
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++)
        if (strcmp(ways[i].type, type) == 0)
            return TRUE;
    return FALSE;
}

static gboolean
has_other_way(CfProfile *profile, const char *key)
{
    Way own = WAY_ANY, needed = WAY_ANY;

    for (guint i = 0; i < G_N_ELEMENTS(ways_of_keys); i++) {
        if (own == WAY_ANY && cf_profile_says(profile, ways_of_keys[i].key))
            own = ways_of_keys[i].way;
        if (ways_of_keys[i].alone && strcmp(ways_of_keys[i].key, key) == 0)
            needed = ways_of_keys[i].way;
    }
    return own != WAY_ANY && needed != WAY_ANY && own != needed;
}

/* What the profile itself says wins, also when it says it in other words. text: (nullable). */
static void
fill(CfProfile *profile, const char *key, const char *text, const char *from)
{
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++)
        if ((strcmp(key, pairs[i].id) == 0 && cf_profile_says(profile, pairs[i].name)) ||
            (strcmp(key, pairs[i].name) == 0 && cf_profile_says(profile, pairs[i].id)))
            return;
    if (!has_other_way(profile, key))
        cf_profile_fill(profile, key, text, from);
}

/* Who names certificates, or insists on them, wants them looked at. */
static void
fill_tls(CfProfile *profile, const char *cacert, gboolean insecure)
{
    if (profile->options.cacert || profile->options.insecure_set)
        return;
    if (cacert)
        profile->options.cacert = cf_config_expand_path(NULL, cacert);
    else if (insecure)
        profile->options.insecure = TRUE;
}

/* The domain of both the user and the project, where they have none of their own. Each (nullable).
 */
static void
fill_domain(CfProfile *profile, const char *id, const char *name, const char *from)
{
    static const char *const keys_of[][2] = {{"user_domain_id", "user_domain_name"},
                                             {"project_domain_id", "project_domain_name"}};

    for (guint i = 0; i < G_N_ELEMENTS(keys_of); i++) {
        if (cf_profile_has(profile, keys_of[i][0]) || cf_profile_has(profile, keys_of[i][1]))
            continue;
        if (id)
            cf_profile_fill(profile, keys_of[i][0], id, from);
        else
            cf_profile_fill(profile, keys_of[i][1], name, from);
    }
}

/* The first of several regions. */
static void
fill_region(CfProfile *profile, const File *file)
{
    const CfYamlNode *regions = cf_yaml_get(file->yaml, file->cloud, "regions");
    const CfYamlNode *first = regions ? cf_yaml_get_member(file->yaml, regions, 0, NULL) : NULL;
    const char *text = cf_yaml_get_text(first);

    if (!text && first)
        text = cf_yaml_get_text(cf_yaml_get(file->yaml, first, "name"));
    cf_profile_fill(profile, "region", text, file->path);
}

static gboolean
fill_secrets(CfProfile *profile, const File *file, const char *type, GError **error)
{
    static const char *const secrets[] = {"password", "token", "application_credential_secret"};
    const char *text;

    for (guint i = 0; i < G_N_ELEMENTS(secrets); i++) {
        if (!get_text(file, "auth", secrets[i], &text, error))
            return FALSE;
        if (is_secret_of(type, secrets[i]))
            fill(profile, secrets[i], text, file->path);
    }
    return TRUE;
}

/* Of the section ‘auth’, or of the cloud itself, where older files have it. */
static gboolean
get_auth(const File *file, const char *key, const char **ret_text, GError **error)
{
    return get_text(file, "auth", key, ret_text, error) &&
           (*ret_text || get_text(file, NULL, key, ret_text, error));
}

static gboolean
fill_domains(CfProfile *profile, const File *file, GError **error)
{
    const char *id, *name, *usual;

    if (!get_auth(file, "domain_id", &id, error) || !get_auth(file, "domain_name", &name, error) ||
        !get_auth(file, "default_domain", &usual, error))
        return FALSE;
    fill_domain(profile, id, name, file->path);
    fill_domain(profile, usual, NULL, file->path);
    return TRUE;
}

static gboolean
fill_cloud(CfProfile *profile, const File *file, const char *type, GError **error)
{
    const char *text, *verify, *insecure, *cacert;

    for (guint i = 0; i < G_N_ELEMENTS(of_auth); i++) {
        if (!get_auth(file, of_auth[i].theirs, &text, error))
            return FALSE;
        fill(profile, of_auth[i].ours, text, file->path);
    }
    for (guint i = 0; i < G_N_ELEMENTS(of_cloud); i++) {
        if (!get_text(file, NULL, of_cloud[i].theirs, &text, error))
            return FALSE;
        cf_profile_fill(profile, of_cloud[i].ours, text, file->path);
    }
    if (!get_text(file, NULL, "verify", &verify, error) ||
        !get_text(file, NULL, "insecure", &insecure, error) ||
        !get_text(file, NULL, "cacert", &cacert, error))
        return FALSE;
    fill_region(profile, file);
    fill_tls(profile, cacert, is_false(verify) || is_true(insecure));
    return fill_domains(profile, file, error) && fill_secrets(profile, file, type, error);
}

static gboolean
check_cloud(const File *file, GError **error)
{
    const char *text;

    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        if (!get_text(file, refused[i].section, refused[i].key, &text, error))
            return FALSE;
        if (text)
            return cf_yaml_fail(file->yaml, file->cloud, error, "‘%s’: %s", refused[i].key,
                                refused[i].why);
    }
    if (!get_text(file, NULL, "identity_api_version", &text, error))
        return FALSE;
    if (text && *text == '2')
        return cf_yaml_fail(file->yaml, file->cloud, error,
                            "identity_api_version 2 is of the past; 3 is needed");
    return TRUE;
}

/* secure.yaml wins, hence it fills in first. type: (transfer none) (nullable). */
static gboolean
get_type(const File *clouds, const File *secure, const char **ret_type, GError **error)
{
    if (!get_text(secure, NULL, "auth_type", ret_type, error) ||
        (!*ret_type && !get_text(clouds, NULL, "auth_type", ret_type, error)))
        return FALSE;
    if (!*ret_type || is_known_type(*ret_type))
        return TRUE;
    return cf_yaml_fail(clouds->yaml, clouds->cloud, error,
                        "auth_type ‘%.64s’ is none of password, v3applicationcredential, token",
                        *ret_type);
}

static gboolean
read_cloud(CfProfile *profile, const char *name, GError **error)
{
    g_auto(File) clouds = {0};
    g_auto(File) secure = {0};
    const char *type;

    if (!file_read(&clouds, "OS_CLIENT_CONFIG_FILE", "clouds", name, error) ||
        !file_read(&secure, "OS_CLIENT_SECURE_FILE", "secure", name, error))
        return FALSE;
    if (!clouds.yaml) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                    "there is no clouds.yaml: not here, not in ~/.config/openstack, not in "
                    "/etc/openstack, and OS_CLIENT_CONFIG_FILE names none");
        return FALSE;
    }
    if (!clouds.cloud || cf_yaml_get_kind(clouds.cloud) != CF_YAML_MAPPING)
        return cf_yaml_fail(clouds.yaml, clouds.cloud, error, "there is no cloud ‘%.200s’", name);
    return check_cloud(&clouds, error) && get_type(&clouds, &secure, &type, error) &&
           fill_cloud(profile, &secure, type, error) && fill_cloud(profile, &clouds, type, error);
}

/* --- the environment ------------------------------------------------------------------------- */

static const struct {
    const char *variable, *key;
} of_environment[] = {
    {"OS_AUTH_URL", "auth_url"},
    {"OS_USERNAME", "username"},
    {"OS_USER_ID", "user_id"},
    {"OS_USER_DOMAIN_NAME", "user_domain_name"},
    {"OS_USER_DOMAIN_ID", "user_domain_id"},
    {"OS_PROJECT_NAME", "project_name"},
    {"OS_PROJECT_ID", "project_id"},
    {"OS_TENANT_NAME", "project_name"},
    {"OS_TENANT_ID", "project_id"},
    {"OS_PROJECT_DOMAIN_NAME", "project_domain_name"},
    {"OS_PROJECT_DOMAIN_ID", "project_domain_id"},
    {"OS_APPLICATION_CREDENTIAL_ID", "application_credential_id"},
    {"OS_APPLICATION_CREDENTIAL_NAME", "application_credential_name"},
    {"OS_REGION_NAME", "region"},
    {"OS_INTERFACE", "interface"},
    {"OS_ENDPOINT_TYPE", "interface"},
};

static const struct {
    const char *variable, *key;
} secrets_of_environment[] = {
    {"OS_PASSWORD", "password"},
    {"OS_TOKEN", "token"},
    {"OS_APPLICATION_CREDENTIAL_SECRET", "application_credential_secret"},
};

/* Returns: (transfer none) (nullable): NULL also for an empty one. */
static const char *
get_variable(const char *name)
{
    const char *value = g_getenv(name);

    return value && *value ? value : NULL;
}

static gboolean
read_environment(CfProfile *profile, GError **error)
{
    const char *type = get_variable("OS_AUTH_TYPE"), *version;

    if (type && !is_known_type(type)) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                    "OS_AUTH_TYPE ‘%.64s’ is none of password, v3applicationcredential, token",
                    type);
        return FALSE;
    }
    version = get_variable("OS_IDENTITY_API_VERSION");
    if (get_variable("OS_CERT") || get_variable("OS_KEY") || (version && *version == '2')) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s",
                    version && *version == '2'
                        ? "OS_IDENTITY_API_VERSION 2 is of the past; 3 is needed"
                        : "OS_CERT, OS_KEY: client certificates are not supported");
        return FALSE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(of_environment); i++)
        fill(profile, of_environment[i].key, get_variable(of_environment[i].variable),
             of_environment[i].variable);
    fill_domain(profile, get_variable("OS_DOMAIN_ID"), get_variable("OS_DOMAIN_NAME"),
                get_variable("OS_DOMAIN_ID") ? "OS_DOMAIN_ID" : "OS_DOMAIN_NAME");
    for (guint i = 0; i < G_N_ELEMENTS(secrets_of_environment); i++)
        if (is_secret_of(type, secrets_of_environment[i].key))
            fill(profile, secrets_of_environment[i].key,
                 get_variable(secrets_of_environment[i].variable),
                 secrets_of_environment[i].variable);
    fill_tls(profile, get_variable("OS_CACERT"), is_true(get_variable("OS_INSECURE")));
    return TRUE;
}

/* --- which of them --------------------------------------------------------------------------- */

static gboolean
is_named(CfProfile *profile)
{
    if (cf_profile_has(profile, CLOUD))
        return TRUE;
    return !cf_profile_has(profile, "auth_url") &&
           (get_variable("OS_CLOUD") || get_variable("OS_AUTH_URL"));
}

static gboolean
read_any(CfProfile *profile, GError **error)
{
    const char *cloud = cf_profile_get(profile, CLOUD);
    g_autoptr(GError) own_error = NULL;

    if (cloud) {
        if (read_cloud(profile, cloud, &own_error))
            return TRUE;
        return cf_profile_fail(profile, CLOUD, error, own_error->message);
    }
    /* As with the openstack command, a variable wins over what the cloud of OS_CLOUD says. */
    cloud = get_variable("OS_CLOUD");
    if (read_environment(profile, &own_error) &&
        (!cloud || read_cloud(profile, cloud, &own_error))) {
        fill_domain(profile, get_variable("OS_DEFAULT_DOMAIN"), NULL, "OS_DEFAULT_DOMAIN");
        return TRUE;
    }
    return cf_profile_fail(profile, cloud ? "OS_CLOUD" : "OS_AUTH_URL", error, own_error->message);
}

/* --- no configuration at all ----------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the value of "cloud=" in -o. */
static char *
find_override(const char *overrides)
{
    g_autoptr(GPtrArray) entries = overrides ? cf_keyfile_split_options(overrides) : NULL;

    for (guint i = 0; entries && i < entries->len; i++) {
        const CfKeyfileEntry *entry = g_ptr_array_index(entries, i);

        if (strcmp(entry->key, CLOUD) == 0 && entry->value && *entry->value)
            return g_strdup(entry->value);
    }
    return NULL;
}

/* A name that can stand in brackets and in the tree. */
static const char *
group_name(const char *cloud)
{
    return strpbrk(cloud, "[]/\n\r\t") || *cloud == '.' || strcmp(cloud, CF_CONFIG_DEFAULTS) == 0 ||
                   !g_utf8_validate(cloud, -1, NULL)
               ? "openstack"
               : cloud;
}

static char *
make_config(const char *overrides, gboolean with_environment)
{
    g_autofree char *cloud = find_override(overrides);
    const char *name;

    if (cloud)
        return g_strdup_printf("[%s]\nprovider = openstack\n", group_name(cloud));
    if (!with_environment || (!get_variable("OS_CLOUD") && !get_variable("OS_AUTH_URL")))
        return NULL;
    name = get_variable("OS_CLOUD");
    if (!name)
        name = get_variable("OS_CLOUD_NAME");
    return g_strdup_printf("[%s]\nprovider = openstack\n", group_name(name ? name : "envvars"));
}

const CfCredentials cf_credentials_openstack = {
    .provider = "openstack",
    .keys = keys,
    .is_named = is_named,
    .read = read_any,
    .make_config = make_config,
};
