#include "function.h"

#include "fn_date.h"
#include "fn_semver.h"
#include "methods.h"

/* The Go types, in the order of enum gt_type. */
static const struct type_row {
    const char  *name;
    enum gt_kind kind;
    enum gt_type elem;
    bool         nilable;
} types[GT_N_TYPES] = {
    [GT_NIL] = { "<nil>", GT_KIND_INVALID, GT_NIL, true },
    [GT_BOOL] = { "bool", GT_KIND_BOOL, GT_NIL, false },
    [GT_INT] = { "int", GT_KIND_INT, GT_NIL, false },
    [GT_INT32] = { "int32", GT_KIND_INT32, GT_NIL, false },
    [GT_INT64] = { "int64", GT_KIND_INT64, GT_NIL, false },
    [GT_UINT8] = { "uint8", GT_KIND_UINT8, GT_NIL, false },
    [GT_UINT32] = { "uint32", GT_KIND_UINT32, GT_NIL, false },
    [GT_UINT64] = { "uint64", GT_KIND_UINT64, GT_NIL, false },
    [GT_FLOAT64] = { "float64", GT_KIND_FLOAT64, GT_NIL, false },
    [GT_COMPLEX128] = { "complex128", GT_KIND_COMPLEX128, GT_NIL, false },
    [GT_STRING] = { "string", GT_KIND_STRING, GT_NIL, false },
    [GT_LIST_ANY] = { "[]interface {}", GT_KIND_SLICE, GT_ANY, true },
    [GT_LIST_STRING] = { "[]string", GT_KIND_SLICE, GT_STRING, true },
    [GT_LIST_INT] = { "[]int", GT_KIND_SLICE, GT_INT, true },
    [GT_LIST_LIST] = { "[][]interface {}", GT_KIND_SLICE, GT_LIST_ANY, true },
    [GT_LIST_UINT8] = { "[]uint8", GT_KIND_SLICE, GT_UINT8, true },
    [GT_MAP_ANY] = { "map[string]interface {}", GT_KIND_MAP, GT_ANY, true },
    [GT_MAP_STRING] = { "map[string]string", GT_KIND_MAP, GT_STRING, true },
    [GT_DURATION] = { "time.Duration", GT_KIND_INT64, GT_NIL, false },
    [GT_MONTH] = { "time.Month", GT_KIND_INT, GT_NIL, false },
    [GT_WEEKDAY] = { "time.Weekday", GT_KIND_INT, GT_NIL, false },
    [GT_TIME] = { "time.Time", GT_KIND_STRUCT, GT_NIL, false },
    [GT_LOCATION] = { "*time.Location", GT_KIND_PTR, GT_NIL, true },
    [GT_SEMVER] = { "semver.Version", GT_KIND_STRUCT, GT_NIL, false },
    [GT_SEMVER_PTR] = { "*semver.Version", GT_KIND_PTR, GT_NIL, true },
    [GT_CERT] = { "sprig.certificate", GT_KIND_STRUCT, GT_NIL, false },
    [GT_ENV] = { "*template.Environment", GT_KIND_PTR, GT_NIL, true },
    [GT_ERROR] = { "*errors.errorString", GT_KIND_PTR, GT_NIL, true },
    [GT_ERROR_SLOT] = { "error", GT_KIND_INTERFACE, GT_NIL, true },
    [GT_ANY] = { "interface {}", GT_KIND_INTERFACE, GT_NIL, true },
    [GT_DRIVER] = { "driver.Value", GT_KIND_INTERFACE, GT_NIL, true },
    [GT_VALUE] = { "reflect.Value", GT_KIND_STRUCT, GT_NIL, true },
};

static const char *const kinds[] = {
    [GT_KIND_INVALID] = "invalid", [GT_KIND_BOOL] = "bool",     [GT_KIND_INT] = "int",
    [GT_KIND_INT32] = "int32",     [GT_KIND_INT64] = "int64",   [GT_KIND_UINT8] = "uint8",
    [GT_KIND_UINT32] = "uint32",   [GT_KIND_UINT64] = "uint64", [GT_KIND_FLOAT64] = "float64",
    [GT_KIND_COMPLEX128] = "complex128", [GT_KIND_STRING] = "string", [GT_KIND_SLICE] = "slice",
    [GT_KIND_MAP] = "map",         [GT_KIND_PTR] = "ptr",       [GT_KIND_STRUCT] = "struct",
    [GT_KIND_INTERFACE] = "interface",
};

/* --- the two structs without a home of their own ------------------------------------------------------------------ */

static bool env_field(gt_value v, dsp_str name, gt_value *out)
{
    if (dsp_str_is(name, "Name")) {
        *out = gt_string(v.env->name);
    } else if (dsp_str_is(name, "Payload")) {
        *out = gt_string(v.env->payload);
    } else {
        return false;
    }
    return true;
}

