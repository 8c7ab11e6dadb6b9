/* What makes, moves and removes names: only beside the attributes of a resource, and only scratch
 * files. Contract section 3. */
#include <fcntl.h>
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"

/* A rename locks its directory in the kernel; contract: it is answered within this time. */
#define RENAME_US (5 * (gint64) G_USEC_PER_SEC)

static gboolean
can_edit(const CfPlace *place)
{
    int view = cf_view_of_node(&place->node);

    return view >= 0 && cf_view_is_editable((guint) view, place->profile, place->node.collection);
}

gboolean
cf_tree_may_name(CfTree *tree, CfIno dir, GError **error)
{
    g_auto(CfPlace) place = {0};

    if (!cf_place_init(&place, tree, dir, error))
        return FALSE;
    if (cf_tree_is_view(dir) && !can_edit(&place))
        return cf_tree_fail(error, CF_ERROR_READ_ONLY, "this view is read-only");
    if (place.profile && cf_inventory_get_options(place.profile->inventory)->ro)
        return cf_tree_fail(error, CF_ERROR_READ_ONLY, "mounted read-only");
    if (!cf_place_takes_scratch(&place))
        return cf_tree_fail(error, CF_ERROR_REFUSED, "names are not made, moved or removed here");
    return TRUE;
}

/* Whether an attribute has that name, here or in another resource: then no scratch file may. In
 * metadata/ only keys that are there count. Takes no lock. */
static gboolean
is_attribute_name(const CfPlace *place, const char *name)
{
    g_autofree char *key = NULL;

    if (place->node.kind != CF_KIND_META)
        return cf_attributes_find(place->node.collection, name) >= 0;
    key = cf_meta_find(place, name);
    return key != NULL;
}

/* ---- create, unlink ---- */

/* The tree's lock is held. key: it stands for a key of metadata. */
static CfScratch *
create(CfTree *tree, CfIno dir, const char *name, gboolean key, mode_t mode, int flags,
       GError **error)
{
    gint64 now_us = cf_clock_mono_us();
    CfScratch *file = cf_scratch_find(tree->scratches, dir, name, now_us);

    /* The kernel had not heard of it yet. */
    if (file && (flags & O_EXCL)) {
        cf_tree_fail(error, CF_ERROR_EXISTS, "the file exists");
        return NULL;
    }
    if (file && (flags & O_TRUNC))
        cf_scratch_resize(file, 0, NULL);
    if (!file) {
        file = cf_scratch_add(tree->scratches, dir, name, mode, now_us, error);
        if (file)
            file->key = key;
    }
    if (file && !file->key)
        file->lookups++;
    return file;
}

/* The node of the key that a file of that name is or will be. */
static gboolean
take_key_node(const CfPlace *place, const char *name, CfNode *ret_node, GError **error)
{
    g_autofree char *known = cf_meta_find(place, name);
    g_autofree char *possible = known ? NULL : cf_meta_possible(place, name);
    const char *key = known ? known : possible;

    *ret_node = cf_meta_node(place, key ? key : "");
    return (key && ret_node->sub) ||
           cf_tree_fail(error, CF_ERROR_INTERNAL, "too many different keys of metadata");
}

/* The kernel had not heard of a key that came meanwhile. */
static gboolean
create_known(CfPlace *place, const char *name, int flags, CfEntry *ret_entry, GError **error)
{
    CfNode node;

    if (place->node.kind != CF_KIND_META)
        return cf_tree_fail(error, CF_ERROR_REFUSED, "this resource has no such file");
    if (flags & O_EXCL)
        return cf_tree_fail(error, CF_ERROR_EXISTS, "the file exists");
    return take_key_node(place, name, &node, error) &&
           cf_place_entry(place, node, ret_entry, error) == CF_DONE;
}

