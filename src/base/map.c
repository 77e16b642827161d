#include "map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_BUCKETS 16

/*
 * FNV-1a with a seed per process: names come from whoever may create objects, so the buckets must not be predictable.
 */
static uint64_t hash(dsp_str key)
{
    static uint64_t seed;

    while (seed == 0) {
        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t) sizeof(seed)) {
            seed = 0xcbf29ce484222325u;
        }
    }
    uint64_t h = seed;
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char) key.data[i]) * 0x100000001b3u;
    }
    return h ^ (h >> 32);
}

void dsp_map_init(dsp_map *m)
{
    *m = (dsp_map){ 0 };
}

void dsp_map_free(dsp_map *m)
{
    free(m->buckets);
    dsp_map_init(m);
}

static dsp_map_node **bucket(const dsp_map *m, dsp_str key)
{
    return &m->buckets[hash(key) & (m->n_buckets - 1)];
}

/* Where the pointer to the node of that key is, or where it would be. */
static dsp_map_node **find_link(const dsp_map *m, dsp_str key)
{
    dsp_map_node **link = bucket(m, key);

    while (*link != NULL && !dsp_str_eq((*link)->key, key)) {
        link = &(*link)->next;
    }
    return link;
}

dsp_map_node *dsp_map_find(const dsp_map *m, dsp_str key)
{
    return m->n_buckets == 0 ? NULL : *find_link(m, key);
}

static bool resize(dsp_map *m, size_t n_buckets)
{
    dsp_map bigger = { calloc(n_buckets, sizeof(*bigger.buckets)), n_buckets, m->len };

    if (bigger.buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < m->n_buckets; i++) {
        dsp_map_node *node = m->buckets[i];

        while (node != NULL) {
            dsp_map_node  *next = node->next;
            dsp_map_node **head = bucket(&bigger, node->key);

            node->next = *head;
            *head = node;
            node = next;
        }
    }
    free(m->buckets);
    *m = bigger;
    return true;
}

bool dsp_map_insert(dsp_map *m, dsp_map_node *node)
{
    /* A map that cannot grow any more still works, only slower. */
    if (m->len >= m->n_buckets && !resize(m, m->n_buckets == 0 ? FIRST_BUCKETS : m->n_buckets * 2) &&
        m->n_buckets == 0) {
        return false;
    }
    dsp_map_node **head = bucket(m, node->key);
    node->next = *head;
    *head = node;
    m->len++;
    return true;
}

dsp_map_node *dsp_map_remove(dsp_map *m, dsp_str key)
{
    if (m->n_buckets == 0) {
        return NULL;
    }
    dsp_map_node **link = find_link(m, key);
    dsp_map_node  *node = *link;

    if (node != NULL) {
        *link = node->next;
        node->next = NULL;
        m->len--;
    }
    return node;
}

/* cursor->node is the node to give next within cursor->bucket, so that the one given last may go away. */
dsp_map_node *dsp_map_next(const dsp_map *m, dsp_map_cursor *cursor)
{
    while (cursor->node == NULL && cursor->bucket < m->n_buckets) {
        cursor->node = m->buckets[cursor->bucket++];
    }
    dsp_map_node *node = cursor->node;
    if (node != NULL) {
        cursor->node = node->next;
    }
    return node;
}
