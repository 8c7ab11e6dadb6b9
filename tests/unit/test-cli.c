#include "cli/args.h"

#include <string.h>

#include "cli/exit.h"
#include "cli/mounts.h"
#include "util/error.h"

/* --- the command line ------------------------------------------------------------------------ */

/* Arguments have blanks between them here; "''" is an empty one. */
typedef struct {
    const char *line;
    const char *shown;   /* (nullable): what was understood; NULL: it is refused */
    const char *message; /* (nullable) */
} Case;

static const Case cases[] = {
    /* mount */
    {"cirrusfs mount /m", "mount mnt=/m"},
    {"cirrusfs mount prod /m", "mount mnt=/m prod"},
    {"cirrusfs mount prod test /m", "mount mnt=/m prod test"},
    {"cirrusfs mount -f /m", "mount mnt=/m foreground"},
    {"cirrusfs mount --foreground /m", "mount mnt=/m foreground"},
    {"cirrusfs mount -c /e/config /m", "mount mnt=/m config=/e/config"},
    {"cirrusfs mount -c/e/config /m", "mount mnt=/m config=/e/config"},
    {"cirrusfs mount --config=/e/config /m", "mount mnt=/m config=/e/config"},
    {"cirrusfs mount --config /e/config /m", "mount mnt=/m config=/e/config"},
    {"cirrusfs mount -c a -c b /m", "mount mnt=/m config=b"},
    {"cirrusfs mount -o ro /m", "mount mnt=/m options=ro"},
    {"cirrusfs mount prod /m -o ro", "mount mnt=/m options=ro prod"},
    {"cirrusfs mount -o ro -o ttl=5 /m", "mount mnt=/m options=ro,ttl=5"},
    {"cirrusfs mount -fo ro /m", "mount mnt=/m options=ro foreground"},
    {"cirrusfs mount -foro /m", "mount mnt=/m options=ro foreground"},
    {"cirrusfs mount -o ro,config=/e/c,ttl=5 /m", "mount mnt=/m config=/e/c options=ro,ttl=5"},
    {"cirrusfs mount -o config=/e/a\\,b /m", "mount mnt=/m config=/e/a,b"},
    {"cirrusfs mount -o cacert=/e/a\\,config=x /m", "mount mnt=/m options=cacert=/e/a\\,config=x"},
    {"cirrusfs mount -- -f /m", "mount mnt=/m -f"},
    {"cirrusfs mount - /m", "mount mnt=/m -"},
    {"cirrusfs mount --help", "mount help"},
    {"cirrusfs mount -h", "mount help"},
    {"cirrusfs mount", NULL,
     "mount: something is missing: mount [-f] [-o OPTIONS] [-c FILE] [PROFILE...] MNT"},
    {"cirrusfs mount ''", NULL, "mount: an empty argument"},
    {"cirrusfs mount /m -o", NULL, "-o needs a value: -o OPTIONS"},
    {"cirrusfs mount /m --config", NULL, "--config needs a value: --config FILE"},
    {"cirrusfs mount -x /m", NULL, "unknown option ‘-x’"},
    {"cirrusfs mount -fx /m", NULL, "unknown option ‘-x’"},
    {"cirrusfs mount -é /m", NULL, "unknown option ‘-é’"},
    {"cirrusfs mount --foregroud /m", NULL,
     "unknown option ‘--foregroud’; did you mean ‘--foreground’?"},
    {"cirrusfs mount --foreground=yes /m", NULL, "--foreground takes no value"},
    {"cirrusfs mount --servers 3 /m", NULL, "unknown option ‘--servers’"},
    {"cirrusfs mount --options-tsv /m", NULL, "unknown option ‘--options-tsv’"},

    /* mount(8)'s order */
    {"/sbin/mount.fuse.cirrusfs prod /m", "mount mnt=/m prod"},
    {"mount.fuse.cirrusfs prod /m -o rw,_netdev", "mount mnt=/m options=rw,_netdev prod"},
    {"mount.fuse.cirrusfs prod /m -o rw -o ttl=5", "mount mnt=/m options=rw,ttl=5 prod"},
    {"mount.fuse.cirrusfs prod /m -n -s -v -t fuse.cirrusfs -N 7 -o ro",
     "mount mnt=/m options=ro prod"},
    {"mount.fuse.cirrusfs prod+test /m", "mount mnt=/m prod test"},
    {"mount.fuse.cirrusfs all /m", "mount mnt=/m"},
    {"mount.fuse.cirrusfs none /m", "mount mnt=/m"},
    {"mount.fuse.cirrusfs cirrusfs /m", "mount mnt=/m"},
    {"mount.fuse.cirrusfs prod /m -f", "mount mnt=/m fake prod"},
    {"mount.fuse.cirrusfs prod /m -o config=/e/c", "mount mnt=/m config=/e/c prod"},
    {"mount.fuse.cirrusfs prod", NULL,
     "mount: something is missing: mount PROFILE[+PROFILE...] MNT [-sfnv] [-o OPTIONS]"},
    {"mount.fuse.cirrusfs prod /m more", NULL,
     "mount: ‘more’ is too much: mount PROFILE[+PROFILE...] MNT [-sfnv] [-o OPTIONS]"},
    /* as mount.fuse3 calls it */
    {"cirrusfs prod /m -o rw,dev,suid", "mount mnt=/m options=rw,dev,suid prod"},
    {"cirrusfs prod m -o rw", NULL, "unknown command ‘prod’"},

    /* the others */
    {"cirrusfs umount /m", "umount mnt=/m"},
    {"cirrusfs umount", NULL, "umount: something is missing: umount MNT"},
    {"cirrusfs umount /m /n", NULL, "umount: ‘/n’ is too much: umount MNT"},
    {"cirrusfs unmount /m", NULL, "unknown command ‘unmount’; did you mean ‘umount’?"},
    {"cirrusfs demo /m", "demo mnt=/m"},
    {"cirrusfs demo -f /m --servers 200 --images=7 --seed 3 --latency 20 --transition 100 "
     "--hostile",
     "demo mnt=/m foreground hostile servers=200 images=7 seed=3 latency=20 transition=100"},
    {"cirrusfs demo /m --servers 0", "demo mnt=/m servers=0"},
    {"cirrusfs demo /m -o dry_run", "demo mnt=/m options=dry_run"},
    {"cirrusfs demo /m -o config=/e/c", "demo mnt=/m options=config=/e/c"},
    {"cirrusfs demo /m --servers few", NULL,
     "--servers takes a whole number up to 10000000, not ‘few’"},
    {"cirrusfs demo /m --servers -1", NULL,
     "--servers takes a whole number up to 10000000, not ‘-1’"},
    {"cirrusfs demo /m --servers=", NULL, "--servers takes a whole number up to 10000000, not ‘’"},
    {"cirrusfs demo /m --seed 99999999999999999999", NULL,
     "--seed takes a whole number up to 9223372036854775807, not ‘99999999999999999999’"},
    {"cirrusfs demo /m --servers 10000001", NULL,
     "--servers takes a whole number up to 10000000, not ‘10000001’"},
    {"cirrusfs demo /m --sevrers 1", NULL, "unknown option ‘--sevrers’; did you mean ‘--servers’?"},
    {"cirrusfs demo -c /e/c /m", NULL, "unknown option ‘-c’"},
    {"cirrusfs simulate --port 0 --help", "simulate rest=2"},
    {"cirrusfs check", "check"},
    {"cirrusfs check -c /e/c prod test", "check config=/e/c prod test"},
    {"cirrusfs check --help", "check help"},
    {"cirrusfs profiles", "profiles"},
    {"cirrusfs profiles -c /e/c", "profiles config=/e/c"},
    {"cirrusfs profiles prod", NULL, "profiles: ‘prod’ is too much: profiles [-c FILE]"},
    {"cirrusfs version", "version"},
    {"cirrusfs --version", "version"},
    {"cirrusfs -V", "version"},
    {"cirrusfs help", "help"},
    {"cirrusfs --help", "help"},
    {"cirrusfs -h", "help"},
    {"cirrusfs help mount", "help topic=mount"},
    {"cirrusfs help --options-tsv", "help tsv"},
    {"cirrusfs help a b", NULL, "help: ‘b’ is too much: help [COMMAND | options | config]"},
    {"cirrusfs", NULL, "a command is missing"},
    {"cirrusfs mout /m", NULL, "unknown command ‘mout’; did you mean ‘mount’?"},
    {"cirrusfs frobnicate", NULL, "unknown command ‘frobnicate’"},
    {"cirrusfs -f mount /m", NULL, "unknown option ‘-f’; the command comes first"},
};

