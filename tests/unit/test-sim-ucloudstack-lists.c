#include "test-sim-ucloudstack.h"

/* ---- Listings ---- */

static void
with_30(CfSimOptions *options)
{
    options->servers = 30;
    options->images = 24;
}

static void
test_pages(void)
{
    g_autoptr(CfSim) sim = start(with_30);
    g_autoptr(Reply) plain = ask(sim, "DescribeVMInstance");
    g_autoptr(Reply) rest = ask(sim, "DescribeVMInstance", "Offset", "20", "Limit", "100");
    g_autoptr(Reply) odd = ask(sim, "DescribeVMInstance", "Offset", "7", "Limit", "5");
    g_autoptr(Reply) after = ask(sim, "DescribeVMInstance", "Offset", "30");
    g_autoptr(Reply) images = ask(sim, "DescribeImage", "Offset", "23", "Limit", "1");
    g_autoptr(Reply) cut = NULL;

    assert_count(plain, 30, 20); /* the default */
    assert_count(rest, 30, 10);
    assert_count(odd, 30, 5);
    g_assert_cmpstr(text(odd, "Infos.0.VMID"), ==, text(plain, "Infos.7.VMID"));
    assert_count(after, 30, 0);
    assert_count(images, 24, 1);
    admin(sim, "POST", "/_sim/settings", "{\"max_page\":7}");
    cut = ask(sim, "DescribeVMInstance", "Limit", "100");
    assert_count(cut, 30, 7);
}

/* Servers for the filters: three tenants' worth. */
static CfSim *
start_filtered(void)
{
    CfSim *sim = start(NULL);

    add_server(
        sim, "vm-a", "Running",
        ",\"VPCID\":\"vpc-1\",\"SubnetID\":\"s-1\",\"ProjectID\":\"org-1\",\"CreateTime\":9");
    add_server(
        sim, "vm-b", "Stopped",
        ",\"VPCID\":\"vpc-1\",\"SubnetID\":\"s-2\",\"ProjectID\":\"org-2\",\"CreateTime\":10,"
        "\"Remark\":\"needle here\"");
    add_server(sim, "vm-c", "Failed",
               ",\"VPCID\":\"vpc-2\",\"SubnetID\":\"s-2\",\"ProjectID\":\"org-3\",\"CreateTime\":1,"
               "\"CompanyID\":\"7\",\"IPInfos\":[{\"IP\":\"10.77.0.1\"}]");
    return sim;
}

static void
test_filters(void)
{
    static const struct {
        const char *params;              /* names and values in turn */
        const char *found, *first_found; /* the last letters of the ids, in order */
    } cases[] = {
        {"Offset|0", "abc", "abc"},
        {"VMIDs.0|vm-c|VMIDs.1|vm-a", "ca", "ca"},
        {"VMIDs.0|vm-b|VMIDs.1|vm-none|VMIDs.2|vm-b", "b", "b"},
        {"VMIDs.10|vm-b|VMIDs.2|vm-a", "ab", "ab"},
        {"VMIDs.0|vm-none", "", ""},
        {"States.0|Stopped|States.1|Failed", "bc", "abc"},
        {"VPCID|vpc-1", "ab", "ab"},
        {"VPCID|vpc-1|SubnetID|s-2", "b", "b"},
        {"ProjectIDs.0|org-1|ProjectIDs.1|org-3", "ac", "abc"},
        {"Keyword|name-of-vm-b", "b", "abc"},
        {"Keyword|needle", "b", "abc"},
        {"Keyword|10.77.", "c", "abc"},
        {"Keyword|", "abc", "abc"},
        {"CompanyID|7", "c", "abc"},
        {"CompanyID|8", "", "abc"},
        {"VMIDs.0|vm-a|CompanyID|7", "", "a"},
        {"SortBy|CreateTime", "cab", "abc"},
        {"SortBy|CreateTime|Sort|desc", "bac", "abc"},
    };
    g_autoptr(CfSim) sim = start_filtered();

    for (guint i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        g_autofree char *request = g_strconcat("DescribeVMInstance|", cases[i / 2].params, NULL);
        g_auto(GStrv) texts = g_strsplit(request, "|", -1);
        g_autoptr(GString) found = g_string_new(NULL);
        g_autoptr(Reply) reply = NULL;
        const cJSON *info;

        speak(sim, i % 2 ? 1 : 2);
        reply = ask_all(sim, (const char *const *) texts);
        assert_code(reply, 0);
        cJSON_ArrayForEach (info, member(reply, "Infos"))
            g_string_append(found, cJSON_GetObjectItem(info, "VMID")->valuestring + 3);
        g_assert_cmpstr(found->str, ==, i % 2 ? cases[i / 2].first_found : cases[i / 2].found);
        g_assert_cmpfloat(number(reply, "TotalCount"), ==, found->len);
    }
}

