/* What Keystone's, Nova's and Glance's answers mean: the samples of the documents, and what no
 * document shows. */
#include <string.h>

#include "providers/openstack/private.h"
#include "util/error.h"

static const CfOsView member = {
    .version = 93, .project_id = "p-200", .may_all = FALSE, .region = "RegionOne"};

/* Returns: (transfer full) (nullable): NULL and the case skipped when nobody told where it is. */
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
    path = g_build_filename(folder, "openstack", name, NULL);
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* --- records ---------------------------------------------------------------------------------- */

typedef struct {
    const char *field, *value; /* value NULL: there is none */
} Expected;

static void
check(CfRecord *record, const Expected *expected)
{
    CfCollection collection = cf_record_get_collection(record);

    for (; expected->field; expected++) {
        int field = cf_schema_find(collection, expected->field);

        g_assert_cmpint(field, >=, 0);
        g_test_message("%s", expected->field);
        g_assert_cmpstr(cf_record_get(record, (guint) field), ==, expected->value);
    }
}

static CfRecord *
parse(const CfOsView *view, CfCollection collection, const char *text)
{
    g_autoptr(GError) error = NULL;
    CfRecord *record = cf_os_parse(view, collection, (CfJsonSpan){text, strlen(text)}, &error);

    g_assert_no_error(error);
    return record;
}

/* The n-th record of a list. */
static CfRecord *
listed(const CfOsView *view, const char *name, CfCollection collection, guint n,
       const char *expected_next)
{
    g_autofree char *text = load(name);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;
    CfRecord *record;

    if (!text)
        return NULL;
    cf_os_read_list(collection, text, strlen(text), records, &next, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(next, ==, expected_next);
    g_assert_cmpuint(n, <, records->len);
    record = cf_os_parse(view, collection, g_array_index(records, CfJsonSpan, n), &error);
    g_assert_no_error(error);
    return record;
}

#define ALL_OF_A_SERVER                                                                            \
    (CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) |             \
     CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE) |              \
     CF_CAN(CF_ACTION_LOCK) | CF_CAN(CF_ACTION_LOCK_REASON) | CF_CAN(CF_ACTION_METADATA) |         \
     CF_CAN(CF_ACTION_CONSOLE_LOG))

static void
test_server(void)
{
    static const Expected expected[] = {
        {"id", "569f39f9-7c76-42a1-9c2d-8394e2638a6d"},
        {"name", "web-1"},
        {"status", "ACTIVE"},
        {"state", "running"},
        {"task", NULL},
        {"created", "2026-01-02T03:04:05Z"},
        {"updated", "2026-01-02T03:06:00Z"},
        {"description", "front end"},
        {"zone", "az-1"},
        {"region", "RegionOne"},
        {"host", "compute-7"},
        {"key_name", "laptop"},
        {"flavor", "m1.small"},
        {"vcpus", "2"},
        {"ram_mb", "2048"},
        {"root_disk_gb", "20"},
        {"addresses", "192.168.1.30\nfd00::30\n203.0.113.9"},
        {"private_addresses", "192.168.1.30\nfd00::30"},
        {"public_addresses", "203.0.113.9"},
        {"security_groups", "default\nssh"},
        {"charge_type", NULL},
        {"expires", NULL},
        {"tags", "prod\nweb"},
        {"image", "70a599e0-31e7-49b7-b260-868f441e862b"},
        {"lock", "1"},
        {"locked_reason", "do not touch"},
        {"fault", NULL},
        {"metadata", "role=web"},
        {NULL, NULL},
    };
    g_autoptr(CfRecord) record = listed(&member, "list-servers.json", CF_SERVERS, 0, "b-2");

    if (!record)
        return;
    check(record, expected);
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpuint(cf_record_get_can(record), ==, ALL_OF_A_SERVER);
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1767323160 * (gint64) G_USEC_PER_SEC);
}

static void
test_server_from_volume(void)
{
    static const Expected expected[] = {
        {"state", "stopped"},   {"image", NULL}, {"description", NULL}, {"key_name", NULL},
        {"root_disk_gb", NULL}, {"host", NULL},  {"addresses", ""},     {"tags", ""},
        {"flavor", "v1.none"},  {NULL, NULL},
    };
    g_autoptr(CfRecord) record = listed(&member, "list-servers.json", CF_SERVERS, 1, "b-2");

    if (record)
        check(record, expected);
}