static void
append_text(GString *out, const char *name, const char *text)
{
    if (text)
        g_string_append_printf(out, " %s=%s", name, text);
}

static void
append_flag(GString *out, const char *name, gboolean flag)
{
    if (flag)
        g_string_append_printf(out, " %s", name);
}

static void
append_number(GString *out, const char *name, gint64 number)
{
    if (number >= 0)
        g_string_append_printf(out, " %s=%" G_GINT64_FORMAT, name, number);
}

static char *
show(const CfArgs *args)
{
    GString *out = g_string_new(cf_command_get_info(args->command)->name);

    append_flag(out, "help", args->help);
    append_text(out, "mnt", args->mountpoint);
    append_text(out, "config", args->config);
    append_text(out, "options", args->options);
    append_text(out, "topic", args->topic);
    append_flag(out, "foreground", args->foreground);
    append_flag(out, "fake", args->fake);
    append_flag(out, "tsv", args->options_tsv);
    append_flag(out, "hostile", args->hostile);
    append_number(out, "servers", args->servers);
    append_number(out, "images", args->images);
    append_number(out, "seed", args->seed);
    append_number(out, "latency", args->latency_ms);
    append_number(out, "transition", args->transition_ms);
    if (args->command == CF_COMMAND_SIMULATE)
        append_number(out, "rest", args->rest);
    for (char **profile = args->profiles; *profile; profile++)
        append_flag(out, *profile, TRUE);
    return g_string_free(out, FALSE);
}

