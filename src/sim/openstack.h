/* What the files of the OpenStack dialect share. Records are stored as the newest microversion
 * shows them; what a request does not know yet is left out when it is answered. */
#pragma once

#include "sim/private.h"

G_BEGIN_DECLS

#define CF_SIM_OS_PROJECT "5f1d7c3a9b8e4d2f8a6c0e1b2d3f4a5c"
#define CF_SIM_OS_OTHER_PROJECT "0a9b8c7d6e5f40312233445566778899"
#define CF_SIM_OS_USER "c0ffee11223344556677889900aabbcc"
#define CF_SIM_OS_PAGE_MAX 1000

#define CF_SIM_OS_TASK "OS-EXT-STS:task_state"

/* What a record's text says, once read. */
typedef struct {
    gint64 created_s, updated_s;
    gboolean gone;      /* deleted, but told of where changes are asked for */
    gboolean going;     /* to be deleted for good later: in no plain list */
    gboolean has_fault; /* a fault that does not show: the server is no longer in error */
} CfSimOsDigest;

/* ---- dialect-openstack.c ---- */

/* Fails as the service does that the call is for. name: (nullable): of Nova's fault; else that of
 * the status. */
void cf_sim_os_refuse(CfSim *sim, CfSimCall *call, guint status, const char *name,
                      const char *message);
