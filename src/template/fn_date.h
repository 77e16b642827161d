/* Dates and durations, and what the values of package time can do. */
#ifndef DSP_TEMPLATE_FN_DATE_H
#define DSP_TEMPLATE_FN_DATE_H

#include "function.h"
#include "gotime.h"

GT_BODY(gt_fn_now);
GT_BODY(gt_fn_date);          /* mode GT_MODE_ZONE: dateInZone */
GT_BODY(gt_fn_html_date);     /* mode GT_MODE_ZONE: htmlDateInZone */
GT_BODY(gt_fn_date_modify);   /* mode GT_MODE_MUST */
GT_BODY(gt_fn_to_date);       /* mode GT_MODE_MUST */
GT_BODY(gt_fn_ago);
GT_BODY(gt_fn_duration);
GT_BODY(gt_fn_duration_round);
GT_BODY(gt_fn_unix_epoch);

enum { GT_MODE_ZONE = 8 };

extern const gt_type_ops gt_time_ops;
extern const gt_type_ops gt_duration_ops;
extern const gt_type_ops gt_month_ops;
extern const gt_type_ops gt_weekday_ops;
extern const gt_type_ops gt_location_ops;

/* A time.Time value in the arena; false: the error is set. */
bool gt_time_value(gt_ctx *c, gt_time t, gt_value *out);

/* time.Now(); false: the error is set. */
bool gt_time_of_clock(gt_ctx *c, gt_time *out);

#endif
