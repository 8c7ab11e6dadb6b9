/* One transfer: from a request to an outcome. Says what happened; what follows from it is for
 * channel.c. */
#include <errno.h>
#include <string.h>

#include "http/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define HEADERS_MAX_BYTES (256 * 1024)
#define ROOM_MAX (1024 * 1024)
#define LOW_SPEED_BYTES 10L
#define LOW_SPEED_SECONDS 60L

struct _CfAttempt {
    CfHttp *http;
    CfAttemptInput input;
    CfAttemptDone done;
    gpointer data;
    CURL *easy;
    struct curl_slist *lines; /* of the request's head */
    GBytes *sent_body;        /* (nullable) */
    GByteArray *body;
    GHashTable *headers;
    gsize header_bytes;
    gboolean oversized;
    char words[CURL_ERROR_SIZE];
    gint64 begun_us;
};

void
cf_http_reply_free(CfHttpReply *reply)
{
    if (!reply)
        return;
    g_bytes_unref(reply->body);
    g_hash_table_unref(reply->headers);
    g_free(reply->request_id);
    g_free(reply);
}

static void
attempt_free(CfAttempt *attempt)
{
    struct curl_slist *line;

    cf_http_put_easy(attempt->http, attempt->easy);
    for (line = attempt->lines; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* tokens and signatures */
    curl_slist_free_all(attempt->lines);
    g_clear_pointer(&attempt->sent_body, g_bytes_unref);
    g_clear_pointer(&attempt->body, g_byte_array_unref);
    g_clear_pointer(&attempt->headers, g_hash_table_unref);
    g_free(attempt);
}

/* --- URLs ------------------------------------------------------------------------------------ */

static char *
url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    char *copy;

    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;
    copy = g_strdup(text);
    curl_free(text);
    return copy;
}

char *
cf_http_host_of_url(const char *text, GError **error)
{
    CURLU *url = curl_url();
    g_autofree char *host = NULL;
    g_autofree char *port = NULL;

    if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        host = url_part(url, CURLUPART_HOST, 0);
        port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    }
    curl_url_cleanup(url);
    if (!host || !port) {
        /* Not quoted: the query may hold a signature. */
        g_set_error_literal(error, CF_ERROR, CF_ERROR_INVALID, "the URL cannot be understood");
        return NULL;
    }
    return g_strdup_printf("%s:%s", host, port);
}

/* host: with its port. */
static gboolean
is_loopback(const char *host)
{
    g_autofree char *name = g_strndup(host, strrchr(host, ':') - host);

    return g_ascii_strcasecmp(name, "localhost") == 0 || g_str_has_suffix(name, ".localhost") ||
           strcmp(name, "[::1]") == 0 ||
           (g_str_has_prefix(name, "127.") && g_hostname_is_ip_address(name));
}

/* --- what comes in --------------------------------------------------------------------------- */

/* Room for as much as the answer says that it has, so that it is not copied as it grows. What it
 * says may be wrong, or of the compressed body, and is believed up to a page's usual size. */
static void
make_room(CfAttempt *attempt)
{
    curl_off_t length = 0;

    curl_easy_getinfo(attempt->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0) {
        g_byte_array_unref(attempt->body);
        attempt->body = g_byte_array_sized_new((guint) MIN(length, ROOM_MAX) + 1);
    }
}

static size_t
take_body(char *data, size_t one, size_t size, void *user)
{
    CfAttempt *attempt = user;

    /* These are the bytes after decompression, so that a small bomb stays small. */
    if (size > attempt->input.options->max_body - attempt->body->len) {
        attempt->oversized = TRUE;
        return 0;
    }
    if (attempt->body->len == 0)
        make_room(attempt);
    g_byte_array_append(attempt->body, (const guint8 *) data, size);
    return size;
}

