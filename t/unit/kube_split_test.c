/* The splitter: every cut of the bytes gives the same texts. */
#include "unit.h"

#include "kube/split.h"

static char seen[4096];
static int  stop_after;

static bool reader(void *arg, dsp_str text)
{
    size_t len = strlen(seen);

    (void) arg;
    snprintf(seen + len, sizeof(seen) - len, "<%.*s>", DSP_STR_ARG(text));
    return --stop_after != 0;
}

static enum kube_split_result lines_in_pieces(const char *text, size_t piece, size_t max)
{
    enum kube_split_result result = KUBE_SPLIT_OK;
    dsp_str                rest = dsp_str_from(text);
    kube_lines             l;

    seen[0] = '\0';
    kube_lines_init(&l, max);
    while (rest.len > 0 && result == KUBE_SPLIT_OK) {
        result = kube_lines_feed(&l, dsp_str_sub(rest, 0, piece), reader, NULL);
        rest = dsp_str_sub(rest, piece, rest.len);
    }
    kube_lines_free(&l);
    return result;
}

static void lines_of_any_piece(void **state)
{
    const char *text = "one\n\n two \r\n{\"a\":1}\nopen";

    (void) state;
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        stop_after = 0;
        assert_int_equal(lines_in_pieces(text, piece, 100), KUBE_SPLIT_OK);
        assert_string_equal(seen, "<one><two><{\"a\":1}>");
    }
}

static void lines_have_a_cap(void **state)
{
    (void) state;
    for (size_t piece = 1; piece < 12; piece++) {
        stop_after = 0;
        assert_int_equal(lines_in_pieces("12345\n1\n", piece, 5), KUBE_SPLIT_OK);
        assert_int_equal(lines_in_pieces("1\n123456\n", piece, 5), KUBE_SPLIT_TOO_LONG);
        assert_string_equal(seen, "<1>");
        assert_int_equal(lines_in_pieces("123456", piece, 5), KUBE_SPLIT_TOO_LONG);
    }
}

static void lines_can_be_stopped(void **state)
{
    (void) state;
    stop_after = 2;
    assert_int_equal(lines_in_pieces("a\nb\nc\n", 100, 100), KUBE_SPLIT_STOPPED);
    assert_string_equal(seen, "<a><b>");
}

/* The result, and the metadata appended to what was seen. */
static enum kube_split_result list_in_pieces(const char *text, size_t piece, size_t max)
{
    enum kube_split_result result = KUBE_SPLIT_OK;
    dsp_str                rest = dsp_str_from(text);
    kube_list              l;

    seen[0] = '\0';
    stop_after = 0;
    kube_list_init(&l, max);
    while (rest.len > 0 && result == KUBE_SPLIT_OK) {
        result = kube_list_feed(&l, dsp_str_sub(rest, 0, piece), reader, NULL);
        rest = dsp_str_sub(rest, piece, rest.len);
    }
    if (result == KUBE_SPLIT_OK) {
        reader(NULL, kube_list_metadata(&l));
    }
    kube_list_free(&l);
    return result;
}

static void is_list(const char *text, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        assert_int_equal(list_in_pieces(text, piece, 1000), KUBE_SPLIT_OK);
        assert_string_equal(seen, expected);
    }
}

static void lists_of_any_piece(void **state)
{
    (void) state;
    is_list("{\"kind\":\"L\",\"metadata\":{\"a\":[1,{}]},\"items\":[{\"n\":\"]}\\\"\"},{}]}",
            "<{\"n\":\"]}\\\"\"}><{}><{\"a\":[1,{}]}>");
    is_list(" { \"items\" : [ { } , {\"x\" : [ ]} ] , \"metadata\" : { \"v\" : 1 } , \"n\" : 12 } \n",
            "<{ }><{\"x\" : [ ]}><{ \"v\" : 1 }>");
    is_list("{\"items\":null,\"n\":-1.5e3,\"t\":true,\"metadata\":{}}", "<{}>");
    is_list("{\"metadata\":{},\"items\":[]}", "<{}>");
    is_list("{\"a\\\"items\":[1],\"metadata\":{}}", "<{}>");
}

static void lists_that_are_cut_have_no_metadata(void **state)
{
    (void) state;
    is_list("{\"metadata\":{},\"items\":[{\"a\":1}", "<{\"a\":1}><>");
    is_list("{\"items\":[],\"n\":1", "<>");
    is_list("{\"items\":[]}", "<>");
    is_list("  ", "<>");
}

static void garbled_lists_are_refused(void **state)
{
    static const char *const bad[] = {
        "[]",       "x",          "{x}",         "{\"a\"1}",    "{\"items\":[1]}",   "{\"items\":[{a}]}",
        "{\"a\":}", "{\"a\":1}}", "{\"a\":tru}", "{\"a\":[}]}", "{\"items\":[{]}]}", "{\"a\":1}{"
    };

    (void) state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (size_t piece = 1; piece <= strlen(bad[i]); piece++) {
            assert_int_equal(list_in_pieces(bad[i], piece, 1000), KUBE_SPLIT_GARBLED);
        }
    }
}

static void items_have_a_cap(void **state)
{
    const char *text = "{\"metadata\":{},\"items\":[{\"a\":1},{\"abcdefghij\":1234567890}]}";

    (void) state;
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        assert_int_equal(list_in_pieces(text, piece, 20), KUBE_SPLIT_TOO_LONG);
        assert_string_equal(seen, "<{\"a\":1}>");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_any_piece),
        cmocka_unit_test(lines_have_a_cap),
        cmocka_unit_test(lines_can_be_stopped),
        cmocka_unit_test(lists_of_any_piece),
        cmocka_unit_test(lists_that_are_cut_have_no_metadata),
        cmocka_unit_test(garbled_lists_are_refused),
        cmocka_unit_test(items_have_a_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
