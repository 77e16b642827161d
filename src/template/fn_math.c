#include "fn_math.h"

#include <inttypes.h>
#include <math.h>

#include "capacity.h"
#include "cast.h"
#include "decimal.h"
#include "fmt.h"
#include "strconv.h"

/* One step for each argument, and for each 64 bytes of text in them. */
static bool charge(gt_ctx *c, const gt_value *args, size_t n)
{
    uint64_t steps = n;

    for (size_t i = 0; i < n; i++) {
        steps += args[i].type == GT_STRING ? args[i].s.len / 64 : 0;
    }
    return gt_charge(c, steps);
}

/* --- conversions -------------------------------------------------------------------------------------------------- */

GT_BODY(gt_fn_int)
{
    *out = gt_int(gt_to_int64(args[0]));
    return charge(c, args, n);
}

GT_BODY(gt_fn_int64)
{
    *out = gt_int64(gt_to_int64(args[0]));
    return charge(c, args, n);
}

GT_BODY(gt_fn_float64)
{
    *out = gt_float(gt_to_float(args[0]));
    return charge(c, args, n);
}

/* The error is dropped, the number is not: "99999999999999999999" gives the largest int. */
GT_BODY(gt_fn_atoi)
{
    int64_t i;

    gt_parse_int(args[0].s, 10, &i);
    *out = gt_int(i);
    return charge(c, args, n);
}

/* "converts unix octal to decimal": the printed value is read in base 8. */
GT_BODY(gt_fn_to_decimal)
{
    dsp_buf *b = gt_text_begin(c);
    dsp_str  text;
    int64_t  i;

    (void) n;
    if (b == NULL || !gt_fmt_value(c, b, args[0]) || !gt_text_end(c, b, &text)) {
        return false;
    }
    *out = gt_int64(gt_parse_int(text, 8, &i) == GT_NUM_OK ? i : 0);
    return true;
}

/* --- integers: 64 bits that wrap around --------------------------------------------------------------------------- */

static int64_t wrap_add(int64_t a, int64_t b) { return (int64_t) ((uint64_t) a + (uint64_t) b); }
static int64_t wrap_sub(int64_t a, int64_t b) { return (int64_t) ((uint64_t) a - (uint64_t) b); }
static int64_t wrap_mul(int64_t a, int64_t b) { return (int64_t) ((uint64_t) a * (uint64_t) b); }

GT_BODY(gt_fn_add)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum = wrap_add(sum, gt_to_int64(args[i]));
    }
    *out = gt_int64(sum);
    return charge(c, args, n);
}

GT_BODY(gt_fn_add1)
{
    *out = gt_int64(wrap_add(gt_to_int64(args[0]), 1));
    return charge(c, args, n);
}

GT_BODY(gt_fn_sub)
{
    *out = gt_int64(wrap_sub(gt_to_int64(args[0]), gt_to_int64(args[1])));
    return charge(c, args, n);
}

GT_BODY(gt_fn_mul)
{
    int64_t product = gt_to_int64(args[0]);

    for (size_t i = 1; i < n; i++) {
        product = wrap_mul(product, gt_to_int64(args[i]));
    }
    *out = gt_int64(product);
    return charge(c, args, n);
}

/* Division by -1 is negation, which for the smallest number is itself (and a trap of the processor). */
GT_BODY(gt_fn_div)
{
    int64_t a = gt_to_int64(args[0]), b = gt_to_int64(args[1]);

    if (b == 0) {
        return gt_fail(c, "runtime error: integer divide by zero");
    }
    *out = gt_int64(b == -1 ? wrap_sub(0, a) : a / b);
    return charge(c, args, n);
}

GT_BODY(gt_fn_mod)
{
    int64_t a = gt_to_int64(args[0]), b = gt_to_int64(args[1]);

    if (b == 0) {
        return gt_fail(c, "runtime error: integer divide by zero");
    }
    *out = gt_int64(b == -1 ? 0 : a % b);
    return charge(c, args, n);
}

