/*
 * The status of a pod with one container, as kubelet writes it. Pure.
 */
#ifndef DC_POD_STATUS_H
#define DC_POD_STATUS_H

#include <stdint.h>

#include <cjson/cJSON.h>

enum dc_restart { DC_RESTART_NEVER, DC_RESTART_ON_FAILURE, DC_RESTART_ALWAYS };
enum dc_container_phase { DC_CONTAINER_NONE, DC_CONTAINER_RUNNING, DC_CONTAINER_BACKING_OFF, DC_CONTAINER_TERMINATED };

typedef struct dc_container_state {
    enum dc_container_phase phase;
    int64_t                 started_us, ended_us;
    int                     code, signal;
    char                    reason[32];
    char                    message[512];
} dc_container_state;

typedef struct dc_container_run {
    enum dc_restart    policy;
    int                restarts;
    dc_container_state now, last;
} dc_container_run;

enum dc_restart dc_pod_restart_policy(const cJSON *pod);

/* Sets status.phase, conditions, containerStatuses, startTime and what else a pod on a node has. */
void dc_pod_status_set(cJSON *pod, const char *phase, const dc_container_run *run);

#endif
