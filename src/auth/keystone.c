#include "auth/keystone.h"

#include "util/error.h"
#include "util/text.h"
#include "json/fields.h"
#include "json/write.h"

#include <string.h>

/* A string that holds secrets must not grow by moving: what it leaves behind is never wiped. */
#define BODY_SIZE 16384
/* Keystone's own default, where the answer does not say when the token ends. */
#define LIFE_US (3600 * (gint64) G_USEC_PER_SEC)

void
cf_keystone_login_clear(CfKeystoneLogin *login)
{
    cf_text_wipe(login->token);
    cf_text_wipe(login->application_credential_secret);
    cf_text_wipe(login->password);
    g_free(login->application_credential_id);
    g_free(login->application_credential_name);
    g_free(login->user_id);
    g_free(login->username);
    g_free(login->user_domain_id);
    g_free(login->user_domain_name);
    g_free(login->project_id);
    g_free(login->project_name);
    g_free(login->project_domain_id);
    g_free(login->project_domain_name);
    memset(login, 0, sizeof *login);
}

void
cf_keystone_scope_clear(CfKeystoneScope *scope)
{
    g_free(scope->project_id);
    memset(scope, 0, sizeof *scope);
}

/* --- the request ------------------------------------------------------------------------------ */

static void
put_domain(CfJsonWriter *writer, const char *id, const char *name)
{
    cf_json_open(writer, "domain", '{');
    if (id || !name)
        cf_json_put(writer, "id", id ? id : "default");
    else
        cf_json_put(writer, "name", name);
    cf_json_close(writer, '}');
}

static void
open_user(CfJsonWriter *writer, const CfKeystoneLogin *login)
{
    cf_json_open(writer, "user", '{');
    if (login->user_id) {
        cf_json_put(writer, "id", login->user_id);
        return;
    }
    cf_json_put(writer, "name", login->username);
    put_domain(writer, login->user_domain_id, login->user_domain_name);
}

static void
put_application_credential(CfJsonWriter *writer, const CfKeystoneLogin *login)
{
    cf_json_open(writer, "application_credential", '{');
    if (login->application_credential_id) {
        cf_json_put(writer, "id", login->application_credential_id);
    } else {
        cf_json_put(writer, "name", login->application_credential_name);
        open_user(writer, login);
        cf_json_close(writer, '}');
    }
    cf_json_put(writer, "secret", login->application_credential_secret);
    cf_json_close(writer, '}');
}

static void
put_identity(CfJsonWriter *writer, const CfKeystoneLogin *login)
{
    gboolean application = login->application_credential_secret != NULL;

    cf_json_open(writer, "identity", '{');
    cf_json_open(writer, "methods", '[');
    cf_json_put(writer, NULL,
                application    ? "application_credential"
                : login->token ? "token"
                               : "password");
    cf_json_close(writer, ']');
    if (application) {
        put_application_credential(writer, login);
    } else if (login->token) {
        cf_json_open(writer, "token", '{');
        cf_json_put(writer, "id", login->token);
        cf_json_close(writer, '}');
    } else {
        cf_json_open(writer, "password", '{');
        open_user(writer, login);
        cf_json_put(writer, "password", login->password);
        cf_json_close(writer, '}');
        cf_json_close(writer, '}');
    }
    cf_json_close(writer, '}');
}

static void
put_scope(CfJsonWriter *writer, const CfKeystoneLogin *login)
{
    if (login->application_credential_secret || (!login->project_id && !login->project_name))
        return;
    cf_json_open(writer, "scope", '{');
    cf_json_open(writer, "project", '{');
    if (login->project_id) {
        cf_json_put(writer, "id", login->project_id);
    } else {
        cf_json_put(writer, "name", login->project_name);
        put_domain(writer, login->project_domain_id, login->project_domain_name);
    }
    cf_json_close(writer, '}');
    cf_json_close(writer, '}');
}

char *
cf_keystone_body(const CfKeystoneLogin *login)
{
    GString *body = g_string_sized_new(BODY_SIZE);
    CfJsonWriter writer;

    cf_json_writer_init(&writer, body);
    cf_json_open(&writer, NULL, '{');
    cf_json_open(&writer, "auth", '{');
    put_identity(&writer, login);
    put_scope(&writer, login);
    cf_json_close(&writer, '}');
    cf_json_close(&writer, '}');
    return g_string_free(body, FALSE);
}

/* --- the answer ------------------------------------------------------------------------------- */

typedef struct {
    char *expires_at, *issued_at, *project_id;
    CfJsonSpan roles, catalog;
} Answer;

