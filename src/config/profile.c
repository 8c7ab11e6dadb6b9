#include "config/private.h"

#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "util/text.h"

static void
profile_key_free(CfProfileKey *key)
{
    g_free(key->from);
    cf_text_wipe(key->value);
    g_free(key);
}

void
cf_profile_free(CfProfile *profile)
{
    if (!profile)
        return;
    g_free(profile->name);
    cf_options_clear(&profile->options);
    g_ptr_array_unref(profile->keys);
    g_free(profile);
}

static void
add_key(CfProfile *profile, const CfConfigKey *spec)
{
    CfProfileKey *key = g_new0(CfProfileKey, 1);

    key->spec = *spec;
    g_ptr_array_add(profile->keys, key);
}

CfProfile *
cf_profile_new(const CfConfig *config, const CfKeyfileGroup *group, const CfConfigSchema *schema)
{
    CfProfile *profile = g_new0(CfProfile, 1);

    profile->config = config;
    profile->name = g_strdup(group->name);
    profile->line = group->line;
    profile->provider = schema->provider;
    profile->keys = g_ptr_array_new_with_free_func((GDestroyNotify) profile_key_free);
    cf_options_init(&profile->options);
    for (const CfConfigKey *spec = schema->keys; spec && spec->name; spec++)
        add_key(profile, spec);
    for (const CfCredentialsKey *key = cf_credentials_get_keys(schema->provider); key->name; key++)
        add_key(profile, &(CfConfigKey){.name = key->name});
    return profile;
}

/* --- its keys ------------------------------------------------------------------------------- */

CfProfileKey *
cf_profile_find_key(CfProfile *profile, const char *name, CfSecretSource *ret_source)
{
    *ret_source = CF_SECRET_SOURCE_N;
    for (guint i = 0; i < profile->keys->len; i++) {
        CfProfileKey *key = g_ptr_array_index(profile->keys, i);

        if (strcmp(key->spec.name, name) == 0)
            return key;
    }
    for (guint i = 0; i < profile->keys->len; i++) {
        CfProfileKey *key = g_ptr_array_index(profile->keys, i);
        gsize size = strlen(key->spec.name);

        if (!key->spec.secret || strncmp(name, key->spec.name, size) != 0)
            continue;
        for (*ret_source = 0; *ret_source < CF_SECRET_SOURCE_N; (*ret_source)++)
            if (strcmp(name + size, cf_secret_suffix(*ret_source)) == 0)
                return key;
    }
    return NULL;
}

static gboolean
set_key(CfProfile *profile, CfProfileKey *key, CfSecretSource source, const CfKeyfileEntry *entry,
        GError **error)
{
    const CfConfig *config = profile->config;
    gboolean elsewhere = source != CF_SECRET_SOURCE_N;

    if (key->kind != CF_KEY_UNSET)
        return cf_config_fail(
            config, entry->line, error,
            "‘%s’ in [%s] gives the ‘%s’ that line %u gives already: keep one of them", entry->key,
            profile->name, key->spec.name, key->line);
    if (!*entry->value)
        return cf_config_fail(config, entry->line, error, "‘%s’ in [%s] has no value", entry->key,
                              profile->name);
    key->kind = elsewhere ? CF_KEY_ELSEWHERE : CF_KEY_INLINE;
    key->line = entry->line;
    key->source = source;
    if (elsewhere)
        key->from = g_strdup(entry->value);
    else
        key->value = g_strdup(entry->value);
    if (key->spec.secret && !elsewhere)
        cf_log_add_secret(key->value);
    cf_config_hide_password(key->value);
    return TRUE;
}

