/*
 * Calls: arity, arguments of the parameters' types, the body under its limits, and whose error it is.
 *
 * Arguments lie on the stack while they are evaluated, with the receiver (or nothing) before them; an error leaves them
 * there, nothing is executed after it.
 */
#include <string.h>

#include "eval.h"

/* --- types -------------------------------------------------------------------------------------------------------- */

/* What is in a slot of type error. */
static gt_value out_of_slot(gt_value v)
{
    if (v.type != GT_ERROR_SLOT) {
        return v;
    }
    if (v.s.data == NULL) {
        return (gt_value){ .type = GT_NIL, .flags = GT_IFACE };
    }
    v.type = GT_ERROR;
    return v;
}

bool gt_eval_validate(gt_exec *e, enum gt_type type, gt_value *v)
{
    if (type == GT_NIL || type == GT_VALUE) {
        return true;
    }
    if (v->type == GT_NIL && (v->flags & GT_IFACE) == 0) {
        if (!gt_type_nilable(type)) {
            return gt_fail(e->c, "invalid value; expected %s", gt_type_name(type));
        }
        *v = gt_typed_nil(type == GT_ANY ? GT_NIL : type);
        return true;
    }
    if (v->type == GT_ERROR_SLOT && (type == GT_ANY || v->s.data != NULL)) {
        *v = gt_plain(out_of_slot(*v));
    }
    if (type == GT_ANY || (v->type == type && v->type != GT_NIL)) {
        v->flags = 0;
        return true;
    }
    return gt_fail(e->c, "wrong type for value; expected %s; got %s", gt_type_name(type),
                   v->type == GT_NIL ? "interface {}" : gt_type_name((enum gt_type) v->type));
}

bool gt_eval_check_arity(gt_exec *e, const gt_function *fn, dsp_str name, size_t n_args, size_t n_in)
{
    bool     variadic = (fn->flags & GT_F_VARIADIC) != 0;
    size_t   want = variadic ? fn->n_params - 1u : fn->n_params;
    dsp_buf *b;

    if (variadic ? n_in >= want : n_in == want) {
        return true;
    }
    b = gt_fail_text(e->c);
    dsp_buf_addz(b, "wrong number of args for ");
    dsp_buf_adds(b, name);
    if (variadic) {
        dsp_buf_addf(b, ": want at least %zu got %zu", want, n_args);
    } else {
        dsp_buf_addf(b, ": want %zu got %zu", want, n_in);
    }
    return gt_failed(e->c);
}

