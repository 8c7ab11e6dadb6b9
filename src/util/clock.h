/* The two clocks that everything uses. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Microseconds of a clock that only goes forward; for ages, deadlines, timers. Thread: any. */
gint64 cf_clock_mono_us(void);

/* Wall time: microseconds (nanoseconds) since 1970; for time stamps that people see. Thread: any.
 */
gint64 cf_clock_real_us(void);
gint64 cf_clock_real_ns(void);

G_END_DECLS
