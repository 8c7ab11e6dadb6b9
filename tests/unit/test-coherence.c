/* Readers against new versions: what the kernel is told, and what it may keep, however the two fall
 * together. The interleavings are forced: a reader looks in the middle of a publication, a version
 * is published in the middle of a look. */
#include <string.h>

#include "inventory/private.h"
#include "tree/node.h"
#include "util/clock.h"
#include "util/error.h"

#define HOUR (3600 * (gint64) G_USEC_PER_SEC)

/* The cloud: one server, its status is changed between listings. */
static const char *status;
static guint lists;
static GMainContext *context;

/* ---- the provider ---- */

typedef struct {
    CfPageCallback callback;
    gpointer data;
    gint64 requested_us;
    gboolean empty;
} Call;

static gboolean
answer_page(gpointer data)
{
    g_autofree Call *call = data;
    g_autofree char *text =
        g_strdup_printf("{\"id\":\"s1\",\"name\":\"web\",\"status\":\"%s\"}", status);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    CfJsonSpan span = {g_bytes_get_data(body, NULL), strlen(text)};
    CfPage page = {.body = body,
                   .records = records,
                   .total = !call->empty,
                   .requested_us = call->requested_us,
                   .last = TRUE};

    if (!call->empty)
        g_array_append_val(records, span);
    call->callback(&page, NULL, call->data);
    return G_SOURCE_REMOVE;
}

static void
fake_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
          gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    g_autoptr(GSource) source = g_idle_source_new();
    Call *call = g_new(Call, 1);

    lists++;
    *call = (Call){callback, data, cf_clock_mono_us(), collection == CF_IMAGES};
    g_source_set_callback(source, answer_page, call, NULL);
    g_source_attach(source, context);
}

static CfRecord *
fake_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    g_auto(CfRecordBuilder) builder;

    cf_record_builder_init(&builder, collection);
    cf_record_builder_set(&builder, CF_SERVER_ID, "s1");
    cf_record_builder_set(&builder, CF_SERVER_NAME, "web");
    cf_record_builder_set(&builder, CF_SERVER_STATUS, status);
    cf_record_builder_set(&builder, CF_SERVER_STATE, status);
    builder.settled = TRUE;
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

static void
fake_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
          CfRecordCallback callback, gpointer data)
{
    g_assert_not_reached();
}

static void
fake_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
         gpointer data)
{
    g_assert_not_reached();
}

static gpointer
fake_open(const CfProviderEnv *env, GError **error)
{
    context = env->context;
    return &context;
}

static void
fake_close(gpointer handle)
{
}

static guint
fake_page_size(gpointer handle, CfCollection collection)
{
    return 100;
}

static const char *
fake_fact(gpointer handle)
{
    return "fake";
}

/* Somebody is walking the record's keys: what happens meanwhile. */
static void (*meanwhile)(void);

static gboolean
fake_is_secret(const char *key)
{
    void (*once)(void) = meanwhile;

    meanwhile = NULL;
    if (once)
        once();
    return FALSE;
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
    .list = fake_list,
    .get_page_size = fake_page_size,
    .parse = fake_parse,
    .show = fake_show,
    .act = fake_act,
    .is_secret = fake_is_secret,
};

static const char *
no_key(gpointer config, const char *key)
{
    return NULL;
}

/* ---- the fixture ---- */

static struct {
    CfHttp *http;
    CfInventory *inventory;
    CfTree *tree;
    CfInventoryHooks hooks; /* the tree's */
    GMutex lock;            /* protects what follows */
    GCond cond;
    GArray *told; /* (element-type CfIno) inodes whose attributes the kernel was told to drop */
    GPtrArray *entries; /* "inode/name" of entries that it was told to drop */
    gboolean done;
} all;

static void
on_inode(CfIno ino, gint64 offset, gint64 length, gpointer data)
{
    g_mutex_lock(&all.lock);
    g_array_append_val(all.told, ino);
    g_mutex_unlock(&all.lock);
}

static void
on_entry(CfIno parent, const char *name, gpointer data)
{
    g_mutex_lock(&all.lock);
    g_ptr_array_add(all.entries, g_strdup_printf("%" G_GUINT64_FORMAT "/%s", parent, name));
    g_mutex_unlock(&all.lock);
}

static void
on_deleted(CfIno parent, CfIno child, const char *name, gpointer data)
{
    on_entry(parent, name, data);
}

