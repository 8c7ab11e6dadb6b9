/* Pages that threads read: in whatever order they are through, with records that cannot be read,
 * and with nobody left who wants to know. */
#include <string.h>

#include "inventory/readers.h"
#include "util/error.h"

#define WAIT_US (30 * G_USEC_PER_SEC)

/* What parse() and the cases share. */
static struct {
    GMutex lock; /* protects what follows */
    GCond changed;
    gboolean open; /* records called "slow" go on */
    guint inside;  /* parse() under way */
    guint parses;
    GThread *thread; /* of the last one */
} cloud;

static guint ready; /* times that it was called */

static void
set_up(gpointer *fixture, gconstpointer data)
{
    cloud.open = FALSE;
    cloud.inside = cloud.parses = ready = 0;
    cloud.thread = NULL;
}

static void
tear_down(gpointer *fixture, gconstpointer data)
{
}

/* The lock is held. */
static void
await_change(gint64 until_us)
{
    g_assert_true(g_cond_wait_until(&cloud.changed, &cloud.lock, until_us));
}

static CfRecord *
fake_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    gint64 until_us = g_get_monotonic_time() + WAIT_US;
    g_auto(CfRecordBuilder) builder;
    g_autofree char *word = g_strndup(text.text, text.len);

    g_assert_true(handle == &cloud);
    g_mutex_lock(&cloud.lock);
    cloud.inside++;
    cloud.parses++;
    cloud.thread = g_thread_self();
    g_cond_broadcast(&cloud.changed);
    while (strcmp(word, "slow") == 0 && !cloud.open)
        await_change(until_us);
    cloud.inside--;
    g_mutex_unlock(&cloud.lock);

    cf_record_builder_init(&builder, collection);
    if (strcmp(word, "bad") != 0)
        cf_record_builder_set(&builder, CF_FIELD_ID, word);
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

static const CfProviderOps fake = {.name = "fake", .parse = fake_parse};

static void
on_ready(gpointer data)
{
    g_assert_true(data == &ready);
    ready++;
}

static CfReaders *
readers_new(void)
{
    CfReaders *readers =
        cf_readers_new(&fake, &cloud, CF_SERVERS, g_main_context_default(), on_ready, &ready);

    g_assert_nonnull(readers);
    return readers;
}

/* words: the records, with blanks between them. */
static CfReading *
give(CfReaders *readers, const char *words)
{
    g_autoptr(GBytes) body = g_bytes_new(words, strlen(words));
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    const char *p = g_bytes_get_data(body, NULL), *end = p + g_bytes_get_size(body);

    while (p < end) {
        const char *blank = memchr(p, ' ', (gsize) (end - p));
        CfJsonSpan span = {p, (gsize) ((blank ? blank : end) - p)};

        g_array_append_val(records, span);
        p += span.len + 1;
    }
    return cf_readers_read(readers, body, records);
}

static gboolean
on_late(gpointer data)
{
    g_assert_not_reached();
    return G_SOURCE_REMOVE;
}

static void
await_done(const CfReading *reading)
{
    guint late = g_timeout_add(WAIT_US / 1000, on_late, NULL);

    while (!cf_reading_is_done(reading))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(late);
}

static void
await_inside(guint n)
{
    gint64 until_us = g_get_monotonic_time() + WAIT_US;

    g_mutex_lock(&cloud.lock);
    while (cloud.inside < n)
        await_change(until_us);
    g_mutex_unlock(&cloud.lock);
}

static void
open_gate(void)
{
    g_mutex_lock(&cloud.lock);
    cloud.open = TRUE;
    g_cond_broadcast(&cloud.changed);
    g_mutex_unlock(&cloud.lock);
}

static void
assert_record(CfReading *reading, guint i, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = cf_reading_take(reading, i, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(cf_record_get_id(record), ==, id);
}

/* ---- cases ---- */

static void
test_elsewhere(gpointer *fixture, gconstpointer data)
{
    CfReaders *readers = readers_new();
    CfReading *reading = give(readers, "a b c");

    await_done(reading);
    g_assert_cmpuint(ready, <=, 1);
    g_assert_true(cloud.thread != g_thread_self());
    g_assert_cmpuint(cloud.parses, ==, 3);
    assert_record(reading, 0, "a");
    assert_record(reading, 1, "b");
    assert_record(reading, 2, "c");
    cf_reading_free(reading);
    cf_readers_free(readers);
}

static void
test_empty_page(gpointer *fixture, gconstpointer data)
{
    CfReaders *readers = readers_new();
    CfReading *reading = give(readers, "");

    await_done(reading);
    g_assert_cmpuint(cloud.parses, ==, 0);
    cf_reading_free(reading);
    cf_readers_free(readers);
}

static void
test_out_of_order(gpointer *fixture, gconstpointer data)
{
    CfReaders *readers = readers_new();
    CfReading *first, *second;

    if (g_get_num_processors() < 2) {
        g_test_skip("one processor: one thread");
        cf_readers_free(readers);
        return;
    }
    first = give(readers, "a slow");
    await_inside(1);
    second = give(readers, "b c");
    await_done(second);
    g_assert_false(cf_reading_is_done(first));
    open_gate();
    await_done(first);
    assert_record(second, 1, "c");
    assert_record(first, 1, "slow");
    cf_reading_free(first); /* of some the records were never taken */
    cf_reading_free(second);
    cf_readers_free(readers);
}

static void
test_bad_record(gpointer *fixture, gconstpointer data)
{
    CfReaders *readers = readers_new();
    CfReading *reading = give(readers, "a bad c");
    CfReading *other = give(readers, "bad");
    g_autoptr(GError) error = NULL;

    await_done(reading);
    await_done(other);
    assert_record(reading, 0, "a");
    assert_record(reading, 2, "c");
    g_assert_null(cf_reading_take(reading, 1, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==, "id: a server without one");
    cf_reading_free(reading);
    cf_reading_free(other); /* with its error */
    cf_readers_free(readers);
}

static gpointer
open_soon(gpointer data)
{
    open_gate();
    return NULL;
}

/* More pages than there are threads, and all of those busy. */
static void
test_freed_while_busy(gpointer *fixture, gconstpointer data)
{
    CfReaders *readers = readers_new();
    CfReading *readings[CF_READERS_MAX + 2];
    GThread *opener;

    for (guint i = 0; i < G_N_ELEMENTS(readings); i++)
        readings[i] = give(readers, "a slow slow b");
    await_inside(1);
    opener = g_thread_new("opener", open_soon, NULL);
    cf_readers_free(readers);
    g_assert_cmpuint(cloud.inside, ==, 0); /* nobody is at the handle */
    g_thread_join(opener);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(ready, ==, 0); /* what was to be told is told no more */
    for (guint i = 0; i < G_N_ELEMENTS(readings); i++)
        cf_reading_free(readings[i]);
}

#define ADD(path, function)                                                                        \
    g_test_add("/readers/" path, gpointer, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("in-another-thread", test_elsewhere);
    ADD("an-empty-page", test_empty_page);
    ADD("the-second-page-first", test_out_of_order);
    ADD("a-record-that-cannot-be-read", test_bad_record);
    ADD("freed-while-busy", test_freed_while_busy);
    return g_test_run();
}
