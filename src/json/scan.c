#include "json/scan.h"

#include "util/error.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A byte that JSON calls white space. */
static inline gboolean
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline gboolean
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *
skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* Most bytes of a page stand in strings: this is the loop that the speed comes from.
 * Returns: the first quote, backslash or control character from p; end when there is none. */
static inline const char *
find_special(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);

    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *) p);
        __m128i hits =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash)),
                         _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
        unsigned mask = (unsigned) _mm_movemask_epi8(hits);

        if (mask)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (guchar) *p >= 0x20)
        p++;
    return p;
}

/* --- checking ------------------------------------------------------------------------------- */

typedef struct {
    const char *p, *end;
    const char *why; /* of a refusal, which is at p */
    guint depth;
    char closers[CF_JSON_DEPTH_MAX]; /* the bracket that ends each open object or array */
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
    check->closers[check->depth++] = *check->p == '{' ? '}' : ']';
    check->p++;
    return TRUE;
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
    Check check = {.p = text, .end = text + len};
    const char *start, *end;

    start = check.p = skip_blanks(text, check.end);
    if (check_value(&check)) {
        end = check.p;
        check.p = skip_blanks(check.p, check.end);
        if (check.p == check.end) {
            if (ret_span)
                *ret_span = (CfJsonSpan){start, (gsize) (end - start)};
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

/* p: at the opening quote. Returns: after the closing one. */
static inline const char *
skip_string(const char *p, const char *end)
{
    for (p++; (p = find_special(p, end)) < end; p += *p == '\\' ? 2 : 1) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\' && end - p < 2)
            break;
    }
    return end;
}

/* What a byte outside strings means for finding the end of an object or array. */
enum { PLAIN, QUOTE, OPEN, CLOSE };
static const guint8 structure[256] = {
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* p: at the opening bracket. Returns: after the closing one. */
static const char *
skip_nested(const char *p, const char *end)
{
    gsize depth = 0;

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

static inline const char *
skip_scalar(const char *p, const char *end)
{
    while (p < end && !is_blank(*p) && *p != ',' && *p != '}' && *p != ']')
        p++;
    return p;
}

static inline const char *
skip_value(const char *p, const char *end)
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
    p = skip_value(p, end);
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

    if (cf_json_kind(array) != CF_JSON_ARRAY)
        return FALSE;
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

/* --- printing --------------------------------------------------------------------------------- */

typedef struct {
    GString *out;
    CfJsonIsSecret is_secret; /* (nullable) */
    gboolean pretty;
    guint depth;
} Printer;

static void
print_break(Printer *printer)
{
    if (!printer->pretty)
        return;
    g_string_append_c(printer->out, '\n');
    for (guint i = 0; i < printer->depth; i++)
        g_string_append(printer->out, "    ");
}

/* p: at the opening bracket. Returns: after it, or after an empty object or array. */
static const char *
print_open(Printer *printer, const char *p, const char *end)
{
    g_string_append_c(printer->out, *p);
    p = skip_blanks(p + 1, end);
    if (p < end && (*p == '}' || *p == ']')) {
        g_string_append_c(printer->out, *p);
        return p + 1;
    }
    printer->depth++;
    print_break(printer);
    return p;
}

static gboolean
is_secret_key(const Printer *printer, CfJsonSpan key)
{
    g_autofree char *name = NULL;

    if (!printer->is_secret)
        return FALSE;
    name = cf_json_string(key);
    return name && printer->is_secret(name);
}

/* p: at a string: a value, or a key with its colon. Returns: after it, and after a secret. */
static const char *
print_string(Printer *printer, const char *p, const char *end)
{
    CfJsonSpan token = {p, (gsize) (skip_string(p, end) - p)};

    g_string_append_len(printer->out, token.text, (gssize) token.len);
    p = skip_blanks(p + token.len, end);
    if (p == end || *p != ':')
        return p;
    g_string_append(printer->out, printer->pretty ? ": " : ":");
    p = skip_blanks(p + 1, end);
    if (!is_secret_key(printer, token))
        return p;
    g_string_append(printer->out, "\"***\"");
    return skip_value(p, end);
}

static const char *
print_token(Printer *printer, const char *p, const char *end)
{
    const char *start = p;

    switch (*p) {
    case '{':
    case '[':
        return print_open(printer, p, end);
    case '}':
    case ']':
        if (printer->depth > 0)
            printer->depth--;
        print_break(printer);
        g_string_append_c(printer->out, *p);
        return p + 1;
    case ',':
        g_string_append_c(printer->out, ',');
        print_break(printer);
        return p + 1;
    case '"':
        return print_string(printer, p, end);
    default:
        p = skip_scalar(p + 1, end);
        g_string_append_len(printer->out, start, p - start);
        return p;
    }
}

static void
print(Printer *printer, CfJsonSpan span)
{
    const char *end = span.text + span.len;

    for (const char *p = skip_blanks(span.text, end); p < end; p = skip_blanks(p, end))
        p = print_token(printer, p, end);
}

void
cf_json_pretty(CfJsonSpan span, CfJsonIsSecret is_secret, GString *out)
{
    Printer printer = {.out = out, .is_secret = is_secret, .pretty = TRUE};

    print(&printer, span);
    g_string_append_c(out, '\n');
}

void
cf_json_compact(CfJsonSpan span, CfJsonIsSecret is_secret, GString *out)
{
    Printer printer = {.out = out, .is_secret = is_secret, .pretty = FALSE};

    print(&printer, span);
}
