#include "providers/qingcloud/private.h"

#include "util/log.h"
#include "util/text.h"

#include <string.h>

const char *const cf_qingcloud_consoles[] = {"vnc", NULL};

/* --- results ---------------------------------------------------------------------------------- */

/* What the last call says of the whole action. */
static void
note_call(CfQingcloudCall *call)
{
    CfActionResult *result = &call->result;

    g_free(result->method_path);
    result->method_path = cf_qingcloud_call_label(call);
    result->http_status = call->http_status;
}

/* The end of a dry run, whatever the answers that were made up led to. */
static void
tell_rehearsed(CfQingcloudCall *call)
{
    g_autoptr(GError) error = g_error_new_literal(CF_ERROR, CF_ERROR_DRY_RUN, call->rehearsed->str);

    call->callback.action(NULL, error, call->data);
}

void
cf_qingcloud_accept(CfQingcloudCall *call, const CfQingcloudAnswer *answer)
{
    CfActionResult *result = &call->result;

    if (call->rehearsed) {
        tell_rehearsed(call);
        return;
    }
    if (!result->method_path)
        note_call(call);
    if (!result->request_id)
        result->request_id = g_strdup(answer->request_id);
    if (!result->job_id)
        result->job_id = cf_qingcloud_get_text(answer->whole, "job_id");
    call->callback.action(result, NULL, call->data);
}

void
cf_qingcloud_refuse(CfQingcloudCall *call, const GError *error)
{
    if (call->rehearsed) {
        tell_rehearsed(call);
        return;
    }
    note_call(call);
    call->callback.action(&call->result, error, call->data);
}

static void
on_accepted(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    if (error)
        cf_qingcloud_refuse(call, error);
    else
        cf_qingcloud_accept(call, answer);
}

static gboolean
has_room(const CfAction *action, GError **error)
{
    if (g_strv_length(action->ids) <= CF_QINGCLOUD_BATCH_MAX)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_TOO_BIG, "one call takes at most %d %s",
                CF_QINGCLOUD_BATCH_MAX, cf_collection_name(action->collection));
    return FALSE;
}

static gboolean
refuse_unsupported(const CfAction *action, GError **error)
{
    g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "QingCloud has no call for: %s of %s",
                cf_action_kind_to_string(action->kind), cf_collection_name(action->collection));
    return FALSE;
}

/* --- power ------------------------------------------------------------------------------------ */

static const struct {
    const char *action; /* (nullable) */
    const char *force;  /* (nullable) */
} verbs[CF_VERB_N] = {
    [CF_VERB_ON] = {"StartInstances", NULL},     [CF_VERB_OFF] = {"StopInstances", "0"},
    [CF_VERB_OFF_HARD] = {"StopInstances", "1"}, [CF_VERB_REBOOT] = {"RestartInstances", NULL},
    [CF_VERB_REBOOT_HARD] = {NULL, NULL}, /* the inventory stops and starts */
};

static gboolean
begin_power(CfQingcloudCall *call, GError **error)
{
    const CfAction *action = call->todo;

    if (!verbs[action->verb].action) {
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "QingCloud has no call for: %s",
                    cf_verb_to_string(action->verb));
        return FALSE;
    }
    if (!has_room(action, error))
        return FALSE;
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, verbs[action->verb].action);
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    cf_qingcloud_call_add_list(call, "instances", action->ids);
    if (verbs[action->verb].force)
        cf_qingcloud_call_add(call, "force", verbs[action->verb].force);
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- name, description ------------------------------------------------------------------------ */

static const struct {
    const char *action, *id, *name;
} attributes[CF_COLLECTION_N] = {
    [CF_SERVERS] = {"ModifyInstanceAttributes", "instance", "instance_name"},
    [CF_IMAGES] = {"ModifyImageAttributes", "image", "image_name"},
};

static void
begin_modify(CfQingcloudCall *call, CfCollection collection, const char *id, const char *name,
             const char *value)
{
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, attributes[collection].action);
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    cf_qingcloud_call_add(call, attributes[collection].id, id);
    cf_qingcloud_call_add(call, name, value ? value : "");
}

