
/*
 * The counters as Prometheus text (exposition format 0.0.4). The four job_requests_* are the original's.
 */


#include "dispatcher.h"

#include "stats.h"

#include <signal.h>


static void ngx_http_dispatcher_metrics_write(dsp_buf *out,
    ngx_http_dispatcher_stats_t *stats);
static void ngx_http_dispatcher_metrics_calls(dsp_buf *out,
    ngx_http_dispatcher_stats_t *stats);
static void ngx_http_dispatcher_metrics_head(dsp_buf *out, const char *name,
    const char *type, const char *help);
static void ngx_http_dispatcher_metrics_duration(dsp_buf *out,
    ngx_http_dispatcher_stats_t *stats);
static uint64_t ngx_http_dispatcher_metrics_in_flight(
    ngx_http_dispatcher_stats_t *stats);


#define NGX_HTTP_DISPATCHER_MAX_METRICS  (64 * 1024)


ngx_int_t
ngx_http_dispatcher_metrics_handler(ngx_http_request_t *r)
{
    dsp_buf                           text;
    ngx_int_t                         rc;
    ngx_buf_t                        *b;
    ngx_chain_t                       out;
    ngx_http_dispatcher_main_conf_t  *dmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);

    dsp_buf_init(&text, NGX_HTTP_DISPATCHER_MAX_METRICS);
    ngx_http_dispatcher_metrics_write(&text, dmcf->zone->data);

    b = text.failed ? NULL : ngx_create_temp_buf(r->pool, text.len);

    if (b) {
        b->last = ngx_cpymem(b->last, text.data, text.len);
    }

    dsp_buf_free(&text);

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    ngx_str_set(&r->headers_out.content_type,
                "text/plain; version=0.0.4; charset=utf-8");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_http_dispatcher_metrics_write(dsp_buf *out,
    ngx_http_dispatcher_stats_t *stats)
{
    ngx_uint_t  i;

    struct {
        const char    *name;
        const char    *help;
        ngx_atomic_t   value;
    } plain[] = {
        { "job_requests_total",
          "The total number of requests to dispatch jobs", stats->requests },
        { "job_requests_failures_total",
          "The total number of failed dispatch job requests", stats->failures },
        { "job_requests_not_found_failures_total",
          "The total number of not found dispatch job requests",
          stats->not_found },
        { "job_requests_success_total",
          "The total number of success dispatch job requests", stats->success },
        { "dispatcher_template_cache_hits_total",
          "Requests whose JobTemplate was known to the worker",
          stats->cache_hits },
        { "dispatcher_template_cache_misses_total",
          "Requests that asked the API server for their JobTemplate",
          stats->cache_misses },
    };

    for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        ngx_http_dispatcher_metrics_head(out, plain[i].name, "counter",
                                         plain[i].help);
        dsp_buf_addf(out, "%s %lu\n", plain[i].name,
                     (unsigned long) plain[i].value);
    }

    ngx_http_dispatcher_metrics_head(out, "dispatcher_http_requests_total",
        "counter", "Requests to dispatcher_execute by class of their status");

    for (i = 0; i < 5; i++) {
        dsp_buf_addf(out, "dispatcher_http_requests_total{class=\"%dxx\"} %lu\n",
                     (int) i + 1, (unsigned long) stats->classes[i]);
    }

    ngx_http_dispatcher_metrics_duration(out, stats);

    ngx_http_dispatcher_metrics_head(out, "dispatcher_http_requests_in_flight",
        "gauge", "Requests to dispatcher_execute that are being served");
    dsp_buf_addf(out, "dispatcher_http_requests_in_flight %lu\n",
        (unsigned long) ngx_http_dispatcher_metrics_in_flight(stats));

    ngx_http_dispatcher_metrics_calls(out, stats);
}


static void
ngx_http_dispatcher_metrics_calls(dsp_buf *out,
    ngx_http_dispatcher_stats_t *stats)
{
    ngx_uint_t  i, n;

    ngx_http_dispatcher_metrics_head(out, "dispatcher_api_calls_total",
        "counter", "Calls of the Kubernetes API by what came of them");

    for (i = 0; i < NGX_HTTP_DISPATCHER_CALLS; i++) {
        for (n = 0; n < NGX_HTTP_DISPATCHER_OUTCOMES; n++) {
            dsp_buf_addf(out, "dispatcher_api_calls_total{call=\"%s\",outcome=\"%s\"} %lu\n",
                         ngx_http_dispatcher_call_names[i],
                         ngx_http_dispatcher_outcomes[n],
                         (unsigned long) stats->calls[i][n]);
        }
    }
}


static void
ngx_http_dispatcher_metrics_head(dsp_buf *out, const char *name,
    const char *type, const char *help)
{
    dsp_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}


static void
ngx_http_dispatcher_metrics_duration(dsp_buf *out,
    ngx_http_dispatcher_stats_t *stats)
{
    ngx_uint_t     i;
    ngx_msec_t     msec;
    unsigned long  count;

    static const char  name[] = "dispatcher_http_request_duration_seconds";

    ngx_http_dispatcher_metrics_head(out, name, "histogram",
        "Time from the first byte of a request to the last of its answer");

    count = 0;

    for (i = 0; i < NGX_HTTP_DISPATCHER_BUCKETS; i++) {
        count += stats->buckets[i];
        msec = ngx_http_dispatcher_buckets[i];

        if (i + 1 < NGX_HTTP_DISPATCHER_BUCKETS) {
            dsp_buf_addf(out, "%s_bucket{le=\"%g\"} %lu\n", name,
                         (double) msec / 1000, count);
        } else {
            dsp_buf_addf(out, "%s_bucket{le=\"+Inf\"} %lu\n", name, count);
        }
    }

    msec = stats->msec;

    dsp_buf_addf(out, "%s_sum %lu.%03lu\n%s_count %lu\n", name,
                 (unsigned long) (msec / 1000), (unsigned long) (msec % 1000),
                 name, count);
}


static uint64_t
ngx_http_dispatcher_metrics_in_flight(ngx_http_dispatcher_stats_t *stats)
{
    uint64_t                       n;
    ngx_uint_t                     i;
    ngx_http_dispatcher_worker_t  *worker;

    n = 0;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        worker = &stats->workers[i];

        if (worker->in_flight
            && (kill((pid_t) worker->pid, 0) == 0 || ngx_errno != NGX_ESRCH))
        {
            n += worker->in_flight;
        }
    }

    return n;
}
