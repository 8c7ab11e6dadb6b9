#include "sim/inspur.h"
#include "test-sim-client.h"

static CfSim *
start(guint servers, gboolean hostile)
{
    CfSimOptions options;
    g_autoptr(GError) error = NULL;
    CfSim *sim;

    cf_sim_options_init(&options);
    options.servers = servers;
    options.images = 4;
    options.hostile = hostile;
    options.transition_ms = 10000;
    options.no_auth = TRUE;
    sim = cf_sim_new(&options, &error);
    g_assert_no_error(error);
    return sim;
}

/* An empty cloud with a frozen clock. */
static CfSim *
start_frozen(void)
{
    CfSim *sim = start(0, FALSE);

    admin(sim, "POST", "/_sim/settings", "{\"freeze\":true}");
    return sim;
}

static void
add_server(CfSim *sim, const char *id, const char *status, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"id\":\"%s\",\"name\":\"%s\",\"status\":\"%s\",\"task_state\":null%s}",
                        id, id, status, more);

    admin(sim, "POST", "/_sim/servers", body);
}

static void
advance(CfSim *sim, guint ms)
{
    g_autofree char *body = g_strdup_printf("{\"advance_ms\":%u}", ms);

    admin(sim, "POST", "/_sim/clock", body);
}

static void
assert_state(CfSim *sim, const char *id, const char *status, const char *task)
{
    g_autofree char *path = g_strdup_printf("/v1/servers/%s", id);
    g_autoptr(Reply) reply = call(sim, "GET", path, NULL);

    g_assert_cmpstr(text(reply, "data.server.status"), ==, status);
    g_assert_cmpstr(text(reply, "data.server.task_state"), ==, task);
}

/* code: (nullable): it succeeds. */
static void
assert_action(CfSim *sim, const char *path, const char *body, guint status, const char *code)
{
    g_autoptr(Reply) reply = call(sim, "POST", path, body);

    g_assert_cmpuint(reply->status, ==, status);
    if (code)
        g_assert_cmpstr(text(reply, "code"), ==, code);
}

static void
test_start_stop(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "a", "shutoff", "");
    assert_action(sim, "/v1/servers/a/action", "{\"os-start\":{}}", 200, NULL);
    assert_state(sim, "a", "shutoff", "powering-on");
    assert_action(sim, "/v1/servers/a/action", "{\"os-start\":{}}", 400, "101.001012");
    advance(sim, 9999);
    assert_state(sim, "a", "shutoff", "powering-on");
    advance(sim, 1);
    assert_state(sim, "a", "ACTIVE", NULL);
    assert_action(sim, "/v1/servers/a/action", "{\"os-start\":{}}", 400, "101.001012");
    assert_action(sim, "/ecs/v1/servers/a/action", "{\"os-stop\":{}}", 200, NULL);
    assert_state(sim, "a", "ACTIVE", "powering-off");
    admin(sim, "POST", "/_sim/settings", "{\"task_state_visible\":false}");
    assert_state(sim, "a", "ACTIVE", NULL);
    advance(sim, 10000);
    assert_state(sim, "a", "SHUTOFF", NULL);
}

static void
test_reboot(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "a", "ACTIVE", "");
    add_server(sim, "e", "ERROR", "");
    add_server(sim, "d", "DELETED", "");
    assert_action(sim, "/v1/servers/a/action", "{\"reboot\":{}}", 200, NULL);
    assert_state(sim, "a", "REBOOT", NULL);
    assert_action(sim, "/v1/servers/a/action", "{\"reboot\":{\"type\":\"SOFT\"}}", 400,
                  "101.001012");
    advance(sim, 10000);
    assert_state(sim, "a", "ACTIVE", NULL);
    assert_action(sim, "/v1/servers/e/action", "{\"reboot\":{\"type\":\"SOFT\"}}", 400,
                  "101.001012");
    assert_action(sim, "/v1/servers/e/action", "{\"reboot\":{\"type\":\"HARD\"}}", 200, NULL);
    assert_state(sim, "e", "HARD_REBOOT", NULL);
    advance(sim, 10000);
    assert_state(sim, "e", "ACTIVE", NULL);
    assert_action(sim, "/v1/servers/d/action", "{\"reboot\":{\"type\":\"HARD\"}}", 400,
                  "101.001012");
    assert_action(sim, "/v1/servers/a/action", "{\"reboot\":{\"type\":\"WARM\"}}", 400,
                  "101.001002");
}

