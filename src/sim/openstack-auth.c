/* Keystone: who may, what is where; and the versions that the services speak. */
#include <string.h>

#include "sim/openstack.h"

#define REFUSAL "The request you have made requires authentication."

static const char *const interfaces[] = {"public", "internal", "admin"};
static const char *const regions[] = {"RegionOne", "RegionTwo"};

/* ---- The catalogue ---- */

/* The public addresses of the first region are short ones; the others can be told apart. */
static void
append_address(CfSim *sim, guint region, guint interface, const char *path, GString *out)
{
    g_string_append_printf(out, "%s%s%s%s%s", sim->url ? sim->url : "", region ? "/two" : "",
                           interface ? "/" : "", interface ? interfaces[interface] : "", path);
}

static void
append_service(CfSim *sim, const char *type, const char *name, const char *path, GString *out)
{
    g_string_append_printf(out, "{\"type\":\"%s\",\"name\":\"%s\",\"id\":\"%08x\",\"endpoints\":[",
                           type, name, g_str_hash(type));
    for (guint i = 0; i < G_N_ELEMENTS(regions) * G_N_ELEMENTS(interfaces); i++) {
        guint region = i / G_N_ELEMENTS(interfaces), interface = i % G_N_ELEMENTS(interfaces);

        g_string_append_printf(out,
                               "%s{\"id\":\"%08x%u\",\"interface\":\"%s\",\"region\":\"%s\","
                               "\"region_id\":\"%s\",\"url\":\"",
                               i ? "," : "", g_str_hash(name), i, interfaces[interface],
                               regions[region], regions[region]);
        append_address(sim, region, interface, path, out);
        g_string_append(out, "\"}");
    }
    g_string_append(out, "]}");
}

void
cf_sim_os_append_catalog(CfSim *sim, GString *out)
{
    const char *compute =
        sim->settings.project_in_url ? "/compute/v2.1/" CF_SIM_OS_PROJECT : "/compute/v2.1";

    g_string_append_c(out, '[');
    append_service(sim, "identity", "keystone", "/identity", out);
    g_string_append_c(out, ',');
    append_service(sim, "compute_legacy", "nova_legacy", "/compute/v2/" CF_SIM_OS_PROJECT, out);
    g_string_append_c(out, ',');
    append_service(sim, "compute", "nova", compute, out);
    if (sim->settings.image_service) {
        g_string_append_c(out, ',');
        append_service(sim, "image", "glance", "/image", out);
    }
    g_string_append_c(out, ']');
}

/* ---- Tokens ---- */

static const cJSON *
get(const cJSON *object, const char *path)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);

    for (guint i = 0; object && keys[i]; i++)
        object = cJSON_GetObjectItemCaseSensitive(object, keys[i]);
    return object;
}

static const char *
get_text(const cJSON *object, const char *path)
{
    return cJSON_GetStringValue(get(object, path));
}

static gboolean
same(const char *wanted, const char *given)
{
    return wanted && g_strcmp0(wanted, given) == 0;
}

static gboolean
domain_good(const cJSON *holder)
{
    const char *id = get_text(holder, "domain.id"), *name = get_text(holder, "domain.name");

    return same("default", id) || same("Default", name);
}

/* A name means something only within its domain. */
static gboolean
user_good(CfSim *sim, const cJSON *user)
{
    const char *name = get_text(user, "name");

    return same(CF_SIM_OS_USER, get_text(user, "id")) ||
           (same(sim->options.username, name) && domain_good(user));
}

static gboolean
project_good(const cJSON *project)
{
    return same(CF_SIM_OS_PROJECT, get_text(project, "id")) ||
           (same("demo", get_text(project, "name")) && domain_good(project));
}

static gboolean
password_good(CfSim *sim, const cJSON *user)
{
    return sim->options.no_auth ||
           (user_good(sim, user) && same(sim->options.password, get_text(user, "password")));
}

/* By id, or by a name that is its user's own. */
static gboolean
application_good(CfSim *sim, const cJSON *application)
{
    const char *secret = get_text(application, "secret");
    const cJSON *user = get(application, "user");

    if (sim->options.no_auth)
        return TRUE;
    if (get(application, "id"))
        return same(sim->options.access_key, get_text(application, "id")) &&
               same(sim->options.secret_key, secret);
    return same(sim->options.client_id, get_text(application, "name")) &&
           same(sim->options.client_secret, secret) && user_good(sim, user);
}

static gboolean
token_good(CfSim *sim, const char *token)
{
    return token && (sim->options.no_auth || same(sim->options.token, token) ||
                     cf_sim_tokens_valid(sim, token));
}

