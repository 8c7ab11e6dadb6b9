#include "providers/openstack/private.h"

#include "model/metadata.h"
#include "providers/take.h"
#include "util/text.h"
#include "json/fields.h"

#include <string.h>

/* --- states ----------------------------------------------------------------------------------- */

#define VERB(verb) (1u << CF_VERB_##verb)

/* verbs: what Nova takes in that status, and what it is already; 0: nobody knows. */
static const struct {
    const char *status;
    CfState state;
    gboolean passing; /* goes on to another status by itself */
    guint verbs;
} server_states[] = {
    {"ACTIVE", CF_STATE_RUNNING, FALSE,
     VERB(ON) | VERB(OFF) | VERB(REBOOT) | VERB(REBOOT_HARD) | VERB(PAUSE) | VERB(SUSPEND) |
         VERB(SHELVE)},
    {"SHUTOFF", CF_STATE_STOPPED, FALSE, VERB(ON) | VERB(OFF) | VERB(REBOOT_HARD) | VERB(SHELVE)},
    {"BUILD", CF_STATE_BUILDING, TRUE, 0},
    {"REBOOT", CF_STATE_REBOOTING, TRUE, 0},
    {"HARD_REBOOT", CF_STATE_REBOOTING, TRUE, 0},
    {"PAUSED", CF_STATE_PAUSED, FALSE,
     VERB(PAUSE) | VERB(UNPAUSE) | VERB(REBOOT_HARD) | VERB(SHELVE)},
    {"SUSPENDED", CF_STATE_SUSPENDED, FALSE,
     VERB(SUSPEND) | VERB(RESUME) | VERB(REBOOT_HARD) | VERB(SHELVE)},
    {"SHELVED", CF_STATE_STOPPED, FALSE, VERB(SHELVE) | VERB(UNSHELVE)},
    {"SHELVED_OFFLOADED", CF_STATE_STOPPED, FALSE, VERB(SHELVE) | VERB(UNSHELVE)},
    {"RESIZE", CF_STATE_RESIZING, TRUE, 0},
    {"REVERT_RESIZE", CF_STATE_RESIZING, TRUE, 0},
    {"VERIFY_RESIZE", CF_STATE_RESIZING, FALSE, 0}, /* waits for somebody to confirm */
    {"REBUILD", CF_STATE_REBUILDING, TRUE, 0},
    {"MIGRATING", CF_STATE_RUNNING, TRUE, 0},
    {"PASSWORD", CF_STATE_RUNNING, TRUE, 0},
    {"RESCUE", CF_STATE_RUNNING, FALSE, VERB(ON) | VERB(OFF)},
    {"ERROR", CF_STATE_ERROR, FALSE, VERB(OFF) | VERB(REBOOT_HARD)},
    {"DELETED", CF_STATE_DELETED, FALSE, 0},
    {"SOFT_DELETED", CF_STATE_DELETED, FALSE, 0},
};

/* The status does not show these: a server that is being stopped still says ACTIVE. Any other task
 * leaves the state to the status, and only says that something is under way. */
static const struct {
    const char *task;
    CfState state;
    gboolean of_stopped; /* only where the status says that it is stopped */
} server_tasks[] = {
    {"powering-on", CF_STATE_STARTING, FALSE},
    {"powering-off", CF_STATE_STOPPING, FALSE},
    {"rebooting", CF_STATE_REBOOTING, FALSE},
    {"reboot_pending", CF_STATE_REBOOTING, FALSE},
    {"reboot_started", CF_STATE_REBOOTING, FALSE},
    {"rebooting_hard", CF_STATE_REBOOTING, FALSE},
    {"reboot_pending_hard", CF_STATE_REBOOTING, FALSE},
    {"reboot_started_hard", CF_STATE_REBOOTING, FALSE},
    {"deleting", CF_STATE_DELETING, FALSE},
    {"soft-deleting", CF_STATE_DELETING, FALSE},
    /* These have no word of their own: on the way to standing still, and back. */
    {"pausing", CF_STATE_STOPPING, FALSE},
    {"suspending", CF_STATE_STOPPING, FALSE},
    {"shelving", CF_STATE_STOPPING, FALSE},
    {"shelving_image_pending_upload", CF_STATE_STOPPING, FALSE},
    {"shelving_image_uploading", CF_STATE_STOPPING, FALSE},
    {"shelving_offloading", CF_STATE_STOPPING, FALSE},
    {"unpausing", CF_STATE_STARTING, FALSE},
    {"resuming", CF_STATE_STARTING, FALSE},
    {"unshelving", CF_STATE_STARTING, FALSE},
    {"spawning", CF_STATE_STARTING, TRUE}, /* the end of unshelving */
};

