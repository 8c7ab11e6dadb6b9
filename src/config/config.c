#include "config/private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

/* In the place of a file's name: nobody wrote it, so its lines say nothing to anybody. */
static const char no_file[] = "(no configuration)";

gboolean
cf_config_fail(const CfConfig *config, guint line, GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    if (strcmp(config->name, no_file) == 0)
        g_set_error_literal(error, CF_ERROR, CF_ERROR_CONFIG, message);
    else
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s:%u: %s", config->name, line, message);
    return FALSE;
}

void
cf_config_free(CfConfig *config)
{
    if (!config)
        return;
    g_free(config->name);
    g_free(config->directory);
    cf_mount_options_clear(&config->mount_options);
    g_ptr_array_unref(config->profiles);
    g_free(config);
}

/* --- names ----------------------------------------------------------------------------------- */

/* Profiles become directories. */
static const char *
find_fault_of_name(const char *name)
{
    if (strlen(name) > CF_NAME_MAX)
        return "is longer than 255 bytes";
    if (*name == '.')
        return "begins with a dot";
    if (strchr(name, '/'))
        return "holds a slash";
    for (const char *p = name; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return "holds a control character";
    return NULL;
}

/* Adds every key that may stand in a profile of that schema, or in -o when for_override.
 * chunk: owns the names that are made for it. */
static void
collect_names(GPtrArray *names, GStringChunk *chunk, const CfConfigSchema *schema,
              gboolean for_override)
{
    for (const CfCredentialsKey *key = schema ? cf_credentials_get_keys(schema->provider) : NULL;
         key && key->name; key++)
        g_ptr_array_add(names, (gpointer) key->name);
    for (const CfConfigKey *key = schema ? schema->keys : NULL; key && key->name; key++) {
        if (for_override && key->secret)
            continue;
        g_ptr_array_add(names, (gpointer) key->name);
        for (guint i = 0; key->secret && i < CF_SECRET_SOURCE_N; i++) {
            g_autofree char *name = g_strconcat(key->name, cf_secret_suffix(i), NULL);

            g_ptr_array_add(names, g_string_chunk_insert(chunk, name));
        }
    }
}

char *
cf_config_suggest(const char *text, const CfConfigSchema *const *schemas, guint n_schemas,
                  gboolean with_mount, gboolean for_override)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GStringChunk *chunk = g_string_chunk_new(256);
    const CfOption *option;
    const char *found;
    char *suggestion;

    for (guint i = 0; (option = cf_option_get(i)); i++)
        if (with_mount || !cf_option_is_of_mount(option))
            g_ptr_array_add(names, (gpointer) cf_option_get_name(option));
    if (n_schemas > 0 && !for_override)
        g_ptr_array_add(names, (gpointer) "provider");
    for (guint i = 0; i < n_schemas; i++)
        collect_names(names, chunk, schemas[i], for_override);
    g_ptr_array_add(names, NULL);

    found = cf_option_suggest(text, (const char *const *) names->pdata);
    suggestion = found ? g_strdup_printf("; did you mean ‘%s’?", found) : g_strdup("");
    g_string_chunk_free(chunk);
    return suggestion;
}

/* --- options --------------------------------------------------------------------------------- */

void
cf_config_hide_password(const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;
    const char *at = host ? strchr(host + 3, '@') : NULL;
    const char *colon = at ? memchr(host + 3, ':', (gsize) (at - host - 3)) : NULL;

    if (colon) {
        char *password = g_strndup(colon + 1, (gsize) (at - colon - 1));

        cf_log_add_secret(password);
        cf_text_wipe(password);
    }
}

char *
cf_config_expand_path(const char *directory, const char *path)
{
    if (g_str_has_prefix(path, "~/"))
        return g_build_filename(g_get_home_dir(), path + 2, NULL);
    return g_canonicalize_filename(path, directory);
}

gboolean
cf_config_set_option(const CfConfig *config, const CfOption *option, gpointer options,
                     const CfKeyfileEntry *entry, const char *group, GError **error)
{
    g_autoptr(GError) own_error = NULL;

    cf_config_hide_password(entry->value);
    if (cf_option_set(option, options, entry->value, config->directory, &own_error))
        return TRUE;
    return cf_config_fail(config, entry->line, error, "‘%s’ in [%s]: %s", entry->key, group,
                          own_error->message);
}

