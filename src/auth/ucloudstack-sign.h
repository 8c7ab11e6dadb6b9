/* The signature of UCloud's and UCloudStack's API. Pure. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    const char *name;  /* "ImageIDs.0" */
    const char *value; /* as it reads, not percent-encoded; an empty one is signed too */
} CfUcloudstackParameter;

/* Hexadecimal SHA-1 of all parameters, sorted by the bytes of their names, name and value run
 * together, and the private key after them. parameters: with PublicKey, without Signature.
 * Returns: (transfer full). */
char *cf_ucloudstack_sign(const CfUcloudstackParameter *parameters, guint n,
                          const char *private_key);

G_END_DECLS
