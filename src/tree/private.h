/* What the files of this layer share. */
#pragma once

#include "tree/attr.h"
#include "tree/node.h"
#include "tree/scratch.h"
#include "util/error.h"

#define CF_VIEWS_MAX 20
#define CF_UNLINKS_MAX 10           /* a minute, contract section 3 */
#define CF_INDEX_NAMES CF_VIEWS_MAX /* of a snapshot's indexes; the views' own come before it */
G_STATIC_ASSERT(CF_INDEX_NAMES < CF_SNAPSHOT_INDEXES);
#define CF_VIEW_SEARCH 31 /* of links: no view, but search/<text>/ */
G_STATIC_ASSERT(CF_VIEW_SEARCH >= CF_VIEWS_MAX);

typedef struct _CfSearchTexts CfSearchTexts; /* search.c */

/* Texts that get a number for the mount's life, from 1. */
typedef struct {
    GHashTable *numbers; /* text → number */
    GPtrArray *texts;    /* by number - 1 */
    GArray *times; /* (element-type gint64) by number - 1: last change of membership, wall ns */
} CfIntern;

/* A version that list.tsv and list.jsonl are read from. */
typedef struct {
    CfSnapshot *snapshot;
    guint64 *ends[2];     /* (nullable) by order: where each line ends; list.tsv, list.jsonl */
    guint32 *order;       /* (nullable) slots in the order of the lines */
    guint64 lookups;      /* that the kernel holds */
    gint64 superseded_us; /* monotonic; 0: it is the newest */
    gboolean off_tree;    /* no longer found by name */
    gboolean told;        /* somebody was given its number */
} CfVersion;

typedef struct {
    GByteArray *seen; /* by slot: bits CF_SEEN_… */
    gboolean by_id_seen, short_seen;
    guint32 views_seen; /* bit per view */
    CfIntern values[CF_VIEWS_MAX];
    gint64 view_times[CF_VIEWS_MAX]; /* last coming or going of a value directory, wall ns */
    GPtrArray *versions;             /* (element-type CfVersion), oldest first */
    CfSearchTexts *searches;         /* (nullable) */
} CfTreeCollection;

enum { CF_SEEN_FILES = 1, CF_SEEN_RAW = 2, CF_SEEN_META = 4 };

typedef struct {
    char *text;
    gint64 rendered_us, mtime_ns;
} CfTextCache;

typedef struct {
    CfTree *tree;
    guint index; /* from 1 */
    char *name;  /* of the directory */
    CfInventory *inventory;
    CfTreeCollection collections[CF_COLLECTION_N];
    CfTextCache health;
    gint64 refresh_ns;                /* when refresh was last written */
    gint64 batch_ns[CF_COLLECTION_N]; /* when power or delete was last written */
    char *plan;                       /* (nullable) text of power.plan */
    /* Of the last batch that was understood: who wrote it, and where it ended. */
    gint batch_pid;
    guint64 batch_end;
    gint64 plan_ns;
} CfTreeProfile;

struct _CfTree {
    CfTreeOptions options;
    char *version, *config;
    GPtrArray *profiles; /* (element-type CfTreeProfile) */
    gint64 born_ns;
    CfTreeSink sink;
    void (*append_stats)(GString *out, gpointer data);
    gpointer stats_data;

    GMutex lock; /* protects all below, and the collections' members; a leaf: nothing is called with
                  * it held but snapshot functions */
    CfTextCache stats, log;
    GHashTable *raw_numbers; /* "parent/name" → number */
    GPtrArray *raw_paths;    /* (element-type CfRawPath) by number - 1 */
    CfIntern keys;           /* of metadata */
    GHashTable *writes;      /* inode → CfLastWrite: values that a further WRITE may continue */
    gint64 stat_until_us;    /* monotonic: until when listings carry whole entries */
    CfIno stat_dir;          /* the directory of the last plain listing … */
    guint stat_count;        /* … and how many of its files were looked up since */
    CfScratches *scratches;
    gint64 search_us;  /* monotonic: when the last search was begun; 0: none was */
    GHashTable *aways; /* inode of an attribute → Away (names.c): it is being renamed away */
    GHashTable *made;  /* inode of a value's directory → Made (made.c) */
    gint64 unlinks_us[CF_UNLINKS_MAX]; /* monotonic: of the last ones in views, in a ring */
    guint next_unlink;
    gboolean version_dropped; /* a version that was being read had to go: health says so */
};

static inline CfTreeProfile *
cf_tree_profile(CfTree *tree, guint index)
{
    return index > 0 && index <= tree->profiles->len ? tree->profiles->pdata[index - 1] : NULL;
}

