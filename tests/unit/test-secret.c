#include "config/secret.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

static const CfConfigKey keys[] = {{"user"}, {"token", .secret = TRUE, .required = TRUE}, {0}};
static const CfConfigSchema schemas[] = {{"acme", keys}, {0}};

typedef struct {
    char *directory;
    char *path;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = g_dir_make_tmp("cirrusfs-secret-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "prod.token", NULL);
    g_unsetenv("CREDENTIALS_DIRECTORY");
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *other = g_build_filename(fixture->directory, "token", NULL);
    g_autofree char *config = g_build_filename(fixture->directory, "config", NULL);

    g_unlink(fixture->path);
    g_unlink(other);
    g_unlink(config);
    g_rmdir(fixture->directory);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void
write_file(const char *path, const char *data, gssize size, mode_t mode)
{
    g_assert_true(g_file_set_contents(path, data, size, NULL));
    g_assert_cmpint(chmod(path, mode), ==, 0);
}

static void
assert_reads(CfSecretSource source, const char *from, const char *expected)
{
    g_autoptr(GError) error = NULL;
    char *secret = cf_secret_read(source, from, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(secret, ==, expected);
    cf_text_wipe(secret);
}

static void G_GNUC_PRINTF(3, 4)
    assert_fails(CfSecretSource source, const char *from, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_assert_null(cf_secret_read(source, from, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_file(Fixture *fixture, gconstpointer data)
{
    const char *path = fixture->path;

    write_file(path, "tok-1234\n", -1, 0600);
    assert_reads(CF_SECRET_FILE, path, "tok-1234");
    write_file(path, "tok-1234", -1, 0400);
    assert_reads(CF_SECRET_FILE, path, "tok-1234");
    write_file(path, " with spaces \r\n", -1, 0600);
    assert_reads(CF_SECRET_FILE, path, " with spaces ");
}

static void
test_bad_file(Fixture *fixture, gconstpointer data)
{
    const char *path = fixture->path;
    g_autofree char *large = g_strnfill(70000, 'x');

    assert_fails(CF_SECRET_FILE, path, "%s: No such file or directory", path);
    assert_fails(CF_SECRET_FILE, fixture->directory, "%s is not a file", fixture->directory);
    assert_fails(CF_SECRET_FILE, "/dev/zero", "/dev/zero is not a file");
    write_file(path, "\n", -1, 0600);
    assert_fails(CF_SECRET_FILE, path, "%s holds nothing", path);
    write_file(path, "a\n\n", -1, 0600);
    assert_fails(CF_SECRET_FILE, path, "%s holds more than one line", path);
    write_file(path, "a\0b\n", 4, 0600);
    assert_fails(CF_SECRET_FILE, path, "%s holds a NUL byte", path);
    write_file(path, large, -1, 0600);
    assert_fails(CF_SECRET_FILE, path, "%s is larger than 65536 bytes", path);
}

static void
test_mode_of_file(Fixture *fixture, gconstpointer data)
{
    const char *path = fixture->path;

    write_file(path, "tok-1234\n", -1, 0644);
    assert_fails(CF_SECRET_FILE, path,
                 "%s can be read or written by others (mode 0644); mend it with: chmod 600 '%s'",
                 path, path);
    write_file(path, "tok-1234\n", -1, 0640);
    assert_fails(CF_SECRET_FILE, path,
                 "%s can be read or written by others (mode 0640); mend it with: chmod 600 '%s'",
                 path, path);
}

static void
test_owner_of_file(Fixture *fixture, gconstpointer data)
{
    const char *path = fixture->path;

    if (geteuid() != 0) {
        g_test_skip("only root can give files away");
        return;
    }
    write_file(path, "tok-1234\n", -1, 0600);
    g_assert_cmpint(chown(path, 65534, (gid_t) -1), ==, 0);
    assert_fails(CF_SECRET_FILE, path,
                 "%s belongs to another user (uid 65534); mend it with: chown 0 '%s'", path, path);
}

/* A pipe that nobody writes to is refused or empty, but nothing to wait for. */
static void
test_pipe(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
    assert_fails(CF_SECRET_FILE, fixture->path, "%s holds nothing", fixture->path);
}

static void
test_env(void)
{
    g_setenv("CF_TEST_TOKEN", "tok-env", TRUE);
    assert_reads(CF_SECRET_ENV, "CF_TEST_TOKEN", "tok-env");
    g_setenv("CF_TEST_TOKEN", "", TRUE);
    assert_fails(CF_SECRET_ENV, "CF_TEST_TOKEN", "the variable ‘CF_TEST_TOKEN’ is empty");
    g_unsetenv("CF_TEST_TOKEN");
    assert_fails(CF_SECRET_ENV, "CF_TEST_TOKEN", "the environment has no variable ‘CF_TEST_TOKEN’");
}

/* Nobody waits for what a command leaves running behind. */
static void
test_command_behind(Fixture *fixture, gconstpointer data)
{
    g_autofree char *command =
        g_strdup_printf("sleep 60 & echo $! > '%s'; echo tok", fixture->path);
    g_autofree char *text = NULL;

    if (g_getenv("CF_UNDER_VALGRIND")) {
        g_test_skip("valgrind knows no pidfd");
        return;
    }
    assert_reads(CF_SECRET_COMMAND, command, "tok");
    g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
    g_assert_cmpint(kill((pid_t) g_ascii_strtoll(text, NULL, 10), SIGKILL), ==, 0);
}

static void
test_command(void)
{
    assert_reads(CF_SECRET_COMMAND, "echo tok-cmd", "tok-cmd");
    assert_reads(CF_SECRET_COMMAND, "printf 'a b'; echo chatter >&2", "a b");
    /* nothing to read from, and a session of its own */
    assert_reads(CF_SECRET_COMMAND, "cat; echo tok", "tok");
    assert_reads(CF_SECRET_COMMAND, "[ \"$(ps -o sid= -p $$)\" -eq $$ ] && echo tok", "tok");
    assert_reads(CF_SECRET_COMMAND, "head -c 65535 /dev/zero | tr '\\0' x | tail -c 3", "xxx");
}

static void
test_bad_command(void)
{
    cf_log_add_secret("known-secret");
    assert_fails(CF_SECRET_COMMAND, "exit 3", "the command failed with status 3");
    assert_fails(CF_SECRET_COMMAND, "echo oops known-secret >&2; echo again >&2; exit 1",
                 "the command failed with status 1: oops *** again");
    assert_fails(CF_SECRET_COMMAND, "echo s3cret-word; echo no s3cret-word >&2; exit 1",
                 "the command failed with status 1: no ***");
    assert_fails(CF_SECRET_COMMAND, "kill -9 $$", "the command was killed by signal 9");
    assert_fails(CF_SECRET_COMMAND, "true", "what the command wrote holds nothing");
    assert_fails(CF_SECRET_COMMAND, "echo a; echo b",
                 "what the command wrote holds more than one line");
    assert_fails(CF_SECRET_COMMAND, "head -c 200000 /dev/zero",
                 "the command wrote more than 65536 bytes");
}

/* All of it is killed, not only the shell. */
static void
test_slow_command(Fixture *fixture, gconstpointer data)
{
    g_autofree char *command =
        g_strdup_printf("echo waiting >&2; sleep 60 & echo $! > '%s'; wait", fixture->path);
    g_autofree char *text = NULL;
    gint64 begin_us = cf_clock_mono_us();
    pid_t pid;

    cf_secret_command_limit_us = 500000;
    assert_fails(CF_SECRET_COMMAND, command, "the command did not end within 0.5 s: waiting");
    cf_secret_command_limit_us = 30 * G_USEC_PER_SEC;
    g_assert_cmpint(cf_clock_mono_us() - begin_us, <, 20 * G_USEC_PER_SEC);

    g_assert_true(g_file_get_contents(fixture->path, &text, NULL, NULL));
    pid = (pid_t) g_ascii_strtoll(text, NULL, 10);
    for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++) {
        g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", (int) pid);
        g_autofree char *stat = NULL;

        if (g_file_get_contents(stat_path, &stat, NULL, NULL) && strstr(stat, ") Z"))
            return; /* dead; it is init's to bury it */
        g_usleep(10000);
    }
    g_assert_cmpint(kill(pid, 0), ==, -1);
}

/* --- through a profile ------------------------------------------------------------------------ */

static CfConfig *
load(const char *text)
{
    g_autoptr(GError) error = NULL;
    CfConfig *config = cf_config_load_data("conf", text, schemas, NULL, &error);

    g_assert_no_error(error);
    return config;
}

static void
assert_token(CfConfig *config, const char *name, const char *expected)
{
    CfProfile *profile = cf_config_find_profile(config, name);
    g_autoptr(GError) error = NULL;
    g_autofree char *redacted = NULL;

    g_assert_null(cf_profile_get(profile, "token"));
    cf_profile_read_secrets(profile, &error);
    g_assert_no_error(error);
    g_assert_true(cf_profile_read_secrets(profile, NULL));
    g_assert_cmpstr(cf_profile_get(profile, "token"), ==, expected);
    redacted = cf_log_redact(expected);
    g_assert_cmpstr(redacted, ==, "***");
}

static void
test_profile(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = g_strdup_printf("[inline]\nprovider = acme\ntoken = tok-inline\n"
                                            "[file]\nprovider = acme\ntoken_file = %s\n"
                                            "[env]\nprovider = acme\ntoken_env = CF_TEST_TOKEN\n"
                                            "[cmd]\nprovider = acme\ntoken_command = echo tok-cmd",
                                            fixture->path);
    g_autoptr(CfConfig) config = load(text);

    write_file(fixture->path, "tok-file\n", -1, 0600);
    g_setenv("CF_TEST_TOKEN", "tok-env", TRUE);
    assert_token(config, "inline", "tok-inline");
    assert_token(config, "file", "tok-file");
    assert_token(config, "env", "tok-env");
    assert_token(config, "cmd", "tok-cmd");
    g_unsetenv("CF_TEST_TOKEN");
}

static void
assert_profile_fails(const char *text, const char *message)
{
    g_autoptr(CfConfig) config = load(text);
    g_autoptr(GError) error = NULL;

    g_assert_false(cf_profile_read_secrets(cf_config_find_profile(config, "prod"), &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_profile_fails(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text =
        g_strdup_printf("[prod]\nprovider = acme\n\ntoken_file = %s\n", fixture->path);
    g_autofree char *message = g_strdup_printf(
        "conf:4: ‘token_file’ in [prod]: %s can be read or written by others (mode 0644); mend it "
        "with: chmod 600 '%s'",
        fixture->path, fixture->path);

    write_file(fixture->path, "tok-file\n", -1, 0644);
    assert_profile_fails(text, message);
    assert_profile_fails("[prod]\nprovider = acme\ntoken_command = echo no >&2; exit 2\n",
                         "conf:3: ‘token_command’ in [prod]: the command failed with status 2: no");
    assert_profile_fails(
        "[prod]\nprovider = acme\ntoken_env = CF_TEST_NONE\n",
        "conf:3: ‘token_env’ in [prod]: the environment has no variable ‘CF_TEST_NONE’");
}

static void
test_credential(Fixture *fixture, gconstpointer data)
{
    g_autofree char *other = g_build_filename(fixture->directory, "token", NULL);
    g_autoptr(CfConfig) config = NULL;
    g_autofree char *shown = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("CREDENTIALS_DIRECTORY", fixture->directory, TRUE);
    write_file(fixture->path, "tok-prod\n", -1, 0440); /* systemd's own business */
    write_file(other, "tok-all\n", -1, 0440);
    config = load("[prod]\nprovider = acme\n[test]\nprovider = acme\n"
                  "[own]\nprovider = acme\ntoken = tok-own\n");
    assert_token(config, "prod", "tok-prod");
    assert_token(config, "test", "tok-all");
    assert_token(config, "own", "tok-own");
    shown = cf_config_describe(config);
    g_assert_nonnull(strstr(shown, "# from the systemd credential prod.token\ntoken=***\n"));
    g_assert_null(strstr(shown, "tok-"));

    g_assert_null(
        cf_config_load_data("conf", "[prod]\nprovider = acme\ntoken = x\n", schemas, NULL, &error));
    g_assert_cmpstr(error->message, ==,
                    "conf:3: [prod] gives the ‘token’ that the systemd credential ‘prod.token’ "
                    "gives: keep one of them");
    g_unsetenv("CREDENTIALS_DIRECTORY");
}

static void
test_relative_file(Fixture *fixture, gconstpointer data)
{
    static const char text[] = "[prod]\nprovider = acme\ntoken_file = prod.token\n";
    g_autofree char *path = g_build_filename(fixture->directory, "config", NULL);
    g_autoptr(CfConfig) config = NULL;

    write_file(path, text, -1, 0600);
    write_file(fixture->path, "tok-beside\n", -1, 0600);
    config = cf_config_load(path, schemas, NULL, NULL);
    assert_token(config, "prod", "tok-beside");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/secret/file/reads", Fixture, NULL, set_up, test_file, tear_down);
    g_test_add("/secret/file/refuses", Fixture, NULL, set_up, test_bad_file, tear_down);
    g_test_add("/secret/file/mode", Fixture, NULL, set_up, test_mode_of_file, tear_down);
    g_test_add("/secret/file/owner", Fixture, NULL, set_up, test_owner_of_file, tear_down);
    g_test_add("/secret/file/pipe", Fixture, NULL, set_up, test_pipe, tear_down);
    g_test_add_func("/secret/env", test_env);
    g_test_add_func("/secret/command/reads", test_command);
    g_test_add_func("/secret/command/refuses", test_bad_command);
    g_test_add("/secret/command/behind", Fixture, NULL, set_up, test_command_behind, tear_down);
    g_test_add("/secret/command/time", Fixture, NULL, set_up, test_slow_command, tear_down);
    g_test_add("/secret/profile/reads", Fixture, NULL, set_up, test_profile, tear_down);
    g_test_add("/secret/profile/fails", Fixture, NULL, set_up, test_profile_fails, tear_down);
    g_test_add("/secret/credential", Fixture, NULL, set_up, test_credential, tear_down);
    g_test_add("/secret/relative-file", Fixture, NULL, set_up, test_relative_file, tear_down);
    return g_test_run();
}