static void
take_header_line(CfAttempt *attempt, const char *line)
{
    const char *colon = strchr(line, ':');
    const char *former;
    char *name, *value;

    /* Each status line begins a new head: 100 Continue, a proxy's answer to CONNECT. */
    if (g_str_has_prefix(line, "HTTP/")) {
        g_hash_table_remove_all(attempt->headers);
        return;
    }
    if (!colon)
        return;
    name = g_ascii_strdown(line, colon - line);
    value = g_strstrip(g_strdup(colon + 1));
    former = g_hash_table_lookup(attempt->headers, name);
    if (former) {
        char *both = g_strconcat(former, ", ", value, NULL);

        g_free(value);
        value = both;
    }
    g_hash_table_replace(attempt->headers, g_strchomp(name), value);
}

static size_t
take_header(char *data, size_t one, size_t size, void *user)
{
    CfAttempt *attempt = user;
    g_autofree char *line = g_strndup(data, size);

    attempt->header_bytes += size;
    if (attempt->header_bytes > HEADERS_MAX_BYTES) {
        attempt->oversized = TRUE;
        return 0;
    }
    take_header_line(attempt, line);
    return size;
}

/* --- what goes out --------------------------------------------------------------------------- */

static gboolean
has_header(const CfAttempt *attempt, const char *name)
{
    const struct curl_slist *line;
    gsize size = strlen(name);

    for (line = attempt->lines; line; line = line->next) {
        if (g_ascii_strncasecmp(line->data, name, size) == 0 && strchr(":;", line->data[size]))
            return TRUE;
    }
    return FALSE;
}

static void
add_line(CfAttempt *attempt, const char *line)
{
    gsize size = strlen(line);

    /* "Name: " would remove the header; "Name;" is curl's way to send it empty. */
    if (g_str_has_suffix(line, ": ")) {
        g_autofree char *empty = g_strdup_printf("%.*s;", (int) size - 2, line);

        attempt->lines = curl_slist_append(attempt->lines, empty);
    } else {
        attempt->lines = curl_slist_append(attempt->lines, line);
    }
}

static void
add_lines(CfAttempt *attempt, const GPtrArray *lines)
{
    guint i;

    for (i = 0; lines && i < lines->len; i++)
        add_line(attempt, g_ptr_array_index(lines, i));
}

static void
set_head(CfAttempt *attempt)
{
    const CfHttpRequest *request = attempt->input.request;
    g_autofree char *id = g_strdup_printf("X-Request-Id: %s", attempt->input.request_id);
    g_autofree char *type = g_strdup_printf("Content-Type: %s", request->content_type);

    add_lines(attempt, request->headers);
    add_lines(attempt, request->signed_headers);
    if (!has_header(attempt, "X-Request-Id"))
        add_line(attempt, id);
    /* Without a type of its own curl would call every body a form. */
    if (!has_header(attempt, "Content-Type"))
        attempt->lines =
            curl_slist_append(attempt->lines, request->content_type ? type : "Content-Type:");
    /* A 417 makes curl send the body again. */
    attempt->lines = curl_slist_append(attempt->lines, "Expect:");
    curl_easy_setopt(attempt->easy, CURLOPT_HTTPHEADER, attempt->lines);
    curl_easy_setopt(attempt->easy, CURLOPT_USERAGENT, "cirrusfs/" CF_VERSION);
}

static void
set_method_and_body(CfAttempt *attempt)
{
    static const char *const with_length[] = {"POST", "PUT", "PATCH", NULL};
    const CfHttpRequest *request = attempt->input.request;
    CURL *easy = attempt->easy;
    const char *data = "";
    gsize size = 0;

    if (request->body) {
        attempt->sent_body = g_bytes_ref(request->body);
        data = g_bytes_get_data(request->body, &size);
    }
    if (request->body || g_strv_contains(with_length, request->method)) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, size > 0 ? data : "");
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
set_connection(CfAttempt *attempt)
{
    const CfChannelOptions *options = attempt->input.options;
    CURL *easy = attempt->easy;

#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A transfer that ends while its name is being resolved must not wait for getaddrinfo(3) in
     * the engine's thread; curl lets the resolver's thread end by itself and free what it has. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256 * 1024L); /* pages come in few pieces */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* what was signed is what is sent */
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
    if (options->cacert)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->cacert);

    /* Without an option the usual variables of the environment hold. What is on this machine is
     * never behind a proxy. */
    if (is_loopback(attempt->input.host)) {
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    } else if (options->proxy && *options->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }

    /* On a kept connection that turns out to be dead curl sends a request once more by itself,
     * though the cloud may have acted on it before the connection died. It does so only on
     * connections that were used before; hence a change gets one of its own. (After the change it
     * is kept, for reads. CURLOPT_FORBID_REUSE would only concern that.) The other reasons for
     * curl to send again are off: redirects, 417 (see "Expect:"), authentication rounds. What is
     * left is REFUSED_STREAM of HTTP/2, by which the server vouches that it has done nothing. */
    if (attempt->input.request->cls == CF_HTTP_CHANGE)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void
