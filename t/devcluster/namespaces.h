/*
 * Namespaces: a deleted one is Terminating, is emptied, and goes when nothing is left in it. They hold on by
 * spec.finalizers ("kubernetes"), not by metadata.
 */
#ifndef DC_NAMESPACES_H
#define DC_NAMESPACES_H

#include "cluster.h"

extern const dc_hooks dc_namespace_hooks;

/* Whether a namespace still has its own finalizer. */
bool dc_namespace_is_held(const cJSON *ns);

/* Makes a namespace unless it is there. */
void dc_namespace_ensure(dc_cluster *c, const char *name);

/* Watches the store for namespaces that are to be emptied or are empty. */
void dc_namespaces_start(dc_cluster *c);
void dc_namespaces_stop(dc_cluster *c);

#endif
