/* The end of a refresh: a second look at what the listing lacks, then one version. internals.md
 * section 2. */
#include <string.h>

#include "inventory/stream.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define SHOWS_MAX 20 /* more missing resources than this are confirmed by another listing */

/* Whether a show call's text says of everything in the listing's the same, and more. */
static gboolean
says_the_same(const CfRecord *shown, const CfRecord *listed)
{
    CfJsonSpan whole, part, key, value, other;
    CfJsonIter iter;

    if (cf_record_is_partial(shown) || cf_record_is_partial(listed))
        return FALSE; /* their texts are older than they are */
    whole.text = cf_record_get_raw(shown, &whole.len);
    part.text = cf_record_get_raw(listed, &part.len);
    cf_json_iter_init(&iter, part);
    while (cf_json_iter_next(&iter, &key, &value)) {
        g_autofree char *name = cf_json_string(key);

        if (!name || !cf_json_get(whole, name, FALSE, &other) || other.len != value.len ||
            memcmp(other.text, value.text, value.len) != 0)
            return FALSE;
    }
    return TRUE;
}

/* The listing's record of a resource that is there. A text that only a show call gives stays while
 * the listing says the same; an answer to a question older than what we know is no news. */
static void
copy_listed(CfRefresh *refresh, CfEdit *edit, CfResource *resource, const CfFound *found)
{
    CfCollectionState *state = refresh->state;
    g_autoptr(CfResource) copy = cf_resource_copy(resource);
    CfRecord *former = copy->listed;

    copy->missing = 0;
    copy->listed = cf_record_ref(found->record);
    cf_record_unref(former);
    if (found->requested_us >= copy->valid_us) {
        if (copy->base != found->record &&
            (refresh->reread || !says_the_same(copy->base, found->record))) {
            cf_record_unref(copy->base);
            copy->base = cf_record_ref(found->record);
        }
        cf_follow_apply(state, copy, found->requested_us);
        cf_resource_show_over(state, copy);
    }
    cf_edit_replace(edit, resource, g_steal_pointer(&copy));
}

static int
verdict_of(const CfRefresh *refresh, const CfResource *resource)
{
    return refresh->verdicts ? GPOINTER_TO_INT(g_hash_table_lookup(
                                   refresh->verdicts, cf_record_get_id(resource->record)))
                             : VERDICT_NONE;
}

/* Among changes a deleted resource is told of: that is a word, not a lack. */
static gboolean
is_told_gone(const CfRefresh *refresh, const CfFound *found)
{
    return refresh->since_us && cf_record_get_state(found->record) == CF_STATE_DELETED;
}

static void
note_newest(CfRefresh *refresh, const CfFound *found, gpointer data)
{
    CfCollectionState *state = refresh->state;

    state->newest_us = MAX(state->newest_us, cf_record_get_updated_us(found->record));
}

/* Where the next walk may begin, and when it need not see everything. */
static void
note_walk(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;

    if (!refresh->since_us) {
        state->whole_us = refresh->began_us;
        state->view = refresh->view;
    }
    state->listed_us = refresh->cloud_us;
    if (state->inventory->ops->can_list_changes[state->which])
        cf_found_each(refresh, note_newest, NULL);
}

typedef struct {
    CfEdit *edit;
    gint64 now_ns;
    guint told; /* of those added */
} Add;

static void
add_found(CfRefresh *refresh, const CfFound *found, gpointer data)
{
    Add *add = data;
    const char *id = cf_record_get_id(found->record);
    const CfComing *coming = cf_stream_find(refresh->state, id);

    if (cf_state_find(refresh->state, id) || is_told_gone(refresh, found))
        return;
    add->told += coming != NULL;
    if (coming)
        cf_edit_add_as(add->edit, coming->handle, found->record, TRUE, coming->time_ns);
    else
        cf_edit_add(add->edit, found->record, TRUE, add->now_ns);
}

