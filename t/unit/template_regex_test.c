/*
 * Regular expressions without templates: what Go answers is in t/vectors/own/pure_regex*.jsonl. Here are the limits,
 * and texts that are not UTF-8.
 */
#include "unit.h"

#include "template/regex.h"

struct fixture {
    dsp_arena arena;
    dsp_buf   error, out;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    dsp_arena_init(&f->arena, 1 << 20);
    dsp_buf_init(&f->error, 65536);
    dsp_buf_init(&f->out, 65536);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    dsp_arena_free(&f->arena);
    dsp_buf_free(&f->error);
    dsp_buf_free(&f->out);
    free(f);
    return 0;
}

static gt_regex *compile(struct fixture *f, const char *pattern)
{
    gt_regex *re;

    assert_int_equal(gt_regex_new(dsp_str_from(pattern), 8 << 20, &re, &f->error), GT_REGEX_OK);
    assert_non_null(re);
    return re;
}

static dsp_str replaced(struct fixture *f, const char *pattern, dsp_str text, const char *repl)
{
    gt_regex     *re = compile(f, pattern);
    gt_regex_text t;

    assert_true(gt_regex_text_init(&f->arena, text, &t));
    dsp_buf_reset(&f->out);
    assert_int_equal(gt_regex_replace_all(re, &t, dsp_str_from(repl), false, &f->out), GT_REGEX_DONE);
    gt_regex_free(re);
    return dsp_buf_str(&f->out);
}

static void bytes_that_are_no_text(void **state)
{
    struct fixture *f = *state;

    assert_str(replaced(f, ".", DSP_STR("a\xff\xc3z"), "<$0>"), "<a><\xff><\xc3><z>");
    assert_str(replaced(f, "\xEF\xBF\xBD", DSP_STR("a\xff"), "?"), "a?"); /* each is U+FFFD */
    assert_str(replaced(f, "[^a]*$", DSP_STR("a\xe2\x98"), "[$0]"), "a[\xe2\x98]");
    assert_str(replaced(f, "", DSP_STR("\xff\xff"), "-"), "-\xff-\xff-");
}

static void names_may_come_twice(void **state)
{
    struct fixture *f = *state;

    assert_str(replaced(f, "(?P<n>a)|(?<n>b)", DSP_STR("ab"), "<$n>"), "<a><b>");
    assert_str(replaced(f, "\\B", DSP_STR("\xE2\x98\xBA!"), "-"), "-\xE2\x98\xBA-!-"); /* not inside of a rune */
}

static void too_large(void **state)
{
    struct fixture *f = *state;
    gt_regex       *re;

    assert_int_equal(gt_regex_new(DSP_STR("(((a{30}){30}){30})"), 1 << 20, &re, &f->error), GT_REGEX_INVALID);
    assert_str(dsp_buf_str(&f->error), "error parsing regexp: invalid repeat count: `{30}`");
    assert_null(re);
    assert_int_equal(gt_regex_new(DSP_STR("\\pL{1000}"), 1 << 20, &re, &f->error), GT_REGEX_TOO_LARGE);
    assert_null(re);
}

static enum gt_regex_result result_of(struct fixture *f, const char *before, const char *repeated, int n, const char *after)
{
    dsp_buf              pattern;
    gt_regex            *re;
    enum gt_regex_result result;

    dsp_buf_init(&pattern, 1 << 20);
    dsp_buf_addz(&pattern, before);
    while (n-- > 0) {
        dsp_buf_addz(&pattern, repeated);
    }
    dsp_buf_addz(&pattern, after);
    assert_false(pattern.failed);
    result = gt_regex_new(dsp_buf_str(&pattern), 8 << 20, &re, &f->error);
    gt_regex_free(re);
    dsp_buf_free(&pattern);
    return result;
}

/* RE2 counts what it has compiled, in which all of these are small, and not the gigabytes that parsing takes. */
static void too_large_to_be_parsed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(result_of(f, "", "a|", 30000, ""), GT_REGEX_OK);
    assert_int_equal(result_of(f, "", "a|", 40000, ""), GT_REGEX_TOO_LARGE);
    assert_int_equal(result_of(f, "[", "\\pL", 400, "]"), GT_REGEX_OK);
    assert_int_equal(result_of(f, "[", "\\pL", 600, "]"), GT_REGEX_TOO_LARGE);
    assert_int_equal(result_of(f, "[", "\\p{Cn}", 400, "]"), GT_REGEX_OK); /* RE2 has no such class: all ranges are spelt */
    assert_int_equal(result_of(f, "", "(?:){0,1000}", 20, ""), GT_REGEX_OK);
    assert_int_equal(result_of(f, "", "(?:){0,1000}", 40, ""), GT_REGEX_TOO_LARGE);
}

static bool give(void *arg, dsp_str piece)
{
    size_t *n = arg;

    (void) piece;
    return ++*n < 3;
}

static bool twice(void *arg, size_t bytes)
{
    size_t *left = arg;

    (void) bytes;
    return (*left)-- > 0;
}

static void searches_can_be_stopped(void **state)
{
    struct fixture *f = *state;
    gt_regex       *re = compile(f, "a");
    gt_regex_text   t;
    size_t          n = 0, left = 2;

    assert_true(gt_regex_text_init(&f->arena, DSP_STR("aaaaaa"), &t));
    assert_int_equal(gt_regex_find_all(re, &t, -1, give, &n), GT_REGEX_DONE);
    assert_int_equal(n, 3);
    n = 0;
    t.step = twice;
    t.arg = &left;
    assert_int_equal(gt_regex_find_all(re, &t, -1, give, &n), GT_REGEX_STOPPED);
    assert_int_equal(n, 2);
    gt_regex_free(re);
}

static void a_full_arena(void **state)
{
    struct fixture *f = *state;
    dsp_arena       small;
    gt_regex_text   t;

    (void) f;
    dsp_arena_init(&small, 16);
    assert_true(gt_regex_text_init(&small, DSP_STR("text of many letters"), &t)); /* needs none */
    assert_false(gt_regex_text_init(&small, DSP_STR("bytes of no letters \xff"), &t));
    dsp_arena_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(names_may_come_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large_to_be_parsed, setup, teardown),
        cmocka_unit_test_setup_teardown(searches_can_be_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_arena, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
