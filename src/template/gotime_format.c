#include <stdio.h>
#include <string.h>

#include "gotime.h"
#include "gotime_layout.h"
#include "wrap.h"

const char *const gt_long_months[12] = { "January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December" };
const char *const gt_long_weekdays[7] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday" };

/* --- taking layouts apart ----------------------------------------------------------------------------------------- */

/* The spellings, longest first where one begins with another. `lower`: not when a small letter follows (Month is no
 * Mon). */
static const struct spelling {
    const char         *text;
    enum gt_layout_kind kind;
    bool                lower;
    bool                z, minutes, seconds, colon;
} spellings[] = {
    { "January", GT_LAYOUT_LONG_MONTH, false, false, false, false, false },
    { "Jan", GT_LAYOUT_MONTH, true, false, false, false, false },
    { "Monday", GT_LAYOUT_LONG_WEEKDAY, false, false, false, false, false },
    { "Mon", GT_LAYOUT_WEEKDAY, true, false, false, false, false },
    { "MST", GT_LAYOUT_ZONE_NAME, false, false, false, false, false },
    { "01", GT_LAYOUT_ZERO_MONTH, false, false, false, false, false },
    { "02", GT_LAYOUT_ZERO_DAY, false, false, false, false, false },
    { "03", GT_LAYOUT_ZERO_HOUR12, false, false, false, false, false },
    { "04", GT_LAYOUT_ZERO_MINUTE, false, false, false, false, false },
    { "05", GT_LAYOUT_ZERO_SECOND, false, false, false, false, false },
    { "06", GT_LAYOUT_YEAR, false, false, false, false, false },
    { "002", GT_LAYOUT_ZERO_YDAY, false, false, false, false, false },
    { "15", GT_LAYOUT_HOUR, false, false, false, false, false },
    { "1", GT_LAYOUT_NUM_MONTH, false, false, false, false, false },
    { "2006", GT_LAYOUT_LONG_YEAR, false, false, false, false, false },
    { "2", GT_LAYOUT_DAY, false, false, false, false, false },
    { "_2006", GT_LAYOUT_LONG_YEAR, false, false, false, false, false }, /* a literal _ and the year */
    { "_2", GT_LAYOUT_UNDER_DAY, false, false, false, false, false },
    { "__2", GT_LAYOUT_UNDER_YDAY, false, false, false, false, false },
    { "3", GT_LAYOUT_HOUR12, false, false, false, false, false },
    { "4", GT_LAYOUT_MINUTE, false, false, false, false, false },
    { "5", GT_LAYOUT_SECOND, false, false, false, false, false },
    { "PM", GT_LAYOUT_PM, false, false, false, false, false },
    { "pm", GT_LAYOUT_pm, false, false, false, false, false },
    { "-070000", GT_LAYOUT_OFFSET, false, false, true, true, false },
    { "-07:00:00", GT_LAYOUT_OFFSET, false, false, true, true, true },
    { "-0700", GT_LAYOUT_OFFSET, false, false, true, false, false },
    { "-07:00", GT_LAYOUT_OFFSET, false, false, true, false, true },
    { "-07", GT_LAYOUT_OFFSET, false, false, false, false, false },
    { "Z070000", GT_LAYOUT_OFFSET, false, true, true, true, false },
    { "Z07:00:00", GT_LAYOUT_OFFSET, false, true, true, true, true },
    { "Z0700", GT_LAYOUT_OFFSET, false, true, true, false, false },
    { "Z07:00", GT_LAYOUT_OFFSET, false, true, true, false, true },
    { "Z07", GT_LAYOUT_OFFSET, false, true, false, false, false },
};

static bool is_digit(dsp_str s, size_t i)
{
    return i < s.len && s.data[i] >= '0' && s.data[i] <= '9';
}

/* A point or comma with a run of 0 or of 9 behind it, and no other digit after that. */
static bool fraction_at(dsp_str s, gt_layout_elem *e)
{
    size_t n = 1;

    if (s.len < 2 || (s.data[1] != '0' && s.data[1] != '9')) {
        return false;
    }
    while (n < s.len && s.data[n] == s.data[1]) {
        n++;
    }
    if (is_digit(s, n)) {
        return false;
    }
    e->kind = s.data[1] == '0' ? GT_LAYOUT_FRACTION_0 : GT_LAYOUT_FRACTION_9;
    e->digits = (n - 1) & 0xFFF; /* Go packs them into 12 bits */
    e->separator = s.data[0];
    e->text = dsp_str_sub(s, 0, n);
    return true;
}

static bool element_at(dsp_str s, gt_layout_elem *e)
{
    if (s.data[0] == '.' || s.data[0] == ',') {
        return fraction_at(s, e);
    }
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        const struct spelling *p = &spellings[i];
        size_t                 n = strlen(p->text);

        if (s.data[0] != p->text[0] || s.len < n || memcmp(s.data, p->text, n) != 0 ||
            (p->lower && s.len > n && s.data[n] >= 'a' && s.data[n] <= 'z')) {
            continue;
        }
        *e = (gt_layout_elem){ .kind = p->kind, .text = dsp_str_sub(s, 0, n), .z = p->z, .minutes = p->minutes,
                               .seconds = p->seconds, .colon = p->colon };
        return true;
    }
    return false;
}

