#include "sim/openstack.h"
#include "test-sim-client.h"

#define KEY "FAKEKEYOFTESTS"
#define SECRET "fake-secret-of-tests"
#define SERVERS "/compute/v2.1/servers"
#define PATCH_TYPE "Content-Type: application/openstack-images-v2.1-json-patch\r\n"

static CfSim *
start(guint servers)
{
    CfSimOptions options;
    g_autoptr(GError) error = NULL;
    CfSim *sim;

    cf_sim_options_init(&options);
    options.dialect = "openstack";
    options.servers = servers;
    options.images = 0;
    options.transition_ms = 9000;
    options.access_key = KEY;
    options.secret_key = SECRET;
    options.token = "fake-token";
    options.username = "alice";
    options.password = "fake-password";
    sim = cf_sim_new(&options, &error);
    g_assert_no_error(error);
    admin(sim, "POST", "/_sim/settings", "{\"freeze\":true}");
    return sim;
}

static Reply *
ask_at(CfSim *sim, guint version, const char *method, const char *path, const char *body)
{
    g_autofree char *headers =
        g_strdup_printf("X-Auth-Token: fake-token\r\nX-OpenStack-Nova-API-Version: 2.%u\r\n"
                        "Accept: application/json\r\n%s",
                        version, strcmp(method, "PATCH") == 0 ? PATCH_TYPE : "");

    return call_with(sim, method, path, headers, body);
}

static Reply *
ask(CfSim *sim, const char *method, const char *path, const char *body)
{
    return ask_at(sim, 93, method, path, body);
}

static void
assert_status(CfSim *sim, const char *method, const char *path, const char *body, guint status,
              const char *words)
{
    g_autoptr(Reply) reply = ask(sim, method, path, body);

    if (reply->status != status || (words && !strstr(reply->body->str, words)))
        g_error("%s %s %s: %u %s", method, path, body, reply->status, reply->body->str);
}

static void
add_server(CfSim *sim, const char *id, const char *status, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"id\":\"%s\",\"name\":\"name-of-%s\",\"status\":\"%s\"%s}", id, id,
                        status, more ? more : "");

    admin(sim, "POST", "/_sim/servers", body);
}

static void
advance(CfSim *sim, guint ms)
{
    g_autofree char *body = g_strdup_printf("{\"advance_ms\":%u}", ms);

    admin(sim, "POST", "/_sim/clock", body);
}

static void
assert_server(CfSim *sim, const char *id, const char *status, const char *task)
{
    g_autofree char *path = g_strconcat(SERVERS "/", id, NULL);
    g_autoptr(Reply) reply = ask(sim, "GET", path, NULL);

    g_assert_cmpstr(text(reply, "server.status"), ==, status);
    g_assert_cmpstr(text(reply, "server.OS-EXT-STS:task_state"), ==, task);
}

static void
act(CfSim *sim, const char *id, const char *body, guint status, const char *words)
{
    g_autofree char *path = g_strdup_printf(SERVERS "/%s/action", id);

    assert_status(sim, "POST", path, body, status, words);
}

/* ---- Keystone ---- */

#define BY_CREDENTIAL(secret)                                                                      \
    "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"                           \
    "\"application_credential\":{\"id\":\"" KEY "\",\"secret\":\"" secret "\"}}}}"
#define BY_PASSWORD(domain, password, project)                                                     \
    "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"name\":"        \
    "\"alice\",\"domain\":{" domain "},\"password\":\"" password "\"}}},\"scope\":{\"project\":{"  \
    "\"name\":\"" project "\",\"domain\":{\"id\":\"default\"}}}}}"