/* profile: (nullable): NULL for the options of the mount. */
static gboolean
apply_defaults(CfConfig *config, const CfKeyfileGroup *defaults, CfProfile *profile, GError **error)
{
    for (guint i = 0; i < defaults->entries->len; i++) {
        const CfKeyfileEntry *entry = g_ptr_array_index(defaults->entries, i);
        const CfOption *option = cf_option_find(entry->key);
        gboolean of_mount = option && cf_option_is_of_mount(option);
        gpointer options = profile ? (gpointer) &profile->options : &config->mount_options;

        if (!option) {
            g_autofree char *suggestion = cf_config_suggest(entry->key, NULL, 0, TRUE, FALSE);

            return cf_config_fail(config, entry->line, error,
                                  "unknown option ‘%s’ in [" CF_CONFIG_DEFAULTS "]%s", entry->key,
                                  suggestion);
        }
        if (of_mount == !profile &&
            !cf_config_set_option(config, option, options, entry, CF_CONFIG_DEFAULTS, error))
            return FALSE;
    }
    return TRUE;
}

/* --- profiles -------------------------------------------------------------------------------- */

static const CfConfigSchema *
find_schema(const CfConfig *config, const CfKeyfileGroup *group, const CfConfigSchema *schemas,
            GError **error)
{
    const CfKeyfileEntry *entry = cf_keyfile_find(group, "provider");
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *known = NULL;
    const char *found;

    for (const CfConfigSchema *schema = schemas; schema->provider; schema++) {
        if (entry && strcmp(schema->provider, entry->value) == 0)
            return schema;
        g_ptr_array_add(names, (gpointer) schema->provider);
    }
    g_ptr_array_add(names, NULL);
    known = g_strjoinv(", ", (char **) names->pdata);
    if (!entry) {
        cf_config_fail(config, group->line, error, "[%s] lacks ‘provider’; there are: %s",
                       group->name, known);
        return NULL;
    }
    found = cf_option_suggest(entry->value, (const char *const *) names->pdata);
    if (found)
        cf_config_fail(config, entry->line, error,
                       "unknown provider ‘%s’ in [%s]; did you mean ‘%s’?", entry->value,
                       group->name, found);
    else
        cf_config_fail(config, entry->line, error, "unknown provider ‘%s’ in [%s]; there are: %s",
                       entry->value, group->name, known);
    return NULL;
}

static gboolean
add_profile(CfConfig *config, const CfKeyfileGroup *group, const CfKeyfileGroup *defaults,
            const CfConfigSchema *schemas, GError **error)
{
    const char *fault = find_fault_of_name(group->name);
    const CfConfigSchema *schema;
    CfProfile *profile;

    if (fault) {
        g_autofree char *name = cf_text_one_line(group->name);

        return cf_config_fail(config, group->line, error,
                              "profile [%.300s] becomes a directory, and %s", name, fault);
    }
    schema = find_schema(config, group, schemas, error);
    if (!schema)
        return FALSE;
    profile = cf_profile_new(config, group, schema);
    g_ptr_array_add(config->profiles, profile);
    if (defaults && !apply_defaults(config, defaults, profile, error))
        return FALSE;
    for (guint i = 0; i < group->entries->len; i++)
        if (!cf_profile_take_entry(profile, schema, g_ptr_array_index(group->entries, i), error))
            return FALSE;
    return TRUE;
}

static gboolean
has_provider(const CfConfig *config, const char *provider)
{
    for (guint i = 0; i < config->profiles->len; i++)
        if (strcmp(((const CfProfile *) config->profiles->pdata[i])->provider, provider) == 0)
            return TRUE;
    return FALSE;
}

/* -o names credentials of another program (cloud=NAME), and the configuration has no profile that
 * they could be of: they are one, and what is mounted then is that one, as without a configuration.
 */
