#include <string.h>

#include "gotime_fields.h"

/* --- numbers and names -------------------------------------------------------------------------------------------- */

static bool digit(dsp_str s, size_t i)
{
    return i < s.len && s.data[i] >= '0' && s.data[i] <= '9';
}

static void drop(dsp_str *s, size_t n)
{
    *s = dsp_str_sub(*s, n, s->len);
}

/* One or two digits (fixed: two). */
static bool take_num(dsp_str *s, bool fixed, int *out)
{
    *out = 0;
    if (!digit(*s, 0) || (fixed && !digit(*s, 1))) {
        return false;
    }
    if (!digit(*s, 1)) {
        *out = s->data[0] - '0';
        drop(s, 1);
        return true;
    }
    *out = (s->data[0] - '0') * 10 + (s->data[1] - '0');
    drop(s, 2);
    return true;
}

/* One to three digits (fixed: three). */
static bool take_num3(dsp_str *s, bool fixed, int *out)
{
    size_t n;

    *out = 0;
    for (n = 0; n < 3 && digit(*s, n); n++) {
        *out = *out * 10 + (s->data[n] - '0');
    }
    if (n == 0 || (fixed && n != 3)) {
        *out = 0;
        return false;
    }
    drop(s, n);
    return true;
}

bool gt_time_signed_num(dsp_str s, int64_t *out)
{
    bool    neg = s.len > 0 && s.data[0] == '-';
    int64_t v = 0;

    *out = 0;
    if (neg || (s.len > 0 && s.data[0] == '+')) {
        drop(&s, 1);
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!digit(s, i)) {
            return false;
        }
        v = v * 10 + (s.data[i] - '0');
    }
    *out = neg ? -v : v;
    return true;
}

/* Whether s begins with that name, ASCII letters in any case. */
static bool begins_with(dsp_str s, const char *name, size_t n)
{
    if (s.len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int a = (unsigned char) s.data[i], b = (unsigned char) name[i];

        if (a != b && ((a | 32) != (b | 32) || (a | 32) < 'a' || (a | 32) > 'z')) {
            return false;
        }
    }
    return true;
}

/* The index of the name (only its first `cut` letters, if not 0) in front of *s; -1: none. */
static int take_name(dsp_str *s, const char *const *names, int n, size_t cut)
{
    for (int i = 0; i < n; i++) {
        size_t len = cut != 0 ? cut : strlen(names[i]);

        if (begins_with(*s, names[i], len)) {
            drop(s, len);
            return i;
        }
    }
    return -1;
}

/* --- fractions ---------------------------------------------------------------------------------------------------- */

static bool separator(dsp_str s)
{
    return s.len > 0 && (s.data[0] == '.' || s.data[0] == ',');
}

/* The first n bytes of s, separator and digits, as nanoseconds; digits beyond the ninth are cut. */
static bool fraction(struct gt_time_fields *p, dsp_str s, size_t n)
{
    if (!separator(s)) {
        return false;
    }
    if (n > 10) {
        n = 10;
    }
    if (!gt_time_signed_num(dsp_str_sub(s, 1, n), &p->nsec)) {
        return false;
    }
    if (p->nsec < 0) {
        p->range = "fractional second";
        return true;
    }
    for (; n < 10; n++) {
        p->nsec *= 10;
    }
    return true;
}

static size_t fraction_len(dsp_str s)
{
    size_t n = 1;

    while (digit(s, n)) {
        n++;
    }
    return n;
}

static bool parse_fraction(struct gt_time_fields *p, const gt_layout_elem *e)
{
    size_t n = e->digits + 1;
    bool   ok;

    if (e->kind == GT_LAYOUT_FRACTION_9) {
        if (!separator(p->value) || !digit(p->value, 1)) {
            return true; /* left out */
        }
        n = fraction_len(p->value);
    } else if (p->value.len < n) {
        return false;
    }
    ok = fraction(p, p->value, n);
    drop(&p->value, n);
    return ok;
}

/* --- zones -------------------------------------------------------------------------------------------------------- */

/* +03, -11: the length of a sign and a number up to 23 in front of s, or 0. */
static size_t signed_offset_len(dsp_str s)
{
    size_t n;
    int    v = 0;

    if (s.len == 0 || (s.data[0] != '+' && s.data[0] != '-')) {
        return 0;
    }
    for (n = 1; digit(s, n); n++) {
        if (v <= 23) {
            v = v * 10 + (s.data[n] - '0');
        }
    }
    return n == 1 || v > 23 ? 0 : n;
}

