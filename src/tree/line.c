/* Lines of list.tsv and list.jsonl. */
#include <string.h>

#include "tree/attr.h"
#include "util/text.h"

void
cf_line_tsv_header(CfCollection collection, GString *out)
{
    guint n;
    const CfField *fields = cf_schema_get(collection, &n);

    for (guint i = 0; i < n; i++) {
        g_string_append(out, fields[i].name);
        g_string_append_c(out, i + 1 < n ? '\t' : '\n');
    }
}

void
cf_line_tsv(const CfResource *resource, GString *out)
{
    guint n;
    const CfField *fields = cf_schema_get(cf_record_get_collection(resource->record), &n);

    for (guint i = 0; i < n; i++) {
        const char *value = cf_resource_get(resource, i);

        if (value && fields[i].type == CF_FIELD_LIST && strchr(value, '\n')) {
            g_autofree char *joined = g_strdelimit(g_strdup(value), "\n", ',');

            cf_text_append_tsv(out, joined);
        } else {
            cf_text_append_tsv(out, value);
        }
        g_string_append_c(out, i + 1 < n ? '\t' : '\n');
    }
}

static gboolean
is_json_number(const char *text)
{
    gsize digits;

    if (*text == '-')
        text++;
    digits = strspn(text, "0123456789");
    return digits > 0 && (digits == 1 || *text != '0') && text[digits] == '\0';
}

static void
json_value(GString *out, CfFieldType type, const char *value)
{
    g_auto(GStrv) items = NULL;

    switch (type) {
    case CF_FIELD_NUMBER:
        if (is_json_number(value)) {
            g_string_append(out, value);
            return;
        }
        break;
    case CF_FIELD_LIST:
        items = g_strsplit(value, "\n", -1); /* nothing at all for the empty text */
        g_string_append_c(out, '[');
        for (guint i = 0; items[i]; i++) {
            if (i > 0)
                g_string_append_c(out, ',');
            cf_text_append_json(out, items[i]);
        }
        g_string_append_c(out, ']');
        return;
    case CF_FIELD_TEXT:
    case CF_FIELD_TIME:
    case CF_FIELD_TYPE_N:
        break;
    }
    cf_text_append_json(out, value);
}

void
cf_line_json(const CfSubject *subject, GString *out)
{
    guint n;
    const CfField *fields = cf_schema_get(subject->collection, &n);
    CfJsonSpan span;

    g_string_append_c(out, '{');
    for (guint i = 0; i < n; i++) {
        const char *value = cf_resource_get(subject->resource, i);

        if (!value)
            continue;
        g_string_append_printf(out, "\"%s\":", fields[i].name);
        json_value(out, fields[i].type, value);
        g_string_append_c(out, ',');
    }
    g_string_append(out, "\"raw\":");
    span.text = cf_record_get_raw(subject->resource->base, &span.len);
    cf_json_compact(span, cf_inventory_get_ops(subject->inventory)->is_secret, out);
    g_string_append(out, "}\n");
}
