/*
 * The functions of times, versions, URLs and regular expressions as templates call them: the first line is .Name, the
 * rest .Payload.
 */
#include "template_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "{{ mustToDate .Name .Payload }}",
        "{{ toDate .Name .Payload | date .Payload }}",
        "{{ date .Name 1600000000 }}{{ dateInZone .Payload 1600000000 .Name }}{{ htmlDateInZone 0 .Payload }}",
        "{{ mustDateModify .Payload (toDate \"2006\" \"2020\") }}",
        "{{ duration .Payload }}{{ durationRound .Payload }}{{ toDate .Name .Payload | toJson }}",
        "{{ $t := toDate .Name .Payload }}{{ $t.AddDate 1 -1 400 }}{{ $t.Truncate 3600000000000 }}{{ printf \"%#v %d\" "
        "$t $t.Month }}{{ unixEpoch $t }}",
        "{{ semver .Payload }}",
        "{{ semverCompare .Name .Payload }}",
        "{{ $v := semver .Payload }}{{ $v.Major }}{{ $v.IncPatch }}{{ $v.Compare (semver .Name) }}{{ printf \"%d %#v\" "
        "$v $v }}",
        "{{ urlParse .Payload | toJson }}",
        "{{ urlJoin (urlParse .Payload) }}",
        "{{ urlJoin (dict \"scheme\" .Payload \"host\" \"h\" \"path\" .Payload) }}{{ urlJoin (dict \"host\" .Payload "
        "\"query\" .Payload \"fragment\" .Payload) }}",
        "{{ base .Payload }}{{ dir .Payload }}{{ clean .Payload }}{{ ext .Payload }}{{ isAbs .Payload }}",
        "{{ urlquery .Payload }}",
        "{{ mustRegexMatch .Name .Payload }}",
        "{{ regexFindAll .Name .Payload -1 }}{{ regexSplit .Name .Payload -1 }}",
        "{{ regexReplaceAll .Name .Payload \"<${1}$2$$>\" }}{{ regexReplaceAllLiteral .Name .Payload \"$1\" }}",
        "{{ regexReplaceAll \"(a)(b)?\" \"xabay\" .Payload }}{{ regexQuoteMeta .Payload }}{{ mustRegexFind "
        "(regexQuoteMeta .Payload) .Payload }}",
    };
    dsp_str whole = { (const char *) data, size };
    size_t  cut = dsp_str_find(whole, '\n');

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fuzz_render(dsp_str_from(texts[i]), dsp_str_sub(whole, 0, cut), dsp_str_sub(whole, cut + 1, size), 0);
    }
    return 0;
}
