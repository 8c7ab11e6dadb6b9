#include "inventory/batch.h"

#include <string.h>

#include "inventory/compose.h"
#include "inventory/jobs.h"
#include "inventory/private.h"
#include "model/power.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define SIDE_BY_SIDE 8
#define JOURNAL_TEXT_MAX 4096

CfBatch *
cf_batch_new(CfActionKind kind, CfCollection collection, const CfActor *actor)
{
    CfBatch *batch = g_new0(CfBatch, 1);

    batch->actor = *actor;
    batch->kind = kind;
    batch->collection = collection;
    batch->targets = g_array_new(FALSE, FALSE, sizeof(CfBatchTarget));
    return batch;
}

void
cf_batch_add(CfBatch *batch, const char *id, CfVerb verb)
{
    CfBatchTarget target = {g_strdup(id), verb};

    g_array_append_val(batch->targets, target);
}

void
cf_batch_free(CfBatch *batch)
{
    if (!batch)
        return;
    for (guint i = 0; i < batch->targets->len; i++)
        g_free(g_array_index(batch->targets, CfBatchTarget, i).id);
    g_array_unref(batch->targets);
    g_free(batch->actor.command);
    g_free(batch->actor.path);
    g_free(batch);
}

/* ---- which call ---- */

static guint
group_max(CfInventory *inventory, const CfBatch *batch, CfVerb verb)
{
    const CfProviderOps *ops = inventory->ops;

    if (batch->kind == CF_ACTION_DELETE)
        return MAX(ops->batch_delete_max, 1);
    return ops->composed & 1u << verb ? 1 : MAX(ops->batch_max, 1);
}

/* Whether the cloud takes the verb in that state; a group fails as a whole for one that does not
 * fit. */
static gboolean
fits(CfVerb verb, CfState state)
{
    switch ((int) verb) {
    case CF_VERB_ON:
        return state == CF_STATE_STOPPED;
    case CF_VERB_OFF:
    case CF_VERB_OFF_HARD:
        return state == CF_STATE_RUNNING;
    case CF_VERB_REBOOT_HARD:
        return !cf_state_is_transitional(state) && state != CF_STATE_DELETED;
    default:
        return cf_verb_fits(verb, state);
    }
}

CfBatchWay
cf_batch_way(CfInventory *inventory, const CfBatch *batch, const CfResource *resource, CfVerb verb)
{
    CfState state = cf_record_get_state(resource->record);

    if (batch->kind == CF_ACTION_POWER && cf_verb_has_goal(verb) &&
        cf_verb_is_reached(verb, resource->record))
        return CF_BATCH_NOTHING;
    /* What is between the two calls of a composed action is told apart there. */
    if (group_max(inventory, batch, verb) < 2 ||
        cf_compose_is_going(inventory, cf_record_get_id(resource->record)) ||
        (batch->kind == CF_ACTION_POWER && !fits(verb, state)))
        return CF_BATCH_SINGLE;
    return CF_BATCH_MANY;
}

/* ---- a batch under way ---- */

typedef struct {
    CfInventory *inventory;
    CfCollectionState *state;
    CfBatch *batch;
    CfDoneCallback callback;
    gpointer data;
    GPtrArray *calls; /* (element-type Call) that are not sent yet, the first one last */
    guint in_flight;
    gboolean looping; /* run() is at it: whoever ends does not call it again */
    guint failed;
    GString *errors;
    GError *stop; /* (nullable) why nothing more is sent */
} Running;

typedef struct {
    Running *running;
    CfVerb verb;
    GPtrArray *ids; /* (element-type utf8) */
    gint64 began_us;
    CfActionResult kept; /* of a deletion that is looked after */
} Call;

static Call *
call_new(Running *running, CfVerb verb)
{
    Call *call = g_new0(Call, 1);

    call->running = running;
    call->verb = verb;
    call->ids = g_ptr_array_new_with_free_func(g_free);
    return call;
}

static void
call_free(gpointer data)
{
    Call *call = data;

    g_ptr_array_unref(call->ids);
    cf_action_result_clear(&call->kept);
    g_free(call);
}

static const char *
call_id(const Call *call, guint i)
{
    return g_ptr_array_index(call->ids, i);
}

