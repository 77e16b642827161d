/*
 * The executor: walks the trees of gt_parse() over the data and writes.
 */
#ifndef DSP_TEMPLATE_EXEC_H
#define DSP_TEMPLATE_EXEC_H

#include "parse.h"

typedef struct gt_exec_input {
    dsp_str        text; /* of all templates */
    dsp_str        name; /* of the template to execute, which is that of the text in error messages */
    const gt_tree *trees;
    unsigned       flags; /* DSP_TEMPLATE_DOUBLE_DOLLAR */
} gt_exec_input;

/* Appends to out. false: the whole error text is in the context; out holds what was written before. */
bool gt_execute(gt_ctx *c, const gt_exec_input *in, dsp_buf *out);

#endif
