#include "fuse/notify.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "util/clock.h"
#include "util/log.h"

/* What the kernel does not know may be on its way: it has our answer to a LOOKUP, and the task that
 * asked has not run yet. Then it would keep what that answer said until the ttl is over. */
static const gint64 again_us[] = {50 * G_TIME_SPAN_MILLISECOND, G_TIME_SPAN_SECOND};

typedef struct {
    enum {
        ITEM_INODE,
        ITEM_PAGES, /* as INODE, also for a control file */
        ITEM_ENTRY,
        ITEM_DELETED,
        ITEM_BARRIER,
    } kind;
    guint tries;   /* that the kernel did not know it */
    gint64 due_us; /* of one that is to be told again; monotonic */
    CfIno ino;     /* of ENTRY and DELETED: the directory */
    union {
        struct {
            gint64 offset, length;
        } range;
        CfIno child;
        struct {
            void (*callback)(gpointer data);
            gpointer data;
        } barrier;
    };
    char name[]; /* of ENTRY and DELETED */
} Item;

/* One inode that somebody holds. */
typedef struct {
    CfIno ino; /* the key */
    guint holders;
    gboolean full; /* inodes: the full form is owed */
    GQueue aside;  /* directories: (element-type Item) (owned) */
} Held;

struct _CfNotifier {
    const CfNotifyOps *ops;
    gpointer kernel;
    GThread *thread; /* (nullable) */

    GMutex lock; /* protects all below; innermost, never held across a call out of this file */
    GCond changed;
    enum { STATE_NEW, STATE_RUNNING, STATE_STOPPING, STATE_ENDED } state;
    gboolean busy;                        /* an item is being delivered */
    CfIno busy_directory;                 /* that item is of an entry in it; else 0 */
    GQueue queue;                         /* (element-type Item) (owned) */
    GQueue again[G_N_ELEMENTS(again_us)]; /* likewise; each in the order of due_us */
    GHashTable *inodes;                   /* CfIno -> Held */
    GHashTable *directories;              /* CfIno -> Held */
    CfNotifierStats stats;
};

static void
held_free(gpointer data)
{
    Held *held = data;

    g_queue_clear_full(&held->aside, g_free);
    g_free(held);
}

CfNotifier *
cf_notifier_new(const CfNotifyOps *ops, gpointer kernel)
{
    CfNotifier *notifier = g_new0(CfNotifier, 1);

    notifier->ops = ops;
    notifier->kernel = kernel;
    g_mutex_init(&notifier->lock);
    g_cond_init(&notifier->changed);
    g_queue_init(&notifier->queue);
    for (guint i = 0; i < G_N_ELEMENTS(again_us); i++)
        g_queue_init(&notifier->again[i]);
    notifier->inodes = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, held_free);
    notifier->directories = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, held_free);
    return notifier;
}

/* --- delivering ------------------------------------------------------------------------------- */

static gboolean
is_entry(const Item *item)
{
    return item->kind == ITEM_ENTRY || item->kind == ITEM_DELETED;
}

/* Under the lock. Returns: TRUE when the item has to wait, and was put aside. */
static gboolean
set_aside(CfNotifier *notifier, Item *item)
{
    Held *held;

    if (!is_entry(item))
        return FALSE;
    held = g_hash_table_lookup(notifier->directories, &item->ino);
    if (!held)
        return FALSE;
    g_queue_push_tail(&held->aside, item);
    notifier->stats.set_aside++;
    return TRUE;
}

/* Under the lock: decides between the two forms of inval_inode.
 *
 * A control file gets attributes only, also when nobody holds it: the full form could meet the
 * next WRITE, which has its page locked until it is answered, and that answer waits for what is
 * queued here. Its pages go all the same: its mtime changed, and with AUTO_INVAL_DATA the kernel
 * drops them when it next asks for the attributes. */
static void
choose_form(CfNotifier *notifier, Item *item)
{
    Held *held;

    if ((item->kind != ITEM_INODE && item->kind != ITEM_PAGES) || item->range.offset < 0)
        return;
    if (item->kind == ITEM_INODE && notifier->ops->is_control(item->ino)) {
        item->range.offset = -1;
        return;
    }
    held = g_hash_table_lookup(notifier->inodes, &item->ino);
    if (held) {
        held->full = TRUE;
        item->range.offset = -1;
    }
}

