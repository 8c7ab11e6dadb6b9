/* The QingCloud dialect, over HTTP. */
#include "sim/qingcloud.h"
#include "test-sim-client.h"

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static CfSim *
start_with(CfSimOptions *options)
{
    g_autoptr(GError) error = NULL;
    CfSim *sim;

    options->dialect = "qingcloud";
    options->transition_ms = 10000;
    sim = cf_sim_new(options, &error);
    g_assert_no_error(error);
    return sim;
}

static CfSim *
start(guint servers, guint images)
{
    CfSimOptions options;

    cf_sim_options_init(&options);
    options.servers = servers;
    options.images = images;
    options.no_auth = TRUE;
    return start_with(&options);
}

/* An empty cloud with a frozen clock. */
static CfSim *
start_frozen(void)
{
    CfSim *sim = start(0, 0);

    admin(sim, "POST", "/_sim/settings", "{\"freeze\":true}");
    return sim;
}

static Reply *
ask(CfSim *sim, const char *action, const char *params)
{
    g_autofree char *path =
        g_strdup_printf("/iaas/?action=%s&zone=pek3a%s%s", action, *params ? "&" : "", params);
    Reply *reply = call(sim, "GET", path, NULL);

    g_assert_cmpuint(reply->status, ==, 200);
    return reply;
}

static void
assert_code(CfSim *sim, const char *action, const char *params, int code)
{
    g_autoptr(Reply) reply = ask(sim, action, params);

    if ((int) number(reply, "ret_code") != code)
        g_error("%s %s: %s", action, params, reply->body->str);
    if (code)
        g_assert_null(member(reply, "action"));
}

/* The call is refused with those words. */
static void
assert_words(CfSim *sim, const char *action, const char *params, int code, const char *words)
{
    g_autoptr(Reply) reply = ask(sim, action, params);

    g_assert_cmpfloat(number(reply, "ret_code"), ==, code);
    g_assert_cmpstr(text(reply, "message"), ==, words);
}

static void
add_server(CfSim *sim, const char *id, const char *status, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"instance_id\":\"%s\",\"instance_name\":\"%s\",\"status\":\"%s\","
                        "\"transition_status\":\"\"%s}",
                        id, id, status, more);

    admin(sim, "POST", "/_sim/servers", body);
}

static void
add_image(CfSim *sim, const char *id, const char *status, const char *more)
{
    g_autofree char *body = g_strdup_printf(
        "{\"image_id\":\"%s\",\"image_name\":\"%s\",\"status\":\"%s\",\"provider\":\"self\","
        "\"transition_status\":\"\",\"visibility\":\"private\"%s}",
        id, id, status, more);

    admin(sim, "POST", "/_sim/images", body);
}

static void
advance(CfSim *sim, guint ms)
{
    g_autofree char *body = g_strdup_printf("{\"advance_ms\":%u}", ms);

    admin(sim, "POST", "/_sim/clock", body);
}

static void
assert_state(CfSim *sim, const char *id, const char *status, const char *transition)
{
    g_autofree char *params = g_strdup_printf("instances.1=%s", id);
    g_autoptr(Reply) reply = ask(sim, "DescribeInstances", params);

    g_assert_cmpfloat(number(reply, "total_count"), ==, 1);
    g_assert_cmpstr(text(reply, "instance_set.0.instance_id"), ==, id);
    g_assert_cmpstr(text(reply, "instance_set.0.status"), ==, status);
    g_assert_cmpstr(text(reply, "instance_set.0.transition_status"), ==, transition);
}

static void
assert_image(CfSim *sim, const char *id, const char *status, const char *transition)
{
    g_autofree char *params = g_strdup_printf("images.1=%s", id);
    g_autoptr(Reply) reply = ask(sim, "DescribeImages", params);

    g_assert_cmpstr(text(reply, "image_set.0.status"), ==, status);
    g_assert_cmpstr(text(reply, "image_set.0.transition_status"), ==, transition);
}

static void
assert_job(CfSim *sim, const char *id, const char *status)
{
    g_autofree char *params = g_strdup_printf("jobs.1=%s", id);
    g_autoptr(Reply) reply = ask(sim, "DescribeJobs", params);

    g_assert_cmpfloat(number(reply, "total_count"), ==, 1);
    g_assert_cmpstr(text(reply, "job_set.0.job_id"), ==, id);
    g_assert_cmpstr(text(reply, "job_set.0.status"), ==, status);
}

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

