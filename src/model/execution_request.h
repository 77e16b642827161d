/*
 * The JobExecution that an HTTP request becomes, and what the API server says about it.
 *
 * Its name is chosen here and it carries the request's id as an annotation, so that a POST whose outcome is not known can be
 * looked up, and AlreadyExists can be told apart: ours (done) or somebody else's (another name is tried).
 */
#ifndef DSP_MODEL_EXECUTION_REQUEST_H
#define DSP_MODEL_EXECUTION_REQUEST_H

#include "base/json.h"

#define DSP_REQUEST_ID_ANNOTATION "dispatcher.ivan.vc/request-id"

/* A JobExecution's name becomes a label's value of its Job: 63 bytes. */
#define DSP_EXECUTION_NAME_MAX 63
#define DSP_EXECUTION_ID_LEN   10 /* characters of the request's id in the name */

/*
 * "{template}-{id}", NUL-terminated: a template that is too long is cut (and never ends in a dash or dot there), so that the name
 * is a DNS subdomain and a label's value. id is 1 to 10 characters of [a-z0-9], and template_name a DNS subdomain.
 */
void dsp_execution_choose_name(dsp_str template_name, dsp_str id, char out[DSP_EXECUTION_NAME_MAX + 1]);

typedef struct dsp_execution_request {
    dsp_str  ns;
    dsp_str  name;
    dsp_str  template_name;
    dsp_str  request_id; /* no character that JSON would escape */
    dsp_json labels;     /* of the JobTemplate, copied as they stand; none: no labels */
    dsp_str  payload;    /* any valid UTF-8 */
} dsp_execution_request;

/* Bytes that the object takes as JSON; exact. */
size_t dsp_execution_request_len(const dsp_execution_request *request);

/* Writes them, and gives the end. */
char *dsp_execution_request_write(char *out, const dsp_execution_request *request);

/* What we need of a stored object, a JobTemplate or a JobExecution, whole or as PartialObjectMetadata. */
typedef struct dsp_stored_object {
    dsp_str  name;
    dsp_str  uid;
    dsp_str  created;    /* creationTimestamp as it stands */
    dsp_str  request_id; /* of the annotation; empty: none */
    dsp_json labels;     /* a span of the text; none: there are none */
} dsp_stored_object;

/* From a text that dsp_json_parse() accepted. false: it is no object with metadata.name and metadata.uid, or the arena is exhausted. */
bool dsp_stored_object_read(dsp_json object, dsp_arena *arena, dsp_stored_object *out);

#endif
