#include "json/fields.h"

#include "util/error.h"

#include <errno.h>
#include <string.h>

typedef struct {
    const CfJsonField *fields;
    guint n;
    gpointer target;
    guint64 seen; /* bit: field that was taken */
} Reader;

/* Compares the first key of a path. Returns: (nullable): what follows its dot, "" after the last
 * key; NULL when the key is another one. */
static inline const char *
match_key(const char *key, gsize len, const char *path, gboolean ignore_case)
{
    /* Nearly all keys differ in the first letter. */
    if (len > 0 && ((key[0] ^ path[0]) & ~0x20))
        return NULL;
    /* The comparison ends at the path's own end: nothing behind it is read. */
    if (ignore_case ? g_ascii_strncasecmp(key, path, len) != 0 : strncmp(key, path, len) != 0)
        return NULL;
    if (strnlen(key, len) < len || memchr(key, '.', len))
        return NULL;
    if (path[len] == '.')
        return path + len + 1;
    return path[len] == '\0' ? path + len : NULL;
}

/* paths: what is left of each field's path below object; NULL where it leads elsewhere. */
static void
read_members(Reader *reader, CfJsonSpan object, const char *const *paths, guint depth)
{
    const char *below[CF_JSON_FIELDS_MAX];
    CfJsonIter iter;
    CfJsonSpan key, value;

    cf_json_iter_init(&iter, object);
    while (iter.object && cf_json_iter_next(&iter, &key, &value)) {
        g_autofree char *decoded = NULL;
        const char *name = key.text + 1;
        gsize len = key.len - 2;
        gboolean nested = FALSE;

        if (key.len < 2)
            continue;
        if (G_UNLIKELY(memchr(name, '\\', len))) {
            name = decoded = cf_json_string(key);
            len = strlen(decoded);
        }
        for (guint i = 0; i < reader->n; i++) {
            const CfJsonField *field = &reader->fields[i];

            below[i] = NULL;
            if (!paths[i])
                continue;
            below[i] = match_key(name, len, paths[i], (field->flags & CF_JSON_ANY_CASE) != 0);
            if (!below[i] || *below[i]) {
                nested |= below[i] != NULL;
                continue;
            }
            below[i] = NULL;
            if (field->take(field, value, reader->target))
                reader->seen |= G_GUINT64_CONSTANT(1) << i;
            else
                reader->seen &= ~(G_GUINT64_CONSTANT(1) << i);
        }
        if (nested && depth < CF_JSON_PATH_MAX)
            read_members(reader, value, below, depth + 1);
    }
}

gboolean
cf_json_read(CfJsonSpan object, const CfJsonField *fields, guint n, gpointer target, GError **error)
{
    const char *paths[CF_JSON_FIELDS_MAX] = {NULL};
    Reader reader = {.fields = fields, .n = n, .target = target};

    g_return_val_if_fail(n <= CF_JSON_FIELDS_MAX, FALSE);

    if (cf_json_kind(object) != CF_JSON_OBJECT) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "no object where one must be");
        return FALSE;
    }
    for (guint i = 0; i < n; i++)
        paths[i] = fields[i].path;
    read_members(&reader, object, paths, 0);

    for (guint i = 0; i < n; i++) {
        if ((fields[i].flags & CF_JSON_REQUIRED) && !(reader.seen >> i & 1)) {
            g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "%s: missing or of no use",
                        fields[i].path);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
cf_json_take_text(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    char **text = G_STRUCT_MEMBER_P(target, field->target);

    g_free(*text);
    *text = cf_json_scalar(value);
    return *text != NULL;
}

gboolean
cf_json_take_int(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    gint64 number;

    if (!cf_json_int(value, &number))
        return FALSE;
    G_STRUCT_MEMBER(gint64, target, field->target) = number;
    return TRUE;
}

gboolean
cf_json_take_span(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    G_STRUCT_MEMBER(CfJsonSpan, target, field->target) = value;
    return cf_json_kind(value) != CF_JSON_NULL;
}

gboolean
cf_json_int(CfJsonSpan value, gint64 *ret_number)
{
    CfJsonKind kind = cf_json_kind(value);
    g_autofree char *text = NULL;
    char *end;
    gint64 number;

    if (kind != CF_JSON_NUMBER && kind != CF_JSON_STRING)
        return FALSE;
    text = cf_json_scalar(value);
    g_strstrip(text);
    errno = 0;
    number = g_ascii_strtoll(text, &end, 10);
    if (end == text || errno)
        return FALSE;
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    if (*end)
        return FALSE;
    *ret_number = number;
    return TRUE;
}
