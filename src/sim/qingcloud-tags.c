/* Tags: records of their own, to which servers and images are tied by id. */
#include <string.h>

#include "sim/qingcloud.h"

#define TAG_NAME_MAX 14 /* characters: "fewer than 15" */

/* What can have tags. Only the first two exist here. */
static const struct {
    const char *name;
    CfSimKind kind; /* CF_SIM_KIND_N: none of ours */
} types[] = {
    {"instance", CF_SIM_SERVERS},
    {"image", CF_SIM_IMAGES},
    {"volume", CF_SIM_KIND_N},
    {"keypair", CF_SIM_KIND_N},
    {"security_group", CF_SIM_KIND_N},
    {"vxnet", CF_SIM_KIND_N},
    {"eip", CF_SIM_KIND_N},
    {"router", CF_SIM_KIND_N},
    {"loadbalancer", CF_SIM_KIND_N},
    {"s2_server", CF_SIM_KIND_N},
    {"snapshot", CF_SIM_KIND_N},
    {"rdb", CF_SIM_KIND_N},
    {"mongo", CF_SIM_KIND_N},
    {"cache", CF_SIM_KIND_N},
    {"zookeeper", CF_SIM_KIND_N},
    {"queue", CF_SIM_KIND_N},
    {"spark", CF_SIM_KIND_N},
};

static const CfSimQingcloudField tag_fields[] = {
    {"owner", "owner", NULL},
    {NULL},
};

static CfSimRecord *
find_named(CfSim *sim, const char *name)
{
    const GPtrArray *tags = cf_sim_world_list(sim->world, CF_SIM_TAGS);

    for (guint i = 0; i < tags->len; i++) {
        CfSimRecord *tag = g_ptr_array_index(tags, i);
        g_autofree char *own = cf_sim_raw_get_string(cf_sim_record_span(tag), "tag_name");

        if (g_strcmp0(own, name) == 0)
            return tag;
    }
    return NULL;
}

static CfSimRecord *
add_tag(CfSim *sim, const char *name, const char *color)
{
    g_autofree char *now = cf_sim_world_date_after(sim->world, 0, CF_SIM_QINGCLOUD_TIME);
    guint index = cf_sim_world_list(sim->world, CF_SIM_TAGS)->len;
    GString *out = g_string_new("{\"tag_id\":\"");

    /* The first ones are the same in every run. */
    cf_sim_qingcloud_append_id(sim, "tag", sim->made ? sim->made++ : index, out);
    g_string_append(out, "\",\"tag_name\":");
    cf_sim_raw_quote(out, name);
    g_string_append(out, ",\"tag_key\":");
    cf_sim_raw_quote(out, name);
    g_string_append(out, ",\"color\":");
    cf_sim_raw_quote(out, color);
    g_string_append_printf(out, ",\"description\":null,\"create_time\":\"%s\",\"owner\":\"%s\"}",
                           now, CF_SIM_QINGCLOUD_OWNER);
    return cf_sim_world_add(sim->world, CF_SIM_TAGS, g_string_free(out, FALSE), NULL);
}

const char *
cf_sim_qingcloud_tag_named(CfSim *sim, const char *name)
{
    CfSimRecord *tag = find_named(sim, name);

    return tag ? tag->id : add_tag(sim, name, "#9f9bb7")->id;
}

/* Returns: the place of a tag among the record's; -1: it has not. */
static gint
find_tag(const CfSimRecord *record, const char *id)
{
    for (guint i = 0; record->tags && i < record->tags->len; i++) {
        if (strcmp(g_ptr_array_index(record->tags, i), id) == 0)
            return (gint) i;
    }
    return -1;
}

/* Finds the place in the record, inside of an empty list, where its tags are shown.
 * Returns: (nullable): behind the list's bracket; NULL: it shows something else. */
static const char *
find_room(const CfSimRecord *record)
{
    static const char last[] = "\"tags\":[]}";
    CfSimSpan tags;

    if (g_str_has_suffix(record->text, last)) /* as all records are made, for speed */
        return record->text + strlen(record->text) - 2;
    if (cf_sim_raw_get(cf_sim_record_span(record), "tags", &tags) && strncmp(tags.at, "[]", 2) == 0)
        return tags.at + 1;
    return NULL;
}

