/* Glance: lists of images, one image, its end, and how it is made of a server. */
#include <string.h>

#include "sim/openstack.h"

#define PAGE_DEFAULT 25

/* ---- Whose ---- */

static gboolean
is_own(const CfSim *sim, const CfSimRecord *image)
{
    return sim->settings.admin || (!(image->flags & CF_SIM_FLAG_FOREIGN) &&
                                   cf_sim_os_member_is(image, "owner", CF_SIM_OS_PROJECT));
}

/* Whether this project may know of it. */
static gboolean
is_visible(const CfSim *sim, const CfSimRecord *image)
{
    return is_own(sim, image) || cf_sim_os_member_is(image, "visibility", "public") ||
           cf_sim_os_member_is(image, "visibility", "community");
}

CfSimRecord *
cf_sim_os_find_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = cf_sim_world_find(sim->world, CF_SIM_IMAGES, call->args[0]);

    if (image && is_visible(sim, image))
        return image;
    cf_sim_os_refuse_printf(sim, call, 404, "No image found with ID %s", call->args[0]);
    return NULL;
}

gboolean
cf_sim_os_check_owner(CfSim *sim, CfSimCall *call, const CfSimRecord *image)
{
    if (is_own(sim, image))
        return TRUE;
    cf_sim_os_refuse(sim, call, 403, NULL, "You do not own this image");
    return FALSE;
}

/* ---- Lists ---- */

typedef struct {
    const CfSim *sim;
    const CfSimCall *call;
} Filter;

/* Whether a text is one of a comma list's; what stands in quotes may have commas. */
static gboolean
is_listed(const char *list, const char *text)
{
    const char *p = list;

    while (*p) {
        gboolean quoted = *p == '"';
        const char *end = quoted ? strchr(p + 1, '"') : p + strcspn(p, ",");
        gsize len;

        if (!end)
            return FALSE;
        p += quoted;
        len = (gsize) (end - p);
        if (strlen(text) == len && strncmp(p, text, len) == 0)
            return TRUE;
        p = end + quoted;
        p += *p == ',';
    }
    return FALSE;
}

/* A member is as the parameter wants it; texts are compared as they are. */
static gboolean
member_fits(const CfSimRecord *image, const char *key, const char *wanted)
{
    CfSimSpan value;
    g_autofree char *text = NULL;

    if (!cf_sim_raw_get(cf_sim_record_span(image), key, &value))
        return FALSE;
    text = cf_sim_raw_text(value);
    if (g_str_has_prefix(wanted, "in:"))
        return is_listed(wanted + 3, text);
    if (*value.at == '"')
        return strcmp(text, wanted) == 0;
    return g_ascii_strcasecmp(text, wanted) == 0; /* protected=True */
}

static gboolean
time_fits(gint64 time_s, const char *wanted)
{
    const char *colon = strchr(wanted, ':');
    gboolean named = colon && (g_str_has_prefix(wanted, "g") || g_str_has_prefix(wanted, "l") ||
                               g_str_has_prefix(wanted, "eq") || g_str_has_prefix(wanted, "neq"));
    g_autofree char *how = named ? g_strndup(wanted, (gsize) (colon - wanted)) : g_strdup("eq");
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(named ? colon + 1 : wanted, utc);
    gint64 than_s = time ? g_date_time_to_unix(time) : 0;

    if (strcmp(how, "gt") == 0)
        return time_s > than_s;
    if (strcmp(how, "gte") == 0)
        return time_s >= than_s;
    if (strcmp(how, "lt") == 0)
        return time_s < than_s;
    if (strcmp(how, "lte") == 0)
        return time_s <= than_s;
    return (time_s == than_s) == (strcmp(how, "neq") != 0);
}

static gboolean
is_about_paging(const char *name)
{
    static const char *const names[] = {"limit",    "marker",        "sort", "sort_key",
                                        "sort_dir", "member_status", NULL};

    return g_strv_contains(names, name);
}

static gboolean
param_fits(CfSimRecord *image, const char *name, const char *value)
{
    if (strcmp(name, "tag") == 0) {
        g_autoptr(GPtrArray) tags = cf_sim_os_tags(cf_sim_record_span(image));

        return cf_sim_os_has_text(tags, value);
    }
    if (strcmp(name, "created_at") == 0)
        return time_fits(cf_sim_os_digest(image)->created_s, value);
    if (strcmp(name, "updated_at") == 0)
        return time_fits(cf_sim_os_digest(image)->updated_s, value);
    if (strcmp(name, "visibility") == 0 && strcmp(value, "all") == 0)
        return TRUE;
    return member_fits(image, name, value);
}

static gboolean
picks(CfSimRecord *image, gconstpointer data)
{
    const Filter *filter = data;
    const GPtrArray *params = filter->call->params;

    /* A community's images are listed for those who ask for them. */
    if (!is_own(filter->sim, image) && !cf_sim_os_member_is(image, "visibility", "public") &&
        !(is_visible(filter->sim, image) && cf_sim_call_peek_param(filter->call, "visibility")))
        return FALSE;
    for (guint i = 0; i + 1 < params->len; i += 2) {
        const char *name = g_ptr_array_index(params, i);

        if (!is_about_paging(name) && !param_fits(image, name, g_ptr_array_index(params, i + 1)))
            return FALSE;
    }
    return TRUE;
}

