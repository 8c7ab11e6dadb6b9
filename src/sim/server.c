/* The HTTP server. A call is answered at once and its answer held back for the latency: the
 * connection is suspended meanwhile, so that calls wait side by side and no thread sleeps. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>

#include "sim/private.h"

#define BODY_MAX (16 * 1024 * 1024)
#define HUGE_SIZE (100 * 1024 * 1024)
#define THREADS 4

typedef enum {
    STAGE_READING,  /* the body still comes */
    STAGE_WAITING,  /* answered, or hanging; suspended */
    STAGE_READY,    /* to be sent now */
    STAGE_RELEASED, /* hung, goes on */
} Stage;

typedef struct {
    CfSimCall call;
    struct MHD_Connection *connection;
    Stage stage;
    gint64 due_us;       /* G_MAXINT64: hangs */
    GSequenceIter *wait; /* (nullable): in the server's list */
} Exchange;

struct _CfSimServer {
    CfSim *sim;
    struct MHD_Daemon *daemon;
    GThread *timer;
    GMutex lock;        /* protects what follows; may be taken under the simulator's lock */
    GCond changed;      /* waiting or closing has changed */
    GSequence *waiting; /* suspended exchanges, the next due first */
    gboolean closing;
};

/* Called with the request line as it was sent, before anything is decoded. */
static void *
exchange_new(void *data, const char *target, struct MHD_Connection *connection)
{
    Exchange *exchange = g_new0(Exchange, 1);
    CfSimCall *call = &exchange->call;
    const char *mark = strchr(target, '?');

    exchange->connection = connection;
    call->target = g_strdup(target);
    call->path = mark ? g_strndup(target, (gsize) (mark - target)) : g_strdup(target);
    call->query = mark ? call->target + (mark - target) + 1 : NULL;
    call->headers = g_ptr_array_new_with_free_func(g_free);
    call->body = g_string_new(NULL);
    call->answer = g_string_new(NULL);
    return exchange;
}

static void
exchange_done(void *data, struct MHD_Connection *connection, void **slot,
              enum MHD_RequestTerminationCode how)
{
    Exchange *exchange = *slot;

    if (!exchange)
        return;
    cf_sim_call_clear(&exchange->call);
    g_free(exchange);
    *slot = NULL;
}

static enum MHD_Result
take_header(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
    GPtrArray *headers = data;

    g_ptr_array_add(headers, g_strdup(name));
    g_ptr_array_add(headers, g_strdup(value ? value : ""));
    return MHD_YES;
}

static gint
compare_due(gconstpointer a, gconstpointer b, gpointer data)
{
    const Exchange *first = a, *second = b;

    return (first->due_us > second->due_us) - (first->due_us < second->due_us);
}

/* Takes an exchange off the list and lets its connection go on; under the lock. */
static void
resume(Exchange *exchange)
{
    exchange->stage = exchange->due_us == G_MAXINT64 ? STAGE_RELEASED : STAGE_READY;
    g_sequence_remove(g_steal_pointer(&exchange->wait));
    MHD_resume_connection(exchange->connection);
}

static gpointer
timer_run(gpointer data)
{
    CfSimServer *server = data;

    g_mutex_lock(&server->lock);
    while (!server->closing) {
        Exchange *next = g_sequence_is_empty(server->waiting)
                             ? NULL
                             : g_sequence_get(g_sequence_get_begin_iter(server->waiting));

        if (next && next->due_us <= g_get_monotonic_time())
            resume(next);
        else if (next && next->due_us != G_MAXINT64)
            g_cond_wait_until(&server->changed, &server->lock, next->due_us);
        else
            g_cond_wait(&server->changed, &server->lock);
    }
    g_mutex_unlock(&server->lock);
    return NULL;
}

