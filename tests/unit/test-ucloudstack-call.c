/* UCloudStack's backend over real HTTP (test-provider.h). */
#include "providers/ucloudstack/private.h"
#include "util/log.h"

extern const CfProviderOps cf_provider_ucloudstack;
#define ops (&cf_provider_ucloudstack)

#include "test-provider.h"

#define PUBLIC "fake+public/key="
#define PRIVATE "fake-private-key"
/* What every form of this test begins with after its Action. */
#define COMMON "&PublicKey=fake%2Bpublic%2Fkey%3D&Region=cn"

#define OK_ANSWER "{\"RetCode\":0,\"Action\":\"x\",\"Message\":\"\"}"
#define NONE "{\"RetCode\":0,\"TotalCount\":0,\"Infos\":[]}"
#define ONE_SERVER "{\"RetCode\":0,\"TotalCount\":1,\"Infos\":[{\"VMID\":\"vm-1\",\"Name\":\"n\"}]}"
#define ONE_IMAGE                                                                                  \
    "{\"RetCode\":0,\"TotalCount\":1,\"Infos\":[{\"ImageID\":\"i-1\",\"Name\":\"n\"}]}"

/* --- client ----------------------------------------------------------------------------------- */

static void
set_keys(Fixture *fixture)
{
    g_autofree char *endpoint = g_strdup_printf("http://127.0.0.1:%u/api/", fixture->server.port);

    set_key(fixture, "endpoint", endpoint);
    set_key(fixture, "region", "cn");
    set_key(fixture, "public_key", PUBLIC);
    set_key(fixture, "private_key", PRIVATE);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture_set_up(fixture);
    set_keys(fixture);
}

static void
open_dialect(Fixture *fixture, const char *dialect)
{
    set_key(fixture, "dialect", dialect);
    open_handle(fixture);
}

/* action: (nullable): only for this one. */
static void
serve_action(Fixture *fixture, const char *action, const char *body)
{
    serve_rule(&fixture->server, (Rule){"POST", "/api/", NULL, 200, body, -1, .holds = action});
}

static void
serve_action_once(Fixture *fixture, const char *action, const char *body)
{
    serve_rule(&fixture->server, (Rule){"POST", "/api/", NULL, 200, body, 1, .holds = action});
}

/* --- signatures ------------------------------------------------------------------------------- */

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Worked out once more from the form itself: "name=value" sorts as the name does, because no name
 * here is the beginning of another one. */
static char *
sign_form(const char *form, const char *private_key)
{
    g_auto(GStrv) pairs = g_strsplit(form, "&", -1);
    g_autoptr(GString) text = g_string_new(NULL);

    qsort(pairs, g_strv_length(pairs), sizeof pairs[0], compare_texts);
    for (guint i = 0; pairs[i]; i++) {
        g_autofree char *plain = g_uri_unescape_string(pairs[i], NULL);
        char *equals = strchr(plain, '=');

        g_string_append_len(text, plain, equals - plain);
        g_string_append(text, equals + 1);
    }
    g_string_append(text, private_key);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA1, text->str, -1);
}

/* form: all but the signature. */
static void
assert_form(Fixture *fixture, guint i, const char *form)
{
    g_autofree char *sign = sign_form(form, PRIVATE);
    g_autofree char *body = g_strconcat(form, "&Signature=", sign, NULL);

    assert_seen(&fixture->server, i, "POST /api/", body);
    g_assert_cmpstr(header(&fixture->server, i, "content-type"), ==,
                    "application/x-www-form-urlencoded");
    g_assert_cmpstr(header(&fixture->server, i, "accept"), ==, "application/json");
    g_assert_null(strstr(body, PRIVATE));
}

static guint
count_all(Fixture *fixture)
{
    return count_seen(&fixture->server, NULL);
}

/* --- what is sent ----------------------------------------------------------------------------- */

typedef struct {
    Job job;
    const char *answer, *form, *form_of_project; /* the latter with project_id and company_id */
} Read;

static const Read reads[] = {
    {{.kind = LIST, .page = 1},
     ONE_SERVER,
     "Action=DescribeVMInstance" COMMON "&Offset=0&Limit=100",
     "Action=DescribeVMInstance" COMMON
     "&CompanyID=200000123&Offset=0&Limit=100&ProjectIDs.0=org-1"},
    {{.kind = LIST, .page = 17},
     NONE,
     "Action=DescribeVMInstance" COMMON "&Offset=1600&Limit=100",
     "Action=DescribeVMInstance" COMMON
     "&CompanyID=200000123&Offset=1600&Limit=100&ProjectIDs.0=org-1"},
    {{.kind = LIST, .collection = CF_IMAGES, .page = 2},
     NONE,
     "Action=DescribeImage" COMMON "&Offset=100&Limit=100",
     "Action=DescribeImage" COMMON "&CompanyID=200000123&Offset=100&Limit=100&ProjectIDs.0=org-1"},
    {{.kind = SHOW, .id = "vm-1"},
     ONE_SERVER,
     "Action=DescribeVMInstance" COMMON "&VMIDs.0=vm-1",
     "Action=DescribeVMInstance" COMMON "&CompanyID=200000123&VMIDs.0=vm-1&ProjectIDs.0=org-1"},
    {{.kind = SHOW, .collection = CF_IMAGES, .id = "i-1"},
     ONE_IMAGE,
     "Action=DescribeImage" COMMON "&ImageIDs.0=i-1",
     "Action=DescribeImage" COMMON "&CompanyID=200000123&ImageIDs.0=i-1&ProjectIDs.0=org-1"},
    {{.kind = SEARCH, .id = "web 中&", .page = 2},
     NONE,
     "Action=DescribeVMInstance" COMMON "&Keyword=web%20%E4%B8%AD%26&Offset=100&Limit=100",
     "Action=DescribeVMInstance" COMMON
     "&CompanyID=200000123&Keyword=web%20%E4%B8%AD%26&Offset=100&Limit=100&ProjectIDs.0=org-1"},
    {{.kind = SEARCH, .collection = CF_IMAGES, .id = "x", .page = 1},
     NONE,
     "Action=DescribeImage" COMMON "&Keyword=x&Offset=0&Limit=100",
     "Action=DescribeImage" COMMON
     "&CompanyID=200000123&Keyword=x&Offset=0&Limit=100&ProjectIDs.0=org-1"},
    {{.kind = AUTHENTICATE},
     NONE,
     "Action=DescribeVMInstance" COMMON "&Offset=0&Limit=1",
     "Action=DescribeVMInstance" COMMON "&CompanyID=200000123&Offset=0&Limit=1&ProjectIDs.0=org-1"},
};

