/*
 * Dicts: map[string]interface {}. They are references: set, unset, merge and mergeOverwrite change the one that they
 * are given, and give it back. Where Go's order is random (keys, values) it is that of the sorted keys here.
 */
#ifndef DSP_TEMPLATE_FN_DICT_H
#define DSP_TEMPLATE_FN_DICT_H

#include "function.h"

GT_BODY(gt_fn_dict);
GT_BODY(gt_fn_get);
GT_BODY(gt_fn_set);
GT_BODY(gt_fn_unset);
GT_BODY(gt_fn_has_key);
GT_BODY(gt_fn_pluck);
GT_BODY(gt_fn_keys);
GT_BODY(gt_fn_values);
GT_BODY(gt_fn_pick);
GT_BODY(gt_fn_omit);
GT_BODY(gt_fn_dig);
GT_BODY(gt_fn_merge); /* merge, mustMerge, and with GT_MODE_OVERWRITE their overwriting twins */

enum { GT_MODE_OVERWRITE = 8 };

#endif
