/* What UCloudStack does with one server or image: the states it must be in, and those it takes. */
#include <string.h>

#include "sim/ucloudstack.h"

#define VM_NAME_MAX 30
#define REMARK_MAX 100

typedef enum { MOVE_START, MOVE_STOP, MOVE_POWER_OFF, MOVE_RESTART, MOVE_N } Move;

static const struct {
    const char *from; /* the states that permit it, joined with blanks */
    CfSimUcloudReason otherwise;
    const char *under_way, *done;
} moves[MOVE_N] = {
    [MOVE_START] = {"Stopped", CF_SIM_UCLOUD_VM_NOT_STOPPED, "Starting", "Running"},
    [MOVE_STOP] = {"Running", CF_SIM_UCLOUD_VM_NOT_MOVABLE, "Stopping", "Stopped"},
    [MOVE_POWER_OFF] = {"Running Starting Stopping Restarting", CF_SIM_UCLOUD_VM_NOT_MOVABLE,
                        "Poweroffing", "Stopped"},
    [MOVE_RESTART] = {"Running", CF_SIM_UCLOUD_VM_NOT_RUNNING, "Restarting", "Running"},
};

static gboolean
member_is(const CfSimRecord *record, const char *key, const char *wanted)
{
    g_autofree char *text = cf_sim_raw_get_string(cf_sim_record_span(record), key);

    return text && g_ascii_strcasecmp(text, wanted) == 0;
}

static gboolean
state_is_one_of(const CfSimRecord *server, const char *states)
{
    g_auto(GStrv) words = g_strsplit(states, " ", -1);

    for (guint i = 0; words[i]; i++) {
        if (member_is(server, "State", words[i]))
            return TRUE;
    }
    return FALSE;
}

/* A server that stands still while something is to come is being copied. */
static gboolean
is_imaging(const CfSimRecord *server)
{
    return server->due && member_is(server, "State", "Stopped");
}

/* Whether nothing but its state can forbid an action; refuses the call if not. */
static gboolean
check_flags(CfSim *sim, CfSimCall *call, const CfSimRecord *record)
{
    if (record->flags & CF_SIM_FLAG_FOREIGN)
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_NO_RIGHT, NULL);
    else if (record->flags & CF_SIM_FLAG_UNBILLED)
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_NO_BALANCE, NULL);
    else if (record->flags & CF_SIM_FLAG_FAILING)
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_FAULT, NULL);
    else
        return TRUE;
    return FALSE;
}

/* The record that a parameter names. Returns: (transfer none) (nullable): NULL: refused. */
static CfSimRecord *
find_record(CfSim *sim, CfSimCall *call, CfSimKind kind, const char *parameter,
            CfSimUcloudReason missing)
{
    const char *id = cf_sim_ucloud_need(sim, call, parameter);
    CfSimRecord *record = id ? cf_sim_world_find(sim->world, kind, id) : NULL;

    if (!id)
        return NULL;
    if (!record || !cf_sim_ucloud_sees(call, record)) {
        cf_sim_ucloud_refuse(sim, call, missing, id);
        return NULL;
    }
    return check_flags(sim, call, record) ? record : NULL;
}

static void
set_state(CfSim *sim, CfSimRecord *server, Move move)
{
    g_autofree char *now = g_strdup_printf("{\"State\":\"%s\"}", moves[move].under_way);
    g_autofree char *then = g_strdup_printf("{\"State\":\"%s\"}", moves[move].done);

    cf_sim_world_unplan(sim->world, server);
    cf_sim_world_merge(sim->world, server, now);
    cf_sim_ucloud_stamp(sim, server);
    cf_sim_world_plan(sim->world, server, sim->settings.transition_ms, then);
}

static void
move_server(CfSim *sim, CfSimCall *call, Move move)
{
    CfSimRecord *server =
        find_record(sim, call, CF_SIM_SERVERS, "VMID", CF_SIM_UCLOUD_NO_VM_TO_MOVE);

    if (!server)
        return;
    if (is_imaging(server)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_VM_IMAGING, server->id);
        return;
    }
    if (!state_is_one_of(server, moves[move].from)) {
        cf_sim_ucloud_refuse(sim, call, moves[move].otherwise, server->id);
        return;
    }
    set_state(sim, server, move);
    cf_sim_ucloud_accept_begin(sim, call);
    if (cf_sim_ucloud_is_first(sim)) { /* without a word about it in its document */
        g_string_append(call->answer, ",\"VMID\":");
        cf_sim_raw_quote(call->answer, server->id);
    }
    g_string_append_c(call->answer, '}');
}

void
cf_sim_ucloud_start(CfSim *sim, CfSimCall *call)
{
    move_server(sim, call, MOVE_START);
}

void
cf_sim_ucloud_stop(CfSim *sim, CfSimCall *call)
{
    move_server(sim, call, MOVE_STOP);
}

void
cf_sim_ucloud_power_off(CfSim *sim, CfSimCall *call)
{
    move_server(sim, call, MOVE_POWER_OFF);
}

