/* Orders: one write to a control file each. Nothing is sent twice; the verdict is the cloud's. */
#include <string.h>

#include "inventory/compose.h"
#include "model/power.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

CfOrder *
cf_order_new(CfAction *action)
{
    CfOrder *order = g_new0(CfOrder, 1);

    order->action = action;
    return order;
}

CfOrder *
cf_order_copy(const CfOrder *order)
{
    CfOrder *copy = g_memdup2(order, sizeof *order);

    cf_action_ref(copy->action);
    copy->actor.command = g_strdup(order->actor.command);
    copy->actor.path = g_strdup(order->actor.path);
    copy->value = g_strdup(order->value);
    copy->shown = g_strdup(order->shown);
    copy->take = g_strdupv(order->take);
    return copy;
}

void
cf_order_free(CfOrder *order)
{
    if (!order)
        return;
    cf_action_unref(order->action);
    g_free(order->actor.command);
    g_free(order->actor.path);
    g_free(order->value);
    g_free(order->shown);
    g_strfreev(order->take);
    g_free(order);
}

void
cf_doing_free(CfDoing *doing)
{
    cf_order_free(doing->order);
    g_free(doing->old);
    g_free(doing->call);
    g_free(doing->addition);
    if (doing->requests)
        g_string_free(doing->requests, TRUE);
    g_clear_error(&doing->refusal);
    g_free(doing);
}

/* ---- sending ---- */

static void on_acted(const CfActionResult *result, const GError *error, gpointer data);

/* A server that is stopped already needs but the second call of a composed reboot. */
static void
start_instead(CfDoing *doing)
{
    CfAction *action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, cf_doing_id(doing));

    action->verb = CF_VERB_ON;
    cf_action_unref(doing->order->action);
    doing->order->action = action;
    g_clear_error(&doing->refusal);
    g_clear_pointer(&doing->call, g_free);
    doing->order->sent = TRUE;
    doing->inventory->ops->act(doing->inventory->handle, action, doing->order->deadline_us,
                               on_acted, doing);
}

/* Refused for its state: perhaps because it is so already, which is no harm. */
static void
on_looked_after(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;

    if (record && !doing->inventory->closing) {
        CfState cloud = cf_record_get_state(record);

        cf_follow_record(doing->state, cf_doing_id(doing), record, requested_us);
        if (cf_compose_is_composed(doing->inventory, doing->order->action)) {
            if (cloud == CF_STATE_STOPPED && cf_record_is_settled(record)) {
                start_instead(doing);
                return;
            }
        } else if (cf_verb_is_reached(doing->order->action->verb, record)) {
            cf_doing_accept(doing, NULL);
            return;
        }
    }
    cf_doing_fail(doing, doing->refusal);
}

/* A cloud that says plainly that it is not there is taken at its word, whatever the look says; one
 * that says "not there or not yours" means the first when the look does not find it either. */
static void
on_gone_confirmed(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    g_autoptr(GError) gone = NULL;

    if (doing->inventory->closing || cf_error_code(doing->refusal) == CF_ERROR_NOT_FOUND ||
        !g_error_matches(error, CF_ERROR, CF_ERROR_NOT_FOUND)) {
        cf_doing_fail(doing, doing->refusal);
        return;
    }
    cf_error_set_cloud(&gone, CF_ERROR_NOT_FOUND, cf_error_get_cloud(doing->refusal), "%s",
                       doing->refusal->message);
    cf_doing_fail(doing, gone);
}

static void
on_acted(const CfActionResult *result, const GError *error, gpointer data)
{
    CfDoing *doing = data;

    if (!error)
        cf_doing_accept(doing, result);
    else if (!cf_doing_look_at_tags(doing, result, error))
        cf_doing_refused(doing, result, error);
}

void
cf_doing_refused(CfDoing *doing, const CfActionResult *result, const GError *error)
{
    CfInventory *inventory = doing->inventory;
    const CfAction *action = doing->order->action;
    gboolean look = action->kind == CF_ACTION_POWER &&
                    (cf_verb_has_goal(action->verb) || cf_compose_is_composed(inventory, action));

    doing->call = result ? g_strdup(result->method_path) : NULL;
    if (!inventory->closing && ((cf_error_code(error) == CF_ERROR_BUSY && look) ||
                                cf_error_code(error) == CF_ERROR_NOT_FOUND ||
                                cf_error_code(error) == CF_ERROR_NOT_YOURS)) {
        gboolean busy = cf_error_code(error) == CF_ERROR_BUSY;

        doing->refusal = g_error_copy(error);
        inventory->ops->show(inventory->handle, doing->state->which, cf_doing_id(doing),
                             doing->order->deadline_us, busy ? on_looked_after : on_gone_confirmed,
                             doing);
        return;
    }
    cf_doing_fail(doing, error);
}

