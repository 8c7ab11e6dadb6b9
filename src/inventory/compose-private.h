/* Composed actions: what the files about them share. Engine's thread, but for the marked ones. */
#pragma once

#include "inventory/compose-store.h"
#include "inventory/compose.h"

typedef struct {
    CfDoneCallback callback; /* (nullable) */
    gpointer data;
} CfComposeDeferred;

struct _CfComposer {
    CfInventory *inventory;
    CfComposeStore *store; /* (nullable): there is no directory for it */
    GHashTable *table;     /* id (borrowed from the entry) → CfCompose */
    gboolean loading;      /* the file is being read; what is to be saved waits */
    GArray *deferred;      /* (element-type CfComposeDeferred) */
    gboolean listing;      /* a listing was asked for, to find what was taken over */
    guint others;          /* entries that other daemons care for */
    GSource *timer;
    GString *trouble; /* for health, besides the table */

    /* Behind inventory->lock. */
    GString *notes; /* for health */
    guint open;     /* servers that are not started again yet */
    GCond over;     /* open is 0 */
};

typedef struct {
    CfComposer *composer;
    CfComposeEntry *entry;
    CfOrder *order; /* as it was given; for journal, events and jobs */
    CfDoing *doing; /* (nullable): until its verdict */
    gboolean busy;  /* a call or the writing of the file that it waits for is under way */
    gboolean taken_over;
    gboolean uncertain;  /* the forced stop was not answered */
    gboolean unseen;     /* taken over, and not found in a listing yet */
    gboolean stale;      /* taken over so late that nothing is started any more */
    gboolean noted;      /* LEFT: last_error says it */
    gboolean journalled; /* the failure that comes is in the journal already */
    gint64 began_us;     /* monotonic: for the journal */
    gint64 deadline_us;  /* monotonic: of the step */
    gint64 start_us;     /* monotonic: the first start */
    gint64 retry_us;     /* monotonic: no start before it */
    guint starts;        /* calls so far */
} CfCompose;

const char *cf_compose_id(const CfCompose *compose);
/* entry, order: (transfer full). */
CfCompose *cf_compose_add(CfComposer *composer, CfComposeEntry *entry, CfOrder *order);
void cf_compose_free(gpointer compose);
/* Has the server followed. Returns: (transfer none) (nullable): NULL when it is not there. */
CfPending *cf_compose_follow(CfCompose *compose);
/* Tells those who wait for the end of all, and health. */
void cf_compose_changed(CfComposer *composer);
void cf_compose_save_deferred(CfComposer *composer);
CfCollectionState *cf_compose_servers(const CfCompose *compose);

/* compose.c: the second call, when it is time for it. */
void cf_compose_start(CfCompose *compose);
/* The ends; compose: (transfer full), but for leave. It is no more: */
void cf_compose_drop(CfCompose *compose);
/* The same, all being well; how: for the log. */
void cf_compose_done(CfCompose *compose, const char *how);
/* It came to nothing, and the server is as it was or somebody else's concern. */
void cf_compose_quit(CfCompose *compose, const GError *error);
/* We have stopped it and cannot start it: that must not go unnoticed. */
void cf_compose_leave(CfCompose *compose, const GError *error);
