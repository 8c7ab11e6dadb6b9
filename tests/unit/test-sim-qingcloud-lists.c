/* What the QingCloud dialect lists: pages, filters, tags, faults, worlds. */
#include "test-sim-qingcloud.h"

/* ---- Routes, zones, envelopes ---- */

static void
test_envelope(void)
{
    g_autoptr(CfSim) sim = start(1, 1);
    g_autoptr(Reply) good = ask(sim, "DescribeInstances", "");
    g_autoptr(Reply) elsewhere = call(sim, "GET", "/other?action=DescribeInstances", NULL);
    g_autoptr(Reply) none = call(sim, "GET", "/iaas?zone=pek3a", NULL);
    g_autoptr(Reply) no_zone = call(sim, "GET", "/iaas?action=DescribeImages", NULL);
    g_autoptr(Reply) zones = call(sim, "GET", "/iaas?action=DescribeZones&status.1=active", NULL);
    g_autoptr(Reply) counters = NULL;

    g_assert_cmpstr(text(good, "action"), ==, "DescribeInstancesResponse");
    g_assert_cmpfloat(number(good, "ret_code"), ==, 0);
    g_assert_cmpuint(elsewhere->status, ==, 404);
    g_assert_cmpfloat(number(none, "ret_code"), ==, 1100);
    g_assert_cmpfloat(number(no_zone, "ret_code"), ==, 1100);
    g_assert_cmpstr(text(zones, "zone_set.0.zone_id"), ==, "pek3a");
    g_assert_cmpint(cJSON_GetArraySize(member(zones, "zone_set")), ==, 3);
    assert_code(sim, "RunInstances", "", 1101);
    {
        g_autoptr(Reply) zone = call(sim, "GET", "/iaas?action=DescribeTags&zone=PEK3", NULL);

        g_assert_cmpstr(text(zone, "message"), ==,
                        "PermissionDenied, access denied for zone [PEK3]");
    }
    counters = call(sim, "GET", "/_sim/counters", NULL);
    g_assert_cmpfloat(number(counters, "by.DescribeInstances"), ==, 1);
    g_assert_cmpfloat(number(counters, "by.DescribeZones"), ==, 1);
    g_assert_cmpfloat(number(counters, "by.other"), ==, 3);
}

/* ---- Listings ---- */

static void
test_pages(void)
{
    g_autoptr(CfSim) sim = start(250, 0);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Reply) first = ask(sim, "DescribeInstances", "");
    g_autoptr(Reply) cut = ask(sim, "DescribeInstances", "limit=1000");
    g_autoptr(Reply) odd = ask(sim, "DescribeInstances", "offset=245&limit=7");
    g_autoptr(Reply) past = ask(sim, "DescribeInstances", "offset=9999&limit=7");

    g_assert_cmpint(cJSON_GetArraySize(member(first, "instance_set")), ==, 20);
    g_assert_cmpint(cJSON_GetArraySize(member(cut, "instance_set")), ==, 100);
    g_assert_cmpint(cJSON_GetArraySize(member(odd, "instance_set")), ==, 5);
    g_assert_true(cJSON_IsArray(member(past, "instance_set")));
    g_assert_cmpint(cJSON_GetArraySize(member(past, "instance_set")), ==, 0);
    g_assert_cmpfloat(number(past, "total_count"), ==, 250);
    for (guint offset = 0; offset < 250; offset += 100) {
        g_autofree char *params = g_strdup_printf("offset=%u&limit=100&verbose=1", offset);
        g_autoptr(Reply) page = ask(sim, "DescribeInstances", params);
        const cJSON *server;

        cJSON_ArrayForEach (server, member(page, "instance_set"))
            g_hash_table_add(seen,
                             g_strdup(cJSON_GetObjectItem(server, "instance_id")->valuestring));
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, 250);
    assert_code(sim, "DescribeInstances", "offset=-1", 1100);
    assert_code(sim, "DescribeInstances", "limit=many", 1100);
}

static void
test_verbose(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) brief = NULL;
    g_autoptr(Reply) verbose = NULL;

    add_server(sim, "i-1", "running",
               ",\"graphics_passwd\":\"fake-vnc\",\"keypair_ids\":[\"kp-1\"]");
    brief = ask(sim, "DescribeInstances", "");
    verbose = ask(sim, "DescribeInstances", "verbose=1");
    g_assert_null(member(brief, "instance_set.0.keypair_ids"));
    g_assert_null(member(brief, "instance_set.0.security_group"));
    g_assert_cmpstr(text(brief, "instance_set.0.graphics_passwd"), ==, "fake-vnc");
    g_assert_cmpstr(text(verbose, "instance_set.0.keypair_ids.0"), ==, "kp-1");
    g_assert_nonnull(member(verbose, "instance_set.0.security_group"));
}

