/*
 * The actor against a host that records its requests: what is asked, in which order, when again, what is counted and
 * what is logged.
 */
#include "unit.h"

#include <unistd.h>

#include "base/log.h"
#include "controller/action.h"

#define CALLS_MAX 64

struct call {
    char          method[8];
    char          path[512];
    char          body[8192];
    dsp_answer_fn done;
    void         *context;
};

static struct call       calls[CALLS_MAX];
static size_t            n_calls; /* that wait for their answer */
static size_t            n_events;
static char              events[256];
static int64_t           clock_ms;
static dsp_store         store;
static dsp_actor         actor;
static dsp_metrics       metrics;
static dsp_job_renderer *renderer;

/* --- the host ------------------------------------------------------------------------------------------------- */

static bool host_call(void *context, const dsp_call *call, dsp_answer_fn done, void *done_context)
{
    (void) context;
    assert_true(n_calls < CALLS_MAX);
    struct call *c = &calls[n_calls++];
    snprintf(c->method, sizeof(c->method), "%s", call->method);
    snprintf(c->path, sizeof(c->path), "%.*s", DSP_STR_ARG(call->path));
    snprintf(c->body, sizeof(c->body), "%.*s", (int) call->body.len, call->body.len > 0 ? call->body.data : "");
    if (call->method[0] == 'G') {
        assert_null(call->body.data); /* libcurl would make it a POST */
        assert_null(call->content_type);
    }
    assert_true(call->deadline_ms > 0);
    c->done = done;
    c->context = done_context;
    return true;
}

static void host_event(void *context, const dsp_jobexecution *je, const dsp_transition *t)
{
    (void) context;
    (void) je;
    n_events++;
    snprintf(events + strlen(events), sizeof(events) - strlen(events), "%s ", t->event);
}

static void host_kick(void *context)
{
    (void) context;
}

static int64_t host_now(void *context)
{
    (void) context;
    return clock_ms;
}

static int64_t host_wall(void *context)
{
    (void) context;
    return 1767225600000000 + clock_ms * 1000;
}

static uint32_t random_number;

static uint32_t host_random(void *context)
{
    (void) context;
    return random_number;
}

/* --- the world ------------------------------------------------------------------------------------------------ */

static dsp_json parse(const char *text)
{
    dsp_json value;

    if (!dsp_json_parse(dsp_str_from(text), &value, NULL)) {
        fail_msg("%s", text);
    }
    return value;
}

static void begin(unsigned max_in_flight, bool log_payloads)
{
    static const dsp_actor_host host = { NULL, host_call, host_event, host_kick, host_now, host_wall, host_random };

    memset(&metrics, 0, sizeof(metrics));
    n_calls = n_events = 0;
    events[0] = '\0';
    clock_ms = 1000000;
    random_number = 7;
    dsp_store_init(&store);
    dsp_actor_init(&actor, &store, renderer, &metrics, &host,
                   &(dsp_actor_options){ .max_in_flight = max_in_flight, .log_payloads = log_payloads });
    for (int k = 0; k < DSP_KINDS; k++) {
        dsp_store_synced(&store, (enum dsp_kind) k);
    }
    actor.leading = true;
}

static int setup(void **state)
{
    (void) state;
    renderer = dsp_job_renderer_new(NULL);
    assert_non_null(renderer);
    begin(4, false);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    dsp_actor_free(&actor);
    dsp_store_free(&store);
    dsp_job_renderer_free(renderer);
    return 0;
}

static void see(enum dsp_kind kind, const char *text)
{
    assert_true(dsp_store_put(&store, kind, parse(text)));
}

static void template_with(const char *arg)
{
    static int rv;
    char       text[1024];

    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"uid\":\"tu\",\"resourceVersion\":\"%d\"},\"spec\":{"
             "\"jobTemplate\":{\"metadata\":{},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"main\","
             "\"args\":[\"%s\"]}]}}}}}}",
             ++rv, arg);
    see(DSP_KIND_TEMPLATE, text);
}

static const char *je(const char *name, int rv, const char *status)
{
    static char text[4096];

    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"uid-%s\",\"resourceVersion\":\"%d\","
             "\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{\"jobTemplateName\":\"t\",\"payload\":"
             "\"hush-hush\"},\"status\":{%s}}",
             name, name, rv, status);
    return text;
}

