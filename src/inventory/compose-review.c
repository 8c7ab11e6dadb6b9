/* What the cloud shows of servers that are being rebooted, and what follows from it. */
#include "inventory/compose-private.h"
#include "util/clock.h"
#include "util/error.h"

/* What a daemon that is gone did just before its end may not show yet. */
#define UNSEEN_US (30 * (gint64) G_USEC_PER_SEC)

static void
quit_for(CfCompose *compose, gboolean stopped, const char *why)
{
    g_autoptr(GError) error = g_error_new_literal(CF_ERROR, CF_ERROR_REMOTE, why);

    if (stopped)
        cf_compose_leave(compose, error);
    else
        cf_compose_quit(compose, error);
}

static gint64
age_us(const CfCompose *compose)
{
    return ABS(cf_clock_real_us() - compose->entry->step_us);
}

/* Returns: whether that was what it waited for. */
static gboolean
review_stopped(CfCompose *compose)
{
    switch (compose->entry->step) {
    case CF_STEP_STOP:
    case CF_STEP_WAIT:
        break;
    case CF_STEP_START:
        /* Taken over: the start may be on its way. */
        if (compose->starts == 0 && age_us(compose) < UNSEEN_US)
            return FALSE;
        break;
    case CF_STEP_UP:
        if (!compose->taken_over || age_us(compose) < UNSEEN_US)
            return FALSE;
        quit_for(compose, TRUE, "the start was accepted, but the server does not run");
        return TRUE;
    case CF_STEP_LEFT:
    case CF_STEP_N:
        return FALSE;
    }
    if (compose->stale)
        quit_for(compose, TRUE, "it was left unfinished more than a day ago");
    else
        cf_compose_start(compose);
    return TRUE;
}

static gboolean
review_running(CfCompose *compose, const CfPending *pending)
{
    if (compose->entry->step >= CF_STEP_START)
        cf_compose_done(compose, "it runs again");
    else if (pending->seen_changing)
        cf_compose_done(compose, "it runs again, started by somebody else");
    else if ((compose->taken_over || compose->uncertain) && age_us(compose) >= UNSEEN_US)
        cf_compose_done(compose, "it was not stopped");
    else
        return FALSE;
    return TRUE;
}

static gboolean
review_seen(CfCompose *compose, const CfPending *pending)
{
    switch ((int) pending->seen) {
    case CF_STATE_ERROR:
        quit_for(compose, FALSE, "reboot hard: the server went to error");
        return TRUE;
    case CF_STATE_DELETED:
        cf_compose_done(compose, "the server is deleted");
        return TRUE;
    case CF_STATE_STOPPED:
        return pending->seen_settled && review_stopped(compose);
    case CF_STATE_RUNNING:
        return review_running(compose, pending);
    default:
        return FALSE;
    }
}

/* Only an answer to a question asked after the deadline ends the waiting: as long as the cloud is
 * not heard there is nothing to give up. */
static void
review_deadline(CfCompose *compose, const CfPending *pending)
{
    if (pending->seen_us <= compose->deadline_us)
        return;
    if (compose->entry->step < CF_STEP_UP)
        quit_for(compose, FALSE, "reboot hard was accepted, but the server did not stop in 300 s");
    else
        quit_for(compose, pending->seen == CF_STATE_STOPPED,
                 "reboot hard: the server did not start in 300 s");
}

static void
review_going(CfCompose *compose)
{
    CfInventory *inventory = compose->composer->inventory;
    CfPending *pending = compose->unseen ? NULL : cf_compose_follow(compose);

    if (compose->unseen)
        return;
    if (!pending) {
        g_autoptr(GError) error = g_error_new_literal(CF_ERROR, CF_ERROR_GONE, "it is gone");

        cf_journal_action(inventory, compose->order, NULL, NULL, error, compose->began_us);
        cf_compose_done(compose, "the server is gone");
        return;
    }
    if (pending->seen_us > 0 && !review_seen(compose, pending))
        review_deadline(compose, pending);
}

static void
review_left(CfCompose *compose)
{
    CfCollectionState *servers = cf_compose_servers(compose);
    CfResource *resource = cf_state_find(servers, cf_compose_id(compose));
    g_autoptr(GError) error = NULL;

    if (!resource) {
        if (servers->current && !compose->unseen)
            cf_compose_drop(compose);
        return;
    }
    if (cf_record_get_state(resource->base) != CF_STATE_STOPPED) {
        cf_compose_done(compose, "it is not stopped any more");
        return;
    }
    if (compose->noted)
        return;
    compose->noted = TRUE;
    g_set_error(&error, CF_ERROR, CF_ERROR_REMOTE, "%s", compose->entry->error);
    cf_note_failure(servers, cf_compose_id(compose), error, NULL);
}

void
cf_compose_review(CfInventory *inventory)
{
    CfComposer *composer = inventory->composer;
    g_autoptr(GList) all = NULL;

    if (!composer || inventory->closing || g_hash_table_size(composer->table) == 0)
        return;
    all = g_hash_table_get_values(composer->table);
    for (GList *one = all; one; one = one->next) {
        CfCompose *compose = one->data;

        if (compose->busy)
            continue;
        if (compose->entry->step == CF_STEP_LEFT)
            review_left(compose);
        else
            review_going(compose);
    }
}
