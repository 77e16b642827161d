#include "unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/str.h"

static void strings(void **state)
{
    uint64_t n;

    (void) state;
    assert_true(dsp_str_eq(DSP_STR(""), (dsp_str){ NULL, 0 }));
    assert_true(dsp_str_has_prefix(DSP_STR("abc"), DSP_STR("ab")));
    assert_false(dsp_str_has_prefix(DSP_STR("a"), DSP_STR("ab")));
    assert_true(dsp_str_has_suffix(DSP_STR("abc"), DSP_STR("bc")));
    assert_false(dsp_str_has_suffix(DSP_STR("c"), DSP_STR("bc")));
    assert_true(dsp_str_cmp(DSP_STR("a"), DSP_STR("ab")) < 0);
    assert_true(dsp_str_cmp(DSP_STR("b"), DSP_STR("ab")) > 0);
    assert_true(dsp_str_cmp(DSP_STR("ab"), DSP_STR("ab")) == 0);
    assert_int_equal(dsp_str_find(DSP_STR("a/b"), '/'), 1);
    assert_int_equal(dsp_str_find(DSP_STR("ab"), '/'), 2);
    assert_str(dsp_str_sub(DSP_STR("abc"), 1, 99), "bc");
    assert_str(dsp_str_sub(DSP_STR("abc"), 3, 1), "");
    assert_str(dsp_str_trim(DSP_STR(" \t\r\n a b \n")), "a b");
    assert_true(dsp_str_u64(DSP_STR("18446744073709551615"), &n) && n == UINT64_MAX);
    assert_false(dsp_str_u64(DSP_STR("18446744073709551616"), &n));
    assert_false(dsp_str_u64(DSP_STR(""), &n));
    assert_false(dsp_str_u64(DSP_STR("-1"), &n));
}

static void a_buffer_stops_at_its_cap(void **state)
{
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, 10);
    assert_string_equal(dsp_buf_cstr(&b), "");
    assert_true(dsp_buf_addz(&b, "01234"));
    assert_true(dsp_buf_addf(&b, "%d", 56789));
    assert_string_equal(dsp_buf_cstr(&b), "0123456789");
    assert_false(dsp_buf_addc(&b, 'x'));
    assert_true(b.failed);
    assert_string_equal(dsp_buf_cstr(&b), "0123456789");
    dsp_buf_reset(&b);
    assert_false(b.failed);
    assert_true(dsp_buf_addz(&b, "abc"));
    dsp_buf_drop(&b, 1);
    assert_string_equal(dsp_buf_cstr(&b), "bc");
    dsp_buf_drop(&b, 99);
    assert_string_equal(dsp_buf_cstr(&b), "");
    assert_false(dsp_buf_addf(&b, "%s", "longer than ten bytes"));
    assert_null(dsp_buf_take(&b));
    assert_true(dsp_buf_addz(&b, "mine"));
    char *mine = dsp_buf_take(&b);
    assert_string_equal(mine, "mine");
    free(mine);
    dsp_buf_free(&b);
}

static void a_buffer_of_any_size_does_not_wrap(void **state)
{
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, SIZE_MAX);
    assert_null(dsp_buf_room(&b, SIZE_MAX));
    assert_true(b.failed);
    dsp_buf_free(&b);
}

