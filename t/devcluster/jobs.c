#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "delete.h"
#include "job_status.h"
#include "job_sync.h"
#include "tree.h"

/* A pod that bears our finalizer but has no Job (any more): the finalizer must go, or the pod never would. */
struct orphan {
    STAILQ_ENTRY(orphan) queue;
    char uid[40];
};

struct dc_jobs {
    dc_cluster   *cluster;
    dsp_map       by_uid;
    struct event *turn;
    STAILQ_HEAD(, job) dirty;
    STAILQ_HEAD(, orphan) orphans;
};

static void enqueue(job *j)
{
    if (!j->queued) {
        j->queued = true;
        STAILQ_INSERT_TAIL(&j->jobs->dirty, j, queue);
        event_active(j->jobs->turn, EV_TIMEOUT, 0);
    }
}

static job *find_job(const dc_jobs *jobs, dsp_str uid)
{
    dsp_map_node *node = dsp_map_find(&jobs->by_uid, uid);

    return node != NULL ? DSP_CONTAINER(node, job, by_uid) : NULL;
}

dc_cluster *dc_sync_cluster(const struct dc_sync *s)
{
    return s->j->jobs->cluster;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    enqueue(arg);
}

static void add_job(dc_jobs *jobs, const dc_object *o)
{
    job *j = calloc(1, sizeof(*j));

    j->jobs = jobs;
    j->uid = strdup(o->uid);
    j->ns = strdup(o->ns);
    j->name = strdup(o->name);
    j->by_uid.key = dsp_str_from(j->uid);
    dsp_map_insert(&jobs->by_uid, &j->by_uid);
    enqueue(j);
}

static void free_job(job *j)
{
    if (j->queued) {
        STAILQ_REMOVE(&j->jobs->dirty, j, job, queue);
    }
    if (j->timer != NULL) {
        event_free(j->timer);
    }
    dsp_map_remove(&j->jobs->by_uid, j->by_uid.key);
    free(j->uid);
    free(j->ns);
    free(j->name);
    free(j);
}

static void add_orphan(dc_jobs *jobs, const char *uid)
{
    struct orphan *o = calloc(1, sizeof(*o));

    snprintf(o->uid, sizeof(o->uid), "%s", uid);
    STAILQ_INSERT_TAIL(&jobs->orphans, o, queue);
    event_active(jobs->turn, EV_TIMEOUT, 0);
}

/* The pods of a Job that is gone are nobody's: their commits came before the Job's. */
static void orphan_pods(dc_jobs *jobs, const char *job_uid)
{
    size_t    n;
    dc_slot **slots = dc_store_dependents(&jobs->cluster->store, job_uid, &n);

    for (size_t i = 0; i < n; i++) {
        if (slots[i]->kind == jobs->cluster->pods) {
            add_orphan(jobs, slots[i]->now->uid);
        }
    }
    free(slots);
}

/* The uid of the owner that controls an object, as it stands in its text. */
static dsp_str controller_uid(const dc_object *o)
{
    dsp_json_iter it = dsp_json_iterate(dsp_json_path(o->text, "metadata", "ownerReferences", NULL));
    dsp_json      reference;
    bool          controller;

    while (dsp_json_next(&it, NULL, &reference)) {
        dsp_json uid = dsp_json_get(reference, "uid");
        if (dsp_json_bool(dsp_json_get(reference, "controller"), &controller) && controller && uid.len > 2) {
            return dsp_str_sub(uid, 1, uid.len - 1);
        }
    }
    return (dsp_str){ NULL, 0 };
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_jobs   *jobs = arg;
    dc_object *o = after != NULL ? after : before;
    job       *j = NULL;

    if (kind == jobs->cluster->jobs) {
        j = find_job(jobs, dsp_str_from(o->uid));
        if (after == NULL) {
            if (j != NULL) {
                orphan_pods(jobs, before->uid);
                free_job(j);
            }
            return;
        }
        if (j == NULL) {
            add_job(jobs, after);
            return;
        }
    } else if (kind == jobs->cluster->pods) {
        dsp_str uid = controller_uid(o);
        j = uid.len > 0 ? find_job(jobs, uid) : NULL;
        if (j == NULL && after != NULL && memmem(after->text.data, after->text.len, DC_JOB_TRACKING, strlen(DC_JOB_TRACKING))) {
            add_orphan(jobs, after->uid);
        }
    }
    if (j != NULL) {
        enqueue(j);
    }
}

static void arm(struct dc_sync *s)
{
    job *j = s->j;

    if (j->timer != NULL) {
        evtimer_del(j->timer);
    }
    if (s->wake_ms == INT64_MAX) {
        return;
    }
    if (j->timer == NULL) {
        j->timer = evtimer_new(j->jobs->cluster->base, on_timer, j);
    }
    int64_t        ms = s->wake_ms - dsp_clock_ms();
    struct timeval time = { ms > 0 ? ms / 1000 : 0, ms > 0 ? (ms % 1000) * 1000 : 0 };
    evtimer_add(j->timer, &time);
}

