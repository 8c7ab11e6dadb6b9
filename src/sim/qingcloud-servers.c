/* Servers as the dialect shows and renames them, and the ways to their consoles. */
#include <string.h>

#include "sim/qingcloud.h"

#define BROKER_PORT 7000

static const char *const server_states[] = {"pending",    "running", "stopped", "suspended",
                                            "terminated", "ceased",  NULL};

static const CfSimQingcloudField server_fields[] = {
    {"status", "status", server_states},
    {"image_id", "image.image_id", NULL},
    {"instance_type", "instance_type", NULL},
    {"instance_class", "instance_class", NULL},
    {"vcpus_current", "vcpus_current", NULL},
    {"memory_current", "memory_current", NULL},
    {"os_disk_size", "extra.os_disk_size", NULL},
    {"owner", "owner", NULL},
    {NULL},
};

/* The record without what only a verbose call shows. */
static void
render_brief(CfSim *sim, const CfSimRecord *record, GString *out)
{
    static const char *const left_out[] = {"security_group", "volume_ids", "keypair_ids", "extra"};
    g_autoptr(GString) full = g_string_new(NULL);
    gsize before = out->len;
    CfSimRawIter iter;
    CfSimSpan key, value;

    cf_sim_qingcloud_render(sim, record, full);
    cf_sim_raw_iter_init(&iter, cf_sim_span(full->str));
    g_string_append_c(out, '{');
    while (cf_sim_raw_iter_next(&iter, &key, &value)) {
        gboolean shown = TRUE;

        for (guint i = 0; shown && i < G_N_ELEMENTS(left_out); i++)
            shown = key.len != strlen(left_out[i]) || memcmp(key.at, left_out[i], key.len) != 0;
        if (!shown)
            continue;
        g_string_append(out, out->len > before + 1 ? ",\"" : "\"");
        g_string_append_len(out, key.at, (gssize) key.len);
        g_string_append(out, "\":");
        g_string_append_len(out, value.at, (gssize) value.len);
    }
    g_string_append_c(out, '}');
}

void
cf_sim_qingcloud_describe_instances(CfSim *sim, CfSimCall *call)
{
    const CfSimQingcloudList list = {
        .kind = CF_SIM_SERVERS,
        .ids = "instances",
        .name = "instance_name",
        .set = "instance_set",
        .fields = server_fields,
        .unknown_is_error = sim->settings.unknown_instance == CF_SIM_UNKNOWN_ERROR,
        .brief = render_brief,
        .verbose = cf_sim_qingcloud_render,
    };

    cf_sim_qingcloud_describe(sim, call, &list);
}

gboolean
cf_sim_qingcloud_modify(CfSim *sim, CfSimCall *call, CfSimRecord *record, const char *name_param)
{
    const char *const params[] = {name_param, "description"};
    g_autoptr(GString) changes = g_string_new("{");

    for (guint i = 0; i < G_N_ELEMENTS(params); i++) {
        const char *value = cf_sim_call_peek_param(call, params[i]);

        if (!value)
            continue;
        if (!g_utf8_validate(value, -1, NULL))
            return cf_sim_qingcloud_refuse(call, 1100, "InvalidParameterFormat, [%s] is not UTF-8",
                                           params[i]);
        g_string_append_printf(changes, "%s\"%s\":", changes->len > 1 ? "," : "", params[i]);
        cf_sim_raw_quote(changes, value);
    }
    g_string_append_c(changes, '}');
    cf_sim_world_merge(sim->world, record, changes->str);
    return TRUE;
}