static void
test_refusals(void)
{
    static const struct {
        const char *path, *body, *code;
    } cases[] = {
        {"/v1/servers/none/action", "{\"os-start\":{}}", "101.001033"},
        {"/v1/servers/none/action", "{\"os-stop\":{}}", "101.001013"},
        {"/v1/servers/foreign/action", "{\"os-stop\":{}}", "101.001013"},
        {"/v1/servers/unbilled/action", "{\"os-stop\":{}}", "101.001014"},
        {"/v1/servers/failing/action", "{\"os-stop\":{}}", "101.001040"},
        {"/v1/servers/failing/action", "{\"createImage\":{\"name\":\"x\"}}", "101.003007"},
        {"/v1/servers/error/action", "{\"createImage\":{\"name\":\"x\"}}", "101.003011"},
        {"/v1/servers/active/action", "{\"createImage\":{\"name\":\"\"}}", "101.001002"},
        {"/v1/servers/active/action", "{\"os-getVNCConsole\":{\"type\":\"x\"}}", "101.001002"},
        {"/v1/servers/error/action", "{\"os-getVNCConsole\":{\"type\":\"novnc\"}}", "101.001012"},
        {"/v1/servers/active/action", "{\"dance\":{}}", "101.001002"},
        {"/v1/servers/active/action", "not json", "101.001002"},
        {"/v1/servers/active/action", "", "101.001002"},
        {"/v1/servers/active/action", "{\"os-stop\":{},\"os-start\":{}}", "101.001002"},
        {"/v1/servers/action", "{\"os-stop\":{\"servers\":[]}}", "101.001002"},
        {"/v1/servers/action", "{\"os-stop\":{\"servers\":[\"active\"]}}", "101.001002"},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "active", "ACTIVE", "");
    add_server(sim, "error", "ERROR", "");
    add_server(sim, "foreign", "ACTIVE", ",\"$flags\":{\"foreign\":true}");
    add_server(sim, "unbilled", "ACTIVE", ",\"$flags\":{\"unbilled\":true}");
    add_server(sim, "failing", "ACTIVE", ",\"$flags\":{\"failing\":true}");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_action(sim, cases[i].path, cases[i].body, 400, cases[i].code);
    assert_state(sim, "active", "ACTIVE", NULL);
}

static void
test_code_styles(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) bare = NULL;
    g_autoptr(Reply) digits = NULL;

    add_server(sim, "failing", "ACTIVE", ",\"$flags\":{\"failing\":true}");
    admin(sim, "POST", "/_sim/settings", "{\"code_style\":\"bare\"}");
    bare = call(sim, "POST", "/v1/servers/failing/action", "{\"os-stop\":{}}");
    g_assert_cmpstr(text(bare, "code"), ==, "001040");
    admin(sim, "POST", "/_sim/settings", "{\"code_style\":\"number\",\"http_200_errors\":true}");
    digits = call(sim, "POST", "/v1/servers/failing/action", "{\"os-stop\":{}}");
    g_assert_cmpuint(digits->status, ==, 200);
    g_assert_nonnull(strstr(digits->body->str, "\"code\":101.00104,"));
}

