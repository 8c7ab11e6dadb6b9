#include "model/schema.h"

#include <string.h>

static const CfField server_fields[] = {
    [CF_SERVER_ID] = {"id", CF_FIELD_TEXT, NULL, "The cloud's identifier; never changes."},
    [CF_SERVER_NAME] = {"name", CF_FIELD_TEXT, NULL, "Name; several servers may share one."},
    [CF_SERVER_STATUS] = {"status", CF_FIELD_TEXT, NULL, "The cloud's own word for the state."},
    [CF_SERVER_STATE] = {"state", CF_FIELD_TEXT, NULL,
                         "The state in words that are the same on every cloud: running, stopped, "
                         "paused, suspended, starting, stopping, rebooting, building, resizing, "
                         "rebuilding, deleting, deleted, error or unknown."},
    [CF_SERVER_TASK] = {"task", CF_FIELD_TEXT, NULL,
                        "What the cloud is doing to the server at present, in its own word."},
    [CF_SERVER_CREATED] = {"created", CF_FIELD_TIME, NULL, "When the server was made."},
    [CF_SERVER_UPDATED] = {"updated", CF_FIELD_TIME, NULL,
                           "When the cloud last changed its record of the server."},
    [CF_SERVER_DESCRIPTION] = {"description", CF_FIELD_TEXT, NULL, "Free text about the server."},
    [CF_SERVER_ZONE] = {"zone", CF_FIELD_TEXT, NULL, "Availability zone that the server runs in."},
    [CF_SERVER_REGION] = {"region", CF_FIELD_TEXT, NULL, "Region that the server runs in."},
    [CF_SERVER_HOST] = {"host", CF_FIELD_TEXT, NULL,
                        "Physical host, where the cloud tells its users."},
    [CF_SERVER_KEY_NAME] = {"key_name", CF_FIELD_TEXT, NULL,
                            "Name of the SSH key pair that was put in when it was made."},
    [CF_SERVER_FLAVOR] = {"flavor", CF_FIELD_TEXT, NULL, "The cloud's name for the size."},
    [CF_SERVER_VCPUS] = {"vcpus", CF_FIELD_NUMBER, NULL, "Number of virtual processors."},
    [CF_SERVER_RAM_MB] = {"ram_mb", CF_FIELD_NUMBER, "MiB", "Memory that the server has."},
    [CF_SERVER_ROOT_DISK_GB] = {"root_disk_gb", CF_FIELD_NUMBER, "GiB", "Size of the system disk."},
    [CF_SERVER_ADDRESSES] = {"addresses", CF_FIELD_LIST, NULL,
                             "IP addresses, one a line: the private ones, then the public ones."},
    [CF_SERVER_PRIVATE_ADDRESSES] = {"private_addresses", CF_FIELD_LIST, NULL,
                                     "IP addresses inside the cloud's networks, one a line."},
    [CF_SERVER_PUBLIC_ADDRESSES] = {"public_addresses", CF_FIELD_LIST, NULL,
                                    "IP addresses that the internet can reach, one a line."},
    [CF_SERVER_SECURITY_GROUPS] = {"security_groups", CF_FIELD_LIST, NULL,
                                   "Names of the security groups, one a line."},
    [CF_SERVER_CHARGE_TYPE] = {"charge_type", CF_FIELD_TEXT, NULL,
                               "How the server is paid for, in the cloud's own word."},
    [CF_SERVER_EXPIRES] = {"expires", CF_FIELD_TIME, NULL,
                           "When what is paid for ends, or the next bill is due."},
    [CF_SERVER_TAGS] = {"tags", CF_FIELD_LIST, NULL, "Tags, one a line, sorted."},
    [CF_SERVER_IMAGE] = {"image", CF_FIELD_TEXT, NULL,
                         "The image that the server was made from; a link to its directory."},
    [CF_SERVER_LOCK] = {"lock", CF_FIELD_NUMBER, NULL,
                        "1: the cloud refuses to change the server; 0: it does not."},
    [CF_SERVER_LOCKED_REASON] = {"locked_reason", CF_FIELD_TEXT, NULL,
                                 "Why the server is locked; writing locks it with that reason."},
    [CF_SERVER_FAULT] = {"fault", CF_FIELD_TEXT, NULL,
                         "What went wrong: the code and the message on one line, then the details "
                         "that the cloud tells this account; there only when something did."},
    [CF_SERVER_METADATA] = {"metadata", CF_FIELD_LIST, NULL,
                            "The user's own keys and values, KEY=VALUE one a line, sorted."},
};
G_STATIC_ASSERT(G_N_ELEMENTS(server_fields) == CF_SERVER_N);
G_STATIC_ASSERT(CF_SERVER_N <= CF_FIELD_MAX);

