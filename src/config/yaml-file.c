#include "config/yaml-file.h"

#include <string.h>
#include <yaml.h>

#include "util/error.h"

#define MERGE_DEPTH_MAX 16 /* mappings that merge mappings; an alias may close a circle */

struct _CfYaml {
    char *name;
    yaml_document_t document;
};

/* A CfYamlNode is a yaml_node_t under a name that needs no <yaml.h>. */
static inline const yaml_node_t *
node_of(const CfYamlNode *node)
{
    return (const yaml_node_t *) node;
}

static void G_GNUC_PRINTF(4, 5)
    fail_at(const char *name, gsize line, GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CF_ERROR, CF_ERROR_CONFIG, "%s:%" G_GSIZE_FORMAT ": %s", name, line,
                message);
}

gboolean
cf_yaml_fail(CfYaml *yaml, const CfYamlNode *node, GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    fail_at(yaml->name, node ? cf_yaml_get_line(node) : 1, error, "%s", message);
    return FALSE;
}

/* --- reading --------------------------------------------------------------------------------- */

static void
wipe(yaml_document_t *document)
{
    for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++)
        if (node->type == YAML_SCALAR_NODE)
            explicit_bzero(node->data.scalar.value, node->data.scalar.length);
    yaml_document_delete(document);
}

/* libyaml tells the place of what it cannot decode as a byte, of all else as a line. */
static gsize
find_line(const yaml_parser_t *parser, const char *data, gsize size)
{
    gsize line = 1;

    if (parser->error != YAML_READER_ERROR)
        return parser->problem_mark.line + 1;
    for (gsize i = 0; i < MIN(parser->problem_offset, size); i++)
        line += data[i] == '\n';
    return line;
}

/* Its words are fixed texts: they quote nothing. */
static void
fail_parse(const char *name, const yaml_parser_t *parser, const char *data, gsize size,
           GError **error)
{
    fail_at(name, find_line(parser, data, size), error, "no YAML: %s",
            parser->error == YAML_MEMORY_ERROR ? "out of memory"
            : parser->problem                  ? parser->problem
                                               : "it cannot be read");
}

/* A key that stands twice would be a guess about which one is meant. */
static gboolean
check_mapping(CfYaml *yaml, const yaml_node_t *mapping, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&yaml->document, pair->key);
        const yaml_node_t *other;

        if (!key || key->type != YAML_SCALAR_NODE)
            continue;
        other = g_hash_table_lookup(seen, key->data.scalar.value);
        if (other)
            return cf_yaml_fail(yaml, (const CfYamlNode *) key, error,
                                "a key that stands at line %" G_GSIZE_FORMAT " already",
                                other->start_mark.line + 1);
        g_hash_table_insert(seen, key->data.scalar.value, key);
    }
    return TRUE;
}

static gboolean
check_nodes(CfYaml *yaml, GError **error)
{
    for (const yaml_node_t *node = yaml->document.nodes.start; node < yaml->document.nodes.top;
         node++) {
        if (node->type == YAML_SCALAR_NODE &&
            memchr(node->data.scalar.value, '\0', node->data.scalar.length))
            return cf_yaml_fail(yaml, (const CfYamlNode *) node, error, "a NUL in a value");
        if (node->type == YAML_MAPPING_NODE && !check_mapping(yaml, node, error))
            return FALSE;
    }
    return TRUE;
}

/* Whether the text ends behind the document. */
static gboolean
check_end(const char *name, yaml_parser_t *parser, const char *data, gsize size, GError **error)
{
    yaml_document_t next;
    const yaml_node_t *root;
    gboolean good;

    if (!yaml_parser_load(parser, &next)) {
        fail_parse(name, parser, data, size, error);
        return FALSE;
    }
    root = yaml_document_get_root_node(&next);
    good = !root;
    if (root)
        fail_at(name, root->start_mark.line + 1, error,
                "a second document begins: which one is meant?");
    wipe(&next);
    return good;
}

CfYaml *
cf_yaml_parse(const char *name, const char *data, gsize size, GError **error)
{
    g_autoptr(CfYaml) yaml = NULL;
    yaml_document_t document;
    yaml_parser_t parser;
    gboolean good;

    if (!yaml_parser_initialize(&parser))
        g_error("out of memory"); /* as GLib's own allocation says */
    yaml_parser_set_input_string(&parser, (const unsigned char *) data, size);
    if (!yaml_parser_load(&parser, &document)) {
        fail_parse(name, &parser, data, size, error);
        yaml_parser_delete(&parser);
        return NULL;
    }
    yaml = g_new0(CfYaml, 1);
    yaml->name = g_strdup(name);
    yaml->document = document;
    good = check_nodes(yaml, error) &&
           (!cf_yaml_get_root(yaml) || check_end(name, &parser, data, size, error));
    yaml_parser_delete(&parser);
    return good ? g_steal_pointer(&yaml) : NULL;
}

