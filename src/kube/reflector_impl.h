/*
 * The inside of the reflector: reflector.c (states, opening streams, the face), reflector_list.c, reflector_watch.c.
 * reflector.h tells the states.
 */
#ifndef DSP_KUBE_REFLECTOR_IMPL_H
#define DSP_KUBE_REFLECTOR_IMPL_H

#include "backoff.h"
#include "reflector.h"
#include "split.h"

#define KUBE_VERSION_MAX 128

enum kube_reflector_state { KUBE_STOPPED = 0, KUBE_LISTING, KUBE_WATCH_LISTING, KUBE_WATCHING, KUBE_WAITING };

/* What the lines of a stream have told about how it must go on; looked at when it has ended. */
enum kube_reflector_verdict { KUBE_NOTHING = 0, KUBE_GONE, KUBE_GARBLED, KUBE_SERVER_ERROR };

struct dsp_reflector {
    dsp_kube_client             *client;
    const dsp_reflector_handler *handler;
    void                        *arg;
    char                        *path;
    char                        *label_selector;
    char                        *field_selector;
    size_t                       line_max;
    int64_t                      quiet_ms;
    int64_t                      page;

    enum kube_reflector_state state;
    bool                      watch_next; /* WAITING: then WATCHING, else a set */
    dsp_kube_stream          *stream;
    struct event             *timer;
    dsp_backoff               backoff;
    kube_lines                lines;
    kube_list                 list;

    char     version[KUBE_VERSION_MAX]; /* newest seen; "" none */
    bool     version_lost;              /* the server does not have it any more: list from "" */
    bool     whole_list;                /* a page's token expired: this list goes without pages */
    char    *token;                     /* of the next page */
    bool     begun;                     /* begin was called and no end since */
    bool     synced;
    unsigned watch_list_failures;

    int64_t  opened_at;
    uint64_t lines_seen; /* of this stream */
    unsigned watch_failures;
    char     garbled_at[KUBE_VERSION_MAX]; /* the version at which a line was garbled last */

    enum kube_reflector_verdict verdict;
    int                         verdict_status;
    char                        verdict_text[256];

    dsp_reflector_stats stats;
};

extern const dsp_kube_stream_handler kube_list_stream;  /* reflector_list.c */
extern const dsp_kube_stream_handler kube_watch_stream; /* reflector_watch.c: watches, and sets by WatchList */

int64_t kube_reflector_now(const dsp_reflector *r);

/* What comes next: a set (by WatchList or a list), the next page, or a watch from the last version; or one of the
 * first and last after a backoff of at least so long. */
void kube_open_set(dsp_reflector *r);
void kube_open_list(dsp_reflector *r);
void kube_open_watch(dsp_reflector *r);
void kube_reflector_back_off(dsp_reflector *r, bool watch_next, int64_t at_least_ms);

/* A failure, told and counted. */
void kube_reflector_report(dsp_reflector *r, int status, const char *message);
void kube_reflector_report_answer(dsp_reflector *r, const dsp_kube_answer *answer);

/* The message of a Status, else what stands in for it, cut to size. */
void kube_status_text(dsp_str body, const char *otherwise, char *out, size_t size);

/* A splitter's failure becomes the verdict on the stream. */
void kube_split_failed(dsp_reflector *r, enum kube_split_result result);

/* metadata.resourceVersion; false, and out is as before, when there is none. */
bool kube_version_of(dsp_json metadata, char out[KUBE_VERSION_MAX]);

void kube_set_begin(dsp_reflector *r);
void kube_set_complete(dsp_reflector *r, const char *version);

/* Whether a set was refused because of its resourceVersion and has been opened again without. */
bool kube_version_refused(dsp_reflector *r, const dsp_kube_answer *answer);

#endif
