/* What can be done to a server: which states permit it, what shows on the way, how it ends. */
#include <string.h>

#include "sim/openstack.h"

#define STEPS_MAX 3

/* tasks: what may be under way nevertheless. */
typedef struct {
    const char *key;    /* in the body */
    const char *name;   /* as refusals call it */
    const char *states; /* vm_states that permit it */
    const char *tasks;  /* (nullable): task_states that do not hinder it */
    gboolean needs_host, needs_launch;
    const char *passing;         /* (nullable): the status meanwhile */
    const char *task[STEPS_MAX]; /* one after the other */
    const char *end;             /* the status at the end */
    const char *between;         /* (nullable): the status before the last task */
} Verb;

#define REBOOTABLE                                                                                 \
    " rebooting reboot_pending reboot_started resuming rebooting_hard unpausing pausing "          \
    "suspending "

static const Verb verbs[] = {
    {"os-start", "start", " stopped ", NULL, TRUE, TRUE, NULL, {"powering-on"}, "ACTIVE", NULL},
    {"os-stop",
     "stop",
     " active rescued error ",
     NULL,
     TRUE,
     TRUE,
     NULL,
     {"powering-off"},
     "SHUTOFF",
     NULL},
    {"pause", "pause", " active ", NULL, FALSE, TRUE, NULL, {"pausing"}, "PAUSED", NULL},
    {"unpause", "unpause", " paused ", NULL, FALSE, TRUE, NULL, {"unpausing"}, "ACTIVE", NULL},
    {"suspend", "suspend", " active ", NULL, FALSE, TRUE, NULL, {"suspending"}, "SUSPENDED", NULL},
    {"resume", "resume", " suspended ", NULL, FALSE, TRUE, NULL, {"resuming"}, "ACTIVE", NULL},
    {"shelve",
     "shelve",
     " active stopped paused suspended ",
     NULL,
     FALSE,
     TRUE,
     NULL,
     {"shelving", "shelving_image_uploading", "shelving_offloading"},
     "SHELVED_OFFLOADED",
     "SHELVED"},
    {"shelveOffload",
     "shelveOffload",
     " shelved ",
     NULL,
     FALSE,
     TRUE,
     NULL,
     {"shelving_offloading"},
     "SHELVED_OFFLOADED",
     NULL},
    {"unshelve",
     "unshelve",
     " shelved shelved_offloaded ",
     NULL,
     FALSE,
     TRUE,
     NULL,
     {"unshelving", "spawning"},
     "ACTIVE",
     NULL},
    {"rescue",
     "rescue",
     " active stopped error ",
     NULL,
     FALSE,
     TRUE,
     NULL,
     {"rescuing"},
     "RESCUE",
     NULL},
    {"unrescue", "unrescue", " rescued ", NULL, FALSE, TRUE, NULL, {"unrescuing"}, "ACTIVE", NULL},
};

static const Verb soft_reboot = {
    "reboot", "reboot", " active ", NULL,
    FALSE,    TRUE,     "REBOOT",   {"rebooting", "reboot_pending", "reboot_started"},
    "ACTIVE", NULL,
};
static const Verb hard_reboot = {
    "reboot",
    "reboot",
    " active stopped paused suspended error ",
    REBOOTABLE,
    FALSE,
    TRUE,
    "HARD_REBOOT",
    {"rebooting_hard"},
    "ACTIVE",
    NULL,
};
static const Verb capture = {
    "createImage",
    "createImage",
    " active stopped paused suspended ",
    NULL,
    FALSE,
    TRUE,
    NULL,
    {"image_snapshot_pending", "image_snapshot", "image_uploading"},
    NULL,
    NULL,
};

cJSON *
cf_sim_os_argument(const CfSimCall *call, const char *key)
{
    cJSON *body = cJSON_Parse(call->body->str);
    cJSON *argument = cJSON_DetachItemFromObjectCaseSensitive(body, key);

    cJSON_Delete(body);
    return argument;
}

/* Whether the body holds one action and nothing else; refuses if not. */
static gboolean
check_body(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    gboolean good = cJSON_IsObject(body) && body->child && !body->child->next;

    cJSON_Delete(body);
    if (!good)
        cf_sim_os_refuse(sim, call, 400, NULL, "Malformed request body");
    return good;
}

void
cf_sim_os_unknown_action(CfSim *sim, CfSimCall *call)
{
    g_autofree char *name = NULL;
    CfSimRawIter iter;
    CfSimSpan key = {"", 0}, value;

    if (!check_body(sim, call))
        return;
    cf_sim_raw_iter_init(&iter, cf_sim_span(call->body->str));
    cf_sim_raw_iter_next(&iter, &key, &value);
    name = g_strndup(key.at, key.len);
    cf_sim_os_refuse_printf(sim, call, 400, "There is no such action: %s", name);
}

/* ---- What it does ---- */

