/* Tokens as OpenStack's Keystone gives them (Identity API v3): the body of the call, and what the
 * answer says, with the catalogue of services. Pure: makes no call, has no clock. Thread: any. */
#pragma once

#include "auth/token.h"
#include "json/scan.h"

G_BEGIN_DECLS

/* Who asks, and for which project. Every member may be NULL; empty counts as NULL nowhere. */
typedef struct {
    char *token; /* methods: token */
    char *application_credential_id, *application_credential_name, *application_credential_secret;
    char *user_id, *username, *user_domain_id, *user_domain_name, *password;
    char *project_id, *project_name, *project_domain_id, *project_domain_name;
} CfKeystoneLogin;

/* Wipes and frees what it holds. */
void cf_keystone_login_clear(CfKeystoneLogin *login);

/* The body of POST /v3/auth/tokens: an application credential where there is one, else a token,
 * else the password. An application credential carries its project: no scope is asked for.
 * Returns: (transfer full): to be wiped with cf_text_wipe(). */
char *cf_keystone_body(const CfKeystoneLogin *login);

/* What the answer told beyond the token. */
typedef struct {
    char *project_id; /* (nullable) */
    gint64 issued_us; /* when the token was given, by Keystone's wall clock; 0: not told */
    gboolean has_roles, is_admin;
    CfJsonSpan catalog; /* points into the answer's text; null when there is none */
} CfKeystoneScope;

void cf_keystone_scope_clear(CfKeystoneScope *scope);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfKeystoneScope, cf_keystone_scope_clear)

/* Reads the answer. subject: (nullable): the header X-Subject-Token. needs_more: the header
 * Openstack-Auth-Receipt came, a second factor is asked for. now_us: when the call began, on the
 * clock that the token's end is wanted on; real_us: wall time then.
 * Errors: UNAUTHORIZED when the credentials were refused; REMOTE for 5xx, THROTTLED for 429;
 * PROTOCOL for an answer without sense. */
gboolean cf_keystone_parse(int http_status, const char *subject, gboolean needs_more,
                           const char *text, gsize len, gint64 now_us, gint64 real_us,
                           CfToken *ret_token, CfKeystoneScope *ret_scope, GError **error);

/* The address of a service in a catalogue. interface: "public" …; region: (nullable): NULL takes
 * the first that there is. ret_region: (transfer full) (nullable): the endpoint's own.
 * Returns: (transfer full) (nullable): NULL with CF_ERROR_CONFIG, naming what there is. */
char *cf_keystone_find(CfJsonSpan catalog, const char *type, const char *interface,
                       const char *region, char **ret_region, GError **error);

G_END_DECLS
