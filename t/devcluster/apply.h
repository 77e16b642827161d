/*
 * Server-side apply: create or merge what an applier says, remembering in metadata.managedFields who owns which field
 * (sigs.k8s.io/structured-merge-diff). Objects that nobody ever applied carry no managedFields; what was there before
 * the first apply belongs to "before-first-apply", as on a server where apply was switched on later.
 */
#ifndef DC_APPLY_H
#define DC_APPLY_H

#include "request.h"

/* Serves the apply request whose body is this configuration (which may be changed). */
void dc_apply(dc_request *r, cJSON *configuration);

/* After another way of writing: what has changed belongs to that manager now. For objects with managedFields only. */
void dc_apply_track(const dc_kind *kind, int version, const char *manager, cJSON *object, const cJSON *old);

/* The fieldManager of a request, else the product name of its User-Agent. malloc'd. */
char *dc_field_manager(const dc_request *r);

#endif
