/*
 * Evaluating, in four files: pipelines, commands and operands (eval.c), calls of functions and methods (eval_call.c),
 * what stands behind a dot or a $ (eval_field.c), and literals (eval_literal.c).
 *
 * All give their value in *out, or false with the message in the context; `at` is then the node that it is about.
 * `final` is the value that the previous stage of the pipeline hands to this one, as its last argument; NULL: none.
 * GT_IFACE on a value says that it was read from a slot of type interface{}; a pipeline takes it off.
 */
#ifndef DSP_TEMPLATE_EVAL_H
#define DSP_TEMPLATE_EVAL_H

#include "exec_state.h"

/* The operands of a command behind the first one. */
typedef struct gt_arguments {
    gt_node *const *nodes;
    uint32_t        n;
} gt_arguments;

static const gt_arguments gt_no_arguments = { NULL, 0 };

/* --- eval.c ------------------------------------------------------------------------------------------------------- */

/* An operand as an argument of that type; GT_NIL: the base of a chain, any type. */
bool gt_eval_arg(gt_exec *e, const gt_value *dot, enum gt_type type, const gt_node *node, gt_value *out);

/* BEFORE node AFTER MORE, and BEFORE s AFTER; they give false. */
bool gt_eval_fail_node(gt_exec *e, const char *before, const gt_node *node, const char *after, const char *more);
bool gt_eval_fail_str(gt_exec *e, const char *before, dsp_str s, const char *after);

/* Whether neither arguments nor a final value are there; else the error, which names first. */
bool gt_eval_not_a_function(gt_exec *e, const gt_node *first, gt_arguments args, const gt_value *final);

/* --- eval_call.c -------------------------------------------------------------------------------------------------- */

/* Makes *v a value of a parameter's type. GT_NIL: any type will do and nothing is changed. */
bool gt_eval_validate(gt_exec *e, enum gt_type type, gt_value *v);

/* Whether a function takes n_in values, of which n_args are written as arguments; else the error. */
bool gt_eval_check_arity(gt_exec *e, const gt_function *fn, dsp_str name, size_t n_args, size_t n_in);

/* A function, or a method of *receiver, that is called `name` in messages; node is what its own error is blamed on. */
bool gt_eval_call(gt_exec *e, const gt_value *dot, const gt_function *fn, const gt_value *receiver, const gt_node *node,
                  dsp_str name, gt_arguments args, const gt_value *final, gt_value *out);

/* The function that the identifier node names; cmd: the command, or the identifier that stands alone. */
bool gt_eval_function(gt_exec *e, const gt_value *dot, const gt_node *node, const gt_node *cmd, gt_arguments args,
                      const gt_value *final, gt_value *out);

/* --- eval_field.c ------------------------------------------------------------------------------------------------- */

/* $x.Y.Z, .X.Y.Z of the dot, and (…).X.Y.Z; the last name may be that of a method, which takes the arguments. */
bool gt_eval_variable(gt_exec *e, const gt_value *dot, const gt_node *node, gt_arguments args, const gt_value *final,
                      gt_value *out);
bool gt_eval_field(gt_exec *e, const gt_value *dot, const gt_node *node, gt_arguments args, const gt_value *final,
                   gt_value *out);
bool gt_eval_chain(gt_exec *e, const gt_value *dot, const gt_node *node, gt_arguments args, const gt_value *final,
                   gt_value *out);

/* --- eval_literal.c ----------------------------------------------------------------------------------------------- */

/* A truth value, a string or a number where nothing says its type. */
bool gt_eval_literal(gt_exec *e, const gt_node *node, gt_value *out);

/* A literal where a type is asked for. */
bool gt_eval_typed_literal(gt_exec *e, enum gt_type type, const gt_node *node, gt_value *out);

#endif
