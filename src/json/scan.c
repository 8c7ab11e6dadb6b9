#include "json/scan-private.h"

#include "util/error.h"
#include "json/outline.h"

static inline gboolean
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- checking ------------------------------------------------------------------------------- */

typedef struct {
    const char *p, *end;
    const char *why; /* of a refusal, which is at p */
    guint depth;
    char closers[CF_JSON_DEPTH_MAX]; /* the bracket that ends each open object or array */
    CfJsonOutline *outline;          /* (nullable) to be noted in */
} Check;

static gboolean
refuse(Check *check, const char *why)
{
    check->why = check->p < check->end ? why : "the text ends too early";
    return FALSE;
}

static gboolean
check_escape(Check *check)
{
    check->p++; /* the backslash */
    if (check->p == check->end || !strchr("\"\\/bfnrtu", *check->p) || !*check->p)
        return refuse(check, "no such escape in a string");
    if (*check->p++ != 'u')
        return TRUE;
    for (guint i = 0; i < 4; i++, check->p++)
        if (check->p == check->end || !g_ascii_isxdigit(*check->p))
            return refuse(check, "\\u without four hexadecimal digits");
    return TRUE;
}

static inline gboolean
check_string(Check *check)
{
    check->p++; /* the quote */
    for (;;) {
        check->p = find_special(check->p, check->end);
        if (check->p == check->end)
            return refuse(check, "");
        if (*check->p == '"') {
            check->p++;
            return TRUE;
        }
        if (*check->p != '\\')
            return refuse(check, "a control character in a string");
        if (!check_escape(check))
            return FALSE;
    }
}

static gboolean
check_digits(Check *check)
{
    if (check->p == check->end || !is_digit(*check->p))
        return refuse(check, "a digit is missing");
    while (check->p < check->end && is_digit(*check->p))
        check->p++;
    return TRUE;
}

static gboolean
check_number(Check *check)
{
    if (*check->p == '-')
        check->p++;
    if (check->p < check->end && *check->p == '0')
        check->p++;
    else if (!check_digits(check))
        return FALSE;
    if (check->p < check->end && *check->p == '.') {
        check->p++;
        if (!check_digits(check))
            return FALSE;
    }
    if (check->p < check->end && (*check->p == 'e' || *check->p == 'E')) {
        check->p++;
        if (check->p < check->end && (*check->p == '+' || *check->p == '-'))
            check->p++;
        return check_digits(check);
    }
    return TRUE;
}

static gboolean
check_word(Check *check, const char *word)
{
    gsize len = strlen(word);

    if ((gsize) (check->end - check->p) < len) {
        if (strncmp(check->p, word, (gsize) (check->end - check->p)) == 0)
            check->p = check->end;
        return refuse(check, "no such word");
    }
    if (memcmp(check->p, word, len) != 0)
        return refuse(check, "no such word");
    check->p += len;
    return TRUE;
}

static inline gboolean
check_key(Check *check)
{
    check->p = skip_blanks(check->p, check->end);
    if (check->p == check->end || *check->p != '"')
        return refuse(check, "a key is missing");
    if (!check_string(check))
        return FALSE;
    check->p = skip_blanks(check->p, check->end);
    if (check->p == check->end || *check->p != ':')
        return refuse(check, "a colon is missing");
    check->p++;
    return TRUE;
}

static gboolean
check_open(Check *check)
{
    if (check->depth == CF_JSON_DEPTH_MAX)
        return refuse(check, "nested too deep");
    if (check->outline && check->depth < CF_JSON_OUTLINE_DEPTH)
        cf_json_outline_open(check->outline, check->depth, check->p);
    check->closers[check->depth++] = *check->p == '{' ? '}' : ']';
    check->p++;
    return TRUE;
}

/* An object, where the text may say what an earlier one said: then it is stepped over whole. It is
 * a value as any other, so nothing before or behind it can mean another thing by it. */
