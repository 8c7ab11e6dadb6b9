/* The UCloudStack dialect: its actions, its envelope, its two tables of codes. */
#include <string.h>

#include "sim/ucloudstack.h"

static void
refuse_unknown_action(CfSim *sim, CfSimCall *call)
{
    cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_UNKNOWN_ACTION,
                         cf_sim_call_peek_param(call, "Action"));
}

static const CfSimRoute routes[] = {
    {"*", NULL, "DescribeVMInstance", CF_SIM_READ, cf_sim_ucloud_list_servers},
    {"*", NULL, "DescribeImage", CF_SIM_READ, cf_sim_ucloud_list_images},
    {"*", NULL, "DescribeRegion", CF_SIM_READ, cf_sim_ucloud_list_regions},
    {"*", NULL, "StartVMInstance", CF_SIM_CHANGE, cf_sim_ucloud_start},
    {"*", NULL, "StopVMInstance", CF_SIM_CHANGE, cf_sim_ucloud_stop},
    {"*", NULL, "PoweroffVMInstance", CF_SIM_CHANGE, cf_sim_ucloud_power_off},
    {"*", NULL, "RestartVMInstance", CF_SIM_CHANGE, cf_sim_ucloud_restart},
    {"*", NULL, "GetVMVNCInfo", CF_SIM_CHANGE, cf_sim_ucloud_get_console},
    {"*", NULL, "CreateCustomImage", CF_SIM_CHANGE, cf_sim_ucloud_capture},
    {"*", NULL, "DeleteCustomImage", CF_SIM_CHANGE, cf_sim_ucloud_delete_image},
    {"*", NULL, "ModifyNameAndRemark", CF_SIM_CHANGE, cf_sim_ucloud_modify},
    {NULL},
};

/* The document shows /api, /api/ and once the bare root: the URL is whatever the customer made it.
 */
static const char *const action_paths[] = {"/", NULL};
static const CfSimRoute no_action = {"*", NULL, "other", CF_SIM_READ, refuse_unknown_action};

/* Where the sheet has no code of the first generation for something, its nearest one. */
static const struct {
    guint code, first_code;
    const char *text, *first_text; /* first_text: (nullable): the same */
} reasons[CF_SIM_UCLOUD_REASON_N] = {
    [CF_SIM_UCLOUD_FAULT] = {550, 100, "系统故障", "操作失败"},
    [CF_SIM_UCLOUD_NO_REFERER] = {100, 140, "缺少请求头Referer", "参数错误"},
    [CF_SIM_UCLOUD_NO_ACTION] = {101, 154, "缺少参数Action", "缺少Action"},
    [CF_SIM_UCLOUD_UNKNOWN_ACTION] = {110, 140, "API不存在", "参数错误"},
    [CF_SIM_UCLOUD_NO_REGION] = {102, 229, "缺少地域参数", "缺少参数"},
    [CF_SIM_UCLOUD_UNKNOWN_REGION] = {400, 162, "地域未激活", "地域不存在"},
    [CF_SIM_UCLOUD_NO_KEY] = {103, 170, "缺少用户凭证", "缺少签名"},
    [CF_SIM_UCLOUD_NO_SIGNATURE] = {104, 170, "缺少签名", NULL},
    [CF_SIM_UCLOUD_BAD_SIGNATURE] = {109, 171, "签名错误", "签名验证失败"},
    [CF_SIM_UCLOUD_NO_PARAMETER] = {3, 229, "必填参数为空", "缺少参数"},
    [CF_SIM_UCLOUD_BAD_FORMAT] = {4, 140, "参数格式错误", "参数错误"},
    [CF_SIM_UCLOUD_BAD_VALUE] = {113, 140, "参数校验失败", "参数错误"},
    [CF_SIM_UCLOUD_ADMIN_ONLY] = {111, 178, "仅管理员可操作", NULL},
    [CF_SIM_UCLOUD_NO_RIGHT] = {114, 150, "没有该API的权限", "没有权限"},
    [CF_SIM_UCLOUD_NO_BALANCE] = {23001, 160, "余额不足", NULL},
    [CF_SIM_UCLOUD_NO_RESOURCE] = {200, 2014, "资源不存在", NULL},
    [CF_SIM_UCLOUD_NO_IMAGE] = {1000, 2008, "镜像不存在", NULL},
    [CF_SIM_UCLOUD_IMAGE_STATE] = {1001, 2007, "镜像状态异常", "镜像不可用，不能删除"},
    [CF_SIM_UCLOUD_IMAGE_USED] = {1008, 2009, "镜像被使用中", NULL},
    [CF_SIM_UCLOUD_NO_VM] = {1004, 2006, "虚拟机不存在", NULL},
    [CF_SIM_UCLOUD_NO_VM_TO_MOVE] = {1004, 2011, "虚拟机不存在", "虚拟机不存在或状态错误"},
    [CF_SIM_UCLOUD_VM_NOT_STOPPED] = {1005, 2011, "虚拟机状态错误", "虚拟机不存在或状态错误"},
    [CF_SIM_UCLOUD_VM_NOT_MOVABLE] = {1006, 2011, "虚拟机状态错误", "虚拟机不存在或状态错误"},
    [CF_SIM_UCLOUD_VM_NOT_RUNNING] = {1006, 2015, "虚拟机状态错误", "虚拟机未运行"},
    [CF_SIM_UCLOUD_VM_NOT_DOWN] = {1014, 2005, "虚拟机未关机", "虚拟机未关机，不能制作镜像"},
    [CF_SIM_UCLOUD_VM_IMAGING] = {1016, 2011, "虚拟机正在制作镜像", "虚拟机不存在或状态错误"},
};

