#include "util/error.h"

static void
test_words(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) copy = NULL;
    CfCloudWords words = {.http_status = 400, .code = "101.001012", .message = "no"};

    cf_error_set_cloud(&error, CF_ERROR_BUSY, &words, "%s: no", "101.001012");
    copy = g_error_copy(error);
    g_assert_cmpstr(cf_error_get_cloud(copy)->code, ==, "101.001012");
    g_assert_null(cf_error_get_cloud(copy)->request_id);
    g_assert_cmpint(cf_error_code(copy), ==, CF_ERROR_BUSY);
}

static void
test_names(void)
{
    for (int code = 0; code < CF_ERROR_N; code++)
        g_assert_cmpstr(cf_error_name(code), !=, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/words-survive-a-copy", test_words);
    g_test_add_func("/error/every-code-has-a-name", test_names);
    return g_test_run();
}
