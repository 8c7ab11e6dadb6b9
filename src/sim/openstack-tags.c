/* Tags: members of the records, sorted. A server's own do not make it a changed one. */
#include <string.h>

#include "sim/openstack.h"

#define SERVER_TAGS_MAX 50
#define SERVER_TAG_LENGTH 60
#define IMAGE_TAG_LENGTH 255
#define TAGGABLE " active paused suspended stopped "

GPtrArray *
cf_sim_os_tags(CfSimSpan record)
{
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);
    CfSimRawIter iter;
    CfSimSpan list, tag;

    if (!cf_sim_raw_get(record, "tags", &list))
        return tags;
    cf_sim_raw_iter_init(&iter, list);
    while (iter.closing == ']' && cf_sim_raw_iter_next(&iter, NULL, &tag))
        g_ptr_array_add(tags, cf_sim_raw_text(tag));
    return tags;
}

gboolean
cf_sim_os_has_text(const GPtrArray *texts, const char *text)
{
    for (guint i = 0; i < texts->len; i++) {
        if (strcmp(g_ptr_array_index(texts, i), text) == 0)
            return TRUE;
    }
    return FALSE;
}

static gint
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
cf_sim_os_set_tags(CfSim *sim, CfSimRecord *record, const GPtrArray *names)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new("[");

    for (guint i = 0; i < names->len; i++) {
        if (!cf_sim_os_has_text(sorted, g_ptr_array_index(names, i)))
            g_ptr_array_add(sorted, g_ptr_array_index(names, i));
    }
    g_ptr_array_sort(sorted, compare_texts);
    for (guint i = 0; i < sorted->len; i++) {
        if (i)
            g_string_append_c(list, ',');
        cf_sim_raw_quote(list, g_ptr_array_index(sorted, i));
    }
    g_string_append_c(list, ']');
    cf_sim_world_rewrite(sim->world, record, cf_sim_raw_set(record->text, "tags", list->str));
    if (record->kind == CF_SIM_IMAGES)
        cf_sim_os_stamp(sim, record);
}

void
cf_sim_os_show_tags(CfSim *sim, const CfSimRecord *record, GString *out)
{
    CfSimSpan tags = {"[]", 2};

    cf_sim_raw_get(cf_sim_record_span(record), "tags", &tags);
    g_string_append_len(out, tags.at, (gssize) tags.len);
}

/* ---- Servers ---- */

/* Returns: (transfer none) (nullable): the server, on services that have tags; NULL: refused. */
static CfSimRecord *
find_tagged(CfSim *sim, CfSimCall *call)
{
    if (cf_sim_os_version(sim) < 26) {
        cf_sim_os_refuse(sim, call, 404, NULL, "The resource could not be found.");
        return NULL;
    }
    return cf_sim_os_find_server(sim, call);
}

static CfSimRecord *
find_taggable(CfSim *sim, CfSimCall *call, const char *action)
{
    CfSimRecord *server = find_tagged(sim, call);

    if (server && cf_sim_os_check_state(sim, call, server, action, TAGGABLE, "*"))
        return server;
    return NULL;
}

static void
answer_tags(CfSim *sim, CfSimCall *call, const CfSimRecord *server)
{
    cf_sim_answer(call, 200, "{\"tags\":");
    cf_sim_os_show_tags(sim, server, call->answer);
    g_string_append_c(call->answer, '}');
}

void
cf_sim_os_list_tags(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = find_tagged(sim, call);

    if (server)
        answer_tags(sim, call, server);
}

/* Whether a text can be a server's tag; refuses if not. */
static gboolean
check_tag(CfSim *sim, CfSimCall *call, const char *tag)
{
    gboolean valid = g_utf8_validate(tag, -1, NULL);

    if (valid && g_utf8_strlen(tag, -1) > SERVER_TAG_LENGTH) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for field/attribute 0. Value: %s. '%s' is too long",
                                tag, tag);
        return FALSE;
    }
    if (valid && *tag && !strchr(tag, ',') && !strchr(tag, '/'))
        return TRUE;
    cf_sim_os_refuse_printf(sim, call, 400,
                            "Invalid input for field/attribute 0. Value: %s. '%s' does not match "
                            "'^[^,/]*$'",
                            valid ? tag : "", valid ? tag : "");
    return FALSE;
}

/* Returns: (transfer full) (nullable): the tags of the body; NULL: refused. */
static GPtrArray *
take_tags(CfSim *sim, CfSimCall *call)
{
    g_autoptr(GPtrArray) tags = NULL;
    CfSimSpan list = {NULL, 0};

    if (!cf_sim_raw_check(call->body->str, call->body->len) ||
        !cf_sim_raw_get(cf_sim_span(call->body->str), "tags", &list) || *list.at != '[') {
        cf_sim_os_refuse(sim, call, 400, NULL,
                         "Invalid input for field/attribute tags. It must be an array.");
        return NULL;
    }
    tags = cf_sim_os_tags(cf_sim_span(call->body->str));
    if (tags->len > SERVER_TAGS_MAX) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Invalid input for field/attribute tags. Value: %u tags. The list "
                                "is too long",
                                tags->len);
        return NULL;
    }
    for (guint i = 0; i < tags->len; i++) {
        if (!check_tag(sim, call, g_ptr_array_index(tags, i)))
            return NULL;
    }
    return g_steal_pointer(&tags);
}

