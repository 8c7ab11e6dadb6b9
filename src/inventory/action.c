/* Orders: one write to a control file each. Nothing is sent twice; the verdict is the cloud's. */
#include <string.h>

#include "inventory/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

typedef struct {
    CfInventory *inventory;
    CfCollectionState *state;
    CfOrder *order;
    CfDoneCallback callback;
    gpointer data;
    gint64 began_us;
    char *old;       /* for the journal (nullable) */
    char *call;      /* (nullable) the call that was refused */
    GError *refusal; /* (nullable) what the cloud said before we looked whether it is so already */
} Doing;

CfOrder *
cf_order_new(CfAction *action)
{
    CfOrder *order = g_new0(CfOrder, 1);

    order->action = action;
    return order;
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
    g_free(order);
}

static void
doing_free(Doing *doing)
{
    cf_order_free(doing->order);
    g_free(doing->old);
    g_free(doing->call);
    g_clear_error(&doing->refusal);
    g_free(doing);
}

static const char *
order_id(const Doing *doing)
{
    return doing->order->action->ids[0];
}

static guint
written_aspect(CfActionKind kind, CfCollection which)
{
    switch (kind) {
    case CF_ACTION_POWER:
        return CF_ASPECT_POWER;
    case CF_ACTION_RENAME:
        return CF_FIELD_NAME;
    case CF_ACTION_DESCRIBE:
        return which == CF_SERVERS ? (guint) CF_SERVER_DESCRIPTION : (guint) CF_IMAGE_DESCRIPTION;
    case CF_ACTION_TAGS:
        return which == CF_SERVERS ? (guint) CF_SERVER_TAGS : (guint) CF_IMAGE_TAGS;
    case CF_ACTION_CONSOLE:
        return CF_ASPECT_CONSOLE;
    case CF_ACTION_CAPTURE:
        return CF_ASPECT_CAPTURE;
    case CF_ACTION_DELETE:
        return CF_ASPECT_DELETE;
    case CF_ACTION_N:
        break;
    }
    return CF_ASPECT_LAST_ERROR;
}

static const char *
old_value(const Doing *doing, const CfResource *resource)
{
    guint aspect = written_aspect(doing->order->action->kind, doing->state->which);

    if (doing->order->action->kind == CF_ACTION_POWER)
        return cf_power_to_string(cf_power_of_state(cf_record_get_state(resource->record)));
    return aspect < CF_FIELD_MAX ? cf_resource_get(resource, aspect) : NULL;
}

/* ---- the end of an order ---- */

/* last_error: the cloud's code and words where it had some, ours otherwise. */
static char *
error_text(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);
    g_autofree char *text = NULL;

    if (words && words->message)
        text = words->code ? g_strdup_printf("%s: %s", words->code, words->message)
                           : g_strdup(words->message);
    else
        text = g_strdup(error->message);
    if (words && words->request_id) {
        char *with = g_strdup_printf("%s (request %s)", text, words->request_id);

        g_free(text);
        text = with;
    }
    return cf_log_redact(text);
}

static void
note_failure(CfCollectionState *state, const char *id, const GError *error)
{
    CfResource *resource = cf_state_find(state, id);
    CfResource *copy;
    CfLocal *local;
    CfEdit edit;

    if (!resource)
        return;
    copy = cf_resource_copy(resource);
    local = cf_resource_edit_local(copy);
    g_free(local->last_error);
    local->last_error = error_text(error);
    cf_resource_touch(copy, CF_ASPECT(CF_ASPECT_LAST_ERROR), cf_clock_real_ns());
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
}

static void
fail(Doing *doing, const GError *error)
{
    CfInventory *inventory = doing->inventory;
    CfActionResult refused = {.method_path = doing->call};

    cf_journal_action(inventory, doing->order, doing->old, &refused, error, doing->began_us);
    if (!inventory->closing)
        note_failure(doing->state, order_id(doing), error);
    g_mutex_lock(&inventory->lock);
    inventory->stats.actions_failed++;
    g_mutex_unlock(&inventory->lock);
    inventory->orders--;
    doing->callback(error, doing->data);
    doing_free(doing);
}

