/* The files and directories that are always there: a table, and the text of each. */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"

static const CfStaticRow rows[] = {
    {CF_STATIC_DOT, CF_STATIC_ROOT, ".cirrusfs", S_IFDIR | 0555, "about the mount"},
    {CF_STATIC_VERSION, CF_STATIC_DOT, "version", S_IFREG | 0444, "the program's version"},
    {CF_STATIC_CONFIG, CF_STATIC_DOT, "config", S_IFREG | 0444,
     "the configuration in force, without secrets"},
    {CF_STATIC_STATS, CF_STATIC_DOT, "stats", S_IFREG | 0444,
     "counters and latencies in OpenMetrics text"},
    {CF_STATIC_ATTRIBUTES, CF_STATIC_DOT, "attributes.tsv", S_IFREG | 0444,
     "every attribute: path, type, unit, access, description"},
    {CF_STATIC_LOG, CF_STATIC_DOT, "log", S_IFREG | 0444, "the last 1,000 log lines"},
    {CF_STATIC_PROVIDER, CF_STATIC_PROFILE, "provider", S_IFREG | 0444, "the kind of cloud"},
    {CF_STATIC_ENDPOINT, CF_STATIC_PROFILE, "endpoint", S_IFREG | 0444, "the API's address"},
    {CF_STATIC_REGION, CF_STATIC_PROFILE, "region", S_IFREG | 0444,
     "the region, where the configuration names one"},
    {CF_STATIC_HEALTH, CF_STATIC_PROFILE, "health", S_IFREG | 0444,
     "ok, loading, stale, throttled, unreachable or unauthorized; since when and why"},
    {CF_STATIC_REFRESH, CF_STATIC_PROFILE, "refresh", S_IFREG | 0200,
     "write anything: everything is fetched now; its errno is the refresh's"},
    {CF_STATIC_BY_ID, CF_STATIC_COLLECTION, "by-id", S_IFDIR | 0555, "the real directories, by id"},
    {CF_STATIC_FETCHED, CF_STATIC_COLLECTION, "fetched", S_IFREG | 0444,
     "when the listing began from which everything here is shown"},
    {CF_STATIC_BATCH_POWER, CF_STATIC_COLLECTION, "power", S_IFREG | 0200,
     "batch control: lines VERB TARGET..., see cirrusfs(5)", CF_ONLY(CF_SERVERS)},
    {CF_STATIC_BATCH_PLAN, CF_STATIC_COLLECTION, "power.plan", S_IFREG | 0600,
     "takes what power takes, sends nothing, and shows what would be sent", CF_ONLY(CF_SERVERS)},
    {CF_STATIC_BATCH_DELETE, CF_STATIC_COLLECTION, "delete", S_IFREG | 0200,
     "takes the ids of images, one a line, and deletes them; only with allow_delete",
     CF_ONLY(CF_IMAGES)},
    {CF_STATIC_LAST_ERROR, CF_STATIC_COLLECTION, "last_error", S_IFREG | 0444,
     "of the last batch: id, name, code and message of each target that failed"},
    {CF_STATIC_LIST_TSV, CF_STATIC_COLLECTION, "list.tsv", S_IFLNK | 0777,
     "the whole collection as a table with a header line"},
    {CF_STATIC_LIST_JSONL, CF_STATIC_COLLECTION, "list.jsonl", S_IFLNK | 0777,
     "the whole collection, one JSON object a line, the cloud's record under raw"},
    {CF_STATIC_SNAPSHOTS, CF_STATIC_COLLECTION, ".snapshots", S_IFDIR | 0555,
     "the last versions by their ten-digit numbers; not listed"},
    {CF_STATIC_SEARCH, CF_STATIC_COLLECTION, "search", S_IFDIR | 0555,
     "search/TEXT/ has links to what the cloud's own search finds; not where it has none"},
};

const CfStaticRow *
cf_static_table(guint *ret_n)
{
    *ret_n = G_N_ELEMENTS(rows);
    return rows;
}

const CfStaticRow *
cf_static_row(guint sub)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].sub == sub)
            return &rows[i];
    return NULL;
}

const CfStaticRow *
cf_static_find(guint parent, const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].parent == parent && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

gboolean
cf_static_has(const CfTreeProfile *profile, CfCollection collection, guint sub)
{
    return sub != CF_STATIC_SEARCH || cf_inventory_can_search(profile->inventory, collection);
}

