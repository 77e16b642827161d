/* Time layouts, zones and durations: the first line is the layout or zone, the rest the time or duration. */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ mustToDate .Name .Payload }}",
        "{{ toDate .Name .Payload | date .Payload }}",
        "{{ date .Name 1600000000 }}{{ dateInZone .Payload 1600000000 .Name }}{{ htmlDateInZone 0 .Payload }}",
        "{{ mustDateModify .Payload (toDate \"2006\" \"2020\") }}",
        "{{ duration .Payload }}{{ durationRound .Payload }}{{ toDate .Name .Payload | toJson }}",
        "{{ $t := toDate .Name .Payload }}{{ $t.AddDate 1 -1 400 }}{{ $t.Truncate 3600000000000 }}{{ printf \"%#v %d\" $t $t.Month }}{{ unixEpoch $t }}",
    };
    dsp_str whole = { (const char *) data, size };
    size_t  cut = dsp_str_find(whole, '\n');

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), dsp_str_sub(whole, 0, cut), dsp_str_sub(whole, cut + 1, size), 0);
    }
    return 0;
}