static void an_arena_counts_and_stops(void **state)
{
    dsp_arena a;

    (void) state;
    dsp_arena_init(&a, 100000);
    char *first = dsp_arena_alloc(&a, 10);
    assert_non_null(first);
    memset(first, 'x', 10);
    char *same = dsp_arena_grow(&a, first, 10, 100);
    assert_ptr_equal(first, same); /* the newest grows in place */
    char *big = dsp_arena_calloc(&a, 1000, 50);
    assert_non_null(big);
    assert_int_equal(big[49999], 0);
    char *moved = dsp_arena_grow(&a, same, 100, 200);
    assert_ptr_not_equal(moved, same);
    assert_int_equal(moved[9], 'x');
    dsp_str s = dsp_arena_str(&a, DSP_STR("abc"));
    assert_string_equal(s.data, "abc");
    assert_null(dsp_arena_calloc(&a, SIZE_MAX, 2));
    assert_int_equal(a.state, DSP_ARENA_OVER_CAP);
    assert_null(dsp_arena_alloc(&a, 1)); /* sticky */
    dsp_arena_reset(&a);
    assert_int_equal(a.state, DSP_ARENA_OK);
    assert_int_equal(a.used, 0);
    assert_non_null(dsp_arena_alloc(&a, 50000));
    assert_null(dsp_arena_alloc(&a, 60000));
    dsp_arena_reset(&a);
    a.max = 100;
    while (dsp_arena_alloc(&a, 1) != NULL) {
    }
    assert_true(a.used <= a.max); /* with what alignment adds: whoever asks what is left must not get more than all */
    dsp_arena_free(&a);
}

struct thing {
    dsp_map_node  by_name;
    dsp_heap_node due;
    char          name[24];
    int           seen;
};

static void a_map_finds_what_was_put_in(void **state)
{
    enum { N = 1000 };
    struct thing  *things = calloc(N, sizeof(*things));
    dsp_map        map;
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    (void) state;
    assert_non_null(things);
    dsp_map_init(&map);
    assert_null(dsp_map_find(&map, DSP_STR("x")));
    assert_null(dsp_map_remove(&map, DSP_STR("x")));
    for (int i = 0; i < N; i++) {
        snprintf(things[i].name, sizeof(things[i].name), "thing-%d", i);
        things[i].by_name.key = dsp_str_from(things[i].name);
        assert_true(dsp_map_insert(&map, &things[i].by_name));
    }
    assert_int_equal(map.len, N);
    assert_ptr_equal(DSP_CONTAINER(dsp_map_find(&map, DSP_STR("thing-77")), struct thing, by_name), &things[77]);
    while ((node = dsp_map_next(&map, &cursor)) != NULL) { /* the one at hand may be removed */
        struct thing *t = DSP_CONTAINER(node, struct thing, by_name);
        t->seen++;
        if ((t - things) % 2 == 0) {
            assert_ptr_equal(dsp_map_remove(&map, t->by_name.key), node);
        }
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(things[i].seen, 1);
        assert_int_equal(dsp_map_find(&map, things[i].by_name.key) != NULL, i % 2);
    }
    assert_int_equal(map.len, N / 2);
    dsp_map_free(&map);
    free(things);
}

static void a_heap_gives_the_smallest(void **state)
{
    enum { N = 500 };
    struct thing *things = calloc(N, sizeof(*things));
    dsp_heap      heap;
    uint32_t      random = 12345;

    (void) state;
    assert_non_null(things);
    dsp_heap_init(&heap);
    assert_null(dsp_heap_min(&heap));
    for (int round = 0; round < 3; round++) { /* put in, then move each twice */
        for (int i = 0; i < N; i++) {
            random = random * 1664525 + 1013904223;
            assert_true(dsp_heap_put(&heap, &things[i].due, random >> 16));
        }
    }
    for (int i = 0; i < N; i += 3) {
        dsp_heap_remove(&heap, &things[i].due);
        dsp_heap_remove(&heap, &things[i].due); /* no harm */
        assert_false(dsp_heap_has(&things[i].due));
    }
    int64_t last = -1;
    size_t  n = 0;
    for (dsp_heap_node *min; (min = dsp_heap_min(&heap)) != NULL; n++) {
        assert_true(min->key >= last);
        last = min->key;
        dsp_heap_remove(&heap, min);
    }
    assert_int_equal(n, N - (N + 2) / 3);
    dsp_heap_free(&heap);
    free(things);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(a_buffer_stops_at_its_cap),
        cmocka_unit_test(a_buffer_of_any_size_does_not_wrap),
        cmocka_unit_test(an_arena_counts_and_stops),
        cmocka_unit_test(a_map_finds_what_was_put_in),
        cmocka_unit_test(a_heap_gives_the_smallest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
