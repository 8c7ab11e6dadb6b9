#include "tree/attr-private.h"

#include <string.h>

#include "model/power.h"
#include "util/error.h"
#include "util/text.h"

#define FIELD(number) .field = (number), .aspects = CF_ASPECT(number)
#define NO_FIELD .field = -1
#define READ_ONLY .mode = S_IFREG | 0444, .action = -1

/* ---- what is allowed ---- */

gboolean
cf_attr_can(const CfSubject *subject, CfActionKind kind)
{
    const CfProviderOps *ops = cf_inventory_get_ops(subject->inventory);

    return (ops->can[subject->collection] & CF_CAN(kind)) &&
           (cf_record_get_can(subject->resource->record) & CF_CAN(kind));
}

static gboolean
may(const CfSubject *subject, CfActionKind kind)
{
    return !cf_inventory_get_options(subject->inventory)->ro &&
           !cf_resource_is_deleted(subject->resource) && cf_attr_can(subject, kind);
}

static gboolean
visible_always(const CfSubject *subject)
{
    return TRUE;
}

static gboolean
visible_power(const CfSubject *subject)
{
    return (cf_inventory_get_ops(subject->inventory)->can[CF_SERVERS] & CF_CAN(CF_ACTION_POWER)) !=
           0;
}

static gboolean
visible_description(const CfSubject *subject)
{
    guint field = subject->collection == CF_SERVERS ? (guint) CF_SERVER_DESCRIPTION
                                                    : (guint) CF_IMAGE_DESCRIPTION;

    return cf_resource_get(subject->resource, field) || cf_attr_can(subject, CF_ACTION_DESCRIBE);
}

static gboolean
visible_tags(const CfSubject *subject)
{
    guint field =
        subject->collection == CF_SERVERS ? (guint) CF_SERVER_TAGS : (guint) CF_IMAGE_TAGS;
    gboolean apart =
        subject->collection == CF_SERVERS && cf_inventory_get_ops(subject->inventory)->tags_apart;

    return cf_resource_get(subject->resource, field) ||
           (!apart && cf_attr_can(subject, CF_ACTION_TAGS));
}

static gboolean
visible_console(const CfSubject *subject)
{
    return may(subject, CF_ACTION_CONSOLE);
}

static gboolean
visible_console_url(const CfSubject *subject)
{
    return cf_attr_can(subject, CF_ACTION_CONSOLE);
}

static gboolean
visible_capture(const CfSubject *subject)
{
    return may(subject, CF_ACTION_CAPTURE);
}

static gboolean
visible_captured(const CfSubject *subject)
{
    return cf_attr_can(subject, CF_ACTION_CAPTURE);
}

static gboolean
visible_delete(const CfSubject *subject)
{
    return cf_inventory_get_options(subject->inventory)->allow_delete &&
           may(subject, CF_ACTION_DELETE);
}

/* ---- showing ---- */

static void
show_nothing(const CfSubject *subject, GString *out)
{
}

void
cf_attr_show_line(GString *out, const char *text)
{
    if (!text || !*text)
        return;
    g_string_append(out, text);
    if (out->str[out->len - 1] != '\n')
        g_string_append_c(out, '\n');
}

static void
show_power(const CfSubject *subject, GString *out)
{
    CfPower power = cf_power_of_state(cf_record_get_state(subject->resource->record));

    cf_attr_show_line(out, cf_power_to_string(power));
}

static void
show_power_choices(const CfSubject *subject, GString *out)
{
    const CfRecord *record = subject->resource->record;
    guint verbs = cf_verbs_of(record) & cf_inventory_get_ops(subject->inventory)->verbs;

    if (cf_resource_is_deleted(subject->resource))
        return;
    for (guint verb = 0; verb < CF_VERB_N; verb++)
        if (verbs & 1u << verb)
            g_string_append_printf(out, verb == cf_verb_current(record) ? "[%s]\n" : "%s\n",
                                   cf_verb_to_string(verb));
}

static void
show_image(const CfSubject *subject, GString *out)
{
    g_autofree char *id = cf_id_encode(cf_resource_get(subject->resource, CF_SERVER_IMAGE));

    g_string_append_printf(out, "../../../images/by-id/%s", id);
}

static gboolean
visible_image(const CfSubject *subject)
{
    const char *id = cf_resource_get(subject->resource, CF_SERVER_IMAGE);

    return id && *id;
}

static void
show_last_error(const CfSubject *subject, GString *out)
{
    if (subject->resource->local)
        cf_attr_show_line(out, subject->resource->local->last_error);
}

