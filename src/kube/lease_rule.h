/*
 * The rule of leader election as a pure state machine: an input and the time in, what to do out. For lease.c.
 * Follows client-go's tools/leaderelection (tryAcquireOrRenew); lease.h tells the states.
 */
#ifndef DSP_KUBE_LEASE_RULE_H
#define DSP_KUBE_LEASE_RULE_H

#include "base/str.h"

#define KUBE_LEASE_TEXT 256

/* What matters of a Lease object. */
typedef struct kube_lease_record {
    char    version[KUBE_LEASE_TEXT]; /* metadata.resourceVersion */
    char    holder[KUBE_LEASE_TEXT];  /* "" nobody */
    char    acquired[40];             /* MicroTime, as it stands there */
    char    renewed[40];
    int64_t duration_ms;
    int64_t transitions;
} kube_lease_record;

enum kube_lease_state {
    KUBE_LEASE_WAITING = 0,
    KUBE_LEASE_READING,
    KUBE_LEASE_CREATING,
    KUBE_LEASE_WRITING,
    KUBE_LEASE_RELEASING,
    KUBE_LEASE_OVER
};

enum kube_lease_input {
    KUBE_LEASE_TICK = 0, /* time has passed */
    KUBE_LEASE_FOUND,    /* GET, POST or PUT answered with this record */
    KUBE_LEASE_MISSING,  /* 404 */
    KUBE_LEASE_CONFLICT, /* 409: somebody else was faster */
    KUBE_LEASE_FAILED,   /* anything else, or nothing is known */
    KUBE_LEASE_RELEASE   /* give it back */
};

typedef struct kube_lease_rule {
    /* settings */
    char    identity[KUBE_LEASE_TEXT];
    int64_t duration_ms;
    int64_t renew_ms;
    int64_t retry_ms;

    enum kube_lease_state state;
    bool                  leading;
    bool                  read_first; /* what we know may be stale: GET before the next PUT */
    bool                  releasing;  /* wanted */
    unsigned              release_tries;
    kube_lease_record     record; /* the last one seen */
    int64_t changed_at;           /* when it last changed, on our clock; its own times are never compared with ours */
    int64_t sent_at;              /* the request in flight */
    int64_t renewed_at;           /* when the last confirmed renewal was sent */
    int64_t next_at;              /* WAITING: the next try */
} kube_lease_rule;

enum kube_lease_send { KUBE_LEASE_SEND_NOTHING = 0, KUBE_LEASE_SEND_GET, KUBE_LEASE_SEND_POST, KUBE_LEASE_SEND_PUT };

typedef struct kube_lease_output {
    enum kube_lease_send send;
    /* POST and PUT: the spec to write. acquired NULL: now; else keep this text. */
    const char *holder;
    const char *acquired;
    int64_t     duration_ms;
    int64_t     transitions;
    bool        started;    /* we lead from here on */
    bool        stopped;    /* we do not any more */
    bool        over;       /* nothing will be done any more */
    int64_t     wait_until; /* tick not later than this */
} kube_lease_output;

/* jitter: 32 random bits, for the wait between tries. record: with KUBE_LEASE_FOUND. */
kube_lease_output kube_lease_step(kube_lease_rule *l, enum kube_lease_input input, const kube_lease_record *record,
                                  int64_t now, uint32_t jitter);

/* Whether we lead at this moment, even when no tick has come yet (a process that was stopped and goes on). */
bool kube_lease_leads(const kube_lease_rule *l, int64_t now);

#endif
