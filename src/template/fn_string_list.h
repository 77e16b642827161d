/* Strings to lists and back. */
#ifndef DSP_TEMPLATE_FN_STRING_LIST_H
#define DSP_TEMPLATE_FN_STRING_LIST_H

#include "function.h"

GT_BODY(gt_fn_split);
GT_BODY(gt_fn_splitn);
GT_BODY(gt_fn_split_list);
GT_BODY(gt_fn_to_strings);
GT_BODY(gt_fn_join);
GT_BODY(gt_fn_sort_alpha);

#endif
