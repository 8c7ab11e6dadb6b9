/* The resources of a simulated cloud, as JSON text, with a clock that a test can move. What the
 * text means is the dialect's business. The caller holds the simulator's lock. */
#pragma once

#include <glib.h>

#include "sim/raw.h"
#include "util/error.h"

G_BEGIN_DECLS

/* Jobs and tags are records only where the cloud knows them as such. */
typedef enum { CF_SIM_SERVERS, CF_SIM_IMAGES, CF_SIM_JOBS, CF_SIM_TAGS, CF_SIM_KIND_N } CfSimKind;

/* What a record cannot say for itself. */
typedef enum {
    CF_SIM_FLAG_UNBILLED = 1 << 0, /* no billing record */
    CF_SIM_FLAG_FOREIGN = 1 << 1,  /* listed, but belongs to somebody else */
    CF_SIM_FLAG_FAILING = 1 << 2,  /* whatever is asked of it fails */
    CF_SIM_FLAG_APART = 1 << 3,    /* in a part of the cloud that cannot be reached */
} CfSimFlags;

typedef struct {
    CfSimKind kind;
    char *id;
    char *text;      /* the record as the cloud serves it: one JSON object */
    GPtrArray *tags; /* (nullable) (element-type utf8): tags that the record does not show */
    CfSimFlags flags;
    guint64 revision;   /* another one whenever the text is another one */
    gpointer digest;    /* (nullable): what the dialect read in the text; freed by g_free() */
    guint64 digested;   /* the revision that the digest is of */
    GQueue *steps;      /* (nullable): changes that are still to come */
    GSequenceIter *due; /* (nullable): in the world's list of records that wait */
} CfSimRecord;

typedef struct _CfSimWorld CfSimWorld;

/* ids: what the member is called that holds a record's id, by kind (NULL: there is no such kind);
 * constant and static. */
CfSimWorld *cf_sim_world_new(const char *const *ids);
void cf_sim_world_free(CfSimWorld *world);

/* Microseconds of the world's clock: real monotonic time, or standing still when frozen, plus
 * whatever it was advanced by. */
gint64 cf_sim_world_now_us(CfSimWorld *world);
void cf_sim_world_advance(CfSimWorld *world, gint64 ms);
void cf_sim_world_freeze(CfSimWorld *world, gboolean frozen);
/* The date that the clock shows. Returns: (transfer full) (nullable): g_date_time_format(). */
char *cf_sim_world_date(CfSimWorld *world, const char *format);
/* The date that it will show in so many ms. */
char *cf_sim_world_date_after(CfSimWorld *world, guint ms, const char *format);

/* Returns: (transfer none): what the member is called that holds an id. */
const char *cf_sim_world_id_key(const CfSimWorld *world, CfSimKind kind);

/* Has changed() called for each record that a planned change was made to. */
void cf_sim_world_set_changed(CfSimWorld *world,
                              void (*changed)(gpointer data, CfSimRecord *record), gpointer data);

/* Makes the changes that are due; to be called before a request looks at anything. */
void cf_sim_world_settle(CfSimWorld *world);

/* text: (transfer full): one JSON object whose id is a string.
 * Returns: (transfer none): lives until it is removed. Errors: CF_ERROR_INVALID, CF_ERROR_EXISTS.
 */
CfSimRecord *cf_sim_world_add(CfSimWorld *world, CfSimKind kind, char *text, GError **error);
CfSimRecord *cf_sim_world_find(CfSimWorld *world, CfSimKind kind, const char *id);
void cf_sim_world_remove(CfSimWorld *world, CfSimRecord *record);

/* (element-type CfSimRecord): in the order of their making; borrowed until the next change. */
const GPtrArray *cf_sim_world_list(CfSimWorld *world, CfSimKind kind);
/* Changes whenever a record of that kind comes, goes or changes. */
guint64 cf_sim_world_generation(CfSimWorld *world, CfSimKind kind);

/* text: (transfer full): replaces the record's text; the id must not change. */
void cf_sim_world_rewrite(CfSimWorld *world, CfSimRecord *record, char *text);
/* Sets each member of changes, a JSON object. */
void cf_sim_world_merge(CfSimWorld *world, CfSimRecord *record, const char *changes);

/* In delay_ms from the last planned change on (or from now on), merges changes.
 * changes: (nullable): removes the record. */
void cf_sim_world_plan(CfSimWorld *world, CfSimRecord *record, guint delay_ms, const char *changes);
/* Forgets the changes that are still to come. */
void cf_sim_world_unplan(CfSimWorld *world, CfSimRecord *record);

/* Returns: (transfer none): the record's text as a span. */
CfSimSpan cf_sim_record_span(const CfSimRecord *record);

/* The only source of chance: a well-mixed function of its arguments. */
guint64 cf_sim_mix(guint64 seed, guint64 index);
/* The next number of a sequence. */
guint64 cf_sim_random(guint64 *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfSimWorld, cf_sim_world_free)

G_END_DECLS
