#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/mount.h"
#include "sim/sim.h"

typedef CfExit (*Run)(const CfArgs *args);

static const Run run_by_command[CF_COMMAND_N] = {
    [CF_COMMAND_MOUNT] = cf_command_mount,       [CF_COMMAND_UMOUNT] = cf_command_umount,
    [CF_COMMAND_DEMO] = cf_command_demo,         [CF_COMMAND_CHECK] = cf_command_check,
    [CF_COMMAND_PROFILES] = cf_command_profiles, [CF_COMMAND_VERSION] = cf_command_version,
    [CF_COMMAND_WAIT] = cf_command_wait,         [CF_COMMAND_HELP] = cf_command_help,
};

/* Nothing that we open shall pass for one of these. */
static void
open_missing_stdio(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int
run(const CfArgs *args, int argc, char **argv)
{
    g_autofree char *text = NULL;

    if (args->command == CF_COMMAND_SIMULATE) {
        argv[args->rest - 1] = (char *) "cirrusfs simulate"; /* for its messages */
        return cf_sim_main(argc - args->rest + 1, argv + args->rest - 1);
    }
    if (!args->help)
        return (int) run_by_command[args->command](args);
    text = cf_help_command(args->command);
    fputs(text, stdout);
    return CF_EXIT_OK;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(CfArgs) args = {0};
    int status;

    open_missing_stdio();
    signal(SIGPIPE, SIG_IGN);
    if (!cf_args_parse(argc, argv, &args, &error)) {
        cf_say("%s", error->message);
        cf_say("‘cirrusfs help’ lists what there is");
        return CF_EXIT_USAGE;
    }
    status = run(&args, argc, argv);
    if (fflush(stdout) != 0 && errno != EPIPE && status == CF_EXIT_OK) {
        cf_say("standard output: %s", g_strerror(errno));
        status = CF_EXIT_FAILURE;
    }
    return status;
}