/* ---- dry_run: everything is done but sending ---- */

static void on_rehearsed(const CfActionResult *result, const GError *error, gpointer data);

static void
rehearse_verb(CfDoing *doing, CfVerb verb)
{
    CfAction *action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, cf_doing_id(doing));

    action->verb = verb;
    doing->inventory->ops->act(doing->inventory->handle, action, doing->order->deadline_us,
                               on_rehearsed, doing);
    cf_action_unref(action);
}

static void
on_rehearsed(const CfActionResult *result, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    gboolean first = !doing->requests;
    g_auto(CfActionResult) told = {0};

    if (!g_error_matches(error, CF_ERROR, CF_ERROR_DRY_RUN)) {
        if (error)
            cf_doing_fail(doing, error);
        else
            cf_doing_accept(doing, result); /* there was nothing to send */
        return;
    }
    if (first)
        doing->requests = g_string_new(error->message);
    else
        g_string_append_printf(doing->requests, "\n%s", error->message);
    if (first && !doing->inventory->closing &&
        cf_compose_is_composed(doing->inventory, doing->order->action)) {
        rehearse_verb(doing, CF_VERB_ON);
        return;
    }
    cf_rehearsed_result(doing->requests->str, &told);
    cf_doing_accept(doing, &told);
}

static void
rehearse(CfDoing *doing)
{
    CfInventory *inventory = doing->inventory;

    if (cf_compose_is_composed(inventory, doing->order->action))
        rehearse_verb(doing, CF_VERB_OFF_HARD);
    else
        inventory->ops->act(inventory->handle, doing->order->action, doing->order->deadline_us,
                            on_rehearsed, doing);
}

/* ---- action_limit, contract section 3 ---- */

#define LIMIT_US (60 * (gint64) G_USEC_PER_SEC)

static gboolean
takes_tags_away(const CfAction *action)
{
    for (guint i = 0; action->tags_before && action->tags_before[i]; i++)
        if (*action->tags_before[i] &&
            !g_strv_contains((const char *const *) action->tags, action->tags_before[i]))
            return TRUE;
    return FALSE;
}

/* Whether the action counts: a restored backup would undo much with such. */
static gboolean
is_limited(const CfDoing *doing)
{
    const CfAction *action = doing->order->action;

    if (!doing->inventory->options.action_limit || doing->order->of_batch)
        return FALSE;
    switch ((int) action->kind) {
    case CF_ACTION_POWER:
    case CF_ACTION_RENAME:
    case CF_ACTION_CAPTURE:
        return TRUE;
    case CF_ACTION_TAGS:
        return takes_tags_away(action);
    default:
        return FALSE;
    }
}

/* Returns: FALSE with CF_ERROR_QUOTA. */
static gboolean
is_within_limit(const CfDoing *doing, GError **error)
{
    GQueue *times = &doing->inventory->action_times;
    gint64 now_us = cf_clock_mono_us();
    gint64 *time;

    while ((time = g_queue_peek_head(times)) && now_us - *time > LIMIT_US)
        g_free(g_queue_pop_head(times));
    if (!is_limited(doing) || times->length < doing->inventory->options.action_limit)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_QUOTA,
                "action_limit: more than %u times in a minute something was started, stopped, "
                "captured, renamed, or lost a tag; servers/power takes many servers at once",
                doing->inventory->options.action_limit);
    return FALSE;
}

/* The action is about to be sent. */
static void
count_action(const CfDoing *doing)
{
    gint64 *time;

    if (!is_limited(doing))
        return;
    time = g_new(gint64, 1);
    *time = cf_clock_mono_us();
    g_queue_push_tail(&doing->inventory->action_times, time);
}

void
cf_doing_send(CfDoing *doing)
{
    CfInventory *inventory = doing->inventory;
    g_autoptr(GError) error = NULL;

    if (!is_within_limit(doing, &error)) {
        cf_doing_fail(doing, error);
        return;
    }
    count_action(doing);
    if (inventory->options.dry_run) {
        rehearse(doing);
        return;
    }
    if (cf_compose_is_composed(inventory, doing->order->action)) {
        cf_compose_begin(doing);
        return;
    }
    doing->order->sent = TRUE;
    inventory->ops->act(inventory->handle, doing->order->action, doing->order->deadline_us,
                        on_acted, doing);
}

