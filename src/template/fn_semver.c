#include "fn_semver.h"

#include <string.h>

#include "json.h"
#include "methods.h"
#include "semver.h"

GT_BODY(gt_fn_semver)
{
    gt_semver *v = gt_alloc(c, sizeof(*v));

    (void) n;
    if (v == NULL || !gt_charge_bytes(c, args[0].s.len)) {
        return false;
    }
    if (!gt_semver_parse(args[0].s, v, gt_fail_text(c))) {
        return gt_failed(c);
    }
    *out = (gt_value){ .type = GT_SEMVER_PTR, .semver = v };
    return true;
}

GT_BODY(gt_fn_semver_compare)
{
    uint64_t len = args[0].s.len;

    (void) n;
    /* looking for ranges is quadratic */
    if (!gt_charge(c, len * len / 64 + args[1].s.len / 64)) {
        return false;
    }
    switch (gt_semver_check(c->arena, args[0].s, args[1].s, gt_fail_text(c))) {
    case GT_SEMVER_YES: *out = gt_bool(true); return true;
    case GT_SEMVER_NO: *out = gt_bool(false); return true;
    case GT_SEMVER_ERROR: return gt_failed(c);
    default: return gt_fail_alloc(c);
    }
}

/* --- methods of semver.Version and *semver.Version; the receiver is args[-1] -------------------------------------- */

enum {
    M_MAJOR, M_MINOR, M_PATCH,
    M_PRERELEASE, M_METADATA, M_ORIGINAL,
    M_LESS, M_LESS_EQUAL, M_GREATER, M_GREATER_EQUAL,
    M_JSON, M_TEXT
};

static GT_BODY(semver_number)
{
    const gt_semver *v = args[-1].semver;

    (void) n;
    *out = gt_uint64(c->fn->mode == M_MAJOR ? v->major : c->fn->mode == M_MINOR ? v->minor : v->patch);
    return true;
}

static GT_BODY(semver_text)
{
    const gt_semver *v = args[-1].semver;

    (void) n;
    *out = gt_string(c->fn->mode == M_PRERELEASE ? v->pre : c->fn->mode == M_METADATA ? v->metadata : v->original);
    return true;
}

static bool write_semver(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    if (v.semver == NULL) {
        dsp_buf_addz(out, "<nil>");
    } else {
        gt_semver_string(out, v.semver);
    }
    return true;
}

static GT_BODY(semver_string)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    return b != NULL && write_semver(c, args[-1], b) && gt_text_give(c, b, out);
}

/* A new version becomes a value; its original text is made anew. */
static bool give_version(gt_ctx *c, gt_semver next, gt_value *out)
{
    gt_semver *v = gt_alloc(c, sizeof(*v));

    if (v == NULL) {
        return false;
    }
    *v = next;
    if (!gt_semver_set_original(c->arena, v)) {
        return gt_fail_alloc(c);
    }
    *out = (gt_value){ .type = GT_SEMVER, .semver = v };
    return true;
}

static GT_BODY(semver_increment)
{
    (void) n;
    return give_version(c, gt_semver_increment(args[-1].semver, (enum gt_semver_part) c->fn->mode), out);
}

static GT_BODY(semver_set)
{
    gt_semver   next = *args[-1].semver;
    bool        pre = c->fn->mode == M_PRERELEASE;
    const char *why = NULL;

    (void) n;
    if (args[0].s.len > 0) {
        why = pre ? gt_semver_check_pre(args[0].s) : gt_semver_check_metadata(args[0].s);
    }
    if (why != NULL) {
        return gt_fail(c, "%s", why);
    }
    *(pre ? &next.pre : &next.metadata) = args[0].s;
    return give_version(c, next, out);
}

/* Prereleases are compared part by part, which is slower than to compare bytes. */
static bool charge_comparison(gt_ctx *c, const gt_semver *a, const gt_semver *b)
{
    return gt_charge(c, (a->pre.len + b->pre.len) / 16);
}

static GT_BODY(semver_compare)
{
    int order;

    (void) n;
    if (args[0].semver == NULL) {
        return gt_fail(c, GT_NIL_DEREFERENCE);
    }
    if (!charge_comparison(c, args[-1].semver, args[0].semver)) {
        return false;
    }
    order = gt_semver_compare(args[-1].semver, args[0].semver);
    switch (c->fn->mode) {
    case M_LESS: *out = gt_bool(order < 0); break;
    case M_LESS_EQUAL: *out = gt_bool(order <= 0); break;
    case M_GREATER: *out = gt_bool(order > 0); break;
    case M_GREATER_EQUAL: *out = gt_bool(order >= 0); break;
    default: *out = gt_int(order);
    }
    return true;
}

static GT_BODY(semver_equal)
{
    const gt_semver *v = args[-1].semver, *other = args[0].semver;

    (void) n;
    if (v == other || other == NULL) {
        *out = gt_bool(v == other);
        return true;
    }
    *out = gt_bool(gt_semver_compare(v, other) == 0);
    return charge_comparison(c, v, other);
}