/* A record of an older version shows no tags, or none in another way. */
static void
make_room(CfSim *sim, CfSimRecord *record)
{
    if (find_room(record))
        return;
    cf_sim_world_rewrite(sim->world, record, cf_sim_raw_set(record->text, "tags", "[]"));
}

static void
attach(CfSim *sim, CfSimRecord *record, const char *id)
{
    if (find_tag(record, id) >= 0)
        return;
    make_room(sim, record);
    if (!record->tags)
        record->tags = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(record->tags, g_strdup(id));
}

static void
detach(CfSim *sim, CfSimRecord *record, const char *id)
{
    gint at = find_tag(record, id);

    if (at >= 0)
        g_ptr_array_remove_index(record->tags, (guint) at);
}

void
cf_sim_qingcloud_set_tags(CfSim *sim, CfSimRecord *record, const GPtrArray *names)
{
    g_clear_pointer(&record->tags, g_ptr_array_unref);
    for (guint i = 0; i < names->len; i++)
        attach(sim, record, cf_sim_qingcloud_tag_named(sim, g_ptr_array_index(names, i)));
}

void
cf_sim_qingcloud_show_tags(CfSim *sim, const CfSimRecord *record, GString *out)
{
    g_string_append_c(out, '[');
    for (guint i = 0; record->tags && i < record->tags->len; i++) {
        const CfSimRecord *tag =
            cf_sim_world_find(sim->world, CF_SIM_TAGS, g_ptr_array_index(record->tags, i));
        g_autofree char *name = cf_sim_raw_get_string(cf_sim_record_span(tag), "tag_name");

        if (i)
            g_string_append_c(out, ',');
        cf_sim_raw_quote(out, name);
    }
    g_string_append_c(out, ']');
}

/* Appends a tag as servers and images show it. */
static void
append_tag(const CfSimRecord *tag, GString *out)
{
    CfSimSpan text = cf_sim_record_span(tag), name = {"null", 4}, color = {"null", 4};

    cf_sim_raw_get(text, "tag_name", &name);
    cf_sim_raw_get(text, "color", &color);
    g_string_append_printf(out,
                           "{\"color\":%.*s,\"tag_id\":\"%s\",\"tag_value\":%.*s,"
                           "\"tag_name\":%.*s,\"owner\":\"%s\",\"tag_key\":%.*s}",
                           (int) color.len, color.at, tag->id, (int) name.len, name.at,
                           (int) name.len, name.at, CF_SIM_QINGCLOUD_OWNER, (int) name.len,
                           name.at);
}

void
cf_sim_qingcloud_render(CfSim *sim, const CfSimRecord *record, GString *out)
{
    const char *room = record->tags && record->tags->len ? find_room(record) : NULL;

    if (!room) {
        g_string_append(out, record->text);
        return;
    }
    g_string_append_len(out, record->text, room - record->text);
    for (guint i = 0; i < record->tags->len; i++) {
        if (i)
            g_string_append_c(out, ',');
        append_tag(cf_sim_world_find(sim->world, CF_SIM_TAGS, g_ptr_array_index(record->tags, i)),
                   out);
    }
    g_string_append(out, room);
}

/* Appends ,"members" that tell what has the tag. */
static void
append_users(CfSim *sim, const CfSimRecord *tag, gboolean pairs, GString *out)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GString) counts = g_string_new(NULL);
    guint total = 0;

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        const GPtrArray *records =
            types[i].kind == CF_SIM_KIND_N ? NULL : cf_sim_world_list(sim->world, types[i].kind);
        guint n = 0;

        for (guint j = 0; records && j < records->len; j++) {
            const CfSimRecord *record = g_ptr_array_index(records, j);

            if (find_tag(record, tag->id) < 0)
                continue;
            n++;
            if (!pairs)
                continue;
            g_string_append_printf(list, "%s{\"tag_id\":\"%s\",\"resource_type\":\"%s\",",
                                   list->len ? "," : "", tag->id, types[i].name);
            g_string_append(list, "\"resource_id\":");
            cf_sim_raw_quote(list, record->id);
            g_string_append_c(list, '}');
        }
        if (n)
            g_string_append_printf(counts, "%s{\"resource_type\":\"%s\",\"count\":%u}",
                                   counts->len ? "," : "", types[i].name, n);
        total += n;
    }
    g_string_append_printf(out, ",\"resource_count\":%u,\"resource_type_count\":[%s]", total,
                           counts->str);
    if (pairs)
        g_string_append_printf(out, ",\"resource_tag_pairs\":[%s]", list->str);
}

