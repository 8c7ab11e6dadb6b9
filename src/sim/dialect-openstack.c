/* The OpenStack dialect: Keystone, Nova and Glance under one address, each with its own way of
 * failing. */
#include <stdarg.h>
#include <string.h>

#include "sim/openstack.h"

static const CfSimRoute routes[] = {
    {"POST", "/v3/auth/tokens", "token", CF_SIM_AUTH, cf_sim_os_token},
    {"GET", "/identity/v3", "version.identity", CF_SIM_READ, cf_sim_os_identity_version},
    {"GET", "/identity/v3/", "version.identity", CF_SIM_READ, cf_sim_os_identity_version},
    {"GET", "/compute", "version.list", CF_SIM_READ, cf_sim_os_compute_versions},
    {"GET", "/compute/", "version.list", CF_SIM_READ, cf_sim_os_compute_versions},
    {"GET", "/image", "version.image", CF_SIM_READ, cf_sim_os_image_versions},
    {"GET", "/image/", "version.image", CF_SIM_READ, cf_sim_os_image_versions},
    {"GET", "/v2.1", "version.compute", CF_SIM_READ, cf_sim_os_compute_version},
    {"GET", "/v2.1/", "version.compute", CF_SIM_READ, cf_sim_os_compute_version},
    {"GET", "/servers/detail", "servers.list", CF_SIM_READ, cf_sim_os_list_servers},
    {"GET", "/flavors/detail", "flavors.list", CF_SIM_READ, cf_sim_os_list_flavors},
    {"GET", "/flavors/{}", "flavor.show", CF_SIM_READ, cf_sim_os_show_flavor},
    {"GET", "/servers/{}/tags", "server.tags", CF_SIM_READ, cf_sim_os_list_tags},
    {"PUT", "/servers/{}/tags", "server.tags.put", CF_SIM_CHANGE, cf_sim_os_put_tags},
    {"DELETE", "/servers/{}/tags", "server.tags.clear", CF_SIM_CHANGE, cf_sim_os_clear_tags},
    {"GET", "/servers/{}/tags/{}", "server.tag", CF_SIM_READ, cf_sim_os_has_tag},
    {"PUT", "/servers/{}/tags/{}", "server.tag.put", CF_SIM_CHANGE, cf_sim_os_put_tag},
    {"DELETE", "/servers/{}/tags/{}", "server.tag.delete", CF_SIM_CHANGE, cf_sim_os_drop_tag},
    {"GET", "/servers/{}/metadata", "server.metadata", CF_SIM_READ, cf_sim_os_get_metadata},
    {"POST", "/servers/{}/metadata", "server.metadata.update", CF_SIM_CHANGE,
     cf_sim_os_update_metadata},
    {"PUT", "/servers/{}/metadata", "server.metadata.replace", CF_SIM_CHANGE,
     cf_sim_os_replace_metadata},
    {"GET", "/servers/{}/metadata/{}", "server.metadata.item", CF_SIM_READ,
     cf_sim_os_get_metadata_item},
    {"PUT", "/servers/{}/metadata/{}", "server.metadata.item.put", CF_SIM_CHANGE,
     cf_sim_os_put_metadata_item},
    {"DELETE", "/servers/{}/metadata/{}", "server.metadata.item.delete", CF_SIM_CHANGE,
     cf_sim_os_drop_metadata_item},
    {"POST", "/servers/{}/remote-consoles", "server.console", CF_SIM_CHANGE,
     cf_sim_os_remote_console},
    {"POST", "/servers/{}/action", "server.action", CF_SIM_CHANGE, cf_sim_os_unknown_action},
    {"GET", "/servers/{}", "server.show", CF_SIM_READ, cf_sim_os_show_server},
    {"PUT", "/servers/{}", "server.update", CF_SIM_CHANGE, cf_sim_os_update_server},
    {"DELETE", "/servers/{}", "server.delete", CF_SIM_CHANGE, cf_sim_os_delete_server},
    {"GET", "/v2/images", "images.list", CF_SIM_READ, cf_sim_os_list_images},
    {"GET", "/v2/images/{}", "image.show", CF_SIM_READ, cf_sim_os_show_image},
    {"PATCH", "/v2/images/{}", "image.patch", CF_SIM_CHANGE, cf_sim_os_patch_image},
    {"DELETE", "/v2/images/{}", "image.delete", CF_SIM_CHANGE, cf_sim_os_delete_image},
    {"PUT", "/v2/images/{}/tags/{}", "image.tag.put", CF_SIM_CHANGE, cf_sim_os_put_image_tag},
    {"DELETE", "/v2/images/{}/tags/{}", "image.tag.delete", CF_SIM_CHANGE,
     cf_sim_os_drop_image_tag},
    {"POST", "/v2/images/{}/actions/deactivate", "image.deactivate", CF_SIM_CHANGE,
     cf_sim_os_deactivate_image},
    {"POST", "/v2/images/{}/actions/reactivate", "image.reactivate", CF_SIM_CHANGE,
     cf_sim_os_reactivate_image},
    {NULL},
};

