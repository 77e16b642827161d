#include "action.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/object.h"

#define CALL_ARENA (1u << 20)
#define RENDER_ARENA (32u << 20)
#define BODY_MAX (4u << 20)

#define WRITE_DEADLINE_MS 30000
#define READ_DEADLINE_MS 15000
#define PODS_DEADLINE_MS 2000 /* the failure's details are worth no more */

#define JSON_BODY "application/json"
#define MERGE_PATCH "application/merge-patch+json"
#define MANAGER "fieldManager=dispatcher-controller"

/* An action under way; its JobExecution is busy until it has ended. */
struct dsp_action_call {
    struct dsp_action_call *prev, *next;
    dsp_actor              *actor;
    dsp_execution          *execution;
    enum dsp_action         kind;
    bool                    read_execution; /* instead of kind */
    const char             *method;
    int64_t                 sent_ms;
    char                   *job_name; /* create, read: the Job's */
};

static int64_t now_ms(dsp_actor *a)
{
    return a->host.now_ms(a->host.context);
}

/* --- logging -------------------------------------------------------------------------------------------------- */

static void log_done(const dsp_execution *e, const char *msg, const char *job_name)
{
    dsp_log(DSP_LOG_INFO, msg, DSP_LOG_STR("namespace", dsp_execution_ns(e)),
            DSP_LOG_STR("jobexecution", dsp_execution_name(e)), DSP_LOG_Z("job", job_name));
}

/* status 0: there was no answer. */
static void log_failure(enum dsp_log_level level, const dsp_execution *e, const char *msg, const dsp_outcome *o,
                        int status)
{
    dsp_log(level, msg, DSP_LOG_STR("namespace", dsp_execution_ns(e)),
            DSP_LOG_STR("jobexecution", dsp_execution_name(e)), DSP_LOG_INT("status", status),
            DSP_LOG_STR("error", o->message));
}

/* --- sending -------------------------------------------------------------------------------------------------- */

static void on_answer(void *context, const dsp_answer *answer);

static void free_action(struct dsp_action_call *act)
{
    free(act->job_name);
    free(act);
}

static void link_action(dsp_actor *a, struct dsp_action_call *act)
{
    act->prev = NULL;
    act->next = a->calls;
    if (a->calls != NULL) {
        a->calls->prev = act;
    }
    a->calls = act;
}

static void unlink_action(dsp_actor *a, struct dsp_action_call *act)
{
    if (act->prev != NULL) {
        act->prev->next = act->next;
    } else {
        a->calls = act->next;
    }
    if (act->next != NULL) {
        act->next->prev = act->prev;
    }
}

void dsp_actions_free(dsp_actor *a)
{
    while (a->calls != NULL) {
        struct dsp_action_call *act = a->calls;

        unlink_action(a, act);
        free_action(act);
    }
}

/* One segment of a path, percent-encoded where a stranger's name needs it. */
static void add_segment(dsp_buf *path, dsp_str s)
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

static void job_path(dsp_buf *path, dsp_str ns, dsp_str name)
{
    dsp_buf_addz(path, "/apis/batch/v1/namespaces");
    add_segment(path, ns);
    dsp_buf_addz(path, "/jobs");
    if (name.len > 0) {
        add_segment(path, name);
    }
}

static void execution_path(dsp_buf *path, const dsp_jobexecution *je)
{
    dsp_buf_addz(path, "/apis/" DSP_API_VERSION "/namespaces");
    add_segment(path, je->ns);
    dsp_buf_addz(path, "/jobexecutions");
    add_segment(path, je->name);
}

