/* Defaults and decisions; types of values and their equality. */
#ifndef DSP_TEMPLATE_FN_FLOW_H
#define DSP_TEMPLATE_FN_FLOW_H

#include "function.h"

GT_BODY(gt_fn_default);
GT_BODY(gt_fn_empty);
GT_BODY(gt_fn_coalesce);
GT_BODY(gt_fn_all);
GT_BODY(gt_fn_any);
GT_BODY(gt_fn_ternary);
GT_BODY(gt_fn_fail);

GT_BODY(gt_fn_type_of);
GT_BODY(gt_fn_type_is);
GT_BODY(gt_fn_type_is_like);
GT_BODY(gt_fn_kind_of);
GT_BODY(gt_fn_kind_is);
GT_BODY(gt_fn_deep_equal);
GT_BODY(gt_fn_deep_copy);

#endif