static gboolean
was_told(CfIno ino)
{
    gboolean found = FALSE;

    g_mutex_lock(&all.lock);
    for (guint i = 0; i < all.told->len; i++)
        found |= g_array_index(all.told, CfIno, i) == ino;
    g_mutex_unlock(&all.lock);
    return found;
}

static gboolean
was_told_entry(CfIno parent, const char *name)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "/%s", parent, name);
    gboolean found;

    g_mutex_lock(&all.lock);
    found = g_ptr_array_find_with_equal_func(all.entries, text, g_str_equal, NULL);
    g_mutex_unlock(&all.lock);
    return found;
}

static void
on_done(const GError *error, gpointer data)
{
    g_assert_no_error(error);
    g_mutex_lock(&all.lock);
    all.done = TRUE;
    g_cond_signal(&all.cond);
    g_mutex_unlock(&all.lock);
}

/* The servers are fetched. Not in the engine's thread. */
static void
refresh(void)
{
    gint64 until = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

    g_mutex_lock(&all.lock);
    all.done = FALSE;
    g_mutex_unlock(&all.lock);
    cf_inventory_refresh(all.inventory, CF_SERVERS, on_done, NULL);
    g_mutex_lock(&all.lock);
    while (!all.done)
        g_assert_true(g_cond_wait_until(&all.cond, &all.lock, until));
    g_mutex_unlock(&all.lock);
}

static void
set_up(gint64 ttl_us)
{
    static const CfTreeSink sink = {on_inode, on_entry, on_deleted, NULL};
    CfChannelOptions channel = {.connections = 4};
    CfInventoryOptions options = {.ttl_us = ttl_us,
                                  .max_stale_us = 2 * HOUR,
                                  .patience_us = 5 * G_USEC_PER_SEC,
                                  .deadline_us = 20 * G_USEC_PER_SEC};
    CfTreeOptions tree = {.version = "0"};
    g_autoptr(GError) error = NULL;

    status = "running";
    lists = 0;
    all.http = cf_http_new(&error);
    g_assert_no_error(error);
    all.inventory =
        cf_inventory_new("p", &fake, all.http, &channel, &options, 0, no_key, NULL, &error);
    g_assert_no_error(error);
    all.tree = cf_tree_new(&tree);
    cf_tree_add_profile(all.tree, all.inventory);
    cf_tree_set_sink(all.tree, &sink);
    all.hooks = all.inventory->hooks;
    all.told = g_array_new(FALSE, FALSE, sizeof(CfIno));
    all.entries = g_ptr_array_new_with_free_func(g_free);
}

static void
tear_down(void)
{
    cf_inventory_free(all.inventory);
    cf_tree_free(all.tree);
    cf_http_free(all.http);
    g_array_unref(all.told);
    g_ptr_array_unref(all.entries);
}

/* ---- the reader ---- */

static CfIno
static_ino(guint sub)
{
    return cf_node_pack((CfNode){.kind = CF_KIND_STATIC, .profile = 1, .sub = sub});
}

static CfEntry
look_up(CfIno parent, const char *name)
{
    g_autoptr(GError) error = NULL;
    CfEntry entry;
    CfNeed need = {0};

    g_assert_cmpint(cf_tree_lookup(all.tree, parent, name, FALSE, &entry, &need, &error), ==,
                    CF_DONE);
    g_assert_no_error(error);
    return entry;
}

/* Everything is looked at for the first time between the making of a version and its publishing. */
static CfEntry seen_state, seen_link;
static CfIno seen_value;

static gpointer
look_in_between(CfInventory *inventory, CfSnapshot *before, CfSnapshot *after,
                const CfChange *changes, guint n, gpointer data)
{
    gpointer prepared = all.hooks.prepare(inventory, before, after, changes, n, all.hooks.data);
    CfIno server = look_up(static_ino(CF_STATIC_BY_ID), "s1").attr.ino;
    CfIno servers = look_up(static_ino(CF_STATIC_PROFILE), "servers").attr.ino;
    CfIno by_state = look_up(servers, "by-state").attr.ino;

    seen_state = look_up(server, "state");
    seen_value = look_up(by_state, "running").attr.ino;
    seen_link = look_up(seen_value, "web");
    return prepared;
}

