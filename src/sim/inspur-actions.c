/* What can be done to servers, one or many; a batch is refused as a whole. */
#include <string.h>

#include "sim/inspur.h"

#define BATCH_MAX 100

typedef enum {
    ACTION_START,
    ACTION_STOP,
    ACTION_REBOOT,
    ACTION_CONSOLE,
    ACTION_CAPTURE,
    ACTION_N
} Action;

static const char *const action_names[ACTION_N] = {
    [ACTION_START] = "os-start",      [ACTION_STOP] = "os-stop",
    [ACTION_REBOOT] = "reboot",       [ACTION_CONSOLE] = "os-getVNCConsole",
    [ACTION_CAPTURE] = "createImage",
};

typedef struct {
    Action action;
    const cJSON *arguments;
    gboolean hard;
} Order;

static gboolean
word_is(const char *word, const char *wanted)
{
    return word && g_ascii_strcasecmp(word, wanted) == 0;
}

/* Whether a task is under way that the document knows, or one of ours. */
static gboolean
is_changing(const CfSimRecord *server)
{
    g_autofree char *task = cf_sim_raw_get_string(cf_sim_record_span(server), "task_state");

    return server->due || word_is(task, "powering-on") || word_is(task, "powering-off") ||
           word_is(task, "deleting");
}

static gboolean
state_permits(const CfSimRecord *server, const Order *order)
{
    g_autofree char *status = cf_sim_raw_get_string(cf_sim_record_span(server), "status");

    switch (order->action) {
    case ACTION_START:
        return word_is(status, "SHUTOFF") && !is_changing(server);
    case ACTION_REBOOT:
        if (order->hard)
            return !word_is(status, "DELETED") && !word_is(status, "SOFT_DELETED");
        return word_is(status, "ACTIVE") && !is_changing(server);
    case ACTION_STOP:
    case ACTION_CONSOLE:
        return word_is(status, "ACTIVE") && !is_changing(server);
    case ACTION_CAPTURE:
        return word_is(status, "ACTIVE") || word_is(status, "SHUTOFF") ||
               word_is(status, "PAUSED") || word_is(status, "SUSPENDED");
    case ACTION_N:
        break;
    }
    return FALSE;
}

static void
refuse_state(CfSim *sim, CfSimCall *call, const CfSimRecord *server, const Order *order)
{
    if (order->action == ACTION_CAPTURE) {
        g_autofree char *status = cf_sim_raw_get_string(cf_sim_record_span(server), "status");
        g_autofree char *message =
            g_strdup_printf("虚机不能创建自定义镜像,状态:%s", status ? status : "%s");

        cf_sim_inspur_refuse(sim, call, 400, "101.003011", message);
    } else {
        cf_sim_inspur_refuse(sim, call, 400, "101.001012",
                             "存在未知状态的云服务器，请重新选择云服务器");
    }
}

/* Whether an order may be given to a server; refuses the call if not. */
static gboolean
check(CfSim *sim, CfSimCall *call, const char *id, const Order *order)
{
    const CfSimRecord *server = cf_sim_world_find(sim->world, CF_SIM_SERVERS, id);

    if (!server || server->flags & CF_SIM_FLAG_FOREIGN) {
        g_autofree char *message = g_strdup_printf("云服务器%s不存在", id);

        if (order->action == ACTION_STOP)
            cf_sim_inspur_refuse(sim, call, 400, "101.001013",
                                 "存在未知所属的云服务器，请重新选择云服务器");
        else
            cf_sim_inspur_refuse(sim, call, 400, "101.001033", message);
        return FALSE;
    }
    if (order->action == ACTION_STOP && server->flags & CF_SIM_FLAG_UNBILLED) {
        cf_sim_inspur_refuse(sim, call, 400, "101.001014",
                             "存在未付费类型的云服务器，请重新选择云服务器");
        return FALSE;
    }
    if (!state_permits(server, order)) {
        refuse_state(sim, call, server, order);
        return FALSE;
    }
    if (server->flags & CF_SIM_FLAG_FAILING) {
        if (order->action == ACTION_CAPTURE)
            cf_sim_inspur_refuse(sim, call, 400, "101.003007", "创建自定义镜像失败");
        else
            cf_sim_inspur_refuse(sim, call, 400, "101.001040", "操作失败");
        return FALSE;
    }
    return TRUE;
}

/* Start, stop, reboot: from now on it is under way, after the transition it is done. */
static void
begin(CfSim *sim, const char *id, const Order *order)
{
    CfSimRecord *server = cf_sim_world_find(sim->world, CF_SIM_SERVERS, id);
    guint ms = sim->settings.transition_ms;

    cf_sim_world_unplan(sim->world, server);
    switch (order->action) {
    case ACTION_START:
        cf_sim_world_merge(sim->world, server, "{\"task_state\":\"powering-on\"}");
        cf_sim_world_plan(sim->world, server, ms, "{\"status\":\"ACTIVE\",\"task_state\":null}");
        break;
    case ACTION_STOP:
        cf_sim_world_merge(sim->world, server, "{\"task_state\":\"powering-off\"}");
        cf_sim_world_plan(sim->world, server, ms, "{\"status\":\"SHUTOFF\",\"task_state\":null}");
        break;
    case ACTION_REBOOT:
        cf_sim_world_merge(sim->world, server,
                           order->hard ? "{\"status\":\"HARD_REBOOT\",\"task_state\":null}"
                                       : "{\"status\":\"REBOOT\",\"task_state\":null}");
        cf_sim_world_plan(sim->world, server, ms, "{\"status\":\"ACTIVE\",\"task_state\":null}");
        break;
    case ACTION_CONSOLE:
    case ACTION_CAPTURE:
    case ACTION_N:
        break;
    }
}