/* Returns: (transfer full): a batch of the servers s0, s1, … */
static char *
batch(const char *action, const char *type, guint n)
{
    GString *body = g_string_new(NULL);

    g_string_append_printf(body, "{\"%s\":{%s\"servers\":[", action, type);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(body, "%s{\"id\":\"s%u\"}", i ? "," : "", i);
    g_string_append(body, "]}}");
    return g_string_free(body, FALSE);
}

static void
test_batch(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autofree char *start_100 = batch("os-start", "", 100);
    g_autofree char *stop_100 = batch("os-stop", "\"type\":\"HARD\",", 100);
    g_autofree char *start_101 = batch("os-start", "", 101);

    for (guint i = 0; i < 101; i++) {
        g_autofree char *id = g_strdup_printf("s%u", i);

        add_server(sim, id, i == 99 ? "ACTIVE" : "SHUTOFF", "");
    }
    assert_action(sim, "/v1/servers/action", start_101, 400, "101.001002");
    assert_action(sim, "/v1/servers/action", start_100, 400, "101.001012");
    assert_state(sim, "s0", "SHUTOFF", NULL); /* the batch did nothing at all */
    admin(sim, "PATCH", "/_sim/servers/s99", "{\"status\":\"SHUTOFF\"}");
    assert_action(sim, "/v1/servers/action", start_100, 200, NULL);
    advance(sim, 10000);
    assert_state(sim, "s0", "ACTIVE", NULL);
    assert_state(sim, "s99", "ACTIVE", NULL);
    assert_state(sim, "s100", "SHUTOFF", NULL);
    assert_action(sim, "/v1/servers/action", stop_100, 200, NULL);
    advance(sim, 10000);
    assert_state(sim, "s42", "SHUTOFF", NULL);
}

static void
test_image_life(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = NULL;
    g_autofree char *path = NULL;
    const char *update = "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"new\"}]";

    add_server(sim, "a", "ACTIVE", "");
    made = call(sim, "POST", "/v1/servers/a/action", "{\"createImage\":{\"name\":\"old\"}}");
    g_assert_cmpuint(made->status, ==, 201);
    g_assert_cmpfloat(number(made, "code"), ==, 201);
    path = g_strdup_printf("/v1/images/%s", text(made, "data.image_id"));
    for (guint i = 0; i < 3; i++) {
        static const char *const states[] = {"queued", "saving", "active"};
        g_autoptr(Reply) shown = call(sim, "GET", path, NULL);
        g_autoptr(Reply) changed = call(sim, "PATCH", path, update);

        g_assert_cmpstr(text(shown, "data.status"), ==, states[i]);
        g_assert_cmpuint(changed->status, ==, i < 2 ? 400 : 200);
        if (i < 2)
            g_assert_cmpstr(text(changed, "code"), ==, "101.003016");
        advance(sim, 5000);
    }
    {
        g_autofree char *used = g_strdup_printf("{\"image\":{\"id\":\"%s\"}}", path + 11);
        g_autoptr(Reply) shown = call(sim, "GET", path, NULL);
        g_autoptr(Reply) refused = NULL;
        g_autoptr(Reply) deleted = NULL;

        g_assert_cmpstr(text(shown, "data.name"), ==, "new");
        admin(sim, "PATCH", "/_sim/servers/a", used);
        refused = call(sim, "DELETE", path, NULL);
        g_assert_cmpstr(text(refused, "code"), ==, "101.003015");
        admin(sim, "PATCH", "/_sim/servers/a", "{\"image\":null}");
        deleted = call(sim, "DELETE", path, NULL);
        g_assert_cmpuint(deleted->status, ==, 200);
        g_assert_null(member(deleted, "message"));
        g_assert_cmpstr(text(deleted, "data"), ==, "");
    }
}

