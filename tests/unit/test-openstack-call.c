/* OpenStack's backend over real HTTP (test-provider.h): what goes over the wire, token, version. */
#include "providers/openstack/private.h"
#include "util/clock.h"
#include "util/error.h"

extern const CfProviderOps cf_provider_openstack;
#define ops (&cf_provider_openstack)

#include "test-provider.h"

#define TOKENS "/v3/auth/tokens"
#define DETAIL "/compute/v2.1/servers/detail"
#define ONE_SERVER "{\"servers\":[{\"id\":\"s-1\",\"name\":\"one\"}]}"
#define FIRST_PAGE "?limit=1000&sort_key=created_at&sort_dir=asc"

/* Texts that rules point to live as long as the server. */
typedef struct {
    Fixture base;
    char *catalog, *version;
} Cloud;

static void
set_up(Cloud *cloud, gconstpointer data)
{
    g_autofree char *url = NULL;

    fixture_set_up(&cloud->base);
    url = g_strdup_printf("http://127.0.0.1:%u", cloud->base.server.port);
    cloud->catalog = g_strdup_printf(
        "{\"token\":{\"expires_at\":\"2026-01-02T04:00:00.0Z\",\"issued_at\":\"2026-01-02T03:00:00."
        "0Z\","
        "\"project\":{\"id\":\"p\"},\"roles\":[{\"name\":\"member\"}],\"catalog\":["
        "{\"type\":\"compute\",\"endpoints\":[{\"interface\":\"public\",\"region_id\":\"R\","
        "\"url\":\"%s/compute/"
        "v2.1\"}]},{\"type\":\"image\",\"endpoints\":[{\"interface\":\"public\","
        "\"region_id\":\"R\",\"url\":\"%s/image\"}]}]}}",
        url, url);
    set_key(&cloud->base, "auth_url", url);
    set_key(&cloud->base, "username", "alice");
    set_key(&cloud->base, "password", "fake-pw");
    set_key(&cloud->base, "project_name", "demo");
}

static void
clean_up(Cloud *cloud, gconstpointer data)
{
    tear_down(&cloud->base, data);
    g_free(cloud->catalog);
    g_free(cloud->version);
}

static void
serve_token(Cloud *cloud, const char *token, int uses)
{
    serve_rule(&cloud->base.server, (Rule){.method = "POST",
                                           .path = TOKENS,
                                           .status = 201,
                                           .body = cloud->catalog,
                                           .uses = uses,
                                           .header = "X-Subject-Token",
                                           .value = token});
}

static void
serve_version(Cloud *cloud, const char *version)
{
    g_free(cloud->version);
    cloud->version = g_strdup_printf("{\"version\":{\"id\":\"v2.1\",\"version\":\"%s\"}}", version);
    serve(&cloud->base.server, "GET", "/compute/v2.1/", 200, cloud->version);
}

static void
open_cloud(Cloud *cloud, const char *version)
{
    serve_token(cloud, "fake-token", -1);
    serve_version(cloud, version);
    open_handle(&cloud->base);
}

static void
call_list_from(Job *job)
{
    ops->list_from(job->fixture->handle, job->collection, job->id, 0, job->deadline_us, TRUE, NULL,
                   on_page, job);
}

/* marker: (nullable). code: of the error; -1: none. */
static guint
list_servers(Cloud *cloud, const char *marker, int code)
{
    g_auto(Job) job = {.kind = OTHER, .other = call_list_from, .id = marker};

    run(&cloud->base, &job);
    if (code < 0)
        g_assert_no_error(job.error);
    else
        g_assert_error(job.error, CF_ERROR, code);
    return job.n_records;
}

/* --- who we are, and what is where ------------------------------------------------------------ */

static void
test_session(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;

    open_cloud(cloud, "2.100");
    serve(server, "GET", DETAIL, 200, ONE_SERVER);
    g_assert_cmpuint(list_servers(cloud, NULL, -1), ==, 1);
    assert_seen(server, 0, "POST " TOKENS,
                "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
                "\"name\":\"alice\",\"domain\":{\"id\":\"default\"},\"password\":\"fake-pw\"}}},"
                "\"scope\":{\"project\":{\"name\":\"demo\",\"domain\":{\"id\":\"default\"}}}}}");
    g_assert_null(header(server, 0, "x-auth-token"));
    assert_seen(server, 1, "GET /compute/v2.1/", "");
    assert_seen(server, 2, "GET " DETAIL FIRST_PAGE, "");
    g_assert_cmpstr(header(server, 2, "x-auth-token"), ==, "fake-token");
    g_assert_cmpstr(header(server, 2, "openstack-api-version"), ==, "compute 2.93");
    g_assert_cmpstr(header(server, 2, "x-openstack-nova-api-version"), ==, "2.93");
    g_assert_cmpstr(ops->get_region(cloud->base.handle), ==, "R");

    g_assert_cmpuint(list_servers(cloud, "a b", -1), ==, 1);
    assert_seen(server, 3, "GET " DETAIL FIRST_PAGE "&marker=a%20b", "");
}

