/* The table of scratch files: bounds, lives, times. Contract section 3. */
#include "tree/scratch.h"

#include <string.h>

#include "util/error.h"

#define DIR_A 1000
#define DIR_B 2000
#define MINUTE_US (60 * (gint64) G_USEC_PER_SEC)

static CfScratch *
add(CfScratches *all, CfIno dir, const char *name, gint64 now_us)
{
    g_autoptr(GError) error = NULL;
    CfScratch *file = cf_scratch_add(all, dir, name, 0644, now_us, &error);

    g_assert_no_error(error);
    g_assert_nonnull(file);
    return file;
}

static void
test_names(void)
{
    CfScratches *all = cf_scratches_new();
    CfScratch *a = add(all, DIR_A, "x", 1);
    CfScratch *b = add(all, DIR_B, "x", 1);
    guint32 number = a->number;

    g_assert_true(cf_scratch_find(all, DIR_A, "x", 2) == a);
    g_assert_true(cf_scratch_find(all, DIR_B, "x", 2) == b);
    g_assert_null(cf_scratch_find(all, DIR_A, "y", 2));
    cf_scratch_rename(all, a, "y");
    g_assert_null(cf_scratch_find(all, DIR_A, "x", 2));
    g_assert_true(cf_scratch_find(all, DIR_A, "y", 2) == a);
    cf_scratch_remove(all, a);
    g_assert_null(cf_scratch_get(all, number, 3));
    /* A number that the kernel may remember names nothing else. */
    g_assert_cmpuint(add(all, DIR_A, "y", 4)->number, !=, number);
    cf_scratches_free(all);
}

static void
test_order(void)
{
    CfScratches *all = cf_scratches_new();
    guint32 first = add(all, DIR_A, "b", 1)->number;
    guint32 second;

    add(all, DIR_B, "c", 1);
    second = add(all, DIR_A, "a", 1)->number;
    g_assert_cmpuint(cf_scratch_next(all, DIR_A, 0)->number, ==, first);
    g_assert_cmpuint(cf_scratch_next(all, DIR_A, first)->number, ==, second);
    g_assert_null(cf_scratch_next(all, DIR_A, second));
    cf_scratches_free(all);
}

static void
test_unlinked(void)
{
    CfScratches *all = cf_scratches_new();
    CfScratch *file = add(all, DIR_A, "x", 1);
    guint32 number = file->number;

    file->lookups = 3;
    cf_scratch_unlink(all, file);
    g_assert_null(cf_scratch_find(all, DIR_A, "x", 2));
    g_assert_null(cf_scratch_next(all, DIR_A, 0));
    cf_scratch_forget(all, number, 2);
    g_assert_true(cf_scratch_get(all, number, 2) == file);
    cf_scratch_forget(all, number, 1);
    g_assert_null(cf_scratch_get(all, number, 2));
    /* One that nobody looked up goes at once; forgetting more than there is does no harm. */
    file = add(all, DIR_A, "y", 1);
    number = file->number;
    cf_scratch_forget(all, number, 100);
    g_assert_true(cf_scratch_get(all, number, 2) == file);
    cf_scratch_unlink(all, file);
    g_assert_null(cf_scratch_get(all, number, 2));
    cf_scratches_free(all);
}

