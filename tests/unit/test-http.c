/* The HTTP layer against a small server on loopback that behaves, and misbehaves, as its paths say.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"
#include "http/private.h"
#include "http/retry.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

/* --- the server ------------------------------------------------------------------------------ */

typedef struct {
    int listener;
    guint16 port;
    GThread *thread; /* (nullable) */
    GMutex lock;     /* protects all below */
    GCond changed;
    GHashTable *hits;  /* path → count */
    GPtrArray *heads;  /* every request's head, in the order of their coming */
    GList *sockets;    /* of the connections that are open */
    guint connections; /* that were ever opened */
    guint workers;
    guint inside; /* requests that wait at the gate */
    gboolean gate_open;
    gboolean stopping;
} Server;

typedef struct {
    Server *server;
    int fd;
    const char *head;
    guint nth; /* of this path, from 1 */
} Visit;

static void
say(int fd, const char *data, gsize size)
{
    while (size > 0) {
        gssize sent = send(fd, data, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        data += sent;
        size -= (gsize) sent;
    }
}

static gboolean
answer(int fd, const char *status, const char *headers, const char *body)
{
    g_autofree char *text = g_strdup_printf("HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s",
                                            status, strlen(body), headers, body);

    say(fd, text, strlen(text));
    return TRUE;
}

static gboolean
do_ok(Visit *visit)
{
    return answer(visit->fd, "200 OK", "Date: Sat, 31 Jan 2026 08:00:00 GMT\r\n", "ok");
}

static gboolean
do_echo(Visit *visit)
{
    return answer(visit->fd, "200 OK", "", visit->head);
}

static gboolean
do_ids(Visit *visit)
{
    return answer(visit->fd, "200 OK", "X-Compute-Request-Id: req-77\r\n", "");
}

/* Answers only when the gate is open. */
static gboolean
do_gate(Visit *visit)
{
    Server *server = visit->server;

    g_mutex_lock(&server->lock);
    server->inside++;
    g_cond_broadcast(&server->changed);
    while (!server->gate_open && !server->stopping)
        g_cond_wait(&server->changed, &server->lock);
    server->inside--;
    g_mutex_unlock(&server->lock);
    return do_ok(visit);
}

/* Opens its own gate once four have come. */
static gboolean
do_four(Visit *visit)
{
    Server *server = visit->server;

    g_mutex_lock(&server->lock);
    server->inside++;
    g_cond_broadcast(&server->changed);
    while (server->inside < 4 && !server->stopping)
        g_cond_wait(&server->changed, &server->lock);
    g_mutex_unlock(&server->lock);
    return do_ok(visit);
}

static gboolean
do_reset(Visit *visit)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(visit->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    return FALSE;
}

static gboolean
do_close(Visit *visit)
{
    return FALSE;
}

static gboolean
do_reset_once(Visit *visit)
{
    return visit->nth == 1 ? do_reset(visit) : do_ok(visit);
}

/* Ends the connection after the answer without having said so. */
static gboolean
do_leave(Visit *visit)
{
    do_ok(visit);
    return FALSE;
}

static gboolean
do_503(Visit *visit)
{
    return answer(visit->fd, "503 Service Unavailable", "", "busy");
}

static gboolean
do_503_once(Visit *visit)
{
    return visit->nth == 1 ? do_503(visit) : do_echo(visit);
}

static gboolean
do_503_later_once(Visit *visit)
{
    return visit->nth == 1
               ? answer(visit->fd, "503 Service Unavailable", "Retry-After: 1\r\n", "{}")
               : do_ok(visit);
}

static gboolean
do_500_json(Visit *visit)
{
    return answer(visit->fd, "500 Internal Server Error", "", " {\"code\": \"001012\"}");
}

static gboolean
do_500_html_once(Visit *visit)
{
    return visit->nth == 1 ? answer(visit->fd, "500 Internal Server Error", "", "<html>")
                           : do_ok(visit);
}

static gboolean
do_429_once(Visit *visit)
{
    return visit->nth == 1 ? answer(visit->fd, "429 Too Many Requests", "Retry-After: 1\r\n", "")
                           : do_ok(visit);
}

static gboolean
do_429_plain_once(Visit *visit)
{
    return visit->nth == 1 ? answer(visit->fd, "429 Too Many Requests", "", "") : do_ok(visit);
}

static gboolean
do_429_hour(Visit *visit)
{
    return answer(visit->fd, "429 Too Many Requests", "Retry-After: 3600\r\n", "");
}

static gboolean
do_busy_body(Visit *visit)
{
    return answer(visit->fd, "200 OK", "", "busy");
}

static gboolean
do_busy_body_once(Visit *visit)
{
    return visit->nth == 1 ? do_busy_body(visit) : do_ok(visit);
}

static gboolean
do_often_body(Visit *visit)
{
    return answer(visit->fd, "200 OK", "", "too often, 300");
}

static gboolean
do_often_body_twice(Visit *visit)
{
    return visit->nth <= 2 ? answer(visit->fd, "200 OK", "", "too often") : do_ok(visit);
}

static gboolean
do_often_body_head(Visit *visit)
{
    return visit->nth == 1 ? answer(visit->fd, "200 OK", "Retry-After: 1\r\n", "too often, 3600")
                           : do_ok(visit);
}

static gboolean
do_cut(Visit *visit)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";

    say(visit->fd, text, sizeof(text) - 1);
    return FALSE;
}

static gboolean
do_noise(Visit *visit)
{
    say(visit->fd, "SSH-2.0-nonsense\r\n", 18);
    return FALSE;
}

static gboolean
do_big(Visit *visit)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n";

    say(visit->fd, text, sizeof(text) - 1);
    return FALSE;
}

/* No length: it ends with the connection, or when the client has had enough. */
static gboolean
do_endless(Visit *visit)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    char block[4096];
    int i;

    memset(block, 'x', sizeof(block));
    say(visit->fd, text, sizeof(text) - 1);
    for (i = 0; i < 1000; i++)
        say(visit->fd, block, sizeof(block));
    return FALSE;
}

static gboolean
do_long_head(Visit *visit)
{
    int i;

    say(visit->fd, "HTTP/1.1 200 OK\r\n", 17);
    for (i = 0; i < 20000; i++) {
        g_autofree char *line = g_strdup_printf("X-%d: 0123456789012345678901234567890\r\n", i);

        say(visit->fd, line, strlen(line));
    }
    say(visit->fd, "\r\n", 2);
    return FALSE;
}

static gboolean
do_gzip(Visit *visit)
{
    static const char text[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 28\r\n\r\n"
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x2b\xcd\x2b\x48\x4c\xce\x4e\x4d\x01\x00"
        "\x96\x62\x2f\xca\x08\x00\x00\x00";

    say(visit->fd, text, sizeof(text) - 1);
    return TRUE;
}

typedef struct {
    GByteArray *bytes;
    guint bits, held;
} Bits;

static void
put_bits(Bits *to, guint value, guint count)
{
    to->held |= value << to->bits;
    for (to->bits += count; to->bits >= 8; to->bits -= 8) {
        guint8 byte = to->held & 0xFF;

        g_byte_array_append(to->bytes, &byte, 1);
        to->held >>= 8;
    }
}

/* Some 16 KB that unpack to some 2.6 MB: one 'A', then "258 times the last byte" 10,000 times, in
 * the fixed code of RFC 1951. */
static gboolean
do_bomb(Visit *visit)
{
    static const guint8 gzip_head[10] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255};
    Bits bits = {.bytes = g_byte_array_new()};
    g_autofree char *head = NULL;
    int i;

    g_byte_array_append(bits.bytes, gzip_head, sizeof(gzip_head));
    put_bits(&bits, 1, 1);    /* the last block */
    put_bits(&bits, 1, 2);    /* fixed code */
    put_bits(&bits, 0x8E, 8); /* 'A': 01110001, first bit lowest */
    for (i = 0; i < 10000; i++) {
        put_bits(&bits, 0xA3, 8); /* length 258: 11000101 */
        put_bits(&bits, 0, 5);    /* distance 1 */
    }
    put_bits(&bits, 0, 7 + 7); /* the end, and padding */
    head = g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                           "Content-Length: %u\r\n\r\n",
                           bits.bytes->len);
    say(visit->fd, head, strlen(head));
    say(visit->fd, (const char *) bits.bytes->data, bits.bytes->len);
    g_byte_array_unref(bits.bytes);
    return FALSE;
}

static gboolean
do_redirect(Visit *visit)
{
    return answer(visit->fd, "302 Found", "Location: /ok\r\n", "");
}