/* The ids of the servers or images that a listing finds, joined. */
static void
assert_found(CfSim *sim, const char *action, const char *params, const char *wanted)
{
    gboolean images = strcmp(action, "DescribeImages") == 0;
    g_autoptr(Reply) reply = ask(sim, action, params);
    g_autoptr(GString) found = g_string_new(NULL);
    const cJSON *item;

    cJSON_ArrayForEach (item, member(reply, images ? "image_set" : "instance_set"))
        g_string_append_printf(
            found, "%s%s", found->len ? " " : "",
            cJSON_GetObjectItem(item, images ? "image_id" : "instance_id")->valuestring);
    if (strcmp(found->str, wanted) != 0)
        g_error("%s %s: %s", action, params, reply->body->str);
    g_assert_cmpfloat(number(reply, "total_count"), ==,
                      cJSON_GetArraySize(member(reply, images ? "image_set" : "instance_set")));
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

/* ---- What is done to servers ---- */

static void
test_start_stop(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) started = NULL;
    g_autoptr(Reply) job = NULL;

    add_server(sim, "i-1", "stopped", "");
    started = ask(sim, "StartInstances", "instances.1=i-1");
    g_assert_cmpstr(text(started, "action"), ==, "StartInstancesResponse");
    g_assert_cmpfloat(number(started, "ret_code"), ==, 0);
    assert_state(sim, "i-1", "stopped", "starting");
    assert_words(sim, "StartInstances", "instances.1=i-1", 1400,
                 "PermissionDenied, resource [i-1] is in transition [starting], please try later");
    assert_job(sim, text(started, "job_id"), "pending");
    advance(sim, 1000);
    assert_job(sim, text(started, "job_id"), "working");
    advance(sim, 8999);
    assert_job(sim, text(started, "job_id"), "working");
    assert_state(sim, "i-1", "stopped", "starting");
    advance(sim, 1);
    assert_job(sim, text(started, "job_id"), "successful");
    assert_state(sim, "i-1", "running", "");
    job = ask(sim, "DescribeJobs", "status.1=successful");
    g_assert_cmpstr(text(job, "job_set.0.job_action"), ==, "StartInstances");
    g_assert_cmpstr(text(job, "job_set.0.resource_ids"), ==, "i-1");
    assert_words(sim, "StartInstances", "instances.1=i-1", 1400,
                 "PermissionDenied, instance [i-1] is not stopped, can not be started");
    assert_code(sim, "StopInstances", "instances.1=i-1&force=0", 0);
    assert_state(sim, "i-1", "running", "stopping");
    advance(sim, 10000);
    assert_state(sim, "i-1", "stopped", "");
    assert_words(sim, "StopInstances", "instances.1=i-1&force=1", 1400,
                 "PermissionDenied, instance [i-1] is not running, can not be stopped");
}

static void
test_restart(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "i-1", "running", "");
    assert_code(sim, "RestartInstances", "instances.1=i-1", 0);
    assert_state(sim, "i-1", "running", "restarting");
    assert_code(sim, "StopInstances", "instances.1=i-1&force=1", 1400);
    advance(sim, 10000);
    assert_state(sim, "i-1", "running", "");
    assert_code(sim, "StopInstances", "instances.1=i-1&force=1", 0);
    assert_state(sim, "i-1", "running", "stopping");
    advance(sim, 10000);
    assert_state(sim, "i-1", "stopped", "");
    assert_words(sim, "RestartInstances", "instances.1=i-1", 1400,
                 "PermissionDenied, instance [i-1] is not running, can not be restarted");
}