set_limits(CfAttempt *attempt)
{
    const CfChannelOptions *options = attempt->input.options;
    gint64 left_us = attempt->input.request->deadline_us - attempt->begun_us;
    gint64 connect_us = MIN(options->connect_timeout_us, left_us);
    CURL *easy = attempt->easy;

    /* Rounded up: the channel's own timer is the one that is exact. */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) MAX(left_us / 1000 + 1, 1));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) MAX(connect_us / 1000 + 1, 1));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) options->max_body);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
}

static void
set_callbacks(CfAttempt *attempt)
{
    CURL *easy = attempt->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, attempt);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

CfAttempt *
cf_attempt_new(CfHttp *http, const CfAttemptInput *input, CfAttemptDone done, gpointer data,
               GError **error)
{
    CURL *easy = cf_http_take_easy(http);
    CfAttempt *attempt;

    if (!easy) {
        g_set_error_literal(error, CF_ERROR, CF_ERROR_INTERNAL, "no handle for a transfer");
        return NULL;
    }
    attempt = g_new0(CfAttempt, 1);
    attempt->http = http;
    attempt->input = *input;
    attempt->done = done;
    attempt->data = data;
    attempt->easy = easy;
    attempt->body = g_byte_array_new();
    attempt->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    attempt->begun_us = cf_clock_mono_us();
    curl_easy_setopt(easy, CURLOPT_URL, input->request->url);
    set_callbacks(attempt);
    set_head(attempt);
    set_method_and_body(attempt);
    set_connection(attempt);
    set_limits(attempt);
    if (!cf_http_begin(http, easy)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INTERNAL, "%s: the transfer cannot begin",
                    input->host);
        attempt_free(attempt);
        return NULL;
    }
    return attempt;
}

/* --- what came of it ------------------------------------------------------------------------- */

static long
info_long(const CfAttempt *attempt, CURLINFO info)
{
    long value = 0;

    curl_easy_getinfo(attempt->easy, info, &value);
    return value;
}

/* Whether bytes of the request left, even a part of it. (Those to a proxy count too: that errs to
 * the safe side.) */
static gboolean
was_sent(const CfAttempt *attempt)
{
    return info_long(attempt, CURLINFO_REQUEST_SIZE) > 0;
}

static gboolean
may_be_done(const CfAttempt *attempt)
{
    return attempt->input.request->cls == CF_HTTP_CHANGE && was_sent(attempt);
}

/* Returns: (transfer full): error, which it takes. */
static GError *
with_doubt(const CfAttempt *attempt, GError *error)
{
    if (may_be_done(attempt))
        cf_error_set_unsure(error);
    return error;
}

static GError *
make_error(const CfAttempt *attempt, CfErrorCode code, const char *why)
{
    return g_error_new(CF_ERROR, (int) code, "%s: %s", attempt->input.host, why);
}

static GError *
timeout_error(const CfAttempt *attempt)
{
    double seconds = (double) (cf_clock_mono_us() - attempt->begun_us) / 1e6;
    const char *what = "no connection";

    if (was_sent(attempt))
        what = attempt->header_bytes > 0 ? "no complete answer" : "no answer";
    return with_doubt(attempt, g_error_new(CF_ERROR, CF_ERROR_TIMEOUT, "%s: %s within %.1f s",
                                           attempt->input.host, what, seconds));
}