/* Makes e busy with one request. Takes nothing over; path and body may be freed afterwards. */
static bool send(dsp_actor *a, dsp_execution *e, const struct dsp_action_call *what, const dsp_call *call)
{
    struct dsp_action_call *act = malloc(sizeof(*act));

    if (act != NULL) {
        *act = *what;
        act->actor = a;
        act->execution = e;
        act->method = call->method;
        act->sent_ms = now_ms(a);
        if (act->job_name != NULL) {
            act->job_name = strdup(act->job_name);
        }
    }
    if (act == NULL || (what->job_name != NULL && act->job_name == NULL) || call->path.len == 0 ||
        !a->host.call(a->host.context, call, on_answer, act)) {
        if (act != NULL) {
            free_action(act);
        }
        a->no_memory = true;
        return false;
    }
    link_action(a, act);
    e->live->busy = true;
    a->in_flight++;
    a->metrics->active = a->in_flight;
    return true;
}

/* --- creating the Job ----------------------------------------------------------------------------------------- */

/* It cannot be made: that is decided here and goes through the queue as a status. */
static void cannot_render(dsp_actor *a, dsp_execution *e, const dsp_rendered *rendered)
{
    dsp_buf message;

    if (rendered->no_memory) {
        e->live->create_ms = now_ms(a) + dsp_backoff_ms(a, e->live->attempts++);
        dsp_actor_add(a, e);
        return;
    }
    dsp_buf_init(&message, DSP_CONDITION_MAX_MESSAGE);
    dsp_rendered_message(rendered, &message);
    if (!dsp_store_attempt(a->store, e, DSP_ATTEMPT_FINAL, DSP_STR(""), DSP_STR(DSP_REASON_TEMPLATE_ERROR),
                           dsp_buf_str(&message))) {
        a->no_memory = true;
    }
    dsp_log(DSP_LOG_INFO, "template failed", DSP_LOG_STR("namespace", dsp_execution_ns(e)),
            DSP_LOG_STR("jobexecution", dsp_execution_name(e)), DSP_LOG_STR("jobtemplate", e->live->je->template_name),
            DSP_LOG_STR("error", dsp_buf_str(&message)));
    dsp_buf_free(&message);
    dsp_actor_add(a, e);
}

static bool send_job(dsp_actor *a, dsp_execution *e, dsp_str name, dsp_str body, dsp_arena *arena)
{
    dsp_str                copy = dsp_arena_str(arena, name);
    struct dsp_action_call act = { .kind = DSP_ACT_CREATE_JOB, .job_name = (char *) (uintptr_t) copy.data };
    dsp_live              *live = e->live;
    dsp_buf                path;
    bool                   ok;

    if (a->options.log_payloads) {
        dsp_log(DSP_LOG_INFO, "creating job", DSP_LOG_STR("namespace", live->je->ns),
                DSP_LOG_STR("jobexecution", live->je->name), DSP_LOG_STR("job", name),
                DSP_LOG_STR("payload", live->je->payload));
    }
    dsp_buf_init(&path, 4096);
    job_path(&path, live->je->ns, DSP_STR(""));
    dsp_buf_addz(&path, "?" MANAGER);
    ok = copy.data != NULL && send(a, e, &act,
                                   &(dsp_call){ .method = "POST",
                                                .path = dsp_buf_str(&path),
                                                .content_type = JSON_BODY,
                                                .body = body,
                                                .deadline_ms = WRITE_DEADLINE_MS });
    dsp_buf_free(&path);
    if (ok && live->added_ms != 0) {
        dsp_histogram_add(&a->metrics->create_delay, now_ms(a) - live->added_ms);
        live->added_ms = 0;
    }
    return ok;
}

static bool begin_create(dsp_actor *a, dsp_execution *e)
{
    dsp_jobtemplate jt;
    dsp_rendered    rendered;
    dsp_arena       arena;
    dsp_buf         body;
    bool            ok = false;

    dsp_arena_init(&arena, RENDER_ARENA);
    dsp_buf_init(&body, DSP_JOB_MAX_BYTES);
    if (!dsp_jobtemplate_read(dsp_store_template(a->store, e->live->je), &arena, &jt)) {
        a->no_memory = true;
    } else if (!dsp_render_job(a->renderer, e->live->je, &jt, &arena, &body, &rendered)) {
        cannot_render(a, e, &rendered);
    } else {
        ok = send_job(a, e, rendered.name, dsp_buf_str(&body), &arena);
    }
    dsp_buf_free(&body);
    dsp_arena_free(&arena);
    return ok;
}

