#include "tzif.h"

#include <string.h>

#include "gotime.h"
#include "wrap.h"

enum {
    MINUTE = 60,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR
};

const gt_location gt_utc = { .name = { "UTC", 3 } };

/* --- the rule of the footer: std offset [dst [offset] [,start[/time],end[/time]]] --------------------------------- */

struct rule {
    enum {
        RULE_JULIAN, /* Jn: day 1..365, never 29 February */
        RULE_DAY,    /* n: day 0..365 */
        RULE_WEEKDAY /* Mm.w.d */
    } kind;
    int day, week, month;
    int time; /* seconds after midnight */
};

static bool take_name(dsp_str *s, dsp_str *name)
{
    size_t i;

    if (s->len > 0 && s->data[0] == '<') {
        i = dsp_str_find(*s, '>');
        if (i == s->len) {
            return false;
        }
        *name = dsp_str_sub(*s, 1, i);
        *s = dsp_str_sub(*s, i + 1, s->len);
        return true;
    }
    for (i = 0; i < s->len && memchr("0123456789,-+", s->data[i], 13) == NULL; i++) {
    }
    if (i < 3) {
        return false;
    }
    *name = dsp_str_sub(*s, 0, i);
    *s = dsp_str_sub(*s, i, s->len);
    return true;
}

static bool take_number(dsp_str *s, int min, int max, int *out)
{
    size_t i;
    int    n = 0;

    for (i = 0; i < s->len && s->data[i] >= '0' && s->data[i] <= '9'; i++) {
        n = n * 10 + (s->data[i] - '0');
        if (n > max) {
            return false;
        }
    }
    if (i == 0 || n < min) {
        return false;
    }
    *s = dsp_str_sub(*s, i, s->len);
    *out = n;
    return true;
}