static void
test_image_filters(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) base = NULL, custom = NULL, any = NULL, ids = NULL, word = NULL,
                     project = NULL;
    g_autoptr(Reply) company = NULL;

    add_image(sim, "image-a", "Base", ",\"ProjectID\":\"org-1\"");
    add_image(sim, "image-b", "Custom", ",\"ImageDescription\":\"needle\",\"ProjectID\":\"org-2\"");
    add_image(sim, "image-c", "Custom", ",\"CompanyID\":7,\"ProjectID\":\"org-2\"");
    base = ask(sim, "DescribeImage", "ImageType", "Base");
    custom = ask(sim, "DescribeImage", "ImageType", "Custom");
    any = ask(sim, "DescribeImage", "ImageType", "");
    ids = ask(sim, "DescribeImage", "ImageIDs.0", "image-c", "ImageIDs.1", "image-none");
    word = ask(sim, "DescribeImage", "Keyword", "needle");
    project = ask(sim, "DescribeImage", "ProjectIDs.0", "org-2", "Limit", "1");
    company = ask(sim, "DescribeImage", "CompanyID", "7");
    assert_count(base, 1, 1);
    g_assert_cmpstr(text(base, "Infos.0.ImageID"), ==, "image-a");
    assert_count(custom, 2, 2);
    assert_count(any, 3, 3);
    assert_count(ids, 1, 1);
    assert_count(word, 1, 1);
    g_assert_cmpstr(text(word, "Infos.0.ImageID"), ==, "image-b");
    assert_count(project, 2, 1);
    assert_count(company, 1, 1);
}

/* Another tenant's server is not there for who speaks for the first. */
static void
test_company(void)
{
    g_autoptr(CfSim) sim = start_filtered();
    g_autoptr(Reply) refused = ask(sim, "StartVMInstance", "VMID", "vm-b", "CompanyID", "7");
    g_autoptr(Reply) done = ask(sim, "StartVMInstance", "VMID", "vm-b", "CompanyID", "200000123");

    assert_code(refused, 1004);
    assert_code(done, 0);
}

/* ---- The versions ---- */