gboolean
cf_sim_ucloud_is_first(const CfSim *sim)
{
    return sim->settings.api_version == CF_SIM_API_FIRST;
}

/* Appends "Action":"NAMEResponse". */
static void
append_action(const CfSimCall *call, GString *out)
{
    const char *action = cf_sim_call_peek_param(call, "Action");
    g_autofree char *name = g_strconcat(action ? action : "", "Response", NULL);

    g_string_append(out, "\"Action\":");
    cf_sim_raw_quote(out, name);
}

void
cf_sim_ucloud_accept_begin(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer(call, 200, "{\"RetCode\":0,");
    append_action(call, call->answer);
    /* The second generation says that the text may be missing. */
    if (cf_sim_ucloud_is_first(sim) || sim->answers++ % 2)
        g_string_append(call->answer, ",\"Message\":\"\"");
}

/* code: as a number's text. */
static void
answer_refusal(CfSimCall *call, guint status, const char *code, const char *message)
{
    cf_sim_answer(call, status, "{\"RetCode\":");
    g_string_append(call->answer, code);
    g_string_append_c(call->answer, ',');
    append_action(call, call->answer);
    g_string_append(call->answer, ",\"Message\":");
    cf_sim_raw_quote(call->answer, message);
    g_string_append_c(call->answer, '}');
}

void
cf_sim_ucloud_refuse(CfSim *sim, CfSimCall *call, CfSimUcloudReason reason, const char *detail)
{
    gboolean first = cf_sim_ucloud_is_first(sim);
    const char *text =
        first && reasons[reason].first_text ? reasons[reason].first_text : reasons[reason].text;
    g_autofree char *code =
        g_strdup_printf("%u", first ? reasons[reason].first_code : reasons[reason].code);
    g_autofree char *message = g_strconcat(text, detail ? ": " : NULL, detail, NULL);

    answer_refusal(call, 200, code, message);
}

/* The refusal of no reason of ours: a planted fault, a path or a service that is not there. */
static void
refuse(CfSim *sim, CfSimCall *call, guint status, const char *code, const char *message)
{
    guint64 number = 0;

    if (!code) {
        cf_sim_answer_printf(call, status ? status : 500, "%s\n", message);
        call->type = "text/plain";
        return;
    }
    if (!g_ascii_string_to_unsigned(code, 10, 0, G_MAXUINT64, &number, NULL)) {
        g_autoptr(GString) quoted = g_string_new(NULL);

        cf_sim_raw_quote(quoted, code);
        answer_refusal(call, status ? status : 200, quoted->str, message);
        return;
    }
    answer_refusal(call, status ? status : 200, code, message);
}

const char *
cf_sim_ucloud_need(CfSim *sim, CfSimCall *call, const char *name)
{
    const char *value = cf_sim_call_peek_param(call, name);

    if (value && *value)
        return value;
    if (strcmp(name, "Region") == 0)
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_NO_REGION, NULL);
    else
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_NO_PARAMETER, name);
    return NULL;
}

