/* Versions: an edit collects what changes, then publishes it in one step. */
#include <string.h>

#include "inventory/compose.h"
#include "util/clock.h"
#include "util/log.h"

CfResource *
cf_state_get(CfCollectionState *state, guint32 handle)
{
    return state->current ? cf_snapshot_get(state->current, handle) : NULL;
}

CfResource *
cf_state_find(CfCollectionState *state, const char *id)
{
    guint slot;

    if (!state->current)
        return NULL; /* the first listing asks for each of its ids */
    slot = GPOINTER_TO_UINT(g_hash_table_lookup(state->slot_by_id, id));
    if (slot == 0 || slot - 1 >= state->current->n_slots)
        return NULL;
    return state->current->slots[slot - 1];
}

static void
change_clear(gpointer data)
{
    CfChange *change = data;

    cf_resource_unref(change->before);
    cf_resource_unref(change->after);
}

void
cf_edit_begin(CfEdit *edit, CfCollectionState *state)
{
    *edit = (CfEdit){.state = state};
    edit->changes = g_array_new(FALSE, FALSE, sizeof(CfChange));
    g_array_set_clear_func(edit->changes, change_clear);
}

void
cf_edit_replace(CfEdit *edit, CfResource *before, CfResource *after)
{
    CfChange change = {
        .slot = CF_HANDLE_SLOT(before->handle), .before = cf_resource_ref(before), .after = after};

    g_array_append_val(edit->changes, change);
}

/* A slot that no resource has, with a generation that it never had. A slot whose generations are
 * used up is given up for good, so that a handle names one resource for the mount's life. */
static guint32
slot_take(CfCollectionState *state)
{
    guint32 slot;

    if (state->free_slots->len > 0) {
        slot = g_array_index(state->free_slots, guint32, state->free_slots->len - 1);
        g_array_set_size(state->free_slots, state->free_slots->len - 1);
    } else {
        guint8 zero = 0;

        slot = state->generations->len;
        g_byte_array_append(state->generations, &zero, 1);
    }
    return slot | (guint32) state->generations->data[slot] << CF_HANDLE_SLOT_BITS;
}

static void
slot_give(CfCollectionState *state, guint32 handle)
{
    guint32 slot = CF_HANDLE_SLOT(handle);
    guint max = 1u << (CF_HANDLE_BITS - CF_HANDLE_SLOT_BITS);

    if (++state->generations->data[slot] < max)
        g_array_append_val(state->free_slots, slot);
}

guint32
cf_slot_reserve(CfCollectionState *state, guint *slot)
{
    guint max = 1u << (CF_HANDLE_BITS - CF_HANDLE_SLOT_BITS);
    guint8 zero = 0;

    while (*slot < state->generations->len && state->generations->data[*slot] >= max)
        ++*slot;
    if (*slot == state->generations->len)
        g_byte_array_append(state->generations, &zero, 1);
    ++*slot;
    return (*slot - 1) | (guint32) state->generations->data[*slot - 1] << CF_HANDLE_SLOT_BITS;
}

void
cf_slots_settle(CfCollectionState *state, const GArray *reserved)
{
    guint max = 1u << (CF_HANDLE_BITS - CF_HANDLE_SLOT_BITS);

    for (guint i = 0; i < reserved->len; i++) {
        guint32 handle = g_array_index(reserved, CfComing, i).handle;

        if (!cf_state_get(state, handle))
            state->generations->data[CF_HANDLE_SLOT(handle)]++;
    }
    if (!state->current)
        return; /* the next listing begins with slot 0 again */
    g_array_set_size(state->free_slots, 0);
    for (guint32 slot = 0; slot < state->generations->len; slot++)
        if ((slot >= state->current->n_slots || !state->current->slots[slot]) &&
            state->generations->data[slot] < max)
            g_array_append_val(state->free_slots, slot);
}

CfResource *
cf_coming_to_resource(const CfComing *coming)
{
    gint64 updated_ns = cf_record_get_updated_us(coming->record) * 1000;

    return cf_resource_new(coming->handle, coming->record,
                           updated_ns > 0 ? updated_ns : coming->time_ns);
}

