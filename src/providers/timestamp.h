/* Times as clouds write them. Pure. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CF_TIME_LEN 21 /* "2024-01-01T00:00:00Z" and its NUL */

/* Takes "2024-01-01T00:00:00Z", a blank for the T, a fraction, and "Z", "+08:00", "+0800", "+08" or
 * nothing for the zone; nothing means offset_s east of UTC.
 * ret_text: in UTC, without the fraction. ret_us: (nullable): since 1970, with the fraction.
 * Returns: FALSE when text is no such time; nothing is stored then. */
gboolean cf_time_read(const char *text, int offset_s, char ret_text[CF_TIME_LEN], gint64 *ret_us);

/* seconds: since 1970. Returns: FALSE outside the years 1 to 9999; nothing is stored then. */
gboolean cf_time_from_unix(gint64 seconds, char ret_text[CF_TIME_LEN]);

G_END_DECLS
