/*
 * A batch/v1 Job as the controller sees it, and what its pods tell about a failure.
 */
#ifndef DSP_MODEL_JOB_H
#define DSP_MODEL_JOB_H

#include "base/json.h"

/* The original's labels on a Job. The first holds the JobExecution's uid, whatever the key says. */
#define DSP_LABEL_UID "controller-uid"
#define DSP_LABEL_EXECUTION "job-execution-name"

/*
 * The template's ttlSecondsAfterFinished waits here, on the Job itself, until the Job's end is recorded: so it survives
 * a restart of the controller and an edit of the template.
 */
#define DSP_TTL_ANNOTATION "dispatcher.ivan.vc/ttl-seconds-after-finished"

/* The resourceVersion of the JobTemplate that the Job was made from. */
#define DSP_TEMPLATE_VERSION_ANNOTATION "dispatcher.ivan.vc/job-template-resource-version"

enum dsp_job_end { DSP_JOB_UNFINISHED = 0, DSP_JOB_COMPLETE, DSP_JOB_FAILED };

typedef struct dsp_job {
    dsp_str ns;
    dsp_str name;
    dsp_str uid;
    dsp_str resource_version;
    dsp_str owner_uid;  /* of the JobExecution that controls it; empty: it is not ours */
    bool    deleting;   /* has a deletionTimestamp */
    bool    suspended;  /* spec.suspend */
    bool    has_ttl;    /* spec.ttlSecondsAfterFinished is set */
    int64_t ttl_wanted; /* DSP_TTL_ANNOTATION, -1: none */
    int64_t start_us;   /* status.startTime, 0: not started */
    int64_t active;     /* pods */
    int64_t succeeded;
    int64_t failed;
    /* By the condition Complete or Failed that is True; SuccessCriteriaMet and FailureTarget come earlier and do not
     * count. */
    enum dsp_job_end end;
    int64_t          end_us; /* status.completionTime, else that condition's lastTransitionTime */
    dsp_str          reason; /* of that condition */
    dsp_str          message;
} dsp_job;

/*
 * Reads an object that dsp_json_parse() accepted. Strings point into its text or the arena. false: no metadata.name or
 * uid, or the arena is exhausted.
 */
bool dsp_job_read(dsp_json object, dsp_arena *arena, dsp_job *out);

/* A copy in one block for free(3), strings included; NULL when memory is out. */
dsp_job *dsp_job_dup(const dsp_job *job);

/* The container of a Job's pods that failed first. */
typedef struct dsp_job_failure {
    dsp_str pod;
    dsp_str container; /* empty: the pod failed as a whole (evicted, say) */
    dsp_str reason;    /* "Error", "OOMKilled", … or the pod's reason */
    int64_t exit_code; /* -1: none */
} dsp_job_failure;

/*
 * Searches a PodList for the container that ended with a failure first, by finishedAt; a pod that failed without one
 * counts when there is nothing better. false: nothing failed that can be seen.
 */
bool dsp_job_failure_read(dsp_json pod_list, dsp_arena *arena, dsp_job_failure *out);

#endif
