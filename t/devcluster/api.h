/*
 * What a path means, and who serves it.
 */
#ifndef DC_API_H
#define DC_API_H

#include "request.h"

/* Serves the request: afterwards it has an answer, or it is streaming. */
void dc_api_serve(dc_request *r);

/* The handlers, by file. Each fills the answer or r->fail. */
void dc_discovery_serve(dc_request *r);                /* discovery.c: /api, /apis, /version, … */
bool dc_openapi_serve(dc_request *r);                  /* openapi.c */
void dc_read_get(dc_request *r);                       /* read.c */
void dc_read_list(dc_request *r);
void dc_write_create(dc_request *r);                   /* write.c */
void dc_write_update(dc_request *r);
void dc_write_patch(dc_request *r);                    /* patch_object.c */
void dc_delete_one(dc_request *r);                     /* delete.c */
void dc_delete_collection(dc_request *r);
void dc_watch_start(dc_request *r);                    /* watch.c */
void dc_log_serve(dc_request *r);                      /* podlog.c */

/* The body as a tree: JSON, or YAML or protobuf by its Content-Type. NULL: r->fail says why. duplicates as dc_parse(). */
cJSON *dc_body_tree(dc_request *r, cJSON *duplicates);

/* Whether bodies of this Content-Type are read; none, and curl's default, are taken for JSON. */
bool dc_known_body_type(const char *type);

/* "CreateOptions", "PatchOptions", …, for messages about the query. */
const char *dc_options_kind(const dc_request *r);

/* The name of the request's object in messages. */
dc_name dc_request_name(const dc_request *r);

#endif
