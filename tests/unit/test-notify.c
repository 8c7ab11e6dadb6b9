/* The notifier against a kernel that only takes notes, and that can be made to hang. */
#include "fuse/notify.h"

#include <errno.h>

#define CONTROL 1000 /* the inode number of the control file */

typedef struct {
    GMutex lock;
    GCond changed;
    GString *seen;      /* "inode 5 0 0;" */
    gboolean hangs;     /* every call waits … */
    gboolean in_call;   /* … and one does */
    guint barriers;     /* called back */
    GThread *in_thread; /* of the last call */
    int result;
    gboolean answering;
} Kernel;

static int
note(Kernel *kernel, char *text)
{
    int result;

    g_mutex_lock(&kernel->lock);
    kernel->in_thread = g_thread_self();
    kernel->in_call = TRUE;
    g_cond_broadcast(&kernel->changed);
    while (kernel->hangs)
        g_cond_wait(&kernel->changed, &kernel->lock);
    kernel->in_call = FALSE;
    g_string_append(kernel->seen, text);
    result = kernel->result;
    g_mutex_unlock(&kernel->lock);
    g_free(text);
    return result;
}

static int
kernel_inval_inode(gpointer kernel, CfIno ino, gint64 offset, gint64 length)
{
    return note(kernel, g_strdup_printf("inode %d %d %d;", (int) ino, (int) offset, (int) length));
}

static int
kernel_inval_entry(gpointer kernel, CfIno parent, const char *name)
{
    return note(kernel, g_strdup_printf("entry %d %s;", (int) parent, name));
}

static int
kernel_deleted(gpointer kernel, CfIno parent, CfIno child, const char *name)
{
    return note(kernel, g_strdup_printf("delete %d %d %s;", (int) parent, (int) child, name));
}

static gboolean
kernel_is_control(CfIno ino)
{
    return ino == CONTROL;
}

static gboolean
kernel_is_answering(gpointer kernel)
{
    Kernel *self = kernel;
    gboolean answering;

    g_mutex_lock(&self->lock);
    answering = self->answering;
    g_mutex_unlock(&self->lock);
    return answering;
}

static const CfNotifyOps ops = {
    .inval_inode = kernel_inval_inode,
    .inval_entry = kernel_inval_entry,
    .deleted = kernel_deleted,
    .is_control = kernel_is_control,
    .is_answering = kernel_is_answering,
};

typedef struct {
    Kernel kernel;
    CfNotifier *notifier;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_mutex_init(&f->kernel.lock);
    g_cond_init(&f->kernel.changed);
    f->kernel.seen = g_string_new(NULL);
    f->notifier = cf_notifier_new(&ops, &f->kernel);
    cf_notifier_start(f->notifier);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    cf_notifier_free(f->notifier);
    g_string_free(f->kernel.seen, TRUE);
    g_mutex_clear(&f->kernel.lock);
    g_cond_clear(&f->kernel.changed);
}

static void
on_barrier(gpointer data)
{
    Kernel *kernel = data;

    g_mutex_lock(&kernel->lock);
    kernel->barriers++;
    g_string_append(kernel->seen, "barrier;");
    g_cond_broadcast(&kernel->changed);
    g_mutex_unlock(&kernel->lock);
}

static void
set_hanging(Fixture *f, gboolean hangs)
{
    g_mutex_lock(&f->kernel.lock);
    f->kernel.hangs = hangs;
    g_cond_broadcast(&f->kernel.changed);
    g_mutex_unlock(&f->kernel.lock);
}

/* Something is being delivered and hangs, so that what is queued next stays in the queue. */
static void
begin_batch(Fixture *f)
{
    set_hanging(f, TRUE);
    cf_notifier_inval_entry(f->notifier, 1, "first");
    g_mutex_lock(&f->kernel.lock);
    while (!f->kernel.in_call)
        g_cond_wait(&f->kernel.changed, &f->kernel.lock);
    g_mutex_unlock(&f->kernel.lock);
}

/* Waits until all is delivered that can be, and compares. */
static void
assert_seen(Fixture *f, const char *wanted)
{
    CfNotifierStats stats;

    set_hanging(f, FALSE);
    do {
        g_usleep(100);
        cf_notifier_get_stats(f->notifier, &stats);
    } while (stats.queued > 0);
    g_assert_cmpstr(f->kernel.seen->str, ==, wanted);
    g_string_truncate(f->kernel.seen, 0);
}

