/* One profile's inventory: the current snapshots, the refresh that renews them, the actions in
 * flight.
 *
 * State belongs to the engine's thread (http/http.h); a few values that readers need are behind one
 * short lock. Functions say which thread may call them; callbacks are made in the engine's thread.
 */
#pragma once

#include "inventory/snapshot.h"
#include "providers/provider.h"
#include "util/append.h"

G_BEGIN_DECLS

typedef struct _CfInventory CfInventory;

/* Durations in microseconds. Contract sections 4 and 8. */
typedef struct {
    gint64 ttl_us, max_stale_us, patience_us, deadline_us, tags_ttl_us;
    gboolean ro, allow_delete, edit_views, dry_run, watch, tags_sweep, insecure;
    gboolean raw_world; /* raw.json, raw/ and list.jsonl are open to all */
    guint batch_limit;  /* targets of a batch without expect */
    guint action_limit; /* a minute; 0: none */
    /* (nullable) directory of the files of composed actions; of use during cf_inventory_new() only
     */
    const char *state_dir;
} CfInventoryOptions;

typedef struct {
    guint32 slot;
    CfResource *before; /* (nullable): it is new */
    CfResource *after;  /* (nullable): it is gone */
    CfAspects diff;     /* when both are there */
} CfChange;

/* Facts of the profile that are files too; bits of what changed. */
enum {
    CF_FACT_HEALTH = 1 << 0,
    CF_FACT_FETCHED_SERVERS = 1 << 1,
    CF_FACT_FETCHED_IMAGES = 1 << 2,
    CF_FACT_EVENTS = 1 << 3,
    CF_FACT_JOURNAL = 1 << 4,
    CF_FACT_ROTATED = 1 << 5,       /* events or journal began a new file */
    CF_FACT_BATCH_SERVERS = 1 << 6, /* last_error of the collection */
    CF_FACT_BATCH_IMAGES = 1 << 7,
};

/* A resource of a first listing that is under way. */
typedef struct {
    CfRecord *record; /* owned */
    guint32 handle;
    gint64 time_ns; /* wall time: the resource's, where the cloud tells none */
} CfComing;

/* The tree's ears. All in the engine's thread. */
typedef struct {
    /* A new version is about to be published: what its readers will need is made ready. before,
     * after, changes: stay until commit returns. */
    gpointer (*prepare)(CfInventory *inventory, CfSnapshot *before, CfSnapshot *after,
                        const CfChange *changes, guint n, gpointer data);
    /* It is published: the kernel is told. prepared: (transfer full). */
    void (*commit)(CfInventory *inventory, CfCollection collection, gpointer prepared,
                   gpointer data);
    void (*facts)(CfInventory *inventory, guint facts, gpointer data);
    /* Resources of a first listing that were told of, and are not there in the end.
     * gone: (element-type CfComing). */
    void (*withdrawn)(CfInventory *inventory, CfCollection collection, const GArray *gone,
                      gpointer data);
    gpointer data;
} CfInventoryHooks;

/* Makes channel and provider handle. http: outlives the inventory. get, config: as in
 * CfProviderEnv. Thread: main. Errors: CF_ERROR_CONFIG. */
CfInventory *cf_inventory_new(const char *profile, const CfProviderOps *ops, CfHttp *http,
                              const CfChannelOptions *channel, const CfInventoryOptions *options,
                              guint page_size, const char *(*get)(gpointer config, const char *key),
                              gpointer config, GError **error);
/* Thread: main; before any other call. */
void cf_inventory_set_hooks(CfInventory *inventory, const CfInventoryHooks *hooks);
/* Ends what is under way; waiters are answered. No hook is called after it, and no call is sent.
 * Thread: main. */
void cf_inventory_close(CfInventory *inventory);
/* Takes up the actions of several calls that a daemon which is gone has not brought to their end.
 * Once; thread: any. */
void cf_inventory_resume(CfInventory *inventory);
/* Waits until no server is between the calls of such an action. Before cf_inventory_close(); hooks
 * are still called. until_us: monotonic. Returns: whether none is. Thread: main. */
gboolean cf_inventory_finish(CfInventory *inventory, gint64 until_us);
/* Closes it as well. Thread: main. inventory: (nullable). */
void cf_inventory_free(CfInventory *inventory);

/* Begins the first refresh of the servers; callback when its first call was answered. Thread: any.
 */
void cf_inventory_start(CfInventory *inventory, CfDoneCallback callback, gpointer data);

