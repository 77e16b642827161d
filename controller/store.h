/*
 * What the controller knows: every JobExecution, its Job, and the JobTemplates, as the watches and our own writes tell
 * it.
 *
 * One record per JobExecution, found by its uid (Jobs name it in their owner reference) and by namespace/name. It holds
 * both sides: a Job may be seen before its JobExecution, and stay after it. While there is something to do the record
 * has a `live` part with the objects' own text; a finished JobExecution keeps keys and state only, below 300 bytes.
 *
 * The newest resourceVersion wins, whichever way it came: a late event never overwrites the answer of a write.
 *
 * A watch that says "deleted" is not believed about Jobs: the object may only have lost the label we watch by. The Job
 * becomes DSP_JOB_DOUBTFUL, and a read decides.
 */
#ifndef DSP_CONTROLLER_STORE_H
#define DSP_CONTROLLER_STORE_H

#include <sys/queue.h>

#include "base/heap.h"
#include "base/map.h"
#include "model/jobtemplate.h"
#include "reconcile.h"

struct dsp_execution;

/* Of a record with something to do. Strings in here are malloc'ed, NULL when empty. */
typedef struct dsp_live {
    struct dsp_execution *execution;
    LIST_ENTRY(dsp_live)  link; /* of all live ones */
    dsp_jobexecution     *je;          /* NULL: not seen (or deleted) */
    dsp_job              *job;         /* its last state */
    int64_t               je_ms;   /* when `je` came */
    bool                  je_read; /* the API server itself was asked for it since it was first seen */
    int64_t               job_seen_ms;
    int64_t               added_ms; /* when an event first told of the JobExecution; 0: a list did */

    struct {
        enum dsp_attempt_end end;
        char                *job_name;
        char                *reason;
        char                *message;
    } attempt;
    bool             pods_read;
    dsp_job_failure *failure; /* in one block with its strings */

    /* A status patch whose outcome is not known yet: what was there, and what was sent. */
    dsp_jobexecution *before;
    dsp_jobexecution *sent;

    /* The queue's (act.h). */
    struct dsp_live *queue_next;
    bool             queued;
    bool             old;           /* seen by a list, not by an event: after fresh work */
    bool             busy;          /* an action of it is under way */
    bool             again;         /* something changed meanwhile */
    bool             doubted;       /* meanwhile the watch lost sight of the Job: what the answer tells is older */
    bool             stale;         /* its status patch met a conflict: nothing to store until a newer object comes */
    unsigned         failures;      /* of actions, in a row */
    unsigned         attempts;      /* to create the Job that were refused, in a row */
    int64_t          queued_ms;     /* since when it waits */
    int64_t          not_before_ms; /* no action before */
    int64_t          create_ms;     /* no creating before */
    int64_t          stale_ms;      /* then the newer object is read */
    int64_t          end_ms;        /* when the Job's end was first seen, for the histograms */
    dsp_heap_node    timer;
} dsp_live;

typedef struct dsp_execution {
    dsp_map_node by_uid;
    dsp_map_node by_key; /* "namespace/name"; key.data == NULL: no JobExecution is known */
    dsp_live    *live;   /* NULL: nothing to do */
    char        *text;   /* uid, then namespace/name, the Job's uid and name */
    uint64_t     rv;     /* resourceVersions as numbers, 0: none or no number */
    uint64_t     job_rv;
    uint16_t     key_len;
    uint16_t     job_name_len;
    uint8_t      uid_len;
    uint8_t      ns_len;
    uint8_t      job_uid_len;
    uint8_t      job_known; /* enum dsp_job_known; DSP_JOB_UNKNOWN stands for UNSEEN until the Jobs are listed */
    bool         finished;  /* its end is recorded */
    bool         kept;      /* it reports JobDeleted: it stays without its Job */
    bool         je_listed; /* marks of a replace that is under way */
    bool         job_listed;
} dsp_execution;

