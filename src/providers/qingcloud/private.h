/* What the files of this backend share. All of it runs in the engine's thread. */
#pragma once

#include "providers/provider.h"
#include "providers/qingcloud/qingcloud-error.h"

G_BEGIN_DECLS

#define CF_QINGCLOUD_PAGE_SIZE 100 /* more is cut to it silently */
#define CF_QINGCLOUD_BATCH_MAX 50  /* no limit is documented */
#define CF_QINGCLOUD_TAG_MAX 14    /* characters of a tag */

#define CF_QINGCLOUD_SERVER_CAN                                                                    \
    (CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) |             \
     CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_CONSOLE) | CF_CAN(CF_ACTION_CAPTURE))
#define CF_QINGCLOUD_IMAGE_CAN                                                                     \
    (CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_TAGS) |              \
     CF_CAN(CF_ACTION_DELETE))

/* What DescribeImages gives without a filter: see qingcloud-pages.c. */
typedef enum {
    CF_QINGCLOUD_UNSURE,
    CF_QINGCLOUD_WHOLE,    /* all images that the account may see */
    CF_QINGCLOUD_OWN_ONLY, /* the account's own; the system's are asked for by themselves */
} CfQingcloudListing;

typedef struct _CfQingcloud CfQingcloud;
typedef struct _CfQingcloudCall CfQingcloudCall;
typedef struct _CfQingcloudTagging CfQingcloudTagging;

struct _CfQingcloud {
    gatomicrefcount refs; /* the handle's own, and one for each call under way */
    gboolean closed;

    char *profile, *endpoint, *zone;
    const char *path; /* the endpoint's, "/iaas/"; inside endpoint */
    CfChannel *channel;
    GMainContext *context;
    gint64 deadline_us;
    guint page_size;

    char *access_key, *secret_key;
    char *token; /* (nullable): of a role */
    char *signature_method;
    GChecksumType digest;

    gint64 skew_us; /* the cloud's clock is so much ahead of ours */
    /* Records between the beginnings of two pages: less than page_size where the cloud's first page
     * was shorter than it was asked to be. */
    guint step[CF_COLLECTION_N];
    CfQingcloudListing images; /* what the listing of images has */
    guint own_images;          /* OWN_ONLY: how many there are, as the last first page said */
    GQueue late;               /* (element-type CfQingcloudCall) ended, but not told yet */
};

CfQingcloud *cf_qingcloud_ref(CfQingcloud *cloud);
void cf_qingcloud_unref(CfQingcloud *cloud);

/* --- qingcloud-call.c: requests and their answers -----------------------------------------------
 */

/* Exactly one of answer and error is NULL. May begin and send the call again for something else;
 * else it is freed after it. */
typedef void (*CfQingcloudDone)(CfQingcloudCall *call, const CfQingcloudAnswer *answer,
                                const GError *error);

struct _CfQingcloudCall {
    CfQingcloud *cloud; /* a reference */
    CfHttpClass cls;
    const char *action;    /* static */
    GPtrArray *parameters; /* (element-type utf8) name, value, name, value …, decoded */
    gint64 deadline_us;
    gboolean user_waits;
    CfJsonKnown *known;   /* (nullable) of a listing */
    guint flags;          /* CfQingcloudReadFlags */
    CfQingcloudDone done; /* not called after the handle was closed */

    /* the caller's */
    union {
        CfPageCallback page;
        CfRecordCallback record;
        CfActionCallback action;
        CfJobCallback job;
        CfDoneCallback plain;
    } callback;
    gpointer data;

    /* for done() */
    CfCollection collection;
    guint page, limit;
    gboolean searches;
    char *id;
    CfAction *todo;              /* a reference (nullable) */
    CfActionResult result;       /* of the calls of an action so far */
    CfQingcloudTagging *tagging; /* (nullable) */
    GString *rehearsed;          /* (nullable) lines of a dry run */

    /* qingcloud-pages.c: the part of a page that has come already */
    GBytes *held;         /* (nullable) */
    GArray *held_records; /* (nullable) (element-type CfJsonSpan): into held */
    gint64 held_total, held_us;
    gint64 system_total;

    /* filled in when an answer came */
    GBytes *reply; /* the body */
    int http_status;
    gint64 sent_us; /* monotonic: when the attempt began that was answered */

    /* qingcloud-call.c */
    gboolean busy;
    gboolean set_right; /* the clock was, for this call */
    GSource *timer;     /* (nullable): it ends from there */
    GError *late;       /* (nullable): to be told then */
};

CfQingcloudCall *cf_qingcloud_call_new(CfQingcloud *cloud, gint64 deadline_us, CfQingcloudDone done,
                                       gpointer data);
