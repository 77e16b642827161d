/*
 * CustomResourceDefinitions: kinds that come and go at run time. The project's own (deploy/crd) are compiled in and
 * present from the start; applying them again, or the original's, changes the kinds accordingly.
 */
#ifndef DC_CRD_H
#define DC_CRD_H

#include "cluster.h"

extern const dc_hooks dc_crd_hooks;

/* Registers the built-in CRDs and the schemas of Jobs and Pods that come with them. */
bool dc_crds_start(dc_cluster *c);

/* Frees the custom kinds' and the built-in kinds' schemas. */
void dc_crds_stop(dc_cluster *c);

#endif
