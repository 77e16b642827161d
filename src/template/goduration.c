#include <string.h>

#include "gotime.h"

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* v / 10^digits with its fraction, zeros at the end left out. */
static void add_decimal(dsp_buf *out, uint64_t v, int digits)
{
    uint64_t unit = 1, fraction;

    for (int i = 0; i < digits; i++) {
        unit *= 10;
    }
    fraction = v % unit;
    dsp_buf_addf(out, "%llu", (unsigned long long) (v / unit));
    if (fraction == 0) {
        return;
    }
    while (fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    dsp_buf_addf(out, ".%0*llu", digits, (unsigned long long) fraction);
}

void gt_duration_string(dsp_buf *out, int64_t d)
{
    uint64_t u = d < 0 ? 0 - (uint64_t) d : (uint64_t) d;
    uint64_t minutes = u / GT_NS_PER_SEC / 60;

    if (d < 0) {
        dsp_buf_addc(out, '-');
    }
    if (u == 0) {
        dsp_buf_addz(out, "0s");
    } else if (u < 1000) {
        dsp_buf_addf(out, "%lluns", (unsigned long long) u);
    } else if (u < 1000000) {
        add_decimal(out, u, 3);
        dsp_buf_addz(out, "\xC2\xB5s"); /* U+00B5, micro */
    } else if (u < GT_NS_PER_SEC) {
        add_decimal(out, u, 6);
        dsp_buf_addz(out, "ms");
    } else {
        if (minutes >= 60) {
            dsp_buf_addf(out, "%lluh", (unsigned long long) (minutes / 60));
        }
        if (minutes > 0) {
            dsp_buf_addf(out, "%llum", (unsigned long long) (minutes % 60));
        }
        add_decimal(out, u - minutes * 60 * GT_NS_PER_SEC, 9);
        dsp_buf_addc(out, 's');
    }
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

#define TOO_LARGE (UINT64_C(1) << 63)

static bool digit(dsp_str s, size_t i)
{
    return i < s.len && s.data[i] >= '0' && s.data[i] <= '9';
}

/* The digits in front of *s; false when they are more than 2^63. */
static bool take_integer(dsp_str *s, uint64_t *out)
{
    uint64_t v = 0;
    size_t   i;

    for (i = 0; digit(*s, i); i++) {
        if (v > TOO_LARGE / 10) {
            return false;
        }
        v = v * 10 + (uint64_t) (s->data[i] - '0');
        if (v > TOO_LARGE) {
            return false;
        }
    }
    *s = dsp_str_sub(*s, i, s->len);
    *out = v;
    return true;
}

/* The digits behind a point: fraction / scale. Digits that do not fit any more are dropped. */
static void take_fraction(dsp_str *s, uint64_t *fraction, double *scale)
{
    uint64_t v = 0;
    bool     full = false;
    size_t   i;

    *scale = 1;
    for (i = 0; digit(*s, i); i++) {
        uint64_t next;

        if (full || v > (TOO_LARGE - 1) / 10) {
            full = true;
            continue;
        }
        next = v * 10 + (uint64_t) (s->data[i] - '0');
        if (next > TOO_LARGE) {
            full = true;
            continue;
        }
        v = next;
        *scale *= 10;
    }
    *s = dsp_str_sub(*s, i, s->len);
    *fraction = v;
}

static uint64_t unit_of(dsp_str s)
{
    static const struct {
        const char *name;
        uint64_t    ns;
    } units[] = {
        { "ns", 1 },
        { "us", 1000 },
        { "\xC2\xB5s", 1000 }, /* U+00B5 micro */
        { "\xCE\xBCs", 1000 }, /* U+03BC mu */
        { "ms", 1000000 },
        { "s", GT_NS_PER_SEC },
        { "m", UINT64_C(60) * GT_NS_PER_SEC },
        { "h", UINT64_C(3600) * GT_NS_PER_SEC },
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (dsp_str_is(s, units[i].name)) {
            return units[i].ns;
        }
    }
    return 0;
}

enum fault {
    FAULT_NONE,
    FAULT_INVALID,
    FAULT_NO_UNIT,
    FAULT_UNKNOWN_UNIT
};

/* One number with its unit, in front of *s. */
static enum fault take_part(dsp_str *s, uint64_t *out, dsp_str *unit_name)
{
    uint64_t v = 0, fraction = 0, unit;
    double   scale = 1;
    size_t   before = s->len, behind = 0, i;

    if (!digit(*s, 0) && s->data[0] != '.') {
        return FAULT_INVALID;
    }
    if (!take_integer(s, &v)) {
        return FAULT_INVALID;
    }
    before -= s->len;
    if (s->len > 0 && s->data[0] == '.') {
        *s = dsp_str_sub(*s, 1, s->len);
        behind = s->len;
        take_fraction(s, &fraction, &scale);
        behind -= s->len;
    }
    if (before == 0 && behind == 0) {
        return FAULT_INVALID;
    }
    for (i = 0; i < s->len && s->data[i] != '.' && !digit(*s, i); i++) {
    }
    if (i == 0) {
        return FAULT_NO_UNIT;
    }
    *unit_name = dsp_str_sub(*s, 0, i);
    *s = dsp_str_sub(*s, i, s->len);
    unit = unit_of(*unit_name);
    if (unit == 0) {
        return FAULT_UNKNOWN_UNIT;
    }
    if (v > TOO_LARGE / unit) {
        return FAULT_INVALID;
    }
    v *= unit;
    if (fraction > 0) {
        v += (uint64_t) ((double) fraction * ((double) unit / scale));
        if (v > TOO_LARGE) {
            return FAULT_INVALID;
        }
    }
    *out = v;
    return FAULT_NONE;
}

static bool refuse(enum fault fault, dsp_str whole, dsp_str unit, dsp_buf *error)
{
    if (error == NULL) {
        return false;
    }
    if (fault == FAULT_UNKNOWN_UNIT) {
        dsp_buf_addz(error, "time: unknown unit ");
        gt_time_quote(error, unit);
        dsp_buf_addz(error, " in duration ");
    } else {
        dsp_buf_addz(error, fault == FAULT_NO_UNIT ? "time: missing unit in duration " : "time: invalid duration ");
    }
    gt_time_quote(error, whole);
    return false;
}

bool gt_duration_parse(dsp_str whole, int64_t *out, dsp_buf *error)
{
    dsp_str  s = whole, unit = { NULL, 0 };
    uint64_t sum = 0;
    bool     neg = s.len > 0 && s.data[0] == '-';

    *out = 0;
    if (neg || (s.len > 0 && s.data[0] == '+')) {
        s = dsp_str_sub(s, 1, s.len);
    }
    if (dsp_str_is(s, "0")) {
        return true;
    }
    if (s.len == 0) {
        return refuse(FAULT_INVALID, whole, unit, error);
    }
    while (s.len > 0) {
        uint64_t   part = 0;
        enum fault fault = take_part(&s, &part, &unit);

        if (fault == FAULT_NONE) {
            sum += part;
            fault = sum > TOO_LARGE ? FAULT_INVALID : FAULT_NONE;
        }
        if (fault != FAULT_NONE) {
            return refuse(fault, whole, unit, error);
        }
    }
    if (!neg && sum > TOO_LARGE - 1) {
        return refuse(FAULT_INVALID, whole, unit, error);
    }
    *out = (int64_t) (neg ? 0 - sum : sum);
    return true;
}
