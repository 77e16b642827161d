/*
 * For LD_PRELOAD: a clock that a test sets. SKEW_FILE names a file of eight bytes, the microseconds (native order) that are added to CLOCK_REALTIME; what
 * the test writes there counts from the next look at the clock. All other clocks stay as they are, as when somebody sets the clock of a machine. With
 * SKEW_CLOCK=boot it is CLOCK_BOOTTIME instead: a jump forward is a process that did not run for a while.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *skew;
static clockid_t               skewed = CLOCK_REALTIME, skewed_coarse = CLOCK_REALTIME_COARSE;

static void map_skew(void)
{
    const char *name = getenv("SKEW_FILE"), *clock = getenv("SKEW_CLOCK");
    int         fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void       *at = fd >= 0 ? mmap(NULL, sizeof(*skew), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0) {
        close(fd);
    }
    if (at != MAP_FAILED) {
        skew = at;
    }
    if (clock != NULL && strcmp(clock, "boot") == 0) {
        skewed = skewed_coarse = CLOCK_BOOTTIME;
    }
}

__attribute__((constructor)) static void start(void)
{
    map_skew();
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int rc = (int) syscall(SYS_clock_gettime, clock, out);

    if (rc == 0 && skew != NULL && (clock == skewed || clock == skewed_coarse)) {
        int64_t us = (int64_t) out->tv_sec * 1000000 + out->tv_nsec / 1000 + *skew;

        out->tv_sec = us / 1000000;
        out->tv_nsec = us % 1000000 * 1000 + out->tv_nsec % 1000;
    }
    return rc;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void) zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
