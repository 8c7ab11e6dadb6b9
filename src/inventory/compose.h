/* Actions that the inventory makes of several calls: "reboot hard" where the cloud has none is a
 * forced stop, waiting for "stopped", and a start. internals.md section 2. Engine's thread, but
 * for what says otherwise. */
#pragma once

#include "inventory/doing.h"

typedef struct _CfComposer CfComposer;

/* dir: (nullable): then composed actions are refused. Returns: (transfer full) (nullable): NULL
 * when this cloud composes nothing. Thread: main. */
CfComposer *cf_composer_new(CfInventory *inventory, const char *dir);
/* No timer runs any more. */
void cf_composer_stop(CfComposer *composer); /* (nullable) */
/* Waits until the state file is written. Thread: main. */
void cf_composer_end(CfComposer *composer);  /* (nullable) */
void cf_composer_free(CfComposer *composer); /* (nullable) */

/* Whether the action is one that is composed here. */
gboolean cf_compose_is_composed(CfInventory *inventory, const CfAction *action);
/* Whether one is under way for that server. */
gboolean cf_compose_is_going(CfInventory *inventory, const char *id);
/* Begins the action of the order. doing: (transfer full): its verdict is that of the first call. */
void cf_compose_begin(CfDoing *doing);
/* Another power action comes for that server. Returns: FALSE with BUSY when it must not. */
gboolean cf_compose_give_way(CfInventory *inventory, const CfAction *action, GError **error);
/* Another power action was accepted: what was left stopped is that action's concern now. */
void cf_compose_forget(CfInventory *inventory, const char *id);

/* The server, or all of them, was read again. No edit is open. */
void cf_compose_review(CfInventory *inventory);
/* Returns: whether the job was of a composed action that is under way; then it has ended. */
gboolean cf_compose_job_failed(CfInventory *inventory, const CfOrder *order, const GError *error);
/* What is under way, for the file task. Returns: (transfer none) (nullable). */
const char *cf_compose_get_task(CfInventory *inventory, const char *id);
/* Takes up what a daemon that is gone has left. */
void cf_compose_resume(CfInventory *inventory);
/* Lines for the health file; under the inventory's lock. */
void cf_compose_append_health(CfInventory *inventory, GString *out);