static void
render_with(CfSim *sim, const CfSimRecord *record, gboolean pairs, GString *out)
{
    g_string_append_len(out, record->text, (gssize) strlen(record->text) - 1);
    append_users(sim, record, pairs, out);
    g_string_append_c(out, '}');
}

static void
render_brief(CfSim *sim, const CfSimRecord *record, GString *out)
{
    render_with(sim, record, FALSE, out);
}

static void
render_verbose(CfSim *sim, const CfSimRecord *record, GString *out)
{
    render_with(sim, record, TRUE, out);
}

void
cf_sim_qingcloud_describe_tags(CfSim *sim, CfSimCall *call)
{
    static const CfSimQingcloudList list = {
        .kind = CF_SIM_TAGS,
        .ids = "tags",
        .name = "tag_name",
        .set = "tag_set",
        .fields = tag_fields,
        .unknown_is_error = TRUE,
        .brief = render_brief,
        .verbose = render_verbose,
    };

    cf_sim_qingcloud_describe(sim, call, &list);
}

/* Whether a tag can have that name; refuses the call if not. tag: (nullable): has it already. */
static gboolean
check_name(CfSim *sim, CfSimCall *call, const char *name, const CfSimRecord *tag)
{
    const CfSimRecord *other;

    if (!*name || !g_utf8_validate(name, -1, NULL) || g_utf8_strlen(name, -1) > TAG_NAME_MAX)
        return cf_sim_qingcloud_refuse(
            call, 1100, "InvalidParameterFormat, [tag_name] must have 1 to %u characters",
            TAG_NAME_MAX);
    other = find_named(sim, name);
    if (other && other != tag)
        return cf_sim_qingcloud_refuse(call, 2110, "ResourceAlreadyExists, tag [%s] exists", name);
    return TRUE;
}

static gboolean
check_color(CfSimCall *call, const char *color)
{
    if (!color ||
        g_regex_match_simple("^#[0-9a-fA-F]{3,6}$", color, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT))
        return TRUE;
    return cf_sim_qingcloud_refuse(call, 1100, "InvalidParameterFormat, [color] is not a color");
}

void
cf_sim_qingcloud_create_tag(CfSim *sim, CfSimCall *call)
{
    const char *name = cf_sim_call_peek_param(call, "tag_name");
    const char *color = cf_sim_call_peek_param(call, "color");
    guint n = cf_sim_world_list(sim->world, CF_SIM_TAGS)->len;

    if (!name) {
        cf_sim_qingcloud_refuse_missing(call, "tag_name");
        return;
    }
    if (!check_name(sim, call, name, NULL) || !check_color(call, color))
        return;
    if (sim->settings.tag_quota && n >= sim->settings.tag_quota) {
        cf_sim_qingcloud_refuse(call, 2500, "QuotasExceeded, you can have %u tags at most",
                                sim->settings.tag_quota);
        return;
    }
    cf_sim_qingcloud_accept_begin(call);
    g_string_append_printf(call->answer, ",\"tag_id\":\"%s\"}",
                           add_tag(sim, name, color ? color : "#9f9bb7")->id);
}

void
cf_sim_qingcloud_modify_tag(CfSim *sim, CfSimCall *call)
{
    static const char *const params[] = {"tag_name", "color", "description"};
    const char *id = cf_sim_call_peek_param(call, "tag");
    const char *name = cf_sim_call_peek_param(call, "tag_name");
    CfSimRecord *tag = id ? cf_sim_world_find(sim->world, CF_SIM_TAGS, id) : NULL;
    g_autoptr(GString) changes = g_string_new("{");

    if (!tag) {
        if (id && *id)
            cf_sim_qingcloud_refuse_unknown(call, id);
        else
            cf_sim_qingcloud_refuse_missing(call, "tag");
        return;
    }
    if ((name && !check_name(sim, call, name, tag)) ||
        !check_color(call, cf_sim_call_peek_param(call, "color")))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(params); i++) {
        const char *value = cf_sim_call_peek_param(call, params[i]);

        if (!value)
            continue;
        g_string_append_printf(changes, "%s\"%s\":", changes->len > 1 ? "," : "", params[i]);
        cf_sim_raw_quote(changes, value);
    }
    g_string_append_c(changes, '}');
    cf_sim_world_merge(sim->world, tag, changes->str);
    cf_sim_qingcloud_accept(call);
}