static bool write_json(gt_ctx *c, gt_value v, dsp_buf *out)
{
    dsp_buf *b;
    dsp_str  s;

    if (v.semver == NULL) {
        dsp_buf_addz(out, "null");
        return true;
    }
    b = gt_text_begin(c);
    return b != NULL && write_semver(c, v, b) && gt_text_end(c, b, &s) && gt_json_encode(c, out, gt_string(s), 0);
}

static GT_BODY(semver_bytes)
{
    dsp_buf *b = gt_text_begin(c);
    gt_list *list;
    dsp_str  s;

    (void) n;
    if (b == NULL || !(c->fn->mode == M_JSON ? write_json(c, args[-1], b) : write_semver(c, args[-1], b)) ||
        !gt_text_end(c, b, &s)) {
        return false;
    }
    list = gt_list_new(c, GT_LIST_UINT8, s.len);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!gt_list_add(c, list, gt_uint8((uint8_t) s.data[i]))) {
            return false;
        }
    }
    *out = gt_of_list(list);
    return true;
}

/* --- methods that change the version ------------------------------------------------------------------------------ */

/* They return an error, a nil one when all is well: a failure is a value here, not a failure of the template. */
static bool set_version(gt_ctx *c, gt_semver *v, dsp_str text, gt_value *out)
{
    dsp_buf  *b = gt_text_begin(c);
    gt_semver next;
    dsp_str   why;
    bool      ok;

    if (b == NULL || !gt_charge_bytes(c, text.len)) {
        return false;
    }
    ok = gt_semver_parse(text, &next, b);
    if (!gt_text_end(c, b, &why)) {
        return false;
    }
    if (ok) {
        *v = next;
        *out = (gt_value){ .type = GT_ERROR_SLOT, .s = { NULL, 0 } };
    } else {
        *out = (gt_value){ .type = GT_ERROR_SLOT, .s = why };
    }
    return true;
}

static GT_BODY(semver_scan)
{
    (void) n;
    return set_version(c, args[-1].semver, args[0].type == GT_STRING ? args[0].s : DSP_STR(""), out);
}

static GT_BODY(semver_unmarshal_text)
{
    dsp_str s;

    (void) n;
    return gt_strval(c, args[0], &s) && set_version(c, args[-1].semver, s, out);
}

static GT_BODY(semver_unmarshal_json)
{
    gt_value v;
    dsp_str  s, why;

    (void) n;
    if (!gt_strval(c, args[0], &s)) {
        return false;
    }
    if (!gt_json_decode(c, s, &v)) {
        if (!gt_copy(c, dsp_buf_str(&c->error), &why) || !gt_forgive(c)) {
            return false;
        }
        *out = (gt_value){ .type = GT_ERROR_SLOT, .s = why };
        return true;
    }
    return set_version(c, args[-1].semver, v.type == GT_STRING ? v.s : DSP_STR(""), out);
}

/* --- as Go sees the struct ---------------------------------------------------------------------------------------- */

static bool equal_fields(const gt_semver *a, const gt_semver *b)
{
    return a->major == b->major && a->minor == b->minor && a->patch == b->patch && dsp_str_eq(a->pre, b->pre) &&
           dsp_str_eq(a->metadata, b->metadata) && dsp_str_eq(a->original, b->original);
}

static bool deep_equal(gt_value a, gt_value b)
{
    return a.semver == b.semver || (a.semver != NULL && b.semver != NULL && equal_fields(a.semver, b.semver));
}

static bool same_pointer(gt_value a, gt_value b)
{
    return a.semver == b.semver;
}

/* copystructure copies exported fields, of which a Version has none. */
static bool copy_version(gt_ctx *c, gt_value v, gt_value *out)
{
    gt_semver *zero;

    *out = v;
    if (v.semver == NULL) {
        return true;
    }
    zero = gt_alloc(c, sizeof(*zero));
    if (zero == NULL) {
        return false;
    }
    memset(zero, 0, sizeof(*zero));
    out->semver = zero;
    return true;
}

static const char *const unexported[] = { "major", "minor", "patch", "pre", "metadata", "original", NULL };

