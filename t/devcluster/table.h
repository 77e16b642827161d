/*
 * Tables (meta.k8s.io Table), what "kubectl get" prints: the columns of a kind and a row of cells for each object.
 */
#ifndef DC_TABLE_H
#define DC_TABLE_H

#include "request.h"

/* columns: with the definitions (a list, or the first event of a watch). */
void dc_table_begin(const dc_request *r, bool columns, uint64_t rv, const char *token, int64_t remaining, dsp_buf *out);
void dc_table_row(const dc_request *r, const dc_object *o, bool first, dsp_buf *out);
void dc_table_end(dsp_buf *out);

/* "5d3h", "12s": as k8s.io/apimachinery pkg/util/duration.HumanDuration. */
void dc_human_duration(int64_t seconds, char out[32]);

/* The age of an RFC 3339 timestamp, "<unknown>" when there is none. */
void dc_age(const char *timestamp, char out[32]);

/*
 * The text of a simple JSON path of an additionalPrinterColumn, such as .status.conditions[?(@.type=="Ready")].status;
 * NULL when there is nothing. Borrowed.
 */
const cJSON *dc_json_path(const cJSON *object, const char *path);

#endif
