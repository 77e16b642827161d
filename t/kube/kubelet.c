#include "kubelet.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "kube/reflector.h"
#include "t/devcluster/container.h"
#include "t/devcluster/pod_status.h"
#include "t/devcluster/runner.h"
#include "t/devcluster/tree.h"

#define MAX_STATUS (1 << 20)
#define RESTART_MS 100 /* before a container starts again; doubles, at most RESTART_MAX_MS */
#define RESTART_MAX_MS 5000
#define RETRY_MS 200 /* after a status that the server did not take */

/*
 * One Pod. States:
 *     running      its process (or the simulation's timer) runs
 *     backing off  the container failed and starts again soon (restartPolicy): the timer runs
 *     over         the last phase is reported, or on its way
 *
 * At most one status is on the wire; what changed meanwhile is sent after it, so the server never sees an older one last.
 */
typedef struct kl_pod {
    dsp_map_node     by_uid; /* key: uid */
    kl_kubelet      *kubelet;
    char            *uid, *ns, *name;
    cJSON           *tree; /* as last seen, with our status */
    dc_process      *process;
    struct event    *timer; /* simulation or restart */
    int              simulated_code;
    bool             over, dying;
    dc_container_run run;
    const char      *phase;
    bool             dirty;
    dsp_kube_call   *call;
    struct event    *retry;
    int              log;
    unsigned         generation; /* of the last list that had it */
} kl_pod;

struct kl_kubelet {
    dsp_kube_client *client;
    dsp_reflector   *pods;
    dc_runner       *runner;
    struct event_base *base;
    dsp_map          by_uid;
    char            *log_dir;
    unsigned         generation;
};

/* ---- the status ---- */

static void send_status(kl_pod *p);

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    send_status(arg);
}

static void on_status(void *arg, const dsp_kube_answer *answer)
{
    kl_pod *p = arg;

    p->call = NULL;
    if (answer->outcome == DSP_KUBE_ANSWERED && answer->status >= 200 && answer->status < 300) {
        if (p->dirty) {
            send_status(p);
        }
    } else if (answer->outcome == DSP_KUBE_ANSWERED && (answer->status == 404 || answer->status == 422)) {
        fprintf(stderr, "kubelet: pod %s/%s: status refused: %d\n", p->ns, p->name, answer->status);
    } else {
        struct timeval time = { 0, RETRY_MS * 1000 };
        p->dirty = true;
        evtimer_add(p->retry, &time);
    }
}

static void send_status(kl_pod *p)
{
    dsp_buf path, body;

    p->dirty = true;
    if (p->call != NULL) {
        return;
    }
    dc_pod_status_set(p->tree, p->phase, &p->run);
    dsp_buf_init(&path, 4096);
    dsp_buf_init(&body, MAX_STATUS);
    dsp_buf_addf(&path, "/api/v1/namespaces/%s/pods/%s/status", p->ns, p->name);
    dsp_buf_addf(&body, "{\"metadata\":{\"uid\":\"%s\"},\"status\":", p->uid);
    dc_print(&body, dc_get(p->tree, "status"));
    dsp_buf_addc(&body, '}');
    dsp_kube_request request = {
        .method = DSP_KUBE_PATCH,
        .priority = DSP_KUBE_NORMAL,
        .path = dsp_buf_str(&path),
        .content_type = DSP_STR("application/merge-patch+json"),
        .body = dsp_buf_str(&body),
    };
    p->call = dsp_kube_client_send(p->kubelet->client, &request, on_status, p);
    p->dirty = p->call == NULL;
    dsp_buf_free(&path);
    dsp_buf_free(&body);
}

static void report(kl_pod *p, const char *phase)
{
    p->phase = phase;
    send_status(p);
}

/* ---- the process ---- */

static void start_container(kl_pod *p);

static void set_timer(kl_pod *p, int ms, event_callback_fn call)
{
    struct timeval time = { ms / 1000, (ms % 1000) * 1000 };

    if (p->timer != NULL) {
        event_free(p->timer);
    }
    p->timer = evtimer_new(p->kubelet->base, call, p);
    evtimer_add(p->timer, &time);
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    start_container(arg);
}

