/* The inventory over a provider in memory: what is reused, what vanishes and what must not. */
#include <string.h>

#include "inventory/private.h"
#include "test-verdict.h"
#include "util/clock.h"
#include "util/error.h"

#define PAGE 10

/* The cloud. Touched by the engine's thread only, through invoke_wait. */
typedef struct {
    GHashTable *servers; /* id → record text */
    GPtrArray *order;    /* ids */
    guint lists, shows, acts;
    gint64 total_lie;   /* added to the total */
    gboolean drop_last; /* the last page comes empty though the total counts it */
    gboolean empty;     /* the next listing is empty */
    gint fail;          /* of the next list calls; CF_ERROR_N: none */
    CfErrorCode show_fail;
    guint side_by_side, most; /* list calls under way */
    gint64 clock_s;           /* the cloud's; 0: it tells no times */
    gint64 since_us;          /* of the last list call */
    gint64 date_s;            /* what the cloud's clock shows; 0: it does not say */
    const char *console;      /* (nullable) the address that an action gives; it lives a second */
    GHashTable *changed;      /* id → text, deleted ones too: what a list of changes gives */
    GString *spoilt;          /* (nullable) what pages of a listing are instead */
    guint known;              /* records that were known when their page was checked */
    gboolean circle;          /* each page by marker leads to the second one */
    gboolean unhelped;        /* the provider makes nothing of what is known */
    guint meanwhile_page;     /* ahead of this page … */
    void (*meanwhile)(void);  /* … (nullable) happens this, in the engine's thread */
} Cloud;

static Cloud cloud;
static gint view; /* what the provider says of how it reads, and reads by; atomic */

/* What parse() meets in any thread. */
static struct {
    GMutex lock; /* protects what follows */
    GCond changed;
    const char *slow; /* (nullable) the id whose record waits until … */
    guint others;     /* … so many were parsed */
    guint parses, in_engine;
    GThread *engine;
} parsing;

typedef struct {
    CfCollection collection;
    guint page;
    char *id;
    char *marker; /* (nullable) */
    gint64 since_us;
    CfJsonKnown *known;
    CfPageCallback on_page;
    CfRecordCallback on_record;
    CfActionCallback on_action;
    gpointer data;
    gint64 requested_us;
    GMainContext *context;
} Call;

static GMainContext *context;

static void
later(GSourceFunc function, Call *call)
{
    GSource *source = g_idle_source_new();

    call->requested_us = cf_clock_mono_us();
    g_source_set_callback(source, function, call, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
}

/* What is known, and a count of it. */
typedef struct {
    CfJsonKnown known;
    CfJsonKnown *of;
} Counted;

static void
counted_begin(CfJsonKnown *known)
{
    CfJsonKnown *of = ((Counted *) known)->of;

    of->begin(of);
}

static gsize
counted_match(CfJsonKnown *known, const char *text, gsize left)
{
    CfJsonKnown *of = ((Counted *) known)->of;
    gsize len = of->match(of, text, left);

    cloud.known += len > 0;
    return len;
}

static void
append_record(GString *body, const char *text)
{
    if (body->len > 0)
        g_string_append_c(body, ',');
    g_string_append(body, text);
}

/* Checks the text as a provider does, and hands it over. text: the records, with commas. */
static void
give_page(Call *call, CfPage *page, const GString *text)
{
    Counted counted = {{counted_begin, counted_match}, call->known};
    char *body = cloud.spoilt ? g_strdup(cloud.spoilt->str) : g_strdup_printf("[%s]", text->str);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) error = NULL;
    CfJsonSpan whole;

    page->body = g_bytes_new_take(body, strlen(body));
    page->records = records;
    cf_json_outline_begin(body, strlen(body), cloud.unhelped ? NULL : &counted.known);
    if (cf_json_check(body, strlen(body), &whole, &error)) {
        g_assert_true(cf_json_slice(whole, records));
        call->on_page(page, NULL, call->data);
    } else {
        call->on_page(NULL, error, call->data);
    }
    cf_json_outline_end();
    g_bytes_unref(page->body);
}

static gboolean
answer_page(gpointer data)
{
    Call *call = data;
    CfPage page = {.total = cloud.order->len + cloud.total_lie, .requested_us = call->requested_us};
    g_autoptr(GString) text = g_string_new(NULL);
    guint last = (cloud.order->len + PAGE - 1) / PAGE;
    gint fail = g_atomic_int_get(&cloud.fail);

    if (cloud.meanwhile && call->page == cloud.meanwhile_page)
        cloud.meanwhile();
    if (fail != CF_ERROR_N) {
        g_autoptr(GError) error = g_error_new_literal(CF_ERROR, fail, "no");

        call->on_page(NULL, error, call->data);
        g_free(call);
        return G_SOURCE_REMOVE;
    }
    if (call->collection == CF_IMAGES || cloud.empty)
        page.total = 0;
    else if (!(cloud.drop_last && call->page == last))
        for (guint i = (call->page - 1) * PAGE; i < call->page * PAGE && i < cloud.order->len; i++)
            append_record(text, g_hash_table_lookup(cloud.servers, cloud.order->pdata[i]));
    page.last = call->page >= last;
    give_page(call, &page, text);
    g_free(call);
    return G_SOURCE_REMOVE;
}

/* A page by marker: the order is the order of making. */
static gboolean
answer_page_by_marker(gpointer data)
{
    Call *call = data;
    CfPage page = {.total = -1, .requested_us = call->requested_us};
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    gint fail = g_atomic_int_get(&cloud.fail);
    guint begin = 0, n = 0;

    cloud.side_by_side--;
    if (fail != CF_ERROR_N)
        g_set_error(&error, CF_ERROR, fail, "no");
    else if (call->marker &&
             !g_ptr_array_find_with_equal_func(cloud.order, call->marker, g_str_equal, &begin))
        g_set_error(&error, CF_ERROR, CF_ERROR_CHANGED, "marker %s not found", call->marker);
    else if (call->marker)
        begin++;
    if (call->since_us) {
        GHashTableIter iter;
        gpointer record;

        g_hash_table_iter_init(&iter, cloud.changed);
        while (!error && g_hash_table_iter_next(&iter, NULL, &record))
            append_record(text, record);
    }
    for (guint i = begin; !error && !call->since_us && n < PAGE && i < cloud.order->len; i++, n++)
        append_record(text, g_hash_table_lookup(cloud.servers, cloud.order->pdata[i]));
    page.last = call->since_us || n < PAGE;
    page.next = page.last ? NULL : cloud.order->pdata[begin + PAGE - 1];
    if (page.next && cloud.circle)
        page.next = cloud.order->pdata[PAGE - 1];
    page.cloud_us = cloud.date_s * G_USEC_PER_SEC;
    if (error)
        call->on_page(NULL, error, call->data);
    else
        give_page(call, &page, text);
    g_free(call->marker);
    g_free(call);
    return G_SOURCE_REMOVE;
}

