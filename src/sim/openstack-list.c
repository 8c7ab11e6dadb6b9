/* Lists of servers: filters, order, pages. */
#include <string.h>

#include "sim/openstack.h"

#define STRICT_STATUS 38
#define STRICT_QUERY 75
#define TAGS 26
#define PARTIAL_RECORDS 69

/* ---- What both services' lists have ---- */

gboolean
cf_sim_os_take_limit(CfSim *sim, CfSimCall *call, guint fallback, guint64 *ret_limit)
{
    const char *text = cf_sim_call_peek_param(call, "limit");

    *ret_limit = fallback;
    if (text && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, ret_limit, NULL)) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for query parameters limit. Value: %s. '%s' does "
                                "not match '^[0-9]*$'",
                                text, text);
        return FALSE;
    }
    *ret_limit = MIN(*ret_limit, CF_SIM_OS_PAGE_MAX);
    if (sim->settings.max_page)
        *ret_limit = MIN(*ret_limit, sim->settings.max_page);
    return TRUE;
}

void
cf_sim_os_append_query(const CfSimCall *call, const char *marker, GString *out)
{
    char between = '?';

    for (guint i = 0; i + 1 < call->params->len; i += 2) {
        g_autofree char *name =
            g_uri_escape_string(g_ptr_array_index(call->params, i), NULL, FALSE);
        g_autofree char *value =
            g_uri_escape_string(g_ptr_array_index(call->params, i + 1), NULL, FALSE);

        if (strcmp(name, "marker") == 0)
            continue;
        g_string_append_printf(out, "%c%s=%s", between, name, value);
        between = '&';
    }
    if (marker) {
        g_autofree char *value = g_uri_escape_string(marker, NULL, FALSE);

        g_string_append_printf(out, "%cmarker=%s", between, value);
    }
}

/* ---- Filters ---- */

typedef struct {
    char *status;                 /* (nullable) */
    GRegex *name;                 /* (nullable) */
    char **all, **any, **neither; /* (nullable): tags */
    gint64 since_s, before_s;     /* 0: not asked for */
    int gone;                     /* deleted ones: 0 no, 1 yes, 2 them alone */
    int locked;                   /* -1: all the same */
    gboolean foreign, apart;      /* also those of others; of cells that are down */
} Filter;