static void
test_case(gconstpointer data)
{
    const Case *test = data;
    g_auto(GStrv) argv = g_strsplit(test->line, " ", -1);
    g_auto(CfArgs) args = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = NULL;
    gboolean good;

    for (char **argument = argv; *argument; argument++)
        if (strcmp(*argument, "''") == 0)
            **argument = '\0';
    good = cf_args_parse((int) g_strv_length(argv), argv, &args, &error);
    g_assert_cmpstr(error ? error->message : NULL, ==, test->message);
    g_assert_cmpint(good, ==, test->shown != NULL);
    if (!good) {
        g_assert_error(error, CF_ERROR, CF_ERROR_INVALID);
        return;
    }
    shown = show(&args);
    g_assert_cmpstr(shown, ==, test->shown);
}

static void
test_nothing(void)
{
    g_auto(CfArgs) args = {0};
    g_autoptr(GError) error = NULL;
    char *const argv[] = {NULL};

    g_assert_false(cf_args_parse(0, argv, &args, &error));
    g_assert_cmpstr(error->message, ==, "a command is missing");
}

/* --- exit statuses --------------------------------------------------------------------------- */

static const int status_by_code[CF_ERROR_N] = {
    [CF_ERROR_INVALID] = 1,     [CF_ERROR_TOO_BIG] = 1,      [CF_ERROR_NAME_TOO_LONG] = 1,
    [CF_ERROR_BUSY] = 1,        [CF_ERROR_NOT_FOUND] = 1,    [CF_ERROR_GONE] = 1,
    [CF_ERROR_EXISTS] = 1,      [CF_ERROR_UNAUTHORIZED] = 4, [CF_ERROR_EXPIRED] = 4,
    [CF_ERROR_DENIED] = 4,      [CF_ERROR_REFUSED] = 1,      [CF_ERROR_QUOTA] = 1,
    [CF_ERROR_CAPACITY] = 1,    [CF_ERROR_THROTTLED] = 5,    [CF_ERROR_TIMEOUT] = 5,
    [CF_ERROR_UNREACHABLE] = 5, [CF_ERROR_NO_CONNECT] = 5,   [CF_ERROR_PROTOCOL] = 1,
    [CF_ERROR_REMOTE] = 1,      [CF_ERROR_CHANGED] = 1,      [CF_ERROR_UNSUPPORTED] = 1,
    [CF_ERROR_READ_ONLY] = 1,   [CF_ERROR_FILE_TOO_BIG] = 1, [CF_ERROR_CROSS] = 1,
    [CF_ERROR_NOT_EMPTY] = 1,   [CF_ERROR_INTERRUPTED] = 1,  [CF_ERROR_CONFIG] = 3,
    [CF_ERROR_INTERNAL] = 1,    [CF_ERROR_NOT_YOURS] = 4,    [CF_ERROR_DRY_RUN] = 1,
};

