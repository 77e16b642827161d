/*
 * devcluster: an embedded stand-in for a Kubernetes API server and its controllers. See README.md.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#include "cluster.h"
#include "kubeconfig.h"
#include "server.h"
#include "snapshot.h"
#include "tls.h"

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void) number;
    (void) what;
    event_base_loopbreak(arg);
}

static void make_url(char url[128], const char *scheme, const char *host, int port)
{
    bool v6 = strchr(host, ':') != NULL;

    snprintf(url, 128, "%s://%s%s%s:%d", scheme, v6 ? "[" : "", host, v6 ? "]" : "", port);
}

/* Opens both listeners, says so, writes the kubeconfig. */
static bool go_public(dc_cluster *c, SSL_CTX *tls, const char *ca_pem)
{
    const dc_options *o = &c->options;
    char              url[128], control[128], control_url[160], error[512];

    c->control = dc_server_new(c, o->control_host, o->control_port, NULL, true, error, sizeof(error));
    c->server = c->control != NULL ? dc_server_new(c, o->host, o->port, tls, false, error, sizeof(error)) : NULL;
    if (c->server == NULL) {
        fprintf(stderr, "devcluster: %s\n", error);
        return false;
    }
    make_url(url, tls != NULL ? "https" : "http", o->host, dc_server_port(c->server));
    make_url(control, "http", o->control_host, dc_server_port(c->control));
    snprintf(control_url, sizeof(control_url), "%s/_devcluster", control);
    if (!o->quiet) {
        printf("devcluster %s: a stand-in for tests and demos. It replaces no production cluster.\n"
               "devcluster: serving %s, control %s\n", DSP_VERSION, url, control_url);
        fflush(stdout);
    }
    if (o->kubeconfig_out != NULL &&
        !dc_kubeconfig_write(o->kubeconfig_out, url, control_url, ca_pem, o->token, error, sizeof(error))) {
        fprintf(stderr, "devcluster: %s\n", error);
        return false;
    }
    return true;
}

static int run(dc_cluster *c, SSL_CTX *tls, const char *ca_pem)
{
    struct event *signals[2];
    char          error[512];
    int           code = 0;

    signals[0] = evsignal_new(c->base, SIGTERM, on_signal, c->base);
    signals[1] = evsignal_new(c->base, SIGINT, on_signal, c->base);
    for (int i = 0; i < 2; i++) {
        evsignal_add(signals[i], NULL);
    }
    if (!dc_cluster_start(c) || !go_public(c, tls, ca_pem)) {
        code = 1;
    } else {
        event_base_dispatch(c->base);
        if (c->options.data != NULL && !dc_snapshot_save(c, c->options.data, error, sizeof(error))) {
            fprintf(stderr, "devcluster: %s\n", error);
            code = 1;
        }
        if (!c->options.quiet) {
            printf("devcluster: stopped\n");
        }
    }
    dc_server_free(c->server);
    dc_server_free(c->control);
    dc_cluster_stop(c);
    for (int i = 0; i < 2; i++) {
        event_free(signals[i]);
    }
    return code;
}

int main(int argc, char **argv)
{
    dc_cluster cluster = { 0 };
    SSL_CTX   *tls = NULL;
    char      *ca_pem = NULL;
    char       error[512];

    switch (dc_options_read(&cluster.options, argc, argv, error, sizeof(error))) {
    case DC_OPTIONS_DONE:
        return 0;
    case DC_OPTIONS_BAD:
        fprintf(stderr, "devcluster: %s\n", error);
        return 2;
    case DC_OPTIONS_RUN:
        break;
    }
    signal(SIGPIPE, SIG_IGN);
    cluster.base = event_base_new();
    if (cluster.options.tls && (tls = dc_tls_new(&ca_pem)) == NULL) {
        fprintf(stderr, "devcluster: cannot make a certificate\n");
        return 1;
    }
    int code = run(&cluster, tls, ca_pem);
    event_base_free(cluster.base);
    SSL_CTX_free(tls);
    free(ca_pem);
    return code;
}
