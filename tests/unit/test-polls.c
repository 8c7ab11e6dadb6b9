/* What poll(2) reports, and who is woken, against a kernel that only takes notes. */
#include "fuse/polls.h"

/* Handles are numbers from 1. */
static GString *noted;

static void
on_wake(gpointer handle)
{
    g_string_append_printf(noted, "wake %u;", GPOINTER_TO_UINT(handle));
}

static void
on_free(gpointer handle)
{
    g_string_append_printf(noted, "free %u;", GPOINTER_TO_UINT(handle));
}

static const CfPollOps ops = {.wake = on_wake, .free = on_free};

static gboolean
ask(CfPolls *polls, guint64 kh, CfIno ino, guint handle)
{
    gboolean first;

    return cf_polls_ask(polls, kh, ino, CF_POLL_TAKES, GUINT_TO_POINTER(handle), 0, &first);
}

static void
assert_noted(const char *expected)
{
    g_assert_cmpstr(noted->str, ==, expected);
    g_string_truncate(noted, 0);
}

static void
test_report(void)
{
    CfPolls *polls = cf_polls_new(&ops);

    g_assert_true(ask(polls, 1, 10, 0));
    g_assert_false(ask(polls, 1, 10, 0));
    cf_polls_changed(polls, 11);
    g_assert_false(ask(polls, 1, 10, 0));
    cf_polls_changed(polls, 10);
    cf_polls_changed(polls, 10);
    g_assert_true(ask(polls, 1, 10, 0));
    g_assert_false(ask(polls, 1, 10, 0));
    g_assert_true(ask(polls, 2, 10, 0)); /* another descriptor of the same file */
    g_assert_false(ask(polls, 1, 10, 0));
    cf_polls_changed(polls, 10);
    g_assert_true(ask(polls, 2, 10, 0));
    g_assert_true(ask(polls, 1, 10, 0));
    cf_polls_free(polls);
    assert_noted("");
}

static void
test_wake(void)
{
    CfPolls *polls = cf_polls_new(&ops);
    gboolean first = FALSE;

    cf_polls_ask(polls, 1, 10, CF_POLL_TAKES, GUINT_TO_POINTER(1), 0, &first);
    g_assert_true(first);
    cf_polls_ask(polls, 2, 20, CF_POLL_TAKES, GUINT_TO_POINTER(2), 0, &first);
    g_assert_false(first);
    g_assert_cmpuint(cf_polls_get_length(polls), ==, 2);
    assert_noted("");
    cf_polls_changed(polls, 10);
    assert_noted("wake 1;free 1;");
    cf_polls_changed(polls, 10); /* nobody waits any more */
    assert_noted("");
    ask(polls, 2, 20, 3); /* it waits anew: the former handle is not needed */
    assert_noted("free 2;");
    g_assert_cmpuint(cf_polls_get_length(polls), ==, 1);
    cf_polls_free(polls);
    assert_noted("free 3;");
}

static void
test_rearm(void)
{
    CfPolls *polls = cf_polls_new(&ops);
    gboolean first;

    g_assert_cmpint(cf_polls_get_next_us(polls), ==, G_MAXINT64);
    cf_polls_ask(polls, 1, 10, CF_POLL_TAKES, GUINT_TO_POINTER(1), 5, &first);
    cf_polls_ask(polls, 2, 10, CF_POLL_TAKES, GUINT_TO_POINTER(2), 7, &first);
    g_assert_cmpint(cf_polls_get_next_us(polls), ==, 5 + 60 * G_USEC_PER_SEC);
    cf_polls_wake_due(polls, 4 + 60 * G_USEC_PER_SEC);
    assert_noted("");
    cf_polls_wake_due(polls, 6 + 60 * G_USEC_PER_SEC);
    assert_noted("wake 1;free 1;");
    g_assert_cmpint(cf_polls_get_next_us(polls), ==, 7 + 60 * G_USEC_PER_SEC);
    g_assert_false(ask(polls, 1, 10, 0)); /* it is no change */
    cf_polls_free(polls);
    assert_noted("free 2;");
}

/* epoll_ctl() looks, and epoll_wait() looks again. */
static void
test_taker(void)
{
    CfPolls *polls = cf_polls_new(&ops);
    gboolean first;

    g_assert_true(cf_polls_ask(polls, 1, 10, CF_POLL_KEEPS, NULL, 0, &first));
    g_assert_true(cf_polls_ask(polls, 1, 10, CF_POLL_KEEPS, NULL, 0, &first));
    g_assert_true(ask(polls, 1, 10, 0));
    g_assert_false(ask(polls, 1, 10, 0));
    g_assert_true(cf_polls_ask(polls, 2, 10, CF_POLL_EITHER, NULL, 0, &first));
    g_assert_true(cf_polls_ask(polls, 2, 10, CF_POLL_EITHER, NULL, 0, &first));
    g_assert_false(cf_polls_ask(polls, 2, 10, CF_POLL_EITHER, NULL, 0, &first));
    cf_polls_changed(polls, 10);
    g_assert_true(cf_polls_ask(polls, 2, 10, CF_POLL_EITHER, NULL, 0, &first));
    g_assert_false(cf_polls_ask(polls, 2, 10, CF_POLL_EITHER, NULL, 0, &first));
    cf_polls_free(polls);
}

static void
test_many(void)
{
    CfPolls *polls = cf_polls_new(&ops);

    for (guint i = 1; i <= CF_POLLS_MAX; i++)
        g_assert_true(ask(polls, i, 10 + i % 3, i == 2 ? 2 : 0));
    g_assert_false(ask(polls, 1, 11, 0)); /* used last */
    assert_noted("");
    g_assert_true(ask(polls, CF_POLLS_MAX + 1, 10, 0));
    assert_noted("wake 2;free 2;"); /* the oldest; it would wait for ever */
    g_assert_false(ask(polls, 1, 11, 0));
    g_assert_true(ask(polls, 2, 12, 0));
    cf_polls_free(polls);
    assert_noted("");
}

int
main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    noted = g_string_new(NULL);
    g_test_add_func("/polls/report", test_report);
    g_test_add_func("/polls/wake", test_wake);
    g_test_add_func("/polls/rearm", test_rearm);
    g_test_add_func("/polls/taker", test_taker);
    g_test_add_func("/polls/many", test_many);
    status = g_test_run();
    g_string_free(noted, TRUE);
    return status;
}