/* The order of the listing. Changes alter nothing in it: what is new is behind it. */
static void
take_order(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    GPtrArray *former = state->order;

    state->order = cf_found_order(refresh, refresh->since_us ? former : NULL);
    if (former)
        g_ptr_array_unref(former);
}

/* What the listing says of a resource that is there; found: (nullable) NULL: nothing. */
static void
edit_known(CfRefresh *refresh, CfEdit *edit, CfResource *resource, const CfFound *found)
{
    CfCollectionState *state = refresh->state;

    if (found && is_told_gone(refresh, found)) {
        cf_edit_replace(edit, resource, NULL);
    } else if (found) {
        guint slot = CF_HANDLE_SLOT(resource->handle);

        if (found->record != resource->listed || resource->missing ||
            (resource->base != resource->listed && found->requested_us >= resource->valid_us) ||
            g_hash_table_contains(state->follows, GUINT_TO_POINTER(slot)))
            copy_listed(refresh, edit, resource, found);
    } else if (refresh->since_us) {
        return; /* not told of: it has not changed */
    } else if (verdict_of(refresh, resource) == VERDICT_GONE) {
        cf_edit_replace(edit, resource, NULL);
    } else if (resource->valid_us <= refresh->began_us) {
        gboolean there = verdict_of(refresh, resource) == VERDICT_THERE;

        if (resource->missing != (there ? 0 : 1)) {
            CfResource *copy = cf_resource_copy(resource);

            copy->missing = there ? 0 : 1;
            cf_edit_replace(edit, resource, copy);
        }
    }
}

static void
edit_all(CfRefresh *refresh, CfEdit *edit)
{
    const CfSnapshot *current = refresh->state->current;
    Add add = {edit, cf_clock_real_ns(), 0};

    for (guint i = 0; current && i < current->n_slots; i++)
        if (current->slots[i])
            edit_known(refresh, edit, current->slots[i], cf_found_get(refresh, current->slots[i]));
    cf_found_each_fresh(refresh, add_found, &add);
    edit->members_ns = cf_stream_get_members_ns(refresh->state, add.told);
}

static void
publish(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    CfInventory *inventory = state->inventory;
    CfEdit edit;
    gboolean first = !state->current;

    cf_edit_begin(&edit, state);
    cf_stream_feed(refresh); /* the last pages, and the slots they have in their order */
    if (!refresh->same)
        edit_all(refresh, &edit);
    edit.began_us = refresh->began_us;
    edit.began_real_us = refresh->began_real_us;
    cf_edit_commit(&edit, first);
    cf_stream_end(state);

    if (!refresh->same)
        take_order(refresh);
    note_walk(refresh);
    inventory->skipped = refresh->skipped;
    cf_inventory_facts(inventory, state->which == CF_SERVERS ? CF_FACT_FETCHED_SERVERS
                                                             : CF_FACT_FETCHED_IMAGES);
}

static gboolean
is_gone(gpointer id, gpointer verdict, gpointer data)
{
    return GPOINTER_TO_INT(verdict) == VERDICT_GONE;
}

/* Two listings lack a great part of what was there. One of the samples is there all the same: then
 * the listings are wrong, and nothing is gone. */
static void
judge_samples(CfRefresh *refresh)
{
    GHashTableIter iter;
    gpointer verdict;

    g_hash_table_iter_init(&iter, refresh->verdicts);
    while (g_hash_table_iter_next(&iter, NULL, &verdict))
        if (GPOINTER_TO_INT(verdict) == VERDICT_THERE) {
            g_hash_table_foreach_remove(refresh->verdicts, is_gone, NULL);
            cf_info("%s: %s: the listing lacks what a show call finds; nothing was removed",
                    refresh->state->inventory->profile, cf_collection_name(refresh->state->which));
            return;
        }
}

