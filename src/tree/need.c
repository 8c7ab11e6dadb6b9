/* What an answer waits for: a collection, or what has come of it, tags, a search. */
#include "tree/private.h"

/* A look at the collection: TRUE when the reader is to wait first. */
gboolean
cf_tree_must_wait(CfTreeProfile *profile, CfCollection collection, gboolean waited,
                  CfNeed *ret_need)
{
    if (waited || cf_inventory_look(profile->inventory, collection) == CF_LOOK_SERVE)
        return FALSE;
    *ret_need = (CfNeed){
        .kind = CF_NEED_COLLECTION, .inventory = profile->inventory, .collection = collection};
    return TRUE;
}

gboolean
cf_tree_must_wait_coming(CfTreeProfile *profile, CfCollection collection, guint from,
                         gboolean waited, CfNeed *ret_need)
{
    g_autoptr(CfSnapshot) snapshot = cf_inventory_ref_snapshot(profile->inventory, collection);

    /* What came may have been withdrawn before the reader was answered: then it waits once more,
     * and is told why. */
    if (cf_inventory_has_coming(profile->inventory, collection, from) ||
        !cf_tree_must_wait(profile, collection, waited && snapshot, ret_need))
        return FALSE;
    if (!snapshot) {
        ret_need->kind = CF_NEED_COMING;
        ret_need->from = from;
    }
    return TRUE;
}

gboolean
cf_tree_must_wait_whole(CfTree *tree, CfIno ino, gboolean waited, CfNeed *ret_need)
{
    g_autoptr(CfSnapshot) snapshot = NULL;
    CfTreeProfile *profile;
    CfNode node;

    if (!cf_node_unpack(ino, &node) || !cf_node_is_of_collection(&node) ||
        !(profile = cf_tree_profile(tree, node.profile)))
        return FALSE;
    snapshot = cf_inventory_ref_snapshot(profile->inventory, node.collection);
    return !snapshot && cf_tree_must_wait(profile, node.collection, waited, ret_need);
}

void
cf_tree_wait(CfTree *tree, CfNeed *need, CfDoneCallback callback, gpointer data)
{
    switch (need->kind) {
    case CF_NEED_COLLECTION:
        cf_inventory_wait(need->inventory, need->collection, callback, data);
        break;
    case CF_NEED_COMING:
        cf_inventory_wait_coming(need->inventory, need->collection, need->from, callback, data);
        break;
    case CF_NEED_TAGS:
        cf_inventory_fetch_tags(need->inventory, need->id, callback, data);
        break;
    case CF_NEED_SEARCH:
        cf_inventory_search(need->inventory, need->collection, need->id, need->begin, callback,
                            data);
        break;
    }
    cf_need_clear(need);
}

void
cf_need_clear(CfNeed *need)
{
    g_clear_pointer(&need->id, g_free);
}
