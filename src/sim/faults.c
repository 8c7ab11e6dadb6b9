/* Faults that a test plants: which calls they befall, and what they do to them. */
#include <string.h>

#include "sim/private.h"

#define DEPTH 100000

struct _CfSimFaults {
    GPtrArray *list; /* (element-type CfSimFault): in the order of their planting */
    guint last_id;
};

static const char *const kind_names[CF_SIM_FAULT_N] = {
    [CF_SIM_FAULT_STATUS] = "status",     [CF_SIM_FAULT_CODE] = "code",
    [CF_SIM_FAULT_RESET] = "reset",       [CF_SIM_FAULT_RESET_AFTER] = "reset_after",
    [CF_SIM_FAULT_TRUNCATE] = "truncate", [CF_SIM_FAULT_GARBAGE] = "garbage",
    [CF_SIM_FAULT_HTML] = "html",         [CF_SIM_FAULT_WRONG_TYPE] = "wrong_type",
    [CF_SIM_FAULT_DEEP] = "deep",         [CF_SIM_FAULT_HUGE] = "huge",
    [CF_SIM_FAULT_HANG] = "hang",         [CF_SIM_FAULT_LATENCY] = "latency",
    [CF_SIM_FAULT_EMPTY] = "empty",       [CF_SIM_FAULT_PARTIAL] = "partial",
    [CF_SIM_FAULT_SHIFT] = "shift",       [CF_SIM_FAULT_JOB] = "job",
};

static void
fault_free(gpointer data)
{
    CfSimFault *fault = data;

    g_free(fault->match);
    g_free(fault->body);
    g_free(fault->code);
    g_free(fault->message);
    g_ptr_array_unref(fault->headers);
    g_free(fault);
}

CfSimFaults *
cf_sim_faults_new(void)
{
    CfSimFaults *faults = g_new0(CfSimFaults, 1);

    faults->list = g_ptr_array_new_with_free_func(fault_free);
    return faults;
}

void
cf_sim_faults_free(CfSimFaults *faults)
{
    g_ptr_array_unref(faults->list);
    g_free(faults);
}

static char *
take_string(const cJSON *object, const char *key)
{
    return g_strdup(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key)));
}

/* A code may be written as a number: the clouds differ in how they write theirs. */
static char *
take_code(const cJSON *object)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "code");

    return cJSON_IsNumber(item) ? g_strdup_printf("%.0f", item->valuedouble)
                                : take_string(object, "code");
}

static double
take_number(const cJSON *object, const char *key, double missing)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : missing;
}

static gboolean
take_kind(const cJSON *description, CfSimFaultKind *ret_kind, GError **error)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(description, "kind"));

    for (guint i = 0; i < CF_SIM_FAULT_N; i++) {
        if (g_strcmp0(kind_names[i], name) == 0) {
            *ret_kind = i;
            return TRUE;
        }
    }
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "no such kind of fault: %s",
                name ? name : "(none)");
    return FALSE;
}

static GPtrArray *
take_headers(const cJSON *description)
{
    GPtrArray *headers = g_ptr_array_new_with_free_func(g_free);
    const cJSON *header;

    cJSON_ArrayForEach (header, cJSON_GetObjectItemCaseSensitive(description, "headers")) {
        if (cJSON_IsString(header)) {
            g_ptr_array_add(headers, g_strdup(header->string));
            g_ptr_array_add(headers, g_strdup(header->valuestring));
        }
    }
    return headers;
}

guint
cf_sim_faults_add(CfSimFaults *faults, const cJSON *description, GError **error)
{
    g_autofree char *code = take_code(description);
    CfSimFaultKind kind;
    CfSimFault *fault;

    if (!take_kind(description, &kind, error))
        return 0;
    if (kind == CF_SIM_FAULT_CODE && !code) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "a fault of the kind code needs a code");
        return 0;
    }
    fault = g_new0(CfSimFault, 1);
    fault->id = ++faults->last_id;
    fault->kind = kind;
    fault->match = take_string(description, "match");
    if (!fault->match)
        fault->match = g_strdup("*");
    fault->after = (gint64) take_number(description, "after", 0);
    fault->count = (gint64) take_number(description, "count", 1);
    fault->status = (guint) take_number(description, "status", 0);
    fault->ms = (guint) take_number(description, "ms", 0);
    fault->body = take_string(description, "body");
    fault->code = g_steal_pointer(&code);
    fault->message = take_string(description, "message");
    fault->headers = take_headers(description);
    g_ptr_array_add(faults->list, fault);
    return fault->id;
}

gboolean
cf_sim_faults_remove(CfSimFaults *faults, guint id)
{
    for (guint i = 0; i < faults->list->len; i++) {
        const CfSimFault *fault = g_ptr_array_index(faults->list, i);

        if (id == 0 || fault->id == id) {
            g_ptr_array_remove_index(faults->list, i--);
            if (id)
                return TRUE;
        }
    }
    return id == 0;
}