static void
test_one_flight(Cloud *cloud, gconstpointer data)
{
    g_auto(Job) first = {.kind = OTHER, .other = call_list_from};
    g_auto(Job) second = {.kind = OTHER, .other = call_list_from};
    g_auto(Job) images = {.kind = OTHER, .other = call_list_from, .collection = CF_IMAGES};
    Server *server = &cloud->base.server;

    open_cloud(cloud, "2.93");
    serve(server, "GET", DETAIL, 200, ONE_SERVER);
    serve(server, "GET", "/image/v2/images", 200, "{\"images\":[{\"id\":\"i\"}]}");
    job_start(&cloud->base, &first);
    job_start(&cloud->base, &second);
    job_start(&cloud->base, &images);
    job_wait(&first);
    job_wait(&second);
    job_wait(&images);
    g_assert_no_error(first.error);
    g_assert_no_error(second.error);
    g_assert_no_error(images.error);
    g_assert_cmpuint(count_seen(server, "POST " TOKENS), ==, 1);
    g_assert_cmpuint(count_seen(server, "GET /compute/v2.1/"), ==, 1);
}

/* A token that was revoked is renewed once, and the call is made again. */
static void
test_renewed(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;

    serve_token(cloud, "fake-old", 1);
    serve_token(cloud, "fake-new", -1);
    serve_version(cloud, "2.93");
    serve_once(server, "GET", DETAIL, 401, "{\"error\":{\"code\":401,\"message\":\"no\"}}");
    serve_once(server, "GET", DETAIL, 200, ONE_SERVER);
    serve(server, "GET", DETAIL, 401, "{\"error\":{\"code\":401,\"message\":\"no\"}}");
    open_handle(&cloud->base);
    list_servers(cloud, NULL, -1);
    g_assert_cmpuint(count_seen(server, "POST " TOKENS), ==, 2);
    g_assert_cmpstr(header(server, 4, "x-auth-token"), ==, "fake-new");
    /* Refused also with a new one: once more, and that was all. */
    list_servers(cloud, NULL, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpuint(count_seen(server, "POST " TOKENS), ==, 3);
}

/* Runs in the engine's thread: the token has 100 s left of its hour. */
static gboolean
age_token(gpointer data)
{
    CfOs *os = ((Cloud *) data)->base.handle;

    os->token.expires_us = cf_clock_mono_us() + 100 * G_USEC_PER_SEC;
    return G_SOURCE_REMOVE;
}

static gboolean
end_token(gpointer data)
{
    CfOs *os = ((Cloud *) data)->base.handle;

    os->token.expires_us = cf_clock_mono_us() - 1;
    return G_SOURCE_REMOVE;
}

/* Nobody waits for the next token while there is a good one. */
static void
test_renewed_ahead(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;
    gint64 until_us = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    g_autofree char *used = NULL;

    serve_token(cloud, "fake-old", 1);
    serve_rule(server, (Rule){.method = "POST",
                              .path = TOKENS,
                              .status = 201,
                              .body = cloud->catalog,
                              .uses = 1,
                              .delay_ms = 300,
                              .header = "X-Subject-Token",
                              .value = "fake-new"});
    serve_version(cloud, "2.93");
    serve(server, "GET", DETAIL, 200, ONE_SERVER);
    open_handle(&cloud->base);
    list_servers(cloud, NULL, -1);
    cf_http_invoke_wait(cloud->base.http, age_token, cloud);
    do {
        g_free(used);
        list_servers(cloud, NULL, -1);
        used = last_header(server, "GET " DETAIL FIRST_PAGE, "x-auth-token");
    } while (strcmp(used, "fake-new") != 0 && g_get_monotonic_time() < until_us);
    g_assert_cmpstr(used, ==, "fake-new");
    g_assert_cmpuint(count_seen(server, "GET " DETAIL FIRST_PAGE), >, 2);
    g_assert_cmpuint(count_seen(server, "POST " TOKENS), ==, 2);
}

/* A token that cannot be renewed is used on while it lives, and Keystone is not asked all the time.
 */
static void
test_renewal_refused(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;
    gint64 until_us = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

    serve_token(cloud, "fake-old", 1);
    serve(server, "POST", TOKENS, 401, "{\"error\":{\"code\":401,\"message\":\"no\"}}");
    serve_version(cloud, "2.93");
    serve_rule(server, (Rule){"GET", DETAIL, NULL, 200, ONE_SERVER, -1});
    open_handle(&cloud->base);
    list_servers(cloud, NULL, -1);
    cf_http_invoke_wait(cloud->base.http, age_token, cloud);
    while (count_seen(server, "POST " TOKENS) < 2 && g_get_monotonic_time() < until_us)
        list_servers(cloud, NULL, -1);
    for (guint i = 0; i < 10; i++)
        list_servers(cloud, NULL, -1);
    g_assert_cmpuint(count_seen(server, "POST " TOKENS), ==, 2);
    cf_http_invoke_wait(cloud->base.http, end_token, cloud);
    list_servers(cloud, NULL, CF_ERROR_UNAUTHORIZED);
}

/* Where a token is all there is to log in by, its end is the end. */
static void
test_token_ends(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;

    g_hash_table_remove(cloud->base.config, "password");
    g_hash_table_remove(cloud->base.config, "username");
    set_key(&cloud->base, "token", "fake-given");
    serve_token(cloud, "fake-old", 1);
    serve(server, "POST", TOKENS, 401, "{\"error\":{\"code\":401,\"message\":\"Wrong, wrong.\"}}");
    serve_version(cloud, "2.93");
    serve(server, "GET", DETAIL, 200, ONE_SERVER);
    open_handle(&cloud->base);
    list_servers(cloud, NULL, -1);
    cf_http_invoke_wait(cloud->base.http, end_token, cloud);
    list_servers(cloud, NULL, CF_ERROR_EXPIRED);
}

/* An address that is not Keystone's, or not its root, is no matter of credentials. */
static void
test_not_keystone(Cloud *cloud, gconstpointer data)
{
    static const struct {
        int status;
        const char *body;
        CfErrorCode code;
        gboolean hint;
    } rows[] = {
        {404, "{\"error\":{\"code\":404,\"message\":\"The resource could not be found.\"}}",
         CF_ERROR_REMOTE, TRUE},
        {405, "{\"error\":{\"code\":405,\"message\":\"Not allowed.\"}}", CF_ERROR_REMOTE, TRUE},
        {404, "<html>nginx</html>", CF_ERROR_REMOTE, TRUE},
        {404,
         "{\"error\":{\"code\":404,\"message\":\"Could not find Application Credential: x.\"}}",
         CF_ERROR_UNAUTHORIZED, FALSE},
        {403, "{\"error\":{\"code\":403,\"message\":\"Forbidden.\"}}", CF_ERROR_UNAUTHORIZED,
         FALSE},
    };

    open_handle(&cloud->base);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = AUTHENTICATE};

        forget(&cloud->base.server);
        serve(&cloud->base.server, "POST", TOKENS, rows[i].status, rows[i].body);
        run(&cloud->base, &job);
        g_assert_error(job.error, CF_ERROR, (int) rows[i].code);
        g_assert_cmpint(strstr(job.error->message, "does auth_url lead to Keystone?") != NULL, ==,
                        rows[i].hint);
    }
}

