/* Orders over a cloud in memory that has no hard reboot of its own, begins jobs, and takes tags:
 * what is sent in which order, what is shown meanwhile, what a daemon that is gone leaves behind.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inventory/inventory.h"
#include "test-verdict.h"
#include "util/clock.h"
#include "util/error.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

/* The cloud. Behind its lock. */
typedef struct {
    GMutex lock;
    GHashTable *records[CF_COLLECTION_N]; /* id → text */
    GPtrArray *acts;                      /* (element-type utf8) "off hard i-1" */
    GPtrArray *tag_calls;                 /* (element-type utf8) "a,b -> b,c" */
    CfErrorCode refuse[CF_VERB_N];        /* CF_ERROR_N: accepted */
    guint refusals[CF_VERB_N];            /* how many more times */
    gboolean jobs;                        /* actions begin jobs */
    guint job_calls, jobs_asked, jobs_asked_max;
    gboolean jobs_over, jobs_fail, jobs_mute;
    gboolean hold;    /* show calls are not answered yet */
    gboolean dry_run; /* what is asked for is told instead of done, as by a channel */
} Cloud;

static Cloud cloud;
static GMainContext *context;
static GHashTable *under_way; /* (element-type GSource): what will be answered; the engine's */
static gint n_open;           /* inventories: some tests have two; atomic */

typedef struct {
    GSource *source;
    CfCollection collection;
    char *id;
    CfAction *action;
    CfPageCallback on_page;
    CfRecordCallback on_record;
    CfActionCallback on_action;
    CfJobCallback on_job;
    gpointer data;
    gint64 requested_us;
} Call;

static void
call_free(gpointer data)
{
    Call *call = data;

    g_hash_table_remove(under_way, call->source);
    g_free(call->id);
    cf_action_unref(call->action);
    g_free(call);
}

static Call *
later(GSourceFunc function, guint delay_ms, gpointer data)
{
    Call *call = g_new0(Call, 1);
    GSource *source = g_timeout_source_new(delay_ms);

    call->source = source;
    call->data = data;
    call->requested_us = cf_clock_mono_us();
    g_hash_table_add(under_way, source);
    g_source_set_callback(source, function, call, call_free); /* also when nobody answers */
    g_source_attach(source, context);
    g_source_unref(source);
    return call;
}

static CfRecord *
fake_parse(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error)
{
    g_auto(CfRecordBuilder) builder;
    guint tags_field = collection == CF_SERVERS ? (guint) CF_SERVER_TAGS : (guint) CF_IMAGE_TAGS;
    static const struct {
        const char *key;
        guint field;
    } fields[] = {{"id", CF_FIELD_ID},
                  {"name", CF_FIELD_NAME},
                  {"status", CF_FIELD_STATUS},
                  {"status", CF_FIELD_STATE}};
    CfJsonSpan value;

    cf_record_builder_init(&builder, collection);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        if (cf_json_get(text, fields[i].key, FALSE, &value)) {
            g_autofree char *word = cf_json_scalar(value);

            cf_record_builder_set(&builder, fields[i].field, word);
        }
    if (cf_json_get(text, "tags", FALSE, &value)) {
        g_autofree char *joined = cf_json_scalar(value);
        g_auto(GStrv) tags = g_strsplit(joined, ",", -1);

        cf_record_builder_touch(&builder, tags_field);
        for (guint i = 0; tags[i]; i++)
            cf_record_builder_add(&builder, tags_field, tags[i]);
        cf_record_builder_sort(&builder, tags_field);
    }
    builder.settled = !cf_json_get(text, "busy", FALSE, &value);
    builder.can = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_TAGS);
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

static gboolean
answer_page(gpointer data)
{
    Call *call = data;
    CfPage page = {.last = TRUE, .requested_us = call->requested_us};
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    GString *body = g_string_new(NULL);
    gsize offset = 0;
    GHashTableIter iter;
    gpointer text;

    g_mutex_lock(&cloud.lock);
    g_hash_table_iter_init(&iter, cloud.records[call->collection]);
    while (g_hash_table_iter_next(&iter, NULL, &text)) {
        CfJsonSpan span = {NULL, strlen(text)};

        g_string_append(body, text);
        g_array_append_val(records, span);
    }
    g_mutex_unlock(&cloud.lock);
    page.body = g_string_free_to_bytes(body);
    for (guint i = 0; i < records->len; i++) {
        CfJsonSpan *span = &g_array_index(records, CfJsonSpan, i);

        span->text = (const char *) g_bytes_get_data(page.body, NULL) + offset;
        offset += span->len;
    }
    page.total = records->len;
    page.records = records;
    call->on_page(&page, NULL, call->data);
    g_bytes_unref(page.body);
    return G_SOURCE_REMOVE;
}

static void
fake_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
          gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    Call *call = later(answer_page, 0, data);

    call->collection = collection;
    call->on_page = callback;
}

static gboolean
answer_show(gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = NULL;
    g_autofree char *text = NULL;
    gboolean hold;

    g_mutex_lock(&cloud.lock);
    hold = cloud.hold;
    text = g_strdup(g_hash_table_lookup(cloud.records[call->collection], call->id));
    g_mutex_unlock(&cloud.lock);
    if (hold)
        return G_SOURCE_CONTINUE;
    if (text)
        record = fake_parse(NULL, call->collection, (CfJsonSpan){text, strlen(text)}, &error);
    else
        g_set_error(&error, CF_ERROR, CF_ERROR_NOT_FOUND, "there is no such thing");
    call->on_record(record, call->requested_us, error, call->data);
    return G_SOURCE_REMOVE;
}

static void
fake_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
          CfRecordCallback callback, gpointer data)
{
    Call *call = later(answer_show, 1, data);

    call->collection = collection;
    call->id = g_strdup(id);
    call->on_record = callback;
}

