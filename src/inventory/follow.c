/* After an accepted action the resource is read again until it settles: by show with back-off from
 * 0.5 s doubling to 10 s, by one listing when many are under way. internals.md section 2. */
#include <string.h>

#include "inventory/compose.h"
#include "model/power.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define INTERVAL_MIN_US (G_USEC_PER_SEC / 2)
#define INTERVAL_MAX_US (10 * G_USEC_PER_SEC)
#define GIVE_UP_POWER_US (300 * (gint64) G_USEC_PER_SEC)
#define GIVE_UP_VALUE_US (10 * (gint64) G_USEC_PER_SEC)
/* A reboot that shows "running" this long after it was accepted is over, also when the cloud never
 * showed it. */
#define REBOOT_UNSEEN_US (2 * G_USEC_PER_SEC)
#define SHOWS_MAX 8

static void
pending_free(CfPending *pending)
{
    if (!pending)
        return;
    g_free(pending->want);
    g_free(pending->before);
    g_free(pending);
}

void
cf_follow_free(gpointer data)
{
    CfFollow *follow = data;

    for (guint i = 0; i < CF_ACTION_N; i++)
        pending_free(follow->pending[i]);
    g_free(follow);
}

CfPending *
cf_pending_new(const CfAction *action, const char *want)
{
    CfPending *pending = g_new0(CfPending, 1);
    gboolean value = cf_action_field(action->kind, action->collection) >= 0;

    pending->kind = action->kind;
    pending->verb = action->verb;
    pending->want = g_strdup(want);
    if (action->tags_before)
        pending->before = g_strjoinv("\n", action->tags_before);
    pending->accepted_us = cf_clock_mono_us();
    pending->give_up_us = pending->accepted_us + (value ? GIVE_UP_VALUE_US : GIVE_UP_POWER_US);
    return pending;
}

static CfFollow *
follow_of(CfCollectionState *state, guint32 handle)
{
    CfFollow *follow =
        g_hash_table_lookup(state->follows, GUINT_TO_POINTER(CF_HANDLE_SLOT(handle)));

    return follow && follow->handle == handle ? follow : NULL;
}

void
cf_follow_forget(CfCollectionState *state, guint32 handle)
{
    if (follow_of(state, handle))
        g_hash_table_remove(state->follows, GUINT_TO_POINTER(CF_HANDLE_SLOT(handle)));
}

static gboolean
follow_is_empty(const CfFollow *follow)
{
    for (guint i = 0; i < CF_ACTION_N; i++)
        if (follow->pending[i])
            return FALSE;
    return cf_clock_mono_us() >= follow->doubt_us;
}

static void
drop(CfFollow *follow, CfActionKind kind)
{
    pending_free(follow->pending[kind]);
    follow->pending[kind] = NULL;
}

CfPending *
cf_follow_get(CfCollectionState *state, guint32 handle, CfActionKind kind)
{
    CfFollow *follow = follow_of(state, handle);

    return follow ? follow->pending[kind] : NULL;
}

void
cf_follow_end(CfCollectionState *state, const char *id, CfActionKind kind)
{
    CfResource *resource = cf_state_find(state, id);
    CfFollow *follow = resource ? follow_of(state, resource->handle) : NULL;
    CfResource *copy;
    CfEdit edit;

    if (!follow || !follow->pending[kind])
        return;
    drop(follow, kind);
    if (follow_is_empty(follow))
        cf_follow_forget(state, resource->handle);
    copy = cf_resource_copy(resource);
    cf_resource_show_over(state, copy);
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
}

static gboolean
is_reboot(CfVerb verb)
{
    return verb == CF_VERB_REBOOT || verb == CF_VERB_REBOOT_HARD;
}

/* Our own states of passage end here; a resource that the cloud shows in one is left alone. */
CfState
cf_follow_state(CfCollectionState *state, const CfResource *resource)
{
    CfState cloud = cf_record_get_state(resource->base);
    CfFollow *follow = follow_of(state, resource->handle);
    const CfPending *power = follow ? follow->pending[CF_ACTION_POWER] : NULL;

    /* One action from its first call to its last, whatever it passes through. */
    if (power && power->composing &&
        (cloud == CF_STATE_RUNNING || cloud == CF_STATE_STOPPED || cloud == CF_STATE_STARTING ||
         cloud == CF_STATE_STOPPING))
        return CF_STATE_REBOOTING;
    if (!follow || cf_state_is_transitional(cloud) || cloud == CF_STATE_ERROR ||
        cloud == CF_STATE_DELETED)
        return cloud;
    if (follow->pending[CF_ACTION_DELETE])
        return CF_STATE_DELETING;
    if (power)
        return cf_verb_way(power->verb);
    return cloud;
}