static void
test_tokens(void)
{
    static const struct {
        const char *body;
        guint status;
    } cases[] = {
        {BY_CREDENTIAL(SECRET), 201},
        {BY_CREDENTIAL("fake-wrong"), 401},
        {BY_PASSWORD("\"name\":\"Default\"", "fake-password", "demo"), 201},
        {BY_PASSWORD("\"id\":\"default\"", "fake-password", "demo"), 201},
        {BY_PASSWORD("\"name\":\"Other\"", "fake-password", "demo"), 401},
        {BY_PASSWORD("\"name\":\"Default\"", "fake-wrong", "demo"), 401},
        {BY_PASSWORD("\"name\":\"Default\"", "fake-password", "other"), 401},
        {"{\"auth\":{}}", 400},
        {"[]", 400},
        {"not json", 400},
    };
    g_autoptr(CfSim) sim = start(0);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reply) reply = call(sim, "POST", "/identity/v3/auth/tokens", cases[i].body);

        if (reply->status != cases[i].status)
            g_error("%s: %u %s", cases[i].body, reply->status, reply->body->str);
        g_assert_cmpint(strstr(reply->head->str, "X-Subject-Token: ") != NULL, ==,
                        reply->status == 201);
        if (reply->status == 201) {
            g_assert_cmpint(cJSON_GetArraySize(member(reply, "token.catalog")), ==, 4);
            g_assert_cmpint(cJSON_GetArraySize(member(reply, "token.catalog.3.endpoints")), ==, 6);
        } else {
            g_assert_cmpfloat(number(reply, "error.code"), ==, reply->status);
        }
    }
}

static void
test_token_ends(void)
{
    g_autoptr(CfSim) sim = start(0);
    g_autoptr(Reply) reply = call(sim, "POST", "/identity/v3/auth/tokens", BY_CREDENTIAL(SECRET));
    const char *begin = strstr(reply->head->str, "X-Subject-Token: ");
    g_autofree char *token = g_strndup(begin + 17, strcspn(begin + 17, "\r"));
    g_autofree char *header = g_strdup_printf("X-Auth-Token: %s\r\n", token);
    g_autoptr(Reply) good = call_with(sim, "GET", SERVERS "/detail", header, NULL);
    g_autoptr(Reply) spent = NULL, html = NULL;

    g_assert_cmpuint(good->status, ==, 200);
    admin(sim, "POST", "/_sim/tokens/revoke", "{}");
    spent = call_with(sim, "GET", SERVERS "/detail", header, NULL);
    g_assert_cmpuint(spent->status, ==, 401);
    g_assert_cmpfloat(number(spent, "error.code"), ==, 401);
    html = call_with(sim, "GET", "/image/v2/images", "Accept: text/html\r\n", NULL);
    g_assert_cmpuint(html->status, ==, 401);
    g_assert_nonnull(strstr(html->body->str, "<h1>401 Unauthorized</h1>"));
}

/* ---- Microversions ---- */

static void
test_versions(void)
{
    static const struct {
        const char *key;
        guint from;
    } members[] = {{"locked", 9}, {"description", 19}, {"tags", 26}, {"locked_reason", 73}};
    g_autoptr(CfSim) sim = start(1);
    g_autoptr(Reply) root = call(sim, "GET", "/compute/v2.1/", NULL);
    g_autoptr(Reply) images = call(sim, "GET", "/image", NULL);
    g_autoptr(Reply) above = NULL, old = NULL, malformed = NULL;

    g_assert_cmpstr(text(root, "version.version"), ==, "2.93");
    g_assert_cmpuint(images->status, ==, 300);
    g_assert_cmpstr(text(images, "versions.0.status"), ==, "CURRENT");
    g_assert_true(g_str_has_suffix(text(images, "versions.0.links.0.href"), "/image/v2/"));
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autoptr(Reply) before = ask_at(sim, members[i].from - 1, "GET", SERVERS "/detail", NULL);
        g_autoptr(Reply) since = ask_at(sim, members[i].from, "GET", SERVERS "/detail", NULL);

        g_assert_null(cJSON_GetObjectItem(member(before, "servers.0"), members[i].key));
        g_assert_nonnull(cJSON_GetObjectItem(member(since, "servers.0"), members[i].key));
    }
    old = ask_at(sim, 46, "GET", SERVERS "/detail", NULL);
    g_assert_nonnull(member(old, "servers.0.flavor.id"));
    g_assert_null(member(old, "servers.0.flavor.vcpus"));
    above = ask_at(sim, 94, "GET", SERVERS "/detail", NULL);
    g_assert_cmpuint(above->status, ==, 406);
    g_assert_cmpfloat(number(above, "computeFault.code"), ==, 406);
    malformed =
        call_with(sim, "GET", SERVERS "/detail",
                  "X-Auth-Token: fake-token\r\nOpenStack-API-Version: compute two\r\n", NULL);
    g_assert_cmpuint(malformed->status, ==, 400);
}

