#include "http/body.h"

#include <string.h>

#define KEPT_MAX 16 /* rooms: pages that are under way side by side, twice */
#define KEPT_BYTES_MAX (4 * 1024 * 1024)
#define ROOM_MIN (16 * 1024) /* below it malloc(3) is as good; sizes are multiples */
#define ROOM_KEPT_MAX (1024 * 1024)

typedef struct _CfRoom CfRoom;

struct _CfRoom {
    CfBodyPool *pool; /* (nullable) owned while the room is in use */
    gsize size;       /* of data */
    char data[];
};

struct _CfBodyPool {
    GMutex lock;            /* protects what follows; innermost */
    CfRoom *kept[KEPT_MAX]; /* the one that came last is the last: the caches know it best */
    guint n;
    gsize bytes;
};

/* --- rooms ----------------------------------------------------------------------------------- */

CfBodyPool *
cf_body_pool_new(void)
{
    CfBodyPool *pool = g_atomic_rc_box_new0(CfBodyPool);

    g_mutex_init(&pool->lock);
    return pool;
}

static void
pool_clear(gpointer data)
{
    CfBodyPool *pool = data;

    while (pool->n > 0)
        g_free(pool->kept[--pool->n]);
    g_mutex_clear(&pool->lock);
}

void
cf_body_pool_unref(CfBodyPool *pool)
{
    if (pool)
        g_atomic_rc_box_release_full(pool, pool_clear);
}

gsize
cf_body_pool_get_size(CfBodyPool *pool)
{
    gsize bytes;

    g_mutex_lock(&pool->lock);
    bytes = pool->bytes;
    g_mutex_unlock(&pool->lock);
    return bytes;
}

/* Returns: (nullable): a room that is large enough, and not far too large: it may be kept long. */
static CfRoom *
find_room(CfBodyPool *pool, gsize size)
{
    CfRoom *room = NULL;

    g_mutex_lock(&pool->lock);
    for (guint i = pool->n; i > 0 && !room; i--)
        if (pool->kept[i - 1]->size >= size && pool->kept[i - 1]->size / 4 <= size) {
            room = pool->kept[i - 1];
            pool->n--;
            memmove(pool->kept + i - 1, pool->kept + i, (pool->n - (i - 1)) * sizeof room);
            pool->bytes -= room->size;
        }
    g_mutex_unlock(&pool->lock);
    return room;
}

/* pool: (nullable). */
static CfRoom *
room_new(CfBodyPool *pool, gsize size)
{
    CfRoom *room = NULL;

    if (pool && size > ROOM_MIN / 2) {
        size = (size + ROOM_MIN - 1) / ROOM_MIN * ROOM_MIN;
        room = find_room(pool, size);
    }
    if (!room) {
        room = g_malloc(sizeof *room + size);
        room->size = size;
    }
    room->pool = pool ? g_atomic_rc_box_acquire(pool) : NULL;
    return room;
}

static gboolean
keep_room(CfBodyPool *pool, CfRoom *room)
{
    gboolean kept;

    if (room->size < ROOM_MIN || room->size > ROOM_KEPT_MAX)
        return FALSE;
    g_mutex_lock(&pool->lock);
    kept = pool->n < KEPT_MAX && pool->bytes + room->size <= KEPT_BYTES_MAX;
    if (kept) {
        pool->kept[pool->n++] = room;
        pool->bytes += room->size;
    }
    g_mutex_unlock(&pool->lock);
    return kept;
}

static void
room_free(gpointer data)
{
    CfRoom *room = data;
    CfBodyPool *pool;

    if (!room)
        return;
    pool = g_steal_pointer(&room->pool);
    if (!pool || !keep_room(pool, room))
        g_free(room);
    cf_body_pool_unref(pool);
}

/* --- bodies ---------------------------------------------------------------------------------- */

void
cf_body_init(CfBody *body, CfBodyPool *pool)
{
    *body = (CfBody){.pool = pool ? g_atomic_rc_box_acquire(pool) : NULL};
}

void
cf_body_clear(CfBody *body)
{
    g_clear_pointer(&body->room, room_free);
    g_clear_pointer(&body->pool, cf_body_pool_unref);
    body->len = 0;
}

/* size: the NUL included. */
static void
make_room(CfBody *body, gsize size)
{
    CfRoom *former = body->room;

    if (former && former->size >= size)
        return;
    body->room = room_new(body->pool, size);
    if (former)
        memcpy(body->room->data, former->data, body->len);
    room_free(former);
}

void
cf_body_reserve(CfBody *body, gsize size)
{
    make_room(body, size + 1);
}

void
cf_body_append(CfBody *body, const void *data, gsize len)
{
    gsize needed = body->len + len + 1;

    /* Grows faster and faster where nobody said how long it would be. */
    if (!body->room || body->room->size < needed)
        make_room(body, MAX(needed, body->room ? body->room->size * 2 : 0));
    memcpy(body->room->data + body->len, data, len);
    body->len += len;
}

GBytes *
cf_body_take(CfBody *body)
{
    CfRoom *room;
    gsize len = body->len;

    make_room(body, len + 1);
    room = g_steal_pointer(&body->room);
    room->data[len] = '\0';
    body->len = 0;
    return g_bytes_new_with_free_func(room->data, len, room_free, room);
}
