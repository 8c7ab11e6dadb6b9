/* What we read in QingCloud's answers. Expected values are written down by hand from the cloud's
 * documents. */
#include "providers/qingcloud/private.h"
#include "util/error.h"

#include <string.h>

/* --- helpers ---------------------------------------------------------------------------------- */

static char *
read_file(const char *name, gsize *ret_len)
{
    g_autofree char *path = g_build_filename(g_getenv("CF_REPLIES"), "qingcloud", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, ret_len, &error);
    g_assert_no_error(error);
    return text;
}

/* Returns: (transfer full): the first record of a list in a sample. total: as the answer says. */
static CfRecord *
read_record(const char *file, CfCollection collection, gint64 total)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_auto(CfQingcloudAnswer) answer = {0};
    g_autoptr(GError) error = NULL;
    gsize len;
    g_autofree char *text = read_file(file, &len);
    gint64 told;
    CfRecord *record;

    cf_qingcloud_read_answer(200, text, len, NULL, 0, &answer, &error);
    g_assert_no_error(error);
    cf_qingcloud_read_set(&answer, collection == CF_SERVERS ? "instance_set" : "image_set", items,
                          &told, &error);
    g_assert_no_error(error);
    g_assert_cmpint(told, ==, total);
    g_assert_cmpuint(items->len, ==, 1);
    record = cf_qingcloud_parse(collection, g_array_index(items, CfJsonSpan, 0), "here", &error);
    g_assert_no_error(error);
    return record;
}

static CfRecord *
parse(CfCollection collection, const char *text)
{
    g_autoptr(GError) error = NULL;
    CfJsonSpan span;
    CfRecord *record;

    cf_json_check(text, strlen(text), &span, &error);
    g_assert_no_error(error);
    record = cf_qingcloud_parse(collection, span, "here", &error);
    g_assert_no_error(error);
    return record;
}

typedef struct {
    guint field;
    const char *value;
} Expected;

/* Fields that are not named must have no value. */
static void
assert_record(const CfRecord *record, const Expected *expected, guint n)
{
    guint fields;
    const CfField *schema = cf_schema_get(cf_record_get_collection(record), &fields);

    for (guint i = 0; i < fields; i++) {
        const char *value = NULL;

        for (guint j = 0; j < n; j++)
            if (expected[j].field == i)
                value = expected[j].value;
        if (g_strcmp0(cf_record_get(record, i), value) != 0)
            g_error("%s: ‘%s’ instead of ‘%s’", schema[i].name, cf_record_get(record, i), value);
    }
}

/* --- states ----------------------------------------------------------------------------------- */

