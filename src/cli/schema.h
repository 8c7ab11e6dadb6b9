/* What the backends take, in the words of the config layer, which knows none of them. */
#pragma once

#include "config/config.h"

G_BEGIN_DECLS

/* Returns: (transfer none) (array zero-terminated by a NULL provider): of all backends. Thread:
 * main. */
const CfConfigSchema *cf_schemas_get(void);

/* The profiles with those names; all when names is empty.
 * Returns: (transfer container) (nullable) (element-type CfProfile). Errors: CF_ERROR_CONFIG. */
GPtrArray *cf_profiles_select(CfConfig *config, char *const *names, GError **error);

/* Returns: (transfer none) (nullable): where the profile's cloud is, as configured. */
const char *cf_profile_get_address(CfProfile *profile);

G_END_DECLS
