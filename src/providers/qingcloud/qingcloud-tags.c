/* Tags as a set of names, on a cloud that attaches and detaches them by id, one pair of tag and
 * resource each:
 *
 *     (show) -> DescribeTags, page by page -> CreateTag … -> AttachTags … -> DetachTags …
 *
 * Each step is left out where it is not needed. */
#include "providers/qingcloud/private.h"

#include <string.h>

#define TAGS_PAGE 100
#define PAIRS_MAX 50 /* in one call; no limit is documented */

struct _CfQingcloudTagging {
    GPtrArray *add, *remove; /* (element-type utf8): names; those that are done are left out */
    GHashTable *ids;         /* name → id */
    guint offset;            /* of the page of tags that is asked for */
    const char *creating;    /* (nullable): in add */
    gboolean looked;         /* the names were looked up */
    guint sent;              /* pairs in the call that is under way */
};

void
cf_qingcloud_tagging_free(CfQingcloudTagging *tagging)
{
    if (!tagging)
        return;
    g_ptr_array_unref(tagging->add);
    g_ptr_array_unref(tagging->remove);
    g_hash_table_unref(tagging->ids);
    g_free(tagging);
}

static CfQingcloudTagging *
tagging_new(void)
{
    CfQingcloudTagging *tagging = g_new0(CfQingcloudTagging, 1);

    tagging->add = g_ptr_array_new_with_free_func(g_free);
    tagging->remove = g_ptr_array_new_with_free_func(g_free);
    tagging->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return tagging;
}

static void next_step(CfQingcloudCall *call, const CfQingcloudAnswer *answer);

/* --- the difference --------------------------------------------------------------------------- */

static gboolean
is_in(char **tags, const char *name)
{
    return tags && g_strv_contains((const char *const *) tags, name);
}

/* Only of what is new: what is there already the cloud once took. */
static gboolean
check_name(const char *name, GError **error)
{
    g_autofree char *stripped = g_strstrip(g_strdup(name));

    if (!g_utf8_validate(name, -1, NULL) || !*stripped || strcmp(stripped, name) != 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "‘%.64s’ is no tag here: blanks around it, or no UTF-8", name);
        return FALSE;
    }
    if (g_utf8_strlen(name, -1) > CF_QINGCLOUD_TAG_MAX) {
        g_set_error(error, CF_ERROR, CF_ERROR_NAME_TOO_LONG,
                    "‘%.64s’ is too long: a tag has at most %d characters", name,
                    CF_QINGCLOUD_TAG_MAX);
        return FALSE;
    }
    return TRUE;
}

static gboolean
take_difference(CfQingcloudTagging *tagging, char **wanted, char **before, GError **error)
{
    for (guint i = 0; wanted && wanted[i]; i++) {
        if (is_in(before, wanted[i]))
            continue;
        if (!check_name(wanted[i], error))
            return FALSE;
        g_ptr_array_add(tagging->add, g_strdup(wanted[i]));
    }
    for (guint i = 0; before && before[i]; i++)
        if (!is_in(wanted, before[i]))
            g_ptr_array_add(tagging->remove, g_strdup(before[i]));
    return TRUE;
}

/* The names on the record, and their ids. */
static char **
read_present(CfQingcloudTagging *tagging, CfJsonSpan record)
{
    GPtrArray *names = g_ptr_array_new();
    CfJsonSpan tags, item;
    CfJsonIter iter;

    if (cf_json_get(record, "tags", FALSE, &tags) && cf_json_kind(tags) == CF_JSON_ARRAY) {
        cf_json_iter_init(&iter, tags);
        while (cf_json_iter_next(&iter, NULL, &item)) {
            char *name = cf_qingcloud_get_text(item, "tag_name");
            char *id = cf_qingcloud_get_text(item, "tag_id");

            if (name && id)
                g_hash_table_replace(tagging->ids, g_strdup(name), id);
            else
                g_free(id);
            if (name)
                g_ptr_array_add(names, name);
        }
    }
    g_ptr_array_add(names, NULL);
    return (char **) g_ptr_array_free(names, FALSE);
}

static void
on_present(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    const CfAction *action = call->todo;
    g_autoptr(GError) wrong = NULL;
    g_auto(GStrv) present = NULL;
    CfJsonSpan record;

    if (error ||
        !cf_qingcloud_find_one(answer, action->collection, action->ids[0], &record, &wrong)) {
        cf_qingcloud_refuse(call, error ? error : wrong);
        return;
    }
    present = read_present(call->tagging, record);
    if (take_difference(call->tagging, action->tags, present, &wrong))
        next_step(call, answer);
    else
        cf_qingcloud_refuse(call, wrong);
}

/* --- names to ids ----------------------------------------------------------------------------- */