static const char *job(const char *owner, int rv, const char *status)
{
    static char text[2048];

    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"j-%s\",\"namespace\":\"ns\",\"uid\":\"job-%s\",\"resourceVersion\":\"%d\","
             "\"ownerReferences\":[{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"name\":"
             "\"%s\",\"uid\":\"uid-%s\",\"controller\":true}]},\"spec\":{},\"status\":{%s}}",
             owner, owner, rv, owner, owner, status);
    return text;
}

/* Runs the actor and expects exactly one request to be under way. */
static struct call *only_call(const char *method, const char *path_part)
{
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 1);
    assert_string_equal(calls[0].method, method);
    if (strstr(calls[0].path, path_part) == NULL) {
        fail_msg("%s %s, not %s", calls[0].method, calls[0].path, path_part);
    }
    return &calls[0];
}

static void answer_nth(size_t n, const dsp_answer *answer)
{
    assert_true(n < n_calls);
    struct call c = calls[n];
    memmove(&calls[n], &calls[n + 1], (n_calls - n - 1) * sizeof(calls[0]));
    n_calls--;
    c.done(c.context, answer);
}

static void answer(int status, const char *body)
{
    answer_nth(0, &(dsp_answer){ .status = status, .body = dsp_str_from(body), .retry_after_ms = -1 });
}

static void no_answer(bool sent)
{
    answer_nth(0, &(dsp_answer){ .retry_after_ms = -1, .error = "connection reset", .not_sent = !sent });
}

static const char *status_text(int code, const char *reason, const char *message)
{
    static char text[1024];

    snprintf(text, sizeof(text),
             "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"%s\",\"message\":\"%s\","
             "\"code\":%d}",
             reason, message, code);
    return text;
}

/* Sets the clock to the actor's next timer, which must be there, and gives how long that was. */
static int64_t pass_time(void)
{
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    int64_t from = clock_ms, next = dsp_actor_next_ms(&actor);

    assert_true(next != INT64_MAX);
    clock_ms = next > clock_ms ? next : clock_ms;
    return clock_ms - from;
}

/* What goes to standard error from here on. */
static int saved_stderr = -1;
static char log_path[] = "/tmp/dispatcher-act-XXXXXX";

static void catch_log(void)
{
    memcpy(log_path + sizeof(log_path) - 7, "XXXXXX", 6);
    int fd = mkstemp(log_path);

    assert_true(fd >= 0);
    fflush(stderr);
    saved_stderr = dup(2);
    dup2(fd, 2);
    close(fd);
}

