/* Images as the dialect shows, makes, changes and deletes them. */
#include <string.h>

#include "sim/inspur.h"

/* Appends the tags of an image, an array, as one string. */
static void
append_joined(CfSimSpan tags, GString *out)
{
    g_autoptr(GString) joined = g_string_new(NULL);
    CfSimRawIter iter;
    CfSimSpan tag;

    cf_sim_raw_iter_init(&iter, tags);
    while (cf_sim_raw_iter_next(&iter, NULL, &tag)) {
        g_autofree char *text = cf_sim_raw_text(tag);

        if (joined->len)
            g_string_append_c(joined, ',');
        g_string_append(joined, text);
    }
    cf_sim_raw_quote_bytes(out, joined->str, joined->len);
}

static void
render(CfSim *sim, const CfSimRecord *record, GString *out)
{
    CfSimSpan text = cf_sim_record_span(record);
    CfSimSpan tags;

    if (!sim->settings.image_tags_joined || !cf_sim_raw_get(text, "tags", &tags) ||
        *tags.at != '[') {
        g_string_append_len(out, text.at, (gssize) text.len);
        return;
    }
    g_string_append_len(out, text.at, tags.at - text.at);
    append_joined(tags, out);
    g_string_append(out, tags.at + tags.len);
}

static gboolean
member_is(CfSimSpan record, const char *key, const char *wanted)
{
    g_autofree char *text = cf_sim_raw_get_string(record, key);

    return text && g_ascii_strcasecmp(text, wanted) == 0;
}

static gboolean
is_private(CfSimSpan record)
{
    return member_is(record, "visibility", "private");
}

typedef struct {
    const char *search; /* (nullable) */
    gboolean private;
} Filter;

static gboolean
matches(CfSimSpan record, gconstpointer data)
{
    const Filter *filter = data;
    const char *search = filter->search;
    g_autofree char *name = cf_sim_raw_get_string(record, "name");
    g_autofree char *id = cf_sim_raw_get_string(record, "id");

    if (filter->private && !is_private(record))
        return FALSE;
    return !search || (name && strstr(name, search)) || (id && strstr(id, search));
}

static char *
sort_key(CfSimSpan record, const char *sort)
{
    return cf_sim_raw_get_string(record, strcmp(sort, "createTime") == 0 ? "created_at" : sort);
}

static void
answer_list(CfSim *sim, CfSimCall *call, const CfSimQuery *query)
{
    cf_sim_inspur_accept_begin(sim, call, "OK");
    g_string_append_printf(call->answer, "{\"totalCount\":%u,\"images\":[",
                           cf_sim_listing_total(sim, query, call->twist));
    cf_sim_listing(sim, query, call->twist, call->answer);
    g_string_append(call->answer, "]}}");
}

/* Reads a number of the query. Returns: FALSE: refused. */
static gboolean
take_number(CfSim *sim, CfSimCall *call, const char *name, guint64 *number)
{
    g_autofree char *text = cf_sim_call_param(call, name);

    if (!text || g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT, number, NULL))
        return TRUE;
    cf_sim_inspur_refuse_parameter(sim, call, name);
    return FALSE;
}

void
cf_sim_inspur_list_images(CfSim *sim, CfSimCall *call)
{
    g_autofree char *search = cf_sim_call_param(call, "searchValue");
    g_autofree char *sort = cf_sim_call_param(call, "sortField");
    g_autofree char *order = cf_sim_call_param(call, "sortOrder");
    g_autofree char *visibility = cf_sim_call_param(call, "visibility");
    Filter filter = {search, g_strcmp0(visibility, "private") == 0};
    g_autofree char *filter_id = g_strdup_printf("%d%s", filter.private, search ? search : "");
    guint64 page = 1;
    CfSimQuery query = {
        .kind = CF_SIM_IMAGES,
        .size = 10,
        .filter_id = search || filter.private ? filter_id : NULL,
        .filter = &filter,
        .sort = sort,
        .descending = g_strcmp0(order, "descend") == 0,
        .matches = matches,
        .sort_key = sort_key,
        .render = render,
    };

    if (!take_number(sim, call, "page", &page) || !take_number(sim, call, "pageSize", &query.size))
        return;
    if (sim->settings.max_page)
        query.size = MIN(query.size, sim->settings.max_page);
    query.start = (page - 1) * query.size;
    answer_list(sim, call, &query);
}

void
cf_sim_inspur_list_private(CfSim *sim, CfSimCall *call)
{
    g_autofree char *tag = cf_sim_call_param(call, "tag");
    const Filter filter = {NULL, TRUE};
    CfSimQuery query = {
        .kind = CF_SIM_IMAGES,
        .filter_id = "private",
        .filter = &filter,
        .matches = matches,
        .render = render,
    };

    if (tag && *tag)
        answer_list(sim, call, &query);
    else
        cf_sim_inspur_refuse_parameter(sim, call, "tag");
}

