/* Go's int64 arithmetic: it wraps around, where C's is undefined. */
#ifndef DSP_TEMPLATE_WRAP_H
#define DSP_TEMPLATE_WRAP_H

#include <stdint.h>

static inline int64_t gt_wrap_add(int64_t a, int64_t b) { return (int64_t) ((uint64_t) a + (uint64_t) b); }
static inline int64_t gt_wrap_sub(int64_t a, int64_t b) { return (int64_t) ((uint64_t) a - (uint64_t) b); }
static inline int64_t gt_wrap_mul(int64_t a, int64_t b) { return (int64_t) ((uint64_t) a * (uint64_t) b); }
static inline int64_t gt_wrap_neg(int64_t a) { return (int64_t) (0 - (uint64_t) a); }

#endif
