/*
 * Time without templates. What Go answers to thousands of layouts, values and zones is in t/vectors/own/pure_*.jsonl;
 * here is what templates cannot ask: the edges of int64, monotonic readings, broken zone files, full arenas.
 */
#include "unit.h"

#include "template/gotime.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static dsp_str text_of(void (*write)(dsp_buf *, const gt_time *), gt_time t)
{
    static dsp_buf b;

    dsp_buf_free(&b);
    dsp_buf_init(&b, 4096);
    write(&b, &t);
    return dsp_buf_str(&b);
}

static dsp_str duration_text(int64_t d)
{
    static dsp_buf b;

    dsp_buf_free(&b);
    dsp_buf_init(&b, 4096);
    gt_duration_string(&b, d);
    return dsp_buf_str(&b);
}

static void moments(void **state)
{
    (void) state;
    assert_str(text_of(gt_time_string, (gt_time){ 0 }), "0001-01-01 00:00:00 +0000 UTC");
    assert_true(gt_time_is_zero(&(gt_time){ 0 }));
    assert_str(text_of(gt_time_string, gt_time_unix(951782400, -1, NULL)), "2000-02-28 23:59:59.999999999 +0000 UTC");
    assert_str(text_of(gt_time_string, gt_time_date(2023, 14, 31, 25, -1, 61, 2000000000, NULL)),
               "2024-03-03 01:00:03 +0000 UTC");
    /* as Go 1.26 prints them: sums wrap around */
    assert_str(text_of(gt_time_string, gt_time_unix(INT64_MAX, 0, NULL)), "292277026596-12-04 15:30:07 +0000 UTC");
    assert_str(text_of(gt_time_string, gt_time_unix(INT64_MIN, 0, NULL)), "292277026596-12-04 15:30:08 +0000 UTC");
}

static void monotonic_readings(void **state)
{
    gt_time t = gt_time_now(INT64_C(1600000000000000000), 1500000000, NULL), later;

    (void) state;
    assert_str(text_of(gt_time_string, t), "2020-09-13 12:26:40 +0000 UTC m=+1.500000000");
    later = gt_time_add(t, 250);
    assert_str(text_of(gt_time_string, later), "2020-09-13 12:26:40.00000025 +0000 UTC m=+1.500000250");
    assert_int_equal(gt_time_sub(later, t), 250);
    assert_str(text_of(gt_time_string, gt_time_in(later, NULL)), "2020-09-13 12:26:40.00000025 +0000 UTC");
    /* out of the range of a wall clock (2157) the reading is lost */
    later = gt_time_add(gt_time_add(t, GT_MAX_DURATION), -7);
    assert_false(later.monotonic);
    assert_true(gt_time_now(INT64_MIN, 5, NULL).monotonic == false);
}

static void differences_saturate(void **state)
{
    gt_time early = gt_time_unix(-(INT64_C(1) << 62), 0, NULL), late = gt_time_unix(INT64_C(1) << 62, 0, NULL);

    (void) state;
    assert_true(gt_time_sub(late, early) == GT_MAX_DURATION);
    assert_true(gt_time_sub(early, late) == GT_MIN_DURATION);
    assert_int_equal(gt_time_compare(&early, &late), -1);
    assert_true(gt_duration_round(GT_MAX_DURATION, 10) == GT_MAX_DURATION);
    assert_true(gt_duration_round(GT_MIN_DURATION, 10) == GT_MIN_DURATION);
    assert_true(gt_duration_abs(GT_MIN_DURATION) == GT_MAX_DURATION);
    assert_str(duration_text(GT_MIN_DURATION), "-2562047h47m16.854775808s");
    assert_str(duration_text(1500), "1.5\xC2\xB5s");
}

/* --- zones -------------------------------------------------------------------------------------------------------- */

/* A TZif file of version 2: the old body empty, the new one as given. */
static size_t tzif(unsigned char *out, const unsigned char *body, size_t n, uint32_t times, uint32_t zones,
                   uint32_t chars)
{
    unsigned char header[44] = "TZif2";

    memcpy(out, header, sizeof(header));
    header[35] = (unsigned char) times;
    header[39] = (unsigned char) zones;
    header[43] = (unsigned char) chars;
    memcpy(out + 44, header, sizeof(header));
    memcpy(out + 88, body, n);
    return 88 + n;
}

/* One change at 1000 s from LMT (+0:17:30) to A (+1 h), afterwards the rule of the footer. */
static const unsigned char body[] = "\0\0\0\0\0\0\x03\xE8" "\x01" "\0\0\x04\x1A\0\0" "\0\0\x0E\x10\0\x04" "LMT\0A\0"
                                    "\nA-1BBB,M3.5.0,M10.5.0/3\n";

