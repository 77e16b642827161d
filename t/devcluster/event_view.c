#include "event_view.h"

#include <string.h>

#include "tree.h"

static const struct {
    const char *core;
    const char *events;
} names[] = {
    { "involvedObject", "regarding" },          { "message", "note" },
    { "source", "deprecatedSource" },           { "firstTimestamp", "deprecatedFirstTimestamp" },
    { "lastTimestamp", "deprecatedLastTimestamp" }, { "count", "deprecatedCount" },
    { "reportingComponent", "reportingController" },
};

static void rename_member(cJSON *object, const char *from, const char *to)
{
    cJSON *member = dc_get(object, from);

    if (member != NULL) {
        cJSON_DetachItemViaPointer(object, member);
        dc_set(object, to, member);
    }
}

void dc_event_to_core(cJSON *event)
{
    dc_set_str(event, "apiVersion", "v1");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        rename_member(event, names[i].events, names[i].core);
    }
}

void dc_event_from_core(cJSON *event)
{
    dc_set_str(event, "apiVersion", "events.k8s.io/v1");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        rename_member(event, names[i].core, names[i].events);
    }
}

void dc_event_view_print(const dc_object *o, dsp_buf *out)
{
    cJSON *event = dc_object_tree(o);

    dc_event_from_core(event);
    dc_print(out, event);
    cJSON_Delete(event);
}
