#include "providers/keys.h"
#include "providers/ucloudstack/private.h"
#include "util/error.h"
#include "json/fields.h"

#include <string.h>

#define CONSOLE_LIFE_S 300 /* of a session that nobody uses */

const char *const cf_ucloudstack_consoles[] = {"vnc", NULL};

/* --- results ---------------------------------------------------------------------------------- */

static void
fill_result(const CfUcloudstackCall *call, CfActionResult *result)
{
    result->method_path = cf_ucloudstack_call_label(call);
    result->request_id = g_strdup(call->sent_id);
    result->http_status = call->http_status;
}

static void
tell_refusal(CfUcloudstackCall *call, const GError *error)
{
    g_auto(CfActionResult) result = {.method_path = cf_ucloudstack_call_label(call)};

    call->callback.action(&result, error, call->data);
}

static void
on_unsent(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    call->callback.action(NULL, error, call->data);
}

/* The look at the resource that a refusal was about, whose words are told in any case. */
static void
on_looked(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    const CfAction *action = call->action;
    g_autoptr(GError) refusal = g_steal_pointer(&call->first_error);
    g_autoptr(GError) wrong = NULL;
    g_autoptr(CfRecord) record =
        whole ? cf_ucloudstack_read_one(*whole, action->collection, action->ids[0], &wrong) : NULL;

    if (!record && g_error_matches(error ? error : wrong, CF_ERROR, CF_ERROR_NOT_FOUND))
        refusal->code = CF_ERROR_NOT_FOUND;
    call->name = call->first_name;
    tell_refusal(call, refusal);
}

static void
refused(CfUcloudstackCall *call, const GError *error)
{
    if (!cf_ucloudstack_is_ambiguous(call->cloud->dialect, error)) {
        tell_refusal(call, error);
        return;
    }
    call->first_error = g_error_copy(error);
    call->first_name = call->name;
    cf_ucloudstack_call_show(call, call->action->collection, call->action->ids[0], on_looked);
    cf_ucloudstack_call_send(call);
}

static void
on_accepted(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    g_auto(CfActionResult) result = {0};

    if (error) {
        refused(call, error);
        return;
    }
    fill_result(call, &result);
    call->callback.action(&result, NULL, call->data);
}

/* name: static. id_name: of the parameter that names the resource. */
static void
begin_change(CfUcloudstackCall *call, const char *name, const char *id_name, CfUcloudstackDone done)
{
    cf_ucloudstack_call_begin(call, CF_HTTP_CHANGE, name, done);
    call->flags = CF_UCLOUDSTACK_OF_RESOURCE;
    cf_ucloudstack_call_add(call, id_name, call->action->ids[0]);
}

/* --- power ------------------------------------------------------------------------------------ */

/* A hard reboot is composed of a hard stop and a start, by the inventory. */
static const char *const verbs[CF_VERB_N] = {
    [CF_VERB_ON] = "StartVMInstance",
    [CF_VERB_OFF] = "StopVMInstance",
    [CF_VERB_OFF_HARD] = "PoweroffVMInstance",
    [CF_VERB_REBOOT] = "RestartVMInstance",
};

static gboolean
prepare_power(CfUcloudstackCall *call, GError **error)
{
    const char *name = verbs[call->action->verb];

    if (!name) {
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "UCloudStack has no call for: %s",
                    cf_verb_to_string(call->action->verb));
        return FALSE;
    }
    begin_change(call, name, "VMID", on_accepted);
    return TRUE;
}

/* --- console ---------------------------------------------------------------------------------- */

typedef struct {
    char *ip, *password;
    gint64 port;
} Console;

static const CfJsonField console_fields[] = {
    {"Info.VNCIP", cf_json_take_text, offsetof(Console, ip), CF_JSON_REQUIRED},
    {"Info.VNCPort", cf_json_take_int, offsetof(Console, port), CF_JSON_REQUIRED},
    {"Info.VNCPassword", cf_json_take_text, offsetof(Console, password), CF_JSON_OPTIONAL},
};

static void
console_clear(Console *console)
{
    g_free(console->ip);
    g_free(console->password);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Console, console_clear)

static gboolean
is_one_line(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p < 0x20 || *p == 0x7f)
            return FALSE;
    return TRUE;
}

