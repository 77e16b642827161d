/*
 * One HTTP request from its arrival to its answer.
 *
 * States: arrived → (held or delayed by a fault) → served → (held, delayed) → answered.
 *     A watch or a followed log is `streaming` between served and answered.
 * Serving fills the answer and sends nothing; the fault room stands between all states.
 */
#ifndef DC_REQUEST_H
#define DC_REQUEST_H

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "cluster.h"
#include "fail.h"

#define DC_MAX_SEGMENTS 12
#define DC_MAX_BODY     (3u << 20) /* as kube-apiserver's --max-request-bytes */

enum dc_form { DC_FORM_JSON, DC_FORM_TABLE, DC_FORM_PARTIAL };

typedef struct dc_request {
    dc_cluster            *cluster;
    struct evhttp_request *http; /* NULL when the client is gone */
    uint64_t               number;
    enum evhttp_cmd_type   method;
    char                  *target; /* as it was sent */
    char                  *path;   /* the part before '?', cut into the segments */
    const char            *segments[DC_MAX_SEGMENTS + 1];
    int                    n_segments;
    struct evkeyvalq       query;
    dsp_str                body; /* lives as long as http */

    /* what the path means */
    dc_kind    *kind;
    int         version; /* index in kind->versions */
    const char *ns;      /* NULL: all namespaces, or none */
    const char *name;    /* NULL: the collection */
    const char *sub;     /* "status", "log", … or NULL */

    enum dc_form form;
    const char  *form_version; /* of meta.k8s.io */
    bool         dry_run;
    bool         watch;

    /* the answer */
    int              code;
    const char      *content_type;
    dsp_buf          answer;
    struct evkeyvalq headers;
    dc_fail          fail;
    bool             streaming;
    bool             waiting; /* for a revision in the future: it is served again by dc_request_again() */
    bool             waited;

    struct dc_rule *rule;    /* the fault that applies to it, or NULL */
    struct dc_rule *held_by; /* the one that holds it now */
    int             held_at; /* the stage from which it goes on */
    TAILQ_ENTRY(dc_request) held;
    bool            control; /* came over the control URL: no faults, no log */
    struct event   *timer;
    struct dc_watch *stream;            /* a watch that streams */
    struct dc_log_reader *log_reader;   /* a followed log */
    int64_t         started_us;
} dc_request;

/* The value of a query parameter, NULL when absent. */
const char *dc_query(const dc_request *r, const char *name);
bool        dc_query_is(const dc_request *r, const char *name, const char *value);

const char *dc_header(const dc_request *r, const char *name);
const char *dc_method_name(enum evhttp_cmd_type method);

/* Adds a header to the answer. */
void dc_answer_header(dc_request *r, const char *name, const char *value);
void dc_answer_warning(dc_request *r, const char *text);

/* The answer is this text (copied), this tree (borrowed). */
void dc_answer_text(dc_request *r, int code, const char *content_type, dsp_str text);
void dc_answer_tree(dc_request *r, int code, const cJSON *tree);
/* The answer is r->fail. */
void dc_answer_fail(dc_request *r);

/* Serves a waiting request once more (server.c). */
void dc_request_again(dc_request *r);

#endif
