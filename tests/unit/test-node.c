/* Node ids are arithmetic: what goes in comes out, and different nodes differ. */
#include "tree/node.h"

static void
test_root(void)
{
    CfNode root = {.kind = CF_KIND_STATIC, .sub = CF_STATIC_ROOT};

    g_assert_cmpuint(cf_node_pack(root), ==, 1);
}

static void
test_round_trip(void)
{
    static const guint32 handles[] = {0, 1, 0x7FFFFF, 0x800000, (1u << CF_HANDLE_BITS) - 1};
    static const guint32 subs[] = {0, 1, 31, CF_NODE_SUB_MAX};
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint kind = 0; kind < CF_KIND_N; kind++)
        for (guint profile = 0; profile <= CF_NODE_PROFILES; profile += 341)
            for (guint h = 0; h < G_N_ELEMENTS(handles); h++)
                for (guint s = 0; s < G_N_ELEMENTS(subs); s++)
                    for (guint c = 0; c < CF_COLLECTION_N; c++) {
                        CfNode node = {kind, c, profile, handles[h], subs[s]};
                        CfIno ino = cf_node_pack(node);
                        CfNode back;

                        g_assert_true(cf_node_unpack(ino, &back));
                        g_assert_cmpuint(back.kind, ==, kind);
                        g_assert_cmpuint(back.collection, ==, c);
                        g_assert_cmpuint(back.profile, ==, profile);
                        g_assert_cmpuint(back.handle, ==, handles[h]);
                        g_assert_cmpuint(back.sub, ==, subs[s]);
                        g_assert_true(g_hash_table_add(seen, g_memdup2(&ino, sizeof ino)));
                    }
}

static void
test_no_such_kind(void)
{
    CfNode node;

    g_assert_false(cf_node_unpack((CfIno) CF_KIND_N << 60, &node));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/root-is-1", test_root);
    g_test_add_func("/node/round-trip", test_round_trip);
    g_test_add_func("/node/no-such-kind", test_no_such_kind);
    return g_test_run();
}