gt_layout_elem gt_layout_next(dsp_str layout)
{
    gt_layout_elem e = { .kind = GT_LAYOUT_END };

    for (size_t i = 0; i < layout.len; i++) {
        if (memchr("JM012_345Pp-Z.,", layout.data[i], 15) == NULL ||
            !element_at(dsp_str_sub(layout, i, layout.len), &e)) {
            continue;
        }
        if (e.kind == GT_LAYOUT_LONG_YEAR && e.text.len == 5) {
            i++;
            e.text = dsp_str_sub(e.text, 1, 5);
        }
        e.prefix = dsp_str_sub(layout, 0, i);
        e.rest = dsp_str_sub(layout, i + e.text.len, layout.len);
        return e;
    }
    e.prefix = layout;
    return e;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* A number with at least `width` digits, or that many characters; a sign comes on top. Layouts can be long: not printf. */
static void add_number(dsp_buf *out, int64_t v, int width, char pad)
{
    char     text[24];
    size_t   i = sizeof(text);
    uint64_t u = v < 0 ? 0 - (uint64_t) v : (uint64_t) v;

    for (; u > 0 || i == sizeof(text); u /= 10) {
        text[--i] = (char) ('0' + u % 10);
    }
    while (sizeof(text) - i < (size_t) width) {
        text[--i] = pad;
    }
    if (v < 0) {
        text[--i] = '-';
    }
    dsp_buf_add(out, text + i, sizeof(text) - i);
}

static void add_int(dsp_buf *out, int64_t v, int width) { add_number(out, v, width, '0'); }
static void add_padded(dsp_buf *out, int v, int width) { add_number(out, v, width, ' '); }

static void add_offset(dsp_buf *out, int offset, const gt_layout_elem *e)
{
    int minutes = offset / 60;
    int seconds = offset;

    if (e->z && offset == 0) {
        dsp_buf_addc(out, 'Z');
        return;
    }
    if (minutes < 0) {
        dsp_buf_addc(out, '-');
        minutes = -minutes;
        seconds = -seconds;
    } else {
        dsp_buf_addc(out, '+'); /* so -30 seconds become +00:00:-30, as in Go */
    }
    add_int(out, minutes / 60, 2);
    if (e->minutes) {
        dsp_buf_addz(out, e->colon ? ":" : "");
        add_int(out, minutes % 60, 2);
    }
    if (e->seconds) {
        dsp_buf_addz(out, e->colon ? ":" : "");
        add_int(out, seconds % 60, 2);
    }
}

static void add_fraction(dsp_buf *out, int32_t nsec, const gt_layout_elem *e)
{
    bool   trim = e->kind == GT_LAYOUT_FRACTION_9;
    char   digits[16];
    size_t n = e->digits < 9 ? e->digits : 9;

    if (trim && (n == 0 || nsec == 0)) {
        return;
    }
    snprintf(digits, sizeof(digits), "%09d", (int) nsec);
    while (trim && n > 0 && digits[n - 1] == '0') {
        n--;
    }
    if (trim && n == 0) {
        return;
    }
    dsp_buf_addc(out, e->separator);
    dsp_buf_add(out, digits, n);
}

static int hour12(int hour)
{
    return hour % 12 == 0 ? 12 : hour % 12;
}

static void add_date_element(dsp_buf *out, const struct gt_civil *c, enum gt_layout_kind kind)
{
    const char *month = gt_long_months[c->month - 1], *weekday = gt_long_weekdays[c->weekday];

    switch (kind) {
    case GT_LAYOUT_YEAR: add_int(out, (c->year < 0 ? gt_wrap_neg(c->year) : c->year) % 100, 2); break;
    case GT_LAYOUT_LONG_YEAR: add_int(out, c->year, 4); break;
    case GT_LAYOUT_MONTH: dsp_buf_add(out, month, 3); break;
    case GT_LAYOUT_LONG_MONTH: dsp_buf_addz(out, month); break;
    case GT_LAYOUT_NUM_MONTH: add_int(out, c->month, 1); break;
    case GT_LAYOUT_ZERO_MONTH: add_int(out, c->month, 2); break;
    case GT_LAYOUT_WEEKDAY: dsp_buf_add(out, weekday, 3); break;
    case GT_LAYOUT_LONG_WEEKDAY: dsp_buf_addz(out, weekday); break;
    case GT_LAYOUT_DAY: add_int(out, c->day, 1); break;
    case GT_LAYOUT_UNDER_DAY: add_padded(out, c->day, 2); break;
    case GT_LAYOUT_ZERO_DAY: add_int(out, c->day, 2); break;
    case GT_LAYOUT_UNDER_YDAY: add_padded(out, c->yday, 3); break;
    case GT_LAYOUT_ZERO_YDAY: add_int(out, c->yday, 3); break;
    default: break;
    }
}

static void add_clock_element(dsp_buf *out, const struct gt_civil *c, enum gt_layout_kind kind)
{
    switch (kind) {
    case GT_LAYOUT_HOUR: add_int(out, c->hour, 2); break;
    case GT_LAYOUT_HOUR12: add_int(out, hour12(c->hour), 1); break;
    case GT_LAYOUT_ZERO_HOUR12: add_int(out, hour12(c->hour), 2); break;
    case GT_LAYOUT_MINUTE: add_int(out, c->min, 1); break;
    case GT_LAYOUT_ZERO_MINUTE: add_int(out, c->min, 2); break;
    case GT_LAYOUT_SECOND: add_int(out, c->sec, 1); break;
    case GT_LAYOUT_ZERO_SECOND: add_int(out, c->sec, 2); break;
    case GT_LAYOUT_PM: dsp_buf_addz(out, c->hour >= 12 ? "PM" : "AM"); break;
    case GT_LAYOUT_pm: dsp_buf_addz(out, c->hour >= 12 ? "pm" : "am"); break;
    default: break;
    }
}

static void add_zone_name(dsp_buf *out, const struct gt_civil *c)
{
    static const gt_layout_elem numeric = { .kind = GT_LAYOUT_OFFSET, .minutes = true };

    if (c->zone.len > 0) {
        dsp_buf_adds(out, c->zone);
    } else {
        add_offset(out, c->offset, &numeric);
    }
}

void gt_time_format(dsp_buf *out, const gt_time *t, dsp_str layout)
{
    struct gt_civil c = gt_time_civil(t);

    while (layout.len > 0 && !out->failed) {
        gt_layout_elem e = gt_layout_next(layout);

        dsp_buf_adds(out, e.prefix);
        switch (e.kind) {
        case GT_LAYOUT_END: return;
        case GT_LAYOUT_OFFSET: add_offset(out, c.offset, &e); break;
        case GT_LAYOUT_ZONE_NAME: add_zone_name(out, &c); break;
        case GT_LAYOUT_FRACTION_0:
        case GT_LAYOUT_FRACTION_9: add_fraction(out, t->nsec, &e); break;
        default:
            add_date_element(out, &c, e.kind);
            add_clock_element(out, &c, e.kind);
        }
        layout = e.rest;
    }
}

void gt_time_string(dsp_buf *out, const gt_time *t)
{
    uint64_t m = t->mono < 0 ? 0 - (uint64_t) t->mono : (uint64_t) t->mono;

    gt_time_format(out, t, DSP_STR("2006-01-02 15:04:05.999999999 -0700 MST"));
    if (t->monotonic) {
        dsp_buf_addf(out, " m=%c%llu.%09llu", t->mono < 0 ? '-' : '+', (unsigned long long) (m / GT_NS_PER_SEC),
                     (unsigned long long) (m % GT_NS_PER_SEC));
    }
}

const char *gt_time_strict(dsp_buf *out, const gt_time *t)
{
    struct gt_civil c = gt_time_civil(t);
    int             minutes = c.offset / 60;

    gt_time_format(out, t, DSP_STR(GT_RFC3339_NANO));
    if (c.year < 0 || c.year > 9999) {
        return "year outside of range [0,9999]";
    }
    if ((minutes < 0 ? -minutes : minutes) / 60 >= 24) {
        return "timezone hour outside of range [0,23]";
    }
    return NULL;
}

void gt_time_go_string(dsp_buf *out, const gt_time *t, const gt_location *local)
{
    struct gt_civil c = gt_time_civil(t);

    dsp_buf_addf(out, "time.Date(%lld, time.%s, %d, %d, %d, %d, %d, ", (long long) c.year, gt_long_months[c.month - 1],
                 c.day, c.hour, c.min, c.sec, (int) t->nsec);
    if (t->loc == NULL) {
        dsp_buf_addz(out, "time.UTC)");
    } else if (t->loc == local) {
        dsp_buf_addz(out, "time.Local)");
    } else {
        dsp_buf_addz(out, "time.Location(");
        gt_time_quote(out, t->loc->name);
        dsp_buf_addz(out, "))");
    }
}

static void add_name(dsp_buf *out, const char *const *names, int64_t first, int64_t n, const char *type, int64_t v)
{
    if (v >= first && v < first + n) {
        dsp_buf_addz(out, names[v - first]);
    } else {
        dsp_buf_addf(out, "%%!%s(%llu)", type, (unsigned long long) v);
    }
}

void gt_month_name(dsp_buf *out, int64_t month)
{
    add_name(out, gt_long_months, 1, 12, "Month", month);
}

void gt_weekday_name(dsp_buf *out, int64_t weekday)
{
    add_name(out, gt_long_weekdays, 0, 7, "Weekday", weekday);
}

void gt_time_quote(dsp_buf *out, dsp_str s)
{
    static const char hex[] = "0123456789abcdef";

    dsp_buf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char) s.data[i];

        if (ch >= 0x80 || ch < ' ') {
            dsp_buf_add(out, (char[]){ '\\', 'x', hex[ch >> 4], hex[ch & 15] }, 4);
        } else {
            if (ch == '"' || ch == '\\') {
                dsp_buf_addc(out, '\\');
            }
            dsp_buf_addc(out, (char) ch);
        }
    }
    dsp_buf_addc(out, '"');
}