static gboolean
begin_rename(CfQingcloudCall *call)
{
    const CfAction *action = call->todo;

    begin_modify(call, action->collection, action->ids[0], attributes[action->collection].name,
                 action->text);
    cf_qingcloud_call_send(call);
    return TRUE;
}

static gboolean
begin_describe(CfQingcloudCall *call)
{
    const CfAction *action = call->todo;

    begin_modify(call, action->collection, action->ids[0], "description", action->text);
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- console ---------------------------------------------------------------------------------- */

static char *
take_member(const CfQingcloudAnswer *answer, const char *set, const char *key)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    gint64 total;

    if (!cf_qingcloud_read_set(answer, set, items, &total, NULL) || items->len == 0)
        return NULL;
    return cf_qingcloud_get_text(g_array_index(items, CfJsonSpan, 0), key);
}

static gboolean
is_word(const char *text)
{
    return text && *text && strlen(text) < 16 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == strlen(text);
}

/* A host of a URL: a name, an IPv4 address, or an IPv6 address with or without brackets. */
static gboolean
is_host(const char *text)
{
    return text && *text &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789.-_:[]") == strlen(text);
}

static gboolean
is_line(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p < 0x20 || *p == 0x7f)
            return FALSE;
    return TRUE;
}

/* "vnc://host:port", and the password on a line of its own where there is one: whoever may read the
 * file needs it. call->id holds it until then. */
static void
on_broker(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    g_autofree char *host = NULL, *port = NULL;
    g_autoptr(GError) wrong = NULL;
    CfActionResult *result = &call->result;
    gboolean bare;

    if (error) {
        cf_qingcloud_refuse(call, error);
        return;
    }
    host = take_member(answer, "brokers", "broker_host");
    if (!host)
        host = take_member(answer, "brokers", "broker_ip");
    port = take_member(answer, "brokers", "broker_port");
    if (!is_host(host) || !port || strlen(port) > 5 || strspn(port, "0123456789") != strlen(port)) {
        g_set_error(&wrong, CF_ERROR, CF_ERROR_PROTOCOL,
                    "brokers: broker_host or broker_port is missing or of no use");
        cf_qingcloud_refuse(call, wrong);
        return;
    }
    bare = strchr(host, ':') && *host != '[';
    result->console_url =
        g_strdup_printf("%s://%s%s%s:%s%s%s", result->console_type, bare ? "[" : "", host,
                        bare ? "]" : "", port, call->id ? "\n" : "", call->id ? call->id : "");
    cf_qingcloud_accept(call, answer);
}

/* Protocol and password are the server's, not the broker's. */
static void
on_console_server(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    const CfAction *action = call->todo;
    g_autoptr(GError) wrong = NULL;
    g_autofree char *protocol = NULL;
    CfJsonSpan server;

    if (error || !cf_qingcloud_find_one(answer, CF_SERVERS, action->ids[0], &server, &wrong)) {
        cf_qingcloud_refuse(call, error ? error : wrong);
        return;
    }
    protocol = cf_qingcloud_get_text(server, "graphics_protocol");
    call->result.console_type = g_strdup(is_word(protocol) ? protocol : cf_qingcloud_consoles[0]);
    call->id = cf_qingcloud_get_text(server, "graphics_passwd");
    if (call->id && !is_line(call->id))
        g_clear_pointer(&call->id, cf_text_wipe);
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, "CreateBrokers");
    call->flags |= CF_QINGCLOUD_OF_RESOURCE | CF_QINGCLOUD_SECRET;
    cf_qingcloud_call_add_list(call, "instances", action->ids);
    call->done = on_broker;
    cf_qingcloud_call_send(call);
}

static gboolean
begin_console(CfQingcloudCall *call, GError **error)
{
    const CfAction *action = call->todo;
    const char *type = action->text && *action->text ? action->text : cf_qingcloud_consoles[0];

    if (!g_strv_contains(cf_qingcloud_consoles, type)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "no console of the type ‘%.64s’ here: vnc",
                    type);
        return FALSE;
    }
    cf_qingcloud_ask_for(call, CF_SERVERS, action->ids[0]);
    call->flags |= CF_QINGCLOUD_SECRET;
    call->done = on_console_server;
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- capture ---------------------------------------------------------------------------------- */

/* The image is being made, whatever became of its description: to call that a failure would have it
 * made twice. */
