#include "lease.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lease_rule.h"
#include "base/clock.h"
#include "base/log.h"

#define DURATION_MS 15000
#define RENEW_MS    10000
#define RETRY_MS    2000
#define PATH_SIZE   4096
#define BODY_MAX    (1024u * 1024)

struct dsp_lease {
    dsp_kube_client         *client;
    const dsp_lease_handler *handler;
    void                    *arg;
    char                    *namespace_;
    char                    *name;
    kube_lease_rule          rule;
    char                    *metadata; /* of the Lease as last seen: labels and the like survive our PUT */
    char                     holder[KUBE_LEASE_TEXT];
    dsp_kube_call           *call;
    struct event            *timer;
    void (*released)(void *arg);
    void *released_arg;
};

static int64_t now_ms(const dsp_lease *l)
{
    const dsp_kube_env *env = dsp_kube_client_env(l->client);

    return env->now_ms(env->arg);
}

/* --- the Lease object --- */

/* A string member into a fixed text; "" when it is missing. false: too long or not a string. */
static bool read_text(dsp_json object, const char *name, char *out, size_t size)
{
    dsp_json  value = dsp_json_get(object, name);
    dsp_arena arena;
    dsp_str   text = { NULL, 0 };
    bool      ok = true;

    out[0] = '\0';
    if (dsp_json_kind(value) == DSP_JSON_NONE || dsp_json_kind(value) == DSP_JSON_NULL) {
        return true;
    }
    dsp_arena_init(&arena, 4096);
    ok = dsp_json_string(value, &arena, &text) && text.len < size;
    if (ok) {
        memcpy(out, text.data, text.len);
        out[text.len] = '\0';
    }
    dsp_arena_free(&arena);
    return ok;
}

static bool read_lease(dsp_lease *l, dsp_str body, kube_lease_record *out)
{
    dsp_json doc, metadata, spec;
    int64_t  seconds = 0;

    *out = (kube_lease_record){ 0 };
    if (!dsp_json_parse(body, &doc, NULL)) {
        return false;
    }
    metadata = dsp_json_get(doc, "metadata");
    spec = dsp_json_get(doc, "spec");
    if (!read_text(metadata, "resourceVersion", out->version, sizeof(out->version)) || out->version[0] == '\0' ||
        !read_text(spec, "holderIdentity", out->holder, sizeof(out->holder)) ||
        !read_text(spec, "acquireTime", out->acquired, sizeof(out->acquired)) ||
        !read_text(spec, "renewTime", out->renewed, sizeof(out->renewed))) {
        return false;
    }
    if (dsp_json_int64(dsp_json_get(spec, "leaseDurationSeconds"), &seconds) && seconds > 0 && seconds < INT32_MAX) {
        out->duration_ms = seconds * 1000;
    }
    dsp_json_int64(dsp_json_get(spec, "leaseTransitions"), &out->transitions);
    free(l->metadata);
    l->metadata = dsp_str_dup(metadata);
    return l->metadata != NULL;
}

static bool write_lease(const dsp_lease *l, const kube_lease_output *out, dsp_buf *body)
{
    const dsp_kube_env *env = dsp_kube_client_env(l->client);
    char                now[DSP_TIME_LEN];

    dsp_microtime_format(env->wall_us(env->arg), now);
    dsp_buf_addz(body, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":");
    if (out->send == KUBE_LEASE_SEND_PUT && l->metadata != NULL) {
        dsp_buf_addz(body, l->metadata);
    } else {
        dsp_buf_addz(body, "{\"name\":");
        dsp_json_quote(body, dsp_str_from(l->name));
        dsp_buf_addz(body, ",\"namespace\":");
        dsp_json_quote(body, dsp_str_from(l->namespace_));
        dsp_buf_addc(body, '}');
    }
    dsp_buf_addz(body, ",\"spec\":{\"holderIdentity\":");
    dsp_json_quote(body, dsp_str_from(out->holder));
    dsp_buf_addf(body, ",\"leaseDurationSeconds\":%lld,\"acquireTime\":", (long long) (out->duration_ms / 1000));
    dsp_json_quote(body, dsp_str_from(out->acquired != NULL ? out->acquired : now));
    return dsp_buf_addf(body, ",\"renewTime\":\"%s\",\"leaseTransitions\":%lld}}", now, (long long) out->transitions);
}

/* --- driving the rule --- */

static void step(dsp_lease *l, enum kube_lease_input input, const kube_lease_record *record);