static void
show_captured(const CfSubject *subject, GString *out)
{
    if (subject->resource->local)
        cf_attr_show_line(out, subject->resource->local->captured);
}

static void
show_console_url(const CfSubject *subject, GString *out)
{
    if (subject->resource->local)
        cf_attr_show_line(out, subject->resource->local->console_url);
}

static void
show_raw_json(const CfSubject *subject, GString *out)
{
    CfJsonSpan span;

    span.text = cf_record_get_raw(subject->resource->base, &span.len);
    cf_json_pretty(span, cf_inventory_get_ops(subject->inventory)->is_secret, out);
}

/* ---- storing ---- */

CfAction *
cf_attr_action_of(const CfSubject *subject, CfActionKind kind)
{
    return cf_action_new(kind, subject->collection, cf_record_get_id(subject->resource->record));
}

static CfAction *
store_power(const CfSubject *subject, const char *text, GError **error)
{
    CfAction *action;
    CfVerb verb;

    if (!cf_verb_from_string(text, cf_inventory_get_ops(subject->inventory)->verbs, &verb, error))
        return NULL;
    action = cf_attr_action_of(subject, CF_ACTION_POWER);
    action->verb = verb;
    return action;
}

/* JSON and URLs have no other bytes: the cloud would be sent something else than was written. */
static gboolean
is_text(const char *text, GError **error)
{
    if (g_utf8_validate(text, -1, NULL))
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "text is written in UTF-8");
    return FALSE;
}

static CfAction *
store_name(const CfSubject *subject, const char *text, GError **error)
{
    CfAction *action;

    if (!*text || strchr(text, '\n')) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "a name is one line that is not empty");
        return NULL;
    }
    if (!is_text(text, error))
        return NULL;
    action = cf_attr_action_of(subject, CF_ACTION_RENAME);
    action->text = g_strdup(text);
    return action;
}

static CfAction *
store_description(const CfSubject *subject, const char *text, GError **error)
{
    CfAction *action;

    if (!is_text(text, error))
        return NULL;
    action = cf_attr_action_of(subject, CF_ACTION_DESCRIBE);
    action->text = g_strdup(text);
    return action;
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static CfAction *
store_tags(const CfSubject *subject, const char *text, GError **error)
{
    gint64 max = cf_inventory_get_ops(subject->inventory)->tag_max;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func(g_free);
    CfAction *action;

    for (guint i = 0; lines[i]; i++) {
        if (max > 0 && strlen(lines[i]) > (gsize) max) {
            g_set_error(error, CF_ERROR, CF_ERROR_NAME_TOO_LONG, "a tag has at most %d bytes",
                        (int) max);
            return NULL;
        }
        if (*lines[i] && !g_ptr_array_find_with_equal_func(tags, lines[i], g_str_equal, NULL))
            g_ptr_array_add(tags, g_strdup(lines[i]));
    }
    g_ptr_array_sort(tags, compare_texts);
    g_ptr_array_set_free_func(tags, NULL);
    g_ptr_array_add(tags, NULL);
    action = cf_attr_action_of(subject, CF_ACTION_TAGS);
    g_strfreev(action->tags);
    action->tags = (char **) g_ptr_array_free(g_steal_pointer(&tags), FALSE);
    return action;
}

static CfAction *
store_console(const CfSubject *subject, const char *text, GError **error)
{
    const char *const *types = cf_inventory_get_ops(subject->inventory)->consoles;
    g_autofree char *words = g_strjoinv(", ", (char **) types);
    CfAction *action;

    if (!g_strv_contains(types, text)) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "console takes: %s", words);
        return NULL;
    }
    action = cf_attr_action_of(subject, CF_ACTION_CONSOLE);
    action->text = g_strdup(text);
    return action;
}

static CfAction *
store_capture(const CfSubject *subject, const char *text, GError **error)
{
    const char *end = strchrnul(text, '\n');
    CfAction *action;

    if (end == text) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "capture takes the new image's name; further lines are its description");
        return NULL;
    }
    if (!is_text(text, error))
        return NULL;
    action = cf_attr_action_of(subject, CF_ACTION_CAPTURE);
    action->text = g_strndup(text, (gsize) (end - text));
    action->description = g_strdup(*end ? end + 1 : "");
    return action;
}

static CfAction *
store_delete(const CfSubject *subject, const char *text, GError **error)
{
    if (strcmp(text, cf_record_get_id(subject->resource->record)) != 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "delete takes the image's own id, to show that it is meant");
        return NULL;
    }
    return cf_attr_action_of(subject, CF_ACTION_DELETE);
}

/* ---- the tables ---- */

