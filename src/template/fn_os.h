/* What asks the machine. Each row has a policy flag: without it the name does not exist. */
#ifndef DSP_TEMPLATE_FN_OS_H
#define DSP_TEMPLATE_FN_OS_H

#include "function.h"

GT_BODY(gt_fn_env);
GT_BODY(gt_fn_expandenv);
GT_BODY(gt_fn_get_host_by_name);

#endif
