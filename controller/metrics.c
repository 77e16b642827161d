#include "metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const double bounds[DSP_BUCKETS_MAX] = { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                                                0.5,   1,     2,     5,    10,   20,   30,  60 };

void dsp_histogram_add(dsp_histogram *h, int64_t ms)
{
    double seconds = ms > 0 ? (double) ms / 1000 : 0;
    size_t i = 0;

    while (i < DSP_BUCKETS_MAX && seconds > bounds[i]) {
        i++;
    }
    h->count[i]++;
    h->n++;
    h->sum += seconds;
}

void dsp_metrics_request(dsp_metrics *m, const char *method, int code, int64_t ms)
{
    size_t i = 0;

    dsp_histogram_add(&m->request_time, ms);
    while (i < m->n_requests && (m->requests[i].code != code || strcmp(m->requests[i].method, method) != 0)) {
        i++;
    }
    if (i == DSP_REQUESTS_MAX) {
        return;
    }
    if (i == m->n_requests) {
        m->n_requests++;
        snprintf(m->requests[i].method, sizeof(m->requests[i].method), "%s", method);
        m->requests[i].code = code;
    }
    m->requests[i].n++;
}

static void head(dsp_buf *out, const char *name, const char *type, const char *help)
{
    dsp_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(dsp_buf *out, const char *name, const char *labels, const char *type, uint64_t value, const char *help)
{
    head(out, name, type, help);
    dsp_buf_addf(out, "%s%s %llu\n", name, labels, (unsigned long long) value);
}

/* labels without braces, "" for none */
static void histogram(dsp_buf *out, const char *name, const char *labels, const dsp_histogram *h, const char *help)
{
    const char *comma = labels[0] != '\0' ? "," : "";
    uint64_t    sum = 0;

    head(out, name, "histogram", help);
    for (size_t i = 0; i < DSP_BUCKETS_MAX; i++) {
        sum += h->count[i];
        dsp_buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma, bounds[i], (unsigned long long) sum);
    }
    dsp_buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, (unsigned long long) h->n);
    if (labels[0] != '\0') {
        dsp_buf_addf(out, "%s_sum{%s} %.6f\n%s_count{%s} %llu\n", name, labels, h->sum, name, labels,
                     (unsigned long long) h->n);
    } else {
        dsp_buf_addf(out, "%s_sum %.6f\n%s_count %llu\n", name, h->sum, name, (unsigned long long) h->n);
    }
}

static void write_work(const dsp_metrics *m, dsp_buf *out)
{
    const char *c = "{controller=\"jobexecution\"}", *q = "{name=\"jobexecution\"}";

    one(out, "job_executions_total", "", "counter", m->executions, "The total number of dispatched JobExecutions.");
    one(out, "job_executions_failures_total", "", "counter", m->failures, "The total number of failed JobExecutions.");
    one(out, "job_executions_success_total", "", "counter", m->successes,
        "The total number of successful JobExecutions.");

    head(out, "controller_runtime_reconcile_total", "counter", "Reconciliations by result.");
    dsp_buf_addf(out, "controller_runtime_reconcile_total{controller=\"jobexecution\",result=\"success\"} %llu\n",
                 (unsigned long long) (m->reconciles - m->reconcile_errors));
    dsp_buf_addf(out, "controller_runtime_reconcile_total{controller=\"jobexecution\",result=\"error\"} %llu\n",
                 (unsigned long long) m->reconcile_errors);
    one(out, "controller_runtime_reconcile_errors_total", c, "counter", m->reconcile_errors,
        "Reconciliations that failed and are repeated.");
    histogram(out, "controller_runtime_reconcile_time_seconds", "controller=\"jobexecution\"", &m->reconcile_time,
              "Length of a reconciliation's action.");
    one(out, "controller_runtime_active_workers", c, "gauge", m->active, "Actions under way.");
    one(out, "controller_runtime_max_concurrent_reconciles", c, "gauge", m->max_active, "Most actions at a time.");

    one(out, "workqueue_depth", q, "gauge", m->queue_depth, "JobExecutions that wait for their turn.");
    one(out, "workqueue_adds_total", q, "counter", m->queue_adds, "Additions to the queue.");
    one(out, "workqueue_retries_total", q, "counter", m->queue_retries, "Additions after a failure, with backoff.");
    histogram(out, "workqueue_queue_duration_seconds", "name=\"jobexecution\"", &m->queue_wait, "Time in the queue.");
}

static void write_requests(const dsp_metrics *m, dsp_buf *out)
{
    head(out, "rest_client_requests_total", "counter", "Requests to the API server by method and status code.");
    for (size_t i = 0; i < m->n_requests; i++) {
        char code[16] = "<error>";

        if (m->requests[i].code != 0) {
            snprintf(code, sizeof(code), "%d", m->requests[i].code);
        }
        dsp_buf_addf(out, "rest_client_requests_total{code=\"%s\",method=\"%s\"} %llu\n", code, m->requests[i].method,
                     (unsigned long long) m->requests[i].n);
    }
    histogram(out, "rest_client_request_duration_seconds", "", &m->request_time, "Time from a request to its answer.");
}

