#include "inventory/compose.h"

#include <string.h>

#include "inventory/compose-private.h"
#include "inventory/jobs.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define STEP_US (300 * (gint64) G_USEC_PER_SEC) /* for stopping; for starting */
/* A start that was refused for now is tried again for so long. */
#define START_US (60 * (gint64) G_USEC_PER_SEC)
#define RETRY_MIN_US (1 * (gint64) G_USEC_PER_SEC)

#define LEFT_STOPPED "stopped, not started again"

CfCollectionState *
cf_compose_servers(const CfCompose *compose)
{
    return &compose->composer->inventory->collections[CF_SERVERS];
}

const char *
cf_compose_id(const CfCompose *compose)
{
    return compose->entry->id;
}

/* ---- the table ---- */

static void
on_stray_save(const GError *error, gpointer data)
{
    CfInventory *inventory = data;

    if (error)
        cf_warning("%s: %s", inventory->profile, error->message);
}

/* callback: (nullable). While the file is being read nothing is written, or what was just taken
 * over would be lost. */
static void
save(CfComposer *composer, CfDoneCallback callback, gpointer data)
{
    GPtrArray *entries;
    GHashTableIter iter;
    gpointer value;

    if (composer->inventory->closing)
        return;
    if (composer->loading) {
        CfComposeDeferred deferred = {callback, data};

        g_array_append_val(composer->deferred, deferred);
        return;
    }
    entries = g_ptr_array_new_with_free_func(cf_compose_entry_free);
    g_hash_table_iter_init(&iter, composer->table);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(entries, cf_compose_entry_copy(((CfCompose *) value)->entry));
    cf_compose_store_save(composer->store, entries, callback ? callback : on_stray_save,
                          callback ? data : composer->inventory);
}

void
cf_compose_save_deferred(CfComposer *composer)
{
    g_autoptr(GArray) deferred = composer->deferred;

    composer->deferred = g_array_new(FALSE, FALSE, sizeof(CfComposeDeferred));
    for (guint i = 0; i < deferred->len; i++) {
        CfComposeDeferred *one = &g_array_index(deferred, CfComposeDeferred, i);

        save(composer, one->callback, one->data);
    }
}

/* Whoever waits for the end of them, and who reads health. */
void
cf_compose_changed(CfComposer *composer)
{
    CfInventory *inventory = composer->inventory;
    g_autoptr(GString) notes = g_string_new(NULL);
    guint open = 0;
    GHashTableIter iter;
    gpointer value;
    gboolean changed;

    g_hash_table_iter_init(&iter, composer->table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const CfComposeEntry *entry = ((CfCompose *) value)->entry;

        open += entry->step < CF_STEP_UP;
        if (entry->step == CF_STEP_LEFT) {
            g_autofree char *text = g_strdup_printf("server %s: %s", entry->id, entry->error);
            g_autofree char *line = cf_text_one_line(text);

            g_string_append_printf(notes, "%s\n", line);
        }
    }
    g_string_append(notes, composer->trouble->str);
    g_mutex_lock(&inventory->lock);
    composer->open = open;
    changed = strcmp(composer->notes->str, notes->str) != 0;
    g_string_assign(composer->notes, notes->str);
    if (changed)
        inventory->health_changed_us = cf_clock_real_us();
    if (open == 0)
        g_cond_broadcast(&composer->over);
    g_mutex_unlock(&inventory->lock);
    if (changed)
        cf_inventory_facts(inventory, CF_FACT_HEALTH);
}

void
cf_compose_free(gpointer data)
{
    CfCompose *compose = data;

    cf_compose_entry_free(compose->entry);
    cf_order_free(compose->order);
    g_free(compose);
}

/* entry, order: (transfer full). */
CfCompose *
cf_compose_add(CfComposer *composer, CfComposeEntry *entry, CfOrder *order)
{
    CfCompose *compose = g_new0(CfCompose, 1);

    compose->composer = composer;
    compose->entry = entry;
    compose->order = order;
    compose->began_us = cf_clock_mono_us();
    compose->deadline_us = compose->began_us + STEP_US;
    g_hash_table_insert(composer->table, entry->id, compose);
    cf_compose_changed(composer);
    return compose;
}

static void
set_step(CfCompose *compose, CfComposeStep step)
{
    compose->entry->step = step;
    compose->entry->step_us = cf_clock_real_us();
    cf_compose_changed(compose->composer);
}