static void
test_reads(Fixture *fixture, gconstpointer of_project)
{
    if (of_project) {
        set_key(fixture, "project_id", "org-1");
        set_key(fixture, "company_id", "200000123");
    }
    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(reads); i++) {
        g_auto(Job) job = reads[i].job;

        forget(&fixture->server);
        serve_action(fixture, NULL, reads[i].answer);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_all(fixture), ==, 1);
        assert_form(fixture, 0, of_project ? reads[i].form_of_project : reads[i].form);
    }
}

static void
test_page_size(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint wanted, granted;
    } rows[] = {{7, 7}, {100, 100}, {250, 100}, {0, 100}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = LIST, .page = 1};
        g_autofree char *limit = g_strdup_printf("%u", rows[i].granted);
        g_autofree char *form =
            g_strconcat("Action=DescribeVMInstance" COMMON "&Offset=0&Limit=", limit, NULL);

        set_keys(fixture);
        fixture->env.page_size = rows[i].wanted;
        open_handle(fixture);
        g_assert_cmpuint(ops->get_page_size(fixture->handle, CF_SERVERS), ==, rows[i].granted);
        forget(&fixture->server);
        serve_action(fixture, NULL, NONE);
        run(fixture, &job);
        g_assert_no_error(job.error);
        assert_form(fixture, 0, form);
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

/* A platform that grants less than is asked for: the pages that follow begin where the first one
 * ended. */
static void
test_less_granted(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) first = {.kind = LIST, .page = 1};
    g_auto(Job) third = {.kind = LIST, .page = 3};
    g_auto(Job) again = {.kind = LIST, .page = 1};
    g_auto(Job) full = {.kind = LIST, .page = 2};

    open_handle(fixture);
    serve_action_once(
        fixture, NULL,
        "{\"RetCode\":0,\"TotalCount\":5,\"Infos\":[{\"VMID\":\"a\"},{\"VMID\":\"b\"}]}");
    serve_action_once(fixture, NULL,
                      "{\"RetCode\":0,\"TotalCount\":5,\"Infos\":[{\"VMID\":\"e\"}]}");
    serve_action(fixture, NULL, "{\"RetCode\":0,\"TotalCount\":1,\"Infos\":[{\"VMID\":\"a\"}]}");
    run(fixture, &first);
    g_assert_false(first.last);
    run(fixture, &third);
    g_assert_true(third.last);
    run(fixture, &again);
    run(fixture, &full);
    assert_form(fixture, 0, "Action=DescribeVMInstance" COMMON "&Offset=0&Limit=100");
    assert_form(fixture, 1, "Action=DescribeVMInstance" COMMON "&Offset=4&Limit=2");
    assert_form(fixture, 2, "Action=DescribeVMInstance" COMMON "&Offset=0&Limit=100");
    assert_form(fixture, 3, "Action=DescribeVMInstance" COMMON "&Offset=100&Limit=100");
}

typedef struct {
    CfCollection collection;
    CfActionKind kind;
    CfVerb verb;
    const char *id, *text, *description;
    const char *answer, *form, *label;
} Change;

static const Change changes[] = {
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "vm-1", NULL, NULL, OK_ANSWER,
     "Action=StartVMInstance" COMMON "&VMID=vm-1", "POST StartVMInstance"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF, "vm 1/中", NULL, NULL,
     "{\"RetCode\":0,\"VMID\":\"undocumented\"}",
     "Action=StopVMInstance" COMMON "&VMID=vm%201%2F%E4%B8%AD", "POST StopVMInstance"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_OFF_HARD, "vm-1", NULL, NULL, "{\"RetCode\":\"0\"}",
     "Action=PoweroffVMInstance" COMMON "&VMID=vm-1", "POST PoweroffVMInstance"},
    {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT, "vm-1", NULL, NULL, OK_ANSWER,
     "Action=RestartVMInstance" COMMON "&VMID=vm-1", "POST RestartVMInstance"},
    {CF_SERVERS, CF_ACTION_CONSOLE, 0, "vm-1", "vnc", NULL,
     "{\"RetCode\":0,\"Info\":{\"VNCIP\":\"10.0.0.1\",\"VNCPort\":5901}}",
     "Action=GetVMVNCInfo" COMMON "&VMID=vm-1", "POST GetVMVNCInfo"},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "vm-1", "名 x", "two\nlines",
     "{\"RetCode\":0,\"ImageID\":\"i-2\"}",
     "Action=CreateCustomImage" COMMON
     "&VMID=vm-1&ImageName=%E5%90%8D%20x&ImageDescription=two%0Alines",
     "POST CreateCustomImage"},
    {CF_SERVERS, CF_ACTION_CAPTURE, 0, "vm-1", "x", "", "{\"RetCode\":0,\"ImageID\":\"i-2\"}",
     "Action=CreateCustomImage" COMMON "&VMID=vm-1&ImageName=x", "POST CreateCustomImage"},
    {CF_IMAGES, CF_ACTION_DELETE, 0, "i-1", NULL, NULL, OK_ANSWER,
     "Action=DeleteCustomImage" COMMON "&ImageID=i-1", "POST DeleteCustomImage"},
};

static CfAction *
action_of(CfCollection collection, CfActionKind kind, CfVerb verb, const char *id, const char *text)
{
    return new_action(collection, kind, verb, id, text, NULL, NULL);
}

