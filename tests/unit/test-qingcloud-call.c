/* The backend over real HTTP, against a server that answers by script and remembers every byte of
 * what it was asked. */
#include "providers/qingcloud/private.h"
#include "util/log.h"

extern const CfProviderOps cf_provider_qingcloud;
#define ops (&cf_provider_qingcloud)

#include "test-provider.h"

#define OK_ANSWER "{\"action\":\"Response\",\"ret_code\":0,\"job_id\":\"j-1\"}"
#define NO_SERVERS "{\"ret_code\":0,\"instance_set\":[],\"total_count\":0}"
#define NO_IMAGES "{\"ret_code\":0,\"image_set\":[],\"total_count\":0}"
#define SECRET "fake-secret-of-the-key"

/* --- helpers ---------------------------------------------------------------------------------- */

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autofree char *endpoint = NULL;

    fixture_set_up(fixture);
    endpoint = g_strdup_printf("http://127.0.0.1:%u/iaas/", fixture->server.port);
    set_key(fixture, "endpoint", endpoint);
    set_key(fixture, "zone", "pek3a");
    set_key(fixture, "access_key", "AKEXAMPLE");
    set_key(fixture, "secret_key", SECRET);
}

/* A rule for one action; uses < 0: for ever. */
static void
serve_action(Server *server, const char *action, const char *body, int uses)
{
    static GPtrArray *kept; /* rules point to their texts for as long as the program runs */
    char *holds = g_strdup_printf("action=%s&", action);

    if (!kept)
        kept = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(kept, holds);
    serve_rule(server, (Rule){.method = "GET",
                              .path = "/iaas/",
                              .status = 200,
                              .body = body,
                              .uses = uses,
                              .holds = holds});
}

/* The sample of that name; kept for as long as the program runs. */
static const char *
sample(const char *name)
{
    static GHashTable *samples;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(g_getenv("CF_REPLIES"), "qingcloud", name, NULL);
    char *text;

    if (!samples)
        samples = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!g_hash_table_contains(samples, name)) {
        g_file_get_contents(path, &text, NULL, &error);
        g_assert_no_error(error);
        g_hash_table_insert(samples, g_strdup(name), text);
    }
    return g_hash_table_lookup(samples, name);
}

/* What every request has, and this test looks at elsewhere. */
static gboolean
is_common(const char *pair)
{
    static const char *const names[] = {
        "access_key_id=", "signature=", "signature_method=", "signature_version=", "time_stamp=",
        "version=",       "zone="};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(pair, names[i]))
            return TRUE;
    return FALSE;
}

/* "action=…&instances.1=…" as on the wire, without the common parameters.
 * Returns: (transfer full). */
static char *
own_parameters(const Seen *seen)
{
    const char *query = strchr(seen->target, '?');
    g_auto(GStrv) pairs = g_strsplit(query ? query + 1 : seen->body->str, "&", -1);
    GString *own = g_string_new(NULL);

    for (guint i = 0; pairs[i]; i++)
        if (!is_common(pairs[i]))
            g_string_append_printf(own, "%s%s", own->len ? "&" : "", pairs[i]);
    return g_string_free(own, FALSE);
}

static void
assert_asked(Fixture *fixture, guint i, const char *expected)
{
    g_autofree char *own = own_parameters(seen_at(&fixture->server, i));

    g_assert_cmpstr(own, ==, expected);
}

/* The value of a parameter as on the wire. Returns: (transfer full) (nullable). */
static char *
parameter(const Seen *seen, const char *name)
{
    const char *query = strchr(seen->target, '?');
    g_auto(GStrv) pairs = g_strsplit(query ? query + 1 : seen->body->str, "&", -1);
    g_autofree char *start = g_strconcat(name, "=", NULL);

    for (guint i = 0; pairs[i]; i++)
        if (g_str_has_prefix(pairs[i], start))
            return g_strdup(pairs[i] + strlen(start));
    return NULL;
}

/* The signature once more, from the fact sheet, without the code under test: of the bytes that
 * came over the wire. */
static void
assert_signed(const Seen *seen, const char *method, const char *path)
{
    const char *query = strchr(seen->target, '?');
    g_autofree char *all = g_strdup(query ? query + 1 : seen->body->str);
    char *sent = strstr(all, "&signature=");
    g_autofree char *text = NULL, *expected = NULL, *decoded = NULL;
    guint8 digest[32];
    gsize size = sizeof digest;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *) SECRET, strlen(SECRET));

    g_assert_nonnull(sent);
    *sent = '\0';
    decoded = g_uri_unescape_string(sent + strlen("&signature="), NULL);
    text = g_strdup_printf("%s\n%s\n%s", method, path, all);
    g_hmac_update(hmac, (const guchar *) text, (gssize) strlen(text));
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    expected = g_base64_encode(digest, size);
    g_assert_cmpstr(decoded, ==, expected);
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void
test_reads(Fixture *fixture, gconstpointer data)
{
    static const struct {
        Job job;
        const char *action, *answer, *asked;
    } rows[] = {
        {{.kind = LIST, .page = 1},
         "DescribeInstances",
         NO_SERVERS,
         "action=DescribeInstances&limit=100&offset=0&verbose=1"},
        {{.kind = LIST, .page = 17},
         "DescribeInstances",
         NO_SERVERS,
         "action=DescribeInstances&limit=100&offset=1600&verbose=1"},
        {{.kind = LIST, .collection = CF_IMAGES, .page = 2},
         "DescribeImages",
         NO_IMAGES,
         "action=DescribeImages&limit=100&offset=100"},
        {{.kind = SEARCH, .id = "web 01/中", .page = 2},
         "DescribeInstances",
         NO_SERVERS,
         "action=DescribeInstances&limit=100&offset=100&search_word=web%2001%2F%E4%B8%AD&verbose="
         "1"},
        {{.kind = SEARCH, .collection = CF_IMAGES, .id = "centos", .page = 1},
         "DescribeImages",
         NO_IMAGES,
         "action=DescribeImages&limit=100&offset=0&search_word=centos"},
        {{.kind = SHOW, .id = "i-1"},
         "DescribeInstances",
         "{\"ret_code\":0,\"instance_set\":[{\"instance_id\":\"i-1\"}]}",
         "action=DescribeInstances&instances.1=i-1&limit=1&offset=0&verbose=1"},
        {{.kind = SHOW, .collection = CF_IMAGES, .id = "img-1"},
         "DescribeImages",
         "{\"ret_code\":0,\"image_set\":[{\"image_id\":\"img-1\"}]}",
         "action=DescribeImages&images.1=img-1&limit=1&offset=0"},
        {{.kind = FOLLOW, .id = "j-bm6ym3r8"},
         "DescribeJobs",
         "{\"ret_code\":0,\"job_set\":[{\"job_id\":\"j-bm6ym3r8\",\"status\":\"working\"}]}",
         "action=DescribeJobs&jobs.1=j-bm6ym3r8&limit=1&offset=0"},
        {{.kind = AUTHENTICATE},
         "DescribeInstances",
         NO_SERVERS,
         "action=DescribeInstances&limit=1&offset=0"},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = rows[i].job;
        const Seen *seen;

        forget(&fixture->server);
        serve_action(&fixture->server, rows[i].action, rows[i].answer, -1);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
        assert_asked(fixture, 0, rows[i].asked);
        seen = seen_at(&fixture->server, 0);
        assert_signed(seen, "GET", "/iaas/");
        g_assert_true(g_str_has_prefix(seen->line, "GET /iaas/?"));
        g_assert_cmpstr(seen->body->str, ==, "");
    }
}

static void
assert_parameter(const Seen *seen, const char *name, const char *value)
{
    g_autofree char *found = parameter(seen, name);

    g_assert_cmpstr(found, ==, value);
}

