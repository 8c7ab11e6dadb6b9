/* What we read in UCloudStack's answers. Expected values are written down by hand from the
 * manuals' tables and the contract. */
#include "providers/timestamp.h"
#include "providers/ucloudstack/private.h"
#include "util/error.h"
#include "json/fields.h"

#include <string.h>

static char *
read_reply(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("CF_REPLIES"), "ucloudstack", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static CfJsonSpan
check(const char *text)
{
    g_autoptr(GError) error = NULL;
    CfJsonSpan span;

    cf_json_check(text, strlen(text), &span, &error);
    g_assert_no_error(error);
    return span;
}

/* --- states ----------------------------------------------------------------------------------- */

static void
test_server_states(void)
{
    static const struct {
        const char *status, *state;
        gboolean settled;
    } rows[] = {
        {"Initializing", "building", FALSE},
        {"Starting", "starting", FALSE},
        {"Running", "running", TRUE},
        {"running", "running", TRUE},
        {"Restarting", "rebooting", FALSE},
        {"Stopping", "stopping", FALSE},
        {"Poweroffing", "stopping", FALSE},
        {"Stopped", "stopped", TRUE},
        {"STOPPED", "stopped", TRUE},
        {"Resizing", "resizing", FALSE},
        {"WaitReinstall", "rebuilding", FALSE},
        {"Reinstalling", "rebuilding", FALSE},
        {"Migrating", "running", FALSE},
        {"ChangeSGing", "running", FALSE},
        {"Terminating", "deleting", FALSE},
        {"Terminated", "deleted", TRUE},
        {"Deleted", "deleted", TRUE},
        {"Failed", "error", TRUE},
        {"pWeZsyga", "unknown", TRUE},
        {"", "unknown", TRUE},
        {NULL, "unknown", TRUE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean settled;
        CfState state = cf_ucloudstack_server_state(rows[i].status, &settled);

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
        {"Making", "creating"}, {"Uploading", "creating"}, {"Available", "available"},
        {"Used", "available"},  {"used", "available"},     {"Unavailable", "disabled"},
        {"Failed", "error"},    {"Deleting", "deleting"},  {"Terminating", "deleting"},
        {"Deleted", "deleted"}, {"Terminated", "deleted"}, {"bLygBOJB", "unknown"},
        {"", "unknown"},        {NULL, "unknown"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpstr(cf_state_to_string(cf_ucloudstack_image_state(rows[i].status)), ==,
                        rows[i].state);
}

/* --- errors ----------------------------------------------------------------------------------- */

typedef struct {
    gint64 code;
    CfErrorCode meaning;
} Code;

static void
assert_codes(CfUcloudstackDialect dialect, const Code *rows, guint n)
{
    for (guint i = 0; i < n; i++) {
        CfErrorCode meaning =
            cf_ucloudstack_code_meaning(dialect, rows[i].code, CF_UCLOUDSTACK_OF_RESOURCE);

        if (meaning != rows[i].meaning)
            g_error("%d: is %s, not %s", (int) rows[i].code, cf_error_name(meaning),
                    cf_error_name(rows[i].meaning));
    }
}

static void
test_codes_2(void)
{
    static const Code rows[] = {
        {2, CF_ERROR_REMOTE},         {3, CF_ERROR_INVALID},        {4, CF_ERROR_INVALID},
        {100, CF_ERROR_INVALID},      {101, CF_ERROR_INVALID},      {102, CF_ERROR_INVALID},
        {103, CF_ERROR_UNAUTHORIZED}, {104, CF_ERROR_UNAUTHORIZED}, {105, CF_ERROR_UNAUTHORIZED},
        {106, CF_ERROR_INVALID},      {107, CF_ERROR_INVALID},      {108, CF_ERROR_INVALID},
        {109, CF_ERROR_UNAUTHORIZED}, {110, CF_ERROR_UNSUPPORTED},  {111, CF_ERROR_DENIED},
        {112, CF_ERROR_DENIED},       {113, CF_ERROR_INVALID},      {114, CF_ERROR_DENIED},
        {115, CF_ERROR_REMOTE},       {199, CF_ERROR_THROTTLED},    {200, CF_ERROR_NOT_FOUND},
        {201, CF_ERROR_BUSY},         {202, CF_ERROR_BUSY},         {203, CF_ERROR_BUSY},
        {204, CF_ERROR_NOT_FOUND},    {205, CF_ERROR_NOT_FOUND},    {206, CF_ERROR_REFUSED},
        {207, CF_ERROR_INVALID},      {208, CF_ERROR_QUOTA},        {209, CF_ERROR_REFUSED},
        {400, CF_ERROR_REFUSED},      {404, CF_ERROR_REFUSED},      {550, CF_ERROR_REMOTE},
        {559, CF_ERROR_REMOTE},       {560, CF_ERROR_THROTTLED},    {600, CF_ERROR_DENIED},
        {605, CF_ERROR_DENIED},       {650, CF_ERROR_DENIED},       {656, CF_ERROR_DENIED},
        {1000, CF_ERROR_NOT_FOUND},   {1001, CF_ERROR_BUSY},        {1002, CF_ERROR_BUSY},
        {1003, CF_ERROR_INVALID},     {1004, CF_ERROR_NOT_FOUND},   {1005, CF_ERROR_BUSY},
        {1006, CF_ERROR_BUSY},        {1008, CF_ERROR_BUSY},        {1009, CF_ERROR_CHANGED},
        {1010, CF_ERROR_CHANGED},     {1014, CF_ERROR_BUSY},        {1016, CF_ERROR_BUSY},
        {1019, CF_ERROR_CAPACITY},    {14003, CF_ERROR_CAPACITY},   {14006, CF_ERROR_CAPACITY},
        {15003, CF_ERROR_CAPACITY},   {15005, CF_ERROR_CAPACITY},   {17005, CF_ERROR_QUOTA},
        {20001, CF_ERROR_REFUSED},    {20010, CF_ERROR_REFUSED},    {20011, CF_ERROR_EXPIRED},
        {23001, CF_ERROR_REFUSED},    {27001, CF_ERROR_REFUSED},    {27004, CF_ERROR_REFUSED},
        {2005, CF_ERROR_REMOTE},      {165, CF_ERROR_REMOTE},       {99999, CF_ERROR_REMOTE},
        {-1, CF_ERROR_REMOTE},
    };

    assert_codes(CF_UCLOUDSTACK_GEN_2, rows, G_N_ELEMENTS(rows));
}

static void
test_codes_1(void)
{
    static const Code rows[] = {
        {100, CF_ERROR_REMOTE},       {110, CF_ERROR_TIMEOUT},   {130, CF_ERROR_REMOTE},
        {140, CF_ERROR_INVALID},      {150, CF_ERROR_DENIED},    {151, CF_ERROR_REMOTE},
        {153, CF_ERROR_REMOTE},       {154, CF_ERROR_INVALID},   {160, CF_ERROR_REFUSED},
        {161, CF_ERROR_QUOTA},        {162, CF_ERROR_INVALID},   {163, CF_ERROR_INVALID},
        {164, CF_ERROR_REFUSED},      {165, CF_ERROR_THROTTLED}, {170, CF_ERROR_UNAUTHORIZED},
        {171, CF_ERROR_UNAUTHORIZED}, {172, CF_ERROR_EXPIRED},   {173, CF_ERROR_DENIED},
        {178, CF_ERROR_DENIED},       {229, CF_ERROR_INVALID},   {240, CF_ERROR_DENIED},
        {301, CF_ERROR_DENIED},       {1001, CF_ERROR_REFUSED},  {1004, CF_ERROR_REFUSED},
        {1008, CF_ERROR_REFUSED},     {2000, CF_ERROR_BUSY},     {2005, CF_ERROR_BUSY},
        {2006, CF_ERROR_NOT_FOUND},   {2007, CF_ERROR_BUSY},     {2008, CF_ERROR_NOT_FOUND},
        {2009, CF_ERROR_BUSY},        {2011, CF_ERROR_BUSY},     {2014, CF_ERROR_NOT_FOUND},
        {2015, CF_ERROR_BUSY},        {2030, CF_ERROR_CAPACITY}, {2031, CF_ERROR_CAPACITY},
        {2043, CF_ERROR_CAPACITY},    {2044, CF_ERROR_QUOTA},    {2208, CF_ERROR_CAPACITY},
        {109, CF_ERROR_REMOTE},       {199, CF_ERROR_REMOTE},    {1014, CF_ERROR_REMOTE},
        {-1, CF_ERROR_REMOTE},
    };

    assert_codes(CF_UCLOUDSTACK_GEN_1, rows, G_N_ELEMENTS(rows));
}

/* A listing cannot be missing: that would read as if its resources were gone. */
static void
test_codes_of_listings(void)
{
    static const gint64 second[] = {200, 204, 205, 1000, 1004};
    static const gint64 first[] = {2006, 2008, 2014, 162, 163};

    for (guint i = 0; i < G_N_ELEMENTS(second); i++)
        g_assert_cmpint(cf_ucloudstack_code_meaning(CF_UCLOUDSTACK_GEN_2, second[i], 0), !=,
                        CF_ERROR_NOT_FOUND);
    for (guint i = 0; i < G_N_ELEMENTS(first); i++)
        g_assert_cmpint(cf_ucloudstack_code_meaning(CF_UCLOUDSTACK_GEN_1, first[i], 0), !=,
                        CF_ERROR_NOT_FOUND);
}

static void
test_refusals(void)
{
    static const struct {
        const char *file;
        CfUcloudstackDialect dialect;
        CfErrorCode code;
        const char *number, *message;
    } rows[] = {
        {"error-2-109.json", CF_UCLOUDSTACK_GEN_2, CF_ERROR_UNAUTHORIZED, "109",
         "请求所带签名不合法，请检查签名"},
        {"error-1-171.json", CF_UCLOUDSTACK_GEN_1, CF_ERROR_UNAUTHORIZED, "171",
         "登录签名验证失败"},
        {"error-2-1014.json", CF_UCLOUDSTACK_GEN_2, CF_ERROR_BUSY, "1014",
         "虚拟机未关机，请关机后再重试"},
        {"error-1-2005.json", CF_UCLOUDSTACK_GEN_1, CF_ERROR_BUSY, "2005",
         "虚拟机未关机无法制作镜像"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = read_reply(rows[i].file);
        g_autoptr(GError) error = NULL;
        const CfCloudWords *words;
        CfJsonSpan whole;

        g_assert_false(cf_ucloudstack_read_answer(200, text, strlen(text), "req-1", rows[i].dialect,
                                                  0, &whole, &error));
        g_assert_error(error, CF_ERROR, (int) rows[i].code);
        g_assert_nonnull(strstr(error->message, rows[i].message));
        g_assert_nonnull(strstr(error->message, rows[i].number));
        words = cf_error_get_cloud(error);
        g_assert_cmpstr(words->code, ==, rows[i].number);
        g_assert_cmpstr(words->message, ==, rows[i].message);
        g_assert_cmpstr(words->request_id, ==, "req-1");
        g_assert_cmpint(words->http_status, ==, 200);
    }
}

static void
test_answers(void)
{
    static const struct {
        int status;
        const char *text;
        int code; /* -1: success */
    } rows[] = {
        {200, "{\"RetCode\":0}", -1},
        {200, " {\"Message\":null,\"RetCode\":\"0\"}\n", -1},
        {201, "{\"RetCode\":0,\"Message\":\"x\"}", -1},
        {200, "{\"RetCode\":\"1014\",\"Message\":null}", CF_ERROR_BUSY},
        {200, "{\"RetCode\":1014,\"Message\":{}}", CF_ERROR_BUSY},
        {400, "{\"RetCode\":1014,\"Message\":\"\"}", CF_ERROR_BUSY},
        {500, "{\"RetCode\":199}", CF_ERROR_THROTTLED},
        {401, "{\"RetCode\":1,\"Message\":\"x\"}", CF_ERROR_UNAUTHORIZED},
        {401, "denied", CF_ERROR_UNAUTHORIZED},
        {403, "<html><title>Forbidden</title></html>", CF_ERROR_DENIED},
        {404, "{\"message\":\"no Route\"}", CF_ERROR_REMOTE},
        {500, "{\"RetCode\":0}", CF_ERROR_REMOTE},
        {502, "", CF_ERROR_REMOTE},
        {200, "", CF_ERROR_PROTOCOL},
        {200, "{}", CF_ERROR_PROTOCOL},
        {200, "[]", CF_ERROR_PROTOCOL},
        {200, "{\"RetCode\":null}", CF_ERROR_PROTOCOL},
        {200, "{\"RetCode\":{}}", CF_ERROR_PROTOCOL},
        {200, "{\"RetCode\":\"ok\"}", CF_ERROR_PROTOCOL},
        {200, "{\"RetCode\":true}", CF_ERROR_PROTOCOL},
        {200, "{\"RetCode\":0", CF_ERROR_PROTOCOL},
        {200, "<html>please\nlog in</html>", CF_ERROR_PROTOCOL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        CfJsonSpan whole;
        gboolean good =
            cf_ucloudstack_read_answer(rows[i].status, rows[i].text, strlen(rows[i].text), NULL,
                                       CF_UCLOUDSTACK_GEN_2, 0, &whole, &error);

        g_assert_cmpint(good, ==, rows[i].code < 0);
        if (good) {
            g_assert_no_error(error);
            g_assert_cmpint(cf_json_kind(whole), ==, CF_JSON_OBJECT);
            continue;
        }
        g_assert_error(error, CF_ERROR, rows[i].code);
        g_assert_null(strchr(error->message, '\n'));
        g_assert_cmpint(cf_error_get_cloud(error)->http_status, ==, rows[i].status);
    }
}

static void
test_secret_answer(void)
{
    for (guint i = 0; i < 2; i++) {
        static const char text[] = "<p>fake-vnc-password</p>";
        g_autoptr(GError) error = NULL;
        CfJsonSpan whole;

        g_assert_false(cf_ucloudstack_read_answer(i ? 200 : 500, text, strlen(text), NULL,
                                                  CF_UCLOUDSTACK_GEN_2, CF_UCLOUDSTACK_SECRET,
                                                  &whole, &error));
        g_assert_null(strstr(error->message, "fake-vnc-password"));
        g_assert_null(cf_error_get_cloud(error)->message);
    }
}

static CfHttpVerdict
judge(CfUcloudstackDialect dialect, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    CfHttpReply reply = {.status = 200, .body = body};

    return cf_ucloudstack_judge(dialect, &reply);
}

static void
test_verdicts(void)
{
    static const struct {
        CfUcloudstackDialect dialect;
        const char *text;
        CfHttpVerdict verdict;
    } rows[] = {
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":0,\"Infos\":[]}", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":199,\"Message\":\"x\"}", CF_HTTP_THROTTLED},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":\"199\"}", CF_HTTP_THROTTLED},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":165}", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":2}", CF_HTTP_BUSY},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":560}", CF_HTTP_BUSY},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":109}", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":1014}", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_2, "", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_2, "<html>199</html>", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_2, "{\"RetCode\":[199]}", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_1, "{\"RetCode\":165}", CF_HTTP_THROTTLED},
        {CF_UCLOUDSTACK_GEN_1, "{\"RetCode\":199}", CF_HTTP_FINAL},
        {CF_UCLOUDSTACK_GEN_1, "{\"RetCode\":100}", CF_HTTP_BUSY},
        {CF_UCLOUDSTACK_GEN_1, "{\"RetCode\":2}", CF_HTTP_FINAL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(judge(rows[i].dialect, rows[i].text), ==, rows[i].verdict);
}

/* --- records ---------------------------------------------------------------------------------- */

/* A field and what it must read. */
typedef struct {
    const char *name, *text;
} Expected;

/* Fields that are not among the rows have no value. */
static void
assert_record(const CfRecord *record, const Expected *rows, guint n_rows)
{
    guint n, found = 0;
    const CfField *fields = cf_schema_get(cf_record_get_collection(record), &n);

    for (guint i = 0; i < n; i++) {
        const char *expected = NULL;

        for (guint row = 0; row < n_rows; row++) {
            if (strcmp(rows[row].name, fields[i].name) == 0) {
                expected = rows[row].text;
                found++;
            }
        }
        if (g_strcmp0(cf_record_get(record, i), expected) != 0)
            g_error("%s: is '%s', not '%s'", fields[i].name, cf_record_get(record, i), expected);
    }
    g_assert_cmpuint(found, ==, n_rows);
}

static CfRecord *
parse(CfCollection collection, const char *text)
{
    g_autoptr(GError) error = NULL;
    CfRecord *record = cf_ucloudstack_parse(collection, check(text), &error);

    g_assert_no_error(error);
    return record;
}

/* The nth record of a reply's Infos. */
static CfRecord *
parse_reply(const char *name, CfCollection collection, guint nth)
{
    g_autofree char *text = read_reply(name);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) error = NULL;
    CfRecord *record;
    gint64 total;

    g_assert_true(cf_ucloudstack_read_list(check(text), 0, records, &total, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(nth, <, records->len);
    record = cf_ucloudstack_parse(collection, g_array_index(records, CfJsonSpan, nth), &error);
    g_assert_no_error(error);
    return record;
}

#define SERVER_CAN                                                                                 \
    (CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) |             \
     CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE))
#define WORDS_CAN (CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE))
#define IMAGE_CAN (WORDS_CAN | CF_CAN(CF_ACTION_DELETE))

static void
test_server(void)
{
    static const Expected rows[] = {
        {"id", "vm-7d1a"},
        {"name", "web-01"},
        {"status", "Running"},
        {"state", "running"},
        {"created", "2024-01-02T03:04:05Z"},
        {"updated", "2024-01-02T04:04:05Z"},
        {"description", "first of two"},
        {"region", "cn"},
        {"host", "10.0.192.11"},
        {"vcpus", "2"},
        {"ram_mb", "4096"},
        {"root_disk_gb", "40"},
        {"addresses", "192.168.1.5\nfd00::5\n203.0.113.7"},
        {"private_addresses", "192.168.1.5\nfd00::5"},
        {"public_addresses", "203.0.113.7"},
        {"security_groups", "open to all\nsg-1"},
        {"charge_type", "Month"},
        {"expires", "2024-02-02T03:04:05Z"},
        {"image", "image-9f2c"},
    };
    g_autoptr(CfRecord) record = parse_reply("list-servers.json", CF_SERVERS, 0);

    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_cmpuint(cf_record_get_can(record), ==, SERVER_CAN);
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1704168245000000);
}

static void
test_server_1(void)
{
    static const Expected rows[] = {
        {"id", "vm-1"},
        {"name", "old"},
        {"status", "WaitReinstall"},
        {"state", "rebuilding"},
        {"created", "2024-01-02T03:04:05Z"},
        {"zone", "zone-01"},
        {"region", "cn"},
        {"vcpus", "1"},
        {"ram_mb", "1024"},
        {"addresses", ""},
        {"private_addresses", ""},
        {"public_addresses", ""},
        {"security_groups", ""},
        {"charge_type", "Dynamic"},
        {"image", "image-9f2c"},
    };
    g_autoptr(CfRecord) record = parse_reply("list-servers-1.json", CF_SERVERS, 0);

    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_false(cf_record_is_settled(record));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1704164645000000);
}

