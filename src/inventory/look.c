/* One look at one resource (raw/refresh), and times advanced by hand. */
#include "inventory/compose.h"
#include "util/clock.h"
#include "util/error.h"

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
    if (!showing->inventory->closing)
        cf_compose_review(showing->inventory);
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
