/* The one error domain. Codes say what happened, not who said it; fuse/errno.c maps them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CF_ERROR (cf_error_quark())

/* Contract section 6, one code a row (and a few of our own that the edge needs). */
typedef enum {
    CF_ERROR_INVALID,       /* EINVAL: bad parameter, malformed or unknown word */
    CF_ERROR_TOO_BIG,       /* E2BIG: longer than the file takes */
    CF_ERROR_NAME_TOO_LONG, /* ENAMETOOLONG: a tag that is too long */
    CF_ERROR_BUSY,          /* EBUSY: the state does not permit it now */
    CF_ERROR_NOT_FOUND,     /* ENOENT: no such resource (a complete listing or the cloud says so) */
    CF_ERROR_GONE,          /* ENODEV: an open file of a resource that is no more */
    CF_ERROR_EXISTS,        /* EEXIST: the name exists */
    CF_ERROR_UNAUTHORIZED,  /* EKEYREJECTED: credentials refused, after one renewed token */
    CF_ERROR_EXPIRED,       /* EKEYEXPIRED: credentials expired and not renewable */
    CF_ERROR_DENIED,        /* EACCES: not allowed */
    CF_ERROR_NOT_YOURS,     /* EACCES: not there or not yours; ENOENT once a look confirms it */
    CF_ERROR_REFUSED,       /* EPERM: account, billing, expiry, licence; deletion not allowed */
    CF_ERROR_QUOTA,         /* EDQUOT: quota; action_limit */
    CF_ERROR_CAPACITY,      /* ENOSPC: the cloud has no room */
    CF_ERROR_THROTTLED,     /* EAGAIN: 429 or a throttle code, after the deadline */
    CF_ERROR_TIMEOUT,       /* ETIMEDOUT: no answer before the deadline */
    CF_ERROR_UNREACHABLE,   /* EHOSTUNREACH: cannot resolve, no route */
    CF_ERROR_NO_CONNECT,    /* ECONNREFUSED: nobody listens there, or the connection broke */
    CF_ERROR_PROTOCOL,      /* EPROTO: TLS failure, an answer that the protocol does not allow */
    CF_ERROR_REMOTE,        /* EREMOTEIO: anything else that the cloud refuses */
    CF_ERROR_CHANGED,       /* ESTALE: changed meanwhile */
    CF_ERROR_UNSUPPORTED,   /* EOPNOTSUPP: the provider has no such operation */
    CF_ERROR_READ_ONLY,     /* EROFS: mounted read-only, view not editable */
    CF_ERROR_FILE_TOO_BIG,  /* EFBIG: a scratch file longer than it may be */
    CF_ERROR_NOT_EMPTY,     /* ENOTEMPTY: a tag that is not empty is no directory to remove */
    CF_ERROR_CROSS,         /* EXDEV: a scratch file is not moved into another directory */
    CF_ERROR_INTERRUPTED,   /* EINTR: the waiting program is being killed */
    CF_ERROR_CONFIG,        /* EINVAL: the configuration cannot be understood (exit status 3) */
    CF_ERROR_DRY_RUN,       /* ECANCELED: a change that is not sent; the message is what would be.
                             * Nobody who writes gets it */
    CF_ERROR_INTERNAL,      /* EIO: a fault of ours */
    CF_ERROR_N
} CfErrorCode;

/* What the cloud said, word for word; every member may be NULL or 0. */
typedef struct {
    int http_status;
    char *code;       /* the cloud's own code, as text: "101.001012" */
    char *message;    /* the cloud's own words */
    char *request_id; /* of the request that failed */
} CfCloudWords;

GQuark cf_error_quark(void);

/* Like g_set_error(), and remembers the cloud's words.
 * words: (nullable): copied.
 * Thread: any. */
void cf_error_set_cloud(GError **error, CfErrorCode code, const CfCloudWords *words,
                        const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Returns: (transfer none) (nullable): the cloud's words of a CF_ERROR; NULL for any other error.
 */
const CfCloudWords *cf_error_get_cloud(const GError *error);

/* Marks the error of a change that may have been made nevertheless, and says so at the end of its
 * message. error: a CF_ERROR.
 * Thread: any. */
void cf_error_set_unsure(GError *error);

/* Whether it was marked; copies are as well.
 * error: (nullable).
 * Thread: any. */
gboolean cf_error_is_unsure(const GError *error);

/* Returns: the code's name, "busy"; for logs and tests. */
const char *cf_error_name(CfErrorCode code);

/* The code of an error; CF_ERROR_INTERNAL for an error of another domain. */
CfErrorCode cf_error_code(const GError *error);

G_END_DECLS
