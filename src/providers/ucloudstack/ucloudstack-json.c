#include "providers/take.h"
#include "providers/timestamp.h"
#include "providers/ucloudstack/private.h"
#include "json/fields.h"

#include <string.h>

#define MILLISECONDS_FROM G_GINT64_CONSTANT(100000000000) /* no second before the year 5138 */

/* --- states ----------------------------------------------------------------------------------- */

static const struct {
    const char *status;
    CfState state;
    gboolean passing; /* goes on to another status by itself */
} server_states[] = {
    {"Initializing", CF_STATE_BUILDING, TRUE},    {"Starting", CF_STATE_STARTING, TRUE},
    {"Running", CF_STATE_RUNNING, FALSE},         {"Restarting", CF_STATE_REBOOTING, TRUE},
    {"Stopping", CF_STATE_STOPPING, TRUE},        {"Poweroffing", CF_STATE_STOPPING, TRUE},
    {"Stopped", CF_STATE_STOPPED, FALSE},         {"Resizing", CF_STATE_RESIZING, TRUE},
    {"WaitReinstall", CF_STATE_REBUILDING, TRUE}, {"Reinstalling", CF_STATE_REBUILDING, TRUE},
    {"Migrating", CF_STATE_RUNNING, TRUE},        {"ChangeSGing", CF_STATE_RUNNING, TRUE},
    {"Terminating", CF_STATE_DELETING, TRUE},     {"Terminated", CF_STATE_DELETED, FALSE},
    {"Deleted", CF_STATE_DELETED, FALSE},         {"Failed", CF_STATE_ERROR, FALSE},
};

static const struct {
    const char *status;
    CfState state;
} image_states[] = {
    {"Making", CF_STATE_CREATING},
    {"Uploading", CF_STATE_CREATING},
    {"Available", CF_STATE_AVAILABLE},
    {"Used", CF_STATE_AVAILABLE}, /* means that it can be used, or that it is, which is no less */
    {"Unavailable", CF_STATE_DISABLED},
    {"Failed", CF_STATE_ERROR},
    {"Deleting", CF_STATE_DELETING},
    {"Terminating", CF_STATE_DELETING},
    {"Deleted", CF_STATE_DELETED},
    {"Terminated", CF_STATE_DELETED},
};

CfState
cf_ucloudstack_server_state(const char *status, gboolean *ret_settled)
{
    CfState state = CF_STATE_UNKNOWN;
    gboolean settled = TRUE;

    for (guint i = 0; status && i < G_N_ELEMENTS(server_states); i++) {
        if (g_ascii_strcasecmp(server_states[i].status, status) == 0) {
            state = server_states[i].state;
            settled = !server_states[i].passing;
        }
    }
    if (ret_settled)
        *ret_settled = settled;
    return state;
}

CfState
cf_ucloudstack_image_state(const char *status)
{
    for (guint i = 0; status && i < G_N_ELEMENTS(image_states); i++)
        if (g_ascii_strcasecmp(image_states[i].status, status) == 0)
            return image_states[i].state;
    return CF_STATE_UNKNOWN;
}

/* --- values ----------------------------------------------------------------------------------- */

/* The take functions of take.h need a builder: it stands first. */
typedef struct {
    CfRecordBuilder builder;
    char *image_name, *remark, *project; /* (nullable) each used where the better key has nothing */
    gboolean remarkable;                 /* a base image that lets itself be renamed */
} Reading;

static void
reading_clear(Reading *reading)
{
    cf_record_builder_clear(&reading->builder);
    g_free(reading->image_name);
    g_free(reading->remark);
    g_free(reading->project);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

/* Unix seconds as a number or in a string; 0 means that there is none. */
static gboolean
take_time(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *text = cf_json_scalar(value);
    char utc[CF_TIME_LEN];
    gint64 seconds;
    gboolean there;

    if (cf_json_int(value, &seconds)) {
        if (seconds > MILLISECONDS_FROM)
            seconds /= 1000;
        there = seconds > 0 && cf_time_from_unix(seconds, utc);
    } else {
        there = text && cf_time_read(g_strstrip(text), 0, utc, NULL);
    }
    return cf_take_set(field, target, there ? utc : NULL);
}

/* GiB in the answer, bytes in ours. */
static gboolean
take_size(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *digits = cf_take_digits(value);
    g_autofree char *bytes = NULL;
    guint64 gib, size;

    if (digits && g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, &gib, NULL) &&
        g_uint64_checked_mul(&size, gib, G_GUINT64_CONSTANT(1) << 30))
        bytes = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    return cf_take_set(field, target, bytes);
}