/* What it laid over the server goes. */
static void
end_following(CfCollectionState *servers, const char *id)
{
    CfResource *resource = cf_state_find(servers, id);
    CfPending *pending =
        resource ? cf_follow_get(servers, resource->handle, CF_ACTION_POWER) : NULL;

    if (pending && pending->composing)
        cf_follow_end(servers, id, CF_ACTION_POWER);
}

void
cf_compose_drop(CfCompose *compose)
{
    CfComposer *composer = compose->composer;
    CfCollectionState *servers = cf_compose_servers(compose);
    g_autofree char *id = g_strdup(cf_compose_id(compose));

    g_hash_table_remove(composer->table, id);
    save(composer, NULL, NULL);
    cf_compose_changed(composer);
    end_following(servers, id);
}

/* ---- its ends ---- */

void
cf_compose_done(CfCompose *compose, const char *how)
{
    cf_info("%s: reboot hard of %s: %s", compose->composer->inventory->profile,
            cf_compose_id(compose), how);
    cf_compose_drop(compose);
}

static void
tell_failure(CfCompose *compose, const GError *error, const char *addition)
{
    CfInventory *inventory = compose->composer->inventory;
    CfCollectionState *servers = cf_compose_servers(compose);
    CfResource *resource = cf_state_find(servers, cf_compose_id(compose));

    if (!compose->journalled)
        cf_journal_action(inventory, compose->order, NULL, NULL, error, compose->began_us);
    compose->journalled = FALSE;
    g_mutex_lock(&inventory->lock);
    inventory->stats.actions_failed++;
    g_mutex_unlock(&inventory->lock);
    if (resource)
        cf_events_failed(inventory, resource, compose->order, error);
    cf_note_failure(servers, cf_compose_id(compose), error, addition);
}

void
cf_compose_quit(CfCompose *compose, const GError *error)
{
    end_following(cf_compose_servers(compose), cf_compose_id(compose));
    tell_failure(compose, error, NULL);
    cf_warning("%s: reboot hard of %s: %s", compose->composer->inventory->profile,
               cf_compose_id(compose), error->message);
    cf_compose_drop(compose);
}

void
cf_compose_leave(CfCompose *compose, const GError *error)
{
    CfInventory *inventory = compose->composer->inventory;
    g_autofree char *words = cf_failure_text(error, NULL);

    g_free(compose->entry->error);
    compose->entry->error = g_strdup_printf(LEFT_STOPPED ": %s", words);
    compose->noted = TRUE;
    set_step(compose, CF_STEP_LEFT);
    save(compose->composer, NULL, NULL);
    end_following(cf_compose_servers(compose), cf_compose_id(compose));
    tell_failure(compose, error, LEFT_STOPPED);
    cf_warning("%s: server %s: %s", inventory->profile, cf_compose_id(compose),
               compose->entry->error);
}

/* ---- being followed ---- */

/* Returns: (transfer none) (nullable): what follows the server for us; NULL when it is not there.
 */
CfPending *
cf_compose_follow(CfCompose *compose)
{
    CfCollectionState *servers = cf_compose_servers(compose);
    CfResource *resource = cf_state_find(servers, cf_compose_id(compose));
    CfPending *pending;
    CfResource *copy;
    CfEdit edit;

    if (!resource)
        return NULL;
    pending = cf_follow_get(servers, resource->handle, CF_ACTION_POWER);
    if (pending && pending->composing)
        return pending;
    pending = cf_pending_new(compose->order->action, NULL);
    pending->composing = TRUE;
    copy = cf_resource_copy(resource);
    cf_follow(servers, copy, pending);
    cf_resource_show_over(servers, copy);
    cf_edit_begin(&edit, servers);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
    return pending;
}

/* What the cloud says from now on counts; it is asked soon. */
static void
look_afresh(CfCompose *compose)
{
    CfPending *pending = cf_compose_follow(compose);
    CfCollectionState *servers = cf_compose_servers(compose);
    CfResource *resource = cf_state_find(servers, cf_compose_id(compose));
    CfResource *copy;
    CfEdit edit;

    if (!pending || !resource)
        return;
    pending->accepted_us = cf_clock_mono_us();
    pending->seen_us = 0;
    copy = cf_resource_copy(resource);
    copy->valid_us = pending->accepted_us;
    cf_resource_show_over(servers, copy); /* the task is another one */
    cf_edit_begin(&edit, servers);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
    cf_follow_hurry(servers, cf_compose_id(compose), G_USEC_PER_SEC / 2);
}

/* ---- the second call ---- */

