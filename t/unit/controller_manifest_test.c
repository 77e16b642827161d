/*
 * Manifests: what YAML 1.1 means as JSON, what is refused and where, and that what is written is read back the same.
 */
#include "unit.h"

#include "controller/manifest.h"

static dsp_buf got;
static size_t  documents;

static bool keep(void *context, dsp_json json)
{
    (void) context;
    documents++;
    dsp_buf_adds(&got, json);
    dsp_buf_addc(&got, '|');
    return true;
}

static bool stop(void *context, dsp_json json)
{
    (void) context;
    (void) json;
    documents++;
    return false;
}

static void reads(const char *text, size_t len, const char *want)
{
    dsp_buf error;

    documents = 0;
    dsp_buf_init(&got, 1u << 20);
    dsp_buf_init(&error, 1024);
    if (!dsp_manifest_read((dsp_str){ text, len }, keep, NULL, &error)) {
        fail_msg("%s: %s", text, dsp_buf_cstr(&error));
    }
    assert_string_equal(dsp_buf_cstr(&got), want);
    dsp_buf_free(&got);
    dsp_buf_free(&error);
}

static void refuses(const char *text, const char *why)
{
    dsp_buf error;

    dsp_buf_init(&got, DSP_MANIFEST_MAX);
    dsp_buf_init(&error, 1024);
    assert_false(dsp_manifest_read(dsp_str_from(text), keep, NULL, &error));
    if (strstr(dsp_buf_cstr(&error), why) == NULL) {
        fail_msg("%s: %s, not %s", text, dsp_buf_cstr(&error), why);
    }
    dsp_buf_free(&got);
    dsp_buf_free(&error);
}

static void scalars_as_kubectl_reads_them(void **state)
{
    static const char *const rows[][2] = {
        { "1", "1" },
        { "-1", "-1" },
        { "9007199254740993", "9007199254740993" }, /* no double in between */
        { "12345678901234567890123", "12345678901234567890123" },
        { "1.50", "1.50" },
        { "012", "10" },
        { "0o17", "15" },
        { "0b101", "5" },
        { "0B11", "3" },
        { "0O17", "15" },
        { "0x1F", "31" },
        { "+7", "7" },
        { "1_000", "1000" },
        { ".5", "0.5" },
        { "0o", "\"0o\"" },
        { "0b", "\"0b\"" },
        { "0x", "\"0x\"" },
        { "0b12", "\"0b12\"" },
        { "-", NULL },
        { "+", "\"+\"" },
        { ".", "\".\"" },
        { "1.2.3", "\"1.2.3\"" },
        { "2001-01-01", "\"2001-01-01\"" },
        { "1:30", "\"1:30\"" },
        { "10Mi", "\"10Mi\"" },
        { "500m", "\"500m\"" },
        { "1e", "\"1e\"" },
        { "yes", "true" },
        { "Off", "false" },
        { "y", "true" },
        { "YeS", "\"YeS\"" },
        { "~", "null" },
        { "null", "null" },
        { "nUll", "\"nUll\"" },
        { "\"1\"", "\"1\"" },
        { "'yes'", "\"yes\"" },
        { "\"\\u00e9\\t\"", "\"é\\t\"" },
        { "{{ .Payload }}x", NULL }, /* a mapping, as every YAML reader sees it */
        { "a b", "\"a b\"" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128], want[128];

        if (rows[i][1] != NULL) {
            snprintf(text, sizeof(text), "k: %s\n", rows[i][0]);
            snprintf(want, sizeof(want), "{\"k\":%s}|", rows[i][1]);
            reads(text, strlen(text), want);
        }
    }
}

static void documents_and_json(void **state)
{
    (void) state;
#define R(text, want) reads(text, strlen(text), want)
    R("", "");
    R("---\n", "");
    R("# nothing\n---\n---\n", "");
    R("a: 1\n---\n---\nb: 2\n...\n---\nc: [x, z]\n", "{\"a\":1}|{\"b\":2}|{\"c\":[\"x\",\"z\"]}|");
    R(" { \"b\" : 1.0e5,\"a\":[ ] } ", "{ \"b\" : 1.0e5,\"a\":[ ] }|"); /* byte for byte */
    R("{\"a\":1}\n{\"b\":\"}{\\\"\"}{\"c\":{}}\n", "{\"a\":1}|{\"b\":\"}{\\\"\"}|{\"c\":{}}|");
    R("{a: 1}\n", "{\"a\":1}|"); /* flow YAML is no JSON */
    R("\xEF\xBB\xBF" "a: 1\n", "{\"a\":1}|");
    R("a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}|");
    R("t: |\n  x\n  y\nf: >\n  x\n  y\n", "{\"t\":\"x\\ny\\n\",\"f\":\"x y\\n\"}|");
}