static void
test_first_look_in_publication(void)
{
    CfInventoryHooks hooks;

    set_up(HOUR);
    refresh();
    hooks = all.hooks;
    hooks.prepare = look_in_between;
    cf_inventory_set_hooks(all.inventory, &hooks);
    status = "stopped";
    refresh();
    cf_inventory_set_hooks(all.inventory, &all.hooks);
    /* It was the old version, and the kernel believes it: it must be told. */
    g_assert_cmpuint(seen_state.attr.size, ==, strlen("running\n"));
    g_assert_cmpint(seen_state.attr.attr_timeout_us, >, 0);
    g_assert_true(was_told(seen_state.attr.ino));
    g_assert_cmpuint(seen_link.attr.ino, !=, 0);
    g_assert_true(was_told_entry(seen_value, "web"));
    g_assert_true(was_told(seen_value));
    tear_down();
}

/* A version comes while the answer is made of the one before. The kernel may have been told by
 * then, and have known nothing of what it is told now. */
static void
test_publication_in_look(void)
{
    CfIno server, raw;
    CfEntry entry;

    set_up(HOUR);
    refresh();
    server = look_up(static_ino(CF_STATIC_BY_ID), "s1").attr.ino;
    raw = look_up(server, "raw").attr.ino;
    status = "stopped";
    meanwhile = refresh;
    entry = look_up(raw, "status");
    g_assert_null(meanwhile);
    g_assert_cmpuint(entry.attr.size, ==, strlen("running\n"));
    g_assert_cmpint(entry.attr.attr_timeout_us, ==, 0);
    g_assert_cmpint(entry.entry_timeout_us, ==, 0);
    entry = look_up(raw, "status");
    g_assert_cmpuint(entry.attr.size, ==, strlen("stopped\n"));
    g_assert_cmpint(entry.attr.attr_timeout_us, >, 0);
    g_assert_cmpint(entry.entry_timeout_us, >, 0);
    tear_down();
}

/* Who is woken by what the kernel is told looks into the events. */
static gsize size_at_commit;

static void
measure_events(CfInventory *inventory, CfCollection collection, gpointer prepared, gpointer data)
{
    CfAppend *events = cf_inventory_get_events(inventory);
    gint64 mtime_ns;

    cf_append_stat(events, cf_append_get_number(events), &size_at_commit, &mtime_ns);
    all.hooks.commit(inventory, collection, prepared, all.hooks.data);
}

static void
test_events_come_first(void)
{
    CfInventoryHooks hooks;
    gsize size, size_before;
    gint64 mtime_ns;
    CfAppend *events;

    set_up(HOUR);
    refresh();
    events = cf_inventory_get_events(all.inventory);
    g_assert_true(cf_append_stat(events, cf_append_get_number(events), &size_before, &mtime_ns));
    hooks = all.hooks;
    hooks.commit = measure_events;
    cf_inventory_set_hooks(all.inventory, &hooks);
    status = "stopped";
    refresh();
    cf_inventory_set_hooks(all.inventory, &all.hooks);
    g_assert_true(cf_append_stat(events, cf_append_get_number(events), &size, &mtime_ns));
    g_assert_cmpuint(size, >, size_before);
    g_assert_cmpuint(size_at_commit, ==, size);
    tear_down();
}

static gboolean
nothing(gpointer data)
{
    return G_SOURCE_REMOVE;
}

/* Who has waited gets what there is, however old it is by now, and asks for no more. */
static void
test_second_look_asks_nothing(void)
{
    g_autoptr(GError) error = NULL;
    CfEntry entry;
    CfNeed need = {0};

    set_up(0); /* everything is too old at once */
    refresh();
    g_assert_cmpuint(lists, ==, 1);
    g_assert_cmpint(cf_tree_lookup(all.tree, static_ino(CF_STATIC_PROFILE), "servers", TRUE, &entry,
                                   &need, &error),
                    ==, CF_DONE);
    cf_http_invoke_wait(all.http, nothing, NULL);
    g_assert_cmpuint(lists, ==, 1);
    tear_down();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/coherence/first-look-in-a-publication", test_first_look_in_publication);
    g_test_add_func("/coherence/publication-in-a-look", test_publication_in_look);
    g_test_add_func("/coherence/events-come-before-it", test_events_come_first);
    g_test_add_func("/coherence/second-look-asks-nothing", test_second_look_asks_nothing);
    return g_test_run();
}
