#include "reconcile.h"

#include <string.h>

/* --- texts ---------------------------------------------------------------------------------------------------- */

/* Puts texts together in the arena; without memory the first one has to do. */
static dsp_str join(dsp_arena *arena, const dsp_str *parts, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        len += parts[i].len;
    }
    char *text = dsp_arena_alloc(arena, len + 1);
    if (text == NULL) {
        return parts[0];
    }
    char *p = text;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len > 0) {
            memcpy(p, parts[i].data, parts[i].len);
            p += parts[i].len;
        }
    }
    *p = '\0';
    return (dsp_str){ text, len };
}

#define JOIN(arena, ...)                                                                                               \
    join((arena), (const dsp_str[]){ __VA_ARGS__ }, sizeof((const dsp_str[]){ __VA_ARGS__ }) / sizeof(dsp_str))

static dsp_str number(dsp_arena *arena, int64_t n)
{
    dsp_buf b;
    dsp_str copy;

    dsp_buf_init(&b, 32);
    dsp_buf_addf(&b, "%lld", (long long) n);
    copy = dsp_arena_str(arena, dsp_buf_str(&b));
    dsp_buf_free(&b);
    return copy;
}

/* "Job has reached the specified backoff limit; container main exited with code 3 (Error)" */
static dsp_str failure_message(const dsp_view *v, dsp_arena *arena)
{
    const dsp_job_failure *f = &v->failure;
    dsp_str                text = v->job->message.len > 0 ? v->job->message : DSP_STR("Job failed");

    if (!v->pods_read || f->pod.len == 0) {
        return text;
    }
    dsp_str why = f->reason.len > 0 ? JOIN(arena, DSP_STR(" ("), f->reason, DSP_STR(")")) : DSP_STR("");
    if (f->container.len == 0) {
        return JOIN(arena, text, DSP_STR("; pod "), f->pod, DSP_STR(" failed"), why);
    }
    return JOIN(arena, text, DSP_STR("; container "), f->container, DSP_STR(" exited with code "),
                number(arena, f->exit_code), why);
}

/* --- the status that is wanted -------------------------------------------------------------------------------- */

static void set(dsp_decision *d, const dsp_view *v, enum dsp_condition_type type, enum dsp_condition_status status,
                const char *reason, dsp_str message)
{
    dsp_condition_set(&d->status.conditions, type, status, dsp_str_from(reason), message, v->now_us);
}

/* From what is stored; nothing but the conditions is sent unless it is set. */
static void start_status(const dsp_view *v, dsp_decision *d)
{
    d->status = (dsp_jobexecution_status){ .conditions = v->je->conditions, .attempts = -1 };
}

static void patch_if_new(const dsp_view *v, dsp_decision *d)
{
    bool record = d->status.job_uid.len > 0 && v->je->job_uid.len == 0;

    if (record || !dsp_conditions_equal(&d->status.conditions, &v->je->conditions)) {
        d->action = DSP_ACT_PATCH_STATUS;
    }
}

/* An end without a Job's result. */
static void end_without_result(const dsp_view *v, dsp_decision *d, dsp_str reason, dsp_str message)
{
    start_status(v, d);
    for (int type = DSP_WAITING; type < DSP_CONDITIONS; type++) {
        dsp_condition_set(&d->status.conditions, (enum dsp_condition_type) type, DSP_COND_FALSE, reason, message,
                          v->now_us);
    }
    d->status.completion_us = v->now_us;
    d->status.failure_reason = reason;
    d->status.failure_message = message;
    d->action = DSP_ACT_PATCH_STATUS;
}

static void wait_because(const dsp_view *v, dsp_decision *d, dsp_str reason, dsp_str message)
{
    start_status(v, d);
    dsp_condition_set(&d->status.conditions, DSP_WAITING, DSP_COND_TRUE, reason, message, v->now_us);
    patch_if_new(v, d);
}

/* --- following a Job ------------------------------------------------------------------------------------------ */