static const CfField image_fields[] = {
    [CF_IMAGE_ID] = {"id", CF_FIELD_TEXT, NULL, "The cloud's identifier; never changes."},
    [CF_IMAGE_NAME] = {"name", CF_FIELD_TEXT, NULL, "Name; several images may share one."},
    [CF_IMAGE_STATUS] = {"status", CF_FIELD_TEXT, NULL, "The cloud's own word for the state."},
    [CF_IMAGE_STATE] = {"state", CF_FIELD_TEXT, NULL,
                        "The state in words that are the same on every cloud: creating, available, "
                        "deprecated, disabled, deleting, deleted, error or unknown."},
    [CF_IMAGE_TAGS] = {"tags", CF_FIELD_LIST, NULL, "Tags, one a line, sorted."},
    [CF_IMAGE_DESCRIPTION] = {"description", CF_FIELD_TEXT, NULL, "Free text about the image."},
    [CF_IMAGE_SIZE] = {"size", CF_FIELD_NUMBER, "bytes", "Size of the image as it is stored."},
    [CF_IMAGE_MIN_DISK_GB] = {"min_disk_gb", CF_FIELD_NUMBER, "GiB",
                              "System disk that a server of this image needs at least."},
    [CF_IMAGE_MIN_RAM_MB] = {"min_ram_mb", CF_FIELD_NUMBER, "MiB",
                             "Memory that a server of this image needs at least."},
    [CF_IMAGE_OS] = {"os", CF_FIELD_TEXT, NULL, "Operating system on it, with its version."},
    [CF_IMAGE_OS_FAMILY] = {"os_family", CF_FIELD_TEXT, NULL,
                            "Kind of operating system in lower case: linux, windows."},
    [CF_IMAGE_PLATFORM] = {"platform", CF_FIELD_TEXT, NULL,
                           "Distribution or product line, in the cloud's own word."},
    [CF_IMAGE_ARCH] = {"arch", CF_FIELD_TEXT, NULL, "Processor that it is made for."},
    [CF_IMAGE_VISIBILITY] = {"visibility", CF_FIELD_TEXT, NULL,
                             "Who can see it: public, private, or another word of the cloud's."},
    [CF_IMAGE_OWNER] = {"owner", CF_FIELD_TEXT, NULL, "Account or project that owns it."},
    [CF_IMAGE_PROVIDER] = {"provider", CF_FIELD_TEXT, NULL,
                           "Where it comes from: the cloud's makers, a user, a market."},
    [CF_IMAGE_FORMAT] = {"format", CF_FIELD_TEXT, NULL, "Format of the disk: qcow2, raw."},
    [CF_IMAGE_CHECKSUM] = {"checksum", CF_FIELD_TEXT, NULL, "The cloud's checksum of the content."},
    [CF_IMAGE_CREATED] = {"created", CF_FIELD_TIME, NULL, "When the image was made."},
    [CF_IMAGE_UPDATED] = {"updated", CF_FIELD_TIME, NULL,
                          "When the cloud last changed its record of the image."},
};
G_STATIC_ASSERT(G_N_ELEMENTS(image_fields) == CF_IMAGE_N);
G_STATIC_ASSERT(CF_IMAGE_N <= CF_FIELD_MAX);

static const struct {
    const char *name;
    const CfField *fields;
    guint n;
} collections[CF_COLLECTION_N] = {
    [CF_SERVERS] = {"servers", server_fields, CF_SERVER_N},
    [CF_IMAGES] = {"images", image_fields, CF_IMAGE_N},
};

/* What all code may take for granted of either collection. */
G_STATIC_ASSERT(CF_SERVER_ID == CF_FIELD_ID && (int) CF_IMAGE_ID == CF_FIELD_ID);
G_STATIC_ASSERT(CF_SERVER_NAME == CF_FIELD_NAME && (int) CF_IMAGE_NAME == CF_FIELD_NAME);
G_STATIC_ASSERT(CF_SERVER_STATUS == CF_FIELD_STATUS && (int) CF_IMAGE_STATUS == CF_FIELD_STATUS);
G_STATIC_ASSERT(CF_SERVER_STATE == CF_FIELD_STATE && (int) CF_IMAGE_STATE == CF_FIELD_STATE);

