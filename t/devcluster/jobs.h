/*
 * The Job controller: makes pods for Jobs, counts how they end, writes conditions (pkg/controller/job), and the TTL
 * controller (pkg/controller/ttlafterfinished).
 */
#ifndef DC_JOBS_H
#define DC_JOBS_H

#include "cluster.h"

typedef struct dc_jobs dc_jobs;

dc_jobs *dc_jobs_new(dc_cluster *c);
void     dc_jobs_free(dc_jobs *jobs);

#endif
