#include "client.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "client_impl.h"
#include "base/log.h"
#include "base/memory.h"

#define MAX_IN_FLIGHT 16u
#define TIMEOUT_MS    30000

/* Connections may stay open when there is nothing to do, so many; after a burst the others, some 100 KB each with TLS,
 * are given up when it has been quiet for a while. */
#define KEEP_IDLE   2u
#define QUIET_S     15
#define TRY_AGAIN_S 1

const char *dsp_kube_method_name(enum dsp_kube_method method)
{
    static const char *const names[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

    return names[method];
}

/* --- shared with call.c and stream.c --- */

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

void kube_client_rest(dsp_kube_client *c)
{
    if (c->peak > KEEP_IDLE) {
        evtimer_add(c->shrink, &(struct timeval){ .tv_sec = QUIET_S });
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
        evtimer_add(c->shrink, &(struct timeval){ .tv_sec = TRY_AGAIN_S });
        return;
    }
    kube_multi_free(c->calls);
    c->calls = fresh;
    kube_multi_keep(c->calls, (long) (c->options.max_in_flight + KEEP_IDLE));
    while (c->pooled > KEEP_IDLE) {
        curl_easy_cleanup(c->pool[--c->pooled]);
    }
    c->peak = 0;
    dsp_memory_give_back();
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    dsp_kube_client *c = arg;

    (void) fd;
    (void) what;
    kube_streams_pump(c);
    kube_calls_pump(c);
}

static void on_credentials(void *arg)
{
    kube_client_wake(arg);
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

void dsp_kube_client_free(dsp_kube_client *c)
{
    if (c == NULL) {
        return;
    }
    kube_calls_free(c);
    kube_streams_free(c);
    while (c->pooled > 0) {
        curl_easy_cleanup(c->pool[--c->pooled]);
    }
    kube_multi_free(c->calls);
    kube_multi_free(c->watches);
    dsp_kube_auth_free(c->auth);
    kube_target_free(&c->target);
    curl_slist_free_all(c->retired);
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

static void target_retire(dsp_kube_client *c)
{
    struct curl_slist **end = &c->retired;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = c->target.connect_to;
    c->target.connect_to = NULL;
    kube_target_free(&c->target);
}

void dsp_kube_client_reload(dsp_kube_client *c, dsp_kube_config *config)
{
    kube_target target;
    dsp_buf     err;

    if (config == NULL) {
        dsp_kube_auth_reload(c->auth);
        kube_client_wake(c);
        return;
    }
    dsp_buf_init(&err, 4096);
    bool usable = kube_target_init(&target, config, &c->options, &err);
    if (usable && dsp_kube_auth_replace(c->auth, config, &err)) {
        target_retire(c);
        c->target = target;
        dsp_kube_config_free(c->config);
        c->config = config;
        kube_client_wake(c);
    } else {
        dsp_log(DSP_LOG_ERROR, "the new configuration cannot be used, the old one stays",
                DSP_LOG_Z("error", dsp_buf_cstr(&err)));
        if (usable) {
            kube_target_free(&target);
        }
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
    return (dsp_kube_client_stats){ c->queued, c->in_flight, c->n_streams, c->refreshed };
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