static const char *caught_log(void)
{
    static char text[16384];

    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    FILE *f = fopen(log_path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    unlink(log_path);
    return text;
}

#define RECORDED                                                                                                       \
    "\"job\":{\"name\":\"j-a\",\"uid\":\"job-a\"},\"conditions\":[{\"type\":\"Waiting\",\"status\":\"False\","          \
    "\"reason\":\"JobRunning\",\"message\":\"Job has started\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"},"       \
    "{\"type\":\"Running\",\"status\":\"True\",\"reason\":\"JobRunning\",\"message\":\"Job is running\","              \
    "\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]"
#define RUNNING "\"startTime\":\"2026-01-01T00:00:01Z\",\"active\":1"
#define COMPLETE                                                                                                       \
    "\"startTime\":\"2026-01-01T00:00:01Z\",\"completionTime\":\"2026-01-01T00:00:02Z\",\"succeeded\":1,"              \
    "\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]"
#define FAILED "\"startTime\":\"2026-01-01T00:00:01Z\",\"failed\":1,\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\"}]"

/* The object that a status patch makes of it, as the API server would answer. */
static const char *patched(const char *name, int rv, const char *body)
{
    const char *from = strstr(body, "\"status\":{");
    char        status[2048];

    assert_non_null(from);
    from += strlen("\"status\":{");
    const char *to = body + strlen(body) - 2; /* "}}" */
    snprintf(status, sizeof(status), "%.*s", (int) (to - from), from);
    return je(name, rv, status);
}

/* --- the plain path ------------------------------------------------------------------------------------------- */

static void one_execution(void **state)
{
    (void) state;
    template_with("{{ .Payload }}");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    assert_non_null(strstr(only_call("POST", "/apis/batch/v1/namespaces/ns/jobs")->body, "hush-hush"));
    answer(201, job("a", 11, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    struct call *c = only_call("PATCH", "/namespaces/ns/jobexecutions/a/status");
    assert_non_null(strstr(c->body, "\"uid\":\"job-a\""));
    assert_non_null(strstr(c->body, "\"resourceVersion\":\"10\""));
    char *first = strdup(patched("a", 13, c->body));
    answer(200, first);
    free(first);
    assert_string_equal(events, "Created Started ");
    assert_int_equal(metrics.executions, 1);
    clock_ms += 5;
    see(DSP_KIND_JOB, job("a", 14, COMPLETE));
    clock_ms += 3;
    c = only_call("PATCH", "/namespaces/ns/jobexecutions/a/status");
    answer(200, patched("a", 15, c->body));
    assert_string_equal(events, "Created Started Completed ");
    assert_int_equal(metrics.successes, 1);
    assert_int_equal(metrics.failures, 0);
    assert_int_equal(metrics.executions, 1);
    assert_int_equal(metrics.status_delay.n, 1);
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_true(dsp_actor_next_ms(&actor) == INT64_MAX);
    assert_null(dsp_store_find_uid(&store, DSP_STR("uid-a"))->live); /* only keys and state stay */
    assert_int_equal(metrics.reconciles, 3);
    assert_int_equal(metrics.reconcile_errors, 0);
}

static void the_watch_brings_what_was_answered(void **state)
{
    (void) state;
    one_execution(NULL);
    char *again = strdup(je("a", 15, RECORDED)); /* the same resourceVersion */
    see(DSP_KIND_EXECUTION, again);
    see(DSP_KIND_JOB, job("a", 14, COMPLETE));
    dsp_actor_run(&actor);
    free(again);
    assert_int_equal(n_calls, 0);
    assert_int_equal(n_events, 3);
    assert_int_equal(metrics.successes, 1);
}

/* --- when it fails -------------------------------------------------------------------------------------------- */

static void unclear_status_is_counted_once(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    char *stored = strdup(patched("a", 13, only_call("PATCH", "/status")->body));
    no_answer(true);
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_int_equal(n_events, 0);
    see(DSP_KIND_EXECUTION, stored); /* it was stored after all */
    clock_ms += 60000;
    dsp_actor_run(&actor);
    assert_string_equal(events, "Created Started ");
    assert_int_equal(metrics.executions, 1);
    assert_int_equal(n_calls, 0);
    free(stored);
}

static void unclear_status_is_read_before_it_is_sent_again(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    only_call("PATCH", "/status");
    no_answer(true);
    pass_time();
    only_call("GET", "/jobexecutions/a");
    answer(200, je("a", 10, "")); /* not stored */
    assert_int_equal(n_events, 0);
    pass_time();
    struct call *c = only_call("PATCH", "/status");
    answer(200, patched("a", 14, c->body));
    assert_string_equal(events, "Created Started ");
    assert_int_equal(metrics.executions, 1);
}

static void conflict_waits_for_the_newer_object(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    only_call("PATCH", "/status");
    answer(409, status_text(409, "Conflict", "the object has been modified"));
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    see(DSP_KIND_EXECUTION, je("a", 11, ""));
    assert_non_null(strstr(only_call("PATCH", "/status")->body, "\"resourceVersion\":\"11\""));
}

/* Somebody else wrote the JobExecution, perhaps its Job's uid: not a moment to make a Job. */
static void a_stale_execution_gets_no_job(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("PATCH", "/status"); /* Waiting: TemplateNotFound */
    answer(409, status_text(409, "Conflict", "the object has been modified"));
    template_with("x");
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    pass_time();
    only_call("GET", "/jobexecutions/a");
    answer(200, je("a", 20, RECORDED)); /* the other's Job: it is followed */
    only_call("GET", "/jobs/j-a");
}

static void refused_is_visible_and_tried_again(void **state)
{
    int64_t last = 0;

    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    for (int i = 0, rv = 10; i < 20; i++) {
        if (i > 0) {
            last = pass_time();
        }
        only_call("POST", "/jobs");
        answer(403, status_text(403, "Forbidden", "exceeded quota: q"));
        dsp_actor_run(&actor);
        if (n_calls == 1) { /* the condition: once */
            assert_int_equal(i, 0);
            assert_non_null(strstr(calls[0].body, "JobRefused"));
            assert_non_null(strstr(calls[0].body, "exceeded quota: q"));
            answer(200, patched("a", ++rv, calls[0].body));
            dsp_actor_run(&actor);
        }
        assert_int_equal(n_calls, 0);
    }
    assert_true(last >= DSP_BACKOFF_MAX_MS / 2 && last <= DSP_BACKOFF_MAX_MS);
    assert_int_equal(metrics.queue_retries, 20);
    assert_int_equal(metrics.reconcile_errors, 20);
    assert_string_equal(events, "JobRefused ");
}

static void retry_after_is_honoured(void **state)
{
    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    answer_nth(0, &(dsp_answer){ .status = 429, .body = DSP_STR("slow down"), .retry_after_ms = 7000 });
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_int_equal(pass_time(), 7000);
    only_call("POST", "/jobs");
}

static void retry_after_is_honoured_by_a_status(void **state)
{
    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    answer(201, job("a", 11, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    only_call("PATCH", "/jobexecutions/a/status");
    answer_nth(0, &(dsp_answer){ .status = 429, .body = DSP_STR("slow down"), .retry_after_ms = 7000 });
    assert_int_equal(pass_time(), 7000);
    only_call("PATCH", "/jobexecutions/a/status");
}

/* Another Job of that name may have left pods. */
static void pods_are_found_by_the_uid_of_the_job(void **state)
{
    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    answer(201, job("a", 11, ""));
    see(DSP_KIND_JOB, job("a", 12, FAILED));
    only_call("GET", "/api/v1/namespaces/ns/pods?limit=100&labelSelector=controller-uid%3Djob-a");
}

static void backoff_has_bounds(void **state)
{
    (void) state;
    for (unsigned failures = 0; failures < 100; failures++) {
        for (unsigned r = 0; r < 3; r++) {
            random_number = r == 0 ? 0 : r == 1 ? UINT32_MAX : 12345;
            int64_t ms = dsp_backoff_ms(&actor, failures);
            assert_true(ms >= DSP_BACKOFF_MIN_MS / 2 && ms <= DSP_BACKOFF_MAX_MS);
        }
    }
    assert_true(dsp_backoff_ms(&actor, UINT32_MAX) <= DSP_BACKOFF_MAX_MS);
}

static void unclear_create_is_read(void **state)
{
    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    no_answer(true);
    only_call("GET", "/jobs/a-");
    answer(404, "not found"); /* a proxy's page: says nothing about the Job */
    pass_time();
    only_call("GET", "/jobs/a-");
    answer(404, status_text(404, "NotFound", "jobs not found"));
    clock_ms += 1000;
    only_call("POST", "/jobs");
    no_answer(false); /* surely not sent: no read */
    pass_time();
    only_call("POST", "/jobs");
}

static void a_foreign_job_has_the_name(void **state)
{
    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    answer(409, status_text(409, "AlreadyExists", "jobs already exists"));
    only_call("GET", "/jobs/a-");
    answer(200, job("b", 5, ""));
    struct call *c = only_call("PATCH", "/status");
    assert_non_null(strstr(c->body, "JobNameConflict"));
    answer(200, patched("a", 11, c->body));
    assert_string_equal(events, "JobNameConflict ");
    pass_time();
    only_call("POST", "/jobs");
}

static void deleted_while_its_job_is_made(void **state)
{
    (void) state;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    assert_true(dsp_store_drop(&store, DSP_KIND_EXECUTION, parse(je("a", 11, ""))));
    answer(201, job("a", 12, ""));
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_int_equal(n_events, 0);
    assert_true(dsp_store_drop(&store, DSP_KIND_JOB, parse(job("a", 13, ""))));
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_null(dsp_store_find_uid(&store, DSP_STR("uid-a"))); /* nothing is left of it */
}

static void deleted_while_its_status_is_written(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    only_call("PATCH", "/status");
    assert_true(dsp_store_drop(&store, DSP_KIND_EXECUTION, parse(je("a", 11, ""))));
    answer(404, status_text(404, "NotFound", "jobexecutions not found"));
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_int_equal(n_events, 0);
    assert_int_equal(metrics.executions, 0);
}

/* The answer of a write may come after the news that its object is gone: it does not bring it back. */
static void a_late_answer_does_not_raise_the_dead(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    char *stored = strdup(patched("a", 11, only_call("PATCH", "/status")->body)); /* Waiting: TemplateNotFound */
    assert_true(dsp_store_drop(&store, DSP_KIND_EXECUTION, parse(je("a", 12, ""))));
    answer(200, stored);
    free(stored);
    template_with("x");
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
    assert_null(dsp_store_find_uid(&store, DSP_STR("uid-a")));
}

/* The same where another one has its name by now: that one must not be forgotten. */
static void a_late_answer_does_not_hide_the_next_of_that_name(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    char *stored = strdup(patched("a", 11, only_call("PATCH", "/status")->body));
    assert_true(dsp_store_drop(&store, DSP_KIND_EXECUTION, parse(je("a", 12, ""))));
    char *next = strdup(je("a", 13, ""));
    memcpy(strstr(next, "uid-a"), "uid-2", 5);
    see(DSP_KIND_EXECUTION, next);
    free(next);
    answer(200, stored);
    free(stored);
    template_with("x");
    assert_non_null(strstr(only_call("POST", "/jobs")->body, "\"uid-2\""));
}

/* --- the queue ------------------------------------------------------------------------------------------------ */

static void no_more_than_so_many_at_a_time(void **state)
{
    char name[16];

    (void) state;
    template_with("x");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "e%d", i);
        see(DSP_KIND_EXECUTION, je(name, 10 + i, ""));
    }
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 4);
    assert_int_equal(metrics.active, 4);
    assert_int_equal(metrics.queue_depth, 6);
    answer(503, "");
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 4);
    actor.stopping = true;
    answer(503, "");
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 3); /* nothing new is begun */
}

