/* The way through a listing that is paged by marker: a page begins behind the resource that its
 * marker names, so each page names the next one. The first walk is sequential. A later one knows
 * resources from the last walk, and begins at several of them side by side:
 *
 *     ├── stretch 0 ──┤m0├── stretch 1 ──┤m1├── stretch 2 ──…   end of the listing
 *
 * A stretch goes on, page by page, until it has met a resource that a later stretch begins behind
 * (the next one, unless that went away, which Nova takes for a marker all the same), so that the
 * stretches join up whatever came or went meanwhile. Pure: makes no call. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CfWalk CfWalk;

/* bounds: (element-type utf8) (nullable): ids in the order of the listing, where stretches meet;
 * copied. Returns: (transfer full). */
CfWalk *cf_walk_new(const GPtrArray *bounds);
void cf_walk_free(CfWalk *walk); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfWalk, cf_walk_free)

/* The next call to make. ret_marker: (transfer none): valid until the stretch's page came; NULL:
 * the listing's first page. Returns: FALSE when there is none to make now. */
gboolean cf_walk_ask(CfWalk *walk, guint *ret_stretch, const char **ret_marker);
/* The id that ends a stretch; NULL: it ends with the listing. Returns: (transfer none). */
const char *cf_walk_get_end(CfWalk *walk, guint stretch);
/* Whether a stretch that comes upon this resource is at its end: another one begins behind it. That
 * may be a later one than the next, when what the stretch was to end with is gone. */
gboolean cf_walk_meets(CfWalk *walk, guint stretch, const char *id);
/* The page that was asked for came. met: what ends the stretch was on it. next: (nullable): the
 * marker of the page behind it; NULL: the listing ends here.
 * Returns: FALSE when the stretch was there before: the pages go round in circles. */
gboolean cf_walk_take(CfWalk *walk, guint stretch, gboolean met, const char *next);

guint cf_walk_get_n_stretches(CfWalk *walk);
/* Calls whose page has not come yet. */
guint cf_walk_get_under_way(CfWalk *walk);
gboolean cf_walk_is_done(CfWalk *walk);

G_END_DECLS