static bool env_field_at(gt_value v, size_t i, const char **name, gt_value *out)
{
    *name = i == 0 ? "Name" : "Payload";
    *out = gt_string(i == 0 ? v.env->name : v.env->payload);
    return i < 2;
}

static bool same_env(gt_value a, gt_value b)
{
    return a.env == b.env;
}

/* reflect.DeepEqual looks behind pointers. */
static bool equal_envs(gt_value a, gt_value b)
{
    return a.env == b.env || (a.env != NULL && b.env != NULL && dsp_str_eq(a.env->name, b.env->name) &&
                              dsp_str_eq(a.env->payload, b.env->payload));
}

static bool cert_field(gt_value v, dsp_str name, gt_value *out)
{
    if (dsp_str_is(name, "Cert")) {
        *out = gt_string(v.cert->cert);
    } else if (dsp_str_is(name, "Key")) {
        *out = gt_string(v.cert->key);
    } else {
        return false;
    }
    return true;
}

static bool cert_field_at(gt_value v, size_t i, const char **name, gt_value *out)
{
    *name = i == 0 ? "Cert" : "Key";
    *out = gt_string(i == 0 ? v.cert->cert : v.cert->key);
    return i < 2;
}

static bool same_cert(gt_value a, gt_value b)
{
    return dsp_str_eq(a.cert->cert, b.cert->cert) && dsp_str_eq(a.cert->key, b.cert->key);
}

static bool error_string(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    dsp_buf_adds(out, v.s.data != NULL ? v.s : DSP_STR("<nil>"));
    return true;
}

static GT_BODY(error_text)
{
    (void) n;
    return gt_give_text(c, args[-1], error_string, out);
}

static bool same_error(gt_value a, gt_value b)
{
    return dsp_str_eq(a.s, b.s); /* semver's are variables, one of a text */
}

/* copystructure copies exported fields, of which there are none. */
static bool copy_error(gt_ctx *c, gt_value v, gt_value *out)
{
    (void) c;
    *out = v;
    out->s = DSP_STR("");
    return true;
}

static bool write_no_fields(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    (void) v;
    dsp_buf_addz(out, "{}");
    return true;
}

static bool error_field_at(gt_value v, size_t i, const char **name, gt_value *out)
{
    *name = "s";
    *out = gt_string(v.s);
    return i < 1;
}

static const gt_type_ops no_ops;
static const gt_type_ops env_ops = {
    .field = env_field,
    .field_at = env_field_at,
    .struct_name = "template.Environment",
    .deep_equal = equal_envs,
    .same = same_env,
};
static const gt_type_ops cert_ops = {
    .field = cert_field,
    .field_at = cert_field_at,
    .deep_equal = same_cert,
    .same = same_cert,
};
static const char *const error_unexported[] = { "s", NULL };
static const gt_method error_methods[] = { GT_METHOD("Error", error_text, 0, GT_NO_PARAMS, GT_STRING) };
static const gt_type_ops error_ops = {
    .string = error_string,
    .json = write_no_fields,
    .same = same_error,
    .copy = copy_error,
    .unexported = error_unexported,
    .field_at = error_field_at,
    .fields_hidden = true,
    .struct_name = "errors.errorString",
    GT_METHODS(error_methods),
};

/* A type's owner adds its row here: [GT_TIME] = &gt_time_ops, … */
static const gt_type_ops *const ops[GT_N_TYPES] = {
    [GT_ENV] = &env_ops,
    [GT_CERT] = &cert_ops,
    [GT_ERROR] = &error_ops,
    [GT_ERROR_SLOT] = &error_ops,
    [GT_TIME] = &gt_time_ops,
    [GT_DURATION] = &gt_duration_ops,
    [GT_MONTH] = &gt_month_ops,
    [GT_WEEKDAY] = &gt_weekday_ops,
    [GT_LOCATION] = &gt_location_ops,
    [GT_SEMVER] = &gt_semver_ops,
    [GT_SEMVER_PTR] = &gt_semver_ptr_ops,
};

const gt_type_ops *gt_ops(enum gt_type type)
{
    return ops[type] != NULL ? ops[type] : &no_ops;
}

const char *gt_type_name(enum gt_type type)
{
    return types[type].name;
}

const char *gt_kind_name(enum gt_kind kind)
{
    return kinds[kind];
}

enum gt_kind gt_type_kind(enum gt_type type)
{
    return types[type].kind;
}

enum gt_type gt_type_elem(enum gt_type type)
{
    return types[type].elem;
}

bool gt_type_nilable(enum gt_type type)
{
    return types[type].nilable;
}

bool gt_is_signed(gt_value v)
{
    enum gt_kind k = types[v.type].kind;

    return k == GT_KIND_INT || k == GT_KIND_INT32 || k == GT_KIND_INT64;
}

bool gt_is_unsigned(gt_value v)
{
    enum gt_kind k = types[v.type].kind;

    return k == GT_KIND_UINT8 || k == GT_KIND_UINT32 || k == GT_KIND_UINT64;
}
