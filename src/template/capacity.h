/*
 * How far a Go slice can be sliced beyond its end.
 *
 * Sprig's `slice` takes list[i:j] by Go's rule: j may go up to the slice's capacity, and what lies between its length
 * and that is zero values, or what another slice of the same array holds there. `slice (until 3) 0 4` is [0 1 2 0]. The
 * capacity follows from how the Go program built the slice and from the sizes in which Go's allocator hands out memory
 * (runtime/slice.go, runtime/msize.go and the size classes of Go 1.26).
 */
#ifndef DSP_TEMPLATE_CAPACITY_H
#define DSP_TEMPLATE_CAPACITY_H

#include "function.h"

enum gt_growth {
    GT_GROWTH_EXACT = 0, /* made with its length */
    GT_GROWTH_APPENDED,  /* element by element, from nothing */
    GT_GROWTH_PUSHED,    /* one element to a slice that was full */
    GT_GROWTH_PREPENDED, /* all others to a slice of one */
    GT_GROWTH_FOUND,     /* element by element, from a capacity of 10: regexp's FindAll */
    GT_GROWTH_MADE,      /* `capacity` says it; not all of it was used */
    GT_GROWTH_SLICED     /* of another list: `capacity` says it, and `size` how many items there really are */
};

/* Go's cap(list). */
size_t gt_list_capacity(const gt_list *list);

/* list[from:to], from <= to <= its capacity. The elements are shared. NULL: the context has an error. */
gt_list *gt_list_slice(gt_ctx *c, const gt_list *list, size_t from, size_t to);

#endif