static const struct {
    const char *path;
    gboolean (*visit)(Visit *visit); /* FALSE ends the connection */
} paths[] = {
    {"/ok", do_ok},
    {"/echo", do_echo},
    {"/ids", do_ids},
    {"/gate", do_gate},
    {"/four", do_four},
    {"/reset", do_reset},
    {"/close", do_close},
    {"/reset-once", do_reset_once},
    {"/leave", do_leave},
    {"/503", do_503},
    {"/503-once", do_503_once},
    {"/503-later-once", do_503_later_once},
    {"/500-json", do_500_json},
    {"/500-html-once", do_500_html_once},
    {"/429-once", do_429_once},
    {"/429-plain-once", do_429_plain_once},
    {"/429-hour", do_429_hour},
    {"/busy-body", do_busy_body},
    {"/busy-body-once", do_busy_body_once},
    {"/often-body", do_often_body},
    {"/often-body-twice", do_often_body_twice},
    {"/often-body-head", do_often_body_head},
    {"/cut", do_cut},
    {"/noise", do_noise},
    {"/big", do_big},
    {"/endless", do_endless},
    {"/long-head", do_long_head},
    {"/gzip", do_gzip},
    {"/bomb", do_bomb},
    {"/redirect", do_redirect},
};

static gboolean
receive(int fd, GString *into)
{
    char block[4096];
    gssize size = recv(fd, block, sizeof(block), 0);

    if (size <= 0)
        return FALSE;
    g_string_append_len(into, block, size);
    return TRUE;
}

/* Takes one request, with its body, off the front of pending. Returns: (nullable): its head. */
static char *
take_request(int fd, GString *pending)
{
    const char *end, *length;
    gsize head_size, size;
    char *head;

    while (!(end = strstr(pending->str, "\r\n\r\n"))) {
        if (!receive(fd, pending))
            return NULL;
        if (pending->str[0] == 0x16) { /* TLS wants to begin here */
            answer(fd, "400 Bad Request", "", "");
            return NULL;
        }
    }
    head_size = (gsize) (end - pending->str) + 4;
    head = g_strndup(pending->str, head_size);
    length = strcasestr(head, "\r\nContent-Length:");
    size = head_size + (length ? g_ascii_strtoull(length + 17, NULL, 10) : 0);
    while (pending->len < size) {
        if (!receive(fd, pending))
            break;
    }
    g_string_erase(pending, 0, (gssize) MIN(size, pending->len));
    return head;
}

static gboolean
serve_one(Server *server, int fd, const char *head)
{
    g_auto(GStrv) words = g_strsplit(head, " ", 3);
    g_autofree char *path = g_strndup(words[1], strcspn(words[1], "?"));
    Visit visit = {.server = server, .fd = fd, .head = head};
    gsize i;

    g_mutex_lock(&server->lock);
    visit.nth = GPOINTER_TO_UINT(g_hash_table_lookup(server->hits, path)) + 1;
    g_hash_table_replace(server->hits, g_strdup(path), GUINT_TO_POINTER(visit.nth));
    g_ptr_array_add(server->heads, g_strdup(head));
    g_cond_broadcast(&server->changed);
    g_mutex_unlock(&server->lock);
    for (i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (strcmp(paths[i].path, path) == 0)
            return paths[i].visit(&visit);
    }
    return answer(fd, "404 Not Found", "", "");
}

typedef struct {
    Server *server;
    int fd;
} Connection;

static gpointer
serve_connection(gpointer data)
{
    Connection *connection = data;
    Server *server = connection->server;
    GString *pending = g_string_new(NULL);
    gboolean go_on = TRUE;

    while (go_on) {
        g_autofree char *head = take_request(connection->fd, pending);

        go_on = head && serve_one(server, connection->fd, head);
    }
    g_mutex_lock(&server->lock);
    server->sockets = g_list_remove(server->sockets, GINT_TO_POINTER(connection->fd));
    close(connection->fd);
    server->workers--;
    g_cond_broadcast(&server->changed);
    g_mutex_unlock(&server->lock);
    g_string_free(pending, TRUE);
    g_free(connection);
    return NULL;
}

static gpointer
serve(gpointer data)
{
    Server *server = data;
    int fd;

    while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        Connection *connection = g_new(Connection, 1);

        *connection = (Connection){.server = server, .fd = fd};
        g_mutex_lock(&server->lock);
        server->connections++;
        server->workers++;
        server->sockets = g_list_prepend(server->sockets, GINT_TO_POINTER(fd));
        g_mutex_unlock(&server->lock);
        g_thread_unref(g_thread_new("connection", serve_connection, connection));
    }
    return NULL;
}

/* From now on connections are accepted; before, they are refused. */
static void
server_listen(Server *server)
{
    g_assert_cmpint(listen(server->listener, 64), ==, 0);
    server->thread = g_thread_new("server", serve, server);
}

static Server *
server_new(void)
{
    Server *server = g_new0(Server, 1);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->listener, (struct sockaddr *) &address, size), ==, 0);
    g_assert_cmpint(getsockname(server->listener, (struct sockaddr *) &address, &size), ==, 0);
    server->port = ntohs(address.sin_port);
    server->hits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    server->heads = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&server->lock);
    g_cond_init(&server->changed);
    return server;
}

static void
server_free(Server *server)
{
    GList *item;

    shutdown(server->listener, SHUT_RDWR);
    if (server->thread)
        g_thread_join(server->thread);
    close(server->listener);
    g_mutex_lock(&server->lock);
    server->stopping = TRUE;
    g_cond_broadcast(&server->changed);
    for (item = server->sockets; item; item = item->next)
        shutdown(GPOINTER_TO_INT(item->data), SHUT_RDWR);
    while (server->workers > 0)
        g_cond_wait(&server->changed, &server->lock);
    g_mutex_unlock(&server->lock);
    g_list_free(server->sockets);
    g_hash_table_unref(server->hits);
    g_ptr_array_unref(server->heads);
    g_mutex_clear(&server->lock);
    g_cond_clear(&server->changed);
    g_free(server);
}

static guint
server_hits(Server *server, const char *path)
{
    guint hits;

    g_mutex_lock(&server->lock);
    hits = GPOINTER_TO_UINT(g_hash_table_lookup(server->hits, path));
    g_mutex_unlock(&server->lock);
    return hits;
}

static guint
server_connections(Server *server)
{
    guint connections;

    g_mutex_lock(&server->lock);
    connections = server->connections;
    g_mutex_unlock(&server->lock);
    return connections;
}

static void
server_wait_inside(Server *server, guint count)
{
    g_mutex_lock(&server->lock);
    while (server->inside < count)
        g_cond_wait(&server->changed, &server->lock);
    g_mutex_unlock(&server->lock);
}

static void
server_open_gate(Server *server)
{
    g_mutex_lock(&server->lock);
    server->gate_open = TRUE;
    g_cond_broadcast(&server->changed);
    g_mutex_unlock(&server->lock);
}

/* --- the client ------------------------------------------------------------------------------ */

typedef struct {
    Server *server;
    CfHttp *http;
    CfChannel *channel;
    CfChannelOptions options;
    CfChannelTimes times;
    GMutex lock; /* protects all below and every Answer */
    GCond changed;
    guint answered;
    guint observed;
    GString *states; /* "unreachable ok " */
} Fixture;

typedef struct {
    Fixture *fixture;
    CfHttpRequest *request; /* until it is sent */
    gboolean done;
    guint order; /* 1: the first that was answered */
    int status;  /* 0: an error */
    char *body;
    gsize size;
    int code;
    char *message;
    guint attempts;
    char *request_id;
    gint64 date_us;
    gint64 done_us;
} Answer;

static void
answer_free(Answer *answered)
{
    g_free(answered->body);
    g_free(answered->message);
    g_free(answered->request_id);
    g_free(answered);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answer, answer_free)

