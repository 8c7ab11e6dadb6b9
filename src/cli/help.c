#include "cli/help.h"

#include <string.h>

#include "config/config.h"
#include "config/options.h"
#include "providers/provider.h"
#include "util/error.h"
#include "util/text.h"

#define NAME_COLUMNS 22

/* --- pieces ---------------------------------------------------------------------------------- */

/* "  name   doc (default)"; a long name gets a line of its own. */
static void
append_item(GString *out, const char *name, const char *doc, const char *fallback)
{
    g_string_append_printf(out, "  %-*s", NAME_COLUMNS, name);
    if (strlen(name) >= NAME_COLUMNS)
        g_string_append_printf(out, "\n  %*s", NAME_COLUMNS, "");
    g_string_append(out, doc);
    if (fallback && *fallback)
        g_string_append_printf(out, " [%s]", fallback);
    g_string_append_c(out, '\n');
}

/* Returns: (transfer full): "-f, --foreground", "    --seed NUMBER". */
static char *
name_flag(const CfFlag *flag)
{
    GString *name = g_string_new(NULL);

    if (flag->letter)
        g_string_append_printf(name, "-%c, ", flag->letter);
    else
        g_string_append(name, "    ");
    g_string_append_printf(name, "--%s", flag->name);
    if (flag->argument)
        g_string_append_printf(name, " %s", flag->argument);
    return g_string_free(name, FALSE);
}

static gboolean
is_shown(const CfFlag *flag, CfCommand command)
{
    return flag->doc && flag->commands & 1u << command;
}

static void
append_flags(GString *out, CfCommand command)
{
    guint n;
    const CfFlag *flags = cf_flags_get(&n);

    g_string_append(out, "\nOptions:\n");
    for (guint i = 0; i < n; i++)
        if (is_shown(&flags[i], command)) {
            g_autofree char *name = name_flag(&flags[i]);

            append_item(out, name, flags[i].doc, NULL);
        }
}

static void
append_option_docs(GString *out, gboolean mount_only)
{
    for (const CfOptionDoc *doc = cf_options_get_docs(); doc->name; doc++) {
        g_autofree char *name = NULL;

        if (doc->mount_only != mount_only)
            continue;
        name =
            doc->argument ? g_strconcat(doc->name, "=", doc->argument, NULL) : g_strdup(doc->name);
        append_item(out, name, doc->doc, doc->argument ? doc->fallback : NULL);
    }
}

/* --- topics ---------------------------------------------------------------------------------- */

char *
cf_help_overview(void)
{
    GString *out = g_string_new("Cloud accounts as files.\n\nUsage:\n");

    for (guint i = 0; i < CF_COMMAND_N; i++) {
        const CfCommandInfo *info = cf_command_get_info(i);

        if (info->name)
            g_string_append_printf(out, "  cirrusfs %s%s%s\n        %s\n", info->name,
                                   *info->synopsis ? " " : "", info->synopsis, info->summary);
    }
    g_string_append(out, "\nBegin with: cirrusfs demo MNT. Manual: cirrusfs(1).\n");
    return g_string_free(out, FALSE);
}

char *
cf_help_command(CfCommand command)
{
    const CfCommandInfo *info = cf_command_get_info(command);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "Usage: cirrusfs %s%s%s\n\n%c%s.\n%s", info->name,
                           *info->synopsis ? " " : "", info->synopsis,
                           g_ascii_toupper(*info->summary), info->summary + 1, info->details);
    append_flags(out, command);
    if (command == CF_COMMAND_MOUNT)
        g_string_append(out, "\nmount(8) and fstab(5) know it too: mount -t fuse.cirrusfs PROFILE "
                             "MNT -o OPTIONS;\nthere config=FILE stands for -c.\n");
    return g_string_free(out, FALSE);
}

static char *
help_options(void)
{
    GString *out = g_string_new("Options of -o, of [defaults] and of a profile, with their "
                                "defaults in brackets.\nDurations are seconds, or 500ms, 10s, 2m, "
                                "1h. Flags are true or false in a file.\n\n");

    append_option_docs(out, FALSE);
    g_string_append(out, "\nOf the whole mount; not in a profile:\n");
    append_option_docs(out, TRUE);
    return g_string_free(out, FALSE);
}

