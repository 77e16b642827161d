/*
 * The controller's own HTTP servers: metrics, and the probes of the kubelet. They run in the event loop, so a loop that
 * is stuck answers no probe.
 */
#ifndef DSP_CONTROLLER_SERVE_H
#define DSP_CONTROLLER_SERVE_H

#include <event2/event.h>

#include "base/buf.h"

/* Where the answers come from. */
typedef struct dsp_serve_source {
    void *context;
    void (*metrics)(void *context, dsp_buf *out);
    /* What is wrong, into out; nothing: all is well. */
    void (*health)(void *context, dsp_buf *out);
    void (*ready)(void *context, dsp_buf *out);
} dsp_serve_source;

typedef struct dsp_serve_options {
    const char *metrics_bind; /* "host:port" or ":port"; "0" or "": none */
    const char *probe_bind;
    const char *cert_file; /* both set: metrics over TLS; the files are read again when they change */
    const char *key_file;
} dsp_serve_options;

typedef struct dsp_servers dsp_servers;

/* Binds and serves; the addresses are logged, since port 0 takes a free one. NULL: the text in error says why. */
dsp_servers *dsp_serve_start(struct event_base *base, const dsp_serve_options *options, const dsp_serve_source *source,
                             dsp_buf *error);

void dsp_serve_stop(dsp_servers *s); /* NULL is fine */

/* Splits "host:port", ":port" or "[v6]:port". host has room for 256 bytes and is empty for ":port". false: it is none
 * of these. */
bool dsp_serve_address(const char *text, char host[256], uint16_t *port);

#endif