static void
fake_list_from(gpointer handle, CfCollection collection, const char *marker, gint64 since_us,
               gint64 deadline_us, gboolean user_waits, CfJsonKnown *known, CfPageCallback callback,
               gpointer data)
{
    Call *call = g_new0(Call, 1);

    g_assert_cmpint(collection, ==, CF_SERVERS);
    call->marker = g_strdup(marker);
    call->since_us = cloud.since_us = since_us;
    call->known = known;
    call->on_page = callback;
    call->data = data;
    cloud.lists++;
    cloud.side_by_side++;
    cloud.most = MAX(cloud.most, cloud.side_by_side);
    later(answer_page_by_marker, call);
}

static void
fake_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
          gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    Call *call = g_new0(Call, 1);

    call->collection = collection;
    call->page = page;
    call->known = known;
    call->on_page = callback;
    call->data = data;
    cloud.lists += collection == CF_SERVERS;
    later(answer_page, call);
}

static guint
parsed(void)
{
    guint n;

    g_mutex_lock(&parsing.lock);
    n = parsing.parses;
    g_mutex_unlock(&parsing.lock);
    return n;
}

static void
note_parse(const char *id)
{
    gint64 until_us = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

    g_mutex_lock(&parsing.lock);
    parsing.parses++;
    parsing.in_engine += g_thread_self() == parsing.engine;
    g_cond_broadcast(&parsing.changed);
    while (parsing.slow && g_strcmp0(id, parsing.slow) == 0 && parsing.parses < parsing.others)
        g_assert_true(g_cond_wait_until(&parsing.changed, &parsing.lock, until_us));
    g_mutex_unlock(&parsing.lock);
}

static CfRecord *
fake_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    g_auto(CfRecordBuilder) builder;
    static const struct {
        const char *key;
        guint field;
    } fields[] = {{"id", CF_SERVER_ID},
                  {"name", CF_SERVER_NAME},
                  {"status", CF_SERVER_STATUS},
                  {"status", CF_SERVER_STATE}};

    cf_record_builder_init(&builder, collection);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        CfJsonSpan value;

        if (cf_json_get(text, fields[i].key, FALSE, &value)) {
            g_autofree char *word = cf_json_scalar(value);

            cf_record_builder_set(&builder, fields[i].field, word);
        }
    }
    if (g_atomic_int_get(&view)) {
        g_autofree char *zone = g_strdup_printf("zone-%d", g_atomic_int_get(&view));

        cf_record_builder_set(&builder, CF_SERVER_ZONE, zone);
    }
    note_parse(cf_record_builder_get(&builder, CF_SERVER_ID));
    builder.settled = TRUE;
    builder.updated_us = cloud.clock_s * G_USEC_PER_SEC;
    builder.can = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_CONSOLE);
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

static gboolean
answer_show(gpointer data)
{
    Call *call = data;
    const char *text = g_hash_table_lookup(cloud.servers, call->id);
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = NULL;

    if (cloud.show_fail != CF_ERROR_N)
        g_set_error(&error, CF_ERROR, (gint) cloud.show_fail, "no");
    else if (!text)
        g_set_error(&error, CF_ERROR, CF_ERROR_NOT_FOUND, "no such server");
    else
        record = fake_parse(NULL, CF_SERVERS, (CfJsonSpan){text, strlen(text)}, &error);
    call->on_record(record, call->requested_us, error, call->data);
    g_free(call->id);
    g_free(call);
    return G_SOURCE_REMOVE;
}

static void
fake_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
          CfRecordCallback callback, gpointer data)
{
    Call *call = g_new0(Call, 1);

    cloud.shows++;
    call->id = g_strdup(id);
    call->on_record = callback;
    call->data = data;
    later(answer_show, call);
}

static gboolean
answer_act(gpointer data)
{
    Call *call = data;
    CfActionResult result = {.http_status = 200};

    if (cloud.console) {
        result.console_url = (char *) cloud.console;
        result.console_life_s = 1;
    }
    call->on_action(&result, NULL, call->data);
    g_free(call);
    return G_SOURCE_REMOVE;
}

static void
fake_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
         gpointer data)
{
    Call *call = g_new0(Call, 1);

    cloud.acts++;
    call->on_action = callback;
    call->data = data;
    later(answer_act, call);
}

static gpointer
fake_open(const CfProviderEnv *env, GError **error)
{
    context = env->context;
    parsing.engine = g_thread_self();
    return &cloud;
}

/* What is under way is answered, as by a channel that is shut: who asked lets go of what it holds.
 */
static void
fake_close(gpointer handle)
{
    while (g_main_context_iteration(context, FALSE))
        ;
}

static guint
fake_view(gpointer handle, CfCollection collection)
{
    return (guint) g_atomic_int_get(&view);
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
static const CfProviderOps fake = {
    .name = "fake",
    .title = "Fake",
    .keys = no_keys,
    .open = fake_open,
    .close = fake_close,
    .get_endpoint = fake_fact,
    .get_region = fake_fact,
    .can = {CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_CONSOLE), 0},
    .verbs = (1u << CF_VERB_N) - 1,
    .list = fake_list,
    .get_page_size = fake_page_size,
    .get_view = fake_view,
    .parse = fake_parse,
    .show = fake_show,
    .act = fake_act,
};

static const CfProviderOps fake_by_marker = {
    .name = "fake",
    .title = "Fake",
    .keys = no_keys,
    .open = fake_open,
    .close = fake_close,
    .get_endpoint = fake_fact,
    .get_region = fake_fact,
    .can = {CF_CAN(CF_ACTION_POWER), 0},
    .verbs = (1u << CF_VERB_N) - 1,
    .list_from = fake_list_from,
    .can_list_changes = {TRUE, FALSE},
    .get_page_size = fake_page_size,
    .get_view = fake_view,
    .parse = fake_parse,
    .show = fake_show,
    .act = fake_act,
};

static const char *
no_key(gpointer config, const char *key)
{
    return NULL;
}

/* ---- the fixture ---- */

typedef struct {
    CfHttp *http;
    CfInventory *inventory;
} Fixture;