static int
call_kernel(CfNotifier *notifier, const Item *item, CfNotifyKind *ret_kind)
{
    const CfNotifyOps *ops = notifier->ops;

    switch (item->kind) {
    case ITEM_INODE:
    case ITEM_PAGES:
        *ret_kind = item->range.offset < 0 ? CF_NOTIFY_ATTRIBUTES : CF_NOTIFY_INODE;
        return ops->inval_inode(notifier->kernel, item->ino, item->range.offset,
                                item->range.length);
    case ITEM_ENTRY:
        *ret_kind = CF_NOTIFY_ENTRY;
        return ops->inval_entry(notifier->kernel, item->ino, item->name);
    case ITEM_DELETED:
        *ret_kind = CF_NOTIFY_DELETE;
        return ops->deleted(notifier->kernel, item->ino, item->child, item->name);
    case ITEM_BARRIER:
        item->barrier.callback(item->barrier.data);
        *ret_kind = CF_NOTIFY_N;
        return 0;
    }
    g_assert_not_reached();
}

/* Under the lock. */
static void
count(CfNotifier *notifier, const Item *item, CfNotifyKind kind, int result)
{
    if (kind == CF_NOTIFY_N)
        return;
    if (item->tries > 0) {
        notifier->stats.again++;
        return;
    }
    notifier->stats.sent[kind]++;
    if (result == -ENOENT)
        notifier->stats.unknown++;
    else if (result < 0)
        notifier->stats.failed++;
}

/* Under the lock. item: (transfer full): one that was delivered. */
static void
dispose(CfNotifier *notifier, Item *item, gboolean again)
{
    if (!again || item->tries == G_N_ELEMENTS(again_us) || notifier->state != STATE_RUNNING) {
        g_free(item);
        return;
    }
    item->due_us = cf_clock_mono_us() + again_us[item->tries];
    g_queue_push_tail(&notifier->again[item->tries++], item);
}

/* Under the lock: queues what is due to be told again.
 * Returns: when the next one will be, or G_MAXINT64. */
static gint64
take_due(CfNotifier *notifier)
{
    gint64 next_us = G_MAXINT64;
    Item *item;

    for (guint i = 0; i < G_N_ELEMENTS(again_us); i++) {
        while ((item = g_queue_peek_head(&notifier->again[i])) &&
               item->due_us <= cf_clock_mono_us())
            g_queue_push_tail(&notifier->queue, g_queue_pop_head(&notifier->again[i]));
        if (item)
            next_us = MIN(next_us, item->due_us);
    }
    return next_us;
}

/* Under the lock, which is let go meanwhile. item: (transfer full). */
static void
deliver(CfNotifier *notifier, Item *item)
{
    CfNotifyKind kind;
    gboolean again;
    int result;

    choose_form(notifier, item);
    notifier->busy = TRUE;
    notifier->busy_directory = is_entry(item) ? item->ino : 0;
    g_mutex_unlock(&notifier->lock);

    result = call_kernel(notifier, item, &kind);
    if (result < 0 && result != -ENOENT)
        cf_debug("notify: inode %" G_GUINT64_FORMAT ": %s", item->ino, g_strerror(-result));
    again = result == -ENOENT && notifier->ops->is_answering(notifier->kernel);

    g_mutex_lock(&notifier->lock);
    notifier->busy = FALSE;
    notifier->busy_directory = 0;
    count(notifier, item, kind, result);
    dispose(notifier, item, again);
}

/* Under the lock, which is let go meanwhile. */
static void
drop_queue(CfNotifier *notifier)
{
    Item *item;

    while ((item = g_queue_pop_head(&notifier->queue))) {
        if (item->kind == ITEM_BARRIER)
            deliver(notifier, item);
        else
            g_free(item);
    }
}

