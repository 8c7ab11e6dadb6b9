/* A request: its parts, its route, its answer. */
#include <stdarg.h>
#include <string.h>

#include "sim/private.h"

void
cf_sim_call_clear(CfSimCall *call)
{
    g_free(call->method);
    g_free(call->target);
    g_free(call->path);
    g_clear_pointer(&call->headers, g_ptr_array_unref);
    g_clear_pointer(&call->params, g_ptr_array_unref);
    g_clear_pointer(&call->answer_headers, g_ptr_array_unref);
    if (call->body)
        g_string_free(call->body, TRUE);
    if (call->answer)
        g_string_free(call->answer, TRUE);
    for (guint i = 0; i < CF_SIM_ARGS_MAX; i++)
        g_free(call->args[i]);
    memset(call, 0, sizeof *call);
}

const char *
cf_sim_call_header(const CfSimCall *call, const char *name)
{
    for (guint i = 0; i + 1 < call->headers->len; i += 2) {
        if (g_ascii_strcasecmp(g_ptr_array_index(call->headers, i), name) == 0)
            return g_ptr_array_index(call->headers, i + 1);
    }
    return NULL;
}

char *
cf_sim_decode(const char *text, gssize len, gboolean form)
{
    const char *end = text + (len < 0 ? (gssize) strlen(text) : len);
    GString *out = g_string_sized_new((gsize) (end - text));

    for (const char *p = text; p < end; p++) {
        if (*p == '%' && end - p > 2 && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            char c = (char) (g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));

            g_string_append_c(out, c);
            p += 2;
        } else {
            g_string_append_c(out, form && *p == '+' ? ' ' : *p);
        }
    }
    return g_string_free(out, FALSE);
}

void
cf_sim_form_parse(const char *text, GPtrArray *pairs)
{
    g_auto(GStrv) parts = g_strsplit(text, "&", -1);

    for (guint i = 0; parts[i]; i++) {
        const char *equals = strchr(parts[i], '=');
        gssize len = equals ? equals - parts[i] : -1;

        if (!*parts[i])
            continue;
        g_ptr_array_add(pairs, cf_sim_decode(parts[i], len, TRUE));
        g_ptr_array_add(pairs, cf_sim_decode(equals ? equals + 1 : "", -1, TRUE));
    }
}

gboolean
cf_sim_call_is_form(const CfSimCall *call)
{
    const char *type = cf_sim_call_header(call, "Content-Type");

    return type && g_ascii_strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

void
cf_sim_call_parse_params(CfSimCall *call)
{
    if (call->params)
        return;
    call->params = g_ptr_array_new_with_free_func(g_free);
    if (call->query)
        cf_sim_form_parse(call->query, call->params);
    if (cf_sim_call_is_form(call))
        cf_sim_form_parse(call->body->str, call->params);
}

const char *
cf_sim_call_peek_param(const CfSimCall *call, const char *name)
{
    for (guint i = 0; i + 1 < call->params->len; i += 2) {
        if (strcmp(g_ptr_array_index(call->params, i), name) == 0)
            return g_ptr_array_index(call->params, i + 1);
    }
    return NULL;
}

char *
cf_sim_call_param(const CfSimCall *call, const char *name)
{
    return g_strdup(cf_sim_call_peek_param(call, name));
}

typedef struct {
    guint64 number;
    char *value; /* borrowed */
} Numbered;

static gint
compare_numbered(gconstpointer a, gconstpointer b)
{
    const Numbered *first = a, *second = b;

    return (first->number > second->number) - (first->number < second->number);
}

GPtrArray *
cf_sim_call_list(const CfSimCall *call, const char *name)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Numbered));
    GPtrArray *values = g_ptr_array_new();
    gsize len = strlen(name);

    for (guint i = 0; i + 1 < call->params->len; i += 2) {
        const char *key = g_ptr_array_index(call->params, i);
        Numbered item = {.value = g_ptr_array_index(call->params, i + 1)};

        if (strncmp(key, name, len) == 0 && key[len] == '.' &&
            g_ascii_string_to_unsigned(key + len + 1, 10, 0, G_MAXINT, &item.number, NULL))
            g_array_append_val(found, item);
    }
    g_array_sort(found, compare_numbered);
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(values, g_array_index(found, Numbered, i).value);
    return values;
}

