/* Names and files: what the mount shows, over the inventories. No FUSE, HTTP or provider type.
 *
 * Readers work on snapshots and never block; what must wait says so (CF_WAIT) and is asked again
 * after cf_tree_wait(). Every function may be called from any thread unless it says otherwise. */
#pragma once

#include <sys/stat.h>

#include "inventory/inventory.h"

G_BEGIN_DECLS

typedef struct _CfTree CfTree;
typedef guint64 CfIno;

#define CF_INO_ROOT 1

typedef struct {
    uid_t uid;
    gid_t gid;
    mode_t umask;
    const char *version; /* copied */
    char *config;        /* copied: the text of .cirrusfs/config */
} CfTreeOptions;

/* Where the tree tells the kernel what changed: never called while a lock of the tree's is held,
 * from the engine's thread or a handler's; must only queue. */
typedef struct {
    /* offset < 0: attributes only; length 0: to the end. */
    void (*inval_inode)(CfIno ino, gint64 offset, gint64 length, gpointer data);
    void (*inval_entry)(CfIno parent, const char *name, gpointer data);
    void (*deleted)(CfIno parent, CfIno child, const char *name, gpointer data);
    gpointer data;
} CfTreeSink;

/* Returns: (transfer full). Thread: main. */
CfTree *cf_tree_new(const CfTreeOptions *options);
/* Before the inventories are freed. tree: (nullable). */
void cf_tree_free(CfTree *tree);
/* inventory: outlives the tree; its hooks are set. Thread: main, before the mount serves. */
void cf_tree_add_profile(CfTree *tree, CfInventory *inventory);
void cf_tree_set_sink(CfTree *tree, const CfTreeSink *sink);
/* Appends further metrics (OpenMetrics text, whole families) to .cirrusfs/stats. */
void cf_tree_set_stats(CfTree *tree, void (*append)(GString *out, gpointer data), gpointer data);

typedef struct {
    CfIno ino;
    mode_t mode; /* type and bits */
    nlink_t nlink;
    guint64 size;
    gint64 mtime_ns;
    gint64 attr_timeout_us;
} CfAttr;

typedef struct {
    CfAttr attr;             /* attr.ino 0: there is no such name (negative entry) */
    gint64 entry_timeout_us; /* how long the kernel may believe it */
} CfEntry;

#define CF_TIMEOUT_LONG_US (86400 * (gint64) G_USEC_PER_SEC)

typedef enum {
    CF_DONE,
    CF_FAILED, /* error is set */
    CF_WAIT,   /* need is set: cf_tree_wait(), then ask again with waited */
} CfVerdict;

/* What an answer waits for. Plain data, but for id. */
typedef struct {
    enum { CF_NEED_COLLECTION, CF_NEED_COMING, CF_NEED_TAGS, CF_NEED_SEARCH } kind;
    CfInventory *inventory;
    CfCollection collection;
    guint from;     /* COMING: names from that slot on, or the whole */
    char *id;       /* (owned) TAGS: the server's; SEARCH: the text */
    gboolean begin; /* SEARCH: it is not under way yet */
} CfNeed;
void cf_need_clear(CfNeed *need);

/* Takes need over. callback: once, in the engine's thread; error: NULL when there is something to
 * serve. */
void cf_tree_wait(CfTree *tree, CfNeed *need, CfDoneCallback callback, gpointer data);

/* A name that is not there is CF_DONE with attr.ino 0. waited: an answer is to be given now. */
CfVerdict cf_tree_lookup(CfTree *tree, CfIno parent, const char *name, gboolean waited,
                         CfEntry *ret_entry, CfNeed *ret_need, GError **error);
CfVerdict cf_tree_getattr(CfTree *tree, CfIno ino, gboolean waited, CfAttr *ret_attr,
                          CfNeed *ret_need, GError **error);
/* Returns: (transfer full) (nullable). */
char *cf_tree_readlink(CfTree *tree, CfIno ino, GError **error);
/* Returns: (transfer full) (nullable): at most size bytes. */
GBytes *cf_tree_read(CfTree *tree, CfIno ino, guint64 offset, gsize size, GError **error);

/* One entry of a directory. entry->attr.ino is always the inode number; when full is set, entry is
 * whole and the kernel may keep it (never of a node whose lookups are counted). Returns: FALSE when
 * there is no room; the entry is asked for again. */
typedef gboolean (*CfDirFill)(const char *name, const CfEntry *entry, gboolean full,
                              guint64 next_offset, gpointer data);
/* offset: 0, or what fill was given. Offsets stay good while the directory changes.
 * "." and ".." are given too. waited: an answer is to be given now. CF_WAIT: fill was not called.
 */
CfVerdict cf_tree_readdir(CfTree *tree, CfIno ino, guint64 offset, gboolean waited, CfDirFill fill,
                          gpointer data, CfNeed *ret_need, GError **error);

/* The kernel holds n lookups less of the inode (only generations and the like count them). */
void cf_tree_forget(CfTree *tree, CfIno ino, guint64 n);

typedef struct {
    const char *data;
    gsize size;
    guint64 offset;
    gboolean append; /* O_APPEND */
    gboolean whole;  /* the content of a file, not a WRITE: nothing continues it */
    guint uid;
    gint pid;
} CfWrite;

/* One write(2). callback: exactly once with the verdict, from this call or later from the engine's
 * thread, when the new state is published and its invalidations are queued. */
void cf_tree_write(CfTree *tree, CfIno ino, const CfWrite *write, CfDoneCallback callback,
                   gpointer data);

/* --- what makes, moves and removes names: scratch files, beside attributes (names.c) --- */

