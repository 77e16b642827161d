#include "gotime.h"

#include "wrap.h"

/*
 * Go counts days from an "absolute" year zero so far back that no int64 of seconds is before it, with years that begin
 * in March; sums wrap around. The same constants here give the same dates even where a time is beyond all reason.
 * The calendar arithmetic is that of Neri and Schneider, "Euclidean affine functions and applications to calendar
 * algorithms" (2023), as in Go 1.26.
 */
#define ABSOLUTE_YEARS       INT64_C(292277022400)
#define MARCH_TO_DECEMBER    306
#define SECONDS_PER_DAY      INT64_C(86400)
#define DAYS_PER_400_YEARS   INT64_C(146097)
#define ABSOLUTE_TO_INTERNAL (-(ABSOLUTE_YEARS / 400 * DAYS_PER_400_YEARS + MARCH_TO_DECEMBER) * SECONDS_PER_DAY)
#define UNIX_TO_INTERNAL     ((INT64_C(1969) * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400) * SECONDS_PER_DAY)
#define UNIX_TO_ABSOLUTE     ((uint64_t) UNIX_TO_INTERNAL - (uint64_t) ABSOLUTE_TO_INTERNAL)
/* A time with a monotonic reading is one between 1885 and 2157: 33 bits of seconds from here. */
#define WALL_TO_INTERNAL     ((INT64_C(1884) * 365 + 1884 / 4 - 1884 / 100 + 1884 / 400) * SECONDS_PER_DAY)
#define WALL_SECONDS         (INT64_C(1) << 33)

/* --- calendar ----------------------------------------------------------------------------------------------------- */

bool gt_is_leap(int64_t year)
{
    /* a multiple of 25 is a leap year when it is one of 16, all others when they are one of 4 */
    return (year & (year % 25 != 0 ? 3 : 15)) == 0;
}

int gt_days_in(int month, int64_t year)
{
    if (month == 2) {
        return gt_is_leap(year) ? 29 : 28;
    }
    return 30 + ((month + (month >> 3)) & 1);
}

int gt_days_before(int month)
{
    return (214 * month - 211) / 7 - (month >= 3 ? 2 : 0);
}

static uint64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    uint32_t march_month = (uint32_t) month;
    uint32_t jan_feb = march_month < 3 ? 1 : 0;
    uint64_t y, century;
    uint32_t year_day, century_year;

    march_month += 12 * jan_feb;
    y = (uint64_t) year - jan_feb + (uint64_t) ABSOLUTE_YEARS;
    year_day = (979 * march_month - 2919) >> 5;
    century = y / 100;
    century_year = (uint32_t) (y % 100);
    return 146097 * century / 4 + ((uint64_t) (1461 * century_year / 4 + year_day) + (uint64_t) day - 1);
}

struct date {
    int64_t year;
    int     month, day, yday;
};

static struct date date_of_days(uint64_t days)
{
    uint64_t d = 4 * days + 3;
    uint64_t century = d / 146097;
    uint32_t century_day = (uint32_t) (d % 146097) | 3;
    uint64_t product = (uint64_t) 2939745 * century_day;
    int      century_year = (int) (product >> 32);
    int      march_yday = (int) ((uint32_t) product / 2939745 / 4);
    uint32_t month_day = 2141 * (uint32_t) march_yday + 197913;
    int      jan_feb = march_yday >= MARCH_TO_DECEMBER ? 1 : 0;
    int      leap = century_year % 4 == 0 && (century_year != 0 || century % 4 == 0) ? 1 : 0;

    return (struct date){
        .year = (int64_t) (century * 100 - (uint64_t) ABSOLUTE_YEARS) + century_year + jan_feb,
        .month = (int) (month_day >> 16) - jan_feb * 12,
        .day = 1 + (int) ((month_day & 0xFFFF) / 2141),
        .yday = march_yday + (1 + 31 + 28) + (leap & ~jan_feb) - 365 * jan_feb,
    };
}

void gt_unix_year_day(int64_t unix_sec, int64_t *year, int *yday)
{
    struct date d = date_of_days(((uint64_t) unix_sec + UNIX_TO_ABSOLUTE) / (uint64_t) SECONDS_PER_DAY);

    *year = d.year;
    *yday = d.yday;
}

struct gt_civil gt_time_civil(const gt_time *t)
{
    int64_t             unix_sec = gt_time_unix_sec(t);
    struct gt_zone_span span = gt_location_at(t->loc, unix_sec);
    uint64_t            abs = (uint64_t) unix_sec + (uint64_t) (int64_t) span.offset + UNIX_TO_ABSOLUTE;
    uint64_t            days = abs / (uint64_t) SECONDS_PER_DAY;
    int                 sec = (int) (abs % (uint64_t) SECONDS_PER_DAY);
    struct date         d = date_of_days(days);

