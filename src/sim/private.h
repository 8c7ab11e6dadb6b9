/* What the simulator's files share. */
#pragma once

#include <cjson/cJSON.h>
#include <glib.h>

#include "sim/sim.h"
#include "sim/world.h"

G_BEGIN_DECLS

typedef struct _CfSimCall CfSimCall;
typedef struct _CfSimRoute CfSimRoute;
typedef struct _CfSimDialect CfSimDialect;
typedef struct _CfSimTokens CfSimTokens;
typedef struct _CfSimFaults CfSimFaults;
typedef struct _CfSimJournal CfSimJournal;
typedef struct _CfSimServer CfSimServer;

typedef enum {
    CF_SIM_CODE_DOTTED, /* "101.001012" */
    CF_SIM_CODE_BARE,   /* "001012" */
    CF_SIM_CODE_NUMBER, /* 101.001012, and so 101.00104 for a code that ends in 0 */
    CF_SIM_CODE_N
} CfSimCodeStyle;

typedef enum {
    CF_SIM_BATCH_ACTION, /* only …/action/delete */
    CF_SIM_BATCH_PLAIN,  /* only …/delete */
    CF_SIM_BATCH_BOTH,
    CF_SIM_BATCH_N
} CfSimBatchPath;

typedef enum {
    CF_SIM_EMPTY_BODY_EITHER, /* a signature without and one with the line of the empty body */
    CF_SIM_EMPTY_BODY_LEFT_OUT,
    CF_SIM_EMPTY_BODY_SIGNED,
    CF_SIM_EMPTY_BODY_N
} CfSimEmptyBody;

/* Of a dialect that speaks several versions of its API. */
typedef enum { CF_SIM_API_NEWEST, CF_SIM_API_FIRST, CF_SIM_API_N } CfSimApiVersion;

typedef enum {
    CF_SIM_UNKNOWN_ERROR, /* a listing that names what does not exist is refused */
    CF_SIM_UNKNOWN_EMPTY, /* or finds nothing */
    CF_SIM_UNKNOWN_N
} CfSimUnknown;

/* What an administrator changes while the simulator runs; see admin-settings.c. */
typedef struct {
    guint latency_ms, transition_ms, max_page;
    gboolean task_state_visible, http_200_errors, freeze, image_tags_joined, down;
    gint clock_skew_s; /* what the server's clock is ahead */
    gboolean image_tagging;
    guint job_lead_ms;                        /* a job is done so long before what it changes */
    guint image_quota, tag_quota, rate_limit; /* 0: none */
    CfSimUnknown unknown_instance;
    CfSimCodeStyle code_style;
    CfSimBatchPath batch_delete_path;
    CfSimEmptyBody sign_empty_body;
    CfSimApiVersion api_version;
    gboolean referer_needed;
    guint microversion; /* the newest one of a compute service, 2.N */
    gboolean admin, image_service, project_in_url;
    gboolean tells_apart; /* lists of every kind tell a part of what cannot be reached */
    guint console_lines;
} CfSimSettings;

struct _CfSim {
    const CfSimDialect *dialect;
    CfSimOptions options; /* owns its strings; constant */
    char *url;            /* constant once it serves */
    CfSimServer *server;  /* has locks of its own, below this one */

    GMutex lock; /* protects all that follows; held while a request is answered */
    CfSimWorld *world;
    CfSimSettings settings;
    CfSimTokens *tokens;
    CfSimFaults *faults;
    CfSimJournal *journal;
    GHashTable *listings; /* sorted and filtered listings, by query; see listing.c */
    guint64 made;         /* records made so far; the next generated one takes it as its index */
    gpointer scratch;     /* (nullable): the dialect's, while it answers one call */
    gint64 rate_since_us; /* the world's time when calls were begun to be counted */
    guint rate_calls;
    guint64 answers; /* successful answers, whose code alternates between text and number */
};

/* ---- A request and its answer ---- */

typedef enum { CF_SIM_READ, CF_SIM_CHANGE, CF_SIM_AUTH, CF_SIM_CALL_N } CfSimCallType;

/* A path of its own, or, where the dialect has an action_key, an action. */
struct _CfSimRoute {
    const char *method;  /* an action: "*", it comes by GET or POST */
    const char *pattern; /* (nullable): segments, {} for an argument; anything may precede it */
    const char *name; /* as the counters and faults call it; the value of an action's parameter */
    CfSimCallType type;
    void (*handle)(CfSim *sim, CfSimCall *call);
};

/* How a listing lies. */
typedef enum {
    CF_SIM_TWIST_NONE,
    CF_SIM_TWIST_EMPTY,
    CF_SIM_TWIST_PARTIAL,
    CF_SIM_TWIST_SHIFT,
    CF_SIM_TWIST_N
} CfSimTwist;