static void
test_refused(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;
    g_auto(Job) job = {.kind = AUTHENTICATE};

    serve(server, "POST", TOKENS, 401,
          "{\"error\":{\"code\":401,\"title\":\"Unauthorized\",\"message\":\"Wrong, wrong.\"}}");
    open_handle(&cloud->base);
    run(&cloud->base, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_nonnull(strstr(job.error->message, "Wrong, wrong."));
    g_assert_null(strstr(job.error->message, "fake-pw"));
    /* Nobody asks again at once: Keystone may lock the account. */
    list_servers(cloud, NULL, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpuint(count_seen(server, "POST " TOKENS), ==, 1);
}

/* The service was put back to an older version: asked for anew, and the call is made again. */
static void
test_reversioned(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;

    serve_token(cloud, "fake-token", -1);
    serve_once(server, "GET", "/compute/v2.1/", 200, "{\"version\":{\"version\":\"2.93\"}}");
    serve_version(cloud, "2.60");
    serve_once(server, "GET", DETAIL, 406, "{\"computeFault\":{\"code\":406,\"message\":\"no\"}}");
    serve_once(server, "GET", DETAIL, 200, ONE_SERVER);
    serve(server, "GET", DETAIL, 406, "{\"computeFault\":{\"code\":406,\"message\":\"no\"}}");
    open_handle(&cloud->base);
    list_servers(cloud, NULL, -1);
    g_assert_cmpstr(header(server, 4, "openstack-api-version"), ==, "compute 2.60");
    list_servers(cloud, NULL, CF_ERROR_UNSUPPORTED);
}

static void
test_absent_service(Cloud *cloud, gconstpointer data)
{
    g_auto(Job) job = {.kind = AUTHENTICATE};

    set_key(&cloud->base, "region", "elsewhere");
    open_cloud(cloud, "2.93");
    run(&cloud->base, &job);
    g_assert_no_error(job.error);
    list_servers(cloud, NULL, CF_ERROR_CONFIG);
    list_servers(cloud, NULL, CF_ERROR_CONFIG);
}

static void
test_marker_gone(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;

    open_cloud(cloud, "2.93");
    serve_once(server, "GET", DETAIL, 400,
               "{\"badRequest\":{\"code\":400,\"message\":\"marker [m] not found\"}}");
    list_servers(cloud, "m", CF_ERROR_CHANGED);
    serve_once(server, "GET", DETAIL, 302, "");
    list_servers(cloud, NULL, CF_ERROR_PROTOCOL);
}

static void
test_show(Cloud *cloud, gconstpointer data)
{
    static const struct {
        const char *id;
        int status;
        const char *body;
        int code; /* -1: none */
    } rows[] = {
        {"s-1", 200, "{\"server\":{\"id\":\"s-1\"}}", -1},
        {"s-2", 200, "{\"server\":{\"id\":\"other\"}}", CF_ERROR_PROTOCOL},
        {"s-3", 404, "{\"itemNotFound\":{\"code\":404,\"message\":\"gone\"}}", CF_ERROR_NOT_FOUND},
        {"s-4", 404, "<html>nginx</html>", CF_ERROR_REMOTE},
        {"s-5", 200, "", CF_ERROR_PROTOCOL},
    };

    open_cloud(cloud, "2.93");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/compute/v2.1/servers/", rows[i].id, NULL);
        g_auto(Job) job = {.kind = SHOW, .id = rows[i].id};

        serve_once(&cloud->base.server, "GET", path, rows[i].status, rows[i].body);
        run(&cloud->base, &job);
        g_test_message("%s", rows[i].id);
        if (rows[i].code < 0)
            g_assert_no_error(job.error);
        else
            g_assert_error(job.error, CF_ERROR, rows[i].code);
    }
}

/* --- actions ---------------------------------------------------------------------------------- */

typedef struct {
    CfCollection collection;
    CfActionKind kind;
    CfVerb verb;
    const char *text, *description, *tags, *before;
    const char *method, *path, *body; /* what is sent */
    const char *type;                 /* (nullable) of the content */
} Sent;

#define S "/compute/v2.1/servers/x"
#define I "/image/v2/images/x"
#define PATCH "application/openstack-images-v2.1-json-patch"

static const Sent sent[] = {
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"os-start\":null}", "application/json"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"os-stop\":null}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"reboot\":{\"type\":\"SOFT\"}}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT_HARD, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"reboot\":{\"type\":\"HARD\"}}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_PAUSE, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"pause\":null}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_UNPAUSE, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"unpause\":null}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_SUSPEND, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"suspend\":null}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_RESUME, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"resume\":null}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_SHELVE, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"shelve\":null}", NULL},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_UNSHELVE, NULL, NULL, NULL, NULL, "POST", S "/action",
     "{\"unshelve\":null}", NULL},
    {CF_SERVERS, CF_ACTION_LOCK, 0, "1", NULL, NULL, NULL, "POST", S "/action", "{\"lock\":null}",
     NULL},
    {CF_SERVERS, CF_ACTION_LOCK, 0, "0", NULL, NULL, NULL, "POST", S "/action", "{\"unlock\":null}",
     NULL},
    {CF_SERVERS, CF_ACTION_LOCK_REASON, 0, "it \"is\" mine", NULL, NULL, NULL, "POST", S "/action",
     "{\"lock\":{\"locked_reason\":\"it \\\"is\\\" mine\"}}", NULL},
    /* description: the key */
    {CF_SERVERS, CF_ACTION_METADATA, 0, "a value", "my key", NULL, NULL, "POST", S "/metadata",
     "{\"metadata\":{\"my key\":\"a value\"}}", NULL},
    {CF_SERVERS, CF_ACTION_METADATA, 0, "v", "..", NULL, NULL, "POST", S "/metadata",
     "{\"metadata\":{\"..\":\"v\"}}", NULL},
    {CF_SERVERS, CF_ACTION_METADATA, 0, "", "my key", NULL, NULL, "DELETE", S "/metadata/my%20key",
     "", NULL},
    {CF_SERVERS, CF_ACTION_RENAME, 0, "n\"ü", NULL, NULL, NULL, "PUT", S,
     "{\"server\":{\"name\":\"n\\\"ü\"}}", NULL},
    {CF_SERVERS, CF_ACTION_DESCRIBE, 0, "d", NULL, NULL, NULL, "PUT", S,
     "{\"server\":{\"description\":\"d\"}}", NULL},
    {CF_SERVERS, CF_ACTION_DESCRIBE, 0, "", NULL, NULL, NULL, "PUT", S,
     "{\"server\":{\"description\":null}}", NULL},
    {CF_SERVERS, CF_ACTION_TAGS, 0, NULL, NULL, "a|b", NULL, "PUT", S "/tags",
     "{\"tags\":[\"a\",\"b\"]}", NULL},
    {CF_SERVERS, CF_ACTION_TAGS, 0, NULL, NULL, "a|b c", "a", "PUT", S "/tags/b%20c", "", NULL},
    {CF_SERVERS, CF_ACTION_TAGS, 0, NULL, NULL, "a", "a|b", "DELETE", S "/tags/b", "", NULL},
    {CF_SERVERS, CF_ACTION_TAGS, 0, NULL, NULL, "a|c", "a|b", "PUT", S "/tags",
     "{\"tags\":[\"a\",\"c\"]}", NULL},
    {CF_SERVERS, CF_ACTION_TAGS, 0, NULL, NULL, ".", "", "PUT", S "/tags", "{\"tags\":[\".\"]}",
     NULL},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "img", "words", NULL, NULL, "POST", S "/action",
     "{\"createImage\":{\"name\":\"img\",\"metadata\":{\"description\":\"words\"}}}", NULL},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "img", "", NULL, NULL, "POST", S "/action",
     "{\"createImage\":{\"name\":\"img\",\"metadata\":{}}}", NULL},
    {CF_IMAGES, CF_ACTION_RENAME, 0, "n", NULL, NULL, NULL, "PATCH", I,
     "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"n\"}]", PATCH},
    {CF_IMAGES, CF_ACTION_DESCRIBE, 0, "d", NULL, NULL, NULL, "PATCH", I,
     "[{\"op\":\"add\",\"path\":\"/description\",\"value\":\"d\"}]", PATCH},
    {CF_IMAGES, CF_ACTION_TAGS, 0, NULL, NULL, "a|b", NULL, "PATCH", I,
     "[{\"op\":\"add\",\"path\":\"/tags\",\"value\":[\"a\",\"b\"]}]", PATCH},
    {CF_IMAGES, CF_ACTION_TAGS, 0, NULL, NULL, "a|x,y", "a", "PUT", I "/tags/x%2Cy", "", NULL},
    {CF_IMAGES, CF_ACTION_DELETE, 0, NULL, NULL, NULL, NULL, "DELETE", I, "", NULL},
};

