/* Making the Job, and reading it where the outcome is not clear. */
#include "action.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/object.h"

#define RENDER_ARENA (32u << 20)
#define READ_ARENA (1u << 20)

/* --- creating it ---------------------------------------------------------------------------------------------- */

/* It cannot be made: that is decided here and goes through the queue as a status. */
static void cannot_render(dsp_actor *a, dsp_execution *e, const dsp_rendered *rendered)
{
    dsp_buf message;

    if (rendered->no_memory) {
        e->live->create_ms = dsp_action_now(a) + dsp_backoff_ms(a, e->live->attempts++);
        dsp_actor_add(a, e);
        return;
    }
    dsp_buf_init(&message, DSP_CONDITION_MAX_MESSAGE);
    dsp_rendered_message(rendered, &message);
    if (!dsp_store_attempt(a->store, e, DSP_ATTEMPT_FINAL, DSP_STR(""), DSP_STR(DSP_REASON_TEMPLATE_ERROR),
                           dsp_buf_str(&message))) {
        a->no_memory = true;
    }
    if (!a->options.log_payloads) { /* the messages may quote it: only the fields are told */
        dsp_buf_reset(&message);
        for (size_t i = 0; i < rendered->n_problems; i++) {
            dsp_buf_addf(&message, "%s%.*s", i > 0 ? ", " : "", DSP_STR_ARG(rendered->problems[i].path));
        }
    }
    dsp_log(DSP_LOG_INFO, "template failed", DSP_LOG_STR("namespace", dsp_execution_ns(e)),
            DSP_LOG_STR("jobexecution", dsp_execution_name(e)), DSP_LOG_STR("jobtemplate", e->live->je->template_name),
            DSP_LOG_STR(a->options.log_payloads ? "error" : "fields", dsp_buf_str(&message)));
    dsp_buf_free(&message);
    dsp_actor_add(a, e);
}