/* The one method that it names, or NULL. An application credential has a scope of its own. */
static const char *
check_identity(CfSim *sim, const cJSON *auth)
{
    const cJSON *identity = get(auth, "identity");
    const cJSON *methods = get(identity, "methods");
    const char *method = cJSON_GetStringValue(cJSON_GetArrayItem(methods, 0));

    if (cJSON_GetArraySize(methods) != 1 || !method)
        return NULL;
    if (strcmp(method, "password") == 0 && password_good(sim, get(identity, "password.user")))
        return method;
    if (strcmp(method, "token") == 0 && token_good(sim, get_text(identity, "token.id")))
        return method;
    if (strcmp(method, "application_credential") == 0 && !get(auth, "scope") &&
        application_good(sim, get(identity, method)))
        return method;
    return NULL;
}

static void
append_scope(CfSim *sim, GString *out)
{
    g_string_append(out, ",\"is_domain\":false,\"project\":{\"id\":\"" CF_SIM_OS_PROJECT
                         "\",\"name\":\"demo\",\"domain\":{\"id\":\"default\",\"name\":"
                         "\"Default\"}},\"roles\":[");
    if (sim->settings.admin)
        g_string_append(out, "{\"id\":\"00a1\",\"name\":\"admin\"},");
    g_string_append(out, "{\"id\":\"00a2\",\"name\":\"member\"},{\"id\":\"00a3\",\"name\":"
                         "\"reader\"}],\"catalog\":");
    cf_sim_os_append_catalog(sim, out);
}

/* Returns: (transfer full): the server's date, so many seconds later. */
static char *
date_in(CfSim *sim, guint life_s)
{
    gint64 at_us = cf_sim_server_date_us(sim) + (gint64) life_s * G_USEC_PER_SEC;
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);

    return g_date_time_format(date, "%Y-%m-%dT%H:%M:%S.000000Z");
}

static void
answer_token(CfSim *sim, CfSimCall *call, const char *method, gboolean scoped)
{
    guint life_s = sim->options.token_life_s;
    g_autofree char *issued = date_in(sim, 0);
    g_autofree char *expires = date_in(sim, life_s);
    const char *user = sim->options.username ? sim->options.username : "demo";

    cf_sim_answer_printf(call, 201,
                         "{\"token\":{\"methods\":[\"%s\"],\"issued_at\":\"%s\",\"expires_at\":"
                         "\"%s\",\"audit_ids\":[\"QkFERTctMTIz\"],\"user\":{\"id\":"
                         "\"" CF_SIM_OS_USER "\",\"password_expires_at\":null,\"domain\":{\"id\":"
                         "\"default\",\"name\":\"Default\"},\"name\":",
                         method, issued, expires);
    cf_sim_raw_quote(call->answer, user);
    g_string_append_c(call->answer, '}');
    if (scoped)
        append_scope(sim, call->answer);
    g_string_append(call->answer, "}}");
    cf_sim_call_add_header(call, "X-Subject-Token", cf_sim_tokens_make(sim, life_s));
    cf_sim_call_add_header(call, "Vary", "X-Auth-Token");
}

void
cf_sim_os_token(CfSim *sim, CfSimCall *call)
{
    cJSON *body = cJSON_Parse(call->body->str);
    const cJSON *auth = get(body, "auth");
    const cJSON *scope = get(auth, "scope");
    const char *method = check_identity(sim, auth);

    if (!auth || !get(auth, "identity.methods"))
        cf_sim_os_refuse(sim, call, 400, NULL,
                         "Expecting to find identity in auth. The server could not comply with "
                         "the request since it is either malformed or otherwise incorrect. The "
                         "client is assumed to be in error.");
    else if (!method || (scope && !sim->options.no_auth && !project_good(get(scope, "project"))))
        cf_sim_os_refuse(sim, call, 401, NULL, REFUSAL);
    else
        answer_token(sim, call, method, scope || strcmp(method, "application_credential") == 0);
    cJSON_Delete(body);
}

/* ---- Versions ---- */

void
cf_sim_os_identity_version(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer_printf(call, 200,
                         "{\"version\":{\"id\":\"v3.14\",\"status\":\"stable\",\"links\":[{\"rel\":"
                         "\"self\",\"href\":\"%s/identity/v3/\"}],\"media-types\":[]}}",
                         sim->url);
}

static void
append_version(CfSim *sim, GString *out)
{
    g_string_append_printf(out,
                           "{\"id\":\"v2.1\",\"status\":\"CURRENT\",\"version\":\"2.%u\","
                           "\"min_version\":\"2.1\",\"updated\":\"2013-07-23T11:33:21Z\","
                           "\"links\":[{\"rel\":\"self\",\"href\":\"%s/compute/v2.1/\"}]}",
                           sim->settings.microversion, sim->url);
}

