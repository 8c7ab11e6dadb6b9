/* Jobs: what an accepted action began in the cloud is asked after until it is over, with back-off
 * from 0.5 s doubling to 10 s. One that failed ends what the action laid over its resource. */
#include "inventory/jobs.h"

#include "inventory/compose.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define INTERVAL_MIN_US (G_USEC_PER_SEC / 2)
#define INTERVAL_MAX_US (10 * (gint64) G_USEC_PER_SEC)
#define SIDE_BY_SIDE 4
#define GIVE_UP_US (3600 * (gint64) G_USEC_PER_SEC) /* an image of a great disk takes long */

struct _CfJob {
    CfCollectionState *state;
    CfOrder *order;
    char *job_id;
    char *new_id;   /* CAPTURE (nullable): the image that is being made */
    gint64 next_us; /* monotonic: when it is asked after again */
    gint64 interval_us;
    gint64 give_up_us;
    gint64 began_us;
    gboolean asking;
};

void
cf_job_free(gpointer data)
{
    CfJob *job = data;

    cf_order_free(job->order);
    g_free(job->job_id);
    g_free(job->new_id);
    g_free(job);
}

static void ask_due(CfInventory *inventory);

static gboolean
on_timer(gpointer data)
{
    CfInventory *inventory = data;

    cf_timer_clear(&inventory->job_timer);
    ask_due(inventory);
    return G_SOURCE_REMOVE;
}

static void
schedule(CfInventory *inventory)
{
    gint64 next_us = G_MAXINT64;

    cf_timer_clear(&inventory->job_timer);
    if (inventory->closing || inventory->jobs_asking >= SIDE_BY_SIDE)
        return;
    for (guint i = 0; i < inventory->jobs->len; i++) {
        const CfJob *job = inventory->jobs->pdata[i];

        if (!job->asking)
            next_us = MIN(next_us, job->next_us);
    }
    if (next_us != G_MAXINT64)
        inventory->job_timer =
            cf_inventory_timer(inventory, next_us - cf_clock_mono_us(), on_timer, inventory);
}

/* ---- the end of a job ---- */

static void
on_image(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfCollectionState *images = data;

    if (record && !images->inventory->closing)
        cf_follow_record(images, cf_record_get_id(record), record, requested_us);
}

/* What it did is there to be seen; whoever looks shall not wait for the back-off. */
static void
look_at_result(const CfJob *job)
{
    CfInventory *inventory = job->state->inventory;
    CfCollectionState *images = &inventory->collections[CF_IMAGES];

    for (guint i = 0; job->order->action->ids[i]; i++)
        cf_follow_hurry(job->state, job->order->action->ids[i], 0);
    if (job->new_id && images->current)
        inventory->ops->show(inventory->handle, CF_IMAGES, job->new_id,
                             cf_clock_mono_us() + inventory->options.deadline_us, on_image, images);
}

static void
job_failed(const CfJob *job, const GError *error)
{
    CfInventory *inventory = job->state->inventory;
    const CfAction *action = job->order->action;

    cf_journal_job(inventory, job->order, job->job_id, error, job->began_us);
    if (cf_compose_job_failed(inventory, job->order, error))
        return;
    g_mutex_lock(&inventory->lock);
    inventory->stats.actions_failed++;
    g_mutex_unlock(&inventory->lock);
    for (guint i = 0; action->ids[i]; i++) {
        CfResource *resource = cf_state_find(job->state, action->ids[i]);

        if (resource)
            cf_events_failed(inventory, resource, job->order, error);
        cf_follow_end(job->state, action->ids[i], action->kind);
        cf_note_failure(job->state, action->ids[i], error, NULL);
    }
    if (job->new_id)
        cf_follow_end(&inventory->collections[CF_IMAGES], job->new_id, CF_ACTION_CAPTURE);
}

static void
on_answer(gboolean over, const GError *error, gpointer data)
{
    CfJob *job = data;
    CfInventory *inventory = job->state->inventory;
    gint64 now_us = cf_clock_mono_us();

    inventory->jobs_asking--;
    job->asking = FALSE;
    if (inventory->closing) {
        g_ptr_array_remove_fast(inventory->jobs, job);
        return;
    }
    if (over && error)
        job_failed(job, error);
    if (over)
        look_at_result(job);
    if (!over && now_us >= job->give_up_us)
        cf_info("%s: job %s is not asked after any more", inventory->profile, job->job_id);
    if (over || now_us >= job->give_up_us)
        g_ptr_array_remove_fast(inventory->jobs, job);
    schedule(inventory);
}

/* ---- asking ---- */

/* Returns: (nullable): the one that has waited longest for its turn. */
static CfJob *
find_due(CfInventory *inventory, gint64 now_us)
{
    CfJob *first = NULL;

    for (guint i = 0; i < inventory->jobs->len; i++) {
        CfJob *job = inventory->jobs->pdata[i];

        if (!job->asking && job->next_us <= now_us && (!first || job->next_us < first->next_us))
            first = job;
    }
    return first;
}

static void
ask_due(CfInventory *inventory)
{
    gint64 now_us = cf_clock_mono_us();

    while (inventory->jobs_asking < SIDE_BY_SIDE) {
        CfJob *job = find_due(inventory, now_us);

        if (!job)
            break;
        job->asking = TRUE;
        inventory->jobs_asking++;
        job->interval_us = MIN(job->interval_us * 2, INTERVAL_MAX_US);
        job->next_us = now_us + job->interval_us;
        inventory->ops->job(inventory->handle, job->job_id, now_us + inventory->options.deadline_us,
                            on_answer, job);
    }
    schedule(inventory);
}

void
cf_job_follow(CfCollectionState *state, const CfOrder *order, const CfActionResult *result)
{
    CfInventory *inventory = state->inventory;
    CfJob *job;

    if (!result->job_id || !*result->job_id || !inventory->ops->job || inventory->closing)
        return;
    job = g_new0(CfJob, 1);
    job->state = state;
    job->order = cf_order_copy(order);
    job->job_id = g_strdup(result->job_id);
    job->new_id = g_strdup(result->new_id);
    job->began_us = cf_clock_mono_us();
    job->interval_us = INTERVAL_MIN_US;
    job->next_us = job->began_us + job->interval_us;
    job->give_up_us = job->began_us + GIVE_UP_US;
    g_ptr_array_add(inventory->jobs, job);
    schedule(inventory);
}
