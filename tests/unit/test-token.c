#include "auth/token.h"

#include "util/error.h"
#include "util/text.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT(1000000)

static gboolean
parse(int status, const char *text, CfToken *token, GError **error)
{
    return cf_token_parse(status, text, strlen(text), 1000 * SECOND, token, error);
}

static void
assert_body(char *body, const char *expected)
{
    g_assert_cmpstr(body, ==, expected);
    cf_text_wipe(body);
}

static void
test_bodies(void)
{
    assert_body(cf_token_form_password("cli", NULL, "main.sub", "p&s= %+中"),
                "grant_type=password&client_id=cli&username=main.sub&password="
                "p%26s%3D%20%25%2B%E4%B8%AD");
    assert_body(cf_token_form_password("cli", "s/t", "u", "p"),
                "grant_type=password&client_id=cli&client_secret=s%2Ft&username=u&password=p");
    assert_body(cf_token_form_refresh("cli", NULL, "a.b-c_d"),
                "grant_type=refresh_token&client_id=cli&refresh_token=a.b-c_d");
    assert_body(cf_token_form_client("cli", "x"),
                "grant_type=client_credentials&client_id=cli&client_secret=x");
    assert_body(cf_token_json_login("u\"", "p\\\n"),
                "{\"username\":\"u\\\"\",\"password\":\"p\\\\\\u000a\"}");
}

static void
test_urls(void)
{
    g_autofree char *keycloak = cf_token_url_keycloak("https://id.example", "pi cp/x");
    g_autofree char *iam = cf_token_url_iam("https://iam.example");

    g_assert_cmpstr(keycloak, ==,
                    "https://id.example/auth/realms/pi%20cp%2Fx/protocol/openid-connect/token");
    g_assert_cmpstr(iam, ==, "https://iam.example/auth/v1/token");
}