const CfField *
cf_schema_get(CfCollection collection, guint *ret_n)
{
    g_return_val_if_fail((guint) collection < CF_COLLECTION_N, NULL);

    if (ret_n)
        *ret_n = collections[collection].n;
    return collections[collection].fields;
}

const char *
cf_collection_name(CfCollection collection)
{
    g_return_val_if_fail((guint) collection < CF_COLLECTION_N, NULL);

    return collections[collection].name;
}

int
cf_schema_find(CfCollection collection, const char *name)
{
    guint n;
    const CfField *fields = cf_schema_get(collection, &n);

    for (guint i = 0; fields && i < n; i++)
        if (strcmp(fields[i].name, name) == 0)
            return (int) i;
    return -1;
}

static const struct {
    const char *name;
    gboolean transitional;
    CfPower power;
} states[CF_STATE_N] = {
    [CF_STATE_UNKNOWN] = {"unknown", FALSE, CF_POWER_UNKNOWN},
    [CF_STATE_RUNNING] = {"running", FALSE, CF_POWER_ON},
    [CF_STATE_STOPPED] = {"stopped", FALSE, CF_POWER_OFF},
    [CF_STATE_PAUSED] = {"paused", FALSE, CF_POWER_PAUSED},
    [CF_STATE_SUSPENDED] = {"suspended", FALSE, CF_POWER_SUSPENDED},
    [CF_STATE_STARTING] = {"starting", TRUE, CF_POWER_CHANGING},
    [CF_STATE_STOPPING] = {"stopping", TRUE, CF_POWER_CHANGING},
    [CF_STATE_REBOOTING] = {"rebooting", TRUE, CF_POWER_CHANGING},
    [CF_STATE_BUILDING] = {"building", TRUE, CF_POWER_CHANGING},
    [CF_STATE_RESIZING] = {"resizing", TRUE, CF_POWER_CHANGING},
    [CF_STATE_REBUILDING] = {"rebuilding", TRUE, CF_POWER_CHANGING},
    [CF_STATE_DELETING] = {"deleting", TRUE, CF_POWER_CHANGING},
    [CF_STATE_DELETED] = {"deleted", FALSE, CF_POWER_UNKNOWN},
    [CF_STATE_ERROR] = {"error", FALSE, CF_POWER_UNKNOWN},
    [CF_STATE_CREATING] = {"creating", TRUE, CF_POWER_UNKNOWN},
    [CF_STATE_AVAILABLE] = {"available", FALSE, CF_POWER_UNKNOWN},
    [CF_STATE_DEPRECATED] = {"deprecated", FALSE, CF_POWER_UNKNOWN},
    [CF_STATE_DISABLED] = {"disabled", FALSE, CF_POWER_UNKNOWN},
};

const char *
cf_state_to_string(CfState state)
{
    g_return_val_if_fail((guint) state < CF_STATE_N, NULL);

    return states[state].name;
}

gboolean
cf_state_from_string(const char *text, CfState *ret_state)
{
    for (guint i = 0; text && i < CF_STATE_N; i++) {
        if (strcmp(states[i].name, text) == 0) {
            *ret_state = (CfState) i;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
cf_state_is_transitional(CfState state)
{
    g_return_val_if_fail((guint) state < CF_STATE_N, FALSE);

    return states[state].transitional;
}

CfPower
cf_power_of_state(CfState state)
{
    g_return_val_if_fail((guint) state < CF_STATE_N, CF_POWER_UNKNOWN);

    return states[state].power;
}

static const char *const power_names[CF_POWER_N] = {
    [CF_POWER_UNKNOWN] = "unknown",
    [CF_POWER_ON] = "on",
    [CF_POWER_OFF] = "off",
    [CF_POWER_PAUSED] = "paused",
    [CF_POWER_SUSPENDED] = "suspended",
    [CF_POWER_CHANGING] = "changing",
};

const char *
cf_power_to_string(CfPower power)
{
    g_return_val_if_fail((guint) power < CF_POWER_N, NULL);

    return power_names[power];
}