const char *cf_inventory_get_profile(CfInventory *inventory);
const CfProviderOps *cf_inventory_get_ops(CfInventory *inventory);
gpointer cf_inventory_get_handle(CfInventory *inventory);
const CfInventoryOptions *cf_inventory_get_options(CfInventory *inventory);
CfAppend *cf_inventory_get_events(CfInventory *inventory);
CfAppend *cf_inventory_get_journal(CfInventory *inventory);

/* Returns: (transfer full) (nullable): NULL when the collection was never fetched. Thread: any. */
CfSnapshot *cf_inventory_ref_snapshot(CfInventory *inventory, CfCollection collection);
/* Whether no other version was published since. snapshot: (nullable). Thread: any. */
gboolean cf_inventory_is_current(CfInventory *inventory, CfCollection collection,
                                 const CfSnapshot *snapshot);
/* Microseconds until the collection is older than its ttl; 0 when it is, or is not healthy.
 * Thread: any. */
gint64 cf_inventory_get_rest_us(CfInventory *inventory, CfCollection collection);
/* Wall time (us) when the listing began that is shown; 0: none. Thread: any. */
gint64 cf_inventory_get_fetched_us(CfInventory *inventory, CfCollection collection);

typedef enum {
    CF_LOOK_SERVE, /* serve what is there (a refresh may have been started) */
    CF_LOOK_WAIT,  /* wait with cf_inventory_wait() first */
} CfLook;

/* Somebody looks at the collection: starts a refresh when it is older than the ttl, and says
 * whether the reader is to wait for it (contract section 4). Thread: any; never blocks. */
CfLook cf_inventory_look(CfInventory *inventory, CfCollection collection);
/* Until then (monotonic) the collection is looked at again and again, as with the option watch.
 * Thread: any; never blocks. */
void cf_inventory_watch(CfInventory *inventory, CfCollection collection, gint64 until_us);
/* Somebody looks at health, and it is not ok: what failed is tried again, as by a look. Thread:
 * any. */
void cf_inventory_look_at_health(CfInventory *inventory);
/* Calls back when the refresh that a look started is done, failed, or patience (deadline) is over.
 * error: NULL when there is a snapshot to serve. Thread: any. */
void cf_inventory_wait(CfInventory *inventory, CfCollection collection, CfDoneCallback callback,
                       gpointer data);
/* Whether any can be told of whose slots are not below from. FALSE too when there is no such
 * listing, or not for long. Thread: any. */
gboolean cf_inventory_has_coming(CfInventory *inventory, CfCollection collection, guint from);
/* The time (wall ns) of the directories that show them, which the version takes over when all of
 * them are in it; 0: there is no such listing. Thread: any. */
gint64 cf_inventory_get_coming_ns(CfInventory *inventory, CfCollection collection);
/* Those, as far as they have come, at most max; their slots grow. Behind the last one the version
 * goes on, once it is there. ret_rest_us: how long they are fresh. Returns: (transfer full)
 * (element-type CfComing). Thread: any. */
GArray *cf_inventory_ref_coming(CfInventory *inventory, CfCollection collection, guint from,
                                guint max, gint64 *ret_rest_us);
/* What it will be when the listing is whole, unless the cloud says something newer by then.
 * Returns: (transfer full). Thread: any. */
CfResource *cf_coming_to_resource(const CfComing *coming);
/* How many such listings have failed: what they told of is not continued. Thread: any. */
guint cf_inventory_get_round(CfInventory *inventory, CfCollection collection);
/* As cf_inventory_wait(), and calls back as soon as there are such ones. Thread: any. */
void cf_inventory_wait_coming(CfInventory *inventory, CfCollection collection, guint from,
                              CfDoneCallback callback, gpointer data);
/* Forces a refresh that begins after this call; error is its verdict. Thread: any. */
void cf_inventory_refresh(CfInventory *inventory, CfCollection collection, CfDoneCallback callback,
                          gpointer data);

/* Who writes; for the journal. */
typedef struct {
    guint uid;
    gint pid;
    char *command; /* (nullable) */
    char *path;    /* below the mount point */
} CfActor;