static CfAction *
action_of(const Call *call, gboolean all)
{
    const CfBatch *batch = call->running->batch;
    CfAction *action = cf_action_new(batch->kind, batch->collection, call_id(call, 0));

    action->verb = call->verb;
    if (all && call->ids->len > 1) {
        g_strfreev(action->ids);
        action->ids = g_new0(char *, call->ids->len + 1);
        for (guint i = 0; i < call->ids->len; i++)
            action->ids[i] = g_strdup(call_id(call, i));
    }
    return action;
}

/* action: (transfer full). */
static CfOrder *
order_of(const Call *call, CfAction *action)
{
    const Running *running = call->running;
    CfOrder *order = cf_order_new(action);

    order->actor = running->batch->actor;
    order->actor.command = g_strdup(running->batch->actor.command);
    order->actor.path = g_strdup(running->batch->actor.path);
    order->value = g_strdup(running->batch->kind == CF_ACTION_POWER ? cf_verb_to_string(call->verb)
                                                                    : "delete");
    order->of_batch = TRUE;
    order->deadline_us = cf_clock_mono_us() + running->inventory->options.deadline_us;
    return order;
}

static CfOrder *
order_of_one(const Call *call, guint i)
{
    CfAction *action = cf_action_new(call->running->batch->kind, call->running->batch->collection,
                                     call_id(call, i));

    action->verb = call->verb;
    return order_of(call, action);
}

/* ---- its end ---- */

static void
set_error_text(CfInventory *inventory, CfCollection collection, const char *text)
{
    CfCollectionState *state = &inventory->collections[collection];

    g_mutex_lock(&inventory->lock);
    g_free(state->batch_error);
    state->batch_error = cf_log_redact(text);
    state->batch_error_ns = MAX(cf_clock_real_ns(), state->batch_error_ns + 1);
    g_mutex_unlock(&inventory->lock);
    cf_inventory_facts(inventory,
                       collection == CF_SERVERS ? CF_FACT_BATCH_SERVERS : CF_FACT_BATCH_IMAGES);
}

char *
cf_inventory_dup_batch_error(CfInventory *inventory, CfCollection collection, gint64 *ret_ns)
{
    CfCollectionState *state = &inventory->collections[collection];
    char *text;

    g_mutex_lock(&inventory->lock);
    text = g_strdup(state->batch_error ? state->batch_error : "");
    *ret_ns = state->batch_error_ns;
    g_mutex_unlock(&inventory->lock);
    return text;
}

static void
append_error_line(GString *out, const char *id, const char *name, const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);
    const char *cells[] = {
        id,
        name,
        words && words->code ? words->code : cf_error_name(cf_error_code(error)),
        words && words->message ? words->message : error->message,
    };

    for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
        cf_text_append_tsv(out, cells[i]);
        g_string_append_c(out, i + 1 < G_N_ELEMENTS(cells) ? '\t' : '\n');
    }
}

static void
note_target_failed(Running *running, const char *id, const GError *error)
{
    CfResource *resource = cf_state_find(running->state, id);

    running->failed++;
    append_error_line(running->errors, id, resource ? cf_record_get_name(resource->record) : NULL,
                      error);
}

static void
running_end(Running *running)
{
    CfInventory *inventory = running->inventory;
    g_autoptr(GError) error = NULL;

    if (!inventory->closing)
        set_error_text(inventory, running->batch->collection, running->errors->str);
    if (running->failed > 0)
        g_set_error(&error, CF_ERROR, CF_ERROR_REMOTE,
                    "%u of %u failed; last_error has a line for each", running->failed,
                    running->batch->targets->len);
    inventory->orders--;
    running->callback(error, running->data);
    g_ptr_array_unref(running->calls);
    g_string_free(running->errors, TRUE);
    g_clear_error(&running->stop);
    cf_batch_free(running->batch);
    g_free(running);
}

static void run(Running *running);

/* call: (transfer full). */
static void
call_over(Call *call)
{
    Running *running = call->running;

    running->in_flight--;
    call_free(call);
    if (!running->looping)
        run(running);
}

