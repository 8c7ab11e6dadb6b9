/* A first listing as far as it has come, for those who list by-id meanwhile: its directories, not
 * what is in them. It is no version: whoever asks for more waits for the whole, and whoever lists
 * is told when the rest does not come. internals.md sections 2 and 6. */
#pragma once

#include "inventory/refresh-private.h"

G_BEGIN_DECLS

/* Engine's thread, all of them. */

/* A listing begins of a collection that nothing is known of. again: the refresh has listed before,
 * and what came then stays; else what a failed refresh left is gone, with its numbers. */
void cf_stream_begin(CfRefresh *refresh, gboolean again);
/* Takes what was looked into since the last time, page after page, and lets readers in when the
 * listing takes long. To be called while more is to come. */
void cf_stream_feed(CfRefresh *refresh);
/* The page's records were looked into. number: from 1. */
void cf_stream_page_done(CfRefresh *refresh, guint number);
/* What the resource of that id is told as. Returns: (transfer none) (nullable). */
const CfComing *cf_stream_find(const CfCollectionState *state, const char *id);
/* n: how many of what was told of are in the version that is about to be made. Returns: the time
 * (wall ns) that the directories have been given; 0: none, or it is not all there, so that they
 * change. */
gint64 cf_stream_get_members_ns(const CfCollectionState *state, guint n);
/* The refresh is over, and published or failed. */
void cf_stream_end(CfCollectionState *state);

G_END_DECLS
