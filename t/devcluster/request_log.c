#include "request_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "tree.h"

#define MAX_BYTES ((size_t) 64 << 20) /* of all bodies together */

struct entry {
    uint64_t number;
    int64_t  arrived_us, served_us;
    char    *method, *target, *headers, *body; /* headers: a JSON object's text */
    size_t   body_len;
    int      code; /* 0: not served (yet) */
};

struct counter {
    dsp_map_node node; /* key: "create jobs 201" */
    char        *name;
    int64_t      n;
};

struct dc_request_log {
    struct entry *entries;
    size_t        size;
    uint64_t      first, next; /* numbers of the ring, not of the requests */
    size_t        bytes;
    uint64_t      total;
    dsp_map       counters;
};

dc_request_log *dc_request_log_new(size_t size)
{
    dc_request_log *log = calloc(1, sizeof(*log));

    log->size = size;
    log->entries = calloc(size > 0 ? size : 1, sizeof(*log->entries));
    dsp_map_init(&log->counters);
    return log;
}

static struct entry *entry_at(const dc_request_log *log, uint64_t i)
{
    return &log->entries[i % log->size];
}

static void drop_oldest(dc_request_log *log)
{
    struct entry *e = entry_at(log, log->first++);

    log->bytes -= e->body_len;
    free(e->method);
    free(e->target);
    free(e->headers);
    free(e->body);
    *e = (struct entry){ 0 };
}

void dc_request_log_clear(dc_request_log *log)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while (log->first < log->next) {
        drop_oldest(log);
    }
    while ((node = dsp_map_next(&log->counters, &cursor)) != NULL) {
        DSP_CONTAINER(node, struct counter, node)->n = 0;
    }
    log->total = 0;
}

void dc_request_log_free(dc_request_log *log)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    if (log == NULL) {
        return;
    }
    dc_request_log_clear(log);
    while ((node = dsp_map_next(&log->counters, &cursor)) != NULL) {
        struct counter *c = DSP_CONTAINER(node, struct counter, node);
        dsp_map_remove(&log->counters, node->key);
        free(c->name);
        free(c);
    }
    dsp_map_free(&log->counters);
    free(log->entries);
    free(log);
}

static char *print_headers(const dc_request *r)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(r->http);
    const struct evkeyval  *h;
    dsp_buf                 out;
    bool                    first = true;

    dsp_buf_init(&out, 4 << 20);
    dsp_buf_addc(&out, '{');
    TAILQ_FOREACH(h, headers, next) {
        dsp_buf_addz(&out, first ? "" : ",");
        dsp_json_quote(&out, dsp_str_from(h->key));
        dsp_buf_addc(&out, ':');
        dsp_json_quote(&out, dsp_str_from(h->value));
        first = false;
    }
    dsp_buf_addc(&out, '}');
    return dsp_buf_take(&out);
}

void dc_request_log_arrived(dc_request *r)
{
    dc_request_log *log = r->cluster->requests;
    struct entry   *e;

    log->total++;
    if (log->size == 0) {
        return;
    }
    while (log->first < log->next && (log->next - log->first == log->size || log->bytes + r->body.len > MAX_BYTES)) {
        drop_oldest(log);
    }
    e = entry_at(log, log->next++);
    e->number = r->number;
    e->arrived_us = r->started_us;
    e->method = strdup(dc_method_name(r->method));
    e->target = strdup(r->target);
    e->headers = print_headers(r);
    e->body = dsp_str_dup(r->body);
    e->body_len = r->body.len;
    log->bytes += e->body_len;
}

static const char *verb_of(const dc_request *r)
{
    switch (r->method) {
    case EVHTTP_REQ_GET:
        return r->name != NULL ? "get" : r->watch ? "watch" : "list";
    case EVHTTP_REQ_POST:
        return "create";
    case EVHTTP_REQ_PUT:
        return "update";
    case EVHTTP_REQ_PATCH:
        return "patch";
    case EVHTTP_REQ_DELETE:
        return r->name != NULL ? "delete" : "deletecollection";
    default:
        return "other";
    }
}

static void count(dc_request_log *log, const dc_request *r)
{
    char name[300];

    snprintf(name, sizeof(name), "%s %s%s%s %d", verb_of(r), r->kind != NULL ? r->kind->plural : "/",
             r->sub != NULL ? "/" : "", r->sub != NULL ? r->sub : "", r->code);
    dsp_map_node   *node = dsp_map_find(&log->counters, dsp_str_from(name));
    struct counter *c = node != NULL ? DSP_CONTAINER(node, struct counter, node) : NULL;
    if (c == NULL) {
        c = calloc(1, sizeof(*c));
        c->name = strdup(name);
        c->node.key = dsp_str_from(c->name);
        dsp_map_insert(&log->counters, &c->node);
    }
    c->n++;
}

void dc_request_log_served(dc_request *r)
{
    dc_request_log *log = r->cluster->requests;

    count(log, r);
    for (uint64_t i = log->next; i > log->first; i--) {
        struct entry *e = entry_at(log, i - 1);
        if (e->number == r->number) {
            e->code = r->code;
            e->served_us = dsp_wall_us();
            break;
        }
    }
}

static bool passes(const struct entry *e, const dc_request_filter *filter)
{
    return e->number >= filter->from && !(filter->pending && e->code != 0) &&
           (filter->text == NULL || strstr(e->target, filter->text) != NULL ||
            memmem(e->body, e->body_len, filter->text, strlen(filter->text)) != NULL);
}

void dc_request_log_print(const dc_request_log *log, const dc_request_filter *filter, dsp_buf *out)
{
    bool first = true;

    dsp_buf_addc(out, '[');
    for (uint64_t i = log->first; i < log->next; i++) {
        const struct entry *e = entry_at(log, i);
        if (!passes(e, filter)) {
            continue;
        }
        dsp_buf_addf(out, "%s{\"number\":%" PRIu64 ",\"arrivedUs\":%" PRId64 ",\"servedUs\":%" PRId64
                          ",\"method\":\"%s\",\"target\":", first ? "" : ",\n", e->number, e->arrived_us,
                     e->served_us, e->method);
        dsp_json_quote(out, dsp_str_from(e->target));
        dsp_buf_addf(out, ",\"code\":%d,\"headers\":%s,\"body\":", e->code, e->headers);
        dsp_json_quote(out, (dsp_str){ e->body, e->body_len });
        dsp_buf_addc(out, '}');
        first = false;
    }
    dsp_buf_addz(out, "]\n");
}

cJSON *dc_request_log_counters(const dc_request_log *log)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;
    cJSON         *counters = cJSON_CreateObject(), *requests;

    dc_set_int(counters, "total", (int64_t) log->total);
    requests = dc_ensure(counters, "requests");
    while ((node = dsp_map_next(&log->counters, &cursor)) != NULL) {
        const struct counter *c = DSP_CONTAINER(node, struct counter, node);
        if (c->n > 0) {
            dc_set_int(requests, c->name, c->n);
        }
    }
    dc_sort(requests);
    return counters;
}
