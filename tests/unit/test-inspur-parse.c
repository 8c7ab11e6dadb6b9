/* What we read in Inspur's answers. Expected values are written down by hand from the cloud's
 * document. */
#include "providers/inspur/private.h"
#include "providers/timestamp.h"
#include "util/error.h"
#include "json/fields.h"

#include <string.h>

/* --- times ------------------------------------------------------------------------------------ */

static void
test_times(void)
{
    static const struct {
        const char *text;
        int offset_s;
        const char *utc; /* NULL: no time */
        gint64 us;
    } rows[] = {
        {"2012-08-20T21:11:09Z", 0, "2012-08-20T21:11:09Z", 1345497069000000},
        {"2012-08-20 21:11:09", 28800, "2012-08-20T13:11:09Z", 1345468269000000},
        {"2018-09-07T12:14:25.000+0000", 0, "2018-09-07T12:14:25Z", 1536322465000000},
        {"2018-09-07T12:14:25.250+0800", 0, "2018-09-07T04:14:25Z", 1536293665250000},
        {"2024-01-01T07:59:59+08:00", 0, "2023-12-31T23:59:59Z", 1704067199000000},
        {"2024-01-01T00:00:00-05", 0, "2024-01-01T05:00:00Z", 1704085200000000},
        {"2024-02-29T23:30:00-01:00", 0, "2024-03-01T00:30:00Z", 1709253000000000},
        {"2000-02-29T00:00:00", 0, "2000-02-29T00:00:00Z", 951782400000000},
        {"1969-12-31T23:59:59Z", 0, "1969-12-31T23:59:59Z", -1000000},
        {"1970-01-01T00:00:00.000001Z", 28800, "1970-01-01T00:00:00Z", 1},
        {"2024-01-01T00:00:00.123456789Z", 0, "2024-01-01T00:00:00Z", 1704067200123456},
        {"2023-02-29T00:00:00Z", 0, NULL, 0},
        {"1900-02-29T00:00:00Z", 0, NULL, 0},
        {"2024-13-01T00:00:00Z", 0, NULL, 0},
        {"2024-00-01T00:00:00Z", 0, NULL, 0},
        {"2024-01-32T00:00:00Z", 0, NULL, 0},
        {"2024-01-01T24:00:00Z", 0, NULL, 0},
        {"2024-01-01T00:60:00Z", 0, NULL, 0},
        {"0000-01-01T00:00:00Z", 0, NULL, 0},
        {"9999-12-31T23:59:59-01:00", 0, NULL, 0},
        {"2024-01-01", 0, NULL, 0},
        {"2024-01-01T00:00:00.Z", 0, NULL, 0},
        {"2024-01-01T00:00:00+0", 0, NULL, 0},
        {"2024-01-01T00:00:00+08:0", 0, NULL, 0},
        {"2024-01-01T00:00:00Zx", 0, NULL, 0},
        {"2024-1-01T00:00:00Z", 0, NULL, 0},
        {"-024-01-01T00:00:00Z", 0, NULL, 0},
        {"永久", 0, NULL, 0},
        {"", 0, NULL, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char utc[CF_TIME_LEN] = "";
        gint64 us = 0;

        g_assert_cmpint(cf_time_read(rows[i].text, rows[i].offset_s, utc, &us), ==,
                        rows[i].utc != NULL);
        g_assert_cmpstr(utc, ==, rows[i].utc ? rows[i].utc : "");
        g_assert_cmpint(us, ==, rows[i].us);
    }
}

/* --- states ----------------------------------------------------------------------------------- */

static void
test_server_states(void)
{
    static const struct {
        const char *status, *task, *state;
        gboolean settled;
    } rows[] = {
        {"ACTIVE", NULL, "running", TRUE},
        {"active", "", "running", TRUE},
        {"Active", "xxx", "running", TRUE},
        {"SHUTOFF", NULL, "stopped", TRUE},
        {"STOPPED", NULL, "stopped", TRUE},
        {"PAUSED", NULL, "paused", TRUE},
        {"BUILD", NULL, "building", FALSE},
        {"REBOOT", NULL, "rebooting", FALSE},
        {"HARD_REBOOT", NULL, "rebooting", FALSE},
        {"RESIZE", NULL, "resizing", FALSE},
        {"REBUILD", NULL, "rebuilding", FALSE},
        {"PASSWORD", NULL, "running", FALSE},
        {"ERROR", NULL, "error", TRUE},
        {"SOFT_DELETED", NULL, "deleted", TRUE},
        {"DELETED", NULL, "deleted", TRUE},
        {"expired", NULL, "stopped", TRUE},
        {"SUSPENDED", NULL, "suspended", TRUE},
        {"RESCUE", NULL, "running", TRUE},
        {"MIGRATING", NULL, "running", FALSE},
        {"VERIFY_RESIZE", NULL, "resizing", TRUE},
        {"REVERT_RESIZE", NULL, "resizing", FALSE},
        {"SHELVED", NULL, "stopped", TRUE},
        {"SHELVED_OFFLOADED", NULL, "stopped", TRUE},
        {"UNKNOWN", NULL, "unknown", TRUE},
        {"WHATEVER", NULL, "unknown", TRUE},
        {NULL, NULL, "unknown", TRUE},
        {"", "", "unknown", TRUE},
        {"SHUTOFF", "powering-on", "starting", FALSE},
        {"ACTIVE", "POWERING-OFF", "stopping", FALSE},
        {"ACTIVE", "deleting", "deleting", FALSE},
        {"ACTIVE", "image_snapshot", "running", FALSE},
        {"ACTIVE", "rebooting", "running", FALSE},
        {"BUILD", "xxx", "building", FALSE},
        {NULL, "powering-on", "starting", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean settled;
        CfState state = cf_inspur_server_state(rows[i].status, rows[i].task, &settled);

        g_assert_cmpstr(cf_state_to_string(state), ==, rows[i].state);
        g_assert_cmpint(settled, ==, rows[i].settled);
    }
}

static void
test_image_states(void)
{
    static const struct {
        const char *status, *state;
    } rows[] = {
        {"queued", "creating"},    {"saving", "creating"},
        {"active", "available"},   {"ACTIVE", "available"},
        {"killed", "error"},       {"pending_delete", "deleting"},
        {"deleted", "deleted"},    {"deactivated", "disabled"},
        {"uploading", "creating"}, {"importing", "creating"},
        {"x", "unknown"},          {NULL, "unknown"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpstr(cf_state_to_string(cf_inspur_image_state(rows[i].status)), ==,
                        rows[i].state);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void
test_codes(void)
{
    static const struct {
        const char *text;
        gboolean number;
        const char *code;
    } rows[] = {
        {"101.001012", FALSE, "101.001012"},
        {"101.001012", TRUE, "101.001012"},
        {"101.00104", TRUE, "101.001040"},
        {"101.00300", TRUE, "101.003000"},
        {"101.00104", FALSE, "101.00104"},
        {"3.000203", TRUE, "003.000203"},
        {"003.000203", FALSE, "003.000203"},
        {"001012", FALSE, "101.001012"},
        {"003006", FALSE, "101.003006"},
        {"1012", TRUE, "101.001012"},
        {"3006", TRUE, "101.003006"},
        {"33", TRUE, "101.000033"},
        {"200", TRUE, "200"},
        {"200", FALSE, "200"},
        {"404", TRUE, "404"},
        {"599", FALSE, "599"},
        {"600", TRUE, "101.000600"},
        {"99", TRUE, "101.000099"},
        {"-1", TRUE, "-1"},
        {"1e3", TRUE, "1e3"},
        {"Ecs.NotFound", FALSE, "Ecs.NotFound"},
        {"12345678", TRUE, "12345678"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *code = cf_inspur_code_normalise(rows[i].text, rows[i].number);

        g_assert_cmpstr(code, ==, rows[i].code);
    }
}

static void
test_meanings(void)
{
    static const struct {
        const char *code;
        CfErrorCode meaning;
    } rows[] = {
        {"101.001001", CF_ERROR_INVALID},   {"101.001002", CF_ERROR_INVALID},
        {"101.001004", CF_ERROR_REFUSED},   {"101.001005", CF_ERROR_REMOTE},
        {"101.001006", CF_ERROR_REMOTE},    {"101.001007", CF_ERROR_REMOTE},
        {"101.001009", CF_ERROR_REMOTE},    {"101.001010", CF_ERROR_NOT_FOUND},
        {"101.001011", CF_ERROR_REMOTE},    {"101.001012", CF_ERROR_BUSY},
        {"101.001013", CF_ERROR_NOT_YOURS}, {"101.001014", CF_ERROR_REFUSED},
        {"101.001015", CF_ERROR_INVALID},   {"101.001020", CF_ERROR_QUOTA},
        {"101.001021", CF_ERROR_QUOTA},     {"101.001022", CF_ERROR_BUSY},
        {"101.001033", CF_ERROR_NOT_FOUND}, {"101.001040", CF_ERROR_REMOTE},
        {"101.003001", CF_ERROR_REMOTE},    {"101.003003", CF_ERROR_REMOTE},
        {"101.003004", CF_ERROR_NOT_FOUND}, {"101.003005", CF_ERROR_REMOTE},
        {"101.003006", CF_ERROR_REMOTE},    {"101.003007", CF_ERROR_REMOTE},
        {"101.003009", CF_ERROR_REMOTE},    {"101.003010", CF_ERROR_REMOTE},
        {"101.003011", CF_ERROR_BUSY},      {"101.003012", CF_ERROR_QUOTA},
        {"101.003013", CF_ERROR_INVALID},   {"101.003014", CF_ERROR_INVALID},
        {"101.003015", CF_ERROR_BUSY},      {"101.003016", CF_ERROR_BUSY},
        {"101.003017", CF_ERROR_DENIED},    {"003.000203", CF_ERROR_DENIED},
        {"003.006005", CF_ERROR_DENIED},    {"101.009999", CF_ERROR_REMOTE},
        {"107.001012", CF_ERROR_REMOTE},    {"400", CF_ERROR_INVALID},
        {"401", CF_ERROR_UNAUTHORIZED},     {"403", CF_ERROR_DENIED},
        {"404", CF_ERROR_NOT_FOUND},        {"409", CF_ERROR_BUSY},
        {"429", CF_ERROR_THROTTLED},        {"500", CF_ERROR_REMOTE},
        {"504", CF_ERROR_REMOTE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(cf_inspur_code_meaning(rows[i].code, 400, CF_INSPUR_OF_RESOURCE), ==,
                        rows[i].meaning);
}

static void
test_statuses(void)
{
    static const struct {
        int status;
        CfErrorCode of_resource, of_collection;
    } rows[] = {
        {400, CF_ERROR_INVALID, CF_ERROR_INVALID},
        {401, CF_ERROR_UNAUTHORIZED, CF_ERROR_UNAUTHORIZED},
        {402, CF_ERROR_REFUSED, CF_ERROR_REFUSED},
        {403, CF_ERROR_DENIED, CF_ERROR_DENIED},
        {404, CF_ERROR_NOT_FOUND, CF_ERROR_REMOTE},
        {405, CF_ERROR_UNSUPPORTED, CF_ERROR_UNSUPPORTED},
        {409, CF_ERROR_BUSY, CF_ERROR_BUSY},
        {413, CF_ERROR_TOO_BIG, CF_ERROR_TOO_BIG},
        {415, CF_ERROR_UNSUPPORTED, CF_ERROR_UNSUPPORTED},
        {418, CF_ERROR_REMOTE, CF_ERROR_REMOTE},
        {429, CF_ERROR_THROTTLED, CF_ERROR_THROTTLED},
        {500, CF_ERROR_REMOTE, CF_ERROR_REMOTE},
        {502, CF_ERROR_REMOTE, CF_ERROR_REMOTE},
        {302, CF_ERROR_PROTOCOL, CF_ERROR_PROTOCOL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(cf_inspur_code_meaning(NULL, rows[i].status, CF_INSPUR_OF_RESOURCE), ==,
                        rows[i].of_resource);
        g_assert_cmpint(cf_inspur_code_meaning(NULL, rows[i].status, 0), ==, rows[i].of_collection);
    }
}

typedef struct {
    int status;
    const char *text;
    int meaning; /* -1: success */
    const char *code, *message, *error;
} Answer;

static void
check_answer(const Answer *row, guint flags)
{
    g_auto(CfInspurAnswer) answer = {0};
    g_autoptr(GError) error = NULL;
    gboolean good = cf_inspur_read_answer(row->status, row->text, strlen(row->text), "req-1", flags,
                                          &answer, &error);
    const CfCloudWords *words = cf_error_get_cloud(error);

    if (row->meaning < 0) {
        g_assert_no_error(error);
        g_assert_true(good);
        return;
    }
    g_assert_false(good);
    g_assert_error(error, CF_ERROR, row->meaning);
    g_assert_nonnull(words);
    g_assert_cmpint(words->http_status, ==, row->status);
    g_assert_cmpstr(words->code, ==, row->code);
    g_assert_cmpstr(words->message, ==, row->message);
    if (row->error)
        g_assert_cmpstr(error->message, ==, row->error);
}

static void
test_envelope(void)
{
    static const Answer rows[] = {
        {200, "{\"code\":200,\"message\":\"OK\",\"data\":{}}", -1},
        {200, "{\"code\":\"200\",\"message\":\"OK\",\"data\":\"\"}", -1},
        {200, "{\"code\":201,\"message\":\"Created\",\"data\":{\"image_id\":\"x\"}}", -1},
        {202, "{\"code\":\"202\"}", -1},
        {200, "{\"Code\":\"204\",\"Message\":\"OK\",\"RequestId\":\"r\"}", -1},
        {204, "", -1},
        {200, "", -1},
        {200, "{\"data\":{}}", -1},
        {200, "{\"code\":null,\"data\":{}}", -1},
        {400, "{\"code\":\"101.001012\",\"message\":\"存在未知状态的云服务器\",\"data\":null}",
         CF_ERROR_BUSY, "101.001012", "存在未知状态的云服务器",
         "存在未知状态的云服务器 (101.001012)"},
        {200, "{\"code\":\"001033\",\"message\":\"云服务器xxx不存在\"}", CF_ERROR_NOT_FOUND,
         "101.001033", "云服务器xxx不存在"},
        {400, "{\"code\":101.00104,\"message\":\"操作失败\"}", CF_ERROR_REMOTE, "101.001040",
         "操作失败", "操作失败 (101.001040)"},
        {400, "{\"code\":1002,\"message\":\"bad\"}", CF_ERROR_INVALID, "101.001002", "bad"},
        {200, "{\"Code\":\"101.003015\",\"Message\":\"in use\"}", CF_ERROR_BUSY, "101.003015",
         "in use"},
        {401, "{\"code\":\"003.000203\",\"message\":\"no\"}", CF_ERROR_UNAUTHORIZED, "003.000203",
         "no"},
        {403, "{\"code\":\"003.000203\",\"message\":\"no\"}", CF_ERROR_DENIED, "003.000203", "no"},
        {200, "{\"code\":500,\"message\":\"boom\"}", CF_ERROR_REMOTE, "500", "boom",
         "boom (HTTP status 500)"},
        {200, "{\"code\":\"401\",\"message\":\"who\"}", CF_ERROR_UNAUTHORIZED, "401", "who"},
        {500, "{\"code\":200,\"message\":\"OK\"}", CF_ERROR_REMOTE, NULL, "OK",
         "OK (HTTP status 500)"},
        {404, "{\"timestamp\":1,\"status\":404,\"error\":\"Not Found\"}", CF_ERROR_NOT_FOUND, NULL,
         "Not Found", "Not Found (HTTP status 404)"},
        {404, "", CF_ERROR_NOT_FOUND, NULL, NULL, "HTTP status 404"},
        {404, "<html><head><title>404 Not\n Found</title></head><body>x</body></html>",
         CF_ERROR_REMOTE, NULL, "404 Not Found", "404 Not Found (HTTP status 404)"},
        {502, "<html>\r\n<head><title>502 Bad Gateway</title></head>", CF_ERROR_REMOTE, NULL,
         "502 Bad Gateway", "502 Bad Gateway (HTTP status 502)"},
        {503, "<h1>Sorry</h1>\n<p>later\x01</p>", CF_ERROR_REMOTE, NULL, "Sorry later"},
        {500, "plain words", CF_ERROR_REMOTE, NULL, "plain words"},
        {200, "{\"code\":\"x\"}", CF_ERROR_REMOTE, "x", NULL, "x"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_answer(&rows[i], CF_INSPUR_OF_RESOURCE);
}

static void
test_garbage(void)
{
    static const char *const texts[] = {"<html>login</html>",
                                        "[]",
                                        "true",
                                        "{\"code\":200",
                                        "{\"code\":200,\"message\":OK}",
                                        "\x00\x01"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(CfInspurAnswer) answer = {0};
        g_autoptr(GError) error = NULL;

        if (!*texts[i])
            continue;
        g_assert_false(
            cf_inspur_read_answer(200, texts[i], strlen(texts[i]), NULL, 0, &answer, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_null(strchr(error->message, '\n'));
    }
}

static void
test_secret_answer(void)
{
    static const char *const texts[] = {"token=hunter2", "<p>hunter2</p>"};

    for (guint i = 0; i < 2 * G_N_ELEMENTS(texts); i++) {
        g_auto(CfInspurAnswer) answer = {0};
        g_autoptr(GError) error = NULL;

        cf_inspur_read_answer(i < 2 ? 200 : 500, texts[i % 2], strlen(texts[i % 2]), NULL,
                              CF_INSPUR_SECRET, &answer, &error);
        g_assert_null(strstr(error->message, "hunter2"));
        g_assert_null(cf_error_get_cloud(error)->message);
    }
}

static void
test_request_id(void)
{
    static const char own[] = "{\"code\":200,\"requestid\":\"theirs\"}";
    static const char other[] = "{\"code\":200}";
    g_auto(CfInspurAnswer) first = {0};
    g_auto(CfInspurAnswer) second = {0};

    g_assert_true(cf_inspur_read_answer(200, own, strlen(own), "ours", 0, &first, NULL));
    g_assert_cmpstr(first.request_id, ==, "theirs");
    g_assert_true(cf_inspur_read_answer(200, other, strlen(other), "ours", 0, &second, NULL));
    g_assert_cmpstr(second.request_id, ==, "ours");
}

static void
test_empty_list_codes(void)
{
    static const char *const texts[] = {"{\"code\":\"101.001008\"}", "{\"code\":\"003002\"}",
                                        "{\"code\":3002}", "{\"code\":\"101.001033\"}"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(CfInspurAnswer) answer = {0};
        g_autoptr(GError) error = NULL;

        cf_inspur_read_answer(400, texts[i], strlen(texts[i]), NULL, 0, &answer, &error);
        g_assert_cmpint(cf_inspur_is_empty_list(error), ==, i < 3);
    }
}

/* --- records ---------------------------------------------------------------------------------- */

/* A field and what it must read; NULL: there is no such value. */
typedef struct {
    const char *name, *text;
} Expected;

static void
assert_record(const CfRecord *record, const Expected *rows, guint n_rows)
{
    CfCollection collection = cf_record_get_collection(record);
    guint n;
    const CfField *fields = cf_schema_get(collection, &n);

    for (guint i = 0; i < n; i++) {
        const char *expected = NULL;

        for (guint row = 0; row < n_rows; row++)
            if (strcmp(rows[row].name, fields[i].name) == 0)
                expected = rows[row].text;
        if (g_strcmp0(cf_record_get(record, i), expected) != 0)
            g_error("%s: is '%s', not '%s'", fields[i].name, cf_record_get(record, i), expected);
    }
}

static CfRecord *
parse(CfCollection collection, const char *text)
{
    g_autoptr(GError) error = NULL;
    CfJsonSpan span;
    CfRecord *record;

    cf_json_check(text, strlen(text), &span, &error);
    g_assert_no_error(error);
    record = cf_inspur_parse(collection, span, &error);
    g_assert_no_error(error);
    return record;
}

#define SERVER_CAN                                                                                 \
    (CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_CONSOLE) |                \
     CF_CAN(CF_ACTION_CAPTURE))
#define IMAGE_CAN (CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_DELETE))

static void
test_server_odd(void)
{
    static const char text[] =
        "{\"regionId\":\"r1\",\"name\":\"\",\"id\":17,\"status\":\"ACTIVE\",\"task_state\":\"\","
        "\"image\":\"\",\"root_volume\":{\"size\":\"50.0\"},\"flavor\":{\"vcpus\":2.0,\"ram\":"
        "\"2\"},"
        "\"security_groups\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"a\"},\"c\",{}],"
        "\"nics\":[{\"fixed_ip\":\"10.0.0.9\"},{\"fixed_ip\":null},{\"fixed_ip\":\"10.0.0.2\"}],"
        "\"eip\":[{\"ip_addr\":\"198.51.100.1\"},{\"ip_addr\":\"10.0.0.2\"}],"
        "\"feeData\":{\"nextFeeTime\":\"永久\"},\"created\":\"2024-01-01T00:00:00\","
        "\"updated\":\"2024-01-02T00:00:00.5Z\"}";
    static const Expected rows[] = {
        {"id", "17"},
        {"name", ""},
        {"status", "ACTIVE"},
        {"state", "running"},
        {"region", "r1"},
        {"vcpus", "2"},
        {"ram_mb", "2048"},
        {"root_disk_gb", "50"},
        {"security_groups", "a\nb\nc"},
        {"private_addresses", "10.0.0.9\n10.0.0.2"},
        {"public_addresses", "198.51.100.1\n10.0.0.2"},
        {"addresses", "10.0.0.9\n10.0.0.2\n198.51.100.1"},
        {"expires", "永久"},
        {"created", "2024-01-01T00:00:00Z"},
        {"updated", "2024-01-02T00:00:00Z"},
    };
    g_autoptr(CfRecord) record = parse(CF_SERVERS, text);
    gsize len;

    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1704153600000000);
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpstr(cf_record_get_raw(record, &len), ==, text);
    g_assert_cmpuint(len, ==, strlen(text));
}

/* Types that nobody promised: no value rather than a wrong one, and no crash. */
static void
test_server_wrong_types(void)
{
    static const char *const texts[] = {
        ("{\"id\":\"a\",\"name\":{},\"status\":[],\"task_state\":{},\"image\":[],\"root_volume\":7,"
         "\"flavor\":\"x\",\"nics\":{},\"eip\":{\"ip_addr\":[]},\"security_groups\":{},"
         "\"feeData\":[],\"created\":{}}"),
        ("{\"id\":\"a\",\"flavor\":{\"vcpus\":-2,\"ram\":1e3},\"root_volume\":{\"size\":\"50 GB\"},"
         "\"image\":{\"id\":{}},\"eip\":null,\"nics\":null,\"host\":null,\"key_name\":\"\"}"),
        ("{\"id\":\"a\",\"flavor\":{\"vcpus\":2.5,\"ram\":[]},\"root_volume\":{\"size\":true}}"),
    };
    static const Expected rows[] = {{"id", "a"}, {"state", "unknown"}};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(CfRecord) record = parse(CF_SERVERS, texts[i]);

        assert_record(record, rows, G_N_ELEMENTS(rows));
        g_assert_cmpstr(cf_record_get_name(record), ==, "");
        g_assert_cmpint(cf_record_get_updated_us(record), ==, 0);
    }
}

static void
test_no_id(void)
{
    static const char *const texts[] = {"{}",          "{\"id\":null}", "{\"id\":\"\"}",
                                        "{\"id\":{}}", "{\"id\":[1]}",  "[]",
                                        "\"x\"",       "null"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (guint collection = 0; collection < CF_COLLECTION_N; collection++) {
            g_autoptr(GError) error = NULL;
            CfJsonSpan span = {texts[i], strlen(texts[i])};

            g_assert_null(cf_inspur_parse((CfCollection) collection, span, &error));
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
            if (i < 5)
                g_assert_nonnull(strstr(error->message, "id"));
        }
    }
}

static void
test_ram(void)
{
    static const struct {
        const char *ram, *mib;
    } rows[] = {{"1", "1024"},       {"255", "261120"},
                {"256", "256"},      {"4096", "4096"},
                {"\"16\"", "16384"}, {"0", "0"},
                {"512.0", "512"},    {"99999999999999999999", "99999999999999999999"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"id\":\"a\",\"flavor\":{\"ram\":%s}}", rows[i].ram);
        g_autoptr(CfRecord) record = parse(CF_SERVERS, text);

        g_assert_cmpstr(cf_record_get(record, CF_SERVER_RAM_MB), ==, rows[i].mib);
    }
}

static void
test_image_tags(void)
{
    static const struct {
        const char *tags, *text;
    } rows[] = {{"[\"b\",\"a\",\"b\",\"\"]", "a\nb"},
                {"\"b, a,b\"", "a\nb"},
                {"[]", ""},
                {"\"\"", ""},
                {"null", NULL},
                {"[1,true,{}]", "1\ntrue"},
                {"\"one\"", "one"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf("{\"id\":\"a\",\"tags\":%s}", rows[i].tags);
        g_autoptr(CfRecord) record = parse(CF_IMAGES, text);

        g_assert_cmpstr(cf_record_get(record, CF_IMAGE_TAGS), ==, rows[i].text);
    }
}

static void
test_can(void)
{
    static const struct {
        CfCollection collection;
        const char *text;
        guint can;
    } rows[] = {
        {CF_SERVERS, "{\"id\":\"a\",\"status\":\"ACTIVE\"}", SERVER_CAN},
        {CF_SERVERS, "{\"id\":\"a\",\"status\":\"BUILD\"}", SERVER_CAN},
        {CF_SERVERS, "{\"id\":\"private\"}", SERVER_CAN},
        {CF_SERVERS, "{\"id\":\"a\",\"status\":\"SOFT_DELETED\"}", 0},
        {CF_SERVERS, "{\"id\":\"..\",\"status\":\"ACTIVE\"}", 0},
        {CF_IMAGES, "{\"id\":\"a\",\"visibility\":\"private\",\"status\":\"active\"}", IMAGE_CAN},
        {CF_IMAGES, "{\"id\":\"a\",\"visibility\":\"PRIVATE\",\"status\":\"queued\"}", IMAGE_CAN},
        {CF_IMAGES, "{\"id\":\"a\",\"visibility\":\"public\",\"status\":\"active\"}", 0},
        {CF_IMAGES, "{\"id\":\"a\",\"visibility\":\"shared\",\"status\":\"active\"}", 0},
        {CF_IMAGES, "{\"id\":\"a\",\"status\":\"active\"}", 0},
        {CF_IMAGES, "{\"id\":\"a\",\"visibility\":\"private\",\"status\":\"deleted\"}", 0},
        {CF_IMAGES, "{\"id\":\"private\",\"visibility\":\"private\",\"status\":\"active\"}", 0},
        {CF_IMAGES, "{\"id\":\".\",\"visibility\":\"private\",\"status\":\"active\"}", 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(CfRecord) record = parse(rows[i].collection, rows[i].text);

        g_assert_cmpuint(cf_record_get_can(record), ==, rows[i].can);
    }
}

static void
test_secret_keys(void)
{
    static const char *const secret[] = {"locations",    "direct_url",      "adminPass",
                                         "user_data",    "graphics_passwd", "VNCPassword",
                                         "password",     "token",           "access_token",
                                         "refreshToken", "client_secret",   "private_key"};
    static const char *const plain[] = {
        "id",   "name", "status",           "location", "key_name", "self",         "schema",
        "file", "host", "keyCloakUserName", "url",      "pass",     "hw:cpu_policy"};

    for (guint i = 0; i < G_N_ELEMENTS(secret); i++)
        g_assert_true(cf_inspur_is_secret(secret[i]));
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
        g_assert_false(cf_inspur_is_secret(plain[i]));
}

/* --- answers ---------------------------------------------------------------------------------- */

static gboolean
read_list(const char *text, CfCollection collection, guint *ret_n, gint64 *ret_total,
          GError **error)
{
    g_auto(CfInspurAnswer) answer = {0};
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    gboolean good;

    g_assert_true(cf_inspur_read_answer(200, text, strlen(text), NULL, 0, &answer, NULL));
    good = cf_inspur_read_list(&answer, collection, records, ret_total, error);
    *ret_n = records->len;
    return good;
}

static void
test_lists(void)
{
    static const struct {
        const char *text;
        int n; /* -1: refused */
        gint64 total;
    } rows[] = {
        {"{\"code\":200,\"data\":{\"totalCount\":16,\"servers\":[{\"id\":1}]}}", 1, 16},
        {"{\"code\":200,\"data\":{\"totalCount\":\"16\",\"servers\":[]}}", 0, 16},
        {"{\"code\":200,\"data\":{\"servers\":[{},{}]}}", 2, -1},
        {"{\"code\":200,\"data\":{\"totalCount\":{},\"servers\":[1]}}", 1, -1},
        {"{\"Code\":\"200\",\"Data\":{\"TotalCount\":3,\"Servers\":[{}]}}", 1, 3},
        {"{\"code\":200,\"data\":{\"totalCount\":0,\"servers\":null}}", 0, 0},
        {"{\"code\":200,\"data\":{\"totalCount\":0}}", 0, 0},
        {"{\"code\":200,\"data\":\"\"}", 0, 0},
        {"{\"code\":200,\"data\":null}", 0, 0},
        {"{\"code\":200,\"data\":{\"totalCount\":5,\"servers\":null}}", -1, 0},
        {"{\"code\":200,\"data\":{\"servers\":null}}", -1, 0},
        {"{\"code\":200,\"data\":{\"servers\":{}}}", -1, 0},
        {"{\"code\":200,\"data\":{}}", -1, 0},
        {"{\"code\":200,\"data\":[]}", -1, 0},
        {"{\"code\":200,\"data\":\"x\"}", -1, 0},
        {"{\"code\":200}", -1, 0},
        {"{}", -1, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        gint64 total;
        guint n;
        gboolean good = read_list(rows[i].text, CF_SERVERS, &n, &total, &error);

        if (rows[i].n < 0) {
            g_assert_false(good);
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
            g_assert_nonnull(strstr(error->message, "data.servers"));
        } else {
            g_assert_no_error(error);
            g_assert_cmpuint(n, ==, rows[i].n);
            g_assert_cmpint(total, ==, rows[i].total);
        }
    }
}

static void
test_tag_answers(void)
{
    static const struct {
        const char *text, *tags; /* joined by '|'; NULL: refused */
    } rows[] = {
        {"{\"code\":200,\"data\":{\"tags\":[\"ECS\"]}}", "ECS"},
        {"{\"code\":200,\"data\":{\"tags\":[\"b\",\"a\",\"b\"]}}", "a|b"},
        {"{\"code\":200,\"data\":{\"tags\":\"x,中\"}}", "x|中"},
        {"{\"code\":200,\"data\":{\"tags\":[]}}", ""},
        {"{\"code\":200,\"data\":{\"tags\":\"\"}}", ""},
        {"{\"code\":200,\"data\":{\"tags\":null}}", ""},
        {"{\"code\":200,\"data\":\"\"}", ""},
        {"{\"code\":200,\"data\":null}", ""},
        {"{\"code\":200,\"data\":{}}", NULL},
        {"{\"code\":200,\"data\":{\"tags\":{}}}", NULL},
        {"{\"code\":200,\"data\":{\"tags\":7}}", NULL},
        {"{\"code\":200,\"data\":[]}", NULL},
        {"{\"code\":200}", NULL},
        {"", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(CfInspurAnswer) answer = {0};
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) tags = NULL;
        g_autofree char *joined = NULL;

        cf_inspur_read_answer(200, rows[i].text, strlen(rows[i].text), NULL, 0, &answer, NULL);
        tags = cf_inspur_read_tags(&answer, &error);
        joined = tags ? g_strjoinv("|", tags) : NULL;
        g_assert_cmpstr(joined, ==, rows[i].tags);
        g_assert_cmpint(error != NULL, ==, rows[i].tags == NULL);
    }
}

static void
test_counts(void)
{
    static const struct {
        const char *prose;
        gboolean good;
        guint done, failed;
    } rows[] = {
        {"删除成功2台,删除失败1台", TRUE, 2, 1},
        {"删除成功 10 台，删除失败：0台", TRUE, 10, 0},
        {"删除失败3台", TRUE, 0, 3},
        {"删除成功3台", TRUE, 3, 0},
        {"成功99999999999999999999台", TRUE, 2147483647, 0},
        {"删除成功", FALSE, 0, 0},
        {"ok", FALSE, 0, 0},
        {"", FALSE, 0, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint done = 0, failed = 0;

        g_assert_cmpint(cf_inspur_read_counts(rows[i].prose, &done, &failed), ==, rows[i].good);
        g_assert_cmpuint(done, ==, rows[i].done);
        g_assert_cmpuint(failed, ==, rows[i].failed);
    }
}

/* --- recorded answers ------------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): the text; NULL and the case skipped when nobody told where
 * the answers are. */
static char *
load(const char *name)
{
    const char *folder = g_getenv("CF_REPLIES");
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!folder) {
        g_test_skip("CF_REPLIES is not set");
        return NULL;
    }
    path = g_build_filename(folder, "inspur", name, NULL);
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* The first record of a list. */
static CfRecord *
first_of(const char *text, CfCollection collection, guint expected_n, gint64 expected_total)
{
    g_auto(CfInspurAnswer) answer = {0};
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) error = NULL;
    gint64 total;
    CfRecord *record;

    cf_inspur_read_answer(200, text, strlen(text), NULL, 0, &answer, &error);
    g_assert_no_error(error);
    cf_inspur_read_list(&answer, collection, records, &total, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(records->len, ==, expected_n);
    g_assert_cmpint(total, ==, expected_total);
    record = cf_inspur_parse(collection, g_array_index(records, CfJsonSpan, 0), &error);
    g_assert_no_error(error);
    return record;
}

static CfRecord *
only_of(const char *text, CfCollection collection)
{
    g_auto(CfInspurAnswer) answer = {0};
    g_autoptr(GError) error = NULL;
    CfRecord *record;

    cf_inspur_read_answer(200, text, strlen(text), NULL, 0, &answer, &error);
    g_assert_no_error(error);
    record = cf_inspur_parse(collection, cf_inspur_read_one(&answer, collection), &error);
    g_assert_no_error(error);
    return record;
}

static const Expected document_server[] = {
    {"id", "9168b536-cd40-4630-b43f-b259807c6e87"},
    {"name", "newserver"},
    {"status", "active"},
    {"state", "running"},
    {"task", "xxx"},
    {"created", "2012-08-20T21:11:09Z"},
    {"zone", "nova"},
    {"region", "cn-north-3"},
    {"key_name", "sshkey-123"},
    {"flavor", "s1.xlarge.2"},
    {"vcpus", "1"},
    {"ram_mb", "1024"},
    {"root_disk_gb", "50"},
    {"addresses", "10.20.30.137\n100.100.100.100"},
    {"private_addresses", "10.20.30.137"},
    {"public_addresses", "100.100.100.100"},
    {"security_groups", "sg_aa1"},
    {"charge_type", "monthly"},
    {"expires", "2012-08-20T13:11:09Z"},
    {"image", "1189efbf-d48b-46ad-a823-94b942e2a000"},
};

static void
test_list_servers(void)
{
    g_autofree char *text = load("list-servers.json");
    g_autoptr(CfRecord) record = text ? first_of(text, CF_SERVERS, 1, 1) : NULL;

    if (!record)
        return;
    assert_record(record, document_server, G_N_ELEMENTS(document_server));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1345497069000000);
    g_assert_cmpuint(cf_record_get_can(record), ==, SERVER_CAN);
}

static void
test_show_server(void)
{
    Expected rows[G_N_ELEMENTS(document_server)];
    g_autofree char *text = load("show-server.json");
    g_autoptr(CfRecord) record = text ? only_of(text, CF_SERVERS) : NULL;

    if (!record)
        return;
    memcpy(rows, document_server, sizeof rows);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, "charge_type") == 0)
            rows[i].text = "prePaid";
    assert_record(record, rows, G_N_ELEMENTS(rows));
}

static const Expected document_image[] = {
    {"id", "46cb2a76-785d-4bb7-9d97-18fe86b4129a"},
    {"name", "centos71x86_64.qcow2"},
    {"status", "active"},
    {"state", "available"},
    {"tags", "centos\ninhost"},
    {"description", "inhost windows"},
    {"size", "1257963520"},
    {"min_disk_gb", "0"},
    {"min_ram_mb", "0"},
    {"os", "centos"},
    {"os_family", "linux"},
    {"visibility", "public"},
    {"owner", "140785795de64945b02363661eb9e769"},
    {"format", "qcow2"},
    {"checksum", "e01867770828b02a63ebb037cbd2d319"},
    {"created", "2018-09-07T12:14:25Z"},
    {"updated", "2018-09-07T13:40:22Z"},
};

static void
test_list_images(void)
{
    static const char *const names[] = {"list-images.json", "list-private-images.json"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = load(names[i]);
        g_autoptr(CfRecord) record = text ? first_of(text, CF_IMAGES, 1, 16) : NULL;

        if (!record)
            return;
        assert_record(record, document_image, G_N_ELEMENTS(document_image));
        g_assert_cmpint(cf_record_get_updated_us(record), ==, 1536327622000000);
        g_assert_cmpuint(cf_record_get_can(record), ==, 0);
    }
}

static void
test_show_image(void)
{
    static const Expected rows[] = {
        {"id", "253a26bb-f2f8-4443-8152-5c505a4ad7cd"},
        {"name", "dr0919ws"},
        {"status", "active"},
        {"state", "available"},
        {"tags", "ECS\nSYSTEMDISK_1\ncentos7.1"},
        {"size", "1073741824"},
        {"min_disk_gb", "1"},
        {"min_ram_mb", "0"},
        {"os", "centos7.1"},
        {"os_family", "linux"},
        {"visibility", "private"},
        {"owner", "35ee734f83814f039084c9b55228e671"},
        {"format", "raw"},
        {"checksum", "e9ad8c8558ab399b02b0cdd69c9bbdb6"},
        {"created", "2018-09-27T08:45:55Z"},
        {"updated", "2018-09-27T08:47:02Z"},
    };
    g_autofree char *text = load("show-image.json");
    g_autoptr(CfRecord) record = text ? only_of(text, CF_IMAGES) : NULL;

    if (!record)
        return;
    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_cmpuint(cf_record_get_can(record), ==, IMAGE_CAN);
}

static void
test_plain_answers(void)
{
    static const char *const names[] = {"action-ok.json", "delete-image.json", "update-image.json"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = load(names[i]);
        g_auto(CfInspurAnswer) answer = {0};
        g_autoptr(GError) error = NULL;

        if (!text)
            return;
        cf_inspur_read_answer(200, text, strlen(text), NULL, 0, &answer, &error);
        g_assert_no_error(error);
    }
}

static void
test_small_answers(void)
{
    static const struct {
        const char *name, *path, *text;
    } rows[] = {
        {"console.json", "console.url",
         "http://console.staging.inspur.com/ecs/vnc/"
         "vnc_auto.html?token=b1b939af-279e-4151-befd-bed3792595ed"},
        {"console.json", "console.type", "novnc"},
        {"create-image.json", "image_id", "xxx"},
        {"delete-images-batch.json", "status", "删除成功2台,删除失败1台"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CfJsonField field = {rows[i].path, cf_json_take_text, 0, CF_JSON_REQUIRED};
        g_autofree char *text = load(rows[i].name);
        g_auto(CfInspurAnswer) answer = {0};
        g_autoptr(GError) error = NULL;
        g_autofree char *value = NULL;

        if (!text)
            return;
        cf_inspur_read_answer(200, text, strlen(text), NULL, 0, &answer, &error);
        g_assert_no_error(error);
        cf_json_read(answer.data, &field, 1, &value, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(value, ==, rows[i].text);
    }
}

static void
test_list_tags(void)
{
    g_autofree char *text = load("list-tags.json");
    g_auto(CfInspurAnswer) answer = {0};
    g_auto(GStrv) tags = NULL;

    if (!text)
        return;
    g_assert_true(cf_inspur_read_answer(200, text, strlen(text), NULL, 0, &answer, NULL));
    tags = cf_inspur_read_tags(&answer, NULL);
    g_assert_cmpuint(g_strv_length(tags), ==, 1);
    g_assert_cmpstr(tags[0], ==, "ECS");
}

static void
test_error_replies(void)
{
    static const Answer rows[] = {
        {400, "error-001002.json", CF_ERROR_INVALID, "101.001002", "参数xxx不符合规范"},
        {400, "error-001012.json", CF_ERROR_BUSY, "101.001012",
         "存在未知状态的云服务器，请重新选择云服务器"},
        {400, "error-101.001012.json", CF_ERROR_BUSY, "101.001012",
         "存在未知状态的云服务器，请重新选择云服务器"},
        {400, "error-001013.json", CF_ERROR_NOT_YOURS, "101.001013",
         "存在未知所属的云服务器，请重新选择云服务器"},
        {400, "error-001014.json", CF_ERROR_REFUSED, "101.001014",
         "存在未付费类型的云服务器，请重新选择云服务器"},
        {400, "error-001033.json", CF_ERROR_NOT_FOUND, "101.001033", "云服务器xxx不存在"},
        {400, "error-001040.json", CF_ERROR_REMOTE, "101.001040", "操作失败"},
        {500, "error-003005.json", CF_ERROR_REMOTE, "101.003005", "更新镜像失败"},
        {500, "error-003006.json", CF_ERROR_REMOTE, "101.003006", "删除镜像失败"},
        {400, "error-003007.json", CF_ERROR_REMOTE, "101.003007", "创建自定义镜像失败"},
        {400, "error-003011.json", CF_ERROR_BUSY, "101.003011", "虚机不能创建自定义镜像,状态:%s"},
        {400, "error-003015.json", CF_ERROR_BUSY, "101.003015",
         "当前镜像无法删除，已关联云服务器\"XX\""},
        {400, "error-003016.json", CF_ERROR_BUSY, "101.003016", "创建中的镜像不可进行修改"},
        {400, "error-003017.json", CF_ERROR_DENIED, "101.003017", "非私有镜像不可进行修改"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = load(rows[i].text);
        Answer row = rows[i];

        if (!text)
            return;
        row.text = text;
        check_answer(&row, 0);
        row.status = 200; /* the same where the gateway says that all is well */
        check_answer(&row, 0);
    }
}

/* --- speed ------------------------------------------------------------------------------------ */

static void
test_speed(void)
{
    static const char text[] =
        "{\"regionID\":\"cn-north-3\",\"availability_zone\":\"nova\",\"name\":\"newserver\","
        "\"id\":\"9168b536-cd40-4630-b43f-b259807c6e87\",\"status\":\"active\",\"task_state\":null,"
        "\"image\":{\"id\":\"1189efbf-d48b-46ad-a823-94b942e2a000\",\"name\":\"centos70X64\","
        "\"system\":\"Centos\",\"systemType\":\"Linux\",\"tags\":[\"xxx\",\"xxx\"]},\"root_"
        "volume\":"
        "{\"volumetype\":\"SATA\",\"size\":50},\"data_volumes\":[{\"volumetype\":\"SATA\","
        "\"volumeid\":\"zzz\",\"volumename\":\"aaa\",\"size\":100},{\"volumetype\":\"SATA\","
        "\"volumeid\":\"bbb\",\"volumename\":\"ccc\",\"size\":100}],\"flavor\":{\"disk\":50,"
        "\"ephemeral\":0,\"extra_specs\":{\"hw:cpu_policy\":\"dedicated\",\"hw:mem_page_size\":"
        "\"2048\"},\"original_name\":\"s1.xlarge.2\",\"ram\":4096,\"swap\":0,\"vcpus\":1},"
        "\"security_groups\":[{\"name\":\"sg_aa1\"}],\"vpcid\":\"0dae26c9-9a70-4392-93f3-"
        "87d53115d171\",\"vpcname\":\"myvpc\",\"hostId\":\"12efd5567jklu\",\"nics\":[{\"subnet_"
        "id\":"
        "\"157ee789-03ea-45b1-a698-76c92660dd83\",\"subnet_name\":\"xxxx\",\"subnet_cidr\":"
        "\"xxxx\","
        "\"network_id\":\"5d0180c1-ddaa-4582-9111-6332e0b091e1\",\"mac_address\":"
        "\"fa:16:3e:dc:d1:aa\",\"fixed_ip\":\"10.20.30.137\",\"portid\":\"xxx\"}],\"eip\":{"
        "\"eipid\":"
        "\"xxx\",\"iptype\":\"5 _bgp\",\"bandwidth\":10,\"chargemode\":\"Bandwidth\",\"ip_addr\":"
        "\"100.100.100.100\"},\"key_name\":\"sshkey-123\",\"feeData\":{\"chargetype\":\"monthly\","
        "\"startFeeTime\":\"2012-08-20 21:11:09\",\"nextFeeTime\":\"2012-08-20 21:11:09\"},"
        "\"created\":\"2012-08-20T21:11:09Z\"}";
    CfJsonSpan span = {text, strlen(text)};
    gint64 begun = g_get_monotonic_time();
    const guint n = 20000;

    for (guint i = 0; i < n; i++)
        cf_record_unref(cf_inspur_parse(CF_SERVERS, span, NULL));
    g_test_minimized_result((double) (g_get_monotonic_time() - begun) / n,
                            "one record of %zu bytes: %.2f us", strlen(text),
                            (double) (g_get_monotonic_time() - begun) / n);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inspur-parse/times", test_times);
    g_test_add_func("/inspur-parse/server-states", test_server_states);
    g_test_add_func("/inspur-parse/image-states", test_image_states);
    g_test_add_func("/inspur-parse/codes", test_codes);
    g_test_add_func("/inspur-parse/code-meanings", test_meanings);
    g_test_add_func("/inspur-parse/status-meanings", test_statuses);
    g_test_add_func("/inspur-parse/envelope", test_envelope);
    g_test_add_func("/inspur-parse/garbage", test_garbage);
    g_test_add_func("/inspur-parse/secret-answer", test_secret_answer);
    g_test_add_func("/inspur-parse/request-id", test_request_id);
    g_test_add_func("/inspur-parse/empty-list-codes", test_empty_list_codes);
    g_test_add_func("/inspur-parse/server-odd", test_server_odd);
    g_test_add_func("/inspur-parse/server-wrong-types", test_server_wrong_types);
    g_test_add_func("/inspur-parse/no-id", test_no_id);
    g_test_add_func("/inspur-parse/ram", test_ram);
    g_test_add_func("/inspur-parse/image-tags", test_image_tags);
    g_test_add_func("/inspur-parse/can", test_can);
    g_test_add_func("/inspur-parse/secret-keys", test_secret_keys);
    g_test_add_func("/inspur-parse/lists", test_lists);
    g_test_add_func("/inspur-parse/tag-answers", test_tag_answers);
    g_test_add_func("/inspur-parse/counts", test_counts);
    g_test_add_func("/inspur-parse/replies/list-servers", test_list_servers);
    g_test_add_func("/inspur-parse/replies/show-server", test_show_server);
    g_test_add_func("/inspur-parse/replies/list-images", test_list_images);
    g_test_add_func("/inspur-parse/replies/show-image", test_show_image);
    g_test_add_func("/inspur-parse/replies/plain", test_plain_answers);
    g_test_add_func("/inspur-parse/replies/small", test_small_answers);
    g_test_add_func("/inspur-parse/replies/list-tags", test_list_tags);
    g_test_add_func("/inspur-parse/replies/errors", test_error_replies);
    g_test_add_func("/inspur-parse/speed", test_speed);
    return g_test_run();
}
