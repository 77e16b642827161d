/*
 * Go's package fmt over template values. All print into a buffer of the caller; a buffer that overflows is the
 * caller's to notice (gt_text_end does). They give false when the context has an error: depth, steps or memory.
 */
#ifndef DSP_TEMPLATE_FMT_H
#define DSP_TEMPLATE_FMT_H

#include "function.h"

/* %v of one value, as fmt.Sprint(v): nil is <nil>, a struct pointer &{…}. */
bool gt_fmt_value(gt_ctx *c, dsp_buf *out, gt_value v);

/* Sprint: a space between two operands of which neither is a string. Sprintln: always, and a newline. */
bool gt_fmt_sprint(gt_ctx *c, dsp_buf *out, const gt_value *args, size_t n);
bool gt_fmt_sprintln(gt_ctx *c, dsp_buf *out, const gt_value *args, size_t n);

/* Sprintf: every verb and flag; faults in the format are printed into the text, as Go does (%!d(string=x)). */
bool gt_fmt_sprintf(gt_ctx *c, dsp_buf *out, dsp_str format, const gt_value *args, size_t n);

/* One value under one verb without flags: gt_fmt_verb(c, out, 'q', v). */
bool gt_fmt_verb(gt_ctx *c, dsp_buf *out, char verb, gt_value v);

/* What an action prints: as gt_fmt_value, but missing and nil are <no value>. */
bool gt_fmt_action(gt_ctx *c, dsp_buf *out, gt_value v);

#endif
