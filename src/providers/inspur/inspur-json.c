#include "providers/inspur/private.h"

#include "providers/take.h"
#include "json/fields.h"

#include <stdlib.h>
#include <string.h>

#define CHINA_S (8 * 3600) /* the zone of times that name none; seen in an order of theirs */

/* --- states ----------------------------------------------------------------------------------- */

static const struct {
    const char *status;
    CfState state;
    gboolean passing; /* goes on to another status by itself */
} server_states[] = {
    {"ACTIVE", CF_STATE_RUNNING, FALSE},
    {"SHUTOFF", CF_STATE_STOPPED, FALSE},
    {"STOPPED", CF_STATE_STOPPED, FALSE},
    {"PAUSED", CF_STATE_PAUSED, FALSE},
    {"BUILD", CF_STATE_BUILDING, TRUE},
    {"REBOOT", CF_STATE_REBOOTING, TRUE},
    {"HARD_REBOOT", CF_STATE_REBOOTING, TRUE},
    {"RESIZE", CF_STATE_RESIZING, TRUE},
    {"REBUILD", CF_STATE_REBUILDING, TRUE},
    {"PASSWORD", CF_STATE_RUNNING, TRUE},
    {"ERROR", CF_STATE_ERROR, FALSE},
    {"SOFT_DELETED", CF_STATE_DELETED, FALSE},
    {"DELETED", CF_STATE_DELETED, FALSE},
    {"EXPIRED", CF_STATE_STOPPED, FALSE},
    /* Nova has these; the document does not. */
    {"SUSPENDED", CF_STATE_SUSPENDED, FALSE},
    {"RESCUE", CF_STATE_RUNNING, FALSE},
    {"MIGRATING", CF_STATE_RUNNING, TRUE},
    {"REVERT_RESIZE", CF_STATE_RESIZING, TRUE},
    {"VERIFY_RESIZE", CF_STATE_RESIZING, FALSE}, /* waits for somebody to confirm */
    {"SHELVED", CF_STATE_STOPPED, FALSE},
    {"SHELVED_OFFLOADED", CF_STATE_STOPPED, FALSE},
};

static const struct {
    const char *task;
    CfState state;
} server_tasks[] = {
    {"powering-on", CF_STATE_STARTING},
    {"powering-off", CF_STATE_STOPPING},
    {"deleting", CF_STATE_DELETING},
};

/* Nova's other tasks: something is under way, though the state does not say what. The document's
 * own sample shows a word that is in no list ("xxx"): such a one must not keep a server unsettled
 * for ever. */
static const char *const nova_tasks[] = {
    "scheduling",
    "block_device_mapping",
    "networking",
    "spawning",
    "image_snapshot",
    "image_snapshot_pending",
    "image_pending_upload",
    "image_uploading",
    "image_backup",
    "updating_password",
    "resize_prep",
    "resize_migrating",
    "resize_migrated",
    "resize_finish",
    "resize_reverting",
    "resize_confirming",
    "rebooting",
    "reboot_pending",
    "reboot_started",
    "rebooting_hard",
    "reboot_pending_hard",
    "reboot_started_hard",
    "pausing",
    "unpausing",
    "suspending",
    "resuming",
    "rescuing",
    "unrescuing",
    "rebuilding",
    "rebuild_block_device_mapping",
    "rebuild_spawning",
    "migrating",
    "soft-deleting",
    "restoring",
    "shelving",
    "shelving_image_pending_upload",
    "shelving_offloading",
    "shelving_image_uploading",
    "unshelving",
};

static const struct {
    const char *status;
    CfState state;
} image_states[] = {
    {"queued", CF_STATE_CREATING},
    {"saving", CF_STATE_CREATING},
    {"active", CF_STATE_AVAILABLE},
    {"killed", CF_STATE_ERROR},
    {"pending_delete", CF_STATE_DELETING},
    /* Glance has these; the document does not. */
    {"uploading", CF_STATE_CREATING},
    {"importing", CF_STATE_CREATING},
    {"deactivated", CF_STATE_DISABLED},
    {"deleted", CF_STATE_DELETED},
};

CfState
cf_inspur_server_state(const char *status, const char *task, gboolean *ret_settled)
{
    CfState state = CF_STATE_UNKNOWN;
    gboolean settled = TRUE;

    for (guint i = 0; status && i < G_N_ELEMENTS(server_states); i++) {
        if (g_ascii_strcasecmp(server_states[i].status, status) == 0) {
            state = server_states[i].state;
            settled = !server_states[i].passing;
        }
    }
    for (guint i = 0; task && i < G_N_ELEMENTS(server_tasks); i++) {
        if (g_ascii_strcasecmp(server_tasks[i].task, task) == 0) {
            state = server_tasks[i].state;
            settled = FALSE;
        }
    }
    for (guint i = 0; task && i < G_N_ELEMENTS(nova_tasks); i++)
        if (g_ascii_strcasecmp(nova_tasks[i], task) == 0)
            settled = FALSE;
    if (ret_settled)
        *ret_settled = settled;
    return state;
}

