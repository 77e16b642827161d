/*
 * A rule, for the two files of the fault room: the one that carries rules out and the one that keeps them.
 */
#ifndef DC_FAULT_RULE_H
#define DC_FAULT_RULE_H

#include "fault.h"
#include "pages.h"

enum what { HOLD, DELAY, DROP, STATUS, CUT, GARBLE, HTML, REDIRECT, STALE, LAG, DUPLICATE, CUT_LINE, GARBLE_LINE };
enum stage { ARRIVED, SERVED, ANSWERED };

typedef struct dc_rule {
    TAILQ_ENTRY(dc_rule) all;
    int64_t    id;
    cJSON     *text; /* as it was given */
    enum what  what;
    enum stage stage;
    char      *method, *path, *query, *agent; /* patterns, NULL: any */
    int64_t    skip, count; /* count 0: for ever */
    int64_t    seen, hits;
    int64_t    ms, code, retry_after, bytes, line;
    bool       frozen; /* a hold at "answered" was reached: what matches waits at its arrival */
    bool       released;
    dc_page  **stale; /* the lists as they were when the rule was made, one per kind; ends with NULL */
    TAILQ_HEAD(, dc_request) held;
} dc_rule;

struct dc_faults {
    dc_cluster *cluster;
    int64_t     ids;
    TAILQ_HEAD(, dc_rule) rules;
    void (*on_hit)(void *arg);
    void *on_hit_arg;
};

/* Lets a held request go on from where it was held (fault.c). */
void dc_rule_go_on(dc_request *r);

#endif
