/* The state file behind a thread of its own, so that a slow disk holds up no profile. Called and
 * calling back in the engine's thread. */
#pragma once

#include "inventory/compose-file.h"

G_BEGIN_DECLS

typedef struct _CfComposeStore CfComposeStore;

/* taken: (transfer full) (element-type CfComposeEntry) (nullable): with an error. others: entries
 * that another daemon cares for. */
typedef void (*CfComposeLoaded)(GPtrArray *taken, guint others, const GError *error, gpointer data);

/* file: (transfer full). */
CfComposeStore *cf_compose_store_new(CfHttp *http, CfComposeFile *file);
/* Waits until all is written; what that calls back is still to be called then. store: (nullable).
 * Thread: main. */
void cf_compose_store_end(CfComposeStore *store);
void cf_compose_store_free(CfComposeStore *store); /* (nullable) */

/* In the order of the calls; of several that wait, the last is written for all of them.
 * entries: (transfer full) (element-type CfComposeEntry). callback: (nullable). */
void cf_compose_store_save(CfComposeStore *store, GPtrArray *entries, CfDoneCallback callback,
                           gpointer data);
/* take: whether what no daemon cares for is taken over; else it is only counted, in others. */
void cf_compose_store_load(CfComposeStore *store, gboolean take, CfComposeLoaded callback,
                           gpointer data);

G_END_DECLS