/* Every state against every action. */
static void
test_preconditions(void)
{
    static const char *const states[] = {"pending",   "running",    "stopped",
                                         "suspended", "terminated", "ceased"};
    static const struct {
        const char *action, *param, *good;
    } actions[] = {
        {"StartInstances", "instances.1", "stopped"},
        {"StopInstances", "instances.1", "running"},
        {"RestartInstances", "instances.1", "running"},
        {"TerminateInstances", "instances.1", "running stopped suspended"},
        {"CeaseInstances", "instances.1", "terminated"},
        {"CaptureInstance", "instance", "stopped"},
        {"CreateBrokers", "instances.1", "running"},
        {"ModifyInstanceAttributes", "instance",
         "pending running stopped suspended terminated ceased"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(states); j++) {
            g_autoptr(CfSim) sim = start_frozen();
            g_autofree char *params = g_strdup_printf("%s=i-1", actions[i].param);
            g_auto(GStrv) good = g_strsplit(actions[i].good, " ", -1);

            add_server(sim, "i-1", states[j], "");
            assert_code(sim, actions[i].action, params,
                        g_strv_contains((const char *const *) good, states[j]) ? 0 : 1400);
        }
    }
}

static void
test_refusals(void)
{
    static const struct {
        const char *action, *params;
        int code;
    } cases[] = {
        {"StartInstances", "", 1100},
        {"StartInstances", "instances=i-1", 1100},
        {"StartInstances", "instances.1=i-none", 2100},
        {"StartInstances", "instances.1=i-foreign", 1400},
        {"StartInstances", "instances.1=i-poor", 2400},
        {"StopInstances", "instances.1=i-run&force=true", 1100},
        {"StopInstances", "instances.1=i-run&force=2", 1100},
        {"TerminateInstances", "instances.1=i-run&direct_cease=x", 1100},
        {"ModifyInstanceAttributes", "", 1100},
        {"ModifyInstanceAttributes", "instance=i-none", 2100},
        {"ModifyInstanceAttributes", "instance=i-foreign&instance_name=x", 1400},
        {"ModifyInstanceAttributes", "instance=i-failing&instance_name=x", 5000},
        {"ModifyInstanceAttributes", "instance=i-run&instance_name=%FF", 1100},
        {"ModifyInstanceAttributes", "instance=i-run&nic_mqueue=2", 1100},
        {"CaptureInstance", "", 1100},
        {"CaptureInstance", "instance=i-none", 2100},
        {"CaptureInstance", "instance=i-foreign", 1400},
        {"CaptureInstance", "instance=i-stop&image_name=%C3%28", 1100},
        {"CreateBrokers", "", 1100},
        {"CreateBrokers", "instances.1=i-none", 2100},
        {"DeleteBrokers", "", 1100},
        {"DeleteBrokers", "instances.1=i-none", 2100},
        {"DeleteBrokers", "instances.1=i-run", 0},
        {"DeleteImages", "", 1100},
        {"DeleteImages", "images.1=none", 2100},
        {"DeleteImages", "images.1=system", 1400},
        {"DeleteImages", "images.1=foreign", 1400},
        {"DeleteImages", "images.1=pending", 1400},
        {"DeleteImages", "images.1=deprecated", 1400},
        {"ModifyImageAttributes", "", 1100},
        {"ModifyImageAttributes", "image=none", 2100},
        {"ModifyImageAttributes", "image=system&image_name=x", 1400},
        {"ModifyImageAttributes", "image=foreign&image_name=x", 1400},
        {"ModifyImageAttributes", "image=failing&image_name=x", 5000},
        {"DescribeJobs", "jobs.1=j-none", 2100},
        {"DescribeJobs", "status.1=done", 1101},
        {"DescribeTags", "tags.1=tag-none", 2100},
    };
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "i-run", "running", "");
    add_server(sim, "i-stop", "stopped", "");
    add_server(sim, "i-foreign", "stopped", ",\"$flags\":{\"foreign\":true}");
    add_server(sim, "i-poor", "stopped", ",\"$flags\":{\"unbilled\":true}");
    add_server(sim, "i-failing", "stopped", ",\"$flags\":{\"failing\":true}");
    add_image(sim, "system", "available", ",\"provider\":\"system\"");
    add_image(sim, "pending", "pending", "");
    add_image(sim, "deprecated", "deprecated", "");
    add_image(sim, "foreign", "available", ",\"$flags\":{\"foreign\":true}");
    add_image(sim, "failing", "available", ",\"$flags\":{\"failing\":true}");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_code(sim, cases[i].action, cases[i].params, cases[i].code);
    assert_state(sim, "i-run", "running", "");
    assert_state(sim, "i-stop", "stopped", "");
}

