#include "fn_date.h"
#include "methods.h"

/* The methods of time.Duration, time.Month and time.Weekday. */

/* Modes: which of a family a body is. */
enum {
    M_ROUND, M_TRUNCATE,
    M_HOURS, M_MINUTES, M_SECONDS,
    M_NANOSECONDS, M_MICROSECONDS, M_MILLISECONDS
};

bool gt_give_text(gt_ctx *c, gt_value v, bool (*write)(gt_ctx *, gt_value, dsp_buf *), gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);

    return b != NULL && write(c, v, b) && gt_text_give(c, b, out);
}

/* --- durations ---------------------------------------------------------------------------------------------------- */

static bool write_duration(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_duration_string(out, v.i);
    return true;
}

static GT_BODY(duration_string)
{
    (void) n;
    return gt_give_text(c, args[-1], write_duration, out);
}

static GT_BODY(duration_float)
{
    int64_t unit = GT_NS_PER_SEC;

    (void) n;
    unit *= c->fn->mode == M_HOURS ? 3600 : c->fn->mode == M_MINUTES ? 60 : 1;
    *out = gt_float(gt_duration_in(args[-1].i, unit));
    return true;
}

static GT_BODY(duration_int)
{
    (void) n;
    *out = gt_int64(args[-1].i / (c->fn->mode == M_MICROSECONDS ? 1000 : c->fn->mode == M_MILLISECONDS ? 1000000 : 1));
    return true;
}

static GT_BODY(duration_round)
{
    int64_t d = args[-1].i;

    (void) n;
    *out = gt_duration(c->fn->mode == M_ROUND ? gt_duration_round(d, args[0].i) : gt_duration_truncate(d, args[0].i));
    return true;
}

static GT_BODY(duration_abs)
{
    (void) c;
    (void) n;
    *out = gt_duration(gt_duration_abs(args[-1].i));
    return true;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static bool write_month(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_month_name(out, v.i);
    return true;
}

static bool write_weekday(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_weekday_name(out, v.i);
    return true;
}

static GT_BODY(month_string)
{
    (void) n;
    return gt_give_text(c, args[-1], write_month, out);
}

static GT_BODY(weekday_string)
{
    (void) n;
    return gt_give_text(c, args[-1], write_weekday, out);
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static const gt_method duration_methods[] = {
    GT_METHOD("Abs", duration_abs, 0, GT_NO_PARAMS, GT_DURATION),
    GT_METHOD("Hours", duration_float, M_HOURS, GT_NO_PARAMS, GT_FLOAT64),
    GT_METHOD("Microseconds", duration_int, M_MICROSECONDS, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("Milliseconds", duration_int, M_MILLISECONDS, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("Minutes", duration_float, M_MINUTES, GT_NO_PARAMS, GT_FLOAT64),
    GT_METHOD("Nanoseconds", duration_int, M_NANOSECONDS, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("Round", duration_round, M_ROUND, GT_METHOD_PARAMS(GT_DURATION), GT_DURATION),
    GT_METHOD("Seconds", duration_float, M_SECONDS, GT_NO_PARAMS, GT_FLOAT64),
    GT_METHOD("String", duration_string, 0, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Truncate", duration_round, M_TRUNCATE, GT_METHOD_PARAMS(GT_DURATION), GT_DURATION),
};

static const gt_method month_methods[] = { GT_METHOD("String", month_string, 0, GT_NO_PARAMS, GT_STRING) };
static const gt_method weekday_methods[] = { GT_METHOD("String", weekday_string, 0, GT_NO_PARAMS, GT_STRING) };

const gt_type_ops gt_duration_ops = { .string = write_duration, GT_METHODS(duration_methods) };
const gt_type_ops gt_month_ops = { .string = write_month, GT_METHODS(month_methods) };
const gt_type_ops gt_weekday_ops = { .string = write_weekday, GT_METHODS(weekday_methods) };
