#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/job.h"
#include "model/object.h"

static const struct resource {
    const char *name;
    const char *api;
    const char *label_selector;
} resources[DSP_KINDS] = {
    [DSP_KIND_TEMPLATE] = { "jobtemplates", "/apis/" DSP_API_VERSION, NULL },
    [DSP_KIND_EXECUTION] = { "jobexecutions", "/apis/" DSP_API_VERSION, NULL },
    [DSP_KIND_JOB] = { "jobs", "/apis/batch/v1", DSP_LABEL_EXECUTION },
};

/* One reflector: a kind in one namespace, or in all. */
struct watch {
    dsp_watches   *all;
    dsp_reflector *reflector;
    enum dsp_kind  kind;
    const char    *ns; /* "" : all */
    bool           listed;
    char           last_failure[200]; /* the same failure is logged once */
};

struct dsp_watches {
    dsp_store          *store;
    dsp_watches_handler handler;
    struct watch       *watches; /* DSP_KINDS per namespace */
    size_t              n;
    bool                jobs_started;
    bool                synced;
};

/* --- what a reflector says ------------------------------------------------------------------------------------ */

static void check(struct watch *w, bool ok)
{
    if (!ok) {
        w->all->handler.no_memory(w->all->handler.context);
    }
}

static void on_begin(void *arg)
{
    struct watch *w = arg;

    dsp_store_replace_begin(w->all->store, w->kind, dsp_str_from(w->ns));
}

static void on_item(void *arg, dsp_json object)
{
    struct watch *w = arg;

    check(w, dsp_store_put(w->all->store, w->kind, object));
}

static bool kind_listed(const dsp_watches *all, enum dsp_kind kind)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->watches[i].kind == kind && !all->watches[i].listed) {
            return false;
        }
    }
    return true;
}

static void start_jobs(dsp_watches *all)
{
    all->jobs_started = true;
    for (size_t i = 0; i < all->n; i++) {
        if (all->watches[i].kind == DSP_KIND_JOB) {
            dsp_reflector_start(all->watches[i].reflector);
        }
    }
}

static void on_end(void *arg)
{
    struct watch *w = arg;
    dsp_watches  *all = w->all;

    check(w, dsp_store_replace_end(all->store, w->kind, dsp_str_from(w->ns)));
    w->listed = true;
    w->last_failure[0] = '\0';
    if (!kind_listed(all, w->kind)) {
        return;
    }
    dsp_store_synced(all->store, w->kind);
    if (!all->jobs_started && kind_listed(all, DSP_KIND_EXECUTION)) {
        start_jobs(all);
    }
    if (!all->synced && kind_listed(all, DSP_KIND_TEMPLATE) && kind_listed(all, DSP_KIND_EXECUTION) &&
        kind_listed(all, DSP_KIND_JOB)) {
        all->synced = true;
        all->handler.synced(all->handler.context);
    }
}

static void on_event(void *arg, enum dsp_reflector_event type, dsp_json object)
{
    struct watch *w = arg;

    w->last_failure[0] = '\0';
    if (type == DSP_REFLECTOR_DELETED) {
        check(w, dsp_store_drop(w->all->store, w->kind, object));
    } else {
        check(w, dsp_store_put(w->all->store, w->kind, object));
    }
}

static void on_failed(void *arg, int status, const char *message)
{
    struct watch *w = arg;
    const char   *resource = resources[w->kind].name;

    if (strncmp(w->last_failure, message, sizeof(w->last_failure) - 1) != 0) {
        snprintf(w->last_failure, sizeof(w->last_failure), "%s", message);
        dsp_log(DSP_LOG_WARN, "watch failed", DSP_LOG_Z("resource", resource), DSP_LOG_INT("status", status),
                DSP_LOG_Z("error", message));
    }
    if (status == 404 && !w->listed) {
        w->all->handler.missing(w->all->handler.context, resource, message);
    }
}

static const dsp_reflector_handler reflector_handler = { on_begin, on_item, on_end, on_event, on_failed };

/* --- making and running them ---------------------------------------------------------------------------------- */

static bool make_watch(dsp_watches *all, dsp_kube_client *client, struct watch *w, enum dsp_kind kind, const char *ns)
{
    dsp_buf               path;
    dsp_reflector_options options = { .label_selector = resources[kind].label_selector };

    *w = (struct watch){ .all = all, .kind = kind, .ns = ns };
    dsp_buf_init(&path, 1024);
    dsp_buf_addz(&path, resources[kind].api);
    if (ns[0] != '\0') {
        dsp_buf_addz(&path, "/namespaces");
        dsp_kube_path_add(&path, dsp_str_from(ns));
    }
    dsp_buf_addf(&path, "/%s", resources[kind].name);
    options.path = dsp_buf_cstr(&path);
    if (!path.failed) {
        w->reflector = dsp_reflector_new(client, &options, &reflector_handler, w);
    }
    dsp_buf_free(&path);
    return w->reflector != NULL;
}

dsp_watches *dsp_watches_new(dsp_kube_client *client, dsp_store *store, const char *const *namespaces, size_t n,
                             const dsp_watches_handler *handler)
{
    dsp_watches *all = calloc(1, sizeof(*all));
    size_t       n_ns = n > 0 ? n : 1;

    if (all == NULL) {
        return NULL;
    }
    all->store = store;
    all->handler = *handler;
    all->watches = calloc(n_ns * DSP_KINDS, sizeof(*all->watches));
    for (size_t i = 0; all->watches != NULL && i < n_ns * DSP_KINDS; i++) {
        if (!make_watch(all, client, &all->watches[i], (enum dsp_kind)(i % DSP_KINDS),
                        n > 0 ? namespaces[i / DSP_KINDS] : "")) {
            dsp_watches_free(all);
            return NULL;
        }
        all->n++;
    }
    if (all->watches == NULL) {
        dsp_watches_free(all);
        return NULL;
    }
    return all;
}

void dsp_watches_start(dsp_watches *all)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->watches[i].kind != DSP_KIND_JOB) {
            dsp_reflector_start(all->watches[i].reflector);
        }
    }
}

void dsp_watches_stop(dsp_watches *all)
{
    for (size_t i = 0; i < all->n; i++) {
        dsp_reflector_stop(all->watches[i].reflector);
    }
}

void dsp_watches_free(dsp_watches *all)
{
    if (all == NULL) {
        return;
    }
    for (size_t i = 0; i < all->n; i++) {
        dsp_reflector_free(all->watches[i].reflector);
    }
    free(all->watches);
    free(all);
}

void dsp_watches_unready(const dsp_watches *all, dsp_buf *out)
{
    for (size_t i = 0; i < all->n; i++) {
        if (!all->watches[i].listed) {
            dsp_buf_addf(out, "%s%s%s%s are not listed yet", out->len > 0 ? "; " : "",
                         resources[all->watches[i].kind].name, all->watches[i].ns[0] != '\0' ? " of " : "",
                         all->watches[i].ns);
        }
    }
}

void dsp_watches_metrics(const dsp_watches *all, dsp_metrics *m)
{
    for (int i = 0; i < DSP_WATCHES; i++) {
        m->watch_starts[i] = m->lists[i] = m->watch_events[i] = 0;
    }
    for (size_t i = 0; i < all->n; i++) {
        const dsp_reflector_stats *stats = dsp_reflector_stats_get(all->watches[i].reflector);
        enum dsp_kind              kind = all->watches[i].kind;

        m->watch_starts[kind] += stats->watches;
        m->lists[kind] += stats->lists;
        m->watch_events[kind] += stats->events;
    }
}