static void
test_count(void)
{
    CfScratches *all = cf_scratches_new();
    g_autoptr(GError) error = NULL;
    CfScratch *file = NULL;

    for (guint i = 0; i < 64; i++) {
        g_autofree char *name = g_strdup_printf("f%u", i);

        file = add(all, DIR_A, name, 1);
    }
    g_assert_null(cf_scratch_add(all, DIR_B, "one-more", 0644, 1, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_QUOTA);
    /* What is unlinked and open takes memory still. */
    file->lookups = 1;
    cf_scratch_unlink(all, file);
    g_assert_null(cf_scratch_add(all, DIR_B, "one-more", 0644, 1, NULL));
    cf_scratch_forget(all, file->number, 1);
    add(all, DIR_B, "one-more", 1);
    cf_scratches_free(all);
}

static void
test_long_name(void)
{
    CfScratches *all = cf_scratches_new();
    g_autofree char *name = g_strnfill(256, 'n');
    g_autoptr(GError) error = NULL;

    g_assert_null(cf_scratch_add(all, DIR_A, name, 0644, 1, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_NAME_TOO_LONG);
    name[255] = '\0';
    add(all, DIR_A, name, 1);
    cf_scratches_free(all);
}

static void
test_content(void)
{
    static const struct {
        guint64 offset;
        gsize size;
        gboolean fits;
    } rows[] = {
        {0, 65536, TRUE},  {65535, 1, TRUE},  {65536, 0, TRUE},        {65536, 1, FALSE},
        {1, 65536, FALSE}, {0, 65537, FALSE}, {G_MAXUINT64, 1, FALSE}, {G_MAXUINT64 - 1, 4, FALSE},
    };
    CfScratches *all = cf_scratches_new();
    CfScratch *file = add(all, DIR_A, "x", 1);
    g_autofree char *data = g_strnfill(65537, 'd');
    gint64 mtime_ns;

    g_assert_true(cf_scratch_write(file, 0, "ab", 2, NULL));
    mtime_ns = file->mtime_ns;
    g_assert_true(cf_scratch_write(file, 5, "z", 1, NULL));
    g_assert_cmpint(file->mtime_ns, >, mtime_ns);
    g_assert_cmpmem(file->bytes->data, file->bytes->len, "ab\0\0\0z", 6);
    g_assert_true(cf_scratch_resize(file, 1, NULL));
    g_assert_true(cf_scratch_resize(file, 3, NULL));
    g_assert_cmpmem(file->bytes->data, file->bytes->len, "a\0\0", 3);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        gboolean ok = cf_scratch_write(file, rows[i].offset, data, rows[i].size, &error);

        g_assert_cmpint(ok, ==, rows[i].fits);
        g_assert_cmpuint(file->bytes->len, <=, 65536);
        if (!ok)
            g_assert_error(error, CF_ERROR, CF_ERROR_FILE_TOO_BIG);
    }
    g_assert_false(cf_scratch_resize(file, 65537, NULL));
    g_assert_true(cf_scratch_resize(file, 65536, NULL));
    cf_scratches_free(all);
}

/* One that met a change stays refused until it is written. */
static void
test_stale(void)
{
    CfScratches *all = cf_scratches_new();
    CfScratch *file = add(all, DIR_A, "x", 1);

    file->stale = TRUE;
    cf_scratch_rename(all, file, "y");
    g_assert_true(file->stale);
    g_assert_true(cf_scratch_write(file, 0, "a", 1, NULL));
    g_assert_false(file->stale);
    cf_scratches_free(all);
}

static void
test_expire(void)
{
    CfScratches *all = cf_scratches_new();
    g_autoptr(GArray) dirs = g_array_new(FALSE, FALSE, sizeof(CfIno));
    CfScratch *open;
    guint32 number;

    g_assert_cmpint(cf_scratch_expire(all, 0, dirs), ==, -1);
    add(all, DIR_A, "a", 0);
    add(all, DIR_B, "b", 2 * MINUTE_US);
    open = add(all, DIR_B, "open", 0);
    open->lookups = 1;
    number = open->number;
    cf_scratch_unlink(all, open);
    g_assert_cmpint(cf_scratch_expire(all, MINUTE_US, dirs), ==, 9 * MINUTE_US);
    g_assert_cmpuint(dirs->len, ==, 0);
    /* b was used; a and what was unlinked and open were not. */
    g_assert_nonnull(cf_scratch_find(all, DIR_B, "b", 3 * MINUTE_US));
    g_assert_cmpint(cf_scratch_expire(all, 10 * MINUTE_US, dirs), ==, 3 * MINUTE_US);
    g_assert_cmpuint(dirs->len, ==, 1);
    g_assert_cmpuint(g_array_index(dirs, CfIno, 0), ==, DIR_A);
    g_assert_null(cf_scratch_get(all, number, 10 * MINUTE_US));
    g_assert_cmpint(cf_scratch_expire(all, 13 * MINUTE_US, dirs), ==, -1);
    g_assert_cmpuint(dirs->len, ==, 2);
    cf_scratches_free(all);
}

static void
test_dir_time(void)
{
    CfScratches *all = cf_scratches_new();
    gint64 made_ns, renamed_ns;
    CfScratch *file;

    g_assert_cmpint(cf_scratch_get_dir_time(all, DIR_A), ==, 0);
    file = add(all, DIR_A, "x", 1);
    made_ns = cf_scratch_get_dir_time(all, DIR_A);
    g_assert_cmpint(made_ns, >, 0);
    cf_scratch_rename(all, file, "y");
    renamed_ns = cf_scratch_get_dir_time(all, DIR_A);
    g_assert_cmpint(renamed_ns, >, made_ns);
    cf_scratch_remove(all, file);
    g_assert_cmpint(cf_scratch_get_dir_time(all, DIR_A), >, renamed_ns);
    g_assert_cmpint(cf_scratch_get_dir_time(all, DIR_B), ==, 0);
    cf_scratches_free(all);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scratch/names", test_names);
    g_test_add_func("/scratch/order", test_order);
    g_test_add_func("/scratch/unlinked", test_unlinked);
    g_test_add_func("/scratch/count", test_count);
    g_test_add_func("/scratch/long-name", test_long_name);
    g_test_add_func("/scratch/content", test_content);
    g_test_add_func("/scratch/stale", test_stale);
    g_test_add_func("/scratch/expire", test_expire);
    g_test_add_func("/scratch/dir-time", test_dir_time);
    return g_test_run();
}