static void on_output(void *arg, const char *data, size_t len)
{
    kl_pod *p = arg;

    if (p->log >= 0 && write(p->log, data, len) < 0) {
        fprintf(stderr, "kubelet: pod %s/%s: its log cannot be written\n", p->ns, p->name);
    }
}

static void container_ended(kl_pod *p)
{
    bool again = p->run.policy == DC_RESTART_ALWAYS || (p->run.policy == DC_RESTART_ON_FAILURE && p->run.now.code != 0);

    p->process = NULL;
    p->run.now.phase = DC_CONTAINER_TERMINATED;
    p->run.now.ended_us = dsp_wall_us();
    if (again && !p->dying) {
        int delay = RESTART_MS;
        for (int i = 0; i < p->run.restarts && delay < RESTART_MAX_MS; i++) {
            delay *= 2;
        }
        p->run.last = p->run.now;
        p->run.now = (dc_container_state){ .phase = DC_CONTAINER_BACKING_OFF };
        p->run.restarts++;
        set_timer(p, delay, on_restart);
        report(p, "Running");
        return;
    }
    p->over = true;
    report(p, p->run.now.code == 0 && !p->dying ? "Succeeded" : "Failed");
}

static void on_ended(void *arg, int code, int number)
{
    kl_pod *p = arg;

    p->run.now.code = code;
    p->run.now.signal = number;
    snprintf(p->run.now.reason, sizeof(p->run.now.reason), code == 0 ? "Completed" : "Error");
    container_ended(p);
}

static void on_simulated(evutil_socket_t fd, short what, void *arg)
{
    kl_pod *p = arg;

    (void) fd;
    (void) what;
    on_ended(p, p->simulated_code, 0);
}

static void fail_to_start(kl_pod *p, const char *message)
{
    p->run.now.code = 128;
    snprintf(p->run.now.reason, sizeof(p->run.now.reason), "StartError");
    snprintf(p->run.now.message, sizeof(p->run.now.message), "%s", message);
    container_ended(p);
}

static void start_container(kl_pod *p)
{
    dc_container container;
    char         error[512];

    p->run.now = (dc_container_state){ .phase = DC_CONTAINER_RUNNING, .started_us = dsp_wall_us() };
    if (!dc_container_read(p->tree, &container, error, sizeof(error))) {
        fail_to_start(p, error);
    } else if (container.simulated) {
        p->simulated_code = container.simulated_code;
        set_timer(p, container.simulated_ms, on_simulated);
        report(p, "Running");
    } else {
        dc_command command = { container.argv, container.env, on_output, on_ended, p };
        p->process = dc_runner_start(p->kubelet->runner, &command, error, sizeof(error));
        if (p->process == NULL) {
            fail_to_start(p, error);
        } else {
            report(p, "Running");
        }
    }
    dc_container_free(&container);
}

/* ---- Pods come and go ---- */

static kl_pod *find_pod(const kl_kubelet *k, dsp_str uid)
{
    dsp_map_node *node = dsp_map_find(&k->by_uid, uid);

    return node != NULL ? DSP_CONTAINER(node, kl_pod, by_uid) : NULL;
}

static void forget_pod(kl_pod *p)
{
    dsp_map_remove(&p->kubelet->by_uid, p->by_uid.key);
    if (p->process != NULL) {
        dc_process_drop(p->process);
    }
    if (p->call != NULL) {
        dsp_kube_call_cancel(p->call);
    }
    if (p->timer != NULL) {
        event_free(p->timer);
    }
    event_free(p->retry);
    if (p->log >= 0) {
        close(p->log);
    }
    cJSON_Delete(p->tree);
    free(p->uid);
    free(p->ns);
    free(p->name);
    free(p);
}

