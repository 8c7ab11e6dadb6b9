/* The QingCloud dialect: its actions, its envelope, its way of failing. */
#include <stdarg.h>
#include <string.h>

#include "sim/qingcloud.h"

static const CfSimRoute routes[] = {
    {"*", NULL, "DescribeInstances", CF_SIM_READ, cf_sim_qingcloud_describe_instances},
    {"*", NULL, "DescribeImages", CF_SIM_READ, cf_sim_qingcloud_describe_images},
    {"*", NULL, "DescribeJobs", CF_SIM_READ, cf_sim_qingcloud_describe_jobs},
    {"*", NULL, "DescribeTags", CF_SIM_READ, cf_sim_qingcloud_describe_tags},
    {"*", NULL, "DescribeZones", CF_SIM_READ, cf_sim_qingcloud_describe_zones},
    {"*", NULL, "StartInstances", CF_SIM_CHANGE, cf_sim_qingcloud_start},
    {"*", NULL, "StopInstances", CF_SIM_CHANGE, cf_sim_qingcloud_stop},
    {"*", NULL, "RestartInstances", CF_SIM_CHANGE, cf_sim_qingcloud_restart},
    {"*", NULL, "TerminateInstances", CF_SIM_CHANGE, cf_sim_qingcloud_terminate},
    {"*", NULL, "CeaseInstances", CF_SIM_CHANGE, cf_sim_qingcloud_cease},
    {"*", NULL, "ModifyInstanceAttributes", CF_SIM_CHANGE, cf_sim_qingcloud_modify_instance},
    {"*", NULL, "CreateBrokers", CF_SIM_CHANGE, cf_sim_qingcloud_create_brokers},
    {"*", NULL, "DeleteBrokers", CF_SIM_CHANGE, cf_sim_qingcloud_delete_brokers},
    {"*", NULL, "CaptureInstance", CF_SIM_CHANGE, cf_sim_qingcloud_capture},
    {"*", NULL, "ModifyImageAttributes", CF_SIM_CHANGE, cf_sim_qingcloud_modify_image},
    {"*", NULL, "DeleteImages", CF_SIM_CHANGE, cf_sim_qingcloud_delete_images},
    {"*", NULL, "CreateTag", CF_SIM_CHANGE, cf_sim_qingcloud_create_tag},
    {"*", NULL, "ModifyTagAttributes", CF_SIM_CHANGE, cf_sim_qingcloud_modify_tag},
    {"*", NULL, "DeleteTags", CF_SIM_CHANGE, cf_sim_qingcloud_delete_tags},
    {"*", NULL, "AttachTags", CF_SIM_CHANGE, cf_sim_qingcloud_attach_tags},
    {"*", NULL, "DetachTags", CF_SIM_CHANGE, cf_sim_qingcloud_detach_tags},
    {"GET", "/latest/meta-data/security-credentials", "GET security-credentials", CF_SIM_AUTH,
     cf_sim_qingcloud_role},
    {NULL},
};

/* The second is the path of requests that are signed with a role's keys. */
static const char *const action_paths[] = {"/iaas", "/iam", NULL};

void
cf_sim_qingcloud_accept_begin(CfSimCall *call)
{
    cf_sim_answer_printf(call, 200, "{\"action\":\"%sResponse\",\"ret_code\":0", call->route->name);
}

void
cf_sim_qingcloud_accept(CfSimCall *call)
{
    cf_sim_qingcloud_accept_begin(call);
    g_string_append_c(call->answer, '}');
}

/* An error has no action, and sometimes no message. */
static void
answer_error(CfSimCall *call, const char *ret_code, const char *message)
{
    cf_sim_answer(call, 200, "{\"message\":");
    cf_sim_raw_quote(call->answer, *message ? message : NULL);
    g_string_append_printf(call->answer, ",\"ret_code\":%s}", ret_code);
}

gboolean
cf_sim_qingcloud_refuse(CfSimCall *call, guint ret_code, const char *format, ...)
{
    g_autofree char *digits = g_strdup_printf("%u", ret_code);
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    answer_error(call, digits, message);
    return FALSE;
}

