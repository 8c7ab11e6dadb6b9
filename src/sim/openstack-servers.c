/* One server: as each microversion shows it, what may be done to it, its name and its end. */
#include <string.h>

#include "sim/openstack.h"

/* ---- States ---- */

static const struct {
    const char *status, *vm_state;
    guint power_state;
} states[] = {
    {"ACTIVE", "active", 1},
    {"BUILD", "building", 0},
    {"DELETED", "deleted", 0},
    {"ERROR", "error", 0},
    {"HARD_REBOOT", "active", 1},
    {"MIGRATING", "active", 1},
    {"PASSWORD", "active", 1},
    {"PAUSED", "paused", 3},
    {"REBOOT", "active", 1},
    {"REBUILD", "active", 1},
    {"RESCUE", "rescued", 1},
    {"RESIZE", "active", 1},
    {"REVERT_RESIZE", "resized", 1},
    {"SHELVED", "shelved", 4},
    {"SHELVED_OFFLOADED", "shelved_offloaded", 4},
    {"SHUTOFF", "stopped", 4},
    {"SOFT_DELETED", "soft-delete", 4},
    {"SUSPENDED", "suspended", 7},
    {"VERIFY_RESIZE", "resized", 1},
};

const char *
cf_sim_os_vm_state(const char *status)
{
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_ascii_strcasecmp(states[i].status, status) == 0)
            return states[i].vm_state;
    }
    return "unknown";
}

guint
cf_sim_os_power_state(const char *status)
{
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_ascii_strcasecmp(states[i].status, status) == 0)
            return states[i].power_state;
    }
    return 0;
}

/* Whether a word is one of a list's, which has blanks around each. */
static gboolean
has_word(const char *list, const char *word)
{
    g_autofree char *wanted = g_strdup_printf(" %s ", word);

    return strcmp(list, "*") == 0 || strstr(list, wanted) != NULL;
}

gboolean
cf_sim_os_check_state(CfSim *sim, CfSimCall *call, const CfSimRecord *server, const char *action,
                      const char *permitted, const char *tasks)
{
    g_autofree char *vm_state = cf_sim_os_get(server, "OS-EXT-STS:vm_state");
    g_autofree char *task = cf_sim_os_get(server, CF_SIM_OS_TASK);

    if (!has_word(permitted, vm_state ? vm_state : "unknown")) {
        cf_sim_os_refuse_printf(sim, call, 409,
                                "Cannot '%s' instance %s while it is in vm_state %s", action,
                                server->id, vm_state ? vm_state : "unknown");
        return FALSE;
    }
    if (!task || (tasks && has_word(tasks, task)))
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 409, "Cannot '%s' instance %s while it is in task_state %s",
                            action, server->id, task);
    return FALSE;
}

gboolean
cf_sim_os_check_lock(CfSim *sim, CfSimCall *call, const CfSimRecord *server)
{
    CfSimSpan locked;

    if (sim->settings.admin || !cf_sim_raw_get(cf_sim_record_span(server), "locked", &locked) ||
        *locked.at != 't')
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 409, "Instance %s is locked", server->id);
    return FALSE;
}

/* One that never found a host, or has left it. */
gboolean
cf_sim_os_check_host(CfSim *sim, CfSimCall *call, const CfSimRecord *server)
{
    if (!cf_sim_os_member_is(server, "hostId", ""))
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 409, "Instance %s is not ready", server->id);
    return FALSE;
}

CfSimRecord *
cf_sim_os_find_server(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = cf_sim_world_find(sim->world, CF_SIM_SERVERS, call->args[0]);

    if (server && !cf_sim_os_is_gone(server) &&
        (sim->settings.admin || !(server->flags & CF_SIM_FLAG_FOREIGN)))
        return server;
    cf_sim_os_refuse_printf(sim, call, 404, "Instance %s could not be found.", call->args[0]);
    return NULL;
}

/* ---- As a microversion shows it ---- */

