#include "config/keyfile.h"

#include <string.h>

#include "util/error.h"
#include "util/text.h"

typedef struct {
    const char *name;
    guint line;
    GPtrArray *groups;
} Parser;

static void
entry_free(CfKeyfileEntry *entry)
{
    g_free(entry->key);
    cf_text_wipe(entry->value); /* it may be a secret */
    g_free(entry);
}

static void
group_free(CfKeyfileGroup *group)
{
    g_free(group->name);
    g_ptr_array_unref(group->entries);
    g_free(group);
}

static gboolean G_GNUC_PRINTF(3, 4) fail(Parser *parser, GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s:%u: %s", parser->name, parser->line, message);
    return FALSE;
}

const CfKeyfileEntry *
cf_keyfile_find(const CfKeyfileGroup *group, const char *key)
{
    for (guint i = 0; i < group->entries->len; i++) {
        const CfKeyfileEntry *entry = g_ptr_array_index(group->entries, i);

        if (strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static gboolean
take_group(Parser *parser, const char *line, gsize size, GError **error)
{
    CfKeyfileGroup *group;

    if (size < 3 || line[size - 1] != ']' || memchr(line + 1, '[', size - 1) ||
        memchr(line, ']', size - 1))
        return fail(parser, error, "a group is written [NAME]");

    group = g_new0(CfKeyfileGroup, 1);
    group->name = g_strndup(line + 1, size - 2);
    group->line = parser->line;
    group->entries = g_ptr_array_new_with_free_func((GDestroyNotify) entry_free);
    for (guint i = 0; i < parser->groups->len; i++) {
        const CfKeyfileGroup *other = g_ptr_array_index(parser->groups, i);

        if (strcmp(other->name, group->name) == 0) {
            fail(parser, error, "group [%s] stands at line %u already", group->name, other->line);
            group_free(group);
            return FALSE;
        }
    }
    g_ptr_array_add(parser->groups, group);
    return TRUE;
}

/* Returns: (transfer full) (nullable): NULL for an escape that there is not. */
static char *
unescape(const char *text, gsize size)
{
    static const char names[] = "sntr\\";
    static const char values[] = " \n\t\r\\";
    char *out = g_malloc(size + 1);
    gsize n = 0;

    for (gsize i = 0; i < size; i++) {
        const char *found;

        if (text[i] != '\\') {
            out[n++] = text[i];
            continue;
        }
        found = i + 1 < size ? memchr(names, text[i + 1], sizeof names - 1) : NULL;
        if (!found) {
            out[n] = '\0';
            cf_text_wipe(out);
            return NULL;
        }
        out[n++] = values[found - names];
        i++;
    }
    out[n] = '\0';
    return out;
}

static gsize
size_without_space(const char *text, gsize size)
{
    while (size > 0 && g_ascii_isspace(text[size - 1]))
        size--;
    return size;
}

static gboolean
take_entry(Parser *parser, const char *line, gsize size, GError **error)
{
    const char *equals = memchr(line, '=', size);
    const char *end = line + size;
    gsize key_size = equals ? size_without_space(line, (gsize) (equals - line)) : 0;
    CfKeyfileGroup *group;
    const CfKeyfileEntry *other;
    CfKeyfileEntry *entry;

    if (key_size == 0)
        return fail(parser, error, "neither [GROUP] nor KEY = VALUE nor # comment");
    if (parser->groups->len == 0)
        return fail(parser, error, "a key before the first [GROUP]");

    group = g_ptr_array_index(parser->groups, parser->groups->len - 1);
    entry = g_new0(CfKeyfileEntry, 1);
    entry->key = g_strndup(line, key_size);
    entry->line = parser->line;
    other = cf_keyfile_find(group, entry->key);
    g_ptr_array_add(group->entries, entry);
    if (other)
        return fail(parser, error, "key ‘%s’ of [%s] stands at line %u already", entry->key,
                    group->name, other->line);

    for (equals++; equals < end && g_ascii_isspace(*equals); equals++)
        ;
    entry->value = unescape(equals, (gsize) (end - equals));
    if (!entry->value)
        return fail(parser, error, "‘%s’ holds a \\ that begins no escape: write \\\\ for one",
                    entry->key);
    return TRUE;
}

static gboolean
take_line(Parser *parser, const char *line, gsize size, GError **error)
{
    if (memchr(line, '\0', size))
        return fail(parser, error, "a NUL byte");
    if (!g_utf8_validate_len(line, size, NULL))
        return fail(parser, error, "not UTF-8");

    size = size_without_space(line, size);
    while (size > 0 && g_ascii_isspace(*line)) {
        line++;
        size--;
    }
    if (size == 0 || *line == '#')
        return TRUE;
    return *line == '[' ? take_group(parser, line, size, error)
                        : take_entry(parser, line, size, error);
}

GPtrArray *
cf_keyfile_parse(const char *name, const char *data, gsize size, GError **error)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func((GDestroyNotify) group_free);
    Parser parser = {.name = name, .groups = groups};
    const char *end = data + size;

    if (size > CF_KEYFILE_MAX_BYTES) {
        g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s: larger than %d bytes", name,
                    CF_KEYFILE_MAX_BYTES);
        return NULL;
    }
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) /* what Windows editors begin with */
        data += 3;

    while (data < end) {
        const char *newline = memchr(data, '\n', (gsize) (end - data));
        const char *line_end = newline ? newline : end;

        parser.line++;
        if (!take_line(&parser, data, (gsize) (line_end - data), error))
            return NULL;
        data = newline ? newline + 1 : end;
    }
    return g_steal_pointer(&groups);
}

GPtrArray *
cf_keyfile_split_options(const char *text)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify) entry_free);

    while (*text) {
        g_autoptr(GString) item = g_string_new(NULL);
        const char *equals;

        for (; *text && *text != ','; text++) {
            if (*text == '\\' && text[1])
                text++;
            g_string_append_c(item, *text);
        }
        if (*text)
            text++;
        if (item->len == 0)
            continue;
        equals = strchr(item->str, '=');
        g_ptr_array_add(entries, g_new0(CfKeyfileEntry, 1));
        *(CfKeyfileEntry *) g_ptr_array_index(entries, entries->len - 1) = (CfKeyfileEntry){
            .key =
                equals ? g_strndup(item->str, (gsize) (equals - item->str)) : g_strdup(item->str),
            .value = equals ? g_strdup(equals + 1) : NULL,
        };
    }
    return entries;
}
