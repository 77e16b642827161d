/*
 * metav1.Status: how the API server explains a refusal (apimachinery, pkg/apis/meta/v1/types.go).
 */
#ifndef DSP_MODEL_STATUS_H
#define DSP_MODEL_STATUS_H

#include "base/json.h"

typedef struct dsp_status {
    int64_t  code;          /* the HTTP status, 0: not said */
    dsp_str  reason;        /* "NotFound", "AlreadyExists", …; may be empty */
    dsp_str  message;       /* for a person; may be empty */
    dsp_str  kind;          /* details.kind: the resource, as "jobtemplates" */
    dsp_str  name;          /* details.name */
    int64_t  retry_after_s; /* details.retryAfterSeconds, 0: not said */
    dsp_json causes;        /* details.causes; none: there are none */
} dsp_status;

/* From a text that dsp_json_parse() accepted; strings point into it or the arena. false: this is no Status. */
bool dsp_status_read(dsp_json object, dsp_arena *arena, dsp_status *out);

bool dsp_status_has_cause(const dsp_status *status, const char *reason);

/* Whether it says that this object does not exist: reason NotFound about `name` of resource `kind` (any name: NULL). */
bool dsp_status_not_found(const dsp_status *status, const char *kind, const dsp_str *name);

/* A 403 of the authorizer, that is about our own credentials, and not one of admission or quota, which is about the object. */
bool dsp_status_unauthorized(const dsp_status *status);

/* The object is larger than the API server or etcd take; the server says that in several ways, one of them a 500. */
bool dsp_status_too_large(const dsp_status *status);

#endif
