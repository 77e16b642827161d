#include <stdlib.h>
#include <string.h>

#include "client_impl.h"

/* What is kept of an answer that is no stream. */
#define REFUSAL_MAX (64u * 1024)

/*
 * States of a stream:
 *     WAITING   for credentials, in client->streams without a handle
 *     RUNNING   in client->streams with a handle
 *     DEAD      closed: in client->dead until the event loop frees it (it may be closed from inside libcurl)
 * A 401 takes it from RUNNING back to WAITING, once.
 */
struct dsp_kube_stream {
    TAILQ_ENTRY(dsp_kube_stream) link;
    dsp_kube_client               *client;
    kube_transfer                  transfer;
    kube_request                   request;
    const dsp_kube_stream_handler *handler;
    void                          *arg;
    struct event                  *quiet;
    int64_t                        quiet_ms;
    int64_t                        last_byte;
    dsp_buf                        refusal;
    char                           errors[CURL_ERROR_SIZE];
    unsigned                       headers_generation;
    unsigned                       tls_generation;
    bool                           again;
    bool                           observed;
    bool                           dead;
};

static void stream_detach(dsp_kube_stream *s)
{
    dsp_kube_client *c = s->client;

    if (s->transfer.easy != NULL) {
        kube_multi_remove(c->watches, &s->transfer);
        kube_client_easy_put(c, s->transfer.easy);
        s->transfer.easy = NULL;
    }
    if (s->quiet != NULL) {
        evtimer_del(s->quiet);
    }
}

/* Not from inside libcurl. */
static void stream_free(dsp_kube_stream *s)
{
    dsp_kube_client *c = s->client;

    stream_detach(s);
    if (s->dead) {
        TAILQ_REMOVE(&c->dead, s, link);
    } else {
        TAILQ_REMOVE(&c->streams, s, link);
        c->n_streams--;
    }
    if (s->quiet != NULL) {
        event_free(s->quiet);
    }
    kube_request_free(&s->request);
    dsp_buf_free(&s->refusal);
    free(s);
}

void dsp_kube_stream_close(dsp_kube_stream *s)
{
    dsp_kube_client *c = s->client;

    TAILQ_REMOVE(&c->streams, s, link);
    TAILQ_INSERT_TAIL(&c->dead, s, link);
    c->n_streams--;
    s->dead = true;
    kube_client_wake(c);
}

/* Once, whatever comes after the head: how long a stream lasts says nothing about the server. status 0: no head came.
 */
static void observe(dsp_kube_stream *s, int status)
{
    curl_off_t took = 0;

    if (s->observed) {
        return;
    }
    s->observed = true;
    if (s->transfer.easy != NULL) {
        curl_easy_getinfo(s->transfer.easy, status != 0 ? CURLINFO_STARTTRANSFER_TIME_T : CURLINFO_TOTAL_TIME_T, &took);
    }
    kube_client_observe(s->client, s->request.what.method, status, took);
}

/* The stream is over and says so. It is freed first: the handler may close nothing any more but may open the next. */
static void stream_end(dsp_kube_stream *s, dsp_kube_answer *answer)
{
    const dsp_kube_stream_handler *handler = s->handler;
    void                          *arg = s->arg;
    char                           errors[CURL_ERROR_SIZE];
    dsp_buf                        refusal = s->refusal;

    if (answer->error == s->errors) {
        memcpy(errors, s->errors, sizeof(errors));
        answer->error = errors;
    }
    observe(s, answer->status);
    dsp_buf_init(&s->refusal, REFUSAL_MAX);
    stream_free(s);
    handler->end(arg, answer);
    dsp_buf_free(&refusal);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
    dsp_kube_stream *s = arg;
    long             status = 0;

    if (s->dead) {
        return 0;
    }
    s->last_byte = kube_client_now(s->client);
    curl_easy_getinfo(s->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        size_t room = s->refusal.max - s->refusal.len;

        dsp_buf_add(&s->refusal, data, size * n < room ? size * n : room);
        return size * n;
    }
    observe(s, 200);
    if (!s->handler->data(s->arg, (dsp_str){ data, size * n })) {
        return 0;
    }
    return s->dead ? 0 : size * n;
}

static void on_done(kube_transfer *t, CURLcode result)
{
    dsp_kube_stream *s = (dsp_kube_stream *) (void *) ((char *) t - offsetof(dsp_kube_stream, transfer));
    dsp_kube_answer  answer = { 0 };

    if (s->dead) {
        return; /* the pump frees it */
    }
    kube_answer_fill(&answer, t->easy, result, s->errors, dsp_buf_str(&s->refusal));
    if (answer.outcome == DSP_KUBE_ANSWERED && answer.status == 401 && !s->again &&
        dsp_kube_auth_refused(s->client->auth, s->headers_generation, s->tls_generation)) {
        kube_client_observe(s->client, s->request.what.method, answer.status, answer.took_us);
        s->client->refreshed++;
        s->again = true;
        stream_detach(s);
        dsp_buf_reset(&s->refusal);
        kube_client_wake(s->client);
        return;
    }
    stream_end(s, &answer);
}

