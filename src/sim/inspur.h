/* What the files of the Inspur dialect share. */
#pragma once

#include "sim/private.h"

G_BEGIN_DECLS

/* Success: code 200 by turns as text and as a number. data: JSON text. message: (nullable): left
 * out. */
void cf_sim_inspur_accept(CfSim *sim, CfSimCall *call, const char *message, const char *data);
/* The same in two steps: the caller appends the data and a closing brace to the answer. */
void cf_sim_inspur_accept_begin(CfSim *sim, CfSimCall *call, const char *message);
/* Failure with the dotted code of the document. */
void cf_sim_inspur_refuse(CfSim *sim, CfSimCall *call, guint status, const char *code,
                          const char *message);
void cf_sim_inspur_refuse_parameter(CfSim *sim, CfSimCall *call, const char *name);

/* inspur-auth.c */
gboolean cf_sim_inspur_admit(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_iam_token(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_keycloak_token(CfSim *sim, CfSimCall *call);
/* The x-sign of a request. uri: path and sorted, decoded parameters; body: (nullable): the line of
 * the body is left out. Returns: (transfer full) (nullable): NULL for an unknown algorithm. */
char *cf_sim_inspur_sign(const char *algorithm, const char *method, const char *uri,
                         const char *body, const char *time, const char *random_text,
                         const char *secret);

/* inspur-servers.c */
void cf_sim_inspur_list_servers(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_show_server(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_get_tags(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_set_tags(CfSim *sim, CfSimCall *call);

/* inspur-actions.c */
void cf_sim_inspur_act_one(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_act_many(CfSim *sim, CfSimCall *call);

/* inspur-images.c */
void cf_sim_inspur_list_images(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_list_private(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_show_image(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_update_image(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_delete_image(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_delete_images_action(CfSim *sim, CfSimCall *call);
void cf_sim_inspur_delete_images_plain(CfSim *sim, CfSimCall *call);
/* Makes an image of a server. Returns: (transfer none): the new image. */
CfSimRecord *cf_sim_inspur_capture(CfSim *sim, const CfSimRecord *server, const char *name,
                                   const char *description);

/* inspur-records.c: a plain record. Returns: (transfer full): JSON text. */
char *cf_sim_inspur_make(CfSim *sim, CfSimKind kind, guint64 index);
/* Appends the id of the generated image with that index. */
void cf_sim_inspur_image_id(CfSim *sim, guint64 index, GString *out);
void cf_sim_inspur_server_id(CfSim *sim, guint64 index, GString *out);
/* Tags that a generated server has but does not show. Returns: (transfer full) (nullable) */
GPtrArray *cf_sim_inspur_make_tags(CfSim *sim, guint64 index);

/* demo.c */
void cf_sim_inspur_populate_demo(CfSim *sim);

/* inspur-hostile.c */
extern const CfSimHostile cf_sim_inspur_hostile[CF_SIM_KIND_N];

G_END_DECLS
