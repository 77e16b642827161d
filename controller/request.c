#include "action.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/object.h"

#define ANSWER_ARENA (1u << 20)

int64_t dsp_action_now(const dsp_actor *a)
{
    return a->host.now_ms(a->host.context);
}

/* --- logging -------------------------------------------------------------------------------------------------- */

static dsp_str ns_of(const dsp_action_call *act)
{
    return (dsp_str){ act->key, act->ns_len };
}

static const char *name_of(const dsp_action_call *act)
{
    return act->key + act->ns_len + 1;
}

void dsp_action_log(const dsp_action_call *act, const char *msg, const char *job_name)
{
    dsp_log(DSP_LOG_INFO, msg, DSP_LOG_STR("namespace", ns_of(act)),
            DSP_LOG_Z("jobexecution", name_of(act)), DSP_LOG_Z("job", job_name));
}

void dsp_action_log_failure(enum dsp_log_level level, const dsp_action_call *act, const char *msg, const dsp_outcome *o,
                            int status)
{
    bool hide = o->quotes && !act->actor->options.log_payloads;

    dsp_log(level, msg, DSP_LOG_STR("namespace", ns_of(act)),
            DSP_LOG_Z("jobexecution", name_of(act)), DSP_LOG_INT("status", status),
            DSP_LOG_STR("error", hide ? DSP_STR("refused; the condition says why") : o->message));
}

/* --- paths ---------------------------------------------------------------------------------------------------- */

void dsp_action_segment(dsp_buf *path, dsp_str s)
{
    dsp_buf_addc(path, '/');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
            c == '_') {
            dsp_buf_addc(path, (char) c);
        } else {
            dsp_buf_addf(path, "%%%02X", c);
        }
    }
}

void dsp_action_job_path(dsp_buf *path, dsp_str ns, dsp_str name)
{
    dsp_buf_addz(path, "/apis/batch/v1/namespaces");
    dsp_action_segment(path, ns);
    dsp_buf_addz(path, "/jobs");
    if (name.len > 0) {
        dsp_action_segment(path, name);
    }
}

void dsp_action_execution_path(dsp_buf *path, const dsp_jobexecution *je)
{
    dsp_buf_addz(path, "/apis/" DSP_API_VERSION "/namespaces");
    dsp_action_segment(path, je->ns);
    dsp_buf_addz(path, "/jobexecutions");
    dsp_action_segment(path, je->name);
}

/* --- sending and being answered ------------------------------------------------------------------------------- */

/* NULL is fine. */
static void free_action(dsp_action_call *act)
{
    if (act != NULL) {
        free(act->job_name);
        free(act->key);
        free(act);
    }
}

void dsp_actions_free(dsp_actor *a)
{
    dsp_action_call *act;

    while ((act = LIST_FIRST(&a->calls)) != NULL) {
        LIST_REMOVE(act, link);
        free_action(act);
    }
}

static void on_answer(void *context, const dsp_answer *answer)
{
    dsp_action_call *act = context;
    dsp_actor       *a = act->actor;
    dsp_live        *live = act->execution->live;
    dsp_arena        arena;
    dsp_outcome      o;

    dsp_arena_init(&arena, ANSWER_ARENA);
    dsp_outcome_judge(act->type->call, answer, &arena, &o);
    act->type->ended(act, answer, &o);
    dsp_arena_free(&arena);

    dsp_histogram_add(&a->metrics->reconcile_time, dsp_action_now(a) - act->sent_ms);
    a->metrics->reconciles++;
    a->in_flight--;
    a->metrics->active = a->in_flight;
    live->busy = live->again = false;
    dsp_actor_add(a, act->execution); /* always: what is next? */
    a->host.kick(a->host.context);
    LIST_REMOVE(act, link);
    free_action(act);
}

bool dsp_action_send(dsp_actor *a, dsp_execution *e, const dsp_action_type *type, dsp_str job_name, dsp_buf *path,
                     const char *content_type, dsp_buf *body)
{
    dsp_action_call *act = calloc(1, sizeof(*act));
    const dsp_call   call = { .method = type->method,
                              .path = dsp_buf_str(path),
                              .content_type = content_type,
                              .body = body != NULL ? dsp_buf_str(body) : (dsp_str){ NULL, 0 },
                              .deadline_ms = type->deadline_ms };
    bool             ok = act != NULL && path->len > 0 && !path->failed && (body == NULL || !body->failed);

    if (ok) {
        *act = (dsp_action_call){
            .actor = a, .execution = e, .type = type, .sent_ms = dsp_action_now(a), .ns_len = e->ns_len
        };
        act->key = dsp_str_dup(e->by_key.key);
        act->job_name = job_name.len > 0 ? dsp_str_dup(job_name) : NULL;
        ok = act->key != NULL && (job_name.len == 0 || act->job_name != NULL) &&
             a->host.call(a->host.context, &call, on_answer, act);
    }
    dsp_buf_free(path);
    if (body != NULL) {
        dsp_buf_free(body);
    }
    if (!ok) {
        free_action(act);
        a->no_memory = true;
        return false;
    }
    LIST_INSERT_HEAD(&a->calls, act, link);
    e->live->busy = true;
    e->live->doubted = false;
    a->in_flight++;
    a->metrics->active = a->in_flight;
    return true;
}

/* --- trying again --------------------------------------------------------------------------------------------- */

int64_t dsp_backoff_ms(dsp_actor *a, unsigned failures)
{
    int64_t ms = DSP_BACKOFF_MIN_MS;

    for (unsigned i = 0; i < failures && ms < DSP_BACKOFF_MAX_MS; i++) {
        ms *= 2;
    }
    if (ms > DSP_BACKOFF_MAX_MS) {
        ms = DSP_BACKOFF_MAX_MS;
    }
    return ms / 2 + (int64_t) (a->host.random(a->host.context) % (uint32_t) (ms / 2 + 1));
}

void dsp_action_backoff(dsp_actor *a, dsp_live *live, const dsp_answer *answer)
{
    int64_t delay = dsp_backoff_ms(a, live->failures++);

    if (answer->retry_after_ms > delay) {
        delay = answer->retry_after_ms;
    }
    live->not_before_ms = dsp_action_now(a) + delay;
    a->metrics->queue_retries++;
    a->metrics->reconcile_errors++;
}

void dsp_action_put(dsp_actor *a, enum dsp_kind kind, dsp_json object)
{
    if (!dsp_store_put(a->store, kind, object)) {
        a->no_memory = true;
    }
}

void dsp_action_put_job(dsp_action_call *act, dsp_json object)
{
    if (!act->execution->live->doubted) {
        dsp_action_put(act->actor, DSP_KIND_JOB, object);
    }
}