/* "vnc://ip:port", and the password on a line of its own where there is one.
 * Returns: (transfer full) (nullable): NULL with CF_ERROR_PROTOCOL. */
static char *
console_url(const Console *console, GError **error)
{
    gboolean bare_v6 = strchr(console->ip, ':') && *console->ip != '[';
    const char *password = console->password ? console->password : "";

    if (!*console->ip || !cf_keys_is_printable(console->ip) || console->port < 1 ||
        console->port > 65535 || !is_one_line(password)) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                    "Info: VNCIP, VNCPort or VNCPassword is of no use");
        return NULL;
    }
    return g_strdup_printf("vnc://%s%s%s:%d%s%s", bare_v6 ? "[" : "", console->ip,
                           bare_v6 ? "]" : "", (int) console->port, *password ? "\n" : "",
                           password);
}

static void
on_console(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    g_auto(CfActionResult) result = {0};
    g_auto(Console) console = {0};
    g_autoptr(GError) wrong = NULL;

    if (error) {
        refused(call, error);
        return;
    }
    if (cf_json_read(*whole, console_fields, G_N_ELEMENTS(console_fields), &console, &wrong))
        result.console_url = console_url(&console, &wrong);
    if (wrong) {
        tell_refusal(call, wrong);
        return;
    }
    fill_result(call, &result);
    result.console_type = g_strdup(cf_ucloudstack_consoles[0]);
    result.console_life_s = CONSOLE_LIFE_S;
    call->callback.action(&result, NULL, call->data);
}

static gboolean
prepare_console(CfUcloudstackCall *call, GError **error)
{
    const char *type = call->action->text;

    if (type && *type && !g_strv_contains(cf_ucloudstack_consoles, type)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "no console of the type ‘%.64s’ here: vnc",
                    type);
        return FALSE;
    }
    begin_change(call, "GetVMVNCInfo", "VMID", on_console);
    call->flags |= CF_UCLOUDSTACK_SECRET;
    return TRUE;
}

/* --- images ----------------------------------------------------------------------------------- */

/* An image whose id we are not told is being made all the same: to call that a failure would have
 * it made twice. */
static void
on_captured(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    g_auto(CfActionResult) result = {0};
    CfJsonSpan id;

    if (error) {
        refused(call, error);
        return;
    }
    fill_result(call, &result);
    if (cf_json_get(*whole, "ImageID", FALSE, &id))
        result.new_id = cf_json_scalar(id);
    if (result.new_id && !*result.new_id)
        g_clear_pointer(&result.new_id, g_free);
    call->callback.action(&result, NULL, call->data);
}

static gboolean
prepare_capture(CfUcloudstackCall *call, GError **error)
{
    const CfAction *action = call->action;

    if (!action->text || !*action->text) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "an image needs a name");
        return FALSE;
    }
    begin_change(call, "CreateCustomImage", "VMID", on_captured);
    cf_ucloudstack_call_add(call, "ImageName", action->text);
    if (action->description && *action->description)
        cf_ucloudstack_call_add(call, "ImageDescription", action->description);
    if (call->cloud->project_id)
        cf_ucloudstack_call_add(call, "ProjectID", call->cloud->project_id);
    return TRUE;
}

static gboolean
prepare_delete(CfUcloudstackCall *call, GError **error)
{
    begin_change(call, "DeleteCustomImage", "ImageID", on_accepted);
    return TRUE;
}

/* --- name and description --------------------------------------------------------------------- */

/* The call sets both, the name always. What an omitted remark means is written nowhere: the one
 * that is there goes with a new name, so that none is lost. */
static void
send_words(CfUcloudstackCall *call, const CfRecord *current)
{
    const CfAction *action = call->action;
    gboolean rename = action->kind == CF_ACTION_RENAME;
    guint field = action->collection == CF_SERVERS ? (guint) CF_SERVER_DESCRIPTION
                                                   : (guint) CF_IMAGE_DESCRIPTION;
    const char *remark = rename ? cf_record_get(current, field) : action->text;

    begin_change(call, "ModifyNameAndRemark", "ResourceID", on_accepted);
    cf_ucloudstack_call_add(call, "Name", rename ? action->text : cf_record_get_name(current));
    if (remark || !rename)
        cf_ucloudstack_call_add(call, "Remark", remark ? remark : "");
    cf_ucloudstack_call_send(call);
}