static void
test_exit_codes(void)
{
    g_autoptr(GError) other = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "gone");

    g_assert_cmpint(cf_exit_from_error(NULL), ==, 0);
    g_assert_cmpint(cf_exit_from_error(other), ==, 1);
    for (int code = 0; code < CF_ERROR_N; code++) {
        g_autoptr(GError) error = g_error_new(CF_ERROR, code, "x");

        g_assert_cmpint(status_by_code[code], !=, 0); /* a new code belongs into the table */
        g_assert_cmpint(cf_exit_from_error(error), ==, status_by_code[code]);
    }
}

static void
test_exit_join(void)
{
    g_assert_cmpint(cf_exit_join(0, 0), ==, 0);
    g_assert_cmpint(cf_exit_join(0, 4), ==, 4);
    g_assert_cmpint(cf_exit_join(4, 0), ==, 4);
    g_assert_cmpint(cf_exit_join(5, 5), ==, 5);
    g_assert_cmpint(cf_exit_join(4, 5), ==, 1);
}

static void
test_exit_describe(void)
{
    const CfCloudWords words = {401, "101.001", "token\nis bad", "r-1"};
    const CfCloudWords same = {401, "101.001", "refused", "r-1"};
    g_autoptr(GError) plain = g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "no answer\033[2J");
    g_autoptr(GError) cloud = NULL;
    g_autoptr(GError) held = NULL;
    g_autofree char *a = cf_exit_describe(plain);
    g_autofree char *b = NULL;
    g_autofree char *c = NULL;

    cf_error_set_cloud(&cloud, CF_ERROR_UNAUTHORIZED, &words, "refused");
    cf_error_set_cloud(&held, CF_ERROR_UNAUTHORIZED, &same, "the cloud refused it");
    b = cf_exit_describe(cloud);
    c = cf_exit_describe(held);
    g_assert_cmpstr(a, ==, "no answer [2J");
    g_assert_cmpstr(b, ==, "refused (the cloud says: 101.001 token is bad)");
    g_assert_cmpstr(c, ==, "the cloud refused it");
}

/* --- the mount table ------------------------------------------------------------------------- */

static const char mountinfo[] =
    "22 1 0:20 / / rw,relatime - ext4 /dev/vda rw\n"
    "36 22 0:41 / /mnt/prod rw,nosuid shared:7 master:1 - fuse.cirrusfs prod rw,user_id=0\n"
    "37 22 0:42 / /mnt/a\\040b\\134c rw - fuse.cirrusfs cirrusfs rw\n"
    "38 22 0:43 / /mnt/other rw - fuse.sshfs cirrusfs rw\n"
    "39 22 0:44 / /mnt/fuse.cirrusfs rw - tmpfs - rw\n"
    "40 36 0:45 / /mnt/prod rw - fuse.cirrusfs prod rw\n"
    "garbage - fuse.cirrusfs \n";

static void
test_mounts(void)
{
    g_autofree char *list = cf_mounts_list(mountinfo);

    g_assert_cmpuint(cf_mounts_count(mountinfo, "/mnt/prod"), ==, 2);
    g_assert_cmpuint(cf_mounts_count(mountinfo, "/mnt/a b\\c"), ==, 1);
    g_assert_cmpuint(cf_mounts_count(mountinfo, "/mnt/other"), ==, 0);
    g_assert_cmpuint(cf_mounts_count(mountinfo, "/mnt/fuse.cirrusfs"), ==, 0);
    g_assert_cmpuint(cf_mounts_count(mountinfo, "/mnt"), ==, 0);
    g_assert_cmpuint(cf_mounts_count("", "/mnt/prod"), ==, 0);
    g_assert_cmpstr(list, ==, "/mnt/prod\n/mnt/a b\\c\n/mnt/prod\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/cli/args/%u", i);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/cli/args/nothing", test_nothing);
    g_test_add_func("/cli/exit/codes", test_exit_codes);
    g_test_add_func("/cli/exit/join", test_exit_join);
    g_test_add_func("/cli/exit/describe", test_exit_describe);
    g_test_add_func("/cli/mounts", test_mounts);
    return g_test_run();
}
