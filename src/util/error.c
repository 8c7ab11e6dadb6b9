#include "util/error.h"

typedef struct {
    CfCloudWords words;
    gboolean has_words;
    gboolean unsure;
} CfErrorPrivate;

static void
cf_error_private_init(CfErrorPrivate *priv)
{
}

static void
words_copy(const CfCloudWords *from, CfCloudWords *to)
{
    to->http_status = from->http_status;
    to->code = g_strdup(from->code);
    to->message = g_strdup(from->message);
    to->request_id = g_strdup(from->request_id);
}

static void
cf_error_private_copy(const CfErrorPrivate *from, CfErrorPrivate *to)
{
    words_copy(&from->words, &to->words);
    to->has_words = from->has_words;
    to->unsure = from->unsure;
}

static void
cf_error_private_clear(CfErrorPrivate *priv)
{
    g_free(priv->words.code);
    g_free(priv->words.message);
    g_free(priv->words.request_id);
}

G_DEFINE_EXTENDED_ERROR(CfError, cf_error)

void
cf_error_set_cloud(GError **error, CfErrorCode code, const CfCloudWords *words, const char *format,
                   ...)
{
    va_list args;
    GError *made;

    if (!error)
        return;
    va_start(args, format);
    made = g_error_new_valist(CF_ERROR, code, format, args);
    va_end(args);
    if (words) {
        CfErrorPrivate *priv = cf_error_get_private(made);

        words_copy(words, &priv->words);
        priv->has_words = TRUE;
    }
    g_propagate_error(error, made);
}

const CfCloudWords *
cf_error_get_cloud(const GError *error)
{
    const CfErrorPrivate *priv;

    if (!error || error->domain != CF_ERROR)
        return NULL;
    priv = cf_error_get_private(error);
    return priv->has_words ? &priv->words : NULL;
}

void
cf_error_set_unsure(GError *error)
{
    g_autofree char *before = NULL;
    CfErrorPrivate *priv;

    g_return_if_fail(error && error->domain == CF_ERROR);

    priv = cf_error_get_private(error);
    if (priv->unsure)
        return;
    priv->unsure = TRUE;
    before = g_steal_pointer(&error->message);
    error->message = g_strconcat(before, "; the outcome is unknown", NULL);
}

gboolean
cf_error_is_unsure(const GError *error)
{
    return error && error->domain == CF_ERROR && cf_error_get_private(error)->unsure;
}

static const char *const code_names[CF_ERROR_N] = {
    [CF_ERROR_INVALID] = "invalid",
    [CF_ERROR_TOO_BIG] = "too-big",
    [CF_ERROR_NAME_TOO_LONG] = "name-too-long",
    [CF_ERROR_BUSY] = "busy",
    [CF_ERROR_NOT_FOUND] = "not-found",
    [CF_ERROR_GONE] = "gone",
    [CF_ERROR_EXISTS] = "exists",
    [CF_ERROR_UNAUTHORIZED] = "unauthorized",
    [CF_ERROR_EXPIRED] = "expired",
    [CF_ERROR_DENIED] = "denied",
    [CF_ERROR_NOT_YOURS] = "not-yours",
    [CF_ERROR_REFUSED] = "refused",
    [CF_ERROR_QUOTA] = "quota",
    [CF_ERROR_CAPACITY] = "capacity",
    [CF_ERROR_THROTTLED] = "throttled",
    [CF_ERROR_TIMEOUT] = "timeout",
    [CF_ERROR_UNREACHABLE] = "unreachable",
    [CF_ERROR_NO_CONNECT] = "no-connect",
    [CF_ERROR_PROTOCOL] = "protocol",
    [CF_ERROR_REMOTE] = "remote",
    [CF_ERROR_CHANGED] = "changed",
    [CF_ERROR_UNSUPPORTED] = "unsupported",
    [CF_ERROR_READ_ONLY] = "read-only",
    [CF_ERROR_FILE_TOO_BIG] = "file-too-big",
    [CF_ERROR_NOT_EMPTY] = "not_empty",
    [CF_ERROR_CROSS] = "cross",
    [CF_ERROR_INTERRUPTED] = "interrupted",
    [CF_ERROR_CONFIG] = "config",
    [CF_ERROR_DRY_RUN] = "dry_run",
    [CF_ERROR_INTERNAL] = "internal",
};

const char *
cf_error_name(CfErrorCode code)
{
    return (unsigned) code < CF_ERROR_N ? code_names[code] : "unknown";
}

CfErrorCode
cf_error_code(const GError *error)
{
    return error && error->domain == CF_ERROR ? (CfErrorCode) error->code : CF_ERROR_INTERNAL;
}
