/* Names of a first listing before it is whole. They come in the order of the pages, whichever comes
 * sooner, and with the handles that the resources will have: who goes on reading the directory when
 * the version is there goes on in that. Until then nobody else has a slot: nothing is published
 * before the first listing. */
#include "inventory/stream.h"

#include "util/clock.h"

/* A listing that takes no longer is waited for: then nothing has to be taken back, whatever comes
 * of it. */
#define OPEN_AFTER_US (200 * G_TIME_SPAN_MILLISECOND)

typedef struct _CfStream CfStream;

struct _CfStream {
    CfCollectionState *state;
    GArray *entries;   /* (element-type CfComing), grows behind the inventory's lock */
    GHashTable *by_id; /* id (borrowed) → its number in entries + 1; engine's */
    gboolean open;     /* behind the inventory's lock: readers are let in */
    gint64 open_ns;    /* wall time of it: what the directories' times are; behind the lock, too */
    gint64 began_us;   /* monotonic: its listing; behind the lock, too */
    GSource *opener;   /* (nullable) */
    guint slot;        /* the next one */
    guint page, taken; /* the page that is being taken, from 1; how much of it */
    GByteArray *done;  /* by page, from 0: it was looked into */
};

static void
coming_clear(gpointer coming)
{
    cf_record_unref(((CfComing *) coming)->record);
}

/* Behind the lock. */
static void
let_in(CfStream *stream)
{
    if (stream->open)
        return;
    stream->open = TRUE;
    stream->open_ns = cf_clock_real_ns();
}

static gboolean
on_open(gpointer data)
{
    CfStream *stream = data;

    cf_timer_clear(&stream->opener);
    if (stream->entries->len > 0) {
        g_mutex_lock(&stream->state->inventory->lock);
        let_in(stream);
        g_mutex_unlock(&stream->state->inventory->lock);
        cf_waiters_wake_coming(stream->state);
    }
    return G_SOURCE_REMOVE;
}

void
cf_stream_begin(CfRefresh *refresh, gboolean again)
{
    CfCollectionState *state = refresh->state;
    CfStream *stream = state->stream;

    if (!again)
        cf_stream_end(state);
    if (!again && !state->current) {
        stream = g_new0(CfStream, 1);
        stream->state = state;
        stream->entries = g_array_new(FALSE, FALSE, sizeof(CfComing));
        g_array_set_clear_func(stream->entries, coming_clear);
        stream->by_id = g_hash_table_new(g_str_hash, g_str_equal);
        stream->done = g_byte_array_new();
        stream->opener = cf_inventory_timer(state->inventory, OPEN_AFTER_US, on_open, stream);
        g_mutex_lock(&state->inventory->lock);
        state->stream = stream;
        g_mutex_unlock(&state->inventory->lock);
    }
    if (state->stream) {
        state->stream->page = 1;
        state->stream->taken = 0;
        g_byte_array_set_size(state->stream->done, 0);
    }
}

void
cf_stream_page_done(CfRefresh *refresh, guint number)
{
    CfStream *stream = refresh->state->stream;
    GByteArray *done = stream ? stream->done : NULL;

    while (done && done->len < number)
        g_byte_array_append(done, (const guint8 *) "", 1);
    if (done)
        done->data[number - 1] = TRUE;
}

static void
take(CfStream *stream, CfRecord *record, gint64 now_ns)
{
    CfCollectionState *state = stream->state;
    const char *id = cf_record_get_id(record);
    CfComing coming;

    if (g_hash_table_contains(stream->by_id, id))
        return; /* the refresh listed before, and has told of it */
    coming.handle = cf_slot_reserve(state, &stream->slot);
    coming.record = cf_record_ref(record);
    coming.time_ns = now_ns;
    g_hash_table_insert(stream->by_id, (gpointer) id, GUINT_TO_POINTER(stream->entries->len + 1));
    g_array_append_val(stream->entries, coming);
}

/* By marker the pages of a stretch are one to us, which ends with the listing only. */
void
cf_stream_feed(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    CfStream *stream = state ? state->stream : NULL;
    gint64 now_ns = cf_clock_real_ns();
    guint before;

    if (!stream)
        return;
    before = stream->entries->len;
    g_mutex_lock(&state->inventory->lock);
    stream->began_us = refresh->began_us;
    for (;;) {
        CfRecord *record = cf_found_get_fresh(refresh, stream->page, stream->taken);

        if (record) {
            take(stream, record, now_ns);
            stream->taken++;
        } else if (!refresh->walk && stream->page <= stream->done->len &&
                   stream->done->data[stream->page - 1]) {
            stream->page++;
            stream->taken = 0;
        } else {
            break;
        }
    }
    if (!stream->opener && stream->entries->len > 0)
        let_in(stream);
    g_mutex_unlock(&state->inventory->lock);
    if (stream->open && stream->entries->len > before)
        cf_waiters_wake_coming(state);
}