static const struct {
    const char *status;
    CfState state;
} image_states[] = {
    {"queued", CF_STATE_CREATING},
    {"saving", CF_STATE_CREATING},
    {"uploading", CF_STATE_CREATING},
    {"importing", CF_STATE_CREATING},
    {"active", CF_STATE_AVAILABLE},
    {"deactivated", CF_STATE_DISABLED},
    {"killed", CF_STATE_ERROR},
    {"deleted", CF_STATE_DELETED},
    {"pending_delete", CF_STATE_DELETING},
};

CfState
cf_os_server_state(const char *status, const char *task, gboolean *ret_settled)
{
    CfState state = CF_STATE_UNKNOWN;
    gboolean settled = !task;

    for (guint i = 0; status && i < G_N_ELEMENTS(server_states); i++) {
        if (g_ascii_strcasecmp(server_states[i].status, status) == 0) {
            state = server_states[i].state;
            settled = settled && !server_states[i].passing;
        }
    }
    /* Of a deleted server nothing is under way, whatever its last task was. */
    if (state == CF_STATE_DELETED)
        settled = TRUE;
    for (guint i = 0; task && state != CF_STATE_DELETED && i < G_N_ELEMENTS(server_tasks); i++)
        if (g_ascii_strcasecmp(server_tasks[i].task, task) == 0 &&
            (!server_tasks[i].of_stopped || state == CF_STATE_STOPPED))
            state = server_tasks[i].state;
    if (ret_settled)
        *ret_settled = settled;
    return state;
}

static guint
server_verbs(const char *status)
{
    for (guint i = 0; status && i < G_N_ELEMENTS(server_states); i++)
        if (g_ascii_strcasecmp(server_states[i].status, status) == 0)
            return server_states[i].verbs;
    return 0;
}

CfState
cf_os_image_state(const char *status)
{
    for (guint i = 0; status && i < G_N_ELEMENTS(image_states); i++)
        if (g_ascii_strcasecmp(image_states[i].status, status) == 0)
            return image_states[i].state;
    return CF_STATE_UNKNOWN;
}

/* --- values ----------------------------------------------------------------------------------- */

/* A server that was made from a volume has "" for an image. */
static gboolean
take_image(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfJsonSpan id;

    if (cf_json_kind(value) != CF_JSON_OBJECT)
        return cf_take_value(field, value, target);
    return cf_json_get(value, "id", FALSE, &id) && cf_take_value(field, id, target);
}

/* A flavour without a disk of its own has 0: the system disk is as large as the image. */
static gboolean
take_disk(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *digits = cf_take_digits(value);

    return cf_take_set(field, target,
                       digits && strspn(digits, "0") < strlen(digits) ? digits : NULL);
}

static gboolean
take_groups(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    return cf_take_members(field, value, target, "name");
}

static gboolean
take_tags(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    if (cf_json_kind(value) != CF_JSON_ARRAY)
        return cf_take_set(field, target, NULL);
    cf_take_members(field, value, target, "name");
    cf_record_builder_sort(target, (guint) field->target);
    return TRUE;
}

typedef struct {
    char *address, *type;
} Address;

static const CfJsonField address_fields[] = {
    {"addr", cf_json_take_text, offsetof(Address, address), CF_JSON_OPTIONAL},
    {"OS-EXT-IPS:type", cf_json_take_text, offsetof(Address, type), CF_JSON_OPTIONAL},
};

/* {"net": [{"addr": …, "OS-EXT-IPS:type": "fixed"}, …], …}: floating ones are reached from outside,
 * fixed ones stand in the networks of the cloud. */