/* Where the kernel is told; its functions are NULL before the mount serves. */
CfTreeSink cf_tree_sink(CfTree *tree);
/* Sets CF_ERROR_NOT_FOUND or _GONE and the like. */
gboolean cf_tree_fail(GError **error, CfErrorCode code, const char *words);

/* A node and all that it stands on. */
typedef struct {
    CfTree *tree;
    CfNode node;
    CfTreeProfile *profile; /* (nullable): the mount's own */
    CfSnapshot *snapshot;   /* (owned) (nullable) */
    CfResource *resource;   /* of the snapshot (nullable) */
    CfSubject subject;
} CfPlace;

/* view.c */
typedef struct _CfNames CfNames;
guint cf_views_count(void);
const char *cf_view_name(guint view);
const char *cf_view_doc(guint view);
gboolean cf_view_is_flat(guint view); /* by-name: links stand in it directly */
gboolean cf_view_has(guint view, CfCollection collection);
/* Whether a profile's collection has it: not where the cloud never has what it is sorted by. */
gboolean cf_view_is_there(guint view, const CfTreeProfile *profile, CfCollection collection);
/* Returns: the view's number, or -1. */
int cf_view_find(CfCollection collection, const char *name);
CfAspects cf_view_aspects(guint view, CfCollection collection);
/* The values under which the resource stands, made safe as names. Returns: (transfer full)
 * (element-type utf8). */
GPtrArray *cf_view_values(guint view, const CfResource *resource);
/* The action (CF_CAN(kind)) that a change of the names in it is; 0: there is none. */
guint cf_view_get_edit(guint view);
/* Whether this mount and this cloud can do that. */
gboolean cf_view_is_editable(guint view, const CfTreeProfile *profile, CfCollection collection);
/* The view that the directory is, or is a part of. Returns: -1: of none. */
int cf_view_of_node(const CfNode *node);
/* Whether there is a directory of that value: it has members, or was made (made.c). snapshot:
 * (nullable). */
gboolean cf_view_has_value(CfTreeProfile *profile, CfSnapshot *snapshot, CfCollection collection,
                           guint view, guint number);
/* Returns: (transfer full) (nullable). */
char *cf_view_dup_value(CfTreeProfile *profile, CfCollection collection, guint view, guint number);

CfNames *cf_names_get(CfSnapshot *snapshot);
CfNames *cf_names_peek(CfSnapshot *snapshot);
void cf_names_share(CfSnapshot *from, CfSnapshot *to);
/* Returns: (transfer none) (nullable): the name of the slot's links. */
const char *cf_names_of(const CfNames *names, guint slot);
/* Whether that name is the resource's own, shared with nobody. */
gboolean cf_names_is_unique(const CfNames *names, guint slot);
CfResource *cf_names_find(CfSnapshot *snapshot, const char *link);

/* by value number - 1: (element-type GArray of guint32 slots) (nullable elements). */
GPtrArray *cf_view_index(CfTreeProfile *profile, CfSnapshot *snapshot, guint view);
void cf_view_share(CfSnapshot *from, CfSnapshot *to, guint view);
/* Makes the next version's index from this one's and the changes; the arrays of values that did not
 * change are shared. */
void cf_view_update(CfTreeProfile *profile, CfSnapshot *from, CfSnapshot *to, guint view,
                    const CfChange *changes, guint n);
/* add: give the text a number when it has none. Returns: 0 when it has none. */
guint cf_intern(CfIntern *intern, const char *text, gboolean add);

/* search.c */
void cf_search_texts_free(CfSearchTexts *texts); /* (nullable) */
/* The text that name in search/ stands for. Returns: FALSE when nothing can be searched for by it.
 */
gboolean cf_search_find_text(const CfPlace *place, const char *name, guint32 *ret_handle);
/* What the search for the place's text found. as_it_is: of whatever age: somebody has waited, or
 * goes on reading. */
CfVerdict cf_search_get(const CfPlace *place, gboolean as_it_is, CfFindings **ret_findings,
                        CfNeed *ret_need, GError **error);
/* How long the kernel may believe it. */
gint64 cf_search_rest_us(const CfPlace *place, const CfFindings *findings);
/* Of the place's text: time and how long the kernel may believe it. */
gboolean cf_search_attr(const CfPlace *place, CfAttr *attr, GError **error);
typedef struct {
    guint32 handle; /* of the text */
    CfFindings *findings;
} CfSearchLive;
/* The searches that the kernel may have links of. Returns: (transfer full). */
GArray *cf_search_list_live(CfTreeProfile *profile, CfCollection collection);
/* Links came or went. */
void cf_search_changed(CfTreeProfile *profile, CfCollection collection, guint32 handle,
                       gint64 now_ns);