/* A tag that goes is gone everywhere. */
void
cf_sim_qingcloud_delete_tags(CfSim *sim, CfSimCall *call)
{
    g_autoptr(GPtrArray) ids = cf_sim_call_list(call, "tags");

    if (!ids->len) {
        cf_sim_qingcloud_refuse_missing(call, "tags");
        return;
    }
    for (guint i = 0; i < ids->len; i++) {
        if (!cf_sim_world_find(sim->world, CF_SIM_TAGS, g_ptr_array_index(ids, i))) {
            cf_sim_qingcloud_refuse_unknown(call, g_ptr_array_index(ids, i));
            return;
        }
    }
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        CfSimRecord *tag = cf_sim_world_find(sim->world, CF_SIM_TAGS, id);

        for (CfSimKind kind = CF_SIM_SERVERS; kind <= CF_SIM_IMAGES; kind++) {
            const GPtrArray *records = cf_sim_world_list(sim->world, kind);

            for (guint j = 0; j < records->len; j++)
                detach(sim, g_ptr_array_index(records, j), id);
        }
        if (tag) /* named twice */
            cf_sim_world_remove(sim->world, tag);
    }
    cf_sim_qingcloud_accept(call);
}

/* A member of the nth pair. Returns: (nullable) */
static const char *
pair_member(const CfSimCall *call, guint n, const char *member)
{
    g_autofree char *name = g_strdup_printf("resource_tag_pairs.%u.%s", n, member);

    return cf_sim_call_peek_param(call, name);
}

/* Finds what a pair names. Returns: (transfer none) (nullable): NULL: refused. */
static CfSimRecord *
find_paired(CfSim *sim, CfSimCall *call, guint n)
{
    const char *tag = pair_member(call, n, "tag_id");
    const char *type = pair_member(call, n, "resource_type");
    const char *id = pair_member(call, n, "resource_id");
    CfSimRecord *record = NULL;
    guint i = 0;

    if (!tag || !type || !id) {
        cf_sim_qingcloud_refuse_missing(call, "resource_tag_pairs");
        return NULL;
    }
    while (i < G_N_ELEMENTS(types) && strcmp(types[i].name, type) != 0)
        i++;
    if (i == G_N_ELEMENTS(types) ||
        (types[i].kind == CF_SIM_IMAGES && !sim->settings.image_tagging)) {
        cf_sim_qingcloud_refuse(call, 1101,
                                "InvalidParameterValue, resource_type [%s] is not supported", type);
        return NULL;
    }
    if (types[i].kind != CF_SIM_KIND_N)
        record = cf_sim_world_find(sim->world, types[i].kind, id);
    if (!cf_sim_world_find(sim->world, CF_SIM_TAGS, tag) || !record) {
        cf_sim_qingcloud_refuse_unknown(call, record ? tag : id);
        return NULL;
    }
    if (record->flags & CF_SIM_FLAG_FOREIGN) {
        cf_sim_qingcloud_refuse(call, 1400,
                                "PermissionDenied, you are not the owner of resource [%s]", id);
        return NULL;
    }
    return record;
}

/* Pairs are numbered from 1, without gaps. */
static void
change_pairs(CfSim *sim, CfSimCall *call,
             void (*change)(CfSim *sim, CfSimRecord *record, const char *id))
{
    guint n = 1;

    while (pair_member(call, n, "tag_id") || pair_member(call, n, "resource_id")) {
        if (!find_paired(sim, call, n++))
            return;
    }
    if (n == 1) {
        cf_sim_qingcloud_refuse_missing(call, "resource_tag_pairs");
        return;
    }
    for (guint i = 1; i < n; i++)
        change(sim, find_paired(sim, call, i), pair_member(call, i, "tag_id"));
    cf_sim_qingcloud_accept(call);
}

void
cf_sim_qingcloud_attach_tags(CfSim *sim, CfSimCall *call)
{
    change_pairs(sim, call, attach);
}

void
cf_sim_qingcloud_detach_tags(CfSim *sim, CfSimCall *call)
{
    change_pairs(sim, call, detach);
}
