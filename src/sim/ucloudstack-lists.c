/* The listings of UCloudStack: filtered, paged, in the words of either version. */
#include <string.h>

#include "sim/ucloudstack.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100
#define ZONE "zone-01"

/* Each: (nullable): no matter. */
typedef struct {
    CfSimKind kind;
    const char *keyword, *vpc, *subnet, *company, *type;
    const GPtrArray *states, *projects;
} Filter;

/* ---- What the first version shows otherwise ---- */

static gboolean
key_is_one_of(CfSimSpan key, const char *const *names)
{
    for (guint i = 0; names[i]; i++) {
        if (strlen(names[i]) == key.len && memcmp(names[i], key.at, key.len) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
append_member(GString *out, CfSimSpan key, const char *value, gsize len)
{
    if (out->str[out->len - 1] != '{')
        g_string_append_c(out, ',');
    g_string_append_c(out, '"');
    g_string_append_len(out, key.at, (gssize) key.len);
    g_string_append(out, "\":");
    g_string_append_len(out, value, (gssize) len);
}

/* The addresses, each with that of its card. */
static void
append_addresses(CfSimSpan addresses, GString *out)
{
    CfSimRawIter iter;
    CfSimSpan address;
    const char *comma = "";

    g_string_append_c(out, '[');
    cf_sim_raw_iter_init(&iter, addresses);
    while (cf_sim_raw_iter_next(&iter, NULL, &address)) {
        g_autofree char *ip = cf_sim_raw_get_string(address, "IP");
        guint card = ip ? g_str_hash(ip) : 0;

        g_string_append(out, comma);
        if (ip && address.len > 2 && *address.at == '{')
            g_string_append_printf(out, "%.*s,\"MAC\":\"52:54:00:%02x:%02x:%02x\"}",
                                   (int) address.len - 1, address.at, card >> 16 & 0xff,
                                   card >> 8 & 0xff, card & 0xff);
        else
            g_string_append_len(out, address.at, (gssize) address.len);
        comma = ",";
    }
    g_string_append_c(out, ']');
}

static void
render_server(CfSim *sim, const CfSimRecord *record, GString *out)
{
    static const char *const addresses[] = {"IPInfos", NULL};
    CfSimSpan text = cf_sim_record_span(record), key, value, zone;
    CfSimRawIter iter;

    if (!cf_sim_ucloud_is_first(sim)) {
        g_string_append_len(out, text.at, (gssize) text.len);
        return;
    }
    g_string_append_c(out, '{');
    cf_sim_raw_iter_init(&iter, text);
    while (cf_sim_raw_iter_next(&iter, &key, &value)) {
        append_member(out, key, value.at, value.len);
        if (!key_is_one_of(key, addresses) || *value.at != '[')
            continue;
        g_string_truncate(out, out->len - value.len);
        append_addresses(value, out);
    }
    if (!cf_sim_raw_get(text, "Zone", &zone))
        g_string_append(out, ",\"Zone\":\"" ZONE "\"");
    g_string_append_c(out, '}');
}

GHashTable *
cf_sim_ucloud_used_images(CfSim *sim)
{
    GHashTable *used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const GPtrArray *servers = cf_sim_world_list(sim->world, CF_SIM_SERVERS);

    for (guint i = 0; i < servers->len; i++) {
        const CfSimRecord *server = g_ptr_array_index(servers, i);
        char *id = cf_sim_raw_get_string(cf_sim_record_span(server), "ImageID");

        if (id)
            g_hash_table_add(used, id);
    }
    return used;
}

/* `Used` means usable in the second version, and used by a server in the first. */
static void
render_first_image(const CfSimRecord *record, GHashTable *used, GString *out)
{
    static const char *const later[] = {"ImageSize",      "ImageDescription", "CanVGPU",
                                        "RegionAlias",    "ImageName",        "Reason",
                                        "SupportHotplug", "Remarkable",       NULL};
    static const char *const status[] = {"ImageStatus", NULL};
    CfSimSpan text = cf_sim_record_span(record), key, value, zone;
    const char *name = g_hash_table_contains(used, record->id) ? "\"Used\"" : "\"Available\"";
    CfSimRawIter iter;

    g_string_append_c(out, '{');
    cf_sim_raw_iter_init(&iter, text);
    while (cf_sim_raw_iter_next(&iter, &key, &value)) {
        if (key_is_one_of(key, later))
            continue;
        if (key_is_one_of(key, status) && value.len == 6 && memcmp(value.at, "\"Used\"", 6) == 0)
            append_member(out, key, name, strlen(name));
        else
            append_member(out, key, value.at, value.len);
    }
    if (!cf_sim_raw_get(text, "Zone", &zone))
        g_string_append(out, ",\"Zone\":\"" ZONE "\"");
    g_string_append_c(out, '}');
}

static void
render_image(CfSim *sim, const CfSimRecord *record, GString *out)
{
    CfSimSpan text = cf_sim_record_span(record);

    if (cf_sim_ucloud_is_first(sim))
        render_first_image(record, sim->scratch, out);
    else
        g_string_append_len(out, text.at, (gssize) text.len);
}

/* ---- Filters ---- */

static gboolean
member_is(CfSimSpan record, const char *key, const char *wanted)
{
    g_autofree char *text = NULL;
    CfSimSpan value;

    if (!wanted || !*wanted)
        return TRUE;
    if (cf_sim_raw_get(record, key, &value))
        text = cf_sim_raw_text(value);
    return text && g_ascii_strcasecmp(text, wanted) == 0;
}

static gboolean
member_is_one_of(CfSimSpan record, const char *key, const GPtrArray *wanted)
{
    for (guint i = 0; i < wanted->len; i++) {
        if (member_is(record, key, g_ptr_array_index(wanted, i)))
            return TRUE;
    }
    return wanted->len == 0;
}

static gboolean
member_has(CfSimSpan record, const char *key, const char *part)
{
    g_autofree char *text = cf_sim_raw_get_string(record, key);

    return text && strstr(text, part) != NULL;
}

static gboolean
has_address(CfSimSpan record, const char *part)
{
    CfSimSpan addresses, address;
    CfSimRawIter iter;

    if (!cf_sim_raw_get(record, "IPInfos", &addresses))
        return FALSE;
    cf_sim_raw_iter_init(&iter, addresses);
    while (cf_sim_raw_iter_next(&iter, NULL, &address)) {
        if (member_has(address, "IP", part))
            return TRUE;
    }
    return FALSE;
}

/* The document says no more than that it is searched for: ids, names, remarks, addresses. */
static gboolean
keyword_matches(CfSimSpan record, const Filter *filter)
{
    static const char *const keys[] = {"VMID",   "ImageID",          "Name", "ImageName",
                                       "Remark", "ImageDescription", NULL};

    if (!filter->keyword || !*filter->keyword)
        return TRUE;
    for (guint i = 0; keys[i]; i++) {
        if (member_has(record, keys[i], filter->keyword))
            return TRUE;
    }
    return has_address(record, filter->keyword);
}

static gboolean
matches(CfSimSpan record, gconstpointer data)
{
    const Filter *filter = data;

    return member_is(record, "CompanyID", filter->company) &&
           member_is(record, "VPCID", filter->vpc) &&
           member_is(record, "SubnetID", filter->subnet) &&
           member_is(record, "ImageType", filter->type) &&
           member_is_one_of(record, "State", filter->states) &&
           member_is_one_of(record, "ProjectID", filter->projects) &&
           keyword_matches(record, filter);
}

/* Returns: (transfer full) (nullable): what tells the filter from others; NULL: none is set. */
static char *
filter_id(const Filter *filter)
{
    const char *texts[] = {filter->keyword, filter->vpc, filter->subnet, filter->company,
                           filter->type};
    const GPtrArray *lists[] = {filter->states, filter->projects};
    g_autoptr(GString) id = g_string_new(NULL);
    gboolean any = FALSE;

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        any = any || (texts[i] && *texts[i]);
        g_string_append_printf(id, "%s\n", texts[i] ? texts[i] : "");
    }
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        any = any || lists[i]->len;
        for (guint j = 0; j < lists[i]->len; j++)
            g_string_append_printf(id, "%s\n", (const char *) g_ptr_array_index(lists[i], j));
        g_string_append_c(id, '\t');
    }
    return any ? g_strdup(id->str) : NULL;
}

/* Numbers sort as numbers. */
static char *
sort_key(CfSimSpan record, const char *sort)
{
    g_autofree char *text = NULL;
    CfSimSpan value;
    guint64 number;

    if (!cf_sim_raw_get(record, sort, &value))
        return NULL;
    text = cf_sim_raw_text(value);
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &number, NULL))
        return g_strdup_printf("%020" G_GUINT64_FORMAT, number);
    return g_steal_pointer(&text);
}

