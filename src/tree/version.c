/* .snapshots/<n>/: the versions that list.tsv and list.jsonl are read from. A version leaves the
 * tree when two newer ones exist and it is a minute old, and is freed when the kernel forgot it
 * (internals.md section 1, forget). */
#include <string.h>

#include "tree/private.h"
#include "util/clock.h"
#include "util/log.h"

#define VERSIONS_MAX 8
#define BYTES_MAX (512ull * 1024 * 1024)
#define KEEP_US (60 * (gint64) G_USEC_PER_SEC)

void
cf_version_free(gpointer data)
{
    CfVersion *version = data;

    if (!version)
        return;
    cf_snapshot_unref(version->snapshot);
    g_free(version->ends[0]);
    g_free(version->ends[1]);
    g_free(version->order);
    g_free(version);
}

static gsize
version_bytes(const CfVersion *version)
{
    return version->snapshot->n_slots * sizeof(gpointer) +
           version->snapshot->n *
               ((version->ends[0] ? 8 : 0) + (version->ends[1] ? 8 : 0) + (version->order ? 4 : 0));
}

/* Which one goes first when there is no room: one that nobody was ever told of, then one that
 * nobody holds, else the oldest. Never the newest. */
static guint
victim(const GPtrArray *versions)
{
    for (guint i = 0; i + 1 < versions->len; i++)
        if (!((CfVersion *) versions->pdata[i])->told)
            return i;
    for (guint i = 0; i + 1 < versions->len; i++)
        if (((CfVersion *) versions->pdata[i])->lookups == 0)
            return i;
    return 0;
}

static void
trim(CfTreeProfile *profile, GPtrArray *versions, gint64 now_us)
{
    gsize bytes = 0;

    for (guint i = 0; i + 2 < versions->len;) {
        CfVersion *version = versions->pdata[i];

        if (now_us - version->superseded_us < KEEP_US) {
            i++;
            continue;
        }
        version->off_tree = TRUE;
        if (version->lookups == 0)
            g_ptr_array_remove_index(versions, i);
        else
            i++;
    }
    for (guint i = 0; i < versions->len; i++)
        bytes += version_bytes(versions->pdata[i]);
    while (versions->len > 1 && (versions->len > VERSIONS_MAX || bytes > BYTES_MAX)) {
        guint index = victim(versions);
        CfVersion *version = versions->pdata[index];

        bytes -= version_bytes(version);
        if (version->lookups > 0 && version->off_tree)
            profile->tree->version_dropped = TRUE;
        g_ptr_array_remove_index(versions, index);
    }
}

void
cf_version_publish(CfTreeProfile *profile, CfSnapshot *snapshot)
{
    GPtrArray *versions = profile->collections[snapshot->collection].versions;
    CfVersion *version = g_new0(CfVersion, 1);
    gint64 now_us = cf_clock_mono_us();

    version->snapshot = cf_snapshot_ref(snapshot);
    g_mutex_lock(&profile->tree->lock);
    if (versions->len > 0)
        ((CfVersion *) versions->pdata[versions->len - 1])->superseded_us = now_us;
    g_ptr_array_add(versions, version);
    trim(profile, versions, now_us);
    g_mutex_unlock(&profile->tree->lock);
}

/* The tree's lock is held. */
CfVersion *
cf_version_find(CfTreeProfile *profile, CfCollection collection, guint32 handle)
{
    GPtrArray *versions = profile->collections[collection].versions;

    for (guint i = 0; i < versions->len; i++) {
        CfVersion *version = versions->pdata[i];

        if (CF_VERSION_HANDLE(version->snapshot->number) == handle)
            return version;
    }
    return NULL;
}

static void
line_of(CfTreeProfile *profile, CfVersion *version, guint index, guint which, GString *out)
{
    CfSubject subject = {.inventory = profile->inventory,
                         .collection = version->snapshot->collection};
    CfResource *resource = version->snapshot->slots[version->snapshot->by_id[index]];

    subject.resource = resource;
    if (which == 0)
        cf_line_tsv(resource, out);
    else
        cf_line_json(&subject, out);
}

/* Where each line ends. The lengths are kept with the resources, so that the next version measures
 * only what changed. */
static const guint64 *
ends_of(CfTreeProfile *profile, CfVersion *version, guint which)
{
    CfSnapshot *snapshot = version->snapshot;
    g_autoptr(GString) line = g_string_new(NULL);
    guint64 end = 0;

    if (version->ends[which])
        return version->ends[which];
    version->ends[which] = g_new(guint64, snapshot->n + 1);
    if (which == 0) {
        cf_line_tsv_header(snapshot->collection, line);
        end = line->len;
    }
    version->ends[which][0] = end;
    for (guint i = 0; i < snapshot->n; i++) {
        CfResource *resource = snapshot->slots[snapshot->by_id[i]];
        guint32 len = (guint32) g_atomic_int_get(&resource->line_len[which]);

        if (!len) {
            g_string_truncate(line, 0);
            line_of(profile, version, i, which, line);
            len = (guint32) line->len;
            g_atomic_int_set(&resource->line_len[which], len);
        }
        end += len;
        version->ends[which][i + 1] = end;
    }
    return version->ends[which];
}

/* The tree's lock is held. */
guint64
cf_version_size(CfTreeProfile *profile, CfVersion *version, guint file)
{
    return ends_of(profile, version, file == CF_VERSION_TSV ? 0 : 1)[version->snapshot->n];
}

/* The tree's lock is held. */
GBytes *
cf_version_read(CfTreeProfile *profile, CfVersion *version, guint file, guint64 offset, gsize size)
{
    guint which = file == CF_VERSION_TSV ? 0 : 1;
    const guint64 *ends = ends_of(profile, version, which);
    guint n = version->snapshot->n;
    GString *out = g_string_new(NULL);
    guint low = 0, high = n;
    guint64 begin;
    gsize skip;

    /* The first line that ends behind offset; line 0 is the header (empty in list.jsonl). */
    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (ends[middle] > offset)
            high = middle;
        else
            low = middle + 1;
    }
    if (ends[low] <= offset)
        return g_string_free_to_bytes(out);
    begin = low > 0 ? ends[low - 1] : 0;
    if (low == 0 && which == 0)
        cf_line_tsv_header(version->snapshot->collection, out);
    for (guint i = MAX(low, 1); i <= n && begin + out->len < offset + size; i++)
        line_of(profile, version, i - 1, which, out);
    skip = (gsize) (offset - begin);
    g_string_erase(out, 0, (gssize) MIN(skip, out->len));
    if (out->len > size)
        g_string_truncate(out, size);
    return g_string_free_to_bytes(out);
}

void
cf_version_tell(CfTreeProfile *profile, CfSnapshot *snapshot)
{
    CfVersion *version;

    g_mutex_lock(&profile->tree->lock);
    version = cf_version_find(profile, snapshot->collection, CF_VERSION_HANDLE(snapshot->number));
    if (version)
        version->told = TRUE;
    g_mutex_unlock(&profile->tree->lock);
}
