/*
 * The actor's requests and Events over the kube room's client.
 */
#ifndef DSP_CONTROLLER_API_H
#define DSP_CONTROLLER_API_H

#include "act.h"
#include "kube/client.h"
#include "kube/events.h"

/* Both borrowed; recorder may be NULL. */
typedef struct dsp_api {
    dsp_kube_client              *client;
    dsp_recorder                 *recorder;
    LIST_HEAD(, dsp_api_pending)  pending; /* requests without an answer */
} dsp_api;

/* After the client was freed: its requests' answers come no more. */
void dsp_api_free(dsp_api *api);

/* For dsp_actor_host.call and .event, with a dsp_api where they take the context. */
bool dsp_api_call(dsp_api *api, const dsp_call *call, dsp_answer_fn done, void *done_context);
void dsp_api_event(dsp_api *api, const dsp_jobexecution *je, const dsp_transition *transition);

#endif
