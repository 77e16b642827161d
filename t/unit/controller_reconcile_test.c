/*
 * Every row of the protocol, and then every combination of what can be known, against the invariants.
 */
#include "unit.h"

#include "controller/reconcile.h"

#define NOW   1000000000000000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static dsp_arena arena;

static int setup(void **state)
{
    (void) state;
    dsp_arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    dsp_arena_free(&arena);
    return 0;
}

/* --- the pieces of a view ------------------------------------------------------------------------------------- */

enum je_kind { JE_NONE, JE_NEW, JE_DELETING, JE_NO_TEMPLATE, JE_CREATED, JE_RUNNING, JE_SUSPENDED, JE_SUCCEEDED, JE_FAILED,
               JE_JOB_DELETED, JE_TEMPLATE_ERROR, JE_CONFLICT, JE_ORIGINAL, JE_KINDS };

enum job_kind { JOB_NULL, JOB_NEW, JOB_STARTED, JOB_SUSPENDED, JOB_COMPLETE, JOB_FAILED, JOB_COMPLETE_TTL, JOB_TTL_SET, JOB_OTHER,
                JOB_FAST, JOB_DELETING, JOB_KINDS };

static dsp_jobexecution make_je(enum je_kind kind)
{
    dsp_jobexecution je = { .ns = DSP_STR("ns"),
                            .name = DSP_STR("je"),
                            .uid = DSP_STR("u"),
                            .resource_version = DSP_STR("1"),
                            .template_name = DSP_STR("tmpl") };
    dsp_conditions  *c = &je.conditions;
    dsp_str          none = DSP_STR("");

    if (kind == JE_ORIGINAL) {
        dsp_condition_set(c, DSP_WAITING, DSP_COND_UNKNOWN, DSP_STR("Reconciling"), DSP_STR("Reconciling"), 1);
    }
    if (kind == JE_NO_TEMPLATE) {
        dsp_condition_set(c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("TemplateNotFound"),
                          DSP_STR("JobTemplate \"tmpl\" does not exist in namespace ns"), 1);
    }
    if (kind == JE_CONFLICT) {
        dsp_condition_set(c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("JobNameConflict"), DSP_STR("taken"), 1);
    }
    if (kind == JE_TEMPLATE_ERROR) {
        dsp_condition_set(c, DSP_SUCCEEDED, DSP_COND_FALSE, DSP_STR("TemplateError"), none, 1);
    }
    if (kind >= JE_CREATED && kind <= JE_JOB_DELETED) {
        je.job_name = DSP_STR("job");
        je.job_uid = DSP_STR("ju");
    }
    if (kind == JE_CREATED) {
        dsp_condition_set(c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("JobCreated"), DSP_STR("Job has been created"), 1);
    }
    if (kind == JE_RUNNING || kind == JE_SUCCEEDED || kind == JE_FAILED) {
        dsp_condition_set(c, DSP_WAITING, DSP_COND_FALSE, DSP_STR("JobRunning"), DSP_STR("Job has started"), 1);
        dsp_condition_set(c, DSP_RUNNING, DSP_COND_TRUE, DSP_STR("JobRunning"), DSP_STR("Job is running"), 1);
    }
    if (kind == JE_SUSPENDED) {
        dsp_condition_set(c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("Suspended"), DSP_STR("Job is suspended"), 1);
        dsp_condition_set(c, DSP_RUNNING, DSP_COND_FALSE, DSP_STR("Suspended"), DSP_STR("Job is suspended"), 1);
    }
    if (kind == JE_SUCCEEDED) {
        dsp_condition_set(c, DSP_SUCCEEDED, DSP_COND_TRUE, DSP_STR("JobSucceeded"), none, 1);
    }
    if (kind == JE_FAILED) {
        dsp_condition_set(c, DSP_SUCCEEDED, DSP_COND_FALSE, DSP_STR("BackoffLimitExceeded"), none, 1);
    }
    if (kind == JE_JOB_DELETED) {
        dsp_condition_set(c, DSP_SUCCEEDED, DSP_COND_FALSE, DSP_STR("JobDeleted"), none, 1);
    }
    je.deleting = kind == JE_DELETING;
    return je;
}

