#include "providers/qingcloud/private.h"

#include "json/fields.h"

#include <string.h>

const CfQingcloudKind cf_qingcloud_kinds[CF_COLLECTION_N] = {
    [CF_SERVERS] = {"DescribeInstances", "instances", "instance_set", "instance_id"},
    [CF_IMAGES] = {"DescribeImages", "images", "image_set", "image_id"},
};

/* --- listings --------------------------------------------------------------------------------- */

void
cf_qingcloud_add_window(CfQingcloudCall *call, guint offset, guint limit)
{
    cf_qingcloud_call_add_number(call, "offset", offset);
    cf_qingcloud_call_add_number(call, "limit", limit);
}

void
cf_qingcloud_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
                  gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    cf_qingcloud_ask_page(handle, collection, NULL, page, deadline_us, user_waits, known, callback,
                          data);
}

void
cf_qingcloud_search(gpointer handle, CfCollection collection, const char *text, guint page,
                    const char *marker, gint64 deadline_us, gboolean user_waits,
                    CfPageCallback callback, gpointer data)
{
    cf_qingcloud_ask_page(handle, collection, text, page, deadline_us, user_waits, NULL, callback,
                          data);
}

/* --- one resource ----------------------------------------------------------------------------- */

void
cf_qingcloud_ask_for(CfQingcloudCall *call, CfCollection collection, const char *id)
{
    char *ids[] = {(char *) id, NULL};

    cf_qingcloud_call_begin(call, CF_HTTP_READ, cf_qingcloud_kinds[collection].action);
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    cf_qingcloud_call_add_list(call, cf_qingcloud_kinds[collection].ids, ids);
    if (collection == CF_SERVERS)
        cf_qingcloud_call_add(call, "verbose", "1");
    cf_qingcloud_add_window(call, 0, 1);
}

/* An answer about something else must not be taken for this one. */
gboolean
cf_qingcloud_find_one(const CfQingcloudAnswer *answer, CfCollection collection, const char *id,
                      CfJsonSpan *ret_record, GError **error)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    gint64 total;

    if (!cf_qingcloud_read_set(answer, cf_qingcloud_kinds[collection].set, records, &total, error))
        return FALSE;
    for (guint i = 0; i < records->len; i++) {
        g_autofree char *found = NULL;

        *ret_record = g_array_index(records, CfJsonSpan, i);
        found = cf_qingcloud_get_text(*ret_record, cf_qingcloud_kinds[collection].id);
        if (g_strcmp0(found, id) == 0)
            return TRUE;
    }
    if (records->len == 0)
        g_set_error(error, CF_ERROR, CF_ERROR_NOT_FOUND, "no such %s: %s",
                    collection == CF_SERVERS ? "server" : "image", id);
    else
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                    "%s: asked for %s, the answer is about another",
                    cf_qingcloud_kinds[collection].id, id);
    return FALSE;
}

static void
on_record(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    g_autoptr(CfRecord) record = NULL;
    g_autoptr(GError) wrong = NULL;
    CfJsonSpan span;

    if (error) {
        call->callback.record(NULL, 0, error, call->data);
        return;
    }
    if (cf_qingcloud_find_one(answer, call->collection, call->id, &span, &wrong))
        record = cf_qingcloud_parse(call->collection, span, call->cloud->zone, &wrong);
    call->callback.record(record, record ? call->sent_us : 0, wrong, call->data);
}

