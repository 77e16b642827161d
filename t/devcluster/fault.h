/*
 * Faults on purpose: what a test wants to go wrong with which request. README.md describes the rules' JSON.
 *
 * A request passes three stages: arrived (nothing was done), served (the store has changed, the answer is ready) and
 * answered (the answer has left). A rule picks requests and says what happens at one of them.
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

/* The control side: the tree of all rules with how often each matched; adding one (NULL: why is in f); removal. */
cJSON *dc_faults_list(const dc_faults *f);
cJSON *dc_faults_add(dc_faults *faults, const cJSON *rule, dc_fail *f);
void   dc_faults_clear(dc_faults *f);
bool   dc_faults_remove(dc_faults *f, int64_t id);

/* Lets requests go on that a rule holds; id 0: of all rules. Gives how many. */
int dc_faults_release(dc_faults *f, int64_t id);

/* The remembered requests, oldest first, from a number on. */
cJSON *dc_faults_requests(const dc_faults *f, uint64_t from);
void   dc_faults_forget_requests(dc_faults *f);

/* What a "stale" rule shows in the place of the present: borrowed, NULL when the request has no such rule. */
const struct dc_page *dc_fault_stale_list(const dc_request *r);
const dc_object      *dc_fault_stale_object(const dc_request *r);

/* How long a watch's events are held back, in ms; 0: not. */
int dc_fault_watch_lag(const dc_request *r);

/* Alters what a watch is about to send; *lines counts the lines of this watch so far. true: the watch is to be cut. */
bool dc_fault_watch_text(dc_request *r, dsp_buf *out, uint64_t *lines);

#endif
