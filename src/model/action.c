#include "model/action.h"

#include "util/error.h"

#include <string.h>

static const char *const kind_names[CF_ACTION_N] = {
    [CF_ACTION_POWER] = "power",       [CF_ACTION_RENAME] = "rename",
    [CF_ACTION_DESCRIBE] = "describe", [CF_ACTION_TAGS] = "tags",
    [CF_ACTION_CONSOLE] = "console",   [CF_ACTION_CAPTURE] = "capture",
    [CF_ACTION_DELETE] = "delete",
};

const char *
cf_action_kind_to_string(CfActionKind kind)
{
    g_return_val_if_fail((guint) kind < CF_ACTION_N, NULL);

    return kind_names[kind];
}

static const char *const verb_names[CF_VERB_N] = {
    [CF_VERB_ON] = "on",
    [CF_VERB_OFF] = "off",
    [CF_VERB_OFF_HARD] = "off hard",
    [CF_VERB_REBOOT] = "reboot",
    [CF_VERB_REBOOT_HARD] = "reboot hard",
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

gboolean
cf_verb_from_string(const char *text, CfVerb *ret_verb, GError **error)
{
    g_autofree char *words = join_words(text);

    for (guint i = 0; i < CF_VERB_N; i++) {
        if (strcmp(verb_names[i], words) == 0) {
            *ret_verb = (CfVerb) i;
            return TRUE;
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(synonyms); i++) {
        if (strcmp(synonyms[i].name, words) == 0) {
            *ret_verb = synonyms[i].verb;
            return TRUE;
        }
    }
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                "power takes on, off, off hard, reboot or reboot hard, not ‘%.64s’", words);
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
    g_free(result->method_path);
    g_free(result->request_id);
    g_free(result->job_id);
    memset(result, 0, sizeof *result);
}
