/* A world that tries to break its reader. The first records take one row of the tables each, in
 * order; of the later ones, every fourth takes a name. Nothing here is left to chance. */
#include <string.h>

#include "sim/private.h"

/* What all kinds have; $name, $id, $status, $on and $off are the dialect's words. */
static const CfSimHostileRow common[] = {
    {CF_SIM_HOSTILE_SET, "$name", "\"a/b\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"a%2Fb\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"/\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"../../etc/passwd\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"line\\nbreak\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\\n\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"tab\\tand\\rreturn\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"..\""},
    {CF_SIM_HOSTILE_SET, "$name", "\".\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"...\""},
    {CF_SIM_HOSTILE_SET, "$name", "\".hidden\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"%\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"%25\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"100%\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"~\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"tilde~tail\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\\u001b[31mred\\u001b[0m\\u001b]0;title\\u0007\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\\u0001\\u0002\\u0008\\u000b\\u001f\""},
    {CF_SIM_HOSTILE_SET, "$name",
     "\"del\x7f"
     "ete\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"c1\\u0085\\u009b31m\""},
    {CF_SIM_HOSTILE_LONG, "$name", "x"},
    {CF_SIM_HOSTILE_LONG, "$name", "中"},
    {CF_SIM_HOSTILE_LONG, "$name", "a中"},
    {CF_SIM_HOSTILE_LONG, "$name", "%"},
    {CF_SIM_HOSTILE_LONG, "$name", "/"},
    {CF_SIM_HOSTILE_SET, "$name", "\"twin\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"twin\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"twin\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"Twin\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"other twin\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"other twin\""},
    {CF_SIM_HOSTILE_LONG, "$name", "twin"},
    {CF_SIM_HOSTILE_LONG, "$name", "twin"},
    {CF_SIM_HOSTILE_SET, "$name", "\"\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\""},
    {CF_SIM_HOSTILE_SET, "$name", "null"},
    {CF_SIM_HOSTILE_REMOVE, "$name", NULL},
    {CF_SIM_HOSTILE_SET, "$name", "\" \""},
    {CF_SIM_HOSTILE_SET, "$name", "\" padded \""},
    {CF_SIM_HOSTILE_SET, "$name", "\"中文名称\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"caf\\u00e9\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"cafe\\u0301\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\\ud83d\\ude00 smile\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\\u202egnp.exe\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"zero\\u200bwidth\\ufeff\\u2028\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"bytes\xff\xfe\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\xc3(\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"cut\xe4\xb8\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"\\\"quoted\\\" \\\\ 'single' $(id) `id` ; & | * ? [a] {b}\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"-rf\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"by-id\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"by-name\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"power\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"power.plan\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"delete\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"list.tsv\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"list.jsonl\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"fetched\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"search\""},
    {CF_SIM_HOSTILE_SET, "$name", "\"last_error\""},
    {CF_SIM_HOSTILE_SET, "$name", "\".snapshots\""},
    {CF_SIM_HOSTILE_SET, "$name", "\".cirrusfs\""},
    {CF_SIM_HOSTILE_NEXT_ID, "$name", NULL},
    {CF_SIM_HOSTILE_NEXT_ID, "$name", NULL},
    {CF_SIM_HOSTILE_SET, "$name", "12345"},
    {CF_SIM_HOSTILE_SET, "$name", "true"},
    {CF_SIM_HOSTILE_SET, "$name", "{\"first\":\"x\"}"},
    {CF_SIM_HOSTILE_SET, "$name", "[\"x\"]"},
    {CF_SIM_HOSTILE_SET, "$id", "\"slash/in/id\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"percent%2Fid\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"100%\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"blank in id\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"..\""},
    {CF_SIM_HOSTILE_SET, "$id", "\".\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"../up\""},
    {CF_SIM_HOSTILE_SET, "$id", "\".hidden-id\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"tilde~id\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"-dash\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"中文标识\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"Case-Id\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"case-id\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"by-state\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"list.tsv\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"q?uery&a=b#frag+plus\""},
    {CF_SIM_HOSTILE_SET, "$id", "\"quote\\\"back\\\\slash\""},
    {CF_SIM_HOSTILE_LONG, "$id", "i"},
    {CF_SIM_HOSTILE_LONG, "$id", "长"},
    {CF_SIM_HOSTILE_APPEND, "", "\"$name\":\"second name\",\"$name\":\"third name\""},
    {CF_SIM_HOSTILE_APPEND, "", "\"$status\":\"$off\",\"$status\":\"$on\""},
    {CF_SIM_HOSTILE_APPEND, "",
     "\"\":\"empty key\",\"a/b\":1,\"new\\nline\":2,\"..\":3,\"%2F\":4,\"a%2Fb\":5"},
    {CF_SIM_HOSTILE_APPEND, "",
     "\"twice\":1,\"twice\":{\"a\":2},\"huge\":12345678901234567890.000100"},
    {CF_SIM_HOSTILE_APPEND, "",
     "\"numbers\":[1e400,-0,0.10,1E+2,123456789012345678901234567890,-1e-400]"},
    {CF_SIM_HOSTILE_APPEND, "", "\"escapes\":\"\\u0041\\u00e9\\u4e2d\\ud83d\\ude00\\/\\b\\f\""},
    {CF_SIM_HOSTILE_APPEND, "", "\"lone\":\"\\ud800 \\udfff \\ud800\\ud800\""},
    {CF_SIM_HOSTILE_NEST, "nested", "{\"deepest\":[[[1]]]}"},
    {CF_SIM_HOSTILE_LARGE, "large", "text\\n"},
    {CF_SIM_HOSTILE_SET, "$status", "null"},
    {CF_SIM_HOSTILE_REMOVE, "$status", NULL},
    {CF_SIM_HOSTILE_SET, "$status", "7"},
    {CF_SIM_HOSTILE_SET, "$status", "\"\""},
    {CF_SIM_HOSTILE_SET, "$status", "\"WEIRD_NEW_STATE\""},
    {CF_SIM_HOSTILE_SET, "$status", "\"state/with slash\\n\""},
    {CF_SIM_HOSTILE_SET, "$status", "{}"},
};

/* Returns: (transfer full): a JSON string, an array, … of so many times the text. */
static char *
repeat(const char *before, const char *text, const char *between, const char *after, guint n)
{
    GString *out = g_string_new(before);

    for (guint i = 0; i < n; i++) {
        if (i)
            g_string_append(out, between);
        g_string_append(out, text);
    }
    g_string_append(out, after);
    return g_string_free(out, FALSE);
}

static char *
nest(const char *text, guint depth)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < depth; i++)
        g_string_append(out, "{\"in\":");
    g_string_append(out, text);
    for (guint i = 0; i < depth; i++)
        g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}

