/* Values that are looked at afresh before they are written: one key of the metadata, the reason of
 * a lock. */
#include <string.h>

#include "inventory/doing.h"
#include "model/metadata.h"
#include "util/error.h"

/* ---- metadata ---- */

/* What is there must be what the writer saw; where it is what he wants there is nothing to do. */
static void
compare_and_send(CfDoing *doing, const CfRecord *record)
{
    const CfAction *action = doing->order->action;
    g_autofree char *fresh =
        cf_metadata_get(cf_record_get(record, CF_SERVER_METADATA), action->key);
    const char *want = *action->text ? action->text : NULL;
    g_autoptr(GError) stale = NULL;

    g_free(doing->old);
    doing->old = g_strdup(fresh);
    if (g_strcmp0(fresh, want) == 0) {
        cf_doing_accept(doing, NULL);
        return;
    }
    if (g_strcmp0(fresh, doing->order->shown) == 0) {
        cf_doing_send(doing);
        return;
    }
    g_set_error(&stale, CF_ERROR, CF_ERROR_CHANGED,
                "the value was changed in the cloud meanwhile; nothing was written");
    cf_doing_fail(doing, stale);
}

static void
on_metadata_shown(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;

    if (error || doing->inventory->closing) {
        cf_doing_give_up(doing, error);
        return;
    }
    /* What was laid over the cloud's is over: from now on its own counts. */
    cf_follow_end(doing->state, cf_doing_id(doing), CF_ACTION_METADATA);
    cf_follow_record(doing->state, cf_doing_id(doing), record, requested_us);
    compare_and_send(doing, record);
}

void
cf_doing_edit_metadata(CfDoing *doing)
{
    doing->inventory->ops->show(doing->inventory->handle, doing->state->which, cf_doing_id(doing),
                                doing->order->deadline_us, on_metadata_shown, doing);
}

/* ---- the reason of a lock ---- */

/* A cloud that locks again what is locked may keep the former reason without a word. */
static void
on_lock_shown(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    const char *want = doing->order->action->text;
    const char *reason;
    gboolean locked;
    g_autoptr(GError) busy = NULL;

    if (error || doing->inventory->closing) {
        cf_doing_give_up(doing, error);
        return;
    }
    cf_follow_record(doing->state, cf_doing_id(doing), record, requested_us);
    locked = g_strcmp0(cf_record_get(record, CF_SERVER_LOCK), "1") == 0;
    reason = cf_record_get(record, CF_SERVER_LOCKED_REASON);
    if (locked ? strcmp(reason ? reason : "", want) == 0 : !*want) {
        cf_doing_accept(doing, NULL);
    } else if (locked) {
        g_set_error(&busy, CF_ERROR, CF_ERROR_BUSY,
                    "it is locked already, and a lock keeps its reason; write 0 to lock first");
        cf_doing_fail(doing, busy);
    } else {
        cf_doing_send(doing);
    }
}

void
cf_doing_lock_with_reason(CfDoing *doing)
{
    doing->inventory->ops->show(doing->inventory->handle, doing->state->which, cf_doing_id(doing),
                                doing->order->deadline_us, on_lock_shown, doing);
}
