#include "model/action.h"

#include "util/error.h"

#include <string.h>

/* What most clouds have, and all. */
#define FIVE ((1u << CF_VERB_PAUSE) - 1)
#define ALL ((1u << CF_VERB_N) - 1)

static void
test_verbs(void)
{
    static const struct {
        const char *text;
        CfVerb verb;
    } rows[] = {
        {"on", CF_VERB_ON},
        {"off", CF_VERB_OFF},
        {"off hard", CF_VERB_OFF_HARD},
        {"reboot", CF_VERB_REBOOT},
        {"reboot hard", CF_VERB_REBOOT_HARD},
        {"start", CF_VERB_ON},
        {"stop", CF_VERB_OFF},
        {"poweroff", CF_VERB_OFF_HARD},
        {"restart", CF_VERB_REBOOT},
        {"reset", CF_VERB_REBOOT_HARD},
        {"  off \t hard\n", CF_VERB_OFF_HARD},
        {"on\n", CF_VERB_ON},
        {"pause", CF_VERB_PAUSE},
        {"unpause", CF_VERB_UNPAUSE},
        {"suspend", CF_VERB_SUSPEND},
        {"resume\n", CF_VERB_RESUME},
        {"shelve", CF_VERB_SHELVE},
        {"unshelve", CF_VERB_UNSHELVE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        CfVerb verb = CF_VERB_N;

        cf_verb_from_string(rows[i].text, ALL, &verb, &error);
        g_assert_no_error(error);
        g_assert_cmpint(verb, ==, rows[i].verb);
    }
    g_assert_cmpstr(cf_verb_to_string(CF_VERB_ON), ==, "on");
    g_assert_cmpstr(cf_verb_to_string(CF_VERB_OFF), ==, "off");
    g_assert_cmpstr(cf_verb_to_string(CF_VERB_OFF_HARD), ==, "off hard");
    g_assert_cmpstr(cf_verb_to_string(CF_VERB_REBOOT), ==, "reboot");
    g_assert_cmpstr(cf_verb_to_string(CF_VERB_REBOOT_HARD), ==, "reboot hard");
}

static void
test_no_verbs(void)
{
    static const char *const texts[] = {"",          " ",     "On",       "offhard",
                                        "off  soft", "on on", "hard off", "reboo"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        CfVerb verb;

        g_assert_false(cf_verb_from_string(texts[i], FIVE, &verb, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, "on, off, off hard, reboot or reboot hard"));
    }
}

/* A verb that there is, and that this cloud does not have, is no nonsense. */
static void
test_not_offered(void)
{
    static const char *const texts[] = {"pause", "unshelve", "poweroff"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        CfVerb verb;

        g_assert_false(
            cf_verb_from_string(texts[i], 1u << CF_VERB_ON | 1u << CF_VERB_RESUME, &verb, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED);
    }
}

static void
test_kinds(void)
{
    static const char *const names[CF_ACTION_N] = {"power",   "rename",   "describe",   "tags",
                                                   "console", "capture",  "delete",     "lock",
                                                   "lock",    "metadata", "console.log"};

    for (guint i = 0; i < CF_ACTION_N; i++)
        g_assert_cmpstr(cf_action_kind_to_string((CfActionKind) i), ==, names[i]);
}

static void
test_action(void)
{
    g_autoptr(CfAction) action = cf_action_new(CF_ACTION_CAPTURE, CF_SERVERS, "id");
    g_autoptr(CfAction) other = cf_action_ref(action);
    g_autoptr(CfAction) empty = cf_action_new(CF_ACTION_POWER, CF_SERVERS, NULL);

    action->text = g_strdup("name");
    action->tags = g_strsplit("a,b", ",", -1);
    g_assert_cmpstr(other->ids[0], ==, "id");
    g_assert_null(other->ids[1]);
    g_assert_null(empty->ids[0]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/action/verbs", test_verbs);
    g_test_add_func("/action/no-verbs", test_no_verbs);
    g_test_add_func("/action/not-offered", test_not_offered);
    g_test_add_func("/action/kinds", test_kinds);
    g_test_add_func("/action/references", test_action);
    return g_test_run();
}
