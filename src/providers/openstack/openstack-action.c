#include "providers/openstack/private.h"

#include "util/text.h"
#include "json/fields.h"
#include "json/write.h"

#include <string.h>

#define JSON_TYPE "application/json"
#define PATCH_TYPE "application/openstack-images-v2.1-json-patch"
#define SERVER_TAG_MAX 60 /* characters */
#define IMAGE_TAG_MAX 255

/* --- results ---------------------------------------------------------------------------------- */

void
cf_os_fill_result(CfOsCall *call, const CfHttpReply *reply, CfActionResult *result)
{
    result->method_path = g_strdup(call->label);
    if (!reply)
        return;
    result->request_id = g_strdup(reply->request_id);
    result->http_status = reply->status;
}

void
cf_os_on_accepted(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_auto(CfActionResult) result = {0};

    cf_os_fill_result(call, reply, &result);
    call->callback.action(&result, error, call->data);
}

void
cf_os_set_method(CfOsCall *call, const char *method)
{
    g_free(call->method);
    call->method = g_strdup(method);
}

void
cf_os_drop_body(CfOsCall *call)
{
    g_string_free(g_steal_pointer(&call->body), TRUE);
}

gboolean
cf_os_needs_version(const CfOs *os, int version, const char *what, GError **error)
{
    if (os->version < 0 || os->version >= version)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED,
                "this cloud's compute version 2.%d has no %s", os->version, what);
    return FALSE;
}

/* --- servers: actions ------------------------------------------------------------------------- */

static const struct {
    const char *action;
    const char *type; /* (nullable): then the action has no argument */
} verbs[CF_VERB_N] = {
    [CF_VERB_ON] = {"os-start", NULL},     [CF_VERB_OFF] = {"os-stop", NULL},
    [CF_VERB_REBOOT] = {"reboot", "SOFT"}, [CF_VERB_REBOOT_HARD] = {"reboot", "HARD"},
    [CF_VERB_PAUSE] = {"pause", NULL},     [CF_VERB_UNPAUSE] = {"unpause", NULL},
    [CF_VERB_SUSPEND] = {"suspend", NULL}, [CF_VERB_RESUME] = {"resume", NULL},
    [CF_VERB_SHELVE] = {"shelve", NULL},   [CF_VERB_UNSHELVE] = {"unshelve", NULL},
};

void
cf_os_begin_action(CfOsCall *call, CfJsonWriter *writer)
{
    g_string_append(call->path, "/action");
    cf_json_writer_init(writer, call->body);
    cf_json_open(writer, NULL, '{');
}

static gboolean
prepare_power(CfOsCall *call, GError **error)
{
    CfVerb verb = call->action->verb;
    CfJsonWriter writer;

    if (!verbs[verb].action) {
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "OpenStack has no “%s”",
                    cf_verb_to_string(verb));
        return FALSE;
    }
    cf_os_begin_action(call, &writer);
    if (verbs[verb].type) {
        cf_json_open(&writer, verbs[verb].action, '{');
        cf_json_put(&writer, "type", verbs[verb].type);
        cf_json_close(&writer, '}');
    } else {
        cf_json_put(&writer, verbs[verb].action, NULL);
    }
    cf_json_close(&writer, '}');
    return TRUE;
}

/* PUT /servers/{id}: description null takes it away. */
static void
prepare_update(CfOsCall *call, const char *member)
{
    const char *text = call->action->text ? call->action->text : "";
    gboolean clear = call->action->kind == CF_ACTION_DESCRIBE && !*text;
    CfJsonWriter writer;

    cf_os_set_method(call, "PUT");
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, "server", '{');
    cf_json_put(&writer, member, clear ? NULL : text);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
}

static gboolean
has_length(const CfOsCall *call, const char *what, GError **error)
{
    const char *text = call->action->text;

    return !text || cf_os_check_length(text, what, error);
}

static gboolean
prepare_describe(CfOsCall *call, GError **error)
{
    if (!cf_os_needs_version(call->os, CF_OS_HAS_DESCRIPTION, "descriptions", error) ||
        !has_length(call, "a description", error))
        return FALSE;
    prepare_update(call, "description");
    return TRUE;
}

/* --- servers: console, capture ---------------------------------------------------------------- */

static const struct {
    const char *type, *protocol;
    const char *action; /* before microversion 2.6 */
} consoles[] = {
    {"novnc", "vnc", "os-getVNCConsole"},
    {"spice-html5", "spice", "os-getSPICEConsole"},
    {"serial", "serial", "os-getSerialConsole"},
    {"rdp-html5", "rdp", "os-getRDPConsole"},
    {"webmks", "mks", NULL},
};