/* Actions share a path: what is asked for is the first member of the body. */
static const CfSimRoute *
refine(const CfSimCall *call, const CfSimRoute *route)
{
    gsize prefix = strlen("server.action.");
    CfSimRawIter iter;
    CfSimSpan key, value;

    if (strcmp(route->name, "server.action") != 0 ||
        !cf_sim_raw_check(call->body->str, call->body->len))
        return route;
    cf_sim_raw_iter_init(&iter, cf_sim_span(call->body->str));
    if (iter.closing != '}' || !cf_sim_raw_iter_next(&iter, &key, &value))
        return route;
    for (const CfSimRoute *action = cf_sim_os_actions; action->method; action++) {
        const char *name = action->name + prefix;

        if (strlen(name) == key.len && memcmp(name, key.at, key.len) == 0)
            return action;
    }
    return route;
}

/* ---- Answers ---- */

static void
add_request_id(CfSim *sim, CfSimCall *call, gboolean compute)
{
    guint64 chance = cf_sim_mix(sim->options.seed ^ 0x726571, call->number);
    g_autofree char *id =
        g_strdup_printf("req-%08x-%04x-4000-8000-%012" G_GINT64_MODIFIER "x",
                        (guint) (chance >> 32), (guint) chance & 0xffff, call->number);

    cf_sim_call_add_header(call, "X-Openstack-Request-Id", id);
    if (compute)
        cf_sim_call_add_header(call, "X-Compute-Request-Id", id);
}

typedef enum { KEYSTONE, NOVA, GLANCE } Service;

static Service
service_of(const CfSimCall *call)
{
    if (call->route ? g_str_has_prefix(call->route->name, "image")
                    : strstr(call->path, "/image/") != NULL)
        return GLANCE;
    if (call->route ? strcmp(call->route->name, "token") == 0
                    : strstr(call->path, "/identity/") != NULL)
        return KEYSTONE;
    return NOVA;
}

static const struct {
    guint status;
    const char *title, *fault;
} statuses[] = {
    {400, "Bad Request", "badRequest"},
    {401, "Unauthorized", "unauthorized"},
    {403, "Forbidden", "forbidden"},
    {404, "Not Found", "itemNotFound"},
    {405, "Method Not Allowed", "badMethod"},
    {406, "Not Acceptable", "computeFault"},
    {409, "Conflict", "conflictingRequest"},
    {413, "Request Entity Too Large", "overLimit"},
    {415, "Unsupported Media Type", "badMediaType"},
    {429, "Too Many Requests", "overLimit"},
    {500, "Internal Server Error", "computeFault"},
    {501, "Not Implemented", "notImplemented"},
    {503, "Service Unavailable", "serviceUnavailable"},
};

static void
append_html(GString *out, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    g_string_append(out, escaped);
}

static gboolean
accepts(const CfSimCall *call, const char *type)
{
    const char *accepted = cf_sim_call_header(call, "Accept");

    return accepted && strstr(accepted, type);
}