gboolean
cf_tree_create(CfTree *tree, CfIno parent, const char *name, mode_t mode, int flags,
               CfEntry *ret_entry, GError **error)
{
    g_auto(CfPlace) place = {0};
    g_autofree char *key = NULL;
    CfNode node;
    CfScratch *file;

    if (!cf_tree_may_name(tree, parent, error) || !cf_place_init(&place, tree, parent, error))
        return FALSE;
    if (is_attribute_name(&place, name))
        return create_known(&place, name, flags, ret_entry, error);
    if (place.node.kind == CF_KIND_META && !cf_meta_is_temporary(flags))
        key = cf_meta_possible(&place, name);
    node = cf_place_node(&place, CF_KIND_SCRATCH, 0, 0);
    g_mutex_lock(&tree->lock);
    file = create(tree, parent, name, key != NULL, mode & ~tree->options.umask, flags, error);
    if (file && file->key)
        node.kind = CF_KIND_META;
    else if (file)
        node.handle = file->number;
    g_mutex_unlock(&tree->lock);
    if (file && node.kind == CF_KIND_META && !take_key_node(&place, name, &node, error))
        return FALSE;
    return file && cf_place_entry(&place, node, ret_entry, error) == CF_DONE;
}

gboolean
cf_tree_unlink(CfTree *tree, CfIno parent, const char *name, GError **error)
{
    g_auto(CfPlace) place = {0};
    CfScratch *file;

    if (!cf_tree_may_name(tree, parent, error) || !cf_place_init(&place, tree, parent, error))
        return FALSE;
    if (is_attribute_name(&place, name))
        return cf_tree_fail(error, CF_ERROR_REFUSED, "an attribute cannot be removed");
    g_mutex_lock(&tree->lock);
    file = cf_scratch_find(tree->scratches, parent, name, cf_clock_mono_us());
    if (file)
        cf_scratch_unlink(tree->scratches, file);
    g_mutex_unlock(&tree->lock);
    return file || cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such file");
}

/* ---- rename ---- */

/* Under the tree's lock: makes room for a file of that name. */
static gboolean
replace(CfTree *tree, const CfRename *rename, CfScratch *source, GError **error)
{
    CfScratch *target =
        cf_scratch_find(tree->scratches, rename->parent, rename->new_name, cf_clock_mono_us());

    if (!target || target == source)
        return TRUE;
    if (rename->no_replace)
        return cf_tree_fail(error, CF_ERROR_EXISTS, "the file exists");
    cf_scratch_unlink(tree->scratches, target);
    return TRUE;
}

/* The visible attribute of that name; there becomes its place, lent.
 * Returns: (transfer none) (nullable). */
static const CfAttribute *
find_attribute(const CfPlace *place, const char *name, CfPlace *there)
{
    const CfAttribute *row;
    CfNode node;

    *there = *place;
    if (!is_attribute_name(place, name))
        return NULL;
    if (place->node.kind == CF_KIND_META) {
        if (!take_key_node(place, name, &node, NULL))
            return NULL;
    } else {
        guint index = (guint) cf_attributes_find(place->node.collection, name);

        node = cf_place_node(place, CF_KIND_RESOURCE, place->node.handle, index + 1);
    }
    cf_place_set_node(there, node);
    row = cf_place_row(there);
    return cf_attribute_is_visible(row, &there->subject) ? row : NULL;
}

static gboolean
is_edited(const CfAttribute *row)
{
    return row->action == CF_ACTION_RENAME || row->action == CF_ACTION_DESCRIBE ||
           row->action == CF_ACTION_TAGS;
}

/* A file that is moved within metadata/: over a key, or to a name that can be one, it is a write.
 * The tree's lock is held. */
static CfVerdict
move_to_key(const CfPlace *place, const CfRename *rename, CfScratch *source, GError **error)
{
    CfTree *tree = place->tree;
    CfScratch *target =
        cf_scratch_find(tree->scratches, rename->parent, rename->new_name, cf_clock_mono_us());
    g_autofree char *key = cf_meta_possible(place, rename->new_name);

    if (source->key) {
        cf_tree_fail(error, CF_ERROR_REFUSED, "this file is to be a key, and was not written yet");
        return CF_FAILED;
    }
    if (rename->no_replace && (target || is_attribute_name(place, rename->new_name))) {
        cf_tree_fail(error, CF_ERROR_EXISTS, "the file exists");
        return CF_FAILED;
    }
    if (is_attribute_name(place, rename->new_name) || (key && (!target || target->key)))
        return CF_WAIT;
    if (!replace(tree, rename, source, error))
        return CF_FAILED;
    cf_scratch_rename(tree->scratches, source, rename->new_name);
    return CF_DONE;
}

