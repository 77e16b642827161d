/*
 * Server-side apply: create or merge what an applier says, remembering in metadata.managedFields which applier owns
 * which field (sigs.k8s.io/structured-merge-diff). Other ways of writing are not tracked: what they left is owned by
 * "before-first-apply" when an object is applied for the first time, as on a server that had apply switched off.
 */
#ifndef DC_APPLY_H
#define DC_APPLY_H

#include "request.h"

/* Serves the apply request whose body is this configuration. */
void dc_apply(dc_request *r, cJSON *configuration);

#endif
