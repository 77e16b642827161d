#include "env.h"

#include <stddef.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

static int64_t system_now(void *arg)
{
    (void) arg;
    return dsp_clock_ms();
}

static int64_t system_wall(void *arg)
{
    (void) arg;
    return dsp_wall_us();
}

static uint32_t system_random(void *arg)
{
    uint32_t v = 0;

    (void) arg;
    /* Up to 256 bytes are never cut short; the kernel's pool is ready long before we run. */
    if (getrandom(&v, sizeof(v), 0) != (ssize_t) sizeof(v)) {
        v = (uint32_t) dsp_wall_us() ^ (uint32_t) getpid();
    }
    return v;
}

const dsp_kube_env dsp_kube_env_system = { system_now, system_wall, system_random, NULL };
