/*
 * Errors as RFC 9457 problem documents. `type` is the stable part: clients may compare it, so a row is never renamed or given
 * another meaning (docs/http-api.md describes each one; t/docs_http_api.t holds the two together).
 */
#ifndef DSP_MODEL_PROBLEM_H
#define DSP_MODEL_PROBLEM_H

#include "base/buf.h"

#define DSP_PROBLEM_CONTENT_TYPE "application/problem+json"

/* The types are tag URIs (RFC 4151) of the API group: identifiers, nothing to fetch. */
#define DSP_PROBLEM_TYPE_PREFIX "tag:dispatcher.ivan.vc,2026:"

enum dsp_problem {
    DSP_PROBLEM_INVALID_PATH = 0,
    DSP_PROBLEM_INVALID_NAME,
    DSP_PROBLEM_INVALID_PAYLOAD,
    DSP_PROBLEM_NAMESPACE_NOT_SERVED,
    DSP_PROBLEM_TEMPLATE_NOT_FOUND,
    DSP_PROBLEM_NAMESPACE_NOT_FOUND,
    DSP_PROBLEM_METHOD_NOT_ALLOWED,
    DSP_PROBLEM_PAYLOAD_TOO_LARGE,
    DSP_PROBLEM_FORBIDDEN,
    DSP_PROBLEM_INVALID_EXECUTION,
    DSP_PROBLEM_TOO_MANY_REQUESTS,
    DSP_PROBLEM_MISCONFIGURED,
    DSP_PROBLEM_API_UNREACHABLE,
    DSP_PROBLEM_API_ANSWER,
    DSP_PROBLEM_API_CREDENTIALS,
    DSP_PROBLEM_API_BUSY,
    DSP_PROBLEM_API_TIMEOUT,
    DSP_PROBLEM_OUTCOME_UNKNOWN,
    DSP_PROBLEM_OTHER, /* "about:blank": nothing more than the status, for errors of nginx's own modules */
    DSP_PROBLEMS
};

typedef struct dsp_problem_kind {
    const char *type;  /* behind the prefix; "" for DSP_PROBLEM_OTHER */
    int         status; /* the usual one; 0 for DSP_PROBLEM_OTHER */
    const char *title;
} dsp_problem_kind;

const dsp_problem_kind *dsp_problem_kind_of(enum dsp_problem problem);

/* RFC 9110's phrase of a status, or "Error". */
const char *dsp_problem_phrase(int status);

typedef struct dsp_problem_document {
    enum dsp_problem problem;
    int              status;     /* 0: the kind's */
    dsp_str          detail;     /* what is wrong and where, for a person; empty: left out */
    dsp_str          instance;   /* the path that was asked for; empty: left out */
    dsp_str          request_id; /* extension member `requestId`, to find the request in the logs; empty: left out */
    dsp_str          execution;  /* extension member `execution`: the name that may have been stored; empty: left out */
} dsp_problem_document;

/* Adds the document; invalid UTF-8 in its strings becomes U+FFFD. */
void dsp_problem_write(dsp_buf *out, const dsp_problem_document *document);

#endif
