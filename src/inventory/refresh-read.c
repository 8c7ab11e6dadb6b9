/* Looking into the pages of a listing: what is the last one's again is found by its text, the rest
 * is parsed, by threads where nothing is known. */
#include <string.h>

#include "inventory/stream.h"
#include "util/error.h"
#include "util/log.h"

#define SIDE_BY_SIDE 8
#define UNREAD_MAX 32 /* pages that wait to be looked into, or are under way */
#define FEW_PAGES 16  /* so many are read sooner than threads have heaps of their own */
#define INDEX_FROM 64 /* one in so many records has to be missed before all texts are indexed */

/* A page that came. The next one is asked for before this one is looked into: the cloud is not to
 * wait for us. */
typedef struct {
    GBytes *body;
    GArray *records; /* (element-type CfJsonSpan) */
    gint64 requested_us;
    guint number;
    CfKnownPage *known; /* owned */
    CfReading *reading; /* (nullable) a thread has it; free only with the readers, or when done */
} Unread;

static void
unread_free(gpointer data)
{
    Unread *unread = data;

    g_bytes_unref(unread->body);
    g_array_unref(unread->records);
    cf_known_free(unread->known);
    cf_reading_free(unread->reading);
    g_free(unread);
}

void
cf_read_drop(CfRefresh *refresh)
{
    cf_timer_clear(&refresh->reader);
    g_clear_pointer(&refresh->readers, cf_readers_free);
    g_queue_clear_full(&refresh->unread, unread_free);
}

static void
by_text_free(gpointer list)
{
    g_slist_free(list);
}

/* A hash of a few places of the text: the whole would cost more than the comparison it saves. */
static guint
text_hash(const char *text, gsize len)
{
    guint64 hash = len * 0x9E3779B97F4A7C15ull;

    for (gsize i = 0; i < 16 && len >= 8; i++) {
        guint64 word;

        memcpy(&word, text + (len - 8) * i / 15, sizeof word);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDull;
        hash ^= hash >> 33;
    }
    return (guint) hash;
}

static gboolean
same_text(const CfResource *resource, CfJsonSpan span)
{
    gsize len;
    const char *raw;

    if (!resource->listed || cf_record_is_partial(resource->listed))
        return FALSE; /* of a partial one the text is not what the cloud said */
    raw = cf_record_get_raw(resource->listed, &len);
    return len == span.len && memcmp(raw, span.text, len) == 0;
}

static void
index_texts(CfRefresh *refresh)
{
    CfSnapshot *current = refresh->state->current;

    refresh->by_text = g_hash_table_new_full(NULL, NULL, NULL, by_text_free);
    for (guint i = 0; current && i < current->n_slots; i++) {
        CfResource *resource = current->slots[i];
        gsize len;
        const char *raw;
        gpointer key, list;

        if (!resource || !resource->listed || cf_record_is_partial(resource->listed))
            continue;
        raw = cf_record_get_raw(resource->listed, &len);
        key = GUINT_TO_POINTER(text_hash(raw, len));
        list = NULL;
        g_hash_table_steal_extended(refresh->by_text, key, NULL, &list);
        /* Not the resource: by the time somebody looks there may be another version. */
        g_hash_table_insert(refresh->by_text, key,
                            g_slist_prepend(list, GUINT_TO_POINTER(resource->handle)));
    }
}

/* The present resource whose listed text is this one. cursor: where in the last listing's order to
 * look first; it moves on. */
