#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "model/jobname.h"

dsp_execution *dsp_record_new(dsp_store *s, dsp_str uid)
{
    dsp_execution  *e = calloc(1, sizeof(*e));
    dsp_record_text text = { .uid = uid };

    if (e == NULL) {
        return NULL;
    }
    if (!dsp_record_set_text(s, e, &text)) {
        free(e);
        return NULL;
    }
    if (!dsp_map_insert(&s->by_uid, &e->by_uid)) {
        free(e->text);
        free(e);
        return NULL;
    }
    return e;
}

void dsp_record_free(dsp_store *s, dsp_execution *e)
{
    dsp_record_sleep(s, e);
    if (e->by_key.key.data != NULL) {
        dsp_map_remove(&s->by_key, e->by_key.key);
    }
    dsp_map_remove(&s->by_uid, e->by_uid.key);
    free(e->text);
    free(e);
}

/* The Job's name is not stored where it follows from the uid and the JobExecution's name. */
static bool usual_job_name(const dsp_record_text *t)
{
    char name[DSP_JOB_NAME_MAX + 1];

    dsp_job_name(t->name, t->uid, name);
    return dsp_str_is(t->job_name, name);
}

dsp_record_text dsp_record_text_of(const dsp_execution *e)
{
    const char     *p = e->text;
    dsp_record_text t = { .uid = { p, e->uid_len } };

    p += e->uid_len;
    if (e->key_len > 0) {
        t.ns = (dsp_str){ p, e->ns_len };
        t.name = (dsp_str){ p + e->ns_len + 1, e->key_len - e->ns_len - 1u };
    }
    p += e->key_len;
    t.job_uid = (dsp_str){ p, e->job_uid_len };
    t.job_name = (dsp_str){ p + e->job_uid_len, e->job_name_len };
    return t;
}

static char *add(char *p, dsp_str s)
{
    if (s.len > 0) {
        memcpy(p, s.data, s.len);
    }
    return p + s.len;
}

bool dsp_record_fits(const dsp_record_text *t)
{
    return t->uid.len <= UINT8_MAX && t->ns.len <= UINT8_MAX && t->job_uid.len <= UINT8_MAX &&
           t->ns.len + 1 + t->name.len <= UINT16_MAX && t->job_name.len <= UINT16_MAX;
}

bool dsp_record_set_text(dsp_store *s, dsp_execution *e, const dsp_record_text *t)
{
    size_t key_len = t->name.len > 0 ? t->ns.len + 1 + t->name.len : 0;
    size_t job_name_len = t->job_name.len > 0 && !usual_job_name(t) ? t->job_name.len : 0;

    if (!dsp_record_fits(t)) {
        return false;
    }
    char *text = malloc(t->uid.len + key_len + t->job_uid.len + job_name_len + 1);
    if (text == NULL) {
        return false;
    }
    char *key = add(text, t->uid), *p = key;
    if (key_len > 0) {
        p = add(key, t->ns);
        *p++ = '/';
        p = add(p, t->name);
    }
    p = add(p, t->job_uid);
    add(p, (dsp_str){ t->job_name.data, job_name_len });

    if (e->by_key.key.data != NULL) {
        dsp_map_remove(&s->by_key, e->by_key.key);
        e->by_key.key = (dsp_str){ NULL, 0 };
    }
    char *old = e->text;
    e->text = text;
    e->uid_len = (uint8_t) t->uid.len;
    e->ns_len = (uint8_t) t->ns.len;
    e->key_len = (uint16_t) key_len;
    e->job_uid_len = (uint8_t) t->job_uid.len;
    e->job_name_len = (uint16_t) job_name_len;
    e->by_uid.key = (dsp_str){ text, t->uid.len }; /* the same bytes as before, elsewhere */
    free(old);
    if (key_len > 0) {
        e->by_key.key = (dsp_str){ key, key_len };
        if (!dsp_map_insert(&s->by_key, &e->by_key)) {
            e->by_key.key = (dsp_str){ NULL, 0 };
            return false;
        }
    }
    return true;
}

/* Stand-ins for the objects, as far as the text tells: enough to read the Job, to delete the JobExecution, and to know
 * that it is finished. */
static bool recall(dsp_execution *e)
{
    dsp_record_text t = dsp_record_text_of(e);
    char            usual[DSP_JOB_NAME_MAX + 1];

    if (t.job_uid.len > 0 && t.job_name.len == 0) {
        dsp_job_name(t.name, t.uid, usual);
        t.job_name = dsp_str_from(usual);
    }
    if (t.name.len > 0) {
        dsp_jobexecution je = {
            .ns = t.ns, .name = t.name, .uid = t.uid, .job_uid = t.job_uid, .job_name = t.job_name
        };

        if (e->finished) {
            je.conditions.of[DSP_SUCCEEDED].status = e->kept ? DSP_COND_FALSE : DSP_COND_TRUE;
            je.conditions.of[DSP_SUCCEEDED].reason = e->kept ? DSP_STR(DSP_REASON_JOB_DELETED) : DSP_STR("");
        }
        e->live->je = dsp_jobexecution_dup(&je);
        if (e->live->je == NULL) {
            return false;
        }
    }
    if (t.job_uid.len > 0) {
        dsp_job job = { .ns = t.ns, .name = t.job_name, .uid = t.job_uid, .owner_uid = t.uid, .ttl_wanted = -1 };

        e->live->job = dsp_job_dup(&job);
        if (e->live->job == NULL) {
            return false;
        }
    }
    return true;
}

bool dsp_record_wake(dsp_store *s, dsp_execution *e)
{
    if (e->live != NULL) {
        return true;
    }
    e->live = calloc(1, sizeof(*e->live));
    if (e->live == NULL) {
        return false;
    }
    e->live->execution = e;
    LIST_INSERT_HEAD(&s->lives, e->live, link);
    s->n_lives++;
    if (!recall(e)) {
        dsp_record_sleep(s, e);
        return false;
    }
    return true;
}

void dsp_live_clear_attempt(dsp_store *s, dsp_live *live)
{
    if (live->attempt.end == DSP_ATTEMPT_WAITING && live->attempt.job_name != NULL) {
        s->n_conflicts--;
    }
    free(live->attempt.job_name);
    free(live->attempt.reason);
    free(live->attempt.message);
    live->attempt.end = DSP_ATTEMPT_NONE;
    live->attempt.job_name = live->attempt.reason = live->attempt.message = NULL;
}

void dsp_record_sleep(dsp_store *s, dsp_execution *e)
{
    dsp_live *live = e->live;

    if (live == NULL) {
        return;
    }
    LIST_REMOVE(live, link);
    s->n_lives--;
    dsp_live_clear_attempt(s, live);
    free(live->je);
    free(live->job);
    free(live->failure);
    free(live->before);
    free(live->sent);
    free(live);
    e->live = NULL;
}