static GError *
connect_error(const CfAttempt *attempt)
{
    int cause = (int) info_long(attempt, CURLINFO_OS_ERRNO);
    CfErrorCode code = cause == ECONNREFUSED ? CF_ERROR_NO_CONNECT
                       : cause == ETIMEDOUT  ? CF_ERROR_TIMEOUT
                                             : CF_ERROR_UNREACHABLE;
    g_autofree char *why =
        g_strdup_printf("cannot connect: %s", cause ? g_strerror(cause) : "no route");

    return make_error(attempt, code, why);
}

/* A change whose connection broke may have been done; so that nobody takes it for "did not
 * happen", it is not called NO_CONNECT. */
static GError *
broken_error(const CfAttempt *attempt)
{
    CfErrorCode code = may_be_done(attempt) ? CF_ERROR_PROTOCOL : CF_ERROR_NO_CONNECT;

    return with_doubt(attempt, make_error(attempt, code, "the connection broke before the answer"));
}

static GError *
cut_error(const CfAttempt *attempt, const char *why)
{
    return with_doubt(attempt, make_error(attempt, CF_ERROR_PROTOCOL, why));
}

static GError *
tls_error(const CfAttempt *attempt, CURLcode code)
{
    g_autofree char *said =
        cf_text_one_line(*attempt->words ? attempt->words : curl_easy_strerror(code));

    return make_error(attempt, CF_ERROR_PROTOCOL, said);
}

static GError *
oversized_error(const CfAttempt *attempt)
{
    g_autofree char *why = NULL;

    if (attempt->header_bytes > HEADERS_MAX_BYTES)
        return cut_error(attempt, "the head of the answer is too long");
    why = g_strdup_printf("the answer is larger than %" G_GSIZE_FORMAT " bytes",
                          attempt->input.options->max_body);
    return cut_error(attempt, why);
}

static void
set_outcome(CfOutcome *outcome, CfOutcomeKind kind, GError *error)
{
    outcome->kind = kind;
    outcome->error = error;
}

static void
timed_out(const CfAttempt *attempt, CfOutcome *outcome)
{
    gboolean in_time = cf_clock_mono_us() < attempt->input.request->deadline_us;

    /* Before the deadline: the connect time-out, or the low-speed limit. */
    set_outcome(outcome,
                in_time && !was_sent(attempt) ? CF_OUTCOME_UNCONNECTED : CF_OUTCOME_TIMEOUT,
                timeout_error(attempt));
}

static void
broken(const CfAttempt *attempt, CfOutcome *outcome)
{
    long proxy_said = info_long(attempt, CURLINFO_HTTP_CONNECTCODE);

    if (proxy_said >= 300) {
        g_autofree char *why = g_strdup_printf("the proxy refuses: HTTP %ld", proxy_said);

        set_outcome(outcome, CF_OUTCOME_FATAL, make_error(attempt, CF_ERROR_UNREACHABLE, why));
    } else {
        set_outcome(outcome, was_sent(attempt) ? CF_OUTCOME_BROKEN : CF_OUTCOME_UNCONNECTED,
                    broken_error(attempt));
    }
}

