/*
 * The transport: HTTP requests to one API server over libcurl and libevent. One thread, callbacks from the event loop.
 *
 * HTTP/1.1, kept-alive connections. Two curl multis: one for streams (watches), one for the rest, because writes that
 * are multiplexed beside a watch make the server kill the watch. At most max_in_flight requests are on the wire; the
 * others wait in our own queue, by priority and then first in, first out. Urgent requests (lease renewals) neither wait
 * nor count. libcurl may re-send a POST by itself when a kept-alive connection died before the first byte of an answer,
 * so a create must be harmless when repeated: deterministic names.
 *
 * Credentials (auth.h) are attached here and nowhere else. A 401 makes them be fetched anew and the request is sent
 * once more; only the second 401 is an answer. Secrets are never in `error` texts.
 *
 * Callbacks never run inside the call that starts or cancels a request; they run from the event loop. A callback may
 * start and cancel anything, and free anything but the client.
 */
#ifndef DSP_KUBE_CLIENT_H
#define DSP_KUBE_CLIENT_H

#include <event2/event.h>

#include "base/buf.h"
#include "config.h"
#include "env.h"

typedef struct dsp_kube_client dsp_kube_client;
typedef struct dsp_kube_call   dsp_kube_call;
typedef struct dsp_kube_stream dsp_kube_stream;

enum dsp_kube_method { DSP_KUBE_GET = 0, DSP_KUBE_POST, DSP_KUBE_PUT, DSP_KUBE_PATCH, DSP_KUBE_DELETE };

const char *dsp_kube_method_name(enum dsp_kube_method method); /* "GET", … */

enum dsp_kube_priority {
    DSP_KUBE_URGENT = 0, /* past the queue and the cap: lease renewals */
    DSP_KUBE_NORMAL,     /* fresh work */
    DSP_KUBE_LOW,        /* old work, e.g. after a start */
    DSP_KUBE_IDLE        /* Events: only when nothing else waits */
};

/* What became of a request. */
enum dsp_kube_outcome {
    DSP_KUBE_ANSWERED = 0, /* a whole HTTP answer: look at status (5xx: the server may or may not have acted) */
    DSP_KUBE_NOT_SENT,     /* the server has surely not seen it: no connection, no credentials */
    DSP_KUBE_UNCLEAR       /* sent, at least in part, and no whole answer: it may have been carried out */
};

/* Everything is copied; {NULL, 0} where not needed. */
typedef struct dsp_kube_request {
    enum dsp_kube_method   method;
    enum dsp_kube_priority priority;
    dsp_str                path;         /* "/apis/batch/v1/namespaces/a/jobs", percent-encoded by the caller */
    dsp_str                query;        /* "a=b&c=d" without '?', percent-encoded: dsp_kube_query_add() */
    dsp_str                content_type; /* none: application/json when there is a body */
    dsp_str                accept;       /* none: application/json */
    dsp_str                body;
    int64_t                timeout_ms; /* from the moment it is sent; 0: the client's default (30 s) */
    size_t                 answer_max; /* cap on the answer's body; 0: 4 MiB */
} dsp_kube_request;

/* The bytes live until the callback returns. */
typedef struct dsp_kube_answer {
    enum dsp_kube_outcome outcome;
    int                   status; /* HTTP status; also when UNCLEAR but the head had come; 0: none */
    int64_t     retry_after_ms;   /* Retry-After or Status.details.retryAfterSeconds, an hour at most; -1: none */
    dsp_str     body;             /* ANSWERED only */
    const char *error;            /* one line for logs when not ANSWERED, else NULL */
    int64_t     waited_ms;        /* in the queue */
    int64_t     took_us;          /* on the wire */
} dsp_kube_answer;

typedef void (*dsp_kube_done)(void *arg, const dsp_kube_answer *answer);

/*
 * Fills the request when its turn has come, so that it says the newest (*out is all zero but for method's default GET
 * and the priority). Its bytes need to live only until this returns. false: not wanted any more; the call is over, done
 * is not called and the handle is invalid.
 */
typedef bool (*dsp_kube_prepare)(void *arg, dsp_kube_request *out);

