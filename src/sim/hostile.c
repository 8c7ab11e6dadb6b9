/* A world that tries to break its reader. The first records take one row of the tables each, in
 * order; of the later ones, every fourth takes a name. Nothing here is left to chance. */
#include <string.h>

#include "sim/inspur.h"

typedef enum {
    SET,     /* key, JSON text */
    REMOVE,  /* key */
    APPEND,  /* text of further members, even if the keys are there already */
    LONG,    /* key, a text that is repeated 300 times */
    LARGE,   /* key, the same 30,000 times */
    NEST,    /* key, an object in 60 objects */
    MANY,    /* key, an array of 400 times that */
    NEXT_ID, /* key: takes the id of the next record */
} Way;

typedef struct {
    Way way;
    const char *key, *text;
} Row;

/* Names and ids that both kinds have. */
static const Row common[] = {
    {SET, "name", "\"a/b\""},
    {SET, "name", "\"a%2Fb\""},
    {SET, "name", "\"/\""},
    {SET, "name", "\"../../etc/passwd\""},
    {SET, "name", "\"line\\nbreak\""},
    {SET, "name", "\"\\n\""},
    {SET, "name", "\"tab\\tand\\rreturn\""},
    {SET, "name", "\"..\""},
    {SET, "name", "\".\""},
    {SET, "name", "\"...\""},
    {SET, "name", "\".hidden\""},
    {SET, "name", "\"%\""},
    {SET, "name", "\"%25\""},
    {SET, "name", "\"100%\""},
    {SET, "name", "\"~\""},
    {SET, "name", "\"tilde~tail\""},
    {SET, "name", "\"\\u001b[31mred\\u001b[0m\\u001b]0;title\\u0007\""},
    {SET, "name", "\"\\u0001\\u0002\\u0008\\u000b\\u001f\""},
    {SET, "name",
     "\"del\x7f"
     "ete\""},
    {SET, "name", "\"c1\\u0085\\u009b31m\""},
    {LONG, "name", "x"},
    {LONG, "name", "中"},
    {LONG, "name", "a中"},
    {LONG, "name", "%"},
    {LONG, "name", "/"},
    {SET, "name", "\"twin\""},
    {SET, "name", "\"twin\""},
    {SET, "name", "\"twin\""},
    {SET, "name", "\"Twin\""},
    {SET, "name", "\"other twin\""},
    {SET, "name", "\"other twin\""},
    {LONG, "name", "twin"},
    {LONG, "name", "twin"},
    {SET, "name", "\"\""},
    {SET, "name", "\"\""},
    {SET, "name", "null"},
    {REMOVE, "name", NULL},
    {SET, "name", "\" \""},
    {SET, "name", "\" padded \""},
    {SET, "name", "\"中文名称\""},
    {SET, "name", "\"caf\\u00e9\""},
    {SET, "name", "\"cafe\\u0301\""},
    {SET, "name", "\"\\ud83d\\ude00 smile\""},
    {SET, "name", "\"\\u202egnp.exe\""},
    {SET, "name", "\"zero\\u200bwidth\\ufeff\\u2028\""},
    {SET, "name", "\"bytes\xff\xfe\""},
    {SET, "name", "\"\xc3(\""},
    {SET, "name", "\"cut\xe4\xb8\""},
    {SET, "name", "\"\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\""},
    {SET, "name", "\"\\\"quoted\\\" \\\\ 'single' $(id) `id` ; & | * ? [a] {b}\""},
    {SET, "name", "\"-rf\""},
    {SET, "name", "\"by-id\""},
    {SET, "name", "\"by-name\""},
    {SET, "name", "\"power\""},
    {SET, "name", "\"power.plan\""},
    {SET, "name", "\"delete\""},
    {SET, "name", "\"list.tsv\""},
    {SET, "name", "\"list.jsonl\""},
    {SET, "name", "\"fetched\""},
    {SET, "name", "\"search\""},
    {SET, "name", "\"last_error\""},
    {SET, "name", "\".snapshots\""},
    {SET, "name", "\".cirrusfs\""},
    {NEXT_ID, "name", NULL},
    {NEXT_ID, "name", NULL},
    {SET, "name", "12345"},
    {SET, "name", "true"},
    {SET, "name", "{\"first\":\"x\"}"},
    {SET, "name", "[\"x\"]"},
    {SET, "id", "\"slash/in/id\""},
    {SET, "id", "\"percent%2Fid\""},
    {SET, "id", "\"100%\""},
    {SET, "id", "\"blank in id\""},
    {SET, "id", "\"..\""},
    {SET, "id", "\".\""},
    {SET, "id", "\"../up\""},
    {SET, "id", "\".hidden-id\""},
    {SET, "id", "\"tilde~id\""},
    {SET, "id", "\"-dash\""},
    {SET, "id", "\"中文标识\""},
    {SET, "id", "\"Case-Id\""},
    {SET, "id", "\"case-id\""},
    {SET, "id", "\"by-state\""},
    {SET, "id", "\"list.tsv\""},
    {SET, "id", "\"q?uery&a=b#frag+plus\""},
    {SET, "id", "\"quote\\\"back\\\\slash\""},
    {LONG, "id", "i"},
    {LONG, "id", "长"},
    {APPEND, "", "\"name\":\"second name\",\"name\":\"third name\""},
    {APPEND, "", "\"status\":\"SHUTOFF\",\"status\":\"ACTIVE\""},
    {APPEND, "", "\"\":\"empty key\",\"a/b\":1,\"new\\nline\":2,\"..\":3,\"%2F\":4,\"a%2Fb\":5"},
    {APPEND, "", "\"twice\":1,\"twice\":{\"a\":2},\"huge\":12345678901234567890.000100"},
    {APPEND, "", "\"numbers\":[1e400,-0,0.10,1E+2,123456789012345678901234567890,-1e-400]"},
    {APPEND, "", "\"escapes\":\"\\u0041\\u00e9\\u4e2d\\ud83d\\ude00\\/\\b\\f\""},
    {APPEND, "", "\"lone\":\"\\ud800 \\udfff \\ud800\\ud800\""},
    {NEST, "nested", "{\"deepest\":[[[1]]]}"},
    {LARGE, "large", "text\\n"},
    {SET, "status", "null"},
    {REMOVE, "status", NULL},
    {SET, "status", "7"},
    {SET, "status", "\"\""},
    {SET, "status", "\"WEIRD_NEW_STATE\""},
    {SET, "status", "\"state/with slash\\n\""},
    {SET, "status", "{}"},
};

