/* The mount: mounting, serving, ending. Over the tree; everything of FUSE is below this header. */
#pragma once

#include "tree/tree.h"

G_BEGIN_DECLS

typedef struct _CfSession CfSession;

typedef struct {
    const char *mountpoint;
    const char *fsname; /* the first column of the mount table */
    uid_t uid;          /* the owner of all files, as in CfTreeOptions */
    gid_t gid;
    gboolean allow_other, ro;
    gboolean kernel_open; /* every open and opendir is asked for, as if the kernel were old */
} CfSessionOptions;

/* Mounts, and sets the tree's sink and stats; one session a process at a time. A stale mount point
 * is detached first. Starts no thread, so that the caller may still fork; signals that come from
 * here on are served by cf_session_run(). tree: outlives the session. Thread: main.
 * Returns: (transfer full) (nullable).
 * Errors: NOT_FOUND and INVALID (the mount point), BUSY (mounted already), DENIED, INTERNAL. */
CfSession *cf_session_new(CfTree *tree, const CfSessionOptions *options, GError **error);

/* Serves until it is unmounted, or a signal: SIGINT and SIGTERM end it (within a second), SIGHUP
 * is cf_tree_refresh_all(). What still waits is answered ENOTCONN. When it returns it is unmounted,
 * and no answer is made any more, whatever callbacks the tree still owes.
 * on_ready: (nullable): once, when the kernel's first request was answered; in this thread.
 * Returns: 0 or an exit status. */
int cf_session_run(CfSession *session, void (*on_ready)(gpointer data), gpointer data);

/* Unmounts, where cf_session_run() was not called. Before cf_tree_free(); the engine may still run.
 * session: (nullable). */
void cf_session_free(CfSession *session);

/* OpenMetrics families: requests by opcode, their latency, notifications. Thread: any. */
void cf_session_append_stats(CfSession *session, GString *out);

/* Whether a daemon died there and left its mount ("Transport endpoint is not connected"). */
gboolean cf_mountpoint_is_stale(const char *path);
/* Unmounts lazily, whoever serves it. Errors: INVALID (nothing is mounted there), DENIED, INTERNAL.
 */
gboolean cf_mountpoint_detach(const char *path, GError **error);

G_END_DECLS
