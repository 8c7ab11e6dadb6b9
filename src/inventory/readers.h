/* Threads that read the records of a listing's pages: of one that nothing is known of, every record
 * is to be parsed, and that is most of its work. They are there for one listing, so that afterwards
 * nothing of them is left. A provider's parse() is called by several of them at once. */
#pragma once

#include "providers/provider.h"

G_BEGIN_DECLS

#define CF_READERS_MAX 8 /* threads; as many as there are processors, if these are fewer */

typedef struct _CfReaders CfReaders;
typedef struct _CfReading CfReading;

/* Starts the threads. ready: called in the context when pages were read since the last time (which
 * of them, cf_reading_is_done() tells), never after cf_readers_free().
 * Returns: (transfer full) (nullable): NULL where no thread can be had. Thread: the context's, as
 * all of these. */
CfReaders *cf_readers_new(const CfProviderOps *ops, gpointer handle, CfCollection collection,
                          GMainContext *context, void (*ready)(gpointer data), gpointer data);
/* Waits until no thread is at a record any more, at most as long as one record takes; what was not
 * read until then is not read. readers: (nullable). */
void cf_readers_free(CfReaders *readers);

/* Gives a page to them. body: the text that the spans point into; records: (element-type
 * CfJsonSpan); both are kept. Returns: (transfer full): to be freed when it is done, or after the
 * readers. */
CfReading *cf_readers_read(CfReaders *readers, GBytes *body, GArray *records);
gboolean cf_reading_is_done(const CfReading *reading);
/* Of a page that is done: what parse() said of its record number i; only once for each.
 * Returns: (transfer full) (nullable). */
CfRecord *cf_reading_take(CfReading *reading, guint i, GError **error);
void cf_reading_free(CfReading *reading); /* (nullable) */

G_END_DECLS
