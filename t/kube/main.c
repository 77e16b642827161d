/*
 * kubelet: makes the Pods of a control plane without nodes run, as local processes.
 *
 *     build/kubelet --kubeconfig FILE [--logs DIRECTORY]
 *
 * Until SIGTERM; what runs is killed then.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "kube/global.h"
#include "kubelet.h"

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void) number;
    (void) what;
    event_base_loopbreak(base);
}

static int run(struct event_base *base, const char *kubeconfig, const char *logs)
{
    dsp_kube_sources sources = dsp_kube_sources_env(kubeconfig);
    dsp_kube_client_options options = { .user_agent = "dispatcher-test-kubelet/" DSP_VERSION };
    dsp_buf          error;
    int              code = 1;

    dsp_buf_init(&error, 4096);
    dsp_kube_config *config = dsp_kube_config_load(&sources, &error);
    dsp_kube_client *client = config != NULL ? dsp_kube_client_new(base, config, &options, &error) : NULL;
    kl_kubelet      *kubelet = client != NULL ? kl_kubelet_new(client, logs) : NULL;
    if (kubelet == NULL) {
        fprintf(stderr, "kubelet: %s\n", error.len > 0 ? dsp_buf_cstr(&error) : "out of memory");
    } else {
        struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
        struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
        evsignal_add(term, NULL);
        evsignal_add(interrupt, NULL);
        event_base_dispatch(base);
        event_free(term);
        event_free(interrupt);
        code = 0;
    }
    kl_kubelet_free(kubelet);
    if (client != NULL) {
        dsp_kube_client_free(client);
    }
    dsp_buf_free(&error);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "kubeconfig", required_argument, NULL, 'k' },
        { "logs", required_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    const char *kubeconfig = NULL, *logs = NULL;
    int         option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'k': kubeconfig = optarg; break;
        case 'l': logs = optarg; break;
        default: fprintf(stderr, "usage: kubelet --kubeconfig FILE [--logs DIRECTORY]\n"); return 2;
        }
    }
    dsp_kube_global_init();
    struct event_base *base = event_base_new();
    int                code = run(base, kubeconfig, logs);
    event_base_free(base);
    dsp_kube_global_cleanup();
    return code;
}