/* Returns: (transfer full) (nullable): what the row sets its key to. */
static char *
row_value(const CfSimHostileRow *row, const char *next_id)
{
    switch (row->way) {
    case CF_SIM_HOSTILE_SET:
        return g_strdup(row->text);
    case CF_SIM_HOSTILE_LONG:
        return repeat("\"", row->text, "", "\"", 300);
    case CF_SIM_HOSTILE_LARGE:
        return repeat("\"", row->text, "", "\"", 30000);
    case CF_SIM_HOSTILE_NEST:
        return nest(row->text, 60);
    case CF_SIM_HOSTILE_MANY:
        return repeat("[", row->text, ",", "]", 400);
    case CF_SIM_HOSTILE_NEXT_ID:
        return g_strdup_printf("\"%s\"", next_id);
    case CF_SIM_HOSTILE_REMOVE:
    case CF_SIM_HOSTILE_APPEND:
        break;
    }
    return NULL;
}

/* Returns: (transfer full): with the dialect's words in the place of $name and so on. */
static char *
translate(const CfSimHostile *hostile, const char *text)
{
    const struct {
        const char *from, *to;
    } words[] = {
        {"$name", hostile->name}, {"$id", hostile->id}, {"$status", hostile->status},
        {"$off", hostile->off},   {"$on", hostile->on},
    };
    char *out = g_strdup(text);

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *before = out;
        g_auto(GStrv) parts = g_strsplit(before, words[i].from, -1);

        out = g_strjoinv(words[i].to, parts);
    }
    return out;
}

static char *
spoil(const CfSimHostile *hostile, const CfSimHostileRow *row, const char *text,
      const char *next_id)
{
    g_autofree char *key = translate(hostile, row->key);
    g_autofree char *value = row_value(row, next_id);
    g_autofree char *members = NULL;

    if (row->way == CF_SIM_HOSTILE_REMOVE)
        return cf_sim_raw_remove(text, key);
    if (row->way != CF_SIM_HOSTILE_APPEND)
        return cf_sim_raw_set(text, key, value);
    members = translate(hostile, row->text);
    return g_strdup_printf("%.*s,%s}", (int) strlen(text) - 1, text, members);
}

/* Returns: (nullable): the row of a record; an id is given only once, so that ids stay unique. */
static const CfSimHostileRow *
find_row(const CfSimHostile *hostile, guint64 index)
{
    const CfSimHostileRow *row;

    if (index < G_N_ELEMENTS(common))
        return &common[index];
    index -= G_N_ELEMENTS(common);
    if (index < hostile->n_rows)
        return &hostile->rows[index];
    row = &common[index / 4 % G_N_ELEMENTS(common)];
    return index % 4 == 0 && strcmp(row->key, "$name") == 0 ? row : NULL;
}

char *
cf_sim_hostile(const CfSimHostile *hostile, guint64 index, char *text, const char *next_id)
{
    g_autofree char *owned = text;
    const CfSimHostileRow *row = find_row(hostile, index);

    return row ? spoil(hostile, row, owned, next_id) : g_steal_pointer(&owned);
}

GPtrArray *
cf_sim_hostile_tags(guint64 index)
{
    static const char *const words[] = {
        "a/b",   "line\nbreak",        "%",   "~",   "..",   ".", " ", "中文", "\x1b[31m",
        "by-id", "quote\"back\\slash", "-rf", "%2F", "a%2Fb"};
    GPtrArray *tags = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < index % 5; i++)
        g_ptr_array_add(tags, g_strdup(words[(index + i) % G_N_ELEMENTS(words)]));
    if (index % 5 == 4)
        g_ptr_array_add(tags, repeat("", "long 标签 ", "", "", 60));
    return tags;
}