/* made.c: tags that nobody has yet. The tree's lock must not be held. */
#define CF_MADE_MAX 64
#define CF_MADE_US (10 * 60 * (gint64) G_USEC_PER_SEC)
/* value: the node of its directory; now_us: monotonic. Errors: CF_ERROR_QUOTA. */
gboolean cf_made_add(CfTree *tree, CfIno value, gint64 now_us, GError **error);
void cf_made_remove(CfTree *tree, CfIno value);
gboolean cf_made_has(CfTree *tree, CfIno value);
/* Returns: microseconds until it is to be called again; -1: there is none. */
gint64 cf_made_expire(CfTree *tree, gint64 now_us);
/* The view's own time, and that of the directory of a value. */
void cf_view_touch(CfTreeProfile *profile, CfCollection collection, guint view, guint number);

/* diff.c */
void cf_tree_hook(CfTreeProfile *profile);

/* raw.c */
typedef struct {
    guint parent;
    char *name; /* encoded */
} CfRawPath;
typedef struct {
    CfJsonSpan span;
    gboolean secret;
} CfRaw;
gboolean cf_raw_find(CfTree *tree, const CfSubject *subject, guint path, CfRaw *ret_raw);
gboolean cf_raw_is_dir(const CfRaw *raw);
void cf_raw_show(const CfRaw *raw, GString *out);
guint cf_raw_number(CfTree *tree, guint parent, const char *name, gboolean add);
/* The members of a directory, in order. Returns: FALSE when walk said so. */
typedef gboolean (*CfRawWalk)(const char *name, const CfRaw *raw, guint index, gpointer data);
gboolean cf_raw_walk(const CfSubject *subject, const CfRaw *raw, CfRawWalk walk, gpointer data);
gboolean cf_raw_member(const CfSubject *subject, const CfRaw *raw, const char *name,
                       CfRaw *ret_raw);

/* version.c */
CfVersion *cf_version_find(CfTreeProfile *profile, CfCollection collection, guint32 handle);
void cf_version_publish(CfTreeProfile *profile, CfSnapshot *snapshot);
guint64 cf_version_size(CfTreeProfile *profile, CfVersion *version, guint file);
GBytes *cf_version_read(CfTreeProfile *profile, CfVersion *version, guint file, guint64 offset,
                        gsize size);
/* Somebody is given the number of that snapshot. */
void cf_version_tell(CfTreeProfile *profile, CfSnapshot *snapshot);
void cf_version_free(gpointer version);
#define CF_VERSION_HANDLE(number) ((guint32) ((number) & ((1u << CF_HANDLE_BITS) - 1)))

/* static.c */
typedef struct {
    guint sub;
    guint parent;
    const char *name;
    mode_t mode;
    const char *doc;
    guint only; /* bits CF_ONLY(collection); 0: of both */
} CfStaticRow;
#define CF_ONLY(collection) (1u << (collection))
const CfStaticRow *cf_static_row(guint sub);
const CfStaticRow *cf_static_find(guint parent, const char *name);
/* Whether a directory of the table is there: search is not where the cloud cannot. */
gboolean cf_static_has(const CfTreeProfile *profile, CfCollection collection, guint sub);
const CfStaticRow *cf_static_table(guint *ret_n);
/* The text of a static file as its readers get it. fresh: dynamic files are rendered anew.
 * Returns: (transfer full) (nullable): NULL: there is no such file here. */
char *cf_static_text(CfTree *tree, const CfNode *node, gboolean fresh, gint64 *ret_mtime_ns);

/* write.c */
void cf_last_write_free(gpointer write);

/* batch.c: servers/power, power.plan, images/delete and last_error. */
gboolean cf_batch_takes(const CfNode *node);
/* One WRITE. callback as in cf_tree_write(). */
void cf_batch_write(CfTreeProfile *profile, const CfNode *node, const CfWrite *write,
                    CfDoneCallback callback, gpointer data);
/* Returns: (transfer full) (nullable): NULL: there is no such file here. */
char *cf_batch_text(CfTreeProfile *profile, const CfNode *node, gint64 *ret_mtime_ns);
/* Returns: (transfer full) (nullable): the name of the program. */
char *cf_tree_command_of(gint pid);

/* place.c */

void cf_place_clear(CfPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfPlace, cf_place_clear)
/* Fails with NOT_FOUND or GONE when what the number named is no more. */
gboolean cf_place_init(CfPlace *place, CfTree *tree, CfIno ino, GError **error);
gboolean cf_place_init_node(CfPlace *place, CfTree *tree, CfNode node, GError **error);
void cf_place_set_resource(CfPlace *place, CfResource *resource);
/* What is told to the kernel of a new version goes by what was marked as looked at when it was
 * published. So who marks something takes the snapshot after it … */
