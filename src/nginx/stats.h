
/*
 * What is counted, in shared memory: it survives a reload and the death of a worker. Nothing of a client's (no name, no path) becomes a label.
 */

#ifndef _NGX_HTTP_DISPATCHER_STATS_H_INCLUDED_
#define _NGX_HTTP_DISPATCHER_STATS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "model/api_answer.h"


/* 5 ms … 10 s, and what is longer */
#define NGX_HTTP_DISPATCHER_BUCKETS  12

#define NGX_HTTP_DISPATCHER_CALLS    3
#define NGX_HTTP_DISPATCHER_OUTCOMES 9


/* requests in flight are counted per worker, so that those of a worker that died are not */
typedef struct {
    ngx_atomic_t    pid;
    ngx_atomic_t    in_flight;
} ngx_http_dispatcher_worker_t;


typedef struct {
    ngx_atomic_t    requests;
    ngx_atomic_t    success;
    ngx_atomic_t    failures;
    ngx_atomic_t    not_found;
    ngx_atomic_t    classes[5];    /* 1xx … 5xx */
    ngx_atomic_t    buckets[NGX_HTTP_DISPATCHER_BUCKETS];
    ngx_atomic_t    msec;          /* the sum of all durations */
    ngx_atomic_t    calls[NGX_HTTP_DISPATCHER_CALLS]
                         [NGX_HTTP_DISPATCHER_OUTCOMES];
    ngx_atomic_t    cache_hits;
    ngx_atomic_t    cache_misses;

    ngx_http_dispatcher_worker_t  workers[NGX_MAX_PROCESSES];
} ngx_http_dispatcher_stats_t;


/* all take NULL, when there is no zone, and do nothing then */

void ngx_http_dispatcher_stats_worker(ngx_http_dispatcher_stats_t *stats);
void ngx_http_dispatcher_stats_start(ngx_http_dispatcher_stats_t *stats);
void ngx_http_dispatcher_stats_end(ngx_http_dispatcher_stats_t *stats);
void ngx_http_dispatcher_stats_request(ngx_http_dispatcher_stats_t *stats,
    ngx_uint_t status, ngx_uint_t created, ngx_msec_t msec);
void ngx_http_dispatcher_stats_call(ngx_http_dispatcher_stats_t *stats,
    enum dsp_api_call call, dsp_api_answer *answer);
void ngx_http_dispatcher_stats_cache(ngx_http_dispatcher_stats_t *stats,
    ngx_uint_t hit);

/* the zone's init handler; zone->data becomes the stats */
ngx_int_t ngx_http_dispatcher_stats_init_zone(ngx_shm_zone_t *zone, void *data);

/* metrics.c: the content handler of "dispatcher_metrics" */
ngx_int_t ngx_http_dispatcher_metrics_handler(ngx_http_request_t *r);

extern ngx_msec_t   ngx_http_dispatcher_buckets[];
extern const char  *ngx_http_dispatcher_outcomes[];
extern const char  *ngx_http_dispatcher_call_names[];


#endif /* _NGX_HTTP_DISPATCHER_STATS_H_INCLUDED_ */
