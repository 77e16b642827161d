/*
 * The command line of devcluster.
 */
#ifndef DC_OPTIONS_H
#define DC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct dc_options {
    char        host[64]; /* a loopback address: "127.0.0.1", "::1" */
    int         port;     /* 0: a free one */
    char        control_host[64];
    int         control_port;
    bool        tls;
    bool        watch_list; /* sendInitialEvents is served */
    bool        quiet;
    const char *token; /* NULL: anybody */
    const char *kubeconfig_out;
    const char *data;
    int         job_backoff_ms; /* before the first retry of a failed pod; doubles, at most max */
    int         job_backoff_max_ms;
    int         gc_delay_ms;    /* from the end of an owner to the deletion of its dependents */
    int         bookmark_ms;
    size_t      history;        /* events kept per kind */
    size_t      log_max;        /* bytes kept of a pod's log */
    size_t      request_log;    /* requests remembered */
    size_t      max_pods;       /* processes at the same time */
    bool        no_pods;        /* pods stay Pending: somebody else is the kubelet */
    bool        no_jobs;        /* Jobs get no pods and no status */
    const char *namespace_list; /* extra namespaces, "a,b" */
} dc_options;

enum dc_options_result { DC_OPTIONS_RUN, DC_OPTIONS_DONE, DC_OPTIONS_BAD };

/* Reads argv. DONE: --help or --version was answered. BAD: the reason is in error. Strings point into argv. */
enum dc_options_result dc_options_read(dc_options *o, int argc, char **argv, char *error, size_t error_size);

#endif