    return (struct gt_civil){
        .year = d.year,
        .month = d.month,
        .day = d.day,
        .yday = d.yday,
        .weekday = (int) ((days + 3) % 7), /* the first absolute day was a Wednesday */
        .hour = sec / 3600,
        .min = sec / 60 % 60,
        .sec = sec % 60,
        .offset = span.offset,
        .zone = span.name,
    };
}

/* --- making ------------------------------------------------------------------------------------------------------- */

static const gt_location *location(const gt_location *loc)
{
    return loc == &gt_utc ? NULL : loc;
}

gt_time gt_time_unix(int64_t sec, int64_t nsec, const gt_location *loc)
{
    if (nsec < 0 || nsec >= GT_NS_PER_SEC) {
        sec = gt_wrap_add(sec, nsec / GT_NS_PER_SEC);
        nsec %= GT_NS_PER_SEC;
        if (nsec < 0) {
            nsec += GT_NS_PER_SEC;
            sec = gt_wrap_sub(sec, 1);
        }
    }
    return (gt_time){ .sec = gt_wrap_add(sec, UNIX_TO_INTERNAL), .nsec = (int32_t) nsec, .loc = location(loc) };
}

gt_time gt_time_now(int64_t unix_ns, int64_t mono_ns, const gt_location *loc)
{
    gt_time t = gt_time_unix(0, unix_ns, loc);

    t.loc = loc; /* not setLoc: time.Now() keeps Local even where that is UTC */
    if (t.sec >= WALL_TO_INTERNAL && t.sec < WALL_TO_INTERNAL + WALL_SECONDS) {
        t.monotonic = true;
        t.mono = mono_ns;
    }
    return t;
}

/* Carries what is outside of [0, base) of lo over to hi. */
static void carry(int64_t *hi, int64_t *lo, int64_t base)
{
    int64_t n;

    if (*lo < 0) {
        n = gt_wrap_add(gt_wrap_sub(gt_wrap_neg(*lo), 1) / base, 1);
        *hi = gt_wrap_sub(*hi, n);
        *lo = gt_wrap_add(*lo, gt_wrap_mul(n, base));
    }
    if (*lo >= base) {
        n = *lo / base;
        *hi = gt_wrap_add(*hi, n);
        *lo = gt_wrap_sub(*lo, gt_wrap_mul(n, base));
    }
}

gt_time gt_time_date(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t min, int64_t sec, int64_t nsec,
                     const gt_location *loc)
{
    int64_t             m = gt_wrap_sub(month, 1), unix_sec;
    struct gt_zone_span span;

    carry(&year, &m, 12);
    carry(&sec, &nsec, GT_NS_PER_SEC);
    carry(&min, &sec, 60);
    carry(&hour, &min, 60);
    carry(&day, &hour, 24);
    unix_sec = (int64_t) (days_of_date(year, m + 1, day) * (uint64_t) SECONDS_PER_DAY +
                          (uint64_t) (hour * 3600 + min * 60 + sec) - UNIX_TO_ABSOLUTE);

    /* The offset at that moment of UTC, unless the moment that it leads to is beyond a change. */
    span = gt_location_at(loc, unix_sec);
    if (span.offset != 0) {
        int64_t utc = gt_wrap_sub(unix_sec, span.offset);

        if (utc < span.start || utc >= span.end) {
            span = gt_location_at(loc, utc);
        }
        unix_sec = gt_wrap_sub(unix_sec, span.offset);
    }
    return gt_time_unix(unix_sec, nsec, loc);
}

/* --- moving ------------------------------------------------------------------------------------------------------- */

int64_t gt_time_unix_sec(const gt_time *t)
{
    return gt_wrap_sub(t->sec, UNIX_TO_INTERNAL);
}

static void strip_monotonic(gt_time *t)
{
    t->monotonic = false;
    t->mono = 0;
}

gt_time gt_time_in(gt_time t, const gt_location *loc)
{
    strip_monotonic(&t);
    t.loc = location(loc);
    return t;
}

/* Seconds saturate one short of the least int64, as Go's addSec. */
static void add_seconds(gt_time *t, int64_t d)
{
    int64_t sum;

    if (t->monotonic) {
        sum = gt_wrap_add(t->sec - WALL_TO_INTERNAL, d);
        if (sum >= 0 && sum < WALL_SECONDS) {
            t->sec = sum + WALL_TO_INTERNAL;
            return;
        }
        strip_monotonic(t);
    }
    sum = gt_wrap_add(t->sec, d);
    if ((sum > t->sec) == (d > 0)) {
        t->sec = sum;
    } else {
        t->sec = d > 0 ? INT64_MAX : -INT64_MAX;
    }
}