static gboolean
on_console_expired(gpointer data)
{
    CfInventory *inventory = ((gpointer *) data)[0];
    CfCollectionState *state = &inventory->collections[CF_SERVERS];
    CfResource *resource = inventory->closing ? NULL : cf_state_find(state, ((gpointer *) data)[1]);
    const char *url = ((gpointer *) data)[2];

    if (resource && resource->local && g_strcmp0(resource->local->console_url, url) == 0) {
        CfResource *copy = cf_resource_copy(resource);
        CfEdit edit;

        g_clear_pointer(&copy->local->console_url, g_free);
        cf_edit_begin(&edit, state);
        cf_edit_replace(&edit, resource, copy);
        cf_edit_commit(&edit, FALSE);
    }
    return G_SOURCE_REMOVE;
}

static void
console_timer_free(gpointer data)
{
    gpointer *parts = data;

    g_free(parts[1]);
    g_free(parts[2]);
    g_free(parts);
}

#define CONSOLE_LIFE_S 300 /* contract section 2: at most */

static void
keep_console(Doing *doing, CfLocal *local, const CfActionResult *result)
{
    guint life_s =
        result->console_life_s ? MIN(result->console_life_s, CONSOLE_LIFE_S) : CONSOLE_LIFE_S;
    gpointer *parts = g_new(gpointer, 3);
    GSource *timer = g_timeout_source_new(life_s * 1000);

    g_free(local->console_url);
    local->console_url = g_strdup(result->console_url);
    g_free(local->console_type);
    local->console_type = g_strdup(result->console_type);
    parts[0] = doing->inventory;
    parts[1] = g_strdup(order_id(doing));
    parts[2] = g_strdup(result->console_url);
    g_source_set_callback(timer, on_console_expired, parts, console_timer_free);
    g_source_attach(timer, cf_http_get_context(doing->inventory->http));
    g_source_unref(timer);
}

static char *
wanted_value(const CfAction *action)
{
    switch ((int) action->kind) {
    case CF_ACTION_RENAME:
    case CF_ACTION_DESCRIBE:
        return g_strdup(action->text);
    case CF_ACTION_TAGS:
        return g_strjoinv("\n", action->tags);
    default:
        return NULL;
    }
}

/* The end of an accepted order. */
static void
accepted(Doing *doing)
{
    CfInventory *inventory = doing->inventory;

    g_mutex_lock(&inventory->lock);
    inventory->stats.actions++;
    g_mutex_unlock(&inventory->lock);
    inventory->orders--;
    doing->callback(NULL, doing->data);
    doing_free(doing);
}

static void
on_new_image(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    Doing *doing = data;
    CfCollectionState *images = &doing->inventory->collections[CF_IMAGES];
    CfAction action = {.kind = CF_ACTION_CAPTURE};

    if (!doing->inventory->closing && record) {
        cf_follow_record(images, cf_record_get_id(record), record, requested_us);
        if (cf_state_is_transitional(cf_record_get_state(record))) {
            CfResource *resource = cf_state_find(images, cf_record_get_id(record));

            if (resource)
                cf_follow(images, resource, cf_pending_new(&action, NULL));
        }
    }
    accepted(doing);
}

#define NEW_IMAGE_US (2 * G_USEC_PER_SEC)

/* When anybody ever looked at the images, the new one is among them before the write returns. */
static void
look_at_image(Doing *doing, const char *id)
{
    CfInventory *inventory = doing->inventory;

    inventory->ops->show(inventory->handle, CF_IMAGES, id, cf_clock_mono_us() + NEW_IMAGE_US,
                         on_new_image, doing);
}

/* The cloud accepted: what will be is shown from now on. result: (nullable) when nothing was sent.
 */
