#include "providers/qingcloud/private.h"

#include "auth/qingcloud-sign.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"

#include <string.h>
#include <time.h>

#define QUERY_MAX 4096 /* bytes; longer ones are sent as a form */
#define SKEW_TOLD_US (5 * G_USEC_PER_SEC)
#define FORM_TYPE "application/x-www-form-urlencoded"

CfQingcloudCall *
cf_qingcloud_call_new(CfQingcloud *cloud, gint64 deadline_us, CfQingcloudDone done, gpointer data)
{
    CfQingcloudCall *call = g_new0(CfQingcloudCall, 1);

    call->cloud = cf_qingcloud_ref(cloud);
    call->parameters = g_ptr_array_new_with_free_func(g_free);
    call->deadline_us = deadline_us ? deadline_us : cf_clock_mono_us() + cloud->deadline_us;
    call->done = done;
    call->data = data;
    return call;
}

static void
drop_timer(CfQingcloudCall *call)
{
    if (!call->timer)
        return;
    g_source_destroy(call->timer);
    g_clear_pointer(&call->timer, g_source_unref);
}

void
cf_qingcloud_call_free(CfQingcloudCall *call)
{
    if (!call)
        return;
    drop_timer(call);
    g_clear_pointer(&call->reply, g_bytes_unref);
    g_clear_pointer(&call->held, g_bytes_unref);
    g_clear_pointer(&call->held_records, g_array_unref);
    g_ptr_array_unref(call->parameters);
    if (call->rehearsed)
        g_string_free(call->rehearsed, TRUE);
    cf_text_wipe(call->id); /* a console's password, at times */
    cf_action_unref(call->todo);
    cf_action_result_clear(&call->result);
    cf_qingcloud_tagging_free(call->tagging);
    g_clear_error(&call->late);
    cf_qingcloud_unref(call->cloud);
    g_free(call);
}

/* --- parameters ------------------------------------------------------------------------------- */

void
cf_qingcloud_call_begin(CfQingcloudCall *call, CfHttpClass cls, const char *action)
{
    call->cls = cls;
    call->action = action;
    call->flags = cls == CF_HTTP_CHANGE ? CF_QINGCLOUD_CHANGE : 0;
    call->set_right = FALSE;
    g_ptr_array_set_size(call->parameters, 0);
}

void
cf_qingcloud_call_add(CfQingcloudCall *call, const char *name, const char *value)
{
    g_ptr_array_add(call->parameters, g_strdup(name));
    g_ptr_array_add(call->parameters, g_strstrip(g_strdup(value)));
}

void
cf_qingcloud_call_add_number(CfQingcloudCall *call, const char *name, guint number)
{
    g_ptr_array_add(call->parameters, g_strdup(name));
    g_ptr_array_add(call->parameters, g_strdup_printf("%u", number));
}

void
cf_qingcloud_call_add_list(CfQingcloudCall *call, const char *name, char **values)
{
    for (guint i = 0; values[i]; i++) {
        g_ptr_array_add(call->parameters, g_strdup_printf("%s.%u", name, i + 1));
        g_ptr_array_add(call->parameters, g_strdup(values[i]));
    }
}

