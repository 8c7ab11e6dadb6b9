#include "sim/raw.h"

#include <string.h>

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* p stands on the opening quote. Returns: behind the closing one; NULL when there is none. */
static const char *
skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\')
            p++;
        else if (*p == '"')
            return p + 1;
    }
    return NULL;
}

static const char *
skip_container(const char *p, const char *end)
{
    gsize depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            if (!p)
                return NULL;
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        p++;
    }
    return NULL;
}

static const char *
skip_value(const char *p, const char *end)
{
    const char *start = p;

    if (p >= end)
        return NULL;
    if (*p == '"')
        return skip_string(p, end);
    if (*p == '{' || *p == '[')
        return skip_container(p, end);
    while (p < end && (g_ascii_isalnum(*p) || *p == '+' || *p == '-' || *p == '.'))
        p++;
    return p > start ? p : NULL;
}

void
cf_sim_raw_iter_init(CfSimRawIter *iter, CfSimSpan value)
{
    iter->end = value.at + value.len;
    iter->at = value.at ? skip_space(value.at, iter->end) : NULL;
    iter->closing = 0;
    if (iter->at && iter->at < iter->end) {
        if (*iter->at == '{')
            iter->closing = '}';
        else if (*iter->at == '[')
            iter->closing = ']';
        iter->at++;
    }
}

/* Returns: behind the key's colon; NULL: malformed. */
static const char *
take_key(const char *p, const char *end, CfSimSpan *key)
{
    const char *after;

    if (p >= end || *p != '"')
        return NULL;
    after = skip_string(p, end);
    if (!after)
        return NULL;
    *key = (CfSimSpan){p + 1, (gsize) (after - p) - 2};
    p = skip_space(after, end);
    return p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

gboolean
cf_sim_raw_iter_next(CfSimRawIter *iter, CfSimSpan *ret_key, CfSimSpan *ret_value)
{
    CfSimSpan key = {NULL, 0};
    const char *p, *after;

    if (!iter->closing)
        return FALSE;
    p = skip_space(iter->at, iter->end);
    if (p < iter->end && *p == ',')
        p = skip_space(p + 1, iter->end);
    if (p >= iter->end || *p == iter->closing) {
        iter->at = p;
        return FALSE;
    }
    if (iter->closing == '}')
        p = take_key(p, iter->end, &key);
    after = p ? skip_value(p, iter->end) : NULL;
    if (!after)
        return FALSE;
    if (ret_key)
        *ret_key = key;
    if (ret_value)
        *ret_value = (CfSimSpan){p, (gsize) (after - p)};
    iter->at = after;
    return TRUE;
}

/* Whether a container's members are all well-formed; their own members are checked in turn. */
static gboolean
check_container(CfSimSpan value, guint depth)
{
    CfSimRawIter iter;
    CfSimSpan member;

    if (depth > 200)
        return FALSE;
    cf_sim_raw_iter_init(&iter, value);
    if (!iter.closing)
        return TRUE;
    while (cf_sim_raw_iter_next(&iter, NULL, &member)) {
        if (!check_container(member, depth + 1))
            return FALSE;
    }
    return iter.at == value.at + value.len - 1 && *iter.at == iter.closing;
}

gboolean
cf_sim_raw_check(const char *text, gsize len)
{
    const char *end = text + len;
    const char *start = skip_space(text, end);
    const char *after = skip_value(start, end);

    return after && skip_space(after, end) == end &&
           check_container((CfSimSpan){start, (gsize) (after - start)}, 0);
}

CfSimSpan
cf_sim_span(const char *text)
{
    return (CfSimSpan){text, strlen(text)};
}

gboolean
cf_sim_raw_get(CfSimSpan object, const char *key, CfSimSpan *ret_value)
{
    gsize len = strlen(key);
    gboolean found = FALSE;
    CfSimRawIter iter;
    CfSimSpan name, value;

    cf_sim_raw_iter_init(&iter, object);
    if (iter.closing != '}')
        return FALSE;
    while (cf_sim_raw_iter_next(&iter, &name, &value)) {
        if (name.len == len && memcmp(name.at, key, len) == 0) {
            *ret_value = value;
            found = TRUE;
        }
    }
    return found;
}

/* Reads the four digits of \uXXXX. Returns: 0 when there are none. */
static gunichar
take_hex(const char *p, const char *end)
{
    gunichar unit = 0;

    if (end - p < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        if (!g_ascii_isxdigit(p[i]))
            return 0;
        unit = unit * 16 + (gunichar) g_ascii_xdigit_value(p[i]);
    }
    return unit;
}

/* p stands behind the backslash. Returns: behind the escape. */
static const char *
take_escape(const char *p, const char *end, GString *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *simple = strchr(from, *p);
    gunichar unit, low;

    if (*p != 'u') {
        g_string_append_c(out, simple ? to[simple - from] : *p);
        return p + 1;
    }
    unit = take_hex(p + 1, end);
    p = MIN(p + 5, end);
    if (unit >= 0xd800 && unit < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        low = take_hex(p + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
        }
    }
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000))
        unit = 0xfffd;
    g_string_append_unichar(out, unit);
    return p;
}

