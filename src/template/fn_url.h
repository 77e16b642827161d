/* URLs and paths. */
#ifndef DSP_TEMPLATE_FN_URL_H
#define DSP_TEMPLATE_FN_URL_H

#include "function.h"

GT_BODY(gt_fn_url_parse);
GT_BODY(gt_fn_url_join);

GT_BODY(gt_fn_base);
GT_BODY(gt_fn_clean);
GT_BODY(gt_fn_dir);
GT_BODY(gt_fn_ext);
GT_BODY(gt_fn_is_abs);

#endif