static void
test_order(Fixture *f, gconstpointer data)
{
    begin_batch(f);
    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    cf_notifier_inval_inode(f->notifier, 5, 4096, 10);
    cf_notifier_inval_entry(f->notifier, 2, "b");
    cf_notifier_deleted(f->notifier, 2, 9, "a");
    cf_notifier_inval_inode(f->notifier, 6, -1, 0);
    assert_seen(f, "entry 1 first;inode 5 0 0;inode 5 4096 10;entry 2 b;delete 2 9 a;"
                   "inode 6 -1 0;");
    g_assert_true(f->kernel.in_thread != g_thread_self());
}

static void
test_merge(Fixture *f, gconstpointer data)
{
    CfNotifierStats stats;

    begin_batch(f);
    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    cf_notifier_inval_inode(f->notifier, 5, -1, 0); /* the full form brings it along */
    cf_notifier_inval_entry(f->notifier, 2, "a");
    cf_notifier_inval_entry(f->notifier, 2, "a");
    cf_notifier_inval_entry(f->notifier, 3, "a");
    cf_notifier_deleted(f->notifier, 2, 8, "a");
    cf_notifier_deleted(f->notifier, 2, 9, "a");
    cf_notifier_inval_inode(f->notifier, 5, -1, 0);
    cf_notifier_inval_inode(f->notifier, 5, 0, 0); /* is more than the one before */
    assert_seen(f, "entry 1 first;inode 5 0 0;entry 2 a;entry 3 a;delete 2 8 a;delete 2 9 a;"
                   "inode 5 -1 0;inode 5 0 0;");
    cf_notifier_get_stats(f->notifier, &stats);
    g_assert_cmpuint(stats.merged, ==, 3);
}

static void
test_control_file(Fixture *f, gconstpointer data)
{
    cf_notifier_inval_inode(f->notifier, CONTROL, 0, 0);
    assert_seen(f, "inode 1000 -1 0;");

    cf_notifier_drop_pages(f->notifier, CONTROL);
    assert_seen(f, "inode 1000 0 0;");
}

static void
test_barrier(Fixture *f, gconstpointer data)
{
    begin_batch(f);
    cf_notifier_inval_entry(f->notifier, 2, "a");
    g_assert_true(cf_notifier_barrier(f->notifier, NULL, on_barrier, &f->kernel));
    cf_notifier_inval_entry(f->notifier, 2, "b");
    assert_seen(f, "entry 1 first;entry 2 a;barrier;entry 2 b;");
}

static void
test_barrier_idle(Fixture *f, gconstpointer data)
{
    assert_seen(f, "");
    g_assert_false(cf_notifier_barrier(f->notifier, NULL, on_barrier, &f->kernel));
    g_assert_cmpuint(f->kernel.barriers, ==, 0);
}

/* Also what is under way right now has to be over. */
static void
test_barrier_in_call(Fixture *f, gconstpointer data)
{
    begin_batch(f);
    g_assert_true(cf_notifier_barrier(f->notifier, NULL, on_barrier, &f->kernel));
    g_usleep(20 * G_TIME_SPAN_MILLISECOND);
    g_mutex_lock(&f->kernel.lock);
    g_assert_cmpuint(f->kernel.barriers, ==, 0);
    g_mutex_unlock(&f->kernel.lock);
    assert_seen(f, "entry 1 first;barrier;");
}

static void
test_held_inode(Fixture *f, gconstpointer data)
{
    cf_notifier_hold_inode(f->notifier, 5);
    cf_notifier_hold_inode(f->notifier, 5);
    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    cf_notifier_inval_inode(f->notifier, 6, 0, 0);
    assert_seen(f, "inode 5 -1 0;inode 6 0 0;");

    cf_notifier_release_inode(f->notifier, 5);
    assert_seen(f, "");
    cf_notifier_release_inode(f->notifier, 5);
    assert_seen(f, "inode 5 0 0;");

    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    assert_seen(f, "inode 5 0 0;");
}

static void
test_held_inode_unchanged(Fixture *f, gconstpointer data)
{
    cf_notifier_hold_inode(f->notifier, 5);
    cf_notifier_inval_inode(f->notifier, 5, -1, 0);
    cf_notifier_release_inode(f->notifier, 5);
    assert_seen(f, "inode 5 -1 0;");
}

