#include <stdio.h>

#include "test-sim-client.h"

#define LIST "/v1/servers/1/100"
#define LIST_ROUTE "GET /v1/servers/{page}/{size}"

static CfSim *
start(void (*adjust)(CfSimOptions *options))
{
    CfSimOptions options;
    g_autoptr(GError) error = NULL;
    CfSim *sim;

    cf_sim_options_init(&options);
    options.servers = 10;
    options.no_auth = TRUE;
    if (adjust)
        adjust(&options);
    sim = cf_sim_new(&options, &error);
    g_assert_no_error(error);
    return sim;
}

static void
with_credentials(CfSimOptions *options)
{
    options->no_auth = FALSE;
    options->token = "static-token";
    options->username = "user";
    options->password = "p&ss";
    options->client_id = "client";
    options->client_secret = "client-secret";
    options->access_key = "AK";
    options->secret_key = "SK";
}

static guint
status_with(CfSim *sim, const char *headers)
{
    g_autoptr(Reply) reply = call_with(sim, "GET", LIST, headers, NULL);

    return reply->status;
}

static guint
status_with_token(CfSim *sim, const char *token)
{
    g_autofree char *header = g_strdup_printf("Authorization: Bearer %s\r\n", token);

    return status_with(sim, header);
}

static void
test_tokens(void)
{
    g_autoptr(CfSim) sim = start(with_credentials);
    const char *form = "Content-Type: application/x-www-form-urlencoded\r\n";
    const char *realm = "/auth/realms/picp/protocol/openid-connect/token";
    g_autoptr(Reply) iam = NULL;
    g_autoptr(Reply) wrong = NULL;
    g_autoptr(Reply) granted = NULL;
    g_autoptr(Reply) refreshed = NULL;
    g_autofree char *refresh = NULL;

    g_assert_cmpuint(status_with(sim, NULL), ==, 401);
    g_assert_cmpuint(status_with_token(sim, "other"), ==, 401);
    g_assert_cmpuint(status_with_token(sim, "static-token"), ==, 200);
    wrong = call(sim, "POST", "/auth/v1/token", "{\"username\":\"user\",\"password\":\"x\"}");
    g_assert_cmpuint(wrong->status, ==, 401);
    g_assert_cmpstr(text(wrong, "error"), ==, "invalid_grant");
    iam = call(sim, "POST", "/auth/v1/token", "{\"username\":\"user\",\"password\":\"p&ss\"}");
    g_assert_cmpfloat(number(iam, "expires_in"), ==, 5400);
    g_assert_cmpfloat(number(iam, "not-before-policy"), ==, 0);
    g_assert_cmpuint(status_with_token(sim, text(iam, "access_token")), ==, 200);
    admin(sim, "POST", "/_sim/clock", "{\"advance_ms\":5400000}");
    g_assert_cmpuint(status_with_token(sim, text(iam, "access_token")), ==, 401);
    granted = call_with(sim, "POST", realm, form,
                        "grant_type=password&username=user&password=p%26ss&client_id=client&"
                        "client_secret=client-secret");
    g_assert_cmpuint(status_with_token(sim, text(granted, "access_token")), ==, 200);
    admin(sim, "POST", "/_sim/tokens/revoke", "");
    g_assert_cmpuint(status_with_token(sim, text(granted, "access_token")), ==, 401);
    refresh = g_strdup_printf("grant_type=refresh_token&refresh_token=%s&client_id=client&"
                              "client_secret=client-secret",
                              text(granted, "refresh_token"));
    refreshed = call_with(sim, "POST", realm, form, refresh);
    g_assert_cmpuint(status_with_token(sim, text(refreshed, "access_token")), ==, 200);
}

/* Written down here once more on purpose: the simulator must not check itself. */
static char *
signed_headers(const char *random, gint64 time_ms, gboolean body_line)
{
    g_autofree char *full =
        g_strdup_printf("GET\n%" G_GINT64_FORMAT "%sSK\n" LIST "?a=中 b%s", time_ms, random,
                        body_line ? "\nd41d8cd98f00b204e9800998ecf8427e" : "");
    g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, full, -1);
    g_autofree char *sign = g_base64_encode((const guchar *) hex, strlen(hex));

    return g_strdup_printf("x-secret-id: AK\r\nx-sign-algorithm: sha256\r\nx-time: "
                           "%" G_GINT64_FORMAT "\r\nx-random: %s\r\nx-sign: %s\r\n",
                           time_ms, random, sign);
}

