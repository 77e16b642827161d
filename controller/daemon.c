#include "daemon.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "kube/global.h"
#include "kube/lease.h"
#include "serve.h"
#include "watch.h"

/* How long a clean end may take: the actions under way, then the Lease. */
#define DRAIN_MS 10000

/* A loop that did not turn for so long is reported by /healthz once it turns again; while it stands it answers nothing.
 */
#define STUCK_MS 30000

struct daemon {
    const dsp_options *options;
    struct event_base *base;
    struct event      *run_event;   /* the actor has something to do */
    struct event      *timer_event; /* its next timer */
    struct event      *tick_event;
    struct event      *drain_event;
    struct event      *signals[3];

    dsp_kube_client  *client;
    dsp_recorder     *recorder;
    dsp_lease        *lease;
    dsp_api           api;
    dsp_watches      *watches;
    dsp_servers      *servers;
    dsp_job_renderer *renderer;
    dsp_store         store;
    dsp_actor         actor;
    dsp_metrics       metrics;

    int64_t last_tick_ms;
    int64_t worst_lag_ms; /* of the last minute */
    int64_t drain_until_ms;
    bool    draining;
    bool    releasing;
    int     status; /* to exit with */
};

/* --- ends ----------------------------------------------------------------------------------------------------- */

static void end(struct daemon *d, int status)
{
    d->status = status;
    event_base_loopbreak(d->base);
}

static void on_released(void *arg)
{
    end(arg, 0);
}

/* What is under way ends first: a Lease is given back only when nothing of ours can still be written. */
static void drain(struct daemon *d)
{
    bool late = dsp_clock_ms() >= d->drain_until_ms;

    if (d->releasing || (d->actor.in_flight > 0 && !late)) {
        return;
    }
    if (!late && (dsp_recorder_stats_get(d->recorder).queued > 0 || !dsp_kube_client_is_idle(d->client))) {
        return;
    }
    if (d->lease != NULL && dsp_lease_is_leader(d->lease)) {
        d->releasing = true;
        dsp_lease_release(d->lease, on_released, d);
    } else {
        end(d, 0);
    }
}

static void on_drain(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    drain(arg);
}

static void on_stop_signal(evutil_socket_t number, short what, void *arg)
{
    struct daemon *d = arg;

    (void) what;
    if (d->draining) {
        dsp_log(DSP_LOG_WARN, "second signal, exiting at once", DSP_LOG_INT("signal", number));
        end(d, 1);
        return;
    }
    dsp_log(DSP_LOG_INFO, "stopping", DSP_LOG_INT("signal", number), DSP_LOG_INT("in_flight", d->actor.in_flight));
    d->draining = true;
    d->actor.stopping = true;
    d->drain_until_ms = dsp_clock_ms() + DRAIN_MS;
    dsp_watches_stop(d->watches);
    event_add(d->drain_event, &(struct timeval){ .tv_usec = 10000 });
}

static void on_no_memory(void *arg)
{
    dsp_log(DSP_LOG_ERROR, "out of memory, exiting", DSP_LOG_INT("status", 1));
    end(arg, 1);
}

/* --- the actor in the event loop ------------------------------------------------------------------------------ */

static bool host_call(void *context, const dsp_call *call, dsp_answer_fn done, void *done_context)
{
    return dsp_api_call(&((struct daemon *) context)->api, call, done, done_context);
}

static void host_event(void *context, const dsp_jobexecution *je, const dsp_transition *t)
{
    dsp_api_event(&((struct daemon *) context)->api, je, t);
}

static void host_kick(void *context)
{
    event_active(((struct daemon *) context)->run_event, EV_TIMEOUT, 0);
}

static int64_t host_now(void *context)
{
    (void) context;
    return dsp_clock_ms();
}

static int64_t host_wall(void *context)
{
    (void) context;
    return dsp_wall_us();
}

static uint32_t host_random(void *context)
{
    uint32_t n = 0;

    (void) context;
    RAND_bytes((unsigned char *) &n, sizeof(n));
    return n;
}

