/* The state file: composed actions that are not over, so that a daemon that was killed leaves no
 * server stopped. internals.md section 2; cirrusfs(5) describes the file.
 *
 * One file a profile, "<profile>.composed", replaced as a whole. Beside it "<profile>.lock": byte 0
 * is locked while the file is read and replaced; each daemon locks a byte of its own for its life,
 * whose number stands with its entries, so that others see whether they are still cared for. */
#pragma once

#include "inventory/inventory.h"

G_BEGIN_DECLS

/* How far a composed action has got. Written down before what it names is begun. */
typedef enum {
    CF_STEP_STOP,  /* the forced stop may have been sent */
    CF_STEP_WAIT,  /* it was accepted */
    CF_STEP_START, /* the start may have been sent */
    CF_STEP_UP,    /* it was accepted */
    CF_STEP_LEFT,  /* stopped, not started again: error says why */
    CF_STEP_N
} CfComposeStep;

typedef struct {
    char *id; /* of the server */
    CfComposeStep step;
    gint64 step_us; /* wall time when the step began */
    CfActor actor;  /* who wrote it */
    char *error;    /* (nullable) */
} CfComposeEntry;

CfComposeEntry *cf_compose_entry_copy(const CfComposeEntry *entry);
void cf_compose_entry_free(gpointer entry); /* (nullable) */

typedef struct _CfComposeFile CfComposeFile;

/* Touches nothing yet. dir: made with mode 0700 when something is to be written. endpoint, region:
 * entries of another account are left alone. */
CfComposeFile *cf_compose_file_new(const char *dir, const char *profile, const char *endpoint,
                                   const char *region);
void cf_compose_file_free(CfComposeFile *file); /* (nullable) */
const char *cf_compose_file_get_path(CfComposeFile *file);

/* Blocks; one thread at a time. Replaces the entries of this daemon. entries: (element-type
 * CfComposeEntry). Errors: INTERNAL. */
gboolean cf_compose_file_save(CfComposeFile *file, const GPtrArray *entries, GError **error);
/* Blocks. Takes over the entries whose daemon is gone. ret_others: entries that another daemon
 * still cares for. A file that cannot be understood is set aside as "….broken".
 * Returns: (transfer full) (nullable): them. Errors: INTERNAL, PROTOCOL (it was set aside). */
GPtrArray *cf_compose_file_load(CfComposeFile *file, guint *ret_others, GError **error);
/* Blocks. How many entries no daemon cares for; nothing is taken over or written. */
guint cf_compose_file_count(CfComposeFile *file);

G_END_DECLS