static gint
compare(CfSimRecord *a, CfSimRecord *b, const char *sort)
{
    const CfSimOsDigest *first, *second;
    gint64 left, right;

    if (strcmp(sort, "created_at") != 0 && strcmp(sort, "updated_at") != 0) {
        g_autofree char *one = cf_sim_os_get(a, sort);
        g_autofree char *other = cf_sim_os_get(b, sort);

        return g_strcmp0(one, other);
    }
    first = cf_sim_os_digest(a);
    second = cf_sim_os_digest(b);
    left = sort[0] == 'c' ? first->created_s : first->updated_s;
    right = sort[0] == 'c' ? second->created_s : second->updated_s;
    return (left > right) - (left < right);
}

/* sort=name:asc, or sort_key and sort_dir. sort: receives the key. Returns: FALSE: refused. */
static gboolean
take_order(CfSim *sim, CfSimCall *call, GString *sort, gboolean *descending)
{
    static const char *const keys[] = {
        "created_at",  "updated_at", "name",  "status", "container_format",
        "disk_format", "id",         "owner", NULL};
    const char *both = cf_sim_call_peek_param(call, "sort");
    const char *key = cf_sim_call_peek_param(call, "sort_key");
    const char *direction = cf_sim_call_peek_param(call, "sort_dir");

    g_string_assign(sort, key ? key : "created_at");
    if (both) {
        g_string_assign(sort, both);
        g_string_truncate(sort, strcspn(both, ":,"));
        direction = both[sort->len] == ':' ? both + sort->len + 1 : NULL;
    }
    *descending = !direction || g_ascii_strncasecmp(direction, "asc", 3) != 0;
    if (g_strv_contains(keys, sort->str))
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 400,
                            "Invalid sort key: %s. It must be one of the following: name, status, "
                            "container_format, disk_format, size, id, created_at, updated_at.",
                            sort->str);
    return FALSE;
}

static gboolean
take_marker(CfSim *sim, CfSimCall *call, CfSimQuery *query)
{
    const char *marker = cf_sim_call_peek_param(call, "marker");

    if (!marker)
        return TRUE;
    if (cf_sim_listing_find(sim, query, marker, &query->start)) {
        query->start++;
        return TRUE;
    }
    cf_sim_os_refuse_printf(sim, call, 400, "No image found with ID %s", marker);
    return FALSE;
}

static void
render(CfSim *sim, const CfSimRecord *record, GString *out)
{
    g_string_append(out, record->text);
}

static char *
filter_id(CfSim *sim, const CfSimCall *call)
{
    GString *id = g_string_new(sim->settings.admin ? "admin" : "");

    for (guint i = 0; i + 1 < call->params->len; i += 2) {
        const char *name = g_ptr_array_index(call->params, i);

        if (strcmp(name, "limit") != 0 && strcmp(name, "marker") != 0)
            g_string_append_printf(id, "\n%s=%s", name,
                                   (const char *) g_ptr_array_index(call->params, i + 1));
    }
    return g_string_free(id, FALSE);
}

/* Paths without host and prefix, as behind a proxy. */
static void
append_links(CfSim *sim, CfSimCall *call, const CfSimRecord *last)
{
    g_string_append(call->answer, "],\"first\":\"/v2/images");
    cf_sim_os_append_query(call, NULL, call->answer);
    g_string_append(call->answer, "\",\"schema\":\"/v2/schemas/images\"");
    if (last) {
        g_string_append(call->answer, ",\"next\":\"/v2/images");
        cf_sim_os_append_query(call, last->id, call->answer);
        g_string_append_c(call->answer, '"');
    }
    g_string_append_c(call->answer, '}');
}

void
cf_sim_os_list_images(CfSim *sim, CfSimCall *call)
{
    g_autofree char *id = filter_id(sim, call);
    g_autoptr(GString) sort = g_string_new(NULL);
    const Filter filter = {sim, call};
    CfSimQuery query = {
        .kind = CF_SIM_IMAGES,
        .filter_id = id,
        .filter = &filter,
        .picks = picks,
        .compare = compare,
        .render = render,
    };
    guint64 limit;
    guint n;

    if (!cf_sim_os_take_limit(sim, call, PAGE_DEFAULT, &limit) ||
        !take_order(sim, call, sort, &query.descending))
        return;
    query.sort = sort->str;
    if (!take_marker(sim, call, &query))
        return;
    query.size = limit;
    cf_sim_answer(call, 200, "{\"images\":[");
    n = limit ? cf_sim_listing(sim, &query, call->twist, call->answer) : 0;
    append_links(sim, call,
                 n > 0 && n == limit ? cf_sim_listing_last(sim, &query, call->twist, n) : NULL);
}

void
cf_sim_os_show_image(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *image = cf_sim_os_find_image(sim, call);

    if (image)
        cf_sim_answer(call, 200, image->text);
}

