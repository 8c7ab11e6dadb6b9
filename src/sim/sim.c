/* The simulator's life, and the way of a request through its parts. */
#include "sim/sim.h"

#include <string.h>

#include "sim/private.h"

static const CfSimDialect *const dialects[] = {&cf_sim_inspur, &cf_sim_openstack, &cf_sim_qingcloud,
                                               &cf_sim_ucloudstack};

void
cf_sim_options_init(CfSimOptions *options)
{
    memset(options, 0, sizeof *options);
    options->dialect = "inspur";
    options->address = "127.0.0.1";
    options->servers = 100;
    options->images = 12;
    options->seed = 1;
    options->transition_ms = 3000;
    options->token_life_s = 5400;
}

static const CfSimDialect *
find_dialect(const char *name, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(dialects); i++) {
        if (!name || strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    }
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "no such dialect: %s", name);
    return NULL;
}

static gboolean
check_version(const CfSimDialect *dialect, guint version, GError **error)
{
    if (version <= dialect->versions)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "the dialect %s has no API version %u",
                dialect->name, version);
    return FALSE;
}

static void
copy_options(CfSimOptions *own, const CfSimOptions *options)
{
    *own = *options;
    own->dialect = NULL;
    own->address = g_strdup(options->address ? options->address : "127.0.0.1");
    own->token = g_strdup(options->token);
    own->username = g_strdup(options->username);
    own->password = g_strdup(options->password);
    own->client_id = g_strdup(options->client_id);
    own->client_secret = g_strdup(options->client_secret);
    own->access_key = g_strdup(options->access_key);
    own->secret_key = g_strdup(options->secret_key);
    if (!own->token_life_s)
        own->token_life_s = 5400;
    if (!own->token && !own->username && !own->client_secret && !own->access_key)
        own->no_auth = TRUE;
}

static void
clear_options(CfSimOptions *own)
{
    g_free((char *) own->address);
    g_free((char *) own->token);
    g_free((char *) own->username);
    g_free((char *) own->password);
    g_free((char *) own->client_id);
    g_free((char *) own->client_secret);
    g_free((char *) own->access_key);
    g_free((char *) own->secret_key);
}

/* A planned change was made. */
static void
after_step(gpointer data, CfSimRecord *record)
{
    CfSim *sim = data;

    if (sim->dialect->changed)
        sim->dialect->changed(sim, record, cf_sim_span("{}"));
}

CfSim *
cf_sim_new(const CfSimOptions *options, GError **error)
{
    const CfSimDialect *dialect = find_dialect(options->dialect, error);
    g_autoptr(CfSim) sim = NULL;

    if (!dialect || !check_version(dialect, options->api_version, error))
        return NULL;
    sim = g_new0(CfSim, 1);
    g_mutex_init(&sim->lock);
    sim->dialect = dialect;
    copy_options(&sim->options, options);
    sim->settings.latency_ms = options->latency_ms;
    sim->settings.transition_ms = options->transition_ms;
    sim->settings.max_page = options->max_page;
    sim->settings.task_state_visible = TRUE;
    sim->settings.image_tagging = TRUE;
    sim->settings.image_service = TRUE;
    sim->settings.console_lines = 3;
    sim->settings.microversion = options->api_version ? options->api_version : dialect->versions;
    if (options->api_version && options->api_version < dialect->versions)
        sim->settings.api_version = CF_SIM_API_FIRST;
    sim->world = cf_sim_world_new(dialect->ids);
    cf_sim_world_set_changed(sim->world, after_step, sim);
    sim->tokens = cf_sim_tokens_new();
    sim->faults = cf_sim_faults_new();
    sim->journal = cf_sim_journal_new();
    sim->listings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, cf_sim_listing_forget);
    sim->dialect->populate(sim);
    /* Its threads may answer at once; what they look at here is under the lock. */
    g_mutex_lock(&sim->lock);
    sim->server = cf_sim_server_new(sim, &sim->url, error);
    g_mutex_unlock(&sim->lock);
    if (!sim->server)
        return NULL;
    return g_steal_pointer(&sim);
}

const char *
cf_sim_get_url(CfSim *sim)
{
    return sim->url;
}

void
cf_sim_free(CfSim *sim)
{
    if (!sim)
        return;
    cf_sim_server_free(sim->server);
    g_hash_table_unref(sim->listings);
    cf_sim_journal_free(sim->journal);
    cf_sim_faults_free(sim->faults);
    cf_sim_tokens_free(sim->tokens);
    cf_sim_world_free(sim->world);
    clear_options(&sim->options);
    g_mutex_clear(&sim->lock);
    g_free(sim->url);
    g_free(sim);
}

gint64
cf_sim_server_date_us(const CfSim *sim)
{
    return g_get_real_time() + (gint64) sim->settings.clock_skew_s * G_USEC_PER_SEC;
}

/* The dialect's own part: is it there, is it up, may the caller, then what the route says. */
static void
dispatch(CfSim *sim, CfSimCall *call)
{
    if (!call->route) {
        sim->dialect->refuse(sim, call, 404, NULL, "Not Found");
    } else if (call->route->type == CF_SIM_AUTH) {
        call->route->handle(sim, call);
    } else if (sim->settings.down) {
        sim->dialect->refuse(sim, call, 503, NULL, "Service Unavailable");
    } else if (sim->dialect->admit(sim, call)) {
        call->route->handle(sim, call);
    }
}

static void
process_locked(CfSim *sim, CfSimCall *call, gboolean released)
{
    const CfSimFault *fault = NULL;

    if (cf_sim_admin_owns(call)) {
        cf_sim_admin_handle(sim, call);
        return;
    }
    call->delivery = CF_SIM_DELIVER;
    call->delay_ms = sim->settings.latency_ms;
    call->clock_skew_s = sim->settings.clock_skew_s;
    if (!released) {
        call->route = cf_sim_route_of_call(sim->dialect, call);
        if (call->route && sim->dialect->refine)
            call->route = sim->dialect->refine(call, call->route);
        cf_sim_journal_count(sim->journal, call);
        fault = cf_sim_faults_take(sim->faults, call);
    }
    if (!fault || !cf_sim_fault_before(sim, call, fault)) {
        dispatch(sim, call);
        if (fault)
            cf_sim_fault_after(call, fault);
    }
    if (!released)
        cf_sim_journal_note(sim->journal, call);
}

void
cf_sim_process(CfSim *sim, CfSimCall *call, gboolean released)
{
    cf_sim_call_parse_params(call);
    g_mutex_lock(&sim->lock);
    cf_sim_world_settle(sim->world);
    process_locked(sim, call, released);
    g_mutex_unlock(&sim->lock);
}
