/*
 * The inside of the client, shared by client.c, call.c (calls and their queue) and stream.c.
 */
#ifndef DSP_KUBE_CLIENT_IMPL_H
#define DSP_KUBE_CLIENT_IMPL_H

#include <sys/queue.h>

#include "auth.h"
#include "client.h"
#include "multi.h"
#include "target.h"

#define KUBE_POOL_MAX 16

TAILQ_HEAD(kube_call_list, dsp_kube_call);
TAILQ_HEAD(kube_stream_list, dsp_kube_stream);

struct dsp_kube_client {
    struct event_base      *base;
    dsp_kube_config        *config;
    dsp_kube_auth          *auth;
    const dsp_kube_env     *env;
    dsp_kube_client_options options; /* with defaults filled in */
    char                   *user_agent;
    kube_target             target;
    struct curl_slist      *retired; /* connect_to of earlier targets: transfers may still point to them */
    kube_multi             *calls;   /* curl multis */
    kube_multi             *watches;
    struct event           *pump; /* active: look at the queues */

    struct kube_call_list queue[DSP_KUBE_IDLE + 1];
    struct kube_call_list running;
    size_t                queued;
    size_t                in_flight; /* running ones that count */
    size_t                idle_in_flight;
    size_t                urgent_in_flight;
    size_t                peak; /* of in_flight since connections were given up last */
    struct event         *shrink;

    struct kube_stream_list streams; /* waiting or running */
    struct kube_stream_list dead;    /* closed; freed from the event loop */
    size_t                  n_streams;

    double   tokens; /* the bucket of options.qps */
    int64_t  tokens_at;
    uint64_t refreshed;

    CURL  *pool[KUBE_POOL_MAX];
    size_t pooled;
};

static inline int64_t kube_client_now(const dsp_kube_client *c)
{
    return c->env->now_ms(c->env->arg);
}

/* A handle that is as good as new; NULL: no memory. */
CURL *kube_client_easy_get(dsp_kube_client *c);
void  kube_client_easy_put(dsp_kube_client *c, CURL *easy);

void kube_client_wake(dsp_kube_client *c); /* runs the pump soon */
void kube_client_observe(dsp_kube_client *c, enum dsp_kube_method method, int status, int64_t took_us);

void kube_client_rest(dsp_kube_client *c); /* nothing is in flight any more */

/* call.c and stream.c: called by the pump, and at the end. */
void kube_calls_pump(dsp_kube_client *c);
void kube_calls_free(dsp_kube_client *c);
void kube_streams_pump(dsp_kube_client *c);
void kube_streams_free(dsp_kube_client *c);

#endif