/* ---- attributes.tsv ---- */

static void
describe_row(GString *out, const char *path, const char *type, const char *unit, mode_t mode,
             const char *doc)
{
    g_string_append_printf(out, "%s\t%s\t%s\t%04o\t%s\n", path, type, unit ? unit : "",
                           (guint) (mode & 07777), doc);
}

static const char *
static_type(mode_t mode)
{
    return S_ISDIR(mode) ? "dir" : S_ISLNK(mode) ? "link" : "text";
}

char *
cf_tree_describe_attributes(void)
{
    GString *out = g_string_new("path\ttype\tunit\taccess\tdescription\n");
    static const char *const places[] = {[CF_STATIC_DOT] = ".cirrusfs/",
                                         [CF_STATIC_PROFILE] = "<profile>/",
                                         [CF_STATIC_COLLECTION] = "<collection>/"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *place = rows[i].parent == CF_STATIC_ROOT      ? ""
                            : rows[i].only == CF_ONLY(CF_SERVERS) ? "servers/"
                            : rows[i].only == CF_ONLY(CF_IMAGES)  ? "images/"
                                                                  : places[rows[i].parent];
        g_autofree char *path = g_strconcat(place, rows[i].name, NULL);

        describe_row(out, path, static_type(rows[i].mode), NULL, rows[i].mode, rows[i].doc);
    }
    describe_row(out, "<profile>/events.jsonl", "json", NULL, 0444, "one line a change");
    describe_row(out, "<profile>/journal.jsonl", "json", NULL, 0444,
                 "every action and every failed call");
    for (guint c = 0; c < CF_COLLECTION_N; c++) {
        guint n;
        const CfAttribute *attributes = cf_attributes_get(c, &n);

        for (guint v = 0; v < cf_views_count(); v++)
            if (cf_view_has(v, c)) {
                g_autofree char *path =
                    g_strdup_printf("%s/%s/", cf_collection_name(c), cf_view_name(v));

                describe_row(out, path, "dir", NULL, cf_view_get_edit(v) ? 0755 : 0555,
                             cf_view_doc(v));
            }
        for (guint i = 0; i < n; i++) {
            g_autofree char *path =
                g_strdup_printf("%s/by-id/<id>/%s", cf_collection_name(c), attributes[i].name);

            describe_row(out, path, attributes[i].type, attributes[i].unit, attributes[i].mode,
                         attributes[i].doc);
        }
        if (c == CF_SERVERS) {
            const CfAttribute *key = cf_attribute_of_key();

            describe_row(out, "servers/by-id/<id>/metadata/<key>", key->type, NULL, key->mode,
                         key->doc);
        }
        {
            g_autofree char *path =
                g_strdup_printf("%s/by-id/<id>/raw/refresh", cf_collection_name(c));

            describe_row(out, path, "text", NULL, 0200, "write anything: one show call for it");
        }
    }
    return g_string_free(out, FALSE);
}

/* ---- stats ---- */

typedef struct {
    const char *name, *type, *help;
    double (*get)(const CfInventoryStats *stats, CfCollection collection);
    gboolean per_collection;
} Metric;

#define METRIC(function, expression)                                                               \
    static double function(const CfInventoryStats *stats, CfCollection c)                          \
    {                                                                                              \
        return (double) (expression);                                                              \
    }

METRIC(get_resources, stats->resources[c])
METRIC(get_refreshes, stats->refreshes[c])
METRIC(get_failed, stats->failed[c])
METRIC(get_parsed, stats->parsed[c])
METRIC(get_reused, stats->reused[c])
METRIC(get_last, stats->last_refresh_us[c] / 1e6)
METRIC(get_actions, stats->actions)
METRIC(get_actions_failed, stats->actions_failed)
METRIC(get_versions, stats->versions)
METRIC(get_searches, stats->searches)
METRIC(get_reads, stats->channel.calls[CF_HTTP_READ])
METRIC(get_changes, stats->channel.calls[CF_HTTP_CHANGE])
METRIC(get_auth, stats->channel.calls[CF_HTTP_AUTH])
METRIC(get_failures, stats->channel.failures)
METRIC(get_retries, stats->channel.retries)
METRIC(get_throttled, stats->channel.throttled)
METRIC(get_bytes, stats->channel.bytes_in)
METRIC(get_seconds, stats->channel.ms_sum / 1e3)
METRIC(get_in_flight, stats->channel.in_flight)
METRIC(get_queued, stats->channel.queued)