/* ---- Lists ---- */

static guint
count(const Reply *reply, const char *list)
{
    g_assert_cmpuint(reply->status, ==, 200);
    return (guint) cJSON_GetArraySize(member(reply, list));
}

static void
test_pages(void)
{
    g_autoptr(CfSim) sim = start(20);
    g_autofree char *marker = NULL;
    guint pages = 0, n = 0;
    gboolean more = TRUE;

    while (more) {
        g_autofree char *path =
            g_strdup_printf(SERVERS "/detail?limit=5&sort_key=created_at&sort_dir=asc%s%s",
                            marker ? "&marker=" : "", marker ? marker : "");
        g_autoptr(Reply) page = ask(sim, "GET", path, NULL);
        guint on_page = count(page, "servers");

        more = member(page, "servers_links") != NULL;
        pages++;
        n += on_page;
        if (on_page == 0)
            break;
        g_free(marker);
        {
            g_autofree char *last = g_strdup_printf("servers.%u.id", on_page - 1);

            marker = g_strdup(text(page, last));
        }
        if (more)
            g_assert_nonnull(strstr(text(page, "servers_links.0.href"), marker));
    }
    g_assert_cmpuint(n, ==, 20);
    g_assert_cmpuint(pages, ==, 5); /* the last one is empty */
    assert_status(sim, "GET", SERVERS "/detail?limit=-1", NULL, 400, "limit");
    assert_status(sim, "GET", SERVERS "/detail?limit=0", NULL, 200, "[]");
    assert_status(sim, "GET", SERVERS "/detail?marker=x", NULL, 400, "marker [x] not found");
    assert_status(sim, "GET", SERVERS "/detail?sort_key=x", NULL, 400, "sort_key");
    assert_status(sim, "GET", SERVERS "/detail?colour=x", NULL, 400, "colour");
}

static void
test_filters(void)
{
    static const struct {
        const char *query;
        guint n;
    } cases[] = {
        {"status=SHUTOFF", 1},     {"status=shutoff", 1},      {"name=^name-of-a$", 1},
        {"name=of-", 3},           {"name=OF-B", 1},           {"tags=red,blue", 1},
        {"tags-any=red,green", 2}, {"not-tags=red", 1},        {"locked=true", 1},
        {"status=ACTIVE", 2},      {"name=of-&tags=green", 1}, {"tags=none", 0},
    };
    g_autoptr(CfSim) sim = start(0);

    add_server(sim, "a", "ACTIVE", ",\"tags\":[\"blue\",\"red\"]");
    add_server(sim, "b", "SHUTOFF", ",\"tags\":[\"green\",\"red\"],\"locked\":true");
    add_server(sim, "c", "ACTIVE", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat(SERVERS "/detail?", cases[i].query, NULL);
        g_autoptr(Reply) reply = ask(sim, "GET", path, NULL);

        if (count(reply, "servers") != cases[i].n)
            g_error("%s: %.300s", cases[i].query, reply->body->str);
    }
    assert_status(sim, "GET", SERVERS "/detail?name=*", NULL, 400, "is not a 'regex'");
    assert_status(sim, "GET", SERVERS "/detail?status=FINE", NULL, 400, "Invalid status value");
    assert_status(sim, "GET", SERVERS "/detail?all_tenants=1", NULL, 403, "Policy");
}