static void
test_first_version(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) vm = NULL, image = NULL, used = NULL, none = NULL, started = NULL;

    add_server(sim, "vm-a", "Stopped",
               ",\"ImageID\":\"image-b\",\"IPInfos\":[{\"IP\":\"10.0.0.1\"},{\"IP\":null},7]");
    add_image(sim, "image-a", "Custom", ",\"ImageName\":\"x\",\"ImageSize\":40,\"Reason\":\"\"");
    add_image(sim, "image-b", "Custom", NULL);
    speak(sim, 1);
    vm = ask(sim, "DescribeVMInstance");
    g_assert_cmpstr(text(vm, "Infos.0.Zone"), ==, "zone-01");
    g_assert_true(g_str_has_prefix(text(vm, "Infos.0.IPInfos.0.MAC"), "52:54:00:"));
    g_assert_cmpstr(text(vm, "Infos.0.IPInfos.0.IP"), ==, "10.0.0.1");
    g_assert_true(cJSON_IsNull(member(vm, "Infos.0.IPInfos.1.IP")));
    g_assert_cmpstr(text(vm, "Message"), ==, "");
    image = ask(sim, "DescribeImage", "ImageIDs.0", "image-a");
    g_assert_cmpstr(text(image, "Infos.0.Name"), ==, "name-of-image-a");
    g_assert_cmpstr(text(image, "Infos.0.ImageStatus"), ==, "Available");
    g_assert_null(member(image, "Infos.0.ImageName"));
    g_assert_null(member(image, "Infos.0.ImageSize"));
    g_assert_null(member(image, "Infos.0.Reason"));
    used = ask(sim, "DescribeImage", "ImageIDs.0", "image-b");
    g_assert_cmpstr(text(used, "Infos.0.ImageStatus"), ==, "Used");
    none = ask(sim, "DescribeImage", "ImageIDs.0", "image-none");
    g_assert_true(cJSON_IsNull(member(none, "Infos")));
    g_assert_cmpfloat(number(none, "TotalCount"), ==, 0);
    started = ask(sim, "StartVMInstance", "VMID", "vm-a");
    g_assert_cmpstr(text(started, "VMID"), ==, "vm-a"); /* though no document says so */
}

static void
test_second_version(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) vm = NULL, image = NULL, started = NULL;
    guint with_message = 0;

    add_server(sim, "vm-a", "Stopped", ",\"IPInfos\":[{\"IP\":\"10.0.0.1\"}]");
    add_image(sim, "image-a", "Custom", ",\"ImageSize\":40");
    vm = ask(sim, "DescribeVMInstance");
    g_assert_null(member(vm, "Infos.0.Zone"));
    g_assert_null(member(vm, "Infos.0.IPInfos.0.MAC"));
    image = ask(sim, "DescribeImage");
    g_assert_cmpstr(text(image, "Infos.0.ImageStatus"), ==, "Used");
    g_assert_cmpfloat(number(image, "Infos.0.ImageSize"), ==, 40);
    g_assert_null(member(image, "Infos.0.Zone"));
    started = ask(sim, "StartVMInstance", "VMID", "vm-a");
    g_assert_null(member(started, "VMID"));
    for (guint i = 0; i < 4; i++) { /* it is optional, so it comes and goes */
        g_autoptr(Reply) reply = ask(sim, "DescribeVMInstance");

        with_message += member(reply, "Message") != NULL;
    }
    g_assert_cmpuint(with_message, ==, 2);
}

static void
with_first_version(CfSimOptions *options)
{
    options->servers = 300;
    options->api_version = 1;
}