static void fresh_work_goes_before_old_work(void **state)
{
    char name[16];

    (void) state;
    template_with("x");
    dsp_store_replace_begin(&store, DSP_KIND_EXECUTION, DSP_STR(""));
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "old%d", i);
        see(DSP_KIND_EXECUTION, je(name, 10 + i, ""));
    }
    dsp_store_replace_end(&store, DSP_KIND_EXECUTION, DSP_STR(""));
    see(DSP_KIND_EXECUTION, je("fresh", 40, ""));
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 4);
    assert_non_null(strstr(calls[0].body, "\"fresh\""));
    assert_non_null(strstr(calls[1].body, "\"old0\""));
    assert_int_equal(metrics.create_delay.n, 1); /* only of what an event told */
}

/* A load that the server cannot bear for good must not keep old work out for good. */
static void old_work_gets_its_turn(void **state)
{
    char name[24];
    int  fresh_before = 0;

    (void) state;
    dsp_actor_run(&actor);
    template_with("x");
    dsp_store_replace_begin(&store, DSP_KIND_EXECUTION, DSP_STR(""));
    see(DSP_KIND_EXECUTION, je("old", 10, ""));
    dsp_store_replace_end(&store, DSP_KIND_EXECUTION, DSP_STR(""));
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "fresh%d", i);
        see(DSP_KIND_EXECUTION, je(name, 40 + i, ""));
    }
    while (dsp_actor_run(&actor), strstr(calls[0].body, "\"old\"") == NULL) {
        assert_non_null(strstr(calls[0].body, "\"fresh"));
        answer(403, status_text(403, "Forbidden", "exceeded quota: q"));
        fresh_before++;
    }
    assert_int_equal(fresh_before, DSP_OLD_TURN - 1);
}