static gboolean
take_addresses(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfRecordBuilder *builder = target;
    CfJsonSpan network, item;
    CfJsonIter networks, items;

    cf_record_builder_set(builder, CF_SERVER_PRIVATE_ADDRESSES, NULL);
    cf_record_builder_set(builder, CF_SERVER_PUBLIC_ADDRESSES, NULL);
    if (cf_json_kind(value) != CF_JSON_OBJECT)
        return FALSE;
    cf_record_builder_touch(builder, CF_SERVER_PRIVATE_ADDRESSES);
    cf_record_builder_touch(builder, CF_SERVER_PUBLIC_ADDRESSES);
    cf_json_iter_init(&networks, value);
    while (cf_json_iter_next(&networks, NULL, &network)) {
        cf_json_iter_init(&items, network);
        while (cf_json_iter_next(&items, NULL, &item)) {
            Address address = {NULL, NULL};

            if (cf_json_kind(item) == CF_JSON_OBJECT &&
                cf_json_read(item, address_fields, G_N_ELEMENTS(address_fields), &address, NULL) &&
                address.address)
                cf_builder_add_once(builder,
                                    g_strcmp0(address.type, "floating") == 0
                                        ? CF_SERVER_PUBLIC_ADDRESSES
                                        : CF_SERVER_PRIVATE_ADDRESSES,
                                    address.address);
            g_free(address.address);
            g_free(address.type);
        }
    }
    return TRUE;
}

static gboolean
take_locked(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    CfJsonKind kind = cf_json_kind(value);

    return cf_take_set(field, target,
                       kind == CF_JSON_TRUE    ? "1"
                       : kind == CF_JSON_FALSE ? "0"
                                               : NULL);
}

typedef struct {
    char *code, *message, *details;
} Fault;

static const CfJsonField fault_fields[] = {
    {"code", cf_json_take_text, offsetof(Fault, code), CF_JSON_OPTIONAL},
    {"message", cf_json_take_text, offsetof(Fault, message), CF_JSON_OPTIONAL},
    {"details", cf_json_take_text, offsetof(Fault, details), CF_JSON_OPTIONAL},
};

/* "500: message" as in last_error, then the details as they stand, which only administrators are
 * told. */
static gboolean
take_fault(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    Fault fault = {NULL, NULL, NULL};
    g_autoptr(GString) text = g_string_new(NULL);

    if (cf_json_kind(value) == CF_JSON_OBJECT)
        cf_json_read(value, fault_fields, G_N_ELEMENTS(fault_fields), &fault, NULL);
    if (fault.message) {
        g_autofree char *line = cf_text_one_line(fault.message);

        if (fault.code && *fault.code)
            g_string_append_printf(text, "%s: ", fault.code);
        g_string_append(text, g_strchomp(line));
    }
    if (fault.details && *fault.details)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", fault.details);
    g_free(fault.code);
    g_free(fault.message);
    g_free(fault.details);
    return cf_take_set(field, target, g_strchomp(text->str));
}

/* {} is that there is none, and that there can be. */
static gboolean
take_metadata(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    CfJsonSpan key_span, item;
    CfJsonIter iter;

    cf_record_builder_set(target, (guint) field->target, NULL);
    if (cf_json_kind(value) != CF_JSON_OBJECT)
        return FALSE;
    cf_json_iter_init(&iter, value);
    while (cf_json_iter_next(&iter, &key_span, &item)) {
        g_autofree char *key = cf_json_string(key_span);
        g_autofree char *plain = cf_json_scalar(item);

        if (plain && *plain && cf_os_is_secret(key)) {
            g_free(plain);
            plain = g_strdup(CF_JSON_MASK);
        }
        if (plain)
            cf_metadata_add(lines, key, plain);
    }
    text = cf_metadata_join(lines);
    cf_record_builder_set(target, (guint) field->target, text);
    return TRUE;
}

/* --- records ---------------------------------------------------------------------------------- */

/* Helpers of the two places that need two members: taken first, put together at the end. */
typedef struct {
    CfRecordBuilder builder; /* first: the take functions' target */
    char *host, *host_id;
    char *flavor_name, *flavor_id;
    char *os_version;
} Draft;

static char **
text_at(gpointer target, gsize offset)
{
    return (char **) ((char *) target + offset);
}

static gboolean
take_text(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    char *text = cf_json_scalar(value);
    char **place = text_at(target, field->target);

    if (text && !*text)
        g_clear_pointer(&text, g_free);
    g_free(*place);
    *place = text;
    return text != NULL;
}

