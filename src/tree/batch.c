/* Batches: lines that name many servers, read as a whole and resolved before the first call.
 * Contract section 5.
 *
 * Nothing is guessed: a WRITE that does not end in a newline may be the first half of something, a
 * target that names a view or nothing is a mistake, and so the whole WRITE is refused. */
#include <fnmatch.h>
#include <string.h>

#include "inventory/batch.h"
#include "tree/private.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/text.h"

#define WRITE_MAX (128 * 1024)

gboolean
cf_batch_takes(const CfNode *node)
{
    return node->kind == CF_KIND_STATIC &&
           (node->sub == CF_STATIC_BATCH_POWER || node->sub == CF_STATIC_BATCH_PLAN ||
            node->sub == CF_STATIC_BATCH_DELETE);
}

/* ---- the text ---- */

typedef struct {
    guint number; /* of the line, for messages */
    CfVerb verb;
    GPtrArray *targets; /* (element-type utf8), as they were written, without backslashes */
} Line;

typedef struct {
    GPtrArray *lines; /* (element-type Line) */
    gint64 expect;    /* -1: no such line */
} Script;

static void
line_free(gpointer data)
{
    Line *line = data;

    g_ptr_array_unref(line->targets);
    g_free(line);
}

static void
script_clear(Script *script)
{
    g_clear_pointer(&script->lines, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Script, script_clear)

static gboolean G_GNUC_PRINTF(3, 4) fail_line(GError **error, guint number, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "line %u: %s", number, text);
    return FALSE;
}

/* Words between white space; a backslash takes the next character as it is. A backslash before a
 * character that means something in a glob stays, for fnmatch(). Returns: (transfer full). */
static GPtrArray *
split_words(const char *text)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    GString *word = NULL;

    for (const char *p = text;; p++) {
        if (*p == '\0' || g_ascii_isspace(*p)) {
            if (word)
                g_ptr_array_add(words, g_string_free(g_steal_pointer(&word), FALSE));
            if (*p == '\0')
                return words;
            continue;
        }
        if (!word)
            word = g_string_new(NULL);
        if (*p == '\\' && p[1]) {
            p++;
            if (strchr("*?[]\\", *p))
                g_string_append_c(word, '\\');
        }
        g_string_append_c(word, *p);
    }
}

static gboolean
take_expect(Script *script, GPtrArray *words, guint number, GError **error)
{
    guint64 value;

    if (script->expect >= 0 || script->lines->len > 0)
        return fail_line(error, number, "expect belongs on the first line");
    if (words->len != 2 ||
        !g_ascii_string_to_unsigned(words->pdata[1], 10, 0, G_MAXUINT, &value, NULL))
        return fail_line(error, number, "expect takes one number");
    script->expect = (gint64) value;
    return TRUE;
}

/* "off hard web-1": the verb may have two words. Returns: how many; 0: it is none. */
static guint
take_verb(GPtrArray *words, guint offered, CfVerb *ret_verb, GError **error)
{
    const char *first = words->pdata[0];

    if (words->len > 1 && strcmp(words->pdata[1], "hard") == 0) {
        g_autofree char *both = g_strconcat(first, " hard", NULL);

        if (cf_verb_from_string(both, offered, ret_verb, NULL))
            return 2;
    }
    return cf_verb_from_string(first, offered, ret_verb, error) ? 1 : 0;
}

static gboolean
parse_line(Script *script, const char *text, guint number, guint offered, GError **error)
{
    g_autoptr(GPtrArray) words = split_words(text);
    g_autoptr(GError) wrong = NULL;
    Line *line;
    guint verb_words = 0;
    CfVerb verb = CF_VERB_N;

    if (words->len == 0)
        return TRUE;
    if (strcmp(words->pdata[0], "expect") == 0)
        return take_expect(script, words, number, error);
    if (offered) {
        verb_words = take_verb(words, offered, &verb, &wrong);
        if (!verb_words) {
            fail_line(error, number, "%s", wrong->message);
            if (error && *error)
                (*error)->code = wrong->code;
            return FALSE;
        }
    } else if (words->len > 1) {
        return fail_line(error, number, "one id a line");
    }
    if (words->len == verb_words)
        return fail_line(error, number, "a target is missing");
    line = g_new0(Line, 1);
    line->number = number;
    line->verb = verb;
    line->targets = g_ptr_array_new_with_free_func(g_free);
    for (guint i = verb_words; i < words->len; i++)
        g_ptr_array_add(line->targets, g_strdup(words->pdata[i]));
    g_ptr_array_add(script->lines, line);
    return TRUE;
}

