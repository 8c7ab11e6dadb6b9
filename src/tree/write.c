/* write(2) on a control file is an action; its verdict is the cloud's. Contract section 3. */
#include <string.h>

#include "model/metadata.h"
#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define VALUE_MAX 4096                   /* power, console, capture, name */
#define CONTINUE_US (2 * G_USEC_PER_SEC) /* tags, description: a further WRITE continues */
#define CONTINUED_MAX (1024 * 1024)

/* The last accepted WRITE of tags or description. */
typedef struct {
    gint process;
    gint64 at_us;
    GString *text; /* all that was written so far */
    char *stored;  /* (nullable) tags: the set that it became */
} CfLastWrite;

void
cf_last_write_free(gpointer data)
{
    CfLastWrite *write = data;

    g_string_free(write->text, TRUE);
    g_free(write->stored);
    g_free(write);
}

/* The process of a thread: the kernel tells us threads, and a program may write from several. */
static gint
process_of(gint thread)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", thread);
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return thread;
    line = strstr(text, "\nTgid:");
    return line ? (gint) g_ascii_strtoll(line + strlen("\nTgid:"), NULL, 10) : thread;
}

static gboolean
is_old(gpointer key, gpointer value, gpointer data)
{
    return *(gint64 *) data - ((CfLastWrite *) value)->at_us > CONTINUE_US;
}

typedef struct {
    CfTree *tree;
    CfIno ino;
    gint process;
    GString *text; /* (nullable): what a further WRITE may continue */
    char *stored;  /* (nullable) */
    CfDoneCallback callback;
    gpointer data;
} Storing;

/* Accepted: it can be continued, and nothing that was accepted before it. */
static void
remember(Storing *storing)
{
    CfTree *tree = storing->tree;
    gint64 now_us = cf_clock_mono_us();
    CfLastWrite *last;

    g_mutex_lock(&tree->lock);
    g_hash_table_foreach_remove(tree->writes, is_old, &now_us);
    if (storing->text) {
        last = g_new(CfLastWrite, 1);
        *last = (CfLastWrite){storing->process, now_us, g_steal_pointer(&storing->text),
                              g_steal_pointer(&storing->stored)};
        g_hash_table_replace(tree->writes, g_memdup2(&storing->ino, sizeof storing->ino), last);
    } else {
        g_hash_table_remove(tree->writes, &storing->ino);
    }
    g_mutex_unlock(&tree->lock);
}

/* What a WRITE at an offset continues. ret_stored: (transfer full) (nullable): the set that this
 * writer stored last. Returns: (transfer full) (nullable). */
static GString *
continued(CfTree *tree, CfIno ino, const CfWrite *write, char **ret_stored)
{
    gint process = process_of(write->pid);
    CfLastWrite *last;
    GString *text = NULL;

    g_mutex_lock(&tree->lock);
    last = g_hash_table_lookup(tree->writes, &ino);
    if (last && last->process == process && last->text->len == write->offset &&
        cf_clock_mono_us() - last->at_us <= CONTINUE_US &&
        last->text->len + write->size <= CONTINUED_MAX) {
        text = g_string_new_len(last->text->str, (gssize) last->text->len);
        *ret_stored = g_strdup(last->stored);
    }
    g_mutex_unlock(&tree->lock);
    return text;
}

char *
cf_tree_command_of(gint pid)
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
    const char *key = place->subject.key;
    g_autofree char *name = key ? cf_id_encode(key) : g_strdup(file);

    return g_strdup_printf("%s/%s/by-id/%s/%s%s", place->profile->name,
                           cf_collection_name(place->node.collection), id, key ? "metadata/" : "",
                           name);
}

/* What may be told of a value. text: (nullable). */
static const char *
hide(const CfPlace *place, const char *text)
{
    return text && *text && cf_attribute_is_secret(&place->subject) ? CF_JSON_MASK : text;
}

static CfOrder *
order_of(const CfPlace *place, const CfAttribute *row, const CfWrite *write, CfAction *action,
         const char *text)
{
    const CfInventoryOptions *options = cf_inventory_get_options(place->profile->inventory);
    CfOrder *order = cf_order_new(action);

    order->actor.uid = write->uid;
    order->actor.pid = write->pid;
    order->actor.command = cf_tree_command_of(write->pid);
    order->actor.path = path_of(place, row->name);
    order->value = g_strdup(hide(place, text));
    order->deadline_us = cf_clock_mono_us() + options->deadline_us;
    return order;
}

static gboolean
takes_continued(const CfAttribute *row)
{
    return row->action == CF_ACTION_TAGS || row->action == CF_ACTION_DESCRIBE ||
           row->action == CF_ACTION_METADATA;
}

/* Returns: (transfer full) (nullable): a value of one WRITE. */
static GString *
single_value(const CfWrite *write, GError **error)
{
    if (write->offset > 0 && !write->append)
        cf_tree_fail(error, CF_ERROR_INVALID, "one write is one complete value");
    else if (write->size > VALUE_MAX)
        cf_tree_fail(error, CF_ERROR_TOO_BIG, "a value has at most 4096 bytes");
    else
        return g_string_new_len(write->data, (gssize) write->size);
    return NULL;
}