gboolean
cf_sim_ucloud_sees(const CfSimCall *call, const CfSimRecord *record)
{
    const char *company = cf_sim_call_peek_param(call, "CompanyID");
    g_autofree char *owner = NULL;
    CfSimSpan value;

    if (!company || !*company)
        return TRUE;
    if (cf_sim_raw_get(cf_sim_record_span(record), "CompanyID", &value))
        owner = cf_sim_raw_text(value);
    return g_strcmp0(owner, company) == 0;
}

void
cf_sim_ucloud_stamp(CfSim *sim, CfSimRecord *record)
{
    g_autofree char *now = cf_sim_world_date(sim->world, "%s");
    g_autofree char *changes = g_strdup_printf("{\"UpdateTime\":%s}", now);

    cf_sim_world_merge(sim->world, record, changes);
}

/* The credentials, then what nearly all actions need. */
static gboolean
admit(CfSim *sim, CfSimCall *call)
{
    const char *company, *region;

    if (!cf_sim_ucloud_admit(sim, call))
        return FALSE;
    if (call->route == &no_action || call->route->handle == cf_sim_ucloud_list_regions)
        return TRUE;
    region = cf_sim_ucloud_need(sim, call, "Region");
    if (!region)
        return FALSE;
    if (strcmp(region, CF_SIM_UCLOUD_REGION) != 0) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_UNKNOWN_REGION, region);
        return FALSE;
    }
    company = cf_sim_call_peek_param(call, "CompanyID");
    if (company && *company && !g_ascii_string_to_unsigned(company, 10, 1, G_MAXINT, NULL, NULL)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_FORMAT, "CompanyID");
        return FALSE;
    }
    return TRUE;
}

static void
garble(CfSim *sim, CfSimCall *call, guint turn)
{
    static const char *const wrong[] = {
        "[1,2,3]",
        "{\"RetCode\":0,\"Infos\":{},\"TotalCount\":\"many\",\"Info\":[],\"ImageID\":{}}",
        "{\"RetCode\":0,\"Infos\":\"two\",\"TotalCount\":2,\"Info\":\"x\",\"ImageID\":7}",
        "{\"RetCode\":0,\"Infos\":[1,null,[],\"x\"],\"TotalCount\":4,\"Info\":{\"VNCPort\":{}}}",
        "{\"RetCode\":\"zero\",\"Action\":7,\"Message\":{}}",
        "{\"RetCode\":{},\"Message\":[]}",
        "{\"Action\":\"DescribeVMInstanceResponse\",\"TotalCount\":1}",
        "{\"RetCode\":0}",
        "\"OK\"",
        "null",
    };

    cf_sim_answer(call, 200, wrong[turn % G_N_ELEMENTS(wrong)]);
}

static void
add_generated(CfSim *sim, CfSimKind kind, guint64 index)
{
    g_autoptr(GString) next = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    char *text = cf_sim_ucloud_make(sim, kind, index);

    if (sim->options.hostile) {
        cf_sim_ucloud_id(sim, kind, index + 1, next);
        text = cf_sim_hostile(&cf_sim_ucloud_hostile[kind], index, text, next->str);
    }
    if (!cf_sim_world_add(sim->world, kind, text, &error))
        g_error("the generated world is wrong: %s", error->message);
}

static void
populate(CfSim *sim)
{
    if (sim->options.demo) {
        cf_sim_ucloud_populate_demo(sim);
    } else {
        for (guint i = 0; i < sim->options.images; i++)
            add_generated(sim, CF_SIM_IMAGES, i);
        for (guint i = 0; i < sim->options.servers; i++)
            add_generated(sim, CF_SIM_SERVERS, i);
    }
    sim->made = (guint64) 1 << 32; /* records made later never get the id of a generated one */
}

const CfSimDialect cf_sim_ucloudstack = {
    .name = "ucloudstack",
    .ids = {[CF_SIM_SERVERS] = "VMID", [CF_SIM_IMAGES] = "ImageID"},
    .touch = {"State", "Running", "{\"State\":\"Running\"}", "{\"State\":\"Stopped\"}"},
    .opening = "{\"RetCode\":0,\"Action\":\"Response\",\"Message\":\"\",\"Infos\":",
    .routes = routes,
    .action_key = "Action",
    .action_paths = action_paths,
    .no_action = &no_action,
    .versions = 2,
    .admit = admit,
    .refuse = refuse,
    .garble = garble,
    .make = cf_sim_ucloud_make,
    .populate = populate,
};
