/* One resource as its cloud told it: the cloud's own text, and the portable values read from it.
 * Immutable after cf_record_builder_end(), reference-counted (atomically), compact: the values
 * stand in one block behind the struct. */
#pragma once

#include "model/action.h"
#include "model/schema.h"

G_BEGIN_DECLS

typedef struct _CfRecord CfRecord;

typedef struct {
    CfCollection collection;
    struct {
        char *text; /* NULL: the cloud has no value */
        gsize len, size;
    } values[CF_FIELD_MAX]; /* in room while that is left, else allocated */
    guint can;              /* bits of CfActionKind: what this resource lets itself be done */
    guint verbs;            /* bits 1 << CfVerb that the cloud takes in this state; 0: not known */
    gboolean settled;       /* the cloud says that nothing is under way on it */
    gboolean partial;       /* the cloud could tell a few members only, the rest is not gone */
    gboolean asks;          /* that it lets itself be done no more is likely, not certain: the cloud
                             * is asked when somebody tries all the same */
    gint64 updated_us;      /* wall time of the cloud's updated or created; 0: not known */
    gsize used;             /* bytes of room */
    char room[1536];        /* a record's values mostly fit: a listing has very many records */
} CfRecordBuilder;

void cf_record_builder_init(CfRecordBuilder *builder, CfCollection collection);
void cf_record_builder_clear(CfRecordBuilder *builder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CfRecordBuilder, cf_record_builder_clear)

/* Returns: (transfer none) (nullable): the value so far, until the next change of it. */
const char *cf_record_builder_get(const CfRecordBuilder *builder, guint field);
/* text: (nullable): NULL takes the value away; NUL bytes cannot occur. Replaces a former value. */
void cf_record_builder_set(CfRecordBuilder *builder, guint field, const char *text);
/* Adds an item to a LIST field (newlines and NUL in it become %0A, %00; empty items are left out).
 */
void cf_record_builder_add(CfRecordBuilder *builder, guint field, const char *item);
/* Makes a list exist also when it has no item. */
void cf_record_builder_touch(CfRecordBuilder *builder, guint field);
/* Sorts a list by bytes and removes duplicates. */
void cf_record_builder_sort(CfRecordBuilder *builder, guint field);

/* raw: the cloud's text for this resource, copied. The builder is left cleared.
 * Returns: (transfer full) (nullable): NULL with CF_ERROR_PROTOCOL when there is no id (or it is
 * empty).*/
CfRecord *cf_record_builder_end(CfRecordBuilder *builder, const char *raw, gsize raw_len,
                                GError **error);

CfRecord *cf_record_ref(CfRecord *record);
void cf_record_unref(CfRecord *record); /* (nullable) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfRecord, cf_record_unref)

/* Returns: (transfer none) (nullable): the value; NULL when the cloud has none. Thread: any. */
const char *cf_record_get(const CfRecord *record, guint field);
const char *cf_record_get_id(const CfRecord *record);
const char *cf_record_get_name(const CfRecord *record); /* never NULL */
CfState cf_record_get_state(const CfRecord *record);
CfCollection cf_record_get_collection(const CfRecord *record);
guint cf_record_get_can(const CfRecord *record);
guint cf_record_get_verbs(const CfRecord *record);
gboolean cf_record_is_settled(const CfRecord *record);
gboolean cf_record_is_partial(const CfRecord *record);
/* Whether what is not in cf_record_get_can() is for the cloud to refuse, not for us. */
gboolean cf_record_asks(const CfRecord *record);
gint64 cf_record_get_updated_us(const CfRecord *record);
/* Returns: (transfer none): the cloud's text. */
const char *cf_record_get_raw(const CfRecord *record, gsize *ret_len);

/* A copy in which one field has another value; raw and all else as before.
 * text: (nullable). Returns: (transfer full). */
CfRecord *cf_record_with(const CfRecord *record, guint field, const char *text);
/* A copy of a former record with status and state of a partial one, and partial itself.
 * Returns: (transfer full). */
CfRecord *cf_record_with_partial(const CfRecord *former, const CfRecord *partial);

/* Bytes that the record takes in memory, all told. */
gsize cf_record_get_footprint(const CfRecord *record);

G_END_DECLS
