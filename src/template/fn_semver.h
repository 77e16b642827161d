/* Semantic versions. */
#ifndef DSP_TEMPLATE_FN_SEMVER_H
#define DSP_TEMPLATE_FN_SEMVER_H

#include "function.h"

GT_BODY(gt_fn_semver);
GT_BODY(gt_fn_semver_compare);

extern const gt_type_ops gt_semver_ops;
extern const gt_type_ops gt_semver_ptr_ops;

#endif
