#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "base/json.h"
#include "fault.h"
#include "pages.h"
#include "pods.h"
#include "request_log.h"
#include "server.h"
#include "tree.h"
#include "watch.h"

/* A question that is answered when a rule has been carried out often enough, or when its time is over. */
typedef struct dc_control_wait {
    LIST_ENTRY(dc_control_wait) all;
    dc_request   *r;
    int64_t       rule, hits;
    struct event *timeout;
} waiter;

static void answer_text(dc_request *r, int code, const char *text)
{
    dc_answer_text(r, code, "text/plain; charset=utf-8", dsp_str_from(text));
}

static void answer_number(dc_request *r, const char *name, int64_t n)
{
    cJSON *tree = cJSON_CreateObject();

    dc_set_int(tree, name, n);
    dc_answer_tree(r, 200, tree);
    cJSON_Delete(tree);
}

static void answer_and_free(dc_request *r, int code, cJSON *tree)
{
    if (tree == NULL) {
        answer_text(r, 404, "no such rule\n");
        return;
    }
    dc_answer_tree(r, code, tree);
    cJSON_Delete(tree);
}

/* ---- waiting for a rule ---- */

static void end_wait(waiter *w)
{
    dc_request *r = w->r;

    LIST_REMOVE(w, all);
    event_free(w->timeout);
    bool reached = dc_faults_hits(r->cluster->faults, w->rule) >= w->hits;
    answer_and_free(r, reached ? 200 : 408, dc_faults_show(r->cluster->faults, w->rule));
    free(w);
    dc_server_answer(r);
}

static void on_wait_over(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    end_wait(arg);
}

/* The answer may not be sent from inside the request that met the rule: an expired timer does it. */
static void on_hit(void *arg)
{
    dc_cluster *c = arg;
    waiter     *w;

    LIST_FOREACH(w, &c->waiters, all) {
        if (dc_faults_hits(c->faults, w->rule) >= w->hits) {
            event_active(w->timeout, EV_TIMEOUT, 0);
        }
    }
}

static void on_gone(dc_request *r)
{
    dc_cluster *c = r->cluster;
    waiter     *w;

    LIST_FOREACH(w, &c->waiters, all) {
        if (w->r == r) {
            LIST_REMOVE(w, all);
            event_free(w->timeout);
            free(w);
            return;
        }
    }
}

/* true: the answer comes later. */
static bool wait_for_rule(dc_request *r, int64_t id)
{
    const char *hits = dc_query(r, "hits"), *ms = dc_query(r, "timeoutMs");
    int64_t     wanted = hits != NULL ? atoll(hits) : 1, patience = ms != NULL ? atoll(ms) : 10000;
    int64_t     have = dc_faults_hits(r->cluster->faults, id);

    if (have < 0 || have >= wanted) {
        answer_and_free(r, 200, dc_faults_show(r->cluster->faults, id));
        return false;
    }
    waiter        *w = calloc(1, sizeof(*w));
    struct timeval time = { patience / 1000, (patience % 1000) * 1000 };
    w->r = r;
    w->rule = id;
    w->hits = wanted;
    w->timeout = evtimer_new(r->cluster->base, on_wait_over, w);
    evtimer_add(w->timeout, &time);
    LIST_INSERT_HEAD(&r->cluster->waiters, w, all);
    dc_server_on_gone(r, on_gone);
    dc_faults_on_hit(r->cluster->faults, on_hit, r->cluster);
    return true;
}

/* ---- the paths ---- */

static void add_fault(dc_request *r)
{
    const char *error = NULL;
    cJSON      *rule = dc_parse(r->body, &error, NULL), *shown = NULL;

    if (!cJSON_IsObject(rule)) {
        dc_fail_set(&r->fail, 400, "BadRequest", "a rule is a JSON object: %s", error != NULL ? error : "");
    } else {
        shown = dc_faults_add(r->cluster->faults, rule, &r->fail);
    }
    if (shown == NULL) {
        dc_answer_fail(r);
    } else {
        answer_and_free(r, 201, shown);
    }
    cJSON_Delete(rule);
}

/* /faults, /faults/ID, /faults/ID/wait, /faults/ID/release. true: the answer comes later. */
static bool serve_faults(dc_request *r)
{
    dc_faults  *f = r->cluster->faults;
    int64_t     id = r->n_segments > 2 ? atoll(r->segments[2]) : 0;
    const char *action = r->n_segments > 3 ? r->segments[3] : "";

    if (strcmp(action, "wait") == 0) {
        return wait_for_rule(r, id);
    }
    if (strcmp(action, "release") == 0) {
        answer_number(r, "released", dc_faults_release(f, id));
    } else if (r->method == EVHTTP_REQ_POST) {
        add_fault(r);
    } else if (r->method == EVHTTP_REQ_DELETE) {
        answer_number(r, "removed", dc_faults_remove(f, id));
    } else {
        answer_and_free(r, 200, id != 0 ? dc_faults_show(f, id) : dc_faults_list(f));
    }
    return false;
}

