/*
 * Events that this cluster's own controllers record.
 */
#ifndef DC_EMIT_H
#define DC_EMIT_H

#include "cluster.h"

/* Records an event about an object (its tree). */
void dc_emit(dc_cluster *c, const cJSON *about, const char *type, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
