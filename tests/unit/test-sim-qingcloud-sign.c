/* Who may, in the QingCloud dialect: signatures, times, roles. */
#include <stdio.h>

#include "test-sim-qingcloud.h"

#define RUN                                                                                        \
    "action=RunInstances&count=1&image_id=centos64x86a&instance_name=demo&instance_type=small_b&"  \
    "login_mode=passwd&login_passwd=QingCloud20130712&signature_method=HmacSHA256&"                \
    "signature_version=1&time_stamp=2013-08-27T14%3A30%3A10Z&version=1&vxnets.1=vxnet-0&"          \
    "access_key_id=QYACCESSKEYIDEXAMPLE&zone="
#define MODIFY                                                                                     \
    "action=ModifyInstanceAttributes&instance=i-rtyv0968&instance_name=web%2001%2B%E6%B5%8B%E8"    \
    "%AF%95~*/&description=a%3Db%26c:d&time_stamp=2024-02-29T23:59:59Z&version=1&zone=pek3a&"      \
    "access_key_id=QYACCESSKEYIDEXAMPLE&signature_version=1&signature_method="

/* The published vectors, and those that were computed elsewhere. */
static void
test_vectors(void)
{
    static const struct {
        const char *method, *path, *secret, *query, *signature;
    } cases[] = {
        {"GET", "/iaas/", "SECRETACCESSKEY", RUN "pek1",
         "32bseYy39DOlatuewpeuW5vpmW51sD1A/JdGynqSpP8="},
        {"GET", "/iaas", "SECRETACCESSKEY", RUN "pek1",
         "MQ6mgjLWuCOj09FGPT0YrZbxq13f/r0OxEzn6hmv3hM="},
        {"GET", "/iaas/", "SECRETACCESSKEY", RUN "pek3a",
         "byjccvWIvAftaq+oublemagH3bYAlDWxxLFAzAsyslw="},
        {"GET", "/iaas", "ENV_SECRET_ACCESS_KEY",
         "access_key_id=ENV_ACCESS_KEY_ID&action=DescribeInstance&instance.0=i-xxxxxxxx&verbose=1&"
         "signature_method=HmacSHA256&signature_version=1&time_stamp=0001-01-01T00:00:00Z",
         "ZHa2iQ8PeyP1ktMF9C+DjOQBl537ti9RnYZ1Qqr6KRg="},
        {"GET", "/iaas/", "SECRETACCESSKEY",
         "zone=pek3a&version=1&time_stamp=2024-02-29T23:59:59Z&status.2=pending&"
         "status.1=available&provider=self&offset=0&limit=100&action=DescribeImages&"
         "access_key_id=QYACCESSKEYIDEXAMPLE&signature_method=HmacSHA256&signature_version=1",
         "YWFJHIgCrNrQACvdnNvArKOO5Y6GJ0kGtd0RZ7y4W/8="},
        {"GET", "/iaas/", "SECRETACCESSKEY", MODIFY "HmacSHA256",
         "mLt8ZE+2G8u19Ihw6tICxkMBI2DTkN21A7hDprNdx20="},
        {"POST", "/iaas/", "SECRETACCESSKEY", MODIFY "HmacSHA256",
         "hiiCDAaU9puFn9LddWJWgK3uaqNiYWpRtrujee9dAlg="},
        {"GET", "/iaas/", "SECRETACCESSKEY", MODIFY "HmacSHA1", "i8PNb4lIoTnDo2ZHEluUe7/WbNs="},
        {"GET", "/iaas/", "SECRETACCESSKEY",
         "action=DescribeInstances&instances.1=i-00000001&instances.2=i-00000002&"
         "instances.3=i-00000003&instances.4=i-00000004&instances.5=i-00000005&"
         "instances.6=i-00000006&instances.7=i-00000007&instances.8=i-00000008&"
         "instances.9=i-00000009&instances.10=i-00000010&instances.11=i-00000011&limit=100&"
         "offset=0&verbose=1&time_stamp=2024-02-29T23:59:59Z&version=1&zone=pek3a&"
         "signature=is-left-out&access_key_id=QYACCESSKEYIDEXAMPLE&signature_method=HmacSHA256&"
         "signature_version=1",
         "plIm9o83xWl1yNg1SiwsMzu2oMpF27WyzeFxouTRQfk="},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) params = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *signature = NULL;

        cf_sim_form_parse(cases[i].query, params);
        signature = cf_sim_qingcloud_sign(i == 7 ? "HmacSHA1" : "HmacSHA256", cases[i].method,
                                          cases[i].path, params, cases[i].secret);
        g_assert_cmpstr(signature, ==, cases[i].signature);
    }
    {
        g_autoptr(GPtrArray) none = g_ptr_array_new();

        g_assert_null(cf_sim_qingcloud_sign("HmacMD5", "GET", "/iaas", none, "fake"));
        g_assert_null(cf_sim_qingcloud_sign(NULL, "GET", "/iaas", none, "fake"));
    }
}

