#include "providers/openstack/openstack-error.h"

#include "providers/words.h"
#include "json/fields.h"

#include <string.h>

typedef struct {
    char *name; /* "conflictingRequest", "Unauthorized", "404 Not Found" */
    char *message;
} Fault;

static void
fault_clear(Fault *fault)
{
    g_free(fault->name);
    g_free(fault->message);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fault, fault_clear)

/* --- words ------------------------------------------------------------------------------------ */

static const CfJsonField inner_fields[] = {
    {"title", cf_json_take_text, offsetof(Fault, name), CF_JSON_OPTIONAL},
    {"message", cf_json_take_text, offsetof(Fault, message), CF_JSON_OPTIONAL},
};

/* Asked for JSON, Glance puts the text of its pages into the message, line breaks of HTML and all;
 * nothing else of it is escaped. */
static void
tidy(Fault *fault)
{
    g_autoptr(GString) text = NULL;

    if (!fault->message || !strstr(fault->message, "<br />"))
        return;
    text = g_string_new(fault->message);
    g_string_replace(text, "<br />", " ", 0);
    g_free(fault->message);
    fault->message = cf_words_one_line(text->str);
}

/* {"conflictingRequest": {"code": 409, "message": "…"}}, {"error": {"code": 401, "title": "…",
 * "message": "…"}}, or flat: {"code": "404 Not Found", "title": "…", "message": "…"}. */
static void
read_json(CfJsonSpan whole, Fault *fault)
{
    CfJsonSpan key, value;
    CfJsonIter iter;

    cf_json_iter_init(&iter, whole);
    if (cf_json_kind(whole) != CF_JSON_OBJECT)
        return;
    while (cf_json_iter_next(&iter, &key, &value)) {
        if (cf_json_kind(value) != CF_JSON_OBJECT)
            continue;
        cf_json_read(value, inner_fields, G_N_ELEMENTS(inner_fields), fault, NULL);
        if (fault->message) {
            if (!fault->name)
                fault->name = cf_json_string(key);
            return;
        }
    }
    cf_json_read(whole, inner_fields, G_N_ELEMENTS(inner_fields), fault, NULL);
    tidy(fault);
}

static const struct {
    const char *entity, *text;
} entities[] = {
    {"&lt;", "<"},   {"&gt;", ">"},  {"&quot;", "\""}, {"&#34;", "\""},
    {"&#x27;", "'"}, {"&#39;", "'"}, {"&#x2F;", "/"},  {"&amp;", "&"}, /* the last one: once */
};

static char *
decode_entities(const char *text)
{
    GString *out = g_string_new(text);

    for (guint i = 0; i < G_N_ELEMENTS(entities); i++)
        g_string_replace(out, entities[i].entity, entities[i].text, 0);
    return g_string_free(out, FALSE);
}

/* Glance's pages: "<h1>403 Forbidden</h1> the words that count<br /><br />". */
static void
read_page(const char *text, gsize len, Fault *fault)
{
    g_autofree char *page = g_strndup(text, MIN(len, 8192));
    char *body = strcasestr(page, "</h1>");
    g_autofree char *plain = NULL;

    body = body ? body + strlen("</h1>") : page;
    plain = cf_words_excerpt(body, strlen(body));
    if (!plain && body != page)
        plain = cf_words_excerpt(page, strlen(page));
    if (plain)
        fault->message = decode_entities(plain);
}

static void
read_fault(const char *text, gsize len, Fault *fault)
{
    CfJsonSpan whole;

    if (cf_json_check(text, len, &whole, NULL))
        read_json(whole, fault);
    else
        read_page(text, len, fault);
}

static gboolean
says(const Fault *fault, const char *word)
{
    return fault->message && strcasestr(fault->message, word);
}

/* --- meaning ---------------------------------------------------------------------------------- */

static CfErrorCode
meaning_of_400(const CfOsQuestion *question, const Fault *fault)
{
    /* "marker [x] not found"; Glance: "No image found with ID x". */
    if (question->with_marker && (says(fault, "marker") || says(fault, "No image found")))
        return CF_ERROR_CHANGED;
    return CF_ERROR_INVALID;
}

static CfErrorCode
meaning_of_403(const CfOsQuestion *question, const Fault *fault)
{
    if (says(fault, "quota"))
        return CF_ERROR_QUOTA;
    /* "Image … is protected and cannot be deleted." */
    if (question->service == CF_OS_IMAGE && says(fault, "is protected"))
        return CF_ERROR_BUSY;
    return CF_ERROR_DENIED;
}

/* "Gone" has to be said by the service itself, of the thing that was asked for: a proxy's page
 * about a path speaks of the proxy. */
static CfErrorCode
meaning_of_404(const CfOsQuestion *question, const Fault *fault)
{
    if (!question->id)
        return CF_ERROR_REMOTE;
    if (question->service == CF_OS_COMPUTE && g_strcmp0(fault->name, "itemNotFound") == 0)
        return CF_ERROR_NOT_FOUND;
    return says(fault, question->id) ? CF_ERROR_NOT_FOUND : CF_ERROR_REMOTE;
}

static CfErrorCode
meaning_of(const CfOsQuestion *question, int status, const Fault *fault, gboolean retry_after)
{
    switch (status) {
    case 400:
        return meaning_of_400(question, fault);
    case 403:
        return meaning_of_403(question, fault);
    case 404:
        return meaning_of_404(question, fault);
    case 406:
        return CF_ERROR_UNSUPPORTED;
    case 410:
        return CF_ERROR_REMOTE;
    case 413:
        return retry_after ? CF_ERROR_THROTTLED : CF_ERROR_QUOTA;
    default:
        return cf_status_meaning(status, FALSE, question->id != NULL);
    }
}

GError *
cf_os_error(const CfOsQuestion *question, int http_status, const char *text, gsize len,
            const char *request_id, gboolean retry_after)
{
    CfCloudWords words = {.http_status = http_status, .request_id = (char *) request_id};
    g_auto(Fault) fault = {NULL, NULL};
    g_autofree char *line = NULL;
    CfErrorCode meaning;
    GError *error = NULL;

    read_fault(text, len, &fault);
    meaning = meaning_of(question, http_status, &fault, retry_after);
    words.code = fault.name;
    words.message = fault.message;
    line = fault.message ? cf_words_one_line(fault.message) : NULL;
    if (line && *line)
        cf_error_set_cloud(&error, meaning, &words, "%s (HTTP status %d)", line, http_status);
    else
        cf_error_set_cloud(&error, meaning, &words, "HTTP status %d", http_status);
    return error;
}
