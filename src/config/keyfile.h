/* Reads the text of a GKeyFile, and knows the line of everything in it, which GKeyFile does not.
 * Stricter than GKeyFile: groups and keys that stand twice are errors, and so is whatever is not
 * UTF-8; white space at the end of a value is dropped (\s keeps it). No error quotes a value. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CF_KEYFILE_MAX_BYTES (1024 * 1024)

typedef struct {
    char *key;
    char *value; /* (nullable) in the text of -o only: a bare name */
    guint line;
} CfKeyfileEntry;

typedef struct {
    char *name;
    guint line;
    GPtrArray *entries; /* (element-type CfKeyfileEntry) in the order of the text */
} CfKeyfileGroup;

/* name: stands before the line in errors. data: any bytes; it need not end with NUL.
 * Returns: (transfer full) (nullable) (element-type CfKeyfileGroup): in the order of the text.
 * Errors: CF_ERROR_CONFIG. */
GPtrArray *cf_keyfile_parse(const char *name, const char *data, gsize size, GError **error);

/* Splits "ttl=5,ro,cacert=/a\,b"; a backslash takes the next character as it is.
 * Returns: (transfer full) (element-type CfKeyfileEntry): line is 0 in all of them. */
GPtrArray *cf_keyfile_split_options(const char *text);

/* Returns: (transfer none) (nullable). */
const CfKeyfileEntry *cf_keyfile_find(const CfKeyfileGroup *group, const char *key);

G_END_DECLS
