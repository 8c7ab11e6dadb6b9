/* JSON kept as text. The simulator's records are never parsed into a tree, so that numbers keep
 * their digits, duplicate keys stay duplicate and invalid bytes stay invalid. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const char *at; /* (nullable): borrowed, not NUL-terminated */
    gsize len;
} CfSimSpan;

typedef struct {
    const char *at, *end;
    char closing; /* '}', ']'; 0: not a container */
} CfSimRawIter;

/* Whether the text is one JSON value (strings and nesting are checked, scalars only loosely). */
gboolean cf_sim_raw_check(const char *text, gsize len);

/* Goes through the members of an object or array that cf_sim_raw_check() accepts.
 * ret_key: (nullable): the key as it stands between its quotes; empty in an array. */
void cf_sim_raw_iter_init(CfSimRawIter *iter, CfSimSpan value);
gboolean cf_sim_raw_iter_next(CfSimRawIter *iter, CfSimSpan *ret_key, CfSimSpan *ret_value);

CfSimSpan cf_sim_span(const char *text);
/* The last member with that key; keys are compared as they stand. */
gboolean cf_sim_raw_get(CfSimSpan object, const char *key, CfSimSpan *ret_value);
/* Returns: (transfer full) (nullable): the decoded text of a member that is a string. */
char *cf_sim_raw_get_string(CfSimSpan object, const char *key);
/* Returns: (transfer full): the decoded text of a string, the text of any other value. */
char *cf_sim_raw_text(CfSimSpan value);

/* Returns: (transfer full): the object with that member set (its last one, or a new one at the
 * end); value: JSON text. */
char *cf_sim_raw_set(const char *object, const char *key, const char *value);
/* Returns: (transfer full): the object without any member of that key. */
char *cf_sim_raw_remove(const char *object, const char *key);
/* Returns: (transfer full): object with each member of changes set; members that start with `$`
 * are left out. */
char *cf_sim_raw_merge(const char *object, CfSimSpan changes);

/* Appends a JSON string; bytes that are not UTF-8 are written as \u00XX. text: (nullable): null. */
void cf_sim_raw_quote(GString *out, const char *text);
/* The same, with invalid bytes copied as they are. */
void cf_sim_raw_quote_bytes(GString *out, const char *text, gsize len);

G_END_DECLS
