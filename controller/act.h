/*
 * Carries out what dsp_reconcile() decides: one action at a time per JobExecution, a bounded number in all, with
 * backoff.
 *
 * A JobExecution is looked at when something about it changes, when its timer is due, and when its action has ended;
 * the decision is made only when its turn comes, from what is known then, so under load several changes cost one write.
 * What came by an event goes before what came by a list: after a start with many finished JobExecutions a new one does
 * not wait for them.
 *
 * States of a live JobExecution: idle → queued → busy (one request under way) → queued again or idle, perhaps with a
 * timer. A status patch that met a conflict makes it `stale`: it waits for the newer object, and reads it when that
 * does not come.
 *
 * The API server, the clock and the random source are handed in: tests drive all of this without a network.
 */
#ifndef DSP_CONTROLLER_ACT_H
#define DSP_CONTROLLER_ACT_H

#include "metrics.h"
#include "outcome.h"
#include "render.h"
#include "store.h"

#define DSP_BACKOFF_MIN_MS 5
#define DSP_BACKOFF_MAX_MS 300000

/* How long to wait for the watch to bring what a conflict promised before reading it. */
#define DSP_STALE_MS 1000

/* For so long after a takeover a watch may still show the past: JobExecutions are read before a Job is made. */
#define DSP_TAKEOVER_MS 60000

/* While fresh work comes in, one of so many executions that are looked at is of the old work. */
#define DSP_OLD_TURN 8

typedef struct dsp_call {
    const char *method;       /* static */
    dsp_str     path;         /* with its query, from /api or /apis */
    const char *content_type; /* static; NULL without a body */
    dsp_str     body;
    unsigned    deadline_ms;
} dsp_call;

typedef void (*dsp_answer_fn)(void *context, const dsp_answer *answer);

typedef struct dsp_actor_host {
    void *context;
    /* Sends a request; `done` is called exactly once, later, never from within. What the call points to need not live
     * longer. false: out of memory. */
    bool (*call)(void *context, const dsp_call *call, dsp_answer_fn done, void *done_context);
    /* An Event to record, when there is time. */
    void (*event)(void *context, const dsp_jobexecution *je, const dsp_transition *transition);
    /* dsp_actor_run() is to be called soon, from the event loop. */
    void (*kick)(void *context);
    int64_t (*now_ms)(void *context);  /* monotonic */
    int64_t (*wall_us)(void *context); /* since 1970 */
    uint32_t (*random)(void *context);
} dsp_actor_host;

typedef struct dsp_actor_options {
    unsigned max_in_flight;
    bool     log_payloads;
} dsp_actor_options;

typedef struct dsp_actor {
    dsp_store        *store;
    dsp_job_renderer *renderer;
    dsp_metrics      *metrics;
    dsp_actor_host    host;
    dsp_actor_options options;

    dsp_live               *head[2], *tail[2]; /* 0: fresh work, 1: old work */
    unsigned                turn;              /* one in DSP_OLD_TURN is old work's, however much comes in */
    dsp_heap                timers;
    unsigned                in_flight;
    LIST_HEAD(, dsp_action_call) calls; /* those under way */
    bool                    leading;   /* only then are actions begun */
    int64_t                 sure_ms;   /* what comes by the watch from then on is not older than our leadership */
    bool                    stopping;  /* none are begun any more */
    bool                    no_memory; /* the caller should end: what is known is not complete */
} dsp_actor;

/* Takes over the store's hooks. The renderer and metrics are borrowed. */
void dsp_actor_init(dsp_actor *a, dsp_store *store, dsp_job_renderer *renderer, dsp_metrics *metrics,
                    const dsp_actor_host *host, const dsp_actor_options *options);
void dsp_actor_free(dsp_actor *a);

/*
 * From now on this process acts. With rivals (leader election) another one may have acted until a moment ago, and what
 * our watches showed may be older than that: each unfinished JobExecution is then read before a Job is made for it.
 */
void dsp_actor_lead(dsp_actor *a, bool rivals);

/* Begins the actions that are due. To be called after host.kick and at dsp_actor_next_ms(). */
void dsp_actor_run(dsp_actor *a);

/* When dsp_actor_run() has something to do again, by host.now_ms; INT64_MAX: when something changes. */
int64_t dsp_actor_next_ms(const dsp_actor *a);

/* A decision is due for e, which has a live part. */
void dsp_actor_add(dsp_actor *a, dsp_execution *e);

#endif