/* No server answers behind the cloud's door, or it has tripped. */
static gboolean
is_fault(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return cf_error_code(error) == CF_ERROR_REMOTE && words && words->http_status >= 500;
}

/* Whether it is worth while to try the start again. */
static gboolean
is_passing(const GError *error)
{
    switch ((int) cf_error_code(error)) {
    case CF_ERROR_BUSY:
    case CF_ERROR_THROTTLED:
    case CF_ERROR_TIMEOUT:
    case CF_ERROR_UNREACHABLE:
    case CF_ERROR_NO_CONNECT:
    case CF_ERROR_PROTOCOL:
        return TRUE;
    default:
        return is_fault(error);
    }
}

static void
start_failed(CfCompose *compose, const GError *error)
{
    gint64 now_us = cf_clock_mono_us();
    gboolean refused = cf_error_code(error) == CF_ERROR_BUSY || is_fault(error);

    compose->journalled = TRUE;
    /* Only what the cloud itself refuses is given up: without an answer we look, and go on. */
    if (!is_passing(error) || (refused && now_us > compose->start_us + START_US)) {
        cf_compose_leave(compose, error);
        return;
    }
    compose->retry_us = now_us + (RETRY_MIN_US << MIN(compose->starts - 1, 4));
    look_afresh(compose);
}

static void
on_start_answered(const CfActionResult *result, const GError *error, gpointer data)
{
    CfCompose *compose = data;
    CfInventory *inventory = compose->composer->inventory;
    gint64 now_us = cf_clock_mono_us();

    compose->busy = FALSE;
    cf_journal_action(inventory, compose->order, NULL, result, error, compose->start_us);
    if (inventory->closing) /* the file says how far it got */
        return;
    if (error) {
        start_failed(compose, error);
        return;
    }
    set_step(compose, CF_STEP_UP);
    compose->deadline_us = now_us + STEP_US;
    compose->began_us = now_us;
    save(compose->composer, NULL, NULL);
    cf_job_follow(cf_compose_servers(compose), compose->order, result);
    look_afresh(compose);
}

static void
on_start_saved(const GError *error, gpointer data)
{
    CfCompose *compose = data;
    CfInventory *inventory = compose->composer->inventory;
    g_autoptr(CfAction) action = NULL;

    compose->busy = FALSE;
    if (inventory->closing)
        return;
    if (error) /* a server that stays stopped is worse */
        cf_warning("%s: %s", inventory->profile, error->message);
    action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, cf_compose_id(compose));
    action->verb = CF_VERB_ON;
    compose->busy = TRUE;
    compose->order->sent = TRUE;
    compose->starts++;
    inventory->ops->act(inventory->handle, action,
                        cf_clock_mono_us() + inventory->options.deadline_us, on_start_answered,
                        compose);
}

void
cf_compose_start(CfCompose *compose)
{
    if (cf_clock_mono_us() < compose->retry_us)
        return;
    if (compose->starts == 0)
        compose->start_us = cf_clock_mono_us();
    compose->busy = TRUE;
    set_step(compose, CF_STEP_START);
    save(compose->composer, on_start_saved, compose);
}

/* ---- the first call ---- */

static gboolean
may_have_reached(const GError *error)
{
    return g_error_matches(error, CF_ERROR, CF_ERROR_TIMEOUT) ||
           g_error_matches(error, CF_ERROR, CF_ERROR_PROTOCOL) || cf_error_is_unsure(error);
}

static void
stop_failed(CfCompose *compose, CfDoing *doing, const CfActionResult *result, const GError *error)
{
    if (may_have_reached(error)) {
        /* If it was stopped after all it is started again. */
        compose->uncertain = TRUE;
        set_step(compose, CF_STEP_WAIT);
        save(compose->composer, NULL, NULL);
        cf_compose_follow(compose);
        cf_doing_fail(doing, error);
        return;
    }
    cf_compose_drop(compose);
    cf_doing_refused(doing, result, error);
}

static void
on_stop_answered(const CfActionResult *result, const GError *error, gpointer data)
{
    CfCompose *compose = data;
    CfDoing *doing = g_steal_pointer(&compose->doing);

    compose->busy = FALSE;
    if (doing->inventory->closing) {
        if (error)
            cf_doing_fail(doing, error);
        else
            cf_doing_accept(doing, result);
        return;
    }
    if (error) {
        stop_failed(compose, doing, result, error);
        return;
    }
    set_step(compose, CF_STEP_WAIT);
    save(compose->composer, NULL, NULL);
    compose->deadline_us = cf_clock_mono_us() + STEP_US;
    cf_doing_accept(doing, result);
}

