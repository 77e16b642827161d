/*
 * A model check: the store, the queue, the decision and the actions against a server in memory, through every order of
 * what can happen, to a fixed depth, and then through long random walks.
 *
 * What can happen at a step: a request is carried out and answered, or carried out without an answer, or lost, or
 * refused; the watch of one kind delivers its next event (late as it likes); the Job starts, ends, is deleted by
 * somebody; the template goes and comes back; time passes; the controller dies and starts again, while its last
 * requests may still be carried out after its death.
 *
 * What must hold at every step: one JobExecution never has a second Job, a recorded end and a recorded Job never
 * change. And when everything calms down: the end that the Job came to is on the JobExecution, and nothing is left to
 * do.
 */
#include "unit.h"

#include "base/log.h"
#include "controller/act.h"

/* --- the server ----------------------------------------------------------------------------------------------- */

#define TEXT_MAX 4096
#define LOG_MAX 64
#define CALLS_MAX 8
#define TEMPLATE                                                                                                       \
    "{\"metadata\":{\"name\":\"tmpl\",\"namespace\":\"ns\",\"resourceVersion\":\"%d\"},\"spec\":{\"jobTemplate\":{"    \
    "\"spec\":{%s\"a\":\"{{ .Payload }}\"}}}}"

enum job_phase { PHASE_NEW, PHASE_STARTED, PHASE_COMPLETE, PHASE_FAILED };

struct event {
    bool          deleted;
    enum dsp_kind kind;
    char          text[TEXT_MAX];
};

struct call {
    char          method[8];
    char          path[256];
    char          body[TEXT_MAX];
    dsp_answer_fn done; /* NULL: whoever asked is dead */
    void         *context;
};

static struct world {
    int     rv;
    int64_t now_ms;

    bool je_exists;
    int  je_rv;
    char conditions[2048];
    char job_ref[256];

    bool           job_exists;
    int            job_rv, job_n; /* job_n: Jobs ever made */
    char           job_name[80], job_ttl[8];
    bool           job_has_ttl;
    enum job_phase phase;
    bool           ended_seen_by_server; /* it ended while it existed */

    bool template_exists;
    int  template_rv;

    struct event log[LOG_MAX]; /* all changes, in order */
    size_t       n_log;
    size_t       cursor[DSP_KINDS]; /* how far each watch is */

    struct call calls[CALLS_MAX];
    size_t      n_calls;

    bool unsafe;  /* the Job was deleted before it was recorded: only the running process knows that it was there */
    bool touched; /* somebody deleted the Job or the JobExecution: other ends are right */
    char final_condition[2048];
    char recorded_job[256];
} w;

static bool              with_ttl;
static dsp_store         store;
static dsp_actor         actor;
static dsp_metrics       metrics;
static dsp_job_renderer *renderer;
static dsp_arena         arena;
static bool              alive;

static void fail_world(const char *what);

static void je_text(char *out, int rv)
{
    snprintf(out, TEXT_MAX,
             "{\"metadata\":{\"name\":\"je\",\"namespace\":\"ns\",\"uid\":\"je-uid\",\"resourceVersion\":\"%d\"},"
             "\"spec\":{\"jobTemplateName\":\"tmpl\","
             "\"payload\":\"p\"},\"status\":{\"conditions\":%s%s%s}}",
             rv, w.conditions[0] != '\0' ? w.conditions : "[]", w.job_ref[0] != '\0' ? ",\"job\":" : "", w.job_ref);
}

