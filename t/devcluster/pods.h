/*
 * The kubelet of this cluster: runs the first container of every pod that is created, keeps its log, writes its status.
 */
#ifndef DC_PODS_H
#define DC_PODS_H

#include "cluster.h"

typedef struct dc_pods dc_pods;

dc_pods *dc_pods_new(dc_cluster *c);
void     dc_pods_free(dc_pods *pods); /* kills all processes */
size_t   dc_pods_running(const dc_pods *pods);

/* The log of a container's instance: bytes and where its lines begin. */
typedef struct dc_log_line {
    size_t  offset; /* since the start of the log; what is below `dropped` is gone */
    int64_t time_us;
} dc_log_line;

typedef struct dc_log {
    char        *data;
    size_t       len;     /* bytes in data */
    size_t       dropped; /* bytes that were there before data[0] */
    dc_log_line *lines;
    size_t       n_lines;
    bool         open; /* more may come */
} dc_log;

/* The log of a pod, or of its previous container instance; NULL: there is none. */
const dc_log *dc_pods_log(const dc_pods *pods, const char *uid, bool previous);

/* Calls changed(arg) when the log grew or was closed, until dc_pods_unfollow(). false: no such pod. */
typedef struct dc_follower {
    LIST_ENTRY(dc_follower) of_pod;
    void (*changed)(void *arg);
    void *arg;
} dc_follower;
bool dc_pods_follow(dc_pods *pods, const char *uid, dc_follower *follower);
void dc_pods_unfollow(dc_follower *follower);

#endif
