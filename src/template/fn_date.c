#include "fn_date.h"

#include "strconv.h"
#include "wrap.h"
#include "zone.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

bool gt_time_value(gt_ctx *c, gt_time t, gt_value *out)
{
    gt_time *p = gt_alloc(c, sizeof(*p));

    if (p == NULL) {
        return false;
    }
    *p = t;
    *out = (gt_value){ .type = GT_TIME, .time = p };
    return true;
}

bool gt_time_of_clock(gt_ctx *c, gt_time *out)
{
    const gt_location *local = gt_zone_local(c);
    int64_t            now = gt_now_ns(c);

    if (local == NULL) {
        return false;
    }
    *out = gt_time_now(now, gt_wrap_add(gt_wrap_sub(now, c->start_ns), 1), local);
    return true;
}

GT_BODY(gt_fn_now)
{
    gt_time t;

    (void) args;
    (void) n;
    return gt_time_of_clock(c, &t) && gt_time_value(c, t, out);
}

/* --- dates to text ------------------------------------------------------------------------------------------------ */

/* What the date functions take for a moment: a time, or Unix seconds of some integer types; anything else is now. */
static bool moment(gt_ctx *c, gt_value v, gt_time *out)
{
    if (v.type == GT_TIME) {
        *out = *v.time;
        return true;
    }
    if (v.type == GT_INT || v.type == GT_INT64 || v.type == GT_INT32) {
        const gt_location *local = gt_zone_local(c);

        *out = gt_time_unix(v.i, 0, local);
        return local != NULL;
    }
    return gt_time_of_clock(c, out);
}

static bool format(gt_ctx *c, dsp_str layout, gt_value date, dsp_str zone, gt_value *out)
{
    const gt_location *loc;
    gt_time            t;
    dsp_buf           *b;

    if (!moment(c, date, &t) || !gt_zone_load(c, zone, &loc) || !gt_charge(c, layout.len / 4)) {
        return false;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    t = gt_time_in(t, loc); /* an unknown zone is UTC */
    gt_time_format(b, &t, layout);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_date)
{
    (void) n;
    return format(c, args[0].s, args[1], c->fn->mode == GT_MODE_ZONE ? args[2].s : DSP_STR("Local"), out);
}

GT_BODY(gt_fn_html_date)
{
    (void) n;
    return format(c, DSP_STR("2006-01-02"), args[0], c->fn->mode == GT_MODE_ZONE ? args[1].s : DSP_STR("Local"), out);
}

GT_BODY(gt_fn_unix_epoch)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL) {
        return false;
    }
    dsp_buf_addf(b, "%lld", (long long) gt_time_unix_sec(args[0].time));
    return gt_text_give(c, b, out);
}

/* --- text to dates ------------------------------------------------------------------------------------------------ */

GT_BODY(gt_fn_to_date)
{
    const gt_location *local = gt_zone_local(c);
    bool               must = c->fn->mode == GT_MODE_MUST;
    gt_time            t;

    (void) n;
    if (local == NULL || !gt_charge(c, (args[0].s.len + args[1].s.len) / 16)) {
        return false;
    }
    if (!gt_time_parse(c->arena, args[0].s, args[1].s, local, &t, must ? gt_fail_text(c) : NULL)) {
        if (c->arena->state != DSP_ARENA_OK) {
            return gt_fail_alloc(c);
        }
        if (must) {
            return gt_failed(c);
        }
    }
    return gt_time_value(c, t, out);
}

GT_BODY(gt_fn_date_modify)
{
    bool    must = c->fn->mode == GT_MODE_MUST;
    int64_t d;

    (void) n;
    if (!gt_charge(c, args[0].s.len / 4)) {
        return false;
    }
    if (!gt_duration_parse(args[0].s, &d, must ? gt_fail_text(c) : NULL)) {
        if (must) {
            return gt_failed(c);
        }
        *out = args[1];
        return true;
    }
    return gt_time_value(c, gt_time_add(*args[1].time, d), out);
}

/* --- durations ---------------------------------------------------------------------------------------------------- */

/* time.Since() */
static bool since(gt_ctx *c, gt_time t, int64_t *out)
{
    gt_time now;

    if (!gt_time_of_clock(c, &now)) {
        return false;
    }
    *out = gt_time_sub(now, t);
    return true;
}

static bool give_duration(gt_ctx *c, int64_t d, gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);

    if (b == NULL) {
        return false;
    }
    gt_duration_string(b, d);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_ago)
{
    gt_value date = args[0];
    gt_time  t;
    int64_t  d;

    (void) n;
    if (date.type == GT_INT32) {
        date = gt_nil(); /* here, unlike in date, an int32 is no moment */
    }
    return moment(c, date, &t) && since(c, t, &d) && give_duration(c, gt_duration_round(d, SECOND), out);
}

GT_BODY(gt_fn_duration)
{
    int64_t seconds = 0;

    (void) n;
    if (args[0].type == GT_STRING) {
        if (!gt_charge_bytes(c, args[0].s.len)) {
            return false;
        }
        gt_parse_int(args[0].s, 10, &seconds);
    } else if (args[0].type == GT_INT64) {
        seconds = args[0].i;
    }
    return give_duration(c, gt_wrap_mul(seconds, SECOND), out);
}

GT_BODY(gt_fn_duration_round)
{
    static const struct {
        uint64_t    ns;
        const char *unit;
    } units[] = {{365 * DAY, "y"}, {30 * DAY, "mo"}, {DAY, "d"}, {HOUR, "h"}, {MINUTE, "m"}, {SECOND, "s"}};
    int64_t  d = 0;
    uint64_t u;
    dsp_buf *b;

    (void) n;
    if (args[0].type == GT_STRING) {
        if (!gt_charge(c, args[0].s.len / 4)) {
            return false;
        }
        gt_duration_parse(args[0].s, &d, NULL);
    } else if (args[0].type == GT_INT64) {
        d = args[0].i;
    } else if (args[0].type == GT_TIME && !since(c, *args[0].time, &d)) {
        return false;
    }
    u = d < 0 ? 0 - (uint64_t) d : (uint64_t) d;
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && b->len == 0; i++) {
        if (u > units[i].ns) {
            dsp_buf_addf(b, "%llu%s", (unsigned long long) (u / units[i].ns), units[i].unit);
        }
    }
    if (b->len == 0) {
        dsp_buf_addz(b, "0s");
    }
    return gt_text_give(c, b, out);
}