static void job_text(char *out, int rv)
{
    static const char *const status[] = {
        "{}", "{\"startTime\":\"2026-01-01T00:00:00Z\",\"active\":1}",
        "{\"startTime\":\"2026-01-01T00:00:00Z\",\"completionTime\":\"2026-01-01T00:00:01Z\",\"succeeded\":1,"
        "\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}",
        "{\"startTime\":\"2026-01-01T00:00:00Z\",\"failed\":1,\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\","
        "\"reason\":\"BackoffLimitExceeded\"}]}"
    };

    snprintf(
        out, TEXT_MAX,
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"job-%d\",\"resourceVersion\":\"%d\",%s%s%"
        "s\"ownerReferences\":[{\"apiVersion\":"
        "\"dispatcher.ivan.vc/"
        "v1beta1\",\"kind\":\"JobExecution\",\"controller\":true,\"uid\":\"je-uid\"}]},\"spec\":{%s},\"status\":%s}",
        w.job_name, w.job_n, rv,
        w.job_ttl[0] != '\0' ? "\"annotations\":{\"dispatcher.ivan.vc/ttl-seconds-after-finished\":\"" : "", w.job_ttl,
        w.job_ttl[0] != '\0' ? "\"}," : "", w.job_has_ttl ? "\"ttlSecondsAfterFinished\":0" : "", status[w.phase]);
}

static void template_text(char *out, int rv)
{
    snprintf(out, TEXT_MAX, TEMPLATE, rv, with_ttl ? "\"ttlSecondsAfterFinished\":0," : "");
}

static void log_change(enum dsp_kind kind, bool deleted)
{
    struct event *e = &w.log[w.n_log++];

    assert_true(w.n_log < LOG_MAX);
    w.rv++;
    e->kind = kind;
    e->deleted = deleted;
    if (kind == DSP_KIND_EXECUTION) {
        w.je_rv = w.rv;
        je_text(e->text, w.rv);
    } else if (kind == DSP_KIND_JOB) {
        w.job_rv = w.rv;
        job_text(e->text, w.rv);
    } else {
        w.template_rv = w.rv;
        template_text(e->text, w.rv);
    }
}

static dsp_json parse(const char *text)
{
    dsp_json value;

    if (!dsp_json_parse(dsp_str_from(text), &value, NULL)) {
        fail_msg("bad JSON: %s", text);
    }
    return value;
}

/* --- carrying out a request: the answer's status, its body in out --------------------------------------------- */

static int status_answer(char *out, int code, const char *reason)
{
    snprintf(out, TEXT_MAX, "{\"kind\":\"Status\",\"reason\":\"%s\",\"message\":\"no\",\"code\":%d}", reason, code);
    return code;
}

static void copy_json(char *to, size_t size, dsp_json from)
{
    snprintf(to, size, "%.*s", DSP_STR_ARG(from));
}

static int commit_create(const struct call *c, char *out)
{
    dsp_json body = parse(c->body);
    char     name[80];

    copy_json(name, sizeof(name), dsp_json_path(body, "metadata", "name", NULL));
    if (w.job_exists && strncmp(w.job_name, name + 1, strlen(w.job_name)) == 0) {
        return status_answer(out, 409, "AlreadyExists");
    }
    w.job_n++;
    if (w.job_n > 1) {
        fail_world("a second Job");
    }
    w.job_exists = true;
    w.job_has_ttl = false;
    w.phase = PHASE_NEW;
    snprintf(w.job_name, sizeof(w.job_name), "%.*s", (int) strlen(name) - 2, name + 1);
    snprintf(
        w.job_ttl, sizeof(w.job_ttl), "%s",
        dsp_json_path(body, "metadata", "annotations", "dispatcher.ivan.vc/ttl-seconds-after-finished", NULL).data !=
                NULL
            ? "0"
            : "");
    if (dsp_json_path(body, "spec", "ttlSecondsAfterFinished", NULL).data != NULL) {
        fail_world("a Job with a TTL before its end is recorded");
    }
    log_change(DSP_KIND_JOB, false);
    job_text(out, w.job_rv);
    return 201;
}

