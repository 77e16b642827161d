/*
 * How an object ends.
 */
#ifndef DC_DELETE_H
#define DC_DELETE_H

#include "cluster.h"

enum dc_propagation { DC_DEFAULT, DC_BACKGROUND, DC_FOREGROUND, DC_ORPHAN };

typedef struct dc_delete {
    enum dc_propagation policy;
    const char         *uid, *rv; /* preconditions, or NULL */
    bool                dry_run;
    int64_t             grace_s; /* of a pod with a process: < 0: its own, 0: it goes at once */
} dc_delete;

/*
 * Deletes as a client's DELETE does: removes it, or marks it dying while finalizers hold it. The caller holds o, which
 * is the present version. false: f.
 */
bool dc_delete_object(dc_cluster *c, dc_kind *kind, dc_object *o, const dc_delete *how, dc_fail *f);

/* Whether a pod has a process that must end before the pod goes (pods.c). */
bool dc_pod_wants_grace(dc_cluster *c, const dc_object *pod);

#endif
