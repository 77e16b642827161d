#include "pods.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "container.h"
#include "delete.h"
#include "meta.h"
#include "pod_status.h"
#include "runner.h"
#include "tree.h"
#include "write.h"

/*
 * One pod. States:
 *     waiting   created, its turn has not come
 *     running   the process (or the simulation's timer) runs
 *     backing_off  the container failed and starts again soon (restartPolicy)
 *     finished  the pod has its last phase; the log stays until the pod is deleted
 */
enum state { WAITING, RUNNING, BACKING_OFF, FINISHED };

typedef struct pod {
    dsp_map_node        by_uid; /* key: uid */
    STAILQ_ENTRY(pod)   queue;
    dc_pods            *pods;
    char               *uid, *ns, *name;
    enum state          state;
    bool                queued;
    bool                dying;
    dc_process         *process;
    struct event       *timer;  /* of the simulation, the restart, the grace period */
    int                 simulated_code;
    dc_container_run    run;    /* what the status says of this and the last instance */
    dc_log              log, previous;
    LIST_HEAD(, dc_follower) followers;
} pod;

struct dc_pods {
    dc_cluster   *cluster;
    dc_runner    *runner;
    dsp_map       by_uid;
    struct event *turn; /* starts what waits */
    STAILQ_HEAD(, pod) waiting;
    size_t        running;
};

static void start_container(pod *p);

/* ---- the log ---- */

static void free_log(dc_log *log)
{
    free(log->data);
    free(log->lines);
    *log = (dc_log){ 0 };
}

static void tell_followers(pod *p)
{
    dc_follower *f, *next;

    for (f = LIST_FIRST(&p->followers); f != NULL; f = next) {
        next = LIST_NEXT(f, of_pod);
        f->changed(f->arg);
    }
}

static void note_line(dc_log *log, size_t offset)
{
    if ((log->n_lines & (log->n_lines - 1)) == 0) { /* a power of two, or none: full */
        log->lines = realloc(log->lines, (log->n_lines == 0 ? 1 : 2 * log->n_lines) * sizeof(*log->lines));
    }
    log->lines[log->n_lines++] = (dc_log_line){ offset, dsp_wall_us() };
}

static void add_to_log(dc_log *log, const char *data, size_t len, size_t max)
{
    bool at_start = log->len == 0 || log->data[log->len - 1] == '\n';

    log->data = realloc(log->data, log->len + len + 1);
    for (size_t i = 0; i < len; i++) {
        if (at_start) {
            note_line(log, log->dropped + log->len + i);
        }
        at_start = data[i] == '\n';
    }
    memcpy(log->data + log->len, data, len);
    log->len += len;
    if (log->len > 2 * max) { /* the newest stays, as with kubelet's rotation */
        size_t excess = log->len - max;
        memmove(log->data, log->data + excess, max);
        log->len = max;
        log->dropped += excess;
        size_t gone = 0;
        while (gone < log->n_lines && log->lines[gone].offset < log->dropped) {
            gone++;
        }
        dc_log_line *kept = calloc(log->n_lines - gone + 1, sizeof(*kept));
        size_t       n = log->n_lines - gone, size = 1;
        memcpy(kept, log->lines + gone, n * sizeof(*kept));
        free(log->lines);
        while (size < n) {
            size *= 2;
        }
        log->lines = realloc(kept, (size + 1) * sizeof(*kept));
        log->n_lines = n;
    }
}

static void on_output(void *arg, const char *data, size_t len)
{
    pod *p = arg;

    add_to_log(&p->log, data, len, p->pods->cluster->options.log_max);
    tell_followers(p);
}

static void add_line(pod *p, const char *text)
{
    on_output(p, text, strlen(text));
    on_output(p, "\n", 1);
}

/* ---- the pod's object ---- */

static dc_object *object_of(const pod *p)
{
    dc_object *o = dc_store_get(p->pods->cluster->pods, p->ns, p->name);

    return o != NULL && strcmp(o->uid, p->uid) == 0 ? o : NULL;
}

/* Writes what is known of the container into the object's status. */
static void write_status(pod *p, const char *phase)
{
    dc_cluster      *c = p->pods->cluster;
    const dc_object *o = object_of(p);

    if (o == NULL) {
        return;
    }
    cJSON *tree = dc_object_tree(o);
    dc_pod_status_set(tree, phase, &p->run);
    dc_store_put(&c->store, c->pods, tree);
    cJSON_Delete(tree);
}

/* A dying pod whose process has ended goes, unless something else holds it. */
static void finish_deletion(pod *p)
{
    dc_cluster      *c = p->pods->cluster;
    const dc_object *o = object_of(p);

    if (o != NULL && o->deleting) {
        cJSON *tree = dc_object_tree(o);
        bool   held = dc_has_finalizers(tree);
        cJSON_Delete(tree);
        if (!held) {
            dc_store_remove(&c->store, c->pods, p->ns, p->name); /* frees p by on_commit() */
        }
    }
}

/* ---- starting and ending ---- */