static void
test_common(Fixture *fixture, gconstpointer data)
{
    g_autofree char *stamp = NULL, *decoded = NULL;
    g_autoptr(GDateTime) then = NULL;
    const Seen *seen;

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeInstances", NO_SERVERS, -1);
    run_list(fixture, -1);
    seen = seen_at(&fixture->server, 0);
    assert_parameter(seen, "zone", "pek3a");
    assert_parameter(seen, "version", "1");
    assert_parameter(seen, "access_key_id", "AKEXAMPLE");
    assert_parameter(seen, "signature_method", "HmacSHA256");
    assert_parameter(seen, "signature_version", "1");
    assert_parameter(seen, "token", NULL);
    stamp = parameter(seen, "time_stamp");
    decoded = g_uri_unescape_string(stamp, NULL);
    g_assert_cmpuint(strlen(decoded), ==, strlen("2024-02-29T23:59:59Z"));
    then = g_date_time_new_from_iso8601(decoded, NULL);
    g_assert_nonnull(then);
    g_assert_cmpint(ABS(g_date_time_to_unix(then) - g_get_real_time() / SECOND), <=, 20);
}

/* Credentials of a role: another path, another version, the token. */
static void
test_role(Fixture *fixture, gconstpointer data)
{
    set_key(fixture, "token", "fake.role.token");
    open_handle(fixture);
    serve(&fixture->server, "GET", "/iam/", 200, NO_SERVERS);
    run_list(fixture, -1);
    assert_parameter(seen_at(&fixture->server, 0), "token", "fake.role.token");
    assert_parameter(seen_at(&fixture->server, 0), "signature_version", "2");
    assert_signed(seen_at(&fixture->server, 0), "GET", "/iam/");
}

static void
test_path_without_slash(Fixture *fixture, gconstpointer data)
{
    g_autofree char *endpoint = g_strdup_printf("http://127.0.0.1:%u/iaas", fixture->server.port);

    set_key(fixture, "endpoint", endpoint);
    open_handle(fixture);
    serve(&fixture->server, "GET", "/iaas", 200, NO_SERVERS);
    run_list(fixture, -1);
    assert_signed(seen_at(&fixture->server, 0), "GET", "/iaas");
}

/* --- pages ------------------------------------------------------------------------------------ */

/* A listing of images; ids: how they are called, joined by '|'. provider: of all of them.
 * Returns: (transfer full). */
static char *
images_answer(const char *provider, const char *ids, guint total)
{
    g_auto(GStrv) all = g_strsplit(ids, "|", -1);
    GString *text = g_string_new("{\"ret_code\":0,\"image_set\":[");

    for (guint i = 0; all[i]; i++)
        g_string_append_printf(text, "%s{\"image_id\":\"%s\",\"provider\":\"%s\"}", i ? "," : "",
                               all[i], provider);
    g_string_append_printf(text, "],\"total_count\":%u}", total);
    return g_string_free(text, FALSE);
}

static void
serve_images(Server *server, const char *holds, const char *answer)
{
    serve_rule(server, (Rule){.method = "GET",
                              .path = "/iaas/",
                              .status = 200,
                              .body = answer,
                              .uses = -1,
                              .holds = holds});
}

typedef struct {
    Fixture *fixture;
    guint page;
    GMutex lock;
    GCond cond;
    gboolean done;
    char *ids; /* joined by '|' */
    gint64 total;
    gboolean last;
} Listing;

static void
on_listing(const CfPage *page, const GError *error, gpointer data)
{
    Listing *listing = data;
    g_autoptr(GString) ids = g_string_new(NULL);
    const char *body;
    gsize len;

    g_assert_no_error(error);
    body = g_bytes_get_data(page->body, &len);
    for (guint i = 0; i < page->records->len; i++) {
        CfJsonSpan span = g_array_index(page->records, CfJsonSpan, i);
        g_autofree char *id = NULL;

        g_assert_true(span.text >= body && span.text + span.len <= body + len);
        id = cf_qingcloud_get_text(span, "image_id");
        g_string_append_printf(ids, "%s%s", i ? "|" : "", id);
    }
    g_mutex_lock(&listing->lock);
    listing->ids = g_strdup(ids->str);
    listing->total = page->total;
    listing->last = page->last;
    listing->done = TRUE;
    g_cond_signal(&listing->cond);
    g_mutex_unlock(&listing->lock);
}

static gboolean
start_listing(gpointer data)
{
    Listing *listing = data;

    ops->list(listing->fixture->handle, CF_IMAGES, listing->page, cf_clock_mono_us() + 10 * SECOND,
              TRUE, NULL, on_listing, listing);
    return G_SOURCE_REMOVE;
}

static void
assert_images(Fixture *fixture, guint page, const char *ids, gint64 total, gboolean last)
{
    Listing listing = {.fixture = fixture, .page = page};
    gint64 end = g_get_monotonic_time() + 20 * SECOND;

    g_mutex_init(&listing.lock);
    g_cond_init(&listing.cond);
    cf_http_invoke_wait(fixture->http, start_listing, &listing);
    g_mutex_lock(&listing.lock);
    while (!listing.done)
        g_assert_true(g_cond_wait_until(&listing.cond, &listing.lock, end));
    g_mutex_unlock(&listing.lock);
    g_assert_cmpstr(listing.ids, ==, ids);
    g_assert_cmpint(listing.total, ==, total);
    g_assert_cmpint(listing.last, ==, last);
    g_free(listing.ids);
    g_mutex_clear(&listing.lock);
    g_cond_clear(&listing.cond);
}

/* The system's images are in the listing: there is nothing to find out. */
static void
test_images_whole(Fixture *fixture, gconstpointer data)
{
    g_autofree char *system = images_answer("system", "a|b", 2);

    open_handle(fixture);
    serve_images(&fixture->server, "DescribeImages", system);
    assert_images(fixture, 1, "a|b", 2, TRUE);
    assert_images(fixture, 1, "a|b", 2, TRUE);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
}

/* They may be on a later page, or there may be none: asked once. */
static void
test_images_found_out(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint system_total;
        guint probes;
    } rows[] = {{0, 1}, {7, 2}};
    g_autofree char *endpoint = g_strdup_printf("http://127.0.0.1:%u/iaas/", fixture->server.port);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *self = images_answer("self", "a|b", 9);
        g_autofree char *own = images_answer("self", "a", 2);
        g_autofree char *system = images_answer("system", "s", rows[i].system_total);

        set_key(fixture, "endpoint", endpoint);
        set_key(fixture, "zone", "pek3a");
        set_key(fixture, "access_key", "AKEXAMPLE");
        set_key(fixture, "secret_key", SECRET);
        open_handle(fixture);
        forget(&fixture->server);
        serve_images(&fixture->server, "provider=system", system);
        serve_images(&fixture->server, "provider=self", own);
        serve_images(&fixture->server, "DescribeImages", self);
        assert_images(fixture, 1, "a|b", 9, TRUE);
        assert_asked(fixture, 1, "action=DescribeImages&limit=1&offset=0&provider=system");
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1 + rows[i].probes);
        assert_images(fixture, 1, "a|b", 9, TRUE);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2 + rows[i].probes);
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

/* They are left out: the listing goes on with them. Three of one's own, four of the system's, two a
 * page. */
static void
test_images_apart(Fixture *fixture, gconstpointer data)
{
    g_autofree char *self_1 = images_answer("self", "o1|o2", 3);
    g_autofree char *self_2 = images_answer("self", "o3", 3);
    g_autofree char *system_1 = images_answer("system", "s1", 4);
    g_autofree char *system_2 = images_answer("system", "s2|s3", 4);
    g_autofree char *system_3 = images_answer("system", "s4", 4);

    fixture->env.page_size = 2;
    open_handle(fixture);
    serve_images(&fixture->server, "offset=0&provider=system", system_1);
    serve_images(&fixture->server, "offset=1&provider=system", system_2);
    serve_images(&fixture->server, "offset=3&provider=system", system_3);
    serve_images(&fixture->server, "offset=0&provider=self", self_1);
    serve_images(&fixture->server, "offset=0&", self_1);
    serve_images(&fixture->server, "offset=2&", self_2);
    assert_images(fixture, 1, "o1|o2", 7, FALSE);
    assert_images(fixture, 2, "o3|s1", 7, FALSE);
    assert_images(fixture, 3, "s2|s3", 7, FALSE);
    assert_images(fixture, 4, "s4", 7, TRUE);
    assert_asked(fixture, 0, "action=DescribeImages&limit=2&offset=0");
    assert_asked(fixture, 1, "action=DescribeImages&limit=1&offset=0&provider=system");
    assert_asked(fixture, 2, "action=DescribeImages&limit=1&offset=0&provider=self");
    assert_asked(fixture, 3, "action=DescribeImages&limit=1&offset=0&provider=system");
    assert_asked(fixture, 4, "action=DescribeImages&limit=2&offset=2");
    assert_asked(fixture, 5, "action=DescribeImages&limit=1&offset=0&provider=system");
    assert_asked(fixture, 6, "action=DescribeImages&limit=2&offset=1&provider=system");
    assert_asked(fixture, 7, "action=DescribeImages&limit=2&offset=3&provider=system");
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 8);
}

