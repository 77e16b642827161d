/*
 * A stand-in for scheduler and kubelets in front of a real API server: watches all Pods, runs the command of each one's first container as
 * a local process (t/devcluster's runner) and reports its status. No image is pulled, no volume mounted.
 */
#ifndef KL_KUBELET_H
#define KL_KUBELET_H

#include "kube/client.h"

typedef struct kl_kubelet kl_kubelet;

/*
 * client is borrowed. Logs of containers are appended to files `{log_dir}/{namespace}_{pod}.log`; NULL: nowhere. NULL when memory is out or
 * the watch cannot be made.
 */
kl_kubelet *kl_kubelet_new(dsp_kube_client *client, const char *log_dir);

/* Kills all that runs. */
void kl_kubelet_free(kl_kubelet *kubelet);

#endif