/* After such an error the next call would end likewise. */
static gboolean
stops_all(const GError *error)
{
    switch ((int) cf_error_code(error)) {
    case CF_ERROR_UNAUTHORIZED:
    case CF_ERROR_EXPIRED:
    case CF_ERROR_THROTTLED:
    case CF_ERROR_TIMEOUT:
    case CF_ERROR_UNREACHABLE:
    case CF_ERROR_NO_CONNECT:
        return TRUE;
    default:
        return FALSE;
    }
}

static void
keep_stop(Running *running, const GError *error)
{
    if (!running->stop && stops_all(error))
        running->stop = g_error_copy(error);
}

/* ---- one target ---- */

static void
on_single(const GError *error, gpointer data)
{
    Call *call = data;

    if (error) {
        note_target_failed(call->running, call_id(call, 0), error);
        keep_stop(call->running, error);
    }
    call_over(call);
}

/* ---- several ---- */

static void
show_accepted(Running *running, CfEdit *edit, CfResource *resource, const CfAction *action,
              gboolean sent)
{
    CfResource *copy = cf_resource_copy(resource);
    CfLocal *local = cf_resource_edit_local(copy);
    gboolean power = action->kind == CF_ACTION_POWER;

    g_clear_pointer(&local->last_error, g_free);
    if (sent) {
        copy->valid_us = cf_clock_mono_us();
        cf_follow(running->state, copy, cf_pending_new(action, NULL));
    }
    cf_resource_show_over(running->state, copy);
    cf_resource_touch(copy, CF_ASPECT(power ? CF_ASPECT_POWER : CF_ASPECT_DELETE),
                      cf_clock_real_ns());
    cf_edit_replace(edit, resource, copy);
}

/* The cloud accepted them: all are shown in one new version. */
static void
accept_all(Call *call, const CfActionResult *result)
{
    Running *running = call->running;
    CfInventory *inventory = running->inventory;
    gboolean sent = !inventory->options.dry_run;
    CfActionResult further = *result; /* lent */
    CfEdit edit;

    further.requests = NULL; /* the request, which is that of all, stands with the first */

    cf_edit_begin(&edit, running->state);
    for (guint i = 0; i < call->ids->len; i++) {
        CfResource *resource = cf_state_find(running->state, call_id(call, i));
        CfOrder *order = order_of_one(call, i);
        const char *old = cf_order_get_old(order, resource);

        cf_journal_action(inventory, order, old, i == 0 ? result : &further, NULL, call->began_us);
        if (resource) {
            show_accepted(running, &edit, resource, order->action, sent);
            if (sent)
                cf_events_action(inventory, resource, order, old);
        }
        cf_order_free(order);
    }
    cf_edit_commit(&edit, FALSE);
    if (sent && result->job_id) {
        CfOrder *order = order_of(call, action_of(call, TRUE));

        cf_job_follow(running->state, order, result);
        cf_order_free(order);
    }
    g_mutex_lock(&inventory->lock);
    inventory->stats.actions += call->ids->len;
    g_mutex_unlock(&inventory->lock);
}

static void
fail_one(Call *call, guint i, const GError *error)
{
    Running *running = call->running;
    CfOrder *order = order_of_one(call, i);
    const char *old = cf_order_get_old(order, cf_state_find(running->state, call_id(call, i)));

    cf_journal_action(running->inventory, order, old, NULL, error, call->began_us);
    cf_order_free(order);
    note_target_failed(running, call_id(call, i), error);
    if (!running->inventory->closing)
        cf_note_failure(running->state, call_id(call, i), error, NULL);
    g_mutex_lock(&running->inventory->lock);
    running->inventory->stats.actions_failed++;
    g_mutex_unlock(&running->inventory->lock);
}

static void
fail_all(Call *call, const GError *error)
{
    for (guint i = 0; i < call->ids->len; i++)
        fail_one(call, i, error);
    keep_stop(call->running, error);
}

/* One of them may have spoilt it for the others; nothing was done. */
static gboolean
is_spoilt(const GError *error)
{
    switch ((int) cf_error_code(error)) {
    case CF_ERROR_INVALID:
    case CF_ERROR_TOO_BIG:
    case CF_ERROR_BUSY:
    case CF_ERROR_NOT_FOUND:
    case CF_ERROR_DENIED:
    case CF_ERROR_NOT_YOURS:
    case CF_ERROR_REFUSED:
    case CF_ERROR_UNSUPPORTED:
        return TRUE;
    default:
        return FALSE;
    }
}

