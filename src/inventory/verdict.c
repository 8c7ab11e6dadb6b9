/* The end of an order: what was accepted is shown at once, what was refused is noted. */
#include <string.h>

#include "inventory/compose.h"
#include "inventory/jobs.h"
#include "model/metadata.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

static guint
written_aspect(CfActionKind kind, CfCollection which)
{
    int field = cf_action_field(kind, which);

    switch ((int) kind) {
    case CF_ACTION_POWER:
        return CF_ASPECT_POWER;
    case CF_ACTION_CONSOLE:
        return CF_ASPECT_CONSOLE;
    case CF_ACTION_CONSOLE_LOG:
        return CF_ASPECT_CONSOLE_LOG;
    case CF_ACTION_CAPTURE:
        return CF_ASPECT_CAPTURE;
    case CF_ACTION_DELETE:
        return CF_ASPECT_DELETE;
    default:
        return field >= 0 ? (guint) field : (guint) CF_ASPECT_LAST_ERROR;
    }
}

const char *
cf_order_get_old(const CfOrder *order, const CfResource *resource)
{
    guint aspect = written_aspect(order->action->kind, order->action->collection);

    if (!resource)
        return NULL;
    if (order->action->kind == CF_ACTION_POWER)
        return cf_power_to_string(cf_power_of_state(cf_record_get_state(resource->record)));
    return aspect < CF_FIELD_MAX ? cf_resource_get(resource, aspect) : NULL;
}

char *
cf_failure_text(const GError *error, const char *addition)
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
    if (addition) {
        char *with = g_strdup_printf("%s; %s", text, addition);

        g_free(text);
        text = with;
    }
    return cf_log_redact(text);
}

/* Whether the change may have been made all the same. A gateway's 5xx says nothing of the server
 * behind it, nor does an answer that cannot be understood. */
static gboolean
is_in_doubt(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return cf_error_is_unsure(error) || cf_error_code(error) == CF_ERROR_PROTOCOL ||
           (words && words->http_status >= 500);
}

void
cf_note_failure(CfCollectionState *state, const char *id, const GError *error, const char *addition)
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
    local->last_error = cf_failure_text(error, addition);
    if (is_in_doubt(error) && !cf_compose_is_going(state->inventory, id))
        cf_follow_doubt(state, resource);
    cf_resource_touch(copy, CF_ASPECT(CF_ASPECT_LAST_ERROR), cf_clock_real_ns());
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
}

void
cf_doing_fail(CfDoing *doing, const GError *error)
{
    CfInventory *inventory = doing->inventory;
    CfActionResult refused = {.method_path = doing->call};

    cf_journal_action(inventory, doing->order, doing->old, &refused, error, doing->began_us);
    if (!inventory->closing) {
        cf_note_failure(doing->state, cf_doing_id(doing), error, doing->addition);
        if (doing->order->action->kind == CF_ACTION_TAGS && is_in_doubt(error))
            cf_tags_reread(doing->state, cf_doing_id(doing));
    }
    g_mutex_lock(&inventory->lock);
    inventory->stats.actions_failed++;
    g_mutex_unlock(&inventory->lock);
    inventory->orders--;
    doing->callback(error, doing->data);
    cf_doing_free(doing);
}

void
cf_doing_give_up(CfDoing *doing, const GError *error)
{
    g_autoptr(GError) ending =
        g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

    cf_doing_fail(doing, error ? error : ending);
}

static gboolean
on_console_expired(gpointer data)
{
    CfInventory *inventory = ((gpointer *) data)[0];
    CfCollectionState *state = &inventory->collections[CF_SERVERS];
    CfResource *resource = cf_state_find(state, ((gpointer *) data)[1]);
    const char *url = ((gpointer *) data)[2];

    if (resource && resource->local && g_strcmp0(resource->local->console_url, url) == 0) {
        CfResource *copy = cf_resource_copy(resource);
        CfEdit edit;

        g_clear_pointer(&copy->local->console_url, cf_text_wipe);
        cf_edit_begin(&edit, state);
        cf_edit_replace(&edit, resource, copy);
        cf_edit_commit(&edit, FALSE);
    }
    g_ptr_array_remove_fast(inventory->console_timers, g_main_current_source());
    return G_SOURCE_REMOVE;
}

static void
console_timer_free(gpointer data)
{
    gpointer *parts = data;

    g_free(parts[1]);
    cf_text_wipe(parts[2]);
    g_free(parts);
}

#define CONSOLE_LIFE_S 300 /* contract section 2: at most */

static void
keep_console(CfDoing *doing, CfLocal *local, const CfActionResult *result)
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
    parts[1] = g_strdup(cf_doing_id(doing));
    parts[2] = g_strdup(result->console_url);
    g_source_set_callback(timer, on_console_expired, parts, console_timer_free);
    g_source_attach(timer, cf_http_get_context(doing->inventory->http));
    g_ptr_array_add(doing->inventory->console_timers, timer);
}

