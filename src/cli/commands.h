/* The commands but mount, which has a header of its own. */
#pragma once

#include "cli/args.h"
#include "cli/exit.h"

G_BEGIN_DECLS

CfExit cf_command_umount(const CfArgs *args);
CfExit cf_command_demo(const CfArgs *args);
/* Exit status also 3 (a resource went to error), 4 (gone), 124 (the time is over). */
CfExit cf_command_wait(const CfArgs *args);
CfExit cf_command_check(const CfArgs *args);
CfExit cf_command_profiles(const CfArgs *args);
CfExit cf_command_version(const CfArgs *args);
CfExit cf_command_help(const CfArgs *args);

G_END_DECLS
