/* What the files of this backend share. All of it runs in the engine's thread. */
#pragma once

#include "auth/ucloudstack-sign.h"
#include "providers/provider.h"
#include "providers/ucloudstack/ucloudstack-error.h"

G_BEGIN_DECLS

#define CF_UCLOUDSTACK_PAGE_MAX 100 /* Limit's maximum */

typedef struct _CfUcloudstack CfUcloudstack;
typedef struct _CfUcloudstackCall CfUcloudstackCall;

struct _CfUcloudstack {
    gatomicrefcount refs; /* the handle's own, and one for each call under way */
    gboolean closed;

    char *endpoint, *region, *public_key, *private_key;
    char *project_id, *company_id; /* (nullable) */
    CfUcloudstackDialect dialect;
    CfChannel *channel;
    GMainContext *context;
    gint64 deadline_us;
    guint page_size;               /* that the configuration wants */
    guint limits[CF_COLLECTION_N]; /* that the cloud grants; see ucloudstack-list.c */
    gboolean send_referer;         /* the platform said that it wants one */
    GQueue late;                   /* (element-type CfUcloudstackCall) ended, but not told yet */
};

CfUcloudstack *cf_ucloudstack_ref(CfUcloudstack *cloud);
void cf_ucloudstack_unref(CfUcloudstack *cloud);

/* --- ucloudstack-call.c: one request and its answer ------------------------------------------- */

/* whole: the answer's object, a span of call->reply. Exactly one of whole and error is NULL. May
 * send the call again, with other contents; else it is freed after it. */
typedef void (*CfUcloudstackDone)(CfUcloudstackCall *call, const CfJsonSpan *whole,
                                  const GError *error);

struct _CfUcloudstackCall {
    CfUcloudstack *cloud; /* a reference */
    CfHttpClass cls;
    const char *name;   /* the Action; static */
    GArray *parameters; /* (element-type CfUcloudstackParameter) owned; beyond the common ones */
    gint64 deadline_us;
    gboolean user_waits;
    CfJsonKnown *known;     /* (nullable) of a listing */
    guint flags;            /* CfUcloudstackReadFlags */
    CfUcloudstackDone done; /* not called after the handle was closed */

    /* the caller's */
    union {
        CfPageCallback page;
        CfRecordCallback record;
        CfActionCallback action;
        CfDoneCallback plain;
    } callback;
    gpointer data;

    /* for done() */
    CfCollection collection;
    guint page, limit;
    gboolean learns; /* the page's length says how many the cloud grants */
    char *id;
    CfAction *action;    /* a reference (nullable) */
    GError *first_error; /* (nullable) the refusal that a look at the resource is to explain … */
    const char *first_name; /* … and the call that got it */

    /* filled in when an answer came */
    GBytes *reply; /* the body */
    int http_status;
    gint64 sent_us; /* monotonic: when the attempt began that was answered */
    char *sent_id;  /* (nullable) the request's id */

    /* ucloudstack-call.c */
    gboolean busy;    /* sent */
    gboolean referer; /* sent with one */
    GSource *timer;   /* until it is told */
    GError *late;     /* (nullable) to be told from an idle source */
};

/* name: static. deadline_us: monotonic; 0: the handle's default from now. */
CfUcloudstackCall *cf_ucloudstack_call_new(CfUcloudstack *cloud, CfHttpClass cls, const char *name,
                                           gint64 deadline_us, CfUcloudstackDone done,
                                           gpointer data);
void cf_ucloudstack_call_free(CfUcloudstackCall *call); /* (nullable) */
/* An empty value is sent too, and signed. */
void cf_ucloudstack_call_add(CfUcloudstackCall *call, const char *name, const char *value);
void cf_ucloudstack_call_add_number(CfUcloudstackCall *call, const char *name, guint value);
/* Makes another call of it, without parameters. name: static. */
void cf_ucloudstack_call_begin(CfUcloudstackCall *call, CfHttpClass cls, const char *name,
                               CfUcloudstackDone done);
/* "POST StartVMInstance". Returns: (transfer full). */
char *cf_ucloudstack_call_label(const CfUcloudstackCall *call);
/* call: (transfer full) until done() was called. */
void cf_ucloudstack_call_send(CfUcloudstackCall *call);
/* The same for a call that cannot be made. error: (transfer full). */
void cf_ucloudstack_call_refuse(CfUcloudstackCall *call, GError *error);

/* --- ucloudstack-json.c: pure ----------------------------------------------------------------- */

CfRecord *cf_ucloudstack_parse(CfCollection collection, CfJsonSpan text, GError **error);
/* status: (nullable). ret_settled: (nullable). */
CfState cf_ucloudstack_server_state(const char *status, gboolean *ret_settled);
CfState cf_ucloudstack_image_state(const char *status);
gboolean cf_ucloudstack_is_secret(const char *key);

/* Infos and TotalCount. offset: of the page that was asked for. records: (element-type CfJsonSpan):
 * filled. ret_total: -1 when not told. Errors: PROTOCOL, naming the key. */
gboolean cf_ucloudstack_read_list(CfJsonSpan whole, gint64 offset, GArray *records,
                                  gint64 *ret_total, GError **error);
/* The one record that was asked for by its id. Returns: (transfer full) (nullable). Errors:
 * NOT_FOUND when the answer says that there is none, PROTOCOL when it is about another one. */
CfRecord *cf_ucloudstack_read_one(CfJsonSpan whole, CfCollection collection, const char *id,
                                  GError **error);

/* --- ucloudstack-list.c ----------------------------------------------------------------------- */

void cf_ucloudstack_list(gpointer handle, CfCollection collection, guint page, gint64 deadline_us,
                         gboolean user_waits, CfJsonKnown *known, CfPageCallback callback,
                         gpointer data);
void cf_ucloudstack_search(gpointer handle, CfCollection collection, const char *text, guint page,
                           const char *marker, gint64 deadline_us, gboolean user_waits,
                           CfPageCallback callback, gpointer data);
void cf_ucloudstack_show(gpointer handle, CfCollection collection, const char *id,
                         gint64 deadline_us, CfRecordCallback callback, gpointer data);
void cf_ucloudstack_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                                 gpointer data);
/* Makes of call the call that shows a resource. */
void cf_ucloudstack_call_show(CfUcloudstackCall *call, CfCollection collection, const char *id,
                              CfUcloudstackDone done);

/* --- ucloudstack-action.c --------------------------------------------------------------------- */

void cf_ucloudstack_act(gpointer handle, CfAction *action, gint64 deadline_us,
                        CfActionCallback callback, gpointer data);

extern const char *const cf_ucloudstack_consoles[];

G_END_DECLS
