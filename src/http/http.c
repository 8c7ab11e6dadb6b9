/* The engine: one thread, one GMainContext, one curl_multi that is driven by its sockets. */
#include "http/http.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#include "http/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define EASY_POOL_MAX 32
#define CONNECTIONS_KEPT 64L

typedef struct {
    GSourceFunc function;
    gpointer data;
} Posted;

struct _CfHttp {
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;

    GMutex lock;      /* protects posted; never held across a call out of this file */
    GQueue posted;    /* (element-type Posted) */
    GSource *mailbox; /* made ready when something is posted */

    /* The engine's thread only. */
    CURLM *multi;
    GSource *timer;      /* when curl wants to be called */
    GQueue easies;       /* (element-type CURL) idle handles */
    GPtrArray *channels; /* (element-type CfChannel) borrowed */
    char *date;          /* (nullable): the last Date header, and what it says */
    gint64 date_us;
};

static gboolean
ready_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    callback(data);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs ready_funcs = {.dispatch = ready_dispatch};

GSource *
cf_ready_source_new(GMainContext *context, GSourceFunc callback, gpointer data)
{
    GSource *source = g_source_new(&ready_funcs, sizeof(GSource));

    g_source_set_callback(source, callback, data, NULL);
    g_source_attach(source, context);
    return source;
}

void
cf_ready_source_free(GSource *source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

/* --- posted calls ---------------------------------------------------------------------------- */

/* Runs what is there now; what is posted meanwhile has its turn after the other sources. */
static gboolean
run_posted(gpointer data)
{
    CfHttp *http = data;
    GQueue batch = G_QUEUE_INIT;
    Posted *call;

    g_mutex_lock(&http->lock);
    batch = http->posted;
    g_queue_init(&http->posted);
    g_mutex_unlock(&http->lock);
    while ((call = g_queue_pop_head(&batch))) {
        call->function(call->data);
        g_free(call);
    }
    return G_SOURCE_CONTINUE;
}

void
cf_http_invoke(CfHttp *http, GSourceFunc function, gpointer data)
{
    Posted *call = g_new(Posted, 1);

    call->function = function;
    call->data = data;
    g_mutex_lock(&http->lock);
    g_queue_push_tail(&http->posted, call);
    g_mutex_unlock(&http->lock);
    g_source_set_ready_time(http->mailbox, 0);
}

typedef struct {
    GSourceFunc function;
    gpointer data;
    GMutex lock; /* protects done */
    GCond cond;
    gboolean done;
} Waited;

static gboolean
run_waited(gpointer data)
{
    Waited *waited = data;

    waited->function(waited->data);
    g_mutex_lock(&waited->lock);
    waited->done = TRUE;
    g_cond_signal(&waited->cond);
    g_mutex_unlock(&waited->lock);
    return G_SOURCE_REMOVE;
}

void
cf_http_invoke_wait(CfHttp *http, GSourceFunc function, gpointer data)
{
    Waited waited = {.function = function, .data = data};

    g_return_if_fail(g_thread_self() != http->thread);
    g_mutex_init(&waited.lock);
    g_cond_init(&waited.cond);
    cf_http_invoke(http, run_waited, &waited);
    g_mutex_lock(&waited.lock);
    while (!waited.done)
        g_cond_wait(&waited.cond, &waited.lock);
    g_mutex_unlock(&waited.lock);
    g_mutex_clear(&waited.lock);
    g_cond_clear(&waited.cond);
}

GMainContext *
cf_http_get_context(CfHttp *http)
{
    return http->context;
}

/* --- curl ------------------------------------------------------------------------------------ */

static void
collect_finished(CfHttp *http)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result; /* the message dies with the removal */
        CfAttempt *attempt = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &attempt);
        cf_attempt_finish(attempt, code);
    }
}

static gboolean
timer_fired(gpointer data)
{
    CfHttp *http = data;
    int running;

    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_finished(http);
    return G_SOURCE_CONTINUE;
}

static int
timer_wanted(CURLM *multi, long timeout_ms, void *data)
{
    CfHttp *http = data;

    /* Not called back from here even for 0: curl forbids to be entered again. */
    g_source_set_ready_time(http->timer,
                            timeout_ms < 0 ? -1 : cf_clock_mono_us() + timeout_ms * 1000);
    return 0;
}

/* A condition that poll(2) reports unasked wakes whatever curl waits for, so that curl's own
 * recv() or send() finds the errno. */
static gboolean
socket_ready(int fd, GIOCondition condition, gpointer data)
{
    CfHttp *http = data;
    int events = 0, running;

    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
        events |= CURL_CSELECT_IN;
    if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR))
        events |= CURL_CSELECT_OUT;
    curl_multi_socket_action(http->multi, fd, events, &running);
    collect_finished(http);
    return G_SOURCE_CONTINUE;
}

static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
    CfHttp *http = data;
    GSource *source = socket_data;
    GIOCondition condition = 0;

    if (source)
        cf_ready_source_free(source);
    source = NULL;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        condition |= G_IO_IN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        condition |= G_IO_OUT;
    if (condition) {
        source = g_unix_fd_source_new(fd, condition);
        g_source_set_callback(source, G_SOURCE_FUNC(socket_ready), http, NULL);
        g_source_attach(source, http->context);
    }
    curl_multi_assign(http->multi, fd, source);
    return 0;
}

CURL *
cf_http_take_easy(CfHttp *http)
{
    CURL *easy = g_queue_pop_head(&http->easies);

    return easy ? easy : curl_easy_init();
}

