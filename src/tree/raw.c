/* raw/: the cloud's answer for one resource as a tree. Objects are directories, arrays of scalars
 * are files of lines, other arrays are directories 0, 1, 2 …; scalars are files, null is an empty
 * one. */
#include <string.h>

#include "tree/private.h"
#include "util/text.h"

static CfRaw
raw_root(const CfSubject *subject)
{
    CfRaw root = {.secret = FALSE};

    root.span.text = cf_record_get_raw(subject->resource->base, &root.span.len);
    return root;
}

static gboolean
is_scalar(CfJsonSpan span)
{
    CfJsonKind kind = cf_json_kind(span);

    return kind != CF_JSON_OBJECT && kind != CF_JSON_ARRAY;
}

gboolean
cf_raw_is_dir(const CfRaw *raw)
{
    CfJsonIter iter;
    CfJsonSpan value;

    if (raw->secret)
        return FALSE;
    if (cf_json_kind(raw->span) == CF_JSON_OBJECT)
        return TRUE;
    if (cf_json_kind(raw->span) != CF_JSON_ARRAY)
        return FALSE;
    cf_json_iter_init(&iter, raw->span);
    while (cf_json_iter_next(&iter, NULL, &value))
        if (!is_scalar(value))
            return TRUE;
    return FALSE;
}

static void
show_scalar(CfJsonSpan span, gboolean item, GString *out)
{
    g_autofree char *text = cf_json_scalar(span);

    if (text && item && strchr(text, '\n')) {
        /* A line of a list holds no newline. */
        g_auto(GStrv) parts = g_strsplit(text, "\n", -1);

        g_free(text);
        text = g_strjoinv("%0A", parts);
    }
    if (text) {
        g_string_append(out, text);
        g_string_append_c(out, '\n');
    } else if (item) {
        g_string_append(out, "null\n");
    }
}

void
cf_raw_show(const CfRaw *raw, GString *out)
{
    CfJsonIter iter;
    CfJsonSpan value;

    if (raw->secret) {
        g_string_append(out, "***\n");
        return;
    }
    if (is_scalar(raw->span)) {
        show_scalar(raw->span, FALSE, out);
        return;
    }
    cf_json_iter_init(&iter, raw->span);
    while (cf_json_iter_next(&iter, NULL, &value))
        show_scalar(value, TRUE, out);
}

/* raw/refresh is ours: a key of the cloud's of that name, in the top object, is %72efresh. */
static char *
member_name(const char *key, gboolean top)
{
    if (top && strcmp(key, "refresh") == 0)
        return g_strdup("%72efresh");
    return cf_id_encode(key);
}

gboolean
cf_raw_walk(const CfSubject *subject, const CfRaw *raw, CfRawWalk walk, gpointer data)
{
    CfJsonIsSecret is_secret = cf_inventory_get_ops(subject->inventory)->is_secret;
    gboolean top = raw->span.text == raw_root(subject).span.text;
    gboolean object = cf_json_kind(raw->span) == CF_JSON_OBJECT;
    g_autoptr(GHashTable) last = NULL;
    CfJsonIter iter;
    CfJsonSpan key;
    CfRaw child;

    /* Of a key that stands twice the last one counts, as in every reader of JSON. */
    if (object) {
        last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        cf_json_iter_init(&iter, raw->span);
        while (cf_json_iter_next(&iter, &key, &child.span)) {
            char *text = cf_json_string(key);

            g_hash_table_replace(last, member_name(text ? text : "", top),
                                 (gpointer) child.span.text);
            g_free(text);
        }
    }
    cf_json_iter_init(&iter, raw->span);
    for (guint index = 0; cf_json_iter_next(&iter, &key, &child.span); index++) {
        g_autofree char *text = object ? cf_json_string(key) : NULL;
        g_autofree char *name =
            object ? member_name(text ? text : "", top) : g_strdup_printf("%u", index);

        child.secret = object && is_secret && is_secret(text ? text : "");
        if (object && g_hash_table_lookup(last, name) != child.span.text)
            continue;
        if (!walk(name, &child, index, data))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    const char *name;
    CfRaw *found;
    gboolean ok;
} Search;

static gboolean
search_walk(const char *name, const CfRaw *raw, guint index, gpointer data)
{
    Search *search = data;

    if (strcmp(name, search->name) != 0)
        return TRUE;
    *search->found = *raw;
    search->ok = TRUE;
    return FALSE;
}

gboolean
cf_raw_member(const CfSubject *subject, const CfRaw *raw, const char *name, CfRaw *ret_raw)
{
    Search search = {.name = name, .found = ret_raw};

    if (cf_raw_is_dir(raw))
        cf_raw_walk(subject, raw, search_walk, &search);
    return search.ok;
}

guint
cf_raw_number(CfTree *tree, guint parent, const char *name, gboolean add)
{
    g_autofree char *key = g_strdup_printf("%u/%s", parent, name);
    guint number;

    g_mutex_lock(&tree->lock);
    number = GPOINTER_TO_UINT(g_hash_table_lookup(tree->raw_numbers, key));
    if (!number && add && tree->raw_paths->len + 1 < CF_RAW_REFRESH) {
        CfRawPath *path = g_new(CfRawPath, 1);

        *path = (CfRawPath){parent, g_strdup(name)};
        g_ptr_array_add(tree->raw_paths, path);
        number = tree->raw_paths->len;
        g_hash_table_insert(tree->raw_numbers, g_steal_pointer(&key), GUINT_TO_POINTER(number));
    }
    g_mutex_unlock(&tree->lock);
    return number;
}

gboolean
cf_raw_find(CfTree *tree, const CfSubject *subject, guint path, CfRaw *ret_raw)
{
    CfRaw raw = raw_root(subject);
    CfRaw parent;
    const CfRawPath *part = NULL;

    if (path > 0) {
        g_mutex_lock(&tree->lock);
        if (path <= tree->raw_paths->len)
            part = tree->raw_paths->pdata[path - 1]; /* never freed while the tree lives */
        g_mutex_unlock(&tree->lock);
        if (!part || !cf_raw_find(tree, subject, part->parent, &parent) ||
            !cf_raw_member(subject, &parent, part->name, &raw))
            return FALSE;
    }
    *ret_raw = raw;
    return TRUE;
}