static GError *
refusal(CfVerb verb)
{
    CfCloudWords words = {
        .http_status = 200, .code = (char *) "5200", .message = (char *) "no room here"};
    GError *error = NULL;

    if (cloud.refuse[verb] == CF_ERROR_N || cloud.refusals[verb] == 0)
        return NULL;
    cloud.refusals[verb]--;
    cf_error_set_cloud(&error, cloud.refuse[verb], &words, "refused");
    return error;
}

static gboolean
answer_act(gpointer data)
{
    Call *call = data;
    CfActionResult result = {.http_status = 200, .method_path = (char *) "Do", .job_id = NULL};
    g_autoptr(GError) error = NULL;
    static guint jobs;
    g_autofree char *job = g_strdup_printf("j-%u", ++jobs);

    g_mutex_lock(&cloud.lock);
    if (call->action->kind == CF_ACTION_POWER)
        error = refusal(call->action->verb);
    if (cloud.dry_run)
        g_set_error(&error, CF_ERROR, CF_ERROR_DRY_RUN, "Do\n{\"verb\":\"%s\"}",
                    cf_verb_to_string(call->action->verb));
    if (cloud.jobs)
        result.job_id = job;
    g_mutex_unlock(&cloud.lock);
    if (call->action->kind == CF_ACTION_CONSOLE) {
        result.console_url = (char *) "https://console.example/?token=fake";
        result.console_life_s = 1;
    }
    call->on_action(&result, error, call->data);
    return G_SOURCE_REMOVE;
}

static void
fake_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
         gpointer data)
{
    Call *call = later(answer_act, 0, data);

    call->on_action = callback;
    call->action = cf_action_ref(action);
    g_mutex_lock(&cloud.lock);
    if (cloud.dry_run) {
        /* nothing is done */
    } else if (action->kind == CF_ACTION_POWER) {
        g_ptr_array_add(cloud.acts,
                        g_strdup_printf("%s %s", cf_verb_to_string(action->verb), action->ids[0]));
    } else if (action->kind == CF_ACTION_TAGS) {
        g_autofree char *before = g_strjoinv(",", action->tags_before);
        g_autofree char *after = g_strjoinv(",", action->tags);

        g_ptr_array_add(cloud.tag_calls, g_strdup_printf("%s -> %s", before, after));
    }
    g_mutex_unlock(&cloud.lock);
}

static gboolean
answer_job(gpointer data)
{
    Call *call = data;
    CfCloudWords words = {.http_status = 200, .message = (char *) "the disk is gone"};
    g_autoptr(GError) error = NULL;
    gboolean over;

    g_mutex_lock(&cloud.lock);
    cloud.jobs_asked--;
    over = cloud.jobs_over;
    if (over && cloud.jobs_fail)
        cf_error_set_cloud(&error, CF_ERROR_REMOTE, &words, "the job failed");
    else if (!over && cloud.jobs_mute)
        g_set_error(&error, CF_ERROR, CF_ERROR_TIMEOUT, "no answer");
    g_mutex_unlock(&cloud.lock);
    call->on_job(over, error, call->data);
    return G_SOURCE_REMOVE;
}

static void
fake_job(gpointer handle, const char *job_id, gint64 deadline_us, CfJobCallback callback,
         gpointer data)
{
    later(answer_job, 5, data)->on_job = callback;
    g_mutex_lock(&cloud.lock);
    cloud.job_calls++;
    cloud.jobs_asked++;
    cloud.jobs_asked_max = MAX(cloud.jobs_asked_max, cloud.jobs_asked);
    g_mutex_unlock(&cloud.lock);
}

static gpointer
fake_open(const CfProviderEnv *env, GError **error)
{
    context = env->context;
    if (g_atomic_int_add(&n_open, 1) == 0)
        under_way = g_hash_table_new(NULL, NULL);
    return &cloud;
}

/* With the last one nothing is answered any more. */
static void
fake_close(gpointer handle)
{
    g_autofree gpointer *sources = g_hash_table_get_keys_as_array(under_way, NULL);

    if (!g_atomic_int_dec_and_test(&n_open))
        return;
    for (guint i = 0; sources[i]; i++)
        g_source_destroy(sources[i]);
    g_clear_pointer(&under_way, g_hash_table_unref);
}

static guint
fake_page_size(gpointer handle, CfCollection collection)
{
    return 100;
}

static const char *
fake_fact(gpointer handle)
{
    return "https://cloud.example/iaas";
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
    .can = {CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_CONSOLE),
            CF_CAN(CF_ACTION_TAGS)},
    .verbs = (1u << CF_VERB_N) - 1,
    .composed = 1u << CF_VERB_REBOOT_HARD,
    .list = fake_list,
    .get_page_size = fake_page_size,
    .parse = fake_parse,
    .show = fake_show,
    .act = fake_act,
    .job = fake_job,
};

static const char *
no_key(gpointer config, const char *key)
{
    return NULL;
}

/* ---- the cloud's world ---- */

static void
put_record(CfCollection collection, const char *id, const char *members)
{
    g_mutex_lock(&cloud.lock);
    g_hash_table_replace(cloud.records[collection], g_strdup(id),
                         g_strdup_printf("{\"id\":\"%s\",\"name\":\"%s\",%s}", id, id, members));
    g_mutex_unlock(&cloud.lock);
}

static void
put_status(const char *id, const char *status)
{
    g_autofree char *members = g_strdup_printf("\"status\":\"%s\"", status);

    put_record(CF_SERVERS, id, members);
}

/* How many calls there were; what: (nullable): such calls. */
static guint
acts(const char *what)
{
    guint n = 0;

    g_mutex_lock(&cloud.lock);
    for (guint i = 0; i < cloud.acts->len; i++)
        n += !what || strcmp(cloud.acts->pdata[i], what) == 0;
    g_mutex_unlock(&cloud.lock);
    return n;
}

