/*
 * Go's package path (1.26): slash-separated paths as text, whatever is on the disk.
 */
#ifndef DSP_TEMPLATE_GOPATH_H
#define DSP_TEMPLATE_GOPATH_H

#include "base/buf.h"
#include "base/str.h"

/* Base, Ext: a piece of the path or a constant. */
dsp_str gt_path_base(dsp_str path);
dsp_str gt_path_ext(dsp_str path);
bool    gt_path_is_abs(dsp_str path);

/* Clean and Dir write the path (out is empty before). */
void gt_path_clean(dsp_buf *out, dsp_str path);
void gt_path_dir(dsp_buf *out, dsp_str path);

#endif
