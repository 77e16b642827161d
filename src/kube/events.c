#include "events.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"

#define QUEUE_MAX   1000
#define MESSAGE_MAX 1024
#define NAME_MAX_   253
#define BODY_MAX    (16u * 1024)
#define TRIES       4

/* Events on the wire at once; the transport has its own share for them too. */
#define AT_ONCE 4

static const dsp_backoff_rule backoff_rule = { .base_ms = 1000, .max_ms = 30000, .jitter = 1.0 };

/*
 * States of a job: in `waiting` (first in, first out), or in `sending` with a call. After a failure that may pass, the
 * job goes back to the head of `waiting` and the whole recorder rests for a while.
 */
typedef struct job {
    TAILQ_ENTRY(job) link;
    dsp_recorder  *recorder;
    dsp_kube_call *call;
    unsigned       tries;
    char          *path;
    char          *body;
} job;

TAILQ_HEAD(job_list, job);

struct dsp_recorder {
    dsp_kube_client   *client;
    char              *component;
    char              *instance;
    size_t             queue_max;
    struct job_list    waiting;
    struct job_list    sending;
    size_t             n_sending;
    bool               off;
    bool               resting;
    struct event      *rest;
    dsp_backoff        backoff;
    dsp_recorder_stats stats;
};

static void job_free(job *j)
{
    free(j->path);
    free(j->body);
    free(j);
}

static void pump(dsp_recorder *r);

static void on_rest(evutil_socket_t fd, short what, void *arg)
{
    dsp_recorder *r = arg;

    (void) fd;
    (void) what;
    r->resting = false;
    pump(r);
}

static void rest(dsp_recorder *r, int64_t at_least_ms)
{
    if (r->resting) {
        return; /* those that were sent beside the first to fail tell the same trouble */
    }
    int64_t ms = dsp_backoff_next(&r->backoff, &backoff_rule, dsp_kube_client_env(r->client));

    ms = ms > at_least_ms ? ms : at_least_ms;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    r->resting = true;
    evtimer_add(r->rest, &tv);
}

static void on_answer(void *arg, const dsp_kube_answer *answer)
{
    job          *j = arg;
    dsp_recorder *r = j->recorder;
    bool          answered = answer->outcome == DSP_KUBE_ANSWERED;

    TAILQ_REMOVE(&r->sending, j, link);
    r->n_sending--;
    if (answered && (answer->status == 201 || answer->status == 200 || answer->status == 409)) {
        r->stats.sent++; /* 409: it is there already */
        dsp_backoff_reset(&r->backoff);
        job_free(j);
    } else if (answered && answer->status < 500 && answer->status != 429) {
        r->stats.failed++;
        dsp_log(DSP_LOG_DEBUG, "event refused", DSP_LOG_INT("status", answer->status),
                DSP_LOG_STR("answer", answer->body));
        job_free(j);
    } else if (++j->tries >= TRIES) {
        r->stats.failed++;
        job_free(j);
        rest(r, answer->retry_after_ms);
    } else {
        TAILQ_INSERT_HEAD(&r->waiting, j, link);
        r->stats.queued++;
        rest(r, answer->retry_after_ms);
    }
    pump(r);
}

static void job_send(dsp_recorder *r, job *j)
{
    dsp_kube_request request = {
        .method = DSP_KUBE_POST,
        .priority = DSP_KUBE_IDLE,
        .path = dsp_str_from(j->path),
        .body = dsp_str_from(j->body),
    };

    TAILQ_REMOVE(&r->waiting, j, link);
    r->stats.queued--;
    j->call = dsp_kube_client_send(r->client, &request, on_answer, j);
    if (j->call == NULL) {
        r->stats.dropped++;
        job_free(j);
        return;
    }
    TAILQ_INSERT_TAIL(&r->sending, j, link);
    r->n_sending++;
}

static void pump(dsp_recorder *r)
{
    while (!r->resting && r->n_sending < AT_ONCE && !TAILQ_EMPTY(&r->waiting)) {
        job_send(r, TAILQ_FIRST(&r->waiting));
    }
}

/* --- the Event object --- */

/* What of a text a DNS subdomain allows, lower case; the rest becomes '-'. */
static void add_name(dsp_buf *out, dsp_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        c = c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
        dsp_buf_addc(out, (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ? c : '-');
    }
}

/* "{object}.{uid8}.{key}": the object's name gives way when all is too long. */
static void event_name(dsp_buf *out, const dsp_event_object *object, dsp_str key)
{
    size_t tail;

    key = dsp_str_sub(key, 0, 100);
    tail = 1 + 8 + 1 + key.len;
    add_name(out, dsp_str_trim(dsp_str_sub(object->name, 0, NAME_MAX_ - tail)));
    while (out->len > 0 && (out->data[out->len - 1] == '.' || out->data[out->len - 1] == '-')) {
        out->len--; /* before a dot nothing but a letter or digit */
    }
    dsp_buf_addc(out, '.');
    add_name(out, dsp_str_sub(object->uid, 0, 8));
    dsp_buf_addc(out, '.');
    add_name(out, key);
}