static void on_run(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void) fd;
    (void) what;
    if (d->lease != NULL && d->actor.leading && !dsp_lease_is_leader(d->lease)) {
        d->actor.leading = false; /* after a freeze, this timer may come before the one of the Lease, which ends us */
    }
    dsp_actor_run(&d->actor);
    if (d->actor.no_memory) {
        on_no_memory(d);
        return;
    }
    int64_t next = dsp_actor_next_ms(&d->actor);
    if (next == INT64_MAX || !d->actor.leading || d->actor.stopping) {
        event_del(d->timer_event);
        return;
    }
    int64_t ms = next - dsp_clock_ms();
    ms = ms > 0 ? ms : 0;
    event_add(d->timer_event, &(struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 });
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    int64_t        now = dsp_clock_ms(), lag = now - d->last_tick_ms - 1000;

    (void) fd;
    (void) what;
    d->worst_lag_ms = lag > d->worst_lag_ms ? lag : d->worst_lag_ms * 59 / 60;
    d->last_tick_ms = now;
}

/* --- Kubernetes ----------------------------------------------------------------------------------------------- */

static void on_synced(void *context)
{
    struct daemon *d = context;

    dsp_memory_give_back(); /* the lists were larger than what is kept of them */
    dsp_log(DSP_LOG_INFO, "synced", DSP_LOG_INT("jobexecutions", d->store.by_key.len),
            DSP_LOG_INT("jobtemplates", d->store.templates.len));
    host_kick(d);
}

static void on_missing(void *context, const char *resource, const char *message)
{
    (void) message;
    if (strcmp(resource, "jobs") != 0) {
        dsp_log(DSP_LOG_ERROR,
                "the API server does not know dispatcher.ivan.vc/v1beta1: install the CustomResourceDefinitions (make "
                "install)",
                DSP_LOG_Z("resource", resource));
        end(context, 1);
    }
}

static void on_observed(void *arg, enum dsp_kube_method method, int status, int64_t took_us)
{
    dsp_metrics_request(arg, dsp_kube_method_name(method), status, took_us / 1000);
}

static void lead(struct daemon *d)
{
    d->metrics.leader = true;
    dsp_recorder_enable(d->recorder, true);
    dsp_actor_lead(&d->actor, d->lease != NULL);
}

static void on_leading(void *arg)
{
    dsp_log(DSP_LOG_INFO, "leading", DSP_LOG_Z("lease", ((struct daemon *) arg)->options->leader_name));
    lead(arg);
}

/* There is no way back: what is in flight may end, nothing new is begun, and a new process starts clean. */
static void on_lost(void *arg)
{
    struct daemon *d = arg;

    d->actor.leading = false;
    d->metrics.leader = false;
    if (!d->releasing) {
        dsp_log(DSP_LOG_ERROR, "lost the lease, exiting", DSP_LOG_Z("lease", d->options->leader_name));
        end(d, 1);
    }
}

static void on_holder(void *arg, const char *identity)
{
    (void) arg;
    dsp_log(DSP_LOG_INFO, "lease holder", DSP_LOG_Z("identity", identity));
}

static const dsp_lease_handler lease_handler = { on_leading, on_lost, on_holder };

static dsp_kube_config *load_config(const dsp_options *o, dsp_buf *error)
{
    dsp_kube_sources sources = dsp_kube_sources_env(o->kubeconfig);

    if (o->context != NULL) {
        sources.context = o->context;
    }
    return dsp_kube_config_load(&sources, error);
}

static void on_reload_signal(evutil_socket_t number, short what, void *arg)
{
    struct daemon   *d = arg;
    dsp_buf          error;
    dsp_kube_config *config;

    (void) number;
    (void) what;
    dsp_buf_init(&error, 4096);
    config = load_config(d->options, &error);
    if (config == NULL) {
        dsp_log(DSP_LOG_WARN, "kubeconfig not reloaded", DSP_LOG_Z("error", dsp_buf_cstr(&error)));
    } else {
        dsp_log(DSP_LOG_INFO, "credentials reloaded", DSP_LOG_Z("server", config->server));
    }
    dsp_kube_client_reload(d->client, config);
    dsp_buf_free(&error);
}

/* --- probes and metrics --------------------------------------------------------------------------------------- */

static void serve_metrics(void *context, dsp_buf *out)
{
    struct daemon     *d = context;
    dsp_recorder_stats events = dsp_recorder_stats_get(d->recorder);

    dsp_watches_metrics(d->watches, &d->metrics);
    d->metrics.known = d->store.by_key.len;
    d->metrics.live = d->store.n_lives;
    d->metrics.templates = d->store.templates.len;
    d->metrics.events_sent = events.sent;
    d->metrics.events_dropped = events.dropped + events.failed;
    dsp_metrics_write(&d->metrics, d->options->leader_name, out);
}