static const Metric metrics[] = {
    {"resources", "gauge", "Resources in the snapshot.", get_resources, TRUE},
    {"refreshes", "counter", "Refreshes that ended.", get_refreshes, TRUE},
    {"refreshes_failed", "counter", "Refreshes that failed.", get_failed, TRUE},
    {"records_parsed", "counter", "Records that were read anew.", get_parsed, TRUE},
    {"records_reused", "counter", "Records whose text was the same.", get_reused, TRUE},
    {"refresh_seconds", "gauge", "Time of the last refresh.", get_last, TRUE},
    {"versions", "counter", "Snapshots that were published.", get_versions, FALSE},
    {"actions", "counter", "Actions that the cloud accepted.", get_actions, FALSE},
    {"actions_failed", "counter", "Actions that failed.", get_actions_failed, FALSE},
    {"searches", "counter", "Searches of the cloud's own that ended.", get_searches, FALSE},
    {"api_reads", "counter", "API calls that read.", get_reads, FALSE},
    {"api_changes", "counter", "API calls that change.", get_changes, FALSE},
    {"api_auth", "counter", "Calls for tokens.", get_auth, FALSE},
    {"api_failures", "counter", "Calls without an answer, and 5xx.", get_failures, FALSE},
    {"api_retries", "counter", "Calls that were repeated.", get_retries, FALSE},
    {"api_throttled", "counter", "Answers that asked to wait.", get_throttled, FALSE},
    {"api_received_bytes", "counter", "Bytes received.", get_bytes, FALSE},
    {"api_seconds", "counter", "Time of all calls.", get_seconds, FALSE},
    {"api_in_flight", "gauge", "Calls under way.", get_in_flight, FALSE},
    {"api_queued", "gauge", "Calls that wait for their turn.", get_queued, FALSE},
};

static char *
stats_text(CfTree *tree)
{
    GString *out = g_string_new(NULL);
    g_autofree CfInventoryStats *stats = g_new0(CfInventoryStats, tree->profiles->len + 1);

    for (guint p = 0; p < tree->profiles->len; p++)
        cf_inventory_get_stats(((CfTreeProfile *) tree->profiles->pdata[p])->inventory, &stats[p]);
    for (guint m = 0; m < G_N_ELEMENTS(metrics); m++) {
        const Metric *metric = &metrics[m];
        const char *total = strcmp(metric->type, "counter") == 0 ? "_total" : "";

        g_string_append_printf(out, "# TYPE cirrusfs_%s %s\n# HELP cirrusfs_%s %s\n", metric->name,
                               metric->type, metric->name, metric->help);
        for (guint p = 0; p < tree->profiles->len; p++)
            for (guint c = 0; c < (metric->per_collection ? CF_COLLECTION_N : 1u); c++) {
                char number[G_ASCII_DTOSTR_BUF_SIZE];

                g_ascii_formatd(number, sizeof number, "%.17g", metric->get(&stats[p], c));
                g_string_append_printf(out, "cirrusfs_%s%s{profile=\"%s\"", metric->name, total,
                                       ((CfTreeProfile *) tree->profiles->pdata[p])->name);
                if (metric->per_collection)
                    g_string_append_printf(out, ",collection=\"%s\"", cf_collection_name(c));
                g_string_append_printf(out, "} %s\n", number);
            }
    }
    if (tree->append_stats)
        tree->append_stats(out, tree->stats_data);
    g_string_append(out, "# EOF\n");
    return g_string_free(out, FALSE);
}

/* ---- texts ---- */

/* What is rendered when somebody asks for attributes stays until the next time, so that size and
 * content agree (internals.md section 1). */
