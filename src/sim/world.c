#include "sim/world.h"

#include <string.h>

typedef struct {
    gint64 at_us;
    char *changes; /* (nullable): the record goes */
} Step;

typedef struct {
    const char *id_key;
    GPtrArray *records; /* owns */
    GHashTable *by_id;  /* borrows keys and values from records */
    guint64 generation;
} Collection;

struct _CfSimWorld {
    Collection collections[CF_SIM_KIND_N];
    GSequence *waiting; /* records with steps, the earliest first */
    gint64 offset_us;   /* what the clock was advanced by */
    gint64 frozen_us;   /* where the clock stands; -1: it goes */
    guint64 revisions;  /* given so far */
    void (*changed)(gpointer data, CfSimRecord *record); /* (nullable) */
    gpointer changed_data;
};

static void
step_free(gpointer data)
{
    Step *step = data;

    g_free(step->changes);
    g_free(step);
}

static void
record_free(gpointer data)
{
    CfSimRecord *record = data;

    g_free(record->id);
    g_free(record->text);
    g_free(record->digest);
    if (record->tags)
        g_ptr_array_unref(record->tags);
    if (record->steps)
        g_queue_free_full(record->steps, step_free);
    g_free(record);
}

CfSimWorld *
cf_sim_world_new(const char *const *ids)
{
    CfSimWorld *world = g_new0(CfSimWorld, 1);

    for (guint i = 0; i < CF_SIM_KIND_N; i++) {
        world->collections[i].id_key = ids[i];
        world->collections[i].records = g_ptr_array_new_with_free_func(record_free);
        world->collections[i].by_id = g_hash_table_new(g_str_hash, g_str_equal);
    }
    world->waiting = g_sequence_new(NULL);
    world->frozen_us = -1;
    return world;
}

void
cf_sim_world_free(CfSimWorld *world)
{
    if (!world)
        return;
    g_sequence_free(world->waiting);
    for (guint i = 0; i < CF_SIM_KIND_N; i++) {
        g_hash_table_unref(world->collections[i].by_id);
        g_ptr_array_unref(world->collections[i].records);
    }
    g_free(world);
}

const char *
cf_sim_world_id_key(const CfSimWorld *world, CfSimKind kind)
{
    return world->collections[kind].id_key;
}

gint64
cf_sim_world_now_us(CfSimWorld *world)
{
    gint64 base = world->frozen_us >= 0 ? world->frozen_us : g_get_monotonic_time();

    return base + world->offset_us;
}

void
cf_sim_world_advance(CfSimWorld *world, gint64 ms)
{
    world->offset_us += ms * 1000;
}

void
cf_sim_world_freeze(CfSimWorld *world, gboolean frozen)
{
    gint64 now = g_get_monotonic_time();

    if (frozen && world->frozen_us < 0) {
        world->frozen_us = now;
    } else if (!frozen && world->frozen_us >= 0) {
        world->offset_us -= now - world->frozen_us; /* the clock goes on from where it stood */
        world->frozen_us = -1;
    }
}

char *
cf_sim_world_date(CfSimWorld *world, const char *format)
{
    return cf_sim_world_date_after(world, 0, format);
}

char *
cf_sim_world_date_after(CfSimWorld *world, guint ms, const char *format)
{
    gint64 real_us = g_get_real_time() + cf_sim_world_now_us(world) - g_get_monotonic_time() +
                     (gint64) ms * 1000;
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(real_us / G_USEC_PER_SEC);

    return date ? g_date_time_format(date, format) : NULL;
}

static gint
compare_due(gconstpointer a, gconstpointer b, gpointer data)
{
    const Step *first = g_queue_peek_head(((const CfSimRecord *) a)->steps);
    const Step *second = g_queue_peek_head(((const CfSimRecord *) b)->steps);

    return (first->at_us > second->at_us) - (first->at_us < second->at_us);
}

void
cf_sim_world_set_changed(CfSimWorld *world, void (*changed)(gpointer data, CfSimRecord *record),
                         gpointer data)
{
    world->changed = changed;
    world->changed_data = data;
}