#define PLAIN(text, number)                                                                        \
    {                                                                                              \
        .name = text, READ_ONLY, FIELD(number)                                                     \
    }
#define ALWAYS(text, number)                                                                       \
    {                                                                                              \
        .name = text, READ_ONLY, FIELD(number), .visible = visible_always                          \
    }

#define POLLED(text, number)                                                                       \
    {                                                                                              \
        .name = text, READ_ONLY, FIELD(number), .visible = visible_always, .poll = TRUE            \
    }

#define COMMON_CONTROLS(tags_field, description_field)                                             \
    {.name = "name",                                                                               \
     .mode = S_IFREG | 0644,                                                                       \
     .field = CF_FIELD_NAME,                                                                       \
     .action = CF_ACTION_RENAME,                                                                   \
     .aspects = CF_ASPECT(CF_FIELD_NAME),                                                          \
     .visible = visible_always,                                                                    \
     .store = store_name},                                                                         \
        {.name = "description",                                                                    \
         .mode = S_IFREG | 0644,                                                                   \
         .field = description_field,                                                               \
         .action = CF_ACTION_DESCRIBE,                                                             \
         .aspects = CF_ASPECT(description_field),                                                  \
         .visible = visible_description,                                                           \
         .store = store_description},                                                              \
    {                                                                                              \
        .name = "tags", .mode = S_IFREG | 0644, .field = tags_field, .action = CF_ACTION_TAGS,     \
        .aspects = CF_ASPECT(tags_field), .visible = visible_tags, .store = store_tags             \
    }

#define COMMON_LOCAL                                                                               \
    {.name = "last_error",                                                                         \
     READ_ONLY,                                                                                    \
     NO_FIELD,                                                                                     \
     .aspects = CF_ASPECT(CF_ASPECT_LAST_ERROR),                                                   \
     .type = "text",                                                                               \
     .visible = visible_always,                                                                    \
     .show = show_last_error,                                                                      \
     .doc = "The cloud's own words for the last failed action on this resource; empty after a "    \
            "success."},                                                                           \
        {.name = "raw.json",                                                                       \
         .mode = S_IFREG | 0400,                                                                   \
         .action = -1,                                                                             \
         NO_FIELD,                                                                                 \
         .aspects = CF_ASPECT(CF_ASPECT_RAW),                                                      \
         .type = "json",                                                                           \
         .visible = visible_always,                                                                \
         .show = show_raw_json,                                                                    \
         .doc = "The cloud's answer for this resource: every field, values unchanged."},           \
    {                                                                                              \
        .name = "raw", .mode = S_IFDIR | 0500, .action = -1, NO_FIELD,                             \
        .aspects = CF_ASPECT(CF_ASPECT_RAW), .type = "dir", .dir = CF_KIND_RAW,                    \
        .visible = visible_always, .show = show_nothing,                                           \
        .doc = "That answer as a tree; writing raw/refresh asks for this "                         \
               "resource alone."                                                                   \
    }

