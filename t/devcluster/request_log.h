/*
 * The requests of the near past, for exact assertions, and counters of all of them.
 */
#ifndef DC_REQUEST_LOG_H
#define DC_REQUEST_LOG_H

#include "request.h"

typedef struct dc_request_log dc_request_log;

dc_request_log *dc_request_log_new(size_t size); /* size 0: remembers nothing, only counts */
void            dc_request_log_free(dc_request_log *log);

void dc_request_log_arrived(dc_request *r);
void dc_request_log_served(dc_request *r);

/* Adds the array of what is remembered from a number on; the counters as an object. */
void   dc_request_log_print(const dc_request_log *log, uint64_t from, dsp_buf *out);
cJSON *dc_request_log_counters(const dc_request_log *log);
void   dc_request_log_clear(dc_request_log *log);

#endif
