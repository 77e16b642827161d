/*
 * encoding/json over template values: interface{} in, interface{} out, with Go's error texts.
 */
#ifndef DSP_TEMPLATE_JSON_H
#define DSP_TEMPLATE_JSON_H

#include "function.h"

/*
 * json.Unmarshal into an interface{}: objects become dicts, arrays lists, numbers float64. false: an error of Go's text
 * is set (gt_forgive() it for fromJson). As in Go *out then may hold a part: a number out of range is a nil in a value
 * that is otherwise complete (*out = nil after a syntax error).
 */
bool gt_json_decode(gt_ctx *c, dsp_str text, gt_value *out);

enum {
    GT_JSON_RAW = 1,   /* no escapes for < > & */
    GT_JSON_PRETTY = 2 /* indented by two spaces */
};

/* json.Marshal (no newline at the end, in any mode). false: an error of Go's text is set. */
bool gt_json_encode(gt_ctx *c, dsp_buf *out, gt_value v, unsigned flags);

#endif
