/* Names of a first listing, over a provider whose pages come when the test says so. */
#include <string.h>

#include "inventory/inventory.h"
#include "test-verdict.h"
#include "util/clock.h"
#include "util/error.h"

#define PAGE 3
#define WAIT_US (30 * G_USEC_PER_SEC)

typedef struct {
    guint page;   /* by number; by marker 0 */
    char *marker; /* (nullable) */
    CfPageCallback callback;
    gpointer data;
    gint64 requested_us;
} Call;

/* The cloud. lock protects its members. */
static struct {
    GMutex lock;
    GCond changed;
    GPtrArray *calls; /* (element-type Call) that were not answered yet */
} cloud;

typedef struct {
    CfHttp *http;
    CfInventory *inventory;
    GString *withdrawn; /* ids, with blanks between; engine's thread */
} Fixture;

static void
note_call(guint page, const char *marker, CfPageCallback callback, gpointer data)
{
    Call *call = g_new0(Call, 1);

    *call = (Call){page, g_strdup(marker), callback, data, cf_clock_mono_us()};
    g_mutex_lock(&cloud.lock);
    g_ptr_array_add(cloud.calls, call);
    g_cond_broadcast(&cloud.changed);
    g_mutex_unlock(&cloud.lock);
}

static void
fake_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
          gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    note_call(page, NULL, callback, data);
}

static void
fake_list_from(gpointer handle, CfCollection collection, const char *marker, gint64 since_us,
               gint64 deadline_us, gboolean user_waits, CfJsonKnown *known, CfPageCallback callback,
               gpointer data)
{
    note_call(0, marker, callback, data);
}

static CfRecord *
fake_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    g_auto(CfRecordBuilder) builder;
    g_autofree char *id = cf_json_string(text);

    cf_record_builder_init(&builder, collection);
    cf_record_builder_set(&builder, CF_SERVER_ID, id);
    cf_record_builder_set(&builder, CF_SERVER_NAME, id);
    cf_record_builder_set(&builder, CF_SERVER_STATE, "running");
    builder.settled = TRUE;
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

static gpointer
fake_open(const CfProviderEnv *env, GError **error)
{
    return &cloud;
}

static void
fake_close(gpointer handle)
{
}

static guint
fake_page_size(gpointer handle, CfCollection collection)
{
    return PAGE;
}

static const char *
fake_fact(gpointer handle)
{
    return "fake";
}

static const CfProviderKey no_keys[] = {{0}};
static const CfProviderOps by_number = {
    .name = "fake",
    .title = "Fake",
    .keys = no_keys,
    .open = fake_open,
    .close = fake_close,
    .get_endpoint = fake_fact,
    .get_region = fake_fact,
    .list = fake_list,
    .get_page_size = fake_page_size,
    .parse = fake_parse,
};
static const CfProviderOps by_marker = {
    .name = "fake",
    .title = "Fake",
    .keys = no_keys,
    .open = fake_open,
    .close = fake_close,
    .get_endpoint = fake_fact,
    .get_region = fake_fact,
    .list_from = fake_list_from,
    .get_page_size = fake_page_size,
    .parse = fake_parse,
};

/* ---- the cloud's answers ---- */

/* Waits until that page is asked for. marker: (nullable). Returns: (transfer full). */
static Call *
await_call(guint page, const char *marker)
{
    gint64 until_us = g_get_monotonic_time() + WAIT_US;

    g_mutex_lock(&cloud.lock);
    for (;;) {
        for (guint i = 0; i < cloud.calls->len; i++) {
            Call *call = cloud.calls->pdata[i];

            if (call->page == page && g_strcmp0(call->marker, marker) == 0) {
                g_ptr_array_remove_index(cloud.calls, i);
                g_mutex_unlock(&cloud.lock);
                return call;
            }
        }
        g_assert_true(g_cond_wait_until(&cloud.changed, &cloud.lock, until_us));
    }
}

static void
call_free(Call *call)
{
    g_free(call->marker);
    g_free(call);
}

typedef struct {
    Call *call;
    const char *ids; /* with blanks between; NULL: it fails */
    gint64 total;
    const char *next; /* (nullable) */
} Answer;

