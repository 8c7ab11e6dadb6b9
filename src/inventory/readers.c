#include "inventory/readers.h"

typedef struct {
    CfRecord *record; /* owned; NULL: error says why */
    GError *error;    /* owned */
} Result;

struct _CfReaders {
    const CfProviderOps *ops;
    gpointer handle;
    CfCollection collection;
    GMainContext *context;
    void (*ready)(gpointer data);
    gpointer data;

    GThread *threads[CF_READERS_MAX]; /* the context's thread only */
    guint n_threads, max_threads;
    gboolean freed;

    GMutex lock; /* protects queue; a leaf */
    GCond more;
    GQueue queue; /* (element-type CfReading) (borrowed) that nobody has begun with */
    gint stopped; /* atomic, set with the lock: nobody wants to know any more */
    gint told;    /* atomic: ready() will be called, and has not looked yet */
};

struct _CfReading {
    GBytes *body;
    GArray *records; /* (element-type CfJsonSpan) */
    Result *results; /* (array length=records->len) the reader's, then, when it is done, the
                      * context's */
    gint done;       /* atomic */
};

static void
readers_clear(gpointer data)
{
    CfReaders *readers = data;

    g_queue_clear(&readers->queue);
    g_cond_clear(&readers->more);
    g_mutex_clear(&readers->lock);
    g_main_context_unref(readers->context);
}

static void
readers_unref(gpointer readers)
{
    g_atomic_rc_box_release_full(readers, readers_clear);
}

/* --- the threads ------------------------------------------------------------------------------ */

static gboolean
on_ready(gpointer data)
{
    CfReaders *readers = data;

    /* First this, then the look: what is done later is told once more. */
    g_atomic_int_set(&readers->told, FALSE);
    if (!readers->freed)
        readers->ready(readers->data);
    return G_SOURCE_REMOVE;
}

/* Thread: a reader. One call for all pages that are done before it is made. */
static void
tell(CfReaders *readers)
{
    GSource *source;

    if (!g_atomic_int_compare_and_exchange(&readers->told, FALSE, TRUE))
        return;
    source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT); /* else a busy mount starves it */
    g_source_set_callback(source, on_ready, g_atomic_rc_box_acquire(readers), readers_unref);
    g_source_attach(source, readers->context);
    g_source_unref(source);
}

/* The C library lets a thread's heap grow by as little as is asked for, a system call for every
 * other record. What is freed again at the heap's end stays there: one call for the whole page. */
static void
make_room(const CfReading *reading)
{
    g_free(g_try_malloc(g_bytes_get_size(reading->body) / 2 * 3));
}

/* Thread: a reader. */
static void
read_page(CfReaders *readers, CfReading *reading)
{
    make_room(reading);
    for (guint i = 0; i < reading->records->len && !g_atomic_int_get(&readers->stopped); i++) {
        Result *result = &reading->results[i];

        result->record =
            readers->ops->parse(readers->handle, readers->collection,
                                g_array_index(reading->records, CfJsonSpan, i), &result->error);
    }
    g_atomic_int_set(&reading->done, TRUE);
    tell(readers);
}

/* Returns: (transfer none) (nullable): NULL: there will be none. */
static CfReading *
next_page(CfReaders *readers)
{
    CfReading *reading = NULL;

    g_mutex_lock(&readers->lock);
    while (!readers->stopped && !(reading = g_queue_pop_head(&readers->queue)))
        g_cond_wait(&readers->more, &readers->lock);
    g_mutex_unlock(&readers->lock);
    return reading;
}

static gpointer
reader_main(gpointer data)
{
    CfReaders *readers = data;
    CfReading *reading;

    while ((reading = next_page(readers)))
        read_page(readers, reading);
    return NULL;
}

static void
start_thread(CfReaders *readers)
{
    GThread *thread;

    if (readers->n_threads >= readers->max_threads)
        return;
    thread = g_thread_try_new("reader", reader_main, readers, NULL);
    if (thread) /* else there are fewer */
        readers->threads[readers->n_threads++] = thread;
}

/* --- the context's side ----------------------------------------------------------------------- */

CfReaders *
cf_readers_new(const CfProviderOps *ops, gpointer handle, CfCollection collection,
               GMainContext *context, void (*ready)(gpointer data), gpointer data)
{
    CfReaders *readers = g_atomic_rc_box_new0(CfReaders);

    readers->ops = ops;
    readers->handle = handle;
    readers->collection = collection;
    readers->context = g_main_context_ref(context);
    readers->ready = ready;
    readers->data = data;
    readers->max_threads = MIN(g_get_num_processors(), CF_READERS_MAX);
    g_mutex_init(&readers->lock);
    g_cond_init(&readers->more);
    g_queue_init(&readers->queue);
    start_thread(readers);
    if (readers->n_threads > 0)
        return readers;
    cf_readers_free(readers);
    return NULL;
}

void
cf_readers_free(CfReaders *readers)
{
    if (!readers)
        return;
    readers->freed = TRUE;
    g_mutex_lock(&readers->lock);
    g_atomic_int_set(&readers->stopped, TRUE);
    g_cond_broadcast(&readers->more);
    g_mutex_unlock(&readers->lock);
    for (guint i = 0; i < readers->n_threads; i++)
        g_thread_join(readers->threads[i]);
    readers_unref(readers);
}

CfReading *
cf_readers_read(CfReaders *readers, GBytes *body, GArray *records)
{
    CfReading *reading = g_new0(CfReading, 1);

    reading->body = g_bytes_ref(body);
    reading->records = g_array_ref(records);
    reading->results = g_new0(Result, records->len);
    g_mutex_lock(&readers->lock);
    g_queue_push_tail(&readers->queue, reading);
    g_cond_signal(&readers->more);
    g_mutex_unlock(&readers->lock);
    start_thread(readers);
    return reading;
}

gboolean
cf_reading_is_done(const CfReading *reading)
{
    return g_atomic_int_get(&reading->done);
}

CfRecord *
cf_reading_take(CfReading *reading, guint i, GError **error)
{
    Result *result = &reading->results[i];

    if (result->error)
        g_propagate_error(error, g_steal_pointer(&result->error));
    return g_steal_pointer(&result->record);
}

void
cf_reading_free(CfReading *reading)
{
    if (!reading)
        return;
    for (guint i = 0; i < reading->records->len; i++) {
        cf_record_unref(reading->results[i].record);
        g_clear_error(&reading->results[i].error);
    }
    g_free(reading->results);
    g_array_unref(reading->records);
    g_bytes_unref(reading->body);
    g_free(reading);
}