typedef struct dsp_template {
    dsp_map_node by_key; /* "namespace/name" */
    char        *text;   /* the object's, then the key */
    size_t       text_len;
    uint64_t     rv;
    bool         listed;
} dsp_template;

enum dsp_kind { DSP_KIND_TEMPLATE = 0, DSP_KIND_EXECUTION, DSP_KIND_JOB, DSP_KINDS };

typedef struct dsp_store {
    dsp_map   by_uid;
    dsp_map   by_key;
    dsp_map   templates;
    LIST_HEAD(, dsp_live) lives; /* newest first */
    size_t    n_lives;
    size_t    n_conflicts; /* lives that wait for a Job's name */
    bool      synced[DSP_KINDS];
    bool      replacing[DSP_KINDS];

    /* Something changed about e, which has a live part. Called from within the functions below; it must not change the
     * store. */
    void (*changed)(void *context, dsp_execution *e);
    void *context;
    /* Milliseconds of a clock that nobody sets. */
    int64_t (*now_ms)(void *context);
} dsp_store;

void dsp_store_init(dsp_store *s);
void dsp_store_free(dsp_store *s);

/*
 * An object of a kind was seen (added, changed, or the answer to a read or write). Objects are texts that
 * dsp_json_parse() accepted; nothing is kept of them but copies. Gives false when memory is out: the caller must list
 * again.
 */
bool dsp_store_put(dsp_store *s, enum dsp_kind kind, dsp_json object);

/* An object was deleted; `object` is its last state, with the resourceVersion of the deletion where it comes from a
 * watch. */
bool dsp_store_drop(dsp_store *s, enum dsp_kind kind, dsp_json object);

/*
 * A list replaces what is known of a kind (in the namespaces that it covers; ns empty: all): begin, dsp_store_put() for
 * each, end. What was not put is dropped: JobExecutions and JobTemplates for good, Jobs become doubtful.
 */
void dsp_store_replace_begin(dsp_store *s, enum dsp_kind kind, dsp_str ns);
bool dsp_store_replace_end(dsp_store *s, enum dsp_kind kind, dsp_str ns);

/* From now on the kind counts as listed; everything that waited for it is looked at. */
void dsp_store_synced(dsp_store *s, enum dsp_kind kind);

dsp_execution *dsp_store_find_uid(const dsp_store *s, dsp_str uid);
dsp_execution *dsp_store_find_key(const dsp_store *s, dsp_str ns, dsp_str name);

/* What reads and writes of e, which has a live part, said. */
void dsp_store_job_gone(dsp_store *s, dsp_execution *e);     /* there is no such Job */
void dsp_store_job_doubtful(dsp_store *s, dsp_execution *e); /* it may not be there any more */
void dsp_store_execution_gone(dsp_store     *s,
                              dsp_execution *e); /* there is no such JobExecution; e stays until it settles */

/* The JobTemplate of e, as its text; none: not there. The text lives until the next change of the store. */
dsp_json dsp_store_template(const dsp_store *s, const dsp_jobexecution *je);

/* Everything that is known about e, for dsp_reconcile(). e has a live part. The view borrows from the store. */
dsp_view dsp_store_view(const dsp_store *s, const dsp_execution *e, int64_t now_us, int64_t now_ms);

/* The attempt to create ended like this; the strings are copied. */
bool dsp_store_attempt(dsp_store *s, dsp_execution *e, enum dsp_attempt_end end, dsp_str job_name, dsp_str reason,
                       dsp_str message);

/* The pods of e's Job were read; found NULL: nothing to tell. */
bool dsp_store_failure(dsp_store *s, dsp_execution *e, const dsp_job_failure *found);

/* Nothing is left to do for e, which is not busy: its live part goes when it is finished, the record itself when
 * nothing is known of it. */
void dsp_store_settle(dsp_store *s, dsp_execution *e);

dsp_str dsp_execution_uid(const dsp_execution *e);
dsp_str dsp_execution_ns(const dsp_execution *e);   /* empty without a JobExecution */
dsp_str dsp_execution_name(const dsp_execution *e); /* the same */

#endif
