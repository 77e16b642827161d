/*
 * The steps of the model check (controller_model_test.c): the controller between its server and its requests, what can
 * happen to both at any time, and how it happens.
 */
#ifndef DSP_T_CONTROLLER_MODEL_STEPS_H
#define DSP_T_CONTROLLER_MODEL_STEPS_H

#include "controller_model_server.h"

/* --- the controller ------------------------------------------------------------------------------------------- */

static dsp_store         store;
static dsp_actor         actor;
static dsp_metrics       metrics;
static dsp_job_renderer *renderer;
static bool              alive;

static bool host_call(void *context, const dsp_call *call, dsp_answer_fn done, void *done_context)
{
    struct call *c = &w.calls[w.n_calls++];

    (void) context;
    assert_true(w.n_calls <= CALLS_MAX);
    c->carried_out = false;
    if (w.gone_seen && strcmp(call->method, "POST") == 0) {
        fail_world("a Job for a JobExecution that is known to be deleted");
    }
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
    w.gone_seen = false;
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
    STEP_ANSWER,      /* the oldest request is carried out, if it was not yet, and answered */
    STEP_NO_ANSWER,   /* the same, but the connection breaks */
    STEP_CARRIED_OUT, /* carried out, and its answer is on the way */
    STEP_LOST,        /* not carried out, and nobody knows */
    STEP_LATER,       /* 503 */
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
                                               "carried-out",
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
        return w.n_calls > 0;
    case STEP_CARRIED_OUT:
    case STEP_LOST:
    case STEP_LATER:
        return w.n_calls > 0 && !w.calls[0].carried_out;
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

static void carry_out(struct call *c)
{
    if (!c->carried_out) {
        c->answer[0] = '\0';
        c->status = commit(c, c->answer);
        c->carried_out = true;
    }
}

static void do_call(enum step s)
{
    char        out[TEXT_MAX] = "";
    struct call c;

    if (s == STEP_CARRIED_OUT) {
        carry_out(&w.calls[0]);
        return;
    }
    take_call(&c);
    if (s == STEP_ANSWER || s == STEP_NO_ANSWER) {
        carry_out(&c);
    }
    if (s == STEP_ANSWER) {
        answer(&c, c.status, c.answer);
    } else if (s == STEP_LATER) {
        answer(&c, status_answer(out, 503, "ServiceUnavailable"), out);
    } else {
        answer(&c, 0, "");
    }
}

static void do_watch(enum dsp_kind kind)
{
    size_t at = 0;

    assert_true(next_event(kind, &at));
    w.cursor[kind] = at + 1;
    w.gone_seen = w.gone_seen || (kind == DSP_KIND_EXECUTION && w.log[at].deleted);
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
    case STEP_CARRIED_OUT:
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

#endif
