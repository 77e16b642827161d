/* JSON text: what the scanner accepts, the walkers must survive, and quoting must give JSON that means the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(dsp_json v, dsp_arena *arena, int depth)
{
    dsp_json_iter it = dsp_json_iterate(v);
    dsp_json      key, value;
    dsp_str       text;
    int64_t       n;
    bool          b;

    dsp_json_string(v, arena, &text);
    dsp_json_int64(v, &n);
    dsp_json_bool(v, &b);
    while (depth < 100 && dsp_json_next(&it, &key, &value)) {
        dsp_json again;

        /* Each span is a value of its own. */
        if (!dsp_json_parse(value, &again, NULL) || !dsp_str_eq(again, value)) {
            abort();
        }
        if (it.object && dsp_json_string(key, arena, &text) && !dsp_json_equals(key, text)) {
            abort();
        }
        walk(value, arena, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str   text = { (const char *) data, size }, back;
    dsp_json  v;
    dsp_arena arena;
    dsp_buf   b;

    dsp_arena_init(&arena, 1 << 20);
    dsp_buf_init(&b, 1 << 20);
    if (size < 4096 && dsp_json_parse(text, &v, NULL)) {
        walk(v, &arena, 0);
    }
    if (dsp_json_quote(&b, text)) {
        if (!dsp_json_parse(dsp_buf_str(&b), &v, NULL) || !dsp_json_string(v, &arena, &back)) {
            abort();
        }
        if (dsp_utf8_invalid_at(text) == size && !dsp_str_eq(back, text)) {
            abort();
        }
    }
    dsp_buf_free(&b);
    dsp_arena_free(&arena);
    return 0;
}
