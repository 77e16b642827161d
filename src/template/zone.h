/*
 * Time zones by name, for one rendering: what is read lies in its arena and is kept until its end.
 */
#ifndef DSP_TEMPLATE_ZONE_H
#define DSP_TEMPLATE_ZONE_H

#include "function.h"
#include "tzif.h"

/*
 * Go's time.Local: the zone that the host names, else that of TZ, else /etc/localtime; UTC when there is none.
 * It is one object in a rendering. NULL: out of memory or over the limit, the error is set.
 */
const gt_location *gt_zone_local(gt_ctx *c);

/*
 * time.LoadLocation: "" and "UTC", "Local", or a file of the zone directory; names that lead out of it are refused.
 * *out is NULL where there is no such zone. false: the error is set.
 */
bool gt_zone_load(gt_ctx *c, dsp_str name, const gt_location **out);

#endif
