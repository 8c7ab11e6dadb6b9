#include "providers/openstack/private.h"

#include "util/clock.h"

#include <string.h>

/* --- listings --------------------------------------------------------------------------------- */

/* The cloud's time when it was asked, or a little earlier: its header Date tells when it answered,
 * in whole seconds. Nova without a proxy sends none; then we go by when Keystone gave the token. */
static gint64
read_clock(const CfOs *os, const CfHttpReply *reply)
{
    if (reply->date_us)
        return reply->date_us - (cf_clock_mono_us() - reply->sent_us);
    return os->issued_us ? os->issued_us + reply->sent_us - os->issued_mono_us : 0;
}

/* A page that waits until it is known what its flavours are. */
typedef struct {
    GBytes *body;
    GArray *records; /* (element-type CfJsonSpan): in body */
    char *next;      /* (nullable) */
    gint64 requested_us, cloud_us;
    CfPageCallback callback;
    gpointer data;
} Held;

static void
held_free(gpointer data)
{
    Held *held = data;

    g_bytes_unref(held->body);
    g_array_unref(held->records);
    g_free(held->next);
    g_free(held);
}

static void
deliver(CfOs *os, gpointer data)
{
    Held *held = data;
    CfPage page = {
        .body = held->body,
        .records = held->records,
        .total = -1,
        .last = !held->next,
        .next = held->next,
        .requested_us = held->requested_us,
        .cloud_us = held->cloud_us,
    };

    held->callback(&page, NULL, held->data);
    held_free(held);
}

/* records, next: (transfer full). */
static void
hand_over(CfOsCall *call, const CfHttpReply *reply, GArray *records, char *next)
{
    Held *held = g_new0(Held, 1);

    *held = (Held){
        .body = g_bytes_ref(reply->body),
        .records = records,
        .next = next,
        .requested_us = reply->sent_us,
        .cloud_us = read_clock(call->os, reply),
        .callback = call->callback.page,
        .data = call->data,
    };
    if (call->collection == CF_SERVERS && cf_os_flavors_lack(call->os, records))
        cf_os_flavors_wait(call->os, call->deadline_us, deliver, held, held_free);
    else
        deliver(call->os, held);
}

static void
on_page(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) wrong = NULL;
    g_autofree char *next = NULL;
    const char *text;
    gsize len;

    if (error) {
        call->callback.page(NULL, error, call->data);
        return;
    }
    text = g_bytes_get_data(reply->body, &len);
    /* A page is walked several times until it is through. */
    cf_json_outline_begin(text, len, call->known);
    if (cf_os_read_list(call->collection, text, len, records, &next, &wrong))
        hand_over(call, reply, g_steal_pointer(&records), g_steal_pointer(&next));
    else
        call->callback.page(NULL, wrong, call->data);
    cf_json_outline_end();
}

static void
add_since(GString *path, gint64 since_us)
{
    g_autoptr(GDateTime) since = g_date_time_new_from_unix_utc(since_us / G_USEC_PER_SEC);
    g_autofree char *text = since ? g_date_time_format(since, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    if (text)
        g_string_append_printf(path, "&changes-since=%s", text);
}

/* The page behind a marker. The oldest first: what is new stands at the end, and moves nothing. */
static CfOsCall *
new_listing(CfOs *os, CfCollection collection, const char *marker, gint64 deadline_us,
            gboolean user_waits, CfPageCallback callback, gpointer data)
{
    CfOsService service = collection == CF_SERVERS ? CF_OS_COMPUTE : CF_OS_IMAGE;
    CfOsCall *call = cf_os_call_new(os, service, CF_HTTP_READ, "GET", deadline_us, on_page, data);

    call->callback.page = callback;
    call->collection = collection;
    call->user_waits = user_waits;
    call->with_marker = marker != NULL;
    call->marker = g_strdup(marker);
    g_string_printf(call->path, "/%s?limit=%u&sort_key=created_at&sort_dir=asc",
                    collection == CF_SERVERS ? "servers/detail" : "images", os->page_size);
    return call;
}

static void
add_parameter(CfOsCall *call, const char *key, const char *value)
{
    g_autofree char *encoded = g_uri_escape_string(value, NULL, FALSE);

    g_string_append_printf(call->path, "&%s=%s", key, encoded);
}

void
cf_os_list_from(gpointer handle, CfCollection collection, const char *marker, gint64 since_us,
                gint64 deadline_us, gboolean user_waits, CfJsonKnown *known,
                CfPageCallback callback, gpointer data)
{
    CfOsCall *call =
        new_listing(handle, collection, marker, deadline_us, user_waits, callback, data);

    call->known = known;
    if (since_us > 0 && collection == CF_SERVERS)
        add_since(call->path, since_us);
    if (marker)
        add_parameter(call, "marker", marker);
    cf_os_call_send(call);
}

/* --- search ----------------------------------------------------------------------------------- */

char *
cf_os_escape_regex(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *c = text; *c; c++) {
        if (strchr("\\^$.|?*+()[]{}", *c))
            g_string_append_c(out, '\\');
        g_string_append_c(out, *c);
    }
    return g_string_free(out, FALSE);
}

