/* metadata/: a file for each key that the user gave a server. What is created there and can be a
 * key becomes one when it is first written; until then it is known here only, as scratch files are,
 * and it is thrown away as they are. */
#include <fcntl.h>
#include <string.h>

#include "model/metadata.h"
#include "tree/private.h"
#include "util/clock.h"
#include "util/text.h"

guint
cf_meta_number(CfTree *tree, const char *key, gboolean add)
{
    guint number;

    g_mutex_lock(&tree->lock);
    if (tree->keys.texts && tree->keys.texts->len >= CF_NODE_SUB_MAX)
        add = FALSE;
    number = cf_intern(&tree->keys, key, add);
    g_mutex_unlock(&tree->lock);
    return number;
}

const char *
cf_meta_key(CfTree *tree, guint number)
{
    const char *key = NULL;

    g_mutex_lock(&tree->lock);
    if (number > 0 && tree->keys.texts && number <= tree->keys.texts->len)
        key = tree->keys.texts->pdata[number - 1]; /* never freed while the tree lives */
    g_mutex_unlock(&tree->lock);
    return key;
}

char *
cf_meta_find(const CfPlace *dir, const char *name)
{
    g_auto(GStrv) keys = cf_metadata_keys(cf_resource_get(dir->resource, CF_SERVER_METADATA));

    for (guint i = 0; keys[i]; i++) {
        g_autofree char *encoded = cf_id_encode(keys[i]);

        if (strcmp(encoded, name) == 0)
            return g_strdup(keys[i]);
    }
    return NULL;
}

char *
cf_meta_possible(const CfPlace *dir, const char *name)
{
    const CfProviderOps *ops = cf_inventory_get_ops(dir->profile->inventory);
    char *key = strlen(name) <= CF_NAME_MAX ? cf_name_decode(name) : NULL;

    if (key && ops->is_metadata_key && !ops->is_metadata_key(key))
        g_clear_pointer(&key, g_free);
    return key;
}

CfNode
cf_meta_node(const CfPlace *dir, const char *key)
{
    return cf_place_node(dir, CF_KIND_META, dir->node.handle, cf_meta_number(dir->tree, key, TRUE));
}

/* ---- files that are made, and not written yet ---- */

gboolean
cf_meta_is_unwritten(const CfPlace *file)
{
    CfNode dir = file->node;
    g_autofree char *name = cf_id_encode(file->subject.key ? file->subject.key : "");
    CfScratch *made;

    dir.sub = 0;
    g_mutex_lock(&file->tree->lock);
    made = cf_scratch_find(file->tree->scratches, cf_node_pack(dir), name, cf_clock_mono_us());
    g_mutex_unlock(&file->tree->lock);
    return made && made->key;
}

void
cf_meta_written(CfTree *tree, CfIno ino)
{
    CfTreeSink sink = cf_tree_sink(tree);
    CfNode node;
    const char *key;
    g_autofree char *name = NULL;
    CfScratch *made;

    if (!cf_node_unpack(ino, &node) || node.kind != CF_KIND_META)
        return;
    key = cf_meta_key(tree, node.sub);
    name = cf_id_encode(key ? key : "");
    node.sub = 0;
    g_mutex_lock(&tree->lock);
    made = cf_scratch_find(tree->scratches, cf_node_pack(node), name, cf_clock_mono_us());
    if (made && made->key)
        cf_scratch_remove(tree->scratches, made);
    else
        made = NULL;
    g_mutex_unlock(&tree->lock);
    if (made && sink.inval_inode)
        sink.inval_inode(cf_node_pack(node), 0, 0, sink.data);
}

/* What programs make for their own use has a name that is no key's (".x.swp", "x~"), or is made as
 * mkstemp() does it: to be read as well, and by nobody before. */
gboolean
cf_meta_is_temporary(int flags)
{
    return (flags & O_EXCL) && (flags & O_ACCMODE) == O_RDWR;
}

/* ---- names ---- */

CfVerdict
cf_meta_lookup(CfPlace *dir, const char *name, CfEntry *entry, GError **error)
{
    g_autofree char *key = cf_meta_find(dir, name);
    CfNode node;
    gboolean made;

    cf_tree_mark_seen(dir->profile, dir->node.collection, dir->resource->handle,
                      CF_SEEN_FILES | CF_SEEN_META);
    if (!key) {
        CfScratch *file;

        g_mutex_lock(&dir->tree->lock);
        file = cf_scratch_find(dir->tree->scratches, cf_node_pack(dir->node), name,
                               cf_clock_mono_us());
        made = file && file->key;
        g_mutex_unlock(&dir->tree->lock);
        if (!made)
            return CF_WAIT; /* not ours */
        key = cf_meta_possible(dir, name);
    }
    node = cf_meta_node(dir, key);
    if (!node.sub) {
        cf_tree_fail(error, CF_ERROR_INTERNAL, "too many different keys of metadata");
        return CF_FAILED;
    }
    return cf_place_entry(dir, node, entry, error);
}

typedef struct {
    guint number;
    char *name;
} Member;

static void
member_clear(gpointer data)
{
    g_free(((Member *) data)->name);
}

static int
compare_members(gconstpointer a, gconstpointer b)
{
    const Member *one = a, *other = b;

    return (one->number > other->number) - (one->number < other->number);
}

/* By number: the places of a listing that goes on while keys come and go. */
gboolean
cf_meta_walk(const CfPlace *dir, guint64 from, CfMetaWalk walk, gpointer data)
{
    g_auto(GStrv) keys = cf_metadata_keys(cf_resource_get(dir->resource, CF_SERVER_METADATA));
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(Member));

    g_array_set_clear_func(members, member_clear);
    for (guint i = 0; keys[i]; i++) {
        Member member = {cf_meta_number(dir->tree, keys[i], TRUE), cf_id_encode(keys[i])};

        g_array_append_val(members, member);
    }
    g_array_sort(members, compare_members);
    for (guint i = 0; i < members->len; i++) {
        const Member *member = &g_array_index(members, Member, i);

        if (member->number >= MAX(from, 1) && !walk(member->name, member->number, data))
            return FALSE;
    }
    return TRUE;
}