static void set_timer(pod *p, int64_t ms, event_callback_fn call)
{
    struct timeval time = { ms / 1000, (ms % 1000) * 1000 };

    if (p->timer != NULL) {
        event_free(p->timer);
    }
    p->timer = evtimer_new(p->pods->cluster->base, call, p);
    evtimer_add(p->timer, &time);
}

static void stop_timer(pod *p)
{
    if (p->timer != NULL) {
        event_free(p->timer);
        p->timer = NULL;
    }
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    start_container(arg);
}

static bool restarts(const pod *p)
{
    return !p->dying && (p->run.policy == DC_RESTART_ALWAYS ||
                         (p->run.policy == DC_RESTART_ON_FAILURE && p->run.now.code != 0));
}

/* The container has ended: code and reason are in p->run.now. */
static void container_ended(pod *p)
{
    const dc_options *o = &p->pods->cluster->options;

    p->process = NULL;
    if (p->state == RUNNING) {
        p->pods->running--;
        event_active(p->pods->turn, EV_TIMEOUT, 0); /* there is room for another one */
    }
    stop_timer(p);
    p->run.now.ended_us = dsp_wall_us();
    p->run.now.phase = DC_CONTAINER_TERMINATED;
    if (restarts(p)) {
        int64_t delay = o->job_backoff_ms;
        for (int i = 0; i < p->run.restarts && delay < o->job_backoff_max_ms; i++) {
            delay *= 2;
        }
        p->state = BACKING_OFF;
        p->run.last = p->run.now;
        p->run.now = (dc_container_state){ .phase = DC_CONTAINER_BACKING_OFF };
        p->run.restarts++;
        free_log(&p->previous);
        p->previous = p->log;
        p->previous.open = false;
        p->log = (dc_log){ .open = true };
        set_timer(p, delay < o->job_backoff_max_ms ? delay : o->job_backoff_max_ms, on_restart);
        write_status(p, "Running");
        return;
    }
    p->state = FINISHED;
    p->log.open = false;
    tell_followers(p);
    write_status(p, p->run.now.code == 0 && !p->dying ? "Succeeded" : "Failed");
    finish_deletion(p);
}

static void on_ended(void *arg, int code, int number)
{
    pod *p = arg;

    p->run.now.code = code;
    p->run.now.signal = number;
    snprintf(p->run.now.reason, sizeof(p->run.now.reason), code == 0 ? "Completed" : "Error");
    container_ended(p);
}

static void on_simulated(evutil_socket_t fd, short what, void *arg)
{
    pod *p = arg;

    (void) fd;
    (void) what;
    on_ended(p, p->simulated_code, 0);
}

static void fail_to_start(pod *p, const char *message)
{
    p->run.now.code = 128;
    snprintf(p->run.now.reason, sizeof(p->run.now.reason), "StartError");
    snprintf(p->run.now.message, sizeof(p->run.now.message), "%s", message);
    add_line(p, message);
    container_ended(p);
}

