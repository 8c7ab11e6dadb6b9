/* Views as directories to edit, with the option edit_views: what a change of a name in them asks of
 * the cloud. by-name is flat: a link's name is the resource's. In by-tag a directory is a tag, and
 * a link in it a resource that has it. Contract section 3. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

/* Such a request locks its directory in the kernel; contract: it is answered within this time. */
#define ANSWER_US (5 * (gint64) G_USEC_PER_SEC)
#define UNLINKS_US (60 * (gint64) G_USEC_PER_SEC)

struct _CfViewOrder {
    CfInventory *inventory;
    CfOrder *order;
    GError *refusal; /* (nullable): nothing is to be sent, only noted */
};

/* A request under way. */
typedef struct {
    CfTree *tree;
    const CfViewEdit *edit;
    CfPlace place; /* the directory */
    CfPlace there; /* RENAME: the directory of the new name */
    guint view;
    CfEntry *ret_entry;
    CfViewOrder **ret_order;
} Editing;

static void
editing_clear(Editing *editing)
{
    cf_place_clear(&editing->place);
    cf_place_clear(&editing->there);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Editing, editing_clear)

void
cf_view_order_free(CfViewOrder *order)
{
    if (!order)
        return;
    cf_order_free(order->order);
    g_clear_error(&order->refusal);
    g_free(order);
}

static CfVerdict
fail(GError **error, CfErrorCode code, const char *words)
{
    cf_tree_fail(error, code, words);
    return CF_FAILED;
}

/* ---- what a name or a target means ---- */

/* The tag whose directory has that name. A name that was shortened is that of a tag of one of its
 * members. Returns: (transfer full) (nullable). */
static char *
tag_of_name(const CfPlace *dir, const char *name)
{
    guint field =
        dir->node.collection == CF_SERVERS ? (guint) CF_SERVER_TAGS : (guint) CF_IMAGE_TAGS;
    GPtrArray *members = cf_view_index(dir->profile, dir->snapshot, dir->node.sub);
    GArray *slots = dir->node.handle <= members->len ? members->pdata[dir->node.handle - 1] : NULL;
    char *tag = cf_name_decode(name);

    if (!tag && slots) {
        const CfResource *one = dir->snapshot->slots[g_array_index(slots, guint32, 0)];
        g_auto(GStrv) tags = g_strsplit(cf_resource_get(one, field), "\n", -1);

        for (guint i = 0; tags[i] && !tag; i++) {
            g_autofree char *encoded = cf_id_encode(tags[i]);

            if (strcmp(encoded, name) == 0)
                tag = g_strdup(tags[i]);
        }
    }
    return tag;
}

/* dir: of a value. Returns: (transfer full) (nullable). */
static char *
tag_of_dir(const CfPlace *dir, GError **error)
{
    g_autofree char *name =
        cf_view_dup_value(dir->profile, dir->node.collection, dir->node.sub, dir->node.handle);
    char *tag = name ? tag_of_name(dir, name) : NULL;

    if (!tag)
        cf_tree_fail(error, CF_ERROR_INVALID, "this directory's name is not that of a tag");
    return tag;
}

static gboolean
has_value(const CfPlace *dir, const CfResource *resource)
{
    g_autofree char *name =
        cf_view_dup_value(dir->profile, dir->node.collection, dir->node.sub, dir->node.handle);
    g_autoptr(GPtrArray) values = cf_view_values(dir->node.sub, resource);

    return name && g_ptr_array_find_with_equal_func(values, name, g_str_equal, NULL);
}

/* The member of a directory under that name. Returns: (transfer none) (nullable). */
static CfResource *
find_member(const CfPlace *dir, const char *name, GError **error)
{
    CfResource *resource = cf_names_find(dir->snapshot, name);

    if (resource && !cf_resource_is_deleted(resource) &&
        (dir->node.kind != CF_KIND_VALUE || has_value(dir, resource)))
        return resource;
    cf_tree_fail(error, CF_ERROR_NOT_FOUND, "no such link");
    return NULL;
}

/* Whether the path leads into another collection or another profile, as far as it says. parts: its
 * n components, the last of which is the resource. */
