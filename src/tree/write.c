/* write(2) on a control file is an action; its verdict is the cloud's. Contract section 3. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define VALUE_MAX 4096                   /* power, console, capture, name */
#define CONTINUE_US (2 * G_USEC_PER_SEC) /* tags, description: a further WRITE continues */
#define CONTINUED_MAX (1024 * 1024)

/* The last accepted WRITE of tags or description. */
typedef struct {
    gint pid;
    gint64 at_us;
    GString *text; /* all that was written so far */
} CfLastWrite;

void
cf_last_write_free(gpointer data)
{
    CfLastWrite *write = data;

    g_string_free(write->text, TRUE);
    g_free(write);
}

static gboolean
is_old(gpointer key, gpointer value, gpointer data)
{
    return *(gint64 *) data - ((CfLastWrite *) value)->at_us > CONTINUE_US;
}

static void
remember(CfTree *tree, CfIno ino, const CfWrite *write, const GString *text)
{
    CfLastWrite *last = g_new(CfLastWrite, 1);
    gint64 now_us = cf_clock_mono_us();

    *last = (CfLastWrite){write->pid, now_us, g_string_new_len(text->str, (gssize) text->len)};
    g_mutex_lock(&tree->lock);
    g_hash_table_foreach_remove(tree->writes, is_old, &now_us);
    g_hash_table_replace(tree->writes, g_memdup2(&ino, sizeof ino), last);
    g_mutex_unlock(&tree->lock);
}

/* What a WRITE at an offset continues. Returns: (transfer full) (nullable). */
static GString *
continued(CfTree *tree, CfIno ino, const CfWrite *write)
{
    CfLastWrite *last;
    GString *text = NULL;

    g_mutex_lock(&tree->lock);
    last = g_hash_table_lookup(tree->writes, &ino);
    if (last && last->pid == write->pid && last->text->len == write->offset &&
        cf_clock_mono_us() - last->at_us <= CONTINUE_US &&
        last->text->len + write->size <= CONTINUED_MAX)
        text = g_string_new_len(last->text->str, (gssize) last->text->len);
    g_mutex_unlock(&tree->lock);
    return text;
}

static char *
command_of(gint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", pid);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    return g_strchomp(text);
}

static char *
path_of(const CfPlace *place, const char *file)
{
    g_autofree char *id = cf_id_encode(cf_record_get_id(place->resource->record));

    return g_strdup_printf("%s/%s/by-id/%s/%s", place->profile->name,
                           cf_collection_name(place->node.collection), id, file);
}

static CfOrder *
order_of(const CfPlace *place, const CfAttribute *row, const CfWrite *write, CfAction *action,
         const char *text)
{
    const CfInventoryOptions *options = cf_inventory_get_options(place->profile->inventory);
    CfOrder *order = cf_order_new(action);

    order->actor.uid = write->uid;
    order->actor.pid = write->pid;
    order->actor.command = command_of(write->pid);
    order->actor.path = path_of(place, row->name);
    order->value = g_strdup(text);
    order->deadline_us = cf_clock_mono_us() + options->deadline_us;
    return order;
}

static gboolean
takes_continued(const CfAttribute *row)
{
    return row->action == CF_ACTION_TAGS || row->action == CF_ACTION_DESCRIBE;
}

/* The whole value that this WRITE stands for. Returns: (transfer full) (nullable). */
static GString *
whole_value(CfTree *tree, CfIno ino, const CfAttribute *row, const CfWrite *write, GError **error)
{
    GString *text = NULL;

    if (memchr(write->data, 0, write->size)) {
        cf_tree_fail(error, CF_ERROR_INVALID, "a value holds no NUL bytes");
        return NULL;
    }
    if (!takes_continued(row)) {
        if (write->offset > 0 && !write->append)
            cf_tree_fail(error, CF_ERROR_INVALID, "one write is one complete value");
        else if (write->size > VALUE_MAX)
            cf_tree_fail(error, CF_ERROR_TOO_BIG, "a value has at most 4096 bytes");
        else
            text = g_string_new_len(write->data, (gssize) write->size);
        return text;
    }
    if (write->offset > 0 && !write->append) {
        text = continued(tree, ino, write);
        if (!text) {
            cf_tree_fail(error, CF_ERROR_INVALID, "a write behind the beginning continues nothing");
            return NULL;
        }
    } else {
        text = g_string_new(NULL);
    }
    return g_string_append_len(text, write->data, (gssize) write->size);
}