static void
start_action(Job *job, const Sent *row)
{
    job->action = new_action(row->collection, row->kind, row->verb, "x", row->text,
                             row->description, row->tags);
    if (row->kind == CF_ACTION_METADATA)
        job->action->key = g_strdup(row->description);
    if (row->before)
        job->action->tags_before = g_strsplit(row->before, "|", -1);
}

static void
test_actions(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;

    open_cloud(cloud, "2.93");
    for (guint i = 0; i < G_N_ELEMENTS(sent); i++) {
        g_auto(Job) job = {.kind = ACT};
        g_autofree char *line = g_strconcat(sent[i].method, " ", sent[i].path, NULL);

        g_test_message("row %u", i);
        serve_once(server, sent[i].method, sent[i].path, 202, "");
        start_action(&job, &sent[i]);
        run(&cloud->base, &job);
        g_assert_no_error(job.error);
        g_assert_cmpstr(job.result.method_path, ==, line);
        g_assert_cmpint(job.result.http_status, ==, 202);
        assert_seen(server, server->seen->len - 1, line, sent[i].body);
        if (sent[i].type)
            g_assert_cmpstr(header(server, server->seen->len - 1, "content-type"), ==,
                            sent[i].type);
    }
}

#define C64 "0123456789012345678901234567890123456789012345678901234567890123"
#define TOO_LONG C64 C64 C64 C64 /* 256 */

