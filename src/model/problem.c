#include "problem.h"

#include "base/json.h"

static const dsp_problem_kind kinds[DSP_PROBLEMS] = {
    [DSP_PROBLEM_INVALID_PATH] = { "invalid-path", 400, "The path is not [namespace/]template" },
    [DSP_PROBLEM_INVALID_NAME] = { "invalid-name", 400, "The path holds a name that Kubernetes does not allow" },
    [DSP_PROBLEM_INVALID_PAYLOAD] = { "invalid-payload", 400, "The payload is not text" },
    [DSP_PROBLEM_NAMESPACE_NOT_SERVED] = { "namespace-not-served", 403, "This namespace is not served here" },
    [DSP_PROBLEM_TEMPLATE_NOT_FOUND] = { "template-not-found", 404, "There is no such JobTemplate" },
    [DSP_PROBLEM_NAMESPACE_NOT_FOUND] = { "namespace-not-found", 404, "There is no such namespace" },
    [DSP_PROBLEM_METHOD_NOT_ALLOWED] = { "method-not-allowed", 405, "A template is executed with PUT or POST" },
    [DSP_PROBLEM_PAYLOAD_TOO_LARGE] = { "payload-too-large", 413, "The payload is too large" },
    [DSP_PROBLEM_FORBIDDEN] = { "forbidden", 403, "The cluster does not allow this execution" },
    [DSP_PROBLEM_INVALID_EXECUTION] = { "invalid-execution", 422, "The cluster refuses this execution as invalid" },
    [DSP_PROBLEM_TOO_MANY_REQUESTS] = { "too-many-requests", 429, "The cluster asks for fewer requests" },
    [DSP_PROBLEM_MISCONFIGURED] = { "misconfigured", 500, "The server is not set up correctly" },
    [DSP_PROBLEM_API_UNREACHABLE] = { "api-unreachable", 502, "The cluster cannot be reached" },
    [DSP_PROBLEM_API_ANSWER] = { "api-answer", 502, "The cluster gave an answer that makes no sense" },
    [DSP_PROBLEM_API_CREDENTIALS] = { "api-credentials", 502, "The cluster does not accept this server's credentials" },
    [DSP_PROBLEM_API_BUSY] = { "api-busy", 503, "The cluster cannot serve the request now" },
    [DSP_PROBLEM_API_TIMEOUT] = { "api-timeout", 504, "The cluster did not answer in time" },
    [DSP_PROBLEM_OUTCOME_UNKNOWN] = { "outcome-unknown", 502, "It is not known whether the execution was stored" },
    [DSP_PROBLEM_OTHER] = { "", 0, "" },
};

const dsp_problem_kind *dsp_problem_kind_of(enum dsp_problem problem)
{
    return &kinds[problem];
}

const char *dsp_problem_phrase(int status)
{
    static const struct {
        int         status;
        const char *phrase;
    } phrases[] = {
        { 400, "Bad Request" },       { 401, "Unauthorized" },          { 403, "Forbidden" },
        { 404, "Not Found" },         { 405, "Method Not Allowed" },    { 408, "Request Timeout" },
        { 409, "Conflict" },          { 410, "Gone" },                  { 411, "Length Required" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" },          { 415, "Unsupported Media Type" },
        { 421, "Misdirected Request" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" }, { 501, "Not Implemented" },   { 502, "Bad Gateway" },
        { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },     { 507, "Insufficient Storage" },
    };

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "Error";
}

static void add_member(dsp_buf *out, const char *name, dsp_str text)
{
    if (text.len > 0) {
        dsp_buf_addf(out, ",\"%s\":", name);
        dsp_json_quote(out, text);
    }
}

void dsp_problem_write(dsp_buf *out, const dsp_problem_document *document)
{
    const dsp_problem_kind *kind = &kinds[document->problem];
    int                     status = document->status != 0 ? document->status : kind->status;
    bool                    other = kind->type[0] == '\0';

    dsp_buf_addf(out, "{\"type\":\"%s%s\",\"title\":", other ? "about:blank" : DSP_PROBLEM_TYPE_PREFIX, kind->type);
    dsp_json_quote(out, dsp_str_from(other ? dsp_problem_phrase(status) : kind->title));
    dsp_buf_addf(out, ",\"status\":%d", status);
    add_member(out, "detail", document->detail);
    add_member(out, "instance", document->instance);
    add_member(out, "requestId", document->request_id);
    add_member(out, "execution", document->execution);
    dsp_buf_addz(out, "}\n");
}
