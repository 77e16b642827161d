#include "cast.h"

#include "strconv.h"

int64_t gt_float_to_int64(double f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (int64_t) f : INT64_MIN;
}

/* "12.000" → "12". The point goes only when zeros, and nothing else, follow it. */
static dsp_str without_zero_fraction(dsp_str s)
{
    size_t i = s.len;

    while (i > 0 && s.data[i - 1] == '0') {
        i--;
    }
    return i > 0 && i < s.len && s.data[i - 1] == '.' ? dsp_str_sub(s, 0, i - 1) : s;
}

int64_t gt_to_int64(gt_value v)
{
    int64_t i;

    switch (v.type) {
    case GT_BOOL:
        return v.b;
    case GT_INT:
    case GT_INT32:
    case GT_INT64:
    case GT_MONTH:
    case GT_WEEKDAY:
        return v.i;
    case GT_UINT8:
    case GT_UINT32:
    case GT_UINT64:
        return (int64_t) v.u;
    case GT_FLOAT64:
        return gt_float_to_int64(v.f);
    case GT_STRING:
        return gt_parse_int(without_zero_fraction(v.s), 0, &i) == GT_NUM_OK ? i : 0;
    default:
        return 0; /* a Duration too: cast knows types, not kinds */
    }
}

double gt_to_float(gt_value v)
{
    double f;

    switch (v.type) {
    case GT_BOOL:
        return v.b;
    case GT_INT:
    case GT_INT32:
    case GT_INT64:
    case GT_MONTH:
    case GT_WEEKDAY:
        return (double) v.i;
    case GT_UINT8:
    case GT_UINT32:
    case GT_UINT64:
        return (double) v.u;
    case GT_FLOAT64:
        return v.f;
    case GT_STRING:
        return gt_parse_float(v.s, &f) == GT_NUM_OK ? f : 0;
    default:
        return 0;
    }
}