static char *
all_acts(void)
{
    GString *all = g_string_new(NULL);

    g_mutex_lock(&cloud.lock);
    for (guint i = 0; i < cloud.acts->len; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", (char *) cloud.acts->pdata[i]);
    g_mutex_unlock(&cloud.lock);
    return g_string_free(all, FALSE);
}

static guint
job_calls(void)
{
    guint n;

    g_mutex_lock(&cloud.lock);
    n = cloud.job_calls;
    g_mutex_unlock(&cloud.lock);
    return n;
}

#define assert_acts(expected)                                                                      \
    do {                                                                                           \
        g_autofree char *acts_ = all_acts();                                                       \
        g_assert_cmpstr(acts_, ==, expected);                                                      \
    } while (0)

static void
refuse(CfVerb verb, CfErrorCode code, guint times)
{
    g_mutex_lock(&cloud.lock);
    cloud.refuse[verb] = code;
    cloud.refusals[verb] = times;
    g_mutex_unlock(&cloud.lock);
}

/* ---- the fixture ---- */

typedef struct {
    CfHttp *http;
    CfInventory *inventory;
    char *dir, *file;
    CfInventoryOptions options;
} Fixture;

static CfInventory *
new_inventory(Fixture *fixture)
{
    CfChannelOptions channel = {.connections = 4};
    CfInventoryHooks hooks = {0};
    g_autoptr(GError) error = NULL;
    CfInventory *inventory = cf_inventory_new("p/1", &fake, fixture->http, &channel,
                                              &fixture->options, 0, no_key, NULL, &error);

    g_assert_no_error(error);
    cf_inventory_set_hooks(inventory, &hooks);
    return inventory;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    cloud = (Cloud){0};
    g_mutex_init(&cloud.lock);
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        cloud.records[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < CF_VERB_N; i++)
        cloud.refuse[i] = CF_ERROR_N;
    cloud.acts = g_ptr_array_new_with_free_func(g_free);
    cloud.tag_calls = g_ptr_array_new_with_free_func(g_free);
    put_status("i-1", "running");
    put_status("i-2", "running");

    fixture->dir = g_dir_make_tmp("cirrusfs-compose-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->options = (CfInventoryOptions){.ttl_us = 3600 * SECOND,
                                            .max_stale_us = 7200 * SECOND,
                                            .patience_us = 5 * SECOND,
                                            .deadline_us = 20 * SECOND,
                                            .tags_ttl_us = 600 * SECOND};
    fixture->file = g_build_filename(fixture->dir, "state", "p%2F1.composed", NULL);
    g_free(g_steal_pointer(&fixture->dir));
    fixture->dir = g_path_get_dirname(fixture->file);
    fixture->options.state_dir = fixture->dir;
    fixture->http = cf_http_new(&error);
    g_assert_no_error(error);
    fixture->inventory = new_inventory(fixture);
}

static void
remove_files(const char *dir)
{
    g_autoptr(GDir) open = g_dir_open(dir, 0, NULL);
    const char *name;

    while (open && (name = g_dir_read_name(open))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_unlink(path);
    }
    g_rmdir(dir);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *parent = g_path_get_dirname(fixture->dir);

    cf_inventory_free(fixture->inventory);
    cf_http_free(fixture->http);
    remove_files(fixture->dir);
    remove_files(parent);
    g_free(fixture->dir);
    g_free(fixture->file);
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        g_hash_table_unref(cloud.records[i]);
    g_ptr_array_unref(cloud.acts);
    g_ptr_array_unref(cloud.tag_calls);
    g_mutex_clear(&cloud.lock);
}

static void
refresh(CfInventory *inventory, CfCollection collection)
{
    Verdict verdict = {0};

    cf_inventory_refresh(inventory, collection, on_done, &verdict);
    g_assert_cmpint(await(&verdict), ==, -1);
}

static void
begin_power(CfInventory *inventory, const char *id, CfVerb verb, Verdict *verdict)
{
    CfAction *action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, id);
    CfOrder *order = cf_order_new(action);

    action->verb = verb;
    order->value = g_strdup(cf_verb_to_string(verb));
    order->actor.uid = 1234;
    order->actor.command = g_strdup("ba\nsh");
    order->deadline_us = cf_clock_mono_us() + 20 * SECOND;
    cf_inventory_act(inventory, order, on_done, verdict);
}

static int
power(CfInventory *inventory, const char *id, CfVerb verb)
{
    Verdict verdict = {0};

    begin_power(inventory, id, verb, &verdict);
    return await(&verdict);
}

static int
ask_console(CfInventory *inventory, const char *id)
{
    CfAction *action = cf_action_new(CF_ACTION_CONSOLE, CF_SERVERS, id);
    CfOrder *order = cf_order_new(action);
    Verdict verdict = {0};

    action->text = g_strdup("novnc");
    order->deadline_us = cf_clock_mono_us() + 20 * SECOND;
    cf_inventory_act(inventory, order, on_done, &verdict);
    return await(&verdict);
}

/* Returns: (transfer full) (nullable). */
static char *
field_of(CfInventory *inventory, CfCollection collection, const char *id, guint field)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(inventory, collection);
    CfResource *resource = snapshot ? cf_snapshot_find(snapshot, id) : NULL;

    return resource ? g_strdup(cf_resource_get(resource, field)) : NULL;
}

static char *
last_error_of(CfInventory *inventory, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(inventory, CF_SERVERS);
    CfResource *resource = snapshot ? cf_snapshot_find(snapshot, id) : NULL;

    return g_strdup(resource && resource->local && resource->local->last_error
                        ? resource->local->last_error
                        : "");
}

static gboolean
has_console(CfInventory *inventory, const char *id)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(inventory, CF_SERVERS);
    CfResource *resource = snapshot ? cf_snapshot_find(snapshot, id) : NULL;

    return resource && resource->local && resource->local->console_url;
}