/* A number that is 0 where nobody is meant. */
static gboolean
take_account(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *text = cf_json_scalar(value);

    return cf_take_set(field, target, g_strcmp0(text, "0") == 0 ? NULL : text);
}

static gboolean
take_flag(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    G_STRUCT_MEMBER(gboolean, target, field->target) = cf_json_kind(value) == CF_JSON_TRUE;
    return TRUE;
}

/* Returns: (transfer full) (nullable): NULL for an empty one, too. */
static char *
get_text(CfJsonSpan object, const char *key)
{
    CfJsonSpan value;
    char *text = cf_json_get(object, key, FALSE, &value) ? cf_json_scalar(value) : NULL;

    if (text && !*text)
        g_clear_pointer(&text, g_free);
    return text;
}

static gboolean
says(const char *text, const char *word)
{
    return text && g_ascii_strcasecmp(text, word) == 0;
}

/* An address goes where its type says; one of no known type is in `addresses` alone. */
static void
add_address(CfRecordBuilder *builder, CfJsonSpan info)
{
    g_autofree char *ip = get_text(info, "IP");
    g_autofree char *type = get_text(info, "Type");
    g_autofree char *nic = get_text(info, "NicType");
    guint field = CF_SERVER_ADDRESSES;

    if (says(type, "Private") || (!type && says(nic, "LAN")))
        field = CF_SERVER_PRIVATE_ADDRESSES;
    else if (says(type, "Public") || (!type && says(nic, "WAN")))
        field = CF_SERVER_PUBLIC_ADDRESSES;
    if (ip)
        cf_builder_add_once(builder, field, ip);
}

static void
add_group(CfRecordBuilder *builder, CfJsonSpan info)
{
    g_autofree char *name = get_text(info, "SGName");
    g_autofree char *id = get_text(info, "SGID");

    if (name || id)
        cf_builder_add_once(builder, CF_SERVER_SECURITY_GROUPS, name ? name : id);
}

static gboolean
take_ips(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    static const guint fields[] = {CF_SERVER_PRIVATE_ADDRESSES, CF_SERVER_PUBLIC_ADDRESSES,
                                   CF_SERVER_ADDRESSES, CF_SERVER_SECURITY_GROUPS};
    CfRecordBuilder *builder = target;
    gboolean list = cf_json_kind(value) == CF_JSON_ARRAY;
    CfJsonIter iter;

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        cf_record_builder_set(builder, fields[i], NULL);
        if (list)
            cf_record_builder_touch(builder, fields[i]);
    }
    if (!list)
        return FALSE;
    cf_json_iter_init(&iter, value);
    while (cf_json_iter_next(&iter, NULL, &value)) {
        add_address(builder, value);
        add_group(builder, value);
    }
    return TRUE;
}

/* The size of the first disk to boot from. */
static gboolean
take_disks(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfJsonIter iter;
    CfJsonSpan size;

    cf_take_set(field, target, NULL);
    if (cf_json_kind(value) != CF_JSON_ARRAY)
        return FALSE;
    cf_json_iter_init(&iter, value);
    while (cf_json_iter_next(&iter, NULL, &value)) {
        g_autofree char *type = get_text(value, "Type");

        if (says(type, "Boot") && cf_json_get(value, "Size", FALSE, &size))
            return cf_take_number(field, size, target);
    }
    return FALSE;
}

/* --- records ---------------------------------------------------------------------------------- */

