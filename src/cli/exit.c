#include "cli/exit.h"

#include <stdio.h>
#include <string.h>

#include "util/error.h"
#include "util/log.h"
#include "util/text.h"

/* What is not here is CF_EXIT_FAILURE. */
static const CfExit exit_by_code[CF_ERROR_N] = {
    [CF_ERROR_CONFIG] = CF_EXIT_CONFIG,           [CF_ERROR_UNAUTHORIZED] = CF_EXIT_CREDENTIALS,
    [CF_ERROR_EXPIRED] = CF_EXIT_CREDENTIALS,     [CF_ERROR_DENIED] = CF_EXIT_CREDENTIALS,
    [CF_ERROR_UNREACHABLE] = CF_EXIT_UNREACHABLE, [CF_ERROR_NO_CONNECT] = CF_EXIT_UNREACHABLE,
    [CF_ERROR_TIMEOUT] = CF_EXIT_UNREACHABLE,     [CF_ERROR_THROTTLED] = CF_EXIT_UNREACHABLE,
    [CF_ERROR_NOT_YOURS] = CF_EXIT_CREDENTIALS,
};

CfExit
cf_exit_from_error(const GError *error)
{
    CfExit status;

    if (!error)
        return CF_EXIT_OK;
    status = exit_by_code[cf_error_code(error)];
    return status == CF_EXIT_OK ? CF_EXIT_FAILURE : status;
}

CfExit
cf_exit_join(CfExit a, CfExit b)
{
    if (a == CF_EXIT_OK || a == b)
        return b;
    return b == CF_EXIT_OK ? a : CF_EXIT_FAILURE;
}

char *
cf_exit_describe(const GError *error)
{
    const CfCloudWords *words = cf_error_get_cloud(error);
    g_autoptr(GString) text = g_string_new(error->message);
    g_autofree char *safe = NULL;

    if (words && words->message && *words->message && !strstr(text->str, words->message))
        g_string_append_printf(text, " (the cloud says: %s%s%s)", words->code ? words->code : "",
                               words->code ? " " : "", words->message);
    safe = cf_log_redact(text->str);
    return cf_text_one_line(safe);
}

CfExit
cf_exit_tell(const GError *error)
{
    g_autofree char *what = cf_exit_describe(error);

    cf_say("%s", what);
    return cf_error_code(error) == CF_ERROR_CONFIG ? CF_EXIT_CONFIG : CF_EXIT_FAILURE;
}

void
cf_say(const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *safe = NULL;
    g_autofree char *line = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    safe = cf_log_redact(text);
    line = cf_text_one_line(safe);
    fprintf(stderr, "cirrusfs: %s\n", line);
}