char *
cf_sim_raw_text(CfSimSpan value)
{
    const char *p, *end;
    GString *out;

    if (!value.len || *value.at != '"')
        return g_strndup(value.at, value.len);
    out = g_string_sized_new(value.len);
    end = value.at + value.len - 1;
    for (p = value.at + 1; p < end;) {
        if (*p == '\\' && p + 1 < end)
            p = take_escape(p + 1, end, out);
        else
            g_string_append_c(out, *p++);
    }
    return g_string_free(out, FALSE);
}

char *
cf_sim_raw_get_string(CfSimSpan object, const char *key)
{
    CfSimSpan value;

    if (!cf_sim_raw_get(object, key, &value) || !value.len || *value.at != '"')
        return NULL;
    return cf_sim_raw_text(value);
}

static void
append_member(GString *out, CfSimSpan key, CfSimSpan value)
{
    if (out->len > 1)
        g_string_append_c(out, ',');
    g_string_append_c(out, '"');
    g_string_append_len(out, key.at, (gssize) key.len);
    g_string_append(out, "\":");
    g_string_append_len(out, value.at, (gssize) value.len);
}

char *
cf_sim_raw_set(const char *object, const char *key, const char *value)
{
    GString *out;
    CfSimSpan old;

    if (cf_sim_raw_get(cf_sim_span(object), key, &old)) {
        out = g_string_new_len(object, old.at - object);
        g_string_append(out, value);
        g_string_append(out, old.at + old.len);
        return g_string_free(out, FALSE);
    }
    out = g_string_new_len(object, (gssize) (strrchr(object, '}') - object));
    append_member(out, cf_sim_span(key), cf_sim_span(value));
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

char *
cf_sim_raw_remove(const char *object, const char *key)
{
    GString *out = g_string_new("{");
    gsize len = strlen(key);
    CfSimRawIter iter;
    CfSimSpan name, value;

    cf_sim_raw_iter_init(&iter, cf_sim_span(object));
    while (cf_sim_raw_iter_next(&iter, &name, &value)) {
        if (name.len != len || memcmp(name.at, key, len) != 0)
            append_member(out, name, value);
    }
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

char *
cf_sim_raw_merge(const char *object, CfSimSpan changes)
{
    char *merged = g_strdup(object);
    CfSimRawIter iter;
    CfSimSpan name, value;

    cf_sim_raw_iter_init(&iter, changes);
    while (cf_sim_raw_iter_next(&iter, &name, &value)) {
        g_autofree char *old = merged;
        g_autofree char *key = g_strndup(name.at, name.len);
        g_autofree char *text = g_strndup(value.at, value.len);

        merged = key[0] == '$' ? g_steal_pointer(&old) : cf_sim_raw_set(old, key, text);
    }
    return merged;
}

/* Appends one ASCII character as it stands inside a JSON string. */
static void
quote_char(GString *out, guchar c)
{
    if (c == '"' || c == '\\')
        g_string_append_printf(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_c(out, (char) c);
}

void
cf_sim_raw_quote_bytes(GString *out, const char *text, gsize len)
{
    g_string_append_c(out, '"');
    for (gsize i = 0; i < len; i++)
        quote_char(out, (guchar) text[i]);
    g_string_append_c(out, '"');
}

void
cf_sim_raw_quote(GString *out, const char *text)
{
    const char *p = text;

    if (!text) {
        g_string_append(out, "null");
        return;
    }
    g_string_append_c(out, '"');
    while (*p) {
        const char *next;

        if ((guchar) *p < 0x80) {
            quote_char(out, (guchar) *p++);
        } else if (g_unichar_validate(g_utf8_get_char_validated(p, -1))) {
            next = g_utf8_next_char(p);
            g_string_append_len(out, p, next - p);
            p = next;
        } else {
            g_string_append_printf(out, "\\u%04x", (guchar) *p++);
        }
    }
    g_string_append_c(out, '"');
}
