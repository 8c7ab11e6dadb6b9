/* What a page probably says again: the records of the last listing, from about the place on where
 * the page begins. They are compared while the page is checked, so that a text that stands there
 * again is gone through once, and neither checked nor looked up. */
#include <string.h>

#include "inventory/refresh-private.h"

#define REACH 16 /* places to either side at which a record is looked for */
#define AHEAD_BYTES 512
#define TRIES_MAX 512 /* records of other places that a page may be compared with */

/* An object of the page. */
typedef struct {
    const char *start;
    gsize len;            /* 0: no known text stands there */
    guint place;          /* in the last listing: where it stood, or would be expected */
    CfResource *resource; /* (nullable) borrowed of snapshot: whose listed text it is; without such
                           * a text, the one that stood at place */
} Met;

struct _CfKnownPage {
    CfJsonKnown known;    /* the first member */
    CfRefresh *refresh;   /* borrowed: those who have the page have the refresh */
    CfSnapshot *snapshot; /* (nullable) that the resources are of */
    GArray *met;          /* (element-type Met) in the order of the text */
    guint number;         /* of the page, from 1 */
    guint next;           /* place that is expected next */
    gboolean run;         /* so far the page says of neighbours what the last listing said of them,
                           * and none of them is to be looked at for another reason */
    guint tries;          /* that are left */
    guint read;           /* of met: what was not asked for yet */
};

static guint
first_place(const CfKnownPage *page)
{
    return (page->number - 1) * page->refresh->page_size;
}

static void
begin(CfJsonKnown *known)
{
    CfKnownPage *page = (CfKnownPage *) known;
    const CfCollectionState *state = page->refresh->state;

    g_array_set_size(page->met, 0);
    page->read = 0;
    page->run = TRUE;
    g_clear_pointer(&page->snapshot, cf_snapshot_unref);
    if (!state || !state->current || !state->order)
        return;
    page->snapshot = cf_snapshot_ref(state->current);
    page->next = (guint) CLAMP((gint64) first_place(page) + page->refresh->drift, 0, G_MAXINT);
    page->tries = TRIES_MAX;
}

static CfResource *
get_at(const CfKnownPage *page, guint place)
{
    const GPtrArray *order = page->refresh->state->order;

    return place < order->len
               ? cf_snapshot_get(page->snapshot, GPOINTER_TO_UINT(order->pdata[place]))
               : NULL;
}

/* Returns: whether the text begins with what the last listing said of the resource. */
static gboolean
is_text_of(const CfResource *resource, const char *text, gsize left, Met *met)
{
    const char *raw;
    gsize len;

    if (!resource || !resource->listed || cf_record_is_partial(resource->listed))
        return FALSE; /* of a partial one the text is not what the cloud said */
    raw = cf_record_get_raw(resource->listed, &len);
    if (len > left || memcmp(raw, text, len) != 0)
        return FALSE;
    met->len = len;
    met->resource = (CfResource *) resource;
    return TRUE;
}

/* The resource at a place of the last listing, without a look at it: whether it is still there. */
static const CfResource *
peek_at(const CfKnownPage *page, guint place)
{
    const GPtrArray *order = page->refresh->state->order;
    guint slot = place < order->len ? CF_HANDLE_SLOT(GPOINTER_TO_UINT(order->pdata[place]))
                                    : page->snapshot->n_slots;

    return slot < page->snapshot->n_slots ? page->snapshot->slots[slot] : NULL;
}

/* A hundred thousand texts are in no cache: the way to the next ones (resource, record, text) is
 * begun while this one is compared. */
static void
fetch_ahead(const CfKnownPage *page, guint place)
{
    const CfResource *next = peek_at(page, place + 1), *second = peek_at(page, place + 2);
    const CfResource *third = peek_at(page, place + 3);

    if (third)
        __builtin_prefetch(third);
    if (second && second->listed)
        __builtin_prefetch(second->listed);
    if (next && next->listed) {
        gsize len;
        const char *raw = cf_record_get_raw(next->listed, &len);

        for (gsize i = 0; i < MIN(len, AHEAD_BYTES); i += 64)
            __builtin_prefetch(raw + i);
    }
}