static void
on_current(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    const CfAction *action = call->action;
    g_autoptr(GError) wrong = NULL;
    g_autoptr(CfRecord) current =
        whole ? cf_ucloudstack_read_one(*whole, action->collection, action->ids[0], &wrong) : NULL;

    if (current && action->kind == CF_ACTION_DESCRIBE && !*cf_record_get_name(current))
        g_set_error(&wrong, CF_ERROR, CF_ERROR_INVALID,
                    "it has no name, and the cloud takes a description with the name only");
    if (error || wrong)
        tell_refusal(call, error ? error : wrong);
    else
        send_words(call, current);
}

static gboolean
prepare_words(CfUcloudstackCall *call, GError **error)
{
    const CfAction *action = call->action;

    if (action->kind == CF_ACTION_RENAME && (!action->text || !*action->text)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "a name cannot be empty here");
        return FALSE;
    }
    cf_ucloudstack_call_show(call, action->collection, action->ids[0], on_current);
    return TRUE;
}

/* --- any of them ------------------------------------------------------------------------------ */

static gboolean
refuse_unsupported(const CfAction *action, GError **error)
{
    g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "UCloudStack has no call for: %s of %s",
                cf_action_kind_to_string(action->kind), cf_collection_name(action->collection));
    return FALSE;
}

static gboolean
prepare_server(CfUcloudstackCall *call, GError **error)
{
    switch (call->action->kind) {
    case CF_ACTION_POWER:
        return prepare_power(call, error);
    case CF_ACTION_RENAME:
    case CF_ACTION_DESCRIBE:
        return prepare_words(call, error);
    case CF_ACTION_CONSOLE:
        return prepare_console(call, error);
    case CF_ACTION_CAPTURE:
        return prepare_capture(call, error);
    case CF_ACTION_TAGS:
    case CF_ACTION_DELETE:
    case CF_ACTION_LOCK:
    case CF_ACTION_LOCK_REASON:
    case CF_ACTION_METADATA:
    case CF_ACTION_CONSOLE_LOG:
    case CF_ACTION_N:
        break;
    }
    return refuse_unsupported(call->action, error);
}

static gboolean
prepare_image(CfUcloudstackCall *call, GError **error)
{
    switch (call->action->kind) {
    case CF_ACTION_RENAME:
    case CF_ACTION_DESCRIBE:
        return prepare_words(call, error);
    case CF_ACTION_DELETE:
        return prepare_delete(call, error);
    case CF_ACTION_POWER:
    case CF_ACTION_TAGS:
    case CF_ACTION_CONSOLE:
    case CF_ACTION_CAPTURE:
    case CF_ACTION_LOCK:
    case CF_ACTION_LOCK_REASON:
    case CF_ACTION_METADATA:
    case CF_ACTION_CONSOLE_LOG:
    case CF_ACTION_N:
        break;
    }
    return refuse_unsupported(call->action, error);
}

static gboolean
prepare(CfUcloudstackCall *call, GError **error)
{
    const CfAction *action = call->action;

    if (!action->ids || !action->ids[0] || !*action->ids[0]) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "no %s named",
                    cf_collection_name(action->collection));
        return FALSE;
    }
    if (action->ids[1]) {
        g_set_error(error, CF_ERROR, CF_ERROR_TOO_BIG, "one call takes one of the %s",
                    cf_collection_name(action->collection));
        return FALSE;
    }
    return action->collection == CF_SERVERS ? prepare_server(call, error)
                                            : prepare_image(call, error);
}

void
cf_ucloudstack_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
                   gpointer data)
{
    g_autoptr(GError) error = NULL;
    CfUcloudstackCall *call =
        cf_ucloudstack_call_new(handle, CF_HTTP_CHANGE, "none", deadline_us, on_accepted, data);

    call->callback.action = callback;
    call->action = cf_action_ref(action);
    call->user_waits = TRUE;
    if (prepare(call, &error)) {
        cf_ucloudstack_call_send(call);
    } else {
        call->done = on_unsent;
        cf_ucloudstack_call_refuse(call, g_steal_pointer(&error));
    }
}
