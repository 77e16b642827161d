/*
 * What to do next for one JobExecution: a pure function of what is known. It reads no clock and does no I/O, so every
 * row of the protocol (docs/architecture.md; "one JobExecution, one Job, its end is always seen") is tested as a table,
 * and all orders of events by exhaustive search.
 *
 * The protocol, as states of the knowledge about one JobExecution:
 *
 * - finished: Succeeded is True or False. The status is never touched again. What remains is the Job: its TTL is
 *   patched in, and when it goes, the JobExecution goes (unless it reports JobDeleted).
 * - recorded: status.job.uid is set. No Job is ever created again, the recorded one is followed.
 * - seen, not recorded: a Job with our owner reference exists. It is adopted, that is recorded and followed.
 * - neither: a Job is made, under a name that depends on the uid. An unclear outcome is resolved by reading that name.
 */
#ifndef DSP_CONTROLLER_RECONCILE_H
#define DSP_CONTROLLER_RECONCILE_H

#include "model/jobexecution.h"

/* How long a new Job may take to start before "JobCreated" is written by itself: mostly one write then says both. */
#define DSP_SETTLE_US 100000

enum dsp_template_known {
    DSP_TEMPLATE_UNKNOWN = 0, /* the JobTemplates are not listed yet */
    DSP_TEMPLATE_ABSENT,
    DSP_TEMPLATE_PRESENT
};

enum dsp_job_known {
    DSP_JOB_UNKNOWN = 0, /* the Jobs are not listed yet */
    DSP_JOB_UNSEEN,      /* listed, and none with our owner reference */
    DSP_JOB_PRESENT,     /* `job` is its newest state */
    DSP_JOB_DOUBTFUL,    /* the watch says that it went; it may only have lost its label. `job` is the last state, if it
                            was ever seen */
    DSP_JOB_GONE         /* read: there is no such Job. `job` is the last state, if it was ever seen */
};

/* How the last attempt to create the Job ended. It is known to this process only. */
enum dsp_attempt_end {
    DSP_ATTEMPT_NONE = 0,
    DSP_ATTEMPT_UNCLEAR, /* it may be stored: AlreadyExists, or no answer, or one that says nothing */
    DSP_ATTEMPT_WAITING, /* it is not stored and may be tried again; reason and message say why (conflict, quota,
                            webhook, …) */
    DSP_ATTEMPT_FINAL    /* it cannot be made: reason and message say why (TemplateError, InvalidJob) */
};

typedef struct dsp_attempt {
    enum dsp_attempt_end end;
    dsp_str              job_name; /* of DSP_ATTEMPT_UNCLEAR */
    dsp_str              reason;
    dsp_str              message;
} dsp_attempt;

/* All that is known about one JobExecution. */
typedef struct dsp_view {
    const dsp_jobexecution *je; /* its newest state; NULL: there is none */
    enum dsp_template_known template_known;
    enum dsp_job_known      job_known;
    const dsp_job          *job;
    int64_t                 job_seen_us; /* when the Job was first seen, of the clock of now_us */
    dsp_attempt             attempt;
    bool                    pods_read; /* the pods of the failed Job were asked for, with or without success */
    dsp_job_failure         failure;
    bool                    due; /* no backoff stands in the way of creating */
    int64_t                 now_us;
} dsp_view;

enum dsp_action {
    DSP_ACT_NONE = 0,
    DSP_ACT_CREATE_JOB,
    DSP_ACT_READ_JOB,     /* decision.job_name */
    DSP_ACT_READ_PODS,    /* of the Job in the view */
    DSP_ACT_PATCH_STATUS, /* decision.status */
    DSP_ACT_PATCH_TTL,    /* of the Job in the view: its ttl_wanted */
    DSP_ACT_DELETE_EXECUTION
};

typedef struct dsp_decision {
    enum dsp_action         action;
    dsp_str                 job_name;
    dsp_jobexecution_status status;
    int64_t                 wake_us; /* with DSP_ACT_NONE: look again then; 0: when something changes */
} dsp_decision;

/*
 * Decides. Strings of the decision point into the view, static text or the arena; when the arena is exhausted (see
 * arena->state) a message is shorter, nothing else. The same view always gives the same decision; a decision that was
 * carried out leads to another view.
 */
void dsp_reconcile(const dsp_view *view, dsp_arena *arena, dsp_decision *out);

const char *dsp_action_name(enum dsp_action action);

/* What a stored status patch means to people: at most one of each is recorded in the life of a JobExecution, but for
 * the waiting ones. */
typedef struct dsp_transition {
    const char *event; /* reason of the Event */
    bool        warning;
    dsp_str     message;
} dsp_transition;

#define DSP_TRANSITIONS_MAX 4

/* The Events that the step from `before` to `after` is worth; gives their number. */
size_t dsp_transitions(const dsp_jobexecution *before, const dsp_jobexecution_status *after,
                       dsp_transition out[DSP_TRANSITIONS_MAX], dsp_arena *arena);

/* The counters that this step moves. */
typedef struct dsp_counted {
    bool started; /* job_executions_total: it has a Job, or its end without one */
    bool succeeded;
    bool failed;
} dsp_counted;

dsp_counted dsp_count(const dsp_jobexecution *before, const dsp_jobexecution_status *after);

/* The reasons in conditions. The first group is the original's. */
#define DSP_REASON_JOB_CREATED "JobCreated"
#define DSP_REASON_JOB_RUNNING "JobRunning"
#define DSP_REASON_JOB_COMPLETED "JobCompleted"
#define DSP_REASON_JOB_SUCCEEDED "JobSucceeded"
#define DSP_REASON_JOB_FAILED "JobFailed"

#define DSP_REASON_TEMPLATE_NOT_FOUND "TemplateNotFound"
#define DSP_REASON_TEMPLATE_ERROR "TemplateError"
#define DSP_REASON_INVALID_JOB "InvalidJob"
#define DSP_REASON_SUSPENDED "Suspended"
#define DSP_REASON_JOB_NAME_CONFLICT "JobNameConflict"
#define DSP_REASON_JOB_REFUSED "JobRefused"
#define DSP_REASON_NAMESPACE_TERMINATING "NamespaceTerminating"
#define DSP_REASON_JOB_DELETED "JobDeleted"

#endif
