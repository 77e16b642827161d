/*
 * One look at a Job: what the controller (jobs.c), its decisions (job_decide.c) and its dealings with pods (job_pods.c) share.
 */
#ifndef DC_JOB_SYNC_H
#define DC_JOB_SYNC_H

#include "jobs.h"

/* The finalizer of a pod that was not counted yet. */
#define DC_JOB_TRACKING "batch.kubernetes.io/job-tracking"

/* One Job that is looked after. */
typedef struct job {
    dsp_map_node      by_uid; /* key: uid */
    STAILQ_ENTRY(job) queue;
    dc_jobs          *jobs;
    char             *uid, *ns, *name;
    bool              queued;
    int               failures_in_row; /* for the backoff */
    int64_t           last_failure_ms;
    struct event     *timer; /* the next time it must be looked at: deadline, backoff, TTL */
} job;

/* What a turn knows of a Job. */
struct dc_sync {
    job     *j;
    cJSON   *tree, *spec, *status;
    cJSON   *before;     /* the status as it was */
    dc_slot **pods;
    size_t   n_pods;
    int64_t  active, ready, terminating;
    int64_t  restarts;   /* of containers of active pods */
    int64_t  new_failed; /* found in this turn */
    bool     targeted;   /* the end was decided in this turn */
    int64_t  wake_ms;    /* when to look again; INT64_MAX: only when something happens */
};

dc_cluster *dc_sync_cluster(const struct dc_sync *s);

const char *dc_job_phase_of(const cJSON *pod);

/* Counts the pods; *ended (an array) gets the trees of those that ended and were not counted yet. */
void dc_job_look_at_pods(struct dc_sync *s, cJSON *ended);

/* A pod that has ended is counted once: when its tracking finalizer is taken off. */
void dc_job_release_pod(dc_cluster *c, cJSON *pod);

/* uncounted: they are no failures (the Job was suspended). */
void dc_job_delete_active_pods(struct dc_sync *s, bool uncounted);

bool dc_job_create_pod(struct dc_sync *s);

/* --- job_decide.c --- */

/* Pods, suspension, deadline, backoff, completions of a Job that is not over. */
void dc_job_decide(struct dc_sync *s);

/* Stores s->status when it differs from s->before. */
void dc_job_write_status(struct dc_sync *s);

/* The status between seeing pods that ended and counting them. */
void dc_job_write_uncounted(struct dc_sync *s, const cJSON *ended);

/* The end becomes final when the last pod is gone. */
void dc_job_finish_when_quiet(struct dc_sync *s);

/* Deletes a finished Job when its time is over. */
void dc_job_handle_ttl(struct dc_sync *s);

#endif