static void
test_server_filters(void)
{
    static const struct {
        const char *params, *found;
    } cases[] = {
        {"", "i-1 i-2 i-3"},
        {"status.1=running", "i-1"},
        {"status.1=running&status.2=ceased", "i-1 i-3"},
        {"status=stopped", "i-2"},
        {"status.1=pending", ""},
        {"instances.1=i-3&instances.2=i-1", "i-3 i-1"},
        {"instances.1=i-3&instances.2=i-1&status.1=running", "i-1"},
        {"instances.1=i-1&instances.2=i-1", "i-1"},
        {"search_word=needle", "i-2"},
        {"search_word=i-", "i-1 i-2 i-3"},
        {"search_word=", "i-1 i-2 i-3"},
        {"image_id.1=img-x", "i-1"},
        {"instance_type.1=c7m7&instance_class=101", "i-2"},
        {"vcpus_current=7&memory_current=7168", "i-2"},
        {"os_disk_size=77", "i-3"},
        {"owner=usr-other", "i-3"},
        {"owner=nobody", ""},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "i-1", "running", ",\"image\":{\"image_id\":\"img-x\"}");
    add_server(sim, "i-2", "stopped",
               ",\"instance_name\":\"a needle\",\"instance_type\":\"c7m7\",\"vcpus_current\":7,"
               "\"memory_current\":7168,\"instance_class\":101");
    add_server(sim, "i-3", "ceased", ",\"owner\":\"usr-other\",\"extra\":{\"os_disk_size\":77}");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_found(sim, "DescribeInstances", cases[i].params, cases[i].found);
    assert_code(sim, "DescribeInstances", "status.1=ACTIVE", 1101);
    assert_words(sim, "DescribeInstances", "instances.1=i-1&instances.2=i-none", 2100,
                 "ResourceNotFound, resource [i-none] not found");
    admin(sim, "POST", "/_sim/settings", "{\"unknown_instance\":\"empty\"}");
    assert_found(sim, "DescribeInstances", "instances.1=i-none&instances.2=i-1", "i-1");
    assert_found(sim, "DescribeInstances", "instances.1=i-none", "");
}