static void
append_keys(GString *out, const CfProviderOps *provider)
{
    g_string_append_printf(out, "\nprovider = %s (%s):\n", provider->name, provider->title);
    for (const CfProviderKey *key = provider->keys; key->name; key++) {
        g_autofree char *name = g_strconcat(key->name, key->secret ? " (secret)" : "", NULL);

        append_item(out, name, key->doc ? key->doc : "", key->fallback);
    }
    for (const CfCredentialsKey *key = cf_credentials_get_keys(provider->name); key->name; key++)
        append_item(out, key->name, key->doc, key->fallback);
}

static char *
help_config(void)
{
    GString *out = g_string_new(
        "The configuration is ~/.config/cirrusfs/config, unless $CIRRUSFS_CONFIG or -c names\n"
        "another one. Nobody else may read it (chmod 600). For example:\n"
        "\n"
        "  [defaults]\n"
        "  ttl = 30\n"
        "\n"
        "  [prod]\n"
        "  provider = inspur\n"
        "  endpoint = https://service.example.com/regionsvc-cn-north-3/ecs\n"
        "  auth = token\n"
        "  token_command = pass show cloud/prod\n"
        "\n"
        "A secret KEY may be given as KEY_file, KEY_env or KEY_command instead.\n"
        "Options: cirrusfs help options.\n");

    for (const CfProviderOps *const *provider = cf_providers_get(); *provider; provider++)
        append_keys(out, *provider);
    return g_string_free(out, FALSE);
}

char *
cf_help_topic(const char *topic, GError **error)
{
    CfCommand command;

    if (!topic)
        return cf_help_overview();
    if (cf_command_find(topic, &command))
        return cf_help_command(command);
    if (strcmp(topic, "options") == 0)
        return help_options();
    if (strcmp(topic, "config") == 0)
        return help_config();
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                "there is no help on ‘%s’; there is on every command, options and config", topic);
    return NULL;
}

/* --- for programs ---------------------------------------------------------------------------- */

/* cells: (array zero-terminated=1) */
static void
append_row(GString *out, const char *const *cells)
{
    for (guint i = 0; cells[i]; i++) {
        if (i > 0)
            g_string_append_c(out, '\t');
        cf_text_append_tsv(out, cells[i]);
    }
    g_string_append_c(out, '\n');
}

static void
append_row_of(GString *out, const char *kind, const char *of, const char *name,
              const char *argument, const char *fallback, const char *doc)
{
    append_row(out, (const char *const[]){kind, of, name, argument ? argument : "",
                                          fallback ? fallback : "", doc ? doc : "", NULL});
}

static void
append_flag_rows(GString *out, CfCommand command)
{
    const char *of = cf_command_get_info(command)->name;
    guint n;
    const CfFlag *flags = cf_flags_get(&n);

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = NULL;

        if (!is_shown(&flags[i], command))
            continue;
        name = g_strconcat("--", flags[i].name, NULL);
        append_row_of(out, "flag", of, name, flags[i].argument, NULL, flags[i].doc);
    }
}

static void
append_key_rows(GString *out, const CfProviderOps *provider)
{
    for (const CfProviderKey *key = provider->keys; key->name; key++)
        append_row_of(out, "key", provider->name, key->name, key->secret ? "secret" : "",
                      key->fallback, key->doc);
    for (const CfCredentialsKey *key = cf_credentials_get_keys(provider->name); key->name; key++)
        append_row_of(out, "key", provider->name, key->name, "", key->fallback, key->doc);
}

char *
cf_help_table(void)
{
    GString *out = g_string_new(NULL);

    for (const CfOptionDoc *doc = cf_options_get_docs(); doc->name; doc++)
        append_row_of(out, "option", "-o", doc->name, doc->argument, doc->fallback, doc->doc);
    for (guint i = 0; i < CF_COMMAND_N; i++) {
        const CfCommandInfo *info = cf_command_get_info(i);

        if (!info->name)
            continue;
        append_row_of(out, "command", "", info->name, info->synopsis, NULL, info->summary);
        append_flag_rows(out, i);
    }
    for (const CfProviderOps *const *provider = cf_providers_get(); *provider; provider++)
        append_key_rows(out, *provider);
    return g_string_free(out, FALSE);
}