static int commit_status(const struct call *c, char *out)
{
    dsp_json body = parse(c->body), job = dsp_json_path(body, "status", "job", NULL);
    dsp_str  rv;
    char     now[16];

    if (!w.je_exists) {
        return status_answer(out, 404, "NotFound");
    }
    snprintf(now, sizeof(now), "%d", w.je_rv);
    assert_true(dsp_json_string(dsp_json_path(body, "metadata", "resourceVersion", NULL), &arena, &rv));
    if (!dsp_str_is(rv, now)) {
        return status_answer(out, 409, "Conflict");
    }
    if (w.final_condition[0] != '\0') {
        fail_world("a status after the end");
    }
    copy_json(w.conditions, sizeof(w.conditions), dsp_json_path(body, "status", "conditions", NULL));
    if (job.data != NULL) {
        if (w.recorded_job[0] != '\0') {
            fail_world("a second reference");
        }
        copy_json(w.job_ref, sizeof(w.job_ref), job);
        copy_json(w.recorded_job, sizeof(w.recorded_job), job);
    }
    if (strstr(w.conditions, "\"Succeeded\"") != NULL) {
        memcpy(w.final_condition, w.conditions, sizeof(w.conditions));
    }
    log_change(DSP_KIND_EXECUTION, false);
    je_text(out, w.je_rv);
    return 200;
}

static int commit(const struct call *c, char *out)
{
    bool of_job = strstr(c->path, "/jobs") != NULL && strstr(c->path, "/jobexecutions") == NULL;

    if (strcmp(c->method, "POST") == 0) {
        return commit_create(c, out);
    }
    if (strstr(c->path, "/pods") != NULL) {
        snprintf(out, TEXT_MAX, "{\"items\":[]}");
        return 200;
    }
    if (strstr(c->path, "/status") != NULL) {
        return commit_status(c, out);
    }
    if (strcmp(c->method, "GET") == 0) {
        if (of_job ? !w.job_exists : !w.je_exists) {
            return status_answer(out, 404, "NotFound");
        }
        of_job ? job_text(out, w.job_rv) : je_text(out, w.je_rv);
        return 200;
    }
    if (strcmp(c->method, "PATCH") == 0) { /* the Job's TTL */
        if (!w.job_exists) {
            return status_answer(out, 404, "NotFound");
        }
        if (w.final_condition[0] == '\0') {
            fail_world("a TTL before the end is recorded");
        }
        w.job_has_ttl = true;
        log_change(DSP_KIND_JOB, false);
        job_text(out, w.job_rv);
        return 200;
    }
    assert_string_equal(c->method, "DELETE");
    if (!w.je_exists) {
        return status_answer(out, 404, "NotFound");
    }
    if (w.job_exists || w.final_condition[0] == '\0') {
        fail_world("a JobExecution deleted too early");
    }
    w.je_exists = false;
    log_change(DSP_KIND_EXECUTION, true);
    return status_answer(out, 200, "");
}

/* --- the controller ------------------------------------------------------------------------------------------- */

static bool host_call(void *context, const dsp_call *call, dsp_answer_fn done, void *done_context)
{
    struct call *c = &w.calls[w.n_calls++];

    (void) context;
    assert_true(w.n_calls <= CALLS_MAX);
    snprintf(c->method, sizeof(c->method), "%s", call->method);
    snprintf(c->path, sizeof(c->path), "%.*s", DSP_STR_ARG(call->path));
    snprintf(c->body, sizeof(c->body), "%.*s", DSP_STR_ARG(call->body));
    c->done = done;
    c->context = done_context;
    return true;
}

static void host_event(void *context, const dsp_jobexecution *je, const dsp_transition *t)
{
    (void) context;
    (void) je;
    (void) t;
}

static void host_kick(void *context)
{
    (void) context;
}

static int64_t host_now(void *context)
{
    (void) context;
    return w.now_ms;
}

static int64_t host_wall(void *context)
{
    (void) context;
    return 1767225600000000 + w.now_ms * 1000;
}

static uint32_t host_random(void *context)
{
    (void) context;
    return 7;
}

static void put(enum dsp_kind kind, const char *text)
{
    assert_true(dsp_store_put(&store, kind, parse(text)));
}