static void
test_changes(void)
{
    g_autoptr(CfSim) sim = start(0);
    g_autoptr(Reply) all = NULL, later = NULL, plain = NULL, kept = NULL;

    add_server(sim, "old", "ACTIVE", ",\"updated\":\"2024-01-01T00:00:00Z\"");
    add_server(sim, "edge", "ACTIVE", ",\"updated\":\"2024-02-01T00:00:00Z\"");
    add_server(sim, "gone", "ACTIVE", NULL);
    assert_status(sim, "PUT", SERVERS "/old/tags/new", NULL, 201, NULL); /* is no change */
    admin(sim, "DELETE", "/_sim/servers/gone", NULL);
    all = ask(sim, "GET", SERVERS "/detail?changes-since=2024-02-01T00:00:00Z&sort_dir=asc", NULL);
    g_assert_cmpuint(count(all, "servers"), ==, 2);
    g_assert_cmpstr(text(all, "servers.0.id"), ==, "edge");
    g_assert_cmpstr(text(all, "servers.1.status"), ==, "DELETED");
    later = ask(sim, "GET", SERVERS "/detail?changes-since=2024-02-01T00:00:01Z", NULL);
    g_assert_cmpuint(count(later, "servers"), ==, 1);
    kept =
        ask(sim, "GET", SERVERS "/detail?changes-since=2024-02-01T00:00:01Z&deleted=false", NULL);
    g_assert_cmpuint(count(kept, "servers"), ==, 0);
    plain = ask(sim, "GET", SERVERS "/detail", NULL);
    g_assert_cmpuint(count(plain, "servers"), ==, 2);
    assert_status(sim, "GET", SERVERS "/gone", NULL, 404, "itemNotFound");
    assert_status(sim, "GET", SERVERS "/detail?changes-since=now", NULL, 400, "date-time");
}

/* ---- Actions ---- */

static void
test_actions(void)
{
    static const struct {
        const char *from, *body, *task, *status, *end;
    } cases[] = {
        {"SHUTOFF", "{\"os-start\":null}", "powering-on", "SHUTOFF", "ACTIVE"},
        {"ACTIVE", "{\"os-stop\":null}", "powering-off", "ACTIVE", "SHUTOFF"},
        {"ERROR", "{\"os-stop\":{}}", "powering-off", "ERROR", "SHUTOFF"},
        {"ACTIVE", "{\"reboot\":{\"type\":\"SOFT\"}}", "rebooting", "REBOOT", "ACTIVE"},
        {"SHUTOFF", "{\"reboot\":{\"type\":\"HARD\"}}", "rebooting_hard", "HARD_REBOOT", "ACTIVE"},
        {"ACTIVE", "{\"pause\":null}", "pausing", "ACTIVE", "PAUSED"},
        {"PAUSED", "{\"unpause\":null}", "unpausing", "PAUSED", "ACTIVE"},
        {"ACTIVE", "{\"suspend\":null}", "suspending", "ACTIVE", "SUSPENDED"},
        {"SUSPENDED", "{\"resume\":null}", "resuming", "SUSPENDED", "ACTIVE"},
        {"ACTIVE", "{\"shelve\":null}", "shelving", "ACTIVE", "SHELVED_OFFLOADED"},
        {"SHELVED", "{\"shelveOffload\":null}", "shelving_offloading", "SHELVED",
         "SHELVED_OFFLOADED"},
        {"SHELVED_OFFLOADED", "{\"unshelve\":null}", "unshelving", "SHELVED_OFFLOADED", "ACTIVE"},
    };
    g_autoptr(CfSim) sim = start(0);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *id = g_strdup_printf("s-%u", i);

        add_server(sim, id, cases[i].from, NULL);
        act(sim, id, cases[i].body, 202, NULL);
        assert_server(sim, id, cases[i].status, cases[i].task);
        advance(sim, 9000);
        assert_server(sim, id, cases[i].end, NULL);
    }
}

