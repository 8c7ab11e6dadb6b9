#include "model/record.h"

#include "util/error.h"

#include <string.h>

/* One allocation:
 *
 *     struct | offsets, one for each value that is there | values, NUL after each | raw, NUL
 *
 * An offset counts from the struct's beginning. Which values are there says a bit each, so that a
 * field that the cloud does not have costs nothing. */
struct _CfRecord {
    gatomicrefcount refs;
    guint32 present; /* bit: field */
    guint32 raw_at;
    guint32 raw_len;
    gint64 updated_us;
    guint16 can;
    guint16 verbs;
    guint8 collection;
    guint8 state;
    guint8 settled;
    guint8 partial;
    guint32 offsets[];
};
G_STATIC_ASSERT(CF_FIELD_MAX <= 32);
G_STATIC_ASSERT(CF_ACTION_N <= 16);
G_STATIC_ASSERT(CF_VERB_N <= 16);
G_STATIC_ASSERT(CF_STATE_N <= 256);

/* --- builder ---------------------------------------------------------------------------------- */

void
cf_record_builder_init(CfRecordBuilder *builder, CfCollection collection)
{
    memset(builder, 0, sizeof *builder);
    builder->collection = collection;
}

void
cf_record_builder_clear(CfRecordBuilder *builder)
{
    for (guint i = 0; i < CF_FIELD_MAX; i++)
        if (builder->values[i])
            g_string_free(builder->values[i], TRUE);
    memset(builder, 0, sizeof *builder);
}

void
cf_record_builder_set(CfRecordBuilder *builder, guint field, const char *text)
{
    GString **value = &builder->values[field];

    g_return_if_fail(field < CF_FIELD_MAX);

    if (text && *value)
        g_string_assign(*value, text);
    else if (text)
        *value = g_string_new(text);
    else if (*value)
        g_string_free(g_steal_pointer(value), TRUE);
}

void
cf_record_builder_touch(CfRecordBuilder *builder, guint field)
{
    g_return_if_fail(field < CF_FIELD_MAX);

    if (!builder->values[field])
        builder->values[field] = g_string_new(NULL);
}

void
cf_record_builder_add(CfRecordBuilder *builder, guint field, const char *item)
{
    GString *value;

    g_return_if_fail(field < CF_FIELD_MAX);

    if (!item || !*item)
        return;
    cf_record_builder_touch(builder, field);
    value = builder->values[field];
    if (value->len > 0)
        g_string_append_c(value, '\n');
    for (const char *p = item; *p;) {
        gsize plain = strcspn(p, "\n");

        g_string_append_len(value, p, (gssize) plain);
        p += plain;
        if (*p == '\n') {
            g_string_append(value, "%0A");
            p++;
        }
    }
}

static int
compare_items(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
cf_record_builder_sort(CfRecordBuilder *builder, guint field)
{
    g_auto(GStrv) items = NULL;
    GString *value;
    guint n;

    g_return_if_fail(field < CF_FIELD_MAX);

    value = builder->values[field];
    if (!value || !strchr(value->str, '\n'))
        return;
    items = g_strsplit(value->str, "\n", -1);
    n = g_strv_length(items);
    qsort(items, n, sizeof items[0], compare_items);
    g_string_truncate(value, 0);
    for (guint i = 0; i < n; i++) {
        if (i > 0 && strcmp(items[i - 1], items[i]) == 0)
            continue;
        if (value->len > 0)
            g_string_append_c(value, '\n');
        g_string_append(value, items[i]);
    }
}

/* --- record ----------------------------------------------------------------------------------- */

typedef struct {
    const char *text; /* NULL: no value */
    gsize len;
} Value;

/* Returns: (transfer full): a record with these values; all else is the caller's to fill in. */
static CfRecord *
record_new(const Value *values, const char *raw, gsize raw_len)
{
    gsize n = 0, at, size = raw_len + 1;
    CfRecord *record;

    for (guint i = 0; i < CF_FIELD_MAX; i++) {
        if (values[i].text) {
            n++;
            size += values[i].len + 1;
        }
    }
    at = G_STRUCT_OFFSET(CfRecord, offsets) + n * sizeof record->offsets[0];
    size += at;
    if (size > G_MAXUINT32)
        return NULL;
    record = g_malloc(size);
    memset(record, 0, G_STRUCT_OFFSET(CfRecord, offsets));
    g_atomic_ref_count_init(&record->refs);

    n = 0;
    for (guint i = 0; i < CF_FIELD_MAX; i++) {
        if (!values[i].text)
            continue;
        record->present |= 1u << i;
        record->offsets[n++] = (guint32) at;
        memcpy((char *) record + at, values[i].text, values[i].len);
        ((char *) record)[at + values[i].len] = '\0';
        at += values[i].len + 1;
    }
    record->raw_at = (guint32) at;
    record->raw_len = (guint32) raw_len;
    if (raw_len > 0)
        memcpy((char *) record + at, raw, raw_len);
    ((char *) record)[at + raw_len] = '\0';
    return record;
}

static void
record_read_state(CfRecord *record)
{
    CfState state = CF_STATE_UNKNOWN;

    cf_state_from_string(cf_record_get(record, CF_FIELD_STATE), &state);
    record->state = (guint8) state;
}

CfRecord *
cf_record_builder_end(CfRecordBuilder *builder, const char *raw, gsize raw_len, GError **error)
{
    Value values[CF_FIELD_MAX] = {{NULL, 0}};
    const GString *id = builder->values[CF_FIELD_ID];
    CfRecord *record = NULL;

    for (guint i = 0; i < CF_FIELD_MAX; i++)
        if (builder->values[i])
            values[i] = (Value){builder->values[i]->str, builder->values[i]->len};

    if (!id || id->len == 0)
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "id: a %s without one",
                    builder->collection == CF_SERVERS ? "server" : "image");
    else if (!(record = record_new(values, raw, raw_len)))
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "%s: longer than 4 GiB", id->str);

    if (record) {
        record->collection = (guint8) builder->collection;
        record->can = (guint16) builder->can;
        record->verbs = (guint16) builder->verbs;
        record->settled = builder->settled != FALSE;
        record->partial = builder->partial != FALSE;
        record->updated_us = builder->updated_us;
        record_read_state(record);
    }
    cf_record_builder_clear(builder);
    return record;
}

