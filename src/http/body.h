/* The bodies of answers. A listing is thousands of pages of nearly the same size, one after the
 * other: the memory of one that nobody needs any more is the next one's. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Memory that is kept for the next body; a few MiB at most. Reference-counted: bodies may outlive
 * the engine. Thread: any. */
typedef struct _CfBodyPool CfBodyPool;

CfBodyPool *cf_body_pool_new(void);
void cf_body_pool_unref(CfBodyPool *pool); /* (nullable) */
/* How much is kept, in bytes. */
gsize cf_body_pool_get_size(CfBodyPool *pool);

/* A body that is being received. */
typedef struct {
    CfBodyPool *pool; /* (nullable) */
    struct _CfRoom *room;
    gsize len;
} CfBody;

/* pool: (nullable) a reference is taken; NULL: nothing of the body is kept, since it may be secret.
 */
void cf_body_init(CfBody *body, CfBodyPool *pool);
void cf_body_clear(CfBody *body);
/* Room for so many bytes in all, so that they are not copied as they come. */
void cf_body_reserve(CfBody *body, gsize size);
void cf_body_append(CfBody *body, const void *data, gsize len);
/* A NUL follows the data, outside of its size, so that functions for strings do no harm.
 * Returns: (transfer full): it; body is empty then. */
GBytes *cf_body_take(CfBody *body);

G_END_DECLS