static void
test_refusals(void)
{
    g_autoptr(CfSim) sim = start(0);

    add_server(sim, "on", "ACTIVE", NULL);
    add_server(sim, "off", "SHUTOFF", NULL);
    add_server(sim, "locked", "ACTIVE", ",\"locked\":true");
    add_server(sim, "homeless", "ERROR", ",\"hostId\":\"\",\"OS-SRV-USG:launched_at\":null");
    add_server(sim, "foreign", "ACTIVE", ",\"$flags\":{\"foreign\":true}");
    add_server(sim, "failing", "ACTIVE", ",\"$flags\":{\"failing\":true}");
    act(sim, "off", "{\"os-stop\":null}", 409,
        "Cannot 'stop' instance off while it is in vm_state stopped");
    act(sim, "off", "{\"reboot\":{\"type\":\"SOFT\"}}", 409, "vm_state stopped");
    act(sim, "on", "{\"os-start\":null}", 409, "vm_state active");
    act(sim, "on", "{\"reboot\":{}}", 400, "badRequest");
    act(sim, "on", "{\"dance\":null}", 400, "There is no such action: dance");
    act(sim, "on", "{\"pause\":null,\"suspend\":null}", 400, "Malformed request body");
    act(sim, "locked", "{\"os-stop\":null}", 409, "Instance locked is locked");
    act(sim, "homeless", "{\"os-stop\":null}", 409, "is not ready");
    act(sim, "homeless", "{\"reboot\":{\"type\":\"HARD\"}}", 409, "never been active");
    act(sim, "foreign", "{\"os-stop\":null}", 404, "itemNotFound");
    act(sim, "on", "{\"os-stop\":null}", 202, NULL);
    act(sim, "on", "{\"os-stop\":null}", 409, "while it is in task_state powering-off");
    act(sim, "on", "{\"os-start\":null}", 409, "vm_state active");
    act(sim, "failing", "{\"os-stop\":null}", 202, NULL);
    advance(sim, 9000);
    assert_server(sim, "failing", "ACTIVE", NULL);
    act(sim, "locked", "{\"unlock\":null}", 202, NULL);
    act(sim, "locked", "{\"lock\":{\"locked_reason\":\"mine\"}}", 202, NULL);
    assert_status(sim, "GET", SERVERS "/locked", NULL, 200, "\"locked_reason\":\"mine\"");
}

static void
test_capture(void)
{
    g_autoptr(CfSim) sim = start(0);
    g_autoptr(Reply) made = NULL, old = NULL, image = NULL;
    g_autofree char *path = NULL;

    add_server(sim, "a", "ACTIVE", NULL);
    add_server(sim, "b", "ACTIVE", NULL);
    made = ask(sim, "POST", SERVERS "/a/action",
               "{\"createImage\":{\"name\":\"x\",\"metadata\":{\"description\":\"words\"}}}");
    g_assert_cmpuint(made->status, ==, 202);
    path = g_strconcat("/image/v2/images/", text(made, "image_id"), NULL);
    image = ask(sim, "GET", path, NULL);
    g_assert_cmpstr(text(image, "status"), ==, "queued");
    g_assert_cmpstr(text(image, "description"), ==, "words");
    g_assert_cmpstr(text(image, "instance_uuid"), ==, "a");
    assert_server(sim, "a", "ACTIVE", "image_snapshot_pending");
    advance(sim, 9000);
    g_clear_pointer(&image, reply_free);
    image = ask(sim, "GET", path, NULL);
    g_assert_cmpstr(text(image, "status"), ==, "active");
    old = ask_at(sim, 44, "POST", SERVERS "/b/action", "{\"createImage\":{\"name\":\"y\"}}");
    g_assert_cmpuint(old->status, ==, 202);
    g_assert_cmpuint(old->body->len, ==, 0);
    g_assert_nonnull(strstr(old->head->str, "Location: http://"));
}

/* ---- What is written ---- */