static void start_container(pod *p)
{
    const dc_object *o = object_of(p);
    dc_container     container;
    char             error[512];

    if (o == NULL) {
        return;
    }
    stop_timer(p);
    cJSON *tree = dc_object_tree(o);
    if (p->state != RUNNING) {
        p->pods->running++;
    }
    p->state = RUNNING;
    p->log.open = true;
    p->run.now = (dc_container_state){ .phase = DC_CONTAINER_RUNNING, .started_us = dsp_wall_us() };
    if (!dc_container_read(tree, &container, error, sizeof(error))) {
        fail_to_start(p, error);
    } else if (container.simulated) {
        p->simulated_code = container.simulated_code;
        write_status(p, "Running");
        set_timer(p, container.simulated_ms, on_simulated);
    } else {
        dc_command command = { container.argv, container.env, on_output, on_ended, p };
        p->process = dc_runner_start(p->pods->runner, &command, error, sizeof(error));
        if (p->process == NULL) {
            fail_to_start(p, error);
        } else {
            write_status(p, "Running");
        }
    }
    dc_container_free(&container);
    cJSON_Delete(tree);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    dc_pods *pods = arg;
    pod     *p;

    (void) fd;
    (void) what;
    while (pods->running < pods->cluster->options.max_pods && (p = STAILQ_FIRST(&pods->waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&pods->waiting, queue);
        p->queued = false;
        start_container(p);
    }
}

/* ---- pods come and go ---- */

static pod *find_pod(const dc_pods *pods, const char *uid)
{
    dsp_map_node *node = dsp_map_find(&pods->by_uid, dsp_str_from(uid));

    return node != NULL ? DSP_CONTAINER(node, pod, by_uid) : NULL;
}

static void free_pod(pod *p)
{
    if (p->queued) {
        STAILQ_REMOVE(&p->pods->waiting, p, pod, queue);
    }
    if (p->state == RUNNING) {
        p->pods->running--;
        event_active(p->pods->turn, EV_TIMEOUT, 0);
    }
    if (p->process != NULL) {
        dc_process_drop(p->process);
    }
    stop_timer(p);
    p->log.open = false;
    tell_followers(p);
    while (!LIST_EMPTY(&p->followers)) {
        dc_pods_unfollow(LIST_FIRST(&p->followers));
    }
    dsp_map_remove(&p->pods->by_uid, p->by_uid.key);
    free_log(&p->log);
    free_log(&p->previous);
    free(p->uid);
    free(p->ns);
    free(p->name);
    free(p);
}

static void add_pod(dc_pods *pods, const dc_object *o)
{
    pod *p = calloc(1, sizeof(*p));

    p->pods = pods;
    p->uid = strdup(o->uid);
    p->ns = strdup(o->ns);
    p->name = strdup(o->name);
    p->by_uid.key = dsp_str_from(p->uid);
    LIST_INIT(&p->followers);
    cJSON *tree = dc_object_tree(o);
    p->run.policy = dc_pod_restart_policy(tree);
    const char *phase = dc_str(dc_get(tree, "status"), "phase");
    bool        done = phase != NULL && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
    cJSON_Delete(tree);
    dsp_map_insert(&pods->by_uid, &p->by_uid);
    if (done) {
        p->state = FINISHED;
        return;
    }
    p->queued = true;
    STAILQ_INSERT_TAIL(&pods->waiting, p, queue);
    event_active(pods->turn, EV_TIMEOUT, 0);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
    pod *p = arg;

    (void) fd;
    (void) what;
    if (p->process != NULL) {
        dc_process_kill(p->process, SIGKILL);
    }
}

/* A pod that is to end: what runs gets SIGTERM, and SIGKILL when its time is over. */
static void end_pod(pod *p, const dc_object *o)
{
    p->dying = true;
    if (p->state == FINISHED) {
        finish_deletion(p);
    } else if (p->process != NULL) {
        cJSON  *tree = dc_object_tree(o);
        int64_t grace = dc_int_or(dc_get(tree, "metadata"), "deletionGracePeriodSeconds", 30);
        cJSON_Delete(tree);
        dc_process_kill(p->process, grace > 0 ? SIGTERM : SIGKILL);
        set_timer(p, grace * 1000, on_grace_over);
    } else { /* it has not started, or is simulated, or waits for its next start */
        if (p->queued) {
            STAILQ_REMOVE(&p->pods->waiting, p, pod, queue);
            p->queued = false;
        }
        p->run.now.code = 137;
        snprintf(p->run.now.reason, sizeof(p->run.now.reason), "Error");
        container_ended(p);
    }
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_pods *pods = arg;

    if (kind != pods->cluster->pods || pods->cluster->options.no_pods) {
        return;
    }
    if (before == NULL) {
        add_pod(pods, after);
        return;
    }
    pod *p = find_pod(pods, before->uid);
    if (p == NULL) {
        return;
    }
    if (after == NULL) {
        free_pod(p);
    } else if (after->deleting && !p->dying) {
        end_pod(p, after);
    }
}

bool dc_pod_wants_grace(dc_cluster *c, const dc_object *o)
{
    const pod *p = c->pod_runner != NULL ? find_pod(c->pod_runner, o->uid) : NULL;

    return p != NULL && p->process != NULL;
}

dc_pods *dc_pods_new(dc_cluster *c)
{
    dc_pods *pods = calloc(1, sizeof(*pods));

    pods->cluster = c;
    pods->runner = dc_runner_new(c->base);
    dsp_map_init(&pods->by_uid);
    STAILQ_INIT(&pods->waiting);
    pods->turn = event_new(c->base, -1, 0, on_turn, pods);
    dc_store_listen(&c->store, on_commit, pods);
    return pods;
}

void dc_pods_free(dc_pods *pods)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    if (pods == NULL) {
        return;
    }
    while ((node = dsp_map_next(&pods->by_uid, &cursor)) != NULL) {
        free_pod(DSP_CONTAINER(node, pod, by_uid));
    }
    dc_runner_free(pods->runner);
    dsp_map_free(&pods->by_uid);
    event_free(pods->turn);
    free(pods);
}

size_t dc_pods_running(const dc_pods *pods)
{
    return pods->running;
}

const dc_log *dc_pods_log(const dc_pods *pods, const char *uid, bool previous)
{
    const pod *p = find_pod(pods, uid);

    if (p == NULL || (previous && p->run.restarts == 0)) {
        return NULL;
    }
    return previous ? &p->previous : &p->log;
}

bool dc_pods_follow(dc_pods *pods, const char *uid, dc_follower *follower)
{
    pod *p = find_pod(pods, uid);

    if (p != NULL) {
        LIST_INSERT_HEAD(&p->followers, follower, of_pod);
    }
    return p != NULL;
}

void dc_pods_unfollow(dc_follower *follower)
{
    if (follower->of_pod.le_prev != NULL) {
        LIST_REMOVE(follower, of_pod);
        follower->of_pod.le_prev = NULL;
    }
}