static void
take_answer(const CfHttpReply *reply, const GError *error, gpointer data)
{
    Answer *to = data;
    Fixture *fixture = to->fixture;

    g_assert_true(!reply != !error);
    g_mutex_lock(&fixture->lock);
    g_assert_false(to->done);
    if (reply) {
        to->status = reply->status;
        to->size = g_bytes_get_size(reply->body);
        to->body = g_strndup(g_bytes_get_data(reply->body, NULL), to->size);
        to->attempts = reply->attempts;
        to->request_id = g_strdup(reply->request_id);
        to->date_us = reply->date_us;
    } else {
        g_assert_true(error->domain == CF_ERROR);
        to->code = error->code;
        to->message = g_strdup(error->message);
    }
    to->order = ++fixture->answered;
    to->done = TRUE;
    to->done_us = cf_clock_mono_us();
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static gboolean
send_now(gpointer data)
{
    Answer *to = data;

    cf_channel_send(to->fixture->channel, g_steal_pointer(&to->request), take_answer, to);
    return G_SOURCE_REMOVE;
}

static CfHttpRequest *
make_request(Fixture *fixture, CfHttpClass cls, const char *path)
{
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u%s", fixture->server->port, path);
    CfHttpRequest *request = cf_http_request_new(cls, cls == CF_HTTP_READ ? "GET" : "POST", url);

    request->deadline_us = cf_clock_mono_us() + 20 * SECOND;
    request->user_waits = TRUE;
    if (cls != CF_HTTP_READ)
        request->body = g_bytes_new_static("{\"a\":1}", 7);
    return request;
}

/* request: (transfer full). Returns: (transfer full). */
static Answer *
send_request(Fixture *fixture, CfHttpRequest *request)
{
    Answer *to = g_new0(Answer, 1);

    to->fixture = fixture;
    to->request = request;
    cf_http_invoke(fixture->http, send_now, to);
    return to;
}

static Answer *
begin(Fixture *fixture, CfHttpClass cls, const char *path)
{
    return send_request(fixture, make_request(fixture, cls, path));
}

static Answer *
await(Answer *answered)
{
    Fixture *fixture = answered->fixture;

    g_mutex_lock(&fixture->lock);
    while (!answered->done)
        g_cond_wait(&fixture->changed, &fixture->lock);
    g_mutex_unlock(&fixture->lock);
    return answered;
}

static Answer *
ask(Fixture *fixture, CfHttpClass cls, const char *path)
{
    return await(begin(fixture, cls, path));
}

static void
observe_call(const CfHttpRequest *request, const CfHttpReply *reply, const GError *error,
             gpointer data)
{
    Fixture *fixture = data;

    g_assert_true(!reply != !error);
    g_mutex_lock(&fixture->lock);
    fixture->observed++;
    g_mutex_unlock(&fixture->lock);
}

static void
observe_state(CfChannelState state, const char *why, gpointer data)
{
    static const char *const names[] = {"ok", "throttled", "unreachable"};
    Fixture *fixture = data;

    g_assert_true((state == CF_CHANNEL_OK) == (*why == '\0'));
    g_mutex_lock(&fixture->lock);
    g_string_append_printf(fixture->states, "%s ", names[state]);
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void
wait_for_states(Fixture *fixture, const char *states)
{
    g_mutex_lock(&fixture->lock);
    while (!g_str_has_prefix(fixture->states->str, states))
        g_cond_wait(&fixture->changed, &fixture->lock);
    g_mutex_unlock(&fixture->lock);
}

static gboolean
make_channel(gpointer data)
{
    Fixture *fixture = data;
    CfChannelObserver observer = {observe_call, observe_state, fixture};

    fixture->channel = cf_channel_new(fixture->http, &fixture->options, &observer);
    cf_channel_set_times(fixture->channel, &fixture->times);
    return G_SOURCE_REMOVE;
}

static gboolean
free_channel(gpointer data)
{
    Fixture *fixture = data;

    cf_channel_free(g_steal_pointer(&fixture->channel));
    return G_SOURCE_REMOVE;
}

/* Many tokens, short waits, a breaker that stays away; a test sets what it is about. */
static void
set_up(Fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->server = server_new();
    fixture->options = (CfChannelOptions){
        .rate = 10000, .burst = 10000, .connections = 8, .max_body = 1024 * 1024};
    fixture->times = (CfChannelTimes){
        .first_backoff_us = 1000,
        .max_backoff_us = 10000,
        .breaker = {.failures = 1000, .first_rest_us = SECOND, .max_rest_us = SECOND}};
    fixture->states = g_string_new(NULL);
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
}

static void
start_client(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->http = cf_http_new(&error);
    g_assert_no_error(error);
    cf_http_invoke_wait(fixture->http, make_channel, fixture);
}

static void
start(Fixture *fixture)
{
    server_listen(fixture->server);
    start_client(fixture);
}

static void
tear_down(Fixture *fixture)
{
    if (fixture->http)
        cf_http_invoke_wait(fixture->http, free_channel, fixture);
    cf_http_free(fixture->http);
    server_free(fixture->server);
    g_string_free(fixture->states, TRUE);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
}

static CfChannelStats
stats_of(Fixture *fixture)
{
    CfChannelStats stats;

    cf_channel_get_stats(fixture->channel, &stats);
    return stats;
}

/* --- cases ----------------------------------------------------------------------------------- */

static void
assert_reply(Fixture *fixture, CfHttpClass cls, const char *path, int status, const char *body,
             guint attempts)
{
    g_autoptr(Answer) got = ask(fixture, cls, path);

    g_assert_cmpstr(got->message, ==, NULL);
    g_assert_cmpint(got->status, ==, status);
    if (body)
        g_assert_cmpstr(got->body, ==, body);
    g_assert_cmpuint(got->attempts, ==, attempts);
}

static void
assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("\"%s\" does not hold \"%s\"", text, part);
}

static void
assert_error(Fixture *fixture, CfHttpClass cls, const char *path, CfErrorCode code,
             const char *words)
{
    g_autoptr(Answer) got = ask(fixture, cls, path);
    g_autofree char *host = g_strdup_printf("127.0.0.1:%u", fixture->server->port);

    g_assert_cmpint(got->status, ==, 0);
    g_assert_cmpstr(cf_error_name(got->code), ==, cf_error_name(code));
    assert_contains(got->message, words);
    assert_contains(got->message, host);
}

static void
test_keep_alive(void)
{
    Fixture f;
    int i;

    set_up(&f);
    start(&f);
    for (i = 0; i < 3; i++)
        assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    g_assert_cmpuint(server_connections(f.server), ==, 1);
    /* A change has a connection of its own, which later reads may use. */
    assert_reply(&f, CF_HTTP_CHANGE, "/ok", 200, "ok", 1);
    g_assert_cmpuint(server_connections(f.server), ==, 2);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    g_assert_cmpuint(server_connections(f.server), ==, 2);
    g_assert_cmpuint(f.observed, ==, 5);
    tear_down(&f);
}

static void
test_parallel(void)
{
    Answer *four[4];
    Fixture f;
    int i;

    set_up(&f);
    f.options.connections = 4;
    start(&f);
    for (i = 0; i < 4; i++)
        four[i] = begin(&f, CF_HTTP_READ, "/four");
    for (i = 0; i < 4; i++) {
        g_assert_cmpint(await(four[i])->status, ==, 200);
        answer_free(four[i]);
    }
    tear_down(&f);
}

static void
test_what_is_sent(void)
{
    g_autoptr(Answer) got = NULL;
    g_autofree char *id = NULL;
    CfHttpRequest *request;
    Fixture f;

    set_up(&f);
    start(&f);
    request = make_request(&f, CF_HTTP_CHANGE, "/echo");
    g_free(request->method);
    request->method = g_strdup("PUT");
    request->content_type = g_strdup("application/json");
    cf_http_request_add_header(request, "X-Auth-Token", "abc");
    cf_http_request_add_header(request, "X-Nothing", "");
    got = await(send_request(&f, request));
    g_assert_cmpint(got->status, ==, 200);
    g_assert_true(g_str_has_prefix(got->body, "PUT /echo HTTP/1.1\r\n"));
    assert_contains(got->body, "\r\nUser-Agent: cirrusfs/" CF_VERSION "\r\n");
    assert_contains(got->body, "\r\nContent-Type: application/json\r\n");
    assert_contains(got->body, "\r\nContent-Length: 7\r\n");
    assert_contains(got->body, "\r\nX-Auth-Token: abc\r\n");
    assert_contains(got->body, "\r\nX-Nothing:\r\n");
    assert_contains(got->body, "\r\nAccept-Encoding: ");
    g_assert_null(strcasestr(got->body, "\r\nExpect"));
    id = g_strdup_printf("\r\nX-Request-Id: %s\r\n", got->request_id);
    assert_contains(got->body, id);
    g_assert_cmpuint(strlen(got->request_id), ==, 36);
    tear_down(&f);
}

/* A change is told instead of sent, as it is before it is signed; a read goes out. */
static void
test_dry_run(void)
{
    g_autoptr(Answer) whole = NULL;
    g_autoptr(Answer) parameters = NULL;
    CfHttpRequest *request;
    Fixture f;

    set_up(&f);
    f.options.dry_run = TRUE;
    start(&f);
    whole = ask(&f, CF_HTTP_CHANGE, "/echo?x=1");
    g_assert_cmpint(whole->code, ==, CF_ERROR_DRY_RUN);
    g_assert_cmpstr(whole->message, ==, "POST /echo?x=1\n{\"a\":1}");
    request = make_request(&f, CF_HTTP_CHANGE, "/echo");
    g_free(request->label);
    request->label = g_strdup("StopThings");
    request->parameters = g_strdup("things.1=a");
    parameters = await(send_request(&f, request));
    g_assert_cmpint(parameters->code, ==, CF_ERROR_DRY_RUN);
    g_assert_cmpstr(parameters->message, ==, "StopThings\nthings.1=a");
    g_assert_cmpuint(server_hits(f.server, "/echo"), ==, 0);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    tear_down(&f);
}

static void
test_methods(void)
{
    static const struct {
        const char *method;
        gboolean body;
        const char *wanted; /* in the head; NULL: no length at all */
    } cases[] = {
        {"GET", FALSE, NULL},
        {"DELETE", FALSE, NULL},
        {"POST", FALSE, "\r\nContent-Length: 0\r\n"},
        {"PUT", FALSE, "\r\nContent-Length: 0\r\n"},
        {"PATCH", TRUE, "\r\nContent-Length: 7\r\n"},
        {"DELETE", TRUE, "\r\nContent-Length: 7\r\n"},
    };
    Fixture f;
    gsize i;

    set_up(&f);
    start(&f);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        CfHttpRequest *request = make_request(&f, CF_HTTP_CHANGE, "/echo?a=b%20c");
        g_autofree char *line = g_strdup_printf("%s /echo?a=b%%20c HTTP/1.1\r\n", cases[i].method);
        g_autoptr(Answer) got = NULL;

        g_free(request->method);
        request->method = g_strdup(cases[i].method);
        if (!cases[i].body)
            g_clear_pointer(&request->body, g_bytes_unref);
        got = await(send_request(&f, request));
        g_assert_true(g_str_has_prefix(got->body, line));
        if (cases[i].wanted)
            assert_contains(got->body, cases[i].wanted);
        else
            g_assert_null(strcasestr(got->body, "Content-Length"));
        g_assert_null(strcasestr(got->body, "x-www-form-urlencoded"));
    }
    tear_down(&f);
}

