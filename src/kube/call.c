#include <stdlib.h>
#include <string.h>

#include "client_impl.h"

#define ANSWER_MAX (4u * 1024 * 1024)

/* Events may take this share of the wire, so that fresh work finds room at once. */
#define IDLE_SHARE 4

/*
 * States of a call:
 *     QUEUED    in client->queue[priority]
 *     RUNNING   on the wire, in client->running
 *     (freed)   done was called, or it was cancelled
 * A 401 takes it from RUNNING back to the head of its queue, once.
 */
struct dsp_kube_call {
    TAILQ_ENTRY(dsp_kube_call) link;
    dsp_kube_client       *client;
    kube_transfer          transfer;
    enum dsp_kube_priority priority;
    dsp_kube_prepare       prepare; /* NULL: request is filled */
    dsp_kube_done          done;
    void                  *arg;
    kube_request           request;
    dsp_buf                body;
    char                   errors[CURL_ERROR_SIZE];
    int64_t                queued_at;
    int64_t                waited_ms;
    unsigned               headers_generation; /* that it was sent with */
    unsigned               tls_generation;
    bool                   running;
    bool                   again; /* after a 401 */
};

/* --- a call's life --- */

static bool counts(const dsp_kube_call *call)
{
    return call->priority != DSP_KUBE_URGENT;
}

static void call_unlink(dsp_kube_call *call)
{
    dsp_kube_client *c = call->client;

    if (!call->running) {
        TAILQ_REMOVE(&c->queue[call->priority], call, link);
        c->queued--;
        return;
    }
    TAILQ_REMOVE(&c->running, call, link);
    kube_multi_remove(c->calls, &call->transfer);
    kube_client_easy_put(c, call->transfer.easy);
    call->transfer.easy = NULL;
    call->running = false;
    c->in_flight -= counts(call);
    c->idle_in_flight -= call->priority == DSP_KUBE_IDLE;
    c->urgent_in_flight -= !counts(call);
    if (counts(call) && c->in_flight == 0) {
        kube_client_rest(c);
    }
}

static void call_free(dsp_kube_call *call)
{
    kube_request_free(&call->request);
    dsp_buf_free(&call->body);
    free(call);
}

static void call_end(dsp_kube_call *call, dsp_kube_answer *answer)
{
    dsp_kube_client *c = call->client;

    answer->waited_ms = call->waited_ms;
    kube_client_observe(c, call->request.what.method, answer->outcome == DSP_KUBE_ANSWERED ? answer->status : 0,
                        answer->took_us);
    call->done(call->arg, answer);
    call_free(call);
    if (c->queued > 0) {
        kube_client_wake(c);
    }
}

static void call_fail(dsp_kube_call *call, const char *error)
{
    dsp_kube_answer answer = { .outcome = DSP_KUBE_NOT_SENT, .retry_after_ms = -1, .error = error };

    call_unlink(call);
    call_end(call, &answer);
}

static void call_enqueue(dsp_kube_call *call, bool first)
{
    dsp_kube_client *c = call->client;

    if (first) {
        TAILQ_INSERT_HEAD(&c->queue[call->priority], call, link);
    } else {
        TAILQ_INSERT_TAIL(&c->queue[call->priority], call, link);
    }
    c->queued++;
    kube_client_wake(c);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    dsp_kube_call *call = arg;

    return dsp_buf_add(&call->body, data, size * n) ? size * n : 0;
}

/* A 401 to credentials that can be had anew: the server has not acted, so the same request goes out once more. */
static bool retry_unauthorized(dsp_kube_call *call, long status)
{
    dsp_kube_client *c = call->client;

    if (status != 401 || call->again ||
        !dsp_kube_auth_refused(c->auth, call->headers_generation, call->tls_generation)) {
        return false;
    }
    c->refreshed++;
    call->again = true;
    call_unlink(call);
    call->prepare = NULL;
    dsp_buf_reset(&call->body);
    call_enqueue(call, true);
    return true;
}