static gboolean
give(gpointer data)
{
    const Answer *answer = data;
    g_auto(GStrv) ids = g_strsplit(answer->ids ? answer->ids : "", " ", -1);
    g_autoptr(GString) body = g_string_new("[");
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) error = NULL;
    CfPage page = {.total = answer->total,
                   .requested_us = answer->call->requested_us,
                   .records = records,
                   .next = (char *) answer->next};
    CfJsonSpan whole;

    if (!answer->ids) {
        error = g_error_new_literal(CF_ERROR, CF_ERROR_REMOTE, "no");
        answer->call->callback(NULL, error, answer->call->data);
        return G_SOURCE_REMOVE;
    }
    for (guint i = 0; ids[i] && *ids[i]; i++)
        g_string_append_printf(body, "%s\"%s\"", i > 0 ? "," : "", ids[i]);
    g_string_append_c(body, ']');
    page.last = answer->total >= 0 ? answer->call->page * PAGE >= answer->total : !answer->next;
    page.body = g_bytes_new(body->str, body->len);
    cf_json_outline_begin(g_bytes_get_data(page.body, NULL), body->len, NULL);
    g_assert_true(cf_json_check(g_bytes_get_data(page.body, NULL), body->len, &whole, &error));
    g_assert_true(cf_json_slice(whole, records));
    answer->call->callback(&page, NULL, answer->call->data);
    cf_json_outline_end();
    g_bytes_unref(page.body);
    return G_SOURCE_REMOVE;
}

static void
answer_page(Fixture *fixture, guint page, const char *ids, gint64 total)
{
    Answer answer = {await_call(page, NULL), ids, total, NULL};

    cf_http_invoke_wait(fixture->http, give, &answer);
    call_free(answer.call);
}

static void
answer_marker(Fixture *fixture, const char *marker, const char *ids, const char *next)
{
    Answer answer = {await_call(0, marker), ids, -1, next};

    cf_http_invoke_wait(fixture->http, give, &answer);
    call_free(answer.call);
}

static gboolean
nothing(gpointer data)
{
    return G_SOURCE_REMOVE;
}

/* What came is looked into in the next round of the engine's loop, or in this one. */
static void
let_look(Fixture *fixture)
{
    for (guint i = 0; i < 2; i++)
        cf_http_invoke_wait(fixture->http, nothing, NULL);
}

/* ---- the fixture ---- */

static void
on_withdrawn(CfInventory *inventory, CfCollection collection, const GArray *gone, gpointer data)
{
    Fixture *fixture = data;

    for (guint i = 0; i < gone->len; i++)
        g_string_append_printf(fixture->withdrawn, "%s%s", fixture->withdrawn->len > 0 ? " " : "",
                               cf_record_get_id(g_array_index(gone, CfComing, i).record));
}

static const char *
no_key(gpointer config, const char *key)
{
    return NULL;
}

static void
set_up(Fixture *fixture, gconstpointer ops)
{
    CfChannelOptions channel = {.connections = 4};
    CfInventoryOptions options = {.ttl_us = 3600 * (gint64) G_USEC_PER_SEC,
                                  .max_stale_us = 7200 * (gint64) G_USEC_PER_SEC,
                                  .patience_us = 5 * G_USEC_PER_SEC,
                                  .deadline_us = WAIT_US};
    CfInventoryHooks hooks = {.withdrawn = on_withdrawn, .data = fixture};
    g_autoptr(GError) error = NULL;

    cloud.calls = g_ptr_array_new();
    fixture->withdrawn = g_string_new(NULL);
    fixture->http = cf_http_new(&error);
    g_assert_no_error(error);
    fixture->inventory =
        cf_inventory_new("p", ops, fixture->http, &channel, &options, 0, no_key, NULL, &error);
    g_assert_no_error(error);
    cf_inventory_set_hooks(fixture->inventory, &hooks);
}

static gboolean
fail_rest(gpointer data)
{
    while (cloud.calls->len > 0) {
        Answer answer = {g_ptr_array_steal_index(cloud.calls, 0), NULL, 0, NULL};

        give(&answer);
        call_free(answer.call);
    }
    return G_SOURCE_REMOVE;
}

static void
tear_down(Fixture *fixture, gconstpointer ops)
{
    cf_inventory_close(fixture->inventory);
    cf_http_invoke_wait(fixture->http, fail_rest, NULL);
    cf_inventory_free(fixture->inventory);
    cf_http_free(fixture->http);
    g_ptr_array_unref(cloud.calls);
    g_string_free(fixture->withdrawn, TRUE);
}

static void
await_names(Fixture *fixture, guint from)
{
    Verdict verdict = {0};

    cf_inventory_wait_coming(fixture->inventory, CF_SERVERS, from, on_done, &verdict);
    g_assert_cmpint(await(&verdict), ==, -1);
    g_assert_true(cf_inventory_has_coming(fixture->inventory, CF_SERVERS, from));
}

