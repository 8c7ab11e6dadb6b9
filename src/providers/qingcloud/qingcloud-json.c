#include "providers/qingcloud/private.h"

#include "providers/take.h"

#include <string.h>

/* --- states ----------------------------------------------------------------------------------- */

typedef struct {
    const char *word;
    CfState state;
} Meaning;

static const Meaning server_states[] = {
    {"pending", CF_STATE_BUILDING},   {"running", CF_STATE_RUNNING},
    {"stopped", CF_STATE_STOPPED},    {"suspended", CF_STATE_PAUSED}, /* until the debt is paid */
    {"terminated", CF_STATE_DELETED}, {"ceased", CF_STATE_DELETED},
};

static const Meaning server_transitions[] = {
    {"creating", CF_STATE_BUILDING},    {"starting", CF_STATE_STARTING},
    {"stopping", CF_STATE_STOPPING},    {"restarting", CF_STATE_REBOOTING},
    {"suspending", CF_STATE_STOPPING},  {"resuming", CF_STATE_STARTING},
    {"terminating", CF_STATE_DELETING}, {"recovering", CF_STATE_STARTING},
    {"resetting", CF_STATE_REBUILDING}, {"resizing", CF_STATE_RESIZING},
    {"ceasing", CF_STATE_DELETING},
};

static const Meaning image_states[] = {
    {"pending", CF_STATE_CREATING},      {"available", CF_STATE_AVAILABLE},
    {"deprecated", CF_STATE_DEPRECATED}, {"suspended", CF_STATE_DISABLED},
    {"deleted", CF_STATE_DELETED},       {"ceased", CF_STATE_DELETED},
};

static const Meaning image_transitions[] = {
    {"creating", CF_STATE_CREATING},   {"suspending", CF_STATE_DISABLED},
    {"resuming", CF_STATE_CREATING},   {"deleting", CF_STATE_DELETING},
    {"recovering", CF_STATE_CREATING}, {"ceasing", CF_STATE_DELETING},
};

static gboolean
look_up(const Meaning *meanings, gsize n, const char *word, CfState *ret_state)
{
    for (gsize i = 0; word && i < n; i++) {
        if (g_ascii_strcasecmp(meanings[i].word, word) == 0) {
            *ret_state = meanings[i].state;
            return TRUE;
        }
    }
    return FALSE;
}

CfState
cf_qingcloud_state(CfCollection collection, const char *status, const char *transition,
                   gboolean *ret_settled)
{
    gboolean servers = collection == CF_SERVERS;
    CfState state = CF_STATE_UNKNOWN;

    look_up(servers ? server_states : image_states,
            servers ? G_N_ELEMENTS(server_states) : G_N_ELEMENTS(image_states), status, &state);
    *ret_settled = TRUE;
    /* A transition that is not known leaves the state as it is, but something is under way. */
    if (transition && *transition) {
        look_up(servers ? server_transitions : image_transitions,
                servers ? G_N_ELEMENTS(server_transitions) : G_N_ELEMENTS(image_transitions),
                transition, &state);
        *ret_settled = FALSE;
    }
    *ret_settled &= !cf_state_is_transitional(state);
    return state;
}

/* --- values ----------------------------------------------------------------------------------- */

/* A size of 0 stands for the default, which the image tells. */
static gboolean
take_disk(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *digits = cf_take_digits(value);

    if (!digits || strspn(digits, "0") == strlen(digits))
        return FALSE;
    return cf_take_set(field, target, digits);
}

/* Of the image, where the server itself does not tell. */
static gboolean
take_image_disk(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    if (cf_builder_get(target, (guint) field->target))
        return TRUE;
    return take_disk(field, value, target);
}

/* In GB. */
static gboolean
take_size(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *digits = cf_take_digits(value);
    g_autofree char *bytes = NULL;
    guint64 number;

    if (digits && g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64 >> 30, &number, NULL))
        bytes = g_strdup_printf("%" G_GUINT64_FORMAT, number << 30);
    return cf_take_set(field, target, bytes);
}

