/* Telling the kernel what changed: one queue, one thread, the only caller of the kernel's notify
 * functions. That thread holds no lock while it calls and serves no request, because such a call
 * may wait in the kernel until some request is answered.
 *
 * Two things make it wait for long, so they are avoided here:
 *  - the full form of inval_inode waits for the pages that an unanswered READ or WRITE has locked;
 *  - inval_entry and delete wait for the directory that an unanswered LOOKUP, CREATE, RENAME …
 *    has locked.
 * Whoever keeps such a request unanswered holds the inode or the directory meanwhile. */
#pragma once

#include "tree/tree.h"

G_BEGIN_DECLS

typedef struct _CfNotifier CfNotifier;

/* The kernel, or a test in its place. Every call: in the notifier's thread, no lock held.
 * Returns: 0 or a negated errno; -ENOENT (the kernel does not know it) is normal. */
typedef struct {
    /* offset < 0: attributes only; length 0: to the end. */
    int (*inval_inode)(gpointer kernel, CfIno ino, gint64 offset, gint64 length);
    int (*inval_entry)(gpointer kernel, CfIno parent, const char *name);
    int (*deleted)(gpointer kernel, CfIno parent, CfIno child, const char *name);
    /* Whether the file takes writes: it gets attributes only, always. */
    gboolean (*is_control)(CfIno ino);
    /* Whether a request was answered within the last second: what the kernel did not know it may
     * be about to, from an answer that is older than what it is told. It is told again. */
    gboolean (*is_answering)(gpointer kernel);
} CfNotifyOps;

typedef enum {
    CF_NOTIFY_INODE,      /* attributes and pages */
    CF_NOTIFY_ATTRIBUTES, /* attributes only */
    CF_NOTIFY_ENTRY,
    CF_NOTIFY_DELETE,
    CF_NOTIFY_N
} CfNotifyKind;

typedef struct {
    guint64 sent[CF_NOTIFY_N];
    guint64 unknown;   /* of these, what the kernel did not know */
    guint64 failed;    /* of these, other errors */
    guint64 again;     /* told again, and not counted above */
    guint64 merged;    /* equal to the one before it in the queue, and left out */
    guint64 set_aside; /* had to wait for a held directory */
    guint queued;      /* now */
} CfNotifierStats;

/* ops: outlives it. Nothing is delivered, what is queued is dropped, until it is started.
 * Returns: (transfer full). */
CfNotifier *cf_notifier_new(const CfNotifyOps *ops, gpointer kernel);
void cf_notifier_start(CfNotifier *notifier);
/* Ends the thread: what is queued is dropped, barriers are called back.
 * Returns: FALSE when the thread still waits in the kernel after timeout_us. */
gboolean cf_notifier_stop(CfNotifier *notifier, gint64 timeout_us);
/* Stops it first. notifier: (nullable). */
void cf_notifier_free(CfNotifier *notifier);

/* These queue only, and may be called from any thread. */
void cf_notifier_inval_inode(CfNotifier *notifier, CfIno ino, gint64 offset, gint64 length);
/* The full form also for a control file: after a refused store through MAP_SHARED. */
void cf_notifier_drop_pages(CfNotifier *notifier, CfIno ino);
void cf_notifier_inval_entry(CfNotifier *notifier, CfIno parent, const char *name);
void cf_notifier_deleted(CfNotifier *notifier, CfIno parent, CfIno child, const char *name);

#define CF_NOTIFY_DIRECTORIES 2 /* a rename locks two */

/* callback: once, in the notifier's thread, when everything that was queued before is delivered;
 * what was set aside for a held directory does not count.
 * directories: (nullable) (array fixed-size=2): those that the caller's own request has locked, or
 * 0: when an invalidation in one of them is just under way, that one waits for the answer, and the
 * answer must not wait for it.
 * Returns: FALSE when there is nothing to wait for: callback is not called. */
gboolean cf_notifier_barrier(CfNotifier *notifier, const CfIno *directories,
                             void (*callback)(gpointer data), gpointer data);

/* callback: once, in the notifier's thread, after what was queued before; not when it does not run.
 */
void cf_notifier_call(CfNotifier *notifier, void (*callback)(gpointer data), gpointer data);

/* An unanswered READ or WRITE of an inode: attributes only, and the full form after the release. */
void cf_notifier_hold_inode(CfNotifier *notifier, CfIno ino);
void cf_notifier_release_inode(CfNotifier *notifier, CfIno ino);
/* An unanswered request that has locked a directory: its entries wait for the release. */
void cf_notifier_hold_directory(CfNotifier *notifier, CfIno ino);
void cf_notifier_release_directory(CfNotifier *notifier, CfIno ino);

void cf_notifier_get_stats(CfNotifier *notifier, CfNotifierStats *ret_stats);

G_END_DECLS
