/* Everything that reads what a cloud sends, fed nonsense: no answer may crash it, make it read
 * beyond the text, or put it out of step with itself.
 *
 *     fuzz-answers FILE…                reads each file once ("-": standard input)
 *     fuzz-answers --mutate N FILE…     reads N texts, each some file with a few changes; the same
 *                                       ones in each run. With no file there are texts of our own
 *
 * With clang -fsanitize=fuzzer,address -DCF_LIBFUZZER it is a libFuzzer target. */
#include "auth/token.h"
#include "providers/inspur/private.h"
#include "providers/qingcloud/private.h"
#include "providers/ucloudstack/private.h"
#include "json/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

/* --- what must hold --------------------------------------------------------------------------- */

static void
check_printing(CfJsonSpan span)
{
    GString *pretty = g_string_new(NULL), *compact = g_string_new(NULL),
            *again = g_string_new(NULL);
    CfJsonSpan printed;

    cf_json_pretty(span, NULL, pretty);
    cf_json_compact(span, NULL, compact);
    g_assert_true(cf_json_check(pretty->str, pretty->len, &printed, NULL));
    cf_json_compact(printed, NULL, again);
    g_assert_cmpstr(again->str, ==, compact->str);

    g_string_truncate(again, 0);
    cf_json_pretty(span, cf_inspur_is_secret, again);
    g_assert_true(cf_json_check(again->str, again->len, NULL, NULL));
    g_string_free(pretty, TRUE);
    g_string_free(compact, TRUE);
    g_string_free(again, TRUE);
}

static void
check_record(CfCollection collection, CfJsonSpan span)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = cf_inspur_parse(collection, span, &error);
    g_autofree char *raw = g_strndup(span.text, span.len);

    g_assert_true(!record == (error != NULL));
    if (!record)
        return;
    g_assert_cmpstr(cf_record_get_raw(record, NULL), ==, raw);
    g_assert_true(*cf_record_get_id(record) != '\0');
    g_assert_nonnull(cf_record_get(record, CF_FIELD_STATE));
}

static void
check_list(const CfInspurAnswer *answer, CfCollection collection)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GError) error = NULL;
    gint64 total;

    g_assert_true(cf_inspur_read_list(answer, collection, records, &total, &error) == !error);
    for (guint i = 0; i < records->len; i++)
        check_record(collection, g_array_index(records, CfJsonSpan, i));
    check_record(collection, cf_inspur_read_one(answer, collection));
}

static void
check_answer(int status, const char *text, gsize len)
{
    g_auto(CfInspurAnswer) answer = {0};
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) tags = NULL;

    g_assert_true(cf_inspur_read_answer(status, text, len, "r", CF_INSPUR_OF_RESOURCE, &answer,
                                        &error) == !error);
    if (error) {
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_null(strchr(error->message, '\n'));
        return;
    }
    check_list(&answer, CF_SERVERS);
    check_list(&answer, CF_IMAGES);
    tags = cf_inspur_read_tags(&answer, NULL);
}

/* --- QingCloud ---------------------------------------------------------------------------------
 */

static void
check_qingcloud_record(CfCollection collection, CfJsonSpan span)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = cf_qingcloud_parse(collection, span, "zone", &error);

    g_assert_true(!record == (error != NULL));
    if (!record)
        return;
    g_assert_true(*cf_record_get_id(record) != '\0');
    g_assert_nonnull(cf_record_get(record, CF_FIELD_STATE));
}

static void
check_qingcloud(int status, const char *text, gsize len)
{
    static const char *const sets[] = {"instance_set", "image_set", "tag_set", "job_set"};
    g_auto(CfQingcloudAnswer) answer = {0};
    g_autoptr(GError) error = NULL;

    cf_qingcloud_mood(text, len);
    g_assert_true(cf_qingcloud_read_answer(status, text, len, "r", CF_QINGCLOUD_CHANGE, &answer,
                                           &error) == !error);
    if (error) {
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_null(strchr(error->message, '\n'));
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
        gint64 total;

        cf_qingcloud_read_set(&answer, sets[i], items, &total, NULL);
        for (guint j = 0; j < items->len; j++) {
            check_qingcloud_record(CF_SERVERS, g_array_index(items, CfJsonSpan, j));
            check_qingcloud_record(CF_IMAGES, g_array_index(items, CfJsonSpan, j));
        }
    }
}

