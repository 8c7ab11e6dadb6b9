/* search/<text>/: what the cloud's own search finds. A text is looked up without a call; listing
 * its directory, or looking a name up in it, makes one. Contract section 2.
 *
 * Texts have numbers, so that their node ids are arithmetic: a place in a table that has an end,
 * and a generation. The one that was used least recently gives its place to a new one. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/text.h"

#define TEXT_MAX 64
#define PLACE_BITS 10
#define TEXTS_MAX (1u << PLACE_BITS)
#define GENERATIONS (1u << (CF_HANDLE_BITS - PLACE_BITS))
#define PAUSE_US G_USEC_PER_SEC /* between the beginnings of two searches of a mount */

typedef struct {
    char *name; /* as in the path */
    char *text;
    guint32 handle;
    gint64 born_ns, changed_ns; /* wall time; when links came or went, beside a new search */
    GList link;                 /* of the queue */
} Text;

struct _CfSearchTexts {
    GHashTable *by_name; /* name → Text */
    GPtrArray *by_place; /* (element-type Text) */
    GQueue by_use;       /* the last used first */
};

static void
text_free(gpointer data)
{
    Text *text = data;

    g_free(text->name);
    g_free(text->text);
    g_free(text);
}

void
cf_search_texts_free(CfSearchTexts *texts)
{
    if (!texts)
        return;
    g_hash_table_unref(texts->by_name);
    g_ptr_array_unref(texts->by_place);
    g_free(texts);
}

static CfSearchTexts *
texts_new(void)
{
    CfSearchTexts *texts = g_new0(CfSearchTexts, 1);

    texts->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    texts->by_place = g_ptr_array_new_with_free_func(text_free);
    g_queue_init(&texts->by_use);
    return texts;
}

static void
use(CfSearchTexts *texts, Text *text)
{
    g_queue_unlink(&texts->by_use, &text->link);
    g_queue_push_head_link(&texts->by_use, &text->link);
}

/* Returns: (transfer full) (nullable): the name of the text that had to give way. */
static char *
give_place(CfSearchTexts *texts, Text *text)
{
    guint32 place = texts->by_place->len;
    char *former = NULL;

    if (place < TEXTS_MAX) {
        text->handle = place;
        g_ptr_array_add(texts->by_place, text);
    } else {
        Text *last = g_queue_peek_tail(&texts->by_use);
        guint32 generation = (last->handle >> PLACE_BITS) + 1;

        place = last->handle & (TEXTS_MAX - 1);
        text->handle = place | (generation % GENERATIONS) << PLACE_BITS;
        g_queue_unlink(&texts->by_use, &last->link);
        g_hash_table_remove(texts->by_name, last->name);
        former = g_strdup(last->name);
        text_free(last);
        texts->by_place->pdata[place] = text;
    }
    return former;
}

/* The tree's lock is held. Returns: (nullable): NULL: it had to give way to others. */
static Text *
find_text(const CfPlace *place)
{
    CfSearchTexts *texts = place->profile->collections[place->node.collection].searches;
    guint32 at = place->node.handle & (TEXTS_MAX - 1);
    Text *text = texts && at < texts->by_place->len ? texts->by_place->pdata[at] : NULL;

    return text && text->handle == place->node.handle ? text : NULL;
}

/* Returns: (transfer full) (nullable). */
static char *
dup_text(const CfPlace *place)
{
    char *copy = NULL;
    Text *text;

    g_mutex_lock(&place->tree->lock);
    text = find_text(place);
    if (text) {
        use(place->profile->collections[place->node.collection].searches, text);
        copy = g_strdup(text->text);
    }
    g_mutex_unlock(&place->tree->lock);
    return copy;
}

/* ---- the directory search/ ---- */

/* Returns: (transfer full) (nullable): NULL: it is nothing to search for. */
static char *
decode(const char *name)
{
    g_autofree char *text = name[0] != '.' ? cf_name_decode(name) : NULL;

    if (!text || !*text || strlen(text) > TEXT_MAX || !g_utf8_validate(text, -1, NULL))
        return NULL;
    return g_steal_pointer(&text);
}

gboolean
cf_search_find_text(const CfPlace *place, const char *name, guint32 *ret_handle)
{
    CfTreeCollection *collection = &place->profile->collections[place->node.collection];
    g_autofree char *decoded = decode(name);
    g_autofree char *former = NULL;
    Text *text;

    if (!decoded)
        return FALSE;
    g_mutex_lock(&place->tree->lock);
    if (!collection->searches)
        collection->searches = texts_new();
    text = g_hash_table_lookup(collection->searches->by_name, name);
    if (text) {
        use(collection->searches, text);
    } else {
        text = g_new0(Text, 1);
        text->name = g_strdup(name);
        text->text = g_steal_pointer(&decoded);
        text->born_ns = cf_clock_real_ns();
        text->link.data = text;
        former = give_place(collection->searches, text);
        g_hash_table_insert(collection->searches->by_name, text->name, text);
        g_queue_push_head_link(&collection->searches->by_use, &text->link);
    }
    *ret_handle = text->handle;
    g_mutex_unlock(&place->tree->lock);
    if (former) {
        CfTreeSink sink = cf_tree_sink(place->tree);

        if (sink.inval_entry)
            sink.inval_entry(cf_node_pack(place->node), former, sink.data);
    }
    return TRUE;
}

