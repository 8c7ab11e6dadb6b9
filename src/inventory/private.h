/* What the files of this layer share. Nothing here is seen outside. */
#pragma once

#include "inventory/batch.h"
#include "inventory/inventory.h"

/* An accepted action whose end the cloud has not shown yet. Engine's thread only. */
typedef struct {
    CfActionKind kind;
    CfVerb verb;
    char *want;             /* RENAME, DESCRIBE, TAGS: the value that we expect */
    char *before;           /* TAGS (nullable): what the cloud had before */
    gint64 accepted_us;     /* monotonic */
    gint64 give_up_us;      /* monotonic */
    gboolean seen_changing; /* the cloud showed the transition */
    gboolean composing;     /* compose.c ends it; below is what it goes by */
    gboolean seen_settled;
    CfState seen;
    gint64 seen_us; /* monotonic: when that answer was asked for; 0: none yet */
} CfPending;

/* A resource that is followed until it settles. */
typedef struct {
    guint32 handle;
    CfPending *pending[CF_ACTION_N];
    gint64 next_us; /* monotonic: when it is read again */
    gint64 interval_us;
    gint64 doubt_us; /* monotonic: until then it is read though nothing is pending; 0: it is not */
    gboolean reading;
} CfFollow;

typedef struct {
    CfDoneCallback callback;
    gpointer data;
    gint64 after_us; /* monotonic: satisfied by a listing that began at or after it */
    guint timer;     /* GSource id in the engine's context */
    gboolean strict; /* the refresh's error is the answer, also when there is a snapshot */
    gint64 coming;   /* satisfied by cf_inventory_has_coming() of it, too; -1: not */
    gpointer collection;
} CfWaiter;

typedef struct _CfRefresh CfRefresh;

typedef struct {
    CfInventory *inventory;
    CfCollection which;

    /* Behind inventory->lock. */
    CfSnapshot *current;
    gint64 began_us;          /* monotonic: when the listing shown began; 0: never fetched */
    gint64 began_real_us;     /* wall time of it */
    gboolean failing;         /* the last refresh failed */
    gboolean kicked;          /* a look has asked for a refresh that has not begun */
    char *batch_error;        /* (nullable) text of last_error */
    gint64 batch_error_ns;    /* wall ns of its last change */
    gint64 watched_until_us;  /* monotonic: somebody polls */
    gint64 demand_us;         /* monotonic: when the refresh under way was asked for; 0: none */
    struct _CfStream *stream; /* (nullable) names of the first listing under way (stream.c) */
    guint stream_round;       /* listings that readers were shown some of, and that failed then */

    /* The engine's thread only. */
    CfRefresh *refresh; /* (nullable) the one under way */
    GPtrArray *waiters; /* (element-type CfWaiter) */
    GError *failure;    /* (nullable) of the last refresh */
    gint64 retry_us;    /* monotonic: no refresh by demand before it */
    gint64 backoff_us;
    guint64 version;
    GHashTable *slot_by_id;  /* id (borrowed from the record) → slot + 1 */
    GArray *free_slots;      /* (element-type guint32) */
    GByteArray *generations; /* by slot */
    GPtrArray *order;        /* (element-type CfResource) (borrowed: of current) in listing order */
    gint64 members_ns;
    gint64 whole_us;     /* monotonic: when the last listing of everything began */
    gint64 newest_us;    /* the cloud's wall time: the last change that it told of; 0: none */
    gint64 listed_us;    /* the cloud's wall time: when the last listing began; 0: not told */
    guint view;          /* the provider's, by which the last whole listing was read */
    gint64 short_by;     /* by how much a confirmed listing stays below its total */
    GHashTable *follows; /* slot → CfFollow */
} CfCollectionState;

struct _CfInventory {
    char *profile;
    const CfProviderOps *ops;
    gpointer handle;
    CfHttp *http;
    CfChannel *channel;
    CfInventoryOptions options;
    CfInventoryHooks hooks;
    CfAppend *events;
    CfAppend *journal;

    GMutex lock; /* protects the marked members of collections, health and stats; a leaf */
    CfCollectionState collections[CF_COLLECTION_N];
    char *health_why; /* words behind the first */
    const char *health_word;
    gint64 health_since_us;   /* wall time: of the word */
    gint64 health_changed_us; /* wall time: of the text */
    CfInventoryStats stats;
    GHashTable *searches; /* (nullable) collection/text → CfSearch (search.c) */
    gboolean closed;      /* main thread */

    /* The engine's thread only. */
    gboolean closing;
    gboolean throttled;
    char *channel_why;
    GSource *follow_timer;
    gint64 follow_at_us;
    GSource *watch_timer;
    GSource *sweep_timer;
    guint sweeping;               /* tag calls under way */
    gint64 sweep_pause_us;        /* monotonic: no tag call in the background before it */
    GHashTable *tag_flights;      /* id → (element-type CfTagWait) those who wait for that call */
    GQueue action_times;          /* monotonic us of the last minute's actions */
    guint64 orders;               /* under way */
    struct _CfComposer *composer; /* (nullable) */
    GPtrArray *jobs;              /* (element-type CfJob) */
    GSource *job_timer;
    GPtrArray *console_timers; /* (element-type GSource) (owned): when addresses expire */
    guint jobs_asking;         /* questions after a job under way */
    GHashTable *strangers;     /* (nullable) ids that are found and not listed (search.c) */
    guint skipped;             /* records of the last listing that could not be read */
};

/* publish.c: changing what is shown. Engine's thread. */
typedef struct {
    CfCollectionState *state;
    GArray *changes; /* (element-type CfChange) owning its resources */
    gint64 began_us; /* monotonic: the listing that it comes from began; 0: from none */
    gint64 began_real_us;
    gint64 members_ns; /* wall ns: when its members came or went; 0: now */
} CfEdit;

