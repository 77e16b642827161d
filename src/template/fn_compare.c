#include "fmt.h"
#include "fn_builtin.h"

/* Kinds that can be compared with each other. */
enum basic { B_NONE = 0, B_BOOL, B_COMPLEX, B_INT, B_FLOAT, B_STRING, B_UINT };

static enum basic basic_kind(gt_value v)
{
    switch (gt_kind_of(v)) {
    case GT_KIND_BOOL:
        return B_BOOL;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        return B_INT;
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        return B_UINT;
    case GT_KIND_FLOAT64:
        return B_FLOAT;
    case GT_KIND_COMPLEX128:
        return B_COMPLEX;
    case GT_KIND_STRING:
        return B_STRING;
    default:
        return B_NONE;
    }
}

static bool is_nil(gt_value v)
{
    return gt_is_nil(v) || (gt_type_nilable((enum gt_type) v.type) && v.list == NULL);
}

static bool fail_types(gt_ctx *c, gt_value a, gt_value b)
{
    return gt_fail(c, "incompatible types for comparison: %s and %s", gt_type_name((enum gt_type) a.type),
                   gt_type_name((enum gt_type) b.type));
}

/* first is printed with %s, then its type; or the other way round, as Go does for the second one. */
static bool fail_not_comparable(gt_ctx *c, gt_value a, gt_value b, bool both)
{
    dsp_buf *text = gt_text_begin(c);
    dsp_str  s;

    if (text == NULL) {
        return false;
    }
    if (both) {
        dsp_buf_addz(text, "non-comparable types ");
        if (!gt_fmt_verb(c, text, 's', a)) {
            return false;
        }
        dsp_buf_addf(text, ": %s, %s: ", gt_type_name((enum gt_type) a.type), gt_type_name((enum gt_type) b.type));
        if (!gt_fmt_value(c, text, b)) {
            return false;
        }
    } else {
        dsp_buf_addz(text, "non-comparable type ");
        if (!gt_fmt_verb(c, text, 's', b)) {
            return false;
        }
        dsp_buf_addf(text, ": %s", gt_type_name((enum gt_type) b.type));
    }
    return gt_text_end(c, text, &s) && gt_fail_str(c, s);
}

/* Values of no basic kind. */
static bool objects_equal(gt_ctx *c, gt_value a, gt_value b, bool *equal)
{
    enum gt_kind ka = gt_kind_of(a);
    enum gt_kind kb = gt_kind_of(b);

    if (ka != kb && ka != GT_KIND_INVALID && kb != GT_KIND_INVALID) {
        return fail_not_comparable(c, a, b, true);
    }
    if (is_nil(a) || is_nil(b)) {
        *equal = is_nil(a) == is_nil(b);
        return true;
    }
    if (gt_is_list(b) || gt_is_map(b)) {
        return fail_not_comparable(c, a, b, false);
    }
    const gt_type_ops *ops = gt_ops((enum gt_type) b.type);
    *equal = a.type == b.type && (ops->same != NULL ? ops->same(a, b) : a.list == b.list);
    return true;
}

static bool equal(gt_ctx *c, gt_value a, gt_value b, bool *out)
{
    enum basic ka = basic_kind(a);
    enum basic kb = basic_kind(b);

    *out = false;
    if (ka != kb) {
        if (ka == B_INT && kb == B_UINT) {
            *out = a.i >= 0 && (uint64_t) a.i == b.u;
        } else if (ka == B_UINT && kb == B_INT) {
            *out = b.i >= 0 && a.u == (uint64_t) b.i;
        } else if (!gt_is_nil(a) && !gt_is_nil(b)) {
            return fail_types(c, a, b);
        }
        return true;
    }
    switch (ka) {
    case B_BOOL:
        *out = a.b == b.b;
        return true;
    case B_COMPLEX:
        *out = a.c.re == b.c.re && a.c.im == b.c.im;
        return true;
    case B_FLOAT:
        *out = a.f == b.f;
        return true;
    case B_INT:
    case B_UINT:
        *out = a.u == b.u;
        return true;
    case B_STRING:
        *out = dsp_str_eq(a.s, b.s);
        return a.s.len != b.s.len || gt_charge_bytes(c, a.s.len);
    default:
        return objects_equal(c, a, b, out);
    }
}

static bool less(gt_ctx *c, gt_value a, gt_value b, bool *out)
{
    enum basic ka = basic_kind(a);
    enum basic kb = basic_kind(b);

    if (ka == B_NONE || kb == B_NONE) {
        return gt_fail(c, "invalid type for comparison");
    }
    if (ka != kb) {
        if (ka == B_INT && kb == B_UINT) {
            *out = a.i < 0 || (uint64_t) a.i < b.u;
        } else if (ka == B_UINT && kb == B_INT) {
            *out = b.i >= 0 && a.u < (uint64_t) b.i;
        } else {
            return fail_types(c, a, b);
        }
        return true;
    }
    switch (ka) {
    case B_FLOAT:
        *out = a.f < b.f;
        return true;
    case B_INT:
        *out = a.i < b.i;
        return true;
    case B_STRING:
        *out = dsp_str_cmp(a.s, b.s) < 0;
        return gt_charge_bytes(c, a.s.len < b.s.len ? a.s.len : b.s.len);
    case B_UINT:
        *out = a.u < b.u;
        return true;
    default:
        return gt_fail(c, "invalid type for comparison");
    }
}

static bool less_or_equal(gt_ctx *c, gt_value a, gt_value b, bool *out)
{
    return less(c, a, b, out) && (*out || equal(c, a, b, out));
}

/* eq a b…: whether a equals one of the others. */
static bool equals_any(gt_ctx *c, const gt_value *args, size_t n, bool *out)
{
    if (n < 2) {
        return gt_fail(c, "missing argument for comparison");
    }
    *out = false;
    for (size_t i = 1; i < n && !*out; i++) {
        if (!equal(c, args[0], args[i], out)) {
            return false;
        }
    }
    return true;
}

GT_BODY(gt_fn_compare)
{
    bool truth = false;
    bool ok;

    switch (c->fn->mode) {
    case GT_EQ:
        ok = equals_any(c, args, n, &truth);
        break;
    case GT_NE:
        ok = equal(c, args[0], args[1], &truth);
        truth = !truth;
        break;
    case GT_LT:
        ok = less(c, args[0], args[1], &truth);
        break;
    case GT_LE:
        ok = less_or_equal(c, args[0], args[1], &truth);
        break;
    case GT_GT:
        ok = less_or_equal(c, args[0], args[1], &truth);
        truth = !truth;
        break;
    default:
        ok = less(c, args[0], args[1], &truth);
        truth = !truth;
    }
    *out = gt_bool(truth);
    return ok;
}

GT_BODY(gt_fn_not)
{
    (void) c;
    (void) n;
    *out = gt_bool(!gt_truth(args[0]));
    return true;
}