static void
answer_console(CfSim *sim, CfSimCall *call, const Order *order)
{
    const char *type =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(order->arguments, "type"));
    g_autofree char *data = NULL;

    if (g_strcmp0(type, "novnc") != 0 && g_strcmp0(type, "xvpvnc") != 0) {
        cf_sim_inspur_refuse_parameter(sim, call, "type");
        return;
    }
    data = g_strdup_printf("{\"console\":{\"url\":\"%s/ecs/vnc/vnc_auto.html?token="
                           "%016" G_GINT64_MODIFIER "x\",\"type\":\"%s\"}}",
                           sim->url ? sim->url : "", cf_sim_mix(sim->options.seed, call->number),
                           type);
    cf_sim_inspur_accept(sim, call, "Successful operation!", data);
}

static void
answer_capture(CfSim *sim, CfSimCall *call, const Order *order)
{
    const cJSON *arguments = order->arguments;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(arguments, "name"));
    const char *description =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(arguments, "description"));
    const CfSimRecord *image;

    if (!name || !*name) {
        cf_sim_inspur_refuse_parameter(sim, call, "name");
        return;
    }
    image = cf_sim_inspur_capture(sim, cf_sim_world_find(sim->world, CF_SIM_SERVERS, call->args[0]),
                                  name, description);
    cf_sim_answer(call, 201, "{\"message\":\"Created\",\"code\":201,\"data\":{\"image_id\":");
    cf_sim_raw_quote(call->answer, image->id);
    g_string_append(call->answer, "}}");
}

/* Reads the one operation of the body. Returns: FALSE: refused. */
static gboolean
parse_order(CfSim *sim, CfSimCall *call, const cJSON *body, Order *ret_order)
{
    const cJSON *only = cJSON_IsObject(body) ? body->child : NULL;
    const cJSON *type;

    if (!only || only->next || !cJSON_IsObject(only)) {
        cf_sim_inspur_refuse_parameter(sim, call, "body");
        return FALSE;
    }
    for (guint i = 0; i < ACTION_N; i++) {
        if (strcmp(action_names[i], only->string) != 0)
            continue;
        ret_order->action = i;
        ret_order->arguments = only;
        type = cJSON_GetObjectItemCaseSensitive(only, "type");
        ret_order->hard = word_is(cJSON_GetStringValue(type), "HARD");
        if (type && i <= ACTION_REBOOT && !ret_order->hard &&
            !word_is(cJSON_GetStringValue(type), "SOFT")) {
            cf_sim_inspur_refuse_parameter(sim, call, "type");
            return FALSE;
        }
        return TRUE;
    }
    cf_sim_inspur_refuse_parameter(sim, call, only->string);
    return FALSE;
}

void
cf_sim_inspur_act_one(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    Order order;

    if (parse_order(sim, call, body, &order) && check(sim, call, call->args[0], &order)) {
        if (order.action == ACTION_CONSOLE) {
            answer_console(sim, call, &order);
        } else if (order.action == ACTION_CAPTURE) {
            answer_capture(sim, call, &order);
        } else {
            begin(sim, call->args[0], &order);
            cf_sim_inspur_accept(sim, call, "Successful operation!", "\"\"");
        }
    }
    cJSON_Delete(body);
}

/* Returns: (transfer container) (nullable): the ids; NULL: refused. */
static GPtrArray *
parse_ids(CfSim *sim, CfSimCall *call, const Order *order)
{
    const cJSON *servers = cJSON_GetObjectItemCaseSensitive(order->arguments, "servers");
    int n = cJSON_IsArray(servers) ? cJSON_GetArraySize(servers) : 0;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    const cJSON *server;

    if (n < 1 || n > BATCH_MAX || order->action > ACTION_REBOOT) {
        cf_sim_inspur_refuse_parameter(sim, call, "servers");
        return NULL;
    }
    cJSON_ArrayForEach (server, servers) {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(server, "id"));

        if (!id) {
            cf_sim_inspur_refuse_parameter(sim, call, "id");
            return NULL;
        }
        g_ptr_array_add(ids, (gpointer) id);
    }
    return g_steal_pointer(&ids);
}

void
cf_sim_inspur_act_many(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    g_autoptr(GPtrArray) ids = NULL;
    gboolean good = FALSE;
    Order order;

    if (parse_order(sim, call, body, &order)) {
        ids = parse_ids(sim, call, &order);
        good = ids != NULL;
    }
    for (guint i = 0; good && i < ids->len; i++)
        good = check(sim, call, g_ptr_array_index(ids, i), &order);
    if (good) {
        for (guint i = 0; i < ids->len; i++)
            begin(sim, g_ptr_array_index(ids, i), &order);
        cf_sim_inspur_accept(sim, call, "Successful operation!", "\"\"");
    }
    cJSON_Delete(body);
}