static dsp_job make_job(enum job_kind kind)
{
    dsp_job job = { .ns = DSP_STR("ns"),
                    .name = DSP_STR("job"),
                    .uid = DSP_STR("ju"),
                    .resource_version = DSP_STR("1"),
                    .owner_uid = DSP_STR("u"),
                    .ttl_wanted = -1 };

    if (kind == JOB_STARTED || kind == JOB_COMPLETE || kind == JOB_FAILED || kind == JOB_COMPLETE_TTL || kind == JOB_TTL_SET) {
        job.start_us = NOW - 5000000;
        job.active = kind == JOB_STARTED;
        job.failed = kind == JOB_FAILED ? 3 : 0;
        job.succeeded = kind >= JOB_COMPLETE && kind != JOB_FAILED;
    }
    if (kind == JOB_COMPLETE || kind == JOB_COMPLETE_TTL || kind == JOB_TTL_SET || kind == JOB_FAST || kind == JOB_DELETING) {
        job.end = DSP_JOB_COMPLETE;
        job.end_us = NOW - 1000000;
    }
    if (kind == JOB_COMPLETE_TTL || kind == JOB_TTL_SET || kind == JOB_DELETING) {
        job.ttl_wanted = 0;
        job.has_ttl = kind == JOB_TTL_SET;
    }
    if (kind == JOB_FAILED) {
        job.end = DSP_JOB_FAILED;
        job.end_us = NOW - 1000000;
        job.reason = DSP_STR("BackoffLimitExceeded");
        job.message = DSP_STR("Job has reached the specified backoff limit");
    }
    job.suspended = kind == JOB_SUSPENDED;
    job.deleting = kind == JOB_DELETING;
    if (kind == JOB_OTHER) {
        job.uid = DSP_STR("other");
    }
    return job;
}

static dsp_attempt make_attempt(enum dsp_attempt_end end)
{
    dsp_attempt a = { .end = end };

    if (end == DSP_ATTEMPT_UNCLEAR) {
        a.job_name = DSP_STR("tried");
    } else if (end == DSP_ATTEMPT_WAITING) {
        a.reason = DSP_STR("JobNameConflict");
        a.message = DSP_STR("taken");
    } else if (end == DSP_ATTEMPT_FINAL) {
        a.reason = DSP_STR("TemplateError");
        a.message = DSP_STR("spec.x: no");
    }
    return a;
}

/* --- the table ------------------------------------------------------------------------------------------------ */

enum { NOT_DUE = 1, PODS_READ = 2, FRESH = 4 /* the Job was seen just now */ };

typedef struct row {
    const char             *what;
    enum je_kind            je;
    enum dsp_template_known template_known;
    enum dsp_job_known      job_known;
    enum job_kind           job;
    enum dsp_attempt_end    attempt;
    unsigned                flags;
    enum dsp_action         action;
    const char             *conditions; /* of the patch: "Waiting=True/JobCreated …" in the order W R S */
    const char             *job_name;   /* of the decision or the status */
} row;

#define ABSENT  DSP_TEMPLATE_ABSENT
#define PRESENT DSP_TEMPLATE_PRESENT

