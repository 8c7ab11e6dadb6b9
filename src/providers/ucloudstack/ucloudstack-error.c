#include "providers/ucloudstack/ucloudstack-error.h"

#include "providers/words.h"
#include "json/fields.h"

#include <string.h>

/* A refusal is short; a longer answer is a page, which is not read twice. */
#define REFUSAL_MAX 8192

/* --- codes ------------------------------------------------------------------------------------ */

typedef enum {
    THROTTLE = 1 << 0, /* nothing was done, ask less often */
    FAULT = 1 << 1,    /* of the service: a read may be tried again */
    LOOK = 1 << 2,     /* missing or in the wrong state */
    UNSURE = 1 << 3,   /* a change may have been done */
} Traits;

typedef struct {
    gint32 first, last;
    CfErrorCode meaning;
    guint traits;
} Meaning;

/* Where the fact sheet suggests another errno the contract's section 6 wins: a wrong signature is
 * UNAUTHORIZED, a frozen account REFUSED. */
static const Meaning generation_2[] = {
    {2, 2, CF_ERROR_REMOTE, FAULT},
    {3, 4, CF_ERROR_INVALID, 0},          /* a parameter is empty, is malformed */
    {100, 102, CF_ERROR_INVALID, 0},      /* no Referer, Action, region */
    {103, 105, CF_ERROR_UNAUTHORIZED, 0}, /* no credentials, signature, SSO token */
    {106, 108, CF_ERROR_INVALID, 0},      /* no user, tenant, application */
    {109, 109, CF_ERROR_UNAUTHORIZED, 0}, /* wrong signature */
    {110, 110, CF_ERROR_UNSUPPORTED, 0},  /* no such API */
    {111, 112, CF_ERROR_DENIED, 0},       /* administrators only; client's address */
    {113, 113, CF_ERROR_INVALID, 0},      /* parameters */
    {114, 114, CF_ERROR_DENIED, 0},       /* not this API */
    {199, 199, CF_ERROR_THROTTLED, THROTTLE},
    {200, 200, CF_ERROR_NOT_FOUND, 0}, /* no such resource */
    {201, 203, CF_ERROR_BUSY, 0},      /* state of business, of resource; enabled already */
    {204, 205, CF_ERROR_NOT_FOUND, 0}, /* deleted, destroyed */
    {206, 206, CF_ERROR_REFUSED, 0},   /* expired */
    {207, 207, CF_ERROR_INVALID, 0},   /* type of resource */
    {208, 208, CF_ERROR_QUOTA, 0},     /* bindings */
    {209, 209, CF_ERROR_REFUSED, 0},   /* deletion is forbidden */
    {400, 404, CF_ERROR_REFUSED, 0},   /* licence */
    {549, 549, CF_ERROR_REFUSED, 0},   /* licence */
    {550, 550, CF_ERROR_REMOTE, FAULT},
    {559, 559, CF_ERROR_REMOTE, FAULT},
    {560, 560, CF_ERROR_THROTTLED, FAULT | UNSURE}, /* the system is busy */
    {600, 605, CF_ERROR_DENIED, 0},                 /* OAuth */
    {650, 656, CF_ERROR_DENIED, 0},                 /* roles, projects */
    {1000, 1000, CF_ERROR_NOT_FOUND, 0},            /* image */
    {1001, 1002, CF_ERROR_BUSY, 0},                 /* image's state */
    {1003, 1003, CF_ERROR_INVALID, 0},              /* image's format */
    {1004, 1004, CF_ERROR_NOT_FOUND, 0},            /* server */
    {1005, 1006, CF_ERROR_BUSY, 0},                 /* server's state */
    {1008, 1008, CF_ERROR_BUSY, 0},                 /* image in use */
    {1009, 1010, CF_ERROR_CHANGED, 0},              /* VNC session missing, over */
    {1014, 1014, CF_ERROR_BUSY, 0},                 /* server not stopped */
    {1016, 1016, CF_ERROR_BUSY, 0},                 /* an image of it is being made */
    {1019, 1019, CF_ERROR_CAPACITY, 0},
    {14001, 14002, CF_ERROR_DENIED, 0}, /* not this cluster */
    {14003, 14006, CF_ERROR_CAPACITY, 0},
    {14007, 14007, CF_ERROR_DENIED, 0}, /* not this cluster */
    {15001, 15002, CF_ERROR_BUSY, 0},   /* state; locked */
    {15003, 15005, CF_ERROR_CAPACITY, 0},
    {17005, 17005, CF_ERROR_QUOTA, 0},
    {20001, 20010, CF_ERROR_REFUSED, 0}, /* account */
    {20011, 20011, CF_ERROR_EXPIRED, 0}, /* SSO token */
    {23000, 23001, CF_ERROR_REFUSED, 0}, /* payment */
    {27001, 27004, CF_ERROR_REFUSED, 0}, /* tenant */
};

