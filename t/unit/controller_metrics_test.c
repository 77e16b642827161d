/*
 * The page that Prometheus reads: names, buckets, labels, and that each line belongs to a described metric.
 * t/controller_start.t lets promtool judge the page of a running controller.
 */
#include "unit.h"

#include "controller/metrics.h"

static dsp_metrics m;
static dsp_buf     page;

static int setup(void **state)
{
    (void) state;
    memset(&m, 0, sizeof(m));
    dsp_buf_init(&page, 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    dsp_buf_free(&page);
    return 0;
}

static const char *write_page(void)
{
    dsp_buf_reset(&page);
    dsp_metrics_write(&m, "lease", &page);
    assert_false(page.failed);
    return dsp_buf_cstr(&page);
}

/* A line of the page, whole. */
static void has(const char *line)
{
    char text[512];

    snprintf(text, sizeof(text), "\n%s\n", line);
    if (strstr(dsp_buf_cstr(&page), text) == NULL) {
        fail_msg("no line \"%s\" in\n%s", line, dsp_buf_cstr(&page));
    }
}

static void the_originals_names(void **state)
{
    (void) state;
    m.executions = 3;
    m.failures = 1;
    m.successes = 2;
    write_page();
    has("job_executions_total 3");
    has("job_executions_failures_total 1");
    has("job_executions_success_total 2");
    has("# TYPE job_executions_total counter");
}

static void results_add_up(void **state)
{
    (void) state;
    m.reconciles = 10;
    m.reconcile_errors = 4;
    write_page();
    has("controller_runtime_reconcile_total{controller=\"jobexecution\",result=\"success\"} 6");
    has("controller_runtime_reconcile_total{controller=\"jobexecution\",result=\"error\"} 4");
    has("controller_runtime_reconcile_errors_total{controller=\"jobexecution\"} 4");
}

static void histograms_are_cumulative(void **state)
{
    (void) state;
    dsp_histogram_add(&m.status_delay, -5); /* a clock that went back */
    dsp_histogram_add(&m.status_delay, 1);
    dsp_histogram_add(&m.status_delay, 2);
    dsp_histogram_add(&m.status_delay, 3);
    dsp_histogram_add(&m.status_delay, 60000);
    dsp_histogram_add(&m.status_delay, 60001);
    write_page();
    has("dispatcher_status_delay_seconds_bucket{le=\"0.001\"} 2");
    has("dispatcher_status_delay_seconds_bucket{le=\"0.002\"} 3");
    has("dispatcher_status_delay_seconds_bucket{le=\"0.005\"} 4");
    has("dispatcher_status_delay_seconds_bucket{le=\"30\"} 4");
    has("dispatcher_status_delay_seconds_bucket{le=\"60\"} 5");
    has("dispatcher_status_delay_seconds_bucket{le=\"+Inf\"} 6");
    has("dispatcher_status_delay_seconds_count 6");
    has("dispatcher_status_delay_seconds_sum 120.007000");
    has("# TYPE dispatcher_status_delay_seconds histogram");
}

static void requests_by_method_and_code(void **state)
{
    (void) state;
    dsp_metrics_request(&m, "GET", 200, 1);
    dsp_metrics_request(&m, "GET", 200, 1);
    dsp_metrics_request(&m, "POST", 201, 1);
    dsp_metrics_request(&m, "POST", 0, 1);
    write_page();
    has("rest_client_requests_total{code=\"200\",method=\"GET\"} 2");
    has("rest_client_requests_total{code=\"201\",method=\"POST\"} 1");
    has("rest_client_requests_total{code=\"<error>\",method=\"POST\"} 1");
    has("rest_client_request_duration_seconds_count 4");
    for (int code = 300; code < 600; code++) { /* a server that invents codes fills the table and no more */
        dsp_metrics_request(&m, "GET", code, 1);
    }
    assert_int_equal(m.n_requests, DSP_REQUESTS_MAX);
    dsp_metrics_request(&m, "POST", 201, 1);
    write_page();
    has("rest_client_requests_total{code=\"201\",method=\"POST\"} 2");
}

static void gauges_and_watches(void **state)
{
    (void) state;
    m.leader = true;
    m.known = 5;
    m.live = 2;
    m.queue_depth = 7;
    m.active = 3;
    m.max_active = 16;
    m.lists[DSP_WATCH_JOBS] = 4;
    m.watch_starts[DSP_WATCH_TEMPLATES] = 9;
    m.watch_events[DSP_WATCH_EXECUTIONS] = 11;
    m.events_dropped = 1;
    write_page();
    has("leader_election_master_status{name=\"lease\"} 1");
    has("dispatcher_job_executions 5");
    has("dispatcher_job_executions_live 2");
    has("workqueue_depth{name=\"jobexecution\"} 7");
    has("controller_runtime_active_workers{controller=\"jobexecution\"} 3");
    has("controller_runtime_max_concurrent_reconciles{controller=\"jobexecution\"} 16");
    has("dispatcher_lists_total{resource=\"jobs\"} 4");
    has("dispatcher_watch_starts_total{resource=\"jobtemplates\"} 9");
    has("dispatcher_watch_events_total{resource=\"jobexecutions\"} 11");
    has("dispatcher_events_dropped_total 1");
}

/* The value of a metric without labels. */
static double value_of(const char *name)
{
    char        text[128];
    const char *at;

    snprintf(text, sizeof(text), "\n%s ", name);
    at = strstr(dsp_buf_cstr(&page), text);
    assert_non_null(at);
    return strtod(at + strlen(text), NULL);
}

static void the_process(void **state)
{
    (void) state;
    write_page();
    assert_true(value_of("process_resident_memory_bytes") > 100 * 1024);
    assert_true(value_of("process_virtual_memory_bytes") >= value_of("process_resident_memory_bytes"));
    assert_true(value_of("process_open_fds") >= 3 && value_of("process_open_fds") < 100);
    assert_true(value_of("process_max_fds") >= value_of("process_open_fds"));
    assert_true(value_of("process_start_time_seconds") > 1.5e9);
}

/* HELP and TYPE once for each family, before its samples; no sample twice. */
static void every_sample_is_described_once(void **state)
{
    char *copy, *line, *save, family[128] = "";
    char *seen[1024];
    int   n = 0;

    (void) state;
    dsp_metrics_request(&m, "GET", 200, 1);
    copy = strdup(write_page());
    for (line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        size_t len = strcspn(line, " ");

        if (strncmp(line, "# HELP ", 7) == 0) {
            snprintf(family, sizeof(family), "%.*s", (int) strcspn(line + 7, " "), line + 7);
            char *type = strtok_r(NULL, "\n", &save);
            assert_non_null(type);
            assert_int_equal(strncmp(type, "# TYPE ", 7), 0);
            assert_int_equal(strncmp(type + 7, family, strlen(family)), 0);
            line = type;
            len = 7 + strlen(family);
        } else {
            assert_int_equal(strncmp(line, family, strlen(family)), 0);
            len = strrchr(line, ' ') != NULL ? (size_t) (strrchr(line, ' ') - line) : len;
        }
        for (int i = 0; i < n; i++) {
            if (strlen(seen[i]) == len && strncmp(seen[i], line, len) == 0) {
                fail_msg("twice: %s", line);
            }
        }
        assert_true(n < 1024);
        seen[n++] = strndup(line, len);
    }
    assert_true(n > 100);
    while (n > 0) {
        free(seen[--n]);
    }
    free(copy);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(the_originals_names),        T(results_add_up),     T(histograms_are_cumulative),
        T(requests_by_method_and_code), T(gauges_and_watches), T(the_process),
        T(every_sample_is_described_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
