/* Who we are, and what is where. One flight fetches the token, with it the catalogue, whoever needs
 * it first; the calls that come meanwhile stand in a queue. Calls to the compute service wait in
 * another one until its version is known.
 *
 *     call ──no token──▶ waiting ──token──▶ versionless ──version──▶ sent
 */
#include "providers/openstack/private.h"

#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"
#include "json/fields.h"

#include <string.h>

#define HOLD_US (2 * G_USEC_PER_SEC) /* Keystone may lock an account after quick failures */
#define REFUSED_HOLD_US (30 * G_USEC_PER_SEC) /* while the token at hand is still good */

static const char *const service_types[CF_OS_SERVICE_N] = {
    [CF_OS_COMPUTE] = "compute",
    [CF_OS_IMAGE] = "image",
};

/* --- queues ----------------------------------------------------------------------------------- */

static gboolean
on_deadline(gpointer data)
{
    CfOsCall *call = data;
    g_autoptr(GError) error = g_error_new(CF_ERROR, CF_ERROR_TIMEOUT,
                                          "no answer of the identity or compute service "
                                          "before the deadline");

    g_queue_remove(&call->os->waiting, call);
    g_queue_remove(&call->os->versionless, call);
    cf_os_call_end(call, NULL, error);
    return G_SOURCE_REMOVE;
}

static void
enqueue(GQueue *queue, CfOsCall *call)
{
    gint64 left_us = call->deadline_us - cf_clock_mono_us();

    g_queue_push_tail(queue, call);
    if (call->timer)
        return;
    call->timer = g_timeout_source_new((guint) CLAMP(left_us / 1000, 0, G_MAXINT));
    g_source_set_callback(call->timer, on_deadline, call, NULL);
    g_source_attach(call->timer, call->os->context);
}

static void
drop_queue(GQueue *queue)
{
    CfOsCall *call;

    while ((call = g_queue_pop_head(queue)))
        cf_os_call_free(call);
}

void
cf_os_session_close(CfOs *os)
{
    drop_queue(&os->waiting);
    drop_queue(&os->versionless);
    drop_queue(&os->late);
}

/* --- what the token tells --------------------------------------------------------------------- */

/* Whether the last segment of an address is "v2", "v2.1" …. */
static gboolean
is_version_segment(const char *segment)
{
    return segment[0] == 'v' && g_ascii_isdigit(segment[1]) &&
           strspn(segment + 1, "0123456789.") == strlen(segment + 1);
}

char *
cf_os_make_base(CfOsService service, const char *url)
{
    g_autofree char *base = g_strdup(url);
    const char *path = strstr(base, "://");
    const char *want = service == CF_OS_COMPUTE ? "v2.1" : "v2";
    g_auto(GStrv) segments = NULL;
    gboolean has_version = FALSE;

    for (gsize len = strlen(base); len > 0 && base[len - 1] == '/'; len--)
        base[len - 1] = '\0';
    segments = g_strsplit(path ? path + 3 : base, "/", -1);
    for (guint i = 1; segments[0] && segments[i]; i++)
        has_version = has_version || is_version_segment(segments[i]);
    if (has_version)
        return g_steal_pointer(&base);
    return g_strconcat(base, "/", want, NULL);
}

char *
cf_os_version_root(const char *base)
{
    const char *path = strstr(base, "://");

    path = path ? strchr(path + 3, '/') : NULL;
    for (; path; path = strchr(path + 1, '/')) {
        gsize len = strcspn(path + 1, "/");
        g_autofree char *segment = g_strndup(path + 1, len);

        if (is_version_segment(segment))
            return g_strdup_printf("%.*s/", (int) (path + 1 + len - base), base);
    }
    return g_strconcat(base, "/", NULL);
}

static gboolean
is_url(const char *text)
{
    return (g_str_has_prefix(text, "http://") || g_str_has_prefix(text, "https://")) &&
           g_uri_is_valid(text, G_URI_FLAGS_NONE, NULL);
}