static void
test_image_refusals(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    const char *update = "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"new\"}]";
    g_autoptr(Reply) public = NULL;
    g_autoptr(Reply) unknown = NULL;
    g_autoptr(Reply) plain = NULL;
    g_autoptr(Reply) many = NULL;
    g_autoptr(Reply) again = NULL;

    admin(sim, "POST", "/_sim/images", "{\"id\":\"pub\",\"visibility\":\"public\"}");
    admin(sim, "POST", "/_sim/images",
          "{\"id\":\"own\",\"visibility\":\"private\",\"status\":\"active\",\"protected\":false}");
    public = call(sim, "PATCH", "/v1/images/pub", update);
    g_assert_cmpstr(text(public, "code"), ==, "101.003017");
    unknown = call(sim, "DELETE", "/v1/images/none", NULL);
    g_assert_cmpuint(unknown->status, ==, 500);
    g_assert_cmpstr(text(unknown, "code"), ==, "101.003006");
    plain = call(sim, "POST", "/v1/images/delete", "{\"images\":[{\"id\":\"own\"}]}");
    g_assert_cmpuint(plain->status, ==, 404);
    many = call(sim, "POST", "/v1/images/action/delete",
                "{\"images\":[{\"id\":\"own\"},{\"id\":\"pub\"},{\"id\":\"none\"}]}");
    g_assert_cmpstr(text(many, "data.status"), ==, "删除成功1台,删除失败2台");
    admin(sim, "POST", "/_sim/settings", "{\"batch_delete_path\":\"plain\"}");
    again = call(sim, "POST", "/v1/images/delete", "{\"images\":[{\"id\":\"own\"}]}");
    g_assert_cmpstr(text(again, "code"), ==, "101.003006");
}

static void
test_tags(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    const char *const path = "/v1/servers/a/tags";
    const char *form = "Content-Type: application/x-www-form-urlencoded\r\n";

    add_server(sim, "a", "ACTIVE", "");
    {
        g_autoptr(Reply) set = call(sim, "POST", "/v1/servers/a/tags?tags=b,a,%E4%B8%AD,a", NULL);
        g_autoptr(Reply) shown = call(sim, "GET", path, NULL);

        g_assert_cmpuint(set->status, ==, 200);
        g_assert_cmpint(cJSON_GetArraySize(member(shown, "data.tags")), ==, 3);
        g_assert_cmpstr(text(shown, "data.tags.2"), ==, "中");
    }
    {
        g_autoptr(Reply) set G_GNUC_UNUSED = call_with(sim, "POST", path, form, "tags=only%20one");
        g_autoptr(Reply) shown = call(sim, "GET", path, NULL);

        g_assert_cmpint(cJSON_GetArraySize(member(shown, "data.tags")), ==, 1);
        g_assert_cmpstr(text(shown, "data.tags.0"), ==, "only one");
    }
    {
        g_autoptr(Reply) missing = call(sim, "POST", path, NULL);
        g_autoptr(Reply) cleared G_GNUC_UNUSED =
            call(sim, "POST", "/v1/servers/a/tags?tags=", NULL);
        g_autoptr(Reply) shown = call(sim, "GET", path, NULL);

        g_assert_cmpstr(text(missing, "code"), ==, "101.001002");
        g_assert_cmpint(cJSON_GetArraySize(member(shown, "data.tags")), ==, 0);
    }
}

static void
test_pages(void)
{
    const guint n = g_getenv("CF_UNDER_VALGRIND") ? 10000 : 100000; /* which takes minutes */
    g_autofree char *last = g_strdup_printf("/v1/servers/%u/100", n / 100);
    g_autoptr(CfSim) sim = start(n, FALSE);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gint64 began = g_get_monotonic_time();

    for (guint page = 1; page <= n / 10000 + 1; page++) {
        g_autofree char *path = g_strdup_printf("/v1/servers/%u/10000", page);
        g_autoptr(Reply) reply = call(sim, "GET", path, NULL);
        const cJSON *server;

        g_assert_cmpfloat(number(reply, "data.totalCount"), ==, n);
        cJSON_ArrayForEach (server, member(reply, "data.servers"))
            g_hash_table_add(seen, g_strdup(cJSON_GetObjectItem(server, "id")->valuestring));
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, n);
    began = g_get_monotonic_time();
    for (guint i = 0; i < 200; i++) {
        g_autoptr(Reply) reply = call(sim, "GET", last, NULL);

        g_assert_cmpint(cJSON_GetArraySize(member(reply, "data.servers")), ==, 100);
    }
    g_test_message("200 pages in %" G_GINT64_FORMAT " ms", (g_get_monotonic_time() - began) / 1000);
    if (g_test_perf())
        g_assert_cmpint(g_get_monotonic_time() - began, <, 2 * G_USEC_PER_SEC);
}