static gboolean
check_object(Check *check, gboolean *ret_opened)
{
    if (check->outline && check->depth > 0 && check->depth < CF_JSON_OUTLINE_DEPTH &&
        check->closers[check->depth - 1] == ']') {
        const char *after = cf_json_outline_pass(check->outline, check->p);

        if (after != check->p) {
            check->p = after;
            return TRUE;
        }
    }
    *ret_opened = TRUE;
    return check_open(check);
}

/* A scalar, or the bracket that begins an object or array. */
static inline gboolean
check_begin(Check *check, gboolean *ret_opened)
{
    *ret_opened = FALSE;
    check->p = skip_blanks(check->p, check->end);
    if (check->p == check->end)
        return refuse(check, "");
    switch (*check->p) {
    case '"':
        return check_string(check);
    case '{':
        return check_object(check, ret_opened);
    case '[':
        *ret_opened = TRUE;
        return check_open(check);
    case 't':
        return check_word(check, "true");
    case 'f':
        return check_word(check, "false");
    case 'n':
        return check_word(check, "null");
    default:
        if (*check->p == '-' || is_digit(*check->p))
            return check_number(check);
        return refuse(check, "a value is missing");
    }
}

/* What stands after a value: the ends of what is open, then a comma.
 * Returns: FALSE where no further member comes; check->why says whether that is an error. */
static inline gboolean
check_end(Check *check)
{
    while (check->depth > 0) {
        check->p = skip_blanks(check->p, check->end);
        if (check->p == check->end)
            return refuse(check, "");
        if (*check->p == ',') {
            check->p++;
            return TRUE;
        }
        if (*check->p != check->closers[check->depth - 1])
            return refuse(check, "a comma or a closing bracket is missing");
        check->p++;
        check->depth--;
        if (check->outline && check->depth < CF_JSON_OUTLINE_DEPTH)
            cf_json_outline_close(check->outline, check->depth, check->p);
    }
    return FALSE;
}

/* One value of any depth, without recursion. Returns: FALSE with check->why set. */
static gboolean
check_value(Check *check)
{
    gboolean opened;

    do {
        do {
            if (check->depth > 0 && check->closers[check->depth - 1] == '}' && !check_key(check))
                return FALSE;
            if (!check_begin(check, &opened))
                return FALSE;
            if (opened) {
                check->p = skip_blanks(check->p, check->end);
                opened = check->p == check->end || *check->p != check->closers[check->depth - 1];
            }
        } while (opened);
    } while (check_end(check));

    return check->why == NULL;
}

const char *
cf_json_find_fault(const char *text, gsize len, CfJsonSpan *ret_span, gsize *ret_fault)
{
    Check check = {.p = text, .end = text + len, .outline = cf_json_outline_of(text, len)};
    const char *start, *end;

    start = check.p = skip_blanks(text, check.end);
    if (check_value(&check)) {
        end = check.p;
        check.p = skip_blanks(check.p, check.end);
        if (check.p == check.end) {
            if (ret_span)
                *ret_span = (CfJsonSpan){start, (gsize) (end - start)};
            if (check.outline)
                cf_json_outline_ready(check.outline);
            return NULL;
        }
        check.why = "something stands after the value";
    }
    if (ret_fault)
        *ret_fault = (gsize) (check.p - text);
    return check.why;
}

gboolean
cf_json_check(const char *text, gsize len, CfJsonSpan *ret_span, GError **error)
{
    gsize fault = 0;
    const char *why = cf_json_find_fault(text, len, ret_span, &fault);

    if (why)
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "no JSON at byte %" G_GSIZE_FORMAT ": %s",
                    fault, why);
    return !why;
}

/* --- walking through text that was checked ---------------------------------------------------- */

