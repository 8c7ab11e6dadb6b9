/* The Inspur dialect: its routes, its envelope, its way of failing. */
#include <string.h>

#include "sim/inspur.h"

static const CfSimRoute routes[] = {
    {"GET", "/v1/servers/{}/tags", "GET /v1/servers/{id}/tags", CF_SIM_READ,
     cf_sim_inspur_get_tags},
    {"POST", "/v1/servers/{}/tags", "POST /v1/servers/{id}/tags", CF_SIM_CHANGE,
     cf_sim_inspur_set_tags},
    {"GET", "/v1/servers/{}/{}", "GET /v1/servers/{page}/{size}", CF_SIM_READ,
     cf_sim_inspur_list_servers},
    {"GET", "/v1/servers/{}", "GET /v1/servers/{id}", CF_SIM_READ, cf_sim_inspur_show_server},
    {"POST", "/v1/servers/{}/action", "POST /v1/servers/{id}/action", CF_SIM_CHANGE,
     cf_sim_inspur_act_one},
    {"POST", "/v1/servers/action", "POST /v1/servers/action", CF_SIM_CHANGE,
     cf_sim_inspur_act_many},
    {"GET", "/v1/images/private", "GET /v1/images/private", CF_SIM_READ,
     cf_sim_inspur_list_private},
    {"GET", "/v1/images", "GET /v1/images", CF_SIM_READ, cf_sim_inspur_list_images},
    {"GET", "/v1/images/{}", "GET /v1/images/{id}", CF_SIM_READ, cf_sim_inspur_show_image},
    {"PATCH", "/v1/images/{}", "PATCH /v1/images/{id}", CF_SIM_CHANGE, cf_sim_inspur_update_image},
    {"DELETE", "/v1/images/{}", "DELETE /v1/images/{id}", CF_SIM_CHANGE,
     cf_sim_inspur_delete_image},
    {"POST", "/v1/images/action/delete", "POST /v1/images/action/delete", CF_SIM_CHANGE,
     cf_sim_inspur_delete_images_action},
    {"POST", "/v1/images/delete", "POST /v1/images/delete", CF_SIM_CHANGE,
     cf_sim_inspur_delete_images_plain},
    {"POST", "/auth/v1/token", "POST /auth/v1/token", CF_SIM_AUTH, cf_sim_inspur_iam_token},
    {"POST", "/auth/realms/{}/protocol/openid-connect/token", "POST keycloak", CF_SIM_AUTH,
     cf_sim_inspur_keycloak_token},
    {NULL},
};

void
cf_sim_inspur_accept_begin(CfSim *sim, CfSimCall *call, const char *message)
{
    cf_sim_answer_printf(call, 200, sim->answers++ % 2 ? "{\"code\":200" : "{\"code\":\"200\"");
    if (message) {
        g_string_append(call->answer, ",\"message\":");
        cf_sim_raw_quote(call->answer, message);
    }
    g_string_append(call->answer, ",\"data\":");
}

void
cf_sim_inspur_accept(CfSim *sim, CfSimCall *call, const char *message, const char *data)
{
    cf_sim_inspur_accept_begin(sim, call, message);
    g_string_append(call->answer, data);
    g_string_append_c(call->answer, '}');
}

/* Appends the code in the style that is set. */
static void
append_code(CfSim *sim, const char *code, GString *out)
{
    gboolean ours = g_str_has_prefix(code, "101.");

    switch (ours ? sim->settings.code_style : CF_SIM_CODE_DOTTED) {
    case CF_SIM_CODE_BARE:
        cf_sim_raw_quote(out, code + 4);
        return;
    case CF_SIM_CODE_NUMBER:
        g_string_append(out, code);
        while (out->str[out->len - 1] == '0')
            g_string_truncate(out, out->len - 1);
        return;
    case CF_SIM_CODE_DOTTED:
    case CF_SIM_CODE_N:
        break;
    }
    cf_sim_raw_quote(out, code);
}