static void
test_max_page_and_search(void)
{
    g_autoptr(CfSim) sim = start(30, FALSE);
    g_autoptr(Reply) cut = NULL;
    g_autoptr(Reply) found = NULL;
    g_autoptr(Reply) unusual = NULL;
    g_autoptr(Reply) oldest = NULL;

    add_server(sim, "needle", "WEIRD", ",\"created\":\"1999-01-01T00:00:00Z\"");
    admin(sim, "POST", "/_sim/settings", "{\"max_page\":7}");
    cut = call(sim, "GET", "/v1/servers/5/100", NULL);
    g_assert_cmpint(cJSON_GetArraySize(member(cut, "data.servers")), ==, 3);
    found = call(sim, "GET", "/v1/servers/1/5?searchField=name&searchValue=eedl", NULL);
    g_assert_cmpfloat(number(found, "data.totalCount"), ==, 1);
    unusual = call(sim, "GET", "/v1/servers/1/5?searchField=status&searchValue=unusual", NULL);
    g_assert_nonnull(strstr(unusual->body->str, "needle"));
    oldest = call(sim, "GET", "/v1/servers/1/5?sortField=createTime&sortOrder=ascend", NULL);
    g_assert_cmpstr(text(oldest, "data.servers.0.id"), ==, "needle");
}

/* The vectors of the published description of the signature. */
static void
test_signature(void)
{
    static const struct {
        const char *algorithm, *method, *uri, *body, *sign;
    } cases[] = {
        {"md5", "GET",
         "/ecs/v1/servers/1/10?searchValue=web&sortField=createTime&sortOrder=descend", NULL,
         "MDJmYWY1NTIxODllZTY5NmZlOTA3MTdmOWNhYjYzMDM="},
        {"sha1", "GET",
         "/ecs/v1/servers/1/10?searchValue=web&sortField=createTime&sortOrder=descend", NULL,
         "ZGU4OWE4ZDk0ZTk2YjljMWM0MDM2Y2U0YjZhOGVlNTA5NWUxMGI1NQ=="},
        {"sha256", "GET",
         "/ecs/v1/servers/1/10?searchValue=web&sortField=createTime&sortOrder=descend", NULL,
         "Yzg4ZWI5ZDdkYjg2MTI5M2VlMWRhYjI4NWM1MGMzNWIxMjE1MDllZjJlN2E5MmZjN2E0ZjFhYzRkNmE5OTdiZQ="
         "="},
        {"md5", "GET",
         "/ecs/v1/servers/1/10?searchValue=web&sortField=createTime&sortOrder=descend", "",
         "MjcwYmI2MjMyOTkwMDAwMGEyOGIyMmVmM2U4MTRmNmQ="},
        {"sha256", "GET",
         "/ecs/v1/servers/1/10?searchValue=web&sortField=createTime&sortOrder=descend", "",
         "NTA5ZTk3ODI0YjI5Y2M5ZWU3ZTU2YTM0MWUxMGFkZGVmYmY4Zjk3MTRmNTM5NjE2ZGZhN2M2ZGEwZTQxYTE4MQ="
         "="},
        {"md5", "POST", "/ecs/v1/servers/9168b536-cd40-4630-b43f-b259807c6e87/action",
         "{\"os-start\":{}}", "MTNhOTIxYTA3ZWNjNDdhYTU3YmMyOGJhZWI0MmQyOWU="},
        {"sha1", "POST", "/ecs/v1/servers/9168b536-cd40-4630-b43f-b259807c6e87/action",
         "{\"os-start\":{}}", "MjdhZDhiMjVjYjliNzNmY2E0M2IyNGQxYmE0ZGJmMDAxMmI5NTY3ZA=="},
        {"sha256", "POST", "/ecs/v1/servers/9168b536-cd40-4630-b43f-b259807c6e87/action",
         "{\"os-start\":{}}",
         "NjUwMjFjOWI2ZTAwYzRmM2Y4NmU0MDYyNWY2NTE1ZTUwNDg0NDFhOTUxNGFjMTM3OGZiODhkNTViMmNhYTk3Zg="
         "="},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sign =
            cf_sim_inspur_sign(cases[i].algorithm, cases[i].method, cases[i].uri, cases[i].body,
                               "1700000000000", "abcdef0123456789", "SECRETKEYEXAMPLE");

        g_assert_cmpstr(sign, ==, cases[i].sign);
    }
    g_assert_null(cf_sim_inspur_sign("crc32", "GET", "/", NULL, "1", "2", "3"));
}