void
cf_sim_faults_list(CfSimFaults *faults, GString *out)
{
    g_string_append_c(out, '[');
    for (guint i = 0; i < faults->list->len; i++) {
        const CfSimFault *fault = g_ptr_array_index(faults->list, i);

        g_string_append_printf(out, "%s{\"id\":%u,\"kind\":\"%s\",\"match\":", i ? "," : "",
                               fault->id, kind_names[fault->kind]);
        cf_sim_raw_quote(out, fault->match);
        g_string_append_printf(out,
                               ",\"after\":%" G_GINT64_FORMAT ",\"count\":%" G_GINT64_FORMAT
                               ",\"seen\":%" G_GINT64_FORMAT ",\"hits\":%" G_GINT64_FORMAT "}",
                               fault->after, fault->count, fault->seen, fault->hits);
    }
    g_string_append_c(out, ']');
}

/* Counts a call that the fault matches. Returns: whether it befalls this one. */
static gboolean
strike(CfSimFault *fault, const CfSimCall *call)
{
    const char *name = call->route ? call->route->name : "other";

    if (strcmp(fault->match, "*") != 0 && strcmp(fault->match, name) != 0)
        return FALSE;
    if (fault->seen++ < fault->after)
        return FALSE;
    if (fault->count >= 0 && fault->hits >= fault->count)
        return FALSE;
    return TRUE;
}

const CfSimFault *
cf_sim_faults_take(CfSimFaults *faults, CfSimCall *call)
{
    CfSimFault *first = NULL;

    for (guint i = 0; i < faults->list->len; i++) {
        CfSimFault *fault = g_ptr_array_index(faults->list, i);

        if (!strike(fault, call))
            continue;
        if (fault->kind == CF_SIM_FAULT_LATENCY) {
            call->delay_ms += fault->ms;
            fault->hits++;
        } else if (!first) {
            first = fault;
            fault->hits++;
        }
    }
    return first;
}

static void
answer_status(CfSimCall *call, const CfSimFault *fault)
{
    cf_sim_answer(call, fault->status ? fault->status : 503, fault->body ? fault->body : "");
    call->answer_headers = g_ptr_array_ref(fault->headers);
}

static void
answer_deep(CfSim *sim, CfSimCall *call)
{
    GString *out = call->answer;

    cf_sim_answer(call, 200, sim->dialect->opening);
    for (guint i = 0; i < DEPTH; i++)
        g_string_append_c(out, '[');
    for (guint i = 0; i < DEPTH; i++)
        g_string_append_c(out, ']');
    g_string_append_c(out, '}');
}

gboolean
cf_sim_fault_before(CfSim *sim, CfSimCall *call, const CfSimFault *fault)
{
    switch (fault->kind) {
    case CF_SIM_FAULT_STATUS:
        answer_status(call, fault);
        return TRUE;
    case CF_SIM_FAULT_CODE:
        sim->dialect->refuse(sim, call, fault->status, fault->code,
                             fault->message ? fault->message : "");
        return TRUE;
    case CF_SIM_FAULT_RESET:
        call->delivery = CF_SIM_CLOSE;
        return TRUE;
    case CF_SIM_FAULT_GARBAGE:
        cf_sim_answer(call, 200, "\x01\x02{]]not json at all\xff\xfe");
        return TRUE;
    case CF_SIM_FAULT_HTML:
        cf_sim_answer(call, 200, "<!DOCTYPE html><html><body><h1>Login</h1></body></html>\n");
        call->type = "text/html";
        return TRUE;
    case CF_SIM_FAULT_WRONG_TYPE:
        sim->dialect->garble(sim, call, (guint) fault->hits - 1);
        return TRUE;
    case CF_SIM_FAULT_DEEP:
        answer_deep(sim, call);
        return TRUE;
    case CF_SIM_FAULT_HUGE:
        cf_sim_answer(call, 200, sim->dialect->opening);
        g_string_append_c(call->answer, '"');
        call->delivery = CF_SIM_HUGE;
        return TRUE;
    case CF_SIM_FAULT_HANG:
        call->delivery = CF_SIM_HANG;
        call->fault = fault->id;
        return TRUE;
    case CF_SIM_FAULT_EMPTY:
        call->twist = CF_SIM_TWIST_EMPTY;
        return FALSE;
    case CF_SIM_FAULT_PARTIAL:
        call->twist = CF_SIM_TWIST_PARTIAL;
        return FALSE;
    case CF_SIM_FAULT_SHIFT:
        call->twist = CF_SIM_TWIST_SHIFT;
        return FALSE;
    case CF_SIM_FAULT_JOB:
        call->job_fails = TRUE;
        return FALSE;
    case CF_SIM_FAULT_RESET_AFTER:
    case CF_SIM_FAULT_TRUNCATE:
    case CF_SIM_FAULT_LATENCY:
    case CF_SIM_FAULT_N:
        break;
    }
    return FALSE;
}

void
cf_sim_fault_after(CfSimCall *call, const CfSimFault *fault)
{
    if (fault->kind == CF_SIM_FAULT_RESET_AFTER)
        call->delivery = CF_SIM_CLOSE;
    else if (fault->kind == CF_SIM_FAULT_TRUNCATE)
        call->delivery = CF_SIM_TRUNCATE;
}
