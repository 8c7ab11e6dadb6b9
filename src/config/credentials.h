/* Credentials that other programs keep: what their files give fills in what a profile lacks, before
 * its provider is opened. Contract section 9, "Existing files are understood".
 *
 * One format: one file of this folder with one CfCredentials, one line in credentials.c. */
#pragma once

#include "config/config.h"
#include "config/yaml-file.h"
#include "json/scan.h"

G_BEGIN_DECLS

#define CF_CREDENTIALS_MAX_BYTES (256 * 1024)

/* What another program's files are to the profiles of one provider. */
typedef struct {
    const char *provider; /* as in provider = NAME */
    /* The keys of a profile that name the files; they are none of the provider's own. Ends with a
     * NULL name. */
    const CfCredentialsKey *keys;
    /* (nullable) Whether profile, or the environment, names them. Pure.
     * NULL: one of the keys is given. */
    gboolean (*is_named)(CfProfile *profile);
    /* Reads them, and offers what they give to cf_profile_fill(). Errors: CF_ERROR_CONFIG. */
    gboolean (*read)(CfProfile *profile, GError **error);
    /* (nullable) Where there is no configuration at all, or none for this provider: the text of
     * one, when -o (nullable) or, with_environment, the environment say enough.
     * Returns: (transfer full) (nullable). */
    char *(*make_config)(const char *overrides, gboolean with_environment);
} CfCredentials;

extern const CfCredentials cf_credentials_openstack;
extern const CfCredentials cf_credentials_qingcloud;
extern const CfCredentials cf_credentials_ucloudstack;

/* Returns: (transfer none) (nullable). */
const CfCredentials *cf_credentials_find(const char *provider);
gboolean cf_credentials_is_named(const CfCredentials *credentials, CfProfile *profile);
/* The configuration that stands in for one that is not there. Returns: (transfer full) (nullable).
 */
char *cf_credentials_make_config(const char *overrides, gboolean with_environment);

/* --- for read() ------------------------------------------------------------------------------ */

/* Whether the profile has it, by itself or filled in (with a default, as cf_profile_get(): FALSE).
 */
gboolean cf_profile_has(CfProfile *profile, const char *key);
/* Whether the configuration says it: not when it was filled in. */
gboolean cf_profile_says(CfProfile *profile, const char *key);

/* Gives the profile a value of a key that its provider takes and that the configuration does not
 * give; a secret becomes known to the log. value: (nullable): nothing to give; "" neither.
 * from: the file, for people. */
void cf_profile_fill(CfProfile *profile, const char *key, const char *value, const char *from);

/* The path that a key names: "~/" is the home; a relative one starts where the configuration lies,
 * in -o where the command runs. Returns: (transfer full) (nullable): NULL when there is no value.
 */
char *cf_profile_get_path(CfProfile *profile, const char *key);

/* Always FALSE, with the place of the key in the configuration before the message. key: one that
 * the profile gives, else the profile's own line is named. */
gboolean cf_profile_fail(CfProfile *profile, const char *key, GError **error, const char *message);

/* A file that nobody else can read, parsed. Errors: CF_ERROR_CONFIG, with file and line. */
CfYaml *cf_credentials_read_yaml(const char *path, GError **error);

/* ret_text: (transfer full): the text that the span points into, for cf_text_wipe(). */
gboolean cf_credentials_read_json(const char *path, char **ret_text, CfJsonSpan *ret_span,
                                  GError **error);
/* The line of a span, or of a fault, in its text; from 1. */
guint cf_credentials_find_line(const char *text, gsize offset);

G_END_DECLS
