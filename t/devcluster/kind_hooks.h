/*
 * What is peculiar to each built-in kind (kind.h: dc_hooks).
 */
#ifndef DC_KIND_HOOKS_H
#define DC_KIND_HOOKS_H

#include "kind.h"

extern const dc_hooks dc_event_hooks, dc_configmap_hooks, dc_secret_hooks, dc_lease_hooks, dc_rbac_hooks;
extern const dc_hooks dc_job_hooks; /* job_kind.c */
extern const dc_hooks dc_pod_hooks; /* pod_kind.c */

/* The defaults of a pod spec, as pkg/apis/core/v1/defaults.go sets them; and its rules. path: "spec.template.spec". */
void dc_pod_spec_defaults(cJSON *spec);
void dc_pod_spec_validate(const cJSON *spec, const char *path, dc_errors *errors);

/* Helpers for cells: the age of the object; a text that may be NULL. */
void dc_cell_age(const cJSON *object, cJSON *cells);
void dc_cell_text(cJSON *cells, const char *text);
void dc_cell_int(cJSON *cells, int64_t n);

#endif
