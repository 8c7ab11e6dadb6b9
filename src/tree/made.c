/* Tags that nobody has yet: directories that mkdir made in by-tag, to link into. They are gone
 * after ten minutes, and bounded; one that was removed counts until then, since its name keeps a
 * number for the mount's life. Contract section 3. */
#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"

typedef struct {
    CfIno value; /* the key */
    gint64 until_us;
    gboolean removed;
} Made;

gboolean
cf_made_add(CfTree *tree, CfIno value, gint64 now_us, GError **error)
{
    gboolean ok = TRUE;
    Made *made;

    g_mutex_lock(&tree->lock);
    made = g_hash_table_lookup(tree->made, &value);
    if (!made && g_hash_table_size(tree->made) >= CF_MADE_MAX) {
        ok = FALSE;
    } else if (!made) {
        made = g_new0(Made, 1);
        made->value = value;
        g_hash_table_insert(tree->made, &made->value, made);
    }
    if (ok) {
        made->until_us = now_us + CF_MADE_US;
        made->removed = FALSE;
    }
    g_mutex_unlock(&tree->lock);
    return ok || cf_tree_fail(error, CF_ERROR_QUOTA, "at most 64 tags can be made in ten minutes");
}

void
cf_made_remove(CfTree *tree, CfIno value)
{
    Made *made;

    g_mutex_lock(&tree->lock);
    made = g_hash_table_lookup(tree->made, &value);
    if (made)
        made->removed = TRUE;
    g_mutex_unlock(&tree->lock);
}

gboolean
cf_made_has(CfTree *tree, CfIno value)
{
    Made *made;
    gboolean has;

    g_mutex_lock(&tree->lock);
    made = g_hash_table_lookup(tree->made, &value);
    has = made && !made->removed;
    g_mutex_unlock(&tree->lock);
    return has;
}

/* It is no longer in the table: tells the kernel, unless somebody has the tag now. */
static void
tell_gone(CfTree *tree, CfIno value)
{
    g_auto(CfPlace) place = {0};
    g_autofree char *name = NULL;
    CfTreeSink sink = cf_tree_sink(tree);
    CfIno view;

    if (!cf_place_init(&place, tree, value, NULL) || !sink.inval_entry)
        return;
    if (cf_view_has_value(place.profile, place.snapshot, place.node.collection, place.node.sub,
                          place.node.handle))
        return;
    cf_view_touch(place.profile, place.node.collection, place.node.sub, place.node.handle);
    name =
        cf_view_dup_value(place.profile, place.node.collection, place.node.sub, place.node.handle);
    view = cf_node_pack(cf_place_node(&place, CF_KIND_STATIC, 0, CF_STATIC_VIEW + place.node.sub));
    sink.inval_entry(view, name, sink.data);
    sink.inval_inode(view, 0, 0, sink.data);
}

gint64
cf_made_expire(CfTree *tree, gint64 now_us)
{
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(CfIno));
    gint64 rest_us = -1;
    GHashTableIter iter;
    gpointer value;

    g_mutex_lock(&tree->lock);
    g_hash_table_iter_init(&iter, tree->made);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Made *made = value;

        if (made->until_us > now_us) {
            rest_us = rest_us < 0 ? made->until_us - now_us : MIN(rest_us, made->until_us - now_us);
            continue;
        }
        if (!made->removed)
            g_array_append_val(gone, made->value);
        g_hash_table_iter_remove(&iter);
    }
    g_mutex_unlock(&tree->lock);
    for (guint i = 0; i < gone->len; i++)
        tell_gone(tree, g_array_index(gone, CfIno, i));
    return rest_us;
}