typedef struct dsp_kube_client_options {
    const char *user_agent;    /* e.g. "dispatcher-controller/1.0.0"; must not begin with curl/, Wget/ or Mozilla/ */
    unsigned    max_in_flight; /* 0: 16 */
    double      qps; /* requests per second, with a burst of max(1, 2 · qps); 0: no limit. Not for urgent ones */
    int64_t     timeout_ms;         /* 0: 30 s */
    int64_t     connect_timeout_ms; /* 0: 10 s */
    /* Once per answer and per failed try, streams included when their head came. status 0: no answer. May be NULL. */
    void (*observe)(void *arg, enum dsp_kube_method method, int status, int64_t took_us);
    void               *observe_arg;
    const dsp_kube_env *env; /* NULL: the system's */
} dsp_kube_client_options;

/* config becomes the client's own, also on failure. NULL: the reason is in err. Call curl_global_init() first. */
dsp_kube_client *dsp_kube_client_new(struct event_base *base, dsp_kube_config *config,
                                     const dsp_kube_client_options *options, dsp_buf *err);

/* Ends everything without callbacks. Handles of calls and streams are invalid afterwards. */
void dsp_kube_client_free(dsp_kube_client *client);

/* SIGHUP: files are read again, exec plugins run again; new connections use the result. config: a newly loaded one that
 * takes the old one's place (the client's own from here on), or NULL. One that cannot be used is told in the log, and
 * the old one stays. */
void dsp_kube_client_reload(dsp_kube_client *client, dsp_kube_config *config);

/* The config that is in use. */
const dsp_kube_config *dsp_kube_client_config(const dsp_kube_client *client);
struct event_base     *dsp_kube_client_base(const dsp_kube_client *client);
const dsp_kube_env    *dsp_kube_client_env(const dsp_kube_client *client);

/*
 * Sends a request, or queues it. done is called exactly once, unless the call is cancelled. NULL: no memory, done will
 * not be called. The handle is valid until done has been called.
 */
dsp_kube_call *dsp_kube_client_send(dsp_kube_client *client, const dsp_kube_request *request, dsp_kube_done done,
                                    void *arg);

/* The same with a request that is made when its turn comes. Not for DSP_KUBE_URGENT. */
dsp_kube_call *dsp_kube_client_queue(dsp_kube_client *client, enum dsp_kube_priority priority, dsp_kube_prepare prepare,
                                     dsp_kube_done done, void *arg);

/* No callback comes any more. What is on the wire is cut off: whether it was carried out is unknown then. */
void dsp_kube_call_cancel(dsp_kube_call *call);

/* Whether it has left the queue. */
bool dsp_kube_call_sent(const dsp_kube_call *call);

typedef struct dsp_kube_client_stats {
    size_t   queued;    /* now */
    size_t   in_flight; /* now, urgent ones and streams not counted */
    size_t   streams;   /* now */
    uint64_t refreshed; /* credentials fetched because of a 401 */
} dsp_kube_client_stats;

dsp_kube_client_stats dsp_kube_client_stats_get(const dsp_kube_client *client);

/* Nothing queued and nothing on the wire, streams aside: for a clean end. */
bool dsp_kube_client_is_idle(const dsp_kube_client *client);

/* --- streams: answers that are read while they come (watches, long lists) --- */

typedef struct dsp_kube_stream_handler {
    /* The next bytes of a 200 answer. false ends the stream: end is called, as UNCLEAR. */
    bool (*data)(void *arg, dsp_str bytes);
    /* Exactly once unless closed. ANSWERED: a clean end; body is that of an answer other than 200 (up to 64 KiB). */
    void (*end)(void *arg, const dsp_kube_answer *answer);
} dsp_kube_stream_handler;

/*
 * A GET whose answer is a stream. request->timeout_ms: hard limit of the whole, 0: none. quiet_ms: so long without a
 * byte after the head ends it as UNCLEAR, 0: never. handler is borrowed for the stream's life. NULL: no memory.
 */
dsp_kube_stream *dsp_kube_client_stream(dsp_kube_client *client, const dsp_kube_request *request, int64_t quiet_ms,
                                        const dsp_kube_stream_handler *handler, void *arg);

/* Cuts it off; no callback comes any more. Not from inside its own data callback: give false there. */
void dsp_kube_stream_close(dsp_kube_stream *stream);

/* --- small help for callers --- */

/* Adds name=value to a query, percent-encoded, with a '&' when there is something already. */
bool dsp_kube_query_add(dsp_buf *query, const char *name, dsp_str value);

/* Adds one path segment with its slash, percent-encoded. */
bool dsp_kube_path_add(dsp_buf *path, dsp_str segment);

#endif