/* A list of one kind: what is there now, and the watch goes on from here. */
static void list_kind(enum dsp_kind kind)
{
    char text[TEXT_MAX];

    dsp_store_replace_begin(&store, kind, DSP_STR(""));
    if (kind == DSP_KIND_TEMPLATE && w.template_exists) {
        template_text(text, w.template_rv);
        put(kind, text);
    } else if (kind == DSP_KIND_EXECUTION && w.je_exists) {
        je_text(text, w.je_rv);
        put(kind, text);
    } else if (kind == DSP_KIND_JOB && w.job_exists) {
        job_text(text, w.job_rv);
        put(kind, text);
    }
    assert_true(dsp_store_replace_end(&store, kind, DSP_STR("")));
    w.cursor[kind] = w.n_log;
    dsp_store_synced(&store, kind);
}

static void start_controller(void)
{
    static const dsp_actor_host host = { NULL, host_call, host_event, host_kick, host_now, host_wall, host_random };

    dsp_store_init(&store);
    dsp_actor_init(&actor, &store, renderer, &metrics, &host, &(dsp_actor_options){ .max_in_flight = 4 });
    actor.leading = true;
    alive = true;
    for (int k = 0; k < DSP_KINDS; k++) {
        list_kind((enum dsp_kind) k);
    }
    dsp_actor_run(&actor);
}

/* Its requests stay in the network. */
static void kill_controller(void)
{
    for (size_t i = 0; i < w.n_calls; i++) {
        w.calls[i].done = NULL;
    }
    dsp_actor_free(&actor);
    dsp_store_free(&store);
    alive = false;
}

/* --- what can happen ------------------------------------------------------------------------------------------ */

enum step {
    STEP_ANSWER,    /* the oldest request is carried out and answered */
    STEP_NO_ANSWER, /* carried out, and the connection breaks */
    STEP_LOST,      /* not carried out, and nobody knows */
    STEP_LATER,     /* 503 */
    STEP_WATCH_TEMPLATES,
    STEP_WATCH_EXECUTIONS,
    STEP_WATCH_JOBS,
    STEP_JOB_STARTS,
    STEP_JOB_ENDS,
    STEP_JOB_FAILS,
    STEP_TTL,    /* the TTL controller */
    STEP_TIME,   /* until the next timer */
    STEP_CRASH,  /* killed and started again */
    STEP_RELIST, /* the Jobs' watch has to list again */
    STEP_USER_DELETES_JOB,
    STEP_TEMPLATE_GOES,
    STEP_TEMPLATE_COMES,
    STEP_JE_DELETED,
    STEPS
};

static const char *const step_names[STEPS] = { "answer",
                                               "no-answer",
                                               "lost",
                                               "503",
                                               "watch-templates",
                                               "watch-executions",
                                               "watch-jobs",
                                               "job-starts",
                                               "job-ends",
                                               "job-fails",
                                               "ttl",
                                               "time",
                                               "crash",
                                               "relist",
                                               "user-deletes-job",
                                               "template-goes",
                                               "template-comes",
                                               "je-deleted" };

static enum step trace[256];
static size_t    n_trace;

static void fail_world(const char *what)
{
    char   text[4096];
    size_t len = 0;

    for (size_t i = 0; i < n_trace && len < sizeof(text) - 40; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, " %s", step_names[trace[i]]);
    }
    fail_msg("%s, after:%.*s\njob %d exists %d phase %d; conditions %s", what, (int) len, text, w.job_n, w.job_exists,
             w.phase, w.conditions);
}