static void
test_image_filters(void)
{
    static const struct {
        const char *params, *found;
    } cases[] = {
        {"provider=system", "a"},      {"provider=self&visibility=private", "b c"},
        {"os_family=debian", "b"},     {"os_family.1=debian&os_family.2=windows", "b c"},
        {"processor_type=32bit", "c"}, {"status.1=deleted&status.2=ceased", "c"},
        {"images.1=b", "b"},           {"search_word=win", "c"},
        {"owner=usr-1", "b"},          {"verbose=0&offset=1&limit=1&os_family=debian", ""},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_image(sim, "a", "available",
              ",\"provider\":\"system\",\"visibility\":\"public\",\"processor_type\":\"64bit\","
              "\"os_family\":\"centos\"");
    add_image(sim, "b", "available",
              ",\"os_family\":\"debian\",\"processor_type\":\"64bit\",\"owner\":\"usr-1\"");
    add_image(sim, "c", "deleted",
              ",\"os_family\":\"windows\",\"processor_type\":\"32bit\",\"image_name\":\"windows\","
              "\"description\":null");
    for (guint i = 0; i + 1 < G_N_ELEMENTS(cases); i++)
        assert_found(sim, "DescribeImages", cases[i].params, cases[i].found);
    assert_code(sim, "DescribeImages", "images.1=none", 2100);
    assert_code(sim, "DescribeImages", "status.1=active", 1101);
    assert_code(sim, "DescribeImages", "provider=me", 1101);
    assert_code(sim, "DescribeImages", "visibility=shared", 1101);
    assert_code(sim, "DescribeImages", "processor_type=128bit", 1101);
    assert_code(sim, "DescribeImages", "verbose=1", 1100);
}

/* ---- Tags ---- */

static void
test_tag_life(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = ask(sim, "CreateTag", "tag_name=prod&color=%23c096e0");
    g_autofree char *modify = NULL;
    g_autofree char *drop = NULL;

    modify =
        g_strdup_printf("tag=%s&tag_name=live&description=x&color=%%23fff", text(made, "tag_id"));
    drop = g_strdup_printf("tags.1=%s", text(made, "tag_id"));
    assert_words(sim, "CreateTag", "tag_name=prod", 2110,
                 "ResourceAlreadyExists, tag [prod] exists");
    assert_code(sim, "CreateTag", "", 1100);
    assert_code(sim, "CreateTag", "tag_name=", 1100);
    assert_code(sim, "CreateTag", "tag_name=fifteen-charact", 1100);
    assert_code(sim, "CreateTag",
                "tag_name=%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87"
                "%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87%E6%A0%87",
                0);
    assert_code(sim, "CreateTag", "tag_name=x&color=red", 1100);
    assert_code(sim, "ModifyTagAttributes", modify, 0);
    assert_code(sim, "ModifyTagAttributes", modify, 0); /* its own name is no clash */
    assert_code(sim, "ModifyTagAttributes", "tag=tag-none", 2100);
    assert_code(sim, "ModifyTagAttributes", "", 1100);
    {
        g_autoptr(Reply) found = ask(sim, "DescribeTags", "search_word=liv");

        g_assert_cmpfloat(number(found, "total_count"), ==, 1);
        g_assert_cmpstr(text(found, "tag_set.0.tag_id"), ==, text(made, "tag_id"));
        g_assert_cmpstr(text(found, "tag_set.0.tag_name"), ==, "live");
        g_assert_cmpstr(text(found, "tag_set.0.color"), ==, "#fff");
        g_assert_cmpfloat(number(found, "tag_set.0.resource_count"), ==, 0);
    }
    admin(sim, "POST", "/_sim/settings", "{\"tag_quota\":2}");
    assert_code(sim, "CreateTag", "tag_name=third", 2500);
    assert_code(sim, "DeleteTags", "", 1100);
    assert_code(sim, "DeleteTags", "tags.1=tag-none", 2100);
    assert_code(sim, "DeleteTags", drop, 0);
    assert_code(sim, "DeleteTags", drop, 2100);
    assert_code(sim, "CreateTag", "tag_name=third", 0);
}

/* Ties or unties one tag and two servers. */
static void
change_tags(CfSim *sim, const char *action, const char *tag, const char *type, const char *one,
            const char *two, int code)
{
    g_autofree char *params =
        g_strdup_printf("resource_tag_pairs.1.tag_id=%s&resource_tag_pairs.1.resource_type=%s&"
                        "resource_tag_pairs.1.resource_id=%s&resource_tag_pairs.2.tag_id=%s&"
                        "resource_tag_pairs.2.resource_type=%s&resource_tag_pairs.2.resource_id=%s",
                        tag, type, one, tag, type, two);

    assert_code(sim, action, params, code);
}

static void
test_tie_tags(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = ask(sim, "CreateTag", "tag_name=prod");
    const char *tag = text(made, "tag_id");
    g_autofree char *by_tag = g_strdup_printf("tags.1=%s", tag);
    g_autofree char *both = g_strdup_printf("tags.1=%s&instances.1=i-2&instances.2=i-3", tag);

    add_server(sim, "i-1", "running", "");
    add_server(sim, "i-2", "stopped", "");
    add_server(sim, "i-3", "stopped", ",\"$flags\":{\"foreign\":true}");
    assert_code(sim, "AttachTags", "", 1100);
    change_tags(sim, "AttachTags", tag, "instance", "i-1", "i-none", 2100);
    change_tags(sim, "AttachTags", tag, "instance", "i-1", "i-3", 1400);
    change_tags(sim, "AttachTags", tag, "planet", "i-1", "i-2", 1101);
    change_tags(sim, "AttachTags", tag, "volume", "vol-1", "vol-2", 2100);
    change_tags(sim, "AttachTags", "tag-none", "instance", "i-1", "i-2", 2100);
    assert_found(sim, "DescribeInstances", by_tag, "");
    change_tags(sim, "AttachTags", tag, "instance", "i-1", "i-2", 0);
    change_tags(sim, "AttachTags", tag, "instance", "i-1", "i-2", 0);
    assert_found(sim, "DescribeInstances", by_tag, "i-1 i-2");
    assert_found(sim, "DescribeInstances", both, "i-2");
    {
        g_autoptr(Reply) shown = ask(sim, "DescribeInstances", "instances.1=i-1");
        g_autoptr(Reply) tags = ask(sim, "DescribeTags", "verbose=1");
        g_autoptr(Reply) used = ask(sim, "DescribeTags", "resources.1=i-2");

        g_assert_cmpint(cJSON_GetArraySize(member(shown, "instance_set.0.tags")), ==, 1);
        g_assert_cmpstr(text(shown, "instance_set.0.tags.0.tag_id"), ==, tag);
        g_assert_cmpstr(text(shown, "instance_set.0.tags.0.tag_name"), ==, "prod");
        g_assert_cmpfloat(number(tags, "tag_set.0.resource_count"), ==, 2);
        g_assert_cmpstr(text(tags, "tag_set.0.resource_type_count.0.resource_type"), ==,
                        "instance");
        g_assert_cmpstr(text(tags, "tag_set.0.resource_tag_pairs.1.resource_id"), ==, "i-2");
        g_assert_cmpstr(text(used, "tag_set.0.tag_id"), ==, tag);
    }
    change_tags(sim, "DetachTags", tag, "instance", "i-1", "i-1", 0);
    assert_found(sim, "DescribeInstances", by_tag, "i-2");
    assert_code(sim, "DeleteTags", by_tag, 0);
    {
        g_autoptr(Reply) shown = ask(sim, "DescribeInstances", "instances.1=i-2");

        g_assert_cmpint(cJSON_GetArraySize(member(shown, "instance_set.0.tags")), ==, 0);
    }
}

static void
test_image_tags(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = ask(sim, "CreateTag", "tag_name=gold");
    const char *tag = text(made, "tag_id");

    add_image(sim, "a", "available", ",\"tags\":null");
    add_image(sim, "b", "available", ",\"$remove\":[\"tags\"]");
    change_tags(sim, "AttachTags", tag, "image", "a", "b", 0);
    {
        g_autoptr(Reply) shown = ask(sim, "DescribeImages", "");

        g_assert_cmpstr(text(shown, "image_set.0.tags.0.tag_name"), ==, "gold");
        g_assert_cmpstr(text(shown, "image_set.1.tags.0.tag_name"), ==, "gold");
    }
    admin(sim, "POST", "/_sim/settings", "{\"image_tagging\":false}");
    change_tags(sim, "DetachTags", tag, "image", "a", "b", 1101);
}

static void
test_admin_tags(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) shown = NULL;
    g_autoptr(Reply) names = NULL;

    add_server(sim, "i-1", "running", "");
    admin(sim, "PUT", "/_sim/servers/i-1/tags", "[\"prod\",\"中文\",\"prod\"]");
    shown = ask(sim, "DescribeInstances", "");
    g_assert_cmpint(cJSON_GetArraySize(member(shown, "instance_set.0.tags")), ==, 2);
    g_assert_cmpstr(text(shown, "instance_set.0.tags.1.tag_name"), ==, "中文");
    names = call(sim, "GET", "/_sim/servers/i-1/tags", NULL);
    g_assert_cmpstr(names->body->str, ==, "[\"prod\",\"中文\"]");
    add_image(sim, "a", "available", "");
    admin(sim, "PUT", "/_sim/images/a/tags", "[\"prod\"]");
    {
        g_autoptr(Reply) images = ask(sim, "DescribeImages", "");
        g_autoptr(Reply) tags = ask(sim, "DescribeTags", "");

        g_assert_cmpstr(text(images, "image_set.0.tags.0.tag_name"), ==, "prod");
        g_assert_cmpfloat(number(tags, "total_count"), ==, 2);
    }
}

