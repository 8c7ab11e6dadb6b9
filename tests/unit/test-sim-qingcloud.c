/* What the QingCloud dialect does to servers and images, over HTTP. */
#include "test-sim-qingcloud.h"

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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
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
    return g_test_run();
}
