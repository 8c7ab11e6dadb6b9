/* Reading an object by a table: which key lands where, how, and whether it must be there. Unknown
 * keys are ignored; of a key that stands twice the last one is taken. Works on spans, not on a
 * tree, so that numbers keep their text. Pure. Thread: any. */
#pragma once

#include "json/scan.h"

G_BEGIN_DECLS

typedef enum {
    CF_JSON_OPTIONAL = 0,
    CF_JSON_REQUIRED = 1 << 0, /* missing, null or refused by take: an error that names the path */
    CF_JSON_ANY_CASE = 1 << 1, /* ASCII letters of the path's keys alike */
} CfJsonFlags;

typedef struct _CfJsonField CfJsonField;

/* Puts a value where it belongs; the meaning of field->target is the function's own.
 * Returns: FALSE when the value is of no use: then it counts as missing. */
typedef gboolean (*CfJsonTake)(const CfJsonField *field, CfJsonSpan value, gpointer target);

struct _CfJsonField {
    const char *path; /* "flavor.vcpus": a member of a member */
    CfJsonTake take;
    gsize target;
    guint flags; /* CfJsonFlags */
};

#define CF_JSON_FIELDS_MAX 64
#define CF_JSON_PATH_MAX 8 /* keys in a path */

/* Goes once through object and hands every value that the table names to its take function, in the
 * order of the text.
 * Returns: FALSE with CF_ERROR_PROTOCOL, naming the path, when a required one is missing, or when
 * object is none. */
gboolean cf_json_read(CfJsonSpan object, const CfJsonField *fields, guint n, gpointer target,
                      GError **error);

/* Take functions for plain structs; target is the member's offset. */

/* char *: a string, or another scalar's text; null takes the value away. The former one is freed.
 */
gboolean cf_json_take_text(const CfJsonField *field, CfJsonSpan value, gpointer target);
/* gint64: an integer, or a string that holds one; a fraction is cut off. Out of range: refused. */
gboolean cf_json_take_int(const CfJsonField *field, CfJsonSpan value, gpointer target);
/* CfJsonSpan: the value as it stands. */
gboolean cf_json_take_span(const CfJsonField *field, CfJsonSpan value, gpointer target);

/* The number in a number token or in a string. Returns: FALSE when there is none. */
gboolean cf_json_int(CfJsonSpan value, gint64 *ret_number);

G_END_DECLS
