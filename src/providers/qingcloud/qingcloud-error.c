#include "providers/qingcloud/qingcloud-error.h"

#include "providers/words.h"
#include "json/fields.h"

#include <string.h>

#define REFUSAL_MAX 4096 /* bytes; a refusal holds a code and a sentence */

/* --- codes ------------------------------------------------------------------------------------ */

/* Those whose text decides are not here. */
static const struct {
    gint64 first, last;
    CfErrorCode meaning;
} meanings[] = {
    {1100, 1100, CF_ERROR_INVALID},      /* malformed, or a parameter is missing */
    {1200, 1200, CF_ERROR_UNAUTHORIZED}, /* unknown key or bad signature */
    {1300, 1300, CF_ERROR_UNAUTHORIZED}, /* time_stamp is too old */
    {1500, 1662, CF_ERROR_REFUSED},      /* matters of the account */
    {2000, 2000, CF_ERROR_EXPIRED},      /* the session expired */
    {2110, 2110, CF_ERROR_EXISTS},
    {2200, 2200, CF_ERROR_REFUSED}, /* the lease */
    {2300, 2300, CF_ERROR_REFUSED},
    {2400, 2400, CF_ERROR_REFUSED},     /* the balance is too low */
    {3300, 3300, CF_ERROR_UNSUPPORTED}, /* no such module of the API */
    {4000, 4005, CF_ERROR_REFUSED},     /* the platform's licence */
    {5000, 5000, CF_ERROR_REMOTE},      /* internal error */
    {5200, 5200, CF_ERROR_CAPACITY},
    {5300, 5300, CF_ERROR_THROTTLED},   /* the service is being updated: later */
    {5400, 5400, CF_ERROR_BUSY},        /* something depends on it */
    {5500, 5500, CF_ERROR_REMOTE},      /* the warehouse is off */
    {5600, 5600, CF_ERROR_UNSUPPORTED}, /* type of disk */
    {8000, 8004, CF_ERROR_INVALID},     /* configuration file */
};

/* Some of the words in any place, letters of either case. The texts are prose: they are matched
 * loosely. */
static gboolean
speaks_of(const char *message, const char *const *words)
{
    g_autofree char *lower = message ? g_utf8_strdown(message, -1) : NULL;

    for (guint i = 0; lower && words[i]; i++)
        if (strstr(lower, words[i]))
            return TRUE;
    return FALSE;
}

/* 1400 begins with PermissionDenied whether it is the right that lacks or the state that does not
 * suit. */
static gboolean
is_about_state(const char *message)
{
    static const char *const words[] = {
        "not running",  "not stopped", "not available", "is running",    "is stopped", "is pending",
        "is suspended", "is deleted",  "is ceased",     "is terminated", "is being",   "transition",
        "status",       "state",       "in use",        "being used",    "used by",    "already",
        "protect",      "状态",        "正在",          "使用中",        "过渡",       NULL};

    return speaks_of(message, words);
}

/* Of what 2500 says that there is too much: resources, or requests. */
static gboolean
is_about_requests(const char *message)
{
    static const char *const words[] = {
        "requests", "request rate", "request quota", "api ", " api", " rate", "calls",
        "frequen",  "too often",    "throttl",       "请求", "频",   "调用",  NULL};

    return speaks_of(message, words);
}

static gboolean
is_about_action(const char *message)
{
    static const char *const words[] = {"action", "接口", "指令", NULL};
    static const char *const others[] = {"parameter", "参数", NULL};

    return speaks_of(message, words) && !speaks_of(message, others);
}

