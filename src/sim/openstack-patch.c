/* Changes to an image: a list of operations, done in order or not at all. */
#include <string.h>

#include "sim/openstack.h"

#define LENGTH_MAX 255
#define TAGS_MAX 128

static const char *const media_types[] = {
    "application/openstack-images-v2.1-json-patch",
    "application/openstack-images-v2.0-json-patch",
    NULL,
};

static const char *const read_only[] = {"id",        "status",     "size",          "checksum",
                                        "schema",    "created_at", "updated_at",    "self",
                                        "file",      "owner",      "virtual_size",  "os_hash_algo",
                                        "locations", "direct_url", "os_hash_value", NULL};
static const char *const base[] = {"name",     "tags",    "visibility",  "protected",
                                   "min_disk", "min_ram", "disk_format", "container_format",
                                   NULL};

static gboolean
check_type(CfSim *sim, CfSimCall *call)
{
    const char *type = cf_sim_call_header(call, "Content-Type");
    g_autofree char *bare = type ? g_strndup(type, strcspn(type, "; ")) : NULL;

    if (bare && g_strv_contains(media_types, bare))
        return TRUE;
    cf_sim_os_refuse(sim, call, 415, NULL,
                     "The request media type is not supported by this server.");
    return FALSE;
}

/* The one member that a JSON pointer names. Returns: (transfer full) (nullable) */
static char *
member_of(const char *pointer)
{
    g_autoptr(GString) member = NULL;

    if (!pointer || pointer[0] != '/' || !pointer[1] || strchr(pointer + 1, '/'))
        return NULL;
    member = g_string_new(pointer + 1);
    g_string_replace(member, "~1", "/", 0);
    g_string_replace(member, "~0", "~", 0);
    return g_strdup(member->str);
}

/* What the databases of these services store as text: nothing beyond the basic plane. */
static gboolean
text_good(const char *text)
{
    if (!text || !g_utf8_validate(text, -1, NULL) || g_utf8_strlen(text, -1) > LENGTH_MAX)
        return FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        if (g_utf8_get_char(p) > 0xffff)
            return FALSE;
    }
    return TRUE;
}

static gboolean
tags_good(const cJSON *tags)
{
    const cJSON *tag;

    if (!cJSON_IsArray(tags) || cJSON_GetArraySize(tags) > TAGS_MAX)
        return FALSE;
    cJSON_ArrayForEach (tag, tags) {
        if (!text_good(cJSON_GetStringValue(tag)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
value_good(const char *member, const cJSON *value)
{
    if (strcmp(member, "tags") == 0)
        return tags_good(value);
    if (strcmp(member, "protected") == 0)
        return cJSON_IsBool(value);
    if (strcmp(member, "min_disk") == 0 || strcmp(member, "min_ram") == 0)
        return cJSON_IsNumber(value) && value->valuedouble >= 0;
    if (strcmp(member, "name") == 0 && cJSON_IsNull(value))
        return TRUE;
    return text_good(cJSON_GetStringValue(value));
}

/* Whether one operation may be done; refuses if not. */
static gboolean
check_change(CfSim *sim, CfSimCall *call, const char *op, const char *member, const char *text,
             const cJSON *value)
{
    gboolean removes = g_strcmp0(op, "remove") == 0, present;
    CfSimSpan unused;

    if (!member || (!removes && g_strcmp0(op, "add") != 0 && g_strcmp0(op, "replace") != 0)) {
        cf_sim_os_refuse(sim, call, 400, NULL,
                         "Operations must be add, replace or remove of one member's path");
        return FALSE;
    }
    if (g_strv_contains(read_only, member)) {
        cf_sim_os_refuse_printf(sim, call, 403, "Attribute '%s' is read-only.", member);
        return FALSE;
    }
    present = cf_sim_raw_get(cf_sim_span(text), member, &unused);
    if (removes && g_strv_contains(base, member)) {
        cf_sim_os_refuse_printf(
            sim, call, 403, "Access was denied to this resource. Property %s may not be removed.",
            member);
        return FALSE;
    }
    if (!present && strcmp(op, "add") != 0 && !g_strv_contains(base, member)) {
        cf_sim_os_refuse_printf(sim, call, 409,
                                "There was a conflict when trying to complete your request. "
                                "Property %s does not exist.",
                                member);
        return FALSE;
    }
    if (removes || value_good(member, value))
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 400,
                            "Provided object does not match schema 'image': the value of %s is of "
                            "a wrong type or too long",
                            member);
    return FALSE;
}

/* Does one operation. text: (transfer full): the record; becomes the new one. Returns: FALSE:
 * refused. */
static gboolean
apply(CfSim *sim, CfSimCall *call, const cJSON *change, char **text)
{
    const char *op = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(change, "op"));
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(change, "value");
    g_autofree char *member =
        member_of(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(change, "path")));
    g_autofree char *old = *text;
    g_autofree char *printed = NULL;

    if (!check_change(sim, call, op, member, old, value)) {
        *text = g_steal_pointer(&old);
        return FALSE;
    }
    if (strcmp(op, "remove") == 0) {
        *text = cf_sim_raw_remove(old, member);
    } else {
        char *json = cJSON_PrintUnformatted(value);

        printed = g_strdup(json);
        cJSON_free(json);
        *text = cf_sim_raw_set(old, member, printed);
    }
    return TRUE;
}

void
cf_sim_os_patch_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = check_type(sim, call) ? cf_sim_os_find_image(sim, call) : NULL;
    g_autofree char *text = image ? g_strdup(image->text) : NULL;
    cJSON *changes = cJSON_Parse(call->body->str);
    gboolean good = image && cf_sim_os_check_owner(sim, call, image);
    const cJSON *change;

    if (good && !cJSON_IsArray(changes)) {
        cf_sim_os_refuse(sim, call, 400, NULL,
                         "Request body must be a JSON array of operation objects.");
        good = FALSE;
    }
    cJSON_ArrayForEach (change, changes) {
        good = good && apply(sim, call, change, &text);
    }
    cJSON_Delete(changes);
    if (!good)
        return;
    cf_sim_world_rewrite(sim->world, image, g_steal_pointer(&text));
    {
        g_autoptr(GPtrArray) tags = cf_sim_os_tags(cf_sim_record_span(image));

        cf_sim_os_set_tags(sim, image, tags); /* sorted, each once */
    }
    cf_sim_answer(call, 200, image->text);
}