void
cf_sim_inspur_show_image(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *image = cf_sim_world_find(sim->world, CF_SIM_IMAGES, call->args[0]);
    g_autoptr(GString) out = g_string_new(NULL);

    if (!image) {
        cf_sim_inspur_refuse(sim, call, 400, "101.003004", "查询镜像详情为空");
        return;
    }
    render(sim, image, out);
    cf_sim_inspur_accept(sim, call, "OK", out->str);
}

static gboolean
is_creating(const CfSimRecord *image)
{
    CfSimSpan text = cf_sim_record_span(image);

    return member_is(text, "status", "queued") || member_is(text, "status", "saving");
}

/* Returns: (transfer full) (nullable): what a list of changes sets, as an object; NULL: it asks
 * for something else than a name and a description. */
static char *
parse_patch(const cJSON *body)
{
    g_autoptr(GString) changes = g_string_new("{");
    const cJSON *change;

    if (!cJSON_IsArray(body) || !body->child)
        return NULL;
    cJSON_ArrayForEach (change, body) {
        const char *op = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(change, "op"));
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(change, "path"));
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(change, "value"));

        if ((g_strcmp0(op, "add") != 0 && g_strcmp0(op, "replace") != 0) || !value ||
            (g_strcmp0(path, "/name") != 0 && g_strcmp0(path, "/description") != 0) ||
            (strcmp(path, "/name") == 0 && !*value))
            return NULL;
        g_string_append_printf(changes, "%s\"%s\":", changes->len > 1 ? "," : "", path + 1);
        cf_sim_raw_quote(changes, value);
    }
    g_string_append_c(changes, '}');
    return g_strdup(changes->str);
}

/* Whether the image can be changed now; refuses the call if not. */
static gboolean
check_update(CfSim *sim, CfSimCall *call, const CfSimRecord *image)
{
    if (!image || image->flags & CF_SIM_FLAG_FAILING)
        cf_sim_inspur_refuse(sim, call, 500, "101.003005", "更新镜像失败");
    else if (image->flags & CF_SIM_FLAG_FOREIGN || !is_private(cf_sim_record_span(image)))
        cf_sim_inspur_refuse(sim, call, 400, "101.003017", "非私有镜像不可进行修改");
    else if (is_creating(image))
        cf_sim_inspur_refuse(sim, call, 400, "101.003016", "创建中的镜像不可进行修改");
    else
        return TRUE;
    return FALSE;
}

void
cf_sim_inspur_update_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = cf_sim_world_find(sim->world, CF_SIM_IMAGES, call->args[0]);
    cJSON *body = cJSON_Parse(call->body->str);
    g_autofree char *changes = parse_patch(body);

    cJSON_Delete(body);
    if (!check_update(sim, call, image))
        return;
    if (!changes) {
        cf_sim_inspur_refuse_parameter(sim, call, "body");
        return;
    }
    cf_sim_world_merge(sim->world, image, changes);
    {
        g_autofree char *now = cf_sim_world_date(sim->world, "%Y-%m-%dT%H:%M:%S.000+0000");
        g_autofree char *updated = g_strdup_printf("{\"updated_at\":\"%s\"}", now);

        cf_sim_world_merge(sim->world, image, updated);
    }
    cf_sim_inspur_accept(sim, call, "update image success", "\"\"");
}

/* Returns: (transfer full): the id of each image that a server has, with the server. */
static GHashTable *
find_used(CfSim *sim)
{
    GHashTable *used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const GPtrArray *servers = cf_sim_world_list(sim->world, CF_SIM_SERVERS);

    for (guint i = 0; i < servers->len; i++) {
        CfSimRecord *server = g_ptr_array_index(servers, i);
        CfSimSpan image;
        char *id = NULL;

        if (cf_sim_raw_get(cf_sim_record_span(server), "image", &image))
            id = cf_sim_raw_get_string(image, "id");
        if (id)
            g_hash_table_insert(used, id, server);
    }
    return used;
}

/* Returns: (nullable): the code that refuses the deletion. */
static const char *
check_delete(const CfSimRecord *image, GHashTable *used)
{
    CfSimSpan text, protected;
    gboolean is_protected;

    if (!image || image->flags || is_creating(image))
        return "101.003006";
    text = cf_sim_record_span(image);
    is_protected = cf_sim_raw_get(text, "protected", &protected) &&
                   (*protected.at == 't' || member_is(text, "protected", "true"));
    if (!is_private(text) || is_protected)
        return "101.003006";
    return g_hash_table_contains(used, image->id) ? "101.003015" : NULL;
}