/* What could not be found out is not taken for an answer: the page comes, and it is asked again. */
static void
test_images_unsure(Fixture *fixture, gconstpointer data)
{
    g_autofree char *self = images_answer("self", "a", 1);

    open_handle(fixture);
    serve_images(&fixture->server, "provider=system", "{\"ret_code\":1100,\"message\":\"x\"}");
    serve_images(&fixture->server, "DescribeImages", self);
    assert_images(fixture, 1, "a", 1, TRUE);
    assert_images(fixture, 1, "a", 1, TRUE);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 4);
}

static void
test_page(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeInstances", sample("describe-instances.json"), -1);
    run(fixture, &job);
    g_assert_no_error(job.error);
    g_assert_cmpuint(job.n_records, ==, 1);
    g_assert_cmpint(job.total, ==, 1);
    g_assert_true(job.last);
    g_assert_cmpint(job.requested_us, >, 0);
    g_assert_cmpint(job.requested_us, <=, cf_clock_mono_us());
}

static void
test_page_size(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint asked, used;
        const char *query;
    } rows[] = {
        {7, 7, "action=DescribeInstances&limit=7&offset=14&verbose=1"},
        {0, 100, "action=DescribeInstances&limit=100&offset=200&verbose=1"},
        {500, 100, "action=DescribeInstances&limit=100&offset=200&verbose=1"},
    };
    g_autofree char *endpoint = g_strdup_printf("http://127.0.0.1:%u/iaas/", fixture->server.port);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = LIST, .page = 3};

        set_key(fixture, "endpoint", endpoint);
        set_key(fixture, "zone", "pek3a");
        set_key(fixture, "access_key", "AKEXAMPLE");
        set_key(fixture, "secret_key", SECRET);
        fixture->env.page_size = rows[i].asked;
        open_handle(fixture);
        forget(&fixture->server);
        serve_action(&fixture->server, "DescribeInstances", NO_SERVERS, -1);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(ops->get_page_size(fixture->handle, CF_SERVERS), ==, rows[i].used);
        assert_asked(fixture, 0, rows[i].query);
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

/* A cloud that gives fewer a page than it was asked for: the next page begins behind them. */
static void
test_short_pages(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) first = {.kind = LIST, .page = 1}, second = {.kind = LIST, .page = 2};
    g_auto(Job) again = {.kind = LIST, .page = 1}, found = {.kind = SEARCH, .id = "x", .page = 2};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeInstances",
                 "{\"ret_code\":0,\"total_count\":5,\"instance_set\":[{\"instance_id\":\"a\"},"
                 "{\"instance_id\":\"b\"}]}",
                 -1);
    run(fixture, &first);
    run(fixture, &second);
    run(fixture, &again);
    run(fixture, &found);
    assert_asked(fixture, 0, "action=DescribeInstances&limit=100&offset=0&verbose=1");
    assert_asked(fixture, 1, "action=DescribeInstances&limit=2&offset=2&verbose=1");
    assert_asked(fixture, 2, "action=DescribeInstances&limit=100&offset=0&verbose=1");
    assert_asked(fixture, 3, "action=DescribeInstances&limit=2&offset=2&search_word=x&verbose=1");
}

/* --- one resource ----------------------------------------------------------------------------- */

static void
test_show(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *answer;
        int error; /* -1: none */
    } rows[] = {
        {"{\"ret_code\":0,\"instance_set\":[{\"instance_id\":\"i-1\",\"status\":\"terminated\"}]}",
         -1},
        {"{\"ret_code\":0,\"instance_set\":[{\"instance_id\":\"i-0\"},{\"instance_id\":\"i-1\"}]}",
         -1},
        {NO_SERVERS, CF_ERROR_NOT_FOUND},
        {"{\"ret_code\":2100,\"message\":\"ResourceNotFound\"}", CF_ERROR_NOT_FOUND},
        {"{\"ret_code\":1400,\"message\":\"PermissionDenied\"}", CF_ERROR_DENIED},
        {"{\"ret_code\":0,\"instance_set\":[{\"instance_id\":\"i-2\"}]}", CF_ERROR_PROTOCOL},
        {"{\"ret_code\":0}", CF_ERROR_PROTOCOL},
        {"{\"ret_code\":0,\"instance_set\":{}}", CF_ERROR_PROTOCOL},
        {"{\"ret_code\":0,\"instance_set\":[3]}", CF_ERROR_PROTOCOL},
        {"{\"ret_code\":0,\"instance_set\":[", CF_ERROR_PROTOCOL},
        {"", CF_ERROR_PROTOCOL},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = SHOW, .id = "i-1"};

        forget(&fixture->server);
        serve_action(&fixture->server, "DescribeInstances", rows[i].answer, -1);
        run(fixture, &job);
        if (rows[i].error < 0) {
            g_assert_no_error(job.error);
            g_assert_cmpstr(cf_record_get_id(job.record), ==, "i-1");
            g_assert_cmpint(job.requested_us, >, 0);
        } else {
            g_assert_error(job.error, CF_ERROR, rows[i].error);
        }
    }
}

/* --- changes ---------------------------------------------------------------------------------- */

typedef struct {
    CfCollection collection;
    CfActionKind kind;
    CfVerb verb;
    const char *ids, *text, *description;
    const char *action, *answer; /* a sample */
    const char *asked;
    const char *new_id, *job_id;
} Change;

static const Change changes[] = {
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "i-1", NULL, NULL, "StartInstances",
     "stop-instances.json", "action=StartInstances&instances.1=i-1", NULL, "j-bm6ym3r8"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "i-1|i-2|i-3", NULL, NULL, "StartInstances",
     "stop-instances.json", "action=StartInstances&instances.1=i-1&instances.2=i-2&instances.3=i-3",
     NULL, "j-bm6ym3r8"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "i-1", NULL, NULL, "StopInstances",
     "stop-instances.json", "action=StopInstances&force=0&instances.1=i-1", NULL, "j-bm6ym3r8"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF_HARD, "i-1|i-2", NULL, NULL, "StopInstances",
     "stop-instances.json", "action=StopInstances&force=1&instances.1=i-1&instances.2=i-2", NULL,
     "j-bm6ym3r8"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT, "i-1", NULL, NULL, "RestartInstances",
     "stop-instances.json", "action=RestartInstances&instances.1=i-1", NULL, "j-bm6ym3r8"},
    {CF_SERVERS, CF_ACTION_RENAME, 0, "i-1", "web 01+测试~*/", NULL, "ModifyInstanceAttributes",
     "modify-instance-attributes.json",
     "action=ModifyInstanceAttributes&instance=i-1&instance_name=web%2001%2B%E6%B5%8B%E8%AF%95~"
     "%2A%2F",
     NULL, NULL},
    {CF_SERVERS, CF_ACTION_DESCRIBE, 0, "i-1", " a=b&c:d ", NULL, "ModifyInstanceAttributes",
     "modify-instance-attributes.json",
     "action=ModifyInstanceAttributes&description=a%3Db%26c%3Ad&instance=i-1", NULL, NULL},
    {CF_SERVERS, CF_ACTION_DESCRIBE, 0, "i-1", "", NULL, "ModifyInstanceAttributes",
     "modify-instance-attributes.json", "action=ModifyInstanceAttributes&description=&instance=i-1",
     NULL, NULL},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "i-1", "golden", NULL, "CaptureInstance",
     "capture-instance.json", "action=CaptureInstance&image_name=golden&instance=i-1",
     "img-wyl5l8k8", "j-bm6ym3r9"},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "i-1", "golden", "", "CaptureInstance",
     "capture-instance.json", "action=CaptureInstance&image_name=golden&instance=i-1",
     "img-wyl5l8k8", "j-bm6ym3r9"},
    {CF_IMAGES, CF_ACTION_RENAME, 0, "img-1", "new", NULL, "ModifyImageAttributes",
     "modify-image-attributes.json", "action=ModifyImageAttributes&image=img-1&image_name=new",
     NULL, NULL},
    {CF_IMAGES, CF_ACTION_DESCRIBE, 0, "img-1", "old", NULL, "ModifyImageAttributes",
     "modify-image-attributes.json", "action=ModifyImageAttributes&description=old&image=img-1",
     NULL, NULL},
    {CF_IMAGES, CF_ACTION_DELETE, 0, "img-1", NULL, NULL, "DeleteImages", "delete-images.json",
     "action=DeleteImages&images.1=img-1", NULL, "j-bm6ym3ra"},
    {CF_IMAGES, CF_ACTION_DELETE, 0, "img-1|img-2", NULL, NULL, "DeleteImages",
     "delete-images.json", "action=DeleteImages&images.1=img-1&images.2=img-2", NULL, "j-bm6ym3ra"},
};

