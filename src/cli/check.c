#include "cli/commands.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "cli/daemon.h"
#include "cli/schema.h"
#include "cli/stack.h"
#include "providers/provider.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

#define SKEW_MAX_US (60 * (gint64) G_USEC_PER_SEC)

/* One profile under examination. What the engine's thread writes is read here after the call that
 * it belongs to is done (under lock). */
typedef struct {
    CfProfile *profile;
    const CfProviderOps *ops;
    CfHttp *http;
    CfChannel *channel;
    gpointer handle;
    gint64 deadline_us;

    GMutex lock; /* protects done; taken after none */
    GCond cond;
    gboolean done;

    GError *error;     /* (nullable) of the last call */
    gint64 records;    /* of the last page; -1: more pages follow and the cloud does not say */
    gint64 skew_us;    /* their clock less ours */
    gboolean has_skew; /* an answer with a Date came */
} Exam;

/* --- lines ----------------------------------------------------------------------------------- */

static void G_GNUC_PRINTF(3, 4)
    say(const char *verdict, const char *subject, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *whole = NULL;
    g_autofree char *safe = NULL;
    g_autofree char *line = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    whole = g_strdup_printf("%-4s %s: %s", verdict, subject, text);
    safe = cf_log_redact(whole);
    line = cf_text_one_line(safe);
    puts(line);
    fflush(stdout);
}

/* What to do, in most cases. */
static const char *const advice_by_code[CF_ERROR_N] = {
    [CF_ERROR_UNAUTHORIZED] = "renew the token, password or key in the configuration",
    [CF_ERROR_EXPIRED] = "renew the token, password or key in the configuration",
    [CF_ERROR_DENIED] = "give the account the right to list servers and images",
    [CF_ERROR_REFUSED] = "look at the account's standing in the cloud's console",
    [CF_ERROR_THROTTLED] = "wait, or lower rate=",
    [CF_ERROR_TIMEOUT] = "look at network and firewall, or raise deadline=",
    [CF_ERROR_UNREACHABLE] = "look at the endpoint, the network and proxy=",
    [CF_ERROR_NO_CONNECT] = "look at the endpoint's host and port; nobody answers there",
    [CF_ERROR_PROTOCOL] = "look at the endpoint; for a private certificate authority set cacert=",
    [CF_ERROR_NOT_FOUND] = "look at the path of the endpoint",
};

static CfExit
fail(Exam *exam, const char *what, const GError *error)
{
    const char *advice = advice_by_code[cf_error_code(error)];
    g_autofree char *message = cf_exit_describe(error);
    g_autofree char *subject = g_strdup_printf("[%s] %s", cf_profile_get_name(exam->profile), what);

    say("FAIL", subject, "%s%s%s", message, advice ? ": " : "", advice ? advice : "");
    return cf_exit_from_error(error);
}

static void G_GNUC_PRINTF(4, 5)
    tell(Exam *exam, const char *verdict, const char *what, const char *format, ...)
{
    g_autofree char *subject = g_strdup_printf("[%s] %s", cf_profile_get_name(exam->profile), what);
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    say(verdict, subject, "%s", text);
}

/* --- calls, one after the other -------------------------------------------------------------- */

static void
finish(Exam *exam, const GError *error)
{
    g_mutex_lock(&exam->lock);
    g_clear_error(&exam->error);
    exam->error = error ? g_error_copy(error) : NULL;
    exam->done = TRUE;
    g_cond_signal(&exam->cond);
    g_mutex_unlock(&exam->lock);
}

/* Starts a call in the engine's thread and waits for finish().
 * Returns: (transfer none) (nullable): its error. */
static const GError *
call(Exam *exam, GSourceFunc start)
{
    exam->done = FALSE;
    cf_http_invoke(exam->http, start, exam);
    g_mutex_lock(&exam->lock);
    while (!exam->done)
        g_cond_wait(&exam->cond, &exam->lock);
    g_mutex_unlock(&exam->lock);
    return exam->error;
}

static gint64
get_deadline(const Exam *exam)
{
    return cf_clock_mono_us() + exam->deadline_us;
}

/* The clock of a whole second that was cut off is half a second late, on the average. */
static void
on_reply(const CfHttpRequest *request, const CfHttpReply *reply, const GError *error, gpointer data)
{
    Exam *exam = data;

    if (!reply || reply->date_us == 0)
        return;
    exam->skew_us = reply->date_us + G_USEC_PER_SEC / 2 - cf_clock_real_us();
    exam->has_skew = TRUE;
}

static void
on_state(CfChannelState state, const char *why, gpointer data)
{
}

/* Any answer will do, also "not found". */
static void
on_knock(const CfHttpReply *reply, const GError *error, gpointer data)
{
    finish(data, error);
}

