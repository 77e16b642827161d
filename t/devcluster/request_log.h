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

/* Which requests: from a number on; with a text (NULL: any) in their target or body; only those that were not served (yet). */
typedef struct {
    uint64_t    from;
    const char *text;
    bool        pending;
} dc_request_filter;

/* Adds the array of what is remembered of them; the counters as an object. */
void   dc_request_log_print(const dc_request_log *log, const dc_request_filter *filter, dsp_buf *out);
cJSON *dc_request_log_counters(const dc_request_log *log);
void   dc_request_log_clear(dc_request_log *log);

#endif
