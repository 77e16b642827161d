#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "status.h"

#include <string.h>

#include "object.h"

bool dsp_status_read(dsp_json object, dsp_arena *arena, dsp_status *out)
{
    dsp_json details = dsp_json_get(object, "details");

    *out = (dsp_status){ 0 };
    if (!dsp_json_equals(dsp_json_get(object, "kind"), DSP_STR("Status"))) {
        return false;
    }
    out->code = dsp_object_int(object, "code", 0);
    out->reason = dsp_object_string(object, "reason", arena);
    out->message = dsp_object_string(object, "message", arena);
    out->kind = dsp_object_string(details, "kind", arena);
    out->name = dsp_object_string(details, "name", arena);
    out->retry_after_s = dsp_object_int(details, "retryAfterSeconds", 0);
    out->causes = dsp_json_get(details, "causes");
    return true;
}

bool dsp_status_has_cause(const dsp_status *status, const char *reason)
{
    dsp_json_iter it = dsp_json_iterate(status->causes);
    dsp_json      cause;

    while (dsp_json_next(&it, NULL, &cause)) {
        if (dsp_json_equals(dsp_json_get(cause, "reason"), dsp_str_from(reason))) {
            return true;
        }
    }
    return false;
}

bool dsp_status_not_found(const dsp_status *status, const char *kind, const dsp_str *name)
{
    return dsp_str_is(status->reason, "NotFound") && dsp_str_is(status->kind, kind)
           && (name == NULL || dsp_str_eq(status->name, *name));
}

static bool says(const dsp_status *status, const char *text)
{
    return status->message.len > 0 && memmem(status->message.data, status->message.len, text, strlen(text)) != NULL;
}

bool dsp_status_unauthorized(const dsp_status *status)
{
    /* apiserver, pkg/endpoints/handlers/responsewriters/errors.go: ForbiddenStatusError of the authorizer. */
    return dsp_str_is(status->reason, "Forbidden") && says(status, ": User \"") && says(status, "\" cannot ");
}

bool dsp_status_too_large(const dsp_status *status)
{
    return status->code == 413 || dsp_str_is(status->reason, "RequestEntityTooLarge") || says(status, "request is too large")
           || says(status, "Request entity too large") || says(status, "trying to send message larger than max")
           || says(status, "spec.payload: Too long:"); /* the maxLength of our CustomResourceDefinition */
}