/* The type of parameter i; beyond the last one it is the variadic one's. */
static enum gt_type param_type(const gt_function *fn, size_t i)
{
    return (enum gt_type) fn->params[i < fn->n_params ? i : fn->n_params - 1u];
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

/* Slow cryptography is limited by its cost, and its time does not count. */
static bool call_body(gt_exec *e, const gt_function *fn, size_t base, gt_value *out)
{
    gt_ctx *c = e->c;
    bool    ok;

    c->slow = false;
    ok = gt_charge(c, fn->steps) && (fn->cost == 0 || gt_charge_cost(c, fn->cost)) &&
         fn->body(c, e->stack + base, e->n_stack - base, out);
    if (c->slow && c->clock_runs) {
        c->deadline_ns += gt_tick_ns(c) - c->slow_since_ns;
    }
    return ok;
}

static bool run_body(gt_exec *e, const gt_function *fn, const gt_node *node, dsp_str name, size_t base, gt_value *out)
{
    gt_ctx  *c = e->c;
    unsigned depth = c->depth;
    unsigned n_texts = c->n_texts;
    bool     ok;

    *out = gt_nil();
    c->fn = fn;
    ok = call_body(e, fn, base, out);
    c->depth = depth;
    c->n_texts = n_texts;
    if (ok) {
        if (fn->result != GT_VALUE) {
            out->flags = fn->result == GT_ANY ? GT_IFACE : fn->result == GT_DRIVER ? GT_IFACE | GT_IFACE_DRIVER : 0;
        }
        return true;
    }
    e->at = node;
    dsp_buf *b = gt_text_begin(c);
    if (b != NULL) {
        b->max = SIZE_MAX / 2;
        dsp_buf_addz(b, "error calling ");
        dsp_buf_adds(b, name);
        dsp_buf_addz(b, ": ");
        gt_fail_before(c, dsp_buf_str(b));
        c->n_texts = n_texts;
    }
    return false;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static bool push(gt_exec *e, gt_value v)
{
    if (e->n_stack == e->size_stack) {
        size_t    size = e->size_stack == 0 ? 32 : e->size_stack * 2;
        gt_value *stack = gt_regrow(e->c, e->stack, e->n_stack, size, sizeof(*stack));

        if (stack == NULL) {
            return false;
        }
        e->stack = stack;
        e->size_stack = size;
    }
    e->stack[e->n_stack++] = out_of_slot(v);
    return true;
}

static bool eval_and_or(gt_exec *e, const gt_value *dot, const gt_function *fn, gt_arguments args,
                        const gt_value *final, gt_value *out)
{
    bool stop_at = fn->mode != 0; /* `or` stops at the first true one */

    for (uint32_t i = 0; i < args.n; i++) {
        if (!gt_eval_arg(e, dot, GT_VALUE, args.nodes[i], out)) {
            return false;
        }
        if (gt_truth(*out) == stop_at) {
            return true;
        }
    }
    if (final != NULL) {
        *out = *final;
    }
    return true;
}

/* `call`: no value that a template can have is a function. */
static bool fail_call(gt_exec *e, const gt_node *node, gt_arguments args, const gt_value *final, gt_value callee)
{
    dsp_buf *b = gt_fail_text(e->c);

    e->at = node;
    dsp_buf_addz(b, "error calling call: ");
    if (gt_is_nil(callee)) {
        dsp_buf_addz(b, "call of nil");
        return gt_failed(e->c);
    }
    dsp_buf_addz(b, "non-function ");
    if (args.n > 0) {
        gt_node_text(b, args.nodes[0]);
    } else if (callee.type == GT_STRING) {
        dsp_buf_adds(b, callee.s);
    } else {
        dsp_buf_addf(b, "<%s Value>", gt_type_name((enum gt_type) final->type)); /* an error is one in its slot */
    }
    dsp_buf_addf(b, " of type %s", gt_type_name((enum gt_type) callee.type));
    return gt_failed(e->c);
}

bool gt_eval_call(gt_exec *e, const gt_value *dot, const gt_function *fn, const gt_value *receiver, const gt_node *node,
                  dsp_str name, gt_arguments args, const gt_value *final, gt_value *out)
{
    size_t   n_in = args.n + (final != NULL);
    size_t   bottom = e->n_stack;
    gt_value v;

    if (!gt_eval_check_arity(e, fn, name, args.n, n_in)) {
        return false;
    }
    if ((fn->flags & GT_F_AND_OR) != 0) {
        return eval_and_or(e, dot, fn, args, final, out);
    }
    if (!push(e, receiver != NULL ? *receiver : gt_nil())) {
        return false;
    }
    for (uint32_t i = 0; i < args.n; i++) {
        if (!gt_eval_arg(e, dot, param_type(fn, i), args.nodes[i], &v) || !push(e, v)) {
            return false;
        }
    }
    if (final != NULL) {
        v = *final;
        if (!gt_eval_validate(e, param_type(fn, args.n), &v) || !push(e, v)) {
            return false;
        }
    }
    if ((fn->flags & GT_F_CALL) != 0) {
        return fail_call(e, node, args, final, e->stack[bottom + 1]);
    }
    if (!run_body(e, fn, node, name, bottom + 1, out)) {
        return false;
    }
    e->n_stack = bottom;
    return true;
}

bool gt_eval_function(gt_exec *e, const gt_value *dot, const gt_node *node, const gt_node *cmd, gt_arguments args,
                      const gt_value *final, gt_value *out)
{
    e->at = node;
    return gt_eval_call(e, dot, node->ident.fn, NULL, cmd, node->ident.name, args, final, out);
}
