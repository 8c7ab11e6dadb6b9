/* What the files of this backend share. All of it runs in the engine's thread. */
#pragma once

#include "auth/token.h"
#include "providers/inspur/inspur-error.h"
#include "providers/provider.h"

G_BEGIN_DECLS

#define CF_INSPUR_PAGE_SIZE 100
#define CF_INSPUR_BATCH_MAX 100

typedef enum {
    CF_INSPUR_AUTH_TOKEN,    /* a ready token */
    CF_INSPUR_AUTH_KEYCLOAK, /* password or client_credentials grant */
    CF_INSPUR_AUTH_IAM,      /* the GetToken call */
    CF_INSPUR_AUTH_AKSK,     /* every request is signed */
    CF_INSPUR_AUTH_N
} CfInspurAuth;

/* How we know that the server takes a form of a call that the document leaves open. */
typedef struct {
    gboolean tags_as_form;     /* else as a query parameter */
    gboolean patch_as_glance;  /* else application/json */
    gboolean delete_elsewhere; /* /v1/images/delete, else /v1/images/action/delete */
} CfInspurDialect;

typedef struct _CfInspur CfInspur;
typedef struct _CfInspurCall CfInspurCall;

struct _CfInspur {
    gatomicrefcount refs; /* the handle's own, and one for each call under way */
    gboolean closed;

    char *profile, *endpoint, *region;
    const char *prefix; /* the endpoint's path, "/ecs" or ""; inside endpoint */
    CfChannel *channel;
    GMainContext *context;
    gint64 deadline_us;
    guint page_size;

    CfInspurAuth auth;
    char *auth_url, *realm, *client_id, *client_secret, *username, *password;
    char *access_key, *secret_key;
    GChecksumType sign_algorithm;
    gboolean sign_empty_body;

    /* inspur-auth.c */
    CfToken token;
    guint generation;        /* number of the token, so that a 401 for an old one is known */
    gboolean token_proved;   /* some answer accepted the present one */
    gboolean fetching;       /* the one flight is under way */
    GQueue waiting;          /* (element-type CfInspurCall) for its end */
    GQueue late;             /* (element-type CfInspurCall) ended, but not told yet */
    gint64 renew_not_before; /* monotonic: the last renewal failed, but the token still lives */
    GError *refusal;         /* (nullable) what the last token call was refused with … */
    gint64 refusal_until_us; /* … and until when nobody needs to ask again */

    CfInspurDialect dialect;
};

CfInspur *cf_inspur_ref(CfInspur *inspur);
void cf_inspur_unref(CfInspur *inspur);

/* --- inspur-call.c: one request and its answer -------------------------------------------------
 */

/* Exactly one of answer and error is NULL (both for a call without a path). May send the call
 * again, with other contents; else it is freed after it. */
typedef void (*CfInspurDone)(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error);

struct _CfInspurCall {
    CfInspur *inspur; /* a reference */
    CfHttpClass cls;
    char *method;
    GString *path; /* what follows the endpoint, with the query, encoded; empty: only a token is
                      wanted */
    GString *body; /* (nullable) */
    const char *content_type;
    gint64 deadline_us;
    gboolean user_waits;
    CfJsonKnown *known; /* (nullable) of a listing */
    gboolean form;      /* the body holds parameters, which AK/SK signs as such */
    guint flags;        /* CfInspurReadFlags */
    CfInspurDone done;  /* not called after the handle was closed */

    /* the caller's */
    union {
        CfPageCallback page;
        CfRecordCallback record;
        CfTagsCallback tags;
        CfActionCallback action;
        CfDoneCallback plain;
    } callback;
    gpointer data;

    /* for done() */
    CfCollection collection;
    guint page, page_size;
    char *id;
    CfAction *action;    /* a reference (nullable) */
    guint tries;         /* forms of the call that were tried before this one */
    GError *first_error; /* (nullable) of the first form */

    /* filled in when an answer came */
    GBytes *reply; /* the body */
    int http_status;
    gint64 sent_us; /* monotonic: when the attempt began that was answered */
    char *sent_id;  /* (nullable) the request's id */

    /* inspur-call.c and inspur-auth.c */
    gboolean busy; /* sent, or waiting for a token */
    gboolean renewed;
    guint generation;    /* of the token that was sent */
    GSource *timer;      /* while it waits for a token */
    gboolean token_lost; /* the token was dropped before the call went out */
    GError *late;        /* (nullable) to be told from an idle source */
};

