/* What differs from call to call. All of it comes from the caller's source. */
#ifndef DSP_TEMPLATE_FN_RANDOM_H
#define DSP_TEMPLATE_FN_RANDOM_H

#include "function.h"

GT_BODY(gt_fn_rand_text); /* mode GT_MODE_RAND_…: which characters */
GT_BODY(gt_fn_rand_bytes);
GT_BODY(gt_fn_rand_int);
GT_BODY(gt_fn_shuffle);
GT_BODY(gt_fn_uuidv4);

enum { GT_MODE_RAND_ALPHANUM = 8, GT_MODE_RAND_ALPHA, GT_MODE_RAND_NUMERIC, GT_MODE_RAND_ASCII };

#endif