void
cf_sim_os_compute_version(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer(call, 200, "{\"version\":");
    append_version(sim, call->answer);
    g_string_append_c(call->answer, '}');
}

void
cf_sim_os_compute_versions(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer_printf(call, 200,
                         "{\"versions\":[{\"id\":\"v2.0\",\"status\":\"SUPPORTED\",\"version\":"
                         "\"\",\"min_version\":\"\",\"updated\":\"2011-01-21T11:33:21Z\","
                         "\"links\":[{\"rel\":\"self\",\"href\":\"%s/compute/v2/\"}]},",
                         sim->url);
    append_version(sim, call->answer);
    g_string_append(call->answer, "]}");
}

/* Glance answers its own address with 300 Multiple Choices; clients that discover versions read it.
 */
void
cf_sim_os_image_versions(CfSim *sim, CfSimCall *call)
{
    cf_sim_answer_printf(call, 300,
                         "{\"versions\":[{\"id\":\"v2.9\",\"status\":\"CURRENT\",\"links\":["
                         "{\"rel\":\"self\",\"href\":\"%s/image/v2/\"}]},"
                         "{\"id\":\"v2.0\",\"status\":\"SUPPORTED\",\"links\":["
                         "{\"rel\":\"self\",\"href\":\"%s/image/v2/\"}]}]}",
                         sim->url, sim->url);
}

/* The newer header has the last word, on servers that know it. Returns: (transfer full) (nullable)
 */
static char *
wanted_version(const CfSim *sim, const CfSimCall *call)
{
    const char *named = cf_sim_call_header(call, "OpenStack-API-Version");
    const char *plain = cf_sim_call_header(call, "X-OpenStack-Nova-API-Version");

    if (named && sim->settings.microversion >= 27) {
        g_auto(GStrv) items = g_strsplit(named, ",", -1);

        for (guint i = 0; items[i]; i++) {
            const char *item = g_strstrip(items[i]);

            if (g_str_has_prefix(item, "compute "))
                return g_strstrip(g_strdup(item + strlen("compute ")));
        }
    }
    return g_strdup(plain);
}

/* Returns: FALSE: refused. */
static gboolean
take_version(CfSim *sim, CfSimCall *call)
{
    g_autofree char *text = wanted_version(sim, call);
    guint newest = sim->settings.microversion;
    guint64 minor = 1;

    if (text && strcmp(text, "latest") == 0) {
        minor = newest;
    } else if (text && (!g_str_has_prefix(text, "2.") ||
                        !g_ascii_string_to_unsigned(text + 2, 10, 0, G_MAXINT, &minor, NULL))) {
        cf_sim_os_refuse_printf(sim, call, 400,
                                "API Version String %s is of invalid format. Must be of format "
                                "MajorNum.MinorNum.",
                                text);
        return FALSE;
    }
    if (minor < 1 || minor > newest) {
        g_autofree char *message =
            g_strdup_printf("Version %s is not supported by the API. Minimum is 2.1 and maximum is "
                            "2.%u.",
                            text, newest);

        cf_sim_os_refuse(sim, call, 406, "computeFault", message);
        return FALSE;
    }
    sim->scratch = GUINT_TO_POINTER((guint) minor);
    return TRUE;
}

guint
cf_sim_os_version(const CfSim *sim)
{
    return GPOINTER_TO_UINT(sim->scratch);
}

static gboolean
is_compute(const CfSimCall *call)
{
    return !g_str_has_prefix(call->route->name, "image");
}

gboolean
cf_sim_os_admit(CfSim *sim, CfSimCall *call)
{
    if (g_str_has_prefix(call->route->name, "version"))
        return TRUE;
    if (!sim->options.no_auth && !token_good(sim, cf_sim_call_header(call, "X-Auth-Token"))) {
        g_autofree char *where = g_strdup_printf("Keystone uri=\"%s/identity\"", sim->url);

        cf_sim_os_refuse(sim, call, 401, NULL, REFUSAL);
        cf_sim_call_add_header(call, "WWW-Authenticate", where);
        return FALSE;
    }
    if (!is_compute(call))
        return TRUE;
    if (!take_version(sim, call))
        return FALSE;
    {
        guint version = cf_sim_os_version(sim);
        g_autofree char *plain = g_strdup_printf("2.%u", version);
        g_autofree char *named = g_strconcat("compute ", plain, NULL);

        cf_sim_call_add_header(call, "X-OpenStack-Nova-API-Version", plain);
        if (sim->settings.microversion >= 27)
            cf_sim_call_add_header(call, "OpenStack-API-Version", named);
    }
    return TRUE;
}
