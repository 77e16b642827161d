#include "watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "fault.h"
#include "list_options.h"
#include "server.h"
#include "tree.h"
#include "view.h"

#define ENOUGH_PENDING (256 * 1024) /* bytes that wait for the client before we format more */

/*
 * Phases: initial (the objects of the start are being sent) → live → ended.
 */
typedef struct dc_watch {
    LIST_ENTRY(dc_watch) all;
    dc_request     *r;
    dc_kind        *kind; /* the stored one */
    dc_list_options options;
    dc_object     **initial; /* what is still to be sent as ADDED; NULL when live */
    size_t          initial_n, initial_at;
    uint64_t        initial_rv;
    uint64_t        next;   /* number of the next event in the ring */
    uint64_t        after;  /* events up to this revision are not for this watch */
    uint64_t        lines;  /* written so far */
    bool            first;  /* the next table carries its columns */
    bool            ended;
    uint64_t        lag_to; /* with a lag fault: events up to here may be sent */
    struct event   *timeout, *bookmark, *lag;
} dc_watch;

struct dc_watchers {
    dc_cluster   *cluster;
    struct event *pump; /* runs once per turn of the loop in which something was committed */
    LIST_HEAD(, dc_watch) all;
    size_t n;
};

static void pump(dc_watch *w);

static void free_watch(dc_watch *w)
{
    struct event *timers[] = { w->timeout, w->bookmark, w->lag };

    LIST_REMOVE(w, all);
    w->r->cluster->watchers->n--;
    for (size_t i = 0; i < 3; i++) {
        if (timers[i] != NULL) {
            event_free(timers[i]);
        }
    }
    if (w->initial != NULL) {
        dc_objects_free(w->initial, w->initial_n);
    }
    dc_list_options_free(&w->options);
    w->r->stream = NULL;
    free(w);
}

static void on_gone(dc_request *r)
{
    free_watch(r->stream);
}

static void end_watch(dc_watch *w)
{
    dc_request *r = w->r;

    free_watch(w);
    dc_stream_end(r);
}

static const char *type_name(enum dc_event_type type)
{
    return type == DC_ADDED ? "ADDED" : type == DC_MODIFIED ? "MODIFIED" : "DELETED";
}

static bool seen(const dc_watch *w, const dc_object *o)
{
    return o != NULL && (w->r->ns == NULL || strcmp(w->r->ns, o->ns) == 0) &&
           dc_selector_matches(w->options.selector, o);
}

static void add_event(dc_watch *w, const char *type, const dc_object *o, dsp_buf *out)
{
    dsp_buf_addf(out, "{\"type\":\"%s\",\"object\":", type);
    dc_view_object(w->r, o, w->first, out);
    dsp_buf_addz(out, "}\n");
    w->first = false;
}

/* An object that leaves the selection is deleted for this watch, one that enters is added. */
static void format_event(dc_watch *w, const dc_event *e, dsp_buf *out)
{
    const dc_object *before = e->type == DC_DELETED ? e->object : e->before;
    bool             was = e->type != DC_ADDED && seen(w, before);
    bool             is = e->type != DC_DELETED && seen(w, e->object);

    if (was && !is) {
        dc_object *last = dc_object_at(before, e->rv);
        add_event(w, type_name(DC_DELETED), last, out);
        dc_object_release(last);
    } else if (is) {
        add_event(w, type_name(was ? DC_MODIFIED : DC_ADDED), e->object, out);
    }
}

static void format_bookmark(dc_watch *w, uint64_t rv, bool initial_end, dsp_buf *out)
{
    cJSON *annotations = NULL;

    if (initial_end) {
        annotations = cJSON_CreateObject();
        dc_set_str(annotations, "k8s.io/initial-events-end", "true");
    }
    dsp_buf_addz(out, "{\"type\":\"BOOKMARK\",\"object\":");
    dc_view_bookmark(w->r, rv, annotations, out);
    dsp_buf_addz(out, "}\n");
    cJSON_Delete(annotations);
}

static void format_expired(const dc_watch *w, uint64_t rv, dsp_buf *out)
{
    dc_fail gone = { 0 };

    dc_fail_set(&gone, 410, "Expired", "too old resource version: %" PRIu64 " (%" PRIu64 ")", rv,
                w->kind->objects.compacted > 0 ? w->kind->objects.compacted : w->r->cluster->store.first_rv);
    dsp_buf_addz(out, "{\"type\":\"ERROR\",\"object\":");
    dc_fail_print(&gone, out);
    dsp_buf_addz(out, "}\n");
    dc_fail_free(&gone);
}