static void
test_changes(Fixture *fixture, gconstpointer data)
{
    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        const Change *row = &changes[i];
        g_auto(Job) job = {.kind = ACT,
                           .action = new_action(row->collection, row->kind, row->verb, row->id,
                                                row->text, row->description, NULL)};

        forget(&fixture->server);
        serve_action(fixture, NULL, row->answer);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_all(fixture), ==, 1);
        assert_form(fixture, 0, row->form);
        g_assert_cmpstr(job.result.method_path, ==, row->label);
        g_assert_cmpint(job.result.http_status, ==, 200);
        g_assert_nonnull(job.result.request_id);
    }
}

static void
test_capture_in_project(Fixture *fixture, gconstpointer data)
{
    g_auto(Job)
        job = {.kind = ACT, .action = action_of(CF_SERVERS, CF_ACTION_CAPTURE, 0, "vm-1", "x")};

    set_key(fixture, "project_id", "org-1");
    set_key(fixture, "company_id", "7");
    open_handle(fixture);
    serve_action(fixture, NULL, "{\"RetCode\":0,\"ImageID\":\"i-2\"}");
    run(fixture, &job);
    g_assert_no_error(job.error);
    assert_form(fixture, 0,
                "Action=CreateCustomImage" COMMON
                "&CompanyID=7&VMID=vm-1&ImageName=x&ProjectID=org-1");
}

/* --- what comes back -------------------------------------------------------------------------- */

static void
test_page(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint page;
        const char *body;
        guint n;
        gint64 total;
        gboolean last;
    } rows[] = {
        {1, "{\"RetCode\":0,\"TotalCount\":5,\"Infos\":[{\"VMID\":\"a\"},{\"VMID\":\"b\"}]}", 2, 5,
         FALSE},
        {3, "{\"RetCode\":0,\"TotalCount\":\"5\",\"Infos\":[{\"VMID\":\"a\"}]}", 1, 5, TRUE},
        {2, "{\"RetCode\":0,\"TotalCount\":5,\"Infos\":[{\"VMID\":\"a\"}]}", 1, 5, FALSE},
        {2, "{\"RetCode\":0,\"TotalCount\":4,\"Infos\":[{\"VMID\":\"a\"},{\"VMID\":\"b\"}]}", 2, 4,
         TRUE},
        {2, "{\"RetCode\":0,\"TotalCount\":5,\"Infos\":[]}", 0, 5, TRUE},
        {1, "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"a\"},{\"VMID\":\"b\"}]}", 2, -1, FALSE},
        {1, "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"a\"}]}", 1, -1, TRUE},
        {1, "{\"RetCode\":0,\"TotalCount\":0,\"Infos\":null}", 0, 0, TRUE},
    };

    fixture->env.page_size = 2;
    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = LIST, .page = rows[i].page};
        gint64 before = cf_clock_mono_us();

        forget(&fixture->server);
        serve_action(fixture, NULL, rows[i].body);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(job.n_records, ==, rows[i].n);
        g_assert_cmpint(job.total, ==, rows[i].total);
        g_assert_cmpint(job.last, ==, rows[i].last);
        g_assert_cmpint(job.requested_us, >=, before);
        g_assert_cmpint(job.requested_us, <=, cf_clock_mono_us());
    }
}

static void
test_malformed(Fixture *fixture, gconstpointer data)
{
    static const char *const bodies[] = {"",
                                         "<html>log in</html>",
                                         "{\"RetCode\":0",
                                         "{\"Infos\":[]}",
                                         "{\"RetCode\":\"fine\"}",
                                         "{\"RetCode\":0}",
                                         "{\"RetCode\":0,\"Infos\":{}}",
                                         "{\"RetCode\":0,\"TotalCount\":1,\"Infos\":null}"};

    open_handle(fixture);
    for (guint i = 0; i < 2 * G_N_ELEMENTS(bodies); i++) {
        g_auto(Job) job = {.kind = i % 2 ? LIST : SHOW, .page = 1, .id = "vm-1"};

        forget(&fixture->server);
        serve_action(fixture, NULL, bodies[i / 2]);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_null(strchr(job.error->message, '\n'));
    }
}

static void
test_show(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *body;
        int code; /* -1: found */
    } rows[] = {
        {ONE_SERVER, -1},
        {NONE, CF_ERROR_NOT_FOUND},
        {"{\"RetCode\":1004,\"Message\":\"gone\"}", CF_ERROR_NOT_FOUND},
        {"{\"RetCode\":0,\"TotalCount\":1,\"Infos\":[{\"VMID\":\"vm-2\"}]}", CF_ERROR_PROTOCOL},
        {"{\"RetCode\":0,\"TotalCount\":3,\"Infos\":[]}", CF_ERROR_PROTOCOL},
        {"{\"RetCode\":109}", CF_ERROR_UNAUTHORIZED},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = SHOW, .id = "vm-1"};

        forget(&fixture->server);
        serve_action(fixture, NULL, rows[i].body);
        run(fixture, &job);
        if (rows[i].code < 0) {
            g_assert_no_error(job.error);
            g_assert_cmpstr(cf_record_get_name(job.record), ==, "n");
            g_assert_cmpint(job.requested_us, >, 0);
        } else {
            g_assert_error(job.error, CF_ERROR, rows[i].code);
        }
    }
}

/* A listing that says "not found" must not read as if something were gone. */
static void
test_list_errors(Fixture *fixture, gconstpointer data)
{
    static const struct {
        int status;
        const char *body;
        int code;
    } rows[] = {
        {200, "{\"RetCode\":200}", CF_ERROR_REMOTE},
        {200, "{\"RetCode\":1004}", CF_ERROR_REMOTE},
        {404, "404 page not found", CF_ERROR_REMOTE},
        {200, "{\"RetCode\":109,\"Message\":\"wrong\"}", CF_ERROR_UNAUTHORIZED},
        {200, "{\"RetCode\":27004}", CF_ERROR_REFUSED},
        {401, "", CF_ERROR_UNAUTHORIZED},
        {200, "{\"RetCode\":114}", CF_ERROR_DENIED},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        forget(&fixture->server);
        serve(&fixture->server, "POST", "/api/", rows[i].status, rows[i].body);
        run_list(fixture, rows[i].code);
        g_assert_cmpuint(count_all(fixture), ==, 1);
    }
}