/* The whole value that this WRITE stands for. ret_stored: as in continued().
 * Returns: (transfer full) (nullable). */
static GString *
whole_value(CfTree *tree, CfIno ino, const CfAttribute *row, const CfWrite *write,
            char **ret_stored, GError **error)
{
    GString *text = NULL;

    if (memchr(write->data, 0, write->size)) {
        cf_tree_fail(error, CF_ERROR_INVALID, "a value holds no NUL bytes");
        return NULL;
    }
    if (!takes_continued(row))
        return single_value(write, error);
    if (write->offset > 0 && !write->append) {
        text = continued(tree, ino, write, ret_stored);
        if (!text) {
            cf_tree_fail(error, CF_ERROR_INVALID, "a write behind the beginning continues nothing");
            return NULL;
        }
    } else {
        text = g_string_new(NULL);
    }
    return g_string_append_len(text, write->data, (gssize) write->size);
}

static void
on_stored(const GError *error, gpointer data)
{
    Storing *storing = data;

    if (!error)
        remember(storing);
    cf_meta_written(storing->tree, storing->ino);
    storing->callback(error, storing->data);
    if (storing->text)
        g_string_free(storing->text, TRUE);
    g_free(storing->stored);
    g_free(storing);
}

static void
refuse(const CfPlace *place, const CfAttribute *row, const CfWrite *write, const GString *text,
       const GError *error, CfDoneCallback callback, gpointer data)
{
    CfAction *action = cf_action_new((CfActionKind) row->action, place->node.collection,
                                     cf_record_get_id(place->resource->record));
    CfOrder *order = order_of(place, row, write, action, text ? text->str : NULL);

    cf_meta_written(place->tree, cf_node_pack(place->node));
    cf_inventory_refuse(place->profile->inventory, order, error, callback, data);
}

/* Returns: (transfer full) (nullable): the value that is shown. */
static char *
old_value(const CfPlace *place, const CfAttribute *row)
{
    if (place->subject.key)
        return cf_metadata_get(cf_resource_get(place->resource, CF_SERVER_METADATA),
                               place->subject.key);
    return row->field < 0 ? NULL : g_strdup(cf_resource_get(place->resource, (guint) row->field));
}

/* description, metadata: what is appended stands behind the old text, on a line of its own. */
static void
put_behind(const CfPlace *place, const CfAttribute *row, GString *text)
{
    g_autofree char *old = old_value(place, row);

    if ((row->action == CF_ACTION_DESCRIBE || row->action == CF_ACTION_METADATA) && old && *old) {
        g_string_prepend_c(text, '\n');
        g_string_prepend(text, old);
    }
}

/* Returns: (transfer full) (nullable): what the text asks for. value: (transfer full). */
static CfAction *
action_of_text(const CfPlace *place, const CfAttribute *row, const CfWrite *write,
               const GString *text, char **ret_value, GError **error)
{
    g_autoptr(GString) whole = g_string_new_len(text->str, (gssize) text->len);

    if (write->append)
        put_behind(place, row, whole);
    *ret_value = cf_text_take_value(whole->str, whole->len, error);
    return *ret_value ? row->store(&place->subject, *ret_value, error) : NULL;
}

/* Returns: (transfer none) (nullable): the tags that are shown; NULL: they are not known. */
static const char *
shown_tags(const CfPlace *place, const CfAttribute *row)
{
    const CfProviderOps *ops = cf_inventory_get_ops(place->profile->inventory);
    gboolean apart = ops->tags_apart && place->node.collection == CF_SERVERS;
    const char *shown = cf_resource_get(place->resource, (guint) row->field);

    /* Where tags come with the listing, none is a set that is known. */
    return shown || apart ? shown : "";
}

/* order: (transfer full). text, stored: (transfer full). */
static void
act(const CfPlace *place, const CfAttribute *row, const CfWrite *write, CfOrder *order,
    GString *text, char *stored, CfDoneCallback callback, gpointer data)
{
    Storing *storing = g_new(Storing, 1);

    *storing = (Storing){
        place->tree, cf_node_pack(place->node), process_of(write->pid), NULL, NULL, callback, data};
    if (row->action == CF_ACTION_TAGS) {
        /* What is shown now is what the writer saw; who continues saw what he stored himself. */
        order->add = write->append;
        if (!order->add)
            order->shown = g_strdup(stored ? stored : shown_tags(place, row));
        storing->stored = g_strjoinv("\n", order->action->tags);
    } else if (row->action == CF_ACTION_METADATA) {
        order->shown = stored ? g_strdup(stored) : old_value(place, row);
        storing->stored = g_strdup(hide(place, order->action->text));
    }
    if (takes_continued(row) && !write->append && !write->whole)
        storing->text = text;
    else
        g_string_free(text, TRUE);
    g_free(stored);
    cf_inventory_act(place->profile->inventory, order, on_stored, storing);
}

