#include "emit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tree.h"
#include "write.h"

static void set_reference(cJSON *event, const cJSON *about)
{
    static const char *const names[] = { "namespace", "name", "uid", "resourceVersion" };
    cJSON                   *object = dc_ensure(event, "involvedObject");
    const cJSON             *metadata = dc_get(about, "metadata");

    dc_set_str(object, "kind", dc_str(about, "kind"));
    dc_set_str(object, "apiVersion", dc_str(about, "apiVersion"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (dc_str(metadata, names[i]) != NULL) {
            dc_set_str(object, names[i], dc_str(metadata, names[i]));
        }
    }
}

void dc_emit(dc_cluster *c, const cJSON *about, const char *type, const char *reason, const char *fmt, ...)
{
    static const dc_write write = { 0 };
    static uint64_t       count;
    const cJSON          *metadata = dc_get(about, "metadata");
    cJSON                *event = cJSON_CreateObject(), *own = dc_ensure(event, "metadata");
    char                  name[320], now[DSP_TIME_LEN], *message = NULL;
    va_list               args;
    dc_fail               f = { 0 };

    va_start(args, fmt);
    if (vasprintf(&message, fmt, args) < 0) {
        message = NULL;
    }
    va_end(args);
    snprintf(name, sizeof(name), "%.200s.%" PRIx64, dc_str(metadata, "name"),
             (uint64_t) dsp_wall_us() * 1000 + count++ % 1000);
    dsp_time_format(dsp_wall_us(), now);
    dc_set_str(own, "name", name);
    dc_set_str(own, "namespace", dc_str(metadata, "namespace"));
    set_reference(event, about);
    dc_set_str(event, "reason", reason);
    dc_set_str(event, "message", message != NULL ? message : "");
    dc_set_str(dc_ensure(event, "source"), "component", "job-controller");
    dc_set_str(event, "firstTimestamp", now);
    dc_set_str(event, "lastTimestamp", now);
    dc_set_int(event, "count", 1);
    dc_set_str(event, "type", type);
    dc_set(event, "eventTime", cJSON_CreateNull());
    dc_set_str(event, "reportingComponent", "job-controller");
    dc_set_str(event, "reportingInstance", "");
    dc_create_object(c, c->events, &write, event, &f);
    dc_fail_free(&f);
    free(message);
    cJSON_Delete(event);
}