void
cf_yaml_free(CfYaml *yaml)
{
    if (!yaml)
        return;
    wipe(&yaml->document);
    g_free(yaml->name);
    g_free(yaml);
}

/* --- looking --------------------------------------------------------------------------------- */

const CfYamlNode *
cf_yaml_get_root(CfYaml *yaml)
{
    return (const CfYamlNode *) yaml_document_get_root_node(&yaml->document);
}

CfYamlKind
cf_yaml_get_kind(const CfYamlNode *node)
{
    switch (node_of(node)->type) {
    case YAML_SEQUENCE_NODE:
        return CF_YAML_SEQUENCE;
    case YAML_MAPPING_NODE:
        return CF_YAML_MAPPING;
    case YAML_NO_NODE:
    case YAML_SCALAR_NODE:
        break;
    }
    return CF_YAML_SCALAR;
}

guint
cf_yaml_get_line(const CfYamlNode *node)
{
    return (guint) node_of(node)->start_mark.line + 1;
}

const char *
cf_yaml_get_text(const CfYamlNode *node)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    const yaml_node_t *scalar = node_of(node);
    const char *text;

    if (!scalar || scalar->type != YAML_SCALAR_NODE)
        return NULL;
    text = (const char *) scalar->data.scalar.value;
    if (scalar->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && g_strv_contains(nothing, text))
        return NULL;
    return text;
}

static const CfYamlNode *get_merged(CfYaml *yaml, const CfYamlNode *mapping, const char *key,
                                    guint depth);

/* value: of "<<": a mapping, or a sequence of such, of which the first that has the key wins. */
static const CfYamlNode *
get_from_merge(CfYaml *yaml, const CfYamlNode *value, const char *key, guint depth)
{
    const CfYamlNode *found = NULL;
    const CfYamlNode *member;

    if (depth == 0 || cf_yaml_get_kind(value) != CF_YAML_SEQUENCE)
        return depth > 0 ? get_merged(yaml, value, key, depth - 1) : NULL;
    for (guint i = 0; !found && (member = cf_yaml_get_member(yaml, value, i, NULL)); i++)
        found = get_merged(yaml, member, key, depth - 1);
    return found;
}

static const CfYamlNode *
get_merged(CfYaml *yaml, const CfYamlNode *mapping, const char *key, guint depth)
{
    const CfYamlNode *merge = NULL;
    const CfYamlNode *name, *value;

    if (!mapping || cf_yaml_get_kind(mapping) != CF_YAML_MAPPING)
        return NULL;
    for (guint i = 0; (value = cf_yaml_get_member(yaml, mapping, i, &name)); i++) {
        const yaml_node_t *scalar = node_of(name);

        if (scalar->type != YAML_SCALAR_NODE)
            continue;
        if (strcmp((const char *) scalar->data.scalar.value, key) == 0)
            return value;
        if (strcmp((const char *) scalar->data.scalar.value, "<<") == 0)
            merge = value;
    }
    return merge ? get_from_merge(yaml, merge, key, depth) : NULL;
}

const CfYamlNode *
cf_yaml_get(CfYaml *yaml, const CfYamlNode *mapping, const char *key)
{
    return get_merged(yaml, mapping, key, MERGE_DEPTH_MAX);
}

const CfYamlNode *
cf_yaml_get_member(CfYaml *yaml, const CfYamlNode *node, guint i, const CfYamlNode **ret_key)
{
    const yaml_node_t *parent = node_of(node);
    const yaml_node_t *key = NULL;
    const yaml_node_t *value = NULL;

    if (parent->type == YAML_SEQUENCE_NODE) {
        const yaml_node_item_t *item = parent->data.sequence.items.start + i;

        if (item < parent->data.sequence.items.top)
            value = yaml_document_get_node(&yaml->document, *item);
    } else if (parent->type == YAML_MAPPING_NODE) {
        const yaml_node_pair_t *pair = parent->data.mapping.pairs.start + i;

        if (pair < parent->data.mapping.pairs.top) {
            key = yaml_document_get_node(&yaml->document, pair->key);
            value = yaml_document_get_node(&yaml->document, pair->value);
        }
    }
    if (ret_key)
        *ret_key = (const CfYamlNode *) key;
    return (const CfYamlNode *) value;
}