static char *
cached(CfTree *tree, CfTextCache *cache, gboolean fresh, gint64 keep_us, gint64 mtime_ns,
       char *(*render)(CfTree *, gpointer), gpointer data, gint64 *ret_mtime_ns)
{
    gint64 now_us = cf_clock_mono_us();
    gboolean render_now;
    char *copy;

    g_mutex_lock(&tree->lock);
    render_now = !cache->text || (fresh && now_us - cache->rendered_us >= keep_us);
    g_mutex_unlock(&tree->lock);
    if (render_now) {
        char *text = render(tree, data);

        g_mutex_lock(&tree->lock);
        if (g_strcmp0(text, cache->text) != 0) {
            g_free(cache->text);
            cache->text = g_steal_pointer(&text);
            cache->mtime_ns = MAX(cache->mtime_ns + 1, mtime_ns ? mtime_ns : cf_clock_real_ns());
        }
        cache->rendered_us = now_us;
        g_mutex_unlock(&tree->lock);
        g_free(text);
    }
    g_mutex_lock(&tree->lock);
    copy = g_strdup(cache->text);
    *ret_mtime_ns = cache->mtime_ns;
    g_mutex_unlock(&tree->lock);
    return copy;
}

static char *
render_stats(CfTree *tree, gpointer data)
{
    return stats_text(tree);
}

static char *
render_log(CfTree *tree, gpointer data)
{
    return g_string_free(cf_log_dup_ring(), FALSE);
}

static char *
render_health(CfTree *tree, gpointer data)
{
    g_autofree char *text = cf_inventory_dup_health(data, NULL);

    return g_strconcat(text,
                       tree->version_dropped
                           ? "a version of a list that was being read had to be dropped\n"
                           : NULL,
                       NULL);
}

static char *
line_or_null(const char *text)
{
    return text && *text ? g_strconcat(text, "\n", NULL) : NULL;
}

static char *
fetched_text(CfTreeProfile *profile, CfCollection collection, gint64 *ret_mtime_ns)
{
    gint64 us = cf_inventory_get_fetched_us(profile->inventory, collection);
    g_autofree char *time = us ? cf_text_time(us) : NULL;

    *ret_mtime_ns = us * 1000;
    return time ? g_strconcat(time, "\n", NULL) : g_strdup("");
}

/* Whether the file is one of the other collection. */
static gboolean
is_elsewhere(const CfNode *node)
{
    const CfStaticRow *row = cf_static_row(node->sub);

    return row && row->only && !(row->only & CF_ONLY(node->collection));
}

char *
cf_static_text(CfTree *tree, const CfNode *node, gboolean fresh, gint64 *ret_mtime_ns)
{
    CfTreeProfile *profile = cf_tree_profile(tree, node->profile);
    gpointer handle = profile ? cf_inventory_get_handle(profile->inventory) : NULL;
    const CfProviderOps *ops = profile ? cf_inventory_get_ops(profile->inventory) : NULL;

    *ret_mtime_ns = tree->born_ns;
    if ((!profile && node->sub >= CF_STATIC_PROFILE) || is_elsewhere(node))
        return NULL;
    switch (node->sub) {
    case CF_STATIC_VERSION:
        return line_or_null(tree->version);
    case CF_STATIC_CONFIG:
        return g_strdup(tree->config);
    case CF_STATIC_ATTRIBUTES:
        return cf_tree_describe_attributes();
    case CF_STATIC_STATS:
        return cached(tree, &tree->stats, fresh, G_USEC_PER_SEC, 0, render_stats, NULL,
                      ret_mtime_ns);
    case CF_STATIC_LOG:
        return cached(tree, &tree->log, fresh, 0, cf_log_get_mtime_ns(), render_log, NULL,
                      ret_mtime_ns);
    case CF_STATIC_PROVIDER:
        return line_or_null(ops->name);
    case CF_STATIC_ENDPOINT:
        return line_or_null(ops->get_endpoint(handle));
    case CF_STATIC_REGION:
        return line_or_null(ops->get_region(handle));
    case CF_STATIC_HEALTH:
        return cached(tree, &profile->health, fresh, 0, 0, render_health, profile->inventory,
                      ret_mtime_ns);
    case CF_STATIC_REFRESH:
        if (cf_inventory_get_options(profile->inventory)->ro)
            return NULL;
        g_mutex_lock(&tree->lock);
        *ret_mtime_ns = MAX(profile->refresh_ns, tree->born_ns);
        g_mutex_unlock(&tree->lock);
        return g_strdup("");
    case CF_STATIC_FETCHED:
        return fetched_text(profile, node->collection, ret_mtime_ns);
    case CF_STATIC_BATCH_POWER:
    case CF_STATIC_BATCH_PLAN:
    case CF_STATIC_BATCH_DELETE:
    case CF_STATIC_LAST_ERROR:
        return cf_batch_text(profile, node, ret_mtime_ns);
    default:
        return NULL;
    }
}