static const CfJsonField answer_fields[] = {
    {"token.expires_at", cf_json_take_text, offsetof(Answer, expires_at), CF_JSON_OPTIONAL},
    {"token.issued_at", cf_json_take_text, offsetof(Answer, issued_at), CF_JSON_OPTIONAL},
    {"token.project.id", cf_json_take_text, offsetof(Answer, project_id), CF_JSON_OPTIONAL},
    {"token.roles", cf_json_take_span, offsetof(Answer, roles), CF_JSON_OPTIONAL},
    {"token.catalog", cf_json_take_span, offsetof(Answer, catalog), CF_JSON_OPTIONAL},
};

typedef struct {
    char *title, *message;
} Refusal;

static const CfJsonField refusal_fields[] = {
    {"error.title", cf_json_take_text, offsetof(Refusal, title), CF_JSON_OPTIONAL},
    {"error.message", cf_json_take_text, offsetof(Refusal, message), CF_JSON_OPTIONAL},
};

/* Of a user, project or application credential that is not there Keystone says "Could not find ….";
 * whoever says something else does not know the path. line: (nullable) its words. */
static gboolean
is_elsewhere(int http_status, const char *line)
{
    return http_status == 405 ||
           (http_status == 404 && !(line && g_str_has_prefix(line, "Could not find")));
}

static CfErrorCode
refusal_code(int http_status, const char *line)
{
    switch (http_status) {
    case 408:
        return CF_ERROR_TIMEOUT;
    case 429:
        return CF_ERROR_THROTTLED;
    default:
        break;
    }
    if (is_elsewhere(http_status, line))
        return CF_ERROR_REMOTE;
    if (http_status >= 500)
        return CF_ERROR_REMOTE;
    if (http_status < 400)
        return CF_ERROR_PROTOCOL;
    return CF_ERROR_UNAUTHORIZED;
}

static void
set_refusal(int http_status, gboolean needs_more, const char *text, gsize len, GError **error)
{
    CfCloudWords words = {.http_status = http_status};
    Refusal refusal = {NULL, NULL};
    g_autofree char *line = NULL;
    const char *hint = "";
    CfJsonSpan whole;

    if (cf_json_check(text, len, &whole, NULL))
        cf_json_read(whole, refusal_fields, G_N_ELEMENTS(refusal_fields), &refusal, NULL);
    line = refusal.message ? cf_text_one_line(refusal.message) : NULL;
    words.code = refusal.title;
    words.message = line;
    if (http_status < 400 || is_elsewhere(http_status, line))
        hint = "; does auth_url lead to Keystone?";
    if (needs_more)
        cf_error_set_cloud(error, CF_ERROR_UNAUTHORIZED, &words,
                           "no token: the account asks for a second factor, which cannot be given "
                           "here; an application credential can take its place");
    else if (line)
        cf_error_set_cloud(error, refusal_code(http_status, line), &words,
                           "no token: %.300s (HTTP status %d)%s", line, http_status, hint);
    else
        cf_error_set_cloud(error, refusal_code(http_status, line), &words,
                           "no token: HTTP status %d%s", http_status, hint);
    g_free(refusal.title);
    g_free(refusal.message);
}

/* A header is made of it: a stray line feed would begin another one. */
static gboolean
is_token_text(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar) *p <= 0x20 || (guchar) *p >= 0x7f)
            return FALSE;
    return *text != '\0';
}

/* Returns: wall time in microseconds; 0 when text is no time. */
static gint64
read_time(const char *text)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, utc) : NULL;

    return time ? g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time)
                : 0;
}

/* How long the token lives, by Keystone's own clock where it says when it was given. */
static gint64
read_life(const Answer *answer, gint64 real_us)
{
    gint64 end_us = read_time(answer->expires_at), begin_us = read_time(answer->issued_at);

    if (end_us == 0)
        return LIFE_US;
    return MAX(end_us - (begin_us > 0 ? begin_us : real_us), 0);
}

static void
read_roles(CfJsonSpan roles, CfKeystoneScope *scope)
{
    CfJsonSpan role, name;
    CfJsonIter iter;

    scope->has_roles = cf_json_kind(roles) == CF_JSON_ARRAY;
    cf_json_iter_init(&iter, roles);
    while (cf_json_iter_next(&iter, NULL, &role))
        if (cf_json_get(role, "name", FALSE, &name) && cf_json_is(name, "admin", TRUE))
            scope->is_admin = TRUE;
}

