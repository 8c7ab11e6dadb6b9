/* Servers and images in the administrator's hands: looked at, made, changed, removed. */
#include <string.h>

#include "sim/private.h"

static const struct {
    const char *name;
    CfSimFlags flag;
} flags[] = {
    {"unbilled", CF_SIM_FLAG_UNBILLED},
    {"foreign", CF_SIM_FLAG_FOREIGN},
    {"failing", CF_SIM_FLAG_FAILING},
    {"apart", CF_SIM_FLAG_APART},
};

static CfSimKind
kind_of(const CfSimCall *call)
{
    return strstr(call->path, "/_sim/images") ? CF_SIM_IMAGES : CF_SIM_SERVERS;
}

static gboolean
is_buried(const CfSim *sim, const CfSimRecord *record)
{
    return sim->dialect->is_buried && sim->dialect->is_buried(record);
}

static void
tell_changed(CfSim *sim, CfSimRecord *record, CfSimSpan members)
{
    if (sim->dialect->changed)
        sim->dialect->changed(sim, record, members);
}

/* Returns: (transfer none) (nullable): NULL: refused. */
static CfSimRecord *
find_record(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = cf_sim_world_find(sim->world, kind_of(call), call->args[0]);

    if (record && is_buried(sim, record))
        record = NULL;
    if (!record)
        cf_sim_admin_refuse(call, 404, "no such record");
    return record;
}

static gboolean
body_is(CfSimCall *call, char opening)
{
    const char *text = g_strchug(call->body->str);

    call->body->len = strlen(text);
    if (*text == opening && cf_sim_raw_check(text, strlen(text)))
        return TRUE;
    cf_sim_admin_refuse(call, 400, "the body must be one JSON object or array");
    return FALSE;
}

static void
list_records(CfSim *sim, CfSimCall *call)
{
    const GPtrArray *records = cf_sim_world_list(sim->world, kind_of(call));

    cf_sim_answer(call, 200, "[");
    for (guint i = 0; i < records->len; i++) {
        const CfSimRecord *record = g_ptr_array_index(records, i);

        if (is_buried(sim, record))
            continue;
        if (call->answer->len > 1)
            g_string_append_c(call->answer, ',');
        g_string_append(call->answer, record->text);
    }
    g_string_append_c(call->answer, ']');
}

static void
show_record(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *record = find_record(sim, call);

    if (record)
        cf_sim_answer(call, 200, record->text);
}

/* $flags: {"failing": true, …} */
static void
apply_flags(CfSimRecord *record, CfSimSpan changes)
{
    CfSimSpan wanted, value;

    if (!cf_sim_raw_get(changes, "$flags", &wanted))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (!cf_sim_raw_get(wanted, flags[i].name, &value))
            continue;
        if (*value.at == 't')
            record->flags |= flags[i].flag;
        else
            record->flags &= ~flags[i].flag;
    }
}

/* $remove: ["field", …]. Returns: (transfer full); takes text. */
static char *
apply_remove(char *text, CfSimSpan changes)
{
    CfSimRawIter iter;
    CfSimSpan names, name;

    if (!cf_sim_raw_get(changes, "$remove", &names))
        return text;
    cf_sim_raw_iter_init(&iter, names);
    while (cf_sim_raw_iter_next(&iter, NULL, &name)) {
        g_autofree char *old = text;
        g_autofree char *key = cf_sim_raw_text(name);

        text = cf_sim_raw_remove(old, key);
    }
    return text;
}

