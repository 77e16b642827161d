/*
 * Exec credential plugins (client.authentication.k8s.io, client-go: plugin/pkg/client/auth/exec). For auth.c.
 */
#ifndef DSP_KUBE_EXEC_H
#define DSP_KUBE_EXEC_H

#include <event2/event.h>

#include "config.h"

#define KUBE_EXEC_OUTPUT_MAX (64u * 1024)
#define KUBE_EXEC_TIMEOUT_S  60

/* What an ExecCredential says. */
typedef struct kube_exec_credential {
    char         *token; /* NULL: none */
    dsp_kube_blob cert;  /* PEM, with key or not at all */
    dsp_kube_blob key;
    int64_t       expires_us; /* wall clock; 0: never */
} kube_exec_credential;

/* Reads a plugin's output. api_version must be its own. false: the cause, without any value, is in err. */
bool kube_exec_parse(dsp_str text, const char *api_version, kube_exec_credential *out, dsp_buf *err);
void kube_exec_credential_free(kube_exec_credential *c);

/* The value of KUBERNETES_EXEC_INFO. ca may be none. */
bool kube_exec_info(const dsp_kube_config *config, dsp_str ca, dsp_buf *out);

typedef struct kube_exec_run kube_exec_run;

/* credential is NULL when the run failed, with the cause in error. The run is over and freed when this is called. */
typedef void (*kube_exec_done)(void *arg, kube_exec_credential *credential, const char *error);

/* Starts the plugin as a child, without a shell. NULL: the cause is in err. */
kube_exec_run *kube_exec_start(struct event_base *base, const dsp_kube_config *config, dsp_str ca, kube_exec_done done,
                               void *arg, dsp_buf *err);

/* Kills the child and what it has started; done is not called. */
void kube_exec_cancel(kube_exec_run *run);

#endif