static void
test_answer(void)
{
    g_autoptr(Answer) ids = NULL;
    g_autoptr(Answer) ok = NULL;
    Fixture f;

    set_up(&f);
    start(&f);
    ids = ask(&f, CF_HTTP_READ, "/ids");
    g_assert_cmpstr(ids->request_id, ==, "req-77");
    ok = ask(&f, CF_HTTP_READ, "/ok");
    g_assert_cmpint(ok->date_us, ==, G_GINT64_CONSTANT(1769846400000000));
    assert_reply(&f, CF_HTTP_READ, "/missing", 404, "", 1);
    assert_reply(&f, CF_HTTP_READ, "/redirect", 302, "", 1);
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 1);
    tear_down(&f);
}

/* Each attempt is signed afresh, the request id stays. */

static gboolean
sign_with_count(CfHttpRequest *request, gpointer data, GError **error)
{
    guint *count = data;
    g_autofree char *value = g_strdup_printf("signature-%u", ++*count);

    cf_http_request_add_header(request, "X-Sign", value);
    return TRUE;
}

static char *
header_of(Server *server, guint request, const char *name)
{
    g_autofree char *key = g_strdup_printf("\r\n%s: ", name);
    const char *found;
    char *value;

    g_mutex_lock(&server->lock);
    found = strstr(g_ptr_array_index(server->heads, request), key);
    g_assert_nonnull(found);
    found += strlen(key);
    value = g_strndup(found, strcspn(found, "\r"));
    g_mutex_unlock(&server->lock);
    return value;
}

static void
test_signed_afresh(void)
{
    g_autofree char *first_id = NULL, *second_id = NULL, *first_sign = NULL, *second_sign = NULL;
    g_autoptr(Answer) got = NULL;
    CfHttpRequest *request;
    guint count = 0;
    Fixture f;

    set_up(&f);
    start(&f);
    request = make_request(&f, CF_HTTP_READ, "/503-once");
    request->sign = sign_with_count;
    request->sign_data = &count;
    got = await(send_request(&f, request));
    g_assert_cmpint(got->status, ==, 200);
    g_assert_cmpuint(got->attempts, ==, 2);
    g_assert_null(strstr(got->body, "signature-1"));
    first_sign = header_of(f.server, 0, "X-Sign");
    second_sign = header_of(f.server, 1, "X-Sign");
    g_assert_cmpstr(first_sign, ==, "signature-1");
    g_assert_cmpstr(second_sign, ==, "signature-2");
    first_id = header_of(f.server, 0, "X-Request-Id");
    second_id = header_of(f.server, 1, "X-Request-Id");
    g_assert_cmpstr(first_id, ==, second_id);
    tear_down(&f);
}

static gboolean
sign_fails(CfHttpRequest *request, gpointer data, GError **error)
{
    g_set_error_literal(error, CF_ERROR, CF_ERROR_EXPIRED, "127.0.0.1: the key has expired");
    return FALSE;
}

static void
test_not_signed(void)
{
    g_autoptr(Answer) got = NULL;
    CfHttpRequest *request;
    Fixture f;

    set_up(&f);
    start(&f);
    request = make_request(&f, CF_HTTP_READ, "/ok");
    request->sign = sign_fails;
    got = await(send_request(&f, request));
    g_assert_cmpint(got->code, ==, CF_ERROR_EXPIRED);
    g_assert_cmpuint(server_connections(f.server), ==, 0);
    g_assert_cmpuint(stats_of(&f).in_flight, ==, 0);
    tear_down(&f);
}

static void
test_read_repeated(void)
{
    CfChannelStats stats;
    Fixture f;

    set_up(&f);
    start(&f);
    /* First, while there is no kept connection: on these curl itself tries again. */
    assert_error(&f, CF_HTTP_READ, "/reset", CF_ERROR_NO_CONNECT, "connection broke");
    g_assert_cmpuint(server_hits(f.server, "/reset"), ==, 4);
    assert_reply(&f, CF_HTTP_READ, "/reset-once", 200, "ok", 2);
    assert_reply(&f, CF_HTTP_READ, "/503-once", 200, NULL, 2);
    assert_reply(&f, CF_HTTP_READ, "/503", 503, "busy", 4);
    assert_reply(&f, CF_HTTP_READ, "/500-json", 500, " {\"code\": \"001012\"}", 1);
    assert_reply(&f, CF_HTTP_READ, "/500-html-once", 200, "ok", 2);
    assert_reply(&f, CF_HTTP_AUTH, "/404", 404, "", 1);
    stats = stats_of(&f);
    g_assert_cmpuint(stats.calls[CF_HTTP_READ], ==, 15);
    g_assert_cmpuint(stats.calls[CF_HTTP_AUTH], ==, 1);
    g_assert_cmpuint(stats.retries, ==, 9);
    g_assert_cmpuint(stats.failures, ==, 12);
    g_assert_cmpuint(stats.queued + stats.in_flight, ==, 0);
    tear_down(&f);
}

static void
test_change_sent_once(void)
{
    static const char *const unknown = "the connection broke before the answer; "
                                       "the outcome is unknown";
    Fixture f;

    set_up(&f);
    start(&f);
    assert_error(&f, CF_HTTP_CHANGE, "/reset", CF_ERROR_PROTOCOL, unknown);
    g_assert_cmpuint(server_hits(f.server, "/reset"), ==, 1);
    /* Also with a kept connection at hand, on which curl by itself would try again. */
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    assert_error(&f, CF_HTTP_CHANGE, "/close", CF_ERROR_PROTOCOL, unknown);
    g_assert_cmpuint(server_hits(f.server, "/close"), ==, 1);
    assert_error(&f, CF_HTTP_CHANGE, "/cut", CF_ERROR_PROTOCOL, "cut off; the outcome is unknown");
    g_assert_cmpuint(server_hits(f.server, "/cut"), ==, 1);
    assert_reply(&f, CF_HTTP_CHANGE, "/503", 503, "busy", 1);
    assert_reply(&f, CF_HTTP_CHANGE, "/503-later-once", 503, "{}", 1);
    assert_reply(&f, CF_HTTP_CHANGE, "/500-html-once", 500, "<html>", 1);
    tear_down(&f);
}

/* The server ends idle connections: reads do not notice. */
static void
test_dead_kept_connection(void)
{
    Fixture f;
    int i;

    set_up(&f);
    start(&f);
    for (i = 0; i < 5; i++)
        assert_reply(&f, CF_HTTP_READ, "/leave", 200, "ok", 1);
    assert_reply(&f, CF_HTTP_CHANGE, "/leave", 200, "ok", 1);
    g_assert_cmpuint(server_hits(f.server, "/leave"), ==, 6);
    tear_down(&f);
}