/* Returns: FALSE: the server closes. */
static gboolean
suspend(CfSimServer *server, Exchange *exchange)
{
    const CfSimCall *call = &exchange->call;
    gint64 delay_us = (gint64) call->delay_ms * 1000;

    g_mutex_lock(&server->lock);
    if (server->closing) {
        g_mutex_unlock(&server->lock);
        return FALSE;
    }
    exchange->due_us =
        call->delivery == CF_SIM_HANG ? G_MAXINT64 : g_get_monotonic_time() + delay_us;
    exchange->stage = STAGE_WAITING;
    MHD_suspend_connection(exchange->connection);
    exchange->wait = g_sequence_insert_sorted(server->waiting, exchange, compare_due, NULL);
    g_cond_signal(&server->changed);
    g_mutex_unlock(&server->lock);
    return TRUE;
}

void
cf_sim_server_release(CfSimServer *server, guint fault)
{
    GSequenceIter *iter;

    g_mutex_lock(&server->lock);
    iter = g_sequence_get_begin_iter(server->waiting);
    while (!g_sequence_iter_is_end(iter)) {
        Exchange *exchange = g_sequence_get(iter);

        iter = g_sequence_iter_next(iter);
        if (exchange->due_us == G_MAXINT64 && (fault == 0 || exchange->call.fault == fault))
            resume(exchange);
    }
    g_mutex_unlock(&server->lock);
}

/* Delivers the text, then breaks off although more was promised. */
static ssize_t
read_truncated(void *data, uint64_t at, char *buffer, size_t size)
{
    const GString *text = data;
    gsize n;

    if (at >= text->len)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    n = MIN(size, text->len - at);
    memcpy(buffer, text->str + at, n);
    return (ssize_t) n;
}

static void
free_text(void *data)
{
    g_string_free(data, TRUE);
}

/* Delivers a text that goes on with a very long string. */
static ssize_t
read_huge(void *data, uint64_t at, char *buffer, size_t size)
{
    static const char tail[] = "\"}";
    const gsize tail_at = HUGE_SIZE - strlen(tail);
    const GString *head = data;
    gsize n = 0;

    for (; n < size && at + n < HUGE_SIZE; n++) {
        gsize i = at + n;

        if (i < head->len)
            buffer[n] = head->str[i];
        else
            buffer[n] = i < tail_at ? 'x' : tail[i - tail_at];
    }
    return n ? (ssize_t) n : MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *
make_response(CfSimCall *call)
{
    gsize len = call->answer->len;
    GString *text = g_steal_pointer(&call->answer);

    if (call->delivery == CF_SIM_TRUNCATE) {
        g_string_truncate(text, len / 2);
        return MHD_create_response_from_callback(len, 4096, read_truncated, text, free_text);
    }
    if (call->delivery == CF_SIM_HUGE)
        return MHD_create_response_from_callback(HUGE_SIZE, 65536, read_huge, text, free_text);
    return MHD_create_response_from_buffer(len, g_string_free(text, FALSE), MHD_RESPMEM_MUST_FREE);
}

/* Returns: (transfer full): now and so many seconds, as HTTP writes it in every locale. */
static char *
http_date(gint skew_s)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) date = g_date_time_add_seconds(now, skew_s);

    return g_strdup_printf(
        "%s, %02d %s %04d %02d:%02d:%02d GMT", days[g_date_time_get_day_of_week(date) - 1],
        g_date_time_get_day_of_month(date), months[g_date_time_get_month(date) - 1],
        g_date_time_get_year(date), g_date_time_get_hour(date), g_date_time_get_minute(date),
        g_date_time_get_second(date));
}

static enum MHD_Result
send_answer(Exchange *exchange)
{
    CfSimCall *call = &exchange->call;
    struct MHD_Response *response;
    enum MHD_Result result;

    if (call->delivery == CF_SIM_CLOSE || !call->answer)
        return MHD_NO;
    response = make_response(call);
    MHD_add_response_header(response, "Content-Type", call->type ? call->type : "text/plain");
    if (call->clock_skew_s) {
        g_autofree char *date = http_date(call->clock_skew_s);

        MHD_add_response_header(response, "Date", date);
    }
    for (guint i = 0; call->answer_headers && i + 1 < call->answer_headers->len; i += 2)
        MHD_add_response_header(response, g_ptr_array_index(call->answer_headers, i),
                                g_ptr_array_index(call->answer_headers, i + 1));
    result = MHD_queue_response(exchange->connection, call->status, response);
    MHD_destroy_response(response);
    return result;
}

