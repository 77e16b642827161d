/*
 * Faults on purpose: what a test wants to go wrong with which request. README.md describes the rules' JSON.
 *
 * A request passes three stages: arrived (nothing was done), served (the store has changed, the answer is ready) and
 * answered (the answer has left; of a watch: it streams). A rule picks requests and says what happens at one of them.
 */
#ifndef DC_FAULT_H
#define DC_FAULT_H

#include "request.h"

typedef struct dc_faults dc_faults;

dc_faults *dc_faults_new(dc_cluster *c);
void       dc_faults_free(dc_faults *f);

/* The stages, called by the server. Each carries the request on to the next stage, now or later. */
void dc_fault_arrived(dc_request *r);
void dc_fault_served(dc_request *r);
void dc_fault_answered(dc_request *r);

/* The request is being freed. */
void dc_fault_forget(dc_request *r);

/* What a "stale" rule shows in the place of the present: borrowed, NULL when the request has no such rule. */
const struct dc_page *dc_fault_stale_list(const dc_request *r);
const dc_object      *dc_fault_stale_object(const dc_request *r);

/* How long a watch's events are held back, in ms; 0: not. */
int dc_fault_watch_lag(const dc_request *r);

/* Alters what a watch is about to send; *lines counts the lines of this watch so far. true: the watch is to be cut. */
bool dc_fault_watch_text(dc_request *r, dsp_buf *out, uint64_t *lines);

/* ---- the control side ---- */

/* All rules, with how often each was met; one (NULL: no such rule); adding (NULL: why is in f). Trees for the caller. */
cJSON *dc_faults_list(const dc_faults *faults);
cJSON *dc_faults_show(const dc_faults *faults, int64_t id);
cJSON *dc_faults_add(dc_faults *faults, const cJSON *rule, dc_fail *f);

/* Forgets a rule, or all of them (id 0), and lets go what they hold. Gives how many rules. */
int dc_faults_remove(dc_faults *faults, int64_t id);

/* Lets requests go on that a rule holds (id 0: any rule). The rule holds no further one. Gives how many. */
int dc_faults_release(dc_faults *faults, int64_t id);

/* How often a rule was carried out; -1: no such rule. */
int64_t dc_faults_hits(const dc_faults *faults, int64_t id);

/* Called (and forgotten) whenever a rule was carried out. */
void dc_faults_on_hit(dc_faults *faults, void (*call)(void *arg), void *arg);

#endif
