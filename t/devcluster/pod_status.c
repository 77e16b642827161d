#include "pod_status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tree.h"

enum dc_restart dc_pod_restart_policy(const cJSON *pod)
{
    const char *policy = dc_str(dc_get(pod, "spec"), "restartPolicy");

    if (policy == NULL || strcmp(policy, "Always") == 0) {
        return DC_RESTART_ALWAYS;
    }
    return strcmp(policy, "OnFailure") == 0 ? DC_RESTART_ON_FAILURE : DC_RESTART_NEVER;
}

static void set_time(cJSON *object, const char *name, int64_t us)
{
    char text[DSP_TIME_LEN];

    dsp_time_format(us, text);
    dc_set_str(object, name, text);
}

static void terminated(cJSON *states, const dc_container_state *s)
{
    cJSON *ended = dc_ensure(states, "terminated");

    dc_set_int(ended, "exitCode", s->code);
    if (s->signal != 0) {
        dc_set_int(ended, "signal", s->signal);
    }
    dc_set_str(ended, "reason", s->reason);
    if (s->message[0] != '\0') {
        dc_set_str(ended, "message", s->message);
    }
    set_time(ended, "startedAt", s->started_us != 0 ? s->started_us : s->ended_us);
    set_time(ended, "finishedAt", s->ended_us);
}

static void current_state(cJSON *states, const dc_container_state *s, const char *container)
{
    char text[256];

    if (s->phase == DC_CONTAINER_RUNNING) {
        set_time(dc_ensure(states, "running"), "startedAt", s->started_us);
    } else if (s->phase == DC_CONTAINER_TERMINATED) {
        terminated(states, s);
    } else {
        cJSON *waiting = dc_ensure(states, "waiting");
        bool   failed = s->phase == DC_CONTAINER_BACKING_OFF;
        dc_set_str(waiting, "reason", failed ? "CrashLoopBackOff" : "ContainerCreating");
        if (failed) {
            snprintf(text, sizeof(text), "back-off restarting failed container=%s", container);
            dc_set_str(waiting, "message", text);
        }
    }
}

static void container_status(cJSON *status, const cJSON *container, const dc_container_run *run)
{
    cJSON      *list = cJSON_CreateArray(), *entry = cJSON_CreateObject();
    const char *image = dc_str(container, "image"), *name = dc_str(container, "name");
    bool        running = run->now.phase == DC_CONTAINER_RUNNING;

    dc_set_str(entry, "name", name != NULL ? name : "");
    current_state(dc_ensure(entry, "state"), &run->now, name != NULL ? name : "");
    cJSON *last = dc_ensure(entry, "lastState");
    if (run->restarts > 0) {
        terminated(last, &run->last);
    }
    dc_set_bool(entry, "ready", running);
    dc_set_int(entry, "restartCount", run->restarts);
    dc_set_str(entry, "image", image != NULL ? image : "");
    dc_set_str(entry, "imageID", "");
    dc_set_bool(entry, "started", running);
    cJSON_AddItemToArray(list, entry);
    dc_set(status, "containerStatuses", list);
}

static void set_condition(cJSON *status, const char *type, bool value, const char *reason)
{
    cJSON *conditions = dc_ensure_array(status, "conditions"), *found = NULL;

    for (cJSON *c = conditions->child; c != NULL; c = c->next) {
        if (strcmp(dc_str(c, "type"), type) == 0) {
            found = c;
        }
    }
    if (found == NULL) {
        found = cJSON_CreateObject();
        dc_set_str(found, "type", type);
        cJSON_AddItemToArray(conditions, found);
    }
    const char *old = dc_str(found, "status");
    if (old == NULL || strcmp(old, value ? "True" : "False") != 0) {
        set_time(found, "lastTransitionTime", dsp_wall_us());
    }
    dc_set(found, "lastProbeTime", cJSON_CreateNull());
    dc_set_str(found, "status", value ? "True" : "False");
    dc_del(found, "reason");
    if (reason != NULL) {
        dc_set_str(found, "reason", reason);
    }
}

void dc_pod_status_set(cJSON *pod, const char *phase, const dc_container_run *run)
{
    cJSON      *spec = dc_get(pod, "spec"), *status = dc_ensure(pod, "status");
    bool        running = run->now.phase == DC_CONTAINER_RUNNING;
    bool        over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
    const char *why = over ? (strcmp(phase, "Succeeded") == 0 ? "PodCompleted" : "PodFailed")
                           : (running ? NULL : "ContainersNotReady");

    if (dc_str(spec, "nodeName") == NULL) {
        dc_set_str(spec, "nodeName", "devcluster");
    }
    dc_set_str(status, "phase", phase);
    set_condition(status, "PodReadyToStartContainers", !over, NULL);
    set_condition(status, "Initialized", true, NULL);
    set_condition(status, "Ready", running && !over, why);
    set_condition(status, "ContainersReady", running && !over, why);
    set_condition(status, "PodScheduled", true, NULL);
    if (dc_str(status, "startTime") == NULL) {
        dc_set_str(status, "hostIP", "127.0.0.1");
        dc_set_str(status, "podIP", "127.0.0.1");
        set_time(status, "startTime", dsp_wall_us());
        dc_set_str(status, "qosClass", "BestEffort");
    }
    container_status(status, cJSON_GetArrayItem(dc_get(spec, "containers"), 0), run);
}