static void a_standby_writes_nothing(void **state)
{
    (void) state;
    actor.leading = false;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    dsp_actor_run(&actor);
    assert_int_equal(n_calls, 0);
}

/* --- the log -------------------------------------------------------------------------------------------------- */

static void a_failure_names_an_execution_that_has_gone_meanwhile(void **state)
{
    (void) state;
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    see(DSP_KIND_JOB, job("a", 12, RUNNING));
    only_call("PATCH", "/status");
    assert_true(dsp_store_drop(&store, DSP_KIND_EXECUTION, parse(je("a", 11, ""))));
    catch_log();
    answer(503, status_text(503, "ServiceUnavailable", "away"));
    assert_non_null(strstr(caught_log(), "status not stored\" namespace=ns jobexecution=a status=503"));
}

/* A template's author can put the payload into the error; the API server quotes what it refuses. */
static void payloads_stay_out_of_the_log(void **state)
{
    (void) state;
    catch_log();
    template_with("{{ fail .Payload }}");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    struct call *c = only_call("PATCH", "/status");
    bool         told = strstr(c->body, "TemplateError") != NULL && strstr(c->body, "hush-hush") != NULL;
    answer(200, patched("a", 11, c->body));
    template_with("x");
    see(DSP_KIND_EXECUTION, je("b", 20, ""));
    dsp_actor_run(&actor);
    answer(422, status_text(422, "Invalid", "spec: Invalid value: 'hush-hush'"));
    dsp_actor_run(&actor);
    told = told && strstr(calls[0].body, "InvalidJob") != NULL && strstr(calls[0].body, "hush-hush") != NULL;
    answer(200, patched("b", 21, calls[0].body));
    see(DSP_KIND_EXECUTION, je("c", 30, ""));
    dsp_actor_run(&actor);
    answer(403, status_text(403, "Forbidden", "admission webhook denied: hush-hush"));
    dsp_actor_run(&actor);
    answer(200, patched("c", 31, calls[0].body));
    const char *log = caught_log();
    assert_true(told); /* in the condition */
    assert_non_null(strstr(log, "TemplateError"));
    assert_non_null(strstr(log, "InvalidJob"));
    assert_non_null(strstr(log, "JobRefused"));
    assert_non_null(strstr(log, "spec.template.spec.containers[0].args[0]"));
    assert_null(strstr(log, "hush-hush"));
}