static void on_done(kube_transfer *t, CURLcode result)
{
    dsp_kube_call  *call = (dsp_kube_call *) (void *) ((char *) t - offsetof(dsp_kube_call, transfer));
    dsp_kube_answer answer = { 0 };

    kube_answer_fill(&answer, t->easy, result, call->errors, dsp_buf_str(&call->body));
    if (answer.outcome == DSP_KUBE_ANSWERED && retry_unauthorized(call, answer.status)) {
        kube_client_observe(call->client, call->request.what.method, answer.status, answer.took_us);
        return;
    }
    if (call->body.failed) {
        answer.error = "the answer is too long";
    }
    call_unlink(call);
    call_end(call, &answer);
}

/* QUEUED → RUNNING. What fails here has surely not been sent. */
static void call_start(dsp_kube_call *call, const dsp_kube_credentials *credentials)
{
    dsp_kube_client *c = call->client;
    CURL            *easy = kube_client_easy_get(c);

    if (easy == NULL || !kube_target_apply(&c->target, easy, &call->request, credentials)) {
        kube_client_easy_put(c, easy);
        call_fail(call, "out of memory");
        return;
    }
    call->body.max = call->request.what.answer_max > 0 ? call->request.what.answer_max : ANSWER_MAX;
    call->errors[0] = '\0';
    call->headers_generation = credentials->headers_generation;
    call->tls_generation = credentials->tls_generation;
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->errors);
    call->transfer = (kube_transfer){ .easy = easy, .done = on_done };
    if (!call->again) {
        call->waited_ms = kube_client_now(c) - call->queued_at;
    }
    TAILQ_REMOVE(&c->queue[call->priority], call, link);
    c->queued--;
    TAILQ_INSERT_TAIL(&c->running, call, link);
    call->running = true;
    c->in_flight += counts(call);
    c->peak = c->in_flight > c->peak ? c->in_flight : c->peak;
    c->idle_in_flight += call->priority == DSP_KUBE_IDLE;
    c->urgent_in_flight += !counts(call);
    if (!kube_multi_add(c->calls, &call->transfer)) {
        call_fail(call, "libcurl refused the request");
    }
}

/* --- the queue --- */

/* Whether the bucket has a token for one more request; if not, the pump comes again when it has. */
static bool token_take(dsp_kube_client *c)
{
    double  qps = c->options.qps, burst = qps * 2 > 1 ? qps * 2 : 1;
    int64_t now = kube_client_now(c);

    if (qps <= 0) {
        return true;
    }
    c->tokens += (double) (now - c->tokens_at) * qps / 1000;
    c->tokens = c->tokens > burst ? burst : c->tokens;
    c->tokens_at = now;
    if (c->tokens < 1) {
        int64_t        ms = (int64_t) ((1 - c->tokens) * 1000 / qps) + 1;
        struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

        event_add(c->pump, &tv);
        return false;
    }
    c->tokens -= 1;
    return true;
}

/* The next call that may go out now; NULL: none. */
static dsp_kube_call *next_call(dsp_kube_client *c)
{
    dsp_kube_call *call = TAILQ_FIRST(&c->queue[DSP_KUBE_URGENT]);

    if (call != NULL) {
        return call;
    }
    if (c->in_flight >= c->options.max_in_flight) {
        return NULL;
    }
    for (int p = DSP_KUBE_NORMAL; p < DSP_KUBE_IDLE; p++) {
        call = TAILQ_FIRST(&c->queue[p]);
        if (call != NULL) {
            return call;
        }
    }
    size_t share = c->options.max_in_flight / IDLE_SHARE > 0 ? c->options.max_in_flight / IDLE_SHARE : 1;
    return c->idle_in_flight < share ? TAILQ_FIRST(&c->queue[DSP_KUBE_IDLE]) : NULL;
}

/* Asks for the request of a call whose turn has come. false: the call is over. */
static bool call_prepare(dsp_kube_call *call)
{
    dsp_kube_client *c = call->client;
    dsp_kube_request request = { .priority = call->priority };

    if (call->prepare == NULL) {
        return true;
    }
    /* Out of the queue meanwhile, so that the callback may do what it likes with the client. */
    TAILQ_REMOVE(&c->queue[call->priority], call, link);
    c->queued--;
    bool wanted = call->prepare(call->arg, &request);
    if (!wanted) {
        call_free(call);
        return false;
    }
    request.timeout_ms = request.timeout_ms > 0 ? request.timeout_ms : c->options.timeout_ms;
    bool copied = kube_request_copy(&call->request, &request);
    call->prepare = NULL;
    TAILQ_INSERT_HEAD(&c->queue[call->priority], call, link);
    c->queued++;
    if (!copied) {
        call_fail(call, "out of memory");
    }
    return copied;
}

