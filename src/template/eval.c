#include <string.h>

#include "exec_state.h"
#include "strconv.h"

/*
 * Evaluating pipelines, commands and operands.
 *
 * `final` is the value that the previous stage of the pipeline hands to this one, as its last argument; NULL: none.
 * GT_IFACE on a value says that it was read from a slot of type interface{}; a pipeline takes it off.
 */

/* The operands of a command behind the first one. */
typedef struct arguments {
    gt_node *const *nodes;
    uint32_t        n;
} arguments;

static const arguments no_arguments = { NULL, 0 };

static bool eval_function(gt_exec *e, const gt_value *dot, const gt_node *node, const gt_node *cmd, arguments args,
                          const gt_value *final, gt_value *out);
static bool eval_arg(gt_exec *e, const gt_value *dot, enum gt_type type, const gt_node *node, gt_value *out);

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const char *static_type(const gt_value *v)
{
    return (v->flags & GT_IFACE) != 0 ? "interface {}" : gt_type_name((enum gt_type) v->type);
}

static bool fail_str(gt_exec *e, const char *before, dsp_str s, const char *after)
{
    dsp_buf *b = gt_fail_text(e->c);

    dsp_buf_addz(b, before);
    dsp_buf_adds(b, s);
    dsp_buf_addz(b, after);
    return gt_failed(e->c);
}

static bool fail_node(gt_exec *e, const char *before, const gt_node *node, const char *after, const char *more)
{
    dsp_buf *b = gt_fail_text(e->c);

    dsp_buf_addz(b, before);
    gt_node_text(b, node);
    dsp_buf_addz(b, after);
    dsp_buf_addz(b, more);
    return gt_failed(e->c);
}

/* --- constants ---------------------------------------------------------------------------------------------------- */

