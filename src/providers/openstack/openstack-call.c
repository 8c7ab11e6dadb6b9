#include "providers/openstack/private.h"

#include "util/clock.h"
#include "util/text.h"

#include <string.h>

CfOsCall *
cf_os_call_new(CfOs *os, CfOsService service, CfHttpClass cls, const char *method,
               gint64 deadline_us, CfOsDone done, gpointer data)
{
    CfOsCall *call = g_new0(CfOsCall, 1);

    call->os = cf_os_ref(os);
    call->service = service;
    call->cls = cls;
    call->method = g_strdup(method);
    call->path = g_string_new(NULL);
    call->content_type = "application/json";
    call->deadline_us = deadline_us ? deadline_us : cf_clock_mono_us() + os->deadline_us;
    call->done = done;
    call->data = data;
    return call;
}

static void
drop_timer(CfOsCall *call)
{
    if (!call->timer)
        return;
    g_source_destroy(call->timer);
    g_clear_pointer(&call->timer, g_source_unref);
}

void
cf_os_call_free(CfOsCall *call)
{
    if (!call)
        return;
    drop_timer(call);
    g_free(call->method);
    g_string_free(call->path, TRUE);
    if (call->body)
        g_string_free(call->body, TRUE);
    g_free(call->id);
    g_free(call->marker);
    g_free(call->label);
    cf_action_unref(call->action);
    g_clear_error(&call->error);
    cf_os_unref(call->os);
    g_free(call);
}

void
cf_os_call_add_segment(CfOsCall *call, const char *text)
{
    g_autofree char *encoded = g_uri_escape_string(text, NULL, FALSE);

    g_string_append_c(call->path, '/');
    g_string_append(call->path, encoded);
}

/* The service's path belongs to it: two services may stand behind one host. */
static void
set_label(CfOsCall *call)
{
    const char *base = call->os->base[call->service];
    const char *host = base ? strstr(base, "://") : NULL;
    const char *path = host ? strchr(host + 3, '/') : NULL;

    g_free(call->label);
    call->label = g_strdup_printf("%s %s%.*s", call->method, path ? path : "",
                                  (int) strcspn(call->path->str, "?"), call->path->str);
}

void
cf_os_call_end(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    drop_timer(call);
    call->busy = FALSE;
    if (!call->os->closed)
        call->done(call, reply, error);
    if (!call->busy)
        cf_os_call_free(call);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* A redirect is not followed: the token would go where nobody said that it may. */
static GError *
redirect_error(const CfHttpReply *reply)
{
    const char *location = g_hash_table_lookup(reply->headers, "location");
    CfCloudWords words = {.http_status = reply->status, .request_id = reply->request_id};
    g_autofree char *line = location ? cf_text_one_line(location) : NULL;
    GError *error = NULL;

    if (line)
        line[strcspn(line, "?#")] = '\0';
    cf_error_set_cloud(&error, CF_ERROR_PROTOCOL, &words,
                       "the service sends us on to %.200s, which is not followed (HTTP status %d)",
                       line ? line : "nowhere", reply->status);
    return error;
}

static GError *
error_of(const CfOsCall *call, const CfHttpReply *reply)
{
    CfOsQuestion question = {
        .service = call->service,
        .id = call->id,
        .with_marker = call->with_marker,
    };
    GError *error;
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);

    if (reply->status < 400)
        return redirect_error(reply);
    error = cf_os_error(&question, reply->status, text, len, reply->request_id,
                        g_hash_table_contains(reply->headers, "retry-after"));
    if (reply->status == 401)
        g_prefix_error(&error, "credentials refused: ");
    return error;
}