static void
test_unsupported(Cloud *cloud, gconstpointer data)
{
    static const struct {
        Sent action;
        int code;
    } rows[] = {
        {{CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF_HARD}, CF_ERROR_UNSUPPORTED},
        {{CF_SERVERS, CF_ACTION_DELETE}, CF_ERROR_UNSUPPORTED},
        {{CF_IMAGES, CF_ACTION_POWER, CF_VERB_ON}, CF_ERROR_UNSUPPORTED},
        {{CF_SERVERS, CF_ACTION_TAGS, .tags = "a/b"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_TAGS, .tags = "a,b"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_TAGS,
          .tags = "0123456789012345678901234567890123456789012345678901234567890"},
         CF_ERROR_NAME_TOO_LONG},
        {{CF_SERVERS, CF_ACTION_CONSOLE, .text = "xvpvnc"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_CAPTURE, .text = ""}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_METADATA, .text = "v", .description = "a,b"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_METADATA, .text = "v", .description = ""}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_METADATA, .text = "\xff", .description = "k"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_METADATA, .text = TOO_LONG, .description = "k"}, CF_ERROR_TOO_BIG},
        {{CF_SERVERS, CF_ACTION_METADATA, .text = "", .description = ".."}, CF_ERROR_UNSUPPORTED},
        {{CF_SERVERS, CF_ACTION_LOCK_REASON, .text = TOO_LONG}, CF_ERROR_TOO_BIG},
        {{CF_IMAGES, CF_ACTION_METADATA, .text = "v", .description = "k"}, CF_ERROR_UNSUPPORTED},
    };

    open_cloud(cloud, "2.93");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT};

        start_action(&job, &rows[i].action);
        run(&cloud->base, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].code);
        g_assert_null(job.result.method_path);
    }
    g_assert_cmpuint(count_seen(&cloud->base.server, NULL), ==, 0);
}

