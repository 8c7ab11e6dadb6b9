/* Q1 to Q4 were published by the cloud's makers, Q5 to Q9 computed with another program. */
#include "auth/qingcloud-sign.h"

#include <string.h>

#define KEY "QYACCESSKEYIDEXAMPLE"
#define SECRET "SECRETACCESSKEY"
#define LEAP "2024-02-29T23:59:59Z"

/* pairs: name, value, name, value …, NULL. */
static char *
sign(const char *method, const char *path, const char *secret, GChecksumType digest,
     const char *const *pairs)
{
    g_autoptr(GArray) parameters = g_array_new(FALSE, FALSE, sizeof(CfQingcloudParameter));
    CfQingcloudSignInput input = {
        .method = method, .path = path, .secret_key = secret, .digest = digest};

    for (guint i = 0; pairs[i]; i += 2) {
        CfQingcloudParameter parameter = {pairs[i], pairs[i + 1]};

        g_array_append_val(parameters, parameter);
    }
    input.parameters = (const CfQingcloudParameter *) (gpointer) parameters->data;
    input.n_parameters = parameters->len;
    return cf_qingcloud_sign(&input);
}

/* signature: as it stands in the URL. */
static void
assert_signature(const char *query, const char *signature)
{
    const char *found = strstr(query, "&signature=");

    g_assert_nonnull(found);
    g_assert_cmpstr(found + strlen("&signature="), ==, signature);
}

/* --- RunInstances, as in the makers' own tests ------------------------------------------------ */

static char *
sign_run(const char *path, const char *zone)
{
    const char *const pairs[] = {
        "count",
        "1",
        "vxnets.1",
        "vxnet-0",
        "zone",
        zone,
        "instance_type",
        "small_b",
        "signature_version",
        "1",
        "signature_method",
        "HmacSHA256",
        "instance_name",
        "demo",
        "image_id",
        "centos64x86a",
        "login_mode",
        "passwd",
        "login_passwd",
        "QingCloud20130712",
        "version",
        "1",
        "access_key_id",
        KEY,
        "action",
        "RunInstances",
        "time_stamp",
        "2013-08-27T14:30:10Z",
        NULL,
    };

    return sign("GET", path, SECRET, G_CHECKSUM_SHA256, pairs);
}

static void
test_q1(void)
{
    g_autofree char *query = sign_run("/iaas/", "pek1");

    g_assert_cmpstr(
        query, ==,
        "access_key_id=QYACCESSKEYIDEXAMPLE&action=RunInstances&count=1&image_id="
        "centos64x86a&instance_name=demo&instance_type=small_b&login_mode=passwd&"
        "login_passwd=QingCloud20130712&signature_method=HmacSHA256&signature_version=1&"
        "time_stamp=2013-08-27T14%3A30%3A10Z&version=1&vxnets.1=vxnet-0&zone=pek1&"
        "signature=32bseYy39DOlatuewpeuW5vpmW51sD1A%2FJdGynqSpP8%3D");
}

/* The path is signed as it is sent. */
static void
test_q2(void)
{
    g_autofree char *query = sign_run("/iaas", "pek1");

    assert_signature(query, "MQ6mgjLWuCOj09FGPT0YrZbxq13f%2Fr0OxEzn6hmv3hM%3D");
}

static void
test_q3(void)
{
    g_autofree char *query = sign_run("/iaas/", "pek3a");

    assert_signature(query, "byjccvWIvAftaq%2BoublemagH3bYAlDWxxLFAzAsyslw%3D");
}

static void
test_q4(void)
{
    static const char *const pairs[] = {
        "action",     "DescribeInstance",     "instance.0",    "i-xxxxxxxx",        "verbose",
        "1",          "signature_method",     "HmacSHA256",    "signature_version", "1",
        "time_stamp", "0001-01-01T00:00:00Z", "access_key_id", "ENV_ACCESS_KEY_ID", NULL,
    };
    g_autofree char *query =
        sign("GET", "/iaas", "ENV_SECRET_ACCESS_KEY", G_CHECKSUM_SHA256, pairs);

    assert_signature(query, "ZHa2iQ8PeyP1ktMF9C%2BDjOQBl537ti9RnYZ1Qqr6KRg%3D");
}

/* --- ours ------------------------------------------------------------------------------------- */

static void
test_q5(void)
{
    static const char *const pairs[] = {
        "action",
        "DescribeImages",
        "provider",
        "self",
        "status.1",
        "available",
        "status.2",
        "pending",
        "limit",
        "100",
        "offset",
        "0",
        "time_stamp",
        LEAP,
        "version",
        "1",
        "zone",
        "pek3a",
        "signature_method",
        "HmacSHA256",
        "signature_version",
        "1",
        "access_key_id",
        KEY,
        NULL,
    };
    g_autofree char *query = sign("GET", "/iaas/", SECRET, G_CHECKSUM_SHA256, pairs);

    g_assert_cmpstr(query, ==,
                    "access_key_id=QYACCESSKEYIDEXAMPLE&action=DescribeImages&limit=100&offset=0&"
                    "provider=self&signature_method=HmacSHA256&signature_version=1&status.1="
                    "available&status.2=pending&time_stamp=2024-02-29T23%3A59%3A59Z&version=1&zone="
                    "pek3a&signature=YWFJHIgCrNrQACvdnNvArKOO5Y6GJ0kGtd0RZ7y4W%2F8%3D");
}