/* Whether what the cloud said in answer to a question asked at requested_us ends a power action. */
static gboolean
power_is_settled(CfPending *pending, const CfRecord *base, gint64 requested_us)
{
    CfState cloud = cf_record_get_state(base);

    if (requested_us < pending->accepted_us)
        return FALSE;
    pending->seen = cloud;
    pending->seen_settled = cf_record_is_settled(base);
    pending->seen_us = requested_us;
    if (cf_state_is_transitional(cloud)) {
        pending->seen_changing = TRUE;
        return FALSE;
    }
    if (pending->composing)
        return FALSE;
    if (cloud == CF_STATE_ERROR || cloud == CF_STATE_DELETED)
        return TRUE;
    if (!cf_verb_is_reached(pending->verb, base))
        return FALSE;
    return !is_reboot(pending->verb) || pending->seen_changing ||
           requested_us - pending->accepted_us >= REBOOT_UNSEEN_US;
}

/* The copy has a new base: ends the actions that it shows to be over. */
void
cf_follow_apply(CfCollectionState *state, CfResource *copy, gint64 requested_us)
{
    CfFollow *follow = follow_of(state, copy->handle);
    gint64 now_us = cf_clock_mono_us();

    for (guint kind = 0; follow && kind < CF_ACTION_N; kind++) {
        CfPending *pending = follow->pending[kind];
        gboolean over = FALSE;

        if (!pending)
            continue;
        switch ((int) kind) {
        case CF_ACTION_POWER:
            over = power_is_settled(pending, copy->base, requested_us);
            break;
        case CF_ACTION_CAPTURE:
            over = requested_us > 0 && !cf_state_is_transitional(cf_record_get_state(copy->base));
            break;
        case CF_ACTION_DELETE: /* most clouds just list it no more */
            over = requested_us >= pending->accepted_us &&
                   cf_record_get_state(copy->base) == CF_STATE_DELETED;
            break;
        default:
            over = requested_us >= pending->accepted_us &&
                   g_strcmp0(cf_record_get(copy->base, (guint) cf_action_field(kind, state->which)),
                             pending->want) == 0;
        }
        if (now_us >= pending->give_up_us && !pending->composing) {
            if (kind == CF_ACTION_POWER) {
                CfLocal *local = cf_resource_edit_local(copy);

                g_free(local->last_error);
                local->last_error = g_strdup_printf(
                    "%s was accepted, but the server did not get there in %d s",
                    cf_verb_to_string(pending->verb), (int) (GIVE_UP_POWER_US / G_USEC_PER_SEC));
            }
            over = TRUE;
        }
        if (over)
            drop(follow, kind);
    }
    if (follow && follow_is_empty(follow))
        cf_follow_forget(state, copy->handle);
}

/* ---- reading again ---- */

static void schedule(CfInventory *inventory);

typedef struct {
    CfCollectionState *state;
    guint32 handle;
    char *id;
} Reading;

void
cf_follow_gone(CfCollectionState *state, const char *id)
{
    CfResource *resource = cf_state_find(state, id);
    CfEdit edit;

    if (!resource)
        return;
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, NULL);
    cf_edit_commit(&edit, FALSE);
}

/* What a show call said becomes the resource's base. */
void
cf_follow_record(CfCollectionState *state, const char *id, CfRecord *record, gint64 requested_us)
{
    CfResource *resource = cf_state_find(state, id);
    g_autoptr(CfResource) copy = NULL;
    CfEdit edit;

    if (!state->current)
        return;
    if (!resource) {
        cf_edit_begin(&edit, state);
        cf_edit_add(&edit, record, FALSE, cf_clock_real_ns());
        g_array_index(edit.changes, CfChange, 0).after->valid_us = requested_us;
        cf_edit_commit(&edit, FALSE);
        return;
    }
    if (requested_us < resource->valid_us || strcmp(cf_record_get_id(record), id) != 0)
        return;
    copy = cf_resource_copy(resource);
    cf_record_unref(copy->base);
    copy->base = cf_record_is_partial(record) ? cf_record_with_partial(resource->base, record)
                                              : cf_record_ref(record);
    copy->valid_us = requested_us;
    cf_follow_apply(state, copy, requested_us);
    cf_resource_show_over(state, copy);
    if (cf_resource_diff(resource, copy) == 0 &&
        !g_hash_table_contains(state->follows, GUINT_TO_POINTER(CF_HANDLE_SLOT(copy->handle))) &&
        copy->base == resource->base)
        return;
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, g_steal_pointer(&copy));
    cf_edit_commit(&edit, FALSE);
}

/* The cloud does not answer: what was waited for too long is given up all the same. */
static void
expire(CfCollectionState *state, guint32 handle)
{
    CfResource *resource = cf_state_get(state, handle);
    CfResource *copy;
    CfEdit edit;

    if (!resource)
        return;
    copy = cf_resource_copy(resource);
    cf_follow_apply(state, copy, 0);
    cf_resource_show_over(state, copy);
    if (cf_resource_diff(resource, copy) == 0) {
        cf_resource_unref(copy);
        return;
    }
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
}

