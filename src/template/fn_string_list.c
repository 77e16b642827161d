#include "fn_string_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"

/* The first separator in s, or NULL. */
static const char *find(dsp_str s, dsp_str separator)
{
    return separator.len == 1 ? memchr(s.data, separator.data[0], s.len)
                              : memmem(s.data, s.len, separator.data, separator.len);
}

/* The width of the first part where the separator is "": a rune, or a byte that belongs to none. */
static size_t rune_width(dsp_str s)
{
    uint32_t r;

    return gt_rune_at(s, 0, &r);
}

/* How many parts there are, for a text that is not empty. */
static size_t count_parts(dsp_str separator, dsp_str s)
{
    size_t n = separator.len > 0;

    while (s.len > 0 && s.len >= separator.len) {
        const char *at = separator.len == 0 ? s.data + rune_width(s) : find(s, separator);

        if (at == NULL) {
            break;
        }
        n++;
        at += separator.len;
        s.len -= (size_t) (at - s.data);
        s.data = at;
    }
    return n;
}

/*
 * Go's strings.SplitN: at most max parts, the last one being the rest; max < 0: all. An empty separator splits after
 * each rune, and then an empty text has no parts (it has one otherwise).
 */
static gt_list *split(gt_ctx *c, dsp_str separator, int64_t max, dsp_str s)
{
    size_t   parts = max == 0 ? 0 : count_parts(separator, s);
    gt_list *list;

    if (max > 0 && parts > (uint64_t) max) {
        parts = (size_t) max;
    }
    list = gt_charge(c, s.len / 64 + parts) ? gt_list_new(c, GT_LIST_STRING, parts) : NULL;
    if (list == NULL || parts == 0) {
        return list;
    }
    for (;;) {
        dsp_str part = s;
        size_t  next = s.len;

        if (max < 0 || list->len + 1 < (uint64_t) max) {
            if (separator.len > 0) {
                const char *at = s.len < separator.len ? NULL : find(s, separator);

                part.len = at == NULL ? s.len : (size_t) (at - s.data);
                next = at == NULL ? s.len + 1 : part.len + separator.len;
            } else {
                next = part.len = rune_width(s);
                next += next == s.len; /* that was the last one */
            }
        } else {
            next = s.len + 1;
        }
        if (!gt_list_add(c, list, gt_string(part))) {
            return NULL;
        }
        if (next > s.len) {
            return list;
        }
        s = dsp_str_sub(s, next, s.len);
    }
}

/* map[string]string with the keys _0, _1, … */
static bool give_map(gt_ctx *c, const gt_list *parts, gt_value *out)
{
    gt_map *map;

    if (parts == NULL || (map = gt_map_new(c, GT_MAP_STRING, parts->len)) == NULL) {
        return false;
    }
    for (size_t i = 0; i < parts->len; i++) {
        char  *key = gt_alloc(c, 24);
        size_t len;

        if (key == NULL) {
            return false;
        }
        len = (size_t) snprintf(key, 24, "_%zu", i);
        if (!gt_map_set(c, map, (dsp_str){ key, len }, parts->items[i])) {
            return false;
        }
    }
    *out = gt_of_map(map);
    return true;
}

GT_BODY(gt_fn_split)
{
    (void) n;
    return give_map(c, split(c, args[0].s, -1, args[1].s), out);
}

GT_BODY(gt_fn_splitn)
{
    (void) n;
    return give_map(c, split(c, args[0].s, args[1].i, args[2].s), out);
}

GT_BODY(gt_fn_split_list)
{
    gt_list *list = split(c, args[0].s, -1, args[1].s);

    (void) n;
    if (list == NULL) {
        return false;
    }
    *out = gt_of_list(list);
    return true;
}

GT_BODY(gt_fn_to_strings)
{
    gt_list *list;

    (void) n;
    if (!gt_strslice(c, args[0], &list)) {
        return false;
    }
    *out = list == NULL ? gt_typed_nil(GT_LIST_STRING) : gt_of_list(list);
    return true;
}

GT_BODY(gt_fn_join)
{
    gt_list *list;
    uint64_t total = 0;
    dsp_buf *b;

    (void) n;
    if (!gt_strslice(c, args[1], &list)) {
        return false;
    }
    for (size_t i = 0; i < gt_list_len(list); i++) {
        total += list->items[i].s.len + (i > 0 ? args[0].s.len : 0);
    }
    if (!gt_charge(c, gt_list_len(list) + total / 64) || (b = gt_text_begin(c)) == NULL || !gt_text_fits(c, b, total)) {
        return false;
    }
    for (size_t i = 0; i < gt_list_len(list); i++) {
        if (i > 0) {
            dsp_buf_adds(b, args[0].s);
        }
        dsp_buf_adds(b, list->items[i].s);
    }
    return gt_text_give(c, b, out);
}

static int by_bytes(const void *a, const void *b)
{
    return dsp_str_cmp(((const gt_value *) a)->s, ((const gt_value *) b)->s);
}

/* One step for each comparison that sorting makes, and for each 64 bytes that they may look at. */
static bool charge_sort(gt_ctx *c, const gt_list *list)
{
    uint64_t each = list->len, levels = 1;

    for (size_t i = 0; i < list->len; i++) {
        each += list->items[i].s.len / 64;
    }
    while (levels < 64 && list->len >> levels != 0) {
        levels++;
    }
    return gt_charge(c, each > UINT64_MAX / levels ? UINT64_MAX : each * levels);
}

/* Bytewise, and for a []string in place: the list that was handed in is sorted too. What is no list becomes one. */
GT_BODY(gt_fn_sort_alpha)
{
    gt_list *list;

    (void) n;
    if (gt_is_list(args[0])) {
        if (!gt_strslice(c, args[0], &list)) {
            return false;
        }
        if (list != NULL && list->len > 1) {
            if (!charge_sort(c, list)) {
                return false;
            }
            qsort(list->items, list->len, sizeof(list->items[0]), by_bytes);
        }
    } else {
        dsp_str text;

        list = gt_list_new(c, GT_LIST_STRING, 1);
        if (list == NULL || !gt_strval(c, args[0], &text) || !gt_list_add(c, list, gt_string(text))) {
            return false;
        }
    }
    *out = list == NULL ? gt_typed_nil(GT_LIST_STRING) : gt_of_list(list);
    return true;
}