/* The length of what looks like a zone's abbreviation in front of s, or 0. */
static size_t abbreviation_len(dsp_str s)
{
    size_t upper = 0;

    if (s.len < 3) {
        return 0;
    }
    if (dsp_str_has_prefix(s, DSP_STR("ChST")) || dsp_str_has_prefix(s, DSP_STR("MeST"))) {
        return 4;
    }
    if (dsp_str_has_prefix(s, DSP_STR("GMT"))) {
        return 3 + signed_offset_len(dsp_str_sub(s, 3, s.len));
    }
    if (s.data[0] == '+' || s.data[0] == '-') {
        return signed_offset_len(s);
    }
    while (upper < 6 && upper < s.len && s.data[upper] >= 'A' && s.data[upper] <= 'Z') {
        upper++;
    }
    if (upper == 5 && s.data[4] == 'T') {
        return 5;
    }
    if (upper == 4 && (s.data[3] == 'T' || dsp_str_has_prefix(s, DSP_STR("WITA")))) {
        return 4;
    }
    return upper == 3 ? 3 : 0;
}

static bool parse_zone_name(struct gt_time_fields *p)
{
    size_t n;

    if (dsp_str_has_prefix(p->value, DSP_STR("UTC"))) {
        p->utc = true;
        drop(&p->value, 3);
        return true;
    }
    n = abbreviation_len(p->value);
    if (n == 0) {
        return false;
    }
    p->zone = dsp_str_sub(p->value, 0, n);
    drop(&p->value, n);
    return true;
}

/* ±hh, ±hhmm, ±hh:mm, ±hhmmss, ±hh:mm:ss. The range tests allow 24 hours and 60 minutes, as some people write. */
static bool parse_offset(struct gt_time_fields *p, const gt_layout_elem *e)
{
    dsp_str v = p->value, part;
    size_t  gap = e->colon ? 1 : 0;
    size_t  minutes_at = 3 + gap, seconds_at = minutes_at + 2 + gap;
    size_t  len = e->seconds ? seconds_at + 2 : e->minutes ? minutes_at + 2 : 3;
    int     hours, minutes = 0, seconds = 0;
    bool    ok;

    if (e->z && v.len > 0 && v.data[0] == 'Z') {
        drop(&p->value, 1);
        p->utc = true;
        return true;
    }
    if (v.len < len || (e->colon && v.data[3] != ':') || (e->colon && e->seconds && v.data[6] != ':')) {
        return false;
    }
    drop(&p->value, len);
    part = dsp_str_sub(v, 1, 3);
    ok = take_num(&part, true, &hours);
    if (ok && e->minutes) {
        part = dsp_str_sub(v, minutes_at, minutes_at + 2);
        ok = take_num(&part, true, &minutes);
    }
    if (ok && e->seconds) {
        part = dsp_str_sub(v, seconds_at, seconds_at + 2);
        ok = take_num(&part, true, &seconds);
    }
    if (hours > 24) {
        p->range = "time zone offset hour";
    }
    if (minutes > 60) {
        p->range = "time zone offset minute";
    }
    if (seconds > 60) {
        p->range = "time zone offset second";
    }
    p->offset = (hours * 60 + minutes) * 60 + seconds;
    if (v.data[0] == '-') {
        p->offset = -p->offset;
    }
    return ok && (v.data[0] == '-' || v.data[0] == '+');
}

/* --- date and clock ----------------------------------------------------------------------------------------------- */

static bool parse_year(struct gt_time_fields *p, enum gt_layout_kind kind)
{
    size_t  n = kind == GT_LAYOUT_YEAR ? 2 : 4;
    dsp_str text = dsp_str_sub(p->value, 0, n);

    if (p->value.len < n || (n == 4 && !digit(p->value, 0))) {
        return false;
    }
    drop(&p->value, n);
    if (!gt_time_signed_num(text, &p->year)) {
        return false;
    }
    if (n == 2) {
        p->year += p->year >= 69 ? 1900 : 2000;
    }
    return true;
}

static bool parse_month(struct gt_time_fields *p, enum gt_layout_kind kind)
{
    if (kind == GT_LAYOUT_MONTH || kind == GT_LAYOUT_LONG_MONTH) {
        p->month = take_name(&p->value, gt_long_months, 12, kind == GT_LAYOUT_MONTH ? 3 : 0) + 1;
        return p->month > 0;
    }
    if (!take_num(&p->value, kind == GT_LAYOUT_ZERO_MONTH, &p->month)) {
        return false;
    }
    if (p->month < 1 || p->month > 12) {
        p->range = "month";
    }
    return true;
}

static void drop_padding(struct gt_time_fields *p, int n)
{
    while (n-- > 0 && p->value.len > 0 && p->value.data[0] == ' ') {
        drop(&p->value, 1);
    }
}