static const Meaning generation_1[] = {
    {100, 100, CF_ERROR_REMOTE, FAULT},
    {110, 110, CF_ERROR_TIMEOUT, FAULT | UNSURE}, /* of the call inside the platform */
    {130, 130, CF_ERROR_REMOTE, FAULT},
    {140, 140, CF_ERROR_INVALID, 0}, /* parameters */
    {150, 150, CF_ERROR_DENIED, 0},
    {151, 153, CF_ERROR_REMOTE, FAULT}, /* cache, API, gateway */
    {154, 154, CF_ERROR_INVALID, 0},    /* no Action */
    {160, 160, CF_ERROR_REFUSED, 0},    /* balance */
    {161, 161, CF_ERROR_QUOTA, 0},
    {162, 163, CF_ERROR_INVALID, 0}, /* no such region, zone: says nothing of a resource */
    {164, 164, CF_ERROR_REFUSED, 0}, /* deletion is forbidden */
    {165, 165, CF_ERROR_THROTTLED, THROTTLE},
    {168, 168, CF_ERROR_REFUSED, 0},      /* licence */
    {170, 171, CF_ERROR_UNAUTHORIZED, 0}, /* signature missing, wrong */
    {172, 172, CF_ERROR_EXPIRED, 0},      /* login */
    {173, 173, CF_ERROR_DENIED, 0},
    {177, 177, CF_ERROR_REFUSED, 0},     /* the administrator's account */
    {178, 178, CF_ERROR_DENIED, 0},      /* administrators only */
    {229, 229, CF_ERROR_INVALID, 0},     /* a parameter is missing */
    {240, 240, CF_ERROR_DENIED, 0},      /* not this API */
    {301, 301, CF_ERROR_DENIED, 0},      /* client's address */
    {1001, 1008, CF_ERROR_REFUSED, 0},   /* tenant, account */
    {2000, 2000, CF_ERROR_BUSY, 0},      /* server not stopped: no deletion */
    {2004, 2004, CF_ERROR_REFUSED, 0},   /* expired: no deletion */
    {2005, 2005, CF_ERROR_BUSY, 0},      /* server not stopped: no image */
    {2006, 2006, CF_ERROR_NOT_FOUND, 0}, /* the image's server */
    {2007, 2007, CF_ERROR_BUSY, LOOK},   /* image not usable: no deletion */
    {2008, 2008, CF_ERROR_NOT_FOUND, 0}, /* image */
    {2009, 2009, CF_ERROR_BUSY, 0},      /* image in use */
    {2011, 2011, CF_ERROR_BUSY, LOOK},   /* server missing or in the wrong state */
    {2012, 2012, CF_ERROR_BUSY, 0},      /* server neither running nor stopped */
    {2014, 2014, CF_ERROR_NOT_FOUND, 0}, /* image */
    {2015, 2015, CF_ERROR_BUSY, 0},      /* server not running */
    {2030, 2031, CF_ERROR_CAPACITY, 0},
    {2033, 2033, CF_ERROR_REFUSED, 0}, /* expired */
    {2034, 2034, CF_ERROR_CAPACITY, 0},
    {2039, 2039, CF_ERROR_BUSY, 0}, /* interface unsettled */
    {2041, 2042, CF_ERROR_BUSY, 0}, /* disk, balanced server unsettled */
    {2043, 2043, CF_ERROR_CAPACITY, 0},
    {2044, 2044, CF_ERROR_QUOTA, 0},
    {2208, 2208, CF_ERROR_CAPACITY, 0},
    {8100, 8100, CF_ERROR_REFUSED, 0},   /* expired */
    {8101, 8102, CF_ERROR_NOT_FOUND, 0}, /* out of the recycle bin, destroyed */
    {11001, 11007, CF_ERROR_REFUSED, 0}, /* licence */
    {51000, 51000, CF_ERROR_CAPACITY, 0},
    {51001, 51001, CF_ERROR_BUSY, 0},    /* neither running nor stopped: no deletion */
    {51002, 51002, CF_ERROR_REFUSED, 0}, /* expired: no deletion */
    {56000, 56000, CF_ERROR_CAPACITY, 0},
};

/* Returns: (nullable). */
static const Meaning *
find_meaning(CfUcloudstackDialect dialect, gint64 code)
{
    gboolean first = dialect == CF_UCLOUDSTACK_GEN_1;
    const Meaning *table = first ? generation_1 : generation_2;
    guint n = first ? G_N_ELEMENTS(generation_1) : G_N_ELEMENTS(generation_2);

    for (guint i = 0; i < n; i++)
        if (code >= table[i].first && code <= table[i].last)
            return &table[i];
    return NULL;
}

CfErrorCode
cf_ucloudstack_code_meaning(CfUcloudstackDialect dialect, gint64 code, guint flags)
{
    const Meaning *found = find_meaning(dialect, code);

    /* A collection cannot be missing. */
    if (!found || (found->meaning == CF_ERROR_NOT_FOUND && !(flags & CF_UCLOUDSTACK_OF_RESOURCE)))
        return CF_ERROR_REMOTE;
    return found->meaning;
}

/* Returns: the RetCode of a refusal; 0 when it had none. */
static gint64
code_of(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);

    return words && words->code ? g_ascii_strtoll(words->code, NULL, 10) : 0;
}