/* Sets where a service is, or why it is nowhere. */
static void
find_service(CfOs *os, CfOsService service, CfJsonSpan catalog)
{
    g_autofree char *region = NULL;
    g_autofree char *url = NULL;
    g_autofree char *base = NULL;

    g_clear_error(&os->absent[service]);
    url = os->fixed_base[service] ? g_strdup(os->fixed_base[service])
                                  : cf_keystone_find(catalog, service_types[service], os->interface,
                                                     os->region, &region, &os->absent[service]);
    if (url && !is_url(url))
        g_set_error(&os->absent[service], CF_ERROR, CF_ERROR_PROTOCOL,
                    "the catalogue's address of the service ‘%s’ is no URL",
                    service_types[service]);
    else if (url)
        base = cf_os_make_base(service, url);
    if (region)
        g_atomic_pointer_set(&os->found_region, g_intern_string(region));
    if (service == CF_OS_COMPUTE && g_strcmp0(base, os->base[service]) != 0)
        os->version = -1;
    g_free(os->base[service]);
    os->base[service] = g_steal_pointer(&base);
}

static void
take_scope(CfOs *os, const CfKeystoneScope *scope)
{
    g_free(os->project_id);
    os->project_id = g_strdup(scope->project_id);
    os->issued_us = scope->issued_us;
    os->issued_mono_us = cf_clock_mono_us();
    os->may_all = scope->is_admin || !scope->has_roles || !scope->project_id;
    for (guint i = 0; i < CF_OS_SERVICE_N; i++)
        find_service(os, (CfOsService) i, scope->catalog);
    cf_os_update_view(os);
}

/* --- the flight for a token ------------------------------------------------------------------- */

static void ask_version(CfOs *os);

/* A call that has its token: the compute service's version may still be missing. */
static void
go_on(CfOsCall *call)
{
    CfOs *os = call->os;

    if (call->service == CF_OS_COMPUTE && call->path->len > 0 && !call->versionless &&
        os->version < 0 && os->base[CF_OS_COMPUTE]) {
        enqueue(&os->versionless, call);
        ask_version(os);
        return;
    }
    cf_os_call_go(call);
}

/* error: (nullable). */
static void
end_flight(CfOs *os, const GError *error)
{
    GQueue waiting = os->waiting;

    os->fetching = FALSE;
    g_queue_init(&os->waiting);
    for (CfOsCall *call = g_queue_pop_head(&waiting); call; call = g_queue_pop_head(&waiting)) {
        if (error)
            cf_os_call_end(call, NULL, error);
        else
            go_on(call);
    }
}

static gboolean
has_token(const CfOs *os)
{
    return os->token.access_token && cf_clock_mono_us() < os->token.expires_us;
}

static void
fail_flight(CfOs *os, const GError *error)
{
    gint64 now = cf_clock_mono_us();
    gboolean refused = cf_error_code(error) == CF_ERROR_UNAUTHORIZED;
    g_autoptr(GError) verdict = g_error_copy(error);

    if (has_token(os)) {
        cf_debug("%s: token not renewed, the old one is used on: %s", os->profile, error->message);
        os->renew_not_before = now + (refused ? REFUSED_HOLD_US : HOLD_US);
        end_flight(os, NULL);
        return;
    }
    /* Tokens that a token was changed for end with it: there is nothing left to log in by. */
    if (refused && os->login.token && !os->login.application_credential_secret &&
        os->token.expires_us && now >= os->token.expires_us)
        verdict->code = CF_ERROR_EXPIRED;
    if (refused) {
        g_clear_error(&os->refusal);
        os->refusal = g_error_copy(verdict);
        os->refusal_until_us = now + HOLD_US;
    }
    end_flight(os, verdict);
}

static void
take_token(CfOs *os, CfToken *token, const CfKeystoneScope *scope)
{
    cf_token_clear(&os->token);
    os->token = *token;
    memset(token, 0, sizeof *token);
    os->generation++;
    os->renew_not_before = 0;
    g_clear_error(&os->refusal);
    cf_log_add_secret(os->token.access_token);
    take_scope(os, scope);
    end_flight(os, NULL);
}