/* The generated world, too, has the states of its version. */
static void
test_version_option(void)
{
    g_autoptr(CfSim) sim = start(with_first_version);
    g_autoptr(Reply) all = call(sim, "GET", "/_sim/servers", NULL);
    g_autoptr(Reply) unknown = ask(sim, "DanceVMInstance");
    g_autoptr(GError) error = NULL;
    CfSimOptions options;

    g_assert_null(strstr(all->body->str, "\"Failed\""));
    g_assert_nonnull(strstr(all->body->str, "\"Initializing\""));
    assert_code(unknown, 140);
    cf_sim_options_init(&options);
    options.api_version = 1;
    g_assert_null(cf_sim_new(&options, &error)); /* Inspur has but one */
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_clear_error(&error);
    options.dialect = "ucloudstack";
    options.api_version = 3;
    g_assert_null(cf_sim_new(&options, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
}

/* ---- What the administrator does ---- */

static void
plant(CfSim *sim, const char *kind, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"match\":\"DescribeVMInstance\",\"kind\":\"%s\"%s}", kind, more);

    admin(sim, "POST", "/_sim/faults", body);
}

static void
test_faults(void)
{
    static const struct {
        const char *kind, *more;
        guint status;
        const char *shows; /* (nullable): within the body */
        gboolean json;
    } cases[] = {
        {"status", ",\"status\":503,\"body\":\"busy\"", 503, "busy", FALSE},
        {"code", ",\"code\":\"199\",\"message\":\"x\"", 200,
         "{\"RetCode\":199,\"Action\":"
         "\"DescribeVMInstanceResponse\",\"Message\":\"x\"}",
         TRUE},
        {"code", ",\"code\":\"odd\",\"status\":502", 502, "{\"RetCode\":\"odd\",", TRUE},
        {"reset", "", 0, NULL, FALSE},
        {"reset_after", "", 0, NULL, FALSE},
        {"truncate", "", 200, "RetCode", FALSE},
        {"garbage", "", 200, "not json", FALSE},
        {"html", "", 200, "<html>", FALSE},
        {"wrong_type", "", 200, "[1,2,3]", TRUE},
        {"deep", "", 200, "{\"RetCode\":0,\"Action\":\"Response\",\"Message\":\"\",\"Infos\":[[[",
         FALSE},
        {"empty", "", 200, "\"TotalCount\":0,\"Infos\":[]", TRUE},
        {"partial", "", 200, "\"TotalCount\":30,\"Infos\":[]", TRUE},
        {"latency", ",\"ms\":30", 200, "\"TotalCount\":30", TRUE},
    };
    g_autoptr(CfSim) sim = start(with_30);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reply) hit = NULL, other = NULL, again = NULL;

        plant(sim, cases[i].kind, cases[i].more);
        other = ask(sim, "DescribeImage"); /* not the one that is meant */
        assert_code(other, 0);
        hit = ask(sim, "DescribeVMInstance", "Limit", "100");
        g_assert_cmpuint(hit->status, ==, cases[i].status);
        if (cases[i].shows)
            g_assert_nonnull(strstr(hit->body->str, cases[i].shows));
        g_assert_cmpint(hit->json != NULL, ==, cases[i].json);
        again = ask(sim, "DescribeVMInstance"); /* it struck once */
        assert_code(again, 0);
    }
}

static void
test_fault_huge(void)
{
    g_autoptr(CfSim) sim = start(with_30);
    g_autoptr(Reply) reply = NULL;

    plant(sim, "huge", "");
    reply = ask(sim, "DescribeVMInstance");
    g_assert_cmpuint(reply->body->len, ==, 100 * 1024 * 1024);
    g_assert_nonnull(reply->json);
    g_assert_cmpfloat(number(reply, "RetCode"), ==, 0);
}

static void
test_fault_shift(void)
{
    g_autoptr(CfSim) sim = start(with_30);
    g_autoptr(Reply) all = ask(sim, "DescribeVMInstance", "Limit", "30");
    g_autoptr(Reply) one = NULL, two = NULL;

    plant(sim, "shift", ",\"count\":-1");
    one = ask(sim, "DescribeVMInstance", "Limit", "10");
    two = ask(sim, "DescribeVMInstance", "Limit", "10", "Offset", "10");
    g_assert_cmpstr(text(one, "Infos.9.VMID"), ==, text(all, "Infos.9.VMID"));
    g_assert_cmpstr(text(two, "Infos.0.VMID"), ==, text(all, "Infos.9.VMID"));
    g_assert_cmpstr(text(two, "Infos.9.VMID"), ==, text(all, "Infos.18.VMID"));
}

/* A change that hung does not happen when it is let go. */
static void
test_fault_hang(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(GPtrArray) params = action("StartVMInstance");
    g_autofree char *body = NULL;
    g_autoptr(Reply) cut = NULL;
    gboolean hangs = FALSE;
    int fd;

    add_server(sim, "vm-a", "Stopped", NULL);
    add_pair(params, "VMID", "vm-a");
    sign(params, PUBLIC_KEY, PRIVATE_KEY);
    body = encode(params);
    admin(sim, "POST", "/_sim/faults", "{\"match\":\"StartVMInstance\",\"kind\":\"hang\"}");
    fd = client_connect(sim);
    client_send(fd, "POST", "/api", FORM, body);
    for (guint i = 0; i < 1000 && !hangs; i++) {
        g_autoptr(Reply) faults = call(sim, "GET", "/_sim/faults", NULL);

        hangs = number(faults, "0.hits") == 1;
        g_usleep(5000);
    }
    g_assert_true(hangs);
    admin(sim, "DELETE", "/_sim/faults", NULL);
    cut = client_receive(fd);
    g_assert_cmpuint(cut->status, ==, 0);
    assert_state(sim, "vm-a", "Stopped");
}

