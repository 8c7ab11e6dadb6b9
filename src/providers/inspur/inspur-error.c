#include "providers/inspur/inspur-error.h"

#include "providers/words.h"
#include "json/fields.h"

#include <stdlib.h>
#include <string.h>

/* --- codes ------------------------------------------------------------------------------------ */

/* HTTP's status is 400 or 500 for nearly all of these: the code has to say what happened. */
static const struct {
    const char *code;
    CfErrorCode meaning;
} meanings[] = {
    {"003.000203", CF_ERROR_DENIED},    /* not authorised */
    {"003.006005", CF_ERROR_DENIED},    /* not authorised */
    {"101.001001", CF_ERROR_INVALID},   /* a required parameter is missing */
    {"101.001002", CF_ERROR_INVALID},   /* a parameter breaks the rules */
    {"101.001004", CF_ERROR_REFUSED},   /* the server expired and must be renewed */
    {"101.001005", CF_ERROR_REMOTE},    /* query failed: count */
    {"101.001006", CF_ERROR_REMOTE},    /* query failed: volumes */
    {"101.001007", CF_ERROR_REMOTE},    /* query failed: list */
    {"101.001008", CF_ERROR_NOT_FOUND}, /* the server list is empty */
    {"101.001009", CF_ERROR_REMOTE},    /* query failed: detail */
    {"101.001010", CF_ERROR_NOT_FOUND}, /* the server's detail is empty */
    {"101.001011", CF_ERROR_REMOTE},    /* update failed */
    {"101.001012", CF_ERROR_BUSY},      /* a server is not in the state that is required */
    {"101.001013", CF_ERROR_NOT_YOURS}, /* not yours or not there */
    {"101.001014", CF_ERROR_REFUSED},   /* no billing record */
    {"101.001015", CF_ERROR_INVALID},   /* parameters could not be handled */
    {"101.001020", CF_ERROR_QUOTA},     /* quota lookup failed */
    {"101.001021", CF_ERROR_QUOTA},     /* quota short */
    {"101.001022", CF_ERROR_BUSY},      /* password reset needs a running server */
    {"101.001033", CF_ERROR_NOT_FOUND}, /* no such server */
    {"101.001040", CF_ERROR_REMOTE},    /* platform fault */
    {"101.003001", CF_ERROR_REMOTE},    /* image list query failed */
    {"101.003002", CF_ERROR_NOT_FOUND}, /* the image list is empty */
    {"101.003003", CF_ERROR_REMOTE},    /* image detail query failed */
    {"101.003004", CF_ERROR_NOT_FOUND}, /* the image's detail is empty */
    {"101.003005", CF_ERROR_REMOTE},    /* image update failed */
    {"101.003006", CF_ERROR_REMOTE},    /* image delete failed */
    {"101.003007", CF_ERROR_REMOTE},    /* image creation failed */
    {"101.003009", CF_ERROR_REMOTE},    /* image tag creation failed */
    {"101.003010", CF_ERROR_REMOTE},    /* image tag deletion failed */
    {"101.003011", CF_ERROR_BUSY},      /* the server's state does not allow an image */
    {"101.003012", CF_ERROR_QUOTA},     /* number of private images */
    {"101.003013", CF_ERROR_INVALID},   /* image name */
    {"101.003014", CF_ERROR_INVALID},   /* image description */
    {"101.003015", CF_ERROR_BUSY},      /* image in use by a server */
    {"101.003016", CF_ERROR_BUSY},      /* image still being made */
    {"101.003017", CF_ERROR_DENIED},    /* not a private image */
};

static gboolean
is_digits(const char *text, gsize len)
{
    return len > 0 && strspn(text, "0123456789") >= len;
}

static gboolean
is_http_like(const char *text)
{
    return strlen(text) == 3 && is_digits(text, 3) && text[0] >= '1' && text[0] <= '5';
}

/* A number with a point: "101.00104" was 101.001040, "3.000203" was 003.000203. */
static char *
pad_number(const char *text, const char *point)
{
    int product = (int) (point - text), rest = (int) strlen(point + 1);

    return g_strdup_printf("%.*s%s%.*s", MAX(0, 3 - product), "000", text, MAX(0, 6 - rest),
                           "000000");
}

char *
cf_inspur_code_normalise(const char *text, gboolean is_number)
{
    const char *point = strchr(text, '.');
    gsize len = strlen(text);

    if (point) {
        gboolean plain =
            is_digits(text, (gsize) (point - text)) && is_digits(point + 1, strlen(point + 1));

        return is_number && plain ? pad_number(text, point) : g_strdup(text);
    }
    if (!is_digits(text, len) || is_http_like(text))
        return g_strdup(text);
    if (len == 6)
        return g_strconcat("101.", text, NULL);
    if (len < 6 && is_number)
        return g_strdup_printf("101.%.*s%s", (int) (6 - len), "000000", text);
    return g_strdup(text);
}

CfErrorCode
cf_inspur_code_meaning(const char *code, int http_status, guint flags)
{
    gboolean of_resource = (flags & CF_INSPUR_OF_RESOURCE) != 0;

    /* Whatever else it says: nobody looked at the request, and a new token may help. */
    if (http_status == 401)
        return CF_ERROR_UNAUTHORIZED;
    if (code && is_http_like(code) && code[0] != '2')
        return cf_status_meaning(atoi(code), FALSE, of_resource);
    for (guint i = 0; code && i < G_N_ELEMENTS(meanings); i++)
        if (strcmp(meanings[i].code, code) == 0)
            return meanings[i].meaning;
    return cf_status_meaning(http_status, code && !is_http_like(code), of_resource);
}

