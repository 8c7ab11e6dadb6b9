/* Pages of a listing, by offset.
 *
 * DescribeImages without a filter gives, as their document has it, "all images that you own".
 * Whether the system's are among them it does not say, and a filter by state would hide states that
 * it does not name. So the listing is asked for without a filter; when its first page has no image
 * of the system's, though there are some, it is found out once whether they are left out. If they
 * are, the listing goes on with provider=system behind the last one of those without a filter:
 *
 *      page 1          page 2          page 3
 *     |- own ---------|- own -|- sys -|- sys ---------| */
#include "providers/qingcloud/private.h"

#include <string.h>

static void
give_page(CfQingcloudCall *call, GBytes *body, GArray *records, gint64 total, gint64 requested_us)
{
    CfPage page = {.body = body,
                   .records = records,
                   .total = total,
                   .last = records->len < call->limit,
                   .requested_us = requested_us};

    call->callback.page(&page, NULL, call->data);
}

static void
give_error(CfQingcloudCall *call, const GError *error)
{
    call->callback.page(NULL, error, call->data);
}

static void
give_held(CfQingcloudCall *call)
{
    give_page(call, call->held, call->held_records, call->held_total, call->held_us);
}

/* A first page that is shorter than it was asked to be, though there are more, shows how many they
 * give at most: the further pages begin accordingly. */
static void
learn_step(const CfQingcloudCall *call, guint n, gint64 total)
{
    guint *step = &call->cloud->step[call->collection];

    if (call->page != 1 || call->searches)
        return;
    *step = n > 0 && n < call->limit && total > n ? n : call->limit;
}

static void
ask(CfQingcloudCall *call, const char *provider, guint offset, guint limit, CfQingcloudDone done)
{
    cf_qingcloud_call_begin(call, CF_HTTP_READ, cf_qingcloud_kinds[call->collection].action);
    if (provider)
        cf_qingcloud_call_add(call, "provider", provider);
    if (call->collection == CF_SERVERS)
        cf_qingcloud_call_add(call, "verbose", "1");
    if (call->searches)
        cf_qingcloud_call_add(call, "search_word", call->id);
    cf_qingcloud_add_window(call, offset, limit);
    call->done = done;
    cf_qingcloud_call_send(call);
}

/* --- the system's images behind one's own ----------------------------------------------------- */

static void
append_record(GArray *records, CfJsonSpan span, const char *from, const char *to)
{
    span.text = to + (span.text - from);
    g_array_append_val(records, span);
}

/* One text of both, and the records of both in it. */
static void
give_both(CfQingcloudCall *call, GArray *more)
{
    gsize held_len, len;
    const char *held = g_bytes_get_data(call->held, &held_len);
    const char *text = g_bytes_get_data(call->reply, &len);
    char *both = g_malloc(held_len + len + 1);
    g_autoptr(GBytes) body = g_bytes_new_take(both, held_len + len);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));

    if (held_len > 0)
        memcpy(both, held, held_len);
    memcpy(both + held_len, text, len);
    both[held_len + len] = '\0';
    for (guint i = 0; i < call->held_records->len; i++)
        append_record(records, g_array_index(call->held_records, CfJsonSpan, i), held, both);
    for (guint i = 0; i < more->len && records->len < call->limit; i++)
        append_record(records, g_array_index(more, CfJsonSpan, i), text, both + held_len);
    give_page(call, body, records, call->held_total + call->system_total, call->held_us);
}

static void
on_system_part(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) wrong = NULL;

    if (error ||
        !cf_qingcloud_read_set(answer, "image_set", records, &call->system_total, &wrong)) {
        give_error(call, error ? error : wrong);
        return;
    }
    if (call->system_total < 0)
        call->system_total = records->len;
    if (!call->held) { /* the page begins behind one's own */
        call->held = g_bytes_new_static("", 0);
        call->held_records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        call->held_us = call->sent_us;
    }
    give_both(call, records);
}

/* What is left of the page; where nothing is, one is asked for to learn how many there are. */
static void
ask_for_system_part(CfQingcloudCall *call)
{
    guint have = call->held_records->len;

    call->limit = call->cloud->step[CF_IMAGES];
    ask(call, "system", 0, have < call->limit ? call->limit - have : 1, on_system_part);
}

