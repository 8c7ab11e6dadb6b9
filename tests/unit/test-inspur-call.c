/* Inspur's backend over real HTTP (test-provider.h). */
#include "providers/inspur/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

extern const CfProviderOps cf_provider_inspur;
#define ops (&cf_provider_inspur)

#include "test-provider.h"

#define OK_ANSWER "{\"code\":200,\"message\":\"OK\",\"data\":\"\"}"
#define ONE_SERVER "{\"code\":200,\"data\":{\"totalCount\":1,\"servers\":[{\"id\":\"s1\"}]}}"
#define TOKEN_PATH "/auth/realms/picp/protocol/openid-connect/token"

/* --- client ----------------------------------------------------------------------------------- */

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autofree char *endpoint = NULL;

    fixture_set_up(fixture);
    endpoint = g_strdup_printf("http://127.0.0.1:%u/ecs/", fixture->server.port);
    set_key(fixture, "endpoint", endpoint);
}

static void
open_token(Fixture *fixture)
{
    set_key(fixture, "token", "ready.token");
    open_handle(fixture);
}

static void
open_keycloak(Fixture *fixture)
{
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", fixture->server.port);

    set_key(fixture, "auth_url", url);
    set_key(fixture, "client_id", "console");
    set_key(fixture, "username", "main.sub");
    set_key(fixture, "password", "p&ss");
    open_handle(fixture);
}

static void
list_private(Job *job)
{
    cf_inspur_list_private(job->fixture->handle, job->deadline_us, on_page, job);
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void
test_reads(Fixture *fixture, gconstpointer data)
{
    static const struct {
        Job job;
        const char *path, *answer, *line;
    } rows[] = {
        {{.kind = LIST, .page = 1},
         "/ecs/v1/servers/1/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/1/100"},
        {{.kind = LIST, .page = 17},
         "/ecs/v1/servers/17/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/17/100"},
        {{.kind = LIST, .collection = CF_IMAGES, .page = 2},
         "/ecs/v1/images",
         "{\"code\":200,\"data\":{\"images\":[]}}",
         "GET /ecs/v1/images?page=2&pageSize=100"},
        /* searchField only where the text can be nothing else */
        {{.kind = SEARCH, .id = "web 01/中&x=1", .page = 2},
         "/ecs/v1/servers/2/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/2/100?searchValue=web%2001%2F%E4%B8%AD%26x%3D1"},
        {{.kind = SEARCH, .id = "10.0.0.7", .page = 1},
         "/ecs/v1/servers/1/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/1/100?searchValue=10.0.0.7&searchField=ip"},
        {{.kind = SEARCH, .id = "fd00::7", .page = 1},
         "/ecs/v1/servers/1/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/1/100?searchValue=fd00%3A%3A7&searchField=ip"},
        {{.kind = SEARCH, .id = "10.0.0", .page = 1},
         "/ecs/v1/servers/1/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/1/100?searchValue=10.0.0"},
        {{.kind = SEARCH, .id = "5c2ae8ba-0b0a-4a5b-9f0e-1f5f3c1d2e3f", .page = 1},
         "/ecs/v1/servers/1/100",
         ONE_SERVER,
         "GET /ecs/v1/servers/1/100?searchValue=5c2ae8ba-0b0a-4a5b-9f0e-1f5f3c1d2e3f&"
         "searchField=uuid"},
        {{.kind = SEARCH, .collection = CF_IMAGES, .id = "10.0.0.7", .page = 3},
         "/ecs/v1/images",
         "{\"code\":200,\"data\":{\"images\":[]}}",
         "GET /ecs/v1/images?page=3&pageSize=100&searchValue=10.0.0.7"},
        {{.kind = OTHER, .other = list_private},
         "/ecs/v1/images/private",
         "{\"code\":200,\"data\":{\"images\":[]}}",
         "GET /ecs/v1/images/private?tag=ECS"},
        {{.kind = SHOW, .id = "a/b c?"},
         "/ecs/v1/servers/a%2Fb%20c%3F",
         "{\"code\":200,\"data\":{\"server\":{\"id\":\"a/b c?\"}}}",
         "GET /ecs/v1/servers/a%2Fb%20c%3F"},
        {{.kind = SHOW, .collection = CF_IMAGES, .id = "i1"},
         "/ecs/v1/images/i1",
         "{\"code\":200,\"data\":{\"id\":\"i1\"}}",
         "GET /ecs/v1/images/i1"},
        {{.kind = LIST_TAGS, .id = "中"},
         "/ecs/v1/servers/%E4%B8%AD/tags",
         "{\"code\":200,\"data\":{\"tags\":[]}}",
         "GET /ecs/v1/servers/%E4%B8%AD/tags"},
        {{.kind = AUTHENTICATE}, "/ecs/v1/servers/1/1", ONE_SERVER, "GET /ecs/v1/servers/1/1"},
    };

    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = rows[i].job;

        forget(&fixture->server);
        serve(&fixture->server, "GET", rows[i].path, 200, rows[i].answer);
        run(fixture, &job);
        g_assert_no_error(job.error);
        assert_seen(&fixture->server, 0, rows[i].line, "");
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
        g_assert_cmpstr(header(&fixture->server, 0, "authorization"), ==, "Bearer ready.token");
        g_assert_cmpstr(header(&fixture->server, 0, "accept"), ==, "application/json");
        g_assert_null(header(&fixture->server, 0, "content-type"));
        g_assert_null(header(&fixture->server, 0, "x-sign"));
    }
}

static void
test_page_size(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 3};

    fixture->env.page_size = 7;
    open_token(fixture);
    serve(&fixture->server, "GET", "/ecs/v1/servers/3/7", 200, ONE_SERVER);
    run(fixture, &job);
    g_assert_no_error(job.error);
    g_assert_cmpuint(ops->get_page_size(fixture->handle, CF_SERVERS), ==, 7);
}

typedef struct {
    CfCollection collection;
    CfActionKind kind;
    CfVerb verb;
    const char *ids, *text, *description, *tags;
    const char *answer;
    const char *method, *path, *query, *type, *body; /* query, type: (nullable) */
} Change;