static void retry_create(dsp_actor *a, dsp_live *live, const dsp_answer *answer)
{
    int64_t delay = dsp_backoff_ms(a, live->attempts++);

    if (answer->retry_after_ms > delay) {
        delay = answer->retry_after_ms;
    }
    live->create_ms = now_ms(a) + delay;
    a->metrics->queue_retries++;
}

static void attempt(dsp_actor *a, dsp_execution *e, enum dsp_attempt_end end, const char *job_name, dsp_str reason,
                    dsp_str message)
{
    if (!dsp_store_attempt(a->store, e, end, dsp_str_from(job_name), reason, message)) {
        a->no_memory = true;
    }
}

static void put(dsp_actor *a, enum dsp_kind kind, dsp_json object)
{
    if (!dsp_store_put(a->store, kind, object)) {
        a->no_memory = true;
    }
}

static void ended_create(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor     *a = act->actor;
    dsp_execution *e = act->execution;
    const dsp_str  none = { NULL, 0 };

    switch (o->kind) {
    case DSP_OUT_DONE:
        attempt(a, e, DSP_ATTEMPT_NONE, NULL, none, none);
        e->live->attempts = 0;
        put(a, DSP_KIND_JOB, o->object);
        log_done(e, "job created", act->job_name);
        return;
    case DSP_OUT_EXISTS:
        attempt(a, e, DSP_ATTEMPT_UNCLEAR, act->job_name, none, none);
        return;
    case DSP_OUT_REFUSED:
        attempt(a, e, DSP_ATTEMPT_WAITING, NULL, o->reason, o->message);
        break;
    case DSP_OUT_INVALID:
        attempt(a, e, DSP_ATTEMPT_FINAL, NULL, o->reason, o->message);
        log_failure(DSP_LOG_WARN, e, "job is invalid", o, answer->status);
        return;
    case DSP_OUT_LATER:
        break;
    default:
        attempt(a, e, DSP_ATTEMPT_UNCLEAR, act->job_name, none, none);
        e->live->not_before_ms = now_ms(a) + (answer->retry_after_ms > 0 ? answer->retry_after_ms : 0);
    }
    retry_create(a, e->live, answer);
    a->metrics->reconcile_errors++;
    log_failure(DSP_LOG_WARN, e, "job not created", o, answer->status);
}

/* --- reading the Job ------------------------------------------------------------------------------------------ */

static bool begin_read_job(dsp_actor *a, dsp_execution *e, dsp_str name)
{
    char                  *copy = dsp_str_dup(name);
    struct dsp_action_call act = { .kind = DSP_ACT_READ_JOB, .job_name = copy };
    dsp_buf                path;
    bool                   ok;

    dsp_buf_init(&path, 4096);
    job_path(&path, e->live->je->ns, name);
    ok = copy != NULL &&
         send(a, e, &act, &(dsp_call){ .method = "GET", .path = dsp_buf_str(&path), .deadline_ms = READ_DEADLINE_MS });
    dsp_buf_free(&path);
    free(copy);
    return ok;
}

static void backoff(dsp_actor *a, dsp_live *live, const dsp_answer *answer)
{
    int64_t delay = dsp_backoff_ms(a, live->failures++);

    if (answer->retry_after_ms > delay) {
        delay = answer->retry_after_ms;
    }
    live->not_before_ms = now_ms(a) + delay;
    a->metrics->queue_retries++;
    a->metrics->reconcile_errors++;
}

/* The name that we tried belongs to a Job of somebody else. */
static void name_conflict(struct dsp_action_call *act, const dsp_answer *answer, const dsp_job *job)
{
    dsp_actor *a = act->actor;
    dsp_buf    message;

    dsp_buf_init(&message, 1024);
    dsp_buf_addf(&message, "Job \"%.*s\" exists already and does not belong to this JobExecution",
                 DSP_STR_ARG(job->name));
    attempt(a, act->execution, DSP_ATTEMPT_WAITING, act->job_name, DSP_STR(DSP_REASON_JOB_NAME_CONFLICT),
            dsp_buf_str(&message));
    dsp_buf_free(&message);
    retry_create(a, act->execution->live, answer);
}

