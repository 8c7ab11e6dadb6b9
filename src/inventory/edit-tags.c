/* Editing tags: one fresh read, compare with what the writer saw, write. Contract section 3. */
#include <string.h>

#include "inventory/doing.h"
#include "util/clock.h"
#include "util/error.h"

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Returns: (transfer full): both, sorted, each once. */
static char **
join_tags(char **a, char **b)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (guint i = 0; a[i]; i++)
        if (!g_strv_contains((const char *const *) b, a[i]))
            g_ptr_array_add(all, g_strdup(a[i]));
    for (guint i = 0; b[i]; i++)
        g_ptr_array_add(all, g_strdup(b[i]));
    g_ptr_array_sort(all, compare_texts);
    g_ptr_array_add(all, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&all), FALSE);
}

/* all: shortened in place. */
static void
take_tags(char **all, char **take)
{
    char **to = all;

    for (char **from = all; *from; from++) {
        if (g_strv_contains((const char *const *) take, *from))
            g_free(*from);
        else
            *to++ = *from;
    }
    *to = NULL;
}

/* The cloud may not show yet what was written just before. Then that is what it has.
 * Returns: (transfer none): fresh, or that. */
static const char *
present_tags(const CfDoing *doing, const char *fresh)
{
    const CfResource *resource = cf_state_find(doing->state, cf_doing_id(doing));
    const CfPending *own =
        resource ? cf_follow_get(doing->state, resource->handle, CF_ACTION_TAGS) : NULL;

    return own && own->before && strcmp(own->before, fresh) == 0 ? own->want : fresh;
}

/* The action was handed on as it is: what the cloud has goes into another one. */
static void
set_tags_before(CfOrder *order, const char *present)
{
    CfAction *whole =
        cf_action_new(CF_ACTION_TAGS, order->action->collection, order->action->ids[0]);

    whole->tags_before = g_strsplit(present, "\n", -1);
    g_strfreev(whole->tags);
    whole->tags = order->add ? join_tags(whole->tags_before, order->action->tags)
                             : g_strdupv(order->action->tags);
    if (order->take)
        take_tags(whole->tags, order->take);
    cf_action_unref(order->action);
    order->action = whole;
}

/* What the cloud has is shown from now on, so that the writer sees what was changed. */
static void
show_fresh(CfDoing *doing, const char *fresh, gint64 requested_us)
{
    CfResource *resource, *copy;
    CfEdit edit;

    cf_follow_end(doing->state, cf_doing_id(doing), CF_ACTION_TAGS);
    resource = cf_state_find(doing->state, cf_doing_id(doing));
    if (!resource || doing->state->which != CF_SERVERS || !doing->inventory->ops->tags_apart)
        return;
    copy = cf_resource_copy(resource);
    cf_resource_edit_local(copy);
    g_free(copy->local->tags);
    copy->local->tags = g_strdup(fresh);
    copy->local->tags_us = requested_us;
    cf_resource_show_over(doing->state, copy);
    cf_edit_begin(&edit, doing->state);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
}

static gboolean
is_as_before(const CfAction *action)
{
    g_autofree char *before = g_strjoinv("\n", action->tags_before);
    g_autofree char *now = g_strjoinv("\n", action->tags);

    return strcmp(before, now) == 0;
}

/* The set that the writer saw must be the cloud's; the set that is written is the whole. */
static void
compare_and_send(CfDoing *doing, const char *fresh, gint64 requested_us)
{
    CfOrder *order = doing->order;
    const char *present = present_tags(doing, fresh);
    g_autoptr(GError) stale = NULL;

    g_free(doing->old);
    doing->old = g_strdup(present);
    if (order->add || !order->shown || strcmp(order->shown, present) == 0) {
        set_tags_before(order, present);
        if (order->take && is_as_before(order->action)) {
            /* Somebody else was quicker: it is so, and shown from now on. */
            if (present == fresh)
                show_fresh(doing, fresh, requested_us);
            cf_doing_accept(doing, NULL);
            return;
        }
        cf_doing_send(doing);
        return;
    }
    show_fresh(doing, fresh, requested_us);
    g_set_error(&stale, CF_ERROR, CF_ERROR_CHANGED,
                "the tags were changed in the cloud meanwhile; nothing was written");
    cf_doing_fail(doing, stale);
}

