/* The table of functions that a backend fills in. One backend: one folder, one const CfProviderOps,
 * one line in registry.list.
 *
 * All operations are asynchronous and run in the engine's thread (http/http.h), but parse(), which
 * any thread may call; each callback is made exactly once, there, and not before the function has
 * returned. The backend authenticates, signs, renews a token once on 401 and turns answers into
 * records or a GError of CF_ERROR (contract section 6), with the cloud's words attached
 * (cf_error_set_cloud()). It keeps no snapshot and no cache. */
#pragma once

#include "http/http.h"
#include "model/record.h"
#include "json/scan.h"

G_BEGIN_DECLS

typedef struct _CfProviderOps CfProviderOps;

/* A profile key that this backend takes beyond the common ones (contract section 9). */
typedef struct {
    const char *name;
    gboolean secret;   /* may be given as KEY_file, KEY_env, KEY_command or a systemd credential */
    gboolean required; /* checked by the config layer; finer rules by open() */
    const char *fallback; /* (nullable) default */
    const char *doc;
} CfProviderKey;

typedef struct {
    const char *profile; /* name, for messages */
    CfChannel *channel;  /* outlives the handle */
    GMainContext *context;
    gint64 deadline_us; /* default time for a call that nobody gave a deadline */
    guint page_size;    /* 0: the backend's own */
    /* (nullable result) the value of one of the backend's keys. Valid during open() only: a secret
     * that is needed later is copied, and wiped with cf_text_wipe(). */
    const char *(*get)(gpointer config, const char *key);
    gpointer config;
} CfProviderEnv;

/* A page of a listing. */
typedef struct {
    GBytes *body;     /* the text that the spans point into */
    GArray *records;  /* (element-type CfJsonSpan) */
    gint64 total;     /* what the cloud says the whole has; -1: not told */
    gboolean last;    /* no page comes after this one */
    const char *next; /* (nullable) list_from(), search(): the marker of the page after this one */
    gint64 requested_us; /* monotonic: when the call that brought it began */
    gint64 cloud_us; /* can_list_changes: the same on the cloud's clock, or a little earlier; 0: it
                      * does not say */
} CfPage;

/* page, error: borrowed for the call; exactly one is NULL. */
typedef void (*CfPageCallback)(const CfPage *page, const GError *error, gpointer data);
/* record: borrowed; requested_us: when the call began (monotonic). */
typedef void (*CfRecordCallback)(CfRecord *record, gint64 requested_us, const GError *error,
                                 gpointer data);
/* tags: (transfer none) (array zero-terminated=1) sorted. */
typedef void (*CfTagsCallback)(const char *const *tags, const GError *error, gpointer data);
/* result: with an error (nullable), and only its method_path says something: the call that was
 * refused. */
typedef void (*CfActionCallback)(const CfActionResult *result, const GError *error, gpointer data);
typedef void (*CfDoneCallback)(const GError *error, gpointer data);
/* over: it is done, or failed: then error says why, in the cloud's words. Not over, with an error:
 * the question was not answered. */
typedef void (*CfJobCallback)(gboolean over, const GError *error, gpointer data);

struct _CfProviderOps {
    const char *name;          /* as in provider = NAME; also the folder's name */
    const char *title;         /* for people */
    const CfProviderKey *keys; /* ends with a NULL name */

    /* Required. Checks the keys; makes no call.
     * Returns: (transfer full) (nullable): the handle. Errors: CF_ERROR_CONFIG. */
    gpointer (*open)(const CfProviderEnv *env, GError **error);
    /* Required. Calls under way are never answered after it. */
    void (*close)(gpointer handle);

    /* Plain facts for the profile directory. (transfer none) (nullable result). */
    const char *(*get_endpoint)(gpointer handle);
    const char *(*get_region)(gpointer handle);

    /* What some resource of the collection can have done to it (bits CF_CAN(kind)); the record's
     * own bits say which. */
    guint can[CF_COLLECTION_N];
    /* Bits CF_FIELD_BIT() of the fields that no record of this cloud ever has: what is sorted by
     * them (by-tag, by-flavor) is not there. */
    guint32 lacks[CF_COLLECTION_N];
    guint verbs;                 /* bits 1 << CfVerb that power can take at all */
    guint composed;              /* those of them that the inventory makes of OFF_HARD, waiting for
                                  * "stopped", and ON, because the cloud has no such call */
    const char *const *consoles; /* NULL-terminated console types, the default first */
    gboolean tags_apart;         /* the server list has no tags: list_tags() per server */
    guint batch_max;             /* ids that one POWER call takes; 1: no batch call */
    guint batch_delete_max;      /* ids that one DELETE call takes */
    gint64 tag_max;              /* bytes of one tag; 0: not known */

