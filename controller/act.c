#include "act.h"

#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "base/log.h"

#define VIEW_ARENA (1u << 20)

/* --- the queue ------------------------------------------------------------------------------------------------ */

static void push(dsp_actor *a, dsp_live *live)
{
    int q = live->old ? 1 : 0;

    live->queued = true;
    live->queued_ms = a->host.now_ms(a->host.context);
    live->queue_next = NULL;
    if (a->tail[q] != NULL) {
        a->tail[q]->queue_next = live;
    } else {
        a->head[q] = live;
    }
    a->tail[q] = live;
    a->metrics->queue_adds++;
    a->metrics->queue_depth++;
}

static dsp_live *pop(dsp_actor *a)
{
    bool      q = a->head[1] != NULL && (a->head[0] == NULL || ++a->turn % DSP_OLD_TURN == 0);
    dsp_live *live = a->head[q];

    if (live == NULL) {
        return NULL;
    }
    a->head[q] = live->queue_next;
    if (a->head[q] == NULL) {
        a->tail[q] = NULL;
    }
    live->queued = false;
    live->queue_next = NULL;
    a->metrics->queue_depth--;
    dsp_histogram_add(&a->metrics->queue_wait, a->host.now_ms(a->host.context) - live->queued_ms);
    return live;
}

void dsp_actor_add(dsp_actor *a, dsp_execution *e)
{
    dsp_live *live = e->live;

    if (live->busy) {
        live->again = true;
        return;
    }
    if (!live->queued) {
        push(a, live);
        a->host.kick(a->host.context);
    }
}

static void on_change(void *context, dsp_execution *e)
{
    dsp_actor_add(context, e);
}

static int64_t store_now(void *context)
{
    dsp_actor *a = context;

    return a->host.now_ms(a->host.context);
}

void dsp_actor_init(dsp_actor *a, dsp_store *store, dsp_job_renderer *renderer, dsp_metrics *metrics,
                    const dsp_actor_host *host, const dsp_actor_options *options)
{
    *a = (dsp_actor){ .store = store, .renderer = renderer, .metrics = metrics, .host = *host, .options = *options };
    dsp_heap_init(&a->timers);
    store->changed = on_change;
    store->now_ms = store_now;
    store->context = a;
    metrics->max_active = options->max_in_flight;
}

void dsp_actor_free(dsp_actor *a)
{
    dsp_actions_free(a);
    dsp_heap_free(&a->timers);
    a->store->changed = NULL;
}

void dsp_actor_lead(dsp_actor *a, bool rivals)
{
    a->leading = true;
    a->sure_ms = rivals ? a->host.now_ms(a->host.context) + DSP_TAKEOVER_MS : 0;
    a->host.kick(a->host.context);
}

/* --- time ----------------------------------------------------------------------------------------------------- */

/* Looks at it again at that time, unless something happens before. */
static void sleep_until(dsp_actor *a, dsp_live *live, int64_t ms)
{
    if (!dsp_heap_put(&a->timers, &live->timer, ms)) {
        a->no_memory = true;
    }
}

int64_t dsp_actor_next_ms(const dsp_actor *a)
{
    dsp_heap_node *first = dsp_heap_min(&a->timers);

    return first != NULL ? first->key : INT64_MAX;
}

/* --- deciding ------------------------------------------------------------------------------------------------- */

/* Nothing to do now: when again? */
static void rest(dsp_actor *a, dsp_execution *e, const dsp_decision *d, const dsp_view *v, int64_t now)
{
    dsp_live *live = e->live;

    if (d->wake_us != 0) {
        sleep_until(a, live, now + (d->wake_us - v->now_us + 999) / 1000);
        return;
    }
    if (live->je != NULL && live->create_ms > now && live->je->job_uid.len == 0 &&
        !dsp_jobexecution_finished(live->je)) {
        sleep_until(a, live, live->create_ms);
        return;
    }
    dsp_heap_remove(&a->timers, &live->timer);
    dsp_store_settle(a->store, e);
}

/* Whether its turn has to wait for a newer object or for the end of a backoff. */
static bool held_back(dsp_actor *a, dsp_live *live, enum dsp_action action, int64_t now)
{
    if (action == DSP_ACT_NONE) {
        return false;
    }
    if (live->not_before_ms > now) {
        sleep_until(a, live, live->not_before_ms);
        return true;
    }
    return false;
}

static const dsp_action_begin_fn begin[] = {
    [DSP_ACT_CREATE_JOB] = dsp_action_create_job, [DSP_ACT_READ_JOB] = dsp_action_read_job,
    [DSP_ACT_READ_PODS] = dsp_action_read_pods,   [DSP_ACT_PATCH_STATUS] = dsp_action_patch_status,
    [DSP_ACT_PATCH_TTL] = dsp_action_patch_ttl,   [DSP_ACT_DELETE_EXECUTION] = dsp_action_delete_execution,
};

/* What we know of the JobExecution may be the past: another leader wrote since, or a conflict has shown that somebody
 * did. */
static bool may_be_old(const dsp_actor *a, const dsp_live *live)
{
    return live->stale || (live->je_ms < a->sure_ms && !live->je_read);
}

/* Decides about one and begins its action. */
static void look(dsp_actor *a, dsp_execution *e)
{
    dsp_live    *live = e->live;
    int64_t      now = a->host.now_ms(a->host.context);
    dsp_arena    arena;
    dsp_decision d;

    dsp_heap_remove(&a->timers, &live->timer);
    dsp_action_confirm(a, e);
    dsp_view view = dsp_store_view(a->store, e, a->host.wall_us(a->host.context), now);
    dsp_arena_init(&arena, VIEW_ARENA);
    dsp_reconcile(&view, &arena, &d);
    if (held_back(a, live, d.action, now)) {
        /* its timer is set */
    } else if (live->stale && d.action == DSP_ACT_PATCH_STATUS) {
        if (live->stale_ms > now) {
            sleep_until(a, live, live->stale_ms);
        } else {
            dsp_action_read_execution(a, e);
        }
    } else if (d.action == DSP_ACT_CREATE_JOB && may_be_old(a, live)) {
        if (live->stale && live->stale_ms > now) {
            sleep_until(a, live, live->stale_ms);
        } else {
            dsp_action_read_execution(a, e);
        }
    } else if (d.action == DSP_ACT_NONE) {
        rest(a, e, &d, &view, now);
    } else {
        begin[d.action](a, e, &d);
    }
    dsp_arena_free(&arena);
}

static void wake_timers(dsp_actor *a, int64_t now)
{
    dsp_heap_node *node;

    while ((node = dsp_heap_min(&a->timers)) != NULL && node->key <= now) {
        dsp_live *live = DSP_CONTAINER(node, dsp_live, timer);

        dsp_heap_remove(&a->timers, node);
        if (!live->queued && !live->busy) {
            push(a, live);
        }
    }
}

void dsp_actor_run(dsp_actor *a)
{
    wake_timers(a, a->host.now_ms(a->host.context));
    while (a->leading && !a->stopping && !a->no_memory && a->in_flight < a->options.max_in_flight &&
           (a->head[0] != NULL || a->head[1] != NULL)) {
        look(a, pop(a)->execution);
    }
}
