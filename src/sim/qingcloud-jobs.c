/* Jobs: what a change that takes time is known by. */
#include "sim/qingcloud.h"

#define JOBS_MAX 10000

static const char *const job_states[] = {"pending", "working",           "successful",
                                         "failed",  "done with failure", NULL};

static const CfSimQingcloudField job_fields[] = {
    {"status", "status", job_states},
    {"job_action", "job_action", NULL},
    {"owner", "owner", NULL},
    {NULL},
};

static void
render(CfSim *sim, const CfSimRecord *record, GString *out)
{
    g_string_append(out, record->text);
}

void
cf_sim_qingcloud_describe_jobs(CfSim *sim, CfSimCall *call)
{
    static const CfSimQingcloudList list = {
        .kind = CF_SIM_JOBS,
        .ids = "jobs",
        .name = "job_action",
        .set = "job_set",
        .fields = job_fields,
        .unknown_is_error = TRUE,
        .brief = render,
        .verbose = render,
    };

    cf_sim_qingcloud_describe(sim, call, &list);
}

/* Plans a state of the job, delay_ms after the last one, after_ms from now. */
static void
plan(CfSim *sim, CfSimRecord *job, guint delay_ms, guint after_ms, const char *status,
     const char *error_codes)
{
    g_autofree char *time = cf_sim_world_date_after(sim->world, after_ms, CF_SIM_QINGCLOUD_TIME);
    g_autofree char *changes =
        g_strdup_printf("{\"status\":\"%s\",\"status_time\":\"%s\",\"error_codes\":\"%s\"}", status,
                        time, error_codes);

    cf_sim_world_plan(sim->world, job, delay_ms, changes);
}

const char *
cf_sim_qingcloud_add_job(CfSim *sim, const CfSimCall *call, const GPtrArray *ids, guint failed)
{
    const GPtrArray *jobs = cf_sim_world_list(sim->world, CF_SIM_JOBS);
    g_autofree char *now = cf_sim_world_date_after(sim->world, 0, CF_SIM_QINGCLOUD_TIME);
    g_autoptr(GString) resources = g_string_new(NULL);
    GString *text = g_string_new("{\"job_id\":\"");
    guint ms = sim->settings.transition_ms;
    guint end = ms - MIN(sim->settings.job_lead_ms, ms), begin = end / 10;
    const char *outcome = "successful";
    CfSimRecord *job;

    for (guint i = 0; i < ids->len; i++)
        g_string_append_printf(resources, "%s%s", i ? " " : "",
                               (const char *) g_ptr_array_index(ids, i));
    cf_sim_qingcloud_append_id(sim, "j", sim->made++, text);
    g_string_append_printf(text,
                           "\",\"job_action\":\"%s\",\"create_time\":\"%s\",\"status\":\"pending\","
                           "\"status_time\":\"%s\",\"error_codes\":\"\",\"owner\":\"%s\","
                           "\"resource_ids\":",
                           call->route->name, now, now, CF_SIM_QINGCLOUD_OWNER);
    cf_sim_raw_quote(text, resources->str);
    g_string_append_c(text, '}');
    if (jobs->len >= JOBS_MAX)
        cf_sim_world_remove(sim->world, g_ptr_array_index(jobs, 0));
    job = cf_sim_world_add(sim->world, CF_SIM_JOBS, g_string_free(text, FALSE), NULL);
    if (failed)
        outcome = failed == ids->len ? "failed" : "done with failure";
    plan(sim, job, begin, begin, "working", "");
    plan(sim, job, end - begin, end, outcome, failed ? "5000" : "");
    return job->id;
}
