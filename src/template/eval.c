/*
 * Pipelines, commands and operands: which of them is evaluated how, and what goes from one stage to the next.
 */
#include "eval.h"

/* --- errors ------------------------------------------------------------------------------------------------------- */

bool gt_eval_fail_str(gt_exec *e, const char *before, dsp_str s, const char *after)
{
    dsp_buf *b = gt_fail_text(e->c);

    dsp_buf_addz(b, before);
    dsp_buf_adds(b, s);
    dsp_buf_addz(b, after);
    return gt_failed(e->c);
}

bool gt_eval_fail_node(gt_exec *e, const char *before, const gt_node *node, const char *after, const char *more)
{
    dsp_buf *b = gt_fail_text(e->c);

    dsp_buf_addz(b, before);
    gt_node_text(b, node);
    dsp_buf_addz(b, after);
    dsp_buf_addz(b, more);
    return gt_failed(e->c);
}

bool gt_eval_not_a_function(gt_exec *e, const gt_node *first, gt_arguments args, const gt_value *final)
{
    if (args.n > 0 || final != NULL) {
        return gt_eval_fail_node(e, "can't give argument to non-function ", first, "", "");
    }
    return true;
}

/* --- operands ----------------------------------------------------------------------------------------------------- */

static bool eval_nil_arg(gt_exec *e, enum gt_type type, gt_value *out)
{
    if (!gt_type_nilable(type)) {
        return gt_fail(e->c, "cannot assign nil to %s", gt_type_name(type));
    }
    *out = gt_typed_nil(type == GT_ANY || type == GT_VALUE ? GT_NIL : type);
    return true;
}

bool gt_eval_arg(gt_exec *e, const gt_value *dot, enum gt_type type, const gt_node *node, gt_value *out)
{
    e->at = node;
    switch (node->type) {
    case GT_N_DOT:
        *out = *dot;
        return gt_eval_validate(e, type, out);
    case GT_N_NIL:
        return eval_nil_arg(e, type, out);
    case GT_N_FIELD:
        return gt_eval_field(e, dot, node, gt_no_arguments, NULL, out) && gt_eval_validate(e, type, out);
    case GT_N_VARIABLE:
        return gt_eval_variable(e, dot, node, gt_no_arguments, NULL, out) && gt_eval_validate(e, type, out);
    case GT_N_PIPE:
        return gt_eval_pipeline(e, dot, node, out) && gt_eval_validate(e, type, out);
    case GT_N_IDENTIFIER:
        return gt_eval_function(e, dot, node, node, gt_no_arguments, NULL, out) && gt_eval_validate(e, type, out);
    case GT_N_CHAIN:
        return gt_eval_chain(e, dot, node, gt_no_arguments, NULL, out) && gt_eval_validate(e, type, out);
    default:
        return type == GT_ANY || type == GT_VALUE ? gt_eval_literal(e, node, out)
                                                  : gt_eval_typed_literal(e, type, node, out);
    }
}

/* --- commands and pipelines --------------------------------------------------------------------------------------- */

static bool eval_command(gt_exec *e, const gt_value *dot, const gt_node *cmd, const gt_value *final, gt_value *out)
{
    const gt_node     *first = cmd->list.items[0];
    const gt_arguments args = { cmd->list.items + 1, cmd->list.n - 1 };

    switch (first->type) {
    case GT_N_FIELD:
        return gt_eval_field(e, dot, first, args, final, out);
    case GT_N_CHAIN:
        return gt_eval_chain(e, dot, first, args, final, out);
    case GT_N_IDENTIFIER:
        return gt_eval_function(e, dot, first, cmd, args, final, out);
    case GT_N_PIPE:
        return gt_eval_not_a_function(e, first, args, final) && gt_eval_pipeline(e, dot, first, out);
    case GT_N_VARIABLE:
        return gt_eval_variable(e, dot, first, args, final, out);
    default:
        break;
    }
    e->at = first;
    if (!gt_eval_not_a_function(e, first, args, final)) {
        return false;
    }
    if (first->type == GT_N_DOT) {
        *out = *dot;
        return true;
    }
    return first->type == GT_N_NIL ? gt_fail(e->c, "nil is not a command") : gt_eval_literal(e, first, out);
}

static bool set_variables(gt_exec *e, const gt_node *pipe, gt_value v)
{
    for (uint32_t i = 0; i < pipe->pipe.n_decl; i++) {
        dsp_str   name = pipe->pipe.decl[i]->chain.names[0];
        gt_value *var;

        if (!pipe->flag) {
            if (!gt_exec_push_var(e, name, v)) {
                return false;
            }
            continue;
        }
        var = gt_exec_var(e, name);
        if (var == NULL) {
            return false;
        }
        *var = v;
    }
    return true;
}

bool gt_eval_pipeline(gt_exec *e, const gt_value *dot, const gt_node *pipe, gt_value *out)
{
    gt_value v = gt_nil();

    if (pipe == NULL) {
        *out = v;
        return true;
    }
    e->at = pipe;
    if (!gt_charge(e->c, 1)) {
        return false;
    }
    if (!gt_stack_ok(e->c)) {
        return gt_fail_limit(e->c, "templates, blocks and parentheses are nested too deep");
    }
    for (uint32_t i = 0; i < pipe->pipe.n; i++) {
        gt_value final = v;
        if (!eval_command(e, dot, pipe->pipe.cmds[i], i > 0 ? &final : NULL, &v)) {
            return false;
        }
        v.flags = 0;
    }
    *out = v;
    return pipe->pipe.n_decl == 0 || set_variables(e, pipe, v);
}
