/* The table of options, and how a text becomes the value of one. */
#pragma once

#include "config/config.h"

G_BEGIN_DECLS

typedef struct _CfOption CfOption;

/* Returns: (transfer none) (nullable). */
const CfOption *cf_option_find(const char *name);
/* The table in its order; NULL behind the end. Returns: (transfer none) (nullable). */
const CfOption *cf_option_get(guint i);
const char *cf_option_get_name(const CfOption *option);
/* Whether it stands in CfMountOptions; else in CfOptions. */
gboolean cf_option_is_of_mount(const CfOption *option);

/* options: the CfOptions or CfMountOptions. text: (nullable): NULL for a bare name in -o.
 * directory: (nullable): where a relative path starts; NULL: where we are. It is kept from the
 * root, because a daemon leaves the directory that it was started in. Errors: CF_ERROR_CONFIG,
 * without the option's name. */
gboolean cf_option_set(const CfOption *option, gpointer options, const char *text,
                       const char *directory, GError **error);
/* Returns: (transfer full): as cf_option_set() takes it; "" for a text that is not set. */
char *cf_option_to_text(const CfOption *option, gconstpointer options);

/* All to their defaults. */
void cf_options_init(CfOptions *options);
void cf_options_clear(CfOptions *options);
void cf_mount_options_init(CfMountOptions *options);
void cf_mount_options_clear(CfMountOptions *options);

/* Whether an option of -o is of mount(8) and fstab, and means nothing to us. */
gboolean cf_option_is_of_fstab(const char *name);

/* Returns: (transfer none) (nullable): the candidate that somebody who wrote text may have meant.
 * candidates: (array zero-terminated=1). */
const char *cf_option_suggest(const char *text, const char *const *candidates);

G_END_DECLS