static void
split(Call *call)
{
    for (guint i = call->ids->len; i-- > 0;) {
        Call *single = call_new(call->running, call->verb);

        g_ptr_array_add(single->ids, g_strdup(call_id(call, i)));
        g_ptr_array_add(call->running->calls, single);
    }
}

/* Keeps those ids of the call that are (or are not) to be. */
static void
keep_ids(Call *call, const GPtrArray *failed)
{
    for (guint i = call->ids->len; i-- > 0;)
        if (g_ptr_array_find_with_equal_func((GPtrArray *) failed, call_id(call, i), g_str_equal,
                                             NULL))
            g_ptr_array_remove_index(call->ids, i);
}

/* The cloud told how many it did not delete, not which: those that are still there. */
static void
on_listed_again(const GError *listing_error, gpointer data)
{
    Call *call = data;
    Running *running = call->running;
    g_autoptr(GPtrArray) failed = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error =
        g_error_new(CF_ERROR, CF_ERROR_REMOTE, "the cloud did not delete it (%u of %u)",
                    call->kept.failed, call->ids->len);

    for (guint i = 0; i < call->ids->len; i++) {
        CfResource *resource = cf_state_find(running->state, call_id(call, i));
        CfState state = resource ? cf_record_get_state(resource->base) : (CfState) CF_STATE_DELETED;

        if (listing_error || (state != CF_STATE_DELETED && state != CF_STATE_DELETING)) {
            fail_one(call, i, error);
            g_ptr_array_add(failed, g_strdup(call_id(call, i)));
        }
    }
    keep_ids(call, failed);
    if (call->ids->len > 0 && !running->inventory->closing)
        accept_all(call, &call->kept);
    call_over(call);
}

static void
on_many(const CfActionResult *result, const GError *error, gpointer data)
{
    Call *call = data;
    Running *running = call->running;

    if (g_error_matches(error, CF_ERROR, CF_ERROR_DRY_RUN) && !running->inventory->closing) {
        g_auto(CfActionResult) told = {0};

        cf_rehearsed_result(error->message, &told);
        accept_all(call, &told);
    } else if (error && is_spoilt(error) && !running->inventory->closing) {
        split(call);
    } else if (error) {
        fail_all(call, error);
    } else if (result->failed > 0 && !running->inventory->closing) {
        call->kept.failed = result->failed;
        call->kept.http_status = result->http_status;
        call->kept.method_path = g_strdup(result->method_path);
        call->kept.request_id = g_strdup(result->request_id);
        cf_inventory_refresh(running->inventory, running->batch->collection, on_listed_again, call);
        return;
    } else if (!running->inventory->closing) {
        accept_all(call, result);
    }
    call_over(call);
}

static void
send_many(Call *call)
{
    CfInventory *inventory = call->running->inventory;
    CfAction *action = action_of(call, TRUE);

    call->began_us = cf_clock_mono_us();
    inventory->ops->act(inventory->handle, action, call->began_us + inventory->options.deadline_us,
                        on_many, call);
    cf_action_unref(action);
}

/* ---- the order of calls ---- */

static void
skip_rest(Running *running)
{
    while (running->calls->len > 0) {
        Call *call = g_ptr_array_steal_index(running->calls, running->calls->len - 1);
        g_autoptr(GError) error = g_error_new(CF_ERROR, cf_error_code(running->stop),
                                              "not sent: %s", running->stop->message);

        for (guint i = 0; i < call->ids->len; i++)
            note_target_failed(running, call_id(call, i), error);
        call_free(call);
    }
}

static void
run(Running *running)
{
    if (running->inventory->closing && !running->stop)
        running->stop = g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");
    if (running->stop)
        skip_rest(running);
    running->looping = TRUE;
    while (running->calls->len > 0 && running->in_flight < SIDE_BY_SIDE) {
        Call *call = g_ptr_array_steal_index(running->calls, running->calls->len - 1);

        running->in_flight++;
        if (call->ids->len > 1)
            send_many(call);
        else
            cf_inventory_act(running->inventory, order_of_one(call, 0), on_single, call);
    }
    running->looping = FALSE;
    if (running->in_flight == 0)
        running_end(running);
}