/* Polls: the condition may use what is in scope. */
#define wait_for(condition)                                                                        \
    do {                                                                                           \
        gint64 until_ = g_get_monotonic_time() + 60 * SECOND;                                      \
        while (!(condition)) {                                                                     \
            g_assert_cmpint(g_get_monotonic_time(), <, until_);                                    \
            g_usleep(2000);                                                                        \
        }                                                                                          \
    } while (0)

static gboolean
is_state(CfInventory *inventory, const char *id, const char *state)
{
    g_autofree char *present = field_of(inventory, CF_SERVERS, id, CF_FIELD_STATE);

    return g_strcmp0(present, state) == 0;
}

static gboolean
health_has(CfInventory *inventory, const char *text)
{
    g_autofree char *health = cf_inventory_dup_health(inventory, NULL);

    return strstr(health, text) != NULL;
}

static gboolean
error_has(CfInventory *inventory, const char *id, const char *text)
{
    g_autofree char *error = last_error_of(inventory, id);

    return strstr(error, text) != NULL;
}

static gboolean
file_has(Fixture *fixture, const char *text)
{
    g_autofree char *content = NULL;

    return g_file_get_contents(fixture->file, &content, NULL, NULL) && strstr(content, text);
}

static gboolean
file_is_there(Fixture *fixture)
{
    return g_file_test(fixture->file, G_FILE_TEST_EXISTS);
}

static gboolean
append_has(CfAppend *append, const char *text)
{
    g_autoptr(GBytes) bytes = cf_append_read(append, 1, 0, G_MAXUINT);
    g_autofree char *all = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

    return strstr(all, text) != NULL;
}

/* What a daemon that was killed has left. */
static void
leave_file(Fixture *fixture, const char *step, gint64 age_us, const char *more)
{
    g_autofree char *text = g_strdup_printf(
        "[composed 1]\nowner=77\nendpoint=https:%%2F%%2Fcloud.example%%2Fiaas\n"
        "region=https:%%2F%%2Fcloud.example%%2Fiaas\nserver=i-1\naction=reboot hard\nstep=%s\n"
        "since_us=%" G_GINT64_FORMAT "\nuid=1234\npid=5\ncommand=bash\npath=p\n%s\n",
        step, g_get_real_time() - age_us, more);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(fixture->dir, 0700), ==, 0);
    g_file_set_contents(fixture->file, text, -1, &error);
    g_assert_no_error(error);
}

/* ---- a console's URL ---- */

/* Contract section 2: it can be read until it expires. The cloud says when: here after a second. */
static void
test_console_expires(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;
    gint64 asked_us;

    refresh(inventory, CF_SERVERS);
    g_assert_false(has_console(inventory, "i-1"));
    asked_us = g_get_monotonic_time();
    g_assert_cmpint(ask_console(inventory, "i-1"), ==, -1);
    g_assert_true(has_console(inventory, "i-1") || g_get_monotonic_time() - asked_us >= SECOND);
    wait_for(!has_console(inventory, "i-1"));
    g_assert_cmpint(g_get_monotonic_time() - asked_us, >=, SECOND - SECOND / 100);
}

/* ---- a composed action ---- */

static void
test_whole(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;
    g_autofree char *task = NULL;
    struct stat status;

    refresh(inventory, CF_SERVERS);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, -1);
    assert_acts("off hard i-1");
    g_assert_true(is_state(inventory, "i-1", "rebooting"));
    g_assert_true(is_state(inventory, "i-2", "running"));
    task = field_of(inventory, CF_SERVERS, "i-1", CF_SERVER_TASK);
    g_assert_cmpstr(task, ==, "reboot hard: stopping");
    wait_for(file_has(fixture, "step=wait"));
    g_assert_cmpint(stat(fixture->file, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(fixture->dir, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0700);

    put_status("i-1", "stopping");
    refresh(inventory, CF_SERVERS);
    g_assert_true(is_state(inventory, "i-1", "rebooting"));
    put_record(CF_SERVERS, "i-1", "\"status\":\"stopped\",\"busy\":1"); /* not settled yet */
    refresh(inventory, CF_SERVERS);
    assert_acts("off hard i-1");
    put_status("i-1", "stopped");
    refresh(inventory, CF_SERVERS);
    wait_for(acts("on i-1") == 1);
    wait_for(file_has(fixture, "step=up"));
    g_assert_true(is_state(inventory, "i-1", "rebooting"));
    g_free(task);
    task = field_of(inventory, CF_SERVERS, "i-1", CF_SERVER_TASK);
    g_assert_cmpstr(task, ==, "reboot hard: starting");
    refresh(inventory, CF_SERVERS); /* the cloud still says stopped */
    put_status("i-1", "starting");
    refresh(inventory, CF_SERVERS);
    g_assert_true(is_state(inventory, "i-1", "rebooting"));
    put_status("i-1", "running");
    refresh(inventory, CF_SERVERS);
    g_assert_true(is_state(inventory, "i-1", "running"));
    g_free(task);
    task = field_of(inventory, CF_SERVERS, "i-1", CF_SERVER_TASK);
    g_assert_null(task);
    wait_for(!file_is_there(fixture));
    assert_acts("off hard i-1, on i-1");
    g_assert_true(append_has(cf_inventory_get_journal(inventory), "\"uid\":1234"));
}

static void
test_follows_by_itself(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    put_status("i-1", "stopped");
    wait_for(acts("on i-1") == 1);
    put_status("i-1", "running");
    wait_for(is_state(inventory, "i-1", "running"));
    wait_for(!file_is_there(fixture));
    assert_acts("off hard i-1, on i-1");
}

static void
test_first_call_refused(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    refuse(CF_VERB_OFF_HARD, CF_ERROR_DENIED, 1);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, CF_ERROR_DENIED);
    g_assert_true(error_has(inventory, "i-1", "5200: no room here"));
    g_assert_true(is_state(inventory, "i-1", "running"));
    wait_for(!file_is_there(fixture));
    assert_acts("off hard i-1");
}

