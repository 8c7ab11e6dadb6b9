#include "config/private.h"

#include <string.h>

#include "util/log.h"
#include "util/text.h"

/* Returns: (transfer full): without the user and password of a URL. */
static char *
make_showable(const char *value)
{
    const char *host = strstr(value, "://");
    const char *slash = host ? strchr(host + 3, '/') : NULL;
    const char *at =
        host ? (slash ? g_strrstr_len(host, slash - host, "@") : strrchr(host, '@')) : NULL;
    g_autofree char *shown = NULL;

    if (at)
        shown = g_strdup_printf("%.*s***%s", (int) (host + 3 - value), value, at);
    return cf_log_redact(shown ? shown : value);
}

static void
show(GKeyFile *file, const char *group, const char *key, const char *value)
{
    g_autofree char *shown = make_showable(value);

    g_key_file_set_string(file, group, key, shown);
}

static void
show_options(GKeyFile *file, const char *group, gconstpointer options, gboolean of_mount)
{
    const CfOption *option;

    for (guint i = 0; (option = cf_option_get(i)); i++) {
        g_autofree char *text = NULL;

        if (cf_option_is_of_mount(option) != of_mount)
            continue;
        text = cf_option_to_text(option, options);
        if (*text)
            show(file, group, cf_option_get_name(option), text);
    }
}

/* Returns: (transfer full): where a secret comes from; a command's words may be secret themselves.
 */
static char *
describe_source(const CfProfile *profile, const CfProfileKey *key)
{
    switch (key->kind) {
    case CF_KEY_CREDENTIAL: {
        g_autofree char *name = g_path_get_basename(key->from);

        return g_strdup_printf(" from the systemd credential %s", name);
    }
    case CF_KEY_ELSEWHERE:
        if (key->source == CF_SECRET_COMMAND)
            return g_strdup_printf(" from the command at line %u", key->line);
        return g_strdup_printf(" from the %s %s",
                               key->source == CF_SECRET_ENV ? "variable" : "file", key->from);
    case CF_KEY_FILLED:
        return g_strdup_printf(" from the file %s", key->from);
    case CF_KEY_UNSET:
    case CF_KEY_INLINE:
    case CF_KEY_OVERRIDE:
        break;
    }
    return g_strdup_printf(" from line %u", key->line);
}

static void
show_key(GKeyFile *file, const CfProfile *profile, const CfProfileKey *key)
{
    const char *value = key->value ? key->value : key->spec.fallback;
    gboolean secret = key->spec.secret && key->kind != CF_KEY_UNSET;

    if (secret)
        g_key_file_set_string(file, profile->name, key->spec.name, "***");
    else if (!key->spec.secret && value)
        show(file, profile->name, key->spec.name, value);
    if (secret || key->kind == CF_KEY_FILLED) {
        g_autofree char *source = describe_source(profile, key);
        g_autofree char *line = cf_text_one_line(source);

        g_key_file_set_comment(file, profile->name, key->spec.name, line, NULL);
    }
}

char *
cf_config_describe(CfConfig *config)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *name = cf_text_one_line(config->name);
    g_autofree char *head = g_strconcat(" ", name, NULL);

    show_options(file, "defaults", &config->mount_options, TRUE);
    for (guint i = 0; i < config->profiles->len; i++) {
        const CfProfile *profile = g_ptr_array_index(config->profiles, i);

        g_key_file_set_string(file, profile->name, "provider", profile->provider);
        for (guint k = 0; k < profile->keys->len; k++)
            show_key(file, profile, g_ptr_array_index(profile->keys, k));
        show_options(file, profile->name, &profile->options, FALSE);
    }
    g_key_file_set_comment(file, NULL, NULL, head, NULL);
    return g_key_file_to_data(file, NULL, NULL);
}