gboolean
cf_sim_qingcloud_refuse_missing(CfSimCall *call, const char *name)
{
    return cf_sim_qingcloud_refuse(call, 1100, "MissingParameter, missing parameter [%s]", name);
}

gboolean
cf_sim_qingcloud_refuse_unknown(CfSimCall *call, const char *id)
{
    return cf_sim_qingcloud_refuse(call, 2100, "ResourceNotFound, resource [%s] not found", id);
}

gboolean
cf_sim_qingcloud_take_number(CfSimCall *call, const char *name, guint64 max, guint64 *number)
{
    const char *text = cf_sim_call_peek_param(call, name);

    if (!text || g_ascii_string_to_unsigned(text, 10, 0, max, number, NULL))
        return TRUE;
    return cf_sim_qingcloud_refuse(call, 1100, "InvalidParameterFormat, wrong value for [%s]",
                                   name);
}

/* A ret_code comes with status 200; without one it is the transport that fails. */
static void
refuse(CfSim *sim, CfSimCall *call, guint status, const char *code, const char *message)
{
    if (code) {
        answer_error(call, code, message);
        return;
    }
    cf_sim_answer_printf(call, status, "<html><body><h1>%u %s</h1></body></html>\n", status,
                         message);
    call->type = "text/html";
}

static void
refuse_action(CfSim *sim, CfSimCall *call)
{
    const char *action = cf_sim_call_peek_param(call, "action");

    if (action && *action)
        cf_sim_qingcloud_refuse(call, 1101, "InvalidRequestMethod, invalid action [%s]", action);
    else
        cf_sim_qingcloud_refuse_missing(call, "action");
}

static const CfSimRoute no_action = {"*", NULL, "other", CF_SIM_READ, refuse_action};

static void
garble(CfSim *sim, CfSimCall *call, guint turn)
{
    static const char *const wrong[] = {
        "{\"message\":\"ret_code is missing\"}",
        "{\"ret_code\":{},\"message\":[]}",
        "{\"ret_code\":0,\"total_count\":\"many\",\"instance_set\":{},\"image_set\":{},"
        "\"tag_set\":7,\"job_set\":\"x\",\"brokers\":{},\"job_id\":7,\"image_id\":[],"
        "\"tag_id\":{}}",
        "{\"ret_code\":0,\"total_count\":2,\"instance_set\":[1,null],\"image_set\":[[],\"x\"],"
        "\"tag_set\":[7],\"job_set\":[null],\"brokers\":[{}],\"job_id\":null,\"image_id\":null,"
        "\"tag_id\":null}",
        "{\"ret_code\":0,\"total_count\":-1,\"instance_set\":null,\"image_set\":null}",
        "{\"ret_code\":0,\"tag_set\":null,\"job_set\":null,\"brokers\":null}",
        "{\"ret_code\":0}",
        "{\"ret_code\":\"none\",\"message\":7}",
        "[]",
        "\"ok\"",
    };

    cf_sim_answer(call, 200, wrong[turn % G_N_ELEMENTS(wrong)]);
}

const CfSimDialect cf_sim_qingcloud = {
    .name = "qingcloud",
    .ids = {[CF_SIM_SERVERS] = "instance_id",
            [CF_SIM_IMAGES] = "image_id",
            [CF_SIM_JOBS] = "job_id",
            [CF_SIM_TAGS] = "tag_id"},
    .touch = {"status", "running", "{\"status\":\"running\",\"transition_status\":\"\"}",
              "{\"status\":\"stopped\",\"transition_status\":\"\"}"},
    .opening = "{\"ret_code\":0,\"total_count\":1,\"instance_set\":",
    .routes = routes,
    .action_key = "action",
    .action_paths = action_paths,
    .no_action = &no_action,
    .admit = cf_sim_qingcloud_admit,
    .refuse = refuse,
    .garble = garble,
    .make = cf_sim_qingcloud_make,
    .populate = cf_sim_qingcloud_populate,
    .set_tags = cf_sim_qingcloud_set_tags,
    .show_tags = cf_sim_qingcloud_show_tags,
};