void
cf_sim_inspur_delete_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = cf_sim_world_find(sim->world, CF_SIM_IMAGES, call->args[0]);
    g_autoptr(GHashTable) used = find_used(sim);
    const char *code = check_delete(image, used);

    if (g_strcmp0(code, "101.003015") == 0) {
        const CfSimRecord *server = g_hash_table_lookup(used, image->id);
        g_autofree char *name = cf_sim_raw_get_string(cf_sim_record_span(server), "name");
        g_autofree char *message =
            g_strdup_printf("当前镜像无法删除，已关联云服务器\"%s\"", name ? name : server->id);

        cf_sim_inspur_refuse(sim, call, 400, code, message);
    } else if (code) {
        cf_sim_inspur_refuse(sim, call, 500, code, "删除镜像失败");
    } else {
        cf_sim_world_remove(sim->world, image);
        cf_sim_inspur_accept(sim, call, NULL, "\"\"");
    }
}

static void
delete_many(CfSim *sim, CfSimCall *call, const cJSON *images)
{
    g_autoptr(GHashTable) used = find_used(sim);
    g_autofree char *data = NULL;
    guint done = 0, failed = 0;
    const cJSON *item;

    cJSON_ArrayForEach (item, images) {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "id"));
        CfSimRecord *image = id ? cf_sim_world_find(sim->world, CF_SIM_IMAGES, id) : NULL;

        if (check_delete(image, used)) {
            failed++;
            continue;
        }
        cf_sim_world_remove(sim->world, image);
        done++;
    }
    if (!done) {
        cf_sim_inspur_refuse(sim, call, 500, "101.003006", "删除镜像失败");
        return;
    }
    data = g_strdup_printf("{\"status\":\"删除成功%u台,删除失败%u台\"}", done, failed);
    cf_sim_inspur_accept(sim, call, "OK", data);
}

static void
delete_batch(CfSim *sim, CfSimCall *call, CfSimBatchPath other)
{
    cJSON *body;
    const cJSON *images;

    if (sim->settings.batch_delete_path == other) {
        cf_sim_inspur_refuse(sim, call, 404, NULL, "Not Found");
        return;
    }
    body = cJSON_Parse(call->body->str);
    images = cJSON_GetObjectItemCaseSensitive(body, "images");
    if (cJSON_IsArray(images) && images->child)
        delete_many(sim, call, images);
    else
        cf_sim_inspur_refuse_parameter(sim, call, "images");
    cJSON_Delete(body);
}

void
cf_sim_inspur_delete_images_action(CfSim *sim, CfSimCall *call)
{
    delete_batch(sim, call, CF_SIM_BATCH_PLAIN);
}

void
cf_sim_inspur_delete_images_plain(CfSim *sim, CfSimCall *call)
{
    delete_batch(sim, call, CF_SIM_BATCH_ACTION);
}

/* Appends a member of the server's image, to describe the new one. */
static void
append_origin(const CfSimRecord *server, const char *key, GString *out)
{
    CfSimSpan image;
    g_autofree char *text = NULL;

    if (cf_sim_raw_get(cf_sim_record_span(server), "image", &image))
        text = cf_sim_raw_get_string(image, key);
    g_string_append_printf(out, ",\"%s\":", key);
    cf_sim_raw_quote(out, text);
}

CfSimRecord *
cf_sim_inspur_capture(CfSim *sim, const CfSimRecord *server, const char *name,
                      const char *description)
{
    g_autofree char *now = cf_sim_world_date(sim->world, "%Y-%m-%dT%H:%M:%S.000+0000");
    g_autoptr(GString) id = g_string_new(NULL);
    GString *out = g_string_new("{\"id\":");
    guint ms = sim->settings.transition_ms;
    CfSimRecord *image;

    cf_sim_inspur_image_id(sim, sim->made++, id);
    cf_sim_raw_quote(out, id->str);
    g_string_append(out, ",\"name\":");
    cf_sim_raw_quote(out, name);
    g_string_append(out, ",\"tags\":[\"SYSTEMDISK_1\",\"ECS\"],\"status\":\"queued\","
                         "\"checksum\":null,\"owner\":\"35ee734f83814f039084c9b55228e671\","
                         "\"visibility\":\"private\",\"size\":null,\"description\":");
    cf_sim_raw_quote(out, description ? description : "");
    append_origin(server, "system", out);
    append_origin(server, "systemType", out);
    g_string_append_printf(out,
                           ",\"systemDisk\":\"1\",\"container_format\":\"bare\",\"disk_format\":"
                           "\"raw\",\"created_at\":\"%s\",\"updated_at\":\"%s\",\"min_disk\":1,"
                           "\"min_ram\":0,\"protected\":false,\"instance_uuid\":",
                           now, now);
    cf_sim_raw_quote(out, server->id);
    g_string_append_c(out, '}');
    image = cf_sim_world_add(sim->world, CF_SIM_IMAGES, g_string_free(out, FALSE), NULL);
    cf_sim_world_plan(sim->world, image, ms / 2, "{\"status\":\"saving\"}");
    cf_sim_world_plan(sim->world, image, ms - ms / 2,
                      "{\"status\":\"active\",\"size\":1073741824,"
                      "\"checksum\":\"e9ad8c8558ab399b02b0cdd69c9bbdb6\"}");
    return image;
}
