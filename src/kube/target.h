/*
 * Setting up libcurl handles for one API server: address, TLS, proxy, socket options, headers. For the transport only.
 */
#ifndef DSP_KUBE_TARGET_H
#define DSP_KUBE_TARGET_H

#include <curl/curl.h>

#include "auth.h"
#include "client.h"

typedef struct kube_target {
    char              *base;       /* "https://name:port/base": with tls-server-name as the name */
    char              *host;       /* "Host: …" header, when the name is not the server's own; else NULL */
    struct curl_slist *connect_to; /* the same */
    bool               insecure;
    char              *proxy;    /* NULL: from the environment */
    bool               no_proxy; /* never one: the server is this machine (as Go) */
    char              *user_agent;
    long               connect_timeout_ms;
} kube_target;

/* false: the cause is in err. */
bool kube_target_init(kube_target *t, const dsp_kube_config *config, const dsp_kube_client_options *options,
                      dsp_buf *err);
void kube_target_free(kube_target *t);

/* A request that has its own memory, and what libcurl needs while it runs. */
typedef struct kube_request {
    dsp_kube_request   what; /* spans into bytes */
    char              *bytes;
    struct curl_slist *headers;
} kube_request;

/* Copies; false: no memory. */
bool kube_request_copy(kube_request *out, const dsp_kube_request *in);
void kube_request_free(kube_request *r);

/* Prepares the handle (which was reset) for the request. The request must live until the transfer is over. */
bool kube_target_apply(const kube_target *t, CURL *easy, kube_request *r, const dsp_kube_credentials *credentials);

/* Fills status, retry_after_ms, took_us of an answer; outcome and error from the result. errors: CURLOPT_ERRORBUFFER.
 */
void kube_answer_fill(dsp_kube_answer *answer, CURL *easy, CURLcode result, const char *errors, dsp_str body);

#endif
