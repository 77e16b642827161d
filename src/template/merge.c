#include "merge.h"

#include "semver.h"
#include "tzif.h"

/* mergo's notion: a complex 0 is not empty. */
static bool is_empty(gt_value v) { return v.type != GT_COMPLEX128 && gt_empty(v); }

static bool is_struct(gt_value v) { return gt_kind_of(v) == GT_KIND_STRUCT; }
static bool is_pointer(gt_value v) { return gt_kind_of(v) == GT_KIND_PTR; }

/* What Go panics with where a map[string]string, as `split` makes it, would take a value out of a dict. */
static bool not_assignable(gt_ctx *c, enum gt_type type)
{
    return gt_fail(c, "reflect.Value.SetMapIndex: value of type %s is not assignable to type string",
                   gt_type_name(type));
}

static bool put(gt_ctx *c, gt_map *dst, const gt_map *src, dsp_str key, gt_value v)
{
    if (dst->type == GT_MAP_STRING && src->type != GT_MAP_STRING) {
        return not_assignable(c, GT_ANY);
    }
    return gt_map_set(c, dst, key, v);
}

/* mergo walks the fields of the environment, Name and Payload, beside the first two of another struct, which are not exported. */
static enum gt_merge_result fill_environment(gt_ctx *c, const struct gt_env *dst, gt_value src, bool overwrite)
{
    bool first = src.type == GT_SEMVER_PTR ? src.semver->major != 0 : src.type == GT_LOCATION;
    bool second = src.type == GT_SEMVER_PTR ? src.semver->minor != 0
                                            : src.type == GT_LOCATION && src.location != NULL && src.location->n_zones > 0;

    if ((first && (overwrite || dst->name.len == 0)) || (second && (overwrite || dst->payload.len == 0))) {
        gt_fail(c, "reflect: reflect.Value.Set using value obtained using unexported field");
        return GT_MERGE_FAILED;
    }
    return GT_MERGE_OK;
}

/*
 * Both are pointers: what dst points to is overwritten, for all who point to it. Not so for a zone, which belongs to more than
 * this template; Go would change the zone for the whole process.
 */
static enum gt_merge_result merge_pointed(gt_ctx *c, gt_value dst, gt_value src, bool overwrite)
{
    if (dst.type == GT_ENV) {
        return fill_environment(c, dst.env, src, overwrite);
    }
    if (!overwrite || dst.type == GT_ERROR || src.type == GT_ERROR) {
        return GT_MERGE_OK;
    }
    if (dst.type != src.type) {
        gt_fail(c, "reflect.Set: value of type %s is not assignable to type %s", gt_type_name((enum gt_type) src.type) + 1,
                gt_type_name((enum gt_type) dst.type) + 1);
        return GT_MERGE_FAILED;
    }
    if (dst.type == GT_SEMVER_PTR) {
        *dst.semver = *src.semver;
    }
    return GT_MERGE_OK;
}

/*
 * What becomes of dst's value itself where src has a dict, a struct or a pointer under the same key. Dicts are merged.
 * Other pairs leave it as it is or are errors; the caller puts src's value in its place where it should win.
 */
static enum gt_merge_result merge_value(gt_ctx *c, gt_value dst, gt_value src, bool overwrite)
{
    enum gt_merge_result result = GT_MERGE_OK;

    if (gt_is_map(dst) && gt_is_map(src)) {
        if (dst.map == NULL || src.map == NULL) {
            return GT_MERGE_OK;
        }
        if (!gt_deeper(c)) {
            return GT_MERGE_FAILED;
        }
        result = gt_merge(c, dst.map, src.map, overwrite);
        gt_shallower(c);
    } else if (dst.type == GT_CERT && !is_struct(src)) {
        gt_fail(c, "reflect: call of reflect.Value.Field on %s Value", gt_kind_name(gt_kind_of(src)));
        result = GT_MERGE_FAILED;
    } else if (is_pointer(dst) && !gt_empty(dst) && !overwrite && !is_pointer(src) &&
               !(dst.type == GT_SEMVER_PTR && src.type == GT_SEMVER) && !(gt_is_map(src) && src.map == NULL)) {
        result = GT_MERGE_REFUSED;
    } else if (is_pointer(dst) && is_pointer(src) && !gt_empty(dst) && !gt_empty(src)) {
        result = merge_pointed(c, dst, src, overwrite);
    }
    return result;
}

static enum gt_merge_result merge_entry(gt_ctx *c, gt_map *dst, const gt_map *src, const gt_entry *e, bool overwrite)
{
    gt_value            *found = gt_map_find(dst, e->key);
    gt_value             old = found == NULL ? gt_nil() : *found;
    bool                 wins = overwrite || is_empty(old);
    enum gt_merge_result result;

    if (gt_is_nil(e->value) && src->type == GT_MAP_ANY) {
        wins = overwrite;
    } else if (gt_is_list(e->value) && dst->type == GT_MAP_STRING) {
        if (found != NULL) {
            gt_fail(c, "reflect: call of reflect.Value.IsNil on string Value");
        } else {
            not_assignable(c, (enum gt_type) e->value.type);
        }
        return GT_MERGE_FAILED;
    } else if (gt_is_map(e->value) || is_struct(e->value) || is_pointer(e->value)) {
        result = merge_value(c, old, e->value, overwrite);
        if (result != GT_MERGE_OK) {
            return result;
        }
        if (gt_is_map(e->value) && gt_is_map(old) && !is_empty(old)) {
            wins = false;
        }
    }
    return !wins || put(c, dst, src, e->key, e->value) ? GT_MERGE_OK : GT_MERGE_FAILED;
}

enum gt_merge_result gt_merge(gt_ctx *c, gt_map *dst, const gt_map *src, bool overwrite)
{
    gt_entry *entries;

    if (!gt_charge(c, gt_map_len(src)) || (entries = gt_map_sorted(c, src)) == NULL) {
        return c->failed ? GT_MERGE_FAILED : GT_MERGE_OK;
    }
    for (size_t i = 0, n = gt_map_len(src); i < n; i++) {
        enum gt_merge_result result = merge_entry(c, dst, src, &entries[i], overwrite);

        if (result != GT_MERGE_OK) {
            return result;
        }
    }
    return GT_MERGE_OK;
}
