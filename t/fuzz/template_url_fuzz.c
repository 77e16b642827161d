/* URLs and paths. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ urlParse .Payload | toJson }}",
        "{{ urlJoin (urlParse .Payload) }}",
        "{{ urlJoin (dict \"scheme\" .Payload \"host\" \"h\" \"path\" .Payload) }}{{ urlJoin (dict \"host\" .Payload \"query\" .Payload \"fragment\" .Payload) }}",
        "{{ base .Payload }}{{ dir .Payload }}{{ clean .Payload }}{{ ext .Payload }}{{ isAbs .Payload }}",
        "{{ urlquery .Payload }}",
    };
    dsp_str payload = { (const char *) data, size };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), DSP_STR(""), payload, 0);
    }
    return 0;
}
