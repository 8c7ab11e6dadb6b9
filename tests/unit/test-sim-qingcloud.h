/* What the tests of the QingCloud dialect share. */
#pragma once

#include "sim/qingcloud.h"
#include "test-sim-client.h"

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define TWO_HOURS (2 * 3600 * 1000)

static inline CfSim *
start_with(CfSimOptions *options)
{
    g_autoptr(GError) error = NULL;
    CfSim *sim;

    options->dialect = "qingcloud";
    options->transition_ms = 10000;
    sim = cf_sim_new(options, &error);
    g_assert_no_error(error);
    return sim;
}

static inline CfSim *
start(guint servers, guint images)
{
    CfSimOptions options;

    cf_sim_options_init(&options);
    options.servers = servers;
    options.images = images;
    options.no_auth = TRUE;
    return start_with(&options);
}

/* An empty cloud with a frozen clock. */
static inline CfSim *
start_frozen(void)
{
    CfSim *sim = start(0, 0);

    admin(sim, "POST", "/_sim/settings", "{\"freeze\":true}");
    return sim;
}

static inline Reply *
ask(CfSim *sim, const char *action, const char *params)
{
    g_autofree char *path =
        g_strdup_printf("/iaas/?action=%s&zone=pek3a%s%s", action, *params ? "&" : "", params);
    Reply *reply = call(sim, "GET", path, NULL);

    g_assert_cmpuint(reply->status, ==, 200);
    return reply;
}

static inline void
assert_code(CfSim *sim, const char *action, const char *params, int code)
{
    g_autoptr(Reply) reply = ask(sim, action, params);

    if ((int) number(reply, "ret_code") != code)
        g_error("%s %s: %s", action, params, reply->body->str);
    if (code)
        g_assert_null(member(reply, "action"));
}

/* The call is refused with those words. */
static inline void
assert_words(CfSim *sim, const char *action, const char *params, int code, const char *words)
{
    g_autoptr(Reply) reply = ask(sim, action, params);

    g_assert_cmpfloat(number(reply, "ret_code"), ==, code);
    g_assert_cmpstr(text(reply, "message"), ==, words);
}

static inline void
add_server(CfSim *sim, const char *id, const char *status, const char *more)
{
    g_autofree char *body =
        g_strdup_printf("{\"instance_id\":\"%s\",\"instance_name\":\"%s\",\"status\":\"%s\","
                        "\"transition_status\":\"\"%s}",
                        id, id, status, more);

    admin(sim, "POST", "/_sim/servers", body);
}

static inline void
add_image(CfSim *sim, const char *id, const char *status, const char *more)
{
    g_autofree char *body = g_strdup_printf(
        "{\"image_id\":\"%s\",\"image_name\":\"%s\",\"status\":\"%s\",\"provider\":\"self\","
        "\"transition_status\":\"\",\"visibility\":\"private\"%s}",
        id, id, status, more);

    admin(sim, "POST", "/_sim/images", body);
}

static inline void
advance(CfSim *sim, guint ms)
{
    g_autofree char *body = g_strdup_printf("{\"advance_ms\":%u}", ms);

    admin(sim, "POST", "/_sim/clock", body);
}

static inline void
assert_state(CfSim *sim, const char *id, const char *status, const char *transition)
{
    g_autofree char *params = g_strdup_printf("instances.1=%s", id);
    g_autoptr(Reply) reply = ask(sim, "DescribeInstances", params);

    g_assert_cmpfloat(number(reply, "total_count"), ==, 1);
    g_assert_cmpstr(text(reply, "instance_set.0.instance_id"), ==, id);
    g_assert_cmpstr(text(reply, "instance_set.0.status"), ==, status);
    g_assert_cmpstr(text(reply, "instance_set.0.transition_status"), ==, transition);
}

static inline void
assert_image(CfSim *sim, const char *id, const char *status, const char *transition)
{
    g_autofree char *params = g_strdup_printf("images.1=%s", id);
    g_autoptr(Reply) reply = ask(sim, "DescribeImages", params);

    g_assert_cmpstr(text(reply, "image_set.0.status"), ==, status);
    g_assert_cmpstr(text(reply, "image_set.0.transition_status"), ==, transition);
}

static inline void
assert_job(CfSim *sim, const char *id, const char *status)
{
    g_autofree char *params = g_strdup_printf("jobs.1=%s", id);
    g_autoptr(Reply) reply = ask(sim, "DescribeJobs", params);

    g_assert_cmpfloat(number(reply, "total_count"), ==, 1);
    g_assert_cmpstr(text(reply, "job_set.0.job_id"), ==, id);
    g_assert_cmpstr(text(reply, "job_set.0.status"), ==, status);
}

/* The ids of the servers or images that a listing finds, joined. */
static inline void
assert_found(CfSim *sim, const char *action, const char *params, const char *wanted)
{
    gboolean images = strcmp(action, "DescribeImages") == 0;
    g_autoptr(Reply) reply = ask(sim, action, params);
    g_autoptr(GString) found = g_string_new(NULL);
    const cJSON *item;

    cJSON_ArrayForEach (item, member(reply, images ? "image_set" : "instance_set"))
        g_string_append_printf(
            found, "%s%s", found->len ? " " : "",
            cJSON_GetObjectItem(item, images ? "image_id" : "instance_id")->valuestring);
    if (strcmp(found->str, wanted) != 0)
        g_error("%s %s: %s", action, params, reply->body->str);
    g_assert_cmpfloat(number(reply, "total_count"), ==,
                      cJSON_GetArraySize(member(reply, images ? "image_set" : "instance_set")));
}
