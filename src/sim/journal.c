/* The counters and the last requests, for tests to look at. */
#include "sim/private.h"

#define REQUESTS_MAX 10000

struct _CfSimJournal {
    guint64 number; /* of the last request; a reset does not touch it */
    guint64 by_type[CF_SIM_CALL_N];
    guint64 total;
    GHashTable *by_route; /* static name to guint64 */
    GQueue requests;      /* (element-type utf8): JSON lines */
};

CfSimJournal *
cf_sim_journal_new(void)
{
    CfSimJournal *journal = g_new0(CfSimJournal, 1);

    journal->by_route = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_queue_init(&journal->requests);
    return journal;
}

void
cf_sim_journal_free(CfSimJournal *journal)
{
    g_hash_table_unref(journal->by_route);
    g_queue_clear_full(&journal->requests, g_free);
    g_free(journal);
}

static const char *
route_name(const CfSimCall *call)
{
    return call->route ? call->route->name : "other";
}

void
cf_sim_journal_count(CfSimJournal *journal, CfSimCall *call)
{
    const char *name = route_name(call);
    guint64 *count = g_hash_table_lookup(journal->by_route, name);

    if (!count) {
        count = g_new0(guint64, 1);
        g_hash_table_insert(journal->by_route, (gpointer) name, count);
    }
    (*count)++;
    journal->total++;
    if (call->route)
        journal->by_type[call->route->type]++;
    call->number = ++journal->number;
}

void
cf_sim_journal_note(CfSimJournal *journal, const CfSimCall *call)
{
    GString *line = g_string_new(NULL);

    g_string_append_printf(line, "{\"n\":%" G_GUINT64_FORMAT ",\"method\":", call->number);
    cf_sim_raw_quote(line, call->method);
    g_string_append(line, ",\"path\":");
    cf_sim_raw_quote(line, call->target);
    g_string_append(line, ",\"headers\":{");
    for (guint i = 0; i + 1 < call->headers->len; i += 2) {
        if (i)
            g_string_append_c(line, ',');
        cf_sim_raw_quote(line, g_ptr_array_index(call->headers, i));
        g_string_append_c(line, ':');
        cf_sim_raw_quote(line, g_ptr_array_index(call->headers, i + 1));
    }
    g_string_append(line, "},\"body\":");
    cf_sim_raw_quote(line, call->body->str);
    g_string_append_printf(line, ",\"status\":%u,\"route\":", call->status);
    cf_sim_raw_quote(line, route_name(call));
    g_string_append(line, "}\n");
    g_queue_push_tail(&journal->requests, g_string_free(line, FALSE));
    if (g_queue_get_length(&journal->requests) > REQUESTS_MAX)
        g_free(g_queue_pop_head(&journal->requests));
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(a, b);
}

void
cf_sim_journal_counters(CfSimJournal *journal, GString *out)
{
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(journal->by_route), compare_names);

    g_string_append_printf(out,
                           "{\"total\":%" G_GUINT64_FORMAT ",\"reads\":%" G_GUINT64_FORMAT
                           ",\"changes\":%" G_GUINT64_FORMAT ",\"auth\":%" G_GUINT64_FORMAT
                           ",\"by\":{",
                           journal->total, journal->by_type[CF_SIM_READ],
                           journal->by_type[CF_SIM_CHANGE], journal->by_type[CF_SIM_AUTH]);
    for (GList *name = names; name; name = name->next) {
        const guint64 *count = g_hash_table_lookup(journal->by_route, name->data);

        cf_sim_raw_quote(out, name->data);
        g_string_append_printf(out, ":%" G_GUINT64_FORMAT "%s", *count, name->next ? "," : "");
    }
    g_string_append(out, "}}");
}

void
cf_sim_journal_requests(CfSimJournal *journal, GString *out)
{
    for (GList *line = journal->requests.head; line; line = line->next)
        g_string_append(out, line->data);
}

void
cf_sim_journal_reset_counters(CfSimJournal *journal)
{
    g_hash_table_remove_all(journal->by_route);
    for (guint i = 0; i < CF_SIM_CALL_N; i++)
        journal->by_type[i] = 0;
    journal->total = 0;
}

void
cf_sim_journal_reset_requests(CfSimJournal *journal)
{
    g_queue_clear_full(&journal->requests, g_free);
}
