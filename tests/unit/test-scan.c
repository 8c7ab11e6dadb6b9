#include "json/scan.h"

#include "util/error.h"

#include <string.h>

/* Text in a block that ends where it ends, so that the sanitizer sees one byte too many. */
static gboolean
check_exact(const char *text, gsize len, GError **error)
{
    g_autofree char *copy = g_malloc(len ? len : 1);
    CfJsonSpan span;

    memcpy(copy, text, len);
    return cf_json_check(copy, len, &span, error);
}

static CfJsonSpan
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    CfJsonSpan span;

    cf_json_check(text, strlen(text), &span, &error);
    g_assert_no_error(error);
    return span;
}

static const char image_example[] =
    "{\n"
    "  \"Image\": {\n"
    "    \"Width\":  800,\n"
    "    \"Height\": 600,\n"
    "    \"Title\":  \"View from 15th Floor\",\n"
    "    \"Thumbnail\": {\n"
    "        \"Url\":    \"http://www.example.com/image/481989943\",\n"
    "        \"Height\": 125,\n"
    "        \"Width\":  100\n"
    "    },\n"
    "    \"Animated\" : false,\n"
    "    \"IDs\": [116, 943, 234, 38793]\n"
    "  }\n"
    "}";

static void
test_accepts(void)
{
    static const char *const texts[] = {
        image_example,
        "[{\"precision\":\"zip\",\"Latitude\":37.7668,\"Longitude\":-122.3959,\"Address\":\"\"}]",
        "\"Hello world!\"",
        "42",
        "true",
        "false",
        "null",
        "-0",
        "0",
        "-0.0e-10",
        "1E400",
        "1.0e+400",
        "[]",
        "{}",
        " \t\r\n[ ] \n",
        "{ \"a\" : [ { } , [ ] ] }",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\\ud834\\udd1e\\ud834\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\xff\xfe raw bytes \x80\"",
        "\"\x7f\"",
        "[\"\",\"0123456789abcdef0123456789abcdef\"]",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        check_exact(texts[i], strlen(texts[i]), &error);
        g_assert_no_error(error);
    }
}