static void
test_held_control_file(Fixture *f, gconstpointer data)
{
    cf_notifier_hold_inode(f->notifier, CONTROL);
    cf_notifier_inval_inode(f->notifier, CONTROL, 0, 0);
    cf_notifier_release_inode(f->notifier, CONTROL);
    assert_seen(f, "inode 1000 -1 0;");

    cf_notifier_hold_inode(f->notifier, CONTROL);
    cf_notifier_drop_pages(f->notifier, CONTROL);
    assert_seen(f, "inode 1000 -1 0;");
    cf_notifier_release_inode(f->notifier, CONTROL);
    assert_seen(f, "inode 1000 0 0;");
}

static void
test_held_directory(Fixture *f, gconstpointer data)
{
    CfNotifierStats stats;

    cf_notifier_hold_directory(f->notifier, 2);
    cf_notifier_hold_directory(f->notifier, 2);
    cf_notifier_inval_entry(f->notifier, 2, "a");
    cf_notifier_deleted(f->notifier, 2, 9, "b");
    cf_notifier_inval_entry(f->notifier, 3, "c");
    cf_notifier_inval_inode(f->notifier, 2, 0, 0); /* of the directory itself: does not wait */
    assert_seen(f, "entry 3 c;inode 2 0 0;");

    cf_notifier_release_directory(f->notifier, 2);
    assert_seen(f, "");
    cf_notifier_release_directory(f->notifier, 2);
    assert_seen(f, "entry 2 a;delete 2 9 b;");
    cf_notifier_get_stats(f->notifier, &stats);
    g_assert_cmpuint(stats.set_aside, ==, 2);
}

/* What was put aside is older than what is in the queue. */
static void
test_held_directory_order(Fixture *f, gconstpointer data)
{
    cf_notifier_hold_directory(f->notifier, 2);
    cf_notifier_inval_entry(f->notifier, 2, "a");
    cf_notifier_inval_entry(f->notifier, 2, "b");
    assert_seen(f, "");
    begin_batch(f);
    cf_notifier_deleted(f->notifier, 2, 9, "a");
    cf_notifier_release_directory(f->notifier, 2);
    assert_seen(f, "entry 1 first;entry 2 a;entry 2 b;delete 2 9 a;");
}

/* An answer never waits for an invalidation in its own directory. */
static void
test_barrier_passes_what_is_aside(Fixture *f, gconstpointer data)
{
    begin_batch(f);
    cf_notifier_hold_directory(f->notifier, 2);
    cf_notifier_inval_entry(f->notifier, 2, "a");
    cf_notifier_inval_entry(f->notifier, 3, "c");
    g_assert_true(cf_notifier_barrier(f->notifier, NULL, on_barrier, &f->kernel));
    assert_seen(f, "entry 1 first;entry 3 c;barrier;");
    cf_notifier_release_directory(f->notifier, 2);
    assert_seen(f, "entry 2 a;");
}

/* Nor for one that has begun just before the directory was held. */
static void
test_barrier_own_directory(Fixture *f, gconstpointer data)
{
    static const CfIno first[CF_NOTIFY_DIRECTORIES] = {1, 0};
    static const CfIno second[CF_NOTIFY_DIRECTORIES] = {2, 1};
    static const CfIno others[CF_NOTIFY_DIRECTORIES] = {2, 3};

    begin_batch(f); /* hangs in directory 1 */
    cf_notifier_hold_directory(f->notifier, 1);
    g_assert_false(cf_notifier_barrier(f->notifier, first, on_barrier, &f->kernel));
    g_assert_false(cf_notifier_barrier(f->notifier, second, on_barrier, &f->kernel));
    g_assert_true(cf_notifier_barrier(f->notifier, others, on_barrier, &f->kernel));
    cf_notifier_release_directory(f->notifier, 1);
    assert_seen(f, "entry 1 first;barrier;");
}

static void
test_results(Fixture *f, gconstpointer data)
{
    CfNotifierStats stats;

    f->kernel.result = -ENOENT;
    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    assert_seen(f, "inode 5 0 0;");
    f->kernel.result = -ENODEV;
    cf_notifier_inval_entry(f->notifier, 5, "a");
    assert_seen(f, "entry 5 a;");

    cf_notifier_get_stats(f->notifier, &stats);
    g_assert_cmpuint(stats.sent[CF_NOTIFY_INODE], ==, 1);
    g_assert_cmpuint(stats.sent[CF_NOTIFY_ENTRY], ==, 1);
    g_assert_cmpuint(stats.unknown, ==, 1);
    g_assert_cmpuint(stats.failed, ==, 1);
}

