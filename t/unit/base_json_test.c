#include "unit.h"

#include "base/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static dsp_json parse(const char *text)
{
    dsp_json       v = { NULL, 0 };
    dsp_json_error err = { 0, "" };

    if (!dsp_json_parse(dsp_str_from(text), &v, &err)) {
        fail_msg("%s: %s at byte %zu", text, err.message, err.offset);
    }
    return v;
}

static void accepts_what_is_json(void **state)
{
    static const struct {
        const char        *text;
        enum dsp_json_kind kind;
        const char        *span;
    } cases[] = {
        { "0", DSP_JSON_NUMBER, "0" },
        { "-0.5e+10", DSP_JSON_NUMBER, "-0.5e+10" },
        { " true ", DSP_JSON_BOOL, "true" },
        { "null\n", DSP_JSON_NULL, "null" },
        { "\"\"", DSP_JSON_STRING, "\"\"" },
        { "[]", DSP_JSON_ARRAY, "[]" },
        { "\t{ \"a\" : 1 , \"b\" : [ 1 , {} ] }\r\n", DSP_JSON_OBJECT, "{ \"a\" : 1 , \"b\" : [ 1 , {} ] }" },
        { "\"\xC3\xA9\xF0\x9F\x98\x80\\u00e9\\n\"", DSP_JSON_STRING, "\"\xC3\xA9\xF0\x9F\x98\x80\\u00e9\\n\"" },
        { "[{},[],\"\",0]", DSP_JSON_ARRAY, "[{},[],\"\",0]" },
    };
    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        dsp_json v = parse(cases[i].text);

        assert_int_equal(dsp_json_kind(v), cases[i].kind);
        assert_str(v, cases[i].span);
    }
}

static void refuses_what_is_not_and_says_where(void **state)
{
    static const struct {
        const char *text;
        size_t      offset;
        const char *message;
    } cases[] = {
        { "", 0, "unexpected end of text" },
        { "  ", 2, "unexpected end of text" },
        { "{", 1, "unexpected end of text" },
        { "[1", 2, "unexpected end of text" },
        { "\"abc", 4, "unexpected end of text" },
        { "01", 1, "something follows the value" },
        { "1.", 2, "unexpected end of text" },
        { "1.x", 2, "a number without digits behind its point" },
        { "1e+x", 3, "a number without digits in its exponent" },
        { "-x", 1, "a number without digits" },
        { "+1", 0, "not a JSON value" },
        { "tru", 0, "not a JSON value" },
        { "[1,]", 3, "not a JSON value" },
        { "[1 2]", 3, "expected , or ] after an element" },
        { "{\"a\":1,}", 7, "expected a member's name" },
        { "{\"a\" 1}", 5, "expected : after a member's name" },
        { "{\"a\":1]", 6, "expected , or } after a member" },
        { "{a:1}", 1, "expected a member's name" },
        { "{} {}", 3, "something follows the value" },
        { "\"a\nb\"", 2, "control character in a string" },
        { "\"\\x\"", 2, "unknown escape in a string" },
        { "\"\\u12g4\"", 2, "\\u without four hexadecimal digits" },
        { "\"\xFF\"", 1, "invalid UTF-8 in a string" },
        { "\"\xED\xA0\x80\"", 1, "invalid UTF-8 in a string" },
    };
    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        dsp_json       v;
        dsp_json_error err = { 99, "" };

        assert_false(dsp_json_parse(dsp_str_from(cases[i].text), &v, &err));
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.offset, cases[i].offset);
    }
}

static void depth_is_capped(void **state)
{
    char           text[2 * DSP_JSON_MAX_DEPTH + 2];
    dsp_json       v;
    dsp_json_error err;

    (void) state;
    memset(text, '[', DSP_JSON_MAX_DEPTH);
    memset(text + DSP_JSON_MAX_DEPTH, ']', DSP_JSON_MAX_DEPTH);
    assert_true(dsp_json_parse((dsp_str){ text, 2 * DSP_JSON_MAX_DEPTH }, &v, &err));
    memset(text, '[', DSP_JSON_MAX_DEPTH + 1);
    memset(text + DSP_JSON_MAX_DEPTH + 1, ']', DSP_JSON_MAX_DEPTH + 1);
    assert_false(dsp_json_parse((dsp_str){ text, sizeof(text) }, &v, &err));
    assert_string_equal(err.message, "too deep");
    assert_int_equal(err.offset, DSP_JSON_MAX_DEPTH);
}