/* offered: bits 1 << CfVerb; 0: lines have no verb. */
static gboolean
parse(Script *script, const char *text, guint offered, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    script->lines = g_ptr_array_new_with_free_func(line_free);
    script->expect = -1;
    for (guint i = 0; lines[i]; i++)
        if (!parse_line(script, lines[i], i + 1, offered, error))
            return FALSE;
    if (script->lines->len == 0) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "there is no line with a target");
        return FALSE;
    }
    return TRUE;
}

/* ---- whom it means ---- */

typedef struct {
    CfTreeProfile *profile;
    CfSnapshot *snapshot;
    CfCollection collection;
    gboolean power;
    CfBatch *batch;
    GHashTable *verbs; /* handle → verb + 1 */
    const Line *line;
    const char *target; /* as it was written */
} Resolver;

static gboolean
add_resource(Resolver *resolver, const CfResource *resource, GError **error)
{
    gpointer key = GUINT_TO_POINTER(resource->handle + 1);
    guint verb = GPOINTER_TO_UINT(g_hash_table_lookup(resolver->verbs, key));

    if (verb == resolver->line->verb + 1)
        return TRUE;
    if (verb)
        return fail_line(error, resolver->line->number, "‘%s’ is given two verbs",
                         cf_record_get_id(resource->record));
    g_hash_table_insert(resolver->verbs, key, GUINT_TO_POINTER(resolver->line->verb + 1));
    cf_batch_add(resolver->batch, cf_record_get_id(resource->record), resolver->line->verb);
    return TRUE;
}

static gboolean
is_glob(const char *text)
{
    return strpbrk(text, "*?[\\") != NULL;
}

/* Recycled resources are in no glob. by_id: the names in by-id, else those of links. */
static gboolean
add_matches(Resolver *resolver, const GArray *slots, const char *glob, gboolean by_id,
            GError **error)
{
    CfSnapshot *snapshot = resolver->snapshot;
    guint n = slots ? slots->len : snapshot->n_slots;
    gboolean any = FALSE;

    for (guint i = 0; i < n; i++) {
        guint slot = slots ? g_array_index(slots, guint32, i) : i;
        CfResource *resource = snapshot->slots[slot];
        g_autofree char *id = NULL;
        const char *name;

        if (!resource || cf_resource_is_deleted(resource))
            continue;
        if (by_id)
            id = cf_id_encode(cf_record_get_id(resource->record));
        name = by_id ? id : cf_names_of(cf_names_get(snapshot), slot);
        if (glob && (!name || fnmatch(glob, name, FNM_PERIOD) != 0))
            continue;
        any = TRUE;
        if (!add_resource(resolver, resource, error))
            return FALSE;
    }
    return any ||
           fail_line(error, resolver->line->number, "‘%s’ matches nothing", resolver->target);
}

/* The members of one value of a view. Returns: (transfer none) (nullable). */
static const GArray *
members_of(Resolver *resolver, guint view, const char *value)
{
    CfTreeCollection *collection = &resolver->profile->collections[resolver->collection];
    GPtrArray *members = cf_view_index(resolver->profile, resolver->snapshot, view);
    guint number;

    g_mutex_lock(&resolver->profile->tree->lock);
    number = cf_intern(&collection->values[view], value, FALSE);
    g_mutex_unlock(&resolver->profile->tree->lock);
    return number > 0 && number <= members->len ? members->pdata[number - 1] : NULL;
}

static gboolean
fail_target(const Resolver *resolver, const char *what, GError **error)
{
    return fail_line(error, resolver->line->number, "‘%s’ %s", resolver->target, what);
}

