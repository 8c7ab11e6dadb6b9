/* Metadata as the field of a record: KEY=VALUE one a line, sorted by key, each once. In a key '=',
 * in both '%' and newlines stand as %XX. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Collecting them: lines (element-type utf8) with g_free. */
void cf_metadata_add(GPtrArray *lines, const char *key, const char *value);
/* Of a key that was added twice the last value counts. lines: is sorted, and loses what does not
 * count. Returns: (transfer full). */
char *cf_metadata_join(GPtrArray *lines);

/* The following take a text of that form. text: (nullable): there are none. */

/* Returns: (transfer full) (nullable): the value; NULL: there is no such key. */
char *cf_metadata_get(const char *text, const char *key);
/* The same with another value for the key. value: (nullable): the key is taken away.
 * Returns: (transfer full). */
char *cf_metadata_with(const char *text, const char *key, const char *value);
/* Returns: (transfer full) (array zero-terminated=1): in order. */
char **cf_metadata_keys(const char *text);

G_END_DECLS