void
cf_sim_ucloud_restart(CfSim *sim, CfSimCall *call)
{
    move_server(sim, call, MOVE_RESTART);
}

/* Another port and password at every call. */
void
cf_sim_ucloud_get_console(CfSim *sim, CfSimCall *call)
{
    const CfSimRecord *server = find_record(sim, call, CF_SIM_SERVERS, "VMID", CF_SIM_UCLOUD_NO_VM);
    guint64 chance = cf_sim_mix(sim->options.seed, call->number);

    if (!server)
        return;
    if (!member_is(server, "State", "Running")) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_VM_NOT_RUNNING, server->id);
        return;
    }
    cf_sim_ucloud_accept_begin(sim, call);
    g_string_append_printf(call->answer,
                           ",\"Info\":{\"VNCIP\":\"192.0.2.10\",\"VNCPort\":%u,\"VNCPassword\":"
                           "\"fake-vnc-%" G_GUINT64_FORMAT "\",\"VMID\":",
                           5900 + (guint) (chance % 1000), call->number);
    cf_sim_raw_quote(call->answer, server->id);
    g_string_append(call->answer, "}}");
}

/* Whether a text, (nullable), is short enough. */
static gboolean
fits(const char *text, glong max)
{
    return !text || (g_utf8_validate(text, -1, NULL) && g_utf8_strlen(text, -1) <= max);
}

/* Chinese, letters, digits and - _ . */
static gboolean
is_vm_name(const char *text)
{
    if (!fits(text, VM_NAME_MAX))
        return FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (!(c < 0x80 ? g_ascii_isalnum((char) c) || strchr("-_.", (int) c)
                       : g_unichar_get_script(c) == G_UNICODE_SCRIPT_HAN))
            return FALSE;
    }
    return TRUE;
}

/* Appends members of the server to the description of its image. */
static void
append_origin(const CfSimRecord *server, GString *out)
{
    static const char *const keys[] = {"CompanyID", "Email",  "ProjectID", "ProjectName",
                                       "OSType",    "OSName", "SetArch"};
    CfSimSpan value;

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!cf_sim_raw_get(cf_sim_record_span(server), keys[i], &value))
            continue;
        g_string_append_printf(out, ",\"%s\":", keys[i]);
        g_string_append_len(out, value.at, (gssize) value.len);
    }
}

/* The size of the disk that the image copies, in GB. */
static guint
boot_disk_size(const CfSimRecord *server)
{
    CfSimSpan disks, disk, size;
    CfSimRawIter iter;

    if (!cf_sim_raw_get(cf_sim_record_span(server), "DiskInfos", &disks))
        return 0;
    cf_sim_raw_iter_init(&iter, disks);
    while (cf_sim_raw_iter_next(&iter, NULL, &disk)) {
        g_autofree char *type = cf_sim_raw_get_string(disk, "Type");

        if (g_strcmp0(type, "Boot") == 0 && cf_sim_raw_get(disk, "Size", &size))
            return (guint) g_ascii_strtoull(size.at, NULL, 10);
    }
    return 0;
}

static CfSimRecord *
make_image(CfSim *sim, CfSimRecord *server, const char *name, const char *description)
{
    g_autofree char *now = cf_sim_world_date(sim->world, "%s");
    g_autofree char *done = NULL;
    g_autoptr(GString) id = g_string_new(NULL);
    GString *out = g_string_new("{\"Region\":\"" CF_SIM_UCLOUD_REGION "\",\"ImageID\":");
    guint ms = sim->settings.transition_ms;
    CfSimRecord *image;

    cf_sim_ucloud_id(sim, CF_SIM_IMAGES, sim->made++, id);
    cf_sim_raw_quote(out, id->str);
    g_string_append(out, ",\"Name\":");
    cf_sim_raw_quote(out, name);
    g_string_append(out, ",\"ImageDescription\":");
    cf_sim_raw_quote(out, description ? description : "");
    append_origin(server, out);
    g_string_append_printf(out,
                           ",\"ImageType\":\"Custom\",\"ImageStatus\":\"Making\",\"ImageSize\":0,"
                           "\"CreateTime\":%s,\"UpdateTime\":%s,\"Remarkable\":true}",
                           now, now);
    image = cf_sim_world_add(sim->world, CF_SIM_IMAGES, g_string_free(out, FALSE), NULL);
    done = g_strdup_printf("{\"ImageStatus\":\"Used\",\"ImageSize\":%u}", boot_disk_size(server));
    cf_sim_world_plan(sim->world, image, ms, done);
    cf_sim_world_plan(sim->world, server, ms, "{}"); /* until then it is being copied */
    return image;
}