/* Whether what is asked for is what the record shows. */
static gboolean
is_so(const CfAction *action, const CfRecord *record)
{
    if (action->kind == CF_ACTION_POWER)
        return cf_verb_has_goal(action->verb) && cf_verb_is_reached(action->verb, record);
    return action->kind == CF_ACTION_RENAME &&
           g_strcmp0(cf_record_get_name(record), action->text) == 0;
}

/* Whether what is under way on the server lets it go on, and ends for it where it must. What is
 * refused ends nothing. Returns: FALSE with why it may not. */
static gboolean
may_go_on(const CfDoing *doing, GError **error)
{
    const CfAction *action = doing->order->action;

    if (action->kind != CF_ACTION_POWER || !cf_compose_is_going(doing->inventory, action->ids[0]))
        return TRUE;
    return is_within_limit(doing, error) && cf_compose_give_way(doing->inventory, action, error);
}

/* What the snapshot shows may be old: one fresh look decides whether it is so already. */
static void
on_looked_before(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    g_autoptr(GError) busy = NULL;

    if (doing->inventory->closing) {
        cf_doing_give_up(doing, error);
        return;
    }
    if (record)
        cf_follow_record(doing->state, cf_doing_id(doing), record, requested_us);
    /* Meanwhile a hard reboot may have begun, which would undo what is asked for. */
    if (!may_go_on(doing, &busy))
        cf_doing_fail(doing, busy);
    else if (record && is_so(doing->order->action, record))
        cf_doing_accept(doing, NULL);
    else
        cf_doing_send(doing);
}

static gboolean
on_act(gpointer data)
{
    CfDoing *doing = data;
    CfInventory *inventory = doing->inventory;
    const CfAction *action = doing->order->action;
    CfResource *resource;
    g_autoptr(GError) error = NULL;

    inventory->orders++;
    doing->began_us = cf_clock_mono_us();
    resource = cf_state_find(doing->state, cf_doing_id(doing));
    if (inventory->closing) {
        cf_doing_give_up(doing, NULL);
        return G_SOURCE_REMOVE;
    }
    if (resource)
        doing->old = g_strdup(cf_order_get_old(doing->order, resource));
    if (!may_go_on(doing, &error)) {
        cf_doing_fail(doing, error);
        return G_SOURCE_REMOVE;
    }
    resource = cf_state_find(doing->state, cf_doing_id(doing)); /* there may be a new version */
    if (action->kind == CF_ACTION_TAGS)
        cf_doing_edit_tags(doing);
    else if (action->kind == CF_ACTION_METADATA)
        cf_doing_edit_metadata(doing);
    else if (action->kind == CF_ACTION_LOCK_REASON)
        cf_doing_lock_with_reason(doing);
    else if (resource && is_so(action, resource->record))
        inventory->ops->show(inventory->handle, doing->state->which, cf_doing_id(doing),
                             doing->order->deadline_us, on_looked_before, doing);
    else
        cf_doing_send(doing);
    return G_SOURCE_REMOVE;
}

static CfDoing *
doing_new(CfInventory *inventory, CfOrder *order, CfDoneCallback callback, gpointer data)
{
    CfDoing *doing = g_new0(CfDoing, 1);

    doing->inventory = inventory;
    doing->state = &inventory->collections[order->action->collection];
    doing->order = order;
    doing->callback = callback;
    doing->data = data;
    return doing;
}

void
cf_inventory_act(CfInventory *inventory, CfOrder *order, CfDoneCallback callback, gpointer data)
{
    cf_http_invoke(inventory->http, on_act, doing_new(inventory, order, callback, data));
}

static gboolean
on_refuse(gpointer data)
{
    CfDoing *doing = data;
    g_autoptr(GError) error = g_steal_pointer(&doing->refusal);

    doing->inventory->orders++;
    doing->began_us = cf_clock_mono_us();
    cf_doing_fail(doing, error);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_refuse(CfInventory *inventory, CfOrder *order, const GError *error,
                    CfDoneCallback callback, gpointer data)
{
    CfDoing *doing = doing_new(inventory, order, callback, data);

    doing->refusal = g_error_copy(error);
    cf_http_invoke(inventory->http, on_refuse, doing);
}