static void
on_reply(const CfHttpReply *reply, const GError *error, gpointer data)
{
    CfOsCall *call = data;
    g_autoptr(GError) refusal = NULL;

    if (call->token_lost && !call->os->closed) {
        call->token_lost = FALSE;
        cf_os_call_send(call); /* nothing went out: it waits for the next token */
        return;
    }
    if (call->os->closed || error) {
        cf_os_call_end(call, NULL, error);
        return;
    }
    if (reply->status >= 200 && reply->status < 300) {
        cf_os_call_end(call, reply, NULL);
        return;
    }
    if ((reply->status == 401 && cf_os_session_renew(call)) ||
        (reply->status == 406 && cf_os_session_reversion(call)))
        return;
    refusal = error_of(call, reply);
    cf_os_call_end(call, NULL, refusal);
}

/* --- the request ------------------------------------------------------------------------------ */

static gboolean
sign(CfHttpRequest *request, gpointer data, GError **error)
{
    CfOsCall *call = data;

    if (call->os->closed) {
        g_set_error(error, CF_ERROR, CF_ERROR_TIMEOUT, "the profile is being closed");
        return FALSE;
    }
    return cf_os_session_sign(call, request, error);
}

static void
add_version(const CfOsCall *call, CfHttpRequest *request)
{
    g_autofree char *version = g_strdup_printf("2.%d", call->os->version);
    g_autofree char *named = g_strconcat("compute ", version, NULL);

    if (call->service != CF_OS_COMPUTE || call->versionless ||
        call->os->version <= CF_OS_VERSION_NONE)
        return;
    cf_http_request_add_header(request, "X-OpenStack-Nova-API-Version", version);
    if (call->os->version >= CF_OS_HAS_VERSION_HEADER)
        cf_http_request_add_header(request, "OpenStack-API-Version", named);
}

static CfHttpRequest *
new_request(CfOsCall *call)
{
    const char *base = call->os->base[call->service];
    g_autofree char *url =
        call->versionless ? cf_os_version_root(base) : g_strconcat(base, call->path->str, NULL);
    CfHttpRequest *request = cf_http_request_new(call->cls, call->method, url);

    g_free(request->label);
    request->label = g_strdup(call->label);
    if (call->body) {
        request->body = g_bytes_new(call->body->str, call->body->len);
        g_free(request->content_type);
        request->content_type = g_strdup(call->content_type);
    }
    request->deadline_us = call->deadline_us;
    request->user_waits = call->user_waits;
    request->secret_reply = call->secret;
    request->sign = sign;
    request->sign_data = call;
    cf_http_request_add_header(request, "Accept", "application/json");
    add_version(call, request);
    return request;
}

void
cf_os_call_go(CfOsCall *call)
{
    CfOs *os = call->os;

    drop_timer(call);
    if (call->path->len == 0 || os->closed) {
        cf_os_call_end(call, NULL, NULL);
    } else if (!os->base[call->service]) {
        cf_os_call_end(call, NULL, os->absent[call->service]);
    } else {
        set_label(call);
        cf_channel_send(os->channel, new_request(call), on_reply, call);
    }
}

static gboolean
on_late(gpointer data)
{
    CfOsCall *call = data;
    g_autoptr(GError) error = g_steal_pointer(&call->error);

    g_queue_remove(&call->os->late, call);
    cf_os_call_end(call, NULL, error);
    return G_SOURCE_REMOVE;
}

void
cf_os_call_refuse(CfOsCall *call, GError *error)
{
    call->busy = TRUE;
    call->error = error;
    /* Nobody is told anything before the function that they called has returned. */
    g_queue_push_tail(&call->os->late, call);
    call->timer = g_idle_source_new();
    g_source_set_priority(call->timer, G_PRIORITY_DEFAULT);
    g_source_set_callback(call->timer, on_late, call, NULL);
    g_source_attach(call->timer, call->os->context);
}

void
cf_os_call_send(CfOsCall *call)
{
    CfOs *os = call->os;

    call->busy = TRUE;
    if (!cf_os_session_prepare(call))
        return;
    if (call->path->len == 0)
        cf_os_call_refuse(call, NULL); /* the token that was asked for is there already */
    else if (!os->base[call->service])
        cf_os_call_refuse(call, g_error_copy(os->absent[call->service]));
    else
        cf_os_call_go(call);
}