static void anchors_and_merges(void **state)
{
    (void) state;
    R("a: &x {p: 1, q: 2}\nb: *x\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":2}}|");
    R("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"p\":1}}|");
    R("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y], r: 3}\n",
      "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"q\":2},\"c\":{\"r\":3,\"p\":1,\"q\":2}}|"); /* the first one wins */
    R("a: &x {p: 1, q: 1}\nb: &y {<<: *x, q: 2}\nc: {<<: *y, p: 3}\n",
      "{\"a\":{\"p\":1,\"q\":1},\"b\":{\"q\":2,\"p\":1},\"c\":{\"p\":3,\"q\":2}}|"); /* merges of merges */
    R("a: &x {p: 1}\nb: &y {q: 2, <<: *x}\nc: {<<: [*y, *x]}\n",
      "{\"a\":{\"p\":1},\"b\":{\"q\":2,\"p\":1},\"c\":{\"q\":2,\"p\":1}}|");
    R("\"<<\": 1\n", "{\"<<\":1}|"); /* quoted, it is a key */
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    dsp_buf bomb;

    (void) state;
    refuses("a: 1\nb: [1\n", "line 3");
    refuses("a: 1\na: 2\n", "line 2: the key is there twice");
    refuses("a: !!binary aGk=\n", "line 1: tags are not understood");
    refuses("? [a]\n: 1\n", "line 1: a key must be a string");
    refuses("a: *nowhere\n", "line 1");
    refuses("a:\n\t- 1\n", "line 2");
    refuses("a: \xff\n", "UTF-8");
    refuses("<<: 1\n", "\"<<\" needs a mapping");
    refuses("{\"a\":1", "line ");

    /* Ten levels of ten: 10^10 scalars. */
    dsp_buf_init(&bomb, 1u << 20);
    dsp_buf_addz(&bomb, "l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        dsp_buf_addf(&bomb, "l%d: &l%d [", i, i);
        for (int k = 0; k < 10; k++) {
            dsp_buf_addf(&bomb, "%s*l%d", k > 0 ? "," : "", i - 1);
        }
        dsp_buf_addz(&bomb, "]\n");
    }
    refuses(dsp_buf_cstr(&bomb), "too large");
    /* The same of merges, which write nothing. */
    dsp_buf_reset(&bomb);
    dsp_buf_addz(&bomb, "l0: &l0 {a: 1}\n");
    for (int i = 1; i < 10; i++) {
        dsp_buf_addf(&bomb, "l%d: &l%d {<<: [", i, i);
        for (int k = 0; k < 10; k++) {
            dsp_buf_addf(&bomb, "%s*l%d", k > 0 ? "," : "", i - 1);
        }
        dsp_buf_addz(&bomb, "]}\n");
    }
    refuses(dsp_buf_cstr(&bomb), "too much is merged");
    refuses("a: &a {<<: *a}\n", "nested too deeply");
    dsp_buf_reset(&bomb);
    for (int i = 0; i < 5000; i++) {
        dsp_buf_addc(&bomb, '[');
    }
    refuses(dsp_buf_cstr(&bomb), "line");
    dsp_buf_free(&bomb);
}

static void the_reader_may_stop(void **state)
{
    dsp_buf error;

    (void) state;
    documents = 0;
    dsp_buf_init(&error, 64);
    assert_false(dsp_manifest_read(DSP_STR("a: 1\n---\nb: 2\n"), stop, NULL, &error));
    assert_int_equal(documents, 1);
    assert_false(dsp_manifest_read(DSP_STR("{\"a\":1}{\"b\":2}"), stop, NULL, &error));
    assert_int_equal(documents, 2);
    assert_int_equal(error.len, 0);
    dsp_buf_free(&error);
}

