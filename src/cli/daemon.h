/* Becoming a daemon: who starts it gets the verdict before it returns. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* No core dump, no debugger: the memory holds secrets. Thread: main, before secrets are read. */
void cf_daemon_harden(void);

/* Forks. The parent waits until the child reports or ends; SIGINT, SIGTERM and SIGHUP to it end the
 * child. Thread: main, while it is the only one.
 * Returns: TRUE in the child; FALSE in the parent with *ret_status, what it is to exit with. */
gboolean cf_daemon_start(int *ret_status);

/* In the child: hands the exit status to the parent, once; with 0 the daemon lets go of the
 * terminal and of the working directory. Nothing happens when there is no parent that waits.
 * Thread: any. */
void cf_daemon_report(int status);

G_END_DECLS
