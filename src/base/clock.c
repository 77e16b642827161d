#include "clock.h"

#include <stdio.h>
#include <time.h>

#define US_PER_S 1000000

int64_t dsp_clock_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t dsp_wall_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t) ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

/* Seconds rounded down, so that times before 1970 keep a fraction of 0..999999. */
static int64_t floor_seconds(int64_t unix_us)
{
    return unix_us / US_PER_S - (unix_us % US_PER_S < 0);
}

static void split(int64_t unix_us, struct tm *tm, int *us)
{
    time_t s = (time_t) floor_seconds(unix_us);

    gmtime_r(&s, tm);
    *us = (int) (unix_us - (int64_t) s * US_PER_S);
}

void dsp_time_format(int64_t unix_us, char out[DSP_TIME_LEN])
{
    struct tm tm;
    int       us;

    split(unix_us, &tm, &us);
    strftime(out, DSP_TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void dsp_microtime_format(int64_t unix_us, char out[DSP_TIME_LEN])
{
    struct tm tm;
    int       us;

    split(unix_us, &tm, &us);
    size_t n = strftime(out, DSP_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, DSP_TIME_LEN - n, ".%06uZ", (unsigned) us % US_PER_S);
}

/* n digits at *p as a number in low..high; moves *p. */
static bool digits(const char **p, const char *end, int n, int low, int high, int *out)
{
    int v = 0;

    if (end - *p < n) {
        return false;
    }
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return v >= low && v <= high;
}

static bool character(const char **p, const char *end, const char *set)
{
    for (; *set != '\0'; set++) {
        if (*p < end && **p == *set) {
            (*p)++;
            return true;
        }
    }
    return false;
}

static bool fraction(const char **p, const char *end, int *us)
{
    int scale = US_PER_S / 10;

    *us = 0;
    if (!character(p, end, ".")) {
        return true;
    }
    const char *start = *p;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        *us += (**p - '0') * scale;
        scale /= 10;
    }
    return *p > start;
}

static bool offset(const char **p, const char *end, int *seconds)
{
    int hours, minutes;

    *seconds = 0;
    if (character(p, end, "Zz")) {
        return true;
    }
    bool west = *p < end && **p == '-';
    if (!character(p, end, "+-") || !digits(p, end, 2, 0, 23, &hours) || !character(p, end, ":") ||
        !digits(p, end, 2, 0, 59, &minutes)) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool dsp_time_parse(dsp_str text, int64_t *unix_us)
{
    const char *p, *end;
    struct tm   tm = { 0 }, back;
    int         us, east;

    if (text.len == 0) {
        return false;
    }
    p = text.data;
    end = p + text.len;
    if (!digits(&p, end, 4, 0, 9999, &tm.tm_year) || !character(&p, end, "-") ||
        !digits(&p, end, 2, 1, 12, &tm.tm_mon) || !character(&p, end, "-") ||
        !digits(&p, end, 2, 1, 31, &tm.tm_mday) || !character(&p, end, "Tt ") ||
        !digits(&p, end, 2, 0, 23, &tm.tm_hour) || !character(&p, end, ":") ||
        !digits(&p, end, 2, 0, 59, &tm.tm_min) || !character(&p, end, ":") ||
        !digits(&p, end, 2, 0, 60, &tm.tm_sec) || !fraction(&p, end, &us) || !offset(&p, end, &east) || p != end) {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    back = tm;
    time_t s = timegm(&back);
    if (back.tm_mday != tm.tm_mday && tm.tm_sec < 60) {
        return false; /* a day that its month does not have */
    }
    *unix_us = ((int64_t) s - east) * US_PER_S + us;
    return true;
}