void
cf_sim_os_put_tags(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = find_taggable(sim, call, "update tags");
    g_autoptr(GPtrArray) tags = server ? take_tags(sim, call) : NULL;

    if (!tags)
        return;
    cf_sim_os_set_tags(sim, server, tags);
    answer_tags(sim, call, server);
}

void
cf_sim_os_clear_tags(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = find_taggable(sim, call, "delete tags");
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    if (!server)
        return;
    cf_sim_os_set_tags(sim, server, none);
    cf_sim_os_answer_empty(call, 204);
}

static void
refuse_absent(CfSim *sim, CfSimCall *call, const char *what)
{
    cf_sim_os_refuse_printf(sim, call, 404, "%s %s has no tag '%s'", what, call->args[0],
                            call->args[1]);
}

void
cf_sim_os_has_tag(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = find_tagged(sim, call);
    g_autoptr(GPtrArray) tags = server ? cf_sim_os_tags(cf_sim_record_span(server)) : NULL;

    if (!server)
        return;
    if (cf_sim_os_has_text(tags, call->args[1]))
        cf_sim_os_answer_empty(call, 204);
    else
        refuse_absent(sim, call, "Server");
}

/* What stands in a path may have been taken for two segments of it. */
static gboolean
check_segment(CfSimCall *call)
{
    if (!strchr(call->args[1], '/'))
        return TRUE;
    cf_sim_answer(call, 404, "<html><body><h1>404 Not Found</h1></body></html>");
    call->type = "text/html";
    return FALSE;
}

void
cf_sim_os_put_tag(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_segment(call) ? find_taggable(sim, call, "update tag") : NULL;
    g_autoptr(GPtrArray) tags = server ? cf_sim_os_tags(cf_sim_record_span(server)) : NULL;

    if (!server)
        return;
    if (call->body->len) {
        cf_sim_os_refuse(sim, call, 400, NULL, "Malformed request body");
    } else if (!check_tag(sim, call, call->args[1])) {
        return;
    } else if (cf_sim_os_has_text(tags, call->args[1])) {
        cf_sim_os_answer_empty(call, 204);
    } else if (tags->len >= SERVER_TAGS_MAX) {
        cf_sim_os_refuse_printf(
            sim, call, 400, "The number of tags exceeded the per-server limit %d", SERVER_TAGS_MAX);
    } else {
        g_autofree char *where = g_strconcat(sim->url, call->target, NULL);

        g_ptr_array_add(tags, g_strdup(call->args[1]));
        cf_sim_os_set_tags(sim, server, tags);
        cf_sim_os_answer_empty(call, 201);
        cf_sim_call_add_header(call, "Location", where);
    }
}

/* Returns: FALSE: it was not there. */
static gboolean
drop(CfSim *sim, CfSimRecord *record, const char *tag)
{
    g_autoptr(GPtrArray) tags = cf_sim_os_tags(cf_sim_record_span(record));

    for (guint i = 0; i < tags->len; i++) {
        if (strcmp(g_ptr_array_index(tags, i), tag) != 0)
            continue;
        g_ptr_array_remove_index(tags, i);
        cf_sim_os_set_tags(sim, record, tags);
        return TRUE;
    }
    return FALSE;
}

void
cf_sim_os_drop_tag(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *server = check_segment(call) ? find_taggable(sim, call, "delete tag") : NULL;

    if (!server)
        return;
    if (drop(sim, server, call->args[1]))
        cf_sim_os_answer_empty(call, 204);
    else
        refuse_absent(sim, call, "Instance");
}

/* ---- Images ---- */

void
cf_sim_os_put_image_tag(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = check_segment(call) ? cf_sim_os_find_image(sim, call) : NULL;
    const char *tag = call->args[1];

    if (!image || !cf_sim_os_check_owner(sim, call, image))
        return;
    if (!g_utf8_validate(tag, -1, NULL) || g_utf8_strlen(tag, -1) > IMAGE_TAG_LENGTH) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "Provided object does not match schema 'image': the tag is too "
                                "long (%d)",
                                IMAGE_TAG_LENGTH);
    } else {
        g_autoptr(GPtrArray) tags = cf_sim_os_tags(cf_sim_record_span(image));

        g_ptr_array_add(tags, g_strdup(tag));
        cf_sim_os_set_tags(sim, image, tags);
        cf_sim_os_answer_empty(call, 204);
    }
}

void
cf_sim_os_drop_image_tag(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = check_segment(call) ? cf_sim_os_find_image(sim, call) : NULL;

    if (!image || !cf_sim_os_check_owner(sim, call, image))
        return;
    if (drop(sim, image, call->args[1]))
        cf_sim_os_answer_empty(call, 204);
    else
        cf_sim_os_refuse(sim, call, 404, NULL, "The resource could not be found.");
}