static void serve_health(void *context, dsp_buf *out)
{
    struct daemon *d = context;

    if (d->worst_lag_ms > STUCK_MS) {
        dsp_buf_addf(out, "the event loop stood still for %lld ms", (long long) d->worst_lag_ms);
    }
}

static void serve_ready(void *context, dsp_buf *out)
{
    dsp_watches_unready(((struct daemon *) context)->watches, out);
}

/* libevent's own warnings, as lines of our log. */
static void on_event_log(int severity, const char *message)
{
    dsp_log(severity >= EVENT_LOG_WARN ? DSP_LOG_WARN : DSP_LOG_DEBUG,
            "libevent", DSP_LOG_Z("message", message));
}

/* --- start ---------------------------------------------------------------------------------------------------- */

static bool start_loop(struct daemon *d)
{
    struct event_config *config = event_config_new();

    if (config == NULL) {
        return false;
    }
    event_set_log_callback(on_event_log);
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK);
    d->base = event_base_new_with_config(config);
    event_config_free(config);
    if (d->base == NULL) {
        return false;
    }
    d->run_event = event_new(d->base, -1, 0, on_run, d);
    d->timer_event = event_new(d->base, -1, 0, on_run, d);
    d->tick_event = event_new(d->base, -1, EV_PERSIST, on_tick, d);
    d->drain_event = event_new(d->base, -1, EV_PERSIST, on_drain, d);
    d->signals[0] = evsignal_new(d->base, SIGTERM, on_stop_signal, d);
    d->signals[1] = evsignal_new(d->base, SIGINT, on_stop_signal, d);
    d->signals[2] = evsignal_new(d->base, SIGHUP, on_reload_signal, d);
    if (d->run_event == NULL || d->timer_event == NULL || d->tick_event == NULL || d->drain_event == NULL ||
        d->signals[0] == NULL || d->signals[1] == NULL || d->signals[2] == NULL) {
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    d->last_tick_ms = dsp_clock_ms();
    event_add(d->tick_event, &(struct timeval){ .tv_sec = 1 });
    for (int i = 0; i < 3; i++) {
        event_add(d->signals[i], NULL);
    }
    return true;
}

static bool start_client(struct daemon *d, dsp_buf *error)
{
    const dsp_options      *o = d->options;
    dsp_kube_config        *config = load_config(o, error);
    dsp_kube_client_options client = { .user_agent = "dispatcher-controller/" DSP_VERSION,
                                       .max_in_flight = (unsigned) o->max_in_flight,
                                       .qps = (double) o->qps,
                                       .observe = on_observed,
                                       .observe_arg = &d->metrics };
    dsp_recorder_options    recorder = { .component = "jobexecution-controller", .instance = getenv("HOSTNAME") };

    if (config == NULL) {
        return false;
    }
    d->client = dsp_kube_client_new(d->base, config, &client, error);
    if (d->client == NULL) {
        return false;
    }
    config = NULL; /* the client's */
    if (recorder.instance == NULL) {
        recorder.instance = "dispatcher-controller";
    }
    d->recorder = dsp_recorder_new(d->client, &recorder);
    if (d->recorder == NULL) {
        dsp_buf_addz(error, "out of memory");
        return false;
    }
    dsp_recorder_enable(d->recorder, !o->leader_elect);
    d->api = (dsp_api){ .client = d->client, .recorder = d->recorder };
    dsp_log(DSP_LOG_INFO, "starting", DSP_LOG_Z("version", DSP_VERSION),
            DSP_LOG_Z("server", dsp_kube_client_config(d->client)->server),
            DSP_LOG_Z("config", dsp_kube_client_config(d->client)->source));
    return true;
}