static CfAction *
change_action(const Change *change)
{
    return new_action(change->collection, change->kind, change->verb, change->ids, change->text,
                      change->description, NULL);
}

static void
test_changes(Fixture *fixture, gconstpointer data)
{
    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[i])};

        forget(&fixture->server);
        serve_action(&fixture->server, changes[i].action, sample(changes[i].answer), -1);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
        assert_asked(fixture, 0, changes[i].asked);
        assert_signed(seen_at(&fixture->server, 0), "GET", "/iaas/");
        g_assert_cmpstr(job.result.new_id, ==, changes[i].new_id);
        g_assert_cmpstr(job.result.job_id, ==, changes[i].job_id);
        g_assert_cmpstr(job.result.method_path, ==, changes[i].action);
        g_assert_cmpint(job.result.http_status, ==, 200);
        g_assert_nonnull(job.result.request_id);
    }
}

static void
test_capture_described(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *second;
    } rows[] = {
        {"modify-image-attributes.json"},
        {"error-1400-denied.json"}, /* the image is being made all the same */
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT,
                           .action = new_action(CF_SERVERS, CF_ACTION_CAPTURE, 0, "i-1", "golden",
                                                "two\nlines", NULL)};

        forget(&fixture->server);
        serve_action(&fixture->server, "CaptureInstance", sample("capture-instance.json"), -1);
        serve_action(&fixture->server, "ModifyImageAttributes", sample(rows[i].second), -1);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
        assert_asked(fixture, 0, "action=CaptureInstance&image_name=golden&instance=i-1");
        assert_asked(fixture, 1,
                     "action=ModifyImageAttributes&description=two%0Alines&image=img-wyl5l8k8");
        g_assert_cmpstr(job.result.new_id, ==, "img-wyl5l8k8");
        g_assert_cmpstr(job.result.job_id, ==, "j-bm6ym3r9");
        g_assert_cmpstr(job.result.method_path, ==, "CaptureInstance");
    }
}

/* --- consoles --------------------------------------------------------------------------------- */

#define CONSOLE_SERVER(more) "{\"ret_code\":0,\"instance_set\":[{\"instance_id\":\"i-1\"" more "}]}"
#define BROKER(host, port)                                                                         \
    "{\"ret_code\":0,\"brokers\":[{\"instance_id\":\"i-1\",\"broker_host\":" host                  \
    ",\"broker_port\":" port "}]}"

static void
test_console(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *server, *broker;
        const char *url, *type; /* url NULL: PROTOCOL */
    } rows[] = {
        {CONSOLE_SERVER(",\"graphics_protocol\":\"vnc\",\"graphics_passwd\":\"fake-pw\""),
         BROKER("\"broker.example.com\"", "23239"), "vnc://broker.example.com:23239\nfake-pw",
         "vnc"},
        {CONSOLE_SERVER(",\"graphics_protocol\":\"spice\",\"graphics_passwd\":null"),
         BROKER("\"broker.example.com\"", "\"23239\""), "spice://broker.example.com:23239",
         "spice"},
        {CONSOLE_SERVER(""), BROKER("\"2001:db8::1\"", "1"), "vnc://[2001:db8::1]:1", "vnc"},
        {CONSOLE_SERVER(",\"graphics_protocol\":\"a b\",\"graphics_passwd\":\"x\\ny\""),
         BROKER("\"h\"", "1"), "vnc://h:1", "vnc"},
        {CONSOLE_SERVER(""),
         "{\"ret_code\":0,\"brokers\":[{\"broker_ip\":\"192.0.2.1\",\"broker_port\":5}]}",
         "vnc://192.0.2.1:5", "vnc"},
        {CONSOLE_SERVER(""), BROKER("null", "23239"), NULL, NULL},
        {CONSOLE_SERVER(""), BROKER("\"h\"", "null"), NULL, NULL},
        {CONSOLE_SERVER(""), BROKER("\"h/../x\"", "1"), NULL, NULL},
        {CONSOLE_SERVER(""), BROKER("\"h\"", "123456"), NULL, NULL},
        {CONSOLE_SERVER(""), "{\"ret_code\":0,\"brokers\":[]}", NULL, NULL},
        {CONSOLE_SERVER(""), "{\"ret_code\":0}", NULL, NULL},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT,
                           .action = new_action(CF_SERVERS, CF_ACTION_CONSOLE, 0, "i-1",
                                                i ? "vnc" : NULL, NULL, NULL)};

        forget(&fixture->server);
        serve_action(&fixture->server, "DescribeInstances", rows[i].server, -1);
        serve_action(&fixture->server, "CreateBrokers", rows[i].broker, -1);
        run(fixture, &job);
        assert_asked(fixture, 0,
                     "action=DescribeInstances&instances.1=i-1&limit=1&offset=0&verbose=1");
        assert_asked(fixture, 1, "action=CreateBrokers&instances.1=i-1");
        if (!rows[i].url) {
            g_assert_error(job.error, CF_ERROR, CF_ERROR_PROTOCOL);
            continue;
        }
        g_assert_no_error(job.error);
        g_assert_cmpstr(job.result.console_url, ==, rows[i].url);
        g_assert_cmpstr(job.result.console_type, ==, rows[i].type);
    }
}

static void
test_console_refused(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) gone = {
        .kind = ACT, .action = new_action(CF_SERVERS, CF_ACTION_CONSOLE, 0, "i-1", "", NULL, NULL)};
    g_auto(Job) off = {
        .kind = ACT, .action = new_action(CF_SERVERS, CF_ACTION_CONSOLE, 0, "i-1", "", NULL, NULL)};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeInstances", NO_SERVERS, 1);
    serve_action(&fixture->server, "DescribeInstances", CONSOLE_SERVER(""), -1);
    serve_action(&fixture->server, "CreateBrokers", sample("error-1400-state.json"), -1);
    run(fixture, &gone);
    g_assert_error(gone.error, CF_ERROR, CF_ERROR_NOT_FOUND);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
    run(fixture, &off);
    g_assert_error(off.error, CF_ERROR, CF_ERROR_BUSY);
    g_assert_cmpstr(off.result.method_path, ==, "CreateBrokers");
}

/* --- tags ------------------------------------------------------------------------------------- */

#define TAGGED(tags)                                                                               \
    "{\"ret_code\":0,\"instance_set\":[{\"instance_id\":\"i-1\",\"tags\":" tags "}]}"
#define PAIR(n, tag)                                                                               \
    "&resource_tag_pairs." n ".resource_id=i-1&resource_tag_pairs." n                              \
    ".resource_type=instance&resource_tag_pairs." n ".tag_id=" tag

/* before: joined by '|' (nullable). asked: the requests in turn. */
static void
run_tags(Fixture *fixture, const char *tags, const char *before, int error,
         const char *const *asked)
{
    CfAction *action = new_action(CF_SERVERS, CF_ACTION_TAGS, 0, "i-1", NULL, NULL, tags);
    g_auto(Job) job = {.kind = ACT, .action = action};
    guint n = asked ? g_strv_length((char **) asked) : 0;

    action->tags_before = before ? g_strsplit(before, "|", -1) : NULL;
    run(fixture, &job);
    if (error < 0)
        g_assert_no_error(job.error);
    else
        g_assert_error(job.error, CF_ERROR, error);
    for (guint i = 0; i < n; i++)
        assert_asked(fixture, i, asked[i]);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, n);
}