/* ---- the beginning ---- */

/* Returns: FALSE with error when nothing need be asked. */
static gboolean
check_target(Running *running, const CfResource *resource, GError **error)
{
    CfActionKind kind = running->batch->kind;

    if (!resource)
        g_set_error(error, CF_ERROR, CF_ERROR_NOT_FOUND, "there is no such resource any more");
    else if (!(running->inventory->ops->can[running->batch->collection] & CF_CAN(kind)))
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "this cloud has no such operation");
    else if (!(cf_record_get_can(resource->record) & CF_CAN(kind)) &&
             !cf_record_asks(resource->record))
        g_set_error(error, CF_ERROR, CF_ERROR_DENIED, "this account may not do that to it");
    else
        return TRUE;
    return FALSE;
}

static void
add_call(Running *running, Call *call)
{
    g_ptr_array_insert(running->calls, 0, call);
}

static void
add_target(Running *running, Call **groups, const CfBatchTarget *target)
{
    CfResource *resource = cf_state_find(running->state, target->id);
    g_autoptr(GError) error = NULL;
    CfBatchWay way;
    Call *call;

    if (!check_target(running, resource, &error)) {
        note_target_failed(running, target->id, error);
        return;
    }
    way = cf_batch_way(running->inventory, running->batch, resource, target->verb);
    if (way == CF_BATCH_NOTHING)
        return;
    call = way == CF_BATCH_MANY ? groups[target->verb] : NULL;
    if (!call) {
        call = call_new(running, target->verb);
        add_call(running, call);
    }
    g_ptr_array_add(call->ids, g_strdup(target->id));
    if (way == CF_BATCH_MANY)
        groups[target->verb] =
            call->ids->len < group_max(running->inventory, running->batch, target->verb) ? call
                                                                                         : NULL;
}

static gboolean
on_batch(gpointer data)
{
    Running *running = data;
    Call *groups[CF_VERB_N + 1] = {NULL}; /* the last one: images, which have no verb */

    running->inventory->orders++;
    for (guint i = 0; i < running->batch->targets->len && !running->inventory->closing; i++)
        add_target(running, groups, &g_array_index(running->batch->targets, CfBatchTarget, i));
    run(running);
    return G_SOURCE_REMOVE;
}

static Running *
running_new(CfInventory *inventory, CfBatch *batch, CfDoneCallback callback, gpointer data)
{
    Running *running = g_new0(Running, 1);

    running->inventory = inventory;
    running->state = &inventory->collections[batch->collection];
    running->batch = batch;
    running->callback = callback;
    running->data = data;
    running->calls = g_ptr_array_new_with_free_func(call_free);
    running->errors = g_string_new(NULL);
    return running;
}

void
cf_inventory_batch(CfInventory *inventory, CfBatch *batch, CfDoneCallback callback, gpointer data)
{
    cf_http_invoke(inventory->http, on_batch, running_new(inventory, batch, callback, data));
}

typedef struct {
    CfInventory *inventory;
    CfBatch *batch;
    char *text;
    GError *error;
    CfDoneCallback callback;
    gpointer data;
} Refused;

static gboolean
on_refused(gpointer data)
{
    Refused *refused = data;
    g_autoptr(GString) line = g_string_new(NULL);

    append_error_line(line, "", "", refused->error);
    if (!refused->inventory->closing)
        set_error_text(refused->inventory, refused->batch->collection, line->str);
    cf_journal_batch(refused->inventory, refused->batch, refused->text, refused->error);
    refused->callback(refused->error, refused->data);
    cf_batch_free(refused->batch);
    g_free(refused->text);
    g_error_free(refused->error);
    g_free(refused);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_refuse_batch(CfInventory *inventory, CfBatch *batch, const char *text,
                          const GError *error, CfDoneCallback callback, gpointer data)
{
    Refused *refused = g_new(Refused, 1);

    *refused = (Refused){inventory,           batch,    g_strndup(text, JOURNAL_TEXT_MAX),
                         g_error_copy(error), callback, data};
    cf_http_invoke(inventory->http, on_refused, refused);
}
