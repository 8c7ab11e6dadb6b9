/* Mount points: paths, and what /proc/self/mountinfo says of them. */
#pragma once

#include <sys/types.h>

#include <glib.h>

G_BEGIN_DECLS

/* The path from the root, without symlinks; also of a mount point whose daemon is gone, which
 * realpath(3) cannot enter. Returns: (transfer full) (nullable). Errors: CF_ERROR_INVALID. */
char *cf_mounts_resolve(const char *path, GError **error);

/* How many file systems of ours are mounted right there. text: as of /proc/self/mountinfo. Pure. */
guint cf_mounts_count(const char *text, const char *path);
/* Their mount points, a line each. Returns: (transfer full). Pure. */
char *cf_mounts_list(const char *text);

/* Whether one of them is that device, as of stat(2). Pure. */
gboolean cf_mounts_have_device(const char *text, dev_t device);

/* Returns: (transfer full): /proc/self/mountinfo; "" when it cannot be read. */
char *cf_mounts_read(void);

/* Waits until no more than count file systems of ours are mounted at path.
 * Returns: FALSE when timeout_us is over. */
gboolean cf_mounts_wait(const char *path, guint count, gint64 timeout_us);

G_END_DECLS
