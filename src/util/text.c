#include "util/text.h"

#include <string.h>

#include "util/error.h"

#define C_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define ID_HASH_DIGITS 16

/* One step through text that may hold any bytes. */
typedef struct {
    const char *start;
    gsize size;    /* bytes of the character; 1 for an invalid byte */
    gunichar c;    /* the character, or the byte's value when it is invalid */
    gboolean good; /* valid UTF-8 */
} Char;

static gboolean
next_char(const char **text, Char *ch)
{
    const char *p = *text;

    if (!*p)
        return FALSE;
    ch->start = p;
    ch->size = 1;
    ch->c = (guchar) *p;
    ch->good = ch->c < 0x80;
    if (!ch->good) {
        gunichar c = g_utf8_get_char_validated(p, -1);

        if (c != (gunichar) -1 && c != (gunichar) -2) {
            ch->c = c;
            ch->size = g_utf8_next_char(p) - p;
            ch->good = TRUE;
        }
    }
    *text = p + ch->size;
    return TRUE;
}

/* C0, DEL and, because terminals obey them too, C1. */
static gboolean
is_control(const Char *ch)
{
    return ch->good && (ch->c < 0x20 || (ch->c >= 0x7F && ch->c < 0xA0));
}

static void
append_bytes(GString *out, const Char *ch, const char *prefix, const char *digits)
{
    gsize i;

    for (i = 0; i < ch->size; i++) {
        g_string_append(out, prefix);
        g_string_append_c(out, digits[(guchar) ch->start[i] >> 4]);
        g_string_append_c(out, digits[(guchar) ch->start[i] & 15]);
    }
}

/* How many bytes from the beginning on may stand in a name as they are, without looking at UTF-8:
 * nearly always all of them. */
static gsize
count_plain(const char *name)
{
    gsize n = 0;

    if (*name == '.')
        return 0;
    while (name[n] >= 0x20 && name[n] < 0x7F && name[n] != '/' && name[n] != '%' && name[n] != '~')
        n++;
    return n;
}

char *
cf_name_encode(const char *name)
{
    gsize plain = name ? count_plain(name) : 0;
    const char *p = name ? name + plain : "";
    gboolean first = plain == 0;
    GString *out;
    Char ch;

    if (plain > 0 && !*p)
        return g_strndup(name, plain);
    out = g_string_new_len(name, (gssize) plain);
    if (first && !*p)
        g_string_append_c(out, '%');
    for (; next_char(&p, &ch); first = FALSE) {
        if (!ch.good || is_control(&ch) || ch.c == '/' || ch.c == '%' || ch.c == '~' ||
            (first && ch.c == '.'))
            append_bytes(out, &ch, "%", "0123456789ABCDEF");
        else
            g_string_append_len(out, ch.start, ch.size);
    }
    return g_string_free(out, FALSE);
}

char *
cf_name_decode(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *again = NULL;
    const char *p;

    for (p = text; *p; p++) {
        if (*p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            g_string_append_c(out, g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));
            p += 2;
        } else if (*p != '%' || strcmp(text, "%") != 0) {
            g_string_append_c(out, *p);
        }
    }
    /* What encode does not make is refused: lower-case hex, %41, %00, a bare '~'. */
    again = cf_name_encode(out->str);
    return strcmp(again, text) == 0 ? g_strdup(out->str) : NULL;
}

/* The longest beginning of an encoded name that has at most room bytes and no half character. */
static gsize
cut(const char *encoded, gsize room)
{
    const char *p = encoded;
    gsize size = 0;
    Char ch;

    while (next_char(&p, &ch)) {
        if (ch.c == '%' && g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]))
            p += 2;
        if ((gsize) (p - encoded) > room)
            break;
        size = p - encoded;
    }
    return size;
}

/* Shortens an encoded id to at most room bytes; the hash keeps it unique. */
static char *
shorten_id(const char *encoded, const char *hashed, gsize room)
{
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, hashed, -1);
    gsize size = cut(encoded, room - 1 - ID_HASH_DIGITS);

    return g_strdup_printf("%.*s~%.*s", (int) size, encoded, ID_HASH_DIGITS, sum);
}

char *
cf_name_with_id(const char *encoded, const char *id_encoded)
{
    g_autofree char *short_id = NULL;
    gsize id_size = strlen(id_encoded);

    if (id_size > CF_NAME_MAX - 1) {
        short_id = shorten_id(id_encoded, id_encoded, CF_NAME_MAX - 1);
        id_encoded = short_id;
        id_size = strlen(id_encoded);
    }
    return g_strdup_printf("%.*s~%s", (int) cut(encoded, CF_NAME_MAX - 1 - id_size), encoded,
                           id_encoded);
}