void
cf_sim_inspur_refuse(CfSim *sim, CfSimCall *call, guint status, const char *code,
                     const char *message)
{
    if (!status)
        status = 400;
    cf_sim_answer(call, code && sim->settings.http_200_errors ? 200 : status, "{\"code\":");
    if (code)
        append_code(sim, code, call->answer);
    else
        g_string_append_printf(call->answer, "%u", status);
    g_string_append(call->answer, ",\"message\":");
    cf_sim_raw_quote(call->answer, message);
    g_string_append(call->answer, ",\"data\":\"\"}");
}

void
cf_sim_inspur_refuse_parameter(CfSim *sim, CfSimCall *call, const char *name)
{
    g_autofree char *message = g_strdup_printf("参数%s不符合规范", name);

    cf_sim_inspur_refuse(sim, call, 400, "101.001002", message);
}

static void
garble(CfSim *sim, CfSimCall *call, guint turn)
{
    static const char *const wrong[] = {
        "{\"code\":200,\"message\":\"OK\",\"data\":[1,2,3]}",
        "{\"code\":200,\"message\":\"OK\",\"data\":42}",
        "{\"code\":200,\"message\":\"OK\",\"data\":{\"totalCount\":\"many\",\"servers\":{},"
        "\"images\":{},\"server\":[],\"tags\":7,\"console\":\"x\",\"image_id\":{}}}",
        "{\"code\":200,\"message\":\"OK\",\"data\":{\"totalCount\":2,\"servers\":\"two\","
        "\"images\":\"two\",\"server\":\"one\",\"tags\":{},\"console\":[],\"image_id\":1}}",
        "{\"code\":200,\"message\":\"OK\",\"data\":{\"totalCount\":2,\"servers\":[1,null],"
        "\"images\":[[],\"x\"],\"server\":null,\"tags\":[{}],\"console\":{},\"image_id\":null}}",
        "{\"code\":{},\"message\":[],\"data\":true}",
        "[]",
        "\"OK\"",
    };

    cf_sim_answer(call, 200, wrong[turn % G_N_ELEMENTS(wrong)]);
}

static void
add_generated(CfSim *sim, CfSimKind kind, guint64 index)
{
    g_autoptr(GString) next = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    char *text = cf_sim_inspur_make(sim, kind, index);
    CfSimRecord *record;

    if (sim->options.hostile) {
        if (kind == CF_SIM_SERVERS)
            cf_sim_inspur_server_id(sim, index + 1, next);
        else
            cf_sim_inspur_image_id(sim, index + 1, next);
        text = cf_sim_hostile(&cf_sim_inspur_hostile[kind], index, text, next->str);
    }
    record = cf_sim_world_add(sim->world, kind, text, &error);
    if (!record)
        g_error("the generated world is wrong: %s", error->message);
    if (kind == CF_SIM_SERVERS)
        record->tags = cf_sim_inspur_make_tags(sim, index);
}

static void
populate(CfSim *sim)
{
    if (sim->options.demo) {
        cf_sim_inspur_populate_demo(sim);
    } else {
        for (guint i = 0; i < sim->options.images; i++)
            add_generated(sim, CF_SIM_IMAGES, i);
        for (guint i = 0; i < sim->options.servers; i++)
            add_generated(sim, CF_SIM_SERVERS, i);
    }
    sim->made = (guint64) 1 << 32; /* records made later never get the id of a generated one */
}

const CfSimDialect cf_sim_inspur = {
    .name = "inspur",
    .ids = {[CF_SIM_SERVERS] = "id", [CF_SIM_IMAGES] = "id"},
    .touch = {"status", "ACTIVE", "{\"status\":\"ACTIVE\",\"task_state\":null}",
              "{\"status\":\"SHUTOFF\",\"task_state\":null}"},
    .opening = "{\"code\":200,\"message\":\"OK\",\"data\":",
    .routes = routes,
    .admit = cf_sim_inspur_admit,
    .refuse = cf_sim_inspur_refuse,
    .garble = garble,
    .make = cf_sim_inspur_make,
    .populate = populate,
};