static gpointer
notifier_main(gpointer data)
{
    CfNotifier *notifier = data;
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);

    g_mutex_lock(&notifier->lock);
    while (notifier->state == STATE_RUNNING) {
        gint64 due_us = take_due(notifier);
        Item *item = g_queue_pop_head(&notifier->queue);

        if (!item && due_us == G_MAXINT64)
            g_cond_wait(&notifier->changed, &notifier->lock);
        else if (!item)
            g_cond_wait_until(&notifier->changed, &notifier->lock, due_us);
        else if (!set_aside(notifier, item))
            deliver(notifier, item);
    }
    drop_queue(notifier);
    notifier->state = STATE_ENDED;
    g_cond_broadcast(&notifier->changed);
    g_mutex_unlock(&notifier->lock);
    return NULL;
}

void
cf_notifier_start(CfNotifier *notifier)
{
    g_return_if_fail(!notifier->thread);

    g_mutex_lock(&notifier->lock);
    notifier->state = STATE_RUNNING;
    g_mutex_unlock(&notifier->lock);
    notifier->thread = g_thread_new("notify", notifier_main, notifier);
}

gboolean
cf_notifier_stop(CfNotifier *notifier, gint64 timeout_us)
{
    gint64 end_us = cf_clock_mono_us() + timeout_us;
    gboolean ended;

    g_mutex_lock(&notifier->lock);
    if (notifier->state == STATE_NEW)
        notifier->state = STATE_ENDED;
    else if (notifier->state == STATE_RUNNING)
        notifier->state = STATE_STOPPING;
    g_cond_broadcast(&notifier->changed);
    while (notifier->state != STATE_ENDED &&
           g_cond_wait_until(&notifier->changed, &notifier->lock, end_us))
        ;
    ended = notifier->state == STATE_ENDED;
    g_mutex_unlock(&notifier->lock);
    return ended;
}

void
cf_notifier_free(CfNotifier *notifier)
{
    if (!notifier)
        return;
    cf_notifier_stop(notifier, 0);
    if (notifier->thread)
        g_thread_join(notifier->thread);
    g_queue_clear_full(&notifier->queue, g_free);
    for (guint i = 0; i < G_N_ELEMENTS(again_us); i++)
        g_queue_clear_full(&notifier->again[i], g_free);
    g_hash_table_destroy(notifier->inodes);
    g_hash_table_destroy(notifier->directories);
    g_cond_clear(&notifier->changed);
    g_mutex_clear(&notifier->lock);
    g_free(notifier);
}

/* --- queueing --------------------------------------------------------------------------------- */

static Item *
item_new(int kind, CfIno ino, const char *name)
{
    gsize length = name ? strlen(name) : 0;
    Item *item = g_malloc0(sizeof(Item) + length + 1);

    item->kind = kind;
    item->ino = ino;
    if (name)
        memcpy(item->name, name, length);
    return item;
}

/* Whether the first one, delivered just before, makes the second one needless. */
static gboolean
covers(const Item *first, const Item *second)
{
    if (first->kind != second->kind || first->ino != second->ino)
        return FALSE;
    switch (first->kind) {
    case ITEM_INODE:
    case ITEM_PAGES:
        if (second->range.offset < 0)
            return TRUE;
        return first->range.offset == second->range.offset &&
               first->range.length == second->range.length;
    case ITEM_ENTRY:
        return strcmp(first->name, second->name) == 0;
    case ITEM_DELETED:
        return first->child == second->child && strcmp(first->name, second->name) == 0;
    case ITEM_BARRIER:
        return FALSE;
    }
    g_assert_not_reached();
}

/* item: (transfer full). Returns: FALSE when the notifier does not run. */
static gboolean
push(CfNotifier *notifier, Item *item)
{
    const Item *last;
    gboolean running;

    g_mutex_lock(&notifier->lock);
    running = notifier->state == STATE_RUNNING;
    last = g_queue_peek_tail(&notifier->queue);
    /* One that is told again has fewer tries left than a new one is to have. */
    if (running && last && last->tries == 0 && covers(last, item)) {
        notifier->stats.merged++;
        g_free(item);
    } else if (running) {
        g_queue_push_tail(&notifier->queue, item);
        g_cond_signal(&notifier->changed);
    } else {
        g_free(item);
    }
    g_mutex_unlock(&notifier->lock);
    return running;
}

