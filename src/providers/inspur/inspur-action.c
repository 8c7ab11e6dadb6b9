#include "providers/inspur/private.h"

#include "util/text.h"
#include "json/fields.h"
#include "json/write.h"

#include <string.h>

#define FORM_TYPE "application/x-www-form-urlencoded"
#define JSON_TYPE "application/json"
#define GLANCE_TYPE "application/openstack-images-v2.1-json-patch"

const char *const cf_inspur_consoles[] = {"novnc", "xvpvnc", NULL};

/* --- results ---------------------------------------------------------------------------------- */

static void
fill_result(CfInspurCall *call, const CfInspurAnswer *answer, CfActionResult *result)
{
    result->method_path = cf_inspur_call_label(call);
    result->request_id = g_strdup(answer->request_id);
    result->http_status = call->http_status;
}

static void
on_accepted(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    g_auto(CfActionResult) result = {0};

    if (answer)
        fill_result(call, answer, &result);
    else
        result.method_path = cf_inspur_call_label(call);
    call->callback.action(&result, error, call->data);
}

/* Sends the call once more in another form, which the caller has put into it. */
static void
try_again(CfInspurCall *call, const GError *error)
{
    call->tries++;
    call->first_error = g_error_copy(error);
    cf_inspur_call_send(call);
}

static int
http_status_of(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return words ? words->http_status : 0;
}

static gboolean
has_cloud_code(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return words && words->code && strchr(words->code, '.');
}

/* --- power ------------------------------------------------------------------------------------ */

static const struct {
    const char *action;
    const char *type;  /* (nullable) */
    gboolean as_batch; /* the call for one server has no such type */
} verbs[CF_VERB_N] = {
    [CF_VERB_ON] = {"os-start", NULL, FALSE},          [CF_VERB_OFF] = {"os-stop", NULL, FALSE},
    [CF_VERB_OFF_HARD] = {"os-stop", "HARD", TRUE},    [CF_VERB_REBOOT] = {"reboot", "SOFT", FALSE},
    [CF_VERB_REBOOT_HARD] = {"reboot", "HARD", FALSE},
};

static void
write_ids(CfJsonWriter *writer, const char *key, char **ids)
{
    cf_json_open(writer, key, '[');
    for (guint i = 0; ids[i]; i++) {
        cf_json_open(writer, NULL, '{');
        cf_json_put(writer, "id", ids[i]);
        cf_json_close(writer, '}');
    }
    cf_json_close(writer, ']');
}

static void
write_power(CfInspurCall *call, gboolean batch)
{
    const CfAction *action = call->action;
    CfJsonWriter writer;

    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, verbs[action->verb].action, '{');
    if (verbs[action->verb].type)
        cf_json_put(&writer, "type", verbs[action->verb].type);
    if (batch)
        write_ids(&writer, "servers", action->ids);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
}

static gboolean
prepare_power(CfInspurCall *call, GError **error)
{
    const CfAction *action = call->action;
    gboolean batch = action->ids[1] != NULL || verbs[action->verb].as_batch;

    if (g_strv_length(action->ids) > CF_INSPUR_BATCH_MAX) {
        g_set_error(error, CF_ERROR, CF_ERROR_TOO_BIG, "one call takes at most %d servers",
                    CF_INSPUR_BATCH_MAX);
        return FALSE;
    }
    g_string_assign(call->path, "/v1/servers");
    if (!batch) {
        cf_inspur_call_add_segment(call, action->ids[0]);
        call->flags |= CF_INSPUR_OF_RESOURCE;
    }
    g_string_append(call->path, "/action");
    write_power(call, batch);
    return TRUE;
}

/* --- console, capture ------------------------------------------------------------------------- */

static void
begin_server_action(CfInspurCall *call)
{
    g_string_assign(call->path, "/v1/servers");
    cf_inspur_call_add_segment(call, call->action->ids[0]);
    g_string_append(call->path, "/action");
    call->flags |= CF_INSPUR_OF_RESOURCE;
}