static void
serve_tags(Server *server)
{
    serve_action(server, "DescribeTags", sample("describe-tags.json"), -1);
    serve_action(server, "CreateTag", sample("create-tag.json"), -1);
    serve_action(server, "AttachTags", sample("attach-tags.json"), -1);
    serve_action(server, "DetachTags", sample("attach-tags.json"), -1);
}

static void
test_tags(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *tags, *before;
        const char *asked[6];
    } rows[] = {
        /* one goes, one comes, one stays */
        {"测试|x",
         "prod|x",
         {"action=DescribeTags&limit=100&offset=0", "action=AttachTags" PAIR("1", "tag-2"),
          "action=DetachTags" PAIR("1", "tag-1")}},
        /* a single name is searched for */
        {"prod",
         "",
         {"action=DescribeTags&limit=100&offset=0&search_word=prod",
          "action=AttachTags" PAIR("1", "tag-1")}},
        /* one that there is none of yet */
        {"new|prod",
         "",
         {"action=DescribeTags&limit=100&offset=0", "action=CreateTag&tag_name=new",
          "action=AttachTags" PAIR("1", "tag-3") PAIR("2", "tag-1")}},
        /* all away */
        {"",
         "prod|测试",
         {"action=DescribeTags&limit=100&offset=0",
          "action=DetachTags" PAIR("1", "tag-1") PAIR("2", "tag-2")}},
        /* a tag that was deleted meanwhile is on nothing any more */
        {"", "gone", {"action=DescribeTags&limit=100&offset=0&search_word=gone"}},
        /* nothing to do */
        {"prod|x", "x|prod", {NULL}},
        {"", "", {NULL}},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        forget(&fixture->server);
        serve_tags(&fixture->server);
        run_tags(fixture, rows[i].tags, rows[i].before, -1, rows[i].asked);
    }
}

/* What the server has is read first where nobody told; that gives the ids of what goes, too. */
static void
test_tags_unknown(Fixture *fixture, gconstpointer data)
{
    static const char *const asked[] = {
        "action=DescribeInstances&instances.1=i-1&limit=1&offset=0&verbose=1",
        "action=DetachTags" PAIR("1", "tag-9"), NULL};
    static const char *const untagged[] = {
        "action=DescribeInstances&instances.1=i-1&limit=1&offset=0&verbose=1",
        "action=DescribeTags&limit=100&offset=0&search_word=prod",
        "action=AttachTags" PAIR("1", "tag-1"), NULL};

    open_handle(fixture);
    serve_tags(&fixture->server);
    serve_action(&fixture->server, "DescribeInstances",
                 TAGGED("[{\"tag_id\":\"tag-9\",\"tag_name\":\"old\"},{\"tag_id\":\"tag-1\","
                        "\"tag_name\":\"prod\"}]"),
                 1);
    run_tags(fixture, "prod", NULL, -1, asked);
    forget(&fixture->server);
    serve_tags(&fixture->server);
    serve_action(&fixture->server, "DescribeInstances", TAGGED("\"\""), 1);
    run_tags(fixture, "prod", NULL, -1, untagged);
}

/* Names are looked for page by page until all are found. */
static void
test_tags_paged(Fixture *fixture, gconstpointer data)
{
    static const char *const asked[] = {
        "action=DescribeTags&limit=100&offset=0", "action=DescribeTags&limit=100&offset=2",
        "action=AttachTags" PAIR("1", "tag-a") PAIR("2", "tag-c"), NULL};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeTags",
                 "{\"ret_code\":0,\"total_count\":9,\"tag_set\":[{\"tag_id\":\"tag-a\","
                 "\"tag_name\":\"a\"},{\"tag_id\":\"tag-b\",\"tag_name\":\"b\"}]}",
                 1);
    serve_action(&fixture->server, "DescribeTags",
                 "{\"ret_code\":0,\"total_count\":9,\"tag_set\":[{\"tag_id\":\"tag-c\","
                 "\"tag_name\":\"c\"}]}",
                 -1);
    serve_action(&fixture->server, "AttachTags", sample("attach-tags.json"), -1);
    run_tags(fixture, "a|c", "", -1, asked);
}

/* Somebody else makes the tag between our look and our call. */
static void
test_tags_race(Fixture *fixture, gconstpointer data)
{
    static const char *const asked[] = {"action=DescribeTags&limit=100&offset=0&search_word=new",
                                        "action=CreateTag&tag_name=new",
                                        "action=DescribeTags&limit=100&offset=0&search_word=new",
                                        "action=AttachTags" PAIR("1", "tag-7"), NULL};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeTags",
                 "{\"ret_code\":0,\"total_count\":1,\"tag_set\":[{\"tag_id\":\"tag-6\","
                 "\"tag_name\":\"newer\"}]}",
                 1);
    serve_action(&fixture->server, "DescribeTags",
                 "{\"ret_code\":0,\"total_count\":1,\"tag_set\":[{\"tag_id\":\"tag-7\","
                 "\"tag_name\":\"new\"}]}",
                 -1);
    serve_action(&fixture->server, "CreateTag", "{\"ret_code\":2110,\"message\":\"exists\"}", -1);
    serve_action(&fixture->server, "AttachTags", sample("attach-tags.json"), -1);
    run_tags(fixture, "new", "", -1, asked);
}

static void
test_tags_many(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) set = g_string_new("{\"ret_code\":0,\"total_count\":60,\"tag_set\":[");
    g_autoptr(GString) names = g_string_new(NULL);
    g_autofree char *second = NULL;
    CfAction *action;

    for (guint i = 0; i < 60; i++) {
        g_string_append_printf(set, "%s{\"tag_id\":\"tag-%u\",\"tag_name\":\"t%02u\"}",
                               i ? "," : "", i, i);
        g_string_append_printf(names, "%st%02u", i ? "|" : "", i);
    }
    g_string_append(set, "]}");
    action = new_action(CF_SERVERS, CF_ACTION_TAGS, 0, "i-1", NULL, NULL, names->str);
    action->tags_before = g_new0(char *, 1);
    open_handle(fixture);
    serve_action(&fixture->server, "DescribeTags", set->str, -1);
    /* Fifty pairs make a long request. */
    serve_rule(&fixture->server, (Rule){.method = "POST",
                                        .path = "/iaas/",
                                        .status = 200,
                                        .body = OK_ANSWER,
                                        .uses = -1,
                                        .holds = "resource_tag_pairs.50.tag_id"});
    serve_action(&fixture->server, "AttachTags", OK_ANSWER, -1);
    {
        g_auto(Job) job = {.kind = ACT, .action = action};

        run(fixture, &job);
        g_assert_no_error(job.error);
    }
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 3);
    second = own_parameters(seen_at(&fixture->server, 2));
    g_assert_nonnull(strstr(second, "resource_tag_pairs.10.tag_id=tag-59"));
    g_assert_null(strstr(second, "resource_tag_pairs.11."));
}

static void
test_tags_refused(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *tags;
        int error;
    } rows[] = {
        {"fifteen-letters", CF_ERROR_NAME_TOO_LONG},
        {"十五个字十五个字十五个字十五个", CF_ERROR_NAME_TOO_LONG},
        {" blank", CF_ERROR_INVALID},
    };
    static const char *const fourteen[] = {
        "action=DescribeTags&limit=100&offset=0&search_word=%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%"
        "E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD",
        "action=CreateTag&tag_name=%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%"
        "E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD%E4%B8%AD",
        "action=AttachTags" PAIR("1", "tag-3"), NULL};

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        run_tags(fixture, rows[i].tags, "", rows[i].error, NULL);
    /* What is there already may be longer. */
    run_tags(fixture, "fifteen-letters", "fifteen-letters", -1, NULL);
    serve_tags(&fixture->server);
    run_tags(fixture, "中中中中中中中中中中中中中中", "", -1, fourteen);
}