/* values: all of them. The rest is as in record. */
static CfRecord *
copy_with(const CfRecord *record, const Value *values)
{
    CfRecord *copy;
    const char *raw;
    gsize raw_len;

    raw = cf_record_get_raw(record, &raw_len);
    copy = record_new(values, raw, raw_len);
    g_assert(copy); /* 4 GiB of it were there before; what people write is short */
    copy->collection = record->collection;
    copy->can = record->can;
    copy->verbs = record->verbs;
    copy->settled = record->settled;
    copy->partial = record->partial;
    copy->updated_us = record->updated_us;
    record_read_state(copy);
    return copy;
}

static Value
value_of(const char *text)
{
    return (Value){text, text ? strlen(text) : 0};
}

CfRecord *
cf_record_with(const CfRecord *record, guint field, const char *text)
{
    Value values[CF_FIELD_MAX] = {{NULL, 0}};

    g_return_val_if_fail(field < CF_FIELD_MAX, NULL);
    g_return_val_if_fail(field != CF_FIELD_ID || (text && *text), NULL);

    for (guint i = 0; i < CF_FIELD_MAX; i++)
        values[i] = value_of(i == field ? text : cf_record_get(record, i));
    return copy_with(record, values);
}

CfRecord *
cf_record_with_partial(const CfRecord *former, const CfRecord *partial)
{
    gboolean servers = former->collection == CF_SERVERS;
    guint status = servers ? CF_SERVER_STATUS : CF_IMAGE_STATUS;
    guint state = servers ? CF_SERVER_STATE : CF_IMAGE_STATE;
    Value values[CF_FIELD_MAX] = {{NULL, 0}};
    CfRecord *copy;

    for (guint i = 0; i < CF_FIELD_MAX; i++)
        values[i] = value_of(cf_record_get(i == status || i == state ? partial : former, i));
    if (servers)
        values[CF_SERVER_TASK] = value_of(NULL);
    copy = copy_with(former, values);
    copy->settled = partial->settled;
    copy->verbs = partial->verbs;
    copy->partial = TRUE;
    return copy;
}

CfRecord *
cf_record_ref(CfRecord *record)
{
    g_atomic_ref_count_inc(&record->refs);
    return record;
}

void
cf_record_unref(CfRecord *record)
{
    if (record && g_atomic_ref_count_dec(&record->refs))
        g_free(record);
}

const char *
cf_record_get(const CfRecord *record, guint field)
{
    guint32 bit;

    g_return_val_if_fail(field < CF_FIELD_MAX, NULL);

    bit = 1u << field;
    if (!(record->present & bit))
        return NULL;
    return (const char *) record + record->offsets[__builtin_popcount(record->present & (bit - 1))];
}

const char *
cf_record_get_id(const CfRecord *record)
{
    return cf_record_get(record, CF_FIELD_ID);
}

const char *
cf_record_get_name(const CfRecord *record)
{
    const char *name = cf_record_get(record, CF_FIELD_NAME);

    return name ? name : "";
}

CfState
cf_record_get_state(const CfRecord *record)
{
    return (CfState) record->state;
}

CfCollection
cf_record_get_collection(const CfRecord *record)
{
    return (CfCollection) record->collection;
}

guint
cf_record_get_can(const CfRecord *record)
{
    return record->can;
}

guint
cf_record_get_verbs(const CfRecord *record)
{
    return record->verbs;
}

gboolean
cf_record_is_partial(const CfRecord *record)
{
    return record->partial;
}

gboolean
cf_record_is_settled(const CfRecord *record)
{
    return record->settled;
}

gint64
cf_record_get_updated_us(const CfRecord *record)
{
    return record->updated_us;
}

const char *
cf_record_get_raw(const CfRecord *record, gsize *ret_len)
{
    if (ret_len)
        *ret_len = record->raw_len;
    return (const char *) record + record->raw_at;
}

gsize
cf_record_get_footprint(const CfRecord *record)
{
    return (gsize) record->raw_at + record->raw_len + 1;
}
