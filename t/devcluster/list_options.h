/*
 * The options of a list or watch and their rules (k8s.io/apimachinery pkg/apis/meta/internalversion/validation).
 */
#ifndef DC_LIST_OPTIONS_H
#define DC_LIST_OPTIONS_H

#include "request.h"
#include "selector.h"

typedef struct dc_list_options {
    bool         has_rv; /* resourceVersion was given and is not "" */
    uint64_t     rv;
    bool         exact; /* resourceVersionMatch=Exact */
    int64_t      limit; /* 0: none */
    const char  *token; /* continue, or NULL */
    bool         bookmarks;
    bool         initial_events; /* sendInitialEvents=true */
    bool         no_initial_events; /* =false */
    int64_t      timeout_s; /* 0: not given */
    dc_selector *selector; /* owned */
} dc_list_options;

/* Refuses a resourceVersion that is no number. */
bool dc_bad_revision(dc_request *r, const char *rv);

bool dc_list_options_read(dc_request *r, dc_list_options *o);
void dc_list_options_free(dc_list_options *o);

/*
 * A resourceVersion that lies in the future: the first time the request waits (false, no failure: it is served again in
 * three seconds), then it is 504. true: the revision is there.
 */
bool dc_revision_reached(dc_request *r, uint64_t rv);

#endif
