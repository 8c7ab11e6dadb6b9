/* What the files of this backend share. All of it runs in the engine's thread, but parse(). */
#pragma once

#include "auth/keystone.h"
#include "providers/openstack/openstack-error.h"
#include "providers/provider.h"
#include "json/write.h"

G_BEGIN_DECLS

#define CF_OS_PAGE_SIZE 1000 /* what Nova and Glance give at most unless configured otherwise */

/* Compute microversions 2.N: the newest whose answers we know, and from where what is offered. */
#define CF_OS_VERSION_MAX 93
#define CF_OS_VERSION_NONE 0 /* a server of API 2.0: it has no such versions */
#define CF_OS_HAS_REMOTE_CONSOLES 6
#define CF_OS_HAS_LOCKED 9 /* it can be locked from 2.1, but not seen to be */
#define CF_OS_HAS_DESCRIPTION 19
#define CF_OS_HAS_TAGS 26
#define CF_OS_HAS_VERSION_HEADER 27
#define CF_OS_HAS_IMAGE_ID_BODY 45
#define CF_OS_HAS_FLAVOR 47 /* in the servers, instead of its id */
#define CF_OS_HAS_LOCKED_REASON 73

#define CF_OS_METADATA_KEY_MAX 255

typedef struct _CfOs CfOs;
typedef struct _CfOsCall CfOsCall;

struct _CfOs {
    gatomicrefcount refs; /* the handle's own, and one for each call under way */
    gboolean closed;

    char *profile, *auth_url; /* without /v3 */
    char *region;             /* (nullable) as configured */
    char *interface;
    char *fixed_base[CF_OS_SERVICE_N]; /* (nullable) as configured: wins over the catalogue */
    CfKeystoneLogin login;
    CfChannel *channel;
    GMainContext *context;
    gint64 deadline_us;
    guint page_size;

    /* openstack-session.c: the token, and what came with it */
    CfToken token;
    guint generation;            /* number of the token, so that a 401 for an old one is known */
    gboolean fetching;           /* the one flight is under way */
    GQueue waiting;              /* (element-type CfOsCall) for its end */
    GQueue late;                 /* (element-type CfOsCall) ended, but not told yet */
    gint64 renew_not_before;     /* monotonic: the last renewal failed, but the token still lives */
    GError *refusal;             /* (nullable) what the last token call was refused with … */
    gint64 refusal_until_us;     /* … and until when nobody needs to ask again */
    char *base[CF_OS_SERVICE_N]; /* (nullable) of the services, without a slash at the end */
    GError *absent[CF_OS_SERVICE_N]; /* why there is none */
    const char *found_region;        /* (nullable) interned; read by any thread, atomically */
    char *project_id;                /* (nullable) */
    gint64 issued_us;                /* Keystone's wall time when it gave the token; 0: not told */
    gint64 issued_mono_us;           /* when the token came */
    gboolean may_all;                /* an administrator, or nobody told */

    /* the compute service's version: 2.N */
    int version; /* -1: not known */
    gboolean asking_version;
    GQueue versionless; /* (element-type CfOsCall) for it */

    /* openstack-flavors.c */
    GHashTable *flavors;  /* (nullable) id to CfOsFlavor; never changed, but replaced */
    GHashTable *learning; /* (nullable) what it will be when the list is through */
    gint64 flavors_us;    /* monotonic: when they were asked for last; 0: never */
    gboolean asking_flavors;
    GQueue flavorless; /* what waits for them */

    GMutex view_lock;       /* protects view; a leaf */
    struct _CfOsView *view; /* what parse() goes by, in any thread: never changed, but replaced */
    guint n_views[CF_COLLECTION_N]; /* how often it became another one */
};

CfOs *cf_os_ref(CfOs *os);
void cf_os_unref(CfOs *os);
/* To be called when something changed of what is in a CfOsView. */
void cf_os_update_view(CfOs *os);

/* --- openstack-call.c: one request and its answer ----------------------------------------------
 */

/* reply: the answer, when error is NULL (and NULL for a call without a path); borrowed. May send
 * the call again, with other contents; else it is freed after it. */
typedef void (*CfOsDone)(CfOsCall *call, const CfHttpReply *reply, const GError *error);

