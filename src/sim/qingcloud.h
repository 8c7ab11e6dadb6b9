/* What the files of the QingCloud dialect share. */
#pragma once

#include "sim/private.h"

G_BEGIN_DECLS

#define CF_SIM_QINGCLOUD_OWNER "usr-1234abcd"
#define CF_SIM_QINGCLOUD_TIME "%Y-%m-%dT%H:%M:%SZ"

/* ---- dialect-qingcloud.c ---- */

/* Success, up to the ret_code; the caller appends further members and a closing brace. */
void cf_sim_qingcloud_accept_begin(CfSimCall *call);
/* Success that says nothing more. */
void cf_sim_qingcloud_accept(CfSimCall *call);
/* Failure with that ret_code. Returns: FALSE. */
gboolean cf_sim_qingcloud_refuse(CfSimCall *call, guint ret_code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
gboolean cf_sim_qingcloud_refuse_missing(CfSimCall *call, const char *name);
gboolean cf_sim_qingcloud_refuse_unknown(CfSimCall *call, const char *id);
/* A number among the parameters; *number keeps its value without one.
 * Returns: FALSE: refused. */
gboolean cf_sim_qingcloud_take_number(CfSimCall *call, const char *name, guint64 max,
                                      guint64 *number);

/* ---- qingcloud-auth.c ---- */

gboolean cf_sim_qingcloud_admit(CfSim *sim, CfSimCall *call);
/* What a machine is told about the role that it has. */
void cf_sim_qingcloud_role(CfSim *sim, CfSimCall *call);
/* The signature of a request. path: as it was sent; params: decoded names and values in turn,
 * `signature` is left out. Returns: (transfer full) (nullable): Base64; NULL for an unknown method.
 */
char *cf_sim_qingcloud_sign(const char *signature_method, const char *method, const char *path,
                            const GPtrArray *params, const char *secret);

/* ---- qingcloud-list.c: what all Describe calls have in common ---- */

typedef struct {
    const char *param;          /* given once, or as a list */
    const char *member;         /* of the record; a dot leads into an object */
    const char *const *allowed; /* (nullable): its values, up to a NULL */
} CfSimQingcloudField;

typedef struct {
    CfSimKind kind;
    const char *ids;  /* the list of ids */
    const char *name; /* the member that search_word is looked for in, beside the id */
    const char *set;  /* what the answer's list is called */
    const CfSimQingcloudField *fields; /* up to one without a param */
    gboolean unknown_is_error;         /* an id that does not exist */
    void (*brief)(CfSim *sim, const CfSimRecord *record, GString *out);
    void (*verbose)(CfSim *sim, const CfSimRecord *record, GString *out);
} CfSimQingcloudList;

void cf_sim_qingcloud_describe(CfSim *sim, CfSimCall *call, const CfSimQingcloudList *list);

/* ---- qingcloud-servers.c ---- */

void cf_sim_qingcloud_describe_instances(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_modify_instance(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_create_brokers(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_delete_brokers(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_describe_zones(CfSim *sim, CfSimCall *call);
/* Renames and describes a record by parameters. Returns: FALSE: refused. */
gboolean cf_sim_qingcloud_modify(CfSim *sim, CfSimCall *call, CfSimRecord *record,
                                 const char *name_param);

/* ---- qingcloud-actions.c ---- */

void cf_sim_qingcloud_start(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_stop(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_restart(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_terminate(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_cease(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_delete_images(CfSim *sim, CfSimCall *call);
/* Whether the record is there, the caller's own and settled; refuses the call if not. */
gboolean cf_sim_qingcloud_check_own(CfSim *sim, CfSimCall *call, CfSimKind kind, const char *id);
/* Whether its status is one of those, up to a NULL. */
gboolean cf_sim_qingcloud_status_in(const CfSimRecord *record, const char *const *words);
/* After what has been planned so far, and two hours, the record is `ceased`, and later gone. */
void cf_sim_qingcloud_plan_end(CfSim *sim, CfSimRecord *record, const char *status);

/* ---- qingcloud-images.c ---- */

void cf_sim_qingcloud_describe_images(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_modify_image(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_capture(CfSim *sim, CfSimCall *call);

/* ---- qingcloud-jobs.c ---- */

void cf_sim_qingcloud_describe_jobs(CfSim *sim, CfSimCall *call);
/* Starts a job of the call's action. ids: (element-type utf8); failed: how many of them will fail.
 * Returns: (transfer none): its id. */
const char *cf_sim_qingcloud_add_job(CfSim *sim, const CfSimCall *call, const GPtrArray *ids,
                                     guint failed);

/* ---- qingcloud-tags.c ---- */

void cf_sim_qingcloud_describe_tags(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_create_tag(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_modify_tag(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_delete_tags(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_attach_tags(CfSim *sim, CfSimCall *call);
void cf_sim_qingcloud_detach_tags(CfSim *sim, CfSimCall *call);
/* The tag of that name, made if need be. Returns: (transfer none): its id. */
const char *cf_sim_qingcloud_tag_named(CfSim *sim, const char *name);
void cf_sim_qingcloud_set_tags(CfSim *sim, CfSimRecord *record, const GPtrArray *names);
void cf_sim_qingcloud_show_tags(CfSim *sim, const CfSimRecord *record, GString *out);
/* Appends the record with its tags in it. */
void cf_sim_qingcloud_render(CfSim *sim, const CfSimRecord *record, GString *out);

/* ---- qingcloud-records.c ---- */

/* A plain record. Returns: (transfer full): JSON text. */
char *cf_sim_qingcloud_make(CfSim *sim, CfSimKind kind, guint64 index);
/* Appends an id that nobody else of that kind has, "img-7x0a2kqd". */
void cf_sim_qingcloud_append_id(CfSim *sim, const char *prefix, guint64 index, GString *out);
void cf_sim_qingcloud_populate(CfSim *sim);

/* qingcloud-hostile.c, qingcloud-demo.c */
extern const CfSimHostile cf_sim_qingcloud_hostile[CF_SIM_KIND_N];
void cf_sim_qingcloud_populate_demo(CfSim *sim);

G_END_DECLS