static void follow_end(const dsp_view *v, dsp_arena *arena, dsp_decision *d)
{
    const dsp_job *job = v->job;
    bool           ran = job->start_us != 0;

    d->status.completion_us = job->end_us;
    set(d, v, DSP_WAITING, DSP_COND_FALSE, ran ? DSP_REASON_JOB_RUNNING : DSP_REASON_JOB_COMPLETED,
        ran ? DSP_STR("Job has started") : DSP_STR("Job has ended"));
    set(d, v, DSP_RUNNING, DSP_COND_FALSE, DSP_REASON_JOB_COMPLETED, DSP_STR("Job has ended"));
    if (job->end == DSP_JOB_COMPLETE) {
        set(d, v, DSP_SUCCEEDED, DSP_COND_TRUE, DSP_REASON_JOB_SUCCEEDED, DSP_STR("Job completed successfully"));
        return;
    }
    d->status.failure_reason = dsp_condition_reason_ok(job->reason) ? job->reason : DSP_STR(DSP_REASON_JOB_FAILED);
    d->status.failure_message = failure_message(v, arena);
    d->status.failure = v->failure;
    dsp_condition_set(&d->status.conditions, DSP_SUCCEEDED, DSP_COND_FALSE, d->status.failure_reason,
                      d->status.failure_message, v->now_us);
}

/* The Job's state, as the conditions say it. */
static void follow(const dsp_view *v, dsp_arena *arena, dsp_decision *d)
{
    const dsp_job *job = v->job;
    bool           settle = false;

    if (job->end == DSP_JOB_FAILED && !v->pods_read) {
        d->action = DSP_ACT_READ_PODS;
        return;
    }
    start_status(v, d);
    if (v->je->job_uid.len == 0) {
        d->status.job_name = job->name;
        d->status.job_uid = job->uid;
    }
    d->status.start_us = job->start_us;
    d->status.attempts = job->active + job->succeeded + job->failed;
    if (job->end != DSP_JOB_UNFINISHED) {
        follow_end(v, arena, d);
    } else if (job->suspended) {
        set(d, v, DSP_WAITING, DSP_COND_TRUE, DSP_REASON_SUSPENDED, DSP_STR("Job is suspended"));
        if (v->je->conditions.of[DSP_RUNNING].status != DSP_COND_ABSENT) {
            set(d, v, DSP_RUNNING, DSP_COND_FALSE, DSP_REASON_SUSPENDED, DSP_STR("Job is suspended"));
        }
    } else if (job->start_us != 0) {
        set(d, v, DSP_WAITING, DSP_COND_FALSE, DSP_REASON_JOB_RUNNING, DSP_STR("Job has started"));
        set(d, v, DSP_RUNNING, DSP_COND_TRUE, DSP_REASON_JOB_RUNNING, DSP_STR("Job is running"));
    } else {
        set(d, v, DSP_WAITING, DSP_COND_TRUE, DSP_REASON_JOB_CREATED, DSP_STR("Job has been created"));
        settle = v->je->job_uid.len == 0 && v->now_us - v->job_seen_us < DSP_SETTLE_US && v->now_us >= v->job_seen_us;
    }
    if (settle) {
        d->wake_us = v->job_seen_us + DSP_SETTLE_US;
        return;
    }
    patch_if_new(v, d);
}

/* The Job was there and is not any more. What was seen last may be its end. */
static void lost(const dsp_view *v, dsp_arena *arena, dsp_decision *d)
{
    bool ours = v->job != NULL && (v->je->job_uid.len == 0 || dsp_str_eq(v->job->uid, v->je->job_uid));

    if (ours && v->job->end != DSP_JOB_UNFINISHED) {
        follow(v, arena, d);
        return;
    }
    end_without_result(v, d, DSP_STR(DSP_REASON_JOB_DELETED), DSP_STR("Job was deleted before it ended"));
    if (ours) {
        d->status.start_us = v->job->start_us;
        d->status.attempts = v->job->active + v->job->succeeded + v->job->failed;
        if (v->je->job_uid.len == 0) {
            d->status.job_name = v->job->name;
            d->status.job_uid = v->job->uid;
        }
    }
}

