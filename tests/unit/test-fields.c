#include "util/error.h"
#include "json/fields.h"
#include "json/write.h"

#include <string.h>

typedef struct {
    char *name, *region, *deep;
    gint64 n;
    CfJsonSpan list;
} Target;

static const CfJsonField fields[] = {
    {"name", cf_json_take_text, offsetof(Target, name), CF_JSON_REQUIRED},
    {"regionId", cf_json_take_text, offsetof(Target, region), CF_JSON_ANY_CASE},
    {"a.b.c", cf_json_take_text, offsetof(Target, deep), CF_JSON_OPTIONAL},
    {"a.n", cf_json_take_int, offsetof(Target, n), CF_JSON_OPTIONAL},
    {"list", cf_json_take_span, offsetof(Target, list), CF_JSON_OPTIONAL},
};

static void
target_clear(Target *target)
{
    g_free(target->name);
    g_free(target->region);
    g_free(target->deep);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

static gboolean
read_text(const char *text, Target *target, GError **error)
{
    CfJsonSpan span;

    g_assert_true(cf_json_check(text, strlen(text), &span, NULL));
    return cf_json_read(span, fields, G_N_ELEMENTS(fields), target, error);
}

static void
test_reads(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Target) target = {0};

    read_text(
        "{\"unknown\":{\"name\":\"no\"},\"REGIONid\":\"r\",\"a\":{\"b\":{\"c\":12.50,\"d\":0},"
        "\"n\":\"17\"},\"list\":[1],\"na\\u006de\":\"x\",\"a.n\":3,\"Name\":\"y\"}",
        &target, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(target.name, ==, "x");
    g_assert_cmpstr(target.region, ==, "r");
    g_assert_cmpstr(target.deep, ==, "12.50");
    g_assert_cmpint(target.n, ==, 17);
    g_assert_cmpuint(target.list.len, ==, 3);
}

static void
test_last_wins(void)
{
    g_auto(Target) target = {0};

    g_assert_true(read_text("{\"name\":\"a\",\"name\":\"b\",\"a\":{\"n\":1},\"a\":{\"n\":2}}",
                            &target, NULL));
    g_assert_cmpstr(target.name, ==, "b");
    g_assert_cmpint(target.n, ==, 2);
}

static void
test_required(void)
{
    static const char *const texts[] = {"{}",
                                        "{\"name\":null}",
                                        "{\"name\":{}}",
                                        "{\"name\":[\"x\"]}",
                                        "{\"name\":\"a\",\"name\":null}",
                                        "{\"nam\":1}",
                                        "{\"names\":1}",
                                        "{\"a\":{\"name\":1}}"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(Target) target = {0};

        g_assert_false(read_text(texts[i], &target, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_nonnull(strstr(error->message, "name"));
    }
}

static void
test_wrong_types(void)
{
    static const char *const texts[] = {"{\"name\":true,\"a\":1,\"list\":{}}",
                                        "{\"name\":true,\"a\":[{\"b\":1}]}",
                                        "{\"name\":true,\"a\":{\"b\":\"c\",\"n\":{}}}",
                                        "{\"name\":true,\"a\":{\"n\":99999999999999999999}}",
                                        "{\"name\":true,\"a\":{\"n\":\"1x\"}}"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(Target) target = {0};

        g_assert_true(read_text(texts[i], &target, NULL));
        g_assert_cmpstr(target.name, ==, "true");
        g_assert_null(target.deep);
        g_assert_cmpint(target.n, ==, 0);
    }
}

static void
test_no_object(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Target) target = {0};

    g_assert_false(read_text("[]", &target, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
}

static void
test_int(void)
{
    static const struct {
        const char *text;
        gboolean good;
        gint64 number;
    } rows[] = {
        {"0", TRUE, 0},
        {"-5", TRUE, -5},
        {"\" 12 \"", TRUE, 12},
        {"16.0", TRUE, 16},
        {"9223372036854775807", TRUE, G_MAXINT64},
        {"9223372036854775808", FALSE, 0},
        {"1e3", FALSE, 0},
        {"\"\"", FALSE, 0},
        {"\"x\"", FALSE, 0},
        {"true", FALSE, 0},
        {"null", FALSE, 0},
        {"[1]", FALSE, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 number = 0;

        g_assert_cmpint(cf_json_int((CfJsonSpan){rows[i].text, strlen(rows[i].text)}, &number), ==,
                        rows[i].good);
        g_assert_cmpint(number, ==, rows[i].number);
    }
}

static void
test_write(void)
{
    GString *out = g_string_new(NULL);
    CfJsonWriter writer;

    cf_json_writer_init(&writer, out);
    cf_json_open(&writer, NULL, '{');
    cf_json_put(&writer, "a", "x\"\\\n中\x01");
    cf_json_open(&writer, "l", '[');
    cf_json_open(&writer, NULL, '{');
    cf_json_close(&writer, '}');
    cf_json_put(&writer, NULL, "y");
    cf_json_open(&writer, NULL, '[');
    cf_json_close(&writer, ']');
    cf_json_close(&writer, ']');
    cf_json_put(&writer, "n", NULL);
    cf_json_close(&writer, '}');
    g_assert_cmpstr(out->str, ==,
                    "{\"a\":\"x\\\"\\\\\\u000a中\\u0001\",\"l\":[{},\"y\",[]],\"n\":null}");
    g_string_free(out, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fields/reads", test_reads);
    g_test_add_func("/fields/last-one-wins", test_last_wins);
    g_test_add_func("/fields/required", test_required);
    g_test_add_func("/fields/wrong-types", test_wrong_types);
    g_test_add_func("/fields/no-object", test_no_object);
    g_test_add_func("/fields/int", test_int);
    g_test_add_func("/write/escapes-and-commas", test_write);
    return g_test_run();
}
