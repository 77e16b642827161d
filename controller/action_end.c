/* What a Job that has ended asks for: its pods' exit code, its TTL, and the JobExecution's end when it is gone. */
#include "action.h"

#include <string.h>

#include "base/log.h"
#include "model/object.h"

#define PODS_ARENA (1u << 20)

/* --- reading the pods of a failed Job ------------------------------------------------------------------------- */

static void ended_read_pods(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type read_pods = { "GET", DSP_CALL_READ, DSP_PODS_DEADLINE_MS, ended_read_pods };

bool dsp_action_read_pods(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    dsp_buf path;

    (void) d;
    dsp_buf_init(&path, 4096);
    dsp_buf_addz(&path, "/api/v1/namespaces");
    dsp_action_segment(&path, e->live->je->ns);
    /* Not by the Job's name: another Job may have had it. Every Kubernetes gives a Job's pods this label. */
    dsp_buf_addz(&path, "/pods?limit=100&labelSelector=controller-uid%3D");
    dsp_buf_adds(&path, e->live->job->uid); /* a label's value: nothing in it needs encoding */
    return dsp_action_send(a, e, &read_pods, DSP_STR(""), &path, NULL, NULL);
}

static void ended_read_pods(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_job_failure failure;
    dsp_arena       arena;
    bool            found = false;

    dsp_arena_init(&arena, PODS_ARENA);
    if (o->kind == DSP_OUT_DONE) {
        found = dsp_job_failure_read(o->object, &arena, &failure);
    } else {
        dsp_action_log_failure(DSP_LOG_DEBUG, act, "pods not read", o, answer->status);
    }
    if (!dsp_store_failure(act->actor->store, act->execution, found ? &failure : NULL)) {
        act->actor->no_memory = true;
    }
    dsp_arena_free(&arena);
}

/* --- giving the Job its TTL ----------------------------------------------------------------------------------- */

static void ended_patch_ttl(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type patch_ttl = { "PATCH", DSP_CALL_PATCH, DSP_WRITE_DEADLINE_MS, ended_patch_ttl };

bool dsp_action_patch_ttl(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    const dsp_job *job = e->live->job;
    dsp_buf        path, body;

    (void) d;
    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, 4096);
    dsp_action_job_path(&path, e->live->je->ns, job->name);
    dsp_buf_addz(&path, "?" DSP_ACTION_MANAGER);
    dsp_buf_addz(&body, "{\"metadata\":{\"uid\":");
    dsp_json_quote(&body, job->uid);
    dsp_buf_addf(&body, "},\"spec\":{\"ttlSecondsAfterFinished\":%lld}}", (long long) job->ttl_wanted);
    return dsp_action_send(a, e, &patch_ttl, DSP_STR(""), &path, "application/merge-patch+json", &body);
}

static void ended_patch_ttl(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor *a = act->actor;
    dsp_live  *live = act->execution->live;

    if (o->kind == DSP_OUT_DONE) {
        live->failures = 0;
        dsp_action_put_job(act, o->object);
    } else if (o->kind == DSP_OUT_NOT_FOUND || o->kind == DSP_OUT_CONFLICT) {
        dsp_store_job_doubtful(a->store, act->execution);
    } else {
        dsp_action_backoff(a, live, answer);
        dsp_action_log_failure(DSP_LOG_WARN, act, "ttl not stored", o, answer->status);
    }
}

/* --- deleting the JobExecution -------------------------------------------------------------------------------- */

static void ended_delete(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o);

static const dsp_action_type delete_execution = { "DELETE", DSP_CALL_DELETE, DSP_WRITE_DEADLINE_MS, ended_delete };

bool dsp_action_delete_execution(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    dsp_buf path, body;

    (void) d;
    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, 4096);
    dsp_action_execution_path(&path, e->live->je);
    dsp_buf_addz(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\","
                        "\"preconditions\":{\"uid\":");
    dsp_json_quote(&body, e->live->je->uid);
    dsp_buf_addz(&body, "}}");
    return dsp_action_send(a, e, &delete_execution, DSP_STR(""), &path, "application/json", &body);
}

static void ended_delete(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_live *live = act->execution->live;

    if (o->kind == DSP_OUT_DONE || o->kind == DSP_OUT_NOT_FOUND) {
        live->failures = 0;
        if (live->je != NULL) {
            live->je->deleting = true; /* until the watch says so */
        }
        dsp_action_log(act, "jobexecution deleted, as its job is gone", "");
    } else {
        dsp_action_backoff(act->actor, live, answer);
        dsp_action_log_failure(DSP_LOG_WARN, act, "jobexecution not deleted", o, answer->status);
    }
}