typedef struct {
    CfTree *tree;
    CfIno ino;
    CfWrite write;
    GString *text; /* (nullable): remembered when accepted */
    CfDoneCallback callback;
    gpointer data;
} Storing;

static void
on_stored(const GError *error, gpointer data)
{
    Storing *storing = data;

    if (!error && storing->text)
        remember(storing->tree, storing->ino, &storing->write, storing->text);
    storing->callback(error, storing->data);
    if (storing->text)
        g_string_free(storing->text, TRUE);
    g_free(storing);
}

static void
refuse(const CfPlace *place, const CfAttribute *row, const CfWrite *write, const GString *text,
       const GError *error, CfDoneCallback callback, gpointer data)
{
    CfAction *action = cf_action_new((CfActionKind) row->action, place->node.collection,
                                     cf_record_get_id(place->resource->record));
    CfOrder *order = order_of(place, row, write, action, text ? text->str : NULL);

    cf_inventory_refuse(place->profile->inventory, order, error, callback, data);
}

/* description: what is appended stands behind the old text, on a line of its own. */
static void
put_behind(const CfPlace *place, const CfAttribute *row, GString *text)
{
    const char *old = cf_resource_get(place->resource, (guint) row->field);

    if (row->action == CF_ACTION_DESCRIBE && old && *old) {
        g_string_prepend_c(text, '\n');
        g_string_prepend(text, old);
    }
}

static void
store(const CfPlace *place, const CfAttribute *row, const CfWrite *write, CfDoneCallback callback,
      gpointer data)
{
    CfIno ino = cf_node_pack(place->node);
    g_autoptr(GError) error = NULL;
    GString *text = NULL;
    g_autofree char *value = NULL;
    CfAction *action = NULL;
    CfOrder *order;
    Storing *storing;

    text = whole_value(place->tree, ino, row, write, &error);
    if (text) {
        g_autoptr(GString) whole = g_string_new_len(text->str, (gssize) text->len);

        if (write->append)
            put_behind(place, row, whole);
        value = cf_text_take_value(whole->str, whole->len, &error);
    }
    if (value)
        action = row->store(&place->subject, value, &error);
    if (!action) {
        refuse(place, row, write, text, error, callback, data);
        if (text)
            g_string_free(text, TRUE);
        return;
    }
    order = order_of(place, row, write, action, value);
    if (row->action == CF_ACTION_TAGS) {
        /* What is shown now is what the writer saw, or stored just before. */
        const CfProviderOps *ops = cf_inventory_get_ops(place->profile->inventory);
        gboolean apart = ops->tags_apart && place->node.collection == CF_SERVERS;
        const char *shown = cf_resource_get(place->resource, (guint) row->field);

        order->add = write->append;
        if (!order->add) /* where tags come with the listing, none is a set that is known */
            order->shown = g_strdup(shown || apart ? shown : "");
    }
    storing = g_new(Storing, 1);
    *storing = (Storing){place->tree, ino, *write, NULL, callback, data};
    storing->write.data = NULL;
    if (takes_continued(row) && !write->append)
        storing->text = text;
    else
        g_string_free(text, TRUE);
    cf_inventory_act(place->profile->inventory, order, on_stored, storing);
}

/* ---- refresh ---- */

