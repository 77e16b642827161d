/*
 * From any value to a number, as spf13/cast 1.7 does it for Sprig: what cannot be converted is 0, never an error.
 */
#ifndef DSP_TEMPLATE_CAST_H
#define DSP_TEMPLATE_CAST_H

#include "value.h"

/*
 * Integers as they are (uint64 wraps around), Month and Weekday, bool, and floats cut toward zero (NaN and what does
 * not fit give INT64_MIN). Text is read with Go's base prefixes, so "010" is 8, after a tail like ".000" was taken off.
 */
int64_t gt_to_int64(gt_value v);

/* The same for floats: text is read by gt_parse_float, one that is out of range is 0. */
double gt_to_float(gt_value v);

/* Go's conversion of a float to int64 on amd64. */
int64_t gt_float_to_int64(double f);

#endif
