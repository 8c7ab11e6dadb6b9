#include "fuse/polls.h"

typedef struct {
    guint64 kh; /* the key */
    CfIno ino;
    gboolean changed; /* since the last report */
    gboolean fresh;   /* nothing was reported yet */
    gpointer handle;  /* (nullable) (owned): somebody may be waiting */
    gint64 due_us;    /* monotonic: until then */
    GList used;       /* in the LRU */
} Poll;

struct _CfPolls {
    const CfPollOps *ops;

    GMutex lock;      /* protects all below; never held across a call of ops */
    GHashTable *all;  /* kh -> Poll (owned) */
    GHashTable *inos; /* CfIno -> (element-type Poll) GPtrArray */
    GQueue lru;       /* the least recently asked first */
    guint waiting;    /* those with a handle */
};

CfPolls *
cf_polls_new(const CfPollOps *ops)
{
    CfPolls *polls = g_new0(CfPolls, 1);

    polls->ops = ops;
    g_mutex_init(&polls->lock);
    polls->all = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    polls->inos = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        (GDestroyNotify) g_ptr_array_unref);
    g_queue_init(&polls->lru);
    return polls;
}

void
cf_polls_free(CfPolls *polls)
{
    GHashTableIter iter;
    gpointer value;

    if (!polls)
        return;
    g_hash_table_iter_init(&iter, polls->all);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((Poll *) value)->handle)
            polls->ops->free(((Poll *) value)->handle);
    g_hash_table_unref(polls->inos);
    g_hash_table_unref(polls->all);
    g_mutex_clear(&polls->lock);
    g_free(polls);
}

/* --- under the lock --------------------------------------------------------------------------- */

static void
link_ino(CfPolls *polls, Poll *poll)
{
    GPtrArray *same = g_hash_table_lookup(polls->inos, &poll->ino);

    if (!same) {
        CfIno *key = g_new(CfIno, 1);

        *key = poll->ino;
        same = g_ptr_array_new();
        g_hash_table_insert(polls->inos, key, same);
    }
    g_ptr_array_add(same, poll);
}

static void
unlink_ino(CfPolls *polls, Poll *poll)
{
    GPtrArray *same = g_hash_table_lookup(polls->inos, &poll->ino);

    g_ptr_array_remove_fast(same, poll);
    if (same->len == 0)
        g_hash_table_remove(polls->inos, &poll->ino);
}

/* Returns: (transfer full) (nullable). */
static gpointer
take_handle(CfPolls *polls, Poll *poll)
{
    if (poll->handle)
        polls->waiting--;
    return g_steal_pointer(&poll->handle);
}

/* Returns: (transfer full) (nullable): the handle of the one that had to make room. */
static gpointer
make_room(CfPolls *polls)
{
    Poll *oldest;
    gpointer handle;

    if (polls->lru.length < CF_POLLS_MAX)
        return NULL;
    oldest = g_queue_peek_head(&polls->lru);
    handle = take_handle(polls, oldest);
    g_queue_unlink(&polls->lru, &oldest->used);
    unlink_ino(polls, oldest);
    g_hash_table_remove(polls->all, &oldest->kh);
    return handle;
}

static Poll *
add(CfPolls *polls, guint64 kh, CfIno ino)
{
    Poll *poll = g_new0(Poll, 1);

    poll->kh = kh;
    poll->ino = ino;
    poll->changed = TRUE; /* as far as this reader knows */
    poll->fresh = TRUE;
    poll->used.data = poll;
    g_hash_table_insert(polls->all, &poll->kh, poll);
    link_ino(polls, poll);
    g_queue_push_tail_link(&polls->lru, &poll->used);
    return poll;
}

static Poll *
find(CfPolls *polls, guint64 kh, CfIno ino)
{
    Poll *poll = g_hash_table_lookup(polls->all, &kh);

    if (!poll)
        return NULL;
    g_queue_unlink(&polls->lru, &poll->used);
    g_queue_push_tail_link(&polls->lru, &poll->used);
    if (poll->ino != ino) { /* the kernel does not do that */
        unlink_ino(polls, poll);
        poll->ino = ino;
        poll->changed = TRUE;
        link_ino(polls, poll);
    }
    return poll;
}

/* --- seen from outside ------------------------------------------------------------------------ */

static void
wake(CfPolls *polls, gpointer handle)
{
    if (!handle)
        return;
    polls->ops->wake(handle);
    polls->ops->free(handle);
}

gboolean
cf_polls_ask(CfPolls *polls, guint64 kh, CfIno ino, CfPollTaker taker, gpointer handle,
             gint64 now_us, gboolean *ret_first)
{
    gpointer evicted = NULL, former = NULL;
    gboolean changed;
    Poll *poll;

    g_mutex_lock(&polls->lock);
    *ret_first = handle && polls->waiting == 0;
    poll = find(polls, kh, ino);
    if (!poll) {
        evicted = make_room(polls);
        poll = add(polls, kh, ino);
    }
    if (handle) {
        former = take_handle(polls, poll);
        poll->handle = handle;
        poll->due_us = now_us + CF_POLL_REARM_US;
        polls->waiting++;
    }
    changed = poll->changed;
    if (taker != CF_POLL_KEEPS) {
        poll->changed = changed && poll->fresh && taker == CF_POLL_EITHER;
        poll->fresh = FALSE;
    }
    g_mutex_unlock(&polls->lock);

    if (former)
        polls->ops->free(former);
    /* It waits in vain here: it asks again, and is "changed". Waking never waits. */
    wake(polls, evicted);
    return changed;
}

static void
wake_all(CfPolls *polls, GPtrArray *handles)
{
    for (guint i = 0; i < handles->len; i++)
        wake(polls, handles->pdata[i]);
}

void
cf_polls_changed(CfPolls *polls, CfIno ino)
{
    g_autoptr(GPtrArray) handles = NULL;
    GPtrArray *same;

    g_mutex_lock(&polls->lock);
    same = g_hash_table_lookup(polls->inos, &ino);
    for (guint i = 0; same && i < same->len; i++) {
        Poll *poll = same->pdata[i];

        poll->changed = TRUE;
        if (!poll->handle)
            continue;
        if (!handles)
            handles = g_ptr_array_new();
        g_ptr_array_add(handles, take_handle(polls, poll));
    }
    g_mutex_unlock(&polls->lock);
    if (handles)
        wake_all(polls, handles);
}

void
cf_polls_wake_due(CfPolls *polls, gint64 now_us)
{
    g_autoptr(GPtrArray) handles = g_ptr_array_new();

    g_mutex_lock(&polls->lock);
    for (GList *item = polls->lru.head; item; item = item->next) {
        Poll *poll = item->data;

        if (poll->handle && poll->due_us <= now_us)
            g_ptr_array_add(handles, take_handle(polls, poll));
    }
    g_mutex_unlock(&polls->lock);
    wake_all(polls, handles);
}

gint64
cf_polls_get_next_us(CfPolls *polls)
{
    gint64 next_us = G_MAXINT64;

    g_mutex_lock(&polls->lock);
    for (GList *item = polls->waiting > 0 ? polls->lru.head : NULL; item; item = item->next) {
        const Poll *poll = item->data;

        if (poll->handle)
            next_us = MIN(next_us, poll->due_us);
    }
    g_mutex_unlock(&polls->lock);
    return next_us;
}

guint
cf_polls_get_length(CfPolls *polls)
{
    guint waiting;

    g_mutex_lock(&polls->lock);
    waiting = polls->waiting;
    g_mutex_unlock(&polls->lock);
    return waiting;
}