gboolean
cf_keystone_parse(int http_status, const char *subject, gboolean needs_more, const char *text,
                  gsize len, gint64 now_us, gint64 real_us, CfToken *ret_token,
                  CfKeystoneScope *ret_scope, GError **error)
{
    Answer answer = {0};
    CfJsonSpan whole;
    gint64 life_us;

    if (http_status < 200 || http_status >= 300) {
        set_refusal(http_status, needs_more, text, len, error);
        return FALSE;
    }
    if (!subject || !is_token_text(subject)) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                    "X-Subject-Token: missing from the answer to the token call; does auth_url "
                    "lead to Keystone?");
        return FALSE;
    }
    if (!cf_json_check(text, len, &whole, error) ||
        !cf_json_read(whole, answer_fields, G_N_ELEMENTS(answer_fields), &answer, error)) {
        g_prefix_error(error, "the answer to the token call: ");
        return FALSE;
    }
    life_us = read_life(&answer, real_us);
    *ret_token = (CfToken){
        .access_token = g_strdup(subject),
        .expires_us = now_us + life_us,
        .refresh_expires_us = G_MAXINT64,
        .life_us = life_us,
    };
    *ret_scope = (CfKeystoneScope){
        .project_id = answer.project_id,
        .catalog = answer.catalog,
        .issued_us = read_time(answer.issued_at),
    };
    read_roles(answer.roles, ret_scope);
    g_free(answer.expires_at);
    g_free(answer.issued_at);
    return TRUE;
}

/* --- the catalogue ---------------------------------------------------------------------------- */

/* "public in RegionOne", or the URL itself. */
typedef struct {
    char *interface, *region, *region_id, *url;
} Endpoint;

static const CfJsonField endpoint_fields[] = {
    {"interface", cf_json_take_text, offsetof(Endpoint, interface), CF_JSON_OPTIONAL},
    {"region", cf_json_take_text, offsetof(Endpoint, region), CF_JSON_OPTIONAL},
    {"region_id", cf_json_take_text, offsetof(Endpoint, region_id), CF_JSON_OPTIONAL},
    {"url", cf_json_take_text, offsetof(Endpoint, url), CF_JSON_OPTIONAL},
};

static void
endpoint_clear(Endpoint *endpoint)
{
    g_free(endpoint->interface);
    g_free(endpoint->region);
    g_free(endpoint->region_id);
    g_free(endpoint->url);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Endpoint, endpoint_clear)

static gboolean
is_wanted(const Endpoint *endpoint, const char *interface, const char *region)
{
    /* The second form is Identity API v2's: old catalogues keep it. */
    g_autofree char *old = g_strconcat(interface, "URL", NULL);

    if (!endpoint->url || !*endpoint->url || !endpoint->interface)
        return FALSE;
    if (strcmp(endpoint->interface, interface) != 0 && strcmp(endpoint->interface, old) != 0)
        return FALSE;
    return !region || g_strcmp0(endpoint->region_id, region) == 0 ||
           g_strcmp0(endpoint->region, region) == 0;
}

static void
note_seen(GString *seen, const Endpoint *endpoint)
{
    const char *region = endpoint->region_id ? endpoint->region_id : endpoint->region;
    g_autofree char *raw = g_strdup_printf(
        "%s in %s", endpoint->interface ? endpoint->interface : "?", region ? region : "no region");
    g_autofree char *text = cf_text_one_line(raw);

    if (strstr(seen->str, text) || seen->len > 300)
        return;
    g_string_append_printf(seen, "%s%s", seen->len > 0 ? ", " : "", text);
}

static char *
find_in_service(CfJsonSpan service, const char *interface, const char *region, char **ret_region,
                GString *seen)
{
    CfJsonSpan endpoints, item;
    CfJsonIter iter;

    if (!cf_json_get(service, "endpoints", FALSE, &endpoints))
        return NULL;
    cf_json_iter_init(&iter, endpoints);
    while (cf_json_iter_next(&iter, NULL, &item)) {
        g_auto(Endpoint) endpoint = {0};

        if (!cf_json_read(item, endpoint_fields, G_N_ELEMENTS(endpoint_fields), &endpoint, NULL))
            continue;
        if (is_wanted(&endpoint, interface, region)) {
            *ret_region = g_strdup(endpoint.region_id ? endpoint.region_id : endpoint.region);
            return g_steal_pointer(&endpoint.url);
        }
        note_seen(seen, &endpoint);
    }
    return NULL;
}

char *
cf_keystone_find(CfJsonSpan catalog, const char *type, const char *interface, const char *region,
                 char **ret_region, GError **error)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    CfJsonSpan service, name;
    CfJsonIter iter;

    cf_json_iter_init(&iter, catalog);
    while (cf_json_iter_next(&iter, NULL, &service)) {
        char *url;

        if (!cf_json_get(service, "type", FALSE, &name) || !cf_json_is(name, type, FALSE))
            continue;
        url = find_in_service(service, interface, region, ret_region, seen);
        if (url)
            return url;
    }
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                "the cloud's catalogue has no service ‘%s’ with interface = %s%s%s%s%s%s", type,
                interface, region ? ", region = " : "", region ? region : "",
                seen->len > 0 ? "; it has " : "", seen->str,
                cf_json_kind(catalog) == CF_JSON_ARRAY ? "" : "; is a project missing?");
    return NULL;
}
