/* The administrator's interface, under /_sim: what the simulator has seen, and what it shall do. */
#include <string.h>

#include "sim/private.h"

#define PREFIX "/_sim/"

gboolean
cf_sim_admin_owns(const CfSimCall *call)
{
    return g_str_has_prefix(call->path, PREFIX);
}

void
cf_sim_admin_refuse(CfSimCall *call, guint status, const char *message)
{
    cf_sim_answer(call, status, "{\"error\":");
    cf_sim_raw_quote(call->answer, message);
    g_string_append_c(call->answer, '}');
}

static void
get_health(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer_printf(call, 200, "{\"ok\":true,\"url\":\"%s\"}", sim->url ? sim->url : "");
}

static void
get_counters(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer(call, 200, "");
    cf_sim_journal_counters(sim->journal, call->answer);
}

static void
reset_counters(CfSim *sim, CfSimCall *call)
{
    cf_sim_journal_reset_counters(sim->journal);
    cf_sim_answer(call, 200, "{}");
}

static void
get_requests(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer(call, 200, "");
    call->type = "application/x-ndjson";
    cf_sim_journal_requests(sim->journal, call->answer);
}

static void
reset_requests(CfSim *sim, CfSimCall *call)
{
    cf_sim_journal_reset_requests(sim->journal);
    cf_sim_answer(call, 200, "{}");
}

static void
list_faults(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer(call, 200, "");
    cf_sim_faults_list(sim->faults, call->answer);
}

static void
add_fault(CfSim *sim, CfSimCall *call)
{
    cJSON *description = cJSON_Parse(call->body->str);
    g_autoptr(GError) error = NULL;
    guint id = cf_sim_faults_add(sim->faults, description, &error);

    cJSON_Delete(description);
    if (id)
        cf_sim_answer_printf(call, 200, "{\"id\":%u}", id);
    else
        cf_sim_admin_refuse(call, 400, error->message);
}

static void
clear_faults(CfSim *sim, CfSimCall *call)
{
    cf_sim_faults_remove(sim->faults, 0);
    cf_sim_server_release(sim->server, 0);
    cf_sim_answer(call, 200, "{}");
}

static void
remove_fault(CfSim *sim, CfSimCall *call)
{
    guint64 id = 0;

    if (!g_ascii_string_to_unsigned(call->args[0], 10, 1, G_MAXUINT, &id, NULL) ||
        !cf_sim_faults_remove(sim->faults, (guint) id)) {
        cf_sim_admin_refuse(call, 404, "no such fault");
        return;
    }
    cf_sim_server_release(sim->server, (guint) id);
    cf_sim_answer(call, 200, "{}");
}

static void
move_clock(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    const cJSON *ms = cJSON_GetObjectItemCaseSensitive(body, "advance_ms");

    if (cJSON_IsNumber(ms) && ms->valuedouble >= 0) {
        cf_sim_world_advance(sim->world, (gint64) ms->valuedouble);
        cf_sim_world_settle(sim->world);
        cf_sim_answer_printf(call, 200, "{\"now_ms\":%" G_GINT64_FORMAT "}",
                             cf_sim_world_now_us(sim->world) / 1000);
    } else {
        cf_sim_admin_refuse(call, 400, "advance_ms must be a number that is not negative");
    }
    cJSON_Delete(body);
}

static void
revoke_tokens(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);

    cf_sim_tokens_revoke(sim->tokens,
                         cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(body, "refresh")));
    cJSON_Delete(body);
    cf_sim_answer(call, 200, "{}");
}

static const CfSimRoute routes[] = {
    {"GET", "/_sim/health", "", CF_SIM_READ, get_health},
    {"GET", "/_sim/counters", "", CF_SIM_READ, get_counters},
    {"DELETE", "/_sim/counters", "", CF_SIM_READ, reset_counters},
    {"GET", "/_sim/requests", "", CF_SIM_READ, get_requests},
    {"DELETE", "/_sim/requests", "", CF_SIM_READ, reset_requests},
    {"GET", "/_sim/faults", "", CF_SIM_READ, list_faults},
    {"POST", "/_sim/faults", "", CF_SIM_READ, add_fault},
    {"DELETE", "/_sim/faults", "", CF_SIM_READ, clear_faults},
    {"DELETE", "/_sim/faults/{}", "", CF_SIM_READ, remove_fault},
    {"GET", "/_sim/settings", "", CF_SIM_READ, cf_sim_admin_get_settings},
    {"POST", "/_sim/settings", "", CF_SIM_READ, cf_sim_admin_set_settings},
    {"POST", "/_sim/clock", "", CF_SIM_READ, move_clock},
    {"POST", "/_sim/tokens/revoke", "", CF_SIM_READ, revoke_tokens},
    {NULL},
};

void
cf_sim_admin_handle(CfSim *sim, CfSimCall *call)
{
    const CfSimRoute *route = cf_sim_route_find(routes, call->method, call->path, call->args);

    if (!route)
        route = cf_sim_route_find(cf_sim_admin_records, call->method, call->path, call->args);
    if (route)
        route->handle(sim, call);
    else
        cf_sim_admin_refuse(call, 404, "no such page of the administrator's interface");
}