static void
put(const char *id, const char *name, const char *status)
{
    if (!g_hash_table_contains(cloud.servers, id))
        g_ptr_array_add(cloud.order, g_strdup(id));
    g_hash_table_replace(
        cloud.servers, g_strdup(id),
        g_strdup_printf("{\"id\":\"%s\",\"name\":\"%s\",\"status\":\"%s\"}", id, name, status));
}

static void
take(const char *id)
{
    guint index;

    g_assert_true(g_ptr_array_find_with_equal_func(cloud.order, id, g_str_equal, &index));
    g_ptr_array_remove_index(cloud.order, index);
    g_hash_table_remove(cloud.servers, id);
}

static void
put_many(guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = g_strdup_printf("id-%04u", i);

        put(id, id, "running");
    }
}

static gint64 ttl_us = 3600 * (gint64) G_USEC_PER_SEC;

static void
set_up_ops(Fixture *fixture, guint n, const CfProviderOps *ops)
{
    CfChannelOptions channel = {.connections = 4};
    CfInventoryOptions options = {.ttl_us = ttl_us,
                                  .max_stale_us = 7200 * (gint64) G_USEC_PER_SEC,
                                  .patience_us = 5 * G_USEC_PER_SEC,
                                  .deadline_us = 20 * G_USEC_PER_SEC,
                                  .tags_ttl_us = 600 * (gint64) G_USEC_PER_SEC};
    CfInventoryHooks hooks = {0};
    g_autoptr(GError) error = NULL;

    cloud = (Cloud){.fail = CF_ERROR_N, .show_fail = CF_ERROR_N};
    view = 0;
    cloud.servers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    cloud.order = g_ptr_array_new_with_free_func(g_free);
    cloud.changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    parsing.slow = NULL;
    parsing.parses = parsing.in_engine = 0;
    put_many(n);
    fixture->http = cf_http_new(&error);
    g_assert_no_error(error);
    fixture->inventory =
        cf_inventory_new("p", ops, fixture->http, &channel, &options, 0, no_key, NULL, &error);
    g_assert_no_error(error);
    cf_inventory_set_hooks(fixture->inventory, &hooks);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    set_up_ops(fixture, GPOINTER_TO_UINT(data), &fake);
}

static void
set_up_by_marker(Fixture *fixture, gconstpointer data)
{
    ttl_us = 0; /* every look asks */
    set_up_ops(fixture, GPOINTER_TO_UINT(data), &fake_by_marker);
    ttl_us = 3600 * (gint64) G_USEC_PER_SEC;
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    cf_inventory_free(fixture->inventory);
    cf_http_free(fixture->http);
    g_hash_table_unref(cloud.servers);
    g_hash_table_unref(cloud.changed);
    g_ptr_array_unref(cloud.order);
}

/* Returns: the error's code, or -1. */
static int
refresh(Fixture *fixture)
{
    Verdict verdict = {0};

    cf_inventory_refresh(fixture->inventory, CF_SERVERS, on_done, &verdict);
    return await(&verdict);
}

static guint
count(Fixture *fixture)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);

    return snapshot ? snapshot->n : 0;
}

static gboolean
has(Fixture *fixture, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);

    return cf_snapshot_find(snapshot, id) != NULL;
}

static char *
state_of(Fixture *fixture, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);

    return g_strdup(cf_resource_get(cf_snapshot_find(snapshot, id), CF_FIELD_STATE));
}

/* All records of the page that begins there. Returns: (transfer full): without the brackets. */
static GString *
page_text(guint first)
{
    GString *text = g_string_new(NULL);

    for (guint i = first; i < first + PAGE; i++)
        append_record(text, g_hash_table_lookup(cloud.servers, cloud.order->pdata[i]));
    return text;
}

/* ---- cases ---- */

static void
test_pages(Fixture *fixture, gconstpointer data)
{
    g_assert_null(cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS));
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, 95);
    g_assert_cmpuint(cloud.lists, ==, 10); /* ceil(95 / 10) */
    g_assert_cmpuint(parsed(), ==, 95);
}

static void
test_exact_pages(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    g_assert_cmpuint(cloud.lists, ==, 3); /* 30 servers: no call to see that nothing follows */
}

static void
test_unchanged(Fixture *fixture, gconstpointer data)
{
    CfSnapshot *first, *second;

    refresh(fixture);
    first = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    parsing.parses = 0;
    refresh(fixture);
    second = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    g_assert_cmpuint(parsed(), ==, 0);
    g_assert_true(first == second); /* nothing changed: no new version */
    cf_snapshot_unref(first);
    cf_snapshot_unref(second);
}

/* Texts that stand where they stood are gone through once. */
static void
test_known(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    g_assert_cmpuint(cloud.known, ==, 0);
    refresh(fixture);
    g_assert_cmpuint(cloud.known, ==, 95);
    /* Places shift, one changes, one goes, some come; one's text gets shorter, one's longer. */
    cloud.known = parsing.parses = 0;
    put("new-1", "", "running");
    put("new-2", "", "running");
    g_ptr_array_insert(cloud.order, 3, g_ptr_array_steal_index(cloud.order, cloud.order->len - 1));
    g_ptr_array_insert(cloud.order, 3, g_ptr_array_steal_index(cloud.order, cloud.order->len - 1));
    put("id-0000", "", "running");
    put("id-0001", "a name that is longer than the other one was", "running");
    put("id-0040", "id-0040", "stopped");
    take("id-0060");
    refresh(fixture);
    g_assert_cmpuint(cloud.known, ==, 91);
    g_assert_cmpuint(parsed(), ==, 5);
    g_assert_cmpuint(count(fixture), ==, 96);
    g_assert_false(has(fixture, "id-0060"));
    g_assert_true(has(fixture, "new-1"));
}

/* Everything stands elsewhere: still nothing is parsed. */
static void
test_turned_round(Fixture *fixture, gconstpointer data)
{
    cloud.unhelped = data == GUINT_TO_POINTER(400);
    refresh(fixture);
    parsing.parses = 0;
    for (guint i = 0; i < cloud.order->len; i++)
        g_ptr_array_insert(cloud.order, (gint) i,
                           g_ptr_array_steal_index(cloud.order, cloud.order->len - 1));
    refresh(fixture);
    /* Some are parsed before all are looked up; none is new. */
    g_assert_cmpuint(parsed(), <=, cloud.order->len / 64 + 1);
    g_assert_cmpuint(count(fixture), ==, cloud.order->len);
    parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 0);
}

static Fixture *watched;

/* A show call tells of a server that the listing will tell of in its old words: there is a new
 * version while the refresh looks for the texts of the former one. */
