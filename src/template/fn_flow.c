#include "fn_flow.h"

#include "capacity.h"

GT_BODY(gt_fn_default)
{
    (void) c;
    *out = n > 1 && !gt_empty(args[1]) ? args[1] : args[0];
    return true;
}

GT_BODY(gt_fn_empty)
{
    (void) c;
    (void) n;
    *out = gt_bool(gt_empty(args[0]));
    return true;
}

GT_BODY(gt_fn_coalesce)
{
    *out = gt_nil();
    for (size_t i = 0; i < n; i++) {
        if (!gt_empty(args[i])) {
            *out = args[i];
            break;
        }
    }
    return gt_charge(c, n);
}

GT_BODY(gt_fn_all)
{
    bool all = true;

    for (size_t i = 0; i < n; i++) {
        all = all && !gt_empty(args[i]);
    }
    *out = gt_bool(all);
    return gt_charge(c, n);
}

GT_BODY(gt_fn_any)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        any = any || !gt_empty(args[i]);
    }
    *out = gt_bool(any);
    return gt_charge(c, n);
}

GT_BODY(gt_fn_ternary)
{
    (void) c;
    (void) n;
    *out = args[2].b ? args[0] : args[1];
    return true;
}

GT_BODY(gt_fn_fail)
{
    (void) n;
    (void) out;
    return gt_fail_str(c, args[0].s);
}

/* --- reflection --------------------------------------------------------------------------------------------------- */

static dsp_str type_name(gt_value v) { return dsp_str_from(gt_type_name((enum gt_type) v.type)); }

GT_BODY(gt_fn_type_of)
{
    (void) c;
    (void) n;
    *out = gt_string(type_name(args[0]));
    return true;
}

GT_BODY(gt_fn_type_is)
{
    (void) c;
    (void) n;
    *out = gt_bool(dsp_str_eq(args[0].s, type_name(args[1])));
    return true;
}

/* The type or a pointer to it. */
GT_BODY(gt_fn_type_is_like)
{
    dsp_str name = type_name(args[1]);

    (void) c;
    (void) n;
    *out = gt_bool(dsp_str_eq(args[0].s, name) ||
                   (name.data[0] == '*' && dsp_str_eq(args[0].s, dsp_str_sub(name, 1, name.len))));
    return true;
}

GT_BODY(gt_fn_kind_of)
{
    (void) c;
    (void) n;
    *out = gt_string(dsp_str_from(gt_kind_name(gt_kind_of(args[0]))));
    return true;
}

GT_BODY(gt_fn_kind_is)
{
    (void) c;
    (void) n;
    *out = gt_bool(dsp_str_is(args[0].s, gt_kind_name(gt_kind_of(args[1]))));
    return true;
}

GT_BODY(gt_fn_deep_equal)
{
    bool ok;

    (void) n;
    *out = gt_bool(gt_deep_equal(c, args[0], args[1], &ok));
    return ok;
}

static bool deep_copy(gt_ctx *c, gt_value v, gt_value *out);

static bool copy_list(gt_ctx *c, const gt_list *from, gt_value *out)
{
    gt_list *list = gt_list_new(c, (enum gt_type) from->type, from->len);

    if (list == NULL || !gt_charge(c, from->len)) {
        return false;
    }
    for (size_t i = 0; i < from->len; i++) {
        if (!deep_copy(c, from->items[i], &list->items[i])) {
            return false;
        }
    }
    list->len = from->len;
    list->growth = from->growth == GT_GROWTH_SLICED ? GT_GROWTH_MADE : from->growth;
    list->capacity = from->capacity;
    *out = gt_of_list(list);
    return true;
}

static bool copy_map(gt_ctx *c, const gt_map *from, gt_value *out)
{
    gt_map  *map = gt_map_new(c, (enum gt_type) from->type, from->len);
    gt_value v;

    if (map == NULL || !gt_charge(c, from->len)) {
        return false;
    }
    for (size_t i = 0; i < from->len; i++) {
        if (!deep_copy(c, from->entries[i].value, &v) || !gt_map_set(c, map, from->entries[i].key, v)) {
            return false;
        }
    }
    *out = gt_of_map(map);
    return true;
}

static bool copy_env(gt_ctx *c, gt_value v, gt_value *out)
{
    struct gt_env *env = gt_alloc(c, sizeof(*env));

    if (env == NULL) {
        return false;
    }
    *env = *v.env;
    *out = v;
    out->env = env;
    return true;
}

/* copystructure: lists and maps anew at every level, typed nils as they are. */
static bool deep_copy(gt_ctx *c, gt_value v, gt_value *out)
{
    const gt_type_ops *ops = gt_ops((enum gt_type) v.type);
    bool               good;

    *out = v;
    if (ops->copy != NULL) {
        return ops->copy(c, v, out);
    }
    if (v.type == GT_ENV && v.env != NULL) {
        return copy_env(c, v, out);
    }
    if (!(gt_is_list(v) && v.list != NULL) && !(gt_is_map(v) && v.map != NULL)) {
        return true;
    }
    if (!gt_deeper(c)) {
        return false;
    }
    good = gt_is_list(v) ? copy_list(c, v.list, out) : copy_map(c, v.map, out);
    gt_shallower(c);
    return good;
}

GT_BODY(gt_fn_deep_copy)
{
    (void) n;
    if (gt_is_nil(args[0])) {
        return gt_fail(c, "reflect: call of reflect.Value.Type on zero Value");
    }
    return deep_copy(c, args[0], out);
}
