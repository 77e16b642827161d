/*
 * Writing the status, and finding out whether it was stored.
 *
 * What is sent is remembered (live->before, live->sent) until it is known whether it was stored; only then do the
 * Events go out and the counters move, once.
 */
#include "action.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/object.h"

#define BODY_MAX (4u << 20)
#define EVENTS_ARENA (1u << 20)

/* --- writing it ----------------------------------------------------------------------------------------------- */

static void forget_sent(dsp_live *live)
{
    free(live->before);
    free(live->sent);
    live->before = live->sent = NULL;
}

/* Remembers what is being sent, until it is known whether it was stored. */
static bool remember_sent(dsp_live *live, const dsp_jobexecution_status *status)
{
    dsp_jobexecution after = *live->je;

    after.payload = (dsp_json){ NULL, 0 };
    after.conditions_text = (dsp_json){ NULL, 0 };
    after.conditions = status->conditions;
    if (status->job_uid.len > 0) {
        after.job_uid = status->job_uid;
        after.job_name = status->job_name;
    }
    forget_sent(live);
    live->sent = dsp_jobexecution_dup(&after);
    after = *live->je;
    after.payload = (dsp_json){ NULL, 0 };
    live->before = dsp_jobexecution_dup(&after);
    return live->sent != NULL && live->before != NULL;
}

static void ended_patch_status(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type patch_status = { "PATCH", DSP_CALL_PATCH, DSP_WRITE_DEADLINE_MS, ended_patch_status };

bool dsp_action_patch_status(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    dsp_buf path, body;

    if (!remember_sent(e->live, &d->status)) {
        a->no_memory = true;
        return false;
    }
    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, BODY_MAX);
    dsp_action_execution_path(&path, e->live->je);
    dsp_buf_addz(&path, "/status?" DSP_ACTION_MANAGER);
    dsp_jobexecution_status_patch(&body, e->live->je, &d->status);
    return dsp_action_send(a, e, &patch_status, DSP_STR(""), &path, "application/merge-patch+json", &body);
}

/* The text of these comes from a template or quotes the Job: the payload may be in it. */
static bool may_quote(const dsp_transition *t)
{
    dsp_str event = dsp_str_from(t->event);

    return dsp_str_is(event, DSP_REASON_TEMPLATE_ERROR) || dsp_str_is(event, DSP_REASON_INVALID_JOB) ||
           dsp_str_is(event, DSP_REASON_JOB_REFUSED);
}

/* Takes the JobExecution of an answer into the store, unless the watch has said meanwhile that it is gone: a list or an
 * event is the only thing that may bring one. */
static void put_execution(dsp_action_call *act, dsp_json object)
{
    if (act->execution->live->je != NULL) {
        dsp_action_put(act->actor, DSP_KIND_EXECUTION, object);
    }
}

/* What was sent is stored: Events, counters, the log. */
static void commit_sent(dsp_actor *a, dsp_execution *e)
{
    dsp_live               *live = e->live;
    dsp_jobexecution_status after = { .conditions = live->sent->conditions,
                                      .job_name = live->sent->job_name,
                                      .job_uid = live->sent->job_uid };
    dsp_counted             c = dsp_count(live->before, &after);
    dsp_transition          t[DSP_TRANSITIONS_MAX];
    dsp_arena               arena;

    a->metrics->executions += c.started;
    a->metrics->successes += c.succeeded;
    a->metrics->failures += c.failed;
    if (live->end_ms != 0 && (c.succeeded || c.failed)) {
        dsp_histogram_add(&a->metrics->status_delay, dsp_action_now(a) - live->end_ms);
    }
    dsp_arena_init(&arena, EVENTS_ARENA);
    size_t n = dsp_transitions(live->before, &after, t, &arena);
    for (size_t i = 0; i < n; i++) {
        bool hide = may_quote(&t[i]) && !a->options.log_payloads;

        dsp_log(t[i].warning ? DSP_LOG_WARN : DSP_LOG_INFO, t[i].event, DSP_LOG_STR("namespace", live->sent->ns),
                DSP_LOG_STR("jobexecution", live->sent->name), DSP_LOG_STR("job", live->sent->job_name),
                DSP_LOG_STR("message", hide ? DSP_STR("the condition says why") : t[i].message));
        a->host.event(a->host.context, live->sent, &t[i]);
    }
    dsp_arena_free(&arena);
    forget_sent(live);
}

void dsp_action_confirm(dsp_actor *a, dsp_execution *e)
{
    dsp_live *live = e->live;

    if (live->sent == NULL || live->je == NULL ||
        dsp_str_eq(live->je->resource_version, live->before->resource_version)) {
        return;
    }
    if (dsp_conditions_equal(&live->je->conditions, &live->sent->conditions) &&
        dsp_str_eq(live->je->job_uid, live->sent->job_uid)) {
        commit_sent(a, e);
    } else {
        forget_sent(live);
    }
}

static void ended_patch_status(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor *a = act->actor;
    dsp_live  *live = act->execution->live;
    bool       newest = live->je != NULL && live->before != NULL &&
                  dsp_str_eq(live->je->resource_version, live->before->resource_version);

    switch (o->kind) {
    case DSP_OUT_DONE:
        live->failures = 0;
        if (live->sent != NULL) {
            commit_sent(a, act->execution);
        }
        put_execution(act, o->object);
        return;
    case DSP_OUT_CONFLICT:
    case DSP_OUT_NOT_FOUND:
        /* It may be our own write that is newer: libcurl repeats a request whose connection died. dsp_action_confirm()
         * looks whether what we sent is there. */
        if (newest) { /* unless the newer object came while we waited for the answer */
            live->stale = true;
            live->stale_ms = dsp_action_now(a) + DSP_STALE_MS;
        }
        return;
    case DSP_OUT_UNCLEAR:
        dsp_action_backoff(a, live, answer);
        if (newest) { /* if it was stored, the watch will tell, else a read: only then is anything sent again */
            live->stale = true;
            live->stale_ms = live->not_before_ms;
        }
        break;
    default:
        forget_sent(live);
        dsp_action_backoff(a, live, answer);
    }
    dsp_action_log_failure(DSP_LOG_WARN, act, "status not stored", o, answer->status);
}

/* --- reading the JobExecution --------------------------------------------------------------------------------- */

static void ended_read_execution(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type read_execution = { "GET", DSP_CALL_READ, DSP_READ_DEADLINE_MS, ended_read_execution };

bool dsp_action_read_execution(dsp_actor *a, dsp_execution *e)
{
    dsp_buf path;

    dsp_buf_init(&path, 4096);
    dsp_action_execution_path(&path, e->live->je);
    return dsp_action_send(a, e, &read_execution, DSP_STR(""), &path, NULL, NULL);
}

static void ended_read_execution(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor *a = act->actor;
    dsp_live  *live = act->execution->live;

    if (o->kind == DSP_OUT_DONE) {
        live->je_read = true;
        put_execution(act, o->object);
        if (live->stale) { /* what we had is the newest after all */
            live->stale = false;
            forget_sent(live);
            dsp_action_backoff(a, live, answer);
        } else {
            live->failures = 0;
        }
    } else if (o->kind == DSP_OUT_NOT_FOUND) {
        dsp_store_execution_gone(a->store, act->execution);
    } else {
        dsp_action_backoff(a, live, answer);
        dsp_action_log_failure(DSP_LOG_WARN, act, "jobexecution not read", o, answer->status);
    }
}