static bool take_char(dsp_str *s, char c)
{
    if (s->len == 0 || s->data[0] != c) {
        return false;
    }
    *s = dsp_str_sub(*s, 1, s->len);
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds; up to 167 hours (RFC 8536, 3.3.1). */
static bool take_offset(dsp_str *s, int *out)
{
    bool neg = take_char(s, '-');
    int  hours, minutes = 0, seconds = 0;

    if (!neg) {
        take_char(s, '+');
    }
    if (!take_number(s, 0, 24 * 7, &hours)) {
        return false;
    }
    if (take_char(s, ':')) {
        if (!take_number(s, 0, 59, &minutes)) {
            return false;
        }
        if (take_char(s, ':') && !take_number(s, 0, 59, &seconds)) {
            return false;
        }
    }
    *out = hours * HOUR + minutes * MINUTE + seconds;
    if (neg) {
        *out = -*out;
    }
    return true;
}

static bool take_rule(dsp_str *s, struct rule *r)
{
    bool ok;

    *r = (struct rule){ .time = 2 * HOUR };
    if (take_char(s, 'J')) {
        r->kind = RULE_JULIAN;
        ok = take_number(s, 1, 365, &r->day);
    } else if (take_char(s, 'M')) {
        r->kind = RULE_WEEKDAY;
        ok = take_number(s, 1, 12, &r->month) && take_char(s, '.') && take_number(s, 1, 5, &r->week) &&
             take_char(s, '.') && take_number(s, 0, 6, &r->day);
    } else {
        r->kind = RULE_DAY;
        ok = take_number(s, 0, 365, &r->day);
    }
    if (!ok) {
        return false;
    }
    return !take_char(s, '/') || take_offset(s, &r->time);
}

/* Day of the year (from 0) on which a weekday rule falls: Zeller's congruence for the month's first day. */
static int weekday_rule_day(int64_t year, const struct rule *r)
{
    int     m1 = (r->month + 9) % 12 + 1;
    int64_t yy0 = r->month <= 2 ? year - 1 : year;
    int64_t yy1 = yy0 / 100, yy2 = yy0 % 100;
    int     dow = (int) (((26 * m1 - 2) / 10 + 1 + yy2 + yy2 / 4 + yy1 / 4 - 2 * yy1) % 7);
    int     d;

    if (dow < 0) {
        dow += 7;
    }
    d = r->day - dow;
    if (d < 0) {
        d += 7;
    }
    for (int i = 1; i < r->week && d + 7 < gt_days_in(r->month, year); i++) {
        d += 7;
    }
    d += gt_days_before(r->month);
    return gt_is_leap(year) && r->month > 2 ? d + 1 : d;
}

/* Seconds from the start of the year (UTC) to the moment at which the rule applies in a zone of that offset. */
static int rule_time(int64_t year, const struct rule *r, int offset)
{
    int day = r->day;

    if (r->kind == RULE_JULIAN) {
        day = r->day - 1 + (gt_is_leap(year) && r->day >= 60 ? 1 : 0);
    } else if (r->kind == RULE_WEEKDAY) {
        day = weekday_rule_day(year, r);
    }
    return day * DAY + r->time - offset;
}

/* Both rules' times in the year of `sec`, and which side of them it is on. */
static void apply_rules(int64_t sec, const struct rule *start, const struct rule *end, struct gt_zone std,
                        struct gt_zone dst, struct gt_zone_span *out)
{
    int64_t year, ysec, ystart, from, to;
    int     yday;

    gt_unix_year_day(sec, &year, &yday);
    ysec = (int64_t) (yday - 1) * DAY + sec % DAY;
    ystart = gt_wrap_sub(sec, ysec);
    from = rule_time(year, start, std.offset);
    to = rule_time(year, end, dst.offset);
    if (to < from) { /* the southern half: the year begins and ends in summer */
        int64_t        swap = from;
        struct gt_zone zone = std;

        from = to;
        to = swap;
        std = dst;
        dst = zone;
    }
    if (ysec < from) {
        *out = (struct gt_zone_span){ std.name, std.offset, std.dst, ystart, gt_wrap_add(ystart, from) };
    } else if (ysec >= to) {
        *out = (struct gt_zone_span){ std.name, std.offset, std.dst, gt_wrap_add(ystart, to),
                                       gt_wrap_add(ystart, 365 * (int64_t) DAY) };
    } else {
        *out = (struct gt_zone_span){dst.name, dst.offset, dst.dst, gt_wrap_add(ystart, from), gt_wrap_add(ystart, to)};
    }
}

static bool extend(dsp_str s, int64_t last_change, int64_t sec, struct gt_zone_span *out)
{
    struct gt_zone std = { .dst = false }, dst = { .dst = true };
    struct rule    start, end;

    if (!take_name(&s, &std.name) || !take_offset(&s, &std.offset)) {
        return false;
    }
    std.offset = -std.offset; /* POSIX counts to the west */
    if (s.len == 0 || s.data[0] == ',') {
        *out = (struct gt_zone_span){ std.name, std.offset, false, last_change, INT64_MAX };
        return true;
    }
    if (!take_name(&s, &dst.name)) {
        return false;
    }
    if (s.len == 0 || s.data[0] == ',') {
        dst.offset = std.offset + HOUR;
    } else {
        if (!take_offset(&s, &dst.offset)) {
            return false;
        }
        dst.offset = -dst.offset;
    }
    if (s.len == 0) {
        s = DSP_STR(",M3.2.0,M11.1.0"); /* what POSIX leaves open, and everybody fills so */
    }
    if (!take_char(&s, ',') && !take_char(&s, ';')) {
        return false;
    }
    if (!take_rule(&s, &start) || !take_char(&s, ',') || !take_rule(&s, &end) || s.len > 0) {
        return false;
    }
    apply_rules(sec, &start, &end, std, dst, out);
    return true;
}

/* --- looking up --------------------------------------------------------------------------------------------------- */

/* The zone before the first change (Go: lookupFirstZone). */
static size_t first_zone(const gt_location *l)
{
    size_t i;

    for (i = 0; i < l->n_changes && l->changes[i].zone != 0; i++) {
    }
    if (i == l->n_changes) {
        return 0; /* no change leads to the first zone: it must be for this time */
    }
    if (l->n_changes > 0 && l->zones[l->changes[0].zone].dst) {
        for (i = l->changes[0].zone; i-- > 0;) {
            if (!l->zones[i].dst) {
                return i;
            }
        }
    }
    for (i = 0; i < l->n_zones; i++) {
        if (!l->zones[i].dst) {
            return i;
        }
    }
    return 0;
}

struct gt_zone_span gt_location_at(const gt_location *l, int64_t sec)
{
    const struct gt_zone *z;
    struct gt_zone_span   span;
    size_t                lo = 0, hi;
    int64_t               end = INT64_MAX;

    if (l == NULL || l->n_zones == 0) {
        return (struct gt_zone_span){ gt_utc.name, 0, false, INT64_MIN, INT64_MAX };
    }
    if (l->n_changes == 0 || sec < l->changes[0].when) {
        z = &l->zones[first_zone(l)];
        end = l->n_changes > 0 ? l->changes[0].when : INT64_MAX;
        return (struct gt_zone_span){ z->name, z->offset, z->dst, INT64_MIN, end };
    }
    for (hi = l->n_changes; hi - lo > 1;) {
        size_t m = lo + (hi - lo) / 2;

        if (sec < l->changes[m].when) {
            end = l->changes[m].when;
            hi = m;
        } else {
            lo = m;
        }
    }
    if (lo == l->n_changes - 1 && l->extend.len > 0 && extend(l->extend, l->changes[lo].when, sec, &span)) {
        return span;
    }
    z = &l->zones[l->changes[lo].zone];
    return (struct gt_zone_span){ z->name, z->offset, z->dst, l->changes[lo].when, end };
}

bool gt_location_by_abbreviation(const gt_location *l, dsp_str name, int64_t wall, int *offset)
{
    if (l == NULL) {
        return false;
    }
    for (size_t i = 0; i < l->n_zones; i++) {
        if (dsp_str_eq(l->zones[i].name, name)) {
            struct gt_zone_span span = gt_location_at(l, gt_wrap_sub(wall, l->zones[i].offset));

            if (dsp_str_eq(span.name, name)) {
                *offset = span.offset;
                return true;
            }
        }
    }
    for (size_t i = 0; i < l->n_zones; i++) {
        if (dsp_str_eq(l->zones[i].name, name)) {
            *offset = l->zones[i].offset;
            return true;
        }
    }
    return false;
}

bool gt_location_fixed(dsp_arena *a, dsp_str name, int offset, gt_location *out)
{
    struct gt_zone        *zone = dsp_arena_alloc(a, sizeof(*zone));
    struct gt_zone_change *change = dsp_arena_alloc(a, sizeof(*change));

    if (zone == NULL || change == NULL) {
        return false;
    }
    *zone = (struct gt_zone){ name, offset, false };
    *change = (struct gt_zone_change){ INT64_MIN, 0 };
    *out = (gt_location){ .name = name, .zones = zone, .n_zones = 1, .changes = change, .n_changes = 1 };
    return true;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

struct reader {
    dsp_str rest;
    bool    failed;
};

static dsp_str take(struct reader *r, uint64_t n)
{
    dsp_str s;

    if (n > r->rest.len) {
        r->failed = true;
        r->rest = (dsp_str){ "", 0 };
        return r->rest;
    }
    s = dsp_str_sub(r->rest, 0, (size_t) n);
    r->rest = dsp_str_sub(r->rest, (size_t) n, r->rest.len);
    return s;
}

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        v = v << 8 | (unsigned char) p[i];
    }
    return v;
}