typedef enum {
    CF_SIM_DELIVER,  /* as it should be */
    CF_SIM_CLOSE,    /* closes the connection instead */
    CF_SIM_TRUNCATE, /* promises more than it sends */
    CF_SIM_HUGE,     /* 100 MiB */
    CF_SIM_HANG,     /* not before somebody releases it */
} CfSimDelivery;

#define CF_SIM_ARGS_MAX 2

struct _CfSimCall {
    char *method;
    char *target;       /* path and query as they were sent */
    char *path;         /* the same without the query */
    const char *query;  /* (nullable): within target */
    GPtrArray *headers; /* (element-type utf8): names and values in turn */
    GString *body;
    GPtrArray *params; /* (element-type utf8): decoded names and values in turn, as they were sent,
                          of the query and of a body that is a form */
    guint64 number;
    const CfSimRoute *route; /* (nullable): none matches */
    char *args[CF_SIM_ARGS_MAX];
    CfSimTwist twist;
    gboolean job_fails; /* the job that it starts ends badly */

    guint status;
    const char *type; /* static */
    GString *answer;
    GPtrArray *answer_headers; /* (nullable): names and values in turn */
    CfSimDelivery delivery;
    guint delay_ms;
    guint fault;       /* that made it hang */
    gint clock_skew_s; /* 0: the Date header is right */
};

void cf_sim_call_clear(CfSimCall *call);
/* Returns: (transfer none) (nullable) */
const char *cf_sim_call_header(const CfSimCall *call, const char *name);
/* Reads the parameters, once the body is there. Thread: any; needs no lock. */
void cf_sim_call_parse_params(CfSimCall *call);
/* A decoded parameter of the query, or of the body if that is a form.
 * Returns: (transfer full) (nullable) */
char *cf_sim_call_param(const CfSimCall *call, const char *name);
/* The same, lent. Returns: (transfer none) (nullable) */
const char *cf_sim_call_peek_param(const CfSimCall *call, const char *name);
/* The parameters NAME.0, NAME.1, …, in the order of their numbers, which may have gaps.
 * Returns: (transfer container) (element-type utf8): may be empty */
GPtrArray *cf_sim_call_list(const CfSimCall *call, const char *name);
gboolean cf_sim_call_is_form(const CfSimCall *call);
/* Appends the decoded names and values in turn. (element-type utf8) */
void cf_sim_form_parse(const char *text, GPtrArray *pairs);
/* Returns: (transfer full): %XX decoded; a form also decodes + */
char *cf_sim_decode(const char *text, gssize len, gboolean form);
/* Finds the route and its arguments. routes end with one that has no method. */
const CfSimRoute *cf_sim_route_find(const CfSimRoute *routes, const char *method, const char *path,
                                    char *args[CF_SIM_ARGS_MAX]);
/* Finds the route of a call: its action, where the dialect has actions and the path is theirs, else
 * the path. Returns: (transfer none) (nullable): none matches. */