static void
on_token(const CfHttpReply *reply, const GError *error, gpointer data)
{
    CfOs *os = data;
    g_auto(CfToken) token = {0};
    g_auto(CfKeystoneScope) scope = {0};
    g_autoptr(GError) refusal = NULL;
    const char *text;
    gsize len;

    if (os->closed) {
        cf_os_unref(os);
        return;
    }
    if (error) {
        fail_flight(os, error);
    } else {
        gboolean more = g_hash_table_contains(reply->headers, "openstack-auth-receipt");

        text = g_bytes_get_data(reply->body, &len);
        /* Counted from when the call began: the answer may have been long on its way. */
        if (cf_keystone_parse(reply->status, g_hash_table_lookup(reply->headers, "x-subject-token"),
                              more, text, len, reply->sent_us,
                              reply->date_us ? reply->date_us : cf_clock_real_us(), &token, &scope,
                              &refusal))
            take_token(os, &token, &scope);
        else
            fail_flight(os, refusal);
    }
    cf_os_unref(os);
}

static void
wipe_body(gpointer data)
{
    cf_text_wipe(data);
}

static void
start_flight(CfOs *os)
{
    g_autofree char *url = g_strconcat(os->auth_url, "/v3/auth/tokens", NULL);
    char *body = cf_keystone_body(&os->login);
    CfHttpRequest *request = cf_http_request_new(CF_HTTP_AUTH, "POST", url);

    os->fetching = TRUE;
    g_free(request->label);
    request->label = g_strdup("POST /v3/auth/tokens");
    request->body = g_bytes_new_with_free_func(body, strlen(body), wipe_body, body);
    g_free(request->content_type);
    request->content_type = g_strdup("application/json");
    request->deadline_us = cf_clock_mono_us() + os->deadline_us;
    request->user_waits = TRUE;
    request->secret_reply = TRUE;
    cf_http_request_add_header(request, "Accept", "application/json");
    cf_channel_send(os->channel, request, on_token, cf_os_ref(os));
}

/* Ahead of the token's end. Nobody waits for that: what is to be sent goes by the one at hand. */
static void
renew_in_time(CfOs *os)
{
    gint64 now = cf_clock_mono_us();

    if (!os->fetching && now >= cf_token_get_renewal_us(&os->token) && now >= os->renew_not_before)
        start_flight(os);
}

gboolean
cf_os_session_prepare(CfOsCall *call)
{
    CfOs *os = call->os;

    if (!has_token(os)) {
        /* Who asks for nothing but a token wants to know whether the credentials are good now. */
        if (os->refusal && cf_clock_mono_us() < os->refusal_until_us && call->path->len > 0) {
            cf_os_call_refuse(call, g_error_copy(os->refusal));
            return FALSE;
        }
        enqueue(&os->waiting, call);
        if (!os->fetching)
            start_flight(os);
        return FALSE;
    }
    renew_in_time(os);
    if (call->service == CF_OS_COMPUTE && call->path->len > 0 && !call->versionless &&
        os->version < 0 && os->base[CF_OS_COMPUTE]) {
        enqueue(&os->versionless, call);
        ask_version(os);
        return FALSE;
    }
    return TRUE;
}

gboolean
cf_os_session_sign(CfOsCall *call, CfHttpRequest *request, GError **error)
{
    CfOs *os = call->os;

    call->generation = os->generation;
    if (!os->token.access_token) {
        /* Another call brought 401 home while this one stood in a queue. */
        call->token_lost = TRUE;
        g_set_error(error, CF_ERROR, CF_ERROR_UNAUTHORIZED, "the token was refused meanwhile");
        return FALSE;
    }
    cf_http_request_add_header(request, "X-Auth-Token", os->token.access_token);
    return TRUE;
}

gboolean
cf_os_session_renew(CfOsCall *call)
{
    CfOs *os = call->os;

    if (call->renewed)
        return FALSE;
    call->renewed = TRUE;
    /* Of calls side by side, the first one to come back with 401 drops the token; the others find
     * that it is gone, or that there is a new one. */
    if (call->generation == os->generation)
        g_clear_pointer(&os->token.access_token, cf_text_wipe);
    cf_os_call_send(call);
    return TRUE;
}