/* Several keys may be on a server; a value is one line. */
static gboolean
take_keys(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *joined = NULL;
    CfJsonIter iter;
    CfJsonSpan item;

    if (cf_json_kind(value) != CF_JSON_ARRAY)
        return cf_take_value(field, value, target);
    cf_json_iter_init(&iter, value);
    while (cf_json_iter_next(&iter, NULL, &item)) {
        char *key = cf_json_scalar(item);

        if (key && *key)
            g_ptr_array_add(keys, key);
        else
            g_free(key);
    }
    g_ptr_array_add(keys, NULL);
    joined = g_strjoinv(",", (char **) keys->pdata);
    return cf_take_set(field, target, joined);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Members of an object that must not be joined as a list's items are: "" is none. */
static void
add_text(CfRecordBuilder *builder, guint field, CfJsonSpan object, const char *key)
{
    g_autofree char *text = NULL;
    CfJsonSpan value;

    if (cf_json_get(object, key, FALSE, &value))
        text = cf_json_scalar(value);
    if (text && *text)
        cf_builder_add_once(builder, field, text);
}

static gboolean
take_networks(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfRecordBuilder *builder = target;
    guint number = (guint) field->target;
    CfJsonIter iter;
    CfJsonSpan item;

    cf_record_builder_set(builder, number, NULL);
    if (cf_json_kind(value) != CF_JSON_ARRAY)
        return FALSE;
    cf_record_builder_touch(builder, number);
    cf_json_iter_init(&iter, value);
    while (cf_json_iter_next(&iter, NULL, &item)) {
        add_text(builder, number, item, "private_ip");
        add_text(builder, number, item, "ipv6_address");
    }
    return TRUE;
}

/* eip is one object, eips an array of them; a server may have either, or both with the same. */
static gboolean
take_eip(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfRecordBuilder *builder = target;
    guint number = (guint) field->target;
    CfJsonKind kind = cf_json_kind(value);
    CfJsonIter iter;
    CfJsonSpan item;

    if (kind == CF_JSON_OBJECT) {
        add_text(builder, number, value, "eip_addr");
    } else if (kind == CF_JSON_ARRAY) {
        cf_json_iter_init(&iter, value);
        while (cf_json_iter_next(&iter, NULL, &item))
            add_text(builder, number, item, "eip_addr");
    }
    return cf_record_builder_get(builder, number) != NULL;
}

static void
add_group(CfRecordBuilder *builder, guint field, CfJsonSpan group)
{
    g_autofree char *name = NULL;
    CfJsonSpan value;

    if (cf_json_get(group, "security_group_name", FALSE, &value))
        name = cf_json_scalar(value);
    if (name && *name)
        cf_builder_add_once(builder, field, name);
    else
        add_text(builder, field, group, "security_group_id");
}

/* security_group is one object, security_groups an array of them. */
static gboolean
take_groups(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfRecordBuilder *builder = target;
    guint number = (guint) field->target;
    CfJsonIter iter;
    CfJsonSpan item;

    if (cf_json_kind(value) == CF_JSON_ARRAY) {
        cf_json_iter_init(&iter, value);
        while (cf_json_iter_next(&iter, NULL, &item))
            add_group(builder, number, item);
    } else {
        add_group(builder, number, value);
    }
    return cf_record_builder_get(builder, number) != NULL;
}

/* Their table calls it a string, and it may be "" or null; it is an array of objects. */
static gboolean
take_tags(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfRecordBuilder *builder = target;
    guint number = (guint) field->target;

    if (cf_json_kind(value) == CF_JSON_ARRAY)
        cf_take_members(field, value, target, "tag_name");
    else
        cf_record_builder_set(builder, number, NULL);
    cf_record_builder_touch(builder, number);
    cf_record_builder_sort(builder, number);
    return TRUE;
}

/* --- records ---------------------------------------------------------------------------------- */

static const CfJsonField server_fields[] = {
    {"instance_id", cf_take_value, CF_SERVER_ID, CF_JSON_REQUIRED},
    {"instance_name", cf_take_name, CF_SERVER_NAME, CF_JSON_OPTIONAL},
    {"status", cf_take_value, CF_SERVER_STATUS, CF_JSON_OPTIONAL},
    {"transition_status", cf_take_value, CF_SERVER_TASK, CF_JSON_OPTIONAL},
    {"create_time", cf_take_time, CF_SERVER_CREATED, CF_JSON_OPTIONAL},
    {"status_time", cf_take_time, CF_SERVER_UPDATED, CF_JSON_OPTIONAL},
    {"description", cf_take_value, CF_SERVER_DESCRIPTION, CF_JSON_OPTIONAL},
    {"zone_id", cf_take_value, CF_SERVER_ZONE, CF_JSON_OPTIONAL},
    {"host_machine", cf_take_value, CF_SERVER_HOST, CF_JSON_OPTIONAL}, /* private clouds */
    {"keypair_ids", take_keys, CF_SERVER_KEY_NAME, CF_JSON_OPTIONAL},
    {"instance_type", cf_take_value, CF_SERVER_FLAVOR, CF_JSON_OPTIONAL},
    {"vcpus_current", cf_take_number, CF_SERVER_VCPUS, CF_JSON_OPTIONAL},
    {"memory_current", cf_take_number, CF_SERVER_RAM_MB, CF_JSON_OPTIONAL},
    {"extra.os_disk_size", take_disk, CF_SERVER_ROOT_DISK_GB, CF_JSON_OPTIONAL},
    {"os_disk_size", take_disk, CF_SERVER_ROOT_DISK_GB, CF_JSON_OPTIONAL},
    {"vxnets", take_networks, CF_SERVER_PRIVATE_ADDRESSES, CF_JSON_OPTIONAL},
    {"eip", take_eip, CF_SERVER_PUBLIC_ADDRESSES, CF_JSON_OPTIONAL},
    {"eips", take_eip, CF_SERVER_PUBLIC_ADDRESSES, CF_JSON_OPTIONAL},
    {"security_group", take_groups, CF_SERVER_SECURITY_GROUPS, CF_JSON_OPTIONAL},
    {"security_groups", take_groups, CF_SERVER_SECURITY_GROUPS, CF_JSON_OPTIONAL},
    {"tags", take_tags, CF_SERVER_TAGS, CF_JSON_OPTIONAL},
    {"image.image_id", cf_take_value, CF_SERVER_IMAGE, CF_JSON_OPTIONAL},
};

/* After the others: what the image tells only fills a gap. */
static const CfJsonField server_gaps[] = {
    {"image.image_size", take_image_disk, CF_SERVER_ROOT_DISK_GB, CF_JSON_OPTIONAL},
};

/* Their platform is linux or windows, their os_family a distribution; see doc/attributes.md. */
static const CfJsonField image_fields[] = {
    {"image_id", cf_take_value, CF_IMAGE_ID, CF_JSON_REQUIRED},
    {"image_name", cf_take_name, CF_IMAGE_NAME, CF_JSON_OPTIONAL},
    {"status", cf_take_value, CF_IMAGE_STATUS, CF_JSON_OPTIONAL},
    {"tags", take_tags, CF_IMAGE_TAGS, CF_JSON_OPTIONAL},
    {"description", cf_take_value, CF_IMAGE_DESCRIPTION, CF_JSON_OPTIONAL},
    {"size", take_size, CF_IMAGE_SIZE, CF_JSON_OPTIONAL},
    {"os_family", cf_take_value, CF_IMAGE_OS, CF_JSON_OPTIONAL},
    {"os_family", cf_take_value, CF_IMAGE_PLATFORM, CF_JSON_OPTIONAL},
    {"platform", cf_take_lower, CF_IMAGE_OS_FAMILY, CF_JSON_OPTIONAL},
    {"processor_type", cf_take_value, CF_IMAGE_ARCH, CF_JSON_OPTIONAL},
    {"visibility", cf_take_value, CF_IMAGE_VISIBILITY, CF_JSON_OPTIONAL},
    {"owner", cf_take_value, CF_IMAGE_OWNER, CF_JSON_OPTIONAL},
    {"provider", cf_take_value, CF_IMAGE_PROVIDER, CF_JSON_OPTIONAL},
    {"create_time", cf_take_time, CF_IMAGE_CREATED, CF_JSON_OPTIONAL},
    {"status_time", cf_take_time, CF_IMAGE_UPDATED, CF_JSON_OPTIONAL},
};

static const CfJsonField transition_fields[] = {
    {"transition_status", cf_json_take_text, 0, CF_JSON_OPTIONAL},
};

static void
finish_server(CfRecordBuilder *builder, const char *zone)
{
    CfState state = cf_qingcloud_state(CF_SERVERS, cf_builder_get(builder, CF_SERVER_STATUS),
                                       cf_builder_get(builder, CF_SERVER_TASK), &builder->settled);

    cf_record_builder_set(builder, CF_SERVER_STATE, cf_state_to_string(state));
    if (!cf_builder_get(builder, CF_SERVER_ZONE))
        cf_record_builder_set(builder, CF_SERVER_ZONE, zone); /* every call is about one zone */
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PRIVATE_ADDRESSES));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PUBLIC_ADDRESSES));
    cf_builder_set_updated(builder, CF_SERVER_UPDATED, CF_SERVER_CREATED);
    if (state != CF_STATE_DELETED)
        builder->can = CF_QINGCLOUD_SERVER_CAN;
}