static CfAttribute server_attributes[] = {
    ALWAYS("id", CF_SERVER_ID),
    POLLED("status", CF_SERVER_STATUS),
    POLLED("state", CF_SERVER_STATE),
    COMMON_CONTROLS(CF_SERVER_TAGS, CF_SERVER_DESCRIPTION),
    {.name = "power",
     .poll = TRUE,
     .mode = S_IFREG | 0644,
     NO_FIELD,
     .action = CF_ACTION_POWER,
     .aspects = CF_ASPECT(CF_ASPECT_POWER) | CF_ASPECT(CF_SERVER_STATE),
     .type = "text",
     .visible = visible_power,
     .show = show_power,
     .store = store_power,
     .doc = "Reads on, off, paused, suspended, changing or unknown; takes on, off, off hard, "
            "reboot, reboot hard (also start, stop, poweroff, restart, reset), and where the cloud "
            "has them pause, unpause, suspend, resume, shelve, unshelve."},
    {.name = "power_choices",
     READ_ONLY,
     NO_FIELD,
     .aspects = CF_ASPECT(CF_SERVER_STATE) | CF_ASPECT(CF_ASPECT_CAN),
     .type = "list",
     .visible = visible_power,
     .show = show_power_choices,
     .doc = "The words that power takes right now, the current one in brackets."},
    PLAIN("task", CF_SERVER_TASK),
    PLAIN("created", CF_SERVER_CREATED),
    PLAIN("updated", CF_SERVER_UPDATED),
    PLAIN("zone", CF_SERVER_ZONE),
    PLAIN("region", CF_SERVER_REGION),
    PLAIN("host", CF_SERVER_HOST),
    PLAIN("key_name", CF_SERVER_KEY_NAME),
    PLAIN("flavor", CF_SERVER_FLAVOR),
    PLAIN("vcpus", CF_SERVER_VCPUS),
    PLAIN("ram_mb", CF_SERVER_RAM_MB),
    PLAIN("root_disk_gb", CF_SERVER_ROOT_DISK_GB),
    PLAIN("addresses", CF_SERVER_ADDRESSES),
    PLAIN("private_addresses", CF_SERVER_PRIVATE_ADDRESSES),
    PLAIN("public_addresses", CF_SERVER_PUBLIC_ADDRESSES),
    PLAIN("security_groups", CF_SERVER_SECURITY_GROUPS),
    PLAIN("charge_type", CF_SERVER_CHARGE_TYPE),
    PLAIN("expires", CF_SERVER_EXPIRES),
    PLAIN("fault", CF_SERVER_FAULT),
    {.name = "lock",
     .mode = S_IFREG | 0644,
     .field = CF_SERVER_LOCK,
     .action = CF_ACTION_LOCK,
     .aspects = CF_ASPECT(CF_SERVER_LOCK),
     .store = cf_attr_store_lock},
    {.name = "locked_reason",
     .mode = S_IFREG | 0644,
     .field = CF_SERVER_LOCKED_REASON,
     .action = CF_ACTION_LOCK_REASON,
     .aspects = CF_ASPECT(CF_SERVER_LOCKED_REASON),
     .visible = cf_attr_visible_locked_reason,
     .store = cf_attr_store_locked_reason},
    {.name = "metadata",
     .mode = S_IFDIR | 0755,
     NO_FIELD,
     .action = CF_ACTION_METADATA,
     .aspects = CF_ASPECT(CF_SERVER_METADATA),
     .type = "dir",
     .dir = CF_KIND_META,
     .visible = cf_attr_visible_metadata,
     .show = show_nothing,
     .doc = "The user's own keys, a file each; a new file becomes one when it is written."},
    {.name = "image",
     .mode = S_IFLNK | 0777,
     .field = -1,
     .action = -1,
     .aspects = CF_ASPECT(CF_SERVER_IMAGE),
     .type = "link",
     .visible = visible_image,
     .show = show_image,
     .doc = "The directory of the image that the server was made from; dangling where it is gone."},
    {.name = "console",
     .mode = S_IFREG | 0200,
     NO_FIELD,
     .action = CF_ACTION_CONSOLE,
     .aspects = CF_ASPECT(CF_ASPECT_CONSOLE),
     .type = "text",
     .visible = visible_console,
     .show = show_nothing,
     .store = store_console,
     .doc = "Takes a type of console (novnc); console_url then has the URL."},
    {.name = "console_url",
     .mode = S_IFREG | 0400,
     .action = -1,
     NO_FIELD,
     .aspects = CF_ASPECT(CF_ASPECT_CONSOLE_URL),
     .type = "text",
     .visible = visible_console_url,
     .show = show_console_url,
     .doc = "The URL that a write to console asked for, until it expires (at most 300 s)."},
    {.name = "console.log",
     .mode = S_IFREG | 0600,
     NO_FIELD,
     .action = CF_ACTION_CONSOLE_LOG,
     .aspects = CF_ASPECT(CF_ASPECT_CONSOLE_LOG),
     .type = "text",
     .visible = cf_attr_visible_console_log,
     .show = cf_attr_show_console_log,
     .store = cf_attr_store_console_log,
     .doc = "Takes fetch; then the last 64 KiB of what the console printed can be read."},
    {.name = "capture",
     .mode = S_IFREG | 0200,
     NO_FIELD,
     .action = CF_ACTION_CAPTURE,
     .aspects = CF_ASPECT(CF_ASPECT_CAPTURE),
     .type = "text",
     .visible = visible_capture,
     .show = show_nothing,
     .store = store_capture,
     .doc = "Takes a name (further lines: the description) and makes an image of the server."},
    {.name = "captured",
     READ_ONLY,
     NO_FIELD,
     .aspects = CF_ASPECT(CF_ASPECT_CAPTURED),
     .type = "text",
     .visible = visible_captured,
     .show = show_captured,
     .doc = "The id of the image that the last capture makes."},
    COMMON_LOCAL,
};