static void sync_job(job *j)
{
    dc_cluster      *c = j->jobs->cluster;
    const dc_object *o = dc_store_get(c->jobs, j->ns, j->name);
    struct dc_sync      s = { .j = j, .wake_ms = INT64_MAX };
    dc_jobs         *jobs = j->jobs;
    char             uid[40];

    if (o == NULL || strcmp(o->uid, j->uid) != 0) {
        return;
    }
    snprintf(uid, sizeof(uid), "%s", j->uid);
    bool   dying = o->deleting;
    cJSON *ended = cJSON_CreateArray();
    s.tree = dc_object_tree(o);
    s.spec = dc_get(s.tree, "spec");
    s.status = dc_ensure(s.tree, "status");
    s.before = dc_copy(s.status);
    dc_job_look_at_pods(&s, ended);
    if (s.new_failed > 0) {
        j->failures_in_row += (int) s.new_failed;
        j->last_failure_ms = dsp_clock_ms();
    }
    bool over = dying || dc_job_condition(s.status, "Complete") || dc_job_condition(s.status, "Failed");
    if (!over) {
        dc_job_decide(&s);
        if (ended->child != NULL) {
            dc_job_write_uncounted(&s, ended);
        } else if (s.targeted) {
            dc_job_write_status(&s);
        }
    }
    for (cJSON *pod = ended->child; pod != NULL; pod = pod->next) {
        dc_job_release_pod(c, pod);
    }
    if (!over) {
        dc_job_finish_when_quiet(&s);
        dc_set(s.status, "uncountedTerminatedPods", cJSON_CreateObject());
        dc_job_write_status(&s);
    }
    if (dc_job_condition(s.status, "Complete") || dc_job_condition(s.status, "Failed")) {
        dc_job_handle_ttl(&s);
    }
    if (find_job(jobs, dsp_str_from(uid)) == j) { /* it may have gone, with its TTL */
        arm(&s);
    }
    cJSON_Delete(ended);
    cJSON_Delete(s.before);
    cJSON_Delete(s.tree);
    free(s.pods);
}

/* One whose process still runs is looked at again when that has ended. */
static void release_orphans(dc_jobs *jobs)
{
    dc_cluster    *c = jobs->cluster;
    struct orphan *o;

    while ((o = STAILQ_FIRST(&jobs->orphans)) != NULL) {
        STAILQ_REMOVE_HEAD(&jobs->orphans, queue);
        const dc_slot *slot = dc_store_by_uid(&c->store, o->uid);
        if (slot != NULL && !dc_pod_wants_grace(c, slot->now)) {
            cJSON *pod = dc_object_tree(slot->now);
            if (dc_array_has(dc_at(pod, "metadata", "finalizers", NULL), DC_JOB_TRACKING)) {
                dc_job_release_pod(c, pod);
            }
            cJSON_Delete(pod);
        }
        free(o);
    }
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    dc_jobs *jobs = arg;
    job     *j;

    (void) fd;
    (void) what;
    release_orphans(jobs);
    /* a bounded number, so that requests are served between */
    for (int i = 0; i < 100 && (j = STAILQ_FIRST(&jobs->dirty)) != NULL; i++) {
        STAILQ_REMOVE_HEAD(&jobs->dirty, queue);
        j->queued = false;
        sync_job(j);
    }
    if (!STAILQ_EMPTY(&jobs->dirty)) {
        event_active(jobs->turn, EV_TIMEOUT, 0);
    }
}

dc_jobs *dc_jobs_new(dc_cluster *c)
{
    dc_jobs *jobs = calloc(1, sizeof(*jobs));

    jobs->cluster = c;
    dsp_map_init(&jobs->by_uid);
    STAILQ_INIT(&jobs->dirty);
    STAILQ_INIT(&jobs->orphans);
    jobs->turn = event_new(c->base, -1, 0, on_turn, jobs);
    if (!c->options.no_jobs) {
        dc_store_listen(&c->store, on_commit, jobs);
    }
    return jobs;
}

void dc_jobs_free(dc_jobs *jobs)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    if (jobs == NULL) {
        return;
    }
    while ((node = dsp_map_next(&jobs->by_uid, &cursor)) != NULL) {
        free_job(DSP_CONTAINER(node, job, by_uid));
    }
    while (!STAILQ_EMPTY(&jobs->orphans)) {
        struct orphan *o = STAILQ_FIRST(&jobs->orphans);
        STAILQ_REMOVE_HEAD(&jobs->orphans, queue);
        free(o);
    }
    dsp_map_free(&jobs->by_uid);
    event_free(jobs->turn);
    free(jobs);
}
