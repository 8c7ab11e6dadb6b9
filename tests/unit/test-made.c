/* Tags that nobody has yet: made by mkdir, gone after ten minutes. Contract section 3. */
#include "tree/private.h"

#include "util/error.h"

#define MINUTE (60 * (gint64) G_USEC_PER_SEC)
#define TAG_A ((CfIno) 0x1234)
#define TAG_B ((CfIno) 0x5678)

static CfTree *
new_tree(void)
{
    const CfTreeOptions options = {.version = "0"};

    return cf_tree_new(&options);
}

static void
test_expire(void)
{
    CfTree *tree = new_tree();

    g_assert_cmpint(cf_made_expire(tree, 0), ==, -1);
    g_assert_true(cf_made_add(tree, TAG_A, 0, NULL));
    g_assert_true(cf_made_add(tree, TAG_B, 4 * MINUTE, NULL));
    g_assert_cmpint(cf_made_expire(tree, 9 * MINUTE), ==, MINUTE);
    g_assert_true(cf_made_has(tree, TAG_A));
    g_assert_cmpint(cf_made_expire(tree, 10 * MINUTE), ==, 4 * MINUTE);
    g_assert_false(cf_made_has(tree, TAG_A));
    g_assert_true(cf_made_has(tree, TAG_B));
    g_assert_cmpint(cf_made_expire(tree, 14 * MINUTE), ==, -1);
    g_assert_false(cf_made_has(tree, TAG_B));
    cf_tree_free(tree);
}

/* Made again, it has ten minutes again. */
static void
test_again(void)
{
    CfTree *tree = new_tree();

    g_assert_true(cf_made_add(tree, TAG_A, 0, NULL));
    cf_made_remove(tree, TAG_A);
    g_assert_false(cf_made_has(tree, TAG_A));
    g_assert_true(cf_made_add(tree, TAG_A, 5 * MINUTE, NULL));
    g_assert_cmpint(cf_made_expire(tree, 10 * MINUTE), ==, 5 * MINUTE);
    g_assert_true(cf_made_has(tree, TAG_A));
    cf_tree_free(tree);
}

/* One that was removed counts until its ten minutes are over: names stay interned. */
static void
test_bound(void)
{
    CfTree *tree = new_tree();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < CF_MADE_MAX; i++)
        g_assert_true(cf_made_add(tree, TAG_A + i, i, NULL));
    cf_made_remove(tree, TAG_A);
    g_assert_false(cf_made_add(tree, TAG_B, MINUTE, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_QUOTA);
    cf_made_expire(tree, 11 * MINUTE);
    g_assert_true(cf_made_add(tree, TAG_B, 11 * MINUTE, NULL));
    cf_tree_free(tree);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/made/expire", test_expire);
    g_test_add_func("/made/again", test_again);
    g_test_add_func("/made/bound", test_bound);
    return g_test_run();
}
