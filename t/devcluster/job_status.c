#include "job_status.h"

#include <string.h>

#include "base/clock.h"
#include "tree.h"

cJSON *dc_job_condition_node(const cJSON *status, const char *type)
{
    const cJSON *conditions = dc_get(status, "conditions");

    for (cJSON *c = conditions != NULL ? conditions->child : NULL; c != NULL; c = c->next) {
        const char *have = dc_str(c, "type");
        if (have != NULL && strcmp(have, type) == 0) {
            return c;
        }
    }
    return NULL;
}

bool dc_job_condition(const cJSON *status, const char *type)
{
    const char *value = dc_str(dc_job_condition_node(status, type), "status");

    return value != NULL && strcmp(value, "True") == 0;
}

bool dc_job_set_condition(cJSON *status, const char *type, bool value, const char *reason, const char *message)
{
    cJSON      *condition = dc_job_condition_node(status, type);
    const char *wanted = value ? "True" : "False", *have = dc_str(condition, "status");
    char        now[DSP_TIME_LEN];

    if (have != NULL && strcmp(have, wanted) == 0) {
        return false;
    }
    if (condition == NULL) {
        condition = cJSON_CreateObject();
        dc_set_str(condition, "type", type);
        cJSON_AddItemToArray(dc_ensure_array(status, "conditions"), condition);
    }
    dsp_time_format(dsp_wall_us(), now);
    dc_set_str(condition, "status", wanted);
    dc_set_str(condition, "lastProbeTime", now);
    dc_set_str(condition, "lastTransitionTime", now);
    dc_set_str(condition, "reason", reason);
    dc_set_str(condition, "message", message);
    return true;
}

void dc_job_set_counts(cJSON *status, int64_t active, int64_t ready, int64_t terminating)
{
    if (active > 0) {
        dc_set_int(status, "active", active);
    } else {
        dc_del(status, "active");
    }
    dc_set_int(status, "ready", ready);
    dc_set_int(status, "terminating", terminating);
    dc_ensure(status, "uncountedTerminatedPods");
}

bool dc_job_finish_time(const cJSON *status, int64_t *us)
{
    static const char *const ends[] = { "Complete", "Failed" };

    for (size_t i = 0; i < 2; i++) {
        const char *time = dc_str(dc_job_condition_node(status, ends[i]), "lastTransitionTime");
        if (dc_job_condition(status, ends[i]) && time != NULL) {
            return dsp_time_parse(dsp_str_from(time), us);
        }
    }
    return false;
}
