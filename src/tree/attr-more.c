/* Rows for what few clouds have: locks, metadata, the console's output. */
#include <string.h>

#include "model/metadata.h"
#include "tree/attr-private.h"
#include "util/error.h"

#define NO_FIELD .field = -1

gboolean
cf_attr_visible_locked_reason(const CfSubject *subject)
{
    return cf_resource_get(subject->resource, CF_SERVER_LOCKED_REASON) ||
           cf_attr_can(subject, CF_ACTION_LOCK_REASON);
}

gboolean
cf_attr_visible_metadata(const CfSubject *subject)
{
    return cf_resource_get(subject->resource, CF_SERVER_METADATA) != NULL;
}

static gboolean
visible_key(const CfSubject *subject)
{
    g_autofree char *value =
        cf_metadata_get(cf_resource_get(subject->resource, CF_SERVER_METADATA), subject->key);

    return value != NULL;
}

gboolean
cf_attr_visible_console_log(const CfSubject *subject)
{
    return cf_attr_can(subject, CF_ACTION_CONSOLE_LOG);
}

void
cf_attr_show_console_log(const CfSubject *subject, GString *out)
{
    if (subject->resource->local)
        cf_attr_show_line(out, subject->resource->local->console_log);
}

static void
show_key(const CfSubject *subject, GString *out)
{
    g_autofree char *value =
        cf_metadata_get(cf_resource_get(subject->resource, CF_SERVER_METADATA), subject->key);

    cf_attr_show_line(out, value);
}

gboolean
cf_attribute_is_secret(const CfSubject *subject)
{
    const CfProviderOps *ops = cf_inventory_get_ops(subject->inventory);

    return subject->key && ops->is_secret && ops->is_secret(subject->key);
}

CfAction *
cf_attr_store_console_log(const CfSubject *subject, const char *text, GError **error)
{
    if (strcmp(text, "fetch") != 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "console.log takes: fetch");
        return NULL;
    }
    return cf_attr_action_of(subject, CF_ACTION_CONSOLE_LOG);
}

CfAction *
cf_attr_store_lock(const CfSubject *subject, const char *text, GError **error)
{
    CfAction *action;

    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "lock takes 0 or 1");
        return NULL;
    }
    action = cf_attr_action_of(subject, CF_ACTION_LOCK);
    action->text = g_strdup(text);
    return action;
}

static CfAction *
store_key(const CfSubject *subject, const char *text, GError **error)
{
    CfAction *action;

    if (strcmp(text, CF_JSON_MASK) == 0 && cf_attribute_is_secret(subject)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "that stands for a value that is not shown, and is not the value");
        return NULL;
    }
    action = cf_attr_action_of(subject, CF_ACTION_METADATA);
    action->key = g_strdup(subject->key);
    action->text = g_strdup(text);
    return action;
}

CfAction *
cf_attr_store_locked_reason(const CfSubject *subject, const char *text, GError **error)
{
    CfAction *action;

    if (strchr(text, '\n')) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "the reason of a lock is one line");
        return NULL;
    }
    action = cf_attr_action_of(subject, CF_ACTION_LOCK_REASON);
    action->text = g_strdup(text);
    return action;
}

static const CfAttribute key_attribute = {
    .name = "<key>",
    .mode = S_IFREG | 0644,
    NO_FIELD,
    .action = CF_ACTION_METADATA,
    .aspects = CF_ASPECT(CF_SERVER_METADATA),
    .type = "text",
    .visible = visible_key,
    .show = show_key,
    .store = store_key,
    .doc = "The value of that key; an empty line takes the key away.",
};

const CfAttribute *
cf_attribute_of_key(void)
{
    return &key_attribute;
}