/* The list of a server without newer versions: no tags, no description, a flavour by its id. */
static void
test_old_server(void)
{
    static const Expected expected[] = {
        {"status", "ACTIVE"},  {"task", "powering-off"},
        {"state", "stopping"}, {"flavor", "1"},
        {"vcpus", NULL},       {"tags", NULL},
        {"description", NULL}, {"host", "c3f14e9812ad496baf92ccfb3c61e15f"},
        {NULL, NULL},
    };
    CfOsView old = {.version = 1, .may_all = TRUE};
    g_autoptr(CfRecord) record = listed(&old, "list-servers-2.1.json", CF_SERVERS, 0, NULL);

    if (!record)
        return;
    check(record, expected);
    g_assert_false(cf_record_is_settled(record));
    g_assert_cmpuint(cf_record_get_can(record), ==,
                     CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) |
                         CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE) |
                         CF_CAN(CF_ACTION_METADATA) | CF_CAN(CF_ACTION_CONSOLE_LOG));
}

static void
test_shown_server(void)
{
    g_autofree char *text = load("show-server.json");
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = NULL;
    CfJsonSpan span;

    if (!text)
        return;
    g_assert_true(cf_os_read_one(CF_SERVERS, text, strlen(text), &span, &error));
    record = cf_os_parse(&member, CF_SERVERS, span, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cf_record_get_state(record), ==, CF_STATE_BUILDING);
    g_assert_false(cf_record_is_settled(record));
}

#define ALL_OF_AN_IMAGE                                                                            \
    (CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_TAGS) |              \
     CF_CAN(CF_ACTION_DELETE))

static void
test_image(void)
{
    static const Expected expected[] = {
        {"id", "i-1"},
        {"name", "ubuntu-server"},
        {"status", "active"},
        {"state", "available"},
        {"tags", "base\nlts"},
        {"description", "base of all"},
        {"size", "4294967297"},
        {"min_disk_gb", "10"},
        {"min_ram_mb", "512"},
        {"os", "ubuntu 24.04"},
        {"os_family", "linux"},
        {"platform", "ubuntu"},
        {"arch", "x86_64"},
        {"visibility", "public"},
        {"owner", "p-admin"},
        {"provider", NULL},
        {"format", "qcow2"},
        {"checksum", "eb9139e4942121f22bbc2afc0400b2a4"},
        {"created", "2026-01-02T03:04:05Z"},
        {"updated", "2026-01-02T03:05:05Z"},
        {NULL, NULL},
    };
    CfOsView admin = {.version = 93, .project_id = "p-other", .may_all = TRUE};
    g_autoptr(CfRecord) record = listed(&member, "list-images.json", CF_IMAGES, 0, "i-2");
    g_autoptr(CfRecord) same = listed(&admin, "list-images.json", CF_IMAGES, 0, "i-2");

    if (!record)
        return;
    check(record, expected);
    g_assert_cmpuint(cf_record_get_can(record), ==, 0); /* somebody else's */
    g_assert_true(cf_record_asks(record));
    g_assert_cmpuint(cf_record_get_can(same), ==, ALL_OF_AN_IMAGE);
}

static void
test_queued_image(void)
{
    static const Expected expected[] = {
        {"name", NULL}, {"state", "creating"}, {"size", NULL}, {"format", NULL},
        {"tags", ""},   {"min_disk_gb", "0"},  {"os", NULL},   {NULL, NULL},
    };
    g_autoptr(CfRecord) record = listed(&member, "list-images.json", CF_IMAGES, 1, "i-2");

    if (!record)
        return;
    check(record, expected);
    g_assert_cmpuint(cf_record_get_can(record), ==, ALL_OF_AN_IMAGE);
}

static void
test_snapshot(void)
{
    static const Expected expected[] = {{"provider", "snapshot"}, {"size", "13"}, {NULL, NULL}};
    g_autofree char *text = load("show-image.json");
    g_autoptr(CfRecord) record = NULL;
    CfJsonSpan span;

    if (!text)
        return;
    g_assert_true(cf_os_read_one(CF_IMAGES, text, strlen(text), &span, NULL));
    g_strchomp(text);
    record = parse(&member, CF_IMAGES, text);
    check(record, expected);
}