static void
test_unanswered(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    refuse(CF_VERB_OFF_HARD, CF_ERROR_TIMEOUT, 1);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, CF_ERROR_TIMEOUT);
    put_status("i-1", "stopped"); /* it had reached the cloud */
    wait_for(acts("on i-1") == 1);
    assert_acts("off hard i-1, on i-1");
}

static void
test_stopped_already(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    put_status("i-1", "stopped");
    refresh(inventory, CF_SERVERS);
    refuse(CF_VERB_OFF_HARD, CF_ERROR_BUSY, 1);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, -1);
    assert_acts("off hard i-1, on i-1");
    g_assert_true(is_state(inventory, "i-1", "starting"));
    wait_for(!file_is_there(fixture));
}

static void
test_busy(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    refuse(CF_VERB_OFF_HARD, CF_ERROR_BUSY, 1);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, CF_ERROR_BUSY);
    assert_acts("off hard i-1");
}

static void
test_start_refused(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    refuse(CF_VERB_ON, CF_ERROR_CAPACITY, 1);
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    put_status("i-1", "stopped");
    wait_for(error_has(inventory, "i-1", "stopped, not started again"));
    g_assert_true(error_has(inventory, "i-1", "5200: no room here"));
    g_assert_true(is_state(inventory, "i-1", "stopped"));
    wait_for(health_has(inventory, "server i-1: stopped, not started again: 5200: no room here"));
    wait_for(file_has(fixture, "step=left"));
    g_assert_true(append_has(cf_inventory_get_journal(inventory), "\"code\":\"5200\""));
    g_assert_true(append_has(cf_inventory_get_events(inventory), "failed: no room here"));
    assert_acts("off hard i-1, on i-1");
    /* Whoever starts it now has settled it. */
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_ON), ==, -1);
    g_assert_false(health_has(inventory, "not started"));
    wait_for(!file_is_there(fixture));
    g_assert_true(error_has(inventory, "i-1", ""));
}

static void
test_start_refused_for_now(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    refuse(CF_VERB_ON, CF_ERROR_BUSY, 1);
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    put_status("i-1", "stopped");
    wait_for(acts("on i-1") == 2);
    put_status("i-1", "running");
    wait_for(is_state(inventory, "i-1", "running"));
    assert_acts("off hard i-1, on i-1, on i-1");
}

static void
test_others_wait(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, CF_ERROR_BUSY);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_ON), ==, CF_ERROR_BUSY);
    assert_acts("off hard i-1");
    /* But who wants it off shall have it off. */
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_OFF), ==, -1);
    wait_for(!file_is_there(fixture));
    put_status("i-1", "stopped");
    refresh(inventory, CF_SERVERS);
    g_assert_true(is_state(inventory, "i-1", "stopped"));
    g_assert_cmpint(power(inventory, "i-2", CF_VERB_OFF), ==, -1);
    assert_acts("off hard i-1, off i-1, off i-2");
}

/* Who wants it off, and looks first whether it is, finds a hard reboot begun meanwhile. */
static void
test_others_look_first(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;
    Verdict off = {0};

    put_status("i-1", "stopped");
    refresh(inventory, CF_SERVERS);
    put_status("i-1", "running");
    g_mutex_lock(&cloud.lock);
    cloud.hold = TRUE;
    g_mutex_unlock(&cloud.lock);
    begin_power(inventory, "i-1", CF_VERB_OFF, &off);
    refresh(inventory, CF_SERVERS);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, -1);
    assert_acts("off hard i-1");
    g_mutex_lock(&cloud.lock);
    cloud.hold = FALSE;
    g_mutex_unlock(&cloud.lock);
    /* It shall have it off: the server is not started again. */
    g_assert_cmpint(await(&off), ==, -1);
    wait_for(!file_is_there(fixture));
    assert_acts("off hard i-1, off i-1");
}

static void
test_goes_to_error(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    put_status("i-1", "error");
    wait_for(error_has(inventory, "i-1", "went to error"));
    g_assert_true(is_state(inventory, "i-1", "error"));
    wait_for(!file_is_there(fixture));
    assert_acts("off hard i-1");
}

static void
test_no_directory(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    /* A file lies where the directory is to be. */
    g_file_set_contents(fixture->dir, "", 0, &error);
    g_assert_no_error(error);
    refresh(fixture->inventory, CF_SERVERS);
    g_assert_cmpint(power(fixture->inventory, "i-1", CF_VERB_REBOOT_HARD), ==, CF_ERROR_INTERNAL);
    g_assert_true(is_state(fixture->inventory, "i-1", "running"));
    assert_acts("");
    g_unlink(fixture->dir);
}

static void
test_dry_run(Fixture *fixture, gconstpointer data)
{
    cf_inventory_free(fixture->inventory);
    fixture->options.dry_run = cloud.dry_run = TRUE;
    fixture->inventory = new_inventory(fixture);
    refresh(fixture->inventory, CF_SERVERS);
    g_assert_cmpint(power(fixture->inventory, "i-1", CF_VERB_REBOOT_HARD), ==, -1);
    g_assert_true(is_state(fixture->inventory, "i-1", "running"));
    g_assert_true(append_has(cf_inventory_get_journal(fixture->inventory),
                             "\"call\":\"Do\",\"requests\":["
                             "{\"call\":\"Do\",\"body\":\"{\\\"verb\\\":\\\"off hard\\\"}\"},"
                             "{\"call\":\"Do\",\"body\":\"{\\\"verb\\\":\\\"on\\\"}\"}]"));
    assert_acts("");
    g_assert_false(file_is_there(fixture));
}

static gpointer
stop_it(gpointer data)
{
    put_status("i-1", "stopped");
    return NULL;
}

