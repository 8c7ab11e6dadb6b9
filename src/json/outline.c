#include "json/outline.h"

#define NESTED_USUAL 128 /* a page of a hundred records */

typedef struct {
    guint32 start, end; /* offsets in the text */
    gboolean inmost;    /* nothing inside of it is noted */
} Nested;

struct _CfJsonOutline {
    const char *text; /* NULL: none is open */
    gsize len;
    gboolean ready;
    CfJsonKnown *known; /* (nullable) until the text is checked */
    GArray *nested;     /* (element-type Nested) by start */
    guint hint;         /* what was found last: the next one mostly stands beside it */
    guint opened[CF_JSON_OUTLINE_DEPTH]; /* index of the one that is open at each depth */
};

static _Thread_local CfJsonOutline current;

void
cf_json_outline_begin(const char *text, gsize len, CfJsonKnown *known)
{
    cf_json_outline_end();
    if (len > G_MAXUINT32)
        return;
    current =
        (CfJsonOutline){.text = text,
                        .len = len,
                        .known = known,
                        .nested = g_array_sized_new(FALSE, FALSE, sizeof(Nested), NESTED_USUAL)};
}

void
cf_json_outline_end(void)
{
    if (current.nested)
        g_array_unref(current.nested);
    current = (CfJsonOutline){.text = NULL};
}

CfJsonOutline *
cf_json_outline_of(const char *text, gsize len)
{
    if (!current.text || current.ready || current.text != text || current.len != len)
        return NULL;
    g_array_set_size(current.nested, 0);
    if (current.known)
        current.known->begin(current.known);
    return &current;
}

void
cf_json_outline_open(CfJsonOutline *outline, guint depth, const char *start)
{
    Nested nested = {.start = (guint32) (start - outline->text),
                     .inmost = depth + 1 == CF_JSON_OUTLINE_DEPTH};

    outline->opened[depth] = outline->nested->len;
    g_array_append_val(outline->nested, nested);
}

const char *
cf_json_outline_pass(CfJsonOutline *outline, const char *start)
{
    gsize left = (gsize) (outline->text + outline->len - start);
    gsize len = outline->known ? outline->known->match(outline->known, start, left) : 0;
    Nested nested = {.start = (guint32) (start - outline->text), .inmost = TRUE};

    if (len == 0 || len > left)
        return start;
    nested.end = nested.start + (guint32) len;
    g_array_append_val(outline->nested, nested);
    return start + len;
}

void
cf_json_outline_close(CfJsonOutline *outline, guint depth, const char *end)
{
    g_array_index(outline->nested, Nested, outline->opened[depth]).end =
        (guint32) (end - outline->text);
}

void
cf_json_outline_ready(CfJsonOutline *outline)
{
    outline->ready = TRUE;
    outline->known = NULL;
}

/* The last one that begins at or before the offset; there is one. */
static guint
find_before(const GArray *nested, guint32 offset)
{
    guint low = 0, high = nested->len;

    while (high - low > 1) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(nested, Nested, middle).start <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const char *
cf_json_outline_find(const char *start)
{
    const Nested *nested;
    guint32 offset;

    if (!current.ready || start < current.text || start >= current.text + current.len ||
        current.nested->len == 0)
        return NULL;
    offset = (guint32) (start - current.text);
    nested = &g_array_index(current.nested, Nested, current.hint);
    if (offset > nested->start && offset < nested->end && nested->inmost)
        return NULL;
    if (current.hint + 1 < current.nested->len && nested[1].start == offset)
        current.hint++;
    else if (nested->start != offset)
        current.hint = find_before(current.nested, offset);
    nested = &g_array_index(current.nested, Nested, current.hint);
    return nested->start == offset ? current.text + nested->end : NULL;
}

guint
cf_json_outline_count(const char *text, gsize len)
{
    return current.ready && text >= current.text && text + len <= current.text + current.len
               ? current.nested->len
               : 0;
}