static const CfJsonField server_fields[] = {
    {"id", cf_take_value, CF_SERVER_ID, CF_JSON_REQUIRED},
    {"name", cf_take_name, CF_SERVER_NAME, CF_JSON_OPTIONAL},
    {"status", cf_take_value, CF_SERVER_STATUS, CF_JSON_OPTIONAL},
    {"OS-EXT-STS:task_state", cf_take_value, CF_SERVER_TASK, CF_JSON_OPTIONAL},
    {"created", cf_take_time, CF_SERVER_CREATED, CF_JSON_OPTIONAL},
    {"updated", cf_take_time, CF_SERVER_UPDATED, CF_JSON_OPTIONAL},
    {"description", cf_take_value, CF_SERVER_DESCRIPTION, CF_JSON_OPTIONAL},
    {"OS-EXT-AZ:availability_zone", cf_take_value, CF_SERVER_ZONE, CF_JSON_OPTIONAL},
    {"OS-EXT-SRV-ATTR:host", take_text, offsetof(Draft, host), CF_JSON_OPTIONAL},
    {"hostId", take_text, offsetof(Draft, host_id), CF_JSON_OPTIONAL},
    {"key_name", cf_take_value, CF_SERVER_KEY_NAME, CF_JSON_OPTIONAL},
    {"flavor.original_name", take_text, offsetof(Draft, flavor_name), CF_JSON_OPTIONAL},
    {"flavor.id", take_text, offsetof(Draft, flavor_id), CF_JSON_OPTIONAL},
    {"flavor.vcpus", cf_take_number, CF_SERVER_VCPUS, CF_JSON_OPTIONAL},
    {"flavor.ram", cf_take_number, CF_SERVER_RAM_MB, CF_JSON_OPTIONAL},
    {"flavor.disk", take_disk, CF_SERVER_ROOT_DISK_GB, CF_JSON_OPTIONAL},
    {"addresses", take_addresses, CF_SERVER_ADDRESSES, CF_JSON_OPTIONAL},
    {"security_groups", take_groups, CF_SERVER_SECURITY_GROUPS, CF_JSON_OPTIONAL},
    {"tags", take_tags, CF_SERVER_TAGS, CF_JSON_OPTIONAL},
    {"image", take_image, CF_SERVER_IMAGE, CF_JSON_OPTIONAL},
    {"locked", take_locked, CF_SERVER_LOCK, CF_JSON_OPTIONAL},
    {"locked_reason", cf_take_value, CF_SERVER_LOCKED_REASON, CF_JSON_OPTIONAL},
    {"fault", take_fault, CF_SERVER_FAULT, CF_JSON_OPTIONAL},
    {"metadata", take_metadata, CF_SERVER_METADATA, CF_JSON_OPTIONAL},
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
    {"os_type", cf_take_lower, CF_IMAGE_OS_FAMILY, CF_JSON_OPTIONAL},
    {"os_distro", cf_take_value, CF_IMAGE_PLATFORM, CF_JSON_OPTIONAL},
    {"os_version", take_text, offsetof(Draft, os_version), CF_JSON_OPTIONAL},
    {"architecture", cf_take_value, CF_IMAGE_ARCH, CF_JSON_OPTIONAL},
    {"visibility", cf_take_value, CF_IMAGE_VISIBILITY, CF_JSON_OPTIONAL},
    {"owner", cf_take_value, CF_IMAGE_OWNER, CF_JSON_OPTIONAL},
    {"image_type", cf_take_value, CF_IMAGE_PROVIDER, CF_JSON_OPTIONAL},
    {"disk_format", cf_take_value, CF_IMAGE_FORMAT, CF_JSON_OPTIONAL},
    {"checksum", cf_take_value, CF_IMAGE_CHECKSUM, CF_JSON_OPTIONAL},
    {"created_at", cf_take_time, CF_IMAGE_CREATED, CF_JSON_OPTIONAL},
    {"updated_at", cf_take_time, CF_IMAGE_UPDATED, CF_JSON_OPTIONAL},
};

/* What can be done to it: a deleted server is still told of for a while. */
static guint
server_can(const CfOsView *view, const char *id, CfState state)
{
    guint can = CF_CAN(CF_ACTION_POWER) | CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_CONSOLE) |
                CF_CAN(CF_ACTION_CAPTURE) | CF_CAN(CF_ACTION_METADATA) |
                CF_CAN(CF_ACTION_CONSOLE_LOG);

    if (state == CF_STATE_DELETED || !cf_os_is_addressable(id))
        return 0;
    if (view->version >= CF_OS_HAS_TAGS)
        can |= CF_CAN(CF_ACTION_TAGS);
    if (view->version >= CF_OS_HAS_DESCRIPTION)
        can |= CF_CAN(CF_ACTION_DESCRIBE);
    if (view->version >= CF_OS_HAS_LOCKED)
        can |= CF_CAN(CF_ACTION_LOCK);
    if (view->version >= CF_OS_HAS_LOCKED_REASON)
        can |= CF_CAN(CF_ACTION_LOCK_REASON);
    return can;
}

