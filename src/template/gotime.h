/*
 * Go's package time (1.26): moments, calendar arithmetic, layouts, durations. The clock is the caller's.
 *
 * All arithmetic wraps around or saturates where Go's does, so any int64 is a valid argument.
 */
#ifndef DSP_TEMPLATE_GOTIME_H
#define DSP_TEMPLATE_GOTIME_H

#include "base/arena.h"
#include "base/buf.h"
#include "tzif.h"

/* Go's time.Time. All zeros is the zero time, 0001-01-01 00:00:00 UTC. */
typedef struct gt_time {
    int64_t            sec;  /* since 0001-01-01 00:00:00 UTC */
    int32_t            nsec; /* 0..999999999 */
    bool               monotonic;
    int64_t            mono; /* nanoseconds of the monotonic clock, where `monotonic` */
    const gt_location *loc;  /* NULL: UTC */
} gt_time;

#define GT_NS_PER_SEC 1000000000
#define GT_MAX_DURATION INT64_MAX
#define GT_MIN_DURATION INT64_MIN

/* --- moments ------------------------------------------------------------------------------------------------------ */

/* time.Unix(sec, nsec).In(loc) */
gt_time gt_time_unix(int64_t sec, int64_t nsec, const gt_location *loc);
/* A reading of the clock as time.Now() gives it. */
gt_time gt_time_now(int64_t unix_ns, int64_t mono_ns, const gt_location *loc);
/* time.Date: any field may be out of its range and is carried over. */
gt_time gt_time_date(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t min, int64_t sec, int64_t nsec,
                     const gt_location *loc);

int64_t gt_time_unix_sec(const gt_time *t);
/* t.In(loc); loss of the monotonic reading included. */
gt_time gt_time_in(gt_time t, const gt_location *loc);
gt_time gt_time_add(gt_time t, int64_t duration);
gt_time gt_time_add_date(gt_time t, int64_t years, int64_t months, int64_t days);
int64_t gt_time_sub(gt_time t, gt_time u); /* a duration, saturated */
gt_time gt_time_round(gt_time t, int64_t duration);
gt_time gt_time_truncate(gt_time t, int64_t duration);
int     gt_time_compare(const gt_time *t, const gt_time *u); /* -1, 0, 1 */
bool    gt_time_is_zero(const gt_time *t);

/* What the clock on the wall and the calendar show at that moment in its location. */
struct gt_civil {
    int64_t year;
    int     month;   /* 1..12 */
    int     day;     /* 1..31 */
    int     yday;    /* 1..366 */
    int     weekday; /* 0 (Sunday)..6 */
    int     hour, min, sec;
    int     offset;  /* seconds east of UTC */
    dsp_str zone;    /* abbreviation, may be empty */
};

struct gt_civil gt_time_civil(const gt_time *t);
/* The weekday of a date and so on need no location: */
bool gt_is_leap(int64_t year);
int  gt_days_in(int month, int64_t year);
int  gt_days_before(int month); /* … of a year that is no leap year */
/* Year and day of the year (1..366) of a moment in UTC: for the rules of zones. */
void gt_unix_year_day(int64_t unix_sec, int64_t *year, int *yday);

/* January…, Sunday…; the number in %!Month(13) where it is none. */
void gt_month_name(dsp_buf *out, int64_t month);
void gt_weekday_name(dsp_buf *out, int64_t weekday);

/* --- layouts ------------------------------------------------------------------------------------------------------ */

#define GT_RFC3339_NANO "2006-01-02T15:04:05.999999999Z07:00"

void gt_time_format(dsp_buf *out, const gt_time *t, dsp_str layout);
/* t.String(), with " m=+0.000012345" where there is a monotonic reading. */
void gt_time_string(dsp_buf *out, const gt_time *t);
/* t.GoString(): what %#v prints. local: the location that is Go's time.Local. */
void gt_time_go_string(dsp_buf *out, const gt_time *t, const gt_location *local);
/* RFC 3339 as MarshalText and MarshalJSON write it (without quotes); NULL, or why Go refuses. */
const char *gt_time_strict(dsp_buf *out, const gt_time *t);

/*
 * time.ParseInLocation(layout, value, local). A location that has to be made for the value (a bare offset) is taken
 * from the arena. On failure *out is the zero time and error (may be NULL) has Go's text; error is left empty when the
 * arena is full.
 */
bool gt_time_parse(dsp_arena *a, dsp_str layout, dsp_str value, const gt_location *local, gt_time *out, dsp_buf *error);

/* --- durations (nanoseconds) -------------------------------------------------------------------------------------- */

void    gt_duration_string(dsp_buf *out, int64_t d);
bool    gt_duration_parse(dsp_str s, int64_t *out, dsp_buf *error); /* *out is 0 on failure; error may be NULL */
int64_t gt_duration_round(int64_t d, int64_t m);
int64_t gt_duration_truncate(int64_t d, int64_t m);
int64_t gt_duration_abs(int64_t d);
double  gt_duration_in(int64_t d, int64_t unit); /* Hours(), Minutes(), Seconds() */

/* Go's time.quote: for names and values in error texts and GoString. */
void gt_time_quote(dsp_buf *out, dsp_str s);

#endif
