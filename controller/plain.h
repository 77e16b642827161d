/*
 * What a plain scalar of YAML 1.1, one without quotes, means to kubectl (go-yaml v2, as sigs.k8s.io/yaml uses it).
 */
#ifndef DSP_CONTROLLER_PLAIN_H
#define DSP_CONTROLLER_PLAIN_H

#include "base/buf.h"
#include "base/json.h"

bool dsp_plain_is_null(dsp_str s);

/* yes, off, True, …; *value says which. */
bool dsp_plain_is_bool(dsp_str s, bool *value);

/* A number, added as JSON: as it stands where JSON writes it the same way; 0x1F, 0o17, 017, 1_000 and .5 are computed.
 * false: it is none, and nothing was added. */
bool dsp_plain_number(dsp_str s, dsp_buf *out);

/* Whether every reader takes it for a string, those too that know more numbers and times than kubectl. */
bool dsp_plain_is_string(dsp_str s);

#endif
