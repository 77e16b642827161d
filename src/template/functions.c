#include "fn_builtin.h"

#define VAR     GT_F_VARIADIC
#define BUILTIN GT_F_BUILTIN

/*
 * Every name that a template can call, sorted bytewise.
 *
 *  name, body, mode, parameters, flags, result, steps, cost
 */
const gt_function gt_functions[] = {
    { "and", NULL, 0, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR | GT_F_AND_OR, GT_VALUE, 1, 0 },
    { "call", NULL, 0, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR | GT_F_CALL, GT_VALUE, 1, 0 },
    { "eq", gt_fn_compare, GT_EQ, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR, GT_BOOL, 1, 0 },
    { "ge", gt_fn_compare, GT_GE, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "gt", gt_fn_compare, GT_GT, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "html", gt_fn_html, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "index", gt_fn_index, 0, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR, GT_VALUE, 1, 0 },
    { "js", gt_fn_js, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "le", gt_fn_compare, GT_LE, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "len", gt_fn_len, 0, GT_PARAMS(GT_VALUE), BUILTIN, GT_INT, 1, 0 },
    { "lt", gt_fn_compare, GT_LT, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "ne", gt_fn_compare, GT_NE, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "not", gt_fn_not, 0, GT_PARAMS(GT_VALUE), BUILTIN, GT_BOOL, 1, 0 },
    { "or", NULL, 1, GT_PARAMS(GT_VALUE, GT_VALUE), BUILTIN | VAR | GT_F_AND_OR, GT_VALUE, 1, 0 },
    { "print", gt_fn_print, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "printf", gt_fn_printf, 0, GT_PARAMS(GT_STRING, GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "println", gt_fn_println, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
    { "urlquery", gt_fn_urlquery, 0, GT_PARAMS(GT_ANY), BUILTIN | VAR, GT_STRING, 1, 0 },
};

const size_t gt_n_functions = sizeof(gt_functions) / sizeof(gt_functions[0]);

static bool allowed(const gt_function *fn, unsigned policy)
{
    return ((fn->flags & GT_F_ENV) == 0 || (policy & DSP_TEMPLATE_ALLOW_ENV) != 0) &&
           ((fn->flags & GT_F_NET) == 0 || (policy & DSP_TEMPLATE_ALLOW_DNS) != 0);
}

const gt_function *gt_function_find(dsp_str name, unsigned policy)
{
    size_t low = 0;
    size_t high = gt_n_functions;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int    order = dsp_str_cmp(name, dsp_str_from(gt_functions[mid].name));
        if (order == 0) {
            return allowed(&gt_functions[mid], policy) ? &gt_functions[mid] : NULL;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

bool dsp_template_function_at(size_t i, dsp_template_function *out)
{
    if (i >= gt_n_functions) {
        return false;
    }
    out->name = gt_functions[i].name;
    out->builtin = (gt_functions[i].flags & GT_F_BUILTIN) != 0;
    out->policy = ((gt_functions[i].flags & GT_F_ENV) != 0 ? DSP_TEMPLATE_ALLOW_ENV : 0u) |
                  ((gt_functions[i].flags & GT_F_NET) != 0 ? DSP_TEMPLATE_ALLOW_DNS : 0u);
    return true;
}
