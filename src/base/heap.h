/*
 * A binary min-heap of nodes that live inside the caller's objects, ordered by a 64-bit key (a due time in ms).
 * The heap owns only its array of pointers.
 */
#ifndef DSP_BASE_HEAP_H
#define DSP_BASE_HEAP_H

#include "str.h"

typedef struct dsp_heap_node {
    int64_t key;
    size_t  pos; /* 1-based index in the heap; 0: not in a heap */
} dsp_heap_node;

typedef struct dsp_heap {
    dsp_heap_node **nodes;
    size_t          len;
    size_t          size;
} dsp_heap;

void dsp_heap_init(dsp_heap *h);
void dsp_heap_free(dsp_heap *h); /* the nodes stay the caller's; their pos is set to 0 */

/* Puts the node in, or moves it when it is already there. false: no memory, nothing changed. */
bool dsp_heap_put(dsp_heap *h, dsp_heap_node *node, int64_t key);

/* Takes the node out; nothing happens when it is not in. */
void dsp_heap_remove(dsp_heap *h, dsp_heap_node *node);

/* The node of the smallest key, or NULL. */
dsp_heap_node *dsp_heap_min(const dsp_heap *h);

static inline bool dsp_heap_has(const dsp_heap_node *node) { return node->pos != 0; }

#endif
