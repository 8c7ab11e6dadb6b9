/* The health file: what is wrong with a profile, in words. Contract section 2. */
#include <string.h>

#include "inventory/compose.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

void
cf_inventory_facts(CfInventory *inventory, guint facts)
{
    if (inventory->hooks.facts)
        inventory->hooks.facts(inventory, facts, inventory->hooks.data);
}

/* The worst failure that the last refreshes left; NULL when none. */
static const GError *
worst_failure(CfInventory *inventory, const char **ret_where)
{
    const GError *worst = NULL;

    for (guint i = 0; i < CF_COLLECTION_N; i++) {
        const GError *failure = inventory->collections[i].failure;

        if (!failure)
            continue;
        if (!worst || g_error_matches(failure, CF_ERROR, CF_ERROR_UNAUTHORIZED) ||
            g_error_matches(failure, CF_ERROR, CF_ERROR_EXPIRED)) {
            worst = failure;
            *ret_where = cf_collection_name(i);
        }
    }
    return worst;
}

static const char *
health_word(CfInventory *inventory, char **ret_why)
{
    const char *where = NULL;
    const GError *failure = worst_failure(inventory, &where);
    gboolean have = FALSE;
    gboolean loading = FALSE;

    for (guint i = 0; i < CF_COLLECTION_N; i++) {
        have |= inventory->collections[i].current != NULL;
        loading |= inventory->collections[i].refresh != NULL;
    }
    if (failure)
        *ret_why = g_strdup_printf("%s: %s", where, failure->message);
    if (g_error_matches(failure, CF_ERROR, CF_ERROR_UNAUTHORIZED) ||
        g_error_matches(failure, CF_ERROR, CF_ERROR_EXPIRED))
        return "unauthorized";
    if (inventory->throttled || g_error_matches(failure, CF_ERROR, CF_ERROR_THROTTLED)) {
        if (!*ret_why)
            *ret_why = g_strdup(inventory->channel_why);
        return "throttled";
    }
    if (failure)
        return have ? "stale" : "unreachable";
    if (!have && loading)
        return "loading";
    return "ok";
}

void
cf_inventory_update_health(CfInventory *inventory)
{
    g_autofree char *why = NULL;
    const char *word = health_word(inventory, &why);
    gboolean changed;

    g_mutex_lock(&inventory->lock);
    changed = strcmp(word, inventory->health_word) != 0;
    if (changed) {
        inventory->health_word = word;
        inventory->health_since_us = cf_clock_real_us();
    }
    changed |= g_strcmp0(why, inventory->health_why) != 0;
    if (changed) {
        inventory->health_changed_us = cf_clock_real_us();
        g_free(inventory->health_why);
        inventory->health_why = g_strdup(why);
    }
    g_mutex_unlock(&inventory->lock);
    if (!changed)
        return;
    if (why)
        cf_info("%s: %s: %s", inventory->profile, word, why);
    cf_inventory_facts(inventory, CF_FACT_HEALTH);
}

static void
sweep_line(CfInventory *inventory, GString *text)
{
    g_autoptr(CfSnapshot) servers = NULL;
    guint known = 0;

    if (!inventory->options.tags_sweep || !inventory->ops->tags_apart)
        return;
    servers = cf_inventory_ref_snapshot(inventory, CF_SERVERS);
    for (guint i = 0; servers && i < servers->n_slots; i++)
        known += servers->slots[i] && servers->slots[i]->local && servers->slots[i]->local->tags;
    g_string_append_printf(text, "tags of %u of %u servers are known\n", known,
                           servers ? servers->n : 0);
}

char *
cf_inventory_dup_health(CfInventory *inventory, gint64 *ret_since_ns)
{
    GString *text = g_string_new(NULL);
    g_autofree char *since = NULL;
    g_autofree char *why = NULL;
    g_autofree char *redacted = NULL;

    g_mutex_lock(&inventory->lock);
    g_string_append(text, inventory->health_word);
    since = cf_text_time(inventory->health_since_us);
    why = g_strdup(inventory->health_why);
    if (ret_since_ns)
        *ret_since_ns = MAX(inventory->health_since_us, inventory->health_changed_us) * 1000;
    g_mutex_unlock(&inventory->lock);
    g_string_append_printf(text, " since %s", since);
    if (why) {
        redacted = cf_log_redact(why);
        g_free(why);
        why = cf_text_one_line(redacted);
        g_string_append_printf(text, ": %s", why);
    }
    g_string_append_c(text, '\n');
    g_mutex_lock(&inventory->lock);
    cf_compose_append_health(inventory, text);
    g_mutex_unlock(&inventory->lock);
    if (inventory->options.insecure)
        g_string_append(text, "INSECURE: the cloud's TLS certificate is not checked\n");
    sweep_line(inventory, text);
    return g_string_free(text, FALSE);
}

const char *
cf_inventory_get_health_word(CfInventory *inventory)
{
    const char *word;

    g_mutex_lock(&inventory->lock);
    word = inventory->health_word;
    g_mutex_unlock(&inventory->lock);
    return word;
}
