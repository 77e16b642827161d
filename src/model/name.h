/*
 * Names as the API server checks them (RFC 1123; apimachinery, pkg/util/validation): what may stand in a path of the API.
 */
#ifndef DSP_MODEL_NAME_H
#define DSP_MODEL_NAME_H

#include "base/buf.h"

#define DSP_LABEL_MAX     63  /* a DNS label: a namespace, a Job that becomes a label's value */
#define DSP_SUBDOMAIN_MAX 253 /* a DNS subdomain: a JobTemplate, a JobExecution */

/*
 * Whether name is a DNS label ([a-z0-9]([-a-z0-9]*[a-z0-9])?, 63 bytes) or a DNS subdomain (labels joined by dots, 253 bytes; a label
 * of it may be longer than 63, as for Kubernetes). When it is not and why is not NULL, adds the reason as the end of a sentence that
 * began with the name: "must not be empty", "has 'A' at position 3, …".
 */
bool dsp_name_is_label(dsp_str name, dsp_buf *why);
bool dsp_name_is_subdomain(dsp_str name, dsp_buf *why);

#endif