/* ---- The answers ---- */

/* Reads Offset and Limit. Returns: FALSE: refused. */
static gboolean
take_page(CfSim *sim, CfSimCall *call, CfSimQuery *query)
{
    const char *offset = cf_sim_call_peek_param(call, "Offset");
    const char *limit = cf_sim_call_peek_param(call, "Limit");

    query->size = LIMIT_DEFAULT;
    if (offset && !g_ascii_string_to_unsigned(offset, 10, 0, G_MAXINT, &query->start, NULL)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_FORMAT, "Offset");
        return FALSE;
    }
    if (limit && !g_ascii_string_to_unsigned(limit, 10, 0, G_MAXINT, &query->size, NULL)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_FORMAT, "Limit");
        return FALSE;
    }
    if (query->size < 1 || query->size > LIMIT_MAX) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_VALUE, "Limit");
        return FALSE;
    }
    if (sim->settings.max_page)
        query->size = MIN(query->size, sim->settings.max_page);
    return TRUE;
}

static void
answer_list(CfSim *sim, CfSimCall *call, CfSimQuery *query, Filter *filter)
{
    g_autofree char *id = filter_id(filter);
    gsize before;

    query->kind = filter->kind;
    query->filter_id = id;
    query->filter = filter;
    query->matches = matches;
    query->sort_key = sort_key;
    if (query->ids && !query->ids->len)
        query->ids = NULL;
    if (!take_page(sim, call, query))
        return;
    cf_sim_ucloud_accept_begin(sim, call);
    g_string_append_printf(call->answer, ",\"TotalCount\":%u,\"Infos\":[",
                           cf_sim_listing_total(sim, query, call->twist));
    before = call->answer->len;
    cf_sim_listing(sim, query, call->twist, call->answer);
    if (call->answer->len == before && cf_sim_ucloud_is_first(sim)) {
        g_string_truncate(call->answer, before - 1);
        g_string_append(call->answer, "null}"); /* as its services write a list without items */
        return;
    }
    g_string_append(call->answer, "]}");
}

