/* Numbers and quoted strings, held to what Go's strconv gives. */
#include "unit.h"

#include <math.h>

#include "template/strconv.h"

static void shortest_floats(void **state)
{
    static const struct {
        double      f;
        const char *g, *e, *fixed;
    } table[] = {
        { 0, "0", "0e+00", "0" },
        { -0.0, "-0", "-0e+00", "-0" },
        { 1, "1", "1e+00", "1" },
        { 0.1, "0.1", "1e-01", "0.1" },
        { 0.3, "0.3", "3e-01", "0.3" },
        { 0.1 + 0.2, "0.30000000000000004", "3.0000000000000004e-01", "0.30000000000000004" },
        { 100000, "100000", "1e+05", "100000" },
        { 123456, "123456", "1.23456e+05", "123456" },
        { 999999.5, "999999.5", "9.999995e+05", "999999.5" },
        { 1000000, "1e+06", "1e+06", "1000000" },
        { 1234567.5, "1.2345675e+06", "1.2345675e+06", "1234567.5" },
        { 186853002, "1.86853002e+08", "1.86853002e+08", "186853002" },
        { 0.0001, "0.0001", "1e-04", "0.0001" },
        { 0.00001234, "1.234e-05", "1.234e-05", "0.00001234" },
        { 1e20, "1e+20", "1e+20", "100000000000000000000" },
        { 5e-324, "5e-324", "5e-324", NULL },
        { 1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308", NULL },
        { 9007199254740993.0, "9.007199254740992e+15", "9.007199254740992e+15", "9007199254740992" },
        /* powers of two, whose neighbour below is nearer than the one above */
        { 0x1p-44, "5.684341886080802e-14", "5.684341886080802e-14", NULL },
        { 0x1p-1022, "2.2250738585072014e-308", "2.2250738585072014e-308", NULL },
        { 0x1p+89, "6.189700196426902e+26", "6.189700196426902e+26", NULL },
        { (double) INFINITY, "+Inf", "+Inf", "+Inf" },
        { -(double) INFINITY, "-Inf", "-Inf", "-Inf" },
        { (double) NAN, "NaN", "NaN", "NaN" },
    };
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, 10000);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[GT_FLOAT_MAX];

        assert_str(((dsp_str){ text, gt_float_text(table[i].f, text) }), table[i].g);
        assert_true(gt_format_float(&b, table[i].f, 'g', -1));
        assert_str(dsp_buf_str(&b), table[i].g);
        dsp_buf_reset(&b);
        assert_true(gt_format_float(&b, table[i].f, 'e', -1));
        assert_str(dsp_buf_str(&b), table[i].e);
        dsp_buf_reset(&b);
        if (table[i].fixed != NULL) {
            assert_true(gt_format_float(&b, table[i].f, 'f', -1));
            assert_str(dsp_buf_str(&b), table[i].fixed);
            dsp_buf_reset(&b);
        }
    }
    dsp_buf_free(&b);
}

static void floats_of_a_precision(void **state)
{
    static const struct {
        double      f;
        char        format;
        int         precision;
        const char *text;
    } table[] = {
        { 0.5, 'f', 0, "0" }, /* half to even */
        { 1.5, 'f', 0, "2" },
        { 2.5, 'f', 0, "2" },
        { 3.14159, 'f', 2, "3.14" },
        { 0.0005, 'f', 2, "0.00" },
        { 0, 'f', 3, "0.000" },
        { 1e21, 'f', 1, "1000000000000000000000.0" },
        { 1, 'e', 3, "1.000e+00" },
        { 123456, 'E', 2, "1.23E+05" },
        { 123456, 'g', 3, "1.23e+05" },
        { 100, 'g', 2, "1e+02" },
        { 100, 'g', 3, "100" },
        { 100000, 'G', 0, "1E+05" },
        { 0.000012, 'g', 4, "1.2e-05" },
        { 1.5, 'b', -1, "6755399441055744p-52" },
        { 0, 'b', -1, "0p-1074" },
        { 1.5, 'x', -1, "0x1.8p+00" },
        { 0, 'x', 2, "0x0.00p+00" },
        { 5e-324, 'x', -1, "0x1p-1074" },
        { 1.9999999, 'X', 2, "0X1.00P+01" },
        { -1, 'x', 20, "-0x1.00000000000000000000p+00" },
        { 0.1, 'f', 60, "0.100000000000000005551115123125782702118158340454101562500000" },
    };
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, 10000);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_true(gt_format_float(&b, table[i].f, table[i].format, table[i].precision));
        assert_str(dsp_buf_str(&b), table[i].text);
        dsp_buf_reset(&b);
    }
    assert_false(gt_format_float(&b, 1, 'f', 1000000)); /* over the cap */
    dsp_buf_free(&b);
}

