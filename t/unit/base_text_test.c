#include "unit.h"

#include "base/clock.h"
#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void utf8_says_where_it_breaks(void **state)
{
    static const struct {
        dsp_str text;
        size_t  at;
    } cases[] = {
        { { "abc", 3 }, 3 },
        { { "", 0 }, 0 },
        { { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9 }, 9 },
        { { "a\xC3", 2 }, 1 },
        { { "\xC0\x80", 2 }, 0 },         /* overlong NUL */
        { { "x\xE0\x80\x80", 4 }, 1 },    /* overlong */
        { { "\xED\xA0\x80", 3 }, 0 },     /* surrogate */
        { { "\xED\x9F\xBF", 3 }, 3 },     /* the last before them */
        { { "\xF4\x90\x80\x80", 4 }, 0 }, /* over U+10FFFF */
        { { "\xF4\x8F\xBF\xBF", 4 }, 4 },
        { { "ok\xFF", 3 }, 2 },
        { { "a\0b", 3 }, 3 },
    };
    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(dsp_utf8_invalid_at(cases[i].text), cases[i].at);
    }
}

static void utf8_every_rune_survives(void **state)
{
    (void) state;
    for (uint32_t rune = 0; rune <= 0x110000; rune++) {
        char     bytes[DSP_UTF8_MAX];
        uint32_t back;
        size_t   n = dsp_utf8_encode(rune, bytes);
        bool     valid = rune < 0xD800 || (rune > 0xDFFF && rune < 0x110000);

        assert_int_equal(dsp_utf8_decode((dsp_str){ bytes, n }, &back), n);
        assert_int_equal(back, valid ? rune : DSP_RUNE_ERROR);
    }
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t     us;
        const char *back;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000000Z" },
        { "2026-11-22T18:39:53Z", 1795372793000000, "2026-11-22T18:39:53.000000Z" },
        { "2026-11-22T20:39:53.123456789+02:00", 1795372793123456, "2026-11-22T18:39:53.123456Z" },
        { "2024-02-29T00:00:00.5-00:30", 1709166600500000, "2024-02-29T00:30:00.500000Z" },
        { "1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z" },
        { "0001-01-01T00:00:00Z", -62135596800000000, "1-01-01T00:00:00.000000Z" },
    };
    static const char *const bad[] = {
        "", "2026-11-22", "2026-11-22T18:39:53", "2026-13-22T18:39:53Z", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T18:39:53.Z", "2026-11-22T18:39:53Zx", "2026-11-22T18:39:53+0200",
    };
    char    text[DSP_TIME_LEN];
    int64_t us;

    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(dsp_time_parse(dsp_str_from(cases[i].text), &us));
        assert_true(us == cases[i].us);
        dsp_microtime_format(us, text);
        if (us > 0) {
            assert_string_equal(text, cases[i].back);
        }
    }
    dsp_time_format(1795372793999999, text);
    assert_string_equal(text, "2026-11-22T18:39:53Z");
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(dsp_time_parse(dsp_str_from(bad[i]), &us));
    }
    assert_true(dsp_clock_ms() <= dsp_clock_ms());
    assert_true(dsp_wall_us() > 1700000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_says_where_it_breaks),
        cmocka_unit_test(utf8_every_rune_survives),
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