static gboolean
leads_elsewhere(const CfPlace *dir, char **parts, guint n)
{
    const CfTree *tree = dir->tree;

    for (guint i = n - 1; i-- > 0;) {
        if (strcmp(parts[i], cf_collection_name(CF_SERVERS)) != 0 &&
            strcmp(parts[i], cf_collection_name(CF_IMAGES)) != 0)
            continue;
        if (i > 0 && cf_view_find(dir->node.collection, parts[i - 1]) >= 0)
            continue; /* a tag of that name */
        if (strcmp(parts[i], cf_collection_name(dir->node.collection)) != 0)
            return TRUE;
        for (guint p = 0; i > 0 && p < tree->profiles->len; p++) {
            const CfTreeProfile *other = tree->profiles->pdata[p];

            if (other != dir->profile && strcmp(other->name, parts[i - 1]) == 0)
                return TRUE;
        }
        return FALSE;
    }
    return FALSE;
}

/* Returns: (transfer full) (array zero-terminated=1): the components that mean something. */
static char **
split_path(const char *path)
{
    g_auto(GStrv) all = g_strsplit(path, "/", -1);
    GPtrArray *parts = g_ptr_array_new();

    for (guint i = 0; all[i]; i++)
        if (*all[i] && strcmp(all[i], ".") != 0)
            g_ptr_array_add(parts, g_strdup(all[i]));
    g_ptr_array_add(parts, NULL);
    return (char **) g_ptr_array_free(parts, FALSE);
}

/* What the target of a link names: in any way that ends in an id or an entry of by-name.
 * Returns: (transfer none) (nullable). */
static CfResource *
resolve_target(const CfPlace *dir, const char *target, GError **error)
{
    g_auto(GStrv) parts = split_path(target);
    guint n = g_strv_length(parts);
    const char *before = n > 1 ? parts[n - 2] : "";
    CfResource *resource = NULL;

    if (n == 0 || strcmp(parts[n - 1], "..") == 0 || leads_elsewhere(dir, parts, n)) {
        cf_tree_fail(error, CF_ERROR_INVALID,
                     "a link leads to a resource of the same collection and profile");
        return NULL;
    }
    if (strcmp(before, "by-name") != 0)
        resource = cf_snapshot_find_encoded(dir->snapshot, parts[n - 1]);
    if (!resource && strcmp(before, "by-id") != 0)
        resource = cf_names_find(dir->snapshot, parts[n - 1]);
    if (!resource || cf_resource_is_deleted(resource)) {
        cf_tree_fail(error, CF_ERROR_NOT_FOUND, "the link leads to nothing");
        return NULL;
    }
    return resource;
}

/* ---- orders ---- */

static const CfAttribute *
row_of(const Editing *editing)
{
    guint n;
    CfCollection collection = editing->place.node.collection;
    const char *name = cf_view_get_edit(editing->view) & CF_CAN(CF_ACTION_RENAME) ? "name" : "tags";

    return &cf_attributes_get(collection, &n)[cf_attributes_find(collection, name)];
}

static char *
path_of(const Editing *editing)
{
    const CfPlace *place = &editing->place;
    g_autofree char *value = NULL;

    if (place->node.kind == CF_KIND_VALUE)
        value = cf_view_dup_value(place->profile, place->node.collection, editing->view,
                                  place->node.handle);
    return g_strdup_printf("%s/%s/%s/%s%s%s", place->profile->name,
                           cf_collection_name(place->node.collection), cf_view_name(editing->view),
                           value ? value : "", value ? "/" : "", editing->edit->name);
}

/* action: (transfer full). value: (transfer full): for the journal. */
static CfOrder *
order_of(const Editing *editing, CfAction *action, char *value)
{
    const CfInventoryOptions *options = cf_inventory_get_options(editing->place.profile->inventory);
    CfOrder *order = cf_order_new(action);

    order->actor.uid = editing->edit->uid;
    order->actor.pid = editing->edit->pid;
    order->actor.command = cf_tree_command_of(editing->edit->pid);
    order->actor.path = path_of(editing);
    order->value = value;
    order->deadline_us = cf_clock_mono_us() + MIN(options->deadline_us, ANSWER_US);
    return order;
}

/* order: (transfer full). refusal: (transfer full) (nullable). */
static CfVerdict
give_order(Editing *editing, CfOrder *order, GError *refusal)
{
    CfViewOrder *out = g_new(CfViewOrder, 1);

    *out = (CfViewOrder){editing->place.profile->inventory, order, refusal};
    *editing->ret_order = out;
    return CF_WAIT;
}

