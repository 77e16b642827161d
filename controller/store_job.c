/* The Jobs. */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

/* Whoever waits for this Job's name may try again. */
static void wake_conflicts(dsp_store *s, dsp_str ns, dsp_str name)
{
    if (s->n_conflicts == 0) {
        return;
    }
    for (dsp_live *live = LIST_FIRST(&s->lives), *next; live != NULL; live = next) {
        next = LIST_NEXT(live, link);
        if (live->attempt.end == DSP_ATTEMPT_WAITING && live->attempt.job_name != NULL && live->je != NULL &&
            dsp_str_is(name, live->attempt.job_name) && dsp_str_eq(live->je->ns, ns)) {
            live->create_ms = 0;
            dsp_store_changed(s, live->execution);
        }
    }
}

/* The Job of a finished JobExecution is of interest for its TTL only. */
static bool wants_ttl(const dsp_job *job)
{
    return job->ttl_wanted >= 0 && !job->has_ttl && !job->deleting;
}

static bool remember_job(dsp_store *s, dsp_execution *e, const dsp_job *job, uint64_t rv)
{
    dsp_record_text text = dsp_record_text_of(e);
    bool            first = e->job_known != DSP_JOB_PRESENT;

    if (text.job_uid.len == 0) {
        text.job_uid = job->uid;
        text.job_name = job->name;
        if (!dsp_record_set_text(s, e, &text)) {
            return false;
        }
    }
    e->job_known = DSP_JOB_PRESENT;
    e->job_rv = rv;
    if (e->finished && e->live == NULL && !wants_ttl(job)) {
        return true;
    }
    if (!dsp_record_wake(s, e)) {
        return false;
    }
    dsp_job *copy = dsp_job_dup(job);
    if (copy == NULL) {
        return false;
    }
    free(e->live->job);
    e->live->job = copy;
    if (first) {
        e->live->job_seen_ms = dsp_store_now(s);
    }
    if (job->end != DSP_JOB_UNFINISHED && e->live->end_ms == 0 && !s->replacing[DSP_KIND_JOB]) {
        e->live->end_ms = dsp_store_now(s);
    }
    dsp_store_changed(s, e);
    return true;
}

bool dsp_store_put_job(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_job job;

    if (!dsp_job_read(object, arena, &job)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    if (job.owner_uid.len == 0) {
        return true; /* has our label, but is not ours */
    }
    if (!dsp_record_fits(&(dsp_record_text){ .uid = job.owner_uid, .job_uid = job.uid, .job_name = job.name })) {
        return true;
    }
    dsp_execution *e = dsp_store_find_uid(s, job.owner_uid);
    uint64_t       rv = dsp_store_rv(job.resource_version);

    if (e == NULL && (e = dsp_record_new(s, job.owner_uid)) == NULL) {
        return false;
    }
    dsp_record_text text = dsp_record_text_of(e);
    bool            same = dsp_str_eq(text.job_uid, job.uid);

    if (text.job_uid.len > 0 && !same) {
        return true; /* a second Job of one JobExecution: somebody made it by hand; the first one counts */
    }
    e->job_listed = true;
    /* The answer of a read brings back one that was in doubt, at the same resourceVersion. */
    if (e->job_known == DSP_JOB_PRESENT && !dsp_store_is_news(rv, e->job_rv)) {
        return true;
    }
    if (e->job_known != DSP_JOB_PRESENT && e->job_rv != 0 && rv != 0 && rv < e->job_rv) {
        return true;
    }
    return remember_job(s, e, &job, rv);
}

bool dsp_store_doubt(dsp_store *s, dsp_execution *e)
{
    if (e->key_len == 0) { /* no JobExecution: nobody to tell */
        e->job_known = DSP_JOB_UNKNOWN;
        if (e->live == NULL) {
            dsp_record_free(s, e);
        } else {
            e->live->doubted = true;
            dsp_store_changed(s, e);
        }
        return true;
    }
    if (e->kept) {
        e->job_known = DSP_JOB_GONE;
        return true;
    }
    if (!dsp_record_wake(s, e)) {
        return false;
    }
    e->job_known = DSP_JOB_DOUBTFUL;
    e->live->doubted = true;
    dsp_store_changed(s, e);
    return true;
}

bool dsp_store_drop_job(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_job job;

    if (!dsp_job_read(object, arena, &job)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    wake_conflicts(s, job.ns, job.name);
    dsp_execution *e = job.owner_uid.len > 0 ? dsp_store_find_uid(s, job.owner_uid) : NULL;
    uint64_t       rv = dsp_store_rv(job.resource_version);

    if (e == NULL || e->job_known != DSP_JOB_PRESENT || !dsp_str_eq(dsp_record_text_of(e).job_uid, job.uid) ||
        (rv != 0 && rv < e->job_rv)) {
        return true;
    }
    if (e->live != NULL && e->live->job != NULL) { /* the last state may hold an end that no event told of */
        dsp_job *copy = dsp_job_dup(&job);

        if (copy == NULL) {
            return false;
        }
        free(e->live->job);
        e->live->job = copy;
    }
    e->job_rv = rv;
    return dsp_store_doubt(s, e);
}

void dsp_store_job_gone(dsp_store *s, dsp_execution *e)
{
    dsp_record_text text = dsp_record_text_of(e);

    e->job_known = DSP_JOB_GONE;
    if (e->live != NULL && e->live->je != NULL && text.job_name.len > 0) {
        wake_conflicts(s, text.ns, text.job_name);
    }
    if (e->live != NULL) {
        dsp_store_changed(s, e);
    }
}

void dsp_store_job_doubtful(dsp_store *s, dsp_execution *e)
{
    e->job_known = DSP_JOB_DOUBTFUL;
    dsp_store_changed(s, e);
}