static const Row of_servers[] = {
    {SET, "task_state", "{}"},
    {SET, "task_state", "\"\""},
    {SET, "task_state", "\"xxx\""},
    {SET, "task_state", "\"Powering-On\""},
    {REMOVE, "task_state", NULL},
    {SET, "image", "null"},
    {REMOVE, "image", NULL},
    {SET, "image", "\"an id\""},
    {SET, "image", "[]"},
    {SET, "image", "{\"id\":17,\"name\":null}"},
    {SET, "image", "{\"id\":\"slash/in/id\",\"name\":\"a/b\"}"},
    {SET, "image", "{\"id\":\"../../../..\"}"},
    {SET, "nics", "null"},
    {SET, "nics", "{}"},
    {SET, "nics", "[null,1,\"x\",{},{\"fixed_ip\":7},{\"fixed_ip\":\"999.1.1.1/24\\n\"}]"},
    {MANY, "nics", "{\"fixed_ip\":\"10.9.9.9\",\"portid\":\"p\"}"},
    {SET, "nics", "[{\"fixed_ip\":\"fe80::1%eth0\"},{\"fixed_ip\":\"\"}]"},
    {SET, "eip", "[]"},
    {SET, "eip", "\"203.0.113.1\""},
    {SET, "eip", "{\"ip_addr\":\"a/b\",\"bandwidth\":\"10\"}"},
    {SET, "flavor", "null"},
    {SET, "flavor", "\"s1.small\""},
    {SET, "flavor", "{\"original_name\":\"../../etc\",\"vcpus\":\"2\",\"ram\":\"4096\"}"},
    {SET, "flavor", "{\"original_name\":\"f/1\",\"vcpus\":1e400,\"ram\":-4096,\"disk\":1.5}"},
    {SET, "flavor",
     "{\"vcpus\":2,\"ram\":12345678901234567890.000100,\"extra_specs\":{\"\":1,\"a/b\":2,\"..\":3,"
     "\".\":4,\"new\\nline\":5,\"%2F\":6,\"~\":7,\"same\":8,\"same\":9,\"bytes\xff\":10}}"},
    {SET, "root_volume", "[]"},
    {SET, "root_volume", "{\"size\":-1}"},
    {SET, "data_volumes", "{\"0\":{}}"},
    {MANY, "data_volumes", "{\"volumetype\":\"SSD\",\"volumename\":\"a/b\",\"size\":1}"},
    {SET, "created", "\"not a date\""},
    {SET, "created", "0"},
    {SET, "created", "null"},
    {SET, "created", "\"9999-99-99T99:99:99Z\""},
    {SET, "created", "\"0000-00-00T00:00:00Z\""},
    {SET, "created", "\"292277026596-12-04T15:30:08Z\""},
    {SET, "security_groups", "\"default\""},
    {SET, "security_groups", "[null,{},{\"name\":null},{\"name\":\"a\\nb\"},{\"name\":\"\"}]"},
    {SET, "key_name", "17"},
    {SET, "feeData", "\"prePaid\""},
    {SET, "feeData", "{\"chargetype\":1,\"nextFeeTime\":\"2012-13-45 99:99:99\"}"},
    {SET, "availability_zone", "\"zone/a\""},
    {SET, "availability_zone", "\"..\""},
    {SET, "availability_zone", "\"\""},
    {SET, "availability_zone", "null"},
    {SET, "regionID", "null"},
    {SET, "host", "\"node\\n1\""},
    {SET, "host", "[\"node-1\",\"node-2\"]"},
    {SET, "vpcname", "\"\\u001b[2J\""},
};

