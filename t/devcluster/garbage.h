/*
 * The garbage collector: dependents of owners that are gone are deleted, the policies Foreground and Orphan are carried
 * out (pkg/controller/garbagecollector). Works in turns of its own, --gc-delay after what it reacts to.
 */
#ifndef DC_GARBAGE_H
#define DC_GARBAGE_H

#include "cluster.h"

typedef struct dc_garbage dc_garbage;

dc_garbage *dc_garbage_new(dc_cluster *c);
void        dc_garbage_free(dc_garbage *g);

#endif
