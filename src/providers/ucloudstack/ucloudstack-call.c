#include "providers/ucloudstack/private.h"
#include "providers/words.h"
#include "util/clock.h"
#include "util/text.h"

#include <string.h>

#define FORM_TYPE "application/x-www-form-urlencoded"

/* --- life ------------------------------------------------------------------------------------- */

static void
parameter_clear(gpointer data)
{
    CfUcloudstackParameter *parameter = data;

    g_free((char *) parameter->name);
    g_free((char *) parameter->value);
}

static GArray *
parameters_new(void)
{
    GArray *parameters = g_array_new(FALSE, FALSE, sizeof(CfUcloudstackParameter));

    g_array_set_clear_func(parameters, parameter_clear);
    return parameters;
}

CfUcloudstackCall *
cf_ucloudstack_call_new(CfUcloudstack *cloud, CfHttpClass cls, const char *name, gint64 deadline_us,
                        CfUcloudstackDone done, gpointer data)
{
    CfUcloudstackCall *call = g_new0(CfUcloudstackCall, 1);

    call->cloud = cf_ucloudstack_ref(cloud);
    call->parameters = parameters_new();
    call->deadline_us = deadline_us ? deadline_us : cf_clock_mono_us() + cloud->deadline_us;
    call->data = data;
    cf_ucloudstack_call_begin(call, cls, name, done);
    return call;
}

static void
forget_reply(CfUcloudstackCall *call)
{
    g_clear_pointer(&call->reply, g_bytes_unref);
    g_clear_pointer(&call->sent_id, g_free);
}

static void
drop_timer(CfUcloudstackCall *call)
{
    if (!call->timer)
        return;
    g_source_destroy(call->timer);
    g_clear_pointer(&call->timer, g_source_unref);
}

void
cf_ucloudstack_call_free(CfUcloudstackCall *call)
{
    if (!call)
        return;
    drop_timer(call);
    forget_reply(call);
    g_array_unref(call->parameters);
    g_free(call->id);
    cf_action_unref(call->action);
    g_clear_error(&call->first_error);
    g_clear_error(&call->late);
    cf_ucloudstack_unref(call->cloud);
    g_free(call);
}

void
cf_ucloudstack_call_begin(CfUcloudstackCall *call, CfHttpClass cls, const char *name,
                          CfUcloudstackDone done)
{
    call->cls = cls;
    call->name = name;
    call->done = done;
    call->flags = 0;
    g_array_set_size(call->parameters, 0);
}

static void
add_parameter(GArray *parameters, const char *name, const char *value)
{
    CfUcloudstackParameter parameter = {g_strdup(name), g_strdup(value)};

    g_array_append_val(parameters, parameter);
}

void
cf_ucloudstack_call_add(CfUcloudstackCall *call, const char *name, const char *value)
{
    add_parameter(call->parameters, name, value);
}

void
cf_ucloudstack_call_add_number(CfUcloudstackCall *call, const char *name, guint value)
{
    g_autofree char *text = g_strdup_printf("%u", value);

    add_parameter(call->parameters, name, text);
}

char *
cf_ucloudstack_call_label(const CfUcloudstackCall *call)
{
    return g_strconcat("POST ", call->name, NULL);
}

static void
end_call(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    drop_timer(call);
    call->busy = FALSE;
    if (!call->cloud->closed)
        call->done(call, whole, error);
    if (!call->busy)
        cf_ucloudstack_call_free(call);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* A redirect is not followed: what is signed would go where nobody said that it may. */
static void
on_redirect(CfUcloudstackCall *call, const CfHttpReply *reply)
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
    end_call(call, NULL, error);
}