/* Returns: (transfer full) (nullable): the arguments, when the last segments of the path are the
 * pattern's. */
static GPtrArray *
match_segments(char **path, guint n_path, const char *pattern)
{
    g_auto(GStrv) wanted = g_strsplit(pattern + 1, "/", -1);
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(g_free);
    guint n_wanted = g_strv_length(wanted);

    if (n_wanted > n_path)
        return NULL;
    for (guint i = 0; i < n_wanted; i++) {
        const char *segment = path[n_path - n_wanted + i];

        if (strcmp(wanted[i], "{}") != 0) {
            if (strcmp(wanted[i], segment) != 0)
                return NULL;
        } else if (!*segment) {
            return NULL;
        } else {
            g_ptr_array_add(args, cf_sim_decode(segment, -1, FALSE));
        }
    }
    return g_steal_pointer(&args);
}

const CfSimRoute *
cf_sim_route_find(const CfSimRoute *routes, const char *method, const char *path,
                  char *args[CF_SIM_ARGS_MAX])
{
    g_auto(GStrv) segments = g_strsplit(path, "/", -1);
    guint n = g_strv_length(segments);

    for (const CfSimRoute *route = routes; route->method; route++) {
        g_autoptr(GPtrArray) found = NULL;

        if (!route->pattern || strcmp(route->method, method) != 0)
            continue;
        found = match_segments(segments, n, route->pattern);
        if (!found)
            continue;
        for (guint i = 0; i < CF_SIM_ARGS_MAX; i++) {
            g_free(args[i]);
            args[i] = i < found->len ? g_strdup(g_ptr_array_index(found, i)) : NULL;
        }
        return route;
    }
    return NULL;
}

/* Whether the path is one of those that serve all actions. */
static gboolean
serves_actions(const CfSimDialect *dialect, const char *path)
{
    g_autofree char *bare =
        g_strndup(path, strlen(path) - (g_str_has_suffix(path, "/") && strlen(path) > 1));
    g_auto(GStrv) segments = g_strsplit(bare, "/", -1);

    for (guint i = 0; dialect->action_paths && dialect->action_paths[i]; i++) {
        g_autoptr(GPtrArray) args =
            match_segments(segments, g_strv_length(segments), dialect->action_paths[i]);

        if (args)
            return TRUE;
    }
    return FALSE;
}

const CfSimRoute *
cf_sim_route_of_call(const CfSimDialect *dialect, CfSimCall *call)
{
    gboolean form = strcmp(call->method, "GET") == 0 || strcmp(call->method, "POST") == 0;
    const char *action;

    if (!dialect->action_key || !form || !serves_actions(dialect, call->path))
        return cf_sim_route_find(dialect->routes, call->method, call->path, call->args);
    action = cf_sim_call_peek_param(call, dialect->action_key);
    for (const CfSimRoute *route = dialect->routes; action && route->method; route++) {
        if (!route->pattern && strcmp(route->name, action) == 0)
            return route;
    }
    return dialect->no_action;
}

void
cf_sim_answer(CfSimCall *call, guint status, const char *json)
{
    call->status = status;
    call->type = "application/json;charset=UTF-8";
    g_string_assign(call->answer, json);
}

void
cf_sim_call_add_header(CfSimCall *call, const char *name, const char *value)
{
    if (!call->answer_headers)
        call->answer_headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(call->answer_headers, g_strdup(name));
    g_ptr_array_add(call->answer_headers, g_strdup(value));
}

void
cf_sim_answer_printf(CfSimCall *call, guint status, const char *format, ...)
{
    va_list args;

    cf_sim_answer(call, status, "");
    va_start(args, format);
    g_string_append_vprintf(call->answer, format, args);
    va_end(args);
}
