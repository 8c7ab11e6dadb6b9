/* What the files of the UCloudStack dialect share. The sheet calls its two generations' tables of
 * codes dialects; here they are versions of its API. */
#pragma once

#include "sim/private.h"

G_BEGIN_DECLS

#define CF_SIM_UCLOUD_REGION "cn"
#define CF_SIM_UCLOUD_COMPANY 200000123

/* Why a call is refused; dialect-ucloudstack.c has the codes and texts of both versions. */
typedef enum {
    CF_SIM_UCLOUD_FAULT, /* the service itself */
    CF_SIM_UCLOUD_NO_REFERER,
    CF_SIM_UCLOUD_NO_ACTION,
    CF_SIM_UCLOUD_UNKNOWN_ACTION,
    CF_SIM_UCLOUD_NO_REGION,
    CF_SIM_UCLOUD_UNKNOWN_REGION,
    CF_SIM_UCLOUD_NO_KEY,
    CF_SIM_UCLOUD_NO_SIGNATURE,
    CF_SIM_UCLOUD_BAD_SIGNATURE,
    CF_SIM_UCLOUD_NO_PARAMETER,
    CF_SIM_UCLOUD_BAD_FORMAT, /* a parameter that cannot be read */
    CF_SIM_UCLOUD_BAD_VALUE,  /* one that may not be so */
    CF_SIM_UCLOUD_ADMIN_ONLY,
    CF_SIM_UCLOUD_NO_RIGHT,
    CF_SIM_UCLOUD_NO_BALANCE,
    CF_SIM_UCLOUD_NO_RESOURCE,
    CF_SIM_UCLOUD_NO_IMAGE,
    CF_SIM_UCLOUD_IMAGE_STATE,
    CF_SIM_UCLOUD_IMAGE_USED,
    CF_SIM_UCLOUD_NO_VM,
    CF_SIM_UCLOUD_NO_VM_TO_MOVE, /* for start, stop and the like */
    CF_SIM_UCLOUD_VM_NOT_STOPPED,
    CF_SIM_UCLOUD_VM_NOT_MOVABLE,
    CF_SIM_UCLOUD_VM_NOT_RUNNING,
    CF_SIM_UCLOUD_VM_NOT_DOWN, /* as an image of it needs */
    CF_SIM_UCLOUD_VM_IMAGING,
    CF_SIM_UCLOUD_REASON_N
} CfSimUcloudReason;

/* dialect-ucloudstack.c. Begins a good answer; the caller appends members, each with a comma before
 * it, and the closing brace. */
void cf_sim_ucloud_accept_begin(CfSim *sim, CfSimCall *call);
/* detail: (nullable): what the text names at its end */
void cf_sim_ucloud_refuse(CfSim *sim, CfSimCall *call, CfSimUcloudReason reason,
                          const char *detail);
/* Whether the first version is spoken. */
gboolean cf_sim_ucloud_is_first(const CfSim *sim);
/* A parameter that must be there and not empty.
 * Returns: (transfer none) (nullable): NULL: refused. */
const char *cf_sim_ucloud_need(CfSim *sim, CfSimCall *call, const char *name);
/* Whether the caller may see the record, for whatever tenant he speaks. */
gboolean cf_sim_ucloud_sees(const CfSimCall *call, const CfSimRecord *record);
/* Sets the time of the last change. */
void cf_sim_ucloud_stamp(CfSim *sim, CfSimRecord *record);

/* ucloudstack-auth.c */
gboolean cf_sim_ucloud_admit(CfSim *sim, CfSimCall *call);
/* params: names and values in turn; Signature is left out.
 * Returns: (transfer full): the signature. */
char *cf_sim_ucloud_sign(const GPtrArray *params, const char *private_key);

/* ucloudstack-lists.c */
void cf_sim_ucloud_list_servers(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_list_images(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_list_regions(CfSim *sim, CfSimCall *call);
/* Returns: (transfer full): the id of each image that a server has. */
GHashTable *cf_sim_ucloud_used_images(CfSim *sim);

/* ucloudstack-actions.c */
void cf_sim_ucloud_start(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_stop(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_power_off(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_restart(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_get_console(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_capture(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_delete_image(CfSim *sim, CfSimCall *call);
void cf_sim_ucloud_modify(CfSim *sim, CfSimCall *call);

/* ucloudstack-records.c: a plain record. Returns: (transfer full): JSON text. */
char *cf_sim_ucloud_make(CfSim *sim, CfSimKind kind, guint64 index);
/* Appends the id of the generated record with that index. */
void cf_sim_ucloud_id(CfSim *sim, CfSimKind kind, guint64 index, GString *out);

/* ucloudstack-demo.c */
void cf_sim_ucloud_populate_demo(CfSim *sim);

/* ucloudstack-hostile.c */
extern const CfSimHostile cf_sim_ucloud_hostile[CF_SIM_KIND_N];

G_END_DECLS