/* --- console, capture ------------------------------------------------------------------------- */

static void
test_console(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *info;
        const char *url; /* NULL: PROTOCOL */
    } rows[] = {
        {"{\"VNCIP\":\"10.0.0.1\",\"VNCPort\":5901,\"VNCPassword\":\"fake pw\"}",
         "vnc://10.0.0.1:5901\nfake pw"},
        {"{\"VNCIP\":\"10.0.0.1\",\"VNCPort\":\"5901\",\"VNCPassword\":123456}",
         "vnc://10.0.0.1:5901\n123456"},
        {"{\"VNCIP\":\"fd00::1\",\"VNCPort\":5901,\"VNCPassword\":\"fake\"}",
         "vnc://[fd00::1]:5901\nfake"},
        {"{\"VNCIP\":\"[fd00::1]\",\"VNCPort\":65535}", "vnc://[fd00::1]:65535"},
        {"{\"VNCIP\":\"h\",\"VNCPort\":1,\"VNCPassword\":\"\"}", "vnc://h:1"},
        {"{\"VNCIP\":\"h\",\"VNCPort\":1,\"VNCPassword\":null}", "vnc://h:1"},
        {"{\"VNCIP\":\"h\",\"VNCPort\":1,\"VNCPassword\":\"a\\nb\"}", NULL},
        {"{\"VNCIP\":\"h\\nx\",\"VNCPort\":1}", NULL},
        {"{\"VNCIP\":\"\",\"VNCPort\":1}", NULL},
        {"{\"VNCIP\":\"h\",\"VNCPort\":0}", NULL},
        {"{\"VNCIP\":\"h\",\"VNCPort\":65536}", NULL},
        {"{\"VNCIP\":\"h\"}", NULL},
        {"{\"VNCPort\":1}", NULL},
        {"{\"VNCIP\":{},\"VNCPort\":[]}", NULL},
        {"[]", NULL},
        {"null", NULL},
        {"\"x\"", NULL},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *body =
            g_strdup_printf("{\"RetCode\":0,\"Message\":\"\",\"Info\":%s}", rows[i].info);
        g_auto(Job) job = {.kind = ACT,
                           .action = action_of(CF_SERVERS, CF_ACTION_CONSOLE, 0, "vm-1", "vnc")};

        forget(&fixture->server);
        serve_action(fixture, "Action=GetVMVNCInfo&", body);
        run(fixture, &job);
        g_assert_cmpstr(job.result.console_url, ==, rows[i].url);
        if (rows[i].url) {
            g_assert_no_error(job.error);
            g_assert_cmpstr(job.result.console_type, ==, "vnc");
            g_assert_cmpuint(job.result.console_life_s, ==, 300);
        } else {
            g_assert_error(job.error, CF_ERROR, CF_ERROR_PROTOCOL);
        }
        forget(&fixture->server);
    }
}

/* An answer that is no JSON may still hold the password: it is not quoted. */
static void
test_console_secret(Fixture *fixture, gconstpointer data)
{
    g_auto(Job)
        job = {.kind = ACT, .action = action_of(CF_SERVERS, CF_ACTION_CONSOLE, 0, "vm-1", "vnc")};

    open_handle(fixture);
    serve_action(fixture, NULL, "Info: fake-vnc-password");
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_PROTOCOL);
    g_assert_null(strstr(job.error->message, "fake-vnc-password"));
}

static void
test_captured(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *body, *id;
    } rows[] = {
        {"{\"RetCode\":0,\"ImageID\":\"i-2\"}", "i-2"}, {"{\"RetCode\":0,\"ImageID\":17}", "17"},
        {"{\"RetCode\":0,\"ImageID\":\"\"}", NULL},     {"{\"RetCode\":0,\"ImageID\":null}", NULL},
        {"{\"RetCode\":0,\"ImageID\":{}}", NULL},       {"{\"RetCode\":0}", NULL},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job)
            job = {.kind = ACT, .action = action_of(CF_SERVERS, CF_ACTION_CAPTURE, 0, "vm-1", "x")};

        forget(&fixture->server);
        serve_action(fixture, NULL, rows[i].body);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpstr(job.result.new_id, ==, rows[i].id);
    }
}

/* --- names and descriptions ------------------------------------------------------------------- */

typedef struct {
    CfCollection collection;
    CfActionKind kind;
    const char *text;
    const char *record; /* what the look finds */
    const char *look, *change;
} Words;

#define LOOK_SERVER "Action=DescribeVMInstance" COMMON "&VMIDs.0=x"
#define LOOK_IMAGE "Action=DescribeImage" COMMON "&ImageIDs.0=x"
#define MODIFY "Action=ModifyNameAndRemark" COMMON "&ResourceID=x"

static const Words words[] = {
    {CF_SERVERS, CF_ACTION_RENAME, "new", "{\"VMID\":\"x\",\"Name\":\"old\",\"Remark\":\"a&b\"}",
     LOOK_SERVER, MODIFY "&Name=new&Remark=a%26b"},
    {CF_SERVERS, CF_ACTION_RENAME, "新", "{\"VMID\":\"x\",\"Name\":\"old\",\"Remark\":\"\"}",
     LOOK_SERVER, MODIFY "&Name=%E6%96%B0"},
    {CF_SERVERS, CF_ACTION_RENAME, "new", "{\"VMID\":\"x\"}", LOOK_SERVER, MODIFY "&Name=new"},
    {CF_SERVERS, CF_ACTION_DESCRIBE, "words", "{\"VMID\":\"x\",\"Name\":\"n m\",\"Remark\":\"r\"}",
     LOOK_SERVER, MODIFY "&Name=n%20m&Remark=words"},
    {CF_SERVERS, CF_ACTION_DESCRIBE, "", "{\"VMID\":\"x\",\"Name\":\"n\",\"Remark\":\"r\"}",
     LOOK_SERVER, MODIFY "&Name=n&Remark="},
    {CF_IMAGES, CF_ACTION_RENAME, "new",
     "{\"ImageID\":\"x\",\"Name\":\"old\",\"ImageDescription\":\"d\"}", LOOK_IMAGE,
     MODIFY "&Name=new&Remark=d"},
    {CF_IMAGES, CF_ACTION_DESCRIBE, "new",
     "{\"ImageID\":\"x\",\"ImageName\":\"second\",\"ImageDescription\":\"d\"}", LOOK_IMAGE,
     MODIFY "&Name=second&Remark=new"},
};