/* ---- Faults, limits, worlds ---- */

static void
plant(CfSim *sim, const char *description)
{
    admin(sim, "DELETE", "/_sim/faults", NULL);
    admin(sim, "POST", "/_sim/faults", description);
}

static void
test_faults(void)
{
    static const char *const codes[] = {"1100", "1200", "1300", "1400", "2100", "2400",
                                        "2500", "5000", "5100", "5200", "5300", "5400"};
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) down = NULL;

    add_server(sim, "i-1", "running", "");
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *fault = g_strdup_printf(
            "{\"match\":\"DescribeInstances\",\"kind\":\"code\",\"code\":\"%s\",\"message\":"
            "\"planted\"}",
            codes[i]);

        plant(sim, fault);
        assert_words(sim, "DescribeInstances", "", atoi(codes[i]), "planted");
        assert_code(sim, "DescribeInstances", "", 0);
    }
    plant(sim, "{\"match\":\"DescribeInstances\",\"kind\":\"code\",\"code\":\"5000\"}");
    assert_words(sim, "DescribeInstances", "", 5000, NULL); /* an error without a message */
    plant(sim, "{\"match\":\"DescribeInstances\",\"kind\":\"code\",\"code\":5100}");
    assert_words(sim, "DescribeInstances", "", 5100, NULL); /* a code that is written as a number */
    plant(sim, "{\"match\":\"DescribeInstances\",\"kind\":\"empty\"}");
    assert_found(sim, "DescribeInstances", "", "");
    plant(sim, "{\"match\":\"DescribeImages\",\"kind\":\"status\",\"status\":502}");
    assert_found(sim, "DescribeInstances", "", "i-1");
    {
        g_autoptr(Reply) bad = call(sim, "GET", "/iaas/?action=DescribeImages&zone=pek3a", NULL);

        g_assert_cmpuint(bad->status, ==, 502);
    }
    plant(sim, "{\"match\":\"StopInstances\",\"kind\":\"reset_after\"}");
    {
        g_autoptr(Reply) lost =
            call(sim, "GET", "/iaas/?action=StopInstances&zone=pek3a&instances.1=i-1", NULL);

        g_assert_cmpuint(lost->status, ==, 0);
    }
    assert_state(sim, "i-1", "running", "stopping");
    admin(sim, "POST", "/_sim/settings", "{\"listing\":\"down\"}");
    down = call(sim, "GET", "/iaas/?action=DescribeImages&zone=pek3a", NULL);
    g_assert_cmpuint(down->status, ==, 503);
    g_assert_null(down->json);
}

