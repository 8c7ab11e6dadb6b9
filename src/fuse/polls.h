/* poll(2) as sysfs has it: the first poll on a descriptor reports a change, later ones do when the
 * value changed since the one that last reported. Contract section 7; internals.md section 1.
 *
 * There is no per-open state (open is never asked for), so what was reported is kept by the
 * kernel's poll handle, kh, which is one number for each open file. It never tells that a file was
 * closed or that nobody waits any more: the handles are an LRU, and one that fell out of it is
 * "changed" again. */
#pragma once

#include "tree/tree.h"

G_BEGIN_DECLS

#define CF_POLLS_MAX 16384
/* So long a wait is taken to last. Then the kernel is woken; it asks again when somebody is still
 * there, and nobody else sees anything of it. */
#define CF_POLL_REARM_US (60 * (gint64) G_USEC_PER_SEC)

typedef struct _CfPolls CfPolls;

/* What libfuse does with its handles, or a test in its place. wake: in the notifier's thread, no
 * lock held. */
typedef struct {
    void (*wake)(gpointer handle);
    void (*free)(gpointer handle);
} CfPollOps;

/* ops: outlives it. Returns: (transfer full). */
CfPolls *cf_polls_new(const CfPollOps *ops);
void cf_polls_free(CfPolls *polls); /* (nullable) */

/* What becomes of a report. epoll_ctl() polls to learn whether the file is ready at once, and
 * epoll_wait() polls again before it says so: the first must not use the report up. */
typedef enum {
    CF_POLL_TAKES,  /* the program sees it */
    CF_POLL_KEEPS,  /* it is asked for again */
    CF_POLL_EITHER, /* not known: the first report of a descriptor is made twice */
} CfPollTaker;

/* One POLL request. handle: (transfer full) (nullable): what wakes the one who is about to wait.
 * ret_first: set when nobody was waiting before: cf_polls_check() wants to be called.
 * Returns: whether a change is to be reported. Thread: any. */
gboolean cf_polls_ask(CfPolls *polls, guint64 kh, CfIno ino, CfPollTaker taker, gpointer handle,
                      gint64 now_us, gboolean *ret_first);

/* The kernel has just been told that the inode changed. Thread: the notifier's. */
void cf_polls_changed(CfPolls *polls, CfIno ino);
/* Wakes those who wait for too long. Thread: the notifier's. */
void cf_polls_wake_due(CfPolls *polls, gint64 now_us);
/* Returns: when the next one waits for too long (monotonic); G_MAXINT64: nobody waits. Thread:
 * any. */
gint64 cf_polls_get_next_us(CfPolls *polls);
/* How many wait. Thread: any. */
guint cf_polls_get_length(CfPolls *polls);

G_END_DECLS