static void
test_words(Fixture *fixture, gconstpointer data)
{
    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        const Words *row = &words[i];
        g_autofree char *found =
            g_strdup_printf("{\"RetCode\":0,\"TotalCount\":1,\"Infos\":[%s]}", row->record);
        g_auto(Job)
            job = {.kind = ACT, .action = action_of(row->collection, row->kind, 0, "x", row->text)};

        forget(&fixture->server);
        serve_action(fixture, "Action=Describe", found);
        serve_action(fixture, "Action=ModifyNameAndRemark&", OK_ANSWER);
        run(fixture, &job);
        g_assert_no_error(job.error);
        g_assert_cmpuint(count_all(fixture), ==, 2);
        assert_form(fixture, 0, row->look);
        assert_form(fixture, 1, row->change);
        g_assert_cmpstr(job.result.method_path, ==, "POST ModifyNameAndRemark");
        forget(&fixture->server);
    }
}

/* The vector U8 of the fact sheet, as it goes over the wire. */
static void
test_words_signature(Fixture *fixture, gconstpointer data)
{
    g_auto(Job)
        job = {.kind = ACT,
               .action = action_of(CF_SERVERS, CF_ACTION_RENAME, 0, "vm-0001", "web 01 测试")};

    set_key(fixture, "public_key", "1UxDcqTHEGGGviQFqlt870EbLuaSJPZOB8hZ74tL");
    set_key(fixture, "private_key",
            "tcgX3Xi_mAKpQayggnVLWzerkWB_fH1KXuk05hUrus8KSziLVyjWXwKZ80FOOldC");
    open_handle(fixture);
    serve_action(fixture, "Action=Describe",
                 "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"vm-0001\",\"Remark\":\"a=b&c+d\"}]}");
    serve_action(fixture, NULL, OK_ANSWER);
    run(fixture, &job);
    g_assert_no_error(job.error);
    g_assert_true(g_str_has_suffix(seen_at(&fixture->server, 1)->body->str,
                                   "&Signature=dcb43a3a4e8d13d6fa64eb5b09ae06484735e18c"));
}

/* Nothing is changed where the look fails. */
static void
test_words_unseen(Fixture *fixture, gconstpointer data)
{
    static const struct {
        CfActionKind kind;
        const char *body;
        int code;
    } rows[] = {
        {CF_ACTION_RENAME, NONE, CF_ERROR_NOT_FOUND},
        {CF_ACTION_DESCRIBE, NONE, CF_ERROR_NOT_FOUND},
        {CF_ACTION_DESCRIBE, "{\"RetCode\":1004}", CF_ERROR_NOT_FOUND},
        {CF_ACTION_RENAME, "{\"RetCode\":114}", CF_ERROR_DENIED},
        {CF_ACTION_RENAME, "{}", CF_ERROR_PROTOCOL},
        {CF_ACTION_RENAME, "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"y\"}]}", CF_ERROR_PROTOCOL},
        {CF_ACTION_DESCRIBE, "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"x\",\"Name\":\"\"}]}",
         CF_ERROR_INVALID},
        {CF_ACTION_DESCRIBE, "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"x\"}]}", CF_ERROR_INVALID},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job)
            job = {.kind = ACT, .action = action_of(CF_SERVERS, rows[i].kind, 0, "x", "text")};

        forget(&fixture->server);
        serve_action(fixture, NULL, rows[i].body);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].code);
        g_assert_cmpuint(count_all(fixture), ==, 1);
        assert_form(fixture, 0, LOOK_SERVER);
    }
}

/* --- refusals --------------------------------------------------------------------------------- */

static void
test_action_errors(Fixture *fixture, gconstpointer dialect)
{
    static const struct {
        const char *dialect, *body;
        int code;
    } rows[] = {
        {"2", "{\"RetCode\":1005,\"Message\":\"state\"}", CF_ERROR_BUSY},
        {"2", "{\"RetCode\":1004,\"Message\":\"gone\"}", CF_ERROR_NOT_FOUND},
        {"2", "{\"RetCode\":23001,\"Message\":\"money\"}", CF_ERROR_REFUSED},
        {"2", "{\"RetCode\":1019,\"Message\":\"full\"}", CF_ERROR_CAPACITY},
        {"2", "{\"RetCode\":17005,\"Message\":\"quota\"}", CF_ERROR_QUOTA},
        {"2", "{\"RetCode\":2011,\"Message\":\"of generation 1\"}", CF_ERROR_REMOTE},
        {"2", "{\"RetCode\":4711,\"Message\":\"new\"}", CF_ERROR_REMOTE},
        {"1", "{\"RetCode\":2015,\"Message\":\"state\"}", CF_ERROR_BUSY},
        {"1", "{\"RetCode\":2006,\"Message\":\"gone\"}", CF_ERROR_NOT_FOUND},
        {"1", "{\"RetCode\":160,\"Message\":\"money\"}", CF_ERROR_REFUSED},
        {"1", "{\"RetCode\":2030,\"Message\":\"full\"}", CF_ERROR_CAPACITY},
        {"1", "{\"RetCode\":2044,\"Message\":\"quota\"}", CF_ERROR_QUOTA},
        {"1", "{\"RetCode\":1014,\"Message\":\"of generation 2\"}", CF_ERROR_REMOTE},
    };

    open_dialect(fixture, dialect);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT,
                           .action = action_of(CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "x", NULL)};

        if (strcmp(rows[i].dialect, dialect) != 0)
            continue;
        forget(&fixture->server);
        serve_action(fixture, NULL, rows[i].body);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].code);
        g_assert_cmpuint(count_all(fixture), ==, 1);
        g_assert_cmpstr(job.result.method_path, ==, "POST StartVMInstance");
        g_assert_nonnull(cf_error_get_cloud(job.error)->code);
        g_assert_nonnull(cf_error_get_cloud(job.error)->message);
        g_assert_nonnull(cf_error_get_cloud(job.error)->request_id);
    }
}