gboolean
cf_profile_take_entry(CfProfile *profile, const CfConfigSchema *schema, const CfKeyfileEntry *entry,
                      GError **error)
{
    const CfOption *option = cf_option_find(entry->key);
    g_autofree char *suggestion = NULL;
    CfSecretSource source;
    CfProfileKey *key;

    if (strcmp(entry->key, "provider") == 0)
        return TRUE;
    if (option && cf_option_is_of_mount(option))
        return cf_config_fail(profile->config, entry->line, error,
                              "‘%s’ is of the whole mount: it belongs under [" CF_CONFIG_DEFAULTS
                              "], not into [%s]",
                              entry->key, profile->name);
    if (option)
        return cf_config_set_option(profile->config, option, &profile->options, entry,
                                    profile->name, error);
    key = cf_profile_find_key(profile, entry->key, &source);
    if (key)
        return set_key(profile, key, source, entry, error);
    suggestion = cf_config_suggest(entry->key, &schema, 1, FALSE, FALSE);
    return cf_config_fail(profile->config, entry->line, error, "unknown key ‘%s’ in [%s]%s",
                          entry->key, profile->name, suggestion);
}

/* --- systemd credentials --------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the path of such a credential, if there is one. */
static char *
find_credential(const char *name)
{
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = NULL;

    if (!directory || !*directory)
        return NULL;
    path = g_build_filename(directory, name, NULL);
    return access(path, F_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

/* One that bears the profile's name is meant for it; one that does not is for whoever lacks it. */
static gboolean
take_credential(CfProfile *profile, CfProfileKey *key, GError **error)
{
    g_autofree char *name = g_strconcat(profile->name, ".", key->spec.name, NULL);
    g_autofree char *path = find_credential(name);

    if (path && key->kind != CF_KEY_UNSET)
        return cf_config_fail(
            profile->config, key->line, error,
            "[%s] gives the ‘%s’ that the systemd credential ‘%s’ gives: keep one of them",
            profile->name, key->spec.name, name);
    if (!path && key->kind == CF_KEY_UNSET)
        path = find_credential(key->spec.name);
    if (path) {
        key->kind = CF_KEY_CREDENTIAL;
        key->from = g_steal_pointer(&path);
    }
    return TRUE;
}

/* Looks whether something is missing. filled: also after other programs' files were read. */
static gboolean
check_required(CfProfile *profile, gboolean filled, GError **error)
{
    for (guint i = 0; i < profile->keys->len; i++) {
        const CfProfileKey *key = g_ptr_array_index(profile->keys, i);

        if (key->kind != CF_KEY_UNSET || !key->spec.required || key->spec.fallback)
            continue;
        if (filled)
            return cf_config_fail(profile->config, profile->line, error,
                                  "[%s] lacks ‘%s’, and the files that it names do not give it",
                                  profile->name, key->spec.name);
        if (key->spec.secret)
            return cf_config_fail(profile->config, profile->line, error,
                                  "[%s] lacks ‘%s’ (or ‘%s_file’, ‘%s_env’, ‘%s_command’)",
                                  profile->name, key->spec.name, key->spec.name, key->spec.name,
                                  key->spec.name);
        return cf_config_fail(profile->config, profile->line, error, "[%s] lacks ‘%s’",
                              profile->name, key->spec.name);
    }
    return TRUE;
}

/* The other program's files that profile names, if it does. Returns: (transfer none) (nullable). */
static const CfCredentials *
find_credentials(CfProfile *profile)
{
    const CfCredentials *credentials = cf_credentials_find(profile->provider);

    return credentials && cf_credentials_is_named(credentials, profile) ? credentials : NULL;
}

gboolean
cf_profile_complete(CfProfile *profile, GError **error)
{
    for (guint i = 0; i < profile->keys->len; i++) {
        CfProfileKey *key = g_ptr_array_index(profile->keys, i);

        if (key->spec.secret && !take_credential(profile, key, error))
            return FALSE;
    }
    /* What is missing now may stand in the files that are read later. */
    return find_credentials(profile) || check_required(profile, FALSE, error);
}

const char *
cf_profile_get_name(CfProfile *profile)
{
    return profile->name;
}

const char *
cf_profile_get_provider(CfProfile *profile)
{
    return profile->provider;
}

const CfOptions *
cf_profile_get_options(CfProfile *profile)
{
    return &profile->options;
}

const char *
cf_profile_get(CfProfile *profile, const char *name)
{
    CfSecretSource source;
    const CfProfileKey *key = cf_profile_find_key(profile, name, &source);

    if (!key || source != CF_SECRET_SOURCE_N || (key->spec.secret && !profile->secrets_read))
        return NULL;
    return key->value ? key->value : key->spec.fallback;
}

/* --- other programs' files ------------------------------------------------------------------- */

gboolean
cf_profile_has(CfProfile *profile, const char *name)
{
    CfSecretSource source;
    const CfProfileKey *key = cf_profile_find_key(profile, name, &source);

    return key && source == CF_SECRET_SOURCE_N && key->kind != CF_KEY_UNSET;
}

gboolean
cf_profile_says(CfProfile *profile, const char *name)
{
    CfSecretSource source;
    const CfProfileKey *key = cf_profile_find_key(profile, name, &source);

    return cf_profile_has(profile, name) && key->kind != CF_KEY_FILLED;
}

void
cf_profile_fill(CfProfile *profile, const char *name, const char *value, const char *from)
{
    CfSecretSource source;
    CfProfileKey *key = cf_profile_find_key(profile, name, &source);

    if (!key || source != CF_SECRET_SOURCE_N || key->kind != CF_KEY_UNSET || !value || !*value)
        return;
    key->kind = CF_KEY_FILLED;
    key->from = g_strdup(from);
    key->value = g_strdup(value);
    if (key->spec.secret)
        cf_log_add_secret(value);
    cf_config_hide_password(value);
}

char *
cf_profile_get_path(CfProfile *profile, const char *name)
{
    CfSecretSource source;
    const CfProfileKey *key = cf_profile_find_key(profile, name, &source);
    const CfCredentialsKey *own = cf_credentials_get_keys(profile->provider);
    const char *value = key ? key->value : NULL;

    for (; !value && own->name; own++)
        if (strcmp(own->name, name) == 0)
            value = own->fallback;
    if (!value)
        return NULL;
    return cf_config_expand_path(
        key && key->kind == CF_KEY_OVERRIDE ? NULL : profile->config->directory, value);
}

gboolean
cf_profile_fail(CfProfile *profile, const char *name, GError **error, const char *message)
{
    CfSecretSource source;
    const CfProfileKey *key = cf_profile_find_key(profile, name, &source);

    return cf_config_fail(profile->config, key && key->line ? key->line : profile->line, error,
                          "‘%s’ of [%s]: %s", name, profile->name, message);
}

static gboolean
fill(CfProfile *profile, GError **error)
{
    const CfCredentials *credentials = find_credentials(profile);

    if (profile->filled || !credentials)
        return TRUE;
    if (!credentials->read(profile, error) || !check_required(profile, TRUE, error))
        return FALSE;
    profile->filled = TRUE;
    return TRUE;
}

/* --- secrets --------------------------------------------------------------------------------- */

static gboolean
read_secret(CfProfile *profile, CfProfileKey *key, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) own_error = NULL;

    if (key->kind == CF_KEY_CREDENTIAL) {
        key->value = cf_secret_read_credential(key->from, &own_error);
        if (!key->value)
            return cf_config_fail(profile->config, profile->line, error,
                                  "the credential ‘%s’ of [%s]: %s", key->spec.name, profile->name,
                                  own_error->message);
    } else if (key->kind == CF_KEY_ELSEWHERE) {
        if (key->source == CF_SECRET_FILE)
            path = cf_config_expand_path(profile->config->directory, key->from);
        key->value = cf_secret_read(key->source, path ? path : key->from, &own_error);
        if (!key->value)
            return cf_config_fail(profile->config, key->line, error, "‘%s%s’ in [%s]: %s",
                                  key->spec.name, cf_secret_suffix(key->source), profile->name,
                                  own_error->message);
    }
    cf_log_add_secret(key->value);
    return TRUE;
}

gboolean
cf_profile_read_secrets(CfProfile *profile, GError **error)
{
    if (!fill(profile, error))
        return FALSE;
    for (guint i = 0; i < profile->keys->len; i++) {
        CfProfileKey *key = g_ptr_array_index(profile->keys, i);

        if (key->spec.secret && !key->value && !read_secret(profile, key, error))
            return FALSE;
    }
    profile->secrets_read = TRUE;
    return TRUE;
}