static void zone_files(void **state)
{
    unsigned char       file[512];
    size_t              n = tzif(file, body, sizeof(body) - 1, 1, 2, 6);
    dsp_arena           arena;
    gt_location         l;
    struct gt_zone_span span;
    int                 offset;

    (void) state;
    dsp_arena_init(&arena, 65536);
    assert_int_equal(gt_tzif_parse(&arena, DSP_STR("X"), (dsp_str){ (char *) file, n }, &l), GT_TZIF_OK);
    span = gt_location_at(&l, 999);
    assert_str(span.name, "LMT");
    assert_int_equal(span.offset, 1050);
    assert_int_equal(span.end, 1000);
    /* "A-1…" has a name of one letter, which no rule may have: what the last change said stays */
    span = gt_location_at(&l, 1711846800);
    assert_str(span.name, "A");
    assert_true(gt_location_by_abbreviation(&l, DSP_STR("A"), 5000, &offset));
    assert_int_equal(offset, 3600);
    assert_false(gt_location_by_abbreviation(&l, DSP_STR("B"), 5000, &offset));

    l.extend = DSP_STR("AAA-1BBB,M3.5.0,M10.5.0/3");
    span = gt_location_at(&l, 1711846799);
    assert_str(span.name, "AAA");
    assert_int_equal(span.end, 1711846800);
    span = gt_location_at(&l, 1711846800);
    assert_str(span.name, "BBB");
    assert_true(span.dst);
    assert_int_equal(span.offset, 7200);
    l.extend = DSP_STR("<-03>3");
    span = gt_location_at(&l, 1711846800);
    assert_str(span.name, "-03");
    assert_int_equal(span.offset, -10800);
    dsp_arena_free(&arena);
}

static void broken_zone_files(void **state)
{
    unsigned char file[512];
    size_t        n = tzif(file, body, sizeof(body) - 1, 1, 2, 6);
    size_t        needed = n - (sizeof("\nA-1BBB,M3.5.0,M10.5.0/3\n") - 1);
    dsp_arena     arena;
    gt_location   l;

    (void) state;
    dsp_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < needed; i++) {
        assert_int_equal(gt_tzif_parse(&arena, DSP_STR("X"), (dsp_str){ (char *) file, i }, &l), GT_TZIF_MALFORMED);
    }
    file[88 + 8] = 2; /* a zone that there is not */
    assert_int_equal(gt_tzif_parse(&arena, DSP_STR("X"), (dsp_str){ (char *) file, n }, &l), GT_TZIF_MALFORMED);
    file[88 + 8] = 1;
    file[88 + 14] = 6; /* a name behind the names */
    assert_int_equal(gt_tzif_parse(&arena, DSP_STR("X"), (dsp_str){ (char *) file, n }, &l), GT_TZIF_MALFORMED);
    file[88 + 14] = 0;
    dsp_arena_free(&arena);

    dsp_arena_init(&arena, 16);
    assert_int_equal(gt_tzif_parse(&arena, DSP_STR("X"), (dsp_str){ (char *) file, n }, &l), GT_TZIF_NO_MEMORY);
    dsp_arena_free(&arena);
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

static void a_full_arena_is_told_from_a_bad_text(void **state)
{
    dsp_arena arena;
    dsp_buf   error;
    gt_time   t;

    (void) state;
    dsp_arena_init(&arena, 8);
    dsp_buf_init(&error, 4096);
    assert_false(gt_time_parse(&arena, DSP_STR("2006 -0700"), DSP_STR("2020 +0123"), NULL, &t, &error));
    assert_int_equal(error.len, 0);
    assert_int_equal(arena.state, DSP_ARENA_OVER_CAP);
    assert_false(gt_time_parse(&arena, DSP_STR("2006"), DSP_STR("20x6"), NULL, &t, &error));
    assert_str(dsp_buf_str(&error), "parsing time \"20x6\" as \"2006\": cannot parse \"20x6\" as \"2006\"");
    assert_true(gt_time_is_zero(&t));
    dsp_buf_free(&error);
    dsp_arena_free(&arena);
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t     ns;
        const char *error;
    } cases[] = {
        { "1h2m3.5s", INT64_C(3723500000000), NULL },
        { "-1.5h", INT64_C(-5400000000000), NULL },
        { "0", 0, NULL },
        { "-9223372036854775808ns", INT64_MIN, NULL },
        { "9223372036854775808ns", 0, "time: invalid duration \"9223372036854775808ns\"" },
        { "1", 0, "time: missing unit in duration \"1\"" },
        { "1d", 0, "time: unknown unit \"d\" in duration \"1d\"" },
        { "", 0, "time: invalid duration \"\"" },
    };

    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        dsp_buf error;
        int64_t d;

        dsp_buf_init(&error, 4096);
        assert_int_equal(gt_duration_parse(dsp_str_from(cases[i].text), &d, &error), cases[i].error == NULL);
        assert_true(d == cases[i].ns);
        assert_str(dsp_buf_str(&error), cases[i].error == NULL ? "" : cases[i].error);
        dsp_buf_free(&error);
    }
}

/* Every day of eight hundred years, there and back. */
static void the_calendar_is_whole(void **state)
{
    int64_t unix_sec = -62135596800;
    int     weekday = 1;

    (void) state;
    for (int64_t year = 1; year <= 800; year++) {
        int yday = 1;

        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= gt_days_in(month, year); day++) {
                gt_time         t = gt_time_date(year, month, day, 0, 0, 0, 0, NULL);
                struct gt_civil c = gt_time_civil(&t);

                if (gt_time_unix_sec(&t) != unix_sec || c.year != year || c.month != month || c.day != day ||
                    c.yday != yday || c.weekday != weekday) {
                    fail_msg("%lld-%d-%d", (long long) year, month, day);
                }
                unix_sec += 86400;
                yday++;
                weekday = (weekday + 1) % 7;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),
        cmocka_unit_test(monotonic_readings),
        cmocka_unit_test(differences_saturate),
        cmocka_unit_test(zone_files),
        cmocka_unit_test(broken_zone_files),
        cmocka_unit_test(a_full_arena_is_told_from_a_bad_text),
        cmocka_unit_test(durations),
        cmocka_unit_test(the_calendar_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