typedef struct {
    char *url, *type;
} Console;

static const CfJsonField console_fields[] = {
    {"console.url", cf_json_take_text, offsetof(Console, url), CF_JSON_OPTIONAL},
    {"console.type", cf_json_take_text, offsetof(Console, type), CF_JSON_OPTIONAL},
};

static gboolean
is_one_line(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p < 0x20 || *p == 0x7f)
            return FALSE;
    return *text != '\0';
}

static void
on_console(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    g_auto(CfActionResult) result = {0};
    g_autoptr(GError) wrong = NULL;
    Console console = {NULL, NULL};

    if (error) {
        call->callback.action(NULL, error, call->data);
        return;
    }
    cf_json_read(answer->data, console_fields, G_N_ELEMENTS(console_fields), &console, NULL);
    fill_result(call, answer, &result);
    result.console_url = console.url;
    result.console_type = console.type ? console.type : g_strdup(call->action->text);
    if (!result.console_url || !is_one_line(result.console_url))
        g_set_error(&wrong, CF_ERROR, CF_ERROR_PROTOCOL, "data.console.url: missing or of no use");
    call->callback.action(wrong ? NULL : &result, wrong, call->data);
}

static gboolean
prepare_console(CfInspurCall *call, GError **error)
{
    CfAction *action = call->action;
    const char *type = action->text && *action->text ? action->text : cf_inspur_consoles[0];
    CfJsonWriter writer;

    if (!g_strv_contains(cf_inspur_consoles, type)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "no console of the type ‘%.64s’ here: novnc, xvpvnc", type);
        return FALSE;
    }
    begin_server_action(call);
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, "os-getVNCConsole", '{');
    cf_json_put(&writer, "type", type);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    call->flags |= CF_INSPUR_SECRET; /* whoever has the URL has the screen */
    call->done = on_console;
    return TRUE;
}

/* An image whose id we are not told is being made all the same: to call that a failure would have
 * it made twice. */
static void
on_captured(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    g_auto(CfActionResult) result = {0};
    CfJsonSpan id;

    if (answer) {
        fill_result(call, answer, &result);
        if (cf_json_get(answer->data, "image_id", FALSE, &id))
            result.new_id = cf_json_scalar(id);
        if (result.new_id && !*result.new_id)
            g_clear_pointer(&result.new_id, g_free);
    }
    call->callback.action(answer ? &result : NULL, error, call->data);
}

/* The table wants a tenant's id, for which neither path nor body has a place. */
static gboolean
prepare_capture(CfInspurCall *call, GError **error)
{
    const CfAction *action = call->action;
    CfJsonWriter writer;

    if (!action->text || !*action->text) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "an image needs a name");
        return FALSE;
    }
    begin_server_action(call);
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, "createImage", '{');
    cf_json_put(&writer, "name", action->text);
    cf_json_put(&writer, "description", action->description ? action->description : "");
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    call->done = on_captured;
    return TRUE;
}

/* --- tags ------------------------------------------------------------------------------------- */

/* "tags=a,b": each tag encoded, the commas between them as they are. */
static void
append_tags(GString *out, char **tags)
{
    g_string_append(out, "tags=");
    for (guint i = 0; tags && tags[i]; i++) {
        g_autofree char *encoded = g_uri_escape_string(tags[i], NULL, FALSE);

        if (i > 0)
            g_string_append_c(out, ',');
        g_string_append(out, encoded);
    }
}

static void
write_tags(CfInspurCall *call, gboolean form)
{
    g_string_assign(call->path, "/v1/servers");
    cf_inspur_call_add_segment(call, call->action->ids[0]);
    g_string_append(call->path, "/tags");
    call->form = form;
    if (form) {
        call->body = g_string_new(NULL);
        call->content_type = FORM_TYPE;
        append_tags(call->body, call->action->tags);
    } else {
        g_string_append_c(call->path, '?');
        append_tags(call->path, call->action->tags);
    }
}