/* --- UCloudStack ------------------------------------------------------------------------------ */

static void
check_ucloudstack_record(CfCollection collection, CfJsonSpan span)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfRecord) record = cf_ucloudstack_parse(collection, span, &error);

    g_assert_true(!record == (error != NULL));
    if (!record)
        return;
    g_assert_true(*cf_record_get_id(record) != '\0');
    g_assert_nonnull(cf_record_get(record, CF_FIELD_STATE));
}

static void
check_ucloudstack(int status, const char *text, gsize len, CfUcloudstackDialect dialect)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    g_autoptr(GBytes) body = g_bytes_new_static(text, len);
    g_autoptr(GError) error = NULL;
    CfHttpReply reply = {.status = status, .body = body};
    CfJsonSpan whole;
    gint64 total;

    cf_ucloudstack_judge(dialect, &reply);
    g_assert_true(cf_ucloudstack_read_answer(status, text, len, "r", dialect,
                                             CF_UCLOUDSTACK_OF_RESOURCE, &whole, &error) == !error);
    if (error) {
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_null(strchr(error->message, '\n'));
        return;
    }
    cf_ucloudstack_read_list(whole, 0, records, &total, NULL);
    for (guint i = 0; i < records->len; i++) {
        check_ucloudstack_record(CF_SERVERS, g_array_index(records, CfJsonSpan, i));
        check_ucloudstack_record(CF_IMAGES, g_array_index(records, CfJsonSpan, i));
    }
    for (guint collection = 0; collection < CF_COLLECTION_N; collection++)
        cf_record_unref(cf_ucloudstack_read_one(whole, (CfCollection) collection, "vm-7d1a", NULL));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    /* A block of its own, so that the sanitizer sees a byte too many. */
    g_autofree char *text = g_malloc(size ? size : 1);
    g_auto(CfToken) token = {0};
    CfJsonSpan span;

    if (size > 0)
        memcpy(text, data, size);
    if (cf_json_check(text, size, &span, NULL)) {
        check_printing(span);
        check_record(CF_SERVERS, span);
        check_record(CF_IMAGES, span);
        check_qingcloud_record(CF_SERVERS, span);
        check_qingcloud_record(CF_IMAGES, span);
    }
    check_ucloudstack(200, text, size, CF_UCLOUDSTACK_GEN_2);
    check_ucloudstack(500, text, size, CF_UCLOUDSTACK_GEN_1);
    check_qingcloud(200, text, size);
    check_qingcloud(502, text, size);
    check_answer(200, text, size);
    check_answer(400, text, size);
    cf_token_parse(200, text, size, 0, &token, NULL);
    return 0;
}

/* --- texts ------------------------------------------------------------------------------------ */

#ifndef CF_LIBFUZZER

static const char *const own_texts[] = {
    "{\"code\":\"200\",\"message\":\"OK\",\"data\":{\"totalCount\":1,\"servers\":[{\"regionID\":"
    "\"r\","
    "\"name\":\"\\u4e2d\\ud834\\udd1e\",\"id\":\"a\",\"status\":\"active\",\"task_state\":\"xxx\","
    "\"image\":{\"id\":\"i\",\"tags\":[\"x\"]},\"root_volume\":{\"size\":50.0},\"flavor\":{\"ram\":"
    "1,"
    "\"vcpus\":2,\"original_name\":\"s\"},\"security_groups\":[{\"name\":\"g\"}],\"nics\":[{"
    "\"fixed_ip\":\"10.0.0.1\"}],\"eip\":{\"ip_addr\":\"203.0.113.9\"},\"feeData\":{"
    "\"nextFeeTime\":"
    "\"2012-08-20 21:11:09\"},\"created\":\"2012-08-20T21:11:09Z\"}]}}",
    "{\"Code\":200,\"Data\":{\"id\":\"x\",\"tags\":\"a,b\",\"size\":1257963520,\"visibility\":"
    "\"private\",\"locations\":[{\"url\":\"rbd://"
    "x\"}],\"created_at\":\"2018-09-07T12:14:25.000+0000\","
    "\"protected\":false,\"min_ram\":-0.0e+12}}",
    "{\"code\":101.00104,\"message\":\"\xe6\x93\x8d\xe4\xbd\x9c\",\"data\":null}",
    "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>",
    "{\"access_token\":\"a.b.c\",\"expires_in\":5400,\"refresh_token\":\"r\"}",
};