static void
test_writes(void)
{
    g_autofree char *long_tag = g_strnfill(61, 't');
    g_autofree char *long_path = g_strconcat(SERVERS "/a/tags/", long_tag, NULL);
    g_autoptr(CfSim) sim = start(0);

    add_server(sim, "a", "ACTIVE", NULL);
    assert_status(sim, "PUT", SERVERS "/a", "{\"server\":{\"name\":\"b\"}}", 200, "\"name\":\"b\"");
    assert_status(sim, "PUT", SERVERS "/a", "{\"server\":{\"name\":\"\"}}", 400, "too short");
    assert_status(sim, "PUT", SERVERS "/a", "{\"server\":{\"name\":\" b\"}}", 400, "name");
    assert_status(sim, "PUT", SERVERS "/a", "{\"server\":{\"description\":null}}", 200, NULL);
    assert_status(sim, "PUT", SERVERS "/a", "{\"server\":{\"size\":1}}", 400, "was unexpected");
    assert_status(sim, "PUT", SERVERS "/a/tags/x", NULL, 201, NULL);
    assert_status(sim, "PUT", SERVERS "/a/tags/x", NULL, 204, NULL);
    assert_status(sim, "PUT", SERVERS "/a/tags/y", "{}", 400, "Malformed");
    assert_status(sim, "PUT", SERVERS "/a/tags/b%2Cc", NULL, 400, NULL);
    assert_status(sim, "PUT", SERVERS "/a/tags/b%2Fc", NULL, 404, "<h1>");
    assert_status(sim, "PUT", long_path, NULL, 400, "too long");
    assert_status(sim, "PUT", SERVERS "/a/tags", "{\"tags\":[\"q\",\"p\",\"q\"]}", 200,
                  "{\"tags\":[\"p\",\"q\"]}");
    assert_status(sim, "GET", SERVERS "/a/tags/p", NULL, 204, NULL);
    assert_status(sim, "DELETE", SERVERS "/a/tags/z", NULL, 404, "has no tag 'z'");
    assert_status(sim, "DELETE", SERVERS "/a/tags", NULL, 204, NULL);
    assert_status(sim, "POST", SERVERS "/a/metadata", "{\"metadata\":{\"k\":\"v\"}}", 200, "\"k\"");
    assert_status(sim, "PUT", SERVERS "/a/metadata/l", "{\"meta\":{\"l\":\"w\"}}", 200, "\"w\"");
    assert_status(sim, "PUT", SERVERS "/a/metadata/l", "{\"meta\":{\"m\":\"w\"}}", 400, "mismatch");
    assert_status(sim, "GET", SERVERS "/a/metadata", NULL, 200, "{\"k\":\"v\",\"l\":\"w\"}");
    assert_status(sim, "DELETE", SERVERS "/a/metadata/k", NULL, 204, NULL);
    assert_status(sim, "DELETE", SERVERS "/a/metadata/k", NULL, 404, "not found");
    assert_status(sim, "POST", SERVERS "/a/remote-consoles",
                  "{\"remote_console\":{\"protocol\":\"vnc\",\"type\":\"novnc\"}}", 200, "token");
    assert_status(sim, "POST", SERVERS "/a/remote-consoles",
                  "{\"remote_console\":{\"protocol\":\"rdp\",\"type\":\"rdp-html5\"}}", 400,
                  "Unavailable console type");
    act(sim, "a", "{\"os-getConsoleOutput\":{\"length\":1}}", 200, "line 3 of the console\"");
    assert_status(sim, "DELETE", SERVERS "/a", NULL, 204, NULL);
    assert_server(sim, "a", "ACTIVE", "deleting");
    advance(sim, 9000);
    assert_status(sim, "DELETE", SERVERS "/a", NULL, 404, "could not be found");
}

/* ---- Glance ---- */

static void
add_image(CfSim *sim, const char *id, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"id\":\"%s\",\"name\":\"name-of-%s\"%s}", id, id, more ? more : "");

    admin(sim, "POST", "/_sim/images", body);
}

#define IMAGES "/image/v2/images"
#define CHANGE(op, path, value) "[{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}]"

