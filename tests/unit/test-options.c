#include "config/options.h"

#include <string.h>

#include "util/error.h"

static const struct {
    const char *option;
    const char *text;    /* (nullable): a bare name */
    const char *shown;   /* (nullable): as it is shown; NULL: it is refused */
    const char *message; /* (nullable) */
} cases[] = {
    {"ro", NULL, "true"},
    {"ro", "true", "true"},
    {"ro", "Yes", "true"},
    {"ro", "1", "true"},
    {"ro", "false", "false"},
    {"ro", "no", "false"},
    {"ro", "0", "false"},
    {"ro", "2", NULL, "‘2’ is neither true nor false"},
    {"ro", "", NULL, "‘’ is neither true nor false"},
    {"ttl", "0", "0"},
    {"ttl", "5", "5"},
    {"ttl", "0.5", "0.5"},
    {"ttl", "1250ms", "1.25"},
    {"ttl", "2m", "120"},
    {"ttl", "1h", "3600"},
    {"ttl", "1d", NULL, "‘1d’ is not a duration: write seconds, or 500ms, 10s, 2m, 1h"},
    {"ttl", "-1", NULL, "‘-1’ is not a duration: write seconds, or 500ms, 10s, 2m, 1h"},
    {"ttl", "nan", NULL, "‘nan’ is not a duration: write seconds, or 500ms, 10s, 2m, 1h"},
    {"ttl", "", NULL, "‘’ is not a duration: write seconds, or 500ms, 10s, 2m, 1h"},
    {"ttl", "99999999", NULL, "‘99999999’ is not between 0 and 31536000 seconds"},
    {"ttl", NULL, NULL, "needs a value: ttl=SECONDS"},
    {"patience", "0", "0"},
    {"deadline", "0.001", "0.001"},
    {"deadline", "0", NULL, "‘0’ is not between 0.001 and 86400 seconds"},
    {"deadline", "2000000", NULL, "‘2000000’ is not between 0.001 and 86400 seconds"},
    {"rate", "0", "0"},
    {"rate", "0.25", "0.25"},
    {"rate", "1e3", NULL, "‘1e3’ is not a number"},
    {"rate", "inf", NULL, "‘inf’ is not a number"},
    {"rate", "0x10", NULL, "‘0x10’ is not a number"},
    {"rate", "1.2.3", NULL, "‘1.2.3’ is not a number"},
    {"rate", "", NULL, "‘’ is not a number"},
    {"rate", ".", NULL, "‘.’ is not a number"},
    {"rate", "10001", NULL, "‘10001’ is not between 0 and 10000"},
    {"burst", "1", "1"},
    {"burst", "0", NULL, "‘0’ is not between 1 and 10000"},
    {"burst", "-1", NULL, "‘-1’ is not a whole number"},
    {"burst", "+1", NULL, "‘+1’ is not a whole number"},
    {"burst", " 1", NULL, "‘ 1’ is not a whole number"},
    {"burst", "1.5", NULL, "‘1.5’ is not a whole number"},
    {"burst", "", NULL, "‘’ is not a whole number"},
    {"burst", "99999999999999999999999", NULL,
     "‘99999999999999999999999’ is not between 1 and 10000"},
    {"connections", "257", NULL, "‘257’ is not between 1 and 256"},
    {"page_size", "0", "0"},
    {"action_limit", "0", "none"},
    {"action_limit", "none", "none"},
    {"action_limit", "7", "7"},
    {"action_limit", "None", NULL, "‘None’ is not a whole number"},
    {"action_limit", "1000001", NULL, "‘1000001’ is not between 0 and 1000000"},
    {"edit_views", NULL, "true"},
    {"edit_views", "no", "false"},
    {"edit_views", "by-tag", NULL, "‘by-tag’ is neither true nor false"},
    {"batch_limit", "none", NULL, "‘none’ is not a whole number"},
    {"batch_limit", "1000", "1000"},
    {"batch_limit", "0", NULL, "‘0’ is not between 1 and 1000000"},
    {"uid", "0", "0"},
    {"uid", "4294967294", "4294967294"},
    {"uid", "4294967295", NULL, "‘4294967295’ is not between 0 and 4294967294"},
    {"uid", "root", NULL, "‘root’ is not a whole number"},
    {"umask", "077", "077"},
    {"umask", "0", "00"},
    {"umask", "1000", NULL, "‘1000’ is not between 0 and 0777"},
    {"umask", "8", NULL, "‘8’ is not an octal number"},
    {"tags", "demand", "demand"},
    {"tags", "sweep", "sweep"},
    {"tags", "Sweep", NULL, "‘Sweep’ is none of demand, sweep"},
    {"raw", "world", "world"},
    {"raw", "", NULL, "‘’ is none of owner, world"},
    {"log_level", "debug", "debug"},
    {"log_level", "loud", NULL, "‘loud’ is none of error, warning, info, debug"},
    {"log", "/x y", "/x y"},
    {"log", "", "stderr"},
    {"proxy", "", ""},
    {"cacert", "", ""},
    {"cacert", "/x/ca.pem", "/x/ca.pem"},
    {"cacert", "ca.pem", "/base/ca.pem"},
    {"cacert", "../tls/./ca.pem", "/tls/ca.pem"},
};

