/* Regular expressions. Modes: GT_MODE_PLAIN panics as MustCompile does, GT_MODE_MUST gives the error itself. */
#ifndef DSP_TEMPLATE_FN_REGEX_H
#define DSP_TEMPLATE_FN_REGEX_H

#include "function.h"

GT_BODY(gt_fn_regex_match); /* plain: a bad expression matches nothing */
GT_BODY(gt_fn_regex_find);
GT_BODY(gt_fn_regex_find_all);
GT_BODY(gt_fn_regex_split);
GT_BODY(gt_fn_regex_replace_all);
GT_BODY(gt_fn_regex_replace_all_literal);
GT_BODY(gt_fn_regex_quote_meta);

#endif
