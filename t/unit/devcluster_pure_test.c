/* The pure parts of devcluster that work on text: expansion, trees, selectors, durations, continue tokens, options. */
#include "unit.h"

#include "t/devcluster/expand.h"
#include "t/devcluster/options.h"
#include "t/devcluster/pages.h"
#include "t/devcluster/protobuf.h"
#include "t/devcluster/selector.h"
#include "t/devcluster/table.h"
#include "t/devcluster/tree.h"
#include "t/devcluster/yaml.h"

static const char *lookup(void *arg, const char *name)
{
    (void) arg;
    return strcmp(name, "A") == 0 ? "a" : strcmp(name, "EMPTY") == 0 ? "" : strcmp(name, "B") == 0 ? "$(A)" : NULL;
}

/* The table of k8s.io/kubernetes third_party/forked/golang/expansion/expand_test.go, in essence. */
static void test_expand(void **state)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "no variables", "no variables" },
        { "$(A)", "a" },
        { "x$(A)y$(A)", "xaya" },
        { "$(EMPTY)", "" },
        { "$(UNKNOWN)", "$(UNKNOWN)" },
        { "$$(A)", "$(A)" },
        { "$$$(A)", "$a" },
        { "$$$$(A)", "$$(A)" },
        { "$(B)", "$(A)" }, /* values are not expanded again */
        { "$(A", "$(A" },
        { "$", "$" },
        { "a$", "a$" },
        { "$$", "$" },
        { "$$$", "$$" },
        { "$(", "$(" },
        { "$()", "$()" },
        { "$A", "$A" },
        { "$(A)$(A)$", "aa$" },
        { "foo$((A))", "foo$((A))" },
        { "foo\\$(A)", "foo\\a" },
        { "$\xc3\xa9", "$\xc3\x83\xa9" }, /* Go turns the first byte into a rune */
    };
    dsp_buf out;

    (void) state;
    dsp_buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dsp_buf_reset(&out);
        dc_expand(&out, cases[i][0], lookup, NULL);
        assert_string_equal(dsp_buf_cstr(&out), cases[i][1]);
    }
    dsp_buf_free(&out);
}

static void assert_prints(const cJSON *tree, const char *expected)
{
    dsp_buf out;

    dsp_buf_init(&out, 1 << 20);
    dc_print(&out, tree);
    assert_string_equal(dsp_buf_cstr(&out), expected);
    dsp_buf_free(&out);
}

static cJSON *parse(const char *text)
{
    const char *error = NULL;
    cJSON      *tree = dc_parse(dsp_str_from(text), &error, NULL);

    if (tree == NULL) {
        fail_msg("%s: %s", text, error);
    }
    return tree;
}

static void test_tree_is_exact(void **state)
{
    static const char text[] = "{\"a\":9007199254740993,\"b\":-9223372036854775808,\"c\":1e3,\"d\":1.0,\"e\":0.1,"
                               "\"f\":[true,false,null,{}],\"g\":123456789012345678901234567890}";
    cJSON            *tree = parse(text);
    int64_t           n;

    (void) state;
    assert_prints(tree, text);
    assert_true(dc_int(dc_get(tree, "a"), &n));
    assert_int_equal(n, 9007199254740993);
    assert_false(dc_int(dc_get(tree, "c"), &n));
    assert_false(dc_int(dc_get(tree, "g"), &n));
    cJSON_Delete(tree);
}

/* As encoding/json writes strings. */
static void test_tree_escapes(void **state)
{
    cJSON *tree = parse("\"\\u003ca\\u003e&\\u2028\\u00e9\\ud83d\\ude00\\\"\\\\\\n\\t\\r\\b\\f\\u0001/\"");

    (void) state;
    assert_prints(tree, "\"\\u003ca\\u003e\\u0026\\u2028\xc3\xa9\xf0\x9f\x98\x80\\\"\\\\\\n\\t\\r\\b\\f\\u0001/\"");
    cJSON_Delete(tree);
}

static void test_tree_refuses(void **state)
{
    static const char *const bad[] = { "", "{", "{\"a\":1}x", "{\"a\":01}", "\"\\u0000\"", "{\"a\" 1}", "nul", "[1,]",
                                       "\"\xff\"", "\"a\nb\"" };
    const char *error;

    (void) state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error = NULL;
        assert_null(dc_parse(dsp_str_from(bad[i]), &error, NULL));
        assert_non_null(error);
    }
}

