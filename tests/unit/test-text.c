#include "util/text.h"

#include <string.h>

#include "util/error.h"

static void
test_encode(void)
{
    static const struct {
        const char *name;
        const char *encoded;
    } cases[] = {
        {"web-1", "web-1"},
        {NULL, "%"},
        {"", "%"},
        {"%", "%25"},
        {"a/b", "a%2Fb"},
        {"100%", "100%25"},
        {"a~b", "a%7Eb"},
        {".", "%2E"},
        {"..", "%2E."},
        {".hidden", "%2Ehidden"},
        {"a.b.", "a.b."},
        {"a b\\c\"d", "a b\\c\"d"},
        {"tab\tline\n", "tab%09line%0A"},
        {"\001\037\177", "%01%1F%7F"},
        {"\302\205", "%C2%85"}, /* U+0085, a C1 control */
        {"\302\240", "\302\240"},
        {"\344\270\255\346\226\207", "\344\270\255\346\226\207"}, /* 中文 */
        {"\360\237\230\200", "\360\237\230\200"},
        {"\377", "%FF"},
        {"\200", "%80"},
        {"\344\270", "%E4%B8"},   /* cut off at the end */
        {"\344\270x", "%E4%B8x"}, /* cut off in the middle */
        {"\344\344\270\255", "%E4\344\270\255"},
        {"\300\257", "%C0%AF"},               /* '/' too long */
        {"\355\240\200", "%ED%A0%80"},        /* U+D800, a surrogate */
        {"\364\220\200\200", "%F4%90%80%80"}, /* beyond U+10FFFF */
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *encoded = cf_name_encode(cases[i].name);
        g_autofree char *decoded = cf_name_decode(cases[i].encoded);

        g_assert_cmpstr(encoded, ==, cases[i].encoded);
        g_assert_cmpstr(decoded, ==, cases[i].name ? cases[i].name : "");
    }
}

static void
test_decode_refuses(void)
{
    static const char *const cases[] = {
        "",     "a/b",  ".",    "..",     ".a",        "a~b",  "%2f",    "%2e",
        "%41",  "%00",  "a%00", "a%",     "%%",        "%4",   "%2",     "%ZZ",
        "a\nb", "\177", "\377", "%C2%A0", "%E4%B8%AD", "a%2E", "%25%2E", "\302\205",
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_null(cf_name_decode(cases[i]));
}

/* Bytes that meet the rules more often than mere chance would. */
static char *
random_name(void)
{
    static const char *const parts[] = {"/",        "%",  "~",    ".",        "%2F",
                                        "%7E",      "25", "\344", "\344\270", "\344\270\255",
                                        "\355\240", "a"};
    GString *out = g_string_new(NULL);
    int left = g_test_rand_int_range(0, 12);

    while (left-- > 0) {
        if (g_test_rand_bit())
            g_string_append(out, parts[g_test_rand_int_range(0, G_N_ELEMENTS(parts))]);
        else
            g_string_append_c(out, (char) g_test_rand_int_range(1, 256));
    }
    return g_string_free(out, FALSE);
}

static void
test_every_name(void)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    int i;

    for (i = 0; i < 50000; i++) {
        g_autofree char *name = random_name();
        char *encoded = cf_name_encode(name);
        g_autofree char *decoded = cf_name_decode(encoded);
        const char *former = g_hash_table_lookup(names, encoded);

        g_assert_cmpstr(decoded, ==, name);
        g_assert_true(g_utf8_validate(encoded, -1, NULL));
        g_assert_null(strpbrk(encoded, "/~\n"));
        g_assert_true(encoded[0] != '\0' && encoded[0] != '.');
        if (former)
            g_assert_cmpstr(former, ==, name);
        g_hash_table_replace(names, encoded, g_strdup(name));
    }
}

/* Anything at all: what decodes is what encode makes of it. */
static void
test_every_text(void)
{
    int i;

    for (i = 0; i < 50000; i++) {
        g_autofree char *text = random_name();
        g_autofree char *decoded = cf_name_decode(text);

        if (decoded) {
            g_autofree char *encoded = cf_name_encode(decoded);

            g_assert_cmpstr(encoded, ==, text);
        }
    }
}