void
cf_qingcloud_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
                  CfRecordCallback callback, gpointer data)
{
    CfQingcloudCall *call = cf_qingcloud_call_new(handle, deadline_us, on_record, data);

    call->callback.record = callback;
    call->collection = collection;
    call->id = g_strdup(id);
    call->user_waits = TRUE;
    cf_qingcloud_ask_for(call, collection, id);
    cf_qingcloud_call_send(call);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static const struct {
    const char *status;
    gboolean over, failed;
} job_states[] = {
    {"pending", FALSE, FALSE}, {"working", FALSE, FALSE},         {"successful", TRUE, FALSE},
    {"failed", TRUE, TRUE},    {"done with failure", TRUE, TRUE},
};

/* The words of a job that failed: what it was to do, its status, and the codes that it has. */
static GError *
job_error(const CfQingcloudCall *call, CfJsonSpan job, const char *status)
{
    g_autofree char *action = cf_qingcloud_get_text(job, "job_action");
    g_autofree char *codes = NULL, *message = NULL;
    CfJsonSpan span;
    CfCloudWords words = {.http_status = call->http_status};
    GError *error = NULL;

    if (cf_json_get(job, "error_codes", FALSE, &span) && cf_json_kind(span) != CF_JSON_NULL &&
        !cf_json_is(span, "", FALSE)) {
        GString *text = g_string_new(NULL);

        codes = cf_json_scalar(span);
        if (!codes) {
            cf_json_compact(span, NULL, text);
            codes = g_strdup(text->str);
        }
        g_string_free(text, TRUE);
    }
    message = g_strdup_printf("%s%sjob %s %s%s%s", action ? action : "", action ? ": " : "",
                              call->id, status, codes ? ", error_codes " : "", codes ? codes : "");
    words.code = codes;
    words.message = message;
    cf_error_set_cloud(&error, CF_ERROR_REMOTE, &words, "%s", message);
    return error;
}

static void
tell_job(CfQingcloudCall *call, CfJsonSpan job)
{
    g_autofree char *status = cf_qingcloud_get_text(job, "status");
    g_autoptr(GError) error = NULL;

    for (guint i = 0; status && i < G_N_ELEMENTS(job_states); i++) {
        if (g_ascii_strcasecmp(job_states[i].status, status) == 0) {
            if (job_states[i].failed)
                error = job_error(call, job, status);
            call->callback.job(job_states[i].over, error, call->data);
            return;
        }
    }
    g_set_error(&error, CF_ERROR, CF_ERROR_PROTOCOL, "job_set.status: missing or of no use");
    call->callback.job(FALSE, error, call->data);
}

static void
on_job(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    g_autoptr(GArray) jobs = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) wrong = NULL;
    gint64 total;

    if (error) {
        gboolean gone = error->code == CF_ERROR_NOT_FOUND;

        call->callback.job(gone, gone ? NULL : error, call->data);
        return;
    }
    if (!cf_qingcloud_read_set(answer, "job_set", jobs, &total, &wrong)) {
        call->callback.job(FALSE, wrong, call->data);
        return;
    }
    for (guint i = 0; i < jobs->len; i++) {
        CfJsonSpan job = g_array_index(jobs, CfJsonSpan, i);
        g_autofree char *id = cf_qingcloud_get_text(job, "job_id");

        if (g_strcmp0(id, call->id) == 0) {
            tell_job(call, job);
            return;
        }
    }
    call->callback.job(TRUE, NULL, call->data); /* nothing is left of it to be asked after */
}

void
cf_qingcloud_job(gpointer handle, const char *job_id, gint64 deadline_us, CfJobCallback callback,
                 gpointer data)
{
    CfQingcloudCall *call = cf_qingcloud_call_new(handle, deadline_us, on_job, data);
    char *ids[] = {(char *) job_id, NULL};

    call->callback.job = callback;
    call->id = g_strdup(job_id);
    call->user_waits = TRUE;
    cf_qingcloud_call_begin(call, CF_HTTP_READ, "DescribeJobs");
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    cf_qingcloud_call_add_list(call, "jobs", ids);
    cf_qingcloud_add_window(call, 0, 1);
    cf_qingcloud_call_send(call);
}

/* --- credentials ------------------------------------------------------------------------------ */

static void
on_proved(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    call->callback.plain(error, call->data);
}

/* There is nothing to be had beforehand; the cheapest call is the proof. */
void
cf_qingcloud_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                          gpointer data)
{
    CfQingcloudCall *call = cf_qingcloud_call_new(handle, deadline_us, on_proved, data);

    call->callback.plain = callback;
    call->user_waits = TRUE;
    cf_qingcloud_call_begin(call, CF_HTTP_READ, "DescribeInstances");
    cf_qingcloud_add_window(call, 0, 1);
    cf_qingcloud_call_send(call);
}
