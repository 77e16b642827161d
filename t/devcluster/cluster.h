/*
 * The whole of a running devcluster: one event loop, one thread, no locks.
 */
#ifndef DC_CLUSTER_H
#define DC_CLUSTER_H

#include <event2/event.h>

#include "kind.h"
#include "options.h"
#include "store.h"

struct dc_faults;
struct dc_jobs;
struct dc_watchers;
struct dc_server;

typedef struct dc_cluster {
    dc_options          options;
    struct event_base  *base;
    dc_store            store;
    dc_kinds            kinds;
    dc_kind            *namespaces, *pods, *jobs, *events, *crds, *configmaps, *service_accounts;
    struct event       *namespace_turn; /* the namespace controller's */
    struct dc_watchers *watchers;
    struct dc_pages    *pages;
    struct dc_pods     *pod_runner;
    struct dc_jobs     *job_controller;
    struct dc_garbage  *garbage;
    struct dc_server   *server;
    struct dc_server   *control;
    LIST_HEAD(, dc_control_wait) waiters; /* questions to the control URL that wait for a rule */
    struct dc_faults   *faults;
    struct dc_audit    *audit;
    struct dc_request_log *requests;
} dc_cluster;

/* Everything but the network: store, kinds, controllers, the namespaces of a fresh cluster. false: said on stderr. */
bool dc_cluster_start(dc_cluster *c);

/* Kills the Jobs' processes and frees everything. */
void dc_cluster_stop(dc_cluster *c);

#endif