CfState
cf_inspur_image_state(const char *status)
{
    for (guint i = 0; status && i < G_N_ELEMENTS(image_states); i++)
        if (g_ascii_strcasecmp(image_states[i].status, status) == 0)
            return image_states[i].state;
    return CF_STATE_UNKNOWN;
}

/* --- values ----------------------------------------------------------------------------------- */

/* No unit is documented. The sample's 1 for a server with one processor cannot be MiB, which Nova
 * means by this field; no cloud rents 256 GiB and counts them in GiB beside servers below 256 MiB.
 */
static gboolean
take_ram(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *digits = cf_take_digits(value);
    g_autofree char *mib = NULL;

    if (digits && strlen(digits) <= 3 && atoi(digits) < 256)
        mib = g_strdup_printf("%d", atoi(digits) * 1024);
    return cf_take_set(field, target, mib ? mib : digits);
}

static gboolean
take_china_time(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    return cf_take_time_at(field, value, target, CHINA_S);
}

/* --- lists ------------------------------------------------------------------------------------ */

static gboolean
take_nics(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    return cf_take_members(field, value, target, "fixed_ip");
}

static gboolean
take_eip(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    return cf_take_members(field, value, target, "ip_addr");
}

static gboolean
take_groups(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    return cf_take_members(field, value, target, "name");
}

/* An array of words, or as their table has it, one string with commas. */
static gboolean
take_tags(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfRecordBuilder *builder = target;
    guint number = (guint) field->target;
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (cf_json_kind(value) != CF_JSON_STRING) {
        cf_take_members(field, value, target, "name");
    } else {
        text = cf_json_string(value);
        words = g_strsplit(text, ",", -1);
        cf_record_builder_set(builder, number, NULL);
        cf_record_builder_touch(builder, number);
        for (guint i = 0; words[i]; i++)
            cf_record_builder_add(builder, number, g_strstrip(words[i]));
    }
    cf_record_builder_sort(builder, number);
    return cf_record_builder_get(builder, number) != NULL;
}

/* --- records ---------------------------------------------------------------------------------- */

static const CfJsonField server_fields[] = {
    {"id", cf_take_value, CF_SERVER_ID, CF_JSON_REQUIRED},
    {"name", cf_take_name, CF_SERVER_NAME, CF_JSON_OPTIONAL},
    {"status", cf_take_value, CF_SERVER_STATUS, CF_JSON_OPTIONAL},
    {"task_state", cf_take_value, CF_SERVER_TASK, CF_JSON_OPTIONAL},
    {"created", cf_take_time, CF_SERVER_CREATED, CF_JSON_OPTIONAL},
    {"updated", cf_take_time, CF_SERVER_UPDATED, CF_JSON_OPTIONAL},
    {"description", cf_take_value, CF_SERVER_DESCRIPTION, CF_JSON_OPTIONAL},
    {"availability_zone", cf_take_value, CF_SERVER_ZONE, CF_JSON_OPTIONAL},
    {"regionId", cf_take_value, CF_SERVER_REGION, CF_JSON_ANY_CASE},
    {"host", cf_take_value, CF_SERVER_HOST, CF_JSON_OPTIONAL},
    {"key_name", cf_take_value, CF_SERVER_KEY_NAME, CF_JSON_OPTIONAL},
    {"flavor.original_name", cf_take_value, CF_SERVER_FLAVOR, CF_JSON_OPTIONAL},
    {"flavor.vcpus", cf_take_number, CF_SERVER_VCPUS, CF_JSON_OPTIONAL},
    {"flavor.ram", take_ram, CF_SERVER_RAM_MB, CF_JSON_OPTIONAL},
    {"root_volume.size", cf_take_number, CF_SERVER_ROOT_DISK_GB, CF_JSON_OPTIONAL},
    {"nics", take_nics, CF_SERVER_PRIVATE_ADDRESSES, CF_JSON_OPTIONAL},
    {"eip", take_eip, CF_SERVER_PUBLIC_ADDRESSES, CF_JSON_OPTIONAL},
    {"security_groups", take_groups, CF_SERVER_SECURITY_GROUPS, CF_JSON_OPTIONAL},
    {"feeData.chargetype", cf_take_value, CF_SERVER_CHARGE_TYPE, CF_JSON_OPTIONAL},
    {"feeData.nextFeeTime", take_china_time, CF_SERVER_EXPIRES, CF_JSON_OPTIONAL},
    {"image.id", cf_take_value, CF_SERVER_IMAGE, CF_JSON_OPTIONAL},
};