static char *
repeat(const char *text, int times)
{
    GString *out = g_string_new(NULL);

    while (times-- > 0)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static void
test_with_id(void)
{
    static const struct {
        const char *unit; /* 300 of them are the name */
        const char *id;
        gsize size; /* of the result */
        int kept;   /* units of the name in it */
    } cases[] = {
        {"a", "id-1", 255, 250},
        {"\344\270\255", "id-1", 254, 83}, /* 3 * 83 = 249, one byte stays free */
        {"\344\270\255", "id-12", 255, 83},
        {"\360\237\230\200", "id-1", 253, 62}, /* 4 * 62 = 248 */
        {"%2F", "id-1", 254, 83},
        {"%E4", "id-123", 253, 82}, /* 3 * 82 = 246 of 248 */
    };
    g_autofree char *plain = cf_name_with_id("web", "id-1");
    g_autofree char *empty = cf_name_with_id("%", "id-1");
    gsize i;

    g_assert_cmpstr(plain, ==, "web~id-1");
    g_assert_cmpstr(empty, ==, "%~id-1");
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = repeat(cases[i].unit, 300);
        g_autofree char *got = cf_name_with_id(name, cases[i].id);
        g_autofree char *head = repeat(cases[i].unit, cases[i].kept);
        g_autofree char *wanted = g_strconcat(head, "~", cases[i].id, NULL);

        g_assert_cmpstr(got, ==, wanted);
        g_assert_cmpuint(strlen(got), ==, cases[i].size);
    }
}

static void
test_with_long_id(void)
{
    g_autofree char *id_250 = repeat("x", 250);
    g_autofree char *id_253 = repeat("x", 253);
    g_autofree char *id_254 = repeat("x", 254);
    g_autofree char *id_255 = repeat("x", 255);
    g_autofree char *other = g_strconcat(id_254, "y", NULL);
    g_autofree char *some = cf_name_with_id("name", id_250);
    g_autofree char *one = cf_name_with_id("\344\270\255", id_253);
    g_autofree char *none = cf_name_with_id("name", id_254);
    g_autofree char *hashed = cf_name_with_id("name", id_255);
    g_autofree char *differs = cf_name_with_id("name", other);
    g_autofree char *wanted = g_strconcat("~", id_254, NULL);

    g_assert_true(g_str_has_prefix(some, "name~xxx"));
    g_assert_cmpuint(strlen(some), ==, 255);
    g_assert_true(g_str_has_prefix(one, "~xxx")); /* three bytes do not fit */
    g_assert_cmpuint(strlen(one), ==, 254);
    g_assert_cmpstr(none, ==, wanted);
    g_assert_cmpuint(strlen(hashed), ==, 255);
    g_assert_cmpuint(strlen(differs), ==, 255);
    g_assert_cmpstr(hashed, !=, differs);
}

static void
test_ids(void)
{
    g_autofree char *plain = cf_id_encode("7b5d0b1e-0000-4000-8000-2f1c0a9d3e55");
    g_autofree char *odd = cf_id_encode("../a~b");
    g_autofree char *id_255 = repeat("x", 255);
    g_autofree char *id_256 = repeat("x", 256);
    g_autofree char *whole = cf_id_encode(id_255);
    g_autofree char *cut = cf_id_encode(id_256);
    g_autofree char *head = repeat("x", 238);
    g_autofree char *wanted = g_strconcat(head, "~85e62acd750c4eb5", NULL);
    g_autofree char *slashes = repeat("/", 100);
    g_autofree char *cut_slashes = cf_id_encode(slashes);

    g_assert_cmpstr(plain, ==, "7b5d0b1e-0000-4000-8000-2f1c0a9d3e55");
    g_assert_cmpstr(odd, ==, "%2E.%2Fa%7Eb");
    g_assert_cmpstr(whole, ==, id_255);
    g_assert_cmpstr(cut, ==, wanted);
    g_assert_cmpuint(strlen(cut_slashes), ==, 254); /* 79 * 3 + 17 */
    g_assert_true(g_str_has_prefix(cut_slashes + 234, "%2F~"));
}

static void
test_take_value(void)
{
    static const struct {
        const char *data;
        gsize size;
        const char *value; /* NULL: refused */
    } cases[] = {
        {"on\n", 3, "on"}, {"on", 2, "on"},       {"on\n\n", 4, "on\n"}, {"\n", 1, ""},
        {"", 0, ""},       {NULL, 0, ""},         {"a\0b", 3, NULL},     {"a\0", 2, NULL},
        {"\0", 1, NULL},   {"on\nrest", 2, "on"}, {"on\r\n", 4, "on\r"},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *value = cf_text_take_value(cases[i].data, cases[i].size, &error);

        g_assert_cmpstr(value, ==, cases[i].value);
        if (cases[i].value)
            g_assert_no_error(error);
        else
            g_assert_error(error, CF_ERROR, CF_ERROR_INVALID);
    }
}