static gboolean
resolve_name(Resolver *resolver, const char *name, GError **error)
{
    CfResource *resource = cf_snapshot_find_encoded(resolver->snapshot, name);

    if (!resource && !resolver->power)
        return fail_target(resolver, "is no id here", error);
    if (!resource && (strcmp(name, "by-id") == 0 || strcmp(name, ".") == 0 ||
                      strcmp(name, "..") == 0 || cf_view_find(resolver->collection, name) >= 0))
        return fail_target(resolver, "is not a server, and not one value of a view", error);
    if (!resource)
        resource = cf_names_find(resolver->snapshot, name);
    if (resource)
        return add_resource(resolver, resource, error);
    if (is_glob(name))
        return add_matches(resolver, NULL, name, FALSE, error);
    return fail_target(resolver, "is nobody's id, and the name of none or of several", error);
}

static gboolean
resolve_in_view(Resolver *resolver, guint view, const char *value, const char *member,
                GError **error)
{
    const GArray *slots;

    if (is_glob(value))
        return fail_target(resolver, "means several values of a view", error);
    slots = members_of(resolver, view, value);
    if (!slots)
        return fail_target(resolver, "matches nothing", error);
    return add_matches(resolver, slots, member, FALSE, error);
}

static gboolean
resolve_path(Resolver *resolver, char **parts, guint n, GError **error)
{
    int view = cf_view_find(resolver->collection, parts[0]);

    if (strcmp(parts[0], "by-id") == 0 && n == 2) {
        CfResource *resource = cf_snapshot_find_encoded(resolver->snapshot, parts[1]);

        return resource ? add_resource(resolver, resource, error)
                        : add_matches(resolver, NULL, parts[1], TRUE, error);
    }
    if (view >= 0 && cf_view_is_flat((guint) view) && n == 2)
        return add_matches(resolver, NULL, parts[1], FALSE, error);
    if (view >= 0 && !cf_view_is_flat((guint) view) && n <= 3)
        return resolve_in_view(resolver, (guint) view, parts[1], n == 3 ? parts[2] : NULL, error);
    return fail_target(resolver, "is not a path to a server, or to one value of a view", error);
}

static gboolean
resolve_target(Resolver *resolver, const char *target, GError **error)
{
    g_auto(GStrv) split = g_strsplit(target, "/", -1);
    g_autoptr(GPtrArray) parts = g_ptr_array_new();

    resolver->target = target;
    if (target[0] == '/')
        return fail_target(resolver, "begins with a slash; paths begin below servers/", error);
    for (guint i = 0; split[i]; i++)
        if (*split[i] && strcmp(split[i], ".") != 0)
            g_ptr_array_add(parts, split[i]);
    if (parts->len == 0 || (parts->len > 1 && !resolver->power))
        return fail_target(resolver, "is not a server, and not one value of a view", error);
    if (parts->len == 1)
        return resolve_name(resolver, parts->pdata[0], error);
    return resolve_path(resolver, (char **) parts->pdata, parts->len, error);
}

static gboolean
check_count(const Resolver *resolver, const Script *script, GError **error)
{
    guint n = resolver->batch->targets->len;
    guint limit = cf_inventory_get_options(resolver->profile->inventory)->batch_limit;

    if (script->expect >= 0 && script->expect != n) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID,
                    "expected were %" G_GINT64_FORMAT ", it is %u", script->expect, n);
        return FALSE;
    }
    if (script->expect < 0 && n > limit) {
        g_set_error(error, CF_ERROR, CF_ERROR_TOO_BIG,
                    "%u are more than batch_limit (%u); a first line ‘expect %u’ says that it is "
                    "meant",
                    n, limit, n);
        return FALSE;
    }
    return TRUE;
}

static gboolean
resolve(Resolver *resolver, const Script *script, GError **error)
{
    for (guint i = 0; i < script->lines->len; i++) {
        resolver->line = script->lines->pdata[i];
        for (guint k = 0; k < resolver->line->targets->len; k++)
            if (!resolve_target(resolver, resolver->line->targets->pdata[k], error))
                return FALSE;
    }
    return check_count(resolver, script, error);
}

/* ---- the plan ---- */

static void
append_plan_line(GString *out, CfInventory *inventory, const CfBatch *batch,
                 const CfBatchTarget *target, const CfResource *resource)
{
    CfBatchWay way = cf_batch_way(inventory, batch, resource, target->verb);

    cf_text_append_tsv(out, target->id);
    g_string_append_c(out, '\t');
    cf_text_append_tsv(out, cf_record_get_name(resource->record));
    g_string_append_printf(out, "\t%s\t",
                           cf_state_to_string(cf_record_get_state(resource->record)));
    if (way == CF_BATCH_NOTHING)
        g_string_append(out, "nothing, it is so already\n");
    else
        g_string_append_printf(out, "%s, %s\n", cf_verb_to_string(target->verb),
                               way == CF_BATCH_MANY ? "in one call with others"
                                                    : "in a call of its own");
}