static const CfJsonField image_fields[] = {
    {"id", cf_take_value, CF_IMAGE_ID, CF_JSON_REQUIRED},
    {"name", cf_take_name, CF_IMAGE_NAME, CF_JSON_OPTIONAL},
    {"status", cf_take_value, CF_IMAGE_STATUS, CF_JSON_OPTIONAL},
    {"tags", take_tags, CF_IMAGE_TAGS, CF_JSON_OPTIONAL},
    {"description", cf_take_value, CF_IMAGE_DESCRIPTION, CF_JSON_OPTIONAL},
    {"size", cf_take_number, CF_IMAGE_SIZE, CF_JSON_OPTIONAL},
    {"min_disk", cf_take_number, CF_IMAGE_MIN_DISK_GB, CF_JSON_OPTIONAL},
    {"min_ram", cf_take_number, CF_IMAGE_MIN_RAM_MB, CF_JSON_OPTIONAL},
    {"system", cf_take_value, CF_IMAGE_OS, CF_JSON_OPTIONAL},
    {"systemType", cf_take_lower, CF_IMAGE_OS_FAMILY, CF_JSON_OPTIONAL},
    {"architecture", cf_take_value, CF_IMAGE_ARCH, CF_JSON_OPTIONAL},
    {"visibility", cf_take_value, CF_IMAGE_VISIBILITY, CF_JSON_OPTIONAL},
    {"owner", cf_take_value, CF_IMAGE_OWNER, CF_JSON_OPTIONAL},
    {"disk_format", cf_take_value, CF_IMAGE_FORMAT, CF_JSON_OPTIONAL},
    {"checksum", cf_take_value, CF_IMAGE_CHECKSUM, CF_JSON_OPTIONAL},
    {"created_at", cf_take_time, CF_IMAGE_CREATED, CF_JSON_OPTIONAL},
    {"updated_at", cf_take_time, CF_IMAGE_UPDATED, CF_JSON_OPTIONAL},
};

/* What can be done to it in this state: a deleted server is still listed for a while. */
static guint
server_can(const char *id, CfState state)
{
    if (state == CF_STATE_DELETED || !cf_inspur_is_addressable(CF_SERVERS, id))
        return 0;
    return CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_CONSOLE) |
           CF_CAN(CF_ACTION_CAPTURE);
}

static guint
image_can(const char *id, CfState state, const char *visibility)
{
    if (state == CF_STATE_DELETED || !cf_inspur_is_addressable(CF_IMAGES, id) || !visibility ||
        g_ascii_strcasecmp(visibility, "private") != 0)
        return 0;
    return CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_DELETE);
}

static void
finish_server(CfRecordBuilder *builder)
{
    CfState state =
        cf_inspur_server_state(cf_builder_get(builder, CF_SERVER_STATUS),
                               cf_builder_get(builder, CF_SERVER_TASK), &builder->settled);

    cf_record_builder_set(builder, CF_SERVER_STATE, cf_state_to_string(state));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PRIVATE_ADDRESSES));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PUBLIC_ADDRESSES));
    cf_builder_set_updated(builder, CF_SERVER_UPDATED, CF_SERVER_CREATED);
    builder->can = server_can(cf_builder_get(builder, CF_SERVER_ID), state);
}

static void
finish_image(CfRecordBuilder *builder)
{
    CfState state = cf_inspur_image_state(cf_builder_get(builder, CF_IMAGE_STATUS));

    cf_record_builder_set(builder, CF_IMAGE_STATE, cf_state_to_string(state));
    builder->settled = !cf_state_is_transitional(state);
    cf_builder_set_updated(builder, CF_IMAGE_UPDATED, CF_IMAGE_CREATED);
    builder->can = image_can(cf_builder_get(builder, CF_IMAGE_ID), state,
                             cf_builder_get(builder, CF_IMAGE_VISIBILITY));
}