static guint
status_signed(CfSim *sim, const char *random, gint64 skew_ms, gboolean body_line)
{
    g_autofree char *headers =
        signed_headers(random, g_get_real_time() / 1000 + skew_ms, body_line);
    g_autoptr(Reply) reply = call_with(sim, "GET", LIST "?a=%E4%B8%AD%20b", headers, NULL);

    return reply->status;
}

static void
test_signed(void)
{
    g_autoptr(CfSim) sim = start(with_credentials);

    g_assert_cmpuint(status_signed(sim, "one", 0, FALSE), ==, 200);
    g_assert_cmpuint(status_signed(sim, "one", 0, FALSE), ==, 401);
    g_assert_cmpuint(status_signed(sim, "two", 0, TRUE), ==, 200);
    g_assert_cmpuint(status_signed(sim, "three", -16 * 60 * 1000, FALSE), ==, 401);
    g_assert_cmpuint(status_signed(sim, "four", 14 * 60 * 1000, FALSE), ==, 200);
    admin(sim, "POST", "/_sim/settings", "{\"sign_empty_body\":false}");
    g_assert_cmpuint(status_signed(sim, "five", 0, TRUE), ==, 401);
    g_assert_cmpuint(status_signed(sim, "six", 0, FALSE), ==, 200);
}

static void
plant(CfSim *sim, const char *kind, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"match\":\"%s\",\"kind\":\"%s\"%s}", LIST_ROUTE, kind, more);

    admin(sim, "POST", "/_sim/faults", body);
}

static void
test_fault_kinds(void)
{
    static const struct {
        const char *kind, *more;
        guint status;
        const char *shows; /* (nullable): within the body */
        gboolean json;
    } cases[] = {
        {"status", ",\"status\":503,\"body\":\"busy\",\"headers\":{\"Retry-After\":\"2\"}", 503,
         "busy", FALSE},
        {"code", ",\"code\":\"101.001040\",\"message\":\"x\",\"status\":400", 400, "\"101.001040\"",
         TRUE},
        {"reset", "", 0, NULL, FALSE},
        {"reset_after", "", 0, NULL, FALSE},
        {"truncate", "", 200, "totalCount", FALSE},
        {"garbage", "", 200, "not json", FALSE},
        {"html", "", 200, "<html>", FALSE},
        {"wrong_type", "", 200, "[1,2,3]", TRUE},
        {"deep", "", 200, "[[[[", FALSE},
        {"empty", "", 200, "\"totalCount\":0,\"servers\":[]", TRUE},
        {"partial", "", 200, "\"totalCount\":10,\"servers\":[]", TRUE},
        {"latency", ",\"ms\":30", 200, "totalCount", TRUE},
    };
    g_autoptr(CfSim) sim = start(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reply) hit = NULL;

        plant(sim, cases[i].kind, cases[i].more);
        hit = call(sim, "GET", LIST, NULL);
        g_assert_cmpuint(hit->status, ==, cases[i].status);
        if (cases[i].shows)
            g_assert_nonnull(strstr(hit->body->str, cases[i].shows));
        g_assert_cmpint(hit->json != NULL, ==, cases[i].json);
        g_assert_cmpuint(status_with(sim, NULL), ==, 200); /* it struck once */
    }
}

static void
test_fault_huge(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) reply = NULL;

    plant(sim, "huge", "");
    reply = call(sim, "GET", LIST, NULL);
    g_assert_cmpuint(reply->body->len, ==, 100 * 1024 * 1024);
    g_assert_nonnull(reply->json);
}

static void
test_fault_after_and_count(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    static const guint wanted[] = {200, 200, 503, 503, 503, 200};
    g_autoptr(Reply) list = NULL;

    plant(sim, "status", ",\"after\":2,\"count\":3");
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpuint(status_with(sim, NULL), ==, wanted[i]);
    list = call(sim, "GET", "/_sim/faults", NULL);
    g_assert_cmpfloat(number(list, "0.hits"), ==, 3);
    g_assert_cmpfloat(number(list, "0.seen"), ==, 6);
}

