/* The functions of text/template itself. `and`, `or` and `call` are the executor's. */
#ifndef DSP_TEMPLATE_FN_BUILTIN_H
#define DSP_TEMPLATE_FN_BUILTIN_H

#include "function.h"

enum { GT_EQ = 8, GT_NE, GT_LT, GT_LE, GT_GT, GT_GE }; /* modes of gt_fn_compare */

GT_BODY(gt_fn_compare);
GT_BODY(gt_fn_not);
GT_BODY(gt_fn_index);
GT_BODY(gt_fn_len);
GT_BODY(gt_fn_html);
GT_BODY(gt_fn_js);
GT_BODY(gt_fn_urlquery);
GT_BODY(gt_fn_print);
GT_BODY(gt_fn_printf);
GT_BODY(gt_fn_println);

#endif