const CfSimRoute *cf_sim_route_of_call(const CfSimDialect *dialect, CfSimCall *call);
/* Sets status and text of the answer. */
void cf_sim_answer(CfSimCall *call, guint status, const char *json);
void cf_sim_call_add_header(CfSimCall *call, const char *name, const char *value);
void cf_sim_answer_printf(CfSimCall *call, guint status, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* ---- A dialect ---- */

/* How the administrator has servers change. */
typedef struct {
    const char *key, *running; /* the state, and the word for a server that runs */
    const char *start, *stop;  /* members to set, JSON objects */
} CfSimTouch;

struct _CfSimDialect {
    const char *name;
    const char *ids[CF_SIM_KIND_N]; /* what the member is called that holds an id */
    CfSimTouch touch;
    guint versions;      /* of its API; 0: no more than one */
    const char *opening; /* how a good answer begins, up to where its data stand; a } ends it */
    const CfSimRoute *routes; /* ends with one that has no method */
    /* RPC style, where one path serves all and a parameter names what is wanted. */
    const char *action_key;          /* (nullable): that parameter; NULL: not RPC style */
    const char *const *action_paths; /* patterns, up to a NULL; a slash may follow; "/": all */
    const CfSimRoute *no_action;     /* (nullable): for an action that is missing or unknown */
    /* Whether the credentials are good; answers the call if not. */
    gboolean (*admit)(CfSim *sim, CfSimCall *call);
    /* Answers in the dialect's way of failing. status: 0: the usual one of a refusal. code:
     * (nullable): that of the HTTP status. */
    void (*refuse)(CfSim *sim, CfSimCall *call, guint status, const char *code,
                   const char *message);
    /* Answers with something of a wrong shape; turn says which. */
    void (*garble)(CfSim *sim, CfSimCall *call, guint turn);
    /* A record of the generated world. Returns: (transfer full): JSON text. */
    char *(*make)(CfSim *sim, CfSimKind kind, guint64 index);
    /* Fills the world that the options describe. */
    void (*populate)(CfSim *sim);
    /* Optional, where tags are records: gives a server or image exactly the tags of these names,
     * shows them as an array of names. Without them a server keeps the names, and an image has
     * them in its member `tags`. */
    void (*set_tags)(CfSim *sim, CfSimRecord *record, const GPtrArray *names);
    void (*show_tags)(CfSim *sim, const CfSimRecord *record, GString *out);
    /* Optional: which of the routes it is that share a path, by what the body says. */
    const CfSimRoute *(*refine)(const CfSimCall *call, const CfSimRoute *route);
    /* Optional: the administrator has set these members, or a planned change was made (empty). */
    void (*changed)(CfSim *sim, CfSimRecord *record, CfSimSpan members);
    /* Optional, where what was deleted is told of for a while: marks the record, which stays.
     * Whether a record is so marked. */
    void (*bury)(CfSim *sim, CfSimRecord *record);
    gboolean (*is_buried)(const CfSimRecord *record);
};

extern const CfSimDialect cf_sim_inspur, cf_sim_openstack, cf_sim_qingcloud, cf_sim_ucloudstack;

/* ---- The parts ---- */

/* Microseconds of the date that the server believes it is; not the world's clock. */
gint64 cf_sim_server_date_us(const CfSim *sim);

/* Answers a call, except for how it travels. Takes the lock. released: a second attempt, for a
 * call that hung. */
void cf_sim_process(CfSim *sim, CfSimCall *call, gboolean released);

/* server.c. Errors: CF_ERROR_NO_CONNECT, CF_ERROR_CONFIG. */
CfSimServer *cf_sim_server_new(CfSim *sim, char **ret_url, GError **error);
void cf_sim_server_free(CfSimServer *server);
/* Lets the calls go that hang for that fault, or all for 0. */
void cf_sim_server_release(CfSimServer *server, guint fault);

/* admin.c, admin-records.c, admin-settings.c. */
gboolean cf_sim_admin_owns(const CfSimCall *call);
void cf_sim_admin_handle(CfSim *sim, CfSimCall *call);
extern const CfSimRoute cf_sim_admin_records[];
void cf_sim_admin_get_settings(CfSim *sim, CfSimCall *call);
void cf_sim_admin_set_settings(CfSim *sim, CfSimCall *call);
void cf_sim_admin_refuse(CfSimCall *call, guint status, const char *message);

/* faults.c. */
typedef enum {
    CF_SIM_FAULT_STATUS,
    CF_SIM_FAULT_CODE,
    CF_SIM_FAULT_RESET,
    CF_SIM_FAULT_RESET_AFTER,
    CF_SIM_FAULT_TRUNCATE,
    CF_SIM_FAULT_GARBAGE,
    CF_SIM_FAULT_HTML,
    CF_SIM_FAULT_WRONG_TYPE,
    CF_SIM_FAULT_DEEP,
    CF_SIM_FAULT_HUGE,
    CF_SIM_FAULT_HANG,
    CF_SIM_FAULT_LATENCY,
    CF_SIM_FAULT_EMPTY,
    CF_SIM_FAULT_PARTIAL,
    CF_SIM_FAULT_SHIFT,
    CF_SIM_FAULT_JOB,
    CF_SIM_FAULT_N
} CfSimFaultKind;

typedef struct {
    guint id;
    CfSimFaultKind kind;
    char *match; /* a route's name, or "*" */
    gint64 after, count;
    gint64 seen, hits;
    guint status, ms;
    char *body, *code, *message;
    GPtrArray *headers;
} CfSimFault;

CfSimFaults *cf_sim_faults_new(void);
void cf_sim_faults_free(CfSimFaults *faults);
/* Returns: the fault's number. Errors: CF_ERROR_INVALID. */
guint cf_sim_faults_add(CfSimFaults *faults, const cJSON *description, GError **error);
gboolean cf_sim_faults_remove(CfSimFaults *faults, guint id);
void cf_sim_faults_list(CfSimFaults *faults, GString *out);
/* Counts the call; adds up the latencies. Returns: (transfer none) (nullable): what befalls it. */
const CfSimFault *cf_sim_faults_take(CfSimFaults *faults, CfSimCall *call);
/* Answers in the place of the dialect. Returns: FALSE: the dialect acts first. */
gboolean cf_sim_fault_before(CfSim *sim, CfSimCall *call, const CfSimFault *fault);
void cf_sim_fault_after(CfSimCall *call, const CfSimFault *fault);

/* journal.c: the counters and the last requests. */
CfSimJournal *cf_sim_journal_new(void);
void cf_sim_journal_free(CfSimJournal *journal);
void cf_sim_journal_count(CfSimJournal *journal, CfSimCall *call);
void cf_sim_journal_note(CfSimJournal *journal, const CfSimCall *call);
void cf_sim_journal_counters(CfSimJournal *journal, GString *out);
void cf_sim_journal_requests(CfSimJournal *journal, GString *out);
void cf_sim_journal_reset_counters(CfSimJournal *journal);
void cf_sim_journal_reset_requests(CfSimJournal *journal);

/* tokens.c: bearer tokens and who gets them. */
CfSimTokens *cf_sim_tokens_new(void);
void cf_sim_tokens_free(CfSimTokens *tokens);
/* Whether the Authorization header carries a good token. */
gboolean cf_sim_tokens_good(CfSim *sim, const CfSimCall *call);
/* Returns: (transfer none): a new access token. */
const char *cf_sim_tokens_make(CfSim *sim, guint life_s);
gboolean cf_sim_tokens_valid(CfSim *sim, const char *token);
/* access_token, expires_in, refresh_token, … */
void cf_sim_tokens_issue(CfSim *sim, CfSimCall *call);
gboolean cf_sim_tokens_may_refresh(CfSim *sim, const char *refresh_token);
void cf_sim_tokens_revoke(CfSimTokens *tokens, gboolean refresh_too);
/* Remembers a request's random text. Returns: FALSE: it was used before. */
gboolean cf_sim_tokens_fresh(CfSimTokens *tokens, const char *random_text);

/* listing.c: one page of a collection. */
typedef struct {
    CfSimKind kind;
    guint64 start, size;   /* the first item's place, from 0; size 0: all the rest */
    const GPtrArray *ids;  /* (nullable) (element-type utf8): only these, in this order */
    const char *filter_id; /* (nullable): tells filters apart, as listings are kept; NULL: none */
    gconstpointer filter;  /* for matches */
    gboolean (*matches)(CfSimSpan record, gconstpointer filter);
    /* In the place of matches, where more than the text is needed. */
    gboolean (*picks)(CfSimRecord *record, gconstpointer filter);
    const char *sort; /* (nullable) */
    gboolean descending;
    /* Returns: (transfer full) (nullable): what the record is sorted by */
    char *(*sort_key)(CfSimSpan record, const char *sort);
    /* In the place of sort_key; what is equal stays in the world's order. */
    gint (*compare)(CfSimRecord *a, CfSimRecord *b, const char *sort);
    void (*render)(CfSim *sim, const CfSimRecord *record, GString *out);
} CfSimQuery;

/* Returns: how many records there are in all. */
guint cf_sim_listing_total(CfSim *sim, const CfSimQuery *query, CfSimTwist twist);
/* The record's place in the listing, from 0. Returns: FALSE: it is not there. */
gboolean cf_sim_listing_find(CfSim *sim, const CfSimQuery *query, const char *id,
                             guint64 *ret_place);
/* Appends the page's records, with commas between them. Returns: how many there are. */
guint cf_sim_listing(CfSim *sim, const CfSimQuery *query, CfSimTwist twist, GString *out);
/* Returns: (transfer none): the last record of a page of n (> 0), which was appended. */
const CfSimRecord *cf_sim_listing_last(CfSim *sim, const CfSimQuery *query, CfSimTwist twist,
                                       guint n);
void cf_sim_listing_forget(gpointer listing);

/* hostile.c: records that try to break their reader. */
typedef enum {
    CF_SIM_HOSTILE_SET,     /* key, JSON text */
    CF_SIM_HOSTILE_REMOVE,  /* key */
    CF_SIM_HOSTILE_APPEND,  /* text of further members, even if the keys are there already */
    CF_SIM_HOSTILE_LONG,    /* key, a text that is repeated 300 times */
    CF_SIM_HOSTILE_LARGE,   /* key, the same 30,000 times */
    CF_SIM_HOSTILE_NEST,    /* key, an object in 60 objects */
    CF_SIM_HOSTILE_MANY,    /* key, an array of 400 times that */
    CF_SIM_HOSTILE_NEXT_ID, /* key: takes the id of the next record */
} CfSimHostileWay;

typedef struct {
    CfSimHostileWay way;
    const char *key, *text;
} CfSimHostileRow;

typedef struct {
    const char *id, *name, *status; /* what the members are called that every record has */
    const char *on, *off;           /* two states */
    const CfSimHostileRow *rows;    /* for further members of this kind */
    guint n_rows;
} CfSimHostile;

/* Spoils a plain record, in a way that depends on the index alone.
 * Returns: (transfer full): JSON text; takes text. */
char *cf_sim_hostile(const CfSimHostile *hostile, guint64 index, char *text, const char *next_id);
/* Returns: (transfer full): tags that are as bad. */
GPtrArray *cf_sim_hostile_tags(guint64 index);

G_END_DECLS