void cf_qingcloud_call_free(CfQingcloudCall *call); /* (nullable) */
/* Makes it a call of that action, without parameters. action: static. */
void cf_qingcloud_call_begin(CfQingcloudCall *call, CfHttpClass cls, const char *action);
/* value: blanks around it are left out: some clients sign without them. */
void cf_qingcloud_call_add(CfQingcloudCall *call, const char *name, const char *value);
void cf_qingcloud_call_add_number(CfQingcloudCall *call, const char *name, guint number);
/* "instances.1", "instances.2" … */
void cf_qingcloud_call_add_list(CfQingcloudCall *call, const char *name, char **values);
/* "StopInstances": no parameter, no secret. Returns: (transfer full). */
char *cf_qingcloud_call_label(const CfQingcloudCall *call);
/* call: (transfer full) until done() was called. */
void cf_qingcloud_call_send(CfQingcloudCall *call);
/* The same for a call that is not made. error: (transfer full) (nullable): NULL makes done() see an
 * empty answer. */
void cf_qingcloud_call_skip(CfQingcloudCall *call, GError *error);

/* --- qingcloud-json.c: pure ---------------------------------------------------------------------
 */

/* zone: (nullable): of a server that does not tell it. */
CfRecord *cf_qingcloud_parse(CfCollection collection, CfJsonSpan text, const char *zone,
                             GError **error);
/* status, transition: (nullable). */
CfState cf_qingcloud_state(CfCollection collection, const char *status, const char *transition,
                           gboolean *ret_settled);
gboolean cf_qingcloud_is_secret(const char *key);
/* items: (element-type CfJsonSpan): filled. ret_total: -1 when not told.
 * Errors: PROTOCOL, naming the key. */
gboolean cf_qingcloud_read_set(const CfQingcloudAnswer *answer, const char *key, GArray *items,
                               gint64 *ret_total, GError **error);
/* Returns: (transfer full) (nullable): a member's text; NULL also for "". */
char *cf_qingcloud_get_text(CfJsonSpan object, const char *key);

/* --- qingcloud-pages.c --------------------------------------------------------------------------
 */

/* text: (nullable): what is searched for. known: (nullable): as list() takes it. */
void cf_qingcloud_ask_page(CfQingcloud *cloud, CfCollection collection, const char *text,
                           guint page, gint64 deadline_us, gboolean user_waits, CfJsonKnown *known,
                           CfPageCallback callback, gpointer data);

/* --- qingcloud-list.c ---------------------------------------------------------------------------
 */

void cf_qingcloud_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
                       gboolean user_waits, CfJsonKnown *known, CfPageCallback callback,
                       gpointer data);
void cf_qingcloud_search(gpointer handle, CfCollection collection, const char *text, guint page,
                         const char *marker, gint64 deadline_us, gboolean user_waits,
                         CfPageCallback callback, gpointer data);
void cf_qingcloud_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
                       CfRecordCallback callback, gpointer data);
void cf_qingcloud_job(gpointer handle, const char *job_id, gint64 deadline_us,
                      CfJobCallback callback, gpointer data);
void cf_qingcloud_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                               gpointer data);
/* "DescribeInstances", "instance_set" and so on. */
typedef struct {
    const char *action, *ids, *set, *id;
} CfQingcloudKind;
extern const CfQingcloudKind cf_qingcloud_kinds[CF_COLLECTION_N];
void cf_qingcloud_add_window(CfQingcloudCall *call, guint offset, guint limit);
/* Makes it the call that shows one resource. */
void cf_qingcloud_ask_for(CfQingcloudCall *call, CfCollection collection, const char *id);
/* The record with that id in the answer to it. Errors: NOT_FOUND, PROTOCOL. */
gboolean cf_qingcloud_find_one(const CfQingcloudAnswer *answer, CfCollection collection,
                               const char *id, CfJsonSpan *ret_record, GError **error);

/* --- qingcloud-action.c, qingcloud-tags.c -------------------------------------------------------
 */

extern const char *const cf_qingcloud_consoles[];

void cf_qingcloud_act(gpointer handle, CfAction *action, gint64 deadline_us,
                      CfActionCallback callback, gpointer data);
/* Fills call->result in and answers it. */
void cf_qingcloud_accept(CfQingcloudCall *call, const CfQingcloudAnswer *answer);
/* Answers with the error and the call that was refused. */
void cf_qingcloud_refuse(CfQingcloudCall *call, const GError *error);

/* Begins to set the tags; the call is on its way afterwards.
 * Returns: FALSE with an error: then it is not. */
gboolean cf_qingcloud_set_tags(CfQingcloudCall *call, GError **error);
void cf_qingcloud_tagging_free(CfQingcloudTagging *tagging); /* (nullable) */

G_END_DECLS