static void
test_case(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    const CfOption *option = cf_option_find(cases[i].option);
    CfOptions options;
    CfMountOptions mount_options;
    gpointer target =
        cf_option_is_of_mount(option) ? (gpointer) &mount_options : (gpointer) &options;
    g_autoptr(GError) error = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    gboolean good;

    cf_options_init(&options);
    cf_mount_options_init(&mount_options);
    before = cf_option_to_text(option, target);
    good = cf_option_set(option, target, cases[i].text, "/base", &error);
    after = cf_option_to_text(option, target);
    if (cases[i].shown) {
        g_assert_no_error(error);
        g_assert_cmpstr(after, ==, cases[i].shown);
    } else {
        g_assert_false(good);
        g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, cases[i].message);
        g_assert_cmpstr(after, ==, before);
    }
    cf_options_clear(&options);
    cf_mount_options_clear(&mount_options);
}

static void
test_defaults(void)
{
    CfOptions options;
    CfMountOptions mount_options;

    cf_options_init(&options);
    cf_mount_options_init(&mount_options);
    g_assert_false(options.ro || options.allow_delete || options.edit_views || options.dry_run);
    g_assert_false(options.watch || options.raw_world || options.insecure);
    g_assert_cmpint(options.ttl_us, ==, 30000000);
    g_assert_cmpint(options.max_stale_us, ==, 120000000);
    g_assert_cmpint(options.patience_us, ==, 2000000);
    g_assert_cmpint(options.deadline_us, ==, 30000000);
    g_assert_cmpint(options.tags_ttl_us, ==, 600000000);
    g_assert_cmpfloat(options.rate, ==, 10);
    g_assert_cmpuint(options.burst, ==, 20);
    g_assert_cmpuint(options.connections, ==, 8);
    g_assert_cmpuint(options.page_size, ==, 0);
    g_assert_cmpuint(options.batch_limit, ==, 100);
    g_assert_cmpuint(options.action_limit, ==, 100);
    g_assert_cmpint(options.tags, ==, CF_TAGS_DEMAND);
    g_assert_null(options.cacert);
    g_assert_null(options.proxy);
    g_assert_false(mount_options.allow_other || mount_options.offline_ok ||
                   mount_options.kernel_open || mount_options.foreground);
    g_assert_false(mount_options.uid_set || mount_options.gid_set || mount_options.umask_set);
    g_assert_cmpstr(mount_options.log, ==, "stderr");
    g_assert_cmpstr(mount_options.log_level, ==, "info");
    g_assert_null(mount_options.state_dir);
    cf_options_clear(&options);
    cf_mount_options_clear(&mount_options);
}

static void
test_docs(void)
{
    const CfOptionDoc *docs = cf_options_get_docs();
    guint n;

    for (n = 0; docs[n].name; n++) {
        g_assert_nonnull(cf_option_find(docs[n].name));
        g_assert_true(g_str_has_suffix(docs[n].doc, "."));
        g_assert_nonnull(docs[n].fallback);
        if (!docs[n].argument)
            g_assert_cmpstr(docs[n].fallback, ==, "false");
    }
    g_assert_cmpuint(n, ==, 30);
}

static void
test_suggest(void)
{
    static const char *const words[] = {"ttl", "tags", "tags_ttl", "max_stale", "ro", NULL};

    g_assert_cmpstr(cf_option_suggest("tll", words), ==, "ttl");
    g_assert_cmpstr(cf_option_suggest("TTL", words), ==, "ttl");
    g_assert_cmpstr(cf_option_suggest("tasg", words), ==, "tags");
    g_assert_cmpstr(cf_option_suggest("maxstale", words), ==, "max_stale");
    g_assert_cmpstr(cf_option_suggest("max-stale", words), ==, "max_stale");
    g_assert_null(cf_option_suggest("frobnicate", words));
    g_assert_null(cf_option_suggest("x", words));
    g_assert_null(cf_option_suggest("", words));
    g_assert_null(
        cf_option_suggest("a-name-so-long-that-nobody-can-have-meant-any-of-these", words));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/options/%s/%u", cases[i].option, i);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_case);
    }
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/docs", test_docs);
    g_test_add_func("/options/suggest", test_suggest);
    return g_test_run();
}