static void
follow_one(void)
{
    CfCollectionState *state = &watched->inventory->collections[CF_SERVERS];
    const char *id = cloud.order->pdata[(cloud.meanwhile_page - 1) * PAGE + PAGE / 2];
    g_autofree char *text = g_strdup_printf("{\"id\":\"%s\",\"status\":\"stopped\"}", id);
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record =
        fake_parse(NULL, CF_SERVERS, (CfJsonSpan){text, strlen(text)}, &error);

    g_assert_no_error(error);
    cf_follow_record(state, id, record, cf_clock_mono_us());
}

static void
test_followed_meanwhile(Fixture *fixture, gconstpointer data)
{
    g_autofree char *id = NULL;
    g_autofree char *now = NULL;

    watched = fixture;
    cloud.unhelped = TRUE;
    refresh(fixture);
    for (guint i = 0; i < cloud.order->len; i++)
        g_ptr_array_insert(cloud.order, (gint) i,
                           g_ptr_array_steal_index(cloud.order, cloud.order->len - 1));
    cloud.meanwhile_page = 30;
    cloud.meanwhile = follow_one;
    id = g_strdup(cloud.order->pdata[29 * PAGE + PAGE / 2]);
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, cloud.order->len);
    now = state_of(fixture, id);
    g_assert_cmpstr(now, ==, "stopped"); /* the listing had asked before */
}

static char *
zone_of(Fixture *fixture, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);

    return g_strdup(cf_resource_get(cf_snapshot_find(snapshot, id), CF_SERVER_ZONE));
}

static void
assert_zone(Fixture *fixture, const char *id, const char *expected)
{
    g_autofree char *zone = zone_of(fixture, id);

    g_assert_cmpstr(zone, ==, expected);
}

/* The same texts mean something else now: once they are read again, and then believed. */
static void
test_read_in_another_way(Fixture *fixture, gconstpointer data)
{
    g_atomic_int_set(&view, 1);
    refresh(fixture);
    assert_zone(fixture, "id-0042", "zone-1");
    parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 0);
    g_atomic_int_set(&view, 2);
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 95);
    assert_zone(fixture, "id-0000", "zone-2");
    assert_zone(fixture, "id-0042", "zone-2");
    assert_zone(fixture, "id-0094", "zone-2");
    g_assert_cmpuint(count(fixture), ==, 95);
    parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 0);
    g_assert_cmpuint(cloud.shows, ==, 0);
}

/* It is found out in the middle of a listing: what was read before that is read again next time. */
static void
find_out(void)
{
    g_atomic_int_set(&view, 3);
}

static void
test_read_in_another_way_meanwhile(Fixture *fixture, gconstpointer data)
{
    g_atomic_int_set(&view, 2);
    refresh(fixture);
    cloud.meanwhile_page = 5;
    cloud.meanwhile = find_out;
    refresh(fixture);
    cloud.meanwhile = NULL;
    assert_zone(fixture, "id-0094", "zone-3");
    refresh(fixture);
    assert_zone(fixture, "id-0000", "zone-3");
    parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 0);
}

static void
move_page(guint from, guint to)
{
    for (guint i = 0; i < PAGE; i++)
        g_ptr_array_insert(cloud.order, (gint) (to * PAGE + i),
                           g_ptr_array_steal_index(cloud.order, from * PAGE + i));
}

/* Every page is one that was there before, at another place. */
static void
test_pages_change_places(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    move_page(1, 0);
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 95);
    parsing.parses = 0;
    for (guint i = 0; i < 2; i++) { /* the new order is the one that counts from now on */
        cloud.known = 0;
        refresh(fixture);
        g_assert_cmpuint(cloud.known, ==, 95);
    }
    g_assert_cmpuint(parsed(), ==, 0);
    take("id-0004");
    refresh(fixture);
    g_assert_false(has(fixture, "id-0004"));
    g_assert_cmpuint(count(fixture), ==, 94);
    g_assert_cmpuint(cloud.shows, ==, 1);
}

/* One page comes twice, and hides another one, which is there all the same. */
static void
test_page_comes_twice(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    for (guint i = 0; i < PAGE; i++) {
        g_free(cloud.order->pdata[PAGE + i]);
        cloud.order->pdata[PAGE + i] = g_strdup(cloud.order->pdata[i]);
    }
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 95);
    g_assert_cmpuint(cloud.shows, ==, PAGE);
    g_assert_true(has(fixture, "id-0010"));
}

/* What is left is what it was, up to where the listing ends now. */
static void
test_end_is_gone(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    for (guint i = 90; i < 95; i++) {
        g_autofree char *id = g_strdup_printf("id-%04u", i);

        take(id);
    }
    parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 90);
    g_assert_cmpuint(cloud.shows, ==, 5);
    g_assert_cmpuint(parsed(), ==, 0);
    g_assert_false(has(fixture, "id-0094"));
}

/* The last listing lacked one that a look found: the next one that has it again says so. */
static void
test_back_in_the_list(Fixture *fixture, gconstpointer data)
{
    char *id;

    refresh(fixture);
    id = g_ptr_array_steal_index(cloud.order, 50);
    cloud.show_fail = CF_ERROR_REMOTE;
    refresh(fixture); /* lacks it once */
    g_ptr_array_insert(cloud.order, 50, id);
    refresh(fixture);
    refresh(fixture);
    g_ptr_array_remove_index(cloud.order, 50);
    refresh(fixture); /* once again, not twice */
    g_assert_true(has(fixture, "id-0050"));
    refresh(fixture);
    g_assert_false(has(fixture, "id-0050"));
}

/* Two stand twice, and one of them as it was before. */
static void
test_known_twice(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = NULL;
    g_autofree char *state = NULL;

    refresh(fixture);
    text = page_text(0);
    cloud.spoilt = g_string_new(NULL);
    g_string_printf(cloud.spoilt, "[%s,%s]", text->str, text->str);
    parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 0);
    g_assert_cmpuint(count(fixture), ==, PAGE);
    /* The later one counts. */
    g_string_printf(cloud.spoilt, "[%s,{\"id\":\"id-0003\",\"status\":\"stopped\"}]", text->str);
    refresh(fixture);
    state = state_of(fixture, "id-0003");
    g_assert_cmpstr(state, ==, "stopped");
    g_string_free(g_steal_pointer(&cloud.spoilt), TRUE);
}

