/* fmt: the input is the format. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ printf .Payload }}",
        "{{ printf .Payload 42 -1.5e300 \"text\" true }}",
        "{{ printf .Payload nil . (list 1 \"a\" nil 2.5 (list)) (dict \"k\" (dict) \"l\" 1+2i) }}",
        "{{ printf .Payload (semver \"1.2.3\") (toDate \"2006\" \"2021\") ((toDate \"2006\" \"2021\").Sub (toDate \"2006\" \"2020\")) 'x' }}",
        "{{ printf \"%q %+q %#q %x % X %.3s %5s|%-5s\" .Payload .Payload .Payload .Payload .Payload .Payload .Payload .Payload }}",
        "{{ .Payload | quote | squote }}{{ js .Payload }}{{ html .Payload }}{{ urlquery .Payload }}",
    };
    dsp_str payload = { (const char *) data, size };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), DSP_STR(""), payload, 0);
    }
    return 0;
}
