/* ~/.qingcloud/config.yaml, as qingcloud-cli and the SDKs have it: one flat mapping. */
#include <string.h>

#include "config/credentials.h"
#include "util/text.h"

#define KEY "credentials"

/* Of the SDKs, for a file that names only some of the endpoint's parts. */
#define DEFAULT_HOST "api.qingcloud.com"
#define DEFAULT_PROTOCOL "https"
#define DEFAULT_URI "/iaas"

static const CfCredentialsKey keys[] = {
    {KEY, "A file of qingcloud-cli that gives what the profile lacks: ~/.qingcloud/config.yaml."},
    {0},
};

static const struct {
    const char *theirs;
    const char *ours;
} plain[] = {
    {"qy_access_key_id", "access_key"},
    {"qy_secret_access_key", "secret_key"},
    {"zone", "zone"},
};

/* ret_text: (transfer none) (nullable): NULL where the file says nothing. */
static gboolean
get_text(CfYaml *yaml, const char *key, const char **ret_text, GError **error)
{
    const CfYamlNode *node = cf_yaml_get(yaml, cf_yaml_get_root(yaml), key);

    *ret_text = NULL;
    if (node && cf_yaml_get_kind(node) != CF_YAML_SCALAR)
        return cf_yaml_fail(yaml, node, error, "‘%s’ takes one value", key);
    *ret_text = cf_yaml_get_text(node);
    if (*ret_text && !**ret_text)
        *ret_text = NULL;
    return TRUE;
}

static gboolean
check_port(CfYaml *yaml, const char *port, GError **error)
{
    if (!port)
        return TRUE;
    if (strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5 &&
        g_ascii_strtoull(port, NULL, 10) >= 1 && g_ascii_strtoull(port, NULL, 10) <= 65535)
        return TRUE;
    return cf_yaml_fail(yaml, cf_yaml_get(yaml, cf_yaml_get_root(yaml), "port"), error,
                        "‘port’ is not between 1 and 65535");
}

/* protocol, host, port and uri as one URL; NULL when the file has none of them. */
static gboolean
get_endpoint(CfYaml *yaml, char **ret_endpoint, GError **error)
{
    const char *protocol = NULL, *host = NULL, *port = NULL, *uri = NULL;
    gboolean bare;

    if (!get_text(yaml, "protocol", &protocol, error) || !get_text(yaml, "host", &host, error) ||
        !get_text(yaml, "port", &port, error) || !get_text(yaml, "uri", &uri, error) ||
        !check_port(yaml, port, error))
        return FALSE;
    *ret_endpoint = NULL;
    if (!protocol && !host && !port && !uri)
        return TRUE;
    if (protocol && strcmp(protocol, "https") != 0 && strcmp(protocol, "http") != 0)
        return cf_yaml_fail(yaml, cf_yaml_get(yaml, cf_yaml_get_root(yaml), "protocol"), error,
                            "‘protocol’ is neither https nor http");
    protocol = protocol ? protocol : DEFAULT_PROTOCOL;
    host = host ? host : DEFAULT_HOST;
    uri = uri ? uri : DEFAULT_URI;
    /* The port that goes without saying is left out: it is no part of what people compare. */
    if (port && strcmp(port, strcmp(protocol, "https") == 0 ? "443" : "80") == 0)
        port = NULL;
    bare = strchr(host, ':') && *host != '['; /* an IPv6 address */
    *ret_endpoint =
        g_strconcat(protocol, "://", bare ? "[" : "", host, bare ? "]" : "", port ? ":" : "",
                    port ? port : "", *uri == '/' ? "" : "/", uri, NULL);
    return TRUE;
}

static gboolean
take(CfProfile *profile, CfYaml *yaml, const char *path, GError **error)
{
    const CfYamlNode *root = cf_yaml_get_root(yaml);
    g_autofree char *endpoint = NULL;

    if (!root || cf_yaml_get_kind(root) != CF_YAML_MAPPING)
        return cf_yaml_fail(yaml, root, error, "no ‘KEY: VALUE’ lines");
    if (!get_endpoint(yaml, &endpoint, error))
        return FALSE;
    cf_profile_fill(profile, "endpoint", endpoint, path);
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++) {
        const char *text = NULL;

        if (!get_text(yaml, plain[i].theirs, &text, error))
            return FALSE;
        cf_profile_fill(profile, plain[i].ours, text, path);
    }
    return TRUE;
}

static gboolean
read_files(CfProfile *profile, GError **error)
{
    g_autofree char *path = cf_profile_get_path(profile, KEY);
    g_autoptr(GError) own_error = NULL;
    g_autoptr(CfYaml) yaml = cf_credentials_read_yaml(path, &own_error);

    if (yaml && take(profile, yaml, path, &own_error))
        return TRUE;
    return cf_profile_fail(profile, KEY, error, own_error->message);
}

const CfCredentials cf_credentials_qingcloud = {
    .provider = "qingcloud",
    .keys = keys,
    .read = read_files,
};