/* Generation 1 says "missing or in the wrong state": a look tells. */
static void
test_ambiguous(Fixture *fixture, gconstpointer data)
{
    static const struct {
        CfCollection collection;
        CfActionKind kind;
        const char *refusal, *look;
        int code;
    } rows[] = {
        {CF_SERVERS, CF_ACTION_POWER, "2011", "{\"RetCode\":0,\"Infos\":[{\"VMID\":\"x\"}]}",
         CF_ERROR_BUSY},
        {CF_SERVERS, CF_ACTION_POWER, "2011", NONE, CF_ERROR_NOT_FOUND},
        {CF_SERVERS, CF_ACTION_CAPTURE, "2011", NONE, CF_ERROR_NOT_FOUND},
        {CF_SERVERS, CF_ACTION_CONSOLE, "2011", NONE, CF_ERROR_NOT_FOUND},
        {CF_SERVERS, CF_ACTION_POWER, "2011", "{\"RetCode\":140}", CF_ERROR_BUSY},
        {CF_SERVERS, CF_ACTION_POWER, "2011", "nonsense", CF_ERROR_BUSY},
        {CF_IMAGES, CF_ACTION_DELETE, "2007", "{\"RetCode\":0,\"Infos\":[{\"ImageID\":\"x\"}]}",
         CF_ERROR_BUSY},
        {CF_IMAGES, CF_ACTION_DELETE, "2007", NONE, CF_ERROR_NOT_FOUND},
    };

    open_dialect(fixture, "1");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *refusal =
            g_strdup_printf("{\"RetCode\":%s,\"Message\":\"either\"}", rows[i].refusal);
        g_auto(Job) job = {.kind = ACT,
                           .action = action_of(rows[i].collection, rows[i].kind, CF_VERB_OFF, "x",
                                               rows[i].kind == CF_ACTION_CONSOLE ? "vnc" : "name")};

        forget(&fixture->server);
        serve_action(fixture, "Action=Describe", rows[i].look);
        serve_action(fixture, NULL, refusal);
        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].code);
        g_assert_cmpstr(cf_error_get_cloud(job.error)->code, ==, rows[i].refusal);
        g_assert_cmpstr(cf_error_get_cloud(job.error)->message, ==, "either");
        g_assert_cmpuint(count_all(fixture), ==, 2);
        assert_form(fixture, 1, rows[i].collection == CF_SERVERS ? LOOK_SERVER : LOOK_IMAGE);
        g_assert_null(strstr(job.result.method_path, "Describe"));
        forget(&fixture->server);
    }
}

/* "Too frequent" was certainly not done: also a change goes again. */
static void
test_throttled(Fixture *fixture, gconstpointer dialect)
{
    const char *refusal = strcmp(dialect, "1") == 0 ? "{\"RetCode\":165}" : "{\"RetCode\":199}";
    g_auto(Job)
        job = {.kind = ACT, .action = action_of(CF_SERVERS, CF_ACTION_CAPTURE, 0, "x", "name")};

    open_dialect(fixture, dialect);
    serve_action_once(fixture, NULL, refusal);
    serve_action(fixture, NULL, "{\"RetCode\":0,\"ImageID\":\"i\"}");
    run(fixture, &job);
    g_assert_no_error(job.error);
    g_assert_cmpstr(job.result.new_id, ==, "i");
    g_assert_cmpuint(count_all(fixture), ==, 2);
}

static void
test_throttled_to_the_end(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1, .deadline_us = cf_clock_mono_us() + SECOND / 4};

    open_handle(fixture);
    serve_action(fixture, NULL, "{\"RetCode\":199,\"Message\":\"too often\"}");
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_THROTTLED);
    g_assert_cmpstr(cf_error_get_cloud(job.error)->message, ==, "too often");
}

/* A fault of the service: a read goes again, a change does not. */
static void
test_fault(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) read = {.kind = SHOW, .id = "vm-1"};
    g_auto(Job) change = {.kind = ACT,
                          .action = action_of(CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "x", NULL)};

    open_handle(fixture);
    serve_action_once(fixture, NULL, "{\"RetCode\":2,\"Message\":\"fault\"}");
    serve_action(fixture, NULL, ONE_SERVER);
    run(fixture, &read);
    g_assert_no_error(read.error);
    g_assert_cmpuint(count_all(fixture), ==, 2);

    forget(&fixture->server);
    serve_action_once(fixture, NULL, "{\"RetCode\":2,\"Message\":\"fault\"}");
    serve_action(fixture, NULL, OK_ANSWER);
    run(fixture, &change);
    g_assert_error(change.error, CF_ERROR, CF_ERROR_REMOTE);
    g_assert_cmpuint(count_all(fixture), ==, 1);
}

