/* What a look at a Job leads to, as with Kubernetes' Job and TTL controllers: pods, conditions, the end. */
#include "job_sync.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "delete.h"
#include "emit.h"
#include "job_status.h"
#include "meta.h"
#include "tree.h"

static void wake_at(struct dc_sync *s, int64_t ms)
{
    if (ms < s->wake_ms) {
        s->wake_ms = ms;
    }
}

/* After a failure the next pod waits, longer each time. true: not yet. */
static bool in_backoff(struct dc_sync *s)
{
    const dc_options *o = &dc_sync_cluster(s)->options;
    int64_t           delay = o->job_backoff_ms;

    if (s->j->failures_in_row == 0) {
        return false;
    }
    for (int i = 1; i < s->j->failures_in_row && delay < o->job_backoff_max_ms; i++) {
        delay *= 2;
    }
    int64_t due = s->j->last_failure_ms + (delay < o->job_backoff_max_ms ? delay : o->job_backoff_max_ms);
    if (dsp_clock_ms() >= due) {
        return false;
    }
    wake_at(s, due);
    return true;
}

static void manage_pods(struct dc_sync *s)
{
    int64_t parallelism = dc_int_or(s->spec, "parallelism", 1);
    int64_t succeeded = dc_int_or(s->status, "succeeded", 0), completions, wanted = parallelism;

    if (dc_int(dc_get(s->spec, "completions"), &completions)) {
        int64_t left = completions - succeeded;
        wanted = left < parallelism ? left : parallelism;
    } else if (succeeded > 0) {
        wanted = s->active; /* a work queue: after the first success no new pods */
    }
    if (s->active < wanted && !in_backoff(s)) {
        while (s->active < wanted && dc_job_create_pod(s)) {
        }
        if (s->active < wanted) {
            wake_at(s, dsp_clock_ms() + 1000);
        }
    }
}

static bool past_deadline(struct dc_sync *s)
{
    const char *text = dc_str(s->status, "startTime");
    int64_t     seconds, start;

    if (text == NULL || !dc_int(dc_get(s->spec, "activeDeadlineSeconds"), &seconds) ||
        !dsp_time_parse(dsp_str_from(text), &start)) {
        return false;
    }
    int64_t left_us = start + seconds * 1000000 - dsp_wall_us();
    if (left_us <= 0) {
        return true;
    }
    wake_at(s, dsp_clock_ms() + left_us / 1000 + 1);
    return false;
}

static bool past_backoff_limit(const struct dc_sync *s)
{
    int64_t     limit = dc_int_or(s->spec, "backoffLimit", 6);
    const char *policy = dc_str(dc_at(s->spec, "template", "spec", NULL), "restartPolicy");

    if (dc_int_or(s->status, "failed", 0) > limit) {
        return true;
    }
    if (policy == NULL || strcmp(policy, "OnFailure") != 0) {
        return false;
    }
    return limit == 0 ? s->restarts > 0 : s->restarts >= limit;
}

static bool reached_completions(const struct dc_sync *s)
{
    int64_t completions, succeeded = dc_int_or(s->status, "succeeded", 0);

    if (dc_int(dc_get(s->spec, "completions"), &completions)) {
        return succeeded >= completions;
    }
    return succeeded > 0 && s->active == 0;
}

/* Both of a suspended and a resumed Job. true: it is suspended. */
static bool handle_suspension(struct dc_sync *s)
{
    bool suspended = cJSON_IsTrue(dc_get(s->spec, "suspend"));

    if (suspended) {
        if (dc_job_set_condition(s->status, "Suspended", true, "JobSuspended", "Job suspended")) {
            dc_emit(dc_sync_cluster(s), s->tree, "Normal", "Suspended", "Job suspended");
        }
        dc_del(s->status, "startTime");
        if (s->active > 0) {
            dc_job_delete_active_pods(s, true);
        }
        s->j->failures_in_row = 0;
    } else if (dc_job_condition(s->status, "Suspended")) {
        dc_job_set_condition(s->status, "Suspended", false, "JobResumed", "Job resumed");
        dc_emit(dc_sync_cluster(s), s->tree, "Normal", "Resumed", "Job resumed");
    }
    if (!suspended && dc_str(s->status, "startTime") == NULL) {
        char now[32];
        dc_now(now);
        dc_set_str(s->status, "startTime", now);
    }
    return suspended;
}