static void
store(const CfPlace *place, const CfAttribute *row, const CfWrite *write, gint64 deadline_us,
      CfDoneCallback callback, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *value = NULL;
    char *stored = NULL;
    GString *text =
        whole_value(place->tree, cf_node_pack(place->node), row, write, &stored, &error);
    CfAction *action = text ? action_of_text(place, row, write, text, &value, &error) : NULL;
    CfOrder *order;

    if (!action) {
        refuse(place, row, write, text, error, callback, data);
        if (text)
            g_string_free(text, TRUE);
        g_free(stored);
        return;
    }
    order = order_of(place, row, write, action, value);
    if (deadline_us)
        order->deadline_us = MIN(order->deadline_us, deadline_us);
    act(place, row, write, order, text, stored, callback, data);
}

/* An empty file over an attribute means nothing, as truncation does: what wiped it may have been
 * an accident, and an empty line is the way to say it. */
static gboolean
is_empty_over_something(const CfPlace *place, const CfAttribute *row, const CfWrite *write)
{
    g_autofree char *old = NULL;

    if (!write->whole || write->size > 0)
        return FALSE;
    old = old_value(place, row);
    return old && *old;
}

void
cf_write_attribute(const CfPlace *place, const CfWrite *write, gint64 deadline_us,
                   CfDoneCallback callback, gpointer data)
{
    const CfAttribute *row = cf_place_row(place);
    g_autoptr(GError) error = NULL;

    /* Root passes the kernel's check of mode bits; the mode is the truth all the same, unless only
     * the cloud knows it. */
    if (!(cf_place_mode(place) & 0222) && !cf_attribute_asks(row, &place->subject)) {
        gboolean ro = cf_inventory_get_options(place->profile->inventory)->ro;

        cf_tree_fail(&error, ro ? CF_ERROR_READ_ONLY : CF_ERROR_DENIED,
                     "this file takes no writes");
        callback(error, data);
    } else if (is_empty_over_something(place, row, write)) {
        cf_tree_fail(&error, CF_ERROR_INVALID, "an empty file says nothing; an empty line clears");
        refuse(place, row, write, NULL, error, callback, data);
    } else if (write->whole && write->size == 0) {
        callback(NULL, data);
    } else {
        store(place, row, write, deadline_us, callback, data);
    }
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

static void
write_scratch(const CfPlace *place, const CfWrite *write, CfDoneCallback callback, gpointer data)
{
    g_autoptr(GError) error = NULL;
    CfScratch *file;

    g_mutex_lock(&place->tree->lock);
    file = cf_scratch_of(place, &error);
    if (file)
        cf_scratch_write(file, write->append ? file->bytes->len : write->offset, write->data,
                         write->size, &error);
    g_mutex_unlock(&place->tree->lock);
    callback(error, data);
}

void
cf_tree_write(CfTree *tree, CfIno ino, const CfWrite *write, CfDoneCallback callback, gpointer data)
{
    g_auto(CfPlace) place = {0};
    g_autoptr(GError) error = NULL;

    if (!cf_place_init(&place, tree, ino, &error)) {
        callback(error, data);
    } else if (place.node.kind == CF_KIND_SCRATCH) {
        write_scratch(&place, write, callback, data);
    } else if ((place.node.kind == CF_KIND_RESOURCE || place.node.kind == CF_KIND_META) &&
               place.node.sub > 0 && cf_tree_is_control(ino) && cf_place_row(&place)) {
        cf_write_attribute(&place, write, 0, callback, data);
    } else if (place.node.kind == CF_KIND_STATIC && place.node.sub == CF_STATIC_REFRESH) {
        refresh_profile(place.profile, callback, data);
    } else if (cf_batch_takes(&place.node)) {
        cf_batch_write(place.profile, &place.node, write, callback, data);
    } else if (place.node.kind == CF_KIND_RAW && place.node.sub == CF_RAW_REFRESH) {
        cf_inventory_show(place.profile->inventory, place.node.collection,
                          cf_record_get_id(place.resource->record), callback, data);
    } else {
        gboolean ro = place.profile && cf_inventory_get_options(place.profile->inventory)->ro;

        cf_tree_fail(&error, ro ? CF_ERROR_READ_ONLY : CF_ERROR_DENIED,
                     "this file takes no writes");
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
        return node.sub == CF_STATIC_REFRESH || cf_batch_takes(&node);
    if (node.kind == CF_KIND_RAW)
        return node.sub == CF_RAW_REFRESH;
    if (node.kind == CF_KIND_META)
        return node.sub > 0;
    rows = cf_attributes_get(node.collection, &n);
    return node.kind == CF_KIND_RESOURCE && node.sub > 0 && node.sub <= n &&
           rows[node.sub - 1].action >= 0;
}

void
cf_tree_touch(CfTree *tree, CfIno ino)
{
    g_auto(CfPlace) place = {0};
    g_autoptr(GError) error = NULL;
    const CfAttribute *row;

    if (!cf_place_init(&place, tree, ino, &error) || place.node.sub == 0)
        return;
    row = cf_place_row(&place);
    if (row)
        cf_inventory_touch(place.profile->inventory, place.node.collection, place.node.handle,
                           row->aspects);
}
