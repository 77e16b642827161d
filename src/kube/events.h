/*
 * Records core/v1 Events, best effort: for people who look, never in the way of work.
 *
 * A bounded queue at the lowest priority; full means dropped and counted. An Event's name is
 * "{object name}.{first 8 of its uid}.{key}", so that recording it again after a restart answers AlreadyExists, which
 * is success. 4xx is never tried again; 429, 5xx and broken connections a few times with backoff.
 */
#ifndef DSP_KUBE_EVENTS_H
#define DSP_KUBE_EVENTS_H

#include "client.h"

typedef struct dsp_recorder dsp_recorder;

/* What the Event is about; borrowed for the call. */
typedef struct dsp_event_object {
    dsp_str api_version; /* "dispatcher.ivan.vc/v1beta1" */
    dsp_str kind;
    dsp_str namespace_;
    dsp_str name;
    dsp_str uid;
    dsp_str resource_version; /* may be none */
} dsp_event_object;

typedef struct dsp_recorder_options {
    const char *component; /* source.component and reportingComponent: "jobexecution-controller" */
    const char *instance;  /* reportingInstance: the Pod's name */
    size_t      queue_max; /* 0: 1000 */
} dsp_recorder_options;

/* client is borrowed, options copied. NULL: no memory. */
dsp_recorder *dsp_recorder_new(dsp_kube_client *client, const dsp_recorder_options *options);
void          dsp_recorder_free(dsp_recorder *recorder); /* what is queued is dropped */

/*
 * Records once. key makes the name unique within the object, e.g. the reason ("Created") or the reason and a number; it
 * is made lower case and cut to what a name allows. warning: type Warning, else Normal. message is cut to 1024 bytes at
 * a rune.
 */
void dsp_recorder_emit(dsp_recorder *recorder, const dsp_event_object *object, bool warning, const char *reason,
                       dsp_str key, dsp_str message);

/* While off (not the leader) nothing is recorded. On at first. */
void dsp_recorder_enable(dsp_recorder *recorder, bool on);

typedef struct dsp_recorder_stats {
    size_t   queued; /* now */
    uint64_t sent;
    uint64_t dropped; /* queue full or memory out */
    uint64_t failed;  /* refused, or given up */
} dsp_recorder_stats;

dsp_recorder_stats dsp_recorder_stats_get(const dsp_recorder *recorder);

#endif
