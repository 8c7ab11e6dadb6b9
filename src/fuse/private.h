/* What the files of this folder share. */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include <fuse_lowlevel.h>

#include "fuse/notify.h"
#include "fuse/polls.h"
#include "fuse/session.h"
#include "util/error.h"

G_BEGIN_DECLS

/* --- io.c: between libfuse and /dev/fuse ------------------------------------------------------ */

#define CF_OPCODE_N 64

typedef struct {
    atomic_ullong requests[CF_OPCODE_N]; /* by opcode; [0]: of a number that we do not know */
    atomic_ullong answered, answered_us;
} CfCounters;

/* --- wait.c: requests that are answered later ------------------------------------------------- */

/* The set of them; references are held by the session and by each waiter. */
typedef struct _CfWaiters CfWaiters;
typedef struct _CfWaiter CfWaiter;

/* --- freeze.c: files to which a WRITE waits -----------------------------------------------------
 */

typedef struct _CfFreezer CfFreezer;

CfFreezer *cf_freezer_new(void);
void cf_freezer_free(CfFreezer *freezer); /* (nullable) */
/* SETATTR of a control file was answered so. Thread: any, as all of these. */
void cf_freezer_told(CfFreezer *freezer, const CfAttr *attr);
/* A WRITE begins to wait; and is answered, or about to be. */
void cf_freezer_begin(CfFreezer *freezer, CfIno ino);
void cf_freezer_end(CfFreezer *freezer, CfIno ino);
/* What the kernel is to be told of a file. */
void cf_freezer_apply(CfFreezer *freezer, CfAttr *attr);

struct _CfSession {
    CfTree *tree;
    CfNotifier *notifier;
    CfWaiters *waiters;
    CfPolls *polls;
    CfFreezer *freezer;
    struct fuse_session *fuse; /* (nullable) */
    char *mountpoint;          /* absolute, without symbolic links */
    gboolean mounted;
    dev_t dev; /* of the mount, to know it again; 0: not known */
    uid_t uid;
    gid_t gid;
    guint32 generation; /* of every inode but the root: another one with each mount */
    gboolean kernel_open;
    CfCounters counters;

    atomic_llong answering_us; /* when an answer was begun last */

    /* Of the receiving thread alone. */
    enum { CF_INIT_NONE, CF_INIT_ANSWERING, CF_INIT_DONE } init;
    gboolean force_parallel_dirops;
    gboolean no_open, no_opendir;
    gint64 received_us; /* when the present request came */
    gboolean kept;      /* it is answered later, or never */
    guint64 poll_kh;    /* of a POLL: libfuse does not hand it on */
    char *buffer;       /* for directory listings */
    gsize buffer_size;

    /* watch.c */
    int wake_fd;
    GThread *watcher; /* (nullable) */
    pthread_t receiver;
    sigset_t former_mask;   /* the receiver's */
    atomic_bool leaving;    /* the receiving thread is to end */
    atomic_bool loop_ended; /* it did */
};

extern const struct fuse_lowlevel_ops cf_ops;

/* Puts our read and writev below libfuse. */
gboolean cf_io_install(CfSession *session, GError **error);
void cf_io_answered(CfSession *session, gint64 received_us);

/* One request that waits. Filled in by ops.c between cf_waiter_new() and cf_waiter_keep(). */
struct _CfWaiter {
    CfSession *session;
    fuse_req_t req;
    const char *op; /* for the log */
    CfIno ino;
    char *name; /* (owned) (nullable) */
    gsize size;
    guint64 offset;
    gboolean plus; /* READDIRPLUS */
    CfIno made;    /* of a SYMLINK: what it made; else 0 */
    /* 0: none; told to the notifier by cf_waiter_keep() */
    CfIno held_inode, held_directories[CF_NOTIFY_DIRECTORIES];
    gboolean drop_pages; /* what the kernel has of ino goes before the answer */
    /* Answers, as the last thing: error (nullable) is what the waiting came to. Or leaves the
     * request unanswered and returns CF_WAIT with ret_need set. In any thread. */
    CfVerdict (*answer)(CfWaiter *waiter, const GError *error, CfNeed *ret_need);