static void
on_described(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    g_auto(CfQingcloudAnswer) nothing = {0};

    if (error)
        cf_warning("%s: the image %s is being made, but without its description: %s",
                   call->cloud->profile, call->result.new_id, error->message);
    cf_qingcloud_accept(call, answer ? answer : &nothing);
}

static void
on_captured(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    const CfAction *action = call->todo;

    if (error) {
        cf_qingcloud_refuse(call, error);
        return;
    }
    call->result.new_id = cf_qingcloud_get_text(answer->whole, "image_id");
    if (!call->result.new_id || !action->description || !*action->description) {
        cf_qingcloud_accept(call, answer);
        return;
    }
    note_call(call);
    call->result.request_id = g_strdup(answer->request_id);
    call->result.job_id = cf_qingcloud_get_text(answer->whole, "job_id");
    begin_modify(call, CF_IMAGES, call->result.new_id, "description", action->description);
    call->done = on_described;
    cf_qingcloud_call_send(call);
}

static gboolean
begin_capture(CfQingcloudCall *call, GError **error)
{
    const CfAction *action = call->todo;

    if (!action->text || !*action->text) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "an image needs a name");
        return FALSE;
    }
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, "CaptureInstance");
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    cf_qingcloud_call_add(call, "instance", action->ids[0]);
    cf_qingcloud_call_add(call, "image_name", action->text);
    call->done = on_captured;
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- deletion --------------------------------------------------------------------------------- */

static gboolean
begin_delete(CfQingcloudCall *call, GError **error)
{
    if (!has_room(call->todo, error))
        return FALSE;
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, "DeleteImages");
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    cf_qingcloud_call_add_list(call, "images", call->todo->ids);
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- any of them ------------------------------------------------------------------------------ */

static gboolean
begin_server(CfQingcloudCall *call, GError **error)
{
    switch (call->todo->kind) {
    case CF_ACTION_POWER:
        return begin_power(call, error);
    case CF_ACTION_RENAME:
        return begin_rename(call);
    case CF_ACTION_DESCRIBE:
        return begin_describe(call);
    case CF_ACTION_TAGS:
        return cf_qingcloud_set_tags(call, error);
    case CF_ACTION_CONSOLE:
        return begin_console(call, error);
    case CF_ACTION_CAPTURE:
        return begin_capture(call, error);
    case CF_ACTION_DELETE:
    case CF_ACTION_LOCK:
    case CF_ACTION_LOCK_REASON:
    case CF_ACTION_METADATA:
    case CF_ACTION_CONSOLE_LOG:
    case CF_ACTION_N:
        break;
    }
    return refuse_unsupported(call->todo, error);
}

static gboolean
begin_image(CfQingcloudCall *call, GError **error)
{
    switch (call->todo->kind) {
    case CF_ACTION_RENAME:
        return begin_rename(call);
    case CF_ACTION_DESCRIBE:
        return begin_describe(call);
    case CF_ACTION_TAGS:
        return cf_qingcloud_set_tags(call, error);
    case CF_ACTION_DELETE:
        return begin_delete(call, error);
    case CF_ACTION_POWER:
    case CF_ACTION_CONSOLE:
    case CF_ACTION_CAPTURE:
    case CF_ACTION_LOCK:
    case CF_ACTION_LOCK_REASON:
    case CF_ACTION_METADATA:
    case CF_ACTION_CONSOLE_LOG:
    case CF_ACTION_N:
        break;
    }
    return refuse_unsupported(call->todo, error);
}

void
cf_qingcloud_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
                 gpointer data)
{
    CfQingcloudCall *call = cf_qingcloud_call_new(handle, deadline_us, on_accepted, data);
    GError *error = NULL;
    gboolean begun;

    call->callback.action = callback;
    call->todo = cf_action_ref(action);
    call->user_waits = TRUE;
    if (!action->ids || !action->ids[0]) {
        g_set_error(&error, CF_ERROR, CF_ERROR_INVALID, "no %s named",
                    cf_collection_name(action->collection));
        begun = FALSE;
    } else {
        begun = action->collection == CF_SERVERS ? begin_server(call, &error)
                                                 : begin_image(call, &error);
    }
    if (begun)
        return;
    call->done = on_accepted;
    cf_qingcloud_call_skip(call, error);
}
