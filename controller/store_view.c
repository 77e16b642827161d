/* What is known about one JobExecution, for the decision, and what its actions found out. */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

dsp_view dsp_store_view(const dsp_store *s, const dsp_execution *e, int64_t now_us, int64_t at_ms)
{
    const dsp_live *live = e->live;
    dsp_view        v = { .je = live->je,
                          .job_known = (enum dsp_job_known) e->job_known,
                          .job = live->job,
                          .job_seen_us = now_us - (at_ms - live->job_seen_ms) * 1000,
                          .attempt = { live->attempt.end, dsp_str_from(live->attempt.job_name),
                                       dsp_str_from(live->attempt.reason), dsp_str_from(live->attempt.message) },
                          .pods_read = live->pods_read,
                          .failure = { .exit_code = -1 },
                          .due = at_ms >= live->create_ms,
                          .now_us = now_us };

    if (live->failure != NULL) {
        v.failure = *live->failure;
    }
    if (v.job_known == DSP_JOB_UNKNOWN && s->synced[DSP_KIND_JOB]) {
        v.job_known = DSP_JOB_UNSEEN;
    }
    if (live->je != NULL && s->synced[DSP_KIND_TEMPLATE]) {
        v.template_known = dsp_store_template(s, live->je).data != NULL ? DSP_TEMPLATE_PRESENT : DSP_TEMPLATE_ABSENT;
    }
    return v;
}

static bool copy_to(char **to, dsp_str from)
{
    if (from.len == 0) {
        return true;
    }
    *to = dsp_str_dup(from);
    return *to != NULL;
}

bool dsp_store_attempt(dsp_store *s, dsp_execution *e, enum dsp_attempt_end end, dsp_str job_name, dsp_str reason,
                       dsp_str message)
{
    dsp_live *live = e->live;
    char     *name = NULL, *why = NULL, *text = NULL;
    bool      ok = copy_to(&name, job_name) && copy_to(&why, reason) && copy_to(&text, message);

    dsp_live_clear_attempt(s, live);
    live->attempt.end = end;
    live->attempt.job_name = name;
    live->attempt.reason = why;
    live->attempt.message = text;
    if (end == DSP_ATTEMPT_WAITING && name != NULL) {
        s->n_conflicts++;
    }
    return ok;
}

bool dsp_store_failure(dsp_store *s, dsp_execution *e, const dsp_job_failure *found)
{
    dsp_live *live = e->live;

    (void) s;
    live->pods_read = true;
    free(live->failure);
    live->failure = NULL;
    if (found == NULL) {
        return true;
    }
    live->failure = malloc(sizeof(*found) + found->pod.len + found->container.len + found->reason.len);
    if (live->failure == NULL) {
        return false;
    }
    *live->failure = *found;
    char    *p = (char *) (live->failure + 1);
    dsp_str *strings[] = { &live->failure->pod, &live->failure->container, &live->failure->reason };
    for (size_t i = 0; i < 3; i++) {
        if (strings[i]->len > 0) {
            memcpy(p, strings[i]->data, strings[i]->len);
        }
        strings[i]->data = p;
        p += strings[i]->len;
    }
    return true;
}

void dsp_store_settle(dsp_store *s, dsp_execution *e)
{
    if (e->key_len == 0 && e->job_known != DSP_JOB_PRESENT) {
        dsp_record_free(s, e);
    } else if (e->key_len > 0 && e->finished) {
        dsp_record_sleep(s, e);
    }
}