char *
cf_qingcloud_call_label(const CfQingcloudCall *call)
{
    return g_strdup(call->action);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void
end(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    drop_timer(call);
    call->busy = FALSE;
    if (!call->cloud->closed)
        call->done(call, answer, error);
    if (!call->busy)
        cf_qingcloud_call_free(call);
}

/* 1300 says that our clock and theirs differ. Nothing was done: the call goes again, once.
 * Returns: FALSE when there is nothing to learn from the answer. */
static gboolean
set_clock_right(CfQingcloudCall *call, const CfHttpReply *reply, const GError *refusal)
{
    CfQingcloud *cloud = call->cloud;
    gint64 skew_us;

    if (cf_qingcloud_error_code(refusal) != CF_QINGCLOUD_EXPIRED || call->set_right ||
        !reply->date_us)
        return FALSE;
    call->set_right = TRUE;
    skew_us = reply->date_us - cf_clock_real_us();
    /* Calls side by side learn the same. */
    if (ABS(skew_us - cloud->skew_us) > SKEW_TOLD_US)
        cf_warning("%s: the clock here and the cloud's differ by %" G_GINT64_FORMAT
                   " s; requests are dated by the cloud's",
                   cloud->profile, skew_us / G_USEC_PER_SEC);
    cloud->skew_us = skew_us;
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* A redirect is not followed: the signature is for this host. */
static void
on_redirect(CfQingcloudCall *call, const CfHttpReply *reply)
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
    end(call, NULL, error);
}

/* A dry run: the request is noted, and the action goes on as if it had been made. */
static void
rehearse(CfQingcloudCall *call, const GError *error)
{
    static const char text[] =
        "{\"ret_code\":0,\"tag_id\":\"(new tag)\",\"image_id\":\"(new image)\"}";
    const CfQingcloudAnswer answer = {.whole = {text, sizeof text - 1}};

    if (!call->rehearsed)
        call->rehearsed = g_string_new(error->message);
    else
        g_string_append_printf(call->rehearsed, "\n%s", error->message);
    end(call, &answer, NULL);
}

static void
on_reply(const CfHttpReply *reply, const GError *error, gpointer data)
{
    CfQingcloudCall *call = data;
    g_auto(CfQingcloudAnswer) answer = {0};
    g_autoptr(GError) refusal = NULL;
    gconstpointer text;
    gsize len;

    if (g_error_matches(error, CF_ERROR, CF_ERROR_DRY_RUN) && call->todo) {
        rehearse(call, error);
        return;
    }
    if (call->cloud->closed || error) {
        end(call, NULL, error);
        return;
    }
    g_clear_pointer(&call->reply, g_bytes_unref);
    call->reply = g_bytes_ref(reply->body);
    call->http_status = reply->status;
    call->sent_us = reply->sent_us;
    if (reply->status >= 300 && reply->status < 400) {
        on_redirect(call, reply);
        return;
    }
    text = g_bytes_get_data(reply->body, &len);
    /* A page is walked several times until it is through. */
    cf_json_outline_begin(text, len, call->known);
    cf_qingcloud_read_answer(reply->status, text, len, reply->request_id, call->flags, &answer,
                             &refusal);
    if (!refusal || !set_clock_right(call, reply, refusal))
        end(call, refusal ? NULL : &answer, refusal);
    cf_json_outline_end();
}

static CfHttpVerdict
judge(const CfHttpRequest *request, const CfHttpReply *reply, gint64 *ret_retry_after_us)
{
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);

    if (reply->status != 200)
        return CF_HTTP_FINAL;
    switch (cf_qingcloud_mood(text, len)) {
    case CF_QINGCLOUD_TOO_OFTEN:
        return CF_HTTP_THROTTLED;
    case CF_QINGCLOUD_TOO_BUSY:
        return CF_HTTP_BUSY;
    case CF_QINGCLOUD_ORDINARY:
        break;
    }
    return CF_HTTP_FINAL;
}

/* --- the request ------------------------------------------------------------------------------ */

static void
put(GArray *parameters, const char *name, const char *value)
{
    CfQingcloudParameter parameter = {name, value};

    g_array_append_val(parameters, parameter);
}

