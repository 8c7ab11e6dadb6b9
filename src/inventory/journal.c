/* events.jsonl and journal.jsonl: one JSON object a line. Contract sections 2 and 7. */
#include <string.h>

#include "inventory/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

static void
line_begin(GString *line)
{
    g_autofree char *time = cf_text_time(cf_clock_real_us());

    g_string_append_printf(line, "{\"time\":\"%s\"", time);
}

static void
line_text(GString *line, const char *key, const char *value)
{
    g_autofree char *clean = value ? cf_log_redact(value) : NULL;

    g_string_append_printf(line, ",\"%s\":", key);
    cf_text_append_json(line, clean);
}

static void
line_number(GString *line, const char *key, gint64 value)
{
    g_string_append_printf(line, ",\"%s\":%" G_GINT64_FORMAT, key, value);
}

static void
line_end(CfInventory *inventory, CfAppend *append, GString *line, guint fact)
{
    gboolean rotated;

    g_string_append_c(line, '}');
    rotated = cf_append_line(append, line->str);
    cf_inventory_facts(inventory, fact | (rotated ? CF_FACT_ROTATED : 0));
}

static void
event_line(CfInventory *inventory, CfCollection collection, const CfResource *resource,
           const char *event, const char *field, const char *old, const char *new)
{
    g_autoptr(GString) line = g_string_new(NULL);

    line_begin(line);
    line_text(line, "profile", inventory->profile);
    line_text(line, "collection", cf_collection_name(collection));
    line_text(line, "id", cf_record_get_id(resource->record));
    line_text(line, "name", cf_record_get_name(resource->record));
    line_text(line, "event", event);
    line_text(line, "field", field);
    line_text(line, "old", old);
    line_text(line, "new", new);
    line_end(inventory, inventory->events, line, CF_FACT_EVENTS);
}

void
cf_events_change(CfInventory *inventory, CfCollection collection, const CfChange *change)
{
    const CfField *fields;
    guint n;

    if (!change->before) {
        event_line(inventory, collection, change->after, "created", NULL, NULL, NULL);
        return;
    }
    if (!change->after) {
        event_line(inventory, collection, change->before, "deleted", NULL, NULL, NULL);
        return;
    }
    fields = cf_schema_get(collection, &n);
    for (guint i = 0; i < n; i++) {
        const char *old = cf_resource_get(change->before, i);
        const char *new = cf_resource_get(change->after, i);

        /* Tags that were asked for by name are news to us, not a change of the cloud's. */
        if (!(change->diff & CF_ASPECT(i)) || g_strcmp0(old, new) == 0 ||
            (!old && collection == CF_SERVERS && i == CF_SERVER_TAGS && inventory->ops->tags_apart))
            continue;
        event_line(inventory, collection, change->after, "changed", fields[i].name, old, new);
    }
}

void
cf_events_action(CfInventory *inventory, const CfResource *resource, const CfOrder *order,
                 const char *old)
{
    event_line(inventory, order->action->collection, resource, "action",
               cf_action_kind_to_string(order->action->kind), old, order->value);
}

void
cf_events_failed(CfInventory *inventory, const CfResource *resource, const CfOrder *order,
                 const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);
    g_autofree char *text =
        g_strdup_printf("failed: %s", words && words->message ? words->message : error->message);

    event_line(inventory, order->action->collection, resource, "action",
               cf_action_kind_to_string(order->action->kind), order->value, text);
}

static void
line_error(GString *line, const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    line_text(line, "error", cf_error_name(cf_error_code(error)));
    line_text(line, "code", words ? words->code : NULL);
    line_text(line, "message", words && words->message ? words->message : error->message);
}

/* Who did what: the beginning of a line about an order. */
static void
line_order(CfInventory *inventory, GString *line, const char *kind, const CfOrder *order)
{
    line_begin(line);
    line_text(line, "kind", kind);
    line_text(line, "profile", inventory->profile);
    line_number(line, "uid", order->actor.uid);
    line_number(line, "pid", order->actor.pid);
    line_text(line, "command", order->actor.command);
    line_text(line, "path", order->actor.path);
    line_text(line, "collection", cf_collection_name(order->action->collection));
    line_text(line, "id", order->action->ids[0]);
    line_text(line, "action", cf_action_kind_to_string(order->action->kind));
}

void
cf_journal_job(CfInventory *inventory, const CfOrder *order, const char *job_id,
               const GError *error, gint64 began_us)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const CfCloudWords *words = cf_error_get_cloud(error);

    line_order(inventory, line, "job", order);
    line_text(line, "new", order->value);
    line_text(line, "job", job_id);
    if (words)
        line_text(line, "request_id", words->request_id);
    line_error(line, error);
    line_text(line, "result", "failed");
    line_number(line, "ms", (cf_clock_mono_us() - began_us) / 1000);
    line_end(inventory, inventory->journal, line, CF_FACT_JOURNAL);
}

