#include "config/credentials.h"

#include <string.h>

#include "config/private.h"
#include "util/error.h"
#include "util/text.h"

static const CfCredentials *const formats[] = {
    &cf_credentials_openstack,
    &cf_credentials_qingcloud,
    &cf_credentials_ucloudstack,
};

const CfCredentials *
cf_credentials_find(const char *provider)
{
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i]->provider, provider) == 0)
            return formats[i];
    return NULL;
}

const CfCredentialsKey *
cf_credentials_get_keys(const char *provider)
{
    static const CfCredentialsKey none[] = {{0}};
    const CfCredentials *credentials = cf_credentials_find(provider);

    return credentials ? credentials->keys : none;
}

gboolean
cf_credentials_is_named(const CfCredentials *credentials, CfProfile *profile)
{
    if (credentials->is_named)
        return credentials->is_named(profile);
    for (const CfCredentialsKey *key = credentials->keys; key->name; key++)
        if (cf_profile_has(profile, key->name))
            return TRUE;
    return FALSE;
}

char *
cf_credentials_make_config(const char *overrides, gboolean with_environment)
{
    char *text = NULL;

    for (guint i = 0; !text && i < G_N_ELEMENTS(formats); i++)
        if (formats[i]->make_config)
            text = formats[i]->make_config(overrides, with_environment);
    return text;
}

/* --- files ----------------------------------------------------------------------------------- */

static void
wipe(char *data, gsize size)
{
    explicit_bzero(data, size);
    g_free(data);
}

CfYaml *
cf_credentials_read_yaml(const char *path, GError **error)
{
    gsize size;
    char *data = cf_secret_read_private_file(path, CF_CREDENTIALS_MAX_BYTES, &size, error);
    CfYaml *yaml;

    if (!data)
        return NULL;
    yaml = cf_yaml_parse(path, data, size, error);
    wipe(data, size);
    return yaml;
}

guint
cf_credentials_find_line(const char *text, gsize offset)
{
    guint line = 1;

    for (gsize i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

gboolean
cf_credentials_read_json(const char *path, char **ret_text, CfJsonSpan *ret_span, GError **error)
{
    gsize size, fault = 0;
    char *data = cf_secret_read_private_file(path, CF_CREDENTIALS_MAX_BYTES, &size, error);
    const char *why;

    if (!data)
        return FALSE;
    why = cf_json_find_fault(data, size, ret_span, &fault);
    if (!why && memchr(data, '\0', size))
        why = "a NUL byte";
    if (why) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s:%u: no JSON: %s", path,
                    cf_credentials_find_line(data, fault), why);
        wipe(data, size);
        return FALSE;
    }
    *ret_text = data;
    return TRUE;
}