/* A page is good or it is not, whatever of it was there before. */
static void
test_known_and_spoilt(Fixture *fixture, gconstpointer data)
{
    static const char *const formats[] = {
        "[%s",   "[%s]]",  "[%s,]", "[%s}",  "[%sx]",          "[%s{}]",
        "[,%s]", "[%s] x", "{%s}",  "[[%s]", "[%s,{\"id\":}]", "[\"%s\"]",
    };
    g_autoptr(GString) text = NULL;

    refresh(fixture);
    text = page_text(0);
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        char *const *halves = g_strsplit(formats[i], "%s", 2);

        cloud.spoilt = g_string_new(halves[0]);
        g_string_append_len(cloud.spoilt, text->str, (gssize) text->len);
        g_string_append(cloud.spoilt, halves[1]);
        g_assert_cmpint(refresh(fixture), ==, CF_ERROR_PROTOCOL);
        g_string_free(g_steal_pointer(&cloud.spoilt), TRUE);
        g_strfreev((char **) halves);
    }
    g_assert_cmpuint(count(fixture), ==, PAGE);
    /* Cut off at every place. */
    for (gsize len = 0; len <= text->len; len++) {
        cloud.spoilt = g_string_new("[");
        g_string_append_len(cloud.spoilt, text->str, (gssize) len);
        g_assert_cmpint(refresh(fixture), ==, CF_ERROR_PROTOCOL);
        g_string_free(g_steal_pointer(&cloud.spoilt), TRUE);
    }
    g_assert_cmpuint(count(fixture), ==, PAGE);
    parsing.parses = 0;
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(parsed(), ==, 0);
}

static void
test_changed(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    parsing.parses = 0;
    put("id-0007", "renamed", "stopped");
    /* One comes at the head, so that all others stand at another place. */
    put("new", "new", "running");
    g_ptr_array_insert(cloud.order, 0, g_ptr_array_steal_index(cloud.order, cloud.order->len - 1));
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, 2);
    g_assert_cmpuint(count(fixture), ==, 96);
    g_assert_true(has(fixture, "new"));
    g_assert_cmpuint(cloud.shows, ==, 0);
}

static void
test_gone_is_confirmed(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    take("id-0050");
    refresh(fixture);
    g_assert_false(has(fixture, "id-0050"));
    g_assert_cmpuint(cloud.shows, ==, 1);
    g_assert_cmpuint(count(fixture), ==, 94);
}

static void
test_missing_but_there(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    /* The list loses one though it exists: show says so. */
    g_ptr_array_remove_index(cloud.order, 50);
    refresh(fixture);
    g_assert_true(has(fixture, "id-0050"));
    g_assert_cmpuint(count(fixture), ==, 95);
}

static void
test_missing_and_no_second_look(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    take("id-0050");
    cloud.show_fail = CF_ERROR_REMOTE;
    refresh(fixture);
    g_assert_true(has(fixture, "id-0050")); /* an API failure makes nothing vanish */
    refresh(fixture);
    g_assert_false(has(fixture, "id-0050")); /* two complete listings agree */
}

static void
test_many_gone(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    for (guint i = 0; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("id-%04u", i);

        take(id);
    }
    cloud.lists = 0;
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 55);
    g_assert_cmpuint(cloud.shows, ==, 5);  /* samples */
    g_assert_cmpuint(cloud.lists, ==, 12); /* two listings of 6 pages */
}

/* A part of the cloud is down, and left out of the listings. */
static void
test_many_left_out(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    g_ptr_array_remove_range(cloud.order, 20, 30);
    for (guint i = 0; i < 3; i++) {
        refresh(fixture);
        g_assert_cmpuint(count(fixture), ==, 95);
    }
}

static void
test_partial(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    cloud.drop_last = TRUE;
    for (guint i = 0; i < 4; i++) {
        refresh(fixture);
        g_assert_cmpuint(count(fixture), ==, 95);
    }
}

static void
test_total_lies(Fixture *fixture, gconstpointer data)
{
    cloud.total_lie = 15;
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, 95);
}

static void
test_empty_is_confirmed(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    cloud.empty = TRUE;
    cloud.lists = 0;
    refresh(fixture);
    /* A few are asked for one by one: they are there. */
    g_assert_cmpuint(count(fixture), ==, 15);
    g_assert_cmpuint(cloud.shows, ==, 15);
}

static void
test_all_gone_is_sampled(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    cloud.empty = TRUE; /* every listing is, but the servers are there */
    refresh(fixture);
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 95);
    g_ptr_array_set_size(cloud.order, 0);
    g_hash_table_remove_all(cloud.servers);
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 0);
}

static void
test_failure_keeps(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    cloud.fail = CF_ERROR_REMOTE;
    g_assert_cmpint(refresh(fixture), ==, CF_ERROR_REMOTE);
    g_assert_cmpuint(count(fixture), ==, 95);
    g_assert_cmpstr(cf_inventory_get_health_word(fixture->inventory), ==, "stale");
    cloud.fail = CF_ERROR_N;
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpstr(cf_inventory_get_health_word(fixture->inventory), ==, "ok");
}

static void
test_never_fetched_fails(Fixture *fixture, gconstpointer data)
{
    Verdict verdict = {0};

    cloud.fail = CF_ERROR_NO_CONNECT;
    g_assert_cmpint(cf_inventory_look(fixture->inventory, CF_SERVERS), ==, CF_LOOK_WAIT);
    cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &verdict);
    g_assert_cmpint(await(&verdict), ==, CF_ERROR_NO_CONNECT);
    g_assert_cmpstr(cf_inventory_get_health_word(fixture->inventory), ==, "unreachable");
}

/* Who looks between the end of the listing and the version that comes of it. */
static gpointer
look_in_between(CfInventory *inventory, CfSnapshot *before, CfSnapshot *after,
                const CfChange *changes, guint n, gpointer data)
{
    GArray *looks = data;
    CfLook now = cf_inventory_look(inventory, CF_SERVERS);

    g_array_append_val(looks, now);
    return NULL;
}

static void
test_age_comes_with_its_version(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GArray) looks = g_array_new(FALSE, FALSE, sizeof(CfLook));
    CfInventoryHooks hooks = {.prepare = look_in_between, .data = looks};

    cf_inventory_set_hooks(fixture->inventory, &hooks);
    g_assert_cmpint(refresh(fixture), ==, -1);
    hooks = (CfInventoryHooks){0};
    cf_inventory_set_hooks(fixture->inventory, &hooks);
    g_assert_cmpuint(looks->len, ==, 1);
    g_assert_cmpint(g_array_index(looks, CfLook, 0), ==, CF_LOOK_WAIT);
    g_assert_cmpint(cf_inventory_look(fixture->inventory, CF_SERVERS), ==, CF_LOOK_SERVE);
}