void cf_edit_begin(CfEdit *edit, CfCollectionState *state);
/* after: (transfer full) (nullable): NULL takes the resource away; before must be of current. */
void cf_edit_replace(CfEdit *edit, CfResource *before, CfResource *after);
/* A new resource. Returns: its handle. */
guint32 cf_edit_add(CfEdit *edit, CfRecord *record, gboolean listed, gint64 now_ns);
/* The same under a handle that was reserved. */
void cf_edit_add_as(CfEdit *edit, guint32 handle, CfRecord *record, gboolean listed, gint64 now_ns);
/* Publishes when anything changed (or first is set), writes the events, tells the hooks.
 * Returns: whether there is a new version. */
gboolean cf_edit_commit(CfEdit *edit, gboolean first);
/* The record to be shown over base: what actions are about to change put over it. */
void cf_resource_show_over(CfCollectionState *state, CfResource *copy);

/* For what comes before the first version. slot: (inout): the next one, from 0. Returns: a handle
 * that no resource has had. */
guint32 cf_slot_reserve(CfCollectionState *state, guint *slot);
/* The first version is there, or will not be. reserved: (element-type CfComing): what no resource
 * has of it is free, and is never had by another one. */
void cf_slots_settle(CfCollectionState *state, const GArray *reserved);

CfResource *cf_state_find(CfCollectionState *state, const char *id);
CfResource *cf_state_get(CfCollectionState *state, guint32 handle);

/* inventory.c */
void cf_inventory_update_health(CfInventory *inventory);
void cf_inventory_facts(CfInventory *inventory, guint facts);
GSource *cf_inventory_timer(CfInventory *inventory, gint64 delay_us, GSourceFunc function,
                            gpointer data);
void cf_timer_clear(GSource **timer);

/* cf_inventory_refresh() that is given up after limit_us. */
void cf_inventory_refresh_within(CfInventory *inventory, CfCollection collection, gint64 limit_us,
                                 CfDoneCallback callback, gpointer data);

/* journal.c */
/* What a dry run has come to. requests: CfActionResult.requests. */
void cf_rehearsed_result(const char *requests, CfActionResult *ret_result);
void cf_journal_action(CfInventory *inventory, const CfOrder *order, const char *old,
                       const CfActionResult *result, const GError *error, gint64 began_us);
/* A batch that was refused before anything was sent. */
void cf_journal_batch(CfInventory *inventory, const CfBatch *batch, const char *text,
                      const GError *error);
void cf_journal_call(CfInventory *inventory, const CfHttpRequest *request, const CfHttpReply *reply,
                     const GError *error);
void cf_events_change(CfInventory *inventory, CfCollection collection, const CfChange *change);
/* What the file that is written shows before; for the journal and the events.
 * resource: (nullable). (transfer none) (nullable result). */
const char *cf_order_get_old(const CfOrder *order, const CfResource *resource);
/* old: (nullable). */
void cf_events_action(CfInventory *inventory, const CfResource *resource, const CfOrder *order,
                      const char *old);
/* What was accepted came to nothing. */
void cf_events_failed(CfInventory *inventory, const CfResource *resource, const CfOrder *order,
                      const GError *error);
void cf_journal_job(CfInventory *inventory, const CfOrder *order, const char *job_id,
                    const GError *error, gint64 began_us);

/* verdict.c: the cloud's code and words where it had some, ours otherwise, and what we add.
 * addition: (nullable). Returns: (transfer full). */
char *cf_failure_text(const GError *error, const char *addition);
/* The same as last_error of a resource. */
void cf_note_failure(CfCollectionState *state, const char *id, const GError *error,
                     const char *addition);

/* inventory.c: called by the refresh when it ended. error: (nullable). */
void cf_waiters_wake(CfCollectionState *state, gint64 began_us, const GError *error);
/* Called when names have come. */
void cf_waiters_wake_coming(CfCollectionState *state);

/* refresh.c */
void cf_refresh_start(CfCollectionState *state, CfDoneCallback first, gpointer data);
void cf_refresh_cancel(CfCollectionState *state);

/* follow.c */
void cf_follow(CfCollectionState *state, CfResource *resource, CfPending *pending);
/* A change that may have been made nevertheless: the resource is read for a while, so that what it
 * shows is what came of it. */
void cf_follow_doubt(CfCollectionState *state, const CfResource *resource);
void cf_follow_apply(CfCollectionState *state, CfResource *copy, gint64 requested_us);
void cf_follow_forget(CfCollectionState *state, guint32 handle);
/* Returns: (transfer none) (nullable). */
CfPending *cf_follow_get(CfCollectionState *state, guint32 handle, CfActionKind kind);
/* The action is over, whatever the cloud shows: what it laid over the record goes. */
void cf_follow_end(CfCollectionState *state, const char *id, CfActionKind kind);
/* A resource that is followed is read again after the delay, and the back-off begins anew. */
void cf_follow_hurry(CfCollectionState *state, const char *id, gint64 delay_us);
void cf_follow_free(gpointer follow);
CfState cf_follow_state(CfCollectionState *state, const CfResource *resource);
CfPending *cf_pending_new(const CfAction *action, const char *want);
void cf_follow_record(CfCollectionState *state, const char *id, CfRecord *record,
                      gint64 requested_us);
void cf_follow_gone(CfCollectionState *state, const char *id);

/* search.c: when no flight is under way any more. */
void cf_searches_free(CfInventory *inventory);

/* tags.c */
void cf_tags_sweep(CfInventory *inventory);
/* Where the list has no tags: those that are known of this server are read again. */
void cf_tags_reread(CfCollectionState *state, const char *id);
void cf_tags_close(CfInventory *inventory);
