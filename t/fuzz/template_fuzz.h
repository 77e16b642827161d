/*
 * What the fuzzers of the template room share: the input is rendered, as the template or as its payload, by a renderer
 * with small limits and a fixed clock. Nothing may crash, leak or hang; answers are not looked at.
 */
#ifndef DSP_T_FUZZ_TEMPLATE_FUZZ_H
#define DSP_T_FUZZ_TEMPLATE_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t fuzz_now(void *context)
{
    (void) context;
    return INT64_C(1600000000000000000);
}

static bool fuzz_random(void *context, void *out, size_t n)
{
    (void) context;
    memset(out, 7, n);
    return true;
}

static dsp_str fuzz_env(void *context, dsp_str name)
{
    (void) context;
    return name.len % 2 == 0 ? name : (dsp_str){ NULL, 0 };
}

static size_t fuzz_lookup(void *context, dsp_str host, char (*out)[46], size_t n)
{
    (void) context;
    if (n == 0 || host.len % 2 == 0) {
        return 0;
    }
    memcpy(out[0], "127.0.0.1", 10);
    return 1;
}

static dsp_renderer *fuzz_renderer(void)
{
    static dsp_renderer              *r;
    static const dsp_template_options options = {
        .limits = { .output_bytes = 64 * 1024, .arena_bytes = 4 << 20, .steps = 20000, .cost = 3, .call_depth = 50 },
        .host = { .now_ns = fuzz_now,
                  .random = fuzz_random,
                  .env = fuzz_env,
                  .lookup = fuzz_lookup,
                  .local_zone = "Europe/Vienna" },
        .policy = DSP_TEMPLATE_ALLOW_ENV | DSP_TEMPLATE_ALLOW_DNS,
    };

    if (r == NULL) {
        r = dsp_renderer_new(&options);
        if (r == NULL) {
            abort();
        }
    }
    return r;
}

/* Renders; the output or the error is touched byte for byte, so that the sanitizers see it. */
static void fuzz_render(dsp_str text, dsp_str name, dsp_str payload, unsigned flags)
{
    dsp_template_input in = {
        .text = text,
        .name = DSP_STR("string"),
        .data_name = name,
        .payload = payload,
        .flags = flags,
    };
    dsp_template_error error;
    dsp_buf            out;
    dsp_str            s;

    dsp_buf_init(&out, 128 * 1024);
    s = dsp_render(fuzz_renderer(), &in, &out, &error) ? dsp_buf_str(&out) : error.message;
    free(dsp_str_dup(s));
    dsp_buf_free(&out);
}

#endif