CfErrorCode
cf_qingcloud_code_meaning(gint64 code, const char *message, guint flags)
{
    for (guint i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (code >= meanings[i].first && code <= meanings[i].last)
            return meanings[i].meaning;
    switch (code) {
    case 1101: /* no such action, or a value that it does not know */
        return is_about_action(message) ? CF_ERROR_UNSUPPORTED : CF_ERROR_INVALID;
    case 1400:
        return is_about_state(message) ? CF_ERROR_BUSY : CF_ERROR_DENIED;
    case 2100: /* a listing cannot be gone */
        return flags & CF_QINGCLOUD_OF_RESOURCE ? CF_ERROR_NOT_FOUND : CF_ERROR_REMOTE;
    case 2500: /* of resources or of requests */
        return is_about_requests(message) ? CF_ERROR_THROTTLED : CF_ERROR_QUOTA;
    case 5100: /* busy, or it took too long: then a change may have been done */
        return flags & CF_QINGCLOUD_CHANGE ? CF_ERROR_REMOTE : CF_ERROR_THROTTLED;
    default:
        return CF_ERROR_REMOTE;
    }
}

gint64
cf_qingcloud_error_code(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return words && words->code ? g_ascii_strtoll(words->code, NULL, 10) : -1;
}

/* --- envelope --------------------------------------------------------------------------------- */

typedef struct {
    gint64 code;
    gboolean has_code;
    char *message, *trace_id;
} Envelope;

/* A number, or in some answers a string. */
static gboolean
take_code(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    Envelope *envelope = target;

    envelope->has_code = cf_json_int(value, &envelope->code);
    return envelope->has_code;
}

static const CfJsonField envelope_fields[] = {
    {"ret_code", take_code, 0, CF_JSON_OPTIONAL},
    {"message", cf_json_take_text, offsetof(Envelope, message), CF_JSON_OPTIONAL},
    {"trace_id", cf_json_take_text, offsetof(Envelope, trace_id), CF_JSON_OPTIONAL},
};

static void
envelope_clear(Envelope *envelope)
{
    g_free(envelope->message);
    g_free(envelope->trace_id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Envelope, envelope_clear)

void
cf_qingcloud_answer_clear(CfQingcloudAnswer *answer)
{
    g_free(answer->request_id);
    memset(answer, 0, sizeof *answer);
}

static gboolean
read_envelope(const char *text, gsize len, CfJsonSpan *ret_whole, Envelope *envelope,
              GError **error)
{
    return cf_json_check(text, len, ret_whole, error) &&
           cf_json_read(*ret_whole, envelope_fields, G_N_ELEMENTS(envelope_fields), envelope,
                        error);
}

CfQingcloudMood
cf_qingcloud_mood(const char *text, gsize len)
{
    g_auto(Envelope) envelope = {0};
    CfJsonSpan whole;

    if (len > REFUSAL_MAX || !read_envelope(text, len, &whole, &envelope, NULL) ||
        !envelope.has_code)
        return CF_QINGCLOUD_ORDINARY;
    if (envelope.code == 2500 && is_about_requests(envelope.message))
        return CF_QINGCLOUD_TOO_OFTEN;
    if (envelope.code == 5000 || envelope.code == 5100 || envelope.code == 5300)
        return CF_QINGCLOUD_TOO_BUSY;
    return CF_QINGCLOUD_ORDINARY;
}

static void
set_refusal(int http_status, const Envelope *envelope, const char *request_id, guint flags,
            GError **error)
{
    g_autofree char *code = g_strdup_printf("%" G_GINT64_FORMAT, envelope->code);
    CfCloudWords words = {.http_status = http_status,
                          .code = code,
                          .message = envelope->message,
                          .request_id = (char *) request_id};
    CfErrorCode meaning = cf_qingcloud_code_meaning(envelope->code, envelope->message, flags);
    g_autofree char *line = envelope->message ? cf_words_one_line(envelope->message) : NULL;

    cf_error_set_cloud(error, meaning, &words, "%s%sret_code %s%s", line && *line ? line : "",
                       line && *line ? " (" : "", code, line && *line ? ")" : "");
    /* These say nothing of whether it was done. */
    if (error && flags & CF_QINGCLOUD_CHANGE && (envelope->code == 5000 || envelope->code == 5100))
        cf_error_set_unsure(*error);
}

/* The beginning of what was cut off may hold a server's password. */
static gboolean
may_be_quoted(int http_status, const char *text, gsize len, guint flags)
{
    while (len > 0 && g_ascii_isspace(*text)) {
        text++;
        len--;
    }
    return len > 0 && !(flags & CF_QINGCLOUD_SECRET) &&
           (http_status >= 300 || (*text != '{' && *text != '['));
}

/* No envelope where one was due. why: (nullable). */
static void
set_foreign(int http_status, const char *text, gsize len, const char *request_id, guint flags,
            const GError *why, GError **error)
{
    g_autofree char *excerpt =
        may_be_quoted(http_status, text, len, flags) ? cf_words_excerpt(text, len) : NULL;
    CfCloudWords words = {
        .http_status = http_status, .message = excerpt, .request_id = (char *) request_id};

    if (http_status >= 200 && http_status < 300)
        cf_error_set_cloud(error, CF_ERROR_PROTOCOL, &words, "%s%s%s%s",
                           why ? why->message : "ret_code: missing or of no use",
                           excerpt ? " (“" : "", excerpt ? excerpt : "", excerpt ? "”)" : "");
    else
        cf_error_set_cloud(error, cf_status_meaning(http_status, FALSE, FALSE), &words,
                           "%s%sHTTP status %d%s", excerpt ? excerpt : "", excerpt ? " (" : "",
                           http_status, excerpt ? ")" : "");
}

gboolean
cf_qingcloud_read_answer(int http_status, const char *text, gsize len, const char *request_id,
                         guint flags, CfQingcloudAnswer *ret_answer, GError **error)
{
    gboolean ok = http_status >= 200 && http_status < 300;
    g_auto(Envelope) envelope = {0};
    g_autoptr(GError) why = NULL;
    CfJsonSpan whole;

    if (!read_envelope(text, len, &whole, &envelope, &why) || !envelope.has_code ||
        (!ok && envelope.code == 0)) {
        set_foreign(http_status, text, len, request_id, flags, why, error);
        return FALSE;
    }
    if (envelope.trace_id && *envelope.trace_id)
        request_id = envelope.trace_id;
    if (envelope.code != 0) {
        set_refusal(http_status, &envelope, request_id, flags, error);
        return FALSE;
    }
    *ret_answer = (CfQingcloudAnswer){.whole = whole, .request_id = g_strdup(request_id)};
    return TRUE;
}
