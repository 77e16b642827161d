/*
 * What the controller counts, and the text that Prometheus reads (exposition format 0.0.4). The names are the
 * original's and those that every controller-runtime program has, so that existing dashboards work; ours begin with
 * dispatcher_. docs/operate.md explains each.
 */
#ifndef DSP_CONTROLLER_METRICS_H
#define DSP_CONTROLLER_METRICS_H

#include "base/buf.h"

#define DSP_BUCKETS_MAX 16
#define DSP_REQUESTS_MAX 64 /* pairs of method and code */

/* Durations. Buckets are shared: 1 ms to 60 s. */
typedef struct dsp_histogram {
    uint64_t count[DSP_BUCKETS_MAX + 1]; /* not cumulative; the last one is over all bounds */
    uint64_t n;
    double   sum; /* seconds */
} dsp_histogram;

void dsp_histogram_add(dsp_histogram *h, int64_t ms);

enum dsp_watch_kind { DSP_WATCH_TEMPLATES = 0, DSP_WATCH_EXECUTIONS, DSP_WATCH_JOBS, DSP_WATCHES };

typedef struct dsp_metrics {
    uint64_t executions; /* the original's three */
    uint64_t failures;
    uint64_t successes;

    uint64_t      reconciles;       /* actions that ended, with or without success */
    uint64_t      reconcile_errors; /* of them, those that failed and are repeated */
    dsp_histogram reconcile_time;   /* of an action, from its request to its answer */

    uint64_t      queue_adds;
    uint64_t      queue_retries;
    uint64_t      queue_depth;
    dsp_histogram queue_wait;
    uint64_t      active;     /* actions under way */
    uint64_t      max_active; /* as configured */

    struct {
        char     method[8];
        int      code; /* 0: no answer */
        uint64_t n;
    } requests[DSP_REQUESTS_MAX];
    size_t        n_requests;
    dsp_histogram request_time;

    uint64_t watch_starts[DSP_WATCHES]; /* watches opened */
    uint64_t lists[DSP_WATCHES];        /* lists read */
    uint64_t watch_events[DSP_WATCHES];

    uint64_t known; /* JobExecutions */
    uint64_t live;  /* of them, with something to do or to wait for */
    uint64_t templates;

    dsp_histogram create_delay; /* JobExecution seen → Job requested */
    dsp_histogram status_delay; /* Job's end seen → status stored */

    uint64_t events_sent;
    uint64_t events_dropped;

    bool leader;
} dsp_metrics;

/* Counts an answered (or failed, code 0) request. */
void dsp_metrics_request(dsp_metrics *m, const char *method, int code, int64_t ms);

/* The whole page. Reads /proc for process_*. */
void dsp_metrics_write(const dsp_metrics *m, const char *lease, dsp_buf *out);

#endif