/* ---- The end, and pauses ---- */

static gboolean
is_protected(const CfSimRecord *image)
{
    CfSimSpan value;

    return cf_sim_raw_get(cf_sim_record_span(image), "protected", &value) && *value.at == 't';
}

void
cf_sim_os_delete_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = cf_sim_os_find_image(sim, call);

    if (!image || !cf_sim_os_check_owner(sim, call, image))
        return;
    if (is_protected(image)) {
        cf_sim_os_refuse_printf(sim, call, 403, "Image %s is protected and cannot be deleted.",
                                image->id);
    } else if (image->flags & CF_SIM_FLAG_FAILING) {
        cf_sim_os_refuse_printf(sim, call, 409,
                                "Image %s could not be deleted because it is in use: The image "
                                "cannot be deleted because it is in use through the backend store "
                                "outside of Glance.",
                                image->id);
    } else {
        cf_sim_world_remove(sim->world, image);
        cf_sim_os_answer_empty(call, 204);
    }
}

static void
set_status(CfSim *sim, CfSimCall *call, const char *status)
{
    CfSimRecord *image = cf_sim_os_find_image(sim, call);
    g_autofree char *change = g_strdup_printf("{\"status\":\"%s\"}", status);

    if (!image || !cf_sim_os_check_owner(sim, call, image))
        return;
    if (!cf_sim_os_member_is(image, "status", "active") &&
        !cf_sim_os_member_is(image, "status", "deactivated")) {
        g_autofree char *present = cf_sim_os_get(image, "status");

        cf_sim_os_refuse_printf(sim, call, 403, "Not allowed to %s image in status '%s'",
                                strcmp(status, "active") == 0 ? "reactivate" : "deactivate",
                                present ? present : "");
        return;
    }
    cf_sim_world_merge(sim->world, image, change);
    cf_sim_os_stamp(sim, image);
    cf_sim_os_answer_empty(call, 204);
}

void
cf_sim_os_deactivate_image(CfSim *sim, CfSimCall *call)
{
    set_status(sim, call, "deactivated");
}

void
cf_sim_os_reactivate_image(CfSim *sim, CfSimCall *call)
{
    set_status(sim, call, "active");
}

/* ---- Of a server ---- */

/* Appends texts as further properties. */
static void
append_metadata(const cJSON *metadata, GString *out)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, metadata) {
        if (!cJSON_IsString(item) || !item->string)
            continue;
        g_string_append_c(out, ',');
        cf_sim_raw_quote(out, item->string);
        g_string_append_c(out, ':');
        cf_sim_raw_quote(out, item->valuestring);
    }
}

CfSimRecord *
cf_sim_os_capture(CfSim *sim, const CfSimRecord *server, const char *name, const cJSON *metadata)
{
    g_autofree char *now = cf_sim_os_now(sim, "%Y-%m-%dT%H:%M:%SZ");
    g_autoptr(GString) id = g_string_new(NULL);
    GString *out = g_string_new("{\"name\":");
    guint ms = sim->settings.transition_ms;
    CfSimRecord *image;
    CfSimSpan base;

    cf_sim_os_append_id(sim, CF_SIM_IMAGES, sim->made++, id);
    cf_sim_raw_quote(out, name);
    g_string_append_printf(out,
                           ",\"id\":\"%s\",\"status\":\"queued\",\"visibility\":\"private\","
                           "\"owner\":\"" CF_SIM_OS_PROJECT "\","
                           "\"protected\":false,\"size\":null,\"virtual_size\":null,\"checksum\":"
                           "null,\"min_disk\":1,\"min_ram\":0,\"disk_format\":\"qcow2\","
                           "\"container_format\":\"bare\",\"tags\":[],\"created_at\":\"%s\","
                           "\"updated_at\":\"%s\",\"self\":\"/v2/images/%s\",\"file\":"
                           "\"/v2/images/%s/file\",\"schema\":\"/v2/schemas/image\","
                           "\"image_type\":\"snapshot\",\"instance_uuid\":\"%s\",\"user_id\":"
                           "\"" CF_SIM_OS_USER "\"",
                           id->str, now, now, id->str, id->str, server->id);
    if (cf_sim_raw_get(cf_sim_record_span(server), "image", &base)) {
        g_autofree char *base_id = cf_sim_raw_get_string(base, "id");

        g_string_append(out, ",\"base_image_ref\":");
        cf_sim_raw_quote(out, base_id ? base_id : "");
    }
    append_metadata(metadata, out);
    g_string_append_c(out, '}');
    image = cf_sim_world_add(sim->world, CF_SIM_IMAGES, g_string_free(out, FALSE), NULL);
    cf_sim_world_plan(sim->world, image, ms / 2, "{\"status\":\"saving\"}");
    cf_sim_world_plan(sim->world, image, ms - ms / 2,
                      "{\"status\":\"active\",\"size\":1073741824,"
                      "\"checksum\":\"e9ad8c8558ab399b02b0cdd69c9bbdb6\"}");
    return image;
}