/* Somebody else's image can be seen, and not changed: so say Glance's own rules. They are each
 * cloud's to make, and nobody is told of them: who tries all the same learns it from the cloud. */
static void
tell_what_image_can(const CfOsView *view, CfRecordBuilder *builder, CfState state)
{
    const char *owner = cf_builder_get(builder, CF_IMAGE_OWNER);

    if (state == CF_STATE_DELETED || !cf_os_is_addressable(cf_builder_get(builder, CF_IMAGE_ID)))
        return;
    builder->asks = TRUE;
    if (view->may_all || !owner || g_strcmp0(owner, view->project_id) == 0)
        builder->can = CF_CAN(CF_ACTION_RENAME) | CF_CAN(CF_ACTION_DESCRIBE) |
                       CF_CAN(CF_ACTION_TAGS) | CF_CAN(CF_ACTION_DELETE);
}

static void
set_number(CfRecordBuilder *builder, guint field, const char *text)
{
    if (text && *text && strspn(text, "0123456789") == strlen(text))
        cf_record_builder_set(builder, field, text);
}

/* What the flavour is, where the server names it only. */
static void
add_flavor(const CfOsView *view, Draft *draft)
{
    const CfOsFlavor *flavor = view->flavors && draft->flavor_id
                                   ? g_hash_table_lookup(view->flavors, draft->flavor_id)
                                   : NULL;

    if (!flavor)
        return;
    draft->flavor_name = g_strdup(flavor->name);
    set_number(&draft->builder, CF_SERVER_VCPUS, flavor->vcpus);
    set_number(&draft->builder, CF_SERVER_RAM_MB, flavor->ram);
    if (flavor->disk && strspn(flavor->disk, "0") < strlen(flavor->disk))
        set_number(&draft->builder, CF_SERVER_ROOT_DISK_GB, flavor->disk);
}

static void
finish_server(const CfOsView *view, Draft *draft)
{
    CfRecordBuilder *builder = &draft->builder;
    CfState state = cf_os_server_state(cf_builder_get(builder, CF_SERVER_STATUS),
                                       cf_builder_get(builder, CF_SERVER_TASK), &builder->settled);

    if (!draft->flavor_name)
        add_flavor(view, draft);
    builder->verbs = server_verbs(cf_builder_get(builder, CF_SERVER_STATUS));
    cf_record_builder_set(builder, CF_SERVER_STATE, cf_state_to_string(state));
    cf_record_builder_set(builder, CF_SERVER_REGION, view->region);
    /* Only administrators are told the host; others a word that differs by host. */
    cf_record_builder_set(builder, CF_SERVER_HOST, draft->host ? draft->host : draft->host_id);
    cf_record_builder_set(builder, CF_SERVER_FLAVOR,
                          draft->flavor_name ? draft->flavor_name : draft->flavor_id);
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PRIVATE_ADDRESSES));
    cf_builder_add_all(builder, CF_SERVER_ADDRESSES,
                       cf_builder_get(builder, CF_SERVER_PUBLIC_ADDRESSES));
    /* From 2.69 on, of a server in a cell that does not answer. */
    builder->partial = state == CF_STATE_UNKNOWN && !cf_builder_get(builder, CF_SERVER_NAME) &&
                       !cf_builder_get(builder, CF_SERVER_UPDATED);
    cf_builder_set_updated(builder, CF_SERVER_UPDATED, CF_SERVER_CREATED);
    builder->can = server_can(view, cf_builder_get(builder, CF_SERVER_ID), state);
}

static void
finish_image(const CfOsView *view, Draft *draft)
{
    CfRecordBuilder *builder = &draft->builder;
    CfState state = cf_os_image_state(cf_builder_get(builder, CF_IMAGE_STATUS));
    const char *distro = cf_builder_get(builder, CF_IMAGE_PLATFORM);
    g_autofree char *os =
        distro && draft->os_version ? g_strconcat(distro, " ", draft->os_version, NULL) : NULL;

    cf_record_builder_set(builder, CF_IMAGE_OS, os ? os : distro);
    cf_record_builder_set(builder, CF_IMAGE_STATE, cf_state_to_string(state));
    builder->settled = !cf_state_is_transitional(state);
    cf_builder_set_updated(builder, CF_IMAGE_UPDATED, CF_IMAGE_CREATED);
    tell_what_image_can(view, builder, state);
}

static void
draft_clear(Draft *draft)
{
    cf_record_builder_clear(&draft->builder);
    g_free(draft->host);
    g_free(draft->host_id);
    g_free(draft->flavor_name);
    g_free(draft->flavor_id);
    g_free(draft->os_version);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Draft, draft_clear)