static void
test_answer(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(CfToken) token = {0};

    parse(200,
          "{\"access_token\":\"acc.ess\",\"expires_in\":5400,\"refresh_expires_in\":7200,"
          "\"refresh_token\":\"re.fresh\",\"token_type\":\"bearer\",\"not-before-policy\":0,"
          "\"session_state\":\"s\",\"scope\":\"openid\"}",
          &token, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(token.access_token, ==, "acc.ess");
    g_assert_cmpstr(token.refresh_token, ==, "re.fresh");
    g_assert_cmpint(token.expires_us, ==, 6400 * SECOND);
    g_assert_cmpint(token.refresh_expires_us, ==, 8200 * SECOND);
    g_assert_cmpint(cf_token_get_renewal_us(&token), ==, 6280 * SECOND);
}

static void
test_short_life(void)
{
    g_auto(CfToken) token = {0};

    g_assert_true(parse(200, "{\"access_token\":\"a\",\"expires_in\":60}", &token, NULL));
    g_assert_cmpint(cf_token_get_renewal_us(&token), ==, 1048 * SECOND);
    g_assert_null(token.refresh_token);
}

static void
test_loose_answers(void)
{
    static const struct {
        const char *text;
        gint64 expires_us;
    } rows[] = {
        {"{\"access_token\":\"a\"}", G_MAXINT64},
        {"{\"access_token\":\"a\",\"expires_in\":\"300\"}", 1300 * SECOND},
        {"{\"access_token\":\"a\",\"expires_in\":0}", G_MAXINT64},
        {"{\"access_token\":\"a\",\"expires_in\":-5}", G_MAXINT64},
        {"{\"access_token\":\"a\",\"expires_in\":1e999}", G_MAXINT64},
        {"{\"access_token\":\"a\",\"expires_in\":9223372036854775807}", G_MAXINT64},
        {"{\"Code\":\"200\",\"Message\":\"OK\",\"Data\":{\"access_token\":\"a\",\"expires_in\":7}}",
         1007 * SECOND},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(CfToken) token = {0};

        parse(200, rows[i].text, &token, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(token.access_token, ==, "a");
        g_assert_cmpint(token.expires_us, ==, rows[i].expires_us);
    }
}

static void
test_refusals(void)
{
    static const struct {
        int status;
        const char *text;
        CfErrorCode code;
        const char *cloud_code, *message;
    } rows[] = {
        {401, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid user credentials\"}",
         CF_ERROR_UNAUTHORIZED, "invalid_grant", "Invalid user credentials"},
        {400, "{\"error\":\"invalid_client\"}", CF_ERROR_UNAUTHORIZED, "invalid_client", NULL},
        {404, "{\"error\":\"Realm does not exist\"}", CF_ERROR_UNAUTHORIZED, "Realm does not exist",
         NULL},
        {200, "{\"error\":\"x\",\"access_token\":\"a\"}", CF_ERROR_UNAUTHORIZED, "x", NULL},
        {200, "{\"code\":\"003.000203\",\"message\":\"no\",\"data\":\"\"}", CF_ERROR_UNAUTHORIZED,
         "003.000203", "no"},
        {403, "<html>no</html>", CF_ERROR_UNAUTHORIZED, NULL, NULL},
        {404, "<html>no</html>", CF_ERROR_REMOTE, NULL, NULL},
        {503, "{\"error\":\"later\"}", CF_ERROR_REMOTE, "later", NULL},
        {429, "", CF_ERROR_THROTTLED, NULL, NULL},
        {302, "", CF_ERROR_PROTOCOL, NULL, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(CfToken) token = {0};

        g_assert_false(parse(rows[i].status, rows[i].text, &token, &error));
        g_assert_error(error, CF_ERROR, (int) rows[i].code);
        g_assert_cmpint(cf_error_get_cloud(error)->http_status, ==, rows[i].status);
        g_assert_cmpstr(cf_error_get_cloud(error)->code, ==, rows[i].cloud_code);
        g_assert_cmpstr(cf_error_get_cloud(error)->message, ==, rows[i].message);
        g_assert_null(token.access_token);
    }
}

static void
test_garbage(void)
{
    static const char *const texts[] = {"",
                                        "[]",
                                        "{}",
                                        "<html>",
                                        "{\"access_token\":\"\"}",
                                        "{\"access_token\":null}",
                                        "{\"access_token\":{}}",
                                        "{\"access_token\":\"a\\nX-Evil: 1\"}",
                                        "{\"access_token\":\"a b\"}",
                                        "{\"access_token\":\"a\""};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(CfToken) token = {0};

        g_assert_false(parse(200, texts[i], &token, &error));
        g_assert_error(error, CF_ERROR, CF_ERROR_PROTOCOL);
        g_assert_nonnull(strstr(error->message, "access_token"));
    }
}

static void
test_jwt(void)
{
    gint64 exp = 0;

    /* {"alg":"none"} . {"exp":1700000000,"sub":"a"} */
    g_assert_true(cf_token_get_jwt_expiry(
        "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDAsInN1YiI6ImEifQ.c2ln", &exp));
    g_assert_cmpint(exp, ==, 1700000000);
    g_assert_false(cf_token_get_jwt_expiry("opaque", &exp));
    g_assert_false(cf_token_get_jwt_expiry("a.b.c", &exp));
    g_assert_false(cf_token_get_jwt_expiry("..", &exp));
    g_assert_false(cf_token_get_jwt_expiry("", &exp));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/token/bodies", test_bodies);
    g_test_add_func("/token/urls", test_urls);
    g_test_add_func("/token/answer", test_answer);
    g_test_add_func("/token/short-life", test_short_life);
    g_test_add_func("/token/loose-answers", test_loose_answers);
    g_test_add_func("/token/refusals", test_refusals);
    g_test_add_func("/token/garbage", test_garbage);
    g_test_add_func("/token/jwt", test_jwt);
    return g_test_run();
}
