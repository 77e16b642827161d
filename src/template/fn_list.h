/*
 * Lists. Each takes a list of any type, and gives a copy ([]interface {}) but for `slice`, whose result shares its
 * elements with the argument. The must- twin of a function is the same here: either way an error is the template's.
 */
#ifndef DSP_TEMPLATE_FN_LIST_H
#define DSP_TEMPLATE_FN_LIST_H

#include "function.h"

GT_BODY(gt_fn_list);
GT_BODY(gt_fn_append);
GT_BODY(gt_fn_prepend);
GT_BODY(gt_fn_first);
GT_BODY(gt_fn_last);
GT_BODY(gt_fn_rest);
GT_BODY(gt_fn_initial);
GT_BODY(gt_fn_reverse);
GT_BODY(gt_fn_compact);
GT_BODY(gt_fn_uniq);
GT_BODY(gt_fn_without);
GT_BODY(gt_fn_has);
GT_BODY(gt_fn_slice);
GT_BODY(gt_fn_concat);
GT_BODY(gt_fn_chunk);

#endif