static void ints_from_text(void **state)
{
    static const struct {
        const char       *text;
        unsigned          base;
        enum gt_num_error error;
        int64_t           value;
    } table[] = {
        { "0", 0, GT_NUM_OK, 0 },
        { "", 0, GT_NUM_SYNTAX, 0 },
        { "-", 10, GT_NUM_SYNTAX, 0 },
        { "+7", 10, GT_NUM_OK, 7 },
        { "010", 0, GT_NUM_OK, 8 },
        { "010", 10, GT_NUM_OK, 10 },
        { "08", 0, GT_NUM_SYNTAX, 0 },
        { "0x1F", 0, GT_NUM_OK, 31 },
        { "0x", 0, GT_NUM_SYNTAX, 0 },
        { "0b101", 0, GT_NUM_OK, 5 },
        { "-0o17", 0, GT_NUM_OK, -15 },
        { "1_000", 0, GT_NUM_OK, 1000 },
        { "1_000", 10, GT_NUM_SYNTAX, 0 },
        { "0x_1f", 0, GT_NUM_OK, 31 },
        { "_1", 0, GT_NUM_SYNTAX, 0 },
        { "1_", 0, GT_NUM_SYNTAX, 0 },
        { "1__0", 0, GT_NUM_SYNTAX, 0 },
        { "zZ", 36, GT_NUM_OK, 35 * 36 + 35 },
        { "9223372036854775807", 10, GT_NUM_OK, INT64_MAX },
        { "9223372036854775808", 10, GT_NUM_RANGE, INT64_MAX },
        { "-9223372036854775808", 10, GT_NUM_OK, INT64_MIN },
        { "-9223372036854775809", 10, GT_NUM_RANGE, INT64_MIN },
        { "99999999999999999999999x", 10, GT_NUM_RANGE, INT64_MAX },
        { " 1", 10, GT_NUM_SYNTAX, 0 },
        { "1.0", 0, GT_NUM_SYNTAX, 0 },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t           value = 99;
        enum gt_num_error error = gt_parse_int(dsp_str_from(table[i].text), table[i].base, &value);

        if (error != table[i].error || value != table[i].value) {
            fail_msg("%s in base %u: error %d, %lld", table[i].text, table[i].base, (int) error, (long long) value);
        }
    }
    assert_string_equal(gt_num_error_text(GT_NUM_RANGE), "value out of range");
}

static void floats_from_text(void **state)
{
    static const struct {
        const char       *text;
        enum gt_num_error error;
        double            value;
    } table[] = {
        { "", GT_NUM_SYNTAX, 0 },
        { ".", GT_NUM_SYNTAX, 0 },
        { "1", GT_NUM_OK, 1 },
        { ".5", GT_NUM_OK, .5 },
        { "-5.", GT_NUM_OK, -5 },
        { "1e", GT_NUM_SYNTAX, 0 },
        { "1e400", GT_NUM_RANGE, (double) INFINITY },
        { "-1e400", GT_NUM_RANGE, -(double) INFINITY },
        { "1e-400", GT_NUM_OK, 0 },
        { "1_0.5", GT_NUM_OK, 10.5 },
        { "1_.5", GT_NUM_SYNTAX, 0 },
        { "0x1p4", GT_NUM_OK, 16 },
        { "0x1.8", GT_NUM_SYNTAX, 0 },
        { "0x.00000000000000000000001p92", GT_NUM_OK, 1 },
        { "iNf", GT_NUM_OK, (double) INFINITY },
        { "-infinity", GT_NUM_OK, -(double) INFINITY },
        { "infi", GT_NUM_SYNTAX, 0 },
        { "+nan", GT_NUM_SYNTAX, 0 },
        { "9007199254740993", GT_NUM_OK, 9007199254740992.0 }, /* a tie: to even */
        /* over the tie by one in the last of many digits */
        { "9007199254740993.00000000000000000000000000000000000000000000000000000000000000000000000001", GT_NUM_OK,
          9007199254740994.0 },
        { "2.4703282292062327e-324", GT_NUM_OK, 0 },
        { "2.4703282292062329e-324", GT_NUM_OK, 5e-324 },
    };
    char   many[2000];
    double value;

    (void) state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        enum gt_num_error error = gt_parse_float(dsp_str_from(table[i].text), &value);

        if (error != table[i].error || !(value == table[i].value)) {
            fail_msg("%s: error %d, %.17g", table[i].text, (int) error, value);
        }
    }
    /* 900 digits: those over 800 are looked at only for not being zero */
    memset(many, '0', sizeof(many));
    memcpy(many, "9007199254740993.", 17);
    many[1900] = '1';
    assert_int_equal(gt_parse_float((dsp_str){ many, sizeof(many) }, &value), GT_NUM_OK);
    assert_true(value == 9007199254740994.0);
}