static gboolean
start_knock(gpointer data)
{
    Exam *exam = data;
    const char *address = cf_profile_get_address(exam->profile);
    CfHttpRequest *request = cf_http_request_new(CF_HTTP_READ, "GET", address);

    request->label = g_strdup("GET of the endpoint");
    request->deadline_us = get_deadline(exam);
    request->user_waits = TRUE;
    cf_channel_send(exam->channel, request, on_knock, exam);
    return G_SOURCE_REMOVE;
}

static void
on_done(const GError *error, gpointer data)
{
    finish(data, error);
}

static gboolean
start_authenticate(gpointer data)
{
    Exam *exam = data;

    exam->ops->authenticate(exam->handle, get_deadline(exam), on_done, exam);
    return G_SOURCE_REMOVE;
}

static void
on_page(const CfPage *page, const GError *error, gpointer data)
{
    Exam *exam = data;

    if (page)
        exam->records = page->total >= 0 ? page->total
                        : page->last     ? (gint64) page->records->len
                                         : -1;
    finish(exam, error);
}

static void
list_first_page(Exam *exam, CfCollection collection)
{
    if (exam->ops->list_from)
        exam->ops->list_from(exam->handle, collection, NULL, 0, get_deadline(exam), TRUE, NULL,
                             on_page, exam);
    else
        exam->ops->list(exam->handle, collection, 1, get_deadline(exam), TRUE, NULL, on_page, exam);
}

static gboolean
start_list_servers(gpointer data)
{
    list_first_page(data, CF_SERVERS);
    return G_SOURCE_REMOVE;
}

static gboolean
start_list_images(gpointer data)
{
    list_first_page(data, CF_IMAGES);
    return G_SOURCE_REMOVE;
}

/* --- what is examined ------------------------------------------------------------------------ */

static CfExit
check_secrets(Exam *exam)
{
    g_autoptr(GError) error = NULL;

    if (!cf_profile_read_secrets(exam->profile, &error))
        return fail(exam, "secrets", error);
    tell(exam, "ok", "secrets", "read, and nobody else can read their files");
    return CF_EXIT_OK;
}

/* Returns: (transfer full): the address that a name has. */
static char *
get_numeric(const struct addrinfo *found)
{
    char text[NI_MAXHOST];

    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                    NI_NUMERICHOST) != 0)
        return g_strdup("?");
    return g_strdup(text);
}

/* Then it is the proxy that looks the name up. */
static gboolean
is_proxied(Exam *exam)
{
    static const char *const variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY"};

    if (cf_profile_get_options(exam->profile)->proxy)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        if (g_getenv(variables[i]) && *g_getenv(variables[i]))
            return TRUE;
    return FALSE;
}

