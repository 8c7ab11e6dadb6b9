/* Images as the dialect shows, makes and renames them. */
#include <string.h>

#include "sim/qingcloud.h"

static const char *const image_states[] = {"pending", "available", "deprecated", "suspended",
                                           "deleted", "ceased",    NULL};
static const char *const processors[] = {"64bit", "32bit", NULL};
static const char *const visibilities[] = {"public", "private", NULL};
static const char *const providers[] = {"system", "self", NULL};

static const CfSimQingcloudField image_fields[] = {
    {"status", "status", image_states},
    {"processor_type", "processor_type", processors},
    {"os_family", "os_family", NULL},
    {"visibility", "visibility", visibilities},
    {"provider", "provider", providers},
    {"owner", "owner", NULL},
    {NULL},
};

void
cf_sim_qingcloud_describe_images(CfSim *sim, CfSimCall *call)
{
    static const CfSimQingcloudList list = {
        .kind = CF_SIM_IMAGES,
        .ids = "images",
        .name = "image_name",
        .set = "image_set",
        .fields = image_fields,
        .unknown_is_error = TRUE,
        .brief = cf_sim_qingcloud_render,
        .verbose = cf_sim_qingcloud_render,
    };
    guint64 verbose = 0;

    if (cf_sim_qingcloud_take_number(call, "verbose", 0, &verbose)) /* there is no other value */
        cf_sim_qingcloud_describe(sim, call, &list);
}

void
cf_sim_qingcloud_modify_image(CfSim *sim, CfSimCall *call)
{
    const char *id = cf_sim_call_peek_param(call, "image");
    CfSimRecord *image = id ? cf_sim_world_find(sim->world, CF_SIM_IMAGES, id) : NULL;
    g_autofree char *provider = NULL;

    if (!id || !*id) {
        cf_sim_qingcloud_refuse_missing(call, "image");
        return;
    }
    if (!image) {
        cf_sim_qingcloud_refuse_unknown(call, id);
        return;
    }
    provider = cf_sim_raw_get_string(cf_sim_record_span(image), "provider");
    if (image->flags & CF_SIM_FLAG_FOREIGN || g_strcmp0(provider, "system") == 0) {
        cf_sim_qingcloud_refuse(call, 1400,
                                "PermissionDenied, you are not the owner of resource [%s]", id);
    } else if (image->flags & CF_SIM_FLAG_FAILING) {
        cf_sim_qingcloud_refuse(call, 5000, "InternalError, internal error");
    } else if (cf_sim_qingcloud_modify(sim, call, image, "image_name")) {
        cf_sim_qingcloud_accept_begin(call);
        g_string_append(call->answer, ",\"image_id\":");
        cf_sim_raw_quote(call->answer, id);
        g_string_append_c(call->answer, '}');
    }
}

/* Whether the account may have one more image of its own; refuses the call if not. */
static gboolean
check_quota(CfSim *sim, CfSimCall *call)
{
    static const char *const gone[] = {"ceased", NULL};
    const GPtrArray *images = cf_sim_world_list(sim->world, CF_SIM_IMAGES);
    guint own = 0;

    if (!sim->settings.image_quota)
        return TRUE;
    for (guint i = 0; i < images->len; i++) {
        const CfSimRecord *image = g_ptr_array_index(images, i);
        g_autofree char *provider = cf_sim_raw_get_string(cf_sim_record_span(image), "provider");

        own += g_strcmp0(provider, "self") == 0 && !cf_sim_qingcloud_status_in(image, gone);
    }
    if (own < sim->settings.image_quota)
        return TRUE;
    return cf_sim_qingcloud_refuse(call, 2500, "QuotasExceeded, you can have %u images at most",
                                   sim->settings.image_quota);
}

/* Appends a member of the server's image, to describe the new one. */
static void
append_origin(const CfSimRecord *server, const char *from, const char *to, GString *out)
{
    CfSimSpan image, value;

    g_string_append_printf(out, ",\"%s\":", to);
    if (cf_sim_raw_get(cf_sim_record_span(server), "image", &image) &&
        cf_sim_raw_get(image, from, &value))
        g_string_append_len(out, value.at, (gssize) value.len);
    else
        g_string_append(out, "null");
}

