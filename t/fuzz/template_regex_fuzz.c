/*
 * Regular expressions: "pattern NUL replacement NUL text". Every piece that is found must lie in the text, and
 * replacing each match by itself must give the text back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "template/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dsp_str piece(dsp_str *rest)
{
    size_t  end = dsp_str_find(*rest, '\0');
    dsp_str s = dsp_str_sub(*rest, 0, end);

    *rest = dsp_str_sub(*rest, end + 1, rest->len);
    return s;
}

static bool inside(void *arg, dsp_str s)
{
    const dsp_str *text = arg;

    if (s.len > 0 && (s.data < text->data || s.data + s.len > text->data + text->len)) {
        abort();
    }
    return true;
}

static bool step(void *arg, size_t bytes)
{
    size_t *left = arg;

    bytes += 100;
    *left = *left > bytes ? *left - bytes : 0;
    return *left > 0;
}

static void use(const gt_regex *re, dsp_str text, dsp_str repl)
{
    gt_regex_text t;
    dsp_arena     arena;
    dsp_buf       out;
    dsp_str       found;
    size_t        left = 1 << 20;

    dsp_arena_init(&arena, 16 << 20);
    dsp_buf_init(&out, 1 << 20);
    if (gt_regex_text_init(&arena, text, &t)) {
        t.step = step;
        t.arg = &left;
        gt_regex_find(re, &t, &found);
        inside(&text, found);
        gt_regex_find_all(re, &t, -1, inside, &text);
        gt_regex_split(re, &t, -1, inside, &text);
        gt_regex_replace_all(re, &t, repl, false, &out);
        dsp_buf_reset(&out);
        if (gt_regex_replace_all(re, &t, DSP_STR("${0}"), false, &out) != GT_REGEX_STOPPED &&
            !dsp_str_eq(dsp_buf_str(&out), text)) {
            abort();
        }
    }
    dsp_buf_free(&out);
    dsp_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str   rest = { (const char *) data, size < 4096 ? size : 4096 };
    dsp_str   pattern = piece(&rest), repl = piece(&rest);
    dsp_buf   error;
    gt_regex *re;

    dsp_buf_init(&error, 1 << 20);
    if (gt_regex_new(pattern, 1 << 20, &re, &error) == GT_REGEX_OK) {
        use(re, rest, repl);
    }
    gt_regex_free(re);
    gt_regex_quote_meta(&error, pattern);
    dsp_buf_free(&error);
    return 0;
}