static void
test_admin(void)
{
    g_autoptr(CfSim) sim = start(with_30);
    g_autoptr(Reply) odd = NULL, gone = NULL, counters = NULL, requests = NULL, touched = NULL;
    g_autoptr(Reply) renamed = NULL;

    add_server(sim, "vm-a", "Running", NULL);
    admin(sim, "PATCH", "/_sim/servers/vm-a",
          "{\"big\":12345678901234567890.000100,\"Reason\":null,\"$remove\":[\"IPInfos\"]}");
    odd = ask(sim, "DescribeVMInstance", "VMIDs.0", "vm-a");
    g_assert_nonnull(strstr(odd->body->str, "\"big\":12345678901234567890.000100"));
    g_assert_true(cJSON_IsNull(member(odd, "Infos.0.Reason")));
    g_assert_null(member(odd, "Infos.0.IPInfos"));
    renamed = call(sim, "PATCH", "/_sim/servers/vm-a", "{\"VMID\":\"vm-b\"}");
    g_assert_cmpuint(renamed->status, ==, 400);
    admin(sim, "DELETE", "/_sim/counters", NULL);
    admin(sim, "DELETE", "/_sim/requests", NULL);
    admin(sim, "DELETE", "/_sim/servers/vm-a", NULL);
    gone = ask(sim, "DescribeVMInstance", "VMIDs.0", "vm-a");
    assert_count(gone, 0, 0);
    assert_move(sim, "StartVMInstance", "vm-a", 1004);
    counters = call(sim, "GET", "/_sim/counters", NULL);
    g_assert_cmpfloat(number(counters, "total"), ==, 2);
    g_assert_cmpfloat(number(counters, "reads"), ==, 1);
    g_assert_cmpfloat(number(counters, "changes"), ==, 1);
    g_assert_cmpfloat(number(counters, "by.DescribeVMInstance"), ==, 1);
    g_assert_cmpfloat(number(counters, "by.StartVMInstance"), ==, 1);
    requests = call(sim, "GET", "/_sim/requests", NULL);
    g_assert_nonnull(strstr(requests->body->str, "\"route\":\"StartVMInstance\""));
    admin(sim, "POST", "/_sim/servers/bulk", "{\"count\":170}");
    admin(sim, "POST", "/_sim/images/bulk", "{\"count\":10}");
    touched = call(sim, "POST", "/_sim/servers/touch", "{\"fraction\":0.5}");
    g_assert_cmpfloat(number(touched, "changed"), ==, 100);
}

static void
test_down(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) down = NULL, up = NULL;

    admin(sim, "POST", "/_sim/settings", "{\"listing\":\"down\"}");
    down = ask(sim, "DescribeVMInstance");
    g_assert_cmpuint(down->status, ==, 503);
    g_assert_null(down->json);
    admin(sim, "POST", "/_sim/settings", "{\"listing\":\"up\"}");
    up = ask(sim, "DescribeVMInstance");
    assert_count(up, 0, 0);
}

/* ---- Worlds ---- */

/* Goes through the pages, each so far from the one before, as text: the reader of a hostile world
 * is not this test's subject. Returns: (transfer full): the set of ids. */