/* Writes {"k":TEXT,"list":[TEXT,{}],"z":[]} as YAML and reads it back. */
static void survives(dsp_str text)
{
    dsp_buf  json, yaml, error, want;
    dsp_json value;

    dsp_buf_init(&json, 1u << 20);
    dsp_buf_init(&yaml, 1u << 20);
    dsp_buf_init(&want, 1u << 20);
    dsp_buf_init(&error, 1024);
    dsp_buf_init(&got, 1u << 20);
    dsp_buf_addz(&json, "{\"k\":");
    dsp_json_quote(&json, text);
    dsp_buf_addz(&json, ",\"list\":[");
    dsp_json_quote(&json, text);
    dsp_buf_addz(&json, ",{}],");
    dsp_buf_addz(&json, "\"z\":[]}");
    assert_true(dsp_json_parse(dsp_buf_str(&json), &value, NULL));
    assert_true(dsp_manifest_write_yaml(value, &yaml));
    if (!dsp_manifest_read(dsp_buf_str(&yaml), keep, NULL, &error)) {
        fail_msg("%s\n%s", dsp_buf_cstr(&yaml), dsp_buf_cstr(&error));
    }
    dsp_buf_adds(&want, dsp_buf_str(&json));
    dsp_buf_addc(&want, '|');
    if (strcmp(dsp_buf_cstr(&got), dsp_buf_cstr(&want)) != 0) {
        fail_msg("wrote %s\nread  %s\nas\n%s", dsp_buf_cstr(&want), dsp_buf_cstr(&got), dsp_buf_cstr(&yaml));
    }
    dsp_buf_free(&json);
    dsp_buf_free(&yaml);
    dsp_buf_free(&want);
    dsp_buf_free(&error);
    dsp_buf_free(&got);
}

static void what_is_written_is_read_the_same(void **state)
{
    static const char *const texts[] = {
        "", " ", "a", "1", "012", "0o17", "0x1", "1_0", ".5", "1e3", "-1", "~", "null", "y", "no", "on", "<<", "=",
        "---", "...", "- a", "? a", "# x", "a # b", "a: b", "a:", ":a", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a",
        "{a", "[a", "a]", "'a", "\"a", "a'b\"c", "\t", "a\tb", "\n", "\n\n", "a\n", "a\n\n", "\na", " a\nb", "a \nb",
        "a\n b\n", "a\r\nb", "\r", "a\\b", "é", "\xE2\x80\xA8", "\xC2\x85", "\xEF\xBB\xBF", "\x01", "\x7f", "😀",
        "{{ .Payload }}", "x{{ \"a\" | quote }}\n", "2001-01-01", "12:30:45", "true\n", "  ", "a\n\n\n  b\n\n",
    };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        survives(dsp_str_from(texts[i]));
    }
    survives((dsp_str){ "a\0b", 3 });
    srand(7);
    for (int i = 0; i < 2000; i++) {
        static const char alphabet[] = "ab01 \t\n:#-?{}[],&*!|>'\"%@`~\r.=<_+\\";
        char              text[16];
        size_t            len = (size_t) rand() % sizeof(text);

        for (size_t k = 0; k < len; k++) {
            text[k] = alphabet[(size_t) rand() % (sizeof(alphabet) - 1)];
        }
        survives((dsp_str){ text, len });
    }
}

/* go-yaml and other readers of YAML 1.1 see numbers and times in more texts than our reader. */
static void what_others_would_not_take_for_a_string_is_quoted(void **state)
{
    static const char *const texts[] = { ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "0B11", "0O17", "2001-01-01",
                                         "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "1:30", "190:20:30.15" };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char     json[64], want[64];
        dsp_buf  yaml;
        dsp_json value;

        snprintf(json, sizeof(json), "[\"%s\"]", texts[i]);
        snprintf(want, sizeof(want), "- \"%s\"\n", texts[i]);
        dsp_buf_init(&yaml, 1024);
        assert_true(dsp_json_parse(dsp_str_from(json), &value, NULL));
        assert_true(dsp_manifest_write_yaml(value, &yaml));
        if (strstr(dsp_buf_cstr(&yaml), want) == NULL) {
            fail_msg("%s", dsp_buf_cstr(&yaml));
        }
        dsp_buf_free(&yaml);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_as_kubectl_reads_them),
        cmocka_unit_test(documents_and_json),
        cmocka_unit_test(anchors_and_merges),
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(the_reader_may_stop),
        cmocka_unit_test(what_is_written_is_read_the_same),
        cmocka_unit_test(what_others_would_not_take_for_a_string_is_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