char *
cf_id_encode(const char *id)
{
    g_autofree char *encoded = cf_name_encode(id);

    if (strlen(encoded) <= CF_NAME_MAX)
        return g_steal_pointer(&encoded);
    return shorten_id(encoded, id, CF_NAME_MAX);
}

char *
cf_text_take_value(const char *data, gsize size, GError **error)
{
    if (size > 0 && memchr(data, '\0', size)) {
        g_set_error_literal(error, CF_ERROR, CF_ERROR_INVALID, "the value holds a NUL byte");
        return NULL;
    }
    if (size > 0 && data[size - 1] == '\n')
        size--;
    return size > 0 ? g_strndup(data, size) : g_strdup("");
}

void
cf_text_append_json(GString *out, const char *text)
{
    const char *p = text;
    Char ch;

    if (!text) {
        g_string_append(out, "null");
        return;
    }
    g_string_append_c(out, '"');
    while (next_char(&p, &ch)) {
        if (!ch.good) {
            g_string_append(out, C_REPLACEMENT);
        } else if (is_control(&ch)) {
            g_string_append_printf(out, "\\u%04x", ch.c);
        } else {
            if (ch.c == '"' || ch.c == '\\')
                g_string_append_c(out, '\\');
            g_string_append_len(out, ch.start, ch.size);
        }
    }
    g_string_append_c(out, '"');
}

void
cf_text_append_tsv(GString *out, const char *text)
{
    const char *p = text ? text : "";
    Char ch;

    while (next_char(&p, &ch)) {
        if (ch.c == '\t')
            g_string_append(out, "\\t");
        else if (ch.c == '\n')
            g_string_append(out, "\\n");
        else if (ch.c == '\r')
            g_string_append(out, "\\r");
        else if (ch.c == '\\')
            g_string_append(out, "\\\\");
        else if (!ch.good || is_control(&ch))
            append_bytes(out, &ch, "\\x", "0123456789abcdef");
        else
            g_string_append_len(out, ch.start, ch.size);
    }
}

char *
cf_text_one_line(const char *text)
{
    GString *out = g_string_new(NULL);
    const char *p = text ? text : "";
    Char ch;

    while (next_char(&p, &ch)) {
        if (!ch.good || is_control(&ch))
            g_string_append_c(out, ' ');
        else
            g_string_append_len(out, ch.start, ch.size);
    }
    return g_string_free(out, FALSE);
}

char *
cf_text_time(gint64 us)
{
    gint64 seconds = us / G_USEC_PER_SEC - (us % G_USEC_PER_SEC < 0 ? 1 : 0);
    int ms = (int) ((us - seconds * G_USEC_PER_SEC) / 1000);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : NULL;

    return text ? g_strdup_printf("%s.%03dZ", text, ms) : g_strdup("");
}

static const struct {
    const char *name;
    gint64 us;
} units[] = {
    {"", 1000000}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000},
};

/* Sums are made with it; a hundred years leave room enough below 2^63. */
#define DURATION_MAX_US (G_GINT64_CONSTANT(100) * 366 * 24 * 3600 * 1000000)

gboolean
cf_text_parse_duration(const char *text, gint64 *ret_us, GError **error)
{
    const char *p = text;
    double value = 0, scale = 1;
    gsize i;

    /* By hand: strtod() takes signs, hex, "inf" and the locale's comma. */
    while (g_ascii_isdigit(*p))
        value = value * 10 + g_ascii_digit_value(*p++);
    if (p > text && p[0] == '.' && g_ascii_isdigit(p[1])) {
        for (p++; g_ascii_isdigit(*p); p++) {
            scale /= 10;
            value += g_ascii_digit_value(*p) * scale;
        }
    }
    for (i = 0; p > text && i < G_N_ELEMENTS(units); i++) {
        double us = value * (double) units[i].us + 0.5;

        if (strcmp(p, units[i].name) == 0 && us <= (double) DURATION_MAX_US) {
            *ret_us = (gint64) us;
            return TRUE;
        }
    }
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                "\"%s\" is not a duration: write seconds or 500ms, 10s, 2m, 1h", text);
    return FALSE;
}

void
cf_text_wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}