static CfSim *
start_signed(void)
{
    g_autoptr(GError) error = NULL;
    CfSimOptions options;
    CfSim *sim;

    cf_sim_options_init(&options);
    options.dialect = "qingcloud";
    options.servers = 3;
    options.access_key = "FAKEKEY";
    options.secret_key = "fake-secret";
    sim = cf_sim_new(&options, &error);
    g_assert_no_error(error);
    return sim;
}

/* How a test signs; what it leaves NULL is as it should be. */
typedef struct {
    const char *path, *method, *key, *secret, *algorithm, *token, *more;
    gint age_s, expires_s; /* expires_s: 0: none */
} Signing;

static char *
stamp(gint age_s)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) then = g_date_time_add_seconds(now, -age_s);

    return g_date_time_format(then, "%Y-%m-%dT%H:%M:%SZ");
}

static Reply *
ask_signed(CfSim *sim, const Signing *how)
{
    const char *path = how->path ? how->path : "/iaas/";
    const char *method = how->method ? how->method : "GET";
    const char *algorithm = how->algorithm ? how->algorithm : "HmacSHA256";
    g_autofree char *time = stamp(how->age_s);
    g_autofree char *expires = stamp(-how->expires_s);
    g_autoptr(GPtrArray) params = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) query = g_string_new(how->more);
    g_autofree char *signature = NULL;
    g_autofree char *escaped = NULL;
    g_autofree char *target = NULL;

    g_string_append_printf(query,
                           "%saction=DescribeInstances&zone=pek3a&access_key_id=%s&version=1&"
                           "signature_method=%s&signature_version=%d&time_stamp=%s",
                           query->len ? "&" : "", how->key ? how->key : "FAKEKEY", algorithm,
                           how->token ? 2 : 1, time);
    if (how->token)
        g_string_append_printf(query, "&token=%s", how->token);
    if (how->expires_s)
        g_string_append_printf(query, "&expires=%s", expires);
    cf_sim_form_parse(query->str, params);
    signature = cf_sim_qingcloud_sign(algorithm, method, path, params,
                                      how->secret ? how->secret : "fake-secret");
    escaped = g_uri_escape_string(signature, NULL, FALSE);
    g_string_append_printf(query, "&signature=%s", escaped);
    if (strcmp(method, "POST") == 0)
        return call_with(sim, "POST", path, FORM, query->str);
    target = g_strdup_printf("%s?%s", path, query->str);
    return call(sim, "GET", target, NULL);
}

static void
test_signed(void)
{
    static const struct {
        Signing how;
        int code;
    } cases[] = {
        {{0}, 0},
        {{.path = "/iaas"}, 0},
        {{.path = "/prefix/iaas/"}, 0},
        {{.algorithm = "HmacSHA1"}, 0},
        {{.method = "POST"}, 0},
        {{.method = "POST", .algorithm = "HmacSHA1"}, 0},
        {{.more = "search_word=a%20%E4%B8%AD%2A%2F"}, 0},
        {{.more = "instances.2=&instances.10=&search_word="}, 2100}, /* signed well, names none */
        {{.key = "OTHERKEY"}, 1200},
        {{.secret = "fake-other-secret"}, 1200},
        {{.age_s = 50}, 0},
        {{.age_s = 75}, 1300},
        {{.age_s = -75}, 1300},
        {{.age_s = 75, .expires_s = 600}, 0},
        {{.age_s = 0, .expires_s = -5}, 1300},
        {{.token = "fake-unknown", .path = "/iam/"}, 2000},
        {{.token = "fake-unknown"}, 1200},
        {{.path = "/iam/"}, 1100}, /* a role has a token */
    };
    g_autoptr(CfSim) sim = start_signed();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reply) reply = ask_signed(sim, &cases[i].how);

        g_assert_cmpuint(reply->status, ==, 200);
        if ((int) number(reply, "ret_code") != cases[i].code)
            g_error("case %u: %s", i, reply->body->str);
    }
}

/* Python signs %20 and sends +; the server signs what it decodes. */
static void
test_signed_values(void)
{
    g_autoptr(CfSim) sim = start_signed();
    const Signing blank = {.method = "POST", .more = "search_word=a+b"};
    const Signing percent = {.method = "POST", .more = "search_word=a%20b"};
    g_autoptr(Reply) plus = ask_signed(sim, &blank);
    g_autoptr(Reply) twenty = ask_signed(sim, &percent);

    g_assert_cmpfloat(number(plus, "ret_code"), ==, 0);
    g_assert_cmpfloat(number(twenty, "ret_code"), ==, 0);
}