/* A scratch file is moved. */
static CfVerdict
move(const CfPlace *place, const CfRename *rename, CfScratch *source, GError **error)
{
    CfPlace there;
    const CfAttribute *row;

    if (place->node.kind == CF_KIND_META)
        return move_to_key(place, rename, source, error);
    row = find_attribute(place, rename->new_name, &there);
    if (is_attribute_name(place, rename->new_name)) {
        if (row && rename->no_replace)
            cf_tree_fail(error, CF_ERROR_EXISTS, "the file exists");
        else if (row && is_edited(row))
            return CF_WAIT;
        else
            cf_tree_fail(error, CF_ERROR_REFUSED,
                         "only name, description and tags can be replaced by a file");
        return CF_FAILED;
    }
    if (!replace(place->tree, rename, source, error))
        return CF_FAILED;
    cf_scratch_rename(place->tree->scratches, source, rename->new_name);
    return CF_DONE;
}

static gboolean
can_copy(const CfPlace *place, const CfAttribute *row, GError **error)
{
    mode_t mode = cf_attribute_get_mode(row, &place->subject);

    if (!S_ISREG(mode) || !(mode & 0444))
        return cf_tree_fail(error, CF_ERROR_REFUSED, "an attribute stays where it is");
    return TRUE;
}

/* An attribute is moved away: it stays, and a copy of it stands under the new name. */
static gboolean
copy_away(const CfPlace *place, const CfRename *rename, const CfAttribute *row, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    CfTree *tree = place->tree;
    mode_t mode = cf_attribute_get_mode(row, &place->subject);
    CfScratch *copy = NULL;

    cf_attribute_show(row, &place->subject, text);
    if (text->len > CF_SCRATCH_SIZE_MAX)
        return cf_tree_fail(error, CF_ERROR_FILE_TOO_BIG, "too long for a scratch file");
    g_mutex_lock(&tree->lock);
    if (replace(tree, rename, NULL, error))
        copy = cf_scratch_add(tree->scratches, rename->parent, rename->new_name,
                              mode & ~tree->options.umask, cf_clock_mono_us(), error);
    if (copy)
        cf_scratch_write(copy, 0, text->str, text->len, NULL);
    g_mutex_unlock(&tree->lock);
    return copy != NULL;
}

/* Between two directories. Only a scratch file could be copied and removed instead. */
static gboolean
refuse_crossing(CfTree *tree, const CfRename *rename, GError **error)
{
    CfScratch *file;

    g_mutex_lock(&tree->lock);
    file = cf_scratch_find(tree->scratches, rename->parent, rename->name, cf_clock_mono_us());
    g_mutex_unlock(&tree->lock);
    return file ? cf_tree_fail(error, CF_ERROR_CROSS, "scratch files stay in their directory")
                : cf_tree_fail(error, CF_ERROR_REFUSED, "an attribute stays where it is");
}

/* The kernel moves the entry of the attribute itself to the new name, where it would go on naming
 * the attribute until it is told. So it is made to forget that entry first: a rename answered with
 * ESTALE is tried again at once, with a LOOKUP of every name in its path; that LOOKUP is answered
 * with an entry that is valid for no time, and only then the rename is done. */
#define AWAY_US G_USEC_PER_SEC

typedef struct {
    gint64 at_us;
    gboolean looked_up;
} Away;

static gboolean
is_over(gpointer key, gpointer value, gpointer data)
{
    return *(gint64 *) data - ((Away *) value)->at_us > AWAY_US;
}

/* Returns: FALSE when the kernel is to be asked to try again. */
static gboolean
take_away(CfTree *tree, CfIno attribute, gboolean *ret_looked_up)
{
    gint64 now_us = cf_clock_mono_us();
    Away *away;

    g_mutex_lock(&tree->lock);
    g_hash_table_foreach_remove(tree->aways, is_over, &now_us);
    away = g_hash_table_lookup(tree->aways, &attribute);
    if (away) {
        *ret_looked_up = away->looked_up;
        g_hash_table_remove(tree->aways, &attribute);
    } else {
        Away *fresh = g_new(Away, 1);

        *fresh = (Away){now_us, FALSE};
        g_hash_table_insert(tree->aways, g_memdup2(&attribute, sizeof attribute), fresh);
    }
    g_mutex_unlock(&tree->lock);
    return away != NULL;
}

