/*
 * Fields, methods and entries of maps: .X.Y.Z of the dot, of a variable or of any operand. Of a name Go asks for a
 * method first, then for a field, then for an entry.
 */
#include "eval.h"

/* --- one name ----------------------------------------------------------------------------------------------------- */

static const char *static_type(const gt_value *v)
{
    enum gt_type type = (v->flags & GT_IFACE_DRIVER) != 0 ? GT_DRIVER
                        : (v->flags & GT_IFACE) != 0      ? GT_ANY
                                                          : (enum gt_type) v->type;

    return gt_type_name(type);
}

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
                        const gt_node *node, dsp_str name, gt_arguments args, const gt_value *final, gt_value *out)
{
    if (method->refusal != NULL) {
        return gt_eval_check_arity(e, &method->fn, name, args.n, args.n + (final != NULL)) &&
               gt_fail(e->c, "%s", method->refusal);
    }
    return gt_eval_call(e, dot, &method->fn, receiver, node, name, args, final, out);
}

static bool struct_field(gt_exec *e, const gt_type_ops *ops, const gt_value *receiver, const char *type, dsp_str name,
                         bool has_args, gt_value *out, bool *found)
{
    *found = true;
    if (ops->field != NULL && ops->field(*receiver, name, out)) {
        return !has_args || gt_eval_fail_str(e, "", name, " has arguments but cannot be invoked as function");
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
        return gt_eval_fail_str(e, "", name, " is not a method but has arguments");
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

static bool eval_field(gt_exec *e, const gt_value *dot, dsp_str name, const gt_node *node, gt_arguments args,
                       const gt_value *final, const gt_value *receiver, gt_value *out)
{
    const char        *type = static_type(receiver);
    const gt_type_ops *ops = gt_ops((enum gt_type) receiver->type);
    bool               has_args = args.n > 0 || final != NULL;
    bool               found;

    if (gt_is_nil(*receiver)) {
        if ((receiver->flags & GT_IFACE) != 0) {
            return gt_eval_fail_str(e, "nil pointer evaluating interface {}.", name, "");
        }
        *out = gt_nil(); /* missing has missing fields */
        return true;
    }
    if (receiver->type == GT_ERROR_SLOT && receiver->s.data == NULL) {
        return gt_eval_fail_str(e, "nil pointer evaluating error.", name, "");
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

/* --- chains of names ---------------------------------------------------------------------------------------------- */

/* .X.Y.Z of a receiver; only the last may be a method with arguments. */
static bool eval_field_chain(gt_exec *e, const gt_value *dot, gt_value receiver, const gt_node *node,
                             const dsp_str *names, uint32_t n, gt_arguments args, const gt_value *final, gt_value *out)
{
    for (uint32_t i = 0; i + 1 < n; i++) {
        gt_value next;
        if (!eval_field(e, dot, names[i], node, gt_no_arguments, NULL, &receiver, &next)) {
            return false;
        }
        receiver = next;
    }
    return eval_field(e, dot, names[n - 1], node, args, final, &receiver, out);
}

bool gt_eval_variable(gt_exec *e, const gt_value *dot, const gt_node *node, gt_arguments args, const gt_value *final,
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
        return gt_eval_not_a_function(e, node, args, final);
    }
    return eval_field_chain(e, dot, *v, node, node->chain.names + 1, node->chain.n - 1, args, final, out);
}

bool gt_eval_field(gt_exec *e, const gt_value *dot, const gt_node *node, gt_arguments args, const gt_value *final,
                   gt_value *out)
{
    e->at = node;
    return eval_field_chain(e, dot, *dot, node, node->chain.names, node->chain.n, args, final, out);
}

bool gt_eval_chain(gt_exec *e, const gt_value *dot, const gt_node *node, gt_arguments args, const gt_value *final,
                   gt_value *out)
{
    gt_value base;

    e->at = node;
    return gt_eval_arg(e, dot, GT_NIL, node->chain.base, &base) &&
           eval_field_chain(e, dot, base, node, node->chain.names, node->chain.n, args, final, out);
}