/* The platform's own time-out, and that it is busy, leave open whether a change was done. */
static void
test_unknown_outcome(Fixture *fixture, gconstpointer dialect)
{
    gboolean first = strcmp(dialect, "1") == 0;
    int of_change = first ? CF_ERROR_TIMEOUT : CF_ERROR_REMOTE;
    int of_read = first ? CF_ERROR_TIMEOUT : CF_ERROR_THROTTLED;
    const char *refusal =
        first ? "{\"RetCode\":110,\"Message\":\"slow\"}" : "{\"RetCode\":560,\"Message\":\"slow\"}";
    g_auto(Job) change = {.kind = ACT,
                          .action = action_of(CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "x", NULL)};
    g_auto(Job) read = {.kind = SHOW, .id = "x", .deadline_us = cf_clock_mono_us() + SECOND / 4};

    open_dialect(fixture, dialect);
    serve_action(fixture, NULL, refusal);
    run(fixture, &change);
    g_assert_error(change.error, CF_ERROR, of_change);
    g_assert_true(g_str_has_suffix(change.error->message, "the outcome is unknown"));
    g_assert_cmpuint(count_all(fixture), ==, 1);

    run(fixture, &read);
    g_assert_error(read.error, CF_ERROR, of_read);
    g_assert_null(strstr(read.error->message, "unknown"));
}

/* A platform that wants to know the page that a call comes from: told once, remembered. */
static void
test_referer(Fixture *fixture, gconstpointer data)
{
    g_autofree char *endpoint = g_strdup_printf("http://127.0.0.1:%u/api/", fixture->server.port);
    g_auto(Job) job = {.kind = ACT,
                       .action = action_of(CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "x", NULL)};

    open_handle(fixture);
    serve_action_once(fixture, NULL, "{\"RetCode\":100,\"Message\":\"no referer\"}");
    serve_action_once(fixture, NULL, OK_ANSWER);
    serve_action_once(fixture, NULL, ONE_SERVER);
    serve_action(fixture, NULL, "{\"RetCode\":100,\"Message\":\"no referer\"}");
    run(fixture, &job);
    g_assert_no_error(job.error);
    run_list(fixture, -1);
    g_assert_cmpuint(count_all(fixture), ==, 3);
    g_assert_null(header(&fixture->server, 0, "referer"));
    g_assert_cmpstr(header(&fixture->server, 1, "referer"), ==, endpoint);
    g_assert_cmpstr(header(&fixture->server, 2, "referer"), ==, endpoint);
    run_list(fixture, CF_ERROR_INVALID);
    g_assert_cmpuint(count_all(fixture), ==, 4);
}

static void
test_redirect(Fixture *fixture, gconstpointer data)
{
    open_handle(fixture);
    serve_rule(&fixture->server, (Rule){"POST", "/api/", NULL, 302, "", -1, 0, "Location",
                                        "https://elsewhere.example.com/login?next=x"});
    run_list(fixture, CF_ERROR_PROTOCOL);
    g_assert_cmpuint(count_all(fixture), ==, 1);
}

/* --- refused without a call ------------------------------------------------------------------- */

static void
test_refused_here(Fixture *fixture, gconstpointer data)
{
    static const struct {
        CfCollection collection;
        CfActionKind kind;
        CfVerb verb;
        const char *ids, *text;
        int code;
    } rows[] = {
        {CF_SERVERS, CF_ACTION_POWER, CF_VERB_REBOOT_HARD, "x", NULL, CF_ERROR_UNSUPPORTED},
        {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "x|y", NULL, CF_ERROR_TOO_BIG},
        {CF_SERVERS, CF_ACTION_POWER, CF_VERB_ON, "", NULL, CF_ERROR_INVALID},
        {CF_SERVERS, CF_ACTION_TAGS, 0, "x", NULL, CF_ERROR_UNSUPPORTED},
        {CF_SERVERS, CF_ACTION_DELETE, 0, "x", NULL, CF_ERROR_UNSUPPORTED},
        {CF_SERVERS, CF_ACTION_CONSOLE, 0, "x", "novnc", CF_ERROR_INVALID},
        {CF_SERVERS, CF_ACTION_CAPTURE, 0, "x", "", CF_ERROR_INVALID},
        {CF_SERVERS, CF_ACTION_RENAME, 0, "x", "", CF_ERROR_INVALID},
        {CF_IMAGES, CF_ACTION_RENAME, 0, "x", NULL, CF_ERROR_INVALID},
        {CF_IMAGES, CF_ACTION_POWER, CF_VERB_ON, "x", NULL, CF_ERROR_UNSUPPORTED},
        {CF_IMAGES, CF_ACTION_TAGS, 0, "x", NULL, CF_ERROR_UNSUPPORTED},
        {CF_IMAGES, CF_ACTION_DELETE, 0, "x|y", NULL, CF_ERROR_TOO_BIG},
    };

    open_handle(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Job) job = {.kind = ACT,
                           .action = action_of(rows[i].collection, rows[i].kind, rows[i].verb,
                                               rows[i].ids, rows[i].text)};

        run(fixture, &job);
        g_assert_error(job.error, CF_ERROR, rows[i].code);
    }
    g_assert_cmpuint(count_all(fixture), ==, 0);
}

/* Generation 1 would ignore the key word and answer with everything. */
static void
test_search_1(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = SEARCH, .id = "web", .page = 1};

    open_dialect(fixture, "1");
    run(fixture, &job);
    g_assert_error(job.error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    g_assert_cmpuint(count_all(fixture), ==, 0);
}

/* --- closing ---------------------------------------------------------------------------------- */

static gboolean
do_nothing(gpointer data)
{
    return G_SOURCE_REMOVE;
}

/* What was under way is never answered. */
static void
assert_never_told(Fixture *fixture, Job *job)
{
    cf_http_invoke_wait(fixture->http, close_all, fixture);
    fixture->channel = NULL;
    cf_http_invoke_wait(fixture->http, do_nothing, NULL);
    g_mutex_lock(&job->lock);
    g_assert_false(job->done);
    g_mutex_unlock(&job->lock);
}

static void
test_close_under_way(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    open_handle(fixture);
    serve_rule(&fixture->server, (Rule){"POST", "/api/", NULL, 200, ONE_SERVER, -1, 200});
    job_start(fixture, &job);
    cf_http_invoke_wait(fixture->http, close_handle, fixture);
    assert_never_told(fixture, &job);
}

static gboolean
start_and_close(gpointer data)
{
    Job *job = data;

    start(job);
    return close_handle(job->fixture);
}