static const Change changes[] = {
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "s1", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/s1/action", NULL, "application/json", "{\"os-start\":{}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "s1", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/s1/action", NULL, "application/json", "{\"os-stop\":{}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF_HARD, "s1", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/action", NULL, "application/json",
     "{\"os-stop\":{\"type\":\"HARD\",\"servers\":[{\"id\":\"s1\"}]}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT, "s1", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/s1/action", NULL, "application/json", "{\"reboot\":{\"type\":\"SOFT\"}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT_HARD, "s1", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/s1/action", NULL, "application/json", "{\"reboot\":{\"type\":\"HARD\"}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "s1|s\"2", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/action", NULL, "application/json",
     "{\"os-start\":{\"servers\":[{\"id\":\"s1\"},{\"id\":\"s\\\"2\"}]}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "s1|s2", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/action", NULL, "application/json",
     "{\"os-stop\":{\"servers\":[{\"id\":\"s1\"},{\"id\":\"s2\"}]}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF_HARD, "s1|s2", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/action", NULL, "application/json",
     "{\"os-stop\":{\"type\":\"HARD\",\"servers\":[{\"id\":\"s1\"},{\"id\":\"s2\"}]}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT, "s1|s2", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/action", NULL, "application/json",
     "{\"reboot\":{\"type\":\"SOFT\",\"servers\":[{\"id\":\"s1\"},{\"id\":\"s2\"}]}}"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT_HARD, "s1|s2", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/action", NULL, "application/json",
     "{\"reboot\":{\"type\":\"HARD\",\"servers\":[{\"id\":\"s1\"},{\"id\":\"s2\"}]}}"},
    {CF_SERVERS, CF_ACTION_CONSOLE, 0, "s1", NULL, NULL, NULL,
     "{\"code\":200,\"data\":{\"console\":{\"url\":\"http://c/?token=x\",\"type\":\"novnc\"}}}",
     "POST", "/v1/servers/s1/action", NULL, "application/json",
     "{\"os-getVNCConsole\":{\"type\":\"novnc\"}}"},
    {CF_SERVERS, CF_ACTION_CONSOLE, 0, "s1", "xvpvnc", NULL, NULL,
     "{\"code\":200,\"data\":{\"console\":{\"url\":\"http://c/?token=x\",\"type\":\"xvpvnc\"}}}",
     "POST", "/v1/servers/s1/action", NULL, "application/json",
     "{\"os-getVNCConsole\":{\"type\":\"xvpvnc\"}}"},
    {CF_SERVERS, CF_ACTION_TAGS, 0, "s1", NULL, NULL, "a|b c|中&", OK_ANSWER, "POST",
     "/v1/servers/s1/tags", "?tags=a,b%20c,%E4%B8%AD%26", NULL, ""},
    {CF_SERVERS, CF_ACTION_TAGS, 0, "s1", NULL, NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/s1/tags", "?tags=", NULL, ""},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "s1", "名 \"x\"", "two\nlines", NULL,
     "{\"message\":\"Created\",\"code\":201,\"data\":{\"image_id\":\"new\"}}", "POST",
     "/v1/servers/s1/action", NULL, "application/json",
     "{\"createImage\":{\"name\":\"名 \\\"x\\\"\",\"description\":\"two\\u000alines\"}}"},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "s1", "n", NULL, NULL, OK_ANSWER, "POST",
     "/v1/servers/s1/action", NULL, "application/json",
     "{\"createImage\":{\"name\":\"n\",\"description\":\"\"}}"},
    {CF_IMAGES, CF_ACTION_RENAME, 0, "i/1", "new", NULL, NULL, OK_ANSWER, "PATCH",
     "/v1/images/i%2F1", NULL, "application/json",
     "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"new\"}]"},
    {CF_IMAGES, CF_ACTION_DESCRIBE, 0, "i1", "", NULL, NULL, OK_ANSWER, "PATCH", "/v1/images/i1",
     NULL, "application/json", "[{\"op\":\"add\",\"path\":\"/description\",\"value\":\"\"}]"},
    {CF_IMAGES, CF_ACTION_DELETE, 0, "i1", NULL, NULL, NULL, "{\"code\":200,\"data\":\"\"}",
     "DELETE", "/v1/images/i1", NULL, NULL, ""},
    {CF_IMAGES, CF_ACTION_DELETE, 0, "i1|i2|i3", NULL, NULL, NULL,
     "{\"code\":200,\"message\":\"OK\",\"data\":{\"status\":\"删除成功2台,删除失败1台\"}}", "POST",
     "/v1/images/action/delete", NULL, "application/json",
     "{\"images\":[{\"id\":\"i1\"},{\"id\":\"i2\"},{\"id\":\"i3\"}]}"},
};

static CfAction *
change_action(const Change *change)
{
    return new_action(change->collection, change->kind, change->verb, change->ids, change->text,
                      change->description, change->tags);
}

static void
test_changes(Fixture *fixture, gconstpointer data)
{
    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        const Change *row = &changes[i];
        g_autofree char *path = g_strconcat("/ecs", row->path, NULL);
        g_autofree char *line =
            g_strconcat(row->method, " ", path, row->query ? row->query : "", NULL);
        g_autofree char *label = g_strconcat(row->method, " ", row->path, NULL);
        g_auto(Job) job = {.kind = ACT, .action = change_action(row)};

        forget(&fixture->server);
        serve(&fixture->server, row->method, path, 200, row->answer);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
        assert_seen(&fixture->server, 0, line, row->body);
        g_assert_cmpstr(header(&fixture->server, 0, "content-type"), ==, row->type);
        g_assert_cmpstr(header(&fixture->server, 0, "authorization"), ==, "Bearer ready.token");
        if (!*row->body && strcmp(row->method, "POST") == 0)
            g_assert_cmpstr(header(&fixture->server, 0, "content-length"), ==, "0");
        g_assert_cmpstr(job.result.method_path, ==, label);
        g_assert_cmpint(job.result.http_status, ==, 200);
        g_assert_nonnull(job.result.request_id);
    }
}

/* --- what comes back -------------------------------------------------------------------------- */