/* Whether files can be made in the directory at all. Errors: CF_ERROR_READ_ONLY (a view that cannot
 * be edited, a profile that is ro), CF_ERROR_REFUSED. */
gboolean cf_tree_may_name(CfTree *tree, CfIno dir, GError **error);
/* flags: of open(2). The entry counts as a lookup. Errors: as above, and CF_ERROR_REFUSED for the
 * name of an attribute, CF_ERROR_QUOTA, CF_ERROR_NAME_TOO_LONG, CF_ERROR_EXISTS (O_EXCL). */
gboolean cf_tree_create(CfTree *tree, CfIno parent, const char *name, mode_t mode, int flags,
                        CfEntry *ret_entry, GError **error);
/* Errors: CF_ERROR_REFUSED for an attribute. */
gboolean cf_tree_unlink(CfTree *tree, CfIno parent, const char *name, GError **error);

typedef struct {
    CfIno parent, new_parent;
    const char *name, *new_name;
    gboolean no_replace; /* RENAME_NOREPLACE */
    guint uid;
    gint pid;
} CfRename;

/* CF_DONE: answer at once, since the kernel is about to be told of the new name. CF_WAIT: it is the
 * write of an attribute; hand it to cf_tree_rename_wait(). */
CfVerdict cf_tree_rename(CfTree *tree, const CfRename *rename, GError **error);
/* callback: as in cf_tree_write(), within about five seconds. */
void cf_tree_rename_wait(CfTree *tree, const CfRename *rename, CfDoneCallback callback,
                         gpointer data);

/* --- views as directories to edit, with the option edit_views (edit-views.c) --- */

typedef enum {
    CF_VIEW_MKDIR,
    CF_VIEW_RMDIR,
    CF_VIEW_SYMLINK,
    CF_VIEW_UNLINK,
    CF_VIEW_RENAME,
    CF_VIEW_EDIT_N
} CfViewEditKind;

/* A request to make, move or remove a name in a view. */
typedef struct {
    CfViewEditKind kind;
    CfIno parent, new_parent; /* new_parent: RENAME */
    const char *name, *new_name;
    const char *target; /* SYMLINK: as it was written */
    guint uid;
    gint pid;
} CfViewEdit;

/* What such a request asks of the cloud. */
typedef struct _CfViewOrder CfViewOrder;

/* CF_DONE: the entry of a directory that was made is in ret_entry. CF_WAIT: ret_order (transfer
 * full) is to be carried out; SYMLINK: ret_entry->attr.ino is what cf_tree_link_entry() takes after
 * that. Errors: CF_ERROR_READ_ONLY (the view cannot be edited), CF_ERROR_REFUSED (not in that way),
 * CF_ERROR_EXISTS, CF_ERROR_NOT_EMPTY, CF_ERROR_NOT_FOUND, CF_ERROR_INVALID, CF_ERROR_QUOTA (too
 * many empty tags). */
CfVerdict cf_tree_edit_view(CfTree *tree, const CfViewEdit *edit, CfEntry *ret_entry,
                            CfViewOrder **ret_order, GError **error);
/* order: (transfer full). callback: as in cf_tree_write(), within about five seconds. */
void cf_tree_order_view(CfViewOrder *order, CfDoneCallback callback, gpointer data);
void cf_view_order_free(CfViewOrder *order); /* (nullable) */
/* The entry of a link that was just made, valid for no time: its name may be another one. */
gboolean cf_tree_link_entry(CfTree *tree, CfIno link, CfEntry *ret_entry, GError **error);

gboolean cf_tree_is_scratch(CfIno ino);
enum { CF_SET_SIZE = 1, CF_SET_MODE = 2, CF_SET_MTIME = 4 };
typedef struct {
    guint what;
    guint64 size;
    mode_t mode;
    gint64 mtime_ns;
} CfSetAttr;
/* Of a scratch file. */
gboolean cf_tree_setattr(CfTree *tree, CfIno ino, const CfSetAttr *set, CfAttr *ret_attr,
                         GError **error);
/* Scratch files that nobody used for long are dropped, and empty tags that were made. Returns:
 * microseconds until it is to be called again; -1: not before one is made. */
gint64 cf_tree_expire(CfTree *tree);

/* Whether the file takes writes at all: a control file (its pages are never dropped by the full
 * form of invalidation, which would wait for an unanswered write). */
gboolean cf_tree_is_control(CfIno ino);
/* Whether the directory is a view (by-name, by-state, by-state/running …): read-only as such. */
gboolean cf_tree_is_view(CfIno ino);
/* Advances the file's mtime by at least 1 ns. */
void cf_tree_touch(CfTree *tree, CfIno ino);
/* Whether poll(2) on the file means anything: status, state, power (contract section 7). */
gboolean cf_tree_can_poll(CfIno ino);
/* Somebody waits for a change of the file: until then (monotonic) its collection is refreshed at
 * its ttl. Never blocks. */
void cf_tree_watch(CfTree *tree, CfIno ino, gint64 until_us);
/* An O_DIRECT read: refreshes what the file shows. callback as in cf_tree_wait(). */
void cf_tree_refresh(CfTree *tree, CfIno ino, CfDoneCallback callback, gpointer data);
/* SIGHUP: every collection that was ever fetched is fetched again. */
void cf_tree_refresh_all(CfTree *tree);
/* Resources of all collections that are there, for statfs. */
guint64 cf_tree_count(CfTree *tree);

/* The attribute table as text: attributes.tsv. Returns: (transfer full). */
char *cf_tree_describe_attributes(void);

G_END_DECLS