static void
no_reply(const CfAttempt *attempt, CURLcode code, CfOutcome *outcome)
{
    /* There are some hundred codes; those that are not named share one answer. */
    switch ((int) code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        set_outcome(outcome, CF_OUTCOME_UNCONNECTED,
                    make_error(attempt, CF_ERROR_UNREACHABLE, "the name cannot be resolved"));
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        set_outcome(
            outcome, CF_OUTCOME_UNCONNECTED,
            make_error(attempt, CF_ERROR_UNREACHABLE, "the proxy's name cannot be resolved"));
        break;
    case CURLE_COULDNT_CONNECT:
        set_outcome(outcome, CF_OUTCOME_UNCONNECTED, connect_error(attempt));
        break;
    case CURLE_OPERATION_TIMEDOUT:
        timed_out(attempt, outcome);
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        broken(attempt, outcome);
        break;
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        set_outcome(outcome, CF_OUTCOME_CUT, cut_error(attempt, "the answer was cut off"));
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
        set_outcome(outcome, CF_OUTCOME_TLS, tls_error(attempt, code));
        break;
    case CURLE_PROXY:
        set_outcome(outcome, CF_OUTCOME_FATAL,
                    make_error(attempt, CF_ERROR_UNREACHABLE, "the proxy refuses"));
        break;
    case CURLE_URL_MALFORMAT:
        set_outcome(outcome, CF_OUTCOME_FATAL,
                    make_error(attempt, CF_ERROR_INVALID, "the URL cannot be understood"));
        break;
    case CURLE_UNSUPPORTED_PROTOCOL: /* also what an answer in HTTP/0.9 is called */
    case CURLE_WEIRD_SERVER_REPLY:
        set_outcome(outcome, CF_OUTCOME_FATAL,
                    was_sent(attempt)
                        ? cut_error(attempt, "the answer is not HTTP")
                        : make_error(attempt, CF_ERROR_INVALID, "neither http nor https"));
        break;
    case CURLE_FILESIZE_EXCEEDED:
        set_outcome(outcome, CF_OUTCOME_FATAL, oversized_error(attempt));
        break;
    default:
        set_outcome(outcome, CF_OUTCOME_FATAL, cut_error(attempt, curl_easy_strerror(code)));
        break;
    }
}

static const char *
header(const CfAttempt *attempt, const char *name)
{
    return g_hash_table_lookup(attempt->headers, name);
}

static char *
pick_request_id(const CfAttempt *attempt)
{
    static const char *const names[] = {"x-openstack-request-id", "x-compute-request-id",
                                        "x-request-id"};
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *id = header(attempt, names[i]);

        if (id && *id)
            return cf_text_one_line(id);
    }
    return g_strdup(attempt->input.request_id);
}

/* A NUL follows the data, outside of its size, so that functions for strings do no harm. */
static GBytes *
take_whole_body(CfAttempt *attempt)
{
    gsize size = attempt->body->len;

    g_byte_array_append(attempt->body, (const guint8 *) "", 1);
    return g_bytes_new_take(g_byte_array_free(g_steal_pointer(&attempt->body), FALSE), size);
}

static CfHttpReply *
make_reply(CfAttempt *attempt)
{
    CfHttpReply *reply = g_new0(CfHttpReply, 1);
    const char *date = header(attempt, "date");

    reply->status = (int) info_long(attempt, CURLINFO_RESPONSE_CODE);
    reply->date_us = date ? cf_http_read_date(attempt->http, date) : 0;
    reply->sent_us = attempt->begun_us;
    reply->request_id = pick_request_id(attempt);
    reply->body = take_whole_body(attempt);
    reply->headers = g_steal_pointer(&attempt->headers);
    return reply;
}

void
cf_attempt_finish(CfAttempt *attempt, CURLcode code)
{
    CfAttemptDone done = attempt->done;
    gpointer data = attempt->data;
    CfOutcome outcome = {.kind = CF_OUTCOME_REPLY};
    curl_off_t received = 0;

    curl_easy_getinfo(attempt->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    outcome.bytes_in = (guint64) received + attempt->header_bytes;
    outcome.ms = (guint) ((cf_clock_mono_us() - attempt->begun_us) / 1000);
    if (code == CURLE_OK)
        outcome.reply = make_reply(attempt);
    else if (attempt->oversized)
        set_outcome(&outcome, CF_OUTCOME_FATAL, oversized_error(attempt));
    else
        no_reply(attempt, code, &outcome);
    cf_http_end(attempt->http, attempt->easy);
    attempt_free(attempt);
    done(&outcome, data);
    cf_http_reply_free(outcome.reply);
    g_clear_error(&outcome.error);
}

GError *
cf_attempt_time_out(CfAttempt *attempt)
{
    GError *error = timeout_error(attempt);

    cf_attempt_abort(attempt);
    return error;
}

void
cf_attempt_abort(CfAttempt *attempt)
{
    cf_http_end(attempt->http, attempt->easy);
    attempt_free(attempt);
}
