/* Batches: one verb for many servers, or the deletion of many images, in as few calls as the cloud
 * allows. Contract section 5. */
#pragma once

#include "inventory/inventory.h"

G_BEGIN_DECLS

typedef struct {
    char *id;
    CfVerb verb; /* POWER */
} CfBatchTarget;

typedef struct {
    CfActor actor;
    CfActionKind kind; /* POWER or DELETE */
    CfCollection collection;
    GArray *targets; /* (element-type CfBatchTarget), each resource once */
} CfBatch;

/* actor: its texts are taken over. Returns: (transfer full). */
CfBatch *cf_batch_new(CfActionKind kind, CfCollection collection, const CfActor *actor);
void cf_batch_add(CfBatch *batch, const char *id, CfVerb verb);
void cf_batch_free(CfBatch *batch); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfBatch, cf_batch_free)

/* What is to be asked of the cloud for one target. */
typedef enum {
    CF_BATCH_NOTHING, /* it is so already */
    CF_BATCH_MANY,    /* together with others in one call */
    CF_BATCH_SINGLE, /* in a call of its own: its state may refuse, or the cloud has no such call */
} CfBatchWay;
CfBatchWay cf_batch_way(CfInventory *inventory, const CfBatch *batch, const CfResource *resource,
                        CfVerb verb);

/* Does it, in groups and side by side. The snapshot is taken to be fresh: what is so already is not
 * asked for. batch: (transfer full). callback: CF_ERROR_REMOTE when any target failed; the others
 * are done then, and the text of last_error has a line for each that failed. Nothing further is
 * sent once the cloud cannot be reached. Thread: any. */
void cf_inventory_batch(CfInventory *inventory, CfBatch *batch, CfDoneCallback callback,
                        gpointer data);
/* A batch of which nothing is sent: notes it in last_error and the journal, then calls back with
 * error. batch: (transfer full); text: what was written. Thread: any. */
void cf_inventory_refuse_batch(CfInventory *inventory, CfBatch *batch, const char *text,
                               const GError *error, CfDoneCallback callback, gpointer data);

/* A line for each target of the last batch that failed: id, name, code, message, with tabs between.
 * Returns: (transfer full): "" when none did. ret_ns: wall ns of its last change; 0: never. Thread:
 * any. */
char *cf_inventory_dup_batch_error(CfInventory *inventory, CfCollection collection, gint64 *ret_ns);

G_END_DECLS