static bool next_event(enum dsp_kind kind, size_t *at)
{
    for (size_t i = w.cursor[kind]; i < w.n_log; i++) {
        if (w.log[i].kind == kind) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* Whether this process has seen the Job, and no request for another is in the network. */
static bool job_is_known(void)
{
    dsp_execution *e = dsp_store_find_uid(&store, DSP_STR("je-uid"));

    for (size_t i = 0; i < w.n_calls; i++) {
        if (strcmp(w.calls[i].method, "POST") == 0) {
            return false;
        }
    }
    return e != NULL && e->job_known == DSP_JOB_PRESENT;
}

/*
 * Somebody who deletes a Job before it is recorded, in the milliseconds between the two, and a controller that dies in
 * them: then nobody knows that there was one. Only a finalizer on the Job would close that, at the price of one more
 * write per execution (docs/architecture.md). So the model does not do both.
 */
static bool possible(enum step s)
{
    size_t at = 0;

    switch (s) {
    case STEP_ANSWER:
    case STEP_NO_ANSWER:
    case STEP_LOST:
    case STEP_LATER:
        return w.n_calls > 0;
    case STEP_WATCH_TEMPLATES:
    case STEP_WATCH_EXECUTIONS:
    case STEP_WATCH_JOBS:
        return next_event((enum dsp_kind)(s - STEP_WATCH_TEMPLATES), &at);
    case STEP_JOB_STARTS:
        return w.job_exists && w.phase == PHASE_NEW;
    case STEP_JOB_ENDS:
    case STEP_JOB_FAILS:
        return w.job_exists && w.phase <= PHASE_STARTED;
    case STEP_TTL:
        return w.job_exists && w.job_has_ttl && w.phase >= PHASE_COMPLETE;
    case STEP_TIME:
        return dsp_actor_next_ms(&actor) != INT64_MAX;
    case STEP_RELIST:
        return next_event(DSP_KIND_JOB, &at);
    case STEP_USER_DELETES_JOB:
        return w.job_exists && !w.touched && (w.recorded_job[0] != '\0' || job_is_known());
    case STEP_CRASH:
        return !w.unsafe;
    case STEP_TEMPLATE_GOES:
        return w.template_exists;
    case STEP_TEMPLATE_COMES:
        return !w.template_exists;
    case STEP_JE_DELETED:
        return w.je_exists && !w.touched;
    default:
        return true;
    }
}

static void take_call(struct call *c)
{
    *c = w.calls[0];
    w.n_calls--;
    memmove(w.calls, w.calls + 1, w.n_calls * sizeof(w.calls[0]));
}

static void answer(const struct call *c, int status, const char *body)
{
    if (c->done != NULL) {
        c->done(c->context, &(dsp_answer){ .status = status,
                                           .body = dsp_str_from(body),
                                           .retry_after_ms = -1,
                                           .error = status == 0 ? "connection reset" : NULL });
    }
}

static void do_call(enum step s)
{
    char        out[TEXT_MAX] = "";
    struct call c;
    int         status = 0;

    take_call(&c);
    if (s == STEP_ANSWER || s == STEP_NO_ANSWER) {
        status = commit(&c, out);
    }
    if (s == STEP_LATER) {
        status = status_answer(out, 503, "ServiceUnavailable");
    }
    answer(&c, s == STEP_NO_ANSWER || s == STEP_LOST ? 0 : status, s == STEP_NO_ANSWER || s == STEP_LOST ? "" : out);
}

static void do_watch(enum dsp_kind kind)
{
    size_t at = 0;

    assert_true(next_event(kind, &at));
    w.cursor[kind] = at + 1;
    if (w.log[at].deleted) {
        assert_true(dsp_store_drop(&store, kind, parse(w.log[at].text)));
    } else {
        put(kind, w.log[at].text);
    }
}

static void do_step(enum step s)
{
    trace[n_trace++] = s;
    switch (s) {
    case STEP_ANSWER:
    case STEP_NO_ANSWER:
    case STEP_LOST:
    case STEP_LATER:
        do_call(s);
        break;
    case STEP_WATCH_TEMPLATES:
    case STEP_WATCH_EXECUTIONS:
    case STEP_WATCH_JOBS:
        do_watch((enum dsp_kind)(s - STEP_WATCH_TEMPLATES));
        break;
    case STEP_JOB_STARTS:
        w.phase = PHASE_STARTED;
        log_change(DSP_KIND_JOB, false);
        break;
    case STEP_JOB_ENDS:
    case STEP_JOB_FAILS:
        w.phase = s == STEP_JOB_ENDS ? PHASE_COMPLETE : PHASE_FAILED;
        log_change(DSP_KIND_JOB, false);
        break;
    case STEP_TTL:
    case STEP_USER_DELETES_JOB:
        w.unsafe = s == STEP_USER_DELETES_JOB && w.job_ref[0] == '\0';
        w.touched = w.touched || s == STEP_USER_DELETES_JOB;
        w.job_exists = false;
        log_change(DSP_KIND_JOB, true);
        break;
    case STEP_TIME:
        w.now_ms = dsp_actor_next_ms(&actor);
        break;
    case STEP_CRASH:
        kill_controller();
        start_controller();
        return;
    case STEP_RELIST:
        list_kind(DSP_KIND_JOB);
        break;
    case STEP_TEMPLATE_GOES:
        log_change(DSP_KIND_TEMPLATE, true);
        w.template_exists = false;
        break;
    case STEP_TEMPLATE_COMES:
        w.template_exists = true;
        log_change(DSP_KIND_TEMPLATE, false);
        break;
    case STEP_JE_DELETED:
        w.touched = true;
        w.je_exists = false;
        log_change(DSP_KIND_EXECUTION, true);
        break;
    case STEPS:
        break;
    }
    dsp_actor_run(&actor);
}

static void begin_world(void)
{
    memset(&w, 0, sizeof(w));
    n_trace = 0;
    w.now_ms = 1000;
    w.template_exists = w.je_exists = true;
    log_change(DSP_KIND_TEMPLATE, false);
    log_change(DSP_KIND_EXECUTION, false);
    start_controller();
}

/* --- calm: everything that is under way comes to its end ------------------------------------------------------ */

/* The garbage collector: a Job goes with its JobExecution. */
static void collect_garbage(void)
{
    if (!w.je_exists && w.job_exists) {
        w.job_exists = false;
        log_change(DSP_KIND_JOB, true);
    }
}

static void calm_down(void)
{
    static const enum step order[] = { STEP_ANSWER, STEP_WATCH_TEMPLATES, STEP_WATCH_EXECUTIONS, STEP_WATCH_JOBS,
                                       STEP_TIME };

    if (!w.template_exists) {
        do_step(STEP_TEMPLATE_COMES);
    }
    for (int quiet = 0, n = 0; quiet < 1; n++) {
        bool did = false;

        for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !did; i++) {
            if (possible(order[i])) {
                do_step(order[i]);
                did = true;
            }
        }
        if (!did && w.job_exists && w.phase <= PHASE_STARTED && w.je_exists) {
            do_step(w.phase == PHASE_NEW ? STEP_JOB_STARTS : STEP_JOB_ENDS);
            did = true;
        }
        if (!did && possible(STEP_TTL)) {
            do_step(STEP_TTL);
            did = true;
        }
        if (!did) {
            collect_garbage();
            did = possible(STEP_WATCH_JOBS);
        }
        quiet += !did;
        if (n > 150) {
            fail_world("it does not calm down");
        }
    }
}

static void check_calm(void)
{
    if (!w.touched && w.job_n != 1) {
        fail_world("no Job");
    }
    if (!w.je_exists) {
        return;
    }
    if (w.final_condition[0] == '\0') {
        fail_world("no end");
    }
    if (!w.touched) {
        const char *want = w.phase == PHASE_COMPLETE ? "JobSucceeded" : "BackoffLimitExceeded";

        if (strstr(w.final_condition, want) == NULL) {
            fail_world("the wrong end");
        }
        if (with_ttl) {
            fail_world("a JobExecution that outlives its Job's TTL");
        }
    }
    dsp_execution *e = dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("je"));
    if (e == NULL || e->live != NULL) {
        fail_world("something is left to do");
    }
}

