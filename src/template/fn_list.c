#include "fn_list.h"

#include <math.h>
#include <string.h>

#include "capacity.h"
#include "cast.h"

/* The argument as a list; else the error, in which %s is the kind. nil is a dereference in Go. */
static bool want_list(gt_ctx *c, gt_value v, const char *complaint)
{
    if (gt_is_list(v)) {
        return true;
    }
    if (gt_is_nil(v)) {
        return gt_fail(c, "%s", GT_NIL_DEREFERENCE);
    }
    return gt_fail(c, "%s %s", complaint, gt_kind_name(gt_kind_of(v)));
}

/* A new []interface {} with room for n elements, of which `count` of items come first. */
static gt_list *copied(gt_ctx *c, size_t n, const gt_value *items, size_t count)
{
    gt_list *list;

    if (!gt_charge(c, n) || (list = gt_list_new(c, GT_LIST_ANY, n)) == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(list->items, items, count * sizeof(*items));
    }
    list->len = count;
    return list;
}

static bool give(gt_list *list, gt_value *out)
{
    if (list == NULL) {
        return false;
    }
    *out = gt_of_list(list);
    return true;
}

static bool give_grown(gt_list *list, enum gt_growth growth, gt_value *out)
{
    list->growth = growth;
    return give(list, out);
}

static const gt_value *items_of(gt_value v) { return v.list == NULL ? NULL : v.list->items; }

GT_BODY(gt_fn_list) { return give(copied(c, n, args, n), out); }

/* A copy with room to spare, which the next append to it uses. */
static gt_list *with_room(gt_ctx *c, const gt_value *items, size_t len)
{
    gt_list *list = gt_list_new(c, GT_LIST_ANY, (len + 1) * 2);

    if (list == NULL || !gt_charge(c, len + 1)) {
        return NULL;
    }
    list->in_use = gt_alloc(c, sizeof(*list->in_use));
    if (list->in_use == NULL) {
        return NULL;
    }
    if (len > 0) {
        memcpy(list->items, items, len * sizeof(*items));
    }
    list->len = len;
    return list;
}

/*
 * Go copies the whole list each time. Nobody can change an element of a []interface {}, so here the new list shares the
 * items of the old one as long as there is room behind them that no other append has taken: a loop that appends costs
 * what it makes.
 */
GT_BODY(gt_fn_append)
{
    const gt_list *old = args[0].list;
    gt_list       *list;

    (void) n;
    if (!want_list(c, args[0], "Cannot push on type")) {
        return false;
    }
    if (old != NULL && old->in_use != NULL && *old->in_use == old->len && old->len < old->size) {
        list = gt_alloc(c, sizeof(*list));
        if (list != NULL) {
            *list = *old;
        }
    } else {
        list = with_room(c, items_of(args[0]), gt_list_len(old));
    }
    if (list == NULL || !gt_list_add(c, list, args[1])) {
        return false;
    }
    *list->in_use = list->len;
    return give_grown(list, GT_GROWTH_PUSHED, out);
}