/* Whether a listing that says the same changes nothing about it: refresh-publish.c. */
static gboolean
is_settled(const CfResource *resource)
{
    return resource->base == resource->listed && resource->missing == 0;
}

/* Some came, some went: it stands nearby. */
static gboolean
look_around(CfKnownPage *page, const char *text, gsize left, Met *met)
{
    guint middle = met->place;

    for (guint i = 1; i <= REACH && page->tries >= 2; i++) {
        page->tries -= 2;
        met->place = middle + i;
        if (is_text_of(get_at(page, met->place), text, left, met))
            return TRUE;
        met->place = middle - i; /* below 0: a place that there is not */
        if (is_text_of(get_at(page, met->place), text, left, met))
            return TRUE;
    }
    met->place = middle;
    return FALSE;
}

/* Whether the resource's id stands in the record as a string: most likely it is about it, and says
 * something new. Whoever goes by that is right also when it is not so: it saves a search. */
static gboolean
mentions(CfJsonSpan record, const CfResource *resource)
{
    const char *id = cf_record_get_id(resource->record), *end = record.text + record.len, *p;
    gsize len = strlen(id);

    for (p = record.text + 1; p < end && (p = memmem(p, (gsize) (end - p), id, len)); p++)
        if (p[-1] == '"' && p + len < end && p[len] == '"')
            return TRUE;
    return FALSE;
}

static gsize
match(CfJsonKnown *known, const char *text, gsize left)
{
    CfKnownPage *page = (CfKnownPage *) known;
    Met met = {.start = text, .place = page->next};
    CfResource *expected;

    if (!page->snapshot)
        return 0;
    expected = get_at(page, met.place);
    fetch_ahead(page, met.place);
    if (is_text_of(expected, text, left, &met) || look_around(page, text, left, &met))
        page->refresh->drift = (gint64) met.place - (gint64) (first_place(page) + page->met->len);
    else
        met.resource = expected;
    page->next = met.place + 1;
    g_array_append_val(page->met, met);
    page->run = page->run && met.len > 0 && is_settled(met.resource) &&
                met.place - g_array_index(page->met, Met, 0).place == page->met->len - 1;
    return met.len;
}

CfKnownPage *
cf_known_new(CfRefresh *refresh, guint number)
{
    CfKnownPage *page = g_new0(CfKnownPage, 1);

    page->known = (CfJsonKnown){begin, match};
    page->refresh = refresh;
    page->number = number;
    page->met = g_array_sized_new(FALSE, FALSE, sizeof(Met), refresh->page_size);
    return page;
}

void
cf_known_free(CfKnownPage *page)
{
    if (!page)
        return;
    cf_snapshot_unref(page->snapshot);
    g_array_unref(page->met);
    g_free(page);
}

CfJsonKnown *
cf_known_get(CfKnownPage *page)
{
    return &page->known;
}

gboolean
cf_known_is_run(const CfKnownPage *page, const GArray *records, guint *ret_place)
{
    const CfCollectionState *state = page->refresh->state;

    if (!page->snapshot || page->snapshot != state->current || !page->run ||
        page->met->len != records->len || records->len == 0)
        return FALSE;
    for (guint i = 0; i < records->len; i++) {
        const Met *met = &g_array_index(page->met, Met, i);
        const CfJsonSpan *record = &g_array_index(records, CfJsonSpan, i);

        if (met->start != record->text || met->len != record->len)
            return FALSE;
    }
    *ret_place = g_array_index(page->met, Met, 0).place;
    return TRUE;
}

CfResource *
cf_known_find(CfKnownPage *page, CfJsonSpan record, gboolean *ret_changed)
{
    CfCollectionState *state = page->refresh->state;

    *ret_changed = FALSE;
    for (; page->read < page->met->len; page->read++) {
        const Met *met = &g_array_index(page->met, Met, page->read);

        if (met->start > record.text)
            break;
        if (met->start < record.text || !met->resource)
            continue;
        /* It may have been read by itself since the page came. */
        if (cf_state_get(state, met->resource->handle) != met->resource)
            break;
        *ret_changed = met->len == 0 && mentions(record, met->resource);
        return *ret_changed || met->len == record.len ? met->resource : NULL;
    }
    return NULL;
}
