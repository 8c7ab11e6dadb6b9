#include "providers/take.h"

#include "providers/timestamp.h"

#include <string.h>

/* --- values ----------------------------------------------------------------------------------- */

gboolean
cf_take_set(const CfJsonField *field, gpointer target, const char *text)
{
    gboolean none = !text || !*text;

    cf_record_builder_set(target, (guint) field->target, none ? NULL : text);
    return !none;
}

gboolean
cf_take_value(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_auto(CfJsonScalar) scalar;

    return cf_take_set(field, target, cf_json_scalar_init(&scalar, value));
}

gboolean
cf_take_name(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_auto(CfJsonScalar) scalar;

    cf_record_builder_set(target, (guint) field->target, cf_json_scalar_init(&scalar, value));
    return scalar.text != NULL;
}

gboolean
cf_take_lower(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_autofree char *text = cf_json_scalar(value);
    g_autofree char *lower = text ? g_ascii_strdown(text, -1) : NULL;

    return cf_take_set(field, target, lower);
}

/* Returns: (nullable): the digits in the scalar's text. */
static const char *
find_digits(CfJsonScalar *scalar)
{
    char *text = scalar->text;
    gsize digits;

    if (!text)
        return NULL;
    g_strchomp(text);
    while (g_ascii_isspace(*text))
        text++;
    digits = strspn(text, "0123456789");
    if (digits == 0)
        return NULL;
    if (text[digits] == '.') {
        if (strspn(text + digits + 1, "0") != strlen(text + digits + 1))
            return NULL;
        text[digits] = '\0';
    }
    return text[digits] ? NULL : text;
}

char *
cf_take_digits(CfJsonSpan value)
{
    g_auto(CfJsonScalar) scalar;

    cf_json_scalar_init(&scalar, value);
    return g_strdup(find_digits(&scalar));
}

gboolean
cf_take_number(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    g_auto(CfJsonScalar) scalar;

    cf_json_scalar_init(&scalar, value);
    return cf_take_set(field, target, find_digits(&scalar));
}

gboolean
cf_take_time_at(const CfJsonField *field, CfJsonSpan value, gpointer target, int offset_s)
{
    g_auto(CfJsonScalar) scalar;
    char *text = cf_json_scalar_init(&scalar, value);
    char utc[CF_TIME_LEN];

    if (text && cf_time_read(g_strstrip(text), offset_s, utc, NULL))
        return cf_take_set(field, target, utc);
    return cf_take_set(field, target, text);
}

gboolean
cf_take_time(const CfJsonField *field, CfJsonSpan value, gpointer target)
{
    return cf_take_time_at(field, value, target, 0);
}

/* --- lists ------------------------------------------------------------------------------------ */

static gboolean
has_item(const char *list, const char *item)
{
    gsize len = strlen(item);

    for (const char *p = list; p && *p; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, item, len) == 0 && (p[len] == '\n' || p[len] == '\0'))
            return TRUE;
    }
    return FALSE;
}

void
cf_builder_add_once(CfRecordBuilder *builder, guint field, const char *item)
{
    if (!has_item(cf_record_builder_get(builder, field), item))
        cf_record_builder_add(builder, field, item);
}

/* Adds value, or where it is an object, its member called key. */
static void
add_member(CfRecordBuilder *builder, guint field, CfJsonSpan value, const char *key)
{
    g_auto(CfJsonScalar) scalar = {NULL, NULL, ""};

    if (cf_json_kind(value) == CF_JSON_OBJECT && !cf_json_get(value, key, FALSE, &value))
        return;
    if (cf_json_scalar_init(&scalar, value))
        cf_builder_add_once(builder, field, scalar.text);
}

gboolean
cf_take_members(const CfJsonField *field, CfJsonSpan value, gpointer target, const char *key)
{
    CfRecordBuilder *builder = target;
    guint number = (guint) field->target;
    CfJsonIter iter;

    cf_record_builder_set(builder, number, NULL);
    if (cf_json_kind(value) == CF_JSON_ARRAY) {
        cf_record_builder_touch(builder, number);
        cf_json_iter_init(&iter, value);
        while (cf_json_iter_next(&iter, NULL, &value))
            add_member(builder, number, value, key);
    } else {
        add_member(builder, number, value, key);
    }
    return cf_record_builder_get(builder, number) != NULL;
}

void
cf_builder_add_all(CfRecordBuilder *builder, guint field, const char *list)
{
    g_auto(GStrv) items = NULL;

    if (!list)
        return;
    cf_record_builder_touch(builder, field);
    if (!strchr(list, '\n')) { /* one item, as mostly */
        cf_builder_add_once(builder, field, list);
        return;
    }
    items = g_strsplit(list, "\n", -1);
    for (guint i = 0; items[i]; i++)
        cf_builder_add_once(builder, field, items[i]);
}

/* --- several values --------------------------------------------------------------------------- */

const char *
cf_builder_get(const CfRecordBuilder *builder, guint field)
{
    return cf_record_builder_get(builder, field);
}

void
cf_builder_set_updated(CfRecordBuilder *builder, guint updated, guint created)
{
    char utc[CF_TIME_LEN];
    const char *text = cf_builder_get(builder, updated);

    if (text && cf_time_read(text, 0, utc, &builder->updated_us))
        return;
    text = cf_builder_get(builder, created);
    if (text)
        cf_time_read(text, 0, utc, &builder->updated_us);
}