static void
test_batch(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(GString) form = g_string_new("action=StartInstances&zone=pek3a");
    g_autoptr(Reply) all = NULL;

    for (guint i = 0; i < 200; i++) {
        g_autofree char *id = g_strdup_printf("i-%u", i);

        add_server(sim, id, i == 150 ? "running" : "stopped", "");
        g_string_append_printf(form, "&instances.%u=%s", i + 1, id);
    }
    {
        g_autoptr(Reply) refused = call_with(sim, "POST", "/iaas/", FORM, form->str);

        g_assert_cmpfloat(number(refused, "ret_code"), ==, 1400);
        g_assert_cmpstr(text(refused, "message"), ==,
                        "PermissionDenied, instance [i-150] is not stopped, can not be started");
    }
    assert_state(sim, "i-0", "stopped", ""); /* the batch did nothing at all */
    admin(sim, "PATCH", "/_sim/servers/i-150", "{\"status\":\"stopped\"}");
    all = call_with(sim, "POST", "/iaas/", FORM, form->str);
    g_assert_cmpfloat(number(all, "ret_code"), ==, 0);
    advance(sim, 10000);
    assert_state(sim, "i-0", "running", "");
    assert_state(sim, "i-199", "running", "");
}

static void
test_failed_jobs(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) some = NULL;
    g_autoptr(Reply) all = NULL;
    g_autoptr(Reply) planted = NULL;
    g_autoptr(Reply) list = NULL;

    add_server(sim, "i-1", "stopped", "");
    add_server(sim, "i-2", "stopped", ",\"$flags\":{\"failing\":true}");
    some = ask(sim, "StartInstances", "instances.1=i-1&instances.2=i-2");
    assert_state(sim, "i-2", "stopped", "starting");
    advance(sim, 10000);
    assert_job(sim, text(some, "job_id"), "done with failure");
    assert_state(sim, "i-1", "running", "");
    assert_state(sim, "i-2", "stopped", "");
    all = ask(sim, "StartInstances", "instances.1=i-2");
    advance(sim, 10000);
    assert_job(sim, text(all, "job_id"), "failed");
    admin(sim, "POST", "/_sim/faults", "{\"match\":\"StopInstances\",\"kind\":\"job\"}");
    planted = ask(sim, "StopInstances", "instances.1=i-1");
    g_assert_cmpfloat(number(planted, "ret_code"), ==, 0);
    advance(sim, 10000);
    assert_job(sim, text(planted, "job_id"), "failed");
    assert_state(sim, "i-1", "running", "");
    assert_code(sim, "StopInstances", "instances.1=i-1", 0);
    advance(sim, 10000);
    assert_state(sim, "i-1", "stopped", "");
    list = ask(sim, "DescribeJobs", "status.1=failed&status.2=done%20with%20failure");
    g_assert_cmpfloat(number(list, "total_count"), ==, 3);
    g_assert_cmpstr(text(list, "job_set.0.error_codes"), ==, "5000");
}

/* A job may be done before the listing shows what it did. */
static void
test_job_leads(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) started = NULL;

    admin(sim, "POST", "/_sim/settings", "{\"job_lead_ms\":4000}");
    add_server(sim, "i-1", "stopped", "");
    started = ask(sim, "StartInstances", "instances.1=i-1");
    advance(sim, 6000);
    assert_job(sim, text(started, "job_id"), "successful");
    assert_state(sim, "i-1", "stopped", "starting");
    advance(sim, 4000);
    assert_state(sim, "i-1", "running", "");
}

#define TWO_HOURS (2 * 3600 * 1000)

static void
test_terminate(void)
{
    g_autoptr(CfSim) sim = start_frozen();

    add_server(sim, "i-1", "running", "");
    add_server(sim, "i-2", "stopped", "");
    add_server(sim, "i-3", "suspended", "");
    assert_code(sim, "TerminateInstances", "instances.1=i-1&instances.2=i-2", 0);
    assert_code(sim, "TerminateInstances", "instances.1=i-3&direct_cease=1", 0);
    assert_state(sim, "i-1", "running", "terminating");
    advance(sim, 10000);
    assert_state(sim, "i-1", "terminated", "");
    assert_state(sim, "i-3", "ceased", "");
    assert_code(sim, "CeaseInstances", "instances.1=i-2", 0);
    advance(sim, 10000);
    assert_state(sim, "i-2", "ceased", "");
    advance(sim, TWO_HOURS);
    assert_state(sim, "i-1", "ceased", "");
    assert_found(sim, "DescribeInstances", "", "i-1");
    advance(sim, TWO_HOURS);
    assert_found(sim, "DescribeInstances", "", "");
}