static void
test_states(void)
{
    static const struct {
        CfCollection collection;
        const char *status, *transition, *state;
        gboolean settled;
    } rows[] = {
        {CF_SERVERS, "pending", "", "building", FALSE},
        {CF_SERVERS, "pending", "creating", "building", FALSE},
        {CF_SERVERS, "running", "", "running", TRUE},
        {CF_SERVERS, "RUNNING", NULL, "running", TRUE},
        {CF_SERVERS, "stopped", "", "stopped", TRUE},
        {CF_SERVERS, "suspended", "", "paused", TRUE},
        {CF_SERVERS, "terminated", "", "deleted", TRUE},
        {CF_SERVERS, "ceased", "", "deleted", TRUE},
        {CF_SERVERS, "stopped", "starting", "starting", FALSE},
        {CF_SERVERS, "running", "stopping", "stopping", FALSE},
        {CF_SERVERS, "running", "restarting", "rebooting", FALSE},
        {CF_SERVERS, "running", "suspending", "stopping", FALSE},
        {CF_SERVERS, "suspended", "resuming", "starting", FALSE},
        {CF_SERVERS, "running", "terminating", "deleting", FALSE},
        {CF_SERVERS, "terminated", "recovering", "starting", FALSE},
        {CF_SERVERS, "stopped", "resetting", "rebuilding", FALSE},
        {CF_SERVERS, "stopped", "resizing", "resizing", FALSE},
        {CF_SERVERS, "stopped", "capturing", "stopped", FALSE},
        {CF_SERVERS, "dancing", "", "unknown", TRUE},
        {CF_SERVERS, NULL, NULL, "unknown", TRUE},
        {CF_IMAGES, "pending", "", "creating", FALSE},
        {CF_IMAGES, "pending", "creating", "creating", FALSE},
        {CF_IMAGES, "available", "", "available", TRUE},
        {CF_IMAGES, "deprecated", "", "deprecated", TRUE},
        {CF_IMAGES, "suspended", "", "disabled", TRUE},
        {CF_IMAGES, "available", "suspending", "disabled", FALSE},
        {CF_IMAGES, "suspended", "resuming", "creating", FALSE},
        {CF_IMAGES, "available", "deleting", "deleting", FALSE},
        {CF_IMAGES, "suspended", "deleting", "deleting", FALSE},
        {CF_IMAGES, "deleted", "recovering", "creating", FALSE},
        {CF_IMAGES, "deleted", "", "deleted", TRUE},
        {CF_IMAGES, "ceased", "", "deleted", TRUE},
        {CF_IMAGES, NULL, "", "unknown", TRUE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean settled;
        CfState state =
            cf_qingcloud_state(rows[i].collection, rows[i].status, rows[i].transition, &settled);

        g_assert_cmpstr(cf_state_to_string(state), ==, rows[i].state);
        g_assert_cmpint(settled, ==, rows[i].settled);
    }
}

/* --- samples ---------------------------------------------------------------------------------- */

static void
test_image_sample(void)
{
    static const Expected expected[] = {
        {CF_IMAGE_ID, "img-37amqany"},
        {CF_IMAGE_NAME, ""},
        {CF_IMAGE_STATUS, "ceased"},
        {CF_IMAGE_STATE, "deleted"},
        {CF_IMAGE_TAGS, "test-tag"},
        {CF_IMAGE_SIZE, "21474836480"},
        {CF_IMAGE_OS, "centos"},
        {CF_IMAGE_OS_FAMILY, "linux"},
        {CF_IMAGE_PLATFORM, "centos"},
        {CF_IMAGE_ARCH, "64bit"},
        {CF_IMAGE_VISIBILITY, "private"},
        {CF_IMAGE_OWNER, "usr-1234abcd"},
        {CF_IMAGE_PROVIDER, "self"},
        {CF_IMAGE_CREATED, "2013-08-07T18:16:32Z"},
        {CF_IMAGE_UPDATED, "2013-08-17T08:16:33Z"},
    };
    g_autoptr(CfRecord) record = read_record("describe-images.json", CF_IMAGES, 9);

    assert_record(record, expected, G_N_ELEMENTS(expected));
    g_assert_cmpuint(cf_record_get_can(record), ==, 0);
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1376727393000000);
}

static void
test_server_sample(void)
{
    static const Expected expected[] = {
        {CF_SERVER_ID, "i-aaaa1111"},
        {CF_SERVER_NAME, "web"},
        {CF_SERVER_STATUS, "running"},
        {CF_SERVER_STATE, "running"},
        {CF_SERVER_CREATED, "2024-01-02T03:04:05Z"},
        {CF_SERVER_UPDATED, "2024-01-02T03:05:00Z"},
        {CF_SERVER_ZONE, "pek3a"},
        {CF_SERVER_FLAVOR, "c2m4"},
        {CF_SERVER_VCPUS, "2"},
        {CF_SERVER_RAM_MB, "4096"},
        {CF_SERVER_ROOT_DISK_GB, "20"},
        {CF_SERVER_ADDRESSES, "10.0.0.9\n203.0.113.7"},
        {CF_SERVER_PRIVATE_ADDRESSES, "10.0.0.9"},
        {CF_SERVER_PUBLIC_ADDRESSES, "203.0.113.7"},
        {CF_SERVER_TAGS, "prod"},
        {CF_SERVER_IMAGE, "centos76x64"},
    };
    g_autoptr(CfRecord) record = read_record("describe-instances.json", CF_SERVERS, 1);

    assert_record(record, expected, G_N_ELEMENTS(expected));
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpuint(cf_record_get_can(record), ==,
                     CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) |
                         CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_TAGS) |
                         CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE));
}