static GHashTable *
list_all(CfSim *sim, const char *name, const char *id_key, guint total, guint stride)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint offset = 0; offset < total; offset += stride) {
        g_autofree char *start_at = g_strdup_printf("%u", offset);
        g_autoptr(Reply) reply = ask(sim, name, "Offset", start_at, "Limit", "100");
        CfSimSpan infos, info;
        CfSimRawIter iter;
        guint n = 0;

        g_assert_true(cf_sim_raw_check(reply->body->str, reply->body->len));
        g_assert_true(cf_sim_raw_get(cf_sim_span(reply->body->str), "Infos", &infos));
        cf_sim_raw_iter_init(&iter, infos);
        for (; cf_sim_raw_iter_next(&iter, NULL, &info); n++)
            g_hash_table_add(seen, cf_sim_raw_get_string(info, id_key));
        g_assert_cmpuint(n, ==, MIN(100, total - offset));
    }
    return seen;
}

static void
with_hostility(CfSimOptions *options)
{
    options->servers = 400;
    options->images = 300;
    options->hostile = TRUE;
}

static void
test_hostile(void)
{
    g_autoptr(CfSim) sim = start(with_hostility);

    for (guint version = 1; version <= 2; version++) {
        g_autoptr(GHashTable) servers = NULL, images = NULL;

        speak(sim, version);
        servers = list_all(sim, "DescribeVMInstance", "VMID", 400, 100);
        images = list_all(sim, "DescribeImage", "ImageID", 300, 100);
        g_assert_cmpuint(g_hash_table_size(servers), ==, 400);
        g_assert_cmpuint(g_hash_table_size(images), ==, 300);
        g_assert_true(g_hash_table_contains(servers, "slash/in/id"));
        g_assert_true(g_hash_table_contains(images, ".."));
    }
}

static void
with_demo(CfSimOptions *options)
{
    options->demo = TRUE;
}

static void
test_demo(void)
{
    g_autoptr(CfSim) sim = start(with_demo);
    g_autoptr(Reply) servers = ask(sim, "DescribeVMInstance", "Keyword", "报表服务器");
    g_autoptr(Reply) images = ask(sim, "DescribeImage", "ImageType", "Custom");

    assert_count(servers, 1, 1);
    g_assert_cmpstr(text(servers, "Infos.0.State"), ==, "Running");
    assert_count(images, 2, 2);
}

static void
with_many(CfSimOptions *options)
{
    options->servers = 100000;
}

static void
test_many(void)
{
    g_autoptr(CfSim) sim = start(with_many);
    gint64 began = g_get_monotonic_time();
    g_autoptr(GHashTable) seen = list_all(sim, "DescribeVMInstance", "VMID", 100000, 1000);

    g_assert_cmpuint(g_hash_table_size(seen), ==, 10000);
    g_test_message("100 pages, signed and parsed, in %" G_GINT64_FORMAT " ms",
                   (g_get_monotonic_time() - began) / 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim/ucloudstack/pages", test_pages);
    g_test_add_func("/sim/ucloudstack/filters", test_filters);
    g_test_add_func("/sim/ucloudstack/image/filters", test_image_filters);
    g_test_add_func("/sim/ucloudstack/company", test_company);
    g_test_add_func("/sim/ucloudstack/version/first", test_first_version);
    g_test_add_func("/sim/ucloudstack/version/second", test_second_version);
    g_test_add_func("/sim/ucloudstack/version/option", test_version_option);
    g_test_add_func("/sim/ucloudstack/faults", test_faults);
    g_test_add_func("/sim/ucloudstack/fault/huge", test_fault_huge);
    g_test_add_func("/sim/ucloudstack/fault/shift", test_fault_shift);
    g_test_add_func("/sim/ucloudstack/fault/hang", test_fault_hang);
    g_test_add_func("/sim/ucloudstack/admin", test_admin);
    g_test_add_func("/sim/ucloudstack/down", test_down);
    g_test_add_func("/sim/ucloudstack/hostile", test_hostile);
    g_test_add_func("/sim/ucloudstack/demo", test_demo);
    g_test_add_func("/sim/ucloudstack/many", test_many);
    return g_test_run();
}