static void
test_fault_shift(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) first = NULL;
    g_autoptr(Reply) second = NULL;
    g_autoptr(Reply) all = call(sim, "GET", LIST, NULL);

    plant(sim, "shift", ",\"count\":-1");
    first = call(sim, "GET", "/v1/servers/1/5", NULL);
    second = call(sim, "GET", "/v1/servers/2/5", NULL);
    g_assert_cmpstr(text(first, "data.servers.4.id"), ==, text(second, "data.servers.0.id"));
    g_assert_cmpstr(text(second, "data.servers.4.id"), ==, text(all, "data.servers.8.id"));
}

static void
test_fault_hang(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    int read_fd, change_fd, kept_fd;
    g_autoptr(Reply) read = NULL;
    g_autoptr(Reply) change = NULL;
    g_autoptr(Reply) kept = NULL;

    admin(sim, "POST", "/_sim/servers", "{\"id\":\"a\",\"status\":\"SHUTOFF\"}");
    admin(sim, "POST", "/_sim/faults", "{\"match\":\"*\",\"kind\":\"hang\",\"count\":-1}");
    read_fd = client_connect(sim);
    client_send(read_fd, "GET", LIST, NULL, NULL);
    change_fd = client_connect(sim);
    client_send(change_fd, "POST", "/v1/servers/a/action", NULL, "{\"os-start\":{}}");
    g_usleep(100 * 1000);
    admin(sim, "DELETE", "/_sim/faults", NULL);
    read = client_receive(read_fd);
    g_assert_cmpuint(read->status, ==, 200);
    change = client_receive(change_fd); /* nothing happened, nothing shall happen now */
    g_assert_cmpuint(change->status, ==, 0);
    admin(sim, "POST", "/_sim/faults", "{\"kind\":\"hang\"}");
    kept_fd = client_connect(sim);
    client_send(kept_fd, "GET", LIST, NULL, NULL);
    g_usleep(100 * 1000);
    g_clear_pointer(&sim, cf_sim_free); /* lets it go as well */
    kept = client_receive(kept_fd);
    g_assert_cmpuint(kept->status, ==, 0);
}

static gpointer
call_list(gpointer sim)
{
    reply_free(call(sim, "GET", LIST, NULL));
    return NULL;
}

static void
with_latency(CfSimOptions *options)
{
    options->latency_ms = 400;
}

static void
test_latency_is_shared(void)
{
    g_autoptr(CfSim) sim = start(with_latency);
    gint64 began = g_get_monotonic_time();
    GThread *threads[8];
    gint64 took;

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("caller", call_list, sim);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    took = g_get_monotonic_time() - began;
    g_assert_cmpint(took, >=, 400 * 1000);
    g_assert_cmpint(took, <, 8 * 400 * 1000); /* a slow machine is allowed much, a queue is not */
}

static void
test_counters_and_requests(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) before G_GNUC_UNUSED =
        call(sim, "POST", "/ecs/v1/servers/x/action?q=1", "{\"a\":1}");
    g_autoptr(Reply) counters = NULL;
    g_autoptr(Reply) requests = NULL;
    g_autoptr(Reply) reset = NULL;

    g_assert_cmpuint(status_with(sim, "X-Own: value\r\n"), ==, 200);
    g_assert_cmpuint(status_with(sim, NULL), ==, 200);
    counters = call(sim, "GET", "/_sim/counters", NULL);
    g_assert_cmpfloat(number(counters, "total"), ==, 3);
    g_assert_cmpfloat(number(counters, "reads"), ==, 2);
    g_assert_cmpfloat(number(counters, "changes"), ==, 1);
    g_assert_cmpfloat(number(counters, "by." LIST_ROUTE), ==, 2);
    requests = call(sim, "GET", "/_sim/requests", NULL);
    g_assert_nonnull(requests->json); /* the first line */
    g_assert_cmpstr(text(requests, "path"), ==, "/ecs/v1/servers/x/action?q=1");
    g_assert_cmpstr(text(requests, "body"), ==, "{\"a\":1}");
    g_assert_cmpstr(text(requests, "route"), ==, "POST /v1/servers/{id}/action");
    g_assert_cmpfloat(number(requests, "status"), ==, 400);
    g_assert_nonnull(strstr(requests->body->str, "\"X-Own\":\"value\""));
    admin(sim, "DELETE", "/_sim/counters", NULL);
    admin(sim, "DELETE", "/_sim/requests", NULL);
    reset = call(sim, "GET", "/_sim/counters", NULL);
    g_assert_cmpfloat(number(reset, "total"), ==, 0);
}