static void
test_image_custom(void)
{
    static const Expected rows[] = {
        {"id", "image-9f2c"},
        {"name", "golden"},
        {"status", "Used"},
        {"state", "available"},
        {"description", "base + agent"},
        {"size", "42949672960"},
        {"os", "CentOS 7.4 x86_64"},
        {"os_family", "linux"},
        {"platform", "Centos"},
        {"arch", "x86_64"},
        {"visibility", "private"},
        {"owner", "200000123"},
        {"provider", "Custom"},
        {"created", "2024-01-02T03:04:05Z"},
        {"updated", "2024-01-02T04:04:05Z"},
    };
    g_autoptr(CfRecord) record = parse_reply("list-images.json", CF_IMAGES, 0);

    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_cmpuint(cf_record_get_can(record), ==, IMAGE_CAN);
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1704168245000000);
}

/* With generation 2's further fields: the name is in ImageName, and it lets itself be renamed. */
static void
test_image_base(void)
{
    static const Expected rows[] = {
        {"id", "cn-image-centos-74"}, {"name", "CentOS 7.4"},  {"status", "Making"},
        {"state", "creating"},        {"size", "21474836480"}, {"os", "Windows 2016 x86_64"},
        {"os_family", "windows"},     {"platform", "Windows"}, {"arch", "x86_64"},
        {"visibility", "public"},     {"provider", "Base"},    {"created", "2024-01-01T00:00:00Z"},
    };
    g_autoptr(CfRecord) record = parse_reply("list-images.json", CF_IMAGES, 1);

    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_cmpuint(cf_record_get_can(record), ==, WORDS_CAN);
    g_assert_false(cf_record_is_settled(record));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1704067200000000);
}

