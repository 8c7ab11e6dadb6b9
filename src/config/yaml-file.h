/* A YAML file of another program, read with libyaml: a graph of nodes that know their lines, so
 * that what is wrong can be named. No error quotes a value: it may be a secret. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CfYaml CfYaml;
typedef struct _CfYamlNode CfYamlNode; /* lives as long as its CfYaml; never freed by itself */

typedef enum { CF_YAML_SCALAR, CF_YAML_SEQUENCE, CF_YAML_MAPPING } CfYamlKind;

/* name: stands before the line in errors. A text with more than one document, with a key that
 * stands twice in a mapping, or with a NUL in a value is refused.
 * Returns: (transfer full) (nullable). Errors: CF_ERROR_CONFIG, "FILE:LINE: …". */
CfYaml *cf_yaml_parse(const char *name, const char *data, gsize size, GError **error);
void cf_yaml_free(CfYaml *yaml); /* (nullable); wipes the values */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CfYaml, cf_yaml_free)

/* Returns: (transfer none) (nullable): NULL for a text without a document. */
const CfYamlNode *cf_yaml_get_root(CfYaml *yaml);

CfYamlKind cf_yaml_get_kind(const CfYamlNode *node);
guint cf_yaml_get_line(const CfYamlNode *node); /* from 1 */

/* The text of a scalar. Returns: (transfer none) (nullable): NULL for the other kinds and for a
 * plain scalar that says nothing (empty, ~, null). node: (nullable). */
const char *cf_yaml_get_text(const CfYamlNode *node);

/* The value of a key in a mapping, else in the mappings that it merges in (<<).
 * Returns: (transfer none) (nullable): NULL also when mapping is NULL or of another kind. */
const CfYamlNode *cf_yaml_get(CfYaml *yaml, const CfYamlNode *mapping, const char *key);

/* The i-th member of a mapping, in the order of the text, without those merged in; or of a
 * sequence. ret_key: (nullable): set to NULL in a sequence.
 * Returns: (transfer none) (nullable): NULL behind the end, and for a scalar. */
const CfYamlNode *cf_yaml_get_member(CfYaml *yaml, const CfYamlNode *node, guint i,
                                     const CfYamlNode **ret_key);

/* Always FALSE, with CF_ERROR_CONFIG that begins with the file and the node's line.
 * node: (nullable): line 1. */
gboolean cf_yaml_fail(CfYaml *yaml, const CfYamlNode *node, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

G_END_DECLS
