/* Tags of a cloud whose server list has none: one call a server, kept for tags_ttl. Contract
 * section 2. */
#include <string.h>

#include "inventory/private.h"
#include "util/clock.h"
#include "util/error.h"

#define SWEEP_SIDE_BY_SIDE 4
#define SWEEP_PAUSE_US (5 * G_USEC_PER_SEC) /* after a failure */

typedef struct {
    CfDoneCallback callback;
    gpointer data;
} Waiting;

typedef struct {
    CfInventory *inventory;
    char *id;
    gint64 requested_us;
    CfDoneCallback callback;
    gpointer data;
} TagCall;

gboolean
cf_inventory_has_tags(CfInventory *inventory, const CfResource *resource, gint64 *ret_rest_us)
{
    gint64 rest;

    if (!resource->local || !resource->local->tags)
        return FALSE;
    rest = resource->local->tags_us + inventory->options.tags_ttl_us - cf_clock_mono_us();
    if (ret_rest_us)
        *ret_rest_us = MAX(rest, 0);
    return rest > 0;
}

static void
store_tags(CfInventory *inventory, const char *id, const char *const *tags, gint64 requested_us)
{
    CfCollectionState *state = &inventory->collections[CF_SERVERS];
    CfResource *resource = cf_state_find(state, id);
    g_autofree char *text = g_strjoinv("\n", (char **) tags);
    CfResource *copy;
    CfLocal *local;
    CfEdit edit;

    if (!resource || (resource->local && resource->local->tags_us > requested_us))
        return;
    copy = cf_resource_copy(resource);
    local = cf_resource_edit_local(copy);
    g_free(local->tags);
    local->tags = g_steal_pointer(&text);
    local->tags_us = requested_us;
    cf_resource_show_over(state, copy);
    cf_edit_begin(&edit, state);
    cf_edit_replace(&edit, resource, copy);
    cf_edit_commit(&edit, FALSE);
}

static void
on_tags(const char *const *tags, const GError *error, gpointer data)
{
    TagCall *call = data;
    CfInventory *inventory = call->inventory;
    g_autofree char *id = NULL;
    gpointer waiting = NULL;

    g_hash_table_steal_extended(inventory->tag_flights, call->id, (gpointer *) &id, &waiting);
    if (tags && !inventory->closing)
        store_tags(inventory, call->id, tags, call->requested_us);
    for (guint i = 0; waiting && i < ((GPtrArray *) waiting)->len; i++) {
        Waiting *one = ((GPtrArray *) waiting)->pdata[i];

        one->callback(error, one->data);
    }
    if (waiting)
        g_ptr_array_unref(waiting);
    g_free(call->id);
    g_free(call);
}

/* Engine's thread. One flight a server. */
static void
fetch(CfInventory *inventory, const char *id, gboolean user_waits, CfDoneCallback callback,
      gpointer data)
{
    GPtrArray *waiting = g_hash_table_lookup(inventory->tag_flights, id);
    Waiting *one = g_new(Waiting, 1);
    TagCall *call;

    *one = (Waiting){callback, data};
    if (waiting) {
        g_ptr_array_add(waiting, one);
        return;
    }
    waiting = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(waiting, one);
    g_hash_table_insert(inventory->tag_flights, g_strdup(id), waiting);
    call = g_new0(TagCall, 1);
    call->inventory = inventory;
    call->id = g_strdup(id);
    call->requested_us = cf_clock_mono_us();
    inventory->ops->list_tags(inventory->handle, id,
                              call->requested_us + inventory->options.deadline_us, user_waits,
                              on_tags, call);
}

static void
on_reread(const GError *error, gpointer data)
{
}

void
cf_tags_reread(CfCollectionState *state, const char *id)
{
    CfInventory *inventory = state->inventory;
    CfResource *resource = cf_state_find(state, id);

    if (inventory->ops->tags_apart && state->which == CF_SERVERS && resource && resource->local &&
        resource->local->tags)
        fetch(inventory, id, FALSE, on_reread, NULL);
}

static gboolean
on_fetch(gpointer data)
{
    TagCall *call = data;

    if (call->inventory->closing) {
        g_autoptr(GError) error =
            g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

        call->callback(error, call->data);
    } else {
        fetch(call->inventory, call->id, TRUE, call->callback, call->data);
    }
    g_free(call->id);
    g_free(call);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_fetch_tags(CfInventory *inventory, const char *id, CfDoneCallback callback,
                        gpointer data)
{
    TagCall *call = g_new0(TagCall, 1);

    call->inventory = inventory;
    call->id = g_strdup(id);
    call->callback = callback;
    call->data = data;
    cf_http_invoke(inventory->http, on_fetch, call);
}

static void
on_swept(const GError *error, gpointer data)
{
    CfInventory *inventory = data;

    inventory->sweeping--;
    if (error)
        inventory->sweep_pause_us = cf_clock_mono_us() + SWEEP_PAUSE_US;
    if (!inventory->closing && !error)
        cf_tags_sweep(inventory);
}

/* Keeps a few calls under way while there are servers whose tags are not known. Ends by itself. */
void
cf_tags_sweep(CfInventory *inventory)
{
    CfSnapshot *current = inventory->collections[CF_SERVERS].current;

    if (cf_clock_mono_us() < inventory->sweep_pause_us)
        return;
    for (guint i = 0; current && i < current->n_slots && inventory->sweeping < SWEEP_SIDE_BY_SIDE;
         i++) {
        CfResource *resource = current->slots[i];
        const char *id = resource ? cf_record_get_id(resource->record) : NULL;

        if (!resource || cf_resource_is_deleted(resource) ||
            cf_inventory_has_tags(inventory, resource, NULL) ||
            g_hash_table_contains(inventory->tag_flights, id))
            continue;
        inventory->sweeping++;
        fetch(inventory, id, FALSE, on_swept, inventory);
        current = inventory->collections[CF_SERVERS].current;
    }
}

void
cf_tags_close(CfInventory *inventory)
{
    GHashTableIter iter;
    gpointer value;
    g_autoptr(GError) error =
        g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT, "the mount is being ended");

    g_hash_table_iter_init(&iter, inventory->tag_flights);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        GPtrArray *waiting = value;

        for (guint i = 0; i < waiting->len; i++) {
            Waiting *one = waiting->pdata[i];

            one->callback(error, one->data);
        }
    }
    g_hash_table_remove_all(inventory->tag_flights);
}
