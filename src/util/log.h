/* The log: a ring of the last 1,000 lines (.cirrusfs/log), and stderr, a file or syslog beside it.
 * One door for every line, so that no secret passes: registered secrets are replaced by "***". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum { CF_LOG_ERROR, CF_LOG_WARNING, CF_LOG_INFO, CF_LOG_DEBUG, CF_LOG_N } CfLogLevel;

/* Where lines go besides the ring: "stderr" (default), "syslog", "none" or a path (opened 0600,
 * appended). level: lines above it are dropped. Thread: once, before other threads start. */
gboolean cf_log_init(const char *target, CfLogLevel level, GError **error);
gboolean cf_log_level_from_string(const char *text, CfLogLevel *ret_level);
const char *cf_log_level_to_string(CfLogLevel level);

/* One line; control characters are made harmless, secrets removed. Thread: any. */
void cf_log(CfLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);
#define cf_error(...) cf_log(CF_LOG_ERROR, __VA_ARGS__)
#define cf_warning(...) cf_log(CF_LOG_WARNING, __VA_ARGS__)
#define cf_info(...) cf_log(CF_LOG_INFO, __VA_ARGS__)
#define cf_debug(...) cf_log(CF_LOG_DEBUG, __VA_ARGS__)

/* The ring as text, oldest first, a line each. Returns: (transfer full). Thread: any. */
GString *cf_log_dup_ring(void);
/* Wall time (ns) of the newest line; 0 when there is none. */
gint64 cf_log_get_mtime_ns(void);

/* Remembers a secret (4 bytes or longer; shorter ones are ignored), so that cf_log() and
 * cf_log_redact() replace it wherever it shows, also percent-encoded and in base64. Thread: any. */
void cf_log_add_secret(const char *secret);
/* Returns: (transfer full): text without any registered secret. Thread: any. */
char *cf_log_redact(const char *text);

G_END_DECLS