/* --- whether they are left out ---------------------------------------------------------------- */

static gboolean
has_system_image(const GArray *records)
{
    for (guint i = 0; i < records->len; i++) {
        g_autofree char *provider =
            cf_qingcloud_get_text(g_array_index(records, CfJsonSpan, i), "provider");

        if (provider && g_ascii_strcasecmp(provider, "system") == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
read_total(const CfQingcloudAnswer *answer, gint64 *ret_total)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));

    return answer && cf_qingcloud_read_set(answer, "image_set", records, ret_total, NULL) &&
           *ret_total >= 0;
}

static void
on_own_total(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    gint64 own;

    if (!read_total(answer, &own)) {
        give_held(call); /* asked again with the next listing */
        return;
    }
    if (own + call->system_total <= call->held_total) {
        call->cloud->images = CF_QINGCLOUD_WHOLE;
        give_held(call);
        return;
    }
    call->cloud->images = CF_QINGCLOUD_OWN_ONLY;
    call->cloud->own_images = (guint) CLAMP(call->held_total, 0, G_MAXINT);
    ask_for_system_part(call);
}

static void
on_system_total(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    if (!read_total(answer, &call->system_total)) {
        give_held(call);
    } else if (call->system_total == 0) {
        call->cloud->images = CF_QINGCLOUD_WHOLE;
        give_held(call);
    } else {
        ask(call, "self", 0, 1, on_own_total);
    }
}

/* --- pages ------------------------------------------------------------------------------------ */

/* Returns: FALSE when the page is whole as it is. */
static gboolean
needs_more(CfQingcloudCall *call, const GArray *records, gint64 total)
{
    CfQingcloud *cloud = call->cloud;

    if (call->collection != CF_IMAGES || call->searches || total < 0)
        return FALSE;
    if (call->page == 1) {
        cloud->own_images = (guint) MIN(total, G_MAXINT);
        if (has_system_image(records))
            cloud->images = CF_QINGCLOUD_WHOLE;
        return cloud->images != CF_QINGCLOUD_WHOLE;
    }
    return cloud->images == CF_QINGCLOUD_OWN_ONLY;
}

static void
on_page(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) wrong = NULL;
    gint64 total;

    if (error || !cf_qingcloud_read_set(answer, cf_qingcloud_kinds[call->collection].set, records,
                                        &total, &wrong)) {
        give_error(call, error ? error : wrong);
        return;
    }
    learn_step(call, records->len, total);
    if (!needs_more(call, records, total)) {
        give_page(call, call->reply, records, total, call->sent_us);
        return;
    }
    call->held = g_bytes_ref(call->reply);
    call->held_records = g_steal_pointer(&records);
    call->held_total = total;
    call->held_us = call->sent_us;
    if (call->cloud->images == CF_QINGCLOUD_UNSURE)
        ask(call, "system", 0, 1, on_system_total);
    else
        ask_for_system_part(call);
}

void
cf_qingcloud_ask_page(CfQingcloud *cloud, CfCollection collection, const char *text, guint page,
                      gint64 deadline_us, gboolean user_waits, CfJsonKnown *known,
                      CfPageCallback callback, gpointer data)
{
    CfQingcloudCall *call = cf_qingcloud_call_new(cloud, deadline_us, on_page, data);
    gboolean further = page > 1 && !text;
    /* What is found is cut as listings are; how many they give at most the last one has shown. */
    guint step = page > 1 && cloud->step[collection] ? cloud->step[collection] : cloud->page_size;
    guint offset = (page - 1) * step;

    call->callback.page = callback;
    call->collection = collection;
    call->page = page;
    call->limit = step;
    call->searches = text != NULL;
    call->id = g_strdup(text);
    call->user_waits = user_waits;
    call->known = known;
    if (further && collection == CF_IMAGES && cloud->images == CF_QINGCLOUD_OWN_ONLY &&
        offset >= cloud->own_images) {
        call->held_total = cloud->own_images;
        ask(call, "system", offset - cloud->own_images, step, on_system_part);
    } else {
        ask(call, NULL, offset, step, on_page);
    }
}
