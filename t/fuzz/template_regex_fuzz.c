/* Regular expressions: the first line is the expression, the rest the text. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ mustRegexMatch .Name .Payload }}",
        "{{ regexFindAll .Name .Payload -1 }}{{ regexSplit .Name .Payload -1 }}",
        "{{ regexReplaceAll .Name .Payload \"<${1}$2$$>\" }}{{ regexReplaceAllLiteral .Name .Payload \"$1\" }}",
        "{{ regexReplaceAll \"(a)(b)?\" \"xabay\" .Payload }}{{ regexQuoteMeta .Payload }}{{ mustRegexFind (regexQuoteMeta .Payload) .Payload }}",
    };
    dsp_str whole = { (const char *) data, size };
    size_t  cut = dsp_str_find(whole, '\n');

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), dsp_str_sub(whole, 0, cut), dsp_str_sub(whole, cut + 1, size), 0);
    }
    return 0;
}