static void
accept(Doing *doing, const CfActionResult *result)
{
    CfInventory *inventory = doing->inventory;
    CfCollectionState *state = doing->state;
    const CfAction *action = doing->order->action;
    CfResource *resource = cf_state_find(state, order_id(doing));
    gboolean sent = result && !inventory->options.dry_run;

    cf_journal_action(inventory, doing->order, doing->old, result, NULL, doing->began_us);
    if (resource && !inventory->closing) {
        CfResource *copy = cf_resource_copy(resource);
        CfLocal *local = cf_resource_edit_local(copy);
        g_autofree char *want = wanted_value(action);
        CfEdit edit;

        g_clear_pointer(&local->last_error, g_free);
        if (sent) {
            copy->valid_us = cf_clock_mono_us();
            if (action->kind == CF_ACTION_CAPTURE) {
                g_free(local->captured);
                local->captured = g_strdup(result->new_id);
            } else if (action->kind == CF_ACTION_CONSOLE) {
                keep_console(doing, local, result);
            } else if (action->kind == CF_ACTION_TAGS && inventory->ops->tags_apart) {
                g_free(local->tags);
                local->tags = g_strdup(want);
                local->tags_us = copy->valid_us;
            } else {
                cf_follow(state, copy, cf_pending_new(action, want));
            }
        }
        cf_resource_show_over(state, copy);
        cf_resource_touch(copy, CF_ASPECT(written_aspect(action->kind, state->which)),
                          cf_clock_real_ns());
        cf_edit_begin(&edit, state);
        cf_edit_replace(&edit, resource, copy);
        if (sent)
            cf_events_action(inventory, copy, doing->order);
        cf_edit_commit(&edit, FALSE);
        if (sent && action->kind == CF_ACTION_CAPTURE && result->new_id &&
            inventory->collections[CF_IMAGES].current) {
            look_at_image(doing, result->new_id);
            return;
        }
    }
    accepted(doing);
}

/* ---- sending ---- */

static CfState
verb_goal(CfVerb verb)
{
    return verb == CF_VERB_ON ? CF_STATE_RUNNING : CF_STATE_STOPPED;
}

static gboolean
verb_has_goal(CfVerb verb)
{
    return verb == CF_VERB_ON || verb == CF_VERB_OFF || verb == CF_VERB_OFF_HARD;
}

/* Refused for its state: perhaps because it is so already, which is no harm. */
static void
on_looked_after(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    Doing *doing = data;

    if (record && !doing->inventory->closing) {
        CfState cloud = cf_record_get_state(record);

        cf_follow_record(doing->state, order_id(doing), record, requested_us);
        if (cloud == verb_goal(doing->order->action->verb)) {
            accept(doing, NULL);
            return;
        }
    }
    fail(doing, doing->refusal);
}

static void
on_gone_confirmed(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    Doing *doing = data;
    g_autoptr(GError) denied = NULL;

    if (!doing->inventory->closing && g_error_matches(error, CF_ERROR, CF_ERROR_NOT_FOUND)) {
        fail(doing, doing->refusal);
        return;
    }
    /* It is there, so it is somebody else's: 101.001013 says either. */
    cf_error_set_cloud(&denied, CF_ERROR_DENIED, cf_error_get_cloud(doing->refusal), "%s",
                       doing->refusal->message);
    fail(doing, denied);
}

static void
on_acted(const CfActionResult *result, const GError *error, gpointer data)
{
    Doing *doing = data;
    CfInventory *inventory = doing->inventory;
    const CfAction *action = doing->order->action;

    if (!error) {
        accept(doing, result);
        return;
    }
    doing->call = result ? g_strdup(result->method_path) : NULL;
    if (!inventory->closing && ((cf_error_code(error) == CF_ERROR_BUSY &&
                                 action->kind == CF_ACTION_POWER && verb_has_goal(action->verb)) ||
                                cf_error_code(error) == CF_ERROR_NOT_FOUND)) {
        gboolean busy = cf_error_code(error) == CF_ERROR_BUSY;

        doing->refusal = g_error_copy(error);
        inventory->ops->show(inventory->handle, doing->state->which, order_id(doing),
                             doing->order->deadline_us, busy ? on_looked_after : on_gone_confirmed,
                             doing);
        return;
    }
    fail(doing, error);
}

static void
send(Doing *doing)
{
    CfInventory *inventory = doing->inventory;

    if (inventory->options.dry_run) {
        CfActionResult result = {0};
        g_autofree char *call =
            g_strdup_printf("%s %s (not sent)",
                            cf_action_kind_to_string(doing->order->action->kind), order_id(doing));

        result.method_path = call;
        accept(doing, &result);
        return;
    }
    inventory->ops->act(inventory->handle, doing->order->action, doing->order->deadline_us,
                        on_acted, doing);
}

