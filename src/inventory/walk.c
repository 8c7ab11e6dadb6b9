#include "inventory/walk.h"

typedef struct {
    char *marker;      /* (nullable) of the page to ask for, or under way */
    char *end;         /* (nullable) */
    GHashTable *asked; /* (nullable) the markers that it has asked for */
    enum { STRETCH_READY, STRETCH_ASKED, STRETCH_DONE } state;
} Stretch;

struct _CfWalk {
    GArray *stretches;  /* (element-type Stretch) */
    GHashTable *by_end; /* end (borrowed) → number of the stretch that it ends, + 1 */
    guint under_way, done;
    guint first; /* none before it is ready: a million servers have many stretches */
};

static void
stretch_clear(gpointer data)
{
    Stretch *stretch = data;

    g_free(stretch->marker);
    g_free(stretch->end);
    g_clear_pointer(&stretch->asked, g_hash_table_unref);
}

CfWalk *
cf_walk_new(const GPtrArray *bounds)
{
    CfWalk *walk = g_new0(CfWalk, 1);
    guint n = bounds ? bounds->len : 0;

    walk->stretches = g_array_sized_new(FALSE, TRUE, sizeof(Stretch), n + 1);
    g_array_set_clear_func(walk->stretches, stretch_clear);
    walk->by_end = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i <= n; i++) {
        Stretch stretch = {
            .marker = i > 0 ? g_strdup(bounds->pdata[i - 1]) : NULL,
            .end = i < n ? g_strdup(bounds->pdata[i]) : NULL,
        };

        g_array_append_val(walk->stretches, stretch);
        if (stretch.end)
            g_hash_table_insert(walk->by_end, stretch.end, GUINT_TO_POINTER(i + 1));
    }
    return walk;
}

void
cf_walk_free(CfWalk *walk)
{
    if (!walk)
        return;
    g_hash_table_unref(walk->by_end);
    g_array_unref(walk->stretches);
    g_free(walk);
}

static Stretch *
get_stretch(CfWalk *walk, guint stretch)
{
    return &g_array_index(walk->stretches, Stretch, stretch);
}

gboolean
cf_walk_ask(CfWalk *walk, guint *ret_stretch, const char **ret_marker)
{
    for (guint i = walk->first; i < walk->stretches->len; i++) {
        Stretch *stretch = get_stretch(walk, i);

        if (stretch->state != STRETCH_READY)
            continue;
        stretch->state = STRETCH_ASKED;
        walk->under_way++;
        walk->first = i + 1;
        *ret_stretch = i;
        *ret_marker = stretch->marker;
        return TRUE;
    }
    walk->first = walk->stretches->len;
    return FALSE;
}

const char *
cf_walk_get_end(CfWalk *walk, guint stretch)
{
    return get_stretch(walk, stretch)->end;
}

gboolean
cf_walk_meets(CfWalk *walk, guint stretch, const char *id)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(walk->by_end, id)) > stretch;
}

/* Returns: FALSE when it did so before. Most stretches are one page. */
static gboolean
note_asked(Stretch *stretch, const char *next)
{
    if (!stretch->asked)
        stretch->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return g_hash_table_add(stretch->asked, g_strdup(next));
}

gboolean
cf_walk_take(CfWalk *walk, guint stretch, gboolean met, const char *next)
{
    Stretch *taken = get_stretch(walk, stretch);

    g_return_val_if_fail(taken->state == STRETCH_ASKED, FALSE);

    walk->under_way--;
    g_free(taken->marker);
    taken->marker = g_strdup(next);
    taken->state = met || !next ? STRETCH_DONE : STRETCH_READY;
    walk->done += taken->state == STRETCH_DONE;
    if (taken->state == STRETCH_READY)
        walk->first = MIN(walk->first, stretch);
    return taken->state == STRETCH_DONE || note_asked(taken, next);
}

guint
cf_walk_get_n_stretches(CfWalk *walk)
{
    return walk->stretches->len;
}

guint
cf_walk_get_under_way(CfWalk *walk)
{
    return walk->under_way;
}

gboolean
cf_walk_is_done(CfWalk *walk)
{
    return walk->done == walk->stretches->len;
}
