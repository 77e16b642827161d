/*
 * A curl multi on libevent: sockets and timers of libcurl become events. For the transport only.
 * done callbacks run from the event loop, never from inside libcurl, so they may add and remove handles.
 */
#ifndef DSP_KUBE_MULTI_H
#define DSP_KUBE_MULTI_H

#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>

typedef struct kube_multi kube_multi;

/* Embedded in whatever is being transferred. */
typedef struct kube_transfer {
    CURL *easy; /* owned by the caller; its CURLOPT_PRIVATE belongs to the multi while it is added */
    void (*done)(struct kube_transfer *t, CURLcode result); /* the handle has been removed already */
    bool added;
} kube_transfer;

kube_multi *kube_multi_new(struct event_base *base); /* NULL: no memory */
void        kube_multi_free(kube_multi *m);          /* after all transfers have been removed */

/* Idle connections that are kept. */
void kube_multi_keep(kube_multi *m, long connections);

bool kube_multi_add(kube_multi *m, kube_transfer *t);
void kube_multi_remove(kube_multi *m, kube_transfer *t); /* nothing happens when it is not added */

#endif