static void found_job(struct dsp_action_call *act, const dsp_answer *answer, dsp_json object)
{
    dsp_actor     *a = act->actor;
    dsp_execution *e = act->execution;
    dsp_live      *live = e->live;
    const dsp_str  none = { NULL, 0 };
    dsp_arena      arena;
    dsp_job        job;

    dsp_arena_init(&arena, CALL_ARENA);
    if (!dsp_job_read(object, &arena, &job)) {
        backoff(a, live, answer);
    } else if (dsp_str_eq(job.owner_uid, dsp_execution_uid(e)) &&
               (live->je == NULL || live->je->job_uid.len == 0 || dsp_str_eq(live->je->job_uid, job.uid))) {
        attempt(a, e, DSP_ATTEMPT_NONE, NULL, none, none);
        put(a, DSP_KIND_JOB, object);
    } else if (live->attempt.end == DSP_ATTEMPT_UNCLEAR) {
        name_conflict(act, answer, &job);
    } else {
        dsp_store_job_gone(a->store, e);
    }
    dsp_arena_free(&arena);
}

static void ended_read_job(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor    *a = act->actor;
    dsp_live     *live = act->execution->live;
    const dsp_str none = { NULL, 0 };

    if (o->kind == DSP_OUT_DONE) {
        live->failures = 0;
        found_job(act, answer, o->object);
    } else if (o->kind == DSP_OUT_NOT_FOUND) {
        live->failures = 0;
        if (live->attempt.end == DSP_ATTEMPT_UNCLEAR) {
            attempt(a, act->execution, DSP_ATTEMPT_NONE, NULL, none, none); /* not stored: create_ms says when again */
        } else {
            dsp_store_job_gone(a->store, act->execution);
        }
    } else {
        backoff(a, live, answer);
        log_failure(DSP_LOG_WARN, act->execution, "job not read", o, answer->status);
    }
}

/* --- reading the pods of a failed Job ------------------------------------------------------------------------- */

static bool begin_read_pods(dsp_actor *a, dsp_execution *e, dsp_str job_name)
{
    struct dsp_action_call act = { .kind = DSP_ACT_READ_PODS };
    dsp_buf                path;
    bool                   ok;

    dsp_buf_init(&path, 4096);
    dsp_buf_addz(&path, "/api/v1/namespaces");
    add_segment(&path, e->live->je->ns);
    dsp_buf_addz(&path, "/pods?limit=100&labelSelector=job-name%3D");
    dsp_buf_adds(&path, job_name); /* a label's value: nothing in it needs encoding */
    ok = send(a, e, &act, &(dsp_call){ .method = "GET", .path = dsp_buf_str(&path), .deadline_ms = PODS_DEADLINE_MS });
    dsp_buf_free(&path);
    return ok;
}

static void ended_read_pods(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_job_failure failure;
    dsp_arena       arena;
    bool            found = false;

    dsp_arena_init(&arena, CALL_ARENA);
    if (o->kind == DSP_OUT_DONE) {
        found = dsp_job_failure_read(o->object, &arena, &failure);
    } else {
        log_failure(DSP_LOG_DEBUG, act->execution, "pods not read", o, answer->status);
    }
    if (!dsp_store_failure(act->actor->store, act->execution, found ? &failure : NULL)) {
        act->actor->no_memory = true;
    }
    dsp_arena_free(&arena);
}

/* --- the status ----------------------------------------------------------------------------------------------- */

static void forget_sent(dsp_live *live)
{
    free(live->before);
    free(live->sent);
    live->before = live->sent = NULL;
}

