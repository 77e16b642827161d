/*
 * What of a pod's first container can be run here: its command line and environment, expanded. The image is ignored.
 */
#ifndef DC_CONTAINER_H
#define DC_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/*
 * The annotation of a pod that runs no process: "exit=CODE,after=MS" (both optional). It ends by itself, for benches and
 * for Jobs whose command is not on this machine.
 */
#define DC_SIMULATE "devcluster.dispatcher.ivan.vc/simulate"

typedef struct dc_container {
    char **argv; /* end with NULL; owned */
    char **env;
    bool   simulated;
    int    simulated_code;
    int    simulated_ms;
} dc_container;

/* false: it cannot be run, the reason is in error. To be freed in both cases. */
bool dc_container_read(const cJSON *pod, dc_container *out, char *error, size_t error_size);
void dc_container_free(dc_container *c);

#endif