static const row rows[] = {
    /* nothing to do it for */
    { "no JobExecution", JE_NONE, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "a Job without its JobExecution", JE_NONE, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "being deleted before it has a Job", JE_DELETING, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "being deleted while its Job runs", JE_DELETING, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, DSP_ACT_NONE, NULL, NULL },

    /* creating */
    { "new", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_CREATE_JOB, NULL, NULL },
    { "begun by the original", JE_ORIGINAL, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_CREATE_JOB, NULL, NULL },
    { "Jobs not listed yet", JE_NEW, PRESENT, DSP_JOB_UNKNOWN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "JobTemplates not listed yet", JE_NEW, DSP_TEMPLATE_UNKNOWN, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "backoff", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, NOT_DUE, DSP_ACT_NONE, NULL, NULL },
    { "no template", JE_NEW, ABSENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_PATCH_STATUS, "Waiting=True/TemplateNotFound", NULL },
    { "no template, said so", JE_NO_TEMPLATE, ABSENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "the template appeared", JE_NO_TEMPLATE, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_CREATE_JOB, NULL, NULL },
    { "outcome unclear", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_UNCLEAR, 0, DSP_ACT_READ_JOB, NULL, "tried" },
    { "outcome unclear, template gone", JE_NEW, ABSENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_UNCLEAR, 0, DSP_ACT_READ_JOB, NULL, "tried" },
    { "outcome unclear, but the Job is seen", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_NEW, DSP_ATTEMPT_UNCLEAR, 0,
      DSP_ACT_PATCH_STATUS, "Waiting=True/JobCreated", "job" },
    { "refused for now", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_WAITING, NOT_DUE, DSP_ACT_PATCH_STATUS,
      "Waiting=True/JobNameConflict", NULL },
    { "refused for now, said so", JE_CONFLICT, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_WAITING, NOT_DUE, DSP_ACT_NONE, NULL, NULL },
    { "refused, and time to try again", JE_CONFLICT, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_WAITING, 0, DSP_ACT_CREATE_JOB, NULL, NULL },
    { "refused before a restart", JE_CONFLICT, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_CREATE_JOB, NULL, NULL },
    { "refused, then the template went", JE_CONFLICT, ABSENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_WAITING, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=True/TemplateNotFound", NULL },
    { "cannot be made", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_FINAL, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/TemplateError Running=False/TemplateError Succeeded=False/TemplateError", NULL },
    { "cannot be made, recorded", JE_TEMPLATE_ERROR, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },

    /* adopting */
    { "seen first", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_NEW, 0, 0, DSP_ACT_PATCH_STATUS, "Waiting=True/JobCreated", "job" },
    { "seen just now", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_NEW, 0, FRESH, DSP_ACT_NONE, NULL, NULL },
    { "seen just now, runs", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, FRESH, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=True/JobRunning", "job" },
    { "finished before it was seen", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_COMPLETE, 0, FRESH, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=False/JobCompleted Succeeded=True/JobSucceeded", "job" },
    { "finished without a start", JE_NEW, ABSENT, DSP_JOB_PRESENT, JOB_FAST, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobCompleted Running=False/JobCompleted Succeeded=True/JobSucceeded", "job" },
    { "suspended from the start", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_SUSPENDED, 0, FRESH, DSP_ACT_PATCH_STATUS,
      "Waiting=True/Suspended", "job" },
    { "went before it was recorded?", JE_NEW, PRESENT, DSP_JOB_DOUBTFUL, JOB_NEW, 0, 0, DSP_ACT_READ_JOB, NULL, "job" },
    { "went before it was recorded", JE_NEW, PRESENT, DSP_JOB_GONE, JOB_STARTED, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobDeleted Running=False/JobDeleted Succeeded=False/JobDeleted", "job" },
    { "went after its end, before it was recorded", JE_NEW, PRESENT, DSP_JOB_GONE, JOB_COMPLETE, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=False/JobCompleted Succeeded=True/JobSucceeded", "job" },

    /* following */
    { "created, recorded", JE_CREATED, PRESENT, DSP_JOB_PRESENT, JOB_NEW, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "created, template gone", JE_CREATED, ABSENT, DSP_JOB_PRESENT, JOB_NEW, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "started", JE_CREATED, ABSENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=True/JobRunning", NULL },
    { "runs", JE_RUNNING, DSP_TEMPLATE_UNKNOWN, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "suspended while running", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_SUSPENDED, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=True/Suspended Running=False/Suspended", NULL },
    { "suspended, said so", JE_SUSPENDED, PRESENT, DSP_JOB_PRESENT, JOB_SUSPENDED, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "resumed", JE_SUSPENDED, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=True/JobRunning", NULL },
    { "complete", JE_RUNNING, ABSENT, DSP_JOB_PRESENT, JOB_COMPLETE, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=False/JobCompleted Succeeded=True/JobSucceeded", NULL },
    { "complete at once", JE_CREATED, PRESENT, DSP_JOB_PRESENT, JOB_COMPLETE, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=False/JobCompleted Succeeded=True/JobSucceeded", NULL },
    { "failed: why?", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_FAILED, 0, 0, DSP_ACT_READ_PODS, NULL, NULL },
    { "failed", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_FAILED, 0, PODS_READ, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=False/JobCompleted Succeeded=False/BackoffLimitExceeded", NULL },
    { "recorded, Jobs not listed yet", JE_RUNNING, PRESENT, DSP_JOB_UNKNOWN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "recorded, not among the listed", JE_RUNNING, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_READ_JOB, NULL, "job" },
    { "recorded, then gone by the watch", JE_RUNNING, PRESENT, DSP_JOB_DOUBTFUL, JOB_STARTED, 0, 0, DSP_ACT_READ_JOB, NULL, "job" },
    { "recorded, another one present", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_OTHER, 0, 0, DSP_ACT_READ_JOB, NULL, "job" },
    { "deleted while running", JE_RUNNING, PRESENT, DSP_JOB_GONE, JOB_STARTED, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobDeleted Running=False/JobDeleted Succeeded=False/JobDeleted", NULL },
    { "gone, never seen here", JE_CREATED, PRESENT, DSP_JOB_GONE, JOB_NULL, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobDeleted Running=False/JobDeleted Succeeded=False/JobDeleted", NULL },
    { "gone, but its end was seen", JE_RUNNING, PRESENT, DSP_JOB_GONE, JOB_COMPLETE, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobRunning Running=False/JobCompleted Succeeded=True/JobSucceeded", NULL },
    { "gone, another one ended", JE_RUNNING, PRESENT, DSP_JOB_GONE, JOB_OTHER, 0, 0, DSP_ACT_PATCH_STATUS,
      "Waiting=False/JobDeleted Running=False/JobDeleted Succeeded=False/JobDeleted", NULL },

    /* finished */
    { "recorded success", JE_SUCCEEDED, PRESENT, DSP_JOB_PRESENT, JOB_COMPLETE, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "recorded success, old Job state", JE_SUCCEEDED, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "recorded failure", JE_FAILED, PRESENT, DSP_JOB_PRESENT, JOB_FAILED, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "its TTL", JE_SUCCEEDED, PRESENT, DSP_JOB_PRESENT, JOB_COMPLETE_TTL, 0, 0, DSP_ACT_PATCH_TTL, NULL, NULL },
    { "its TTL is set", JE_SUCCEEDED, PRESENT, DSP_JOB_PRESENT, JOB_TTL_SET, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "its Job is being deleted", JE_SUCCEEDED, PRESENT, DSP_JOB_PRESENT, JOB_DELETING, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "finished, Jobs not listed yet", JE_SUCCEEDED, PRESENT, DSP_JOB_UNKNOWN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "finished, Job not among the listed", JE_SUCCEEDED, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_READ_JOB, NULL, "job" },
    { "finished, Job gone by the watch", JE_FAILED, PRESENT, DSP_JOB_DOUBTFUL, JOB_FAILED, 0, 0, DSP_ACT_READ_JOB, NULL, "job" },
    { "finished, Job gone", JE_SUCCEEDED, PRESENT, DSP_JOB_GONE, JOB_COMPLETE, 0, 0, DSP_ACT_DELETE_EXECUTION, NULL, NULL },
    { "failed, Job gone", JE_FAILED, PRESENT, DSP_JOB_GONE, JOB_NULL, 0, 0, DSP_ACT_DELETE_EXECUTION, NULL, NULL },
    { "JobDeleted stays", JE_JOB_DELETED, PRESENT, DSP_JOB_GONE, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
    { "JobDeleted stays unread", JE_JOB_DELETED, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, DSP_ACT_NONE, NULL, NULL },
};

static dsp_view make_view(const row *r, dsp_jobexecution *je, dsp_job *job)
{
    *je = make_je(r->je);
    *job = make_job(r->job);
    return (dsp_view){ .je = r->je == JE_NONE ? NULL : je,
                       .template_known = r->template_known,
                       .job_known = r->job_known,
                       .job = r->job == JOB_NULL ? NULL : job,
                       .job_seen_us = r->flags & FRESH ? NOW - DSP_SETTLE_US + 1 : NOW - DSP_SETTLE_US,
                       .attempt = make_attempt(r->attempt),
                       .pods_read = r->flags & PODS_READ,
                       .failure = { .exit_code = -1 },
                       .due = !(r->flags & NOT_DUE),
                       .now_us = NOW };
}

static void print_conditions(const dsp_conditions *c, char *out, size_t size)
{
    static const char *const statuses[] = { "", "True", "False", "Unknown" };
    size_t                   len = 0;

    out[0] = '\0';
    for (int i = 0; i < DSP_CONDITIONS; i++) {
        if (c->of[i].status != DSP_COND_ABSENT) {
            len += (size_t) snprintf(out + len, size - len, "%s%s=%s/%.*s", len > 0 ? " " : "",
                                     dsp_condition_type_name((enum dsp_condition_type) i), statuses[c->of[i].status],
                                     DSP_STR_ARG(c->of[i].reason));
        }
    }
}

static void every_row(void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const row       *r = &rows[i];
        dsp_jobexecution je;
        dsp_job          job;
        dsp_view         view = make_view(r, &je, &job);
        dsp_decision     d;
        char             got[512];

        dsp_reconcile(&view, &arena, &d);
        if (d.action != r->action) {
            fail_msg("%s: %s, not %s", r->what, dsp_action_name(d.action), dsp_action_name(r->action));
        }
        if (r->action == DSP_ACT_PATCH_STATUS) {
            print_conditions(&d.status.conditions, got, sizeof(got));
            if (strcmp(got, r->conditions) != 0) {
                fail_msg("%s:\n  got  %s\n  want %s", r->what, got, r->conditions);
            }
        }
        dsp_str name = r->action == DSP_ACT_PATCH_STATUS ? d.status.job_name : d.job_name;
        if (!dsp_str_is(name, r->job_name != NULL ? r->job_name : "")) {
            fail_msg("%s: job '%.*s'", r->what, DSP_STR_ARG(name));
        }
        dsp_arena_reset(&arena);
    }
}

/* --- details of some rows ------------------------------------------------------------------------------------- */

static void a_fresh_job_is_looked_at_again(void **state)
{
    const row        r = { "", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_NEW, 0, FRESH, DSP_ACT_NONE, NULL, NULL };
    dsp_jobexecution je;
    dsp_job          job;
    dsp_view         view = make_view(&r, &je, &job);
    dsp_decision     d;

    (void) state;
    dsp_reconcile(&view, &arena, &d);
    assert_int_equal(d.action, DSP_ACT_NONE);
    assert_int_equal(d.wake_us, view.job_seen_us + DSP_SETTLE_US);
    view.now_us = d.wake_us;
    dsp_reconcile(&view, &arena, &d);
    assert_int_equal(d.action, DSP_ACT_PATCH_STATUS);
    view.now_us = view.job_seen_us - 1; /* a clock that was set back must not hide a Job */
    dsp_reconcile(&view, &arena, &d);
    assert_int_equal(d.action, DSP_ACT_PATCH_STATUS);
}

static void a_failure_tells_all(void **state)
{
    const row        r = { "", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_FAILED, 0, PODS_READ, DSP_ACT_PATCH_STATUS, NULL, NULL };
    dsp_jobexecution je;
    dsp_job          job;
    dsp_view         view = make_view(&r, &je, &job);
    dsp_decision     d;

    (void) state;
    view.failure = (dsp_job_failure){ DSP_STR("pod"), DSP_STR("main"), DSP_STR("OOMKilled"), 137 };
    dsp_reconcile(&view, &arena, &d);
    assert_str(d.status.conditions.of[DSP_SUCCEEDED].message,
               "Job has reached the specified backoff limit; container main exited with code 137 (OOMKilled)");
    assert_str(d.status.failure_reason, "BackoffLimitExceeded");
    assert_int_equal(d.status.failure.exit_code, 137);
    assert_int_equal(d.status.attempts, 3);
    assert_int_equal(d.status.start_us, NOW - 5000000);
    assert_int_equal(d.status.completion_us, NOW - 1000000);
    assert_int_equal(d.status.conditions.of[DSP_SUCCEEDED].since_us, NOW);

    view.failure = (dsp_job_failure){ DSP_STR("pod"), DSP_STR(""), DSP_STR("Evicted"), -1 };
    dsp_reconcile(&view, &arena, &d);
    assert_str(d.status.failure_message, "Job has reached the specified backoff limit; pod pod failed (Evicted)");

    view.failure = (dsp_job_failure){ .exit_code = -1 };
    job.reason = DSP_STR("not a reason");
    job.message = DSP_STR("");
    dsp_reconcile(&view, &arena, &d);
    assert_str(d.status.failure_reason, "JobFailed");
    assert_str(d.status.failure_message, "Job failed");
}

static void an_end_without_a_job_has_its_reason(void **state)
{
    const row        r = { "", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_FINAL, 0, DSP_ACT_PATCH_STATUS, NULL, NULL };
    dsp_jobexecution je;
    dsp_job          job;
    dsp_view         view = make_view(&r, &je, &job);
    dsp_decision     d;

    (void) state;
    dsp_reconcile(&view, &arena, &d);
    assert_str(d.status.conditions.of[DSP_SUCCEEDED].message, "spec.x: no");
    assert_str(d.status.failure_reason, "TemplateError");
    assert_str(d.status.failure_message, "spec.x: no");
    assert_int_equal(d.status.completion_us, NOW);
    assert_int_equal(d.status.job_uid.len, 0);
}

/* --- Events and counters -------------------------------------------------------------------------------------- */

static void step(const row *r, char *out, size_t size, dsp_counted *counted)
{
    dsp_jobexecution je;
    dsp_job          job;
    dsp_view         view = make_view(r, &je, &job);
    dsp_decision     d;
    dsp_transition   t[DSP_TRANSITIONS_MAX];
    size_t           len = 0;

    dsp_reconcile(&view, &arena, &d);
    assert_int_equal(d.action, DSP_ACT_PATCH_STATUS);
    size_t n = dsp_transitions(&je, &d.status, t, &arena);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        len += (size_t) snprintf(out + len, size - len, "%s%s%s", i > 0 ? " " : "", t[i].event, t[i].warning ? "!" : "");
    }
    *counted = dsp_count(&je, &d.status);
}

static void steps_have_events_and_counters(void **state)
{
    static const struct {
        row         r;
        const char *events;
        dsp_counted counted;
    } cases[] = {
        { { "", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_NEW, 0, 0, 0, NULL, NULL }, "Created", { .started = true } },
        { { "", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, 0, NULL, NULL }, "Created Started", { .started = true } },
        { { "", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_COMPLETE, 0, 0, 0, NULL, NULL }, "Created Completed",
          { .started = true, .succeeded = true } },
        { { "", JE_NEW, PRESENT, DSP_JOB_PRESENT, JOB_SUSPENDED, 0, 0, 0, NULL, NULL }, "Created Suspended", { .started = true } },
        { { "", JE_CREATED, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, 0, NULL, NULL }, "Started", { 0 } },
        { { "", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_COMPLETE, 0, 0, 0, NULL, NULL }, "Completed", { .succeeded = true } },
        { { "", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_FAILED, 0, PODS_READ, 0, NULL, NULL }, "Failed!", { .failed = true } },
        { { "", JE_RUNNING, PRESENT, DSP_JOB_GONE, JOB_STARTED, 0, 0, 0, NULL, NULL }, "JobDeleted!", { .failed = true } },
        { { "", JE_NEW, PRESENT, DSP_JOB_GONE, JOB_STARTED, 0, 0, 0, NULL, NULL }, "Created JobDeleted!",
          { .started = true, .failed = true } },
        { { "", JE_NEW, ABSENT, DSP_JOB_UNSEEN, JOB_NULL, 0, 0, 0, NULL, NULL }, "JobTemplateNotFound!", { 0 } },
        { { "", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_WAITING, 0, 0, NULL, NULL }, "JobNameConflict!", { 0 } },
        { { "", JE_NEW, PRESENT, DSP_JOB_UNSEEN, JOB_NULL, DSP_ATTEMPT_FINAL, 0, 0, NULL, NULL }, "TemplateError!",
          { .started = true, .failed = true } },
        { { "", JE_RUNNING, PRESENT, DSP_JOB_PRESENT, JOB_SUSPENDED, 0, 0, 0, NULL, NULL }, "Suspended", { 0 } },
        { { "", JE_SUSPENDED, PRESENT, DSP_JOB_PRESENT, JOB_STARTED, 0, 0, 0, NULL, NULL }, "Started", { 0 } },
    };

    (void) state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char        got[256];
        dsp_counted c;

        step(&cases[i].r, got, sizeof(got), &c);
        assert_string_equal(got, cases[i].events);
        assert_int_equal(c.started, cases[i].counted.started);
        assert_int_equal(c.succeeded, cases[i].counted.succeeded);
        assert_int_equal(c.failed, cases[i].counted.failed);
    }
}

/* --- all combinations ----------------------------------------------------------------------------------------- */

/* What the server would have after the patch. */
static dsp_jobexecution apply(const dsp_jobexecution *je, const dsp_jobexecution_status *s)
{
    dsp_jobexecution after = *je;

    after.conditions = s->conditions;
    if (s->job_uid.len > 0) {
        after.job_name = s->job_name;
        after.job_uid = s->job_uid;
    }
    return after;
}

static void check_invariants(const row *r, const dsp_view *v, const dsp_decision *d)
{
    const dsp_jobexecution *je = v->je;
    bool                    over = je != NULL && dsp_jobexecution_finished(je);
    dsp_view                next = *v;
    dsp_jobexecution        after;
    dsp_decision            again;

    if (je == NULL || je->deleting || v->job_known == DSP_JOB_UNKNOWN) {
        assert_int_equal(d->action, DSP_ACT_NONE);
        return;
    }
    switch (d->action) {
    case DSP_ACT_CREATE_JOB:
        assert_true(!over && je->job_uid.len == 0 && v->job_known == DSP_JOB_UNSEEN && v->due &&
                    v->template_known == DSP_TEMPLATE_PRESENT);
        assert_true(r->attempt == DSP_ATTEMPT_NONE || r->attempt == DSP_ATTEMPT_WAITING);
        break;
    case DSP_ACT_READ_JOB:
        assert_true(d->job_name.len > 0 && v->job_known != DSP_JOB_GONE);
        break;
    case DSP_ACT_READ_PODS:
        assert_true(!over && !v->pods_read && v->job->end == DSP_JOB_FAILED);
        break;
    case DSP_ACT_PATCH_STATUS:
        assert_false(over);
        assert_true(je->job_uid.len == 0 || d->status.job_uid.len == 0); /* a recorded reference is never rewritten */
        assert_true((d->status.job_uid.len > 0) == (d->status.job_name.len > 0));
        /* It is not decided a second time when it has been stored: no write loops. */
        after = apply(je, &d->status);
        next.je = &after;
        dsp_reconcile(&next, &arena, &again);
        assert_int_not_equal(again.action, DSP_ACT_PATCH_STATUS);
        /* Succeeded comes with an end of Waiting and Running. */
        if (dsp_jobexecution_finished(&after)) {
            assert_int_equal(after.conditions.of[DSP_WAITING].status, DSP_COND_FALSE);
            assert_int_equal(after.conditions.of[DSP_RUNNING].status, DSP_COND_FALSE);
            assert_true(d->status.completion_us != 0);
        }
        break;
    case DSP_ACT_PATCH_TTL:
        assert_true(over && v->job_known == DSP_JOB_PRESENT && dsp_str_eq(v->job->uid, je->job_uid));
        break;
    case DSP_ACT_DELETE_EXECUTION:
        assert_true(over && v->job_known == DSP_JOB_GONE && je->job_uid.len > 0);
        break;
    case DSP_ACT_NONE:
        break;
    }
}

static void every_combination_keeps_the_invariants(void **state)
{
    size_t seen = 0;

    (void) state;
    for (unsigned n = 0; n < JE_KINDS * 3u * 5u * JOB_KINDS * 4u * 8u; n++) {
        unsigned k = n;
        row      r = { .what = "" };

        r.je = (enum je_kind)(k % JE_KINDS), k /= JE_KINDS;
        r.template_known = (enum dsp_template_known)(k % 3), k /= 3;
        r.job_known = (enum dsp_job_known)(k % 5), k /= 5;
        r.job = (enum job_kind)(k % JOB_KINDS), k /= JOB_KINDS;
        r.attempt = (enum dsp_attempt_end)(k % 4), k /= 4;
        r.flags = k;

        bool has_job = r.job != JOB_NULL, recorded = r.je >= JE_CREATED && r.je <= JE_JOB_DELETED;
        bool needs_job = r.job_known == DSP_JOB_PRESENT ||
                         (!recorded && (r.job_known == DSP_JOB_DOUBTFUL || r.job_known == DSP_JOB_GONE));
        bool forbids_job = r.job_known == DSP_JOB_UNKNOWN || r.job_known == DSP_JOB_UNSEEN;
        if ((needs_job && !has_job) || (forbids_job && has_job)) {
            continue; /* cannot be known */
        }
        dsp_jobexecution je;
        dsp_job          job;
        dsp_view         view = make_view(&r, &je, &job);
        dsp_decision     d;

        dsp_reconcile(&view, &arena, &d);
        check_invariants(&r, &view, &d);
        dsp_arena_reset(&arena);
        seen++;
    }
    assert_true(seen > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fresh_job_is_looked_at_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_tells_all, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_without_a_job_has_its_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(steps_have_events_and_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(every_combination_keeps_the_invariants, setup, teardown),
    };

    return cmocka_run_group_tests_name("controller_reconcile", tests, NULL, NULL);
}
