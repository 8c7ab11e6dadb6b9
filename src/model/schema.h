/* The portable words: which fields a server and an image have, and the states. Contract section 2.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum { CF_SERVERS, CF_IMAGES, CF_COLLECTION_N } CfCollection;

typedef enum {
    CF_FIELD_TEXT,   /* one value */
    CF_FIELD_NUMBER, /* decimal digits */
    CF_FIELD_TIME,   /* "2024-01-01T00:00:00Z", UTC */
    CF_FIELD_LIST,   /* one item a line */
    CF_FIELD_TYPE_N
} CfFieldType;

typedef struct {
    const char *name; /* also the file's name */
    CfFieldType type;
    const char *unit; /* (nullable) */
    const char *doc;
} CfField;

/* What a cloud tells of a server. Values are normalised text: what the file shows, without the last
 * newline. Local files (power, console, last_error …) are not here: tree/attr-*.c has them. */
typedef enum {
    CF_SERVER_ID,
    CF_SERVER_NAME,
    CF_SERVER_STATUS,
    CF_SERVER_STATE,
    CF_SERVER_TASK,
    CF_SERVER_CREATED,
    CF_SERVER_UPDATED,
    CF_SERVER_DESCRIPTION,
    CF_SERVER_ZONE,
    CF_SERVER_REGION,
    CF_SERVER_HOST,
    CF_SERVER_KEY_NAME,
    CF_SERVER_FLAVOR,
    CF_SERVER_VCPUS,
    CF_SERVER_RAM_MB,
    CF_SERVER_ROOT_DISK_GB,
    CF_SERVER_ADDRESSES,         /* list: private ones first, then public ones */
    CF_SERVER_PRIVATE_ADDRESSES, /* list */
    CF_SERVER_PUBLIC_ADDRESSES,  /* list */
    CF_SERVER_SECURITY_GROUPS,   /* list */
    CF_SERVER_CHARGE_TYPE,
    CF_SERVER_EXPIRES,
    CF_SERVER_TAGS,  /* list, sorted */
    CF_SERVER_IMAGE, /* the image's id */
    CF_SERVER_LOCK,  /* "0", "1" */
    CF_SERVER_LOCKED_REASON,
    CF_SERVER_FAULT,
    CF_SERVER_METADATA, /* list: what model/metadata.h reads */
    CF_SERVER_N
} CfServerField;

typedef enum {
    CF_IMAGE_ID,
    CF_IMAGE_NAME,
    CF_IMAGE_STATUS,
    CF_IMAGE_STATE,
    CF_IMAGE_TAGS, /* list, sorted */
    CF_IMAGE_DESCRIPTION,
    CF_IMAGE_SIZE, /* bytes */
    CF_IMAGE_MIN_DISK_GB,
    CF_IMAGE_MIN_RAM_MB,
    CF_IMAGE_OS,
    CF_IMAGE_OS_FAMILY,
    CF_IMAGE_PLATFORM,
    CF_IMAGE_ARCH,
    CF_IMAGE_VISIBILITY,
    CF_IMAGE_OWNER,
    CF_IMAGE_PROVIDER,
    CF_IMAGE_FORMAT,
    CF_IMAGE_CHECKSUM,
    CF_IMAGE_CREATED,
    CF_IMAGE_UPDATED,
    CF_IMAGE_N
} CfImageField;

#define CF_FIELD_MAX 32 /* no collection has more fields; checked at compile time */
#define CF_FIELD_BIT(field) (1u << (field))

/* The places that both collections have, at the same meaning. */
#define CF_FIELD_ID 0
#define CF_FIELD_NAME 1
#define CF_FIELD_STATUS 2
#define CF_FIELD_STATE 3

/* Returns: (transfer none): the table; ret_n its length. */
const CfField *cf_schema_get(CfCollection collection, guint *ret_n);
const char *cf_collection_name(CfCollection collection); /* "servers", "images" */
/* Returns: the field's index, or -1. */
int cf_schema_find(CfCollection collection, const char *name);

typedef enum {
    CF_STATE_UNKNOWN,
    /* servers */
    CF_STATE_RUNNING,
    CF_STATE_STOPPED,
    CF_STATE_PAUSED,
    CF_STATE_SUSPENDED,
    CF_STATE_STARTING,
    CF_STATE_STOPPING,
    CF_STATE_REBOOTING,
    CF_STATE_BUILDING,
    CF_STATE_RESIZING,
    CF_STATE_REBUILDING,
    /* both */
    CF_STATE_DELETING,
    CF_STATE_DELETED,
    CF_STATE_ERROR,
    /* images */
    CF_STATE_CREATING,
    CF_STATE_AVAILABLE,
    CF_STATE_DEPRECATED,
    CF_STATE_DISABLED,
    CF_STATE_N
} CfState;

const char *cf_state_to_string(CfState state);
/* Returns: FALSE for a word that is no state. */
gboolean cf_state_from_string(const char *text, CfState *ret_state);
/* Whether the state is one that passes by itself (starting, building, creating …). */
gboolean cf_state_is_transitional(CfState state);

typedef enum {
    CF_POWER_UNKNOWN,
    CF_POWER_ON,
    CF_POWER_OFF,
    CF_POWER_PAUSED,
    CF_POWER_SUSPENDED,
    CF_POWER_CHANGING,
    CF_POWER_N
} CfPower;

/* What `power` reads for a server in that state. */
CfPower cf_power_of_state(CfState state);
const char *cf_power_to_string(CfPower power);

G_END_DECLS