static void
test_console_and_capture(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;
    g_auto(Job) console = {.kind = ACT};
    g_auto(Job) capture = {.kind = ACT};

    open_cloud(cloud, "2.93");
    serve(server, "POST", S "/remote-consoles", 200,
          "{\"remote_console\":{\"protocol\":\"vnc\",\"type\":\"novnc\",\"url\":\"http://h/"
          "?t=fake\"}}");
    console.action = new_action(CF_SERVERS, CF_ACTION_CONSOLE, 0, "x", "novnc", NULL, NULL);
    run(&cloud->base, &console);
    g_assert_no_error(console.error);
    g_assert_cmpstr(console.result.console_url, ==, "http://h/?t=fake");
    assert_seen(server, 2, "POST " S "/remote-consoles",
                "{\"remote_console\":{\"protocol\":\"vnc\",\"type\":\"novnc\"}}");

    serve(server, "POST", S "/action", 202, "{\"image_id\":\"new\"}");
    capture.action = new_action(CF_SERVERS, CF_ACTION_CAPTURE, 0, "x", "img", "", NULL);
    run(&cloud->base, &capture);
    g_assert_no_error(capture.error);
    g_assert_cmpstr(capture.result.new_id, ==, "new");
}

/* A key that is gone is away, which was wanted; a server that is gone is not. */
static void
test_key_gone(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;
    const Sent away = {CF_SERVERS, CF_ACTION_METADATA, .text = "", .description = "k"};
    g_auto(Job) key = {.kind = ACT};
    g_auto(Job) all = {.kind = ACT};

    open_cloud(cloud, "2.93");
    serve_once(server, "DELETE", S "/metadata/k", 404,
               "{\"itemNotFound\":{\"code\":404,\"message\":\"Metadata item was not found\"}}");
    start_action(&key, &away);
    run(&cloud->base, &key);
    g_assert_no_error(key.error);
    serve_once(server, "DELETE", S "/metadata/k", 404,
               "{\"itemNotFound\":{\"code\":404,\"message\":\"Instance x could not be found.\"}}");
    start_action(&all, &away);
    run(&cloud->base, &all);
    g_assert_error(all.error, CF_ERROR, CF_ERROR_NOT_FOUND);
}

