#include "util/log.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/clock.h"
#include "util/error.h"

static void
quiet(CfLogLevel level)
{
    g_assert_true(cf_log_init("none", level, NULL));
}

/* Returns: (transfer full): the newest line, without its time. */
static char *
last_line(void)
{
    g_autoptr(GString) ring = cf_log_dup_ring();
    const char *line;

    g_assert_cmpuint(ring->len, >, 1);
    g_string_truncate(ring, ring->len - 1);
    line = strrchr(ring->str, '\n');
    line = line ? line + 1 : ring->str;
    g_assert_true(
        g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ", line, 0, 0));
    return g_strdup(line + strlen("2026-01-31T08:00:00.123Z "));
}

static void
assert_last(const char *wanted)
{
    g_autofree char *line = last_line();

    g_assert_cmpstr(line, ==, wanted);
}

static void
test_lines(void)
{
    gint64 before_ns = cf_clock_real_ns();

    quiet(CF_LOG_INFO);
    cf_warning("disk %d of %s", 7, "web-1");
    assert_last("warning disk 7 of web-1");
    g_assert_cmpint(cf_log_get_mtime_ns(), >=, before_ns);
    cf_error("two\nlines\033[31m and \377");
    assert_last("error two lines [31m and  ");
    cf_info("100%% \344\270\255");
    assert_last("info 100% \344\270\255");
    cf_debug("dropped");
    assert_last("info 100% \344\270\255");
    quiet(CF_LOG_DEBUG);
    cf_debug("kept");
    assert_last("debug kept");
}

static void
test_ring(void)
{
    g_autoptr(GString) ring = NULL;
    g_auto(GStrv) lines = NULL;
    int i;

    quiet(CF_LOG_INFO);
    for (i = 1; i <= 2500; i++)
        cf_info("line %d.", i);
    ring = cf_log_dup_ring();
    lines = g_strsplit(ring->str, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1001); /* the last one is empty */
    g_assert_true(g_str_has_suffix(lines[0], " info line 1501."));
    g_assert_true(g_str_has_suffix(lines[999], " info line 2500."));
    g_assert_cmpstr(lines[1000], ==, "");
}

static void
test_long_line(void)
{
    g_autofree char *text = g_strnfill(20000, 'x');
    g_autofree char *line = NULL;

    quiet(CF_LOG_INFO);
    cf_info("%s", text);
    line = last_line();
    g_assert_true(g_str_has_suffix(line, "xxx..."));
    g_assert_cmpuint(strlen(line), <=, 4096 + strlen("info "));
}

static void
test_levels(void)
{
    static const struct {
        const char *name;
        CfLogLevel level;
    } cases[] = {{"error", CF_LOG_ERROR},
                 {"warning", CF_LOG_WARNING},
                 {"info", CF_LOG_INFO},
                 {"debug", CF_LOG_DEBUG}};
    CfLogLevel level;
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(cf_log_level_from_string(cases[i].name, &level));
        g_assert_cmpint(level, ==, cases[i].level);
        g_assert_cmpstr(cf_log_level_to_string(cases[i].level), ==, cases[i].name);
    }
    g_assert_false(cf_log_level_from_string("Error", &level));
    g_assert_false(cf_log_level_from_string("", &level));
}

