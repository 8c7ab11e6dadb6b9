/* A file of a resource is a row in a table. */
#pragma once

#include "tree/node.h"

G_BEGIN_DECLS

/* What a row works on. Borrowed. */
typedef struct {
    CfInventory *inventory;
    CfCollection collection;
    const CfResource *resource;
    const char *key; /* (nullable) of metadata */
} CfSubject;

typedef struct _CfAttribute CfAttribute;

struct _CfAttribute {
    const char *name;
    mode_t mode;       /* type and bits, where everything is allowed */
    int field;         /* (schema) what it shows; -1: show does */
    int action;        /* CfActionKind that a write asks for; -1: none */
    CfAspects aspects; /* on what its content depends, hence its time */
    const char *type;  /* for the table: text, number, time, list, link, dir, json */
    const char *unit;  /* (nullable) */
    const char *doc;
    gboolean poll; /* poll(2) tells of its changes */
    CfKind dir;    /* of a directory: the kind of its node */
    /* NULL: there when the field has a value. */
    gboolean (*visible)(const CfSubject *subject);
    /* NULL: the field's value. */
    void (*show)(const CfSubject *subject, GString *out);
    /* Takes what was written. Returns: (transfer full) (nullable): what is to be done. */
    CfAction *(*store)(const CfSubject *subject, const char *text, GError **error);
};

/* Returns: (transfer none): the files of a resource; ret_n their number. */
const CfAttribute *cf_attributes_get(CfCollection collection, guint *ret_n);
/* Returns: (transfer none): that of the files in metadata/; its name is the key's. */
const CfAttribute *cf_attribute_of_key(void);
/* Returns: the row's index, or -1. */
int cf_attributes_find(CfCollection collection, const char *name);

/* Whether it is the value of a key whose values are never shown. */
gboolean cf_attribute_is_secret(const CfSubject *subject);
gboolean cf_attribute_is_visible(const CfAttribute *attribute, const CfSubject *subject);
/* Type and bits as this cloud, this account and this mount allow. */
mode_t cf_attribute_get_mode(const CfAttribute *attribute, const CfSubject *subject);
/* Whether a write that the mode does not let pass (only root's comes so far, and what an editor
 * puts over the file) is for the cloud to refuse: the mode says what is likely, the cloud what is
 * so. Nothing is asked on a mount that is ro, nor of what is deleted. */
gboolean cf_attribute_asks(const CfAttribute *attribute, const CfSubject *subject);
void cf_attribute_show(const CfAttribute *attribute, const CfSubject *subject, GString *out);

/* list.tsv and list.jsonl. */
void cf_line_tsv_header(CfCollection collection, GString *out);
void cf_line_tsv(const CfResource *resource, GString *out);
void cf_line_json(const CfSubject *subject, GString *out);

G_END_DECLS
