/* A refresh under way: what the files about it share. Engine's thread only. */
#pragma once

#include "inventory/private.h"
#include "inventory/readers.h"
#include "inventory/walk.h"

#define CF_LISTINGS_MAX 4 /* listings that one refresh may cost when they disagree */

/* A record of this listing. */
typedef struct {
    CfRecord *record; /* owned; NULL: none */
    gint64 requested_us;
    guint32 handle; /* known ones: the resource of that id when it was found */
} CfFound;

/* Where in the listing it stood. */
typedef struct {
    CfRecord *record; /* owned; NULL: see handle */
    guint32 handle;
} CfPlace;

/* Records of one page that the listing before has in the same order, with the same text. Most pages
 * are nothing else, and a listing of nothing else costs nothing more than the comparison. */
typedef struct {
    CfSnapshot *snapshot; /* owned: the version that they are of */
    guint place;          /* of the first one in the last listing's order */
    guint n;
    guint page; /* from 1 */
    gint64 requested_us;
} CfRun;

/* refresh-known.c: what a page probably says again. */
typedef struct _CfKnownPage CfKnownPage;

enum { VERDICT_NONE, VERDICT_GONE, VERDICT_THERE };

struct _CfRefresh {
    CfCollectionState *state; /* NULL once cancelled */
    gint64 began_us, began_real_us;
    CfDoneCallback first; /* told when the first call was answered */
    gpointer first_data;

    /* of the present listing */
    guint listing;      /* counts from 1 */
    guint asked;        /* pages asked for */
    guint answered;     /* pages that came */
    guint page_size;    /* as the cloud's first page shows it */
    guint pages;        /* how many there should be; 0: not known yet */
    gint64 total;       /* -1: not told */
    guint collected;    /* records, duplicates included */
    gboolean ended;     /* an empty page came */
    GQueue unread;      /* (element-type Unread) pages that came and are not looked into yet */
    GSource *reader;    /* (nullable) looks into one of them, again and again */
    CfReaders *readers; /* (nullable) threads that parse their records */
    gboolean alone;     /* there are none in this listing */
    gboolean parallel;  /* there were some in this refresh */
    CfWalk *walk;       /* (nullable) the cloud pages by marker */
    gboolean lost;      /* a marker was unknown: the next listing begins at the front only */
    gint64 since_us;    /* the cloud's wall time: only what changed since then; 0: everything */
    gint64 cloud_us;    /* the cloud's wall time when its first page was asked for; 0: not told */
    gint64 short_by;    /* of the listing before: total less collected; -1: none */
    /* What was found. Most is known, and then a place in an array costs far less than the hash of
     * an id does. */
    CfFound *known;         /* (nullable) (array length=n_slots) by slot */
    guint n_slots, n_known; /* length; how many of them are there */
    GHashTable *fresh;      /* id (borrowed) → CfFound: what no resource is there for */
    GPtrArray
        *page_orders; /* (element-type GArray of CfPlace) (nullable elements) by page, from 0 */
    GArray *runs;     /* (element-type CfRun) what is in none of the above yet */
    gboolean same;    /* cf_found_settle(): the runs are the last listing */
    guint parsed, reused, skipped;
    guint view;      /* the provider's when the first page came, … */
    gboolean looked; /* … which it did */
    gboolean reread; /* some were read again by another view than those of the last listing */

    /* for finding unchanged records */
    gint64 drift; /* places by which what stands in the listing now is behind where it stood in the
                   * last one (it stood later), as the last page showed it */
    guint misses; /* records that were looked for in vain */
    GHashTable
        *by_text; /* sampled hash of the text → (element-type guint32 handle) chained in GSList */

    GHashTable *unseen;   /* ids that the listing before lacked; NULL at first */
    guint shows;          /* confirming calls under way */
    gboolean sampling;    /* they are samples of a great disappearance */
    GHashTable *verdicts; /* id → VERDICT_… */
};

typedef struct {
    CfRefresh *refresh; /* holds a reference count of its own: refresh->callbacks */
    guint page;         /* from 1; by marker: number of the stretch + 1 */
    guint listing;
    char *id;
    CfKnownPage *known; /* (nullable) of a page */
} CfRefreshCall;

CfRefresh *cf_refresh_ref(CfRefresh *refresh);
void cf_refresh_unref(CfRefresh *refresh);

/* Whether what the last listing was read as stands for the same texts now: the provider's view is
 * still that one. Also notes what it is. */