void
cf_sim_ucloud_list_servers(CfSim *sim, CfSimCall *call)
{
    gboolean first = cf_sim_ucloud_is_first(sim);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, "VMIDs");
    g_autoptr(GPtrArray) states = cf_sim_call_list(call, "States");
    g_autoptr(GPtrArray) projects = cf_sim_call_list(call, "ProjectIDs");
    const char *sort = cf_sim_call_peek_param(call, "SortBy");
    const char *order = cf_sim_call_peek_param(call, "Sort");
    CfSimQuery query = {
        .ids = ids,
        .render = render_server,
    };
    Filter filter = {
        .kind = CF_SIM_SERVERS,
        .vpc = cf_sim_call_peek_param(call, "VPCID"),
        .subnet = cf_sim_call_peek_param(call, "SubnetID"),
        .states = none,
        .projects = none,
    };

    if (!first) { /* the first version knows none of these and passes over them */
        filter.keyword = cf_sim_call_peek_param(call, "Keyword");
        filter.company = cf_sim_call_peek_param(call, "CompanyID");
        filter.states = states;
        filter.projects = projects;
        query.sort = sort && *sort ? sort : NULL;
        query.descending = order && g_ascii_strcasecmp(order, "desc") == 0;
    }
    answer_list(sim, call, &query, &filter);
}

void
cf_sim_ucloud_list_images(CfSim *sim, CfSimCall *call)
{
    g_autoptr(GHashTable) used = NULL;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, "ImageIDs");
    g_autoptr(GPtrArray) projects = cf_sim_call_list(call, "ProjectIDs");
    CfSimQuery query = {
        .ids = ids,
        .render = render_image,
    };
    Filter filter = {
        .kind = CF_SIM_IMAGES,
        .keyword = cf_sim_call_peek_param(call, "Keyword"),
        .company = cf_sim_call_peek_param(call, "CompanyID"),
        .type = cf_sim_call_peek_param(call, "ImageType"),
        .states = none,
        .projects = projects,
    };

    if (filter.type && *filter.type && strcmp(filter.type, "Base") != 0 &&
        strcmp(filter.type, "Custom") != 0) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_VALUE, "ImageType");
        return;
    }
    if (cf_sim_ucloud_is_first(sim))
        sim->scratch = used = cf_sim_ucloud_used_images(sim);
    answer_list(sim, call, &query, &filter);
    sim->scratch = NULL;
}

/* Its count is typed a string. */
void
cf_sim_ucloud_list_regions(CfSim *sim, CfSimCall *call)
{
    cf_sim_ucloud_accept_begin(sim, call);
    g_string_append_printf(call->answer,
                           ",\"TotalCount\":\"1\",\"Infos\":[{\"Region\":\"%s\",\"RegionAlias\":"
                           "\"华北\",\"EndPoints\":[\"%s/api\"]}]}",
                           CF_SIM_UCLOUD_REGION, sim->url ? sim->url : "");
}