static guint
count_unknown(const CfQingcloudTagging *tagging, const GPtrArray *names, const char **ret_one)
{
    guint n = 0;

    for (guint i = 0; i < names->len; i++) {
        if (!g_hash_table_contains(tagging->ids, names->pdata[i])) {
            *ret_one = names->pdata[i];
            n++;
        }
    }
    return n;
}

static void
note_tags(CfQingcloudTagging *tagging, const GArray *tags)
{
    for (guint i = 0; i < tags->len; i++) {
        char *name = cf_qingcloud_get_text(g_array_index(tags, CfJsonSpan, i), "tag_name");
        char *id = cf_qingcloud_get_text(g_array_index(tags, CfJsonSpan, i), "tag_id");

        if (name && id && !g_hash_table_contains(tagging->ids, name)) {
            g_hash_table_insert(tagging->ids, name, id);
        } else {
            g_free(name);
            g_free(id);
        }
    }
}

/* word: (nullable): only tags with it in their names. */
static void
ask_for_tags(CfQingcloudCall *call, const char *word, CfQingcloudDone done)
{
    cf_qingcloud_call_begin(call, CF_HTTP_READ, "DescribeTags");
    if (word)
        cf_qingcloud_call_add(call, "search_word", word);
    cf_qingcloud_call_add_number(call, "offset", call->tagging->offset);
    cf_qingcloud_call_add_number(call, "limit", TAGS_PAGE);
    call->done = done;
    cf_qingcloud_call_send(call);
}

/* Takes a page. ret_more: whether there may be another one. */
static gboolean
read_tags(CfQingcloudCall *call, const CfQingcloudAnswer *answer, gboolean *ret_more,
          GError **error)
{
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(CfJsonSpan));
    CfQingcloudTagging *tagging = call->tagging;
    gint64 total;

    if (!cf_qingcloud_read_set(answer, "tag_set", tags, &total, error))
        return FALSE;
    note_tags(tagging, tags);
    tagging->offset += tags->len;
    *ret_more = tags->len > 0 && (total < 0 ? tags->len == TAGS_PAGE : total > tagging->offset);
    return TRUE;
}

static void
on_tags(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    CfQingcloudTagging *tagging = call->tagging;
    g_autoptr(GError) wrong = NULL;
    const char *one = NULL;
    gboolean more = FALSE;
    guint unknown;

    if (error || !read_tags(call, answer, &more, &wrong)) {
        cf_qingcloud_refuse(call, error ? error : wrong);
        return;
    }
    unknown = count_unknown(tagging, tagging->add, &one);
    unknown += count_unknown(tagging, tagging->remove, &one);
    if (unknown > 0 && more) {
        ask_for_tags(call, call->searches ? one : NULL, on_tags);
        return;
    }
    next_step(call, answer);
}

/* Returns: FALSE when all are known. A single one is searched for: an account may have very many
 * tags. */
static gboolean
look_names_up(CfQingcloudCall *call)
{
    CfQingcloudTagging *tagging = call->tagging;
    const char *one = NULL;
    guint unknown = count_unknown(tagging, tagging->add, &one);

    unknown += count_unknown(tagging, tagging->remove, &one);
    if (unknown == 0)
        return FALSE;
    call->searches = unknown == 1;
    ask_for_tags(call, call->searches ? one : NULL, on_tags);
    return TRUE;
}

/* --- tags that there are none of yet ---------------------------------------------------------- */

static void
on_found(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    CfQingcloudTagging *tagging = call->tagging;
    g_autoptr(GError) wrong = NULL;
    gboolean more = FALSE;

    if (error || !read_tags(call, answer, &more, &wrong)) {
        cf_qingcloud_refuse(call, error ? error : wrong);
        return;
    }
    if (!g_hash_table_contains(tagging->ids, tagging->creating)) {
        if (more) {
            ask_for_tags(call, tagging->creating, on_found);
            return;
        }
        g_set_error(&wrong, CF_ERROR, CF_ERROR_EXISTS,
                    "the tag ‘%s’ exists, but is not shown to this account", tagging->creating);
        cf_qingcloud_refuse(call, wrong);
        return;
    }
    next_step(call, answer);
}

static void
on_created(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    CfQingcloudTagging *tagging = call->tagging;
    g_autoptr(GError) wrong = NULL;
    char *id;

    if (error && error->code == CF_ERROR_EXISTS) {
        tagging->offset = 0; /* somebody else was quicker */
        ask_for_tags(call, tagging->creating, on_found);
        return;
    }
    if (error) {
        cf_qingcloud_refuse(call, error);
        return;
    }
    id = cf_qingcloud_get_text(answer->whole, "tag_id");
    if (!id) {
        g_set_error(&wrong, CF_ERROR, CF_ERROR_PROTOCOL, "tag_id: missing or of no use");
        cf_qingcloud_refuse(call, wrong);
        return;
    }
    g_hash_table_replace(tagging->ids, g_strdup(tagging->creating), id);
    next_step(call, answer);
}

