/* Describe calls: which records, in which pages. */
#include <string.h>

#include "sim/qingcloud.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100

typedef struct {
    const char *member;
    GPtrArray *values; /* (element-type utf8): borrowed */
} Condition;

typedef struct {
    const CfSimQingcloudList *list;
    const char *id;   /* the member that holds it */
    const char *word; /* (nullable) */
    GArray *conditions;
} Filter;

static void
condition_clear(gpointer data)
{
    g_ptr_array_unref(((Condition *) data)->values);
}

static gboolean
has_word(const GPtrArray *words, const char *word)
{
    for (guint i = 0; i < words->len; i++) {
        if (strcmp(g_ptr_array_index(words, i), word) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Finds a member; a dot in its name leads into an object. */
static gboolean
find_member(CfSimSpan record, const char *member, CfSimSpan *ret_value)
{
    g_auto(GStrv) keys = g_strsplit(member, ".", -1);

    *ret_value = record;
    for (guint i = 0; keys[i]; i++) {
        if (!cf_sim_raw_get(*ret_value, keys[i], ret_value))
            return FALSE;
    }
    return TRUE;
}

static gboolean
contains(CfSimSpan record, const char *member, const char *word)
{
    g_autofree char *text = cf_sim_raw_get_string(record, member);

    return text && strstr(text, word);
}

static gboolean
matches(CfSimSpan record, gconstpointer data)
{
    const Filter *filter = data;

    for (guint i = 0; i < filter->conditions->len; i++) {
        const Condition *condition = &g_array_index(filter->conditions, Condition, i);
        g_autofree char *text = NULL;
        CfSimSpan value;

        if (!find_member(record, condition->member, &value))
            return FALSE;
        text = cf_sim_raw_text(value);
        if (!has_word(condition->values, text))
            return FALSE;
    }
    return !filter->word || contains(record, filter->id, filter->word) ||
           contains(record, filter->list->name, filter->word);
}

static gboolean
is_allowed(const char *const *allowed, const char *word)
{
    for (guint i = 0; allowed && allowed[i]; i++) {
        if (strcmp(allowed[i], word) == 0)
            return TRUE;
    }
    return !allowed;
}

/* Reads the conditions; key gets a text that is the same for the same ones.
 * Returns: FALSE: refused. */
static gboolean
take_conditions(CfSimCall *call, const CfSimQingcloudList *list, GArray *conditions, GString *key)
{
    for (const CfSimQingcloudField *field = list->fields; field->param; field++) {
        g_autoptr(GPtrArray) values = cf_sim_call_list(call, field->param);
        const char *only = cf_sim_call_peek_param(call, field->param);
        Condition condition = {.member = field->member};

        if (only && *only)
            g_ptr_array_add(values, (gpointer) only);
        if (!values->len)
            continue;
        g_string_append_printf(key, "\n%s", field->param);
        for (guint i = 0; i < values->len; i++) {
            const char *value = g_ptr_array_index(values, i);

            if (!is_allowed(field->allowed, value))
                return cf_sim_qingcloud_refuse(
                    call, 1101, "InvalidParameterValue, wrong value [%s] for parameter [%s]", value,
                    field->param);
            g_string_append_printf(key, "\t%zu:%s", strlen(value), value);
        }
        condition.values = g_steal_pointer(&values);
        g_array_append_val(conditions, condition);
    }
    return TRUE;
}

/* Adds the records that have one of the tags. */
static void
add_tagged(CfSim *sim, CfSimKind kind, const GPtrArray *tags, GPtrArray *ids)
{
    const GPtrArray *records = cf_sim_world_list(sim->world, kind);

    for (guint i = 0; i < records->len; i++) {
        const CfSimRecord *record = g_ptr_array_index(records, i);

        for (guint j = 0; record->tags && j < record->tags->len; j++) {
            if (has_word(tags, g_ptr_array_index(record->tags, j))) {
                g_ptr_array_add(ids, record->id);
                break;
            }
        }
    }
}

/* Adds the tags that servers and images have. */
static void
add_tags_of(CfSim *sim, const GPtrArray *resources, GPtrArray *ids)
{
    for (guint i = 0; i < resources->len; i++) {
        const char *id = g_ptr_array_index(resources, i);
        const CfSimRecord *record = cf_sim_world_find(sim->world, CF_SIM_SERVERS, id);

        if (!record)
            record = cf_sim_world_find(sim->world, CF_SIM_IMAGES, id);
        for (guint j = 0; record && record->tags && j < record->tags->len; j++)
            g_ptr_array_add(ids, g_ptr_array_index(record->tags, j));
    }
}

/* Finds out which records the call names, by id, by tag, or tags by what has them.
 * ret_ids: (transfer full) (nullable) (element-type utf8). Returns: FALSE: refused. */
static gboolean
take_ids(CfSim *sim, CfSimCall *call, const CfSimQingcloudList *list, GPtrArray **ret_ids)
{
    g_autoptr(GPtrArray) named = cf_sim_call_list(call, list->ids);
    g_autoptr(GPtrArray) tags = cf_sim_call_list(call, "tags");
    g_autoptr(GPtrArray) resources = cf_sim_call_list(call, "resources");
    gboolean has_tags = list->kind == CF_SIM_SERVERS || list->kind == CF_SIM_IMAGES;
    gboolean by_tag = has_tags && tags->len;
    gboolean by_user = list->kind == CF_SIM_TAGS && resources->len;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();

    for (guint i = 0; list->unknown_is_error && i < named->len; i++) {
        const char *id = g_ptr_array_index(named, i);

        if (!cf_sim_world_find(sim->world, list->kind, id))
            return cf_sim_qingcloud_refuse_unknown(call, id);
    }
    if (by_tag)
        add_tagged(sim, list->kind, tags, ids);
    if (by_user)
        add_tags_of(sim, resources, ids);
    if ((by_tag || by_user) && named->len) {
        for (guint i = 0; i < ids->len; i++) {
            if (!has_word(named, g_ptr_array_index(ids, i)))
                g_ptr_array_remove_index(ids, i--);
        }
    }
    if (by_tag || by_user)
        *ret_ids = g_steal_pointer(&ids);
    else if (named->len)
        *ret_ids = g_steal_pointer(&named);
    return TRUE;
}

/* Reads what page is wanted. Returns: FALSE: refused. */
static gboolean
take_page(CfSim *sim, CfSimCall *call, CfSimQuery *query)
{
    query->size = 0;
    if (!cf_sim_qingcloud_take_number(call, "offset", G_MAXINT64, &query->start) ||
        !cf_sim_qingcloud_take_number(call, "limit", G_MAXINT64, &query->size))
        return FALSE;
    if (!query->size)
        query->size = LIMIT_DEFAULT;
    query->size = MIN(query->size, LIMIT_MAX);
    if (sim->settings.max_page)
        query->size = MIN(query->size, sim->settings.max_page);
    return TRUE;
}

void
cf_sim_qingcloud_describe(CfSim *sim, CfSimCall *call, const CfSimQingcloudList *list)
{
    g_autoptr(GArray) conditions = g_array_new(FALSE, FALSE, sizeof(Condition));
    g_autoptr(GPtrArray) ids = NULL;
    g_autoptr(GString) key = g_string_new(NULL);
    Filter filter = {list, cf_sim_world_id_key(sim->world, list->kind), NULL, conditions};
    CfSimQuery query = {.kind = list->kind, .matches = matches, .filter = &filter};
    guint64 verbose = 0;

    g_array_set_clear_func(conditions, condition_clear);
    if (!take_page(sim, call, &query) ||
        !cf_sim_qingcloud_take_number(call, "verbose", G_MAXINT, &verbose) ||
        !take_conditions(call, list, conditions, key) || !take_ids(sim, call, list, &ids))
        return;
    filter.word = cf_sim_call_peek_param(call, "search_word");
    if (filter.word && *filter.word)
        g_string_append_printf(key, "\nsearch_word\t%s", filter.word);
    else
        filter.word = NULL;
    query.filter_id = key->len ? key->str : NULL;
    query.ids = ids;
    query.render = verbose ? list->verbose : list->brief;
    cf_sim_qingcloud_accept_begin(call);
    g_string_append_printf(call->answer, ",\"total_count\":%u,\"%s\":[",
                           cf_sim_listing_total(sim, &query, call->twist), list->set);
    cf_sim_listing(sim, &query, call->twist, call->answer);
    g_string_append(call->answer, "]}");
}