/* The six counts of a header, in their order in the file. */
enum {
    N_UT_LOCAL,
    N_STD_WALL,
    N_LEAP,
    N_TIME,
    N_ZONE,
    N_CHAR,
    N_COUNTS
};

static void take_counts(struct reader *r, uint64_t n[N_COUNTS])
{
    dsp_str s = take(r, N_COUNTS * 4);

    for (size_t i = 0; i < N_COUNTS; i++) {
        n[i] = r->failed ? 0 : big_endian(s.data + i * 4, 4);
    }
}

static dsp_str until_nul(dsp_str s)
{
    return dsp_str_sub(s, 0, dsp_str_find(s, '\0'));
}

static bool read_zones(struct gt_zone *zones, size_t n, dsp_str data, dsp_str names)
{
    for (size_t i = 0; i < n; i++) {
        const char *p = data.data + i * 6;
        size_t      name = (unsigned char) p[5];

        if (name >= names.len) {
            return false;
        }
        zones[i].offset = (int32_t) (uint32_t) big_endian(p, 4);
        zones[i].dst = p[4] != 0;
        zones[i].name = until_nul(dsp_str_sub(names, name, names.len));
    }
    return true;
}

static bool read_changes(struct gt_zone_change *changes, size_t n, dsp_str times, dsp_str zones, size_t n_zones,
                         size_t width)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t when = big_endian(times.data + i * width, width);

        changes[i].when = width == 4 ? (int32_t) (uint32_t) when : (int64_t) when;
        changes[i].zone = (uint8_t) zones.data[i];
        if (changes[i].zone >= n_zones) {
            return false;
        }
    }
    return true;
}

