/* What can be done to resources: values only. */
#pragma once

#include "model/schema.h"

G_BEGIN_DECLS

typedef enum {
    CF_ACTION_POWER,
    CF_ACTION_RENAME,
    CF_ACTION_DESCRIBE,
    CF_ACTION_TAGS,
    CF_ACTION_CONSOLE,
    CF_ACTION_CAPTURE,
    CF_ACTION_DELETE,
    CF_ACTION_LOCK,        /* against changes, or not any more */
    CF_ACTION_LOCK_REASON, /* locks, and says why */
    CF_ACTION_METADATA,    /* one key */
    CF_ACTION_CONSOLE_LOG, /* what the console printed is asked for */
    CF_ACTION_N
} CfActionKind;

#define CF_CAN(kind) (1u << (kind))

const char *cf_action_kind_to_string(CfActionKind kind); /* "power", "rename" … */
/* The field that an accepted action of that kind sets to what was written.
 * Returns: -1: none. */
int cf_action_field(CfActionKind kind, CfCollection collection);

typedef enum {
    CF_VERB_ON,
    CF_VERB_OFF,
    CF_VERB_OFF_HARD,
    CF_VERB_REBOOT,
    CF_VERB_REBOOT_HARD,
    CF_VERB_PAUSE,
    CF_VERB_UNPAUSE,
    CF_VERB_SUSPEND,
    CF_VERB_RESUME,
    CF_VERB_SHELVE,
    CF_VERB_UNSHELVE,
    CF_VERB_N
} CfVerb;

const char *cf_verb_to_string(CfVerb verb); /* "on", "off", "off hard", "reboot", "pause" … */
/* Takes the words and their synonyms (start; stop; poweroff = off hard; restart; reset = reboot
 * hard), with white space around and between trimmed. offered: bits 1 << CfVerb. Returns: FALSE
 * with CF_ERROR_INVALID, naming the words that are offered, or with CF_ERROR_UNSUPPORTED for a verb
 * that is not. */
gboolean cf_verb_from_string(const char *text, guint offered, CfVerb *ret_verb, GError **error);

/* One action on one or several resources of one collection. Immutable once handed on. */
typedef struct {
    gatomicrefcount refs;
    CfActionKind kind;
    CfCollection collection;
    char **ids;  /* NULL-terminated; one, unless kind is POWER or DELETE */
    CfVerb verb; /* POWER */
    /* RENAME, CAPTURE: name; DESCRIBE: description; CONSOLE: type; LOCK: "0", "1"; LOCK_REASON;
     * METADATA: the value, "": the key is taken away */
    char *text;
    char *key;         /* METADATA */
    char *description; /* CAPTURE; "" when none was written */
    char **tags;       /* TAGS: the whole set, NULL-terminated, sorted, without duplicates */
    /* TAGS: (nullable) what the cloud said just before, likewise: for clouds that take only the
     * difference. Set by the inventory. */
    char **tags_before;
} CfAction;

CfAction *cf_action_new(CfActionKind kind, CfCollection collection, const char *id);
CfAction *cf_action_ref(CfAction *action);
void cf_action_unref(CfAction *action); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfAction, cf_action_unref)

/* What the cloud gave back for an accepted action. */
typedef struct {
    char *new_id;         /* CAPTURE: the image's id (nullable) */
    char *console_url;    /* CONSOLE */
    char *console_type;   /* CONSOLE */
    guint console_life_s; /* CONSOLE: seconds that the URL lives; 0: not told */
    char *console_log;    /* CONSOLE_LOG: its end */
    guint done, failed;   /* DELETE of several: the cloud's counts, where it tells only those */
    char *method_path;    /* "POST /v1/servers/<id>/action", for the journal */
    char *request_id;     /* (nullable) */
    char *job_id;         /* (nullable): what CfProviderOps.job() follows */
    int http_status;
    char *requests; /* (nullable) a dry run: what would be sent, a call and its body by turns, a
                     * line each */
} CfActionResult;

void cf_action_result_clear(CfActionResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfActionResult, cf_action_result_clear)

G_END_DECLS