static void read_job(dsp_decision *d, dsp_str name)
{
    d->action = DSP_ACT_READ_JOB;
    d->job_name = name;
}

/* --- the states of the protocol ------------------------------------------------------------------------------- */

static void finished(const dsp_view *v, dsp_decision *d)
{
    bool same = v->job != NULL && dsp_str_eq(v->job->uid, v->je->job_uid);

    if (v->je->job_uid.len == 0 || dsp_str_is(v->je->conditions.of[DSP_SUCCEEDED].reason, DSP_REASON_JOB_DELETED) ||
        v->job_known == DSP_JOB_UNKNOWN) {
        return;
    }
    if (v->job_known == DSP_JOB_GONE) {
        d->action = DSP_ACT_DELETE_EXECUTION;
    } else if (v->job_known != DSP_JOB_PRESENT || !same) {
        read_job(d, v->je->job_name);
    } else if (v->job->ttl_wanted >= 0 && !v->job->has_ttl && !v->job->deleting) {
        d->action = DSP_ACT_PATCH_TTL;
    }
}

static void recorded(const dsp_view *v, dsp_arena *arena, dsp_decision *d)
{
    if (v->job_known == DSP_JOB_UNKNOWN) {
        return;
    }
    if (v->job_known == DSP_JOB_GONE) {
        lost(v, arena, d);
    } else if (v->job_known == DSP_JOB_PRESENT && dsp_str_eq(v->job->uid, v->je->job_uid)) {
        follow(v, arena, d);
    } else {
        read_job(d, v->je->job_name);
    }
}

/* No Job is known. */
static void create(const dsp_view *v, dsp_arena *arena, dsp_decision *d)
{
    const dsp_attempt *a = &v->attempt;

    if (a->end == DSP_ATTEMPT_FINAL) {
        end_without_result(v, d, a->reason, a->message);
        return;
    }
    if (a->end == DSP_ATTEMPT_UNCLEAR) {
        read_job(d, a->job_name);
        return;
    }
    if (v->template_known == DSP_TEMPLATE_UNKNOWN) {
        return;
    }
    if (v->template_known == DSP_TEMPLATE_ABSENT) {
        wait_because(v, d, DSP_STR(DSP_REASON_TEMPLATE_NOT_FOUND),
                     JOIN(arena, DSP_STR("JobTemplate \""), v->je->template_name,
                          DSP_STR("\" does not exist in namespace "), v->je->ns));
        return;
    }
    if (a->end == DSP_ATTEMPT_WAITING) {
        wait_because(v, d, a->reason, a->message);
    }
    if (d->action == DSP_ACT_NONE && v->due) {
        d->action = DSP_ACT_CREATE_JOB;
    }
}

static void unrecorded(const dsp_view *v, dsp_arena *arena, dsp_decision *d)
{
    switch (v->job_known) {
    case DSP_JOB_UNKNOWN:
        return;
    case DSP_JOB_PRESENT:
        follow(v, arena, d);
        return;
    case DSP_JOB_DOUBTFUL:
        read_job(d, v->job->name);
        return;
    case DSP_JOB_GONE:
        lost(v, arena, d);
        return;
    case DSP_JOB_UNSEEN:
        create(v, arena, d);
        return;
    }
}

void dsp_reconcile(const dsp_view *view, dsp_arena *arena, dsp_decision *out)
{
    *out = (dsp_decision){ .action = DSP_ACT_NONE };
    if (view->je == NULL || view->je->deleting) {
        return; /* what belongs to it is the garbage collector's */
    }
    if (dsp_jobexecution_finished(view->je)) {
        finished(view, out);
    } else if (view->je->job_uid.len > 0) {
        recorded(view, arena, out);
    } else {
        unrecorded(view, arena, out);
    }
}

