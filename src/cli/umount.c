#include "cli/commands.h"

#include <string.h>

#include "cli/mounts.h"
#include "fuse/session.h"
#include "util/error.h"

#define PATIENCE_US (10 * (gint64) G_USEC_PER_SEC)

static void
tell_what_is_mounted(const char *text)
{
    g_autofree char *list = cf_mounts_list(text);

    if (*list)
        cf_say("mounted are: %s", g_strdelimit(g_strchomp(list), "\n", ' '));
}

CfExit
cf_command_umount(const CfArgs *args)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = cf_mounts_resolve(args->mountpoint, &error);
    g_autofree char *text = cf_mounts_read();
    guint count;

    if (!path)
        return cf_exit_tell(error);
    count = cf_mounts_count(text, path);
    if (count == 0) {
        cf_say("%s is not a mount of cirrusfs", path);
        tell_what_is_mounted(text);
        return CF_EXIT_FAILURE;
    }
    if (!cf_mountpoint_detach(path, &error)) {
        cf_say("%s", error->message);
        if (g_error_matches(error, CF_ERROR, CF_ERROR_DENIED))
            cf_say("whoever mounted it, or root, can do that");
        return CF_EXIT_FAILURE;
    }
    if (!cf_mounts_wait(path, count - 1, PATIENCE_US)) {
        cf_say("%s is still mounted after 10 s; try: fusermount3 -uz %s", path, path);
        return CF_EXIT_FAILURE;
    }
    return CF_EXIT_OK;
}