static void
patch_record(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = find_record(sim, call);
    g_autofree char *id = NULL;
    g_autofree char *text = NULL;
    CfSimSpan changes;

    if (!record || !body_is(call, '{'))
        return;
    changes = cf_sim_span(call->body->str);
    text = apply_remove(cf_sim_raw_merge(record->text, changes), changes);
    id = cf_sim_raw_get_string(cf_sim_span(text), cf_sim_world_id_key(sim->world, record->kind));
    if (g_strcmp0(id, record->id) != 0) {
        cf_sim_admin_refuse(call, 400, "the id of a record stays");
        return;
    }
    cf_sim_world_unplan(sim->world, record);
    cf_sim_world_rewrite(sim->world, record, g_steal_pointer(&text));
    apply_flags(record, changes);
    tell_changed(sim, record, changes);
    cf_sim_answer(call, 200, record->text);
}

/* A new record may bear the id of one that was deleted. */
static void
forget_buried(CfSim *sim, CfSimCall *call, CfSimSpan changes)
{
    g_autofree char *id =
        cf_sim_raw_get_string(changes, cf_sim_world_id_key(sim->world, kind_of(call)));
    CfSimRecord *old = id ? cf_sim_world_find(sim->world, kind_of(call), id) : NULL;

    if (old && is_buried(sim, old))
        cf_sim_world_remove(sim->world, old);
}

static void
add_record(CfSim *sim, CfSimCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *plain = NULL;
    CfSimRecord *record;
    CfSimSpan changes;

    if (!body_is(call, '{'))
        return;
    changes = cf_sim_span(call->body->str);
    plain = sim->dialect->make(sim, kind_of(call), sim->made++);
    forget_buried(sim, call, changes);
    record = cf_sim_world_add(sim->world, kind_of(call),
                              apply_remove(cf_sim_raw_merge(plain, changes), changes), &error);
    if (!record) {
        cf_sim_admin_refuse(call, 400, error->message);
        return;
    }
    apply_flags(record, changes);
    tell_changed(sim, record, changes);
    cf_sim_answer(call, 201, record->text);
}

static void
remove_record(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = find_record(sim, call);

    if (!record)
        return;
    if (sim->dialect->bury)
        sim->dialect->bury(sim, record);
    else
        cf_sim_world_remove(sim->world, record);
    cf_sim_answer(call, 200, "{}");
}

static void
add_many(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(body, "count");
    guint n = cJSON_IsNumber(count) && count->valuedouble > 0 ? (guint) count->valuedouble : 0;

    cJSON_Delete(body);
    if (!n || n > 10000000) {
        cf_sim_admin_refuse(call, 400, "count must be a number from 1 on");
        return;
    }
    for (guint i = 0; i < n; i++) {
        char *text = sim->dialect->make(sim, kind_of(call), sim->made++);

        cf_sim_world_add(sim->world, kind_of(call), text, NULL);
    }
    cf_sim_answer_printf(call, 200, "{\"created\":%u}", n);
}

/* Changes that share of the records: what runs stands still, all else runs. */
static void
touch_records(CfSim *sim, CfSimCall *call)
{
    const GPtrArray *records = cf_sim_world_list(sim->world, kind_of(call));
    cJSON *body = cJSON_Parse(call->body->str);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "fraction");
    double fraction = cJSON_IsNumber(item) ? item->valuedouble : -1;
    const CfSimTouch *touch = &sim->dialect->touch;
    guint changed = 0;

    cJSON_Delete(body);
    if (fraction < 0 || fraction > 1) {
        cf_sim_admin_refuse(call, 400, "fraction must be a number from 0 to 1");
        return;
    }
    for (guint i = 0; i < records->len; i++) {
        CfSimRecord *record = g_ptr_array_index(records, i);
        g_autofree char *status = NULL;

        if ((guint64) ((i + 1) * fraction) == (guint64) (i * fraction) || is_buried(sim, record))
            continue;
        status = cf_sim_raw_get_string(cf_sim_record_span(record), touch->key);
        cf_sim_world_unplan(sim->world, record);
        if (status && g_ascii_strcasecmp(status, touch->running) == 0)
            cf_sim_world_merge(sim->world, record, touch->stop);
        else
            cf_sim_world_merge(sim->world, record, touch->start);
        tell_changed(sim, record, cf_sim_span("{}"));
        changed++;
    }
    cf_sim_answer_printf(call, 200, "{\"changed\":%u}", changed);
}

