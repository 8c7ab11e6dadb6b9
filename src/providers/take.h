/* What the backends' field tables share: CfJsonTake functions that put a cloud's value into a
 * CfRecordBuilder (field->target is one of its fields), and what is worked out of several values
 * afterwards. Where a key stands twice the later value replaces the former one, also when it is
 * none; null, "" and values of the wrong type are none. Pure. Thread: any. */
#pragma once

#include "model/record.h"
#include "json/fields.h"

G_BEGIN_DECLS

gboolean cf_take_value(const CfJsonField *field, CfJsonSpan value, gpointer target);
/* A name may well be empty; only null is none. */
gboolean cf_take_name(const CfJsonField *field, CfJsonSpan value, gpointer target);
gboolean cf_take_lower(const CfJsonField *field, CfJsonSpan value, gpointer target);
gboolean cf_take_number(const CfJsonField *field, CfJsonSpan value, gpointer target);
/* A text that cf_time_read() takes, UTC unless it names a zone; another text stays as it is. */
gboolean cf_take_time(const CfJsonField *field, CfJsonSpan value, gpointer target);
/* The same for a cloud whose times are offset_s east of UTC. */
gboolean cf_take_time_at(const CfJsonField *field, CfJsonSpan value, gpointer target, int offset_s);
/* Stores text, "" and NULL being none. Returns: whether there is a value. */
gboolean cf_take_set(const CfJsonField *field, gpointer target, const char *text);

/* Decimal digits as they stand in the text: a double would lose some of a long number's. "50.0" is
 * 50. Returns: (transfer full) (nullable): NULL when it is no such number. */
char *cf_take_digits(CfJsonSpan value);

/* A list of values, or of objects of which one member counts; one of them may stand without the
 * array. key: the member's. */
gboolean cf_take_members(const CfJsonField *field, CfJsonSpan value, gpointer target,
                         const char *key);

/* Adds an item to a list unless it is there. */
void cf_builder_add_once(CfRecordBuilder *builder, guint field, const char *item);
/* Adds the items of another list. list: (nullable): nothing happens. */
void cf_builder_add_all(CfRecordBuilder *builder, guint field, const char *list);
/* Returns: (transfer none) (nullable). */
const char *cf_builder_get(const CfRecordBuilder *builder, guint field);
/* Sets updated_us from the field updated, else from the field created. */
void cf_builder_set_updated(CfRecordBuilder *builder, guint updated, guint created);

G_END_DECLS