const char *const cf_os_consoles[] = {"novnc",     "spice-html5", "serial",
                                      "rdp-html5", "webmks",      NULL};

typedef struct {
    char *url, *type;
} Console;

static const CfJsonField console_fields[] = {
    {"remote_console.url", cf_json_take_text, offsetof(Console, url), CF_JSON_OPTIONAL},
    {"remote_console.type", cf_json_take_text, offsetof(Console, type), CF_JSON_OPTIONAL},
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
on_console(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_auto(CfActionResult) result = {0};
    g_autoptr(GError) wrong = NULL;
    Console console = {NULL, NULL};
    CfJsonSpan whole;
    const char *text;
    gsize len;

    if (error) {
        cf_os_on_accepted(call, NULL, error);
        return;
    }
    text = g_bytes_get_data(reply->body, &len);
    if (cf_json_check(text, len, &whole, NULL))
        cf_json_read(whole, console_fields, G_N_ELEMENTS(console_fields), &console, NULL);
    cf_os_fill_result(call, reply, &result);
    result.console_url = console.url;
    result.console_type = console.type ? console.type : g_strdup(call->action->text);
    if (!result.console_url || !is_one_line(result.console_url))
        g_set_error(&wrong, CF_ERROR, CF_ERROR_PROTOCOL, "console url: missing or of no use");
    call->callback.action(wrong ? NULL : &result, wrong, call->data);
}

static void
write_remote_console(CfOsCall *call, guint console)
{
    CfJsonWriter writer;

    g_string_append(call->path, "/remote-consoles");
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, "remote_console", '{');
    cf_json_put(&writer, "protocol", consoles[console].protocol);
    cf_json_put(&writer, "type", consoles[console].type);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
}

static void
write_old_console(CfOsCall *call, guint console)
{
    CfJsonWriter writer;

    cf_os_begin_action(call, &writer);
    cf_json_open(&writer, consoles[console].action, '{');
    cf_json_put(&writer, "type", consoles[console].type);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
}

static gboolean
prepare_console(CfOsCall *call, GError **error)
{
    const char *text = call->action->text;
    const char *type = text && *text ? text : cf_os_consoles[0];
    gboolean old = call->os->version >= 0 && call->os->version < CF_OS_HAS_REMOTE_CONSOLES;

    for (guint i = 0; i < G_N_ELEMENTS(consoles); i++) {
        if (strcmp(consoles[i].type, type) != 0 || (old && !consoles[i].action))
            continue;
        if (old)
            write_old_console(call, i);
        else
            write_remote_console(call, i);
        call->secret = TRUE; /* whoever has the URL has the screen */
        call->done = on_console;
        return TRUE;
    }
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "no console of the type ‘%.64s’ here", type);
    return FALSE;
}

/* The image's id: in the answer, or of old at the end of the header Location. An image whose id we
 * are not told is being made all the same: to call that a failure would have it made twice.
 * Returns: (transfer full) (nullable). */
static char *
read_new_id(const CfHttpReply *reply)
{
    const char *location = g_hash_table_lookup(reply->headers, "location");
    CfJsonSpan whole, id;
    const char *text;
    char *value = NULL;
    gsize len;

    text = g_bytes_get_data(reply->body, &len);
    if (cf_json_check(text, len, &whole, NULL) && cf_json_get(whole, "image_id", FALSE, &id))
        value = cf_json_scalar(id);
    if (!value && location && strrchr(location, '/'))
        value = g_strndup(strrchr(location, '/') + 1, strcspn(strrchr(location, '/') + 1, "?#"));
    if (value && !*value)
        g_clear_pointer(&value, g_free);
    return value;
}

static void
on_captured(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_auto(CfActionResult) result = {0};

    cf_os_fill_result(call, reply, &result);
    if (reply)
        result.new_id = read_new_id(reply);
    call->callback.action(&result, error, call->data);
}

/* createImage has no place for a description; metadata become the image's properties, and that is
 * what Glance's description is. */
static gboolean
prepare_capture(CfOsCall *call, GError **error)
{
    const CfAction *action = call->action;
    CfJsonWriter writer;

    if (!action->text || !*action->text) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "an image needs a name");
        return FALSE;
    }
    if (!cf_os_check_length(action->text, "a name", error) ||
        (action->description &&
         !cf_os_check_length(action->description, "a new image's description", error)))
        return FALSE;
    cf_os_begin_action(call, &writer);
    cf_json_open(&writer, "createImage", '{');
    cf_json_put(&writer, "name", action->text);
    cf_json_open(&writer, "metadata", '{');
    if (action->description && *action->description)
        cf_json_put(&writer, "description", action->description);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    call->done = on_captured;
    return TRUE;
}

