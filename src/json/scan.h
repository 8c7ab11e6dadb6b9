/* JSON text read in place: slices of the text, no tree, no copies, no doubles. What cJSON cannot do
 * for us: numbers keep their text, a page is cut into records without parsing them. All functions
 * are pure, check bounds, and refuse nesting deeper than CF_JSON_DEPTH_MAX. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CF_JSON_DEPTH_MAX 128

typedef struct {
    const char *text; /* borrowed; not NUL-terminated */
    gsize len;
} CfJsonSpan;

typedef enum {
    CF_JSON_OBJECT,
    CF_JSON_ARRAY,
    CF_JSON_STRING,
    CF_JSON_NUMBER,
    CF_JSON_TRUE,
    CF_JSON_FALSE,
    CF_JSON_NULL,
    CF_JSON_KIND_N
} CfJsonKind;

/* Checks that the whole text is one JSON value (RFC 8259; trailing white space allowed; duplicate
 * keys and invalid UTF-8 inside strings allowed; raw control characters inside strings refused) and
 * trims white space around it. Iterative or depth-limited: text of any depth is safe. Errors:
 * CF_ERROR_PROTOCOL, naming the byte offset. */
gboolean cf_json_check(const char *text, gsize len, CfJsonSpan *ret_span, GError **error);
/* The same without an error. ret_fault: (nullable): the byte offset of what is wrong.
 * Returns: (transfer none) (nullable): NULL when all is well, else why not, in words that quote
 * nothing of the text. */
const char *cf_json_find_fault(const char *text, gsize len, CfJsonSpan *ret_span, gsize *ret_fault);

/* Objects that will probably stand in a text again: a listing says today what it said yesterday. An
 * object that is byte for byte one that was checked before is good JSON, and ends where that one
 * ended: to compare costs a tenth of checking. Everything around it is checked as ever. */
typedef struct _CfJsonKnown CfJsonKnown;
struct _CfJsonKnown {
    /* A text is about to be checked from its beginning. */
    void (*begin)(CfJsonKnown *known);
    /* An object that is a member of an array begins at text, of which there are left bytes.
     * Returns: the length of the known object (the whole of it, and one that cf_json_check() let
     * pass) that these bytes begin with; 0: none. */
    gsize (*match)(CfJsonKnown *known, const char *text, gsize left);
};

/* From begin to end (of this thread; they do not nest), what cf_json_check() learns of exactly this
 * text is remembered, so that walks through it step over its records: json/outline.h. The text must
 * stay as it is until the end, or the next begin. known: (nullable): asked about the outermost
 * objects while the text is checked, not later. */
void cf_json_outline_begin(const char *text, gsize len, CfJsonKnown *known);
void cf_json_outline_end(void);

/* The following take spans that cf_json_check() (or one of themselves) delivered. */
CfJsonKind cf_json_kind(CfJsonSpan span);

typedef struct {
    CfJsonSpan rest;
    gboolean object;
    gsize index; /* of the member that the last call delivered */
} CfJsonIter;

/* Goes through the members of an object or array; nothing for any other kind. */
void cf_json_iter_init(CfJsonIter *iter, CfJsonSpan span);
/* ret_key: (nullable): the key's string token with its quotes; empty span in an array.
 * Returns: FALSE at the end. */
gboolean cf_json_iter_next(CfJsonIter *iter, CfJsonSpan *ret_key, CfJsonSpan *ret_value);

/* The member of an object with that key (decoded comparison; last one wins as in cJSON users'
 * hopes; ignore_case: ASCII letters alike). Returns: FALSE when there is none or span is no object.
 */
gboolean cf_json_get(CfJsonSpan object, const char *key, gboolean ignore_case,
                     CfJsonSpan *ret_value);

/* Whether a string token (a key that the iterator delivered) says that text, compared decoded.
 * ignore_case: ASCII letters alike. Returns: FALSE for any other kind. */
gboolean cf_json_is(CfJsonSpan string, const char *text, gboolean ignore_case);

/* A string token decoded (escapes, surrogate pairs; a lone surrogate becomes U+FFFD, \u0000 too;
 * invalid UTF-8 bytes pass unchanged). Returns: (transfer full) (nullable): NULL for other kinds.
 */
char *cf_json_string(CfJsonSpan span);

/* A scalar as people read it: a string decoded, a number's own text, true, false; NULL for null,
 * objects and arrays. Returns: (transfer full) (nullable). */
char *cf_json_scalar(CfJsonSpan span);

/* The same, without an allocation where the text is short and needs no decoding, as most do. */
typedef struct {
    char *text;      /* (nullable) the scalar's; may be written to */
    char *allocated; /* (nullable) private */
    char room[120];
} CfJsonScalar;

/* Returns: (transfer none) (nullable): scalar->text. It lasts until cf_json_scalar_clear(). */
char *cf_json_scalar_init(CfJsonScalar *scalar, CfJsonSpan span);
static inline void
cf_json_scalar_clear(CfJsonScalar *scalar)
{
    g_free(scalar->allocated);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfJsonScalar, cf_json_scalar_clear)

/* What is shown instead of a secret. */
#define CF_JSON_MASK "***"

/* Called for each member of an object; TRUE: the value is written as "***". */
typedef gboolean (*CfJsonIsSecret)(const char *key);

/* Pretty-prints (4 spaces, a final newline) keeping every token's text; secrets masked.
 * is_secret: (nullable). */
void cf_json_pretty(CfJsonSpan span, CfJsonIsSecret is_secret, GString *out);
/* The same on one line without blanks or newline. */
void cf_json_compact(CfJsonSpan span, CfJsonIsSecret is_secret, GString *out);

/* Cuts an array into its members: appends a CfJsonSpan for each to out (element-type CfJsonSpan).
 * Returns: FALSE when span is no array. */
gboolean cf_json_slice(CfJsonSpan array, GArray *out);

G_END_DECLS