/* Makes an image of a server. Returns: (transfer none) */
static CfSimRecord *
make_image(CfSim *sim, const CfSimRecord *server, const char *name, const char *owner)
{
    g_autofree char *now = cf_sim_world_date_after(sim->world, 0, CF_SIM_QINGCLOUD_TIME);
    GString *out = g_string_new("{\"image_id\":\"");

    cf_sim_qingcloud_append_id(sim, "img", sim->made++, out);
    g_string_append(out, "\",\"image_name\":");
    cf_sim_raw_quote(out, name);
    g_string_append(out, ",\"owner\":");
    cf_sim_raw_quote(out, owner);
    append_origin(server, "image_size", "size", out);
    append_origin(server, "platform", "platform", out);
    append_origin(server, "os_family", "os_family", out);
    append_origin(server, "processor_type", "processor_type", out);
    g_string_append_printf(out,
                           ",\"description\":null,\"visibility\":\"private\",\"provider\":\"self\","
                           "\"recommended_type\":\"small_b\",\"status\":\"pending\","
                           "\"transition_status\":\"creating\",\"sub_code\":0,\"create_time\":"
                           "\"%s\",\"status_time\":\"%s\",\"tags\":[]}",
                           now, now);
    return cf_sim_world_add(sim->world, CF_SIM_IMAGES, g_string_free(out, FALSE), NULL);
}

static void
plan_image(CfSim *sim, CfSimRecord *image, gboolean fails)
{
    guint ms = sim->settings.transition_ms;
    g_autofree char *time = cf_sim_world_date_after(sim->world, ms, CF_SIM_QINGCLOUD_TIME);
    g_autofree char *changes =
        g_strdup_printf("{\"status\":\"%s\",\"transition_status\":\"\",\"status_time\":\"%s\"}",
                        fails ? "ceased" : "available", time);

    cf_sim_world_plan(sim->world, image, ms, changes);
    if (fails)
        cf_sim_qingcloud_plan_end(sim, image, "ceased");
}

void
cf_sim_qingcloud_capture(CfSim *sim, CfSimCall *call)
{
    static const char *const stopped[] = {"stopped", NULL};
    const char *id = cf_sim_call_peek_param(call, "instance");
    const char *name = cf_sim_call_peek_param(call, "image_name");
    const char *owner = cf_sim_call_peek_param(call, "target_user");
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    const CfSimRecord *server;
    CfSimRecord *image;
    gboolean fails;

    if (!id || !*id) {
        cf_sim_qingcloud_refuse_missing(call, "instance");
        return;
    }
    if (!cf_sim_qingcloud_check_own(sim, call, CF_SIM_SERVERS, id))
        return;
    server = cf_sim_world_find(sim->world, CF_SIM_SERVERS, id);
    if (!cf_sim_qingcloud_status_in(server, stopped)) {
        cf_sim_qingcloud_refuse(
            call, 1400, "PermissionDenied, instance [%s] is not stopped, can not be captured", id);
        return;
    }
    if (name && !g_utf8_validate(name, -1, NULL)) {
        cf_sim_qingcloud_refuse(call, 1100, "InvalidParameterFormat, [image_name] is not UTF-8");
        return;
    }
    if (!check_quota(sim, call))
        return;
    fails = call->job_fails || server->flags & CF_SIM_FLAG_FAILING;
    image =
        make_image(sim, server, name ? name : "", owner && *owner ? owner : CF_SIM_QINGCLOUD_OWNER);
    plan_image(sim, image, fails);
    g_ptr_array_add(ids, image->id);
    cf_sim_qingcloud_accept_begin(call);
    g_string_append_printf(call->answer, ",\"image_id\":\"%s\",\"job_id\":\"%s\"}", image->id,
                           cf_sim_qingcloud_add_job(sim, call, ids, fails));
}