CfRecord *
cf_inspur_parse(CfCollection collection, CfJsonSpan text, GError **error)
{
    gboolean servers = collection == CF_SERVERS;
    g_auto(CfRecordBuilder) builder;

    cf_record_builder_init(&builder, collection);
    if (!cf_json_read(text, servers ? server_fields : image_fields,
                      servers ? G_N_ELEMENTS(server_fields) : G_N_ELEMENTS(image_fields), &builder,
                      error)) {
        g_prefix_error(error, "%s: ", servers ? "server" : "image");
        return NULL;
    }
    if (servers)
        finish_server(&builder);
    else
        finish_image(&builder);
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

/* GET /v1/images/private is another call, and "." and ".." are taken out of a path by clients,
 * gateways and servers alike: such a request would ask for something else. Nothing can be said of
 * a resource with such an id, not even that it is gone. */
gboolean
cf_inspur_is_addressable(CfCollection collection, const char *id)
{
    if (!id || !*id || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
        return FALSE;
    return collection == CF_SERVERS || strcmp(id, "private") != 0;
}

gboolean
cf_inspur_is_secret(const char *key)
{
    static const char *const parts[] = {"passw",      "adminpass",   "token",     "secret",
                                        "credential", "private_key", "privatekey"};
    static const char *const whole[] = {"locations", "direct_url", "user_data", "userdata"};
    g_autofree char *lower = g_ascii_strdown(key, -1);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(lower, parts[i]))
            return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(whole); i++)
        if (strcmp(lower, whole[i]) == 0)
            return TRUE;
    return FALSE;
}

/* --- answers ---------------------------------------------------------------------------------- */

gboolean
cf_inspur_read_list(const CfInspurAnswer *answer, CfCollection collection, GArray *records,
                    gint64 *ret_total, GError **error)
{
    const char *key = cf_collection_name(collection);
    CfJsonSpan list = {NULL, 0}, total;

    *ret_total = -1;
    if (cf_json_kind(answer->data) == CF_JSON_OBJECT) {
        if (cf_json_get(answer->data, "totalCount", TRUE, &total))
            cf_json_int(total, ret_total);
        cf_json_get(answer->data, key, TRUE, &list);
        if (cf_json_slice(list, records))
            return TRUE;
        /* "None" may be said without a list; but not where some are promised. */
        if (cf_json_kind(list) == CF_JSON_NULL && *ret_total == 0)
            return TRUE;
    } else if (answer->has_data && cf_json_kind(answer->data) == CF_JSON_NULL) {
        *ret_total = 0;
        return TRUE;
    }
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "data.%s: the answer has no such list", key);
    return FALSE;
}

CfJsonSpan
cf_inspur_read_one(const CfInspurAnswer *answer, CfCollection collection)
{
    CfJsonSpan inner;

    if (cf_json_get(answer->data, collection == CF_SERVERS ? "server" : "image", FALSE, &inner) &&
        cf_json_kind(inner) == CF_JSON_OBJECT)
        return inner;
    return answer->data;
}

char **
cf_inspur_read_tags(const CfInspurAnswer *answer, GError **error)
{
    static const CfJsonField fields[] = {{"tags", take_tags, CF_SERVER_TAGS, CF_JSON_OPTIONAL}};
    g_auto(CfRecordBuilder) builder;
    CfJsonSpan tags = {NULL, 0};
    const char *text;

    cf_record_builder_init(&builder, CF_SERVERS);
    if (cf_json_kind(answer->data) == CF_JSON_OBJECT) {
        CfJsonKind kind;

        /* An empty set that nobody told would be written back by the next edit. */
        if (!cf_json_get(answer->data, "tags", FALSE, &tags) ||
            ((kind = cf_json_kind(tags)) != CF_JSON_ARRAY && kind != CF_JSON_STRING &&
             kind != CF_JSON_NULL)) {
            g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                        "data.tags: the answer has no such list");
            return NULL;
        }
        cf_json_read(answer->data, fields, G_N_ELEMENTS(fields), &builder, NULL);
    } else if (!answer->has_data || cf_json_kind(answer->data) != CF_JSON_NULL) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "data: no object with tags in it");
        return NULL;
    }
    text = cf_builder_get(&builder, CF_SERVER_TAGS);
    return text && *text ? g_strsplit(text, "\n", -1) : g_new0(char *, 1);
}

/* Returns: the number behind a word; -1 when the word or the number is not there. */
static gint64
number_after(const char *prose, const char *word)
{
    const char *p = strstr(prose, word);
    gsize gap;

    if (!p)
        return -1;
    p += strlen(word);
    gap = strspn(p, " :");
    if (!g_ascii_isdigit(p[gap]))
        return -1;
    return (gint64) MIN(g_ascii_strtoull(p + gap, NULL, 10), G_MAXINT32);
}

gboolean
cf_inspur_read_counts(const char *prose, guint *ret_done, guint *ret_failed)
{
    gint64 done = number_after(prose, "成功"), failed = number_after(prose, "失败");

    if (done < 0 && failed < 0)
        return FALSE;
    *ret_done = (guint) MAX(done, 0);
    *ret_failed = (guint) MAX(failed, 0);
    return TRUE;
}