static void finish_world(void)
{
    calm_down();
    check_calm();
    kill_controller();
    dsp_arena_reset(&arena);
}

/* --- every order ---------------------------------------------------------------------------------------------- */

/* How often each may happen in one run; what is not listed, as often as it can. */
static const unsigned budget[STEPS] = {
    [STEP_NO_ANSWER] = 1,     [STEP_LOST] = 1,           [STEP_LATER] = 1,
    [STEP_CRASH] = 1,         [STEP_RELIST] = 1,         [STEP_USER_DELETES_JOB] = 1,
    [STEP_TEMPLATE_GOES] = 1, [STEP_TEMPLATE_COMES] = 1, [STEP_JE_DELETED] = 1,
    [STEP_TIME] = 3,          [STEP_JOB_FAILS] = 1
};

static bool allowed(enum step s)
{
    unsigned n = 0;

    for (size_t i = 0; i < n_trace; i++) {
        n += trace[i] == s;
    }
    return budget[s] == 0 || n < budget[s];
}

static void replay(const enum step *steps, size_t n)
{
    begin_world();
    for (size_t i = 0; i < n; i++) {
        do_step(steps[i]);
    }
}

static size_t explore(size_t depth)
{
    enum step path[32];
    size_t    runs = 0, n = 0;
    bool      tried[33][STEPS];

    memset(tried, 0, sizeof(tried));
    for (;;) {
        enum step next = STEPS;

        replay(path, n);
        if (n < depth) {
            for (int s = 0; s < STEPS; s++) {
                if (!tried[n][s] && possible((enum step) s) && allowed((enum step) s)) {
                    next = (enum step) s;
                    break;
                }
            }
        }
        finish_world(); /* every beginning must end well */
        runs++;
        if (next != STEPS) {
            tried[n][next] = true;
            path[n++] = next;
            memset(tried[n], 0, sizeof(tried[n]));
            continue;
        }
        if (n == 0) {
            return runs;
        }
        n--;
    }
}