static void
on_stop_saved(const GError *error, gpointer data)
{
    CfCompose *compose = data;
    CfInventory *inventory = compose->composer->inventory;
    g_autoptr(CfAction) action = NULL;

    compose->busy = FALSE;
    if (error || inventory->closing) {
        CfDoing *doing = g_steal_pointer(&compose->doing);

        if (!inventory->closing)
            cf_compose_drop(compose);
        cf_doing_give_up(doing, error);
        return;
    }
    action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, cf_compose_id(compose));
    action->verb = CF_VERB_OFF_HARD;
    compose->busy = TRUE;
    compose->doing->order->sent = TRUE;
    inventory->ops->act(inventory->handle, action, compose->doing->order->deadline_us,
                        on_stop_answered, compose);
}

void
cf_compose_begin(CfDoing *doing)
{
    CfComposer *composer = doing->inventory->composer;
    g_autoptr(GError) error = NULL;
    CfComposeEntry *entry;
    CfCompose *compose;

    if (!composer->store) {
        g_set_error(&error, CF_ERROR, CF_ERROR_INTERNAL,
                    "there is no directory for the state of an action of several calls");
        cf_doing_fail(doing, error);
        return;
    }
    cf_compose_forget(doing->inventory, cf_doing_id(doing));
    entry = g_new0(CfComposeEntry, 1);
    entry->id = g_strdup(cf_doing_id(doing));
    entry->actor = doing->order->actor;
    entry->actor.command = g_strdup(entry->actor.command);
    entry->actor.path = g_strdup(entry->actor.path);
    compose = cf_compose_add(composer, entry, cf_order_copy(doing->order));
    compose->doing = doing;
    compose->busy = TRUE;
    set_step(compose, CF_STEP_STOP);
    save(composer, on_stop_saved, compose);
}

/* ---- what others ask ---- */

static CfCompose *
find(CfInventory *inventory, const char *id)
{
    return inventory->composer ? g_hash_table_lookup(inventory->composer->table, id) : NULL;
}

gboolean
cf_compose_is_composed(CfInventory *inventory, const CfAction *action)
{
    return action->kind == CF_ACTION_POWER && (inventory->ops->composed & 1u << action->verb);
}

gboolean
cf_compose_is_going(CfInventory *inventory, const char *id)
{
    const CfCompose *compose = find(inventory, id);

    return compose && compose->entry->step != CF_STEP_LEFT;
}

const char *
cf_compose_get_task(CfInventory *inventory, const char *id)
{
    if (!cf_compose_is_going(inventory, id))
        return NULL;
    return find(inventory, id)->entry->step < CF_STEP_START ? "reboot hard: stopping"
                                                            : "reboot hard: starting";
}

void
cf_compose_forget(CfInventory *inventory, const char *id)
{
    CfCompose *compose = find(inventory, id);

    if (compose && compose->entry->step == CF_STEP_LEFT)
        cf_compose_drop(compose);
}

gboolean
cf_compose_give_way(CfInventory *inventory, const CfAction *action, GError **error)
{
    CfCompose *compose = find(inventory, action->ids[0]);

    if (!cf_compose_is_going(inventory, action->ids[0]))
        return TRUE;
    /* Who wants it off shall have it off: it is being stopped, and will not be started. */
    if ((action->verb == CF_VERB_OFF || action->verb == CF_VERB_OFF_HARD) && !compose->busy &&
        compose->entry->step == CF_STEP_WAIT && !inventory->options.dry_run) {
        cf_compose_done(compose, "ended by another action");
        return TRUE;
    }
    g_set_error(error, CF_ERROR, CF_ERROR_BUSY, "reboot hard is under way on this server");
    return FALSE;
}

gboolean
cf_compose_job_failed(CfInventory *inventory, const CfOrder *order, const GError *error)
{
    CfCompose *compose = find(inventory, order->action->ids[0]);

    if (!compose || compose->entry->step == CF_STEP_LEFT ||
        !cf_compose_is_composed(inventory, order->action))
        return FALSE;
    compose->journalled = TRUE; /* as a job */
    if (compose->busy)
        return TRUE; /* that call will tell */
    if (compose->entry->step == CF_STEP_WAIT)
        cf_compose_quit(compose, error);
    else
        cf_compose_leave(compose, error);
    return TRUE;
}