/* The document calls tags "params", which may mean either form. The other one is tried only where
 * the refusal is about the form: nothing was done then. */
static gboolean
is_about_form(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);
    int status = http_status_of(error);

    if (status == 415)
        return TRUE;
    if (status != 400)
        return FALSE;
    return !has_cloud_code(error) || strcmp(words->code, "101.001001") == 0 ||
           strcmp(words->code, "101.001002") == 0 || strcmp(words->code, "101.001015") == 0;
}

static void
on_tags_set(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    if (error && call->tries == 0 && !call->form && is_about_form(error)) {
        write_tags(call, TRUE);
        try_again(call, error);
        return;
    }
    if (answer && call->tries > 0)
        call->inspur->dialect.tags_as_form = TRUE;
    /* The form that is documented tells more of what is wrong with the tags. */
    if (error && call->first_error && http_status_of(call->first_error) != 415)
        error = call->first_error;
    on_accepted(call, answer, error);
}

static gboolean
prepare_tags(CfInspurCall *call, GError **error)
{
    CfAction *action = call->action;

    for (guint i = 0; action->tags && action->tags[i]; i++) {
        if (!*action->tags[i] || strchr(action->tags[i], ',')) {
            g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                        "‘%.64s’ is no tag here: the cloud separates tags by commas",
                        action->tags[i]);
            return FALSE;
        }
    }
    g_string_free(g_steal_pointer(&call->body), TRUE);
    call->content_type = NULL;
    call->flags |= CF_INSPUR_OF_RESOURCE;
    call->done = on_tags_set;
    write_tags(call, call->inspur->dialect.tags_as_form);
    return TRUE;
}

/* --- images ----------------------------------------------------------------------------------- */

static void
on_patched(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    if (error && http_status_of(error) == 415 && call->tries == 0) {
        gboolean glance = strcmp(call->content_type, JSON_TYPE) == 0;

        call->content_type = glance ? GLANCE_TYPE : JSON_TYPE;
        try_again(call, error);
        return;
    }
    if (answer)
        call->inspur->dialect.patch_as_glance = strcmp(call->content_type, GLANCE_TYPE) == 0;
    on_accepted(call, answer, error);
}

static void
prepare_patch(CfInspurCall *call, const char *path)
{
    const CfAction *action = call->action;
    CfJsonWriter writer;

    g_string_assign(call->path, "/v1/images");
    cf_inspur_call_add_segment(call, action->ids[0]);
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '[');
    cf_json_open(&writer, NULL, '{');
    cf_json_put(&writer, "op", "add");
    cf_json_put(&writer, "path", path);
    cf_json_put(&writer, "value", action->text ? action->text : "");
    cf_json_close(&writer, '}');
    cf_json_close(&writer, ']');

    g_free(call->method);
    call->method = g_strdup("PATCH");
    call->content_type = call->inspur->dialect.patch_as_glance ? GLANCE_TYPE : JSON_TYPE;
    call->flags |= CF_INSPUR_OF_RESOURCE;
    call->done = on_patched;
}

static const char *
delete_path(gboolean elsewhere)
{
    return elsewhere ? "/v1/images/delete" : "/v1/images/action/delete";
}

static gboolean
is_no_such_path(const GError *error)
{
    int status = http_status_of(error);

    return (status == 404 || status == 405) && !has_cloud_code(error);
}

/* The document's index and its section name two paths. */
static void
on_batch_deleted(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    CfInspurDialect *dialect = &call->inspur->dialect;
    g_auto(CfActionResult) result = {0};
    g_autofree char *prose = NULL;
    g_autoptr(GError) none = NULL;
    CfJsonSpan status;

    if (error && is_no_such_path(error) && call->tries == 0) {
        g_string_assign(call->path, delete_path(!dialect->delete_elsewhere));
        try_again(call, error);
        return;
    }
    if (error && is_no_such_path(error)) {
        cf_error_set_cloud(&none, CF_ERROR_UNSUPPORTED, cf_error_get_cloud(error),
                           "no call that deletes several images: %s", error->message);
        error = none;
    }
    if (answer) {
        dialect->delete_elsewhere = strcmp(call->path->str, delete_path(TRUE)) == 0;
        fill_result(call, answer, &result);
        if (cf_json_get(answer->data, "status", FALSE, &status))
            prose = cf_json_scalar(status);
        if (prose)
            cf_inspur_read_counts(prose, &result.done, &result.failed);
    }
    call->callback.action(answer ? &result : NULL, error, call->data);
}