static void
test_wrong_types(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    add_server(sim, "i-1", "running", "");
    admin(sim, "POST", "/_sim/faults",
          "{\"match\":\"DescribeInstances\",\"kind\":\"wrong_type\",\"count\":10}");
    for (guint i = 0; i < 10; i++) {
        g_autoptr(Reply) reply = ask(sim, "DescribeInstances", "");

        g_assert_nonnull(reply->json);
        g_assert_true(g_hash_table_add(seen, g_strdup(reply->body->str)));
        g_assert_null(strstr(reply->body->str, "i-1"));
    }
    assert_found(sim, "DescribeInstances", "", "i-1");
}

static void
test_twists(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) partial = NULL;

    for (guint i = 0; i < 30; i++) {
        g_autofree char *id = g_strdup_printf("i-%02u", i);

        add_server(sim, id, "running", "");
    }
    plant(sim, "{\"match\":\"DescribeInstances\",\"kind\":\"partial\",\"count\":-1}");
    partial = ask(sim, "DescribeInstances", "offset=20");
    g_assert_cmpfloat(number(partial, "total_count"), ==, 30);
    g_assert_cmpint(cJSON_GetArraySize(member(partial, "instance_set")), ==, 0);
    plant(sim, "{\"match\":\"DescribeInstances\",\"kind\":\"shift\",\"count\":-1}");
    {
        g_autoptr(Reply) first = ask(sim, "DescribeInstances", "offset=0&limit=2");
        g_autoptr(Reply) second = ask(sim, "DescribeInstances", "offset=2&limit=2");

        g_assert_cmpstr(text(first, "instance_set.1.instance_id"), ==, "i-01");
        g_assert_cmpstr(text(second, "instance_set.0.instance_id"), ==, "i-01");
    }
}

static void
test_rate(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    admin(sim, "POST", "/_sim/settings", "{\"rate_limit\":2}");
    assert_code(sim, "DescribeInstances", "", 0);
    assert_code(sim, "DescribeInstances", "", 0);
    assert_words(sim, "DescribeInstances", "", 2500, "QuotasExceeded, too many API requests");
    advance(sim, 3600 * 1000);
    assert_code(sim, "DescribeInstances", "", 0);
}

static void
test_touch(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "i-1", "running", "");
    add_server(sim, "i-2", "suspended", "");
    admin(sim, "POST", "/_sim/servers/touch", "{\"fraction\":1}");
    assert_state(sim, "i-1", "stopped", "");
    assert_state(sim, "i-2", "running", "");
    admin(sim, "DELETE", "/_sim/servers/i-1", NULL);
    assert_code(sim, "DescribeInstances", "instances.1=i-1", 2100);
}