/* What a byte outside strings means for finding the end of an object or array. */
enum { PLAIN, QUOTE, OPEN, CLOSE };
static const guint8 structure[256] = {
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* p: at the opening bracket. Returns: after the closing one. */
static const char *
skip_nested(const char *p, const char *end)
{
    const char *known = cf_json_outline_find(p);
    gsize depth = 0;

    if (known)
        return known <= end ? known : end;

    while (p < end) {
        switch (structure[(guchar) *p]) {
        case QUOTE:
            p = skip_string(p, end);
            break;
        case OPEN:
            depth++;
            p++;
            break;
        case CLOSE:
            p++;
            if (--depth == 0)
                return p;
            break;
        default:
            p++;
            break;
        }
    }
    return end;
}

const char *
cf_json_skip_value(const char *p, const char *end)
{
    if (p == end)
        return end;
    if (*p == '"')
        return skip_string(p, end);
    return *p == '{' || *p == '[' ? skip_nested(p, end) : skip_scalar(p, end);
}

CfJsonKind
cf_json_kind(CfJsonSpan span)
{
    if (span.len == 0)
        return CF_JSON_NULL;
    switch (span.text[0]) {
    case '{':
        return CF_JSON_OBJECT;
    case '[':
        return CF_JSON_ARRAY;
    case '"':
        return CF_JSON_STRING;
    case 't':
        return CF_JSON_TRUE;
    case 'f':
        return CF_JSON_FALSE;
    case 'n':
        return CF_JSON_NULL;
    default:
        return CF_JSON_NUMBER;
    }
}

void
cf_json_iter_init(CfJsonIter *iter, CfJsonSpan span)
{
    CfJsonKind kind = cf_json_kind(span);

    *iter = (CfJsonIter){.object = kind == CF_JSON_OBJECT, .index = G_MAXSIZE};
    if ((kind == CF_JSON_OBJECT || kind == CF_JSON_ARRAY) && span.len >= 2)
        iter->rest = (CfJsonSpan){span.text + 1, span.len - 2};
}

gboolean
cf_json_iter_next(CfJsonIter *iter, CfJsonSpan *ret_key, CfJsonSpan *ret_value)
{
    const char *end = iter->rest.text + iter->rest.len;
    const char *p = skip_blanks(iter->rest.text, end);
    CfJsonSpan key = {p, 0};
    const char *value;

    if (p < end && *p == ',')
        p = skip_blanks(p + 1, end);
    if (p == end)
        return FALSE;
    if (iter->object) {
        if (*p != '"')
            return FALSE;
        key.text = p;
        p = skip_string(p, end);
        key.len = (gsize) (p - key.text);
        p = skip_blanks(p, end);
        if (p == end || *p != ':')
            return FALSE;
        p = skip_blanks(p + 1, end);
    }
    value = p;
    p = cf_json_skip_value(p, end);
    if (p == value)
        return FALSE;

    iter->rest = (CfJsonSpan){p, (gsize) (end - p)};
    iter->index++;
    if (ret_key)
        *ret_key = key;
    *ret_value = (CfJsonSpan){value, (gsize) (p - value)};
    return TRUE;
}

gboolean
cf_json_is(CfJsonSpan string, const char *text, gboolean ignore_case)
{
    g_autofree char *decoded = NULL;
    const char *inner = string.text + 1;
    gsize len = string.len - 2;

    if (string.len < 2 || string.text[0] != '"')
        return FALSE;
    if (memchr(inner, '\\', len)) {
        inner = decoded = cf_json_string(string);
        len = strlen(decoded);
    }
    if (strlen(text) != len)
        return FALSE;
    return (ignore_case ? g_ascii_strncasecmp(inner, text, len) : memcmp(inner, text, len)) == 0;
}

gboolean
cf_json_get(CfJsonSpan object, const char *key, gboolean ignore_case, CfJsonSpan *ret_value)
{
    CfJsonIter iter;
    CfJsonSpan name, value;
    gboolean found = FALSE;

    if (cf_json_kind(object) != CF_JSON_OBJECT)
        return FALSE;
    cf_json_iter_init(&iter, object);
    while (cf_json_iter_next(&iter, &name, &value)) {
        if (cf_json_is(name, key, ignore_case)) {
            *ret_value = value;
            found = TRUE;
        }
    }
    return found;
}

gboolean
cf_json_slice(CfJsonSpan array, GArray *out)
{
    CfJsonIter iter;
    CfJsonSpan value;

    guint len = out->len;

    if (cf_json_kind(array) != CF_JSON_ARRAY)
        return FALSE;
    /* As many as there can be, where that is known: so it grows once. */
    g_array_set_size(out, len + cf_json_outline_count(array.text, array.len));
    g_array_set_size(out, len);
    cf_json_iter_init(&iter, array);
    while (cf_json_iter_next(&iter, NULL, &value))
        g_array_append_val(out, value);
    return TRUE;
}

/* --- scalars ---------------------------------------------------------------------------------- */

/* The four digits after "\u". Returns: FALSE when they are not there. */
static gboolean
read_unit(const char *p, const char *end, gunichar *ret_unit)
{
    gunichar unit = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return FALSE;
    for (guint i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(p[i]))
            return FALSE;
        unit = unit << 4 | (gunichar) g_ascii_xdigit_value(p[i]);
    }
    *ret_unit = unit;
    return TRUE;
}

