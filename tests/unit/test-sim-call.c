/* How the simulator reads a request: its parameters, and the route that it takes. */
#include <string.h>

#include "sim/private.h"

static const CfSimRoute unknown = {"*", NULL, "other", CF_SIM_READ, NULL};
static const CfSimRoute routes[] = {
    {"*", NULL, "ListThings", CF_SIM_READ, NULL},
    {"GET", "/meta/{}", "GET /meta/{}", CF_SIM_AUTH, NULL},
    {"*", NULL, "StopThings", CF_SIM_CHANGE, NULL},
    {NULL},
};
static const char *const paths[] = {"/rpc", "/role", NULL};
static const CfSimDialect dialect = {
    .name = "test",
    .routes = routes,
    .action_key = "action",
    .action_paths = paths,
    .no_action = &unknown,
};

/* form: (nullable): a body that is a form. */
static void
call_init(CfSimCall *call, const char *method, const char *target, const char *form)
{
    const char *mark = strchr(target, '?');

    memset(call, 0, sizeof *call);
    call->method = g_strdup(method);
    call->target = g_strdup(target);
    call->path = mark ? g_strndup(target, (gsize) (mark - target)) : g_strdup(target);
    call->query = mark ? call->target + (mark - target) + 1 : NULL;
    call->headers = g_ptr_array_new_with_free_func(g_free);
    call->body = g_string_new(form);
    if (form) {
        g_ptr_array_add(call->headers, g_strdup("content-type"));
        g_ptr_array_add(call->headers, g_strdup("application/x-www-form-urlencoded"));
    }
    cf_sim_call_parse_params(call);
}

static void
test_actions(void)
{
    static const struct {
        const char *method, *target, *form, *route; /* route: NULL: none */
    } cases[] = {
        {"GET", "/rpc?action=ListThings", NULL, "ListThings"},
        {"GET", "/rpc/?a=1&action=StopThings", NULL, "StopThings"},
        {"GET", "/before/rpc/?action=StopThings", NULL, "StopThings"},
        {"GET", "/role?action=ListThings", NULL, "ListThings"},
        {"POST", "/rpc", "a=1&action=ListThings", "ListThings"},
        {"POST", "/rpc?action=StopThings", "a=1", "StopThings"},
        {"POST", "/rpc?action=StopThings", "action=ListThings", "StopThings"},
        {"GET", "/rpc?action=listthings", NULL, "other"},
        {"GET", "/rpc?action=", NULL, "other"},
        {"GET", "/rpc", NULL, "other"},
        {"GET", "/rpc?Action=ListThings", NULL, "other"},
        {"PUT", "/rpc?action=ListThings", NULL, NULL},
        {"GET", "/rpc//?action=ListThings", NULL, NULL},
        {"GET", "/elsewhere?action=ListThings", NULL, NULL},
        {"GET", "/?action=ListThings", NULL, NULL},
        {"GET", "/meta/x?action=ListThings", NULL, "GET /meta/{}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const CfSimRoute *route;
        CfSimCall call;

        call_init(&call, cases[i].method, cases[i].target, cases[i].form);
        route = cf_sim_route_of_call(&dialect, &call);
        g_assert_cmpstr(route ? route->name : NULL, ==, cases[i].route);
        cf_sim_call_clear(&call);
    }
}

static void
test_root_serves_all(void)
{
    static const char *const all[] = {"/", NULL};
    static const char *const targets[] = {"/?action=ListThings", "/a/b?action=ListThings",
                                          "//?action=ListThings"};
    CfSimDialect root = dialect;

    root.action_paths = all;
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        const CfSimRoute *route;
        CfSimCall call;

        call_init(&call, "GET", targets[i], NULL);
        route = cf_sim_route_of_call(&root, &call);
        g_assert_cmpstr(route ? route->name : NULL, ==, "ListThings");
        cf_sim_call_clear(&call);
    }
}

static void
test_lists(void)
{
    g_autoptr(GPtrArray) ids = NULL;
    g_autoptr(GPtrArray) none = NULL;
    CfSimCall call;

    call_init(&call, "POST", "/rpc?id.10=ten&id.2=two%2C+%E4%B8%AD&id.x=no&id=no&idx.1=no&id.=no",
              "id.1=one&id.-1=no&id.0=zero");
    ids = cf_sim_call_list(&call, "id");
    none = cf_sim_call_list(&call, "i");
    g_assert_cmpuint(ids->len, ==, 4);
    g_assert_cmpstr(g_ptr_array_index(ids, 0), ==, "zero");
    g_assert_cmpstr(g_ptr_array_index(ids, 1), ==, "one");
    g_assert_cmpstr(g_ptr_array_index(ids, 2), ==, "two, 中");
    g_assert_cmpstr(g_ptr_array_index(ids, 3), ==, "ten");
    g_assert_cmpuint(none->len, ==, 0);
    cf_sim_call_clear(&call);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sim-call/actions", test_actions);
    g_test_add_func("/sim-call/root-serves-all", test_root_serves_all);
    g_test_add_func("/sim-call/lists", test_lists);
    return g_test_run();
}
