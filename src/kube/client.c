#include "client.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "client_impl.h"
#include "base/log.h"

#define MAX_IN_FLIGHT 16u
#define TIMEOUT_MS 30000
#define ANSWER_MAX (4u * 1024 * 1024)

/* Events may take this share of the wire, so that fresh work finds room at once. */
#define IDLE_SHARE 4

/* Connections may stay open when there is nothing to do, so many; after a burst the others, some 100 KB each with TLS,
 * are given up when it has been quiet for a while. */
#define KEEP_IDLE 2u
#define QUIET_S 15
#define TRY_AGAIN_S 1

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

const char *dsp_kube_method_name(enum dsp_kube_method method)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    return names[method];
}

/* --- shared with stream.c --- */

CURL *kube_client_easy_get(dsp_kube_client *c)
{
    return c->pooled > 0 ? c->pool[--c->pooled] : curl_easy_init();
}

void kube_client_easy_put(dsp_kube_client *c, CURL *easy)
{
    if (easy == NULL) {
        return;
    }
    if (c->pooled < KUBE_POOL_MAX) {
        curl_easy_reset(easy);
        c->pool[c->pooled++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

void kube_client_wake(dsp_kube_client *c)
{
    event_active(c->pump, EV_TIMEOUT, 1);
}

void kube_client_observe(dsp_kube_client *c, enum dsp_kube_method method, int status, int64_t took_us)
{
    if (c->options.observe != NULL) {
        c->options.observe(c->options.observe_arg, method, status, took_us);
    }
}

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
    if (counts(call) && c->in_flight == 0 && c->peak > KEEP_IDLE) {
        evtimer_add(c->shrink, &(struct timeval){.tv_sec = QUIET_S});
    }
}

/* libcurl closes idle connections one by one and late, or all of them with their multi. */
static void on_shrink(evutil_socket_t fd, short what, void *arg)
{
    dsp_kube_client *c = arg;

    (void) fd;
    (void) what;
    if (c->in_flight > 0) {
        return; /* armed again when they have ended */
    }
    kube_multi *fresh = c->urgent_in_flight == 0 ? kube_multi_new(c->base) : NULL;
    if (fresh == NULL) {
        evtimer_add(c->shrink, &(struct timeval){.tv_sec = TRY_AGAIN_S});
        return;
    }
    kube_multi_free(c->calls);
    c->calls = fresh;
    kube_multi_keep(c->calls, (long) (c->options.max_in_flight + KEEP_IDLE));
    while (c->pooled > KEEP_IDLE) {
        curl_easy_cleanup(c->pool[--c->pooled]);
    }
    c->peak = 0;
    malloc_trim(0);
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
    dsp_kube_answer answer = {.outcome = DSP_KUBE_NOT_SENT, .retry_after_ms = -1, .error = error};

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
    dsp_kube_answer answer = {0};

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
    call->transfer = (kube_transfer){.easy = easy, .done = on_done};
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
        struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

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
    dsp_kube_request request = {.priority = call->priority};

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

static void pump_calls(dsp_kube_client *c)
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
        if (counts(call) && !token_take(c)) {
            return;
        }
        if (call_prepare(call)) {
            call_start(call, &credentials);
        }
    }
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    dsp_kube_client *c = arg;

    (void) fd;
    (void) what;
    kube_streams_pump(c);
    pump_calls(c);
}

static void on_credentials(void *arg)
{
    kube_client_wake(arg);
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

/* --- the client --- */

dsp_kube_client *dsp_kube_client_new(struct event_base *base, dsp_kube_config *config,
                                     const dsp_kube_client_options *options, dsp_buf *err)
{
    dsp_kube_client *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        dsp_kube_config_free(config);
        dsp_buf_addz(err, "out of memory");
        return NULL;
    }
    c->base = base;
    c->config = config;
    c->options = *options;
    c->env = options->env != NULL ? options->env : &dsp_kube_env_system;
    c->user_agent = strdup(options->user_agent != NULL ? options->user_agent : "dispatcher");
    c->options.user_agent = c->user_agent;
    c->options.max_in_flight = options->max_in_flight > 0 ? options->max_in_flight : MAX_IN_FLIGHT;
    c->options.timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    c->tokens = options->qps * 2 > 1 ? options->qps * 2 : 1;
    c->tokens_at = kube_client_now(c);
    for (int p = 0; p <= DSP_KUBE_IDLE; p++) {
        TAILQ_INIT(&c->queue[p]);
    }
    TAILQ_INIT(&c->running);
    TAILQ_INIT(&c->streams);
    TAILQ_INIT(&c->dead);
    c->pump = event_new(base, -1, 0, on_pump, c);
    c->shrink = evtimer_new(base, on_shrink, c);
    c->calls = kube_multi_new(base);
    c->watches = kube_multi_new(base);
    if (c->user_agent == NULL || c->pump == NULL || c->shrink == NULL || c->calls == NULL || c->watches == NULL) {
        dsp_buf_addz(err, "out of memory");
        dsp_kube_client_free(c);
        return NULL;
    }
    kube_multi_keep(c->calls, (long) (c->options.max_in_flight + KEEP_IDLE));
    if (!kube_target_init(&c->target, config, &c->options, err) ||
        (c->auth = dsp_kube_auth_new(base, config, c->env, on_credentials, c, err)) == NULL) {
        dsp_kube_client_free(c);
        return NULL;
    }
    return c;
}

static void calls_free(struct kube_call_list *list)
{
    dsp_kube_call *call;

    while ((call = TAILQ_FIRST(list)) != NULL) {
        call_unlink(call);
        call_free(call);
    }
}

void dsp_kube_client_free(dsp_kube_client *c)
{
    if (c == NULL) {
        return;
    }
    calls_free(&c->running);
    for (int p = 0; p <= DSP_KUBE_IDLE; p++) {
        calls_free(&c->queue[p]);
    }
    kube_streams_free(c);
    while (c->pooled > 0) {
        curl_easy_cleanup(c->pool[--c->pooled]);
    }
    kube_multi_free(c->calls);
    kube_multi_free(c->watches);
    dsp_kube_auth_free(c->auth);
    kube_target_free(&c->target);
    if (c->pump != NULL) {
        event_free(c->pump);
    }
    if (c->shrink != NULL) {
        event_free(c->shrink);
    }
    dsp_kube_config_free(c->config);
    free(c->user_agent);
    free(c);
}

void dsp_kube_client_reload(dsp_kube_client *c, dsp_kube_config *config)
{
    kube_target target;
    dsp_buf     err;

    if (config == NULL) {
        dsp_kube_auth_reload(c->auth, NULL);
        kube_client_wake(c);
        return;
    }
    dsp_buf_init(&err, 4096);
    if (kube_target_init(&target, config, &c->options, &err)) {
        kube_target_free(&c->target);
        c->target = target;
        dsp_kube_auth_reload(c->auth, config);
        dsp_kube_config_free(c->config);
        c->config = config;
        kube_client_wake(c);
    } else {
        dsp_log(DSP_LOG_ERROR, "the new configuration cannot be used, the old one stays",
                DSP_LOG_Z("error", dsp_buf_cstr(&err)));
        dsp_kube_config_free(config);
    }
    dsp_buf_free(&err);
}

const dsp_kube_config *dsp_kube_client_config(const dsp_kube_client *c)
{
    return c->config;
}

struct event_base *dsp_kube_client_base(const dsp_kube_client *c)
{
    return c->base;
}

const dsp_kube_env *dsp_kube_client_env(const dsp_kube_client *c)
{
    return c->env;
}

dsp_kube_client_stats dsp_kube_client_stats_get(const dsp_kube_client *c)
{
    return (dsp_kube_client_stats){c->queued, c->in_flight, c->n_streams, c->refreshed};
}

bool dsp_kube_client_is_idle(const dsp_kube_client *c)
{
    return c->queued == 0 && c->in_flight == 0 && c->urgent_in_flight == 0;
}

/* --- help for callers --- */

static bool add_encoded(dsp_buf *out, dsp_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char ch = (unsigned char) text.data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
            (ch != '\0' && strchr("-._~", ch) != NULL)) {
            dsp_buf_addc(out, (char) ch);
        } else {
            dsp_buf_addf(out, "%%%02X", ch);
        }
    }
    return !out->failed;
}

bool dsp_kube_query_add(dsp_buf *query, const char *name, dsp_str value)
{
    dsp_buf_addf(query, "%s%s=", query->len > 0 ? "&" : "", name);
    return add_encoded(query, value);
}

bool dsp_kube_path_add(dsp_buf *path, dsp_str segment)
{
    dsp_buf_addc(path, '/');
    return add_encoded(path, segment);
}