static void
test_finish(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;
    GThread *thread;

    refresh(inventory, CF_SERVERS);
    g_assert_true(cf_inventory_finish(inventory, cf_clock_mono_us() + 60 * SECOND));
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    g_assert_false(cf_inventory_finish(inventory, cf_clock_mono_us()));
    thread = g_thread_new("world", stop_it, NULL);
    g_assert_true(cf_inventory_finish(inventory, cf_clock_mono_us() + 60 * SECOND));
    assert_acts("off hard i-1, on i-1");
    g_thread_join(thread);
}

/* ---- what is left behind ---- */

static void
test_resume_after_crash(Fixture *fixture, gconstpointer data)
{
    refresh(fixture->inventory, CF_SERVERS);
    power(fixture->inventory, "i-1", CF_VERB_REBOOT_HARD);
    wait_for(file_has(fixture, "step=wait"));
    cf_inventory_free(fixture->inventory); /* is not asked to finish */
    put_status("i-1", "stopping");
    fixture->inventory = new_inventory(fixture);
    cf_inventory_resume(fixture->inventory);
    wait_for(is_state(fixture->inventory, "i-1", "rebooting"));
    assert_acts("off hard i-1");
    put_status("i-1", "stopped");
    wait_for(acts("on i-1") == 1);
    put_status("i-1", "running");
    wait_for(!file_is_there(fixture));
    wait_for(is_state(fixture->inventory, "i-1", "running"));
    assert_acts("off hard i-1, on i-1");
    g_assert_true(append_has(cf_inventory_get_journal(fixture->inventory), "ba\\u000ash"));
}

typedef struct {
    const char *step;
    gint64 age_s;
    const char *status; /* of the server at the next mount */
    const char *acts;   /* that follow */
    const char *error;  /* (nullable): in last_error and health */
    gboolean stays;     /* the entry does */
} Left;

static const Left lefts[] = {
    {"stop", 60, "stopped", "on i-1", NULL, FALSE},
    {"stop", 60, "running", "", NULL, FALSE},
    {"wait", 60, "stopped", "on i-1", NULL, FALSE},
    {"wait", 60, "running", "", NULL, FALSE},
    {"start", 60, "stopped", "on i-1", NULL, FALSE},
    {"start", 1, "running", "", NULL, FALSE},
    {"up", 1, "running", "", NULL, FALSE},
    {"up", 60, "stopped", "", "stopped, not started again", TRUE},
    {"wait", 2 * 24 * 3600, "stopped", "", "stopped, not started again", TRUE},
    {"wait", 2 * 24 * 3600, "running", "", NULL, FALSE},
    {"left", 60, "stopped", "", "no room here", TRUE},
    {"left", 60, "running", "", NULL, FALSE},
};

static void
test_resume(Fixture *fixture, gconstpointer data)
{
    const Left *left = data;
    CfInventory *inventory = fixture->inventory;

    put_status("i-1", left->status);
    leave_file(fixture, left->step, left->age_s * SECOND,
               strcmp(left->step, "left") == 0 ? "error=stopped, not started again: no room here"
                                               : "");
    cf_inventory_resume(inventory);
    if (*left->acts) {
        wait_for(acts(left->acts) == 1);
        put_status("i-1", "running");
    }
    if (left->error) {
        wait_for(error_has(inventory, "i-1", left->error));
        wait_for(health_has(inventory, left->error));
        wait_for(file_has(fixture, "step=left"));
        g_assert_true(is_state(inventory, "i-1", "stopped"));
    } else {
        wait_for(!file_is_there(fixture));
        wait_for(is_state(inventory, "i-1", "running"));
        g_assert_true(is_state(inventory, "i-2", "running"));
    }
    assert_acts(left->acts);
}

static void
test_resume_gone(Fixture *fixture, gconstpointer data)
{
    g_mutex_lock(&cloud.lock);
    g_hash_table_remove(cloud.records[CF_SERVERS], "i-1");
    g_mutex_unlock(&cloud.lock);
    leave_file(fixture, "wait", 60 * SECOND, "");
    cf_inventory_resume(fixture->inventory);
    wait_for(!file_is_there(fixture));
    assert_acts("");
}

static void
test_another_account(Fixture *fixture, gconstpointer data)
{
    put_status("i-1", "stopped");
    leave_file(fixture, "wait", 60 * SECOND,
               "[composed 2]\nowner=77\nendpoint=elsewhere\nserver=i-1\nstep=wait\n");
    cf_inventory_resume(fixture->inventory);
    wait_for(acts("on i-1") == 1);
    put_status("i-1", "running");
    wait_for(!file_has(fixture, "cloud.example"));
    g_assert_true(file_has(fixture, "endpoint=elsewhere"));
    assert_acts("on i-1");
}

static void
test_another_daemon(Fixture *fixture, gconstpointer data)
{
    CfInventory *other;

    refresh(fixture->inventory, CF_SERVERS);
    power(fixture->inventory, "i-1", CF_VERB_REBOOT_HARD);
    wait_for(file_has(fixture, "step=wait"));
    other = new_inventory(fixture);
    cf_inventory_resume(other);
    /* It writes its own entry beside the one that it must not take. */
    refresh(other, CF_SERVERS);
    g_assert_cmpint(power(other, "i-2", CF_VERB_REBOOT_HARD), ==, -1);
    g_assert_true(file_has(fixture, "server=i-1"));
    wait_for(file_has(fixture, "server=i-2"));
    put_status("i-1", "stopped");
    wait_for(acts("on i-1") == 1);
    put_status("i-1", "running");
    wait_for(!file_has(fixture, "server=i-1"));
    g_assert_true(file_has(fixture, "server=i-2"));
    g_assert_cmpuint(acts("on i-1"), ==, 1);
    cf_inventory_free(other);
}

