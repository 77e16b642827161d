/*
 * Exponential backoff with jitter (apimachinery, util/wait: Backoff and JitterUntil).
 *
 * The n-th delay is base · 2^n, cut to max, plus a random share of itself up to `jitter`: with jitter 1 and base 800
 * the first delay lies in 800..1600. A quiet time of reset_ms since the last failure starts again at the base.
 */
#ifndef DSP_KUBE_BACKOFF_H
#define DSP_KUBE_BACKOFF_H

#include "env.h"

typedef struct dsp_backoff_rule {
    int64_t base_ms;
    int64_t max_ms;
    double  jitter;   /* share of the delay that chance may add, 0..1 */
    int64_t reset_ms; /* 0: only dsp_backoff_reset() resets */
} dsp_backoff_rule;

typedef struct dsp_backoff {
    unsigned failures; /* in a row */
    int64_t  last_ms;  /* when the last delay was asked for */
} dsp_backoff;

/* The delay of this failure in ms, and counts it. */
int64_t dsp_backoff_next(dsp_backoff *b, const dsp_backoff_rule *rule, const dsp_kube_env *env);

static inline void dsp_backoff_reset(dsp_backoff *b)
{
    b->failures = 0;
}

#endif
