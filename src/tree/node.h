/* Node ids are arithmetic: what a node is can be read from its number, so that no table of visited
 * inodes is kept (internals.md section 1).
 *
 *   63      60 59          58       49 48       19 18      0
 *   | kind 4 | collection 1 | profile 10 | handle 30 | sub 19 |
 */
#pragma once

#include "tree/tree.h"

G_BEGIN_DECLS

typedef enum {
    CF_KIND_STATIC,   /* sub: a CfStatic */
    CF_KIND_RESOURCE, /* handle: the resource; sub: 0 its directory, else 1 + attribute */
    CF_KIND_RAW,     /* handle: the resource; sub: an interned path in its JSON, 0 is raw/ itself */
    CF_KIND_VALUE,   /* handle: an interned value; sub: the view: by-state/running */
    CF_KIND_LINK,    /* handle: the resource; sub: view and value mixed: by-state/running/web-1 */
    CF_KIND_SHORT,   /* handle: the resource: servers/web-1 */
    CF_KIND_VERSION, /* handle: number of the version; sub: a CfVersionFile */
    CF_KIND_APPEND,  /* handle: number of the file; sub: 0 events, 1 journal */
    CF_KIND_SCRATCH, /* handle: number of the scratch file */
    CF_KIND_SEARCH,  /* handle: a text that is searched for: search/web */
    CF_KIND_META,    /* handle: the resource; sub: 0 metadata/ itself, else an interned key */
    CF_KIND_N
} CfKind;

typedef enum {
    CF_STATIC_NONE,
    CF_STATIC_ROOT, /* 1, so that its inode is 1 */
    /* mount */
    CF_STATIC_DOT,
    CF_STATIC_VERSION,
    CF_STATIC_CONFIG,
    CF_STATIC_STATS,
    CF_STATIC_ATTRIBUTES,
    CF_STATIC_LOG,
    /* profile */
    CF_STATIC_PROFILE,
    CF_STATIC_PROVIDER,
    CF_STATIC_ENDPOINT,
    CF_STATIC_REGION,
    CF_STATIC_HEALTH,
    CF_STATIC_REFRESH,
    /* collection */
    CF_STATIC_COLLECTION,
    CF_STATIC_BY_ID,
    CF_STATIC_FETCHED,
    CF_STATIC_LIST_TSV,
    CF_STATIC_LIST_JSONL,
    CF_STATIC_SNAPSHOTS,
    CF_STATIC_SEARCH,
    CF_STATIC_BATCH_POWER,  /* of servers */
    CF_STATIC_BATCH_PLAN,   /* of servers */
    CF_STATIC_BATCH_DELETE, /* of images */
    CF_STATIC_LAST_ERROR,
    CF_STATIC_VIEW, /* and the following: view 0, 1, 2 … */
} CfStatic;

typedef enum { CF_VERSION_DIR, CF_VERSION_TSV, CF_VERSION_JSONL } CfVersionFile;

#define CF_NODE_PROFILES 1023
#define CF_NODE_SUB_BITS 19
#define CF_NODE_SUB_MAX ((1u << CF_NODE_SUB_BITS) - 1)
#define CF_RAW_REFRESH CF_NODE_SUB_MAX /* raw/refresh */

typedef struct {
    CfKind kind;
    CfCollection collection;
    guint profile; /* from 1; 0: of the mount */
    guint32 handle;
    guint32 sub;
} CfNode;

CfIno cf_node_pack(CfNode node);
/* Returns: FALSE for a number that no node has. */
gboolean cf_node_unpack(CfIno ino, CfNode *ret_node);

G_END_DECLS