void cf_sim_os_refuse_printf(CfSim *sim, CfSimCall *call, guint status, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* An answer with nothing in it. */
void cf_sim_os_answer_empty(CfSimCall *call, guint status);
/* 2.N of the request; only while it is answered. */
guint cf_sim_os_version(const CfSim *sim);
const CfSimOsDigest *cf_sim_os_digest(CfSimRecord *record);
gboolean cf_sim_os_is_gone(const CfSimRecord *record);
/* Returns: (transfer full): a date of the server's clock. */
char *cf_sim_os_now(const CfSim *sim, const char *format);
/* Sets when it was changed last. */
void cf_sim_os_stamp(CfSim *sim, CfSimRecord *record);
/* The server is deleted: only listings of changes tell of it. */
void cf_sim_os_bury(CfSim *sim, CfSimRecord *record);
/* Parses a page size. fallback: when there is none. Returns: FALSE: refused. */
gboolean cf_sim_os_take_limit(CfSim *sim, CfSimCall *call, guint fallback, guint64 *ret_limit);
/* Appends the query's parameters but for the marker, and that marker. */
void cf_sim_os_append_query(const CfSimCall *call, const char *marker, GString *out);
/* A member that is a string. Returns: (transfer full) (nullable) */
char *cf_sim_os_get(const CfSimRecord *record, const char *key);
gboolean cf_sim_os_member_is(const CfSimRecord *record, const char *key, const char *wanted);

/* ---- openstack-auth.c ---- */

gboolean cf_sim_os_admit(CfSim *sim, CfSimCall *call);
void cf_sim_os_token(CfSim *sim, CfSimCall *call);
void cf_sim_os_identity_version(CfSim *sim, CfSimCall *call);
void cf_sim_os_compute_version(CfSim *sim, CfSimCall *call);
void cf_sim_os_compute_versions(CfSim *sim, CfSimCall *call);
void cf_sim_os_image_versions(CfSim *sim, CfSimCall *call);
/* Appends a JSON array: what is where. */
void cf_sim_os_append_catalog(CfSim *sim, GString *out);

/* ---- openstack-list.c ---- */

void cf_sim_os_list_servers(CfSim *sim, CfSimCall *call);

/* ---- openstack-servers.c ---- */

/* Returns: (transfer none) (nullable): the server that the path names; NULL: refused. */
CfSimRecord *cf_sim_os_find_server(CfSim *sim, CfSimCall *call);
/* As the request's microversion shows it. */
void cf_sim_os_render_server(CfSim *sim, const CfSimRecord *record, GString *out);
/* Why the server cannot be asked for that now. action: as the refusal calls it. states: vm_states
 * that permit it, with blanks around each; tasks: (nullable) likewise, beside none at all.
 * Returns: FALSE: refused. */
gboolean cf_sim_os_check_state(CfSim *sim, CfSimCall *call, const CfSimRecord *server,
                               const char *action, const char *states, const char *tasks);
gboolean cf_sim_os_check_lock(CfSim *sim, CfSimCall *call, const CfSimRecord *server);
gboolean cf_sim_os_check_host(CfSim *sim, CfSimCall *call, const CfSimRecord *server);
const char *cf_sim_os_vm_state(const char *status);
guint cf_sim_os_power_state(const char *status);
void cf_sim_os_show_server(CfSim *sim, CfSimCall *call);
void cf_sim_os_update_server(CfSim *sim, CfSimCall *call);
void cf_sim_os_delete_server(CfSim *sim, CfSimCall *call);

/* ---- openstack-actions.c, openstack-consoles.c ---- */

extern const CfSimRoute cf_sim_os_actions[];
void cf_sim_os_act(CfSim *sim, CfSimCall *call);
void cf_sim_os_unknown_action(CfSim *sim, CfSimCall *call);
/* What the body says under that key. Returns: (transfer full) (nullable): cJSON_Delete(). */
cJSON *cf_sim_os_argument(const CfSimCall *call, const char *key);
void cf_sim_os_remote_console(CfSim *sim, CfSimCall *call);
void cf_sim_os_old_console(CfSim *sim, CfSimCall *call);
void cf_sim_os_console_output(CfSim *sim, CfSimCall *call);

/* ---- openstack-tags.c ---- */

void cf_sim_os_list_tags(CfSim *sim, CfSimCall *call);
void cf_sim_os_put_tags(CfSim *sim, CfSimCall *call);
void cf_sim_os_clear_tags(CfSim *sim, CfSimCall *call);
void cf_sim_os_has_tag(CfSim *sim, CfSimCall *call);
void cf_sim_os_put_tag(CfSim *sim, CfSimCall *call);
void cf_sim_os_drop_tag(CfSim *sim, CfSimCall *call);
void cf_sim_os_put_image_tag(CfSim *sim, CfSimCall *call);
void cf_sim_os_drop_image_tag(CfSim *sim, CfSimCall *call);
/* Returns: (transfer full) (element-type utf8): of the record. */
GPtrArray *cf_sim_os_tags(CfSimSpan record);
gboolean cf_sim_os_has_text(const GPtrArray *texts, const char *text);
/* Makes them the record's, sorted, each once. */
void cf_sim_os_set_tags(CfSim *sim, CfSimRecord *record, const GPtrArray *names);
void cf_sim_os_show_tags(CfSim *sim, const CfSimRecord *record, GString *out);

/* ---- openstack-metadata.c ---- */

void cf_sim_os_get_metadata(CfSim *sim, CfSimCall *call);
void cf_sim_os_update_metadata(CfSim *sim, CfSimCall *call);
void cf_sim_os_replace_metadata(CfSim *sim, CfSimCall *call);
void cf_sim_os_get_metadata_item(CfSim *sim, CfSimCall *call);
void cf_sim_os_put_metadata_item(CfSim *sim, CfSimCall *call);
void cf_sim_os_drop_metadata_item(CfSim *sim, CfSimCall *call);

/* ---- openstack-images.c, openstack-patch.c ---- */

void cf_sim_os_list_images(CfSim *sim, CfSimCall *call);
void cf_sim_os_show_image(CfSim *sim, CfSimCall *call);
void cf_sim_os_delete_image(CfSim *sim, CfSimCall *call);
void cf_sim_os_deactivate_image(CfSim *sim, CfSimCall *call);
void cf_sim_os_reactivate_image(CfSim *sim, CfSimCall *call);
void cf_sim_os_patch_image(CfSim *sim, CfSimCall *call);
/* Returns: (transfer none) (nullable): the image that the path names; NULL: refused. */
CfSimRecord *cf_sim_os_find_image(CfSim *sim, CfSimCall *call);
/* Whether this project may change the image; refuses if not. */
gboolean cf_sim_os_check_owner(CfSim *sim, CfSimCall *call, const CfSimRecord *image);
/* Makes an image of a server. metadata: (nullable). Returns: (transfer none) */
CfSimRecord *cf_sim_os_capture(CfSim *sim, const CfSimRecord *server, const char *name,
                               const cJSON *metadata);

/* ---- openstack-records.c ---- */

/* A plain record. Returns: (transfer full): JSON text. */
char *cf_sim_os_make(CfSim *sim, CfSimKind kind, guint64 index);
void cf_sim_os_append_id(CfSim *sim, CfSimKind kind, guint64 index, GString *out);
/* Appends a flavour as older microversions name it: its id and a link. name: (nullable) */
void cf_sim_os_append_flavor_link(const char *name, GString *out);
void cf_sim_os_list_flavors(CfSim *sim, CfSimCall *call);
void cf_sim_os_show_flavor(CfSim *sim, CfSimCall *call);

/* openstack-demo.c */
void cf_sim_os_populate_demo(CfSim *sim);

/* openstack-hostile.c */
extern const CfSimHostile cf_sim_os_hostile[CF_SIM_KIND_N];

G_END_DECLS
