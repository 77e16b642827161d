
#include "stats.h"


ngx_msec_t  ngx_http_dispatcher_buckets[NGX_HTTP_DISPATCHER_BUCKETS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, NGX_MAX_INT_T_VALUE
};


const char  *ngx_http_dispatcher_call_names[NGX_HTTP_DISPATCHER_CALLS] = {
    "get_template", "create_execution", "get_execution"
};


enum {
    ngx_http_dispatcher_ok = 0,
    ngx_http_dispatcher_absent,
    ngx_http_dispatcher_exists,
    ngx_http_dispatcher_refused,
    ngx_http_dispatcher_busy,
    ngx_http_dispatcher_credentials,
    ngx_http_dispatcher_timeout,
    ngx_http_dispatcher_unreachable,
    ngx_http_dispatcher_nonsense
};


const char  *ngx_http_dispatcher_outcomes[NGX_HTTP_DISPATCHER_OUTCOMES] = {
    "ok", "not_found", "already_exists", "refused", "busy", "credentials",
    "timeout", "unreachable", "error"
};


static ngx_uint_t ngx_http_dispatcher_outcome(dsp_api_answer *answer);


ngx_int_t
ngx_http_dispatcher_stats_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data) {

        /* a reload: the counts go on */

        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    zone->data = ngx_slab_calloc(shpool, sizeof(ngx_http_dispatcher_stats_t));

    if (zone->data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "\"dispatcher_zone\" \"%V\" is too small: %uz bytes hold no %uz",
                      &zone->shm.name, zone->shm.size,
                      sizeof(ngx_http_dispatcher_stats_t));
        return NGX_ERROR;
    }

    shpool->data = zone->data;

    return NGX_OK;
}


/* a new worker: whatever its place counted before has died */

void
ngx_http_dispatcher_stats_worker(ngx_http_dispatcher_stats_t *stats)
{
    if (stats) {
        stats->workers[ngx_process_slot].in_flight = 0;
        stats->workers[ngx_process_slot].pid = ngx_pid;
    }
}


void
ngx_http_dispatcher_stats_start(ngx_http_dispatcher_stats_t *stats)
{
    if (stats) {
        (void) ngx_atomic_fetch_add(&stats->workers[ngx_process_slot].in_flight,
                                    1);
    }
}


void
ngx_http_dispatcher_stats_end(ngx_http_dispatcher_stats_t *stats)
{
    if (stats) {
        (void) ngx_atomic_fetch_add(&stats->workers[ngx_process_slot].in_flight,
                                    -1);
    }
}


void
ngx_http_dispatcher_stats_request(ngx_http_dispatcher_stats_t *stats,
    ngx_uint_t status, ngx_uint_t created, ngx_msec_t msec)
{
    ngx_uint_t  i;

    if (stats == NULL) {
        return;
    }

    (void) ngx_atomic_fetch_add(&stats->requests, 1);

    if (created) {
        (void) ngx_atomic_fetch_add(&stats->success, 1);

    } else if (status >= NGX_HTTP_BAD_REQUEST || status == 0) {
        (void) ngx_atomic_fetch_add(&stats->failures, 1);

        if (status == NGX_HTTP_NOT_FOUND) {
            (void) ngx_atomic_fetch_add(&stats->not_found, 1);
        }
    }

    if (status >= 100 && status < 600) {
        (void) ngx_atomic_fetch_add(&stats->classes[status / 100 - 1], 1);
    }

    for (i = 0; msec > ngx_http_dispatcher_buckets[i]; i++) { /* void */ }

    (void) ngx_atomic_fetch_add(&stats->buckets[i], 1);
    (void) ngx_atomic_fetch_add(&stats->msec, msec);
}


void
ngx_http_dispatcher_stats_call(ngx_http_dispatcher_stats_t *stats,
    enum dsp_api_call call, dsp_api_answer *answer)
{
    ngx_uint_t  outcome;

    if (stats) {
        outcome = ngx_http_dispatcher_outcome(answer);
        (void) ngx_atomic_fetch_add(&stats->calls[call][outcome], 1);
    }
}


void
ngx_http_dispatcher_stats_cache(ngx_http_dispatcher_stats_t *stats,
    ngx_uint_t hit)
{
    if (stats) {
        (void) ngx_atomic_fetch_add(hit ? &stats->cache_hits
                                        : &stats->cache_misses, 1);
    }
}


static ngx_uint_t
ngx_http_dispatcher_outcome(dsp_api_answer *answer)
{
    switch (answer->verdict) {

    case DSP_API_DONE:
        return ngx_http_dispatcher_ok;

    case DSP_API_ABSENT:
        return ngx_http_dispatcher_absent;

    case DSP_API_EXISTS:
        return ngx_http_dispatcher_exists;

    default:
        break;
    }

    switch (answer->problem) {

    case DSP_PROBLEM_TEMPLATE_NOT_FOUND:
    case DSP_PROBLEM_NAMESPACE_NOT_FOUND:
        return ngx_http_dispatcher_absent;

    case DSP_PROBLEM_FORBIDDEN:
    case DSP_PROBLEM_INVALID_EXECUTION:
    case DSP_PROBLEM_PAYLOAD_TOO_LARGE:
        return ngx_http_dispatcher_refused;

    case DSP_PROBLEM_TOO_MANY_REQUESTS:
    case DSP_PROBLEM_API_BUSY:
        return ngx_http_dispatcher_busy;

    case DSP_PROBLEM_API_CREDENTIALS:
        return ngx_http_dispatcher_credentials;

    case DSP_PROBLEM_API_TIMEOUT:
        return ngx_http_dispatcher_timeout;

    case DSP_PROBLEM_API_UNREACHABLE:
        return ngx_http_dispatcher_unreachable;

    default:
        return ngx_http_dispatcher_nonsense;
    }
}