static char *
sign_modify(const char *method, const char *name, GChecksumType digest)
{
    const char *const pairs[] = {
        "action",
        "ModifyInstanceAttributes",
        "instance",
        "i-rtyv0968",
        "instance_name",
        "web 01+测试~*/",
        "description",
        "a=b&c:d",
        "time_stamp",
        LEAP,
        "version",
        "1",
        "zone",
        "pek3a",
        "signature_method",
        name,
        "signature_version",
        "1",
        "access_key_id",
        KEY,
        NULL,
    };

    return sign(method, "/iaas/", SECRET, digest, pairs);
}

static void
test_q6(void)
{
    g_autofree char *query = sign_modify("GET", "HmacSHA256", G_CHECKSUM_SHA256);

    g_assert_cmpstr(query, ==,
                    "access_key_id=QYACCESSKEYIDEXAMPLE&action=ModifyInstanceAttributes&"
                    "description=a%3Db%26c%3Ad&instance=i-rtyv0968&instance_name="
                    "web%2001%2B%E6%B5%8B%E8%AF%95~%2A%2F&signature_method=HmacSHA256&"
                    "signature_version=1&time_stamp=2024-02-29T23%3A59%3A59Z&version=1&zone=pek3a&"
                    "signature=mLt8ZE%2B2G8u19Ihw6tICxkMBI2DTkN21A7hDprNdx20%3D");
}

static void
test_q7(void)
{
    g_autofree char *form = sign_modify("POST", "HmacSHA256", G_CHECKSUM_SHA256);

    assert_signature(form, "hiiCDAaU9puFn9LddWJWgK3uaqNiYWpRtrujee9dAlg%3D");
}

static void
test_q8(void)
{
    g_autofree char *query = sign_modify("GET", "HmacSHA1", G_CHECKSUM_SHA1);

    assert_signature(query, "i8PNb4lIoTnDo2ZHEluUe7%2FWbNs%3D");
}

static void
test_q9(void)
{
    static const char *const pairs[] = {
        "action",
        "DescribeInstances",
        "limit",
        "100",
        "offset",
        "0",
        "verbose",
        "1",
        "time_stamp",
        LEAP,
        "version",
        "1",
        "zone",
        "pek3a",
        "signature_method",
        "HmacSHA256",
        "signature_version",
        "1",
        "access_key_id",
        KEY,
        "instances.1",
        "i-00000001",
        "instances.2",
        "i-00000002",
        "instances.3",
        "i-00000003",
        "instances.4",
        "i-00000004",
        "instances.5",
        "i-00000005",
        "instances.6",
        "i-00000006",
        "instances.7",
        "i-00000007",
        "instances.8",
        "i-00000008",
        "instances.9",
        "i-00000009",
        "instances.10",
        "i-00000010",
        "instances.11",
        "i-00000011",
        NULL,
    };
    g_autofree char *query = sign("GET", "/iaas/", SECRET, G_CHECKSUM_SHA256, pairs);

    g_assert_nonnull(strstr(query, "&instances.1=i-00000001&instances.10=i-00000010&instances.11="
                                   "i-00000011&instances.2=i-00000002&"));
    assert_signature(query, "plIm9o83xWl1yNg1SiwsMzu2oMpF27WyzeFxouTRQfk%3D");
}

/* --- edges ------------------------------------------------------------------------------------ */

static void
test_empty_value(void)
{
    static const char *const pairs[] = {"description", "", "action", "A", NULL};
    g_autofree char *query = sign("GET", "/iaas/", SECRET, G_CHECKSUM_SHA256, pairs);

    g_assert_true(g_str_has_prefix(query, "action=A&description=&signature="));
}

static void
test_methods(void)
{
    GChecksumType digest = G_CHECKSUM_MD5;

    g_assert_true(cf_qingcloud_sign_method("HmacSHA1", &digest));
    g_assert_cmpint(digest, ==, G_CHECKSUM_SHA1);
    g_assert_true(cf_qingcloud_sign_method("HmacSHA256", &digest));
    g_assert_cmpint(digest, ==, G_CHECKSUM_SHA256);
    g_assert_false(cf_qingcloud_sign_method("hmacsha256", &digest));
    g_assert_false(cf_qingcloud_sign_method("", &digest));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qingcloud-sign/q1", test_q1);
    g_test_add_func("/qingcloud-sign/q2", test_q2);
    g_test_add_func("/qingcloud-sign/q3", test_q3);
    g_test_add_func("/qingcloud-sign/q4", test_q4);
    g_test_add_func("/qingcloud-sign/q5", test_q5);
    g_test_add_func("/qingcloud-sign/q6", test_q6);
    g_test_add_func("/qingcloud-sign/q7", test_q7);
    g_test_add_func("/qingcloud-sign/q8", test_q8);
    g_test_add_func("/qingcloud-sign/q9", test_q9);
    g_test_add_func("/qingcloud-sign/empty-value", test_empty_value);
    g_test_add_func("/qingcloud-sign/methods", test_methods);
    return g_test_run();
}