static void
test_retry_after(void)
{
    gint64 begun_us = cf_clock_mono_us();
    Fixture f;

    set_up(&f);
    start(&f);
    assert_reply(&f, CF_HTTP_READ, "/429-once", 200, "ok", 2);
    g_assert_cmpint(cf_clock_mono_us() - begun_us, >=, SECOND);
    wait_for_states(&f, "throttled ok ");
    /* Nothing was done with 429: a change may go again. */
    assert_reply(&f, CF_HTTP_CHANGE, "/429-plain-once", 200, "ok", 2);
    assert_reply(&f, CF_HTTP_READ, "/503-later-once", 200, "ok", 2);
    g_assert_cmpuint(stats_of(&f).throttled, ==, 3);
    tear_down(&f);
}

static void
test_retry_after_too_late(void)
{
    gint64 begun_us = cf_clock_mono_us();
    Fixture f;

    set_up(&f);
    start(&f);
    assert_error(&f, CF_HTTP_READ, "/429-hour", CF_ERROR_THROTTLED, "too many requests");
    wait_for_states(&f, "throttled ");
    g_assert_cmpint(cf_channel_get_state(f.channel), ==, CF_CHANNEL_THROTTLED);
    /* The account is held up: others are not even sent. Tokens still can be had. */
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_THROTTLED, "too many requests");
    assert_error(&f, CF_HTTP_CHANGE, "/ok", CF_ERROR_THROTTLED, "too many requests");
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 0);
    assert_reply(&f, CF_HTTP_AUTH, "/ok", 200, "ok", 1);
    g_assert_cmpint(cf_clock_mono_us() - begun_us, <, 15 * SECOND);
    tear_down(&f);
}

/* What the paths "/busy-body…" and "/often-body…" mean. */
static CfHttpVerdict
judge_words(const CfHttpRequest *request, const CfHttpReply *reply, gint64 *ret_retry_after_us)
{
    const char *body = g_bytes_get_data(reply->body, NULL);

    g_assert_cmpint(*ret_retry_after_us, ==, -1);
    if (strcmp(body, "busy") == 0)
        return CF_HTTP_BUSY;
    if (!g_str_has_prefix(body, "too often"))
        return CF_HTTP_FINAL;
    if (strchr(body, ','))
        *ret_retry_after_us = g_ascii_strtoll(strchr(body, ',') + 1, NULL, 10) * SECOND;
    return CF_HTTP_THROTTLED;
}

static Answer *
ask_judged(Fixture *fixture, CfHttpClass cls, const char *path)
{
    CfHttpRequest *request = make_request(fixture, cls, path);

    request->judge = judge_words;
    return await(send_request(fixture, request));
}

static void
assert_judged(Fixture *fixture, CfHttpClass cls, const char *path, const char *body, guint attempts)
{
    g_autoptr(Answer) got = ask_judged(fixture, cls, path);

    g_assert_cmpstr(got->message, ==, NULL);
    g_assert_cmpint(got->status, ==, 200);
    g_assert_cmpstr(got->body, ==, body);
    g_assert_cmpuint(got->attempts, ==, attempts);
}

static void
test_judged_busy(void)
{
    Fixture f;

    set_up(&f);
    start(&f);
    assert_judged(&f, CF_HTTP_READ, "/ok", "ok", 1);
    assert_judged(&f, CF_HTTP_READ, "/busy-body-once", "ok", 2);
    /* The words come through in the end; a change is never repeated for them. */
    assert_judged(&f, CF_HTTP_READ, "/busy-body", "busy", 4);
    assert_judged(&f, CF_HTTP_CHANGE, "/busy-body", "busy", 1);
    assert_reply(&f, CF_HTTP_READ, "/busy-body", 200, "busy", 1);
    g_assert_cmpuint(server_hits(f.server, "/busy-body"), ==, 6);
    g_assert_cmpuint(stats_of(&f).throttled, ==, 0);
    g_assert_cmpint(cf_channel_get_state(f.channel), ==, CF_CHANNEL_OK);
    tear_down(&f);
}

static void
test_judged_throttled(void)
{
    gint64 begun_us = cf_clock_mono_us();
    Fixture f;

    set_up(&f);
    start(&f);
    assert_judged(&f, CF_HTTP_READ, "/often-body-twice", "ok", 3);
    wait_for_states(&f, "throttled ");
    assert_judged(&f, CF_HTTP_CHANGE, "/often-body-head", "ok", 2);
    g_assert_cmpint(cf_clock_mono_us() - begun_us, >=, SECOND); /* what the head asked for */
    g_assert_cmpuint(stats_of(&f).throttled, ==, 3);
    /* Longer than the deadline: the answer itself tells of it, and the account is held up. */
    assert_judged(&f, CF_HTTP_READ, "/often-body", "too often, 300", 1);
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_THROTTLED, "too many requests");
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 0);
    g_assert_cmpint(cf_channel_get_state(f.channel), ==, CF_CHANNEL_THROTTLED);
    tear_down(&f);
}

/* A signature in the query: each attempt has a URL of its own. */
static gboolean
sign_query(CfHttpRequest *request, gpointer data, GError **error)
{
    guint *count = data;
    char *url = g_strdup_printf("%.*s?signature=%u", (int) strcspn(request->url, "?"), request->url,
                                ++*count);

    g_free(request->url);
    request->url = url;
    return TRUE;
}

static void
test_signed_query(void)
{
    g_autoptr(Answer) got = NULL;
    CfHttpRequest *request;
    guint count = 0;
    Fixture f;

    set_up(&f);
    start(&f);
    request = make_request(&f, CF_HTTP_READ, "/503-once");
    request->sign = sign_query;
    request->sign_data = &count;
    got = await(send_request(&f, request));
    g_assert_cmpint(got->status, ==, 200);
    assert_contains(g_ptr_array_index(f.server->heads, 0), "GET /503-once?signature=1 HTTP");
    assert_contains(g_ptr_array_index(f.server->heads, 1), "GET /503-once?signature=2 HTTP");
    tear_down(&f);
}

static void
test_retry_after_words(void)
{
    static const struct {
        const char *value;
        gint64 us;
    } cases[] = {
        {"0", 0},
        {"120", G_GINT64_CONSTANT(120000000)},
        {"1.5", G_GINT64_CONSTANT(2000000)},
        {"Sat, 31 Jan 2026 08:00:30 GMT", G_GINT64_CONSTANT(30000000)},
        {"Sat, 31 Jan 2026 07:00:00 GMT", 0},
        {"soon", -1},
        {"", -1},
        {"-5", -1},
    };
    g_autoptr(GHashTable) headers = g_hash_table_new(g_str_hash, g_str_equal);
    CfHttpReply reply = {.headers = headers, .date_us = G_GINT64_CONSTANT(1769846400000000)};
    gsize i;

    g_assert_cmpint(cf_retry_after_us(&reply, 0), ==, -1);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_hash_table_replace(headers, (char *) "retry-after", (char *) cases[i].value);
        g_assert_cmpint(cf_retry_after_us(&reply, 0), ==, cases[i].us);
    }
    g_hash_table_replace(headers, (char *) "retry-after", (char *) "Sat, 31 Jan 2026 08:00:30 GMT");
    reply.date_us = 0;
    g_assert_cmpint(cf_retry_after_us(&reply, G_GINT64_CONSTANT(1769846429000000)), ==,
                    G_GINT64_CONSTANT(1000000));
}

static void
test_deadline(void)
{
    Answer *hung, *change, *queued;
    CfHttpRequest *request;
    gint64 deadline_us;
    Fixture f;

    set_up(&f);
    f.options.connections = 1;
    start(&f);
    request = make_request(&f, CF_HTTP_READ, "/gate");
    deadline_us = request->deadline_us = cf_clock_mono_us() + SECOND / 2;
    hung = send_request(&f, request);
    server_wait_inside(f.server, 1);
    request = make_request(&f, CF_HTTP_CHANGE, "/gate");
    request->deadline_us = deadline_us;
    change = send_request(&f, request);
    request = make_request(&f, CF_HTTP_READ, "/ok");
    request->deadline_us = cf_clock_mono_us() + SECOND / 10;
    queued = send_request(&f, request);

    await(queued);
    g_assert_cmpint(queued->code, ==, CF_ERROR_TIMEOUT);
    assert_contains(queued->message, "not sent before the deadline: all connections were busy");
    await(hung);
    g_assert_cmpint(hung->code, ==, CF_ERROR_TIMEOUT);
    assert_contains(hung->message, "no answer within 0.5 s");
    g_assert_cmpint(hung->done_us, >=, deadline_us);
    g_assert_cmpint(hung->done_us, <, deadline_us + SECOND / 2);
    await(change);
    g_assert_cmpint(change->code, ==, CF_ERROR_TIMEOUT);
    assert_contains(change->message, "; the outcome is unknown");
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 0);
    answer_free(hung);
    answer_free(change);
    answer_free(queued);
    tear_down(&f);
}