/* Remembers what is being sent, until it is known whether it was stored. */
static bool remember_sent(dsp_live *live, const dsp_jobexecution_status *status)
{
    dsp_jobexecution after = *live->je;

    after.payload = (dsp_json){ NULL, 0 };
    after.conditions_text = (dsp_json){ NULL, 0 };
    after.conditions = status->conditions;
    if (status->job_uid.len > 0) {
        after.job_uid = status->job_uid;
        after.job_name = status->job_name;
    }
    forget_sent(live);
    live->sent = dsp_jobexecution_dup(&after);
    after = *live->je;
    after.payload = (dsp_json){ NULL, 0 };
    live->before = dsp_jobexecution_dup(&after);
    return live->sent != NULL && live->before != NULL;
}

static bool begin_patch_status(dsp_actor *a, dsp_execution *e, const dsp_jobexecution_status *status)
{
    struct dsp_action_call act = { .kind = DSP_ACT_PATCH_STATUS };
    dsp_buf                path, body;
    bool                   ok;

    if (!remember_sent(e->live, status)) {
        a->no_memory = true;
        return false;
    }
    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, BODY_MAX);
    execution_path(&path, e->live->je);
    dsp_buf_addz(&path, "/status?" MANAGER);
    dsp_jobexecution_status_patch(&body, e->live->je, status);
    ok = !body.failed && send(a, e, &act,
                              &(dsp_call){ .method = "PATCH",
                                           .path = dsp_buf_str(&path),
                                           .content_type = MERGE_PATCH,
                                           .body = dsp_buf_str(&body),
                                           .deadline_ms = WRITE_DEADLINE_MS });
    dsp_buf_free(&path);
    dsp_buf_free(&body);
    return ok;
}

/* What was sent is stored: Events, counters, the log. */
static void commit_sent(dsp_actor *a, dsp_execution *e)
{
    dsp_live               *live = e->live;
    dsp_jobexecution_status after = { .conditions = live->sent->conditions,
                                      .job_name = live->sent->job_name,
                                      .job_uid = live->sent->job_uid };
    dsp_counted             c = dsp_count(live->before, &after);
    dsp_transition          t[DSP_TRANSITIONS_MAX];
    dsp_arena               arena;

    a->metrics->executions += c.started;
    a->metrics->successes += c.succeeded;
    a->metrics->failures += c.failed;
    if (live->end_ms != 0 && (c.succeeded || c.failed)) {
        dsp_histogram_add(&a->metrics->status_delay, now_ms(a) - live->end_ms);
    }
    dsp_arena_init(&arena, CALL_ARENA);
    size_t n = dsp_transitions(live->before, &after, t, &arena);
    for (size_t i = 0; i < n; i++) {
        dsp_log(t[i].warning ? DSP_LOG_WARN : DSP_LOG_INFO, t[i].event, DSP_LOG_STR("namespace", live->sent->ns),
                DSP_LOG_STR("jobexecution", live->sent->name), DSP_LOG_STR("job", live->sent->job_name),
                DSP_LOG_STR("message", t[i].message));
        a->host.event(a->host.context, live->sent, &t[i]);
    }
    dsp_arena_free(&arena);
    forget_sent(live);
}

void dsp_action_confirm(dsp_actor *a, dsp_execution *e)
{
    dsp_live *live = e->live;

    if (live->sent == NULL || live->je == NULL ||
        dsp_str_eq(live->je->resource_version, live->before->resource_version)) {
        return;
    }
    if (dsp_conditions_equal(&live->je->conditions, &live->sent->conditions) &&
        dsp_str_eq(live->je->job_uid, live->sent->job_uid)) {
        commit_sent(a, e);
    } else {
        forget_sent(live);
    }
}