/* A call that hung goes on. A read is answered now; a change that never happened must not happen
 * so late, its connection is closed. */
static void
process_released(CfSim *sim, CfSimCall *call)
{
    call->delivery = CF_SIM_CLOSE;
    if (call->route && call->route->type != CF_SIM_CHANGE)
        cf_sim_process(sim, call, TRUE);
}

static enum MHD_Result
handle(void *data, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload, size_t *upload_size, void **slot)
{
    CfSimServer *server = data;
    Exchange *exchange = *slot;
    CfSimCall *call = &exchange->call;

    if (!call->method) {
        call->method = g_strdup(method);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, call->headers);
        return MHD_YES;
    }
    if (*upload_size) {
        if (call->body->len + *upload_size > BODY_MAX)
            return MHD_NO;
        g_string_append_len(call->body, upload, (gssize) *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (g_atomic_int_get(&server->closing))
        return MHD_NO;
    if (exchange->stage == STAGE_READING)
        cf_sim_process(server->sim, call, FALSE);
    else if (exchange->stage == STAGE_RELEASED)
        process_released(server->sim, call);
    if (exchange->stage == STAGE_READING && (call->delay_ms || call->delivery == CF_SIM_HANG))
        return suspend(server, exchange) ? MHD_YES : MHD_NO;
    return send_answer(exchange);
}

static gboolean
parse_address(const char *text, guint port, struct sockaddr_storage *ret_address, GError **error)
{
    struct sockaddr_in *four = (struct sockaddr_in *) ret_address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *) ret_address;

    memset(ret_address, 0, sizeof *ret_address);
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1 &&
        (ntohl(four->sin_addr.s_addr) >> 24) == 127) {
        four->sin_family = AF_INET;
        four->sin_port = htons((guint16) port);
        return TRUE;
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((guint16) port);
        return TRUE;
    }
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG,
                "%s is not a loopback address; the simulator serves nobody else", text);
    return FALSE;
}

static gboolean
listen_on(CfSimServer *server, char **ret_url, GError **error)
{
    const CfSimOptions *options = &server->sim->options;
    struct sockaddr_storage address;
    const union MHD_DaemonInfo *info;
    gboolean six;

    if (!parse_address(options->address, options->port, &address, error))
        return FALSE;
    six = address.ss_family == AF_INET6;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (six ? MHD_USE_IPv6 : 0), 0,
        NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_THREAD_POOL_SIZE,
        THREADS, MHD_OPTION_CONNECTION_LIMIT, 4000U, MHD_OPTION_URI_LOG_CALLBACK, exchange_new,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, exchange_done, NULL, MHD_OPTION_END);
    info = server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info || !info->port) {
        g_set_error(error, CF_ERROR, CF_ERROR_NO_CONNECT, "cannot listen on %s port %u",
                    options->address, options->port);
        return FALSE;
    }
    *ret_url = g_strdup_printf(six ? "http://[%s]:%u" : "http://%s:%u", options->address,
                               (guint) info->port);
    return TRUE;
}

CfSimServer *
cf_sim_server_new(CfSim *sim, char **ret_url, GError **error)
{
    CfSimServer *server = g_new0(CfSimServer, 1);

    server->sim = sim;
    g_mutex_init(&server->lock);
    g_cond_init(&server->changed);
    server->waiting = g_sequence_new(NULL);
    server->timer = g_thread_new("sim-timer", timer_run, server);
    if (!listen_on(server, ret_url, error))
        g_clear_pointer(&server, cf_sim_server_free);
    return server;
}

void
cf_sim_server_free(CfSimServer *server)
{
    if (!server)
        return;
    g_mutex_lock(&server->lock);
    g_atomic_int_set(&server->closing, TRUE);
    while (!g_sequence_is_empty(server->waiting))
        resume(g_sequence_get(g_sequence_get_begin_iter(server->waiting)));
    g_cond_signal(&server->changed);
    g_mutex_unlock(&server->lock);
    g_thread_join(server->timer);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    g_sequence_free(server->waiting);
    g_cond_clear(&server->changed);
    g_mutex_clear(&server->lock);
    g_free(server);
}