static void
test_console_log(Cloud *cloud, gconstpointer data)
{
    static const struct {
        int status;
        const char *body;
        int code;         /* -1: none */
        const char *text; /* (nullable) */
    } rows[] = {
        {200, "{\"output\":\"one\\ntwo\\n\"}", -1, "one\ntwo\n"},
        {200, "{\"output\":\"\"}", -1, ""},
        {200, "{\"output\":null}", -1, NULL},
        {200, "{}", CF_ERROR_PROTOCOL, NULL},
        {200, "nonsense", CF_ERROR_PROTOCOL, NULL},
        {409, "{\"conflictingRequest\":{\"code\":409,\"message\":\"Instance x is not ready\"}}",
         CF_ERROR_BUSY, NULL},
        {501, "{\"notImplemented\":{\"code\":501,\"message\":\"no\"}}", CF_ERROR_UNSUPPORTED, NULL},
    };

    open_cloud(cloud, "2.93");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT};

        serve_once(&cloud->base.server, "POST", S "/action", rows[i].status, rows[i].body);
        job.action = new_action(CF_SERVERS, CF_ACTION_CONSOLE_LOG, 0, "x", NULL, NULL, NULL);
        run(&cloud->base, &job);
        assert_seen(&cloud->base.server, cloud->base.server.seen->len - 1, "POST " S "/action",
                    "{\"os-getConsoleOutput\":{}}");
        if (rows[i].code < 0)
            g_assert_no_error(job.error);
        else
            g_assert_error(job.error, CF_ERROR, rows[i].code);
        g_assert_cmpstr(job.result.console_log, ==, rows[i].text);
    }
}

