#include "model/metadata.h"

#include <string.h>

/* specials: besides '%' and newlines. */
static void
append_encoded(GString *out, const char *text, const char *specials)
{
    for (const char *p = text; *p; p++) {
        if (*p == '%' || *p == '\n' || strchr(specials, *p))
            g_string_append_printf(out, "%%%02X", (guint) (guchar) *p);
        else
            g_string_append_c(out, *p);
    }
}

static char *
decode(const char *text, gsize len)
{
    GString *out = g_string_sized_new(len);

    for (gsize i = 0; i < len; i++) {
        if (text[i] == '%' && i + 2 < len && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            g_string_append_c(out, (char) (g_ascii_xdigit_value(text[i + 1]) * 16 +
                                           g_ascii_xdigit_value(text[i + 2])));
            i += 2;
        } else {
            g_string_append_c(out, text[i]);
        }
    }
    return g_string_free(out, FALSE);
}

void
cf_metadata_add(GPtrArray *lines, const char *key, const char *value)
{
    GString *line = g_string_new(NULL);

    append_encoded(line, key, "=");
    g_string_append_c(line, '=');
    append_encoded(line, value, "");
    g_ptr_array_add(lines, g_string_free(line, FALSE));
}

static int
compare_keys(const char *a, const char *b)
{
    gsize a_len = strcspn(a, "=");
    gsize b_len = strcspn(b, "=");
    int order = memcmp(a, b, MIN(a_len, b_len));

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    return compare_keys(*(const char *const *) a, *(const char *const *) b);
}

char *
cf_metadata_join(GPtrArray *lines)
{
    GString *text = g_string_new(NULL);

    g_ptr_array_sort(lines, compare_lines); /* stable */
    for (guint i = 0; i < lines->len; i++) {
        const char *line = lines->pdata[i];

        if (i + 1 < lines->len && compare_keys(line, lines->pdata[i + 1]) == 0)
            continue;
        if (text->len > 0)
            g_string_append_c(text, '\n');
        g_string_append(text, line);
    }
    return g_string_free(text, FALSE);
}

/* Returns: (transfer none) (nullable): what follows "KEY=", to the end of the line. */
static const char *
find(const char *text, const char *key)
{
    g_autoptr(GString) wanted = g_string_new(NULL);

    append_encoded(wanted, key, "=");
    g_string_append_c(wanted, '=');
    for (const char *line = text; line && *line;) {
        const char *end = strchrnul(line, '\n');

        if ((gsize) (end - line) >= wanted->len && memcmp(line, wanted->str, wanted->len) == 0)
            return line + wanted->len;
        line = *end ? end + 1 : end;
    }
    return NULL;
}

char *
cf_metadata_get(const char *text, const char *key)
{
    const char *value = find(text, key);

    return value ? decode(value, strcspn(value, "\n")) : NULL;
}

char *
cf_metadata_with(const char *text, const char *key, const char *value)
{
    g_auto(GStrv) before = g_strsplit(text ? text : "", "\n", -1);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) own = g_string_new(NULL);

    append_encoded(own, key, "=");
    g_string_append_c(own, '=');
    for (guint i = 0; before[i]; i++)
        if (!g_str_has_prefix(before[i], own->str))
            g_ptr_array_add(lines, g_strdup(before[i]));
    if (value)
        cf_metadata_add(lines, key, value);
    return cf_metadata_join(lines);
}

char **
cf_metadata_keys(const char *text)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();

    for (const char *line = text; line && *line;) {
        const char *end = strchrnul(line, '\n');

        g_ptr_array_add(keys, decode(line, strcspn(line, "=\n")));
        line = *end ? end + 1 : end;
    }
    g_ptr_array_add(keys, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&keys), FALSE);
}
