/* An order under way: what the files about orders share. Engine's thread only. */
#pragma once

#include "inventory/private.h"

typedef struct {
    CfInventory *inventory;
    CfCollectionState *state;
    CfOrder *order;
    CfDoneCallback callback;
    gpointer data;
    gint64 began_us;   /* monotonic */
    char *old;         /* for the journal (nullable) */
    char *addition;    /* (nullable) what we add to the cloud's words in last_error */
    GString *requests; /* (nullable) a dry run: CfActionResult.requests so far */
    char *call;        /* (nullable) the call that was refused */
    GError *refusal; /* (nullable) what the cloud said before we looked whether it is so already */
} CfDoing;

static inline const char *
cf_doing_id(const CfDoing *doing)
{
    return doing->order->action->ids[0];
}

/* action.c: sends the order's action, or says that it would (dry_run). */
void cf_doing_send(CfDoing *doing);
/* The cloud refused: looks whether it is so already, or gone, then tells the verdict. result:
 * (nullable). doing: (transfer full). */
void cf_doing_refused(CfDoing *doing, const CfActionResult *result, const GError *error);
void cf_doing_free(CfDoing *doing);

/* verdict.c: the two ends of an order; doing: (transfer full). */
/* result: (nullable) when nothing was sent. */
void cf_doing_accept(CfDoing *doing, const CfActionResult *result);
void cf_doing_fail(CfDoing *doing, const GError *error);
/* The same where the mount may be ending. error: (nullable). */
void cf_doing_give_up(CfDoing *doing, const GError *error);

/* edit-value.c: reads the server afresh, compares, and sends. */
void cf_doing_edit_metadata(CfDoing *doing);
void cf_doing_lock_with_reason(CfDoing *doing);

/* edit-tags.c: reads the tags afresh, compares, and sends. */
void cf_doing_edit_tags(CfDoing *doing);
/* A change of tags that some clouds make by several calls was refused: looks what was done of it,
 * then tells the verdict. Returns: FALSE when there is nothing to look for; else doing: (transfer
 * full). */
gboolean cf_doing_look_at_tags(CfDoing *doing, const CfActionResult *result, const GError *error);