static void free_bytes(const void *data, size_t len, void *arg)
{
    (void) len;
    (void) arg;
    free((void *) data);
}

/* Sends what was formatted; takes the bytes. false: a fault ended the watch. */
static bool flush(dc_watch *w, dsp_buf *out)
{
    bool cut = dc_fault_watch_text(w->r, out, &w->lines);

    if (out->len > 0) {
        struct evbuffer *data = evbuffer_new();
        size_t           len = out->len;
        evbuffer_add_reference(data, dsp_buf_take(out), len, free_bytes, NULL);
        dc_stream_send(w->r, data);
        evbuffer_free(data);
    }
    dsp_buf_free(out);
    if (cut) {
        dc_stream_cut(w->r);
    }
    return !cut;
}

static bool pump_initial(dc_watch *w, dsp_buf *out)
{
    while (w->initial_at < w->initial_n && out->len < ENOUGH_PENDING) {
        const dc_object *o = w->initial[w->initial_at++];
        if (seen(w, o)) {
            add_event(w, type_name(DC_ADDED), o, out);
        }
    }
    if (w->initial_at < w->initial_n) {
        return false;
    }
    dc_objects_free(w->initial, w->initial_n);
    w->initial = NULL;
    if (w->options.initial_events && w->options.bookmarks) {
        format_bookmark(w, w->initial_rv, true, out);
    }
    return true;
}

/* false: the ring has forgotten what this watch needs next; it was told so. */
static bool pump_events(dc_watch *w, dsp_buf *out)
{
    const dc_collection *c = &w->kind->objects;
    uint64_t             until = dc_fault_watch_lag(w->r) > 0 ? w->lag_to : c->ring_next;

    if (w->next < c->ring_first) {
        format_expired(w, w->after, out);
        return false;
    }
    while (w->next < until && out->len < ENOUGH_PENDING) {
        const dc_event *e = dc_store_event(c, w->next++);
        if (e->rv > w->after) {
            format_event(w, e, out);
            w->after = e->rv;
        }
    }
    return true;
}

static void pump(dc_watch *w)
{
    dsp_buf out;

    if (w->ended || dc_stream_pending(w->r) >= ENOUGH_PENDING) {
        return; /* on_drained() comes back here */
    }
    dsp_buf_init(&out, (size_t) 1 << 30);
    bool alive = (w->initial != NULL && !pump_initial(w, &out)) || pump_events(w, &out);
    w->ended = !alive;
    if (out.len > 0 && !flush(w, &out)) {
        w->ended = true;
        return;
    }
    if (!alive) {
        end_watch(w);
    }
}

static void on_drained(dc_request *r)
{
    if (r->stream != NULL) {
        pump(r->stream);
    }
}

static void on_lag(evutil_socket_t fd, short what, void *arg)
{
    dc_watch    *w = arg;
    dc_watchers *all = w->r->cluster->watchers;

    (void) fd;
    (void) what;
    pump(w);
    event_active(all->pump, EV_TIMEOUT, 0); /* what came meanwhile waits as long again */
}

static void ms_timer(struct event *timer, int64_t ms)
{
    struct timeval time = { ms / 1000, (ms % 1000) * 1000 };

    evtimer_add(timer, &time);
}

static void start_lag(dc_watch *w, int lag_ms)
{
    if (w->lag == NULL) {
        w->lag = evtimer_new(w->r->cluster->base, on_lag, w);
    }
    if (!evtimer_pending(w->lag, NULL) && w->next < w->kind->objects.ring_next) {
        w->lag_to = w->kind->objects.ring_next;
        ms_timer(w->lag, lag_ms);
    }
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    dc_watchers *all = arg;
    dc_watch    *w, *next;

    (void) fd;
    (void) what;
    for (w = LIST_FIRST(&all->all); w != NULL; w = next) {
        next = LIST_NEXT(w, all);
        int lag = dc_fault_watch_lag(w->r);
        if (lag > 0 && w->initial == NULL) {
            start_lag(w, lag);
        } else if (w->initial != NULL || w->next < w->kind->objects.ring_next) {
            pump(w);
        }
    }
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_watchers *all = arg;

    (void) kind;
    (void) before;
    (void) after;
    if (all->n > 0) {
        event_active(all->pump, EV_TIMEOUT, 0);
    }
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    end_watch(arg);
}