static void
test_broken_file(Fixture *fixture, gconstpointer data)
{
    g_autofree char *aside = g_strconcat(fixture->file, ".broken", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(fixture->dir, 0700), ==, 0);
    g_file_set_contents(fixture->file, "\001\002 no key file\n", -1, &error);
    g_assert_no_error(error);
    cf_inventory_resume(fixture->inventory);
    wait_for(health_has(fixture->inventory, "may have been left stopped"));
    g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
    refresh(fixture->inventory, CF_SERVERS);
    g_assert_cmpint(power(fixture->inventory, "i-1", CF_VERB_REBOOT_HARD), ==, -1);
    wait_for(file_has(fixture, "step=wait"));
}

static void
test_resume_changes_nothing(Fixture *fixture, gconstpointer data)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    cf_inventory_free(fixture->inventory);
    fixture->options.dry_run = TRUE;
    fixture->inventory = new_inventory(fixture);
    put_status("i-1", "stopped");
    leave_file(fixture, "wait", 60 * SECOND, "");
    g_assert_true(g_file_get_contents(fixture->file, &before, NULL, NULL));
    cf_inventory_resume(fixture->inventory);
    wait_for(health_has(fixture->inventory, "left unfinished"));
    g_assert_true(g_file_get_contents(fixture->file, &after, NULL, NULL));
    g_assert_cmpstr(before, ==, after);
    assert_acts("");
}

/* ---- jobs ---- */

static void
test_job_failed(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    cloud.jobs = cloud.jobs_fail = TRUE;
    put_status("i-1", "stopped");
    refresh(inventory, CF_SERVERS);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_ON), ==, -1);
    g_assert_true(is_state(inventory, "i-1", "starting"));
    g_mutex_lock(&cloud.lock);
    cloud.jobs_over = TRUE;
    g_mutex_unlock(&cloud.lock);
    wait_for(error_has(inventory, "i-1", "the disk is gone"));
    g_assert_true(is_state(inventory, "i-1", "stopped"));
    g_assert_true(append_has(cf_inventory_get_journal(inventory), "\"kind\":\"job\""));
    g_assert_true(append_has(cf_inventory_get_journal(inventory), "\"uid\":1234"));
    g_assert_true(append_has(cf_inventory_get_events(inventory), "failed: the disk is gone"));
}

static void
test_job_done(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    cloud.jobs = cloud.jobs_mute = TRUE; /* the first questions are not answered */
    refresh(inventory, CF_SERVERS);
    power(inventory, "i-1", CF_VERB_OFF);
    wait_for(job_calls() >= 2);
    g_mutex_lock(&cloud.lock);
    cloud.jobs_over = TRUE;
    g_mutex_unlock(&cloud.lock);
    put_status("i-1", "stopped");
    wait_for(is_state(inventory, "i-1", "stopped"));
    g_assert_true(error_has(inventory, "i-1", ""));
    g_assert_false(append_has(cf_inventory_get_journal(inventory), "\"kind\":\"job\""));
}

static void
test_jobs_are_bounded(Fixture *fixture, gconstpointer data)
{
    cloud.jobs = TRUE;
    for (guint i = 10; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("i-%u", i);

        put_status(id, "running");
    }
    refresh(fixture->inventory, CF_SERVERS);
    for (guint i = 10; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("i-%u", i);

        power(fixture->inventory, id, CF_VERB_REBOOT);
    }
    wait_for(job_calls() >= 30);
    g_mutex_lock(&cloud.lock);
    g_assert_cmpuint(cloud.jobs_asked_max, >, 1);
    g_assert_cmpuint(cloud.jobs_asked_max, <=, 4);
    g_mutex_unlock(&cloud.lock);
}

static void
test_stop_job_failed(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    cloud.jobs = cloud.jobs_fail = cloud.jobs_over = TRUE;
    refresh(inventory, CF_SERVERS);
    g_assert_cmpint(power(inventory, "i-1", CF_VERB_REBOOT_HARD), ==, -1);
    wait_for(error_has(inventory, "i-1", "the disk is gone"));
    g_assert_false(error_has(inventory, "i-1", "not started"));
    g_assert_true(is_state(inventory, "i-1", "running"));
    wait_for(!file_is_there(fixture));
    assert_acts("off hard i-1");
}

static void
test_start_job_failed(Fixture *fixture, gconstpointer data)
{
    CfInventory *inventory = fixture->inventory;

    refresh(inventory, CF_SERVERS);
    power(inventory, "i-1", CF_VERB_REBOOT_HARD);
    g_mutex_lock(&cloud.lock);
    cloud.jobs = cloud.jobs_fail = cloud.jobs_over = TRUE;
    g_mutex_unlock(&cloud.lock);
    put_status("i-1", "stopped");
    wait_for(error_has(inventory, "i-1", "the disk is gone; stopped, not started again"));
    wait_for(health_has(inventory, "server i-1: stopped, not started again"));
    assert_acts("off hard i-1, on i-1");
    /* Started elsewhere: that is no trouble any more. */
    put_status("i-1", "running");
    refresh(inventory, CF_SERVERS);
    g_assert_false(health_has(inventory, "not started"));
}

/* ---- tags ---- */

static int
write_tags(CfInventory *inventory, CfCollection collection, const char *id, const char *shown,
           const char *tags)
{
    CfAction *action = cf_action_new(CF_ACTION_TAGS, collection, id);
    CfOrder *order = cf_order_new(action);
    Verdict verdict = {0};

    g_strfreev(action->tags);
    action->tags = g_strsplit(tags, ",", -1);
    order->add = shown == NULL;
    order->shown = g_strdup(shown);
    order->deadline_us = cf_clock_mono_us() + 20 * SECOND;
    cf_inventory_act(inventory, order, on_done, &verdict);
    return await(&verdict);
}

static const char *
last_tag_call(void)
{
    return cloud.tag_calls->len > 0 ? cloud.tag_calls->pdata[cloud.tag_calls->len - 1] : "";
}

