/*
 * A hash map from byte strings to objects, with the node inside the caller's object: no allocation per entry.
 * Keys are borrowed: they must live, unchanged, as long as the node is in the map. Keys are unique.
 */
#ifndef DSP_BASE_MAP_H
#define DSP_BASE_MAP_H

#include "str.h"

typedef struct dsp_map_node {
    struct dsp_map_node *next;
    dsp_str              key;
} dsp_map_node;

typedef struct dsp_map {
    dsp_map_node **buckets;
    size_t         n_buckets; /* a power of two, or 0 */
    size_t         len;
} dsp_map;

/* The object around a node (or any member): DSP_CONTAINER(node, struct thing, by_name). */
#define DSP_CONTAINER(ptr, type, member) ((type *) (void *) ((char *) (ptr) - offsetof(type, member)))

void dsp_map_init(dsp_map *m);
void dsp_map_free(dsp_map *m); /* the nodes stay the caller's */

dsp_map_node *dsp_map_find(const dsp_map *m, dsp_str key);

/* Puts a node whose key is set; its key must not be in the map. false: no memory, nothing changed. */
bool dsp_map_insert(dsp_map *m, dsp_map_node *node);

/* Takes the node of that key out and gives it, or NULL. */
dsp_map_node *dsp_map_remove(dsp_map *m, dsp_str key);

/*
 * Walks all nodes in no particular order: start with pos = 0 and NULL comes at the end. The node that was given last
 * may be removed during the walk; nothing may be inserted.
 */
typedef struct dsp_map_cursor {
    size_t        bucket;
    dsp_map_node *node;
} dsp_map_cursor;

dsp_map_node *dsp_map_next(const dsp_map *m, dsp_map_cursor *cursor);

#endif