/* Returns: FALSE: refused. */
static gboolean
check_launch(CfSim *sim, CfSimCall *call, const CfSimRecord *server, const Verb *verb)
{
    g_autofree char *launched = cf_sim_os_get(server, "OS-SRV-USG:launched_at");

    if (launched || !verb->needs_launch)
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 409, "Cannot '%s' an instance which has never been active",
                            verb->name);
    return FALSE;
}

static gboolean
permits(CfSim *sim, CfSimCall *call, const CfSimRecord *server, const Verb *verb)
{
    return (!verb->needs_host || cf_sim_os_check_host(sim, call, server)) &&
           check_launch(sim, call, server, verb) &&
           cf_sim_os_check_state(sim, call, server, verb->name, verb->states, verb->tasks);
}

/* Plans a status that stays, and what goes with it. task: (nullable). */
static void
plan_status(CfSim *sim, CfSimRecord *server, guint ms, const char *status, const char *task)
{
    gboolean off = strcmp(status, "SHELVED_OFFLOADED") == 0;
    gboolean had_host = !cf_sim_os_member_is(server, "hostId", "");
    g_autoptr(GString) change = g_string_new(NULL);

    g_string_append_printf(change,
                           "{\"status\":\"%s\",\"OS-EXT-STS:vm_state\":\"%s\","
                           "\"OS-EXT-STS:power_state\":%u,\"" CF_SIM_OS_TASK "\":",
                           status, cf_sim_os_vm_state(status), cf_sim_os_power_state(status));
    cf_sim_raw_quote(change, task);
    if (off || !had_host)
        g_string_append_printf(change, ",\"hostId\":\"%s\"",
                               off ? "" : "c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a");
    g_string_append_c(change, '}');
    cf_sim_world_plan(sim->world, server, ms, change->str);
}

static void
plan_task(CfSim *sim, CfSimRecord *server, guint ms, const char *task)
{
    g_autofree char *change = g_strdup_printf("{\"" CF_SIM_OS_TASK "\":\"%s\"}", task);

    cf_sim_world_plan(sim->world, server, ms, change);
}

/* It was accepted; nothing comes of it: the server is as before. */
static void
plan_failure(CfSim *sim, CfSimRecord *server, guint ms)
{
    g_autofree char *status = cf_sim_os_get(server, "status");

    plan_status(sim, server, ms, status ? status : "ACTIVE", NULL);
}

static guint
count_tasks(const Verb *verb)
{
    guint n = 0;

    while (n < STEPS_MAX && verb->task[n])
        n++;
    return n;
}

static void
begin(CfSim *sim, CfSimCall *call, CfSimRecord *server, const Verb *verb)
{
    guint ms = sim->settings.transition_ms, n = count_tasks(verb);
    g_autoptr(GString) now = g_string_new("{");
    gboolean fails = call->job_fails || server->flags & CF_SIM_FLAG_FAILING;

    cf_sim_world_unplan(sim->world, server);
    if (fails)
        plan_failure(sim, server, ms);
    if (verb->passing)
        g_string_append_printf(now, "\"status\":\"%s\",", verb->passing);
    g_string_append_printf(now, "\"" CF_SIM_OS_TASK "\":\"%s\"}", verb->task[0]);
    cf_sim_world_merge(sim->world, server, now->str);
    cf_sim_os_stamp(sim, server);
    if (fails)
        return;
    for (guint i = 1; i < n; i++) {
        if (verb->between && i == n - 1)
            plan_status(sim, server, ms / n, verb->between, verb->task[i]);
        else
            plan_task(sim, server, ms / n, verb->task[i]);
    }
    if (verb->end)
        plan_status(sim, server, ms - ms / n * (n - 1), verb->end, NULL);
    else
        cf_sim_world_plan(sim->world, server, ms - ms / n * (n - 1),
                          "{\"" CF_SIM_OS_TASK "\":null}");
}

/* Returns: (transfer none) (nullable): NULL: refused. */
static CfSimRecord *
find_unlocked(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_body(sim, call) ? cf_sim_os_find_server(sim, call) : NULL;

    return server && cf_sim_os_check_lock(sim, call, server) ? server : NULL;
}

void
cf_sim_os_act(CfSim *sim, CfSimCall *call)
{
    const char *key = call->route->name + strlen("server.action.");
    CfSimRecord *server = find_unlocked(sim, call);

    for (guint i = 0; server && i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verbs[i].key, key) != 0 || !permits(sim, call, server, &verbs[i]))
            continue;
        begin(sim, call, server, &verbs[i]);
        cf_sim_os_answer_empty(call, 202);
    }
}