static guint64 seed = 0x9e3779b97f4a7c15u;

static guint
pick(gsize n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? (guint) ((seed >> 11) % n) : 0;
}

static void
nest(GString *text, gsize at)
{
    guint depth = pick(400);

    for (guint i = 0; i < depth; i++)
        g_string_insert(text, (gssize) at, i % 2 ? "[" : "{\"data\":");
}

static void
change(GString *text, const GString *other)
{
    static const char *const pieces[] = {"{",       "}",    "[",    "]",       "\"",    "\\",
                                         ",",       ":",    "null", "\\u0000", "\\ud8", "1e999",
                                         "\"id\":", "\xff", "-",    "\n",      "0."};
    gsize at = pick(text->len + 1), n = pick(20) + 1;

    n = MIN(n, text->len - at);
    switch (pick(7)) {
    case 0:
        if (at < text->len)
            text->str[at] = (char) (text->str[at] ^ (1 << pick(8)));
        break;
    case 1:
        g_string_truncate(text, at);
        break;
    case 2:
        g_string_erase(text, (gssize) at, (gssize) n);
        break;
    case 3:
        g_string_insert_len(text, (gssize) at, pieces[pick(G_N_ELEMENTS(pieces))], -1);
        break;
    case 4: {
        g_autofree char *part = g_strndup(text->str + at, n);

        g_string_insert(text, (gssize) pick(text->len + 1), part);
        break;
    }
    case 5: {
        gsize from = pick(other->len + 1), taken = pick(60);

        g_string_insert_len(text, (gssize) at, other->str + from,
                            (gssize) MIN(taken, other->len - from));
        break;
    }
    default:
        if (pick(20) == 0)
            nest(text, at);
        break;
    }
}

static void
mutate(GPtrArray *texts, guint n)
{
    for (guint i = 0; i < n; i++) {
        const GString *from = texts->pdata[pick(texts->len)];
        GString *text = g_string_new_len(from->str, (gssize) from->len);

        for (guint changes = pick(6); changes > 0; changes--)
            change(text, texts->pdata[pick(texts->len)]);
        LLVMFuzzerTestOneInput((const guint8 *) text->str, text->len);
        g_string_free(text, TRUE);
    }
}

/* Returns: (transfer full). */
static GString *
load(const char *path)
{
    GString *text = g_string_new(NULL);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char block[4096];
    size_t n;

    if (!file) {
        perror(path);
        exit(2);
    }
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        g_string_append_len(text, block, (gssize) n);
    if (file != stdin)
        fclose(file);
    return text;
}

static void
free_text(gpointer text)
{
    g_string_free(text, TRUE);
}

int
main(int argc, char **argv)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(free_text);
    gboolean mutating = argc > 2 && strcmp(argv[1], "--mutate") == 0;

    for (int i = mutating ? 3 : 1; i < argc; i++)
        g_ptr_array_add(texts, load(argv[i]));
    for (guint i = 0; mutating && i < G_N_ELEMENTS(own_texts); i++)
        g_ptr_array_add(texts, g_string_new(own_texts[i]));
    for (guint i = 0; i < texts->len; i++) {
        const GString *text = texts->pdata[i];

        LLVMFuzzerTestOneInput((const guint8 *) text->str, text->len);
    }
    if (mutating)
        mutate(texts, (guint) strtoul(argv[2], NULL, 10));
    printf("%u texts, no fault\n", texts->len + (mutating ? (guint) atoi(argv[2]) : 0));
    return 0;
}

#endif
