/* What a daemon that is gone has left is taken up; what is under way is waited for at the end. */
#include <string.h>

#include "inventory/compose-private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define AGAIN_US (5 * (gint64) G_USEC_PER_SEC)
#define STALE_US (24 * 3600 * (gint64) G_USEC_PER_SEC)

static void look_for_servers(CfComposer *composer);
static void load(CfComposer *composer);

/* ---- finding the servers ---- */

static gboolean
on_again(gpointer data)
{
    CfComposer *composer = data;

    cf_timer_clear(&composer->timer);
    look_for_servers(composer);
    if (composer->others > 0)
        load(composer);
    return G_SOURCE_REMOVE;
}

static void
again(CfComposer *composer)
{
    if (!composer->timer && !composer->inventory->closing)
        composer->timer = cf_inventory_timer(composer->inventory, AGAIN_US, on_again, composer);
}

static void
found(CfCompose *compose)
{
    compose->unseen = FALSE;
    compose->deadline_us += cf_clock_mono_us() - compose->began_us;
    if (compose->entry->step != CF_STEP_LEFT)
        cf_compose_follow(compose);
}

typedef struct {
    CfComposer *composer;
    char *id;
} Looking;

/* The listing lacks it; does the cloud? */
static void
on_shown(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    g_autofree Looking *looking = data;
    g_autofree char *id = looking->id;
    CfComposer *composer = looking->composer;
    CfInventory *inventory = composer->inventory;
    CfCompose *compose = g_hash_table_lookup(composer->table, id);

    if (inventory->closing || !compose || !compose->unseen)
        return;
    if (record) {
        cf_follow_record(&inventory->collections[CF_SERVERS], id, record, requested_us);
        found(compose);
    } else if (g_error_matches(error, CF_ERROR, CF_ERROR_NOT_FOUND)) {
        compose->unseen = FALSE; /* the review finds it gone */
    } else {
        again(composer);
    }
    cf_compose_review(inventory);
}

static void
on_listed(const GError *error, gpointer data)
{
    CfComposer *composer = data;
    CfInventory *inventory = composer->inventory;
    g_autoptr(GList) all = NULL;

    composer->listing = FALSE;
    if (inventory->closing)
        return;
    if (error) {
        again(composer);
        return;
    }
    all = g_hash_table_get_values(composer->table);
    for (GList *one = all; one; one = one->next) {
        CfCompose *compose = one->data;
        Looking *looking;

        if (!compose->unseen)
            continue;
        if (cf_state_find(&inventory->collections[CF_SERVERS], cf_compose_id(compose))) {
            found(compose);
            continue;
        }
        looking = g_new(Looking, 1);
        *looking = (Looking){composer, g_strdup(cf_compose_id(compose))};
        inventory->ops->show(inventory->handle, CF_SERVERS, looking->id,
                             cf_clock_mono_us() + inventory->options.deadline_us, on_shown,
                             looking);
    }
    cf_compose_review(inventory);
}

static void
look_for_servers(CfComposer *composer)
{
    gboolean wanted = FALSE;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, composer->table);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        wanted |= ((CfCompose *) value)->unseen;
    if (!wanted || composer->listing || composer->inventory->closing)
        return;
    composer->listing = TRUE;
    cf_inventory_refresh(composer->inventory, CF_SERVERS, on_listed, composer);
}

/* ---- reading the file ---- */

/* entry: (transfer full). */
static void
take_up(CfComposer *composer, CfComposeEntry *entry)
{
    CfAction *action = cf_action_new(CF_ACTION_POWER, CF_SERVERS, entry->id);
    CfOrder *order = cf_order_new(action);
    CfCompose *compose;

    action->verb = CF_VERB_REBOOT_HARD;
    order->actor = entry->actor;
    order->actor.command = g_strdup(entry->actor.command);
    order->actor.path = g_strdup(entry->actor.path);
    order->value = g_strdup(cf_verb_to_string(action->verb));
    cf_info("%s: reboot hard of %s, which another daemon began, goes on",
            composer->inventory->profile, entry->id);
    if (!entry->error && entry->step == CF_STEP_LEFT)
        entry->error = g_strdup("stopped, not started again");
    compose = cf_compose_add(composer, entry, order);
    compose->taken_over = compose->unseen = TRUE;
    compose->stale = ABS(cf_clock_real_us() - entry->step_us) > STALE_US;
}