/* The same seed makes the same world; ids are unique; all states and shapes occur. */
static void
test_world(void)
{
    static const char *const states[] = {"pending",   "running",    "stopped",
                                         "suspended", "terminated", "ceased"};
    g_autoptr(CfSim) one = start(3000, 60);
    g_autoptr(CfSim) two = start(3000, 60);
    g_autoptr(Reply) first = call(one, "GET", "/_sim/servers", NULL);
    g_autoptr(Reply) second = call(two, "GET", "/_sim/servers", NULL);
    g_autoptr(Reply) images = call(one, "GET", "/_sim/images", NULL);
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    const cJSON *item;

    g_assert_cmpstr(first->body->str, ==, second->body->str);
    cJSON_ArrayForEach (item, first->json)
        g_assert_true(g_hash_table_add(ids, cJSON_GetObjectItem(item, "instance_id")->valuestring));
    cJSON_ArrayForEach (item, images->json)
        g_assert_true(g_hash_table_add(ids, cJSON_GetObjectItem(item, "image_id")->valuestring));
    g_assert_cmpuint(g_hash_table_size(ids), ==, 3060);
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *params = g_strdup_printf("status.1=%s", states[i]);
        g_autoptr(Reply) found = ask(one, "DescribeInstances", params);

        g_assert_cmpfloat(number(found, "total_count"), >, 0);
    }
}

static void
test_hostile(void)
{
    CfSimOptions options;
    g_autoptr(CfSim) sim = NULL;
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint unparsed = 0;

    cf_sim_options_init(&options);
    options.servers = 300;
    options.images = 300;
    options.hostile = TRUE;
    options.no_auth = TRUE;
    sim = start_with(&options);
    for (guint i = 0; i < 600; i++) {
        gboolean image = i >= 300;
        g_autofree char *params = g_strdup_printf("limit=1&offset=%u", i % 300);
        g_autoptr(Reply) reply = ask(sim, image ? "DescribeImages" : "DescribeInstances", params);
        const char *id = text(reply, image ? "image_set.0.image_id" : "instance_set.0.instance_id");

        if (!reply->json) { /* lone surrogates: JSON, but not for cJSON */
            g_assert_nonnull(strstr(reply->body->str, "\\ud800"));
            unparsed++;
            continue;
        }
        g_assert_true(id && *id);
        g_assert_true(g_hash_table_add(ids, g_strdup_printf("%u %s", image, id)));
    }
    g_assert_cmpuint(unparsed, ==, 2);
    {
        g_autoptr(Reply) odd = ask(sim, "DescribeInstances", "instances.1=slash%2Fin%2Fid");
        g_autoptr(Reply) tags = ask(sim, "DescribeTags", "verbose=1&limit=100");

        g_assert_cmpstr(text(odd, "instance_set.0.instance_id"), ==, "slash/in/id");
        g_assert_cmpfloat(number(tags, "total_count"), >, 10);
    }
}

static void
test_demo(void)
{
    CfSimOptions options;
    g_autoptr(CfSim) sim = NULL;
    g_autoptr(Reply) servers = NULL;
    g_autoptr(Reply) images = NULL;

    cf_sim_options_init(&options);
    options.demo = TRUE;
    options.no_auth = TRUE;
    sim = start_with(&options);
    servers = ask(sim, "DescribeInstances", "verbose=1");
    images = ask(sim, "DescribeImages", "");
    g_assert_cmpfloat(number(servers, "total_count"), ==, 8);
    g_assert_cmpstr(text(servers, "instance_set.0.tags.0.tag_name"), ==, "shop");
    g_assert_cmpfloat(number(images, "total_count"), ==, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qingcloud-lists/envelope", test_envelope);
    g_test_add_func("/qingcloud-lists/pages", test_pages);
    g_test_add_func("/qingcloud-lists/verbose", test_verbose);
    g_test_add_func("/qingcloud-lists/server-filters", test_server_filters);
    g_test_add_func("/qingcloud-lists/image-filters", test_image_filters);
    g_test_add_func("/qingcloud-lists/tag-life", test_tag_life);
    g_test_add_func("/qingcloud-lists/tie-tags", test_tie_tags);
    g_test_add_func("/qingcloud-lists/image-tags", test_image_tags);
    g_test_add_func("/qingcloud-lists/admin-tags", test_admin_tags);
    g_test_add_func("/qingcloud-lists/faults", test_faults);
    g_test_add_func("/qingcloud-lists/wrong-types", test_wrong_types);
    g_test_add_func("/qingcloud-lists/twists", test_twists);
    g_test_add_func("/qingcloud-lists/rate", test_rate);
    g_test_add_func("/qingcloud-lists/touch", test_touch);
    g_test_add_func("/qingcloud-lists/world", test_world);
    g_test_add_func("/qingcloud-lists/hostile", test_hostile);
    g_test_add_func("/qingcloud-lists/demo", test_demo);
    return g_test_run();
}
