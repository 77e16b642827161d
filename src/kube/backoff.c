#include "backoff.h"

int64_t dsp_backoff_next(dsp_backoff *b, const dsp_backoff_rule *rule, const dsp_kube_env *env)
{
    int64_t now = env->now_ms(env->arg);
    int64_t delay = rule->base_ms;

    if (rule->reset_ms > 0 && b->failures > 0 && now - b->last_ms > rule->reset_ms) {
        b->failures = 0;
    }
    for (unsigned i = 0; i < b->failures && delay < rule->max_ms; i++) {
        delay = delay > rule->max_ms / 2 ? rule->max_ms : delay * 2;
    }
    if (delay > rule->max_ms) {
        delay = rule->max_ms;
    }
    b->failures++;
    b->last_ms = now;
    return delay + (int64_t) ((double) delay * rule->jitter * (env->random(env->arg) / 4294967296.0));
}