static void
test_page(Fixture *fixture, gconstpointer data)
{
    static const struct {
        int status;
        const char *body;
        guint n;
        gint64 total;
        gboolean last;
    } rows[] = {
        {200,
         "{\"code\":200,\"data\":{\"totalCount\":5,\"servers\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}",
         2, 5, FALSE},
        {200, "{\"Code\":\"200\",\"Data\":{\"TotalCount\":\"5\",\"servers\":[{\"id\":\"a\"}]}}", 1,
         5, TRUE},
        {200, "{\"code\":200,\"data\":{\"servers\":[]}}", 0, -1, TRUE},
        {400, "{\"code\":\"101.001008\",\"message\":\"empty\"}", 0, 0, TRUE},
        {200, "{\"code\":\"001008\",\"message\":\"empty\"}", 0, 0, TRUE},
        {200, "{\"code\":3002,\"message\":\"empty\"}", 0, 0, TRUE},
    };

    fixture->env.page_size = 2;
    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = LIST, .page = 1};
        gint64 before = cf_clock_mono_us();

        forget(&fixture->server);
        serve(&fixture->server, "GET", "/ecs/v1/servers/1/2", rows[i].status, rows[i].body);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(job.n_records, ==, rows[i].n);
        g_assert_cmpint(job.total, ==, rows[i].total);
        g_assert_cmpint(job.last, ==, rows[i].last);
        g_assert_cmpint(job.requested_us, >=, before);
        g_assert_cmpint(job.requested_us, <=, cf_clock_mono_us());
    }
}

static void
test_show(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *body;
        int error; /* -1: none */
    } rows[] = {
        {"{\"code\":200,\"data\":{\"server\":{\"id\":\"s1\",\"name\":\"n\"}}}", -1},
        {"{\"code\":\"200\",\"data\":{\"id\":\"s1\",\"name\":\"n\"}}", -1},
        {"{\"code\":200,\"data\":{\"server\":{\"id\":\"S1\",\"name\":\"n\"}}}", -1},
        {"{\"code\":200,\"data\":{\"server\":{\"id\":\"s2\"}}}", CF_ERROR_PROTOCOL},
        {"{\"code\":200,\"data\":{\"server\":null}}", CF_ERROR_PROTOCOL},
        {"{\"code\":200,\"data\":\"\"}", CF_ERROR_PROTOCOL},
        {"{\"code\":200}", CF_ERROR_PROTOCOL},
        {"<html>please log in</html>", CF_ERROR_PROTOCOL},
        {"{\"code\":\"101.001033\",\"message\":\"gone\"}", CF_ERROR_NOT_FOUND},
    };

    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = SHOW, .id = "s1"};

        forget(&fixture->server);
        serve(&fixture->server, "GET", "/ecs/v1/servers/s1", 200, rows[i].body);
        run(fixture, &job);
        if (rows[i].error < 0) {
            g_assert_no_error(job.error);
            g_assert_cmpstr(cf_record_get_name(job.record), ==, "n");
            g_assert_cmpint(job.requested_us, >, 0);
        } else {
            g_assert_error(job.error, CF_ERROR, rows[i].error);
        }
    }
}

static void
test_results(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) console = {.kind = ACT, .action = change_action(&changes[10])};
    g_auto(Job) capture = {.kind = ACT, .action = change_action(&changes[14])};
    g_auto(Job) unnamed = {.kind = ACT, .action = change_action(&changes[15])};
    g_auto(Job) batch = {.kind = ACT, .action = change_action(&changes[19])};
    g_auto(Job) tags = {.kind = LIST_TAGS, .id = "s1"};

    open_token(fixture);
    serve_once(&fixture->server, "POST", "/ecs/v1/servers/s1/action", 200, changes[10].answer);
    serve_once(&fixture->server, "POST", "/ecs/v1/servers/s1/action", 200, changes[14].answer);
    serve_once(&fixture->server, "POST", "/ecs/v1/servers/s1/action", 200, OK_ANSWER);
    serve(&fixture->server, "POST", "/ecs/v1/images/action/delete", 200, changes[19].answer);
    serve(&fixture->server, "GET", "/ecs/v1/servers/s1/tags", 200,
          "{\"code\":200,\"data\":{\"tags\":[\"b\",\"a\"]}}");
    run(fixture, &console);
    g_assert_cmpstr(console.result.console_url, ==, "http://c/?token=x");
    g_assert_cmpstr(console.result.console_type, ==, "novnc");
    run(fixture, &capture);
    g_assert_cmpstr(capture.result.new_id, ==, "new");
    run(fixture, &unnamed);
    g_assert_no_error(unnamed.error);
    g_assert_null(unnamed.result.new_id);
    run(fixture, &batch);
    g_assert_cmpuint(batch.result.done, ==, 2);
    g_assert_cmpuint(batch.result.failed, ==, 1);
    run(fixture, &tags);
    g_assert_cmpstr(tags.tags, ==, "a|b");
}

static void
test_action_errors(Fixture *fixture, gconstpointer data)
{
    static const struct {
        int status;
        const char *body;
        int error;
        const char *code;
    } rows[] = {
        {400, "{\"code\":\"101.001012\",\"message\":\"存在未知状态的云服务器\"}", CF_ERROR_BUSY,
         "101.001012"},
        {400, "{\"code\":101.00104,\"message\":\"操作失败\"}", CF_ERROR_REMOTE, "101.001040"},
        {200, "{\"code\":\"001013\",\"message\":\"not yours\"}", CF_ERROR_NOT_YOURS, "101.001013"},
        {400, "{\"code\":\"101.001014\",\"message\":\"unpaid\"}", CF_ERROR_REFUSED, "101.001014"},
        {403, "{\"code\":\"003.000203\",\"message\":\"no\"}", CF_ERROR_DENIED, "003.000203"},
        {404, "{\"message\":\"nothing here\"}", CF_ERROR_NOT_FOUND, NULL},
        {405, "", CF_ERROR_UNSUPPORTED, NULL},
        {500, "<html><title>oops</title></html>", CF_ERROR_REMOTE, NULL},
        {200, "accepted", CF_ERROR_PROTOCOL, NULL},
    };

    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[0])};

        forget(&fixture->server);
        serve(&fixture->server, "POST", "/ecs/v1/servers/s1/action", rows[i].status, rows[i].body);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].error);
        g_assert_cmpint(cf_error_get_cloud(job.error)->http_status, ==, rows[i].status);
        g_assert_cmpstr(cf_error_get_cloud(job.error)->code, ==, rows[i].code);
        g_assert_nonnull(cf_error_get_cloud(job.error)->request_id);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
    }
}

/* A listing that is not there is no empty cloud. */
static void
test_list_404(Fixture *fixture, gconstpointer data)
{
    open_token(fixture);
    serve(&fixture->server, "GET", "/ecs/v1/servers/1/100", 404, "{\"message\":\"no route\"}");
    run_list(fixture, CF_ERROR_REMOTE);
}

