#include "outcome.h"

#include <string.h>

#include "model/status.h"
#include "reconcile.h"

static bool contains(dsp_str text, const char *what)
{
    return text.len > 0 && memmem(text.data, text.len, what, strlen(what)) != NULL;
}

/* Admission says no with any code that its author likes; it may say yes later. */
static bool by_admission(dsp_str message)
{
    return contains(message, "admission webhook") || contains(message, "ValidatingAdmissionPolicy");
}

static void refuse(dsp_outcome *out, enum dsp_outcome_kind kind, dsp_str reason)
{
    out->kind = kind;
    out->reason = reason;
}

/* `status` is empty where the answer was none. */
static void judge_refusal(enum dsp_call_kind kind, int code, const dsp_status *status, bool said, dsp_outcome *out)
{
    if (by_admission(out->message)) {
        out->quotes = true;
        refuse(out, DSP_OUT_REFUSED, DSP_STR(DSP_REASON_JOB_REFUSED));
        return;
    }
    switch (code) {
    case 404:
        out->kind = dsp_str_is(status->reason, "NotFound") ? DSP_OUT_NOT_FOUND : DSP_OUT_LATER;
        if (kind == DSP_CALL_CREATE && out->kind == DSP_OUT_NOT_FOUND) {
            refuse(out, DSP_OUT_REFUSED, DSP_STR(DSP_REASON_JOB_REFUSED)); /* no such namespace */
        }
        return;
    case 409:
        out->kind = DSP_OUT_CONFLICT;
        if (kind == DSP_CALL_CREATE) {
            out->kind = dsp_str_is(status->reason, "AlreadyExists") ? DSP_OUT_EXISTS : DSP_OUT_LATER;
        }
        return;
    case 403:
        refuse(out, DSP_OUT_REFUSED,
               dsp_status_has_cause(status, "NamespaceTerminating") ? DSP_STR(DSP_REASON_NAMESPACE_TERMINATING)
                                                                    : DSP_STR(DSP_REASON_JOB_REFUSED));
        return;
    case 400:
    case 413:
    case 422:
        out->quotes = true; /* "Invalid value: …" */
        /* Without a Status it is not the API server that speaks. */
        refuse(out, said || code == 413 ? DSP_OUT_INVALID : DSP_OUT_LATER,
               DSP_STR(DSP_REASON_INVALID_JOB));
        return;
    default:
        out->kind = DSP_OUT_LATER; /* 401, 405, 408, 415, 429, …: said before anything was done */
    }
}

void dsp_outcome_judge(enum dsp_call_kind kind, const dsp_answer *a, dsp_arena *arena, dsp_outcome *out)
{
    dsp_json   object = { NULL, 0 };
    dsp_status status;

    *out = (dsp_outcome){ .kind = DSP_OUT_UNCLEAR };
    if (a->status == 0) {
        out->kind = a->not_sent ? DSP_OUT_LATER : DSP_OUT_UNCLEAR;
        out->message = dsp_str_from(a->error != NULL ? a->error : "no answer");
        return;
    }
    if (!dsp_json_parse(a->body, &object, NULL) || dsp_json_kind(object) != DSP_JSON_OBJECT) {
        object = (dsp_json){ NULL, 0 };
    }
    if (a->status >= 200 && a->status < 300) {
        out->object = object;
        if (object.data != NULL || kind == DSP_CALL_DELETE) {
            out->kind = DSP_OUT_DONE;
        }
        return;
    }
    bool said = dsp_status_read(object, arena, &status);

    out->message = status.message;
    if (a->status >= 500) {
        /* A webhook that does not answer (failurePolicy Fail) is asked before anything is stored. */
        if (kind == DSP_CALL_CREATE && contains(out->message, "failed calling webhook")) {
            refuse(out, DSP_OUT_REFUSED, DSP_STR(DSP_REASON_JOB_REFUSED));
        }
        /* etcd's limit on an object's size comes as a 500. */
        if (kind == DSP_CALL_CREATE && dsp_status_too_large(&status)) {
            refuse(out, DSP_OUT_INVALID, DSP_STR(DSP_REASON_INVALID_JOB));
        }
        return;
    }
    judge_refusal(kind, a->status, &status, said, out);
}