gboolean
cf_inspur_is_empty_list(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return words && words->code &&
           (strcmp(words->code, "101.001008") == 0 || strcmp(words->code, "101.003002") == 0);
}

/* --- envelope --------------------------------------------------------------------------------- */

typedef struct {
    CfJsonSpan code, data;
    gboolean has_data;
    char *message, *request_id;
    char *plain_error; /* of a gateway that knows no envelope: {"error": "Not Found"} */
} Envelope;

static gboolean
take_data(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    Envelope *envelope = target;

    envelope->has_data = TRUE;
    envelope->data = value;
    return TRUE;
}

static const CfJsonField envelope_fields[] = {
    {"code", cf_json_take_span, offsetof(Envelope, code), CF_JSON_ANY_CASE},
    {"message", cf_json_take_text, offsetof(Envelope, message), CF_JSON_ANY_CASE},
    {"data", take_data, 0, CF_JSON_ANY_CASE},
    {"requestId", cf_json_take_text, offsetof(Envelope, request_id), CF_JSON_ANY_CASE},
    {"error", cf_json_take_text, offsetof(Envelope, plain_error), CF_JSON_OPTIONAL},
};

static void
envelope_clear(Envelope *envelope)
{
    g_free(envelope->message);
    g_free(envelope->request_id);
    g_free(envelope->plain_error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Envelope, envelope_clear)

void
cf_inspur_answer_clear(CfInspurAnswer *answer)
{
    g_free(answer->message);
    g_free(answer->request_id);
    memset(answer, 0, sizeof *answer);
}

static gboolean
is_success(const char *code)
{
    return !code || strcmp(code, "200") == 0 || strcmp(code, "201") == 0 ||
           strcmp(code, "202") == 0 || strcmp(code, "204") == 0;
}

/* Returns: (transfer full) (nullable): the code in full; NULL when there is none. */
static char *
read_code(CfJsonSpan span)
{
    g_autofree char *text = cf_json_scalar(span);
    g_autofree char *line = text ? cf_words_one_line(text) : NULL;

    if (!line || !*line)
        return NULL;
    return cf_inspur_code_normalise(line, cf_json_kind(span) == CF_JSON_NUMBER);
}

static void
set_failure(int http_status, const char *code, const char *message, const char *request_id,
            CfErrorCode meaning, GError **error)
{
    gboolean is_status = !code || is_http_like(code);
    CfCloudWords words = {.http_status = http_status,
                          .code = is_success(code) ? NULL : (char *) code,
                          .message = (char *) message,
                          .request_id = (char *) request_id};
    g_autofree char *line = message ? cf_words_one_line(message) : NULL;
    g_autofree char *tail =
        is_status ? g_strdup_printf("HTTP status %d", words.code ? atoi(code) : http_status)
                  : g_strdup(code);

    if (line && *line)
        cf_error_set_cloud(error, meaning, &words, "%s (%s)", line, tail);
    else
        cf_error_set_cloud(error, meaning, &words, "%s", tail);
}

/* No envelope where one was due. */
static void
set_foreign(int http_status, const char *text, gsize len, const char *request_id, guint flags,
            const GError *why, GError **error)
{
    g_autofree char *words = flags & CF_INSPUR_SECRET ? NULL : cf_words_excerpt(text, len);

    if (http_status >= 200 && http_status < 300) {
        CfCloudWords said = {.http_status = http_status, .request_id = (char *) request_id};

        cf_error_set_cloud(error, CF_ERROR_PROTOCOL, &said, "the answer is %s%s%s%s",
                           why ? why->message : "no object", words ? " (“" : "", words ? words : "",
                           words ? "”)" : "");
        return;
    }
    /* A web page about a missing path speaks of the gateway, not of a server or an image. */
    if (cf_words_are_markup(text, len))
        flags &= ~(guint) CF_INSPUR_OF_RESOURCE;
    set_failure(http_status, NULL, words, request_id,
                cf_inspur_code_meaning(NULL, http_status, flags), error);
}

gboolean
cf_inspur_read_answer(int http_status, const char *text, gsize len, const char *request_id,
                      guint flags, CfInspurAnswer *ret_answer, GError **error)
{
    gboolean ok = http_status >= 200 && http_status < 300;
    g_auto(Envelope) envelope = {0};
    g_autofree char *code = NULL;
    g_autoptr(GError) why = NULL;
    CfJsonSpan whole;

    if (ok && len == 0) {
        *ret_answer = (CfInspurAnswer){.request_id = g_strdup(request_id)};
        return TRUE;
    }
    if (!cf_json_check(text, len, &whole, &why) ||
        !cf_json_read(whole, envelope_fields, G_N_ELEMENTS(envelope_fields), &envelope, &why)) {
        set_foreign(http_status, text, len, request_id, flags, why, error);
        return FALSE;
    }

    code = read_code(envelope.code);
    if (!envelope.request_id)
        envelope.request_id = g_strdup(request_id);
    if (!ok || !is_success(code)) {
        set_failure(http_status, code, envelope.message ? envelope.message : envelope.plain_error,
                    envelope.request_id, cf_inspur_code_meaning(code, http_status, flags), error);
        return FALSE;
    }
    /* "" stands for nothing. */
    if (cf_json_kind(envelope.data) == CF_JSON_STRING && envelope.data.len == 2)
        envelope.data.len = 0;
    *ret_answer = (CfInspurAnswer){
        .data = envelope.data,
        .has_data = envelope.has_data,
        .message = g_steal_pointer(&envelope.message),
        .request_id = g_steal_pointer(&envelope.request_id),
    };
    return TRUE;
}