static void quoting(void **state)
{
    static const struct {
        dsp_str     text;
        const char *quoted, *ascii;
    } table[] = {
        { { "", 0 }, "\"\"", "\"\"" },
        { { "a\"b\\c'd", 7 }, "\"a\\\"b\\\\c'd\"", "\"a\\\"b\\\\c'd\"" },
        { { "\a\b\f\n\r\t\v\0\x1f\x7f", 10 }, "\"\\a\\b\\f\\n\\r\\t\\v\\x00\\x1f\\x7f\"", NULL },
        { { "é☺", 5 }, "\"é☺\"", "\"\\u00e9\\u263a\"" },
        { { "\xff\xc3", 2 }, "\"\\xff\\xc3\"", "\"\\xff\\xc3\"" },
        { { "\xef\xbf\xbd", 3 }, "\"\xef\xbf\xbd\"", "\"\\ufffd\"" },
        { { "\xc2\xa0\xe2\x80\xa8", 5 }, "\"\\u00a0\\u2028\"", NULL },
        { { "\xf0\x9f\x98\x80\xf3\xa0\x80\x81", 8 }, "\"\xf0\x9f\x98\x80\\U000e0001\"", "\"\\U0001f600\\U000e0001\"" },
    };
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_true(gt_quote(&b, table[i].text, 0));
        assert_str(dsp_buf_str(&b), table[i].quoted);
        dsp_buf_reset(&b);
        assert_true(gt_unquote(&b, dsp_str_from(table[i].quoted)));
        assert_int_equal(b.len, table[i].text.len);
        assert_memory_equal(dsp_buf_cstr(&b), table[i].text.data, b.len);
        dsp_buf_reset(&b);
        if (table[i].ascii != NULL) {
            assert_true(gt_quote(&b, table[i].text, GT_QUOTE_ASCII));
            assert_str(dsp_buf_str(&b), table[i].ascii);
            dsp_buf_reset(&b);
        }
    }
    gt_quote_rune(&b, '\'', 0);
    gt_quote_rune(&b, '"', 0);
    gt_quote_rune(&b, 0xD800, 0);
    gt_quote_rune(&b, 0x110000, GT_QUOTE_ASCII);
    assert_str(dsp_buf_str(&b), "'\\'''\"''\xef\xbf\xbd''\\ufffd'");
    dsp_buf_free(&b);

    assert_true(gt_can_backquote(DSP_STR("a\tb \"é\"")));
    assert_false(gt_can_backquote(DSP_STR("a\n")));
    assert_false(gt_can_backquote(DSP_STR("`")));
    assert_false(gt_can_backquote(DSP_STR("\xff")));
    assert_false(gt_can_backquote(DSP_STR("\xef\xbb\xbf")));
}

static void unquoting(void **state)
{
    static const struct {
        const char *quoted, *text; /* NULL: a syntax error */
    } table[] = {
        { "\"\\x41\\101\\u00e9\\U0001F600\"", "AAé\xf0\x9f\x98\x80" },
        { "'a'", "a" },
        { "'é'", "é" },
        { "'\\''", "'" },
        { "\"\\\"\"", "\"" },
        { "`a\\n`", "a\\n" },
        { "`a\r\nb`", "a\nb" },
        { "``", "" },
        { "\"\\xff\"", "\xff" },
        { "\"\xff\"", "\xef\xbf\xbd" }, /* a raw invalid byte is read as a rune */
        { "''", NULL },
        { "'ab'", NULL },
        { "'''", NULL },
        { "\"\\'\"", NULL },
        { "'\\\"'", NULL },
        { "\"\\q\"", NULL },
        { "\"\\400\"", NULL },
        { "\"\\08\"", NULL },
        { "\"\\x4\"", NULL },
        { "\"\\ud800\"", NULL },
        { "\"\\UFFFFFFFF\"", NULL },
        { "\"a\nb\"", NULL },
        { "\"a\"b\"", NULL },
        { "\"a\\\"", NULL },
        { "`a`b`", NULL },
        { "\"a", NULL },
        { "abca", NULL },
        { "\"", NULL },
        { "", NULL },
    };
    dsp_buf  b;
    dsp_str  rest = DSP_STR("\\n'x");
    uint32_t rune;
    bool     multibyte;

    (void) state;
    dsp_buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        bool good = gt_unquote(&b, dsp_str_from(table[i].quoted));

        if (good != (table[i].text != NULL)) {
            fail_msg("%s: %s", table[i].quoted, good ? "accepted" : "refused");
        }
        if (good) {
            assert_str(dsp_buf_str(&b), table[i].text);
        }
        dsp_buf_reset(&b);
    }
    dsp_buf_free(&b);

    assert_true(gt_unquote_char(&rest, '\'', &rune, &multibyte));
    assert_int_equal(rune, '\n');
    assert_false(multibyte);
    assert_false(gt_unquote_char(&rest, '\'', &rune, &multibyte));
    assert_str(rest, "'x");
    assert_true(gt_unquote_char(&rest, '"', &rune, NULL));
    assert_int_equal(rune, '\'');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortest_floats),
        cmocka_unit_test(floats_of_a_precision),
        cmocka_unit_test(ints_from_text),
        cmocka_unit_test(floats_from_text),
        cmocka_unit_test(quoting),
        cmocka_unit_test(unquoting),
    };

    return cmocka_run_group_tests_name("template_strconv", tests, NULL, NULL);
}