static CfAttribute image_attributes[] = {
    ALWAYS("id", CF_IMAGE_ID),
    POLLED("status", CF_IMAGE_STATUS),
    POLLED("state", CF_IMAGE_STATE),
    COMMON_CONTROLS(CF_IMAGE_TAGS, CF_IMAGE_DESCRIPTION),
    PLAIN("size", CF_IMAGE_SIZE),
    PLAIN("min_disk_gb", CF_IMAGE_MIN_DISK_GB),
    PLAIN("min_ram_mb", CF_IMAGE_MIN_RAM_MB),
    PLAIN("os", CF_IMAGE_OS),
    PLAIN("os_family", CF_IMAGE_OS_FAMILY),
    PLAIN("platform", CF_IMAGE_PLATFORM),
    PLAIN("arch", CF_IMAGE_ARCH),
    PLAIN("visibility", CF_IMAGE_VISIBILITY),
    PLAIN("owner", CF_IMAGE_OWNER),
    PLAIN("provider", CF_IMAGE_PROVIDER),
    PLAIN("format", CF_IMAGE_FORMAT),
    PLAIN("checksum", CF_IMAGE_CHECKSUM),
    PLAIN("created", CF_IMAGE_CREATED),
    PLAIN("updated", CF_IMAGE_UPDATED),
    {.name = "delete",
     .mode = S_IFREG | 0200,
     NO_FIELD,
     .action = CF_ACTION_DELETE,
     .aspects = CF_ASPECT(CF_ASPECT_DELETE),
     .type = "text",
     .visible = visible_delete,
     .show = show_nothing,
     .store = store_delete,
     .doc = "Takes the image's own id and deletes it; there only with the option allow_delete."},
    COMMON_LOCAL,
};

static const char *
field_type(CfFieldType type)
{
    static const char *const names[CF_FIELD_TYPE_N] = {
        [CF_FIELD_TEXT] = "text",
        [CF_FIELD_NUMBER] = "number",
        [CF_FIELD_TIME] = "time",
        [CF_FIELD_LIST] = "list",
    };

    return names[type];
}

/* What the schema says of a field is said once. */
static void
complete(CfCollection collection, CfAttribute *rows, guint n)
{
    const CfField *fields = cf_schema_get(collection, &(guint){0});

    for (guint i = 0; i < n; i++) {
        if (rows[i].field < 0)
            continue;
        rows[i].type = field_type(fields[rows[i].field].type);
        rows[i].unit = fields[rows[i].field].unit;
        rows[i].doc = fields[rows[i].field].doc;
    }
}

const CfAttribute *
cf_attributes_get(CfCollection collection, guint *ret_n)
{
    static gsize once;

    if (g_once_init_enter(&once)) {
        complete(CF_SERVERS, server_attributes, G_N_ELEMENTS(server_attributes));
        complete(CF_IMAGES, image_attributes, G_N_ELEMENTS(image_attributes));
        g_once_init_leave(&once, 1);
    }
    *ret_n =
        collection == CF_SERVERS ? G_N_ELEMENTS(server_attributes) : G_N_ELEMENTS(image_attributes);
    return collection == CF_SERVERS ? server_attributes : image_attributes;
}

int
cf_attributes_find(CfCollection collection, const char *name)
{
    guint n;
    const CfAttribute *rows = cf_attributes_get(collection, &n);

    for (guint i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return (int) i;
    return -1;
}

gboolean
cf_attribute_is_visible(const CfAttribute *attribute, const CfSubject *subject)
{
    if (attribute->visible)
        return attribute->visible(subject);
    return cf_resource_get(subject->resource, (guint) attribute->field) != NULL;
}

mode_t
cf_attribute_get_mode(const CfAttribute *attribute, const CfSubject *subject)
{
    mode_t mode = attribute->mode;

    if (attribute->action >= 0 && !may(subject, (CfActionKind) attribute->action))
        mode &= ~(mode_t) 0222;
    if (attribute->aspects == CF_ASPECT(CF_ASPECT_RAW) &&
        cf_inventory_get_options(subject->inventory)->raw_world)
        mode |= S_ISDIR(mode) ? 0055 : 0044;
    return mode;
}

gboolean
cf_attribute_asks(const CfAttribute *attribute, const CfSubject *subject)
{
    return attribute->action >= 0 && cf_attribute_is_visible(attribute, subject) &&
           !cf_inventory_get_options(subject->inventory)->ro &&
           !cf_resource_is_deleted(subject->resource) &&
           (cf_inventory_get_ops(subject->inventory)->can[subject->collection] &
            CF_CAN(attribute->action)) &&
           cf_record_asks(subject->resource->record);
}

void
cf_attribute_show(const CfAttribute *attribute, const CfSubject *subject, GString *out)
{
    if (attribute->show)
        attribute->show(subject, out);
    else
        cf_attr_show_line(out, cf_resource_get(subject->resource, (guint) attribute->field));
}
