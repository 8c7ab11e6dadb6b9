/* The verbs of power and what a server is in; metadata as a field. */
#include <string.h>

#include "model/metadata.h"
#include "model/power.h"

#define BIT(verb) (1u << CF_VERB_##verb)

static CfRecord *
server_in(const char *state, guint verbs)
{
    g_auto(CfRecordBuilder) builder;
    CfRecord *record;

    cf_record_builder_init(&builder, CF_SERVERS);
    cf_record_builder_set(&builder, CF_SERVER_ID, "s-1");
    cf_record_builder_set(&builder, CF_SERVER_STATE, state);
    builder.verbs = verbs;
    record = cf_record_builder_end(&builder, "{}", 2, NULL);
    g_assert_nonnull(record);
    return record;
}

static void
test_reached(void)
{
    static const struct {
        CfVerb verb;
        const char *state;
        guint verbs;
        gboolean reached;
    } rows[] = {
        {CF_VERB_ON, "running", 0, TRUE},
        {CF_VERB_ON, "paused", 0, FALSE},
        {CF_VERB_OFF, "stopped", 0, TRUE},
        {CF_VERB_OFF_HARD, "running", 0, FALSE},
        {CF_VERB_PAUSE, "paused", 0, TRUE},
        {CF_VERB_PAUSE, "suspended", 0, FALSE},
        {CF_VERB_UNPAUSE, "running", 0, TRUE},
        {CF_VERB_UNPAUSE, "stopped", 0, FALSE},
        {CF_VERB_SUSPEND, "suspended", 0, TRUE},
        {CF_VERB_RESUME, "starting", 0, FALSE},
        {CF_VERB_RESUME, "running", 0, TRUE},
        /* A server that is stopped is not shelved; one that can be unshelved is. */
        {CF_VERB_SHELVE, "stopped", BIT(ON) | BIT(SHELVE), FALSE},
        {CF_VERB_SHELVE, "stopped", BIT(SHELVE) | BIT(UNSHELVE), TRUE},
        {CF_VERB_UNSHELVE, "running", 0, TRUE},
        {CF_VERB_UNSHELVE, "stopped", BIT(UNSHELVE), FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(CfRecord) record = server_in(rows[i].state, rows[i].verbs);

        g_test_message("%s, %s", cf_verb_to_string(rows[i].verb), rows[i].state);
        g_assert_cmpint(cf_verb_is_reached(rows[i].verb, record), ==, rows[i].reached);
    }
    g_assert_true(cf_verb_has_goal(CF_VERB_SHELVE));
    g_assert_false(cf_verb_has_goal(CF_VERB_REBOOT));
    g_assert_false(cf_verb_has_goal(CF_VERB_REBOOT_HARD));
}

static void
test_choices(void)
{
    static const struct {
        const char *state;
        guint told, verbs;
        CfVerb current;
    } rows[] = {
        {"running", 0,
         BIT(ON) | BIT(OFF) | BIT(OFF_HARD) | BIT(REBOOT) | BIT(REBOOT_HARD) | BIT(PAUSE) |
             BIT(SUSPEND) | BIT(SHELVE),
         CF_VERB_ON},
        {"running", BIT(ON), BIT(ON), CF_VERB_ON},
        {"stopped", BIT(SHELVE) | BIT(UNSHELVE), BIT(SHELVE) | BIT(UNSHELVE), CF_VERB_SHELVE},
        {"stopped", BIT(ON), BIT(ON), CF_VERB_OFF},
        {"paused", BIT(PAUSE) | BIT(UNPAUSE), BIT(PAUSE) | BIT(UNPAUSE), CF_VERB_PAUSE},
        {"suspended", BIT(SUSPEND), BIT(SUSPEND), CF_VERB_SUSPEND},
        /* What the cloud told of a state that is over does not count. */
        {"stopping", BIT(ON) | BIT(PAUSE), BIT(REBOOT_HARD), CF_VERB_N},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(CfRecord) record = server_in(rows[i].state, rows[i].told);

        g_test_message("%s", rows[i].state);
        g_assert_cmpuint(cf_verbs_of(record), ==, rows[i].verbs);
        g_assert_cmpint(cf_verb_current(record), ==, rows[i].current);
    }
}

/* A copy keeps what may be done. */
static void
test_copy(void)
{
    g_autoptr(CfRecord) record = server_in("running", BIT(PAUSE));
    g_autoptr(CfRecord) copy = cf_record_with(record, CF_SERVER_NAME, "other");

    g_assert_cmpuint(cf_record_get_verbs(copy), ==, BIT(PAUSE));
}

/* --- metadata --------------------------------------------------------------------------------- */

static void
test_metadata(void)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;

    cf_metadata_add(lines, "role", "old");
    cf_metadata_add(lines, "b=c%", "100%\nof it=all");
    cf_metadata_add(lines, "a", "");
    cf_metadata_add(lines, "role", "web");
    text = cf_metadata_join(lines);
    g_assert_cmpstr(text, ==, "a=\nb%3Dc%25=100%25%0Aof it=all\nrole=web");
    {
        g_auto(GStrv) keys = cf_metadata_keys(text);
        g_autofree char *joined = g_strjoinv("|", keys);
        g_autofree char *empty = cf_metadata_get(text, "a");
        g_autofree char *odd = cf_metadata_get(text, "b=c%");
        g_autofree char *none = cf_metadata_get(text, "b");

        g_assert_cmpstr(joined, ==, "a|b=c%|role");
        g_assert_cmpstr(empty, ==, "");
        g_assert_cmpstr(odd, ==, "100%\nof it=all");
        g_assert_null(none);
    }
}

static void
test_metadata_edit(void)
{
    g_autofree char *one = cf_metadata_with(NULL, "k", "v");
    g_autofree char *two = cf_metadata_with(one, "a", "1%2");
    g_autofree char *changed = cf_metadata_with(two, "k", "w");
    g_autofree char *less = cf_metadata_with(changed, "a", NULL);
    g_autofree char *same = cf_metadata_with(less, "none", NULL);
    g_autofree char *nothing = cf_metadata_with(less, "k", NULL);
    g_auto(GStrv) keys = cf_metadata_keys(nothing);

    g_assert_cmpstr(one, ==, "k=v");
    g_assert_cmpstr(two, ==, "a=1%252\nk=v");
    g_assert_cmpstr(changed, ==, "a=1%252\nk=w");
    g_assert_cmpstr(less, ==, "k=w");
    g_assert_cmpstr(same, ==, "k=w");
    g_assert_cmpstr(nothing, ==, "");
    g_assert_null(keys[0]);
    g_assert_null(cf_metadata_get(NULL, "k"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/power/reached", test_reached);
    g_test_add_func("/power/choices", test_choices);
    g_test_add_func("/power/copy", test_copy);
    g_test_add_func("/metadata/text", test_metadata);
    g_test_add_func("/metadata/edit", test_metadata_edit);
    return g_test_run();
}