gboolean
cf_ucloudstack_is_ambiguous(CfUcloudstackDialect dialect, const GError *error)
{
    const Meaning *found = find_meaning(dialect, code_of(error));

    return found && (found->traits & LOOK);
}

void
cf_ucloudstack_doubt(CfUcloudstackDialect dialect, GError *error)
{
    const Meaning *found = find_meaning(dialect, code_of(error));

    if (!found || !(found->traits & UNSURE))
        return;
    if (error->code == CF_ERROR_THROTTLED)
        error->code = CF_ERROR_REMOTE;
    cf_error_set_unsure(error);
}

gboolean
cf_ucloudstack_wants_referer(CfUcloudstackDialect dialect, const GError *error)
{
    return dialect == CF_UCLOUDSTACK_GEN_2 && code_of(error) == 100;
}

/* --- envelope --------------------------------------------------------------------------------- */

typedef struct {
    CfJsonSpan code;
    char *message;
} Envelope;

static const CfJsonField envelope_fields[] = {
    {"RetCode", cf_json_take_span, offsetof(Envelope, code), CF_JSON_REQUIRED},
    {"Message", cf_json_take_text, offsetof(Envelope, message), CF_JSON_OPTIONAL},
};

static void
envelope_clear(Envelope *envelope)
{
    g_free(envelope->message);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Envelope, envelope_clear)

CfHttpVerdict
cf_ucloudstack_judge(CfUcloudstackDialect dialect, const CfHttpReply *reply)
{
    g_auto(Envelope) envelope = {0};
    const Meaning *found;
    CfJsonSpan whole;
    gint64 code;
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);

    if (len > REFUSAL_MAX || !cf_json_check(text, len, &whole, NULL) ||
        !cf_json_read(whole, envelope_fields, G_N_ELEMENTS(envelope_fields), &envelope, NULL) ||
        !cf_json_int(envelope.code, &code) || code == 0)
        return CF_HTTP_FINAL;
    found = find_meaning(dialect, code);
    if (!found || !(found->traits & (THROTTLE | FAULT)))
        return CF_HTTP_FINAL;
    return found->traits & THROTTLE ? CF_HTTP_THROTTLED : CF_HTTP_BUSY;
}

static void
set_status(int http_status, const char *words, const char *request_id, GError **error)
{
    CfCloudWords said = {
        .http_status = http_status, .message = (char *) words, .request_id = (char *) request_id};
    CfErrorCode meaning = cf_status_meaning(http_status, FALSE, FALSE);

    if (words && *words)
        cf_error_set_cloud(error, meaning, &said, "%s (HTTP status %d)", words, http_status);
    else
        cf_error_set_cloud(error, meaning, &said, "HTTP status %d", http_status);
}

/* No envelope where one was due. */
static void
set_foreign(int http_status, const char *text, gsize len, const char *request_id, guint flags,
            const GError *why, GError **error)
{
    g_autofree char *words = flags & CF_UCLOUDSTACK_SECRET ? NULL : cf_words_excerpt(text, len);
    CfCloudWords said = {.http_status = http_status, .request_id = (char *) request_id};

    if (http_status >= 200 && http_status < 300)
        cf_error_set_cloud(error, CF_ERROR_PROTOCOL, &said, "the answer is none: %s%s%s%s",
                           why ? why->message : "RetCode: no number", words ? " (“" : "",
                           words ? words : "", words ? "”)" : "");
    else
        set_status(http_status, words, request_id, error);
}

static void
set_refusal(int http_status, gint64 code, const char *message, const char *request_id,
            CfErrorCode meaning, GError **error)
{
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, code);
    g_autofree char *line = message ? cf_words_one_line(message) : NULL;
    CfCloudWords said = {.http_status = http_status,
                         .code = number,
                         .message = (char *) message,
                         .request_id = (char *) request_id};

    if (line && *line)
        cf_error_set_cloud(error, meaning, &said, "%s (RetCode %s)", line, number);
    else
        cf_error_set_cloud(error, meaning, &said, "RetCode %s", number);
}

gboolean
cf_ucloudstack_read_answer(int http_status, const char *text, gsize len, const char *request_id,
                           CfUcloudstackDialect dialect, guint flags, CfJsonSpan *ret_whole,
                           GError **error)
{
    g_auto(Envelope) envelope = {0};
    g_autoptr(GError) why = NULL;
    CfJsonSpan whole;
    gint64 code;

    if (!cf_json_check(text, len, &whole, &why) ||
        !cf_json_read(whole, envelope_fields, G_N_ELEMENTS(envelope_fields), &envelope, &why) ||
        !cf_json_int(envelope.code, &code)) {
        set_foreign(http_status, text, len, request_id, flags, why, error);
        return FALSE;
    }
    if (code != 0) {
        set_refusal(http_status, code, envelope.message, request_id,
                    http_status == 401 ? CF_ERROR_UNAUTHORIZED
                                       : cf_ucloudstack_code_meaning(dialect, code, flags),
                    error);
        return FALSE;
    }
    if (http_status < 200 || http_status >= 300) {
        set_status(http_status, envelope.message, request_id, error);
        return FALSE;
    }
    *ret_whole = whole;
    return TRUE;
}