    /* private to wait.c */
    CfWaiters *set;
    pid_t pid;
    gint64 received_us;
    atomic_bool interrupted;
    GList link;
    gboolean frozen;    /* of whoever answers: held_inode is with the freezer */
    gboolean claimed;   /* set->lock: somebody answers it, or did */
    gint64 deadline_us; /* set->lock: 0: none */
    GError *verdict;    /* set->lock, until claimed */
};

CfWaiters *cf_waiters_new(int wake_fd);
void cf_waiters_unref(CfWaiters *set);
guint cf_waiters_get_length(CfWaiters *set);
/* Answers all of them, and lets no other in; when it returns, no answer is being made. */
void cf_waiters_close(CfWaiters *set);
/* Answers those whose program is being killed and those that are due.
 * Returns: milliseconds until it wants to be called again, or -1. */
int cf_waiters_check(CfWaiters *set);

CfWaiter *cf_waiter_new(CfSession *session, fuse_req_t req, const char *op, CfIno ino);
/* waiter: (transfer full). From here on it may be answered at any time, by whoever comes first: the
 * callback, an interrupt, a deadline, the end.
 * Returns: (transfer full) (nullable): what to hand to cf_waiter_done(); NULL: it is answered. */
CfWaiter *cf_waiter_keep(CfWaiter *waiter);
/* To be called ahead of the reply to a WRITE: behind it the next one may have begun, with a freeze
 * of its own. In the thread that answers. */
void cf_waiter_thaw(CfWaiter *waiter);
/* A CfDoneCallback: the waiting is over. The answer is made when what was queued for the kernel
 * before is delivered, so that who waited sees the new state on every path; but at most a second
 * later. data: (transfer full) what cf_waiter_keep() gave. */
void cf_waiter_done(const GError *error, gpointer data);

/* --- ops.c ------------------------------------------------------------------------------------ */

void cf_reply_error(fuse_req_t req, const char *op, CfIno ino, const GError *error);
void cf_reply_attr(fuse_req_t req, const CfAttr *attr);
struct fuse_entry_param cf_param_from_entry(const CfSession *session, const CfEntry *entry);

/* --- names.c: handlers of cf_ops -------------------------------------------------------------- */

void cf_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                  struct fuse_file_info *fi);
void cf_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev);
void cf_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void cf_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void cf_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void cf_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void cf_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void cf_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                  const char *new_name, unsigned int flags);
void cf_op_setattr_scratch(fuse_req_t req, fuse_ino_t ino, const struct stat *st, int to_set);

/* --- watch.c: signals, and time for those that wait ------------------------------------------- */

/* From here on signals are noted. */
void cf_watch_install(CfSession *session);
void cf_watch_uninstall(CfSession *session);
void cf_watch_start(CfSession *session);
/* The watcher looks again when it is to wake next. */
void cf_watch_wake(CfSession *session);
/* After the loop. */
void cf_watch_stop(CfSession *session);

/* --- mountpoint.c ----------------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the path as the kernel has it, ready to be mounted on. */
char *cf_mountpoint_prepare(const char *path, gboolean allow_other, GError **error);
/* The device number of the topmost mount on path when it is one of ours, else 0. */
dev_t cf_mountpoint_get_device(const char *path);
/* Detaches our mount, whose connection is severed, in a process of its own: whoever lets go of a
 * mount drops the kernel's inodes one by one, and millions take longer than anybody waits for a
 * daemon that was told to end. Returns when that process is done, or when it was detached and
 * patience_ms are over; what is left is then the kernel's work alone. Thread: main. */
void cf_mountpoint_leave(const char *path, dev_t dev, int patience_ms);

G_END_DECLS