/* Glance tells it in the way that is asked for; asked for JSON, it leaves the line breaks of its
 * pages in. */
static void
refuse_page(CfSimCall *call, guint status, const char *title, const char *message)
{
    if (accepts(call, "application/json")) {
        g_autofree char *text = g_strconcat(message, "<br /><br />\n\n\n", NULL);

        cf_sim_answer(call, status, "{\"message\": ");
        cf_sim_raw_quote(call->answer, text);
        g_string_append_printf(call->answer, ", \"code\": \"%u %s\", \"title\": \"%s\"}", status,
                               title, title);
        return;
    }
    if (!accepts(call, "text/html") && !accepts(call, "*/*")) {
        cf_sim_answer_printf(call, status, "%u %s\n\n%s\n\n   ", status, title, message);
        call->type = "text/plain; charset=UTF-8";
        return;
    }
    cf_sim_answer_printf(call, status,
                         "<html>\n <head>\n  <title>%u %s</title>\n </head>\n <body>\n  <h1>%u %s"
                         "</h1>\n  ",
                         status, title, status, title);
    append_html(call->answer, message);
    g_string_append(call->answer, "<br /><br />\n\n\n\n </body>\n</html>");
    call->type = "text/html; charset=UTF-8";
}

void
cf_sim_os_refuse(CfSim *sim, CfSimCall *call, guint status, const char *name, const char *message)
{
    const char *title = "Error", *fault = "computeFault";
    Service service = service_of(call);

    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (statuses[i].status == status) {
            title = statuses[i].title;
            fault = statuses[i].fault;
        }
    }
    if (service == GLANCE) {
        refuse_page(call, status, title, message);
    } else if (service == KEYSTONE || (status == 401 && !name)) {
        cf_sim_answer_printf(
            call, status, "{\"error\":{\"code\":%u,\"title\":\"%s\",\"message\":", status, title);
        cf_sim_raw_quote(call->answer, message);
        g_string_append(call->answer, "}}");
    } else {
        cf_sim_answer_printf(call, status, "{\"%s\":{\"code\":%u,\"message\":", name ? name : fault,
                             status);
        cf_sim_raw_quote(call->answer, message);
        g_string_append(call->answer, "}}");
    }
    add_request_id(sim, call, service == NOVA);
}

void
cf_sim_os_refuse_printf(CfSim *sim, CfSimCall *call, guint status, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    cf_sim_os_refuse(sim, call, status, NULL, message);
}

/* A refusal that is none of HTTP's: the state does not permit it. */
static void
refuse(CfSim *sim, CfSimCall *call, guint status, const char *code, const char *message)
{
    if (!status)
        status = 409;
    if (!call->route && status == 404)
        message = "The resource could not be found.";
    cf_sim_os_refuse(sim, call, status, code, message);
}

void
cf_sim_os_answer_empty(CfSimCall *call, guint status)
{
    cf_sim_answer(call, status, "");
}

static void
garble(CfSim *sim, CfSimCall *call, guint turn)
{
    static const char *const wrong[] = {
        "{\"servers\":{},\"images\":{},\"server\":[],\"tags\":7,\"token\":[],\"version\":7}",
        "{\"servers\":\"two\",\"images\":42,\"server\":\"one\",\"remote_console\":[],\"id\":{}}",
        "{\"servers\":[1,null],\"images\":[[],\"x\"],\"server\":null,\"servers_links\":{\"rel\":"
        "\"next\"},\"next\":7,\"image_id\":{}}",
        "{\"servers\":[{}],\"images\":[{}],\"server\":{},\"servers_links\":[{\"rel\":\"next\"}],"
        "\"next\":\"/v2/images?marker=x\",\"remote_console\":{}}",
        "[]",
        "{\"conflictingRequest\":[1],\"error\":\"what\"}",
        "\"OK\"",
        "42",
    };

    cf_sim_answer(call, 200, wrong[turn % G_N_ELEMENTS(wrong)]);
}