static void
test_tags_fail(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *action, *answer;
        int error;
    } rows[] = {
        {"DescribeTags", "{\"ret_code\":0}", CF_ERROR_PROTOCOL},
        {"DescribeTags", "{\"ret_code\":1200,\"message\":\"x\"}", CF_ERROR_UNAUTHORIZED},
        {"CreateTag", "{\"ret_code\":0}", CF_ERROR_PROTOCOL},
        {"CreateTag", "{\"ret_code\":2500,\"message\":\"quota of tags\"}", CF_ERROR_QUOTA},
        {"CreateTag", "{\"ret_code\":2110,\"message\":\"exists\"}", CF_ERROR_EXISTS},
        {"AttachTags", "{\"ret_code\":2100,\"message\":\"gone\"}", CF_ERROR_NOT_FOUND},
        {"AttachTags", "{\"ret_code\":1100,\"message\":\"x\"}", CF_ERROR_INVALID},
        {"DetachTags", "{\"ret_code\":5000,\"message\":\"x\"}", CF_ERROR_REMOTE},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CfAction *action = new_action(CF_SERVERS, CF_ACTION_TAGS, 0, "i-1", NULL, NULL, "new");
        g_auto(Job) job = {.kind = ACT, .action = action};

        action->tags_before = g_strsplit("prod", "|", -1);
        forget(&fixture->server);
        serve_action(&fixture->server, rows[i].action, rows[i].answer, -1);
        serve_tags(&fixture->server);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].error);
        g_assert_cmpstr(job.result.method_path, ==,
                        rows[i].error == CF_ERROR_EXISTS ? "DescribeTags" : rows[i].action);
    }
}

static void
test_tags_of_images(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *answer;
        int error;
    } rows[] = {
        {"{\"ret_code\":0}", -1},
        {"{\"ret_code\":1100,\"message\":\"resource_type\"}", CF_ERROR_UNSUPPORTED},
        {"{\"ret_code\":1101,\"message\":\"resource_type\"}", CF_ERROR_UNSUPPORTED},
        {"{\"ret_code\":1400,\"message\":\"PermissionDenied\"}", CF_ERROR_UNSUPPORTED},
        {"{\"ret_code\":1400,\"message\":\"the image is in transition\"}", CF_ERROR_BUSY},
        {"{\"ret_code\":2100,\"message\":\"x\"}", CF_ERROR_NOT_FOUND},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CfAction *action = new_action(CF_IMAGES, CF_ACTION_TAGS, 0, "img-1", NULL, NULL, "prod");
        g_auto(Job) job = {.kind = ACT, .action = action};

        action->tags_before = g_new0(char *, 1);
        forget(&fixture->server);
        serve_action(&fixture->server, "AttachTags", rows[i].answer, -1);
        serve_tags(&fixture->server);
        run(fixture, &job);
        if (rows[i].error < 0)
            g_assert_no_error(job.error);
        else
            g_assert_error(job.error, CF_ERROR, rows[i].error);
        assert_asked(fixture, 1,
                     "action=AttachTags&resource_tag_pairs.1.resource_id=img-1&resource_tag_pairs."
                     "1.resource_type=image&resource_tag_pairs.1.tag_id=tag-1");
    }
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void
test_jobs(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *file, *answer;
        gboolean over;
        int error; /* -1: none */
        const char *words;
    } rows[] = {
        {"describe-jobs-working.json", NULL, FALSE, -1, NULL},
        {"describe-jobs-successful.json", NULL, TRUE, -1, NULL},
        {"describe-jobs-failed.json", NULL, TRUE, CF_ERROR_REMOTE,
         "StopInstances: job j-bm6ym3r8 failed, error_codes 5100"},
        {NULL,
         "{\"ret_code\":0,\"job_set\":[{\"job_id\":\"j-bm6ym3r8\",\"status\":\"Done with "
         "failure\",\"error_codes\":[1400,5100]}]}",
         TRUE, CF_ERROR_REMOTE, "job j-bm6ym3r8 Done with failure, error_codes [1400,5100]"},
        {NULL,
         "{\"ret_code\":0,\"job_set\":[{\"job_id\":\"j-bm6ym3r8\",\"status\":\"failed\","
         "\"error_codes\":null}]}",
         TRUE, CF_ERROR_REMOTE, "job j-bm6ym3r8 failed"},
        {NULL, "{\"ret_code\":0,\"job_set\":[{\"job_id\":\"j-bm6ym3r8\",\"status\":\"pending\"}]}",
         FALSE, -1, NULL},
        /* Nothing is left of it to be asked after. */
        {NULL, "{\"ret_code\":0,\"job_set\":[],\"total_count\":0}", TRUE, -1, NULL},
        {NULL, "{\"ret_code\":2100,\"message\":\"no such job\"}", TRUE, -1, NULL},
        /* The question was not answered. */
        {NULL, "{\"ret_code\":0,\"job_set\":[{\"job_id\":\"j-bm6ym3r8\"}]}", FALSE,
         CF_ERROR_PROTOCOL, "status"},
        {NULL, "{\"ret_code\":0}", FALSE, CF_ERROR_PROTOCOL, "job_set"},
        {NULL, "{\"ret_code\":1200,\"message\":\"AuthFailure\"}", FALSE, CF_ERROR_UNAUTHORIZED,
         "AuthFailure"},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = FOLLOW, .id = "j-bm6ym3r8"};

        forget(&fixture->server);
        serve_action(&fixture->server, "DescribeJobs",
                     rows[i].file ? sample(rows[i].file) : rows[i].answer, -1);
        run(fixture, &job);
        g_assert_cmpint(job.over, ==, rows[i].over);
        if (rows[i].error < 0) {
            g_assert_no_error(job.error);
            continue;
        }
        g_assert_error(job.error, CF_ERROR, rows[i].error);
        g_assert_nonnull(strstr(job.error->message, rows[i].words));
        if (rows[i].over)
            g_assert_cmpstr(cf_error_get_cloud(job.error)->message, ==, rows[i].words);
    }
}

/* --- refusals --------------------------------------------------------------------------------- */

static void
test_action_errors(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *answer;
        int error;
        const char *code;
    } rows[] = {
        {"{\"ret_code\":1400,\"message\":\"PermissionDenied, instance [i-1] is not running, can "
         "not be stopped\"}",
         CF_ERROR_BUSY, "1400"},
        {"{\"ret_code\":1400,\"message\":\"PermissionDenied, it is not yours\"}", CF_ERROR_DENIED,
         "1400"},
        {"{\"ret_code\":2100,\"message\":\"ResourceNotFound\"}", CF_ERROR_NOT_FOUND, "2100"},
        {"{\"ret_code\":2400,\"message\":\"BalanceNotEnough\"}", CF_ERROR_REFUSED, "2400"},
        {"{\"ret_code\":2500,\"message\":\"QuotasExceeded\"}", CF_ERROR_QUOTA, "2500"},
        {"{\"ret_code\":5000,\"message\":\"InternalError\"}", CF_ERROR_REMOTE, "5000"},
        {"{\"ret_code\":5100,\"message\":\"ServerBusy\"}", CF_ERROR_REMOTE, "5100"},
        {"{\"ret_code\":5200,\"message\":\"ResourceExhausted\"}", CF_ERROR_CAPACITY, "5200"},
        {"{\"ret_code\":5300,\"message\":\"ServiceUpdating\"}", CF_ERROR_THROTTLED, "5300"},
        {"{\"message\":null}", CF_ERROR_PROTOCOL, NULL},
        {"<html>no</html>", CF_ERROR_PROTOCOL, NULL},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT,
                           .action = new_action(CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "i-1",
                                                NULL, NULL, NULL)};

        forget(&fixture->server);
        serve_action(&fixture->server, "StopInstances", rows[i].answer, -1);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].error);
        g_assert_cmpstr(cf_error_get_cloud(job.error)->code, ==, rows[i].code);
        /* A change is never sent twice for such an answer. */
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
        g_assert_cmpstr(job.result.method_path, ==, "StopInstances");
    }
}