static const Row of_images[] = {
    {SET, "size", "\"big\""},
    {SET, "size", "-1"},
    {SET, "size", "1e30"},
    {SET, "size", "12345678901234567890"},
    {SET, "size", "null"},
    {SET, "tags", "\"a,b,,c\""},
    {SET, "tags", "null"},
    {SET, "tags", "[1,null,{},\"\",\"a/b\",\"new\\nline\",\"..\"]"},
    {SET, "tags", "{}"},
    {MANY, "tags", "\"same tag\""},
    {SET, "protected", "\"yes\""},
    {SET, "protected", "1"},
    {SET, "visibility", "null"},
    {REMOVE, "visibility", NULL},
    {SET, "visibility", "\"shared\""},
    {SET, "visibility", "\"pub/lic\""},
    {SET, "min_disk", "\"40\""},
    {SET, "min_ram", "-1"},
    {SET, "created_at", "\"not a date\""},
    {SET, "created_at", "1536322465"},
    {SET, "updated_at", "\"2018-09-07T12:14:25.000+9900\""},
    {SET, "description", "\"two\\nlines\\n\""},
    {LARGE, "description", "long "},
    {SET, "description", "{\"text\":\"x\"}"},
    {SET, "locations", "null"},
    {SET, "system", "null"},
    {SET, "system", "\"a/b\""},
    {SET, "systemType", "[\"linux\"]"},
    {SET, "owner", "\"../owner\""},
    {SET, "owner", "7"},
    {SET, "checksum", "null"},
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
row_value(const Row *row, const char *next_id)
{
    switch (row->way) {
    case SET:
        return g_strdup(row->text);
    case LONG:
        return repeat("\"", row->text, "", "\"", 300);
    case LARGE:
        return repeat("\"", row->text, "", "\"", 30000);
    case NEST:
        return nest(row->text, 60);
    case MANY:
        return repeat("[", row->text, ",", "]", 400);
    case NEXT_ID:
        return g_strdup_printf("\"%s\"", next_id);
    case REMOVE:
    case APPEND:
        break;
    }
    return NULL;
}

static char *
spoil(const Row *row, const char *text, const char *next_id)
{
    g_autofree char *value = row_value(row, next_id);

    if (row->way == REMOVE)
        return cf_sim_raw_remove(text, row->key);
    if (row->way == APPEND)
        return g_strdup_printf("%.*s,%s}", (int) strlen(text) - 1, text, row->text);
    return cf_sim_raw_set(text, row->key, value);
}

/* Returns: (nullable): the row of a record; an id is given only once, so that ids stay unique. */
static const Row *
find_row(CfSimKind kind, guint64 index)
{
    const Row *special = kind == CF_SIM_SERVERS ? of_servers : of_images;
    guint n = kind == CF_SIM_SERVERS ? G_N_ELEMENTS(of_servers) : G_N_ELEMENTS(of_images);
    const Row *row;

    if (index < G_N_ELEMENTS(common))
        return &common[index];
    index -= G_N_ELEMENTS(common);
    if (index < n)
        return &special[index];
    row = &common[index / 4 % G_N_ELEMENTS(common)];
    return index % 4 == 0 && strcmp(row->key, "name") == 0 ? row : NULL;
}

char *
cf_sim_hostile(CfSimKind kind, guint64 index, char *text, const char *next_id)
{
    g_autofree char *owned = text;
    const Row *row = find_row(kind, index);

    return row ? spoil(row, owned, next_id) : g_steal_pointer(&owned);
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
