/* A backend over real HTTP, against a server that answers by script and remembers every byte of
 * what it was asked. The test defines `ops`, the backend's table, before it includes this. */
#pragma once

#include <microhttpd.h>
#include <string.h>

#include "providers/provider.h"
#include "util/clock.h"
#include "util/error.h"

#define SECOND G_USEC_PER_SEC

/* --- server ----------------------------------------------------------------------------------- */

typedef struct {
    char *target; /* path and query as they came over the wire */
    char *line;   /* "GET /ecs/v1/servers/1/100" */
    GString *body;
    GHashTable *headers; /* names in lower case */
} Seen;

typedef struct {
    const char *method, *path; /* without the query */
    const char *token;         /* (nullable): only for requests with this one */
    int status;
    const char *body;
    int uses; /* left; < 0: for ever */
    guint delay_ms;
    const char *header, *value; /* (nullable): one more header */
    const char *holds;          /* (nullable): only for requests whose target or body has this */
} Rule;

typedef struct {
    struct MHD_Daemon *daemon;
    guint16 port;
    GMutex lock;     /* protects what follows */
    GArray *rules;   /* (element-type Rule): the first one that fits is used */
    GPtrArray *seen; /* (element-type Seen) */
} Server;

static inline void
seen_free(gpointer data)
{
    Seen *seen = data;

    g_free(seen->target);
    g_free(seen->line);
    g_string_free(seen->body, TRUE);
    g_hash_table_unref(seen->headers);
    g_free(seen);
}

static inline void *
on_uri(void *server, const char *uri, struct MHD_Connection *connection)
{
    Seen *seen = g_new0(Seen, 1);

    seen->target = g_strdup(uri);
    seen->body = g_string_new(NULL);
    seen->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return seen;
}

static inline enum MHD_Result
on_header(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
    g_hash_table_replace(data, g_ascii_strdown(name, -1), g_strdup(value ? value : ""));
    return MHD_YES;
}

static inline gboolean
rule_fits(const Rule *rule, const char *method, const Seen *seen)
{
    g_autofree char *bearer = rule->token ? g_strconcat("Bearer ", rule->token, NULL) : NULL;

    return rule->uses != 0 && strcmp(rule->method, method) == 0 &&
           strlen(rule->path) == strcspn(seen->target, "?") &&
           strncmp(rule->path, seen->target, strlen(rule->path)) == 0 &&
           (!rule->holds || strstr(seen->target, rule->holds) ||
            strstr(seen->body->str, rule->holds)) &&
           (!bearer || g_strcmp0(bearer, g_hash_table_lookup(seen->headers, "authorization")) == 0);
}

static inline Rule
choose(Server *server, const char *method, const Seen *seen)
{
    for (guint i = 0; i < server->rules->len; i++) {
        Rule *rule = &g_array_index(server->rules, Rule, i);

        if (rule_fits(rule, method, seen)) {
            rule->uses -= rule->uses > 0;
            return *rule;
        }
    }
    return (Rule){.status = 418, .body = "{\"message\":\"no such request in the script\"}"};
}

static inline enum MHD_Result
answer(Server *server, struct MHD_Connection *connection, const char *method, Seen *seen)
{
    struct MHD_Response *response;
    enum MHD_Result result;
    Rule rule;

    seen->line = g_strdup_printf("%s %s", method, seen->target);
    g_mutex_lock(&server->lock);
    rule = choose(server, method, seen);
    g_ptr_array_add(server->seen, seen);
    g_mutex_unlock(&server->lock);

    if (rule.delay_ms)
        g_usleep(rule.delay_ms * 1000);
    /* A copy: the test may be over before the last byte is sent. */
    response = MHD_create_response_from_buffer(strlen(rule.body), (void *) rule.body,
                                               MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (rule.header)
        MHD_add_response_header(response, rule.header, rule.value);
    result = MHD_queue_response(connection, (unsigned) rule.status, response);
    MHD_destroy_response(response);
    return result;
}

static inline enum MHD_Result
on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
           const char *version, const char *upload, size_t *size, void **state)
{
    Seen *seen = *state;

    if (g_hash_table_size(seen->headers) == 0) {
        MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, seen->headers);
        return MHD_YES;
    }
    if (*size > 0) {
        g_string_append_len(seen->body, upload, (gssize) *size);
        *size = 0;
        return MHD_YES;
    }
    *state = NULL; /* the list has it now */
    return answer(data, connection, method, seen);
}