/* One random walk: long, with all kinds of trouble. */
static void walk(unsigned seed, size_t length)
{
    begin_world();
    for (size_t i = 0; i < length && w.n_log < LOG_MAX - 20; i++) {
        enum step choices[STEPS];
        size_t    n = 0;

        for (int s = 0; s < STEPS; s++) {
            if (possible((enum step) s) &&
                (budget[s] == 0 || allowed((enum step) s) || (s != STEP_USER_DELETES_JOB && s != STEP_JE_DELETED))) {
                choices[n++] = (enum step) s;
            }
        }
        seed = seed * 1664525u + 1013904223u;
        do_step(choices[(seed >> 16) % n]);
    }
    finish_world();
}

static int setup(void **state)
{
    (void) state;
    renderer = dsp_job_renderer_new(NULL);
    dsp_arena_init(&arena, 1 << 20);
    dsp_log_setup(DSP_LOG_ERROR, DSP_LOG_TEXT);
    return renderer == NULL;
}

static int teardown(void **state)
{
    (void) state;
    dsp_job_renderer_free(renderer);
    dsp_arena_free(&arena);
    return 0;
}

static void every_order(void **state)
{
    const char *depth = getenv("DEPTH");

    (void) state;
    for (int ttl = 0; ttl < 2; ttl++) {
        with_ttl = ttl;
        size_t runs = explore(depth != NULL ? (size_t) atoi(depth) : 4);
        print_message("%zu runs\n", runs);
        assert_true(runs > 1000);
    }
}

static void random_walks(void **state)
{
    const char *walks = getenv("WALKS");
    unsigned    n = walks != NULL ? (unsigned) atoi(walks) : 5000;

    (void) state;
    for (unsigned i = 0; i < n; i++) {
        with_ttl = i & 1;
        walk(i, 8 + i % 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_order, setup, teardown),
        cmocka_unit_test_setup_teardown(random_walks, setup, teardown),
    };

    return cmocka_run_group_tests_name("controller_model", tests, NULL, NULL);
}