static void ended_patch_status(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor *a = act->actor;
    dsp_live  *live = act->execution->live;
    bool       newest = live->je != NULL && live->before != NULL &&
                  dsp_str_eq(live->je->resource_version, live->before->resource_version);

    switch (o->kind) {
    case DSP_OUT_DONE:
        live->failures = 0;
        if (live->sent != NULL) {
            commit_sent(a, act->execution);
        }
        put(a, DSP_KIND_EXECUTION, o->object);
        return;
    case DSP_OUT_CONFLICT:
    case DSP_OUT_NOT_FOUND:
        /* It may be our own write that is newer: libcurl repeats a request whose connection died. dsp_action_confirm()
         * looks whether what we sent is there. */
        if (newest) { /* unless the newer object came while we waited for the answer */
            live->stale = true;
            live->stale_ms = now_ms(a) + DSP_STALE_MS;
        }
        return;
    case DSP_OUT_UNCLEAR:
        backoff(a, live, answer);
        if (newest) { /* if it was stored, the watch will tell, else a read: only then is anything sent again */
            live->stale = true;
            live->stale_ms = live->not_before_ms;
        }
        break;
    default:
        forget_sent(live);
        backoff(a, live, answer);
    }
    log_failure(DSP_LOG_WARN, act->execution, "status not stored", o, answer->status);
}

/* --- the rest ------------------------------------------------------------------------------------------------- */

bool dsp_action_read_execution(dsp_actor *a, dsp_execution *e)
{
    struct dsp_action_call act = { .read_execution = true };
    dsp_buf                path;
    bool                   ok;

    dsp_buf_init(&path, 4096);
    execution_path(&path, e->live->je);
    ok = send(a, e, &act, &(dsp_call){ .method = "GET", .path = dsp_buf_str(&path), .deadline_ms = READ_DEADLINE_MS });
    dsp_buf_free(&path);
    return ok;
}

static void ended_read_execution(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor *a = act->actor;
    dsp_live  *live = act->execution->live;

    if (o->kind == DSP_OUT_DONE) {
        put(a, DSP_KIND_EXECUTION, o->object);
        if (live->stale) { /* what we had is the newest after all */
            live->stale = false;
            forget_sent(live);
            backoff(a, live, answer);
        } else {
            live->failures = 0;
        }
    } else if (o->kind == DSP_OUT_NOT_FOUND) {
        dsp_store_execution_gone(a->store, act->execution);
    } else {
        backoff(a, live, answer);
        log_failure(DSP_LOG_WARN, act->execution, "jobexecution not read", o, answer->status);
    }
}

static bool begin_patch_ttl(dsp_actor *a, dsp_execution *e)
{
    struct dsp_action_call act = { .kind = DSP_ACT_PATCH_TTL };
    const dsp_job         *job = e->live->job;
    dsp_buf                path, body;
    bool                   ok;

    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, 4096);
    job_path(&path, e->live->je->ns, job->name);
    dsp_buf_addz(&path, "?" MANAGER);
    dsp_buf_addz(&body, "{\"metadata\":{\"uid\":");
    dsp_json_quote(&body, job->uid);
    dsp_buf_addf(&body, "},\"spec\":{\"ttlSecondsAfterFinished\":%lld}}", (long long) job->ttl_wanted);
    ok = send(a, e, &act,
              &(dsp_call){ .method = "PATCH",
                           .path = dsp_buf_str(&path),
                           .content_type = MERGE_PATCH,
                           .body = dsp_buf_str(&body),
                           .deadline_ms = WRITE_DEADLINE_MS });
    dsp_buf_free(&path);
    dsp_buf_free(&body);
    return ok;
}

static void ended_patch_ttl(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_actor *a = act->actor;
    dsp_live  *live = act->execution->live;

    if (o->kind == DSP_OUT_DONE) {
        live->failures = 0;
        put(a, DSP_KIND_JOB, o->object);
    } else if (o->kind == DSP_OUT_NOT_FOUND || o->kind == DSP_OUT_CONFLICT) {
        dsp_store_job_doubtful(a->store, act->execution);
    } else {
        backoff(a, live, answer);
        log_failure(DSP_LOG_WARN, act->execution, "ttl not stored", o, answer->status);
    }
}

