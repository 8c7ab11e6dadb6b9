/* Names and texts: making the cloud's names safe as file names, and taking what was written. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CF_NAME_MAX 255 /* bytes of one path component, as NAME_MAX */

/* A cloud name as a file name (contract section 2, "Names from the cloud"): '/', control
 * characters, DEL and invalid UTF-8 bytes become %XX (upper-case hex), '%' "%25", '~' "%7E", a
 * leading dot "%2E", the empty name "%". Injective; not shortened. name: (nullable): NULL counts as
 * empty. May hold any bytes but NUL. Returns: (transfer full). Thread: any. */
char *cf_name_encode(const char *name);

/* The inverse of cf_name_encode().
 * Returns: (transfer full) (nullable): NULL when text is not something that cf_name_encode() makes.
 */
char *cf_name_decode(const char *text);

/* Cuts an encoded name so that it and "~" and id_encoded fit into CF_NAME_MAX bytes, on a character
 * boundary and never inside a %XX, and appends "~" and the id. Used for names that are too long and
 * for names that several share. Where the id alone leaves no room, the name is left out whole.
 * Returns: (transfer full). */
char *cf_name_with_id(const char *encoded, const char *id_encoded);

/* An id as a file name: cf_name_encode(); when that is longer than CF_NAME_MAX it is cut and gets
 * "~" and 16 hex digits of its SHA-256, so that it stays unique. Returns: (transfer full). */
char *cf_id_encode(const char *id);

/* One value written to a control file: a trailing newline is dropped; NUL bytes are refused.
 * Returns: (transfer full) (nullable): NULL with CF_ERROR_INVALID. */
char *cf_text_take_value(const char *data, gsize size, GError **error);

/* Appends text as valid UTF-8 in a JSON string with its quotes: invalid bytes become U+FFFD,
 * control characters \u00XX. text: (nullable): NULL appends null. */
void cf_text_append_json(GString *out, const char *text);

/* Appends one cell of a TSV file: tab, newline, return and backslash become \t \n \r \\, other
 * control characters and DEL \xHH. text: (nullable): NULL appends nothing. */
void cf_text_append_tsv(GString *out, const char *text);

/* Replaces control characters (all but those of valid UTF-8 text) by spaces, for log lines and
 * error texts that end on a terminal. Returns: (transfer full). */
char *cf_text_one_line(const char *text);

/* A wall time as "2026-01-31T08:00:00.123Z" (UTC, milliseconds).
 * us: microseconds since 1970, as g_get_real_time(). Returns: (transfer full). */
char *cf_text_time(gint64 us);

/* Seconds with an optional fraction or a unit: "30", "0.5", "500ms", "10s", "2m", "1h", "0".
 * ret_us: microseconds. Returns: FALSE with CF_ERROR_INVALID. */
gboolean cf_text_parse_duration(const char *text, gint64 *ret_us, GError **error);

/* Sets every byte to 0 in a way that the compiler keeps, then frees. text: (nullable). For secrets.
 */
void cf_text_wipe(char *text);

G_END_DECLS