static void
test_refused_here(Fixture *fixture, gconstpointer data)
{
    static const struct {
        CfCollection collection;
        CfActionKind kind;
        CfVerb verb;
        const char *ids, *text;
        int error;
    } rows[] = {
        {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT_HARD, "i-1", NULL, CF_ERROR_UNSUPPORTED},
        {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "", NULL, CF_ERROR_INVALID},
        {CF_SERVERS, CF_ACTION_CONSOLE, 0, "i-1", "novnc", CF_ERROR_INVALID},
        {CF_SERVERS, CF_ACTION_CAPTURE, 0, "i-1", "", CF_ERROR_INVALID},
        {CF_SERVERS, CF_ACTION_DELETE, 0, "i-1", NULL, CF_ERROR_UNSUPPORTED},
        {CF_IMAGES, CF_ACTION_POWER, CF_VERB_ON, "img-1", NULL, CF_ERROR_UNSUPPORTED},
        {CF_IMAGES, CF_ACTION_CAPTURE, 0, "img-1", "x", CF_ERROR_UNSUPPORTED},
        {CF_IMAGES, CF_ACTION_CONSOLE, 0, "img-1", NULL, CF_ERROR_UNSUPPORTED},
        {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON,
         "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30|31|32|"
         "33|"
         "34|35|36|37|38|39|40|41|42|43|44|45|46|47|48|49|50|51",
         NULL, CF_ERROR_TOO_BIG},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT,
                           .action = new_action(rows[i].collection, rows[i].kind, rows[i].verb,
                                                rows[i].ids, rows[i].text, NULL, NULL)};

        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].error);
    }
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 0);
}

static void
test_list_errors(Fixture *fixture, gconstpointer data)
{
    static const struct {
        int status;
        const char *answer;
        int error;
    } rows[] = {
        {200, "{\"ret_code\":1200,\"message\":\"AuthFailure\"}", CF_ERROR_UNAUTHORIZED},
        {200, "{\"ret_code\":2000,\"message\":\"SessionExpired\"}", CF_ERROR_EXPIRED},
        {200, "{\"ret_code\":2100,\"message\":\"ResourceNotFound\"}", CF_ERROR_REMOTE},
        {200, "{\"ret_code\":0,\"instance_set\":null,\"total_count\":4}", CF_ERROR_PROTOCOL},
        {200, "{\"ret_code\":0,\"total_count\":4}", CF_ERROR_PROTOCOL},
        {200, "{\"ret_code\":0,\"instance_set\":[{]}", CF_ERROR_PROTOCOL},
        {404, "<html><title>404</title></html>", CF_ERROR_REMOTE},
        {403, "", CF_ERROR_DENIED},
        {302, "", CF_ERROR_PROTOCOL},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        forget(&fixture->server);
        serve(&fixture->server, "GET", "/iaas/", rows[i].status, rows[i].answer);
        run_list(fixture, rows[i].error);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
    }
}

/* --- again ------------------------------------------------------------------------------------ */

static void
test_busy(Fixture *fixture, gconstpointer data)
{
    static const int codes[] = {5000, 5100, 5300};

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *answer = g_strdup_printf("{\"ret_code\":%d,\"message\":null}", codes[i]);

        forget(&fixture->server);
        serve_action(&fixture->server, "DescribeInstances", answer, 1);
        serve_action(&fixture->server, "DescribeInstances", NO_SERVERS, -1);
        run_list(fixture, -1);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
        assert_signed(seen_at(&fixture->server, 1), "GET", "/iaas/");
    }
}

static void
test_throttled(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) change = {
        .kind = ACT,
        .action = new_action(CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "i-1", NULL, NULL, NULL)};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeInstances", sample("error-2500-rate.json"), 1);
    serve_action(&fixture->server, "DescribeInstances", NO_SERVERS, -1);
    run_list(fixture, -1);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
    /* Certainly nothing was done: a change goes again, too. */
    forget(&fixture->server);
    serve_action(&fixture->server, "StopInstances", sample("error-2500-rate.json"), 1);
    serve_action(&fixture->server, "StopInstances", OK_ANSWER, -1);
    run(fixture, &change);
    g_assert_no_error(change.error);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
}

/* In the end the cloud's own words come through. */
static void
test_throttled_for_long(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1, .deadline_us = cf_clock_mono_us() + SECOND};

    open_handle(fixture);
    serve_action(&fixture->server, "DescribeInstances", sample("error-2500-rate.json"), -1);
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_THROTTLED);
    g_assert_cmpstr(cf_error_get_cloud(job.error)->message, ==,
                    "QuotasExceeded, too many API requests");
}

/* --- the clock -------------------------------------------------------------------------------- */

#define FUTURE "Sat, 31 Jan 2032 08:00:00 GMT"
#define TOO_OLD "{\"ret_code\":1300,\"message\":\"RequestHasExpired\"}"

static void
serve_too_old(Server *server, int uses)
{
    serve_rule(server, (Rule){.method = "GET",
                              .path = "/iaas/",
                              .status = 200,
                              .body = TOO_OLD,
                              .uses = uses,
                              .header = "Date",
                              .value = FUTURE});
}

static gboolean
is_dated_by_cloud(const Seen *seen)
{
    g_autofree char *stamp = parameter(seen, "time_stamp");

    return g_str_has_prefix(stamp, "2032-01-31T08%3A0");
}

static void
test_clock(Fixture *fixture, gconstpointer data)
{
    open_handle(fixture);
    serve_too_old(&fixture->server, 1);
    serve(&fixture->server, "GET", "/iaas/", 200, NO_SERVERS);
    run_list(fixture, -1);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
    g_assert_false(is_dated_by_cloud(seen_at(&fixture->server, 0)));
    g_assert_true(is_dated_by_cloud(seen_at(&fixture->server, 1)));
    assert_signed(seen_at(&fixture->server, 1), "GET", "/iaas/");
    /* It is remembered. */
    run_list(fixture, -1);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 3);
    g_assert_true(is_dated_by_cloud(seen_at(&fixture->server, 2)));
}

static void
test_clock_once(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) change = {
        .kind = ACT,
        .action = new_action(CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "i-1", NULL, NULL, NULL)};

    open_handle(fixture);
    serve_too_old(&fixture->server, -1);
    run_list(fixture, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
    run(fixture, &change);
    g_assert_error(change.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpstr(cf_error_get_cloud(change.error)->code, ==, "1300");
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 4);
}

/* --- long requests ---------------------------------------------------------------------------- */

static void
test_long(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint size;
        const char *method;
    } rows[] = {{3000, "GET"}, {5000, "POST"}};

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strnfill(rows[i].size, 'x');
        g_autofree char *expected = g_strconcat(
            "action=ModifyInstanceAttributes&description=", text, "&instance=i-1", NULL);
        g_auto(Job) job = {
            .kind = ACT,
            .action = new_action(CF_SERVERS, CF_ACTION_DESCRIBE, 0, "i-1", text, NULL, NULL)};
        gboolean form = strcmp(rows[i].method, "POST") == 0;

        forget(&fixture->server);
        serve(&fixture->server, rows[i].method, "/iaas/", 200, OK_ANSWER);
        run(fixture, &job);
        g_assert_no_error(job.error);
        assert_asked(fixture, 0, expected);
        assert_signed(seen_at(&fixture->server, 0), rows[i].method, "/iaas/");
        g_assert_cmpstr(header(&fixture->server, 0, "content-type"), ==,
                        form ? "application/x-www-form-urlencoded" : NULL);
        g_assert_cmpint(strchr(seen_at(&fixture->server, 0)->target, '?') == NULL, ==, form);
    }
}

/* --- secrets ---------------------------------------------------------------------------------- */

static void
test_secrets(Fixture *fixture, gconstpointer data)
{
    g_auto(Job)
        console = {.kind = ACT,
                   .action = new_action(CF_SERVERS, CF_ACTION_CONSOLE, 0, "i-1", NULL, NULL, NULL)};
    GString *log;

    set_key(fixture, "token", "fake.role.token");
    open_handle(fixture);
    serve_rule(&fixture->server,
               (Rule){.method = "GET",
                      .path = "/iam/",
                      .status = 200,
                      .body = CONSOLE_SERVER(",\"graphics_passwd\":\"fake-screen\""),
                      .uses = -1,
                      .holds = "DescribeInstances"});
    serve(&fixture->server, "GET", "/iam/", 200, "{\"ret_code\":0,\"brokers\":[{\"fake-screen");
    run(fixture, &console);
    g_assert_error(console.error, CF_ERROR, CF_ERROR_PROTOCOL);
    g_assert_null(strstr(console.error->message, "fake-screen"));
    log = cf_log_dup_ring();
    g_assert_nonnull(strstr(log->str, "CreateBrokers"));
    g_assert_null(strstr(log->str, SECRET));
    g_assert_null(strstr(log->str, "fake"));
    g_assert_null(strstr(log->str, "signature"));
    g_string_free(log, TRUE);
}