static gboolean
nothing(gpointer data)
{
    return G_SOURCE_REMOVE;
}

/* What was looked at while the listing was on its way is answered by it. */
static void
test_late_look_asks_nothing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GArray) looks = g_array_new(FALSE, FALSE, sizeof(CfLook));
    CfInventoryHooks hooks = {.prepare = look_in_between, .data = looks};
    CfInventoryStats stats;

    cf_inventory_set_hooks(fixture->inventory, &hooks);
    g_assert_cmpint(refresh(fixture), ==, -1);
    cf_http_invoke_wait(fixture->http, nothing, NULL); /* the look has come to the engine */
    g_assert_cmpuint(looks->len, ==, 1);
    g_assert_cmpuint(cloud.lists, ==, 10);
    cf_inventory_get_stats(fixture->inventory, &stats);
    g_assert_cmpuint(stats.refreshes[CF_SERVERS], ==, 1);
}

static void
test_one_flight(Fixture *fixture, gconstpointer data)
{
    Verdict verdicts[20] = {0};

    for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        cf_inventory_look(fixture->inventory, CF_SERVERS);
        cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &verdicts[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++)
        g_assert_cmpint(await(&verdicts[i]), ==, -1);
    g_assert_cmpuint(cloud.lists, ==, 10);
    g_assert_cmpint(cf_inventory_look(fixture->inventory, CF_SERVERS), ==, CF_LOOK_SERVE);
}

static void
test_handles(Fixture *fixture, gconstpointer data)
{
    g_autoptr(CfSnapshot) before = NULL;
    g_autoptr(CfSnapshot) after = NULL;
    guint32 handle;

    refresh(fixture);
    before = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    handle = cf_snapshot_find(before, "id-0003")->handle;
    take("id-0003");
    refresh(fixture);
    put("other", "other", "running");
    refresh(fixture);
    after = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    g_assert_null(cf_snapshot_get(after, handle)); /* never means another resource */
    g_assert_cmpuint(CF_HANDLE_SLOT(cf_snapshot_find(after, "other")->handle), ==,
                     CF_HANDLE_SLOT(handle));
    g_assert_nonnull(cf_snapshot_get(before, handle));
}

static int
power(Fixture *fixture, const char *id, CfVerb verb)
{
    CfAction *action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, id);
    CfOrder *order = cf_order_new(action);
    Verdict verdict = {0};

    action->verb = verb;
    order->deadline_us = cf_clock_mono_us() + 10 * G_USEC_PER_SEC;
    cf_inventory_act(fixture->inventory, order, on_done, &verdict);
    return await(&verdict);
}

static void
test_pending(Fixture *fixture, gconstpointer data)
{
    g_autofree char *state = NULL;

    refresh(fixture);
    g_assert_cmpint(power(fixture, "id-0001", CF_VERB_OFF), ==, -1);
    state = state_of(fixture, "id-0001");
    g_assert_cmpstr(state, ==, "stopping"); /* the cloud still says running */
    g_assert_cmpuint(cloud.acts, ==, 1);
    put("id-0001", "id-0001", "stopped");
    refresh(fixture);
    g_free(state);
    state = state_of(fixture, "id-0001");
    g_assert_cmpstr(state, ==, "stopped");
}

static void
test_already_so(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    g_assert_cmpint(power(fixture, "id-0001", CF_VERB_ON), ==, -1);
    g_assert_cmpuint(cloud.acts, ==, 0);
    g_assert_cmpuint(cloud.shows, ==, 1);
}

static int
ask_for_console(Fixture *fixture, const char *id)
{
    CfAction *action = cf_action_new(CF_ACTION_CONSOLE, CF_SERVERS, id);
    CfOrder *order = cf_order_new(action);
    Verdict verdict = {0};

    action->text = g_strdup("novnc");
    order->deadline_us = cf_clock_mono_us() + 10 * G_USEC_PER_SEC;
    cf_inventory_act(fixture->inventory, order, on_done, &verdict);
    return await(&verdict);
}

static gboolean
has_console(Fixture *fixture, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);
    const CfResource *resource = cf_snapshot_find(snapshot, id);

    return resource->local && resource->local->console_url;
}

static gboolean
on_later(gpointer data)
{
    on_done(NULL, data);
    return G_SOURCE_REMOVE;
}

/* The address expires; and when the mount has ended before, nothing is left that would do it. */
static void
test_console_expires(Fixture *fixture, gconstpointer data)
{
    gint64 until = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    g_autoptr(GSource) timer = NULL;
    Verdict verdict = {0};

    cloud.console = "https://console.example/fake";
    refresh(fixture);
    g_assert_cmpint(ask_for_console(fixture, "id-0001"), ==, -1);
    g_assert_true(has_console(fixture, "id-0001"));
    while (has_console(fixture, "id-0001")) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(10000);
    }
    g_assert_cmpint(ask_for_console(fixture, "id-0002"), ==, -1);
    timer = g_timeout_source_new(1000); /* fires behind the other one */
    g_source_set_callback(timer, on_later, &verdict, NULL);
    g_source_attach(timer, context);
    g_clear_pointer(&fixture->inventory, cf_inventory_free);
    await(&verdict);
}

/* ---- by marker ---- */

static void
test_walk(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    g_assert_cmpuint(count(fixture), ==, 95);
    g_assert_cmpuint(cloud.lists, ==, 10); /* floor(95 / 10) + 1 */
    g_assert_cmpuint(cloud.most, ==, 1);
    cloud.lists = parsing.parses = 0;
    refresh(fixture);
    g_assert_cmpuint(cloud.lists, ==, 10);
    g_assert_cmpuint(cloud.most, ==, 8);
    g_assert_cmpuint(parsed(), ==, 0);
}

static void
test_walk_full_pages(Fixture *fixture, gconstpointer data)
{
    for (guint pass = 1; pass <= 2; pass++) {
        refresh(fixture);
        g_assert_cmpuint(count(fixture), ==, 30);
        g_assert_cmpuint(cloud.lists, ==, 4 * pass); /* floor(30 / 10) + 1 */
    }
}

static void
test_walk_changes(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    take("id-0009"); /* where two stretches would meet */
    put("id-0050", "renamed", "stopped");
    for (guint i = 0; i < 25; i++) {
        g_autofree char *id = g_strdup_printf("new-%02u", i);

        put(id, id, "running");
    }
    parsing.parses = 0;
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, 95 - 1 + 25);
    g_assert_false(has(fixture, "id-0009"));
    g_assert_true(has(fixture, "new-24"));
    parsing.parses = 0;
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(parsed(), ==, 0);
    g_assert_cmpuint(count(fixture), ==, 95 - 1 + 25);
}