static void test_tree_duplicates(void **state)
{
    cJSON *duplicates = cJSON_CreateArray();
    cJSON *tree = dc_parse(DSP_STR("{\"a\":{\"b\":1,\"c\":[{\"d\":1,\"d\":2}],\"b\":3},\"a2\":0}"), NULL, duplicates);

    (void) state;
    assert_prints(tree, "{\"a\":{\"c\":[{\"d\":2}],\"b\":3},\"a2\":0}");
    assert_prints(duplicates, "[\"a.c[0].d\",\"a.b\"]");
    cJSON_Delete(tree);
    cJSON_Delete(duplicates);
}

static void test_tree_changes(void **state)
{
    cJSON *tree = parse("{\"b\":1,\"a\":{\"y\":2,\"x\":[3]}}"), *same = parse("{\"a\":{\"x\":[3],\"y\":2},\"b\":1}");

    (void) state;
    assert_true(dc_equal(tree, same));
    dc_sort(tree);
    assert_prints(tree, "{\"a\":{\"x\":[3],\"y\":2},\"b\":1}");
    cJSON *node = cJSON_CreateRaw("0");
    dc_insert(dc_at(tree, "a", "x", NULL), 0, node);
    dc_set_int(tree, "c", INT64_MAX);
    dc_del(tree, "b");
    assert_prints(tree, "{\"a\":{\"x\":[0,3],\"y\":2},\"c\":9223372036854775807}");
    assert_false(dc_equal(tree, same));
    cJSON_Delete(tree);
    cJSON_Delete(same);
}

static void test_yaml(void **state)
{
    const char *error = NULL;
    cJSON      *tree = dc_yaml_parse(DSP_STR("---\n# c\na: {b: [1, 1.5, 0x1F, true, no, ~, '2', \"y\"]}\nt: |\n  x\n  y\n"
                                             "big: 9007199254740993\nref: &r {k: v}\nagain: *r\n"), &error, NULL);

    (void) state;
    assert_prints(tree, "{\"a\":{\"b\":[1,1.5,\"0x1F\",true,false,null,\"2\",\"y\"]},\"t\":\"x\\ny\\n\","
                        "\"big\":9007199254740993,\"ref\":{\"k\":\"v\"},\"again\":{\"k\":\"v\"}}");
    cJSON_Delete(tree);
    assert_null(dc_yaml_parse(DSP_STR("a: [1\nb: 2\n"), &error, NULL));
    assert_non_null(strstr(error, "line 2"));
    assert_null(dc_yaml_parse(DSP_STR(""), &error, NULL));
}

static void test_label_selectors(void **state)
{
    static const char    labels[] = "{\"app\":\"web\",\"n\":\"7\",\"empty\":\"\"}";
    static const dc_kind kind = { .kind = "Job", .plural = "jobs", .namespaced = true };
    static const struct {
        const char *selector;
        bool        matches;
    } cases[] = {
        { "", true },           { "app", true },         { "!app", false },           { "none", false },
        { "!none", true },      { "app=web", true },     { "app==web", true },        { "app!=web", false },
        { "none!=x", true },    { "app in (a, web)", true }, { "app notin (a,web)", false },
        { "none notin (a)", true }, { "none in (a)", false }, { "app=web,n=7", true }, { "app=web,n=8", false },
        { "n>6", true },        { "n>7", false },        { "n<8", true },             { "empty=", true },
        { "empty", true },      { " app = web , n ", true },
    };
    dc_fail f = { 0 };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dc_selector *s = dc_selector_new(&kind, cases[i].selector, NULL, &f);
        assert_non_null(s);
        if (dc_selector_labels(s, dsp_str_from(labels)) != cases[i].matches) {
            fail_msg("%s", cases[i].selector);
        }
        dc_selector_free(s);
    }
}

static void test_bad_selectors(void **state)
{
    static const char *const bad[] = { "=", "a=b=c", "a in b", "a in (b", ",", "a b", "a,,b" };
    static const dc_kind     kind = { .kind = "X", .plural = "xs", .namespaced = true, .custom = true };

    (void) state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        dc_fail f = { 0 };
        if (dc_selector_new(&kind, bad[i], NULL, &f) != NULL) {
            fail_msg("%s was taken", bad[i]);
        }
        assert_int_equal(f.code, 400);
        dc_fail_free(&f);
    }
    dc_fail f = { 0 };
    assert_null(dc_selector_new(&kind, NULL, "spec.foo=x", &f));
    assert_string_equal(f.message, "field label not supported: spec.foo");
    dc_fail_free(&f);
}

/* Values from k8s.io/apimachinery pkg/util/duration/duration_test.go. */
static void test_durations(void **state)
{
    static const struct {
        int64_t     seconds;
        const char *text;
    } cases[] = {
        { 0, "0s" },          { 1, "1s" },         { 119, "119s" },      { 120, "2m" },       { 130, "2m10s" },
        { 599, "9m59s" },     { 600, "10m" },      { 659, "10m" },       { 10799, "179m" },   { 10800, "3h" },
        { 10860, "3h1m" },    { 28800, "8h" },     { 172799, "47h" },    { 172800, "2d" },    { 176400, "2d1h" },
        { 691199, "7d23h" },  { 691200, "8d" },    { 63071999, "729d" }, { 63072000, "2y" },  { -5, "<invalid>" },
    };
    char out[32];

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dc_human_duration(cases[i].seconds, out);
        assert_string_equal(out, cases[i].text);
    }
}