static void
test_hostile(void)
{
    g_autoptr(CfSim) one = start(400, TRUE);
    g_autoptr(CfSim) two = start(400, TRUE);
    g_autoptr(Reply) first = call(one, "GET", "/v1/servers/1/400", NULL);
    g_autoptr(Reply) second = call(two, "GET", "/v1/servers/1/400", NULL);
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint unparsed = 0;

    g_assert_cmpuint(first->body->len, ==, second->body->len);
    g_assert_true(memcmp(first->body->str, second->body->str, first->body->len) == 0);
    for (guint i = 1; i <= 400; i++) {
        g_autofree char *path = g_strdup_printf("/v1/servers/%u/1", i);
        g_autoptr(Reply) reply = call(one, "GET", path, NULL);

        if (!reply->json) { /* lone surrogates: JSON, but not for cJSON */
            g_assert_nonnull(strstr(reply->body->str, "\\ud800"));
            unparsed++;
            continue;
        }
        g_assert_cmpstr(text(reply, "data.servers.0.id"), !=, "");
        g_assert_true(g_hash_table_add(ids, g_strdup(text(reply, "data.servers.0.id"))));
    }
    g_assert_cmpuint(unparsed, ==, 1);
    g_assert_cmpuint(g_hash_table_size(ids), ==, 399);
}

static void
test_odd_ids(void)
{
    g_autoptr(CfSim) sim = start(200, TRUE);
    g_autoptr(Reply) slash = call(sim, "GET", "/v1/servers/slash%2Fin%2Fid", NULL);
    g_autoptr(Reply) percent = call(sim, "GET", "/v1/servers/percent%252Fid", NULL);

    g_assert_cmpstr(text(slash, "data.server.id"), ==, "slash/in/id");
    g_assert_cmpstr(text(percent, "data.server.id"), ==, "percent%2Fid");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim/start-stop", test_start_stop);
    g_test_add_func("/sim/reboot", test_reboot);
    g_test_add_func("/sim/refusals", test_refusals);
    g_test_add_func("/sim/code-styles", test_code_styles);
    g_test_add_func("/sim/batch-is-one", test_batch);
    g_test_add_func("/sim/image-life", test_image_life);
    g_test_add_func("/sim/image-refusals", test_image_refusals);
    g_test_add_func("/sim/tags", test_tags);
    g_test_add_func("/sim/pages", test_pages);
    g_test_add_func("/sim/max-page-and-search", test_max_page_and_search);
    g_test_add_func("/sim/signature", test_signature);
    g_test_add_func("/sim/hostile", test_hostile);
    g_test_add_func("/sim/odd-ids", test_odd_ids);
    return g_test_run();
}