typedef struct {
    CfTreeProfile *profile;
    gint left;
    GError *error;
    CfDoneCallback callback;
    gpointer data;
} Refreshing;

static void
on_one_refreshed(const GError *error, gpointer data)
{
    Refreshing *refreshing = data;

    if (error && !refreshing->error)
        refreshing->error = g_error_copy(error);
    if (--refreshing->left > 0)
        return;
    refreshing->callback(refreshing->error, refreshing->data);
    g_clear_error(&refreshing->error);
    g_free(refreshing);
}

static void
refresh_profile(CfTreeProfile *profile, CfDoneCallback callback, gpointer data)
{
    Refreshing *refreshing = g_new0(Refreshing, 1);

    *refreshing = (Refreshing){profile, CF_COLLECTION_N, NULL, callback, data};
    g_mutex_lock(&profile->tree->lock);
    profile->refresh_ns = MAX(cf_clock_real_ns(), profile->refresh_ns + 1);
    g_mutex_unlock(&profile->tree->lock);
    for (guint c = 0; c < CF_COLLECTION_N; c++)
        cf_inventory_refresh(profile->inventory, c, on_one_refreshed, refreshing);
}

/* ---- the door ---- */

void
cf_tree_write(CfTree *tree, CfIno ino, const CfWrite *write, CfDoneCallback callback, gpointer data)
{
    g_auto(CfPlace) place = {0};
    g_autoptr(GError) error = NULL;
    guint n;

    if (!cf_place_init(&place, tree, ino, &error)) {
        callback(error, data);
        return;
    }
    /* Root passes the kernel's check of mode bits; the mode is the truth all the same. */
    if (!(cf_place_mode(&place) & 0222)) {
        gboolean ro = place.profile && cf_inventory_get_options(place.profile->inventory)->ro;

        cf_tree_fail(&error, ro ? CF_ERROR_READ_ONLY : CF_ERROR_DENIED,
                     "this file takes no writes");
        callback(error, data);
        return;
    }
    if (place.node.kind == CF_KIND_STATIC && place.node.sub == CF_STATIC_REFRESH) {
        refresh_profile(place.profile, callback, data);
    } else if (place.node.kind == CF_KIND_RAW && place.node.sub == CF_RAW_REFRESH) {
        cf_inventory_show(place.profile->inventory, place.node.collection,
                          cf_record_get_id(place.resource->record), callback, data);
    } else if (place.node.kind == CF_KIND_RESOURCE && place.node.sub > 0) {
        const CfAttribute *row = &cf_attributes_get(place.node.collection, &n)[place.node.sub - 1];

        store(&place, row, write, callback, data);
    } else {
        cf_tree_fail(&error, CF_ERROR_DENIED, "this file takes no writes");
        callback(error, data);
    }
}

gboolean
cf_tree_is_control(CfIno ino)
{
    CfNode node;
    guint n;
    const CfAttribute *rows;

    if (!cf_node_unpack(ino, &node))
        return FALSE;
    if (node.kind == CF_KIND_STATIC)
        return node.sub == CF_STATIC_REFRESH;
    if (node.kind == CF_KIND_RAW)
        return node.sub == CF_RAW_REFRESH;
    rows = cf_attributes_get(node.collection, &n);
    return node.kind == CF_KIND_RESOURCE && node.sub > 0 && node.sub <= n &&
           rows[node.sub - 1].action >= 0;
}

void
cf_tree_touch(CfTree *tree, CfIno ino)
{
    g_auto(CfPlace) place = {0};
    g_autoptr(GError) error = NULL;
    guint n;

    if (!cf_place_init(&place, tree, ino, &error) || place.node.kind != CF_KIND_RESOURCE ||
        place.node.sub == 0)
        return;
    cf_inventory_touch(place.profile->inventory, place.node.collection, place.node.handle,
                       cf_attributes_get(place.node.collection, &n)[place.node.sub - 1].aspects);
}
