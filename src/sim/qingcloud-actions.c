/* Calls that start a job on servers or images. All of a batch is checked first: one that is not as
 * it should be has the whole refused. */
#include <string.h>

#include "sim/qingcloud.h"

#define RETENTION_MS (2 * 3600 * 1000)

/* What such a call asks for. */
typedef struct {
    CfSimKind kind;
    const char *ids;         /* the list of ids */
    const char *const *from; /* the states in which it can be done, up to a NULL */
    const char *is_not;      /* what a record in another state is not */
    const char *can_not;     /* and what it can not be, therefore */
    const char *transition;  /* until it is done */
    const char *to;          /* (nullable): the state then; NULL: as before */
    gboolean ends;           /* the record is on its way out of the world */
    gboolean costs;          /* money that the account must have */
} Order;

static const char *const running[] = {"running", NULL};
static const char *const stopped[] = {"stopped", NULL};
static const char *const settled[] = {"running", "stopped", "suspended", NULL};
static const char *const terminated[] = {"terminated", NULL};
static const char *const deletable[] = {"available", "suspended", NULL};

static const Order start_order = {CF_SIM_SERVERS, "instances", stopped, "stopped", "started",
                                  "starting",     "running",   FALSE,   TRUE};
static const Order stop_order = {CF_SIM_SERVERS, "instances", running, "running", "stopped",
                                 "stopping",     "stopped",   FALSE,   FALSE};
static const Order restart_order = {CF_SIM_SERVERS, "instances", running, "running", "restarted",
                                    "restarting",   NULL,        FALSE,   FALSE};
static const Order terminate_order = {
    CF_SIM_SERVERS, "instances",   settled,      "running, stopped or suspended",
    "terminated",   "terminating", "terminated", TRUE,
    FALSE};
static const Order direct_cease_order = {
    CF_SIM_SERVERS, "instances",   settled,  "running, stopped or suspended",
    "terminated",   "terminating", "ceased", TRUE,
    FALSE};
static const Order cease_order = {CF_SIM_SERVERS, "instances", terminated, "terminated", "ceased",
                                  "ceasing",      "ceased",    TRUE,       FALSE};
static const Order delete_order = {CF_SIM_IMAGES, "images",  deletable, "available", "deleted",
                                   "deleting",    "deleted", TRUE,      FALSE};

gboolean
cf_sim_qingcloud_status_in(const CfSimRecord *record, const char *const *words)
{
    g_autofree char *status = cf_sim_raw_get_string(cf_sim_record_span(record), "status");

    return status && g_strv_contains(words, status);
}

gboolean
cf_sim_qingcloud_check_own(CfSim *sim, CfSimCall *call, CfSimKind kind, const char *id)
{
    const CfSimRecord *record = cf_sim_world_find(sim->world, kind, id);
    g_autofree char *transition = NULL;
    g_autofree char *provider = NULL;

    if (!record)
        return cf_sim_qingcloud_refuse_unknown(call, id);
    provider = cf_sim_raw_get_string(cf_sim_record_span(record), "provider");
    if (record->flags & CF_SIM_FLAG_FOREIGN || g_strcmp0(provider, "system") == 0)
        return cf_sim_qingcloud_refuse(
            call, 1400, "PermissionDenied, you are not the owner of resource [%s]", id);
    transition = cf_sim_raw_get_string(cf_sim_record_span(record), "transition_status");
    if (transition && *transition)
        return cf_sim_qingcloud_refuse(
            call, 1400, "PermissionDenied, resource [%s] is in transition [%s], please try later",
            id, transition);
    return TRUE;
}

static gboolean
check_one(CfSim *sim, CfSimCall *call, const Order *order, const char *id)
{
    const CfSimRecord *record;

    if (!cf_sim_qingcloud_check_own(sim, call, order->kind, id))
        return FALSE;
    record = cf_sim_world_find(sim->world, order->kind, id);
    if (!cf_sim_qingcloud_status_in(record, order->from))
        return cf_sim_qingcloud_refuse(call, 1400,
                                       "PermissionDenied, %s [%s] is not %s, can not be %s",
                                       order->kind == CF_SIM_SERVERS ? "instance" : "image", id,
                                       order->is_not, order->can_not);
    if (order->costs && record->flags & CF_SIM_FLAG_UNBILLED)
        return cf_sim_qingcloud_refuse(
            call, 2400, "BalanceNotEnough, your balance is not enough to run resource [%s]", id);
    return TRUE;
}

