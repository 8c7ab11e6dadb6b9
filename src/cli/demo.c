#include "cli/commands.h"

#include <errno.h>
#include <sys/random.h>

#include "cli/daemon.h"
#include "cli/mount.h"
#include "cli/schema.h"
#include "sim/sim.h"
#include "util/error.h"
#include "util/text.h"

/* Returns: (transfer full) (nullable): nobody else on this machine shall use the cloud. */
static char *
make_token(GError **error)
{
    guint8 bytes[16];
    GString *token = g_string_new(NULL);

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "getrandom: %s", g_strerror(errno));
        g_string_free(token, TRUE);
        return NULL;
    }
    for (guint i = 0; i < sizeof bytes; i++)
        g_string_append_printf(token, "%02x", bytes[i]);
    return g_string_free(token, FALSE);
}

static CfSim *
start_cloud(const CfArgs *args, const char *token, GError **error)
{
    CfSimOptions options;

    cf_sim_options_init(&options);
    /* The small believable world, unless another one is described. */
    options.demo = args->servers < 0 && args->images < 0 && args->seed < 0 && !args->hostile;
    options.token = token;
    options.hostile = args->hostile;
    if (args->servers >= 0)
        options.servers = (guint) args->servers;
    if (args->images >= 0)
        options.images = (guint) args->images;
    if (args->seed >= 0)
        options.seed = (guint64) args->seed;
    if (args->latency_ms >= 0)
        options.latency_ms = (guint) args->latency_ms;
    if (args->transition_ms >= 0)
        options.transition_ms = (guint) args->transition_ms;
    return cf_sim_new(&options, error);
}

static CfConfig *
make_config(CfSim *sim, const char *token, const char *overrides, GError **error)
{
    char *text = g_strdup_printf("[demo]\n"
                                 "provider = inspur\n"
                                 "endpoint = %s\n"
                                 "auth = token\n"
                                 "token = %s\n"
                                 "region = demo\n"
                                 "rate = 0\n"
                                 "ttl = 5\n",
                                 cf_sim_get_url(sim), token);
    CfConfig *config = cf_config_load_data("demo", text, cf_schemas_get(), overrides, error);

    cf_text_wipe(text);
    return config;
}

static char *
make_welcome(const char *mountpoint)
{
    return g_strdup_printf("A simulated cloud is mounted. Try: ls %s/demo/servers/by-name\n"
                           "and: echo off > %s/demo/servers/NAME/power; then: cirrusfs umount %s\n",
                           mountpoint, mountpoint, mountpoint);
}

static CfExit
fail(const GError *error)
{
    CfExit status = cf_exit_tell(error);

    cf_daemon_report((int) status);
    return status;
}

static CfExit
serve(const CfArgs *args, const char *mountpoint, CfSim *sim, const char *token)
{
    g_autoptr(GError) error = NULL;
    CfConfig *config = make_config(sim, token, args->options, &error);
    g_autoptr(GPtrArray) profiles = NULL;
    g_autofree char *welcome = make_welcome(mountpoint);
    CfMountPlan plan;

    profiles = config ? cf_profiles_select(config, args->profiles, &error) : NULL;
    if (!profiles || !cf_profile_read_secrets(g_ptr_array_index(profiles, 0), &error)) {
        cf_config_free(config);
        return fail(error);
    }
    plan = (CfMountPlan){.config = config,
                         .profiles = profiles,
                         .mountpoint = mountpoint,
                         .foreground = args->foreground,
                         .welcome = welcome};
    return cf_mount_serve(&plan);
}

CfExit
cf_command_demo(const CfArgs *args)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *mountpoint = cf_mount_prepare(args->mountpoint, &error);
    char *token = mountpoint ? make_token(&error) : NULL;
    CfSim *sim;
    CfExit result;
    int status;

    if (!token)
        return fail(error);
    cf_daemon_harden();
    if (!args->foreground && !cf_daemon_start(&status)) {
        cf_text_wipe(token);
        return (CfExit) status;
    }
    sim = start_cloud(args, token, &error); /* has threads: after the fork */
    result = sim ? serve(args, mountpoint, sim, token) : fail(error);
    cf_sim_free(sim);
    cf_text_wipe(token);
    return result;
}