const CfComing *
cf_stream_find(const CfCollectionState *state, const char *id)
{
    const CfStream *stream = state->stream;
    guint number = stream ? GPOINTER_TO_UINT(g_hash_table_lookup(stream->by_id, id)) : 0;

    return number > 0 ? &g_array_index(stream->entries, CfComing, number - 1) : NULL;
}

gint64
cf_stream_get_members_ns(const CfCollectionState *state, guint n)
{
    const CfStream *stream = state->stream;

    return stream && stream->entries->len == n ? stream->open_ns : 0;
}

/* What was told of and is not there: the kernel must not go by it. */
static void
withdraw(const CfStream *stream)
{
    CfCollectionState *state = stream->state;
    const CfInventoryHooks *hooks = &state->inventory->hooks;
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(CfComing));

    for (guint i = 0; i < stream->entries->len; i++) {
        CfComing coming = g_array_index(stream->entries, CfComing, i);

        if (!cf_state_get(state, coming.handle))
            g_array_append_val(gone, coming);
    }
    if (gone->len > 0 && hooks->withdrawn)
        hooks->withdrawn(state->inventory, state->which, gone, hooks->data);
}

void
cf_stream_end(CfCollectionState *state)
{
    CfStream *stream = state->stream;

    if (!stream)
        return;
    g_mutex_lock(&state->inventory->lock);
    state->stream = NULL;
    /* What was told goes on in the version, or was in vain. */
    state->stream_round += stream->open && !state->current;
    g_mutex_unlock(&state->inventory->lock);
    if (stream->open)
        withdraw(stream);
    cf_slots_settle(state, stream->entries);
    cf_timer_clear(&stream->opener);
    g_hash_table_unref(stream->by_id);
    g_array_unref(stream->entries);
    g_byte_array_unref(stream->done);
    g_free(stream);
}

/* ---- readers ---- */

/* Behind the lock. Returns: how many entries have lower slots; they grow. */
static guint
count_below(const CfStream *stream, guint slot)
{
    guint low = 0, high = stream->entries->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (CF_HANDLE_SLOT(g_array_index(stream->entries, CfComing, middle).handle) < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

gboolean
cf_inventory_has_coming(CfInventory *inventory, CfCollection collection, guint from)
{
    const CfCollectionState *state = &inventory->collections[collection];
    gboolean has;

    g_mutex_lock(&inventory->lock);
    has = state->stream && state->stream->open &&
          count_below(state->stream, from) < state->stream->entries->len;
    g_mutex_unlock(&inventory->lock);
    return has;
}

gint64
cf_inventory_get_coming_ns(CfInventory *inventory, CfCollection collection)
{
    const CfCollectionState *state = &inventory->collections[collection];
    gint64 ns;

    g_mutex_lock(&inventory->lock);
    ns = state->stream ? state->stream->open_ns : 0;
    g_mutex_unlock(&inventory->lock);
    return ns;
}

GArray *
cf_inventory_ref_coming(CfInventory *inventory, CfCollection collection, guint from, guint max,
                        gint64 *ret_rest_us)
{
    const CfCollectionState *state = &inventory->collections[collection];
    GArray *some = g_array_sized_new(FALSE, FALSE, sizeof(CfComing), max);

    g_array_set_clear_func(some, coming_clear);
    *ret_rest_us = 0;
    g_mutex_lock(&inventory->lock);
    if (state->stream && state->stream->open)
        *ret_rest_us =
            MAX(state->stream->began_us + inventory->options.ttl_us - cf_clock_mono_us(), 0);
    if (state->stream && state->stream->open)
        for (guint i = count_below(state->stream, from);
             some->len < max && i < state->stream->entries->len; i++) {
            CfComing coming = g_array_index(state->stream->entries, CfComing, i);

            cf_record_ref(coming.record);
            g_array_append_val(some, coming);
        }
    g_mutex_unlock(&inventory->lock);
    return some;
}

guint
cf_inventory_get_round(CfInventory *inventory, CfCollection collection)
{
    guint round;

    g_mutex_lock(&inventory->lock);
    round = inventory->collections[collection].stream_round;
    g_mutex_unlock(&inventory->lock);
    return round;
}