static bool start_work(struct daemon *d, dsp_buf *error)
{
    const dsp_options   *o = d->options;
    dsp_template_options templates = { .policy = (o->allow_env ? DSP_TEMPLATE_ALLOW_ENV : 0u) |
                                                 (o->allow_dns ? DSP_TEMPLATE_ALLOW_DNS : 0u) };
    dsp_actor_host       host = { d, host_call, host_event, host_kick, host_now, host_wall, host_random };
    dsp_actor_options    actor = { .max_in_flight = (unsigned) o->max_in_flight, .log_payloads = o->log_payloads };
    dsp_watches_handler  watches = { d, on_synced, on_missing, on_no_memory };

    d->renderer = dsp_job_renderer_new(&templates);
    d->watches = dsp_watches_new(d->client, &d->store, o->namespaces, o->n_namespaces, &watches);
    if (d->renderer == NULL || d->watches == NULL) {
        dsp_buf_addz(error, "out of memory");
        return false;
    }
    dsp_actor_init(&d->actor, &d->store, d->renderer, &d->metrics, &host, &actor);
    return true;
}

static bool start_lease(struct daemon *d, dsp_buf *error)
{
    const dsp_options *o = d->options;
    const char *ns = o->leader_namespace != NULL ? o->leader_namespace : dsp_kube_client_config(d->client)->namespace_;
    dsp_buf     identity;
    dsp_lease_options lease = { .namespace_ = ns,
                                .name = o->leader_name,
                                .duration_ms = o->lease_ms,
                                .renew_ms = o->renew_ms,
                                .retry_ms = o->retry_ms };

    if (!o->leader_elect) {
        lead(d);
        return true;
    }
    dsp_buf_init(&identity, 512);
    if (!dsp_lease_identity(&identity, dsp_kube_client_env(d->client))) {
        dsp_buf_addz(error, "no identity for the lease: no random bytes");
    } else {
        lease.identity = dsp_buf_cstr(&identity);
        d->lease = dsp_lease_new(d->client, &lease, &lease_handler, d, error);
    }
    if (d->lease != NULL) {
        dsp_log(DSP_LOG_INFO, "waiting for the lease", DSP_LOG_Z("namespace", ns), DSP_LOG_Z("lease", o->leader_name),
                DSP_LOG_Z("identity", lease.identity));
        dsp_lease_start(d->lease);
    }
    dsp_buf_free(&identity);
    return d->lease != NULL;
}

static bool start_servers(struct daemon *d, dsp_buf *error)
{
    const dsp_options *o = d->options;
    dsp_serve_options  serve = { .metrics_bind = o->metrics_bind,
                                 .probe_bind = o->probe_bind,
                                 .cert_file = o->metrics_secure ? o->metrics_cert : NULL,
                                 .key_file = o->metrics_secure ? o->metrics_key : NULL };
    dsp_serve_source   source = { d, serve_metrics, serve_health, serve_ready };

    d->servers = dsp_serve_start(d->base, &serve, &source, error);
    return d->servers != NULL;
}

static void free_all(struct daemon *d)
{
    struct event *events[] = { d->run_event,  d->timer_event, d->tick_event, d->drain_event,
                               d->signals[0], d->signals[1],  d->signals[2] };

    dsp_serve_stop(d->servers);
    dsp_watches_free(d->watches);
    dsp_lease_free(d->lease);
    dsp_recorder_free(d->recorder);
    dsp_kube_client_free(d->client);
    dsp_api_free(&d->api);
    dsp_actor_free(&d->actor);
    dsp_store_free(&d->store);
    dsp_job_renderer_free(d->renderer);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    if (d->base != NULL) {
        event_base_free(d->base);
    }
}

int dsp_daemon_run(const dsp_options *options)
{
    struct daemon *d = calloc(1, sizeof(*d));
    dsp_buf        error;
    int            status = 1;

    if (d == NULL) {
        return 1;
    }
    d->options = options;
    dsp_store_init(&d->store);
    d->actor.store = &d->store;
    dsp_buf_init(&error, 4096);
    dsp_kube_global_init();
    if (!start_loop(d)) {
        dsp_buf_addz(&error, "no event loop");
    } else if (start_client(d, &error) && start_work(d, &error) && start_servers(d, &error) && start_lease(d, &error)) {
        dsp_watches_start(d->watches);
        event_base_dispatch(d->base);
        status = d->status;
        dsp_log(DSP_LOG_INFO, "stopped", DSP_LOG_INT("status", status));
    }
    if (error.len > 0) {
        dsp_log(DSP_LOG_ERROR, "cannot start", DSP_LOG_Z("error", dsp_buf_cstr(&error)));
    }
    dsp_buf_free(&error);
    free_all(d);
    free(d);
    dsp_kube_global_cleanup();
    return status;
}
