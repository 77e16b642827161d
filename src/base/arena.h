/*
 * A bump allocator with a byte cap: everything taken from it dies together.
 *
 * Running over the cap and running out of memory are told apart by `state`, which is sticky until dsp_arena_reset().
 * After a reset the arena keeps its largest block of up to a megabyte: what needs no more than that, again and again,
 * allocates nothing, and what needed more once does not hold it for ever.
 */
#ifndef DSP_BASE_ARENA_H
#define DSP_BASE_ARENA_H

#include "str.h"

enum dsp_arena_state {
    DSP_ARENA_OK = 0,
    DSP_ARENA_OVER_CAP, /* the caller's cap would have been passed */
    DSP_ARENA_NO_MEMORY /* malloc gave NULL */
};

typedef struct dsp_arena {
    struct dsp_arena_block *blocks; /* newest first */
    char                   *next;   /* free space of the newest block */
    char                   *end;
    size_t                  used; /* bytes handed out, with alignment */
    size_t                  max;  /* cap on used */
    enum dsp_arena_state    state;
} dsp_arena;

void dsp_arena_init(dsp_arena *a, size_t max);
void dsp_arena_free(dsp_arena *a);

/* All memory is handed back to the arena; what was taken from it is invalid. */
void dsp_arena_reset(dsp_arena *a);

/* size bytes, aligned for any type, not cleared; NULL: see a->state. size 0 gives a valid pointer. */
void *dsp_arena_alloc(dsp_arena *a, size_t size);

/* The same, cleared; n * size is checked. */
void *dsp_arena_calloc(dsp_arena *a, size_t n, size_t size);

/* A block of old_size bytes made larger: in place when it is the newest and fits, else moved. */
void *dsp_arena_grow(dsp_arena *a, void *old, size_t old_size, size_t new_size);

/* A copy of s with a NUL behind it. On failure {NULL, 0}. */
dsp_str dsp_arena_str(dsp_arena *a, dsp_str s);

#endif