struct _CfOsCall {
    CfOs *os; /* a reference */
    CfOsService service;
    CfHttpClass cls;
    char *method;
    GString *path; /* what follows the service's base, with the query, encoded; empty: only a token
                      is wanted */
    GString *body; /* (nullable) JSON */
    const char *content_type;
    gint64 deadline_us;
    gboolean user_waits;
    CfJsonKnown *known;   /* (nullable) of a listing */
    gboolean versionless; /* asks for the version: needs none */
    gboolean with_marker, secret;
    CfOsDone done; /* not called after the handle was closed */

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
    char *id;         /* (nullable) the resource that the path names */
    char *marker;     /* (nullable) */
    CfAction *action; /* a reference (nullable) */

    /* filled in when an answer came */
    char *
        label; /* (nullable): it was not sent; "POST /v2.1/servers/x/action": no query, no secret */

    /* openstack-call.c and openstack-session.c */
    gboolean busy; /* sent, or waiting for a token or the version */
    gboolean renewed, reversioned;
    guint generation;    /* of the token that was sent */
    GSource *timer;      /* while it waits */
    gboolean token_lost; /* the token was dropped before the call went out */
    GError *error;       /* (nullable) to be told from an idle source */
};

CfOsCall *cf_os_call_new(CfOs *os, CfOsService service, CfHttpClass cls, const char *method,
                         gint64 deadline_us, CfOsDone done, gpointer data);
void cf_os_call_free(CfOsCall *call); /* (nullable) */
/* Appends "/" and text, encoded, as one segment of the path. */
void cf_os_call_add_segment(CfOsCall *call, const char *text);
/* call: (transfer full) until done() was called. */
void cf_os_call_send(CfOsCall *call);
/* The same for a call that cannot be made. error: (transfer full). */
void cf_os_call_refuse(CfOsCall *call, GError *error);

/* For openstack-session.c: what it waited for is at hand, or there will be none. */
void cf_os_call_go(CfOsCall *call);
/* Calls done() and frees the call unless it was sent again. Both (nullable). */
void cf_os_call_end(CfOsCall *call, const CfHttpReply *reply, const GError *error);

/* --- openstack-session.c ------------------------------------------------------------------------
 */

/* Returns: TRUE when the call may be made now; else cf_os_call_go() or _end() comes later. */
gboolean cf_os_session_prepare(CfOsCall *call);
/* Adds the token to this attempt. */
gboolean cf_os_session_sign(CfOsCall *call, CfHttpRequest *request, GError **error);
/* After HTTP 401. Returns: TRUE when a new token is on its way and the call will be repeated. */
gboolean cf_os_session_renew(CfOsCall *call);
/* After HTTP 406. Returns: TRUE when the version is asked for anew and the call will be repeated.
 */
gboolean cf_os_session_reversion(CfOsCall *call);
/* Ends the queues without telling anybody. */
void cf_os_session_close(CfOs *os);
/* The version in the answer of a service's root: min(what it has, CF_OS_VERSION_MAX).
 * Returns: FALSE with CF_ERROR_PROTOCOL. Pure. */
gboolean cf_os_read_version(const char *text, gsize len, int *ret_version, GError **error);
/* A service's address as it is used: the catalogue's, with the version that it may lack.
 * Returns: (transfer full). Pure. */
char *cf_os_make_base(CfOsService service, const char *url);
/* The address of the version's own document: an address may end in the project's id.
 * Returns: (transfer full). Pure. */
char *cf_os_version_root(const char *base);

/* --- openstack-flavors.c ------------------------------------------------------------------------
 */

/* Values as the cloud writes them; each (nullable). */
typedef struct {
    char *name, *vcpus, *ram, *disk;
} CfOsFlavor;

typedef void (*CfOsReady)(CfOs *os, gpointer data);

/* Whether some of the servers (element-type CfJsonSpan) has a flavour that is not known, and it is
 * time to ask. */
gboolean cf_os_flavors_lack(const CfOs *os, const GArray *servers);
/* Asks; ready() comes later, also when there was no answer; instead free_data() after close. */
void cf_os_flavors_wait(CfOs *os, gint64 deadline_us, CfOsReady ready, gpointer data,
                        GDestroyNotify free_data);
void cf_os_flavors_close(CfOs *os);

/* --- openstack-json.c: pure ---------------------------------------------------------------------
 */

