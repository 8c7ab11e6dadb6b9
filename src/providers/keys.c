#include "providers/keys.h"

#include "util/error.h"

#include <string.h>

const char *
cf_keys_get(const CfProviderEnv *env, const char *key)
{
    const char *value = env->get(env->config, key);

    return value && *value ? value : NULL;
}

const char *
cf_keys_get_or(const CfProviderEnv *env, const char *key, const char *fallback)
{
    const char *value = cf_keys_get(env, key);

    return value ? value : fallback;
}

gboolean
cf_keys_wrong(const CfProviderEnv *env, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "[%s] %s", env->profile, text);
    return FALSE;
}

gboolean
cf_keys_is_printable(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p <= 0x20 || (guchar) *p >= 0x7f)
            return FALSE;
    return TRUE;
}

gboolean
cf_keys_check_url(const CfProviderEnv *env, const char *key, const char *text, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    const char *scheme = uri ? g_uri_get_scheme(uri) : NULL;

    if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) ||
        !g_uri_get_host(uri) || !*g_uri_get_host(uri) || !cf_keys_is_printable(text))
        return cf_keys_wrong(env, error, "%s: ‘%s’ is no URL; it begins with https://", key,
                             strchr(text, '@') ? "***" : text);
    if (g_uri_get_userinfo(uri))
        return cf_keys_wrong(env, error,
                             "%s: a user name or password in it would be shown; use the profile's "
                             "keys for it",
                             key);
    if (g_uri_get_query(uri) || g_uri_get_fragment(uri))
        return cf_keys_wrong(env, error, "%s: leave out what stands from ‘?’ or ‘#’ on", key);
    return TRUE;
}
