/* The layers of a mount, built in their order and taken down in the opposite one: engine,
 * inventories, tree. */
#pragma once

#include "config/config.h"
#include "http/http.h"
#include "inventory/inventory.h"
#include "tree/tree.h"

G_BEGIN_DECLS

typedef struct {
    CfHttp *http;
    GPtrArray *inventories; /* (element-type CfInventory) in the order of the profiles */
    CfTree *tree;
    gboolean ro; /* nothing in it can be changed */
} CfStack;

/* The channel's options of a profile. Texts are borrowed. */
void cf_stack_fill_channel(CfProfile *profile, CfChannelOptions *ret_channel);

/* profiles: (element-type CfProfile) their secrets are read; nothing of config is needed any more
 * when this returns. Thread: main. Errors: CF_ERROR_CONFIG, INTERNAL. */
CfStack *cf_stack_new(CfConfig *config, GPtrArray *profiles, GError **error);
/* Takes up what a daemon that is gone has left unfinished. */
void cf_stack_resume(CfStack *stack);
/* Waits until no server is between the calls of an action, at most so long. After the session is
 * freed. Thread: main. */
void cf_stack_finish(CfStack *stack, gint64 patience_us);
/* After the session is freed. Thread: main. stack: (nullable). */
void cf_stack_end(CfStack *stack); /* the process ends, too: see cf_snapshots_leave() */
void cf_stack_free(CfStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfStack, cf_stack_free)

G_END_DECLS
