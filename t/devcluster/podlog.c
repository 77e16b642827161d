/* GET …/pods/NAME/log: what "kubectl logs" reads. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "pods.h"
#include "server.h"
#include "tree.h"

/* What of a log is wanted, and how far it was sent. */
typedef struct dc_log_reader {
    dc_follower follower; /* first: it is what changed() gets */
    dc_request *r;
    char       *uid;
    bool        timestamps;
    int64_t     limit; /* bytes that may still be sent, < 0: any */
    size_t      sent;  /* offset of the next byte */
} dc_log_reader;

static int64_t number(const dc_request *r, const char *name, int64_t otherwise)
{
    const char *text = dc_query(r, name);

    return text != NULL && *text != '\0' ? atoll(text) : otherwise;
}

/* Index of the first line at or behind an offset. */
static size_t line_at(const dc_log *log, size_t offset)
{
    size_t from = 0, to = log->n_lines;

    while (from < to) {
        size_t middle = (from + to) / 2;
        if (log->lines[middle].offset < offset) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static size_t start_of(const dc_request *r, const dc_log *log)
{
    int64_t tail = number(r, "tailLines", -1), since = number(r, "sinceSeconds", -1);
    size_t  first = 0;

    if (tail >= 0 && (size_t) tail < log->n_lines) {
        first = log->n_lines - (size_t) tail;
    }
    int64_t from = since >= 0 ? dsp_wall_us() - since * 1000000 : 0;
    while (first < log->n_lines && log->lines[first].time_us < from) {
        first++;
    }
    return first < log->n_lines ? log->lines[first].offset : log->dropped + log->len;
}

/* Adds the bytes from reader->sent on, with their lines' times if wanted. */
static void copy(dc_log_reader *reader, const dc_log *log, dsp_buf *out)
{
    size_t end = log->dropped + log->len, before = out->len;

    if (reader->sent < log->dropped) {
        reader->sent = log->dropped;
    }
    for (size_t i = line_at(log, reader->sent); reader->timestamps && i < log->n_lines; i++) {
        char time[DSP_TIME_LEN];
        dsp_buf_add(out, log->data + (reader->sent - log->dropped), log->lines[i].offset - reader->sent);
        dsp_microtime_format(log->lines[i].time_us, time);
        dsp_buf_addf(out, "%s ", time);
        reader->sent = log->lines[i].offset;
        size_t next = i + 1 < log->n_lines ? log->lines[i + 1].offset : end;
        dsp_buf_add(out, log->data + (reader->sent - log->dropped), next - reader->sent);
        reader->sent = next;
    }
    dsp_buf_add(out, log->data + (reader->sent - log->dropped), end - reader->sent);
    reader->sent = end;
    if (reader->limit >= 0) {
        size_t added = out->len - before;
        size_t allowed = (size_t) reader->limit < added ? (size_t) reader->limit : added;
        out->len = before + allowed;
        reader->limit -= (int64_t) allowed;
    }
}

static void free_reader(dc_log_reader *reader)
{
    dc_pods_unfollow(&reader->follower);
    free(reader->uid);
    free(reader);
}

static void on_gone(dc_request *r)
{
    free_reader(r->log_reader);
}

static void on_changed(void *arg)
{
    dc_log_reader *reader = arg;
    dc_request    *r = reader->r;
    const dc_log  *log = dc_pods_log(r->cluster->pod_runner, reader->uid, false);
    dsp_buf        out;

    dsp_buf_init(&out, (size_t) 1 << 30);
    if (log != NULL) {
        copy(reader, log, &out);
    }
    if (out.len > 0) {
        struct evbuffer *data = evbuffer_new();
        evbuffer_add(data, out.data, out.len);
        dc_stream_send(r, data);
        evbuffer_free(data);
    }
    dsp_buf_free(&out);
    if (log == NULL || !log->open || reader->limit == 0) {
        free_reader(reader);
        dc_stream_end(r);
    }
}

static bool check_container(dc_request *r, const cJSON *pod)
{
    const cJSON *containers = dc_at(pod, "spec", "containers", NULL);
    const char  *wanted = dc_query(r, "container");

    if (wanted == NULL || *wanted == '\0') {
        return true;
    }
    for (const cJSON *c = containers != NULL ? containers->child : NULL; c != NULL; c = c->next) {
        if (dc_str(c, "name") != NULL && strcmp(dc_str(c, "name"), wanted) == 0) {
            return true;
        }
    }
    return dc_fail_set(&r->fail, 400, "BadRequest", "container %s is not valid for pod %s", wanted, r->name);
}

static void serve(dc_request *r, const dc_object *o)
{
    bool           previous = dc_query_is(r, "previous", "true");
    bool           follow = dc_query_is(r, "follow", "true") || dc_query_is(r, "follow", "1");
    const dc_log  *log = dc_pods_log(r->cluster->pod_runner, o->uid, previous);
    dc_log_reader *reader;

    if (log == NULL) {
        dc_fail_set(&r->fail, 400, "BadRequest", "%s", previous
                        ? "previous terminated container not found"
                        : "the log of this pod is not there any more: devcluster keeps logs in memory only");
        return;
    }
    reader = calloc(1, sizeof(*reader));
    reader->r = r;
    reader->uid = strdup(o->uid);
    reader->timestamps = dc_query_is(r, "timestamps", "true");
    reader->limit = number(r, "limitBytes", -1);
    reader->sent = start_of(r, log);
    if (follow && log->open) {
        reader->follower.changed = on_changed;
        reader->follower.arg = reader;
        r->log_reader = reader;
        dc_pods_follow(r->cluster->pod_runner, o->uid, &reader->follower);
        dc_stream_begin(r, "text/plain", on_gone);
        on_changed(reader);
        return;
    }
    r->code = 200;
    r->content_type = "text/plain";
    copy(reader, log, &r->answer);
    free_reader(reader);
}

void dc_log_serve(dc_request *r)
{
    const dc_object *o = dc_store_get(r->cluster->pods, r->ns, r->name);

    if (o == NULL) {
        dc_fail_not_found(&r->fail, dc_request_name(r));
        return;
    }
    cJSON *pod = dc_object_tree(o);
    if (check_container(r, pod)) {
        serve(r, o);
    }
    cJSON_Delete(pod);
}