void
cf_sim_qingcloud_modify_instance(CfSim *sim, CfSimCall *call)
{
    const char *id = cf_sim_call_peek_param(call, "instance");
    CfSimRecord *server = id ? cf_sim_world_find(sim->world, CF_SIM_SERVERS, id) : NULL;
    guint64 queues = G_MAXUINT64;

    if (!id || !*id)
        cf_sim_qingcloud_refuse_missing(call, "instance");
    else if (!server)
        cf_sim_qingcloud_refuse_unknown(call, id);
    else if (server->flags & CF_SIM_FLAG_FOREIGN)
        cf_sim_qingcloud_refuse(call, 1400,
                                "PermissionDenied, you are not the owner of resource [%s]", id);
    else if (server->flags & CF_SIM_FLAG_FAILING)
        cf_sim_qingcloud_refuse(call, 5000, "InternalError, internal error");
    else if (cf_sim_qingcloud_take_number(call, "nic_mqueue", 1, &queues) &&
             cf_sim_qingcloud_modify(sim, call, server, "instance_name")) {
        if (queues != G_MAXUINT64)
            cf_sim_world_merge(sim->world, server,
                               queues ? "{\"nic_mqueue\":1}" : "{\"nic_mqueue\":0}");
        cf_sim_qingcloud_accept(call);
    }
}

/* Returns: (transfer container) (nullable): the servers that the call names, all the caller's own
 * and running; NULL: refused. */
static GPtrArray *
take_running(CfSim *sim, CfSimCall *call)
{
    static const char *const running[] = {"running", NULL};
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, "instances");

    if (!ids->len) {
        cf_sim_qingcloud_refuse_missing(call, "instances");
        return NULL;
    }
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        const CfSimRecord *server = cf_sim_world_find(sim->world, CF_SIM_SERVERS, id);

        if (!cf_sim_qingcloud_check_own(sim, call, CF_SIM_SERVERS, id))
            return NULL;
        if (!cf_sim_qingcloud_status_in(server, running)) {
            cf_sim_qingcloud_refuse(
                call, 1400, "PermissionDenied, instance [%s] is not running, can not be connected",
                id);
            return NULL;
        }
    }
    return g_steal_pointer(&ids);
}

/* The broker of a server is always the same one. */
void
cf_sim_qingcloud_create_brokers(CfSim *sim, CfSimCall *call)
{
    g_autoptr(GPtrArray) ids = take_running(sim, call);

    if (!ids)
        return;
    cf_sim_qingcloud_accept_begin(call);
    g_string_append(call->answer, ",\"brokers\":[");
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);

        g_string_append(call->answer, i ? ",{\"instance_id\":" : "{\"instance_id\":");
        cf_sim_raw_quote(call->answer, id);
        g_string_append_printf(call->answer, ",\"broker_host\":\"127.0.0.1\",\"broker_port\":%u}",
                               BROKER_PORT + g_str_hash(id) % 1000);
    }
    g_string_append(call->answer, "]}");
}

void
cf_sim_qingcloud_delete_brokers(CfSim *sim, CfSimCall *call)
{
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, "instances");

    if (!ids->len) {
        cf_sim_qingcloud_refuse_missing(call, "instances");
        return;
    }
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);

        if (!cf_sim_world_find(sim->world, CF_SIM_SERVERS, id)) {
            cf_sim_qingcloud_refuse_unknown(call, id);
            return;
        }
    }
    cf_sim_qingcloud_accept(call);
}

void
cf_sim_qingcloud_describe_zones(CfSim *sim, CfSimCall *call)
{
    static const struct {
        const char *id, *region, *status;
    } zones[] = {
        {"pek3a", "pek3", "active"}, {"pek3b", "pek3", "active"}, {"sh1a", "sh1", "active"},
        {"gd2", "gd2", "faulty"},    {"pek1", "pek1", "defunct"},
    };
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, "zones");
    g_autoptr(GPtrArray) states = cf_sim_call_list(call, "status");
    guint n = 0;

    cf_sim_qingcloud_accept_begin(call);
    g_string_append(call->answer, ",\"zone_set\":[");
    for (guint i = 0; i < G_N_ELEMENTS(zones); i++) {
        if ((ids->len && !g_ptr_array_find_with_equal_func(ids, zones[i].id, g_str_equal, NULL)) ||
            (states->len &&
             !g_ptr_array_find_with_equal_func(states, zones[i].status, g_str_equal, NULL)))
            continue;
        g_string_append_printf(call->answer,
                               "%s{\"zone_id\":\"%s\",\"status\":\"%s\",\"region_id\":\"%s\"}",
                               n++ ? "," : "", zones[i].id, zones[i].status, zones[i].region);
    }
    g_string_append_printf(call->answer, "],\"total_count\":%u}", n);
}
