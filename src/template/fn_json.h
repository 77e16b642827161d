/* JSON in and out. Without must an error is nil or "", as in Sprig; toRawJson has no such mercy. */
#ifndef DSP_TEMPLATE_FN_JSON_H
#define DSP_TEMPLATE_FN_JSON_H

#include "function.h"

GT_BODY(gt_fn_from_json);       /* fromJson, mustFromJson */
GT_BODY(gt_fn_to_json);         /* toJson, mustToJson */
GT_BODY(gt_fn_to_pretty_json);  /* toPrettyJson, mustToPrettyJson */
GT_BODY(gt_fn_to_raw_json);     /* toRawJson, mustToRawJson: GT_MODE_MUST both */

#endif