static CfExit
check_name(Exam *exam)
{
    const char *address = cf_profile_get_address(exam->profile);
    g_autoptr(GUri) uri = address ? g_uri_parse(address, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    g_autofree char *numeric = NULL;
    int failed;

    if (!host || !*host) {
        tell(exam, "FAIL", "endpoint", "‘%s’ is no URL: write https://HOST/PATH",
             address ? address : "");
        return CF_EXIT_CONFIG;
    }
    failed = getaddrinfo(host, NULL, &hints, &found);
    if (failed && is_proxied(exam)) {
        tell(exam, "ok", "name", "%s is not known here; there is a proxy to look it up", host);
        return CF_EXIT_OK;
    }
    if (failed) {
        tell(exam, "FAIL", "name", "%s: %s: look at the endpoint and at the name server", host,
             gai_strerror(failed));
        return CF_EXIT_UNREACHABLE;
    }
    numeric = get_numeric(found);
    freeaddrinfo(found);
    tell(exam, "ok", "name", "%s is %s", host, numeric);
    return CF_EXIT_OK;
}

static CfExit
check_connection(Exam *exam)
{
    const char *address = cf_profile_get_address(exam->profile);
    const GError *error = call(exam, start_knock);

    if (error)
        return fail(exam, "connection", error);
    if (!g_str_has_prefix(address, "https:"))
        tell(exam, "warn", "connection",
             "answered, but without TLS everybody on the way reads the "
             "credentials: use https if the cloud has it");
    else if (cf_profile_get_options(exam->profile)->insecure)
        tell(exam, "warn", "connection",
             "answered, but insecure= is set: anybody may be the cloud");
    else
        tell(exam, "ok", "connection", "answered, and the certificate is good");
    return CF_EXIT_OK;
}

/* Signatures hold the time, and clouds refuse those of another hour. */
static void
check_clock(Exam *exam)
{
    double seconds = (double) exam->skew_us / G_USEC_PER_SEC;

    if (!exam->has_skew)
        tell(exam, "ok", "clock", "not compared: the cloud does not tell its time");
    else if (ABS(exam->skew_us) > SKEW_MAX_US)
        tell(exam, "warn", "clock",
             "this machine is %.0f s %s, signed calls may be refused: set the clock (NTP)",
             ABS(seconds), seconds > 0 ? "behind" : "ahead");
    else
        tell(exam, "ok", "clock", "within %.0f s of the cloud's", MAX(1, ABS(seconds)));
}

static CfExit
check_credentials(Exam *exam)
{
    const GError *error = call(exam, start_authenticate);

    if (error)
        return fail(exam, "credentials", error);
    tell(exam, "ok", "credentials", "accepted");
    return CF_EXIT_OK;
}

static CfExit
check_list(Exam *exam, const char *name, GSourceFunc start)
{
    const GError *error = call(exam, start);

    if (error)
        return fail(exam, name, error);
    if (exam->records >= 0)
        tell(exam, "ok", name, "%" G_GINT64_FORMAT, exam->records);
    else
        tell(exam, "ok", name, "more than one page of them");
    return CF_EXIT_OK;
}

/* --- a profile ------------------------------------------------------------------------------- */

static const char *
get_key(gpointer config, const char *key)
{
    return cf_profile_get(config, key);
}

static gboolean
open_in_engine(gpointer data)
{
    Exam *exam = data;
    const CfOptions *options = cf_profile_get_options(exam->profile);
    const CfChannelObserver observer = {on_reply, on_state, exam};
    CfChannelOptions channel;
    CfProviderEnv env;

    cf_stack_fill_channel(exam->profile, &channel);
    exam->channel = cf_channel_new(exam->http, &channel, &observer);
    env = (CfProviderEnv){
        .profile = cf_profile_get_name(exam->profile),
        .channel = exam->channel,
        .context = cf_http_get_context(exam->http),
        .deadline_us = options->deadline_us,
        .page_size = options->page_size,
        .get = get_key,
        .config = exam->profile,
    };
    exam->handle = exam->ops->open(&env, &exam->error);
    return G_SOURCE_REMOVE;
}

/* Returns: (transfer none) (nullable): an error. */
static const GError *
exam_open(Exam *exam)
{
    exam->http = cf_http_new(&exam->error);
    if (exam->http)
        cf_http_invoke_wait(exam->http, open_in_engine, exam);
    return exam->error;
}

/* In the order in which the inventory does it. */
static gboolean
close_in_engine(gpointer data)
{
    Exam *exam = data;

    cf_channel_free(exam->channel);
    if (exam->handle)
        exam->ops->close(exam->handle);
    return G_SOURCE_REMOVE;
}

static void
exam_close(Exam *exam)
{
    if (exam->http)
        cf_http_invoke_wait(exam->http, close_in_engine, exam);
    cf_http_free(exam->http);
    g_clear_error(&exam->error);
    g_mutex_clear(&exam->lock);
    g_cond_clear(&exam->cond);
}

static CfExit
check_cloud(Exam *exam)
{
    const GError *error = exam_open(exam);
    CfExit status;

    if (error)
        return fail(exam, "configuration", error);
    status = check_name(exam);
    if (status == CF_EXIT_OK)
        status = check_connection(exam);
    if (status != CF_EXIT_OK)
        return status;
    check_clock(exam);
    status = check_credentials(exam);
    if (status != CF_EXIT_OK)
        return status;
    status = check_list(exam, "servers", start_list_servers);
    return cf_exit_join(status, check_list(exam, "images", start_list_images));
}

static CfExit
check_profile(CfProfile *profile)
{
    Exam exam = {
        .profile = profile,
        .ops = cf_providers_find(cf_profile_get_provider(profile)),
        .deadline_us = cf_profile_get_options(profile)->deadline_us,
    };
    CfExit status;

    g_mutex_init(&exam.lock);
    g_cond_init(&exam.cond);
    status = check_secrets(&exam);
    if (status == CF_EXIT_OK)
        status = check_cloud(&exam);
    exam_close(&exam);
    return status;
}

/* --- the command ----------------------------------------------------------------------------- */

CfExit
cf_command_check(const CfArgs *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CfConfig) config = NULL;
    g_autoptr(GPtrArray) profiles = NULL;
    CfExit status = CF_EXIT_OK;

    cf_daemon_harden();
    cf_log_init("none", CF_LOG_INFO, NULL); /* what it would say, our lines say */
    config = cf_config_load(args->config, cf_schemas_get(), NULL, &error);
    profiles = config ? cf_profiles_select(config, args->profiles, &error) : NULL;
    if (!profiles) {
        say("FAIL", "configuration", "%s", error->message);
        return cf_exit_from_error(error);
    }
    say("ok", "configuration", "found, understood, and nobody else can read it; %u profile%s",
        profiles->len, profiles->len == 1 ? "" : "s");
    for (guint i = 0; i < profiles->len; i++)
        status = cf_exit_join(status, check_profile(g_ptr_array_index(profiles, i)));
    return status;
}