static void on_bookmark(evutil_socket_t fd, short what, void *arg)
{
    dc_watch *w = arg;
    dsp_buf   out;

    (void) fd;
    (void) what;
    ms_timer(w->bookmark, w->r->cluster->options.bookmark_ms);
    /* only a watch that has seen everything may be told the present revision */
    if (w->initial == NULL && w->next == w->kind->objects.ring_next && !w->ended) {
        dsp_buf_init(&out, 1 << 20);
        uint64_t rv = w->after > w->r->cluster->store.rv ? w->after : w->r->cluster->store.rv;
        format_bookmark(w, rv, false, &out);
        w->ended = !flush(w, &out);
    }
}

/* The number of the first event behind a revision. */
static uint64_t first_after(const dc_collection *c, uint64_t rv)
{
    uint64_t from = c->ring_first, to = c->ring_next;

    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        if (dc_store_event(c, middle)->rv <= rv) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* false: the revision is too old. */
static bool position(dc_watch *w)
{
    const dc_list_options *o = &w->options;
    const dc_collection   *c = &w->kind->objects;
    const dc_store        *s = &w->r->cluster->store;
    bool                   from_now = !o->has_rv || o->rv == 0 || o->initial_events;

    if (from_now) {
        w->next = c->ring_next;
        w->after = w->initial_rv = s->rv;
        if (!o->no_initial_events) {
            w->initial = dc_store_list(w->kind, w->r->ns, &w->initial_n);
        }
        return true;
    }
    w->after = o->rv;
    w->next = first_after(c, o->rv);
    return o->rv >= c->compacted && o->rv >= s->first_rv;
}

static void start_timers(dc_watch *w)
{
    struct event_base *base = w->r->cluster->base;
    int64_t            timeout = w->options.timeout_s > 0 ? w->options.timeout_s : 1800 + rand() % 1800;
    int64_t            bookmark = w->r->cluster->options.bookmark_ms;

    w->timeout = evtimer_new(base, on_timeout, w);
    ms_timer(w->timeout, timeout * 1000);
    if (w->options.bookmarks) {
        w->bookmark = evtimer_new(base, on_bookmark, w);
        int64_t before_end = timeout * 1000 - 2000;
        ms_timer(w->bookmark, before_end > 0 && before_end < bookmark ? before_end : bookmark);
    }
}

void dc_watch_start(dc_request *r)
{
    dc_watchers    *all = r->cluster->watchers;
    dc_list_options options;

    if (!dc_list_options_read(r, &options) || (options.initial_events && !dc_revision_reached(r, options.rv))) {
        dc_list_options_free(&options);
        return;
    }
    dc_watch *w = calloc(1, sizeof(*w));
    w->r = r;
    w->kind = dc_kind_stored(r->kind);
    w->options = options;
    w->first = true;
    r->stream = w;
    LIST_INSERT_HEAD(&all->all, w, all);
    all->n++;
    dc_stream_begin(r, "application/json", on_gone);
    dc_stream_on_drain(r, on_drained);
    if (!position(w)) {
        dsp_buf out;
        dsp_buf_init(&out, 1 << 20);
        format_expired(w, options.rv, &out);
        if (flush(w, &out)) {
            end_watch(w);
        }
        return;
    }
    start_timers(w);
    w->lag_to = w->next;
    event_active(all->pump, EV_TIMEOUT, 0);
}

dc_watchers *dc_watchers_new(dc_cluster *c)
{
    dc_watchers *all = calloc(1, sizeof(*all));

    all->cluster = c;
    LIST_INIT(&all->all);
    all->pump = event_new(c->base, -1, 0, on_pump, all);
    dc_store_listen(&c->store, on_commit, all);
    return all;
}

void dc_watchers_free(dc_watchers *all)
{
    if (all != NULL) {
        event_free(all->pump);
        free(all);
    }
}

size_t dc_watchers_count(const dc_watchers *all)
{
    return all->n;
}

int dc_watchers_kill(dc_watchers *all, const dc_kind *kind)
{
    dc_watch *w, *next;
    int       n = 0;

    for (w = LIST_FIRST(&all->all); w != NULL; w = next) {
        next = LIST_NEXT(w, all);
        if (kind == NULL || w->kind == kind) {
            end_watch(w);
            n++;
        }
    }
    return n;
}