void
cf_sim_ucloud_capture(CfSim *sim, CfSimCall *call)
{
    const char *name = cf_sim_ucloud_need(sim, call, "ImageName");
    const char *description = cf_sim_call_peek_param(call, "ImageDescription");
    CfSimRecord *server =
        name ? find_record(sim, call, CF_SIM_SERVERS, "VMID", CF_SIM_UCLOUD_NO_VM) : NULL;
    const CfSimRecord *image;

    if (!server)
        return;
    if (!fits(name, G_MAXLONG) || !fits(description, REMARK_MAX)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_FORMAT, "ImageName");
        return;
    }
    if (is_imaging(server)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_VM_IMAGING, server->id);
        return;
    }
    if (!member_is(server, "State", "Stopped")) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_VM_NOT_DOWN, server->id);
        return;
    }
    image = make_image(sim, server, name, description);
    cf_sim_ucloud_accept_begin(sim, call);
    g_string_append(call->answer, ",\"ImageID\":");
    cf_sim_raw_quote(call->answer, image->id);
    g_string_append_c(call->answer, '}');
}

/* Whether an image can be deleted now; refuses the call if not. */
static gboolean
check_delete(CfSim *sim, CfSimCall *call, const CfSimRecord *image)
{
    g_autoptr(GHashTable) used = NULL;

    if (!member_is(image, "ImageType", "Custom")) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_ADMIN_ONLY, image->id);
        return FALSE;
    }
    if (!member_is(image, "ImageStatus", "Used") && !member_is(image, "ImageStatus", "Available") &&
        !member_is(image, "ImageStatus", "Failed")) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_IMAGE_STATE, image->id);
        return FALSE;
    }
    used = cf_sim_ucloud_used_images(sim);
    if (g_hash_table_contains(used, image->id)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_IMAGE_USED, image->id);
        return FALSE;
    }
    return TRUE;
}

void
cf_sim_ucloud_delete_image(CfSim *sim, CfSimCall *call)
{
    CfSimRecord *image = find_record(sim, call, CF_SIM_IMAGES, "ImageID", CF_SIM_UCLOUD_NO_IMAGE);

    if (!image || !check_delete(sim, call, image))
        return;
    cf_sim_world_merge(sim->world, image, "{\"ImageStatus\":\"Deleting\"}");
    cf_sim_ucloud_stamp(sim, image);
    cf_sim_world_plan(sim->world, image, sim->settings.transition_ms,
                      NULL); /* to the recycle bin */
    cf_sim_ucloud_accept_begin(sim, call);
    g_string_append_c(call->answer, '}');
}

/* Whether a name and a remark may be given to the record; refuses the call if not. */
static gboolean
check_modify(CfSim *sim, CfSimCall *call, const CfSimRecord *record, const char *name,
             const char *remark)
{
    CfSimSpan remarkable;

    if (record->kind == CF_SIM_SERVERS ? !is_vm_name(name) : !fits(name, G_MAXLONG)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_FORMAT, "Name");
        return FALSE;
    }
    if (!fits(remark, REMARK_MAX)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_BAD_FORMAT, "Remark");
        return FALSE;
    }
    if (record->kind == CF_SIM_IMAGES && !member_is(record, "ImageType", "Custom") &&
        !(cf_sim_raw_get(cf_sim_record_span(record), "Remarkable", &remarkable) &&
          *remarkable.at == 't')) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_ADMIN_ONLY, record->id);
        return FALSE;
    }
    return check_flags(sim, call, record);
}

/* Both are set where the record shows them. */
static void
set_texts(CfSim *sim, CfSimRecord *record, const char *name, const char *remark)
{
    g_autoptr(GString) changes = g_string_new("{\"Name\":");
    CfSimSpan other;

    cf_sim_raw_quote(changes, name);
    if (cf_sim_raw_get(cf_sim_record_span(record), "ImageName", &other)) {
        g_string_append(changes, ",\"ImageName\":");
        cf_sim_raw_quote(changes, name);
    }
    if (remark) {
        g_string_append(changes,
                        record->kind == CF_SIM_SERVERS ? ",\"Remark\":" : ",\"ImageDescription\":");
        cf_sim_raw_quote(changes, remark);
    }
    g_string_append_c(changes, '}');
    cf_sim_world_merge(sim->world, record, changes->str);
    cf_sim_ucloud_stamp(sim, record);
}

void
cf_sim_ucloud_modify(CfSim *sim, CfSimCall *call)
{
    const char *id = cf_sim_ucloud_need(sim, call, "ResourceID");
    const char *name = id ? cf_sim_ucloud_need(sim, call, "Name") : NULL;
    const char *remark = cf_sim_call_peek_param(call, "Remark");
    CfSimRecord *record;

    if (!name)
        return;
    record = cf_sim_world_find(sim->world, CF_SIM_SERVERS, id);
    if (!record)
        record = cf_sim_world_find(sim->world, CF_SIM_IMAGES, id);
    if (!record || !cf_sim_ucloud_sees(call, record)) {
        cf_sim_ucloud_refuse(sim, call, CF_SIM_UCLOUD_NO_RESOURCE, id);
        return;
    }
    if (!check_modify(sim, call, record, name, remark))
        return;
    set_texts(sim, record, name, remark);
    cf_sim_ucloud_accept_begin(sim, call);
    g_string_append_c(call->answer, '}');
}
