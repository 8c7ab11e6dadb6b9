/* What the tests of the simulated UCloudStack share: a cloud, records, signed requests. */
#pragma once

#include "sim/ucloudstack.h"
#include "test-sim-client.h"

#define PUBLIC_KEY "fake+public/key=1@example.com"
#define PRIVATE_KEY "fake_private_key_of_tests"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

/* change: (nullable): sets further options. */
static inline CfSim *
start(void (*change)(CfSimOptions *options))
{
    CfSimOptions options;
    g_autoptr(GError) error = NULL;
    CfSim *sim;

    cf_sim_options_init(&options);
    options.dialect = "ucloudstack";
    options.servers = 0;
    options.images = 0;
    options.transition_ms = 10000;
    options.access_key = PUBLIC_KEY;
    options.secret_key = PRIVATE_KEY;
    if (change)
        change(&options);
    sim = cf_sim_new(&options, &error);
    g_assert_no_error(error);
    return sim;
}

/* An empty cloud whose clock stands still. */
static inline CfSim *
start_frozen(void)
{
    CfSim *sim = start(NULL);

    admin(sim, "POST", "/_sim/settings", "{\"freeze\":true}");
    return sim;
}

static inline void
speak(CfSim *sim, guint version)
{
    admin(sim, "POST", "/_sim/settings",
          version == 1 ? "{\"api_version\":\"first\"}" : "{\"api_version\":\"newest\"}");
}

static inline void
advance(CfSim *sim, guint ms)
{
    g_autofree char *body = g_strdup_printf("{\"advance_ms\":%u}", ms);

    admin(sim, "POST", "/_sim/clock", body);
}

/* more: (nullable): further members, each with a comma before it. */
static inline void
add_server(CfSim *sim, const char *id, const char *state, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"VMID\":\"%s\",\"Name\":\"name-of-%s\",\"State\":\"%s\",\"ImageID\":"
                        "\"image-none\",\"CompanyID\":200000123%s}",
                        id, id, state, more ? more : "");

    admin(sim, "POST", "/_sim/servers", body);
}

static inline void
add_image(CfSim *sim, const char *id, const char *type, const char *more)
{
    g_autofree char *body = g_strdup_printf(
        "{\"ImageID\":\"%s\",\"Name\":\"name-of-%s\",\"ImageType\":\"%s\",\"ImageStatus\":\"Used\","
        "\"CompanyID\":200000123%s}",
        id, id, type, more ? more : "");

    admin(sim, "POST", "/_sim/images", body);
}

/* ---- Requests ---- */

static inline void
add_pair(GPtrArray *params, const char *name, const char *value)
{
    g_ptr_array_add(params, g_strdup(name));
    g_ptr_array_add(params, g_strdup(value));
}

/* Returns: (transfer full): the parameters as a form, or a query. */
static inline char *
encode(const GPtrArray *params)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < params->len; i += 2) {
        g_autofree char *name = g_uri_escape_string(g_ptr_array_index(params, i), NULL, FALSE);
        g_autofree char *value = g_uri_escape_string(g_ptr_array_index(params, i + 1), NULL, FALSE);

        g_string_append_printf(out, "%s%s=%s", i ? "&" : "", name, value);
    }
    return g_string_free(out, FALSE);
}

/* Returns: (transfer full): an action in the region, unsigned. */
static inline GPtrArray *
action(const char *name)
{
    GPtrArray *params = g_ptr_array_new_with_free_func(g_free);

    add_pair(params, "Action", name);
    add_pair(params, "Region", "cn");
    return params;
}

static inline void
sign(GPtrArray *params, const char *public_key, const char *private_key)
{
    g_autofree char *signature = NULL;

    add_pair(params, "PublicKey", public_key);
    signature = cf_sim_ucloud_sign(params, private_key);
    add_pair(params, "Signature", signature);
}

static inline Reply *
post(CfSim *sim, const GPtrArray *params)
{
    g_autofree char *body = encode(params);

    return call_with(sim, "POST", "/api", FORM, body);
}

/* A signed request. texts: the action, then names and values in turn, up to a NULL. */
static inline Reply *
ask_all(CfSim *sim, const char *const *texts)
{
    g_autoptr(GPtrArray) params = action(texts[0]);

    for (guint i = 1; texts[i]; i += 2)
        add_pair(params, texts[i], texts[i + 1]);
    sign(params, PUBLIC_KEY, PRIVATE_KEY);
    return post(sim, params);
}
#define ask(sim, ...) ask_all(sim, (const char *const[]){__VA_ARGS__, NULL})

/* The envelope. code 0: it must be a success. */
static inline void
assert_code(const Reply *reply, guint code)
{
    g_assert_cmpuint(reply->status, ==, 200);
    if (number(reply, "RetCode") != code)
        g_error("RetCode %u is wanted: %.300s", code, reply->body->str);
    g_assert_true(g_str_has_suffix(text(reply, "Action"), "Response"));
    if (code)
        g_assert_cmpint(strlen(text(reply, "Message")), >, 0);
}

static inline void
assert_move(CfSim *sim, const char *name, const char *id, guint code)
{
    g_autoptr(Reply) reply = ask(sim, name, "VMID", id);

    assert_code(reply, code);
}

static inline void
assert_state(CfSim *sim, const char *id, const char *state)
{
    g_autoptr(Reply) reply = ask(sim, "DescribeVMInstance", "VMIDs.0", id);

    g_assert_cmpfloat(number(reply, "TotalCount"), ==, 1);
    g_assert_cmpstr(text(reply, "Infos.0.VMID"), ==, id);
    g_assert_cmpstr(text(reply, "Infos.0.State"), ==, state);
}

static inline void
assert_count(const Reply *reply, guint total, int items)
{
    assert_code(reply, 0);
    g_assert_cmpfloat(number(reply, "TotalCount"), ==, total);
    g_assert_cmpint(cJSON_GetArraySize(member(reply, "Infos")), ==, items);
}
