/*
 * The requests behind the actions, and what their answers do. For act.c only.
 */
#ifndef DSP_CONTROLLER_ACTION_H
#define DSP_CONTROLLER_ACTION_H

#include "act.h"

/* Begins the decision's action for e, which becomes busy. false: it ended at once (a template that fails), or memory is
 * out (a->no_memory). */
bool dsp_action_begin(dsp_actor *a, dsp_execution *e, const dsp_decision *d);

/* Reads the JobExecution itself, because the watch does not bring what a conflict promised. */
bool dsp_action_read_execution(dsp_actor *a, dsp_execution *e);

/*
 * A status patch whose outcome was unclear may have been stored: when the newest object shows it, its Events and
 * counters are due now, and when it shows something else, never.
 */
void dsp_action_confirm(dsp_actor *a, dsp_execution *e);

/* Forgets the actions whose answers will not come. */
void dsp_actions_free(dsp_actor *a);

/* 5 ms doubled with each failure up to 5 min, the upper half of it at random. */
int64_t dsp_backoff_ms(dsp_actor *a, unsigned failures);

#endif