static bool begin_delete(dsp_actor *a, dsp_execution *e)
{
    struct dsp_action_call act = { .kind = DSP_ACT_DELETE_EXECUTION };
    dsp_buf                path, body;
    bool                   ok;

    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, 4096);
    execution_path(&path, e->live->je);
    dsp_buf_addz(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\","
                        "\"preconditions\":{\"uid\":");
    dsp_json_quote(&body, e->live->je->uid);
    dsp_buf_addz(&body, "}}");
    ok = send(a, e, &act,
              &(dsp_call){ .method = "DELETE",
                           .path = dsp_buf_str(&path),
                           .content_type = JSON_BODY,
                           .body = dsp_buf_str(&body),
                           .deadline_ms = WRITE_DEADLINE_MS });
    dsp_buf_free(&path);
    dsp_buf_free(&body);
    return ok;
}

static void ended_delete(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    dsp_live *live = act->execution->live;

    if (o->kind == DSP_OUT_DONE || o->kind == DSP_OUT_NOT_FOUND) {
        live->failures = 0;
        if (live->je != NULL) {
            live->je->deleting = true; /* until the watch says so */
        }
        log_done(act->execution, "jobexecution deleted, as its job is gone", "");
    } else {
        backoff(act->actor, live, answer);
        log_failure(DSP_LOG_WARN, act->execution, "jobexecution not deleted", o, answer->status);
    }
}

/* --- beginning and ending ------------------------------------------------------------------------------------- */

bool dsp_action_begin(dsp_actor *a, dsp_execution *e, const dsp_decision *d)
{
    switch (d->action) {
    case DSP_ACT_CREATE_JOB:
        return begin_create(a, e);
    case DSP_ACT_READ_JOB:
        return begin_read_job(a, e, d->job_name);
    case DSP_ACT_READ_PODS:
        return begin_read_pods(a, e, d->job_name);
    case DSP_ACT_PATCH_STATUS:
        return begin_patch_status(a, e, &d->status);
    case DSP_ACT_PATCH_TTL:
        return begin_patch_ttl(a, e);
    case DSP_ACT_DELETE_EXECUTION:
        return begin_delete(a, e);
    case DSP_ACT_NONE:
        break;
    }
    return false;
}

static void ended(struct dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *o)
{
    if (act->read_execution) {
        ended_read_execution(act, answer, o);
        return;
    }
    switch (act->kind) {
    case DSP_ACT_CREATE_JOB:
        ended_create(act, answer, o);
        return;
    case DSP_ACT_READ_JOB:
        ended_read_job(act, answer, o);
        return;
    case DSP_ACT_READ_PODS:
        ended_read_pods(act, answer, o);
        return;
    case DSP_ACT_PATCH_STATUS:
        ended_patch_status(act, answer, o);
        return;
    case DSP_ACT_PATCH_TTL:
        ended_patch_ttl(act, answer, o);
        return;
    case DSP_ACT_DELETE_EXECUTION:
        ended_delete(act, answer, o);
        return;
    case DSP_ACT_NONE:
        return;
    }
}

static enum dsp_call_kind call_kind(const struct dsp_action_call *act)
{
    if (act->method[0] == 'G') {
        return DSP_CALL_READ;
    }
    if (act->method[0] == 'D') {
        return DSP_CALL_DELETE;
    }
    return act->method[1] == 'O' ? DSP_CALL_CREATE : DSP_CALL_PATCH;
}

static void on_answer(void *context, const dsp_answer *answer)
{
    struct dsp_action_call *act = context;
    dsp_actor              *a = act->actor;
    dsp_live               *live = act->execution->live;
    dsp_arena               arena;
    dsp_outcome             o;

    dsp_arena_init(&arena, CALL_ARENA);
    dsp_outcome_judge(call_kind(act), answer, &arena, &o);
    ended(act, answer, &o);
    dsp_arena_free(&arena);

    dsp_histogram_add(&a->metrics->reconcile_time, now_ms(a) - act->sent_ms);
    a->metrics->reconciles++;
    a->in_flight--;
    a->metrics->active = a->in_flight;
    live->busy = live->again = false;
    dsp_actor_add(a, act->execution); /* always: what is next? */
    a->host.kick(a->host.context);
    unlink_action(a, act);
    free_action(act);
}
