#include "heap.h"

#include <stdlib.h>

/* nodes[0] is the smallest; the children of i are 2i+1 and 2i+2; node->pos is its index + 1. */

void dsp_heap_init(dsp_heap *h)
{
    *h = (dsp_heap){ 0 };
}

void dsp_heap_free(dsp_heap *h)
{
    for (size_t i = 0; i < h->len; i++) {
        h->nodes[i]->pos = 0;
    }
    free(h->nodes);
    dsp_heap_init(h);
}

static void place(dsp_heap *h, size_t i, dsp_heap_node *node)
{
    h->nodes[i] = node;
    node->pos = i + 1;
}

static void sift_up(dsp_heap *h, size_t i, dsp_heap_node *node)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;

        if (h->nodes[parent]->key <= node->key) {
            break;
        }
        place(h, i, h->nodes[parent]);
        i = parent;
    }
    place(h, i, node);
}

static void sift_down(dsp_heap *h, size_t i, dsp_heap_node *node)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->len) {
            break;
        }
        if (child + 1 < h->len && h->nodes[child + 1]->key < h->nodes[child]->key) {
            child++;
        }
        if (node->key <= h->nodes[child]->key) {
            break;
        }
        place(h, i, h->nodes[child]);
        i = child;
    }
    place(h, i, node);
}

bool dsp_heap_put(dsp_heap *h, dsp_heap_node *node, int64_t key)
{
    if (dsp_heap_has(node)) {
        bool down = key > node->key;

        node->key = key;
        if (down) {
            sift_down(h, node->pos - 1, node);
        } else {
            sift_up(h, node->pos - 1, node);
        }
        return true;
    }
    if (h->len == h->size) {
        size_t          size = h->size == 0 ? 16 : h->size * 2;
        dsp_heap_node **nodes = reallocarray(h->nodes, size, sizeof(*nodes));

        if (nodes == NULL) {
            return false;
        }
        h->nodes = nodes;
        h->size = size;
    }
    node->key = key;
    sift_up(h, h->len++, node);
    return true;
}

void dsp_heap_remove(dsp_heap *h, dsp_heap_node *node)
{
    if (!dsp_heap_has(node)) {
        return;
    }
    size_t         i = node->pos - 1;
    dsp_heap_node *last = h->nodes[--h->len];

    node->pos = 0;
    if (last == node) {
        return;
    }
    if (i > 0 && last->key < h->nodes[(i - 1) / 2]->key) {
        sift_up(h, i, last);
    } else {
        sift_down(h, i, last);
    }
}

dsp_heap_node *dsp_heap_min(const dsp_heap *h)
{
    return h->len == 0 ? NULL : h->nodes[0];
}
