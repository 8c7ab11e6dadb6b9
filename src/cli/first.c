#include "cli/first.h"

#include "util/error.h"

/* An inventory keeps its deadline by itself; this much later we do not wait any more. */
#define GRACE_US G_USEC_PER_SEC

typedef struct {
    CfFirst *first;
    CfInventory *inventory;
    GSource *timer; /* (nullable): until the answer */
    GError *error;  /* (nullable) */
} Profile;

struct _CfFirst {
    CfFirstOptions options;
    CfHttp *http;
    guint n;
    Profile *profiles;
    guint pending; /* answers that are still to come, and one for the mount; engine's thread */
    gboolean stopped;
};

/* --- the verdict ----------------------------------------------------------------------------- */

static CfExit
judge(CfFirst *first)
{
    CfExit status = CF_EXIT_OK;

    for (guint i = 0; i < first->n; i++) {
        const GError *error = first->profiles[i].error;

        if (!error)
            return CF_EXIT_OK;
        status = cf_exit_join(status, cf_exit_from_error(error));
    }
    return first->options.offline_ok ? CF_EXIT_OK : status;
}

static void
tell_failures(CfFirst *first, gboolean mounted)
{
    for (guint i = 0; i < first->n; i++) {
        const Profile *profile = &first->profiles[i];
        g_autofree char *what = profile->error ? cf_exit_describe(profile->error) : NULL;

        if (what)
            cf_say("%s[%s]: %s", mounted ? "warning: " : "",
                   cf_inventory_get_profile(profile->inventory), what);
    }
    if (!mounted)
        cf_say("nothing is mounted; ‘cirrusfs check’ looks closer");
}

static void
count_down(CfFirst *first)
{
    CfExit status;

    if (--first->pending > 0 || first->stopped)
        return;
    status = judge(first);
    tell_failures(first, status == CF_EXIT_OK);
    first->options.done(status, first->options.data);
}

/* --- answers --------------------------------------------------------------------------------- */

static void
clear_timer(Profile *profile)
{
    g_source_destroy(profile->timer);
    g_clear_pointer(&profile->timer, g_source_unref);
}

static void
on_answer(const GError *error, gpointer data)
{
    Profile *profile = data;

    if (!profile->timer) /* too late, or we are going down */
        return;
    clear_timer(profile);
    profile->error = error ? g_error_copy(error) : NULL;
    count_down(profile->first);
}

static gboolean
on_late(gpointer data)
{
    Profile *profile = data;

    clear_timer(profile);
    profile->error = g_error_new_literal(CF_ERROR, CF_ERROR_TIMEOUT,
                                         "the first call was not answered before the deadline");
    count_down(profile->first);
    return G_SOURCE_REMOVE;
}

static gboolean
start(gpointer data)
{
    Profile *profile = data;
    gint64 limit_us = cf_inventory_get_options(profile->inventory)->deadline_us + GRACE_US;

    profile->timer = g_timeout_source_new((guint) (limit_us / 1000));
    g_source_set_callback(profile->timer, on_late, profile, NULL);
    g_source_attach(profile->timer, cf_http_get_context(profile->first->http));
    cf_inventory_start(profile->inventory, on_answer, profile);
    return G_SOURCE_REMOVE;
}

/* --- life ------------------------------------------------------------------------------------ */

CfFirst *
cf_first_new(CfStack *stack, const CfFirstOptions *options)
{
    CfFirst *first = g_new0(CfFirst, 1);

    first->options = *options;
    first->http = stack->http;
    first->n = stack->inventories->len;
    first->profiles = g_new0(Profile, first->n);
    first->pending = first->n + 1;
    for (guint i = 0; i < first->n; i++) {
        first->profiles[i].first = first;
        first->profiles[i].inventory = g_ptr_array_index(stack->inventories, i);
        cf_http_invoke(stack->http, start, &first->profiles[i]);
    }
    return first;
}

static gboolean
served(gpointer data)
{
    count_down(data);
    return G_SOURCE_REMOVE;
}

void
cf_first_set_served(CfFirst *first)
{
    cf_http_invoke(first->http, served, first);
}

static gboolean
stop(gpointer data)
{
    CfFirst *first = data;

    first->stopped = TRUE;
    for (guint i = 0; i < first->n; i++)
        if (first->profiles[i].timer)
            clear_timer(&first->profiles[i]);
    return G_SOURCE_REMOVE;
}

void
cf_first_stop(CfFirst *first)
{
    cf_http_invoke_wait(first->http, stop, first);
}

void
cf_first_free(CfFirst *first)
{
    if (!first)
        return;
    for (guint i = 0; i < first->n; i++)
        g_clear_error(&first->profiles[i].error);
    g_free(first->profiles);
    g_free(first);
}
