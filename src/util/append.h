/* A file that only grows: events.jsonl and journal.jsonl. At max_bytes the file is set aside as the
 * previous one and a new one begins; a file never shrinks (contract section 7). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CfAppend CfAppend;

/* max_bytes: 8 MiB in the mount. Returns: (transfer full). */
CfAppend *cf_append_new(gsize max_bytes);
void cf_append_free(CfAppend *append); /* (nullable) */

/* Appends a whole line (line without its newline). Thread: any.
 * Returns: TRUE when a new file was begun by it: the former one is now the previous one. */
gboolean cf_append_line(CfAppend *append, const char *line);

/* The number of the present file, beginning with 1; the previous one has that number less 1.
 * Thread: any. */
guint32 cf_append_get_number(CfAppend *append);

/* ret_size: bytes, ret_mtime_ns: wall time of the last line. Returns: FALSE when no such file is
 * kept (only the present and the previous one are). Thread: any. */
gboolean cf_append_stat(CfAppend *append, guint32 number, gsize *ret_size, gint64 *ret_mtime_ns);

/* Returns: (transfer full) (nullable): at most size bytes from offset; NULL when no such file. */
GBytes *cf_append_read(CfAppend *append, guint32 number, gsize offset, gsize size);

G_END_DECLS
