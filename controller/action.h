/*
 * The actions: one request each, and what its answer does. For act.c and the action's own files only.
 *
 *   action_job.c     create-job, read-job: the Job is made once, and read where it is unclear whether it was
 *   action_status.c  patch-status, and reading the JobExecution when the watch does not bring what a conflict promised
 *   action_end.c     read-pods, patch-ttl, delete-execution: what a Job that has ended asks for
 *   request.c        what they share: paths, sending, being answered, backoff
 *
 * States of an action: begun (its JobExecution is busy, the request is with the host) → ended (its answer was judged,
 * the JobExecution is in the queue again). An action whose answer never comes is freed by dsp_actions_free() only.
 */
#ifndef DSP_CONTROLLER_ACTION_H
#define DSP_CONTROLLER_ACTION_H

#include "act.h"
#include "base/log.h"

typedef struct dsp_action_call dsp_action_call;

/* Takes what an answer says into the store and the live part, and sets the backoff; e->live is there, but its
 * JobExecution may be gone (live->je NULL). Decides nothing: the queue comes next. */
typedef void (*dsp_action_ended_fn)(dsp_action_call *act, const dsp_answer *answer, const dsp_outcome *outcome);

typedef struct dsp_action_type {
    const char         *method;
    enum dsp_call_kind  call;
    unsigned            deadline_ms;
    dsp_action_ended_fn ended;
} dsp_action_type;

/* One under way; its JobExecution is busy until it has ended. */
struct dsp_action_call {
    LIST_ENTRY(dsp_action_call) link;
    dsp_actor                  *actor;
    dsp_execution              *execution;
    const dsp_action_type      *type;
    int64_t                     sent_ms;
    char                       *job_name; /* create, read: the Job's */
    char                       *key;      /* "namespace/name" of the JobExecution, which may go before the answer comes */
    size_t                      ns_len;
};

#define DSP_WRITE_DEADLINE_MS 30000
#define DSP_READ_DEADLINE_MS 15000
#define DSP_PODS_DEADLINE_MS 2000 /* the failure's details are worth no more */

#define DSP_ACTION_MANAGER "fieldManager=dispatcher-controller"

/*
 * Each begins one action for e, which has a live part with a JobExecution, is not busy, and becomes busy. The decision
 * is read before they return. false: it ended at once (a template that fails), or memory is out (a->no_memory).
 */
typedef bool (*dsp_action_begin_fn)(dsp_actor *a, dsp_execution *e, const dsp_decision *d);

bool dsp_action_create_job(dsp_actor *a, dsp_execution *e, const dsp_decision *d);
bool dsp_action_read_job(dsp_actor *a, dsp_execution *e, const dsp_decision *d);
bool dsp_action_read_pods(dsp_actor *a, dsp_execution *e, const dsp_decision *d);
bool dsp_action_patch_status(dsp_actor *a, dsp_execution *e, const dsp_decision *d);
bool dsp_action_patch_ttl(dsp_actor *a, dsp_execution *e, const dsp_decision *d);
bool dsp_action_delete_execution(dsp_actor *a, dsp_execution *e, const dsp_decision *d);

/* Reads the JobExecution itself, because the watch does not bring what a conflict promised. */
bool dsp_action_read_execution(dsp_actor *a, dsp_execution *e);

/*
 * A status patch whose outcome was unclear may have been stored: when the newest object shows it, its Events and
 * counters are due now, and when it shows something else, never.
 */
void dsp_action_confirm(dsp_actor *a, dsp_execution *e);

/* --- request.c ------------------------------------------------------------------------------------------------ */

/*
 * Makes e busy with one request. method and deadline are the type's; body may be NULL; job_name is copied, empty for
 * none. Takes path and body over and frees them, whatever happens. false: memory is out (a->no_memory), e is not busy.
 */
bool dsp_action_send(dsp_actor *a, dsp_execution *e, const dsp_action_type *type, dsp_str job_name, dsp_buf *path,
                     const char *content_type, dsp_buf *body);

/* Forgets the actions whose answers will not come. */
void dsp_actions_free(dsp_actor *a);

/* Adds a path to `path`; a name of "" gives the collection. Names are percent-encoded where a stranger's needs it. */
void dsp_action_job_path(dsp_buf *path, dsp_str ns, dsp_str name);
void dsp_action_execution_path(dsp_buf *path, const dsp_jobexecution *je);
void dsp_action_segment(dsp_buf *path, dsp_str segment);

int64_t dsp_action_now(const dsp_actor *a); /* host.now_ms */

/* 5 ms doubled with each failure up to 5 min, the upper half of it at random. */
int64_t dsp_backoff_ms(dsp_actor *a, unsigned failures);

/* An action failed: none before the backoff, or Retry-After where that is longer. */
void dsp_action_backoff(dsp_actor *a, dsp_live *live, const dsp_answer *answer);

/* dsp_store_put(); memory that is out is noted. */
void dsp_action_put(dsp_actor *a, enum dsp_kind kind, dsp_json object);

/* The Job of an answer, unless it may be older than the news that there is none. */
void dsp_action_put_job(dsp_action_call *act, dsp_json object);

/* One line of the log: what was done, or what failed (status 0: there was no answer). A message that may quote the
 * payload is left out unless payloads are to be logged. */
void dsp_action_log(const dsp_action_call *act, const char *msg, const char *job_name);
void dsp_action_log_failure(enum dsp_log_level level, const dsp_action_call *act, const char *msg, const dsp_outcome *o,
                            int status);

#endif