#define CONSOLE_LOG_MAX ((gsize) 64 * 1024)

/* The end of it, on a character boundary. log: (nullable). Returns: (transfer full). */
static char *
cut_log(const char *log)
{
    gsize len = log ? strlen(log) : 0;
    gsize max = CONSOLE_LOG_MAX - (len > 0 && log[len - 1] != '\n'); /* the file ends in one */
    const char *from = log;

    if (len > max)
        for (from = log + len - max; ((guchar) *from & 0xc0) == 0x80;)
            from++;
    return g_strdup(from ? from : "");
}

/* What the field that is written will be. Returns: (transfer full) (nullable). */
static char *
wanted_value(const CfAction *action, const CfProviderOps *ops, const CfResource *resource)
{
    const char *text = action->text;

    switch ((int) action->kind) {
    case CF_ACTION_TAGS:
        return g_strjoinv("\n", action->tags);
    case CF_ACTION_METADATA:
        if (*text && ops->is_secret && ops->is_secret(action->key))
            text = CF_JSON_MASK;
        return cf_metadata_with(cf_resource_get(resource, CF_SERVER_METADATA), action->key,
                                *text ? text : NULL);
    case CF_ACTION_LOCK_REASON:
        return *text ? g_strdup(text) : NULL;
    default:
        return cf_action_field(action->kind, action->collection) >= 0 ? g_strdup(text) : NULL;
    }
}

/* The end of an accepted order. */
static void
accepted(CfDoing *doing)
{
    CfInventory *inventory = doing->inventory;

    g_mutex_lock(&inventory->lock);
    inventory->stats.actions++;
    g_mutex_unlock(&inventory->lock);
    inventory->orders--;
    doing->callback(NULL, doing->data);
    cf_doing_free(doing);
}

static void
on_new_image(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;
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
look_at_image(CfDoing *doing, const char *id)
{
    CfInventory *inventory = doing->inventory;

    inventory->ops->show(inventory->handle, CF_IMAGES, id, cf_clock_mono_us() + NEW_IMAGE_US,
                         on_new_image, doing);
}

/* The cloud accepted: what will be is shown from now on. result: (nullable) when nothing was sent.
 */
void
cf_doing_accept(CfDoing *doing, const CfActionResult *result)
{
    CfInventory *inventory = doing->inventory;
    CfCollectionState *state = doing->state;
    const CfAction *action = doing->order->action;
    CfResource *resource;
    gboolean sent = result && !inventory->options.dry_run;

    cf_journal_action(inventory, doing->order, doing->old, result, NULL, doing->began_us);
    if (action->kind == CF_ACTION_POWER && sent && !inventory->closing)
        cf_compose_forget(inventory, cf_doing_id(doing));
    resource = cf_state_find(state, cf_doing_id(doing));
    if (resource && !inventory->closing) {
        CfResource *copy = cf_resource_copy(resource);
        CfLocal *local = cf_resource_edit_local(copy);
        g_autofree char *want = wanted_value(action, inventory->ops, resource);
        CfEdit edit;

        g_clear_pointer(&local->last_error, g_free);
        if (sent) {
            copy->valid_us = cf_clock_mono_us();
            if (action->kind == CF_ACTION_CAPTURE) {
                g_free(local->captured);
                local->captured = g_strdup(result->new_id);
            } else if (action->kind == CF_ACTION_CONSOLE) {
                keep_console(doing, local, result);
            } else if (action->kind == CF_ACTION_CONSOLE_LOG) {
                g_free(local->console_log);
                local->console_log = cut_log(result->console_log);
            } else if (action->kind == CF_ACTION_TAGS && inventory->ops->tags_apart) {
                g_free(local->tags);
                local->tags = g_strdup(want);
                local->tags_us = copy->valid_us;
            } else {
                CfPending *pending = cf_pending_new(action, want);

                pending->composing = action->kind == CF_ACTION_POWER &&
                                     cf_compose_is_going(inventory, cf_doing_id(doing));
                cf_follow(state, copy, pending);
            }
            cf_job_follow(state, doing->order, result);
        }
        cf_resource_show_over(state, copy);
        cf_resource_touch(copy, CF_ASPECT(written_aspect(action->kind, state->which)),
                          cf_clock_real_ns());
        cf_edit_begin(&edit, state);
        cf_edit_replace(&edit, resource, copy);
        if (sent)
            cf_events_action(inventory, copy, doing->order, doing->old);
        cf_edit_commit(&edit, FALSE);
        if (sent && action->kind == CF_ACTION_CAPTURE && result->new_id &&
            inventory->collections[CF_IMAGES].current) {
            look_at_image(doing, result->new_id);
            return;
        }
    }
    accepted(doing);
}
