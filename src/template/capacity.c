#include "capacity.h"

#include <string.h>

/* What the allocator gives for a request; larger ones come in pages. */
static const uint16_t size_classes[] = {
    8,    16,   24,   32,   48,   64,   80,   96,   112,   128,   144,   160,   176,   192,   208,   224,   240,
    256,  288,  320,  352,  384,  416,  448,  480,  512,   576,   640,   704,   768,   896,   1024,  1152,  1280,
    1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456,  4096,  4864,  5376,  6144,  6528,  6784,  6912,  8192,
    9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768,
};

enum { PAGE = 8192, SMALL_MAX = 32768 - 8, HEADER = 8, HEADER_FROM = 512 };

/* The size of an element in Go, and whether it holds no pointer. */
struct element {
    size_t size;
    bool   flat;
};

static struct element element_of(enum gt_type list)
{
    switch (list) {
    case GT_LIST_INT:
        return (struct element){ 8, true };
    case GT_LIST_UINT8:
        return (struct element){ 1, true };
    case GT_LIST_LIST:
        return (struct element){ 24, false };
    default:
        return (struct element){ 16, false };
    }
}

/* runtime.roundupsize: what is usable of the memory that a request of so many bytes gets. */
static size_t usable(size_t bytes, bool flat)
{
    size_t header = !flat && bytes > HEADER_FROM ? HEADER : 0;

    if (bytes > SMALL_MAX) {
        return (bytes + PAGE - 1) / PAGE * PAGE;
    }
    for (size_t i = 0; i < sizeof(size_classes) / sizeof(size_classes[0]); i++) {
        if (size_classes[i] >= bytes + header) {
            return size_classes[i] - header;
        }
    }
    return bytes;
}

/* runtime.growslice: the capacity after an append that needs room for len. */
static size_t grown(size_t len, size_t capacity, struct element element)
{
    enum { THRESHOLD = 256 };

    if (len > 2 * capacity) {
        capacity = len;
    } else if (capacity < THRESHOLD) {
        capacity *= 2;
    } else {
        do {
            capacity += (capacity + 3 * THRESHOLD) >> 2;
        } while (capacity < len);
    }
    return usable(capacity * element.size, element.flat) / element.size;
}

static size_t appended(size_t len, size_t capacity, struct element element)
{
    while (capacity < len) {
        capacity = grown(capacity + 1, capacity, element);
    }
    return capacity;
}

size_t gt_list_capacity(const gt_list *list)
{
    struct element element = element_of((enum gt_type) list->type);

    if (list->growth == GT_GROWTH_MADE || list->growth == GT_GROWTH_SLICED) {
        return list->capacity;
    }
    if (list->len == 0) {
        return 0;
    }
    switch (list->growth) {
    case GT_GROWTH_APPENDED:
        return appended(list->len, 0, element);
    case GT_GROWTH_PUSHED:
        return appended(list->len, list->len - 1, element);
    case GT_GROWTH_PREPENDED:
        return list->len == 1 ? 1 : grown(list->len, 1, element);
    case GT_GROWTH_FOUND:
        return appended(list->len, 10, element);
    default:
        return list->len;
    }
}

static gt_value zero_of(enum gt_type type)
{
    switch (type) {
    case GT_STRING:
        return gt_literal("");
    case GT_INT:
        return gt_int(0);
    case GT_UINT8:
        return gt_uint8(0);
    case GT_LIST_ANY:
        return gt_typed_nil(GT_LIST_ANY);
    default:
        return gt_nil();
    }
}

/* The items of a list with its whole capacity filled up. */
static gt_value *filled(gt_ctx *c, const gt_list *list, size_t there, size_t capacity)
{
    gt_value  zero = zero_of(gt_type_elem((enum gt_type) list->type));
    gt_value *items;

    if (!gt_charge(c, capacity) || (items = gt_alloc_n(c, capacity, sizeof(*items))) == NULL) {
        return NULL;
    }
    memcpy(items, list->items, there * sizeof(*items));
    for (size_t i = there; i < capacity; i++) {
        items[i] = zero;
    }
    return items;
}

gt_list *gt_list_slice(gt_ctx *c, const gt_list *list, size_t from, size_t to)
{
    size_t    capacity = gt_list_capacity(list);
    size_t    there = list->growth == GT_GROWTH_SLICED ? list->size : list->len;
    gt_value *items = list->items;
    gt_list  *slice = gt_alloc(c, sizeof(*slice));

    if (slice == NULL) {
        return NULL;
    }
    if (to > there) {
        items = filled(c, list, there, capacity);
        if (items == NULL) {
            return NULL;
        }
        there = capacity;
    }
    *slice = (gt_list){ .items = items + from,
                        .len = to - from,
                        .size = there - from,
                        .type = list->type,
                        .growth = GT_GROWTH_SLICED,
                        .capacity = (uint32_t) (capacity - from) };
    return slice;
}