gboolean
cf_tree_is_going_away(CfTree *tree, CfIno attribute)
{
    Away *away;

    g_mutex_lock(&tree->lock);
    away = g_hash_table_lookup(tree->aways, &attribute);
    if (away)
        away->looked_up = TRUE;
    g_mutex_unlock(&tree->lock);
    return away != NULL;
}

static CfVerdict
move_away(const CfPlace *place, const CfRename *rename, const CfAttribute *row, GError **error)
{
    CfTree *tree = place->tree;
    CfTreeSink sink = cf_tree_sink(tree);
    CfIno ino = cf_node_pack(place->node);
    gboolean looked_up = FALSE;

    if (!can_copy(place, row, error))
        return CF_FAILED;
    if (!take_away(tree, ino, &looked_up)) {
        cf_tree_fail(error, CF_ERROR_CHANGED, "try again");
        return CF_FAILED;
    }
    if (!copy_away(place, rename, row, error))
        return CF_FAILED;
    /* A caller that does not try again by itself (a file server): tell the kernel. */
    if (!looked_up && sink.inval_entry)
        sink.inval_entry(rename->parent, rename->new_name, sink.data);
    return CF_DONE;
}

static CfVerdict
rename_scratch(const CfPlace *place, const CfRename *rename, GError **error)
{
    CfTree *tree = place->tree;
    CfVerdict verdict = CF_FAILED;
    CfScratch *source;

    g_mutex_lock(&tree->lock);
    source = cf_scratch_find(tree->scratches, rename->parent, rename->name, cf_clock_mono_us());
    if (source)
        verdict = move(place, rename, source, error);
    else
        cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such file");
    g_mutex_unlock(&tree->lock);
    return verdict;
}

CfVerdict
cf_tree_rename(CfTree *tree, const CfRename *rename, GError **error)
{
    g_auto(CfPlace) place = {0};
    CfPlace there;
    const CfAttribute *row;

    if (!cf_tree_may_name(tree, rename->new_parent, error) ||
        !cf_tree_may_name(tree, rename->parent, error) ||
        (rename->parent != rename->new_parent && !refuse_crossing(tree, rename, error)) ||
        !cf_place_init(&place, tree, rename->parent, error))
        return CF_FAILED;
    row = find_attribute(&place, rename->name, &there);
    if (!row)
        return rename_scratch(&place, rename, error);
    if (is_attribute_name(&place, rename->new_name)) {
        cf_tree_fail(error, CF_ERROR_REFUSED, "an attribute stays where it is");
        return CF_FAILED;
    }
    return move_away(&there, rename, row, error);
}

typedef struct {
    CfTree *tree;
    guint32 number;
    CfDoneCallback callback;
    gpointer data;
} Replacing;

static void
on_replaced(const GError *error, gpointer data)
{
    Replacing *replacing = data;
    CfTree *tree = replacing->tree;
    CfScratch *file;

    g_mutex_lock(&tree->lock);
    file = cf_scratch_get(tree->scratches, replacing->number, cf_clock_mono_us());
    if (file && !error)
        cf_scratch_remove(tree->scratches, file);
    else if (file)
        file->stale = g_error_matches(error, CF_ERROR, CF_ERROR_CHANGED);
    g_mutex_unlock(&tree->lock);
    replacing->callback(error, replacing->data);
    g_free(replacing);
}

static gboolean
take_target(const CfPlace *place, const char *name, CfNode *ret_node, GError **error)
{
    if (place->node.kind == CF_KIND_META)
        return take_key_node(place, name, ret_node, error);
    *ret_node = cf_place_node(place, CF_KIND_RESOURCE, place->node.handle,
                              (guint32) cf_attributes_find(place->node.collection, name) + 1);
    return TRUE;
}

