#include "providers/ucloudstack/private.h"
#include "providers/words.h"

/* --- listings --------------------------------------------------------------------------------- */

/* A platform may grant fewer records a page than asked for. The first page shows it, and the
 * offsets of the others follow. */
static void
learn_limit(CfUcloudstackCall *call, guint n, gint64 total)
{
    if (call->learns && n > 0 && n <= call->limit)
        call->cloud->limits[call->collection] = total > n ? n : call->limit;
}

static void
on_page(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) wrong = NULL;
    gint64 offset = (gint64) (call->page - 1) * call->limit;
    CfPage page = {.body = call->reply, .records = records, .requested_us = call->sent_us};

    if (error) {
        call->callback.page(NULL, error, call->data);
        return;
    }
    if (!cf_ucloudstack_read_list(*whole, offset, records, &page.total, &wrong)) {
        call->callback.page(NULL, wrong, call->data);
        return;
    }
    learn_limit(call, records->len, page.total);
    page.last = records->len == 0 || (page.total >= 0 ? offset + records->len >= page.total
                                                      : records->len < call->limit);
    call->callback.page(&page, NULL, call->data);
}

static const char *
describe(CfCollection collection)
{
    return collection == CF_SERVERS ? "DescribeVMInstance" : "DescribeImage";
}

/* Images: without ImageType the platform lists all, base and custom ones, in one listing. */
static CfUcloudstackCall *
new_listing(CfUcloudstack *cloud, CfCollection collection, guint page, gint64 deadline_us,
            gboolean user_waits, CfPageCallback callback, gpointer data)
{
    CfUcloudstackCall *call = cf_ucloudstack_call_new(cloud, CF_HTTP_READ, describe(collection),
                                                      deadline_us, on_page, data);

    call->callback.page = callback;
    call->collection = collection;
    call->page = page;
    call->user_waits = user_waits;
    return call;
}

static void
send_listing(CfUcloudstackCall *call, guint limit)
{
    call->limit = limit;
    cf_ucloudstack_call_add_number(call, "Offset", (call->page - 1) * limit);
    cf_ucloudstack_call_add_number(call, "Limit", limit);
    if (call->cloud->project_id)
        cf_ucloudstack_call_add(call, "ProjectIDs.0", call->cloud->project_id);
    cf_ucloudstack_call_send(call);
}

void
cf_ucloudstack_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
                    gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data)
{
    CfUcloudstack *cloud = handle;
    CfUcloudstackCall *call =
        new_listing(cloud, collection, page, deadline_us, user_waits, callback, data);

    call->learns = page == 1;
    call->known = known;
    send_listing(call, page == 1 ? cloud->page_size : cloud->limits[collection]);
}

void
cf_ucloudstack_search(gpointer handle, CfCollection collection, const char *text, guint page,
                      const char *marker, gint64 deadline_us, gboolean user_waits,
                      CfPageCallback callback, gpointer data)
{
    CfUcloudstack *cloud = handle;
    CfUcloudstackCall *call =
        new_listing(cloud, collection, page, deadline_us, user_waits, callback, data);

    /* Generation 1 does not know the parameter and would answer with everything. */
    if (cloud->dialect == CF_UCLOUDSTACK_GEN_1) {
        cf_ucloudstack_call_refuse(call, g_error_new(CF_ERROR, CF_ERROR_UNSUPPORTED,
                                                     "generation 1 of UCloudStack has no search"));
        return;
    }
    cf_ucloudstack_call_add(call, "Keyword", text);
    send_listing(call, cloud->limits[collection]);
}

/* --- one resource ----------------------------------------------------------------------------- */

void
cf_ucloudstack_call_show(CfUcloudstackCall *call, CfCollection collection, const char *id,
                         CfUcloudstackDone done)
{
    cf_ucloudstack_call_begin(call, CF_HTTP_READ, describe(collection), done);
    call->flags = CF_UCLOUDSTACK_OF_RESOURCE;
    cf_ucloudstack_call_add(call, collection == CF_SERVERS ? "VMIDs.0" : "ImageIDs.0", id);
    if (call->cloud->project_id)
        cf_ucloudstack_call_add(call, "ProjectIDs.0", call->cloud->project_id);
}

static void
on_record(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    g_autoptr(CfRecord) record = NULL;
    g_autoptr(GError) wrong = NULL;

    if (!error)
        record = cf_ucloudstack_read_one(*whole, call->collection, call->id, &wrong);
    if (record)
        call->callback.record(record, call->sent_us, NULL, call->data);
    else
        call->callback.record(NULL, 0, error ? error : wrong, call->data);
}

void
cf_ucloudstack_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
                    CfRecordCallback callback, gpointer data)
{
    CfUcloudstackCall *call = cf_ucloudstack_call_new(handle, CF_HTTP_READ, describe(collection),
                                                      deadline_us, on_record, data);

    call->callback.record = callback;
    call->collection = collection;
    call->id = g_strdup(id);
    call->user_waits = TRUE;
    cf_ucloudstack_call_show(call, collection, id, on_record);
    cf_ucloudstack_call_send(call);
}

/* --- credentials ------------------------------------------------------------------------------ */

static void
on_proved(CfUcloudstackCall *call, const CfJsonSpan *whole, const GError *error)
{
    call->callback.plain(error, call->data);
}

void
cf_ucloudstack_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                            gpointer data)
{
    CfUcloudstackCall *call = cf_ucloudstack_call_new(handle, CF_HTTP_READ, describe(CF_SERVERS),
                                                      deadline_us, on_proved, data);

    call->callback.plain = callback;
    call->user_waits = TRUE;
    call->page = 1;
    send_listing(call, 1);
}
