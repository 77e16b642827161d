/*
 * Every Job that was ever stored, by the uid of its owner: the proof of "one execution, one Job".
 */
#ifndef DC_AUDIT_H
#define DC_AUDIT_H

#include "base/buf.h"
#include "cluster.h"

typedef struct dc_audit dc_audit;

dc_audit *dc_audit_new(dc_cluster *c);
void      dc_audit_free(dc_audit *a);
void      dc_audit_clear(dc_audit *a);

/*
 * Adds {"jobs":N,"owners":N,"repeated":[owner uids with more than one Job],"byOwner":{uid:[{"name",…}]}}; of one owner
 * only when owner is not NULL. A Job without owner is under "".
 */
void dc_audit_print(const dc_audit *a, const char *owner, dsp_buf *out);

#endif
