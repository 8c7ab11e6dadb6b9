#include "providers/inspur/private.h"

#include "util/clock.h"
#include "util/text.h"

#include <string.h>

CfInspurCall *
cf_inspur_call_new(CfInspur *inspur, CfHttpClass cls, const char *method, gint64 deadline_us,
                   CfInspurDone done, gpointer data)
{
    CfInspurCall *call = g_new0(CfInspurCall, 1);

    call->inspur = cf_inspur_ref(inspur);
    call->cls = cls;
    call->method = g_strdup(method);
    call->path = g_string_new(NULL);
    call->deadline_us = deadline_us ? deadline_us : cf_clock_mono_us() + inspur->deadline_us;
    call->done = done;
    call->data = data;
    return call;
}

static void
forget_reply(CfInspurCall *call)
{
    g_clear_pointer(&call->reply, g_bytes_unref);
    g_clear_pointer(&call->sent_id, g_free);
}

static void
drop_timer(CfInspurCall *call)
{
    if (!call->timer)
        return;
    g_source_destroy(call->timer);
    g_clear_pointer(&call->timer, g_source_unref);
}

void
cf_inspur_call_free(CfInspurCall *call)
{
    if (!call)
        return;
    drop_timer(call);
    forget_reply(call);
    g_free(call->method);
    g_string_free(call->path, TRUE);
    if (call->body)
        g_string_free(call->body, TRUE);
    g_free(call->id);
    cf_action_unref(call->action);
    g_clear_error(&call->first_error);
    g_clear_error(&call->late);
    cf_inspur_unref(call->inspur);
    g_free(call);
}

void
cf_inspur_call_add_segment(CfInspurCall *call, const char *id)
{
    g_autofree char *encoded = g_uri_escape_string(id, NULL, FALSE);

    g_string_append_c(call->path, '/');
    g_string_append(call->path, encoded);
}

char *
cf_inspur_call_label(const CfInspurCall *call)
{
    return g_strdup_printf("%s %.*s", call->method, (int) strcspn(call->path->str, "?"),
                           call->path->str);
}

void
cf_inspur_call_end(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    drop_timer(call);
    call->busy = FALSE;
    if (!call->inspur->closed)
        call->done(call, answer, error);
    if (!call->busy)
        cf_inspur_call_free(call);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void
on_refused(CfInspurCall *call, const CfHttpReply *reply, const GError *error)
{
    g_autoptr(GError) final = NULL;

    if (cf_inspur_auth_renew(call))
        return;
    final = cf_inspur_auth_explain(call, reply, error);
    cf_inspur_call_end(call, NULL, final);
}

/* A redirect is not followed: the token would go where nobody said that it may. */
static void
on_redirect(CfInspurCall *call, const CfHttpReply *reply)
{
    const char *location = g_hash_table_lookup(reply->headers, "location");
    CfCloudWords words = {.http_status = reply->status, .request_id = reply->request_id};
    g_autofree char *line = location ? cf_text_one_line(location) : NULL;
    g_autoptr(GError) error = NULL;

    if (line)
        line[strcspn(line, "?#")] = '\0';
    cf_error_set_cloud(&error, CF_ERROR_PROTOCOL, &words,
                       "the endpoint sends us on to %.200s, which is not followed (HTTP status %d)",
                       line ? line : "nowhere", reply->status);
    cf_inspur_call_end(call, NULL, error);
}

static void
on_reply(const CfHttpReply *reply, const GError *error, gpointer data)
{
    CfInspurCall *call = data;
    g_auto(CfInspurAnswer) answer = {0};
    g_autoptr(GError) refusal = NULL;
    gconstpointer text;
    gsize len;

    if (call->token_lost && !call->inspur->closed) {
        call->token_lost = FALSE;
        cf_inspur_call_send(call); /* nothing went out: it waits for the next token */
        return;
    }
    if (call->inspur->closed || error) {
        cf_inspur_call_end(call, NULL, error);
        return;
    }
    call->reply = g_bytes_ref(reply->body);
    call->http_status = reply->status;
    call->sent_us = reply->sent_us;
    call->sent_id = g_strdup(reply->request_id);
    if (reply->status >= 300 && reply->status < 400) {
        on_redirect(call, reply);
        return;
    }
    text = g_bytes_get_data(reply->body, &len);
    /* A page is walked several times until it is through. */
    cf_json_outline_begin(text, len, call->known);
    cf_inspur_read_answer(reply->status, text, len, reply->request_id, call->flags, &answer,
                          &refusal);
    if (refusal && refusal->code == CF_ERROR_UNAUTHORIZED) {
        on_refused(call, reply, refusal);
    } else {
        if (!refusal)
            call->inspur->token_proved = TRUE;
        cf_inspur_call_end(call, refusal ? NULL : &answer, refusal);
    }
    cf_json_outline_end();
}

/* --- the request ------------------------------------------------------------------------------ */

static gboolean
sign(CfHttpRequest *request, gpointer data, GError **error)
{
    CfInspurCall *call = data;

    if (call->inspur->closed) {
        g_set_error(error, CF_ERROR, CF_ERROR_TIMEOUT, "the profile is being closed");
        return FALSE;
    }
    return cf_inspur_auth_sign(call, request, error);
}

void
cf_inspur_call_go(CfInspurCall *call)
{
    g_autofree char *url = NULL;
    CfHttpRequest *request;

    drop_timer(call);
    if (call->path->len == 0 || call->inspur->closed) {
        cf_inspur_call_end(call, NULL, NULL);
        return;
    }
    url = g_strconcat(call->inspur->endpoint, call->path->str, NULL);
    request = cf_http_request_new(call->cls, call->method, url);
    g_free(request->label);
    request->label = cf_inspur_call_label(call);
    if (call->body) {
        request->body = g_bytes_new(call->body->str, call->body->len);
        g_free(request->content_type);
        request->content_type = g_strdup(call->content_type);
    }
    request->deadline_us = call->deadline_us;
    request->user_waits = call->user_waits;
    request->secret_reply = (call->flags & CF_INSPUR_SECRET) != 0;
    request->sign = sign;
    request->sign_data = call;
    cf_http_request_add_header(request, "Accept", "application/json");
    cf_channel_send(call->inspur->channel, request, on_reply, call);
}

static gboolean
on_late(gpointer data)
{
    CfInspurCall *call = data;
    g_autoptr(GError) error = g_steal_pointer(&call->late);

    g_queue_remove(&call->inspur->late, call);
    cf_inspur_call_end(call, NULL, error);
    return G_SOURCE_REMOVE;
}

/* Nobody is told anything before the function that they called has returned. */
static void
end_later(CfInspurCall *call)
{
    g_queue_push_tail(&call->inspur->late, call);
    call->timer = g_idle_source_new();
    g_source_set_priority(call->timer, G_PRIORITY_DEFAULT);
    g_source_set_callback(call->timer, on_late, call, NULL);
    g_source_attach(call->timer, call->inspur->context);
}

void
cf_inspur_call_refuse(CfInspurCall *call, GError *error)
{
    call->busy = TRUE;
    call->late = error;
    end_later(call);
}

void
cf_inspur_call_send(CfInspurCall *call)
{
    call->busy = TRUE;
    forget_reply(call);
    if (!cf_inspur_auth_prepare(call))
        return;
    if (call->path->len == 0)
        end_later(call); /* the token that was asked for is there already */
    else
        cf_inspur_call_go(call);
}