static const CfJsonField server_fields[] = {
    {"VMID", cf_take_value, CF_SERVER_ID, CF_JSON_REQUIRED},
    {"Name", cf_take_name, CF_SERVER_NAME, CF_JSON_OPTIONAL},
    {"State", cf_take_value, CF_SERVER_STATUS, CF_JSON_OPTIONAL},
    {"CreateTime", take_time, CF_SERVER_CREATED, CF_JSON_OPTIONAL},
    {"UpdateTime", take_time, CF_SERVER_UPDATED, CF_JSON_OPTIONAL},
    {"Remark", cf_take_value, CF_SERVER_DESCRIPTION, CF_JSON_OPTIONAL},
    {"Zone", cf_take_value, CF_SERVER_ZONE, CF_JSON_OPTIONAL},
    {"Region", cf_take_value, CF_SERVER_REGION, CF_JSON_OPTIONAL},
    {"HostIP", cf_take_value, CF_SERVER_HOST, CF_JSON_OPTIONAL},
    {"CPU", cf_take_number, CF_SERVER_VCPUS, CF_JSON_OPTIONAL},
    {"Memory", cf_take_number, CF_SERVER_RAM_MB, CF_JSON_OPTIONAL},
    {"DiskInfos", take_disks, CF_SERVER_ROOT_DISK_GB, CF_JSON_OPTIONAL},
    {"IPInfos", take_ips, CF_SERVER_ADDRESSES, CF_JSON_OPTIONAL},
    {"ChargeType", cf_take_value, CF_SERVER_CHARGE_TYPE, CF_JSON_OPTIONAL},
    {"ExpireTime", take_time, CF_SERVER_EXPIRES, CF_JSON_OPTIONAL},
    {"ImageID", cf_take_value, CF_SERVER_IMAGE, CF_JSON_OPTIONAL},
};

static const CfJsonField image_fields[] = {
    {"ImageID", cf_take_value, CF_IMAGE_ID, CF_JSON_REQUIRED},
    {"Name", cf_take_name, CF_IMAGE_NAME, CF_JSON_OPTIONAL},
    {"ImageName", cf_json_take_text, offsetof(Reading, image_name), CF_JSON_OPTIONAL},
    {"ImageStatus", cf_take_value, CF_IMAGE_STATUS, CF_JSON_OPTIONAL},
    {"ImageDescription", cf_take_value, CF_IMAGE_DESCRIPTION, CF_JSON_OPTIONAL},
    {"Remark", cf_json_take_text, offsetof(Reading, remark), CF_JSON_OPTIONAL},
    {"ImageSize", take_size, CF_IMAGE_SIZE, CF_JSON_OPTIONAL},
    {"OSName", cf_take_value, CF_IMAGE_OS, CF_JSON_OPTIONAL},
    {"OSType", cf_take_lower, CF_IMAGE_OS_FAMILY, CF_JSON_OPTIONAL},
    {"OSDistribution", cf_take_value, CF_IMAGE_PLATFORM, CF_JSON_OPTIONAL},
    {"SetArch", cf_take_value, CF_IMAGE_ARCH, CF_JSON_OPTIONAL},
    {"ImageType", cf_take_value, CF_IMAGE_PROVIDER, CF_JSON_OPTIONAL},
    {"CompanyID", take_account, CF_IMAGE_OWNER, CF_JSON_OPTIONAL},
    {"ProjectID", cf_json_take_text, offsetof(Reading, project), CF_JSON_OPTIONAL},
    {"CreateTime", take_time, CF_IMAGE_CREATED, CF_JSON_OPTIONAL},
    {"UpdateTime", take_time, CF_IMAGE_UPDATED, CF_JSON_OPTIONAL},
    {"Remarkable", take_flag, offsetof(Reading, remarkable), CF_JSON_OPTIONAL},
};

static void
finish_server(CfRecordBuilder *builder)
{
    CfState state =
        cf_ucloudstack_server_state(cf_builder_get(builder, CF_SERVER_STATUS), &builder->settled);
    g_autofree char *others = g_strdup(cf_builder_get(builder, CF_SERVER_ADDRESSES));

    cf_record_builder_set(builder, CF_SERVER_ADDRESSES, NULL);
    cf_record_builder_set(builder, CF_SERVER_STATE, cf_state_to_string(state));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PRIVATE_ADDRESSES));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PUBLIC_ADDRESSES));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES, others);
    cf_builder_set_updated(builder, CF_SERVER_UPDATED, CF_SERVER_CREATED);
    /* A deleted server is still listed while it lies in the recycle bin. */
    builder->can = state == CF_STATE_DELETED
                       ? 0
                       : CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) |
                             CF_CAN(CF_ACTION_DESCRIBE) | CF_CAN(CF_ACTION_CONSOLE) |
                             CF_CAN(CF_ACTION_CAPTURE);
}

static void
set_unless_there(CfRecordBuilder *builder, guint field, const char *text)
{
    const char *value = cf_builder_get(builder, field);

    if ((!value || !*value) && text && *text)
        cf_record_builder_set(builder, field, text);
}