void
cf_tree_rename_wait(CfTree *tree, const CfRename *rename, CfDoneCallback callback, gpointer data)
{
    g_auto(CfPlace) place = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    CfWrite write = {.uid = rename->uid, .pid = rename->pid, .whole = TRUE};
    Replacing *replacing;
    CfScratch *source;
    guint32 number = 0;
    CfNode target;

    g_mutex_lock(&tree->lock);
    source = cf_scratch_find(tree->scratches, rename->parent, rename->name, cf_clock_mono_us());
    if (!source) {
        cf_tree_fail(&error, CF_ERROR_NOT_FOUND, "no such file");
    } else if (source->stale) {
        /* The kernel tries a rename again that was answered with ESTALE. */
        cf_tree_fail(&error, CF_ERROR_CHANGED, "this file was made before the change");
    } else {
        bytes = g_byte_array_new();
        g_byte_array_append(bytes, source->bytes->data, source->bytes->len);
        number = source->number;
    }
    g_mutex_unlock(&tree->lock);
    if (error || !cf_place_init(&place, tree, rename->parent, &error)) {
        callback(error, data);
        return;
    }
    if (!take_target(&place, rename->new_name, &target, &error)) {
        callback(error, data);
        return;
    }
    cf_place_set_node(&place, target);
    write.data = (const char *) bytes->data;
    write.size = bytes->len;
    replacing = g_new(Replacing, 1);
    *replacing = (Replacing){tree, number, callback, data};
    cf_write_attribute(&place, &write, cf_clock_mono_us() + RENAME_US, on_replaced, replacing);
}

/* ---- scratch files as files ---- */

gboolean
cf_tree_is_scratch(CfIno ino)
{
    CfNode node;

    return cf_node_unpack(ino, &node) && node.kind == CF_KIND_SCRATCH;
}

CfScratch *
cf_scratch_of(const CfPlace *place, GError **error)
{
    CfScratch *file =
        cf_scratch_get(place->tree->scratches, place->node.handle, cf_clock_mono_us());

    if (!file)
        cf_tree_fail(error, CF_ERROR_CHANGED, "that scratch file is no more");
    return file;
}

/* The tree's lock is held. */
static gboolean
set_attr(CfTree *tree, CfScratch *file, const CfSetAttr *set, GError **error)
{
    if ((set->what & CF_SET_SIZE) && !cf_scratch_resize(file, set->size, error))
        return FALSE;
    if (set->what & CF_SET_MODE)
        file->mode = set->mode & 0777 & ~tree->options.umask;
    if (set->what & CF_SET_MTIME)
        file->mtime_ns = set->mtime_ns;
    return TRUE;
}

gboolean
cf_tree_setattr(CfTree *tree, CfIno ino, const CfSetAttr *set, CfAttr *ret_attr, GError **error)
{
    g_auto(CfPlace) place = {0};
    CfScratch *file;
    gboolean ok;

    if (!cf_place_init(&place, tree, ino, error))
        return FALSE;
    g_mutex_lock(&tree->lock);
    file = cf_scratch_of(&place, error);
    ok = file && set_attr(tree, file, set, error);
    g_mutex_unlock(&tree->lock);
    return ok && cf_place_attr(&place, ret_attr, error);
}

gint64
cf_tree_expire(CfTree *tree)
{
    g_autoptr(GArray) dirs = g_array_new(FALSE, FALSE, sizeof(CfIno));
    CfTreeSink sink = cf_tree_sink(tree);
    gint64 rest_us;

    gint64 made_us = cf_made_expire(tree, cf_clock_mono_us());

    g_mutex_lock(&tree->lock);
    rest_us = cf_scratch_expire(tree->scratches, cf_clock_mono_us(), dirs);
    g_mutex_unlock(&tree->lock);
    if (made_us >= 0)
        rest_us = rest_us < 0 ? made_us : MIN(rest_us, made_us);
    /* Their entries are asked for again every time; the kept listings are not. */
    for (guint i = 0; sink.inval_inode && i < dirs->len; i++)
        sink.inval_inode(g_array_index(dirs, CfIno, i), 0, 0, sink.data);
    return rest_us;
}