static void quiet_arm(dsp_kube_stream *s, int64_t ms)
{
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    evtimer_add(s->quiet, &tv);
}

/* One timer that looks back, rather than one that every byte would move. */
static void on_quiet(evutil_socket_t fd, short what, void *arg)
{
    dsp_kube_stream *s = arg;
    int64_t          silent = kube_client_now(s->client) - s->last_byte;
    dsp_kube_answer  answer = { .outcome = DSP_KUBE_UNCLEAR, .retry_after_ms = -1, .error = "no byte for too long" };
    long             status = 0;

    (void) fd;
    (void) what;
    if (s->dead || s->transfer.easy == NULL) {
        return;
    }
    if (silent < s->quiet_ms) {
        quiet_arm(s, s->quiet_ms - silent);
        return;
    }
    curl_easy_getinfo(s->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int) status;
    stream_end(s, &answer);
}

static bool stream_start(dsp_kube_stream *s, const dsp_kube_credentials *credentials)
{
    dsp_kube_client *c = s->client;
    CURL            *easy = kube_client_easy_get(c);

    if (easy == NULL || !kube_target_apply(&c->target, easy, &s->request, credentials)) {
        kube_client_easy_put(c, easy);
        return false;
    }
    s->headers_generation = credentials->headers_generation;
    s->tls_generation = credentials->tls_generation;
    s->errors[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, s->errors);
    s->transfer = (kube_transfer){ .easy = easy, .done = on_done };
    s->last_byte = kube_client_now(c);
    if (!kube_multi_add(c->watches, &s->transfer)) {
        return false;
    }
    if (s->quiet_ms > 0) {
        quiet_arm(s, s->quiet_ms);
    }
    return true;
}

static dsp_kube_stream *first_waiting(dsp_kube_client *c)
{
    dsp_kube_stream *s;

    TAILQ_FOREACH(s, &c->streams, link)
    {
        if (s->transfer.easy == NULL) {
            break;
        }
    }
    return s;
}

static void streams_fail(dsp_kube_client *c, const char *error)
{
    dsp_kube_stream *s;
    char            *copy = strdup(error); /* a handler may make the plugin run again, which changes the text */
    size_t           n = 0;

    /* Each end may open another, behind those that wait now: look at as many as there are. */
    TAILQ_FOREACH(s, &c->streams, link)
    {
        n += s->transfer.easy == NULL;
    }
    while (n-- > 0 && (s = first_waiting(c)) != NULL) {
        dsp_kube_answer answer = { .outcome = DSP_KUBE_NOT_SENT, .retry_after_ms = -1 };

        answer.error = copy != NULL ? copy : "no credentials";
        stream_end(s, &answer);
    }
    free(copy);
}

static void dead_free(dsp_kube_client *c)
{
    dsp_kube_stream *s;

    while ((s = TAILQ_FIRST(&c->dead)) != NULL) {
        stream_free(s);
    }
}

void kube_streams_pump(dsp_kube_client *c)
{
    dsp_kube_credentials credentials;
    dsp_kube_stream     *s;

    dead_free(c);
    while ((s = first_waiting(c)) != NULL) {
        enum dsp_kube_auth_state state = dsp_kube_auth_get(c->auth, &credentials);

        if (state == DSP_KUBE_AUTH_PENDING) {
            return;
        }
        if (state == DSP_KUBE_AUTH_FAILED) {
            streams_fail(c, dsp_kube_auth_error(c->auth));
            return;
        }
        if (!stream_start(s, &credentials)) {
            dsp_kube_answer answer = { .outcome = DSP_KUBE_NOT_SENT, .retry_after_ms = -1, .error = "out of memory" };

            stream_end(s, &answer);
            return; /* not in a circle, should the handler open the next one at once */
        }
    }
}

void kube_streams_free(dsp_kube_client *c)
{
    dsp_kube_stream *s;

    dead_free(c);
    while ((s = TAILQ_FIRST(&c->streams)) != NULL) {
        stream_free(s);
    }
}

dsp_kube_stream *dsp_kube_client_stream(dsp_kube_client *c, const dsp_kube_request *request, int64_t quiet_ms,
                                        const dsp_kube_stream_handler *handler, void *arg)
{
    dsp_kube_stream *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    s->client = c;
    s->handler = handler;
    s->arg = arg;
    s->quiet_ms = quiet_ms;
    dsp_buf_init(&s->refusal, REFUSAL_MAX);
    s->quiet = evtimer_new(c->base, on_quiet, s);
    if (s->quiet == NULL || !kube_request_copy(&s->request, request)) {
        if (s->quiet != NULL) {
            event_free(s->quiet);
        }
        free(s);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&c->streams, s, link);
    c->n_streams++;
    kube_client_wake(c);
    return s;
}