/* p: at "\u". Appends the character, U+FFFD for a lone surrogate and for U+0000.
 * Returns: after what was read. */
static const char *
decode_unit(const char *p, const char *end, char **out)
{
    gunichar unit, low;

    if (!read_unit(p, end, &unit))
        return end;
    p += 6;
    if (unit >= 0xd800 && unit < 0xdc00 && read_unit(p, end, &low) && low >= 0xdc00 &&
        low < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
    } else if (unit == 0 || (unit >= 0xd800 && unit < 0xe000)) {
        unit = 0xfffd;
    }
    *out += g_unichar_to_utf8(unit, *out);
    return p;
}

static char
decode_letter(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

char *
cf_json_string(CfJsonSpan span)
{
    const char *p = span.text + 1, *end = span.text + span.len - 1;
    char *text, *out;

    if (cf_json_kind(span) != CF_JSON_STRING || span.len < 2)
        return NULL;
    /* No escape is shorter than what it stands for: six bytes make at most three of UTF-8. */
    text = out = g_malloc(span.len);
    while (p < end) {
        const char *escape = memchr(p, '\\', (gsize) (end - p));
        gsize plain = (gsize) ((escape ? escape : end) - p);

        memcpy(out, p, plain);
        out += plain;
        p += plain;
        if (end - p < 2)
            break;
        if (p[1] == 'u') {
            p = decode_unit(p, end, &out);
        } else {
            *out++ = decode_letter(p[1]);
            p += 2;
        }
    }
    *out = '\0';
    return text;
}

char *
cf_json_scalar(CfJsonSpan span)
{
    switch (cf_json_kind(span)) {
    case CF_JSON_STRING:
        return cf_json_string(span);
    case CF_JSON_NUMBER:
    case CF_JSON_TRUE:
    case CF_JSON_FALSE:
        return g_strndup(span.text, span.len);
    case CF_JSON_OBJECT:
    case CF_JSON_ARRAY:
    case CF_JSON_NULL:
    case CF_JSON_KIND_N:
        break;
    }
    return NULL;
}

char *
cf_json_scalar_init(CfJsonScalar *scalar, CfJsonSpan span)
{
    CfJsonKind kind = cf_json_kind(span);
    const char *text = span.text;
    gsize len = span.len;

    if (kind == CF_JSON_STRING && len >= 2) {
        text++;
        len -= 2;
    }
    if (kind == CF_JSON_OBJECT || kind == CF_JSON_ARRAY || kind == CF_JSON_NULL ||
        len >= sizeof scalar->room || memchr(text, '\\', len)) {
        scalar->text = scalar->allocated = cf_json_scalar(span);
        return scalar->text;
    }
    memcpy(scalar->room, text, len);
    scalar->room[len] = '\0';
    scalar->allocated = NULL;
    scalar->text = scalar->room;
    return scalar->text;
}
