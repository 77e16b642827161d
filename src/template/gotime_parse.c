#include <stdio.h>

#include "gotime_fields.h"

/* --- text between elements: runs of spaces are equal to one another ----------------------------------------------- */

static void drop(dsp_str *s, size_t n)
{
    *s = dsp_str_sub(*s, n, s->len);
}

static void drop_spaces(dsp_str *s)
{
    while (s->len > 0 && s->data[0] == ' ') {
        drop(s, 1);
    }
}

static bool skip(dsp_str *value, dsp_str prefix)
{
    while (prefix.len > 0) {
        if (prefix.data[0] == ' ') {
            if (value->len > 0 && value->data[0] != ' ') {
                return false;
            }
            drop_spaces(&prefix);
            drop_spaces(value);
            continue;
        }
        if (value->len == 0 || value->data[0] != prefix.data[0]) {
            return false;
        }
        drop(&prefix, 1);
        drop(value, 1);
    }
    return true;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

struct texts {
    dsp_str  layout, value;
    dsp_buf *error;
};

static bool refuse_element(const struct texts *t, dsp_str value, dsp_str elem)
{
    if (t->error != NULL) {
        dsp_buf_addz(t->error, "parsing time ");
        gt_time_quote(t->error, t->value);
        dsp_buf_addz(t->error, " as ");
        gt_time_quote(t->error, t->layout);
        dsp_buf_addz(t->error, ": cannot parse ");
        gt_time_quote(t->error, value);
        dsp_buf_addz(t->error, " as ");
        gt_time_quote(t->error, elem);
    }
    return false;
}

static bool refuse(const struct texts *t, const char *why)
{
    if (t->error != NULL) {
        dsp_buf_addz(t->error, "parsing time ");
        gt_time_quote(t->error, t->value);
        dsp_buf_addz(t->error, ": ");
        dsp_buf_addz(t->error, why);
    }
    return false;
}

static bool parse_all(struct gt_time_fields *p, const struct texts *t)
{
    dsp_str layout = t->layout;

    for (;;) {
        gt_layout_elem e = gt_layout_next(layout);
        dsp_str        hold;
        bool           ok;

        if (!skip(&p->value, e.prefix)) {
            return refuse_element(t, p->value, e.prefix);
        }
        if (e.kind == GT_LAYOUT_END) {
            break;
        }
        hold = p->value;
        ok = gt_time_parse_element(p, &e);
        if (p->range != NULL) {
            char why[64];

            snprintf(why, sizeof(why), "%s out of range", p->range);
            return refuse(t, why);
        }
        if (!ok) {
            return refuse_element(t, hold, e.text);
        }
        layout = e.rest;
    }
    if (p->value.len > 0) {
        refuse(t, "extra text: ");
        if (t->error != NULL) {
            gt_time_quote(t->error, p->value);
        }
        return false;
    }
    return true;
}

/* The day of the year as month and day, and whether the two that were read themselves agree. */
static const char *settle_day(struct gt_time_fields *p)
{
    int yday = p->yday, month = 0, day = 0;

    if (yday < 0) {
        p->month = p->month < 0 ? 1 : p->month;
        p->day = p->day < 0 ? 1 : p->day;
        return NULL;
    }
    if (gt_is_leap(p->year)) {
        if (yday == 31 + 29) {
            month = 2;
            day = 29;
        } else if (yday > 31 + 29) {
            yday--;
        }
    }
    if (yday < 1 || yday > 365) {
        return "day-of-year out of range";
    }
    if (month == 0) {
        month = (yday - 1) / 31 + 1;
        if (gt_days_before(month + 1) < yday) {
            month++;
        }
        day = yday - gt_days_before(month);
    }
    if (p->month >= 0 && p->month != month) {
        return "day-of-year does not match month";
    }
    if (p->day >= 0 && p->day != day) {
        return "day-of-year does not match day";
    }
    p->month = month;
    p->day = day;
    return NULL;
}

static gt_time date(const struct gt_time_fields *p, const gt_location *loc)
{
    return gt_time_date(p->year, p->month, p->day, p->hour, p->min, p->sec, p->nsec, loc);
}

static bool set_fixed(dsp_arena *a, gt_time *t, dsp_str name, int offset)
{
    gt_location *loc = dsp_arena_alloc(a, sizeof(*loc));

    if (loc == NULL || !gt_location_fixed(a, name, offset, loc)) {
        return false;
    }
    t->loc = loc;
    return true;
}

static bool settle_zone(dsp_arena *a, const struct gt_time_fields *p, gt_time *out)
{
    gt_time t;
    int     offset = 0;

    if (p->utc) {
        *out = date(p, NULL);
        return true;
    }
    if (p->offset != -1) {
        struct gt_zone_span span;

        t = gt_time_add(date(p, NULL), (int64_t) -p->offset * GT_NS_PER_SEC);
        span = gt_location_at(p->local, gt_time_unix_sec(&t));
        *out = gt_time_in(t, p->local);
        return (span.offset == p->offset && (p->zone.len == 0 || dsp_str_eq(p->zone, span.name))) ||
               set_fixed(a, out, p->zone, p->offset);
    }
    if (p->zone.len > 0) {
        t = date(p, NULL);
        if (gt_location_by_abbreviation(p->local, p->zone, gt_time_unix_sec(&t), &offset)) {
            *out = gt_time_in(gt_time_add(t, (int64_t) -offset * GT_NS_PER_SEC), p->local);
            return true;
        }
        if (p->zone.len > 3 && dsp_str_has_prefix(p->zone, DSP_STR("GMT"))) {
            int64_t hours;

            gt_time_signed_num(dsp_str_sub(p->zone, 3, p->zone.len), &hours);
            offset = (int) hours * 3600;
        }
        *out = t;
        return set_fixed(a, out, p->zone, offset); /* an instant that is not adjusted */
    }
    *out = date(p, p->local);
    return true;
}

bool gt_time_parse(dsp_arena *a, dsp_str layout, dsp_str value, const gt_location *local, gt_time *out, dsp_buf *error)
{
    struct texts t = { layout, value, error };
    struct gt_time_fields p = { .value = value, .month = -1, .day = -1, .yday = -1, .offset = -1, .local = local };
    const char  *why;

    *out = (gt_time){ 0 };
    if (!parse_all(&p, &t)) {
        return false;
    }
    if (p.pm && p.hour < 12) {
        p.hour += 12;
    } else if (p.am && p.hour == 12) {
        p.hour = 0;
    }
    why = settle_day(&p);
    if (why == NULL && (p.day < 1 || p.day > gt_days_in(p.month, p.year))) {
        why = "day out of range";
    }
    if (why != NULL) {
        return refuse(&t, why);
    }
    return settle_zone(a, &p, out);
}