static void
keep_plan(CfTreeProfile *profile, const CfSnapshot *snapshot, const CfBatch *batch)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < batch->targets->len; i++) {
        const CfBatchTarget *target = &g_array_index(batch->targets, CfBatchTarget, i);

        append_plan_line(out, profile->inventory, batch, target,
                         cf_snapshot_find(snapshot, target->id));
    }
    g_mutex_lock(&profile->tree->lock);
    g_free(profile->plan);
    profile->plan = g_strdup(out->str);
    profile->plan_ns = MAX(cf_clock_real_ns(), profile->plan_ns + 1);
    g_mutex_unlock(&profile->tree->lock);
}

/* ---- one WRITE ---- */

typedef struct {
    CfTreeProfile *profile;
    CfNode node;
    CfActor actor; /* (owned) until it is handed on */
    char *text;
    Script script;
    CfDoneCallback callback;
    gpointer data;
} Writing;

static void
writing_free(Writing *writing)
{
    script_clear(&writing->script);
    g_free(writing->actor.command);
    g_free(writing->actor.path);
    g_free(writing->text);
    g_free(writing);
}

static CfBatch *
take_batch(Writing *writing)
{
    CfBatch *batch = cf_batch_new(writing->node.sub == CF_STATIC_BATCH_DELETE ? CF_ACTION_DELETE
                                                                              : CF_ACTION_POWER,
                                  writing->node.collection, &writing->actor);

    writing->actor.command = writing->actor.path = NULL;
    return batch;
}

/* batch: (transfer full). writing: (transfer full). */
static void
refuse(Writing *writing, CfBatch *batch, const GError *error)
{
    if (writing->node.sub == CF_STATIC_BATCH_PLAN) { /* a rehearsal leaves no trace */
        writing->callback(error, writing->data);
        cf_batch_free(batch);
    } else {
        cf_inventory_refuse_batch(writing->profile->inventory, batch, writing->text, error,
                                  writing->callback, writing->data);
    }
    writing_free(writing);
}

/* A listing that began after the WRITE arrived is there. */
static void
on_fresh(const GError *listing_error, gpointer data)
{
    Writing *writing = data;
    CfTreeProfile *profile = writing->profile;
    g_autoptr(CfSnapshot) snapshot =
        cf_inventory_ref_snapshot(profile->inventory, writing->node.collection);
    g_autoptr(GHashTable) verbs = g_hash_table_new(NULL, NULL);
    g_autoptr(GError) error = listing_error ? g_error_copy(listing_error) : NULL;
    CfBatch *batch = take_batch(writing);
    Resolver resolver = {.profile = profile,
                         .snapshot = snapshot,
                         .collection = writing->node.collection,
                         .power = writing->node.sub != CF_STATIC_BATCH_DELETE,
                         .batch = batch,
                         .verbs = verbs};

    if (!error && !snapshot)
        g_set_error(&error, CF_ERROR, CF_ERROR_TIMEOUT, "nothing was fetched yet");
    if (error || !resolve(&resolver, &writing->script, &error)) {
        refuse(writing, batch, error);
        return;
    }
    if (writing->node.sub == CF_STATIC_BATCH_PLAN) {
        keep_plan(profile, snapshot, batch);
        cf_batch_free(batch);
        writing->callback(NULL, writing->data);
    } else {
        cf_inventory_batch(profile->inventory, batch, writing->callback, writing->data);
    }
    writing_free(writing);
}

/* A further piece of a stream is taken only behind one that was: what follows a piece that was cut
 * begins in the middle of a line. */
static gboolean
continues(CfTreeProfile *profile, const CfWrite *write)
{
    gboolean ok;

    g_mutex_lock(&profile->tree->lock);
    ok = write->append || write->offset == 0 ||
         (profile->batch_pid == write->pid && profile->batch_end == write->offset);
    profile->batch_pid = 0;
    g_mutex_unlock(&profile->tree->lock);
    return ok;
}

