/* Walks through listings that are paged by marker, over a list of letters. */
#include <string.h>

#include "inventory/walk.h"

typedef struct {
    const char *letters; /* the cloud's list, in its order */
    guint page;
    guint calls, most; /* most: calls side by side */
    GString *seen;
} Cloud;

/* Answers the call that was asked for first. */
static void
answer(Cloud *cloud, CfWalk *walk, guint stretch, const char *marker)
{
    const char *from = marker ? strchr(cloud->letters, *marker) + 1 : cloud->letters;
    gboolean met = FALSE;
    gsize n = MIN(strlen(from), cloud->page);
    char next[2] = {n > 0 ? from[n - 1] : 0, 0};

    g_string_append_len(cloud->seen, from, (gssize) n);
    for (gsize i = 0; i < n; i++) {
        char id[2] = {from[i], 0};

        met = met || cf_walk_meets(walk, stretch, id);
    }
    g_assert_true(cf_walk_take(walk, stretch, met, n == cloud->page ? next : NULL));
}

static void
run(Cloud *cloud, const char *bounds)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(CfWalk) walk = NULL;

    for (; *bounds; bounds++)
        g_ptr_array_add(ids, g_strndup(bounds, 1));
    walk = cf_walk_new(ids);
    while (!cf_walk_is_done(walk)) {
        guint stretches[64], n = 0;
        const char *markers[64];

        while (n < 64 && cf_walk_ask(walk, &stretches[n], &markers[n]))
            n++;
        g_assert_cmpuint(n, >, 0); /* else it would wait for ever */
        g_assert_cmpuint(cf_walk_get_under_way(walk), ==, n);
        cloud->most = MAX(cloud->most, n);
        cloud->calls += n;
        for (guint i = n; i-- > 0;)
            answer(cloud, walk, stretches[i], markers[i]);
    }
    g_assert_cmpuint(cf_walk_get_under_way(walk), ==, 0);
}

static const struct {
    const char *name, *letters, *bounds;
    guint page, calls, most;
} cases[] = {
    {"first-is-sequential", "abcdefgh", "", 3, 3, 1},
    {"full-last-page-needs-one-more", "abcdef", "", 3, 3, 1},
    {"empty", "", "", 3, 1, 1},
    {"side-by-side", "abcdefgh", "cf", 3, 3, 3},
    {"bound-at-the-very-end", "abcdef", "cf", 3, 3, 3},
    {"newcomers-at-the-end", "abcdefghijkl", "cf", 3, 5, 3},
    {"newcomer-inside-a-stretch", "abxcdefgh", "cf", 3, 4, 3},
    {"newcomer-at-the-front", "xabcdefgh", "cf", 3, 4, 3},
    {"some-went", "acfgh", "cf", 3, 3, 3},
    {"pages-smaller-than-thought", "abcdefgh", "d", 2, 5, 2},
};

static void
test_case(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    Cloud cloud = {.letters = cases[i].letters, .page = cases[i].page};
    g_autoptr(GString) seen = g_string_new(NULL);

    cloud.seen = seen;
    run(&cloud, cases[i].bounds);
    for (const char *p = cloud.letters; *p; p++)
        g_assert_nonnull(strchr(seen->str, *p)); /* the stretches join up */
    g_assert_cmpuint(cloud.calls, ==, cases[i].calls);
    g_assert_cmpuint(cloud.most, ==, cases[i].most);
}

/* What stretch 0 was to end with went away after stretch 1 began behind it. */
static void
test_end_went(void)
{
    Cloud cloud = {.letters = "abdefg", .page = 3};
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(CfWalk) walk = NULL;
    const char *marker;
    guint stretch;

    cloud.seen = seen;
    g_ptr_array_add(ids, (gpointer) "c");
    walk = cf_walk_new(ids);
    g_assert_true(cf_walk_ask(walk, &stretch, &marker));
    g_assert_null(marker);
    g_assert_true(cf_walk_ask(walk, &stretch, &marker));
    g_assert_cmpstr(marker, ==, "c");
    g_assert_true(cf_walk_take(walk, 1, FALSE, NULL));
    answer(&cloud, walk, 0, NULL);
    while (cf_walk_ask(walk, &stretch, &marker))
        answer(&cloud, walk, stretch, marker);
    g_assert_true(cf_walk_is_done(walk));
    g_assert_cmpstr(seen->str, ==, "abdefg");
}

/* The same of a cloud that takes for a marker what is no more: the stretch behind it covers what it
 * should, and the one before it ends where that one does. */
static void
test_end_went_unnoticed(void)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(CfWalk) walk = NULL;
    const char *marker;
    guint stretch;

    g_ptr_array_add(ids, (gpointer) "c");
    g_ptr_array_add(ids, (gpointer) "f");
    g_ptr_array_add(ids, (gpointer) "i");
    walk = cf_walk_new(ids);
    for (guint i = 0; i < 4; i++)
        g_assert_true(cf_walk_ask(walk, &stretch, &marker));
    g_assert_true(cf_walk_meets(walk, 0, "c"));
    g_assert_true(cf_walk_meets(walk, 0, "f"));
    g_assert_true(cf_walk_meets(walk, 0, "i"));
    g_assert_false(cf_walk_meets(walk, 0, "e"));
    g_assert_false(cf_walk_meets(walk, 1, "c")); /* it begins there */
    g_assert_false(cf_walk_meets(walk, 3, "i"));
    g_assert_true(cf_walk_take(walk, 0, FALSE, "d")); /* abd */
    g_assert_true(cf_walk_take(walk, 1, TRUE, "f"));
    g_assert_true(cf_walk_take(walk, 2, TRUE, "i"));
    g_assert_true(cf_walk_take(walk, 3, FALSE, NULL));
    g_assert_true(cf_walk_ask(walk, &stretch, &marker));
    g_assert_cmpstr(marker, ==, "d");
    g_assert_true(cf_walk_take(walk, 0, cf_walk_meets(walk, 0, "f"), "g")); /* efg */
    g_assert_true(cf_walk_is_done(walk));
}

static void
test_circle(void)
{
    g_autoptr(CfWalk) walk = cf_walk_new(NULL);
    static const struct {
        const char *next;
        gboolean is_new;
    } pages[] = {{"c", TRUE}, {"f", TRUE}, {"c", FALSE}};
    const char *marker;
    guint stretch;

    for (guint i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_assert_true(cf_walk_ask(walk, &stretch, &marker));
        g_assert_cmpint(cf_walk_take(walk, stretch, FALSE, pages[i].next), ==, pages[i].is_new);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/walk/", cases[i].name, NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_case);
    }
    g_test_add_func("/walk/the-end-of-a-stretch-went", test_end_went);
    g_test_add_func("/walk/the-end-went-and-is-a-marker-still", test_end_went_unnoticed);
    g_test_add_func("/walk/pages-in-a-circle", test_circle);
    return g_test_run();
}