static void
test_verbose_sample(void)
{
    static const Expected expected[] = {
        {CF_SERVER_ID, "i-bbbb2222"},
        {CF_SERVER_NAME, ""},
        {CF_SERVER_STATUS, "running"},
        {CF_SERVER_STATE, "stopping"},
        {CF_SERVER_TASK, "stopping"},
        {CF_SERVER_CREATED, "2020-09-08T02:29:49Z"},
        {CF_SERVER_UPDATED, "2021-04-20T03:23:50Z"},
        {CF_SERVER_DESCRIPTION, "behind the gate"},
        {CF_SERVER_ZONE, "sh1b"},
        {CF_SERVER_HOST, "node-0001"},
        {CF_SERVER_KEY_NAME, "kp-aaaaaaaa,kp-bbbbbbbb"},
        {CF_SERVER_FLAVOR, "s1.large.r1"},
        {CF_SERVER_VCPUS, "2"},
        {CF_SERVER_RAM_MB, "2048"},
        {CF_SERVER_ROOT_DISK_GB, "50"},
        {CF_SERVER_ADDRESSES, "192.168.8.3\n2001:db8::3"},
        {CF_SERVER_PRIVATE_ADDRESSES, "192.168.8.3\n2001:db8::3"},
        {CF_SERVER_SECURITY_GROUPS, "default security group\nsg-bbbbbbbb"},
        {CF_SERVER_TAGS, ""},
        {CF_SERVER_IMAGE, "centos77x64a"},
    };
    g_autoptr(CfRecord) record = read_record("describe-instances-verbose.json", CF_SERVERS, 1);
    g_autoptr(GString) raw = g_string_new(NULL);
    CfJsonSpan span;

    assert_record(record, expected, G_N_ELEMENTS(expected));
    g_assert_false(cf_record_is_settled(record));
    /* The console's password and the image's are not shown. */
    span.text = cf_record_get_raw(record, &span.len);
    cf_json_compact(span, cf_qingcloud_is_secret, raw);
    g_assert_null(strstr(raw->str, "fake-"));
    g_assert_nonnull(strstr(raw->str, "\"graphics_passwd\":\"***\""));
    g_assert_nonnull(strstr(raw->str, "\"default_passwd\":\"***\""));
    g_assert_nonnull(strstr(raw->str, "\"graphics_protocol\":\"vnc\""));
}

/* --- odd values ------------------------------------------------------------------------------- */

#define TEN_FIELDS                                                                                 \
    "\"instance_type\":%s,\"vcpus_current\":%s,\"memory_current\":%s,\"status_time\":%s,"          \
    "\"image\":%s,\"vxnets\":%s,\"eip\":%s,\"tags\":%s,\"security_group\":%s,\"keypair_ids\":%s"

/* Every field null, "" or of a type that makes no sense. */
static void
test_nothing(void)
{
    static const char *const nothings[] = {"null", "\"\"", "{}", "[]", "[null,\"\",{}]", "true"};

    for (guint i = 0; i < G_N_ELEMENTS(nothings); i++) {
        const char *x = nothings[i];
        g_autofree char *rest = g_strdup_printf(TEN_FIELDS, x, x, x, x, x, x, x, x, x, x);
        g_autofree char *text = g_strdup_printf(
            "{\"instance_id\":\"i-1\",\"status\":null,\"transition_status\":null,%s}", rest);
        g_autoptr(CfRecord) record = parse(CF_SERVERS, text);

        g_assert_cmpstr(cf_record_get_name(record), ==, "");
        g_assert_cmpstr(cf_record_get(record, CF_SERVER_STATE), ==, "unknown");
        g_assert_cmpstr(cf_record_get(record, CF_SERVER_ZONE), ==, "here");
        g_assert_null(cf_record_get(record, CF_SERVER_VCPUS));
        g_assert_null(cf_record_get(record, CF_SERVER_ROOT_DISK_GB));
        g_assert_null(cf_record_get(record, CF_SERVER_IMAGE));
        g_assert_null(cf_record_get(record, CF_SERVER_PUBLIC_ADDRESSES));
        g_assert_cmpstr(cf_record_get(record, CF_SERVER_TAGS), ==, "");
    }
}

