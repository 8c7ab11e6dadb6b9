/* What the backends' open() functions share: reading the keys of a profile. Errors are
 * CF_ERROR_CONFIG and begin with the profile's name in brackets. Never quotes a secret. */
#pragma once

#include "providers/provider.h"

G_BEGIN_DECLS

/* Returns: (transfer none) (nullable): the value of a key; NULL also for an empty one. */
const char *cf_keys_get(const CfProviderEnv *env, const char *key);
const char *cf_keys_get_or(const CfProviderEnv *env, const char *key, const char *fallback);
/* Returns: FALSE, always. */
gboolean cf_keys_wrong(const CfProviderEnv *env, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Whether text has neither blanks nor controls nor bytes beyond ASCII: what goes into a header or a
 * path of ours must not begin another one. */
gboolean cf_keys_is_printable(const char *text);
/* Checks that text is a URL with http or https and a host, and without user, query and fragment.
 * key: for the error. */
gboolean cf_keys_check_url(const CfProviderEnv *env, const char *key, const char *text,
                           GError **error);

G_END_DECLS