static void
on_shown(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    g_autofree Reading *reading = data;
    g_autofree char *id = reading->id;
    CfCollectionState *state = reading->state;
    CfFollow *follow;

    if (state->inventory->closing)
        return;
    follow = follow_of(state, reading->handle);
    if (follow)
        follow->reading = FALSE;
    if (record)
        cf_follow_record(state, id, record, requested_us);
    else if (g_error_matches(error, CF_ERROR, CF_ERROR_NOT_FOUND))
        cf_follow_gone(state, id);
    else
        expire(state, reading->handle);
    cf_compose_review(state->inventory);
    schedule(state->inventory);
}

static void
on_listed(const GError *error, gpointer data)
{
    CfCollectionState *state = data;
    GHashTableIter iter;
    gpointer value;

    if (state->inventory->closing)
        return;
    g_hash_table_iter_init(&iter, state->follows);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        ((CfFollow *) value)->reading = FALSE;
    cf_compose_review(state->inventory);
    schedule(state->inventory);
}

static void
read_due(CfCollectionState *state, gint64 now_us)
{
    CfInventory *inventory = state->inventory;
    g_autoptr(GPtrArray) due = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, state->follows);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        CfFollow *follow = value;

        if (!follow->reading && follow->next_us <= now_us)
            g_ptr_array_add(due, follow);
    }
    for (guint i = 0; i < due->len; i++) {
        CfFollow *follow = due->pdata[i];

        follow->reading = TRUE;
        follow->interval_us = MIN(follow->interval_us * 2, INTERVAL_MAX_US);
        follow->next_us = now_us + follow->interval_us;
    }
    if (due->len > SHOWS_MAX) {
        cf_inventory_refresh(inventory, state->which, on_listed, state);
        return;
    }
    for (guint i = 0; i < due->len; i++) {
        CfFollow *follow = due->pdata[i];
        CfResource *resource = cf_state_get(state, follow->handle);
        Reading *reading;

        if (!resource)
            continue;
        reading = g_new(Reading, 1);
        *reading = (Reading){state, follow->handle, g_strdup(cf_record_get_id(resource->record))};
        inventory->ops->show(inventory->handle, state->which, reading->id,
                             now_us + inventory->options.deadline_us, on_shown, reading);
    }
}

static gboolean
on_follow_timer(gpointer data)
{
    CfInventory *inventory = data;
    gint64 now_us = cf_clock_mono_us();

    cf_timer_clear(&inventory->follow_timer);
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        read_due(&inventory->collections[i], now_us);
    schedule(inventory);
    return G_SOURCE_REMOVE;
}

static void
schedule(CfInventory *inventory)
{
    gint64 next_us = G_MAXINT64;
    gint64 now_us = cf_clock_mono_us();

    for (guint i = 0; i < CF_COLLECTION_N; i++) {
        GHashTableIter iter;
        gpointer value;

        g_hash_table_iter_init(&iter, inventory->collections[i].follows);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
            const CfFollow *follow = value;

            if (!follow->reading)
                next_us = MIN(next_us, follow->next_us);
        }
    }
    cf_timer_clear(&inventory->follow_timer);
    if (next_us != G_MAXINT64 && !inventory->closing)
        inventory->follow_timer =
            cf_inventory_timer(inventory, next_us - now_us, on_follow_timer, inventory);
}

void
cf_follow_hurry(CfCollectionState *state, const char *id, gint64 delay_us)
{
    CfResource *resource = cf_state_find(state, id);
    CfFollow *follow = resource ? follow_of(state, resource->handle) : NULL;

    if (!follow)
        return;
    follow->interval_us = INTERVAL_MIN_US;
    follow->next_us = cf_clock_mono_us() + delay_us;
    schedule(state->inventory);
}

static CfFollow *
follow_make(CfCollectionState *state, guint32 handle)
{
    CfFollow *follow = follow_of(state, handle);

    if (!follow) {
        follow = g_new0(CfFollow, 1);
        follow->handle = handle;
        g_hash_table_replace(state->follows, GUINT_TO_POINTER(CF_HANDLE_SLOT(handle)), follow);
    }
    return follow;
}

void
cf_follow_doubt(CfCollectionState *state, const CfResource *resource)
{
    CfFollow *follow = follow_make(state, resource->handle);

    follow->interval_us = INTERVAL_MIN_US;
    follow->next_us = cf_clock_mono_us() + follow->interval_us;
    follow->doubt_us = cf_clock_mono_us() + GIVE_UP_VALUE_US;
    schedule(state->inventory);
}

/* pending: (transfer full). */
void
cf_follow(CfCollectionState *state, CfResource *resource, CfPending *pending)
{
    CfFollow *follow = follow_make(state, resource->handle);

    drop(follow, pending->kind);
    /* Of locking and unlocking the later one counts. */
    if (pending->kind == CF_ACTION_LOCK)
        drop(follow, CF_ACTION_LOCK_REASON);
    if (pending->kind == CF_ACTION_LOCK_REASON)
        drop(follow, CF_ACTION_LOCK);
    follow->pending[pending->kind] = pending;
    follow->interval_us = INTERVAL_MIN_US;
    follow->next_us = cf_clock_mono_us() + follow->interval_us;
    schedule(state->inventory);
}