/* What only this cloud tells: the lock, what went wrong, the user's own keys. */
static void
test_more(void)
{
    static const struct {
        const char *text;
        Expected expected[5];
    } rows[] = {
        {"{\"id\":\"x\",\"locked\":false,\"locked_reason\":null,\"metadata\":{}}",
         {{"lock", "0"}, {"locked_reason", NULL}, {"fault", NULL}, {"metadata", ""}}},
        {"{\"id\":\"x\",\"locked\":\"yes\",\"metadata\":[],\"fault\":\"what\"}",
         {{"lock", NULL}, {"metadata", NULL}, {"fault", NULL}}},
        {"{\"id\":\"x\",\"fault\":{\"code\":500,\"message\":\"No valid\\nhost. \"}}",
         {{"fault", "500: No valid host."}}},
        {"{\"id\":\"x\",\"fault\":{\"code\":500,\"message\":\"m\",\"details\":\"a\\n  b\\n\"}}",
         {{"fault", "500: m\na\n  b"}}},
        {"{\"id\":\"x\",\"fault\":{\"code\":null,\"message\":\"m\",\"details\":7}}",
         {{"fault", "m\n7"}}},
        {"{\"id\":\"x\",\"fault\":{}}", {{"fault", NULL}}},
        {"{\"id\":\"x\",\"metadata\":{\"b\":\"1\\n2\",\"a=\":\"100%\",\"b\":\"3\",\"n\":7,\"o\":{},"
         "\"z\":null,\"e\":\"\"}}",
         {{"metadata", "a%3D=100%25\nb=3\ne=\nn=7"}}},
        {"{\"id\":\"x\",\"metadata\":{\"db_password\":\"fake-pw\"}}",
         {{"metadata", "db_password=***"}}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(CfRecord) record = parse(&member, CF_SERVERS, rows[i].text);

        g_test_message("%s", rows[i].text);
        check(record, rows[i].expected);
    }
}

static void
test_metadata_keys(void)
{
    char longest[257];

    memset(longest, 'k', sizeof longest);
    longest[256] = '\0';
    g_assert_false(cf_os_is_metadata_key(longest));
    longest[255] = '\0';
    g_assert_true(cf_os_is_metadata_key(longest));
    g_assert_true(cf_os_is_metadata_key("a b-c_d:e.f"));
    g_assert_true(cf_os_is_metadata_key(".hidden"));
    g_assert_false(cf_os_is_metadata_key(""));
    g_assert_false(cf_os_is_metadata_key("back~"));
    g_assert_false(cf_os_is_metadata_key("#auto#"));
    g_assert_false(cf_os_is_metadata_key("a/b"));
    g_assert_false(cf_os_is_metadata_key("ä"));
}

/* Before these a feature cannot be seen, or is not there. */
static void
test_lock_versions(void)
{
    static const struct {
        int version;
        gboolean lock, reason;
    } rows[] = {{1, FALSE, FALSE},
                {8, FALSE, FALSE},
                {9, TRUE, FALSE},
                {72, TRUE, FALSE},
                {73, TRUE, TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CfOsView view = {.version = rows[i].version, .may_all = TRUE};
        g_autoptr(CfRecord) record = parse(&view, CF_SERVERS, "{\"id\":\"x\"}");
        guint can = cf_record_get_can(record);

        g_assert_cmpint((can & CF_CAN(CF_ACTION_LOCK)) != 0, ==, rows[i].lock);
        g_assert_cmpint((can & CF_CAN(CF_ACTION_LOCK_REASON)) != 0, ==, rows[i].reason);
    }
}

/* Whatever a member is: no crash, and no value where it makes no sense. */
static void
test_wrong_types(void)
{
    static const Expected nothing[] = {
        {"status", NULL}, {"state", "unknown"}, {"addresses", NULL},       {"tags", NULL},
        {"image", NULL},  {"vcpus", NULL},      {"security_groups", NULL}, {NULL, NULL},
    };
    static const char *const texts[] = {
        "{\"id\":\"x\"}",
        "{\"id\":\"x\",\"status\":null,\"addresses\":null,\"tags\":null,\"image\":null,"
        "\"flavor\":null,\"security_groups\":null}",
        "{\"id\":\"x\",\"status\":{},\"addresses\":7,\"tags\":\"a,b\",\"image\":{},"
        "\"flavor\":[1],\"OS-EXT-STS:task_state\":\"\"}",
    };
    static const char *const bad[] = {"{}", "{\"id\":null}", "{\"id\":\"\"}", "{\"id\":{}}", "[]",
                                      "7"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(CfRecord) record = parse(&member, CF_SERVERS, texts[i]);

        check(record, nothing);
        g_assert_true(cf_record_is_settled(record));
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        for (guint c = 0; c < CF_COLLECTION_N; c++) {
            g_autoptr(GError) error = NULL;

            g_assert_null(cf_os_parse(&member, (CfCollection) c,
                                      (CfJsonSpan){bad[i], strlen(bad[i])}, &error));
            g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        }
    }
}

static void
test_states(void)
{
    static const struct {
        const char *status, *task;
        CfState state;
        gboolean settled;
    } rows[] = {
        {"ACTIVE", NULL, CF_STATE_RUNNING, TRUE},
        {"ACTIVE", "powering-off", CF_STATE_STOPPING, FALSE},
        {"SHUTOFF", "powering-on", CF_STATE_STARTING, FALSE},
        {"SHUTOFF", NULL, CF_STATE_STOPPED, TRUE},
        {"REBOOT", "reboot_started", CF_STATE_REBOOTING, FALSE},
        {"HARD_REBOOT", "rebooting_hard", CF_STATE_REBOOTING, FALSE},
        {"SHUTOFF", "rebooting_hard", CF_STATE_REBOOTING, FALSE},
        {"ACTIVE", "image_snapshot", CF_STATE_RUNNING, FALSE},
        {"ACTIVE", "pausing", CF_STATE_STOPPING, FALSE},
        {"PAUSED", "unpausing", CF_STATE_STARTING, FALSE},
        {"ACTIVE", "suspending", CF_STATE_STOPPING, FALSE},
        {"SUSPENDED", "resuming", CF_STATE_STARTING, FALSE},
        {"ACTIVE", "shelving_image_uploading", CF_STATE_STOPPING, FALSE},
        {"SHELVED", "shelving_offloading", CF_STATE_STOPPING, FALSE},
        {"SHELVED_OFFLOADED", "unshelving", CF_STATE_STARTING, FALSE},
        {"SHELVED_OFFLOADED", "spawning", CF_STATE_STARTING, FALSE},
        {"ACTIVE", "a task of tomorrow", CF_STATE_RUNNING, FALSE},
        {"BUILD", "spawning", CF_STATE_BUILDING, FALSE},
        {"BUILD", NULL, CF_STATE_BUILDING, FALSE},
        {"BUILD", "deleting", CF_STATE_DELETING, FALSE},
        {"ERROR", NULL, CF_STATE_ERROR, TRUE},
        {"PAUSED", NULL, CF_STATE_PAUSED, TRUE},
        {"SUSPENDED", NULL, CF_STATE_SUSPENDED, TRUE},
        {"SHELVED_OFFLOADED", NULL, CF_STATE_STOPPED, TRUE},
        {"VERIFY_RESIZE", NULL, CF_STATE_RESIZING, TRUE},
        {"MIGRATING", NULL, CF_STATE_RUNNING, FALSE},
        {"DELETED", "deleting", CF_STATE_DELETED, TRUE},
        {"SOFT_DELETED", NULL, CF_STATE_DELETED, TRUE},
        {"UNKNOWN", NULL, CF_STATE_UNKNOWN, TRUE},
        {NULL, NULL, CF_STATE_UNKNOWN, TRUE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean settled = !rows[i].settled;

        g_assert_cmpint(cf_os_server_state(rows[i].status, rows[i].task, &settled), ==,
                        rows[i].state);
        g_assert_cmpint(settled, ==, rows[i].settled);
    }
    g_assert_cmpint(cf_os_image_state("deactivated"), ==, CF_STATE_DISABLED);
    g_assert_cmpint(cf_os_image_state("pending_delete"), ==, CF_STATE_DELETING);
    g_assert_cmpint(cf_os_image_state("killed"), ==, CF_STATE_ERROR);
    g_assert_cmpint(cf_os_image_state("of tomorrow"), ==, CF_STATE_UNKNOWN);
    g_assert_cmpint(cf_os_image_state(NULL), ==, CF_STATE_UNKNOWN);
}

static void
test_bad_lists(void)
{
    static const char *const bad[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"servers\":null}",
        "{\"servers\":{}}",
        /* a next page that nothing leads to */
        "{\"servers\":[{\"name\":\"x\"}],\"servers_links\":[{\"rel\":\"next\",\"href\":\"h\"}]}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        g_autoptr(GError) error = NULL;
        g_autofree char *next = NULL;

        g_assert_false(cf_os_read_list(CF_SERVERS, bad[i], strlen(bad[i]), records, &next, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_null(next);
    }
}

static void
test_secrets(void)
{
    g_assert_true(cf_os_is_secret("adminPass"));
    g_assert_true(cf_os_is_secret("OS-EXT-SRV-ATTR:user_data"));
    g_assert_true(cf_os_is_secret("direct_url"));
    g_assert_true(cf_os_is_secret("locations"));
    g_assert_false(cf_os_is_secret("name"));
    g_assert_false(cf_os_is_secret("key_name"));
}

/* --- refusals --------------------------------------------------------------------------------- */

static void
test_errors(void)
{
    static const struct {
        CfOsQuestion question;
        int status;
        const char *file, *text; /* one of them */
        gboolean retry_after;
        CfErrorCode code;
        const char *words, *cloud_code;
    } rows[] = {
        {{CF_OS_COMPUTE, "s-1", FALSE},
         404,
         "error-nova-404.json",
         NULL,
         FALSE,
         CF_ERROR_NOT_FOUND,
         "Instance s-1 could not be found.",
         "itemNotFound"},
        /* a collection cannot be gone, and a proxy knows nothing of servers */
        {{CF_OS_COMPUTE, NULL, FALSE},
         404,
         "error-nova-404.json",
         NULL,
         FALSE,
         CF_ERROR_REMOTE,
         "Instance s-1 could not be found.",
         "itemNotFound"},
        {{CF_OS_COMPUTE, "s-1", FALSE},
         404,
         NULL,
         "<h1>Not Found</h1>nginx",
         FALSE,
         CF_ERROR_REMOTE,
         "nginx",
         NULL},
        {{CF_OS_COMPUTE, "s-1", FALSE},
         409,
         "error-nova-409.json",
         NULL,
         FALSE,
         CF_ERROR_BUSY,
         "Cannot 'stop' instance s-1 while it is in vm_state stopped",
         "conflictingRequest"},
        {{CF_OS_COMPUTE, "s-1", FALSE},
         413,
         "error-nova-413.json",
         NULL,
         TRUE,
         CF_ERROR_THROTTLED,
         "This request was rate-limited.",
         "overLimit"},
        {{CF_OS_COMPUTE, "s-1", FALSE},
         413,
         "error-nova-413.json",
         NULL,
         FALSE,
         CF_ERROR_QUOTA,
         "This request was rate-limited.",
         "overLimit"},
        {{CF_OS_COMPUTE, NULL, TRUE},
         400,
         NULL,
         "{\"badRequest\":{\"code\":400,\"message\":\"marker [x] not found\"}}",
         FALSE,
         CF_ERROR_CHANGED,
         "marker [x] not found",
         "badRequest"},
        {{CF_OS_COMPUTE, NULL, FALSE},
         400,
         NULL,
         "{\"badRequest\":{\"code\":400,\"message\":\"marker [x] not found\"}}",
         FALSE,
         CF_ERROR_INVALID,
         "marker [x] not found",
         "badRequest"},
        {{CF_OS_COMPUTE, "s-1", FALSE},
         403,
         NULL,
         "{\"forbidden\":{\"code\":403,\"message\":\"Policy doesn't allow it\"}}",
         FALSE,
         CF_ERROR_DENIED,
         "Policy doesn't allow it",
         "forbidden"},
        {{CF_OS_COMPUTE, "s-1", FALSE},
         403,
         NULL,
         "{\"forbidden\":{\"code\":403,\"message\":\"Quota exceeded for cores\"}}",
         FALSE,
         CF_ERROR_QUOTA,
         "Quota exceeded for cores",
         "forbidden"},
        {{CF_OS_IMAGE, "i-1", FALSE},
         403,
         "error-glance-403.html",
         NULL,
         FALSE,
         CF_ERROR_BUSY,
         "Image i-1 is protected and cannot be deleted.",
         NULL},
        {{CF_OS_IMAGE, "i-1", FALSE},
         404,
         "error-glance-404.html",
         NULL,
         FALSE,
         CF_ERROR_NOT_FOUND,
         "No image found with ID i-1",
         NULL},
        {{CF_OS_IMAGE, "i-2", FALSE},
         404,
         "error-glance-404.html",
         NULL,
         FALSE,
         CF_ERROR_REMOTE,
         "No image found with ID i-1",
         NULL},
        {{CF_OS_IMAGE, "i-1", FALSE},
         403,
         NULL,
         "{\"message\": \"Image i-1 is protected and cannot be deleted.<br /><br />\\n\\n\\n\", "
         "\"code\": \"403 Forbidden\", \"title\": \"Forbidden\"}",
         FALSE,
         CF_ERROR_BUSY,
         "Image i-1 is protected and cannot be deleted.",
         "Forbidden"},
        {{CF_OS_IMAGE, NULL, TRUE},
         400,
         NULL,
         "{\"message\": \"No image found with ID i-9<br /><br />\\n\\n\\n\", \"code\": "
         "\"400 Bad Request\", \"title\": \"Bad Request\"}",
         FALSE,
         CF_ERROR_CHANGED,
         "No image found with ID i-9",
         "Bad Request"},
        {{CF_OS_IMAGE, "i-1", FALSE},
         403,
         NULL,
         "<h1>403</h1> You don&#x27;t own &lt;it&gt;<br/>",
         FALSE,
         CF_ERROR_DENIED,
         "You don't own <it>",
         NULL},
        {{CF_OS_IMAGE, "i-1", FALSE},
         404,
         NULL,
         "{\"message\":\"No image i-1\",\"code\":\"404 Not Found\",\"title\":\"Not Found\"}",
         FALSE,
         CF_ERROR_NOT_FOUND,
         "No image i-1",
         "Not Found"},
        {{CF_OS_COMPUTE, NULL, FALSE},
         401,
         "error-keystone-401.json",
         NULL,
         FALSE,
         CF_ERROR_UNAUTHORIZED,
         "The request you have made requires authentication.",
         "Unauthorized"},
        {{CF_OS_IMAGE, "i-1", FALSE}, 409, NULL, "", FALSE, CF_ERROR_BUSY, NULL, NULL},
        {{CF_OS_IMAGE, "i-1", FALSE}, 415, NULL, "", FALSE, CF_ERROR_UNSUPPORTED, NULL, NULL},
        {{CF_OS_COMPUTE, "s-1", FALSE}, 501, NULL, "{}", FALSE, CF_ERROR_UNSUPPORTED, NULL, NULL},
        {{CF_OS_COMPUTE, "s-1", FALSE}, 406, NULL, "[]", FALSE, CF_ERROR_UNSUPPORTED, NULL, NULL},
        {{CF_OS_COMPUTE, "s-1", FALSE}, 500, NULL, "null", FALSE, CF_ERROR_REMOTE, NULL, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = rows[i].file ? load(rows[i].file) : g_strdup(rows[i].text);
        g_autoptr(GError) error = NULL;
        const CfCloudWords *words;

        if (!text)
            return;
        g_test_message("row %u", i);
        error = cf_os_error(&rows[i].question, rows[i].status, text, strlen(text), "req-1",
                            rows[i].retry_after);
        g_assert_error(error, CF_ERROR, (int) rows[i].code);
        words = cf_error_get_cloud(error);
        g_assert_cmpint(words->http_status, ==, rows[i].status);
        g_assert_cmpstr(words->message, ==, rows[i].words);
        g_assert_cmpstr(words->code, ==, rows[i].cloud_code);
        g_assert_cmpstr(words->request_id, ==, "req-1");
    }
}

/* --- Keystone --------------------------------------------------------------------------------- */

static void
test_bodies(void)
{
    const struct {
        CfKeystoneLogin login;
        const char *body;
    } rows[] = {
        {{.username = (char *) "alice",
          .user_domain_name = (char *) "Default",
          .password = (char *) "fake\"pw",
          .project_name = (char *) "demo",
          .project_domain_id = (char *) "default"},
         "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"name\":"
         "\"alice\",\"domain\":{\"name\":\"Default\"},\"password\":\"fake\\\"pw\"}}},\"scope\":{"
         "\"project\":{\"name\":\"demo\",\"domain\":{\"id\":\"default\"}}}}}"},
        {{.user_id = (char *) "u", .password = (char *) "fake", .project_id = (char *) "p"},
         "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"id\":\"u\","
         "\"password\":\"fake\"}}},\"scope\":{\"project\":{\"id\":\"p\"}}}}"},
        {{.application_credential_id = (char *) "423f",
          .application_credential_secret = (char *) "fake",
          .project_id = (char *) "p"}, /* it carries its own */
         "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
         "\"application_credential\":{\"id\":\"423f\",\"secret\":\"fake\"}}}}"},
        {{.application_credential_name = (char *) "mon",
          .application_credential_secret = (char *) "fake",
          .username = (char *) "alice"},
         "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
         "\"application_credential\":{\"name\":\"mon\",\"user\":{\"name\":\"alice\",\"domain\":{"
         "\"id\":\"default\"}},\"secret\":\"fake\"}}}}"},
        {{.token = (char *) "fake", .project_id = (char *) "p"},
         "{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"fake\"}},\"scope\":{"
         "\"project\":{\"id\":\"p\"}}}}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *body = cf_keystone_body(&rows[i].login);

        g_assert_cmpstr(body, ==, rows[i].body);
    }
}

static void
test_token(void)
{
    g_autofree char *text = load("token.json");
    g_auto(CfToken) token = {0};
    g_auto(CfKeystoneScope) scope = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *region = NULL;
    g_autofree char *one = NULL;
    g_autofree char *two = NULL;

    if (!text)
        return;
    cf_keystone_parse(201, "fake-token", FALSE, text, strlen(text), 1000, 0, &token, &scope,
                      &error);
    g_assert_no_error(error);
    g_assert_cmpstr(token.access_token, ==, "fake-token");
    /* by Keystone's clock: this machine's may be anywhere */
    g_assert_cmpint(token.expires_us, ==, 1000 + 3600 * (gint64) G_USEC_PER_SEC);
    g_assert_cmpint(cf_token_get_renewal_us(&token), ==, 1000 + 3480 * (gint64) G_USEC_PER_SEC);
    g_assert_cmpstr(scope.project_id, ==, "p-200");
    g_assert_cmpint(scope.issued_us, ==, 1767323045 * (gint64) G_USEC_PER_SEC);
    g_assert_true(scope.has_roles);
    g_assert_false(scope.is_admin);

    one = cf_keystone_find(scope.catalog, "compute", "public", NULL, &region, &error);
    g_assert_cmpstr(one, ==, "http://one.example.com/compute/v2.1");
    g_assert_cmpstr(region, ==, "RegionOne");
    g_clear_pointer(&region, g_free);
    two = cf_keystone_find(scope.catalog, "compute", "public", "RegionTwo", &region, &error);
    g_assert_cmpstr(two, ==, "http://two.example.com/compute/v2.1/p-200");
    g_assert_null(cf_keystone_find(scope.catalog, "image", "public", "RegionTwo", &region, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "public in RegionOne"));
}

static void
test_token_refused(void)
{
    static const struct {
        int status;
        const char *subject, *text;
        gboolean more;
        CfErrorCode code;
        const char *says;
    } rows[] = {
        {401, NULL, "{\"error\":{\"code\":401,\"message\":\"No.\",\"title\":\"Unauthorized\"}}",
         FALSE, CF_ERROR_UNAUTHORIZED, "No."},
        {401, NULL, "{}", TRUE, CF_ERROR_UNAUTHORIZED, "second factor"},
        {404, NULL, "<html>", FALSE, CF_ERROR_REMOTE, "auth_url"},
        {500, NULL, "", FALSE, CF_ERROR_REMOTE, "500"},
        {429, NULL, "", FALSE, CF_ERROR_THROTTLED, "429"},
        {302, NULL, "", FALSE, CF_ERROR_PROTOCOL, "302"},
        {201, NULL, "{\"token\":{}}", FALSE, CF_ERROR_PROTOCOL, "X-Subject-Token"},
        {201, "a b", "{\"token\":{}}", FALSE, CF_ERROR_PROTOCOL, "X-Subject-Token"},
        {201, "fake", "<html>", FALSE, CF_ERROR_PROTOCOL, "token call"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CfToken token = {0};
        CfKeystoneScope scope = {0};
        g_autoptr(GError) error = NULL;

        g_assert_false(cf_keystone_parse(rows[i].status, rows[i].subject, rows[i].more,
                                         rows[i].text, strlen(rows[i].text), 0, 0, &token, &scope,
                                         &error));
        g_assert_error(error, CF_ERROR, (int) rows[i].code);
        g_assert_nonnull(strstr(error->message, rows[i].says));
    }
}

/* --- addresses and versions ------------------------------------------------------------------- */

static void
test_addresses(void)
{
    static const struct {
        CfOsService service;
        const char *url, *base, *root;
    } rows[] = {
        {CF_OS_COMPUTE, "http://h:8774/v2.1", "http://h:8774/v2.1", "http://h:8774/v2.1/"},
        {CF_OS_COMPUTE, "http://h:8774/v2.1/", "http://h:8774/v2.1", "http://h:8774/v2.1/"},
        {CF_OS_COMPUTE, "http://h/compute/v2.1/p-2", "http://h/compute/v2.1/p-2",
         "http://h/compute/v2.1/"},
        {CF_OS_COMPUTE, "http://h/compute", "http://h/compute/v2.1", "http://h/compute/v2.1/"},
        {CF_OS_COMPUTE, "http://h/v2/p-2", "http://h/v2/p-2", "http://h/v2/"},
        {CF_OS_IMAGE, "http://h:9292", "http://h:9292/v2", "http://h:9292/v2/"},
        {CF_OS_IMAGE, "http://h:9292/v2.5/", "http://h:9292/v2.5", "http://h:9292/v2.5/"},
        {CF_OS_IMAGE, "http://v2.example.com/image", "http://v2.example.com/image/v2",
         "http://v2.example.com/image/v2/"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *base = cf_os_make_base(rows[i].service, rows[i].url);
        g_autofree char *root = cf_os_version_root(base);

        g_assert_cmpstr(base, ==, rows[i].base);
        g_assert_cmpstr(root, ==, rows[i].root);
    }
}

static int
version_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    int version = -1;

    if (cf_os_read_version(text, strlen(text), &version, &error))
        return version;
    g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
    return -1;
}

static void
test_versions(void)
{
    g_autofree char *one = load("version.json");
    g_autofree char *several = load("versions.json");

    if (!one)
        return;
    g_assert_cmpint(version_of(one), ==, CF_OS_VERSION_MAX); /* not beyond what we know */
    g_assert_cmpint(version_of(several), ==, 60);
    g_assert_cmpint(version_of("{\"version\":{\"id\":\"v2.0\",\"version\":\"\"}}"), ==,
                    CF_OS_VERSION_NONE);
    g_assert_cmpint(version_of("{\"version\":{\"version\":\"2.x\"}}"), ==, -1);
    g_assert_cmpint(version_of("{\"version\":{\"version\":\"3.1\"}}"), ==, -1);
    g_assert_cmpint(version_of("{}"), ==, -1);
    g_assert_cmpint(version_of("<html>"), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/openstack/server", test_server);
    g_test_add_func("/openstack/server-from-a-volume", test_server_from_volume);
    g_test_add_func("/openstack/server-of-an-old-cloud", test_old_server);
    g_test_add_func("/openstack/server-shown", test_shown_server);
    g_test_add_func("/openstack/image", test_image);
    g_test_add_func("/openstack/image-queued", test_queued_image);
    g_test_add_func("/openstack/image-snapshot", test_snapshot);
    g_test_add_func("/openstack/more-than-others", test_more);
    g_test_add_func("/openstack/metadata-keys", test_metadata_keys);
    g_test_add_func("/openstack/lock-versions", test_lock_versions);
    g_test_add_func("/openstack/wrong-types", test_wrong_types);
    g_test_add_func("/openstack/states", test_states);
    g_test_add_func("/openstack/lists-without-sense", test_bad_lists);
    g_test_add_func("/openstack/secrets", test_secrets);
    g_test_add_func("/openstack/refusals", test_errors);
    g_test_add_func("/openstack/login-bodies", test_bodies);
    g_test_add_func("/openstack/token", test_token);
    g_test_add_func("/openstack/token-refused", test_token_refused);
    g_test_add_func("/openstack/addresses", test_addresses);
    g_test_add_func("/openstack/versions", test_versions);
    return g_test_run();
}