static void
test_modify(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) shown = NULL;
    g_autoptr(Reply) cleared = NULL;
    g_autoptr(Reply) posted = NULL;

    add_server(sim, "i-1", "running", "");
    assert_code(sim, "ModifyInstanceAttributes",
                "instance=i-1&instance_name=%E6%B5%8B%20%22x%22&description=a%3Db%0Ac&nic_mqueue=1",
                0);
    shown = ask(sim, "DescribeInstances", "verbose=1");
    g_assert_cmpstr(text(shown, "instance_set.0.instance_name"), ==, "测 \"x\"");
    g_assert_cmpstr(text(shown, "instance_set.0.description"), ==, "a=b\nc");
    g_assert_cmpfloat(number(shown, "instance_set.0.nic_mqueue"), ==, 1);
    posted = call_with(sim, "POST", "/iaas", FORM,
                       "action=ModifyInstanceAttributes&zone=pek3a&instance=i-1&description=");
    g_assert_cmpfloat(number(posted, "ret_code"), ==, 0);
    cleared = ask(sim, "DescribeInstances", "");
    g_assert_cmpstr(text(cleared, "instance_set.0.description"), ==, "");
    g_assert_cmpstr(text(cleared, "instance_set.0.instance_name"), ==, "测 \"x\"");
}

static void
test_brokers(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = NULL;
    g_autoptr(Reply) again = NULL;

    add_server(sim, "i-1", "running", "");
    add_server(sim, "i-2", "stopped", "");
    made = ask(sim, "CreateBrokers", "instances.1=i-1");
    again = ask(sim, "CreateBrokers", "instances.1=i-1");
    g_assert_cmpstr(text(made, "brokers.0.instance_id"), ==, "i-1");
    g_assert_nonnull(text(made, "brokers.0.broker_host"));
    g_assert_cmpfloat(number(made, "brokers.0.broker_port"), >, 0);
    g_assert_cmpfloat(number(made, "brokers.0.broker_port"), ==,
                      number(again, "brokers.0.broker_port"));
    assert_code(sim, "CreateBrokers", "instances.1=i-1&instances.2=i-2", 1400);
    assert_code(sim, "DeleteBrokers", "instances.1=i-1", 0);
}

/* ---- Images ---- */

static void
test_capture(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = NULL;
    g_autoptr(Reply) shown = NULL;
    g_autofree char *modify = NULL;
    const char *id;

    add_server(sim, "i-1", "stopped",
               ",\"image\":{\"image_id\":\"x\",\"image_size\":40,\"os_family\":\"debian\","
               "\"platform\":\"linux\",\"processor_type\":\"64bit\"}");
    made = ask(sim, "CaptureInstance", "instance=i-1&image_name=before%20upgrade");
    id = text(made, "image_id");
    g_assert_true(g_str_has_prefix(id, "img-"));
    assert_image(sim, id, "pending", "creating");
    assert_job(sim, text(made, "job_id"), "pending");
    modify = g_strdup_printf("image=%s&description=made%%20by%%20a%%20test", id);
    {
        g_autoptr(Reply) modified = ask(sim, "ModifyImageAttributes", modify);

        g_assert_cmpfloat(number(modified, "ret_code"), ==, 0);
        g_assert_cmpstr(text(modified, "image_id"), ==, id);
    }
    advance(sim, 10000);
    assert_image(sim, id, "available", "");
    assert_job(sim, text(made, "job_id"), "successful");
    shown = ask(sim, "DescribeImages", "");
    g_assert_cmpstr(text(shown, "image_set.0.image_name"), ==, "before upgrade");
    g_assert_cmpstr(text(shown, "image_set.0.description"), ==, "made by a test");
    g_assert_cmpstr(text(shown, "image_set.0.os_family"), ==, "debian");
    g_assert_cmpstr(text(shown, "image_set.0.provider"), ==, "self");
    g_assert_cmpstr(text(shown, "image_set.0.visibility"), ==, "private");
    g_assert_cmpfloat(number(shown, "image_set.0.size"), ==, 40);
}