static void
test_deadline_at_the_bucket(void)
{
    CfHttpRequest *request;
    Answer *late, *past;
    Fixture f;

    set_up(&f);
    f.options.rate = 0.001;
    f.options.burst = 1;
    start(&f);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    request = make_request(&f, CF_HTTP_READ, "/ok");
    request->deadline_us = cf_clock_mono_us() + SECOND / 20;
    late = await(send_request(&f, request));
    g_assert_cmpint(late->code, ==, CF_ERROR_TIMEOUT);
    assert_contains(late->message, "the rate limit left no room");
    request = make_request(&f, CF_HTTP_READ, "/ok");
    request->deadline_us = cf_clock_mono_us() - 1;
    past = await(send_request(&f, request));
    g_assert_cmpint(past->code, ==, CF_ERROR_TIMEOUT);
    assert_reply(&f, CF_HTTP_AUTH, "/ok", 200, "ok", 1);
    answer_free(late);
    answer_free(past);
    tear_down(&f);
}

static void
test_refused(void)
{
    gint64 begun_us = cf_clock_mono_us();
    Fixture f;

    set_up(&f);
    start_client(&f); /* the server does not listen */
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    g_assert_cmpuint(stats_of(&f).calls[CF_HTTP_READ], ==, 3);
    assert_error(&f, CF_HTTP_CHANGE, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    g_assert_cmpuint(stats_of(&f).calls[CF_HTTP_CHANGE], ==, 3);
    g_assert_cmpint(cf_clock_mono_us() - begun_us, <, 5 * SECOND);
    tear_down(&f);
}

static void
test_no_such_name(void)
{
    CfHttpRequest *request =
        cf_http_request_new(CF_HTTP_READ, "GET", "http://nonexistent.invalid/v1?secret=1");
    g_autoptr(Answer) got = NULL;
    Fixture f;

    set_up(&f);
    start(&f);
    request->deadline_us = cf_clock_mono_us() + 60 * SECOND;
    got = await(send_request(&f, request));
    g_assert_cmpint(got->code, ==, CF_ERROR_UNREACHABLE);
    g_assert_cmpstr(got->message, ==, "nonexistent.invalid:80: the name cannot be resolved");
    tear_down(&f);
}

static void
test_bad_urls(void)
{
    static const char *const urls[] = {"", "/v1/servers", "ftp://127.0.0.1/", "http://"};
    Fixture f;
    gsize i;

    set_up(&f);
    start(&f);
    for (i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(Answer) got =
            await(send_request(&f, cf_http_request_new(CF_HTTP_READ, "GET", urls[i])));

        g_assert_cmpint(got->code, ==, CF_ERROR_INVALID);
    }
    tear_down(&f);
}

static void
test_bad_answers(void)
{
    Fixture f;

    set_up(&f);
    start(&f);
    assert_error(&f, CF_HTTP_READ, "/cut", CF_ERROR_PROTOCOL, "the answer was cut off");
    g_assert_cmpuint(server_hits(f.server, "/cut"), ==, 3);
    assert_error(&f, CF_HTTP_READ, "/noise", CF_ERROR_PROTOCOL, "not HTTP");
    assert_error(&f, CF_HTTP_READ, "/big", CF_ERROR_PROTOCOL, "larger than 1048576 bytes");
    assert_error(&f, CF_HTTP_READ, "/endless", CF_ERROR_PROTOCOL, "larger than 1048576 bytes");
    assert_error(&f, CF_HTTP_READ, "/long-head", CF_ERROR_PROTOCOL, "head of the answer");
    assert_error(&f, CF_HTTP_READ, "/bomb", CF_ERROR_PROTOCOL, "larger than 1048576 bytes");
    g_assert_cmpuint(server_hits(f.server, "/bomb"), ==, 1);
    assert_reply(&f, CF_HTTP_READ, "/gzip", 200, "unpacked", 1);
    tear_down(&f);
}

/* The bomb itself is sound: with room enough it is delivered whole. */
static void
test_large_answer(void)
{
    g_autoptr(Answer) got = NULL;
    Fixture f;

    set_up(&f);
    f.options.max_body = 4 * 1024 * 1024;
    start(&f);
    got = ask(&f, CF_HTTP_READ, "/endless");
    g_assert_cmpint(got->status, ==, 200);
    g_assert_cmpuint(got->size, ==, 4096000);
    tear_down(&f);
}

static void
test_tls_against_plain(void)
{
    g_autofree char *url = NULL;
    g_autoptr(Answer) got = NULL;
    Fixture f;

    set_up(&f);
    start(&f);
    url = g_strdup_printf("https://127.0.0.1:%u/ok", f.server->port);
    got = await(send_request(&f, cf_http_request_new(CF_HTTP_READ, "GET", url)));
    g_assert_cmpint(got->code, ==, CF_ERROR_PROTOCOL);
    g_assert_cmpuint(stats_of(&f).calls[CF_HTTP_READ], ==, 1);
    tear_down(&f);
}

/* Names that take their time, as with a name server that does not answer. Ours stands before the C
 * library's. */

static GMutex resolver_lock; /* protects what follows */
static GCond resolver_changed;
static guint resolver_inside;
static gboolean resolver_open;

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret_list)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    gboolean slow = node && strcmp(node, "slow.invalid") == 0;

    g_mutex_lock(&resolver_lock);
    if (!real)
        *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    resolver_inside += slow ? 1 : 0;
    g_cond_broadcast(&resolver_changed);
    while (slow && !resolver_open)
        g_cond_wait(&resolver_changed, &resolver_lock);
    resolver_inside -= slow ? 1 : 0;
    g_cond_broadcast(&resolver_changed);
    g_mutex_unlock(&resolver_lock);
    return slow ? EAI_NONAME : real(node, service, hints, ret_list);
}

static void
test_slow_names(void)
{
    CfHttpRequest *request = cf_http_request_new(CF_HTTP_CHANGE, "POST", "http://slow.invalid/");
    g_autoptr(Answer) slow = NULL;
    gint64 begun_us;
    Fixture f;

    set_up(&f);
    start(&f);
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x075700) {
        g_test_skip("this libcurl waits for names");
        cf_http_request_free(request);
        tear_down(&f);
        return;
    }
    request->deadline_us = cf_clock_mono_us() + SECOND / 5;
    slow = send_request(&f, request);
    g_mutex_lock(&resolver_lock);
    while (resolver_inside == 0)
        g_cond_wait(&resolver_changed, &resolver_lock);
    g_mutex_unlock(&resolver_lock);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1); /* others go on */
    await(slow);
    g_assert_cmpint(slow->code, ==, CF_ERROR_TIMEOUT);
    assert_contains(slow->message, "slow.invalid:80: no connection within 0.2 s");
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    begun_us = cf_clock_mono_us();
    tear_down(&f);
    g_assert_cmpint(cf_clock_mono_us() - begun_us, <, 5 * SECOND);
    g_mutex_lock(&resolver_lock);
    resolver_open = TRUE;
    g_cond_broadcast(&resolver_changed);
    while (resolver_inside > 0)
        g_cond_wait(&resolver_changed, &resolver_lock);
    g_mutex_unlock(&resolver_lock);
}

/* TLS: a server whose certificate is for 127.0.0.1 and signed by itself. */

static char *
make_file(const char *folder, const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* Returns: FALSE when this machine has no openssl(1). */
static gboolean
make_certificate(const char *key, const char *certificate)
{
    const char *const argv[] = {"openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                "/CN=cirrusfs test",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                "-keyout",
                                key,
                                "-out",
                                certificate,
                                NULL};
    int status;

    return g_spawn_sync(NULL, (char **) argv, NULL,
                        G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                            G_SPAWN_STDERR_TO_DEV_NULL,
                        NULL, NULL, NULL, NULL, &status, NULL) &&
           status == 0;
}

static enum MHD_Result
say_ok(void *data, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload, size_t *upload_size, void **request)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, (void *) "ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);

    MHD_destroy_response(response);
    return queued;
}

