/* Lexer, parser, executor and every function: the input is a template, and behind a NUL byte its payload. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str whole = { (const char *) data, size };
    size_t  cut = dsp_str_find(whole, '\0');

    fuzz_render(dsp_str_sub(whole, 0, cut), DSP_STR("job-1"), dsp_str_sub(whole, cut + 1, size), size % 2);
    return 0;
}