CfRecord *
cf_os_parse(const CfOsView *view, CfCollection collection, CfJsonSpan text, GError **error)
{
    gboolean servers = collection == CF_SERVERS;
    g_auto(Draft) draft = {0};

    cf_record_builder_init(&draft.builder, collection);
    if (!cf_json_read(text, servers ? server_fields : image_fields,
                      servers ? G_N_ELEMENTS(server_fields) : G_N_ELEMENTS(image_fields), &draft,
                      error)) {
        g_prefix_error(error, "%s: ", servers ? "server" : "image");
        return NULL;
    }
    if (servers)
        finish_server(view, &draft);
    else
        finish_image(view, &draft);
    return cf_record_builder_end(&draft.builder, text.text, text.len, error);
}

/* "." and ".." are taken out of a path by clients, proxies and servers alike; GET /servers/detail
 * is another call. Nothing can be said of a resource with such an id, not even that it is gone. */
gboolean
cf_os_is_addressable(const char *id)
{
    return id && *id && strcmp(id, ".") != 0 && strcmp(id, "..") != 0 && strcmp(id, "detail") != 0;
}

gboolean
cf_os_is_secret(const char *key)
{
    static const char *const parts[] = {"passw",      "adminpass",   "token",     "secret",
                                        "credential", "private_key", "privatekey"};
    static const char *const whole[] = {"locations", "direct_url", "user_data",
                                        "os-ext-srv-attr:user_data"};
    g_autofree char *lower = g_ascii_strdown(key, -1);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(lower, parts[i]))
            return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(whole); i++)
        if (strcmp(lower, whole[i]) == 0)
            return TRUE;
    return FALSE;
}

/* What the API's own check lets through. */
gboolean
cf_os_is_metadata_key(const char *key)
{
    static const char others[] = "-_:. ";
    gsize len = strlen(key);

    for (const char *p = key; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr(others, *p))
            return FALSE;
    return len > 0 && len <= CF_OS_METADATA_KEY_MAX;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Nova: "servers_links": [{"rel": "next", …}]; Glance: "next": "/v2/images?…". Their addresses may
 * be wrong behind a proxy: only that there is one counts. */
static gboolean
has_next(CfCollection collection, CfJsonSpan whole)
{
    CfJsonSpan links, link, rel;
    CfJsonIter iter;

    if (collection == CF_IMAGES)
        return cf_json_get(whole, "next", FALSE, &link) && cf_json_kind(link) == CF_JSON_STRING;
    if (!cf_json_get(whole, "servers_links", FALSE, &links))
        return FALSE;
    cf_json_iter_init(&iter, links);
    while (cf_json_iter_next(&iter, NULL, &link))
        if (cf_json_get(link, "rel", FALSE, &rel) && cf_json_is(rel, "next", FALSE))
            return TRUE;
    return FALSE;
}

gboolean
cf_os_read_list(CfCollection collection, const char *text, gsize len, GArray *records,
                char **ret_next, GError **error)
{
    const char *key = cf_collection_name(collection);
    CfJsonSpan whole, list, id;

    if (!cf_json_check(text, len, &whole, error)) {
        g_prefix_error(error, "the list of %s: ", key);
        return FALSE;
    }
    if (!cf_json_get(whole, key, FALSE, &list) || !cf_json_slice(list, records)) {
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "%s: the answer has no such list", key);
        return FALSE;
    }
    *ret_next = NULL;
    if (records->len == 0 || !has_next(collection, whole))
        return TRUE;
    if (cf_json_get(g_array_index(records, CfJsonSpan, records->len - 1), "id", FALSE, &id))
        *ret_next = cf_json_scalar(id);
    if (*ret_next && **ret_next)
        return TRUE;
    g_clear_pointer(ret_next, g_free);
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL,
                "%s: there is a next page, but the last one has no id to find it by", key);
    return FALSE;
}

gboolean
cf_os_read_one(CfCollection collection, const char *text, gsize len, CfJsonSpan *ret_span,
               GError **error)
{
    CfJsonSpan whole;

    if (!cf_json_check(text, len, &whole, error)) {
        g_prefix_error(error, "the answer: ");
        return FALSE;
    }
    if (collection == CF_IMAGES) {
        *ret_span = whole;
        return TRUE;
    }
    if (cf_json_get(whole, "server", FALSE, ret_span))
        return TRUE;
    g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "server: the answer has no such member");
    return FALSE;
}
