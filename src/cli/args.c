#include "cli/args.h"

#include <string.h>

#include "config/options.h"
#include "util/error.h"

typedef struct {
    CfCommand command;
    int argc;
    char *const *argv;
    int next; /* index of the next argument */
    GPtrArray *words;
    CfArgs *args;
} Parser;

static gboolean G_GNUC_PRINTF(2, 3) fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(error, g_error_new_valist(CF_ERROR, CF_ERROR_INVALID, format, args));
    va_end(args);
    return FALSE;
}

/* --- flags ----------------------------------------------------------------------------------- */

/* Returns: (nullable): by its name when there is one, else by its letter. */
static const CfFlag *
find_flag(CfCommand command, const char *name, gsize size, char letter)
{
    guint n;
    const CfFlag *flags = cf_flags_get(&n);

    for (guint i = 0; i < n; i++) {
        const CfFlag *flag = &flags[i];

        if (!(flag->commands & 1u << command))
            continue;
        if (name ? flag->name && strncmp(flag->name, name, size) == 0 && !flag->name[size]
                 : flag->letter == letter)
            return flag;
    }
    return NULL;
}

static gboolean
take_number(const CfFlag *flag, const char *shown, const char *text, gint64 *ret_number,
            GError **error)
{
    guint64 number;

    if (g_ascii_string_to_unsigned(text, 10, 0, (guint64) flag->max, &number, NULL)) {
        *ret_number = (gint64) number;
        return TRUE;
    }
    return fail(error, "%s takes a whole number up to %" G_GINT64_FORMAT ", not ‘%s’", shown,
                flag->max, text);
}

static gboolean
set_flag(CfArgs *args, const CfFlag *flag, const char *shown, const char *value, GError **error)
{
    gpointer slot = G_STRUCT_MEMBER_P(args, flag->offset);
    char **text = slot;

    switch (flag->kind) {
    case CF_FLAG_SWITCH:
        *(gboolean *) slot = TRUE;
        break;
    case CF_FLAG_TEXT:
        g_free(*text);
        *text = g_strdup(value);
        break;
    case CF_FLAG_LIST: {
        char *whole = *text ? g_strconcat(*text, ",", value, NULL) : g_strdup(value);

        g_free(*text);
        *text = whole;
        break;
    }
    case CF_FLAG_NUMBER:
        return take_number(flag, shown, value, slot, error);
    case CF_FLAG_IGNORED:
        break;
    }
    return TRUE;
}

/* value: (nullable): what stood in the same argument; else the next argument is taken. */
static gboolean
take_flag(Parser *parser, const CfFlag *flag, const char *shown, const char *value, GError **error)
{
    if (flag->argument && !value) {
        if (parser->next >= parser->argc)
            return fail(error, "%s needs a value: %s %s", shown, shown, flag->argument);
        value = parser->argv[parser->next++];
    }
    return set_flag(parser->args, flag, shown, value, error);
}

static gboolean
fail_unknown_flag(const Parser *parser, const char *shown, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *suggestion = NULL;
    guint n;
    const CfFlag *flags = cf_flags_get(&n);

    for (guint i = 0; i < n; i++)
        if (flags[i].commands & 1u << parser->command && flags[i].name && flags[i].doc)
            g_ptr_array_add(names, (gpointer) flags[i].name);
    g_ptr_array_add(names, NULL);
    if (g_str_has_prefix(shown, "--"))
        suggestion = cf_option_suggest(shown + 2, (const char *const *) names->pdata);
    if (suggestion)
        return fail(error, "unknown option ‘%s’; did you mean ‘--%s’?", shown, suggestion);
    return fail(error, "unknown option ‘%s’", shown);
}

/* "--name", "--name=value", "--name value" */
static gboolean
take_long(Parser *parser, const char *argument, GError **error)
{
    const char *equals = strchr(argument, '=');
    gsize size = equals ? (gsize) (equals - argument) : strlen(argument);
    g_autofree char *shown = g_strndup(argument, size);
    const CfFlag *flag = find_flag(parser->command, argument + 2, size - 2, 0);

    if (!flag)
        return fail_unknown_flag(parser, shown, error);
    if (equals && !flag->argument)
        return fail(error, "%s takes no value", shown);
    return take_flag(parser, flag, shown, equals ? equals + 1 : NULL, error);
}

