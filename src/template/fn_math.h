/* Conversions and arithmetic of Sprig. The rules of conversion are in cast.h, those of decimals in decimal.h. */
#ifndef DSP_TEMPLATE_FN_MATH_H
#define DSP_TEMPLATE_FN_MATH_H

#include "function.h"

GT_BODY(gt_fn_int);
GT_BODY(gt_fn_int64);
GT_BODY(gt_fn_float64);
GT_BODY(gt_fn_atoi);
GT_BODY(gt_fn_to_decimal);

GT_BODY(gt_fn_add);
GT_BODY(gt_fn_add1);
GT_BODY(gt_fn_sub);
GT_BODY(gt_fn_mul);
GT_BODY(gt_fn_div);
GT_BODY(gt_fn_mod);
GT_BODY(gt_fn_max);
GT_BODY(gt_fn_min);

GT_BODY(gt_fn_addf);
GT_BODY(gt_fn_add1f);
GT_BODY(gt_fn_subf);
GT_BODY(gt_fn_mulf);
GT_BODY(gt_fn_divf);
GT_BODY(gt_fn_maxf);
GT_BODY(gt_fn_minf);
GT_BODY(gt_fn_floor);
GT_BODY(gt_fn_ceil);
GT_BODY(gt_fn_round);

GT_BODY(gt_fn_until);
GT_BODY(gt_fn_until_step);
GT_BODY(gt_fn_seq);

#endif