static void walks_members_and_elements(void **state)
{
    dsp_json      v = parse("{ \"a\" : [1, \"]},\\\"\" , {\"x\":{}}] ,\"b\":null}");
    dsp_json_iter it = dsp_json_iterate(v);
    dsp_json      key, value;

    (void) state;
    assert_true(dsp_json_next(&it, &key, &value));
    assert_str(key, "\"a\"");
    assert_str(value, "[1, \"]},\\\"\" , {\"x\":{}}]");

    dsp_json_iter elements = dsp_json_iterate(value);
    assert_true(dsp_json_next(&elements, NULL, &value));
    assert_str(value, "1");
    assert_true(dsp_json_next(&elements, &key, &value));
    assert_null(key.data);
    assert_str(value, "\"]},\\\"\"");
    assert_true(dsp_json_next(&elements, NULL, &value));
    assert_str(value, "{\"x\":{}}");
    assert_false(dsp_json_next(&elements, NULL, &value));

    assert_true(dsp_json_next(&it, &key, &value));
    assert_str(key, "\"b\"");
    assert_str(value, "null");
    assert_false(dsp_json_next(&it, &key, &value));

    it = dsp_json_iterate(parse("\"text\""));
    assert_false(dsp_json_next(&it, &key, &value));
}

static void finds_members(void **state)
{
    dsp_json v = parse("{\"metadata\":{\"name\":\"a\",\"n\\u0061me\":\"b\",\"n\":12},\"x\":[]}");

    (void) state;
    assert_str(dsp_json_path(v, "metadata", "name", NULL), "\"b\""); /* the last one wins */
    assert_str(dsp_json_path(v, "metadata", "n", NULL), "12");
    assert_null(dsp_json_path(v, "metadata", "no", "more", NULL).data);
    assert_null(dsp_json_path(v, "x", "name", NULL).data);
    assert_null(dsp_json_get((dsp_json){ NULL, 0 }, "x").data);
}

static void reads_strings(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        { "\"plain\"", "plain" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u00e9\\u20AC\"", "\xC3\xA9\xE2\x82\xAC" },
        { "\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80" },
        { "\"\\ud83d\\u0041\"", "\xEF\xBF\xBD" "A" },
        { "\"\\ude00x\"", "\xEF\xBF\xBDx" },
    };
    dsp_arena arena;
    dsp_str   out;

    (void) state;
    dsp_arena_init(&arena, 1024);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(dsp_json_string(parse(cases[i].json), &arena, &out));
        assert_str(out, cases[i].text);
        assert_true(dsp_json_equals(parse(cases[i].json), dsp_str_from(cases[i].text)));
        assert_false(dsp_json_equals(parse(cases[i].json), DSP_STR("plai")));
        assert_false(dsp_json_equals(parse(cases[i].json), DSP_STR("plainer")));
    }
    assert_true(dsp_json_string(parse("\"a\\u0000b\""), &arena, &out));
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.data, "a\0b", 3);
    assert_false(dsp_json_string(parse("12"), &arena, &out));
    dsp_arena_free(&arena);

    dsp_arena_init(&arena, 2);
    assert_false(dsp_json_string(parse("\"\\n\\n\\n\""), &arena, &out));
    dsp_arena_free(&arena);
}

static void reads_numbers_exactly(void **state)
{
    int64_t n;
    bool    b;

    (void) state;
    assert_true(dsp_json_int64(parse("9007199254740993"), &n));
    assert_true(n == 9007199254740993);
    assert_true(dsp_json_int64(parse("-9223372036854775808"), &n));
    assert_true(n == INT64_MIN);
    assert_true(dsp_json_int64(parse("9223372036854775807"), &n));
    assert_false(dsp_json_int64(parse("9223372036854775808"), &n));
    assert_false(dsp_json_int64(parse("-9223372036854775809"), &n));
    assert_false(dsp_json_int64(parse("1.0"), &n));
    assert_false(dsp_json_int64(parse("1e3"), &n));
    assert_false(dsp_json_int64(parse("\"1\""), &n));
    assert_true(dsp_json_bool(parse("false"), &b) && !b);
    assert_true(dsp_json_bool(parse("true"), &b) && b);
    assert_false(dsp_json_bool(parse("null"), &b));
}

