/*
 * List and watch of one resource, as client-go's reflector (tools/cache/reflector.go).
 *
 * The reader sees a full set and then changes:
 *
 *     begin, item …, end      the set; what was known before and did not come as an item is gone by the time of end
 *     event …                 changes since
 *     begin, item …, end      again, after a 410 or a long absence
 *
 * A set that breaks off in the middle has no end; the next begin starts it again. So a reader marks what it has by a
 * generation: begin adds one, item stamps, end removes what has an older stamp. Items and events may repeat and may be
 * older than what the reader has from its own writes: it compares resourceVersions. An item of a list lacks apiVersion
 * and kind for built-in kinds. Objects are texts that live until the callback returns, checked by dsp_json_parse().
 *
 * States:
 *     LISTING    a list (streamed, never held whole) or the first part of a WatchList is being read
 *     WATCHING   a watch runs from the last resourceVersion
 *     WAITING    a backoff is running; then LISTING or WATCHING
 *
 * WatchList (sendInitialEvents) is tried first; 422 or a stream that never says "initial-events-end" turns it off for
 * good. 410, as HTTP status or as an ERROR event, lists again from the last resourceVersion, and when that is refused
 * from "" (the newest). Refused connections, 429 and 5xx back off (800 ms … 30 s, jitter 1, Retry-After respected)
 * and keep the resourceVersion. A clean end watches again at once; an end within a second and without an event backs
 * off. A watch that is silent for quiet_ms, bookmarks included, is cut and resumed; a dead connection is found sooner,
 * by TCP keepalive. A line that is no event ends the watch and is counted; so does one over line_max. Its
 * resourceVersion stays, so nothing is lost; when the same place fails twice, the reflector lists.
 */
#ifndef DSP_KUBE_REFLECTOR_H
#define DSP_KUBE_REFLECTOR_H

#include "base/json.h"
#include "client.h"

typedef struct dsp_reflector dsp_reflector;

enum dsp_reflector_event { DSP_REFLECTOR_ADDED = 0, DSP_REFLECTOR_MODIFIED, DSP_REFLECTOR_DELETED };

/* All from the event loop; none may free the reflector (stop it, free it later). */
typedef struct dsp_reflector_handler {
    void (*begin)(void *arg);
    void (*item)(void *arg, dsp_json object);
    void (*end)(void *arg);
    void (*event)(void *arg, enum dsp_reflector_event type, dsp_json object);
    /* A list or watch failed; it goes on by itself. status 404: no such resource (the CRD is missing), 403: RBAC.
     * message is one line and lives for the call. May be NULL. */
    void (*failed)(void *arg, int status, const char *message);
} dsp_reflector_handler;

typedef struct dsp_reflector_options {
    const char *path;           /* "/apis/batch/v1/jobs" or "/apis/batch/v1/namespaces/a/jobs" */
    const char *label_selector; /* not encoded; NULL: none */
    const char *field_selector;
    bool        no_watch_list; /* list and watch only */
    size_t      line_max;      /* cap on one object's text; 0: 8 MiB */
    int64_t     quiet_ms;      /* 0: 90 s */
    int64_t     page;          /* limit of a paged list; 0: 500 */
} dsp_reflector_options;

/* client and handler are borrowed and must outlive it; options are copied. Nothing is sent before start. NULL: no
 * memory. */
dsp_reflector *dsp_reflector_new(dsp_kube_client *client, const dsp_reflector_options *options,
                                 const dsp_reflector_handler *handler, void *arg);

void dsp_reflector_start(dsp_reflector *r);

/* No callback comes any more. */
void dsp_reflector_stop(dsp_reflector *r);
void dsp_reflector_free(dsp_reflector *r);

/* Whether a whole set has been seen since the start: true from the first end on. */
bool dsp_reflector_synced(const dsp_reflector *r);

/* The newest resourceVersion seen, bookmarks included; "" before the first. */
const char *dsp_reflector_version(const dsp_reflector *r);

typedef struct dsp_reflector_stats {
    uint64_t lists;    /* sets begun, by list or by WatchList */
    uint64_t watches;  /* watches opened */
    uint64_t restarts; /* of them: after the first */
    uint64_t events;
    uint64_t bookmarks;
    uint64_t gone;     /* 410s */
    uint64_t garbled;  /* lines that were no event, or too long */
    uint64_t failures; /* lists and watches that failed, whatever the cause */
    uint64_t bytes;
    bool     watching;   /* now */
    bool     watch_list; /* the server has it, as far as we know */
} dsp_reflector_stats;

const dsp_reflector_stats *dsp_reflector_stats_get(const dsp_reflector *r);

#endif