static void
test_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("cirrusfs-log-XXXXXX", &error);
    g_autofree char *path = g_build_filename(folder, "log", NULL);
    g_autofree char *missing = g_build_filename(folder, "no", "log", NULL);
    g_autofree char *text = NULL;
    struct stat info;

    g_assert_no_error(error);
    g_assert_false(cf_log_init(missing, CF_LOG_INFO, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_clear_error(&error);
    g_assert_true(cf_log_init(path, CF_LOG_INFO, &error));
    cf_info("one");
    g_assert_true(cf_log_init(path, CF_LOG_INFO, &error));
    cf_info("two");
    quiet(CF_LOG_INFO);
    cf_info("not there");
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_assert_true(
        g_regex_match_simple("\\A[-0-9T:.]+Z info one\n[-0-9T:.]+Z info two\n\\z", text, 0, 0));
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
assert_redacted(const char *text, const char *wanted)
{
    g_autofree char *safe = cf_log_redact(text);

    g_assert_cmpstr(safe, ==, wanted);
}

static void
test_redact(void)
{
    cf_log_add_secret(NULL);
    cf_log_add_secret("");
    cf_log_add_secret("abc"); /* too short: would take out half of the log */
    assert_redacted("abc", "abc");

    cf_log_add_secret("hunter2/+x");
    cf_log_add_secret("hunter2/+x");
    assert_redacted("nothing", "nothing");
    assert_redacted(NULL, "");
    assert_redacted("password=hunter2/+x.", "password=***.");
    assert_redacted("hunter2/+xhunter2/+x", "******");
    assert_redacted("p=hunter2%2F%2Bx&q", "p=***&q");
    assert_redacted("p=hunter2%2f%2bx&q", "p=***&q");
    assert_redacted("p=hunter2/%2Bx&q", "p=***&q");   /* '/' may stay in a path */
    assert_redacted("name hunter2%2F+x", "name ***"); /* as a file name */
    assert_redacted("hunter2/ +x", "hunter2/ +x");
    /* In base64, at the beginning and after one, two and three more bytes. */
    assert_redacted("aHVudGVyMi8reA==", "***A==");
    assert_redacted("Basic dXNlcjpodW50ZXIyLyt4", "Basic dXNlcjp***");
    assert_redacted("YWI6aHVudGVyMi8reA==", "YWI6***A==");
}

static void
test_redact_forms(void)
{
    cf_log_add_secret("pa\"ss\\word");
    assert_redacted("{\"p\":\"pa\\\"ss\\\\word\"}", "{\"p\":\"***\"}");
    cf_log_add_secret("with space~");
    assert_redacted("a=with%20space~&b", "a=***&b");
    assert_redacted("a=with%20space%7E&b", "a=***&b");
    cf_log_add_secret("long-secret");
    cf_log_add_secret("long-secret-and-longer");
    assert_redacted("x long-secret-and-longer y", "x *** y");
    cf_log_add_secret("\344\270\255\346\226\207");
    assert_redacted("\344\270\255\346\226\207 %E4%B8%AD%E6%96%87 %e4%b8%ad%e6%96%87",
                    "*** *** ***");
    quiet(CF_LOG_INFO);
    cf_info("token long-secret!");
    assert_last("info token ***!");
}

/* Tokens come and go; what was registered first is kept. */
static void
test_many_secrets(void)
{
    int i;

    cf_log_add_secret("configured-once");
    for (i = 0; i < 1000; i++) {
        g_autofree char *token = g_strdup_printf("token-%04d-abcdef", i);

        cf_log_add_secret(token);
        assert_redacted(token, "***");
    }
    assert_redacted("configured-once token-0999-abcdef token-0900-abcdef", "*** *** ***");
}

static gpointer
talk(gpointer data)
{
    int i;

    for (i = 0; i < 500; i++) {
        g_autofree char *secret = g_strdup_printf("%s-%d", (const char *) data, i % 20);

        cf_log_add_secret(secret);
        cf_info("said %s", secret);
        g_string_free(cf_log_dup_ring(), TRUE);
    }
    return NULL;
}

static void
test_threads(void)
{
    static const char *const names[] = {"alpha-alpha", "beta-beta", "gamma-gamma"};
    g_autoptr(GString) ring = NULL;
    GThread *threads[3];
    gsize i;

    quiet(CF_LOG_INFO);
    for (i = 0; i < G_N_ELEMENTS(names); i++)
        threads[i] = g_thread_new("talker", talk, (gpointer) names[i]);
    for (i = 0; i < G_N_ELEMENTS(names); i++)
        g_thread_join(threads[i]);
    ring = cf_log_dup_ring();
    g_assert_null(strstr(ring->str, "alpha-alpha"));
    g_assert_nonnull(strstr(ring->str, "info said ***\n"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/lines", test_lines);
    g_test_add_func("/log/ring", test_ring);
    g_test_add_func("/log/long-line", test_long_line);
    g_test_add_func("/log/levels", test_levels);
    g_test_add_func("/log/file", test_file);
    g_test_add_func("/log/secrets", test_redact);
    g_test_add_func("/log/secrets-in-other-forms", test_redact_forms);
    g_test_add_func("/log/many-secrets", test_many_secrets);
    g_test_add_func("/log/threads", test_threads);
    return g_test_run();
}