static int open_log(const kl_pod *p)
{
    char path[4096];

    if (p->kubelet->log_dir == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/%s_%s.log", p->kubelet->log_dir, p->ns, p->name);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

/* Takes the tree. */
static void add_pod(kl_kubelet *k, cJSON *tree)
{
    const cJSON *meta = dc_get(tree, "metadata");
    const char  *phase = dc_str(dc_get(tree, "status"), "phase");
    kl_pod      *p = calloc(1, sizeof(*p));

    p->kubelet = k;
    p->uid = strdup(dc_str(meta, "uid"));
    p->ns = strdup(dc_str(meta, "namespace"));
    p->name = strdup(dc_str(meta, "name"));
    p->by_uid.key = dsp_str_from(p->uid);
    p->tree = tree;
    p->retry = evtimer_new(k->base, on_retry, p);
    p->generation = k->generation;
    p->run.policy = dc_pod_restart_policy(tree);
    p->log = -1;
    p->over = phase != NULL && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
    dsp_map_insert(&k->by_uid, &p->by_uid);
    if (!p->over && dc_get(meta, "deletionTimestamp") == NULL) {
        p->log = open_log(p);
        start_container(p);
    }
}

/* A Pod that is to go: its process is killed, and the Job controller then lets go of it. */
static void end_pod(kl_pod *p)
{
    p->dying = true;
    if (p->process != NULL) {
        dc_process_kill(p->process, SIGKILL); /* on_ended() reports */
    } else if (!p->over) {
        if (p->timer != NULL) {
            event_free(p->timer);
            p->timer = NULL;
        }
        on_ended(p, 137, SIGKILL);
    }
}

static void see_pod(kl_kubelet *k, dsp_json object)
{
    const char *error = NULL;
    cJSON      *tree = dc_parse(object, &error, NULL);
    cJSON      *meta = dc_get(tree, "metadata");

    if (dc_str(meta, "uid") == NULL) {
        cJSON_Delete(tree);
        return;
    }
    kl_pod *p = find_pod(k, dsp_str_from(dc_str(meta, "uid")));
    if (p == NULL) {
        add_pod(k, tree);
        return;
    }
    p->generation = k->generation;
    if (dc_get(meta, "deletionTimestamp") != NULL && !p->dying) {
        end_pod(p);
    }
    cJSON_Delete(tree);
}

static void on_begin(void *arg)
{
    kl_kubelet *k = arg;

    k->generation++;
}

static void on_item(void *arg, dsp_json object)
{
    see_pod(arg, object);
}

static void on_end(void *arg)
{
    kl_kubelet    *k = arg;
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&k->by_uid, &cursor)) != NULL) {
        kl_pod *p = DSP_CONTAINER(node, kl_pod, by_uid);
        if (p->generation != k->generation) {
            forget_pod(p);
        }
    }
}

static void on_event(void *arg, enum dsp_reflector_event type, dsp_json object)
{
    kl_kubelet *k = arg;
    dsp_arena   arena;
    dsp_str     uid;

    if (type != DSP_REFLECTOR_DELETED) {
        see_pod(k, object);
        return;
    }
    dsp_arena_init(&arena, 4096);
    if (dsp_json_string(dsp_json_path(object, "metadata", "uid", NULL), &arena, &uid)) {
        kl_pod *p = find_pod(k, uid);
        if (p != NULL) {
            forget_pod(p);
        }
    }
    dsp_arena_free(&arena);
}

static void on_failed(void *arg, int status, const char *message)
{
    (void) arg;
    fprintf(stderr, "kubelet: watching Pods: %d %s\n", status, message);
}

kl_kubelet *kl_kubelet_new(dsp_kube_client *client, const char *log_dir)
{
    static const dsp_reflector_handler handler = { on_begin, on_item, on_end, on_event, on_failed };
    dsp_reflector_options              options = { .path = "/api/v1/pods" };
    kl_kubelet                        *k = calloc(1, sizeof(*k));

    k->client = client;
    k->base = dsp_kube_client_base(client);
    k->runner = dc_runner_new(k->base);
    k->log_dir = log_dir != NULL ? strdup(log_dir) : NULL;
    dsp_map_init(&k->by_uid);
    k->pods = dsp_reflector_new(client, &options, &handler, k);
    if (k->pods == NULL) {
        kl_kubelet_free(k);
        return NULL;
    }
    dsp_reflector_start(k->pods);
    return k;
}

void kl_kubelet_free(kl_kubelet *k)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    if (k == NULL) {
        return;
    }
    if (k->pods != NULL) {
        dsp_reflector_stop(k->pods);
        dsp_reflector_free(k->pods);
    }
    while ((node = dsp_map_next(&k->by_uid, &cursor)) != NULL) {
        forget_pod(DSP_CONTAINER(node, kl_pod, by_uid));
    }
    dc_runner_free(k->runner);
    dsp_map_free(&k->by_uid);
    free(k->log_dir);
    free(k);
}