/* "-f", "-fo ro", "-oro" */
static gboolean
take_short(Parser *parser, const char *argument, GError **error)
{
    for (const char *p = argument + 1; *p; p++) {
        const CfFlag *flag = find_flag(parser->command, NULL, 0, *p);
        g_autofree char *shown = flag
                                     ? g_strdup_printf("-%c", *p)
                                     : g_strdup_printf("-%.*s", (int) (g_utf8_next_char(p) - p), p);

        if (!flag)
            return fail_unknown_flag(parser, shown, error);
        if (flag->argument)
            return take_flag(parser, flag, shown, p[1] ? p + 1 : NULL, error);
        if (!take_flag(parser, flag, shown, NULL, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
take_arguments(Parser *parser, GError **error)
{
    gboolean only_words = FALSE;

    while (parser->next < parser->argc) {
        char *argument = parser->argv[parser->next++];

        if (only_words || argument[0] != '-' || !argument[1])
            g_ptr_array_add(parser->words, argument);
        else if (strcmp(argument, "--") == 0)
            only_words = TRUE;
        else if (argument[1] == '-' ? !take_long(parser, argument, error)
                                    : !take_short(parser, argument, error))
            return FALSE;
    }
    return TRUE;
}

/* --- words ----------------------------------------------------------------------------------- */

static gboolean
check_words(const Parser *parser, GError **error)
{
    const CfCommandInfo *info = cf_command_get_info(parser->command);
    const char *name = info->name ? info->name : "mount";
    guint n = parser->words->len;

    if (n < info->min_words)
        return fail(error, "%s: something is missing: %s %s", name, name, info->synopsis);
    if (n > info->max_words)
        return fail(error, "%s: ‘%s’ is too much: %s %s", name,
                    (const char *) g_ptr_array_index(parser->words, info->max_words), name,
                    info->synopsis);
    for (guint i = 0; i < n; i++)
        if (!*(const char *) g_ptr_array_index(parser->words, i))
            return fail(error, "%s: an empty argument", name);
    return TRUE;
}

static void
take_profiles(CfArgs *args, char *const *names, guint n)
{
    g_strfreev(args->profiles);
    args->profiles = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++)
        args->profiles[i] = g_strdup(names[i]);
}

static void
take_words(Parser *parser)
{
    CfArgs *args = parser->args;
    char **words = (char **) parser->words->pdata;
    guint n = parser->words->len;

    switch (parser->command) {
    case CF_COMMAND_MOUNT:
        take_profiles(args, words, n - 1);
        args->mountpoint = g_strdup(words[n - 1]);
        break;
    case CF_COMMAND_HELPER:
        args->command = CF_COMMAND_MOUNT;
        args->mountpoint = g_strdup(words[1]);
        /* fstab(5) wants something there; "cirrusfs" is what the mount table shows for several. */
        if (!g_strv_contains((const char *const[]){"all", "none", "cirrusfs", NULL}, words[0])) {
            g_strfreev(args->profiles);
            args->profiles = g_strsplit(words[0], "+", -1);
        }
        break;
    case CF_COMMAND_UMOUNT:
    case CF_COMMAND_DEMO:
        args->mountpoint = g_strdup(words[0]);
        break;
    case CF_COMMAND_CHECK:
        take_profiles(args, words, n);
        break;
    case CF_COMMAND_WAIT:
        g_strfreev(args->words);
        args->words = g_new0(char *, n + 1);
        for (guint i = 0; i < n; i++)
            args->words[i] = g_strdup(words[i]);
        break;
    case CF_COMMAND_HELP:
        args->topic = n > 0 ? g_strdup(words[0]) : NULL;
        break;
    case CF_COMMAND_SIMULATE:
    case CF_COMMAND_PROFILES:
    case CF_COMMAND_VERSION:
    case CF_COMMAND_N:
        break;
    }
}

/* Returns: (transfer full): a backslash takes the next character as it is. */
static char *
unescape(const char *text, gsize size)
{
    GString *out = g_string_new(NULL);

    for (gsize i = 0; i < size; i++) {
        if (text[i] == '\\' && i + 1 < size)
            i++;
        g_string_append_c(out, text[i]);
    }
    return g_string_free(out, FALSE);
}

/* Takes config=FILE out of the text of -o: fstab has no other place for it. The rest stays as it
 * was written, with its backslashes. */
static void
take_config_option(CfArgs *args)
{
    g_autoptr(GString) kept = g_string_new(NULL);
    const char *p = args->options;

    while (p && *p) {
        const char *end = p;

        while (*end && *end != ',')
            end += *end == '\\' && end[1] ? 2 : 1;
        if (g_str_has_prefix(p, "config=")) {
            g_free(args->config);
            args->config = unescape(p + 7, (gsize) (end - p - 7));
        } else if (end > p) {
            g_string_append_printf(kept, "%s%.*s", kept->len ? "," : "", (int) (end - p), p);
        }
        p = *end ? end + 1 : end;
    }
    g_free(args->options);
    args->options = kept->len ? g_strdup(kept->str) : NULL;
}

/* --- the whole ------------------------------------------------------------------------------- */

static gboolean
fail_unknown_command(const char *name, GError **error)
{
    const char *names[CF_COMMAND_N + 1] = {NULL};
    const char *suggestion;
    guint n = 0;

    for (guint i = 0; i < CF_COMMAND_N; i++)
        if (cf_command_get_info(i)->name)
            names[n++] = cf_command_get_info(i)->name;
    suggestion = cf_option_suggest(name, names);
    if (suggestion)
        return fail(error, "unknown command ‘%s’; did you mean ‘%s’?", name, suggestion);
    return fail(error, "unknown command ‘%s’", name);
}

/* Which command it is, and where its arguments begin. */
static gboolean
find_command(Parser *parser, GError **error)
{
    g_autofree char *program = g_path_get_basename(parser->argc > 0 ? parser->argv[0] : "");
    const char *first = parser->argc > 1 ? parser->argv[1] : NULL;

    parser->next = 1;
    if (g_str_has_prefix(program, "mount.")) {
        parser->command = CF_COMMAND_HELPER;
        return TRUE;
    }
    if (!first)
        return fail(error, "a command is missing");
    parser->next = 2;
    if (cf_command_find(first, &parser->command))
        return TRUE;
    if (g_strv_contains((const char *const[]){"-V", "--version", NULL}, first)) {
        parser->command = CF_COMMAND_VERSION;
        return TRUE;
    }
    if (g_strv_contains((const char *const[]){"-h", "--help", NULL}, first)) {
        parser->command = CF_COMMAND_HELP;
        return TRUE;
    }
    /* mount.fuse3, which mount(8) takes when there is no mount.fuse.cirrusfs, calls us like that.
     */
    if (parser->argc == 5 && parser->argv[2][0] == '/' && strcmp(parser->argv[3], "-o") == 0) {
        parser->command = CF_COMMAND_HELPER;
        parser->next = 1;
        return TRUE;
    }
    if (first[0] == '-')
        return fail(error, "unknown option ‘%s’; the command comes first", first);
    return fail_unknown_command(first, error);
}

static gboolean
parse(Parser *parser, GError **error)
{
    CfArgs *args = parser->args;

    if (!find_command(parser, error))
        return FALSE;
    args->command = parser->command;
    args->rest = parser->next;
    if (parser->command == CF_COMMAND_SIMULATE)
        return TRUE;
    if (!take_arguments(parser, error))
        return FALSE;
    if (args->help)
        return TRUE;
    if (!check_words(parser, error))
        return FALSE;
    take_words(parser);
    if (args->command == CF_COMMAND_MOUNT)
        take_config_option(args);
    return TRUE;
}

gboolean
cf_args_parse(int argc, char *const *argv, CfArgs *ret_args, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    Parser parser = {.argc = argc, .argv = argv, .words = words, .args = ret_args};

    *ret_args = (CfArgs){
        .profiles = g_new0(char *, 1),
        .words = g_new0(char *, 1),
        .servers = -1,
        .images = -1,
        .seed = -1,
        .latency_ms = -1,
        .transition_ms = -1,
    };
    if (parse(&parser, error))
        return TRUE;
    cf_args_clear(ret_args);
    return FALSE;
}

void
cf_args_clear(CfArgs *args)
{
    g_free(args->config);
    g_free(args->options);
    g_strfreev(args->profiles);
    g_free(args->mountpoint);
    g_free(args->topic);
    g_strfreev(args->words);
    g_free(args->timeout);
    *args = (CfArgs){0};
}