static void
test_escapes(void)
{
    static const struct {
        const char *text;
        const char *json;
        const char *tsv;
        const char *line;
    } cases[] = {
        {"plain", "\"plain\"", "plain", "plain"},
        {NULL, "null", "", ""},
        {"", "\"\"", "", ""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\"", "a\"b\\\\c/d", "a\"b\\c/d"},
        {"a\tb\nc\rd", "\"a\\u0009b\\u000ac\\u000dd\"", "a\\tb\\nc\\rd", "a b c d"},
        {"\001\033[2J\177", "\"\\u0001\\u001b[2J\\u007f\"", "\\x01\\x1b[2J\\x7f", "  [2J "},
        {"\344\270\255", "\"\344\270\255\"", "\344\270\255", "\344\270\255"},
        {"\302\233x", "\"\\u009bx\"", "\\xc2\\x9bx", " x"}, /* CSI of 8-bit terminals */
        {"\377x\344\270", "\"\357\277\275x\357\277\275\357\277\275\"", "\\xffx\\xe4\\xb8", " x  "},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) json = g_string_new("> ");
        g_autoptr(GString) tsv = g_string_new("> ");
        g_autofree char *line = cf_text_one_line(cases[i].text);

        cf_text_append_json(json, cases[i].text);
        cf_text_append_tsv(tsv, cases[i].text);
        g_assert_cmpstr(json->str + 2, ==, cases[i].json);
        g_assert_cmpstr(tsv->str + 2, ==, cases[i].tsv);
        g_assert_cmpstr(line, ==, cases[i].line);
    }
}

static void
test_time(void)
{
    static const struct {
        gint64 us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000000, "1969-12-31T23:59:59.000Z"},
        {G_GINT64_CONSTANT(1769846400123999), "2026-01-31T08:00:00.123Z"},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = cf_text_time(cases[i].us);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void
test_durations(void)
{
    static const struct {
        const char *text;
        gint64 us; /* -1: refused */
    } cases[] = {
        {"30", 30000000},
        {"0", 0},
        {"0.5", 500000},
        {"0.000001", 1},
        {"1.000001", 1000001},
        {"500ms", 500000},
        {"10s", 10000000},
        {"2m", 120000000},
        {"1h", G_GINT64_CONSTANT(3600000000)},
        {"1.5h", G_GINT64_CONSTANT(5400000000)},
        {"0s", 0},
        {"", -1},
        {"s", -1},
        {"-1", -1},
        {"+1", -1},
        {".5", -1},
        {"5.", -1},
        {"1,5", -1},
        {"1e3", -1},
        {"0x10", -1},
        {"inf", -1},
        {"10 s", -1},
        {" 10", -1},
        {"10s ", -1},
        {"10S", -1},
        {"1d", -1},
        {"1m30s", -1},
        {"99999999999", -1},
        {"99999999999999999999999999999999999h", -1},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        gint64 us = -1;
        gboolean good = cf_text_parse_duration(cases[i].text, &us, &error);

        g_assert_cmpint(us, ==, cases[i].us);
        g_assert_cmpint(good, ==, cases[i].us >= 0);
        if (!good)
            g_assert_error(error, CF_ERROR, CF_ERROR_INVALID);
    }
}

static void
test_wipe(void)
{
    cf_text_wipe(NULL);
    cf_text_wipe(g_strdup("secret"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/names-are-encoded", test_encode);
    g_test_add_func("/text/what-encode-does-not-make-is-refused", test_decode_refuses);
    g_test_add_func("/text/every-name-comes-back", test_every_name);
    g_test_add_func("/text/every-text-that-decodes-is-canonical", test_every_text);
    g_test_add_func("/text/names-with-an-id", test_with_id);
    g_test_add_func("/text/names-with-a-long-id", test_with_long_id);
    g_test_add_func("/text/ids", test_ids);
    g_test_add_func("/text/written-values", test_take_value);
    g_test_add_func("/text/escapes", test_escapes);
    g_test_add_func("/text/times", test_time);
    g_test_add_func("/text/durations", test_durations);
    g_test_add_func("/text/wipe", test_wipe);
    return g_test_run();
}