static void
filter_clear(Filter *filter)
{
    g_free(filter->status);
    if (filter->name)
        g_regex_unref(filter->name);
    g_strfreev(filter->all);
    g_strfreev(filter->any);
    g_strfreev(filter->neither);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

static guint
count_tags(const GPtrArray *tags, char **wanted)
{
    guint n = 0;

    for (guint i = 0; wanted[i]; i++)
        n += cf_sim_os_has_text(tags, wanted[i]);
    return n;
}

static gboolean
tags_fit(const CfSimRecord *record, const Filter *filter)
{
    g_autoptr(GPtrArray) tags = NULL;

    if (!filter->all && !filter->any && !filter->neither)
        return TRUE;
    tags = cf_sim_os_tags(cf_sim_record_span(record));
    return (!filter->all || count_tags(tags, filter->all) == g_strv_length(filter->all)) &&
           (!filter->any || count_tags(tags, filter->any)) &&
           (!filter->neither || !count_tags(tags, filter->neither));
}

static gboolean
words_fit(const CfSimRecord *record, const Filter *filter)
{
    CfSimSpan locked;

    if (filter->status && !cf_sim_os_member_is(record, "status", filter->status))
        return FALSE;
    if (filter->name) {
        g_autofree char *name = cf_sim_os_get(record, "name");

        if (!name || !g_regex_match(filter->name, name, 0, NULL))
            return FALSE;
    }
    if (filter->locked >= 0 && (cf_sim_raw_get(cf_sim_record_span(record), "locked", &locked) &&
                                *locked.at == 't') != filter->locked)
        return FALSE;
    return tags_fit(record, filter);
}

static gboolean
picks(CfSimRecord *record, gconstpointer data)
{
    const CfSimOsDigest *digest = cf_sim_os_digest(record);
    const Filter *filter = data;

    if (digest->gone ? filter->gone == 0 : filter->gone == 2)
        return FALSE;
    if (digest->going && !filter->gone)
        return FALSE;
    if (record->flags & CF_SIM_FLAG_FOREIGN && !filter->foreign)
        return FALSE;
    if (record->flags & CF_SIM_FLAG_APART)
        return filter->apart;
    if (filter->since_s && digest->updated_s < filter->since_s)
        return FALSE;
    if (filter->before_s && digest->updated_s > filter->before_s)
        return FALSE;
    return words_fit(record, filter);
}

/* ---- Parameters ---- */

static const char *const known[] = {
    "limit",          "marker",      "sort_key",     "sort_dir",
    "name",           "status",      "tags",         "tags-any",
    "not-tags",       "locked",      "deleted",      "changes-since",
    "changes-before", "all_tenants", "image",        "flavor",
    "host",           "ip",          "ip6",          "user_id",
    "uuid",           "vm_state",    "not-tags-any",
};

static const char *const statuses[] = {
    "ACTIVE",    "BUILD",        "DELETED",       "ERROR",   "HARD_REBOOT",
    "MIGRATING", "PASSWORD",     "PAUSED",        "REBOOT",  "REBUILD",
    "RESCUE",    "RESIZE",       "REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED",
    "SHUTOFF",   "SOFT_DELETED", "SUSPENDED",     "UNKNOWN", "VERIFY_RESIZE",
};

static gboolean
is_one_of(const char *const *words, guint n, const char *word)
{
    for (guint i = 0; i < n; i++) {
        if (g_ascii_strcasecmp(words[i], word) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
check_names(CfSim *sim, CfSimCall *call)
{
    if (cf_sim_os_version(sim) < STRICT_QUERY)
        return TRUE;
    for (guint i = 0; i + 1 < call->params->len; i += 2) {
        const char *name = g_ptr_array_index(call->params, i);

        if (is_one_of(known, G_N_ELEMENTS(known), name))
            continue;
        cf_sim_os_refuse_printf(sim, call, 400, "'%s' does not match any of the regexes: '^_'",
                                name);
        return FALSE;
    }
    return TRUE;
}

static gboolean
take_status(CfSim *sim, CfSimCall *call, Filter *filter)
{
    const char *status = cf_sim_call_peek_param(call, "status");

    if (!status)
        return TRUE;
    if (cf_sim_os_version(sim) >= STRICT_STATUS &&
        !is_one_of(statuses, G_N_ELEMENTS(statuses), status)) {
        cf_sim_os_refuse(sim, call, 400, NULL, "Invalid status value");
        return FALSE;
    }
    filter->status = g_strdup(status);
    if (g_ascii_strcasecmp(status, "DELETED") != 0)
        return TRUE;
    if (!filter->gone && !sim->settings.admin) {
        cf_sim_os_refuse(sim, call, 403, NULL, "Only administrators may list deleted instances");
        return FALSE;
    }
    filter->gone = 2;
    return TRUE;
}

static gboolean
take_name(CfSim *sim, CfSimCall *call, Filter *filter)
{
    const char *name = cf_sim_call_peek_param(call, "name");

    if (!name)
        return TRUE;
    /* As MariaDB compares. */
    filter->name = g_regex_new(name, G_REGEX_CASELESS, 0, NULL);
    if (!filter->name)
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for query parameters name. Value: %s. '%s' is not a "
                                "'regex'",
                                name, name);
    return filter->name != NULL;
}

/* ret_s: 0 when there is no such parameter. Returns: FALSE: refused. */
static gboolean
take_time(CfSim *sim, CfSimCall *call, const char *key, gint64 *ret_s)
{
    const char *text = cf_sim_call_peek_param(call, key);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, utc) : NULL;

    *ret_s = time ? g_date_time_to_unix(time) : 0;
    if (text && !time)
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for query parameters %s. Value: %s. '%s' is not a "
                                "'date-time'",
                                key, text, text);
    return !text || time;
}

static char **
take_words(CfSimCall *call, const char *key)
{
    const char *text = cf_sim_call_peek_param(call, key);

    return text ? g_strsplit(text, ",", -1) : NULL;
}

static gboolean
is_true(const char *text)
{
    return text && (g_ascii_strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* Returns: FALSE: refused. */
static gboolean
take_filter(CfSim *sim, CfSimCall *call, Filter *filter)
{
    const char *deleted = cf_sim_call_peek_param(call, "deleted");
    const char *locked = cf_sim_call_peek_param(call, "locked");
    const char *all = cf_sim_call_peek_param(call, "all_tenants");

    if (!check_names(sim, call) || !take_time(sim, call, "changes-since", &filter->since_s) ||
        !take_time(sim, call, "changes-before", &filter->before_s))
        return FALSE;
    if (all && !sim->settings.admin) {
        cf_sim_os_refuse(sim, call, 403, NULL,
                         "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be "
                         "performed.");
        return FALSE;
    }
    filter->gone = filter->since_s || filter->before_s;
    if (deleted && (filter->gone || sim->settings.admin))
        filter->gone = is_true(deleted) ? 2 : 0;
    filter->locked = locked ? is_true(locked) : -1;
    filter->foreign = all && is_true(all);
    if (cf_sim_os_version(sim) >= TAGS) {
        filter->all = take_words(call, "tags");
        filter->any = take_words(call, "tags-any");
        filter->neither = take_words(call, "not-tags");
    }
    return take_status(sim, call, filter) && take_name(sim, call, filter);
}

/* ---- Order ---- */

static gint
compare_texts(CfSimRecord *a, CfSimRecord *b, const char *key)
{
    g_autofree char *first = cf_sim_os_get(a, key);
    g_autofree char *second = cf_sim_os_get(b, key);

    return g_strcmp0(first, second);
}

static gint
compare(CfSimRecord *a, CfSimRecord *b, const char *sort)
{
    const CfSimOsDigest *first, *second;

    if (strcmp(sort, "display_name") == 0)
        return compare_texts(a, b, "name");
    if (strcmp(sort, "vm_state") == 0)
        return compare_texts(a, b, "OS-EXT-STS:vm_state");
    if (strcmp(sort, "uuid") == 0)
        return strcmp(a->id, b->id);
    first = cf_sim_os_digest(a);
    second = cf_sim_os_digest(b);
    if (strcmp(sort, "updated_at") == 0)
        return (first->updated_s > second->updated_s) - (first->updated_s < second->updated_s);
    return (first->created_s > second->created_s) - (first->created_s < second->created_s);
}

static gboolean
take_order(CfSim *sim, CfSimCall *call, CfSimQuery *query)
{
    static const char *const keys[] = {"created_at", "display_name", "updated_at", "uuid",
                                       "vm_state"};
    const char *key = cf_sim_call_peek_param(call, "sort_key");
    const char *direction = cf_sim_call_peek_param(call, "sort_dir");

    query->sort = key ? key : "created_at";
    query->descending = !direction || g_ascii_strcasecmp(direction, "desc") == 0;
    if (!is_one_of(keys, G_N_ELEMENTS(keys), query->sort)) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for query parameters sort_key. Value: %s. '%s' is "
                                "not one of ['created_at', 'display_name', 'updated_at', 'uuid', "
                                "'vm_state']",
                                query->sort, query->sort);
        return FALSE;
    }
    if (!query->descending && g_ascii_strcasecmp(direction, "asc") != 0) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for query parameters sort_dir. Value: %s. '%s' is "
                                "not one of ['asc', 'desc']",
                                direction, direction);
        return FALSE;
    }
    return TRUE;
}

