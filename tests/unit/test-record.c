#include "model/record.h"

#include "util/error.h"

#include <string.h>

static CfRecord *
sample(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(CfRecordBuilder) builder;
    CfRecord *record;

    cf_record_builder_init(&builder, CF_SERVERS);
    cf_record_builder_set(&builder, CF_SERVER_ID, "id-1");
    cf_record_builder_set(&builder, CF_SERVER_NAME, "first");
    cf_record_builder_set(&builder, CF_SERVER_NAME, "web-1");
    cf_record_builder_set(&builder, CF_SERVER_STATE, "running");
    cf_record_builder_set(&builder, CF_SERVER_HOST, "h");
    cf_record_builder_set(&builder, CF_SERVER_HOST, NULL);
    cf_record_builder_add(&builder, CF_SERVER_TAGS, "b");
    cf_record_builder_add(&builder, CF_SERVER_TAGS, "a");
    cf_record_builder_add(&builder, CF_SERVER_TAGS, "");
    cf_record_builder_add(&builder, CF_SERVER_TAGS, "b");
    cf_record_builder_add(&builder, CF_SERVER_TAGS, "B\nc\n");
    cf_record_builder_add(&builder, CF_SERVER_TAGS, "é");
    cf_record_builder_sort(&builder, CF_SERVER_TAGS);
    cf_record_builder_touch(&builder, CF_SERVER_ADDRESSES);
    cf_record_builder_set(&builder, CF_SERVER_IMAGE, "img");
    builder.can = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_DELETE);
    builder.settled = TRUE;
    builder.updated_us = 1234567890123456;
    record = cf_record_builder_end(&builder, "{\"id\":1}", 8, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < CF_FIELD_MAX; i++)
        g_assert_null(builder.values[i].text);
    return record;
}

static void
assert_sample(const CfRecord *record)
{
    gsize len;

    g_assert_cmpstr(cf_record_get_id(record), ==, "id-1");
    g_assert_cmpstr(cf_record_get(record, CF_SERVER_ID), ==, "id-1");
    g_assert_null(cf_record_get(record, CF_SERVER_HOST));
    g_assert_null(cf_record_get(record, CF_SERVER_STATUS));
    g_assert_null(cf_record_get(record, CF_FIELD_MAX - 1));
    g_assert_cmpstr(cf_record_get(record, CF_SERVER_TAGS), ==, "B%0Ac%0A\na\nb\né");
    g_assert_cmpstr(cf_record_get(record, CF_SERVER_ADDRESSES), ==, "");
    g_assert_cmpstr(cf_record_get(record, CF_SERVER_IMAGE), ==, "img");
    g_assert_cmpint(cf_record_get_collection(record), ==, CF_SERVERS);
    g_assert_cmpuint(cf_record_get_can(record), ==,
                     CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_DELETE));
    g_assert_true(cf_record_is_settled(record));
    g_assert_cmpint(cf_record_get_updated_us(record), ==, 1234567890123456);
    g_assert_cmpstr(cf_record_get_raw(record, &len), ==, "{\"id\":1}");
    g_assert_cmpuint(len, ==, 8);
}

static void
test_round_trip(void)
{
    g_autoptr(CfRecord) record = sample();
    g_autoptr(CfRecord) other = cf_record_ref(record);

    assert_sample(record);
    g_assert_cmpstr(cf_record_get_name(record), ==, "web-1");
    g_assert_cmpint(cf_record_get_state(record), ==, CF_STATE_RUNNING);
    g_assert_true(other == record);
}

static void
test_with(void)
{
    g_autoptr(CfRecord) record = sample();
    g_autoptr(CfRecord) starting = cf_record_with(record, CF_SERVER_STATE, "starting");
    g_autoptr(CfRecord) hosted = cf_record_with(starting, CF_SERVER_STATUS, "ACTIVE");
    g_autoptr(CfRecord) nameless = cf_record_with(record, CF_SERVER_NAME, NULL);
    g_autoptr(CfRecord) stateless = cf_record_with(record, CF_SERVER_STATE, NULL);

    assert_sample(starting);
    g_assert_cmpint(cf_record_get_state(starting), ==, CF_STATE_STARTING);
    g_assert_cmpint(cf_record_get_state(record), ==, CF_STATE_RUNNING);
    g_assert_cmpstr(cf_record_get(hosted, CF_SERVER_STATUS), ==, "ACTIVE");
    g_assert_cmpstr(cf_record_get(hosted, CF_SERVER_STATE), ==, "starting");
    g_assert_cmpstr(cf_record_get(hosted, CF_SERVER_IMAGE), ==, "img");
    assert_sample(nameless);
    g_assert_cmpstr(cf_record_get_name(nameless), ==, "");
    g_assert_null(cf_record_get(nameless, CF_SERVER_NAME));
    g_assert_cmpint(cf_record_get_state(stateless), ==, CF_STATE_UNKNOWN);
}

