#include "providers/words.h"

#include "util/text.h"

#include <string.h>

char *
cf_words_one_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *line = cf_text_one_line(valid);
    GString *out = g_string_new(NULL);
    glong n = 0;

    for (const char *p = line; *p && n < CF_WORDS_MAX; p = g_utf8_next_char(p)) {
        if (*p == ' ' && (out->len == 0 || out->str[out->len - 1] == ' '))
            continue;
        g_string_append_len(out, p, g_utf8_next_char(p) - p);
        n++;
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

char *
cf_words_excerpt(const char *text, gsize len)
{
    g_autofree char *copy = g_strndup(text, MIN(len, 4096));
    char *title = strcasestr(copy, "<title>");
    char *end = title ? strcasestr(title, "</title>") : NULL;
    GString *out = g_string_new(NULL);
    char *line;

    if (end) {
        g_string_append_len(out, title + 7, end - title - 7);
    } else {
        for (const char *p = copy; *p;) {
            gsize plain = strcspn(p, "<");

            g_string_append_len(out, p, (gssize) plain);
            g_string_append_c(out, ' ');
            p += plain;
            p += strcspn(p, ">");
            p += *p == '>';
        }
    }
    line = cf_words_one_line(out->str);
    g_string_free(out, TRUE);
    if (!*line)
        g_clear_pointer(&line, g_free);
    return line;
}

gboolean
cf_words_are_markup(const char *text, gsize len)
{
    while (len > 0 && g_ascii_isspace(*text)) {
        text++;
        len--;
    }
    return len > 0 && *text == '<';
}

CfErrorCode
cf_status_meaning(int status, gboolean has_code, gboolean of_resource)
{
    switch (status) {
    case 400:
        /* A code of the cloud's own that we do not know says nothing of whose fault it is. */
        return has_code ? CF_ERROR_REMOTE : CF_ERROR_INVALID;
    case 401:
        return CF_ERROR_UNAUTHORIZED;
    case 402:
        return CF_ERROR_REFUSED;
    case 403:
        return CF_ERROR_DENIED;
    case 404:
    case 410:
        /* A collection cannot be gone: then the endpoint is wrong, and nothing is known. */
        return of_resource ? CF_ERROR_NOT_FOUND : CF_ERROR_REMOTE;
    case 405:
    case 415:
    case 501:
        return CF_ERROR_UNSUPPORTED;
    case 408:
        return CF_ERROR_TIMEOUT;
    case 409:
        return CF_ERROR_BUSY;
    case 413:
    case 414:
        return CF_ERROR_TOO_BIG;
    case 429:
        return CF_ERROR_THROTTLED;
    case 507:
        return CF_ERROR_CAPACITY;
    default:
        return status >= 300 && status < 400 ? CF_ERROR_PROTOCOL : CF_ERROR_REMOTE;
    }
}
