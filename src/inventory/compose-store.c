#include "inventory/compose-store.h"

#include "util/log.h"

typedef struct {
    enum { TASK_SAVE, TASK_LOAD, TASK_COUNT, TASK_END } kind;
    GPtrArray *entries; /* SAVE: what is to be written; LOAD: what was taken over */
    CfDoneCallback saved;
    CfComposeLoaded loaded;
    gpointer data;
    guint others;
    GError *error;
} Task;

struct _CfComposeStore {
    CfHttp *http;
    CfComposeFile *file; /* the thread's, while there is one */
    GThread *thread;     /* (nullable): started with the first task */
    GMutex lock;         /* protects tasks; a leaf */
    GCond more;
    GQueue tasks; /* (element-type Task) */
};

static void
task_free(Task *task)
{
    if (task->entries)
        g_ptr_array_unref(task->entries);
    g_clear_error(&task->error);
    g_free(task);
}

/* --- the store's thread ----------------------------------------------------------------------- */

static gboolean
answer(gpointer data)
{
    Task *task = data;

    if (task->kind == TASK_SAVE && task->saved)
        task->saved(task->error, task->data);
    else if (task->kind == TASK_SAVE && task->error)
        cf_warning("%s", task->error->message);
    else if (task->kind == TASK_LOAD || task->kind == TASK_COUNT)
        task->loaded(g_steal_pointer(&task->entries), task->others, task->error, task->data);
    task_free(task);
    return G_SOURCE_REMOVE;
}

/* Returns: (nullable). */
static Task *
try_pop(CfComposeStore *store)
{
    Task *task;

    g_mutex_lock(&store->lock);
    task = g_queue_pop_head(&store->tasks);
    g_mutex_unlock(&store->lock);
    return task;
}

static Task *
pop(CfComposeStore *store)
{
    Task *task;

    g_mutex_lock(&store->lock);
    while (!(task = g_queue_pop_head(&store->tasks)))
        g_cond_wait(&store->more, &store->lock);
    g_mutex_unlock(&store->lock);
    return task;
}

/* Writes the last one, for it and all that wait before it. Returns: (nullable): the task that
 * followed and is no saving. */
static Task *
save(CfComposeStore *store, Task *task)
{
    g_autoptr(GPtrArray) same = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    Task *next;

    g_ptr_array_add(same, task);
    while ((next = try_pop(store)) && next->kind == TASK_SAVE)
        g_ptr_array_add(same, next);
    task = same->pdata[same->len - 1];
    cf_compose_file_save(store->file, task->entries, &error);
    for (guint i = 0; i < same->len; i++) {
        Task *one = same->pdata[i];

        one->error = error ? g_error_copy(error) : NULL;
        cf_http_invoke(store->http, answer, one);
    }
    return next;
}

static gpointer
store_main(gpointer data)
{
    CfComposeStore *store = data;
    Task *task = pop(store);

    while (task->kind != TASK_END) {
        Task *next = NULL;

        if (task->kind == TASK_SAVE) {
            next = save(store, task);
        } else {
            if (task->kind == TASK_LOAD)
                task->entries = cf_compose_file_load(store->file, &task->others, &task->error);
            else
                task->others = cf_compose_file_count(store->file);
            cf_http_invoke(store->http, answer, task);
        }
        task = next ? next : pop(store);
    }
    task_free(task);
    return NULL;
}

/* --- the engine's ----------------------------------------------------------------------------- */

static void
push(CfComposeStore *store, Task *task)
{
    g_mutex_lock(&store->lock);
    g_queue_push_tail(&store->tasks, task);
    g_cond_signal(&store->more);
    g_mutex_unlock(&store->lock);
    if (!store->thread)
        store->thread = g_thread_new("cf-state", store_main, store);
}

CfComposeStore *
cf_compose_store_new(CfHttp *http, CfComposeFile *file)
{
    CfComposeStore *store = g_new0(CfComposeStore, 1);

    store->http = http;
    store->file = file;
    g_mutex_init(&store->lock);
    g_cond_init(&store->more);
    g_queue_init(&store->tasks);
    return store;
}

void
cf_compose_store_end(CfComposeStore *store)
{
    Task *task;

    if (!store || !store->thread)
        return;
    task = g_new0(Task, 1);
    task->kind = TASK_END;
    push(store, task);
    g_thread_join(g_steal_pointer(&store->thread));
}

void
cf_compose_store_free(CfComposeStore *store)
{
    if (!store)
        return;
    cf_compose_store_end(store);
    g_cond_clear(&store->more);
    g_mutex_clear(&store->lock);
    cf_compose_file_free(store->file);
    g_free(store);
}

void
cf_compose_store_save(CfComposeStore *store, GPtrArray *entries, CfDoneCallback callback,
                      gpointer data)
{
    Task *task = g_new0(Task, 1);

    task->kind = TASK_SAVE;
    task->entries = entries;
    task->saved = callback;
    task->data = data;
    push(store, task);
}

void
cf_compose_store_load(CfComposeStore *store, gboolean take, CfComposeLoaded callback, gpointer data)
{
    Task *task = g_new0(Task, 1);

    task->kind = take ? TASK_LOAD : TASK_COUNT;
    task->loaded = callback;
    task->data = data;
    push(store, task);
}