void dc_job_write_status(struct dc_sync *s)
{
    dc_cluster      *c = dc_sync_cluster(s);
    const dc_object *o = dc_store_get(c->jobs, s->j->ns, s->j->name);

    dc_job_set_counts(s->status, s->active, s->ready, s->terminating);
    if (o == NULL || strcmp(o->uid, s->j->uid) != 0 || dc_equal(s->status, s->before)) {
        return;
    }
    cJSON *tree = dc_object_tree(o);
    dc_set(tree, "status", dc_copy(s->status));
    dc_store_put(&c->store, c->jobs, tree);
    cJSON_Delete(tree);
    cJSON_Delete(s->before);
    s->before = dc_copy(s->status);
}

/* The first half of an end: no more pods; it becomes final when the last one is gone. */
static void target(struct dc_sync *s, bool success, const char *reason, const char *message)
{
    dc_job_set_condition(s->status, success ? "SuccessCriteriaMet" : "FailureTarget", true, reason, message);
    if (s->active > 0) {
        dc_job_delete_active_pods(s, false);
    }
    s->targeted = true;
}

/* The status between seeing pods that ended and counting them: they are named, the counts are still the old ones. */
void dc_job_write_uncounted(struct dc_sync *s, const cJSON *ended)
{
    static const char *const lists[] = { "succeeded", "failed" };
    cJSON                   *status = s->status, *interim = dc_copy(status);
    cJSON                   *named = cJSON_CreateObject();

    for (const cJSON *pod = ended->child; pod != NULL; pod = pod->next) {
        const char *list = lists[strcmp(dc_job_phase_of(pod), "Succeeded") != 0];
        int64_t     n = dc_int_or(interim, list, 0) - 1;
        dc_array_add(dc_ensure_array(named, list), dc_str(dc_get(pod, "metadata"), "uid"));
        if (n > 0) {
            dc_set_int(interim, list, n);
        } else {
            dc_del(interim, list);
        }
    }
    dc_set(interim, "uncountedTerminatedPods", named);
    s->status = interim;
    dc_job_write_status(s);
    s->status = status;
    cJSON_Delete(interim);
}

void dc_job_finish_when_quiet(struct dc_sync *s)
{
    const cJSON *met = dc_job_condition_node(s->status, "SuccessCriteriaMet");
    const cJSON *failing = dc_job_condition_node(s->status, "FailureTarget");
    dc_cluster  *c = dc_sync_cluster(s);

    if (s->active > 0 || s->terminating > 0) {
        return;
    }
    if (met != NULL) {
        dc_job_set_condition(s->status, "Complete", true, dc_str(met, "reason"), dc_str(met, "message"));
        char now[32];
        dc_now(now);
        dc_set_str(s->status, "completionTime", now);
        dc_emit(c, s->tree, "Normal", "Completed", "Job completed");
    } else if (failing != NULL) {
        dc_job_set_condition(s->status, "Failed", true, dc_str(failing, "reason"), dc_str(failing, "message"));
        dc_emit(c, s->tree, "Warning", dc_str(failing, "reason"), "%s", dc_str(failing, "message"));
    }
}

/* The TTL controller: a finished Job goes when its time is over. */
void dc_job_handle_ttl(struct dc_sync *s)
{
    dc_cluster *c = dc_sync_cluster(s);
    dc_object  *o = dc_store_get(c->jobs, s->j->ns, s->j->name);
    int64_t     ttl, end;

    if (o == NULL || o->deleting || !dc_int(dc_get(s->spec, "ttlSecondsAfterFinished"), &ttl) ||
        !dc_job_finish_time(s->status, &end)) {
        return;
    }
    int64_t left_us = end + ttl * 1000000 - dsp_wall_us();
    if (left_us > 0) {
        wake_at(s, dsp_clock_ms() + left_us / 1000 + 1);
        return;
    }
    dc_delete how = { .policy = DC_FOREGROUND, .uid = s->j->uid, .grace_s = -1 };
    dc_fail   f = { 0 };
    dc_object_hold(o);
    dc_delete_object(c, c->jobs, o, &how, &f);
    dc_object_release(o);
    dc_fail_free(&f);
}

void dc_job_decide(struct dc_sync *s)
{
    bool targeted = dc_job_condition(s->status, "SuccessCriteriaMet") || dc_job_condition(s->status, "FailureTarget");

    if (targeted) {
        if (s->active > 0) {
            dc_job_delete_active_pods(s, false);
        }
    } else if (reached_completions(s)) {
        target(s, true, "CompletionsReached", "Reached expected number of succeeded pods");
    } else if (past_backoff_limit(s)) {
        target(s, false, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
    } else if (!handle_suspension(s)) {
        if (past_deadline(s)) {
            target(s, false, "DeadlineExceeded", "Job was active longer than specified deadline");
        } else {
            manage_pods(s);
        }
    }
}