static struct MHD_Daemon *
start_tls(const char *key_path, const char *certificate_path, guint16 *ret_port)
{
    g_autofree char *key = NULL;
    g_autofree char *certificate = NULL;
    struct MHD_Daemon *daemon;

    g_assert_true(g_file_get_contents(key_path, &key, NULL, NULL));
    g_assert_true(g_file_get_contents(certificate_path, &certificate, NULL, NULL));
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, say_ok,
                              NULL, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT,
                              certificate, MHD_OPTION_END);
    if (daemon)
        *ret_port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return daemon;
}

static void
assert_tls(guint16 port, const char *host, const char *cacert, gboolean insecure, gboolean good)
{
    g_autofree char *url = g_strdup_printf("https://%s:%u/", host, port);
    CfHttpRequest *request = cf_http_request_new(CF_HTTP_READ, "GET", url);
    g_autoptr(Answer) got = NULL;
    Fixture f;

    set_up(&f);
    f.options.cacert = (char *) cacert;
    f.options.insecure = insecure;
    start_client(&f);
    request->user_waits = TRUE;
    got = await(send_request(&f, request));
    if (good) {
        g_assert_cmpstr(got->message, ==, NULL);
        g_assert_cmpint(got->status, ==, 200);
    } else {
        g_assert_cmpint(got->code, ==, CF_ERROR_PROTOCOL);
        assert_contains(got->message, "SSL");
        g_assert_cmpuint(stats_of(&f).calls[CF_HTTP_READ], ==, 1);
    }
    tear_down(&f);
}

static void
test_certificates(void)
{
    g_autofree char *folder = g_dir_make_tmp("cirrusfs-http-XXXXXX", NULL);
    g_autofree char *key = make_file(folder, "key");
    g_autofree char *certificate = make_file(folder, "certificate");
    struct MHD_Daemon *daemon = NULL;
    guint16 port;

    if (make_certificate(key, certificate))
        daemon = start_tls(key, certificate, &port);
    if (daemon) {
        assert_tls(port, "127.0.0.1", certificate, FALSE, TRUE);
        assert_tls(port, "127.0.0.1", NULL, FALSE, FALSE);
        assert_tls(port, "localhost", certificate, FALSE, FALSE); /* not its name */
        assert_tls(port, "localhost", NULL, TRUE, TRUE);
        MHD_stop_daemon(daemon);
    } else {
        g_test_skip("no openssl(1), or a libmicrohttpd without TLS");
    }
    g_unlink(key);
    g_unlink(certificate);
    g_rmdir(folder);
}

static void
test_breaker(void)
{
    CfChannelStats before, after;
    gboolean well = FALSE;
    Fixture f;

    set_up(&f);
    f.times.breaker = (CfBreakerTimes){
        .failures = 5, .first_rest_us = 3600 * SECOND, .max_rest_us = 3600 * SECOND};
    start_client(&f);
    /* Three attempts each: the breaker opens within the second. */
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    wait_for_states(&f, "unreachable ");
    before = stats_of(&f);
    g_assert_cmpuint(before.calls[CF_HTTP_READ], ==, 5);
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    assert_error(&f, CF_HTTP_CHANGE, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    after = stats_of(&f);
    g_assert_cmpuint(after.calls[CF_HTTP_READ], ==, 5);
    g_assert_cmpuint(after.calls[CF_HTTP_CHANGE], ==, 0);
    tear_down(&f);

    set_up(&f);
    f.times.breaker = (CfBreakerTimes){.failures = 2, .first_rest_us = 1000, .max_rest_us = 2000};
    start_client(&f);
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_NO_CONNECT, "Connection refused");
    wait_for_states(&f, "unreachable ");
    server_listen(f.server);
    while (!well) {
        g_autoptr(Answer) got = ask(&f, CF_HTTP_READ, "/ok");

        well = got->status == 200;
    }
    wait_for_states(&f, "unreachable ok ");
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    g_assert_cmpint(cf_channel_get_state(f.channel), ==, CF_CHANNEL_OK);
    tear_down(&f);
}

/* 503 without end opens it too; what waits in the queue then fails at once. */
static void
test_breaker_of_gateways(void)
{
    Answer *waiting;
    Fixture f;

    set_up(&f);
    f.options.connections = 1;
    f.times.first_backoff_us = 1;
    f.times.breaker = (CfBreakerTimes){
        .failures = 5, .first_rest_us = 3600 * SECOND, .max_rest_us = 3600 * SECOND};
    start(&f);
    assert_reply(&f, CF_HTTP_READ, "/503", 503, "busy", 4);
    waiting = begin(&f, CF_HTTP_CHANGE, "/gate");
    server_wait_inside(f.server, 1);
    assert_reply(&f, CF_HTTP_CHANGE, "/503", 503, "busy", 1);
    assert_error(&f, CF_HTTP_READ, "/ok", CF_ERROR_REMOTE, "HTTP 503");
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 0);
    /* One that was under way all the time is heard, and closes it. */
    server_open_gate(f.server);
    g_assert_cmpint(await(waiting)->status, ==, 200);
    answer_free(waiting);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    tear_down(&f);
}

/* Each host has its own: one service that is down does not take the others along. */
static void
test_breaker_per_host(void)
{
    g_autofree char *url = NULL;
    Server *down;
    Fixture f;
    int i;

    set_up(&f);
    f.times.breaker = (CfBreakerTimes){
        .failures = 2, .first_rest_us = 3600 * SECOND, .max_rest_us = 3600 * SECOND};
    start(&f);
    down = server_new();
    url = g_strdup_printf("http://127.0.0.1:%u/ok", down->port);
    for (i = 0; i < 2; i++) {
        g_autoptr(Answer) got =
            await(send_request(&f, cf_http_request_new(CF_HTTP_READ, "GET", url)));

        g_assert_cmpint(got->code, ==, CF_ERROR_NO_CONNECT);
    }
    wait_for_states(&f, "unreachable ");
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    g_assert_cmpint(cf_channel_get_state(f.channel), ==, CF_CHANNEL_UNREACHABLE);
    server_free(down);
    tear_down(&f);
}

static void
test_change_passes_reads(void)
{
    Answer *reads[50], *held, *change;
    Fixture f;
    int i;

    set_up(&f);
    f.options.connections = 1;
    start(&f);
    held = begin(&f, CF_HTTP_READ, "/gate");
    server_wait_inside(f.server, 1);
    for (i = 0; i < 50; i++)
        reads[i] = begin(&f, CF_HTTP_READ, "/ok");
    change = await(begin(&f, CF_HTTP_CHANGE, "/echo"));
    g_assert_cmpint(change->status, ==, 200);
    g_assert_cmpuint(change->order, ==, 1);
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 0);
    g_assert_cmpuint(stats_of(&f).queued, ==, 50);
    server_open_gate(f.server);
    for (i = 0; i < 50; i++) {
        g_assert_cmpint(await(reads[i])->status, ==, 200);
        g_assert_cmpuint(reads[i]->order, ==, 3 + i);
        answer_free(reads[i]);
    }
    g_assert_cmpuint(await(held)->order, ==, 2);
    answer_free(held);
    answer_free(change);
    tear_down(&f);
}

/* Likewise with tokens, and those that wait go ahead of the background. */
static void
test_lanes(void)
{
    Answer *held, *background, *waited, *change;
    CfHttpRequest *request;
    Fixture f;

    set_up(&f);
    f.options.connections = 1;
    start(&f);
    held = begin(&f, CF_HTTP_READ, "/gate");
    server_wait_inside(f.server, 1);
    request = make_request(&f, CF_HTTP_READ, "/ok");
    request->user_waits = FALSE;
    background = send_request(&f, request);
    waited = begin(&f, CF_HTTP_READ, "/ok");
    server_open_gate(f.server);
    g_assert_cmpuint(await(held)->order, ==, 1);
    g_assert_cmpuint(await(waited)->order, ==, 2);
    g_assert_cmpuint(await(background)->order, ==, 3);
    answer_free(held);
    answer_free(background);
    answer_free(waited);
    tear_down(&f);

    set_up(&f);
    f.options.rate = 0.0001;
    f.options.burst = 4;
    start(&f);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
    waited = begin(&f, CF_HTTP_READ, "/ok");
    change = await(begin(&f, CF_HTTP_CHANGE, "/ok"));
    g_assert_cmpint(change->status, ==, 200);
    g_assert_cmpuint(server_hits(f.server, "/ok"), ==, 3);
    answer_free(change);
    cf_http_invoke_wait(f.http, free_channel, &f);
    g_assert_cmpint(await(waited)->code, ==, CF_ERROR_TIMEOUT);
    answer_free(waited);
    tear_down(&f);
}

typedef struct {
    GArray *seen;
    int number;
} Numbered;