static void ended_create(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type create_job = { "POST", DSP_CALL_CREATE, DSP_WRITE_DEADLINE_MS, ended_create };

/* Takes the body over. */
static bool send_job(dsp_actor *a, dsp_execution *e, dsp_str name, dsp_buf *body)
{
    dsp_live *live = e->live;
    dsp_buf   path;

    if (a->options.log_payloads) {
        dsp_log(DSP_LOG_INFO, "creating job", DSP_LOG_STR("namespace", live->je->ns),
                DSP_LOG_STR("jobexecution", live->je->name), DSP_LOG_STR("job", name),
                DSP_LOG_STR("payload", live->je->payload));
    }
    dsp_buf_init(&path, 4096);
    dsp_action_job_path(&path, live->je->ns, DSP_STR(""));
    dsp_buf_addz(&path, "?" DSP_ACTION_MANAGER);
    if (!dsp_action_send(a, e, &create_job, name, &path, "application/json", body)) {
        return false;
    }
    if (live->added_ms != 0) {
        dsp_histogram_add(&a->metrics->create_delay, dsp_action_now(a) - live->added_ms);
        live->added_ms = 0;
    }
    return true;
}

bool dsp_action_create_job(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    dsp_jobtemplate jt;
    dsp_rendered    rendered;
    dsp_arena       arena;
    dsp_buf         body;
    bool            ok = false;

    (void) d;
    dsp_arena_init(&arena, RENDER_ARENA);
    dsp_buf_init(&body, DSP_JOB_MAX_BYTES);
    if (!dsp_jobtemplate_read(dsp_store_template(a->store, e->live->je), &arena, &jt)) {
        a->no_memory = true;
    } else if (!dsp_render_job(a->renderer, e->live->je, &jt, &arena, &body, &rendered)) {
        cannot_render(a, e, &rendered);
    } else {
        ok = send_job(a, e, rendered.name, &body);
    }
    dsp_buf_free(&body);
    dsp_arena_free(&arena);
    return ok;
}

static void retry_create(dsp_actor *a, dsp_live *live, const dsp_answer *answer)
{
    int64_t delay = dsp_backoff_ms(a, live->attempts++);

    if (answer->retry_after_ms > delay) {
        delay = answer->retry_after_ms;
    }
    live->create_ms = dsp_action_now(a) + delay;
    a->metrics->queue_retries++;
}

static void attempt(dsp_actor *a, dsp_execution *e, enum dsp_attempt_end end, const char *job_name, dsp_str reason,
                    dsp_str message)
{
    if (!dsp_store_attempt(a->store, e, end, dsp_str_from(job_name), reason, message)) {
        a->no_memory = true;
    }
}

static void ended_create(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor     *a = act->actor;
    dsp_execution *e = act->execution;
    const dsp_str  none = { NULL, 0 };

    switch (o->kind) {
    case DSP_OUT_DONE:
        attempt(a, e, DSP_ATTEMPT_NONE, NULL, none, none);
        e->live->attempts = 0;
        dsp_action_put_job(act, o->object);
        dsp_action_log(act, "job created", act->job_name);
        return;
    case DSP_OUT_EXISTS:
        attempt(a, e, DSP_ATTEMPT_UNCLEAR, act->job_name, none, none);
        return;
    case DSP_OUT_REFUSED:
        attempt(a, e, DSP_ATTEMPT_WAITING, NULL, o->reason, o->message);
        break;
    case DSP_OUT_INVALID:
        attempt(a, e, DSP_ATTEMPT_FINAL, NULL, o->reason, o->message);
        dsp_action_log_failure(DSP_LOG_WARN, act, "job is invalid", o, answer->status);
        return;
    case DSP_OUT_LATER:
        break;
    default:
        attempt(a, e, DSP_ATTEMPT_UNCLEAR, act->job_name, none, none);
        e->live->not_before_ms = dsp_action_now(a) + (answer->retry_after_ms > 0 ? answer->retry_after_ms : 0);
    }
    retry_create(a, e->live, answer);
    a->metrics->reconcile_errors++;
    dsp_action_log_failure(DSP_LOG_WARN, act, "job not created", o, answer->status);
}

/* --- reading it ----------------------------------------------------------------------------------------------- */

static void ended_read_job(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type read_job = { "GET", DSP_CALL_READ, DSP_READ_DEADLINE_MS, ended_read_job };

bool dsp_action_read_job(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    dsp_buf path;

    dsp_buf_init(&path, 4096);
    dsp_action_job_path(&path, e->live->je->ns, d->job_name);
    return dsp_action_send(a, e, &read_job, d->job_name, &path, NULL, NULL);
}

/* The name that we tried belongs to a Job of somebody else. */
static void name_conflict(dsp_action_call *act, const dsp_answer *answer, const dsp_job *job)
{
    dsp_actor *a = act->actor;
    dsp_buf    message;

    dsp_buf_init(&message, 1024);
    dsp_buf_addf(&message, "Job \"%.*s\" exists already and does not belong to this JobExecution",
                 DSP_STR_ARG(job->name));
    attempt(a, act->execution, DSP_ATTEMPT_WAITING, act->job_name, DSP_STR(DSP_REASON_JOB_NAME_CONFLICT),
            dsp_buf_str(&message));
    dsp_buf_free(&message);
    retry_create(a, act->execution->live, answer);
}

static void found_job(dsp_action_call *act, const dsp_answer *answer, dsp_json object)
{
    dsp_actor     *a = act->actor;
    dsp_execution *e = act->execution;
    dsp_live      *live = e->live;
    const dsp_str  none = { NULL, 0 };
    dsp_arena      arena;
    dsp_job        job;

    dsp_arena_init(&arena, READ_ARENA);
    if (!dsp_job_read(object, &arena, &job)) {
        dsp_action_backoff(a, live, answer);
    } else if (dsp_str_eq(job.owner_uid, dsp_execution_uid(e)) &&
               (live->je == NULL || live->je->job_uid.len == 0 || dsp_str_eq(live->je->job_uid, job.uid))) {
        attempt(a, e, DSP_ATTEMPT_NONE, NULL, none, none);
        dsp_action_put_job(act, object);
    } else if (live->attempt.end == DSP_ATTEMPT_UNCLEAR) {
        name_conflict(act, answer, &job);
    } else {
        dsp_store_job_gone(a->store, e);
    }
    dsp_arena_free(&arena);
}

static void ended_read_job(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor    *a = act->actor;
    dsp_live     *live = act->execution->live;
    const dsp_str none = { NULL, 0 };

    if (o->kind == DSP_OUT_DONE) {
        live->failures = 0;
        found_job(act, answer, o->object);
    } else if (o->kind == DSP_OUT_NOT_FOUND) {
        live->failures = 0;
        if (live->attempt.end == DSP_ATTEMPT_UNCLEAR) {
            attempt(a, act->execution, DSP_ATTEMPT_NONE, NULL, none, none); /* not stored: create_ms says when again */
        } else {
            dsp_store_job_gone(a->store, act->execution);
        }
    } else {
        dsp_action_backoff(a, live, answer);
        dsp_action_log_failure(DSP_LOG_WARN, act, "job not read", o, answer->status);
    }
}