/* Returns: (transfer full): the names from that slot on, with blanks between. */
static char *
names(Fixture *fixture, guint from, guint max)
{
    gint64 rest_us;
    g_autoptr(GArray) some =
        cf_inventory_ref_coming(fixture->inventory, CF_SERVERS, from, max, &rest_us);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < some->len; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
                               cf_record_get_id(g_array_index(some, CfComing, i).record));
    return g_string_free(out, FALSE);
}

#define assert_names(fixture, from, max, expected)                                                 \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *told = names(fixture, from, max);                                         \
                                                                                                   \
        g_assert_cmpstr(told, ==, expected);                                                       \
    }                                                                                              \
    G_STMT_END

/* Returns: the handle under which it was told. */
static guint32
told_as(Fixture *fixture, const char *id)
{
    gint64 rest_us;
    g_autoptr(GArray) all =
        cf_inventory_ref_coming(fixture->inventory, CF_SERVERS, 0, 1000, &rest_us);

    for (guint i = 0; i < all->len; i++)
        if (strcmp(cf_record_get_id(g_array_index(all, CfComing, i).record), id) == 0)
            return g_array_index(all, CfComing, i).handle;
    g_assert_not_reached();
}

/* Returns: the version's ids in the order of their slots, "-" for a slot that nothing has. */
static char *
slots(Fixture *fixture)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    GString *out = g_string_new(NULL);

    g_assert_nonnull(snapshot);
    for (guint i = 0; i < snapshot->n_slots; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
                               snapshot->slots[i] ? cf_record_get_id(snapshot->slots[i]->record)
                                                  : "-");
    return g_string_free(out, FALSE);
}

#define assert_slots(fixture, expected)                                                            \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *there = slots(fixture);                                                   \
                                                                                                   \
        g_assert_cmpstr(there, ==, expected);                                                      \
    }                                                                                              \
    G_STMT_END

static guint32
handle_of(Fixture *fixture, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    CfResource *resource = cf_snapshot_find(snapshot, id);

    g_assert_nonnull(resource);
    return resource->handle;
}

/* ---- tests ---- */

static void
test_names_come(Fixture *fixture, gconstpointer data)
{
    Verdict whole = {0};
    guint32 handle;

    cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &whole);
    g_assert_false(cf_inventory_has_coming(fixture->inventory, CF_SERVERS, 0));
    answer_page(fixture, 1, "a b c", 8);
    await_names(fixture, 0);
    assert_names(fixture, 0, 10, "a b c");
    assert_names(fixture, 1, 1, "b");
    g_assert_null(cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS));

    /* The order is the cloud's, whichever page is the first to come. */
    answer_page(fixture, 3, "g h", 8);
    assert_names(fixture, 0, 10, "a b c");
    g_assert_false(cf_inventory_has_coming(fixture->inventory, CF_SERVERS, 3));
    handle = told_as(fixture, "b");
    answer_page(fixture, 2, "d e f", 8);
    g_assert_cmpint(await(&whole), ==, -1);
    assert_slots(fixture, "a b c d e f g h");
    g_assert_cmpstr(fixture->withdrawn->str, ==, "");
    g_assert_cmpuint(handle_of(fixture, "b"), ==, handle);
    g_assert_false(cf_inventory_has_coming(fixture->inventory, CF_SERVERS, 0));
    g_assert_cmpuint(cf_inventory_get_round(fixture->inventory, CF_SERVERS), ==, 0);
}

static void
test_by_marker(Fixture *fixture, gconstpointer data)
{
    Verdict whole = {0};

    cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &whole);
    answer_marker(fixture, NULL, "a b c", "c");
    await_names(fixture, 0);
    assert_names(fixture, 0, 10, "a b c");
    answer_marker(fixture, "c", "d e f", "f");
    await_names(fixture, 3);
    assert_names(fixture, 2, 10, "c d e f");
    answer_marker(fixture, "f", "g", NULL);
    g_assert_cmpint(await(&whole), ==, -1);
    assert_slots(fixture, "a b c d e f g");
}

