/* The bodies of answers: what is kept of them for the next ones, and what is not. */
#include <string.h>

#include "http/body.h"

#define PAGE (124 * 1000)
#define MIB (1024 * 1024)

/* Receives so many bytes in pieces. */
static GBytes *
receive(CfBodyPool *pool, gsize len, gsize reserve, char with)
{
    g_autofree char *data = g_malloc(len + 1);
    GBytes *bytes;
    CfBody body;

    memset(data, with, len);
    cf_body_init(&body, pool);
    if (reserve > 0)
        cf_body_reserve(&body, reserve);
    for (gsize at = 0; at < len; at += 1000)
        cf_body_append(&body, data + at, MIN(len - at, 1000));
    bytes = cf_body_take(&body);
    g_assert_cmpuint(body.len, ==, 0);
    cf_body_clear(&body);
    g_assert_cmpuint(g_bytes_get_size(bytes), ==, len);
    g_assert_cmpint(memcmp(g_bytes_get_data(bytes, NULL), data, len), ==, 0);
    g_assert_cmpint(((const char *) g_bytes_get_data(bytes, NULL))[len], ==, '\0');
    return bytes;
}

static void
test_sizes(void)
{
    CfBodyPool *pool = cf_body_pool_new();
    static const gsize sizes[] = {1, 999, 1000, 16383, 16384, 16385, PAGE, 3 * MIB};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (guint with = 0; with < 2; with++) {
            g_bytes_unref(receive(with ? pool : NULL, sizes[i], 0, 'a'));
            g_bytes_unref(receive(with ? pool : NULL, sizes[i], sizes[i], 'b'));
            g_bytes_unref(receive(with ? pool : NULL, sizes[i], 100, 'c')); /* it said so */
        }
    cf_body_pool_unref(pool);
}

static void
test_empty(void)
{
    CfBody body;
    GBytes *bytes;

    cf_body_init(&body, NULL);
    bytes = cf_body_take(&body);
    g_assert_cmpuint(g_bytes_get_size(bytes), ==, 0);
    g_assert_nonnull(bytes);
    g_bytes_unref(bytes);
    cf_body_clear(&body);
}

/* One that nobody needs any more is the next one's memory; two that live are not the same. */
static void
test_kept(void)
{
    CfBodyPool *pool = cf_body_pool_new();
    GBytes *first = receive(pool, PAGE, PAGE, 'a'), *second;
    const char *data = g_bytes_get_data(first, NULL);
    gsize kept;

    g_assert_cmpuint(cf_body_pool_get_size(pool), ==, 0);
    g_bytes_unref(first);
    kept = cf_body_pool_get_size(pool);
    g_assert_cmpuint(kept, >, PAGE);
    first = receive(pool, PAGE - 1000, PAGE - 1000, 'b');
    g_assert_true(g_bytes_get_data(first, NULL) == data);
    g_assert_cmpuint(cf_body_pool_get_size(pool), ==, 0);
    second = receive(pool, PAGE, PAGE, 'c');
    g_assert_cmpint(((const char *) g_bytes_get_data(first, NULL))[PAGE - 1001], ==, 'b');
    g_bytes_unref(first);
    g_bytes_unref(second);
    g_assert_cmpuint(cf_body_pool_get_size(pool), ==, 2 * kept);
    /* A small one does not sit on a large room. */
    first = receive(pool, 10, 10, 'd');
    g_assert_cmpuint(cf_body_pool_get_size(pool), ==, 2 * kept);
    g_bytes_unref(first);
    cf_body_pool_unref(pool);
}

static void
test_bound(void)
{
    CfBodyPool *pool = cf_body_pool_new();
    GBytes *many[40];

    for (guint i = 0; i < G_N_ELEMENTS(many); i++)
        many[i] = receive(pool, 900 * 1000, 900 * 1000, 'a');
    for (guint i = 0; i < G_N_ELEMENTS(many); i++)
        g_bytes_unref(many[i]);
    g_assert_cmpuint(cf_body_pool_get_size(pool), >, 0);
    g_assert_cmpuint(cf_body_pool_get_size(pool), <=, 4 * MIB);
    /* One that is far larger than a page is not kept at all. */
    g_bytes_unref(receive(pool, 900 * 1000, 900 * 1000, 'b'));
    many[0] = receive(pool, 5 * MIB, 5 * MIB, 'c');
    g_bytes_unref(many[0]);
    g_assert_cmpuint(cf_body_pool_get_size(pool), <=, 4 * MIB);
    cf_body_pool_unref(pool);
}

/* A body is there for as long as somebody has it, the engine or not. */
static void
test_outlives(void)
{
    CfBodyPool *pool = cf_body_pool_new();
    GBytes *bytes = receive(pool, PAGE, PAGE, 'a');

    cf_body_pool_unref(pool);
    g_assert_cmpint(((const char *) g_bytes_get_data(bytes, NULL))[PAGE - 1], ==, 'a');
    g_bytes_unref(bytes);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/body/of-any-size", test_sizes);
    g_test_add_func("/body/empty", test_empty);
    g_test_add_func("/body/memory-of-the-last-one", test_kept);
    g_test_add_func("/body/what-is-kept-is-bounded", test_bound);
    g_test_add_func("/body/outlives-the-engine", test_outlives);
    return g_test_run();
}
