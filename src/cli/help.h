/* Texts for people, all of them made from the tables. */
#pragma once

#include "cli/args.h"

G_BEGIN_DECLS

/* The commands, a line each; for nobody in particular. Returns: (transfer full). */
char *cf_help_overview(void);
/* Returns: (transfer full). */
char *cf_help_command(CfCommand command);
/* topic: (nullable): a command, "options" or "config".
 * Returns: (transfer full) (nullable). Errors: CF_ERROR_INVALID. */
char *cf_help_topic(const char *topic, GError **error);

/* Everything that can be given, for the manual's test and for completion. A line each, with tabs
 * between: kind (option, flag, key, command), of what (-o, the command, the provider), name,
 * argument, default, description. Returns: (transfer full). */
char *cf_help_table(void);

G_END_DECLS