char *
cf_os_image_name_filter(const char *text)
{
    GString *out;

    if (!g_str_has_prefix(text, "in:"))
        return g_strdup(text);
    out = g_string_new("in:\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

/* Nova looks for a part of the name, Glance for the whole name. */
void
cf_os_search(gpointer handle, CfCollection collection, const char *text, guint page,
             const char *marker, gint64 deadline_us, gboolean user_waits, CfPageCallback callback,
             gpointer data)
{
    CfOsCall *call =
        new_listing(handle, collection, marker, deadline_us, user_waits, callback, data);
    g_autofree char *name =
        collection == CF_SERVERS ? cf_os_escape_regex(text) : cf_os_image_name_filter(text);

    add_parameter(call, "name", name);
    if (marker)
        add_parameter(call, "marker", marker);
    cf_os_call_send(call);
}

/* --- one resource ----------------------------------------------------------------------------- */

/* An answer about something else must not be taken for this one. */
static gboolean
is_about(const CfRecord *record, const char *id, GError **error)
{
    if (g_ascii_strcasecmp(cf_record_get_id(record), id) == 0)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "id: asked for %s, the answer is about another",
                id);
    return FALSE;
}

static CfRecord *
read_record(CfOsCall *call, const CfHttpReply *reply, GError **error)
{
    g_autoptr(CfRecord) record = NULL;
    CfJsonSpan span;
    const char *text;
    gsize len;

    text = g_bytes_get_data(reply->body, &len);
    if (!cf_os_read_one(call->collection, text, len, &span, error))
        return NULL;
    record = call->os->closed ? NULL : cf_os_parse_with(call->os, call->collection, span, error);
    return record && is_about(record, call->id, error) ? g_steal_pointer(&record) : NULL;
}

static void
on_record(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_autoptr(GError) wrong = NULL;
    g_autoptr(CfRecord) record = error ? NULL : read_record(call, reply, &wrong);

    if (record)
        call->callback.record(record, reply->sent_us, NULL, call->data);
    else
        call->callback.record(NULL, 0, error ? error : wrong, call->data);
}

void
cf_os_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
           CfRecordCallback callback, gpointer data)
{
    CfOsService service = collection == CF_SERVERS ? CF_OS_COMPUTE : CF_OS_IMAGE;
    CfOsCall *call =
        cf_os_call_new(handle, service, CF_HTTP_READ, "GET", deadline_us, on_record, data);

    call->callback.record = callback;
    call->collection = collection;
    call->id = g_strdup(id);
    call->user_waits = TRUE;
    g_string_printf(call->path, "/%s", cf_collection_name(collection));
    cf_os_call_add_segment(call, id);
    if (cf_os_is_addressable(id))
        cf_os_call_send(call);
    else
        cf_os_call_refuse(call, g_error_new(CF_ERROR, CF_ERROR_UNSUPPORTED,
                                            "‘%s’ cannot be asked for by its id", id));
}

/* --- credentials ------------------------------------------------------------------------------ */

static void
on_proved(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    call->callback.plain(error, call->data);
}

void
cf_os_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback, gpointer data)
{
    CfOsCall *call =
        cf_os_call_new(handle, CF_OS_COMPUTE, CF_HTTP_READ, "GET", deadline_us, on_proved, data);

    call->callback.plain = callback;
    call->user_waits = TRUE;
    cf_os_call_send(call); /* having a token is the proof */
}