GT_BODY(gt_fn_max)
{
    int64_t max = gt_to_int64(args[0]);

    for (size_t i = 1; i < n; i++) {
        int64_t x = gt_to_int64(args[i]);

        max = x > max ? x : max;
    }
    *out = gt_int64(max);
    return charge(c, args, n);
}

GT_BODY(gt_fn_min)
{
    int64_t min = gt_to_int64(args[0]);

    for (size_t i = 1; i < n; i++) {
        int64_t x = gt_to_int64(args[i]);

        min = x < min ? x : min;
    }
    *out = gt_int64(min);
    return charge(c, args, n);
}

/* --- decimals ----------------------------------------------------------------------------------------------------- */

static bool chain(gt_ctx *c, enum gt_decimal_op op, double first, const gt_value *rest, size_t n, gt_value *out)
{
    double *floats = gt_alloc_n(c, n, sizeof(*floats));
    double  result;

    if (floats == NULL || !charge(c, rest, n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        floats[i] = gt_to_float(rest[i]);
    }
    if (!gt_decimal_chain(c, op, first, floats, n, &result)) {
        return false;
    }
    *out = gt_float(result);
    return true;
}

GT_BODY(gt_fn_addf) { return chain(c, GT_DECIMAL_ADD, 0, args, n, out); }

GT_BODY(gt_fn_add1f)
{
    const gt_value one = gt_int(1);

    (void) n;
    return chain(c, GT_DECIMAL_ADD, gt_to_float(args[0]), &one, 1, out);
}

GT_BODY(gt_fn_subf) { return chain(c, GT_DECIMAL_SUB, gt_to_float(args[0]), args + 1, n - 1, out); }
GT_BODY(gt_fn_mulf) { return chain(c, GT_DECIMAL_MUL, gt_to_float(args[0]), args + 1, n - 1, out); }
GT_BODY(gt_fn_divf) { return chain(c, GT_DECIMAL_DIV, gt_to_float(args[0]), args + 1, n - 1, out); }

/* --- floats ------------------------------------------------------------------------------------------------------- */

/* Go's math.Max: an infinity wins over NaN, and +0 over -0. */
static double go_max(double x, double y)
{
    if (isinf(x) || isinf(y)) {
        if (x == (double) INFINITY || y == (double) INFINITY) {
            return (double) INFINITY;
        }
    }
    if (isnan(x) || isnan(y)) {
        return (double) NAN;
    }
    if (x == 0 && y == 0) {
        return signbit(x) ? y : x;
    }
    return x > y ? x : y;
}

static double go_min(double x, double y) { return -go_max(-x, -y); }

GT_BODY(gt_fn_maxf)
{
    double max = gt_to_float(args[0]);

    for (size_t i = 1; i < n; i++) {
        max = go_max(max, gt_to_float(args[i]));
    }
    *out = gt_float(max);
    return charge(c, args, n);
}

GT_BODY(gt_fn_minf)
{
    double min = gt_to_float(args[0]);

    for (size_t i = 1; i < n; i++) {
        min = go_min(min, gt_to_float(args[i]));
    }
    *out = gt_float(min);
    return charge(c, args, n);
}

GT_BODY(gt_fn_floor)
{
    *out = gt_float(floor(gt_to_float(args[0])));
    return charge(c, args, n);
}

GT_BODY(gt_fn_ceil)
{
    *out = gt_float(ceil(gt_to_float(args[0])));
    return charge(c, args, n);
}

/*
 * Go's math.Pow(10, y) for whole y: it multiplies squarings of 10/16 and keeps powers of two apart, so its last bit is
 * not always that of libc's pow.
 */
static double power_of_ten(double y)
{
    double  base = 0.625, result = 1;
    int     base_exponent = 4, exponent = 0;
    int64_t i;

    if (y == 0 || y == 1) {
        return y == 0 ? 1 : 10;
    }
    if (fabs(y) >= 0x1p63) {
        return y > 0 ? (double) INFINITY : 0;
    }
    for (i = (int64_t) fabs(y); i != 0; i >>= 1) {
        if (base_exponent > 1 << 12) {
            exponent += base_exponent; /* over or under the range whatever follows */
            break;
        }
        if ((i & 1) == 1) {
            result *= base;
            exponent += base_exponent;
        }
        base *= base;
        base_exponent *= 2;
        if (base < .5) {
            base += base;
            base_exponent--;
        }
    }
    if (y < 0) {
        result = 1 / result;
        exponent = -exponent;
    }
    return ldexp(result, exponent);
}

/* Up where the fraction of value × 10^places reaches the limit (0.5 if not given), else down, also below zero. */
GT_BODY(gt_fn_round)
{
    double limit = n > 2 ? args[2].f : .5;
    double power = power_of_ten((double) args[1].i);
    double scaled = power * gt_to_float(args[0]);
    double whole;
    double fraction = modf(scaled, &whole);

    *out = gt_float((fraction >= limit ? ceil(scaled) : floor(scaled)) / power);
    return charge(c, args, n);
}

/* --- sequences ---------------------------------------------------------------------------------------------------- */

/*
 * Go's loop: start, start + step, … before stop, and none where step leads away from stop. Near the ends of the range
 * the counter wraps around and the loop goes on from the other end, as in Go.
 */
struct sequence {
    int64_t at, stop, step;
    bool    down;
};

/* *count: how many elements there are, if the counter does not wrap. */
static struct sequence sequence_of(int64_t start, int64_t stop, int64_t step, uint64_t *count)
{
    struct sequence s = { start, stop, step, stop < start };

    *count = 0;
    if (s.down ? step < 0 : step > 0) {
        uint64_t distance = s.down ? (uint64_t) start - (uint64_t) stop : (uint64_t) stop - (uint64_t) start;
        uint64_t stride = s.down ? 0 - (uint64_t) step : (uint64_t) step;

        *count = distance / stride + (distance % stride != 0);
    } else {
        s.at = stop; /* there is nothing */
    }
    return s;
}

static bool next(struct sequence *s, int64_t *i)
{
    *i = s->at;
    s->at = wrap_add(s->at, s->step);
    return s->down ? *i > s->stop : *i < s->stop;
}

static bool list_of(gt_ctx *c, int64_t start, int64_t stop, int64_t step, gt_value *out)
{
    uint64_t        count;
    struct sequence s = sequence_of(start, stop, step, &count);
    gt_list        *list;
    int64_t         i;

    if (!gt_charge(c, count) || (list = gt_list_new(c, GT_LIST_INT, count)) == NULL) {
        return false;
    }
    while (next(&s, &i)) {
        if ((list->len >= count && !gt_charge(c, 1)) || !gt_list_add(c, list, gt_int(i))) {
            return false;
        }
    }
    list->growth = GT_GROWTH_APPENDED;
    *out = gt_of_list(list);
    return true;
}

GT_BODY(gt_fn_until)
{
    (void) n;
    return list_of(c, 0, args[0].i, args[0].i < 0 ? -1 : 1, out);
}

GT_BODY(gt_fn_until_step)
{
    (void) n;
    return list_of(c, args[0].i, args[1].i, args[2].i, out);
}

/* seq END, seq START END, seq START STEP END, all ends inclusive, as the Unix tool. */
GT_BODY(gt_fn_seq)
{
    int64_t         start = n >= 2 ? args[0].i : 1;
    int64_t         end = n > 0 ? args[n - 1].i : 0;
    int64_t         direction = end < start ? -1 : 1;
    int64_t         step = n == 3 ? args[1].i : direction;
    uint64_t        count, made = 0;
    struct sequence s;
    dsp_buf        *b;
    int64_t         i;

    if (n == 0 || n > 3 || (n == 3 && end < start && step > 0)) {
        *out = gt_literal("");
        return true;
    }
    s = sequence_of(start, wrap_add(end, direction), step, &count);
    if (!gt_charge(c, count) || (b = gt_text_begin(c)) == NULL || !gt_text_fits(c, b, count)) {
        return false;
    }
    while (next(&s, &i) && !b->failed) {
        if (made >= count && !gt_charge(c, 1)) {
            return false;
        }
        dsp_buf_addf(b, made++ == 0 ? "%" PRId64 : " %" PRId64, i);
    }
    return gt_text_give(c, b, out);
}