static void
test_images(void)
{
    g_autoptr(CfSim) sim = start(0);
    g_autoptr(Reply) page = NULL, last = NULL, wrong = NULL, named = NULL;

    add_image(sim, "a", NULL);
    add_image(sim, "b", NULL);
    add_image(sim, "kept", ",\"protected\":true");
    add_image(sim, "theirs", ",\"visibility\":\"public\",\"owner\":\"somebody\"");
    add_image(sim, "hidden", ",\"owner\":\"somebody\"");
    page = ask(sim, "GET", IMAGES "?limit=2&sort=name:asc", NULL);
    g_assert_cmpuint(count(page, "images"), ==, 2);
    g_assert_cmpstr(text(page, "next"), ==, "/v2/images?limit=2&sort=name%3Aasc&marker=b");
    last = ask(sim, "GET", IMAGES "?limit=3&sort=name:asc&marker=b", NULL);
    g_assert_cmpuint(count(last, "images"), ==, 2);
    g_assert_null(member(last, "next"));
    named = ask(sim, "GET", IMAGES "?name=in:name-of-a,name-of-b", NULL);
    g_assert_cmpuint(count(named, "images"), ==, 2);
    wrong = call_with(sim, "PATCH", IMAGES "/a",
                      "X-Auth-Token: fake-token\r\nContent-Type: application/json\r\n",
                      CHANGE("add", "/name", "\"x\""));
    g_assert_cmpuint(wrong->status, ==, 415);
    assert_status(sim, "GET", IMAGES "?marker=x", NULL, 400, "No image found");
    assert_status(sim, "GET", IMAGES "/hidden", NULL, 404, "No image found with ID hidden");
    assert_status(sim, "PATCH", IMAGES "/a", CHANGE("add", "/name", "\"x\""), 200,
                  "\"name\":\"x\"");
    assert_status(sim, "PATCH", IMAGES "/a", CHANGE("add", "/tags", "[\"q\",\"p\"]"), 200,
                  "\"tags\":[\"p\",\"q\"]");
    assert_status(sim, "PATCH", IMAGES "/a", CHANGE("replace", "/none", "\"x\""), 409, "none");
    assert_status(sim, "PATCH", IMAGES "/a", CHANGE("add", "/status", "\"x\""), 403, "read-only");
    assert_status(sim, "PATCH", IMAGES "/a", CHANGE("add", "/more", "7"), 400, NULL);
    assert_status(sim, "PATCH", IMAGES "/a", "[{\"op\":\"remove\",\"path\":\"/name\"}]", 403, NULL);
    assert_status(sim, "PATCH", IMAGES "/theirs", CHANGE("add", "/name", "\"x\""), 403, "own");
    assert_status(sim, "PUT", IMAGES "/a/tags/r", NULL, 204, NULL);
    assert_status(sim, "DELETE", IMAGES "/a/tags/r", NULL, 204, NULL);
    assert_status(sim, "DELETE", IMAGES "/a/tags/r", NULL, 404, "resource could not be found");
    assert_status(sim, "DELETE", IMAGES "/kept", NULL, 403, "is protected and cannot be deleted.");
    assert_status(sim, "DELETE", IMAGES "/a", NULL, 204, NULL);
    assert_status(sim, "DELETE", IMAGES "/a", NULL, 404, "<br />");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim/openstack/tokens", test_tokens);
    g_test_add_func("/sim/openstack/token-ends", test_token_ends);
    g_test_add_func("/sim/openstack/versions", test_versions);
    g_test_add_func("/sim/openstack/pages", test_pages);
    g_test_add_func("/sim/openstack/filters", test_filters);
    g_test_add_func("/sim/openstack/changes", test_changes);
    g_test_add_func("/sim/openstack/actions", test_actions);
    g_test_add_func("/sim/openstack/refusals", test_refusals);
    g_test_add_func("/sim/openstack/capture", test_capture);
    g_test_add_func("/sim/openstack/writes", test_writes);
    g_test_add_func("/sim/openstack/images", test_images);
    return g_test_run();
}
