/* Before microversion 2.47 a server names its flavour by id only. The list of all flavours tells
 * what is in them: fetched when the first server with one that is not known is listed, and again,
 * at most once a minute, when others appear. What waits for it is delivered whatever comes. */
#include "providers/openstack/private.h"

#include "providers/take.h"
#include "util/clock.h"
#include "json/fields.h"

#include <string.h>

#define LIMIT 1000
#define AGAIN_US (60 * G_USEC_PER_SEC)

typedef struct {
    CfOsReady ready;
    gpointer data;
    GDestroyNotify free_data;
} Waiter;

typedef struct {
    char *id;
    CfOsFlavor flavor;
} Item;

static const CfJsonField fields[] = {
    {"id", cf_json_take_text, offsetof(Item, id), CF_JSON_OPTIONAL},
    {"name", cf_json_take_text, offsetof(Item, flavor.name), CF_JSON_OPTIONAL},
    {"vcpus", cf_json_take_text, offsetof(Item, flavor.vcpus), CF_JSON_OPTIONAL},
    {"ram", cf_json_take_text, offsetof(Item, flavor.ram), CF_JSON_OPTIONAL},
    {"disk", cf_json_take_text, offsetof(Item, flavor.disk), CF_JSON_OPTIONAL},
};

static void
flavor_clear(gpointer data)
{
    CfOsFlavor *flavor = data;

    g_free(flavor->name);
    g_free(flavor->vcpus);
    g_free(flavor->ram);
    g_free(flavor->disk);
}

static void
flavor_unref(gpointer flavor)
{
    g_atomic_rc_box_release_full(flavor, flavor_clear);
}

/* The tables of two times share what is in them: a thread may be reading by the former one. */
static void
learn_again(gpointer id, gpointer flavor, gpointer learning)
{
    g_hash_table_insert(learning, g_strdup(id), g_atomic_rc_box_acquire(flavor));
}

/* --- what is known ---------------------------------------------------------------------------- */

static gboolean
is_unknown(const CfOs *os, CfJsonSpan server)
{
    CfJsonSpan flavor, id;
    g_autofree char *text = NULL;

    if (!cf_json_get(server, "flavor", FALSE, &flavor) || !cf_json_get(flavor, "id", FALSE, &id))
        return FALSE;
    text = cf_json_scalar(id);
    return text && !(os->flavors && g_hash_table_contains(os->flavors, text));
}

gboolean
cf_os_flavors_lack(const CfOs *os, const GArray *servers)
{
    if (os->version < 0 || os->version >= CF_OS_HAS_FLAVOR ||
        (!os->asking_flavors && os->flavors_us && cf_clock_mono_us() < os->flavors_us + AGAIN_US))
        return FALSE;
    for (guint i = 0; i < servers->len; i++)
        if (is_unknown(os, g_array_index(servers, CfJsonSpan, i)))
            return TRUE;
    return FALSE;
}

static void
learn(CfOs *os, CfJsonSpan text)
{
    Item item = {0};

    if (cf_json_kind(text) == CF_JSON_OBJECT)
        cf_json_read(text, fields, G_N_ELEMENTS(fields), &item, NULL);
    if (item.id && *item.id)
        g_hash_table_insert(os->learning, g_steal_pointer(&item.id),
                            g_atomic_rc_box_dup(sizeof item.flavor, &item.flavor));
    else
        flavor_clear(&item.flavor);
    g_free(item.id);
}

/* --- the flight ------------------------------------------------------------------------------- */

static void
tell_waiters(CfOs *os)
{
    GQueue waiting = os->flavorless;
    Waiter *waiter;

    os->asking_flavors = FALSE;
    os->flavors_us = cf_clock_mono_us();
    if (os->flavors)
        g_hash_table_unref(os->flavors);
    os->flavors = g_steal_pointer(&os->learning);
    cf_os_update_view(os);
    g_queue_init(&os->flavorless);
    while ((waiter = g_queue_pop_head(&waiting))) {
        if (os->closed)
            waiter->free_data(waiter->data);
        else
            waiter->ready(os, waiter->data);
        g_free(waiter);
    }
}

void
cf_os_flavors_close(CfOs *os)
{
    Waiter *waiter;

    while ((waiter = g_queue_pop_head(&os->flavorless))) {
        waiter->free_data(waiter->data);
        g_free(waiter);
    }
    g_clear_pointer(&os->flavors, g_hash_table_unref);
    g_clear_pointer(&os->learning, g_hash_table_unref);
}

static void ask(CfOs *os, const char *marker, gint64 deadline_us);

/* Returns: (transfer full) (nullable): the marker of the next page. */
static char *
read_flavors(CfOs *os, const CfHttpReply *reply)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    CfJsonSpan whole, flavors, links, id;
    const char *text;
    gsize len;

    text = g_bytes_get_data(reply->body, &len);
    if (!cf_json_check(text, len, &whole, NULL) ||
        !cf_json_get(whole, "flavors", FALSE, &flavors) || !cf_json_slice(flavors, list))
        return NULL;
    for (guint i = 0; i < list->len; i++)
        learn(os, g_array_index(list, CfJsonSpan, i));
    if (list->len == 0 || !cf_json_get(whole, "flavors_links", FALSE, &links) ||
        !cf_json_get(g_array_index(list, CfJsonSpan, list->len - 1), "id", FALSE, &id))
        return NULL;
    return cf_json_scalar(id);
}

static void
on_flavors(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    g_autofree char *next = NULL;

    if (!call->os->learning) {
        call->os->learning = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, flavor_unref);
        if (call->os->flavors)
            g_hash_table_foreach(call->os->flavors, learn_again, call->os->learning);
    }
    if (!error)
        next = read_flavors(call->os, reply);
    if (next && g_strcmp0(next, call->marker) != 0)
        ask(call->os, next, call->deadline_us);
    else
        tell_waiters(call->os);
}

static void
ask(CfOs *os, const char *marker, gint64 deadline_us)
{
    CfOsCall *call =
        cf_os_call_new(os, CF_OS_COMPUTE, CF_HTTP_READ, "GET", deadline_us, on_flavors, NULL);

    call->user_waits = TRUE;
    call->marker = g_strdup(marker);
    g_string_printf(call->path, "/flavors/detail?limit=%d", LIMIT);
    if (marker) {
        g_autofree char *encoded = g_uri_escape_string(marker, NULL, FALSE);

        g_string_append_printf(call->path, "&marker=%s", encoded);
    }
    cf_os_call_send(call);
}

void
cf_os_flavors_wait(CfOs *os, gint64 deadline_us, CfOsReady ready, gpointer data,
                   GDestroyNotify free_data)
{
    Waiter *waiter = g_new0(Waiter, 1);

    *waiter = (Waiter){ready, data, free_data};
    g_queue_push_tail(&os->flavorless, waiter);
    if (os->asking_flavors)
        return;
    os->asking_flavors = TRUE;
    ask(os, NULL, deadline_us);
}