/* --- the compute service's version ------------------------------------------------------------ */

typedef struct {
    char *id, *version;
} Version;

static const CfJsonField version_fields[] = {
    {"id", cf_json_take_text, offsetof(Version, id), CF_JSON_OPTIONAL},
    {"version", cf_json_take_text, offsetof(Version, version), CF_JSON_OPTIONAL},
};

/* Returns: 2.N of "2.N", -1 for something else; no text stands for API 2.0. */
static int
minor_of(const char *text)
{
    if (!text || !*text)
        return CF_OS_VERSION_NONE;
    if (!g_str_has_prefix(text, "2.") || !g_ascii_isdigit(text[2]))
        return -1;
    return (int) MIN(g_ascii_strtoull(text + 2, NULL, 10), CF_OS_VERSION_MAX);
}

/* {"version": {…}}, or of an address without a version {"versions": [{…}, …]}. */
gboolean
cf_os_read_version(const char *text, gsize len, int *ret_version, GError **error)
{
    CfJsonSpan whole, list, item;
    int best = -1;
    CfJsonIter iter;

    if (!cf_json_check(text, len, &whole, error)) {
        g_prefix_error(error, "the compute service's version: ");
        return FALSE;
    }
    if (!cf_json_get(whole, "version", FALSE, &item) || cf_json_kind(item) != CF_JSON_OBJECT)
        item.len = 0;
    if (item.len == 0 && cf_json_get(whole, "versions", FALSE, &list)) {
        cf_json_iter_init(&iter, list);
        while (cf_json_iter_next(&iter, NULL, &item)) {
            Version version = {NULL, NULL};

            if (cf_json_read(item, version_fields, G_N_ELEMENTS(version_fields), &version, NULL))
                best = MAX(best, minor_of(version.version));
            g_free(version.id);
            g_free(version.version);
        }
    } else if (item.len > 0) {
        Version version = {NULL, NULL};

        cf_json_read(item, version_fields, G_N_ELEMENTS(version_fields), &version, NULL);
        best = minor_of(version.version);
        g_free(version.id);
        g_free(version.version);
    }
    if (best < 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                    "the compute service does not say which version it has");
        return FALSE;
    }
    *ret_version = best;
    return TRUE;
}

/* error: (nullable). */
static void
end_version(CfOs *os, const GError *error)
{
    GQueue waiting = os->versionless;

    os->asking_version = FALSE;
    g_queue_init(&os->versionless);
    for (CfOsCall *call = g_queue_pop_head(&waiting); call; call = g_queue_pop_head(&waiting)) {
        if (error)
            cf_os_call_end(call, NULL, error);
        else
            cf_os_call_go(call);
    }
}

static void
on_version(CfOsCall *call, const CfHttpReply *reply, const GError *error)
{
    CfOs *os = call->os;
    g_autoptr(GError) wrong = NULL;
    const char *text;
    gsize len;

    if (error) {
        end_version(os, error);
        return;
    }
    text = g_bytes_get_data(reply->body, &len);
    if (cf_os_read_version(text, len, &os->version, &wrong))
        cf_debug("%s: compute version 2.%d", os->profile, os->version);
    cf_os_update_view(os);
    end_version(os, wrong);
}

static void
ask_version(CfOs *os)
{
    CfOsCall *call;

    if (os->asking_version)
        return;
    os->asking_version = TRUE;
    call = cf_os_call_new(os, CF_OS_COMPUTE, CF_HTTP_AUTH, "GET", 0, on_version, NULL);
    call->versionless = TRUE;
    call->user_waits = TRUE;
    g_string_assign(call->path, "/");
    cf_os_call_send(call);
}

gboolean
cf_os_session_reversion(CfOsCall *call)
{
    if (call->reversioned || call->service != CF_OS_COMPUTE || call->versionless)
        return FALSE;
    call->reversioned = TRUE;
    call->os->version = -1;
    cf_os_update_view(call->os);
    cf_os_call_send(call);
    return TRUE;
}
