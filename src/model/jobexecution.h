/*
 * A JobExecution: what the controller reads of it, and the status that it writes.
 */
#ifndef DSP_MODEL_JOBEXECUTION_H
#define DSP_MODEL_JOBEXECUTION_H

#include "condition.h"
#include "job.h"

typedef struct dsp_jobexecution {
    dsp_str        ns;
    dsp_str        name;
    dsp_str        uid;
    dsp_str        resource_version;
    int64_t        created_us;
    bool           deleting;        /* has a deletionTimestamp */
    dsp_str        template_name;   /* spec.jobTemplateName */
    dsp_json       payload;         /* spec.payload as a JSON string; none: empty */
    dsp_json       conditions_text; /* status.conditions as stored; none: there are none */
    dsp_conditions conditions;
    dsp_str        job_name; /* status.job; empty: not recorded */
    dsp_str        job_uid;
} dsp_jobexecution;

/*
 * Reads an object that dsp_json_parse() accepted. Strings point into its text or the arena. false: no metadata.name or
 * uid, or the arena is exhausted.
 */
bool dsp_jobexecution_read(dsp_json object, dsp_arena *arena, dsp_jobexecution *out);

/* A copy in one block for free(3), strings included; NULL when memory is out. */
dsp_jobexecution *dsp_jobexecution_dup(const dsp_jobexecution *je);

/* Whether its end is recorded: Succeeded is True or False. Such a JobExecution never gets a new status. */
bool dsp_jobexecution_finished(const dsp_jobexecution *je);

/* What is to be stored. Members that are empty, 0 or negative as said are left as they are on the server. */
typedef struct dsp_jobexecution_status {
    dsp_conditions  conditions;
    dsp_str         job_name;
    dsp_str         job_uid;
    int64_t         start_us;       /* 0: none */
    int64_t         completion_us;  /* 0: none */
    int64_t         attempts;       /* pods that the Job has started, -1: unknown */
    dsp_str         failure_reason; /* empty: no failure */
    dsp_str         failure_message;
    dsp_job_failure failure; /* pod.len == 0: no pod could be seen */
} dsp_jobexecution_status;

/*
 * Writes the merge-patch for …/status: the resourceVersion that `stored` was read with (the server answers 409 when it
 * is not the newest), the complete conditions array, the same in one word (state, reason: what `kubectl get` shows),
 * and the rest of `status`.
 */
void dsp_jobexecution_status_patch(dsp_buf *out, const dsp_jobexecution *stored, const dsp_jobexecution_status *status);

#endif