static dsp_str cut_message(dsp_str message)
{
    size_t len = message.len;

    if (len > MESSAGE_MAX) {
        for (len = MESSAGE_MAX; len > 0 && ((unsigned char) message.data[len] & 0xC0) == 0x80; len--) {
        }
    }
    return dsp_str_sub(message, 0, len);
}

static void add_member(dsp_buf *out, const char *name, dsp_str value)
{
    dsp_buf_addf(out, ",\"%s\":", name);
    dsp_json_quote(out, value);
}

static void write_event(dsp_recorder *r, const dsp_event_object *object, bool warning, const char *reason, dsp_str name,
                        dsp_str message, dsp_buf *out)
{
    const dsp_kube_env *env = dsp_kube_client_env(r->client);
    char                now[DSP_TIME_LEN];

    dsp_time_format(env->wall_us(env->arg), now);
    dsp_buf_addz(out, "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":");
    dsp_json_quote(out, name);
    add_member(out, "namespace", object->namespace_);
    dsp_buf_addz(out, "},\"involvedObject\":{\"apiVersion\":");
    dsp_json_quote(out, object->api_version);
    add_member(out, "kind", object->kind);
    add_member(out, "namespace", object->namespace_);
    add_member(out, "name", object->name);
    add_member(out, "uid", object->uid);
    if (object->resource_version.len > 0) {
        add_member(out, "resourceVersion", object->resource_version);
    }
    dsp_buf_addf(out, "},\"type\":\"%s\"", warning ? "Warning" : "Normal");
    add_member(out, "reason", dsp_str_from(reason));
    add_member(out, "message", cut_message(message));
    dsp_buf_addz(out, ",\"source\":{\"component\":");
    dsp_json_quote(out, dsp_str_from(r->component));
    dsp_buf_addf(out, "},\"firstTimestamp\":\"%s\",\"lastTimestamp\":\"%s\",\"count\":1", now, now);
    add_member(out, "reportingComponent", dsp_str_from(r->component));
    add_member(out, "reportingInstance", dsp_str_from(r->instance));
    dsp_buf_addc(out, '}');
}

void dsp_recorder_emit(dsp_recorder *r, const dsp_event_object *object, bool warning, const char *reason, dsp_str key,
                       dsp_str message)
{
    job    *j;
    dsp_buf path, name, body;

    if (r->off) {
        return;
    }
    j = r->stats.queued < r->queue_max ? calloc(1, sizeof(*j)) : NULL;
    if (j == NULL) {
        r->stats.dropped++;
        return;
    }
    dsp_buf_init(&path, 1024);
    dsp_buf_init(&name, 1024);
    dsp_buf_init(&body, BODY_MAX);
    event_name(&name, object, key);
    dsp_buf_addz(&path, "/api/v1/namespaces");
    dsp_kube_path_add(&path, object->namespace_);
    dsp_buf_addz(&path, "/events");
    write_event(r, object, warning, reason, dsp_buf_str(&name), message, &body);
    dsp_buf_free(&name);
    j->recorder = r;
    j->path = dsp_buf_take(&path);
    j->body = dsp_buf_take(&body);
    if (j->path == NULL || j->body == NULL) {
        r->stats.dropped++;
        job_free(j);
        return;
    }
    TAILQ_INSERT_TAIL(&r->waiting, j, link);
    r->stats.queued++;
    pump(r);
}

/* --- the recorder --- */

dsp_recorder *dsp_recorder_new(dsp_kube_client *client, const dsp_recorder_options *options)
{
    dsp_recorder *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return NULL;
    }
    TAILQ_INIT(&r->waiting);
    TAILQ_INIT(&r->sending);
    r->client = client;
    r->queue_max = options->queue_max > 0 ? options->queue_max : QUEUE_MAX;
    r->component = strdup(options->component);
    r->instance = strdup(options->instance != NULL ? options->instance : options->component);
    r->rest = evtimer_new(dsp_kube_client_base(client), on_rest, r);
    if (r->component == NULL || r->instance == NULL || r->rest == NULL) {
        dsp_recorder_free(r);
        return NULL;
    }
    return r;
}

void dsp_recorder_free(dsp_recorder *r)
{
    job *j;

    if (r == NULL) {
        return;
    }
    while ((j = TAILQ_FIRST(&r->sending)) != NULL) {
        TAILQ_REMOVE(&r->sending, j, link);
        dsp_kube_call_cancel(j->call);
        job_free(j);
    }
    while ((j = TAILQ_FIRST(&r->waiting)) != NULL) {
        TAILQ_REMOVE(&r->waiting, j, link);
        job_free(j);
    }
    if (r->rest != NULL) {
        event_free(r->rest);
    }
    free(r->component);
    free(r->instance);
    free(r);
}

void dsp_recorder_enable(dsp_recorder *r, bool on)
{
    r->off = !on;
}

dsp_recorder_stats dsp_recorder_stats_get(const dsp_recorder *r)
{
    return r->stats;
}
