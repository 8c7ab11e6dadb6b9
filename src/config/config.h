/* Profiles, options and secrets from file, environment and command line. Contract sections 8 and 9.
 */
#pragma once

#include "model/schema.h"

G_BEGIN_DECLS

typedef enum { CF_TAGS_DEMAND, CF_TAGS_SWEEP } CfTagsMode;

/* Every option of contract section 8 that is not of the mount alone. Durations in microseconds. */
typedef struct {
    gboolean ro, allow_delete, edit_views, dry_run, watch, raw_world, insecure;
    gboolean insecure_set;
    gint64 ttl_us, max_stale_us, patience_us, deadline_us, tags_ttl_us;
    double rate;                         /* requests a second; 0: no limit */
    guint burst, connections, page_size; /* page_size 0: the provider's own */
    guint batch_limit, action_limit;     /* action_limit 0: none */
    CfTagsMode tags;
    char *cacert, *proxy; /* (nullable) */
} CfOptions;

/* Options of the mount as a whole. */
typedef struct {
    gboolean allow_other, offline_ok, kernel_open, foreground;
    gboolean uid_set, gid_set, umask_set;
    guint uid, gid, umask;
    char *log;       /* target: stderr, syslog, none or a path */
    char *log_level; /* error, warning, info, debug */
    char *state_dir; /* (nullable): where the platform keeps such */
} CfMountOptions;

/* What a provider's table says of its keys; the config layer knows no provider by itself. */
typedef struct {
    const char *name;
    gboolean secret, required;
    const char *fallback; /* (nullable) */
} CfConfigKey;
typedef struct {
    const char *provider;
    const CfConfigKey *keys; /* ends with a NULL name */
} CfConfigSchema;

/* A key of profiles that names a file of another program, with what the profile lacks; this layer's
 * own, not the provider's. */
typedef struct {
    const char *name;
    const char *doc;
    const char *fallback; /* (nullable) what it is when another of them is given */
} CfCredentialsKey;

typedef struct _CfProfile CfProfile;
typedef struct _CfConfig CfConfig;

/* Finds and reads the configuration: path, else $CIRRUSFS_CONFIG, else
 * $XDG_CONFIG_HOME/cirrusfs/config (~/.config/…).
 * path: (nullable). schemas: (array zero-terminated by a NULL provider).
 * overrides: (nullable) "-o" text "ttl=5,ro,x-foo": options given here win over the file; unknown
 * ones are errors, except those that mount(8) has (rw, nofail, _netdev, noauto, user, x-*, nosuid,
 * nodev, noexec, relatime, noatime …). Secrets are not read yet. Errors: CF_ERROR_CONFIG with file
 * and line: "config:12: unknown key ‘tll’ in [prod]; did you mean ‘ttl’?" */
CfConfig *cf_config_load(const char *path, const CfConfigSchema *schemas, const char *overrides,
                         GError **error);
/* The same from a text instead of a file (demo, tests). name: for messages. */
CfConfig *cf_config_load_data(const char *name, const char *data, const CfConfigSchema *schemas,
                              const char *overrides, GError **error);
void cf_config_free(CfConfig *config); /* (nullable); wipes secrets */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfConfig, cf_config_free)

const CfMountOptions *cf_config_get_mount_options(CfConfig *config);
/* Returns: (transfer none) (element-type CfProfile): in the order of the file. */
GPtrArray *cf_config_get_profiles(CfConfig *config);
/* Returns: (transfer none) (nullable). */
CfProfile *cf_config_find_profile(CfConfig *config, const char *name);

const char *cf_profile_get_name(CfProfile *profile);
const char *cf_profile_get_provider(CfProfile *profile);
const CfOptions *cf_profile_get_options(CfProfile *profile);

/* Reads what the profile lacks from the other program's files that it names (credentials.h), then
 * every secret from where the config says (KEY, KEY_file, KEY_env, KEY_command,
 * $CREDENTIALS_DIRECTORY/<profile>.<key> or <key>), and registers it with cf_log_add_secret(). A
 * file that others can read is refused with the chmod that mends it. Commands run with a time-out,
 * and their stderr is quoted when they fail. Idempotent. Errors: CF_ERROR_CONFIG. */
gboolean cf_profile_read_secrets(CfProfile *profile, GError **error);

/* Returns: (transfer none) (nullable): the value of a key of the provider's; for secrets only after
 * cf_profile_read_secrets(). */
const char *cf_profile_get(CfProfile *profile, const char *key);

/* The configuration as it is in force, as a GKeyFile text: every profile, every option with its
 * value, keys of the provider; secrets as "***" and where they come from. Returns: (transfer full).
 */
char *cf_config_describe(CfConfig *config);

/* The keys that name other programs' files in profiles of that provider.
 * Returns: (transfer none): ends with a NULL name. */
const CfCredentialsKey *cf_credentials_get_keys(const char *provider);

/* The table of options, for --help, the manual's test and shell completion. */
typedef struct {
    const char *name;
    const char *argument; /* (nullable): NULL for a flag */
    const char *fallback; /* its default, as text */
    gboolean mount_only;  /* may not stand in a profile, only under [defaults] and -o */
    const char *doc;
} CfOptionDoc;
const CfOptionDoc *cf_options_get_docs(void); /* ends with a NULL name */

G_END_DECLS
