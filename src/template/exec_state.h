/*
 * What walking (exec.c) and evaluating (eval.h) share: one execution.
 */
#ifndef DSP_TEMPLATE_EXEC_STATE_H
#define DSP_TEMPLATE_EXEC_STATE_H

#include "parse.h"

typedef struct gt_variable {
    dsp_str  name; /* with its $ */
    gt_value value;
} gt_variable;

typedef struct gt_exec {
    gt_ctx        *c;
    const gt_tree *trees;
    const gt_tree *tree; /* the one that is being executed */
    dsp_str        text;
    const gt_node *at; /* the node that an error message names: the last one that was looked at, in Go's order */
    dsp_buf       *out;
    unsigned       flags;
    unsigned       depth; /* of templates */

    gt_variable *vars; /* a stack; those from first_var on are this template's */
    size_t       n_vars, size_vars, first_var;

    gt_value *stack; /* arguments of the calls under way */
    size_t    n_stack, size_stack;
} gt_exec;

bool      gt_exec_push_var(gt_exec *e, dsp_str name, gt_value v);
gt_value *gt_exec_var(gt_exec *e, dsp_str name);

/* The value of a pipeline (NULL: missing), which never has GT_IFACE; declares and assigns its variables. */
bool gt_eval_pipeline(gt_exec *e, const gt_value *dot, const gt_node *pipe, gt_value *out);

#endif