CfInspurCall *cf_inspur_call_new(CfInspur *inspur, CfHttpClass cls, const char *method,
                                 gint64 deadline_us, CfInspurDone done, gpointer data);
void cf_inspur_call_free(CfInspurCall *call); /* (nullable) */
/* Appends an id as one segment of the path. */
void cf_inspur_call_add_segment(CfInspurCall *call, const char *id);
/* "POST /v1/servers/x/action": no query, no secret. Returns: (transfer full). */
char *cf_inspur_call_label(const CfInspurCall *call);
/* call: (transfer full) until done() was called. */
void cf_inspur_call_send(CfInspurCall *call);
/* The same for a call that cannot be made. error: (transfer full). */
void cf_inspur_call_refuse(CfInspurCall *call, GError *error);

/* For inspur-auth.c: the token is at hand, or there will be none. */
void cf_inspur_call_go(CfInspurCall *call);
/* error: (nullable). Calls done() and frees the call unless it was sent again. */
void cf_inspur_call_end(CfInspurCall *call, const CfInspurAnswer *answer, const GError *error);

/* --- inspur-auth.c -----------------------------------------------------------------------------
 */

/* Returns: TRUE when the call may be made now; else cf_inspur_call_go() or _end() comes later. */
gboolean cf_inspur_auth_prepare(CfInspurCall *call);
/* Adds the headers of this attempt. */
gboolean cf_inspur_auth_sign(CfInspurCall *call, CfHttpRequest *request, GError **error);
/* After HTTP 401. Returns: TRUE when a new token is on its way and the call will be repeated. */
gboolean cf_inspur_auth_renew(CfInspurCall *call);
/* The 401 in the end: EXPIRED or UNAUTHORIZED. Returns: (transfer full). */
GError *cf_inspur_auth_explain(CfInspurCall *call, const CfHttpReply *reply, const GError *error);

/* --- inspur-json.c: pure ------------------------------------------------------------------------
 */

CfRecord *cf_inspur_parse(CfCollection collection, CfJsonSpan text, GError **error);
/* task: (nullable). ret_settled: (nullable). */
CfState cf_inspur_server_state(const char *status, const char *task, gboolean *ret_settled);
CfState cf_inspur_image_state(const char *status);
/* Whether the id can stand in a path: see there. */
gboolean cf_inspur_is_addressable(CfCollection collection, const char *id);
gboolean cf_inspur_is_secret(const char *key);

/* records: (element-type CfJsonSpan): filled. ret_total: -1 when not told.
 * Errors: PROTOCOL, naming the key. */
gboolean cf_inspur_read_list(const CfInspurAnswer *answer, CfCollection collection, GArray *records,
                             gint64 *ret_total, GError **error);
/* The record in the answer to a show call, with or without its wrapper. */
CfJsonSpan cf_inspur_read_one(const CfInspurAnswer *answer, CfCollection collection);
/* Returns: (transfer full) (nullable): sorted. Errors: PROTOCOL. */
char **cf_inspur_read_tags(const CfInspurAnswer *answer, GError **error);
/* "删除成功2台,删除失败1台". Returns: FALSE when there are no such numbers. */
gboolean cf_inspur_read_counts(const char *prose, guint *ret_done, guint *ret_failed);

/* --- inspur-list.c, inspur-action.c -------------------------------------------------------------
 */

void cf_inspur_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
                    gboolean user_waits, CfJsonKnown *known, CfPageCallback callback,
                    gpointer data);
void cf_inspur_search(gpointer handle, CfCollection collection, const char *text, guint page,
                      const char *marker, gint64 deadline_us, gboolean user_waits,
                      CfPageCallback callback, gpointer data);
/* All private images in one page: GET /v1/images/private. */
void cf_inspur_list_private(CfInspur *inspur, gint64 deadline_us, CfPageCallback callback,
                            gpointer data);
void cf_inspur_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
                    CfRecordCallback callback, gpointer data);
void cf_inspur_list_tags(gpointer handle, const char *id, gint64 deadline_us, gboolean user_waits,
                         CfTagsCallback callback, gpointer data);
void cf_inspur_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                            gpointer data);
void cf_inspur_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
                   gpointer data);

extern const char *const cf_inspur_consoles[];

G_END_DECLS
