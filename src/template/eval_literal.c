/*
 * Literals: a constant has no type of its own until it is known where it goes.
 */
#include <string.h>

#include "eval.h"

/* --- where nothing says the type ---------------------------------------------------------------------------------- */

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
        return gt_eval_fail_str(e, "", n->text, " overflows int");
    }
    return true;
}

bool gt_eval_literal(gt_exec *e, const gt_node *node, gt_value *out)
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

/* --- where a type is asked for ------------------------------------------------------------------------------------ */

static int64_t cut_signed(enum gt_type type, int64_t i)
{
    return type == GT_INT32 ? (int32_t) (uint32_t) (uint64_t) i : i;
}

static uint64_t cut_unsigned(enum gt_type type, uint64_t u)
{
    return type == GT_UINT8 ? (uint8_t) u : type == GT_UINT32 ? (uint32_t) u : u;
}

bool gt_eval_typed_literal(gt_exec *e, enum gt_type type, const gt_node *node, gt_value *out)
{
    const gt_number *n = node->type == GT_N_NUMBER ? node->number : NULL;

    *out = (gt_value){ .type = (uint8_t) type };
    switch (gt_type_kind(type)) {
    case GT_KIND_BOOL:
        out->b = node->flag;
        return node->type == GT_N_BOOL || gt_eval_fail_node(e, "expected bool; found ", node, "", "");
    case GT_KIND_STRING:
        if (node->type != GT_N_STRING) {
            return gt_eval_fail_node(e, "expected string; found ", node, "", "");
        }
        out->s = node->string.text;
        return true;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        if (n == NULL || !n->is_int) {
            return gt_eval_fail_node(e, "expected integer; found ", node, "", "");
        }
        out->i = cut_signed(type, n->i);
        return true;
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        if (n == NULL || !n->is_uint) {
            return gt_eval_fail_node(e, "expected unsigned integer; found ", node, "", "");
        }
        out->u = cut_unsigned(type, n->u);
        return true;
    case GT_KIND_FLOAT64:
        if (n == NULL || !n->is_float) {
            return gt_eval_fail_node(e, "expected float; found ", node, "", "");
        }
        out->f = n->f;
        return true;
    default:
        return gt_eval_fail_node(e, "can't handle ", node, " for arg of type ", gt_type_name(type));
    }
}
