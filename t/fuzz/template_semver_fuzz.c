/* Versions and constraints: the first line is a constraint, the rest a version. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ semver .Payload }}",
        "{{ semverCompare .Name .Payload }}",
        "{{ $v := semver .Payload }}{{ $v.Major }}{{ $v.IncPatch }}{{ $v.Compare (semver .Name) }}{{ printf \"%d %#v\" $v $v }}",
    };
    dsp_str whole = { (const char *) data, size };
    size_t  cut = dsp_str_find(whole, '\n');

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), dsp_str_sub(whole, 0, cut), dsp_str_sub(whole, cut + 1, size), 0);
    }
    return 0;
}
