/*
 * Events have two faces on one stored object: core/v1 and events.k8s.io/v1 (pkg/apis/events/v1/conversion.go).
 */
#ifndef DC_EVENT_VIEW_H
#define DC_EVENT_VIEW_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "store.h"

/* Adds the events.k8s.io/v1 text of a stored core event. */
void dc_event_view_print(const dc_object *o, dsp_buf *out);

/* Renames the members of an events.k8s.io/v1 tree to those of core/v1, in place; and the way back. */
void dc_event_to_core(cJSON *event);
void dc_event_from_core(cJSON *event);

#endif