static void
test_close_refused(Fixture *fixture, gconstpointer data)
{
    g_auto(Job) job = {.kind = SEARCH, .id = "web", .page = 1, .fixture = fixture};

    open_dialect(fixture, "1");
    g_mutex_init(&job.lock);
    g_cond_init(&job.cond);
    cf_http_invoke_wait(fixture->http, start_and_close, &job);
    assert_never_told(fixture, &job);
}

/* --- configuration ---------------------------------------------------------------------------- */

#define E "endpoint=https://h/api|region=cn|public_key=p|private_key=fake-private"

static void
test_config(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *keys;
        const char *words; /* (nullable): of the error; NULL: it is good */
    } rows[] = {
        {E, NULL},
        {E "|dialect=1", NULL},
        {E "|dialect=2|project_id=org-1|company_id=200000123", NULL},
        {E "|dialect=3", "dialect"},
        {E "|dialect=two", "dialect"},
        {E "|company_id=me", "company_id"},
        {E "|endpoint=https://h/api?x=y", "endpoint"},
        {E "|endpoint=ftp://h/", "endpoint"},
        {E "|endpoint=h", "endpoint"},
        {E "|endpoint=https://user:hunter2@h/", "endpoint"},
        {E "|endpoint=", "endpoint"},
        {E "|region=", "region"},
        {E "|public_key=", "public_key"},
        {E "|private_key=", "private_key"},
        {E "|public_key=a b", "public_key"},
        {E "|private_key=hunter2 hunter2", "private_key"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) pairs = g_strsplit(rows[i].keys, "|", -1);
        g_autoptr(GError) error = NULL;

        g_hash_table_remove_all(fixture->config);
        for (guint k = 0; pairs[k]; k++) {
            char *equals = strchr(pairs[k], '=');

            *equals = '\0';
            set_key(fixture, pairs[k], equals + 1);
        }
        fixture->handle = ops->open(&fixture->env, &error);
        if (rows[i].words) {
            g_assert_null(fixture->handle);
            g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
            g_assert_nonnull(strstr(error->message, rows[i].words));
            g_assert_true(g_str_has_prefix(error->message, "[test] "));
            g_assert_null(strstr(error->message, "hunter2"));
        } else {
            g_assert_no_error(error);
            g_assert_cmpstr(ops->get_endpoint(fixture->handle), ==, "https://h/api");
            g_assert_cmpstr(ops->get_region(fixture->handle), ==, "cn");
        }
        cf_http_invoke_wait(fixture->http, close_handle, fixture);
    }
}

static void
test_table(Fixture *fixture, gconstpointer data)
{
    guint n = 0;

    g_assert_true(cf_providers_find("ucloudstack") == ops);
    for (const CfProviderKey *key = ops->keys; key->name; key++, n++) {
        g_assert_cmpint(key->secret, ==, strcmp(key->name, "private_key") == 0);
        g_assert_nonnull(key->doc);
    }
    g_assert_cmpuint(n, ==, 7);
    for (guint i = 0; i < CF_COLLECTION_N; i++)
        g_assert_cmpuint(ops->can[i] & CF_CAN(CF_ACTION_TAGS), ==, 0);
    g_assert_cmpuint(ops->composed, ==, 1u << CF_VERB_REBOOT_HARD);
    g_assert_cmpuint(ops->verbs, ==, (1u << CF_VERB_PAUSE) - 1);
    g_assert_false(ops->tags_apart);
    g_assert_cmpstr(ops->consoles[0], ==, "vnc");
    g_assert_null(ops->consoles[1]);
}

/* --- */

static void
add_with(const char *path, const char *argument, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(path, Fixture, argument, set_up, test, tear_down);
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
    add_with(path, NULL, test);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    cf_log_init("none", CF_LOG_DEBUG, NULL);
    add("/ucloudstack-call/reads", test_reads);
    add_with("/ucloudstack-call/reads-of-project", "yes", test_reads);
    add("/ucloudstack-call/page-size", test_page_size);
    add("/ucloudstack-call/less-granted", test_less_granted);
    add("/ucloudstack-call/changes", test_changes);
    add("/ucloudstack-call/capture-in-project", test_capture_in_project);
    add("/ucloudstack-call/page", test_page);
    add("/ucloudstack-call/malformed", test_malformed);
    add("/ucloudstack-call/show", test_show);
    add("/ucloudstack-call/list-errors", test_list_errors);
    add("/ucloudstack-call/console", test_console);
    add("/ucloudstack-call/console-secret", test_console_secret);
    add("/ucloudstack-call/captured", test_captured);
    add("/ucloudstack-call/words", test_words);
    add("/ucloudstack-call/words-signature", test_words_signature);
    add("/ucloudstack-call/words-unseen", test_words_unseen);
    add_with("/ucloudstack-call/action-errors-1", "1", test_action_errors);
    add_with("/ucloudstack-call/action-errors-2", "2", test_action_errors);
    add("/ucloudstack-call/ambiguous", test_ambiguous);
    add_with("/ucloudstack-call/throttled-1", "1", test_throttled);
    add_with("/ucloudstack-call/throttled-2", "2", test_throttled);
    add("/ucloudstack-call/throttled-to-the-end", test_throttled_to_the_end);
    add("/ucloudstack-call/fault", test_fault);
    add_with("/ucloudstack-call/unknown-outcome-1", "1", test_unknown_outcome);
    add_with("/ucloudstack-call/unknown-outcome-2", "2", test_unknown_outcome);
    add("/ucloudstack-call/referer", test_referer);
    add("/ucloudstack-call/redirect", test_redirect);
    add("/ucloudstack-call/refused-without-a-call", test_refused_here);
    add("/ucloudstack-call/search-1", test_search_1);
    add("/ucloudstack-call/close-under-way", test_close_under_way);
    add("/ucloudstack-call/close-refused", test_close_refused);
    add("/ucloudstack-call/config", test_config);
    add("/ucloudstack-call/table", test_table);
    return g_test_run();
}