static guint
image_can(CfState state, const char *type, gboolean remarkable)
{
    guint words = CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE);

    if (state == CF_STATE_DELETED)
        return 0;
    if (says(type, "Custom"))
        return words | CF_CAN(CF_ACTION_DELETE);
    return remarkable ? words : 0;
}

static void
finish_image(Reading *reading)
{
    CfRecordBuilder *builder = &reading->builder;
    CfState state = cf_ucloudstack_image_state(cf_builder_get(builder, CF_IMAGE_STATUS));
    const char *type = cf_builder_get(builder, CF_IMAGE_PROVIDER);

    cf_record_builder_set(builder, CF_IMAGE_STATE, cf_state_to_string(state));
    builder->settled = !cf_state_is_transitional(state);
    set_unless_there(builder, CF_IMAGE_NAME, reading->image_name);
    set_unless_there(builder, CF_IMAGE_DESCRIPTION, reading->remark);
    set_unless_there(builder, CF_IMAGE_OWNER, reading->project);
    /* Base images are the platform's for everybody, the others a tenant's own. */
    cf_record_builder_set(builder, CF_IMAGE_VISIBILITY,
                          says(type, "Base")     ? "public"
                          : says(type, "Custom") ? "private"
                                                 : NULL);
    cf_builder_set_updated(builder, CF_IMAGE_UPDATED, CF_IMAGE_CREATED);
    builder->can = image_can(state, type, reading->remarkable);
}

CfRecord *
cf_ucloudstack_parse(CfCollection collection, CfJsonSpan text, GError **error)
{
    gboolean servers = collection == CF_SERVERS;
    g_auto(Reading) reading = {0};

    cf_record_builder_init(&reading.builder, collection);
    if (!cf_json_read(text, servers ? server_fields : image_fields,
                      servers ? G_N_ELEMENTS(server_fields) : G_N_ELEMENTS(image_fields), &reading,
                      error)) {
        g_prefix_error(error, "%s: ", servers ? "server" : "image");
        return NULL;
    }
    if (servers)
        finish_server(&reading.builder);
    else
        finish_image(&reading);
    return cf_record_builder_end(&reading.builder, text.text, text.len, error);
}

gboolean
cf_ucloudstack_is_secret(const char *key)
{
    static const char *const parts[] = {"passw",      "token",       "secret",
                                        "credential", "private_key", "privatekey"};
    static const char *const whole[] = {"signature", "user_data", "userdata"};
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
cf_ucloudstack_read_list(CfJsonSpan whole, gint64 offset, GArray *records, gint64 *ret_total,
                         GError **error)
{
    CfJsonSpan list = {NULL, 0}, total;
    gboolean there = cf_json_get(whole, "Infos", FALSE, &list);
    gboolean null = there && cf_json_kind(list) == CF_JSON_NULL;

    *ret_total = -1;
    if (cf_json_get(whole, "TotalCount", FALSE, &total) &&
        (!cf_json_int(total, ret_total) || *ret_total < 0))
        *ret_total = -1;
    if (there && cf_json_slice(list, records))
        return TRUE;
    /* "None" may be said with null or without a list; but not where some are promised. */
    if ((null && *ret_total <= offset) || (!there && *ret_total >= 0 && *ret_total <= offset))
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "Infos: the answer has no such list");
    return FALSE;
}

CfRecord *
cf_ucloudstack_read_one(CfJsonSpan whole, CfCollection collection, const char *id, GError **error)
{
    const char *key = collection == CF_SERVERS ? "VMID" : "ImageID";
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    gint64 total;

    if (!cf_ucloudstack_read_list(whole, 0, records, &total, error))
        return NULL;
    for (guint i = 0; i < records->len; i++) {
        CfJsonSpan record = g_array_index(records, CfJsonSpan, i);
        g_autofree char *its_id = get_text(record, key);

        if (g_strcmp0(its_id, id) == 0)
            return cf_ucloudstack_parse(collection, record, error);
    }
    if (records->len > 0 || total > 0)
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                    "Infos: asked for %s, the answer is about another", id);
    else
        g_set_error(error, CF_ERROR, CF_ERROR_NOT_FOUND, "the cloud has no %s %s",
                    collection == CF_SERVERS ? "server" : "image", id);
    return NULL;
}