/* Before microversions 2.6, 2.19, 2.26, 2.27 and 2.45. */
static void
test_old_cloud(Cloud *cloud, gconstpointer data)
{
    Server *server = &cloud->base.server;
    g_auto(Job) console = {.kind = ACT};
    g_auto(Job) capture = {.kind = ACT};
    g_auto(Job) tags = {.kind = ACT};
    g_auto(Job) describe = {.kind = ACT};
    g_auto(Job) reason = {.kind = ACT};

    open_cloud(cloud, "2.1");
    serve(server, "GET", DETAIL, 200, ONE_SERVER);
    list_servers(cloud, NULL, -1);
    g_assert_null(header(server, 2, "openstack-api-version"));
    g_assert_cmpstr(header(server, 2, "x-openstack-nova-api-version"), ==, "2.1");

    serve_once(server, "POST", S "/action", 200,
               "{\"console\":{\"type\":\"novnc\",\"url\":\"http://h/?t=fake\"}}");
    console.action = new_action(CF_SERVERS, CF_ACTION_CONSOLE, 0, "x", "novnc", NULL, NULL);
    run(&cloud->base, &console);
    g_assert_no_error(console.error);
    g_assert_cmpstr(console.result.console_url, ==, "http://h/?t=fake");
    assert_seen(server, 3, "POST " S "/action", "{\"os-getVNCConsole\":{\"type\":\"novnc\"}}");

    serve_rule(server, (Rule){.method = "POST",
                              .path = S "/action",
                              .status = 202,
                              .body = "",
                              .uses = 1,
                              .header = "Location",
                              .value = "http://h/images/old-id"});
    capture.action = new_action(CF_SERVERS, CF_ACTION_CAPTURE, 0, "x", "img", "", NULL);
    run(&cloud->base, &capture);
    g_assert_no_error(capture.error);
    g_assert_cmpstr(capture.result.new_id, ==, "old-id");

    tags.action = new_action(CF_SERVERS, CF_ACTION_TAGS, 0, "x", NULL, NULL, "a");
    run(&cloud->base, &tags);
    g_assert_error(tags.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    describe.action = new_action(CF_SERVERS, CF_ACTION_DESCRIBE, 0, "x", "d", NULL, NULL);
    run(&cloud->base, &describe);
    g_assert_error(describe.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    reason.action = new_action(CF_SERVERS, CF_ACTION_LOCK_REASON, 0, "x", "mine", NULL, NULL);
    run(&cloud->base, &reason);
    g_assert_error(reason.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
}

/* --- configuration ---------------------------------------------------------------------------- */

static void
test_keys(Cloud *cloud, gconstpointer data)
{
    static const struct {
        const char *key, *value; /* set, or with "" taken away */
        const char *says;        /* NULL: good */
    } rows[] = {
        {"auth_url", "", "auth_url"},
        {"auth_url", "ftp://h", "auth_url"},
        {"auth_url", "http://u:fake-pw@h", "auth_url"},
        {"auth_url", "http://h/v2.0", "/v3"},
        {"auth_url", "http://h/v3/", NULL},
        {"password", "", "password"},
        {"username", "", "username"},
        {"project_name", "", "project_name"},
        {"interface", "secret", "interface"},
        {"interface", "internalURL", NULL},
        {"application_credential_id", "x", "application_credential_secret"},
        {"compute_endpoint_override", "x", "compute_endpoint_override"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *former = g_strdup(get_key(cloud->base.config, rows[i].key));
        g_autoptr(GError) error = NULL;
        gpointer handle;

        set_key(&cloud->base, rows[i].key, rows[i].value);
        handle = ops->open(&cloud->base.env, &error);
        if (rows[i].says) {
            g_assert_null(handle);
            g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
            g_assert_nonnull(strstr(error->message, rows[i].says));
            g_assert_null(strstr(error->message, "fake-pw"));
        } else {
            g_assert_no_error(error);
            ops->close(handle);
        }
        set_key(&cloud->base, rows[i].key, former ? former : "");
    }
}

/* What is special in a regular expression is escaped, and then encoded; pages go by marker. */
static void
test_search(Cloud *cloud, gconstpointer data)
{
    static const struct {
        CfCollection collection;
        const char *text, *marker, *asked;
    } rows[] = {
        {CF_SERVERS, "web", NULL, DETAIL FIRST_PAGE "&name=web"},
        {CF_SERVERS, "a.b", "s-7", DETAIL FIRST_PAGE "&name=a%5C.b&marker=s-7"},
        {CF_SERVERS, "\\^$.|?*+()[]{}", NULL,
         DETAIL FIRST_PAGE "&name=%5C%5C%5C%5E%5C%24%5C.%5C%7C%5C%3F%5C%2A%5C%2B%5C%28%5C%29%5C%5B"
                           "%5C%5D%5C%7B%5C%7D"},
        {CF_SERVERS, "中 a-b_c/d&e=f#", NULL,
         DETAIL FIRST_PAGE "&name=%E4%B8%AD%20a-b_c%2Fd%26e%3Df%23"},
        {CF_IMAGES, "Ubuntu 24.04", "i-1",
         "/image/v2/images" FIRST_PAGE "&name=Ubuntu%2024.04&marker=i-1"},
        {CF_IMAGES, "in:a,\"b\\", NULL,
         "/image/v2/images" FIRST_PAGE "&name=in%3A%22in%3Aa%2C%5C%22b%5C%5C%22"},
    };
    Server *server = &cloud->base.server;

    open_cloud(cloud, "2.93");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = SEARCH,
                           .collection = rows[i].collection,
                           .id = rows[i].text,
                           .page = rows[i].marker ? 2 : 1,
                           .marker = rows[i].marker};
        g_autofree char *line = g_strconcat("GET ", rows[i].asked, NULL);

        forget(server);
        serve_token(cloud, "fake-token", -1);
        serve_version(cloud, "2.93");
        serve(server, "GET", DETAIL, 200, ONE_SERVER);
        serve(server, "GET", "/image/v2/images", 200, "{\"images\":[{\"id\":\"i\"}]}");
        run(&cloud->base, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(job.n_records, ==, 1);
        g_assert_cmpuint(count_seen(server, line), ==, 1);
    }
}

/* The escaped text matches itself, and nothing else. */
static void
test_regex(Cloud *cloud, gconstpointer data)
{
    static const char *const texts[] = {"web",   "a.b",     "a+b*c?",      "^start$", "(group)",
                                        "[set]", "{1,2}",   "back\\slash", "x|y",     "中文.",
                                        "-",     "a b",     "#x",          "\\d",     "\\",
                                        "]}",    "\\Q.\\E", "a\tb",        "/"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *pattern = cf_os_escape_regex(texts[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, &error);

        g_assert_no_error(error);
        for (guint j = 0; j < G_N_ELEMENTS(texts); j++) {
            g_autofree char *around = g_strconcat("x ", texts[j], " y", NULL);

            g_assert_cmpint(g_regex_match(regex, around, 0, NULL), ==,
                            strstr(around, texts[i]) != NULL);
        }
    }
}

#define ADD(path, function)                                                                        \
    g_test_add("/openstack/call/" path, Cloud, NULL, set_up, function, clean_up)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("session", test_session);
    ADD("one-flight", test_one_flight);
    ADD("token-renewed-once", test_renewed);
    ADD("token-renewed-ahead", test_renewed_ahead);
    ADD("renewal-refused", test_renewal_refused);
    ADD("token-ends", test_token_ends);
    ADD("not-keystone", test_not_keystone);
    ADD("credentials-refused", test_refused);
    ADD("version-asked-for-anew", test_reversioned);
    ADD("absent-service", test_absent_service);
    ADD("marker-gone", test_marker_gone);
    ADD("show", test_show);
    ADD("actions", test_actions);
    ADD("nothing-is-sent", test_unsupported);
    ADD("console-and-capture", test_console_and_capture);
    ADD("key-gone", test_key_gone);
    ADD("console-log", test_console_log);
    ADD("old-cloud", test_old_cloud);
    ADD("keys", test_keys);
    ADD("search", test_search);
    ADD("search-is-literal", test_regex);
    return g_test_run();
}
