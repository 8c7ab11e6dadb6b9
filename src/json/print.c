#include "json/scan-private.h"

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
    return cf_json_skip_value(p, end);
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