static void on_answer(void *arg, const dsp_kube_answer *answer)
{
    dsp_lease            *l = arg;
    kube_lease_record     record;
    enum kube_lease_input input = KUBE_LEASE_FAILED;
    bool                  answered = answer->outcome == DSP_KUBE_ANSWERED;

    l->call = NULL;
    if (answered && (answer->status == 200 || answer->status == 201) && read_lease(l, answer->body, &record)) {
        input = KUBE_LEASE_FOUND;
    } else if (answered && answer->status == 404 && l->rule.state == KUBE_LEASE_READING) {
        input = KUBE_LEASE_MISSING;
    } else if (answered && answer->status == 409) {
        input = KUBE_LEASE_CONFLICT;
    } else {
        dsp_log(DSP_LOG_WARN, "lease request failed", DSP_LOG_Z("lease", l->name),
                DSP_LOG_INT("status", answer->status), DSP_LOG_Z("error", answer->error));
    }
    step(l, input, &record);
}

static void request(dsp_lease *l, const kube_lease_output *out)
{
    static const enum dsp_kube_method methods[] = { DSP_KUBE_GET, DSP_KUBE_GET, DSP_KUBE_POST, DSP_KUBE_PUT };
    dsp_buf                           path, body;
    dsp_kube_request                  r = { .priority = DSP_KUBE_URGENT, .method = methods[out->send] };

    dsp_buf_init(&path, PATH_SIZE);
    dsp_buf_init(&body, BODY_MAX);
    dsp_buf_addz(&path, "/apis/coordination.k8s.io/v1/namespaces");
    dsp_kube_path_add(&path, dsp_str_from(l->namespace_));
    dsp_buf_addz(&path, "/leases");
    if (out->send != KUBE_LEASE_SEND_POST) {
        dsp_kube_path_add(&path, dsp_str_from(l->name));
    }
    if (out->send != KUBE_LEASE_SEND_GET) {
        write_lease(l, out, &body);
        r.body = dsp_buf_str(&body);
    }
    r.path = dsp_buf_str(&path);
    r.timeout_ms = l->rule.renew_ms / 2; /* controller-runtime */
    l->call = path.failed || body.failed ? NULL : dsp_kube_client_send(l->client, &r, on_answer, l);
    dsp_buf_free(&path);
    dsp_buf_free(&body);
    if (l->call == NULL) {
        dsp_log(DSP_LOG_ERROR, "lease request cannot be made: out of memory", DSP_LOG_Z("lease", l->name));
        step(l, KUBE_LEASE_FAILED, NULL);
    }
}

static void tell_holder(dsp_lease *l)
{
    if (strcmp(l->holder, l->rule.record.holder) != 0) {
        snprintf(l->holder, sizeof(l->holder), "%s", l->rule.record.holder);
        if (l->handler->holder != NULL) {
            l->handler->holder(l->arg, l->holder);
        }
    }
}

static void arm(dsp_lease *l, int64_t until)
{
    int64_t        ms = until - now_ms(l);
    struct timeval tv;

    if (until == INT64_MAX) {
        evtimer_del(l->timer);
        return;
    }
    ms = ms < 0 ? 0 : ms;
    tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    evtimer_add(l->timer, &tv);
}

/* Nothing is done any more. The callbacks come last: they may free. */
static void over(dsp_lease *l, bool stopped)
{
    void (*released)(void *arg) = l->released;
    void *arg = l->released_arg;

    if (l->call != NULL) {
        dsp_kube_call_cancel(l->call);
        l->call = NULL;
    }
    evtimer_del(l->timer);
    l->released = NULL;
    if (stopped) {
        l->handler->stopped(l->arg);
    } else if (released != NULL) {
        released(arg);
    }
}

