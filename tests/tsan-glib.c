/* GLib's locks are futexes of its own, in a library that was not built with the thread sanitizer,
 * which therefore sees no order between two threads that take turns under one, and cries wolf. This
 * is preloaded (tests/run --tsan) and tells it: what a thread did before it released an address is
 * before what another does after it acquired it. */
#include <dlfcn.h>
#include <glib.h>
#include <poll.h>
#include <unistd.h>

/* The sanitizer's own; not there in programs that were not built with it (fusermount3, env). */
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

static void
acquire(gconstpointer address)
{
    if (__tsan_acquire)
        __tsan_acquire((gpointer) address);
}

static void
release(gconstpointer address)
{
    if (__tsan_release)
        __tsan_release((gpointer) address);
}

#define REAL(name) ((__typeof__(&(name))) real(#name, &real_##name))
#define DECLARE(name) static gpointer real_##name

/* No lock: whoever looks twice finds the same. */
static gpointer
real(const char *name, gpointer *ret_address)
{
    gpointer address = __atomic_load_n(ret_address, __ATOMIC_RELAXED);

    if (!address) {
        address = dlsym(RTLD_NEXT, name);
        __atomic_store_n(ret_address, address, __ATOMIC_RELAXED);
    }
    return address;
}

/* --- locks ----------------------------------------------------------------------------------- */

DECLARE(g_mutex_lock);
void
g_mutex_lock(GMutex *mutex)
{
    REAL(g_mutex_lock)(mutex);
    acquire(mutex);
}

DECLARE(g_mutex_trylock);
gboolean
g_mutex_trylock(GMutex *mutex)
{
    gboolean locked = REAL(g_mutex_trylock)(mutex);

    if (locked)
        acquire(mutex);
    return locked;
}

DECLARE(g_mutex_unlock);
void
g_mutex_unlock(GMutex *mutex)
{
    release(mutex);
    REAL(g_mutex_unlock)(mutex);
}

DECLARE(g_cond_wait);
void
g_cond_wait(GCond *cond, GMutex *mutex)
{
    release(mutex);
    REAL(g_cond_wait)(cond, mutex);
    acquire(mutex);
}

DECLARE(g_cond_wait_until);
gboolean
g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    gboolean signalled;

    release(mutex);
    signalled = REAL(g_cond_wait_until)(cond, mutex, end_time);
    acquire(mutex);
    return signalled;
}

/* --- counts ---------------------------------------------------------------------------------- */

#undef g_atomic_ref_count_dec
DECLARE(g_atomic_ref_count_dec);
gboolean
g_atomic_ref_count_dec(gatomicrefcount *count)
{
    release(count);
    if (!REAL(g_atomic_ref_count_dec)(count))
        return FALSE;
    acquire(count);
    return TRUE;
}

DECLARE(g_bytes_unref);
void
g_bytes_unref(GBytes *bytes)
{
    if (bytes) {
        release(bytes);
        acquire(bytes);
    }
    REAL(g_bytes_unref)(bytes);
}

DECLARE(g_atomic_rc_box_release_full);
void
g_atomic_rc_box_release_full(gpointer box, GDestroyNotify clear)
{
    release(box);
    acquire(box);
    REAL(g_atomic_rc_box_release_full)(box, clear);
}

DECLARE(g_atomic_rc_box_release);
void
g_atomic_rc_box_release(gpointer box)
{
    release(box);
    acquire(box);
    REAL(g_atomic_rc_box_release)(box);
}

/* Whoever meets another one at it waits in the library, or finds it done there. */
#undef g_once_init_enter
DECLARE(g_once_init_enter);
gboolean(g_once_init_enter)(volatile void *location)
{
    gboolean first = REAL(g_once_init_enter)(location);

    acquire((gpointer) location);
    return first;
}

#undef g_once_init_leave
DECLARE(g_once_init_leave);
void(g_once_init_leave)(volatile void *location, gsize result)
{
    release((gconstpointer) location);
    REAL(g_once_init_leave)(location, result);
}

/* --- the main loop: what was given to it is seen after it has waited ------------------------- */

static int the_loop;

DECLARE(g_source_attach);
guint
g_source_attach(GSource *source, GMainContext *context)
{
    guint id;

    acquire(&the_loop); /* the context's lock, which the loop gives back before it waits */
    release(&the_loop);
    id = REAL(g_source_attach)(source, context);
    release(&the_loop);
    return id;
}

DECLARE(g_source_set_ready_time);
void
g_source_set_ready_time(GSource *source, gint64 ready_time)
{
    release(&the_loop);
    REAL(g_source_set_ready_time)(source, ready_time);
}

DECLARE(g_main_context_wakeup);
void
g_main_context_wakeup(GMainContext *context)
{
    release(&the_loop);
    REAL(g_main_context_wakeup)(context);
}

DECLARE(poll);
int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
    int ready;

    release(&the_loop);
    ready = REAL(poll)(fds, n, timeout);
    acquire(&the_loop);
    return ready;
}

/* --- signals ---------------------------------------------------------------------------------- */

/* The sanitizer puts a handler off until the next function that it has wrapped returns, and takes
 * read() for one that does so soon. It knows that poll() may wait. */
DECLARE(read);
ssize_t
read(int fd, void *buffer, size_t size)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    if (__tsan_acquire && REAL(poll)(&pfd, 1, -1) < 0)
        return -1;
    return REAL(read)(fd, buffer, size);
}