static void
test_records(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) odd = NULL;
    g_autoptr(Reply) many = NULL;
    g_autoptr(Reply) touched = NULL;
    g_autoptr(Reply) twice = NULL;

    admin(sim, "POST", "/_sim/servers", "{\"id\":\"a\"}");
    twice = call(sim, "POST", "/_sim/servers", "{\"id\":\"a\"}");
    g_assert_cmpuint(twice->status, ==, 400);
    admin(sim, "PATCH", "/_sim/servers/a",
          "{\"big\":12345678901234567890.000100,\"eip\":null,\"$remove\":[\"nics\"]}");
    odd = call(sim, "GET", "/v1/servers/a", NULL);
    g_assert_nonnull(strstr(odd->body->str, "\"big\":12345678901234567890.000100"));
    g_assert_true(cJSON_IsNull(member(odd, "data.server.eip")));
    g_assert_null(member(odd, "data.server.nics"));
    admin(sim, "PUT", "/_sim/servers/a/tags", "[\"x\",\"y\"]");
    admin(sim, "POST", "/_sim/servers/bulk", "{\"count\":189}");
    many = call(sim, "GET", LIST, NULL);
    g_assert_cmpfloat(number(many, "data.totalCount"), ==, 200);
    touched = call(sim, "POST", "/_sim/servers/touch", "{\"fraction\":0.25}");
    g_assert_cmpfloat(number(touched, "changed"), ==, 50);
    admin(sim, "DELETE", "/_sim/servers/a", NULL);
    g_clear_pointer(&many, reply_free);
    many = call(sim, "GET", "/v1/servers/a", NULL);
    g_assert_cmpstr(text(many, "code"), ==, "101.001033");
}

static void
test_settings(void)
{
    g_autoptr(CfSim) sim = start(NULL);
    g_autoptr(Reply) unknown = call(sim, "POST", "/_sim/settings", "{\"colour\":1}");
    g_autoptr(Reply) wrong = call(sim, "POST", "/_sim/settings", "{\"code_style\":\"loud\"}");
    g_autoptr(Reply) bad_fault = call(sim, "POST", "/_sim/faults", "{\"kind\":\"quake\"}");

    g_assert_cmpuint(unknown->status, ==, 400);
    g_assert_cmpuint(wrong->status, ==, 400);
    g_assert_cmpuint(bad_fault->status, ==, 400);
    admin(sim, "POST", "/_sim/settings", "{\"listing\":\"down\"}");
    g_assert_cmpuint(status_with(sim, NULL), ==, 503);
    admin(sim, "POST", "/_sim/settings", "{\"listing\":\"up\"}");
    g_assert_cmpuint(status_with(sim, NULL), ==, 200);
}

static void
test_addresses(void)
{
    CfSimOptions options;
    g_autoptr(GError) error = NULL;

    cf_sim_options_init(&options);
    options.address = "0.0.0.0";
    g_assert_null(cf_sim_new(&options, &error));
    g_assert_error(error, CF_ERROR, CF_ERROR_CONFIG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim/tokens", test_tokens);
    g_test_add_func("/sim/signed", test_signed);
    g_test_add_func("/sim/fault/kinds", test_fault_kinds);
    g_test_add_func("/sim/fault/huge", test_fault_huge);
    g_test_add_func("/sim/fault/after-and-count", test_fault_after_and_count);
    g_test_add_func("/sim/fault/shift", test_fault_shift);
    g_test_add_func("/sim/fault/hang", test_fault_hang);
    g_test_add_func("/sim/latency-is-shared", test_latency_is_shared);
    g_test_add_func("/sim/counters-and-requests", test_counters_and_requests);
    g_test_add_func("/sim/records", test_records);
    g_test_add_func("/sim/settings", test_settings);
    g_test_add_func("/sim/addresses", test_addresses);
    return g_test_run();
}
