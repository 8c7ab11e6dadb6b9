#include "cli/args.h"

#include <string.h>

static const CfCommandInfo commands[CF_COMMAND_N] = {
    [CF_COMMAND_MOUNT] =
        {"mount", "[-f] [-o OPTIONS] [-c FILE] [PROFILE...] MNT",
         "show the configured accounts as files below MNT",
         "Mounts all profiles of the configuration when none is named. Returns when everything is\n"
         "mounted and the first call of each profile was answered. A profile that fails does not\n"
         "disturb the others; when all fail, nothing is mounted (but see offline_ok).\n",
         1, G_MAXUINT},
    [CF_COMMAND_UMOUNT] = {"umount", "MNT", "end a mount, also one whose daemon is gone", "", 1, 1},
    [CF_COMMAND_DEMO] =
        {"demo", "[-f] [-o OPTIONS] [--servers N] [--hostile] ... MNT",
         "mount a simulated cloud: nothing to configure",
         "The cloud runs inside the daemon, on loopback; it is gone after umount.\n", 1, 1},
    [CF_COMMAND_SIMULATE] = {"simulate", "[OPTIONS]", "run a simulated cloud alone", "", 0,
                             G_MAXUINT},
    [CF_COMMAND_CHECK] =
        {"check", "[-c FILE] [PROFILE...]", "find out why a cloud does not answer",
         "One line for each thing that must be right: ok, or FAIL and what to do.\n", 0, G_MAXUINT},
    [CF_COMMAND_PROFILES] = {"profiles", "[-c FILE]", "list the configured profiles",
                             "A line each: name, provider and endpoint, with tabs between.\n", 0,
                             0},
    [CF_COMMAND_WAIT] =
        {"wait", "PATH... VALUE... [--timeout S]", "wait until files show a value",
         "PATH is a status, state or power file in a mount; words after the first one are paths "
         "when\n"
         "they have a slash. It is reached when the file shows one of the values. Exit status: 0 "
         "all\n"
         "are reached, 3 a resource went to error, 4 one is gone, 124 the time is over.\n",
         2, G_MAXUINT},
    [CF_COMMAND_VERSION] = {"version", "", "say what this is", "", 0, 0},
    [CF_COMMAND_HELP] = {"help", "[COMMAND | options | config]", "explain a command", "", 0, 1},
    [CF_COMMAND_HELPER] = {NULL, "PROFILE[+PROFILE...] MNT [-sfnv] [-o OPTIONS]", "", "", 2, 2},
};

#define ON(command) (1u << CF_COMMAND_##command)
#define SIZE_MAX_OF_WORLD 10000000
#define AT(member) G_STRUCT_OFFSET(CfArgs, member)

static const CfFlag flags[] = {
    {ON(MOUNT) | ON(DEMO), 'f', "foreground", NULL, "Stay in the foreground; log to stderr.",
     CF_FLAG_SWITCH, AT(foreground)},
    {ON(MOUNT) | ON(DEMO), 'o', "options", "OPTIONS",
     "Options, with commas between: cirrusfs help options.", CF_FLAG_LIST, AT(options)},
    {ON(MOUNT) | ON(CHECK) | ON(PROFILES), 'c', "config", "FILE",
     "The configuration, instead of $CIRRUSFS_CONFIG or ~/.config/cirrusfs/config.", CF_FLAG_TEXT,
     AT(config)},
    {ON(DEMO), 0, "servers", "NUMBER", "Servers of the simulated cloud.", CF_FLAG_NUMBER,
     AT(servers), SIZE_MAX_OF_WORLD},
    {ON(DEMO), 0, "images", "NUMBER", "Its images.", CF_FLAG_NUMBER, AT(images), SIZE_MAX_OF_WORLD},
    {ON(DEMO), 0, "seed", "NUMBER", "Another number, another cloud.", CF_FLAG_NUMBER, AT(seed),
     G_MAXINT64},
    {ON(DEMO), 0, "latency", "MS", "How long its answers take.", CF_FLAG_NUMBER, AT(latency_ms),
     G_MAXINT},
    {ON(DEMO), 0, "transition", "MS", "How long a server takes to start or stop.", CF_FLAG_NUMBER,
     AT(transition_ms), G_MAXINT},
    {ON(DEMO), 0, "hostile", NULL, "Names and values that are hard to show.", CF_FLAG_SWITCH,
     AT(hostile)},
    {ON(WAIT), 't', "timeout", "S", "So long at most: seconds, or 500ms, 10s, 2m, 1h.",
     CF_FLAG_TEXT, AT(timeout)},
    {ON(HELP), 0, "options-tsv", NULL, NULL, CF_FLAG_SWITCH, AT(options_tsv)},
    {~0u & ~ON(HELPER), 'h', "help", NULL, "This help.", CF_FLAG_SWITCH, AT(help)},
    /* What mount(8) says to its helpers. */
    {ON(HELPER), 'o', NULL, "OPTIONS", NULL, CF_FLAG_LIST, AT(options)},
    {ON(HELPER), 'f', NULL, NULL, NULL, CF_FLAG_SWITCH, AT(fake)},
    {ON(HELPER), 's', NULL, NULL, NULL, CF_FLAG_IGNORED, 0},
    {ON(HELPER), 'n', NULL, NULL, NULL, CF_FLAG_IGNORED, 0},
    {ON(HELPER), 'v', NULL, NULL, NULL, CF_FLAG_IGNORED, 0},
    {ON(HELPER), 'N', NULL, "NAMESPACE", NULL, CF_FLAG_IGNORED, 0},
    {ON(HELPER), 't', NULL, "TYPE", NULL, CF_FLAG_IGNORED, 0},
};

const CfCommandInfo *
cf_command_get_info(CfCommand command)
{
    return &commands[command];
}

gboolean
cf_command_find(const char *name, CfCommand *ret_command)
{
    for (guint i = 0; i < CF_COMMAND_N; i++)
        if (commands[i].name && strcmp(commands[i].name, name) == 0) {
            *ret_command = i;
            return TRUE;
        }
    return FALSE;
}

const CfFlag *
cf_flags_get(guint *ret_n)
{
    *ret_n = G_N_ELEMENTS(flags);
    return flags;
}