static void
on_reply(const CfHttpReply *reply, const GError *error, gpointer data)
{
    CfUcloudstackCall *call = data;
    CfUcloudstack *cloud = call->cloud;
    g_autoptr(GError) refusal = NULL;
    CfJsonSpan whole = {NULL, 0};
    gconstpointer text;
    gsize len;

    if (cloud->closed || error) {
        end_call(call, NULL, error);
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
    if (cf_ucloudstack_read_answer(reply->status, text, len, reply->request_id, cloud->dialect,
                                   call->flags, &whole, &refusal)) {
        end_call(call, &whole, NULL);
        cf_json_outline_end();
        return;
    }
    cf_json_outline_end();
    if (!call->referer && cf_ucloudstack_wants_referer(cloud->dialect, refusal)) {
        cloud->send_referer = TRUE;
        cf_ucloudstack_call_send(call);
        return;
    }
    if (call->cls == CF_HTTP_CHANGE)
        cf_ucloudstack_doubt(cloud->dialect, refusal);
    end_call(call, NULL, refusal);
}

static CfHttpVerdict
judge(const CfHttpRequest *request, const CfHttpReply *reply, gint64 *ret_retry_after_us)
{
    CfUcloudstackCall *call = request->sign_data;

    return cf_ucloudstack_judge(call->cloud->dialect, reply);
}

/* --- the request ------------------------------------------------------------------------------ */

static void
append_form(GString *body, const char *name, const char *value)
{
    g_autofree char *encoded = g_uri_escape_string(value, NULL, FALSE);

    if (body->len > 0)
        g_string_append_c(body, '&');
    g_string_append_printf(body, "%s=%s", name, encoded);
}

/* The whole form: the call's parameters, the common ones and the signature. There is no clock in
 * it: the same text serves every attempt. */
static GBytes *
make_body(const CfUcloudstackCall *call)
{
    const CfUcloudstack *cloud = call->cloud;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(CfUcloudstackParameter));
    const CfUcloudstackParameter common[] = {
        {"Action", call->name},
        {"PublicKey", cloud->public_key},
        {"Region", cloud->region},
        {"CompanyID", cloud->company_id},
    };
    g_autofree char *sign = NULL;
    GString *body = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(common); i++)
        if (common[i].value)
            g_array_append_val(all, common[i]);
    g_array_append_vals(all, call->parameters->data, call->parameters->len);
    sign = cf_ucloudstack_sign((const CfUcloudstackParameter *) (void *) all->data, all->len,
                               cloud->private_key);
    for (guint i = 0; i < all->len; i++) {
        const CfUcloudstackParameter *one = &g_array_index(all, CfUcloudstackParameter, i);

        append_form(body, one->name, one->value);
    }
    append_form(body, "Signature", sign);
    return g_string_free_to_bytes(body);
}

/* The same without key and signature, for a dry run. */
static char *
make_parameters(const CfUcloudstackCall *call)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < call->parameters->len; i++) {
        const CfUcloudstackParameter *one =
            &g_array_index(call->parameters, CfUcloudstackParameter, i);

        append_form(text, one->name, one->value);
    }
    return g_string_free(text, FALSE);
}

static gboolean
refuse_when_closed(CfHttpRequest *request, gpointer data, GError **error)
{
    CfUcloudstackCall *call = data;

    if (!call->cloud->closed)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_TIMEOUT, "the profile is being closed");
    return FALSE;
}

void
cf_ucloudstack_call_send(CfUcloudstackCall *call)
{
    CfUcloudstack *cloud = call->cloud;
    CfHttpRequest *request = cf_http_request_new(call->cls, "POST", cloud->endpoint);

    call->busy = TRUE;
    forget_reply(call);
    g_free(request->label);
    request->label = cf_ucloudstack_call_label(call);
    request->body = make_body(call);
    if (call->cls == CF_HTTP_CHANGE)
        request->parameters = make_parameters(call);
    g_free(request->content_type);
    request->content_type = g_strdup(FORM_TYPE);
    request->deadline_us = call->deadline_us;
    request->user_waits = call->user_waits;
    request->secret_reply = (call->flags & CF_UCLOUDSTACK_SECRET) != 0;
    request->sign = refuse_when_closed;
    request->sign_data = call;
    request->judge = judge;
    cf_http_request_add_header(request, "Accept", "application/json");
    call->referer = cloud->send_referer;
    if (call->referer)
        cf_http_request_add_header(request, "Referer", cloud->endpoint);
    cf_channel_send(cloud->channel, request, on_reply, call);
}

static gboolean
on_late(gpointer data)
{
    CfUcloudstackCall *call = data;
    g_autoptr(GError) error = g_steal_pointer(&call->late);

    g_queue_remove(&call->cloud->late, call);
    end_call(call, NULL, error);
    return G_SOURCE_REMOVE;
}

/* Nobody is told anything before the function that they called has returned. */
void
cf_ucloudstack_call_refuse(CfUcloudstackCall *call, GError *error)
{
    call->busy = TRUE;
    call->late = error;
    g_queue_push_tail(&call->cloud->late, call);
    call->timer = g_idle_source_new();
    g_source_set_priority(call->timer, G_PRIORITY_DEFAULT);
    g_source_set_callback(call->timer, on_late, call, NULL);
    g_source_attach(call->timer, call->cloud->context);
}