static void
test_tags(Fixture *fixture, gconstpointer data)
{
    CfCollection collection = GPOINTER_TO_UINT(data);
    CfInventory *inventory = fixture->inventory;
    guint field = collection == CF_SERVERS ? (guint) CF_SERVER_TAGS : (guint) CF_IMAGE_TAGS;
    const char *id = "t-1";
    g_autofree char *tags = NULL;

    put_record(collection, id, "\"status\":\"available\",\"tags\":\"b,a\"");
    refresh(inventory, collection);
    g_assert_cmpint(write_tags(inventory, collection, id, "a\nb", "b,c"), ==, -1);
    g_assert_cmpstr(last_tag_call(), ==, "a,b -> b,c");
    tags = field_of(inventory, collection, id, field);
    g_assert_cmpstr(tags, ==, "b\nc");
    /* The cloud does not show it yet: what was just written is what there is. */
    g_assert_cmpint(write_tags(inventory, collection, id, "b\nc", "c"), ==, -1);
    g_assert_cmpstr(last_tag_call(), ==, "b,c -> c");
    put_record(collection, id, "\"status\":\"available\",\"tags\":\"c\"");
    refresh(inventory, collection);
    g_assert_cmpint(write_tags(inventory, collection, id, NULL, "a,c"), ==, -1);
    g_assert_cmpstr(last_tag_call(), ==, "c -> a,c");
}

static void
test_tags_changed(Fixture *fixture, gconstpointer data)
{
    CfCollection collection = GPOINTER_TO_UINT(data);
    CfInventory *inventory = fixture->inventory;
    guint field = collection == CF_SERVERS ? (guint) CF_SERVER_TAGS : (guint) CF_IMAGE_TAGS;
    g_autofree char *tags = NULL;

    put_record(collection, "t-1", "\"status\":\"available\",\"tags\":\"a\"");
    refresh(inventory, collection);
    put_record(collection, "t-1", "\"status\":\"available\",\"tags\":\"a,somebody\"");
    g_assert_cmpint(write_tags(inventory, collection, "t-1", "a", "mine"), ==, CF_ERROR_CHANGED);
    g_assert_cmpuint(cloud.tag_calls->len, ==, 0);
    tags = field_of(inventory, collection, "t-1", field);
    g_assert_cmpstr(tags, ==, "a\nsomebody"); /* shown, so that the writer can look */
    g_assert_cmpint(write_tags(inventory, collection, "t-1", NULL, "mine"), ==, -1);
    g_assert_cmpstr(last_tag_call(), ==, "a,somebody -> a,mine,somebody");
}

static void
test_first_tags(Fixture *fixture, gconstpointer data)
{
    refresh(fixture->inventory, CF_SERVERS); /* i-1 has no tags */
    put_record(CF_SERVERS, "i-1", "\"status\":\"running\",\"tags\":\"theirs\"");
    g_assert_cmpint(write_tags(fixture->inventory, CF_SERVERS, "i-1", "", "mine"), ==,
                    CF_ERROR_CHANGED);
    put_record(CF_SERVERS, "i-1", "\"status\":\"running\"");
    refresh(fixture->inventory, CF_SERVERS);
    g_assert_cmpint(write_tags(fixture->inventory, CF_SERVERS, "i-1", "", "mine"), ==, -1);
    g_assert_cmpstr(last_tag_call(), ==, " -> mine");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/compose/stop-wait-start", test_whole);
    ADD("/compose/nobody-needs-to-look", test_follows_by_itself);
    ADD("/compose/first-call-refused", test_first_call_refused);
    ADD("/compose/first-call-unanswered", test_unanswered);
    ADD("/compose/stopped-already", test_stopped_already);
    ADD("/compose/busy-for-another-reason", test_busy);
    ADD("/compose/start-refused", test_start_refused);
    ADD("/compose/start-refused-for-now", test_start_refused_for_now);
    ADD("/compose/other-power-actions", test_others_wait);
    ADD("/compose/other-power-actions-look-first", test_others_look_first);
    ADD("/compose/goes-to-error", test_goes_to_error);
    ADD("/compose/no-directory", test_no_directory);
    ADD("/compose/dry-run", test_dry_run);
    ADD("/compose/finish", test_finish);
    ADD("/compose/resume/after-a-crash", test_resume_after_crash);
    for (guint i = 0; i < G_N_ELEMENTS(lefts); i++) {
        g_autofree char *path =
            g_strdup_printf("/compose/resume/%u-%s-%s", i, lefts[i].step, lefts[i].status);

        g_test_add(path, Fixture, &lefts[i], set_up, test_resume, tear_down);
    }
    ADD("/compose/resume/gone", test_resume_gone);
    ADD("/compose/resume/another-account", test_another_account);
    ADD("/compose/resume/another-daemon", test_another_daemon);
    ADD("/compose/resume/broken-file", test_broken_file);
    ADD("/compose/resume/dry-run", test_resume_changes_nothing);
    ADD("/jobs/failed", test_job_failed);
    ADD("/jobs/done", test_job_done);
    ADD("/jobs/bounded", test_jobs_are_bounded);
    ADD("/jobs/of-the-forced-stop", test_stop_job_failed);
    ADD("/jobs/of-the-start", test_start_job_failed);
    ADD("/console/expires", test_console_expires);
    g_test_add("/tags/of-servers", Fixture, GUINT_TO_POINTER(CF_SERVERS), set_up, test_tags,
               tear_down);
    g_test_add("/tags/of-images", Fixture, GUINT_TO_POINTER(CF_IMAGES), set_up, test_tags,
               tear_down);
    g_test_add("/tags/servers-changed-meanwhile", Fixture, GUINT_TO_POINTER(CF_SERVERS), set_up,
               test_tags_changed, tear_down);
    g_test_add("/tags/images-changed-meanwhile", Fixture, GUINT_TO_POINTER(CF_IMAGES), set_up,
               test_tags_changed, tear_down);
    ADD("/tags/none-before", test_first_tags);
    return g_test_run();
}
