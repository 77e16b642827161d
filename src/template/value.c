#include <string.h>

#include "capacity.h"
#include "fmt.h"

/* --- lists -------------------------------------------------------------------------------------------------------- */

gt_list *gt_list_new(gt_ctx *c, enum gt_type type, size_t n)
{
    gt_list *list = gt_alloc(c, sizeof(*list));

    if (list == NULL) {
        return NULL;
    }
    *list = (gt_list){ .type = (uint8_t) type, .size = n };
    if (n > 0) {
        list->items = gt_alloc_n(c, n, sizeof(*list->items));
        if (list->items == NULL) {
            return NULL;
        }
    }
    return list;
}

bool gt_list_add(gt_ctx *c, gt_list *list, gt_value v)
{
    if (list->len == list->size) {
        size_t    size = list->size == 0 ? 4 : list->size * 2;
        gt_value *items = gt_regrow(c, list->items, list->len, size, sizeof(*items));

        if (items == NULL) {
            return false;
        }
        list->items = items;
        list->size = size;
    }
    v.flags = 0;
    list->items[list->len++] = v;
    return true;
}

gt_value gt_list_at(const gt_list *list, size_t i)
{
    gt_value v = list->items[i];

    v.flags = list->type == GT_LIST_ANY ? GT_IFACE : 0;
    return v;
}

/* --- questions ---------------------------------------------------------------------------------------------------- */

/* A pointer that is not nil, or a struct. */
static bool object_is_there(gt_value v)
{
    switch (v.type) {
    case GT_LOCATION:
        return v.location != NULL;
    case GT_SEMVER_PTR:
        return v.semver != NULL;
    case GT_ENV:
        return v.env != NULL;
    case GT_ERROR_SLOT:
        return v.s.data != NULL;
    default:
        return true;
    }
}

bool gt_truth(gt_value v)
{
    size_t len;

    switch (gt_kind_of(v)) {
    case GT_KIND_INVALID:
        return false;
    case GT_KIND_BOOL:
        return v.b;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        return v.i != 0;
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        return v.u != 0;
    case GT_KIND_FLOAT64:
        return v.f != 0;
    case GT_KIND_COMPLEX128:
        return v.c.re != 0 || v.c.im != 0;
    default:
        return gt_len(v, &len) ? len > 0 : object_is_there(v);
    }
}

/* The two rules of text/template and of Sprig agree on every type that we have. */
bool gt_empty(gt_value v)
{
    return !gt_truth(v);
}

bool gt_len(gt_value v, size_t *len)
{
    if (v.type == GT_STRING) {
        *len = v.s.len;
    } else if (gt_is_list(v)) {
        *len = gt_list_len(v.list);
    } else if (gt_is_map(v)) {
        *len = gt_map_len(v.map);
    } else {
        return false;
    }
    return true;
}

/* --- equality ----------------------------------------------------------------------------------------------------- */

static bool lists_equal(gt_ctx *c, const gt_list *a, const gt_list *b, bool *ok)
{
    if (a == b) {
        return true;
    }
    if (a == NULL || b == NULL || a->len != b->len) {
        return false;
    }
    if (a->items == b->items) {
        return true; /* as Go: the same memory is equal, NaNs in it notwithstanding */
    }
    for (size_t i = 0; i < a->len; i++) {
        if (!gt_deep_equal(c, a->items[i], b->items[i], ok)) {
            return false;
        }
    }
    return true;
}

static bool maps_equal(gt_ctx *c, const gt_map *a, const gt_map *b, bool *ok)
{
    if (a == b) {
        return true;
    }
    if (a == NULL || b == NULL || a->len != b->len) {
        return false;
    }
    for (uint32_t i = 0; i < a->len; i++) {
        const gt_value *other = gt_map_find(b, a->entries[i].key);
        if (other == NULL || !gt_deep_equal(c, a->entries[i].value, *other, ok)) {
            return false;
        }
    }
    return true;
}

static bool scalars_equal(gt_value a, gt_value b)
{
    switch (gt_kind_of(a)) {
    case GT_KIND_INVALID:
        return true;
    case GT_KIND_BOOL:
        return a.b == b.b;
    case GT_KIND_FLOAT64:
        return a.f == b.f;
    case GT_KIND_COMPLEX128:
        return a.c.re == b.c.re && a.c.im == b.c.im;
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        return a.u == b.u;
    default:
        return a.i == b.i;
    }
}

bool gt_deep_equal(gt_ctx *c, gt_value a, gt_value b, bool *ok)
{
    size_t len;
    bool   equal;

    *ok = true;
    if (a.type != b.type) {
        return false;
    }
    if (a.type == GT_STRING || a.type == GT_ERROR) {
        if (a.s.len == b.s.len && !gt_charge_bytes(c, a.s.len)) {
            *ok = false;
            return false;
        }
        return dsp_str_eq(a.s, b.s);
    }
    if (gt_len(a, &len)) {
        if (!gt_charge(c, 1 + len / 16) || !gt_deeper(c)) {
            *ok = false;
            return false;
        }
        equal = gt_is_list(a) ? lists_equal(c, a.list, b.list, ok) : maps_equal(c, a.map, b.map, ok);
        gt_shallower(c);
        return equal;
    }
    if (gt_ops((enum gt_type) a.type)->deep_equal != NULL) {
        return gt_ops((enum gt_type) a.type)->deep_equal(a, b);
    }
    return scalars_equal(a, b);
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

static bool bytes_to_string(gt_ctx *c, const gt_list *list, dsp_str *out)
{
    size_t n = gt_list_len(list);
    char  *p = gt_alloc(c, n);

    if (p == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = (char) list->items[i].u;
    }
    *out = (dsp_str){ p, n };
    return true;
}

bool gt_strval(gt_ctx *c, gt_value v, dsp_str *out)
{
    dsp_buf *b;

    if (v.type == GT_STRING) {
        *out = v.s;
        return true;
    }
    if (v.type == GT_LIST_UINT8) {
        return bytes_to_string(c, v.list, out);
    }
    b = gt_text_begin(c);
    return b != NULL && gt_fmt_value(c, b, v) && gt_text_end(c, b, out);
}

bool gt_strslice(gt_ctx *c, gt_value v, gt_list **out)
{
    dsp_str s;

    if (v.type == GT_LIST_STRING) {
        *out = v.list;
        return true;
    }
    *out = gt_list_new(c, GT_LIST_STRING, gt_is_list(v) ? gt_list_len(v.list) : 1);
    if (*out == NULL) {
        return false;
    }
    (*out)->growth = GT_GROWTH_MADE;
    (*out)->capacity = (uint32_t) (*out)->size;
    if (!gt_is_list(v)) {
        return gt_is_nil(v) || (gt_strval(c, v, &s) && gt_list_add(c, *out, gt_string(s)));
    }
    for (size_t i = 0; i < gt_list_len(v.list); i++) {
        if (gt_is_nil(v.list->items[i])) {
            continue;
        }
        if (!gt_strval(c, v.list->items[i], &s) || !gt_list_add(c, *out, gt_string(s))) {
            return false;
        }
    }
    return true;
}
