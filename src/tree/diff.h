/* From two versions to what the kernel must be told: what the files of that share. Engine's thread.
 */
#pragma once

#include "tree/private.h"

G_BEGIN_DECLS

typedef struct {
    CfTreeProfile *profile;
    CfCollection collection;
    CfSnapshot *before, *after; /* before: (nullable) */
    const CfChange *changes;
    guint n;
    GArray *tells; /* what the kernel is to be told, in order */
    gint64 now_ns;
    guint32 views_seen;
    gboolean by_id_seen, short_seen;
    CfNames *names_before, *names_after; /* (nullable) */
} CfDiff;

/* diff.c */
CfIno cf_diff_ino(const CfDiff *diff, CfKind kind, guint32 handle, guint32 sub);
/* offset < 0: attributes only. */
void cf_diff_tell_inode(CfDiff *diff, CfIno ino, gint64 offset);
void cf_diff_tell_entry(CfDiff *diff, CfIno parent, const char *name);
CfSubject cf_diff_subject(const CfDiff *diff, const CfResource *resource);

/* diff-inside.c: below raw/ and metadata/ of one resource. */
/* Both of change's resources are there. */
void cf_diff_raw(CfDiff *diff, const CfChange *change);
/* after: (nullable): the server is gone. */
void cf_diff_metadata(CfDiff *diff, const CfResource *before, const CfResource *after);

G_END_DECLS