static void
test_redirect(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_token(fixture);
    serve_rule(&fixture->server, (Rule){"GET", "/ecs/v1/servers/1/100", NULL, 302, "", -1, 0,
                                        "Location", "/login?secret=x"});
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_PROTOCOL);
    g_assert_nonnull(strstr(job.error->message, "/login"));
    g_assert_null(strstr(job.error->message, "secret"));
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
}

/* --- what is refused without a call ----------------------------------------------------------- */

static void
test_refused_here(Fixture *fixture, gconstpointer data)
{
    static const struct {
        Change change;
        int error;
    } rows[] = {
        {{CF_SERVERS, CF_ACTION_RENAME, 0, "s1", "n"}, CF_ERROR_UNSUPPORTED},
        {{CF_SERVERS, CF_ACTION_DESCRIBE, 0, "s1", "n"}, CF_ERROR_UNSUPPORTED},
        {{CF_SERVERS, CF_ACTION_DELETE, 0, "s1"}, CF_ERROR_UNSUPPORTED},
        {{CF_IMAGES, CF_ACTION_TAGS, 0, "i1", NULL, NULL, "a"}, CF_ERROR_UNSUPPORTED},
        {{CF_IMAGES, CF_ACTION_POWER, 0, "i1"}, CF_ERROR_UNSUPPORTED},
        {{CF_SERVERS, CF_ACTION_TAGS, 0, "s1", NULL, NULL, "a|b,c"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_CONSOLE, 0, "s1", "spice"}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_CAPTURE, 0, "s1", ""}, CF_ERROR_INVALID},
        {{CF_SERVERS, CF_ACTION_POWER, 0, ".."}, CF_ERROR_UNSUPPORTED},
        {{CF_IMAGES, CF_ACTION_DELETE, 0, "private"}, CF_ERROR_UNSUPPORTED},
        {{CF_IMAGES, CF_ACTION_DELETE, 0, "i1|."}, CF_ERROR_UNSUPPORTED},
        {{CF_IMAGES, CF_ACTION_RENAME, 0, "", "x"}, CF_ERROR_INVALID},
    };
    static const char *const ids[] = {"private", ".", "..", ""};
    GString *many = g_string_new("s0");
    g_auto(Job) batch = {.kind = ACT};

    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&rows[i].change)};

        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].error);
    }
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_auto(Job) job = {.kind = SHOW, .collection = CF_IMAGES, .id = ids[i]};

        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    }
    for (guint i = 1; i <= 100; i++)
        g_string_append_printf(many, "|s%u", i);
    batch.action = new_action(CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, many->str, NULL, NULL, NULL);
    run(fixture, &batch);
    g_assert_error(batch.error, CF_ERROR, CF_ERROR_TOO_BIG);
    g_string_free(many, TRUE);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 0);
}

/* --- other forms of a call -------------------------------------------------------------------- */

static void
test_patch_type(Fixture *fixture, gconstpointer data)
{
    open_token(fixture);
    serve_once(&fixture->server, "PATCH", "/ecs/v1/images/i1", 415, "{\"code\":415}");
    serve(&fixture->server, "PATCH", "/ecs/v1/images/i1", 200, OK_ANSWER);
    for (guint i = 0; i < 2; i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[17])};

        run(fixture, &job);
        g_assert_no_error(job.error);
    }
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 3);
    g_assert_cmpstr(header(&fixture->server, 0, "content-type"), ==, "application/json");
    for (guint i = 0; i < 3; i++)
        assert_seen(&fixture->server, i, "PATCH /ecs/v1/images/i1", changes[17].body);
    for (guint i = 1; i < 3; i++)
        g_assert_cmpstr(header(&fixture->server, i, "content-type"), ==,
                        "application/openstack-images-v2.1-json-patch");
}

static void
test_patch_type_neither(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[17])};

    open_token(fixture);
    serve(&fixture->server, "PATCH", "/ecs/v1/images/i1", 415, "");
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
}

static void
test_tags_as_form(Fixture *fixture, gconstpointer data)
{
    open_token(fixture);
    serve_once(&fixture->server, "POST", "/ecs/v1/servers/s1/tags", 400,
               "{\"code\":\"101.001001\",\"message\":\"tags missing\"}");
    serve(&fixture->server, "POST", "/ecs/v1/servers/s1/tags", 200, OK_ANSWER);
    for (guint i = 0; i < 2; i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[12])};

        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpstr(job.result.method_path, ==, "POST /v1/servers/s1/tags");
    }
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 3);
    assert_seen(&fixture->server, 0, "POST /ecs/v1/servers/s1/tags?tags=a,b%20c,%E4%B8%AD%26", "");
    for (guint i = 1; i < 3; i++) {
        assert_seen(&fixture->server, i, "POST /ecs/v1/servers/s1/tags",
                    "tags=a,b%20c,%E4%B8%AD%26");
        g_assert_cmpstr(header(&fixture->server, i, "content-type"), ==,
                        "application/x-www-form-urlencoded");
    }
}

static void
test_tags_refused(Fixture *fixture, gconstpointer data)
{
    static const struct {
        int first_status;
        const char *first, *second;
        guint calls;
        int error;
        const char *code;
    } rows[] = {
        {400, "{\"code\":\"101.001012\"}", OK_ANSWER, 1, CF_ERROR_BUSY, "101.001012"},
        {400, "{\"code\":\"101.001033\"}", OK_ANSWER, 1, CF_ERROR_NOT_FOUND, "101.001033"},
        {500, "{\"code\":500}", OK_ANSWER, 1, CF_ERROR_REMOTE, "500"},
        {400, "{\"code\":\"101.001002\"}", "{\"code\":\"101.001040\"}", 2, CF_ERROR_INVALID,
         "101.001002"},
        {415, "", "{\"code\":\"101.001012\"}", 2, CF_ERROR_BUSY, "101.001012"},
        {400, "", "{\"code\":415}", 2, CF_ERROR_INVALID, NULL},
    };

    open_token(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[12])};

        forget(&fixture->server);
        serve_once(&fixture->server, "POST", "/ecs/v1/servers/s1/tags", rows[i].first_status,
                   rows[i].first);
        serve(&fixture->server, "POST", "/ecs/v1/servers/s1/tags", 200, rows[i].second);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].error);
        g_assert_cmpstr(cf_error_get_cloud(job.error)->code, ==, rows[i].code);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, rows[i].calls);
    }
}

