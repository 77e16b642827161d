#include "cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "crd.h"
#include "fault.h"
#include "garbage.h"
#include "jobs.h"
#include "namespaces.h"
#include "pages.h"
#include "pods.h"
#include "request_log.h"
#include "snapshot.h"
#include "watch.h"

static void first_namespaces(dc_cluster *c)
{
    static const char *const always[] = { "default", "kube-node-lease", "kube-public", "kube-system" };

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        dc_namespace_ensure(c, always[i]);
    }
    if (c->options.namespace_list != NULL) {
        char *list = strdup(c->options.namespace_list), *rest = list, *name;
        while ((name = strsep(&rest, ",")) != NULL) {
            if (*name != '\0') {
                dc_namespace_ensure(c, name);
            }
        }
        free(list);
    }
}

bool dc_cluster_start(dc_cluster *c)
{
    char error[512];

    dc_store_init(&c->store, c->options.history);
    dc_kinds_builtin(c);
    c->faults = dc_faults_new(c);
    c->audit = dc_audit_new(c);
    c->requests = dc_request_log_new(c->options.request_log);
    c->pages = dc_pages_new();
    c->watchers = dc_watchers_new(c);
    c->garbage = dc_garbage_new(c);
    dc_namespaces_start(c);
    c->pod_runner = dc_pods_new(c);
    c->job_controller = dc_jobs_new(c);
    if (!dc_crds_start(c)) {
        return false;
    }
    if (c->options.data != NULL && !dc_snapshot_load(c, c->options.data, error, sizeof(error))) {
        fprintf(stderr, "devcluster: %s\n", error);
        return false;
    }
    first_namespaces(c);
    return true;
}

void dc_cluster_stop(dc_cluster *c)
{
    dc_jobs_free(c->job_controller);
    dc_pods_free(c->pod_runner);
    dc_namespaces_stop(c);
    dc_garbage_free(c->garbage);
    dc_watchers_free(c->watchers);
    dc_pages_free(c->pages);
    dc_faults_free(c->faults);
    dc_audit_free(c->audit);
    dc_request_log_free(c->requests);
    dc_crds_stop(c);
    while (c->kinds.first != NULL) {
        dc_kind *k = c->kinds.first;
        c->kinds.first = k->next;
        dc_collection_free(&c->store, &k->objects);
        if (!k->custom) {
            free((char *) k->list_kind);
        }
        free(k);
    }
    dc_store_free(&c->store);
}
