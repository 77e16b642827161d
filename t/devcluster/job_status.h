/*
 * The status of a Job: conditions and counts. Pure.
 */
#ifndef DC_JOB_STATUS_H
#define DC_JOB_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* Whether the condition is there and "True"; its node whatever its value, or NULL. */
bool   dc_job_condition(const cJSON *status, const char *type);
cJSON *dc_job_condition_node(const cJSON *status, const char *type);

/* Sets a condition, with its times when its value changes. true: it did. */
bool dc_job_set_condition(cJSON *status, const char *type, bool value, const char *reason, const char *message);

/* Sets active, ready, terminating (absent where Go omits zeros) and uncountedTerminatedPods. */
void dc_job_set_counts(cJSON *status, int64_t active, int64_t ready, int64_t terminating);

/* When the Job ended, in microseconds since the epoch; false: it has not. */
bool dc_job_finish_time(const cJSON *status, int64_t *us);

#endif