static void
test_delete_elsewhere(Fixture *fixture, gconstpointer data)
{
    static const int statuses[] = {404, 405};

    for (guint i = 0; i < 2; i++) {
        g_auto(Job) first = {.kind = ACT, .action = change_action(&changes[19])};
        g_auto(Job) second = {.kind = ACT, .action = change_action(&changes[19])};
        g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", fixture->server.port);

        set_key(fixture, "endpoint", url);
        open_token(fixture);
        forget(&fixture->server);
        serve(&fixture->server, "POST", "/v1/images/action/delete", statuses[i],
              "<html>no such page</html>");
        serve(&fixture->server, "POST", "/v1/images/delete", 200, changes[19].answer);
        run(fixture, &first);
        run(fixture, &second);
        g_assert_no_error(first.error);
        g_assert_no_error(second.error);
        g_assert_cmpstr(first.result.method_path, ==, "POST /v1/images/delete");
        g_assert_cmpuint(second.result.failed, ==, 1);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 3);
        assert_seen(&fixture->server, 0, "POST /v1/images/action/delete", changes[19].body);
        assert_seen(&fixture->server, 1, "POST /v1/images/delete", changes[19].body);
        assert_seen(&fixture->server, 2, "POST /v1/images/delete", changes[19].body);
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

static void
test_delete_nowhere(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[19])};
    g_auto(Job) failed = {.kind = ACT, .action = change_action(&changes[19])};

    open_token(fixture);
    serve(&fixture->server, "POST", "/ecs/v1/images/action/delete", 404, "");
    serve(&fixture->server, "POST", "/ecs/v1/images/delete", 405, "");
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);

    forget(&fixture->server);
    serve(&fixture->server, "POST", "/ecs/v1/images/action/delete", 500,
          "{\"code\":\"101.003006\",\"message\":\"删除镜像失败\"}");
    run(fixture, &failed);
    g_assert_error(failed.error, CF_ERROR, CF_ERROR_REMOTE);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
}

/* --- tokens ----------------------------------------------------------------------------------- */

#define TOKEN_1                                                                                    \
    "{\"access_token\":\"tok1\",\"expires_in\":5400,\"refresh_expires_in\":7200,"                  \
    "\"refresh_token\":\"ref1\",\"token_type\":\"bearer\",\"not-before-policy\":0}"
#define TOKEN_2 "{\"access_token\":\"tok2\",\"expires_in\":5400,\"refresh_token\":\"ref2\"}"
#define PASSWORD_FORM "grant_type=password&client_id=console&username=main.sub&password=p%26ss"
#define REFRESH_FORM "grant_type=refresh_token&client_id=console&refresh_token=ref1"

static void
serve_servers(Server *server, const char *token)
{
    serve_rule(server, (Rule){"GET", "/ecs/v1/servers/1/100", token, 200, ONE_SERVER, -1});
    serve_rule(server, (Rule){"POST", "/ecs/v1/servers/s1/action", token, 200, OK_ANSWER, -1});
}

static void
refuse_servers(Server *server)
{
    serve(server, "GET", "/ecs/v1/servers/1/100", 401, "{\"code\":401,\"message\":\"bad token\"}");
    serve(server, "POST", "/ecs/v1/servers/s1/action", 401, "");
}

static void
test_keycloak(Fixture *fixture, gconstpointer data)
{
    open_keycloak(fixture);
    serve(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_1);
    serve_servers(&fixture->server, "tok1");
    run_list(fixture, -1);
    run_list(fixture, -1);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 3);
    assert_seen(&fixture->server, 0, "POST " TOKEN_PATH, PASSWORD_FORM);
    g_assert_cmpstr(header(&fixture->server, 0, "content-type"), ==,
                    "application/x-www-form-urlencoded");
    g_assert_null(header(&fixture->server, 0, "authorization"));
    g_assert_cmpstr(header(&fixture->server, 1, "authorization"), ==, "Bearer tok1");
}

static void
test_client_credentials(Fixture *fixture, gconstpointer data)
{
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/", fixture->server.port);

    set_key(fixture, "auth_url", url);
    set_key(fixture, "realm", "other");
    set_key(fixture, "client_id", "robot");
    set_key(fixture, "client_secret", "s&s");
    open_handle(fixture);
    serve(&fixture->server, "POST", "/auth/realms/other/protocol/openid-connect/token", 200,
          TOKEN_2);
    serve_servers(&fixture->server, "tok2");
    run_list(fixture, -1);
    g_assert_cmpstr(seen_at(&fixture->server, 0)->body->str, ==,
                    "grant_type=client_credentials&client_id=robot&client_secret=s%26s");
}

static void
test_iam(Fixture *fixture, gconstpointer data)
{
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", fixture->server.port);

    set_key(fixture, "auth", "iam");
    set_key(fixture, "auth_url", url);
    set_key(fixture, "username", "u");
    set_key(fixture, "password", "p\"");
    open_handle(fixture);
    serve_once(&fixture->server, "POST", "/auth/v1/token", 200, TOKEN_1);
    serve(&fixture->server, "POST", "/auth/v1/token", 200, TOKEN_2);
    serve_servers(&fixture->server, "tok2");
    refuse_servers(&fixture->server);
    run_list(fixture, -1);
    /* Its refresh call is not known: a 401 leads to another login. */
    g_assert_cmpuint(count_seen(&fixture->server, "POST /auth/v1/token"), ==, 2);
    assert_seen(&fixture->server, 0, "POST /auth/v1/token",
                "{\"username\":\"u\",\"password\":\"p\\\"\"}");
    assert_seen(&fixture->server, 2, "POST /auth/v1/token",
                "{\"username\":\"u\",\"password\":\"p\\\"\"}");
    g_assert_cmpstr(header(&fixture->server, 0, "content-type"), ==, "application/json");
}

static void
test_renew_on_401(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) change = {.kind = ACT, .action = change_action(&changes[0])};

    open_keycloak(fixture);
    serve_once(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_1);
    serve_once(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_2);
    serve_servers(&fixture->server, "tok2");
    refuse_servers(&fixture->server);
    run(fixture, &change); /* a change too: it was refused before anything was done */
    g_assert_no_error(change.error);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 4);
    assert_seen(&fixture->server, 0, "POST " TOKEN_PATH, PASSWORD_FORM);
    assert_seen(&fixture->server, 1, "POST /ecs/v1/servers/s1/action", "{\"os-start\":{}}");
    assert_seen(&fixture->server, 2, "POST " TOKEN_PATH, REFRESH_FORM);
    assert_seen(&fixture->server, 3, "POST /ecs/v1/servers/s1/action", "{\"os-start\":{}}");
    g_assert_cmpstr(header(&fixture->server, 3, "authorization"), ==, "Bearer tok2");
}

