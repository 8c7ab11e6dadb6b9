/* Steps over JSON text that was checked: what the files of this layer share. */
#pragma once

#include "json/scan.h"

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

static inline const char *
skip_scalar(const char *p, const char *end)
{
    while (p < end && !is_blank(*p) && *p != ',' && *p != '}' && *p != ']')
        p++;
    return p;
}

/* p: at a value. Returns: after it. */
const char *cf_json_skip_value(const char *p, const char *end);