void
cf_sim_world_settle(CfSimWorld *world)
{
    gint64 now = cf_sim_world_now_us(world);

    while (!g_sequence_is_empty(world->waiting)) {
        CfSimRecord *record = g_sequence_get(g_sequence_get_begin_iter(world->waiting));
        Step *step = g_queue_peek_head(record->steps);

        if (step->at_us > now)
            return;
        g_sequence_remove(g_steal_pointer(&record->due));
        g_queue_pop_head(record->steps);
        if (!step->changes) {
            step_free(step);
            cf_sim_world_remove(world, record);
            continue;
        }
        cf_sim_world_merge(world, record, step->changes);
        step_free(step);
        if (world->changed)
            world->changed(world->changed_data, record);
        if (!g_queue_is_empty(record->steps))
            record->due = g_sequence_insert_sorted(world->waiting, record, compare_due, NULL);
    }
}

CfSimRecord *
cf_sim_world_add(CfSimWorld *world, CfSimKind kind, char *text, GError **error)
{
    Collection *collection = &world->collections[kind];
    g_autofree char *owned = text;
    g_autofree char *id = cf_sim_raw_get_string(cf_sim_span(text), collection->id_key);
    CfSimRecord *record;

    if (!id || !*id) {
        g_set_error(error, CF_ERROR, CF_ERROR_INVALID, "a record needs a string %s",
                    collection->id_key);
        return NULL;
    }
    if (g_hash_table_contains(collection->by_id, id)) {
        g_set_error(error, CF_ERROR, CF_ERROR_EXISTS, "a record with that id exists");
        return NULL;
    }
    record = g_new0(CfSimRecord, 1);
    record->kind = kind;
    record->id = g_steal_pointer(&id);
    record->text = g_steal_pointer(&owned);
    record->revision = ++world->revisions;
    g_ptr_array_add(collection->records, record);
    g_hash_table_insert(collection->by_id, record->id, record);
    collection->generation++;
    return record;
}

CfSimRecord *
cf_sim_world_find(CfSimWorld *world, CfSimKind kind, const char *id)
{
    return g_hash_table_lookup(world->collections[kind].by_id, id);
}

void
cf_sim_world_remove(CfSimWorld *world, CfSimRecord *record)
{
    Collection *collection = &world->collections[record->kind];

    cf_sim_world_unplan(world, record);
    g_hash_table_remove(collection->by_id, record->id);
    collection->generation++;
    g_ptr_array_remove(collection->records, record);
}

const GPtrArray *
cf_sim_world_list(CfSimWorld *world, CfSimKind kind)
{
    return world->collections[kind].records;
}

guint64
cf_sim_world_generation(CfSimWorld *world, CfSimKind kind)
{
    return world->collections[kind].generation;
}

void
cf_sim_world_rewrite(CfSimWorld *world, CfSimRecord *record, char *text)
{
    g_free(record->text);
    record->text = text;
    record->revision = ++world->revisions;
    world->collections[record->kind].generation++;
}

void
cf_sim_world_merge(CfSimWorld *world, CfSimRecord *record, const char *changes)
{
    cf_sim_world_rewrite(world, record, cf_sim_raw_merge(record->text, cf_sim_span(changes)));
}

void
cf_sim_world_plan(CfSimWorld *world, CfSimRecord *record, guint delay_ms, const char *changes)
{
    Step *step = g_new0(Step, 1);
    const Step *last;

    if (!record->steps)
        record->steps = g_queue_new();
    last = g_queue_peek_tail(record->steps);
    step->at_us = (last ? last->at_us : cf_sim_world_now_us(world)) + (gint64) delay_ms * 1000;
    step->changes = g_strdup(changes);
    g_queue_push_tail(record->steps, step);
    if (!record->due)
        record->due = g_sequence_insert_sorted(world->waiting, record, compare_due, NULL);
}

void
cf_sim_world_unplan(CfSimWorld *world, CfSimRecord *record)
{
    if (record->due)
        g_sequence_remove(g_steal_pointer(&record->due));
    if (record->steps)
        g_queue_free_full(g_steal_pointer(&record->steps), step_free);
}

CfSimSpan
cf_sim_record_span(const CfSimRecord *record)
{
    return cf_sim_span(record->text);
}

guint64
cf_sim_random(guint64 *state)
{
    guint64 z = (*state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)); /* splitmix64 */

    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

guint64
cf_sim_mix(guint64 seed, guint64 index)
{
    guint64 state = seed;

    state = cf_sim_random(&state) ^ (index * G_GUINT64_CONSTANT(0xd1342543de82ef95));
    return cf_sim_random(&state);
}
