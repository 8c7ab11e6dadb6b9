#include "providers/inspur/private.h"

#include <arpa/inet.h>
#include <string.h>

/* --- listings --------------------------------------------------------------------------------- */

static void
give_page(CfInspurCall *call, GArray *records, gint64 total)
{
    g_autoptr(GBytes) none = g_bytes_new_static("", 0);
    CfPage page = {
        .body = call->reply ? call->reply : none,
        .records = records,
        .total = total,
        .last = call->page_size == 0 || records->len < call->page_size,
        .requested_us = call->sent_us,
    };

    call->callback.page(&page, NULL, call->data);
}

static void
on_page(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) wrong = NULL;
    gint64 total = 0;

    if (error && cf_inspur_is_empty_list(error))
        give_page(call, records, 0);
    else if (error)
        call->callback.page(NULL, error, call->data);
    else if (cf_inspur_read_list(answer, call->collection, records, &total, &wrong))
        give_page(call, records, total);
    else
        call->callback.page(NULL, wrong, call->data);
}

static CfInspurCall *
new_listing(CfInspur *inspur, CfCollection collection, guint page, gint64 deadline_us,
            gboolean user_waits, CfPageCallback callback, gpointer data)
{
    CfInspurCall *call =
        cf_inspur_call_new(inspur, CF_HTTP_READ, "GET", deadline_us, on_page, data);

    call->callback.page = callback;
    call->collection = collection;
    call->page = page;
    call->page_size = inspur->page_size;
    call->user_waits = user_waits;
    if (collection == CF_SERVERS)
        g_string_printf(call->path, "/v1/servers/%u/%u", page, inspur->page_size);
    else
        g_string_printf(call->path, "/v1/images?page=%u&pageSize=%u", page, inspur->page_size);
    return call;
}

void
cf_inspur_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
               gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    CfInspurCall *call =
        new_listing(handle, collection, page, deadline_us, user_waits, callback, data);

    call->known = known;
    cf_inspur_call_send(call);
}

/* The column of the servers that the text can only be a value of. NULL: any: name, id, inner
 * address and status are looked into then, as the document says. */
static const char *
search_field(CfCollection collection, const char *text)
{
    guint8 address[16];

    if (collection != CF_SERVERS) /* the images' search knows no field */
        return NULL;
    if (g_uuid_string_is_valid(text))
        return "uuid";
    if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
        return "ip";
    return NULL;
}

void
cf_inspur_search(gpointer handle, CfCollection collection, const char *text, guint page,
                 const char *marker, gint64 deadline_us, gboolean user_waits,
                 CfPageCallback callback, gpointer data)
{
    CfInspurCall *call =
        new_listing(handle, collection, page, deadline_us, user_waits, callback, data);
    g_autofree char *value = g_uri_escape_string(text, NULL, FALSE);
    const char *field = search_field(collection, text);

    g_string_append_printf(call->path, "%csearchValue=%s", collection == CF_SERVERS ? '?' : '&',
                           value);
    if (field)
        g_string_append_printf(call->path, "&searchField=%s", field);
    cf_inspur_call_send(call);
}

void
cf_inspur_list_private(CfInspur *inspur, gint64 deadline_us, CfPageCallback callback, gpointer data)
{
    CfInspurCall *call =
        cf_inspur_call_new(inspur, CF_HTTP_READ, "GET", deadline_us, on_page, data);

    call->callback.page = callback;
    call->collection = CF_IMAGES;
    call->page = 1;
    g_string_assign(call->path, "/v1/images/private?tag=ECS");
    cf_inspur_call_send(call);
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

static void
on_record(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    g_autoptr(CfRecord) record = NULL;
    g_autoptr(GError) wrong = NULL;

    if (error) {
        call->callback.record(NULL, 0, error, call->data);
        return;
    }
    record =
        cf_inspur_parse(call->collection, cf_inspur_read_one(answer, call->collection), &wrong);
    if (record && is_about(record, call->id, &wrong))
        call->callback.record(record, call->sent_us, NULL, call->data);
    else
        call->callback.record(NULL, 0, wrong, call->data);
}

void
cf_inspur_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
               CfRecordCallback callback, gpointer data)
{
    CfInspurCall *call =
        cf_inspur_call_new(handle, CF_HTTP_READ, "GET", deadline_us, on_record, data);

    call->callback.record = callback;
    call->collection = collection;
    call->id = g_strdup(id);
    call->flags = CF_INSPUR_OF_RESOURCE;
    call->user_waits = TRUE;
    g_string_printf(call->path, "/v1/%s", cf_collection_name(collection));
    cf_inspur_call_add_segment(call, id);
    if (cf_inspur_is_addressable(collection, id))
        cf_inspur_call_send(call);
    else
        cf_inspur_call_refuse(call, g_error_new(CF_ERROR, CF_ERROR_UNSUPPORTED,
                                                "‘%s’ cannot be asked for by its id", id));
}

/* --- tags ------------------------------------------------------------------------------------- */

static void
on_tags(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    g_autoptr(GError) wrong = NULL;
    g_auto(GStrv) tags = answer ? cf_inspur_read_tags(answer, &wrong) : NULL;

    call->callback.tags((const char *const *) tags, error ? error : wrong, call->data);
}

void
cf_inspur_list_tags(gpointer handle, const char *id, gint64 deadline_us, gboolean user_waits,
                    CfTagsCallback callback, gpointer data)
{
    CfInspurCall *call =
        cf_inspur_call_new(handle, CF_HTTP_READ, "GET", deadline_us, on_tags, data);

    call->callback.tags = callback;
    call->flags = CF_INSPUR_OF_RESOURCE;
    call->user_waits = user_waits;
    g_string_assign(call->path, "/v1/servers");
    cf_inspur_call_add_segment(call, id);
    g_string_append(call->path, "/tags");
    if (cf_inspur_is_addressable(CF_SERVERS, id))
        cf_inspur_call_send(call);
    else
        cf_inspur_call_refuse(call, g_error_new(CF_ERROR, CF_ERROR_UNSUPPORTED,
                                                "‘%s’ cannot be asked for by its id", id));
}

/* --- credentials ------------------------------------------------------------------------------ */

static void
on_proved(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error)
{
    call->callback.plain(error && cf_inspur_is_empty_list(error) ? NULL : error, call->data);
}

void
cf_inspur_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback, gpointer data)
{
    CfInspur *inspur = handle;
    CfInspurCall *call =
        cf_inspur_call_new(inspur, CF_HTTP_READ, "GET", deadline_us, on_proved, data);

    call->callback.plain = callback;
    call->user_waits = TRUE;
    /* Where there is a token to be had, having it is the proof; else the cheapest call is. */
    if (inspur->auth == CF_INSPUR_AUTH_TOKEN || inspur->auth == CF_INSPUR_AUTH_AKSK)
        g_string_assign(call->path, "/v1/servers/1/1");
    cf_inspur_call_send(call);
}