GT_BODY(gt_fn_prepend)
{
    size_t   len;
    gt_list *list;

    (void) n;
    if (!want_list(c, args[0], "Cannot prepend on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    list = copied(c, len + 1, &args[1], 1);
    if (list == NULL) {
        return false;
    }
    if (len > 0) {
        memcpy(list->items + 1, items_of(args[0]), len * sizeof(gt_value));
    }
    list->len = len + 1;
    return give_grown(list, GT_GROWTH_PREPENDED, out);
}

GT_BODY(gt_fn_first)
{
    (void) n;
    if (!want_list(c, args[0], "Cannot find first on type")) {
        return false;
    }
    *out = gt_list_len(args[0].list) == 0 ? gt_nil() : args[0].list->items[0];
    return true;
}

GT_BODY(gt_fn_last)
{
    size_t len;

    (void) n;
    if (!want_list(c, args[0], "Cannot find last on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    *out = len == 0 ? gt_nil() : args[0].list->items[len - 1];
    return true;
}

/* All but the first; of an empty list a nil one. */
GT_BODY(gt_fn_rest)
{
    size_t len;

    (void) n;
    if (!want_list(c, args[0], "Cannot find rest on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    if (len == 0) {
        *out = gt_typed_nil(GT_LIST_ANY);
        return true;
    }
    return give(copied(c, len - 1, args[0].list->items + 1, len - 1), out);
}

GT_BODY(gt_fn_initial)
{
    size_t len;

    (void) n;
    if (!want_list(c, args[0], "Cannot find initial on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    if (len == 0) {
        *out = gt_typed_nil(GT_LIST_ANY);
        return true;
    }
    return give(copied(c, len - 1, args[0].list->items, len - 1), out);
}

GT_BODY(gt_fn_reverse)
{
    size_t   len;
    gt_list *list;

    (void) n;
    if (!want_list(c, args[0], "Cannot find reverse on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    list = copied(c, len, NULL, 0);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        list->items[i] = args[0].list->items[len - 1 - i];
    }
    list->len = len;
    return give(list, out);
}

GT_BODY(gt_fn_compact)
{
    size_t   len;
    gt_list *list;

    (void) n;
    if (!want_list(c, args[0], "Cannot compact on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    list = copied(c, len, NULL, 0);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!gt_empty(args[0].list->items[i])) {
            list->items[list->len++] = args[0].list->items[i];
        }
    }
    return give_grown(list, GT_GROWTH_APPENDED, out);
}

/* Whether one of the items is deeply equal to v; false with an error in the context, too. */
static bool among(gt_ctx *c, gt_value v, const gt_value *items, size_t n, bool *ok)
{
    *ok = gt_charge(c, n);
    for (size_t i = 0; *ok && i < n; i++) {
        if (items[i].type != v.type || (v.type == GT_STRING && items[i].s.len != v.s.len)) {
            continue; /* most are told apart by this */
        }
        if (gt_deep_equal(c, v, items[i], ok) && *ok) {
            return true;
        }
    }
    return false;
}

/* Whether a text is new to the set, in which it is then. false with an error in the context, too. */
static bool is_new(gt_ctx *c, gt_map *seen, dsp_str s, bool *ok)
{
    *ok = gt_charge(c, 1 + s.len / 64);
    if (!*ok || gt_map_find(seen, s) != NULL) {
        return false;
    }
    *ok = gt_map_set(c, seen, s, gt_nil());
    return *ok;
}

/* Texts, which are most of what lists hold, are looked up; others are compared with all that came before. */
GT_BODY(gt_fn_uniq)
{
    size_t   len;
    gt_list *list;
    gt_map  *seen;
    bool     ok;

    (void) n;
    if (!want_list(c, args[0], "Cannot find uniq on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    list = copied(c, len, NULL, 0);
    seen = gt_map_new(c, GT_MAP_ANY, len < 256 ? len : 256);
    if (list == NULL || seen == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        gt_value v = args[0].list->items[i];

        if (v.type == GT_STRING ? is_new(c, seen, v.s, &ok) : !among(c, v, list->items, list->len, &ok)) {
            list->items[list->len++] = v;
        }
        if (!ok) {
            return false;
        }
    }
    return give_grown(list, GT_GROWTH_APPENDED, out);
}

GT_BODY(gt_fn_without)
{
    size_t   len;
    gt_list *list;
    bool     ok;

    if (!want_list(c, args[0], "Cannot find without on type")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    list = copied(c, len, NULL, 0);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!among(c, args[0].list->items[i], args + 1, n - 1, &ok)) {
            list->items[list->len++] = args[0].list->items[i];
        }
        if (!ok) {
            return false;
        }
    }
    return give_grown(list, GT_GROWTH_APPENDED, out);
}

GT_BODY(gt_fn_has)
{
    bool ok;

    (void) n;
    if (gt_is_nil(args[1])) {
        *out = gt_bool(false);
        return true;
    }
    if (!want_list(c, args[1], "Cannot find has on type")) {
        return false;
    }
    *out = gt_bool(among(c, args[0], items_of(args[1]), gt_list_len(args[1].list), &ok));
    return ok;
}

/* list[i:j], where j may lie beyond the end (capacity.h); without elements nil, whatever the indexes are. */
GT_BODY(gt_fn_slice)
{
    size_t   len;
    int64_t  start, end;
    gt_list *list;

    if (!want_list(c, args[0], "list should be type of slice or array but")) {
        return false;
    }
    len = gt_list_len(args[0].list);
    if (len == 0) {
        *out = gt_nil();
        return true;
    }
    start = n > 1 ? gt_to_int64(args[1]) : 0;
    end = n > 2 ? gt_to_int64(args[2]) : (int64_t) len;
    if (start < 0 || end < start || (end > (int64_t) len && end > (int64_t) gt_list_capacity(args[0].list))) {
        return gt_fail(c, "reflect.Value.Slice: slice index out of bounds");
    }
    list = gt_list_slice(c, args[0].list, (size_t) start, (size_t) end);
    return give(list, out);
}

/* One after the other; a nil list where there is no element. */
GT_BODY(gt_fn_concat)
{
    size_t   total = 0;
    gt_list *list;

    for (size_t i = 0; i < n; i++) {
        if (!gt_is_list(args[i])) {
            return gt_is_nil(args[i])
                       ? gt_fail(c, "%s", GT_NIL_DEREFERENCE)
                       : gt_fail(c, "Cannot concat type %s as list", gt_kind_name(gt_kind_of(args[i])));
        }
        total += gt_list_len(args[i].list);
    }
    if (total == 0) {
        *out = gt_typed_nil(GT_LIST_ANY);
        return true;
    }
    list = copied(c, total, NULL, 0);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t len = gt_list_len(args[i].list);

        if (len > 0) {
            memcpy(list->items + list->len, args[i].list->items, len * sizeof(gt_value));
            list->len += len;
        }
    }
    return give_grown(list, GT_GROWTH_APPENDED, out);
}

/* Sprig counts chunks and the rest in floats, and sizes below 1 show it: most of them panic in make, some do not. */
GT_BODY(gt_fn_chunk)
{
    const char *panic = "runtime error: makeslice: len out of range";
    int64_t     size = args[0].i, chunks;
    double      len;
    gt_list    *list;

    (void) n;
    if (!want_list(c, args[1], "Cannot chunk type")) {
        return false;
    }
    len = (double) gt_list_len(args[1].list);
    chunks = gt_float_to_int64(floor((len - 1) / (double) size) + 1);
    if (chunks < 0) {
        return gt_fail(c, "%s", panic);
    }
    if (!gt_charge(c, (uint64_t) chunks) || (list = gt_list_new(c, GT_LIST_LIST, (size_t) chunks)) == NULL) {
        return false;
    }
    for (int64_t i = 0; i < chunks; i++) {
        int64_t  this = size;
        gt_list *part;

        if (i == chunks - 1) {
            this = gt_float_to_int64(floor(fmod(len, (double) size)));
            this = this == 0 ? size : this;
        }
        if (this < 0) {
            return gt_fail(c, "%s", panic);
        }
        part = copied(c, (size_t) this, items_of(args[1]) + i * size, (size_t) this);
        if (part == NULL) {
            return false;
        }
        list->items[list->len++] = gt_of_list(part);
    }
    return give(list, out);
}
