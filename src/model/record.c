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
    guint8 settled : 1;
    guint8 partial : 1;
    guint8 asks : 1;
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
    memset(builder, 0, G_STRUCT_OFFSET(CfRecordBuilder, room));
    builder->collection = collection;
}

static gboolean
is_in_room(const CfRecordBuilder *builder, const char *text)
{
    return text >= builder->room && text < builder->room + sizeof builder->room;
}

void
cf_record_builder_clear(CfRecordBuilder *builder)
{
    for (guint i = 0; i < CF_FIELD_MAX; i++)
        if (builder->values[i].text && !is_in_room(builder, builder->values[i].text))
            g_free(builder->values[i].text);
    cf_record_builder_init(builder, (CfCollection) 0);
}

/* Makes a value that can hold size bytes, the NUL included; what it has stays. */
static void
reserve(CfRecordBuilder *builder, guint field, gsize size)
{
    gboolean room = sizeof builder->room - builder->used >= size;
    char *former = builder->values[field].text, *text;

    if (former && builder->values[field].size >= size)
        return;
    if (!room)
        size += builder->values[field].size; /* grows faster and faster */
    if (former && !room && !is_in_room(builder, former)) {
        text = g_realloc(former, size);
    } else {
        text = room ? builder->room + builder->used : g_malloc(size);
        if (room)
            builder->used += size;
        if (former)
            memcpy(text, former, builder->values[field].len + 1);
        else
            text[0] = '\0';
        if (former && !is_in_room(builder, former))
            g_free(former);
    }
    builder->values[field].text = text;
    builder->values[field].size = size;
}

static void
append(CfRecordBuilder *builder, guint field, const char *text, gsize len)
{
    gsize before = builder->values[field].text ? builder->values[field].len : 0;

    reserve(builder, field, before + len + 1);
    memcpy(builder->values[field].text + before, text, len);
    builder->values[field].len = before + len;
    builder->values[field].text[before + len] = '\0';
}

const char *
cf_record_builder_get(const CfRecordBuilder *builder, guint field)
{
    return builder->values[field].text;
}

void
cf_record_builder_set(CfRecordBuilder *builder, guint field, const char *text)
{
    g_return_if_fail(field < CF_FIELD_MAX);

    if (!text) {
        if (builder->values[field].text && !is_in_room(builder, builder->values[field].text))
            g_free(builder->values[field].text);
        builder->values[field].text = NULL;
        builder->values[field].len = builder->values[field].size = 0;
        return;
    }
    if (builder->values[field].text)
        builder->values[field].len = 0;
    append(builder, field, text, strlen(text));
}

void
cf_record_builder_touch(CfRecordBuilder *builder, guint field)
{
    g_return_if_fail(field < CF_FIELD_MAX);

    if (!builder->values[field].text)
        append(builder, field, "", 0);
}

void
cf_record_builder_add(CfRecordBuilder *builder, guint field, const char *item)
{
    g_return_if_fail(field < CF_FIELD_MAX);

    if (!item || !*item)
        return;
    cf_record_builder_touch(builder, field);
    if (builder->values[field].len > 0)
        append(builder, field, "\n", 1);
    for (const char *p = item; *p;) {
        gsize plain = strcspn(p, "\n");

        append(builder, field, p, plain);
        p += plain;
        if (*p == '\n') {
            append(builder, field, "%0A", 3);
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
    guint n;

    g_return_if_fail(field < CF_FIELD_MAX);

    if (!builder->values[field].text || !strchr(builder->values[field].text, '\n'))
        return;
    items = g_strsplit(builder->values[field].text, "\n", -1);
    n = g_strv_length(items);
    qsort(items, n, sizeof items[0], compare_items);
    builder->values[field].len = 0;
    for (guint i = 0; i < n; i++) {
        if (i > 0 && strcmp(items[i - 1], items[i]) == 0)
            continue;
        if (builder->values[field].len > 0)
            append(builder, field, "\n", 1);
        append(builder, field, items[i], strlen(items[i]));
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
    const char *id = builder->values[CF_FIELD_ID].text;
    CfRecord *record = NULL;

    for (guint i = 0; i < CF_FIELD_MAX; i++)
        values[i] = (Value){builder->values[i].text, builder->values[i].len};

    if (!id || !*id)
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "id: a %s without one",
                    builder->collection == CF_SERVERS ? "server" : "image");
    else if (!(record = record_new(values, raw, raw_len)))
        g_set_error(error, CF_ERROR, CF_ERROR_PROTOCOL, "%s: longer than 4 GiB", id);

    if (record) {
        record->collection = (guint8) builder->collection;
        record->can = (guint16) builder->can;
        record->verbs = (guint16) builder->verbs;
        record->settled = builder->settled != FALSE;
        record->partial = builder->partial != FALSE;
        record->asks = builder->asks != FALSE;
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
    copy->asks = record->asks;
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
cf_record_asks(const CfRecord *record)
{
    return record->asks;
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
