/*
 * How a stored object looks to a client: in the version of its path, whole, as metadata only, or as rows of a table.
 */
#ifndef DC_VIEW_H
#define DC_VIEW_H

#include "request.h"

/* Adds the object as the request wants it. first: the table carries its columns (the first event of a watch). */
void dc_view_object(const dc_request *r, const dc_object *o, bool first, dsp_buf *out);

/* The list of n objects; token is the continue token or NULL, remaining < 0: not said. */
void dc_view_list(const dc_request *r, dc_object **objects, size_t n, uint64_t rv, const char *token, int64_t remaining,
                  dsp_buf *out);

/* An empty object of the kind with that revision and annotations (a tree, borrowed, may be NULL): a bookmark. */
void dc_view_bookmark(const dc_request *r, uint64_t rv, const cJSON *annotations, dsp_buf *out);

/* Chooses r->form from the Accept header; false: 406. */
bool dc_view_negotiate(dc_request *r);

/* Whether watchers of this request see the object (namespace, selectors). */
struct dc_selector;

#endif