static CfResource *
find_same(CfRefresh *refresh, CfJsonSpan span, guint *cursor)
{
    CfCollectionState *state = refresh->state;
    GPtrArray *order = state->order;
    GSList *list;

    if (!state->current || !order)
        return NULL;
    if (*cursor < order->len) {
        CfResource *resource = cf_state_get(state, GPOINTER_TO_UINT(order->pdata[*cursor]));

        if (resource && same_text(resource, span)) {
            ++*cursor;
            return resource;
        }
    }
    ++*cursor;
    /* To index all texts costs more than to parse a few, which shows as well what they are. */
    if (!refresh->by_text && refresh->misses++ < order->len / INDEX_FROM)
        return NULL;
    if (!refresh->by_text)
        index_texts(refresh);
    list = g_hash_table_lookup(refresh->by_text, GUINT_TO_POINTER(text_hash(span.text, span.len)));
    for (; list; list = list->next) {
        CfResource *resource = cf_state_get(state, GPOINTER_TO_UINT(list->data));

        if (resource && same_text(resource, span))
            return resource;
    }
    return NULL;
}

/* What else was known of it stays. */
static void
complete(CfCollectionState *state, CfRecord **record)
{
    const CfResource *resource = cf_state_find(state, cf_record_get_id(*record));
    CfRecord *whole;

    if (!resource)
        return;
    whole = cf_record_with_partial(resource->listed ? resource->listed : resource->base, *record);
    cf_record_unref(*record);
    *record = whole;
}

/* known: (nullable). Returns: (nullable): the resource whose listed record this is. */
static CfResource *
find_unchanged(CfRefresh *refresh, CfKnownPage *known, CfJsonSpan span, guint *cursor)
{
    gboolean changed = FALSE;
    CfResource *resource = known ? cf_known_find(known, span, &changed) : NULL;

    if (resource)
        ++*cursor;
    if (resource)
        return changed ? NULL : resource;
    return find_same(refresh, span, cursor);
}

/* Of one that was parsed in vain: the resource that says the same already. */
static CfResource *
find_parsed(CfRefresh *refresh, const CfRecord *record)
{
    CfResource *resource = cf_state_find(refresh->state, cf_record_get_id(record));
    CfJsonSpan span;

    span.text = cf_record_get_raw(record, &span.len);
    return resource && !cf_record_is_partial(record) && cf_refresh_may_reuse(refresh) &&
                   same_text(resource, span)
               ? resource
               : NULL;
}

/* Whether the stretch that the page is of ends with the record. */
static gboolean
ends_with(const CfRefresh *refresh, guint number, const CfRecord *record)
{
    return refresh->walk && cf_walk_meets(refresh->walk, number - 1, cf_record_get_id(record));
}

/* A record that was parsed. record: (transfer full) (nullable): NULL: error says why not.
 * Returns: whether the stretch ends with it. */
static gboolean
take_record(CfRefresh *refresh, guint number, gint64 requested_us, CfRecord *record,
            const GError *error)
{
    CfResource *same;
    gboolean met;

    refresh->parsed++;
    if (!record) {
        refresh->skipped++;
        cf_warning("%s: %s: a record was left out: %s", refresh->state->inventory->profile,
                   cf_collection_name(refresh->state->which), error->message);
        return FALSE;
    }
    if (cf_record_is_partial(record))
        complete(refresh->state, &record);
    same = find_parsed(refresh, record);
    cf_found_add(refresh, number, same, same ? same->listed : record, requested_us);
    met = ends_with(refresh, number, record);
    cf_record_unref(record);
    return met;
}

gboolean
cf_read_now(CfRefresh *refresh, const GArray *records, guint number, gint64 requested_us,
            CfKnownPage *known)
{
    CfInventory *inventory = refresh->state->inventory;
    guint cursor = (number - 1) * refresh->page_size + cf_found_on_page(refresh, number);
    gboolean met = FALSE, reuse = cf_refresh_may_reuse(refresh);

    for (guint i = 0; i < records->len; i++) {
        CfJsonSpan span = g_array_index(records, CfJsonSpan, i);
        CfResource *same = reuse ? find_unchanged(refresh, known, span, &cursor) : NULL;
        g_autoptr(GError) error = NULL;
        CfRecord *record;

        if (same) {
            refresh->reused++;
            cf_found_add(refresh, number, same, same->listed, requested_us);
            met = met || ends_with(refresh, number, same->listed);
            continue;
        }
        record = inventory->ops->parse(inventory->handle, refresh->state->which, span, &error);
        if (take_record(refresh, number, requested_us, record, error))
            met = TRUE;
    }
    return met;
}