static void quotes(void **state)
{
    static const struct {
        dsp_str     text;
        const char *json;
    } cases[] = {
        { { "", 0 }, "\"\"" },
        { { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
        { { "\b\f\n\r\t\0\x1f\x7f", 8 }, "\"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"" },
        { { "\xC3\xA9\xF0\x9F\x98\x80", 6 }, "\"\xC3\xA9\xF0\x9F\x98\x80\"" },
        { { "a\xFF\xC3", 3 }, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, 100);
    for (size_t i = 0; i < COUNT(cases); i++) {
        dsp_json v;

        dsp_buf_reset(&b);
        assert_true(dsp_json_quote(&b, cases[i].text));
        assert_string_equal(dsp_buf_cstr(&b), cases[i].json);
        assert_int_equal(dsp_json_quoted_len(cases[i].text), b.len);
        assert_true(dsp_json_parse(dsp_buf_str(&b), &v, NULL));
    }
    dsp_buf_free(&b);
    dsp_buf_init(&b, 4);
    assert_false(dsp_json_quote(&b, DSP_STR("abc")));
    assert_true(b.failed);
    dsp_buf_free(&b);
}

/* What a byte's quoted form is, one byte at a time; NULL: itself. */
static const char *escaped(unsigned char c, char hex[8])
{
    static const char *const names[256] = { ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t" };

    if (names[c] == NULL && c < 0x20) {
        snprintf(hex, 8, "\\u%04x", c);
        return hex;
    }
    return c >= 0x80 ? "\xEF\xBF\xBD" : names[c];
}

/* Strings are read by eights: every byte at every place of strings of every length up to three of them, its neighbours being of each kind. */
static void every_byte_at_every_place(void **state)
{
    static const char fills[] = { 'a', ' ', '!', '#', '[', ']', '\x7f' };
    dsp_buf           b;

    (void) state;
    dsp_buf_init(&b, 1000);
    for (size_t len = 1; len <= 24; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                char        text[24], hex[8], raw[40], expected[80];
                const char *form = escaped((unsigned char) c, hex);
                dsp_json    value;

                memset(text, fills[(size_t) c % sizeof(fills)], len);
                text[at] = (char) c;
                snprintf(expected, sizeof(expected), "\"%.*s%.*s%.*s\"", (int) at, text, form == NULL ? 1 : (int) strlen(form), form == NULL ? text + at : form,
                         (int) (len - at - 1), text + at + 1);
                dsp_buf_reset(&b);
                assert_true(dsp_json_quote(&b, (dsp_str){ text, len }));
                assert_string_equal(dsp_buf_cstr(&b), expected);
                assert_int_equal(dsp_json_quoted_len((dsp_str){ text, len }), b.len);

                /* Raw between quotes it is a string unless it needs an escape; that is the end of it, or an error at its place or behind it. */
                raw[0] = raw[len + 1] = '"';
                memcpy(raw + 1, text, len);
                assert_int_equal(dsp_json_parse((dsp_str){ raw, len + 2 }, &value, NULL), form == NULL);

                /* Walking skips the quoted form to its end. */
                dsp_json whole = dsp_buf_str(&b), got;
                char     array[100];
                snprintf(array, sizeof(array), "[%s,7]", dsp_buf_cstr(&b));
                assert_true(dsp_json_parse(dsp_str_from(array), &value, NULL));
                dsp_json_iter it = dsp_json_iterate(value);
                assert_true(dsp_json_next(&it, NULL, &got));
                assert_true(dsp_str_eq(got, whole));
                assert_true(dsp_json_next(&it, NULL, &got));
                assert_true(dsp_str_is(got, "7"));
                if (c < 0x80) {
                    assert_true(dsp_json_equals(whole, (dsp_str){ text, len }));
                    text[at] ^= 1;
                    assert_false(dsp_json_equals(whole, (dsp_str){ text, len }));
                }
            }
        }
    }
    dsp_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_is_json), cmocka_unit_test(refuses_what_is_not_and_says_where),
        cmocka_unit_test(depth_is_capped),      cmocka_unit_test(walks_members_and_elements),
        cmocka_unit_test(finds_members),        cmocka_unit_test(reads_strings),
        cmocka_unit_test(reads_numbers_exactly), cmocka_unit_test(quotes),
        cmocka_unit_test(every_byte_at_every_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
