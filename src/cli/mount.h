/* Mounting profiles, in the foreground or as a daemon. */
#pragma once

#include "cli/args.h"
#include "cli/exit.h"
#include "config/config.h"

G_BEGIN_DECLS

typedef struct {
    CfConfig *config;    /* (transfer full): wiped as soon as nobody needs it */
    GPtrArray *profiles; /* (element-type CfProfile) with their secrets */
    const char *mountpoint;
    gboolean foreground;
    const char *welcome; /* (nullable): printed when it is ready */
} CfMountPlan;

/* The mount point from the root, and what a dead daemon left on it is detached.
 * Returns: (transfer full) (nullable). Errors: as cf_mounts_resolve() and cf_mountpoint_detach().
 */
char *cf_mount_prepare(const char *mountpoint, GError **error);

/* Mounts, reports (cf_daemon_report()), serves until the end. Thread: main, after the fork. */
CfExit cf_mount_serve(CfMountPlan *plan);

CfExit cf_command_mount(const CfArgs *args);

G_END_DECLS