/* The body that the counts describe, with times of that many bytes, and the footer. */
static enum gt_tzif_result read_body(dsp_arena *a, struct reader *r, const uint64_t n[N_COUNTS], size_t width,
                                     gt_location *out)
{
    dsp_str                times = take(r, n[N_TIME] * width);
    dsp_str                indexes = take(r, n[N_TIME]);
    dsp_str                zone_data = take(r, n[N_ZONE] * 6);
    dsp_str                names = take(r, n[N_CHAR]);
    size_t                 n_changes = (size_t) n[N_TIME], n_zones = (size_t) n[N_ZONE];
    struct gt_zone        *zones;
    struct gt_zone_change *changes;

    take(r, n[N_LEAP] * (width + 4));
    take(r, n[N_STD_WALL]);
    take(r, n[N_UT_LOCAL]);
    if (r->failed || n_zones == 0) {
        return GT_TZIF_MALFORMED;
    }
    zones = dsp_arena_calloc(a, n_zones, sizeof(*zones));
    changes = dsp_arena_calloc(a, n_changes + 1, sizeof(*changes));
    if (zones == NULL || changes == NULL) {
        return GT_TZIF_NO_MEMORY;
    }
    if (!read_zones(zones, n_zones, zone_data, names) ||
        !read_changes(changes, n_changes, times, indexes, n_zones, width)) {
        return GT_TZIF_MALFORMED;
    }
    if (n_changes == 0) {
        changes[n_changes++] = (struct gt_zone_change){ INT64_MIN, 0 };
    }
    out->zones = zones;
    out->n_zones = n_zones;
    out->changes = changes;
    out->n_changes = n_changes;
    if (r->rest.len > 2 && r->rest.data[0] == '\n' && r->rest.data[r->rest.len - 1] == '\n') {
        out->extend = dsp_str_sub(r->rest, 1, r->rest.len - 1);
    }
    return GT_TZIF_OK;
}

enum gt_tzif_result gt_tzif_parse(dsp_arena *a, dsp_str name, dsp_str data, gt_location *out)
{
    struct reader r = { .rest = data };
    dsp_str       magic = take(&r, 4);
    dsp_str       version = take(&r, 16);
    uint64_t      n[N_COUNTS];
    size_t        width = 4;

    *out = (gt_location){ .name = name };
    if (r.failed || !dsp_str_eq(magic, DSP_STR("TZif")) || memchr("\0" "23", version.data[0], 3) == NULL) {
        return GT_TZIF_MALFORMED;
    }
    take_counts(&r, n);
    if (version.data[0] != 0) { /* the same again with 64 bits, which is what counts */
        take(&r, n[N_TIME] * 5 + n[N_ZONE] * 6 + n[N_CHAR] + n[N_LEAP] * 8 + n[N_STD_WALL] + n[N_UT_LOCAL]);
        take(&r, 20);
        take_counts(&r, n);
        width = 8;
    }
    return r.failed ? GT_TZIF_MALFORMED : read_body(a, &r, n, width, out);
}