/* --- tags ------------------------------------------------------------------------------------- */

/* Whether the new set differs from the former one by one tag only.
 * ret_tag: (transfer none): that tag. */
static gboolean
differs_by_one(const CfAction *action, const char **ret_tag, gboolean *ret_added)
{
    guint n = 0;

    if (!action->tags_before)
        return FALSE;
    for (guint i = 0; action->tags[i]; i++) {
        if (!g_strv_contains((const char *const *) action->tags_before, action->tags[i])) {
            *ret_tag = action->tags[i];
            *ret_added = TRUE;
            n++;
        }
    }
    for (guint i = 0; action->tags_before[i]; i++) {
        if (!g_strv_contains((const char *const *) action->tags, action->tags_before[i])) {
            *ret_tag = action->tags_before[i];
            *ret_added = FALSE;
            n++;
        }
    }
    return n == 1;
}

/* A tag that somebody else took away meanwhile is away, which is what was wanted. */
static void
on_tag_changed(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    const CfCloudWords *words = error ? cf_error_get_cloud(error) : NULL;
    /* Glance says no more than this, but names the image when that is what is missing. */
    const char *gone = call->service == CF_OS_IMAGE ? "The resource could not be found" : "no tag";

    if (words && words->http_status == 404 && strcmp(call->method, "DELETE") == 0 &&
        words->message && strstr(words->message, gone))
        error = NULL;
    cf_os_on_accepted(call, reply, error);
}

static void
prepare_one_tag(CfOsCall *call, const char *tag, gboolean added)
{
    cf_os_set_method(call, added ? "PUT" : "DELETE");
    g_string_append(call->path, "/tags");
    cf_os_call_add_segment(call, tag);
    cf_os_drop_body(call);
    call->done = on_tag_changed;
}

static void
write_tag_array(CfJsonWriter *writer, const char *key, char **tags)
{
    cf_json_open(writer, key, '[');
    for (guint i = 0; tags[i]; i++)
        cf_json_put(writer, NULL, tags[i]);
    cf_json_close(writer, ']');
}

/* What the clouds' own checks would say less clearly, or with another meaning. */
static gboolean
check_tags(const CfAction *action, GError **error)
{
    glong max = action->collection == CF_SERVERS ? SERVER_TAG_MAX : IMAGE_TAG_MAX;

    for (guint i = 0; action->tags[i]; i++) {
        const char *tag = action->tags[i];

        if (!g_utf8_validate(tag, -1, NULL)) {
            g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "a tag is text in UTF-8");
            return FALSE;
        }
        if (g_utf8_strlen(tag, -1) > max) {
            g_set_error(error, CF_ERROR, CF_ERROR_NAME_TOO_LONG, "a tag has at most %ld characters",
                        max);
            return FALSE;
        }
        if (action->collection == CF_SERVERS && strpbrk(tag, "/,")) {
            g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                        "‘%.60s’ is no tag here: ‘/’ and ‘,’ cannot stand in one", tag);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
prepare_server_tags(CfOsCall *call, GError **error)
{
    const CfAction *action = call->action;
    const char *tag;
    gboolean added;
    CfJsonWriter writer;

    if (!cf_os_needs_version(call->os, CF_OS_HAS_TAGS, "tags of servers", error) ||
        !check_tags(action, error))
        return FALSE;
    if (differs_by_one(action, &tag, &added) && cf_os_is_addressable(tag) && !strpbrk(tag, "/,")) {
        prepare_one_tag(call, tag, added);
        return TRUE;
    }
    cf_os_set_method(call, "PUT");
    g_string_append(call->path, "/tags");
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    write_tag_array(&writer, "tags", action->tags);
    cf_json_close(&writer, '}');
    return TRUE;
}

/* --- images ----------------------------------------------------------------------------------- */

/* "add" makes a property and overwrites one; "replace" would refuse what is not there yet. */
static void
begin_patch(CfOsCall *call, CfJsonWriter *writer, const char *path)
{
    cf_os_set_method(call, "PATCH");
    call->content_type = PATCH_TYPE;
    cf_json_writer_init(writer, call->body);
    cf_json_open(writer, NULL, '[');
    cf_json_open(writer, NULL, '{');
    cf_json_put(writer, "op", "add");
    cf_json_put(writer, "path", path);
}

static void
end_patch(CfJsonWriter *writer)
{
    cf_json_close(writer, '}');
    cf_json_close(writer, ']');
}

static void
prepare_patch(CfOsCall *call, const char *path)
{
    CfJsonWriter writer;

    begin_patch(call, &writer, path);
    cf_json_put(&writer, "value", call->action->text ? call->action->text : "");
    end_patch(&writer);
}

static gboolean
prepare_image_tags(CfOsCall *call, GError **error)
{
    const CfAction *action = call->action;
    const char *tag;
    gboolean added;
    CfJsonWriter writer;

    if (!check_tags(action, error))
        return FALSE;
    if (differs_by_one(action, &tag, &added) && cf_os_is_addressable(tag) && !strchr(tag, '/')) {
        prepare_one_tag(call, tag, added);
        return TRUE;
    }
    begin_patch(call, &writer, "/tags");
    write_tag_array(&writer, "value", action->tags);
    end_patch(&writer);
    return TRUE;
}

static gboolean
prepare_delete(CfOsCall *call)
{
    cf_os_set_method(call, "DELETE");
    cf_os_drop_body(call);
    return TRUE;
}

/* --- any of them ------------------------------------------------------------------------------ */

static gboolean
refuse_unsupported(const CfAction *action, GError **error)
{
    g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "OpenStack has no call for: %s of %s",
                cf_action_kind_to_string(action->kind), cf_collection_name(action->collection));
    return FALSE;
}