gt_time gt_time_add(gt_time t, int64_t d)
{
    int64_t seconds = d / GT_NS_PER_SEC, mono;

    t.nsec += (int32_t) (d % GT_NS_PER_SEC);
    if (t.nsec >= GT_NS_PER_SEC) {
        seconds++;
        t.nsec -= GT_NS_PER_SEC;
    } else if (t.nsec < 0) {
        seconds--;
        t.nsec += GT_NS_PER_SEC;
    }
    add_seconds(&t, seconds);
    if (t.monotonic) {
        if (__builtin_add_overflow(t.mono, d, &mono)) {
            strip_monotonic(&t);
        } else {
            t.mono = mono;
        }
    }
    return t;
}

gt_time gt_time_add_date(gt_time t, int64_t years, int64_t months, int64_t days)
{
    struct gt_civil c = gt_time_civil(&t);

    return gt_time_date(gt_wrap_add(c.year, years), gt_wrap_add(c.month, months), gt_wrap_add(c.day, days), c.hour,
                        c.min, c.sec, t.nsec, t.loc);
}

static int sign(bool greater, bool less)
{
    return greater ? 1 : less ? -1 : 0;
}

int gt_time_compare(const gt_time *t, const gt_time *u)
{
    if (t->monotonic && u->monotonic) {
        return sign(t->mono > u->mono, t->mono < u->mono);
    }
    if (t->sec != u->sec) {
        return sign(t->sec > u->sec, true);
    }
    return sign(t->nsec > u->nsec, t->nsec < u->nsec);
}

int64_t gt_time_sub(gt_time t, gt_time u)
{
    int64_t d;
    gt_time back;

    if (t.monotonic && u.monotonic) {
        if (__builtin_sub_overflow(t.mono, u.mono, &d)) {
            return t.mono > u.mono ? GT_MAX_DURATION : GT_MIN_DURATION;
        }
        return d;
    }
    d = gt_wrap_add(gt_wrap_mul(gt_wrap_sub(t.sec, u.sec), GT_NS_PER_SEC), t.nsec - u.nsec);
    back = gt_time_add(u, d);
    if (gt_time_compare(&back, &t) == 0) {
        return d;
    }
    return gt_time_compare(&t, &u) < 0 ? GT_MIN_DURATION : GT_MAX_DURATION;
}

bool gt_time_is_zero(const gt_time *t)
{
    return t->sec == 0 && t->nsec == 0 && !t->monotonic;
}

/* --- rounding ----------------------------------------------------------------------------------------------------- */

/* What is left of the time since the zero time when it is divided by d > 0. */
static int64_t remainder_of(const gt_time *t, int64_t d)
{
    int64_t           sec = t->sec, nsec = t->nsec, r;
    bool              neg = sec < 0;
    unsigned __int128 total;

    if (neg) { /* on the absolute value */
        sec = gt_wrap_neg(sec);
        nsec = -nsec;
        if (nsec < 0) {
            nsec += GT_NS_PER_SEC;
            sec = gt_wrap_sub(sec, 1);
        }
    }
    total = (unsigned __int128) (uint64_t) sec * GT_NS_PER_SEC + (uint64_t) nsec;
    r = (int64_t) (uint64_t) (total % (uint64_t) d);
    return neg && r != 0 ? d - r : r;
}

static bool less_than_half(int64_t x, int64_t y)
{
    return (uint64_t) x + (uint64_t) x < (uint64_t) y;
}

gt_time gt_time_truncate(gt_time t, int64_t d)
{
    strip_monotonic(&t);
    return d <= 0 ? t : gt_time_add(t, gt_wrap_neg(remainder_of(&t, d)));
}

gt_time gt_time_round(gt_time t, int64_t d)
{
    int64_t r;

    strip_monotonic(&t);
    if (d <= 0) {
        return t;
    }
    r = remainder_of(&t, d);
    return gt_time_add(t, less_than_half(r, d) ? -r : d - r);
}

int64_t gt_duration_truncate(int64_t d, int64_t m)
{
    return m <= 0 ? d : d - d % m;
}

int64_t gt_duration_round(int64_t d, int64_t m)
{
    int64_t r, moved;

    if (m <= 0) {
        return d;
    }
    r = d % m;
    if (d < 0) {
        r = -r;
        if (less_than_half(r, m)) {
            return d + r;
        }
        moved = gt_wrap_add(gt_wrap_sub(d, m), r);
        return moved < d ? moved : GT_MIN_DURATION;
    }
    if (less_than_half(r, m)) {
        return d - r;
    }
    moved = gt_wrap_sub(gt_wrap_add(d, m), r);
    return moved > d ? moved : GT_MAX_DURATION;
}

int64_t gt_duration_abs(int64_t d)
{
    return d >= 0 ? d : d == GT_MIN_DURATION ? GT_MAX_DURATION : -d;
}

double gt_duration_in(int64_t d, int64_t unit)
{
    return (double) (d / unit) + (double) (d % unit) / (double) unit;
}