static void
write_time(char text[32], gint64 real_us)
{
    time_t seconds = (time_t) (real_us / G_USEC_PER_SEC);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* Returns: (transfer full): the query or the form, signed as of now. */
static char *
make_query(const CfQingcloudCall *call, const char *method)
{
    const CfQingcloud *cloud = call->cloud;
    g_autoptr(GArray) parameters = g_array_new(FALSE, FALSE, sizeof(CfQingcloudParameter));
    CfQingcloudSignInput input = {.method = method,
                                  .path = cloud->path,
                                  .secret_key = cloud->secret_key,
                                  .digest = cloud->digest};
    char now[32];

    write_time(now, cf_clock_real_us() + cloud->skew_us);
    put(parameters, "action", call->action);
    put(parameters, "zone", cloud->zone);
    put(parameters, "time_stamp", now);
    put(parameters, "version", "1");
    put(parameters, "access_key_id", cloud->access_key);
    put(parameters, "signature_method", cloud->signature_method);
    put(parameters, "signature_version", cloud->token ? "2" : "1");
    if (cloud->token)
        put(parameters, "token", cloud->token);
    for (guint i = 0; i + 1 < call->parameters->len; i += 2)
        put(parameters, call->parameters->pdata[i], call->parameters->pdata[i + 1]);
    input.parameters = (const CfQingcloudParameter *) (gpointer) parameters->data;
    input.n_parameters = parameters->len;
    return cf_qingcloud_sign(&input);
}

/* What it says without key, time and signature, for a dry run. Returns: (transfer full). */
static char *
make_parameters(const CfQingcloudCall *call)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i + 1 < call->parameters->len; i += 2) {
        g_autofree char *value = g_uri_escape_string(call->parameters->pdata[i + 1], NULL, FALSE);

        g_string_append_printf(text, "%s%s=%s", i ? "&" : "",
                               (const char *) call->parameters->pdata[i], value);
    }
    return g_string_free(text, FALSE);
}

/* Each attempt has its own time. */
static gboolean
sign(CfHttpRequest *request, gpointer data, GError **error)
{
    const CfQingcloudCall *call = data;
    char *query;

    if (call->cloud->closed) {
        g_set_error(error, CF_ERROR, CF_ERROR_TIMEOUT, "the profile is being closed");
        return FALSE;
    }
    query = make_query(call, request->method);
    if (strcmp(request->method, "POST") == 0) {
        g_clear_pointer(&request->body, g_bytes_unref);
        request->body =
            g_bytes_new_with_free_func(query, strlen(query), (GDestroyNotify) cf_text_wipe, query);
    } else {
        cf_text_wipe(request->url);
        request->url = g_strconcat(call->cloud->endpoint, "?", query, NULL);
        cf_text_wipe(query);
    }
    return TRUE;
}

static CfHttpRequest *
make_request(CfQingcloudCall *call)
{
    char *query = make_query(call, "GET");
    gboolean form = strlen(query) > QUERY_MAX;
    CfHttpRequest *request =
        cf_http_request_new(call->cls, form ? "POST" : "GET", call->cloud->endpoint);

    cf_text_wipe(query);
    if (form)
        request->content_type = g_strdup(FORM_TYPE);
    g_free(request->label);
    request->label = cf_qingcloud_call_label(call);
    if (call->cls == CF_HTTP_CHANGE)
        request->parameters = make_parameters(call);
    request->deadline_us = call->deadline_us;
    request->user_waits = call->user_waits;
    request->secret_reply = (call->flags & CF_QINGCLOUD_SECRET) != 0;
    request->sign = sign;
    request->sign_data = call;
    request->judge = judge;
    cf_http_request_add_header(request, "Accept", "application/json");
    return request;
}

void
cf_qingcloud_call_send(CfQingcloudCall *call)
{
    call->busy = TRUE;
    cf_channel_send(call->cloud->channel, make_request(call), on_reply, call);
}

static gboolean
on_late(gpointer data)
{
    CfQingcloudCall *call = data;
    g_autoptr(GError) error = g_steal_pointer(&call->late);
    g_auto(CfQingcloudAnswer) nothing = {0};

    g_queue_remove(&call->cloud->late, call);
    end(call, error ? NULL : &nothing, error);
    return G_SOURCE_REMOVE;
}

/* Nobody is told anything before the function that they called has returned. */
void
cf_qingcloud_call_skip(CfQingcloudCall *call, GError *error)
{
    call->busy = TRUE;
    call->late = error;
    g_queue_push_tail(&call->cloud->late, call);
    call->timer = g_idle_source_new();
    g_source_set_priority(call->timer, G_PRIORITY_DEFAULT);
    g_source_set_callback(call->timer, on_late, call, NULL);
    g_source_attach(call->timer, call->cloud->context);
}
