#include <string.h>

#include "base/map.h"
#include "function.h"

/*
 * A map is an array of entries in no order, and from LINEAR_MAX entries on a hash index over it: open addressing,
 * linear probing, slots hold entry number + 1, deletion by shifting back.
 */
enum { LINEAR_MAX = 8 };

static uint64_t mix(uint64_t h, uint64_t bytes)
{
    h = (h ^ bytes) * 0xBF58476D1CE4E5B9u;
    return h ^ h >> 32;
}

static uint32_t hash_key(dsp_str key, uint32_t seed)
{
    uint64_t h = mix(0x9E3779B97F4A7C15u ^ seed, key.len);
    uint64_t bytes;

    for (; key.len >= sizeof(bytes); key.data += sizeof(bytes), key.len -= sizeof(bytes)) {
        memcpy(&bytes, key.data, sizeof(bytes));
        h = mix(h, bytes);
    }
    if (key.len > 0) {
        bytes = 0;
        memcpy(&bytes, key.data, key.len);
        h = mix(h, bytes);
    }
    return (uint32_t) (mix(h, seed) >> 32);
}

gt_map *gt_map_new(gt_ctx *c, enum gt_type type, size_t n)
{
    gt_map *m = gt_alloc(c, sizeof(*m));

    if (m == NULL) {
        return NULL;
    }
    *m = (gt_map){ .type = (uint8_t) type, .seed = c->hash_seed };
    if (n > UINT32_MAX / 4) {
        gt_fail_limit(c, "a map of %zu entries exceeds the limit on memory", n);
        return NULL;
    }
    if (n > 0) {
        m->entries = gt_alloc_n(c, n, sizeof(*m->entries));
        if (m->entries == NULL) {
            return NULL;
        }
        m->size = (uint32_t) n;
    }
    return m;
}

/* The slot of that key, or the empty slot where it would go. The index must exist. */
static uint32_t find_slot(const gt_map *m, dsp_str key)
{
    uint32_t mask = m->index_size - 1;
    uint32_t slot = hash_key(key, m->seed) & mask;

    while (m->index[slot] != 0 && !dsp_str_eq(m->entries[m->index[slot] - 1].key, key)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

gt_value *gt_map_find(const gt_map *m, dsp_str key)
{
    if (m == NULL) {
        return NULL;
    }
    if (m->index != NULL) {
        uint32_t slot = find_slot(m, key);
        return m->index[slot] == 0 ? NULL : &m->entries[m->index[slot] - 1].value;
    }
    for (uint32_t i = 0; i < m->len; i++) {
        if (dsp_str_eq(m->entries[i].key, key)) {
            return &m->entries[i].value;
        }
    }
    return NULL;
}

/* A fresh index with room for twice the entries that there may be. */
static bool build_index(gt_ctx *c, gt_map *m)
{
    uint32_t size = 32;

    while (size < m->size * 2) {
        size *= 2;
    }
    uint32_t *index = gt_alloc_n(c, size, sizeof(*index));
    if (index == NULL) {
        return false;
    }
    memset(index, 0, size * sizeof(*index));
    m->index = index;
    m->index_size = size;
    for (uint32_t i = 0; i < m->len; i++) {
        index[find_slot(m, m->entries[i].key)] = i + 1;
    }
    return true;
}

static bool grow(gt_ctx *c, gt_map *m)
{
    uint32_t  size = m->size == 0 ? 4 : m->size * 2;
    gt_entry *entries;

    if (size > UINT32_MAX / 4) {
        return gt_fail_limit(c, "a map of %u entries exceeds the limit on memory", m->len);
    }
    entries = gt_regrow(c, m->entries, m->len, size, sizeof(*entries));
    if (entries == NULL) {
        return false;
    }
    m->entries = entries;
    m->size = size;
    return m->index == NULL || build_index(c, m);
}

bool gt_map_set(gt_ctx *c, gt_map *m, dsp_str key, gt_value v)
{
    gt_value *old = gt_map_find(m, key);

    v.flags = 0;
    if (old != NULL) {
        *old = v;
        return true;
    }
    if (m->len == m->size && !grow(c, m)) {
        return false;
    }
    if (m->index == NULL && m->len >= LINEAR_MAX && !build_index(c, m)) {
        return false;
    }
    if (m->index != NULL) {
        m->index[find_slot(m, key)] = m->len + 1;
    }
    m->entries[m->len++] = (gt_entry){ key, v };
    return true;
}

/* Empties a slot and moves up what had been pushed behind it. */
static void clear_slot(gt_map *m, uint32_t hole)
{
    uint32_t mask = m->index_size - 1;
    uint32_t i = hole;

    for (;;) {
        i = (i + 1) & mask;
        if (m->index[i] == 0) {
            break;
        }
        uint32_t home = hash_key(m->entries[m->index[i] - 1].key, m->seed) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->index[hole] = m->index[i];
            hole = i;
        }
    }
    m->index[hole] = 0;
}

bool gt_map_remove(gt_map *m, dsp_str key)
{
    gt_value *v = gt_map_find(m, key);

    if (v == NULL) {
        return false;
    }
    uint32_t i = (uint32_t) (DSP_CONTAINER(v, gt_entry, value) - m->entries);
    uint32_t last = m->len - 1;
    if (m->index != NULL) {
        clear_slot(m, find_slot(m, key));
        if (i != last) {
            m->index[find_slot(m, m->entries[last].key)] = i + 1;
        }
    }
    m->entries[i] = m->entries[last];
    m->len--;
    return true;
}

/* Merges the sorted runs from[a..b) and from[b..end) into to[a..end). */
static void merge_runs(const gt_entry *from, gt_entry *to, size_t a, size_t b, size_t end)
{
    size_t i = a;
    size_t j = b;

    for (size_t k = a; k < end; k++) {
        if (i < b && (j >= end || dsp_str_cmp(from[i].key, from[j].key) <= 0)) {
            to[k] = from[i++];
        } else {
            to[k] = from[j++];
        }
    }
}

static void insertion_sort(gt_entry *e, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        gt_entry x = e[i];
        size_t   j = i;

        while (j > 0 && dsp_str_cmp(x.key, e[j - 1].key) < 0) {
            e[j] = e[j - 1];
            j--;
        }
        e[j] = x;
    }
}

gt_entry *gt_map_sorted(gt_ctx *c, const gt_map *m)
{
    enum { RUN = 16 };
    size_t    n = gt_map_len(m);
    gt_entry *a = gt_alloc_n(c, n, sizeof(*a));
    gt_entry *b;
    uint64_t  bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += m->entries[i].key.len;
    }
    if (a == NULL || !gt_charge(c, n / 8 + bytes / 64)) {
        return NULL;
    }
    if (n == 0) {
        return a;
    }
    memcpy(a, m->entries, n * sizeof(*a));
    for (size_t i = 0; i < n; i += RUN) {
        insertion_sort(a + i, n - i < RUN ? n - i : RUN);
    }
    if (n <= RUN) {
        return a;
    }
    b = gt_alloc_n(c, n, sizeof(*b));
    if (b == NULL) {
        return NULL;
    }
    for (size_t run = RUN; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t mid = i + run < n ? i + run : n;
            size_t end = i + 2 * run < n ? i + 2 * run : n;
            merge_runs(a, b, i, mid, end);
        }
        gt_entry *t = a;
        a = b;
        b = t;
    }
    return a;
}