/* Only what a user made may be changed; whose it is the cloud knows. */
static gboolean
is_own(const CfRecordBuilder *builder)
{
    const char *provider = cf_builder_get(builder, CF_IMAGE_PROVIDER);
    const char *visibility = cf_builder_get(builder, CF_IMAGE_VISIBILITY);

    if (provider)
        return g_ascii_strcasecmp(provider, "self") == 0;
    return visibility && g_ascii_strcasecmp(visibility, "private") == 0;
}

static void
finish_image(CfRecordBuilder *builder, CfJsonSpan text)
{
    char *transition = NULL;
    CfState state;

    cf_json_read(text, transition_fields, G_N_ELEMENTS(transition_fields), &transition, NULL);
    state = cf_qingcloud_state(CF_IMAGES, cf_builder_get(builder, CF_IMAGE_STATUS), transition,
                               &builder->settled);
    g_free(transition);
    cf_record_builder_set(builder, CF_IMAGE_STATE, cf_state_to_string(state));
    cf_builder_set_updated(builder, CF_IMAGE_UPDATED, CF_IMAGE_CREATED);
    if (state != CF_STATE_DELETED && is_own(builder))
        builder->can = CF_QINGCLOUD_IMAGE_CAN;
}

CfRecord *
cf_qingcloud_parse(CfCollection collection, CfJsonSpan text, const char *zone, GError **error)
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
    if (servers) {
        cf_json_read(text, server_gaps, G_N_ELEMENTS(server_gaps), &builder, NULL);
        finish_server(&builder, zone);
    } else {
        finish_image(&builder, text);
    }
    return cf_record_builder_end(&builder, text.text, text.len, error);
}

