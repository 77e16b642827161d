#include "api_answer.h"

#include "object.h"
#include "status.h"

/* Seconds that a client is told to wait where the server says nothing. */
#define BUSY_RETRY_AFTER_S 1

static void fail(dsp_api_answer *out, enum dsp_problem problem, const char *detail, const char *cause)
{
    out->verdict = DSP_API_FAILED;
    out->problem = problem;
    out->detail = dsp_str_from(detail);
    if (cause != NULL) {
        out->cause = dsp_str_from(cause);
    }
}

/* A refusal in the server's own words. */
static void refuse(dsp_api_answer *out, enum dsp_problem problem, const dsp_status *status)
{
    fail(out, problem, NULL, NULL);
    out->detail = status->message;
}

static void read_no_answer(enum dsp_api_call call, const dsp_api_reply *reply, dsp_api_answer *out)
{
    if (reply->timed_out) {
        fail(out, DSP_PROBLEM_API_TIMEOUT, "The Kubernetes API server did not answer in time.", "no answer in time");
    } else {
        fail(out, DSP_PROBLEM_API_UNREACHABLE, "The Kubernetes API server did not answer.", "no answer");
    }
    if (call == DSP_API_CREATE_EXECUTION && reply->sent) {
        out->verdict = reply->timed_out ? DSP_API_UNCLEAR : DSP_API_BROKEN;
    }
}

static void read_object(enum dsp_api_call call, dsp_str name, const dsp_api_reply *reply, dsp_json json, dsp_arena *arena,
                        dsp_api_answer *out)
{
    if (dsp_stored_object_read(json, arena, &out->object) && dsp_str_eq(out->object.name, name)) {
        out->verdict = DSP_API_DONE;
        return;
    }
    fail(out, DSP_PROBLEM_API_ANSWER, "The Kubernetes API server answered with something that is not the object.",
         reply->whole ? "the answer is not the object" : "the answer was cut off or is too long");
    if (call == DSP_API_CREATE_EXECUTION) {
        out->verdict = DSP_API_UNCLEAR;
    }
}

static void read_not_found(enum dsp_api_call call, dsp_str name, const dsp_status *status, dsp_api_answer *out)
{
    if (dsp_status_not_found(status, "namespaces", NULL)) {
        fail(out, DSP_PROBLEM_NAMESPACE_NOT_FOUND, NULL, NULL);
    } else if (call == DSP_API_GET_TEMPLATE && dsp_status_not_found(status, "jobtemplates", &name)) {
        fail(out, DSP_PROBLEM_TEMPLATE_NOT_FOUND, NULL, NULL);
    } else if (call == DSP_API_GET_EXECUTION && dsp_status_not_found(status, "jobexecutions", &name)) {
        out->verdict = DSP_API_ABSENT;
    } else {
        fail(out, DSP_PROBLEM_API_ANSWER, "The Kubernetes API server does not serve " DSP_API_VERSION ".",
             "it does not serve " DSP_API_VERSION ": are the CustomResourceDefinitions installed, and does the proxy_pass of the internal "
             "location lead to the API server's root?");
    }
}

static void read_conflict(enum dsp_api_call call, const dsp_status *status, dsp_api_answer *out)
{
    if (call == DSP_API_CREATE_EXECUTION && dsp_str_is(status->reason, "AlreadyExists")) {
        out->verdict = DSP_API_EXISTS;
        return;
    }
    fail(out, DSP_PROBLEM_API_BUSY, "The Kubernetes API server could not store the object because of a conflict.", NULL);
    out->retry_after_s = out->retry_after_s > 0 ? out->retry_after_s : BUSY_RETRY_AFTER_S;
}

static void read_forbidden(enum dsp_api_call call, const dsp_status *status, dsp_api_answer *out)
{
    if (call != DSP_API_CREATE_EXECUTION || status->message.len == 0 || dsp_status_unauthorized(status)) {
        fail(out, DSP_PROBLEM_API_CREDENTIALS, "The Kubernetes API server does not allow this server to do this.", NULL);
    } else {
        refuse(out, DSP_PROBLEM_FORBIDDEN, status);
    }
}

static void read_server_error(enum dsp_api_call call, int code, dsp_api_answer *out)
{
    if (code == 503) {
        fail(out, DSP_PROBLEM_API_BUSY, "The Kubernetes API server is not available.", NULL);
    } else if (code == 504) {
        fail(out, DSP_PROBLEM_API_TIMEOUT, "The Kubernetes API server ran into a timeout.", NULL);
    } else {
        fail(out, DSP_PROBLEM_API_ANSWER, "The Kubernetes API server reports an internal error.", NULL);
    }
    /* etcd may have committed what the server could not confirm. */
    if (call == DSP_API_CREATE_EXECUTION) {
        out->verdict = DSP_API_UNCLEAR;
    }
}

static void read_refusal(enum dsp_api_call call, dsp_str name, int code, const dsp_status *status, dsp_api_answer *out)
{
    bool create = call == DSP_API_CREATE_EXECUTION;

    if (code == 401) {
        fail(out, DSP_PROBLEM_API_CREDENTIALS, "The Kubernetes API server does not know this server.", NULL);
        out->verdict = DSP_API_UNAUTHENTICATED;
    } else if (create && (code == 413 || dsp_status_too_large(status))) {
        fail(out, DSP_PROBLEM_PAYLOAD_TOO_LARGE, "The execution is larger than the Kubernetes API server or etcd accept.", NULL);
    } else if (code == 404) {
        read_not_found(call, name, status, out);
    } else if (code == 409) {
        read_conflict(call, status, out);
    } else if (code == 403) {
        read_forbidden(call, status, out);
    } else if (code == 429) {
        fail(out, DSP_PROBLEM_TOO_MANY_REQUESTS, "The Kubernetes API server asks for fewer requests.", NULL);
    } else if (create && (code == 400 || code == 422) && status->message.len > 0) {
        refuse(out, DSP_PROBLEM_INVALID_EXECUTION, status);
    } else if (code >= 500) {
        read_server_error(call, code, out);
    } else {
        fail(out, DSP_PROBLEM_API_ANSWER, "The Kubernetes API server gave an answer that is not of its kind.", NULL);
        /* nginx takes an interim answer for the answer: the real one was to come. */
        if (create && code < 200) {
            out->verdict = DSP_API_UNCLEAR;
        }
    }
}

void dsp_api_answer_read(enum dsp_api_call call, dsp_str name, const dsp_api_reply *reply, dsp_arena *arena, dsp_api_answer *out)
{
    dsp_json   json = { NULL, 0 };
    dsp_status status = { 0 };

    *out = (dsp_api_answer){ .retry_after_s = reply->retry_after_s };

    if (reply->status == 0) {
        read_no_answer(call, reply, out);
        return;
    }
    if (!reply->whole || !dsp_json_parse(reply->body, &json, NULL)) {
        json = (dsp_json){ NULL, 0 };
    }
    if (reply->status >= 200 && reply->status < 300) {
        read_object(call, name, reply, json, arena, out);
        return;
    }
    if (!dsp_status_read(json, arena, &status)) {
        status = (dsp_status){ 0 };
    }
    out->cause = status.message.len > 0 ? status.message : DSP_STR("and gave no reason");
    if (out->retry_after_s < 0 && status.retry_after_s > 0) {
        out->retry_after_s = status.retry_after_s;
    }
    read_refusal(call, name, reply->status, &status, out);
}
