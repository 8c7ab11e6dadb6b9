/* Exit statuses (contract section 8), and what is said on stderr. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    CF_EXIT_OK,
    CF_EXIT_FAILURE,     /* at run time */
    CF_EXIT_USAGE,       /* the command line cannot be understood */
    CF_EXIT_CONFIG,      /* the configuration cannot be used */
    CF_EXIT_CREDENTIALS, /* the cloud refuses them */
    CF_EXIT_UNREACHABLE, /* no answer from the cloud */
} CfExit;

/* error: (nullable): NULL is CF_EXIT_OK. */
CfExit cf_exit_from_error(const GError *error);

/* Says what failed on this machine: CF_EXIT_CONFIG or CF_EXIT_FAILURE, since no cloud was asked. */
CfExit cf_exit_tell(const GError *error);

/* Of two failures: theirs when they are of one kind, else CF_EXIT_FAILURE. CF_EXIT_OK yields. */
CfExit cf_exit_join(CfExit a, CfExit b);

/* The message of an error, with the cloud's own words where it does not hold them yet; one line,
 * without secrets. Returns: (transfer full). */
char *cf_exit_describe(const GError *error);

/* A line on stderr after the program's name: control characters are made harmless, secrets removed.
 */
void cf_say(const char *format, ...) G_GNUC_PRINTF(1, 2);

G_END_DECLS
