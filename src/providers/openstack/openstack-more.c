/* What Nova offers beyond the other clouds: locks, metadata, the console's output. */
#include "providers/openstack/private.h"

#include <string.h>

#define TEXT_MAX 255 /* characters; the same in Nova's schemas and in Glance's */

/* --- locks, metadata -------------------------------------------------------------------------- */

gboolean
cf_os_check_length(const char *text, const char *what, GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "%s is text in UTF-8", what);
        return FALSE;
    }
    if (g_utf8_strlen(text, -1) <= TEXT_MAX)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_TOO_BIG, "%s has at most %d characters", what, TEXT_MAX);
    return FALSE;
}

gboolean
cf_os_prepare_lock(CfOsCall *call)
{
    gboolean lock = strcmp(call->action->text, "1") == 0;
    CfJsonWriter writer;

    cf_os_begin_action(call, &writer);
    cf_json_put(&writer, lock ? "lock" : "unlock", NULL);
    cf_json_close(&writer, '}');
    return TRUE;
}

gboolean
cf_os_prepare_lock_reason(CfOsCall *call, GError **error)
{
    CfJsonWriter writer;

    if (!cf_os_needs_version(call->os, CF_OS_HAS_LOCKED_REASON, "reasons of locks", error) ||
        !cf_os_check_length(call->action->text, "the reason of a lock", error))
        return FALSE;
    cf_os_begin_action(call, &writer);
    cf_json_open(&writer, "lock", '{');
    cf_json_put(&writer, "locked_reason", call->action->text);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    return TRUE;
}

/* A key that somebody else took away meanwhile is away, which is what was wanted. */
static void
on_key_removed(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    const CfCloudWords *words = error ? cf_error_get_cloud(error) : NULL;

    if (words && words->http_status == 404 && words->message &&
        strcasestr(words->message, "metadata"))
        error = NULL;
    cf_os_on_accepted(call, reply, error);
}

static gboolean
remove_key(CfOsCall *call, GError **error)
{
    const char *key = call->action->key;

    if (strcmp(key, ".") == 0 || strcmp(key, "..") == 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "‘%s’ cannot be named to the cloud",
                    key);
        return FALSE;
    }
    cf_os_set_method(call, "DELETE");
    g_string_append(call->path, "/metadata");
    cf_os_call_add_segment(call, key);
    cf_os_drop_body(call);
    call->done = on_key_removed;
    return TRUE;
}

/* POST sets the keys that it names and leaves the others. */
gboolean
cf_os_prepare_metadata(CfOsCall *call, GError **error)
{
    const CfAction *action = call->action;
    CfJsonWriter writer;

    if (!cf_os_is_metadata_key(action->key)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "metadata has no such keys");
        return FALSE;
    }
    if (!*action->text)
        return remove_key(call, error);
    if (!cf_os_check_length(action->text, "a value", error))
        return FALSE;
    g_string_append(call->path, "/metadata");
    cf_json_writer_init(&writer, call->body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, "metadata", '{');
    cf_json_put(&writer, action->key, action->text);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    return TRUE;
}

/* --- the console's output --------------------------------------------------------------------- */

/* A server that never printed anything may have null there. */
static void
on_console_log(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_auto(CfActionResult) result = {0};
    g_autoptr(GError) wrong = NULL;
    CfJsonSpan whole, output;
    const char *text;
    gsize len;

    if (error) {
        cf_os_on_accepted(call, NULL, error);
        return;
    }
    cf_os_fill_result(call, reply, &result);
    text = g_bytes_get_data(reply->body, &len);
    if (!cf_json_check(text, len, &whole, &wrong))
        g_prefix_error(&wrong, "the console's output: ");
    else if (!cf_json_get(whole, "output", FALSE, &output))
        g_set_error(&wrong, CF_ERROR, CF_ERROR_PROTOCOL, "output: the answer has no such member");
    else
        result.console_log = cf_json_string(output);
    call->callback.action(wrong ? NULL : &result, wrong, call->data);
}

/* Without a length it is all that the cloud keeps, which it bounds itself (100 KiB). */
gboolean
cf_os_prepare_console_log(CfOsCall *call)
{
    CfJsonWriter writer;

    cf_os_begin_action(call, &writer);
    cf_json_open(&writer, "os-getConsoleOutput", '{');
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    call->secret = TRUE; /* passwords are printed there */
    call->done = on_console_log;
    return TRUE;
}