/* A cloud that takes no heed of markers would be asked for ever. */
static void
test_walk_in_a_circle(Fixture *fixture, gconstpointer data)
{
    cloud.circle = TRUE;
    g_assert_cmpint(refresh(fixture), ==, CF_ERROR_PROTOCOL);
    g_assert_cmpuint(cloud.lists, ==, 2);
    cloud.circle = FALSE;
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, 95);
}

static void
test_walk_never_ends(Fixture *fixture, gconstpointer data)
{
    refresh(fixture);
    cloud.fail = CF_ERROR_CHANGED; /* whatever is asked for */
    cloud.lists = 0;
    g_assert_cmpint(refresh(fixture), ==, CF_ERROR_CHANGED);
    g_assert_cmpuint(cloud.lists, <=, 32);
    g_assert_cmpuint(count(fixture), ==, 95);
}

static void
change(const char *id, const char *status)
{
    g_hash_table_replace(
        cloud.changed, g_strdup(id),
        g_strdup_printf("{\"id\":\"%s\",\"name\":\"%s\",\"status\":\"%s\"}", id, id, status));
}

/* A look that finds the collection too old: not forced. */
static int
look(Fixture *fixture)
{
    Verdict verdict = {0};

    g_assert_cmpint(cf_inventory_look(fixture->inventory, CF_SERVERS), ==, CF_LOOK_WAIT);
    cf_inventory_wait(fixture->inventory, CF_SERVERS, on_done, &verdict);
    return await(&verdict);
}

static void
test_changes(Fixture *fixture, gconstpointer data)
{
    g_autofree char *state = NULL;

    cloud.clock_s = 1000000;
    refresh(fixture);
    g_assert_cmpint(cloud.since_us, ==, 0);
    change("id-0001", "stopped");
    change("id-0002", "deleted");
    change("new", "running");
    change("never-seen", "deleted");
    cloud.lists = cloud.shows = 0;
    g_assert_cmpint(look(fixture), ==, -1);
    g_assert_cmpint(cloud.since_us, ==, (1000000 - 60) * (gint64) G_USEC_PER_SEC);
    /* One call each; the look's refresh may be over before the wait begins, which asks again. All
     * pages would be four. */
    g_assert_cmpuint(cloud.lists, >=, 1);
    g_assert_cmpuint(cloud.lists, <=, 2);
    g_assert_cmpuint(cloud.shows, ==, 0);
    g_assert_cmpuint(count(fixture), ==, 30); /* one went, one came */
    g_assert_false(has(fixture, "id-0002"));
    g_assert_false(has(fixture, "never-seen"));
    g_assert_true(has(fixture, "new"));
    state = state_of(fixture, "id-0001");
    g_assert_cmpstr(state, ==, "stopped");
    /* Forced: everything. What was told of only as a change is not in the list, and goes. */
    take("id-0002");
    put("id-0001", "id-0001", "stopped");
    refresh(fixture);
    g_assert_cmpint(cloud.since_us, ==, 0);
    g_assert_cmpuint(count(fixture), ==, 29);
}

/* Where the cloud tells the time: since the last listing, and no longer since the last change. */
static void
test_changes_by_date(Fixture *fixture, gconstpointer data)
{
    cloud.clock_s = 1000000;
    cloud.date_s = 1000500;
    refresh(fixture);
    cloud.date_s = 1000700;
    g_assert_cmpint(look(fixture), ==, -1);
    g_assert_cmpint(look(fixture), ==, -1);
    g_assert_cmpint(cloud.since_us, ==, (1000700 - 60) * (gint64) G_USEC_PER_SEC);
    /* It stops telling it: since the last change again. */
    cloud.date_s = 0;
    g_assert_cmpint(look(fixture), ==, -1);
    g_assert_cmpint(look(fixture), ==, -1);
    g_assert_cmpint(cloud.since_us, ==, (1000000 - 60) * (gint64) G_USEC_PER_SEC);
}

/* ---- what threads read ---- */

static void
assert_in_order(Fixture *fixture, guint n)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS);

    g_assert_cmpuint(snapshot->n, ==, n);
    for (guint i = 0; i < n; i++)
        g_assert_cmpstr(cf_record_get_id(snapshot->slots[i]->record), ==, cloud.order->pdata[i]);
}

/* The first page's last record is through when all others are: pages wait for it, and no more are
 * asked for than may wait. */
static void
test_first_by_threads(Fixture *fixture, gconstpointer data)
{
    if (g_get_num_processors() > 1) {
        parsing.others = 20;
        parsing.slow = cloud.order->pdata[0];
    }
    g_assert_cmpint(refresh(fixture), ==, -1);
    assert_in_order(fixture, GPOINTER_TO_UINT(data));
    g_assert_cmpuint(parsed(), ==, GPOINTER_TO_UINT(data));
    g_assert_cmpuint(parsing.in_engine, ==, 0);
    /* Later ones are the engine's. */
    parsing.slow = NULL;
    put("id-0007", "id-0007", "stopped");
    refresh(fixture);
    g_assert_cmpuint(parsed(), ==, GPOINTER_TO_UINT(data) + 1);
    g_assert_cmpuint(parsing.in_engine, ==, 1);
}

static void
test_few_pages_need_none(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, GPOINTER_TO_UINT(data));
    g_assert_cmpuint(parsing.in_engine, ==, GPOINTER_TO_UINT(data));
}

static void
test_bad_record_by_threads(Fixture *fixture, gconstpointer data)
{
    CfInventoryStats stats;

    g_hash_table_replace(cloud.servers, g_strdup("id-0042"), g_strdup("{\"name\":\"x\"}"));
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, GPOINTER_TO_UINT(data) - 1);
    g_assert_false(has(fixture, "id-0042"));
    g_assert_true(has(fixture, "id-0041"));
    g_assert_true(has(fixture, "id-0043"));
    cf_inventory_get_stats(fixture->inventory, &stats);
    g_assert_cmpuint(stats.parsed[CF_SERVERS], ==, GPOINTER_TO_UINT(data));
}

/* What is listed twice is there once, as the newer page has it, whichever is parsed first. */
static void
test_twice_by_threads(Fixture *fixture, gconstpointer data)
{
    g_autofree char *state = NULL;

    g_hash_table_replace(cloud.servers, g_strdup("id-0090"),
                         g_strdup("{\"id\":\"id-0003\",\"name\":\"n\",\"status\":\"stopped\"}"));
    cloud.total_lie = -1;
    if (g_get_num_processors() > 1) {
        parsing.others = 60;
        parsing.slow = "id-0000"; /* of the page that has the older one */
    }
    g_assert_cmpint(refresh(fixture), ==, -1);
    g_assert_cmpuint(count(fixture), ==, GPOINTER_TO_UINT(data) - 1);
    state = state_of(fixture, "id-0003");
    g_assert_cmpstr(state, ==, "stopped");
}