void
cf_edit_add_as(CfEdit *edit, guint32 handle, CfRecord *record, gboolean listed, gint64 now_ns)
{
    CfResource *resource = cf_coming_to_resource(&(CfComing){record, handle, now_ns});
    CfChange change = {.slot = CF_HANDLE_SLOT(handle), .after = resource};

    if (listed)
        resource->listed = cf_record_ref(record);
    g_array_append_val(edit->changes, change);
}

guint32
cf_edit_add(CfEdit *edit, CfRecord *record, gboolean listed, gint64 now_ns)
{
    guint32 handle = slot_take(edit->state);

    cf_edit_add_as(edit, handle, record, listed, now_ns);
    return handle;
}

/* Puts a value over the record's. record: (inout) (transfer full). want: (nullable). */
static void
lay_over(CfRecord **record, guint field, const char *want)
{
    CfRecord *with;

    if (g_strcmp0(want, cf_record_get(*record, field)) == 0)
        return;
    with = cf_record_with(*record, field, want);
    cf_record_unref(*record);
    *record = with;
}

/* A reason locks; what is not locked has none. */
static void
lay_lock_over(CfRecord **record, const CfFollow *follow)
{
    const CfPending *lock = follow->pending[CF_ACTION_LOCK];

    if (follow->pending[CF_ACTION_LOCK_REASON])
        lay_over(record, CF_SERVER_LOCK, "1");
    else if (lock && g_strcmp0(lock->want, "0") == 0)
        lay_over(record, CF_SERVER_LOCKED_REASON, NULL);
}

void
cf_resource_show_over(CfCollectionState *state, CfResource *copy)
{
    g_autoptr(CfRecord) shown = cf_record_ref(copy->base);
    const CfProviderOps *ops = state->inventory->ops;
    CfFollow *follow =
        g_hash_table_lookup(state->follows, GUINT_TO_POINTER(CF_HANDLE_SLOT(copy->handle)));

    if (ops->tags_apart && state->which == CF_SERVERS && copy->local && copy->local->tags) {
        CfRecord *with = cf_record_with(shown, CF_SERVER_TAGS, copy->local->tags);

        cf_record_unref(shown);
        shown = with;
    }
    for (guint kind = 0; follow && kind < CF_ACTION_N; kind++) {
        int field = cf_action_field((CfActionKind) kind, state->which);

        if (follow->pending[kind] && field >= 0)
            lay_over(&shown, (guint) field, follow->pending[kind]->want);
    }
    if (follow && state->which == CF_SERVERS)
        lay_lock_over(&shown, follow);
    if (follow && follow->pending[CF_ACTION_POWER] && follow->pending[CF_ACTION_POWER]->composing) {
        CfRecord *with = cf_record_with(
            shown, CF_SERVER_TASK, cf_compose_get_task(state->inventory, cf_record_get_id(shown)));

        cf_record_unref(shown);
        shown = with;
    }
    if (follow) {
        CfState wanted = cf_follow_state(state, copy);

        if (wanted != cf_record_get_state(shown)) {
            CfRecord *with = cf_record_with(shown, CF_FIELD_STATE, cf_state_to_string(wanted));

            cf_record_unref(shown);
            shown = with;
        }
    }
    if (shown != copy->record)
        cf_resource_set_record(copy, shown);
}

/* Finishes the changed resources: times of what differs, lengths of their lines. Drops what is the
 * same after all. Returns: whether resources came or went. */
static gboolean
edit_settle(CfEdit *edit, gint64 now_ns)
{
    gboolean members = FALSE;

    for (guint i = 0; i < edit->changes->len; i++) {
        CfChange *change = &g_array_index(edit->changes, CfChange, i);

        if (change->before && change->after) {
            CfAspects values = cf_resource_diff(change->before, change->after);

            change->diff = values;
            /* What was touched by hand has its time already; the rest changes now. */
            for (guint bit = 0; bit < CF_ASPECT_N; bit++)
                if ((values & CF_ASPECT(bit)) && change->after->changed &&
                    change->after->changed[bit] !=
                        cf_resource_get_mtime_ns(change->before, CF_ASPECT(bit)))
                    values &= ~CF_ASPECT(bit);
            cf_resource_touch(change->after, values, now_ns);
        } else {
            members = TRUE;
        }
    }
    return members;
}