static void
on_confirmed(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    g_autofree CfRefreshCall *call = data;
    g_autofree char *id = call->id;
    CfRefresh *refresh = call->refresh;

    if (refresh->state) {
        gboolean gone = g_error_matches(error, CF_ERROR, CF_ERROR_NOT_FOUND);

        g_hash_table_insert(refresh->verdicts, g_strdup(id),
                            GINT_TO_POINTER(gone    ? VERDICT_GONE
                                            : error ? VERDICT_NONE
                                                    : VERDICT_THERE));
        if (record && cf_record_is_partial(record))
            cf_follow_record(refresh->state, call->id, record, requested_us);
        if (--refresh->shows == 0) {
            if (refresh->sampling)
                judge_samples(refresh);
            publish(refresh);
            cf_refresh_end(refresh, NULL);
        }
    }
    cf_refresh_unref(refresh);
}

/* Those of the present version that this listing lacks and that need a second look. */
static GPtrArray *
collect_missing(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    GPtrArray *missing = g_ptr_array_new();

    for (guint i = 0; state->current && i < state->current->n_slots; i++) {
        CfResource *resource = state->current->slots[i];
        const char *id = resource ? cf_record_get_id(resource->record) : NULL;

        if (!resource || cf_found_get(refresh, resource))
            continue;
        if (resource->valid_us > refresh->began_us)
            continue; /* younger than the listing */
        /* A listing that is shorter than its own total proves nothing. */
        if (state->short_by == 0 &&
            (resource->missing > 0 ||
             (refresh->unseen && g_hash_table_contains(refresh->unseen, id))))
            g_hash_table_insert(refresh->verdicts, g_strdup(id), GINT_TO_POINTER(VERDICT_GONE));
        else
            g_ptr_array_add(missing, (gpointer) id);
    }
    return missing;
}

#define SAMPLES 5

/* A few of those that two listings lack, spread over all of them. */
static void
add_samples(CfRefresh *refresh, GPtrArray *ids)
{
    guint step = g_hash_table_size(refresh->verdicts) / SAMPLES;
    GHashTableIter iter;
    gpointer id;
    guint i = 0;

    g_hash_table_iter_init(&iter, refresh->verdicts);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (i++ % step == 0 && ids->len < SAMPLES)
            g_ptr_array_add(ids, id);
}

/* A show call for each of the ids. */
static void
ask_for(CfRefresh *refresh, const GPtrArray *ids)
{
    CfInventory *inventory = refresh->state->inventory;
    CfCollection which = refresh->state->which;
    gint64 wait_us = MIN(inventory->options.deadline_us, 5 * G_USEC_PER_SEC);

    refresh->shows = ids->len;
    for (guint i = 0; i < ids->len; i++) {
        CfRefreshCall *call = g_new0(CfRefreshCall, 1);

        call->refresh = cf_refresh_ref(refresh);
        call->id = g_strdup(ids->pdata[i]);
        inventory->ops->show(inventory->handle, which, call->id, cf_clock_mono_us() + wait_us,
                             on_confirmed, call);
    }
}

void
cf_refresh_publish(CfRefresh *refresh)
{
    CfCollectionState *state = refresh->state;
    g_autoptr(GPtrArray) missing = NULL;

    /* Of changes, or of the last listing again, nothing is missing. */
    if (refresh->since_us || refresh->same) {
        publish(refresh);
        cf_refresh_end(refresh, NULL);
        return;
    }
    if (!refresh->verdicts)
        refresh->verdicts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    missing = collect_missing(refresh);
    if (missing->len > SHOWS_MAX && refresh->listing < CF_LISTINGS_MAX && state->short_by == 0) {
        if (!refresh->unseen)
            refresh->unseen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (guint i = 0; i < missing->len; i++)
            g_hash_table_add(refresh->unseen, g_strdup(missing->pdata[i]));
        cf_refresh_list(refresh);
        return;
    }
    /* So many do not go at once; a part of the cloud may be down, and left out. */
    if (g_hash_table_size(refresh->verdicts) > SHOWS_MAX) {
        refresh->sampling = TRUE;
        add_samples(refresh, missing);
    }
    if (missing->len > 0 && missing->len <= SHOWS_MAX) {
        ask_for(refresh, missing);
        return;
    }
    publish(refresh);
    cf_refresh_end(refresh, NULL);
}