/* A body of JSON with the values of secret keys masked. Returns: (transfer full). */
static char *
mask_body(const CfInventory *inventory, const char *body)
{
    GString *masked;
    CfJsonSpan whole;

    if (!inventory->ops->is_secret || !cf_json_check(body, strlen(body), &whole, NULL))
        return cf_log_redact(body);
    masked = g_string_new(NULL);
    cf_json_compact(whole, inventory->ops->is_secret, masked);
    {
        g_autofree char *text = g_string_free(masked, FALSE);

        return cf_log_redact(text);
    }
}

static void
line_requests(const CfInventory *inventory, GString *line, const char *requests)
{
    g_auto(GStrv) lines = g_strsplit(requests, "\n", -1);

    g_string_append(line, ",\"requests\":[");
    for (guint i = 0; lines[i] && lines[i + 1]; i += 2) {
        g_autofree char *call = cf_log_redact(lines[i]);
        g_autofree char *body = *lines[i + 1] ? mask_body(inventory, lines[i + 1]) : NULL;

        g_string_append(line, i ? ",{\"call\":" : "{\"call\":");
        cf_text_append_json(line, call);
        g_string_append(line, ",\"body\":");
        cf_text_append_json(line, body);
        g_string_append_c(line, '}');
    }
    g_string_append_c(line, ']');
}

void
cf_rehearsed_result(const char *requests, CfActionResult *ret_result)
{
    ret_result->requests = g_strdup(requests);
    ret_result->method_path = g_strndup(requests, strcspn(requests, "\n"));
}

/* A change that was sent and not answered in time may have been made. */
static const char *
outcome(CfInventory *inventory, const CfOrder *order, const GError *error)
{
    if (!error)
        return inventory->options.dry_run ? "dry_run" : "ok";
    if (cf_error_is_unsure(error) || (order->sent && cf_error_code(error) == CF_ERROR_TIMEOUT))
        return "unknown";
    return "failed";
}

void
cf_journal_action(CfInventory *inventory, const CfOrder *order, const char *old,
                  const CfActionResult *result, const GError *error, gint64 began_us)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const CfCloudWords *words = error ? cf_error_get_cloud(error) : NULL;

    line_order(inventory, line, "action", order);
    line_text(line, "old", old);
    line_text(line, "new", order->value);
    if (result && result->method_path)
        line_text(line, "call", result->method_path);
    if (result && result->requests)
        line_requests(inventory, line, result->requests);
    if (words || (result && result->http_status)) {
        line_number(line, "status", words ? words->http_status : result->http_status);
        line_text(line, "request_id", words ? words->request_id : result->request_id);
    }
    if (error)
        line_error(line, error);
    line_text(line, "result", outcome(inventory, order, error));
    line_number(line, "ms", (cf_clock_mono_us() - began_us) / 1000);
    line_end(inventory, inventory->journal, line, CF_FACT_JOURNAL);
}

void
cf_journal_batch(CfInventory *inventory, const CfBatch *batch, const char *text,
                 const GError *error)
{
    g_autoptr(GString) line = g_string_new(NULL);

    line_begin(line);
    line_text(line, "kind", "batch");
    line_text(line, "profile", inventory->profile);
    line_number(line, "uid", batch->actor.uid);
    line_number(line, "pid", batch->actor.pid);
    line_text(line, "command", batch->actor.command);
    line_text(line, "path", batch->actor.path);
    line_text(line, "collection", cf_collection_name(batch->collection));
    line_text(line, "action", cf_action_kind_to_string(batch->kind));
    line_text(line, "new", text);
    line_error(line, error);
    line_text(line, "result", "failed");
    line_end(inventory, inventory->journal, line, CF_FACT_JOURNAL);
}

void
cf_journal_call(CfInventory *inventory, const CfHttpRequest *request, const CfHttpReply *reply,
                const GError *error)
{
    g_autoptr(GString) line = NULL;

    if ((!error && reply->status < 400) || g_error_matches(error, CF_ERROR, CF_ERROR_DRY_RUN))
        return;
    line = g_string_new(NULL);
    line_begin(line);
    line_text(line, "kind", "call");
    line_text(line, "profile", inventory->profile);
    line_text(line, "call", request->label);
    if (reply) {
        gsize size;
        const char *body = g_bytes_get_data(reply->body, &size);
        g_autofree char *text = size > 0 ? g_strndup(body, MIN(size, 512)) : NULL;

        line_number(line, "status", reply->status);
        line_text(line, "request_id", reply->request_id);
        line_text(line, "message", request->secret_reply ? NULL : text);
        line_number(line, "ms", reply->ms);
    }
    if (error)
        line_error(line, error);
    line_text(line, "result", "failed");
    line_end(inventory, inventory->journal, line, CF_FACT_JOURNAL);
}
