/* The outline of one text: where its outermost objects and arrays end, noted while it is checked.
 * A page of a listing is walked several times (its envelope, its list, each record) before a record
 * is looked into; with the outline a walk steps over a record instead of reading it. An outline is
 * the thread's own, and is open only while the text is there and does not change. */
#pragma once

#include "json/scan.h"

G_BEGIN_DECLS

#define CF_JSON_OUTLINE_DEPTH 4 /* noted: envelope, data, list, record */

typedef struct _CfJsonOutline CfJsonOutline;

/* For scan.c. Returns: (transfer none) (nullable): the open outline when it is of that text and has
 * still to be noted. */
CfJsonOutline *cf_json_outline_of(const char *text, gsize len);
void cf_json_outline_open(CfJsonOutline *outline, guint depth, const char *start);
/* An object that is a member of an array begins at start. Returns: after it, and it is noted, when
 * it is known; else start. */
const char *cf_json_outline_pass(CfJsonOutline *outline, const char *start);
void cf_json_outline_close(CfJsonOutline *outline, guint depth, const char *end);
/* The text is good: what was noted counts from now on. */
void cf_json_outline_ready(CfJsonOutline *outline);
/* start: at an opening bracket. Returns: (nullable): after its closing one, when that was noted. */
const char *cf_json_outline_find(const char *start);
/* How many objects and arrays are noted, when the span is of that text; else 0. */
guint cf_json_outline_count(const char *text, gsize len);

G_END_DECLS