static void
test_refuses(void)
{
    static const struct {
        const char *text;
        const char *place;
    } rows[] = {
        {"", "byte 0"},
        {"   ", "byte 3"},
        {"nul", "byte 3"},
        {"nulL", "byte 0"},
        {"truefalse", "byte 4"},
        {"01", "byte 1"},
        {"-", "byte 1"},
        {"+1", "byte 0"},
        {".5", "byte 0"},
        {"1.", "byte 2"},
        {"1.e5", "byte 2"},
        {"1e", "byte 2"},
        {"1e+", "byte 3"},
        {"0x10", "byte 1"},
        {"NaN", "byte 0"},
        {"[1,]", "byte 3"},
        {"[1 2]", "byte 3"},
        {"[1}", "byte 2"},
        {"[,1]", "byte 1"},
        {"{\"a\":1,}", "byte 7"},
        {"{\"a\" 1}", "byte 5"},
        {"{\"a\"}", "byte 4"},
        {"{a:1}", "byte 1"},
        {"{1:1}", "byte 1"},
        {"{\"a\":}", "byte 5"},
        {"[1]]", "byte 3"},
        {"{} {}", "byte 3"},
        {"'a'", "byte 0"},
        {"\"a\nb\"", "byte 2"},
        {"\"a\tb\"", "byte 2"},
        {"\"\\x\"", "byte 2"},
        {"\"\\u12g4\"", "byte 5"},
        {"\"\\u123\"", "byte 6"},
        {"\"abc", "byte 4"},
        {"\"abc\\", "byte 5"},
        {"// a\n1", "byte 0"},
        {"\xef\xbb\xbf{}", "byte 0"},
        {"{\"message\": OK}", "byte 12"},
        {"{\"a\":1, // note\n\"b\":2}", "byte 8"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(check_exact(rows[i].text, strlen(rows[i].text), &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        if (!strstr(error->message, rows[i].place))
            g_error("%s: %s, not %s", rows[i].text, error->message, rows[i].place);
    }
}

static void
test_nul(void)
{
    g_assert_false(check_exact("\"a\0b\"", 5, NULL));
    g_assert_false(check_exact("1\0", 2, NULL));
    g_assert_false(check_exact("\"\\\0\"", 4, NULL));
}

static void
test_truncated(void)
{
    static const char *const texts[] = {
        image_example,
        "{\"a\":[true,false,null,-1.5e+10,\"\\ud834\\udd1e \\n x\",{\"k\":{}}],\"b\":\"0123456789"
        "abcdefghij\"}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (gsize len = 0; len < strlen(texts[i]); len++) {
            g_autoptr(GError) error = NULL;

            g_assert_false(check_exact(texts[i], len, &error));
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        }
    }
}

static void
test_depth(void)
{
    static const char *const opens[] = {"[", "{\"a\":"};
    static const char *const closes[] = {"]", "}"};

    for (guint kind = 0; kind < 2; kind++) {
        for (guint depth = 127; depth <= 129; depth++) {
            GString *text = g_string_new(NULL);

            for (guint i = 0; i < depth; i++)
                g_string_append(text, opens[kind]);
            g_string_append(text, "1");
            for (guint i = 0; i < depth; i++)
                g_string_append(text, closes[kind]);
            g_assert_cmpint(check_exact(text->str, text->len, NULL), ==, depth <= 128);
            g_string_free(text, TRUE);
        }
    }
}

static void
test_very_deep(void)
{
    static const char *const opens[] = {"[", "{\"a\":", "[{\"a\":"};

    for (guint kind = 0; kind < G_N_ELEMENTS(opens); kind++) {
        g_autoptr(GError) error = NULL;
        GString *text = g_string_new(NULL);

        for (guint i = 0; i < 100000; i++)
            g_string_append(text, opens[kind]);
        g_assert_false(check_exact(text->str, text->len, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_nonnull(strstr(error->message, "deep"));
        g_string_free(text, TRUE);
    }
}

static void
assert_span(CfJsonSpan span, const char *text)
{
    g_autofree char *got = g_strndup(span.text, span.len);

    g_assert_cmpstr(got, ==, text);
}

static void
test_kinds(void)
{
    g_assert_cmpint(cf_json_kind(parse(" {} ")), ==, CF_JSON_OBJECT);
    g_assert_cmpint(cf_json_kind(parse("[]")), ==, CF_JSON_ARRAY);
    g_assert_cmpint(cf_json_kind(parse("\"\"")), ==, CF_JSON_STRING);
    g_assert_cmpint(cf_json_kind(parse("-1")), ==, CF_JSON_NUMBER);
    g_assert_cmpint(cf_json_kind(parse("true")), ==, CF_JSON_TRUE);
    g_assert_cmpint(cf_json_kind(parse("false")), ==, CF_JSON_FALSE);
    g_assert_cmpint(cf_json_kind(parse("null")), ==, CF_JSON_NULL);
    assert_span(parse(" \n{ } \t"), "{ }");
}

static void
test_iterate(void)
{
    CfJsonSpan key, value;
    CfJsonIter iter;

    cf_json_iter_init(&iter, parse("{ \"a\" : 1 , \"b\\\"}\" : [ {\"x\":\"]\"} ] ,\"c\":\"d,\" }"));
    g_assert_true(cf_json_iter_next(&iter, &key, &value));
    assert_span(key, "\"a\"");
    assert_span(value, "1");
    g_assert_cmpuint(iter.index, ==, 0);
    g_assert_true(cf_json_iter_next(&iter, &key, &value));
    assert_span(key, "\"b\\\"}\"");
    assert_span(value, "[ {\"x\":\"]\"} ]");
    g_assert_true(cf_json_iter_next(&iter, NULL, &value));
    assert_span(value, "\"d,\"");
    g_assert_cmpuint(iter.index, ==, 2);
    g_assert_false(cf_json_iter_next(&iter, &key, &value));
    g_assert_false(cf_json_iter_next(&iter, &key, &value));

    cf_json_iter_init(&iter, parse("\"no object\""));
    g_assert_false(cf_json_iter_next(&iter, &key, &value));
    cf_json_iter_init(&iter, parse("[]"));
    g_assert_false(cf_json_iter_next(&iter, &key, &value));
}

static void
test_get(void)
{
    CfJsonSpan object = parse("{\"regionID\":\"r\",\"a\":1,\"\\u0061\":2,\"b.c\":3,\"\":4}");
    CfJsonSpan value;

    g_assert_true(cf_json_get(object, "a", FALSE, &value));
    assert_span(value, "2"); /* the last one, however it is written */
    g_assert_false(cf_json_get(object, "regionId", FALSE, &value));
    g_assert_true(cf_json_get(object, "regionId", TRUE, &value));
    assert_span(value, "\"r\"");
    g_assert_true(cf_json_get(object, "", FALSE, &value));
    assert_span(value, "4");
    g_assert_false(cf_json_get(object, "region", TRUE, &value));
    g_assert_false(cf_json_get(parse("[1]"), "a", FALSE, &value));
}

static void
test_strings(void)
{
    static const struct {
        const char *token, *text;
    } rows[] = {
        {"\"\"", ""},
        {"\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\"", "a\"b\\c/d\b\f\n\r\t"},
        {"\"\\u4e2d\\u6587\"", "中文"},
        {"\"\\u00e9\\u0041\"", "éA"},
        {"\"\\uD834\\uDD1E\"", "𝄞"},
        {"\"\\ud834\"", "\xef\xbf\xbd"},
        {"\"\\ud834x\"", "\xef\xbf\xbdx"},
        {"\"\\ud834\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"\\udd1e\\ud834\"", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"a\\u0000b\"", "a\xef\xbf\xbd"
                          "b"},
        {"\"\xff\x80\"", "\xff\x80"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = cf_json_string(parse(rows[i].token));
        g_autofree char *scalar = cf_json_scalar(parse(rows[i].token));

        g_assert_cmpstr(text, ==, rows[i].text);
        g_assert_cmpstr(scalar, ==, rows[i].text);
    }
    g_assert_null(cf_json_string(parse("1")));
    g_assert_null(cf_json_string(parse("[\"a\"]")));
}

static void
test_scalars(void)
{
    static const struct {
        const char *token, *text;
    } rows[] = {
        {"1.0e400", "1.0e400"}, {"12345678901234567890.000100", "12345678901234567890.000100"},
        {"-0", "-0"},           {"true", "true"},
        {"false", "false"},     {"null", NULL},
        {"{}", NULL},           {"[1]", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = cf_json_scalar(parse(rows[i].token));

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static gboolean
is_secret(const char *key)
{
    return strcmp(key, "adminPass") == 0 || strcmp(key, "locations") == 0;
}

static const char print_sample[] =
    "{\"n\":1.0e400,\"m\": 12345678901234567890.000100 ,\"o\":{},\"l\":[ ],\"s\":\"a, {\\\"b\\\": "
    "1}\",\"admin\\u0050ass\":\"x\",\"locations\":[{\"url\":\"rbd://x\"}],\"v\":\"adminPass\","
    "\"deep\":{\"adminPass\":null,\"x\":[1,[true,null]]}}";

static void
test_pretty(void)
{
    GString *out = g_string_new(NULL);

    cf_json_pretty(parse(print_sample), is_secret, out);
    g_assert_cmpstr(out->str, ==,
                    "{\n"
                    "    \"n\": 1.0e400,\n"
                    "    \"m\": 12345678901234567890.000100,\n"
                    "    \"o\": {},\n"
                    "    \"l\": [],\n"
                    "    \"s\": \"a, {\\\"b\\\": 1}\",\n"
                    "    \"admin\\u0050ass\": \"***\",\n"
                    "    \"locations\": \"***\",\n"
                    "    \"v\": \"adminPass\",\n"
                    "    \"deep\": {\n"
                    "        \"adminPass\": \"***\",\n"
                    "        \"x\": [\n"
                    "            1,\n"
                    "            [\n"
                    "                true,\n"
                    "                null\n"
                    "            ]\n"
                    "        ]\n"
                    "    }\n"
                    "}\n");
    g_string_assign(out, "");
    cf_json_pretty(parse(" 1.50 "), NULL, out);
    g_assert_cmpstr(out->str, ==, "1.50\n");
    g_string_free(out, TRUE);
}

static void
test_compact(void)
{
    GString *out = g_string_new("<");

    cf_json_compact(parse(print_sample), is_secret, out);
    g_assert_cmpstr(
        out->str, ==,
        "<{\"n\":1.0e400,\"m\":12345678901234567890.000100,\"o\":{},\"l\":[],\"s\":\"a, "
        "{\\\"b\\\": 1}\",\"admin\\u0050ass\":\"***\",\"locations\":\"***\",\"v\":"
        "\"adminPass\",\"deep\":{\"adminPass\":\"***\",\"x\":[1,[true,null]]}}");
    g_string_assign(out, "");
    cf_json_compact(parse("{\"adminPass\": \"x\"}"), NULL, out);
    g_assert_cmpstr(out->str, ==, "{\"adminPass\":\"x\"}");
    g_string_free(out, TRUE);
}

static void
test_slice(void)
{
    g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));

    g_assert_true(cf_json_slice(parse("[ {\"a\":\"]}\"} ,2,\"x\" , [3] ]"), out));
    g_assert_cmpuint(out->len, ==, 4);
    assert_span(g_array_index(out, CfJsonSpan, 0), "{\"a\":\"]}\"}");
    assert_span(g_array_index(out, CfJsonSpan, 1), "2");
    assert_span(g_array_index(out, CfJsonSpan, 2), "\"x\"");
    assert_span(g_array_index(out, CfJsonSpan, 3), "[3]");
    g_assert_true(cf_json_slice(parse("[]"), out));
    g_assert_cmpuint(out->len, ==, 4);
    g_assert_false(cf_json_slice(parse("{}"), out));
}

/* Text that was never checked must do no harm either. */
static void
test_unchecked(void)
{
    static const char *const texts[] = {
        "{",  "[",         "\"", "{\"a", "{\"a\"", "{\"a\":", "[1,[2",  "\"\\",   "{]",
        "[}", "{\"a\":1]", ":",  ",",    "}",      "{{",      "[[\"\\", "\"\\u12"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        gsize len = strlen(texts[i]);
        g_autofree char *copy = g_malloc(len);
        g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        GString *text = g_string_new(NULL);
        CfJsonSpan span = {copy, len}, value;
        g_autofree char *scalar = NULL;

        memcpy(copy, texts[i], len);
        cf_json_get(span, "a", TRUE, &value);
        cf_json_slice(span, out);
        cf_json_pretty(span, is_secret, text);
        scalar = cf_json_scalar(span);
        g_string_free(text, TRUE);
    }
}

/* The same walk with and without an outline; the outline of one text says nothing of another. */
static void
test_outline(void)
{
    static const char page[] =
        " {\"code\": \"200\", \"data\": {\"list\": [{\"a\": {\"b\": [1, {\"c\": \"]}\"}]}, \"d\": "
        "[]},"
        " {}, [], {\"a\": {\"b\": [{}]}}, [[[[[1]]]]]], \"n\": {\"m\": {}}}, \"last\": [true]} ";
    g_autofree char *other = g_strdup(page);
    static const char *const members[] = {"{\"a\": {\"b\": [1, {\"c\": \"]}\"}]}, \"d\": []}", "{}",
                                          "[]", "{\"a\": {\"b\": [{}]}}", "[[[[[1]]]]]"};

    cf_json_outline_begin(page, strlen(page), NULL);
    for (guint round = 0; round < 3; round++) {
        g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        CfJsonSpan whole = parse(round == 1 ? other : page), data, list, value;

        g_assert_true(cf_json_get(whole, "data", FALSE, &data));
        g_assert_true(cf_json_get(whole, "last", FALSE, &value));
        g_assert_cmpmem(value.text, value.len, "[true]", 6);
        g_assert_true(cf_json_get(data, "list", FALSE, &list));
        g_assert_true(cf_json_get(data, "n", FALSE, &value));
        g_assert_cmpmem(value.text, value.len, "{\"m\": {}}", 9);
        g_assert_true(cf_json_slice(list, out));
        g_assert_cmpuint(out->len, ==, G_N_ELEMENTS(members));
        for (guint i = 0; i < out->len; i++) {
            value = g_array_index(out, CfJsonSpan, i);
            g_assert_cmpmem(value.text, value.len, members[i], strlen(members[i]));
        }
        value = g_array_index(out, CfJsonSpan, 0);
        g_assert_true(cf_json_get(value, "a", FALSE, &value));
        g_assert_cmpmem(value.text, value.len, "{\"b\": [1, {\"c\": \"]}\"}]}", 23);
        /* The text is another one now: nothing of the old is taken for it. */
        if (round == 1)
            strcpy(other, " {\"data\": [], \"last\": {}, \"x\": [[], []]} ");
    }
    cf_json_outline_begin(other, strlen(other), NULL);
    parse(other);
    cf_json_outline_end();
    strcpy(other, "[[], {\"a\": [[1, 2], [3]]}]");
    g_assert_true(cf_json_get((CfJsonSpan){other + 5, 20}, "a", FALSE, &(CfJsonSpan){NULL, 0}));
}

typedef struct {
    CfJsonKnown known;
    const char *text; /* the one that is known */
    guint begun, asked, met;
} Known;

static void
known_begin(CfJsonKnown *known)
{
    ((Known *) known)->begun++;
}

static gsize
known_match(CfJsonKnown *known, const char *text, gsize left)
{
    Known *of = (Known *) known;
    gsize len = strlen(of->text);

    of->asked++;
    if (len > left || memcmp(text, of->text, len) != 0)
        return 0;
    of->met++;
    return len;
}

/* What is known is stepped over; all around it is checked, and is walked through as ever. */
static void
test_known(void)
{
    static const struct {
        const char *text;
        guint asked, met; /* G_MAXUINT: no JSON */
    } cases[] = {
        {"[{\"a\":[{}]},{\"b\":1}]", 2, 1},
        {"{\"data\":{\"list\":[{\"a\":[{}]} , {\"a\":[{}]}]},\"x\":[{}]}", 3, 2},
        {"{\"a\":[{}]}", 1, 0},                       /* no member of an array is what is known */
        {"[\"{\\\"a\\\":[{}]}\"]", 0, 0},             /* in a string */
        {"[[[[[{\"a\":[{}]}]]]]]", 0, 0},             /* too deep to be noted */
        {"[{\"a\":[{}]}", G_MAXUINT, 0},              /* the end is missing */
        {"[{\"a\":[{}]}{\"a\":[{}]}]", G_MAXUINT, 0}, /* a comma is */
        {"[{\"a\":[{}]}}", G_MAXUINT, 0},
        {"[{\"a\":[{}]},]", G_MAXUINT, 0},
        {"[{\"a\":[{}]", G_MAXUINT, 0},
        {"[{\"a\":[{}]}] 1", G_MAXUINT, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Known known = {{known_begin, known_match}, "{\"a\":[{}]}", 0, 0, 0};
        const char *text = cases[i].text;
        g_autoptr(GString) plain = g_string_new(NULL), helped = g_string_new(NULL);
        CfJsonSpan whole = {NULL, 0};
        gboolean good = cases[i].asked != G_MAXUINT;

        cf_json_outline_begin(text, strlen(text), &known.known);
        g_assert_cmpint(cf_json_check(text, strlen(text), &whole, NULL), ==, good);
        if (good)
            cf_json_compact(whole, NULL, helped);
        cf_json_outline_end();
        g_assert_cmpuint(known.begun, ==, 1);
        if (!good)
            continue;
        cf_json_compact(whole, NULL, plain);
        g_assert_cmpstr(helped->str, ==, plain->str);
        g_assert_cmpuint(known.asked, ==, cases[i].asked);
        g_assert_cmpuint(known.met, ==, cases[i].met);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/accepts", test_accepts);
    g_test_add_func("/scan/refuses-naming-the-place", test_refuses);
    g_test_add_func("/scan/nul-bytes", test_nul);
    g_test_add_func("/scan/every-truncation-is-refused", test_truncated);
    g_test_add_func("/scan/depth", test_depth);
    g_test_add_func("/scan/100000-deep", test_very_deep);
    g_test_add_func("/scan/kinds", test_kinds);
    g_test_add_func("/scan/iterate", test_iterate);
    g_test_add_func("/scan/get", test_get);
    g_test_add_func("/scan/strings", test_strings);
    g_test_add_func("/scan/scalars-keep-their-text", test_scalars);
    g_test_add_func("/scan/pretty", test_pretty);
    g_test_add_func("/scan/compact", test_compact);
    g_test_add_func("/scan/slice", test_slice);
    g_test_add_func("/scan/unchecked-text", test_unchecked);
    g_test_add_func("/scan/outline", test_outline);
    g_test_add_func("/scan/known", test_known);
    return g_test_run();
}