static void
plan_state(CfSim *sim, CfSimRecord *record, guint delay_ms, guint after_ms, const char *status)
{
    g_autofree char *time = cf_sim_world_date_after(sim->world, after_ms, CF_SIM_QINGCLOUD_TIME);
    g_autofree char *changes = g_strdup_printf(
        "{\"status\":\"%s\",\"transition_status\":\"\",\"status_time\":\"%s\"}", status, time);

    cf_sim_world_plan(sim->world, record, delay_ms, changes);
}

void
cf_sim_qingcloud_plan_end(CfSim *sim, CfSimRecord *record, const char *status)
{
    if (strcmp(status, "ceased") != 0)
        plan_state(sim, record, RETENTION_MS, RETENTION_MS, "ceased");
    cf_sim_world_plan(sim->world, record, RETENTION_MS, NULL);
}

/* From now on it is under way, after the transition it is done; or not, if it fails. */
static void
begin(CfSim *sim, const Order *order, const char *id, gboolean fails)
{
    CfSimRecord *record = cf_sim_world_find(sim->world, order->kind, id);
    guint ms = sim->settings.transition_ms;
    g_autofree char *now = g_strdup_printf("{\"transition_status\":\"%s\"}", order->transition);

    cf_sim_world_unplan(sim->world, record);
    cf_sim_world_merge(sim->world, record, now);
    if (fails || !order->to) {
        cf_sim_world_plan(sim->world, record, ms, "{\"transition_status\":\"\"}");
        return;
    }
    plan_state(sim, record, ms, ms, order->to);
    if (order->ends)
        cf_sim_qingcloud_plan_end(sim, record, order->to);
}

static void
act(CfSim *sim, CfSimCall *call, const Order *order)
{
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, order->ids);
    guint failed = 0;

    if (!ids->len) {
        cf_sim_qingcloud_refuse_missing(call, order->ids);
        return;
    }
    for (guint i = 0; i < ids->len; i++) {
        if (!check_one(sim, call, order, g_ptr_array_index(ids, i)))
            return;
    }
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        gboolean fails = call->job_fails || cf_sim_world_find(sim->world, order->kind, id)->flags &
                                                CF_SIM_FLAG_FAILING;

        begin(sim, order, id, fails);
        failed += fails;
    }
    cf_sim_qingcloud_accept_begin(call);
    g_string_append_printf(call->answer, ",\"job_id\":\"%s\"}",
                           cf_sim_qingcloud_add_job(sim, call, ids, failed));
}

void
cf_sim_qingcloud_start(CfSim *sim, CfSimCall *call)
{
    act(sim, call, &start_order);
}

/* force: the same, for a server that does not listen any more. */
void
cf_sim_qingcloud_stop(CfSim *sim, CfSimCall *call)
{
    guint64 force = 0;

    if (cf_sim_qingcloud_take_number(call, "force", 1, &force))
        act(sim, call, &stop_order);
}

void
cf_sim_qingcloud_restart(CfSim *sim, CfSimCall *call)
{
    act(sim, call, &restart_order);
}

void
cf_sim_qingcloud_terminate(CfSim *sim, CfSimCall *call)
{
    guint64 direct = 0;

    if (cf_sim_qingcloud_take_number(call, "direct_cease", 1, &direct))
        act(sim, call, direct ? &direct_cease_order : &terminate_order);
}

void
cf_sim_qingcloud_cease(CfSim *sim, CfSimCall *call)
{
    act(sim, call, &cease_order);
}

void
cf_sim_qingcloud_delete_images(CfSim *sim, CfSimCall *call)
{
    act(sim, call, &delete_order);
}
