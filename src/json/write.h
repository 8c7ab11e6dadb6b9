/* Writing the body of a request: the commas and the escapes, nothing more. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    GString *out;   /* (transfer none) */
    gboolean comma; /* a member stands before the next one */
} CfJsonWriter;

void cf_json_writer_init(CfJsonWriter *writer, GString *out);
/* bracket: '{' or '['. key: (nullable): NULL for a member of an array and for the whole. */
void cf_json_open(CfJsonWriter *writer, const char *key, char bracket);
/* bracket: '}' or ']'. */
void cf_json_close(CfJsonWriter *writer, char bracket);
/* value: (nullable): NULL writes null. */
void cf_json_put(CfJsonWriter *writer, const char *key, const char *value);

G_END_DECLS