static void
test_capture_fails(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) made = NULL;

    add_server(sim, "i-1", "stopped", "");
    admin(sim, "POST", "/_sim/faults", "{\"match\":\"CaptureInstance\",\"kind\":\"job\"}");
    made = ask(sim, "CaptureInstance", "instance=i-1");
    advance(sim, 10000);
    assert_job(sim, text(made, "job_id"), "failed");
    assert_image(sim, text(made, "image_id"), "ceased", "");
    admin(sim, "POST", "/_sim/settings", "{\"image_quota\":1}");
    assert_code(sim, "CaptureInstance", "instance=i-1", 0); /* what is ceased does not count */
    assert_code(sim, "CaptureInstance", "instance=i-1", 2500);
}

static void
test_delete_images(void)
{
    g_autoptr(CfSim) sim = start_frozen();
    g_autoptr(Reply) failed = NULL;

    add_image(sim, "a", "available", "");
    add_image(sim, "b", "suspended", "");
    add_image(sim, "f", "available", ",\"$flags\":{\"failing\":true}");
    assert_code(sim, "DeleteImages", "images.1=a&images.2=none", 2100);
    assert_image(sim, "a", "available", "");
    assert_code(sim, "DeleteImages", "images.1=a&images.2=b", 0);
    assert_image(sim, "a", "available", "deleting");
    assert_code(sim, "DeleteImages", "images.1=a", 1400);
    advance(sim, 10000);
    assert_image(sim, "a", "deleted", "");
    assert_image(sim, "b", "deleted", "");
    failed = ask(sim, "DeleteImages", "images.1=f");
    advance(sim, 10000);
    assert_job(sim, text(failed, "job_id"), "failed");
    assert_image(sim, "f", "available", "");
    advance(sim, TWO_HOURS - 10000);
    assert_image(sim, "a", "ceased", "");
    advance(sim, TWO_HOURS);
    assert_found(sim, "DescribeImages", "", "f");
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
          "{\"match\":\"DescribeInstances\",\"kind\":\"wrong_type\",\"count\":9}");
    for (guint i = 0; i < 9; i++) {
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
    g_test_add_func("/qingcloud/envelope", test_envelope);
    g_test_add_func("/qingcloud/pages", test_pages);
    g_test_add_func("/qingcloud/verbose", test_verbose);
    g_test_add_func("/qingcloud/server-filters", test_server_filters);
    g_test_add_func("/qingcloud/image-filters", test_image_filters);
    g_test_add_func("/qingcloud/start-stop", test_start_stop);
    g_test_add_func("/qingcloud/restart", test_restart);
    g_test_add_func("/qingcloud/preconditions", test_preconditions);
    g_test_add_func("/qingcloud/refusals", test_refusals);
    g_test_add_func("/qingcloud/batch-is-one", test_batch);
    g_test_add_func("/qingcloud/failed-jobs", test_failed_jobs);
    g_test_add_func("/qingcloud/job-leads", test_job_leads);
    g_test_add_func("/qingcloud/terminate", test_terminate);
    g_test_add_func("/qingcloud/modify", test_modify);
    g_test_add_func("/qingcloud/brokers", test_brokers);
    g_test_add_func("/qingcloud/capture", test_capture);
    g_test_add_func("/qingcloud/capture-fails", test_capture_fails);
    g_test_add_func("/qingcloud/delete-images", test_delete_images);
    g_test_add_func("/qingcloud/tag-life", test_tag_life);
    g_test_add_func("/qingcloud/tie-tags", test_tie_tags);
    g_test_add_func("/qingcloud/image-tags", test_image_tags);
    g_test_add_func("/qingcloud/admin-tags", test_admin_tags);
    g_test_add_func("/qingcloud/faults", test_faults);
    g_test_add_func("/qingcloud/wrong-types", test_wrong_types);
    g_test_add_func("/qingcloud/twists", test_twists);
    g_test_add_func("/qingcloud/rate", test_rate);
    g_test_add_func("/qingcloud/touch", test_touch);
    g_test_add_func("/qingcloud/world", test_world);
    g_test_add_func("/qingcloud/hostile", test_hostile);
    g_test_add_func("/qingcloud/demo", test_demo);
    return g_test_run();
}
