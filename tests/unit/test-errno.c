#include "fuse/errno-table.h"

#include <errno.h>
#include <glib.h>

/* A code without a row would be answered 0, which is success. */
static void
test_every_code(void)
{
    for (guint code = 0; code < CF_ERROR_N; code++) {
        int number = cf_errno_from_code(code);

        if (number <= 0 || number > 511)
            g_error("%s has no errno that the kernel takes: %d", cf_error_name(code), number);
    }
    g_assert_cmpint(cf_errno_from_code(CF_ERROR_N), ==, 0);
}

/* The kernel reads these in a special way; no refusal of a cloud may turn into one of them. */
static void
test_no_latch(void)
{
    for (guint code = 0; code < CF_ERROR_N; code++)
        g_assert_cmpint(cf_errno_from_code(code), !=, ENOSYS);
}

/* Only a fault of ours may say EIO. */
static void
test_eio(void)
{
    for (guint code = 0; code < CF_ERROR_N; code++) {
        if (code != CF_ERROR_INTERNAL)
            g_assert_cmpint(cf_errno_from_code(code), !=, EIO);
    }
}

static void
test_contract(void)
{
    static const struct {
        CfErrorCode code;
        int number;
    } rows[] = {
        {CF_ERROR_BUSY, EBUSY},          {CF_ERROR_UNAUTHORIZED, EKEYREJECTED},
        {CF_ERROR_EXPIRED, EKEYEXPIRED}, {CF_ERROR_QUOTA, EDQUOT},
        {CF_ERROR_GONE, ENODEV},         {CF_ERROR_REMOTE, EREMOTEIO},
        {CF_ERROR_CHANGED, ESTALE},      {CF_ERROR_TIMEOUT, ETIMEDOUT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = g_error_new(CF_ERROR, rows[i].code, "x");

        g_assert_cmpint(cf_errno_from_error(error), ==, rows[i].number);
    }
}

static void
test_other_domain(void)
{
    g_autoptr(GError) error = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "x");

    g_assert_cmpint(cf_errno_from_error(error), ==, EIO);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/errno/every-code", test_every_code);
    g_test_add_func("/errno/no-latch", test_no_latch);
    g_test_add_func("/errno/eio-is-ours", test_eio);
    g_test_add_func("/errno/contract", test_contract);
    g_test_add_func("/errno/other-domain", test_other_domain);
    return g_test_run();
}
