/*
 * What an answer of the API server means for an HTTP request that wants a JobExecution. Pure; the nginx room carries it out.
 *
 * A failure is given as a problem for the client and, apart from it, a cause for the error log: what the server says about us
 * (credentials, its own faults) is for the operator only.
 */
#ifndef DSP_MODEL_API_ANSWER_H
#define DSP_MODEL_API_ANSWER_H

#include "execution_request.h"
#include "problem.h"

enum dsp_api_call { DSP_API_GET_TEMPLATE = 0, DSP_API_CREATE_EXECUTION, DSP_API_GET_EXECUTION };

typedef struct dsp_api_reply {
    int     status;        /* 0: no answer came */
    bool    timed_out;     /* …in time */
    bool    sent;          /* something of the request may have reached the server */
    bool    whole;         /* the body came to its end and was not too long */
    dsp_str body;
    int64_t retry_after_s; /* of the header; -1: none */
} dsp_api_reply;

enum dsp_api_verdict {
    DSP_API_DONE = 0,        /* the object exists: `object` */
    DSP_API_ABSENT,          /* DSP_API_GET_EXECUTION: there is none */
    DSP_API_EXISTS,          /* DSP_API_CREATE_EXECUTION: one of this name is there */
    DSP_API_UNAUTHENTICATED, /* worth repeating with a newer token; else `problem` */
    DSP_API_BROKEN,          /* DSP_API_CREATE_EXECUTION: sent, no answer: may be stored, may be repeated; `problem` if it is not stored */
    DSP_API_UNCLEAR,         /* DSP_API_CREATE_EXECUTION: may be stored; `problem` if it is not */
    DSP_API_FAILED           /* `problem` */
};

typedef struct dsp_api_answer {
    enum dsp_api_verdict verdict;
    dsp_stored_object    object;
    enum dsp_problem     problem;
    dsp_str              detail;        /* for the client: the server's own words, or a static text */
    dsp_str              cause;         /* for the log: the server's message or a static text */
    int64_t              retry_after_s; /* -1: none */
} dsp_api_answer;

/* name: of the object that was asked for or sent. Strings point into the reply's body, the arena or static memory. */
void dsp_api_answer_read(enum dsp_api_call call, dsp_str name, const dsp_api_reply *reply, dsp_arena *arena, dsp_api_answer *out);

#endif
