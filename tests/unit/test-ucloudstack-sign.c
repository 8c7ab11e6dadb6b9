/* The published vectors of UCloud's signature (its SDKs and the manual), and two of our own that
 * were worked out with another tool. */
#include "auth/ucloudstack-sign.h"

#define MANUAL_PUBLIC "1UxDcqTHEGGGviQFqlt870EbLuaSJPZOB8hZ74tL"
#define MANUAL_PRIVATE "tcgX3Xi_mAKpQayggnVLWzerkWB_fH1KXuk05hUrus8KSziLVyjWXwKZ80FOOldC"
#define SDK_PUBLIC "ucloudsomeone@example.com1296235120854146120"
#define SDK_PRIVATE "46f09bb9fab4f12dfc160dae12273d5332b5debe"

/* Whatever order they come in. */
static void
assert_sign(const CfUcloudstackParameter *parameters, guint n, const char *private_key,
            const char *expected)
{
    g_autofree CfUcloudstackParameter *turned = g_new(CfUcloudstackParameter, n);
    g_autofree char *sign = cf_ucloudstack_sign(parameters, n, private_key);
    g_autofree char *again = NULL;

    g_assert_cmpstr(sign, ==, expected);
    for (guint i = 0; i < n; i++)
        turned[i] = parameters[n - 1 - i];
    again = cf_ucloudstack_sign(turned, n, private_key);
    g_assert_cmpstr(again, ==, expected);
}

static void
test_u1(void)
{
    static const CfUcloudstackParameter parameters[] = {
        {"Action", "DescribeVMInstance"},
        {"Limit", "20"},
        {"Offset", "0"},
        {"PublicKey", MANUAL_PUBLIC},
    };

    assert_sign(parameters, G_N_ELEMENTS(parameters), MANUAL_PRIVATE,
                "2d86e5b4186ac6e42b628f258a7037c7636c9a81");
}

static const CfUcloudstackParameter create[] = {
    {"Action", "CreateUHostInstance"},
    {"CPU", "2"},
    {"ChargeType", "Month"},
    {"DiskSpace", "10"},
    {"ImageId", "f43736e1-65a5-4bea-ad2e-8a46e18883c2"},
    {"LoginMode", "Password"},
    {"Memory", "2048"},
    {"Name", "Host01"},
    {"Password", "VUNsb3VkLmNu"},
    {"PublicKey", SDK_PUBLIC},
    {"Quantity", "1"},
    {"Region", "cn-bj2"},
    {"Zone", "cn-bj2-04"},
    {"SecurityToken", "some_stoken"},
};

static void
test_u2(void)
{
    assert_sign(create, G_N_ELEMENTS(create) - 1, SDK_PRIVATE,
                "4f9ef5df2abab2c6fccd1e9515cb7e2df8c6bb65");
}

static void
test_u3(void)
{
    assert_sign(create, G_N_ELEMENTS(create), SDK_PRIVATE,
                "170c480ad176a247b324eb92a2cfe536aacfbd04");
}

/* Twelve items: "Backends.10" comes before "Backends.2". */
static void
test_u4(void)
{
    static const CfUcloudstackParameter parameters[] = {
        {"Action", "AllocateBackendBatch"},
        {"PublicKey", SDK_PUBLIC},
        {"Backends.0", "foo"},
        {"Backends.1", "bar"},
        {"Backends.2", "42"},
        {"Backends.3", "foo"},
        {"Backends.4", "bar"},
        {"Backends.5", "42"},
        {"Backends.6", "foo"},
        {"Backends.7", "bar"},
        {"Backends.8", "42"},
        {"Backends.9", "foo"},
        {"Backends.10", "bar"},
        {"Backends.11", "42"},
    };

    assert_sign(parameters, G_N_ELEMENTS(parameters), SDK_PRIVATE,
                "6bc32642779f8cb0bb3d3f128b1c0688abf9a1a3");
}

static void
test_u5_u6(void)
{
    static const CfUcloudstackParameter parameters[] = {
        {"foo", "bar"},
        {"PublicKey", "my_public_key"},
    };

    assert_sign(parameters, 1, "my_private_key", "634edc1bb957c0d65e5ab5494cf3b7784fbc87af");
    assert_sign(parameters, 2, "my_private_key", "d4411ab30953fb0bbcb1e7313081f05e4e91a394");
}

static void
test_u7(void)
{
    static const CfUcloudstackParameter parameters[] = {
        {"Action", "DescribeImage"},
        {"ImageIDs.0", "image-aaa"},
        {"ImageIDs.1", "image-bbb"},
        {"ImageType", "Custom"},
        {"Limit", "100"},
        {"Offset", "0"},
        {"PublicKey", MANUAL_PUBLIC},
        {"Region", "cn"},
    };

    assert_sign(parameters, G_N_ELEMENTS(parameters), MANUAL_PRIVATE,
                "a92ca5d6903779f8f9fd3eaa8c59b79a133bbb70");
}

/* UTF-8, blanks and reserved characters are signed as they read. */
static void
test_u8(void)
{
    static const CfUcloudstackParameter parameters[] = {
        {"Action", "ModifyNameAndRemark"},
        {"Name", "web 01 测试"},
        {"PublicKey", MANUAL_PUBLIC},
        {"Region", "cn"},
        {"Remark", "a=b&c+d"},
        {"ResourceID", "vm-0001"},
    };

    assert_sign(parameters, G_N_ELEMENTS(parameters), MANUAL_PRIVATE,
                "dcb43a3a4e8d13d6fa64eb5b09ae06484735e18c");
}

/* An empty value is signed as its name and nothing: "Aab" and the key. */
static void
test_empty(void)
{
    static const CfUcloudstackParameter parameters[] = {{"Remark", ""}, {"A", "ab"}};
    g_autofree char *sha1 = g_compute_checksum_for_string(G_CHECKSUM_SHA1, "AabRemarkfake-key", -1);

    assert_sign(parameters, G_N_ELEMENTS(parameters), "fake-key", sha1);
    sha1 = (g_free(sha1), g_compute_checksum_for_string(G_CHECKSUM_SHA1, "fake-key", -1));
    assert_sign(parameters, 0, "fake-key", sha1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ucloudstack-sign/u1", test_u1);
    g_test_add_func("/ucloudstack-sign/u2", test_u2);
    g_test_add_func("/ucloudstack-sign/u3", test_u3);
    g_test_add_func("/ucloudstack-sign/u4", test_u4);
    g_test_add_func("/ucloudstack-sign/u5-u6", test_u5_u6);
    g_test_add_func("/ucloudstack-sign/u7", test_u7);
    g_test_add_func("/ucloudstack-sign/u8", test_u8);
    g_test_add_func("/ucloudstack-sign/empty", test_empty);
    return g_test_run();
}
