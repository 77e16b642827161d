/*
 * The control URL (/_devcluster/…) of tests: faults, audit, request log, counters. README.md describes it.
 */
#ifndef DC_CONTROL_H
#define DC_CONTROL_H

#include "request.h"

/* Serves a request to the control listener and answers it. */
void dc_control_serve(dc_request *r);

#endif