static void test_tokens(void **state)
{
    char    *token = dc_token_write(12345, "default", "some-name"), *ns, *name;
    uint64_t rv;

    (void) state;
    assert_null(strpbrk(token, "+/="));
    assert_true(dc_token_read(token, &rv, &ns, &name));
    assert_int_equal(rv, 12345);
    assert_string_equal(ns, "default");
    assert_string_equal(name, "some-name");
    free(ns);
    free(name);
    free(token);
    assert_false(dc_token_read("abc", &rv, &ns, &name));
    assert_false(dc_token_read("", &rv, &ns, &name));
    assert_false(dc_token_read("eyJ2IjoxfQ", &rv, &ns, &name));
}

static enum dc_options_result read_options(dc_options *o, char *error, char *a, char *b)
{
    char *argv[] = { (char *) "devcluster", a, b, NULL };

    return dc_options_read(o, b != NULL ? 3 : a != NULL ? 2 : 1, argv, error, 512);
}

static void test_options(void **state)
{
    dc_options o;
    char       error[512];

    (void) state;
    assert_int_equal(read_options(&o, error, NULL, NULL), DC_OPTIONS_RUN);
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(o.port, 0);
    assert_true(o.watch_list);
    assert_int_equal(read_options(&o, error, (char *) "--listen", (char *) "[::1]:8443"), DC_OPTIONS_RUN);
    assert_string_equal(o.host, "::1");
    assert_int_equal(o.port, 8443);
    assert_int_equal(read_options(&o, error, (char *) "--listen=localhost:1", NULL), DC_OPTIONS_RUN);
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(read_options(&o, error, (char *) "--listen=127.9.9.9:1", NULL), DC_OPTIONS_RUN);
}

static void test_bad_options(void **state)
{
    static const char *const bad[][2] = {
        { "--listen=0.0.0.0:80", "loopback" },  { "--listen=192.168.1.1:80", "loopback" },
        { "--listen=example.com:80", "loopback" }, { "--listen=[::]:80", "loopback" },
        { "--listen=127.0.0.1:99999", "no address" }, { "--listen=x", "no address" },
        { "--history=0", "not a number" },      { "--job-backoff=abc", "not a number" },
        { "--nonsense", "not an option" },      { "stray", "not an option" },
        { "--token", "wants a value" },         { "--control=10.0.0.1:0", "loopback" },
    };
    dc_options o;
    char       error[512];

    (void) state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_options(&o, error, (char *) bad[i][0], NULL), DC_OPTIONS_BAD);
        if (strstr(error, bad[i][1]) == NULL) {
            fail_msg("%s: %s", bad[i][0], error);
        }
    }
}

/* kubectl create namespace foo, as version 1.32 sends it; and every beginning of it. */
static void test_protobuf(void **state)
{
    static const char body[] = "k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x19\x0a\x13\x0a\x03"
                               "foo\x12\x00\x1a\x00\x22\x00*\x00\x32\x00\x38\x00\x42\x00\x12\x00\x1a\x00\x1a\x00\x22\x00";
    const char *error = NULL;
    cJSON      *tree = dc_protobuf_parse((dsp_str){ body, sizeof(body) - 1 }, &error);

    (void) state;
    assert_prints(tree, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"foo\"}}");
    cJSON_Delete(tree);
    for (size_t len = 0; len < sizeof(body) - 1; len++) {
        char *part = malloc(len + 1); /* of its own, so that ASan sees a read beyond it */
        memcpy(part, body, len);
        cJSON_Delete(dc_protobuf_parse((dsp_str){ part, len }, &error));
        free(part);
    }
    assert_null(dc_protobuf_parse(DSP_STR("k8s"), &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand),        cmocka_unit_test(test_tree_is_exact),
        cmocka_unit_test(test_tree_escapes),  cmocka_unit_test(test_tree_refuses),
        cmocka_unit_test(test_tree_duplicates), cmocka_unit_test(test_tree_changes),
        cmocka_unit_test(test_yaml),          cmocka_unit_test(test_label_selectors),
        cmocka_unit_test(test_bad_selectors), cmocka_unit_test(test_durations),
        cmocka_unit_test(test_tokens),        cmocka_unit_test(test_options),
        cmocka_unit_test(test_bad_options),   cmocka_unit_test(test_protobuf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
