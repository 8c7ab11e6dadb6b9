/* Metadata of servers: texts by their keys. */
#include <string.h>

#include "sim/openstack.h"

#define ITEMS_MAX 128
#define LENGTH_MAX 255
#define STATES " active paused suspended stopped "

static CfSimSpan
metadata_of(const CfSimRecord *server)
{
    CfSimSpan metadata = {"{}", 2};

    cf_sim_raw_get(cf_sim_record_span(server), "metadata", &metadata);
    return *metadata.at == '{' ? metadata : cf_sim_span("{}");
}

static void
answer_metadata(CfSimCall *call, CfSimSpan metadata)
{
    cf_sim_answer_printf(call, 200, "{\"metadata\":%.*s}", (int) metadata.len, metadata.at);
}

/* text: (transfer full): the new metadata, an object. */
static void
store(CfSim *sim, CfSimRecord *server, char *text)
{
    g_autofree char *owned = text;

    cf_sim_world_rewrite(sim->world, server, cf_sim_raw_set(server->text, "metadata", owned));
    cf_sim_os_stamp(sim, server);
}

/* Returns: (transfer none) (nullable): the server, if its metadata may be changed; NULL: refused.
 */
static CfSimRecord *
find_changeable(CfSim *sim, CfSimCall *call, const char *action)
{
    CfSimRecord *server = cf_sim_os_find_server(sim, call);

    if (server && cf_sim_os_check_lock(sim, call, server) &&
        cf_sim_os_check_state(sim, call, server, action, STATES, NULL))
        return server;
    return NULL;
}

static gboolean
item_good(const cJSON *item)
{
    const char *value = cJSON_GetStringValue(item);

    return value && g_utf8_validate(value, -1, NULL) && g_utf8_strlen(value, -1) <= LENGTH_MAX &&
           *item->string && g_utf8_strlen(item->string, -1) <= LENGTH_MAX &&
           strspn(item->string,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.: "
                  "") == strlen(item->string);
}

/* Returns: (transfer full) (nullable): the items of the body's member, as an object; NULL: refused.
 */
static char *
take_items(CfSim *sim, CfSimCall *call, const char *member)
{
    cJSON *items = cf_sim_os_argument(call, member);
    g_autoptr(GString) out = g_string_new("{");
    gboolean good = cJSON_IsObject(items);
    const cJSON *item;

    cJSON_ArrayForEach (item, items) {
        good = good && item_good(item);
        if (!good)
            break;
        if (out->len > 1)
            g_string_append_c(out, ',');
        cf_sim_raw_quote(out, item->string);
        g_string_append_c(out, ':');
        cf_sim_raw_quote(out, item->valuestring);
    }
    cJSON_Delete(items);
    g_string_append_c(out, '}');
    if (good)
        return g_strdup(out->str);
    cf_sim_os_refuse_printf(sim, call, 400, "Invalid input for field/attribute %s", member);
    return NULL;
}

/* Whether so many items are allowed; refuses if not. */
static gboolean
check_quota(CfSim *sim, CfSimCall *call, const char *metadata)
{
    CfSimRawIter iter;
    CfSimSpan key, value;
    guint n = 0;

    cf_sim_raw_iter_init(&iter, cf_sim_span(metadata));
    while (cf_sim_raw_iter_next(&iter, &key, &value))
        n++;
    if (n > ITEMS_MAX)
        cf_sim_os_refuse(sim, call, 403, NULL,
                         "Maximum number of metadata items exceeds 128. Quota exceeded");
    return n <= ITEMS_MAX;
}

void
cf_sim_os_get_metadata(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = cf_sim_os_find_server(sim, call);

    if (server)
        answer_metadata(call, metadata_of(server));
}

static void
change(CfSim *sim, CfSimCall *call, const char *action, gboolean keeps)
{
    CfSimRecord *server = find_changeable(sim, call, action);
    g_autofree char *items = server ? take_items(sim, call, "metadata") : NULL;
    g_autofree char *old = NULL;
    g_autofree char *fresh = NULL;

    if (!items)
        return;
    old = keeps ? g_strndup(metadata_of(server).at, metadata_of(server).len) : g_strdup("{}");
    fresh = cf_sim_raw_merge(old, cf_sim_span(items));
    if (!check_quota(sim, call, fresh))
        return;
    store(sim, server, g_steal_pointer(&fresh));
    answer_metadata(call, metadata_of(server));
}

void
cf_sim_os_update_metadata(CfSim *sim, CfSimCall *call)
{
    change(sim, call, "update metadata", TRUE);
}

void
cf_sim_os_replace_metadata(CfSim *sim, CfSimCall *call)
{
    change(sim, call, "update metadata", FALSE);
}

static gboolean
check_item(CfSim *sim, CfSimCall *call, const CfSimRecord *server, CfSimSpan *ret_value)
{
    if (cf_sim_raw_get(metadata_of(server), call->args[1], ret_value))
        return TRUE;
    cf_sim_os_refuse(sim, call, 404, NULL, "Metadata item was not found");
    return FALSE;
}

void
cf_sim_os_get_metadata_item(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = cf_sim_os_find_server(sim, call);
    CfSimSpan value;

    if (!server || !check_item(sim, call, server, &value))
        return;
    cf_sim_answer(call, 200, "{\"meta\":{");
    cf_sim_raw_quote(call->answer, call->args[1]);
    g_string_append_printf(call->answer, ":%.*s}}", (int) value.len, value.at);
}

/* The body repeats the key of the path. */
void
cf_sim_os_put_metadata_item(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = find_changeable(sim, call, "update metadata");
    g_autofree char *items = server ? take_items(sim, call, "meta") : NULL;
    g_autofree char *old = NULL;
    g_autofree char *fresh = NULL;
    CfSimSpan value;

    if (!items)
        return;
    if (!cf_sim_raw_get(cf_sim_span(items), call->args[1], &value)) {
        cf_sim_os_refuse(sim, call, 400, NULL, "Request body and URI mismatch");
        return;
    }
    old = g_strndup(metadata_of(server).at, metadata_of(server).len);
    fresh = cf_sim_raw_merge(old, cf_sim_span(items));
    if (!check_quota(sim, call, fresh))
        return;
    store(sim, server, g_steal_pointer(&fresh));
    cf_sim_answer_printf(call, 200, "{\"meta\":%s}", items);
}

void
cf_sim_os_drop_metadata_item(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = find_changeable(sim, call, "delete metadata");
    g_autofree char *old = NULL;
    CfSimSpan value;

    if (!server || !check_item(sim, call, server, &value))
        return;
    old = g_strndup(metadata_of(server).at, metadata_of(server).len);
    store(sim, server, cf_sim_raw_remove(old, call->args[1]));
    cf_sim_os_answer_empty(call, 204);
}