static void
test_refresh_refused(Fixture *fixture, gconstpointer data)
{
    open_keycloak(fixture);
    serve_once(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_1);
    serve_once(&fixture->server, "POST", TOKEN_PATH, 400, "{\"error\":\"invalid_grant\"}");
    serve_once(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_2);
    serve_servers(&fixture->server, "tok2");
    refuse_servers(&fixture->server);
    run_list(fixture, -1);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 5);
    assert_seen(&fixture->server, 2, "POST " TOKEN_PATH, REFRESH_FORM);
    assert_seen(&fixture->server, 3, "POST " TOKEN_PATH, PASSWORD_FORM);
}

static void
test_401_twice(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_keycloak(fixture);
    serve(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_1);
    refuse_servers(&fixture->server);
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpstr(cf_error_get_cloud(job.error)->message, ==, "bad token");
    g_assert_cmpuint(count_seen(&fixture->server, "GET /ecs/v1/servers/1/100"), ==, 2);
    g_assert_cmpuint(count_seen(&fixture->server, "POST " TOKEN_PATH), ==, 2);
}

static void
run_side_by_side(Fixture *fixture, guint n)
{
    g_autofree Job *jobs = g_new0(Job, n);

    for (guint i = 0; i < n; i++) {
        jobs[i].kind = LIST;
        jobs[i].page = 1;
        job_start(fixture, &jobs[i]);
    }
    for (guint i = 0; i < n; i++) {
        job_wait(&jobs[i]);
        g_assert_no_error(jobs[i].error);
        job_clear(&jobs[i]);
    }
}

static void
test_single_flight(Fixture *fixture, gconstpointer data)
{
    open_keycloak(fixture);
    serve_rule(&fixture->server, (Rule){"POST", TOKEN_PATH, NULL, 200, TOKEN_1, -1, 150});
    serve_servers(&fixture->server, "tok1");
    run_side_by_side(fixture, 8);
    g_assert_cmpuint(count_seen(&fixture->server, "POST " TOKEN_PATH), ==, 1);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 9);
}

/* Eight calls come home with 401 at different times: one renewal. */
static void
test_single_renewal(Fixture *fixture, gconstpointer data)
{
    open_keycloak(fixture);
    serve_once(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_1);
    serve_rule(&fixture->server, (Rule){"POST", TOKEN_PATH, NULL, 200, TOKEN_2, -1, 100});
    serve_servers(&fixture->server, "tok2");
    for (guint i = 0; i < 8; i++)
        serve_rule(&fixture->server,
                   (Rule){"GET", "/ecs/v1/servers/1/100", "tok1", 401, "", 1, 40 * i});
    run_side_by_side(fixture, 8);
    g_assert_cmpuint(count_seen(&fixture->server, "POST " TOKEN_PATH), ==, 2);
}

/* Runs in the engine's thread: makes the token look as if it had 100 s left of 90 minutes. */
static gboolean
age_token(gpointer data)
{
    CfInspur *inspur = ((Fixture *) data)->handle;

    inspur->token.expires_us = cf_clock_mono_us() + 100 * SECOND;
    return G_SOURCE_REMOVE;
}

#define LIST_LINE "GET /ecs/v1/servers/1/100"

/* Nobody waits for the next token while there is a good one. */
static void
test_renew_ahead(Fixture *fixture, gconstpointer data)
{
    Server *server = &fixture->server;
    gint64 until_us = g_get_monotonic_time() + 30 * SECOND;
    g_autofree char *used = NULL;

    open_keycloak(fixture);
    serve_once(server, "POST", TOKEN_PATH, 200, TOKEN_1);
    serve_rule(server, (Rule){"POST", TOKEN_PATH, NULL, 200, TOKEN_2, 1, .delay_ms = 300});
    serve_servers(server, NULL);
    run_list(fixture, -1);
    cf_http_invoke_wait(fixture->http, age_token, fixture);
    do {
        g_free(used);
        run_list(fixture, -1);
        used = last_header(server, LIST_LINE, "authorization");
    } while (strcmp(used, "Bearer tok2") != 0 && g_get_monotonic_time() < until_us);
    g_assert_cmpstr(used, ==, "Bearer tok2");
    g_assert_cmpuint(count_seen(server, LIST_LINE), >, 2); /* the second one went by the first */
    g_assert_cmpuint(count_seen(server, "POST " TOKEN_PATH), ==, 2);
    for (guint i = 1; i < count_seen(server, NULL); i++)
        if (g_str_has_prefix(seen_at(server, i)->line, "POST"))
            assert_seen(server, i, "POST " TOKEN_PATH, REFRESH_FORM);
}

/* A token that still lives is used on while it cannot be renewed. */
static void
test_renewal_fails(Fixture *fixture, gconstpointer data)
{
    Server *server = &fixture->server;
    gint64 until_us = g_get_monotonic_time() + 30 * SECOND;

    open_keycloak(fixture);
    serve_once(server, "POST", TOKEN_PATH, 200, TOKEN_1);
    serve(server, "POST", TOKEN_PATH, 400, "{\"error\":\"invalid_grant\"}");
    serve_servers(server, "tok1");
    run_list(fixture, -1);
    cf_http_invoke_wait(fixture->http, age_token, fixture);
    run_list(fixture, -1);
    while (count_seen(server, "POST " TOKEN_PATH) < 3 && g_get_monotonic_time() < until_us)
        run_list(fixture, -1);
    run_list(fixture, -1);
    /* By the refresh token and by the password; both refused, which is believed for a while. */
    g_assert_cmpuint(count_seen(server, "POST " TOKEN_PATH), ==, 3);
}