/* What a thread has read. */
static void
take_reading(CfRefresh *refresh, const Unread *unread)
{
    for (guint i = 0; i < unread->records->len; i++) {
        g_autoptr(GError) error = NULL;
        CfRecord *record = cf_reading_take(unread->reading, i, &error);

        take_record(refresh, unread->number, unread->requested_us, record, error);
    }
}

static void
read_oldest(CfRefresh *refresh)
{
    Unread *unread = g_queue_pop_head(&refresh->unread);

    if (unread->reading)
        take_reading(refresh, unread);
    else
        cf_read_now(refresh, unread->records, unread->number, unread->requested_us, unread->known);
    cf_stream_page_done(refresh, unread->number);
    unread_free(unread);
}

/* Whether the oldest page is with a thread. Pages are taken in the order in which they came, also
 * when the next one was read sooner. */
static gboolean
is_oldest_away(const CfRefresh *refresh)
{
    const Unread *oldest = g_queue_peek_head((GQueue *) &refresh->unread);

    return oldest && oldest->reading && !cf_reading_is_done(oldest->reading);
}

/* A page, then whatever else is to be done: calls, and what people ask. */
static gboolean
on_idle(gpointer data)
{
    CfRefresh *refresh = data;
    gboolean more;

    read_oldest(refresh);
    more = !g_queue_is_empty(&refresh->unread) && !is_oldest_away(refresh);
    if (!more)
        cf_timer_clear(&refresh->reader);
    cf_refresh_fill(refresh); /* there is room for another one, or it was the last */
    return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
look_into_unread(CfRefresh *refresh)
{
    if (refresh->reader || g_queue_is_empty(&refresh->unread) || is_oldest_away(refresh))
        return;
    refresh->reader = g_idle_source_new();
    g_source_set_priority(refresh->reader, G_PRIORITY_DEFAULT); /* else a busy mount starves it */
    g_source_set_callback(refresh->reader, on_idle, refresh, NULL);
    g_source_attach(refresh->reader, cf_http_get_context(refresh->state->inventory->http));
}

static void
on_readers_ready(gpointer data)
{
    look_into_unread(data);
}

/* Threads are for a listing of which nothing is known, and of more than a few pages.
 * Returns: (nullable). */
static CfReaders *
get_readers(CfRefresh *refresh, gboolean last)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    gboolean one = refresh->answered == 1 && last;
    gboolean few = one || (refresh->pages > 0 && refresh->pages <= FEW_PAGES);

    if (!refresh->readers && !refresh->alone && !few && (!state->current || state->current->n == 0))
        refresh->readers =
            cf_readers_new(inventory->ops, inventory->handle, state->which,
                           cf_http_get_context(inventory->http), on_readers_ready, refresh);
    refresh->alone = !refresh->readers;
    refresh->parallel |= !refresh->alone;
    return refresh->readers;
}

void
cf_read_later(CfRefresh *refresh, const CfPage *page, guint number, CfKnownPage *known)
{
    Unread *unread = g_new0(Unread, 1);
    CfReaders *readers = get_readers(refresh, page->last);

    unread->body = g_bytes_ref(page->body);
    unread->records = g_array_ref(page->records);
    unread->requested_us = page->requested_us;
    unread->number = number;
    unread->known = known;
    if (readers)
        unread->reading = cf_readers_read(readers, page->body, page->records);
    g_queue_push_tail(&refresh->unread, unread);
    look_into_unread(refresh);
}

gboolean
cf_read_has_room(const CfRefresh *refresh, guint under_way)
{
    return under_way < SIDE_BY_SIDE &&
           g_queue_get_length((GQueue *) &refresh->unread) + under_way < UNREAD_MAX;
}