static bool field_at(gt_value v, size_t i, const char **name, gt_value *out)
{
    const gt_semver *s = v.semver;
    const uint64_t   numbers[] = { s->major, s->minor, s->patch };
    const dsp_str    texts[] = { s->pre, s->metadata, s->original };

    if (i >= 6) {
        return false;
    }
    *name = unexported[i];
    *out = i < 3 ? gt_uint64(numbers[i]) : gt_string(texts[i - 3]);
    return true;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static const gt_method value_methods[] = {
    GT_METHOD("IncMajor", semver_increment, GT_SEMVER_MAJOR, GT_NO_PARAMS, GT_SEMVER),
    GT_METHOD("IncMinor", semver_increment, GT_SEMVER_MINOR, GT_NO_PARAMS, GT_SEMVER),
    GT_METHOD("IncPatch", semver_increment, GT_SEMVER_PATCH, GT_NO_PARAMS, GT_SEMVER),
    GT_METHOD("Major", semver_number, M_MAJOR, GT_NO_PARAMS, GT_UINT64),
    GT_METHOD("MarshalJSON", semver_bytes, M_JSON, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("MarshalText", semver_bytes, M_TEXT, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("Metadata", semver_text, M_METADATA, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Minor", semver_number, M_MINOR, GT_NO_PARAMS, GT_UINT64),
    GT_METHOD("Patch", semver_number, M_PATCH, GT_NO_PARAMS, GT_UINT64),
    GT_METHOD("Prerelease", semver_text, M_PRERELEASE, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("SetMetadata", semver_set, M_METADATA, GT_METHOD_PARAMS(GT_STRING), GT_SEMVER),
    GT_METHOD("SetPrerelease", semver_set, M_PRERELEASE, GT_METHOD_PARAMS(GT_STRING), GT_SEMVER),
    GT_METHOD("String", semver_string, 0, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Value", semver_string, 0, GT_NO_PARAMS, GT_DRIVER),
};

static const gt_method pointer_methods[] = {
    GT_METHOD("Compare", semver_compare, 0, GT_METHOD_PARAMS(GT_SEMVER_PTR), GT_INT),
    GT_METHOD("Equal", semver_equal, 0, GT_METHOD_PARAMS(GT_SEMVER_PTR), GT_BOOL),
    GT_METHOD("GreaterThan", semver_compare, M_GREATER, GT_METHOD_PARAMS(GT_SEMVER_PTR), GT_BOOL),
    GT_METHOD("GreaterThanEqual", semver_compare, M_GREATER_EQUAL, GT_METHOD_PARAMS(GT_SEMVER_PTR), GT_BOOL),
    GT_METHOD("IncMajor", semver_increment, GT_SEMVER_MAJOR, GT_NO_PARAMS, GT_SEMVER),
    GT_METHOD("IncMinor", semver_increment, GT_SEMVER_MINOR, GT_NO_PARAMS, GT_SEMVER),
    GT_METHOD("IncPatch", semver_increment, GT_SEMVER_PATCH, GT_NO_PARAMS, GT_SEMVER),
    GT_METHOD("LessThan", semver_compare, M_LESS, GT_METHOD_PARAMS(GT_SEMVER_PTR), GT_BOOL),
    GT_METHOD("LessThanEqual", semver_compare, M_LESS_EQUAL, GT_METHOD_PARAMS(GT_SEMVER_PTR), GT_BOOL),
    GT_METHOD("Major", semver_number, M_MAJOR, GT_NO_PARAMS, GT_UINT64),
    GT_METHOD("MarshalJSON", semver_bytes, M_JSON, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("MarshalText", semver_bytes, M_TEXT, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("Metadata", semver_text, M_METADATA, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Minor", semver_number, M_MINOR, GT_NO_PARAMS, GT_UINT64),
    GT_METHOD("Original", semver_text, M_ORIGINAL, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Patch", semver_number, M_PATCH, GT_NO_PARAMS, GT_UINT64),
    GT_METHOD("Prerelease", semver_text, M_PRERELEASE, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Scan", semver_scan, 0, GT_METHOD_PARAMS(GT_ANY), GT_ERROR_SLOT),
    GT_METHOD("SetMetadata", semver_set, M_METADATA, GT_METHOD_PARAMS(GT_STRING), GT_SEMVER),
    GT_METHOD("SetPrerelease", semver_set, M_PRERELEASE, GT_METHOD_PARAMS(GT_STRING), GT_SEMVER),
    GT_METHOD("String", semver_string, 0, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("UnmarshalJSON", semver_unmarshal_json, 0, GT_METHOD_PARAMS(GT_LIST_UINT8), GT_ERROR_SLOT),
    GT_METHOD("UnmarshalText", semver_unmarshal_text, 0, GT_METHOD_PARAMS(GT_LIST_UINT8), GT_ERROR_SLOT),
    GT_METHOD("Value", semver_string, 0, GT_NO_PARAMS, GT_DRIVER),
};

const gt_type_ops gt_semver_ops = {
    .string = write_semver,
    .json = write_json,
    .deep_equal = deep_equal,
    .same = deep_equal,
    .copy = copy_version,
    .unexported = unexported,
    .field_at = field_at,
    .fields_hidden = true,
    GT_METHODS(value_methods),
};

const gt_type_ops gt_semver_ptr_ops = {
    .string = write_semver,
    .json = write_json,
    .deep_equal = deep_equal,
    .same = same_pointer,
    .copy = copy_version,
    .unexported = unexported,
    .field_at = field_at,
    .struct_name = "semver.Version",
    .fields_hidden = true,
    GT_METHODS(pointer_methods),
};