/* ---- Records ---- */

char *
cf_sim_os_get(const CfSimRecord *record, const char *key)
{
    return cf_sim_raw_get_string(cf_sim_record_span(record), key);
}

gboolean
cf_sim_os_member_is(const CfSimRecord *record, const char *key, const char *wanted)
{
    g_autofree char *text = cf_sim_os_get(record, key);

    return text && g_ascii_strcasecmp(text, wanted) == 0;
}

static gint64
seconds_of(CfSimSpan text)
{
    g_autofree char *word = text.at ? cf_sim_raw_text(text) : NULL;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = word ? g_date_time_new_from_iso8601(word, utc) : NULL;

    return time ? g_date_time_to_unix(time) : 0;
}

static gboolean
span_is(CfSimSpan value, const char *text)
{
    return value.len == strlen(text) && g_ascii_strncasecmp(value.at, text, value.len) == 0;
}

static gboolean
key_is(CfSimSpan key, const char *text)
{
    return key.len == strlen(text) && memcmp(key.at, text, key.len) == 0;
}

static void
read_record(const CfSimRecord *record, CfSimOsDigest *digest)
{
    CfSimSpan created = {NULL, 0}, updated = {NULL, 0}, status = {"", 0}, key, value;
    gboolean fault = FALSE;
    CfSimRawIter iter;

    cf_sim_raw_iter_init(&iter, cf_sim_record_span(record));
    while (cf_sim_raw_iter_next(&iter, &key, &value)) {
        if (key_is(key, "created") || key_is(key, "created_at"))
            created = value;
        else if (key_is(key, "updated") || key_is(key, "updated_at"))
            updated = value;
        else if (key_is(key, "status"))
            status = value;
        else if (key_is(key, "fault"))
            fault = TRUE;
    }
    digest->created_s = seconds_of(created);
    digest->updated_s = seconds_of(updated);
    digest->gone = record->kind == CF_SIM_SERVERS && span_is(status, "\"DELETED\"");
    digest->going = record->kind == CF_SIM_SERVERS && span_is(status, "\"SOFT_DELETED\"");
    digest->has_fault = fault && !digest->gone && !span_is(status, "\"ERROR\"");
}

const CfSimOsDigest *
cf_sim_os_digest(CfSimRecord *record)
{
    if (!record->digest)
        record->digest = g_new0(CfSimOsDigest, 1);
    if (record->digested != record->revision) {
        read_record(record, record->digest);
        record->digested = record->revision;
    }
    return record->digest;
}

gboolean
cf_sim_os_is_gone(const CfSimRecord *record)
{
    /* The digest is kept beside the text, which is what must not change. */
    return cf_sim_os_digest((CfSimRecord *) record)->gone;
}

char *
cf_sim_os_now(const CfSim *sim, const char *format)
{
    g_autoptr(GDateTime) now =
        g_date_time_new_from_unix_utc(cf_sim_server_date_us(sim) / G_USEC_PER_SEC);

    return g_date_time_format(now, format);
}

void
cf_sim_os_stamp(CfSim *sim, CfSimRecord *record)
{
    const char *key = record->kind == CF_SIM_SERVERS ? "updated" : "updated_at";
    g_autofree char *now = cf_sim_os_now(sim, "{\"%%s\":\"%Y-%m-%dT%H:%M:%SZ\"}");
    g_auto(GStrv) parts = g_strsplit(now, "%s", 2);
    g_autofree char *change = g_strjoinv(key, parts);

    cf_sim_world_merge(sim->world, record, change);
}

void
cf_sim_os_bury(CfSim *sim, CfSimRecord *record)
{
    g_autofree char *now = cf_sim_os_now(sim, "%Y-%m-%dT%H:%M:%S.000000");
    g_autofree char *change = NULL;

    if (record->kind == CF_SIM_IMAGES) {
        cf_sim_world_remove(sim->world, record);
        return;
    }
    change = g_strdup_printf("{\"status\":\"DELETED\",\"" CF_SIM_OS_TASK
                             "\":null,\"OS-EXT-STS:vm_state\":\"deleted\","
                             "\"OS-EXT-STS:power_state\":0,\"OS-SRV-USG:terminated_at\":\"%s\"}",
                             now);
    cf_sim_world_unplan(sim->world, record);
    cf_sim_world_merge(sim->world, record, change);
    cf_sim_os_stamp(sim, record);
}