/* The reason is shown where the resource's other failures are. */
static CfVerdict
refuse(Editing *editing, const CfResource *resource, CfErrorCode code, const char *words)
{
    CfAction *action =
        cf_action_new((CfActionKind) row_of(editing)->action, editing->place.node.collection,
                      cf_record_get_id(resource->record));
    GError *refusal = NULL;

    cf_tree_fail(&refusal, code, words);
    return give_order(editing, order_of(editing, action, NULL), refusal);
}

static CfSubject
subject_of(const Editing *editing, const CfResource *resource)
{
    return (CfSubject){editing->place.profile->inventory, editing->place.node.collection, resource};
}

/* Whether this resource takes it, as its own file would. */
static gboolean
can_write(const Editing *editing, const CfResource *resource, GError **error)
{
    CfSubject subject = subject_of(editing, resource);

    return (cf_attribute_get_mode(row_of(editing), &subject) & 0222) ||
           cf_attribute_asks(row_of(editing), &subject) ||
           cf_tree_fail(error, CF_ERROR_DENIED, "this resource does not take it");
}

/* add, take: (nullable). */
static CfVerdict
change_tags(Editing *editing, const CfResource *resource, const char *add, const char *take,
            GError **error)
{
    CfSubject subject = subject_of(editing, resource);
    const char *none[] = {take, NULL};
    CfAction *action;
    CfOrder *order;

    if (!can_write(editing, resource, error))
        return CF_FAILED;
    if (add && strchr(add, '\n'))
        return refuse(editing, resource, CF_ERROR_INVALID, "a tag is one line");
    action = row_of(editing)->store(&subject, add ? add : "", error);
    if (!action)
        return CF_FAILED;
    order = order_of(editing, action,
                     g_strconcat(add ? "+" : "", add ? add : "", add && take ? "\n" : "",
                                 take ? "-" : "", take ? take : "", NULL));
    order->add = TRUE;
    order->take = g_strdupv((char **) none);
    return give_order(editing, order, NULL);
}

/* ---- by-name ---- */

