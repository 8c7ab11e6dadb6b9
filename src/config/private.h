/* What the files of this layer share. */
#pragma once

#include "config/config.h"
#include "config/credentials.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "config/secret.h"

G_BEGIN_DECLS

/* A provider's key in a profile, given or not. */
typedef struct {
    CfConfigKey spec; /* its texts are the caller's of cf_config_load() */
    guint line;       /* 0: not in the file */
    enum {
        CF_KEY_UNSET,
        CF_KEY_INLINE,
        CF_KEY_OVERRIDE,
        CF_KEY_ELSEWHERE,
        CF_KEY_CREDENTIAL,
        CF_KEY_FILLED, /* by another program's file, which is from */
    } kind;
    CfSecretSource source; /* of CF_KEY_ELSEWHERE */
    char *from;            /* (nullable) path, variable, command */
    char *value;           /* (nullable) */
} CfProfileKey;

struct _CfProfile {
    const CfConfig *config; /* owns us */
    char *name;
    guint line;
    const char *provider;
    CfOptions options;
    GPtrArray *keys; /* (element-type CfProfileKey) in the order of the provider's table */
    gboolean filled, secrets_read;
};

struct _CfConfig {
    char *name;      /* path, or what stands for it in messages */
    char *directory; /* from the root: where relative paths start */
    CfMountOptions mount_options;
    GPtrArray *profiles; /* (element-type CfProfile) */
};

/* --- config.c --- */

#define CF_CONFIG_DEFAULTS "defaults" /* the group that is no profile */

/* Always FALSE, with CF_ERROR_CONFIG that begins with the file and the line. */
gboolean cf_config_fail(const CfConfig *config, guint line, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* What may have been meant: among the options (those of the mount only with_mount) and the keys of
 * some providers; for_override: without "provider" and secrets, which -o does not take.
 * schemas: (array length=n_schemas). Returns: (transfer full): "; did you mean ‘ttl’?" or "". */
char *cf_config_suggest(const char *text, const CfConfigSchema *const *schemas, guint n_schemas,
                        gboolean with_mount, gboolean for_override);

/* options: the CfOptions or CfMountOptions. */
gboolean cf_config_set_option(const CfConfig *config, const CfOption *option, gpointer options,
                              const CfKeyfileEntry *entry, const char *group, GError **error);

/* "~/x" and "x" as a path from the root. directory: (nullable): where a relative one starts; NULL:
 * where we are. Returns: (transfer full). */
char *cf_config_expand_path(const char *directory, const char *path);

/* Registers the password in a URL as a secret. url: (nullable): any value. */
void cf_config_hide_password(const char *url);

/* --- profile.c --- */

/* An empty profile with default options. Returns: (transfer full). */
CfProfile *cf_profile_new(const CfConfig *config, const CfKeyfileGroup *group,
                          const CfConfigSchema *schema);
void cf_profile_free(CfProfile *profile);

gboolean cf_profile_take_entry(CfProfile *profile, const CfConfigSchema *schema,
                               const CfKeyfileEntry *entry, GError **error);
/* When all entries are taken: adds systemd credentials, and looks whether something is missing. */
gboolean cf_profile_complete(CfProfile *profile, GError **error);

/* Returns: (transfer none) (nullable): the key that name stands for ("token", "token_file").
 * ret_source: CF_SECRET_SOURCE_N for the key itself. */
CfProfileKey *cf_profile_find_key(CfProfile *profile, const char *name, CfSecretSource *ret_source);

G_END_DECLS