gboolean cf_refresh_may_reuse(CfRefresh *refresh);

/* number: of the page, from 1. The refresh must outlive it. Returns: (transfer full). */
CfKnownPage *cf_known_new(CfRefresh *refresh, guint number);
void cf_known_free(CfKnownPage *page); /* (nullable) */
/* For the provider that checks the page's text. Returns: (transfer none). */
CfJsonKnown *cf_known_get(CfKnownPage *page);
/* Asked for the records of the page in their order, while their text is there. The refresh must not
 * be over. ret_changed: the record says something new, of this resource (most likely).
 * Returns: (transfer none) (nullable): the resource of the present version whose listed text the
 * record is; NULL: not known here. */
CfResource *cf_known_find(CfKnownPage *page, CfJsonSpan record, gboolean *ret_changed);

/* Whether the page is one run of what stood in the last listing, and nothing is to be done about
 * it. records: (element-type CfJsonSpan) the page's; ret_place: of the first. */
gboolean cf_known_is_run(const CfKnownPage *page, const GArray *records, guint *ret_place);

/* refresh-found.c: the records of this listing. */
void cf_found_begin(CfRefresh *refresh);
void cf_found_clear(CfRefresh *refresh);
/* How many of a page (of a stretch, which may have several) there are so far. */
guint cf_found_on_page(CfRefresh *refresh, guint page);
/* resource: (nullable) the one whose listed record this is. Where the listing had that id already,
 * the newer answer stays. */
void cf_found_add(CfRefresh *refresh, guint page, CfResource *resource, CfRecord *record,
                  gint64 requested_us);
/* A whole page at once, without a look at any of its records, where cf_known_is_run(). Returns:
 * whether it was so; then ret_met: whether the stretch that it is of ends with one of them. */
gboolean cf_found_take_run(CfRefresh *refresh, const CfRefreshCall *call, const CfPage *page,
                           gboolean *ret_met);
/* The listing is through. Returns: whether it is the last one again, with nothing to be done for
 * any of its resources; else its runs are taken apart. Before it none of the functions below is
 * called.
 */
gboolean cf_found_settle(CfRefresh *refresh);
/* Of a resource of the present version. Returns: (transfer none) (nullable). */
const CfFound *cf_found_get(const CfRefresh *refresh, const CfResource *resource);
/* Of what no resource was there for: number i of the page (from 1), in the order of the listing.
 * Returns: (transfer none) (nullable): NULL: that many are not there (yet). */
CfRecord *cf_found_get_fresh(const CfRefresh *refresh, guint page, guint i);
/* How many ids. */
guint cf_found_count(const CfRefresh *refresh);

typedef void (*CfFoundWalk)(CfRefresh *refresh, const CfFound *found, gpointer data);
void cf_found_each(CfRefresh *refresh, CfFoundWalk walk, gpointer data);
/* The same for those that no resource was there for, in the order of the listing. */
void cf_found_each_fresh(CfRefresh *refresh, CfFoundWalk walk, gpointer data);
/* The resources of the present version in the order of the listing, behind those of former.
 * former: (nullable) (element-type handle). Returns: (transfer full) (element-type handle). */
GPtrArray *cf_found_order(const CfRefresh *refresh, const GPtrArray *former);

/* refresh-read.c: looking into pages that came. known: (nullable). Returns: whether the stretch
 * that the page is of ends with one of the records; FALSE where it ends with the listing. */
gboolean cf_read_now(CfRefresh *refresh, const GArray *records, guint number, gint64 requested_us,
                     CfKnownPage *known);
/* The same as soon as there is time: the next page is asked for before. known: (transfer full). */
void cf_read_later(CfRefresh *refresh, const CfPage *page, guint number, CfKnownPage *known);
/* Whether another page may be asked for while so many are under way. */
gboolean cf_read_has_room(const CfRefresh *refresh, guint under_way);
/* Nothing that came is looked into any more. */
void cf_read_drop(CfRefresh *refresh);

/* refresh.c: asks for what is still to be asked; ends the listing when all came. */
void cf_refresh_fill(CfRefresh *refresh);
/* A further listing. */
void cf_refresh_list(CfRefresh *refresh);
/* Takes the refresh off its state and wakes those who wait. error: (nullable). */
void cf_refresh_end(CfRefresh *refresh, const GError *error);

/* refresh-publish.c: the listing is whole; looks again at what it lacks, publishes, ends. */
void cf_refresh_publish(CfRefresh *refresh);