const char *dsp_action_name(enum dsp_action action)
{
    static const char *const names[] = { "none",         "create-job", "read-job",        "read-pods",
                                         "patch-status", "patch-ttl",  "delete-execution" };

    return names[action];
}

/* --- what a step means ---------------------------------------------------------------------------------------- */

static bool became(const dsp_condition *before, const dsp_condition *after, enum dsp_condition_status status)
{
    return before->status != status && after->status == status;
}

/* The Event of a wait, by its reason; NULL: a wait that needs none. */
static const char *waiting_event(dsp_str reason, bool *warning)
{
    static const char *const ours[] = { DSP_REASON_JOB_NAME_CONFLICT, DSP_REASON_JOB_REFUSED,
                                        DSP_REASON_NAMESPACE_TERMINATING };

    *warning = true;
    if (dsp_str_is(reason, DSP_REASON_TEMPLATE_NOT_FOUND)) {
        return "JobTemplateNotFound";
    }
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (dsp_str_is(reason, ours[i])) {
            return ours[i];
        }
    }
    *warning = false;
    return dsp_str_is(reason, DSP_REASON_SUSPENDED) ? DSP_REASON_SUSPENDED : NULL;
}

/* The Event of an end without success. */
static const char *failure_event(dsp_str reason)
{
    static const char *const ours[] = { DSP_REASON_TEMPLATE_ERROR, DSP_REASON_INVALID_JOB, DSP_REASON_JOB_DELETED };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (dsp_str_is(reason, ours[i])) {
            return ours[i];
        }
    }
    return "Failed";
}

size_t dsp_transitions(const dsp_jobexecution *before, const dsp_jobexecution_status *after,
                       dsp_transition out[DSP_TRANSITIONS_MAX], dsp_arena *arena)
{
    const dsp_condition *b = before->conditions.of, *a = after->conditions.of;
    size_t               n = 0;
    bool                 warning;

    if (before->job_uid.len == 0 && after->job_uid.len > 0) {
        out[n++] = (dsp_transition){ "Created", false, JOIN(arena, DSP_STR("Created Job "), after->job_name) };
    }
    if (a[DSP_WAITING].status == DSP_COND_TRUE && !dsp_str_eq(a[DSP_WAITING].reason, b[DSP_WAITING].reason)) {
        const char *event = waiting_event(a[DSP_WAITING].reason, &warning);

        if (event != NULL) {
            out[n++] = (dsp_transition){ event, warning, a[DSP_WAITING].message };
        }
    }
    if (became(&b[DSP_RUNNING], &a[DSP_RUNNING], DSP_COND_TRUE)) {
        out[n++] = (dsp_transition){ "Started", false, a[DSP_RUNNING].message };
    }
    if (became(&b[DSP_SUCCEEDED], &a[DSP_SUCCEEDED], DSP_COND_TRUE)) {
        out[n++] = (dsp_transition){ "Completed", false, a[DSP_SUCCEEDED].message };
    }
    if (became(&b[DSP_SUCCEEDED], &a[DSP_SUCCEEDED], DSP_COND_FALSE)) {
        out[n++] = (dsp_transition){ failure_event(a[DSP_SUCCEEDED].reason), true, a[DSP_SUCCEEDED].message };
    }
    return n;
}

dsp_counted dsp_count(const dsp_jobexecution *before, const dsp_jobexecution_status *after)
{
    const dsp_condition *b = &before->conditions.of[DSP_SUCCEEDED], *a = &after->conditions.of[DSP_SUCCEEDED];
    dsp_counted          c = { .succeeded = became(b, a, DSP_COND_TRUE), .failed = became(b, a, DSP_COND_FALSE) };

    c.started = before->job_uid.len == 0 && (after->job_uid.len > 0 || c.succeeded || c.failed);
    return c;
}