/* --- life ------------------------------------------------------------------------------------- */

static gboolean
free_channel(gpointer data)
{
    Fixture *fixture = data;

    cf_channel_free(g_steal_pointer(&fixture->channel));
    return G_SOURCE_REMOVE;
}

/* The end of the channel ends whatever is under way. */
static void
assert_never_told(Job *job)
{
    cf_http_invoke_wait(job->fixture->http, free_channel, job->fixture);
    g_assert_false(job->done);
}

static void
test_close_under_way(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_handle(fixture);
    serve_rule(&fixture->server,
               (Rule){"GET", "/iaas/", NULL, 200, NO_SERVERS, -1, 150, NULL, NULL, NULL});
    job_start(fixture, &job);
    cf_http_invoke_wait(fixture->http, close_handle, fixture);
    assert_never_told(&job);
}

static gboolean
start_and_close(gpointer data)
{
    Job *job = data;

    start(job);
    return close_handle(job->fixture);
}

static void
test_close_refused(Fixture *fixture, gconstpointer data)
{
    g_auto(Job)
        job = {.kind = ACT,
               .action = new_action(CF_SERVERS, CF_ACTION_DELETE, 0, "i-1", NULL, NULL, NULL)};

    open_handle(fixture);
    job.fixture = fixture;
    g_mutex_init(&job.lock);
    g_cond_init(&job.cond);
    cf_http_invoke_wait(fixture->http, start_and_close, &job);
    assert_never_told(&job);
}

/* --- configuration ---------------------------------------------------------------------------- */

#define KEYS "zone=pek3a|access_key=a|secret_key=b"

static void
test_config(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *keys, *endpoint;
        const char *words; /* (nullable): of the error; NULL: it is good */
    } rows[] = {
        {KEYS, "https://api.qingcloud.com/iaas/", NULL},
        {KEYS "|token=t", "https://api.qingcloud.com/iam/", NULL},
        {KEYS "|endpoint=https://api.cloud.example/iaas", "https://api.cloud.example/iaas", NULL},
        {KEYS "|token=t|endpoint=https://api.cloud.example/iaas", "https://api.cloud.example/iam",
         NULL},
        {KEYS "|token=t|endpoint=https://api.cloud.example/iam/", "https://api.cloud.example/iam/",
         NULL},
        {KEYS "|endpoint=https://h/a/b", "https://h/a/b", NULL},
        {KEYS "|signature_method=HmacSHA1", "https://api.qingcloud.com/iaas/", NULL},
        {KEYS "|signature_method=md5", NULL, "md5"},
        {KEYS "|endpoint=https://h", NULL, "path"},
        {KEYS "|endpoint=h/iaas", NULL, "endpoint"},
        {KEYS "|endpoint=https://h/iaas/?a=b", NULL, "endpoint"},
        {KEYS "|endpoint=https://user:hunter2@h/iaas/", NULL, "endpoint"},
        {KEYS "|token=a b", NULL, "token"},
        {"zone=a b|access_key=a|secret_key=b", NULL, "zone"},
        {"access_key=a|secret_key=b", NULL, "zone"},
        {"zone=z|secret_key=b", NULL, "access_key"},
        {"zone=z|access_key=a", NULL, "secret_key"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) pairs = g_strsplit(rows[i].keys, "|", -1);
        g_autoptr(GError) error = NULL;

        g_hash_table_remove_all(fixture->config);
        for (guint j = 0; pairs[j]; j++) {
            char *value = strchr(pairs[j], '=');

            *value = '\0';
            set_key(fixture, pairs[j], value + 1);
        }
        fixture->handle = ops->open(&fixture->env, &error);
        if (rows[i].words) {
            g_assert_null(fixture->handle);
            g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
            if (!strstr(error->message, rows[i].words))
                g_error("%s: %s", rows[i].keys, error->message);
            g_assert_true(g_str_has_prefix(error->message, "[test] "));
            g_assert_null(strstr(error->message, "hunter2"));
        } else {
            g_assert_no_error(error);
            g_assert_cmpstr(ops->get_endpoint(fixture->handle), ==, rows[i].endpoint);
            g_assert_cmpstr(ops->get_region(fixture->handle), ==, "pek3a");
        }
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

static void
test_table(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *name;
        gboolean secret;
    } keys[] = {{"endpoint", FALSE},         {"zone", FALSE},
                {"access_key", FALSE},       {"secret_key", TRUE},
                {"signature_method", FALSE}, {"token", TRUE}};
    guint n = 0;

    g_assert_true(cf_providers_find("qingcloud") == ops);
    for (const CfProviderKey *key = ops->keys; key->name; key++, n++) {
        g_assert_cmpuint(n, <, G_N_ELEMENTS(keys));
        g_assert_cmpstr(key->name, ==, keys[n].name);
        g_assert_cmpint(key->secret, ==, keys[n].secret);
        /* ~/.qingcloud/config.yaml may have it: open() knows in the end. */
        g_assert_false(key->required);
    }
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(keys));
    g_assert_cmpuint(ops->batch_max, ==, 50);
    g_assert_cmpuint(ops->batch_delete_max, ==, 50);
    g_assert_cmpuint(ops->composed, ==, 1u << CF_VERB_REBOOT_HARD);
    g_assert_cmpuint(ops->verbs, ==, (1u << CF_VERB_PAUSE) - 1);
    g_assert_cmpstr(ops->consoles[0], ==, "vnc");
    g_assert_null(ops->consoles[1]);
    g_assert_false(ops->tags_apart);
    g_assert_null(ops->list_tags);
    g_assert_nonnull(ops->job);
    g_assert_nonnull(ops->search);
}

/* --- */

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    cf_log_init("none", CF_LOG_DEBUG, NULL);
    add("/qingcloud-call/reads", test_reads);
    add("/qingcloud-call/common", test_common);
    add("/qingcloud-call/role", test_role);
    add("/qingcloud-call/path-without-slash", test_path_without_slash);
    add("/qingcloud-call/page", test_page);
    add("/qingcloud-call/page-size", test_page_size);
    add("/qingcloud-call/images-whole", test_images_whole);
    add("/qingcloud-call/images-found-out", test_images_found_out);
    add("/qingcloud-call/images-apart", test_images_apart);
    add("/qingcloud-call/images-unsure", test_images_unsure);
    add("/qingcloud-call/short-pages", test_short_pages);
    add("/qingcloud-call/show", test_show);
    add("/qingcloud-call/changes", test_changes);
    add("/qingcloud-call/capture-described", test_capture_described);
    add("/qingcloud-call/console", test_console);
    add("/qingcloud-call/console-refused", test_console_refused);
    add("/qingcloud-call/tags", test_tags);
    add("/qingcloud-call/tags-unknown", test_tags_unknown);
    add("/qingcloud-call/tags-paged", test_tags_paged);
    add("/qingcloud-call/tags-race", test_tags_race);
    add("/qingcloud-call/tags-many", test_tags_many);
    add("/qingcloud-call/tags-refused", test_tags_refused);
    add("/qingcloud-call/tags-fail", test_tags_fail);
    add("/qingcloud-call/tags-of-images", test_tags_of_images);
    add("/qingcloud-call/jobs", test_jobs);
    add("/qingcloud-call/action-errors", test_action_errors);
    add("/qingcloud-call/refused-without-a-call", test_refused_here);
    add("/qingcloud-call/list-errors", test_list_errors);
    add("/qingcloud-call/busy", test_busy);
    add("/qingcloud-call/throttled", test_throttled);
    add("/qingcloud-call/throttled-for-long", test_throttled_for_long);
    add("/qingcloud-call/clock", test_clock);
    add("/qingcloud-call/clock-once", test_clock_once);
    add("/qingcloud-call/long", test_long);
    add("/qingcloud-call/secrets", test_secrets);
    add("/qingcloud-call/close-under-way", test_close_under_way);
    add("/qingcloud-call/close-refused", test_close_refused);
    add("/qingcloud-call/config", test_config);
    add("/qingcloud-call/table", test_table);
    return g_test_run();
}