typedef struct {
    CfActor actor;
    CfAction *action; /* with one id */
    char *value;      /* what was written, for the journal */
    gboolean add;     /* TAGS: the tags are added to the set (O_APPEND) */
    char **take;      /* TAGS (nullable), with add: and these are taken away */
    /* What the writer saw. TAGS (nullable): the set, sorted lines; METADATA: NULL: no such key */
    char *shown;
    gboolean of_batch;  /* one target of several: action_limit does not count it */
    gint64 deadline_us; /* monotonic */
    gboolean sent;      /* set by the inventory: the change may have reached the cloud */
} CfOrder;

CfOrder *cf_order_new(CfAction *action /* (transfer full) */);
CfOrder *cf_order_copy(const CfOrder *order); /* a reference to the same action */
void cf_order_free(CfOrder *order);           /* (nullable) */

/* Does it. order: (transfer full). callback: the verdict, made when the new state is published.
 * Thread: any. */
void cf_inventory_act(CfInventory *inventory, CfOrder *order, CfDoneCallback callback,
                      gpointer data);
/* A write that is refused before anything is sent: notes it in last_error and the journal, then
 * calls back with error. order: (transfer full). Thread: any. */
void cf_inventory_refuse(CfInventory *inventory, CfOrder *order, const GError *error,
                         CfDoneCallback callback, gpointer data);

/* Which resources the cloud's own search has named. Immutable, reference-counted. */
typedef struct {
    gatomicrefcount refs;
    gint64 come_us; /* monotonic: when the answer came */
    gint64 come_ns; /* wall time of it; later than that of the answer before */
    guint n;
    guint32 handles[]; /* ascending by slot */
} CfFindings;
CfFindings *cf_findings_ref(CfFindings *findings);
void cf_findings_unref(CfFindings *findings); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfFindings, cf_findings_unref)
gboolean cf_findings_have(const CfFindings *findings, guint32 handle);
/* Microseconds until they are older than the ttl (a second, where that is shorter). */
gint64 cf_inventory_get_findings_rest_us(CfInventory *inventory, const CfFindings *findings);

typedef enum {
    CF_SEARCH_NONE,      /* was not made, or what it came to is out of date */
    CF_SEARCH_UNDER_WAY, /* cf_inventory_search() joins it */
    CF_SEARCH_FOUND,
    CF_SEARCH_FAILED, /* within the last second: error is set */
} CfSearchState;

/* Whether the cloud has a search for the collection. Thread: any. */
gboolean cf_inventory_can_search(CfInventory *inventory, CfCollection collection);
/* Makes no call. ret_findings: (transfer full) (nullable): the last that came, of whatever age.
 * Thread: any. */
CfSearchState cf_inventory_look_search(CfInventory *inventory, CfCollection collection,
                                       const char *text, CfFindings **ret_findings, GError **error);
/* Waits for the search under way for text; begin: makes one when none is. Calls back with the
 * cloud's refusal, or when there are findings and the snapshot has what they name. text: not empty.
 * Thread: any. */
void cf_inventory_search(CfInventory *inventory, CfCollection collection, const char *text,
                         gboolean begin, CfDoneCallback callback, gpointer data);

/* With tags_apart: whether the server's tags are known and young enough. Thread: any. */
gboolean cf_inventory_has_tags(CfInventory *inventory, const CfResource *resource,
                               gint64 *ret_rest_us);
void cf_inventory_fetch_tags(CfInventory *inventory, const char *id, CfDoneCallback callback,
                             gpointer data);
/* One show call for one resource (raw/refresh). Thread: any. */
void cf_inventory_show(CfInventory *inventory, CfCollection collection, const char *id,
                       CfDoneCallback callback, gpointer data);

/* Advances the time of what these aspects show. Thread: any. */
void cf_inventory_touch(CfInventory *inventory, CfCollection collection, guint32 handle,
                        CfAspects aspects);

/* The text of the health file. Returns: (transfer full). Thread: any. */
char *cf_inventory_dup_health(CfInventory *inventory, gint64 *ret_since_ns);
/* The first word of it. */
const char *cf_inventory_get_health_word(CfInventory *inventory);

typedef struct {
    guint64 refreshes[CF_COLLECTION_N], failed[CF_COLLECTION_N];
    guint64 parsed[CF_COLLECTION_N], reused[CF_COLLECTION_N];
    guint64 resources[CF_COLLECTION_N];
    guint64 actions, actions_failed, versions, searches;
    gint64 last_refresh_us[CF_COLLECTION_N];
    CfChannelStats channel;
} CfInventoryStats;
void cf_inventory_get_stats(CfInventory *inventory, CfInventoryStats *ret_stats);

G_END_DECLS