static gboolean
is_taken(const CfPlace *dir, const char *name)
{
    if (cf_names_find(dir->snapshot, name))
        return TRUE;
    /* Several that share the name stand there with their ids; one more would join them. */
    for (guint i = 0; i < dir->snapshot->n_slots; i++) {
        const CfResource *resource = dir->snapshot->slots[i];

        if (resource && !cf_resource_is_deleted(resource) && strcmp(resource->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

static CfVerdict
rename_resource(Editing *editing, GError **error)
{
    const CfViewEdit *edit = editing->edit;
    CfResource *resource = find_member(&editing->place, edit->name, error);
    g_autofree char *name = cf_name_decode(edit->new_name);
    CfSubject subject = subject_of(editing, resource);
    CfAction *action;

    if (!resource)
        return CF_FAILED;
    if (edit->parent != edit->new_parent)
        return fail(error, CF_ERROR_REFUSED, "a name stays in its view");
    if (!can_write(editing, resource, error))
        return CF_FAILED;
    if (is_taken(&editing->place, edit->new_name))
        return fail(error, CF_ERROR_EXISTS, "there is one of that name");
    if (!name)
        return refuse(editing, resource, CF_ERROR_REFUSED,
                      "a name is written as it is shown: % as %25, ~ as %7E, a leading dot as %2E");
    action = row_of(editing)->store(&subject, name, error);
    return action ? give_order(editing, order_of(editing, action, g_strdup(name)), NULL)
                  : CF_FAILED;
}

/* ---- by-tag ---- */

static guint
number_of(const Editing *editing, const char *name, gboolean add)
{
    const CfPlace *place = &editing->place;
    guint number;

    cf_view_index(place->profile, place->snapshot, editing->view); /* gives the values numbers */
    g_mutex_lock(&editing->tree->lock);
    number = cf_intern(&place->profile->collections[place->node.collection].values[editing->view],
                       name, add);
    g_mutex_unlock(&editing->tree->lock);
    return number;
}

static gboolean
is_there(const Editing *editing, guint number)
{
    const CfPlace *place = &editing->place;

    return cf_view_has_value(place->profile, place->snapshot, place->node.collection, editing->view,
                             number);
}

static CfVerdict
make_tag(Editing *editing, GError **error)
{
    CfPlace *place = &editing->place;
    g_autofree char *tag = cf_name_decode(editing->edit->name);
    CfNode node = cf_place_node(place, CF_KIND_VALUE, 0, editing->view);

    if (!tag || !*tag || strchr(tag, '\n'))
        return fail(error, CF_ERROR_INVALID, "a tag is written as it is shown");
    if (is_there(editing, number_of(editing, editing->edit->name, FALSE)))
        return fail(error, CF_ERROR_EXISTS, "there is such a tag");
    node.handle = number_of(editing, editing->edit->name, TRUE);
    if (!cf_made_add(editing->tree, cf_node_pack(node), cf_clock_mono_us(), error))
        return CF_FAILED;
    cf_view_touch(place->profile, place->node.collection, editing->view, node.handle);
    return cf_place_entry(place, node, editing->ret_entry, error);
}

static CfVerdict
remove_tag(Editing *editing, GError **error)
{
    CfPlace *place = &editing->place;
    guint number = number_of(editing, editing->edit->name, FALSE);
    GPtrArray *members = cf_view_index(place->profile, place->snapshot, editing->view);

    if (!is_there(editing, number))
        return fail(error, CF_ERROR_NOT_FOUND, "there is no such tag");
    if (number <= members->len && members->pdata[number - 1])
        return fail(error, CF_ERROR_NOT_EMPTY, "somebody has this tag");
    cf_made_remove(editing->tree,
                   cf_node_pack(cf_place_node(place, CF_KIND_VALUE, number, editing->view)));
    cf_view_touch(place->profile, place->node.collection, editing->view, number);
    return CF_DONE;
}

/* Whether a link to the resource may be asked for under that name: ln takes the last part of its
 * target. Any other name would not be there afterwards. */
static gboolean
is_name_of(const CfPlace *dir, const CfResource *resource, const char *name)
{
    g_autofree char *id = cf_id_encode(cf_record_get_id(resource->record));
    const char *link = cf_names_of(cf_names_get(dir->snapshot), CF_HANDLE_SLOT(resource->handle));

    return strcmp(name, id) == 0 || g_strcmp0(name, link) == 0;
}

static CfVerdict
add_tag(Editing *editing, GError **error)
{
    CfPlace *place = &editing->place;
    CfResource *resource = resolve_target(place, editing->edit->target, error);
    g_autofree char *tag = resource ? tag_of_dir(place, error) : NULL;

    if (!tag)
        return CF_FAILED;
    if (has_value(place, resource))
        return fail(error, CF_ERROR_EXISTS, "it has this tag");
    if (!is_name_of(place, resource, editing->edit->name))
        return refuse(editing, resource, CF_ERROR_REFUSED,
                      "a link has the name of its resource, or is asked for by its id");
    editing->ret_entry->attr.ino =
        cf_node_pack(cf_place_link(place, editing->view, resource, place->node.handle));
    return change_tags(editing, resource, tag, NULL, error);
}

/* Contract: at most ten a minute. */
static gboolean
may_unlink(CfTree *tree)
{
    gint64 now_us = cf_clock_mono_us();
    gint64 *oldest_us;
    gboolean may;

    g_mutex_lock(&tree->lock);
    oldest_us = &tree->unlinks_us[tree->next_unlink];
    may = *oldest_us == 0 || now_us - *oldest_us > UNLINKS_US;
    if (may) {
        *oldest_us = now_us;
        tree->next_unlink = (tree->next_unlink + 1) % CF_UNLINKS_MAX;
    }
    g_mutex_unlock(&tree->lock);
    return may;
}

static CfVerdict
drop_tag(Editing *editing, GError **error)
{
    CfPlace *place = &editing->place;
    CfResource *resource = find_member(place, editing->edit->name, error);
    g_autofree char *tag = resource ? tag_of_dir(place, error) : NULL;

    if (!tag || !can_write(editing, resource, error))
        return CF_FAILED;
    if (!may_unlink(editing->tree))
        return refuse(editing, resource, CF_ERROR_REFUSED,
                      "edit_views: at most 10 links a minute are removed from views; the file tags "
                      "takes a tag away at any time");
    return change_tags(editing, resource, NULL, tag, error);
}

static CfVerdict
swap_tags(Editing *editing, GError **error)
{
    const CfViewEdit *edit = editing->edit;
    CfPlace *from = &editing->place;
    CfPlace *to = &editing->there;
    CfResource *resource = find_member(from, edit->name, error);
    g_autofree char *old = resource ? tag_of_dir(from, error) : NULL;
    g_autofree char *new = NULL;

    if (!old)
        return CF_FAILED;
    if (to->node.kind != CF_KIND_VALUE || to->node.sub != from->node.sub ||
        to->profile != from->profile || to->node.collection != from->node.collection)
        return fail(error, CF_ERROR_REFUSED, "a link goes from one tag to another");
    if (edit->parent == edit->new_parent || strcmp(edit->name, edit->new_name) != 0)
        return refuse(editing, resource, CF_ERROR_REFUSED,
                      "a link has the name of its resource; by-name renames it");
    if (has_value(to, resource))
        return fail(error, CF_ERROR_EXISTS, "it has this tag");
    new = tag_of_dir(to, error);
    return new ? change_tags(editing, resource, new, old, error) : CF_FAILED;
}

/* ---- the door ---- */

typedef enum { DIR_NAMES, DIR_VALUES, DIR_MEMBERS, DIR_N } Dir;

static CfVerdict (*const ways[DIR_N][CF_VIEW_EDIT_N])(Editing *editing, GError **error) = {
    [DIR_NAMES] = {[CF_VIEW_RENAME] = rename_resource},
    [DIR_VALUES] = {[CF_VIEW_MKDIR] = make_tag, [CF_VIEW_RMDIR] = remove_tag},
    [DIR_MEMBERS] =
        {[CF_VIEW_SYMLINK] = add_tag, [CF_VIEW_UNLINK] = drop_tag, [CF_VIEW_RENAME] = swap_tags},
};

static Dir
dir_of(const CfPlace *place, guint view)
{
    return place->node.kind == CF_KIND_VALUE ? DIR_MEMBERS
           : cf_view_is_flat(view)           ? DIR_NAMES
                                             : DIR_VALUES;
}

/* Fills in the place of one of the directories, which must be one that can be edited. */
static gboolean
enter(CfTree *tree, CfIno dir, CfPlace *ret_place, GError **error)
{
    return (cf_tree_is_view(dir) || cf_tree_may_name(tree, dir, error)) &&
           cf_place_init(ret_place, tree, dir, error);
}

/* Whether it is no view, or one that can be edited. */
static gboolean
is_open(const CfPlace *place, GError **error)
{
    int view = cf_view_of_node(&place->node);

    return !cf_tree_is_view(cf_node_pack(place->node)) ||
           (view >= 0 &&
            cf_view_is_editable((guint) view, place->profile, place->node.collection)) ||
           cf_tree_fail(error, CF_ERROR_READ_ONLY, "this view is read-only");
}

CfVerdict
cf_tree_edit_view(CfTree *tree, const CfViewEdit *edit, CfEntry *ret_entry, CfViewOrder **ret_order,
                  GError **error)
{
    gboolean rename = edit->kind == CF_VIEW_RENAME;
    g_auto(Editing)
        editing = {.tree = tree, .edit = edit, .ret_entry = ret_entry, .ret_order = ret_order};
    CfVerdict (*way)(Editing * editing, GError * *error);

    if (!enter(tree, edit->parent, &editing.place, error) ||
        (rename && !enter(tree, edit->new_parent, &editing.there, error)) ||
        !is_open(&editing.place, error) || (rename && !is_open(&editing.there, error)))
        return CF_FAILED;
    if (!cf_tree_is_view(edit->parent) || (rename && !cf_tree_is_view(edit->new_parent)))
        return fail(error, CF_ERROR_REFUSED, "nothing goes into a view or out of it");
    editing.view = (guint) cf_view_of_node(&editing.place.node);
    way = ways[dir_of(&editing.place, editing.view)][edit->kind];
    if (!way)
        return fail(error, CF_ERROR_REFUSED, "that is not done in this view");
    if (!editing.place.snapshot || (rename && !editing.there.snapshot))
        return fail(error, CF_ERROR_NOT_FOUND, "nothing was fetched yet");
    return way(&editing, error);
}

void
cf_tree_order_view(CfViewOrder *order, CfDoneCallback callback, gpointer data)
{
    CfOrder *what = g_steal_pointer(&order->order);

    if (order->refusal)
        cf_inventory_refuse(order->inventory, what, order->refusal, callback, data);
    else
        cf_inventory_act(order->inventory, what, callback, data);
    cf_view_order_free(order);
}

gboolean
cf_tree_link_entry(CfTree *tree, CfIno link, CfEntry *ret_entry, GError **error)
{
    g_auto(CfPlace) place = {0};

    if (!cf_place_init(&place, tree, link, error) ||
        cf_place_entry(&place, place.node, ret_entry, error) != CF_DONE)
        return FALSE;
    ret_entry->entry_timeout_us = 0;
    return TRUE;
}