void
cf_http_put_easy(CfHttp *http, CURL *easy)
{
    if (g_queue_get_length(&http->easies) >= EASY_POOL_MAX) {
        curl_easy_cleanup(easy);
    } else {
        curl_easy_reset(easy);
        g_queue_push_head(&http->easies, easy);
    }
}

gint64
cf_http_read_date(CfHttp *http, const char *date)
{
    if (g_strcmp0(date, http->date) != 0) {
        time_t seconds = curl_getdate(date, NULL);

        g_free(http->date);
        http->date = g_strdup(date);
        http->date_us = seconds > 0 ? (gint64) seconds * G_USEC_PER_SEC : 0;
    }
    return http->date_us;
}

gboolean
cf_http_begin(CfHttp *http, CURL *easy)
{
    return curl_multi_add_handle(http->multi, easy) == CURLM_OK;
}

void
cf_http_end(CfHttp *http, CURL *easy)
{
    curl_multi_remove_handle(http->multi, easy);
}

void
cf_http_watch_channel(CfHttp *http, CfChannel *channel)
{
    g_assert(g_thread_self() == http->thread);
    g_ptr_array_add(http->channels, channel);
}

void
cf_http_unwatch_channel(CfHttp *http, CfChannel *channel)
{
    g_ptr_array_remove_fast(http->channels, channel);
}

/* --- the thread ------------------------------------------------------------------------------ */

/* SIGPIPE, because OpenSSL writes without MSG_NOSIGNAL; the others belong to the main thread. */
static void
block_signals(void)
{
    static const int blocked[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    sigset_t set;
    gsize i;

    sigemptyset(&set);
    for (i = 0; i < G_N_ELEMENTS(blocked); i++)
        sigaddset(&set, blocked[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static gpointer
engine_main(gpointer data)
{
    CfHttp *http = data;

    block_signals();
    g_main_context_push_thread_default(http->context);
    g_main_loop_run(http->loop);
    while (http->channels->len > 0)
        cf_channel_shut_down(g_ptr_array_steal_index_fast(http->channels, 0));
    run_posted(http);
    g_main_context_pop_thread_default(http->context);
    return NULL;
}

static gpointer
global_init(gpointer data)
{
    return GINT_TO_POINTER(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

CfHttp *
cf_http_new(GError **error)
{
    static GOnce once = G_ONCE_INIT;
    g_autoptr(GError) cause = NULL;
    CfHttp *http;

    if (!g_once(&once, global_init, NULL)) {
        g_set_error_literal(error, CF_ERROR, CF_ERROR_INTERNAL, "libcurl cannot be used");
        return NULL;
    }
    http = g_new0(CfHttp, 1);
    g_mutex_init(&http->lock);
    http->context = g_main_context_new();
    http->loop = g_main_loop_new(http->context, FALSE);
    http->channels = g_ptr_array_new();
    http->mailbox = cf_ready_source_new(http->context, run_posted, http);
    http->timer = cf_ready_source_new(http->context, timer_fired, http);
    http->multi = curl_multi_init();
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    http->thread = g_thread_try_new("cirrusfs-http", engine_main, http, &cause);
    if (!http->thread) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "cannot start a thread: %s",
                    cause->message);
        cf_http_free(http);
        return NULL;
    }
    return http;
}

static gboolean
quit(gpointer data)
{
    CfHttp *http = data;

    g_main_loop_quit(http->loop);
    return G_SOURCE_REMOVE;
}

void
cf_http_free(CfHttp *http)
{
    if (!http)
        return;
    if (http->thread) {
        cf_http_invoke(http, quit, http);
        g_thread_join(http->thread);
    }
    g_queue_clear_full(&http->easies, curl_easy_cleanup);
    curl_multi_cleanup(http->multi);
    cf_ready_source_free(http->timer);
    cf_ready_source_free(http->mailbox);
    g_ptr_array_unref(http->channels);
    g_free(http->date);
    g_main_loop_unref(http->loop);
    g_main_context_unref(http->context);
    g_queue_clear_full(&http->posted, g_free);
    g_mutex_clear(&http->lock);
    g_free(http);
}

/* --- requests -------------------------------------------------------------------------------- */

#define DEFAULT_DEADLINE_US (30 * G_USEC_PER_SEC)

CfHttpRequest *
cf_http_request_new(CfHttpClass cls, const char *method, const char *url)
{
    CfHttpRequest *request = g_new0(CfHttpRequest, 1);

    request->cls = cls;
    request->method = g_strdup(method);
    request->url = g_strdup(url);
    request->deadline_us = cf_clock_mono_us() + DEFAULT_DEADLINE_US;
    request->headers = g_ptr_array_new_with_free_func((GDestroyNotify) cf_text_wipe);
    return request;
}

void
cf_http_request_free(CfHttpRequest *request)
{
    if (!request)
        return;
    g_free(request->method);
    cf_text_wipe(request->url); /* some clouds sign the query */
    g_free(request->label);
    g_free(request->parameters);
    g_clear_pointer(&request->body, g_bytes_unref);
    g_free(request->content_type);
    g_ptr_array_unref(request->headers);
    g_clear_pointer(&request->signed_headers, g_ptr_array_unref);
    g_free(request);
}

void
cf_http_request_add_header(CfHttpRequest *request, const char *name, const char *value)
{
    GPtrArray *headers = request->signed_headers ? request->signed_headers : request->headers;

    g_return_if_fail(!strpbrk(name, "\r\n:") && !strpbrk(value, "\r\n"));
    g_ptr_array_add(headers, g_strdup_printf("%s: %s", name, value));
}