static void per_watch(dsp_buf *out, const char *name, const uint64_t *values, const char *help)
{
    static const char *const resources[DSP_WATCHES] = { "jobtemplates", "jobexecutions", "jobs" };

    head(out, name, "counter", help);
    for (int i = 0; i < DSP_WATCHES; i++) {
        dsp_buf_addf(out, "%s{resource=\"%s\"} %llu\n", name, resources[i], (unsigned long long) values[i]);
    }
}

static void write_ours(const dsp_metrics *m, dsp_buf *out)
{
    per_watch(out, "dispatcher_watch_starts_total", m->watch_starts, "Watches that were opened.");
    per_watch(out, "dispatcher_lists_total", m->lists,
              "Lists that were read; more than one per resource means watches that could not resume.");
    per_watch(out, "dispatcher_watch_events_total", m->watch_events, "Objects that came by list or watch.");
    one(out, "dispatcher_job_executions", "", "gauge", m->known, "JobExecutions that are known.");
    one(out, "dispatcher_job_executions_live", "", "gauge", m->live,
        "JobExecutions that are not finished, or with something left to do.");
    one(out, "dispatcher_job_templates", "", "gauge", m->templates, "JobTemplates that are known.");
    histogram(out, "dispatcher_job_create_delay_seconds", "", &m->create_delay,
              "From the JobExecution's ADDED event to the request for its Job.");
    histogram(out, "dispatcher_status_delay_seconds", "", &m->status_delay,
              "From the news of a Job's end to the stored status.");
    one(out, "dispatcher_events_sent_total", "", "counter", m->events_sent, "Events that were recorded.");
    one(out, "dispatcher_events_dropped_total", "", "counter", m->events_dropped, "Events that could not be recorded.");
    head(out, "dispatcher_build_info", "gauge", "The version.");
    dsp_buf_addz(out, "dispatcher_build_info{version=\"" DSP_VERSION "\"} 1\n");
}

/* --- the process ---------------------------------------------------------------------------------------------- */

static uint64_t count_fds(void)
{
    DIR     *dir = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the directory's own */
}

/* Seconds since 1970 at which this process started: the machine's boot plus field 22 of /proc/self/stat. */
static double start_time(void)
{
    unsigned long long ticks = 0, boot = 0;
    char               line[1024];
    FILE              *f = fopen("/proc/self/stat", "re");

    if (f != NULL) {
        if (fgets(line, sizeof(line), f) != NULL) {
            char *p = strrchr(line, ')');

            if (p != NULL) {
                (void) sscanf(
                    p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks);
            }
        }
        fclose(f);
    }
    f = fopen("/proc/stat", "re");
    if (f != NULL) {
        while (fgets(line, sizeof(line), f) != NULL) {
            if (sscanf(line, "btime %llu", &boot) == 1) {
                break;
            }
        }
        fclose(f);
    }
    return (double) boot + (double) ticks / (double) sysconf(_SC_CLK_TCK);
}

static void write_process(dsp_buf *out)
{
    struct rusage      use;
    struct rlimit      fds = { 0, 0 };
    unsigned long long pages = 0, resident = 0;
    FILE              *f = fopen("/proc/self/statm", "re");

    if (f != NULL) {
        if (fscanf(f, "%llu %llu", &pages, &resident) != 2) {
            pages = resident = 0;
        }
        fclose(f);
    }
    getrusage(RUSAGE_SELF, &use);
    getrlimit(RLIMIT_NOFILE, &fds);
    head(out, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.");
    dsp_buf_addf(out, "process_cpu_seconds_total %.6f\n",
                 (double) use.ru_utime.tv_sec + (double) use.ru_stime.tv_sec +
                     (double) (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    one(out, "process_resident_memory_bytes", "", "gauge", resident * (uint64_t) sysconf(_SC_PAGESIZE),
        "Resident memory size in bytes.");
    one(out, "process_virtual_memory_bytes", "", "gauge", pages * (uint64_t) sysconf(_SC_PAGESIZE),
        "Virtual memory size in bytes.");
    one(out, "process_open_fds", "", "gauge", count_fds(), "Number of open file descriptors.");
    one(out, "process_max_fds", "", "gauge", (uint64_t) fds.rlim_cur, "Maximum number of open file descriptors.");
    head(out, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.");
    dsp_buf_addf(out, "process_start_time_seconds %.2f\n", start_time());
}

void dsp_metrics_write(const dsp_metrics *m, const char *lease, dsp_buf *out)
{
    write_work(m, out);
    write_requests(m, out);
    write_ours(m, out);
    head(out, "leader_election_master_status", "gauge", "1 while this process leads.");
    dsp_buf_addf(out, "leader_election_master_status{name=\"%s\"} %d\n", lease, m->leader ? 1 : 0);
    write_process(out);
}
