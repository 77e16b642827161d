/*
 * What an answer of the API server means for an action: pure, so that every kind of answer is a row of a test.
 */
#ifndef DSP_CONTROLLER_OUTCOME_H
#define DSP_CONTROLLER_OUTCOME_H

#include "base/json.h"

/* An answer, or the lack of one. */
typedef struct dsp_answer {
    int         status;         /* HTTP; 0: none came, or not whole */
    dsp_str     body;           /* valid while the callback runs */
    int64_t     retry_after_ms; /* of the header or the Status, -1: none */
    const char *error;          /* why there is no answer; NULL otherwise */
    bool        not_sent;       /* the server has surely not seen the request */
} dsp_answer;

enum dsp_outcome_kind {
    DSP_OUT_DONE = 0,  /* the body is the object */
    DSP_OUT_EXISTS,    /* create: AlreadyExists, so read it */
    DSP_OUT_UNCLEAR,   /* it may have happened */
    DSP_OUT_NOT_FOUND, /* a Status of the API server says that the object does not exist */
    DSP_OUT_CONFLICT,  /* written by somebody else meanwhile, or a precondition does not hold */
    DSP_OUT_LATER,     /* it has not happened: try again, nobody needs to know */
    DSP_OUT_REFUSED,   /* it has not happened, and the reason is for people: try again with backoff */
    DSP_OUT_INVALID    /* it cannot happen: trying again is no use */
};

typedef struct dsp_outcome {
    enum dsp_outcome_kind kind;
    dsp_json              object; /* DSP_OUT_DONE: the body, parsed; none where the server sent none that can be read */
    dsp_str               reason; /* DSP_OUT_REFUSED and DSP_OUT_INVALID: for the condition, static */
    dsp_str               message; /* the server's, in the arena */
    bool                  quotes;  /* the message may quote the object, payload and all: it is not for the log */
} dsp_outcome;

enum dsp_call_kind { DSP_CALL_CREATE, DSP_CALL_READ, DSP_CALL_PATCH, DSP_CALL_DELETE };

/*
 * Judges. A 404 counts as NOT_FOUND only with a Status of reason NotFound: a proxy's own error page must not look like
 * a deleted object. A 2xx to a create or patch whose body is no object is UNCLEAR: it was stored, but as what?
 */
void dsp_outcome_judge(enum dsp_call_kind kind, const dsp_answer *answer, dsp_arena *arena, dsp_outcome *out);

#endif