static gboolean
stand_in(CfConfig *config, const CfKeyfileGroup *defaults, const CfConfigSchema *schemas,
         const char *overrides, GError **error)
{
    g_autofree char *text = cf_credentials_make_config(overrides, FALSE);
    g_autoptr(GPtrArray) groups =
        text ? cf_keyfile_parse(config->name, text, strlen(text), error) : NULL;
    const char *provider;

    if (!groups)
        return !text;
    provider = cf_keyfile_find(groups->pdata[0], "provider")->value;
    if (has_provider(config, provider))
        return TRUE;
    g_ptr_array_set_size(config->profiles, 0);
    return add_profile(config, groups->pdata[0], defaults, schemas, error);
}

/* overrides: (nullable). */
static gboolean
take_groups(CfConfig *config, GPtrArray *groups, const CfConfigSchema *schemas,
            const char *overrides, GError **error)
{
    const CfKeyfileGroup *defaults = NULL;

    for (guint i = 0; i < groups->len; i++) {
        const CfKeyfileGroup *group = g_ptr_array_index(groups, i);

        if (strcmp(group->name, CF_CONFIG_DEFAULTS) == 0)
            defaults = group;
    }
    if (defaults && !apply_defaults(config, defaults, NULL, error))
        return FALSE;
    for (guint i = 0; i < groups->len; i++) {
        const CfKeyfileGroup *group = g_ptr_array_index(groups, i);

        if (group != defaults && !add_profile(config, group, defaults, schemas, error))
            return FALSE;
    }
    if (overrides && !stand_in(config, defaults, schemas, overrides, error))
        return FALSE;
    if (config->profiles->len > 0)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                "%s: no profile: write a group such as [prod] with provider = %s", config->name,
                schemas->provider);
    return FALSE;
}

/* --- what -o overrides ----------------------------------------------------------------------- */

static gboolean G_GNUC_PRINTF(2, 3) fail_override(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "-o: %s", message);
    return FALSE;
}

static gboolean
override_option(CfConfig *config, const CfOption *option, const CfKeyfileEntry *entry,
                GError **error)
{
    g_autoptr(GError) own_error = NULL;
    gboolean good = TRUE;

    cf_config_hide_password(entry->value);
    if (entry->value && strstr(entry->value, "://") && strchr(entry->value, '@'))
        return fail_override(error,
                             "‘%s’ with a password would show in ps and in the mount "
                             "table: it belongs into %s",
                             entry->key, config->name);
    if (cf_option_is_of_mount(option))
        good = cf_option_set(option, &config->mount_options, entry->value, NULL, &own_error);
    else
        for (guint i = 0; good && i < config->profiles->len; i++) {
            CfProfile *profile = g_ptr_array_index(config->profiles, i);

            good = cf_option_set(option, &profile->options, entry->value, NULL, &own_error);
        }
    return good || fail_override(error, "‘%s’: %s", entry->key, own_error->message);
}

/* A provider's key, in every profile whose provider has it. ret_known: whether one has. */
static gboolean
override_key(CfConfig *config, const CfKeyfileEntry *entry, gboolean *ret_known, GError **error)
{
    for (guint i = 0; i < config->profiles->len; i++) {
        CfProfile *profile = g_ptr_array_index(config->profiles, i);
        CfSecretSource source;
        CfProfileKey *key = cf_profile_find_key(profile, entry->key, &source);

        if (!key)
            continue;
        *ret_known = TRUE;
        if (key->spec.secret) {
            cf_log_add_secret(entry->value);
            return fail_override(error,
                                 "‘%s’ would show in ps and in the mount table: it belongs into %s",
                                 entry->key, config->name);
        }
        if (!entry->value || !*entry->value)
            return fail_override(error, "‘%s’ needs a value", entry->key);
        cf_text_wipe(key->value);
        key->value = g_strdup(entry->value);
        key->kind = CF_KEY_OVERRIDE;
    }
    return TRUE;
}

static gboolean
fail_unknown_override(const CfKeyfileEntry *entry, const CfConfigSchema *schemas, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char *suggestion = NULL;

    for (; schemas->provider; schemas++)
        g_ptr_array_add(all, (gpointer) schemas);
    suggestion = cf_config_suggest(entry->key, (const CfConfigSchema *const *) all->pdata, all->len,
                                   TRUE, TRUE);
    return fail_override(error, "unknown option ‘%s’%s", entry->key, suggestion);
}

