#include "util/append.h"

#include <string.h>

#include "util/clock.h"

static void
assert_file(CfAppend *append, guint32 number, const char *wanted)
{
    g_autoptr(GBytes) bytes = cf_append_read(append, number, 0, 1 << 20);
    gint64 mtime_ns = 0;
    gsize size = 0;

    if (!wanted) {
        g_assert_null(bytes);
        g_assert_false(cf_append_stat(append, number, &size, &mtime_ns));
        return;
    }
    g_assert_nonnull(bytes);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), wanted, strlen(wanted));
    g_assert_true(cf_append_stat(append, number, &size, &mtime_ns));
    g_assert_cmpuint(size, ==, strlen(wanted));
    g_assert_cmpint(mtime_ns, >, G_GINT64_CONSTANT(1000000000000000000)); /* 2001 */
    g_assert_cmpint(mtime_ns, <=, cf_clock_real_ns());
}

static void
test_rotation(void)
{
    CfAppend *append = cf_append_new(10);

    g_assert_cmpuint(cf_append_get_number(append), ==, 1);
    assert_file(append, 0, NULL);
    assert_file(append, 1, "");
    assert_file(append, 2, NULL);
    g_assert_false(cf_append_line(append, "1234"));
    g_assert_false(cf_append_line(append, "5678")); /* ten bytes: full, and no more */
    assert_file(append, 1, "1234\n5678\n");
    g_assert_true(cf_append_line(append, ""));
    g_assert_cmpuint(cf_append_get_number(append), ==, 2);
    assert_file(append, 1, "1234\n5678\n");
    assert_file(append, 2, "\n");
    g_assert_true(cf_append_line(append, "longer than a file"));
    assert_file(append, 1, NULL);
    assert_file(append, 2, "\n");
    assert_file(append, 3, "longer than a file\n");
    g_assert_true(cf_append_line(append, "x"));
    assert_file(append, 3, "longer than a file\n");
    assert_file(append, 4, "x\n");
    cf_append_free(append);
    cf_append_free(NULL);
}

static void
test_parts(void)
{
    static const struct {
        gsize offset, size;
        const char *wanted;
    } cases[] = {
        {0, 3, "abc"},
        {2, 3, "cde"},
        {5, 9, "f\n"},
        {7, 1, ""},
        {99, 1, ""},
        {0, 0, ""},
        {1, G_MAXSIZE, "bcdef\n"},
    };
    CfAppend *append = cf_append_new(100);
    gsize i;

    cf_append_line(append, "abcdef");
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GBytes) bytes = cf_append_read(append, 1, cases[i].offset, cases[i].size);

        g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), cases[i].wanted,
                        strlen(cases[i].wanted));
    }
    cf_append_free(append);
}

#define WRITERS 4
#define LINES 2000

static gpointer
write_lines(gpointer data)
{
    guint begun = 0;
    int i;

    for (i = 0; i < LINES; i++)
        begun += cf_append_line(data, "0123456789") ? 1 : 0;
    return GUINT_TO_POINTER(begun);
}

/* Each new file is announced to one writer, and lines stay whole. */
static void
test_threads(void)
{
    CfAppend *append = cf_append_new(1100); /* a hundred lines */
    GThread *threads[WRITERS];
    g_autoptr(GBytes) bytes = NULL;
    guint begun = 0;
    int i;

    for (i = 0; i < WRITERS; i++)
        threads[i] = g_thread_new("writer", write_lines, append);
    for (i = 0; i < WRITERS; i++)
        begun += GPOINTER_TO_UINT(g_thread_join(threads[i]));
    g_assert_cmpuint(begun, ==, 79);
    g_assert_cmpuint(cf_append_get_number(append), ==, 80);
    bytes = cf_append_read(append, 79, 0, 5000);
    g_assert_cmpuint(g_bytes_get_size(bytes), ==, 1100);
    cf_append_free(append);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/append/rotation", test_rotation);
    g_test_add_func("/append/parts", test_parts);
    g_test_add_func("/append/threads", test_threads);
    return g_test_run();
}