static gboolean
create_missing(CfQingcloudCall *call)
{
    CfQingcloudTagging *tagging = call->tagging;

    if (count_unknown(tagging, tagging->add, &tagging->creating) == 0)
        return FALSE;
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, "CreateTag");
    cf_qingcloud_call_add(call, "tag_name", tagging->creating);
    call->done = on_created;
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- attaching, detaching --------------------------------------------------------------------- */

static void
add_pair(CfQingcloudCall *call, guint n, const char *tag_id)
{
    static const char *const types[] = {[CF_SERVERS] = "instance", [CF_IMAGES] = "image"};
    const CfAction *action = call->todo;
    const struct {
        const char *key, *value;
    } members[] = {
        {"tag_id", tag_id},
        {"resource_type", types[action->collection]},
        {"resource_id", action->ids[0]},
    };

    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *name = g_strdup_printf("resource_tag_pairs.%u.%s", n, members[i].key);

        cf_qingcloud_call_add(call, name, members[i].value);
    }
}

/* Their table of what can be tagged lacks images, though images have tags. */
static GError *
explain(const CfQingcloudCall *call, const GError *error)
{
    GError *explained = NULL;

    if (call->todo->collection != CF_IMAGES ||
        (error->code != CF_ERROR_INVALID && error->code != CF_ERROR_DENIED &&
         error->code != CF_ERROR_UNSUPPORTED))
        return g_error_copy(error);
    cf_error_set_cloud(&explained, CF_ERROR_UNSUPPORTED, cf_error_get_cloud(error),
                       "this cloud does not take tags of images: %s", error->message);
    return explained;
}

static void
on_attached(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    CfQingcloudTagging *tagging = call->tagging;

    if (error) {
        g_autoptr(GError) explained = explain(call, error);

        cf_qingcloud_refuse(call, explained);
        return;
    }
    g_ptr_array_remove_range(tagging->add, 0, tagging->sent);
    next_step(call, answer);
}

static void
on_detached(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    CfQingcloudTagging *tagging = call->tagging;

    if (error) {
        g_autoptr(GError) explained = explain(call, error);

        cf_qingcloud_refuse(call, explained);
        return;
    }
    g_ptr_array_remove_range(tagging->remove, 0, tagging->sent);
    next_step(call, answer);
}

static gboolean
send_pairs(CfQingcloudCall *call, const GPtrArray *names, const char *action, CfQingcloudDone done)
{
    CfQingcloudTagging *tagging = call->tagging;

    if (names->len == 0)
        return FALSE;
    tagging->sent = MIN(names->len, PAIRS_MAX);
    cf_qingcloud_call_begin(call, CF_HTTP_CHANGE, action);
    call->flags |= CF_QINGCLOUD_OF_RESOURCE;
    for (guint i = 0; i < tagging->sent; i++)
        add_pair(call, i + 1, g_hash_table_lookup(tagging->ids, names->pdata[i]));
    call->done = done;
    cf_qingcloud_call_send(call);
    return TRUE;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* A tag that is nowhere any more is on nothing. */
static void
forget_gone(CfQingcloudTagging *tagging)
{
    for (guint i = 0; i < tagging->remove->len;) {
        if (g_hash_table_contains(tagging->ids, tagging->remove->pdata[i]))
            i++;
        else
            g_ptr_array_remove_index(tagging->remove, i);
    }
}

/* What is left to do, when the names were looked up. */
static void
next_step(CfQingcloudCall *call, const CfQingcloudAnswer *answer)
{
    CfQingcloudTagging *tagging = call->tagging;

    if (!tagging->looked) {
        tagging->looked = TRUE;
        if (look_names_up(call))
            return;
    }
    forget_gone(tagging);
    if (create_missing(call) || send_pairs(call, tagging->add, "AttachTags", on_attached) ||
        send_pairs(call, tagging->remove, "DetachTags", on_detached))
        return;
    cf_qingcloud_accept(call, answer);
}

static void
on_begun(CfQingcloudCall *call, const CfQingcloudAnswer *answer, const GError *error)
{
    next_step(call, answer);
}

gboolean
cf_qingcloud_set_tags(CfQingcloudCall *call, GError **error)
{
    const CfAction *action = call->todo;

    call->tagging = tagging_new();
    if (action->tags_before) {
        if (!take_difference(call->tagging, action->tags, action->tags_before, error))
            return FALSE;
        call->done = on_begun;
        cf_qingcloud_call_skip(call, NULL);
        return TRUE;
    }
    cf_qingcloud_ask_for(call, action->collection, action->ids[0]);
    call->done = on_present;
    cf_qingcloud_call_send(call);
    return TRUE;
}