static bool parse_date_element(struct gt_time_fields *p, enum gt_layout_kind kind)
{
    switch (kind) {
    case GT_LAYOUT_YEAR:
    case GT_LAYOUT_LONG_YEAR: return parse_year(p, kind);
    case GT_LAYOUT_MONTH:
    case GT_LAYOUT_LONG_MONTH:
    case GT_LAYOUT_NUM_MONTH:
    case GT_LAYOUT_ZERO_MONTH: return parse_month(p, kind);
    case GT_LAYOUT_WEEKDAY: return take_name(&p->value, gt_long_weekdays, 7, 3) >= 0;
    case GT_LAYOUT_LONG_WEEKDAY: return take_name(&p->value, gt_long_weekdays, 7, 0) >= 0;
    case GT_LAYOUT_UNDER_DAY: drop_padding(p, 1); return take_num(&p->value, false, &p->day);
    case GT_LAYOUT_DAY: return take_num(&p->value, false, &p->day);
    case GT_LAYOUT_ZERO_DAY: return take_num(&p->value, true, &p->day);
    case GT_LAYOUT_UNDER_YDAY: drop_padding(p, 2); return take_num3(&p->value, false, &p->yday);
    default: return take_num3(&p->value, true, &p->yday);
    }
}

/* Seconds may have a fraction behind them that the layout does not speak of. */
static bool parse_second(struct gt_time_fields *p, const gt_layout_elem *e)
{
    enum gt_layout_kind next;
    size_t              n;
    bool                ok;

    if (!take_num(&p->value, e->kind == GT_LAYOUT_ZERO_SECOND, &p->sec)) {
        return false;
    }
    if (p->sec >= 60) {
        p->range = "second";
        return true;
    }
    if (!separator(p->value) || !digit(p->value, 1)) {
        return true;
    }
    next = gt_layout_next(e->rest).kind;
    if (next == GT_LAYOUT_FRACTION_0 || next == GT_LAYOUT_FRACTION_9) {
        return true;
    }
    n = fraction_len(p->value);
    ok = fraction(p, p->value, n);
    drop(&p->value, n);
    return ok;
}

static bool parse_meridiem(struct gt_time_fields *p, const char *am, const char *pm)
{
    dsp_str text = dsp_str_sub(p->value, 0, 2);

    if (p->value.len < 2) {
        return false;
    }
    drop(&p->value, 2);
    if (dsp_str_is(text, pm)) {
        p->pm = true;
    } else if (dsp_str_is(text, am)) {
        p->am = true;
    } else {
        return false;
    }
    return true;
}

static bool parse_clock_element(struct gt_time_fields *p, const gt_layout_elem *e)
{
    bool ok;

    switch (e->kind) {
    case GT_LAYOUT_HOUR:
        ok = take_num(&p->value, false, &p->hour);
        p->range = p->hour >= 24 ? "hour" : p->range;
        return ok;
    case GT_LAYOUT_HOUR12:
    case GT_LAYOUT_ZERO_HOUR12:
        ok = take_num(&p->value, e->kind == GT_LAYOUT_ZERO_HOUR12, &p->hour);
        p->range = p->hour > 12 ? "hour" : p->range;
        return ok;
    case GT_LAYOUT_MINUTE:
    case GT_LAYOUT_ZERO_MINUTE:
        ok = take_num(&p->value, e->kind == GT_LAYOUT_ZERO_MINUTE, &p->min);
        p->range = p->min >= 60 ? "minute" : p->range;
        return ok;
    case GT_LAYOUT_SECOND:
    case GT_LAYOUT_ZERO_SECOND: return parse_second(p, e);
    case GT_LAYOUT_PM: return parse_meridiem(p, "AM", "PM");
    default: return parse_meridiem(p, "am", "pm");
    }
}

bool gt_time_parse_element(struct gt_time_fields *p, const gt_layout_elem *e)
{
    switch (e->kind) {
    case GT_LAYOUT_OFFSET: return parse_offset(p, e);
    case GT_LAYOUT_ZONE_NAME: return parse_zone_name(p);
    case GT_LAYOUT_FRACTION_0:
    case GT_LAYOUT_FRACTION_9: return parse_fraction(p, e);
    case GT_LAYOUT_HOUR:
    case GT_LAYOUT_HOUR12:
    case GT_LAYOUT_ZERO_HOUR12:
    case GT_LAYOUT_MINUTE:
    case GT_LAYOUT_ZERO_MINUTE:
    case GT_LAYOUT_SECOND:
    case GT_LAYOUT_ZERO_SECOND:
    case GT_LAYOUT_PM:
    case GT_LAYOUT_pm: return parse_clock_element(p, e);
    default: return parse_date_element(p, e->kind);
    }
}