static void
test_incomplete(void)
{
    static const struct {
        const char *query;
        int code;
    } cases[] = {
        {"", 1100},
        {"&access_key_id=FAKEKEY", 1100},
        {"&access_key_id=FAKEKEY&time_stamp=x&signature_method=HmacSHA256&signature_version=1",
         1100},
        {"&access_key_id=FAKEKEY&time_stamp=x&signature_method=HmacMD5&signature_version=1&"
         "signature=x",
         1101},
        {"&access_key_id=FAKEKEY&time_stamp=x&signature_method=HmacSHA256&signature_version=2&"
         "signature=x",
         1101},
        {"&access_key_id=FAKEKEY&time_stamp=x&signature_method=HmacSHA256&signature_version=1&"
         "version=2&signature=x",
         1101},
        {"&access_key_id=FAKEKEY&time_stamp=x&signature_method=HmacSHA256&signature_version=1&"
         "signature=x",
         1200},
    };
    g_autoptr(CfSim) sim = start_signed();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/iaas/?action=DescribeInstances&zone=pek3a%s", cases[i].query);
        g_autoptr(Reply) reply = call(sim, "GET", path, NULL);

        g_assert_cmpuint(reply->status, ==, 200);
        g_assert_cmpfloat(number(reply, "ret_code"), ==, cases[i].code);
    }
}

/* Returns: the Date header as a number of seconds from now. */
static gint64
date_offset_s(const Reply *reply)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const char *date = strstr(reply->head->str, "Date: ");
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) told = NULL;
    int day, year, hour, minute, second, month = 0;
    char name[4] = "";

    g_assert_nonnull(date);
    g_assert_null(strstr(date + 1, "Date: "));
    g_assert_cmpint(sscanf(date + strlen("Date: Sat, "), "%2d %3s %4d %2d:%2d:%2d GMT", &day, name,
                           &year, &hour, &minute, &second),
                    ==, 6);
    while (month < 12 && strcmp(months[month], name) != 0)
        month++;
    g_assert_cmpint(month, <, 12);
    told = g_date_time_new_utc(year, month + 1, day, hour, minute, second);
    return g_date_time_difference(told, now) / G_USEC_PER_SEC;
}

static void
test_wrong_clock(void)
{
    g_autoptr(CfSim) sim = start_signed();
    const Signing plain = {0};
    const Signing corrected = {.age_s = -600};
    g_autoptr(Reply) refused = NULL;
    g_autoptr(Reply) good = NULL;
    g_autoptr(Reply) behind = NULL;
    g_autoptr(Reply) right = NULL;

    admin(sim, "POST", "/_sim/settings", "{\"clock_skew_s\":600}");
    refused = ask_signed(sim, &plain);
    g_assert_cmpfloat(number(refused, "ret_code"), ==, 1300);
    g_assert_cmpint(ABS(date_offset_s(refused) - 600), <, 30);
    good = ask_signed(sim, &corrected);
    g_assert_cmpfloat(number(good, "ret_code"), ==, 0);
    admin(sim, "POST", "/_sim/settings", "{\"clock_skew_s\":-600}");
    behind = ask_signed(sim, &plain);
    g_assert_cmpfloat(number(behind, "ret_code"), ==, 1300);
    g_assert_cmpint(ABS(date_offset_s(behind) + 600), <, 30);
    admin(sim, "POST", "/_sim/settings", "{\"clock_skew_s\":0}");
    right = ask_signed(sim, &plain);
    g_assert_cmpfloat(number(right, "ret_code"), ==, 0);
    g_assert_cmpint(ABS(date_offset_s(right)), <, 30);
}

static void
test_role(void)
{
    g_autoptr(CfSim) sim = start_signed();
    g_autoptr(Reply) told = call(sim, "GET", "/latest/meta-data/security-credentials", NULL);
    cJSON *role = cJSON_Parse(cJSON_GetStringValue(told->json));
    Signing how = {.path = "/iam/"};

    g_assert_nonnull(role);
    how.token = cJSON_GetStringValue(cJSON_GetObjectItem(role, "id_token"));
    how.key = cJSON_GetStringValue(cJSON_GetObjectItem(role, "access_key"));
    how.secret = cJSON_GetStringValue(cJSON_GetObjectItem(role, "secret_key"));
    g_assert_true(cJSON_IsNumber(cJSON_GetObjectItem(role, "expiration")));
    {
        g_autoptr(Reply) good = ask_signed(sim, &how);

        g_assert_cmpfloat(number(good, "ret_code"), ==, 0);
    }
    how.secret = "fake-other-secret";
    {
        g_autoptr(Reply) wrong = ask_signed(sim, &how);

        g_assert_cmpfloat(number(wrong, "ret_code"), ==, 1200);
    }
    how.secret = cJSON_GetStringValue(cJSON_GetObjectItem(role, "secret_key"));
    admin(sim, "POST", "/_sim/tokens/revoke", NULL);
    {
        g_autoptr(Reply) late = ask_signed(sim, &how);

        g_assert_cmpfloat(number(late, "ret_code"), ==, 2000);
    }
    cJSON_Delete(role);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qingcloud-sign/vectors", test_vectors);
    g_test_add_func("/qingcloud-sign/signed", test_signed);
    g_test_add_func("/qingcloud-sign/signed-values", test_signed_values);
    g_test_add_func("/qingcloud-sign/incomplete", test_incomplete);
    g_test_add_func("/qingcloud-sign/wrong-clock", test_wrong_clock);
    g_test_add_func("/qingcloud-sign/role", test_role);
    return g_test_run();
}