static gboolean
note_number(gpointer data)
{
    Numbered *numbered = data;

    g_array_append_val(numbered->seen, numbered->number);
    return G_SOURCE_CONTINUE; /* does not matter: once is once */
}

static void
test_invoke_order(void)
{
    g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(int));
    Numbered numbered[200];
    Fixture f;
    int i;

    set_up(&f);
    start(&f);
    for (i = 0; i < 199; i++) {
        numbered[i] = (Numbered){seen, i};
        cf_http_invoke(f.http, note_number, &numbered[i]);
    }
    numbered[199] = (Numbered){seen, 199};
    cf_http_invoke_wait(f.http, note_number, &numbered[199]);
    g_assert_cmpuint(seen->len, ==, 200);
    for (i = 0; i < 200; i++)
        g_assert_cmpint(g_array_index(seen, int, i), ==, i);
    tear_down(&f);
}

static void
test_freed_in_flight(void)
{
    Answer *all[20];
    Fixture f;
    int i;

    set_up(&f);
    f.options.connections = 2;
    start(&f);
    for (i = 0; i < 20; i++)
        all[i] = begin(&f, i % 7 == 3 ? CF_HTTP_CHANGE : CF_HTTP_READ, "/gate");
    server_wait_inside(f.server, 2);
    cf_http_invoke_wait(f.http, free_channel, &f);
    for (i = 0; i < 20; i++) {
        g_assert_true(all[i]->done);
        g_assert_cmpint(all[i]->code, ==, CF_ERROR_TIMEOUT);
        assert_contains(all[i]->message, "shutting down");
        answer_free(all[i]);
    }
    tear_down(&f);
}

static void
free_channel_on_answer(const CfHttpReply *reply, const GError *error, gpointer data)
{
    Answer *to = data;

    cf_channel_free(g_steal_pointer(&to->fixture->channel));
    take_answer(reply, error, data);
}

static gboolean
send_and_free(gpointer data)
{
    Answer *to = data;

    cf_channel_send(to->fixture->channel, g_steal_pointer(&to->request), free_channel_on_answer,
                    to);
    return G_SOURCE_REMOVE;
}

static void
test_freed_by_callback(void)
{
    Answer *gate, *killer = g_new0(Answer, 1);
    Fixture f;

    set_up(&f);
    start(&f);
    gate = begin(&f, CF_HTTP_READ, "/gate");
    server_wait_inside(f.server, 1);
    killer->fixture = &f;
    killer->request = make_request(&f, CF_HTTP_READ, "/ok");
    cf_http_invoke(f.http, send_and_free, killer);
    g_assert_cmpint(await(killer)->status, ==, 200);
    g_assert_cmpint(await(gate)->code, ==, CF_ERROR_TIMEOUT);
    g_assert_cmpuint(gate->order, ==, 1);
    answer_free(gate);
    answer_free(killer);
    tear_down(&f);
}

/* An engine that ends before its channels answers what is under way. */
static void
test_engine_ends(void)
{
    Answer *gate;
    Fixture f;

    set_up(&f);
    start(&f);
    gate = begin(&f, CF_HTTP_READ, "/gate");
    server_wait_inside(f.server, 1);
    cf_http_free(g_steal_pointer(&f.http));
    g_assert_true(gate->done);
    g_assert_cmpint(gate->code, ==, CF_ERROR_TIMEOUT);
    assert_contains(gate->message, "shutting down");
    answer_free(gate);
    free_channel(&f); /* no engine is left to do it in */
    tear_down(&f);
}

static void
test_log_keeps_secrets(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Answer) got = NULL;
    CfHttpRequest *request;
    GString *ring;
    Fixture f;

    g_assert_true(cf_log_init("none", CF_LOG_DEBUG, &error));
    set_up(&f);
    start(&f);
    request = make_request(&f, CF_HTTP_READ, "/echo?signature=qwertz");
    request->label = g_strdup("GET /echo");
    request->secret_reply = TRUE;
    cf_http_request_add_header(request, "Authorization", "Bearer yxcvbn");
    got = await(send_request(&f, request));
    assert_contains(got->body, "yxcvbn");
    assert_error(&f, CF_HTTP_READ, "/cut?signature=qwertz", CF_ERROR_PROTOCOL, "cut off");
    ring = cf_log_dup_ring();
    assert_contains(ring->str, " debug http: GET /echo: 200 in ");
    g_assert_null(strstr(ring->str, "qwertz"));
    g_assert_null(strstr(ring->str, "yxcvbn"));
    g_string_free(ring, TRUE);
    tear_down(&f);
    g_assert_true(cf_log_init("stderr", CF_LOG_WARNING, &error));
}

/* What is on this machine is asked without the environment's or a configured proxy. */
static void
test_proxies(void)
{
    static const char *const proxy = "http://nonexistent.invalid:3128";
    int configured;

    for (configured = 0; configured < 2; configured++) {
        g_autoptr(Answer) got = NULL;
        Fixture f;

        set_up(&f);
        if (configured)
            f.options.proxy = (char *) proxy;
        else
            g_setenv("http_proxy", proxy, TRUE);
        start(&f);
        assert_reply(&f, CF_HTTP_READ, "/ok", 200, "ok", 1);
        got = await(
            send_request(&f, cf_http_request_new(CF_HTTP_READ, "GET", "http://cloud.invalid/v1")));
        g_assert_cmpint(got->code, ==, CF_ERROR_UNREACHABLE);
        g_assert_cmpstr(got->message, ==, "cloud.invalid:80: the proxy's name cannot be resolved");
        tear_down(&f);
        g_unsetenv("http_proxy");
    }
}

int
main(int argc, char **argv)
{
    g_unsetenv("http_proxy");
    g_unsetenv("https_proxy");
    g_unsetenv("HTTPS_PROXY");
    g_unsetenv("all_proxy");
    g_unsetenv("ALL_PROXY");
    g_unsetenv("no_proxy");
    g_unsetenv("NO_PROXY");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/connections-are-kept", test_keep_alive);
    g_test_add_func("/http/requests-go-side-by-side", test_parallel);
    g_test_add_func("/http/what-is-sent", test_what_is_sent);
    g_test_add_func("/http/methods-and-bodies", test_methods);
    g_test_add_func("/http/dry-run", test_dry_run);
    g_test_add_func("/http/what-is-answered", test_answer);
    g_test_add_func("/http/each-attempt-is-signed", test_signed_afresh);
    g_test_add_func("/http/what-cannot-be-signed-is-not-sent", test_not_signed);
    g_test_add_func("/http/reads-are-repeated", test_read_repeated);
    g_test_add_func("/http/changes-are-sent-once", test_change_sent_once);
    g_test_add_func("/http/dead-kept-connections", test_dead_kept_connection);
    g_test_add_func("/http/retry-after", test_retry_after);
    g_test_add_func("/http/retry-after-the-deadline", test_retry_after_too_late);
    g_test_add_func("/http/retry-after-is-read", test_retry_after_words);
    g_test_add_func("/http/judged-busy", test_judged_busy);
    g_test_add_func("/http/judged-throttled", test_judged_throttled);
    g_test_add_func("/http/each-attempt-has-its-url", test_signed_query);
    g_test_add_func("/http/deadline", test_deadline);
    g_test_add_func("/http/deadline-at-the-bucket", test_deadline_at_the_bucket);
    g_test_add_func("/http/refused", test_refused);
    g_test_add_func("/http/no-such-name", test_no_such_name);
    g_test_add_func("/http/bad-urls", test_bad_urls);
    g_test_add_func("/http/bad-answers", test_bad_answers);
    g_test_add_func("/http/large-answer", test_large_answer);
    g_test_add_func("/http/tls-against-plain", test_tls_against_plain);
    g_test_add_func("/http/certificates", test_certificates);
    g_test_add_func("/http/slow-names", test_slow_names);
    g_test_add_func("/http/breaker", test_breaker);
    g_test_add_func("/http/breaker-of-gateways", test_breaker_of_gateways);
    g_test_add_func("/http/breaker-per-host", test_breaker_per_host);
    g_test_add_func("/http/a-change-passes-reads", test_change_passes_reads);
    g_test_add_func("/http/lanes", test_lanes);
    g_test_add_func("/http/invoke-keeps-order", test_invoke_order);
    g_test_add_func("/http/freed-in-flight", test_freed_in_flight);
    g_test_add_func("/http/freed-by-a-callback", test_freed_by_callback);
    g_test_add_func("/http/engine-ends", test_engine_ends);
    g_test_add_func("/http/log-keeps-secrets", test_log_keeps_secrets);
    g_test_add_func("/http/proxies", test_proxies);
    return g_test_run();
}