/* ---- A page ---- */

/* Where the page begins. A deleted server marks a place only among those that are told of. */
static gboolean
take_marker(CfSim *sim, CfSimCall *call, CfSimQuery *query)
{
    const char *marker = cf_sim_call_peek_param(call, "marker");
    const CfSimRecord *apart;

    if (!marker)
        return TRUE;
    apart = cf_sim_world_find(sim->world, CF_SIM_SERVERS, marker);
    if (apart && apart->flags & CF_SIM_FLAG_APART && !sim->settings.tells_apart) {
        cf_sim_os_refuse(sim, call, 500, NULL, "Unexpected API Error.");
        return FALSE;
    }
    if (cf_sim_listing_find(sim, query, marker, &query->start)) {
        query->start++;
        return TRUE;
    }
    cf_sim_os_refuse_printf(sim, call, 400, "marker [%s] not found", marker);
    return FALSE;
}

/* Whether what is in a cell that is down is listed, in part: on a plain question only, unless the
 * cloud is set to tell always. */
static gboolean
tells_apart(const CfSim *sim, const CfSimCall *call)
{
    return cf_sim_os_version(sim) >= PARTIAL_RECORDS &&
           (sim->settings.tells_apart || call->params->len == 0);
}

/* What tells the filters of two requests apart. Returns: (transfer full) */
static char *
filter_id(CfSim *sim, CfSimCall *call)
{
    GString *id = g_string_new(NULL);

    g_string_append_printf(id, "%d", sim->settings.admin);
    for (guint i = 0; i + 1 < call->params->len; i += 2) {
        const char *name = g_ptr_array_index(call->params, i);

        if (strcmp(name, "limit") != 0 && strcmp(name, "marker") != 0)
            g_string_append_printf(id, "\n%s=%s", name,
                                   (const char *) g_ptr_array_index(call->params, i + 1));
    }
    g_string_append_printf(id, "\n%d", tells_apart(sim, call));
    return g_string_free(id, FALSE);
}

/* There is a next page whenever this one is full. */
static void
append_next(CfSim *sim, CfSimCall *call, const CfSimRecord *last)
{
    g_string_append_printf(call->answer, ",\"servers_links\":[{\"rel\":\"next\",\"href\":\"%s%s",
                           sim->url, call->path);
    cf_sim_os_append_query(call, last->id, call->answer);
    g_string_append(call->answer, "\"}]");
}

void
cf_sim_os_list_servers(CfSim *sim, CfSimCall *call)
{
    g_autofree char *id = filter_id(sim, call);
    g_auto(Filter) filter = {0};
    CfSimQuery query = {
        .kind = CF_SIM_SERVERS,
        .filter_id = id,
        .filter = &filter,
        .picks = picks,
        .compare = compare,
        .render = cf_sim_os_render_server,
    };
    guint64 limit;
    guint n;

    if (!cf_sim_os_take_limit(sim, call, CF_SIM_OS_PAGE_MAX, &limit) ||
        !take_filter(sim, call, &filter) || !take_order(sim, call, &query))
        return;
    filter.apart = tells_apart(sim, call);
    if (!take_marker(sim, call, &query))
        return;
    query.size = limit;
    cf_sim_answer(call, 200, "{\"servers\":[");
    n = limit ? cf_sim_listing(sim, &query, call->twist, call->answer) : 0;
    g_string_append_c(call->answer, ']');
    if (n > 0 && n == limit)
        append_next(sim, call, cf_sim_listing_last(sim, &query, call->twist, n));
    g_string_append_c(call->answer, '}');
}