gboolean
cf_qingcloud_is_secret(const char *key)
{
    static const char *const parts[] = {"passw", "secret", "token", "credential", "private_key"};
    g_autofree char *lower = g_ascii_strdown(key, -1);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(lower, parts[i]))
            return TRUE;
    return strcmp(lower, "user_data") == 0 || strcmp(lower, "userdata_value") == 0;
}

/* --- answers ---------------------------------------------------------------------------------- */

gboolean
cf_qingcloud_read_set(const CfQingcloudAnswer *answer, const char *key, GArray *items,
                      gint64 *ret_total, GError **error)
{
    CfJsonSpan set = {NULL, 0}, total;

    *ret_total = -1;
    if (cf_json_get(answer->whole, "total_count", FALSE, &total))
        cf_json_int(total, ret_total);
    cf_json_get(answer->whole, key, FALSE, &set);
    if (cf_json_slice(set, items))
        return TRUE;
    /* "None" may be said without a list; but not where some are promised. */
    if (cf_json_kind(set) == CF_JSON_NULL && *ret_total == 0)
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "%s: the answer has no such list", key);
    return FALSE;
}

char *
cf_qingcloud_get_text(CfJsonSpan object, const char *key)
{
    CfJsonSpan value;
    char *text;

    if (!cf_json_get(object, key, FALSE, &value))
        return NULL;
    text = cf_json_scalar(value);
    if (text && !*text)
        g_clear_pointer(&text, g_free);
    return text;
}