static void
on_tags_listed(const char *const *tags, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    g_autofree char *fresh = NULL;

    if (error || doing->inventory->closing) {
        cf_doing_give_up(doing, error);
        return;
    }
    fresh = g_strjoinv("\n", (char **) tags);
    compare_and_send(doing, fresh, doing->began_us);
}

static void
on_tags_shown(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    guint field = doing->state->which == CF_SERVERS ? CF_SERVER_TAGS : CF_IMAGE_TAGS;
    g_autofree char *fresh = NULL;

    if (error || doing->inventory->closing) {
        cf_doing_give_up(doing, error);
        return;
    }
    fresh = g_strdup(cf_record_get(record, field));
    cf_follow_record(doing->state, cf_doing_id(doing), record, requested_us);
    compare_and_send(doing, fresh ? fresh : "", requested_us);
}

static void
read_tags(CfDoing *doing, CfTagsCallback on_listed, CfRecordCallback on_shown)
{
    CfInventory *inventory = doing->inventory;
    gboolean apart = inventory->ops->tags_apart && doing->state->which == CF_SERVERS;

    if (apart)
        inventory->ops->list_tags(inventory->handle, cf_doing_id(doing), doing->order->deadline_us,
                                  TRUE, on_listed, doing);
    else
        inventory->ops->show(inventory->handle, doing->state->which, cf_doing_id(doing),
                             doing->order->deadline_us, on_shown, doing);
}

void
cf_doing_edit_tags(CfDoing *doing)
{
    read_tags(doing, on_tags_listed, on_tags_shown);
}

/* ---- after a refusal ---- */

/* Whether one of the tags of a that are not in b is there. */
static gboolean
is_any_there(char **a, char **b, char **there)
{
    for (guint i = 0; a[i]; i++)
        if (*a[i] && !g_strv_contains((const char *const *) b, a[i]) &&
            g_strv_contains((const char *const *) there, a[i]))
            return TRUE;
    return FALSE;
}

/* Clouds that take only the difference are told what comes first, then what goes. */
static void
tell_refusal(CfDoing *doing, const char *fresh, gint64 requested_us)
{
    const CfAction *action = doing->order->action;
    g_auto(GStrv) there = g_strsplit(fresh, "\n", -1);
    g_autoptr(GError) error = g_steal_pointer(&doing->refusal);

    show_fresh(doing, fresh, requested_us);
    if (is_any_there(action->tags, action->tags_before, there))
        doing->addition =
            g_strdup(is_any_there(action->tags_before, action->tags, there)
                         ? "new tags were added, old ones were not all taken away"
                         : "the old tags are gone and new ones are there all the same");
    cf_doing_fail(doing, error);
}

static void
on_listed_after(const char *const *tags, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    g_autofree char *fresh = tags ? g_strjoinv("\n", (char **) tags) : NULL;
    g_autoptr(GError) refusal = NULL;

    if (fresh && !doing->inventory->closing) {
        tell_refusal(doing, fresh, cf_clock_mono_us());
        return;
    }
    refusal = g_steal_pointer(&doing->refusal);
    cf_doing_fail(doing, refusal);
}

static void
on_shown_after(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    CfDoing *doing = data;
    guint field = doing->state->which == CF_SERVERS ? CF_SERVER_TAGS : CF_IMAGE_TAGS;
    g_autofree char *fresh = NULL;
    g_autoptr(GError) refusal = NULL;

    if (record && !doing->inventory->closing) {
        const char *text = cf_record_get(record, field);

        fresh = g_strdup(text ? text : "");
        cf_follow_record(doing->state, cf_doing_id(doing), record, requested_us);
        tell_refusal(doing, fresh, requested_us);
        return;
    }
    refusal = g_steal_pointer(&doing->refusal);
    cf_doing_fail(doing, refusal);
}

gboolean
cf_doing_look_at_tags(CfDoing *doing, const CfActionResult *result, const GError *error)
{
    const CfAction *action = doing->order->action;

    if (action->kind != CF_ACTION_TAGS || !action->tags_before || doing->inventory->closing ||
        cf_error_code(error) == CF_ERROR_TIMEOUT || cf_error_code(error) == CF_ERROR_NOT_FOUND ||
        !is_any_there(action->tags, action->tags_before, action->tags) ||
        !is_any_there(action->tags_before, action->tags, action->tags_before))
        return FALSE;
    doing->call = result ? g_strdup(result->method_path) : NULL;
    doing->refusal = g_error_copy(error);
    read_tags(doing, on_listed_after, on_shown_after);
    return TRUE;
}