static gpointer
let_go(gpointer data)
{
    g_mutex_lock(&parsing.lock);
    parsing.slow = NULL;
    g_cond_broadcast(&parsing.changed);
    g_mutex_unlock(&parsing.lock);
    return NULL;
}

/* A refresh whose first page is with a thread until somebody lets go. */
static void
begin_and_hold(Fixture *fixture, Verdict *verdict)
{
    gint64 until_us = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

    parsing.others = G_MAXUINT;
    parsing.slow = "id-0001";
    cf_inventory_refresh(fixture->inventory, CF_SERVERS, on_done, verdict);
    g_mutex_lock(&parsing.lock);
    while (parsing.parses < 2)
        g_assert_true(g_cond_wait_until(&parsing.changed, &parsing.lock, until_us));
    g_mutex_unlock(&parsing.lock);
}

static void
test_closed_while_threads_read(Fixture *fixture, gconstpointer data)
{
    Verdict verdict = {0};
    GThread *opener;

    begin_and_hold(fixture, &verdict);
    opener = g_thread_new("opener", let_go, NULL);
    cf_inventory_close(fixture->inventory);
    await(&verdict); /* it may just have come to its end */
    g_thread_join(opener);
}

/* One page fails while others are with the threads. */
static void
test_failed_while_threads_read(Fixture *fixture, gconstpointer data)
{
    Verdict verdict = {0};
    GThread *opener;

    begin_and_hold(fixture, &verdict);
    g_atomic_int_set(&cloud.fail, CF_ERROR_REMOTE);
    opener = g_thread_new("opener", let_go, NULL);
    g_assert_cmpint(await(&verdict), ==, CF_ERROR_REMOTE);
    g_thread_join(opener);
    g_assert_null(cf_inventory_ref_snapshot(fixture->inventory, CF_SERVERS));
    g_atomic_int_set(&cloud.fail, CF_ERROR_N);
    g_assert_cmpint(refresh(fixture), ==, -1);
    assert_in_order(fixture, GPOINTER_TO_UINT(data));
}

#define ADD_BY_MARKER(path, n, function)                                                           \
    g_test_add("/refresh/by-marker/" path, Fixture, GUINT_TO_POINTER(n), set_up_by_marker,         \
               function, tear_down)
#define ADD(path, n, function)                                                                     \
    g_test_add("/refresh/" path, Fixture, GUINT_TO_POINTER(n), set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("pages-of-a-listing", 95, test_pages);
    ADD("no-page-behind-the-last", 30, test_exact_pages);
    ADD("unchanged-is-neither-parsed-nor-published", 95, test_unchanged);
    ADD("known-when-it-is-checked", 95, test_known);
    ADD("turned-round", 399, test_turned_round);
    ADD("turned-round-without-help", 400, test_turned_round);
    ADD("followed-while-texts-are-looked-up", 400, test_followed_meanwhile);
    ADD("read-in-another-way", 95, test_read_in_another_way);
    ADD("read-in-another-way-from-the-middle-on", 95, test_read_in_another_way_meanwhile);
    ADD("pages-change-places", 95, test_pages_change_places);
    ADD("a-page-comes-twice", 95, test_page_comes_twice);
    ADD("the-end-is-gone", 95, test_end_is_gone);
    ADD("back-in-the-list", 95, test_back_in_the_list);
    ADD("known-twice", PAGE, test_known_twice);
    ADD("known-and-spoilt", PAGE, test_known_and_spoilt);
    ADD("only-what-changed-is-parsed", 95, test_changed);
    ADD("gone-is-confirmed-by-show", 95, test_gone_is_confirmed);
    ADD("missing-in-the-list-but-there", 95, test_missing_but_there);
    ADD("two-listings-agree", 95, test_missing_and_no_second_look);
    ADD("many-gone-by-a-second-listing", 95, test_many_gone);
    ADD("many-left-out-are-there", 95, test_many_left_out);
    ADD("incomplete-listing-removes-nothing", 95, test_partial);
    ADD("a-total-that-is-wrong", 95, test_total_lies);
    ADD("empty-needs-confirmation", 15, test_empty_is_confirmed);
    ADD("a-great-disappearance-is-sampled", 95, test_all_gone_is_sampled);
    ADD("failure-keeps-the-snapshot", 95, test_failure_keeps);
    ADD("never-fetched-fails-with-its-error", 95, test_never_fetched_fails);
    ADD("a-listing-has-its-age-with-its-version", 95, test_age_comes_with_its_version);
    ADD("a-look-that-comes-late-asks-for-nothing", 95, test_late_look_asks_nothing);
    ADD("readers-share-one-flight", 95, test_one_flight);
    ADD("a-handle-names-one-resource-for-ever", 20, test_handles);
    ADD("pending-is-shown-until-the-cloud-agrees", 20, test_pending);
    ADD("already-so-sends-nothing", 20, test_already_so);
    ADD("an-address-expires", 20, test_console_expires);
    ADD("first-by-threads", 195, test_first_by_threads);
    ADD("first-by-threads-of-many-pages", 990, test_first_by_threads);
    ADD("one-page-needs-no-threads", PAGE, test_few_pages_need_none);
    ADD("few-pages-need-no-threads", 95, test_few_pages_need_none);
    ADD("a-bad-record-by-threads", 195, test_bad_record_by_threads);
    ADD("twice-by-threads", 195, test_twice_by_threads);
    ADD("closed-while-threads-read", 195, test_closed_while_threads_read);
    ADD("failed-while-threads-read", 990, test_failed_while_threads_read);
    ADD_BY_MARKER("first-in-turn-then-side-by-side", 95, test_walk);
    ADD_BY_MARKER("full-pages", 30, test_walk_full_pages);
    ADD_BY_MARKER("what-came-and-went", 95, test_walk_changes);
    ADD_BY_MARKER("changes-only", 30, test_changes);
    ADD_BY_MARKER("changes-by-date", 30, test_changes_by_date);
    ADD_BY_MARKER("gives-up-when-no-marker-is-known", 95, test_walk_never_ends);
    ADD_BY_MARKER("gives-up-when-pages-lead-back", 95, test_walk_in_a_circle);
    return g_test_run();
}
