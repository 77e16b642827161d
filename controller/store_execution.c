/* The JobExecutions. */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

#include "model/object.h"

bool dsp_store_needs_look(const dsp_store *s, const dsp_execution *e)
{
    return e->job_uid_len > 0 && !e->kept && s->synced[DSP_KIND_JOB] && e->job_known != DSP_JOB_PRESENT;
}

void dsp_store_forget(dsp_store *s, dsp_execution *e)
{
    dsp_record_text text = dsp_record_text_of(e);

    text.ns = text.name = (dsp_str){ NULL, 0 };
    if (e->live != NULL) {
        free(e->live->je);
        e->live->je = NULL;
    }
    if (e->job_known != DSP_JOB_PRESENT) {
        e->job_known = DSP_JOB_UNKNOWN;
    }
    dsp_record_set_text(s, e, &text);
    e->rv = 0;
    e->finished = e->kept = false;
    if (e->live != NULL) {
        dsp_store_changed(s, e); /* what is queued or under way for it ends */
    } else if (e->job_known == DSP_JOB_UNKNOWN) {
        dsp_record_free(s, e);
    }
}

/* The Job that was seen is not the one that is recorded: that one is to be looked for. */
static void forget_job(dsp_execution *e)
{
    e->job_known = DSP_JOB_UNKNOWN;
    e->job_rv = 0;
    if (e->live != NULL) {
        free(e->live->job);
        e->live->job = NULL;
        e->live->end_ms = 0;
    }
}

static bool remember_execution(dsp_store *s, dsp_execution *e, const dsp_jobexecution *je)
{
    dsp_record_text text = dsp_record_text_of(e);

    text.ns = je->ns;
    text.name = je->name;
    if (je->job_uid.len > 0) {
        if (text.job_uid.len > 0 && !dsp_str_eq(text.job_uid, je->job_uid)) {
            forget_job(e);
        }
        text.job_uid = je->job_uid;
        text.job_name = je->job_name;
    }
    e->rv = dsp_store_rv(je->resource_version);
    e->finished = dsp_jobexecution_finished(je);
    e->kept = e->finished && dsp_str_is(je->conditions.of[DSP_SUCCEEDED].reason, DSP_REASON_JOB_DELETED);
    return dsp_record_set_text(s, e, &text);
}

/* The full text is kept while there is something to do. */
static bool remember_live(dsp_store *s, dsp_execution *e, const dsp_jobexecution *je)
{
    bool fresh = e->live == NULL;

    if (!dsp_record_wake(s, e)) {
        return false;
    }
    dsp_live         *live = e->live;
    dsp_jobexecution *copy = dsp_jobexecution_dup(je);
    if (copy == NULL) {
        return false;
    }
    live->old = s->replacing[DSP_KIND_EXECUTION];
    if (fresh) {
        live->added_ms = live->old ? 0 : dsp_store_now(s);
        if (e->job_known == DSP_JOB_PRESENT) {
            e->job_known = DSP_JOB_DOUBTFUL; /* only its name is known by now: read it */
        }
    }
    free(live->je);
    live->je = copy;
    live->je_ms = dsp_store_now(s);
    live->stale = false;
    dsp_store_changed(s, e);
    return true;
}

bool dsp_store_put_execution(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobexecution je;

    if (!dsp_jobexecution_read(object, arena, &je)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    if (!dsp_record_fits(&(dsp_record_text){ je.uid, je.ns, je.name, je.job_uid, je.job_name })) {
        return true;
    }
    dsp_execution *e = dsp_store_find_uid(s, je.uid);
    dsp_execution *other = dsp_store_find_key(s, je.ns, je.name);
    if (e != NULL && e->key_len > 0 && !dsp_store_is_news(dsp_store_rv(je.resource_version), e->rv)) {
        e->je_listed = true;
        return true;
    }
    if (other != NULL && other != e) {
        dsp_store_forget(s, other); /* deleted and made again under the same name */
    }
    if (e == NULL && (e = dsp_record_new(s, je.uid)) == NULL) {
        return false;
    }
    e->je_listed = true;
    if (!remember_execution(s, e, &je)) {
        return false;
    }
    if (e->finished && e->live == NULL) {
        if (!dsp_store_needs_look(s, e) || je.deleting) {
            return true;
        }
    }
    return remember_live(s, e, &je);
}

bool dsp_store_drop_execution(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobexecution je;

    if (!dsp_jobexecution_read(object, arena, &je)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_execution *e = dsp_store_find_uid(s, je.uid);
    if (e != NULL && e->key_len > 0) {
        dsp_store_forget(s, e);
    }
    return true;
}

void dsp_store_execution_gone(dsp_store *s, dsp_execution *e)
{
    dsp_store_forget(s, e);
}
