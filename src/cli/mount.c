#include "cli/mount.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/daemon.h"
#include "cli/first.h"
#include "cli/mounts.h"
#include "cli/schema.h"
#include "cli/stack.h"
#include "fuse/session.h"
#include "util/log.h"

/* For servers that are stopped and to be started again, when nothing is mounted any more. A second
 * signal ends the daemon at once; the next mount goes on. */
#define FINISH_US (60 * (gint64) G_USEC_PER_SEC)

/* One mount that is being made or served. */
typedef struct {
    CfMountPlan *plan;
    CfStack *stack;
    CfFirst *first;
    CfSession *session;
    char *fsname;
    CfMountOptions options; /* but for its texts */
    gint verdict;           /* CfExit, or -1 until the first calls are over; atomic */
} Mount;

/* --- the steps ------------------------------------------------------------------------------- */

/* A daemon has no stderr that anybody reads. */
static gboolean
start_log(const CfMountOptions *options, gboolean foreground, GError **error)
{
    const char *target = options->log;
    CfLogLevel level = CF_LOG_INFO;

    if (!foreground && strcmp(target, "stderr") == 0)
        target = "syslog";
    cf_log_level_from_string(options->log_level, &level);
    return cf_log_init(target, level, error);
}

/* In the engine's thread: all first calls are over, and the mount is served. */
static void
on_first_calls(CfExit status, gpointer data)
{
    Mount *mount = data;

    g_atomic_int_set(&mount->verdict, (gint) status);
    if (status != CF_EXIT_OK) {
        kill(getpid(), SIGTERM); /* ends cf_session_run() */
        return;
    }
    if (mount->plan->welcome)
        fputs(mount->plan->welcome, stdout);
    fflush(stdout);
    cf_daemon_report(CF_EXIT_OK);
}

static void
on_ready(gpointer data)
{
    Mount *mount = data;

    cf_first_set_served(mount->first);
    cf_stack_resume(mount->stack);
}

static gboolean
build(Mount *mount, GError **error)
{
    CfMountPlan *plan = mount->plan;
    CfFirstOptions first = {on_first_calls, FALSE, mount};

    mount->options = *cf_config_get_mount_options(plan->config);
    first.offline_ok = mount->options.offline_ok;
    if (!start_log(&mount->options, plan->foreground, error))
        return FALSE;
    mount->stack = cf_stack_new(plan->config, plan->profiles, error);
    if (!mount->stack)
        return FALSE;
    mount->fsname = g_strdup(plan->profiles->len == 1
                                 ? cf_profile_get_name(g_ptr_array_index(plan->profiles, 0))
                                 : "cirrusfs");
    mount->first = cf_first_new(mount->stack, &first);
    return TRUE;
}

static gboolean
attach(Mount *mount, GError **error)
{
    CfSessionOptions options = {
        .mountpoint = mount->plan->mountpoint,
        .fsname = mount->fsname,
        .uid = mount->options.uid_set ? mount->options.uid : getuid(),
        .gid = mount->options.gid_set ? mount->options.gid : getgid(),
        .allow_other = mount->options.allow_other,
        .ro = mount->stack->ro,
        .kernel_open = mount->options.kernel_open,
    };

    mount->session = cf_session_new(mount->stack->tree, &options, error);
    return mount->session != NULL;
}

/* Returns: the exit status. */
static CfExit
serve(Mount *mount)
{
    int ended = cf_session_run(mount->session, on_ready, mount);
    gint verdict;

    cf_first_stop(mount->first);
    verdict = g_atomic_int_get(&mount->verdict);
    if (verdict == -1) {
        cf_say("unmounted before the first calls were answered");
        /* In the foreground somebody has ended it, and well; in the background somebody waits. */
        return mount->plan->foreground ? CF_EXIT_OK : CF_EXIT_FAILURE;
    }
    if (verdict != CF_EXIT_OK)
        return (CfExit) verdict;
    return ended == 0 ? CF_EXIT_OK : CF_EXIT_FAILURE;
}

/* finish: it was served. A mount that has failed shall not keep anybody waiting: what it has not
 * done is still written down. */
static void
take_down(Mount *mount, gboolean finish)
{
    cf_session_free(mount->session);
    if (mount->first)
        cf_first_stop(mount->first);
    if (finish)
        cf_stack_finish(mount->stack, FINISH_US);
    cf_stack_end(mount->stack);
    cf_first_free(mount->first);
    g_free(mount->fsname);
}

CfExit
cf_mount_serve(CfMountPlan *plan)
{
    Mount mount = {.plan = plan, .verdict = -1};
    g_autoptr(GError) error = NULL;
    gboolean built = build(&mount, &error);
    CfExit status;

    g_clear_pointer(&plan->config, cf_config_free); /* the secrets; who needs one has a copy */
    if (built && attach(&mount, &error))
        status = serve(&mount);
    else
        status = cf_exit_tell(error);
    take_down(&mount, status == CF_EXIT_OK);
    cf_daemon_report((int) status);
    return status;
}

char *
cf_mount_prepare(const char *mountpoint, GError **error)
{
    g_autofree char *path = cf_mounts_resolve(mountpoint, error);

    if (!path) {
        g_prefix_error(error, "mount point ");
        return NULL;
    }
    if (cf_mountpoint_is_stale(path)) {
        if (!cf_mountpoint_detach(path, error))
            return NULL;
        cf_say("%s: detached what a daemon that is gone had left there", path);
    }
    return g_steal_pointer(&path);
}

/* --- the command ----------------------------------------------------------------------------- */

static gboolean
read_secrets(GPtrArray *profiles, GError **error)
{
    for (guint i = 0; i < profiles->len; i++)
        if (!cf_profile_read_secrets(g_ptr_array_index(profiles, i), error))
            return FALSE;
    return TRUE;
}

CfExit
cf_command_mount(const CfArgs *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfConfig) config = NULL;
    g_autoptr(GPtrArray) profiles = NULL;
    g_autofree char *mountpoint = NULL;
    CfMountPlan plan;
    int status;

    if (args->fake)
        return CF_EXIT_OK;
    cf_daemon_harden();
    config = cf_config_load(args->config, cf_schemas_get(), args->options, &error);
    profiles = config ? cf_profiles_select(config, args->profiles, &error) : NULL;
    mountpoint = profiles ? cf_mount_prepare(args->mountpoint, &error) : NULL;
    /* The terminal is still there for a command that asks for a password. */
    if (!mountpoint || !read_secrets(profiles, &error))
        return cf_exit_tell(error);
    if (!args->foreground && !cf_daemon_start(&status))
        return (CfExit) status;
    plan = (CfMountPlan){.config = g_steal_pointer(&config),
                         .profiles = profiles,
                         .mountpoint = mountpoint,
                         .foreground = args->foreground};
    return cf_mount_serve(&plan);
}
