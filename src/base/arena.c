#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN       (_Alignof(max_align_t))
#define FIRST_BLOCK ((size_t) 4096)
#define LARGE_BLOCK ((size_t) 1 << 20) /* blocks double up to here; larger ones only for a single large request */

struct dsp_arena_block {
    struct dsp_arena_block *older;
    size_t                  size; /* of the data behind this header */
    max_align_t             data[];
};

void dsp_arena_init(dsp_arena *a, size_t max)
{
    *a = (dsp_arena){ .max = max };
}

static void free_blocks(struct dsp_arena_block *b)
{
    while (b != NULL) {
        struct dsp_arena_block *older = b->older;
        free(b);
        b = older;
    }
}

void dsp_arena_free(dsp_arena *a)
{
    free_blocks(a->blocks);
    dsp_arena_init(a, a->max);
}

static void use_block(dsp_arena *a, struct dsp_arena_block *b)
{
    a->blocks = b;
    a->next = (char *) b->data;
    a->end = a->next + b->size;
}

void dsp_arena_reset(dsp_arena *a)
{
    struct dsp_arena_block *kept = NULL;

    for (struct dsp_arena_block *b = a->blocks; b != NULL; b = b->older) {
        if (b->size <= LARGE_BLOCK && (kept == NULL || b->size > kept->size)) {
            kept = b;
        }
    }
    for (struct dsp_arena_block *b = a->blocks; b != NULL;) {
        struct dsp_arena_block *older = b->older;
        if (b != kept) {
            free(b);
        }
        b = older;
    }
    dsp_arena_init(a, a->max);
    if (kept != NULL) {
        kept->older = NULL;
        use_block(a, kept);
    }
}

static bool add_block(dsp_arena *a, size_t need)
{
    size_t size = a->blocks == NULL ? FIRST_BLOCK : a->blocks->size * 2;

    if (size > LARGE_BLOCK) {
        size = LARGE_BLOCK;
    }
    if (size < need) {
        size = need;
    }
    struct dsp_arena_block *b = malloc(sizeof(*b) + size);
    if (b == NULL) {
        a->state = DSP_ARENA_NO_MEMORY;
        return false;
    }
    b->older = a->blocks;
    b->size = size;
    use_block(a, b);
    return true;
}

void *dsp_arena_alloc(dsp_arena *a, size_t size)
{
    if (a->state != DSP_ARENA_OK) {
        return NULL;
    }
    size_t need = (size + ALIGN - 1) & ~(ALIGN - 1);
    if (need < size || need > a->max - a->used) {
        a->state = DSP_ARENA_OVER_CAP;
        return NULL;
    }
    if (need > (size_t) (a->end - a->next) || a->next == NULL) {
        if (!add_block(a, need)) {
            return NULL;
        }
    }
    void *p = a->next;
    a->next += need;
    a->used += need;
    return p;
}

void *dsp_arena_calloc(dsp_arena *a, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        if (a->state == DSP_ARENA_OK) {
            a->state = DSP_ARENA_OVER_CAP;
        }
        return NULL;
    }
    void *p = dsp_arena_alloc(a, bytes);
    if (p != NULL) {
        memset(p, 0, bytes);
    }
    return p;
}

void *dsp_arena_grow(dsp_arena *a, void *old, size_t old_size, size_t new_size)
{
    size_t old_need = (old_size + ALIGN - 1) & ~(ALIGN - 1);

    if (new_size <= old_need && old != NULL) {
        return old;
    }
    if (old != NULL && a->state == DSP_ARENA_OK && (char *) old + old_need == a->next) {
        size_t extra = new_size - old_need;

        if (extra <= (size_t) (a->end - a->next)) {
            return dsp_arena_alloc(a, extra) == NULL ? NULL : old;
        }
    }
    void *p = dsp_arena_alloc(a, new_size);
    if (p != NULL && old_size > 0) {
        memcpy(p, old, old_size);
    }
    return p;
}

dsp_str dsp_arena_str(dsp_arena *a, dsp_str s)
{
    char *p = s.len == SIZE_MAX ? NULL : dsp_arena_alloc(a, s.len + 1);

    if (p == NULL) {
        return (dsp_str){ NULL, 0 };
    }
    if (s.len > 0) {
        memcpy(p, s.data, s.len);
    }
    p[s.len] = '\0';
    return (dsp_str){ p, s.len };
}