static void payloads_are_logged_when_asked_for(void **state)
{
    (void) state;
    dsp_actor_free(&actor);
    dsp_store_free(&store);
    begin(4, true);
    template_with("x");
    catch_log();
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
    assert_non_null(strstr(caught_log(), "hush-hush"));
}

/* --- leadership ----------------------------------------------------------------------------------------------- */

/* What a standby's watch has shown may be late: the leader before us may have made this Job, seen its end, and its TTL
 * may have taken it. */
static void a_new_leader_reads_before_it_makes_a_job(void **state)
{
    (void) state;
    actor.leading = false;
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    dsp_actor_run(&actor);
    dsp_actor_lead(&actor, true);
    only_call("GET", "/jobexecutions/a");
    answer(200, je("a", 10, ""));
    only_call("POST", "/jobs");
    answer(201, job("a", 12, ""));

    see(DSP_KIND_EXECUTION, je("b", 20, "")); /* the watch may still be late */
    only_call("GET", "/jobexecutions/b");
    answer(200, je("b", 25, "\"job\":{\"name\":\"j-b\",\"uid\":\"job-b\"}"));
    only_call("GET", "/jobs/j-b");
    answer(200, job("b", 22, RUNNING));

    clock_ms += DSP_TAKEOVER_MS;
    dsp_actor_run(&actor);
    while (n_calls > 0) {
        answer(503, "");
    }
    see(DSP_KIND_EXECUTION, je("c", 30, ""));
    dsp_actor_run(&actor);
    assert_string_equal(calls[0].method, "POST");
}

static void without_rivals_nothing_is_read_first(void **state)
{
    (void) state;
    actor.leading = false;
    dsp_actor_lead(&actor, false);
    template_with("x");
    see(DSP_KIND_EXECUTION, je("a", 10, ""));
    only_call("POST", "/jobs");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(one_execution),
        T(the_watch_brings_what_was_answered),
        T(unclear_status_is_counted_once),
        T(unclear_status_is_read_before_it_is_sent_again),
        T(conflict_waits_for_the_newer_object),
        T(a_stale_execution_gets_no_job),
        T(refused_is_visible_and_tried_again),
        T(retry_after_is_honoured),
        T(retry_after_is_honoured_by_a_status),
        T(pods_are_found_by_the_uid_of_the_job),
        T(backoff_has_bounds),
        T(unclear_create_is_read),
        T(a_foreign_job_has_the_name),
        T(deleted_while_its_job_is_made),
        T(deleted_while_its_status_is_written),
        T(a_late_answer_does_not_raise_the_dead),
        T(a_late_answer_does_not_hide_the_next_of_that_name),
        T(no_more_than_so_many_at_a_time),
        T(fresh_work_goes_before_old_work),
        T(old_work_gets_its_turn),
        T(a_standby_writes_nothing),
        T(a_failure_names_an_execution_that_has_gone_meanwhile),
        T(payloads_stay_out_of_the_log),
        T(payloads_are_logged_when_asked_for),
        T(a_new_leader_reads_before_it_makes_a_job),
        T(without_rivals_nothing_is_read_first),
    };

    dsp_log_setup(DSP_LOG_INFO, DSP_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
