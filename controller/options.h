/*
 * The controller's command line: the original's flags with the original's meanings, and ours. Syntax as Go's package
 * flag: one dash or two, "--name=value" or
 * "--name value", booleans alone or with "=true" / "=false".
 */
#ifndef DSP_CONTROLLER_OPTIONS_H
#define DSP_CONTROLLER_OPTIONS_H

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"

#define DSP_OPTIONS_NAMESPACES_MAX 64

typedef struct dsp_options {
    const char *metrics_bind; /* "host:port", ":port"; port 0: any free one; "0": no metrics */
    const char *probe_bind;   /* the same */
    bool        metrics_secure;
    const char *metrics_cert; /* PEM files, read again when they change */
    const char *metrics_key;

    const char *kubeconfig; /* NULL: $KUBECONFIG, the Pod's service account, ~/.kube/config */
    const char *context;    /* NULL: the kubeconfig's current one */
    const char *namespaces[DSP_OPTIONS_NAMESPACES_MAX];
    size_t      n_namespaces; /* 0: the whole cluster */
    int64_t     qps;          /* requests a second, 0: as many as the server takes */
    int64_t     max_in_flight;

    bool        leader_elect;
    const char *leader_namespace; /* NULL: the Pod's, else the kubeconfig context's */
    const char *leader_name;
    int64_t     lease_ms; /* whole seconds > renew_ms > 1.2 retry_ms; 0: 15 s, 10 s, 2 s */
    int64_t     renew_ms;
    int64_t     retry_ms;

    const char *default_namespace; /* for the log only: requests are nginx's */
    bool        log_payloads;
    bool        allow_env; /* what templates may learn about this process */
    bool        allow_dns;

    enum dsp_log_level  log_level;
    enum dsp_log_format log_format;

    bool help;
    bool version;
} dsp_options;

/*
 * Reads argv into *out, whose strings point into argv. false: the text in error says which argument is wrong and how;
 * nothing else may be used of *out then. With help or version set, later arguments are not looked at.
 */
bool dsp_options_parse(int argc, const char *const *argv, dsp_options *out, dsp_buf *error);

void dsp_options_help(FILE *out);

#endif
