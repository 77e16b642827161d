/*
 * Leader election on a coordination.k8s.io/v1 Lease, as client-go's tools/leaderelection.
 *
 * The rule is a pure state machine (dsp_lease_step) that a driver feeds with answers and time. Times of the record are
 * never compared with our clock: a lease has expired when it has not changed for its own leaseDurationSeconds of our
 * monotonic clock. Every write carries the resourceVersion that was read, so two cannot take it at once. An election is
 * no fence: two leaders for a moment are possible, and the protocol above must stand it.
 *
 * States:
 *     READING     GET in flight
 *     CREATING    POST of a Lease that was not there
 *     WRITING     PUT in flight: taking, renewing
 *     WAITING     until the next try (retry_ms, with jitter while not leading)
 *     RELEASING   PUT with an empty holder in flight
 *     OVER        released, or lost: nothing is sent any more
 *
 * Leading is lost when no renewal has been confirmed for renew_ms, measured from when the last good one was sent.
 */
#ifndef DSP_KUBE_LEASE_H
#define DSP_KUBE_LEASE_H

#include "base/json.h"
#include "client.h"

/* 15 s, 10 s, 2 s are client-go's; duration > renew > 1.2 · retry, else dsp_lease_new() refuses. */
typedef struct dsp_lease_options {
    const char *namespace_;
    const char *name;
    const char *identity;    /* unique per process: dsp_lease_identity() */
    int64_t     duration_ms; /* 0: 15 s; whole seconds */
    int64_t     renew_ms;    /* 0: 10 s */
    int64_t     retry_ms;    /* 0: 2 s */
} dsp_lease_options;

/* holder may not free the lease, the others may. */
typedef struct dsp_lease_handler {
    void (*started)(void *arg); /* we lead */
    void (*stopped)(void *arg); /* we led and do not any more: stop writing at once. Also after a release */
    /* Somebody else holds it now; "" nobody. For logs and metrics; may be NULL. */
    void (*holder)(void *arg, const char *identity);
} dsp_lease_handler;

typedef struct dsp_lease dsp_lease;

/* client and handler are borrowed, options copied. NULL: the reason is in err. */
dsp_lease *dsp_lease_new(dsp_kube_client *client, const dsp_lease_options *options, const dsp_lease_handler *handler,
                         void *arg, dsp_buf *err);
void       dsp_lease_start(dsp_lease *lease);
void       dsp_lease_free(dsp_lease *lease);

bool        dsp_lease_is_leader(const dsp_lease *lease);
const char *dsp_lease_holder(const dsp_lease *lease);

/*
 * Gives the Lease back (holderIdentity "", leaseDurationSeconds 1, one more try on 409), for when all our writes have
 * ended. released(arg) is called from the event loop when that is done or has failed, at most renew_ms later; at once
 * when we do not lead.
 */
void dsp_lease_release(dsp_lease *lease, void (*released)(void *arg), void *arg);

/* "{hostname}_{random uuid}", as controller-runtime's. */
bool dsp_lease_identity(dsp_buf *out, const dsp_kube_env *env);

#endif
