#include "fn_dict.h"

#include "capacity.h"
#include "merge.h"

static bool give(gt_map *map, gt_value *out)
{
    if (map == NULL) {
        return false;
    }
    *out = gt_of_map(map);
    return true;
}

/* Keys and values in turn; a last key without a value has "". */
GT_BODY(gt_fn_dict)
{
    gt_map *map;
    dsp_str key;

    if (!gt_charge(c, n) || (map = gt_map_new(c, GT_MAP_ANY, (n + 1) / 2)) == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i += 2) {
        if (!gt_strval(c, args[i], &key) || !gt_map_set(c, map, key, i + 1 < n ? args[i + 1] : gt_literal(""))) {
            return false;
        }
    }
    return give(map, out);
}

GT_BODY(gt_fn_get)
{
    const gt_value *v = gt_map_find(args[0].map, args[1].s);

    (void) n;
    *out = v == NULL ? gt_literal("") : *v;
    return gt_charge_bytes(c, args[1].s.len);
}

GT_BODY(gt_fn_set)
{
    (void) n;
    if (args[0].map == NULL) {
        return gt_fail(c, "assignment to entry in nil map");
    }
    *out = args[0];
    return gt_charge_bytes(c, args[1].s.len) && gt_map_set(c, args[0].map, args[1].s, args[2]);
}

GT_BODY(gt_fn_unset)
{
    (void) n;
    if (args[0].map != NULL) {
        gt_map_remove(args[0].map, args[1].s);
    }
    *out = args[0];
    return gt_charge_bytes(c, args[1].s.len);
}

GT_BODY(gt_fn_has_key)
{
    (void) n;
    *out = gt_bool(gt_map_find(args[0].map, args[1].s) != NULL);
    return gt_charge_bytes(c, args[1].s.len);
}

/* The values of one key in all of the dicts that have it. */
GT_BODY(gt_fn_pluck)
{
    gt_list *list = gt_list_new(c, GT_LIST_ANY, 0);

    if (list == NULL) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        const gt_value *v = gt_map_find(args[i].map, args[0].s);

        if (!gt_charge(c, 1 + args[0].s.len / 64)) {
            return false;
        }
        if (v != NULL && !gt_list_add(c, list, *v)) {
            return false;
        }
    }
    list->growth = GT_GROWTH_APPENDED;
    *out = gt_of_list(list);
    return true;
}

/* The keys of all the dicts, those of the first first. */
GT_BODY(gt_fn_keys)
{
    gt_list *list = gt_list_new(c, GT_LIST_STRING, 0);

    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        gt_entry *entries = gt_map_sorted(c, args[i].map);

        if (c->failed || !gt_charge(c, 1 + gt_map_len(args[i].map))) {
            return false;
        }
        for (size_t k = 0; k < gt_map_len(args[i].map); k++) {
            if (!gt_list_add(c, list, gt_string(entries[k].key))) {
                return false;
            }
        }
    }
    list->growth = GT_GROWTH_APPENDED;
    *out = gt_of_list(list);
    return true;
}

GT_BODY(gt_fn_values)
{
    gt_list  *list = gt_list_new(c, GT_LIST_ANY, gt_map_len(args[0].map));
    gt_entry *entries;

    (void) n;
    if (list == NULL || !gt_charge(c, gt_map_len(args[0].map))) {
        return false;
    }
    entries = gt_map_sorted(c, args[0].map);
    if (c->failed) {
        return false;
    }
    for (size_t k = 0; k < gt_map_len(args[0].map); k++) {
        if (!gt_list_add(c, list, entries[k].value)) {
            return false;
        }
    }
    list->growth = GT_GROWTH_APPENDED;
    *out = gt_of_list(list);
    return true;
}

GT_BODY(gt_fn_pick)
{
    gt_map *map = gt_map_new(c, GT_MAP_ANY, 0);

    if (map == NULL) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        const gt_value *v = gt_map_find(args[0].map, args[i].s);

        if (!gt_charge(c, 1 + args[i].s.len / 64)) {
            return false;
        }
        if (v != NULL && !gt_map_set(c, map, args[i].s, *v)) {
            return false;
        }
    }
    return give(map, out);
}

GT_BODY(gt_fn_omit)
{
    const gt_map *from = args[0].map;
    gt_map       *map = gt_map_new(c, GT_MAP_ANY, gt_map_len(from));

    if (map == NULL || !gt_charge(c, gt_map_len(from))) {
        return false;
    }
    for (size_t i = 0; i < gt_map_len(from); i++) {
        if (!gt_map_set(c, map, from->entries[i].key, from->entries[i].value)) {
            return false;
        }
    }
    for (size_t i = 1; i < n; i++) {
        if (!gt_charge(c, 1 + args[i].s.len / 64)) {
            return false;
        }
        gt_map_remove(map, args[i].s);
    }
    return give(map, out);
}

/* Go's type assertion v.(want) that failed. */
static bool not_a(gt_ctx *c, gt_value v, const char *want)
{
    return gt_fail(c, "interface conversion: interface {} is %s, not %s",
                   gt_is_nil(v) ? "nil" : gt_type_name((enum gt_type) v.type), want);
}

/* dig KEY… DEFAULT DICT */
GT_BODY(gt_fn_dig)
{
    gt_value at;

    if (n < 3) {
        return gt_fail(c, "dig needs at least three arguments");
    }
    at = args[n - 1];
    if (at.type != GT_MAP_ANY) {
        return not_a(c, at, gt_type_name(GT_MAP_ANY));
    }
    for (size_t i = 0; i < n - 2; i++) {
        if (args[i].type != GT_STRING) {
            return not_a(c, args[i], "string");
        }
    }
    for (size_t i = 0; i < n - 2; i++) {
        const gt_value *next;

        if (at.type != GT_MAP_ANY) {
            return not_a(c, at, gt_type_name(GT_MAP_ANY));
        }
        if (!gt_charge(c, 1 + args[i].s.len / 64)) {
            return false;
        }
        next = gt_map_find(at.map, args[i].s);
        if (next == NULL) {
            *out = args[n - 2];
            return true;
        }
        at = *next;
    }
    *out = at;
    return true;
}

/*
 * An error of mergo is "" without must. A nil dict as the first becomes a new one as soon as there is something to
 * merge.
 */
GT_BODY(gt_fn_merge)
{
    bool     overwrite = (c->fn->mode & GT_MODE_OVERWRITE) != 0;
    gt_value dst = args[0];

    for (size_t i = 1; i < n; i++) {
        enum gt_merge_result result;

        if (args[i].map == NULL) {
            continue;
        }
        if (dst.map == NULL && (dst.map = gt_map_new(c, GT_MAP_ANY, 0)) == NULL) {
            return false;
        }
        result = gt_merge(c, dst.map, args[i].map, overwrite);
        if (result == GT_MERGE_FAILED) {
            return false;
        }
        if (result == GT_MERGE_REFUSED) {
            if ((c->fn->mode & GT_MODE_MUST) != 0) {
                return gt_fail(c, GT_MERGE_REFUSED_TEXT);
            }
            *out = gt_literal("");
            return true;
        }
    }
    *out = dst;
    return true;
}