static void
show_tags(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *record = find_record(sim, call);

    if (!record)
        return;
    if (sim->dialect->show_tags) {
        cf_sim_answer(call, 200, "");
        sim->dialect->show_tags(sim, record, call->answer);
        return;
    }
    cf_sim_answer(call, 200, "[");
    for (guint i = 0; record->tags && i < record->tags->len; i++) {
        if (i)
            g_string_append_c(call->answer, ',');
        cf_sim_raw_quote(call->answer, g_ptr_array_index(record->tags, i));
    }
    g_string_append_c(call->answer, ']');
}

static void
put_tags(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = find_record(sim, call);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    CfSimRawIter iter;
    CfSimSpan tag;

    if (!record || !body_is(call, '['))
        return;
    cf_sim_raw_iter_init(&iter, cf_sim_span(call->body->str));
    while (cf_sim_raw_iter_next(&iter, NULL, &tag))
        g_ptr_array_add(names, cf_sim_raw_text(tag));
    if (sim->dialect->set_tags) {
        sim->dialect->set_tags(sim, record, names);
    } else {
        if (record->tags)
            g_ptr_array_unref(record->tags);
        record->tags = g_steal_pointer(&names);
    }
    show_tags(sim, call);
}

/* The tags of an image are part of its record, unless the dialect keeps them apart. */
static void
show_image_tags(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *record = find_record(sim, call);
    CfSimSpan tags = {"[]", 2};

    if (sim->dialect->show_tags) {
        show_tags(sim, call);
        return;
    }
    if (!record)
        return;
    cf_sim_raw_get(cf_sim_record_span(record), "tags", &tags);
    cf_sim_answer(call, 200, "");
    g_string_append_len(call->answer, tags.at, (gssize) tags.len);
}

static void
put_image_tags(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *record = find_record(sim, call);

    if (sim->dialect->set_tags) {
        put_tags(sim, call);
        return;
    }
    if (!record || !body_is(call, '['))
        return;
    cf_sim_world_rewrite(sim->world, record, cf_sim_raw_set(record->text, "tags", call->body->str));
    show_image_tags(sim, call);
}

const CfSimRoute cf_sim_admin_records[] = {
    {"GET", "/_sim/servers", "", CF_SIM_READ, list_records},
    {"GET", "/_sim/images", "", CF_SIM_READ, list_records},
    {"POST", "/_sim/servers", "", CF_SIM_READ, add_record},
    {"POST", "/_sim/images", "", CF_SIM_READ, add_record},
    {"POST", "/_sim/servers/bulk", "", CF_SIM_READ, add_many},
    {"POST", "/_sim/images/bulk", "", CF_SIM_READ, add_many},
    {"POST", "/_sim/servers/touch", "", CF_SIM_READ, touch_records},
    {"GET", "/_sim/servers/{}", "", CF_SIM_READ, show_record},
    {"GET", "/_sim/images/{}", "", CF_SIM_READ, show_record},
    {"PATCH", "/_sim/servers/{}", "", CF_SIM_READ, patch_record},
    {"PATCH", "/_sim/images/{}", "", CF_SIM_READ, patch_record},
    {"DELETE", "/_sim/servers/{}", "", CF_SIM_READ, remove_record},
    {"DELETE", "/_sim/images/{}", "", CF_SIM_READ, remove_record},
    {"GET", "/_sim/servers/{}/tags", "", CF_SIM_READ, show_tags},
    {"PUT", "/_sim/servers/{}/tags", "", CF_SIM_READ, put_tags},
    {"GET", "/_sim/images/{}/tags", "", CF_SIM_READ, show_image_tags},
    {"PUT", "/_sim/images/{}/tags", "", CF_SIM_READ, put_image_tags},
    {NULL},
};