static void
edit_index(CfEdit *edit)
{
    CfCollectionState *state = edit->state;

    for (guint i = 0; i < edit->changes->len; i++) {
        const CfChange *change = &g_array_index(edit->changes, CfChange, i);

        if (change->before && !change->after) {
            cf_follow_forget(state, change->before->handle);
            g_hash_table_remove(state->slot_by_id, cf_record_get_id(change->before->record));
            slot_give(state, change->before->handle);
        } else if (change->after) {
            /* The key lives in the record that is base. */
            g_hash_table_replace(state->slot_by_id,
                                 g_strdup(cf_record_get_id(change->after->record)),
                                 GUINT_TO_POINTER(change->slot + 1));
        }
    }
}

static CfSnapshot *
edit_make(CfEdit *edit, gboolean members, gint64 now_ns)
{
    CfCollectionState *state = edit->state;
    guint n_slots = MAX(state->generations->len, 1);
    CfResource **slots = g_new0(CfResource *, n_slots);
    CfSnapshot *snapshot;

    if (state->current)
        for (guint i = 0; i < state->current->n_slots; i++)
            if (state->current->slots[i])
                slots[i] = cf_resource_ref(state->current->slots[i]);
    for (guint i = 0; i < edit->changes->len; i++) {
        const CfChange *change = &g_array_index(edit->changes, CfChange, i);

        cf_resource_unref(slots[change->slot]);
        slots[change->slot] = change->after ? cf_resource_ref(change->after) : NULL;
    }
    if (members)
        state->members_ns =
            edit->members_ns ? edit->members_ns : MAX(now_ns, state->members_ns + 1);
    snapshot = cf_snapshot_new(state->which, ++state->version, slots, n_slots, state->current,
                               !members && state->current);
    snapshot->members_ns = state->members_ns;
    snapshot->changed_ns = now_ns;
    return snapshot;
}

/* The listing's age and what it brought change at once: a reader who met the one without the other
 * would be served what is old as if it were new, or nothing at all. Called with the lock. */
static void
take_age(const CfEdit *edit)
{
    if (!edit->began_us)
        return;
    edit->state->began_us = edit->began_us;
    edit->state->began_real_us = edit->began_real_us;
}

gboolean
cf_edit_commit(CfEdit *edit, gboolean first)
{
    CfCollectionState *state = edit->state;
    CfInventory *inventory = state->inventory;
    const CfInventoryHooks *hooks = &inventory->hooks;
    gint64 now_ns = cf_clock_real_ns();
    gboolean members;
    CfSnapshot *after;
    CfSnapshot *before = state->current;
    gpointer prepared = NULL;

    if (edit->changes->len == 0 && !first) {
        g_mutex_lock(&inventory->lock);
        take_age(edit);
        g_mutex_unlock(&inventory->lock);
        g_array_unref(edit->changes);
        return FALSE;
    }
    members = edit_settle(edit, now_ns);
    if (first && !state->members_ns)
        state->members_ns = now_ns;
    after = edit_make(edit, members || first, now_ns);
    if (hooks->prepare)
        prepared = hooks->prepare(inventory, before, after, (CfChange *) edit->changes->data,
                                  edit->changes->len, hooks->data);

    g_mutex_lock(&inventory->lock);
    state->current = after;
    take_age(edit);
    inventory->stats.versions++;
    inventory->stats.resources[state->which] = after->n;
    g_mutex_unlock(&inventory->lock);

    /* Before the kernel is told: who is woken by that finds the event. */
    if (before)
        for (guint i = 0; i < edit->changes->len; i++)
            cf_events_change(inventory, state->which, &g_array_index(edit->changes, CfChange, i));
    if (hooks->commit)
        hooks->commit(inventory, state->which, prepared, hooks->data);
    edit_index(edit);
    g_array_unref(edit->changes);
    cf_snapshot_unref(before);
    return TRUE;
}