/* ---- a directory search/<text>/ ---- */

/* Whether a search may be begun now; then none may for a second. */
static gboolean
may_begin(CfTree *tree)
{
    gint64 now_us = cf_clock_mono_us();
    gboolean may;

    g_mutex_lock(&tree->lock);
    may = !tree->search_us || now_us - tree->search_us >= PAUSE_US;
    if (may)
        tree->search_us = now_us;
    g_mutex_unlock(&tree->lock);
    return may;
}

CfVerdict
cf_search_get(const CfPlace *place, gboolean as_it_is, CfFindings **ret_findings, CfNeed *ret_need,
              GError **error)
{
    CfInventory *inventory = place->profile->inventory;
    g_autofree char *text = dup_text(place);
    g_autoptr(CfFindings) findings = NULL;
    CfSearchState state = CF_SEARCH_NONE;

    if (text)
        state = cf_inventory_look_search(inventory, place->node.collection, text, &findings, error);
    if (findings && (as_it_is || state == CF_SEARCH_FOUND)) {
        g_clear_error(error);
        *ret_findings = g_steal_pointer(&findings);
        return CF_DONE;
    }
    if (state == CF_SEARCH_FAILED)
        return CF_FAILED;
    if (!text || as_it_is) {
        cf_tree_fail(error, CF_ERROR_CHANGED, "what was found is no longer kept");
        return CF_FAILED;
    }
    if (state == CF_SEARCH_NONE && !may_begin(place->tree)) {
        cf_tree_fail(error, CF_ERROR_THROTTLED, "one search a second");
        return CF_FAILED;
    }
    *ret_need = (CfNeed){.kind = CF_NEED_SEARCH,
                         .inventory = inventory,
                         .collection = place->node.collection,
                         .id = g_steal_pointer(&text),
                         .begin = state == CF_SEARCH_NONE};
    return CF_WAIT;
}

gint64
cf_search_rest_us(const CfPlace *place, const CfFindings *findings)
{
    return MIN(cf_inventory_get_findings_rest_us(place->profile->inventory, findings),
               cf_place_rest_us(place));
}

gboolean
cf_search_attr(const CfPlace *place, CfAttr *attr, GError **error)
{
    CfInventory *inventory = place->profile->inventory;
    g_autofree char *text = dup_text(place);
    g_autoptr(CfFindings) findings = NULL;
    Text *known;

    if (text)
        cf_inventory_look_search(inventory, place->node.collection, text, &findings, NULL);
    g_mutex_lock(&place->tree->lock);
    known = text ? find_text(place) : NULL;
    if (known)
        attr->mtime_ns = MAX(known->born_ns, known->changed_ns);
    g_mutex_unlock(&place->tree->lock);
    if (!known)
        return cf_tree_fail(error, CF_ERROR_CHANGED, "that search is no longer kept");
    attr->attr_timeout_us = findings ? cf_search_rest_us(place, findings) : 0;
    /* The kernel keeps a listing until it sees another time. Looking at the directory may cost
     * nothing, so this is how the next listing gets through when the findings are out of date. */
    if (findings)
        attr->mtime_ns = MAX(attr->mtime_ns, findings->come_ns) +
                         !cf_inventory_get_findings_rest_us(inventory, findings);
    return TRUE;
}

/* ---- what a new version changes ---- */

static void
live_clear(gpointer data)
{
    cf_findings_unref(((CfSearchLive *) data)->findings);
}

GArray *
cf_search_list_live(CfTreeProfile *profile, CfCollection collection)
{
    GArray *live = g_array_new(FALSE, FALSE, sizeof(CfSearchLive));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) handles = g_array_new(FALSE, FALSE, sizeof(guint32));
    CfSearchTexts *all;

    g_array_set_clear_func(live, live_clear);
    g_mutex_lock(&profile->tree->lock);
    all = profile->collections[collection].searches;
    for (guint i = 0; all && i < all->by_place->len; i++) {
        const Text *text = all->by_place->pdata[i];

        g_ptr_array_add(texts, g_strdup(text->text));
        g_array_append_val(handles, text->handle);
    }
    g_mutex_unlock(&profile->tree->lock);
    for (guint i = 0; i < texts->len; i++) {
        CfSearchLive one = {.handle = g_array_index(handles, guint32, i)};

        cf_inventory_look_search(profile->inventory, collection, texts->pdata[i], &one.findings,
                                 NULL);
        if (one.findings && cf_inventory_get_findings_rest_us(profile->inventory, one.findings) > 0)
            g_array_append_val(live, one);
        else
            cf_findings_unref(one.findings);
    }
    return live;
}

void
cf_search_changed(CfTreeProfile *profile, CfCollection collection, guint32 handle, gint64 now_ns)
{
    CfPlace place = {.tree = profile->tree,
                     .profile = profile,
                     .node = {.collection = collection, .handle = handle}};
    Text *text;

    g_mutex_lock(&profile->tree->lock);
    text = find_text(&place);
    if (text)
        text->changed_ns = MAX(now_ns, text->changed_ns + 2);
    g_mutex_unlock(&profile->tree->lock);
}