static void
test_server_odd(void)
{
    static const char text[] =
        "{\"VMID\":17,\"Name\":null,\"State\":\"STOPPED\",\"CPU\":\"4\",\"Memory\":2048.0,"
        "\"CreateTime\":\"1704164645\",\"UpdateTime\":1704168245000,\"ExpireTime\":0,"
        "\"CompanyID\":\"x\",\"DiskInfos\":[null,7,{\"Type\":\"boot\",\"Size\":\"50\"},"
        "{\"Type\":\"Boot\",\"Size\":60}],\"IPInfos\":[{\"IP\":\"10.0.0.1\"},"
        "{\"IP\":\"10.0.0.2\",\"NicType\":\"LAN\"},{\"IP\":\"1.2.3.4\",\"NicType\":\"WAN\"},"
        "{\"IP\":null,\"SGName\":\"a\"},{\"IP\":\"\",\"SGName\":\"a\"},null,\"x\","
        "{\"IP\":\"10.0.0.2\",\"Type\":\"private\",\"SGID\":\"sg\"}]}";
    static const Expected rows[] = {
        {"id", "17"},
        {"status", "STOPPED"},
        {"state", "stopped"},
        {"created", "2024-01-02T03:04:05Z"},
        {"updated", "2024-01-02T04:04:05Z"},
        {"vcpus", "4"},
        {"ram_mb", "2048"},
        {"root_disk_gb", "50"},
        {"addresses", "10.0.0.2\n1.2.3.4\n10.0.0.1"},
        {"private_addresses", "10.0.0.2"},
        {"public_addresses", "1.2.3.4"},
        {"security_groups", "a\nsg"},
    };
    g_autoptr(CfRecord) record = parse(CF_SERVERS, text);
    gsize len;

    assert_record(record, rows, G_N_ELEMENTS(rows));
    g_assert_cmpstr(cf_record_get_name(record), ==, "");
    g_assert_cmpstr(cf_record_get_raw(record, &len), ==, text);
    g_assert_cmpuint(len, ==, strlen(text));
}

