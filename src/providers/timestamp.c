#include "providers/timestamp.h"

#include <string.h>

typedef struct {
    int year, month, day, hour, minute, second;
    gint64 fraction_us;
    int offset_s;
} Parts;

/* Reads exactly n digits. Returns: after them; NULL when they are not there. */
static const char *
read_number(const char *p, guint n, int *ret_number)
{
    int number = 0;

    for (guint i = 0; p && i < n; i++, p++) {
        if (!g_ascii_isdigit(*p))
            return NULL;
        number = number * 10 + (*p - '0');
    }
    *ret_number = number;
    return p;
}

static const char *
read_char(const char *p, const char *accepted)
{
    return p && *p && strchr(accepted, *p) ? p + 1 : NULL;
}

static const char *
read_fraction(const char *p, gint64 *ret_us)
{
    gint64 scale = 100000;

    *ret_us = 0;
    if (!p || (*p != '.' && *p != ','))
        return p;
    if (!g_ascii_isdigit(*++p))
        return NULL;
    for (; g_ascii_isdigit(*p); p++, scale /= 10)
        *ret_us += (*p - '0') * scale;
    return p;
}

static const char *
read_zone(const char *p, int *offset_s)
{
    int sign, hours, minutes = 0;

    if (!p || *p == '\0')
        return p;
    if (*p == 'Z' || *p == 'z') {
        *offset_s = 0;
        return p + 1;
    }
    if (*p != '+' && *p != '-')
        return NULL;
    sign = *p == '-' ? -1 : 1;
    p = read_number(p + 1, 2, &hours);
    if (p && *p == ':')
        p++;
    if (p && *p)
        p = read_number(p, 2, &minutes);
    if (!p || hours > 23 || minutes > 59)
        return NULL;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return p;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    gboolean leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static gboolean
read_parts(const char *text, Parts *parts)
{
    const char *p = read_number(text, 4, &parts->year);

    p = read_number(read_char(p, "-"), 2, &parts->month);
    p = read_number(read_char(p, "-"), 2, &parts->day);
    p = read_number(read_char(p, "T t"), 2, &parts->hour);
    p = read_number(read_char(p, ":"), 2, &parts->minute);
    p = read_number(read_char(p, ":"), 2, &parts->second);
    p = read_zone(read_fraction(p, &parts->fraction_us), &parts->offset_s);
    return p && *p == '\0' && parts->year > 0 && parts->month >= 1 && parts->month <= 12 &&
           parts->day >= 1 && parts->day <= days_in_month(parts->year, parts->month) &&
           parts->hour <= 23 && parts->minute <= 59 && parts->second <= 60;
}

/* Days since 1970 in the Gregorian calendar, years that begin in March. */
static gint64
days_from_date(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = y / 400, of_era = y - era * 400;
    int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return (gint64) era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
date_from_days(gint64 days, int *ret_year, int *ret_month, int *ret_day)
{
    int z = (int) days + 719468;
    int era = z / 146097, of_era = z - era * 146097;
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153;

    *ret_day = of_year - (153 * month + 2) / 5 + 1;
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

static void
put_digits(char *out, int number, guint n)
{
    while (n-- > 0) {
        out[n] = (char) ('0' + number % 10);
        number /= 10;
    }
}

#define FIRST_S G_GINT64_CONSTANT(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_S G_GINT64_CONSTANT(253402300799)  /* 9999-12-31T23:59:59Z */

gboolean
cf_time_from_unix(gint64 seconds, char ret_text[CF_TIME_LEN])
{
    int year, month, day, of_day;

    if (seconds < FIRST_S || seconds > LAST_S)
        return FALSE;
    of_day = (int) (((seconds % 86400) + 86400) % 86400);
    date_from_days((seconds - of_day) / 86400, &year, &month, &day);

    memcpy(ret_text, "0000-00-00T00:00:00Z", CF_TIME_LEN);
    put_digits(ret_text, year, 4);
    put_digits(ret_text + 5, month, 2);
    put_digits(ret_text + 8, day, 2);
    put_digits(ret_text + 11, of_day / 3600, 2);
    put_digits(ret_text + 14, of_day / 60 % 60, 2);
    put_digits(ret_text + 17, of_day % 60, 2);
    return TRUE;
}

gboolean
cf_time_read(const char *text, int offset_s, char ret_text[CF_TIME_LEN], gint64 *ret_us)
{
    Parts parts = {.offset_s = offset_s};
    gint64 seconds;

    if (!read_parts(text, &parts))
        return FALSE;
    seconds = days_from_date(parts.year, parts.month, parts.day) * 86400 + parts.hour * 3600 +
              parts.minute * 60 + parts.second - parts.offset_s;
    if (!cf_time_from_unix(seconds, ret_text))
        return FALSE;
    if (ret_us)
        *ret_us = seconds * G_USEC_PER_SEC + parts.fraction_us;
    return TRUE;
}