/* What of the account decides what may be done to a record. */
typedef struct _CfOsView {
    int version;            /* of the compute service, 2.N */
    const char *project_id; /* (nullable) of a handle's own view: interned */
    gboolean may_all;
    const char *region;  /* (nullable) of a handle's own view: lasts as long as the handle */
    GHashTable *flavors; /* (nullable) id to CfOsFlavor; of a handle's own view: a reference */
} CfOsView;

CfRecord *cf_os_parse(const CfOsView *view, CfCollection collection, CfJsonSpan text,
                      GError **error);
/* The same as the handle sees it at present. Thread: any. */
CfRecord *cf_os_parse_with(CfOs *os, CfCollection collection, CfJsonSpan text, GError **error);
/* task: (nullable). ret_settled: (nullable). */
CfState cf_os_server_state(const char *status, const char *task, gboolean *ret_settled);
CfState cf_os_image_state(const char *status);
/* Whether the id can stand in a path as one segment. */
gboolean cf_os_is_addressable(const char *id);
gboolean cf_os_is_secret(const char *key);
/* Whether metadata may have it. */
gboolean cf_os_is_metadata_key(const char *key);

/* records: (element-type CfJsonSpan): filled. ret_next: (transfer full) (nullable): the marker of
 * the page after this one. Errors: PROTOCOL, naming the key. */
gboolean cf_os_read_list(CfCollection collection, const char *text, gsize len, GArray *records,
                         char **ret_next, GError **error);
/* The record in the answer to a show call. */
gboolean cf_os_read_one(CfCollection collection, const char *text, gsize len, CfJsonSpan *ret_span,
                        GError **error);

/* --- openstack-list.c, openstack-action.c -------------------------------------------------------
 */

void cf_os_list_from(gpointer handle, CfCollection collection, const char *marker, gint64 since_us,
                     gint64 deadline_us, gboolean user_waits, CfJsonKnown *known,
                     CfPageCallback callback, gpointer data);
void cf_os_search(gpointer handle, CfCollection collection, const char *text, guint page,
                  const char *marker, gint64 deadline_us, gboolean user_waits,
                  CfPageCallback callback, gpointer data);
/* A regular expression that text and nothing else matches: Nova's filter by name is one, in the
 * dialect of its database. Returns: (transfer full). Pure. */
char *cf_os_escape_regex(const char *text);
/* Glance's filter for the images of exactly that name: one that begins with "in:" would be taken
 * for a list of names. Returns: (transfer full). Pure. */
char *cf_os_image_name_filter(const char *text);
void cf_os_show(gpointer handle, CfCollection collection, const char *id, gint64 deadline_us,
                CfRecordCallback callback, gpointer data);
void cf_os_authenticate(gpointer handle, gint64 deadline_us, CfDoneCallback callback,
                        gpointer data);
void cf_os_act(gpointer handle, CfAction *action, gint64 deadline_us, CfActionCallback callback,
               gpointer data);

/* For what prepares a call of an action. */
gboolean cf_os_needs_version(const CfOs *os, int version, const char *what, GError **error);
void cf_os_set_method(CfOsCall *call, const char *method);
void cf_os_drop_body(CfOsCall *call);
/* POST …/action: the writer stands in the object that the body is. */
void cf_os_begin_action(CfOsCall *call, CfJsonWriter *writer);
void cf_os_fill_result(CfOsCall *call, const CfHttpReply *reply, CfActionResult *result);
/* A CfOsDone. */
void cf_os_on_accepted(CfOsCall *call, const CfHttpReply *reply, const GError *error);

/* openstack-more.c */
/* Of names, descriptions, metadata values, reasons of locks. what: "a name".
 * Errors: CF_ERROR_INVALID for bytes that are no UTF-8, CF_ERROR_TOO_BIG. Pure. */
gboolean cf_os_check_length(const char *text, const char *what, GError **error);
gboolean cf_os_prepare_lock(CfOsCall *call);
gboolean cf_os_prepare_lock_reason(CfOsCall *call, GError **error);
gboolean cf_os_prepare_metadata(CfOsCall *call, GError **error);
gboolean cf_os_prepare_console_log(CfOsCall *call);

extern const char *const cf_os_consoles[];

G_END_DECLS