/* Types that nobody promised: no value rather than a wrong one, and no crash. */
static void
test_wrong_types(void)
{
    static const char *const servers[] = {
        ("{\"VMID\":\"a\",\"Name\":{},\"State\":[],\"CreateTime\":{},\"UpdateTime\":\"soon\","
         "\"Remark\":[],\"CPU\":-2,\"Memory\":1.5,\"DiskInfos\":{},\"IPInfos\":{},"
         "\"ExpireTime\":-5,\"ImageID\":{},\"HostIP\":[],\"ChargeType\":null}"),
        ("{\"VMID\":\"a\",\"CPU\":\"two\",\"Memory\":true,\"DiskInfos\":null,\"IPInfos\":null,"
         "\"CreateTime\":99999999999999999999,\"ImageID\":\"\",\"Remark\":\"\",\"Region\":\"\"}"),
        ("{\"VMID\":\"a\",\"DiskInfos\":[{\"Type\":\"Boot\",\"Size\":\"40 GB\"}],\"IPInfos\":7,"
         "\"CreateTime\":null,\"UpdateTime\":true}"),
        "{\"VMID\":\"a\"}",
    };
    static const char *const images[] = {
        ("{\"ImageID\":\"a\",\"Name\":[],\"ImageName\":{},\"ImageStatus\":{},\"ImageSize\":-1,"
         "\"ImageType\":{},\"OSType\":[],\"CompanyID\":{},\"ProjectID\":null,\"Remarkable\":\"x\","
         "\"CreateTime\":[],\"UpdateTime\":\"\"}"),
        ("{\"ImageID\":\"a\",\"ImageSize\":99999999999999999999,\"CompanyID\":0,"
         "\"ImageDescription\":\"\",\"Remark\":\"\",\"Remarkable\":1}"),
        "{\"ImageID\":\"a\",\"ImageSize\":\"big\",\"ImageDescription\":null}",
    };
    static const Expected rows[] = {{"id", "a"}, {"state", "unknown"}};

    for (guint i = 0; i < G_N_ELEMENTS(servers); i++) {
        g_autoptr(CfRecord) record = parse(CF_SERVERS, servers[i]);

        assert_record(record, rows, G_N_ELEMENTS(rows));
        g_assert_cmpint(cf_record_get_updated_us(record), ==, 0);
    }
    for (guint i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autoptr(CfRecord) record = parse(CF_IMAGES, images[i]);

        assert_record(record, rows, G_N_ELEMENTS(rows));
        g_assert_cmpuint(cf_record_get_can(record), ==, 0);
    }
}