/* The kind of ?kind=plural[.group], NULL: all, or none of that name (*found is false then). */
static dc_kind *asked_kind(const dc_request *r, bool *found)
{
    const char *name = dc_query(r, "kind");

    *found = true;
    if (name == NULL) {
        return NULL;
    }
    for (dc_kind *k = r->cluster->kinds.first; k != NULL; k = k->next) {
        size_t len = strlen(k->plural);
        if (strncmp(name, k->plural, len) == 0 &&
            (name[len] == '\0' || (name[len] == '.' && strcmp(name + len + 1, k->group) == 0))) {
            return k;
        }
    }
    *found = false;
    return NULL;
}

static void serve_compact(dc_request *r)
{
    bool     found;
    dc_kind *kind = asked_kind(r, &found);

    for (dc_kind *k = r->cluster->kinds.first; k != NULL && found; k = k->next) {
        if (kind == NULL || k == kind) {
            dc_store_compact(&r->cluster->store, k);
        }
    }
    dc_pages_drop(r->cluster->pages, kind);
    answer_number(r, "revision", (int64_t) r->cluster->store.rv);
}

static void serve_counters(dc_request *r)
{
    dc_cluster *c = r->cluster;
    cJSON      *counters = dc_request_log_counters(c->requests);
    char        name[400];

    dc_set_int(counters, "revision", (int64_t) c->store.rv);
    dc_set_int(counters, "watches", (int64_t) dc_watchers_count(c->watchers));
    dc_set_int(counters, "processes", (int64_t) dc_pods_running(c->pod_runner));
    cJSON *objects = dc_ensure(counters, "objects"), *writes = dc_ensure(counters, "writes");
    for (const dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        snprintf(name, sizeof(name), "%s%s%s", k->plural, *k->group != '\0' ? "." : "", k->group);
        if (k->view_of == NULL) {
            dc_set_int(objects, name, (int64_t) k->objects.len);
            dc_set_int(writes, name, (int64_t) k->writes);
        }
    }
    answer_and_free(r, 200, counters);
}

static void serve_requests(dc_request *r)
{
    const char       *from = dc_query(r, "from");
    dc_request_filter filter = { .from = from != NULL ? (uint64_t) atoll(from) : 0,
                                 .text = dc_query(r, "text"),
                                 .pending = dc_query(r, "pending") != NULL };

    if (r->method == EVHTTP_REQ_DELETE) {
        dc_request_log_clear(r->cluster->requests);
        answer_text(r, 200, "forgotten\n");
        return;
    }
    r->code = 200;
    r->content_type = "application/json";
    dc_request_log_print(r->cluster->requests, &filter, &r->answer);
}

static void serve_audit(dc_request *r)
{
    if (r->method == EVHTTP_REQ_DELETE) {
        dc_audit_clear(r->cluster->audit);
        answer_text(r, 200, "forgotten\n");
        return;
    }
    r->code = 200;
    r->content_type = "application/json";
    dc_audit_print(r->cluster->audit, dc_query(r, "owner"), &r->answer);
}

static void on_up(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    dc_server_up(((dc_cluster *) arg)->server);
}

/* The API port is closed, for some time or until /up. */
static void serve_down(dc_request *r)
{
    const char    *ms = dc_query(r, "ms");
    int64_t        patience = ms != NULL ? atoll(ms) : 0;
    struct timeval time = { patience / 1000, (patience % 1000) * 1000 };

    dc_server_down(r->cluster->server);
    if (patience > 0) {
        event_base_once(r->cluster->base, -1, EV_TIMEOUT, on_up, r->cluster, &time);
    }
    answer_text(r, 200, "down\n");
}

static void serve_kill_watches(dc_request *r)
{
    bool     found;
    dc_kind *kind = asked_kind(r, &found);

    answer_number(r, "killed", found ? dc_watchers_kill(r->cluster->watchers, kind) : 0);
}

static void serve_reset(dc_request *r)
{
    dc_faults_remove(r->cluster->faults, 0);
    dc_request_log_clear(r->cluster->requests);
    dc_audit_clear(r->cluster->audit);
    dc_server_up(r->cluster->server);
    answer_text(r, 200, "reset\n");
}

void dc_control_serve(dc_request *r)
{
    const char *what = r->n_segments > 1 && strcmp(r->segments[0], "_devcluster") == 0 ? r->segments[1] : "";
    bool        later = false;

    r->control = true;
    if (strcmp(what, "faults") == 0) {
        later = serve_faults(r);
    } else if (strcmp(what, "release") == 0) {
        answer_number(r, "released", dc_faults_release(r->cluster->faults, 0));
    } else if (strcmp(what, "audit") == 0) {
        serve_audit(r);
    } else if (strcmp(what, "requests") == 0) {
        serve_requests(r);
    } else if (strcmp(what, "counters") == 0) {
        serve_counters(r);
    } else if (strcmp(what, "compact") == 0) {
        serve_compact(r);
    } else if (strcmp(what, "kill-watches") == 0) {
        serve_kill_watches(r);
    } else if (strcmp(what, "down") == 0) {
        serve_down(r);
    } else if (strcmp(what, "up") == 0) {
        answer_text(r, dc_server_up(r->cluster->server) ? 200 : 500, "up\n");
    } else if (strcmp(what, "reset") == 0) {
        serve_reset(r);
    } else {
        answer_text(r, 404, "faults, release, audit, requests, counters, compact, kill-watches, down, up, reset\n");
    }
    if (!later) {
        dc_server_answer(r);
    }
}