static bool has_any(dsp_str s, const char *set)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '\0' && strchr(set, s.data[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool is_hex_int(dsp_str s)
{
    return s.len > 2 && s.data[0] == '0' && (s.data[1] == 'x' || s.data[1] == 'X') && !has_any(s, "pP");
}

/* A number where nothing says its type: its spelling does. */
static bool ideal_constant(gt_exec *e, const gt_node *node, gt_value *out)
{
    const gt_number *n = node->number;

    e->at = node;
    if (n->is_complex) {
        *out = (gt_value){ .type = GT_COMPLEX128, .c = { n->re, n->im } };
    } else if (n->is_float && !is_hex_int(n->text) && n->text.data[0] != '\'' && has_any(n->text, ".eEpP")) {
        *out = gt_float(n->f);
    } else if (n->is_int) {
        *out = gt_int(n->i);
    } else {
        return fail_str(e, "", n->text, " overflows int");
    }
    return true;
}

static bool eval_literal(gt_exec *e, const gt_node *node, gt_value *out)
{
    switch (node->type) {
    case GT_N_BOOL:
        *out = gt_bool(node->flag);
        return true;
    case GT_N_STRING:
        *out = gt_string(node->string.text);
        return true;
    default:
        return ideal_constant(e, node, out);
    }
}

static int64_t cut_signed(enum gt_type type, int64_t i)
{
    return type == GT_INT32 ? (int32_t) (uint32_t) (uint64_t) i : i;
}

static uint64_t cut_unsigned(enum gt_type type, uint64_t u)
{
    return type == GT_UINT8 ? (uint8_t) u : type == GT_UINT32 ? (uint32_t) u : u;
}

/* A literal where a type is asked for. */
static bool typed_literal(gt_exec *e, enum gt_type type, const gt_node *node, gt_value *out)
{
    const gt_number *n = node->type == GT_N_NUMBER ? node->number : NULL;

    *out = (gt_value){ .type = (uint8_t) type };
    switch (gt_type_kind(type)) {
    case GT_KIND_BOOL:
        out->b = node->flag;
        return node->type == GT_N_BOOL || fail_node(e, "expected bool; found ", node, "", "");
    case GT_KIND_STRING:
        if (node->type != GT_N_STRING) {
            return fail_node(e, "expected string; found ", node, "", "");
        }
        out->s = node->string.text;
        return true;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        if (n == NULL || !n->is_int) {
            return fail_node(e, "expected integer; found ", node, "", "");
        }
        out->i = cut_signed(type, n->i);
        return true;
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        if (n == NULL || !n->is_uint) {
            return fail_node(e, "expected unsigned integer; found ", node, "", "");
        }
        out->u = cut_unsigned(type, n->u);
        return true;
    case GT_KIND_FLOAT64:
        if (n == NULL || !n->is_float) {
            return fail_node(e, "expected float; found ", node, "", "");
        }
        out->f = n->f;
        return true;
    default:
        return fail_node(e, "can't handle ", node, " for arg of type ", gt_type_name(type));
    }
}

/* --- types -------------------------------------------------------------------------------------------------------- */

/* Makes *v a value of a parameter's type. GT_NIL: any type will do and nothing is changed. */
static bool validate(gt_exec *e, enum gt_type type, gt_value *v)
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
    if (type == GT_ANY || (v->type == type && v->type != GT_NIL)) {
        v->flags = 0;
        return true;
    }
    return gt_fail(e->c, "wrong type for value; expected %s; got %s", gt_type_name(type),
                   v->type == GT_NIL ? "interface {}" : gt_type_name((enum gt_type) v->type));
}

static bool not_a_function(gt_exec *e, const gt_node *first, arguments args, const gt_value *final)
{
    if (args.n > 0 || final != NULL) {
        return fail_node(e, "can't give argument to non-function ", first, "", "");
    }
    return true;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static bool push(gt_exec *e, gt_value v)
{
    if (e->n_stack == e->size_stack) {
        size_t    size = e->size_stack == 0 ? 32 : e->size_stack * 2;
        gt_value *stack = gt_alloc_n(e->c, size, sizeof(*stack));

        if (stack == NULL) {
            return false;
        }
        if (e->n_stack > 0) {
            memcpy(stack, e->stack, e->n_stack * sizeof(*stack));
        }
        e->stack = stack;
        e->size_stack = size;
    }
    e->stack[e->n_stack++] = v;
    return true;
}

static bool check_arity(gt_exec *e, const gt_function *fn, dsp_str name, size_t n_args, size_t n_in)
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

static bool eval_and_or(gt_exec *e, const gt_value *dot, const gt_function *fn, arguments args, const gt_value *final,
                        gt_value *out)
{
    bool stop_at = fn->mode != 0; /* `or` stops at the first true one */

    for (uint32_t i = 0; i < args.n; i++) {
        if (!eval_arg(e, dot, GT_VALUE, args.nodes[i], out)) {
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
static bool fail_call(gt_exec *e, const gt_node *node, arguments args, gt_value callee)
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
        dsp_buf_addf(b, "<%s Value>", gt_type_name((enum gt_type) callee.type));
    }
    dsp_buf_addf(b, " of type %s", gt_type_name((enum gt_type) callee.type));
    return gt_failed(e->c);
}

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
            out->flags = fn->result == GT_ANY ? GT_IFACE : 0;
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
        dsp_buf_adds(b, dsp_buf_str(&c->error));
        dsp_buf_reset(&c->error);
        dsp_buf_adds(&c->error, dsp_buf_str(b));
        c->n_texts = n_texts;
    }
    return false;
}

/*
 * A function, or a method of *receiver. node is what an error of the function itself is blamed on. Arguments lie on the
 * stack while they are evaluated, with the receiver before them.
 */
static bool eval_call(gt_exec *e, const gt_value *dot, const gt_function *fn, const gt_value *receiver,
                      const gt_node *node, dsp_str name, arguments args, const gt_value *final, gt_value *out)
{
    size_t   n_in = args.n + (final != NULL);
    size_t   bottom = e->n_stack;
    gt_value v;

    if (!check_arity(e, fn, name, args.n, n_in)) {
        return false;
    }
    if ((fn->flags & GT_F_AND_OR) != 0) {
        return eval_and_or(e, dot, fn, args, final, out);
    }
    if (!push(e, receiver != NULL ? *receiver : gt_nil())) {
        return false;
    }
    for (uint32_t i = 0; i < args.n; i++) {
        if (!eval_arg(e, dot, param_type(fn, i), args.nodes[i], &v) || !push(e, v)) {
            return false;
        }
    }
    if (final != NULL) {
        v = *final;
        if (!validate(e, param_type(fn, args.n), &v) || !push(e, v)) {
            return false;
        }
    }
    if ((fn->flags & GT_F_CALL) != 0) {
        return fail_call(e, node, args, e->stack[bottom + 1]);
    }
    if (!run_body(e, fn, node, name, bottom + 1, out)) {
        return false;
    }
    e->n_stack = bottom;
    return true;
}

static bool eval_function(gt_exec *e, const gt_value *dot, const gt_node *node, const gt_node *cmd, arguments args,
                          const gt_value *final, gt_value *out)
{
    e->at = node;
    return eval_call(e, dot, node->ident.fn, NULL, cmd, node->ident.name, args, final, out);
}

/* --- fields and methods ------------------------------------------------------------------------------------------- */

static const gt_method *find_method(const gt_type_ops *ops, dsp_str name)
{
    size_t low = 0;
    size_t high = ops->n_methods;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int    order = dsp_str_cmp(name, dsp_str_from(ops->methods[mid].fn.name));
        if (order == 0) {
            return &ops->methods[mid];
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static bool eval_method(gt_exec *e, const gt_value *dot, const gt_method *method, const gt_value *receiver,
                        const gt_node *node, dsp_str name, arguments args, const gt_value *final, gt_value *out)
{
    if (method->refusal != NULL) {
        return check_arity(e, &method->fn, name, args.n, args.n + (final != NULL)) &&
               gt_fail(e->c, "%s", method->refusal);
    }
    return eval_call(e, dot, &method->fn, receiver, node, name, args, final, out);
}

static bool struct_field(gt_exec *e, const gt_type_ops *ops, const gt_value *receiver, const char *type, dsp_str name,
                         bool has_args, gt_value *out, bool *found)
{
    *found = true;
    if (ops->field != NULL && ops->field(*receiver, name, out)) {
        return !has_args || fail_str(e, "", name, " has arguments but cannot be invoked as function");
    }
    for (const char *const *hidden = ops->unexported; hidden != NULL && *hidden != NULL; hidden++) {
        if (dsp_str_is(name, *hidden)) {
            dsp_buf *b = gt_fail_text(e->c);
            dsp_buf_adds(b, name);
            dsp_buf_addf(b, " is an unexported field of struct type %s", type);
            return gt_failed(e->c);
        }
    }
    *found = false;
    return true;
}

static bool map_entry(gt_exec *e, const gt_value *receiver, dsp_str name, bool has_args, gt_value *out)
{
    const gt_value *found;

    if (has_args) {
        return fail_str(e, "", name, " is not a method but has arguments");
    }
    found = gt_map_find(receiver->map, name);
    if (found == NULL) {
        *out = gt_nil();
        return true;
    }
    *out = *found;
    out->flags = receiver->type == GT_MAP_ANY ? GT_IFACE : 0;
    return true;
}

static bool eval_field(gt_exec *e, const gt_value *dot, dsp_str name, const gt_node *node, arguments args,
                       const gt_value *final, const gt_value *receiver, gt_value *out)
{
    const char        *type = static_type(receiver);
    const gt_type_ops *ops = gt_ops((enum gt_type) receiver->type);
    bool               has_args = args.n > 0 || final != NULL;
    bool               found;

    if (gt_is_nil(*receiver)) {
        if ((receiver->flags & GT_IFACE) != 0) {
            return fail_str(e, "nil pointer evaluating interface {}.", name, "");
        }
        *out = gt_nil(); /* missing has missing fields */
        return true;
    }
    const gt_method *method = find_method(ops, name);
    if (method != NULL) {
        gt_value plain = gt_plain(*receiver);
        return eval_method(e, dot, method, &plain, node, name, args, final, out);
    }
    if (!struct_field(e, ops, receiver, type, name, has_args, out, &found)) {
        return false;
    }
    if (found) {
        return true;
    }
    if (gt_is_map(*receiver)) {
        return map_entry(e, receiver, name, has_args, out);
    }
    dsp_buf *b = gt_fail_text(e->c);
    dsp_buf_addz(b, "can't evaluate field ");
    dsp_buf_adds(b, name);
    dsp_buf_addf(b, " in type %s", type);
    return gt_failed(e->c);
}

/* .X.Y.Z of a receiver; only the last may be a method with arguments. */
static bool eval_field_chain(gt_exec *e, const gt_value *dot, gt_value receiver, const gt_node *node,
                             const dsp_str *names, uint32_t n, arguments args, const gt_value *final, gt_value *out)
{
    for (uint32_t i = 0; i + 1 < n; i++) {
        gt_value next;
        if (!eval_field(e, dot, names[i], node, no_arguments, NULL, &receiver, &next)) {
            return false;
        }
        receiver = next;
    }
    return eval_field(e, dot, names[n - 1], node, args, final, &receiver, out);
}

static bool eval_variable(gt_exec *e, const gt_value *dot, const gt_node *node, arguments args, const gt_value *final,
                          gt_value *out)
{
    gt_value *v;

    e->at = node;
    v = gt_exec_var(e, node->chain.names[0]);
    if (v == NULL) {
        return false;
    }
    if (node->chain.n == 1) {
        *out = *v;
        return not_a_function(e, node, args, final);
    }
    return eval_field_chain(e, dot, *v, node, node->chain.names + 1, node->chain.n - 1, args, final, out);
}

static bool eval_field_node(gt_exec *e, const gt_value *dot, const gt_node *node, arguments args, const gt_value *final,
                            gt_value *out)
{
    e->at = node;
    return eval_field_chain(e, dot, *dot, node, node->chain.names, node->chain.n, args, final, out);
}

static bool eval_chain(gt_exec *e, const gt_value *dot, const gt_node *node, arguments args, const gt_value *final,
                       gt_value *out)
{
    gt_value base;

    e->at = node;
    return eval_arg(e, dot, GT_NIL, node->chain.base, &base) &&
           eval_field_chain(e, dot, base, node, node->chain.names, node->chain.n, args, final, out);
}

/* --- operands and commands ---------------------------------------------------------------------------------------- */

static bool eval_nil_arg(gt_exec *e, enum gt_type type, gt_value *out)
{
    if (!gt_type_nilable(type)) {
        return gt_fail(e->c, "cannot assign nil to %s", gt_type_name(type));
    }
    *out = gt_typed_nil(type == GT_ANY || type == GT_VALUE ? GT_NIL : type);
    return true;
}

/* An operand as an argument of that type; GT_NIL: the base of a chain, any type. */
static bool eval_arg(gt_exec *e, const gt_value *dot, enum gt_type type, const gt_node *node, gt_value *out)
{
    e->at = node;
    switch (node->type) {
    case GT_N_DOT:
        *out = *dot;
        return validate(e, type, out);
    case GT_N_NIL:
        return eval_nil_arg(e, type, out);
    case GT_N_FIELD:
        return eval_field_node(e, dot, node, no_arguments, NULL, out) && validate(e, type, out);
    case GT_N_VARIABLE:
        return eval_variable(e, dot, node, no_arguments, NULL, out) && validate(e, type, out);
    case GT_N_PIPE:
        return gt_eval_pipeline(e, dot, node, out) && validate(e, type, out);
    case GT_N_IDENTIFIER:
        return eval_function(e, dot, node, node, no_arguments, NULL, out) && validate(e, type, out);
    case GT_N_CHAIN:
        return eval_chain(e, dot, node, no_arguments, NULL, out) && validate(e, type, out);
    default:
        return type == GT_ANY || type == GT_VALUE ? eval_literal(e, node, out) : typed_literal(e, type, node, out);
    }
}

static bool eval_command(gt_exec *e, const gt_value *dot, const gt_node *cmd, const gt_value *final, gt_value *out)
{
    const gt_node  *first = cmd->list.items[0];
    const arguments args = { cmd->list.items + 1, cmd->list.n - 1 };

    switch (first->type) {
    case GT_N_FIELD:
        return eval_field_node(e, dot, first, args, final, out);
    case GT_N_CHAIN:
        return eval_chain(e, dot, first, args, final, out);
    case GT_N_IDENTIFIER:
        return eval_function(e, dot, first, cmd, args, final, out);
    case GT_N_PIPE:
        return not_a_function(e, first, args, final) && gt_eval_pipeline(e, dot, first, out);
    case GT_N_VARIABLE:
        return eval_variable(e, dot, first, args, final, out);
    default:
        break;
    }
    e->at = first;
    if (!not_a_function(e, first, args, final)) {
        return false;
    }
    if (first->type == GT_N_DOT) {
        *out = *dot;
        return true;
    }
    return first->type == GT_N_NIL ? gt_fail(e->c, "nil is not a command") : eval_literal(e, first, out);
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