static void fail_all(dsp_kube_client *c, const char *error)
{
    char *copy = strdup(error); /* a callback may make the plugin run again, which changes the text */

    for (int p = 0; p <= DSP_KUBE_IDLE; p++) {
        struct kube_call_list failed = TAILQ_HEAD_INITIALIZER(failed);
        dsp_kube_call        *call;

        /* Those that are there now: callbacks may queue more, for later. */
        size_t n = 0;
        TAILQ_FOREACH(call, &c->queue[p], link)
        {
            n++;
        }
        while (n-- > 0 && (call = TAILQ_FIRST(&c->queue[p])) != NULL) {
            call_fail(call, copy != NULL ? copy : "no credentials");
        }
    }
    free(copy);
}

void kube_calls_pump(dsp_kube_client *c)
{
    dsp_kube_credentials credentials;
    dsp_kube_call       *call;

    while ((call = next_call(c)) != NULL) {
        enum dsp_kube_auth_state state = dsp_kube_auth_get(c->auth, &credentials);

        if (state == DSP_KUBE_AUTH_PENDING) {
            return;
        }
        if (state == DSP_KUBE_AUTH_FAILED) {
            fail_all(c, dsp_kube_auth_error(c->auth));
            return;
        }
        bool counted = counts(call);

        if (counted && !token_take(c)) {
            return;
        }
        if (call_prepare(call)) {
            call_start(call, &credentials);
        } else if (counted) {
            c->tokens += 1; /* given back */
        }
    }
}

/* --- calls, from outside --- */

static dsp_kube_call *call_new(dsp_kube_client *c, enum dsp_kube_priority priority, dsp_kube_done done, void *arg)
{
    dsp_kube_call *call = calloc(1, sizeof(*call));

    if (call != NULL) {
        call->client = c;
        call->priority = priority;
        call->done = done;
        call->arg = arg;
        call->queued_at = kube_client_now(c);
        dsp_buf_init(&call->body, ANSWER_MAX);
    }
    return call;
}

dsp_kube_call *dsp_kube_client_send(dsp_kube_client *c, const dsp_kube_request *request, dsp_kube_done done, void *arg)
{
    dsp_kube_call   *call = call_new(c, request->priority, done, arg);
    dsp_kube_request copy = *request;

    copy.timeout_ms = copy.timeout_ms > 0 ? copy.timeout_ms : c->options.timeout_ms;
    if (call == NULL || !kube_request_copy(&call->request, &copy)) {
        free(call);
        return NULL;
    }
    call_enqueue(call, false);
    return call;
}

dsp_kube_call *dsp_kube_client_queue(dsp_kube_client *c, enum dsp_kube_priority priority, dsp_kube_prepare prepare,
                                     dsp_kube_done done, void *arg)
{
    dsp_kube_call *call = call_new(c, priority, done, arg);

    if (call != NULL) {
        call->prepare = prepare;
        call_enqueue(call, false);
    }
    return call;
}

void dsp_kube_call_cancel(dsp_kube_call *call)
{
    dsp_kube_client *c = call->client;

    call_unlink(call);
    call_free(call);
    if (c->queued > 0) {
        kube_client_wake(c);
    }
}

bool dsp_kube_call_sent(const dsp_kube_call *call)
{
    return call->running;
}

static void calls_free(struct kube_call_list *list)
{
    dsp_kube_call *call;

    while ((call = TAILQ_FIRST(list)) != NULL) {
        call_unlink(call);
        call_free(call);
    }
}

void kube_calls_free(dsp_kube_client *c)
{
    calls_free(&c->running);
    for (int p = 0; p <= DSP_KUBE_IDLE; p++) {
        calls_free(&c->queue[p]);
    }
}