    /* Required. Gets a token where there are such, else one cheap call: proves the credentials. */
    void (*authenticate)(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                         gpointer data);

    /* Required, unless there is list_from(). page: from 1. Pages of one listing may be asked for
     * side by side. known: (nullable) valid until the callback is made: what the page's text
     * probably has again; for cf_json_outline_begin(), by those who want to save time. */
    void (*list)(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
                 gboolean user_waits, CfJsonKnown *known, CfPageCallback callback, gpointer data);
    /* Instead of list(), for clouds that page by marker: the page that begins behind the resource
     * of that id (any id of a former listing will do); NULL: the first page. The order must be one
     * in which resources keep their places, best the oldest first. since_us: (wall time of the
     * cloud's) only what changed then or later, deleted resources with state "deleted" among it;
     * 0: everything; asked for only where can_list_changes says so.
     * Errors: CHANGED when the cloud does not know the marker (any more). */
    void (*list_from)(gpointer handle, CfCollection collection, const char *marker, gint64 since_us,
                      gint64 deadline_us, gboolean user_waits, CfJsonKnown *known,
                      CfPageCallback callback, gpointer data);
    gboolean can_list_changes[CF_COLLECTION_N];
    /* Records of a full page; the listing is split by it. */
    guint (*get_page_size)(gpointer handle, CfCollection collection);

    /* (nullable) A number that changes whenever parse() makes something else of the same text than
     * before; records of the former number are then read again from the next whole listing on.
     * NULL: it always makes the same of it. Thread: the engine's. */
    guint (*get_view)(gpointer handle, CfCollection collection);
    /* Required. One record's text (a span of a page, or raw of a record) as a record. Pure. Thread:
     * any, several at once, with others of the handle's functions under way, until close(): of the
     * handle it reads only what does not change between open() and close(), or what is replaced as
     * a whole behind a lock.
     * Returns: (transfer full) (nullable). Errors: PROTOCOL. */
    CfRecord *(*parse)(gpointer handle, CfCollection collection, CfJsonSpan text, GError **error);

    /* Required. Errors: NOT_FOUND when the cloud says that there is no such resource. */
    void (*show)(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
                 CfRecordCallback callback, gpointer data);

    /* With tags_apart only. */
    void (*list_tags)(gpointer handle, const char *id, gint64 deadline_us, gboolean user_waits,
                      CfTagsCallback callback, gpointer data);

    /* action: a reference is taken. Sends the change; success means accepted. Preconditions are the
     * cloud's business: its refusal is BUSY and so on. In a dry run the channel answers requests of
     * the class CHANGE with CF_ERROR_DRY_RUN, whose message is handed on; an action of several
     * requests goes on as if they had been answered, and hands on the messages of all. */
    void (*act)(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
                gpointer data);

    /* (nullable) Whether the job that an accepted action began (CfActionResult.job_id) is over. */
    void (*job)(gpointer handle, const char *job_id, gint64 deadline_us, CfJobCallback callback,
                gpointer data);

    /* (nullable) The cloud's own search for a text, which is not empty; what it looks into is the
     * cloud's business, and what the text means there is taken from it (an escaped regular
     * expression). Pages one after another: page: from 1; marker: CfPage.next of the page before
     * (nullable). */
    void (*search)(gpointer handle, CfCollection collection, const char *text, guint page,
                   const char *marker, gint64 deadline_us, gboolean user_waits,
                   CfPageCallback callback, gpointer data);
    /* (nullable) Where search() depends on the profile. Pure; thread: any. */
    gboolean (*can_search)(gpointer handle, CfCollection collection);

    /* Keys whose values are never shown (graphics_passwd, VNCPassword …). Pure. */
    CfJsonIsSecret is_secret;

    /* With METADATA: whether it may have such a key; other names that are made in metadata/ are
     * scratch files. Pure. */
    gboolean (*is_metadata_key)(const char *key);
};

/* registry.list: the one list of backends. */
const CfProviderOps *const *cf_providers_get(void);       /* NULL-terminated */
const CfProviderOps *cf_providers_find(const char *name); /* (nullable result) */

G_END_DECLS