/* The rest does not come: whoever waits for more is told why, and nothing is shown any more. */
static void
test_rest_fails(Fixture *fixture, gconstpointer data)
{
    Verdict whole = {0}, more = {0};
    guint32 former;

    cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &whole);
    answer_page(fixture, 1, "a b c", 6);
    await_names(fixture, 0);
    former = told_as(fixture, "a");
    cf_inventory_wait_coming(fixture->inventory, CF_SERVERS, 3, on_done, &more);
    answer_page(fixture, 2, NULL, 0);
    g_assert_cmpint(await(&more), ==, CF_ERROR_REMOTE);
    g_assert_cmpint(await(&whole), ==, CF_ERROR_REMOTE);
    g_assert_false(cf_inventory_has_coming(fixture->inventory, CF_SERVERS, 0));
    g_assert_null(cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS));
    g_assert_cmpuint(cf_inventory_get_round(fixture->inventory, CF_SERVERS), ==, 1);
    g_assert_cmpstr(fixture->withdrawn->str, ==, "a b c");

    /* What was told then is never another resource's. */
    cf_inventory_refresh(fixture->inventory, CF_SERVERS, on_done, &whole);
    answer_page(fixture, 1, "x a", 2);
    g_assert_cmpint(await(&whole), ==, -1);
    assert_slots(fixture, "x a -");
    g_assert_cmpuint(handle_of(fixture, "x"), !=, former);
    g_assert_cmpuint(handle_of(fixture, "a"), !=, former);
}

/* A listing that is shorter than its own total is asked for again: what was told stays told, and
 * what has gone meanwhile leaves its slot to somebody else. */
static void
test_listed_again(Fixture *fixture, gconstpointer data)
{
    Verdict whole = {0};
    guint32 gone;

    cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &whole);
    answer_page(fixture, 1, "a b c", 6);
    await_names(fixture, 0);
    gone = told_as(fixture, "b");
    answer_page(fixture, 2, "d c", 6); /* c twice: five of six */
    answer_page(fixture, 3, "", 6);
    answer_page(fixture, 1, "z c a", 5);
    await_names(fixture, 4);
    assert_names(fixture, 0, 10, "a b c d z");
    answer_page(fixture, 2, "e d", 5);
    g_assert_cmpint(await(&whole), ==, -1);
    assert_slots(fixture, "a - c d z e");
    g_assert_cmpstr(fixture->withdrawn->str, ==, "b");

    cf_inventory_refresh(fixture->inventory, CF_SERVERS, on_done, &whole);
    answer_page(fixture, 1, "z c a", 6);
    answer_page(fixture, 2, "e d n", 6);
    g_assert_cmpint(await(&whole), ==, -1);
    assert_slots(fixture, "a n c d z e");
    g_assert_cmpuint(handle_of(fixture, "n"), !=, gone);
}

/* Who waits for names is answered by a listing that ends before it is shown. */
static void
test_ends_at_once(Fixture *fixture, gconstpointer data)
{
    Verdict names = {0};

    cf_inventory_wait_coming(fixture->inventory, CF_SERVERS, 0, on_done, &names);
    answer_page(fixture, 1, "a b", 2);
    g_assert_cmpint(await(&names), ==, -1);
    assert_slots(fixture, "a b");
}

static void
test_closed(Fixture *fixture, gconstpointer data)
{
    Verdict more = {0};

    cf_inventory_wait_coming(fixture->inventory, CF_SERVERS, 3, on_done, &more);
    answer_page(fixture, 1, "a b c", 6);
    await_names(fixture, 0);
    cf_inventory_close(fixture->inventory);
    g_assert_cmpint(await(&more), ==, CF_ERROR_TIMEOUT);
}

/* Slots of which all numbers are used up are left out, and the order holds. */
static void
test_used_up(Fixture *fixture, gconstpointer data)
{
    Verdict verdict = {0};

    for (guint i = 0; i < 1u << (CF_HANDLE_BITS - CF_HANDLE_SLOT_BITS); i++) {
        cf_inventory_refresh(fixture->inventory, CF_SERVERS, on_done, &verdict);
        answer_page(fixture, 1, "a b c", 5);
        let_look(fixture);
        answer_page(fixture, 2, NULL, 0);
        g_assert_cmpint(await(&verdict), ==, CF_ERROR_REMOTE);
    }
    cf_inventory_refresh(fixture->inventory, CF_SERVERS, on_done, &verdict);
    answer_page(fixture, 1, "a b c", 5);
    await_names(fixture, 0);
    assert_names(fixture, 0, 10, "a b c");
    assert_names(fixture, 4, 10, "b c");
    answer_page(fixture, 2, "d e", 5);
    g_assert_cmpint(await(&verdict), ==, -1);
    assert_slots(fixture, "- - - a b c d e");
}

#define ADD(path, ops, function)                                                                   \
    g_test_add("/stream/" path, Fixture, ops, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("names-come", &by_number, test_names_come);
    ADD("by-marker", &by_marker, test_by_marker);
    ADD("the-rest-fails", &by_number, test_rest_fails);
    ADD("listed-again", &by_number, test_listed_again);
    ADD("ends-at-once", &by_number, test_ends_at_once);
    ADD("closed", &by_number, test_closed);
    ADD("used-up", &by_number, test_used_up);
    return g_test_run();
}