static const struct {
    const char *key;
    guint from; /* 2.N */
} since[] = {
    {"locked", 9},         {"description", 19},   {"tags", 26}, {"trusted_image_certificates", 63},
    {"server_groups", 71}, {"locked_reason", 73},
};

#define NEWEST_MEMBER 73
#define FLAVOR_EMBEDDED 47
#define PARTIAL_RECORDS 69

static gboolean
key_is(CfSimSpan key, const char *text)
{
    return key.len == strlen(text) && memcmp(key.at, text, key.len) == 0;
}

static gboolean
is_shown(CfSimSpan key, guint version, const CfSimOsDigest *digest)
{
    for (guint i = 0; i < G_N_ELEMENTS(since); i++) {
        if (version < since[i].from && key_is(key, since[i].key))
            return FALSE;
    }
    return !(digest->has_fault && key_is(key, "fault"));
}

static void
append_old_flavor(CfSimSpan flavor, GString *out)
{
    g_autofree char *name = cf_sim_raw_get_string(flavor, "original_name");

    cf_sim_os_append_flavor_link(name, out);
}

/* Member by member, for those who do not know them all. */
static void
render_older(const CfSimRecord *record, guint version, const CfSimOsDigest *digest, GString *out)
{
    const char *comma = "";
    CfSimSpan key, value;
    CfSimRawIter iter;

    g_string_append_c(out, '{');
    cf_sim_raw_iter_init(&iter, cf_sim_record_span(record));
    while (cf_sim_raw_iter_next(&iter, &key, &value)) {
        if (!is_shown(key, version, digest))
            continue;
        g_string_append_printf(out, "%s\"%.*s\":", comma, (int) key.len, key.at);
        if (version < FLAVOR_EMBEDDED && key_is(key, "flavor") && *value.at == '{')
            append_old_flavor(value, out);
        else
            g_string_append_len(out, value.at, (gssize) value.len);
        comma = ",";
    }
    g_string_append_c(out, '}');
}

/* What is known of a server whose cell does not answer. */
static void
render_partial(const CfSimRecord *record, gboolean whole, GString *out)
{
    static const char *const always[] = {"id", "created", "tenant_id", "links"};
    static const char *const shown[] = {"user_id", "image", "flavor",
                                        "OS-EXT-AZ:availability_zone"};
    CfSimSpan text = cf_sim_record_span(record), value;

    g_string_append(out, "{\"status\":\"UNKNOWN\"");
    for (guint i = 0; i < G_N_ELEMENTS(always) + (whole ? G_N_ELEMENTS(shown) : 0); i++) {
        const char *key = i < G_N_ELEMENTS(always) ? always[i] : shown[i - G_N_ELEMENTS(always)];

        if (!cf_sim_raw_get(text, key, &value))
            continue;
        g_string_append_printf(out, ",\"%s\":", key);
        g_string_append_len(out, value.at, (gssize) value.len);
    }
    if (whole)
        g_string_append(out, ",\"OS-EXT-STS:power_state\":0");
    g_string_append_c(out, '}');
}

void
cf_sim_os_render_server(CfSim *sim, const CfSimRecord *record, GString *out)
{
    const CfSimOsDigest *digest = cf_sim_os_digest((CfSimRecord *) record);
    guint version = cf_sim_os_version(sim);

    if (record->flags & CF_SIM_FLAG_APART)
        render_partial(record, FALSE, out);
    else if (version >= NEWEST_MEMBER && !digest->has_fault)
        g_string_append(out, record->text);
    else
        render_older(record, version, digest, out);
}

void
cf_sim_os_show_server(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = cf_sim_os_find_server(sim, call);

    if (!server)
        return;
    if (server->flags & CF_SIM_FLAG_APART && cf_sim_os_version(sim) < PARTIAL_RECORDS) {
        cf_sim_os_refuse(
            sim, call, 500, NULL,
            "Unexpected API Error. Please report this at "
            "http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.\n"
            "<class 'nova.exception.NovaException'>");
        return;
    }
    cf_sim_answer(call, 200, "{\"server\":");
    if (server->flags & CF_SIM_FLAG_APART)
        render_partial(server, TRUE, call->answer);
    else
        cf_sim_os_render_server(sim, server, call->answer);
    g_string_append_c(call->answer, '}');
}