static void
test_bare(void)
{
    static const Expected server[] = {
        {CF_SERVER_ID, "i-1"}, {CF_SERVER_STATE, "unknown"}, {CF_SERVER_ZONE, "here"}};
    static const Expected image[] = {{CF_IMAGE_ID, "img-1"}, {CF_IMAGE_STATE, "unknown"}};
    g_autoptr(CfRecord) one = parse(CF_SERVERS, "{\"instance_id\":\"i-1\"}");
    g_autoptr(CfRecord) two = parse(CF_IMAGES, "{\"image_id\":\"img-1\"}");

    assert_record(one, server, G_N_ELEMENTS(server));
    assert_record(two, image, G_N_ELEMENTS(image));
    g_assert_cmpuint(cf_record_get_can(two), ==, 0);
}

static void
test_no_id(void)
{
    static const char *const texts[] = {
        "{}", "{\"instance_id\":null}",  "{\"instance_id\":\"\"}", "[]",
        "3",  "{\"image_id\":\"img-1\"}"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        CfJsonSpan span = {texts[i], strlen(texts[i])};
        g_autoptr(GError) error = NULL;

        g_assert_null(cf_qingcloud_parse(CF_SERVERS, span, NULL, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
    }
}

static void
test_values(void)
{
    static const struct {
        CfCollection collection;
        const char *text;
        guint field;
        const char *value;
    } rows[] = {
        {CF_SERVERS, "\"eips\":[{\"eip_addr\":\"198.51.100.1\"},{\"eip_addr\":\"198.51.100.2\"}]",
         CF_SERVER_PUBLIC_ADDRESSES, "198.51.100.1\n198.51.100.2"},
        {CF_SERVERS,
         "\"eip\":{\"eip_addr\":\"198.51.100.1\"},\"eips\":[{\"eip_addr\":"
         "\"198.51.100.1\"}]",
         CF_SERVER_PUBLIC_ADDRESSES, "198.51.100.1"},
        {CF_SERVERS, "\"image\":{\"image_size\":20},\"extra\":{\"os_disk_size\":0}",
         CF_SERVER_ROOT_DISK_GB, "20"},
        {CF_SERVERS, "\"extra\":{\"os_disk_size\":\"40\"},\"image\":{\"image_size\":20}",
         CF_SERVER_ROOT_DISK_GB, "40"},
        {CF_SERVERS, "\"memory_current\":\"8192\"", CF_SERVER_RAM_MB, "8192"},
        {CF_SERVERS, "\"create_time\":\"2024-01-02T03:04:05.678Z\"", CF_SERVER_CREATED,
         "2024-01-02T03:04:05Z"},
        {CF_SERVERS, "\"create_time\":\"never\"", CF_SERVER_CREATED, "never"},
        {CF_SERVERS,
         "\"tags\":[{\"tag_name\":\"b\"},{\"tag_name\":\"a\"},{\"tag_name\":\"b\"},"
         "{\"tag_id\":\"x\"}]",
         CF_SERVER_TAGS, "a\nb"},
        {CF_SERVERS, "\"keypair_ids\":[\"kp-1\"]", CF_SERVER_KEY_NAME, "kp-1"},
        {CF_SERVERS, "\"security_group\":{\"security_group_id\":\"sg-1\"}",
         CF_SERVER_SECURITY_GROUPS, "sg-1"},
        {CF_IMAGES, "\"size\":\"20\"", CF_IMAGE_SIZE, "21474836480"},
        {CF_IMAGES, "\"size\":0", CF_IMAGE_SIZE, "0"},
        {CF_IMAGES, "\"size\":99999999999999999999", CF_IMAGE_SIZE, NULL},
        {CF_IMAGES, "\"size\":-1", CF_IMAGE_SIZE, NULL},
        {CF_IMAGES, "\"platform\":\"Windows\"", CF_IMAGE_OS_FAMILY, "windows"},
        {CF_IMAGES, "\"tags\":\"\"", CF_IMAGE_TAGS, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            "{\"%s\":\"x\",%s}", rows[i].collection == CF_SERVERS ? "instance_id" : "image_id",
            rows[i].text);
        g_autoptr(CfRecord) record = parse(rows[i].collection, text);

        g_assert_cmpstr(cf_record_get(record, rows[i].field), ==, rows[i].value);
    }
}

/* Only one's own images, and those that are there, can be changed. */
static void
test_image_can(void)
{
    static const struct {
        const char *text;
        gboolean can;
    } rows[] = {
        {"\"provider\":\"self\",\"status\":\"available\",\"visibility\":\"private\"", TRUE},
        {"\"provider\":\"self\",\"status\":\"available\",\"visibility\":\"public\"", TRUE},
        {"\"provider\":\"system\",\"status\":\"available\",\"visibility\":\"public\"", FALSE},
        {"\"provider\":\"system\",\"status\":\"available\",\"visibility\":\"private\"", FALSE},
        {"\"provider\":\"\",\"status\":\"available\",\"visibility\":\"private\"", TRUE},
        {"\"status\":\"available\"", FALSE},
        {"\"provider\":\"self\",\"status\":\"deleted\"", FALSE},
        {"\"provider\":\"self\",\"status\":\"ceased\"", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf("{\"image_id\":\"x\",%s}", rows[i].text);
        g_autoptr(CfRecord) record = parse(CF_IMAGES, text);

        g_assert_cmpuint(cf_record_get_can(record), ==,
                         rows[i].can ? CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) |
                                           CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_DELETE)
                                     : 0);
    }
}

static void
test_secrets(void)
{
    static const char *const secret[] = {"graphics_passwd", "default_passwd", "login_passwd",
                                         "Graphics_Passwd", "user_data",      "token",
                                         "secret_key"};
    static const char *const plain[] = {"graphics_protocol", "image_id", "keypair_ids",
                                        "passing",           "tags",     "f_resetpwd"};

    for (guint i = 0; i < G_N_ELEMENTS(secret); i++)
        g_assert_true(cf_qingcloud_is_secret(secret[i]));
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
        g_assert_false(cf_qingcloud_is_secret(plain[i]));
}

/* --- envelope --------------------------------------------------------------------------------- */

#define R CF_QINGCLOUD_OF_RESOURCE
#define C CF_QINGCLOUD_CHANGE

static void
test_codes(void)
{
    static const struct {
        gint64 code;
        const char *message;
        guint flags;
        CfErrorCode meaning;
    } rows[] = {
        {1100, "MissingParameter", 0, CF_ERROR_INVALID},
        {1101, "InvalidParameterValue, unknown status", 0, CF_ERROR_INVALID},
        {1101, "no such action [Dance]", 0, CF_ERROR_UNSUPPORTED},
        {1101, "the parameter [action] is wrong", 0, CF_ERROR_INVALID},
        {1101, NULL, 0, CF_ERROR_INVALID},
        {1200, NULL, 0, CF_ERROR_UNAUTHORIZED},
        {1300, NULL, 0, CF_ERROR_UNAUTHORIZED},
        {1400, "PermissionDenied, instance [i-1] is not running, can not be stopped", R,
         CF_ERROR_BUSY},
        {1400, "PermissionDenied, instance [i-1] is not stopped", R, CF_ERROR_BUSY},
        {1400, "PermissionDenied，resource [i-1] is in transition status [starting]", R,
         CF_ERROR_BUSY},
        {1400, "PermissionDenied, image [img-1] is in use", R, CF_ERROR_BUSY},
        {1400, "PermissionDenied, 当前状态不允许该操作", R, CF_ERROR_BUSY},
        {1400, "PermissionDenied, you are not the owner of [img-1]", R, CF_ERROR_DENIED},
        {1400, "PermissionDenied", R, CF_ERROR_DENIED},
        {1400, NULL, 0, CF_ERROR_DENIED},
        {1500, NULL, 0, CF_ERROR_REFUSED},
        {1662, NULL, 0, CF_ERROR_REFUSED},
        {1663, NULL, 0, CF_ERROR_REMOTE},
        {2000, NULL, 0, CF_ERROR_EXPIRED},
        {2100, NULL, R, CF_ERROR_NOT_FOUND},
        {2100, NULL, 0, CF_ERROR_REMOTE},
        {2110, NULL, C, CF_ERROR_EXISTS},
        {2200, NULL, 0, CF_ERROR_REFUSED},
        {2300, NULL, 0, CF_ERROR_REFUSED},
        {2400, NULL, 0, CF_ERROR_REFUSED},
        {2500, "QuotasExceeded, quota of [image] is 10", C, CF_ERROR_QUOTA},
        {2500, NULL, 0, CF_ERROR_QUOTA},
        {2500, "QuotasExceeded, too many API requests", 0, CF_ERROR_THROTTLED},
        {2500, "请求过于频繁", 0, CF_ERROR_THROTTLED},
        {3300, NULL, 0, CF_ERROR_UNSUPPORTED},
        {4000, NULL, 0, CF_ERROR_REFUSED},
        {4005, NULL, 0, CF_ERROR_REFUSED},
        {5000, NULL, 0, CF_ERROR_REMOTE},
        {5100, NULL, 0, CF_ERROR_THROTTLED},
        {5100, NULL, C, CF_ERROR_REMOTE},
        {5200, NULL, C, CF_ERROR_CAPACITY},
        {5300, NULL, 0, CF_ERROR_THROTTLED},
        {5400, NULL, 0, CF_ERROR_BUSY},
        {5500, NULL, 0, CF_ERROR_REMOTE},
        {5600, NULL, 0, CF_ERROR_UNSUPPORTED},
        {8000, NULL, 0, CF_ERROR_INVALID},
        {8004, NULL, 0, CF_ERROR_INVALID},
        {9999, NULL, 0, CF_ERROR_REMOTE},
        {-1, NULL, 0, CF_ERROR_REMOTE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CfErrorCode meaning =
            cf_qingcloud_code_meaning(rows[i].code, rows[i].message, rows[i].flags);

        if (meaning != rows[i].meaning)
            g_error("%d ‘%s’: %s instead of %s", (int) rows[i].code, rows[i].message,
                    cf_error_name(meaning), cf_error_name(rows[i].meaning));
    }
}

static void
test_errors(void)
{
    static const struct {
        const char *file;
        CfErrorCode code;
        const char *ret_code, *message, *words;
    } rows[] = {
        {"error-1400-state.json", CF_ERROR_BUSY, "1400",
         "PermissionDenied, instance [i-aaaa1111] is not running, can not be stopped",
         "PermissionDenied, instance [i-aaaa1111] is not running, can not be stopped (ret_code "
         "1400)"},
        {"error-1400-denied.json", CF_ERROR_DENIED, "1400",
         "PermissionDenied，you are not the owner of [img-37amqany]",
         "PermissionDenied，you are not the owner of [img-37amqany] (ret_code 1400)"},
        {"error-2100.json", CF_ERROR_NOT_FOUND, "2100",
         "ResourceNotFound, resource [i-aaaa1111] not found",
         "ResourceNotFound, resource [i-aaaa1111] not found (ret_code 2100)"},
        {"error-2500-rate.json", CF_ERROR_THROTTLED, "2500",
         "QuotasExceeded, too many API requests",
         "QuotasExceeded, too many API requests (ret_code 2500)"},
        {"error-5000.json", CF_ERROR_REMOTE, "5000", NULL, "ret_code 5000"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize len;
        g_autofree char *text = read_file(rows[i].file, &len);
        g_auto(CfQingcloudAnswer) answer = {0};
        g_autoptr(GError) error = NULL;
        const CfCloudWords *words;

        g_assert_false(cf_qingcloud_read_answer(200, text, len, "r-1", R, &answer, &error));
        g_assert_error(error, CF_ERROR, (int) rows[i].code);
        g_assert_cmpstr(error->message, ==, rows[i].words);
        words = cf_error_get_cloud(error);
        g_assert_cmpstr(words->code, ==, rows[i].ret_code);
        g_assert_cmpstr(words->message, ==, rows[i].message);
        g_assert_cmpstr(words->request_id, ==, "r-1");
        g_assert_cmpint(words->http_status, ==, 200);
        g_assert_cmpint(cf_qingcloud_error_code(error), ==, atoi(rows[i].ret_code));
    }
}

static void
test_envelope(void)
{
    static const struct {
        int status;
        const char *text;
        guint flags;
        int error; /* -1: none */
        const char *words;
    } rows[] = {
        {200, "{\"ret_code\":0}", 0, -1, NULL},
        {200, "{\"ret_code\":\"0\",\"message\":null}", 0, -1, NULL},
        {200, "{\"ret_code\":\"1200\",\"message\":\"AuthFailure\"}", 0, CF_ERROR_UNAUTHORIZED,
         "AuthFailure (ret_code 1200)"},
        {200, "{}", 0, CF_ERROR_PROTOCOL, "ret_code"},
        {200, "{\"ret_code\":null}", 0, CF_ERROR_PROTOCOL, "ret_code"},
        {200, "{\"ret_code\":\"fine\"}", 0, CF_ERROR_PROTOCOL, "ret_code"},
        {200, "", 0, CF_ERROR_PROTOCOL, ""},
        {200, "[]", 0, CF_ERROR_PROTOCOL, "no object"},
        {200, "<html><title>Portal</title>", 0, CF_ERROR_PROTOCOL, "Portal"},
        {200, "{\"ret_code\":0,\"instance_set\":[{\"graphics_pas", 0, CF_ERROR_PROTOCOL, ""},
        {502, "<html><title>Bad Gateway</title>", 0, CF_ERROR_REMOTE, "Bad Gateway"},
        {404, "nothing here", R, CF_ERROR_REMOTE, "HTTP status 404"},
        {403, "{\"ret_code\":1400,\"message\":\"you are not the owner\"}", R, CF_ERROR_DENIED,
         "you are not the owner"},
        {500, "{\"ret_code\":0}", 0, CF_ERROR_REMOTE, "HTTP status 500"},
        {200, "{\"ret_code\":5000,\"message\":\"x\"}", C, CF_ERROR_REMOTE,
         "the outcome is unknown"},
        {200, "{\"ret_code\":1100,\"message\":\"a\\nb\\u001b[31m\"}", 0, CF_ERROR_INVALID, "a b"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(CfQingcloudAnswer) answer = {0};
        g_autoptr(GError) error = NULL;
        gboolean ok = cf_qingcloud_read_answer(rows[i].status, rows[i].text, strlen(rows[i].text),
                                               NULL, rows[i].flags, &answer, &error);

        g_assert_cmpint(ok, ==, rows[i].error < 0);
        if (ok) {
            g_assert_no_error(error);
            continue;
        }
        g_assert_error(error, CF_ERROR, rows[i].error);
        if (!strstr(error->message, rows[i].words))
            g_error("%s: %s", rows[i].text, error->message);
        g_assert_null(strstr(error->message, "graphics_pas"));
        g_assert_null(strchr(error->message, '\x1b'));
    }
}

static void
test_trace_id(void)
{
    static const char text[] = "{\"ret_code\":0,\"trace_id\":\"t-1\"}";
    g_auto(CfQingcloudAnswer) answer = {0};

    g_assert_true(cf_qingcloud_read_answer(200, text, strlen(text), "ours", 0, &answer, NULL));
    g_assert_cmpstr(answer.request_id, ==, "t-1");
}

static void
test_mood(void)
{
    static const struct {
        const char *text;
        CfQingcloudMood mood;
    } rows[] = {
        {"{\"ret_code\":2500,\"message\":\"too many API requests\"}", CF_QINGCLOUD_TOO_OFTEN},
        {"{\"ret_code\":2500,\"message\":\"quota of [image] is 10\"}", CF_QINGCLOUD_ORDINARY},
        {"{\"ret_code\":2500,\"message\":null}", CF_QINGCLOUD_ORDINARY},
        {"{\"ret_code\":5000,\"message\":null}", CF_QINGCLOUD_TOO_BUSY},
        {"{\"ret_code\":\"5100\"}", CF_QINGCLOUD_TOO_BUSY},
        {"{\"ret_code\":5300}", CF_QINGCLOUD_TOO_BUSY},
        {"{\"ret_code\":5200}", CF_QINGCLOUD_ORDINARY},
        {"{\"ret_code\":1400,\"message\":\"too many API requests\"}", CF_QINGCLOUD_ORDINARY},
        {"{\"ret_code\":0}", CF_QINGCLOUD_ORDINARY},
        {"{\"ret_", CF_QINGCLOUD_ORDINARY},
        {"", CF_QINGCLOUD_ORDINARY},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(cf_qingcloud_mood(rows[i].text, strlen(rows[i].text)), ==, rows[i].mood);
}

static void
test_sets(void)
{
    static const struct {
        const char *text;
        int n; /* -1: an error */
        gint64 total;
    } rows[] = {
        {"{\"ret_code\":0,\"image_set\":[],\"total_count\":0}", 0, 0},
        {"{\"ret_code\":0,\"image_set\":[{},{}],\"total_count\":\"7\"}", 2, 7},
        {"{\"ret_code\":0,\"image_set\":[{}]}", 1, -1},
        {"{\"ret_code\":0,\"image_set\":null,\"total_count\":0}", 0, 0},
        {"{\"ret_code\":0,\"total_count\":0}", 0, 0},
        {"{\"ret_code\":0,\"image_set\":null,\"total_count\":3}", -1, 3},
        {"{\"ret_code\":0,\"image_set\":null}", -1, -1},
        {"{\"ret_code\":0,\"image_set\":{}}", -1, -1},
        {"{\"ret_code\":0}", -1, -1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        g_auto(CfQingcloudAnswer) answer = {0};
        g_autoptr(GError) error = NULL;
        gint64 total;

        g_assert_true(cf_qingcloud_read_answer(200, rows[i].text, strlen(rows[i].text), NULL, 0,
                                               &answer, NULL));
        g_assert_cmpint(cf_qingcloud_read_set(&answer, "image_set", items, &total, &error), ==,
                        rows[i].n >= 0);
        g_assert_cmpint(total, ==, rows[i].total);
        if (rows[i].n < 0) {
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
            g_assert_nonnull(strstr(error->message, "image_set"));
        } else {
            g_assert_cmpint((int) items->len, ==, rows[i].n);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qingcloud-parse/states", test_states);
    g_test_add_func("/qingcloud-parse/image-sample", test_image_sample);
    g_test_add_func("/qingcloud-parse/server-sample", test_server_sample);
    g_test_add_func("/qingcloud-parse/verbose-sample", test_verbose_sample);
    g_test_add_func("/qingcloud-parse/nothing", test_nothing);
    g_test_add_func("/qingcloud-parse/bare", test_bare);
    g_test_add_func("/qingcloud-parse/no-id", test_no_id);
    g_test_add_func("/qingcloud-parse/values", test_values);
    g_test_add_func("/qingcloud-parse/image-can", test_image_can);
    g_test_add_func("/qingcloud-parse/secrets", test_secrets);
    g_test_add_func("/qingcloud-parse/codes", test_codes);
    g_test_add_func("/qingcloud-parse/errors", test_errors);
    g_test_add_func("/qingcloud-parse/envelope", test_envelope);
    g_test_add_func("/qingcloud-parse/trace-id", test_trace_id);
    g_test_add_func("/qingcloud-parse/mood", test_mood);
    g_test_add_func("/qingcloud-parse/sets", test_sets);
    return g_test_run();
}