static void step(dsp_lease *l, enum kube_lease_input input, const kube_lease_record *record)
{
    const dsp_kube_env *env = dsp_kube_client_env(l->client);
    kube_lease_output   out = kube_lease_step(&l->rule, input, record, now_ms(l), env->random(env->arg));

    if (!l->rule.releasing) { /* a release has its own limit of time */
        arm(l, out.wait_until);
    }
    if (out.send != KUBE_LEASE_SEND_NOTHING) {
        request(l, &out);
    }
    if (input == KUBE_LEASE_FOUND) {
        tell_holder(l);
    }
    if (out.over) {
        over(l, out.stopped);
    } else if (out.started) {
        l->handler->started(l->arg);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    dsp_lease *l = arg;

    (void) fd;
    (void) what;
    if (l->rule.state == KUBE_LEASE_OVER || l->rule.releasing) {
        l->rule.state = KUBE_LEASE_OVER;
        over(l, false);
        return;
    }
    step(l, KUBE_LEASE_TICK, NULL);
}

/* --- from outside --- */

dsp_lease *dsp_lease_new(dsp_kube_client *client, const dsp_lease_options *options, const dsp_lease_handler *handler,
                         void *arg, dsp_buf *err)
{
    dsp_lease *l = calloc(1, sizeof(*l));
    int64_t    duration = options->duration_ms > 0 ? options->duration_ms : DURATION_MS;
    int64_t    renew = options->renew_ms > 0 ? options->renew_ms : RENEW_MS;
    int64_t    retry = options->retry_ms > 0 ? options->retry_ms : RETRY_MS;

    if (duration <= renew || renew * 10 <= retry * 12 || duration % 1000 != 0) {
        dsp_buf_addz(err, "leader election: the lease must last longer than its renew deadline, that longer than 1.2 "
                          "times the retry period, and be whole seconds");
        free(l);
        return NULL;
    }
    if (strlen(options->identity) >= KUBE_LEASE_TEXT) {
        dsp_buf_addz(err, "leader election: the identity is too long");
        free(l);
        return NULL;
    }
    if (l != NULL) {
        l->client = client;
        l->handler = handler;
        l->arg = arg;
        l->rule.duration_ms = duration;
        l->rule.renew_ms = renew;
        l->rule.retry_ms = retry;
        snprintf(l->rule.identity, sizeof(l->rule.identity), "%s", options->identity);
        l->namespace_ = strdup(options->namespace_);
        l->name = strdup(options->name);
        l->timer = evtimer_new(dsp_kube_client_base(client), on_timer, l);
    }
    if (l == NULL || l->namespace_ == NULL || l->name == NULL || l->timer == NULL) {
        dsp_buf_addz(err, "out of memory");
        dsp_lease_free(l);
        return NULL;
    }
    return l;
}

void dsp_lease_start(dsp_lease *l)
{
    l->rule.next_at = now_ms(l);
    step(l, KUBE_LEASE_TICK, NULL);
}

void dsp_lease_free(dsp_lease *l)
{
    if (l == NULL) {
        return;
    }
    if (l->call != NULL) {
        dsp_kube_call_cancel(l->call);
    }
    if (l->timer != NULL) {
        event_free(l->timer);
    }
    free(l->metadata);
    free(l->namespace_);
    free(l->name);
    free(l);
}

bool dsp_lease_is_leader(const dsp_lease *l)
{
    return kube_lease_leads(&l->rule, now_ms(l));
}

const char *dsp_lease_holder(const dsp_lease *l)
{
    return l->holder;
}

void dsp_lease_release(dsp_lease *l, void (*released)(void *arg), void *arg)
{
    struct timeval limit = { .tv_sec = l->rule.renew_ms / 1000, .tv_usec = l->rule.renew_ms % 1000 * 1000 };

    l->released = released;
    l->released_arg = arg;
    if (l->rule.state == KUBE_LEASE_OVER) {
        event_active(l->timer, EV_TIMEOUT, 1);
        return;
    }
    kube_lease_output out = kube_lease_step(&l->rule, KUBE_LEASE_RELEASE, NULL, now_ms(l), 0);
    if (out.over) {
        event_active(l->timer, EV_TIMEOUT, 1);
    } else {
        evtimer_add(l->timer, &limit);
    }
    if (out.send != KUBE_LEASE_SEND_NOTHING) {
        request(l, &out);
    }
    if (out.stopped) {
        l->handler->stopped(l->arg);
    }
}

bool dsp_lease_identity(dsp_buf *out, const dsp_kube_env *env)
{
    char     host[256] = "dispatcher";
    uint32_t r[4];

    gethostname(host, sizeof(host) - 1);
    for (int i = 0; i < 4; i++) {
        r[i] = env->random(env->arg);
    }
    /* RFC 9562, version 4 */
    return dsp_buf_addf(out, "%s_%08x-%04x-4%03x-%04x-%04x%08x", host, r[0], r[1] >> 16, r[1] & 0xFFF,
                        0x8000 | (r[2] >> 16 & 0x3FFF), r[2] & 0xFFFF, r[3]);
}
