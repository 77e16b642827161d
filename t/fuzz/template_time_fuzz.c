/*
 * Times: "layout NUL value NUL seconds". Whatever is parsed must be written and read back as the same text; zones are
 * the third piece's bytes as a TZif file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "template/gotime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dsp_str piece(dsp_str *rest)
{
    size_t  end = dsp_str_find(*rest, '\0');
    dsp_str s = dsp_str_sub(*rest, 0, end);

    *rest = dsp_str_sub(*rest, end + 1, rest->len);
    return s;
}

/* A parsed time, written with the same layout, must parse again, and then be written the same. */
static void round_trip(dsp_arena *arena, dsp_str layout, const gt_time *t, const gt_location *loc)
{
    dsp_buf first, second;
    gt_time again;

    dsp_buf_init(&first, 1 << 20);
    dsp_buf_init(&second, 1 << 20);
    gt_time_format(&first, t, layout);
    if (gt_time_parse(arena, layout, dsp_buf_str(&first), loc, &again, NULL)) {
        gt_time_format(&second, &again, layout);
    }
    gt_time_string(&second, t);
    gt_time_strict(&second, t);
    gt_time_go_string(&second, t, NULL);
    dsp_buf_free(&first);
    dsp_buf_free(&second);
}

static void arithmetic(gt_time t, int64_t d)
{
    gt_time u = gt_time_add(t, d), v = gt_time_add_date(t, d % 1000, d, -(d % 77));

    if (gt_time_sub(t, t) != 0 || gt_time_compare(&t, &t) != 0) {
        abort();
    }
    if (gt_time_sub(u, t) != d && gt_time_unix_sec(&u) > -(INT64_C(1) << 61) &&
        gt_time_unix_sec(&u) < INT64_C(1) << 61) {
        abort();
    }
    gt_time_round(v, d);
    gt_time_truncate(v, d);
    gt_duration_round(d, gt_time_sub(t, v));
    gt_duration_truncate(d, gt_time_sub(t, v));
}

static void durations(dsp_str s)
{
    dsp_buf b;
    int64_t d, again;

    dsp_buf_init(&b, 1 << 20);
    if (gt_duration_parse(s, &d, &b)) {
        dsp_buf_reset(&b);
        gt_duration_string(&b, d);
        if (!gt_duration_parse(dsp_buf_str(&b), &again, NULL) || again != d) {
            abort();
        }
    }
    dsp_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str     rest = { (const char *) data, size }, layout = piece(&rest), value = piece(&rest);
    dsp_arena   arena;
    dsp_buf     error;
    gt_location zone;
    gt_time     t = { 0 };
    int64_t     n = 0;

    dsp_arena_init(&arena, 16 << 20);
    dsp_buf_init(&error, 1 << 20);
    if (gt_tzif_parse(&arena, DSP_STR("zone"), rest, &zone) != GT_TZIF_OK) {
        zone = (gt_location){ .name = DSP_STR("Local") };
    }
    memcpy(&n, rest.data, rest.len < sizeof(n) ? rest.len : sizeof(n));
    if (gt_time_parse(&arena, layout, value, &zone, &t, &error)) {
        round_trip(&arena, layout, &t, &zone);
    }
    t = gt_time_unix(n, n, &zone);
    round_trip(&arena, layout, &t, &zone);
    arithmetic(t, n);
    durations(value);
    dsp_buf_free(&error);
    dsp_arena_free(&arena);
    return 0;
}
