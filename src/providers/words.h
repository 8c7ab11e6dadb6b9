/* Texts of foreign origin in our errors, and what HTTP's statuses mean. Pure. Thread: any. */
#pragma once

#include "util/error.h"

G_BEGIN_DECLS

#define CF_WORDS_MAX 200 /* characters of a foreign text in a message */

/* Valid UTF-8 on one line, blanks joined, at most CF_WORDS_MAX characters.
 * Returns: (transfer full). */
char *cf_words_one_line(const char *text);
/* What a person would see of a page: its title, or its text without tags.
 * Returns: (transfer full) (nullable). */
char *cf_words_excerpt(const char *text, gsize len);
/* Whether a body is a web page rather than an answer of an API. */
gboolean cf_words_are_markup(const char *text, gsize len);

/* What a status that is no success says by itself. has_code: a code of the cloud's own came with
 * it. of_resource: the request named a resource, so that 404 means that it is gone. */
CfErrorCode cf_status_meaning(int status, gboolean has_code, gboolean of_resource);

G_END_DECLS