static void
test_wrong_password(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) first = {.kind = LIST, .page = 1};
    g_auto(Job) second = {.kind = LIST, .page = 1};
    g_auto(Job) proof = {.kind = AUTHENTICATE};

    open_keycloak(fixture);
    serve(&fixture->server, "POST", TOKEN_PATH, 401,
          "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid user credentials\"}");
    run(fixture, &first);
    g_assert_error(first.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpstr(cf_error_get_cloud(first.error)->message, ==, "Invalid user credentials");
    g_assert_null(strstr(first.error->message, "p&ss"));
    /* Whoever comes right behind does not knock again: it would lock the account. */
    run(fixture, &second);
    g_assert_error(second.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
    run(fixture, &proof);
    g_assert_error(proof.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 2);
}

static void
test_authenticate(Fixture *fixture, gconstpointer data)
{
    open_keycloak(fixture);
    serve(&fixture->server, "POST", TOKEN_PATH, 200, TOKEN_1);
    for (guint i = 0; i < 2; i++) {
        g_auto(Job) job = {.kind = AUTHENTICATE};

        run(fixture, &job);
        g_assert_no_error(job.error);
    }
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
}

static void
test_token_deadline(Fixture *fixture, gconstpointer data)
{
    gint64 begun = cf_clock_mono_us();
    g_auto(Job) job = {.kind = LIST, .page = 1, .deadline_us = begun + SECOND / 5};

    open_keycloak(fixture);
    serve_rule(&fixture->server, (Rule){"POST", TOKEN_PATH, NULL, 200, TOKEN_1, -1, 1500});
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_TIMEOUT);
    g_assert_cmpint(cf_clock_mono_us() - begun, <, SECOND);
}

/* --- ready tokens ----------------------------------------------------------------------------- */

static void
test_ready_token_refused(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *token, *body, *challenge;
        int error;
    } rows[] = {
        {"opaque", "{\"message\":\"bad token\"}", NULL, CF_ERROR_UNAUTHORIZED},
        {"opaque", "{\"message\":\"Token Expired\"}", NULL, CF_ERROR_EXPIRED},
        {"opaque", "{\"message\":\"令牌已过期\"}", NULL, CF_ERROR_EXPIRED},
        {"opaque", "", "Bearer error=\"invalid_token\", error_description=\"token is expired\"",
         CF_ERROR_EXPIRED},
        /* {"exp":1700000000,"sub":"a"} */
        {"eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDAsInN1YiI6ImEifQ.c2ln", "", NULL,
         CF_ERROR_EXPIRED},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/ecs", fixture->server.port);

        forget(&fixture->server);
        serve_rule(&fixture->server,
                   (Rule){"GET", "/ecs/v1/servers/1/100", NULL, 401, rows[i].body, -1, 0,
                          rows[i].challenge ? "WWW-Authenticate" : NULL, rows[i].challenge});
        set_key(fixture, "endpoint", url);
        set_key(fixture, "token", rows[i].token);
        open_handle(fixture);
        run_list(fixture, rows[i].error);
        g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

static void
test_ready_token_expires(Fixture *fixture, gconstpointer data)
{
    open_token(fixture);
    serve_rule(&fixture->server, (Rule){"GET", "/ecs/v1/servers/1/100", NULL, 200, ONE_SERVER, 1});
    refuse_servers(&fixture->server);
    run_list(fixture, -1);
    run_list(fixture, CF_ERROR_EXPIRED);
}

/* --- signed requests -------------------------------------------------------------------------- */

/* The signature once more, from the fact sheet, without the code under test. */
static char *
sign_by_hand(const Seen *seen, const char *method, const char *target, const char *body)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_MD5, body, -1);
    g_autofree char *full = g_strdup_printf("%s\n%s%sSECRET\n%s%s%s", method,
                                            (char *) g_hash_table_lookup(seen->headers, "x-time"),
                                            (char *) g_hash_table_lookup(seen->headers, "x-random"),
                                            target, *body ? "\n" : "", *body ? digest : "");
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA1, full, -1);

    return g_base64_encode((const guchar *) hash, 40);
}

static void
test_aksk(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint change;
        const char *method, *path, *signed_target, *body;
    } rows[] = {
        {0, "POST", "/ecs/v1/servers/s1/action", "/ecs/v1/servers/s1/action", "{\"os-start\":{}}"},
        {12, "POST", "/ecs/v1/servers/s1/tags", "/ecs/v1/servers/s1/tags?tags=a,b c,中&", ""},
    };

    set_key(fixture, "access_key", "AKID");
    set_key(fixture, "secret_key", "SECRET");
    set_key(fixture, "sign_algorithm", "sha1");
    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT, .action = change_action(&changes[rows[i].change])};
        g_autofree char *sign = NULL;

        serve(&fixture->server, rows[i].method, rows[i].path, 200, OK_ANSWER);
        run(fixture, &job);
        g_assert_no_error(job.error);
        sign = sign_by_hand(seen_at(&fixture->server, i), rows[i].method, rows[i].signed_target,
                            rows[i].body);
        g_assert_cmpstr(header(&fixture->server, i, "x-sign"), ==, sign);
        g_assert_cmpstr(header(&fixture->server, i, "x-secret-id"), ==, "AKID");
        g_assert_cmpstr(header(&fixture->server, i, "x-sign-algorithm"), ==, "sha1");
        g_assert_cmpuint(strlen(header(&fixture->server, i, "x-time")), ==, 13);
        g_assert_null(header(&fixture->server, i, "authorization"));
    }
    g_assert_cmpstr(header(&fixture->server, 0, "x-random"), !=,
                    header(&fixture->server, 1, "x-random"));
}

static void
test_aksk_refused(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    set_key(fixture, "access_key", "AKID");
    set_key(fixture, "secret_key", "SECRET");
    open_handle(fixture);
    serve_rule(&fixture->server, (Rule){"GET", "/ecs/v1/servers/1/100", NULL, 401,
                                        "{\"message\":\"signature\"}", -1});
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_UNAUTHORIZED);
    g_assert_null(strstr(job.error->message, "SECRET"));
    g_assert_cmpuint(count_seen(&fixture->server, NULL), ==, 1);
}

/* --- life ------------------------------------------------------------------------------------- */

static void
assert_never_told(Job *job)
{
    g_usleep(400 * 1000);
    g_assert_false(job->done);
}

static void
test_close_under_way(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_token(fixture);
    serve_rule(&fixture->server,
               (Rule){"GET", "/ecs/v1/servers/1/100", NULL, 200, ONE_SERVER, -1, 200});
    job_start(fixture, &job);
    cf_http_invoke_wait(fixture->http, close_handle, fixture);
    assert_never_told(&job);
}