static gboolean
prepare_server(CfOsCall *call, GError **error)
{
    switch (call->action->kind) {
    case CF_ACTION_POWER:
        return prepare_power(call, error);
    case CF_ACTION_RENAME:
        if (!has_length(call, "a name", error))
            return FALSE;
        prepare_update(call, "name");
        return TRUE;
    case CF_ACTION_DESCRIBE:
        return prepare_describe(call, error);
    case CF_ACTION_TAGS:
        return prepare_server_tags(call, error);
    case CF_ACTION_CONSOLE:
        return prepare_console(call, error);
    case CF_ACTION_CAPTURE:
        return prepare_capture(call, error);
    case CF_ACTION_LOCK:
        return cf_os_prepare_lock(call);
    case CF_ACTION_LOCK_REASON:
        return cf_os_prepare_lock_reason(call, error);
    case CF_ACTION_METADATA:
        return cf_os_prepare_metadata(call, error);
    case CF_ACTION_CONSOLE_LOG:
        return cf_os_prepare_console_log(call);
    case CF_ACTION_DELETE:
    case CF_ACTION_N:
        break;
    }
    return refuse_unsupported(call->action, error);
}

static gboolean
prepare_image(CfOsCall *call, GError **error)
{
    switch (call->action->kind) {
    case CF_ACTION_RENAME:
        if (!has_length(call, "a name", error))
            return FALSE;
        prepare_patch(call, "/name");
        return TRUE;
    case CF_ACTION_DESCRIBE:
        prepare_patch(call, "/description");
        return TRUE;
    case CF_ACTION_TAGS:
        return prepare_image_tags(call, error);
    case CF_ACTION_DELETE:
        return prepare_delete(call);
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
    return refuse_unsupported(call->action, error);
}

static gboolean
prepare(CfOsCall *call, GError **error)
{
    const CfAction *action = call->action;
    const char *collection = cf_collection_name(action->collection);

    if (!action->ids || !action->ids[0] || action->ids[1]) {
        g_set_error(error, CF_ERROR,
                    action->ids && action->ids[0] ? CF_ERROR_TOO_BIG : CF_ERROR_INVALID,
                    "a call is about one of the %s", collection);
        return FALSE;
    }
    if (!cf_os_is_addressable(action->ids[0])) {
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "‘%s’ cannot be named to the cloud",
                    action->ids[0]);
        return FALSE;
    }
    call->id = g_strdup(action->ids[0]);
    g_string_printf(call->path, "/%s", collection);
    cf_os_call_add_segment(call, call->id);
    return action->collection == CF_SERVERS ? prepare_server(call, error)
                                            : prepare_image(call, error);
}

void
cf_os_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
          gpointer data)
{
    CfOsService service = action->collection == CF_SERVERS ? CF_OS_COMPUTE : CF_OS_IMAGE;
    g_autoptr(GError) error = NULL;
    CfOsCall *call = cf_os_call_new(handle, service, CF_HTTP_CHANGE, "POST", deadline_us,
                                    cf_os_on_accepted, data);

    call->callback.action = callback;
    call->action = cf_action_ref(action);
    call->collection = action->collection;
    call->user_waits = TRUE;
    call->body = g_string_new(NULL);
    call->content_type = JSON_TYPE;
    if (prepare(call, &error))
        cf_os_call_send(call);
    else
        cf_os_call_refuse(call, g_steal_pointer(&error));
}