static void
on_loaded(GPtrArray *taken, guint others, const GError *error, gpointer data)
{
    CfComposer *composer = data;
    g_autoptr(GPtrArray) entries = taken;

    composer->loading = FALSE;
    if (composer->inventory->closing)
        return;
    composer->others = others;
    g_string_truncate(composer->trouble, 0);
    if (error) {
        cf_warning("%s: %s", composer->inventory->profile, error->message);
        g_string_append_printf(composer->trouble, "a server may have been left stopped: %s\n",
                               error->message);
    }
    for (guint i = 0; entries && i < entries->len; i++) {
        CfComposeEntry *entry = entries->pdata[i];

        if (!g_hash_table_contains(composer->table, entry->id))
            take_up(composer, cf_compose_entry_copy(entry));
    }
    cf_compose_save_deferred(composer);
    cf_compose_changed(composer);
    look_for_servers(composer);
    if (others > 0)
        again(composer);
}

/* A mount that changes nothing takes nothing up, but says so. */
static void
on_counted(GPtrArray *taken, guint others, const GError *error, gpointer data)
{
    CfComposer *composer = data;

    composer->loading = FALSE;
    if (composer->inventory->closing)
        return;
    if (others > 0)
        g_string_printf(composer->trouble,
                        "%u reboots were left unfinished; this mount changes nothing (%s)\n",
                        others, composer->inventory->options.ro ? "ro" : "dry_run");
    cf_compose_save_deferred(composer);
    cf_compose_changed(composer);
}

static void
load(CfComposer *composer)
{
    const CfInventoryOptions *options = &composer->inventory->options;
    gboolean take = !options->ro && !options->dry_run;

    if (composer->loading || composer->inventory->closing)
        return;
    composer->loading = TRUE;
    cf_compose_store_load(composer->store, take, take ? on_loaded : on_counted, composer);
}

static gboolean
on_resume(gpointer data)
{
    CfInventory *inventory = data;

    if (inventory->composer && inventory->composer->store)
        load(inventory->composer);
    return G_SOURCE_REMOVE;
}

void
cf_inventory_resume(CfInventory *inventory)
{
    cf_http_invoke(inventory->http, on_resume, inventory);
}

/* ---- life ---- */

CfComposer *
cf_composer_new(CfInventory *inventory, const char *dir)
{
    const CfProviderOps *ops = inventory->ops;
    CfComposer *composer;

    if (!ops->composed)
        return NULL;
    composer = g_new0(CfComposer, 1);
    composer->inventory = inventory;
    composer->table = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, cf_compose_free);
    composer->deferred = g_array_new(FALSE, FALSE, sizeof(CfComposeDeferred));
    composer->trouble = g_string_new(NULL);
    composer->notes = g_string_new(NULL);
    g_cond_init(&composer->over);
    if (dir)
        composer->store = cf_compose_store_new(
            inventory->http,
            cf_compose_file_new(dir, inventory->profile, ops->get_endpoint(inventory->handle),
                                ops->get_region(inventory->handle)));
    return composer;
}

void
cf_composer_stop(CfComposer *composer)
{
    if (composer)
        cf_timer_clear(&composer->timer);
}

void
cf_composer_end(CfComposer *composer)
{
    if (composer)
        cf_compose_store_end(composer->store);
}

void
cf_composer_free(CfComposer *composer)
{
    if (!composer)
        return;
    cf_compose_store_free(composer->store);
    g_hash_table_unref(composer->table);
    g_array_unref(composer->deferred);
    g_string_free(composer->trouble, TRUE);
    g_string_free(composer->notes, TRUE);
    g_cond_clear(&composer->over);
    g_free(composer);
}

void
cf_compose_append_health(CfInventory *inventory, GString *out)
{
    if (inventory->composer)
        g_string_append(out, inventory->composer->notes->str);
}

gboolean
cf_inventory_finish(CfInventory *inventory, gint64 until_us)
{
    CfComposer *composer = inventory->composer;
    gboolean over;
    guint open;

    if (!composer)
        return TRUE;
    g_mutex_lock(&inventory->lock);
    open = composer->open;
    g_mutex_unlock(&inventory->lock);
    if (open > 0)
        cf_info("%s: %u servers are being started again before the daemon ends", inventory->profile,
                open);
    g_mutex_lock(&inventory->lock);
    while (composer->open > 0 && g_cond_wait_until(&composer->over, &inventory->lock, until_us))
        ;
    over = composer->open == 0;
    g_mutex_unlock(&inventory->lock);
    if (!over)
        cf_warning("%s: stopped, not started again yet: the next mount of this profile goes on",
                   inventory->profile);
    return over;
}