static void
test_close_waiting(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_keycloak(fixture);
    serve_rule(&fixture->server, (Rule){"POST", TOKEN_PATH, NULL, 200, TOKEN_1, -1, 200});
    job_start(fixture, &job);
    cf_http_invoke_wait(fixture->http, close_handle, fixture);
    assert_never_told(&job);
    g_assert_cmpuint(count_seen(&fixture->server, "GET /ecs/v1/servers/1/100"), ==, 0);
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
    g_auto(Job) job = {.kind = SHOW, .collection = CF_IMAGES, .id = "private"};

    open_token(fixture);
    job.fixture = fixture;
    g_mutex_init(&job.lock);
    g_cond_init(&job.cond);
    cf_http_invoke_wait(fixture->http, start_and_close, &job);
    assert_never_told(&job);
}

/* --- configuration ---------------------------------------------------------------------------- */

#define E "endpoint=https://h/ecs"

static void
test_config(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *keys;
        const char *words; /* (nullable): of the error; NULL: it is good */
    } rows[] = {
        {E "|token=t", NULL},
        {E "|auth=token|token=t", NULL},
        {E "|access_key=a|secret_key=b", NULL},
        {E "|username=u|password=p", NULL},
        {E "|username=u|password=p|auth_url=https://i|client_id=c", NULL},
        {E "|client_secret=s|auth_url=https://i|client_id=c", NULL},
        {E "|auth=iam|username=u|password=p|auth_url=https://i", NULL},
        {E "|auth=aksk|access_key=a|secret_key=b|token=t", NULL},
        {E "|realm=picp|sign_algorithm=sha256|sign_empty_body=yes|token=t", NULL},
        {"token=t", "endpoint"},
        {"endpoint=h/ecs|token=t", "endpoint"},
        {"endpoint=ftp://h|token=t", "https://"},
        {"endpoint=https://|token=t", "endpoint"},
        {"endpoint=https://h/ecs/v1/|token=t", "/v1"},
        {"endpoint=https://h/?a=b|token=t", "endpoint"},
        {"endpoint=https://user:hunter2@h/|token=t", "user name"},
        {E, "token"},
        {E "|auth=basic|token=t", "basic"},
        {E "|auth=token", "token"},
        {E "|auth=token|password=p|username=u", "token"},
        {E "|token=a b", "token"},
        {E "|token=t|access_key=a|secret_key=b", "access_key"},
        {E "|token=t|username=u|password=p", "username"},
        {E "|access_key=a|secret_key=b|username=u|password=p", "username"},
        {E "|access_key=a", "secret_key"},
        {E "|secret_key=a", "access_key"},
        {E "|access_key=a|secret_key=b|sign_algorithm=sha512", "sha512"},
        {E "|access_key=a|secret_key=b|sign_empty_body=maybe", "sign_empty_body"},
        {E "|username=u", "password"},
        {E "|password=p", "username"},
        {E "|username=u|password=p|client_id=c", "auth_url"},
        {E "|username=u|password=p|auth_url=https://i", "client_id"},
        {E "|auth_url=https://i|client_id=c|username=u|client_secret=s", "password"},
        {E "|auth_url=https://i/auth|client_id=c|username=u|password=p", "/auth"},
        {E "|auth=keycloak|client_id=c|username=u|password=p", "auth_url"},
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
            g_assert_cmpstr(ops->get_endpoint(fixture->handle), ==, "https://h/ecs");
        }
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

static void
test_table(Fixture *fixture, gconstpointer data)
{
    static const char *const secrets[] = {"token", "client_secret", "password", "secret_key"};
    guint n = 0;

    g_assert_true(cf_providers_find("inspur") == ops);
    g_assert_null(cf_providers_find("none"));
    g_assert_true(cf_providers_get()[0] == ops);
    for (const CfProviderKey *key = ops->keys; key->name; key++) {
        gboolean secret = FALSE;

        for (guint i = 0; i < G_N_ELEMENTS(secrets); i++)
            secret |= strcmp(key->name, secrets[i]) == 0;
        g_assert_cmpint(key->secret, ==, secret);
        g_assert_cmpint(key->required, ==, strcmp(key->name, "endpoint") == 0);
        g_assert_nonnull(key->doc);
        n++;
    }
    g_assert_cmpuint(n, ==, 14);
    g_assert_cmpuint(ops->batch_max, ==, 100);
    g_assert_cmpstr(ops->consoles[0], ==, "novnc");
    g_assert_true(ops->tags_apart);
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
    add("/inspur-call/reads", test_reads);
    add("/inspur-call/page-size", test_page_size);
    add("/inspur-call/changes", test_changes);
    add("/inspur-call/page", test_page);
    add("/inspur-call/show", test_show);
    add("/inspur-call/results", test_results);
    add("/inspur-call/action-errors", test_action_errors);
    add("/inspur-call/list-404", test_list_404);
    add("/inspur-call/redirect", test_redirect);
    add("/inspur-call/refused-without-a-call", test_refused_here);
    add("/inspur-call/patch-type", test_patch_type);
    add("/inspur-call/patch-type-neither", test_patch_type_neither);
    add("/inspur-call/tags-as-form", test_tags_as_form);
    add("/inspur-call/tags-refused", test_tags_refused);
    add("/inspur-call/delete-elsewhere", test_delete_elsewhere);
    add("/inspur-call/delete-nowhere", test_delete_nowhere);
    add("/inspur-call/keycloak", test_keycloak);
    add("/inspur-call/client-credentials", test_client_credentials);
    add("/inspur-call/iam", test_iam);
    add("/inspur-call/renew-on-401", test_renew_on_401);
    add("/inspur-call/refresh-refused", test_refresh_refused);
    add("/inspur-call/401-twice", test_401_twice);
    add("/inspur-call/single-flight", test_single_flight);
    add("/inspur-call/single-renewal", test_single_renewal);
    add("/inspur-call/renew-ahead", test_renew_ahead);
    add("/inspur-call/renewal-fails", test_renewal_fails);
    add("/inspur-call/wrong-password", test_wrong_password);
    add("/inspur-call/authenticate", test_authenticate);
    add("/inspur-call/token-deadline", test_token_deadline);
    add("/inspur-call/ready-token-refused", test_ready_token_refused);
    add("/inspur-call/ready-token-expires", test_ready_token_expires);
    add("/inspur-call/aksk", test_aksk);
    add("/inspur-call/aksk-refused", test_aksk_refused);
    add("/inspur-call/close-under-way", test_close_under_way);
    add("/inspur-call/close-waiting", test_close_waiting);
    add("/inspur-call/close-refused", test_close_refused);
    add("/inspur-call/config", test_config);
    add("/inspur-call/table", test_table);
    return g_test_run();
}
