/* Servers as the dialect shows them, and their tags. */
#include <string.h>

#include "sim/inspur.h"

/* The record, with its task hidden from those who may not see it. */
static void
render(CfSim *sim, const CfSimRecord *record, GString *out)
{
    CfSimSpan text = cf_sim_record_span(record);
    CfSimSpan task;

    if (sim->settings.task_state_visible || !cf_sim_raw_get(text, "task_state", &task)) {
        g_string_append_len(out, text.at, (gssize) text.len);
        return;
    }
    g_string_append_len(out, text.at, task.at - text.at);
    g_string_append(out, "null");
    g_string_append(out, task.at + task.len);
}

static gboolean
text_has(const char *text, const char *search)
{
    return text && strstr(text, search) != NULL;
}

/* Abnormal: neither one of the words that the document explains, nor without one. */
static gboolean
is_unusual(const char *status)
{
    static const char *const usual[] = {"ACTIVE",  "SHUTOFF",  "STOPPED", "PAUSED",
                                        "BUILD",   "REBOOT",   "RESIZE",  "HARD_REBOOT",
                                        "REBUILD", "PASSWORD", "DELETED", "SOFT_DELETED"};

    for (guint i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (g_ascii_strcasecmp(usual[i], status) == 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean
status_matches(CfSimSpan record, const char *search)
{
    g_autofree char *status = cf_sim_raw_get_string(record, "status");

    if (!status)
        return FALSE;
    return strcmp(search, "unusual") == 0 ? is_unusual(status)
                                          : g_ascii_strcasecmp(status, search) == 0;
}

static gboolean
ip_matches(CfSimSpan record, const char *search)
{
    CfSimRawIter iter;
    CfSimSpan nics, nic;

    if (!cf_sim_raw_get(record, "nics", &nics))
        return FALSE;
    cf_sim_raw_iter_init(&iter, nics);
    while (cf_sim_raw_iter_next(&iter, NULL, &nic)) {
        g_autofree char *ip = cf_sim_raw_get_string(nic, "fixed_ip");

        if (text_has(ip, search))
            return TRUE;
    }
    return FALSE;
}

typedef struct {
    const char *field, *search; /* field: (nullable) */
} Filter;

static gboolean
matches(CfSimSpan record, gconstpointer data)
{
    const Filter *filter = data;
    const char *field = filter->field, *search = filter->search;
    gboolean any = !field || !*field;

    if (any || strcmp(field, "name") == 0) {
        g_autofree char *name = cf_sim_raw_get_string(record, "name");

        if (text_has(name, search))
            return TRUE;
    }
    if (any || strcmp(field, "uuid") == 0) {
        g_autofree char *id = cf_sim_raw_get_string(record, "id");

        if (g_strcmp0(id, search) == 0)
            return TRUE;
    }
    if ((any || strcmp(field, "ip") == 0) && ip_matches(record, search))
        return TRUE;
    return (any || strcmp(field, "status") == 0) && status_matches(record, search);
}

static char *
sort_key(CfSimSpan record, const char *sort)
{
    return cf_sim_raw_get_string(record, strcmp(sort, "createTime") == 0 ? "created" : sort);
}

void
cf_sim_inspur_list_servers(CfSim *sim, CfSimCall *call)
{
    g_autofree char *search = cf_sim_call_param(call, "searchValue");
    g_autofree char *field = cf_sim_call_param(call, "searchField");
    g_autofree char *sort = cf_sim_call_param(call, "sortField");
    g_autofree char *order = cf_sim_call_param(call, "sortOrder");
    g_autofree char *filter_id = g_strdup_printf("%s\n%s", field ? field : "", search);
    Filter filter = {field, search};
    guint64 page;
    CfSimQuery query = {
        .kind = CF_SIM_SERVERS,
        .filter_id = search && *search ? filter_id : NULL,
        .filter = &filter,
        .sort = sort,
        .descending = g_strcmp0(order, "descend") == 0,
        .matches = matches,
        .sort_key = sort_key,
        .render = render,
    };

    if (!g_ascii_string_to_unsigned(call->args[0], 10, 1, G_MAXINT, &page, NULL)) {
        cf_sim_inspur_refuse_parameter(sim, call, "pageNo");
        return;
    }
    if (!g_ascii_string_to_unsigned(call->args[1], 10, 1, G_MAXINT, &query.size, NULL)) {
        cf_sim_inspur_refuse_parameter(sim, call, "pageSize");
        return;
    }
    if (sim->settings.max_page)
        query.size = MIN(query.size, sim->settings.max_page);
    query.start = (page - 1) * query.size;
    cf_sim_inspur_accept_begin(sim, call, "ECS application ECS module message:OK");
    g_string_append_printf(call->answer, "{\"totalCount\":%u,\"servers\":[",
                           cf_sim_listing_total(sim, &query, call->twist));
    cf_sim_listing(sim, &query, call->twist, call->answer);
    g_string_append(call->answer, "]}}");
}

static void
refuse_unknown(CfSim *sim, CfSimCall *call, const char *id)
{
    g_autofree char *message = g_strdup_printf("云服务器%s不存在", id);

    cf_sim_inspur_refuse(sim, call, 400, "101.001033", message);
}

/* Returns: (transfer none) (nullable): the server that the path names; NULL: refused. */
static CfSimRecord *
find_server(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = cf_sim_world_find(sim->world, CF_SIM_SERVERS, call->args[0]);

    if (!record)
        refuse_unknown(sim, call, call->args[0]);
    return record;
}

void
cf_sim_inspur_show_server(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *record = find_server(sim, call);
    g_autoptr(GString) out = g_string_new("{\"server\":");
    CfSimSpan unused;

    if (!record)
        return;
    render(sim, record, out);
    if (!cf_sim_raw_get(cf_sim_record_span(record), "keyCloakUserId", &unused)) {
        g_string_truncate(out, out->len - 1);
        g_string_append(out, ",\"keyCloakUserId\":\"f679eb23-0000-4000-a000-000000000001\","
                             "\"keyCloakUserName\":\"simulated\"}");
    }
    g_string_append_c(out, '}');
    cf_sim_inspur_accept(sim, call, "OK", out->str);
}

void
cf_sim_inspur_get_tags(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *record = find_server(sim, call);
    g_autoptr(GString) out = g_string_new("{\"tags\":[");

    if (!record)
        return;
    for (guint i = 0; record->tags && i < record->tags->len; i++) {
        if (i)
            g_string_append_c(out, ',');
        cf_sim_raw_quote(out, g_ptr_array_index(record->tags, i));
    }
    g_string_append(out, "]}");
    cf_sim_inspur_accept(sim, call, "success", out->str);
}

static gboolean
has_text(const GPtrArray *texts, const char *text)
{
    for (guint i = 0; i < texts->len; i++) {
        if (strcmp(g_ptr_array_index(texts, i), text) == 0)
            return TRUE;
    }
    return FALSE;
}

void
cf_sim_inspur_set_tags(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = find_server(sim, call);
    g_autofree char *joined = cf_sim_call_param(call, "tags");
    g_auto(GStrv) words = NULL;

    if (!record)
        return;
    if (!joined || !g_utf8_validate(joined, -1, NULL)) {
        cf_sim_inspur_refuse_parameter(sim, call, "tags");
        return;
    }
    words = g_strsplit(joined, ",", -1);
    if (record->tags)
        g_ptr_array_unref(record->tags);
    record->tags = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; words[i]; i++) {
        if (*words[i] && !has_text(record->tags, words[i]))
            g_ptr_array_add(record->tags, g_strdup(words[i]));
    }
    cf_sim_inspur_accept(sim, call, "success", "\"\"");
}