static gboolean
prepare_batch_delete(CfInspurCall *call, GError **error)
{
    CfJsonWriter writer;

    if (g_strv_length(call->action->ids) > CF_INSPUR_BATCH_MAX) {
        g_set_error(error, CF_ERROR, CF_ERROR_TOO_BIG, "one call takes at most %d images",
                    CF_INSPUR_BATCH_MAX);
        return FALSE;
    }
    g_string_assign(call->path, delete_path(call->inspur->dialect.delete_elsewhere));
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    write_ids(&writer, "images", call->action->ids);
    cf_json_close(&writer, '}');
    call->done = on_batch_deleted;
    return TRUE;
}

static gboolean
prepare_delete(CfInspurCall *call, GError **error)
{
    if (call->action->ids[1])
        return prepare_batch_delete(call, error);

    g_string_free(g_steal_pointer(&call->body), TRUE);
    call->content_type = NULL;
    g_free(call->method);
    call->method = g_strdup("DELETE");
    g_string_assign(call->path, "/v1/images");
    cf_inspur_call_add_segment(call, call->action->ids[0]);
    call->flags |= CF_INSPUR_OF_RESOURCE;
    return TRUE;
}

/* --- any of them ------------------------------------------------------------------------------ */

static gboolean
refuse_unsupported(const CfAction *action, GError **error)
{
    g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "Inspur ECS has no call for: %s of %s",
                cf_action_kind_to_string(action->kind), cf_collection_name(action->collection));
    return FALSE;
}

static gboolean
prepare_server(CfInspurCall *call, GError **error)
{
    switch (call->action->kind) {
    case CF_ACTION_POWER:
        return prepare_power(call, error);
    case CF_ACTION_TAGS:
        return prepare_tags(call, error);
    case CF_ACTION_CONSOLE:
        return prepare_console(call, error);
    case CF_ACTION_CAPTURE:
        return prepare_capture(call, error);
    case CF_ACTION_RENAME:
    case CF_ACTION_DESCRIBE:
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
prepare_image(CfInspurCall *call, GError **error)
{
    switch (call->action->kind) {
    case CF_ACTION_RENAME:
        prepare_patch(call, "/name");
        return TRUE;
    case CF_ACTION_DESCRIBE:
        prepare_patch(call, "/description");
        return TRUE;
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
prepare(CfInspurCall *call, GError **error)
{
    const CfAction *action = call->action;

    if (!action->ids || !action->ids[0]) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "no %s named",
                    cf_collection_name(action->collection));
        return FALSE;
    }
    for (guint i = 0; action->ids[i]; i++) {
        if (!cf_inspur_is_addressable(action->collection, action->ids[i])) {
            g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "‘%s’ cannot be named to the cloud",
                        action->ids[i]);
            return FALSE;
        }
    }
    return action->collection == CF_SERVERS ? prepare_server(call, error)
                                            : prepare_image(call, error);
}

void
cf_inspur_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
              gpointer data)
{
    g_autoptr(GError) error = NULL;
    CfInspurCall *call =
        cf_inspur_call_new(handle, CF_HTTP_CHANGE, "POST", deadline_us, on_accepted, data);

    call->callback.action = callback;
    call->action = cf_action_ref(action);
    call->user_waits = TRUE;
    call->body = g_string_new(NULL);
    call->content_type = JSON_TYPE;
    if (prepare(call, &error))
        cf_inspur_call_send(call);
    else
        cf_inspur_call_refuse(call, g_steal_pointer(&error));
}
