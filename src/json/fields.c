#include "json/fields.h"

#include "util/error.h"
#include "json/scan-private.h"

#include <errno.h>
#include <string.h>

typedef struct {
    const CfJsonField *fields;
    guint n;
    gpointer target;
    guint64 seen; /* bit: field that was taken */
} Reader;

#define BIT(field) (G_GUINT64_CONSTANT(1) << (field))
#define LETTERS 32
#define LETTER(c) ((guchar) (c) & (LETTERS - 1)) /* of both cases alike */

/* What is looked for in one object: of a record's many keys few are wanted, and the first letter
 * tells most of them apart. */
typedef struct {
    const char *paths[CF_JSON_FIELDS_MAX]; /* what is left of each field's path, where wanted */
    guint64 by_letter[LETTERS];            /* bits: fields whose path goes on with that letter */
} Wanted;

static void
wanted_init(Wanted *wanted)
{
    memset(wanted->by_letter, 0, sizeof wanted->by_letter);
}

static void
wanted_add(Wanted *wanted, guint field, const char *path)
{
    wanted->paths[field] = path;
    wanted->by_letter[LETTER(*path)] |= BIT(field);
}

/* Compares the first key of a path. Returns: (nullable): what follows its dot, "" after the last
 * key; NULL when the key is another one. */
static inline const char *
match_key(const char *key, gsize len, const char *path, gboolean ignore_case)
{
    /* The comparison ends at the path's own end: nothing behind it is read. */
    if (ignore_case ? g_ascii_strncasecmp(key, path, len) != 0 : strncmp(key, path, len) != 0)
        return NULL;
    if (strnlen(key, len) < len || memchr(key, '.', len))
        return NULL;
    if (path[len] == '.')
        return path + len + 1;
    return path[len] == '\0' ? path + len : NULL;
}

/* Returns: bits: fields whose value the key names. below: gets those whose path goes on. */
static guint64
match_keys(const Reader *reader, const Wanted *wanted, const char *key, gsize len, Wanted *below,
           gboolean *ret_nested)
{
    guint64 here = 0;

    *ret_nested = FALSE;
    if (len == 0)
        return 0; /* no path has an empty key */
    for (guint64 bits = wanted->by_letter[LETTER(*key)]; bits; bits &= bits - 1) {
        guint i = (guint) __builtin_ctzll(bits);
        const char *rest = match_key(key, len, wanted->paths[i],
                                     (reader->fields[i].flags & CF_JSON_ANY_CASE) != 0);

        if (!rest)
            continue;
        if (!*rest) {
            here |= BIT(i);
            continue;
        }
        if (!*ret_nested)
            wanted_init(below);
        *ret_nested = TRUE;
        wanted_add(below, i, rest);
    }
    return here;
}

static void
take(Reader *reader, guint64 fields, CfJsonSpan value)
{
    for (; fields; fields &= fields - 1) {
        guint i = (guint) __builtin_ctzll(fields);

        if (reader->fields[i].take(&reader->fields[i], value, reader->target))
            reader->seen |= BIT(i);
        else
            reader->seen &= ~BIT(i);
    }
}

/* p: at the key. Returns: at the member's value; NULL where there is none. */
static inline const char *
read_key(const char *p, const char *end, CfJsonSpan *ret_key)
{
    const char *begin = p;

    if (*p != '"')
        return NULL;
    p = skip_string(p, end);
    *ret_key = (CfJsonSpan){begin, (gsize) (p - begin)};
    p = skip_blanks(p, end);
    if (p == end || *p != ':')
        return NULL;
    p = skip_blanks(p + 1, end);
    return p < end ? p : NULL;
}

/* p: at the opening bracket. An object in which something is wanted is read, not stepped over and
 * then read. Returns: after the closing bracket; end where the text is no object. */
static const char *
read_members(Reader *reader, const char *p, const char *end, const Wanted *wanted, guint depth)
{
    for (p = skip_blanks(p + 1, end); p < end && *p != '}'; p = skip_blanks(p, end)) {
        g_autofree char *decoded = NULL;
        CfJsonSpan key;
        Wanted below;
        gboolean nested;
        guint64 here;
        const char *name, *value;
        gsize len;

        if (*p == ',')
            p = skip_blanks(p + 1, end);
        value = p < end ? read_key(p, end, &key) : NULL;
        if (!value)
            return end;
        name = key.text + 1;
        len = key.len >= 2 ? key.len - 2 : 0;
        if (G_UNLIKELY(memchr(name, '\\', len))) {
            name = decoded = cf_json_string(key);
            len = strlen(decoded);
        }
        here = match_keys(reader, wanted, name, len, &below, &nested);
        nested = nested && *value == '{' && depth < CF_JSON_PATH_MAX;
        p = nested ? read_members(reader, value, end, &below, depth + 1)
                   : cf_json_skip_value(value, end);
        if (p == value)
            return end;
        if (here)
            take(reader, here, (CfJsonSpan){value, (gsize) (p - value)});
    }
    return p < end ? p + 1 : end;
}

gboolean
cf_json_read(CfJsonSpan object, const CfJsonField *fields, guint n, gpointer target, GError **error)
{
    Wanted wanted;
    Reader reader = {.fields = fields, .n = n, .target = target};

    g_return_val_if_fail(n <= CF_JSON_FIELDS_MAX, FALSE);

    if (cf_json_kind(object) != CF_JSON_OBJECT) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "no object where one must be");
        return FALSE;
    }
    wanted_init(&wanted);
    for (guint i = 0; i < n; i++)
        wanted_add(&wanted, i, fields[i].path);
    read_members(&reader, object.text, object.text + object.len, &wanted, 0);

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