void
cf_notifier_inval_inode(CfNotifier *notifier, CfIno ino, gint64 offset, gint64 length)
{
    Item *item = item_new(ITEM_INODE, ino, NULL);

    item->range.offset = offset;
    item->range.length = length;
    push(notifier, item);
}

void
cf_notifier_drop_pages(CfNotifier *notifier, CfIno ino)
{
    push(notifier, item_new(ITEM_PAGES, ino, NULL));
}

void
cf_notifier_inval_entry(CfNotifier *notifier, CfIno parent, const char *name)
{
    push(notifier, item_new(ITEM_ENTRY, parent, name));
}

void
cf_notifier_deleted(CfNotifier *notifier, CfIno parent, CfIno child, const char *name)
{
    Item *item = item_new(ITEM_DELETED, parent, name);

    item->child = child;
    push(notifier, item);
}

gboolean
cf_notifier_barrier(CfNotifier *notifier, const CfIno *directories, void (*callback)(gpointer data),
                    gpointer data)
{
    Item *item;
    gboolean idle;

    g_mutex_lock(&notifier->lock);
    idle = !notifier->busy && g_queue_is_empty(&notifier->queue);
    for (guint i = 0; directories && i < CF_NOTIFY_DIRECTORIES; i++)
        if (directories[i] && directories[i] == notifier->busy_directory)
            idle = TRUE;
    g_mutex_unlock(&notifier->lock);
    if (idle)
        return FALSE;

    item = item_new(ITEM_BARRIER, 0, NULL);
    item->barrier.callback = callback;
    item->barrier.data = data;
    return push(notifier, item);
}

void
cf_notifier_call(CfNotifier *notifier, void (*callback)(gpointer data), gpointer data)
{
    Item *item = item_new(ITEM_BARRIER, 0, NULL);

    item->barrier.callback = callback;
    item->barrier.data = data;
    push(notifier, item);
}

/* --- holding ---------------------------------------------------------------------------------- */

static void
hold(CfNotifier *notifier, GHashTable *table, CfIno ino)
{
    Held *held;

    g_mutex_lock(&notifier->lock);
    held = g_hash_table_lookup(table, &ino);
    if (!held) {
        held = g_new0(Held, 1);
        held->ino = ino;
        g_queue_init(&held->aside);
        g_hash_table_insert(table, &held->ino, held);
    }
    held->holders++;
    g_mutex_unlock(&notifier->lock);
}

/* Under the lock: what was put aside was queued before all that is in the queue now, and goes
 * before it. */
static void
take_back(CfNotifier *notifier, Held *held)
{
    Item *item;

    while ((item = g_queue_pop_tail(&held->aside)))
        g_queue_push_head(&notifier->queue, item);
    if (held->full)
        g_queue_push_head(&notifier->queue, item_new(ITEM_PAGES, held->ino, NULL));
    g_cond_signal(&notifier->changed);
}

static void
release(CfNotifier *notifier, GHashTable *table, CfIno ino)
{
    Held *held;

    g_mutex_lock(&notifier->lock);
    held = g_hash_table_lookup(table, &ino);
    if (held && --held->holders == 0) {
        if (notifier->state == STATE_RUNNING)
            take_back(notifier, held);
        g_hash_table_remove(table, &ino);
    }
    g_mutex_unlock(&notifier->lock);
}

void
cf_notifier_hold_inode(CfNotifier *notifier, CfIno ino)
{
    hold(notifier, notifier->inodes, ino);
}

void
cf_notifier_release_inode(CfNotifier *notifier, CfIno ino)
{
    release(notifier, notifier->inodes, ino);
}

void
cf_notifier_hold_directory(CfNotifier *notifier, CfIno ino)
{
    hold(notifier, notifier->directories, ino);
}

void
cf_notifier_release_directory(CfNotifier *notifier, CfIno ino)
{
    release(notifier, notifier->directories, ino);
}

void
cf_notifier_get_stats(CfNotifier *notifier, CfNotifierStats *ret_stats)
{
    g_mutex_lock(&notifier->lock);
    *ret_stats = notifier->stats;
    ret_stats->queued = notifier->queue.length + (notifier->busy ? 1 : 0);
    g_mutex_unlock(&notifier->lock);
}
