/* Snapshots: one collection as it was at one time. Immutable and reference-counted; readers take a
 * reference and need no lock. internals.md section 2. */
#pragma once

#include "model/record.h"

G_BEGIN_DECLS

/* What can change of a resource: its fields (their index), and what only we know of it. Bit numbers
 * of a CfAspects mask; the attribute tables say on which of them a file depends. */
enum {
    CF_ASPECT_POWER = CF_FIELD_MAX, /* the power file was written */
    CF_ASPECT_LAST_ERROR,
    CF_ASPECT_CAPTURED,
    CF_ASPECT_CAPTURE, /* the capture file was written */
    CF_ASPECT_CONSOLE, /* the console file was written */
    CF_ASPECT_CONSOLE_URL,
    CF_ASPECT_CONSOLE_LOG, /* console.log was written */
    CF_ASPECT_DELETE,      /* the delete file was written */
    CF_ASPECT_RAW,         /* the cloud's text */
    CF_ASPECT_CAN,         /* what may be done, hence the mode bits */
    CF_ASPECT_PROBLEM,
    CF_ASPECT_N
};
typedef guint64 CfAspects;
#define CF_ASPECT(number) (1ull << (number))
G_STATIC_ASSERT(CF_ASPECT_N <= 64);

/* What we know of a resource beyond the cloud's listing. Values; owned by the resource. */
typedef struct {
    char *last_error;   /* (nullable) the cloud's words for the last failed action */
    char *captured;     /* (nullable) id of the image made last */
    char *console_url;  /* (nullable) */
    char *console_type; /* (nullable) */
    char *console_log;  /* (nullable) the end of what the console printed, when it was fetched */
    char *tags;         /* (nullable) where the list has none: known by a call of its own */
    gint64 tags_us;     /* monotonic: when that call began */
} CfLocal;

/* One resource of a snapshot. Immutable, reference-counted. */
typedef struct {
    gatomicrefcount refs;
    guint32 handle;   /* slot and generation: names it for the mount's life */
    CfRecord *record; /* what is shown: base, and what an action is about to change */
    CfRecord *base;   /* the newest that the cloud said, by listing or by show; often the same */
    CfRecord *listed; /* (nullable) what the last listing said; often the same */
    CfLocal *local;   /* (nullable) */
    gint64
        *changed;   /* (nullable) (array length=CF_ASPECT_N) wall ns of each aspect's last change */
    gint64 base_ns; /* wall ns for the aspects that never changed */
    gint64 valid_us;     /* monotonic: answers to requests begun before it are older than record */
    guint missing;       /* complete listings in a row that lacked it */
    char *name;          /* its name made safe, cf_name_encode() */
    guint32 line_len[2]; /* bytes of its line in list.tsv and list.jsonl; 0: not measured yet. Set
                          * by readers, atomically: every one finds the same */
} CfResource;

CfResource *cf_resource_ref(CfResource *resource);
void cf_resource_unref(CfResource *resource); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfResource, cf_resource_unref)

/* A copy that the caller may still change before it is published. Returns: (transfer full). */
CfResource *cf_resource_copy(const CfResource *resource);
/* A resource of which the cloud told for the first time. record: (transfer none). */
CfResource *cf_resource_new(guint32 handle, CfRecord *record, gint64 base_ns);
/* Of a copy: sets what is shown. record: (transfer none). */
void cf_resource_set_record(CfResource *resource, CfRecord *record);
/* Of a copy: its local part, made when there is none. Returns: (transfer none). */
CfLocal *cf_resource_edit_local(CfResource *resource);
/* Of a copy: notes that these aspects changed now. Each advances by at least 1 ns. */
void cf_resource_touch(CfResource *resource, CfAspects aspects, gint64 now_ns);

/* Returns: (transfer none) (nullable): the value of a field. */
static inline const char *
cf_resource_get(const CfResource *resource, guint field)
{
    return cf_record_get(resource->record, field);
}
gint64 cf_resource_get_mtime_ns(const CfResource *resource, CfAspects aspects);
/* The aspects in which two versions differ. */
CfAspects cf_resource_diff(const CfResource *before, const CfResource *after);
/* A resource that the cloud still lists though it is deleted: in by-id and by-state/deleted only.
 */
gboolean cf_resource_is_deleted(const CfResource *resource);
/* "error", "unknown", "action" (the last action failed), or NULL: none. */
const char *cf_resource_get_problem(const CfResource *resource);

#define CF_HANDLE_SLOT_BITS 23
#define CF_HANDLE_SLOT(handle) ((handle) & ((1u << CF_HANDLE_SLOT_BITS) - 1))
#define CF_HANDLE_BITS 30 /* slot and 7 bits of generation */

#define CF_SNAPSHOT_INDEXES 32

typedef struct _CfSnapshot CfSnapshot;

struct _CfSnapshot {
    gatomicrefcount refs;
    CfCollection collection;
    guint64 number;     /* of this version, from 1 */
    guint n;            /* resources */
    guint n_slots;      /* length of slots */
    CfResource **slots; /* (element-type CfResource) (nullable elements) */
    gint64 members_ns;  /* wall ns of the last coming or going */
    gint64 changed_ns;  /* wall ns when this version was made */
    guint32 *by_id;     /* slots in the order of their ids; shared, see by_id_refs */
    gatomicrefcount *by_id_refs;
    gboolean long_ids; /* some id does not fit into a file name as it is */

    GMutex lock; /* protects indexes while they are built */
    struct {
        gpointer data;
        GDestroyNotify free;
    } indexes[CF_SNAPSHOT_INDEXES];
};

CfSnapshot *cf_snapshot_ref(CfSnapshot *snapshot);
void cf_snapshot_unref(CfSnapshot *snapshot); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfSnapshot, cf_snapshot_unref)

/* The process is about to end: versions that nobody holds any more are left to the kernel, which
 * takes their memory back at once; to free a million servers one by one takes seconds. They hold
 * no secrets but for console URLs and logs, which no core can show (cf_daemon_harden()).
 * Thread: any. */
void cf_snapshots_leave(void);

/* slots: (transfer full) (element-type CfResource) (nullable elements).
 * before: (nullable): its order of ids is shared when same_members. Returns: (transfer full). */
CfSnapshot *cf_snapshot_new(CfCollection collection, guint64 number, CfResource **slots,
                            guint n_slots, CfSnapshot *before, gboolean same_members);

/* Returns: (transfer none) (nullable): lives as long as the snapshot. */
CfResource *cf_snapshot_find(const CfSnapshot *snapshot, const char *id);
/* The same by the name of its directory in by-id. */
CfResource *cf_snapshot_find_encoded(const CfSnapshot *snapshot, const char *encoded);
/* Returns: (nullable): NULL when the handle's resource is not in this version. */
CfResource *cf_snapshot_get(const CfSnapshot *snapshot, guint32 handle);

/* An index that a reader builds when it first needs it; kept with the snapshot.
 * build: called under the snapshot's lock. Returns: (transfer none). Thread: any. */
typedef gpointer (*CfIndexBuild)(CfSnapshot *snapshot, guint which, gpointer data);
gpointer cf_snapshot_get_index(CfSnapshot *snapshot, guint which, CfIndexBuild build, gpointer data,
                               GDestroyNotify destroy);
/* Returns: (transfer none) (nullable): the index when it was built already. */
gpointer cf_snapshot_peek_index(CfSnapshot *snapshot, guint which);
/* Hands an index over from an older version, before the snapshot is published. */
void cf_snapshot_set_index(CfSnapshot *snapshot, guint which, gpointer index,
                           GDestroyNotify destroy);

G_END_DECLS