static gboolean
apply_overrides(CfConfig *config, const char *overrides, const CfConfigSchema *schemas,
                GError **error)
{
    g_autoptr(GPtrArray) entries = cf_keyfile_split_options(overrides);

    if (!g_utf8_validate(overrides, -1, NULL))
        return fail_override(error, "not UTF-8");
    for (guint i = 0; i < entries->len; i++) {
        const CfKeyfileEntry *entry = g_ptr_array_index(entries, i);
        const CfOption *option = cf_option_find(entry->key);
        gboolean known = FALSE;

        if (option) {
            if (!override_option(config, option, entry, error))
                return FALSE;
            continue;
        }
        if (!override_key(config, entry, &known, error))
            return FALSE;
        if (!known && !cf_option_is_of_fstab(entry->key))
            return fail_unknown_override(entry, schemas, error);
    }
    return TRUE;
}

/* --- the whole ------------------------------------------------------------------------------- */

static CfConfig *
load(const char *name, const char *directory, const char *data, gsize size,
     const CfConfigSchema *schemas, const char *overrides, GError **error)
{
    g_autoptr(GPtrArray) groups = cf_keyfile_parse(name, data, size, error);
    g_autoptr(CfConfig) config = NULL;

    if (!groups)
        return NULL;
    config = g_new0(CfConfig, 1);
    config->name = g_strdup(name);
    config->directory = g_canonicalize_filename(directory ? directory : ".", NULL);
    config->profiles = g_ptr_array_new_with_free_func((GDestroyNotify) cf_profile_free);
    cf_mount_options_init(&config->mount_options);
    if (!take_groups(config, groups, schemas, overrides, error) ||
        (overrides && !apply_overrides(config, overrides, schemas, error)))
        return NULL;
    for (guint i = 0; i < config->profiles->len; i++)
        if (!cf_profile_complete(g_ptr_array_index(config->profiles, i), error))
            return NULL;
    return g_steal_pointer(&config);
}

CfConfig *
cf_config_load_data(const char *name, const char *data, const CfConfigSchema *schemas,
                    const char *overrides, GError **error)
{
    return load(name, NULL, data, strlen(data), schemas, overrides, error);
}

/* Returns: (transfer full): where the configuration is when nobody says. */
static char *
find_path(void)
{
    const char *named = g_getenv("CIRRUSFS_CONFIG");
    const char *home = g_getenv("XDG_CONFIG_HOME");

    if (named && *named)
        return g_strdup(named);
    if (home && g_path_is_absolute(home))
        return g_build_filename(home, "cirrusfs", "config", NULL);
    return g_build_filename(g_get_home_dir(), ".config", "cirrusfs", "config", NULL);
}

CfConfig *
cf_config_load(const char *path, const CfConfigSchema *schemas, const char *overrides,
               GError **error)
{
    g_autofree char *found = path ? g_strdup(path) : find_path();
    g_autofree char *directory = g_path_get_dirname(found);
    CfConfig *config;
    char *data;
    gsize size;

    if (!path && access(found, F_OK) < 0 && errno == ENOENT) {
        g_autofree char *text = cf_credentials_make_config(overrides, TRUE);

        if (text)
            return cf_config_load_data(no_file, text, schemas, overrides, error);
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                    "there is no configuration %s: write one (cirrusfs help config), name one "
                    "with -c, or a cloud of clouds.yaml in OS_CLOUD, or try: cirrusfs demo MNT",
                    found);
        return NULL;
    }
    data = cf_secret_read_private_file(found, CF_KEYFILE_MAX_BYTES, &size, error);
    if (!data)
        return NULL;
    config = load(found, directory, data, size, schemas, overrides, error);
    explicit_bzero(data, size);
    g_free(data);
    return config;
}

const CfMountOptions *
cf_config_get_mount_options(CfConfig *config)
{
    return &config->mount_options;
}

GPtrArray *
cf_config_get_profiles(CfConfig *config)
{
    return config->profiles;
}

CfProfile *
cf_config_find_profile(CfConfig *config, const char *name)
{
    for (guint i = 0; i < config->profiles->len; i++) {
        CfProfile *profile = g_ptr_array_index(config->profiles, i);

        if (strcmp(profile->name, name) == 0)
            return profile;
    }
    return NULL;
}
