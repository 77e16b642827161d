/*
 * The three kinds' watches, from the kube room's reflectors into the store.
 *
 * The Jobs' watches start when the JobExecutions are listed: then every Job finds its JobExecution, and a start with
 * many finished ones needs no more memory than the running does.
 */
#ifndef DSP_CONTROLLER_WATCH_H
#define DSP_CONTROLLER_WATCH_H

#include "kube/reflector.h"
#include "metrics.h"
#include "store.h"

typedef struct dsp_watches dsp_watches;

typedef struct dsp_watches_handler {
    void *context;
    /* All kinds are listed for the first time. */
    void (*synced)(void *context);
    /* Before that: a kind cannot be read at all (404: the CRDs are missing). message is one line. */
    void (*missing)(void *context, const char *resource, const char *message);
    void (*no_memory)(void *context);
} dsp_watches_handler;

/* namespaces: n names, 0: all. What is given is borrowed. NULL: no memory. */
dsp_watches *dsp_watches_new(dsp_kube_client *client, dsp_store *store, const char *const *namespaces, size_t n,
                             const dsp_watches_handler *handler);
void         dsp_watches_start(dsp_watches *w);
void         dsp_watches_stop(dsp_watches *w);
void         dsp_watches_free(dsp_watches *w);

/* What is not listed yet, for /readyz; nothing when all is. */
void dsp_watches_unready(const dsp_watches *w, dsp_buf *out);

void dsp_watches_metrics(const dsp_watches *w, dsp_metrics *m);

#endif