static void
reboot(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = find_unlocked(sim, call);
    cJSON *argument = cf_sim_os_argument(call, "reboot");
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(argument, "type"));
    const Verb *verb = NULL;

    if (type && g_ascii_strcasecmp(type, "SOFT") == 0)
        verb = &soft_reboot;
    else if (type && g_ascii_strcasecmp(type, "HARD") == 0)
        verb = &hard_reboot;
    cJSON_Delete(argument);
    if (!server)
        return;
    if (!verb) {
        cf_sim_os_refuse(
            sim, call, 400, NULL,
            "Invalid input for field/attribute type. It is not one of ['HARD', 'Hard', "
            "'hard', 'SOFT', 'Soft', 'soft']");
    } else if (permits(sim, call, server, verb)) {
        begin(sim, call, server, verb);
        cf_sim_os_answer_empty(call, 202);
    }
}

/* A lock does not keep from it. */
static void
create_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_body(sim, call) ? cf_sim_os_find_server(sim, call) : NULL;
    cJSON *argument = cf_sim_os_argument(call, "createImage");
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(argument, "name"));
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(argument, "metadata");

    if (server && (!name || !*name)) {
        cf_sim_os_refuse(sim, call, 400, NULL,
                         "Invalid input for field/attribute createImage. 'name' is a required "
                         "property");
    } else if (server && permits(sim, call, server, &capture)) {
        const CfSimRecord *image = cf_sim_os_capture(sim, server, name, metadata);
        g_autofree char *where = g_strdup_printf("%s/image/v2/images/%s", sim->url, image->id);

        begin(sim, call, server, &capture);
        cf_sim_os_answer_empty(call, 202);
        if (cf_sim_os_version(sim) >= 45)
            g_string_append_printf(call->answer, "{\"image_id\":\"%s\"}", image->id);
        else
            cf_sim_call_add_header(call, "Location", where);
    }
    cJSON_Delete(argument);
}

/* ---- Locks ---- */

static void
lock(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_body(sim, call) ? cf_sim_os_find_server(sim, call) : NULL;
    cJSON *argument = cf_sim_os_argument(call, "lock");
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(argument, "locked_reason");
    const char *reason = cJSON_GetStringValue(item);
    gboolean bare = !argument || !argument->child;
    g_autoptr(GString) change = g_string_new("{\"locked\":true,\"locked_reason\":");

    if (server && !bare &&
        (cf_sim_os_version(sim) < 73 || !reason || g_utf8_strlen(reason, -1) > 255)) {
        cf_sim_os_refuse(sim, call, 400, NULL,
                         "Invalid input for field/attribute lock. Additional properties are not "
                         "allowed");
    } else if (server) {
        cf_sim_raw_quote(change, reason);
        g_string_append_c(change, '}');
        cf_sim_world_merge(sim->world, server, change->str);
        cf_sim_os_stamp(sim, server);
        cf_sim_os_answer_empty(call, 202);
    }
    cJSON_Delete(argument);
}

static void
unlock(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_body(sim, call) ? cf_sim_os_find_server(sim, call) : NULL;

    if (!server)
        return;
    cf_sim_world_merge(sim->world, server, "{\"locked\":false,\"locked_reason\":null}");
    cf_sim_os_stamp(sim, server);
    cf_sim_os_answer_empty(call, 202);
}

/* ---- Administrators ---- */

static void
reset_state(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_body(sim, call) ? cf_sim_os_find_server(sim, call) : NULL;
    cJSON *argument = cf_sim_os_argument(call, "os-resetState");
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(argument, "state"));
    gboolean error = g_strcmp0(state, "error") == 0;

    if (server && !sim->settings.admin) {
        cf_sim_os_refuse(sim, call, 403, NULL,
                         "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be "
                         "performed.");
    } else if (server) {
        cf_sim_world_unplan(sim->world, server);
        plan_status(sim, server, 0, error ? "ERROR" : "ACTIVE", NULL);
        cf_sim_world_settle(sim->world);
        cf_sim_os_answer_empty(call, 202);
    }
    cJSON_Delete(argument);
}

const CfSimRoute cf_sim_os_actions[] = {
    {"*", NULL, "server.action.os-start", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.os-stop", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.reboot", CF_SIM_CHANGE, reboot},
    {"*", NULL, "server.action.pause", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.unpause", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.suspend", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.resume", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.shelve", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.shelveOffload", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.unshelve", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.rescue", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.unrescue", CF_SIM_CHANGE, cf_sim_os_act},
    {"*", NULL, "server.action.lock", CF_SIM_CHANGE, lock},
    {"*", NULL, "server.action.unlock", CF_SIM_CHANGE, unlock},
    {"*", NULL, "server.action.createImage", CF_SIM_CHANGE, create_image},
    {"*", NULL, "server.action.os-resetState", CF_SIM_CHANGE, reset_state},
    {"*", NULL, "server.action.os-getConsoleOutput", CF_SIM_READ, cf_sim_os_console_output},
    {"*", NULL, "server.action.os-getVNCConsole", CF_SIM_CHANGE, cf_sim_os_old_console},
    {"*", NULL, "server.action.os-getSPICEConsole", CF_SIM_CHANGE, cf_sim_os_old_console},
    {"*", NULL, "server.action.os-getSerialConsole", CF_SIM_CHANGE, cf_sim_os_old_console},
    {NULL},
};