/* What a status goes with, where only the status was set. */
static void
complete(CfSim *sim, CfSimRecord *record, CfSimSpan members)
{
    g_autofree char *status = cf_sim_raw_get_string(members, "status");
    g_autofree char *change = NULL;
    CfSimSpan unused;

    if (!status || record->kind != CF_SIM_SERVERS ||
        cf_sim_raw_get(members, "OS-EXT-STS:vm_state", &unused))
        return;
    change = g_strdup_printf("{\"OS-EXT-STS:vm_state\":\"%s\",\"OS-EXT-STS:power_state\":%u}",
                             cf_sim_os_vm_state(status), cf_sim_os_power_state(status));
    cf_sim_world_merge(sim->world, record, change);
}

/* Only what tags a server leaves its time alone. */
static void
changed(CfSim *sim, CfSimRecord *record, CfSimSpan members)
{
    gboolean stamps = FALSE, any = FALSE;
    CfSimRawIter iter;
    CfSimSpan key, value;

    cf_sim_raw_iter_init(&iter, members);
    while (cf_sim_raw_iter_next(&iter, &key, &value)) {
        any = TRUE;
        if (key_is(key, "updated") || key_is(key, "updated_at"))
            return;
        stamps = stamps || !key_is(key, "tags") || record->kind == CF_SIM_IMAGES;
    }
    complete(sim, record, members);
    if (stamps || !any)
        cf_sim_os_stamp(sim, record);
}

static void
add_generated(CfSim *sim, CfSimKind kind, guint64 index)
{
    g_autoptr(GString) next = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    char *text = cf_sim_os_make(sim, kind, index);

    if (sim->options.hostile) {
        cf_sim_os_append_id(sim, kind, index + 1, next);
        text = cf_sim_hostile(&cf_sim_os_hostile[kind], index, text, next->str);
    }
    if (!cf_sim_world_add(sim->world, kind, text, &error))
        g_error("the generated world is wrong: %s", error->message);
}

static void
populate(CfSim *sim)
{
    if (sim->options.demo) {
        cf_sim_os_populate_demo(sim);
    } else {
        for (guint i = 0; i < sim->options.images; i++)
            add_generated(sim, CF_SIM_IMAGES, i);
        for (guint i = 0; i < sim->options.servers; i++)
            add_generated(sim, CF_SIM_SERVERS, i);
    }
    sim->made = (guint64) 1 << 32; /* records made later never get the id of a generated one */
}

const CfSimDialect cf_sim_openstack = {
    .name = "openstack",
    .ids = {[CF_SIM_SERVERS] = "id", [CF_SIM_IMAGES] = "id"},
    .versions = 93,
    .touch = {"status", "ACTIVE",
              "{\"status\":\"ACTIVE\",\"" CF_SIM_OS_TASK "\":null,\"OS-EXT-STS:vm_state\":"
              "\"active\",\"OS-EXT-STS:power_state\":1}",
              "{\"status\":\"SHUTOFF\",\"" CF_SIM_OS_TASK "\":null,\"OS-EXT-STS:vm_state\":"
              "\"stopped\",\"OS-EXT-STS:power_state\":4}"},
    .opening = "{\"servers\":",
    .routes = routes,
    .admit = cf_sim_os_admit,
    .refuse = refuse,
    .garble = garble,
    .make = cf_sim_os_make,
    .populate = populate,
    .set_tags = cf_sim_os_set_tags,
    .show_tags = cf_sim_os_show_tags,
    .refine = refine,
    .changed = changed,
    .bury = cf_sim_os_bury,
    .is_buried = cf_sim_os_is_gone,
};