/* A request that never came to its end is not in the list. */
static inline void
on_completed(void *data, struct MHD_Connection *connection, void **state,
             enum MHD_RequestTerminationCode code)
{
    Seen *seen = *state;

    if (seen)
        seen_free(seen);
}

static inline void
server_start(Server *server)
{
    g_mutex_init(&server->lock);
    server->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
    server->seen = g_ptr_array_new_with_free_func(seen_free);
    server->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
                         NULL, on_request, server, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
                         MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
    g_assert_nonnull(server->daemon);
    server->port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static inline void
server_stop(Server *server)
{
    MHD_stop_daemon(server->daemon);
    g_array_unref(server->rules);
    g_ptr_array_unref(server->seen);
    g_mutex_clear(&server->lock);
}

static inline void
serve_rule(Server *server, Rule rule)
{
    g_mutex_lock(&server->lock);
    g_array_append_val(server->rules, rule);
    g_mutex_unlock(&server->lock);
}

/* For ever. */
static inline void
serve(Server *server, const char *method, const char *path, int status, const char *body)
{
    serve_rule(server, (Rule){method, path, NULL, status, body, -1});
}

static inline void
serve_once(Server *server, const char *method, const char *path, int status, const char *body)
{
    serve_rule(server, (Rule){method, path, NULL, status, body, 1});
}

static inline void
forget(Server *server)
{
    g_mutex_lock(&server->lock);
    g_array_set_size(server->rules, 0);
    g_ptr_array_set_size(server->seen, 0);
    g_mutex_unlock(&server->lock);
}

static inline guint
count_seen(Server *server, const char *line)
{
    guint n = 0;

    g_mutex_lock(&server->lock);
    for (guint i = 0; i < server->seen->len; i++)
        n += !line || strcmp(((Seen *) server->seen->pdata[i])->line, line) == 0;
    g_mutex_unlock(&server->lock);
    return n;
}

/* Of the last request of that line. Returns: (transfer full) (nullable): its header. */
static inline char *
last_header(Server *server, const char *line, const char *name)
{
    char *value = NULL;

    g_mutex_lock(&server->lock);
    for (guint i = server->seen->len; !value && i-- > 0;) {
        const Seen *seen = server->seen->pdata[i];

        if (strcmp(seen->line, line) == 0)
            value = g_strdup(g_hash_table_lookup(seen->headers, name));
    }
    g_mutex_unlock(&server->lock);
    return value;
}

/* Only while nothing is under way. */
static const Seen *
seen_at(Server *server, guint i)
{
    g_assert_cmpuint(i, <, server->seen->len);
    return server->seen->pdata[i];
}

static inline void
assert_seen(Server *server, guint i, const char *line, const char *body)
{
    g_assert_cmpstr(seen_at(server, i)->line, ==, line);
    g_assert_cmpstr(seen_at(server, i)->body->str, ==, body);
}

static const char *
header(Server *server, guint i, const char *name)
{
    return g_hash_table_lookup(seen_at(server, i)->headers, name);
}

/* --- client ----------------------------------------------------------------------------------- */

typedef struct {
    Server server;
    CfHttp *http;
    CfChannel *channel;
    GHashTable *config; /* the profile's keys */
    CfProviderEnv env;
    gpointer handle;
} Fixture;

static const char *
get_key(gpointer config, const char *key)
{
    return g_hash_table_lookup(config, key);
}

static inline void
set_key(Fixture *fixture, const char *key, const char *value)
{
    g_hash_table_replace(fixture->config, g_strdup(key), g_strdup(value));
}

static inline gboolean
make_channel(gpointer data)
{
    static const CfChannelOptions options = {.connections = 16};
    static const CfChannelObserver observer;
    Fixture *fixture = data;

    fixture->channel = cf_channel_new(fixture->http, &options, &observer);
    return G_SOURCE_REMOVE;
}

/* Keys, above all the endpoint, are the test's business. */
static inline void
fixture_set_up(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    server_start(&fixture->server);
    fixture->http = cf_http_new(&error);
    g_assert_no_error(error);
    cf_http_invoke_wait(fixture->http, make_channel, fixture);
    fixture->config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fixture->env = (CfProviderEnv){
        .profile = "test",
        .channel = fixture->channel,
        .context = cf_http_get_context(fixture->http),
        .deadline_us = 10 * SECOND,
        .get = get_key,
        .config = fixture->config,
    };
}

static inline void
open_handle(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->handle = ops->open(&fixture->env, &error);
    g_assert_no_error(error);
    g_hash_table_remove_all(fixture->config); /* what is needed later was copied */
}

static inline gboolean
close_handle(gpointer data)
{
    Fixture *fixture = data;

    if (fixture->handle)
        ops->close(g_steal_pointer(&fixture->handle));
    return G_SOURCE_REMOVE;
}

static inline gboolean
close_all(gpointer data)
{
    Fixture *fixture = data;

    close_handle(fixture);
    cf_channel_free(fixture->channel);
    return G_SOURCE_REMOVE;
}

/* For g_test_add(). */
static inline void
tear_down(Fixture *fixture, gconstpointer data)
{
    cf_http_invoke_wait(fixture->http, close_all, fixture);
    cf_http_free(fixture->http);
    server_stop(&fixture->server);
    g_hash_table_unref(fixture->config);
}

/* --- calls ------------------------------------------------------------------------------------ */

typedef enum { LIST, SHOW, LIST_TAGS, ACT, AUTHENTICATE, SEARCH, FOLLOW, OTHER } JobKind;

typedef struct Job Job;

/* One call, and what came of it. */
struct Job {
    Fixture *fixture;
    JobKind kind;
    void (*other)(Job *job); /* OTHER: the call */
    CfCollection collection;
    guint page;
    const char *marker; /* (nullable) */
    const char *id;     /* of the resource, of the cloud's job; SEARCH: the text */
    CfAction *action;   /* owned */
    gint64 deadline_us;

    GMutex lock;
    GCond cond;
    gboolean returned, done; /* the function; the callback */
    GError *error;
    guint n_records;
    gint64 total, requested_us;
    gboolean last;
    CfRecord *record;
    char *tags; /* joined by '|' */
    CfActionResult result;
    gboolean over; /* FOLLOW: of the cloud's job */
};

static inline void
finish(Job *job, const GError *error)
{
    g_assert_true(job->returned);
    g_mutex_lock(&job->lock);
    g_assert_false(job->done);
    job->error = error ? g_error_copy(error) : NULL;
    job->done = TRUE;
    g_cond_signal(&job->cond);
    g_mutex_unlock(&job->lock);
}

static inline void
on_page(const CfPage *page, const GError *error, gpointer data)
{
    Job *job = data;

    g_assert_true(!page != !error);
    if (page) {
        job->n_records = page->records->len;
        job->total = page->total;
        job->last = page->last;
        job->requested_us = page->requested_us;
        g_assert_nonnull(page->body);
    }
    finish(job, error);
}

static inline void
on_record(CfRecord *record, gint64 requested_us, const GError *error, gpointer data)
{
    Job *job = data;

    g_assert_true(!record != !error);
    job->record = record ? cf_record_ref(record) : NULL;
    job->requested_us = requested_us;
    finish(job, error);
}

static inline void
on_tags(const char *const *tags, const GError *error, gpointer data)
{
    Job *job = data;

    g_assert_true(!tags != !error);
    job->tags = tags ? g_strjoinv("|", (char **) tags) : NULL;
    finish(job, error);
}

static inline void
on_action(const CfActionResult *result, const GError *error, gpointer data)
{
    Job *job = data;

    g_assert_true(result || error);
    if (result) {
        job->result = *result; /* what it points to is copied */
        job->result.new_id = g_strdup(result->new_id);
        job->result.console_url = g_strdup(result->console_url);
        job->result.console_type = g_strdup(result->console_type);
        job->result.console_log = g_strdup(result->console_log);
        job->result.method_path = g_strdup(result->method_path);
        job->result.request_id = g_strdup(result->request_id);
        job->result.job_id = g_strdup(result->job_id);
    }
    finish(job, error);
}

static inline void
on_done(const GError *error, gpointer data)
{
    finish(data, error);
}

static inline void
on_job(gboolean over, const GError *error, gpointer data)
{
    ((Job *) data)->over = over;
    finish(data, error);
}

static inline gboolean
start(gpointer data)
{
    Job *job = data;
    gpointer handle = job->fixture->handle;

    switch (job->kind) {
    case LIST:
        ops->list(handle, job->collection, job->page, job->deadline_us, TRUE, NULL, on_page, job);
        break;
    case SEARCH:
        ops->search(handle, job->collection, job->id, job->page, job->marker, job->deadline_us,
                    TRUE, on_page, job);
        break;
    case FOLLOW:
        ops->job(handle, job->id, job->deadline_us, on_job, job);
        break;
    case OTHER:
        job->other(job);
        break;
    case SHOW:
        ops->show(handle, job->collection, job->id, job->deadline_us, on_record, job);
        break;
    case LIST_TAGS:
        ops->list_tags(handle, job->id, job->deadline_us, TRUE, on_tags, job);
        break;
    case ACT:
        ops->act(handle, job->action, job->deadline_us, on_action, job);
        break;
    case AUTHENTICATE:
        ops->authenticate(handle, job->deadline_us, on_done, job);
        break;
    }
    job->returned = TRUE;
    return G_SOURCE_REMOVE;
}

static inline void
job_start(Fixture *fixture, Job *job)
{
    job->fixture = fixture;
    if (!job->deadline_us)
        job->deadline_us = cf_clock_mono_us() + 10 * SECOND;
    g_mutex_init(&job->lock);
    g_cond_init(&job->cond);
    cf_http_invoke_wait(fixture->http, start, job);
}

static inline void
job_wait(Job *job)
{
    gint64 end = g_get_monotonic_time() + 20 * SECOND;

    g_mutex_lock(&job->lock);
    while (!job->done)
        g_assert_true(g_cond_wait_until(&job->cond, &job->lock, end));
    g_mutex_unlock(&job->lock);
}

static inline void
job_clear(Job *job)
{
    g_clear_error(&job->error);
    cf_record_unref(job->record);
    cf_action_unref(job->action);
    cf_action_result_clear(&job->result);
    g_free(job->tags);
    g_mutex_clear(&job->lock);
    g_cond_clear(&job->cond);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static inline void
run(Fixture *fixture, Job *job)
{
    job_start(fixture, job);
    job_wait(job);
}

/* Runs a listing of servers, page 1. code: of the error; -1: none. */
static inline void
run_list(Fixture *fixture, int code)
{
    g_auto(Job) job = {.kind = LIST, .page = 1};

    run(fixture, &job);
    if (code < 0)
        g_assert_no_error(job.error);
    else
        g_assert_error(job.error, CF_ERROR, code);
}

/* ids, tags: joined by '|'; text, description, tags: (nullable). */
static inline CfAction *
new_action(CfCollection collection, CfActionKind kind, CfVerb verb, const char *ids,
           const char *text, const char *description, const char *tags)
{
    CfAction *action = cf_action_new(kind, collection, NULL);

    g_strfreev(action->ids);
    action->ids = g_strsplit(ids, "|", -1);
    action->verb = verb;
    action->text = g_strdup(text);
    action->description = g_strdup(description);
    action->tags = tags ? g_strsplit(tags, "|", -1) : NULL;
    return action;
}