/* What the snapshot shows may be old: one fresh look decides whether it is so already. */
static void
on_looked_before(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    Doing *doing = data;

    if (doing->inventory->closing) {
        fail(doing, error);
        return;
    }
    if (record) {
        gboolean so = cf_record_get_state(record) == verb_goal(doing->order->action->verb);

        cf_follow_record(doing->state, order_id(doing), record, requested_us);
        if (so) {
            accept(doing, NULL);
            return;
        }
    }
    send(doing);
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The set that the writer saw must be the cloud's; the set that is written is the whole. */
static void
on_tags_read(const char *const *tags, const GError *error, gpointer data)
{
    Doing *doing = data;
    CfOrder *order = doing->order;
    g_autofree char *fresh = NULL;

    if (error) {
        fail(doing, error);
        return;
    }
    fresh = g_strjoinv("\n", (char **) tags);
    g_free(doing->old);
    doing->old = g_strdup(fresh);
    if (order->add) {
        CfAction *whole =
            cf_action_new(CF_ACTION_TAGS, order->action->collection, order->action->ids[0]);
        g_autoptr(GPtrArray) all = g_ptr_array_new();

        for (guint i = 0; tags[i]; i++)
            if (!g_strv_contains((const char *const *) order->action->tags, tags[i]))
                g_ptr_array_add(all, g_strdup(tags[i]));
        for (guint i = 0; order->action->tags[i]; i++)
            g_ptr_array_add(all, g_strdup(order->action->tags[i]));
        g_ptr_array_sort(all, compare_texts);
        g_ptr_array_add(all, NULL);
        g_strfreev(whole->tags);
        whole->tags = (char **) g_ptr_array_free(g_steal_pointer(&all), FALSE);
        cf_action_unref(order->action);
        order->action = whole;
    } else if (order->shown && strcmp(order->shown, fresh) != 0) {
        g_autoptr(GError) stale = NULL;
        CfResource *resource = cf_state_find(doing->state, order_id(doing));

        if (resource) {
            CfResource *copy = cf_resource_copy(resource);
            CfLocal *local = cf_resource_edit_local(copy);
            CfEdit edit;

            g_free(local->tags);
            local->tags = g_steal_pointer(&fresh);
            local->tags_us = cf_clock_mono_us();
            cf_resource_show_over(doing->state, copy);
            cf_edit_begin(&edit, doing->state);
            cf_edit_replace(&edit, resource, copy);
            cf_edit_commit(&edit, FALSE);
        }
        g_set_error(&stale, CF_ERROR, CF_ERROR_CHANGED,
                    "the tags were changed in the cloud meanwhile; nothing was written");
        fail(doing, stale);
        return;
    }
    send(doing);
}

/* Contract section 3: action_limit. Returns: FALSE with CF_ERROR_QUOTA. */
static gboolean
within_limit(CfInventory *inventory, const CfAction *action, GError **error)
{
    gint64 now_us = cf_clock_mono_us();
    gint64 *time;

    if (!inventory->options.action_limit ||
        (action->kind != CF_ACTION_POWER && action->kind != CF_ACTION_CAPTURE &&
         action->kind != CF_ACTION_RENAME))
        return TRUE;
    while ((time = g_queue_peek_head(&inventory->action_times)) &&
           now_us - *time > 60 * (gint64) G_USEC_PER_SEC)
        g_free(g_queue_pop_head(&inventory->action_times));
    if (inventory->action_times.length >= inventory->options.action_limit) {
        g_set_error(error, CF_ERROR, CF_ERROR_QUOTA,
                    "action_limit: more than %u power, capture and rename writes in a minute",
                    inventory->options.action_limit);
        return FALSE;
    }
    time = g_new(gint64, 1);
    *time = now_us;
    g_queue_push_tail(&inventory->action_times, time);
    return TRUE;
}

static gboolean
on_act(gpointer data)
{
    Doing *doing = data;
    CfInventory *inventory = doing->inventory;
    const CfAction *action = doing->order->action;
    CfResource *resource;
    g_autoptr(GError) error = NULL;

    inventory->orders++;
    doing->began_us = cf_clock_mono_us();
    resource = cf_state_find(doing->state, order_id(doing));
    if (inventory->closing) {
        g_set_error(&error, CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");
        fail(doing, error);
        return G_SOURCE_REMOVE;
    }
    if (resource)
        doing->old = g_strdup(old_value(doing, resource));
    if (!within_limit(inventory, action, &error)) {
        fail(doing, error);
        return G_SOURCE_REMOVE;
    }
    if (action->kind == CF_ACTION_TAGS && inventory->ops->tags_apart)
        inventory->ops->list_tags(inventory->handle, order_id(doing), doing->order->deadline_us,
                                  TRUE, on_tags_read, doing);
    else if (action->kind == CF_ACTION_POWER && resource && verb_has_goal(action->verb) &&
             cf_record_get_state(resource->record) == verb_goal(action->verb))
        inventory->ops->show(inventory->handle, doing->state->which, order_id(doing),
                             doing->order->deadline_us, on_looked_before, doing);
    else
        send(doing);
    return G_SOURCE_REMOVE;
}

static Doing *
doing_new(CfInventory *inventory, CfOrder *order, CfDoneCallback callback, gpointer data)
{
    Doing *doing = g_new0(Doing, 1);

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
    Doing *doing = data;
    g_autoptr(GError) error = g_steal_pointer(&doing->refusal);

    doing->inventory->orders++;
    doing->began_us = cf_clock_mono_us();
    fail(doing, error);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_refuse(CfInventory *inventory, CfOrder *order, const GError *error,
                    CfDoneCallback callback, gpointer data)
{
    Doing *doing = doing_new(inventory, order, callback, data);

    doing->refusal = g_error_copy(error);
    cf_http_invoke(inventory->http, on_refuse, doing);
}

/* ---- raw/refresh ---- */

typedef struct {
    CfInventory *inventory;
    CfCollection collection;
    char *id;
    CfDoneCallback callback;
    gpointer data;
} Showing;

static void
on_show(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    Showing *showing = data;

    if (record && !showing->inventory->closing)
        cf_follow_record(&showing->inventory->collections[showing->collection], showing->id, record,
                         requested_us);
    showing->callback(error, showing->data);
    g_free(showing->id);
    g_free(showing);
}

static gboolean
on_show_start(gpointer data)
{
    Showing *showing = data;
    CfInventory *inventory = showing->inventory;

    if (inventory->closing) {
        g_autoptr(GError) error =
            g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

        on_show(NULL, 0, error, showing);
        return G_SOURCE_REMOVE;
    }
    inventory->ops->show(inventory->handle, showing->collection, showing->id,
                         cf_clock_mono_us() + inventory->options.deadline_us, on_show, showing);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_show(CfInventory *inventory, CfCollection collection, const char *id,
                  CfDoneCallback callback, gpointer data)
{
    Showing *showing = g_new(Showing, 1);

    *showing = (Showing){inventory, collection, g_strdup(id), callback, data};
    cf_http_invoke(inventory->http, on_show_start, showing);
}

/* ---- times ---- */

typedef struct {
    CfCollectionState *state;
    guint32 handle;
    CfAspects aspects;
} Touching;

static gboolean
on_touch(gpointer data)
{
    g_autofree Touching *touching = data;
    CfResource *resource = touching->state->inventory->closing
                               ? NULL
                               : cf_state_get(touching->state, touching->handle);

    if (resource) {
        CfResource *copy = cf_resource_copy(resource);
        CfEdit edit;

        cf_resource_touch(copy, touching->aspects, cf_clock_real_ns());
        cf_edit_begin(&edit, touching->state);
        cf_edit_replace(&edit, resource, copy);
        cf_edit_commit(&edit, FALSE);
    }
    return G_SOURCE_REMOVE;
}

void
cf_inventory_touch(CfInventory *inventory, CfCollection collection, guint32 handle,
                   CfAspects aspects)
{
    Touching *touching = g_new(Touching, 1);

    *touching = (Touching){&inventory->collections[collection], handle, aspects};
    cf_http_invoke(inventory->http, on_touch, touching);
}