static void
test_image_odd(void)
{
    static const char text[] =
        "{\"ImageName\":\"second\",\"ImageID\":\"i\",\"Name\":\"first\",\"ImageType\":\"custom\","
        "\"Remark\":\"words\",\"ProjectID\":\"org-9\",\"ImageSize\":\"2\",\"OSType\":\"Kylin\","
        "\"ImageStatus\":\"Available\",\"Zone\":\"zone-01\"}";
    static const Expected rows[] = {
        {"id", "i"},
        {"name", "first"},
        {"status", "Available"},
        {"state", "available"},
        {"description", "words"},
        {"size", "2147483648"},
        {"os_family", "kylin"},
        {"visibility", "private"},
        {"owner", "org-9"},
        {"provider", "custom"},
    };
    g_autoptr(CfRecord) record = parse(CF_IMAGES, text);

    assert_record(record, rows, G_N_ELEMENTS(rows));
}

static void
test_no_id(void)
{
    static const char *const texts[] = {"{}",
                                        "{\"VMID\":null,\"ImageID\":null}",
                                        "{\"VMID\":\"\",\"ImageID\":\"\"}",
                                        "{\"VMID\":{},\"ImageID\":[1]}",
                                        "[]",
                                        "\"x\"",
                                        "null"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        for (guint collection = 0; collection < CF_COLLECTION_N; collection++) {
            g_autoptr(GError) error = NULL;

            g_assert_null(cf_ucloudstack_parse((CfCollection) collection, check(texts[i]), &error));
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        }
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
        {CF_SERVERS, "{\"VMID\":\"a\",\"State\":\"Running\"}", SERVER_CAN},
        {CF_SERVERS, "{\"VMID\":\"a\",\"State\":\"Terminating\"}", SERVER_CAN},
        {CF_SERVERS, "{\"VMID\":\"a\"}", SERVER_CAN},
        {CF_SERVERS, "{\"VMID\":\"a\",\"State\":\"Deleted\"}", 0},
        {CF_SERVERS, "{\"VMID\":\"a\",\"State\":\"Terminated\"}", 0},
        {CF_IMAGES, "{\"ImageID\":\"a\",\"ImageType\":\"Custom\",\"ImageStatus\":\"Used\"}",
         IMAGE_CAN},
        {CF_IMAGES, "{\"ImageID\":\"a\",\"ImageType\":\"Custom\",\"Remarkable\":false}", IMAGE_CAN},
        {CF_IMAGES, "{\"ImageID\":\"a\",\"ImageType\":\"Custom\",\"ImageStatus\":\"Deleted\"}", 0},
        {CF_IMAGES, "{\"ImageID\":\"a\",\"ImageType\":\"Base\",\"ImageStatus\":\"Used\"}", 0},
        {CF_IMAGES, "{\"ImageID\":\"a\",\"ImageType\":\"Base\",\"Remarkable\":false}", 0},
        {CF_IMAGES, "{\"Remarkable\":true,\"ImageID\":\"a\",\"ImageType\":\"Base\"}", WORDS_CAN},
        {CF_IMAGES, "{\"ImageID\":\"a\",\"ImageStatus\":\"Used\"}", 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(CfRecord) record = parse(rows[i].collection, rows[i].text);

        g_assert_cmpuint(cf_record_get_can(record), ==, rows[i].can);
    }
}

static void
test_secret_keys(void)
{
    static const char *const secret[] = {"VNCPassword", "Password",      "SecurityToken",
                                         "PrivateKey",  "Signature",     "UserData",
                                         "private_key", "client_secret", "vncpassword"};
    static const char *const plain[] = {"VMID",     "Name",   "State",    "VNCIP", "VNCPort",
                                        "CanLogin", "Remark", "OSType",   "Email", "HostIP",
                                        "IPInfos",  "Reason", "ImageName"};

    for (guint i = 0; i < G_N_ELEMENTS(secret); i++)
        g_assert_true(cf_ucloudstack_is_secret(secret[i]));
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
        g_assert_false(cf_ucloudstack_is_secret(plain[i]));
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
test_lists(void)
{
    static const struct {
        const char *text;
        gint64 offset;
        int n; /* -1: PROTOCOL */
        gint64 total;
    } rows[] = {
        {"{\"TotalCount\":3,\"Infos\":[{},{}]}", 0, 2, 3},
        {"{\"TotalCount\":\"3\",\"Infos\":[{}]}", 0, 1, 3},
        {"{\"Infos\":[{}]}", 0, 1, -1},
        {"{\"TotalCount\":null,\"Infos\":[]}", 0, 0, -1},
        {"{\"TotalCount\":-4,\"Infos\":[]}", 0, 0, -1},
        {"{\"TotalCount\":{},\"Infos\":[]}", 0, 0, -1},
        {"{\"TotalCount\":0,\"Infos\":null}", 0, 0, 0},
        {"{\"TotalCount\":0}", 0, 0, 0},
        {"{\"TotalCount\":100,\"Infos\":null}", 100, 0, 100},
        {"{\"Infos\":null}", 0, 0, -1},
        {"{\"TotalCount\":1,\"Infos\":null}", 0, -1, 0},
        {"{\"TotalCount\":101,\"Infos\":null}", 100, -1, 0},
        {"{\"TotalCount\":2}", 0, -1, 0},
        {"{}", 0, -1, 0},
        {"{\"Infos\":\"\"}", 0, -1, 0},
        {"{\"TotalCount\":0,\"Infos\":{}}", 0, -1, 0},
        {"{\"TotalCount\":0,\"Infos\":7}", 0, -1, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        g_autoptr(GError) error = NULL;
        gint64 total;
        gboolean good =
            cf_ucloudstack_read_list(check(rows[i].text), rows[i].offset, records, &total, &error);

        g_assert_cmpint(good, ==, rows[i].n >= 0);
        if (good) {
            g_assert_cmpuint(records->len, ==, (guint) rows[i].n);
            g_assert_cmpint(total, ==, rows[i].total);
        } else {
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
            g_assert_nonnull(strstr(error->message, "Infos"));
        }
    }
}

static void
test_one(void)
{
    static const struct {
        const char *text;
        int code; /* -1: found */
    } rows[] = {
        {"{\"TotalCount\":1,\"Infos\":[{\"VMID\":\"vm-1\"}]}", -1},
        {"{\"Infos\":[{\"VMID\":\"vm-0\"},{\"VMID\":\"vm-1\"}]}", -1},
        {"{\"TotalCount\":0,\"Infos\":[]}", CF_ERROR_NOT_FOUND},
        {"{\"TotalCount\":0,\"Infos\":null}", CF_ERROR_NOT_FOUND},
        {"{\"Infos\":[]}", CF_ERROR_NOT_FOUND},
        {"{\"TotalCount\":1,\"Infos\":[]}", CF_ERROR_PROTOCOL},
        {"{\"TotalCount\":1,\"Infos\":[{\"VMID\":\"vm-2\"}]}", CF_ERROR_PROTOCOL},
        {"{\"TotalCount\":1,\"Infos\":[{\"VMID\":\"VM-1\"}]}", CF_ERROR_PROTOCOL},
        {"{\"TotalCount\":1,\"Infos\":[{}]}", CF_ERROR_PROTOCOL},
        {"{\"TotalCount\":1,\"Infos\":null}", CF_ERROR_PROTOCOL},
        {"{}", CF_ERROR_PROTOCOL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CfRecord) record =
            cf_ucloudstack_read_one(check(rows[i].text), CF_SERVERS, "vm-1", &error);

        if (rows[i].code < 0) {
            g_assert_no_error(error);
            g_assert_cmpstr(cf_record_get_id(record), ==, "vm-1");
        } else {
            g_assert_null(record);
            g_assert_error(error, CF_ERROR, rows[i].code);
        }
    }
}

/* --- times ------------------------------------------------------------------------------------ */

static void
test_times(void)
{
    static const struct {
        gint64 seconds;
        const char *utc; /* NULL: none */
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1704164645, "2024-01-02T03:04:05Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {253402300800, NULL},
        {-62135596800, "0001-01-01T00:00:00Z"},
        {-62135596801, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char utc[CF_TIME_LEN] = "";

        g_assert_cmpint(cf_time_from_unix(rows[i].seconds, utc), ==, rows[i].utc != NULL);
        g_assert_cmpstr(utc, ==, rows[i].utc ? rows[i].utc : "");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ucloudstack-parse/server-states", test_server_states);
    g_test_add_func("/ucloudstack-parse/image-states", test_image_states);
    g_test_add_func("/ucloudstack-parse/codes-2", test_codes_2);
    g_test_add_func("/ucloudstack-parse/codes-1", test_codes_1);
    g_test_add_func("/ucloudstack-parse/codes-of-listings", test_codes_of_listings);
    g_test_add_func("/ucloudstack-parse/refusals", test_refusals);
    g_test_add_func("/ucloudstack-parse/answers", test_answers);
    g_test_add_func("/ucloudstack-parse/secret-answer", test_secret_answer);
    g_test_add_func("/ucloudstack-parse/verdicts", test_verdicts);
    g_test_add_func("/ucloudstack-parse/server", test_server);
    g_test_add_func("/ucloudstack-parse/server-1", test_server_1);
    g_test_add_func("/ucloudstack-parse/image-custom", test_image_custom);
    g_test_add_func("/ucloudstack-parse/image-base", test_image_base);
    g_test_add_func("/ucloudstack-parse/server-odd", test_server_odd);
    g_test_add_func("/ucloudstack-parse/image-odd", test_image_odd);
    g_test_add_func("/ucloudstack-parse/wrong-types", test_wrong_types);
    g_test_add_func("/ucloudstack-parse/no-id", test_no_id);
    g_test_add_func("/ucloudstack-parse/can", test_can);
    g_test_add_func("/ucloudstack-parse/secret-keys", test_secret_keys);
    g_test_add_func("/ucloudstack-parse/lists", test_lists);
    g_test_add_func("/ucloudstack-parse/one", test_one);
    g_test_add_func("/ucloudstack-parse/times", test_times);
    return g_test_run();
}
