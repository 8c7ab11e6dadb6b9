/* Where a secret comes from, and getting it from there. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    CF_SECRET_FILE,    /* KEY_file: a path */
    CF_SECRET_ENV,     /* KEY_env: a variable's name */
    CF_SECRET_COMMAND, /* KEY_command: for /bin/sh -c */
    CF_SECRET_SOURCE_N
} CfSecretSource;

/* "_file", "_env", "_command". */
const char *cf_secret_suffix(CfSecretSource source);

/* from: path, variable or command. One newline at the end is dropped.
 * Returns: (transfer full) (nullable): for cf_text_wipe(). Errors: CF_ERROR_CONFIG. */
char *cf_secret_read(CfSecretSource source, const char *from, GError **error);
/* A systemd credential: a file that systemd guards, so nobody else's mode is asked for. */
char *cf_secret_read_credential(const char *path, GError **error);

/* Reads a file of at most max bytes that nobody but us (or root) can read or write; refuses it
 * otherwise and says what mends it. Thread: any.
 * Returns: (transfer full) (nullable): with a NUL behind the end; for cf_text_wipe().
 * Errors: CF_ERROR_CONFIG. */
char *cf_secret_read_private_file(const char *path, gsize max, gsize *ret_size, GError **error);

/* For tests: how long a command may run. */
extern gint64 cf_secret_command_limit_us;

G_END_DECLS
