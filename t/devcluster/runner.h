/*
 * Runs commands as local processes, each in a process group and a temporary directory of its own, and says when they
 * write and when they end. Knows nothing of pods or the store: a kubelet stand-in elsewhere uses it as well.
 *
 * Everything happens on the event loop: output by pipe events, ends by SIGCHLD. When the first process of a group has
 * ended, what is left of the group is killed, as the rest of a container is. dc_runner_free() kills all groups; should
 * this program be killed itself, the kernel kills the first process of each (PR_SET_PDEATHSIG), and grandchildren that
 * left their group are found again as our own children (PR_SET_CHILD_SUBREAPER).
 */
#ifndef DC_RUNNER_H
#define DC_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>

typedef struct dc_runner  dc_runner;
typedef struct dc_process dc_process;

typedef struct dc_command {
    char *const *argv; /* argv[0] is looked up in the PATH of env when it has no slash */
    char *const *env;  /* "NAME=value" */
    void (*output)(void *arg, const char *data, size_t len);
    /* Called once, last: code 0..255, or 128 + signal when it was killed by one; signal is 0 otherwise. */
    void (*ended)(void *arg, int code, int signal);
    void *arg;
} dc_command;

/* One per program: it owns SIGCHLD. */
dc_runner *dc_runner_new(struct event_base *base);
void       dc_runner_free(dc_runner *r); /* no callbacks are called */

/* NULL: it could not be started, the reason is in error; neither callback will be called. */
dc_process *dc_runner_start(dc_runner *r, const dc_command *command, char *error, size_t error_size);

/* Signals the whole group. After `ended` the process must not be used. */
void dc_process_kill(dc_process *p, int signal);

/* Kills the group and forgets the process: no callback comes any more. */
void dc_process_drop(dc_process *p);

size_t dc_runner_count(const dc_runner *r);

#endif