static void
note_understood(CfTreeProfile *profile, const CfWrite *write)
{
    g_mutex_lock(&profile->tree->lock);
    profile->batch_pid = write->pid;
    profile->batch_end = write->offset + write->size;
    g_mutex_unlock(&profile->tree->lock);
}

static gboolean
check_write(CfTreeProfile *profile, const CfWrite *write, GError **error)
{
    if (!continues(profile, write))
        return cf_tree_fail(error, CF_ERROR_INVALID,
                            "this write continues one that was not understood");
    if (write->size > WRITE_MAX)
        return cf_tree_fail(error, CF_ERROR_TOO_BIG, "a batch has at most 128 KiB");
    if (memchr(write->data, 0, write->size))
        return cf_tree_fail(error, CF_ERROR_INVALID, "a batch holds no NUL bytes");
    if (write->size == 0 || write->data[write->size - 1] != '\n')
        return cf_tree_fail(error, CF_ERROR_INVALID,
                            "every write must end in a newline: this one may have been cut");
    return TRUE;
}

static void
note_written(CfTreeProfile *profile, const CfNode *node)
{
    gint64 *time = node->sub == CF_STATIC_BATCH_PLAN ? &profile->plan_ns
                                                     : &profile->batch_ns[node->collection];

    g_mutex_lock(&profile->tree->lock);
    *time = MAX(cf_clock_real_ns(), *time + 1);
    g_mutex_unlock(&profile->tree->lock);
}

static guint
offered_verbs(const CfTreeProfile *profile, const CfNode *node)
{
    return node->sub == CF_STATIC_BATCH_DELETE ? 0
                                               : cf_inventory_get_ops(profile->inventory)->verbs;
}

void
cf_batch_write(CfTreeProfile *profile, const CfNode *node, const CfWrite *write,
               CfDoneCallback callback, gpointer data)
{
    Writing *writing = g_new0(Writing, 1);
    g_autoptr(GError) error = NULL;

    writing->profile = profile;
    writing->node = *node;
    writing->actor = (CfActor){
        .uid = write->uid,
        .pid = write->pid,
        .command = cf_tree_command_of(write->pid),
        .path = g_strdup_printf("%s/%s/%s", profile->name, cf_collection_name(node->collection),
                                cf_static_row(node->sub)->name),
    };
    writing->text = g_strndup(write->data, MIN(write->size, WRITE_MAX));
    writing->callback = callback;
    writing->data = data;
    note_written(profile, node);
    if (!check_write(profile, write, &error) ||
        !parse(&writing->script, writing->text, offered_verbs(profile, node), &error)) {
        refuse(writing, take_batch(writing), error);
        return;
    }
    note_understood(profile, write);
    cf_inventory_refresh(profile->inventory, node->collection, on_fresh, writing);
}

/* ---- what the files show ---- */

static gboolean
is_allowed(CfInventory *inventory, const CfNode *node)
{
    const CfInventoryOptions *options = cf_inventory_get_options(inventory);
    guint can = cf_inventory_get_ops(inventory)->can[node->collection];
    gboolean power = node->collection == CF_SERVERS;

    if (!(can & CF_CAN(power ? CF_ACTION_POWER : CF_ACTION_DELETE)))
        return FALSE;
    return !options->ro && (power || options->allow_delete);
}

char *
cf_batch_text(CfTreeProfile *profile, const CfNode *node, gint64 *ret_mtime_ns)
{
    CfTree *tree = profile->tree;
    gint64 time_ns = 0;
    char *text = NULL;

    if (!is_allowed(profile->inventory, node))
        return NULL;
    if (node->sub == CF_STATIC_LAST_ERROR) {
        text = cf_inventory_dup_batch_error(profile->inventory, node->collection, &time_ns);
    } else {
        g_mutex_lock(&tree->lock);
        text = g_strdup(node->sub == CF_STATIC_BATCH_PLAN && profile->plan ? profile->plan : "");
        time_ns = node->sub == CF_STATIC_BATCH_PLAN ? profile->plan_ns
                                                    : profile->batch_ns[node->collection];
        g_mutex_unlock(&tree->lock);
    }
    *ret_mtime_ns = MAX(time_ns, tree->born_ns);
    return text;
}
