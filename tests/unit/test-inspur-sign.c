#include "auth/inspur-sign.h"

#include <string.h>

#define TARGET "/ecs/v1/servers/1/10?sortOrder=descend&sortField=createTime&searchValue=web"
#define START "/ecs/v1/servers/9168b536-cd40-4630-b43f-b259807c6e87/action"

static void
assert_sign(const CfInspurSignInput *input, const char *expected)
{
    char *values[CF_INSPUR_SIGN_N];

    cf_inspur_sign(input, values);
    g_assert_cmpstr(values[CF_INSPUR_SIGN_SIGN], ==, expected);
    for (guint i = 0; i < CF_INSPUR_SIGN_N; i++)
        g_free(values[i]);
}

static CfInspurSignInput
input(const char *method, const char *target, const char *body, GChecksumType algorithm)
{
    return (CfInspurSignInput){
        .method = method,
        .target = target,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .access_key = "AK",
        .secret_key = "SECRETKEYEXAMPLE",
        .algorithm = algorithm,
        .time_ms = 1700000000000,
        .random = "abcdef0123456789",
    };
}

/* The published example of the body's digest: the one step that the vendor shows a result of. */
static void
test_v0(void)
{
    static const char body[] =
        "[{\"action\":\"CreateEip\", \"context\":{}, \"region\":\"cn-north-3\", "
        "\"resourceType\":\"instance\", \"resourceAccountId\":\"\", \"instanceId\": null, "
        "\"resourceCreator\":\"\", \"service\":\"eip\" }]";
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_MD5, body, -1);
    g_autofree char *full = NULL, *hash = NULL, *sign = NULL;
    CfInspurSignInput in = input("POST", "/v1/x", body, G_CHECKSUM_SHA256);

    g_assert_cmpstr(digest, ==, "09ad60b0ed0e428af0fd3dd937ef5f49");
    full = g_strdup("POST\n1700000000000abcdef0123456789SECRETKEYEXAMPLE\n/v1/x\n"
                    "09ad60b0ed0e428af0fd3dd937ef5f49");
    hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, full, -1);
    sign = g_base64_encode((const guchar *) hash, strlen(hash));
    assert_sign(&in, sign);
}

static void
test_v1(void)
{
    CfInspurSignInput in = input("GET", TARGET, NULL, G_CHECKSUM_MD5);

    assert_sign(&in, "MDJmYWY1NTIxODllZTY5NmZlOTA3MTdmOWNhYjYzMDM=");
    in.algorithm = G_CHECKSUM_SHA1;
    assert_sign(&in, "ZGU4OWE4ZDk0ZTk2YjljMWM0MDM2Y2U0YjZhOGVlNTA5NWUxMGI1NQ==");
    in.algorithm = G_CHECKSUM_SHA256;
    assert_sign(&in, "Yzg4ZWI5ZDdkYjg2MTI5M2VlMWRhYjI4NWM1MGMzNWIxMjE1MDllZjJlN2E5MmZjN2E0ZjFhYzRk"
                     "NmE5OTdiZQ==");
}

static void
test_v2(void)
{
    CfInspurSignInput in = input("GET", TARGET, NULL, G_CHECKSUM_MD5);

    in.sign_empty_body = TRUE;
    assert_sign(&in, "MjcwYmI2MjMyOTkwMDAwMGEyOGIyMmVmM2U4MTRmNmQ=");
    in.algorithm = G_CHECKSUM_SHA256;
    assert_sign(&in, "NTA5ZTk3ODI0YjI5Y2M5ZWU3ZTU2YTM0MWUxMGFkZGVmYmY4Zjk3MTRmNTM5NjE2ZGZhN2M2ZGEw"
                     "ZTQxYTE4MQ==");
}

static void
test_v3(void)
{
    CfInspurSignInput in = input("POST", START, "{\"os-start\":{}}", G_CHECKSUM_MD5);

    assert_sign(&in, "MTNhOTIxYTA3ZWNjNDdhYTU3YmMyOGJhZWI0MmQyOWU=");
    in.sign_empty_body = TRUE; /* means nothing where there is a body */
    in.algorithm = G_CHECKSUM_SHA1;
    assert_sign(&in, "MjdhZDhiMjVjYjliNzNmY2E0M2IyNGQxYmE0ZGJmMDAxMmI5NTY3ZA==");
    in.algorithm = G_CHECKSUM_SHA256;
    assert_sign(&in, "NjUwMjFjOWI2ZTAwYzRmM2Y4NmU0MDYyNWY2NTE1ZTUwNDg0NDFhOTUxNGFjMTM3OGZiODhkNTVi"
                     "MmNhYTk3Zg==");
}

/* Parameters are signed as they read, sorted by key alone. */
static void
test_decoded(void)
{
    CfInspurSignInput in =
        input("GET", "/v1/x?b=%E4%B8%AD%E6%96%87%20x&a=1%2C2&a-b=3&b=%26", NULL, G_CHECKSUM_MD5);
    g_autofree char *hash = g_compute_checksum_for_string(
        G_CHECKSUM_MD5,
        "GET\n1700000000000abcdef0123456789SECRETKEYEXAMPLE\n/v1/x?a=1,2&a-b=3&b=中文 x&b=&", -1);
    g_autofree char *sign = g_base64_encode((const guchar *) hash, strlen(hash));

    assert_sign(&in, sign);
}

static void
test_headers(void)
{
    CfInspurSignInput in = input("GET", TARGET, NULL, G_CHECKSUM_SHA256);
    char *values[CF_INSPUR_SIGN_N];
    GChecksumType type;

    cf_inspur_sign(&in, values);
    g_assert_cmpstr(values[0], ==, "AK");
    g_assert_cmpstr(values[1], ==, "sha256");
    g_assert_cmpstr(values[2], ==, "1700000000000");
    g_assert_cmpstr(values[3], ==, "abcdef0123456789");
    g_assert_cmpstr(cf_inspur_sign_headers[0], ==, "x-secret-id");
    g_assert_cmpstr(cf_inspur_sign_headers[1], ==, "x-sign-algorithm");
    g_assert_cmpstr(cf_inspur_sign_headers[2], ==, "x-time");
    g_assert_cmpstr(cf_inspur_sign_headers[3], ==, "x-random");
    g_assert_cmpstr(cf_inspur_sign_headers[4], ==, "x-sign");
    for (guint i = 0; i < CF_INSPUR_SIGN_N; i++)
        g_free(values[i]);

    g_assert_true(cf_inspur_sign_algorithm("sha1", &type) && type == G_CHECKSUM_SHA1);
    g_assert_false(cf_inspur_sign_algorithm("sha512", &type));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inspur-sign/v0", test_v0);
    g_test_add_func("/inspur-sign/v1", test_v1);
    g_test_add_func("/inspur-sign/v2", test_v2);
    g_test_add_func("/inspur-sign/v3", test_v3);
    g_test_add_func("/inspur-sign/decoded-and-sorted", test_decoded);
    g_test_add_func("/inspur-sign/headers", test_headers);
    return g_test_run();
}