static void
test_all_fields(void)
{
    g_auto(CfRecordBuilder) builder;
    g_autoptr(CfRecord) record = NULL;

    cf_record_builder_init(&builder, CF_IMAGES);
    for (guint i = 0; i < CF_FIELD_MAX; i++) {
        g_autofree char *text = g_strdup_printf("value %u", i);

        cf_record_builder_set(&builder, i, text);
    }
    record = cf_record_builder_end(&builder, "", 0, NULL);
    for (guint i = 0; i < CF_FIELD_MAX; i++) {
        g_autofree char *text = g_strdup_printf("value %u", i);

        g_assert_cmpstr(cf_record_get(record, i), ==, text);
    }
    g_assert_cmpstr(cf_record_get_raw(record, NULL), ==, "");
    g_assert_cmpint(cf_record_get_collection(record), ==, CF_IMAGES);
    g_assert_false(cf_record_is_settled(record));
}

static void
test_no_id(void)
{
    static const char *const ids[] = {NULL, ""};

    for (guint i = 0; i < 2; i++) {
        g_auto(CfRecordBuilder) builder;
        g_autoptr(GError) error = NULL;

        cf_record_builder_init(&builder, CF_SERVERS);
        cf_record_builder_set(&builder, CF_SERVER_ID, ids[i]);
        cf_record_builder_set(&builder, CF_SERVER_NAME, "x");
        g_assert_null(cf_record_builder_end(&builder, "{}", 2, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_nonnull(strstr(error->message, "id"));
        g_assert_null(builder.values[CF_SERVER_NAME].text);
    }
}

static void
test_footprint(void)
{
    g_autoptr(CfRecord) record = sample();
    gsize text = strlen("id-1") + strlen("web-1") + strlen("running") +
                 strlen("B%0Ac%0A\na\nb\né") + strlen("img") + strlen("{\"id\":1}") + 7;

    /* The texts once, 4 bytes for each of the six values, and a small head. */
    g_assert_cmpuint(cf_record_get_footprint(record), >=, text + 6 * 4);
    g_assert_cmpuint(cf_record_get_footprint(record), <=, text + 6 * 4 + 48);
}

static gpointer
hold_and_drop(gpointer data)
{
    for (guint i = 0; i < 100000; i++)
        cf_record_unref(cf_record_ref(data));
    return NULL;
}

static void
test_threads(void)
{
    g_autoptr(CfRecord) record = sample();
    GThread *threads[2];

    for (guint i = 0; i < 2; i++)
        threads[i] = g_thread_new("hold", hold_and_drop, record);
    for (guint i = 0; i < 2; i++)
        g_thread_join(threads[i]);
    assert_sample(record);
}

/* More than the builder has room for: values move, and nothing of them is lost. */
static void
test_long(void)
{
    g_auto(CfRecordBuilder) builder;
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(CfRecord) record = NULL;
    g_autofree char *text = g_strnfill(5000, 'x');

    cf_record_builder_init(&builder, CF_SERVERS);
    cf_record_builder_set(&builder, CF_SERVER_ID, "i");
    for (guint round = 0; round < 3; round++)
        for (guint len = 0; len <= 5000; len += 250) {
            cf_record_builder_set(&builder, CF_SERVER_NAME, text + 5000 - len);
            g_assert_cmpstr(cf_record_builder_get(&builder, CF_SERVER_NAME), ==, text + 5000 - len);
        }
    for (guint i = 0; i < 500; i++) {
        g_autofree char *item = g_strdup_printf("item-%03u", i);

        cf_record_builder_add(&builder, CF_SERVER_TAGS, item);
        cf_record_builder_add(&builder, CF_SERVER_ADDRESSES, item);
        g_string_append_printf(list, i ? "\n%s" : "%s", item);
    }
    cf_record_builder_set(&builder, CF_SERVER_ADDRESSES, NULL);
    cf_record_builder_set(&builder, CF_SERVER_ADDRESSES, "one");
    cf_record_builder_sort(&builder, CF_SERVER_TAGS);
    record = cf_record_builder_end(&builder, "{}", 2, NULL);
    g_assert_cmpstr(cf_record_get_id(record), ==, "i");
    g_assert_cmpstr(cf_record_get_name(record), ==, text);
    g_assert_cmpstr(cf_record_get(record, CF_SERVER_TAGS), ==, list->str);
    g_assert_cmpstr(cf_record_get(record, CF_SERVER_ADDRESSES), ==, "one");
    g_assert_null(cf_record_builder_get(&builder, CF_SERVER_NAME));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/with", test_with);
    g_test_add_func("/record/all-fields", test_all_fields);
    g_test_add_func("/record/no-id", test_no_id);
    g_test_add_func("/record/footprint", test_footprint);
    g_test_add_func("/record/threads", test_threads);
    g_test_add_func("/record/longer-than-the-room", test_long);
    return g_test_run();
}