void cf_place_renew(CfPlace *place);
/* … or lets the kernel ask again when a new version has come since: entry, the answer, is made. */
void cf_place_doubt(const CfPlace *place, CfEntry *entry);
gint64 cf_place_rest_us(const CfPlace *place);
mode_t cf_place_mode(const CfPlace *place);
gboolean cf_place_attr(const CfPlace *place, CfAttr *attr, GError **error);
CfAppend *cf_place_append(const CfPlace *place);
/* The entry of a node below place: place becomes the node's. */
CfVerdict cf_place_entry(CfPlace *place, CfNode node, CfEntry *entry, GError **error);
CfNode cf_place_node(const CfPlace *place, CfKind kind, guint32 handle, guint32 sub);
CfNode cf_place_link(const CfPlace *place, guint view, const CfResource *resource, guint value);
char *cf_place_target(const CfPlace *place);
void cf_place_view_seen(const CfPlace *place, guint view);
gboolean cf_node_is_of_collection(const CfNode *node);
/* A look at the collection: TRUE when the reader is to wait first. */
gboolean cf_tree_must_wait(CfTreeProfile *profile, CfCollection collection, gboolean waited,
                           CfNeed *ret_need);
/* The same for whom the names of a first listing are enough, as far as they have come, from that
 * slot on. */
gboolean cf_tree_must_wait_coming(CfTreeProfile *profile, CfCollection collection, guint from,
                                  gboolean waited, CfNeed *ret_need);
/* Whether what is asked of the inode needs a version, and there is none: what has come of a first
 * listing was enough to get there. */
gboolean cf_tree_must_wait_whole(CfTree *tree, CfIno ino, gboolean waited, CfNeed *ret_need);
void cf_tree_mark_seen(CfTreeProfile *profile, CfCollection which, guint32 handle, guint8 bits);

/* The row of a file or directory of a resource. Returns: (transfer none) (nullable). */
const CfAttribute *cf_place_row(const CfPlace *place);
/* place becomes that of another node of the same resource. */
void cf_place_set_node(CfPlace *place, CfNode node);

/* meta.c; dir: the place of metadata/, file: of a file in it. */
/* Keys have numbers for the mount's life. Returns: 0: it has none (and gets none). */
guint cf_meta_number(CfTree *tree, const char *key, gboolean add);
/* Returns: (transfer none) (nullable). */
const char *cf_meta_key(CfTree *tree, guint number);
/* The key whose file has that name. Takes no lock. Returns: (transfer full) (nullable). */
char *cf_meta_find(const CfPlace *dir, const char *name);
/* The key that a file of that name would be, whether there is one or not. Likewise. */
char *cf_meta_possible(const CfPlace *dir, const char *name);
/* sub 0: there are too many different keys. */
CfNode cf_meta_node(const CfPlace *dir, const char *key);
gboolean cf_meta_is_unwritten(const CfPlace *file);
/* The key's file was written, or could not be: nothing stands for it any more. */
void cf_meta_written(CfTree *tree, CfIno ino);
/* Whether a file created with these flags is one of the program's own, whatever its name. */
gboolean cf_meta_is_temporary(int flags);
/* Returns: CF_WAIT: there is no key of that name, made or not. */
CfVerdict cf_meta_lookup(CfPlace *dir, const char *name, CfEntry *entry, GError **error);
typedef gboolean (*CfMetaWalk)(const char *name, guint number, gpointer data);
/* from: the first number. Returns: FALSE when walk said so. */
gboolean cf_meta_walk(const CfPlace *dir, guint64 from, CfMetaWalk walk, gpointer data);

/* Whether scratch files may be made in it. */
gboolean cf_place_takes_scratch(const CfPlace *place);

/* names.c: the file of a SCRATCH node; the tree's lock is held. Returns: (transfer none)
 * (nullable): NULL with CF_ERROR_CHANGED. */
/* An attribute is being renamed away: this LOOKUP's entry must be valid for no time. */
gboolean cf_tree_is_going_away(CfTree *tree, CfIno attribute);
CfScratch *cf_scratch_of(const CfPlace *place, GError **error);

/* write.c: place: of an attribute. deadline_us: monotonic; 0: the mount's. callback: as in
 * cf_tree_write(). */
void cf_write_attribute(const CfPlace *place, const CfWrite *write, gint64 deadline_us,
                        CfDoneCallback callback, gpointer data);

/* lookup.c */
CfNode cf_tree_parent_of(const CfPlace *place);