/* ---- Name, description ---- */

/* Whether a text may be a name; refuses if not. */
static gboolean
check_name(CfSim *sim, CfSimCall *call, const char *name)
{
    glong length = g_utf8_validate(name, -1, NULL) ? g_utf8_strlen(name, -1) : 0;
    const char *why = "does not match the regular expression of names";

    if (length >= 1 && length <= 255 && name[0] != ' ' && name[strlen(name) - 1] != ' ')
        return TRUE;
    if (length == 0)
        why = "is too short";
    else if (length > 255)
        why = "is too long";
    cf_sim_os_refuse_printf(sim, call, 400,
                            "Invalid input for field/attribute name. Value: %s. '%s' %s",
                            length ? name : "", length ? name : "", why);
    return FALSE;
}

static gboolean
check_description(CfSim *sim, CfSimCall *call, const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);

    if (cJSON_IsNull(item) ||
        (text && g_utf8_validate(text, -1, NULL) && g_utf8_strlen(text, -1) <= 255))
        return TRUE;
    cf_sim_os_refuse(sim, call, 400, NULL,
                     "Invalid input for field/attribute description. It is too long or no text");
    return FALSE;
}

/* Appends what one member of the body changes. Returns: FALSE: refused. */
static gboolean
take_change(CfSim *sim, CfSimCall *call, const cJSON *item, GString *changes)
{
    const char *text = cJSON_GetStringValue(item);

    if (strcmp(item->string, "name") == 0 && text) {
        if (!check_name(sim, call, text))
            return FALSE;
    } else if (strcmp(item->string, "description") == 0 && cf_sim_os_version(sim) >= 19) {
        if (!check_description(sim, call, item))
            return FALSE;
    } else {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for field/attribute server. Additional properties "
                                "are not allowed ('%s' was unexpected)",
                                item->string);
        return FALSE;
    }
    g_string_append_printf(changes, "%s\"%s\":", changes->len > 1 ? "," : "", item->string);
    cf_sim_raw_quote(changes, text);
    return TRUE;
}

void
cf_sim_os_update_server(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = cf_sim_os_find_server(sim, call);
    g_autoptr(GString) changes = g_string_new("{");
    cJSON *body = cJSON_Parse(call->body->str);
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(body, "server");
    gboolean good = server != NULL;
    const cJSON *item;

    if (good && (!cJSON_IsObject(wanted) || !wanted->child)) {
        cf_sim_os_refuse(sim, call, 400, NULL, "Malformed request body");
        good = FALSE;
    }
    cJSON_ArrayForEach (item, wanted) {
        good = good && take_change(sim, call, item, changes);
    }
    cJSON_Delete(body);
    if (!good)
        return;
    g_string_append_c(changes, '}');
    cf_sim_world_merge(sim->world, server, changes->str);
    cf_sim_os_stamp(sim, server);
    cf_sim_os_show_server(sim, call);
}

/* ---- The end ---- */

void
cf_sim_os_delete_server(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = cf_sim_os_find_server(sim, call);
    guint ms = sim->settings.transition_ms;

    if (!server || !cf_sim_os_check_lock(sim, call, server))
        return;
    if (!cf_sim_os_member_is(server, CF_SIM_OS_TASK, "deleting")) {
        cf_sim_world_unplan(sim->world, server);
        cf_sim_world_merge(sim->world, server, "{\"" CF_SIM_OS_TASK "\":\"deleting\"}");
        cf_sim_os_stamp(sim, server);
        cf_sim_world_plan(sim->world, server, ms,
                          "{\"status\":\"DELETED\",\"" CF_SIM_OS_TASK
                          "\":null,\"OS-EXT-STS:vm_state\":\"deleted\","
                          "\"OS-EXT-STS:power_state\":0}");
    }
    cf_sim_os_answer_empty(call, 204);
}
