#include "util/clock.h"

#include <time.h>

gint64
cf_clock_mono_us(void)
{
    return g_get_monotonic_time();
}

gint64
cf_clock_real_us(void)
{
    return g_get_real_time();
}

gint64
cf_clock_real_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}