static void
set_answering(Fixture *f, gboolean answering, int result)
{
    g_mutex_lock(&f->kernel.lock);
    f->kernel.answering = answering;
    f->kernel.result = result;
    g_mutex_unlock(&f->kernel.lock);
}

/* The answer to a LOOKUP may have overtaken it: told twice more, but only where it is not known,
 * and where there was an answer. */
static void
test_again(Fixture *f, gconstpointer data)
{
    CfNotifierStats stats;

    set_answering(f, FALSE, -ENOENT);
    cf_notifier_inval_inode(f->notifier, 4, 0, 0);
    assert_seen(f, "inode 4 0 0;");
    set_answering(f, TRUE, 0);
    cf_notifier_inval_inode(f->notifier, 5, 0, 0);
    assert_seen(f, "inode 5 0 0;");
    set_answering(f, TRUE, -ENOENT);
    cf_notifier_inval_inode(f->notifier, 6, 0, 0);
    cf_notifier_deleted(f->notifier, 2, 9, "a");
    do {
        g_usleep(100);
        cf_notifier_get_stats(f->notifier, &stats);
    } while (stats.again < 4);
    assert_seen(f, "inode 6 0 0;delete 2 9 a;inode 6 0 0;delete 2 9 a;inode 6 0 0;delete 2 9 a;");
    cf_notifier_get_stats(f->notifier, &stats);
    g_assert_cmpuint(stats.again, ==, 4);
    g_assert_cmpuint(stats.sent[CF_NOTIFY_INODE], ==, 3);
    g_assert_cmpuint(stats.unknown, ==, 3);
}

/* The end drops what is queued, but nobody is left waiting. */
static void
test_stop(Fixture *f, gconstpointer data)
{
    begin_batch(f);
    cf_notifier_inval_entry(f->notifier, 2, "a");
    g_assert_true(cf_notifier_barrier(f->notifier, NULL, on_barrier, &f->kernel));
    g_assert_false(cf_notifier_stop(f->notifier, 10 * G_TIME_SPAN_MILLISECOND));
    set_hanging(f, FALSE);
    g_assert_true(cf_notifier_stop(f->notifier, 10 * G_TIME_SPAN_SECOND));
    g_assert_cmpstr(f->kernel.seen->str, ==, "entry 1 first;barrier;");

    cf_notifier_inval_entry(f->notifier, 2, "b");
    g_assert_false(cf_notifier_barrier(f->notifier, NULL, on_barrier, &f->kernel));
    g_assert_cmpstr(f->kernel.seen->str, ==, "entry 1 first;barrier;");
}

/* Before the kernel has answered there is nothing that it could have kept. */
static void
test_not_started(void)
{
    Kernel kernel = {0};
    CfNotifier *notifier = cf_notifier_new(&ops, &kernel);

    cf_notifier_inval_entry(notifier, 2, "a");
    g_assert_false(cf_notifier_barrier(notifier, NULL, on_barrier, &kernel));
    cf_notifier_free(notifier);
    cf_notifier_free(NULL);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/notify/order", test_order},
        {"/notify/merge", test_merge},
        {"/notify/control-file", test_control_file},
        {"/notify/barrier", test_barrier},
        {"/notify/barrier-idle", test_barrier_idle},
        {"/notify/barrier-in-call", test_barrier_in_call},
        {"/notify/held-inode", test_held_inode},
        {"/notify/held-inode-unchanged", test_held_inode_unchanged},
        {"/notify/held-control-file", test_held_control_file},
        {"/notify/held-directory", test_held_directory},
        {"/notify/held-directory-order", test_held_directory_order},
        {"/notify/barrier-passes-what-is-aside", test_barrier_passes_what_is_aside},
        {"/notify/barrier-own-directory", test_barrier_own_directory},
        {"/notify/results", test_results},
        {"/notify/again", test_again},
        {"/notify/stop", test_stop},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    g_test_add_func("/notify/not-started", test_not_started);
    return g_test_run();
}
