#include "model/action.h"

#include "util/error.h"

#include <string.h>

static const char *const kind_names[CF_ACTION_N] = {
    [CF_ACTION_POWER] = "power",
    [CF_ACTION_RENAME] = "rename",
    [CF_ACTION_DESCRIBE] = "describe",
    [CF_ACTION_TAGS] = "tags",
    [CF_ACTION_CONSOLE] = "console",
    [CF_ACTION_CAPTURE] = "capture",
    [CF_ACTION_DELETE] = "delete",
    [CF_ACTION_LOCK] = "lock",
    [CF_ACTION_LOCK_REASON] = "lock",
    [CF_ACTION_METADATA] = "metadata",
    [CF_ACTION_CONSOLE_LOG] = "console.log",
};

const char *
cf_action_kind_to_string(CfActionKind kind)
{
    g_return_val_if_fail((guint) kind < CF_ACTION_N, NULL);

    return kind_names[kind];
}

int
cf_action_field(CfActionKind kind, CfCollection collection)
{
    gboolean servers = collection == CF_SERVERS;

    switch (kind) {
    case CF_ACTION_RENAME:
        return CF_FIELD_NAME;
    case CF_ACTION_DESCRIBE:
        return servers ? (int) CF_SERVER_DESCRIPTION : (int) CF_IMAGE_DESCRIPTION;
    case CF_ACTION_TAGS:
        return servers ? (int) CF_SERVER_TAGS : (int) CF_IMAGE_TAGS;
    case CF_ACTION_LOCK:
        return CF_SERVER_LOCK;
    case CF_ACTION_LOCK_REASON:
        return CF_SERVER_LOCKED_REASON;
    case CF_ACTION_METADATA:
        return CF_SERVER_METADATA;
    case CF_ACTION_POWER:
    case CF_ACTION_CONSOLE:
    case CF_ACTION_CAPTURE:
    case CF_ACTION_DELETE:
    case CF_ACTION_CONSOLE_LOG:
    case CF_ACTION_N:
        break;
    }
    return -1;
}

static const char *const verb_names[CF_VERB_N] = {
    [CF_VERB_ON] = "on",
    [CF_VERB_OFF] = "off",
    [CF_VERB_OFF_HARD] = "off hard",
    [CF_VERB_REBOOT] = "reboot",
    [CF_VERB_REBOOT_HARD] = "reboot hard",
    [CF_VERB_PAUSE] = "pause",
    [CF_VERB_UNPAUSE] = "unpause",
    [CF_VERB_SUSPEND] = "suspend",
    [CF_VERB_RESUME] = "resume",
    [CF_VERB_SHELVE] = "shelve",
    [CF_VERB_UNSHELVE] = "unshelve",
};

static const struct {
    const char *name;
    CfVerb verb;
} synonyms[] = {
    {"start", CF_VERB_ON},       {"stop", CF_VERB_OFF},          {"poweroff", CF_VERB_OFF_HARD},
    {"restart", CF_VERB_REBOOT}, {"reset", CF_VERB_REBOOT_HARD},
};

const char *
cf_verb_to_string(CfVerb verb)
{
    g_return_val_if_fail((guint) verb < CF_VERB_N, NULL);

    return verb_names[verb];
}

/* Returns: (transfer full): the words of text with one blank between them. */
static char *
join_words(const char *text)
{
    GString *words = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        if (!g_ascii_isspace(*p))
            g_string_append_c(words, *p);
        else if (words->len > 0 && words->str[words->len - 1] != ' ')
            g_string_append_c(words, ' ');
    }
    if (words->len > 0 && words->str[words->len - 1] == ' ')
        g_string_truncate(words, words->len - 1);
    return g_string_free(words, FALSE);
}

/* Returns: CF_VERB_N for a word that is none. */
static CfVerb
find_verb(const char *words)
{
    for (guint i = 0; i < CF_VERB_N; i++)
        if (strcmp(verb_names[i], words) == 0)
            return (CfVerb) i;
    for (guint i = 0; i < G_N_ELEMENTS(synonyms); i++)
        if (strcmp(synonyms[i].name, words) == 0)
            return synonyms[i].verb;
    return CF_VERB_N;
}

/* Returns: (transfer full): "on, off or reboot". */
static char *
list_verbs(guint offered)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < CF_VERB_N; i++) {
        guint rest = offered >> i;

        if (!(rest & 1))
            continue;
        if (list->len > 0)
            g_string_append(list, rest == 1 ? " or " : ", ");
        g_string_append(list, verb_names[i]);
    }
    return g_string_free(list, FALSE);
}

gboolean
cf_verb_from_string(const char *text, guint offered, CfVerb *ret_verb, GError **error)
{
    g_autofree char *words = join_words(text);
    g_autofree char *list = NULL;
    CfVerb verb = find_verb(words);

    if (verb != CF_VERB_N && (offered & 1u << verb)) {
        *ret_verb = verb;
        return TRUE;
    }
    if (verb != CF_VERB_N) {
        g_set_error(error, CF_ERROR, CF_ERROR_UNSUPPORTED, "this cloud has no “%s”",
                    verb_names[verb]);
        return FALSE;
    }
    list = list_verbs(offered);
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "power takes %s, not ‘%.64s’", list, words);
    return FALSE;
}

CfAction *
cf_action_new(CfActionKind kind, CfCollection collection, const char *id)
{
    CfAction *action = g_new0(CfAction, 1);

    g_atomic_ref_count_init(&action->refs);
    action->kind = kind;
    action->collection = collection;
    action->ids = g_new0(char *, 2);
    action->ids[0] = g_strdup(id);
    return action;
}

CfAction *
cf_action_ref(CfAction *action)
{
    g_atomic_ref_count_inc(&action->refs);
    return action;
}

void
cf_action_unref(CfAction *action)
{
    if (!action || !g_atomic_ref_count_dec(&action->refs))
        return;
    g_strfreev(action->ids);
    g_free(action->text);
    g_free(action->key);
    g_free(action->description);
    g_strfreev(action->tags);
    g_strfreev(action->tags_before);
    g_free(action);
}

void
cf_action_result_clear(CfActionResult *result)
{
    g_free(result->new_id);
    g_free(result->console_url);
    g_free(result->console_type);
    g_free(result->console_log);
    g_free(result->method_path);
    g_free(result->request_id);
    g_free(result->job_id);
    g_free(result->requests);
    memset(result, 0, sizeof *result);
}
