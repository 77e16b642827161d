/* JSON decoder and encoder: the input is the payload. What we encode, we must decode to the same. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ mustFromJson .Payload }}",
        "{{ $v := mustFromJson .Payload }}{{ $t := mustToJson $v }}"
        "{{ if not (deepEqual $v (mustFromJson $t)) }}{{ fail \"not the same\" }}{{ end }}"
        "{{ mustToPrettyJson $v }}{{ mustToRawJson $v }}{{ deepCopy $v }}",
        "{{ range $k, $v := fromJson .Payload }}{{ $k }}{{ kindOf $v }}{{ toJson $v }}{{ end }}",
    };
    dsp_str payload = { (const char *) data, size };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), DSP_STR(""), payload, 0);
    }
    return 0;
}
