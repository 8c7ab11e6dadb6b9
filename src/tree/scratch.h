/* Scratch files: what programs put beside the file that they are about to replace. They live in
 * memory, within bounds, and are gone after ten minutes without use. Contract section 3.
 *
 * A table of them has no lock of its own: its owner's protects it. */
#pragma once

#include "tree/tree.h"

G_BEGIN_DECLS

#define CF_SCRATCH_SIZE_MAX (64 * 1024)
#define CF_SCRATCH_FILES_MAX 64
#define CF_SCRATCH_IDLE_US (10 * 60 * (gint64) G_USEC_PER_SEC)

typedef struct {
    guint32 number; /* the handle of its node; never used again while one could remember it */
    CfIno dir;      /* where it was made; it never leaves it */
    char *name;     /* (nullable): unlinked, and kept for those who have it open */
    GByteArray *bytes;
    mode_t mode; /* bits only */
    gint64 mtime_ns;
    gint64 used_us;  /* monotonic */
    guint64 lookups; /* that the kernel holds */
    gboolean key;    /* of metadata/, and not written yet: it stands for a key that may come */
    gboolean stale;  /* what it was made from had changed when it was renamed over it */
} CfScratch;

typedef struct _CfScratches CfScratches;

/* Returns: (transfer full). */
CfScratches *cf_scratches_new(void);
void cf_scratches_free(CfScratches *all); /* (nullable) */

/* A new empty file; there must be none of that name.
 * Returns: (transfer none) (nullable): NULL with CF_ERROR_NAME_TOO_LONG, or CF_ERROR_QUOTA when
 * there are CF_SCRATCH_FILES_MAX already, those unlinked and still open included. */
CfScratch *cf_scratch_add(CfScratches *all, CfIno dir, const char *name, mode_t mode, gint64 now_us,
                          GError **error);
/* Returns: (transfer none) (nullable). Both count as use. */
CfScratch *cf_scratch_find(CfScratches *all, CfIno dir, const char *name, gint64 now_us);
CfScratch *cf_scratch_get(CfScratches *all, guint32 number, gint64 now_us);
/* The named files of a directory, the oldest first: the first one with a number above after.
 * Returns: (transfer none) (nullable). */
CfScratch *cf_scratch_next(CfScratches *all, CfIno dir, guint32 after);

/* What lies between the end and offset becomes NUL bytes. Returns: FALSE with
 * CF_ERROR_FILE_TOO_BIG, and nothing is written. */
gboolean cf_scratch_write(CfScratch *file, guint64 offset, const char *data, gsize size,
                          GError **error);
gboolean cf_scratch_resize(CfScratch *file, guint64 size, GError **error);

/* name: not one of another file. */
void cf_scratch_rename(CfScratches *all, CfScratch *file, const char *name);
/* Takes the name away; the file is freed when the kernel holds no lookup of it. */
void cf_scratch_unlink(CfScratches *all, CfScratch *file);
/* Dead at once: who has it open gets ESTALE. */
void cf_scratch_remove(CfScratches *all, CfScratch *file);
/* The kernel holds n lookups less. */
void cf_scratch_forget(CfScratches *all, guint32 number, guint64 n);

/* Removes what nobody used for CF_SCRATCH_IDLE_US. ret_dirs: (element-type CfIno): the directories
 * that lost a name are appended. Returns: microseconds until it is to be called again; -1: there is
 * no file. */
gint64 cf_scratch_expire(CfScratches *all, gint64 now_us, GArray *ret_dirs);

/* When a name last came or went in the directory, wall ns; 0: not known. */
gint64 cf_scratch_get_dir_time(CfScratches *all, CfIno dir);

G_END_DECLS
