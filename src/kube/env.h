/*
 * What the kube room takes from the world besides the network: time and chance. Handed in, so that tests decide both.
 */
#ifndef DSP_KUBE_ENV_H
#define DSP_KUBE_ENV_H

#include <stdint.h>

typedef struct dsp_kube_env {
    int64_t (*now_ms)(void *arg);  /* a clock that nobody sets, as dsp_clock_ms() */
    int64_t (*wall_us)(void *arg); /* the wall clock, as dsp_wall_us() */
    uint32_t (*random)(void *arg); /* 32 even bits */
    void *arg;
} dsp_kube_env;

/* The machine's own clocks and getrandom(2). */
extern const dsp_kube_env dsp_kube_env_system;

#endif
